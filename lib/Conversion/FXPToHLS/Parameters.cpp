//===- Parameters.cpp - Integers that a unit holds ------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Everything is computed in 64 bits, so that a proof cannot wrap.
//===----------------------------------------------------------------------===//
#include "Parameters.h"

#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Numerics/Affine.h"
#include "qopt/Numerics/EvalBuilder.h"
#include "qopt/Numerics/FixedPoint.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::fxptohls;

void LinearParameters::foldZeroPoint(int64_t zeroPoint) {
  for (int64_t row = 0; row < rows && zeroPoint; ++row)
    for (int64_t column = 0; column < columns; ++column)
      bias[row] -= zeroPoint * weights[row * columns + column];
}

std::pair<int64_t, int64_t> LinearParameters::getRange(int64_t low,
                                                       int64_t high) const {
  int64_t least = INT64_MAX, most = INT64_MIN;
  for (int64_t row = 0; row < rows; ++row) {
    int64_t rowLow = bias[row], rowHigh = bias[row];
    for (int64_t column = 0; column < columns; ++column) {
      int64_t weight = weights[row * columns + column];
      rowLow += std::min(weight * low, weight * high);
      rowHigh += std::max(weight * low, weight * high);
    }
    least = std::min(least, rowLow);
    most = std::max(most, rowHigh);
  }
  return {least, most};
}

ElementsAttr fxptohls::makeIntegers(MLIRContext *context,
                                    ArrayRef<int64_t> values,
                                    ArrayRef<int64_t> shape, unsigned bits,
                                    StringRef hint) {
  Tensor tensor(bits == 8    ? DType::i8
                : bits == 16 ? DType::i16
                             : DType::i32,
                shape);
  for (auto [i, value] : llvm::enumerate(values))
    tensor.setInt(i, value);
  return qg::getElementsAttr(
      tensor, RankedTensorType::get(shape, IntegerType::get(context, bits)),
      hint);
}

ElementsAttr fxptohls::makeWeights(MLIRContext *context,
                                   const LinearParameters &parameters) {
  bool isNarrow = llvm::all_of(parameters.weights, [](int64_t weight) {
    return weight >= -128 && weight <= 127;
  });
  return makeIntegers(context, parameters.weights,
                      {parameters.rows, parameters.columns}, isNarrow ? 8 : 16,
                      "weights");
}

FailureOr<Requantizer> Requantizer::get(fxp::RequantizeOp op) {
  FailureOr<Tensor> scales =
      qg::getTensor(op.getScales(), op.getScales().getType());
  if (failed(scales))
    return op.emitError("expects scales whose bytes are present");
  Requantizer result;
  std::optional<RequantizeMode> mode =
      parseRequantizeMode(op.getMode().getKind(), op.getMode().getBits());
  if (!mode)
    return failure();
  for (int64_t i = 0; i < scales->numElements(); ++i) {
    result.scales.push_back(float(scales->getFloat(i)));
    if (mode->kind != RequantizeMode::F32)
      result.fixed.push_back(getFixedScale(result.scales.back(), *mode));
  }
  result.xZeroPoint = op.getXZp();
  result.zeroPoint = op.getZp();
  result.low = op.getClamp()[0];
  result.high = op.getClamp()[1];
  return result;
}

int64_t Requantizer::apply(int64_t x, size_t channel) const {
  numerics::StoredRange range{zeroPoint, low, high};
  EvalBuilder b;
  if (fixed.empty())
    return numerics::emitRequantize(b, int32_t(x), xZeroPoint, scales[channel],
                                    range);
  return numerics::emitRequantizeFixed(
      b, int32_t(x), xZeroPoint,
      numerics::FixedFactor{fixed[channel].multiplier,
                            int64_t(fixed[channel].shift)},
      range);
}

std::vector<int64_t> Requantizer::getThresholds(int64_t inputLow,
                                                int64_t inputHigh) const {
  std::vector<int64_t> thresholds;
  for (size_t channel = 0; channel < scales.size(); ++channel)
    for (int64_t level = low + 1; level <= high; ++level) {
      // The least x in [inputLow, inputHigh + 1] that reaches the level.
      int64_t least = inputLow, most = inputHigh + 1;
      while (least < most) {
        int64_t middle = least + (most - least) / 2;
        if (apply(middle, channel) >= level)
          most = middle;
        else
          least = middle + 1;
      }
      thresholds.push_back(least);
    }
  return thresholds;
}
