//===- Scope.cpp - Names of one graph while it is imported ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Order of nodes and binding of function bodies.
//===----------------------------------------------------------------------===//
#include "qopt/Frontend/ONNX/Scope.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include <onnx-ml.pb.h>
#include <queue>

using namespace qopt::frontend;

bool Scope::isPoisoned(const std::string &name) const {
  for (const Scope *scope = this; scope; scope = scope->parent)
    if (scope->poisoned.count(name))
      return true;
  return false;
}

int64_t Scope::getOpset(const std::string &domain) const {
  auto it = opsets.find(domain);
  return it == opsets.end() ? 1 : it->second;
}

void Scope::addReaders(const NodeList &nodes, llvm::ArrayRef<int> order) {
  for (int index : order)
    for (const std::string &name : nodes[index].input())
      if (!name.empty())
        readers[name].push_back(&nodes[index]);
}

/// The extent that a Gather indexes.
static std::optional<int64_t> getIndexed(const ::onnx::NodeProto &node,
                                         llvm::ArrayRef<int64_t> shape) {
  int64_t axis = 0, rank = shape.size();
  for (const auto &attribute : node.attribute())
    if (attribute.name() == "axis")
      axis = attribute.i();
  axis += axis < 0 ? rank : 0;
  if (axis < 0 || axis >= rank)
    return std::nullopt;
  return shape[axis];
}

std::optional<int64_t> qopt::frontend::countIndexed(
    const std::string &name, const Scope &scope,
    llvm::function_ref<llvm::SmallVector<int64_t>(const std::string &)> shapeOf,
    unsigned depth) {
  std::optional<int64_t> least;
  for (const ::onnx::NodeProto *node : scope.readers.lookup(name)) {
    bool keeps = llvm::is_contained(
        {"Cast", "Identity", "Reshape", "Squeeze", "Unsqueeze"},
        node->op_type());
    std::optional<int64_t> count;
    if (keeps && depth > 0 && node->output_size() > 0 &&
        node->input(0) == name)
      count = countIndexed(node->output(0), scope, shapeOf, depth - 1);
    if (node->op_type() == "Gather" && node->input_size() > 1 &&
        node->input(1) == name)
      count = getIndexed(*node, shapeOf(node->input(0)));
    if (count)
      least = std::min(least.value_or(*count), *count);
  }
  return least;
}

std::string qopt::frontend::getLabel(const ::onnx::NodeProto &node, int index,
                                     const std::string &prefix) {
  if (!node.name().empty())
    return prefix + node.name();
  return prefix + node.op_type() + "_" + std::to_string(index);
}

static void collectReads(const ::onnx::NodeProto &node, unsigned depth,
                         std::vector<const std::string *> &reads);

/// Names that a nested graph reads from around it. Its own may be those of
/// something outside, which ONNX forbids and exporters write.
static void collectReads(const ::onnx::GraphProto &graph, unsigned depth,
                         std::vector<const std::string *> &reads) {
  std::vector<const std::string *> all;
  for (const auto &inner : graph.node())
    collectReads(inner, depth, all);
  for (const auto &output : graph.output())
    all.push_back(&output.name());
  llvm::StringSet<> own;
  for (const auto &input : graph.input())
    own.insert(input.name());
  for (const auto &tensor : graph.initializer())
    own.insert(tensor.name());
  for (const auto &inner : graph.node())
    for (const std::string &name : inner.output())
      own.insert(name);
  for (const std::string *name : all)
    if (!own.contains(*name))
      reads.push_back(name);
}

/// Names that a node reads, those of nested graphs included.
static void collectReads(const ::onnx::NodeProto &node, unsigned depth,
                         std::vector<const std::string *> &reads) {
  for (const std::string &name : node.input())
    reads.push_back(&name);
  if (depth > 64)
    return;
  for (const auto &attribute : node.attribute()) {
    if (attribute.has_g())
      collectReads(attribute.g(), depth + 1, reads);
    for (const auto &graph : attribute.graphs())
      collectReads(graph, depth + 1, reads);
  }
}

llvm::SmallVector<int>
qopt::frontend::findLiveNodes(const NodeList &nodes,
                              llvm::ArrayRef<std::string> outputs,
                              llvm::StringSet<> &needed) {
  // More than one where the file is wrong, which is then reported.
  llvm::StringMap<llvm::SmallVector<int, 1>> producers;
  for (int i = 0; i < nodes.size(); ++i)
    for (const std::string &name : nodes[i].output())
      if (!name.empty())
        producers[name].push_back(i);
  std::vector<const std::string *> waiting;
  for (const std::string &name : outputs)
    waiting.push_back(&name);
  std::vector<bool> isLive(nodes.size());
  while (!waiting.empty()) {
    const std::string *name = waiting.back();
    waiting.pop_back();
    if (name->empty() || !needed.insert(*name).second)
      continue;
    auto it = producers.find(*name);
    if (it == producers.end())
      continue;
    for (int node : it->second) {
      if (!isLive[node])
        collectReads(nodes[node], 0, waiting);
      isLive[node] = true;
    }
  }
  llvm::SmallVector<int> live;
  for (int i = 0; i < nodes.size(); ++i)
    if (isLive[i])
      live.push_back(i);
  return live;
}

llvm::SmallVector<int>
qopt::frontend::sortNodes(const NodeList &nodes, llvm::ArrayRef<int> live,
                          llvm::SmallVectorImpl<int> &cycle) {
  llvm::StringMap<int> producer;
  for (int i : live)
    for (const std::string &name : nodes[i].output())
      if (!name.empty())
        producer.try_emplace(name, i);
  std::vector<llvm::SmallVector<int, 2>> users(nodes.size());
  std::vector<int> waitsFor(nodes.size(), 0);
  for (int i : live) {
    std::vector<const std::string *> reads;
    collectReads(nodes[i], 0, reads);
    for (const std::string *name : reads) {
      auto it = producer.find(*name);
      if (it == producer.end())
        continue;
      users[it->second].push_back(i);
      ++waitsFor[i];
    }
  }
  std::priority_queue<int, std::vector<int>, std::greater<int>> ready;
  for (int i : live)
    if (waitsFor[i] == 0)
      ready.push(i);
  llvm::SmallVector<int> order;
  while (!ready.empty()) {
    int next = ready.top();
    ready.pop();
    order.push_back(next);
    for (int user : users[next])
      if (--waitsFor[user] == 0)
        ready.push(user);
  }
  for (int i : live)
    if (waitsFor[i] != 0)
      cycle.push_back(i);
  return order;
}

const ::onnx::FunctionProto *
qopt::frontend::findFunction(const ::onnx::ModelProto &model,
                             const std::string &domain, const std::string &name,
                             const std::string &overload) {
  for (const auto &function : model.functions())
    if (function.name() == name && function.domain() == domain &&
        function.overload() == overload)
      return &function;
  return nullptr;
}

/// Puts the attributes of a call in place of references to them.
static void
bindAttributes(::onnx::NodeProto &node,
               const std::map<std::string, ::onnx::AttributeProto> &bound,
               unsigned depth) {
  google::protobuf::RepeatedPtrField<::onnx::AttributeProto> attributes;
  for (auto &attribute : *node.mutable_attribute()) {
    if (!attribute.ref_attr_name().empty()) {
      auto it = bound.find(attribute.ref_attr_name());
      if (it == bound.end())
        continue;
      ::onnx::AttributeProto value = it->second;
      value.set_name(attribute.name());
      *attributes.Add() = std::move(value);
      continue;
    }
    if (attribute.has_g() && depth < 64)
      for (auto &inner : *attribute.mutable_g()->mutable_node())
        bindAttributes(inner, bound, depth + 1);
    *attributes.Add() = attribute;
  }
  node.mutable_attribute()->Swap(&attributes);
}

NodeList qopt::frontend::bindFunctionBody(const ::onnx::FunctionProto &function,
                                          const ::onnx::NodeProto &call,
                                          const std::set<std::string> &absent) {
  std::map<std::string, ::onnx::AttributeProto> bound;
  for (const auto &attribute : function.attribute_proto())
    bound[attribute.name()] = attribute;
  for (const auto &attribute : call.attribute())
    bound[attribute.name()] = attribute;
  NodeList nodes = function.node();
  for (auto &node : nodes) {
    bindAttributes(node, bound, 0);
    for (std::string &name : *node.mutable_input())
      if (absent.count(name))
        name.clear();
  }
  return nodes;
}
