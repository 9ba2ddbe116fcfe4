//===- MultiHeadAttention.cpp - ONNX Runtime's forms of attention ---------===//
// SPDX-License-Identifier: Apache-2.0
//
// Attention, QAttention, MultiHeadAttention and RotaryEmbedding of
// com.microsoft: operands packed and masked in ways of their own, then
// qg.attention.
//===----------------------------------------------------------------------===//
#include "FusedProducts.h"
#include "Heads.h"
#include "qopt/Dialect/QG/IR/QGComposite.h"
#include "qopt/Frontend/ONNX/MatMul.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"

#include <cmath>
#include <limits>
#include <numeric>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

Value frontend::toHeads(GraphBuilder &b, Value x, int64_t heads) {
  if (!x || b.rank(x) != 3 || heads < 1 || b.extent(x, 2) % heads)
    return x ? b.fail("expects [B, S, heads * D] with 'num_heads' heads, got " +
                      formatShape(b.shape(x)))
             : x;
  return b.transpose(b.reshape(x, {b.extent(x, 0), b.extent(x, 1), heads,
                                   b.extent(x, 2) / heads}),
                     {0, 2, 1, 3});
}

Value frontend::fromHeads(GraphBuilder &b, Value x) {
  if (!x)
    return x;
  return b.reshape(
      b.transpose(x, {0, 2, 1, 3}),
      {b.extent(x, 0), b.extent(x, 2), b.extent(x, 1) * b.extent(x, 3)});
}

/// Part `index` of x [B, S, heads, count, D]: [B, heads, S, D].
static Value takePart(GraphBuilder &b, Value x, int64_t index) {
  return b.transpose(b.dropDim(b.sliceAxis(x, 3, index, index + 1), 3),
                     {0, 2, 1, 3});
}

/// What a mask of integers adds to the scores: 0 where it holds, else the
/// node's value. `given` is [B] (lengths), [B, T] or [B, S, T].
static Value readMask(OpBinder &op, Value given, ArrayRef<int64_t> scores) {
  GraphBuilder &b = op.b;
  int64_t batch = scores[0], keys = scores[3];
  Value wide = b.convert(given, b.i64());
  if (!wide)
    return {};
  Value holds;
  if (b.rank(wide) == 1 && b.extent(wide, 0) == batch) {
    Tensor positions(DType::i64, {1, 1, 1, keys});
    for (int64_t i = 0; i < keys; ++i)
      positions.setInt(i, i);
    holds = b.compare(ComparePredicate::lt, b.constant(positions),
                      b.reshape(wide, {batch, 1, 1, 1}));
  } else {
    Shape shape{batch, 1, 1, keys};
    if (b.rank(wide) == 3)
      shape[2] = scores[2];
    if (b.rank(wide) < 2 || b.rank(wide) > 3 ||
        b.type(wide).getNumElements() != getNumElements(shape))
      return b.fail("expects a mask [B], [B, T] or [B, S, T], got " +
                    formatShape(b.shape(wide)));
    holds = b.compare(ComparePredicate::ne, b.reshape(wide, shape),
                      b.scalar(0, b.i64()));
  }
  return b.select(holds, b.scalar(0, b.f32()),
                  b.scalar(op.floatAttr("mask_filter_value", -10000), b.f32()));
}

namespace {
/// Operands [B, N, S, D], [B, N, T, D], [B, N, T, E], and the inputs that bias
/// the scores.
struct Heads {
  Value q, k, v;
  Value mask, bias; ///< null if there is none
  int64_t past = 0;
};
} // namespace

static Value attend(OpBinder &op, const Heads &heads) {
  GraphBuilder &b = op.b;
  if (!heads.q || !heads.k || !heads.v)
    return {};
  Shape scores{b.extent(heads.q, 0), b.extent(heads.q, 1), b.extent(heads.q, 2),
               b.extent(heads.k, 2)};
  qg::AttentionSpec spec;
  spec.q = heads.q;
  spec.k = heads.k;
  spec.v = heads.v;
  if (heads.mask) {
    spec.mask = b.convert(readMask(op, heads.mask, scores), b.element(heads.q));
    if (!spec.mask)
      return {};
  }
  if (heads.bias)
    spec.mask = spec.mask ? b.add(spec.mask, heads.bias) : heads.bias;
  double scale = op.floatAttr("scale", 0);
  spec.scale = scale != 0 ? scale : 1 / std::sqrt(double(b.extent(spec.q, 3)));
  spec.causal = op.intAttr("unidirectional", 0) != 0;
  spec.offset = heads.past;
  op.ignoreAttrs({"mask_filter_value"});
  Value y = qg::createAttention(b, spec);
  if (!y)
    op.fault = Fault::BadModel;
  return fromHeads(b, y);
}

/// Query, key and value of MultiHeadAttention, packed or not; `biasInput` is
/// added to them.
static LogicalResult readHeads(OpBinder &op, Heads &heads,
                               unsigned biasInput = 3) {
  GraphBuilder &b = op.b;
  int64_t count = op.intAttr("num_heads", 0);
  Value q = op.in(0), k = op.optional(1), v = op.optional(2),
        bias = op.optional(biasInput);
  if (!q)
    return failure();
  if (b.rank(q) == 5 && !k && !v && b.extent(q, 3) == 3) {
    heads.q = takePart(b, q, 0);
    heads.k = takePart(b, q, 1);
    heads.v = takePart(b, q, 2);
  } else if (k && b.rank(k) == 5 && !v && b.extent(k, 3) == 2) {
    heads.q = toHeads(b, q, count);
    heads.k = takePart(b, k, 0);
    heads.v = takePart(b, k, 1);
  } else if (k && v) {
    heads.q = toHeads(b, q, count);
    if (heads.q)
      heads.k = b.rank(k) == 4 ? k : toHeads(b, k, count);
    if (heads.k)
      heads.v = b.rank(v) == 4 ? v : toHeads(b, v, count);
  } else {
    return op.badModel("expects a query, a key and a value, packed or not");
  }
  if (!bias || !heads.q || !heads.k || !heads.v)
    return success(heads.q && heads.k && heads.v);
  int64_t begin = 0;
  for (Value *x : {&heads.q, &heads.k, &heads.v}) {
    int64_t n = b.extent(*x, 1), width = b.extent(*x, 3),
            end = begin + n * width;
    if (b.rank(bias) != 1 || b.extent(bias, 0) < end)
      return op.badModel("expects a bias for queries, keys and values");
    *x = b.add(*x,
               b.reshape(b.sliceAxis(bias, 0, begin, end), {1, n, 1, width}));
    begin = end;
  }
  return success();
}

/// Attends behind the keys of input `first` and the values of the next, if they
/// are there, and gives all of them as results 1 and 2.
static LogicalResult attendBehindPast(OpBinder &op, Heads &heads,
                                      unsigned first) {
  GraphBuilder &b = op.b;
  if (Value past = op.optional(first)) {
    Value pastValue = op.in(first + 1);
    if (!pastValue || b.rank(past) != 4)
      return op.badModel("expects past keys and values of rank 4");
    heads.past = b.extent(past, 2);
    heads.k = b.concat({past, heads.k}, 2);
    heads.v = b.concat({pastValue, heads.v}, 2);
  }
  if (failed(op.result(attend(op, heads))))
    return failure();
  if (op.hasOutput(1) && failed(op.result(1, heads.k)))
    return failure();
  return op.hasOutput(2) ? op.result(2, heads.v) : success();
}

static LogicalResult importMultiHeadAttention(OpBinder &op) {
  Heads heads;
  if (failed(readHeads(op, heads)))
    return failure();
  if (op.hasInput(8) || op.hasInput(9) || op.hasOutput(3))
    return op.unsupported("expects no shared caches and no output 'qk'");
  heads.mask = op.optional(4);
  heads.bias = op.optional(5);
  return attendBehindPast(op, heads, 6);
}

/// The same of one query at a time.
static LogicalResult importDecoderMaskedAttention(OpBinder &op) {
  Heads heads;
  if (failed(readHeads(op, heads, 10)))
    return failure();
  if (op.intAttr("past_present_share_buffer", 0) || op.hasInput(8) ||
      op.hasInput(9) || op.hasOutput(3) || op.intAttr("output_qk", 0))
    return op.unsupported("expects no shared caches, no beams and no output "
                          "'qk'");
  op.ignoreInput(7); // of shared caches
  heads.mask = op.optional(3);
  heads.bias = op.optional(4);
  return attendBehindPast(op, heads, 5);
}

/// What keeps the tokens of several sequences apart that follow each other in
/// one: 0 between those of the same, else minus infinity. `starts` has the
/// first token of each and the end.
static Value separateSequences(GraphBuilder &b, Value starts, int64_t tokens,
                               Type type) {
  starts = b.convert(starts, b.i64());
  if (!starts || b.rank(starts) != 1)
    return b.fail("expects a vector of cumulated lengths");
  Tensor positions(DType::i64, {tokens, 1});
  for (int64_t i = 0; i < tokens; ++i)
    positions.setInt(i, i);
  Value begun = b.compare(ComparePredicate::ge, b.constant(positions), starts);
  Value sequence =
      b.reduce(ReduceKind::sum, b.convert(begun, b.i64()), {1}, true);
  Value isSame = b.compare(ComparePredicate::eq, sequence,
                           b.reshape(sequence, {1, tokens}));
  return b.select(isSame, b.scalar(0, type),
                  b.scalar(-std::numeric_limits<double>::infinity(), type));
}

/// Tokens of several sequences without padding, [T, ...].
static LogicalResult importPackedMultiHeadAttention(OpBinder &op) {
  GraphBuilder &b = op.b;
  for (unsigned i = 0; i < 3; ++i)
    if (op.hasInput(i))
      op.replaceInput(i, b.expandDim(op.in(i), 0));
  Heads heads;
  if (failed(readHeads(op, heads)))
    return failure();
  if (op.hasInput(6))
    return op.unsupported("expects no 'attention_bias'");
  op.ignoreInput(4); // where the tokens lie without packing
  heads.bias =
      separateSequences(b, op.in(5), b.extent(heads.q, 2), b.element(heads.q));
  Value y = heads.bias ? attend(op, heads) : Value();
  return op.result(y ? b.dropDim(y, 0) : y);
}

namespace {
/// The product that makes queries, keys and values, [B, S, sizes], and which
/// inputs go with it.
struct PackedHeads {
  Value all;
  Shape sizes;
  std::optional<unsigned> mask, past;
  Value bias; ///< of the scores; may be null
};
} // namespace

static LogicalResult attendPacked(OpBinder &op, const PackedHeads &packed) {
  GraphBuilder &b = op.b;
  if (!packed.all)
    return failure();
  int64_t count = op.intAttr("num_heads", 0), begin = 0;
  Heads heads;
  Value *parts[] = {&heads.q, &heads.k, &heads.v};
  for (auto [part, size] : llvm::zip(parts, packed.sizes)) {
    *part = toHeads(b, b.sliceAxis(packed.all, 2, begin, begin + size), count);
    if (!*part)
      return failure();
    begin += size;
  }
  if (packed.mask)
    heads.mask = op.optional(*packed.mask);
  heads.bias = packed.bias;
  if (Value past = packed.past ? op.optional(*packed.past) : Value()) {
    if (b.rank(past) != 5 || b.extent(past, 0) != 2)
      return op.badModel("expects a past [2, B, heads, P, D]");
    heads.past = b.extent(past, 3);
    heads.k = b.concat({b.dropDim(b.sliceAxis(past, 0, 0, 1), 0), heads.k}, 2);
    heads.v = b.concat({b.dropDim(b.sliceAxis(past, 0, 1, 2), 0), heads.v}, 2);
  }
  if (failed(op.result(attend(op, heads))))
    return failure();
  if (!op.hasOutput(1))
    return success();
  return op.result(
      1, b.concat({b.expandDim(heads.k, 0), b.expandDim(heads.v, 0)}, 0));
}

/// What both forms with a weight of their own ask for; `weights` is input 1.
static LogicalResult checkPacked(OpBinder &op, Value x, Value weights) {
  GraphBuilder &b = op.b;
  if (!x || !weights)
    return failure();
  if (op.intAttr("do_rotary", 0) || op.intAttr("past_present_share_buffer", 0))
    return op.unsupported("expects no rotation and no shared caches");
  if (b.rank(x) != 3 || b.rank(weights) != 2 || op.intAttr("num_heads", 0) < 1)
    return op.badModel("expects x [B, S, C], weights of rank 2 and "
                       "'num_heads'");
  return success();
}

/// The sizes of queries, keys and values side by side.
static LogicalResult checkSizes(OpBinder &op, ArrayRef<int64_t> sizes,
                                int64_t width) {
  if (sizes.size() == 3 &&
      std::accumulate(sizes.begin(), sizes.end(), int64_t(0)) == width)
    return success();
  return op.badModel("expects three sizes that add up to " + Twine(width));
}

/// Attention of com.microsoft: one product makes queries, keys and values.
static LogicalResult importMicrosoftAttention(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0), weights = op.in(1);
  if (op.hasInput(6))
    return op.unsupported("expects no rotation and no shared caches");
  op.ignoreAttrs({"rotary_embedding_dim"});
  if (failed(checkPacked(op, x, weights)))
    return failure();
  int64_t each = b.extent(weights, 1) / 3;
  PackedHeads packed{buildMatMul(b, x, weights),
                     op.intsAttr("qkv_hidden_sizes", {each, each, each}), 3, 4,
                     op.optional(5)};
  if (failed(checkSizes(op, packed.sizes, b.extent(weights, 1))))
    return failure();
  if (Value bias = op.optional(2))
    packed.all = b.add(packed.all, bias);
  return attendPacked(op, packed);
}

/// Attention of tokens of several sequences without padding, [T, C].
static LogicalResult importPackedAttention(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0), weights = op.in(1);
  if (!x || !weights)
    return failure();
  if (b.rank(x) != 2 || b.rank(weights) != 2)
    return op.badModel("expects x [T, C] and weights of rank 2");
  if (op.hasInput(5))
    return op.unsupported("expects no 'attention_bias'");
  op.ignoreInput(3); // where the tokens lie without packing
  int64_t each = b.extent(weights, 1) / 3;
  Value all = b.expandDim(buildMatMul(b, x, weights), 0);
  if (Value bias = op.optional(2))
    all = b.add(all, bias);
  PackedHeads packed{all,
                     op.intsAttr("qkv_hidden_sizes", {each, each, each}),
                     std::nullopt,
                     std::nullopt,
                     {}};
  if (failed(checkSizes(op, packed.sizes, b.extent(weights, 1))))
    return failure();
  packed.bias = separateSequences(b, op.in(4), b.extent(x, 0), b.element(x));
  if (!packed.bias || failed(attendPacked(op, packed)))
    return failure();
  return op.result(b.dropDim(op.results().front(), 0));
}

/// The same where x and the weight are stored integers. Inputs: x, weight,
/// bias, their scales, mask, their zero points, past.
static LogicalResult importQAttention(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.raw(0), weights = op.raw(1);
  if (failed(checkPacked(op, x, weights)))
    return failure();
  Shape sizes(3, b.extent(weights, 1) / 3);
  if (failed(checkSizes(op, sizes, b.extent(weights, 1))))
    return failure();
  auto given = [&](unsigned i) { return op.hasInput(i) ? op.raw(i) : Value(); };
  Value scale = op.in(3);
  Value all = buildScaledProduct(op, {x, scale, given(6)},
                                 {weights, op.in(4), given(7)}, op.optional(2));
  return attendPacked(op, {b.convert(all, scale ? b.element(scale) : Type()),
                           Shape(3, b.extent(weights, 1) / 3),
                           5,
                           8,
                           {}});
}

/// The positions' rows of tables: those given, or from an offset on.
static Value getRotaryRows(OpBinder &op, Value table, int64_t length) {
  GraphBuilder &b = op.b;
  Value positions = b.convert(op.in(1), b.i64());
  if (!positions || !table)
    return {};
  if (b.type(positions).getNumElements() == 1 && length != 1) {
    Tensor steps(DType::i64, {1, length});
    for (int64_t i = 0; i < length; ++i)
      steps.setInt(i, i);
    positions = b.add(b.reshape(positions, {1, 1}), b.constant(steps));
  }
  if (b.rank(positions) == 1)
    positions = b.reshape(positions, {1, b.extent(positions, 0)});
  return b.expandDim(b.gather(table, positions, 0), 1);
}

static LogicalResult importMicrosoftRotary(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0), cos = op.in(2), sin = op.in(3);
  if (!x || !cos || !sin)
    return failure();
  if (op.intAttr("is_packed_batching", 0) || op.floatAttr("scale", 1) != 1)
    return op.unsupported("expects 'is_packed_batching' 0 and 'scale' 1");
  bool isFlat = b.rank(x) == 3;
  int64_t rotated = op.intAttr("rotary_embedding_dim", 0),
          heads = op.intAttr("num_heads", 0);
  if (isFlat && heads == 0 && rotated == 0 && b.rank(cos) == 2)
    heads = b.extent(x, 2) / std::max<int64_t>(2 * b.extent(cos, 1), 1);
  Value split = isFlat ? toHeads(b, x, heads) : x;
  if (!split || b.rank(split) != 4 || b.rank(cos) != 2)
    return op.badModel("expects x of rank 3 or 4 and tables of rank 2");
  int64_t length = b.extent(split, 2);
  cos = getRotaryRows(op, cos, length);
  sin = getRotaryRows(op, sin, length);
  if (!cos || !sin)
    return failure();
  bool isInterleaved = op.intAttr("interleaved", 0);
  Value y = b.emit<qg::RotaryOp>(b.shape(split), b.element(split), split, cos,
                                 sin, isInterleaved);
  if (!y)
    op.fault = Fault::BadModel;
  return op.result(isFlat ? fromHeads(b, y) : y);
}

void frontend::registerMultiHeadAttentionOps(OpRegistry &registry) {
  StringRef ms = "com.microsoft";
  registry.add(ms, "Attention", 1, importMicrosoftAttention);
  registry.add(ms, "DecoderMaskedMultiHeadAttention", 1,
               importDecoderMaskedAttention);
  registry.add(ms, "MultiHeadAttention", 1, importMultiHeadAttention);
  registry.add(ms, "PackedAttention", 1, importPackedAttention);
  registry.add(ms, "PackedMultiHeadAttention", 1,
               importPackedMultiHeadAttention);
  registry.add(ms, "QAttention", 1, importQAttention);
  registry.add(ms, "RotaryEmbedding", 1, importMicrosoftRotary);
}
