//===- Einsum.cpp - Einstein sums -----------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// An equation becomes transposes, sums and matrix products, two operands at a
// time.
//===----------------------------------------------------------------------===//
#include "qopt/Frontend/ONNX/MatMul.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

namespace {
/// A tensor and one letter per dimension.
struct Term {
  Value value;
  std::string labels;
};
} // namespace

/// Sums out the labels that are not in `kept`.
static Term sumOut(OpBinder &op, Term term, const std::string &kept) {
  Shape axes;
  std::string rest;
  for (auto [i, label] : llvm::enumerate(term.labels))
    if (kept.find(label) == std::string::npos)
      axes.push_back(i);
    else
      rest += label;
  return {op.b.reduce(ReduceKind::sum, term.value, axes, false), rest};
}

/// Dimensions in the order of `labels`; extents of 1 where a label is absent.
static Value arrange(OpBinder &op, const Term &term,
                     const std::string &labels) {
  GraphBuilder &b = op.b;
  if (!term.value)
    return {};
  Shape permutation, shape;
  for (char label : labels) {
    size_t position = term.labels.find(label);
    if (position != std::string::npos)
      permutation.push_back(position);
    shape.push_back(
        position == std::string::npos ? 1 : b.extent(term.value, position));
  }
  return b.reshape(b.transpose(term.value, permutation), shape);
}

static int64_t countOf(OpBinder &op, const Term &term,
                       const std::string &labels) {
  int64_t count = 1;
  for (char label : labels)
    count *= op.b.extent(term.value, term.labels.find(label));
  return count;
}

/// One product: batch labels are in both and kept, contracted ones in both and
/// dropped.
static Term multiply(OpBinder &op, Term lhs, Term rhs,
                     const std::string &kept) {
  GraphBuilder &b = op.b;
  lhs = sumOut(op, lhs, kept + rhs.labels);
  rhs = sumOut(op, rhs, kept + lhs.labels);
  if (!lhs.value || !rhs.value)
    return {};
  std::string batch, contracted, left, right;
  bool isBroadcast = false;
  for (char label : lhs.labels) {
    size_t other = rhs.labels.find(label);
    if (other == std::string::npos) {
      left += label;
      continue;
    }
    int64_t extent = b.extent(lhs.value, lhs.labels.find(label));
    isBroadcast |= extent != b.extent(rhs.value, other);
    (kept.find(label) == std::string::npos ? contracted : batch) += label;
  }
  for (char label : rhs.labels)
    if (lhs.labels.find(label) == std::string::npos)
      right += label;
  std::string all = batch + left + right;
  if (contracted.empty() || isBroadcast || !b.isFloat(lhs.value)) {
    std::string wide = all + contracted;
    Value product = b.mul(arrange(op, lhs, wide), arrange(op, rhs, wide));
    return sumOut(op, {product, wide}, all);
  }
  Shape result;
  for (char label : batch + left)
    result.push_back(b.extent(lhs.value, lhs.labels.find(label)));
  for (char label : right)
    result.push_back(b.extent(rhs.value, rhs.labels.find(label)));
  int64_t batches = countOf(op, lhs, batch),
          terms = countOf(op, lhs, contracted);
  Value x = b.reshape(arrange(op, lhs, batch + left + contracted),
                      {batches, countOf(op, lhs, left), terms});
  Value y = b.reshape(arrange(op, rhs, batch + contracted + right),
                      {batches, terms, countOf(op, rhs, right)});
  return {b.reshape(buildProduct(b, x, y), result), all};
}

/// A term whose letters are all different: dimensions of one letter become its
/// diagonal, every (extent + 1)th element of both.
static Term takeDiagonals(OpBinder &op, Term term) {
  GraphBuilder &b = op.b;
  for (size_t i = 0; term.value && i < term.labels.size(); ++i) {
    size_t twin = term.labels.find(term.labels[i], i + 1);
    if (twin == std::string::npos)
      continue;
    int64_t extent = b.extent(term.value, i);
    if (extent != b.extent(term.value, twin))
      return {b.fail("expects equal extents of a repeated letter"), ""};
    Shape permutation;
    for (size_t d = 0; d < term.labels.size(); ++d)
      if (d != i && d != twin)
        permutation.push_back(d);
    permutation.append({int64_t(i), int64_t(twin)});
    Value moved = b.transpose(term.value, permutation);
    if (!moved)
      return {};
    Shape flat(b.shape(moved).drop_back(2)), diagonal;
    flat.push_back(extent * extent);
    for (int64_t k = 0; k < extent; ++k)
      diagonal.push_back(k * (extent + 1));
    Value taken = b.gather(b.reshape(moved, flat), b.ints(diagonal),
                           int64_t(flat.size()) - 1);
    std::string labels;
    for (int64_t d : ArrayRef<int64_t>(permutation).drop_back())
      labels += term.labels[d];
    return takeDiagonals(op, {taken, labels});
  }
  return term;
}

/// Letters of one side; `...` becomes the last letters of `dots`.
static std::optional<std::string> expand(StringRef text, StringRef dots,
                                         int64_t rank) {
  std::string labels;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("...")) {
      int64_t letters = text.size() - 3;
      int64_t count = rank < 0 ? int64_t(dots.size()) : rank - letters;
      if (count < 0 || count > int64_t(dots.size()))
        return std::nullopt;
      labels += dots.take_back(count);
      i += 2;
      continue;
    }
    if (!llvm::isAlpha(text[i]))
      return std::nullopt;
    labels += text[i];
  }
  return labels;
}

static LogicalResult importEinsum(OpBinder &op) {
  GraphBuilder &b = op.b;
  std::string equation = op.stringAttr("equation", "");
  equation.erase(std::remove(equation.begin(), equation.end(), ' '),
                 equation.end());
  auto [left, right] = StringRef(equation).split("->");
  SmallVector<StringRef> sides;
  left.split(sides, ',');
  if (sides.size() != op.numInputs())
    return op.badModel("expects one subscript per input in '" + equation + "'");
  int64_t most = 0;
  for (auto [i, side] : llvm::enumerate(sides)) {
    if (!op.in(i))
      return failure();
    if (side.contains("..."))
      most =
          std::max<int64_t>(most, b.rank(op.in(i)) - int64_t(side.size() - 3));
  }
  if (most > 9)
    return op.badModel("expects at most 9 dimensions behind '...'");
  std::string dots = StringRef("123456789").take_front(most).str();
  SmallVector<Term> terms;
  std::string seen;
  for (auto [i, side] : llvm::enumerate(sides)) {
    auto labels = expand(side, dots, b.rank(op.in(i)));
    if (!labels || int64_t(labels->size()) != b.rank(op.in(i)))
      return op.badModel("expects a subscript for input " + Twine(i) +
                         " of rank " + Twine(b.rank(op.in(i))) + ", got '" +
                         side + "'");
    seen += *labels;
    terms.push_back(takeDiagonals(op, {op.in(i), *labels}));
    if (!terms.back().value)
      return failure();
  }
  std::string target;
  if (StringRef(equation).contains("->")) {
    auto labels = expand(right, dots, -1);
    if (!labels)
      return op.badModel("expects letters in the result of '" + equation + "'");
    target = *labels;
  } else {
    target = dots;
    for (char label = 'A'; label <= 'z'; ++label)
      if (llvm::isAlpha(label) && llvm::count(seen, label) == 1)
        target += label;
  }
  for (char label : target)
    if (seen.find(label) == std::string::npos || llvm::count(target, label) > 1)
      return op.badModel("expects each letter of the result once, and in an "
                         "input, in '" +
                         equation + "'");
  Term result = terms[0];
  for (size_t i = 1; i < terms.size(); ++i) {
    std::string kept = target;
    for (size_t j = i + 1; j < terms.size(); ++j)
      kept += terms[j].labels;
    result = multiply(op, result, terms[i], kept);
    if (!result.value)
      return failure();
  }
  return op.result(arrange(op, sumOut(op, result, target), target));
}

void frontend::registerEinsumOps(OpRegistry &registry) {
  registry.add("Einsum", 12, roundOnce<importEinsum>);
}
