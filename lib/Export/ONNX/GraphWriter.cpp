//===- GraphWriter.cpp - Nodes and initializers of an ONNX graph ----------===//
// SPDX-License-Identifier: Apache-2.0
//
// The protobuf side of the exporter.
//===----------------------------------------------------------------------===//
#include "GraphWriter.h"

using namespace qopt;
using llvm::ArrayRef;
using llvm::StringRef;

int qopt::getOnnxType(DType dtype) {
  using T = ::onnx::TensorProto;
  switch (dtype) {
  case DType::f32:
    return T::FLOAT;
  case DType::f64:
    return T::DOUBLE;
  case DType::f16:
    return T::FLOAT16;
  case DType::bf16:
    return T::BFLOAT16;
  case DType::i8:
    return T::INT8;
  case DType::i16:
    return T::INT16;
  case DType::i32:
    return T::INT32;
  case DType::i64:
    return T::INT64;
  case DType::u8:
    return T::UINT8;
  case DType::u16:
    return T::UINT16;
  case DType::u32:
    return T::UINT32;
  case DType::u64:
    return T::UINT64;
  case DType::b1:
    return T::BOOL;
  }
  return T::UNDEFINED;
}

::onnx::AttributeProto &GraphWriter::Node::add(StringRef name) {
  ::onnx::AttributeProto *attribute = proto.add_attribute();
  attribute->set_name(name.str());
  return *attribute;
}

GraphWriter::Node &GraphWriter::Node::ints(StringRef name,
                                           ArrayRef<int64_t> values) {
  ::onnx::AttributeProto &attribute = add(name);
  attribute.set_type(::onnx::AttributeProto::INTS);
  for (int64_t value : values)
    attribute.add_ints(value);
  return *this;
}

GraphWriter::Node &GraphWriter::Node::integer(StringRef name, int64_t value) {
  ::onnx::AttributeProto &attribute = add(name);
  attribute.set_type(::onnx::AttributeProto::INT);
  attribute.set_i(value);
  return *this;
}

GraphWriter::Node &GraphWriter::Node::real(StringRef name, float value) {
  ::onnx::AttributeProto &attribute = add(name);
  attribute.set_type(::onnx::AttributeProto::FLOAT);
  attribute.set_f(value);
  return *this;
}

GraphWriter::Node &GraphWriter::Node::string(StringRef name, StringRef value) {
  ::onnx::AttributeProto &attribute = add(name);
  attribute.set_type(::onnx::AttributeProto::STRING);
  attribute.set_s(value.str());
  return *this;
}

std::string GraphWriter::makeUnique(StringRef name) {
  std::string candidate = name.empty() ? "tensor" : name.str();
  unsigned &count = names[candidate];
  std::string unique = candidate;
  while (count > 0 && names.count(unique))
    unique = candidate + "_" + std::to_string(count++);
  if (count == 0)
    count = 1;
  names.try_emplace(unique, 1);
  return unique;
}

void GraphWriter::reserve(StringRef name) { names.try_emplace(name, 1); }

GraphWriter::Node GraphWriter::addNode(StringRef type,
                                       ArrayRef<std::string> inputs,
                                       StringRef name) {
  ::onnx::NodeProto *node = graph.add_node();
  node->set_op_type(type.str());
  std::string output = makeUnique(name);
  node->set_name(output);
  for (const std::string &input : inputs)
    node->add_input(input);
  node->add_output(output);
  return Node(*node);
}

std::string GraphWriter::addInitializer(const Tensor &tensor, StringRef hint) {
  ::onnx::TensorProto *proto = graph.add_initializer();
  std::string name = makeUnique(hint);
  proto->set_name(name);
  proto->set_data_type(getOnnxType(tensor.dtype()));
  for (int64_t extent : tensor.shape())
    proto->add_dims(extent);
  proto->set_raw_data(tensor.data(), tensor.numBytes());
  return name;
}

std::string GraphWriter::addIndices(ArrayRef<int64_t> values, StringRef hint) {
  return addInitializer(
      Tensor::from<int64_t>(DType::i64, {int64_t(values.size())}, values),
      hint);
}

void GraphWriter::addValueInfo(::onnx::ValueInfoProto &info, StringRef name,
                               DType dtype, ArrayRef<int64_t> shape) {
  info.set_name(name.str());
  auto *type = info.mutable_type()->mutable_tensor_type();
  type->set_elem_type(getOnnxType(dtype));
  auto *dims = type->mutable_shape();
  for (int64_t extent : shape)
    dims->add_dim()->set_dim_value(extent);
}
