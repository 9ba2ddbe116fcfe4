//===- ChooseEqualization.cpp - Factors between two layers ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Kernels of any extent are read, so that products are not recomputed: the
// noise of a reader is the rounding error of its own weights on channels of
// the power that was seen, plus a uniform error of the input's step. Channels
// and taps are taken as uncorrelated, before and after alike.
//===----------------------------------------------------------------------===//
#include "ChooseEqualization.h"
#include "qopt/Numerics/Grid.h"

#include "absl/strings/str_format.h"
#include <cmath>

using namespace llvm;
using namespace qopt;

namespace {
/// A reader as lists of numbers.
struct ReaderWeights {
  explicit ReaderWeights(LinearOpInterface linear)
      : channels(linear.countOutputs()) {
    Tensor weight = *qg::matchConstant(linear.getWeight());
    WeightChannels position(linear);
    for (int64_t i = 0; i < weight.numElements(); ++i) {
      values.push_back(weight.getFloat(i));
      inputs.push_back(position.getInput(i));
      outputs.push_back(position.getOutput(i));
    }
    // One weight for each tap: the target rounds channels of its input apart.
    int64_t groups = linear.getLinearGeometry().groups;
    isDepthwise = linear.isDepthwise() && groups > 1 && groups == channels;
  }

  std::vector<double> values;
  SmallVector<int64_t> inputs, outputs;
  int64_t channels;
  bool isDepthwise;
};

class NoiseModel {
public:
  NoiseModel(const EqualizationSite &site, const RoundingError &error)
      : error(error) {
    for (LinearOpInterface reader : site.readers)
      readers.emplace_back(reader);
  }

  /// Mean over the readers of signal over noise in dB, where channel c of x
  /// is divided by factors[c].
  double getSqnr(const Matrix &x, const Matrix &range,
                 ArrayRef<double> factors) const;
  SmallVector<double> getLargestWeights(int64_t channels) const;

private:
  double getNoise(const ReaderWeights &reader, ArrayRef<double> power,
                  ArrayRef<double> steps, ArrayRef<double> factors) const;

  std::vector<ReaderWeights> readers;
  RoundingError error;
};
} // namespace

double NoiseModel::getNoise(const ReaderWeights &reader, ArrayRef<double> power,
                            ArrayRef<double> steps,
                            ArrayRef<double> factors) const {
  double levels = double((1u << (error.weightBits - 1)) - 1);
  Grid<double> grid{-levels, levels};
  std::vector<double> scales(reader.channels, 0);
  auto getWeight = [&](size_t i) {
    return reader.values[i] * factors[reader.inputs[i]];
  };
  for (size_t i = 0; i < reader.values.size(); ++i) {
    double &scale = scales[reader.outputs[i]];
    scale = std::max(scale, std::fabs(getWeight(i)) / levels);
  }
  double noise = 0;
  for (size_t i = 0; i < reader.values.size(); ++i) {
    double scale = scales[reader.outputs[i]], w = getWeight(i);
    int64_t c = reader.inputs[i];
    double rounding =
        scale > 0 ? w - roundToLevel(w / scale, 0.0, grid).steps * scale : 0;
    noise += rounding * rounding * power[c] / (factors[c] * factors[c]) +
             w * w * steps[c] * steps[c] / 12;
  }
  return noise;
}

double NoiseModel::getSqnr(const Matrix &x, const Matrix &range,
                           ArrayRef<double> factors) const {
  size_t channels = factors.size();
  double steps = double((1u << error.activationBits) - 1);
  SmallVector<double> power, own;
  double low = 0, high = 0;
  for (size_t c = 0; c < channels; ++c) {
    power.push_back(x.col(c).cast<double>().squaredNorm() /
                    double(std::max<int64_t>(x.rows(), 1)));
    double least = std::min(0.0f, range.col(c).minCoeff()) / factors[c];
    double most = std::max(0.0f, range.col(c).maxCoeff()) / factors[c];
    own.push_back((most - least) / steps);
    low = std::min(low, least);
    high = std::max(high, most);
  }
  SmallVector<double> common(channels, (high - low) / steps);
  double sum = 0;
  for (const ReaderWeights &reader : readers) {
    double signal = 0;
    for (auto [value, channel] : llvm::zip(reader.values, reader.inputs))
      signal += value * value * power[channel];
    double noise =
        getNoise(reader, power, reader.isDepthwise ? own : common, factors);
    if (signal > 0)
      sum -= 10 * std::log10(std::max(noise / signal, 1e-20));
  }
  return sum / double(readers.size());
}

SmallVector<double> NoiseModel::getLargestWeights(int64_t channels) const {
  SmallVector<double> largest(channels, 0);
  for (const ReaderWeights &reader : readers)
    for (auto [value, channel] : llvm::zip(reader.values, reader.inputs))
      largest[channel] = std::max(largest[channel], std::fabs(value));
  return largest;
}

EqualizationChoice qopt::chooseEqualization(const EqualizationSite &site,
                                            const Halves &x,
                                            const RoundingError &error) {
  NoiseModel model(site, error);
  EqualizationChoice choice;
  double best = -1e30;
  auto consider = [&](SmallVector<double> factors, std::string setting) {
    double sqnr = model.getSqnr(x.choose, x.all, factors);
    if (sqnr <= best)
      return;
    best = sqnr;
    choice.factors = std::move(factors);
    choice.setting = std::move(setting);
  };
  consider(getWeightFactors(site), "equal ranges of weights");
  int64_t channels = site.getChannels();
  SmallVector<double> weights = model.getLargestWeights(channels);
  for (int step = 0; step <= 10; ++step) {
    double alpha = step / 10.0, mean = 0;
    SmallVector<double> factors;
    for (int64_t c = 0; c < channels; ++c) {
      double amax = x.choose.col(c).cwiseAbs().maxCoeff();
      // A channel that is always zero keeps its weights.
      factors.push_back(amax > 0 && weights[c] > 0
                            ? alpha * std::log(amax) -
                                  (1 - alpha) * std::log(weights[c])
                            : 0);
      mean += factors.back() / double(channels);
    }
    for (double &factor : factors)
      factor = std::clamp(std::exp(factor - mean), 1e-4, 1e4);
    consider(std::move(factors), absl::StrFormat("alpha %.1f of amax", alpha));
  }
  choice.before =
      model.getSqnr(x.accept, x.all, SmallVector<double>(channels, 1));
  choice.after = model.getSqnr(x.accept, x.all, choice.factors);
  return choice;
}
