//===- ControlFlow.cpp - If, Loop and Scan --------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Everything is a loop of qg (docs/rationale/control-flow.md). What it cannot
// express with static shapes (states that grow) is unrolled.
//===----------------------------------------------------------------------===//
#include "ComputedShapes.h"
#include "qopt/Frontend/ONNX/OpBinder.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"

#include <onnx-ml.pb.h>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

/// Steps that are written one by one at most.
static constexpr int64_t kMostUnrolled = 256;
/// Bound of a loop that ends by its condition: it takes no memory.
static constexpr int64_t kNoLimit = int64_t(1) << 31;

/// A truth value as a scalar; null, and reported, if it is none.
static Value readCondition(OpBinder &op, unsigned index) {
  Value value = op.in(index);
  if (!value)
    return {};
  if (op.b.element(value) == op.b.i1() &&
      op.b.type(value).getNumElements() == 1)
    return op.b.reshape(value, {});
  (void)op.badModel("expects one truth value as condition");
  return {};
}

//===----------------------------------------------------------------------===//
// If
//===----------------------------------------------------------------------===//

static SmallVector<bool> getNeeded(OpBinder &op) {
  SmallVector<bool> isNeeded;
  for (unsigned i = 0; i < op.numOutputs(); ++i)
    isNeeded.push_back(op.hasOutput(i));
  return isNeeded;
}

static LogicalResult giveNeeded(OpBinder &op, ArrayRef<Value> values) {
  for (unsigned i = 0, next = 0; i < op.numOutputs(); ++i)
    if (op.hasOutput(i) && failed(op.result(i, values[next++])))
      return failure();
  return success();
}

namespace {
/// A result of a branch. Where data decide an extent, `length` is a result of
/// its own behind all others.
struct BranchResult {
  Value value;
  std::optional<int64_t> axis;
  Value length = {};
};

/// An If whose condition data decide: a branch is a loop of at most one step.
class BranchImporter {
public:
  BranchImporter(OpBinder &op, Value condition)
      : op(op), b(op.b), condition(condition) {}
  LogicalResult run(const ::onnx::GraphProto &thenGraph,
                    const ::onnx::GraphProto &elseGraph);

private:
  std::optional<LoopYield> writeFirst(const ::onnx::GraphProto &graph);
  std::optional<LoopYield> writeSecond(const ::onnx::GraphProto &graph,
                                       ValueRange before);
  bool read(const ::onnx::GraphProto &graph,
            SmallVectorImpl<BranchResult> &results);
  Value join(const BranchResult &first, const BranchResult &second);

  OpBinder &op;
  GraphBuilder &b;
  Value condition;
  SmallVector<BranchResult> first, second;
  /// Results that are not of one type in both branches.
  SmallVector<unsigned> unequal;
};
} // namespace

/// Results of a branch, as tensors whose positions all count beside the lengths
/// of those of which they do not.
bool BranchImporter::read(const ::onnx::GraphProto &graph,
                          SmallVectorImpl<BranchResult> &results) {
  auto values = op.importBody({graph, "", {}, getNeeded(op)});
  if (!values)
    return false;
  for (Value value : *values) {
    if (!value)
      continue;
    results.push_back({value, std::nullopt});
    const CountedDim *dim = b.countedDimOf(value);
    if (!dim)
      continue;
    results.back() = {value, dim->axis, dim->length};
    Uncounted whole(b, {value});
    results.back().value =
        b.emit<qg::ReshapeOp>(b.shape(value), b.element(value), value);
  }
  return true;
}

std::optional<LoopYield>
BranchImporter::writeFirst(const ::onnx::GraphProto &graph) {
  LoopYield yield;
  yield.condition = b.scalar(0, b.i1());
  if (!read(graph, first))
    return std::nullopt;
  for (const BranchResult &result : first)
    yield.states.push_back(result.value);
  for (const BranchResult &result : first)
    if (result.length)
      yield.states.push_back(result.length);
  return yield;
}

/// What has the type of the first branch's takes its place.
std::optional<LoopYield>
BranchImporter::writeSecond(const ::onnx::GraphProto &graph,
                            ValueRange before) {
  LoopYield yield;
  yield.condition = b.scalar(0, b.i1());
  if (!read(graph, second))
    return std::nullopt;
  llvm::append_range(yield.states, before);
  for (auto [i, result] : llvm::enumerate(second)) {
    bool isEqual = result.value.getType() == first[i].value.getType() &&
                   !result.length && !first[i].length;
    if (isEqual) {
      yield.states[i] = result.value;
      continue;
    }
    unequal.push_back(i);
    yield.states.push_back(result.value);
    if (result.length)
      yield.states.push_back(result.length);
  }
  return yield;
}

/// Tensors that differ in one extent, which is then decided by data.
Value BranchImporter::join(const BranchResult &x, const BranchResult &y) {
  std::optional<int64_t> axis = x.axis ? x.axis : y.axis;
  bool isSame = b.isTensor(x.value) && b.isTensor(y.value) &&
                b.rank(x.value) == b.rank(y.value) &&
                b.element(x.value) == b.element(y.value) &&
                (!x.axis || !y.axis || *x.axis == *y.axis);
  for (int64_t d = 0; isSame && d < b.rank(x.value); ++d) {
    if (b.extent(x.value, d) == b.extent(y.value, d) || axis == d)
      continue;
    isSame = !axis;
    axis = d;
  }
  if (!isSame || !axis) {
    (void)op.unsupported(
        "expects branches with results of equal types, but for "
        "one extent, where the condition is not known at "
        "compile time; bind what decides it with --const or "
        "--shape");
    return {};
  }
  int64_t bound = std::max(b.extent(x.value, *axis), b.extent(y.value, *axis));
  auto widen = [&](Value value) {
    Shape low(b.rank(value), 0), high(b.rank(value), 0);
    high[*axis] = bound - b.extent(value, *axis);
    return b.pad(PadMode::constant, value, b.scalar(0, b.element(value)), low,
                 high);
  };
  auto getLength = [&](const BranchResult &result) {
    return result.length
               ? result.length
               : b.scalar(double(b.extent(result.value, *axis)), b.i64());
  };
  Value joined = b.select(condition, widen(x.value), widen(y.value));
  b.markCounted(joined,
                {*axis, b.select(condition, getLength(x), getLength(y))});
  return joined;
}

LogicalResult BranchImporter::run(const ::onnx::GraphProto &thenGraph,
                                  const ::onnx::GraphProto &elseGraph) {
  LoopSpec spec;
  spec.condition = condition;
  SmallVector<Value> values =
      b.loop(spec, [&](ValueRange) { return writeFirst(thenGraph); });
  if (values.empty())
    return failure();
  size_t lengths = first.size();
  for (auto [i, result] : llvm::enumerate(first)) {
    result.value = values[i];
    if (result.length)
      result.length = values[lengths++];
  }
  spec.condition = b.logicalNot(condition);
  spec.states.assign(values.begin(), values.begin() + first.size());
  values = b.loop(spec, [&](ValueRange arguments) {
    return writeSecond(elseGraph, arguments.drop_front());
  });
  if (values.empty())
    return failure();
  size_t next = first.size();
  for (unsigned i : unequal) {
    second[i].value = values[next++];
    if (second[i].length)
      second[i].length = values[next++];
    values[i] = join(first[i], second[i]);
    if (!values[i])
      return failure();
  }
  return giveNeeded(op, values);
}

static LogicalResult importIf(OpBinder &op) {
  GraphBuilder &b = op.b;
  const ::onnx::GraphProto *thenGraph = op.graphAttr("then_branch"),
                           *elseGraph = op.graphAttr("else_branch");
  Value condition = readCondition(op, 0);
  if (!thenGraph || !elseGraph || !condition)
    return failure();
  for (const ::onnx::GraphProto *graph : {thenGraph, elseGraph})
    if (graph->output_size() < int(op.numOutputs()))
      return op.badModel("expects graphs with " + Twine(op.numOutputs()) +
                         " outputs");
  if (std::optional<Tensor> known = b.constantOf(condition)) {
    auto values = op.importBody(
        {known->getInt(0) ? *thenGraph : *elseGraph, "", {}, getNeeded(op)});
    if (!values)
      return failure();
    llvm::erase_if(*values, [](Value value) { return !value; });
    return giveNeeded(op, *values);
  }
  return BranchImporter(op, condition).run(*thenGraph, *elseGraph);
}

//===----------------------------------------------------------------------===//
// Loop
//===----------------------------------------------------------------------===//

namespace {
class LoopImporter {
public:
  explicit LoopImporter(OpBinder &op) : op(op), b(op.b) {}
  LogicalResult run();

private:
  LogicalResult readLimits();
  Value asDeclared(unsigned input, Value scalar);
  std::optional<SmallVector<Value>>
  importStep(Value number, ArrayRef<Value> before, const Twine &part);
  std::optional<LoopYield> writeStep(ValueRange arguments);
  LogicalResult unroll();
  LogicalResult give(ArrayRef<Value> values);
  unsigned numStacked() const { return op.numOutputs() - states.size(); }

  OpBinder &op;
  GraphBuilder &b;
  const ::onnx::GraphProto *body = nullptr;
  SmallVector<Value> states;
  int64_t count = kNoLimit;
  Value limit;     ///< number of steps where it is known at run time only
  Value condition; ///< null where it holds
  bool isEmpty = false;
  /// A state has another shape after a step than before.
  bool hasGrown = false;
};
} // namespace

LogicalResult LoopImporter::readLimits() {
  if (op.hasInput(0)) {
    Value given = op.in(0);
    if (!given || b.type(given).getNumElements() != 1)
      return op.badModel("expects one number of steps");
    std::optional<Tensor> known = b.constantOf(given);
    if (known)
      count = std::min(known->getInt(0), kNoLimit);
    else {
      limit = b.reshape(b.convert(given, b.i64()), {});
      if (std::optional<int64_t> most = upperBound(b, given, 0))
        count = std::clamp<int64_t>(*most, 1, kNoLimit);
    }
    isEmpty = known && count <= 0;
  }
  if (!op.hasInput(1))
    return success();
  condition = readCondition(op, 1);
  if (!condition)
    return failure();
  if (std::optional<Tensor> known = b.constantOf(condition)) {
    isEmpty |= !known->getInt(0);
    condition = {};
  }
  return success();
}

/// The numbers of steps and the condition may be declared of one element.
Value LoopImporter::asDeclared(unsigned input, Value scalar) {
  const auto &type = body->input(input).type().tensor_type();
  return type.has_shape() && type.shape().dim_size() == 1
             ? b.reshape(scalar, {1})
             : scalar;
}

std::optional<SmallVector<Value>>
LoopImporter::importStep(Value number, ArrayRef<Value> before,
                         const Twine &part) {
  // A step that is taken has a condition that held.
  SmallVector<Value> arguments{asDeclared(0, number),
                               asDeclared(1, b.scalar(1, b.i1()))};
  llvm::append_range(arguments, before);
  SmallVector<bool> isNeeded(1 + states.size(), true);
  for (unsigned i = 0; i < numStacked(); ++i)
    isNeeded.push_back(op.hasOutput(states.size() + i));
  auto values = op.importBody({*body, part.str(), arguments, isNeeded});
  if (!values)
    return std::nullopt;
  if (!b.isTensor(values->front())) {
    (void)op.badModel("expects one truth value as condition of the next step");
    return std::nullopt;
  }
  for (Value value : ArrayRef<Value>(*values).drop_front(1 + states.size()))
    if (value && !b.isTensor(value)) {
      (void)op.unsupported("expects tensors as results of steps");
      return std::nullopt;
    }
  return values;
}

std::optional<LoopYield> LoopImporter::writeStep(ValueRange arguments) {
  Value number = arguments[0];
  SmallVector<Value> before(arguments.slice(1, states.size()));
  auto values = importStep(number, before, "");
  if (!values)
    return std::nullopt;
  LoopYield yield;
  Value next = b.reshape(values->front(), {});
  std::optional<Tensor> known = next ? b.constantOf(next) : std::nullopt;
  if (!known || !known->getInt(0))
    yield.condition = next;
  if (limit) {
    Value goesOn = b.compare(ComparePredicate::lt, b.add(number, 1.0), limit);
    yield.condition =
        yield.condition ? b.binary(BinaryKind::bit_and, yield.condition, goesOn)
                        : goesOn;
  }
  for (auto [i, value] : llvm::enumerate(llvm::drop_begin(*values))) {
    if (i >= states.size()) {
      if (value)
        yield.stacked.push_back(value);
      continue;
    }
    hasGrown |= value.getType() != before[i].getType();
    yield.states.push_back(value);
  }
  if (hasGrown)
    return std::nullopt;
  if (count == kNoLimit && !yield.condition) {
    (void)op.badModel("expects a loop that ends, by 'M' or by its condition");
    return std::nullopt;
  }
  return yield;
}

/// `values` are the states and those stacked results that are needed.
LogicalResult LoopImporter::give(ArrayRef<Value> values) {
  for (unsigned i = 0, next = 0; i < op.numOutputs(); ++i) {
    bool isState = i < states.size();
    if (!isState && !op.hasOutput(i))
      continue;
    Value value = values[next++];
    if (op.hasOutput(i) && failed(op.result(i, value)))
      return failure();
  }
  return success();
}

/// Step after step, as far as constants say that it goes on.
LogicalResult LoopImporter::unroll() {
  if (limit || condition)
    return op.unsupported("expects states that keep their shape, or a number "
                          "of steps that is known at compile time");
  SmallVector<Value> current(states);
  SmallVector<SmallVector<Value>> stacked(numStacked());
  for (int64_t step = 0; step < count; ++step) {
    if (step == kMostUnrolled)
      return op.unsupported(
          "expects states that keep their shape, or at most " +
          Twine(kMostUnrolled) + " steps");
    auto values =
        importStep(b.scalar(double(step), b.i64()), current, Twine(step) + "/");
    if (!values)
      return failure();
    for (auto [i, value] : llvm::enumerate(llvm::drop_begin(*values)))
      if (i < states.size())
        current[i] = value;
      else if (value)
        stacked[i - states.size()].push_back(b.expandDim(value, 0));
    std::optional<Tensor> goesOn = b.constantOf(values->front());
    if (!goesOn)
      return op.unsupported("expects states that keep their shape, or a "
                            "condition that is known at compile time");
    if (!goesOn->getInt(0))
      break;
  }
  for (const SmallVector<Value> &values : stacked)
    if (!values.empty())
      current.push_back(b.concat(values, 0));
  return give(current);
}

LogicalResult LoopImporter::run() {
  body = op.graphAttr("body");
  if (!body)
    return failure();
  for (unsigned i = 2; i < op.numInputs(); ++i) {
    Value state = op.any(i);
    states.push_back(state && b.isTensor(state) ? op.in(i) : state);
    if (!states.back())
      return failure();
    // Lists have as many tensors as the steps that were taken say.
    hasGrown |= !b.isTensor(states.back());
  }
  if (body->input_size() != int(2 + states.size()) ||
      op.numOutputs() < states.size() ||
      body->output_size() != int(1 + op.numOutputs()))
    return op.badModel("expects a body of " + Twine(2 + states.size()) +
                       " inputs and " + Twine(1 + op.numOutputs()) +
                       " outputs, got " + Twine(body->input_size()) + " and " +
                       Twine(body->output_size()));
  if (failed(readLimits()))
    return failure();
  if (isEmpty) {
    for (unsigned i = states.size(); i < op.numOutputs(); ++i)
      if (op.hasOutput(i))
        return op.unsupported("expects at least one step where their results "
                              "are stacked");
    return give(states);
  }
  if (hasGrown)
    return unroll();
  LoopSpec spec;
  spec.count = count;
  spec.condition = condition;
  spec.states = states;
  if (limit) {
    Value starts = b.compare(ComparePredicate::lt, b.scalar(0, b.i64()), limit);
    spec.condition =
        condition ? b.binary(BinaryKind::bit_and, condition, starts) : starts;
  }
  SmallVector<Value> values =
      b.loop(spec, [&](ValueRange arguments) { return writeStep(arguments); });
  if (hasGrown)
    return unroll();
  return values.empty() ? failure() : give(values);
}

static LogicalResult importLoop(OpBinder &op) { return LoopImporter(op).run(); }

//===----------------------------------------------------------------------===//
// Scan
//===----------------------------------------------------------------------===//

namespace {
class ScanImporter {
public:
  explicit ScanImporter(OpBinder &op) : op(op), b(op.b) {}
  LogicalResult run();
  LogicalResult runBatches();

private:
  LogicalResult readBody(unsigned first);
  std::optional<SmallVector<bool>> readDirections(StringRef name,
                                                  unsigned size);
  std::optional<Shape> readAxes(StringRef name, unsigned size);
  SmallVector<Value> scan(ArrayRef<Value> states, ArrayRef<Value> slices,
                          const std::string &part);
  unsigned numStacked() const { return op.numOutputs() - numStates; }

  OpBinder &op;
  GraphBuilder &b;
  const ::onnx::GraphProto *body = nullptr;
  unsigned numStates = 0, numSlices = 0;
  SmallVector<bool> readsReversed, writesReversed;
};
} // namespace

LogicalResult ScanImporter::readBody(unsigned first) {
  body = op.graphAttr("body");
  if (!body)
    return failure();
  int64_t given = op.intAttr("num_scan_inputs", 0);
  int64_t most = int64_t(op.numInputs()) - int64_t(first);
  if (given < 1 || given > most)
    return op.badModel("expects 'num_scan_inputs' from 1 to " + Twine(most) +
                       ", got " + Twine(given));
  numSlices = unsigned(given);
  numStates = op.numInputs() - first - numSlices;
  if (body->input_size() != int(numStates + numSlices) ||
      op.numOutputs() < numStates ||
      body->output_size() != int(op.numOutputs()))
    return op.badModel("expects a body of " + Twine(numStates + numSlices) +
                       " inputs and " + Twine(op.numOutputs()) +
                       " outputs, got " + Twine(body->input_size()) + " and " +
                       Twine(body->output_size()));
  return success();
}

std::optional<SmallVector<bool>> ScanImporter::readDirections(StringRef name,
                                                              unsigned size) {
  SmallVector<bool> reversed(size, false);
  Shape given = op.intsAttr(name);
  if (!given.empty() && given.size() != size) {
    (void)op.badModel("expects " + Twine(size) + " directions in '" + name +
                      "', got " + Twine(given.size()));
    return std::nullopt;
  }
  for (auto [i, direction] : llvm::enumerate(given))
    reversed[i] = direction != 0;
  return reversed;
}

std::optional<Shape> ScanImporter::readAxes(StringRef name, unsigned size) {
  Shape axes = op.intsAttr(name);
  if (axes.empty())
    axes.assign(size, 0);
  if (axes.size() == size)
    return axes;
  (void)op.badModel("expects " + Twine(size) + " axes in '" + name + "', got " +
                    Twine(axes.size()));
  return std::nullopt;
}

/// Last states and stacked results; nothing, and reported, where it failed.
SmallVector<Value> ScanImporter::scan(ArrayRef<Value> states,
                                      ArrayRef<Value> slices,
                                      const std::string &part) {
  LoopSpec spec;
  spec.count = b.extent(slices.front(), 0);
  spec.states.assign(states.begin(), states.end());
  spec.slices.assign(slices.begin(), slices.end());
  spec.slicesReversed = readsReversed;
  for (Value slice : slices)
    if (b.extent(slice, 0) != spec.count || spec.count < 1) {
      (void)op.badModel("expects inputs of one length, at least 1, to scan");
      return {};
    }
  return b.loop(spec, [&](ValueRange arguments) -> std::optional<LoopYield> {
    SmallVector<Value> given(arguments.drop_front());
    SmallVector<bool> isNeeded;
    for (unsigned i = 0; i < op.numOutputs(); ++i)
      isNeeded.push_back(i < numStates || op.hasOutput(i));
    auto values = op.importBody({*body, part, given, isNeeded});
    if (!values)
      return std::nullopt;
    LoopYield yield;
    for (auto [i, value] : llvm::enumerate(*values)) {
      if (i < numStates && value.getType() != given[i].getType()) {
        (void)op.unsupported(
            "expects states that keep their type, got " +
            (b.isTensor(value) ? formatShape(b.shape(value)) : "a list") +
            " from " + formatShape(b.shape(given[i])));
        return std::nullopt;
      }
      if (i < numStates)
        yield.states.push_back(value);
      else if (value) {
        yield.stacked.push_back(value);
        yield.stackedReversed.push_back(writesReversed[i - numStates]);
      }
    }
    return yield;
  });
}

/// Position `axis` of the first dimension's new place.
static Value moveFirst(GraphBuilder &b, Value x, int64_t axis, bool isBack) {
  Shape permutation;
  for (int64_t i = 0; i < b.rank(x); ++i)
    if (i != axis)
      permutation.push_back(i);
  permutation.insert(permutation.begin(), axis);
  if (isBack) {
    Shape inverse(permutation.size());
    for (auto [i, p] : llvm::enumerate(permutation))
      inverse[p] = i;
    permutation = inverse;
  }
  return b.transpose(x, permutation);
}

LogicalResult ScanImporter::run() {
  if (failed(readBody(0)))
    return failure();
  auto inputAxes = readAxes("scan_input_axes", numSlices),
       outputAxes = readAxes("scan_output_axes", numStacked());
  auto reads = readDirections("scan_input_directions", numSlices),
       writes = readDirections("scan_output_directions", numStacked());
  if (!inputAxes || !outputAxes || !reads || !writes)
    return failure();
  readsReversed = *reads;
  writesReversed = *writes;
  SmallVector<Value> states, slices;
  for (unsigned i = 0; i < numStates + numSlices; ++i) {
    Value value = op.in(i);
    if (!value)
      return failure();
    if (i < numStates) {
      states.push_back(value);
      continue;
    }
    auto axis = op.normalizeAxis((*inputAxes)[i - numStates], b.rank(value));
    if (!axis)
      return failure();
    slices.push_back(moveFirst(b, value, *axis, /*isBack=*/false));
  }
  SmallVector<Value> values = scan(states, slices, "");
  if (values.empty())
    return failure();
  for (unsigned i = 0, next = 0; i < op.numOutputs(); ++i) {
    if (i >= numStates && !op.hasOutput(i))
      continue;
    Value value = values[next++];
    if (i >= numStates) {
      auto axis = op.normalizeAxis((*outputAxes)[i - numStates], b.rank(value));
      if (!axis)
        return failure();
      value = moveFirst(b, value, *axis, /*isBack=*/true);
    }
    if (op.hasOutput(i) && failed(op.result(i, value)))
      return failure();
  }
  return success();
}

/// Opset 8: everything has a batch in front, and each of it is scanned alone.
LogicalResult ScanImporter::runBatches() {
  if (failed(readBody(1)))
    return failure();
  auto reads = readDirections("directions", numSlices);
  if (!reads)
    return failure();
  readsReversed = *reads;
  writesReversed.assign(numStacked(), false);
  if (op.hasInput(0))
    return op.unsupported("expects sequences of one length, not "
                          "'sequence_lens'");
  op.ignoreInput(0);
  SmallVector<Value> inputs;
  for (unsigned i = 1; i < op.numInputs(); ++i)
    if (!inputs.emplace_back(op.in(i)))
      return failure();
  if (b.rank(inputs.back()) < 2)
    return op.badModel("expects inputs of a batch and a length to scan");
  int64_t batch = b.extent(inputs.back(), 0);
  SmallVector<SmallVector<Value>> results;
  for (int64_t n = 0; n < batch; ++n) {
    SmallVector<Value> own;
    for (Value value : inputs)
      own.push_back(b.dropDim(b.sliceAxis(value, 0, n, n + 1), 0));
    SmallVector<Value> values = scan(ArrayRef(own).take_front(numStates),
                                     ArrayRef(own).drop_front(numStates),
                                     batch > 1 ? std::to_string(n) + "/" : "");
    if (values.empty())
      return failure();
    results.resize(values.size());
    for (auto [list, value] : llvm::zip(results, values))
      list.push_back(b.expandDim(value, 0));
  }
  for (unsigned i = 0, next = 0; i < op.numOutputs(); ++i) {
    if (i >= numStates && !op.hasOutput(i))
      continue;
    Value value = b.concat(results[next++], 0);
    if (op.hasOutput(i) && failed(op.result(i, value)))
      return failure();
  }
  return success();
}

static LogicalResult importScan(OpBinder &op) { return ScanImporter(op).run(); }
static LogicalResult importScan8(OpBinder &op) {
  return ScanImporter(op).runBatches();
}

void frontend::registerControlFlowOps(OpRegistry &registry) {
  registry.add("If", 1, importIf);
  registry.add("Loop", 1, importLoop);
  registry.add("Scan", 8, importScan8);
  registry.add("Scan", 9, importScan);
}
