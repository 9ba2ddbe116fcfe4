//===- ConvertStepsToThresholds.cpp - Signs of sums without floats
//---------===//
// SPDX-License-Identifier: Apache-2.0
//
// What a step of one height says about an integer is whether it has reached a
// threshold. Its place is found by the reference semantics of the ops that it
// replaces, bias and normalization with all their roundings, so it is exact.
//===----------------------------------------------------------------------===//
#include "Patterns.h"
#include "Pointwise.h"
#include "qopt/Analysis/ChannelConstant.h"
#include "qopt/Analysis/SumRange.h"
#include "qopt/Conversion/QGToFXP.h"
#include "qopt/Dialect/QG/IR/Encodings.h"
#include "qopt/Dialect/QG/Reference/IntegerLinear.h"
#include "qopt/Numerics/Affine.h"

#include "mlir/Pass/Pass.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

namespace qopt {
#include "qopt/Conversion/ConvertStepsToThresholds.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;
using namespace qopt::qgtofxp;

namespace {
/// A monotone function by channel between the sums of a product and a
/// quantize, with a maximum over windows between its parts or without.
struct Step {
  LinearOpInterface product;
  qg::QuantizeOp quantize;
  /// In topological order; the quantize is the last. With a pool, those behind
  /// it, and `before` those in front of it.
  SmallVector<Operation *> ops, before;
  qg::PoolOp pool;
  /// Whether what it computes between is read by others as well.
  bool isShared = false;
};

/// Where the stored result of a channel changes: below `first` it is `before`,
/// from `last` on `after`, `between` in between.
struct Jump {
  int64_t first, last;
  int64_t before, between, after;
};
} // namespace

static bool isMonotone(BinaryKind kind) {
  return llvm::is_contained({BinaryKind::add, BinaryKind::sub, BinaryKind::mul,
                             BinaryKind::max, BinaryKind::min},
                            kind);
}

static bool isMonotone(UnaryKind kind) {
  return llvm::is_contained({UnaryKind::neg, UnaryKind::sign, UnaryKind::relu,
                             UnaryKind::floor, UnaryKind::ceil,
                             UnaryKind::round_even},
                            kind);
}

static bool isMonotone(ComparePredicate predicate) {
  return llvm::is_contained({ComparePredicate::lt, ComparePredicate::le,
                             ComparePredicate::gt, ComparePredicate::ge},
                            predicate);
}

/// Finite constants, one number or one a channel.
static bool isChannelConstant(Value value, int64_t channels) {
  int64_t rank = getTensorType(value).getRank();
  return matchChannelConstant(value, channels, std::max<int64_t>(rank, 1))
      .has_value();
}

/// The one operand that a monotone function of it and of constants reads; null
/// for other ops. Float rounding keeps what is monotone so.
static Value getMonotoneInput(Operation *op) {
  bool isMonotoneOp =
      llvm::TypeSwitch<Operation *, bool>(op)
          .Case([](qg::BinaryOp op) { return isMonotone(op.getKind()); })
          .Case([](qg::UnaryOp op) { return isMonotone(op.getKind()); })
          .Case([](qg::CompareOp op) { return isMonotone(op.getPredicate()); })
          .Case<qg::SelectOp, qg::CastOp>([](Operation *) { return true; })
          .Default(false);
  if (!isMonotoneOp)
    return {};
  Value input;
  ArrayRef<int64_t> shape = getShape(op->getResult(0));
  for (Value operand : op->getOperands()) {
    if (!shape.empty() && isChannelConstant(operand, shape.back()))
      continue;
    if (input || getShape(operand) != shape)
      return {};
    input = operand;
  }
  // The branches of a select are constants.
  if (auto select = dyn_cast<qg::SelectOp>(op);
      select && input != select.getCondition())
    return {};
  return input;
}

static std::optional<Step> findStep(qg::QuantizeOp quantize) {
  Step step{{}, quantize, {quantize}, {}, {}, false};
  Value value = quantize.getX();
  while (Operation *op = value.getDefiningOp()) {
    step.isShared |= !value.hasOneUse();
    if (auto product = dyn_cast<LinearOpInterface>(op)) {
      step.product = product;
      std::reverse(step.ops.begin(), step.ops.end());
      std::reverse(step.before.begin(), step.before.end());
      return step;
    }
    auto pool = dyn_cast<qg::PoolOp>(op);
    if (pool && pool.getKind() == PoolKind::max && !step.pool) {
      step.pool = pool;
      value = pool.getX();
      continue;
    }
    value = getMonotoneInput(op);
    // Behind a maximum, only what surely grows: an offset.
    auto offset = dyn_cast<qg::BinaryOp>(op);
    if (!value ||
        (step.pool && !(offset && offset.getKind() == BinaryKind::add)))
      return std::nullopt;
    (step.pool ? step.before : step.ops).push_back(op);
  }
  return std::nullopt;
}

namespace {
/// Finds the jumps of all channels at once.
class JumpFinder {
public:
  JumpFinder(const Step &step, const qg::IntegerLinear &integer)
      : step(step), integer(integer) {}

  /// Nothing where a channel has more than one level between its ends.
  FailureOr<SmallVector<Jump>> find(ArrayRef<SumRange> ranges);

private:
  using Levels = SmallVector<int64_t>;
  FailureOr<Levels> evaluate(ArrayRef<int64_t> sums);
  /// The least sums whose level is not `from`, or is `to` with `reaches`.
  FailureOr<Levels> bisect(ArrayRef<SumRange> ranges, ArrayRef<int64_t> levels,
                           bool reaches);

  const Step &step;
  const qg::IntegerLinear &integer;
};
} // namespace

FailureOr<JumpFinder::Levels> JumpFinder::evaluate(ArrayRef<int64_t> sums) {
  Tensor reals(DType::f32, {int64_t(sums.size())});
  EvalBuilder b;
  for (auto [channel, sum] : llvm::enumerate(sums)) {
    float scale = integer.scales[integer.scales.size() == 1 ? 0 : channel];
    reals.mutableSpan<float>()[channel] =
        numerics::emitDequantize(b, int32_t(sum), 0, scale);
  }
  Value source = step.product->getResult(0);
  FailureOr<Tensor> stored = reals;
  if (qg::PoolOp pool = step.pool) {
    stored = evaluatePointwise(step.before, source, reals);
    source = pool.getResult();
  }
  if (succeeded(stored))
    stored = evaluatePointwise(step.ops, source, *stored);
  if (failed(stored))
    return failure();
  Levels levels;
  for (size_t i = 0; i < sums.size(); ++i)
    levels.push_back(stored->getInt(i));
  return levels;
}

FailureOr<JumpFinder::Levels> JumpFinder::bisect(ArrayRef<SumRange> ranges,
                                                 ArrayRef<int64_t> levels,
                                                 bool reaches) {
  // Invariant: below `low` nothing has jumped, at `high` everything has.
  Levels low, high;
  for (const SumRange &range : ranges) {
    low.push_back(range.low);
    high.push_back(range.high + 1);
  }
  while (low != high) {
    Levels middle;
    for (auto [from, to] : llvm::zip(low, high))
      middle.push_back(from + (to - from) / 2);
    // A channel that is done asks for what it knows.
    Levels asked(middle);
    for (auto [sum, range] : llvm::zip(asked, ranges))
      sum = std::min(sum, range.high);
    FailureOr<Levels> found = evaluate(asked);
    if (failed(found))
      return failure();
    for (size_t i = 0; i < middle.size(); ++i) {
      bool jumped = reaches == ((*found)[i] == levels[i]);
      if (low[i] < high[i])
        (jumped ? high[i] : low[i]) = jumped ? middle[i] : middle[i] + 1;
    }
  }
  return low;
}

FailureOr<SmallVector<Jump>> JumpFinder::find(ArrayRef<SumRange> ranges) {
  Levels low, high;
  for (const SumRange &range : ranges) {
    low.push_back(range.low);
    high.push_back(range.high);
  }
  FailureOr<Levels> before = evaluate(low), after = evaluate(high);
  if (failed(before) || failed(after))
    return failure();
  FailureOr<Levels> first = bisect(ranges, *before, /*reaches=*/false);
  FailureOr<Levels> last = bisect(ranges, *after, /*reaches=*/true);
  if (failed(first) || failed(last))
    return failure();
  SmallVector<Jump> jumps;
  Levels start, end;
  for (size_t i = 0; i < ranges.size(); ++i) {
    // Of a constant channel there is neither.
    start.push_back(std::min((*first)[i], ranges[i].high));
    end.push_back(std::max((*last)[i] - 1, ranges[i].low));
  }
  FailureOr<Levels> from = evaluate(start), to = evaluate(end);
  if (failed(from) || failed(to))
    return failure();
  for (size_t i = 0; i < ranges.size(); ++i) {
    bool hasBetween = (*first)[i] < (*last)[i];
    if (hasBetween && (*from)[i] != (*to)[i])
      return failure();
    jumps.push_back({(*first)[i], (*last)[i], (*before)[i],
                     hasBetween ? (*from)[i] : (*after)[i], (*after)[i]});
  }
  return jumps;
}

namespace {
/// Thresholds as one requantization: `sat((sum + offset) * scale + high)`.
struct Thresholds {
  int64_t low, high;
  SmallVector<int64_t> offsets;
  SmallVector<float> scales;
};
} // namespace

/// One jump of any height at `at`, upwards or down: at the sum that comes just
/// before it, or just behind, the result is `high`, at the next one `high`
/// minus the least power of two that saturates.
static void addJump(Thresholds &thresholds, int64_t at, bool grows) {
  uint64_t height = thresholds.high - thresholds.low;
  float scale = float(llvm::PowerOf2Ceil(height));
  thresholds.offsets.push_back(grows ? -at : 1 - at);
  thresholds.scales.push_back(grows ? scale : -scale);
}

static std::optional<Thresholds> getThresholds(ArrayRef<Jump> jumps,
                                               ArrayRef<SumRange> ranges) {
  Thresholds thresholds{jumps.front().before, jumps.front().before, {}, {}};
  for (const Jump &jump : jumps)
    for (int64_t level : {jump.before, jump.between, jump.after}) {
      thresholds.low = std::min(thresholds.low, level);
      thresholds.high = std::max(thresholds.high, level);
    }
  int64_t low = thresholds.low, high = thresholds.high;
  if (low == high)
    return std::nullopt;
  auto isEnd = [&](int64_t level) { return level == low || level == high; };
  for (auto [jump, range] : llvm::zip(jumps, ranges)) {
    if (jump.before == jump.after && isEnd(jump.before)) {
      addJump(thresholds, jump.before == high ? range.low : range.high + 1,
              /*grows=*/true);
      continue;
    }
    if (!isEnd(jump.before) || !isEnd(jump.after))
      return std::nullopt;
    bool grows = jump.after == high;
    if (jump.first == jump.last) {
      addJump(thresholds, jump.first, grows);
      continue;
    }
    // Three levels, the one between at one sum only and just in the middle.
    int64_t height = high - jump.between;
    if (jump.last - jump.first != 1 || jump.between - low != height ||
        !llvm::isPowerOf2_64(height))
      return std::nullopt;
    thresholds.offsets.push_back(grows ? -jump.last : 1 - jump.first);
    thresholds.scales.push_back(float(grows ? height : -height));
  }
  for (auto [offset, range] : llvm::zip(thresholds.offsets, ranges))
    if (std::max(std::abs(range.low + offset), std::abs(range.high + offset)) >
        INT32_MAX / 2)
      return std::nullopt;
  return thresholds;
}

/// The product into 32-bit sums, with other biases.
static Value createSums(OpBuilder &builder, LinearOpInterface product,
                        ArrayRef<int64_t> bias) {
  Location loc = product.getLoc();
  auto x = qg::getQuantizedType(product.getInput().getType());
  SmallVector<float> scales =
      qg::getQuantizedType(product.getWeight().getType()).getScaleVector();
  scales.resize(bias.size(), scales.front());
  for (float &scale : scales)
    scale *= x.getScale();
  Tensor values(DType::i32, {int64_t(bias.size())});
  for (auto [i, value] : llvm::enumerate(bias))
    values.setInt(i, value);
  auto element =
      qg::QuantizedType::getPerAxis(builder.getContext(), "si32", 0, scales);
  Value constant = qg::createConstant(
      builder, loc, values, RankedTensorType::get(values.shape(), element),
      "bias");
  OperationState state(loc, product->getName().getStringRef(),
                       {product.getInput(), product.getWeight(), constant},
                       RankedTensorType::get(getShape(product->getResult(0)),
                                             builder.getI32Type()),
                       product->getAttrs());
  return builder.create(state)->getResult(0);
}

static void replace(const Step &step, const qg::IntegerLinear &integer,
                    const Thresholds &thresholds,
                    fxp::RequantizeModeAttr mode) {
  OpBuilder builder(step.product);
  qg::QuantizeOp quantize = step.quantize;
  Location loc = quantize.getLoc();
  SmallVector<int64_t> bias(integer.bias.begin(), integer.bias.end());
  for (auto [value, offset] : llvm::zip(bias, thresholds.offsets))
    value += offset;
  Value sums = createSums(builder, step.product, bias);
  Encoding encoding = *getByteEncoding(quantize.getType());
  // What is added behind the scale; the encoding itself has another zero.
  encoding.zeroPoints = {thresholds.high};
  int64_t clamp[] = {thresholds.low, thresholds.high};
  Value stored = createRequantize(builder, loc, sums, thresholds.scales,
                                  {encoding, mode, ArrayRef<int64_t>(clamp)});
  auto element = cast<RankedTensorType>(quantize.getType()).getElementType();
  Value result =
      UnrealizedConversionCastOp::create(
          builder, loc, RankedTensorType::get(getShape(sums), element), stored)
          .getResult(0);
  if (qg::PoolOp pool = step.pool)
    result = qg::PoolOp::create(builder, pool.getLoc(), quantize.getType(),
                                pool.getKind(), result, pool.getKernel(),
                                pool.getStrides(), pool.getPads(),
                                pool.getDilations(), pool.getCountIncludePad());
  quantize.replaceAllUsesWith(result);
}

static void eraseDead(const Step &step) {
  SmallVector<Operation *> ops{step.product};
  llvm::append_range(ops, step.ops);
  llvm::append_range(ops, step.before);
  if (step.pool)
    ops.push_back(step.pool);
  for (bool changed = true; changed;) {
    changed = false;
    for (Operation *&op : ops)
      if (op && op->use_empty()) {
        op->erase();
        op = nullptr;
        changed = true;
      }
  }
}

static void convert(const Step &step, fxp::RequantizeModeAttr mode) {
  LinearOpInterface product = step.product;
  std::optional<Tensor> stored = qg::matchConstant(product.getWeight());
  auto weight = dyn_cast<RankedTensorType>(product.getWeight().getType());
  Value bias = product.getBias();
  std::optional<Tensor> numbers =
      bias ? qg::matchConstant(bias) : std::optional<Tensor>();
  if (!stored || (bias && !numbers) || product.roundsInput() ||
      !qg::getQuantizedType(weight) ||
      !qg::getQuantizedType(product.getInput().getType()))
    return;
  qg::LinearTypes types{getTensorType(product.getInput()), weight,
                        bias ? getTensorType(bias) : RankedTensorType(),
                        getTensorType(product->getResult(0)),
                        product.getOutputAxis()};
  std::optional<qg::IntegerLinear> integer =
      qg::getIntegerLinear(types, numbers ? &*numbers : nullptr);
  std::optional<Tensor> bytes =
      integer ? qg::Decoder::get(weight)->bytes(*stored).bytes : std::nullopt;
  if (!bytes)
    return;
  SmallVector<SumRange> ranges = getSumRanges(product, *bytes);
  for (auto [range, offset] : llvm::zip(ranges, integer->bias))
    range = {range.low + offset, range.high + offset};
  if (ranges.empty() || llvm::any_of(ranges, [](const SumRange &range) {
        return range.low < INT32_MIN / 2 || range.high > INT32_MAX / 2;
      }))
    return;
  FailureOr<SmallVector<Jump>> jumps = JumpFinder(step, *integer).find(ranges);
  std::optional<Thresholds> thresholds =
      succeeded(jumps) ? getThresholds(*jumps, ranges) : std::nullopt;
  // The maximum of decreasing values is none of the values' maximum.
  if (!thresholds || (step.pool && llvm::any_of(thresholds->scales,
                                                [](float s) { return s < 0; })))
    return;
  replace(step, *integer, *thresholds, mode);
  eraseDead(step);
}

namespace {
struct ConvertStepsToThresholds
    : qopt::impl::ConvertStepsToThresholdsBase<ConvertStepsToThresholds> {
  using ConvertStepsToThresholdsBase::ConvertStepsToThresholdsBase;

  void runOnOperation() override {
    FailureOr<fxp::RequantizeModeAttr> mode =
        getMode(getOperation(), requantizeMode);
    if (failed(mode))
      return signalPassFailure();
    SmallVector<qg::QuantizeOp> quantizes;
    getOperation().walk([&](qg::QuantizeOp op) {
      if (getByteEncoding(op.getType()))
        quantizes.push_back(op);
    });
    for (qg::QuantizeOp op : quantizes)
      if (std::optional<Step> step = findStep(op);
          step && (integerOnly || !step->isShared))
        convert(*step, *mode);
  }
};
} // namespace
