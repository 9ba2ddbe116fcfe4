//===- ApplyProfile.cpp - Ranges onto the observed tensors ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// From here on the file is not needed: the range and the signal-to-noise
// ratio predicted for 8 bits stand in the IR.
//===----------------------------------------------------------------------===//
#include "qopt/Calibration/Passes.h"
#include "qopt/Calibration/Profile.h"
#include "qopt/Dialect/QG/IR/QG.h"

#include "absl/strings/str_cat.h"

namespace qopt {
#define GEN_PASS_DEF_APPLYPROFILE
#include "qopt/Calibration/Passes.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

absl::Status qopt::applyProfile(ModuleOp module, const Profile &profile,
                                const RangeMethod &method) {
  absl::Status result = absl::OkStatus();
  Builder builder(module.getContext());
  module.walk([&](qg::ObserveOp op) {
    auto it = profile.tensors.find(op.getName().str());
    absl::StatusOr<Range> range =
        it == profile.tensors.end()
            ? absl::NotFoundError("expects it in the profile; calibrate again")
            : computeRange(it->second, method);
    if (!range.ok()) {
      result = absl::Status(range.status().code(),
                            absl::StrCat("tensor '", op.getName().str(),
                                         "': ", range.status().message()));
      return WalkResult::interrupt();
    }
    double sqnr =
        getPredictedSQNR(it->second.histogram, getAsymmetricParameters(*range));
    op->setAttr("qg.range",
                builder.getDenseF64ArrayAttr({range->low, range->high}));
    op->setAttr("qg.sqnr", builder.getF64FloatAttr(sqnr));
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
