//===- Random.cpp - Random numbers, the same at every call ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A compiled function has no state, so that its random numbers are constants:
// of the seed that the user gives, or of the node's own
// (docs/rationale/random-numbers.md).
//===----------------------------------------------------------------------===//
#include "qopt/Numerics/Random.h"
#include "qopt/Frontend/ONNX/OpBinder.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

/// Most numbers of a node: they are stored.
static constexpr int64_t kMostNumbers = int64_t(1) << 26;

/// A node's own seed is its stream whatever the user says; others are counted.
static RandomStream getStream(OpBinder &op) {
  GraphBuilder &b = op.b;
  if (!op.hasAttr("seed"))
    return RandomStream(b.seed, ++b.randomNodes);
  auto own = float(op.floatAttr("seed", 0));
  uint32_t bits;
  std::memcpy(&bits, &own, sizeof bits);
  return RandomStream(bits, 0);
}

enum class Distribution { Uniform, Normal };

/// `shape` numbers of a distribution, in f32.
static Value draw(OpBinder &op, ArrayRef<int64_t> shape,
                  Distribution distribution, RandomStream stream) {
  absl::StatusOr<int64_t> count = countElements(shape);
  if (!count.ok() || *count > kMostNumbers)
    return op.b.fail("expects at most 2^26 random numbers, got " +
                     formatShape(shape));
  Tensor numbers(DType::f32, shape);
  for (int64_t i = 0; i < numbers.numElements(); ++i)
    numbers.setFloat(i, distribution == Distribution::Normal
                            ? stream.getNormal(i)
                            : stream.getUniform(i));
  return op.b.constant(numbers);
}

/// The numbers, scaled and shifted by the node's attributes.
static LogicalResult buildRandom(OpBinder &op, ArrayRef<int64_t> shape,
                                 Type type, Distribution distribution) {
  GraphBuilder &b = op.b;
  if (!type)
    return failure();
  if (!isa<FloatType>(type))
    return op.unsupported("expects a float type");
  bool isNormal = distribution == Distribution::Normal;
  double low = isNormal ? op.floatAttr("mean", 0) : op.floatAttr("low", 0);
  double width =
      isNormal ? op.floatAttr("scale", 1) : op.floatAttr("high", 1) - low;
  Value numbers = draw(op, shape, distribution, getStream(op));
  return op.result(b.convert(b.add(b.mul(numbers, width), low), type));
}

template <Distribution distribution>
static LogicalResult importRandom(OpBinder &op) {
  if (!op.hasAttr("shape"))
    return op.badModel("expects attribute 'shape'");
  return buildRandom(op, op.intsAttr("shape"), op.typeAttr("dtype", op.b.f32()),
                     distribution);
}

template <Distribution distribution>
static LogicalResult importRandomLike(OpBinder &op) {
  Value x = op.in(0);
  if (!x)
    return failure();
  Type own = op.b.isFloat(x) ? op.b.element(x) : op.b.f32();
  return buildRandom(op, Shape(op.b.shape(x)), op.typeAttr("dtype", own),
                     distribution);
}

/// 1 with the probability that the input says.
static LogicalResult importBernoulli(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value p = op.in(0);
  if (!p)
    return failure();
  Type type = op.typeAttr("dtype", b.element(p));
  Value uniform =
      draw(op, Shape(b.shape(p)), Distribution::Uniform, getStream(op));
  if (!uniform || !type)
    return failure();
  Value isOne = b.compare(ComparePredicate::lt, uniform, b.convert(p, b.f32()));
  return op.result(b.convert(isOne, type));
}

/// Of inference the identity; of training a mask, and what it leaves scaled so
/// that the mean stays.
static LogicalResult importDropout(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.raw(0), training = op.optional(2);
  op.ignoreAttrs({"ratio"});
  std::optional<Tensor> known =
      training ? b.constantOf(training) : std::nullopt;
  bool hasSeed = op.hasAttr("seed");
  int64_t seed = op.intAttr("seed", 0);
  if (!x)
    return failure();
  if (!training || (known && known->getInt(0) == 0)) {
    op.ignoreInput(1);
    if (failed(op.result(x)) || !op.hasOutput(1))
      return success(!op.hasFailed());
    return op.result(1, b.full(b.shape(x), 1, b.i1()));
  }
  x = op.in(0);
  Value ratio = b.convert(op.hasInput(1) ? b.reshape(op.in(1), {})
                                         : b.scalar(0.5, b.f32()),
                          b.f32());
  RandomStream stream = hasSeed ? RandomStream(uint64_t(seed), 0)
                                : RandomStream(b.seed, ++b.randomNodes);
  Value uniform = draw(op, Shape(b.shape(x)), Distribution::Uniform, stream);
  Value isKept = b.compare(ComparePredicate::ge, uniform, ratio);
  Value scale = b.div(b.scalar(1, b.f32()), b.sub(b.scalar(1, b.f32()), ratio));
  if (!isKept || !scale)
    return failure();
  Type type = b.element(x);
  Value y =
      b.select(isKept, b.mul(x, b.convert(scale, type)), b.scalar(0, type));
  Value isTraining = b.reshape(training, {});
  if (failed(op.result(b.select(isTraining, y, x))))
    return failure();
  if (!op.hasOutput(1))
    return success();
  return op.result(1, b.select(isTraining, isKept, b.scalar(1, b.i1())));
}

void frontend::registerRandomOps(OpRegistry &registry) {
  StringRef note = "the same numbers at every call; --seed gives others";
  registry.add("Bernoulli", 15, importBernoulli, note);
  registry.add("Dropout", 7, importDropout, note);
  registry.add("RandomNormal", 1, importRandom<Distribution::Normal>, note);
  registry.add("RandomNormalLike", 1, importRandomLike<Distribution::Normal>,
               note);
  registry.add("RandomUniform", 1, importRandom<Distribution::Uniform>, note);
  registry.add("RandomUniformLike", 1, importRandomLike<Distribution::Uniform>,
               note);
  registry.refuse("", "Multinomial", "the operator is not supported");
}
