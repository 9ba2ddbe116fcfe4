//===- RecognizeGrids.cpp - Quantization that a file writes as arithmetic -===//
// SPDX-License-Identifier: Apache-2.0
//
// Trainers with rounding in the loop export floats: Round, Clip and a factor,
// integers behind Cast, Sub and Mul. This pass says it in types, before
// anything is quantized, so that nothing is rounded a second time.
//===----------------------------------------------------------------------===//
#include "../FoldQDQ/FoldQDQ.h"
#include "StoredIntegers.h"
#include "WeightGrid.h"
#include "qopt/Dialect/QG/IR/DecodedNotes.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"
#include "llvm/ADT/SetVector.h"

namespace qopt {
#include "qopt/Transforms/RecognizeGrids.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

//===----------------------------------------------------------------------===//
// Forms of exporters
//===----------------------------------------------------------------------===//

/// `x > c ? c : x` is a minimum, also for NaN; with c = 0 the sign of a zero
/// would differ.
static Value matchBound(OpBuilder &builder, qg::SelectOp op) {
  auto compare = op.getCondition().getDefiningOp<qg::CompareOp>();
  if (!compare || !getTensorType(op.getResult()).getElementType().isF32())
    return {};
  Value x = compare.getLhs(), bound = compare.getRhs();
  bool isGreater = compare.getPredicate() == ComparePredicate::gt;
  if (!isGreater && compare.getPredicate() != ComparePredicate::lt)
    return {};
  if (qg::matchConstant(x)) {
    std::swap(x, bound);
    isGreater = !isGreater;
  }
  if (!qg::matchConstant(bound) || op.getOnTrue() != bound ||
      op.getOnFalse() != x || getShape(x) != getShape(op.getResult()))
    return {};
  return qg::BinaryOp::create(builder, op.getLoc(), op.getResult().getType(),
                              isGreater ? BinaryKind::min : BinaryKind::max, x,
                              bound, DenseI64ArrayAttr());
}

static Value getNegated(Value value) {
  auto op = value.getDefiningOp<qg::UnaryOp>();
  return op && op.getKind() == UnaryKind::neg ? op.getX() : Value();
}

/// q of q - x, in either of the ways to write it; null if it is none.
static Value matchDifference(Value difference, Value x) {
  auto op = difference.getDefiningOp<qg::BinaryOp>();
  if (!op)
    return {};
  if (op.getKind() == BinaryKind::sub)
    return op.getRhs() == x ? op.getLhs() : Value();
  if (op.getKind() != BinaryKind::add)
    return {};
  if (getNegated(op.getLhs()) == x)
    return op.getRhs();
  return getNegated(op.getRhs()) == x ? op.getLhs() : Value();
}

/// q of x + (q - x), the straight-through estimator of a rounding.
static Value matchStraightThrough(qg::BinaryOp op, GridAnalysis &analysis) {
  if (op.getKind() != BinaryKind::add)
    return {};
  for (auto [x, difference] :
       {std::pair<Value, Value>(op.getLhs(), op.getRhs()),
        std::pair<Value, Value>(op.getRhs(), op.getLhs())}) {
    Value q = matchDifference(difference, x);
    if (q && q.getType() == op.getResult().getType() &&
        (analysis.isRounded(q) || analysis.getGrid(q)))
      return q;
  }
  return {};
}

/// q of q + (x - x), what is left of an estimator whose two sides are the same.
static Value matchNoDifference(qg::BinaryOp op, GridAnalysis &analysis) {
  if (op.getKind() != BinaryKind::add)
    return {};
  for (auto [q, difference] :
       {std::pair<Value, Value>(op.getLhs(), op.getRhs()),
        std::pair<Value, Value>(op.getRhs(), op.getLhs())}) {
    auto zero = difference.getDefiningOp<qg::BinaryOp>();
    if (zero && zero.getKind() == BinaryKind::sub &&
        zero.getLhs() == zero.getRhs() &&
        q.getType() == op.getResult().getType() && analysis.isRounded(q))
      return q;
  }
  return {};
}

namespace {
/// A product of a value and a truth value.
struct Masked {
  Value condition, value;
};
} // namespace

static std::optional<Masked> matchMasked(Value product) {
  auto op = product.getDefiningOp<qg::BinaryOp>();
  if (!op || op.getKind() != BinaryKind::mul)
    return std::nullopt;
  for (auto [mask, value] : {std::pair<Value, Value>(op.getLhs(), op.getRhs()),
                             std::pair<Value, Value>(op.getRhs(), op.getLhs())})
    if (auto cast = mask.getDefiningOp<qg::CastOp>();
        cast && getTensorType(cast.getX()).getElementType().isInteger(1))
      return Masked{cast.getX(), value};
  return std::nullopt;
}

static bool isNegationOf(Value negation, Value condition) {
  auto op = negation.getDefiningOp<qg::CompareOp>();
  if (!op)
    return false;
  // The importer's Not.
  if (op.getPredicate() == ComparePredicate::eq)
    return op.getLhs() == condition && matchSplatNumber(op.getRhs()) == 0.0;
  auto less = condition.getDefiningOp<qg::CompareOp>();
  return less && op.getPredicate() == ComparePredicate::gt &&
         less.getPredicate() == ComparePredicate::le &&
         op.getLhs() == less.getLhs() && op.getRhs() == less.getRhs();
}

/// (x <= top) * relu(x) + (x > top) * top is min(relu(x), top), as is the same
/// without the relu: how Keras cuts a relu off.
static Value matchMaskedBound(OpBuilder &builder, qg::BinaryOp op) {
  std::optional<Masked> low = matchMasked(op.getLhs());
  std::optional<Masked> high = matchMasked(op.getRhs());
  if (op.getKind() != BinaryKind::add || !low || !high)
    return {};
  if (qg::matchConstant(low->value))
    std::swap(low, high);
  auto compare = low->condition.getDefiningOp<qg::CompareOp>();
  if (!compare || compare.getPredicate() != ComparePredicate::le ||
      !isNegationOf(high->condition, low->condition))
    return {};
  std::optional<double> top = matchSplatNumber(compare.getRhs());
  Value x = low->value;
  if (auto relu = x.getDefiningOp<qg::UnaryOp>();
      relu && relu.getKind() == UnaryKind::relu && top && *top >= 0)
    x = relu.getX();
  if (!top || x != compare.getLhs() || matchSplatNumber(high->value) != top ||
      x.getType() != op.getResult().getType())
    return {};
  return qg::BinaryOp::create(builder, op.getLoc(), op.getResult().getType(),
                              BinaryKind::min, low->value, compare.getRhs(),
                              DenseI64ArrayAttr());
}

//===----------------------------------------------------------------------===//
// Which values
//===----------------------------------------------------------------------===//

namespace {
/// Who reads a value, besides ops whose results lie on grids themselves.
struct Readers {
  bool products = false, others = false;
};

struct RecognizeGrids : qopt::impl::RecognizeGridsBase<RecognizeGrids> {
  void runOnOperation() override;

private:
  void simplify(GridAnalysis &analysis);
  void encodeValues(GridAnalysis &analysis);
  void encodeWeights();
  static void findReaders(Value value, GridAnalysis &analysis,
                          Readers &readers);
  static bool isWorthEncoding(Value value, GridAnalysis &analysis,
                              qg::QuantizedType type);
  void eraseDead();

  llvm::DenseSet<Operation *> encoded;
};
} // namespace

void RecognizeGrids::findReaders(Value value, GridAnalysis &analysis,
                                 Readers &readers) {
  for (Operation *user : value.getUsers()) {
    // It is encoded as it is.
    if (isa<qg::QuantizeOp>(user))
      continue;
    if (isa<LinearOpInterface>(user))
      readers.products = true;
    else if (user->getNumResults() == 1 &&
             analysis.getGrid(user->getResult(0))) {
      if (keepsGrid(user))
        findReaders(user->getResult(0), analysis, readers);
    } else
      readers.others = true;
  }
}

/// The last value on its grid, of an encoding that somebody can make use of:
/// products do of any, all others of bytes with a scale.
bool RecognizeGrids::isWorthEncoding(Value value, GridAnalysis &analysis,
                                     qg::QuantizedType type) {
  Operation *op = value.getDefiningOp();
  if (!type || !op || isa<qg::DequantizeOp>(op))
    return false;
  if (keepsGrid(op) && analysis.getGrid(op->getOperand(0)))
    return false;
  Readers readers;
  findReaders(value, analysis, readers);
  bool isScaled = type.getScale() != 1;
  return readers.products || (readers.others && isScaled &&
                              type.getIntegerFormat().storageBits() == 8);
}

void RecognizeGrids::simplify(GridAnalysis &analysis) {
  OpBuilder builder(&getContext());
  for (Operation &op : llvm::make_early_inc_range(getOperation().getOps())) {
    Value same;
    builder.setInsertionPoint(&op);
    if (auto select = dyn_cast<qg::SelectOp>(op))
      same = matchBound(builder, select);
    else if (auto binary = dyn_cast<qg::BinaryOp>(op)) {
      same = matchStraightThrough(binary, analysis);
      if (!same)
        same = matchNoDifference(binary, analysis);
      if (!same)
        same = matchMaskedBound(builder, binary);
    }
    if (same)
      op.getResult(0).replaceAllUsesWith(same);
  }
}

void RecognizeGrids::encodeValues(GridAnalysis &analysis) {
  SmallVector<std::pair<Value, qg::QuantizedType>> found;
  for (Operation &op : getOperation().getOps()) {
    if (op.getNumResults() != 1 ||
        !isa<RankedTensorType>(op.getResult(0).getType()))
      continue;
    Value value = op.getResult(0);
    std::optional<ValueGrid> grid = analysis.getGrid(value);
    qg::QuantizedType type =
        grid ? grid->getType(&getContext()) : qg::QuantizedType();
    if (isWorthEncoding(value, analysis, type))
      found.push_back({value, type});
  }
  OpBuilder builder(&getContext());
  for (auto [value, type] : found) {
    Value stored = StoredIntegers(builder, analysis, type).encode(value);
    // Networks that nobody quantizes keep what the ops compute.
    if (!analysis.getGrid(value)->isExact)
      stored.getDefiningOp()->setAttr(qg::kToLastBitAttr,
                                      builder.getUnitAttr());
    builder.setInsertionPointAfterValue(stored);
    auto real = qg::DequantizeOp::create(builder, value.getLoc(),
                                         value.getType(), stored);
    value.replaceUsesWithIf(real, [&](OpOperand &use) {
      return use.getOwner()->getBlock() &&
             !use.getOwner()->isBeforeInBlock(real);
    });
    encoded.insert(real);
  }
}

/// The encoding of what an op reads, if this pass found it.
static qg::QuantizedType
getFoundEncoding(Value input, const llvm::DenseSet<Operation *> &encoded) {
  while (input.getDefiningOp() && keepsGrid(input.getDefiningOp()))
    input = input.getDefiningOp()->getOperand(0);
  Operation *op = input.getDefiningOp();
  return op && encoded.contains(op)
             ? qg::getQuantizedType(op->getOperand(0).getType())
             : qg::QuantizedType();
}

void RecognizeGrids::encodeWeights() {
  OpBuilder builder(&getContext());
  SmallVector<LinearOpInterface> products;
  getOperation().walk([&](LinearOpInterface op) { products.push_back(op); });
  for (LinearOpInterface op : products) {
    if (recognizeWeightArithmetic(builder, op))
      continue;
    qg::QuantizedType input = getFoundEncoding(op.getInput(), encoded);
    if (input && input.getIntegerFormat().storageBits() == 8)
      recognizeWeightSteps(builder, op, input);
  }
}

/// What led to the values alone; arguments may have other types now.
void RecognizeGrids::eraseDead() {
  SmallVector<Operation *> ops;
  for (Operation &op : getOperation().getOps())
    ops.push_back(&op);
  for (Operation *op : llvm::reverse(ops))
    if (isOpTriviallyDead(op))
      op->erase();
}

void RecognizeGrids::runOnOperation() {
  if (getOperation().isExternal())
    return;
  encoded.clear();
  bool hasEncodings = false;
  getOperation().walk([&](Operation *op) {
    hasEncodings |= isa<qg::QuantizeOp, qg::DequantizeOp>(op);
  });
  {
    GridAnalysis analysis(hasEncodings);
    simplify(analysis);
  }
  GridAnalysis analysis(hasEncodings);
  encodeValues(analysis);
  encodeWeights();
  // Encodings of 16-bit files are seen where products read them.
  RewritePatternSet patterns(&getContext());
  populateWidenHalvesPatterns(patterns);
  walkAndApplyPatterns(getOperation(), std::move(patterns));
  eraseDead();
}
