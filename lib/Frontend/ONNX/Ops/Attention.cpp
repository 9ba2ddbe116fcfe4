//===- Attention.cpp - Scaled dot-product attention -----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Attention, rotary embeddings and caches as composite ops, on one head per
// matrix.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/QG/IR/QGComposite.h"
#include "qopt/Frontend/ONNX/OpBinder.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

/// [B, S, heads * D] -> [B, heads, S, D].
static Value splitHeads(OpBinder &op, Value x, int64_t heads) {
  GraphBuilder &b = op.b;
  if (heads < 1 || b.extent(x, 2) % heads)
    return b.fail("expects the number of heads to divide " +
                  Twine(b.extent(x, 2)) + ", got " + Twine(heads));
  Shape split{b.extent(x, 0), b.extent(x, 1), heads, b.extent(x, 2) / heads};
  return b.transpose(b.reshape(x, split), {0, 2, 1, 3});
}

/// A composite op of operands that the model chose: one that its verifier
/// refuses is the model's fault.
static Value checked(OpBinder &op, Value composite) {
  if (!composite)
    op.fault = Fault::BadModel;
  return composite;
}

/// Since opset 24 a mask that is shorter than the keys is padded with what
/// masks. qg.attention does so, too, but takes a length of 1 for a broadcast,
/// as opset 23 does.
static Value padMask(OpBinder &op, Value mask, int64_t keys) {
  GraphBuilder &b = op.b;
  if (!mask || op.opset() < 24 || b.rank(mask) == 0 ||
      b.shape(mask).back() != 1 || keys == 1)
    return mask;
  Shape low(b.rank(mask), 0), high(b.rank(mask), 0);
  high.back() = keys - 1;
  double masked =
      b.isFloat(mask) ? -std::numeric_limits<double>::infinity() : 0;
  return b.pad(PadMode::constant, mask, b.scalar(masked, b.element(mask)), low,
               high);
}

static std::optional<qg::AttentionSpec>
getSpec(OpBinder &op, std::array<Value, 3> operands, int64_t past) {
  GraphBuilder &b = op.b;
  qg::AttentionSpec spec;
  spec.q = operands[0];
  spec.k = operands[1];
  spec.v = operands[2];
  spec.mask = padMask(op, op.optional(3), b.extent(spec.k, 2));
  if (Value lengths = op.optional(6)) {
    spec.lengths = b.reshape(b.convert(lengths, b.i64()),
                             {b.type(lengths).getNumElements()});
    if (!spec.lengths)
      return std::nullopt;
  } else {
    spec.offset = past;
  }
  spec.scale = op.floatAttr("scale", 1 / std::sqrt(double(b.shape(spec.q)[3])));
  spec.softcap = op.floatAttr("softcap", 0);
  spec.causal = op.intAttr("is_causal", 0);
  spec.leftWindow = op.intAttr("left_window_size", -1);
  spec.rightWindow = op.intAttr("right_window_size", -1);
  spec.softmaxType = op.typeAttr("softmax_precision", b.element(spec.q));
  if (!spec.softmaxType)
    return std::nullopt;
  if (spec.softmaxType == b.element(spec.q))
    spec.softmaxType = Type();
  if (op.hasOutput(3) && spec.softcap > 0 &&
      op.intAttr("qk_matmul_output_mode", 0) == 0) {
    (void)op.unsupported("expects 'qk_matmul_output_mode' 1 to 3 together "
                         "with 'softcap'");
    return std::nullopt;
  }
  return spec;
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
  Value presentKey = k, presentValue = v;
  auto spec = getSpec(op, {q, k, v}, past);
  if (!spec)
    return failure();
  // Checks the operands, wanted whole or not.
  Value y = checked(op, qg::createAttention(b, *spec)), inner;
  if (!y)
    return failure();
  if (op.hasOutput(3)) {
    if (Operation *whole = y.getDefiningOp<qg::AttentionOp>())
      whole->erase();
    qg::AttentionParts parts = qg::writeAttention(b, *spec);
    int64_t mode = op.intAttr("qk_matmul_output_mode", 0);
    inner = mode == 3   ? parts.weights
            : mode == 2 ? parts.scores
                        : parts.products;
    y = parts.result;
  }
  if (y && isFlat)
    y = b.reshape(
        b.transpose(y, {0, 2, 1, 3}),
        {b.extent(y, 0), b.extent(y, 2), b.extent(y, 1) * b.extent(y, 3)});
  if (failed(op.result(y)) || failed(op.result(1, presentKey)) ||
      failed(op.result(2, presentValue)))
    return failure();
  return op.hasOutput(3) ? op.result(3, inner) : success();
}

/// k or v [B, G, N, D] with each head as often as queries read it.
static Value repeatHeads(GraphBuilder &b, Value x, int64_t heads) {
  if (!x || b.extent(x, 1) == heads)
    return x;
  Shape shape(b.shape(x));
  Shape repeated{shape[0], shape[1], heads / shape[1], shape[2], shape[3]};
  return b.reshape(b.broadcast(b.expandDim(x, 2), repeated),
                   {shape[0], heads, shape[2], shape[3]});
}

/// `x` through the graph of an attribute, if there is one.
static Value modify(OpBinder &op, StringRef name, Value x) {
  if (!x || !op.hasAttr(name))
    return x;
  const ::onnx::GraphProto *graph = op.graphAttr(name);
  if (!graph)
    return {};
  auto values = op.importBody({*graph, (name + "/").str(), {x}, {true}});
  if (!values || values->size() != 1 || !values->front())
    return {};
  if (!op.b.isTensor(values->front())) {
    (void)op.badModel("expects a tensor from '" + name + "'");
    return {};
  }
  Value y = op.b.convert(values->front(), op.b.element(x));
  if (!y || op.b.shape(y) == op.b.shape(x))
    return y;
  return op.b.fail("expects '" + name + "' to keep the shape " +
                   formatShape(op.b.shape(x)));
}

/// Attention whose scores and weights go through graphs.
static LogicalResult importFlexAttention(OpBinder &op) {
  GraphBuilder &b = op.b;
  qg::AttentionSpec spec;
  spec.q = op.in(0);
  spec.k = op.in(1);
  spec.v = op.in(2);
  if (!spec.q || !spec.k || !spec.v)
    return failure();
  for (Value x : {spec.q, spec.k, spec.v})
    if (b.rank(x) != 4)
      return op.badModel("expects Q, K and V of rank 4, got " +
                         formatShape(b.shape(x)));
  Type type = b.element(spec.q);
  Type compute = op.typeAttr("softmax_precision",
                             b.isNarrowFloat(spec.q) ? b.f32() : type);
  if (!compute)
    return failure();
  spec.scale =
      op.floatAttr("scale", 1 / std::sqrt(double(b.extent(spec.q, 3))));
  spec.softmaxType = compute == type ? Type() : compute;
  // Checks the operands.
  Value whole = checked(op, qg::createAttention(b, spec));
  if (!whole || (!op.hasAttr("score_mod") && !op.hasAttr("prob_mod")))
    return op.result(whole);
  if (Operation *unused = whole.getDefiningOp<qg::AttentionOp>())
    unused->erase();
  int64_t heads = b.extent(spec.q, 1);
  double root = std::sqrt(spec.scale);
  Value keys = b.mul(repeatHeads(b, spec.k, heads), root);
  Value scores = b.matmul(b.mul(spec.q, root), b.transpose(keys, {0, 1, 3, 2}));
  scores = modify(op, "score_mod", b.convert(scores, compute));
  Value weights = scores ? b.softmax(scores, 3) : scores;
  weights = modify(op, "prob_mod", weights);
  Value values = b.convert(repeatHeads(b, spec.v, heads), compute);
  return op.result(b.convert(b.matmul(weights, values), type));
}

/// Rows of a table by position, or what is given by batch and position; with a
/// dimension for the heads at `headAxis` of [B, S, D/2].
static Value importAngles(OpBinder &op, Value table, int64_t headAxis) {
  GraphBuilder &b = op.b;
  if (!table)
    return {};
  bool hasPositions = op.hasInput(3);
  if (b.rank(table) != (hasPositions ? 2 : 3))
    return b.fail("expects tables of rank 2 with positions and of rank 3 "
                  "without");
  if (hasPositions)
    table = b.gather(table, op.in(3), 0);
  return table ? b.expandDim(table, headAxis) : table;
}

static LogicalResult importRotaryEmbedding(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  if (!x)
    return failure();
  Shape shape(b.shape(x));
  int64_t heads = op.intAttr("num_heads", 0),
          rotated = op.intAttr("rotary_embedding_dim", 0);
  if (shape.size() != 3 && shape.size() != 4)
    return op.badModel("expects x of rank 3 or 4, got " + formatShape(shape));
  bool isFlat = shape.size() == 3;
  if (isFlat) {
    if (heads < 1 || shape[2] % heads)
      return op.badModel("expects 'num_heads' to divide " + Twine(shape[2]) +
                         ", got " + Twine(heads));
    x = b.reshape(x, {shape[0], shape[1], heads, shape[2] / heads});
  }
  int64_t headAxis = isFlat ? 2 : 1;
  Value cos = importAngles(op, op.in(1), headAxis),
        sin = importAngles(op, op.in(2), headAxis);
  if (!x || !cos || !sin)
    return failure();
  rotated = rotated ? rotated : b.shape(x).back();
  if (b.shape(cos).back() * 2 != rotated)
    return op.badModel("expects tables of " + Twine(rotated) +
                       " / 2 columns, got " + Twine(b.shape(cos).back()));
  bool interleaved = op.intAttr("interleaved", 0);
  Value y = checked(op, b.emit<qg::RotaryOp>(b.shape(x), b.element(x), x, cos,
                                             sin, interleaved));
  return op.result(b.reshape(y, shape));
}

static LogicalResult importTensorScatter(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value cache = op.in(0), update = op.in(1);
  if (!cache || !update)
    return failure();
  auto axis = op.normalizeAxis(op.intAttr("axis", -2), b.rank(cache));
  if (!axis)
    return failure();
  std::string mode = op.stringAttr("mode", "linear");
  if (mode != "linear" && mode != "circular")
    return op.badModel("expects 'mode' linear or circular, got '" + mode + "'");
  return op.result(
      checked(op, b.emit<qg::CacheAppendOp>(b.shape(cache), b.element(cache),
                                            cache, update, op.optional(2),
                                            *axis, mode == "circular")));
}

void frontend::registerAttentionOps(OpRegistry &registry) {
  registry.add("Attention", 23, importAttention);
  registry.add("ai.onnx.preview", "FlexAttention", 1, importFlexAttention);
  registry.add("RotaryEmbedding", 23, importRotaryEmbedding);
  registry.add("TensorScatter", 24, importTensorScatter);
}
