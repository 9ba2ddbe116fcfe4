//===- PrintPointwiseRegions.cpp - Show what becomes one table ------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Makes the analysis visible: what a person asks before wondering why a chain
// of ops was not turned into a table, and what its tests look at.
//===----------------------------------------------------------------------===//
#include "qopt/Analysis/PointwiseRegions.h"
#include "qopt/Dialect/QG/IR/QG.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace qopt {
#include "qopt/Transforms/PrintPointwiseRegions.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

namespace {
struct PrintPointwiseRegions
    : qopt::impl::PrintPointwiseRegionsBase<PrintPointwiseRegions> {
  void runOnOperation() override {
    PointwiseRegions regions(getOperation());
    for (auto [index, region] : llvm::enumerate(regions.regions()))
      for (Operation *member : region.members) {
        InFlightDiagnostic remark = member->emitRemark()
                                    << "pointwise region " << index;
        if (member == region.root())
          remark << ": root of " << region.members.size() << " ops";
      }
    markAllAnalysesPreserved();
  }
};
} // namespace
