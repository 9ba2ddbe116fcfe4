//===- Expansion.cpp - A node as a graph of simpler nodes -----------------===//
// SPDX-License-Identifier: Apache-2.0
#include "Expansion.h"

#include <onnx-ml.pb.h>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

struct Expansion::Graph {
  ::onnx::GraphProto proto;
};

Expansion::Expansion(OpBinder &op) : op(op), graph(std::make_unique<Graph>()) {}
Expansion::~Expansion() = default;

std::string Expansion::use(Value value) {
  if (!value)
    return "";
  std::string name = "argument" + std::to_string(arguments.size());
  graph->proto.add_input()->set_name(name);
  arguments.push_back(value);
  return name;
}

SmallVector<std::string> Expansion::add(StringRef opType,
                                        ArrayRef<std::string> inputs,
                                        unsigned outputs) {
  ::onnx::NodeProto &node = *graph->proto.add_node();
  node.set_op_type(opType.str());
  node.set_name((opType + Twine(graph->proto.node_size() - 1)).str());
  for (const std::string &input : inputs)
    node.add_input(input);
  SmallVector<std::string> names;
  for (unsigned i = 0; i < outputs; ++i) {
    names.push_back(node.name() + "." + std::to_string(i));
    node.add_output(names.back());
  }
  return names;
}

std::string Expansion::addCastToFloat(const std::string &input) {
  std::string result = add("Cast", {input}).front();
  auto &attribute =
      *graph->proto.mutable_node(graph->proto.node_size() - 1)->add_attribute();
  attribute.set_name("to");
  attribute.set_type(::onnx::AttributeProto::INT);
  attribute.set_i(::onnx::TensorProto::FLOAT);
  return result;
}

Value Expansion::build(const std::string &output) {
  graph->proto.add_output()->set_name(output);
  auto values = op.importBody({graph->proto, "", arguments, {true}});
  return values ? values->front() : Value();
}
