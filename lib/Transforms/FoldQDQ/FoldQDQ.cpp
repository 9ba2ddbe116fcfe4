//===- FoldQDQ.cpp - Fake quantization into quantized ops -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Exporters write quantized networks as float ops between dequantize and
// quantize. This pass says the same in types, so that the ops can become
// integer kernels.
//===----------------------------------------------------------------------===//
#include "FoldQDQ.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Numerics/Grid.h"
#include "qopt/Transforms/Patterns.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace qopt {
#include "qopt/Transforms/FoldQDQ.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

qg::QuantizedType qopt::getStoredTensorType(Type type, unsigned mostBits) {
  qg::QuantizedType quantized = qg::getQuantizedType(type);
  if (!quantized || !quantized.isPerTensor() ||
      quantized.getIntegerFormat().storageBits() > mostBits)
    return {};
  return quantized;
}

int64_t qopt::quantizeReal(float value, qg::QuantizedType type) {
  if (std::isnan(value))
    return type.getZeroPoint();
  // In double behind the quotient: 32-bit codes are no floats.
  auto grid = Grid<double>::of(type.getIntegerFormat());
  double zero = double(type.getZeroPoint());
  return int64_t(
      roundToLevel(double(value / type.getScale()), zero, grid).code);
}

namespace {
struct FoldQDQ : qopt::impl::FoldQDQBase<FoldQDQ> {
  using FoldQDQBase::FoldQDQBase;

  void runOnOperation() override {
    RewritePatternSet moves(&getContext()), ops(&getContext());
    populateChannelScalesPatterns(moves);
    populateWidenHalvesPatterns(moves);
    populateGroupedConvPatterns(moves);
    populateSplitWeightsPatterns(moves, wide);
    populateMoveEncodingsPatterns(moves);
    if (wide)
      populateFoldProductCastsPatterns(moves);
    populateMoveEncodingsPatterns(ops);
    if (!wide)
      populateWideProductsPatterns(ops);
    populateQuantizeOpsPatterns(ops, /*mostBits=*/wide ? 16 : 8);
    // Two phases, because a linear op becomes one with a float result where
    // no quantize follows: it must not look before that quantize has arrived.
    if (failed(applyPatternsGreedily(getOperation(), std::move(moves))) ||
        failed(applyPatternsGreedily(getOperation(), std::move(ops))))
      signalPassFailure();
  }
};
} // namespace
