//===- Norm.cpp - Softmax and normalizations ------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Everything that divides by a statistic of its input.
//===----------------------------------------------------------------------===//
#include "LogSoftmax.h"
#include "qopt/Dialect/QG/IR/QGComposite.h"
#include "qopt/Frontend/ONNX/OpBinder.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"

#include <cmath>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

/// [a0 ... ak-1, ak ... an] -> [a0*..., ak*...], what Softmax did before
/// opset 13.
static Value coerceTo2D(OpBinder &op, Value x, int64_t axis) {
  int64_t rows = getNumElements(op.b.shape(x).take_front(axis));
  int64_t columns = getNumElements(op.b.shape(x).drop_front(axis));
  return op.b.reshape(x, {rows, columns});
}

Value frontend::logSoftmax(OpBinder &op, Value x, int64_t axis) {
  GraphBuilder &b = op.b;
  Value shifted = b.sub(x, b.reduce(ReduceKind::max, x, {axis}, true));
  Value sum =
      b.reduce(ReduceKind::sum, b.unary(UnaryKind::exp, shifted), {axis}, true);
  return b.sub(shifted, b.unary(UnaryKind::log, sum));
}

static Value softmax(OpBinder &op, Value x, int64_t axis) {
  return op.b.softmax(x, axis);
}

/// One at the first maximum, zero elsewhere.
static Value hardmax(OpBinder &op, Value x, int64_t axis) {
  GraphBuilder &b = op.b;
  Value index = b.expandDim(b.argReduce(ReduceKind::max, x, axis, false), axis);
  Shape shape(b.rank(x), 1);
  shape[axis] = b.extent(x, axis);
  Tensor positions(DType::i64, shape);
  for (int64_t i = 0; i < b.extent(x, axis); ++i)
    positions.setInt(i, i);
  return b.convert(
      b.compare(ComparePredicate::eq, b.constant(positions), index),
      b.element(x));
}

using AlongAxis = Value (*)(OpBinder &, Value, int64_t);

template <AlongAxis along> static LogicalResult importAlongAxis(OpBinder &op) {
  Value x = op.in(0);
  if (!x)
    return failure();
  auto axis = op.normalizeAxis(op.intAttr("axis", -1), op.b.rank(x));
  if (!axis)
    return failure();
  return op.result(along(op, x, *axis));
}

template <AlongAxis along> static LogicalResult importCoerced(OpBinder &op) {
  Value x = op.in(0);
  if (!x)
    return failure();
  int64_t axis = op.intAttr("axis", 1);
  if (axis != op.b.rank(x)) {
    auto normalized = op.normalizeAxis(axis, op.b.rank(x));
    if (!normalized)
      return failure();
    axis = *normalized;
  }
  // The last axis needs no detour.
  if (axis == op.b.rank(x) - 1)
    return op.result(along(op, x, axis));
  Shape shape(op.b.shape(x));
  Value flat = coerceTo2D(op, x, axis);
  if (!flat)
    return failure();
  return op.result(op.b.reshape(along(op, flat, 1), shape));
}

//===----------------------------------------------------------------------===//
// Normalizations
//===----------------------------------------------------------------------===//

/// A vector of channels against [N, C, s...].
static Value alongChannels(OpBinder &op, Value vector, int64_t rank) {
  if (!vector)
    return {};
  Shape shape(std::max<int64_t>(rank - 1, 1), 1);
  shape[0] = op.b.type(vector).getNumElements();
  return op.b.reshape(vector, shape);
}

/// The statistics of the batch itself, and the running ones as results.
static LogicalResult importBatchTraining(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0), scale = op.in(1), bias = op.in(2), mean = op.in(3),
        variance = op.in(4);
  if (!x || !scale || !bias || !mean || !variance)
    return failure();
  if (b.rank(x) < 2)
    return op.badModel("expects x [N, C, ...], got " + formatShape(b.shape(x)));
  double epsilon = op.floatAttr("epsilon", 1e-5f),
         momentum = op.floatAttr("momentum", 0.9f);
  Shape axes{0};
  for (int64_t axis = 2; axis < b.rank(x); ++axis)
    axes.push_back(axis);
  Value batchMean = b.reduceMean(x, axes, true);
  Value centred = b.sub(x, batchMean);
  Value batchVariance = b.reduceMean(b.mul(centred, centred), axes, true);
  Value factor =
      b.div(alongChannels(op, b.convert(scale, b.element(x)), b.rank(x)),
            b.unary(UnaryKind::sqrt, b.add(batchVariance, epsilon)));
  Value y = b.add(b.mul(centred, factor),
                  alongChannels(op, b.convert(bias, b.element(x)), b.rank(x)));
  if (failed(op.result(y)))
    return failure();
  auto follow = [&](Value running, Value batch) {
    Value own =
        b.reshape(b.convert(batch, b.element(running)), {b.extent(x, 1)});
    return b.add(b.mul(running, momentum), b.mul(own, 1 - momentum));
  };
  if (op.hasOutput(1) && failed(op.result(1, follow(mean, batchMean))))
    return failure();
  return op.hasOutput(2) ? op.result(2, follow(variance, batchVariance))
                         : success();
}

/// scale / sqrt(variance + epsilon) and what is left for the offset; both are
/// constants of an ordinary model.
static LogicalResult importBatchNormalization(OpBinder &op) {
  GraphBuilder &b = op.b;
  if (op.intAttr("training_mode", 0))
    return importBatchTraining(op);
  if (!op.intAttr("spatial", 1))
    return op.unsupported("expects statistics per channel (spatial = 1)");
  op.ignoreAttrs({"momentum"});
  Value x = op.in(0), scale = op.in(1), bias = op.in(2), mean = op.in(3),
        variance = op.in(4);
  if (!x || !scale || !bias || !mean || !variance)
    return failure();
  double epsilon = op.floatAttr("epsilon", 1e-5f);
  Type type = b.element(x);
  for (Value *v : {&scale, &bias, &mean, &variance})
    *v = b.convert(*v, type);
  Value factor =
      b.div(scale, b.unary(UnaryKind::sqrt, b.add(variance, epsilon)));
  Value offset = b.sub(bias, b.mul(mean, factor));
  if (!factor || !offset)
    return failure();
  int64_t rank = b.rank(x);
  if (rank >= 2 && (b.type(factor).getNumElements() != b.extent(x, 1) ||
                    b.type(offset).getNumElements() != b.extent(x, 1)))
    return op.badModel("expects " + Twine(b.extent(x, 1)) +
                       " parameters, one per channel, got " +
                       formatShape(b.shape(factor)));
  // Channels last, where folding into a convolution looks for it.
  if (rank >= 3) {
    Value last = b.toChannelsLast(x);
    return op.result(b.toChannelsFirst(b.add(b.mul(last, factor), offset)));
  }
  return op.result(b.add(b.mul(x, factor), offset));
}

static Value normalize(OpBinder &op, Value x, const qg::NormalizeSpec &spec) {
  if (!x)
    return {};
  GraphBuilder &b = op.b;
  return b.emit<qg::NormalizeOp>(b.shape(x), b.element(x), spec.form, x,
                                 spec.axes, llvm::APFloat(spec.epsilon),
                                 spec.centered);
}

/// The type in which 16-bit floats are normalized; null, and reported, for one
/// narrower than f32. Doubles stay what they are.
static Type getStashType(OpBinder &op, Value x) {
  Type stash = op.typeAttr("stash_type", op.b.f32());
  if (stash && !stash.isF32() && !stash.isF64()) {
    (void)op.unsupported("expects 'stash_type' FLOAT");
    return {};
  }
  return op.b.element(x).isF64() ? op.b.element(x) : stash;
}

static std::optional<Shape> getTrailingAxes(OpBinder &op, Value x) {
  auto axis = op.normalizeAxis(op.intAttr("axis", -1), op.b.rank(x));
  if (!axis)
    return std::nullopt;
  return Shape(llvm::to_vector(llvm::seq<int64_t>(*axis, op.b.rank(x))));
}

/// Where statistics are needed beside the result they are computed beside it:
/// the result stays one op.
static qg::NormalizeParts normalizeWithStatistics(OpBinder &op, Value x,
                                                  const qg::NormalizeSpec &spec,
                                                  bool needsStatistics) {
  qg::NormalizeParts n;
  if (needsStatistics)
    n = qg::writeNormalize(op.b, x, spec);
  n.result = normalize(op, x, spec);
  return n;
}

/// Normalized over the trailing dimensions and scaled, in the type of x; with
/// the statistics where the model asks for them.
static qg::NormalizeParts normalizeTrailing(OpBinder &op, bool centered) {
  GraphBuilder &b = op.b;
  Value x = op.in(0), scale = op.in(1);
  if (!x || !scale)
    return {};
  auto axes = getTrailingAxes(op, x);
  if (!axes)
    return {};
  Type stash = getStashType(op, x);
  if (!stash)
    return {};
  qg::NormalizeSpec spec;
  spec.axes = *axes;
  spec.epsilon = op.floatAttr("epsilon", 1e-5f);
  spec.centered = centered;
  qg::NormalizeParts n = normalizeWithStatistics(
      op, b.convert(x, stash), spec, op.hasOutput(1) || op.hasOutput(2));
  n.result = b.mul(b.convert(n.result, b.element(x)), scale);
  return n;
}

static LogicalResult importLayerNormalization(OpBinder &op) {
  qg::NormalizeParts n = normalizeTrailing(op, /*centered=*/true);
  if (Value bias = op.optional(2))
    n.result = op.b.add(n.result, bias);
  if (failed(op.result(n.result)))
    return failure();
  (void)op.result(1, n.mean);
  (void)op.result(2, n.inverse);
  return success();
}

static LogicalResult importRMSNormalization(OpBinder &op) {
  return op.result(normalizeTrailing(op, /*centered=*/false).result);
}

/// ONNX Runtime's RMSNormalization, with the inverse deviation as a result.
static LogicalResult importSimplifiedLayerNormalization(OpBinder &op) {
  qg::NormalizeParts n = normalizeTrailing(op, /*centered=*/false);
  if (failed(op.result(n.result)))
    return failure();
  (void)op.result(1, n.inverse);
  return success();
}

/// x + skip (+ bias), normalized over the last dimension, times gamma (+ beta);
/// of results there are the statistics and the sum. Without a centre there is
/// no beta, and the bias takes its place among the inputs.
template <bool centered>
static LogicalResult importSkipNormalization(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0), skip = op.in(1), gamma = op.in(2);
  if (!x || !skip || !gamma)
    return failure();
  Value beta = centered ? op.optional(3) : Value();
  Value bias = op.optional(centered ? 4 : 3);
  Value sum = b.add(x, skip);
  if (bias)
    sum = b.add(sum, bias);
  if (!sum)
    return failure();
  if (b.rank(sum) < 1 || b.shape(sum) != b.shape(x))
    return op.badModel("expects a skip that broadcasts to x " +
                       formatShape(b.shape(x)) + ", got " +
                       formatShape(b.shape(skip)));
  const int64_t last = b.rank(sum) - 1;
  qg::NormalizeSpec spec;
  spec.axes = last;
  spec.epsilon = op.floatAttr("epsilon", 1e-12f);
  spec.centered = centered;
  Type wide = b.element(x).isF64() ? b.element(x) : b.f32();
  qg::NormalizeParts n = normalizeWithStatistics(
      op, b.convert(sum, wide), spec, op.hasOutput(1) || op.hasOutput(2));
  Value y = b.mul(b.convert(n.result, b.element(x)), gamma);
  if (failed(op.result(0, beta ? b.add(y, beta) : y)) ||
      failed(op.result(3, b.convert(sum, b.element(op.raw(0))))))
    return failure();
  (void)op.result(1, n.mean);
  (void)op.result(2, n.inverse);
  return success();
}

static LogicalResult importInstanceNormalization(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0), scale = op.in(1), bias = op.in(2);
  if (!x || !scale || !bias)
    return failure();
  if (b.rank(x) < 3)
    return op.badModel("expects x of rank >= 3");
  Shape axes(llvm::to_vector(llvm::seq<int64_t>(2, b.rank(x))));
  qg::NormalizeSpec spec;
  spec.axes = axes;
  spec.epsilon = op.floatAttr("epsilon", 1e-5f);
  Value y = b.mul(normalize(op, x, spec), alongChannels(op, scale, b.rank(x)));
  return op.result(b.add(y, alongChannels(op, bias, b.rank(x))));
}

/// Every group of the channels (dimension 1) by itself.
static Value normalizeGroups(OpBinder &op, Value x, int64_t groups) {
  GraphBuilder &b = op.b;
  if (!x)
    return {};
  Shape shape(b.shape(x));
  int64_t rest =
      getNumElements(ArrayRef<int64_t>(shape).drop_front(1)) / groups;
  qg::NormalizeSpec spec;
  const int64_t last = 2;
  spec.axes = last;
  spec.epsilon = op.floatAttr("epsilon", 1e-5f);
  return b.reshape(normalize(op, b.reshape(x, {shape[0], groups, rest}), spec),
                   shape);
}

static LogicalResult importGroupNormalization(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0), scale = op.in(1), bias = op.in(2);
  if (!x || !scale || !bias)
    return failure();
  int64_t groups = op.intAttr("num_groups", 0);
  if (b.rank(x) < 2 || groups < 1 || b.extent(x, 1) % groups)
    return op.badModel("expects 'num_groups' to divide the channels of x " +
                       formatShape(b.shape(x)) + ", got " + Twine(groups));
  int64_t channels = b.extent(x, 1);
  Type type = b.element(x);
  Shape shape(b.shape(x));
  Type stash = getStashType(op, x);
  if (!stash)
    return failure();
  Value normalized = normalizeGroups(op, b.convert(x, stash), groups);
  // Opset 18 had one scale per group, 21 has one per channel.
  auto perChannel = [&](Value v) -> Value {
    if (!v || b.type(v).getNumElements() == channels)
      return alongChannels(op, v, b.rank(x));
    Value repeated =
        b.broadcast(b.reshape(v, {groups, 1}), {groups, channels / groups});
    return alongChannels(op, b.reshape(repeated, {channels}), b.rank(x));
  };
  Value y = b.convert(normalized, type);
  return op.result(b.add(b.mul(y, perChannel(scale)), perChannel(bias)));
}

static LogicalResult importMeanVarianceNormalization(OpBinder &op) {
  Value x = op.in(0);
  if (!x)
    return failure();
  auto axes = op.normalizeAxes(op.intsAttr("axes", {0, 2, 3}), op.b.rank(x));
  if (!axes)
    return failure();
  Value centred = op.b.sub(x, op.b.reduceMean(x, *axes, true));
  Value deviation =
      op.b.unary(UnaryKind::sqrt,
                 op.b.reduceMean(op.b.mul(centred, centred), *axes, true));
  return op.result(op.b.div(centred, op.b.add(deviation, 1e-9)));
}

static LogicalResult importLpNormalization(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  if (!x)
    return failure();
  auto axis = op.normalizeAxis(op.intAttr("axis", -1), b.rank(x));
  int64_t p = op.intAttr("p", 2);
  if (!axis)
    return failure();
  if (p != 1 && p != 2)
    return op.badModel("expects 'p' 1 or 2, got " + Twine(p));
  Value power = p == 1 ? b.unary(UnaryKind::abs, x) : b.mul(x, x);
  Value norm = b.reduce(ReduceKind::sum, power, {*axis}, true);
  if (p == 2)
    norm = b.unary(UnaryKind::sqrt, norm);
  if (!norm)
    return failure();
  // 0 / 0 is 0 here.
  Value zero = b.scalar(0, b.element(x));
  Value isZero = b.compare(ComparePredicate::eq, norm, zero);
  return op.result(
      b.select(isZero, zero,
               b.div(x, b.select(isZero, b.scalar(1, b.element(x)), norm))));
}

/// x / (bias + alpha / size * sum of squares of `size` channels)^beta.
static LogicalResult importLRN(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  if (!x)
    return failure();
  int64_t size = op.intAttr("size", 0);
  if (size < 1 || b.rank(x) < 2)
    return op.badModel("expects 'size' >= 1 and x of rank >= 2");
  double alpha = op.floatAttr("alpha", 1e-4f),
         beta = op.floatAttr("beta", 0.75), bias = op.floatAttr("bias", 1);
  // Channels as the only spatial dimension of an average pool.
  Shape shape(b.shape(x));
  Value square = b.reshape(
      b.mul(x, x), {shape[0], shape[1],
                    getNumElements(ArrayRef<int64_t>(shape).drop_front(2))});
  WindowSpec window{{size}, {1}, {(size - 1) / 2, size / 2}, {1}};
  Value mean = b.reshape(
      b.pool(PoolKind::avg, square, window, /*countIncludePad=*/true), shape);
  Value base = b.add(b.mul(mean, alpha), bias);
  if (!base)
    return failure();
  return op.result(
      b.div(x, b.binary(BinaryKind::pow, base, b.scalar(beta, b.element(x)))));
}

/// x plus the inputs 3 and 4 of SkipGroupNorm, channels last; a skip [N, C] is
/// the same for all positions.
static Value addSkip(OpBinder &op, Value x) {
  GraphBuilder &b = op.b;
  Value skip = op.in(3);
  if (!skip)
    return {};
  if (b.rank(skip) == 2) {
    Shape spread(b.rank(x), 1);
    spread.front() = b.extent(skip, 0);
    spread.back() = b.extent(skip, 1);
    skip = b.reshape(skip, spread);
  } else if (b.rank(skip) == b.rank(x) && op.intAttr("channels_last", 1) == 0) {
    skip = b.toChannelsLast(skip);
  }
  x = b.add(x, skip);
  Value bias = op.optional(4);
  return bias ? b.add(x, bias) : x;
}

/// GroupNorm and SkipGroupNorm of ONNX Runtime: a function behind the norm, and
/// a sum in front of it.
template <bool isSum>
static LogicalResult importMicrosoftGroupNorm(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0), scale = op.in(1), bias = op.in(2);
  if (!x || !scale || !bias)
    return failure();
  bool isLast = op.intAttr("channels_last", 1) != 0;
  int64_t groups = op.intAttr("groups", 0),
          activation = op.intAttr("activation", 0),
          channels = b.rank(x) < 3 ? 0
                     : isLast      ? b.shape(x).back()
                                   : b.extent(x, 1);
  if (groups < 1 || channels < 1 || channels % groups)
    return op.badModel("expects 'groups' to divide the channels of x " +
                       formatShape(b.shape(x)) + ", got " + Twine(groups));
  if (activation != 0 && activation != 1)
    return op.badModel("expects 'activation' 0 or 1, got " + Twine(activation));
  Value sum = isLast ? x : b.toChannelsLast(x);
  if (isSum)
    sum = addSkip(op, sum);
  Value y =
      b.toChannelsLast(normalizeGroups(op, b.toChannelsFirst(sum), groups));
  y = b.add(b.mul(y, b.convert(scale, b.element(x))),
            b.convert(bias, b.element(x)));
  if (activation == 1)
    y = qg::writeSwish(b, y, 1);
  if (failed(op.result(isLast ? y : b.toChannelsFirst(y))))
    return failure();
  if (!op.hasOutput(1))
    return success();
  return op.result(1, b.convert(isLast ? sum : b.toChannelsFirst(sum),
                                b.element(op.raw(0))));
}

void frontend::registerNormOps(OpRegistry &registry) {
  registry.add("BatchNormalization", 7, roundOnce<importBatchNormalization>);
  registry.add("GroupNormalization", 18, roundOnce<importGroupNormalization>);
  registry.add("com.microsoft", "GroupNorm", 1,
               roundOnce<importMicrosoftGroupNorm<false>>);
  registry.add("com.microsoft", "SkipGroupNorm", 1,
               roundOnce<importMicrosoftGroupNorm<true>>);
  registry.add("Hardmax", 1, importCoerced<hardmax>);
  registry.add("Hardmax", 13, importAlongAxis<hardmax>);
  registry.add("InstanceNormalization", 6,
               roundOnce<importInstanceNormalization>);
  registry.add("LRN", 1, roundOnce<importLRN>);
  // ONNX Runtime's own operators before opset 17, which it writes without a
  // domain; other tools name one of theirs.
  for (StringRef domain : {StringRef(""), OpRegistry::kAnyDomain}) {
    registry.add(domain, "LayerNormalization", 1,
                 roundOnce<importLayerNormalization>);
    registry.add(domain, "SimplifiedLayerNormalization", 1,
                 roundOnce<importSimplifiedLayerNormalization>);
    registry.add(domain, "SkipLayerNormalization", 1,
                 roundOnce<importSkipNormalization<true>>);
    registry.add(domain, "SkipSimplifiedLayerNormalization", 1,
                 roundOnce<importSkipNormalization<false>>);
  }
  registry.add("LogSoftmax", 1, roundOnce<importCoerced<logSoftmax>>);
  registry.add("LogSoftmax", 13, roundOnce<importAlongAxis<logSoftmax>>);
  registry.add("LpNormalization", 1, roundOnce<importLpNormalization>);
  registry.add("MeanVarianceNormalization", 9,
               roundOnce<importMeanVarianceNormalization>);
  registry.add("RMSNormalization", 23, roundOnce<importRMSNormalization>);
  registry.add("Softmax", 1, importCoerced<softmax>);
  registry.add("Softmax", 13, importAlongAxis<softmax>);
}
