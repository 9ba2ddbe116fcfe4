//===- ConvertLoopsToRecurrent.cpp - Recurrent layers into fxp.recurrent --===//
// SPDX-License-Identifier: Apache-2.0
//
// A caller that carries states from call to call hands over the bytes he got:
// states that are given, or asked for, have one encoding in and out, and steps
// of a power of two, which the 16-bit states have as well.
//===----------------------------------------------------------------------===//
#include "qopt/Numerics/Recurrent.h"
#include "Patterns.h"
#include "RecurrentCell.h"
#include "qopt/Analysis/SplatConstant.h"
#include "qopt/Conversion/QGToFXP.h"
#include "qopt/Dialect/QG/IR/Encodings.h"
#include "qopt/Numerics/Grid.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include <cmath>

namespace qopt {
#include "qopt/Conversion/ConvertLoopsToRecurrent.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;
using namespace qopt::qgtofxp;

/// Cell states of a sequence of up to 8 steps stay below 8, as each step adds
/// less than 1. In longer ones they stay below 16, or saturate there.
static constexpr int64_t kShortSequence = 8;
static constexpr int64_t kCellBits = 11;

namespace {
/// Rows of a quantized constant matrix `[K, N]`, one for each column.
struct Rows {
  int64_t count = 0, depth = 0;
  std::vector<int8_t> bytes;
  std::vector<double> scales;
  std::vector<float> bias;
};

/// Weights of one side of all gates in their order.
struct Side {
  std::vector<int8_t> weights;
  std::vector<int32_t> bias;
  std::vector<float> scales;
};

class RecurrentConverter {
public:
  RecurrentConverter(qg::LoopOp loop, fxp::RequantizeModeAttr mode)
      : loop(loop), mode(mode), builder(loop), loc(loop.getLoc()) {}

  /// Empty, or why the loop stays.
  std::string run();

private:
  std::string findOperands();
  std::string fillSides();
  void chooseEncodings();
  std::optional<Rows> readRows(qg::MatmulOp product);
  std::string addGates(Side &side, const Rows &rows, const Encoding &lhs,
                       ArrayRef<std::pair<unsigned, int64_t>> gates,
                       bool foldZero);
  Value createStart(Value state, qg::QuantizedType type);
  Value createOp();
  void replace(Value bytes);
  Value view(Value bytes, int64_t first, int64_t count, Type result,
             qg::QuantizedType type);
  qg::QuantizedType findReader(Value value);

  MLIRContext *context() { return loop.getContext(); }
  bool isGiven(Value state) { return !matchSplatConstant(state); }
  Value constant(const Tensor &tensor, Type element, StringRef name) {
    return qg::createConstant(builder, loc, tensor,
                              RankedTensorType::get(tensor.shape(), element),
                              name);
  }
  Value cast(Value value, Type type) {
    return UnrealizedConversionCastOp::create(builder, loc, type, value)
        .getResult(0);
  }

  qg::LoopOp loop;
  fxp::RequantizeModeAttr mode;
  OpBuilder builder;
  Location loc;
  RecurrentCell cell;
  qg::MatmulOp inputProduct;
  std::optional<Encoding> x, state, reset;
  Side ofX, ofState;
  qg::QuantizedType result, given, givenCell;
  int64_t hiddenBits = kGateBits, cellBits = kCellBits;
  bool usesRows = false, usesCell = false;
};
} // namespace

/// A byte whose every value is used, per tensor.
static std::optional<Encoding> getWholeByte(Value value) {
  std::optional<Encoding> encoding = getByteEncoding(value.getType());
  return encoding && encoding->high - encoding->low == 255
             ? encoding
             : std::optional<Encoding>();
}

static double getLargest(const Encoding &encoding) {
  double reach = std::max(encoding.high - encoding.zeroPoint(),
                          encoding.zeroPoint() - encoding.low);
  return reach * double(encoding.scale());
}

/// Signed bytes hold states, whatever the model says.
static Encoding toSigned(Encoding encoding) {
  if (!encoding.isUnsigned)
    return encoding;
  encoding.isUnsigned = false;
  encoding.low -= 128;
  encoding.high -= 128;
  encoding.zeroPoints[0] -= 128;
  return encoding;
}

std::string RecurrentConverter::findOperands() {
  Value from = loop.getSlices()[0];
  while (auto reshape = from.getDefiningOp<qg::ReshapeOp>())
    from = reshape.getX();
  inputProduct = from.getDefiningOp<qg::MatmulOp>();
  if (!inputProduct)
    return "its inputs are no product with weights";
  x = getByteEncoding(inputProduct.getLhs().getType());
  state = getWholeByte(cell.gates[0].product.getLhs());
  if (cell.resetFirst)
    reset = getWholeByte(cell.gates[2].product.getLhs());
  if (!x || !state || (cell.resetFirst && !reset))
    return "its products are not of bytes";
  state = toSigned(*state);
  if (reset)
    reset = toSigned(*reset);
  auto element = getTensorType(loop.getStates()[0]).getElementType();
  return element.isF32() ? "" : "its states are no f32";
}

std::optional<Rows> RecurrentConverter::readRows(qg::MatmulOp product) {
  auto type = llvm::cast<RankedTensorType>(product.getRhs().getType());
  std::optional<qg::Decoder> decoder = qg::Decoder::get(type);
  std::optional<Tensor> stored = qg::matchConstant(product.getRhs());
  qg::QuantizedType encoding = qg::getQuantizedType(type);
  if (!decoder || !stored || !encoding || encoding.getGroupSize() ||
      type.getRank() != 2 || product.getClamp())
    return std::nullopt;
  qg::Decoder::Bytes decoded = decoder->bytes(*stored);
  if (!decoded.bytes)
    return std::nullopt;
  bool isTransposed = product.getTransposeRhs();
  Rows rows;
  rows.count = type.getDimSize(isTransposed ? 0 : 1);
  rows.depth = type.getDimSize(isTransposed ? 1 : 0);
  ArrayRef<float> scales = decoder->scales();
  if (scales.size() > 1 && encoding.getAxis() != (isTransposed ? 0 : 1))
    return std::nullopt;
  ArrayRef<int8_t> bytes = decoded.bytes->span<int8_t>();
  for (int64_t n = 0; n < rows.count; ++n) {
    rows.scales.push_back(scales[scales.size() == 1 ? 0 : n]);
    for (int64_t k = 0; k < rows.depth; ++k)
      rows.bytes.push_back(
          bytes[isTransposed ? n * rows.depth + k : k * rows.count + n]);
  }
  rows.bias.assign(rows.count, 0);
  if (Value bias = product.getBias()) {
    std::optional<Tensor> known = qg::matchConstant(bias);
    if (!known || isQuantized(bias.getType()))
      return std::nullopt;
    for (int64_t n = 0; n < rows.count; ++n)
      rows.bias[n] = float(known->getFloat(n));
  }
  return rows;
}

/// `gates`: numbers of gates and the first of their columns.
std::string
RecurrentConverter::addGates(Side &side, const Rows &rows, const Encoding &lhs,
                             ArrayRef<std::pair<unsigned, int64_t>> gates,
                             bool foldZero) {
  int64_t units = getShape(loop.getStates()[0])[1];
  // A zero point in a bias, and partial sums without it.
  int64_t reach = 2 * (lhs.high - lhs.low + 1);
  for (auto [gate, first] : gates)
    for (int64_t row = first; row < first + units; ++row) {
      double scale = double(lhs.scale()) * rows.scales[row];
      int64_t sum = 0, magnitude = 0;
      for (int64_t k = 0; k < rows.depth; ++k) {
        int8_t weight = rows.bytes[row * rows.depth + k];
        side.weights.push_back(weight);
        sum += weight;
        magnitude += std::abs(int64_t(weight));
      }
      double bias = roundToInteger(double(rows.bias[row]) / scale);
      double zero = foldZero ? double(lhs.zeroPoint()) * double(sum) : 0;
      if (!(std::fabs(bias) + std::fabs(zero) + double(magnitude) * reach <
            2147483648.0))
        return "its sums leave 32 bits";
      side.bias.push_back(int32_t(bias - zero));
      side.scales.push_back(float(scale * double(1 << kGateInputBits)));
    }
  return "";
}

std::string RecurrentConverter::fillSides() {
  std::optional<Rows> inputs = readRows(inputProduct);
  if (!inputs)
    return "its weights are no constant bytes";
  std::string why;
  for (auto [index, gate] : llvm::enumerate(cell.gates)) {
    std::optional<Rows> rows = readRows(gate.product);
    if (!rows)
      return "its weights are no constant bytes";
    bool isReset = cell.resetFirst && index == 2;
    why = addGates(ofX, *inputs, *x, {{unsigned(index), gate.inputColumn}},
                   /*foldZero=*/false);
    if (why.empty())
      why = addGates(ofState, *rows, isReset ? *reset : *state,
                     {{unsigned(index), gate.stateColumn}}, /*foldZero=*/true);
    if (!why.empty())
      return why;
  }
  return "";
}

/// What the first reader behind moves rounds a value to, in bytes.
qg::QuantizedType RecurrentConverter::findReader(Value value) {
  for (Operation *user : value.getUsers()) {
    if (auto quantize = dyn_cast<qg::QuantizeOp>(user)) {
      if (getByteEncoding(quantize.getType()))
        return qg::getQuantizedType(quantize.getType());
    } else if (isa<qg::ReshapeOp, qg::TransposeOp, qg::SliceOp, qg::ConcatOp>(
                   user)) {
      if (qg::QuantizedType type = findReader(user->getResult(0)))
        return type;
    }
  }
  return {};
}

void RecurrentConverter::chooseEncodings() {
  auto states = loop.getStates();
  bool isLSTM = states.size() == 2;
  usesCell = isLSTM && !loop.getResult(1).use_empty();
  for (Value stacked : loop.getStacked())
    usesRows |= !stacked.use_empty();
  double most = getLargest(*state);
  // A range of [-1, 1] may reach a little beyond.
  constexpr double kSlack = 1.0625;
  while (most > kSlack * double(int64_t(1) << (kGateBits - hiddenBits)) &&
         hiddenBits > 7)
    --hiddenBits;
  bool isKnown = isLSTM && !isGiven(states[1]);
  if (isKnown && getShape(loop.getSlices()[0])[0] <= kShortSequence)
    cellBits = kCellBits + 1;
  auto ofBits = [&](int64_t bits) {
    return qg::QuantizedType::getPerTensor(
        context(), "si8", float(std::ldexp(1.0, int(8 - bits))), 0);
  };
  given = ofBits(hiddenBits);
  givenCell = ofBits(cellBits);
  result = given;
  if (usesCell || isGiven(states[0]) || (isLSTM && isGiven(states[1])))
    return;
  for (Value value : loop.getStacked())
    if (qg::QuantizedType type = findReader(value)) {
      result = type;
      return;
    }
  result = findReader(loop.getResult(0));
  if (!result)
    result = qg::getQuantizedType(cell.gates[0].product.getLhs().getType());
}

/// Bytes of an initial state.
Value RecurrentConverter::createStart(Value state, qg::QuantizedType type) {
  auto shape = getShape(state);
  auto bytes = RankedTensorType::get(shape, builder.getI8Type());
  if (matchSplatConstant(state) == 0.0)
    return constant(Tensor(DType::i8, shape), builder.getI8Type(), "state");
  Value stored = qg::QuantizeOp::create(
      builder, loc, RankedTensorType::get(shape, type), state);
  return cast(stored, bytes);
}

Value RecurrentConverter::createOp() {
  auto states = loop.getStates();
  ArrayRef<int64_t> shape = getShape(loop.getSlices()[0]);
  int64_t units = getShape(states[0])[1], rows = ofX.bias.size();
  int64_t inputs = int64_t(ofX.weights.size()) / rows;
  Type i8 = builder.getI8Type(), i32 = builder.getI32Type();
  auto bytes = [&](const Side &side, int64_t depth, StringRef name) {
    return constant(Tensor::from<int8_t>(DType::i8, {rows, depth},
                                         ArrayRef<int8_t>(side.weights)),
                    i8, name);
  };
  auto bias = [&](const Side &side) {
    return constant(
        Tensor::from<int32_t>(DType::i32, {rows}, ArrayRef<int32_t>(side.bias)),
        i32, "bias");
  };
  auto scales = [&](const Side &side) {
    auto type = RankedTensorType::get({rows}, builder.getF32Type());
    return qg::getElementsAttr(
        Tensor::from<float>(DType::f32, {rows}, ArrayRef<float>(side.scales)),
        type, "scales");
  };
  auto encoding = llvm::cast<RankedTensorType>(inputProduct.getLhs().getType())
                      .getElementType();
  SmallVector<int64_t> sequence{shape[0], shape[1], inputs};
  Value moved = qg::ReshapeOp::create(builder, loc,
                                      RankedTensorType::get(sequence, encoding),
                                      inputProduct.getLhs());
  Value input = cast(moved, RankedTensorType::get(sequence, i8));
  Value hidden = createStart(states[0], given), cellState;
  if (states.size() == 2)
    cellState = createStart(states[1], givenCell);
  const Encoding &h8 = *state, &r8 = reset ? *reset : *state;
  Encoding to = *getEncoding(RankedTensorType::get({1}, result));
  double step = std::ldexp(1.0, -int(hiddenBits));
  double cellStep = std::ldexp(1.0, -int(cellBits));
  float factors[] = {256.0f,
                     float(step / double(h8.scale())),
                     float(step / double(r8.scale())),
                     float(step / double(to.scale())),
                     256.0f,
                     float(cellStep / double(givenCell.getScale()))};
  int64_t count = (usesRows ? shape[0] : 1) + (usesCell ? 1 : 0);
  auto unit = [&](bool holds) {
    return holds ? builder.getUnitAttr() : UnitAttr();
  };
  return fxp::RecurrentOp::create(
      builder, loc, RankedTensorType::get({count, shape[1], units}, i8), input,
      bytes(ofX, inputs, "w"), bytes(ofState, units, "r"), bias(ofX),
      bias(ofState), hidden, cellState, builder.getStringAttr(cell.kind),
      unit(loop.isSliceReversed(0)), unit(cell.resetFirst), unit(!usesRows),
      unit(usesCell), builder.getI64IntegerAttr(x->zeroPoint()),
      unit(x->isUnsigned), builder.getI64IntegerAttr(0), UnitAttr(),
      builder.getI64IntegerAttr(0), UnitAttr(),
      builder.getI64IntegerAttr(to.zeroPoint()),
      builder.getDenseI64ArrayAttr({to.low, to.high}), unit(to.isUnsigned),
      scales(ofX), scales(ofState), builder.getDenseF32ArrayAttr(factors),
      builder.getDenseI64ArrayAttr({h8.zeroPoint(), r8.zeroPoint()}),
      builder.getI64IntegerAttr(hiddenBits),
      builder.getI64IntegerAttr(cellBits), mode);
}

/// Rows of the op's result as a result of the loop.
Value RecurrentConverter::view(Value bytes, int64_t first, int64_t count,
                               Type result, qg::QuantizedType type) {
  SmallVector<int64_t> shape(getShape(bytes));
  Type i8 = builder.getI8Type();
  if (shape[0] != count) {
    shape[0] = count;
    bytes = qg::SliceOp::create(builder, loc, RankedTensorType::get(shape, i8),
                                bytes, ArrayRef<int64_t>{first, 0, 0},
                                ArrayRef<int64_t>{1, 1, 1});
  }
  auto target = llvm::cast<RankedTensorType>(result);
  if (target.getRank() == 2)
    bytes = qg::ReshapeOp::create(
        builder, loc, RankedTensorType::get(target.getShape(), i8), bytes);
  Value stored = cast(bytes, RankedTensorType::get(target.getShape(), type));
  return qg::DequantizeOp::create(builder, loc, target, stored);
}

void RecurrentConverter::replace(Value bytes) {
  int64_t steps = getShape(loop.getSlices()[0])[0];
  int64_t last = usesRows && !loop.isSliceReversed(0) ? steps - 1 : 0;
  auto set = [&](Value old, int64_t first, int64_t count,
                 qg::QuantizedType type) {
    if (!old.use_empty())
      old.replaceAllUsesWith(view(bytes, first, count, old.getType(), type));
  };
  set(loop.getResult(0), last, 1, result);
  if (usesCell)
    set(loop.getResult(1), getShape(bytes)[0] - 1, 1, givenCell);
  for (Value stacked : loop.getStacked())
    set(stacked, 0, steps, result);
  loop.erase();
}

std::string RecurrentConverter::run() {
  CellMatch match = matchCell(loop);
  if (!match.cell)
    return match.reason;
  cell = std::move(*match.cell);
  std::string why = findOperands();
  if (why.empty())
    why = fillSides();
  if (!why.empty())
    return why;
  chooseEncodings();
  replace(createOp());
  return "";
}

namespace {
struct ConvertLoopsToRecurrent
    : qopt::impl::ConvertLoopsToRecurrentBase<ConvertLoopsToRecurrent> {
  using ConvertLoopsToRecurrentBase::ConvertLoopsToRecurrentBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto stored = module->getAttrOfType<StringAttr>(kRequantizeMode);
    StringRef text = stored ? stored.getValue() : StringRef(requantizeMode);
    FailureOr<fxp::RequantizeModeAttr> mode =
        parseMode(module, text == "f32" ? "fixed:31" : text);
    if (failed(mode))
      return signalPassFailure();
    SmallVector<qg::LoopOp> loops;
    for (auto function : module.getOps<func::FuncOp>())
      if (!function.isExternal())
        llvm::append_range(loops, function.front().getOps<qg::LoopOp>());
    for (qg::LoopOp loop : loops) {
      // Other passes may have changed it since: the first reason is the user's.
      if (loop->hasAttr("qg.no_cell"))
        continue;
      std::string why = RecurrentConverter(loop, *mode).run();
      if (!why.empty())
        loop->setAttr("qg.no_cell", StringAttr::get(&getContext(), why));
    }
  }
};
} // namespace
