//===- FoldSmoothing.cpp - Move channel factors into weights --------------===//
// SPDX-License-Identifier: Apache-2.0
//
// SmoothQuant (Xiao et al. 2023, equation 3): Y = (X diag(s)^-1)(diag(s) W).
// Channels with outliers become small before they are rounded, and their
// weights, which are rounded channel by channel of the result, large. Shifts
// as in Outlier Suppression+ (Wei et al. 2023, section 4.1): a range that is
// not around zero is, and the readers' biases make up for it.
//===----------------------------------------------------------------------===//
#include "qopt/Analysis/SmoothingSites.h"
#include "qopt/Dialect/QG/IR/QG.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include <cmath>

namespace qopt {
#include "qopt/Transforms/FoldSmoothing.h.inc"
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
/// x -> (x - shift) / scales.
class SiteSmoother {
public:
  SiteSmoother(SmoothingSite &site, ArrayRef<double> scales,
               ArrayRef<double> shift)
      : site(site), scales(scales), shift(shift),
        rewriter(site.x.getContext()) {
    for (double scale : scales)
      inverse.push_back(1 / scale);
  }

  void run();

private:
  void scaleWeight(LinearOpInterface linear, int64_t axis,
                   ArrayRef<double> factors);
  Value createVector(Location loc, ArrayRef<double> numbers);
  void setBias(LinearOpInterface linear, ArrayRef<double> numbers);
  void moveIntoReader(LinearOpInterface reader);
  void moveIntoWriter(LinearOpInterface writer);
  Value combine(BinaryKind kind, Value x, ArrayRef<double> numbers);
  void applyAtRuntime();

  SmoothingSite &site;
  ArrayRef<double> scales, shift;
  SmallVector<double> inverse;
  PatternRewriter rewriter;
};

struct FoldSmoothing : qopt::impl::FoldSmoothingBase<FoldSmoothing> {
  using FoldSmoothingBase::FoldSmoothingBase;
  void runOnOperation() override;
};
} // namespace

void SiteSmoother::scaleWeight(LinearOpInterface linear, int64_t axis,
                               ArrayRef<double> factors) {
  Value old = linear.getWeight();
  rewriter.setInsertionPoint(linear);
  Value value =
      qg::createConstant(rewriter, old.getLoc(),
                         scaleAlong(*qg::matchConstant(old), axis, factors),
                         cast<RankedTensorType>(old.getType()), "smoothed");
  rewriter.modifyOpInPlace(linear, [&] { linear.setWeight(value); });
}

static SmallVector<double> getBias(LinearOpInterface linear) {
  SmallVector<double> bias(linear.countOutputs(), 0);
  if (linear.getBias()) {
    Tensor numbers = *qg::matchConstant(linear.getBias());
    for (auto [o, number] : llvm::enumerate(bias))
      number = numbers.getFloat(o);
  }
  return bias;
}

/// A constant vector of the tensor's own float type.
Value SiteSmoother::createVector(Location loc, ArrayRef<double> numbers) {
  Type element = cast<RankedTensorType>(site.x.getType()).getElementType();
  auto type = RankedTensorType::get({int64_t(numbers.size())}, element);
  Tensor values(*qg::getDType(element), type.getShape());
  for (auto [i, number] : llvm::enumerate(numbers))
    values.setFloat(i, number);
  return qg::createConstant(rewriter, loc, values, type, "smoothing");
}

void SiteSmoother::setBias(LinearOpInterface linear, ArrayRef<double> numbers) {
  rewriter.setInsertionPoint(linear);
  Value bias = createVector(linear.getLoc(), numbers);
  rewriter.modifyOpInPlace(linear, [&] { linear.setBias(bias); });
}

/// The weight times s; what the shift takes from the sum comes back as bias.
void SiteSmoother::moveIntoReader(LinearOpInterface reader) {
  if (!shift.empty()) {
    Tensor weight = *qg::matchConstant(reader.getWeight());
    SmallVector<double> bias = getBias(reader);
    WeightChannels channels(reader);
    for (int64_t i = 0; i < weight.numElements(); ++i)
      bias[channels.getOutput(i)] +=
          shift[channels.getInput(i)] * weight.getFloat(i);
    setBias(reader, bias);
  }
  scaleWeight(reader, reader.getInputAxis(), scales);
}

void SiteSmoother::moveIntoWriter(LinearOpInterface writer) {
  scaleWeight(writer, writer.getOutputAxis(), inverse);
  if (!writer.getBias() && shift.empty())
    return;
  SmallVector<double> bias = getBias(writer);
  for (auto [c, number] : llvm::enumerate(bias))
    number = (number - (shift.empty() ? 0 : shift[c])) * inverse[c];
  setBias(writer, bias);
}

/// `x` with a number for each channel; `x` itself if that changes nothing.
Value SiteSmoother::combine(BinaryKind kind, Value x,
                            ArrayRef<double> numbers) {
  double neutral = kind == BinaryKind::mul ? 1 : 0;
  if (llvm::all_of(numbers, [&](double n) { return float(n) == neutral; }))
    return x;
  Location loc = site.x.getLoc();
  return qg::BinaryOp::create(rewriter, loc, x.getType(), kind, x,
                              createVector(loc, numbers), DenseI64ArrayAttr());
}

/// Behind a normalization: one product and one sum in its loop, together with
/// a gain and an offset that are there already.
void SiteSmoother::applyAtRuntime() {
  rewriter.setInsertionPointAfterValue(site.x);
  SmallVector<double> gain(site.gain), offset(site.offset);
  for (int64_t c = 0; c < site.getChannels(); ++c) {
    gain[c] *= inverse[c];
    offset[c] = (offset[c] - (shift.empty() ? 0 : shift[c])) * inverse[c];
  }
  Value scaled = combine(BinaryKind::mul, site.base, gain);
  Value result = combine(BinaryKind::add, scaled, offset);
  rewriter.replaceUsesWithIf(site.x, result, [&](OpOperand &use) {
    return llvm::is_contained(site.readers, use.getOwner());
  });
}

void SiteSmoother::run() {
  for (LinearOpInterface reader : site.readers)
    moveIntoReader(reader);
  if (site.writer)
    moveIntoWriter(site.writer);
  else
    applyAtRuntime();
}

/// 1 / max |w| over what reads each channel, with geometric mean 1.
static SmallVector<double> getWeightFactors(const SmoothingSite &site) {
  SmallVector<double> largest(site.getChannels(), 0);
  for (LinearOpInterface reader : site.readers) {
    Tensor weight = *qg::matchConstant(reader.getWeight());
    WeightChannels channels(reader);
    for (int64_t i = 0; i < weight.numElements(); ++i) {
      double &most = largest[channels.getInput(i)];
      most = std::max(most, std::abs(weight.getFloat(i)));
    }
  }
  double mean = 0;
  for (double &number : largest) {
    number = number > 0 ? -std::log(number) : 0;
    mean += number / double(largest.size());
  }
  for (double &number : largest)
    number = std::clamp(std::exp(number - mean), 1e-4, 1e4);
  return largest;
}

/// The numbers of an attribute, one for each channel; nullopt if they are not.
static std::optional<SmallVector<double>> getNumbers(ElementsAttr attribute,
                                                     int64_t channels) {
  FailureOr<Tensor> numbers = qg::getTensor(attribute, attribute.getType());
  if (failed(numbers) || numbers->numElements() != channels)
    return std::nullopt;
  SmallVector<double> result;
  for (int64_t i = 0; i < channels; ++i) {
    result.push_back(numbers->getFloat(i));
    if (!std::isfinite(result.back()))
      return std::nullopt;
  }
  return result;
}

void FoldSmoothing::runOnOperation() {
  for (SmoothingSite &site : findSmoothingSites(getOperation())) {
    Operation *op = site.x.getDefiningOp();
    auto factors = op->getAttrOfType<ElementsAttr>("qg.smoothing");
    auto shift = op->getAttrOfType<ElementsAttr>("qg.shift");
    if (!factors && !shift && !fromWeights)
      continue;
    std::optional<SmallVector<double>> scales(
        SmallVector<double>(site.getChannels(), 1));
    if (factors)
      scales = getNumbers(factors, site.getChannels());
    else if (fromWeights)
      scales = getWeightFactors(site);
    if (!scales || llvm::any_of(*scales, [](double s) { return s <= 0; })) {
      op->emitOpError() << "expects 'qg.smoothing' to hold "
                        << site.getChannels()
                        << " positive factors, one for each channel";
      return signalPassFailure();
    }
    std::optional<SmallVector<double>> offsets(std::in_place);
    if (shift)
      offsets = getNumbers(shift, site.getChannels());
    if (!offsets) {
      op->emitOpError() << "expects 'qg.shift' to hold " << site.getChannels()
                        << " numbers, one for each channel";
      return signalPassFailure();
    }
    if (shift && !site.canShift) {
      op->emitOpError("carries 'qg.shift', which does not pass a relu");
      return signalPassFailure();
    }
    op->removeAttr("qg.smoothing");
    op->removeAttr("qg.shift");
    SiteSmoother(site, *scales, *offsets).run();
  }
  // What is left is no site: its numbers would be silently lost.
  getOperation().walk([&](Operation *op) {
    for (StringRef name : {"qg.smoothing", "qg.shift"})
      if (op->hasAttr(name)) {
        op->emitOpError() << "carries '" << name
                          << "', but is not read by linear ops with constant "
                             "weights only";
        signalPassFailure();
      }
  });
}
