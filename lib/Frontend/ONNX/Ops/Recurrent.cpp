//===- Recurrent.cpp - LSTM, GRU and RNN ----------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// DynamicQuantizeLSTM is an LSTM of stored weights. The product of the inputs with their weights is one matrix product for all
// steps; a loop holds that of the state, and the gates. Both are products like
// any other, named NODE/input and NODE/state.
//===----------------------------------------------------------------------===//
#include "Activations.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

namespace {
/// Stored bytes of a weight, minus its zero point, and what they are worth.
struct StoredMatrix {
  Value bytes; ///< [K, N], each a step
  Value sums;  ///< i32 [N], over the columns
  Value scale; ///< of the matrix or [N]
};

/// One direction of a layer, in the layout [steps, batch, ...].
struct Direction {
  bool isReversed = false;
  Value inputs;        ///< [T, B, G*H], with the bias of the inputs
  Value stateWeight;   ///< [H, G*H]; null where it is stored
  std::optional<StoredMatrix> storedWeight = std::nullopt;
  Value stateBias;     ///< [G*H]; null where it is in `inputs`
  Value hidden, cell;  ///< [B, H]; no cell but in an LSTM
  SmallVector<Value> peepholes; ///< [H] of i, o, f; or none
  ArrayRef<Activation> activations;
};

class RecurrentBuilder {
public:
  enum class Weights { Float, Stored };
  RecurrentBuilder(OpBinder &op, unsigned gates, bool hasCell,
                   Weights weights = Weights::Float)
      : op(op), b(op.b), gates(gates), hasCell(hasCell),
        isStored(weights == Weights::Stored) {}

  LogicalResult run();

private:
  LogicalResult readShapes();
  LogicalResult readAttributes();
  LogicalResult readLengths();
  std::optional<Direction> readDirection(unsigned index);
  std::optional<StoredMatrix> readStored(unsigned input, unsigned direction);
  Value multiplyInputs(Direction &d, unsigned direction, Value bias);
  Value multiplyStored(Value rows, const StoredMatrix &weight);
  Value readState(unsigned input, unsigned direction);
  Value take(Value stacked, unsigned direction);
  SmallVector<Value> repeat(const Direction &direction);
  SmallVector<Value> step(const Direction &direction, ValueRange arguments);
  Value keepShort(const Direction &direction, Value number, Value fresh,
                  Value old);

  SmallVector<Value> stepLSTM(const Direction &d, Value x, Value h, Value c);
  SmallVector<Value> stepGRU(const Direction &d, Value x, Value h);
  SmallVector<Value> stepRNN(const Direction &d, Value x, Value h);
  Value gate(Value x, unsigned index) {
    if (!x)
      return {};
    return b.sliceAxis(x, b.rank(x) - 1, index * hiddenSize,
                       (index + 1) * hiddenSize);
  }
  Value oneMinus(Value x) {
    return x ? b.sub(b.full({}, 1, b.element(x)), x) : Value();
  }
  Value limit(Value x) { return clip > 0 ? b.clamp(x, -clip, clip) : x; }
  Value activate(const Activation &activation, Value x) {
    return buildActivation(b, activation, limit(x));
  }
  Value multiplyState(const Direction &d, Value h) {
    return d.storedWeight ? multiplyStored(h, *d.storedWeight)
                          : b.matmul(h, d.stateWeight, d.stateBias);
  }
  LogicalResult giveResults(ArrayRef<SmallVector<Value>> results);
  Value stackDirections(ArrayRef<SmallVector<Value>> results, unsigned index,
                        int64_t axis);
  void nameLayer(const Twine &part) {
    b.setLocation(NameLoc::get(
        StringAttr::get(b.context(), label + "/" + part.str())));
  }

  OpBinder &op;
  GraphBuilder &b;
  unsigned gates;
  bool hasCell, isStored;
  Value x;
  int64_t steps = 0, batch = 0, hiddenSize = 0;
  std::string label, direction;
  unsigned directions = 1;
  bool isBatchFirst = false, linearBeforeReset = false, couplesForget = false;
  double clip = 0;
  Value lengths; ///< null where all sequences are whole
  SmallVector<Activation> activations;
};
} // namespace

LogicalResult RecurrentBuilder::readAttributes() {
  direction = op.stringAttr("direction", "forward");
  if (direction != "forward" && direction != "reverse" &&
      direction != "bidirectional")
    return op.badModel("attribute 'direction' = \"" + direction +
                       "\" is not one of forward, reverse, bidirectional");
  directions = direction == "bidirectional" ? 2 : 1;
  isBatchFirst = op.intAttr("layout", 0) != 0;
  clip = op.floatAttr("clip", 0);
  if (clip < 0)
    return op.badModel("expects a 'clip' that is not negative");
  if (hasCell)
    couplesForget = op.intAttr("input_forget", 0) != 0;
  if (gates == 3)
    linearBeforeReset = op.intAttr("linear_before_reset", 0) != 0;
  // Opset 1 to 6 only; later it says nothing.
  op.ignoreAttrs({"output_sequence"});
  static constexpr StringLiteral kDefaults[] = {"Sigmoid", "Tanh", "Tanh"};
  SmallVector<StringRef> names;
  if (hasCell)
    names.assign(std::begin(kDefaults), std::end(kDefaults));
  else if (gates == 3)
    names.assign(std::begin(kDefaults), std::begin(kDefaults) + 2);
  else
    names.push_back("Tanh");
  auto read = readActivations(op, names, directions);
  if (!read)
    return failure();
  activations = std::move(*read);
  return success();
}

LogicalResult RecurrentBuilder::readShapes() {
  Value input = op.in(0), w = op.raw(1), r = op.raw(2);
  if (!input || !w || !r)
    return failure();
  if (b.rank(input) != 3 || b.rank(w) != 3 || b.rank(r) != 3)
    return op.badModel("expects X, W and R of rank 3");
  if (!b.isFloat(input))
    return op.badModel("expects floats");
  x = isBatchFirst ? b.transpose(input, {1, 0, 2}) : input;
  steps = b.extent(x, 0);
  batch = b.extent(x, 1);
  hiddenSize = op.intAttr("hidden_size", b.extent(r, isStored ? 1 : 2));
  // Products with the number of gates stay far from overflow.
  constexpr int64_t most = int64_t(1) << 40;
  if (hiddenSize < 0 || hiddenSize > most)
    return op.badModel("expects a 'hidden_size' of at most 2^40, got " +
                       Twine(hiddenSize));
  int64_t rows = int64_t(gates) * hiddenSize;
  auto expect = [&](unsigned index, ArrayRef<int64_t> shape) -> LogicalResult {
    if (!op.hasInput(index))
      return success();
    Value value = op.raw(index);
    if (value && b.shape(value) == shape)
      return success();
    return op.badModel("expects input " + Twine(index) + " of shape " +
                       formatShape(shape) + ", got " +
                       formatShape(b.shape(value)));
  };
  int64_t d = directions;
  Shape state{d, batch, hiddenSize};
  if (isBatchFirst)
    std::swap(state[0], state[1]);
  Shape ofInputs{d, rows, b.extent(x, 2)}, ofState{d, rows, hiddenSize};
  if (isStored) {
    std::swap(ofInputs[1], ofInputs[2]);
    std::swap(ofState[1], ofState[2]);
  }
  if (failed(expect(1, ofInputs)) || failed(expect(2, ofState)) ||
      failed(expect(3, {d, 2 * rows})) || failed(expect(4, {batch})) ||
      failed(expect(5, state)))
    return failure();
  return hasCell && (failed(expect(6, state)) ||
                     failed(expect(7, {d, 3 * hiddenSize})))
             ? failure()
             : success();
}

/// Lengths that are all whole say nothing.
LogicalResult RecurrentBuilder::readLengths() {
  Value given = op.optional(4);
  if (!given)
    return success();
  std::optional<Tensor> known = op.constant(4);
  bool isWhole = known.has_value();
  for (int64_t i = 0; known && i < known->numElements(); ++i) {
    isWhole &= known->getInt(i) == steps;
    if (known->getInt(i) < 0 || known->getInt(i) > steps)
      return op.badModel("expects sequence lengths from 0 to " + Twine(steps) +
                         ", got " + Twine(known->getInt(i)));
  }
  if (!isWhole)
    lengths = b.reshape(b.convert(given, b.i64()), {batch, 1});
  return success();
}

/// Part `direction` of what is stacked by directions.
Value RecurrentBuilder::take(Value stacked, unsigned direction) {
  if (!stacked)
    return {};
  return b.dropDim(b.sliceAxis(stacked, 0, direction, direction + 1), 0);
}

Value RecurrentBuilder::readState(unsigned input, unsigned direction) {
  Value given = op.optional(input);
  if (!given)
    return b.full({batch, hiddenSize}, 0, b.element(x));
  return take(isBatchFirst ? b.transpose(given, {1, 0, 2}) : given, direction);
}

/// Input `input` (bytes), its scale and zero point 7 or 8 inputs on.
std::optional<StoredMatrix> RecurrentBuilder::readStored(unsigned input,
                                                         unsigned direction) {
  unsigned first = 6 + 2 * input;
  Value bytes = take(b.plain(op.raw(input)), direction),
        scale = take(op.in(first), direction),
        zero = take(op.optional(first + 1), direction);
  Type i32 = qg::getElementType(b.context(), DType::i32);
  if (!bytes || !scale)
    return std::nullopt;
  Value steps = b.convert(bytes, i32);
  if (zero)
    steps = b.sub(steps, b.convert(zero, i32));
  std::optional<Tensor> known = steps ? b.constantOf(steps) : std::nullopt;
  if (!known) {
    (void)op.unsupported("expects constant weights");
    return std::nullopt;
  }
  Tensor stored(DType::i8, known->shape());
  for (int64_t i = 0, e = known->numElements(); i < e; ++i) {
    if (known->getInt(i) < -128 || known->getInt(i) > 127) {
      (void)op.unsupported("expects weights within 8 bits of their zero point");
      return std::nullopt;
    }
    stored.setInt(i, known->getInt(i));
  }
  auto type = qg::QuantizedType::getPerTensor(b.context(), "si8", 1, 0);
  return StoredMatrix{
      b.constant(stored, RankedTensorType::get(stored.shape(), type)),
      b.reduce(ReduceKind::sum, steps, {0}, /*keepDims=*/false), scale};
}

/// Rows rounded to unsigned bytes by the range of all of them, which holds 0,
/// as DynamicQuantizeLinear does.
Value RecurrentBuilder::multiplyStored(Value rows, const StoredMatrix &weight) {
  if (!rows)
    return {};
  Value none = b.scalar(0, b.f32());
  Value low = b.min(b.reduce(ReduceKind::min, rows, {0, 1}, false), 0.0);
  Value high = b.max(b.reduce(ReduceKind::max, rows, {0, 1}, false), 0.0);
  Value range = b.div(b.sub(high, low), 255.0);
  Value scale = b.select(b.compare(ComparePredicate::eq, range, none),
                         b.scalar(1, b.f32()), range);
  Value zero = b.unary(UnaryKind::round_even,
                       b.clamp(b.div(b.sub(none, low), scale), 0, 255));
  Value steps = b.add(b.unary(UnaryKind::round_even, b.div(rows, scale)), zero);
  auto u8 = qg::QuantizedType::getPerTensor(b.context(), "ui8", 1, 0);
  Value sum = b.matmul(b.quantize(steps, u8), weight.bytes);
  if (!sum)
    return {};
  sum = b.sub(sum, b.mul(b.convert(zero, b.element(sum)), weight.sums));
  return b.mul(b.convert(sum, b.f32()), b.mul(weight.scale, scale));
}

/// [T * B, G * H].
Value RecurrentBuilder::multiplyInputs(Direction &d, unsigned direction,
                                       Value bias) {
  Value rows = b.reshape(x, {steps * batch, b.extent(x, 2)});
  if (!isStored) {
    d.stateWeight = b.transpose(take(op.in(2), direction), {1, 0});
    return b.matmul(rows, b.transpose(take(op.in(1), direction), {1, 0}), bias);
  }
  std::optional<StoredMatrix> weight = readStored(1, direction);
  d.storedWeight = readStored(2, direction);
  if (!weight || !d.storedWeight)
    return {};
  Value product = multiplyStored(rows, *weight);
  return bias ? b.add(product, bias) : product;
}

std::optional<Direction> RecurrentBuilder::readDirection(unsigned index) {
  Direction d;
  d.isReversed = direction == "reverse" || index == 1;
  unsigned each = activations.size() / directions;
  d.activations = ArrayRef(activations).slice(index * each, each);
  int64_t rows = int64_t(gates) * hiddenSize;
  Value inputBias;
  if (Value bias = take(op.optional(3), index)) {
    inputBias = b.sliceAxis(bias, 0, 0, rows);
    Value stateBias = b.sliceAxis(bias, 0, rows, 2 * rows);
    // What the reset gate scales has a bias of its own.
    if (linearBeforeReset)
      d.stateBias = stateBias;
    else
      inputBias = b.add(inputBias, stateBias);
  }
  std::string suffix = index == 1 ? "/reverse" : "";
  nameLayer("input" + suffix);
  Value product = multiplyInputs(d, index, inputBias);
  d.inputs = b.reshape(product, {steps, batch, rows});
  d.hidden = readState(5, index);
  if (hasCell) {
    d.cell = readState(6, index);
    if (Value peepholes = take(op.optional(7), index))
      for (int64_t i = 0; i < 3; ++i)
        d.peepholes.push_back(gate(peepholes, i));
  }
  nameLayer("state" + suffix);
  if (!d.inputs || !d.hidden || (hasCell && !d.cell))
    return std::nullopt;
  return d;
}

SmallVector<Value> RecurrentBuilder::stepLSTM(const Direction &d, Value x,
                                              Value h, Value c) {
  Value z = b.add(multiplyState(d, h), x);
  auto peep = [&](Value part, unsigned index, Value cell) {
    return d.peepholes.empty() ? part
                               : b.add(part, b.mul(d.peepholes[index], cell));
  };
  Value i = activate(d.activations[0], peep(gate(z, 0), 0, c));
  Value f = couplesForget
                ? oneMinus(i)
                : activate(d.activations[0], peep(gate(z, 2), 2, c));
  Value g = activate(d.activations[1], gate(z, 3));
  Value cell = b.add(b.mul(f, c), b.mul(i, g));
  Value o = activate(d.activations[0], peep(gate(z, 1), 1, cell));
  Value hidden = b.mul(o, buildActivation(b, d.activations[2], cell));
  return {hidden, cell};
}

SmallVector<Value> RecurrentBuilder::stepGRU(const Direction &d, Value x,
                                             Value h) {
  int64_t two = 2 * hiddenSize, all = 3 * hiddenSize;
  auto columns = [&](Value value, int64_t begin, int64_t end) {
    return value ? b.sliceAxis(value, b.rank(value) - 1, begin, end) : Value();
  };
  Value candidate, zr;
  if (linearBeforeReset) {
    Value y = multiplyState(d, h);
    zr = b.add(columns(x, 0, two), columns(y, 0, two));
    Value r = activate(d.activations[0], gate(zr, 1));
    candidate = b.add(gate(x, 2), b.mul(r, columns(y, two, all)));
  } else {
    zr = b.add(b.matmul(h, columns(d.stateWeight, 0, two)),
               columns(x, 0, two));
    Value r = activate(d.activations[0], gate(zr, 1));
    mlir::Location own = b.location();
    b.setLocation(NameLoc::get(
        StringAttr::get(b.context(),
                        cast<NameLoc>(own).getName().str() + "/candidate")));
    candidate =
        b.add(b.matmul(b.mul(r, h), columns(d.stateWeight, two, all)),
              gate(x, 2));
    b.setLocation(own);
  }
  Value z = activate(d.activations[0], gate(zr, 0));
  Value n = activate(d.activations[1], candidate);
  return {b.add(b.mul(oneMinus(z), n), b.mul(z, h))};
}

SmallVector<Value> RecurrentBuilder::stepRNN(const Direction &d, Value x,
                                             Value h) {
  return {activate(d.activations[0],
                   b.add(multiplyState(d, h), x))};
}

/// `fresh` where the sequence is long enough for the step, else `old`. From the
/// end, shorter sequences begin when their last element is reached.
Value RecurrentBuilder::keepShort(const Direction &d, Value number, Value fresh,
                                  Value old) {
  if (!lengths)
    return fresh;
  Value position =
      d.isReversed ? b.sub(b.scalar(double(steps - 1), b.i64()), number)
                   : number;
  return b.select(b.compare(ComparePredicate::lt, position, lengths), fresh,
                  old);
}

SmallVector<Value> RecurrentBuilder::step(const Direction &d,
                                          ValueRange arguments) {
  Value h = arguments[1], input = arguments.back();
  if (hasCell)
    return stepLSTM(d, input, h, arguments[2]);
  return gates == 3 ? stepGRU(d, input, h) : stepRNN(d, input, h);
}

/// The last states and, in front of them, all hidden ones.
SmallVector<Value> RecurrentBuilder::repeat(const Direction &d) {
  LoopSpec spec;
  spec.count = steps;
  spec.states = {d.hidden};
  if (hasCell)
    spec.states.push_back(d.cell);
  spec.slices = {d.inputs};
  spec.isReversed = d.isReversed;
  spec.slicesReversed = {d.isReversed};
  SmallVector<Value> results = b.loop(
      spec, [&](ValueRange arguments) -> std::optional<LoopYield> {
        SmallVector<Value> next = step(d, arguments);
        if (!llvm::all_of(next, [](Value value) { return bool(value); }))
          return std::nullopt;
        LoopYield yield;
        yield.stacked = {keepShort(d, arguments[0], next[0],
                                   b.full({}, 0, b.element(next[0])))};
        for (auto [i, fresh] : llvm::enumerate(next))
          yield.states.push_back(
              keepShort(d, arguments[0], fresh, arguments[1 + i]));
        if (!yield.stacked[0] || !yield.states.back())
          return std::nullopt;
        return yield;
      });
  if (results.empty())
    return {};
  results.insert(results.begin(), results.pop_back_val());
  return results;
}

/// Result `index` of all directions, stacked along `axis`.
Value RecurrentBuilder::stackDirections(ArrayRef<SmallVector<Value>> results,
                                        unsigned index, int64_t axis) {
  SmallVector<Value> parts;
  for (const SmallVector<Value> &values : results)
    parts.push_back(b.expandDim(values[index], axis));
  return parts.size() == 1 ? parts.front() : b.concat(parts, axis);
}

LogicalResult
RecurrentBuilder::giveResults(ArrayRef<SmallVector<Value>> results) {
  for (unsigned i = 0; i < (hasCell ? 3u : 2u); ++i) {
    if (!op.hasOutput(i))
      continue;
    // Y is [T, D, B, H], states are [D, B, H]; batches first: [B, T, D, H],
    // [B, D, H].
    Value y = stackDirections(results, i, i == 0 ? 1 : 0);
    if (isBatchFirst)
      y = i == 0 ? b.transpose(y, {2, 0, 1, 3}) : b.transpose(y, {1, 0, 2});
    if (y && i > 0 && b.element(y) != b.element(op.raw(0)))
      y = b.convert(y, b.element(op.raw(0)));
    if (failed(op.result(i, y)))
      return failure();
  }
  return success();
}

LogicalResult RecurrentBuilder::run() {
  mlir::Location own = b.location();
  if (auto name = dyn_cast<NameLoc>(own))
    label = name.getName().str();
  op.computeInF32();
  if (failed(readAttributes()) || failed(readShapes()) ||
      failed(readLengths()))
    return failure();
  SmallVector<SmallVector<Value>> results;
  for (unsigned i = 0; i < directions; ++i) {
    std::optional<Direction> d = readDirection(i);
    if (!d)
      return failure();
    SmallVector<Value> values;
    if (steps == 0) {
      values = {b.full({0, batch, hiddenSize}, 0, b.element(x)), d->hidden};
      if (hasCell)
        values.push_back(d->cell);
    } else {
      values = repeat(*d);
    }
    if (values.empty())
      return failure();
    results.push_back(std::move(values));
  }
  b.setLocation(own);
  return giveResults(results);
}

static LogicalResult importLSTM(OpBinder &op) {
  return RecurrentBuilder(op, /*gates=*/4, /*hasCell=*/true).run();
}
static LogicalResult importGRU(OpBinder &op) {
  return RecurrentBuilder(op, /*gates=*/3, /*hasCell=*/false).run();
}
static LogicalResult importRNN(OpBinder &op) {
  return RecurrentBuilder(op, /*gates=*/1, /*hasCell=*/false).run();
}

static LogicalResult importDynamicQuantizeLSTM(OpBinder &op) {
  return RecurrentBuilder(op, /*gates=*/4, /*hasCell=*/true,
                          RecurrentBuilder::Weights::Stored)
      .run();
}

void frontend::registerRecurrentOps(OpRegistry &registry) {
  registry.add("GRU", 7, importGRU);
  registry.add("LSTM", 7, importLSTM);
  registry.add("RNN", 7, importRNN);
  registry.add("com.microsoft", "DynamicQuantizeLSTM", 1,
               importDynamicQuantizeLSTM);
}
