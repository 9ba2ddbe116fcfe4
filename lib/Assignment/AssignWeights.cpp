//===- AssignWeights.cpp - Formats of weights -----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Largest magnitudes only: rounding on data chooses better parameters of the
// same format afterwards.
//===----------------------------------------------------------------------===//
#include "AssignWeights.h"
#include "LevelTable.h"
#include "qopt/Calibration/Observer.h"
#include "qopt/Dialect/QG/IR/Encodings.h"
#include "qopt/Numerics/Grid.h"

using namespace mlir;
using namespace qopt;

/// Beyond any weight, and far from where sums of extents overflow.
static constexpr int64_t kLargestGroup = int64_t(1) << 31;

std::string qopt::getWeightFormatNames() {
  return getElementNames() + ", and :gN for groups of N elements";
}

std::optional<WeightFormat> WeightFormat::parse(StringRef text) {
  WeightFormat result;
  auto [name, group] = text.split(':');
  if (text.contains(':') &&
      (!group.consume_front("g") || group.getAsInteger(10, result.group) ||
       result.group < 1 || result.group > kLargestGroup))
    return std::nullopt;
  result.element = lookupElement(name);
  return result.element ? std::optional(result) : std::nullopt;
}

/// The least scale under which no sum of `depth` products leaves 32 bits, for
/// weights of that sum of magnitudes: an input of bytes reaches 255, rows that
/// are rounded at run time (which have no scale now) 127. Rounding adds half a
/// step to each weight at most, the bias |b| / (sx * sw).
static double getLeastScaleOfSums(double magnitudes, double bias, double xScale,
                                  int64_t depth) {
  bool isRow = std::isinf(xScale);
  double reach = isRow ? 127 : 255;
  double room = 2147483647.0 - reach / 2 * double(depth);
  if (!(room > 0))
    return 0; // no scale helps
  return (magnitudes * reach + (isRow ? 0 : bias / xScale)) / room;
}

namespace {
/// Of the weights that share a parameter, for each parameter; 0 is in between.
struct WeightExtremes {
  std::vector<float> low, high;
  std::vector<double> magnitudes; // sums
};
} // namespace

static WeightExtremes findExtremes(ArrayRef<float> values,
                                   const qg::ParameterIndex &index,
                                   size_t parameters) {
  WeightExtremes found{std::vector<float>(parameters, 0),
                       std::vector<float>(parameters, 0),
                       std::vector<double>(parameters, 0)};
  for (size_t i = 0; i < values.size(); ++i) {
    size_t at = index(i);
    found.magnitudes[at] += std::fabs(double(values[i]));
    found.low[at] = std::min(found.low[at], values[i]);
    found.high[at] = std::max(found.high[at], values[i]);
  }
  return found;
}

/// The 2^bits levels that are nearest to the weights, each by its own scale.
static std::vector<int8_t> learnLevels(ArrayRef<float> values,
                                       const qg::ParameterIndex &index,
                                       const WeightExtremes &extremes,
                                       unsigned bits) {
  LevelHistogram histogram;
  for (size_t i = 0; i < values.size(); ++i) {
    size_t at = index(i);
    double scale = std::max(-extremes.low[at], extremes.high[at]) / 127.0;
    if (scale >= kLeastScale)
      histogram.add(values[i] / scale, scale * scale);
    else
      histogram.needZero();
  }
  return histogram.learn(bits);
}

FailureOr<qg::QuantizedType> qopt::getWeightEncoding(LinearOpInterface op,
                                                     const WeightFormat &format,
                                                     double xScale) {
  std::optional<Tensor> weight = qg::matchConstant(op.getWeight());
  if (!weight)
    return op->emitOpError("expects a weight whose bytes are present");
  int64_t axis = op.getOutputAxis();
  int64_t group = op.canHaveGroups() ? format.group : 0;
  int64_t channels = weight->shape()[axis];
  int64_t depth = channels ? weight->numElements() / channels : 0;
  int64_t groups =
      group ? std::max<int64_t>(1, (depth + group - 1) / group) : 1;
  const IntegerFormat &row = *format.element->stored;
  SmallVector<int8_t> table{ArrayRef<int8_t>(format.element->levels)};
  // A type with as many parameters knows which belongs to which element.
  SmallVector<float> scales(channels * groups, 1.0f);
  auto make = [&](ArrayRef<int32_t> zeros) {
    return qg::QuantizedType::getPerAxis(op->getContext(), row.name, axis,
                                         scales, zeros, group, table);
  };
  qg::ParameterIndex index(make({}), weight->shape());
  ArrayRef<float> values = weight->span<float>();
  for (float value : values)
    if (!std::isfinite(value))
      return op->emitOpError("expects finite weights, got ") << value;
  WeightExtremes extremes = findExtremes(values, index, scales.size());
  if (format.element->isLearned) {
    std::vector<int8_t> learned =
        learnLevels(values, index, extremes, row.bits);
    table.assign(learned.begin(), learned.end());
  }
  std::optional<Tensor> bias;
  if (op.getBias())
    bias = qg::matchConstant(op.getBias());
  float reach = 1;
  for (int8_t level : table)
    reach = std::max(reach, std::fabs(float(level)));
  SmallVector<int32_t> zeros;
  for (size_t at = 0; at < scales.size(); ++at) {
    float &scale = scales[at];
    float low = extremes.low[at], high = extremes.high[at];
    float magnitude = std::max(-low, high);
    AffineParameters affine;
    if (row.isTable)
      scale = magnitude / reach;
    else if (row.isSigned)
      scale = getSymmetricScale(magnitude, row.bits);
    else {
      affine = getAsymmetricParameters({low, high}, row.bits);
      scale = affine.scale;
    }
    if (!(scale >= float(kLeastScale)))
      scale = 1;
    // |b / (sx * sw)| < 2^30 leaves room for the products.
    float before = scale;
    if (bias)
      scale = std::max(scale, float(std::fabs(bias->getFloat(at / groups)) /
                                    (xScale * 1073741824.0)));
    if (row.isSigned && !row.isTable && !group) {
      double least = getLeastScaleOfSums(
          extremes.magnitudes[at],
          bias ? std::fabs(bias->getFloat(at / groups)) : 0, xScale, depth);
      // Of like scales the sums fit as they are.
      if (least > scale) {
        scale = std::nextafter(float(least), INFINITY);
        op->setAttr(kRaisedAttr, UnitAttr::get(op->getContext()));
      }
    }
    if (row.isSigned || row.isTable)
      continue;
    int64_t zero = affine.zeroPoint;
    if (scale != before)
      zero = int64_t(
          chooseZeroPoint(double(low), double(scale), Grid<double>::of(row)));
    zeros.push_back(int32_t(zero));
  }
  return make(zeros);
}

Value qopt::createRoundedWeight(OpBuilder &builder, Value weight,
                                qg::QuantizedType type) {
  Tensor values = *qg::matchConstant(weight);
  qg::ParameterIndex index(type, values.shape());
  SmallVector<float> scales = type.getScaleVector();
  SmallVector<int64_t> zeros = type.getZeroPointVector();
  const IntegerFormat &row = type.getIntegerFormat();
  // Narrow range: -128 is not used, so that negation is exact. Formats with
  // few levels use them all.
  auto grid = row.isSigned && row.bits == 8 ? Grid<double>::symmetric(row)
                                            : Grid<double>::of(row);
  SmallVector<double> table;
  if (type.isTable()) {
    llvm::append_range(table, type.getTable().asArrayRef());
    grid.table = table.data();
    grid.size = int64_t(table.size());
  }
  Tensor stored(*qg::getDType(type), values.shape());
  for (int64_t i = 0, e = stored.numElements(); i < e; ++i) {
    size_t at = index(i);
    float quotient = float(values.getFloat(i)) / scales[at];
    double zero = row.isTable ? 0 : double(zeros[at]);
    stored.setInt(i, int64_t(roundToLevel(double(quotient), zero, grid).code));
  }
  return qg::createConstant(builder, weight.getLoc(), stored,
                            RankedTensorType::get(values.shape(), type), "w");
}
