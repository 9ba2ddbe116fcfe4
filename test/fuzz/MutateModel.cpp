//===- MutateModel.cpp - Other ONNX models out of one ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// By the schema where any field will do, by hand where a change must hit: the
// edge of a graph, the operator of a node, the shape of a tensor.
//===----------------------------------------------------------------------===//
#include "MutateModel.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"

#include <google/protobuf/message.h>
#include <limits>
#include <memory>
#include <onnx-ml.pb.h>
#include <random>

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

/// Graphs grow by copies of themselves; this many bytes are enough.
static constexpr size_t kMostBytes = 1 << 15;

static constexpr int64_t kIntegers[] = {
    0,         1,         -1,           2,         3,         5,
    7,         8,         16,           64,        127,       -2,
    -128,      255,       256,          1 << 15,   1 << 16,   INT32_MAX,
    INT32_MIN, 1ll << 31, 1ll << 32,    1ll << 33, 1ll << 62, INT64_MAX,
    INT64_MIN, -3,        INT64_MAX - 1};
static constexpr double kFloats[] = {0,
                                     -0.0,
                                     1,
                                     -1,
                                     0.5,
                                     1e-45,
                                     1e38,
                                     -1e38,
                                     1e300,
                                     3e-39,
                                     std::numeric_limits<double>::infinity(),
                                     -std::numeric_limits<double>::infinity(),
                                     std::numeric_limits<double>::quiet_NaN()};
static constexpr const char *kTexts[] = {"",
                                         "N",
                                         "n*2",
                                         "n//0",
                                         "((((",
                                         "NOTSET",
                                         "SAME_UPPER",
                                         "VALID",
                                         "bicubic",
                                         "linear",
                                         "reverse",
                                         "bidirectional",
                                         "Sigmoid",
                                         "\xff\xfe",
                                         "a/b",
                                         "ai.onnx.ml",
                                         "com.microsoft",
                                         "ij,jk->ik",
                                         "i...,->",
                                         "SUM",
                                         "BRANCH_LEQ"};
static constexpr const char *kLocations[] = {
    "data.bin",  "data.bin",         "link.bin", "../data.bin",
    "data.bin/", "missing-data.bin", ""};

namespace {
class Mutator {
public:
  Mutator(onnx::ModelProto &model, uint32_t seed) : model(model), rng(seed) {}

  void mutate();
  void cross(const onnx::ModelProto &other);

private:
  using Change = void (Mutator::*)();

  size_t pick(size_t count) { return rng() % count; }
  bool oneIn(unsigned count) { return pick(count) == 0; }
  template <typename T, size_t n> const T &any(const T (&values)[n]) {
    return values[pick(n)];
  }
  /// A message of this kind, or null.
  template <typename T> T *any() {
    std::vector<T *> found;
    for (Message *message : messages)
      if (auto *typed = dynamic_cast<T *>(message))
        found.push_back(typed);
    return found.empty() ? nullptr : found[pick(found.size())];
  }

  void collect(Message &message);
  std::string anyName();
  int64_t anyInteger();
  std::string anyText();
  void setValue(Message &message, const FieldDescriptor *field, int index);
  void changeRepeated(Message &message, const FieldDescriptor *field);

  void changeField();
  void replaceMessage();
  void rewire();
  void changeOperator();
  void changeAttribute();
  void addNode();
  void resizeTensor();
  void moveTensorOut();
  void changeShape();
  void changeElementType();
  void nestGraph();
  void addFunction();
  void changeOpset();

  onnx::ModelProto &model;
  std::minstd_rand rng;
  std::vector<Message *> messages;
  std::vector<std::string> names;
};
} // namespace

void Mutator::collect(Message &message) {
  messages.push_back(&message);
  if (auto *node = dynamic_cast<onnx::NodeProto *>(&message)) {
    names.insert(names.end(), node->input().begin(), node->input().end());
    names.insert(names.end(), node->output().begin(), node->output().end());
  }
  if (auto *info = dynamic_cast<onnx::ValueInfoProto *>(&message))
    names.push_back(info->name());
  if (auto *tensor = dynamic_cast<onnx::TensorProto *>(&message))
    names.push_back(tensor->name());
  const Reflection *reflection = message.GetReflection();
  std::vector<const FieldDescriptor *> fields;
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor *field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE)
      continue;
    if (!field->is_repeated()) {
      collect(*reflection->MutableMessage(&message, field));
      continue;
    }
    for (int i = 0, e = reflection->FieldSize(message, field); i < e; ++i)
      collect(*reflection->MutableRepeatedMessage(&message, field, i));
  }
}

std::string Mutator::anyName() {
  return names.empty() || oneIn(24) ? anyText() : names[pick(names.size())];
}

int64_t Mutator::anyInteger() {
  return oneIn(2) ? int64_t(pick(10)) - 1 : any(kIntegers);
}

std::string Mutator::anyText() {
  if (!names.empty() && oneIn(2))
    return names[pick(names.size())];
  return any(kTexts);
}

/// `index` of a repeated field, -1: of another one.
void Mutator::setValue(Message &message, const FieldDescriptor *field,
                       int index) {
  const Reflection *r = message.GetReflection();
  auto set = [&](auto one, auto repeated, auto value) {
    if (index < 0)
      (r->*one)(&message, field, value);
    else
      (r->*repeated)(&message, field, index, value);
  };
  switch (field->cpp_type()) {
  case FieldDescriptor::CPPTYPE_INT32:
    return set(&Reflection::SetInt32, &Reflection::SetRepeatedInt32,
               int32_t(anyInteger()));
  case FieldDescriptor::CPPTYPE_INT64:
    return set(&Reflection::SetInt64, &Reflection::SetRepeatedInt64,
               anyInteger());
  case FieldDescriptor::CPPTYPE_UINT64:
    return set(&Reflection::SetUInt64, &Reflection::SetRepeatedUInt64,
               uint64_t(anyInteger()));
  case FieldDescriptor::CPPTYPE_FLOAT:
    return set(&Reflection::SetFloat, &Reflection::SetRepeatedFloat,
               float(any(kFloats)));
  case FieldDescriptor::CPPTYPE_DOUBLE:
    return set(&Reflection::SetDouble, &Reflection::SetRepeatedDouble,
               any(kFloats));
  case FieldDescriptor::CPPTYPE_ENUM:
    return set(&Reflection::SetEnumValue, &Reflection::SetRepeatedEnumValue,
               int(pick(20)));
  case FieldDescriptor::CPPTYPE_STRING: {
    std::string text = anyText();
    if (index < 0)
      r->SetString(&message, field, text);
    else
      r->SetRepeatedString(&message, field, index, text);
    return;
  }
  default:
    return;
  }
}

void Mutator::changeRepeated(Message &message, const FieldDescriptor *field) {
  const Reflection *r = message.GetReflection();
  int size = r->FieldSize(message, field);
  if (size == 0)
    return;
  int index = int(pick(size));
  bool isMessage = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
  switch (pick(4)) {
  case 0:
    r->SwapElements(&message, field, index, size - 1);
    return r->RemoveLast(&message, field);
  case 1:
    return r->SwapElements(&message, field, index, int(pick(size)));
  case 2:
    if (isMessage) {
      std::unique_ptr<Message> copy(
          r->GetRepeatedMessage(message, field, index).New());
      copy->CopyFrom(r->GetRepeatedMessage(message, field, index));
      r->AddMessage(&message, field)->CopyFrom(*copy);
      return;
    }
    [[fallthrough]];
  default:
    return setValue(message, field, index);
  }
}

void Mutator::changeField() {
  Message &message = *messages[pick(messages.size())];
  const auto *descriptor = message.GetDescriptor();
  const FieldDescriptor *field =
      descriptor->field(int(pick(descriptor->field_count())));
  const Reflection *reflection = message.GetReflection();
  if (field->is_repeated())
    return changeRepeated(message, field);
  if (reflection->HasField(message, field) && oneIn(3))
    return reflection->ClearField(&message, field);
  setValue(message, field, -1);
}

void Mutator::replaceMessage() {
  Message *to = messages[pick(messages.size())];
  std::vector<Message *> others;
  for (Message *message : messages)
    if (message != to && message->GetDescriptor() == to->GetDescriptor())
      others.push_back(message);
  if (others.empty())
    return;
  // One may lie inside of the other.
  std::unique_ptr<Message> copy(to->New());
  copy->CopyFrom(*others[pick(others.size())]);
  to->CopyFrom(*copy);
}

void Mutator::rewire() {
  auto *node = any<onnx::NodeProto>();
  if (!node)
    return;
  if (node->output_size() && oneIn(8))
    return node->set_output(int(pick(node->output_size())), anyName());
  if (node->input_size() == 0 || oneIn(6))
    return node->add_input(anyName());
  node->set_input(int(pick(node->input_size())), anyName());
}

void Mutator::changeOperator() {
  auto *node = any<onnx::NodeProto>();
  if (!node)
    return;
  auto rows = qopt::frontend::OpRegistry::get().rows();
  const qopt::frontend::OpRow &row = rows[pick(rows.size())];
  node->set_op_type(row.name);
  node->set_domain(row.domain);
  if (node->input_size() < 8 && oneIn(2))
    node->add_input(anyName());
}

/// An attribute that some other node has, or a value of another type.
void Mutator::changeAttribute() {
  auto *node = any<onnx::NodeProto>();
  auto *attribute = any<onnx::AttributeProto>();
  if (!node || !attribute)
    return;
  if (oneIn(2)) {
    onnx::AttributeProto copy = *attribute;
    node->add_attribute()->CopyFrom(copy);
    return;
  }
  using A = onnx::AttributeProto;
  switch (attribute->type()) {
  case A::INT:
    return attribute->set_i(anyInteger());
  case A::INTS:
    if (attribute->ints_size() && oneIn(2))
      return attribute->set_ints(int(pick(attribute->ints_size())),
                                 anyInteger());
    return attribute->add_ints(anyInteger());
  case A::FLOAT:
    return attribute->set_f(float(any(kFloats)));
  case A::FLOATS:
    return attribute->add_floats(float(any(kFloats)));
  case A::STRING:
    return attribute->set_s(anyText());
  default:
    return attribute->set_type(A::AttributeType(pick(15)));
  }
}

void Mutator::addNode() {
  auto *graph = any<onnx::GraphProto>();
  if (!graph)
    return;
  auto rows = qopt::frontend::OpRegistry::get().rows();
  const qopt::frontend::OpRow &row = rows[pick(rows.size())];
  onnx::NodeProto *node = graph->add_node();
  node->set_op_type(row.name);
  node->set_domain(row.domain);
  for (size_t i = 0, e = pick(5); i < e; ++i)
    node->add_input(anyName());
  // In the place of something that somebody reads.
  if (graph->output_size() && oneIn(2)) {
    auto *output = graph->mutable_output(int(pick(graph->output_size())));
    node->add_output("new" + std::to_string(graph->node_size()));
    output->set_name(node->output(0));
    if (oneIn(2))
      output->clear_type();
    return;
  }
  node->add_output(anyName());
}

/// Another small shape, mostly with as many bytes as it wants.
void Mutator::resizeTensor() {
  auto *tensor = any<onnx::TensorProto>();
  if (!tensor)
    return;
  if (tensor->dims_size() && oneIn(4))
    return tensor->set_dims(int(pick(tensor->dims_size())), anyInteger());
  static constexpr int kTypes[] = {
      onnx::TensorProto::FLOAT,       onnx::TensorProto::FLOAT,
      onnx::TensorProto::INT64,       onnx::TensorProto::INT64,
      onnx::TensorProto::INT8,        onnx::TensorProto::UINT8,
      onnx::TensorProto::INT32,       onnx::TensorProto::BOOL,
      onnx::TensorProto::INT4,        onnx::TensorProto::FLOAT16,
      onnx::TensorProto::FLOAT8E4M3FN};
  static constexpr unsigned kBytes[] = {4, 4, 8, 8, 1, 1, 4, 1, 1, 2, 1};
  std::string name = tensor->name();
  tensor->Clear();
  tensor->set_name(name);
  size_t type = pick(std::size(kTypes)), count = kBytes[type];
  tensor->set_data_type(kTypes[type]);
  for (size_t i = 0, e = pick(5); i < e; ++i) {
    int64_t extent = int64_t(pick(5));
    tensor->add_dims(extent);
    count *= size_t(extent);
  }
  std::string bytes(count, '\0');
  bool isRandom = oneIn(2);
  for (size_t i = 0; i < count; ++i)
    bytes[i] = isRandom ? char(rng()) : i % kBytes[type] ? '\0' : char(pick(4));
  tensor->set_raw_data(bytes);
}

void Mutator::moveTensorOut() {
  auto *tensor = any<onnx::TensorProto>();
  if (!tensor)
    return;
  tensor->clear_raw_data();
  tensor->clear_float_data();
  tensor->set_data_location(onnx::TensorProto::EXTERNAL);
  auto add = [&](const char *key, const std::string &value) {
    auto *entry = tensor->add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  };
  add("location", any(kLocations));
  if (oneIn(2))
    add("offset", std::to_string(oneIn(3) ? anyInteger() : 64 * pick(70)));
  if (oneIn(2))
    add("length", std::to_string(oneIn(3) ? anyInteger() : 4 * pick(70)));
}

void Mutator::changeShape() {
  auto *shape = any<onnx::TensorShapeProto>();
  if (!shape)
    return;
  if (shape->dim_size() == 0 || oneIn(4)) {
    shape->add_dim()->set_dim_value(anyInteger());
    return;
  }
  auto *dim = shape->mutable_dim(int(pick(shape->dim_size())));
  if (oneIn(4))
    dim->set_dim_param(anyText());
  else
    dim->set_dim_value(anyInteger());
}

void Mutator::changeElementType() {
  auto *info = any<onnx::ValueInfoProto>();
  if (!info)
    return;
  int type = int(pick(30));
  if (oneIn(8))
    info->mutable_type()
        ->mutable_sequence_type()
        ->mutable_elem_type()
        ->mutable_tensor_type()
        ->set_elem_type(type);
  else
    info->mutable_type()->mutable_tensor_type()->set_elem_type(type);
}

/// A graph, whole or cut, as the body of a node.
void Mutator::nestGraph() {
  auto *body = any<onnx::GraphProto>();
  auto *node = any<onnx::NodeProto>();
  if (!body || !node || model.ByteSizeLong() > kMostBytes)
    return;
  onnx::GraphProto copy = *body;
  static constexpr const char *kOps[] = {"Loop", "Scan", "If", "SequenceMap"};
  static constexpr const char *kBodies[] = {"body", "then_branch",
                                            "else_branch"};
  if (oneIn(2))
    node->set_op_type(any(kOps));
  auto *attribute = node->add_attribute();
  attribute->set_name(any(kBodies));
  attribute->set_type(onnx::AttributeProto::GRAPH);
  attribute->mutable_g()->CopyFrom(copy);
  if (oneIn(2)) {
    auto *number = node->add_attribute();
    number->set_name("num_scan_inputs");
    number->set_type(onnx::AttributeProto::INT);
    number->set_i(anyInteger());
  }
}

/// A function of the model's nodes, which call it.
void Mutator::addFunction() {
  auto *node = any<onnx::NodeProto>();
  if (!node || model.ByteSizeLong() > kMostBytes)
    return;
  onnx::FunctionProto *function = model.add_functions();
  function->set_name(node->op_type());
  function->set_domain(node->domain());
  for (const std::string &name : node->input())
    function->add_input(name);
  for (const std::string &name : node->output())
    function->add_output(name);
  for (int i = 0, e = std::min(3, model.graph().node_size()); i < e; ++i)
    function->add_node()->CopyFrom(
        model.graph().node(int(pick(model.graph().node_size()))));
  function->mutable_opset_import()->CopyFrom(model.opset_import());
}

void Mutator::changeOpset() {
  if (model.opset_import_size() == 0 || oneIn(4)) {
    auto *opset = model.add_opset_import();
    opset->set_domain(anyText());
    opset->set_version(anyInteger());
    return;
  }
  model.mutable_opset_import(int(pick(model.opset_import_size())))
      ->set_version(oneIn(4) ? anyInteger() : 7 + int64_t(pick(22)));
}

void Mutator::mutate() {
  // As often as they are named.
  static constexpr Change kChanges[] = {
      &Mutator::changeField,     &Mutator::changeField,
      &Mutator::replaceMessage,  &Mutator::rewire,
      &Mutator::rewire,          &Mutator::changeOperator,
      &Mutator::changeAttribute, &Mutator::changeAttribute,
      &Mutator::changeAttribute, &Mutator::addNode,
      &Mutator::resizeTensor,    &Mutator::resizeTensor,
      &Mutator::moveTensorOut,   &Mutator::changeShape,
      &Mutator::changeShape,     &Mutator::changeElementType,
      &Mutator::nestGraph,       &Mutator::addFunction,
      &Mutator::changeOpset};
  for (size_t i = 0, e = 1 + pick(4); i < e; ++i) {
    messages.clear();
    names.clear();
    collect(model);
    (this->*any(kChanges))();
  }
}

void Mutator::cross(const onnx::ModelProto &other) {
  const onnx::GraphProto &from = other.graph();
  onnx::GraphProto &to = *model.mutable_graph();
  if (model.ByteSizeLong() > kMostBytes)
    return;
  for (const onnx::TensorProto &tensor : from.initializer())
    if (oneIn(2) && tensor.ByteSizeLong() < kMostBytes)
      to.add_initializer()->CopyFrom(tensor);
  for (const onnx::NodeProto &node : from.node())
    if (oneIn(2))
      to.add_node()->CopyFrom(node);
  for (const onnx::ValueInfoProto &info : from.input())
    if (oneIn(3))
      to.add_input()->CopyFrom(info);
  for (const onnx::ValueInfoProto &info : from.output())
    if (oneIn(2))
      to.add_output()->CopyFrom(info);
  for (const onnx::FunctionProto &function : other.functions())
    model.add_functions()->CopyFrom(function);
  for (const onnx::OperatorSetIdProto &opset : other.opset_import())
    if (!opset.domain().empty())
      model.add_opset_import()->CopyFrom(opset);
}

void qopt::fuzz::mutateModel(onnx::ModelProto &model, uint32_t seed) {
  Mutator(model, seed).mutate();
}

void qopt::fuzz::crossModels(onnx::ModelProto &model,
                             const onnx::ModelProto &other, uint32_t seed) {
  Mutator(model, seed).cross(other);
}
