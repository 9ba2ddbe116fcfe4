//===- ShapedBuilder.h - qg ops with shapes inferred ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What the importer and the decompositions of composite ops write with. Every
// function infers the result shape. A null Value means that something failed
// and was reported; given one, every function returns one, so that callers need
// not check each step.
//===----------------------------------------------------------------------===//
#ifndef QOPT_DIALECT_QG_IR_SHAPEDBUILDER_H
#define QOPT_DIALECT_QG_IR_SHAPEDBUILDER_H

#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Dialect/QG/IR/Shapes.h"

namespace qopt::qg {

class ShapedBuilder {
public:
  using Type = mlir::Type;
  using Value = mlir::Value;
  template <typename T> using ArrayRef = llvm::ArrayRef<T>;

  /// Writes at the insertion point of `builder`.
  ShapedBuilder(const mlir::OpBuilder &builder, mlir::Location location)
      : builder(builder), loc(location) {}
  virtual ~ShapedBuilder() = default;

  mlir::MLIRContext *context() { return builder.getContext(); }
  void setLocation(mlir::Location location) { loc = location; }
  mlir::Location location() const { return loc; }

  // Facts about values. A null one (what failed and was reported) has none:
  // rank 0, no type; the ops below give null for it.
  static mlir::RankedTensorType type(Value value) {
    return value ? llvm::cast<mlir::RankedTensorType>(value.getType())
                 : mlir::RankedTensorType();
  }
  static ArrayRef<int64_t> shape(Value value) {
    return value ? type(value).getShape() : ArrayRef<int64_t>();
  }
  static int64_t rank(Value value) { return shape(value).size(); }
  static int64_t extent(Value value, int64_t axis) {
    return value ? shape(value)[axis] : 0;
  }
  static Type element(Value value) {
    return value ? type(value).getElementType() : Type();
  }
  static bool isFloat(Value value) {
    return llvm::isa_and_nonnull<mlir::FloatType>(element(value));
  }
  static bool isQuantized(Value value) {
    return llvm::isa_and_nonnull<QuantizedType>(element(value));
  }
  Type f32() { return builder.getF32Type(); }
  Type i64() { return builder.getI64Type(); }
  Type i1() { return builder.getI1Type(); }

  // Constants.
  Value constant(const Tensor &tensor);
  virtual Value constant(const Tensor &tensor, mlir::RankedTensorType type);
  /// A scalar of that element type.
  Value scalar(double value, Type elementType);
  Value ints(ArrayRef<int64_t> values);
  /// All elements equal.
  Value full(ArrayRef<int64_t> shape, double value, Type elementType);

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
  virtual Value reshape(Value x, ArrayRef<int64_t> shape);
  virtual Value transpose(Value x, ArrayRef<int64_t> permutation);
  virtual Value slice(Value x, ArrayRef<int64_t> offsets,
                      ArrayRef<int64_t> sizes, ArrayRef<int64_t> strides);
  Value broadcast(Value x, ArrayRef<int64_t> shape);
  /// `[begin, end)` of one dimension.
  Value sliceAxis(Value x, int64_t axis, int64_t begin, int64_t end);
  /// Every `stride`th position of one dimension, from `begin` on.
  Value stepAxis(Value x, int64_t axis, int64_t begin, int64_t stride);
  Value concat(ArrayRef<Value> values, int64_t axis);
  Value pad(PadMode mode, Value x, Value value, ArrayRef<int64_t> low,
            ArrayRef<int64_t> high);
  Value gather(Value x, Value indices, int64_t axis);
  /// A dimension of extent 1 put in / taken out.
  Value expandDim(Value x, int64_t axis);
  Value dropDim(Value x, int64_t axis);
  /// `axis` exchanged with the last dimension.
  Value swapWithLast(Value x, int64_t axis);

  // Products and reductions.
  /// NumPy matmul of operands of rank >= 2: batches are broadcast.
  Value matmul(Value lhs, Value rhs, Value bias = {});
  Value reduce(ReduceKind kind, Value x, ArrayRef<int64_t> axes, bool keepDims);
  Value reduceMean(Value x, ArrayRef<int64_t> axes, bool keepDims);
  Value softmax(Value x, int64_t axis);

  /// An op whose result has this shape and element type.
  template <typename OpT, typename... Args>
  Value emit(ArrayRef<int64_t> shape, Type elementType, Args &&...args) {
    mlir::RankedTensorType resultType = checkedType(shape, elementType);
    if (!resultType)
      return {};
    return finishOp(
        OpT::create(builder, loc, resultType, std::forward<Args>(args)...));
  }

  /// Reports on the current location and returns null.
  Value fail(const llvm::Twine &message);

protected:
  /// The result of an op that was just created; null if it is refused.
  virtual Value finishOp(mlir::Operation *op) { return op->getResult(0); }

  /// The type of a result; null, and reported, where it cannot be.
  virtual mlir::RankedTensorType checkedType(ArrayRef<int64_t> shape,
                                             Type element) {
    return mlir::RankedTensorType::get(shape, element);
  }
  /// Runs `body` on f32 copies of 16-bit floats and casts its result back.
  Value inF32(ArrayRef<Value> values,
              llvm::function_ref<Value(ArrayRef<Value>)> body);
  bool isNarrowFloat(Value value) const;
  /// Reports operands of two element types.
  virtual Value failTypes(Type lhs, Type rhs);
  static bool isIdentity(ArrayRef<int64_t> permutation);
  /// A slice that takes everything.
  static bool isWhole(Value x, ArrayRef<int64_t> offsets,
                      ArrayRef<int64_t> sizes, ArrayRef<int64_t> strides);

  mlir::OpBuilder builder;
  mlir::Location loc;
};

} // namespace qopt::qg

#endif // QOPT_DIALECT_QG_IR_SHAPEDBUILDER_H
