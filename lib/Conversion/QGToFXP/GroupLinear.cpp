//===- GroupLinear.cpp - Products with parameters per group ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Weights become [N, K] signed bytes and their scales a second constant: the
// form of fxp.group_matmul.
//===----------------------------------------------------------------------===//
#include "Patterns.h"
#include "qopt/Dialect/FXP/IR/Levels.h"
#include "qopt/Dialect/QG/IR/Encodings.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qgtofxp;

namespace {
/// Constant operands of fxp.group_matmul.
struct GroupOperands {
  Value weight, scales, bias;
  SmallVector<int8_t> levels;
  int64_t group;
};
} // namespace

/// A weight as [N, K] bytes; an error where they leave a byte.
static FailureOr<Tensor> getBytes(Operation *op, Value value,
                                  const qg::Decoder &decoder,
                                  bool isTransposed) {
  RankedTensorType type = getTensorType(value);
  qg::QuantizedType encoding = qg::getQuantizedType(type);
  std::optional<Tensor> stored = qg::matchConstant(value);
  if (!stored || type.getRank() != 2 || encoding.getBits() > 8)
    return op->emitOpError()
           << "expects a constant matrix of at most 8 bits, got " << type;
  if (encoding.isPerAxis() && encoding.getAxis() != (isTransposed ? 0 : 1))
    return op->emitOpError()
           << "expects parameters along dimension N, got " << type;
  qg::Decoder::Bytes decoded = decoder.bytes(*stored);
  if (!decoded.bytes)
    return op->emitOpError() << "expects weights within 8 signed bits of "
                                "their zero point, got "
                             << decoded.outside;
  if (isTransposed)
    return *decoded.bytes;
  int64_t k = type.getDimSize(0), n = type.getDimSize(1);
  Tensor rows(DType::i8, {n, k});
  for (int64_t i = 0; i < n * k; ++i)
    rows.setInt(i, decoded.bytes->getInt(i % k * n + i / k));
  return rows;
}

/// No sum of a group leaves 32 bits; `reach` is the largest input.
static LogicalResult checkGroups(Operation *op, const Tensor &bytes,
                                 int64_t group, int64_t reach) {
  int64_t k = bytes.shape()[1];
  int64_t largest = 0;
  for (int8_t value : bytes.span<int8_t>())
    largest = std::max<int64_t>(largest, std::abs(int64_t(value)));
  if (largest * reach * std::min(group, k) <= INT32_MAX)
    return success();
  return op->emitOpError() << "expects sums within 32 bits, groups of " << group
                           << " can reach "
                           << largest * reach * std::min(group, k)
                           << "; use smaller groups";
}

static FailureOr<GroupOperands>
getOperands(OpBuilder &builder, LinearOpInterface op, int64_t reach) {
  Value rhs = op.getWeight(), bias = op.getBias();
  std::optional<qg::Decoder> decoder = qg::Decoder::get(getTensorType(rhs));
  if (!decoder)
    return op->emitOpError("expects scales whose bytes are present");
  FailureOr<Tensor> bytes =
      getBytes(op, rhs, *decoder, op.getOutputAxis() == 0);
  if (failed(bytes))
    return failure();
  Location loc = op->getLoc();
  qg::QuantizedType encoding = qg::getQuantizedType(rhs.getType());
  int64_t n = bytes->shape()[0], k = bytes->shape()[1];
  GroupOperands result;
  result.group = encoding.getGroupSize() ? encoding.getGroupSize()
                                         : std::max<int64_t>(k, 1);
  if (failed(checkGroups(op, *bytes, result.group, reach)))
    return failure();
  SmallVector<float> scales(decoder->scales());
  int64_t groups = encoding.getGroupCount(getTensorType(rhs).getShape());
  if (scales.size() == 1)
    scales.assign(n * groups, scales.front());
  llvm::append_range(result.levels, decoder->levels());
  Tensor biasValues(DType::f32, {n});
  if (bias) {
    std::optional<Tensor> constant = qg::matchConstant(bias);
    if (constant && qg::getQuantizedType(bias.getType()))
      constant = qg::dequantize(*constant, getTensorType(bias));
    if (!constant || constant->dtype() != DType::f32)
      return op->emitOpError("expects a constant bias");
    biasValues = *constant;
  }
  Type f32 = builder.getF32Type();
  result.weight = qg::createConstant(
      builder, loc, *bytes, RankedTensorType::get({n, k}, builder.getI8Type()),
      "w");
  result.scales = qg::createConstant(
      builder, loc, Tensor::from<float>(DType::f32, {n, groups}, scales),
      RankedTensorType::get({n, groups}, f32), "scales");
  result.bias = qg::createConstant(builder, loc, biasValues,
                                   RankedTensorType::get({n}, f32), "bias");
  return result;
}

namespace {
struct ConvertGroupMatmul : ToFXP<qg::MatmulOp> {
  using ToFXP::ToFXP;
  LogicalResult
  matchAndRewrite(qg::MatmulOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    qg::QuantizedType rhs = qg::getQuantizedType(op.getRhs().getType());
    if (!rhs || !rhs.getGroupSize())
      return rewriter.notifyMatchFailure(op, "rhs has no groups");
    std::optional<Encoding> lhs = getByteEncoding(op.getLhs().getType());
    if (!lhs)
      return op.emitOpError() << "expects an 8-bit lhs per tensor, got "
                              << op.getLhs().getType();
    int64_t reach = std::max(std::abs(lhs->low - lhs->zeroPoint()),
                             std::abs(lhs->high - lhs->zeroPoint()));
    FailureOr<GroupOperands> operands = getOperands(rewriter, op, reach);
    if (failed(operands))
      return failure();
    auto type =
        RankedTensorType::get(op.getType().getShape(), rewriter.getF32Type());
    Value product = fxp::GroupMatmulOp::create(
        rewriter, op.getLoc(), type, adaptor.getLhs(), operands->weight,
        operands->scales, operands->bias, Value(), operands->group,
        lhs->zeroPoint(), lhs->isUnsigned, llvm::APFloat(lhs->scale()));
    fxp::setLevels(product.getDefiningOp(), operands->levels);
    if (isQuantized(op.getType())) {
      std::optional<Encoding> result = getByteEncoding(op.getType());
      if (!result)
        return op.emitOpError() << "expects an f32 result or an 8-bit one per "
                                   "tensor, got "
                                << op.getType();
      product = createQuantize(rewriter, op.getLoc(), product, *result,
                               op.getClamp());
    }
    rewriter.replaceOp(op, product);
    return success();
  }
};

struct ConvertDynamicMatmul : ToFXP<qg::DynamicMatmulOp> {
  using ToFXP::ToFXP;
  LogicalResult
  matchAndRewrite(qg::DynamicMatmulOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    FailureOr<GroupOperands> operands =
        getOperands(rewriter, op, /*reach=*/127);
    if (failed(operands))
      return failure();
    RankedTensorType lhs = getTensorType(op.getLhs());
    auto rows = fxp::QuantizeRowsOp::create(
        rewriter, op.getLoc(),
        RankedTensorType::get(lhs.getShape(), rewriter.getI8Type()),
        RankedTensorType::get(lhs.getShape().drop_back(),
                              rewriter.getF32Type()),
        adaptor.getLhs());
    auto product = rewriter.replaceOpWithNewOp<fxp::GroupMatmulOp>(
        op, op.getType(), rows.getResult(), operands->weight, operands->scales,
        operands->bias, rows.getScales(), operands->group, /*lhs_zp=*/0,
        /*lhs_unsigned=*/false, llvm::APFloat(1.0f));
    fxp::setLevels(product, operands->levels);
    return success();
  }
};
} // namespace

void qgtofxp::populateGroupLinearPatterns(RewritePatternSet &patterns,
                                          const TypeConverter &converter,
                                          fxp::RequantizeModeAttr mode) {
  patterns.add<ConvertGroupMatmul, ConvertDynamicMatmul>(
      converter, patterns.getContext(), mode);
}
