//===- RowEnergies.cpp - How rows of a tensor differ in size --------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Sums go over lanes in a fixed order, so that a profile does not depend on
// the machine.
//===----------------------------------------------------------------------===//
#include "qopt/Calibration/RowEnergies.h"

#include <algorithm>
#include <cmath>

using namespace qopt;

static constexpr double kHalf = 0.70710678118654752; // sqrt(1/2)

static double sumSquares(llvm::ArrayRef<float> row) {
  constexpr size_t lanes = 8;
  double sums[lanes] = {};
  size_t i = 0;
  for (; i + lanes <= row.size(); i += lanes)
    for (size_t lane = 0; lane < lanes; ++lane) {
      double value = row[i + lane];
      sums[lane] += value * value;
    }
  double total = 0;
  for (; i < row.size(); ++i)
    total += double(row[i]) * double(row[i]);
  for (double sum : sums)
    total += sum;
  return total;
}

void RowEnergies::add(llvm::ArrayRef<float> values, size_t rowSize) {
  for (size_t at = 0; rowSize && at < values.size(); at += rowSize) {
    double energy = sumSquares(values.slice(at, rowSize)) / double(rowSize);
    if (!(energy > 0))
      continue;
    int exponent = 0;
    double mantissa = std::frexp(energy, &exponent); // in [0.5, 1)
    ++counts[2 * (int64_t(exponent) - 1) + (mantissa >= kHalf)];
  }
}

void RowEnergies::merge(const RowEnergies &other) {
  for (auto [bin, count] : other.counts)
    counts[bin] += count;
}

double RowEnergies::getPredictedSQNR(double noise) const {
  double rows = 0, lost = 0;
  for (auto [bin, count] : counts) {
    double energy = std::exp2((double(bin) + 0.5) / 2);
    rows += double(count);
    lost += double(count) * std::min(1.0, noise / energy);
  }
  return lost > 0 ? std::min(200.0, -10 * std::log10(lost / rows)) : 200.0;
}
