//===- Gpfq.cpp - Following the path of the outputs -----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Greedy path following: a column takes up what the columns before it left in
// the outputs, as far as its own input can. With inputs x and error d of the
// columns before, the best value is w_c + <x_c, x d> / <x_c, x_c>, which needs
// the moment alone: no inputs are kept and nothing is factored.
//===----------------------------------------------------------------------===//
#include "../ChannelBlock.h"

#include "llvm/ADT/STLExtras.h"
#include <numeric>

using namespace qopt;

/// Columns of large inputs first: small ones take up their errors.
static std::vector<int64_t> getOrder(const ChannelBlock &block) {
  std::vector<int64_t> order(block.numColumns());
  std::iota(order.begin(), order.end(), 0);
  llvm::sort(order, [&](int64_t a, int64_t b) {
    double powerA = block.getDiagonal()[a], powerB = block.getDiagonal()[b];
    return powerA != powerB ? powerA > powerB : a < b;
  });
  return order;
}

static Trial followPath(const ChannelBlock &block,
                        llvm::ArrayRef<int64_t> order, Choice parameters) {
  Trial result = block.makeTrial(std::move(parameters));
  int64_t columns = block.numColumns();
  for (int64_t r = 0; r < block.numRows(); ++r) {
    Eigen::RowVectorXd carried = Eigen::RowVectorXd::Zero(columns);
    for (int64_t c : order) {
      double weight = block.getWeights()(r, c), power = block.getDiagonal()[c];
      double target = power > 0 ? weight + carried[c] / power : weight;
      const Parameters &own = block.at(result.parameters, r, c);
      double &value = result.values(r, c);
      value = roundToGrid(target, block.scaled(own),
                          result.stored[r * columns + c]);
      carried += (weight - value) * block.getMoment().row(c);
    }
  }
  result.losses = block.measure(block.getWeights() - result.values);
  return result;
}

void qopt::roundGpfq(ChannelBlock &block) {
  std::vector<int64_t> order = getOrder(block);
  block.offer(followPath(block, order, block.fitByDiagonal()));
  for (double share : kShares)
    block.offer(followPath(block, order, block.fitAll(share)));
}
