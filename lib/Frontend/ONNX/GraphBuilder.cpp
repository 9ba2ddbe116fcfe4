//===- GraphBuilder.cpp - qg ops with shapes, checks and folding ----------===//
// SPDX-License-Identifier: Apache-2.0
//
// The one place of the importer that creates qg ops, so that nothing invalid
// is created and constants are folded by the ops' own reference semantics.
//===----------------------------------------------------------------------===//
#include "qopt/Frontend/ONNX/GraphBuilder.h"
#include "qopt/Frontend/ONNX/Proto/ProtoReader.h"

#include "mlir/IR/Verifier.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

/// Folding stops at results of this many elements, so that a small file
/// cannot ask for a large computation at import.
static constexpr int64_t kMaxFoldedElements = int64_t(1) << 27;

GraphBuilder::GraphBuilder(MLIRContext *context, Block *block)
    : builder(OpBuilder::atBlockEnd(block)), loc(UnknownLoc::get(context)) {}

RankedTensorType GraphBuilder::type(Value value) {
  return cast<RankedTensorType>(value.getType());
}
bool GraphBuilder::isFloat(Value value) {
  return isa<FloatType>(element(value));
}
bool GraphBuilder::isQuantized(Value value) {
  return isa<qg::QuantizedType>(element(value));
}

Value GraphBuilder::fail(const Twine &message) {
  emitError(loc) << message;
  return {};
}

RankedTensorType GraphBuilder::checkedType(ArrayRef<int64_t> shape,
                                           Type element) {
  auto count = countElements(shape);
  if (count.ok())
    return RankedTensorType::get(shape, element);
  emitError(loc) << std::string(count.status().message());
  return {};
}

//===----------------------------------------------------------------------===//
// Creation and folding
//===----------------------------------------------------------------------===//

Value GraphBuilder::foldOp(Operation *op) {
  if (isa<qg::DequantizeOp>(op) || op->getNumOperands() == 0)
    return {};
  SmallVector<Tensor> operands, results;
  for (Value operand : op->getOperands()) {
    std::optional<Tensor> tensor = constantOf(operand);
    if (!tensor)
      return {};
    operands.push_back(*tensor);
  }
  RankedTensorType resultType = type(op->getResult(0));
  if (resultType.getNumElements() > kMaxFoldedElements)
    return {};
  // What cannot be computed now stays in the graph and fails there, if ever.
  ScopedDiagnosticHandler quiet(op->getContext(),
                                [](Diagnostic &) { return success(); });
  if (failed(cast<ReferenceOpInterface>(op).evaluate(operands, results)) ||
      results.size() != 1 ||
      ArrayRef<int64_t>(results[0].shape()) != resultType.getShape() ||
      results[0].dtype() != qg::getDType(resultType.getElementType()))
    return {};
  return constant(results[0], resultType);
}

Value GraphBuilder::finishOp(Operation *op) {
  if (failed(verify(op))) {
    hasRefusedTypes = true;
    op->erase();
    return {};
  }
  if (Value folded = foldOp(op)) {
    op->erase();
    return folded;
  }
  return op->getResult(0);
}

template <typename OpT, typename... Args>
Value GraphBuilder::emit(ArrayRef<int64_t> shape, Type elementType,
                         Args &&...args) {
  RankedTensorType resultType = checkedType(shape, elementType);
  if (!resultType)
    return {};
  return finishOp(
      OpT::create(builder, loc, resultType, std::forward<Args>(args)...));
}

/// Every operand is there.
static bool allOf(ArrayRef<Value> values) {
  return llvm::all_of(values, [](Value value) { return bool(value); });
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

Value GraphBuilder::constant(const Tensor &tensor, RankedTensorType type) {
  // A splat stands in for the bytes until it is known that they are needed.
  RankedTensorType storage = qg::getStorageTensorType(type);
  ElementsAttr placeholder = DenseElementsAttr::get(
      storage, builder.getZeroAttr(storage.getElementType()));
  Value value =
      qg::ConstantOp::create(builder, loc, type, placeholder).getResult();
  constants[value] = tensor;
  return value;
}

Value GraphBuilder::constant(const Tensor &tensor) {
  return constant(tensor, RankedTensorType::get(
                              tensor.shape(),
                              qg::getElementType(context(), tensor.dtype())));
}

std::optional<Tensor> GraphBuilder::constantOf(Value value) const {
  auto it = constants.find(value);
  if (it == constants.end())
    return std::nullopt;
  return it->second;
}

Value GraphBuilder::full(ArrayRef<int64_t> shape, double value,
                         Type elementType) {
  std::optional<DType> dtype = qg::getDType(elementType);
  if (!dtype)
    return fail("expects a number type");
  Tensor tensor(*dtype, shape);
  for (int64_t i = 0, e = tensor.numElements(); i < e; ++i)
    tensor.setFloat(i, value);
  return constant(tensor);
}

Value GraphBuilder::scalar(double value, Type elementType) {
  return full({}, value, elementType);
}

Value GraphBuilder::ints(ArrayRef<int64_t> values) {
  return constant(
      Tensor::from<int64_t>(DType::i64, {int64_t(values.size())}, values));
}

Value GraphBuilder::floats(ArrayRef<int64_t> shape, ArrayRef<double> values,
                           Type elementType) {
  std::optional<DType> dtype = qg::getDType(elementType);
  if (!dtype)
    return fail("expects a number type");
  Tensor tensor(*dtype, shape);
  for (auto [i, value] : llvm::enumerate(values))
    tensor.setFloat(i, value);
  return constant(tensor);
}

void GraphBuilder::finish() {
  for (auto &[value, tensor] : llvm::reverse(constants)) {
    auto op = value.getDefiningOp<qg::ConstantOp>();
    if (value.use_empty())
      op.erase();
    else
      op.setValueAttr(qg::getElementsAttr(tensor, type(value), "w"));
  }
  constants.clear();
}

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

bool GraphBuilder::isNarrowFloat(Value value) const {
  return value && (element(value).isF16() || element(value).isBF16());
}

Value GraphBuilder::inF32(ArrayRef<Value> values,
                          llvm::function_ref<Value(ArrayRef<Value>)> body) {
  Type narrow;
  SmallVector<Value> wide;
  for (Value value : values) {
    bool isNarrow = isNarrowFloat(value);
    if (isNarrow)
      narrow = element(value);
    wide.push_back(isNarrow ? convert(value, f32()) : value);
  }
  Value result = body(wide);
  if (!result || !element(result).isF32())
    return result;
  return convert(result, narrow);
}

Value GraphBuilder::unary(UnaryKind kind, Value x) {
  if (!x)
    return {};
  if (isNarrowFloat(x))
    return inF32({x}, [&](ArrayRef<Value> v) { return unary(kind, v[0]); });
  bool isPredicate = kind == UnaryKind::is_nan || kind == UnaryKind::is_inf;
  return emit<qg::UnaryOp>(shape(x), isPredicate ? i1() : element(x), kind, x);
}

Value GraphBuilder::binary(BinaryKind kind, Value lhs, Value rhs) {
  if (!lhs || !rhs)
    return {};
  if (isNarrowFloat(lhs) && element(lhs) == element(rhs))
    return inF32({lhs, rhs},
                 [&](ArrayRef<Value> v) { return binary(kind, v[0], v[1]); });
  auto shapes = qg::inferBroadcastShape({shape(lhs), shape(rhs)},
                                        [&] { return emitError(loc); });
  if (failed(shapes))
    return {};
  return emit<qg::BinaryOp>(*shapes, element(lhs), kind, lhs, rhs,
                            /*clamp=*/DenseI64ArrayAttr());
}

Value GraphBuilder::compare(ComparePredicate predicate, Value lhs, Value rhs) {
  if (!lhs || !rhs)
    return {};
  if (isNarrowFloat(lhs) && element(lhs) == element(rhs))
    return inF32({lhs, rhs}, [&](ArrayRef<Value> v) {
      return compare(predicate, v[0], v[1]);
    });
  auto shapes = qg::inferBroadcastShape({shape(lhs), shape(rhs)},
                                        [&] { return emitError(loc); });
  if (failed(shapes))
    return {};
  return emit<qg::CompareOp>(*shapes, i1(), predicate, lhs, rhs);
}

Value GraphBuilder::select(Value condition, Value onTrue, Value onFalse) {
  if (!allOf({condition, onTrue, onFalse}))
    return {};
  auto shapes =
      qg::inferBroadcastShape({shape(condition), shape(onTrue), shape(onFalse)},
                              [&] { return emitError(loc); });
  if (failed(shapes))
    return {};
  return emit<qg::SelectOp>(*shapes, element(onTrue), condition, onTrue,
                            onFalse);
}

Value GraphBuilder::convert(Value x, Type elementType) {
  if (!x || element(x) == elementType)
    return x;
  return emit<qg::CastOp>(shape(x), elementType, x);
}

Value GraphBuilder::add(Value a, double b) {
  return a ? add(a, scalar(b, element(a))) : a;
}
Value GraphBuilder::sub(Value a, double b) {
  return a ? sub(a, scalar(b, element(a))) : a;
}
Value GraphBuilder::mul(Value a, double b) {
  return a ? mul(a, scalar(b, element(a))) : a;
}
Value GraphBuilder::div(Value a, double b) {
  return a ? div(a, scalar(b, element(a))) : a;
}
Value GraphBuilder::max(Value a, double b) {
  return a ? max(a, scalar(b, element(a))) : a;
}
Value GraphBuilder::min(Value a, double b) {
  return a ? min(a, scalar(b, element(a))) : a;
}
Value GraphBuilder::clamp(Value x, double low, double high) {
  return min(max(x, low), high);
}
Value GraphBuilder::logicalNot(Value x) {
  if (!x)
    return {};
  return compare(ComparePredicate::eq, x, scalar(0, element(x)));
}

//===----------------------------------------------------------------------===//
// Data movement
//===----------------------------------------------------------------------===//

Value GraphBuilder::reshape(Value x, ArrayRef<int64_t> newShape) {
  if (!x || shape(x) == newShape)
    return x;
  if (auto q = qg::getQuantizedType(x.getType()); q && q.isPerAxis())
    return reshape(plain(x), newShape);
  return emit<qg::ReshapeOp>(newShape, element(x), x);
}

Value GraphBuilder::transpose(Value x, ArrayRef<int64_t> permutation) {
  if (!x)
    return {};
  if (llvm::all_of(llvm::enumerate(permutation), [](auto pair) {
        return int64_t(pair.index()) == pair.value();
      }))
    return x;
  auto result = qg::inferTransposeShape(shape(x), permutation,
                                        [&] { return emitError(loc); });
  if (failed(result))
    return {};
  if (isDequantizedConstant(x))
    return dequantize(
        transpose(x.getDefiningOp<qg::DequantizeOp>().getX(), permutation));
  Type elementType = element(x);
  if (auto q = dyn_cast<qg::QuantizedType>(elementType); q && q.isPerAxis())
    elementType =
        q.withAxis(llvm::find(permutation, q.getAxis()) - permutation.begin());
  return emit<qg::TransposeOp>(*result, elementType, x, permutation);
}

Value GraphBuilder::broadcast(Value x, ArrayRef<int64_t> newShape) {
  if (!x || shape(x) == newShape)
    return x;
  return emit<qg::BroadcastOp>(newShape, element(x), x);
}

Value GraphBuilder::slice(Value x, ArrayRef<int64_t> offsets,
                          ArrayRef<int64_t> sizes, ArrayRef<int64_t> strides) {
  if (!x)
    return {};
  bool isIdentity = sizes == shape(x);
  for (size_t i = 0; i < offsets.size() && isIdentity; ++i)
    isIdentity = offsets[i] == 0 && strides[i] == 1;
  if (isIdentity)
    return x;
  if (auto q = qg::getQuantizedType(x.getType()); q && q.isPerAxis())
    return slice(plain(x), offsets, sizes, strides);
  return emit<qg::SliceOp>(sizes, element(x), x, offsets, strides);
}

Value GraphBuilder::sliceAxis(Value x, int64_t axis, int64_t begin,
                              int64_t end) {
  if (!x)
    return {};
  Shape offsets(rank(x), 0), strides(rank(x), 1), sizes(shape(x));
  offsets[axis] = begin;
  sizes[axis] = end - begin;
  return slice(x, offsets, sizes, strides);
}

Value GraphBuilder::concat(ArrayRef<Value> values, int64_t axis) {
  if (!allOf(values) || values.empty())
    return {};
  if (values.size() == 1)
    return values[0];
  SmallVector<ArrayRef<int64_t>> shapes;
  for (Value value : values)
    shapes.push_back(shape(value));
  auto result =
      qg::inferConcatShape(shapes, axis, [&] { return emitError(loc); });
  if (failed(result))
    return {};
  return emit<qg::ConcatOp>(*result, element(values[0]), values, axis);
}

Value GraphBuilder::pad(PadMode mode, Value x, Value value,
                        ArrayRef<int64_t> low, ArrayRef<int64_t> high) {
  if (!x)
    return {};
  auto isZero = [](int64_t n) { return n == 0; };
  if (llvm::all_of(low, isZero) && llvm::all_of(high, isZero))
    return x;
  auto result =
      qg::inferPadShape(shape(x), low, high, [&] { return emitError(loc); });
  if (failed(result))
    return {};
  return emit<qg::PadOp>(*result, element(x), mode, x, value, low, high);
}

Value GraphBuilder::gather(Value x, Value indices, int64_t axis) {
  if (!x || !indices)
    return {};
  auto result = qg::inferGatherShape(shape(x), shape(indices), axis,
                                     [&] { return emitError(loc); });
  if (failed(result))
    return {};
  return emit<qg::GatherOp>(*result, element(x), x, indices, axis);
}

Value GraphBuilder::expandDim(Value x, int64_t axis) {
  if (!x)
    return {};
  Shape result(shape(x));
  result.insert(result.begin() + axis, 1);
  return reshape(x, result);
}

Value GraphBuilder::dropDim(Value x, int64_t axis) {
  if (!x)
    return {};
  Shape result(shape(x));
  result.erase(result.begin() + axis);
  return reshape(x, result);
}

Value GraphBuilder::toChannelsLast(Value x) {
  if (!x)
    return {};
  Shape permutation{0};
  for (int64_t i = 2; i < rank(x); ++i)
    permutation.push_back(i);
  if (rank(x) > 1)
    permutation.push_back(1);
  return transpose(x, permutation);
}

Value GraphBuilder::toChannelsFirst(Value x) {
  if (!x)
    return {};
  Shape permutation{0};
  if (rank(x) > 1)
    permutation.push_back(rank(x) - 1);
  for (int64_t i = 1; i + 1 < rank(x); ++i)
    permutation.push_back(i);
  return transpose(x, permutation);
}

Value GraphBuilder::swapWithLast(Value x, int64_t axis) {
  if (!x)
    return {};
  Shape permutation(llvm::to_vector(llvm::seq<int64_t>(0, rank(x))));
  std::swap(permutation[axis], permutation.back());
  return transpose(x, permutation);
}

//===----------------------------------------------------------------------===//
// Linear ops and reductions
//===----------------------------------------------------------------------===//

Value GraphBuilder::conv(Value x, Value weight, Value bias,
                         const WindowSpec &window, int64_t groups) {
  if (!x || !weight)
    return {};
  if (isNarrowFloat(x))
    return inF32({x, weight, bias}, [&](ArrayRef<Value> v) {
      return conv(v[0], v[1], v[2], window, groups);
    });
  auto result = qg::inferConvShape(
      shape(x), shape(weight),
      {window.kernel, window.strides, window.pads, window.dilations}, groups,
      [&] { return emitError(loc); });
  if (failed(result))
    return {};
  return emit<qg::ConvOp>(*result, element(x), x, weight, bias, window.strides,
                          window.pads, window.dilations, groups,
                          /*clamp=*/DenseI64ArrayAttr());
}

Value GraphBuilder::convTranspose(Value x, Value weight, Value bias,
                                  const WindowSpec &window,
                                  ArrayRef<int64_t> outputPadding,
                                  int64_t groups) {
  if (!x || !weight)
    return {};
  if (isNarrowFloat(x))
    return inF32({x, weight, bias}, [&](ArrayRef<Value> v) {
      return convTranspose(v[0], v[1], v[2], window, outputPadding, groups);
    });
  auto result = qg::inferConvTransposeShape(
      shape(x), shape(weight),
      {window.kernel, window.strides, window.pads, window.dilations},
      outputPadding, groups, [&] { return emitError(loc); });
  if (failed(result))
    return {};
  return emit<qg::ConvTransposeOp>(
      *result, element(x), x, weight, bias, window.strides, window.pads,
      window.dilations, outputPadding, groups, /*clamp=*/DenseI64ArrayAttr());
}

Value GraphBuilder::matmul(Value lhs, Value rhs, Value bias) {
  if (!lhs || !rhs)
    return {};
  if (isNarrowFloat(lhs))
    return inF32({lhs, rhs, bias},
                 [&](ArrayRef<Value> v) { return matmul(v[0], v[1], v[2]); });
  if (rank(lhs) < 2 || rank(rhs) < 2)
    return fail("expects operands of rank >= 2");
  // Batches: rhs of rank 2 is shared; anything else is broadcast to equality.
  if (rank(rhs) > 2) {
    auto batch = qg::inferBroadcastShape(
        {shape(lhs).drop_back(2), shape(rhs).drop_back(2)},
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
  auto result = qg::inferMatmulShape(shape(lhs), shape(rhs),
                                     /*transposeRhs=*/false,
                                     [&] { return emitError(loc); });
  if (failed(result))
    return {};
  return emit<qg::MatmulOp>(*result, element(lhs), lhs, rhs, bias,
                            /*transpose_rhs=*/UnitAttr(),
                            /*clamp=*/DenseI64ArrayAttr());
}

Value GraphBuilder::pool(PoolKind kind, Value x, const WindowSpec &window,
                         bool countIncludePad) {
  if (!x)
    return {};
  if (isNarrowFloat(x))
    return inF32({x}, [&](ArrayRef<Value> v) {
      return pool(kind, v[0], window, countIncludePad);
    });
  auto result = qg::inferWindowShape(
      shape(x), {window.kernel, window.strides, window.pads, window.dilations},
      [&] { return emitError(loc); });
  if (failed(result))
    return {};
  return emit<qg::PoolOp>(*result, element(x), kind, x, window.kernel,
                          window.strides, window.pads, window.dilations,
                          countIncludePad);
}

Value GraphBuilder::reduce(ReduceKind kind, Value x, ArrayRef<int64_t> axes,
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
      qg::inferReduceShape(shape(x), sorted, [&] { return emitError(loc); });
  if (failed(result))
    return {};
  Value reduced = emit<qg::ReduceOp>(*result, element(x), kind, x, sorted);
  if (!keepDims)
    return reduced;
  Shape kept(shape(x));
  for (int64_t axis : sorted)
    kept[axis] = 1;
  return reshape(reduced, kept);
}

Value GraphBuilder::reduceMean(Value x, ArrayRef<int64_t> axes, bool keepDims) {
  if (!x)
    return {};
  int64_t count = 1;
  for (int64_t axis : axes)
    count *= extent(x, axis);
  return div(reduce(ReduceKind::sum, x, axes, keepDims), double(count));
}

Value GraphBuilder::argReduce(ReduceKind kind, Value x, int64_t axis,
                              bool selectLast) {
  if (!x)
    return {};
  if (isNarrowFloat(x))
    x = convert(x, f32());
  auto result =
      qg::inferReduceShape(shape(x), {axis}, [&] { return emitError(loc); });
  if (failed(result))
    return {};
  return emit<qg::ArgReduceOp>(*result, i64(), kind, x, axis, selectLast);
}

Value GraphBuilder::softmax(Value x, int64_t axis) {
  if (!x)
    return {};
  if (isNarrowFloat(x))
    return inF32({x}, [&](ArrayRef<Value> v) { return softmax(v[0], axis); });
  Value last = swapWithLast(x, axis);
  if (!last)
    return {};
  return swapWithLast(emit<qg::SoftmaxOp>(shape(last), element(last), last),
                      axis);
}
