//===- BiasGrid.cpp - How finely a bias lies among the sums of bytes ------===//
// SPDX-License-Identifier: Apache-2.0
//
// A step of the sums is the product of the scales.
//===----------------------------------------------------------------------===//
#include "qopt/Analysis/BiasGrid.h"
#include "qopt/Dialect/QG/IR/Encodings.h"

#include <cmath>

using namespace mlir;
using namespace qopt;

static bool isStaticInteger(qg::QuantizedType type) {
  return type && !type.isDynamic_() && !type.getGroupSize() &&
         !type.isTable() && type.getBits() <= 8;
}

std::optional<BiasGrid> BiasGrid::match(LinearOpInterface op) {
  if (!op.getBias() || op.roundsInput())
    return std::nullopt;
  qg::QuantizedType x = qg::getQuantizedType(op.getInput().getType());
  auto weightType = dyn_cast<RankedTensorType>(op.getWeight().getType());
  qg::QuantizedType weight = qg::getQuantizedType(op.getWeight().getType());
  std::optional<Tensor> stored = qg::matchConstant(op.getWeight());
  std::optional<Tensor> bias = qg::matchConstant(op.getBias());
  if (!isStaticInteger(x) || !isStaticInteger(weight) || !x.isPerTensor() ||
      (weight.isPerAxis() && weight.getAxis() != op.getOutputAxis()) ||
      !stored || !bias || !getTensorType(op.getBias()).getElementType().isF32())
    return std::nullopt;
  std::optional<qg::Decoder> decoder = qg::Decoder::get(weightType);
  std::optional<Tensor> bytes =
      decoder ? decoder->bytes(*stored).bytes : std::nullopt;
  if (!bytes)
    return std::nullopt;
  BiasGrid grid{op, x, weight, *bytes, {}, {}};
  ArrayRef<float> scales = decoder->scales();
  for (int64_t o = 0; o < op.countOutputs(); ++o) {
    double step =
        double(x.getScale()) * double(scales[scales.size() == 1 ? 0 : o]);
    grid.steps.push_back(step);
    grid.quotients.push_back(bias->getFloat(o) / step);
  }
  return grid;
}

bool BiasGrid::hasFewBits() const {
  return x.getBits() < 8 || weight.getBits() < 8;
}

double BiasGrid::getLoss(unsigned bits) const {
  qg::QuantizedType result = qg::getQuantizedType(op->getResult(0).getType());
  double loss = 0;
  for (auto [quotient, step] : llvm::zip(quotients, steps)) {
    double fine = std::ldexp(quotient, bits);
    double rounding = std::ldexp(std::fabs(fine - std::nearbyint(fine)),
                                 -static_cast<int>(bits));
    // Channels that died: their bias is no 32-bit number of such steps.
    if (std::fabs(quotient) < 0x1p30)
      loss = std::max(loss, result ? rounding * step / double(result.getScale())
                                   : rounding);
  }
  return loss;
}

unsigned BiasGrid::getRoom() const {
  if (weight.getBits() >= 8)
    return 0;
  LinearOpInterface product = op;
  int64_t channels = quotients.size(), inner = 1, low = 0, high = 0;
  for (int64_t extent : bytes.shape().drop_front(product.getOutputAxis() + 1))
    inner *= extent;
  SmallVector<double> reach;
  for (double quotient : quotients)
    reach.push_back(std::fabs(quotient));
  for (int64_t i = 0; i < bytes.numElements(); ++i) {
    int64_t value = bytes.getInt(i);
    low = std::min(low, value);
    high = std::max(high, value);
    // |x| <= 255, and its zero point once more, which a bias may hold.
    reach[i / inner % channels] += 510.0 * double(std::abs(value));
  }
  double most = 0;
  for (double bound : reach)
    most = std::max(most, bound);
  unsigned room = 0;
  for (unsigned bits = 1; bits <= 7; ++bits)
    if ((low << bits) >= INT8_MIN && (high << bits) <= INT8_MAX &&
        std::ldexp(most, bits) < 0x1p30)
      room = bits;
  return room;
}
