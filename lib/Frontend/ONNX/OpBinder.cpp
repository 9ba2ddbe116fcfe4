//===- OpBinder.cpp - One ONNX node, ready to be imported -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Typed and checked access to a NodeProto.
//===----------------------------------------------------------------------===//
#include "qopt/Frontend/ONNX/OpBinder.h"
#include "qopt/Frontend/ONNX/Proto/ProtoReader.h"

#include <onnx-ml.pb.h>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;
using ::onnx::AttributeProto;

OpBinder::OpBinder(GraphBuilder &builder, const ::onnx::NodeProto &node,
                   int64_t opset, const ModelFolders &folders,
                   ArrayRef<Value> inputs)
    : b(builder), node_(node), opset_(opset), folders_(folders), inputs(inputs),
      results_(node.output_size()) {}

StringRef OpBinder::opType() const { return node_.op_type(); }

LogicalResult OpBinder::unsupported(const Twine &message) {
  if (!fault)
    fault = Fault::Unsupported;
  b.fail(message);
  return failure();
}

LogicalResult OpBinder::badModel(const Twine &message) {
  fault = Fault::BadModel;
  b.fail(message);
  return failure();
}

//===----------------------------------------------------------------------===//
// Inputs and outputs
//===----------------------------------------------------------------------===//

Value OpBinder::any(unsigned index) {
  readInputs.insert(index);
  if (hasInput(index))
    return inputs[index];
  (void)badModel("expects input " + Twine(index) + ", which is missing");
  return {};
}

Value OpBinder::raw(unsigned index) {
  Value value = any(index);
  if (!value || GraphBuilder::isTensor(value))
    return value;
  (void)badModel("expects a tensor as input " + Twine(index) +
                 ", got a sequence or an optional");
  return {};
}

std::optional<SmallVector<Value>> OpBinder::sequence(unsigned index) {
  Value value = any(index);
  auto elements = value ? b.elementsOf(value) : std::nullopt;
  if (value && !elements)
    (void)badModel("expects a sequence as input " + Twine(index));
  return elements;
}

void OpBinder::computeInF32() {
  widens = true;
  if (hasInput(0) && GraphBuilder::isTensor(inputs[0]) &&
      b.isNarrowFloat(inputs[0]))
    roundedTo = b.element(inputs[0]);
}

Value OpBinder::widen(Value value) {
  return widens && b.isNarrowFloat(value) ? b.convert(value, b.f32()) : value;
}

Value OpBinder::in(unsigned index) { return widen(b.plain(raw(index))); }

Value OpBinder::optional(unsigned index) {
  readInputs.insert(index);
  return hasInput(index) ? in(index) : Value();
}

std::optional<Tensor> OpBinder::constant(unsigned index) {
  readInputs.insert(index);
  if (!hasInput(index))
    return std::nullopt;
  return b.constantOf(inputs[index]);
}

std::optional<Shape> OpBinder::constantInts(unsigned index, StringRef what) {
  if (!raw(index))
    return std::nullopt;
  std::optional<Tensor> tensor = constant(index);
  if (!tensor) {
    (void)unsupported("expects constant " + what + " (input " + Twine(index) +
                      "), got one that is computed at run time; bind it with "
                      "--const or give static shapes with --shape");
    return std::nullopt;
  }
  Shape values;
  for (int64_t i = 0, e = tensor->numElements(); i < e; ++i)
    values.push_back(tensor->getInt(i));
  return values;
}

std::optional<SmallVector<double>> OpBinder::constantFloats(unsigned index,
                                                            StringRef what) {
  if (!constantInts(index, what))
    return std::nullopt;
  std::optional<Tensor> tensor = constant(index);
  SmallVector<double> values;
  for (int64_t i = 0, e = tensor->numElements(); i < e; ++i)
    values.push_back(tensor->getFloat(i));
  return values;
}

std::optional<Shape> OpBinder::declaredShape(unsigned index) const {
  if (!declared || index >= numOutputs())
    return std::nullopt;
  auto it = declared->find(node_.output(index));
  return it == declared->end() ? std::nullopt : std::optional(it->second);
}

std::optional<int64_t> OpBinder::mostOf(unsigned output, int64_t axis,
                                        int64_t rank) {
  Shape most = askMost ? askMost(output) : Shape();
  if (int64_t(most.size()) != rank || most[axis] < 0)
    return std::nullopt;
  return most[axis];
}

unsigned OpBinder::numOutputs() const { return node_.output_size(); }

bool OpBinder::hasOutput(unsigned index) const {
  return int(index) < node_.output_size() && !node_.output(index).empty() &&
         !unneeded.contains(index);
}

LogicalResult OpBinder::result(unsigned index, Value value) {
  if (!value)
    return failure();
  if (index == 0 && roundedTo && GraphBuilder::isTensor(value) &&
      b.element(value).isF32())
    value = b.convert(value, roundedTo);
  if (index < results_.size())
    results_[index] = value;
  return success();
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

const AttributeProto *OpBinder::find(StringRef name, int type) {
  readAttrs.insert(name);
  for (const AttributeProto &attribute : node_.attribute()) {
    if (name != attribute.name())
      continue;
    // Old writers leave `type` out.
    bool untyped = attribute.type() == AttributeProto::UNDEFINED;
    if (type == AttributeProto::UNDEFINED || attribute.type() == type ||
        untyped)
      return &attribute;
    (void)badModel("expects attribute '" + name + "' of type " +
                   AttributeProto::AttributeType_Name(
                       AttributeProto::AttributeType(type)) +
                   ", got " +
                   AttributeProto::AttributeType_Name(attribute.type()));
    return nullptr;
  }
  return nullptr;
}

bool OpBinder::hasAttr(StringRef name) const {
  readAttrs.insert(name);
  return llvm::any_of(node_.attribute(), [&](const AttributeProto &attribute) {
    return name == attribute.name();
  });
}

int64_t OpBinder::intAttr(StringRef name, int64_t defaultValue) {
  const AttributeProto *attribute = find(name, AttributeProto::INT);
  return attribute ? attribute->i() : defaultValue;
}

double OpBinder::floatAttr(StringRef name, double defaultValue) {
  const AttributeProto *attribute = find(name, AttributeProto::FLOAT);
  return attribute ? double(attribute->f()) : defaultValue;
}

std::string OpBinder::stringAttr(StringRef name, StringRef defaultValue) {
  const AttributeProto *attribute = find(name, AttributeProto::STRING);
  return attribute ? attribute->s() : defaultValue.str();
}

Shape OpBinder::intsAttr(StringRef name, ArrayRef<int64_t> defaultValue) {
  const AttributeProto *attribute = find(name, AttributeProto::INTS);
  if (!attribute)
    return Shape(defaultValue);
  return Shape(attribute->ints().begin(), attribute->ints().end());
}

SmallVector<double> OpBinder::floatsAttr(StringRef name,
                                         ArrayRef<double> defaultValue) {
  const AttributeProto *attribute = find(name, AttributeProto::FLOATS);
  if (!attribute)
    return SmallVector<double>(defaultValue);
  return SmallVector<double>(attribute->floats().begin(),
                             attribute->floats().end());
}

int64_t OpBinder::countStrings(StringRef name) {
  const AttributeProto *attribute = find(name, AttributeProto::STRINGS);
  return attribute ? attribute->strings_size() : 0;
}

SmallVector<std::string> OpBinder::stringsAttr(StringRef name) {
  const AttributeProto *attribute = find(name, AttributeProto::STRINGS);
  return attribute ? SmallVector<std::string>(attribute->strings().begin(),
                                              attribute->strings().end())
                   : SmallVector<std::string>();
}

const ::onnx::GraphProto *OpBinder::graphAttr(StringRef name) {
  const AttributeProto *attribute = find(name, AttributeProto::GRAPH);
  if (!attribute || !attribute->has_g()) {
    (void)badModel("expects a graph '" + name + "'");
    return nullptr;
  }
  return &attribute->g();
}

std::optional<Tensor> OpBinder::tensorAttr(StringRef name) {
  const AttributeProto *attribute = find(name, AttributeProto::TENSOR);
  if (!attribute)
    return std::nullopt;
  auto tensor = readTensor(attribute->t(), folders_);
  if (tensor.ok())
    return *tensor;
  std::string message =
      ("attribute '" + name + "': " + std::string(tensor.status().message()))
          .str();
  (void)(absl::IsUnimplemented(tensor.status()) ? unsupported(message)
                                                : badModel(message));
  return std::nullopt;
}

std::optional<ElementKind> OpBinder::kindAttr(StringRef name) {
  int onnxType = int(intAttr(name, 0));
  auto kind = getElementKind(onnxType);
  if (kind.ok())
    return *kind;
  (void)unsupported("attribute '" + name + "' asks for type " +
                    getOnnxTypeName(onnxType) +
                    ", which is not supported here");
  return std::nullopt;
}

Type OpBinder::typeAttr(StringRef name, Type defaultType) {
  if (!find(name, AttributeProto::INT))
    return defaultType;
  std::optional<ElementKind> kind = kindAttr(name);
  if (!kind)
    return {};
  if (kind->bits == 0)
    return qg::getElementType(b.context(), kind->dtype);
  (void)unsupported("attribute '" + name + "' asks for type " +
                    getOnnxTypeName(int(intAttr(name, 0))) +
                    ", which is not supported here");
  return {};
}

void OpBinder::ignoreAttrs(ArrayRef<StringRef> names) {
  readAttrs.insert_range(names);
}

/// The name that was probably meant, among those that the op has.
static std::string suggest(StringRef name, const llvm::StringSet<> &known) {
  std::string best;
  unsigned distance = name.size() < 5 ? 2 : 3;
  for (const auto &entry : known) {
    unsigned d = name.edit_distance(entry.getKey(), true, distance);
    // Sets have no order: of equally near names the alphabet decides.
    if (d > distance ||
        (d == distance && (best.empty() || entry.getKey() > best)))
      continue;
    best = entry.getKey().str();
    distance = d;
  }
  return best.empty() ? "" : "; did you mean '" + best + "'?";
}

LogicalResult OpBinder::checkAllRead() {
  for (const AttributeProto &attribute : node_.attribute())
    if (!readAttrs.contains(attribute.name()))
      (void)unsupported("attribute '" + attribute.name() +
                        "' is not known for this operator and opset" +
                        suggest(attribute.name(), readAttrs));
  for (unsigned i = 0; i < inputs.size(); ++i)
    if (inputs[i] && !readInputs.contains(i))
      (void)unsupported("input " + Twine(i) +
                        " is not known for this operator and opset");
  return success(!hasFailed());
}

bool OpBinder::areInside(Value indices, int64_t extent) {
  std::optional<Tensor> tensor = b.constantOf(indices);
  for (int64_t i = 0, e = tensor ? tensor->numElements() : 0; i < e; ++i) {
    int64_t index = tensor->getInt(i);
    if (index >= -extent && index < extent)
      continue;
    (void)badModel("expects indices in [" + Twine(-extent) + ", " +
                   Twine(extent) + "), got " + Twine(index));
    return false;
  }
  return true;
}

std::optional<int64_t> OpBinder::normalizeAxis(int64_t axis, int64_t rank) {
  if (axis >= -rank && axis < rank)
    return axis < 0 ? axis + rank : axis;
  (void)badModel("expects an axis in [" + Twine(-rank) + ", " +
                 Twine(rank - 1) + "], got " + Twine(axis));
  return std::nullopt;
}

std::optional<Shape> OpBinder::normalizeAxes(ArrayRef<int64_t> axes,
                                             int64_t rank) {
  Shape result;
  for (int64_t axis : axes) {
    std::optional<int64_t> normalized = normalizeAxis(axis, rank);
    if (!normalized)
      return std::nullopt;
    if (llvm::is_contained(result, *normalized)) {
      (void)badModel("expects each axis once, got " + Twine(axis) + " twice");
      return std::nullopt;
    }
    result.push_back(*normalized);
  }
  return result;
}
