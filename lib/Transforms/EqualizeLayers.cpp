//===- EqualizeLayers.cpp - Move channel factors between layers -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// Cross-layer equalization (Nagel et al. 2019, "Data-Free Quantization Through
// Weight Equalization and Bias Correction", section 4.1): the rows of one
// layer are divided by s and the input channels of the next multiplied, which
// a relu between them does not see.
//===----------------------------------------------------------------------===//
#include "qopt/Analysis/EqualizationSites.h"
#include "qopt/Dialect/QG/IR/QG.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "llvm/Support/Format.h"
#include <cmath>

namespace qopt {
#include "qopt/Transforms/EqualizeLayers.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// Replaces a constant operand by its elements times `factor(element)`.
static void scaleOperand(PatternRewriter &rewriter, OpOperand &operand,
                         function_ref<double(int64_t)> factor) {
  Value old = operand.get();
  Tensor values = *qg::matchConstant(old);
  for (int64_t i = 0; i < values.numElements(); ++i)
    values.setFloat(i, values.getFloat(i) * factor(i));
  rewriter.setInsertionPoint(operand.getOwner());
  Value value =
      qg::createConstant(rewriter, old.getLoc(), values,
                         cast<RankedTensorType>(old.getType()), "equalized");
  rewriter.modifyOpInPlace(operand.getOwner(), [&] { operand.set(value); });
}

static void equalize(const EqualizationSite &site, ArrayRef<double> factors) {
  PatternRewriter rewriter(site.x.getContext());
  LinearOpInterface writer = site.writer;
  WeightChannels rows(writer);
  scaleOperand(rewriter, writer.getWeightOperand(),
               [&](int64_t i) { return 1 / factors[rows.getOutput(i)]; });
  if (OpOperand *bias = writer.getBiasOperand())
    scaleOperand(rewriter, *bias, [&](int64_t i) { return 1 / factors[i]; });
  for (LinearOpInterface reader : site.readers) {
    WeightChannels channels(reader);
    scaleOperand(rewriter, reader.getWeightOperand(),
                 [&](int64_t i) { return factors[channels.getInput(i)]; });
  }
}

namespace {
struct EqualizeLayers : qopt::impl::EqualizeLayersBase<EqualizeLayers> {
  using EqualizeLayersBase::EqualizeLayersBase;
  void runOnOperation() override;

private:
  /// Decided factors, or those of the weights if that is asked for; empty for
  /// a site to be left alone.
  FailureOr<SmallVector<double>> getFactors(const EqualizationSite &site) const;
};
} // namespace

FailureOr<SmallVector<double>>
EqualizeLayers::getFactors(const EqualizationSite &site) const {
  Operation *op = site.getOperation();
  Attribute attribute = op->getAttr("qg.equalization");
  if (!attribute)
    return fromWeights ? getWeightFactors(site) : SmallVector<double>();
  SmallVector<double> factors;
  if (auto elements = dyn_cast<ElementsAttr>(attribute)) {
    FailureOr<Tensor> numbers = qg::getTensor(elements, elements.getType());
    for (int64_t i = 0; succeeded(numbers) && i < numbers->numElements(); ++i)
      factors.push_back(numbers->getFloat(i));
  }
  if (int64_t(factors.size()) != site.getChannels() ||
      llvm::any_of(factors,
                   [](double s) { return !(s > 0) || !std::isfinite(s); }))
    return op->emitOpError()
           << "expects 'qg.equalization' to hold " << site.getChannels()
           << " positive factors, one for each channel";
  return factors;
}

static std::string formatNumbers(double least, double most) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.3g to %.3g", least, most);
  return text;
}

void EqualizeLayers::runOnOperation() {
  for (const EqualizationSite &site : findEqualizationSites(getOperation())) {
    FailureOr<SmallVector<double>> factors = getFactors(site);
    if (failed(factors))
      return signalPassFailure();
    site.getOperation()->removeAttr("qg.equalization");
    if (factors->empty())
      continue;
    auto [least, most] = std::minmax_element(factors->begin(), factors->end());
    site.getOperation()->emitRemark()
        << "moved factors of " << formatNumbers(*least, *most) << " into "
        << site.readers.size() << " readers";
    equalize(site, *factors);
  }
  getOperation().walk([&](Operation *op) {
    if (op->hasAttr("qg.equalization")) {
      op->emitOpError("carries 'qg.equalization', but is not a layer, with a "
                      "relu or not, that only layers with constant weights "
                      "read");
      signalPassFailure();
    }
  });
}
