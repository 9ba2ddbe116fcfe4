//===- Attention.cpp - Scaled dot-product attention -----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Attention as its parts: heads, products, cap, mask, softmax. Masks that
// depend on positions alone are constants.
//===----------------------------------------------------------------------===//
#include "qopt/Frontend/ONNX/OpBinder.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

static constexpr double kMinusInfinity =
    -std::numeric_limits<double>::infinity();

/// [B, S, heads * D] -> [B, heads, S, D].
static Value splitHeads(OpBinder &op, Value x, int64_t heads) {
  GraphBuilder &b = op.b;
  if (heads < 1 || b.extent(x, 2) % heads)
    return b.fail("expects the number of heads to divide " +
                  Twine(b.extent(x, 2)) + ", got " + Twine(heads));
  Shape split{b.extent(x, 0), b.extent(x, 1), heads, b.extent(x, 2) / heads};
  return b.transpose(b.reshape(x, split), {0, 2, 1, 3});
}

/// Each of the heads of keys or values for a whole group of query heads.
static Value repeatHeads(OpBinder &op, Value x, int64_t heads) {
  GraphBuilder &b = op.b;
  int64_t own = b.extent(x, 1);
  if (own == heads)
    return x;
  if (own < 1 || heads % own)
    return b.fail("expects query heads that are a multiple of " + Twine(own) +
                  " key heads, got " + Twine(heads));
  Shape repeated(b.shape(x)), flat(b.shape(x));
  repeated.insert(repeated.begin() + 2, heads / own);
  flat[1] = heads;
  return b.reshape(b.broadcast(b.expandDim(x, 2), repeated), flat);
}

/// 0 where a truth value holds, minus infinity elsewhere.
static Value toBias(OpBinder &op, Value allowed, Type type) {
  return op.b.select(allowed, op.b.scalar(0, type),
                     op.b.scalar(kMinusInfinity, type));
}

static Value addBias(OpBinder &op, Value bias, Value allowed, Type type) {
  Value more = toBias(op, allowed, type);
  return bias ? op.b.add(bias, more) : more;
}

static Value positions(OpBinder &op, ArrayRef<int64_t> shape) {
  Tensor tensor(DType::i64, shape);
  for (int64_t i = 0; i < tensor.numElements(); ++i)
    tensor.setInt(i, i);
  return op.b.constant(tensor);
}

/// Sum of everything that is added to the products; null if nothing is.
static std::optional<Value> buildBias(OpBinder &op, int64_t queries,
                                      int64_t keys, int64_t past, Type type) {
  GraphBuilder &b = op.b;
  Value bias;
  if (op.hasInput(3)) {
    Value mask = op.in(3);
    bool isBool = b.element(mask) == b.i1();
    bias = isBool ? toBias(op, mask, type) : b.convert(mask, type);
    if (!bias)
      return std::nullopt;
    int64_t rank = b.rank(bias),
            missing = rank ? keys - b.shape(bias).back() : 0;
    if (missing > 0 && b.shape(bias).back() != 1) {
      Shape low(rank, 0), high(rank, 0);
      high.back() = missing;
      bias = b.pad(PadMode::constant, bias, b.scalar(kMinusInfinity, type), low,
                   high);
    }
  }
  // Position of a query minus that of a key.
  Value offset = b.scalar(double(past), b.i64());
  Value lengths = op.optional(6);
  if (lengths) {
    lengths = b.reshape(b.convert(lengths, b.i64()),
                        {b.type(lengths).getNumElements(), 1, 1, 1});
    if (!lengths)
      return std::nullopt;
    offset = b.sub(lengths, double(queries));
  }
  Value distance =
      b.sub(b.add(positions(op, {queries, 1}), offset), positions(op, {keys}));
  auto limit = [&](int64_t most, Value value) {
    bias = addBias(
        op, bias,
        b.compare(ComparePredicate::le, value, b.scalar(double(most), b.i64())),
        type);
    return bool(bias);
  };
  Value ahead = b.unary(UnaryKind::neg, distance);
  int64_t left = op.intAttr("left_window_size", -1),
          right = op.intAttr("right_window_size", -1);
  if ((op.intAttr("is_causal", 0) && !limit(0, ahead)) ||
      (left >= 0 && !limit(left, distance)) ||
      (right >= 0 && !limit(right, ahead)))
    return std::nullopt;
  if (lengths) {
    bias = addBias(
        op, bias,
        b.compare(ComparePredicate::lt, positions(op, {keys}), lengths), type);
    if (!bias)
      return std::nullopt;
  }
  return bias;
}

/// Softmax that gives zeros to a row that may attend nothing.
static Value maskedSoftmax(OpBinder &op, Value scores, Value bias) {
  GraphBuilder &b = op.b;
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

static LogicalResult importAttention(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value q = op.in(0), k = op.in(1), v = op.in(2);
  if (!q || !k || !v)
    return failure();
  int64_t queryHeads = op.intAttr("q_num_heads", 0),
          keyHeads = op.intAttr("kv_num_heads", 0);
  bool isFlat = b.rank(q) == 3;
  if ((!isFlat && b.rank(q) != 4) || b.rank(k) != b.rank(q) ||
      b.rank(v) != b.rank(q))
    return op.badModel("expects Q, K and V of one rank 3 or 4");
  if (isFlat) {
    q = splitHeads(op, q, queryHeads);
    k = splitHeads(op, k, keyHeads);
    v = splitHeads(op, v, keyHeads);
    if (!q || !k || !v)
      return failure();
  }
  int64_t past = 0;
  if (op.hasInput(4) != op.hasInput(5))
    return op.badModel("expects past keys together with past values");
  if (op.hasInput(4)) {
    Value pastKey = op.in(4), pastValue = op.in(5);
    if (b.rank(pastKey) != 4)
      return op.badModel("expects past keys of rank 4");
    past = b.extent(pastKey, 2);
    k = b.concat({pastKey, k}, 2);
    v = b.concat({pastValue, v}, 2);
    if (!k || !v)
      return failure();
  }
  Type type = b.element(q);
  Value presentKey = k, presentValue = v;
  int64_t heads = b.extent(q, 1);
  k = repeatHeads(op, k, heads);
  v = repeatHeads(op, v, heads);
  double scale = std::sqrt(
      op.floatAttr("scale", 1 / std::sqrt(double(b.shape(q).back()))));
  Value products =
      b.matmul(b.mul(q, scale), b.mul(b.transpose(k, {0, 1, 3, 2}), scale));
  double cap = op.floatAttr("softcap", 0);
  int64_t mode = op.intAttr("qk_matmul_output_mode", 0);
  if (op.hasOutput(3) && mode == 0 && cap > 0)
    return op.unsupported("expects 'qk_matmul_output_mode' 1 to 3 together "
                          "with 'softcap'");
  if (cap > 0)
    products = b.mul(b.unary(UnaryKind::tanh, b.div(products, cap)), cap);
  if (!products)
    return failure();
  auto bias = buildBias(op, b.extent(q, 2), b.extent(k, 2), past, type);
  if (!bias)
    return failure();
  Value scores = *bias ? b.add(products, *bias) : products;
  Type precise = op.typeAttr("softmax_precision", type);
  if (!precise || !scores)
    return failure();
  Value weights =
      b.convert(maskedSoftmax(op, b.convert(scores, precise), *bias), type);
  Value y = b.matmul(weights, v);
  if (y && isFlat)
    y = b.reshape(
        b.transpose(y, {0, 2, 1, 3}),
        {b.extent(y, 0), b.extent(y, 2), b.extent(y, 1) * b.extent(y, 3)});
  if (failed(op.result(y)) || failed(op.result(1, presentKey)) ||
      failed(op.result(2, presentValue)))
    return failure();
  return op.result(3, mode == 3 ? weights : mode == 2 ? scores : products);
}

void frontend::registerAttentionOps(OpRegistry &registry) {
  registry.add("Attention", 23, importAttention);
}
