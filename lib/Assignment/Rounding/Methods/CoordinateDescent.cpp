//===- CoordinateDescent.cpp - Levels that suit each other ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// With the error of all others fixed, the loss is a parabola of one element
// with its least at w + (d H)_c / H_cc, d being the error: the level nearest to
// that is the best one. For moments that do not factor, and after GPTQ.
//===----------------------------------------------------------------------===//
#include "../CoordinateDescent.h"

using namespace qopt;

/// Scales fitted to the levels that were found, and levels to them.
static constexpr int kRefits = 2;
/// Sweeps from the nearest levels, which are further away than GPTQ's.
static constexpr int kSweeps = 12;

void qopt::descend(const ChannelBlock &block, Trial &trial, int sweeps) {
  int64_t columns = block.numColumns();
  Matrix gradients = block.multiplyMoment(block.getWeights() - trial.values);
  for (int64_t r = 0; r < block.numRows(); ++r) {
    auto gradient = gradients.row(r);
    bool hasMoved = true;
    for (int sweep = 0; sweep < sweeps && hasMoved; ++sweep) {
      hasMoved = false;
      for (int64_t c = 0; c < columns; ++c) {
        double curvature = block.getDiagonal()[c];
        if (!(curvature > 0))
          continue;
        int32_t stored;
        double old = trial.values(r, c);
        const Parameters &own = block.at(trial.parameters, r, c);
        double value = roundToGrid(old + gradient[c] / curvature,
                                   block.scaled(own), stored);
        double step = value - old;
        // Loss changes by step^2 h - 2 step g.
        if (step == 0 || !(step * (step * curvature - 2 * gradient[c]) < 0))
          continue;
        trial.values(r, c) = value;
        trial.stored[r * columns + c] = stored;
        gradient -= step * block.getMoment().row(c);
        hasMoved = true;
      }
    }
  }
  trial.losses = block.measure(block.getWeights() - trial.values);
}

// The least of (w - s v) H (w - s v)^T for levels v is at s = w H v / v H v.
bool qopt::refitScales(const ChannelBlock &block, Trial &trial) {
  if (block.hasGroups())
    return false;
  bool hasChanged = false;
  Matrix product = block.multiplyMoment(trial.values);
  for (int64_t channel = 0; channel < block.numChannels(); ++channel) {
    int64_t count = block.rowsPerChannel(), first = channel * count;
    auto values = trial.values.middleRows(first, count);
    auto weighted = product.middleRows(first, count);
    double square = weighted.cwiseProduct(values).sum();
    double inner =
        weighted.cwiseProduct(block.getWeights().middleRows(first, count))
            .sum();
    Parameters &own = trial.parameters[channel];
    double scale = own.scale * (inner / square);
    if (!(square > 0) || !(inner > 0))
      continue;
    scale = block.toScale(channel, scale);
    hasChanged |= scale != own.scale;
    own.scale = scale;
  }
  const Grid<double> &grid = block.getGrid();
  for (int64_t r = 0; r < block.numRows(); ++r) {
    const Parameters &own = block.at(trial.parameters, r, 0);
    for (int64_t c = 0; c < block.numColumns(); ++c) {
      int32_t stored = trial.stored[r * block.numColumns() + c];
      double steps =
          grid.table ? grid.table[stored] : double(stored - own.zeroPoint);
      trial.values(r, c) = own.scale * steps;
    }
  }
  return hasChanged;
}

void qopt::offerDescended(ChannelBlock &block, Trial trial, int sweeps) {
  descend(block, trial, sweeps);
  block.offer(trial);
  for (int i = 0; i < kRefits && refitScales(block, trial); ++i) {
    descend(block, trial, sweeps);
    block.offer(trial);
  }
}

void qopt::roundByDescent(ChannelBlock &block) {
  offerDescended(block, block.getBest(), kSweeps);
}
