//===- Forest.cpp - Decision trees as tables ------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// All trees of all rows go down a level at a time: gathers from tables of
// nodes, in which a leaf leads to itself.
//===----------------------------------------------------------------------===//
#include "Forest.h"

#include <limits>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

/// Levels of a tree, beyond which it is no decision tree.
static constexpr int64_t kMostLevels = 4096;

std::optional<int64_t> Forest::measureDepth(OpBinder &op,
                                            int64_t features) const {
  for (const TreeNode &node : nodes) {
    bool isLeaf = node.branch == Branch::Leaf;
    if (!isLeaf && (node.feature < 0 || node.feature >= features)) {
      (void)op.badModel("expects features below " + Twine(features) + ", got " +
                        Twine(node.feature));
      return std::nullopt;
    }
    for (auto [target, weight] : node.votes)
      if (target < 0 || target >= targets) {
        (void)op.badModel("expects targets below " + Twine(targets) + ", got " +
                          Twine(target));
        return std::nullopt;
      }
  }
  // Level by level from the roots; a cycle never ends.
  llvm::DenseSet<int64_t> level(roots.begin(), roots.end());
  for (int64_t depth = 0; depth <= kMostLevels; ++depth) {
    llvm::DenseSet<int64_t> next;
    for (int64_t index : level)
      if (nodes[index].branch != Branch::Leaf) {
        next.insert(nodes[index].onTrue);
        next.insert(nodes[index].onFalse);
      }
    if (next.empty())
      return depth;
    level = std::move(next);
  }
  (void)op.badModel("expects trees of at most " + Twine(kMostLevels) +
                    " levels and without cycles");
  return std::nullopt;
}

namespace {
/// The tables of a forest, and the state of the walk [N, T].
struct Walk {
  GraphBuilder &b;
  const Forest &forest;
  Value x;     ///< [N * F]
  Value start; ///< [N, 1]: where the features of a row begin
  Value node;  ///< [N, T]

  template <typename F> Value lookUp(DType dtype, F get) {
    Tensor table(dtype, {int64_t(forest.nodes.size())});
    for (auto [i, each] : llvm::enumerate(forest.nodes))
      if (isFloat(dtype))
        table.setFloat(i, get(each));
      else
        table.setInt(i, int64_t(get(each)));
    return b.gather(b.constant(table), node, 0);
  }
  Value holds(Value feature);
  void descend();
};
} // namespace

/// Where the condition of the node is true.
Value Walk::holds(Value feature) {
  using P = ComparePredicate;
  static constexpr P predicates[] = {P::le, P::lt, P::ge, P::gt, P::eq, P::ne};
  DType dtype = b.element(x).isF64() ? DType::f64 : DType::f32;
  Value split = lookUp(dtype, [](const TreeNode &n) { return n.split; });
  Value branch =
      lookUp(DType::i64, [](const TreeNode &n) { return int64_t(n.branch); });
  Value result;
  for (size_t i = 0; i < std::size(predicates); ++i) {
    bool isUsed = llvm::any_of(
        forest.nodes, [&](const TreeNode &n) { return n.branch == Branch(i); });
    if (!isUsed)
      continue;
    Value holds = b.compare(predicates[i], feature, split);
    Value isThis = b.compare(P::eq, branch, b.scalar(double(i), b.i64()));
    result = result ? b.select(isThis, holds, result) : holds;
  }
  bool hasMissing = llvm::any_of(
      forest.nodes, [](const TreeNode &n) { return n.followsMissing; });
  if (!hasMissing)
    return result;
  Value follows = b.convert(
      lookUp(DType::u8, [](const TreeNode &n) { return n.followsMissing; }),
      b.i1());
  return b.binary(BinaryKind::bit_or, result,
                  b.binary(BinaryKind::bit_and, follows,
                           b.unary(UnaryKind::is_nan, feature)));
}

void Walk::descend() {
  Value index = lookUp(DType::i64, [](const TreeNode &n) { return n.feature; });
  Value feature = b.gather(x, b.add(index, start), 0);
  Value onTrue = lookUp(DType::i64, [](const TreeNode &n) { return n.onTrue; });
  Value onFalse =
      lookUp(DType::i64, [](const TreeNode &n) { return n.onFalse; });
  node = b.select(holds(feature), onTrue, onFalse);
}

/// One row of weights for each node; `absent` where it has no vote.
static Tensor getVotes(const Forest &forest, DType dtype, double absent) {
  Tensor votes(dtype, {int64_t(forest.nodes.size()), forest.targets});
  for (int64_t i = 0; i < votes.numElements(); ++i)
    votes.setFloat(i, absent);
  for (auto [i, node] : llvm::enumerate(forest.nodes))
    for (auto [target, weight] : node.votes) {
      int64_t at = int64_t(i) * forest.targets + target;
      votes.setFloat(at, absent == 0 ? votes.getFloat(at) + weight : weight);
    }
  return votes;
}

Value frontend::walkForest(OpBinder &op, const Forest &forest, Value x,
                           Aggregate aggregate) {
  GraphBuilder &b = op.b;
  if (!x)
    return {};
  int64_t rows = b.extent(x, 0), features = b.extent(x, 1);
  std::optional<int64_t> depth = forest.measureDepth(op, features);
  if (!depth)
    return {};
  if (int64_t(forest.nodes.size()) * forest.targets > (int64_t(1) << 26))
    return b.fail("expects at most 2^26 numbers in the leaves");
  Tensor start(DType::i64, {rows, 1}),
      all(DType::i64, {int64_t(rows), int64_t(forest.roots.size())});
  for (int64_t i = 0; i < rows; ++i)
    start.setInt(i, i * features);
  for (int64_t i = 0; i < all.numElements(); ++i)
    all.setInt(i, forest.roots[i % forest.roots.size()]);
  Walk walk{b, forest, b.reshape(x, {rows * features}), b.constant(start),
            b.constant(all)};
  for (int64_t level = 0; level < *depth; ++level)
    walk.descend();
  DType dtype = b.element(x).isF64() ? DType::f64 : DType::f32;
  const double most = dtype == DType::f64
                          ? std::numeric_limits<double>::max()
                          : double(std::numeric_limits<float>::max());
  bool isMin = aggregate == Aggregate::Min, isMax = aggregate == Aggregate::Max;
  Value votes = b.gather(b.constant(getVotes(forest, dtype,
                                             isMin   ? most
                                             : isMax ? -most
                                                     : 0)),
                         walk.node, 0);
  Value y = b.reduce(isMin   ? ReduceKind::min
                     : isMax ? ReduceKind::max
                             : ReduceKind::sum,
                     votes, {1}, false);
  if (aggregate == Aggregate::Average)
    y = b.div(y, double(forest.roots.size()));
  return y;
}
