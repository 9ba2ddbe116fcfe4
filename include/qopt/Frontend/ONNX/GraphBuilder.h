//===- GraphBuilder.h - qg ops with shapes, checks and folding ------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What operator handlers write with: a ShapedBuilder that verifies each op and
// folds it if its operands are constants.
//===----------------------------------------------------------------------===//
#ifndef QOPT_FRONTEND_ONNX_GRAPHBUILDER_H
#define QOPT_FRONTEND_ONNX_GRAPHBUILDER_H

#include "qopt/Dialect/QG/IR/ShapedBuilder.h"
#include "qopt/Frontend/ONNX/Proto/ProtoReader.h"
#include "qopt/Support/FileMemory.h"
#include "llvm/ADT/MapVector.h"

namespace qopt::frontend {

using llvm::ArrayRef;
using mlir::Type;
using mlir::Value;
using mlir::ValueRange;
using qg::Shape;

/// Geometry of a convolution or pool, as qg has it.
struct WindowSpec {
  Shape kernel, strides, pads, dilations;
  Shape outputPadding = {}; ///< of a transposed convolution
};

/// What a loop starts from, see qg.loop.
struct LoopSpec {
  int64_t count = 1;
  Value condition = {}; ///< may be null
  llvm::SmallVector<Value> states = {}, slices = {};
  /// From the last to the first; slices and stacked results, unless they have
  /// directions of their own.
  bool isReversed = false;
  llvm::SmallVector<bool> slicesReversed = {};
};
/// What a step gives.
struct LoopYield {
  Value condition = {};
  llvm::SmallVector<Value> states = {}, stacked = {};
  llvm::SmallVector<bool> stackedReversed = {};
};
/// Writes a body, given its arguments: number of the step, states, slices.
/// nullopt where that failed and was reported.
using LoopBodyWriter =
    llvm::function_ref<std::optional<LoopYield>(ValueRange arguments)>;

/// A dimension of which data decide how many positions count: its extent is
/// their bound, `length` an i64 scalar that is not negative. Where the bound is
/// what somebody said, data can ask for more: the first so many are then right,
/// and whoever gives out the tensor refuses it.
struct CountedDim {
  int64_t axis;
  Value length;
};

class GraphBuilder : public qg::ShapedBuilder {
public:
  GraphBuilder(mlir::MLIRContext *context, mlir::Block *block);

  using ShapedBuilder::isNarrowFloat;

  // Constants. Their bytes stay here until finish().
  using ShapedBuilder::constant;
  Value constant(const Tensor &tensor, mlir::RankedTensorType type) override;
  Value constant(const StoredArray &array);
  /// A tensor of `like`'s element type.
  Value floats(ArrayRef<int64_t> shape, ArrayRef<double> values,
               Type elementType);
  std::optional<Tensor> constantOf(Value value) const;
  /// Of a constant whose positions data count, they are not.
  bool isConstant(Value value) const {
    return constants.contains(value) && !countedDimOf(value);
  }

  // Data movement; identities give the operand back. Encodings per axis that
  // cannot follow give their integers.
  Value reshape(Value x, ArrayRef<int64_t> shape) override;
  Value transpose(Value x, ArrayRef<int64_t> permutation) override;
  Value slice(Value x, ArrayRef<int64_t> offsets, ArrayRef<int64_t> sizes,
              ArrayRef<int64_t> strides) override;
  /// [N, C, s...] <-> [N, s..., C].
  Value toChannelsLast(Value x);
  Value toChannelsFirst(Value x);

  // Linear, reductions. Operands are channels-last.
  Value conv(Value x, Value weight, Value bias, const WindowSpec &window,
             int64_t groups);
  Value convTranspose(Value x, Value weight, Value bias,
                      const WindowSpec &window, int64_t groups);
  Value pool(PoolKind kind, Value x, const WindowSpec &window,
             bool countIncludePad = false);
  Value argReduce(ReduceKind kind, Value x, int64_t axis, bool selectLast);

  // Encodings.
  Value quantize(Value x, qg::QuantizedType type);
  Value dequantize(Value q);
  /// The stored integers of a quantized value as plain integers; any other
  /// value itself.
  Value plain(Value value);
  /// A value of plain integers seen as encoded, for an argument (through data
  /// movement) or a constant; null, and nothing reported, if that cannot be.
  Value reinterpret(Value value, qg::QuantizedType type);
  /// Dequantized constants can be moved around at compile time.
  bool isDequantizedConstant(Value value) const;

  /// Elements that the file packs are held wider (ElementKind); this is what
  /// they were. It follows data movement.
  void markPacked(Value value, const ElementKind &kind) {
    if (value && kind.bits)
      packed[value] = kind;
  }
  /// Null for what is held as it is.
  const ElementKind *packedKindOf(Value value) const {
    auto it = packed.find(value);
    return it == packed.end() ? nullptr : &it->second;
  }
  /// Packed integers: 2 or 4; else 0.
  unsigned packedIntegerBits(Value value) const {
    const ElementKind *kind = packedKindOf(value);
    return kind && !kind->semantics ? kind->bits : 0;
  }

  /// A loop whose body `write` writes; it may use any value around it. States
  /// that it gives beyond those of `spec` start as zeros. The last states and
  /// the stacked results; nothing where it failed.
  llvm::SmallVector<Value> loop(const LoopSpec &spec, LoopBodyWriter write);
  // Sequences of tensors and optionals without one: values that are no tensors
  // and that no op of the graph reads.
  Value sequence(ArrayRef<Value> elements);
  std::optional<llvm::SmallVector<Value>> elementsOf(Value value) const;
  Value nothing();
  bool isNothing(Value value) const;
  static bool isTensor(Value value) {
    return llvm::isa<mlir::RankedTensorType>(value.getType());
  }
  /// Runs `write` so that what it writes can be used anywhere.
  void outsideOfLoops(llvm::function_ref<void()> write);
  /// Before an op is erased that may have constants inside.
  void forget(mlir::Operation *op);
  /// It follows every op that treats the positions of the dimension alone; an
  /// op that does not is refused.
  void markCounted(Value value, CountedDim dim);
  /// The most that a length that data decide can be; none of other values.
  std::optional<int64_t> boundOf(Value length) const {
    auto it = bounds.find(length);
    return it == bounds.end() ? std::nullopt : std::optional(it->second);
  }
  /// Lengths that were computed so far, in whatever block: those computed alike
  /// are one value.
  llvm::SmallVector<Value> computedLengths;
  mlir::Block *block() { return builder.getInsertionBlock(); }
  /// Reports an operand whose positions the node would mix.
  Value failMixed(int64_t axis);
  /// Null where every extent is known.
  const CountedDim *countedDimOf(Value value) const {
    auto it = counted.find(value);
    return it == counted.end() ? nullptr : &it->second;
  }

  /// What random numbers are made of: the user's seed, and how many nodes have
  /// drawn from it.
  uint64_t seed = 0, randomNodes = 0;

  /// An op was refused by its verifier (shapes are checked before), that is,
  /// qg has no such element type there, or for a length that it cannot take.
  bool hasRefusedTypes = false;

  /// Gives constants their bytes and removes unused ones.
  void finish();

private:
  Value storedConstant(const StoredArray &array, mlir::RankedTensorType type);
  /// Refuses more elements than a file may ask for.
  mlir::RankedTensorType checkedType(ArrayRef<int64_t> shape,
                                     Type element) override;
  Value finishOp(mlir::Operation *op) override;
  Value failTypes(Type lhs, Type rhs) override {
    hasRefusedTypes = true;
    return ShapedBuilder::failTypes(lhs, rhs);
  }
  Value foldOp(mlir::Operation *op);
  void inheritPackedKind(mlir::Operation *op, Value result);
  Value integersOf(Value quantized);
  llvm::SmallVector<Value> isolate(mlir::Operation *loop);
  llvm::SmallVector<Value> writeOnce(const LoopSpec &spec,
                                     LoopBodyWriter write);
  bool addStates(mlir::Operation *loop, const LoopYield &yield,
                 llvm::SmallVectorImpl<Value> &states);
  llvm::SmallVector<Value> closeLoop(mlir::Operation *draft, LoopYield &yield,
                                     const LoopSpec &spec);

  /// That whose body, or a body inside of it, is being written.
  mlir::Operation *outermostLoop = nullptr;
  bool inheritLength(mlir::Operation *op, Value result);
  bool fitsLength(mlir::Operation *op, int64_t axis, Value length) const;
  /// Reports a value that may not cross the border of a loop.
  bool hasCounted(ValueRange values);

  /// Values of qg.constant ops.
  llvm::MapVector<Value, StoredArray> constants;
  llvm::DenseMap<Value, ElementKind> packed;
  llvm::MapVector<Value, CountedDim> counted;
  llvm::DenseMap<Value, int64_t> bounds;
  friend class Uncounted;
};

/// While it lives, all positions of these values count: for handlers that say
/// themselves what becomes of a length.
class Uncounted {
public:
  Uncounted(GraphBuilder &b, ArrayRef<Value> values);
  ~Uncounted();
  Uncounted(const Uncounted &) = delete;
  Uncounted &operator=(const Uncounted &) = delete;

private:
  GraphBuilder &b;
  llvm::SmallVector<std::pair<Value, CountedDim>> dims;
};

} // namespace qopt::frontend

#endif // QOPT_FRONTEND_ONNX_GRAPHBUILDER_H
