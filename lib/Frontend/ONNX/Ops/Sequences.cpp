//===- Sequences.cpp - Sequences and optionals that are known -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Which tensors are in a sequence is known at compile time: it is a list of
// values of the importer, of which the graph sees nothing.
//===----------------------------------------------------------------------===//
#include "qopt/Frontend/ONNX/OpBinder.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"

#include <onnx-ml.pb.h>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

/// Elements of a sequence that a split may make.
static constexpr int64_t kMostElements = 4096;

/// Position `index` in a list of `size`, in which one may be inserted behind the
/// end if `isEndAllowed`; reports what is not known or outside.
static std::optional<int64_t> readPosition(OpBinder &op, unsigned index,
                                           int64_t size, bool isEndAllowed) {
  std::optional<Shape> given = op.constantInts(index, "position");
  if (!given)
    return std::nullopt;
  int64_t position = given->size() == 1 ? given->front() : size + 1;
  if (position < 0)
    position += size;
  if (position >= 0 && position < size + (isEndAllowed ? 1 : 0))
    return position;
  (void)op.badModel("expects a position in a sequence of " + Twine(size) +
                    " tensors, got " + formatShape(*given));
  return std::nullopt;
}

static LogicalResult importSequenceConstruct(OpBinder &op) {
  SmallVector<Value> elements;
  for (unsigned i = 0; i < op.numInputs(); ++i)
    if (!elements.emplace_back(op.raw(i)))
      return failure();
  return op.result(op.b.sequence(elements));
}

static LogicalResult importSequenceEmpty(OpBinder &op) {
  op.ignoreAttrs({"dtype"});
  return op.result(op.b.sequence({}));
}

static LogicalResult importSequenceAt(OpBinder &op) {
  auto elements = op.sequence(0);
  if (!elements)
    return failure();
  auto position = readPosition(op, 1, elements->size(), false);
  return position ? op.result((*elements)[*position]) : failure();
}

static LogicalResult importSequenceErase(OpBinder &op) {
  auto elements = op.sequence(0);
  if (!elements)
    return failure();
  int64_t last = int64_t(elements->size()) - 1;
  if (!op.hasInput(1) && last < 0)
    return op.badModel("expects a sequence that is not empty");
  auto position = op.hasInput(1)
                      ? readPosition(op, 1, elements->size(), false)
                      : std::optional<int64_t>(last);
  if (!position)
    return failure();
  elements->erase(elements->begin() + *position);
  return op.result(op.b.sequence(*elements));
}

static LogicalResult importSequenceInsert(OpBinder &op) {
  auto elements = op.sequence(0);
  Value tensor = op.raw(1);
  if (!elements || !tensor)
    return failure();
  int64_t size = elements->size();
  auto position = op.hasInput(2) ? readPosition(op, 2, size, true)
                                 : std::optional<int64_t>(size);
  if (!position)
    return failure();
  elements->insert(elements->begin() + *position, tensor);
  return op.result(op.b.sequence(*elements));
}

static LogicalResult importSequenceLength(OpBinder &op) {
  auto elements = op.sequence(0);
  return elements ? op.result(op.b.scalar(double(elements->size()), op.b.i64()))
                  : failure();
}

/// Lengths of the pieces along an axis of `extent`; nullopt, and reported,
/// where they do not fit.
static std::optional<Shape> readPieces(OpBinder &op, int64_t extent) {
  if (!op.hasInput(1))
    return Shape(extent, 1);
  std::optional<Shape> given = op.constantInts(1, "split");
  if (!given)
    return std::nullopt;
  if (op.b.rank(op.raw(1)) == 0 && given->size() == 1 && given->front() > 0) {
    Shape pieces;
    for (int64_t at = 0; at < extent; at += given->front())
      pieces.push_back(std::min(given->front(), extent - at));
    return pieces;
  }
  int64_t sum = 0;
  bool isPositive = true;
  for (int64_t piece : *given) {
    isPositive &= piece >= 0 && piece <= extent;
    sum += isPositive ? piece : 0;
  }
  if (isPositive && sum == extent && op.b.rank(op.raw(1)) == 1)
    return *given;
  (void)op.badModel("expects 'split' to add up to " + Twine(extent) +
                    ", got " + formatShape(*given));
  return std::nullopt;
}

static LogicalResult importSplitToSequence(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.raw(0);
  if (!x)
    return failure();
  auto axis = op.normalizeAxis(op.intAttr("axis", 0), b.rank(x));
  bool keepsDim = op.intAttr("keepdims", 1) != 0 || op.hasInput(1);
  if (!axis)
    return failure();
  int64_t extent = b.extent(x, *axis);
  if (extent > kMostElements)
    return op.unsupported("expects at most " + Twine(kMostElements) +
                          " tensors in a sequence, got " + Twine(extent));
  auto pieces = readPieces(op, extent);
  if (!pieces)
    return failure();
  SmallVector<Value> elements;
  int64_t at = 0;
  for (int64_t piece : *pieces) {
    Value part = b.sliceAxis(x, *axis, at, at + piece);
    if (!elements.emplace_back(keepsDim ? part : b.dropDim(part, *axis)))
      return failure();
    at += piece;
  }
  return op.result(b.sequence(elements));
}

static LogicalResult importConcatFromSequence(OpBinder &op) {
  GraphBuilder &b = op.b;
  auto elements = op.sequence(0);
  bool isNew = op.intAttr("new_axis", 0) != 0;
  int64_t given = op.intAttr("axis", 0);
  if (!elements)
    return failure();
  if (elements->empty())
    return op.badModel("expects a sequence that is not empty");
  auto axis =
      op.normalizeAxis(given, b.rank(elements->front()) + (isNew ? 1 : 0));
  if (!axis)
    return failure();
  for (Value &element : *elements) {
    if (b.element(element) != b.element(elements->front()) ||
        b.rank(element) != b.rank(elements->back()))
      return op.badModel("expects tensors of one type and rank");
    element = isNew ? b.expandDim(element, *axis) : element;
  }
  return op.result(elements->size() == 1 ? elements->front()
                                         : b.concat(*elements, *axis));
}

/// The body, once for each element; other inputs are sequences of as many, or
/// tensors that every call gets.
static LogicalResult importSequenceMap(OpBinder &op) {
  const ::onnx::GraphProto *body = op.graphAttr("body");
  auto first = op.sequence(0);
  if (!body || !first)
    return failure();
  if (body->input_size() != int(op.numInputs()) ||
      body->output_size() < int(op.numOutputs()))
    return op.badModel("expects a body of " + Twine(op.numInputs()) +
                       " inputs and " + Twine(op.numOutputs()) + " outputs");
  SmallVector<SmallVector<Value>> results(op.numOutputs());
  SmallVector<bool> isNeeded;
  for (unsigned i = 0; i < op.numOutputs(); ++i)
    isNeeded.push_back(op.hasOutput(i));
  for (size_t step = 0; step < first->size(); ++step) {
    SmallVector<Value> arguments;
    for (unsigned i = 0; i < op.numInputs(); ++i) {
      Value value = op.any(i);
      auto elements = value ? op.b.elementsOf(value) : std::nullopt;
      if (elements && elements->size() != first->size())
        return op.badModel("expects sequences of one length");
      arguments.push_back(elements ? (*elements)[step] : value);
      if (!arguments.back())
        return failure();
    }
    auto values = op.importBody(
        {*body, std::to_string(step) + "/", arguments, isNeeded});
    if (!values)
      return failure();
    for (auto [list, value] : llvm::zip(results, *values))
      list.push_back(value);
  }
  for (auto [i, list] : llvm::enumerate(results))
    if (op.hasOutput(i) && failed(op.result(i, op.b.sequence(list))))
      return failure();
  return success();
}

static LogicalResult importOptional(OpBinder &op) {
  op.ignoreAttrs({"type"});
  return op.result(op.hasInput(0) ? op.any(0) : op.b.nothing());
}

static LogicalResult importOptionalHasElement(OpBinder &op) {
  bool hasElement = op.hasInput(0) && !op.b.isNothing(op.any(0));
  op.ignoreInput(0);
  return op.result(op.b.scalar(hasElement, op.b.i1()));
}

static LogicalResult importOptionalGetElement(OpBinder &op) {
  Value value = op.any(0);
  if (value && op.b.isNothing(value))
    return op.badModel("expects an optional that has an element");
  return op.result(value);
}

void frontend::registerSequenceOps(OpRegistry &registry) {
  StringRef known = "of tensors that are known one by one";
  registry.add("ConcatFromSequence", 11, importConcatFromSequence, known);
  registry.add("Optional", 15, importOptional, known);
  registry.add("OptionalGetElement", 15, importOptionalGetElement, known);
  registry.add("OptionalHasElement", 15, importOptionalHasElement, known);
  registry.add("SequenceAt", 11, importSequenceAt, known);
  registry.add("SequenceConstruct", 11, importSequenceConstruct, known);
  registry.add("SequenceEmpty", 11, importSequenceEmpty, known);
  registry.add("SequenceErase", 11, importSequenceErase, known);
  registry.add("SequenceInsert", 11, importSequenceInsert, known);
  registry.add("SequenceLength", 11, importSequenceLength, known);
  registry.add("SequenceMap", 17, importSequenceMap, known);
  registry.add("SplitToSequence", 11, importSplitToSequence, known);
}
