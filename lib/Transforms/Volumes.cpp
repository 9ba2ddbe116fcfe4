//===- Volumes.cpp - Three dimensions as two ------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The same products, added in the same accumulator: integers stay what they
// would be.
//===----------------------------------------------------------------------===//
#include "Volumes.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Dialect/QG/IR/ShapedBuilder.h"

using namespace mlir;
using namespace qopt;

/// `[O, d, h, w, C]` as `[O, h, w, d * C]`.
static Tensor putDepthLast(const Tensor &weight) {
  ArrayRef<int64_t> s = weight.shape();
  Tensor result(weight.dtype(), {s[0], s[2], s[3], s[1] * s[4]});
  int64_t at = 0, plane = s[2] * s[3];
  for (int64_t o = 0; o < s[0]; ++o)
    for (int64_t p = 0; p < plane; ++p)
      for (int64_t d = 0; d < s[1]; ++d)
        for (int64_t c = 0; c < s[4]; ++c, ++at) {
          int64_t from = ((o * s[1] + d) * plane + p) * s[4] + c;
          if (weight.dtype() == DType::f32)
            result.setFloat(at, weight.getFloat(from));
          else
            result.setInt(at, weight.getInt(from));
        }
  return result;
}

/// The same of a constant, encoded along its first dimension or not; null for
/// others.
static Value putDepthLast(OpBuilder &builder, Value weight) {
  auto decoded = weight.getDefiningOp<qg::DequantizeOp>();
  Value stored = decoded ? decoded.getX() : weight;
  std::optional<Tensor> constant = qg::matchConstant(stored);
  Type element = getTensorType(stored).getElementType();
  auto encoding = dyn_cast<qg::QuantizedType>(element);
  if (!constant ||
      (encoding && (encoding.getGroupSize() ||
                    (encoding.isPerAxis() && encoding.getAxis() != 0))))
    return {};
  Tensor moved = putDepthLast(*constant);
  auto type = RankedTensorType::get(moved.shape(), element);
  Value result = qg::createConstant(builder, weight.getLoc(), moved, type, "w");
  if (!decoded)
    return result;
  auto real = RankedTensorType::get(moved.shape(),
                                    getTensorType(weight).getElementType());
  return qg::DequantizeOp::create(builder, weight.getLoc(), real, result);
}

/// The planes that each plane of the result reads, side by side as channels.
static Value collectPlanes(qg::ShapedBuilder &b, qg::ConvOp op, Value padded) {
  SmallVector<int64_t> sizes(getShape(padded));
  sizes[1] = getShape(op.getResult())[1];
  SmallVector<Value> planes;
  int64_t depth = getShape(op.getWeight())[1];
  for (int64_t i = 0; i < depth; ++i)
    planes.push_back(b.slice(padded, {0, i * op.getDilations()[0], 0, 0, 0},
                             sizes, {1, op.getStrides()[0], 1, 1, 1}));
  return depth == 1 ? planes[0] : b.concat(planes, 4);
}

namespace {
struct ConvOfPlanes : OpRewritePattern<qg::ConvOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::ConvOp op,
                                PatternRewriter &rewriter) const override {
    ArrayRef<int64_t> in = getShape(op.getX()), out = getShape(op.getResult());
    if (in.size() != 5 || in[0] != 1 || op.getGroups() != 1 || op.getClamp() ||
        getNumElements(in) == 0 || getNumElements(out) == 0)
      return rewriter.notifyMatchFailure(op, "no convolution of a volume");
    Value weight = putDepthLast(rewriter, op.getWeight());
    if (!weight)
      return rewriter.notifyMatchFailure(op, "weights are not constant");
    qg::ShapedBuilder b(rewriter, op.getLoc());
    ArrayRef<int64_t> pads = op.getPads(), strides = op.getStrides();
    // An image for each plane of the result, each of as many rows as give whole
    // rows of the result; rows that see two planes are dropped.
    int64_t stride = strides[1];
    int64_t rows = in[2] + pads[1] + pads[4];
    int64_t block = llvm::divideCeil(rows, stride);
    int64_t reach = (getShape(weight)[1] - 1) * op.getDilations()[1] + 1;
    Value x =
        b.pad(PadMode::constant, op.getX(), {}, {0, pads[0], pads[1], 0, 0},
              {0, pads[3], pads[4] + block * stride - rows, 0, 0});
    x = collectPlanes(b, op, x);
    x = b.reshape(x, {1, out[1] * block * stride, in[3], getShape(x)[4]});
    SmallVector<int64_t> newStrides{stride, strides[2]};
    SmallVector<int64_t> dilations(op.getDilations().drop_front());
    SmallVector<int64_t> newPads{0, pads[2],
                                 std::max<int64_t>(0, reach - stride), pads[5]};
    auto type =
        RankedTensorType::get({1, out[1] * block, out[3], out[4]},
                              getTensorType(op.getResult()).getElementType());
    Value y = qg::ConvOp::create(rewriter, op.getLoc(), type, x, weight,
                                 op.getBias(), newStrides, newPads, dilations,
                                 /*groups=*/1, DenseI64ArrayAttr());
    y = b.reshape(y, {1, out[1], block, out[3], out[4]});
    rewriter.replaceOp(op, b.sliceAxis(y, 2, 0, out[2]));
    return success();
  }
};

/// One dimension after the other: a maximum of maxima, a mean of means.
struct PoolByDimensions : OpRewritePattern<qg::PoolOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::PoolOp op,
                                PatternRewriter &rewriter) const override {
    SmallVector<int64_t> shape(getShape(op.getX()));
    bool isMean = op.getKind() == PoolKind::avg;
    if (shape.size() != 5 || shape[0] != 1 || getNumElements(shape) == 0 ||
        (isMean &&
         llvm::any_of(op.getPads(), [](int64_t pad) { return pad != 0; })))
      return rewriter.notifyMatchFailure(op, "no pooling of a volume");
    qg::ShapedBuilder b(rewriter, op.getLoc());
    ArrayRef<int64_t> out = getShape(op.getResult());
    Value x = op.getX();
    if (isMean && op.getKernel() == ArrayRef(shape).slice(1, 3)) {
      x = b.reshape(x, {1, shape[1] * shape[2] * shape[3], shape[4]});
      x = createPool(rewriter, op, x,
                     {{shape[1] * shape[2] * shape[3]}, {1}, {0, 0}, {1}},
                     {1, 1, shape[4]});
      rewriter.replaceOp(op, b.reshape(x, out));
      return success();
    }
    for (int64_t i = 0; i < 3; ++i) {
      int64_t n = shape[i + 1], outer = 1, inner = 1;
      for (int64_t d = 0; d < 5; ++d)
        (d <= i ? outer : inner) *= d == i + 1 ? 1 : shape[d];
      shape[i + 1] = out[i + 1];
      if (op.getKernel()[i] == 1 && n == out[i + 1])
        continue;
      Window window{{1, op.getKernel()[i]},
                    {1, op.getStrides()[i]},
                    {0, op.getPads()[i], 0, op.getPads()[i + 3]},
                    {1, op.getDilations()[i]}};
      x = createPool(rewriter, op, b.reshape(x, {1, outer, n, inner}), window,
                     {1, outer, out[i + 1], inner});
    }
    rewriter.replaceOp(op, b.reshape(x, out));
    return success();
  }

  struct Window {
    SmallVector<int64_t> kernel, strides, pads, dilations;
  };
  static Value createPool(PatternRewriter &rewriter, qg::PoolOp op, Value x,
                          const Window &window, ArrayRef<int64_t> shape) {
    auto type = RankedTensorType::get(shape, getTensorType(x).getElementType());
    return qg::PoolOp::create(rewriter, op.getLoc(), type, op.getKind(), x,
                              window.kernel, window.strides, window.pads,
                              window.dilations, /*count_include_pad=*/false);
  }
};
} // namespace

void qopt::populateVolumePatterns(RewritePatternSet &patterns) {
  patterns.add<ConvOfPlanes, PoolByDimensions>(patterns.getContext());
}
