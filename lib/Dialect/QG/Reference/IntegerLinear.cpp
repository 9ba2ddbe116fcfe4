//===- IntegerLinear.cpp - What a quantized linear op computes ------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Scales of the operands to accumulator bias and requantization scales.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/QG/Reference/IntegerLinear.h"

#include "qopt/Dialect/QG/IR/Encodings.h"
#include "qopt/Numerics/FixedPoint.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qg;

/// Tables stand for integers without zero points, which is all that counts.
static bool isUsable(QuantizedType type) {
  return type && !type.isDynamic_() && !type.getGroupSize();
}

std::optional<IntegerLinear> qg::getIntegerLinear(const LinearTypes &types,
                                                  const Tensor *bias) {
  QuantizedType x = getQuantizedType(types.x);
  QuantizedType weight = getQuantizedType(types.weight);
  QuantizedType result = getQuantizedType(types.result);
  if (!isUsable(x) || !isUsable(weight) || !x.isPerTensor() ||
      x.getBits() > 8 || weight.getBits() > 8)
    return std::nullopt;
  if (weight.isPerAxis() && weight.getAxis() != types.weightAxis)
    return std::nullopt;
  Type element = types.result.getElementType();
  if (result ? !result.isPerTensor()
             : !element.isF32() && !element.isInteger(32))
    return std::nullopt;

  int64_t channels = types.weight.getDimSize(types.weightAxis);
  SmallVector<float> weightScales = weight.getScaleVector();
  IntegerLinear linear;
  linear.xZeroPoint = x.getZeroPoint();
  if (!Decoder::get(types.weight) ||
      (weight.isPerAxis() && int64_t(weightScales.size()) != channels))
    return std::nullopt;
  for (float scale : weightScales)
    linear.scales.push_back(getRequantizeScale(
        x.getScale(), scale, result ? result.getScale() : 1.0f));

  linear.bias.assign(channels, 0);
  if (!bias)
    return linear;
  QuantizedType biasType = getQuantizedType(types.bias);
  if (biasType ? !isUsable(biasType) || biasType.getFormat() != "si32"
               : !types.bias.getElementType().isF32())
    return std::nullopt;
  SmallVector<float> biasScales;
  SmallVector<int64_t> biasZeros;
  if (biasType) {
    biasScales = biasType.getScaleVector();
    biasZeros = biasType.getZeroPointVector();
    if (biasType.isPerAxis() && int64_t(biasScales.size()) != channels)
      return std::nullopt;
  }
  for (int64_t o = 0; o < channels; ++o) {
    float weightScale = weightScales[weightScales.size() == 1 ? 0 : o];
    double value = bias->getFloat(o);
    if (biasType) {
      size_t at = biasScales.size() == 1 ? 0 : o;
      if (biasScales[at] == x.getScale() * weightScale && biasZeros[at] == 0) {
        linear.bias[o] = int32_t(bias->getInt(o));
        continue;
      }
      value = (value - double(biasZeros[at])) * double(biasScales[at]);
    }
    linear.bias[o] = quantizeBias(value, x.getScale(), weightScale);
  }
  return linear;
}
