//===- Product.cpp - Convolutions and matrix products in one form ---------===//
// SPDX-License-Identifier: Apache-2.0
//
// A 1-D convolution has height 1, a matrix product is a 1x1 window over a row
// of M pixels; the planes of a volume are rows of one image.
//===----------------------------------------------------------------------===//
#include "Product.h"

#include "qopt/Dialect/FXP/IR/FXP.h"
#include "qopt/Dialect/FXP/IR/Levels.h"
#include "qopt/Dialect/FXP/IR/StoredConstant.h"
#include <cmath>

using namespace mlir;
using namespace qopt;
using namespace qopt::qcpu;

static bool isF32(Value value) {
  return cast<RankedTensorType>(value.getType()).getElementType().isF32();
}

bool qopt::qcpu::isProduct(Operation *op) {
  if (isa<fxp::ConvOp, fxp::MatmulOp>(op))
    return true;
  return isa<qg::ConvOp, qg::MatmulOp>(op) && isF32(op->getOperand(0)) &&
         isF32(op->getOperand(1)) && isF32(op->getResult(0));
}

/// The last two of `[s...]`, `fill` for a missing first.
static SmallVector<int64_t> toTwo(ArrayRef<int64_t> values, int64_t fill) {
  if (values.size() == 1)
    return {fill, values[0]};
  return SmallVector<int64_t>(values.take_back(2));
}

/// `[N, s..., C]` of one to three dimensions with two; the first of three goes
/// with dimension `outer`.
static SmallVector<int64_t> toFour(ArrayRef<int64_t> shape, unsigned outer) {
  if (shape.size() == 3)
    return {shape[0], 1, shape[1], shape[2]};
  SmallVector<int64_t> four(shape);
  if (shape.size() == 5) {
    four[outer] *= four[outer + 1];
    four.erase(four.begin() + outer + 1);
  }
  return four;
}

template <typename ConvOp> static bool readConv(ConvOp op, Product &product) {
  ArrayRef<int64_t> x = getShape(op.getX());
  std::optional<Tensor> weight = qg::matchConstant(op.getWeight());
  if (!weight || x.size() < 3 || x.size() > 5 ||
      llvm::any_of(op.getPads(), [](int64_t pad) { return pad < 0; }))
    return false;
  product.x = op.getX();
  ArrayRef<int64_t> result = getShape(op.getResult());
  size_t rank = x.size() - 2;
  ArrayRef<int64_t> pads = op.getPads();
  // Planes that are read by themselves are images.
  bool hasDepth =
      rank == 3 && (weight->shape()[1] > 1 || op.getStrides()[0] > 1 ||
                    pads[0] + pads[3] != 0);
  product.xShape = toFour(x, /*outer=*/0);
  product.shape = toFour(result, /*outer=*/hasDepth ? 1 : 0);
  product.weight = weight->reshaped(toFour(weight->shape(), /*outer=*/1));
  product.strides = toTwo(op.getStrides(), 1);
  product.dilations = toTwo(op.getDilations(), 1);
  if (rank == 1)
    product.pads = {0, pads[0], 0, pads[1]};
  else
    product.pads = {pads[rank - 2], pads[rank - 1], pads[2 * rank - 2],
                    pads[2 * rank - 1]};
  if (hasDepth)
    product.depth = Depth{x[1],
                          result[1],
                          weight->shape()[1],
                          op.getStrides()[0],
                          op.getDilations()[0],
                          pads[0],
                          pads[3]};
  product.groups = op.getGroups();
  return true;
}

static Tensor transpose(const Tensor &matrix) {
  int64_t rows = matrix.shape()[0], columns = matrix.shape()[1];
  Tensor result(matrix.dtype(), {columns, rows});
  int64_t bytes = getByteWidth(matrix.dtype());
  char *to = result.mutableData();
  for (int64_t j = 0; j < columns; ++j)
    for (int64_t i = 0; i < rows; ++i, to += bytes)
      std::copy_n(matrix.data() + (i * columns + j) * bytes, bytes, to);
  return result;
}

template <typename MatmulOp>
static bool readMatmul(MatmulOp op, std::optional<Tensor> weight,
                       Product &product) {
  if (!weight || weight->rank() != 2)
    return false;
  ArrayRef<int64_t> result = getShape(op.getResult());
  Tensor rows = op.getTransposeRhs() ? *weight : transpose(*weight);
  int64_t n = rows.shape()[0], k = rows.shape()[1];
  int64_t m = getNumElements(result) / n;
  product.x = op.getLhs();
  product.xShape = {1, 1, m, k};
  product.shape = {1, 1, m, n};
  product.weight = rows.reshaped({n, 1, 1, k});
  return true;
}

static bool readBytes(Operation *op, Product &product) {
  if (!getTensorType(op->getOperand(0)).getElementType().isInteger(8))
    return false;
  if (auto conv = dyn_cast<fxp::ConvOp>(op)) {
    if (!readConv(conv, product))
      return false;
    product.weight = product.weight.bitcast(DType::i8);
    product.zeroPoint = conv.getXZp();
    product.isUnsigned = conv.getXUnsigned();
  } else {
    auto matmul = cast<fxp::MatmulOp>(op);
    auto weight = fxp::StoredConstant::match(matmul, matmul.getRhs());
    if (!weight || !readMatmul(matmul, weight->bytes(), product))
      return false;
    product.zeroPoint = matmul.getLhsZp();
    product.isUnsigned = matmul.getLhsUnsigned();
  }
  std::optional<Tensor> bias = qg::matchConstant(op->getOperand(2));
  if (!bias)
    return false;
  product.bias = *bias;
  product.levels = fxp::getLevels(op);
  return true;
}

/// Padding is multiplied, not skipped: that is the same only for finite weights
/// and sums that do not start at -0.
static bool mayMultiplyPads(const Product &product) {
  auto isBad = [](float value) {
    return !std::isfinite(value) || (value == 0 && std::signbit(value));
  };
  return !product.hasPads() ||
         (llvm::none_of(product.bias.span<float>(), isBad) &&
          llvm::all_of(product.weight.span<float>(),
                       [](float value) { return std::isfinite(value); }));
}

static bool readFloats(Operation *op, Product &product) {
  Value biasValue;
  if (auto conv = dyn_cast<qg::ConvOp>(op)) {
    if (!readConv(conv, product))
      return false;
    biasValue = conv.getBias();
  } else {
    auto matmul = cast<qg::MatmulOp>(op);
    if (!readMatmul(matmul, qg::matchConstant(matmul.getRhs()), product))
      return false;
    biasValue = matmul.getBias();
  }
  product.bias = Tensor(DType::f32, {product.shape[3]});
  if (biasValue) {
    std::optional<Tensor> bias = qg::matchConstant(biasValue);
    if (!bias)
      return false;
    product.bias = *bias;
  }
  return mayMultiplyPads(product);
}

std::optional<Product> qopt::qcpu::matchProduct(Operation *op) {
  // Tiles have rows and columns; the loops of linalg may have none.
  if (getNumElements(getShape(op->getOperand(0))) == 0 ||
      getNumElements(getShape(op->getResult(0))) == 0)
    return std::nullopt;
  Product product;
  product.op = op;
  bool isBytes = isa<fxp::ConvOp, fxp::MatmulOp>(op);
  if (isBytes ? readBytes(op, product) : readFloats(op, product))
    return product;
  return std::nullopt;
}
