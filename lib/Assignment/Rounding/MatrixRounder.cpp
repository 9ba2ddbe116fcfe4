//===- MatrixRounder.cpp - Weights rounded against their inputs -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// What all methods share: the nearest levels come first, and what a method
// finds replaces them channel by channel where its loss is less.
//===----------------------------------------------------------------------===//
#include "MatrixRounder.h"
#include "ChannelBlock.h"

using namespace qopt;

/// Rows whose errors stay in a cache.
static constexpr int64_t kPartRows = 128;

struct MatrixRounder::State {
  MatrixTask task;
  const Rounder &method;
  // The result, by channel and row.
  Choice parameters;
  std::vector<int32_t> stored;
  struct Losses {
    double loss, signal, plain, nearest;
  };
  std::vector<Losses> losses;

  State(RoundingProblem problem, const Rounder &method)
      : task(std::move(problem)), method(method) {
    parameters.resize(task.channels * task.groups);
    stored.resize(task.rows * task.columns);
    losses.resize(task.rows);
  }
};

MatrixRounder::MatrixRounder(RoundingProblem problem, const Rounder &method)
    : state(std::make_unique<State>(std::move(problem), method)) {}
MatrixRounder::MatrixRounder(MatrixRounder &&) = default;
MatrixRounder::~MatrixRounder() = default;

int64_t MatrixRounder::numChannels() const { return state->task.channels; }

double MatrixRounder::getWork() const {
  const MatrixTask &task = state->task;
  return double(task.problem.rowsPerChannel) * double(task.columns) *
         double(task.columns);
}

void MatrixRounder::prepare() {
  if (state->method.needsFactor)
    state->task.factor = factorMoment(*state->task.problem.moment);
}

void MatrixRounder::round(int64_t first, int64_t last) {
  ChannelBlock block(state->task, first, last);
  state->method.round(block);
  const Trial &best = block.getBest();
  int64_t firstRow = first * state->task.problem.rowsPerChannel;
  std::copy(best.stored.begin(), best.stored.end(),
            state->stored.begin() + firstRow * state->task.columns);
  std::copy(best.parameters.begin(), best.parameters.end(),
            state->parameters.begin() + first * state->task.groups);
  Eigen::VectorXd signal = block.measure(block.getWeights());
  for (int64_t r = 0; r < block.numRows(); ++r)
    state->losses[firstRow + r] = {best.losses[r], signal[r],
                                   block.getPlainLosses()[r],
                                   block.getNearestLosses()[r]};
}

RoundedMatrix MatrixRounder::take() {
  RoundedMatrix result;
  result.stored = std::move(state->stored);
  for (const Parameters &parameters : state->parameters) {
    result.scales.push_back(float(parameters.scale));
    result.zeroPoints.push_back(parameters.zeroPoint);
  }
  for (const State::Losses &row : state->losses) {
    result.loss += row.loss;
    result.signal += row.signal;
    result.plainLoss += row.plain;
    result.nearestLoss += row.nearest;
  }
  if (state->method.needsFactor)
    result.dampings = state->task.factor.dampings;
  return result;
}

int64_t MatrixRounder::partSize() const {
  return std::max<int64_t>(1, kPartRows / state->task.problem.rowsPerChannel);
}

RoundedMatrix qopt::roundMatrix(RoundingProblem problem,
                                const Rounder &method) {
  MatrixRounder rounder(std::move(problem), method);
  rounder.prepare();
  int64_t channels = rounder.numChannels(), size = rounder.partSize();
  for (int64_t first = 0; first < channels; first += size)
    rounder.round(first, std::min(channels, first + size));
  return rounder.take();
}
