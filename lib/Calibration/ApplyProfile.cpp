//===- ApplyProfile.cpp - Ranges onto the observed tensors ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// From here on the file is not needed: the range and the signal-to-noise
// ratio predicted for 8 bits stand in the IR.
//===----------------------------------------------------------------------===//
#include "qopt/Calibration/Profile.h"
#include "qopt/Dialect/QG/IR/QG.h"

#include "absl/strings/str_cat.h"
#include "mlir/Pass/Pass.h"

#include <cmath>

namespace qopt {
#include "qopt/Calibration/ApplyProfile.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// Values of a channel from which on the largest seen is taken for the largest
/// there is.
static constexpr double kManyValues = 4096;

/// How much further a channel may reach than the few values of it that were
/// seen. The largest of n normal values is about sqrt(2 ln n) deviations: with
/// 64 values (a last layer of 2 x 2 and 16 samples) every fifth sample had one
/// beyond the range, and what the steps by channel gained was lost again.
static double getChannelHeadroom(const TensorStatistics &statistics) {
  double seen = double(statistics.count) / double(statistics.channelLow.size());
  return seen < kManyValues
             ? std::sqrt(std::log(kManyValues) / std::log(std::max(seen, 2.0)))
             : 1;
}

/// The ranges of the channels, lows before highs, where they are wanted and the
/// profile has them; none reaches beyond the tensor's.
static void writeChannelRanges(qg::ObserveOp op,
                               const TensorStatistics &statistics) {
  size_t channels = statistics.channelLow.size();
  if (!op->hasAttr("qg.per_channel") || channels == 0 ||
      int64_t(channels) != op.getType().getShape().back())
    return;
  double headroom = getChannelHeadroom(statistics);
  SmallVector<double> ranges;
  for (float low : statistics.channelLow)
    ranges.push_back(low < 0 ? std::max(low * headroom, double(statistics.low))
                             : low);
  for (float high : statistics.channelHigh)
    ranges.push_back(
        high > 0 ? std::min(high * headroom, double(statistics.high)) : high);
  op->setAttr("qg.channel_ranges",
              Builder(op.getContext()).getDenseF64ArrayAttr(ranges));
}

/// What rounding leaves of rows in the mean: a step of rounding is the same for
/// all of them.
static void writeRowSQNR(qg::ObserveOp op, const TensorStatistics &statistics,
                         qopt::Range range, unsigned bits) {
  if (!op->hasAttr("qg.per_row") || statistics.rows.empty())
    return;
  double scale = getAsymmetricParameters(range, bits).scale;
  op->setAttr("qg.row_sqnr",
              Builder(op.getContext())
                  .getF64FloatAttr(
                      statistics.rows.getPredictedSQNR(scale * scale / 12)));
}

/// What no integer holds: infinities and NaN, by their number.
static void writeOddValues(qg::ObserveOp op,
                           const TensorStatistics &statistics) {
  if (statistics.isFinite())
    return;
  op->setAttr(
      "qg.not_finite",
      Builder(op.getContext())
          .getI64IntegerAttr(int64_t(statistics.nans + statistics.infinities)));
}

/// An input as it comes, or an output as it goes.
static bool isInterface(qg::ObserveOp op) {
  Value source = op.getX();
  while (
      isa_and_nonnull<qg::ReshapeOp, qg::TransposeOp>(source.getDefiningOp()))
    source = source.getDefiningOp()->getOperand(0);
  if (isa<BlockArgument>(source))
    return true;
  SmallVector<Value> reached = {op.getResult()};
  for (size_t i = 0; i < reached.size(); ++i)
    for (Operation *user : reached[i].getUsers()) {
      if (user->hasTrait<OpTrait::IsTerminator>())
        continue;
      if (!isa<qg::ReshapeOp, qg::TransposeOp, qg::SoftmaxOp, qg::ObserveOp>(
              user))
        return false;
      reached.push_back(user->getResult(0));
    }
  return true;
}

/// That of zeros is as good as it gets, whatever their bin could hold.
static double getSQNR(const TensorStatistics &statistics, qopt::Range range,
                      unsigned bits) {
  if (statistics.low == 0 && statistics.high == 0)
    return 200;
  return getPredictedSQNR(statistics.histogram,
                          getAsymmetricParameters(range, bits), bits);
}

absl::Status qopt::applyProfile(ModuleOp module, const Profile &profile,
                                const RangeMethod &method, unsigned bits) {
  absl::Status result = absl::OkStatus();
  Builder builder(module.getContext());
  module.walk([&](qg::ObserveOp op) {
    auto it = profile.tensors.find(op.getName().str());
    unsigned own = isInterface(op) ? 8 : bits;
    absl::StatusOr<Range> range =
        it == profile.tensors.end()
            ? absl::NotFoundError("expects it in the profile; calibrate again")
        : it->second.count || it->second.isFinite()
            ? computeRange(it->second, method, own)
            // Nothing of it was finite.
            : qopt::Range();
    if (!range.ok()) {
      result = absl::Status(range.status().code(),
                            absl::StrCat("tensor '", op.getName().str(),
                                         "': ", range.status().message()));
      return WalkResult::interrupt();
    }
    double sqnr = getSQNR(it->second, *range, own);
    if (own != 8)
      op->setAttr("qg.bits", builder.getI64IntegerAttr(own));
    op->setAttr("qg.range",
                builder.getDenseF64ArrayAttr({range->low, range->high}));
    op->setAttr("qg.sqnr", builder.getF64FloatAttr(sqnr));
    writeChannelRanges(op, it->second);
    writeOddValues(op, it->second);
    writeRowSQNR(op, it->second, *range, own);
    return WalkResult::advance();
  });
  return result;
}

namespace {
struct ApplyProfile : qopt::impl::ApplyProfileBase<ApplyProfile> {
  using ApplyProfileBase::ApplyProfileBase;
  void runOnOperation() override {
    absl::StatusOr<RangeMethod> parsed = RangeMethod::parse(method);
    absl::StatusOr<Profile> read =
        parsed.ok() ? Profile::read(profile)
                    : absl::StatusOr<Profile>(parsed.status());
    absl::Status status = read.ok()
                              ? applyProfile(getOperation(), *read, *parsed)
                              : read.status();
    if (status.ok())
      return;
    getOperation().emitError() << std::string(status.message());
    signalPassFailure();
  }
};
} // namespace
