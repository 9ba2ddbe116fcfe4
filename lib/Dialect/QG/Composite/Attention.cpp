//===- Attention.cpp - Scaled dot-product attention as its parts ----------===//
// SPDX-License-Identifier: Apache-2.0
//
// Products, cap, mask, softmax, products. Masks that depend on positions alone
// are constants.
//===----------------------------------------------------------------------===//
#include "CompositeChecks.h"

#include <limits>

using namespace mlir;
using namespace qopt;
using namespace qopt::qg;

static constexpr double kMinusInfinity =
    -std::numeric_limits<double>::infinity();

//===----------------------------------------------------------------------===//
// Verifier
//===----------------------------------------------------------------------===//

/// Types and extents of q, k and v.
static LogicalResult checkHeads(AttentionOp op) {
  if (failed(checkOneFloatType(op, {op.getQ(), op.getK(), op.getV()})))
    return failure();
  ArrayRef<int64_t> q = getShape(op.getQ()), k = getShape(op.getK()),
                    v = getShape(op.getV());
  if (q.size() != 4 || k.size() != 4 || v.size() != 4)
    return op.emitOpError()
           << "expects q, k and v of rank 4, got " << formatShape(q) << ", "
           << formatShape(k) << " and " << formatShape(v);
  if (q[0] != k[0] || q[3] != k[3] || k.take_front(3) != v.take_front(3))
    return op.emitOpError()
           << "expects q [B, H, M, D], k [B, G, N, D] and v [B, G, N, E], got "
           << formatShape(q) << ", " << formatShape(k) << " and "
           << formatShape(v);
  if (k[1] < 1 || q[1] % k[1])
    return op.emitOpError() << "expects query heads that are a multiple of "
                            << k[1] << " key heads, got " << q[1];
  return checkResultShape(op, {q[0], q[1], q[2], v[3]});
}

/// What a mask is.
static LogicalResult checkMask(AttentionOp op) {
  if (!op.getMask())
    return success();
  RankedTensorType type = getTensorType(op.getMask());
  Type element = type.getElementType();
  if (!isa<FloatType>(element) && !element.isInteger(1))
    return op.emitOpError()
           << "expects 'mask' of i1 or floats, got " << element;
  ArrayRef<int64_t> q = getShape(op.getQ());
  Shape scores{q[0], q[1], q[2], getShape(op.getK())[2]};
  Shape mask(type.getShape());
  if (!mask.empty() && mask.back() != 1 && mask.back() < scores.back())
    mask.back() = scores.back();
  bool broadcasts = mask.size() <= 4;
  for (size_t i = 0; broadcasts && i < mask.size(); ++i)
    broadcasts = mask[i] == 1 || mask[i] == scores[4 - mask.size() + i];
  if (broadcasts)
    return success();
  return op.emitOpError() << "expects 'mask' to broadcast to the scores "
                          << formatShape(scores) << ", got "
                          << formatShape(type.getShape());
}

LogicalResult AttentionOp::verify() {
  if (failed(checkHeads(*this)) || // C1, C2
      failed(checkMask(*this)))    // C3
    return failure();
  // C4
  if (getLengths()) {
    RankedTensorType type = getTensorType(getLengths());
    if (!type.getElementType().isSignlessInteger(64) ||
        type.getShape() != getShape(getQ()).take_front(1))
      return emitOpError() << "expects 'lengths' to be tensor<"
                           << getShape(getQ())[0] << "xi64>, got " << type;
    if (getOffset() != 0)
      return emitOpError() << "expects 'offset' 0 where 'lengths' are given, "
                              "got "
                           << int64_t(getOffset());
  }
  // C5
  double scale = getScale().convertToDouble(),
         softcap = getSoftcap().convertToDouble();
  if (!(scale >= 0 && std::isfinite(scale)) ||
      !(softcap >= 0 && std::isfinite(softcap)))
    return emitOpError() << "expects 'scale' and 'softcap' >= 0, got " << scale
                         << " and " << softcap;
  int64_t offset = getOffset(), left = getLeftWindow(),
          right = getRightWindow();
  if (offset < 0 || left < -1 || right < -1)
    return emitOpError() << "expects 'offset' >= 0 and windows >= -1, got "
                         << offset << ", " << left << " and " << right;
  // C6
  if (getSoftmaxType() && !isa<FloatType>(*getSoftmaxType()))
    return emitOpError() << "expects 'softmax_type' to be a float type, got "
                         << *getSoftmaxType();
  return success();
}

//===----------------------------------------------------------------------===//
// Bias
//===----------------------------------------------------------------------===//

/// 0 where a truth value holds, minus infinity elsewhere.
static Value toBias(ShapedBuilder &b, Value allowed, Type type) {
  return b.select(allowed, b.scalar(0, type), b.scalar(kMinusInfinity, type));
}

static Value addBias(ShapedBuilder &b, Value bias, Value more) {
  return bias ? b.add(bias, more) : more;
}

static Value count(ShapedBuilder &b, ArrayRef<int64_t> shape) {
  Tensor tensor(DType::i64, shape);
  for (int64_t i = 0; i < tensor.numElements(); ++i)
    tensor.setInt(i, i);
  return b.constant(tensor);
}

/// `mask` in the type of the scores and with one column per key.
static Value getMaskBias(ShapedBuilder &b, const AttentionSpec &spec) {
  Value mask = spec.mask;
  Type type = b.element(spec.q);
  Value bias =
      b.element(mask) == b.i1() ? toBias(b, mask, type) : b.convert(mask, type);
  if (!bias)
    return {};
  int64_t rank = b.rank(bias), keys = b.extent(spec.k, 2),
          missing = rank ? keys - b.shape(bias).back() : 0;
  if (missing <= 0 || b.shape(bias).back() == 1)
    return bias;
  Shape low(rank, 0), high(rank, 0);
  high.back() = missing;
  return b.pad(PadMode::constant, bias, b.scalar(kMinusInfinity, type), low,
               high);
}

namespace {
/// How far ahead (negative) or behind keys may be.
struct Limits {
  explicit Limits(const AttentionSpec &spec) {
    if (spec.causal)
      ahead.push_back(0);
    if (spec.leftWindow >= 0)
      behind = spec.leftWindow;
    if (spec.rightWindow >= 0)
      ahead.push_back(spec.rightWindow);
  }
  bool isEmpty() const { return ahead.empty() && !behind; }
  bool allow(int64_t distance) const {
    return (!behind || distance <= *behind) &&
           llvm::all_of(ahead, [&](int64_t most) { return -distance <= most; });
  }

  SmallVector<int64_t, 2> ahead;
  std::optional<int64_t> behind;
};
} // namespace

/// Limits where positions are known: a constant, however long.
static Value getStaticLimits(ShapedBuilder &b, const AttentionSpec &spec,
                             const Limits &limits) {
  int64_t queries = b.extent(spec.q, 2), keys = b.extent(spec.k, 2);
  Tensor bias(*getDType(b.element(spec.q)), {queries, keys});
  for (int64_t m = 0; m < queries; ++m)
    for (int64_t n = 0; n < keys; ++n)
      bias.setFloat(m * keys + n,
                    limits.allow(m + spec.offset - n) ? 0 : kMinusInfinity);
  return b.constant(bias);
}

/// Limits where the last position of each batch is its length.
static Value addDynamicLimits(ShapedBuilder &b, const AttentionSpec &spec,
                              const Limits &limits, Value bias) {
  Type type = b.element(spec.q);
  int64_t queries = b.extent(spec.q, 2), keys = b.extent(spec.k, 2);
  Value lengths = b.reshape(spec.lengths, {b.extent(spec.q, 0), 1, 1, 1});
  auto limit = [&](ComparePredicate predicate, Value value, Value most) {
    bias = addBias(b, bias, toBias(b, b.compare(predicate, value, most), type));
  };
  if (!limits.isEmpty()) {
    Value offset = b.sub(lengths, double(queries));
    Value distance =
        b.sub(b.add(count(b, {queries, 1}), offset), count(b, {keys}));
    Value ahead = b.unary(UnaryKind::neg, distance);
    for (int64_t most : limits.ahead)
      limit(ComparePredicate::le, ahead, b.scalar(double(most), b.i64()));
    if (limits.behind)
      limit(ComparePredicate::le, distance,
            b.scalar(double(*limits.behind), b.i64()));
  }
  limit(ComparePredicate::lt, count(b, {keys}), lengths);
  return bias;
}

/// Sum of everything that is added to the products; null if nothing is, no
/// value if it failed.
static std::optional<Value> writeBias(ShapedBuilder &b,
                                      const AttentionSpec &spec) {
  Value bias;
  if (spec.mask) {
    bias = getMaskBias(b, spec);
    if (!bias)
      return std::nullopt;
  }
  Limits limits(spec);
  if (spec.lengths)
    bias = addDynamicLimits(b, spec, limits, bias);
  else if (limits.isEmpty())
    return bias;
  else
    bias = addBias(b, bias, getStaticLimits(b, spec, limits));
  return bias ? std::optional(bias) : std::nullopt;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Each of the heads of keys or values for a whole group of query heads.
static Value repeatHeads(ShapedBuilder &b, Value x, int64_t heads) {
  int64_t own = b.extent(x, 1);
  if (own == heads)
    return x;
  Shape repeated(b.shape(x)), flat(b.shape(x));
  repeated.insert(repeated.begin() + 2, heads / own);
  flat[1] = heads;
  return b.reshape(b.broadcast(b.expandDim(x, 2), repeated), flat);
}

/// Softmax that gives zeros to a row that may attend nothing.
static Value maskedSoftmax(ShapedBuilder &b, Value scores, Value bias) {
  Value y = b.softmax(scores, b.rank(scores) - 1);
  if (!bias || b.rank(bias) == 0)
    return y;
  Value top = b.reduce(ReduceKind::max, bias, {b.rank(bias) - 1}, true);
  if (!top)
    return {};
  Value isDead = b.compare(ComparePredicate::eq, top,
                           b.scalar(kMinusInfinity, b.element(top)));
  return b.select(isDead, b.scalar(0, b.element(scores)), y);
}

AttentionParts qg::writeAttention(ShapedBuilder &b, const AttentionSpec &spec) {
  AttentionParts parts;
  Type type = b.element(spec.q);
  int64_t heads = b.extent(spec.q, 1);
  Value k = repeatHeads(b, spec.k, heads), v = repeatHeads(b, spec.v, heads);
  double scale = std::sqrt(spec.scale);
  Value queries = b.mul(spec.q, scale);
  Value keys = b.mul(b.transpose(k, {0, 1, 3, 2}), scale);
  parts.products = b.matmul(queries, keys);
  if (spec.softcap > 0)
    parts.products =
        b.mul(b.unary(UnaryKind::tanh, b.div(parts.products, spec.softcap)),
              spec.softcap);
  if (!parts.products)
    return {};
  auto bias = writeBias(b, spec);
  if (!bias)
    return {};
  parts.scores = *bias ? b.add(parts.products, *bias) : parts.products;
  if (!parts.scores)
    return {};
  Type precise = spec.softmaxType ? spec.softmaxType : type;
  parts.weights = b.convert(
      maskedSoftmax(b, b.convert(parts.scores, precise), *bias), type);
  parts.result = b.matmul(parts.weights, v);
  return parts;
}

static AttentionSpec getSpec(AttentionOp op) {
  AttentionSpec spec;
  spec.q = op.getQ();
  spec.k = op.getK();
  spec.v = op.getV();
  spec.mask = op.getMask();
  spec.lengths = op.getLengths();
  spec.scale = op.getScale().convertToDouble();
  spec.softcap = op.getSoftcap().convertToDouble();
  spec.causal = op.getCausal();
  spec.offset = op.getOffset();
  spec.leftWindow = op.getLeftWindow();
  spec.rightWindow = op.getRightWindow();
  spec.softmaxType = op.getSoftmaxType().value_or(Type());
  return spec;
}

Value qg::createAttention(ShapedBuilder &b, const AttentionSpec &spec) {
  if (b.rank(spec.q) != 4 || b.rank(spec.v) != 4)
    return b.fail("expects queries and values of rank 4");
  Builder attributes(b.context());
  Shape shape(b.shape(spec.q));
  shape[3] = b.extent(spec.v, 3);
  return b.emit<AttentionOp>(
      shape, b.element(spec.q), spec.q, spec.k, spec.v, spec.mask, spec.lengths,
      attributes.getF64FloatAttr(spec.scale),
      attributes.getF64FloatAttr(spec.softcap),
      spec.causal ? attributes.getUnitAttr() : UnitAttr(),
      attributes.getI64IntegerAttr(spec.offset),
      attributes.getI64IntegerAttr(spec.leftWindow),
      attributes.getI64IntegerAttr(spec.rightWindow),
      spec.softmaxType ? TypeAttr::get(spec.softmaxType) : TypeAttr());
}

FailureOr<SmallVector<Value>> AttentionOp::decompose(ShapedBuilder &b) {
  return asParts(writeAttention(b, getSpec(*this)).result);
}
