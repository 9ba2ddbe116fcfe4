//===- GroupLinear.cpp - Products with parameters per group ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Weights become [N, K] signed bytes and their scales a second constant: the
// form of fxp.group_matmul and fxp.decode_matmul.
//===----------------------------------------------------------------------===//
#include "Patterns.h"
#include "qopt/Dialect/FXP/IR/Levels.h"
#include "qopt/Dialect/QG/IR/Encodings.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qgtofxp;

namespace {
/// A constant matrix as [N, K] signed bytes, and zero points in their shape of
/// parameters where they cannot be taken off.
struct StoredMatrix {
  Tensor bytes;
  std::optional<Tensor> zps;
  SmallVector<float> scales;
  SmallVector<int8_t> levels;
  /// Weights that share a scale: rows of N, columns of K.
  int64_t blockRows, blockColumns;

  SmallVector<int64_t> getParameterShape() const {
    return {int64_t(llvm::divideCeil(bytes.shape()[0], blockRows)),
            int64_t(llvm::divideCeil(bytes.shape()[1], blockColumns))};
  }
};

/// Constant operands of fxp.group_matmul and fxp.decode_matmul.
struct GroupOperands {
  Value weight, scales, bias, zps;
  SmallVector<int8_t> levels;
  int64_t group;
};
} // namespace

static Tensor transpose(const Tensor &matrix) {
  int64_t rows = matrix.shape()[0], columns = matrix.shape()[1];
  Tensor result(DType::i8, {columns, rows});
  ArrayRef<int8_t> from = matrix.span<int8_t>();
  MutableArrayRef<int8_t> to = result.mutableSpan<int8_t>();
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      to[j * rows + i] = from[i * columns + j];
  return result;
}

/// Stored numbers and zero points as signed bytes: those of unsigned formats of
/// 8 bits move by 128.
static void takeStored(const Tensor &stored, qg::QuantizedType encoding,
                       StoredMatrix &matrix) {
  int64_t shift = encoding.isSigned() || encoding.getBits() < 8 ? 0 : 128;
  matrix.bytes = Tensor(DType::i8, stored.shape());
  MutableArrayRef<int8_t> to = matrix.bytes.mutableSpan<int8_t>();
  for (size_t i = 0; i < to.size(); ++i)
    to[i] = int8_t(stored.getInt(i) - shift);
  SmallVector<int64_t> zeros = encoding.getZeroPointVector();
  matrix.zps = Tensor(DType::i8, {int64_t(zeros.size())});
  for (auto [i, zero] : llvm::enumerate(zeros))
    matrix.zps->setInt(i, zero - shift);
}

/// What of a weight belongs to one scale, and scales and zero points in the
/// order [N / rows, K / columns].
static void orderParameters(qg::QuantizedType encoding, bool isTransposed,
                            StoredMatrix &matrix) {
  int64_t n = std::max<int64_t>(matrix.bytes.shape()[0], 1);
  int64_t k = std::max<int64_t>(matrix.bytes.shape()[1], 1);
  int64_t group = encoding.getGroupSize();
  matrix.blockRows = n;
  matrix.blockColumns = k;
  if (!encoding.isPerAxis())
    return;
  if (encoding.getAxis() == (isTransposed ? 0 : 1)) {
    matrix.blockRows = 1;
    matrix.blockColumns = group ? std::min(group, k) : k;
    return;
  }
  matrix.blockRows = group ? std::min(group, n) : n;
  matrix.blockColumns = 1;
  int64_t blocks = llvm::divideCeil(n, matrix.blockRows);
  SmallVector<float> scales(matrix.scales);
  std::optional<Tensor> zps = matrix.zps;
  if (zps)
    matrix.zps = Tensor(DType::i8, zps->shape());
  for (int64_t i = 0, e = scales.size(); i < e; ++i) {
    int64_t to = i % blocks * k + i / blocks;
    matrix.scales[to] = scales[i];
    if (zps)
      matrix.zps->setInt(to, zps->getInt(i));
  }
}

/// The constant matrix `value`, [N, K] if `isTransposed`, else [K, N]. Zero
/// points are taken off if `isCentred`, or if they are all one and the rest is
/// a byte.
static FailureOr<StoredMatrix> getMatrix(Operation *op, Value value,
                                         bool isTransposed, bool isCentred) {
  RankedTensorType type = getTensorType(value);
  qg::QuantizedType encoding = qg::getQuantizedType(type);
  std::optional<qg::Decoder> decoder = qg::Decoder::get(type);
  std::optional<Tensor> stored = qg::matchConstant(value);
  if (!decoder)
    return op->emitOpError("expects scales whose bytes are present");
  if (!stored || type.getRank() != 2 || encoding.getBits() > 8)
    return op->emitOpError()
           << "expects a constant matrix of at most 8 bits, got " << type;
  StoredMatrix matrix;
  matrix.scales.assign(decoder->scales().begin(), decoder->scales().end());
  matrix.levels.assign(decoder->levels().begin(), decoder->levels().end());
  qg::Decoder::Bytes centred;
  if (isCentred || llvm::all_equal(encoding.getZeroPointVector()))
    centred = decoder->bytes(*stored);
  // An input with a zero point of its own meets weights that have none.
  if (isCentred && !centred.bytes)
    return op->emitOpError() << "expects weights within 8 signed bits of their "
                                "zero point, got "
                             << centred.outside;
  if (centred.bytes)
    matrix.bytes = *centred.bytes;
  else
    takeStored(*stored, encoding, matrix);
  if (!isTransposed)
    matrix.bytes = transpose(matrix.bytes);
  orderParameters(encoding, isTransposed, matrix);
  return matrix;
}

static FailureOr<Value> getBias(OpBuilder &builder, LinearOpInterface op,
                                int64_t n) {
  Tensor values(DType::f32, {n});
  if (Value bias = op.getBias()) {
    std::optional<Tensor> constant = qg::matchConstant(bias);
    if (constant && qg::getQuantizedType(bias.getType()))
      constant = qg::dequantize(*constant, getTensorType(bias));
    if (!constant || constant->dtype() != DType::f32)
      return op->emitOpError("expects a constant bias"), failure();
    values = *constant;
  }
  Value result = qg::createConstant(
      builder, op->getLoc(), values,
      RankedTensorType::get({n}, builder.getF32Type()), "bias");
  return result;
}

/// No sum of a group leaves 32 bits; `reach` is the largest input.
static LogicalResult checkGroups(Operation *op, const StoredMatrix &matrix,
                                 int64_t group, int64_t reach) {
  int64_t largest = 0, k = matrix.bytes.shape()[1];
  ArrayRef<int8_t> values = matrix.bytes.span<int8_t>();
  for (int64_t i = 0, sum = 0, e = int64_t(values.size()); i < e; ++i) {
    if (i % k % group == 0)
      sum = 0;
    sum += std::abs(int64_t(values[i])) + (matrix.zps ? 128 : 0);
    largest = std::max(largest, sum);
  }
  if (largest * reach <= INT32_MAX)
    return success();
  return op->emitOpError() << "expects sums within 32 bits, groups of " << group
                           << " can reach " << largest * reach
                           << "; use smaller groups";
}

/// Constants of a matrix with parameters in [N / rows, K / columns].
static FailureOr<GroupOperands>
createOperands(OpBuilder &builder, LinearOpInterface op, StoredMatrix matrix) {
  Location loc = op->getLoc();
  GroupOperands result;
  result.levels = matrix.levels;
  result.group = matrix.blockColumns;
  auto constant = [&](const Tensor &tensor, Type element,
                      StringRef name) -> Value {
    return qg::createConstant(builder, loc, tensor,
                              RankedTensorType::get(tensor.shape(), element),
                              name);
  };
  FailureOr<Value> bias = getBias(builder, op, matrix.bytes.shape()[0]);
  if (failed(bias))
    return failure();
  SmallVector<int64_t> shape = matrix.getParameterShape();
  result.bias = *bias;
  result.weight = constant(matrix.bytes, builder.getI8Type(), "w");
  result.scales =
      constant(Tensor::from<float>(DType::f32, shape, matrix.scales),
               builder.getF32Type(), "scales");
  if (matrix.zps)
    result.zps =
        constant(matrix.zps->reshaped(shape), builder.getI8Type(), "zps");
  return result;
}

/// One scale for every row of the matrix, or group of it.
static FailureOr<GroupOperands> getOperands(OpBuilder &builder,
                                            LinearOpInterface op, int64_t reach,
                                            bool isCentred) {
  qg::QuantizedType encoding = qg::getQuantizedType(op.getWeight().getType());
  if (encoding.isPerAxis() && encoding.getAxis() != op.getOutputAxis())
    return op->emitOpError() << "expects parameters along dimension N, got "
                             << op.getWeight().getType();
  FailureOr<StoredMatrix> matrix =
      getMatrix(op, op.getWeight(), op.getOutputAxis() == 0, isCentred);
  if (failed(matrix) ||
      failed(checkGroups(op, *matrix, matrix->blockColumns, reach)))
    return failure();
  int64_t n = matrix->bytes.shape()[0];
  if (matrix->blockRows > 1) {
    matrix->blockRows = 1;
    matrix->scales.assign(n, float(matrix->scales.front()));
    if (matrix->zps) {
      int64_t zero = matrix->zps->getInt(0);
      matrix->zps = Tensor(DType::i8, {n});
      for (int64_t i = 0; i < n; ++i)
        matrix->zps->setInt(i, zero);
    }
  }
  return createOperands(builder, op, std::move(*matrix));
}

namespace {
struct ConvertGroupMatmul : ToFXP<qg::MatmulOp> {
  using ToFXP::ToFXP;
  LogicalResult
  matchAndRewrite(qg::MatmulOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    qg::QuantizedType rhs = qg::getQuantizedType(op.getRhs().getType());
    if (!rhs || !rhs.getGroupSize() || !isQuantized(op.getLhs().getType()))
      return rewriter.notifyMatchFailure(op, "rhs has no groups");
    std::optional<Encoding> lhs = getByteEncoding(op.getLhs().getType());
    if (!lhs)
      return op.emitOpError() << "expects an 8-bit lhs per tensor, got "
                              << op.getLhs().getType();
    int64_t reach = std::max(std::abs(lhs->low - lhs->zeroPoint()),
                             std::abs(lhs->high - lhs->zeroPoint()));
    FailureOr<GroupOperands> operands =
        getOperands(rewriter, op, reach, /*isCentred=*/true);
    if (failed(operands))
      return failure();
    auto type =
        RankedTensorType::get(op.getType().getShape(), rewriter.getF32Type());
    Value product = fxp::GroupMatmulOp::create(
        rewriter, op.getLoc(), type, adaptor.getLhs(), operands->weight,
        operands->scales, operands->bias, Value(), operands->zps,
        operands->group, lhs->zeroPoint(), lhs->isUnsigned,
        llvm::APFloat(lhs->scale()));
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
        getOperands(rewriter, op, /*reach=*/127, /*isCentred=*/false);
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
        operands->bias, rows.getScales(), operands->zps, operands->group,
        /*lhs_zp=*/0,
        /*lhs_unsigned=*/false, llvm::APFloat(1.0f));
    fxp::setLevels(product, operands->levels);
    return success();
  }
};

/// Floats times stored weights.
struct ConvertDecodeMatmul : ToFXP<qg::MatmulOp> {
  using ToFXP::ToFXP;
  LogicalResult
  matchAndRewrite(qg::MatmulOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (!getTensorType(op.getLhs()).getElementType().isF32() ||
        !op.getType().getElementType().isF32() ||
        !isQuantized(op.getRhs().getType()))
      return rewriter.notifyMatchFailure(op, "no floats times stored weights");
    FailureOr<StoredMatrix> matrix =
        getMatrix(op, op.getRhs(), op.getTransposeRhs(), /*isCentred=*/false);
    if (failed(matrix))
      return failure();
    int64_t block[] = {matrix->blockRows, matrix->blockColumns};
    FailureOr<GroupOperands> operands =
        createOperands(rewriter, op, std::move(*matrix));
    if (failed(operands))
      return failure();
    auto product = rewriter.replaceOpWithNewOp<fxp::DecodeMatmulOp>(
        op, op.getType(), adaptor.getLhs(), operands->weight, operands->scales,
        operands->bias, operands->zps, block);
    fxp::setLevels(product, operands->levels);
    return success();
  }
};
} // namespace

void qgtofxp::populateGroupLinearPatterns(RewritePatternSet &patterns,
                                          const TypeConverter &converter,
                                          fxp::RequantizeModeAttr mode) {
  patterns.add<ConvertGroupMatmul, ConvertDynamicMatmul, ConvertDecodeMatmul>(
      converter, patterns.getContext(), mode);
}
