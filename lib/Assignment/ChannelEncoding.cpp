//===- ChannelEncoding.cpp - A step of its own for every channel ----------===//
// SPDX-License-Identifier: Apache-2.0
//
// One zero point for all channels, because a kernel pads with one byte.
//===----------------------------------------------------------------------===//
#include "ChannelEncoding.h"

#include <cmath>

using namespace mlir;
using namespace qopt;

/// Channels that are hardly used are not stretched further than this.
static constexpr double kMostStretch = 4096;
/// Ranges that differ less than this are left in one encoding.
static constexpr double kLeastStretch = 1.05;

/// The least scale that holds [low, high] (which holds 0).
static double getScale(double low, double high, int64_t zero) {
  // At an end of the levels, the other sign has none.
  double below = low < 0 ? (zero ? -low / double(zero) : INFINITY) : 0;
  double above =
      high > 0 ? (zero < 255 ? high / double(255 - zero) : INFINITY) : 0;
  return std::max(below, above);
}

static std::vector<double> getScales(ArrayRef<double> lows,
                                     ArrayRef<double> highs, int64_t zero) {
  std::vector<double> scales;
  for (auto [low, high] : llvm::zip(lows, highs))
    scales.push_back(getScale(std::min(low, 0.0), std::max(high, 0.0), zero));
  double largest = *llvm::max_element(scales);
  for (double &scale : scales)
    scale = std::max(scale, largest / kMostStretch);
  return scales;
}

qg::QuantizedType qopt::getChannelEncoding(qg::ObserveOp op) {
  auto ranges = op->getAttrOfType<DenseF64ArrayAttr>("qg.channel_ranges");
  RankedTensorType type = op.getType();
  if (!ranges || type.getRank() == 0 ||
      ranges.size() != 2 * type.getShape().back())
    return {};
  ArrayRef<double> lows = ranges.asArrayRef().take_front(ranges.size() / 2);
  ArrayRef<double> highs = ranges.asArrayRef().drop_front(ranges.size() / 2);
  std::vector<double> best;
  int64_t bestZero = 0;
  double least = INFINITY;
  for (int64_t zero = 0; zero < 256; ++zero) {
    std::vector<double> scales = getScales(lows, highs, zero);
    double sum = 0;
    for (double scale : scales)
      sum += std::log(scale);
    if (!(sum < least))
      continue;
    least = sum;
    best = std::move(scales);
    bestZero = zero;
  }
  if (best.empty())
    return {};
  auto [smallest, largest] = std::minmax_element(best.begin(), best.end());
  if (!(*smallest >= 0x1p-100) || !(*largest <= 0x1p100) ||
      *largest < kLeastStretch * *smallest)
    return {};
  SmallVector<float> scales(best.begin(), best.end());
  SmallVector<int32_t> zeros(scales.size(), int32_t(bestZero));
  return qg::QuantizedType::getPerAxis(op.getContext(), "ui8",
                                       type.getRank() - 1, scales, zeros);
}

double qopt::getLeastScale(qg::QuantizedType type) {
  SmallVector<float> scales = type.getScaleVector();
  return *llvm::min_element(scales);
}
