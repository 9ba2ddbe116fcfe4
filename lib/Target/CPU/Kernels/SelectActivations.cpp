//===- SelectActivations.cpp - Products of two activations to kernels -----===//
// SPDX-License-Identifier: Apache-2.0
//
// A batch of products is one image whose rows have weights of their own. Both
// factors and the result are read and written through the transposes around
// them, so that the heads of an attention stay where they are.
//===----------------------------------------------------------------------===//
#include "ActivationKernel.h"
#include "KernelFrame.h"
#include "PackWeights.h"
#include "qopt/Conversion/LinalgBuilder.h"
#include "qopt/Dialect/FXP/IR/FXP.h"
#include "qopt/Target/CPU/IR/QCPU.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qcpu;
using utils::IteratorType;

/// Fewer rows of a product are not worth packing its right-hand factor. Loops
/// read floats as they lie, where rows are contiguous, which pays for longer.
static constexpr int64_t kLeastRows = 4, kLeastRowsOfFloats = 8;

namespace {
/// A tensor of rank 4 and the order in which a product reads its dimensions.
struct Ordered {
  Value x;
  SmallVector<int64_t> order{0, 1, 2, 3};

  SmallVector<int64_t> getShape() const {
    return inOrder(getTensorType(x).getShape(), ArrayRef(order));
  }
};

struct ActivationProduct {
  Operation *op;
  Ordered lhs, rhs;           ///< [B, H, M, K] and [B, H, K, N]
  SmallVector<int64_t> shape; ///< [B, H, M, N]
  Tensor bias;                ///< [N]
  int64_t lhsZp = 0, rhsZp = 0;
  bool lhsUnsigned = false, rhsUnsigned = false;

  bool isFloat() const { return bias.dtype() == DType::f32; }
  int64_t depth() const { return lhs.getShape()[3]; }
};

class ActivationBuilder {
public:
  ActivationBuilder(const KernelTarget &target, ActivationProduct product)
      : target(target), p(std::move(product)) {}

  void build(OpBuilder &builder);

private:
  void replace(OpBuilder &builder);
  void chooseTile();
  bool sharesWeights() const { return p.shape[0] * p.shape[1] == 1; }
  Value packRight(OpBuilder &builder) const;
  Value sumBytes(OpBuilder &builder, const Ordered &of, unsigned kept,
                 bool isUnsigned) const;
  Value createBias(OpBuilder &builder, const Packing &packing) const;
  Value createRowTerms(OpBuilder &builder) const;
  Value createKernel(OpBuilder &builder, KernelFrame &frame, Value x,
                     ArrayRef<int64_t> yOrder);
  DenseI64ArrayAttr getTile(OpBuilder &builder) const {
    return builder.getDenseI64ArrayAttr(
        {dot.rows, dot.vectors, dot.lanes, dot.pack});
  }

  const KernelTarget &target;
  ActivationProduct p;
  DotChoice dot;
  int64_t lhsShift = 0, rhsShift = 0; ///< what kernels take off bytes
};
} // namespace

/// `[b..., R, C]` as `[B, H, R, C]`.
static SmallVector<int64_t> toFour(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> four(4, 1);
  int64_t missing = 4 - int64_t(shape.size());
  for (auto [i, extent] : llvm::enumerate(shape))
    four[std::max<int64_t>(0, missing + int64_t(i))] *= extent;
  return four;
}

/// A transpose that leaves dimension 3 among the last `inner` ones is read
/// through.
static Ordered readThrough(OpBuilder &builder, Value value,
                           ArrayRef<int64_t> shape, unsigned inner) {
  auto transpose = value.getDefiningOp<qg::TransposeOp>();
  if (!transpose || transpose.getPermutation().size() != 4 ||
      !llvm::is_contained(transpose.getPermutation().take_back(inner), 3))
    return {castShape(builder, value.getLoc(), value, shape)};
  return {transpose.getX(), SmallVector<int64_t>(transpose.getPermutation())};
}

template <typename MatmulOp>
static bool readFactors(OpBuilder &builder, MatmulOp op,
                        ActivationProduct &product) {
  Value left = op.getLhs(), right = op.getRhs();
  SmallVector<int64_t> lhs = toFour(getTensorType(left).getShape());
  SmallVector<int64_t> rhs = toFour(getTensorType(right).getShape());
  product.shape = toFour(getTensorType(op.getResult()).getShape());
  // One matrix for all rows: rows of one batch.
  if (getTensorType(right).getRank() == 2)
    for (SmallVector<int64_t> *shape : {&lhs, &product.shape}) {
      (*shape)[2] *= (*shape)[0] * (*shape)[1];
      (*shape)[0] = (*shape)[1] = 1;
    }
  bool readsRows = getTensorType(right).getElementType().isF32() &&
                   !op.getTransposeRhs() &&
                   !right.template getDefiningOp<qg::TransposeOp>();
  if (product.shape[2] < (readsRows ? kLeastRowsOfFloats : kLeastRows))
    return false;
  bool isMoved = getTensorType(left).getShape() != ArrayRef(lhs);
  product.lhs = isMoved ? Ordered{castShape(builder, op.getLoc(), left, lhs)}
                        : readThrough(builder, left, lhs, /*inner=*/1);
  product.rhs = readThrough(builder, right, rhs, /*inner=*/2);
  if (op.getTransposeRhs())
    std::swap(product.rhs.order[2], product.rhs.order[3]);
  return true;
}

static bool hasBytes(fxp::MatmulOp op) {
  return getTensorType(op.getLhs()).getElementType().isInteger(8) &&
         getTensorType(op.getRhs()).getElementType().isInteger(8);
}

static std::optional<ActivationProduct> matchActivations(OpBuilder &builder,
                                                         Operation *op) {
  if (llvm::any_of(op->getOperandTypes(),
                   [](Type type) {
                     return cast<RankedTensorType>(type).getNumElements() == 0;
                   }) ||
      getTensorType(op->getResult(0)).getNumElements() == 0)
    return std::nullopt;
  ActivationProduct product;
  product.op = op;
  Value bias = op->getNumOperands() > 2 ? op->getOperand(2) : Value();
  int64_t channels = getTensorType(op->getResult(0)).getShape().back();
  product.bias = Tensor(DType::f32, {channels});
  if (std::optional<Tensor> known =
          bias ? qg::matchConstant(bias) : std::optional<Tensor>())
    product.bias = *known;
  else if (bias)
    return std::nullopt;
  if (auto matmul = dyn_cast<fxp::MatmulOp>(op)) {
    if (!hasBytes(matmul) || !readFactors(builder, matmul, product))
      return std::nullopt;
    product.lhsZp = matmul.getLhsZp();
    product.rhsZp = matmul.getRhsZp();
    product.lhsUnsigned = matmul.getLhsUnsigned();
    product.rhsUnsigned = matmul.getRhsUnsigned();
    return product;
  }
  auto matmul = dyn_cast<qg::MatmulOp>(op);
  if (!matmul || !readFactors(builder, matmul, product))
    return std::nullopt;
  return product;
}

void ActivationBuilder::chooseTile() {
  dot = p.isFloat() ? target.real : fitIntegerDot(target, p.depth());
  fitTile(dot, p.shape[3], p.shape[2]);
  rhsShift = !p.isFloat() && p.rhsUnsigned ? 128 : 0;
}

Value ActivationBuilder::packRight(OpBuilder &builder) const {
  Location loc = p.op->getLoc();
  int64_t size = p.shape[0] * p.shape[1] *
                 int64_t(llvm::alignTo(p.depth(), dot.pack)) *
                 int64_t(llvm::alignTo(p.shape[3], dot.lanes));
  Value init = tensor::EmptyOp::create(builder, loc, ArrayRef<int64_t>{size},
                                       getTensorType(p.rhs.x).getElementType());
  return PackOp::create(builder, loc, TypeRange{init.getType()},
                        builder.getDenseI64ArrayAttr(p.rhs.order),
                        getTile(builder), builder.getI64IntegerAttr(rhsShift),
                        p.rhs.x, init)
      .getResult(0);
}

/// Sums of bytes over K: [B, H, `kept`], where `kept` is one of the last two
/// dimensions in order.
Value ActivationBuilder::sumBytes(OpBuilder &b, const Ordered &of,
                                  unsigned kept, bool isUnsigned) const {
  LinalgBuilder builder{b, p.op->getLoc()};
  SmallVector<int64_t> shape = of.getShape();
  // Loops b, h and the last two, the dimension that is contiguous innermost.
  bool keepsInner = of.order[kept] == 3;
  unsigned keptLoop = keepsInner ? 3 : 2, summedLoop = keepsInner ? 2 : 3;
  SmallVector<AffineExpr> exprs(4);
  for (unsigned i : {0, 1})
    exprs[of.order[i]] = b.getAffineDimExpr(i);
  exprs[of.order[kept]] = b.getAffineDimExpr(keptLoop);
  exprs[of.order[5 - kept]] = b.getAffineDimExpr(summedLoop);
  SmallVector<AffineExpr> outExprs{b.getAffineDimExpr(0), b.getAffineDimExpr(1),
                                   b.getAffineDimExpr(keptLoop)};
  SmallVector<AffineMap> maps{AffineMap::get(4, 0, exprs, b.getContext()),
                              AffineMap::get(4, 0, outExprs, b.getContext())};
  SmallVector<IteratorType> iterators(4, IteratorType::parallel);
  iterators[summedLoop] = IteratorType::reduction;
  Type i32 = b.getI32Type();
  Value init =
      builder.fill({shape[0], shape[1], shape[kept]}, builder.integer(i32, 0));
  return builder.reduce(
      {of.x}, init, maps, iterators,
      [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
        Value wide =
            isUnsigned
                ? arith::ExtUIOp::create(b, loc, i32, args[0])
                : arith::ExtSIOp::create(b, loc, i32, args[0]).getResult();
        return arith::AddIOp::create(b, loc, args[1], wide);
      });
}

/// sums * factor + rest, wrapping as accumulators do.
static Value scaleSums(LinalgBuilder &builder, Value sums, int64_t factor,
                       Value rest) {
  RankedTensorType type = getTensorType(sums);
  return builder.pointwise(
      type.getShape(), type.getElementType(), {sums, rest},
      [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
        LinalgBuilder inner{b, loc};
        Value by = inner.integer(type.getElementType(), factor);
        return arith::AddIOp::create(
            b, loc, arith::MulIOp::create(b, loc, args[0], by), args[1]);
      });
}

/// sum (l - a)(r - b) = sum l' r' - a' sum r - b' sum l' + K a' b, where l' =
/// l - shift and a' = a - shift, and alike on the right: the second and last
/// term, which depend on the column, are where accumulators start.
Value ActivationBuilder::createBias(OpBuilder &b,
                                    const Packing &packing) const {
  Location loc = p.op->getLoc();
  int64_t zp = p.lhsZp - lhsShift;
  if (p.isFloat() || zp == 0) {
    bool isZero = llvm::all_of(p.bias.span<int32_t>(),
                               [](int32_t value) { return value == 0; });
    return createPacked(b, loc,
                        isZero ? Tensor(p.bias.dtype(), {1})
                               : padChannels(p.bias, packing));
  }
  LinalgBuilder builder{b, loc};
  Tensor rest = p.bias;
  for (int32_t &value : rest.mutableSpan<int32_t>())
    value = int32_t(uint64_t(int64_t(value)) +
                    uint64_t(p.depth()) * uint64_t(zp) * uint64_t(p.rhsZp));
  Value sums = sumBytes(b, p.rhs, /*kept=*/3, p.rhsUnsigned);
  Value bias = scaleSums(builder, sums, -zp, builder.constant(rest, "bias"));
  return builder.reshape(bias, {p.shape[0] * p.shape[1], p.shape[3]});
}

/// The third term of createBias, [B, H, M, 1]: -b' sum l + K shift b'. Nothing
/// where b' is 0.
Value ActivationBuilder::createRowTerms(OpBuilder &b) const {
  int64_t zp = p.rhsZp - rhsShift;
  if (p.isFloat() || zp == 0)
    return {};
  LinalgBuilder builder{b, p.op->getLoc()};
  Tensor rest(DType::i32, {1});
  rest.setInt(0,
              int32_t(uint64_t(p.depth()) * uint64_t(lhsShift) * uint64_t(zp)));
  Value sums = sumBytes(b, p.lhs, /*kept=*/2, p.lhsUnsigned);
  Value terms = scaleSums(builder, sums, -zp, builder.constant(rest, "rest"));
  return builder.reshape(terms, {p.shape[0], p.shape[1], p.shape[2], 1});
}

/// The accumulator of `body` is what it was plus the last argument.
static void addLastArgument(OpBuilder &builder, Block &body) {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&body);
  Value acc = body.getArgument(0);
  auto sum = arith::AddIOp::create(builder, acc.getLoc(), acc,
                                   body.getArguments().back());
  acc.replaceAllUsesExcept(sum, sum);
}

Value ActivationBuilder::createKernel(OpBuilder &builder, KernelFrame &frame,
                                      Value x, ArrayRef<int64_t> yOrder) {
  Location loc = p.op->getLoc();
  Packing packing{1, dot.vectors, dot.lanes, dot.pack};
  packing.endsEarly = true;
  Value weight = packRight(builder);
  Value bias = createBias(builder, packing);
  SmallVector<Value> extras =
      frame.createExtras(p.shape, [&](const Tensor &values) {
        return padChannels(values, packing);
      });
  Value rowTerms = createRowTerms(builder);
  if (rowTerms)
    extras.push_back(rowTerms);
  SmallVector<int64_t> shape(4);
  for (auto [i, dimension] : llvm::enumerate(yOrder))
    shape[dimension] = p.shape[i];
  Value init = tensor::EmptyOp::create(builder, loc, shape,
                                       frame.getType().getElementType());
  DenseI64ArrayAttr ones = builder.getDenseI64ArrayAttr({1, 1});
  auto op = ConvOp::create(
      builder, loc, TypeRange{init.getType()}, builder.getStringAttr(dot.name),
      getTile(builder), ones, ones, ones, /*planes=*/DenseI64ArrayAttr(),
      builder.getI64IntegerAttr(1),
      p.lhsUnsigned && lhsShift == 0 ? builder.getUnitAttr() : UnitAttr(),
      sharesWeights() ? UnitAttr() : builder.getUnitAttr(),
      builder.getDenseI64ArrayAttr(p.lhs.order),
      builder.getDenseI64ArrayAttr(yOrder), x, weight, bias, extras, init);
  EpilogueStyle style{target.real.name == "fma", /*hasVectors=*/true};
  frame.fill(op, getTensorType(bias).getElementType(), extras, style);
  if (rowTerms)
    addLastArgument(builder, op.getEpilogue().front());
  return op.getResult(0);
}

/// The transpose that alone reads `value` and leaves channels where they are.
static qg::TransposeOp getTranspose(Value value) {
  if (!value.hasOneUse())
    return {};
  auto transpose = dyn_cast<qg::TransposeOp>(*value.user_begin());
  if (!transpose || transpose.getPermutation().size() != 4 ||
      transpose.getPermutation().back() != 3)
    return {};
  return transpose;
}

/// What was read through.
static void eraseUnread(Operation *op) {
  if (op && isa<qg::TransposeOp>(op) && op->use_empty())
    op->erase();
}

void ActivationBuilder::build(OpBuilder &builder) {
  Operation *left = p.op->getOperand(0).getDefiningOp();
  Operation *right = p.op->getOperand(1).getDefiningOp();
  replace(builder);
  eraseUnread(left);
  if (right != left)
    eraseUnread(right);
}

void ActivationBuilder::replace(OpBuilder &builder) {
  chooseTile();
  KernelFrame frame(builder, p.op,
                    {/*prefersWords=*/false,
                     /*hasBroadcasts=*/true});
  KernelInput input{p.op->getLoc(), p.lhs.x};
  input.zeroPoint = p.lhsZp;
  input.isUnsigned = p.lhsUnsigned;
  if (!p.isFloat())
    lhsShift = input.getShift(dot);
  Value x = stageInput(builder, dot, input);
  SmallVector<int64_t> yOrder{0, 1, 2, 3};
  qg::TransposeOp transpose = getTranspose(frame.getResult());
  if (!transpose || frame.getType().getShape() != ArrayRef(p.shape))
    return frame.replaceBy(createKernel(builder, frame, x, yOrder));
  for (auto [i, from] : llvm::enumerate(transpose.getPermutation()))
    yOrder[from] = i;
  Value result = createKernel(builder, frame, x, yOrder);
  transpose.getResult().replaceAllUsesWith(result);
  transpose.erase();
  frame.erase();
}

void qopt::qcpu::selectActivations(Operation *op, const KernelTarget &target) {
  if (target.hasWords || !isa<qg::MatmulOp, fxp::MatmulOp>(op))
    return;
  OpBuilder builder(op);
  if (std::optional<ActivationProduct> product = matchActivations(builder, op))
    ActivationBuilder(target, std::move(*product)).build(builder);
}
