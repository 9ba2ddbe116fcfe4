//===- VerifyAssignment.cpp - Accumulators cannot overflow ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Kernels wrap silently; that they never do is proven here from the weights
// and the encodings, whatever chose them.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/QG/IR/Encodings.h"
#include "qopt/Numerics/Grid.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include <cmath>

namespace qopt {
#include "qopt/Assignment/VerifyAssignment.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

namespace {
/// What an accumulator may hold.
struct Interval {
  int64_t low = 0, high = 0;

  /// Bits of a signed integer that holds both ends.
  unsigned getBits() const {
    unsigned bits = 1;
    while (bits < 64 && (low < -(int64_t(1) << (bits - 1)) ||
                         high > (int64_t(1) << (bits - 1)) - 1))
      ++bits;
    return bits;
  }
};

struct VerifyAssignment : qopt::impl::VerifyAssignmentBase<VerifyAssignment> {
  using VerifyAssignmentBase::VerifyAssignmentBase;
  void runOnOperation() override;
};
} // namespace

/// The bias in units of the accumulator, if it is constant.
static std::optional<double> getBiasUnits(LinearOpInterface op, int64_t channel,
                                          double unit) {
  Value bias = op.getBias();
  if (!bias)
    return 0;
  std::optional<Tensor> values = qg::matchConstant(bias);
  if (!values || channel >= values->numElements())
    return std::nullopt;
  if (values->dtype() == DType::f32)
    return roundToInteger(values->getFloat(channel) / unit);
  return double(values->getInt(channel));
}

/// Intervals per output channel; nullopt for an op that is not quantized or
/// whose weights are not known.
static std::optional<std::vector<Interval>> getIntervals(LinearOpInterface op) {
  qg::QuantizedType x = qg::getQuantizedType(op.getInput().getType());
  auto type = dyn_cast<RankedTensorType>(op.getWeight().getType());
  qg::QuantizedType w = type ? qg::getQuantizedType(type) : qg::QuantizedType();
  if (!x || !w || x.isDynamic_() || !x.isPerTensor() || w.isDynamic_())
    return std::nullopt;
  std::optional<Tensor> stored = qg::matchConstant(op.getWeight());
  if (!stored)
    return std::nullopt;
  const IntegerFormat &row = x.getIntegerFormat();
  int64_t low = row.min() - x.getZeroPoint();
  int64_t high = row.max() - x.getZeroPoint();
  std::optional<qg::Decoder> decoder = qg::Decoder::get(type);
  if (!decoder)
    return std::nullopt;
  ArrayRef<float> scales = decoder->scales();
  int64_t axis = op.getOutputAxis(), inner = 1;
  int64_t channels = stored->shape()[axis];
  for (int64_t extent : stored->shape().drop_front(axis + 1))
    inner *= extent;
  std::vector<Interval> result(channels);
  for (int64_t i = 0, e = stored->numElements(); i < e; ++i) {
    int64_t weight = decoder->integer(i, stored->getInt(i));
    Interval &sum = result[i / inner % channels];
    sum.low += std::min(weight * low, weight * high);
    sum.high += std::max(weight * low, weight * high);
  }
  // With groups the bias is added to a float sum.
  if (w.getGroupSize())
    return result;
  for (int64_t o = 0; o < channels; ++o) {
    double unit =
        double(x.getScale()) * scales[scales.size() == 1 ? 0 : size_t(o)];
    std::optional<double> bias = getBiasUnits(op, o, unit);
    if (!bias)
      return std::nullopt;
    double bounded = std::clamp(*bias, -0x1p62, 0x1p62);
    // An accumulator starts with the bias: both the start and the end count.
    result[o].low = std::min<int64_t>(result[o].low, 0) + int64_t(bounded);
    result[o].high = std::max<int64_t>(result[o].high, 0) + int64_t(bounded);
  }
  return result;
}

void VerifyAssignment::runOnOperation() {
  bool fits = true;
  getOperation().walk([&](LinearOpInterface op) {
    std::optional<std::vector<Interval>> intervals = getIntervals(op);
    if (!intervals)
      return;
    unsigned most = 1;
    int64_t channels = 0;
    for (const Interval &interval : *intervals) {
      most = std::max(most, interval.getBits());
      channels += interval.getBits() > bits;
    }
    if (channels) {
      op->emitOpError() << "expects accumulators of " << unsigned(bits)
                        << " bits, " << channels << " of " << intervals->size()
                        << " channels need up to " << most;
      fits = false;
    }
    if (annotate)
      op->setAttr("qg.accumulator_bits", Builder(op).getI64IntegerAttr(most));
  });
  if (!fits)
    signalPassFailure();
}
