//===- ShapedBuilder.cpp - qg ops with shapes inferred --------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// 16-bit floats are computed in f32 op by op: each result is rounded once.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/QG/IR/ShapedBuilder.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qg;

/// Every operand is there.
static bool allOf(ArrayRef<Value> values) {
  return llvm::all_of(values, [](Value value) { return bool(value); });
}

Value ShapedBuilder::fail(const Twine &message) {
  emitError(loc) << message;
  return {};
}

Value ShapedBuilder::failTypes(Type lhs, Type rhs) {
  emitError(loc) << "expects operands of one element type, got " << lhs
                 << " and " << rhs;
  return {};
}

bool ShapedBuilder::isNarrowFloat(Value value) const {
  return value && (element(value).isF16() || element(value).isBF16());
}

Value ShapedBuilder::inF32(ArrayRef<Value> values,
                           llvm::function_ref<Value(ArrayRef<Value>)> body) {
  Type narrow;
  SmallVector<Value> wide;
  for (Value value : values) {
    bool isNarrow = isNarrowFloat(value);
    if (isNarrow)
      narrow = element(value);
    // Widening would hide that the operands do not match.
    if (value && element(value) != element(values[0]))
      return failTypes(element(values[0]), element(value));
    wide.push_back(isNarrow ? convert(value, f32()) : value);
  }
  Value result = body(wide);
  if (!result || !element(result).isF32())
    return result;
  return convert(result, narrow);
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

Value ShapedBuilder::constant(const Tensor &tensor, RankedTensorType type) {
  return createConstant(builder, loc, tensor, type, "w").getResult();
}

Value ShapedBuilder::constant(const Tensor &tensor) {
  return constant(
      tensor, RankedTensorType::get(tensor.shape(),
                                    getElementType(context(), tensor.dtype())));
}

Value ShapedBuilder::full(ArrayRef<int64_t> shape, double value,
                          Type elementType) {
  if (!elementType)
    return {};
  std::optional<DType> dtype = getDType(elementType);
  if (!dtype)
    return fail("expects a number type");
  Tensor tensor(*dtype, shape);
  for (int64_t i = 0, e = tensor.numElements(); i < e; ++i)
    tensor.setFloat(i, value);
  return constant(tensor);
}

Value ShapedBuilder::scalar(double value, Type elementType) {
  return full({}, value, elementType);
}

Value ShapedBuilder::ints(ArrayRef<int64_t> values) {
  return constant(
      Tensor::from<int64_t>(DType::i64, {int64_t(values.size())}, values));
}

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

Value ShapedBuilder::unary(UnaryKind kind, Value x) {
  if (!x)
    return {};
  if (isNarrowFloat(x))
    return inF32({x}, [&](ArrayRef<Value> v) { return unary(kind, v[0]); });
  bool isPredicate = kind == UnaryKind::is_nan || kind == UnaryKind::is_inf;
  return emit<UnaryOp>(shape(x), isPredicate ? i1() : element(x), kind, x);
}

Value ShapedBuilder::binary(BinaryKind kind, Value lhs, Value rhs) {
  if (!lhs || !rhs)
    return {};
  if (isNarrowFloat(lhs) && element(lhs) == element(rhs))
    return inF32({lhs, rhs},
                 [&](ArrayRef<Value> v) { return binary(kind, v[0], v[1]); });
  auto shapes = inferBroadcastShape({shape(lhs), shape(rhs)},
                                    [&] { return emitError(loc); });
  if (failed(shapes))
    return {};
  return emit<BinaryOp>(*shapes, element(lhs), kind, lhs, rhs,
                        /*clamp=*/DenseI64ArrayAttr());
}

Value ShapedBuilder::compare(ComparePredicate predicate, Value lhs, Value rhs) {
  if (!lhs || !rhs)
    return {};
  if (isNarrowFloat(lhs) && element(lhs) == element(rhs))
    return inF32({lhs, rhs}, [&](ArrayRef<Value> v) {
      return compare(predicate, v[0], v[1]);
    });
  auto shapes = inferBroadcastShape({shape(lhs), shape(rhs)},
                                    [&] { return emitError(loc); });
  if (failed(shapes))
    return {};
  return emit<CompareOp>(*shapes, i1(), predicate, lhs, rhs);
}

Value ShapedBuilder::select(Value condition, Value onTrue, Value onFalse) {
  if (!allOf({condition, onTrue, onFalse}))
    return {};
  auto shapes =
      inferBroadcastShape({shape(condition), shape(onTrue), shape(onFalse)},
                          [&] { return emitError(loc); });
  if (failed(shapes))
    return {};
  return emit<SelectOp>(*shapes, element(onTrue), condition, onTrue, onFalse);
}

Value ShapedBuilder::convert(Value x, Type elementType) {
  if (!x || element(x) == elementType)
    return x;
  if (!elementType)
    return {};
  return emit<CastOp>(shape(x), elementType, x);
}

Value ShapedBuilder::add(Value a, double b) {
  return a ? add(a, scalar(b, element(a))) : a;
}

Value ShapedBuilder::sub(Value a, double b) {
  return a ? sub(a, scalar(b, element(a))) : a;
}

Value ShapedBuilder::mul(Value a, double b) {
  return a ? mul(a, scalar(b, element(a))) : a;
}

Value ShapedBuilder::div(Value a, double b) {
  return a ? div(a, scalar(b, element(a))) : a;
}

Value ShapedBuilder::max(Value a, double b) {
  return a ? max(a, scalar(b, element(a))) : a;
}

Value ShapedBuilder::min(Value a, double b) {
  return a ? min(a, scalar(b, element(a))) : a;
}

Value ShapedBuilder::clamp(Value x, double low, double high) {
  return min(max(x, low), high);
}

Value ShapedBuilder::logicalNot(Value x) {
  if (!x)
    return {};
  return compare(ComparePredicate::eq, x, scalar(0, element(x)));
}

//===----------------------------------------------------------------------===//
// Data movement
//===----------------------------------------------------------------------===//

bool ShapedBuilder::isIdentity(ArrayRef<int64_t> permutation) {
  return llvm::all_of(llvm::enumerate(permutation), [](auto pair) {
    return int64_t(pair.index()) == pair.value();
  });
}

bool ShapedBuilder::isWhole(Value x, ArrayRef<int64_t> offsets,
                            ArrayRef<int64_t> sizes,
                            ArrayRef<int64_t> strides) {
  auto isZero = [](int64_t n) { return n == 0; };
  auto isOne = [](int64_t n) { return n == 1; };
  return sizes == shape(x) && llvm::all_of(offsets, isZero) &&
         llvm::all_of(strides, isOne);
}

Value ShapedBuilder::reshape(Value x, ArrayRef<int64_t> newShape) {
  if (!x || shape(x) == newShape)
    return x;
  return emit<ReshapeOp>(newShape, element(x), x);
}

Value ShapedBuilder::transpose(Value x, ArrayRef<int64_t> permutation) {
  if (!x || isIdentity(permutation))
    return x;
  auto result = inferTransposeShape(shape(x), permutation,
                                    [&] { return emitError(loc); });
  if (failed(result))
    return {};
  Type elementType = element(x);
  if (auto q = dyn_cast<QuantizedType>(elementType); q && q.isPerAxis())
    elementType =
        q.withAxis(llvm::find(permutation, q.getAxis()) - permutation.begin());
  return emit<TransposeOp>(*result, elementType, x, permutation);
}

Value ShapedBuilder::slice(Value x, ArrayRef<int64_t> offsets,
                           ArrayRef<int64_t> sizes, ArrayRef<int64_t> strides) {
  if (!x || isWhole(x, offsets, sizes, strides))
    return x;
  return emit<SliceOp>(sizes, element(x), x, offsets, strides);
}

Value ShapedBuilder::broadcast(Value x, ArrayRef<int64_t> newShape) {
  if (!x || shape(x) == newShape)
    return x;
  return emit<BroadcastOp>(newShape, element(x), x);
}

Value ShapedBuilder::sliceAxis(Value x, int64_t axis, int64_t begin,
                               int64_t end) {
  if (!x)
    return {};
  Shape offsets(rank(x), 0), strides(rank(x), 1), sizes(shape(x));
  offsets[axis] = begin;
  sizes[axis] = end - begin;
  return slice(x, offsets, sizes, strides);
}

Value ShapedBuilder::concat(ArrayRef<Value> values, int64_t axis) {
  if (!allOf(values) || values.empty())
    return {};
  if (values.size() == 1)
    return values[0];
  SmallVector<ArrayRef<int64_t>> shapes;
  for (Value value : values)
    shapes.push_back(shape(value));
  auto result = inferConcatShape(shapes, axis, [&] { return emitError(loc); });
  if (failed(result))
    return {};
  return emit<ConcatOp>(*result, element(values[0]), values, axis);
}

Value ShapedBuilder::pad(PadMode mode, Value x, Value value,
                         ArrayRef<int64_t> low, ArrayRef<int64_t> high) {
  if (!x)
    return {};
  auto isZero = [](int64_t n) { return n == 0; };
  if (llvm::all_of(low, isZero) && llvm::all_of(high, isZero))
    return x;
  auto result =
      inferPadShape(shape(x), low, high, [&] { return emitError(loc); });
  if (failed(result))
    return {};
  return emit<PadOp>(*result, element(x), mode, x, value, low, high);
}

Value ShapedBuilder::gather(Value x, Value indices, int64_t axis) {
  if (!x || !indices)
    return {};
  auto result = inferGatherShape(shape(x), shape(indices), axis,
                                 [&] { return emitError(loc); });
  if (failed(result))
    return {};
  return emit<GatherOp>(*result, element(x), x, indices, axis);
}

Value ShapedBuilder::expandDim(Value x, int64_t axis) {
  if (!x)
    return {};
  Shape result(shape(x));
  result.insert(result.begin() + axis, 1);
  return reshape(x, result);
}

Value ShapedBuilder::dropDim(Value x, int64_t axis) {
  if (!x)
    return {};
  Shape result(shape(x));
  result.erase(result.begin() + axis);
  return reshape(x, result);
}

Value ShapedBuilder::swapWithLast(Value x, int64_t axis) {
  if (!x)
    return {};
  Shape permutation(llvm::to_vector(llvm::seq<int64_t>(0, rank(x))));
  std::swap(permutation[axis], permutation.back());
  return transpose(x, permutation);
}

Value ShapedBuilder::stepAxis(Value x, int64_t axis, int64_t begin,
                              int64_t stride) {
  if (!x)
    return {};
  Shape offsets(rank(x), 0), strides(rank(x), 1), sizes(shape(x));
  offsets[axis] = begin;
  strides[axis] = stride;
  sizes[axis] = (sizes[axis] - begin + stride - 1) / stride;
  return slice(x, offsets, sizes, strides);
}

//===----------------------------------------------------------------------===//
// Products and reductions
//===----------------------------------------------------------------------===//

Value ShapedBuilder::matmul(Value lhs, Value rhs, Value bias) {
  if (!lhs || !rhs)
    return {};
  if (isNarrowFloat(lhs))
    return inF32({lhs, rhs, bias},
                 [&](ArrayRef<Value> v) { return matmul(v[0], v[1], v[2]); });
  if (rank(lhs) < 2 || rank(rhs) < 2)
    return fail("expects operands of rank >= 2");
  // Batches: rhs of rank 2 is shared; anything else is broadcast to equality.
  if (rank(rhs) > 2) {
    auto batch =
        inferBroadcastShape({shape(lhs).drop_back(2), shape(rhs).drop_back(2)},
                            [&] { return emitError(loc); });
    if (failed(batch))
      return {};
    auto extend = [&](Value v) {
      Shape full(*batch);
      full.append(shape(v).end() - 2, shape(v).end());
      return broadcast(v, full);
    };
    lhs = extend(lhs);
    rhs = extend(rhs);
    if (!lhs || !rhs)
      return {};
  }
  auto result =
      inferMatmulShape(shape(lhs), shape(rhs),
                       /*transposeRhs=*/false, [&] { return emitError(loc); });
  if (failed(result))
    return {};
  // Products of stored integers are integers.
  Type type = isQuantized(lhs) ? builder.getI32Type() : element(lhs);
  return emit<MatmulOp>(*result, type, lhs, rhs, bias,
                        /*transpose_rhs=*/UnitAttr(),
                        /*clamp=*/DenseI64ArrayAttr());
}

Value ShapedBuilder::reduce(ReduceKind kind, Value x, ArrayRef<int64_t> axes,
                            bool keepDims) {
  if (!x || axes.empty())
    return x;
  if (isNarrowFloat(x))
    return inF32({x}, [&](ArrayRef<Value> v) {
      return reduce(kind, v[0], axes, keepDims);
    });
  Shape sorted(axes);
  llvm::sort(sorted);
  auto result =
      inferReduceShape(shape(x), sorted, [&] { return emitError(loc); });
  if (failed(result))
    return {};
  Value reduced = emit<ReduceOp>(*result, element(x), kind, x, sorted);
  if (!keepDims)
    return reduced;
  Shape kept(shape(x));
  for (int64_t axis : sorted)
    kept[axis] = 1;
  return reshape(reduced, kept);
}

Value ShapedBuilder::reduceMean(Value x, ArrayRef<int64_t> axes,
                                bool keepDims) {
  if (!x)
    return {};
  int64_t count = 1;
  for (int64_t axis : axes)
    count *= extent(x, axis);
  return div(reduce(ReduceKind::sum, x, axes, keepDims), double(count));
}

Value ShapedBuilder::softmax(Value x, int64_t axis) {
  if (!x)
    return {};
  if (isNarrowFloat(x))
    return inF32({x}, [&](ArrayRef<Value> v) { return softmax(v[0], axis); });
  Value last = swapWithLast(x, axis);
  if (!last)
    return {};
  return swapWithLast(emit<SoftmaxOp>(shape(last), element(last), last), axis);
}
