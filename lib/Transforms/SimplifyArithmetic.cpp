//===- SimplifyArithmetic.cpp - Cheaper forms of the same function --------===//
// SPDX-License-Identifier: Apache-2.0
//
// Exporters write identities, chains of constants and means in pieces. Each
// rewrite keeps the float function; only chains of constants may round anew.
//===----------------------------------------------------------------------===//
#include "qopt/Analysis/SplatConstant.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Transforms/Patterns.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include <cmath>

namespace qopt {
#include "qopt/Transforms/SimplifyArithmetic.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

static bool isCommutative(BinaryKind kind) {
  return kind == BinaryKind::add || kind == BinaryKind::mul ||
         kind == BinaryKind::min || kind == BinaryKind::max;
}

/// Whether `x kind number` is x.
static bool isNeutral(BinaryKind kind, double number) {
  switch (kind) {
  case BinaryKind::add:
  case BinaryKind::sub:
    return number == 0;
  case BinaryKind::mul:
  case BinaryKind::div:
  case BinaryKind::pow:
    return number == 1;
  case BinaryKind::max:
    return number == -std::numeric_limits<double>::infinity();
  case BinaryKind::min:
    return number == std::numeric_limits<double>::infinity();
  default:
    return false;
  }
}

namespace {
/// x * 1, x + 0, x / 1, ... -> x
struct DropNeutral : OpRewritePattern<qg::BinaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::BinaryOp op,
                                PatternRewriter &rewriter) const override {
    for (bool right : {true, false}) {
      if (!right && !isCommutative(op.getKind()))
        continue;
      Value kept = right ? op.getLhs() : op.getRhs();
      std::optional<double> number =
          matchSplatConstant(right ? op.getRhs() : op.getLhs());
      if (!number || !isNeutral(op.getKind(), *number) ||
          kept.getType() != op.getType())
        continue;
      rewriter.replaceOp(op, kept);
      return success();
    }
    return rewriter.notifyMatchFailure(op, "no neutral operand");
  }
};

/// x ^ 2 -> x * x, exact where pow rounds
struct SquareByProduct : OpRewritePattern<qg::BinaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::BinaryOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getKind() != BinaryKind::pow ||
        op.getLhs().getType() != op.getType() ||
        matchSplatConstant(op.getRhs()) != std::optional<double>(2.0))
      return rewriter.notifyMatchFailure(op, "no square");
    rewriter.replaceOpWithNewOp<qg::BinaryOp>(op, op.getType(), BinaryKind::mul,
                                              op.getLhs(), op.getLhs(),
                                              DenseI64ArrayAttr());
    return success();
  }
};

/// x / 2^k -> x * 2^-k, which is the same number
struct DivideByPowerOfTwo : OpRewritePattern<qg::BinaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::BinaryOp op,
                                PatternRewriter &rewriter) const override {
    RankedTensorType type = getTensorType(op.getRhs());
    if (op.getKind() != BinaryKind::div || !type.getElementType().isF32())
      return rewriter.notifyMatchFailure(op, "no float division");
    std::optional<Tensor> divisor = qg::matchConstant(op.getRhs());
    if (!divisor)
      return rewriter.notifyMatchFailure(op, "the divisor is not constant");
    for (float &number : divisor->mutableSpan<float>()) {
      int exponent;
      float inverse = 1.0f / number;
      if (!std::isnormal(number) || !std::isnormal(inverse) ||
          std::fabs(std::frexp(number, &exponent)) != 0.5f)
        return rewriter.notifyMatchFailure(op, "no powers of two");
      number = inverse;
    }
    Value factor =
        qg::createConstant(rewriter, op.getRhs().getLoc(), *divisor, type);
    rewriter.replaceOpWithNewOp<qg::BinaryOp>(op, op.getType(), BinaryKind::mul,
                                              op.getLhs(), factor,
                                              DenseI64ArrayAttr());
    return success();
  }
};

/// relu(relu(x)) -> relu(x)
struct DropSecondRelu : OpRewritePattern<qg::UnaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::UnaryOp op,
                                PatternRewriter &rewriter) const override {
    auto inner = op.getX().getDefiningOp<qg::UnaryOp>();
    if (!inner || inner.getType() != op.getType() ||
        inner.getKind() != UnaryKind::relu || op.getKind() != UnaryKind::relu)
      return rewriter.notifyMatchFailure(op, "no two relus");
    rewriter.replaceOp(op, inner.getResult());
    return success();
  }
};
} // namespace

/// Does a product compute the value, up to clamps and constants added or
/// multiplied?
static bool comesFromProduct(Value value) {
  while (value.hasOneUse()) {
    Operation *op = value.getDefiningOp();
    if (isa_and_nonnull<LinearOpInterface>(op))
      return true;
    if (Value input = op ? getClampInput(op) : Value()) {
      value = input;
      continue;
    }
    auto binary = dyn_cast_or_null<qg::BinaryOp>(op);
    if (!binary)
      return false;
    value =
        qg::matchConstant(binary.getRhs()) ? binary.getLhs() : binary.getRhs();
  }
  return false;
}

/// Every window reads an element: a maximum of none is not of the input.
static bool readsElements(qg::PoolOp op) {
  ArrayRef<int64_t> in = op.getX().getType().getShape();
  ArrayRef<int64_t> out = op.getType().getShape();
  for (size_t d = 0; d < op.getKernel().size(); ++d) {
    int64_t first = -op.getPads()[d], dilation = op.getDilations()[d];
    int64_t last = (out[d + 1] - 1) * op.getStrides()[d] + first;
    int64_t reach = (op.getKernel()[d] - 1) * dilation;
    if (first + reach < 0 || last >= in[d + 1] || dilation > in[d + 1])
      return false;
  }
  return true;
}

namespace {
/// clamp(max pool(x)) -> max pool(clamp(x)): a clamp right behind a product is
/// the saturation of its rounding.
struct ClampBeforeMaximum : RewritePattern {
  ClampBeforeMaximum(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/1, context) {}
  LogicalResult matchAndRewrite(Operation *op,
                                PatternRewriter &rewriter) const override {
    Value input = getClampInput(op), moved = input;
    if (!input)
      return rewriter.notifyMatchFailure(op, "no clamp");
    while (moved.hasOneUse() && isa_and_nonnull<qg::ReshapeOp, qg::TransposeOp>(
                                    moved.getDefiningOp()))
      moved = moved.getDefiningOp()->getOperand(0);
    auto pool = moved.getDefiningOp<qg::PoolOp>();
    if (!pool || pool.getKind() != PoolKind::max || !pool->hasOneUse())
      return rewriter.notifyMatchFailure(op, "no clamp of a maximum");
    if (!comesFromProduct(pool.getX()) || !readsElements(pool))
      return rewriter.notifyMatchFailure(op, "no product before it");
    rewriter.setInsertionPoint(pool);
    IRMapping mapping;
    mapping.map(input, pool.getX());
    for (Value operand : op->getOperands())
      if (operand != input)
        mapping.map(operand,
                    rewriter.clone(*operand.getDefiningOp())->getResult(0));
    Operation *clamp = rewriter.clone(*op, mapping);
    clamp->getResult(0).setType(pool.getX().getType());
    rewriter.modifyOpInPlace(
        pool, [&] { pool.getXMutable().assign(clamp->getResult(0)); });
    rewriter.replaceOp(op, input);
    return success();
  }
};
} // namespace

namespace {
/// The other operand already makes the result as large: no broadcast needed.
struct DropBroadcastOperand : OpRewritePattern<qg::BinaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::BinaryOp op,
                                PatternRewriter &rewriter) const override {
    for (unsigned i : {0, 1}) {
      auto broadcast = op->getOperand(i).getDefiningOp<qg::BroadcastOp>();
      if (!broadcast || getTensorType(op->getOperand(1 - i)).getShape() !=
                            op.getResultType().getShape())
        continue;
      rewriter.modifyOpInPlace(op,
                               [&] { op->setOperand(i, broadcast.getX()); });
      return success();
    }
    return rewriter.notifyMatchFailure(op, "no needless broadcast");
  }
};

/// (x + c) + d -> x + (c + d), (x * c) * d -> x * (c * d)
struct MergeConstants : OpRewritePattern<qg::BinaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::BinaryOp op,
                                PatternRewriter &rewriter) const override {
    BinaryKind kind = op.getKind();
    if ((kind != BinaryKind::add && kind != BinaryKind::mul) ||
        !op.getResultType().getElementType().isF32())
      return rewriter.notifyMatchFailure(op, "no float sum or product");
    auto [variable, outer] = split(op);
    auto inner =
        variable ? variable.getDefiningOp<qg::BinaryOp>() : qg::BinaryOp();
    if (!inner || inner.getKind() != kind || !inner->hasOneUse() ||
        inner.getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "no chain");
    auto [source, first] = split(inner);
    if (!source || source.getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "no chain of constants");
    std::optional<Value> merged = merge(rewriter, kind, first, outer);
    if (!merged)
      return rewriter.notifyMatchFailure(op, "shapes of neither constant fit");
    rewriter.replaceOpWithNewOp<qg::BinaryOp>(op, op.getType(), kind, source,
                                              *merged, DenseI64ArrayAttr());
    return success();
  }

private:
  /// The operand that varies and the one that is constant, or nulls.
  static std::pair<Value, Value> split(qg::BinaryOp op) {
    bool left = op.getLhs().getDefiningOp<qg::ConstantOp>() != nullptr;
    bool right = op.getRhs().getDefiningOp<qg::ConstantOp>() != nullptr;
    if (left == right)
      return {};
    return left ? std::pair<Value, Value>(op.getRhs(), op.getLhs())
                : std::pair<Value, Value>(op.getLhs(), op.getRhs());
  }

  /// Two constants of one shape, or one of them a splat.
  static std::optional<Value> merge(PatternRewriter &rewriter, BinaryKind kind,
                                    Value a, Value b) {
    if (matchSplatConstant(a))
      std::swap(a, b);
    std::optional<double> splat = matchSplatConstant(b);
    if (!splat && getTensorType(a) != getTensorType(b))
      return std::nullopt;
    if (getTensorType(a).getRank() < getTensorType(b).getRank())
      return std::nullopt;
    std::optional<Tensor> result = qg::matchConstant(a);
    std::optional<Tensor> other = qg::matchConstant(b);
    if (!result || !other)
      return std::nullopt;
    for (auto [i, number] : llvm::enumerate(result->mutableSpan<float>())) {
      float factor = other->span<float>()[splat ? 0 : i];
      bool isZero = number == 0 || factor == 0;
      number = kind == BinaryKind::add ? number + factor : number * factor;
      // A large x brings back what vanishes here.
      bool vanishes =
          kind == BinaryKind::mul && !isZero && !std::isnormal(number);
      if (!std::isfinite(number) || vanishes)
        return std::nullopt;
    }
    return qg::createConstant(rewriter, a.getLoc(), *result, getTensorType(a));
  }
};

/// sum over all spatial dimensions / their size -> pool avg
struct MeanToPool : OpRewritePattern<qg::BinaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::BinaryOp op,
                                PatternRewriter &rewriter) const override {
    auto sum = op.getLhs().getDefiningOp<qg::ReduceOp>();
    std::optional<double> number = matchSplatConstant(op.getRhs());
    if (!sum || !number || sum.getKind() != ReduceKind::sum ||
        !sum->hasOneUse() || sum.getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "no sum read only here");
    RankedTensorType type = getTensorType(sum.getX());
    if (!type.getElementType().isF32() || type.getRank() < 3)
      return rewriter.notifyMatchFailure(op, "no float image");
    ArrayRef<int64_t> spatial = type.getShape().drop_front().drop_back();
    SmallVector<int64_t> axes(sum.getAxes());
    llvm::sort(axes);
    for (auto [i, axis] : llvm::enumerate(axes))
      if (axis != int64_t(i) + 1 || axes.size() != spatial.size())
        return rewriter.notifyMatchFailure(op, "not the spatial dimensions");
    float count = getNumElements(spatial);
    if (axes.empty() || count == 0 ||
        !((op.getKind() == BinaryKind::div && *number == count) ||
          (op.getKind() == BinaryKind::mul && float(*number) == 1.0f / count)))
      return rewriter.notifyMatchFailure(op, "no mean");
    SmallVector<int64_t> shape(type.getShape()), ones(spatial.size(), 1),
        zeros(2 * spatial.size(), 0);
    std::fill(shape.begin() + 1, shape.end() - 1, 1);
    Value pooled = qg::PoolOp::create(
        rewriter, op.getLoc(),
        RankedTensorType::get(shape, type.getElementType()), PoolKind::avg,
        sum.getX(), spatial, ones, zeros, ones, /*count_include_pad=*/false);
    rewriter.replaceOpWithNewOp<qg::ReshapeOp>(op, op.getType(), pooled);
    return success();
  }
};

/// A mean over the last dimension, imported as a pooling of the transpose:
/// pool avg(transpose(x)) -> sum(x) / size
struct PoolOfTransposeToMean : OpRewritePattern<qg::PoolOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::PoolOp op,
                                PatternRewriter &rewriter) const override {
    auto transpose = op.getX().getDefiningOp<qg::TransposeOp>();
    RankedTensorType type = getTensorType(op.getX());
    ArrayRef<int64_t> spatial = type.getShape().drop_front().drop_back();
    if (!transpose || op.getKind() != PoolKind::avg ||
        !type.getElementType().isF32() || op.getKernel() != spatial ||
        llvm::any_of(op.getPads(), [](int64_t pad) { return pad != 0; }))
      return rewriter.notifyMatchFailure(op, "no mean of a transpose");
    SmallVector<int64_t> axes(
        transpose.getPermutation().drop_front().drop_back());
    llvm::sort(axes);
    // The batch must stay in front of the channels.
    if (axes.back() != type.getRank() - 1 ||
        transpose.getPermutation().front() > transpose.getPermutation().back())
      return rewriter.notifyMatchFailure(op, "pools over inner dimensions");
    auto reduced =
        RankedTensorType::get({type.getShape().front(), type.getShape().back()},
                              type.getElementType());
    Value sum = qg::ReduceOp::create(rewriter, op.getLoc(), reduced,
                                     ReduceKind::sum, transpose.getX(), axes);
    auto scalar = RankedTensorType::get({}, type.getElementType());
    Tensor size(DType::f32, {});
    size.setFloat(0, getNumElements(spatial));
    Value mean = qg::BinaryOp::create(
        rewriter, op.getLoc(), reduced, BinaryKind::div, sum,
        qg::createConstant(rewriter, op.getLoc(), size, scalar),
        DenseI64ArrayAttr());
    rewriter.replaceOpWithNewOp<qg::ReshapeOp>(op, op.getType(), mean);
    return success();
  }
};

struct SimplifyArithmetic
    : qopt::impl::SimplifyArithmeticBase<SimplifyArithmetic> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateSimplifyArithmeticPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace

void qopt::populateSimplifyArithmeticPatterns(RewritePatternSet &patterns) {
  patterns.add<DropNeutral, SquareByProduct, DropSecondRelu,
               DropBroadcastOperand, MergeConstants, ClampBeforeMaximum>(
      patterns.getContext());
  // Before its division turns into a product.
  patterns.add<MeanToPool, PoolOfTransposeToMean>(patterns.getContext(),
                                                  /*benefit=*/2);
  patterns.add<DivideByPowerOfTwo>(patterns.getContext());
}
