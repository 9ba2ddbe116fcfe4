//===- WeightSteps.cpp - Floats that are whole numbers of 2^k -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Networks trained in fixed point bring their weights as floats. Behind an
// input that is stored in integers they make the product one of integers, as
// long as no bit of the bias gets lost.
//===----------------------------------------------------------------------===//
#include "WeightGrid.h"

#include <climits>
#include <cmath>

using namespace mlir;
using namespace qopt;

/// The largest power of two that divides all of `values`; 1 for zeros.
static double findStep(llvm::function_ref<float(int64_t)> values,
                       int64_t count) {
  int least = INT_MAX;
  for (int64_t i = 0; i < count; ++i) {
    float value = values(i);
    if (value == 0)
      continue;
    int exponent = 0;
    float mantissa = std::frexp(std::fabs(value), &exponent);
    // 24 bits behind the point, less the zeros at their end.
    auto bits = uint32_t(std::ldexp(mantissa, 24));
    least = std::min(least, exponent - 24 + llvm::countr_zero(bits));
  }
  return least == INT_MAX ? 1.0 : std::ldexp(1.0, least);
}

/// The integers of the bias are those of its product with the scales.
static bool isWholeBias(LinearOpInterface op, double inputScale,
                        ArrayRef<float> scales) {
  if (!op.getBias())
    return true;
  std::optional<Tensor> bias = qg::matchConstant(op.getBias());
  if (!bias || bias->dtype() != DType::f32)
    return false;
  for (int64_t i = 0, e = bias->numElements(); i < e; ++i) {
    double steps = bias->getFloat(i) /
                   (inputScale * double(scales[scales.size() == 1 ? 0 : i]));
    if (steps != std::nearbyint(steps) || std::fabs(steps) >= 1 << 30)
      return false;
  }
  return true;
}

bool qopt::recognizeWeightSteps(OpBuilder &builder, LinearOpInterface op,
                                qg::QuantizedType input) {
  std::optional<Tensor> weight = qg::matchConstant(op.getWeight());
  if (!op.canRoundWeight() || !weight || weight->numElements() == 0 ||
      op.roundsInput())
    return false;
  for (float value : weight->span<float>())
    if (!std::isfinite(value))
      return false;
  int64_t axis = op.getOutputAxis(), channels = weight->shape()[axis];
  int64_t terms = weight->numElements() / channels;
  WeightGrid grid{Tensor(DType::f32, weight->shape()), {}, {}, axis};
  for (int64_t channel = 0; channel < channels; ++channel) {
    auto element = [&](int64_t i) {
      return getWeightElement(weight->shape(), axis, channel, i);
    };
    double step = findStep(
        [&](int64_t i) { return float(weight->getFloat(element(i))); }, terms);
    grid.scales.push_back(float(step));
    grid.zeros.push_back(0);
    for (int64_t i = 0; i < terms; ++i) {
      double code = weight->getFloat(element(i)) / step;
      if (std::fabs(code) > 127)
        return false;
      grid.codes.setFloat(element(i), code);
    }
  }
  return isWholeBias(op, input.getScale(), grid.scales) &&
         setStoredWeight(builder, op, grid);
}
