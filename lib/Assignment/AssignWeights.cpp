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

/// Quantiles of a normal distribution and the 4-bit floats, as shares.
static ArrayRef<float> getLevels(StringRef name) {
  static const float nf2[] = {-1, 0, .337915f, 1};
  static const float nf3[] = {-1,      -.478629f, -.217142f, 0,
                              .16093f, .337915f,  .562617f,  1};
  static const float nf4[] = {-1,        -.696193f, -.525073f, -.394917f,
                              -.284441f, -.184773f, -.09105f,  0,
                              .07958f,   .16093f,   .246112f,  .337915f,
                              .44071f,   .562617f,  .722957f,  1};
  static const float fp4[] = {-6, -4,  -3, -2,   -1.5f, -1, -.5f, 0,
                              0,  .5f, 1,  1.5f, 2,     3,  4,    6};
  if (name == "nf2")
    return nf2;
  if (name == "nf3")
    return nf3;
  if (name == "nf4")
    return nf4;
  if (name == "fp4")
    return fp4;
  return {};
}

StringRef qopt::getWeightFormatNames() {
  return "si2 to si8, ui2 to ui8, nf2, nf3, nf4, fp4, lut2, lut3 or lut4, and "
         ":gN for groups of N elements";
}

std::optional<WeightFormat> WeightFormat::parse(StringRef text) {
  WeightFormat result;
  auto [name, group] = text.split(':');
  if (!group.empty() &&
      (!group.consume_front("g") || group.getAsInteger(10, result.group) ||
       result.group < 1))
    return std::nullopt;
  if (name == "lut2" || name == "lut3" || name == "lut4") {
    result.isLearned = true;
    name = name == "lut2" ? "nf2" : name == "lut3" ? "nf3" : "nf4";
  }
  if (ArrayRef<float> levels = getLevels(name); !levels.empty()) {
    result.format = "lut" + std::to_string(llvm::Log2_64(levels.size()));
    // fp4 is exact as 2 * value; quantiles are rounded to 127 steps.
    float factor = name == "fp4" ? 2 : 127;
    for (float level : levels)
      result.table.push_back(int8_t(std::nearbyint(level * factor)));
    return result;
  }
  const IntegerFormat *row = lookupIntegerFormat(name);
  if (!row || row->isTable || row->bits < 2 || row->bits > 8)
    return std::nullopt;
  result.format = row->name;
  return result;
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
  SmallVector<int8_t> table = format.table;
  // A type with as many parameters knows which belongs to which element.
  SmallVector<float> scales(channels * groups, 1.0f);
  auto make = [&](ArrayRef<int32_t> zeros) {
    return qg::QuantizedType::getPerAxis(op->getContext(), format.format, axis,
                                         scales, zeros, group, table);
  };
  qg::ParameterIndex index(make({}), weight->shape());
  std::vector<float> low(scales.size(), 0), high(scales.size(), 0);
  ArrayRef<float> values = weight->span<float>();
  for (float value : values)
    if (!std::isfinite(value))
      return op->emitOpError("expects finite weights, got ") << value;
  for (size_t i = 0; i < values.size(); ++i) {
    size_t at = index(i);
    low[at] = std::min(low[at], values[i]);
    high[at] = std::max(high[at], values[i]);
  }
  if (format.isLearned) {
    LevelHistogram histogram;
    for (size_t i = 0; i < values.size(); ++i) {
      size_t at = index(i);
      double scale = std::max(-low[at], high[at]) / 127.0;
      if (scale > 0)
        histogram.add(values[i] / scale, scale * scale);
    }
    std::vector<int8_t> learned = histogram.learn(llvm::Log2_64(table.size()));
    table.assign(learned.begin(), learned.end());
  }
  std::optional<Tensor> bias;
  if (op.getBias())
    bias = qg::matchConstant(op.getBias());
  const IntegerFormat &row = *lookupIntegerFormat(format.format);
  float reach = 1;
  for (int8_t level : table)
    reach = std::max(reach, std::fabs(float(level)));
  SmallVector<int32_t> zeros;
  for (size_t at = 0; at < scales.size(); ++at) {
    float &scale = scales[at];
    float magnitude = std::max(-low[at], high[at]);
    AffineParameters affine;
    if (row.isTable)
      scale = magnitude / reach;
    else if (row.isSigned)
      scale = getSymmetricScale(magnitude, row.bits);
    else {
      affine = getAsymmetricParameters({low[at], high[at]}, row.bits);
      scale = affine.scale;
    }
    if (!(scale >= 0x1p-120f))
      scale = 1;
    // |b / (sx * sw)| < 2^30 leaves room for the products.
    float before = scale;
    if (bias)
      scale = std::max(scale, float(std::fabs(bias->getFloat(at / groups)) /
                                    (xScale * 1073741824.0)));
    if (row.isSigned || row.isTable)
      continue;
    int64_t zero = affine.zeroPoint;
    if (scale != before)
      zero = int64_t(chooseZeroPoint(double(low[at]), double(scale),
                                     Grid<double>::of(row)));
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
