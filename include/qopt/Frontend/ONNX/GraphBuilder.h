//===- GraphBuilder.h - qg ops with shapes, checks and folding ------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What operator handlers write with. Every function infers the result shape,
// verifies the op and folds it if its operands are constants. A null Value
// means that something failed and was reported; given one, every function
// returns one, so that handlers need not check each step.
//===----------------------------------------------------------------------===//
#ifndef QOPT_FRONTEND_ONNX_GRAPHBUILDER_H
#define QOPT_FRONTEND_ONNX_GRAPHBUILDER_H

#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Dialect/QG/IR/Shapes.h"
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
};

class GraphBuilder {
public:
  GraphBuilder(mlir::MLIRContext *context, mlir::Block *block);

  mlir::MLIRContext *context() { return builder.getContext(); }
  void setLocation(mlir::Location location) { loc = location; }
  mlir::Location location() const { return loc; }

  // Facts about values.
  static mlir::RankedTensorType type(Value value);
  static ArrayRef<int64_t> shape(Value value) { return type(value).getShape(); }
  static int64_t rank(Value value) { return type(value).getRank(); }
  static int64_t extent(Value value, int64_t axis) {
    return shape(value)[axis];
  }
  static Type element(Value value) { return type(value).getElementType(); }
  static bool isFloat(Value value);
  static bool isQuantized(Value value);
  Type f32() { return builder.getF32Type(); }
  Type i64() { return builder.getI64Type(); }
  Type i1() { return builder.getI1Type(); }

  // Constants. Their bytes stay here until finish().
  Value constant(const Tensor &tensor);
  Value constant(const Tensor &tensor, mlir::RankedTensorType type);
  /// A scalar of that element type.
  Value scalar(double value, Type elementType);
  Value ints(ArrayRef<int64_t> values);
  /// A tensor of `like`'s element type.
  Value floats(ArrayRef<int64_t> shape, ArrayRef<double> values,
               Type elementType);
  /// All elements equal.
  Value full(ArrayRef<int64_t> shape, double value, Type elementType);
  std::optional<Tensor> constantOf(Value value) const;
  bool isConstant(Value value) const { return constants.contains(value); }

  // Elementwise, with broadcasting.
  Value unary(UnaryKind kind, Value x);
  Value binary(BinaryKind kind, Value lhs, Value rhs);
  Value compare(ComparePredicate predicate, Value lhs, Value rhs);
  Value select(Value condition, Value onTrue, Value onFalse);
  Value convert(Value x, Type elementType);
  Value add(Value a, Value b) { return binary(BinaryKind::add, a, b); }
  Value sub(Value a, Value b) { return binary(BinaryKind::sub, a, b); }
  Value mul(Value a, Value b) { return binary(BinaryKind::mul, a, b); }
  Value div(Value a, Value b) { return binary(BinaryKind::div, a, b); }
  Value max(Value a, Value b) { return binary(BinaryKind::max, a, b); }
  Value min(Value a, Value b) { return binary(BinaryKind::min, a, b); }
  Value add(Value a, double b);
  Value sub(Value a, double b);
  Value mul(Value a, double b);
  Value div(Value a, double b);
  Value max(Value a, double b);
  Value min(Value a, double b);
  /// max(low, min(high, x)).
  Value clamp(Value x, double low, double high);
  Value logicalNot(Value x);

  // Data movement; identities give the operand back.
  Value reshape(Value x, ArrayRef<int64_t> shape);
  Value transpose(Value x, ArrayRef<int64_t> permutation);
  Value broadcast(Value x, ArrayRef<int64_t> shape);
  Value slice(Value x, ArrayRef<int64_t> offsets, ArrayRef<int64_t> sizes,
              ArrayRef<int64_t> strides);
  /// `[begin, end)` of one dimension.
  Value sliceAxis(Value x, int64_t axis, int64_t begin, int64_t end);
  Value concat(ArrayRef<Value> values, int64_t axis);
  Value pad(PadMode mode, Value x, Value value, ArrayRef<int64_t> low,
            ArrayRef<int64_t> high);
  Value gather(Value x, Value indices, int64_t axis);
  /// A dimension of extent 1 put in / taken out.
  Value expandDim(Value x, int64_t axis);
  Value dropDim(Value x, int64_t axis);
  /// [N, C, s...] <-> [N, s..., C].
  Value toChannelsLast(Value x);
  Value toChannelsFirst(Value x);
  /// `axis` exchanged with the last dimension.
  Value swapWithLast(Value x, int64_t axis);

  // Linear, reductions. Operands are channels-last.
  Value conv(Value x, Value weight, Value bias, const WindowSpec &window,
             int64_t groups);
  Value convTranspose(Value x, Value weight, Value bias,
                      const WindowSpec &window, ArrayRef<int64_t> outputPadding,
                      int64_t groups);
  /// NumPy matmul of operands of rank >= 2: batches are broadcast.
  Value matmul(Value lhs, Value rhs, Value bias = {});
  Value pool(PoolKind kind, Value x, const WindowSpec &window,
             bool countIncludePad = false);
  Value reduce(ReduceKind kind, Value x, ArrayRef<int64_t> axes, bool keepDims);
  Value reduceMean(Value x, ArrayRef<int64_t> axes, bool keepDims);
  Value argReduce(ReduceKind kind, Value x, int64_t axis, bool selectLast);
  Value softmax(Value x, int64_t axis);

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

  /// int4 and uint4 are held one per byte: as i8 and ui8 with this mark.
  void markFourBit(Value value) { fourBit.insert(value); }
  bool isFourBit(Value value) const { return fourBit.contains(value); }

  /// An op was refused by its verifier (shapes are checked before), that is,
  /// qg has no such element type there.
  bool hasRefusedTypes = false;

  /// Reports on the current location and returns null.
  Value fail(const llvm::Twine &message);

  /// Gives constants their bytes and removes unused ones.
  void finish();

private:
  template <typename OpT, typename... Args>
  Value emit(ArrayRef<int64_t> shape, Type elementType, Args &&...args);
  Value finishOp(mlir::Operation *op);
  Value foldOp(mlir::Operation *op);
  mlir::RankedTensorType checkedType(ArrayRef<int64_t> shape, Type element);
  /// Runs `body` on f32 copies of 16-bit floats and casts its result back.
  Value inF32(ArrayRef<Value> values,
              llvm::function_ref<Value(ArrayRef<Value>)> body);
  bool isNarrowFloat(Value value) const;
  Value integersOf(Value quantized);

  mlir::OpBuilder builder;
  mlir::Location loc;
  /// Values of qg.constant ops.
  llvm::MapVector<Value, Tensor> constants;
  llvm::DenseSet<Value> fourBit;
};

} // namespace qopt::frontend

#endif // QOPT_FRONTEND_ONNX_GRAPHBUILDER_H
