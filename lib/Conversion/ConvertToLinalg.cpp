//===- ConvertToLinalg.cpp - Both lowerings to linalg at once -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A module that holds qg and fxp passes tensors between the two: their patterns
// run together.
//===----------------------------------------------------------------------===//
#include "qopt/Conversion/ToLinalg.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Pass/Pass.h"

namespace qopt {
#include "qopt/Conversion/ConvertToLinalg.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

namespace {
struct ConvertToLinalg : qopt::impl::ConvertToLinalgBase<ConvertToLinalg> {
  void runOnOperation() override {
    StorageTypeConverter converter;
    RewritePatternSet patterns(&getContext());
    populateQGToLinalgPatterns(converter, patterns);
    populateFXPToLinalgPatterns(converter, patterns);
    if (failed(convertToLinalg(getOperation(), converter, std::move(patterns),
                               {"qg", "fxp"})))
      signalPassFailure();
  }
};
} // namespace
