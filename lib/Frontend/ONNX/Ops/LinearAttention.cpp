//===- LinearAttention.cpp - Attention with a state instead of keys -------===//
// SPDX-License-Identifier: Apache-2.0
//
// Recurrences over the positions of a sequence whose length is known: unrolled.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/QG/IR/QGComposite.h"
#include "qopt/Frontend/ONNX/OpBinder.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"

#include <cmath>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

/// Positions beyond which a recurrence is not unrolled.
static constexpr int64_t kMostSteps = 512;

namespace {
struct LinearSpec {
  int64_t batch, steps, queryHeads, heads, keyWidth, valueWidth;
  bool isGated, isDelta;
  double scale;
};
} // namespace

/// Position `t` of x [B, T, heads * width]: [B, heads, rows, columns].
static Value getStep(GraphBuilder &b, Value x, int64_t t,
                     ArrayRef<int64_t> shape) {
  return x ? b.reshape(b.sliceAxis(x, 1, t, t + 1), shape) : x;
}

/// The spec of a node whose operands have ranks and extents that fit; none, and
/// reported, otherwise.
static std::optional<LinearSpec> readLinearSpec(OpBinder &op, Value q, Value k,
                                                Value v) {
  GraphBuilder &b = op.b;
  LinearSpec s{b.extent(q, 0),
               b.extent(q, 1),
               op.intAttr("q_num_heads", 0),
               op.intAttr("kv_num_heads", 0),
               0,
               0,
               false,
               false,
               op.floatAttr("scale", 0)};
  std::string rule = op.stringAttr("update_rule", "gated_delta");
  s.isGated = rule == "gated" || rule == "gated_delta";
  s.isDelta = rule == "delta" || rule == "gated_delta";
  if (!s.isGated && !s.isDelta && rule != "linear") {
    (void)op.badModel("attribute 'update_rule' = \"" + rule +
                      "\" is not one of linear, gated, delta, gated_delta");
    return std::nullopt;
  }
  if (s.heads < 1 || s.queryHeads < 1 || s.queryHeads % s.heads ||
      b.extent(q, 2) % s.queryHeads || b.extent(v, 2) % s.heads ||
      b.shape(q).take_front(2) != b.shape(k).take_front(2) ||
      b.shape(q).take_front(2) != b.shape(v).take_front(2) ||
      b.extent(k, 2) * s.queryHeads != b.extent(q, 2) * s.heads) {
    (void)op.badModel(
        "expects heads that divide q, k and v, got " + formatShape(b.shape(q)) +
        ", " + formatShape(b.shape(k)) + " and " + formatShape(b.shape(v)) +
        " with " + Twine(s.queryHeads) + " and " + Twine(s.heads) + " heads");
    return std::nullopt;
  }
  s.keyWidth = b.extent(q, 2) / s.queryHeads;
  s.valueWidth = b.extent(v, 2) / s.heads;
  if (s.scale == 0)
    s.scale = 1 / std::sqrt(double(s.keyWidth));
  if (s.steps <= kMostSteps)
    return s;
  (void)op.unsupported("expects at most " + Twine(kMostSteps) +
                       " positions, got " + Twine(s.steps));
  return std::nullopt;
}

/// decay and beta where the rule has them, and nowhere else.
static LogicalResult checkGates(OpBinder &op, const LinearSpec &s, Value decay,
                                Value beta) {
  GraphBuilder &b = op.b;
  if (s.isGated != bool(decay) || s.isDelta != bool(beta))
    return op.badModel("expects 'decay' with gated rules and 'beta' with delta "
                       "rules, and only there");
  Shape leading{s.batch, s.steps};
  auto fits = [&](Value v, int64_t first, int64_t second) {
    return !v || (b.rank(v) == 3 &&
                  b.shape(v).take_front(2) == ArrayRef<int64_t>(leading) &&
                  (b.extent(v, 2) == first || b.extent(v, 2) == second));
  };
  if (fits(decay, s.heads, s.heads * s.keyWidth) && fits(beta, s.heads, 1))
    return success();
  return op.badModel("expects a decay for each head or key channel and a beta "
                     "for each head or one");
}

/// state * exp(decay) of a position.
static Value forget(GraphBuilder &b, Value state, Value decay, int64_t t,
                    const LinearSpec &s) {
  if (!decay)
    return state;
  int64_t each = b.extent(decay, 2) / s.heads;
  Value step = getStep(b, decay, t, {s.batch, s.heads, each, 1});
  return b.mul(state, b.unary(UnaryKind::exp, step));
}

/// The state [B, heads, D, E] is read and written at every position.
static LogicalResult importLinearAttention(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value q = op.in(0), k = op.in(1), v = op.in(2);
  op.ignoreAttrs({"chunk_size"});
  if (!q || !k || !v)
    return failure();
  if (b.rank(q) != 3 || b.rank(k) != 3 || b.rank(v) != 3)
    return op.badModel("expects q, k and v of rank 3");
  auto s = readLinearSpec(op, q, k, v);
  Value past = op.optional(3), decay = op.optional(4), beta = op.optional(5);
  if (!s || failed(checkGates(op, *s, decay, beta)))
    return failure();
  Shape stateShape{s->batch, s->heads, s->keyWidth, s->valueWidth};
  if (past && b.shape(past) != ArrayRef<int64_t>(stateShape))
    return op.badModel("expects a state " + formatShape(stateShape) + ", got " +
                       formatShape(b.shape(past)));
  Type type = b.element(op.hasInput(3) ? op.raw(3) : op.raw(0));
  Value state = past ? past : b.full(stateShape, 0, b.element(q));
  int64_t group = s->queryHeads / s->heads;
  SmallVector<Value> outputs;
  for (int64_t t = 0; t < s->steps; ++t) {
    Value key = getStep(b, k, t, {s->batch, s->heads, s->keyWidth, 1});
    Value value = getStep(b, v, t, {s->batch, s->heads, 1, s->valueWidth});
    state = forget(b, state, decay, t, *s);
    if (s->isDelta) {
      Value row = b.reshape(key, {s->batch, s->heads, 1, s->keyWidth});
      Value strength = getStep(b, beta, t, {s->batch, b.extent(beta, 2), 1, 1});
      value = b.mul(b.sub(value, b.matmul(row, state)), strength);
    }
    state = b.add(state, b.mul(key, value));
    Value query = getStep(b, q, t, {s->batch, s->heads, group, s->keyWidth});
    outputs.push_back(b.reshape(b.matmul(query, state),
                                {s->batch, 1, s->queryHeads * s->valueWidth}));
    if (!outputs.back())
      return failure();
  }
  Value y = outputs.empty() ? Value() : b.concat(outputs, 1);
  if (failed(op.result(y ? b.mul(y, s->scale) : y)))
    return op.unsupported("expects at least one position");
  return op.hasOutput(1) ? op.result(1, b.convert(state, type)) : success();
}

/// A depthwise convolution that looks back, and the positions that the next
/// call looks back at.
static LogicalResult importCausalConv(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0), weight = op.in(1), bias = op.optional(2),
        past = op.optional(3);
  if (!x || !weight)
    return failure();
  std::string activation = op.stringAttr("activation", "none");
  if (activation != "none" && activation != "silu" && activation != "swish")
    return op.badModel("attribute 'activation' = \"" + activation +
                       "\" is not one of none, silu, swish");
  if (b.rank(x) != 3 || b.rank(weight) != 3 || b.extent(weight, 1) != 1 ||
      b.extent(weight, 0) != b.extent(x, 1) || b.extent(weight, 2) < 1)
    return op.badModel("expects x [N, C, n] and a weight [C, 1, k], got " +
                       formatShape(b.shape(x)) + " and " +
                       formatShape(b.shape(weight)));
  int64_t channels = b.extent(x, 1), back = b.extent(weight, 2) - 1;
  Shape stateShape{b.extent(x, 0), channels, back};
  if (past && b.shape(past) != ArrayRef<int64_t>(stateShape))
    return op.badModel("expects a state " + formatShape(stateShape) + ", got " +
                       formatShape(b.shape(past)));
  Type type = b.element(op.raw(0));
  Value padded = past
                     ? b.concat({past, x}, 2)
                     : b.pad(PadMode::constant, x, {}, {0, 0, back}, {0, 0, 0});
  WindowSpec window{{back + 1}, {1}, {0, 0}, {1}};
  Value y = b.toChannelsFirst(b.conv(b.toChannelsLast(padded),
                                     b.toChannelsLast(weight), bias, window,
                                     channels));
  if (activation != "none")
    y = qg::writeSwish(b, b.convert(b.convert(y, type), b.f32()), 1);
  if (failed(op.result(y)))
    return failure();
  if (!op.hasOutput(1))
    return success();
  int64_t extent = b.extent(padded, 2);
  return op.result(
      1, b.convert(b.sliceAxis(padded, 2, extent - back, extent), type));
}

void frontend::registerLinearAttentionOps(OpRegistry &registry) {
  registry.add("CausalConvWithState", 27, roundOnce<importCausalConv>);
  registry.add("LinearAttention", 27, roundOnce<importLinearAttention>,
               "at most 512 positions");
}
