//===- NGrams.cpp - TfIdfVectorizer of numbers ----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// How often each n-gram of a pool occurs: its numbers are compared with those
// that lie where an occurrence would have them.
//===----------------------------------------------------------------------===//
#include "qopt/Frontend/ONNX/OpBinder.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

namespace {
/// The n-grams of one length.
struct GramLevel {
  int64_t length;
  Shape numbers; ///< [grams * length]
  Shape columns; ///< where each counts in the result
};
} // namespace

/// The pool by length; only lengths that are asked for.
static std::optional<SmallVector<GramLevel>> readPool(OpBinder &op) {
  Shape pool = op.intsAttr("pool_int64s"), starts = op.intsAttr("ngram_counts"),
        columns = op.intsAttr("ngram_indexes");
  int64_t least = op.intAttr("min_gram_length", 1),
          most = op.intAttr("max_gram_length", 1), gram = 0;
  SmallVector<GramLevel> levels;
  for (size_t i = 0; i < starts.size(); ++i) {
    int64_t begin = starts[i], length = int64_t(i) + 1,
            end = i + 1 < starts.size() ? starts[i + 1] : int64_t(pool.size());
    int64_t count = (end - begin) / length;
    if (begin < 0 || end < begin || end > int64_t(pool.size()) ||
        (end - begin) % length || gram + count > int64_t(columns.size())) {
      (void)op.badModel("expects 'ngram_counts' that part 'pool_int64s' into "
                        "n-grams with an index each");
      return std::nullopt;
    }
    if (count > 0 && length >= least && length <= most)
      levels.push_back(
          {length, Shape(ArrayRef<int64_t>(pool).slice(begin, end - begin)),
           Shape(ArrayRef<int64_t>(columns).slice(gram, count))});
    gram += count;
  }
  for (int64_t column : columns)
    if (column < 0 || column > (1 << 24)) {
      (void)op.badModel("expects 'ngram_indexes' in [0, 2^24]");
      return std::nullopt;
    }
  return levels;
}

/// How often the n-grams of a level occur in x [B, n] with `skip` numbers left
/// out between two of theirs: [B, grams] of f32.
static Value countGrams(GraphBuilder &b, Value x, const GramLevel &level,
                        int64_t skip) {
  int64_t n = b.extent(x, 1), grams = level.columns.size(),
          reach = (level.length - 1) * (skip + 1) + 1;
  if (n < reach)
    return {};
  Value all;
  for (int64_t i = 0; i < level.length; ++i) {
    Tensor wanted(DType::i64, {1, grams, 1});
    for (int64_t g = 0; g < grams; ++g)
      wanted.setInt(g, level.numbers[g * level.length + i]);
    int64_t begin = i * (skip + 1);
    Value seen =
        b.expandDim(b.sliceAxis(x, 1, begin, begin + n - reach + 1), 1);
    Value isEqual = b.compare(ComparePredicate::eq, seen, b.constant(wanted));
    all = all ? b.binary(BinaryKind::bit_and, all, isEqual) : isEqual;
  }
  return b.reduce(ReduceKind::sum, b.convert(all, b.f32()), {2}, false);
}

static LogicalResult importTfIdfVectorizer(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  if (op.hasAttr("pool_strings"))
    return op.unsupported("strings are not supported");
  std::string mode = op.stringAttr("mode", "TF");
  if (mode != "TF" && mode != "IDF" && mode != "TFIDF")
    return op.badModel("attribute 'mode' = \"" + mode +
                       "\" is not one of TF, IDF, TFIDF");
  auto levels = readPool(op);
  Shape columns = op.intsAttr("ngram_indexes");
  SmallVector<double> weights = op.floatsAttr("weights");
  int64_t skips = op.intAttr("max_skip_count", 0);
  if (!x || !levels)
    return failure();
  if (b.rank(x) < 1 || b.rank(x) > 2 || columns.empty() || skips < 0 ||
      skips > 4096 || (!weights.empty() && weights.size() != columns.size()))
    return op.badModel("expects numbers [n] or [B, n], n-grams, at most 4096 "
                       "skips, and a weight for each n-gram or none");
  bool isVector = b.rank(x) == 1;
  x = b.convert(isVector ? b.expandDim(x, 0) : x, b.i64());
  int64_t width = *llvm::max_element(columns) + 1;
  Value sum = b.full({b.extent(x, 0), width}, 0, b.f32());
  for (const GramLevel &level : *levels) {
    // Single numbers have nothing between them.
    int64_t most = level.length == 1 ? 0 : skips;
    Tensor place(DType::f32, {int64_t(level.columns.size()), width});
    for (auto [g, column] : llvm::enumerate(level.columns))
      place.setFloat(int64_t(g) * width + column, 1);
    for (int64_t skip = 0; skip <= most; ++skip)
      if (Value counts = countGrams(b, x, level, skip))
        sum = b.add(sum, b.matmul(counts, b.constant(place)));
  }
  if (mode == "IDF")
    sum = b.min(sum, 1.0);
  if (mode != "TF" && !weights.empty()) {
    // By the text a weight is that of an n-gram, in ONNX Runtime and the
    // reference evaluator that of a column.
    for (auto [i, column] : llvm::enumerate(columns))
      if (column != int64_t(i))
        return op.unsupported("expects 'ngram_indexes' 0, 1, ... together with "
                              "'weights'");
    sum = b.mul(sum, b.floats({width}, weights, b.f32()));
  }
  return op.result(isVector ? b.dropDim(sum, 0) : sum);
}

void frontend::registerNGramOps(OpRegistry &registry) {
  registry.add("TfIdfVectorizer", 9, importTfIdfVectorizer, "of numbers");
}
