//===- WeightArithmetic.cpp - Integers behind Cast, Sub, Mul ------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Codes, scales and zero points of every element go the way that the weight
// went; in the end those of a group must be equal.
//===----------------------------------------------------------------------===//
#include "WeightGrid.h"

#include <cmath>
#include <numeric>

using namespace mlir;
using namespace qopt;

namespace {
/// `f32(code - zero) * scale` of every element.
struct Decoding {
  Tensor codes, scales, zeros;
  bool isScaled = false;
};
} // namespace

static Tensor full(ArrayRef<int64_t> shape, float value) {
  Tensor tensor(DType::f32, shape);
  std::fill(tensor.mutableSpan<float>().begin(),
            tensor.mutableSpan<float>().end(), value);
  return tensor;
}

/// Of a constant that broadcasts to `shape`, by the op that broadcasts.
static std::optional<Tensor> spread(Value value, ArrayRef<int64_t> shape) {
  std::optional<Tensor> tensor = qg::matchConstant(value);
  if (!tensor || !isFloat(tensor->dtype()) ||
      tensor->rank() > int64_t(shape.size()))
    return std::nullopt;
  int64_t missing = int64_t(shape.size()) - tensor->rank();
  Tensor result(DType::f32, shape);
  for (int64_t i = 0, e = result.numElements(); i < e; ++i) {
    int64_t rest = i, position = 0, step = 1;
    for (int64_t dim = int64_t(shape.size()) - 1; dim >= missing; --dim) {
      int64_t extent = tensor->shape()[dim - missing];
      if (extent != 1 && extent != shape[dim])
        return std::nullopt;
      if (extent != 1)
        position += rest % shape[dim] * step;
      step *= extent;
      rest /= shape[dim];
    }
    result.setFloat(i, tensor->getFloat(position));
  }
  return result;
}

static std::optional<Tensor> moveAll(Operation *op, ArrayRef<Tensor> operands) {
  SmallVector<Tensor> all(operands), results;
  for (Value extra : op->getOperands().drop_front(operands.size())) {
    std::optional<Tensor> constant = qg::matchConstant(extra);
    if (!constant)
      return std::nullopt;
    all.push_back(*constant);
  }
  ScopedDiagnosticHandler quiet(op->getContext(),
                                [](Diagnostic &) { return success(); });
  if (failed(cast<ReferenceOpInterface>(op).evaluate(all, results)) ||
      results.size() != 1)
    return std::nullopt;
  return results.front();
}

static std::optional<Decoding> decode(Value value);

static std::optional<Decoding> decodeMove(Operation *op) {
  bool joins = isa<qg::ConcatOp>(op);
  SmallVector<Tensor> codes, scales, zeros;
  Decoding result;
  for (Value operand :
       op->getOperands().take_front(joins ? op->getNumOperands() : 1)) {
    std::optional<Decoding> part = decode(operand);
    if (!part)
      return std::nullopt;
    result.isScaled |= part->isScaled;
    codes.push_back(part->codes);
    scales.push_back(part->scales);
    zeros.push_back(part->zeros);
  }
  std::optional<Tensor> c = moveAll(op, codes), s = moveAll(op, scales),
                        z = moveAll(op, zeros);
  if (!c || !s || !z)
    return std::nullopt;
  return Decoding{*c, *s, *z, result.isScaled};
}

/// Integers, converted to floats. They may have been converted before.
static std::optional<Decoding> decodeCodes(Value value) {
  std::optional<Tensor> stored = qg::matchConstant(value);
  if (!stored || qg::getQuantizedType(value.getType()))
    return std::nullopt;
  Tensor codes(DType::f32, stored->shape());
  for (int64_t i = 0, e = stored->numElements(); i < e; ++i) {
    double number = stored->getFloat(i);
    if (number != std::nearbyint(number) || std::fabs(number) > 255)
      return std::nullopt;
    codes.setFloat(i, number);
  }
  return Decoding{codes, full(codes.shape(), 1), full(codes.shape(), 0)};
}

static std::optional<Decoding> decodeBinary(qg::BinaryOp op) {
  bool isSum = op.getKind() == BinaryKind::add;
  bool isProduct = op.getKind() == BinaryKind::mul;
  bool commutes = isSum || isProduct;
  if (!commutes && op.getKind() != BinaryKind::sub &&
      op.getKind() != BinaryKind::div)
    return std::nullopt;
  Value inner = op.getLhs(), other = op.getRhs();
  if (commutes && qg::matchConstant(inner) &&
      getShape(other) == getShape(op.getResult()))
    std::swap(inner, other);
  std::optional<Decoding> decoding = decode(inner);
  std::optional<Tensor> numbers = spread(other, getShape(op.getResult()));
  // One product: two of them round twice.
  if (!decoding || !numbers || decoding->isScaled ||
      decoding->codes.shape() != numbers->shape())
    return std::nullopt;
  bool divides = op.getKind() == BinaryKind::div;
  for (int64_t i = 0, e = numbers->numElements(); i < e; ++i) {
    float number = float(numbers->getFloat(i));
    float zero = float(decoding->zeros.getFloat(i));
    float steps = float(decoding->codes.getFloat(i)) - zero;
    // A quotient may be the product with the inverse, or not.
    if (divides && steps / number != steps * (1 / number))
      return std::nullopt;
    if (divides || isProduct)
      decoding->scales.setFloat(i, double(divides ? 1 / number : number));
    else
      decoding->zeros.setFloat(i,
                               double(isSum ? zero - number : zero + number));
  }
  decoding->isScaled = divides || isProduct;
  return decoding;
}

static std::optional<Decoding> decode(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return std::nullopt;
  if (isa<qg::ConstantOp>(op))
    return decodeCodes(value);
  // In f16 the product is rounded once more; the codes and scales are what the
  // file stores, as they are behind a DequantizeLinear.
  if (auto cast = dyn_cast<qg::CastOp>(op)) {
    Type to = getTensorType(value).getElementType();
    return isa<FloatType>(to) ? decode(cast.getX()) : std::nullopt;
  }
  if (auto binary = dyn_cast<qg::BinaryOp>(op))
    return decodeBinary(binary);
  if (isa<qg::ReshapeOp, qg::TransposeOp, qg::SliceOp, qg::BroadcastOp,
          qg::ConcatOp>(op))
    return decodeMove(op);
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// By tensor, channel or group
//===----------------------------------------------------------------------===//

/// The largest pieces in which scale and zero point never change.
static std::optional<WeightGrid> findGrid(const Decoding &decoding,
                                          int64_t axis) {
  ArrayRef<float> scales = decoding.scales.span<float>();
  ArrayRef<float> zeros = decoding.zeros.span<float>();
  WeightGrid result;
  result.codes = decoding.codes;
  if (llvm::all_equal(scales) && llvm::all_equal(zeros)) {
    result.scales = {scales.front()};
    result.zeros = {zeros.front()};
    return result;
  }
  ArrayRef<int64_t> shape = decoding.codes.shape();
  int64_t channels = shape[axis], terms = int64_t(scales.size()) / channels;
  int64_t piece = 0;
  for (int64_t channel = 0; channel < channels; ++channel)
    for (int64_t i = 1; i < terms; ++i) {
      int64_t now = getWeightElement(shape, axis, channel, i);
      int64_t before = getWeightElement(shape, axis, channel, i - 1);
      if (scales[now] != scales[before] || zeros[now] != zeros[before])
        piece = std::gcd(piece, i);
    }
  // Other geometries than matrices have one scale a channel.
  if (piece == 1 || (piece && shape.size() != 2))
    return std::nullopt;
  result.axis = axis;
  result.groupSize = piece;
  for (int64_t channel = 0; channel < channels; ++channel)
    for (int64_t i = 0; i < terms; i += piece ? piece : terms) {
      int64_t element = getWeightElement(shape, axis, channel, i);
      result.scales.push_back(scales[element]);
      result.zeros.push_back(zeros[element]);
    }
  return result;
}

/// Centred where one zero point is that of all: kernels need none then.
static void centre(WeightGrid &grid) {
  float zero = grid.zeros.front();
  if (zero == 0 || zero != std::nearbyint(zero) || !llvm::all_equal(grid.zeros))
    return;
  for (float &code : grid.codes.mutableSpan<float>())
    code -= zero;
  std::fill(grid.zeros.begin(), grid.zeros.end(), 0.0f);
}

/// Integers that the exporter has converted to floats by itself, as torch does
/// with small ones: the factor behind the product says that they are codes.
static bool recognizeConvertedCodes(OpBuilder &builder, LinearOpInterface op) {
  if (op.getLinearGeometry().window || op.roundsInput() || !op->hasOneUse())
    return false;
  auto factor = dyn_cast<qg::BinaryOp>(*op->user_begin());
  if (!factor || factor.getKind() != BinaryKind::mul ||
      (!qg::matchConstant(factor.getLhs()) &&
       !qg::matchConstant(factor.getRhs())))
    return false;
  std::optional<Decoding> decoding = decodeCodes(op.getWeight());
  if (!decoding || decoding->codes.numElements() == 0)
    return false;
  WeightGrid grid;
  grid.codes = decoding->codes;
  grid.scales = {1};
  grid.zeros = {0};
  return setStoredWeight(builder, op, grid);
}

bool qopt::recognizeWeightArithmetic(OpBuilder &builder, LinearOpInterface op) {
  Value weight = op.getWeight();
  if (!getTensorType(weight).getElementType().isF32() ||
      getTensorType(weight).getNumElements() == 0 || !op.isShared())
    return false;
  if (isa_and_nonnull<qg::ConstantOp>(weight.getDefiningOp()))
    return recognizeConvertedCodes(builder, op);
  std::optional<Decoding> decoding = decode(weight);
  if (!decoding)
    return false;
  std::optional<WeightGrid> grid = findGrid(*decoding, op.getOutputAxis());
  if (!grid)
    return false;
  centre(*grid);
  return setStoredWeight(builder, op, *grid);
}
