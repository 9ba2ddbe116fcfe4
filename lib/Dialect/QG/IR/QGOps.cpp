//===- QGOps.cpp - Verifiers, folders and canonical forms of qg ops -------===//
// SPDX-License-Identifier: Apache-2.0
//
// A verifier recomputes the shape (Shapes.h) and checks the encodings.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Dialect/QG/IR/Shapes.h"
#include "qopt/Numerics/Elementwise.h"

#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qg;

#define GET_OP_CLASSES
#include "qopt/Dialect/QG/IR/QGOps.cpp.inc"

static Type getElement(Value value) {
  return cast<RankedTensorType>(value.getType()).getElementType();
}

static auto errorOn(Operation *op) {
  return [op] { return op->emitOpError(); };
}

/// The declared result shape is the inferred one.
static LogicalResult checkResult(Operation *op, FailureOr<Shape> inferred) {
  if (failed(inferred))
    return failure();
  ArrayRef<int64_t> declared = getShape(op->getResult(0));
  if (declared == ArrayRef<int64_t>(*inferred))
    return success();
  return op->emitOpError() << "expects a result of shape "
                           << formatShape(*inferred) << ", got "
                           << formatShape(declared);
}

/// `clamp` is a pair inside the range of a quantized result.
static LogicalResult checkClamp(Operation *op,
                                std::optional<ArrayRef<int64_t>> clamp) {
  if (!clamp)
    return success();
  QuantizedType type = getQuantizedType(op->getResult(0).getType());
  if (!type)
    return op->emitOpError("expects a quantized result where 'clamp' is set");
  const IntegerFormat &format = type.getIntegerFormat();
  if (clamp->size() != 2 || (*clamp)[0] > (*clamp)[1] ||
      (*clamp)[0] < format.min() || (*clamp)[1] > format.max())
    return op->emitOpError() << "expects 'clamp' = [low, high] inside ["
                             << format.min() << ", " << format.max() << "]";
  return success();
}

/// Floats among the operands have one type, that of a float result; encodings
/// are of no matter here. Absent operands are null.
static LogicalResult checkOneFloatType(Operation *op, ArrayRef<Value> values) {
  Type first = getElement(op->getResult(0));
  if (!isa<FloatType>(first))
    first = Type();
  for (Value value : values) {
    Type type = value ? getElement(value) : Type();
    if (!isa_and_nonnull<FloatType>(type))
      continue;
    if (first && type != first)
      return op->emitOpError() << "expects operands of one element type, got "
                               << first << " and " << type;
    first = type;
  }
  return success();
}

/// An op that computes in the expressed type: floats and encodings of floats.
/// Absent operands are null.
static LogicalResult checkExpressed(Operation *op, ArrayRef<Value> values) {
  for (Value value : values) {
    if (!value)
      continue;
    Type type = getElement(value);
    if (!isa<FloatType>(type) && !isa<QuantizedType>(type))
      return op->emitOpError()
             << "expects float or quantized tensors, got " << type;
  }
  return success();
}

/// Floats and encodings; the sums of encodings may stay integers.
static LogicalResult checkSums(Operation *op, ArrayRef<Value> operands) {
  bool isEncoded = llvm::all_of(operands.take_front(2), [](Value value) {
    return isa<QuantizedType>(getElement(value));
  });
  if (isEncoded && getElement(op->getResult(0)).isInteger(32))
    return checkExpressed(op, operands);
  return success(succeeded(checkExpressed(op, operands)) &&
                 succeeded(checkExpressed(op, {op->getResult(0)})) &&
                 succeeded(checkOneFloatType(op, operands)));
}

/// `kind` has a value on the elements of x (Elementwise.h). An encoding is
/// computed in its expressed type, so that its result is expressed as well.
template <typename Kind>
static LogicalResult checkDefined(Operation *op, Kind kind, Value x,
                                  bool givesTruth = false) {
  Type element = getElement(x);
  bool isEncoding = isa<QuantizedType>(element);
  if (!isEncoding && !element.isIntOrFloat())
    return op->emitOpError()
           << "expects float, integer or quantized tensors, got " << element;
  numerics::ElementClass elements =
      isEncoding || isa<FloatType>(element) ? numerics::ElementClass::Float
      : element.isInteger(1)                ? numerics::ElementClass::Truth
                                            : numerics::ElementClass::Integer;
  if (!numerics::isDefinedOn(kind, elements))
    return op->emitOpError() << "expects elements that '" << stringifyEnum(kind)
                             << "' is defined on, got " << element;
  return isEncoding && !givesTruth ? checkExpressed(op, {op->getResult(0)})
                                   : success();
}

static LogicalResult checkBias(Operation *op, Value bias, int64_t channels) {
  if (!bias || getShape(bias) == ArrayRef<int64_t>{channels})
    return success();
  return op->emitOpError() << "expects a bias of shape " << channels << ", got "
                           << formatShape(getShape(bias));
}

static LogicalResult checkSameElement(Operation *op, Value operand) {
  Type from = getElement(operand), to = getElement(op->getResult(0));
  if (from == to)
    return success();
  return op->emitOpError() << "expects equal element types, got " << from
                           << " and " << to;
}

LogicalResult ConvOp::verify() {
  ArrayRef<int64_t> weight = getShape(getWeight());
  if (weight.size() < 3) // C1
    return emitOpError("expects a weight of rank >= 3");
  Window window{weight.drop_front().drop_back(), getStrides(), getPads(),
                getDilations()};
  return success(
      succeeded(checkSums(*this, {getX(), getWeight(), getBias()})) && // C5
      succeeded(checkResult(
          *this, inferConvShape(getShape(getX()), weight, window, getGroups(),
                                errorOn(*this)))) &&            // C1, C2, C3
      succeeded(checkBias(*this, getBias(), weight.front())) && // C1
      succeeded(checkClamp(*this, getClamp())));                // C4
}

LogicalResult ConvTransposeOp::verify() {
  ArrayRef<int64_t> weight = getShape(getWeight());
  if (weight.size() < 3) // C1
    return emitOpError("expects a weight of rank >= 3");
  Window window{weight.drop_front().drop_back(), getStrides(), getPads(),
                getDilations(), getOutputPadding()};
  return success(
      succeeded(checkExpressed(
          *this, {getX(), getWeight(), getBias(), getResult()})) && // C4
      succeeded(
          checkOneFloatType(*this, {getX(), getWeight(), getBias()})) && // C4
      succeeded(checkResult(
          *this,
          inferConvTransposeShape(getShape(getX()), weight, window, getGroups(),
                                  errorOn(*this)))) &&          // C1, C2
      succeeded(checkBias(*this, getBias(), weight.front())) && // C1
      succeeded(checkClamp(*this, getClamp())));                // C3
}

LogicalResult MatmulOp::verify() {
  FailureOr<Shape> shape =
      inferMatmulShape(getShape(getLhs()), getShape(getRhs()),
                       getTransposeRhs(), errorOn(*this)); // C1, C2
  return success(
      succeeded(checkSums(*this, {getLhs(), getRhs(), getBias()})) && // C5
      succeeded(checkResult(*this, shape)) &&                         // C1
      succeeded(checkBias(*this, getBias(), shape->back())) &&        // C3
      succeeded(checkClamp(*this, getClamp())));                      // C4
}

/// Comparing needs no arithmetic, but windows are compared in 32 bits.
static LogicalResult checkMaximum(PoolOp op) {
  Type element = getElement(op.getX());
  unsigned widest = element.isUnsignedInteger() ? 16 : 32;
  if (element.isInteger() && element.getIntOrFloatBitWidth() > widest)
    return op.emitOpError() << "expects integers that fit i32, got " << element;
  if (!element.isInteger() && failed(checkExpressed(op, {op.getX()})))
    return failure();
  return checkSameElement(op, op.getX());
}

LogicalResult PoolOp::verify() {
  Window window{getKernel(), getStrides(), getPads(), getDilations()};
  bool isMaximum = getKind() == PoolKind::max;
  if (failed(isMaximum ? checkMaximum(*this)
                       : checkExpressed(*this, {getX(), getResult()})))
    return failure();
  return checkResult(
      *this, inferWindowShape(getShape(getX()), window, errorOn(*this)));
}

LogicalResult ReduceOp::verify() {
  Type element = getElement(getX());
  if (failed(element.isInteger()
                 ? checkSameElement(*this, getX())
                 : checkExpressed(*this, {getX(), getResult()})))
    return failure();
  return checkResult(
      *this, inferReduceShape(getShape(getX()), getAxes(), errorOn(*this)));
}

LogicalResult ArgReduceOp::verify() {
  if (getKind() != ReduceKind::max && getKind() != ReduceKind::min)
    return emitOpError("expects kind max or min");
  if (!getElement(getResult()).isSignlessInteger(64))
    return emitOpError("expects an i64 result");
  return checkResult(
      *this,
      inferReduceShape(getShape(getX()), {int64_t(getAxis())}, errorOn(*this)));
}

LogicalResult SoftmaxOp::verify() {
  if (getShape(getX()).empty())
    return emitOpError("expects x of rank >= 1");
  return success(succeeded(checkExpressed(*this, {getX(), getResult()})) &&
                 succeeded(checkResult(*this, Shape(getShape(getX())))));
}

LogicalResult UnaryOp::verify() {
  bool isPredicate =
      getKind() == UnaryKind::is_nan || getKind() == UnaryKind::is_inf;
  if (isPredicate && !getElement(getResult()).isInteger(1))
    return emitOpError("expects an i1 result");
  if (failed(checkDefined(*this, getKind(), getX(), isPredicate)))
    return failure();
  if (!isPredicate && !getQuantizedType(getX().getType()) &&
      failed(checkSameElement(*this, getX())))
    return failure();
  return checkResult(*this, Shape(getShape(getX())));
}

LogicalResult BinaryOp::verify() {
  Type lhs = getElement(getLhs()), rhs = getElement(getRhs());
  if (lhs != rhs && (!isa<QuantizedType>(lhs) || !isa<QuantizedType>(rhs)))
    return emitOpError() << "expects operands of one element type, got " << lhs
                         << " and " << rhs;
  if (failed(checkDefined(*this, getKind(), getLhs())))
    return failure();
  if (!isa<QuantizedType>(lhs) && failed(checkSameElement(*this, getLhs())))
    return failure();
  return success(
      succeeded(checkResult(
          *this, inferBroadcastShape({getShape(getLhs()), getShape(getRhs())},
                                     errorOn(*this)))) &&
      succeeded(checkClamp(*this, getClamp())));
}

LogicalResult CompareOp::verify() {
  if (getElement(getLhs()) != getElement(getRhs()))
    return emitOpError("expects operands of one element type");
  if (!getElement(getResult()).isInteger(1))
    return emitOpError("expects an i1 result");
  return checkResult(
      *this, inferBroadcastShape({getShape(getLhs()), getShape(getRhs())},
                                 errorOn(*this)));
}

LogicalResult SelectOp::verify() {
  if (!getElement(getCondition()).isInteger(1))
    return emitOpError("expects an i1 condition");
  if (failed(checkSameElement(*this, getOnTrue())) ||
      failed(checkSameElement(*this, getOnFalse())))
    return failure();
  return checkResult(*this, inferBroadcastShape({getShape(getCondition()),
                                                 getShape(getOnTrue()),
                                                 getShape(getOnFalse())},
                                                errorOn(*this)));
}

LogicalResult CastOp::verify() {
  if (isa<QuantizedType>(getElement(getX())) ||
      isa<QuantizedType>(getElement(getResult())))
    return emitOpError(
        "expects plain element types; use qg.quantize or qg.dequantize");
  return checkResult(*this, Shape(getShape(getX())));
}

LogicalResult ConstantOp::verify() {
  auto type = cast<ShapedType>(getValue().getType());
  RankedTensorType storage = getStorageTensorType(getResultType());
  if (type != storage && type != getResultType())
    return emitOpError() << "expects a value of type " << storage << ", got "
                         << type;
  return success();
}

LogicalResult ReshapeOp::verify() {
  if (failed(checkSameElement(*this, getX())))
    return failure();
  if (getNumElements(getShape(getX())) != getNumElements(getShape(getResult())))
    return emitOpError() << "expects as many elements, got "
                         << formatShape(getShape(getX())) << " and "
                         << formatShape(getShape(getResult()));
  return success();
}

LogicalResult TransposeOp::verify() {
  FailureOr<Shape> shape =
      inferTransposeShape(getShape(getX()), getPermutation(), errorOn(*this));
  if (failed(checkResult(*this, shape)))
    return failure();
  QuantizedType from = getQuantizedType(getX().getType());
  if (!from || !from.isPerAxis())
    return checkSameElement(*this, getX());
  if (from.getGroupSize() && shape->size() > 2)
    return emitOpError() << "expects groups in matrices only, as they follow "
                            "the order of dimensions, got "
                         << getX().getType();
  int64_t axis =
      llvm::find(getPermutation(), from.getAxis()) - getPermutation().begin();
  if (getElement(getResult()) != from.withAxis(axis))
    return emitOpError() << "expects the encoding to follow its axis to "
                         << axis;
  return success();
}

LogicalResult BroadcastOp::verify() {
  if (failed(checkSameElement(*this, getX())))
    return failure();
  return checkResult(
      *this, inferBroadcastShape({getShape(getX()), getShape(getResult())},
                                 errorOn(*this)));
}

LogicalResult SliceOp::verify() {
  ArrayRef<int64_t> x = getShape(getX()), result = getShape(getResult());
  if (failed(checkSameElement(*this, getX())))
    return failure();
  if (result.size() != x.size() || getOffsets().size() != x.size() ||
      getStrides().size() != x.size())
    return emitOpError() << "expects " << x.size()
                         << " offsets, strides and result dimensions";
  for (size_t i = 0; i < x.size(); ++i) {
    if (result[i] == 0)
      continue;
    int64_t first = getOffsets()[i];
    int64_t last = first + (result[i] - 1) * getStrides()[i];
    if (getStrides()[i] == 0 || first < 0 || first >= x[i] || last < 0 ||
        last >= x[i])
      return emitOpError() << "expects elements inside dimension " << i
                           << " of extent " << x[i] << ", got " << first
                           << " to " << last;
  }
  return success();
}

LogicalResult ConcatOp::verify() {
  SmallVector<ArrayRef<int64_t>> shapes;
  Type result = getElement(getResult());
  for (Value input : getInputs()) {
    shapes.push_back(getShape(input));
    Type element = getElement(input);
    if (element != result &&
        !(isa<QuantizedType>(element) && isa<QuantizedType>(result)))
      return emitOpError() << "expects operands of element type " << result
                           << ", got " << element;
  }
  return checkResult(*this,
                     inferConcatShape(shapes, getAxis(), errorOn(*this)));
}

LogicalResult PadOp::verify() {
  if (failed(checkSameElement(*this, getX())))
    return failure();
  if (getValue() && (getElement(getValue()) != getElement(getX()) ||
                     getNumElements(getShape(getValue())) != 1))
    return emitOpError("expects a scalar value of x's element type");
  return checkResult(*this, inferPadShape(getShape(getX()), getLow(), getHigh(),
                                          errorOn(*this)));
}

LogicalResult GatherOp::verify() {
  if (failed(checkSameElement(*this, getX())))
    return failure();
  if (!isa<IntegerType>(getElement(getIndices())))
    return emitOpError("expects integer indices");
  return checkResult(*this,
                     inferGatherShape(getShape(getX()), getShape(getIndices()),
                                      getAxis(), errorOn(*this)));
}

/// Per-axis parameters fit the extent of their axis.
static LogicalResult checkEncoding(Operation *op, Type type) {
  auto tensor = cast<RankedTensorType>(type);
  QuantizedType quantized = getQuantizedType(type);
  if (!quantized)
    return op->emitOpError() << "expects a quantized tensor, got " << type;
  if (!quantized.isPerAxis())
    return success();
  int64_t axis = quantized.getAxis();
  int64_t count = quantized.getScales().getType().getDimSize(0);
  int64_t groups = quantized.getGroupCount(tensor.getShape());
  if (axis < tensor.getRank() && tensor.getDimSize(axis) * groups == count)
    return success();
  if (quantized.getGroupSize())
    return op->emitOpError()
           << "expects " << groups << " scales per element of dimension "
           << axis << ", got " << count << " for " << type;
  return op->emitOpError() << "expects one scale per element of dimension "
                           << axis << ", got " << count << " for " << type;
}

/// Groups and tables are made by the search for weights, not by rounding.
static LogicalResult checkStatic(Operation *op, Type type) {
  QuantizedType quantized = getQuantizedType(type);
  if (!quantized.getGroupSize() && !quantized.isTable())
    return success();
  return op->emitOpError() << "expects one scale per tensor or channel and no "
                              "table, got "
                           << type << "; only constants have those";
}

static LogicalResult checkFloat(Operation *op, Value value) {
  if (isa<FloatType>(getElement(value)))
    return success();
  return op->emitOpError() << "expects a float tensor, got " << value.getType();
}

LogicalResult QuantizeOp::verify() {
  return success(succeeded(checkFloat(*this, getX())) &&                   // C1
                 succeeded(checkEncoding(*this, getResult().getType())) && // C2
                 succeeded(checkStatic(*this, getResult().getType())) &&   // C2
                 succeeded(checkResult(*this, Shape(getShape(getX())))));  // C3
}

/// A matrix product of floats with a quantized matrix.
LogicalResult DynamicMatmulOp::verify() {
  auto rhs = cast<RankedTensorType>(getRhs().getType());
  QuantizedType weight = getQuantizedType(rhs);
  if (!cast<RankedTensorType>(getLhs().getType()).getElementType().isF32() ||
      !getResultType().getElementType().isF32() || !weight ||
      rhs.getRank() != 2 || weight.isDynamic_()) // C1
    return emitOpError("expects f32 rows, a quantized matrix with static "
                       "parameters and an f32 result");
  if (failed(checkEncoding(*this, rhs))) // C2
    return failure();
  if (weight.isPerAxis() &&
      weight.getAxis() != (getTransposeRhs() ? 0 : 1)) // C2
    return emitOpError("expects the parameters of rhs along its N dimension");
  FailureOr<Shape> shape =
      inferMatmulShape(getShape(getLhs()), rhs.getShape(), getTransposeRhs(),
                       errorOn(*this)); // C3
  if (failed(shape))
    return failure();
  if (getBias() &&
      getBias().getType() !=
          RankedTensorType::get({shape->back()},
                                getResultType().getElementType())) // C4
    return emitOpError() << "expects an f32 bias of " << shape->back()
                         << " elements, got " << getBias().getType();
  return checkResult(*this, shape); // C3
}

LogicalResult DequantizeOp::verify() {
  return success(succeeded(checkFloat(*this, getResult())) &&             // C1
                 succeeded(checkEncoding(*this, getX().getType())) &&     // C2
                 succeeded(checkResult(*this, Shape(getShape(getX()))))); // C3
}

LogicalResult RequantizeOp::verify() {
  return success(succeeded(checkEncoding(*this, getX().getType())) &&      // C1
                 succeeded(checkEncoding(*this, getResult().getType())) && // C1
                 succeeded(checkResult(*this, Shape(getShape(getX())))));  // C2
}

LogicalResult ObserveOp::verify() {
  if (getX().getType() != getResult().getType())
    return emitOpError("expects equal types");
  return success();
}

//===----------------------------------------------------------------------===//
// Folders and canonical forms
//===----------------------------------------------------------------------===//

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

OpFoldResult ReshapeOp::fold(FoldAdaptor) {
  if (getX().getType() == getResult().getType())
    return getX();
  return {};
}

OpFoldResult BroadcastOp::fold(FoldAdaptor) {
  if (getX().getType() == getResult().getType())
    return getX();
  return {};
}

OpFoldResult SliceOp::fold(FoldAdaptor) {
  auto isZero = [](int64_t v) { return v == 0; };
  auto isOne = [](int64_t v) { return v == 1; };
  if (getX().getType() == getResult().getType() &&
      llvm::all_of(getOffsets(), isZero) && llvm::all_of(getStrides(), isOne))
    return getX();
  return {};
}

OpFoldResult TransposeOp::fold(FoldAdaptor) {
  for (auto [i, source] : llvm::enumerate(getPermutation()))
    if (int64_t(i) != source)
      return {};
  return getX();
}

namespace {
/// reshape(reshape(x)) = reshape(x)
struct MergeReshapes : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ReshapeOp op,
                                PatternRewriter &rewriter) const override {
    auto inner = op.getX().getDefiningOp<ReshapeOp>();
    if (!inner)
      return rewriter.notifyMatchFailure(op, "operand is no reshape");
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getType(), inner.getX());
    return success();
  }
};

/// transpose(transpose(x)) = transpose(x)
struct MergeTransposes : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(TransposeOp op,
                                PatternRewriter &rewriter) const override {
    auto inner = op.getX().getDefiningOp<TransposeOp>();
    if (!inner)
      return rewriter.notifyMatchFailure(op, "operand is no transpose");
    SmallVector<int64_t> merged;
    for (int64_t source : op.getPermutation())
      merged.push_back(inner.getPermutation()[source]);
    rewriter.replaceOpWithNewOp<TransposeOp>(op, op.getType(), inner.getX(),
                                             merged);
    return success();
  }
};

/// A transpose that moves only extents of 1 is a reshape.
struct TransposeToReshape : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(TransposeOp op,
                                PatternRewriter &rewriter) const override {
    QuantizedType type = getQuantizedType(op.getType());
    if (type && type.isPerAxis())
      return rewriter.notifyMatchFailure(op, "the encoding has an axis");
    int64_t last = -1;
    for (int64_t source : op.getPermutation()) {
      if (getShape(op.getX())[source] == 1)
        continue;
      if (source < last)
        return rewriter.notifyMatchFailure(op, "elements move");
      last = source;
    }
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getType(), op.getX());
    return success();
  }
};
} // namespace

void ReshapeOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                            MLIRContext *context) {
  patterns.add<MergeReshapes>(context);
}

void TransposeOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                              MLIRContext *context) {
  patterns.add<MergeTransposes, TransposeToReshape>(context);
}

Operation *QGDialect::materializeConstant(OpBuilder &builder, Attribute value,
                                          Type type, Location loc) {
  auto elements = dyn_cast<ElementsAttr>(value);
  if (!elements || !isa<RankedTensorType>(type))
    return nullptr;
  return ConstantOp::create(builder, loc, type, elements);
}
