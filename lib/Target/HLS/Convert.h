//===- Convert.h - Integer ops on their way to units ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What a layer needs to turn an op on tensors into units on streams: the
// streams of its operands, and words for what it cannot.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_HLS_CONVERT_H
#define QOPT_LIB_TARGET_HLS_CONVERT_H

#include "qopt/Conversion/IntegerCore.h"
#include "qopt/Target/HLS/IR/HLS.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include <functional>

namespace qopt::hls {

/// The streams that tensors have become. A tensor has one for each of its
/// readers, and each reader takes its own.
class Streams {
public:
  explicit Streams(mlir::OpBuilder &builder) : builder_(builder) {}

  /// Where units are made.
  mlir::OpBuilder &builder() { return builder_; }
  /// Whether a reader of `tensor` finds a stream.
  bool has(mlir::Value tensor) const;
  /// The type of what `take` gives.
  StreamType getType(mlir::Value tensor) const;
  /// The stream of a tensor for its next reader; a constant becomes a table.
  mlir::Value take(mlir::Value tensor);
  /// `constant` may be taken by the one reader that it has.
  void addSource(mlir::Value constant);
  /// `stream` is what `tensor` has become: copied for as many readers as there
  /// are.
  void define(mlir::Value tensor, mlir::Value stream, mlir::Location loc);

private:
  mlir::OpBuilder &builder_;
  llvm::DenseMap<mlir::Value, mlir::SmallVector<mlir::Value>> streams_;
};

/// Which integer ops become units, and how: what the units of the dialect say
/// in their `addConversions`.
class Conversions {
public:
  /// How an op becomes units.
  struct Conversion {
    /// Makes the units, and returns the stream of the result.
    std::function<mlir::FailureOr<mlir::Value>(mlir::Operation *, Streams &)>
        convert;
    /// All operands but the first may be constants, which the unit holds.
    bool hasParameters = false;
  };

  explicit Conversions(mlir::MLIRContext *context);

  /// Ops of kind OpT, all of whose operands are streams, of constants too.
  template <typename OpT>
  void add(mlir::FailureOr<mlir::Value> (*convert)(OpT, Streams &)) {
    conversions_[OpT::getOperationName()].convert =
        [convert](mlir::Operation *op, Streams &streams) {
          return convert(mlir::cast<OpT>(op), streams);
        };
  }
  /// Ops of kind OpT, of which the first operand is a stream.
  template <typename OpT>
  void addWithParameters(mlir::FailureOr<mlir::Value> (*convert)(OpT,
                                                                 Streams &)) {
    add(convert);
    conversions_[OpT::getOperationName()].hasParameters = true;
  }
  /// Null if no op of this kind becomes a unit; what an op lacks besides, its
  /// conversion says.
  const Conversion *find(mlir::Operation *op) const;

private:
  llvm::StringMap<Conversion> conversions_;
};

/// `'fxp.conv' (NAME) has no unit: `, and the reason behind it.
mlir::InFlightDiagnostic refuse(mlir::Operation *op);

/// A stream of one lane.
StreamType getStream(int64_t elements, mlir::IntegerType element);
/// The element of sums in [first, second], or a refusal beyond 32 bits.
mlir::FailureOr<mlir::IntegerType>
getAccumulator(mlir::Operation *op, std::pair<int64_t, int64_t> range);
/// Whether readers take the bytes of a tensor as unsigned.
bool isReadUnsigned(mlir::Value value);

/// Integers as an attribute; `bits` is 8, 16 or 32.
mlir::ElementsAttr makeIntegers(mlir::MLIRContext *context,
                                llvm::ArrayRef<int64_t> values,
                                llvm::ArrayRef<int64_t> shape, unsigned bits,
                                llvm::StringRef hint);

} // namespace qopt::hls

#endif // QOPT_LIB_TARGET_HLS_CONVERT_H
