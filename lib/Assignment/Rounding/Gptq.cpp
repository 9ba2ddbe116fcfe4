//===- Gptq.cpp - Weights rounded against their inputs --------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Scales are chosen by the loss after rounding, not before: how much an
// element may be clipped depends on who can take up its error.
//===----------------------------------------------------------------------===//
#include "Gptq.h"
#include "Factor.h"
#include "MatrixKernels.h"

#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace qopt;

/// Shrunken ranges that are tried, as a share of the largest magnitude.
static constexpr double kShares[] = {1,  .95, .9, .85, .8, .75,
                                     .7, .65, .6, .55, .5, .4};
/// The same where each group is searched for itself, and each end of a range.
static constexpr int kClips = 20;
static constexpr double kLeastClip = 0.4;
/// Passes of coordinate descent after the columns.
static constexpr int kDescents = 4;
/// Scales fitted to the levels that were found, and levels to them.
static constexpr int kRefits = 2;
static constexpr int64_t kBlock = 64;
/// Rows whose errors stay in a cache.
static constexpr int64_t kPartRows = 128;

namespace {
/// Scale and zero point of one channel's group.
struct Parameters {
  double scale = 1;
  int32_t zeroPoint = 0;
};
using Choice = std::vector<Parameters>; ///< by channel and group

struct Range {
  double low = 0, high = 0;
};

ConstBlock view(const Matrix &m) { return {m.data(), m.cols()}; }
Block view(Matrix &m) { return {m.data(), m.cols()}; }
ConstBlock from(const Matrix &m, int64_t row, int64_t column) {
  return {m.data() + row * m.cols() + column, m.cols()};
}
} // namespace

struct MatrixRounder::State {
  RoundingProblem p;
  Rounding rounding;
  int64_t rows, columns, group, groups, channels;
  std::vector<double> table;
  Grid<double> grid;
  Factor factor;
  std::vector<double> diagonal;
  // The result, by channel and row.
  Choice parameters;
  std::vector<int32_t> stored;
  struct Losses {
    double loss, signal, plain, nearest;
  };
  std::vector<Losses> losses;

  State(RoundingProblem problem, Rounding rounding);
};

MatrixRounder::State::State(RoundingProblem problem, Rounding rounding)
    : p(std::move(problem)), rounding(rounding) {
  rows = p.weights.rows();
  columns = p.weights.cols();
  group = p.group > 0 ? p.group : std::max<int64_t>(columns, 1);
  groups = std::max<int64_t>(1, (columns + group - 1) / group);
  channels = rows / p.rowsPerChannel;
  table.assign(p.grid.table.begin(), p.grid.table.end());
  grid = {double(p.grid.low), double(p.grid.high),
          table.empty() ? nullptr : table.data(), int64_t(table.size())};
  for (int64_t c = 0; c < columns; ++c)
    diagonal.push_back((*p.moment)(c, c));
  parameters.resize(channels * groups);
  stored.resize(rows * columns);
  losses.resize(rows);
}

namespace {
/// Some channels of a matrix.
class Part {
public:
  using State = MatrixRounder::State;
  Part(State &state, int64_t first, int64_t last);
  void round();

private:
  struct Candidate {
    Choice parameters;
    Matrix values;
    std::vector<int32_t> stored;
    Eigen::VectorXd losses; ///< by row
  };

  Candidate makeCandidate(Choice parameters) const;
  Parameters fit(int64_t channel, int64_t g, double lowShare,
                 double highShare) const;
  Choice fitAll(double share) const;
  double getDiagonalLoss(int64_t channel, int64_t g,
                         const Parameters &parameters) const;
  Choice fitByDiagonal() const;
  Candidate roundNearest(Choice parameters) const;
  Candidate roundByColumns(Choice parameters) const;
  void descend(Candidate &candidate) const;
  bool refit(Candidate &candidate) const;
  double toScale(int64_t channel, double scale) const;
  Eigen::VectorXd measure(const Matrix &error) const;
  void keepBetter(Candidate &best, const Candidate &other) const;
  void store(const Candidate &best);
  const Parameters &at(const Choice &choice, int64_t row,
                       int64_t column) const {
    return choice[row / s.p.rowsPerChannel * s.groups + column / s.group];
  }

  State &s;
  int64_t firstChannel, channels, rows;
  Matrix weights, ordered; ///< as given, and in the order of the factor
  std::vector<Range> ranges;
};
} // namespace

Part::Part(State &state, int64_t first, int64_t last)
    : s(state), firstChannel(first), channels(last - first),
      rows(channels * state.p.rowsPerChannel) {
  weights = s.p.weights.middleRows(first * s.p.rowsPerChannel, rows);
  if (s.factor.dampings) {
    ordered.resize(rows, s.columns);
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t i = 0; i < s.columns; ++i)
        ordered(r, i) = weights(r, s.factor.order[i]);
  }
  ranges.resize(channels * s.groups);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < s.columns; ++c) {
      Range &range = ranges[r / s.p.rowsPerChannel * s.groups + c / s.group];
      range.low = std::min(range.low, weights(r, c));
      range.high = std::max(range.high, weights(r, c));
    }
}

Part::Candidate Part::makeCandidate(Choice parameters) const {
  return {std::move(parameters), Matrix(rows, s.columns),
          std::vector<int32_t>(rows * s.columns), Eigen::VectorXd()};
}

/// Scales are f32 everywhere else.
double Part::toScale(int64_t channel, double scale) const {
  const std::vector<double> &floors = s.p.leastScales;
  double least =
      floors.empty() ? 0 : floors[(firstChannel + channel) % floors.size()];
  float single = float(std::max(scale, least));
  return single >= 0x1p-120f ? double(single) : 1.0;
}

/// The range of a group, shrunken, as parameters.
Parameters Part::fit(int64_t channel, int64_t g, double lowShare,
                     double highShare) const {
  const RoundingGrid &grid = s.p.grid;
  double low = ranges[channel * s.groups + g].low * lowShare;
  double high = ranges[channel * s.groups + g].high * highShare;
  Parameters result;
  if (!grid.table.empty()) {
    int reach = 1;
    for (int8_t level : grid.table)
      reach = std::max(reach, std::abs(int(level)));
    result.scale = toScale(channel, std::max(-low, high) / reach);
    return result;
  }
  if (grid.hasZeroPoints) {
    result.scale =
        toScale(channel, (high - low) / double(grid.high - grid.low));
    result.zeroPoint = int32_t(chooseZeroPoint(low, result.scale, s.grid));
    return result;
  }
  result.scale = toScale(channel, std::max(-low, high) / double(grid.high));
  return result;
}

Choice Part::fitAll(double share) const {
  Choice choice;
  for (int64_t channel = 0; channel < channels; ++channel)
    for (int64_t g = 0; g < s.groups; ++g)
      choice.push_back(fit(channel, g, share, share));
  return choice;
}

/// Expected loss of a group's nearest levels where errors of columns do not
/// interact.
double Part::getDiagonalLoss(int64_t channel, int64_t g,
                             const Parameters &parameters) const {
  int64_t first = g * s.group;
  int64_t count = std::min(s.columns, first + s.group) - first;
  double loss = 0;
  for (int64_t r = 0; r < s.p.rowsPerChannel; ++r)
    loss += getNearestLoss(
        weights.row(channel * s.p.rowsPerChannel + r).data() + first,
        s.diagonal.data() + first, count, parameters.scale,
        parameters.zeroPoint, s.grid);
  return loss;
}

/// Per group the clipped range of least such loss: one share for both ends,
/// then each end for itself where the grid has zero points.
Choice Part::fitByDiagonal() const {
  Choice choice;
  for (int64_t channel = 0; channel < channels; ++channel)
    for (int64_t g = 0; g < s.groups; ++g) {
      double least = std::numeric_limits<double>::infinity();
      Parameters best;
      double low = 1, high = 1;
      auto search = [&](bool movesLow, bool movesHigh) {
        double oldLow = low, oldHigh = high;
        for (int i = 0; i < kClips; ++i) {
          double share = 1 - (1 - kLeastClip) * i / (kClips - 1);
          double l = movesLow ? share : oldLow, h = movesHigh ? share : oldHigh;
          Parameters parameters = fit(channel, g, l, h);
          double loss = getDiagonalLoss(channel, g, parameters);
          if (!(loss < least))
            continue;
          least = loss;
          best = parameters;
          low = l;
          high = h;
        }
      };
      search(true, true);
      if (s.p.grid.hasZeroPoints) {
        search(true, false);
        search(false, true);
        search(true, false);
      }
      choice.push_back(best);
    }
  return choice;
}

/// d H d^T by row. H is symmetric: what is below the diagonal counts twice.
Eigen::VectorXd Part::measure(const Matrix &error) const {
  Eigen::VectorXd losses = Eigen::VectorXd::Zero(rows);
  Matrix product(rows, kBlock);
  for (int64_t first = 0; first < s.columns; first += kBlock) {
    int64_t width = std::min(kBlock, s.columns - first);
    product.setZero();
    addProduct(view(product), view(error), from(*s.p.moment, 0, first), rows,
               width, first);
    product *= 2;
    addProduct(view(product), from(error, 0, first),
               from(*s.p.moment, first, first), rows, width, width);
    losses += product.leftCols(width)
                  .cwiseProduct(error.middleCols(first, width))
                  .rowwise()
                  .sum();
  }
  return losses;
}

Part::Candidate Part::roundNearest(Choice parameters) const {
  Candidate result = makeCandidate(std::move(parameters));
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t g = 0; g < s.groups; ++g) {
      int64_t first = g * s.group;
      const Parameters &own = at(result.parameters, r, first);
      roundRow(&weights(r, first), std::min(s.columns - first, s.group),
               own.scale, own.zeroPoint, s.grid, &result.values(r, first),
               result.stored.data() + r * s.columns + first);
    }
  result.losses = measure(weights - result.values);
  return result;
}

Part::Candidate Part::roundByColumns(Choice parameters) const {
  Candidate result = makeCandidate(std::move(parameters));
  int64_t n = s.columns;
  Matrix carried = Matrix::Zero(rows, n), errors(rows, kBlock);
  Matrix scales(rows, kBlock), zeros(rows, kBlock);
  std::vector<int32_t> stored(kBlock);
  for (int64_t last = n; last > 0;) {
    int64_t first = (last - 1) / kBlock * kBlock, width = last - first;
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t i = 0; i < width; ++i) {
        const Parameters &own =
            at(result.parameters, r, s.factor.order[first + i]);
        scales(r, i) = own.scale;
        zeros(r, i) = own.zeroPoint;
      }
      ColumnRounding row{ordered.row(r).data() + first, scales.row(r).data(),
                         zeros.row(r).data(),           &carried(r, first),
                         errors.row(r).data(),          stored.data()};
      roundColumns(row, from(s.factor.lower, first, first), width, s.grid);
      for (int64_t i = 0; i < width; ++i) {
        int64_t column = s.factor.order[first + i];
        result.values(r, column) = weights(r, column) - errors(r, i);
        result.stored[r * n + column] = stored[i];
      }
    }
    addProduct(view(carried), view(errors), from(s.factor.lower, first, 0),
               rows, first, width);
    last = first;
  }
  result.losses = measure(weights - result.values);
  return result;
}

/// One element at a time to its best level, the others fixed.
void Part::descend(Candidate &candidate) const {
  Matrix error = weights - candidate.values;
  Matrix gradients = Matrix::Zero(rows, s.columns);
  addProduct(view(gradients), view(error), view(*s.p.moment), rows, s.columns,
             s.columns);
  for (int64_t r = 0; r < rows; ++r) {
    auto gradient = gradients.row(r);
    for (int pass = 0; pass < kDescents; ++pass) {
      bool hasMoved = false;
      for (int64_t c = 0; c < s.columns; ++c) {
        double curvature = s.diagonal[c];
        if (!(curvature > 0))
          continue;
        int32_t stored;
        double old = candidate.values(r, c);
        const Parameters &own = at(candidate.parameters, r, c);
        double value = roundToGrid(old + gradient[c] / curvature, own.scale,
                                   own.zeroPoint, s.grid, stored);
        double step = value - old;
        // Loss changes by step^2 h - 2 step g.
        if (step == 0 || !(step * (step * curvature - 2 * gradient[c]) < 0))
          continue;
        candidate.values(r, c) = value;
        candidate.stored[r * s.columns + c] = stored;
        gradient -= step * (*s.p.moment).row(c);
        hasMoved = true;
      }
      if (!hasMoved)
        break;
    }
  }
  candidate.losses = measure(weights - candidate.values);
}

/// Scales that suit the levels best, where a channel has one: the least of
/// (w - s v) H (w - s v)^T for levels v is at s = w H v / v H v. Then elements
/// move to what is nearest under them.
bool Part::refit(Candidate &candidate) const {
  if (s.groups != 1)
    return false;
  bool hasChanged = false;
  Matrix product = Matrix::Zero(rows, s.columns);
  addProduct(view(product), view(candidate.values), view(*s.p.moment), rows,
             s.columns, s.columns);
  for (int64_t channel = 0; channel < channels; ++channel) {
    int64_t count = s.p.rowsPerChannel, first = channel * count;
    auto values = candidate.values.middleRows(first, count);
    auto weighted = product.middleRows(first, count);
    double square = weighted.cwiseProduct(values).sum();
    double inner =
        weighted.cwiseProduct(weights.middleRows(first, count)).sum();
    Parameters &own = candidate.parameters[channel];
    double scale = own.scale * (inner / square);
    if (!(square > 0) || !(inner > 0))
      continue;
    scale = toScale(channel, scale);
    hasChanged |= scale != own.scale;
    own.scale = scale;
  }
  for (int64_t r = 0; r < rows; ++r) {
    const Parameters &own = at(candidate.parameters, r, 0);
    for (int64_t i = 0; i < s.columns; ++i) {
      int32_t stored = candidate.stored[r * s.columns + i];
      double level =
          s.grid.table ? s.grid.table[stored] : double(stored - own.zeroPoint);
      candidate.values(r, i) = own.scale * level;
    }
  }
  return hasChanged;
}

/// Channels are independent: each takes the better of two candidates.
void Part::keepBetter(Candidate &best, const Candidate &other) const {
  for (int64_t channel = 0; channel < channels; ++channel) {
    int64_t count = s.p.rowsPerChannel, first = channel * count;
    if (!(other.losses.segment(first, count).sum() <
          best.losses.segment(first, count).sum()))
      continue;
    best.losses.segment(first, count) = other.losses.segment(first, count);
    best.values.middleRows(first, count) =
        other.values.middleRows(first, count);
    std::copy_n(other.stored.begin() + first * s.columns, count * s.columns,
                best.stored.begin() + first * s.columns);
    std::copy_n(other.parameters.begin() + channel * s.groups, s.groups,
                best.parameters.begin() + channel * s.groups);
  }
}

void Part::store(const Candidate &best) {
  int64_t firstRow = firstChannel * s.p.rowsPerChannel;
  std::copy(best.stored.begin(), best.stored.end(),
            s.stored.begin() + firstRow * s.columns);
  std::copy(best.parameters.begin(), best.parameters.end(),
            s.parameters.begin() + firstChannel * s.groups);
  for (int64_t r = 0; r < rows; ++r)
    s.losses[firstRow + r].loss = best.losses[r];
}

void Part::round() {
  auto report = [&](double State::Losses::*field, const Eigen::VectorXd &by) {
    for (int64_t r = 0; r < rows; ++r)
      s.losses[firstChannel * s.p.rowsPerChannel + r].*field = by[r];
  };
  report(&State::Losses::signal, measure(weights));
  Candidate best = roundNearest(fitAll(1));
  report(&State::Losses::plain, best.losses);
  Choice byDiagonal = fitByDiagonal();
  keepBetter(best, roundNearest(byDiagonal));
  if (s.rounding == Rounding::Nearest)
    for (double share : llvm::drop_begin(kShares))
      keepBetter(best, roundNearest(fitAll(share)));
  report(&State::Losses::nearest, best.losses);
  if (s.rounding == Rounding::Gptq) {
    Candidate refined = best;
    if (s.factor.dampings) {
      refined = roundByColumns(std::move(byDiagonal));
      for (double share : kShares)
        keepBetter(refined, roundByColumns(fitAll(share)));
    }
    descend(refined);
    keepBetter(best, refined);
    for (int i = 0; i < kRefits && refit(refined); ++i) {
      descend(refined);
      keepBetter(best, refined);
    }
  }
  store(best);
}

MatrixRounder::MatrixRounder(RoundingProblem problem, Rounding rounding)
    : state(std::make_unique<State>(std::move(problem), rounding)) {}
MatrixRounder::MatrixRounder(MatrixRounder &&) = default;
MatrixRounder::~MatrixRounder() = default;

int64_t MatrixRounder::numChannels() const { return state->channels; }

double MatrixRounder::getWork() const {
  return double(state->p.rowsPerChannel) * double(state->columns) *
         double(state->columns);
}

void MatrixRounder::prepare() {
  if (state->rounding == Rounding::Gptq)
    state->factor = factorMoment(*state->p.moment);
}

void MatrixRounder::round(int64_t first, int64_t last) {
  Part(*state, first, last).round();
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
  if (state->rounding == Rounding::Gptq)
    result.dampings = state->factor.dampings;
  return result;
}

int64_t MatrixRounder::partSize() const {
  return std::max<int64_t>(1, kPartRows / state->p.rowsPerChannel);
}

RoundedMatrix qopt::roundMatrix(RoundingProblem problem, Rounding rounding) {
  MatrixRounder rounder(std::move(problem), rounding);
  rounder.prepare();
  int64_t channels = rounder.numChannels(), size = rounder.partSize();
  for (int64_t first = 0; first < channels; first += size)
    rounder.round(first, std::min(channels, first + size));
  return rounder.take();
}
