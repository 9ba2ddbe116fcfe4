//===- FoldSmoothing.cpp - Move channel factors into weights --------------===//
// SPDX-License-Identifier: Apache-2.0
//
// SmoothQuant (Xiao et al. 2023, equation 3): Y = (X diag(s)^-1)(diag(s) W).
// Channels with outliers become small before they are rounded, and their
// weights, which are rounded channel by channel of the result, large.
//===----------------------------------------------------------------------===//
#include "qopt/Analysis/SmoothingSites.h"
#include "qopt/Transforms/Passes.h"

namespace qopt {
#define GEN_PASS_DEF_FOLDSMOOTHING
#include "qopt/Transforms/Passes.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// Multiplies every slice of the weight along `axis` by its factor.
static Tensor scaleAlong(Tensor values, int64_t axis,
                         ArrayRef<double> factors) {
  int64_t inner = getNumElements(values.shape().drop_front(axis + 1));
  for (int64_t i = 0; i < values.numElements(); ++i)
    values.setFloat(i, values.getFloat(i) *
                           factors[i / inner % int64_t(factors.size())]);
  return values;
}

namespace {
class SiteSmoother {
public:
  SiteSmoother(SmoothingSite &site, ArrayRef<double> scales)
      : site(site), scales(scales), rewriter(site.x.getContext()) {
    for (double scale : scales)
      inverse.push_back(1 / scale);
  }

  void run();

private:
  void scaleOperand(Operation *op, unsigned index, int64_t axis,
                    ArrayRef<double> factors);
  void divideAtRuntime();

  SmoothingSite &site;
  ArrayRef<double> scales;
  SmallVector<double> inverse;
  PatternRewriter rewriter;
};

struct FoldSmoothing : qopt::impl::FoldSmoothingBase<FoldSmoothing> {
  void runOnOperation() override;
};
} // namespace

void SiteSmoother::scaleOperand(Operation *op, unsigned index, int64_t axis,
                                ArrayRef<double> factors) {
  Value old = op->getOperand(index);
  rewriter.setInsertionPoint(op);
  Value value =
      qg::createConstant(rewriter, old.getLoc(),
                         scaleAlong(*qg::matchConstant(old), axis, factors),
                         cast<RankedTensorType>(old.getType()), "smoothed");
  rewriter.modifyOpInPlace(op, [&] { op->setOperand(index, value); });
}

/// x * (1 / s) behind a normalization, whose loop it joins.
void SiteSmoother::divideAtRuntime() {
  rewriter.setInsertionPointAfterValue(site.x);
  Location loc = site.x.getLoc();
  auto type =
      RankedTensorType::get({int64_t(scales.size())}, rewriter.getF32Type());
  Tensor factors(DType::f32, type.getShape());
  for (auto [i, factor] : llvm::enumerate(inverse))
    factors.setFloat(i, factor);
  Value constant =
      qg::createConstant(rewriter, loc, factors, type, "smoothing");
  auto product =
      qg::BinaryOp::create(rewriter, loc, site.x.getType(), BinaryKind::mul,
                           site.x, constant, DenseI64ArrayAttr());
  rewriter.replaceAllUsesExcept(site.x, product.getResult(), product);
}

void SiteSmoother::run() {
  for (LinearOp reader : site.readers)
    scaleOperand(reader.getOperation(), 1, reader.getInputAxis(), scales);
  if (!site.writer)
    return divideAtRuntime();
  scaleOperand(site.writer->getOperation(), 1, site.writer->getWeightAxis(),
               inverse);
  if (site.writer->getBias())
    scaleOperand(site.writer->getOperation(), 2, 0, inverse);
}

void FoldSmoothing::runOnOperation() {
  for (SmoothingSite &site : findSmoothingSites(getOperation())) {
    Operation *op = site.x.getDefiningOp();
    auto decision = op->getAttrOfType<ElementsAttr>("qg.smoothing");
    if (!decision)
      continue;
    FailureOr<Tensor> numbers = qg::getTensor(decision, decision.getType());
    bool fits =
        succeeded(numbers) && numbers->numElements() == site.getChannels();
    SmallVector<double> scales;
    for (int64_t i = 0; fits && i < numbers->numElements(); ++i) {
      scales.push_back(numbers->getFloat(i));
      fits = scales.back() > 0 && std::isfinite(scales.back());
    }
    if (!fits) {
      op->emitOpError() << "expects 'qg.smoothing' to hold "
                        << site.getChannels()
                        << " positive factors, one for each channel";
      return signalPassFailure();
    }
    op->removeAttr("qg.smoothing");
    SiteSmoother(site, scales).run();
  }
  // What is left is no site: its factors would be silently lost.
  getOperation().walk([&](Operation *op) {
    if (op->hasAttr("qg.smoothing")) {
      op->emitOpError("carries 'qg.smoothing', but is not read by linear ops "
                      "with constant weights only");
      signalPassFailure();
    }
  });
}
