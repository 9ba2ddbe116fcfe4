//===- WidenLayers.cpp - Bits to the layers that lose most ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A rule, not a program: errors of layers are taken to add up, and a bit to
// quarter the error of its layer. No layer gets fewer than 4 bits, where that
// would mislead most.
//===----------------------------------------------------------------------===//
#include "qopt/Assignment/RoundWeights.h"
#include "qopt/Dialect/QG/IR/QG.h"

#include <cmath>

using namespace mlir;
using namespace qopt;

int64_t RoundWeightsReport::getNumWeights() const {
  int64_t weights = 0;
  for (const RoundedLayer &layer : layers)
    weights += layer.weights;
  return weights;
}

double RoundWeightsReport::getAverageBits() const {
  int64_t weights = getNumWeights(), bits = 0;
  for (const RoundedLayer &layer : layers)
    bits += layer.storedBits;
  return weights ? double(bits) / double(weights) : 0;
}

std::optional<double>
RoundWeightsReport::getMeanSqnr(double RoundedLayer::*which) const {
  double sum = 0;
  int64_t count = 0;
  for (const RoundedLayer &layer : layers)
    if (layer.reason.empty() && layer.*which < 200) {
      sum += layer.*which;
      ++count;
    }
  return count ? std::optional(sum / double(count)) : std::nullopt;
}

namespace {
struct Width {
  double error; ///< relative, of the outputs, at `bits`
  bool isFree;  ///< the layer brings no format of its own
  unsigned bits = 4;
};
} // namespace

void qopt::widenLayers(ModuleOp module, const RoundWeightsReport &trial,
                       double averageBits) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main)
    return;
  auto linears = llvm::to_vector(main.getOps<LinearOpInterface>());
  int64_t weights = 0, left = 0;
  std::vector<Width> widths;
  for (const RoundedLayer &layer : trial.layers) {
    weights += layer.weights;
    left -= layer.storedBits;
    // A layer that was not measured is wide first.
    widths.push_back(
        {layer.reason.empty() ? std::pow(10, -layer.sqnr / 10) : 1.0,
         layer.position < linears.size() &&
             !linears[layer.position]->hasAttr("qg.weights")});
  }
  left += int64_t(averageBits * double(weights));
  while (true) {
    size_t best = widths.size();
    double most = 0;
    for (size_t i = 0; i < widths.size(); ++i) {
      int64_t cost = trial.layers[i].weights;
      double gain = widths[i].error * 0.75 / double(std::max<int64_t>(cost, 1));
      if (widths[i].isFree && widths[i].bits < 8 && cost <= left &&
          gain > most) {
        most = gain;
        best = i;
      }
    }
    if (best == widths.size())
      break;
    left -= trial.layers[best].weights;
    widths[best].error /= 4;
    ++widths[best].bits;
  }
  for (auto [layer, width] : llvm::zip(trial.layers, widths))
    if (width.isFree && width.bits > 4)
      linears[layer.position]->setAttr(
          "qg.weights", StringAttr::get(module.getContext(),
                                        "si" + std::to_string(width.bits)));
}
