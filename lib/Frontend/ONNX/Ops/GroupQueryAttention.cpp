//===- GroupQueryAttention.cpp - Attention over a cache of keys -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// GroupQueryAttention of com.microsoft, the layer of decoders: rotation, the
// new keys put into the cache, then qg.attention. The cache has a fixed extent
// here; where its new positions begin is data.
//===----------------------------------------------------------------------===//
#include "Heads.h"
#include "qopt/Dialect/QG/IR/QGComposite.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

namespace {
class GroupQuery {
public:
  explicit GroupQuery(OpBinder &op) : op(op), b(op.b) {}

  LogicalResult import();

private:
  LogicalResult refuseForms();
  LogicalResult readHeads();
  LogicalResult normalizeHeads();
  LogicalResult readExtents();
  LogicalResult readCacheExtent(std::optional<int64_t> total);
  Value getPositions();
  LogicalResult rotate();
  std::optional<Value> readCache(Value x, unsigned index);
  LogicalResult append(Value &x, unsigned index);
  Value countResident(Value total);
  LogicalResult slide();
  LogicalResult updateCaches();
  Value readBias();
  LogicalResult writeMask(qg::AttentionSpec &spec);
  LogicalResult addSink(qg::AttentionSpec &spec, Value sink);
  Value attend();

  /// 0, 1, ... as i64 of `shape`, which has one extent that is not 1.
  Value count(ArrayRef<int64_t> shape);

  OpBinder &op;
  GraphBuilder &b;
  /// [B, heads, S, D], [B, groups, S, D].
  Value q, k, v;
  int64_t batch = 1, length = 1;
  /// Positions of the caches given and of those that result.
  int64_t past = 0, capacity = 0;
  /// Positions that count, and those before the new ones, [B] of i64; the
  /// latter is null where it is 0.
  Value totals, start;
  /// The only query of a cache that is empty; null where that is known.
  Value isPrompt;
  Value presentKey, presentValue;
  /// Keys behind which so many are not seen; -1 for none.
  int64_t window = -1;
  /// The caches hold the last positions only. [B, keys]: where a key stands
  /// among all, and whether it is one.
  bool slides = false;
  Value keyPositions, isKey;
};
} // namespace

Value GroupQuery::count(ArrayRef<int64_t> shape) {
  Tensor steps(DType::i64, shape);
  for (int64_t i = 0, e = steps.numElements(); i < e; ++i)
    steps.setInt(i, i);
  return b.constant(steps);
}

/// What the operator has, but not here.
LogicalResult GroupQuery::refuseForms() {
  for (StringRef name : {"k_quant_type", "v_quant_type"})
    if (std::string kind = op.stringAttr(name, "NONE"); kind != "NONE")
      return op.unsupported("expects caches of floats, got attribute '" + name +
                            "' = \"" + kind + "\"");
  window = op.intAttr("local_window_size", -1);
  slides = op.intAttr("sliding_window_cache", 0) != 0;
  if (slides && op.hasInput(10))
    return op.unsupported("expects no attention_bias with "
                          "'sliding_window_cache' 1");
  if (op.intAttr("qk_output", 0) || op.hasOutput(3))
    return op.unsupported("expects no output 'output_qk'");
  if (op.hasInput(12) || op.hasInput(13))
    return op.unsupported("expects no scales of caches");
  op.ignoreAttrs({"kv_cache_bit_width"});
  return success();
}

LogicalResult GroupQuery::readHeads() {
  int64_t heads = op.intAttr("num_heads", 0),
          groups = op.intAttr("kv_num_heads", 0);
  Value query = op.in(0), key = op.optional(1), value = op.optional(2);
  if (!query)
    return failure();
  if (b.rank(query) != 3 || heads < 1 || groups < 1 || heads % groups)
    return op.badModel("expects a query [B, S, heads * D] and 'num_heads' that "
                       "are a multiple of 'kv_num_heads'");
  if (!key && !value) {
    int64_t width = b.extent(query, 2), parts = heads + 2 * groups;
    if (width % parts)
      return op.badModel("expects a packed query of " + Twine(parts) +
                         " heads, got " + formatShape(b.shape(query)));
    int64_t each = width / parts, end = heads * each;
    key = b.sliceAxis(query, 2, end, end + groups * each);
    value = b.sliceAxis(query, 2, end + groups * each, width);
    query = b.sliceAxis(query, 2, 0, end);
  }
  if (!key || !value)
    return op.badModel("expects a query, a key and a value, packed or not");
  q = toHeads(b, query, heads);
  k = q ? toHeads(b, key, groups) : q;
  v = k ? toHeads(b, value, groups) : k;
  if (!v)
    return failure();
  batch = b.extent(q, 0);
  length = b.extent(q, 2);
  if (b.shape(k) != b.shape(v) || b.extent(k, 0) != batch ||
      b.extent(k, 2) != length || b.extent(k, 3) != b.extent(q, 3))
    return op.badModel("expects keys and values of the queries' batch, length "
                       "and width, got " +
                       formatShape(b.shape(k)) + " and " +
                       formatShape(b.shape(v)) + " for " +
                       formatShape(b.shape(q)));
  return success();
}

/// Heads of queries and keys divided by their root mean square, if the node
/// has weights for that.
LogicalResult GroupQuery::normalizeHeads() {
  double epsilon = op.floatAttr("qk_norm_epsilon", 1e-6f);
  if (!op.hasInput(14) && !op.hasInput(15))
    return success();
  if (!op.hasInput(14) || !op.hasInput(15))
    return op.badModel("expects a weight for the norm of queries and one for "
                       "that of keys");
  qg::NormalizeSpec spec;
  const int64_t last = 3;
  spec.axes = last;
  for (auto [x, weight] : {std::pair(&q, op.in(14)), std::pair(&k, op.in(15))})
    *x = b.mul(b.emit<qg::NormalizeOp>(b.shape(*x), b.element(*x), spec.form,
                                       *x, spec.axes, llvm::APFloat(epsilon),
                                       /*centered=*/false),
               weight);
  return success(q && k);
}

/// How many positions the resulting cache has.
LogicalResult GroupQuery::readCacheExtent(std::optional<int64_t> total) {
  if (slides) {
    capacity = past;
    return success();
  }
  if (total) {
    capacity = std::max(past, *total);
    return success();
  }
  std::optional<Shape> declared = op.declaredShape(1);
  if (past == 0)
    capacity = length;
  else if (!op.hasOutput(1) && !op.hasOutput(2))
    capacity = past + length; // enough for either
  else if (declared && declared->size() == 4 && (*declared)[2] >= past)
    capacity = (*declared)[2];
  else
    return op.unsupported(
        "expects a total_sequence_length that is known when compiling, or a "
        "declared length of present_key (its dimension can be bound)");
  return success();
}

LogicalResult GroupQuery::readExtents() {
  Value lengths = op.in(5), all = op.in(6);
  if (!lengths || !all)
    return failure();
  if (b.type(lengths).getNumElements() != batch ||
      b.type(all).getNumElements() != 1)
    return op.badModel("expects a length for each of the batch and one for "
                       "all");
  if (op.hasInput(3) != op.hasInput(4))
    return op.badModel("expects past keys together with past values");
  if (Value given = op.optional(3)) {
    if (b.rank(given) != 4)
      return op.badModel("expects past keys and values of rank 4");
    past = b.extent(given, 2);
  }
  std::optional<int64_t> total;
  if (std::optional<Tensor> known = b.constantOf(all))
    total = known->getInt(0);
  if (total && (*total < length || (past == 0 && *total != length)))
    return op.badModel("expects a total_sequence_length of " + Twine(length) +
                       " new positions and those before, got " + Twine(*total));
  if (failed(readCacheExtent(total)))
    return failure();
  if (slides && (window < 1 || past < window))
    return op.badModel(
        "expects a cache of 'local_window_size' = " + Twine(window) +
        " positions or more, got " + Twine(past));
  if (!slides && capacity < length)
    return op.badModel("expects caches of " + Twine(length) +
                       " positions or more, got " + Twine(capacity));
  totals = b.add(b.reshape(b.convert(lengths, b.i64()), {batch}),
                 b.scalar(1, b.i64()));
  if (past == 0 || total == length)
    return success(bool(totals));
  start = b.sub(totals, b.scalar(length, b.i64()));
  if (!total) {
    isPrompt =
        b.compare(ComparePredicate::eq, b.reshape(b.convert(all, b.i64()), {1}),
                  b.scalar(length, b.i64()));
    start = b.select(isPrompt, b.scalar(0, b.i64()), start);
  }
  return success(bool(start));
}

/// Of the new tokens, [B, S] or [1, S]. A prompt counts from the first that is
/// given.
Value GroupQuery::getPositions() {
  Value steps = count({1, length}), counted = steps;
  if (start)
    counted = b.add(b.reshape(start, {batch, 1}), steps);
  Value given = b.convert(op.optional(9), b.i64());
  if (!given)
    return counted;
  int64_t elements = b.type(given).getNumElements();
  Value flat = b.reshape(given, {elements});
  Value fromFirst = b.add(b.sliceAxis(flat, 0, 0, 1), steps);
  if (!start)
    return fromFirst;
  if (elements != batch * length)
    return b.fail("expects position_ids [B, S], got " +
                  formatShape(b.shape(given)));
  Value whole = b.reshape(flat, {batch, length});
  return isPrompt ? b.select(isPrompt, fromFirst, whole) : whole;
}

LogicalResult GroupQuery::rotate() {
  bool isInterleaved = op.intAttr("rotary_interleaved", 0) != 0;
  if (op.intAttr("do_rotary", 0) == 0) {
    for (unsigned i : {7, 8, 9})
      op.ignoreInput(i);
    return success();
  }
  Value cos = op.in(7), sin = op.in(8);
  if (!cos || !sin)
    return failure();
  if (b.rank(cos) != 2 || b.shape(cos) != b.shape(sin))
    return op.badModel("expects tables of rank 2 and one shape");
  Value positions = getPositions();
  if (!positions)
    return failure();
  for (Value *table : {&cos, &sin})
    *table =
        b.convert(b.expandDim(b.gather(*table, positions, 0), 1), b.element(q));
  for (Value *x : {&q, &k}) {
    *x = b.emit<qg::RotaryOp>(b.shape(*x), b.element(*x), *x, cos, sin,
                              isInterleaved);
    if (!*x)
      return op.badModel("expects tables of at most half a head");
  }
  return success();
}

/// The cache of input `index`, which goes with `x`.
std::optional<Value> GroupQuery::readCache(Value x, unsigned index) {
  Value cache = op.optional(index);
  if (!cache || past == 0)
    return cache;
  Shape wanted(b.shape(x));
  wanted[2] = past;
  if (b.shape(cache) != ArrayRef<int64_t>(wanted)) {
    (void)op.badModel("expects a cache of " + formatShape(wanted) + ", got " +
                      formatShape(b.shape(cache)));
    return std::nullopt;
  }
  return b.convert(cache, b.element(x));
}

/// `x` behind what is in the cache of input `index`.
LogicalResult GroupQuery::append(Value &x, unsigned index) {
  std::optional<Value> given = readCache(x, index);
  if (!given)
    return failure();
  if (capacity == length)
    return success();
  Value cache = *given;
  Value zero = b.scalar(0, b.element(x));
  // All of the cache, then the new ones.
  std::optional<Tensor> known = start ? b.constantOf(start) : std::nullopt;
  if (known && capacity == past + length &&
      llvm::all_of(llvm::seq<int64_t>(0, batch),
                   [&](int64_t i) { return known->getInt(i) == past; })) {
    x = b.concat({cache, x}, 2);
    return success(bool(x));
  }
  if (capacity > past)
    cache = b.pad(PadMode::constant, cache, zero, {0, 0, 0, 0},
                  {0, 0, capacity - past, 0});
  if (!cache)
    return failure();
  x = b.emit<qg::CacheAppendOp>(b.shape(cache), b.element(cache), cache, x,
                                start, 2, /*circular=*/false);
  return success(bool(x));
}

/// How many of `total` positions a sliding cache still has: all that fit, then
/// as many less as it throws away at once when it is full.
Value GroupQuery::countResident(Value total) {
  int64_t step = capacity - window + 1;
  auto number = [&](int64_t value) { return b.scalar(double(value), b.i64()); };
  Value over = b.max(b.add(total, number(step - 1 - capacity)), number(0));
  return b.sub(total, b.mul(b.div(over, number(step)), number(step)));
}

/// Keys and values: those in the cache, then the new ones. `presentKey` and
/// `presentValue` are the last of them, moved to the front.
LogicalResult GroupQuery::slide() {
  std::optional<Value> pastKey = readCache(k, 3), pastValue = readCache(v, 4);
  if (!pastKey || !pastValue)
    return failure();
  int64_t rows = capacity + length;
  Value before = start ? start : b.full({batch}, 0, b.i64());
  before = b.reshape(before, {batch, 1});
  Value all = b.reshape(totals, {batch, 1});
  Value kept = countResident(before), left = countResident(all);
  Value row = count({1, rows}), size = b.scalar(double(capacity), b.i64());
  Value isNew = b.compare(ComparePredicate::ge, row, size);
  keyPositions = b.select(isNew, b.add(before, b.sub(row, size)),
                          b.add(b.sub(before, kept), row));
  isKey = b.binary(BinaryKind::bit_or, isNew,
                   b.compare(ComparePredicate::lt, row, kept));
  // Where the rows of the new cache come from.
  Value position = b.add(b.sub(all, left), count({1, capacity}));
  Value behind = b.sub(position, before);
  Value source =
      b.clamp(b.select(b.compare(ComparePredicate::ge, position, before),
                       b.add(behind, size), b.add(behind, kept)),
              0, double(rows - 1));
  if (!source || !isKey || !keyPositions)
    return failure();
  k = b.concat({*pastKey, k}, 2);
  v = b.concat({*pastValue, v}, 2);
  auto takeLast = [&](Value x) {
    SmallVector<Value> parts;
    for (int64_t i = 0; x && i < batch; ++i) {
      Value own = b.reshape(b.sliceAxis(source, 0, i, i + 1), {capacity});
      parts.push_back(b.gather(b.sliceAxis(x, 0, i, i + 1), own, 2));
    }
    return b.concat(parts, 0);
  };
  presentKey = takeLast(k);
  presentValue = takeLast(v);
  return success(presentKey && presentValue);
}

/// What is added to the scores; it may be shorter than the cache.
Value GroupQuery::readBias() {
  Value bias = b.convert(op.optional(10), b.element(q));
  if (!bias || b.rank(bias) == 0)
    return bias;
  int64_t given = b.shape(bias).back();
  if (given >= capacity)
    return given == capacity ? bias
                             : b.sliceAxis(bias, b.rank(bias) - 1, 0, capacity);
  Shape low(b.rank(bias), 0), high(b.rank(bias), 0);
  high.back() = capacity - given;
  return b.pad(
      PadMode::constant, bias,
      b.scalar(-std::numeric_limits<double>::infinity(), b.element(bias)), low,
      high);
}

/// Causality, windows and lengths of `spec` as a mask.
LogicalResult GroupQuery::writeMask(qg::AttentionSpec &spec) {
  Type type = b.element(q);
  Value keys = slides ? b.reshape(keyPositions, {batch, 1, 1, b.extent(k, 2)})
                      : count({1, 1, 1, b.extent(k, 2)});
  Value queries = count({1, 1, length, 1});
  if (start)
    queries = b.add(b.reshape(start, {batch, 1, 1, 1}), queries);
  Value seen = spec.causal ? b.compare(ComparePredicate::le, keys, queries)
                           : b.compare(ComparePredicate::lt, keys,
                                       b.reshape(totals, {batch, 1, 1, 1}));
  if (slides)
    seen = b.binary(BinaryKind::bit_and, seen,
                    b.reshape(isKey, {batch, 1, 1, b.extent(k, 2)}));
  if (spec.leftWindow >= 0)
    seen = b.binary(
        BinaryKind::bit_and, seen,
        b.compare(ComparePredicate::ge, keys,
                  b.sub(queries, b.scalar(double(spec.leftWindow), b.i64()))));
  Value bias =
      b.select(seen, b.scalar(0, type),
               b.scalar(-std::numeric_limits<double>::infinity(), type));
  if (spec.mask)
    bias = b.add(bias, spec.mask);
  spec.mask = bias;
  spec.lengths = {};
  spec.causal = false;
  spec.leftWindow = -1;
  spec.offset = 0;
  return success(bool(bias));
}

/// One more key whose score is `sink` and whose value is 0, which all queries
/// see. The mask is written out.
LogicalResult GroupQuery::addSink(qg::AttentionSpec &spec, Value sink) {
  Type type = b.element(q);
  int64_t heads = b.extent(q, 1);
  if (b.type(sink).getNumElements() != heads)
    return op.badModel("expects a sink for each of " + Twine(heads) + " heads");
  Value bias =
      b.broadcast(spec.mask, {batch, heads, length, b.extent(spec.k, 2)});
  Value column = b.broadcast(b.reshape(b.convert(sink, type), {1, heads, 1, 1}),
                             {batch, heads, length, 1});
  spec.mask = b.concat({bias, column}, 3);
  for (Value *x : {&spec.k, &spec.v})
    *x = b.pad(PadMode::constant, *x, b.scalar(0, type), {0, 0, 0, 0},
               {0, 0, 1, 0});
  return success(spec.mask && spec.k && spec.v);
}

Value GroupQuery::attend() {
  qg::AttentionSpec spec;
  spec.q = q;
  spec.k = k;
  spec.v = v;
  double scale = op.floatAttr("scale", 0);
  spec.scale = scale != 0 ? scale : 1 / std::sqrt(double(b.extent(q, 3)));
  spec.softcap = op.floatAttr("softcap", 0);
  spec.causal = op.intAttr("causal", 1) != 0;
  spec.leftWindow = window > 0 ? window - 1 : -1;
  if (op.hasInput(10)) {
    spec.mask = readBias();
    if (!spec.mask)
      return {};
  }
  if (spec.causal)
    spec.lengths =
        start ? b.add(start, b.scalar(double(length), b.i64())) : Value();
  else
    spec.lengths = totals;
  Value sink = op.optional(11);
  bool isSmooth = op.intAttr("smooth_softmax", -1) == 1;
  if (isSmooth && !sink)
    sink = b.full({b.extent(q, 1)}, 0, b.element(q));
  if ((sink || slides) && failed(writeMask(spec)))
    return {};
  if (sink && failed(addSink(spec, sink)))
    return {};
  Value y = qg::createAttention(b, spec);
  if (!y)
    op.fault = Fault::BadModel;
  return fromHeads(b, y);
}

LogicalResult GroupQuery::updateCaches() {
  if (slides)
    return slide();
  if (failed(append(k, 3)) || failed(append(v, 4)))
    return failure();
  presentKey = k;
  presentValue = v;
  return success();
}

LogicalResult GroupQuery::import() {
  if (failed(refuseForms()) || failed(readHeads()) ||
      failed(normalizeHeads()) || failed(readExtents()) || failed(rotate()) ||
      failed(updateCaches()) || failed(op.result(attend())))
    return failure();
  if (op.hasOutput(1) && failed(op.result(1, presentKey)))
    return failure();
  return op.hasOutput(2) ? op.result(2, presentValue) : success();
}

static LogicalResult importGroupQueryAttention(OpBinder &op) {
  return GroupQuery(op).import();
}

void frontend::registerGroupQueryAttentionOps(OpRegistry &registry) {
  registry.add("com.microsoft", "GroupQueryAttention", 1,
               importGroupQueryAttention, "caches of floats");
}
