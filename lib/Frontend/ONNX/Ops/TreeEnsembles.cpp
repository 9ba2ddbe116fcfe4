//===- TreeEnsembles.cpp - Decision trees of ai.onnx.ml -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Three notations of one thing: nodes named by tree and number with votes of
// leaves (opset 1 and 3), and indices into lists (opset 5).
//===----------------------------------------------------------------------===//
#include "Forest.h"
#include "MLTransforms.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"

#include <cmath>
#include <onnx-ml.pb.h>
#include <set>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

static constexpr StringRef kDomain = "ai.onnx.ml";

/// Input 0 as floats (doubles stay) [N, F].
static Value getFeatureRows(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  if (!x)
    return {};
  if (b.rank(x) != 2)
    return b.fail("expects a matrix, got " + formatShape(b.shape(x)));
  return b.convert(x, b.element(x).isF64() ? b.element(x) : b.f32());
}

/// Numbers that are a list of floats or a tensor named `name`_as_tensor.
static SmallVector<double> readNumbers(OpBinder &op, const std::string &name) {
  std::optional<Tensor> tensor = op.tensorAttr(name + "_as_tensor");
  SmallVector<double> numbers = op.floatsAttr(name);
  for (int64_t i = 0, e = tensor ? tensor->numElements() : 0; i < e; ++i)
    numbers.push_back(tensor->getFloat(i));
  return numbers;
}

//===----------------------------------------------------------------------===//
// Nodes by tree and number
//===----------------------------------------------------------------------===//

static std::optional<Branch> parseBranch(StringRef name) {
  static constexpr std::pair<StringRef, Branch> names[] = {
      {"BRANCH_LEQ", Branch::LessEqual},
      {"BRANCH_LT", Branch::Less},
      {"BRANCH_GTE", Branch::GreaterEqual},
      {"BRANCH_GT", Branch::Greater},
      {"BRANCH_EQ", Branch::Equal},
      {"BRANCH_NEQ", Branch::NotEqual},
      {"LEAF", Branch::Leaf}};
  for (auto [text, branch] : names)
    if (text == name)
      return branch;
  return std::nullopt;
}

static SmallVector<std::string> readStrings(OpBinder &op, StringRef name) {
  SmallVector<std::string> strings;
  if (op.countStrings(name) == 0)
    return strings;
  for (const auto &attribute : op.node().attribute())
    if (name == attribute.name())
      strings.assign(attribute.strings().begin(), attribute.strings().end());
  return strings;
}

namespace {
using NodeName = std::pair<int64_t, int64_t>; ///< tree, number

/// A forest while its nodes are known by name.
struct NamedForest {
  Forest forest;
  std::map<NodeName, int64_t> indices;

  LogicalResult readNodes(OpBinder &op);
  LogicalResult readVotes(OpBinder &op, const std::string &kind);

private:
  LogicalResult link(OpBinder &op, ArrayRef<int64_t> trees,
                     ArrayRef<int64_t> numbers);
};
} // namespace

/// Children by name; a tree begins at its first node.
LogicalResult NamedForest::link(OpBinder &op, ArrayRef<int64_t> trees,
                                ArrayRef<int64_t> numbers) {
  Shape onTrue = op.intsAttr("nodes_truenodeids"),
        onFalse = op.intsAttr("nodes_falsenodeids");
  if (onTrue.size() != trees.size() || onFalse.size() != trees.size())
    return op.badModel("expects children of " + Twine(trees.size()) + " nodes");
  for (size_t i = 0; i < trees.size(); ++i) {
    if (!indices.insert({{trees[i], numbers[i]}, int64_t(i)}).second)
      return op.badModel("expects each node once, got node " +
                         Twine(numbers[i]) + " of tree " + Twine(trees[i]) +
                         " twice");
    if (i == 0 || trees[i] != trees[i - 1])
      forest.roots.push_back(i);
  }
  for (size_t i = 0; i < trees.size(); ++i) {
    TreeNode &node = forest.nodes[i];
    node.onTrue = node.onFalse = int64_t(i);
    if (node.branch == Branch::Leaf)
      continue;
    auto yes = indices.find({trees[i], onTrue[i]}),
         no = indices.find({trees[i], onFalse[i]});
    if (yes == indices.end() || no == indices.end())
      return op.badModel("expects children of node " + Twine(numbers[i]) +
                         " in tree " + Twine(trees[i]));
    node.onTrue = yes->second;
    node.onFalse = no->second;
  }
  return success();
}

LogicalResult NamedForest::readNodes(OpBinder &op) {
  op.ignoreAttrs({"nodes_hitrates", "nodes_hitrates_as_tensor"});
  Shape trees = op.intsAttr("nodes_treeids"),
        numbers = op.intsAttr("nodes_nodeids"),
        features = op.intsAttr("nodes_featureids"),
        missing = op.intsAttr("nodes_missing_value_tracks_true");
  SmallVector<double> splits = readNumbers(op, "nodes_values");
  SmallVector<std::string> modes = readStrings(op, "nodes_modes");
  size_t count = trees.size();
  if (count == 0 || count > (1 << 24) || numbers.size() != count ||
      features.size() != count || splits.size() != count ||
      modes.size() != count || (!missing.empty() && missing.size() != count))
    return op.badModel("expects as many of each of the lists of nodes, and at "
                       "least one");
  for (size_t i = 0; i < count; ++i) {
    std::optional<Branch> branch = parseBranch(modes[i]);
    if (!branch)
      return op.unsupported("expects 'nodes_modes' of LEAF and BRANCH_LEQ, LT, "
                            "GTE, GT, EQ, NEQ, got " +
                            modes[i]);
    TreeNode node;
    node.branch = *branch;
    node.followsMissing = !missing.empty() && missing[i];
    node.feature = features[i];
    node.split = splits[i];
    forest.nodes.push_back(node);
  }
  return link(op, trees, numbers);
}

/// The lists that begin with `kind`, "target" or "class".
LogicalResult NamedForest::readVotes(OpBinder &op, const std::string &kind) {
  Shape trees = op.intsAttr(kind + "_treeids"),
        numbers = op.intsAttr(kind + "_nodeids"),
        targets = op.intsAttr(kind + "_ids");
  SmallVector<double> weights = readNumbers(op, kind + "_weights");
  if (numbers.size() != trees.size() || targets.size() != trees.size() ||
      weights.size() != trees.size())
    return op.badModel("expects as many of each of the lists of votes");
  for (size_t i = 0; i < trees.size(); ++i) {
    auto it = indices.find({trees[i], numbers[i]});
    if (it == indices.end())
      return op.badModel("expects votes of nodes there are, got node " +
                         Twine(numbers[i]) + " of tree " + Twine(trees[i]));
    TreeNode &node = forest.nodes[it->second];
    if (node.branch == Branch::Leaf)
      node.votes.push_back({targets[i], weights[i]});
  }
  return success();
}

static std::optional<Aggregate> readAggregate(OpBinder &op) {
  std::string name = op.stringAttr("aggregate_function", "SUM");
  if (name == "SUM")
    return Aggregate::Sum;
  if (name == "AVERAGE")
    return Aggregate::Average;
  if (name == "MIN")
    return Aggregate::Min;
  if (name == "MAX")
    return Aggregate::Max;
  (void)op.badModel("attribute 'aggregate_function' = \"" + name +
                    "\" is not one of AVERAGE, SUM, MIN, MAX");
  return std::nullopt;
}

static LogicalResult importTreeEnsembleRegressor(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = getFeatureRows(op);
  NamedForest named;
  named.forest.targets = op.intAttr("n_targets", 1);
  std::optional<Aggregate> aggregate = readAggregate(op);
  if (!x || !aggregate)
    return failure();
  if (named.forest.targets < 1 || named.forest.targets > (1 << 20))
    return op.badModel("expects 'n_targets' in [1, 2^20]");
  if (failed(named.readNodes(op)) || failed(named.readVotes(op, "target")))
    return failure();
  Value y = walkForest(op, named.forest, x, *aggregate);
  SmallVector<double> base = readNumbers(op, "base_values");
  if (!base.empty() && int64_t(base.size()) != named.forest.targets)
    return op.badModel("expects a base value for each target, got " +
                       Twine(base.size()));
  if (y && !base.empty())
    y = b.add(y, b.floats({named.forest.targets}, base, b.element(y)));
  y = applyPostTransform(op, y);
  return op.result(b.convert(y, b.f32()));
}

//===----------------------------------------------------------------------===//
// Classes
//===----------------------------------------------------------------------===//

namespace {
/// Votes for one of two classes only: the other's score follows, as ONNX
/// Runtime has it.
struct OneSided {
  Value scores; ///< [N, 2]
  Value isSecond;
};
} // namespace

static OneSided completeScores(OpBinder &op, Value votes, bool arePositive) {
  GraphBuilder &b = op.b;
  Type type = b.element(votes);
  std::string transform = op.stringAttr("post_transform", "NONE");
  OneSided result;
  result.isSecond = b.compare(ComparePredicate::gt, votes,
                              b.scalar(arePositive ? 0.5 : 0, type));
  Value other = b.unary(UnaryKind::neg, votes);
  if (transform == "LOGISTIC") {
    other = b.unary(UnaryKind::sigmoid, other);
    votes = b.unary(UnaryKind::sigmoid, votes);
  } else if (arePositive) {
    other = b.sub(b.scalar(1, type), votes);
  }
  result.scores = b.concat({other, votes}, 1);
  return result;
}

static LogicalResult giveLabels(OpBinder &op, Value index,
                                ArrayRef<int64_t> labels, bool areStrings) {
  if (areStrings)
    return success();
  return op.result(0, op.b.gather(op.b.ints(labels), index, 0));
}

static LogicalResult importTreeEnsembleClassifier(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = getFeatureRows(op);
  Shape labels = op.intsAttr("classlabels_int64s");
  int64_t strings = op.countStrings("classlabels_strings");
  NamedForest named;
  Forest &forest = named.forest;
  forest.targets = std::max<int64_t>(labels.size(), strings);
  bool areStrings = labels.empty();
  if (!x)
    return failure();
  if (forest.targets < 2)
    return op.unsupported("expects at least two labels, got " +
                          Twine(forest.targets));
  if (failed(named.readNodes(op)) || failed(named.readVotes(op, "class")))
    return failure();
  std::set<int64_t> voted;
  bool arePositive = true;
  for (TreeNode &node : forest.nodes)
    for (auto [target, weight] : node.votes) {
      voted.insert(target);
      arePositive &= weight >= 0;
    }
  SmallVector<double> base = readNumbers(op, "base_values");
  bool isOneSided = forest.targets == 2 && voted.size() == 1;
  if (!base.empty() &&
      (isOneSided ? base.size() != 1 : int64_t(base.size()) != forest.targets))
    return op.unsupported("expects a base value for each score, got " +
                          Twine(base.size()));
  Value votes = walkForest(op, forest, x, Aggregate::Sum);
  if (!votes)
    return failure();
  if (isOneSided)
    votes = b.sliceAxis(votes, 1, *voted.begin(), *voted.begin() + 1);
  if (!base.empty())
    votes =
        b.add(votes, b.floats({int64_t(base.size())}, base, b.element(votes)));
  if (isOneSided) {
    OneSided both = completeScores(op, votes, arePositive);
    Value index =
        b.reshape(b.convert(both.isSecond, b.i64()), {b.extent(x, 0)});
    if (failed(giveLabels(op, index, labels, areStrings)))
      return failure();
    return op.result(1, b.convert(both.scores, b.f32()));
  }
  Value index = b.argReduce(ReduceKind::max, votes, 1, /*selectLast=*/false);
  Value scores = applyPostTransform(op, votes);
  if (!scores || failed(giveLabels(op, index, labels, areStrings)))
    return failure();
  return op.result(1, b.convert(scores, b.f32()));
}

//===----------------------------------------------------------------------===//
// Nodes by index
//===----------------------------------------------------------------------===//

namespace {
/// The lists of TreeEnsemble.
struct IndexedNodes {
  Shape features, onTrue, onFalse, trueLeaves, falseLeaves, missing;
  std::optional<Tensor> splits, modes, weights, members;
  Shape leafTargets;
};
} // namespace

static std::optional<IndexedNodes> readIndexedNodes(OpBinder &op) {
  op.ignoreAttrs({"nodes_hitrates"});
  IndexedNodes n{op.intsAttr("nodes_featureids"),
                 op.intsAttr("nodes_truenodeids"),
                 op.intsAttr("nodes_falsenodeids"),
                 op.intsAttr("nodes_trueleafs"),
                 op.intsAttr("nodes_falseleafs"),
                 op.intsAttr("nodes_missing_value_tracks_true"),
                 op.tensorAttr("nodes_splits"),
                 op.tensorAttr("nodes_modes"),
                 op.tensorAttr("leaf_weights"),
                 op.tensorAttr("membership_values"),
                 op.intsAttr("leaf_targetids")};
  size_t count = n.features.size();
  if (n.splits && n.modes && n.weights && count <= (1 << 24) &&
      n.onTrue.size() == count && n.onFalse.size() == count &&
      n.trueLeaves.size() == count && n.falseLeaves.size() == count &&
      (n.missing.empty() || n.missing.size() == count) &&
      n.splits->numElements() == int64_t(count) &&
      n.modes->numElements() == int64_t(count) &&
      n.weights->numElements() == int64_t(n.leafTargets.size()))
    return n;
  (void)op.badModel("expects as many of each of the lists of nodes and of "
                    "leaves");
  return std::nullopt;
}

/// A test for members is one for each of them, with one way where it holds;
/// `first` is the index of the first of the members that are left.
static LogicalResult addMemberTests(OpBinder &op, const IndexedNodes &n,
                                    Forest &forest, int64_t index,
                                    int64_t &first) {
  SmallVector<double> members;
  int64_t count = n.members ? n.members->numElements() : 0;
  while (first < count && !std::isnan(n.members->getFloat(first)))
    members.push_back(n.members->getFloat(first++));
  if (first++ >= count || members.empty())
    return op.badModel("expects members for each test of them");
  TreeNode test = forest.nodes[index];
  test.branch = Branch::Equal;
  for (size_t i = 0; i < members.size(); ++i) {
    TreeNode node = test;
    node.split = members[i];
    bool isLast = i + 1 == members.size();
    if (!isLast)
      node.onFalse = forest.nodes.size() + (i == 0 ? 0 : 1);
    if (i == 0)
      forest.nodes[index] = node;
    else
      forest.nodes.push_back(node);
  }
  return success();
}

/// Leaves lie behind the nodes.
static LogicalResult buildIndexedForest(OpBinder &op, const IndexedNodes &n,
                                        Forest &forest) {
  int64_t count = n.features.size(), leaves = n.leafTargets.size();
  auto child = [&](int64_t index, bool isLeaf) -> int64_t {
    if (index < 0 || index >= (isLeaf ? leaves : count))
      return -1;
    return isLeaf ? count + index : index;
  };
  for (int64_t i = 0; i < count; ++i) {
    int64_t mode = n.modes->getInt(i);
    TreeNode node;
    node.branch = Branch(mode);
    node.followsMissing = !n.missing.empty() && n.missing[i];
    node.feature = n.features[i];
    node.split = n.splits->getFloat(i);
    node.onTrue = child(n.onTrue[i], n.trueLeaves[i]);
    node.onFalse = child(n.onFalse[i], n.falseLeaves[i]);
    if (mode < 0 || mode > 6 || node.onTrue < 0 || node.onFalse < 0)
      return op.badModel("expects children and a mode in [0, 6] of node " +
                         Twine(i));
    forest.nodes.push_back(node);
  }
  for (int64_t i = 0; i < leaves; ++i) {
    TreeNode leaf;
    leaf.onTrue = leaf.onFalse = count + i;
    leaf.votes.push_back({n.leafTargets[i], n.weights->getFloat(i)});
    forest.nodes.push_back(leaf);
  }
  int64_t first = 0;
  for (int64_t i = 0; i < count; ++i)
    if (n.modes->getInt(i) == 6 &&
        failed(addMemberTests(op, n, forest, i, first)))
      return failure();
  return success();
}

static LogicalResult importTreeEnsemble(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = getFeatureRows(op);
  auto nodes = readIndexedNodes(op);
  Forest forest;
  forest.targets = op.intAttr("n_targets", 1);
  forest.roots = op.intsAttr("tree_roots");
  int64_t aggregate = op.intAttr("aggregate_function", 1);
  if (!x || !nodes)
    return failure();
  if (op.intAttr("post_transform", 0) != 0)
    return op.unsupported("expects 'post_transform' 0 (none)");
  if (forest.targets < 1 || forest.targets > (1 << 20) ||
      forest.roots.empty() || aggregate < 0 || aggregate > 3)
    return op.badModel("expects trees, targets and an 'aggregate_function' in "
                       "[0, 3]");
  for (int64_t root : forest.roots)
    if (root < 0 || root >= int64_t(nodes->features.size()))
      return op.badModel("expects roots that are nodes, got " + Twine(root));
  if (failed(buildIndexedForest(op, *nodes, forest)))
    return failure();
  static constexpr Aggregate kinds[] = {Aggregate::Average, Aggregate::Sum,
                                        Aggregate::Min, Aggregate::Max};
  return op.result(
      b.convert(walkForest(op, forest, x, kinds[aggregate]), b.element(x)));
}

void frontend::registerTreeEnsembleOps(OpRegistry &registry) {
  registry.add(kDomain, "TreeEnsemble", 5, importTreeEnsemble);
  registry.add(kDomain, "TreeEnsembleClassifier", 1,
               importTreeEnsembleClassifier, "labels that are integers");
  registry.add(kDomain, "TreeEnsembleRegressor", 1,
               importTreeEnsembleRegressor);
}
