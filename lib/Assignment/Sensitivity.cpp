//===- Sensitivity.cpp - What a narrow weight costs -----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Arithmetic on measured numbers; who measures them is decided elsewhere.
//===----------------------------------------------------------------------===//
#include "qopt/Assignment/Sensitivity.h"

#include "llvm/ADT/StringSwitch.h"
#include <cmath>

using namespace qopt;

/// Added to divergences, so that a layer that measured none still has a scale.
static constexpr double kFloor = 1e-7;
/// The second probe: below it networks break, above it nothing does.
static constexpr unsigned kMiddleWidth = 4;

std::optional<SensitivityKind> qopt::parseSensitivity(llvm::StringRef name) {
  return llvm::StringSwitch<std::optional<SensitivityKind>>(name)
      .Case("weight-error", SensitivityKind::WeightError)
      .Case("proxy", SensitivityKind::Proxy)
      .Case("kl", SensitivityKind::KL)
      .Default(std::nullopt);
}

llvm::StringRef qopt::getName(SensitivityKind kind) {
  switch (kind) {
  case SensitivityKind::WeightError:
    return "weight-error";
  case SensitivityKind::Proxy:
    return "proxy";
  case SensitivityKind::KL:
    return "kl";
  }
  return "";
}

llvm::SmallVector<size_t> qopt::getProbes(const LayerCandidates &layer,
                                          SensitivityKind kind) {
  llvm::SmallVector<size_t> probes;
  const std::vector<Candidate> &list = layer.candidates;
  if (list.empty() || kind == SensitivityKind::WeightError)
    return probes;
  if (kind == SensitivityKind::KL) {
    for (size_t i = 0; i < list.size(); ++i)
      probes.push_back(i);
    return probes;
  }
  size_t narrow = 0, middle = 0;
  auto distance = [&](size_t i) {
    return std::abs(int(list[i].width) - int(kMiddleWidth));
  };
  for (size_t i = 1; i < list.size(); ++i) {
    if (list[i].width < list[narrow].width)
      narrow = i;
    if (distance(i) < distance(middle))
      middle = i;
  }
  probes.push_back(narrow);
  if (list[middle].width != list[narrow].width)
    probes.push_back(middle);
  return probes;
}

void qopt::makeNonIncreasing(llvm::MutableArrayRef<double> values) {
  struct Block {
    double sum;
    size_t count;
    double mean() const { return sum / double(count); }
  };
  std::vector<Block> blocks;
  for (double value : values) {
    blocks.push_back({value, 1});
    while (blocks.size() > 1 &&
           blocks[blocks.size() - 2].mean() < blocks.back().mean()) {
      Block last = blocks.back();
      blocks.pop_back();
      blocks.back().sum += last.sum;
      blocks.back().count += last.count;
    }
  }
  size_t at = 0;
  for (const Block &block : blocks)
    for (size_t i = 0; i < block.count; ++i)
      values[at++] = block.mean();
}

/// Measured divergences over expected output errors at the probes, between
/// them log-linear in the width.
static void fillProxy(LayerCandidates &layer) {
  llvm::SmallVector<size_t> probes = getProbes(layer, SensitivityKind::Proxy);
  auto getRatio = [&](size_t index) {
    const Candidate &probe = layer.candidates[index];
    return (probe.divergence + kFloor) / std::max(probe.outputError, 1e-30);
  };
  double first = std::log(getRatio(probes.front()));
  double last = std::log(getRatio(probes.back()));
  double low = layer.candidates[probes.front()].width;
  double high = layer.candidates[probes.back()].width;
  for (Candidate &candidate : layer.candidates) {
    double t = high > low ? std::clamp((candidate.width - low) / (high - low),
                                       0.0, 1.0)
                          : 0;
    candidate.loss =
        std::exp((1 - t) * first + t * last) * candidate.outputError;
  }
}

void qopt::fillLosses(LayerCandidates &layer, SensitivityKind kind) {
  switch (kind) {
  case SensitivityKind::WeightError:
    for (Candidate &candidate : layer.candidates)
      candidate.loss = candidate.weightError;
    break;
  case SensitivityKind::Proxy:
    fillProxy(layer);
    break;
  case SensitivityKind::KL:
    for (Candidate &candidate : layer.candidates)
      candidate.loss = candidate.divergence;
    break;
  }
  std::vector<double> losses;
  for (const Candidate &candidate : layer.candidates)
    losses.push_back(candidate.loss);
  makeNonIncreasing(losses);
  for (auto [candidate, loss] : llvm::zip(layer.candidates, losses))
    candidate.loss = loss;
}

/// Non-negative rows that sum to one.
static bool areProbabilities(llvm::ArrayRef<float> values, size_t length) {
  for (size_t row = 0; row + length <= values.size(); row += length) {
    double sum = 0;
    for (float value : values.slice(row, length)) {
      if (!(value >= 0))
        return false;
      sum += value;
    }
    if (std::fabs(sum - 1) > 1e-3)
      return false;
  }
  return true;
}

double qopt::getDivergence(const Tensor &exact, const Tensor &other) {
  llvm::ArrayRef<float> p = exact.span<float>(), q = other.span<float>();
  size_t length = exact.rank() ? size_t(exact.shape().back()) : 1;
  if (p.empty())
    return 0;
  if (length > 1 && areProbabilities(p, length)) {
    // A probability that rounding made zero costs as much as the least float
    // that softmax gives.
    constexpr double least = 1e-12;
    double sum = 0;
    for (size_t i = 0; i < p.size(); ++i)
      if (p[i] > 0)
        sum += p[i] * (std::log(std::max<double>(p[i], least)) -
                       std::log(std::max<double>(q[i], least)));
    return std::max(0.0, sum / double(p.size() / length));
  }
  double signal = 0, noise = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    double difference = double(q[i]) - p[i];
    signal += double(p[i]) * p[i];
    noise += difference * difference;
  }
  return signal > 0 ? noise / signal : noise;
}
