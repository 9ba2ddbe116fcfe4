//===- GraphBuilder.cpp - qg ops with shapes, checks and folding ----------===//
// SPDX-License-Identifier: Apache-2.0
//
// The one place of the importer that creates qg ops, so that nothing invalid
// is created and constants are folded by the ops' own reference semantics.
//===----------------------------------------------------------------------===//
#include "qopt/Frontend/ONNX/GraphBuilder.h"
#include "BlockedEncoding.h"
#include "qopt/Dialect/QG/IR/StoredConstants.h"
#include "qopt/Frontend/ONNX/Proto/ProtoReader.h"
#include "qopt/Support/Permutation.h"

#include "mlir/IR/Verifier.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

/// Folding stops at results of this many elements, so that a small file
/// cannot ask for a large computation at import.
static constexpr int64_t kMaxFoldedElements = int64_t(1) << 27;

GraphBuilder::GraphBuilder(MLIRContext *context, Block *block)
    : ShapedBuilder(OpBuilder::atBlockEnd(block), UnknownLoc::get(context)) {}

//===----------------------------------------------------------------------===//
// Creation and folding
//===----------------------------------------------------------------------===//

/// Integers of weights that become floats: qg-recognize-grids reads from the
/// arithmetic behind them how they are stored. Shapes have other types and
/// ranks.
static bool decodesWeight(Operation *op) {
  auto convert = dyn_cast<qg::CastOp>(op);
  if (!convert)
    return false;
  auto from = cast<RankedTensorType>(convert.getX().getType());
  auto element = dyn_cast<IntegerType>(from.getElementType());
  return element && element.getWidth() > 1 && element.getWidth() <= 32 &&
         from.getRank() >= 2 &&
         isa<FloatType>(
             cast<RankedTensorType>(convert.getType()).getElementType());
}

Value GraphBuilder::foldOp(Operation *op) {
  if (isa<qg::DequantizeOp>(op) || op->getNumOperands() == 0 ||
      decodesWeight(op))
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

RankedTensorType GraphBuilder::checkedType(ArrayRef<int64_t> shape,
                                           Type element) {
  auto count = countElements(shape);
  if (count.ok())
    return RankedTensorType::get(shape, element);
  emitError(loc) << std::string(count.status().message());
  return {};
}

Value GraphBuilder::finishOp(Operation *op) {
  if (failed(verify(op))) {
    hasRefusedTypes = true;
    op->erase();
    return {};
  }
  Value folded = foldOp(op);
  inheritPackedKind(op, folded ? folded : op->getResult(0));
  if (!folded)
    return inheritLength(op, op->getResult(0)) ? op->getResult(0) : Value();
  op->erase();
  return folded;
}

void GraphBuilder::inheritPackedKind(Operation *op, Value result) {
  if (!isa<qg::ReshapeOp, qg::TransposeOp, qg::SliceOp, qg::BroadcastOp,
           qg::ConcatOp, qg::GatherOp>(op))
    return;
  const ElementKind *kind = packedKindOf(op->getOperand(0));
  if (kind && element(result) == element(op->getOperand(0)))
    markPacked(result, ElementKind(*kind));
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

Value GraphBuilder::constant(const Tensor &tensor, RankedTensorType type) {
  return storedConstant(tensor, type);
}

Value GraphBuilder::constant(const StoredArray &array) {
  return storedConstant(
      array, RankedTensorType::get(array.shape(),
                                   qg::getElementType(builder.getContext(),
                                                      array.dtype())));
}

Value GraphBuilder::storedConstant(const StoredArray &array,
                                   RankedTensorType type) {
  // A splat stands in for the bytes until it is known that they are needed.
  RankedTensorType storage = qg::getStorageTensorType(type);
  ElementsAttr placeholder = DenseElementsAttr::get(
      storage, builder.getZeroAttr(storage.getElementType()));
  Value value =
      qg::ConstantOp::create(builder, loc, type, placeholder).getResult();
  constants[value] = array;
  return value;
}

std::optional<Tensor> GraphBuilder::constantOf(Value value) const {
  auto it = constants.find(value);
  if (it == constants.end() || countedDimOf(value))
    return std::nullopt;
  return it->second.load();
}

Value GraphBuilder::floats(ArrayRef<int64_t> shape, ArrayRef<double> values,
                           Type elementType) {
  if (!elementType)
    return {};
  std::optional<DType> dtype = qg::getDType(elementType);
  if (!dtype)
    return fail("expects a number type");
  Tensor tensor(*dtype, shape);
  for (auto [i, value] : llvm::enumerate(values))
    tensor.setFloat(i, value);
  return constant(tensor);
}

Value GraphBuilder::sequence(ArrayRef<Value> elements) {
  if (!llvm::all_of(elements, [](Value value) { return bool(value); }))
    return {};
  SmallVector<Type> types = llvm::to_vector(TypeRange(ValueRange(elements)));
  return UnrealizedConversionCastOp::create(
             builder, loc, TupleType::get(context(), types), elements)
      .getResult(0);
}

std::optional<SmallVector<Value>> GraphBuilder::elementsOf(Value value) const {
  auto list = value.getDefiningOp<UnrealizedConversionCastOp>();
  if (!list || !isa<TupleType>(value.getType()))
    return std::nullopt;
  return llvm::to_vector(list.getInputs());
}

Value GraphBuilder::nothing() {
  return UnrealizedConversionCastOp::create(
             builder, loc, NoneType::get(context()), ValueRange())
      .getResult(0);
}

bool GraphBuilder::isNothing(Value value) const {
  return isa<NoneType>(value.getType());
}

void GraphBuilder::finish() {
  for (auto &[value, array] : llvm::reverse(constants)) {
    auto op = value.getDefiningOp<qg::ConstantOp>();
    if (value.use_empty())
      op.erase();
    else
      op.setValueAttr(qg::getElementsAttr(array, type(value), "w"));
    // The attribute has it now.
    array = {};
  }
  constants.clear();
}

//===----------------------------------------------------------------------===//
// Data movement
//===----------------------------------------------------------------------===//

Value GraphBuilder::reshape(Value x, ArrayRef<int64_t> newShape) {
  if (!x || shape(x) == newShape)
    return x;
  if (auto q = qg::getQuantizedType(x.getType()); q && q.isPerAxis())
    return reshape(plain(x), newShape);
  return ShapedBuilder::reshape(x, newShape);
}

/// A dequantized constant with its elements in another order; null where blocks
/// have no type in that order.
static Value transposeStored(GraphBuilder &b, Value x,
                             ArrayRef<int64_t> permutation) {
  Value q = x.getDefiningOp<qg::DequantizeOp>().getX();
  qg::QuantizedType type = qg::getQuantizedType(q.getType());
  if (!type.getGroupSize() || b.rank(x) == 2)
    return b.dequantize(b.transpose(q, permutation));
  std::optional<Tensor> stored = b.constantOf(q);
  auto blocks = BlockedEncoding::of(type, b.shape(x));
  if (!stored || !blocks)
    return {};
  Tensor moved = transpose(*stored, permutation);
  type = blocks->transposed(permutation).getType(b.context(), moved.shape());
  if (!type)
    return {};
  return b.dequantize(
      b.constant(moved, RankedTensorType::get(moved.shape(), type)));
}

Value GraphBuilder::transpose(Value x, ArrayRef<int64_t> permutation) {
  if (!x || isIdentity(permutation))
    return x;
  if (auto op = x.getDefiningOp<qg::TransposeOp>();
      op && isDequantizedConstant(op.getX()))
    return transpose(op.getX(), compose(op.getPermutation(), permutation));
  // Files with 16-bit scales narrow what they dequantize.
  if (auto op = x.getDefiningOp<qg::CastOp>();
      op && isNarrowFloat(x) && op.getX().getDefiningOp<qg::DequantizeOp>())
    return convert(transpose(op.getX(), permutation), element(x));
  if (isDequantizedConstant(x))
    if (Value moved = transposeStored(*this, x, permutation))
      return moved;
  return ShapedBuilder::transpose(x, permutation);
}

Value GraphBuilder::slice(Value x, ArrayRef<int64_t> offsets,
                          ArrayRef<int64_t> sizes, ArrayRef<int64_t> strides) {
  if (!x || isWhole(x, offsets, sizes, strides))
    return x;
  if (auto q = qg::getQuantizedType(x.getType()); q && q.isPerAxis())
    return slice(plain(x), offsets, sizes, strides);
  return ShapedBuilder::slice(x, offsets, sizes, strides);
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
  // Products of stored integers are integers.
  Type type = isQuantized(x) ? builder.getI32Type() : element(x);
  return emit<qg::ConvOp>(*result, type, x, weight, bias, window.strides,
                          window.pads, window.dilations, groups,
                          /*clamp=*/DenseI64ArrayAttr());
}

Value GraphBuilder::convTranspose(Value x, Value weight, Value bias,
                                  const WindowSpec &window, int64_t groups) {
  if (!x || !weight)
    return {};
  if (isNarrowFloat(x))
    return inF32({x, weight, bias}, [&](ArrayRef<Value> v) {
      return convTranspose(v[0], v[1], v[2], window, groups);
    });
  auto result =
      qg::inferConvTransposeShape(shape(x), shape(weight),
                                  {window.kernel, window.strides, window.pads,
                                   window.dilations, window.outputPadding},
                                  groups, [&] { return emitError(loc); });
  if (failed(result))
    return {};
  return emit<qg::ConvTransposeOp>(*result, element(x), x, weight, bias,
                                   window.strides, window.pads,
                                   window.dilations, window.outputPadding,
                                   groups, /*clamp=*/DenseI64ArrayAttr());
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
