//===- KeepIntegerCore.cpp - What of a module the device runs -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The cut between host and device as a pass, so that a pipeline can name it.
//===----------------------------------------------------------------------===//
#include "qopt/Conversion/IntegerCore.h"
#include "qopt/Dialect/FXP/IR/FXP.h"
#include "qopt/Dialect/QG/IR/QG.h"

#include "mlir/Pass/Pass.h"

namespace qopt {
#include "qopt/Conversion/KeepIntegerCore.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

namespace {
struct KeepIntegerCore : qopt::impl::KeepIntegerCoreBase<KeepIntegerCore> {
  using KeepIntegerCoreBase::KeepIntegerCoreBase;

  void runOnOperation() override {
    FailureOr<IntegerCore> cut = cutIntegerCore(getOperation(), dropHead);
    if (failed(cut))
      return signalPassFailure();
    getOperation().getBodyRegion().takeBody(cut->core->getBodyRegion());
  }
};
} // namespace
