//===- Constants.cpp - Weights, biases and scales as kernels read them ----===//
// SPDX-License-Identifier: Apache-2.0
//
// Zero points of inputs go into biases, rows of weights are padded to words,
// scales become multipliers and shifts. Sums that could leave 32 bits are
// refused here, where all weights are known.
//===----------------------------------------------------------------------===//
#include "Steps.h"
#include "qopt/Dialect/FXP/IR/Levels.h"
#include "qopt/Dialect/FXP/IR/StoredConstant.h"
#include "qopt/Numerics/UpperWord.h"

#include "absl/strings/str_cat.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>

using namespace mlir;
using namespace qopt;
using namespace qopt::embedded;

/// Of a byte and its zero point.
static constexpr int64_t kMostDifference = 255;

/// Sums of wide steps whose products with multipliers are made in two words.
static constexpr unsigned kMostSumBits = 47;

/// Products of packed weights are made in sixteenths.
static constexpr int64_t kPackedParts = 16;

/// Weights as [channels out][taps][channels in of a group].
static absl::StatusOr<Tensor> getWeights(const Step &step) {
  auto linear = cast<LinearOpInterface>(step.op);
  auto constant = fxp::StoredConstant::match(step.op, linear.getWeight());
  std::optional<Tensor> weights = constant ? constant->bytes() : std::nullopt;
  if (!weights)
    return absl::InternalError("the bytes of a weight are missing");
  if (linear.getOutputAxis() == 0)
    return *weights;
  Tensor rows(DType::i8, {step.n, step.k});
  for (int64_t n = 0; n < step.n; ++n)
    for (int64_t k = 0; k < step.k; ++k)
      rows.setInt(n * step.k + k, weights->getInt(k * step.n + n));
  return rows;
}

/// Of the input.
static int64_t getZeroPoint(const Step &step) {
  Value input = cast<LinearOpInterface>(step.op).getInput();
  auto stored = cast<StoredOperandsInterface>(step.op);
  return stored.getZeroPoint(*stored.findStored(input));
}

/// What no partial sum of channel `n` exceeds: its bias, with the zero point of
/// the input in it, and all products, made in units of 1/`parts`.
static int64_t getLargestSum(const Step &step, const Tensor &weights, int64_t n,
                             int64_t folded, int64_t parts) {
  int64_t magnitude = 0;
  for (int64_t i = 0; i < step.k; ++i)
    magnitude += std::abs(weights.getInt(n * step.k + i));
  return std::abs(folded) + magnitude * 128 * parts;
}

static int64_t foldZeroPoint(const Step &step, const Tensor &weights,
                             const Tensor &bias, int64_t n) {
  int64_t sum = 0;
  for (int64_t i = 0; i < step.k; ++i)
    sum += weights.getInt(n * step.k + i);
  return bias.getInt(n) - getZeroPoint(step) * sum;
}

bool embedded::fitsPacked(const Step &step) {
  auto weights = getWeights(step);
  std::optional<Tensor> bias =
      qg::matchConstant(cast<LinearOpInterface>(step.op).getBias());
  if (!weights.ok() || !bias || weights->dtype() != DType::i8 ||
      !llvm::all_of(weights->span<int8_t>(),
                    [](int8_t value) { return value >= -8 && value <= 7; }))
    return false;
  for (int64_t n = 0; n < step.n; ++n)
    if (getLargestSum(step, *weights, n,
                      foldZeroPoint(step, *weights, *bias, n),
                      kPackedParts) > INT32_MAX)
      return false;
  return true;
}

GridWeights embedded::makeGrid(const Step &step) {
  auto weights = getWeights(step);
  std::optional<Tensor> bias =
      qg::matchConstant(cast<LinearOpInterface>(step.op).getBias());
  if (!weights.ok() || !bias || weights->dtype() != DType::i8)
    return {};
  Step gridded = step;
  gridded.grid = findGrid(step, weights->span<int8_t>());
  int64_t most = getLargestGridSum(gridded);
  for (int64_t n = 0; n < step.n; ++n)
    if (most + std::abs(foldZeroPoint(step, *weights, *bias, n)) > INT32_MAX)
      return {};
  return gridded.grid;
}

/// Two weights in a byte: of eight neighbours the first four below, the others
/// above, so that both halves of a word meet words of a column.
static std::vector<int8_t> packPairs(const std::vector<int8_t> &weights) {
  std::vector<int8_t> packed(weights.size() / 2);
  for (size_t i = 0; i < packed.size(); ++i) {
    size_t low = i / 4 * 8 + i % 4;
    packed[i] = int8_t((weights[low] & 15) | (weights[low + 4] & 15) << 4);
  }
  return packed;
}

SmallVector<int8_t> embedded::makeTable(const Step &step) {
  ArrayRef<int8_t> levels = fxp::getLevels(step.op);
  auto weights = getWeights(step);
  if (levels.empty() || !weights.ok() || weights->dtype() != DType::i8)
    return {};
  SmallVector<int8_t> bytes(weights->span<int8_t>());
  if (step.k % 8)
    bytes.push_back(0);
  return fxp::makeTable(bytes, levels);
}

/// Codes of eight neighbours in as many bytes as a code has bits, the first in
/// the lowest.
static std::vector<int8_t> packCodes(const std::vector<int8_t> &weights,
                                     ArrayRef<int8_t> table) {
  unsigned bits = llvm::Log2_64(table.size());
  std::vector<int8_t> packed(weights.size() / 8 * bits);
  for (size_t i = 0; i < weights.size(); ++i) {
    auto code = uint64_t(fxp::getCode(table, weights[i]));
    for (unsigned b = 0; b < bits; ++b) {
      size_t at = i * bits + b;
      packed[at / 8] |= int8_t((code >> b & 1) << at % 8);
    }
  }
  return packed;
}

/// Of wide steps: weights as they are, depthwise ones tap by tap; sums in 32
/// bits where that is proven.
static absl::Status fillWideLinear(const Step &step, const Tensor &weights,
                                   const Tensor &bias,
                                   StepConstants &constants) {
  int64_t k = step.k, reach = getElementBytes(step.inputs[0]) == 2 ? 256 : 1;
  int64_t most = 0;
  for (int64_t n = 0; n < step.n; ++n) {
    int64_t folded = foldZeroPoint(step, weights, bias, n);
    most = std::max(most, getLargestSum(step, weights, n, folded, reach));
    constants.wideBias.push_back(folded);
  }
  if (most >> kMostSumBits)
    return absl::UnimplementedError(absl::StrCat(
        "'", step.name, "': sums can leave ", kMostSumBits + 1, " bits"));
  if (most <= INT32_MAX) {
    constants.bias.assign(constants.wideBias.begin(), constants.wideBias.end());
    constants.wideBias.clear();
  }
  bool isTapMajor = step.kind == Step::Depthwise;
  constants.weights.resize(step.n * k);
  for (int64_t n = 0; n < step.n; ++n)
    for (int64_t i = 0; i < k; ++i)
      constants.weights[isTapMajor ? i * step.n + n : n * k + i] =
          int8_t(weights.getInt(n * k + i));
  return absl::OkStatus();
}

static absl::Status fillLinear(const Step &step, StepConstants &constants) {
  auto weights = getWeights(step);
  if (!weights.ok())
    return weights.status();
  std::optional<Tensor> bias =
      qg::matchConstant(cast<LinearOpInterface>(step.op).getBias());
  if (!bias)
    return absl::InternalError("the values of a bias are missing");
  if (isWide(step))
    return fillWideLinear(step, *weights, *bias, constants);
  int64_t k = step.k;
  for (int64_t n = 0; n < step.n; ++n) {
    int64_t folded = foldZeroPoint(step, *weights, *bias, n);
    constants.largest.push_back(getLargestSum(step, *weights, n, folded, 1));
    constants.isConstant.push_back(constants.largest[n] == std::abs(folded));
    if (getLargestSum(step, *weights, n, folded,
                      step.isPacked ? kPackedParts : 1) > INT32_MAX)
      return absl::UnimplementedError(absl::StrCat(
          "'", step.name, "': sums of channel ", n, " can leave 32 bits"));
    constants.bias.push_back(int32_t(folded));
  }
  bool isTapMajor = step.kind == Step::Depthwise;
  bool hasRows = step.kind == Step::Gather || step.kind == Step::Direct;
  int64_t row = hasRows ? step.getRow() : k;
  constants.weights.assign(step.n * row, 0);
  for (int64_t n = 0; n < step.n; ++n)
    for (int64_t i = 0; i < k; ++i)
      constants.weights[isTapMajor ? i * step.n + n : n * row + i] =
          int8_t(weights->getInt(n * k + i));
  if (step.grid.bits) {
    constants.words = packGrid(step, constants.weights);
    constants.weights.clear();
  }
  if (step.isPacked)
    constants.weights = packPairs(constants.weights);
  if (!step.table.empty()) {
    constants.weights = packCodes(constants.weights, step.table);
    constants.levels.assign(step.table.begin(), step.table.end());
  }
  return absl::OkStatus();
}

/// Dimensions between resized ones stay as they are: one input, times 1.
static void fillGrid(const Step &step, StepConstants &constants) {
  auto op = cast<fxp::ResizeOp>(step.op);
  ArrayRef<int64_t> x = getShape(op.getX()), y = getShape(op.getResult());
  for (int64_t dim = step.firstAxis; dim <= step.lastAxis; ++dim) {
    int64_t bytes = getNumElements(x.drop_front(dim + 1)) *
                    getElementBytes(op.getX()),
            extent = y[dim];
    int64_t first = 0, taps = 0;
    for (auto [axis, count] : llvm::zip(op.getAxes(), op.getTaps())) {
      if (axis == dim) {
        taps = count;
        break;
      }
      first += count * y[axis];
    }
    for (int64_t i = 0; i < extent * std::max<int64_t>(taps, 1); ++i) {
      int64_t position = taps ? op.getPositions()[first + i] : i;
      constants.offsets.push_back(int32_t(position * bytes));
      constants.coefficients.push_back(taps ? op.getCoefficients()[first + i]
                                            : 1);
    }
    constants.axes.push_back({extent, std::max<int64_t>(taps, 1)});
  }
}

/// Any i32 where nothing is known.
static int64_t getLargest(const StepConstants &constants, int64_t channel) {
  const std::vector<int64_t> &largest = constants.largest;
  if (largest.empty())
    return int64_t(1) << 31;
  return largest[largest.size() == 1 ? 0 : channel];
}

/// Channels without weights give one result: any scale says the same, and their
/// own are often the only ones that are too large for upper words.
static void simplifyConstantChannel(StepConstants &constants, int64_t channel) {
  if (constants.isConstant.empty() || !constants.isConstant[channel])
    return;
  int32_t &bias = constants.bias[channel];
  int64_t result =
      constants.zeroPoint +
      shiftRightHalfEven(int64_t(bias) * constants.multiplier.back(),
                         constants.shift.back());
  result = std::clamp(result, constants.low, constants.high);
  // An eighth of eight times the result: no tie.
  bias = int32_t(8 * (result - constants.zeroPoint));
  constants.multiplier.back() = int32_t(1) << 30;
  constants.shift.back() = kLeastUpperShift;
  constants.largest[channel] = 0;
}

static absl::Status fillScales(const Step &step, StepConstants &constants) {
  fxp::RequantizeOp op = step.requantize;
  FailureOr<Tensor> scales =
      qg::getTensor(op.getScales(), op.getScales().getType());
  if (failed(scales))
    return absl::InternalError("the scales of a requantization are missing");
  RequantizeMode mode = op.getMode().getRequantizeMode();
  int64_t channels = std::max<int64_t>(
      {int64_t(constants.bias.size()), int64_t(constants.wideBias.size()), 1});
  int64_t count = scales->numElements();
  constants.zeroPoint = int64_t(op.getZp());
  constants.low = op.getClamp()[0];
  constants.high = op.getClamp()[1];
  constants.isUntied = true;
  for (int64_t c = 0; c < channels; ++c) {
    FixedScale scale =
        getFixedScale(float(scales->getFloat(count == 1 ? 0 : c)), mode);
    // A scale that every i32 rounds to zero has shift 0; any says the same.
    if (scale.multiplier == 0)
      scale.shift = kLeastUpperShift;
    if (scale.multiplier > INT32_MAX)
      return absl::UnimplementedError(
          absl::StrCat("'", step.name, "': a scale is out of range"));
    constants.multiplier.push_back(int32_t(scale.multiplier));
    constants.shift.push_back(uint8_t(scale.shift));
    simplifyConstantChannel(constants, c);
    scale = {constants.multiplier.back(), constants.shift.back()};
    constants.isWide |= scale.shift < kLeastUpperShift;
    constants.isUntied &=
        roundsInUpperWord(scale, getLargest(constants, c), constants.zeroPoint);
  }
  constants.isUntied &= !isWide(step);
  if (constants.isUntied)
    for (uint8_t &shift : constants.shift)
      shift -= kLeastUpperShift;
  return absl::OkStatus();
}

/// Where the elements that a gather picks lie.
static absl::Status fillOffsets(const Step &step, StepConstants &constants) {
  auto gather = cast<qg::GatherOp>(step.op);
  ArrayRef<int64_t> x = getShape(gather.getX());
  std::optional<Tensor> indices = qg::matchConstant(gather.getIndices());
  if (!indices)
    return absl::InternalError("the numbers of a gather are missing");
  int64_t axis = gather.getAxis(),
          bytes = getNumElements(x.drop_front(axis + 1)) *
                  getElementBytes(gather.getX());
  for (int64_t i = 0; i < indices->numElements(); ++i) {
    int64_t index = indices->getInt(i);
    constants.offsets.push_back(
        int32_t((index < 0 ? index + x[axis] : index) * bytes));
  }
  return absl::OkStatus();
}

static absl::Status fillTable(const Step &step, StepConstants &constants) {
  auto lut = cast<fxp::LutOp>(step.op);
  FailureOr<Tensor> table =
      qg::getTensor(lut.getTable(), lut.getTable().getType());
  if (failed(table))
    return absl::InternalError("the bytes of a table are missing");
  for (int64_t i = 0; i < table->numElements(); ++i)
    if (getByteWidth(table->dtype()) == 2)
      constants.wideTable.push_back(int16_t(table->getInt(i)));
    else
      constants.table.push_back(int8_t(table->getInt(i)));
  return absl::OkStatus();
}

absl::StatusOr<StepConstants> embedded::computeConstants(const Step &step) {
  StepConstants constants;
  switch (step.kind) {
  case Step::Gather:
  case Step::Direct:
  case Step::Depthwise:
  case Step::Grouped:
    if (absl::Status status = fillLinear(step, constants); !status.ok())
      return status;
    break;
  case Step::SumPool:
    constants.largest = {step.k * kMostDifference};
    // Places outside are filled with the zero point and add nothing.
    constants.bias = {int32_t(-step.k * step.window.border)};
    break;
  case Step::Rescale: {
    // The upper bit toggled: see emitWideBody.
    if (isWide(step) && cast<fxp::RequantizeOp>(step.op).getXUnsigned())
      return constants;
    auto zeroPoint = int64_t(cast<fxp::RequantizeOp>(step.op).getXZp());
    constants.bias.assign(step.n, int32_t(-zeroPoint));
    constants.largest = {kMostDifference};
    break;
  }
  case Step::Multiply:
    constants.bias = {0};
    constants.largest = {kMostDifference * kMostDifference};
    break;
  case Step::Resize:
    constants.bias = {0};
    fillGrid(step, constants);
    break;
  case Step::Pick:
    if (absl::Status status = fillOffsets(step, constants); !status.ok())
      return status;
    return constants;
  case Step::Recurrent:
    if (absl::Status status = fillRecurrent(step, constants); !status.ok())
      return status;
    return constants;
  case Step::LookUp:
    if (absl::Status status = fillTable(step, constants); !status.ok())
      return status;
    return constants;
  case Step::Softmax: {
    auto softmax = cast<fxp::SoftmaxOp>(step.op);
    FailureOr<Tensor> table =
        qg::getTensor(softmax.getTable(), softmax.getTable().getType());
    if (failed(table))
      return absl::InternalError("the entries of a table are missing");
    ArrayRef<int32_t> entries = table->span<int32_t>();
    constants.exponentials.assign(entries.begin(), entries.end());
    return constants;
  }
  default:
    return constants;
  }
  if (step.isSums)
    return constants;
  if (absl::Status status = fillScales(step, constants); !status.ok())
    return status;
  return constants;
}
