//===- Unit.h - What every kind of hardware unit answers ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A unit knows how far it can be unfolded, what that costs, in which order it
// reads and writes its streams, and its C++. One class per op of hls, in
// Layers/; the op makes it (UnitOpInterface).
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_HLS_UNIT_H
#define QOPT_LIB_TARGET_HLS_UNIT_H

#include "Text.h"
#include "qopt/Numerics/TextBuilder.h"
#include "qopt/Target/HLS/IR/HLS.h"
#include "qopt/Target/HLS/Parts.h"

#include <vector>

namespace qopt::hls {

/// What a unit does in one of its iterations: bit i of `reads` is a token of
/// operand i, bit i of `writes` one of result i.
struct Action {
  uint32_t reads = 0, writes = 0;
};
/// How many streams enter or leave a unit at most: a bit of an Action each.
constexpr size_t kMostStreams = 32;

class Unit {
public:
  explicit Unit(mlir::Operation *op) : op_(op) {}
  virtual ~Unit() = default;

  mlir::Operation *op() const { return op_; }
  /// "mvu", "window", ...
  llvm::StringRef kind() const;

  /// Unfolds just as far that a frame takes at most `cycles`, else as far as
  /// possible. Nothing in the IR changes.
  virtual void fold(int64_t cycles) = 0;
  /// Whose lanes a unit has that leaves the choice to a neighbour: it gets them
  /// by `setLanes` when all have folded.
  enum class Lanes { Own, OfReader, OfWriter };
  virtual Lanes getLanes() const { return Lanes::Own; }
  virtual void setLanes(int64_t lanes) {}
  /// Lanes after `fold`.
  virtual int64_t inputLanes(unsigned operand) const = 0;
  virtual int64_t outputLanes() const = 0;
  /// Writes the folding into types and attributes.
  virtual void apply();

  /// Iterations of a frame, one per cycle.
  virtual int64_t cycles() const = 0;
  virtual Resources resources(const Part &part) const = 0;
  virtual Action action(int64_t iteration) const = 0;

  /// The function: parameters are named by operand and result.
  virtual void emit(Text &text, llvm::StringRef name) const = 0;
  /// Its tables, for the header of weights.
  virtual void emitTables(Text &text, llvm::StringRef name) const {}
  /// One line that says what it is.
  virtual std::string describe() const = 0;
  /// Multiply-accumulates of a frame.
  virtual int64_t macs() const { return 0; }
  /// Bits of weights.
  virtual int64_t weightBits() const { return 0; }

  StreamType input(unsigned i = 0) const {
    return mlir::cast<StreamType>(op_->getOperand(i).getType());
  }
  StreamType output(unsigned i = 0) const {
    return mlir::cast<StreamType>(op_->getResult(i).getType());
  }

protected:
  mlir::Operation *op_;
};

/// What `createUnit` of an op returns.
template <typename UnitT, typename OpT> UnitPtr makeUnit(OpT op) {
  return UnitPtr(new UnitT(op));
}

/// The least divisor d of `total` for which fits(d), else `total`.
template <typename Fits> int64_t pickDivisor(int64_t total, Fits fits) {
  for (int64_t d = 1; d < total; ++d)
    if (total % d == 0 && fits(d))
      return d;
  return total;
}

inline int64_t divideCeil(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// `ap_int<8>`, `ap_uint<4>`: one element.
std::string getElementName(StreamType type);
/// `ap_uint<128>`: one token.
std::string getWordName(StreamType type);
using qopt::getSignedBits;
/// Integers of an attribute, splat or not.
std::vector<int64_t> getIntegers(mlir::ElementsAttr attr);

/// `static void NAME(hls::stream<..> &in, ..., hls::stream<..> &out) {`
void openFunction(Text &text, llvm::StringRef name, mlir::Operation *op);
std::string getSignature(llvm::StringRef name, mlir::Operation *op);
/// `const TYPE NAME = WORD.range(..)` for lane `index` of a word.
void emitLane(Text &text, StreamType type, llvm::StringRef name,
              llvm::StringRef word, llvm::StringRef index);
/// `WORD.range(..) = VALUE` likewise.
void emitSetLane(Text &text, StreamType type, llvm::StringRef word,
                 llvm::StringRef index, llvm::StringRef value);

/// Integers as ap_int or ap_uint hold them.
struct Width {
  unsigned bits;
  bool isSigned;
};
/// A table of integers in row-major order: `extents` are its dimensions.
void emitTable(Text &text, llvm::StringRef name, Width width,
               llvm::ArrayRef<int64_t> extents, llvm::ArrayRef<int64_t> values);

/// Units of a graph in order; fifos have none.
using Units = std::vector<UnitPtr>;
Units createUnits(mlir::Block &block);

} // namespace qopt::hls

#endif // QOPT_LIB_TARGET_HLS_UNIT_H
