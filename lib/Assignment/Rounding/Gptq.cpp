//===- Gptq.cpp - Weights rounded against their inputs --------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Scales are chosen by the loss after rounding, not before: how much an
// element may be clipped depends on who can take up its error.
//===----------------------------------------------------------------------===//
#include "Gptq.h"

#include "llvm/ADT/STLExtras.h"
#include <Eigen/Cholesky>
#include <cmath>
#include <numeric>

using namespace qopt;

/// Shrunken ranges that are tried, as a share of the largest magnitude.
static constexpr double kShares[] = {1,  .95, .9, .85, .8, .75,
                                     .7, .65, .6, .55, .5, .4};
/// Above this many products per share, scales are chosen by a diagonal loss.
static constexpr double kFullSearchWork = 4e9;
static constexpr double kDamping = 0.01;
static constexpr int kMostDampings = 30;
/// Passes of coordinate descent after the columns.
static constexpr int kDescents = 4;

namespace {
/// Scale and zero point of one channel's group.
struct Parameters {
  double scale = 1;
  int32_t zeroPoint = 0;
};

/// Rounds one matrix with one choice of parameters per group.
class MatrixRounder {
public:
  MatrixRounder(const RoundingProblem &problem) : p(problem) {
    rows = p.weights.rows();
    columns = p.weights.cols();
    group = p.group > 0 ? p.group : std::max<int64_t>(columns, 1);
    groups = std::max<int64_t>(1, (columns + group - 1) / group);
    channels = rows / p.rowsPerChannel;
  }

  RoundedMatrix run(Rounding rounding);

private:
  using Choice = std::vector<Parameters>;
  struct Candidate {
    Choice parameters;
    Matrix values;
    std::vector<int32_t> stored;
    Eigen::VectorXd losses; ///< by row
  };

  double quantize(double value, const Parameters &parameters,
                  int32_t &stored) const;
  Parameters fit(int64_t channel, int64_t g, double share) const;
  Choice fitAll(double share) const;
  Choice fitByDiagonal() const;
  bool factor();
  Candidate roundNearest(Choice parameters) const;
  Candidate roundColumns(Choice parameters) const;
  void descend(Candidate &candidate) const;
  void measure(Candidate &candidate) const;
  void keepBetter(Candidate &best, const Candidate &other) const;
  const Parameters &at(const Choice &choice, int64_t row,
                       int64_t column) const {
    return choice[row / p.rowsPerChannel * groups + column / group];
  }

  const RoundingProblem &p;
  int64_t rows, columns, group, groups, channels;
  std::vector<int64_t> order;
  Matrix factor_; ///< upper U with inverse(H) = U^T U, in `order`
  int dampings = 0;
  bool isFactored = false;
};
} // namespace

double MatrixRounder::quantize(double value, const Parameters &parameters,
                               int32_t &stored) const {
  double scaled = value / parameters.scale;
  if (p.grid.table.empty()) {
    double level = std::nearbyint(scaled) + parameters.zeroPoint;
    level = std::clamp(level, double(p.grid.low), double(p.grid.high));
    stored = int32_t(level);
    return parameters.scale * (level - parameters.zeroPoint);
  }
  size_t best = 0;
  for (size_t i = 1; i < p.grid.table.size(); ++i)
    if (std::fabs(p.grid.table[i] - scaled) <
        std::fabs(p.grid.table[best] - scaled))
      best = i;
  stored = int32_t(best);
  return parameters.scale * p.grid.table[best];
}

/// The range of a group, shrunken, as parameters.
Parameters MatrixRounder::fit(int64_t channel, int64_t g, double share) const {
  double low = 0, high = 0;
  int64_t first = g * group, last = std::min(columns, first + group);
  for (int64_t r = 0; r < p.rowsPerChannel; ++r) {
    auto row = p.weights.row(channel * p.rowsPerChannel + r);
    for (int64_t c = first; c < last; ++c) {
      low = std::min(low, row[c]);
      high = std::max(high, row[c]);
    }
  }
  low *= share;
  high *= share;
  Parameters result;
  double least =
      p.leastScales.empty() ? 0 : p.leastScales[channel % p.leastScales.size()];
  // Scales are f32 everywhere else.
  auto toScale = [&](double scale) {
    float single = float(std::max(scale, least));
    return single >= 0x1p-120f ? double(single) : 1.0;
  };
  if (!p.grid.table.empty()) {
    int8_t reach = 1;
    for (int8_t level : p.grid.table)
      reach = std::max<int>(reach, std::abs(int(level)));
    result.scale = toScale(std::max(-low, high) / reach);
    return result;
  }
  if (p.grid.hasZeroPoints) {
    result.scale = toScale((high - low) / double(p.grid.high - p.grid.low));
    result.zeroPoint = int32_t(
        std::clamp(double(p.grid.low) - std::nearbyint(low / result.scale),
                   double(p.grid.low), double(p.grid.high)));
    return result;
  }
  result.scale = toScale(std::max(-low, high) / double(p.grid.high));
  return result;
}

MatrixRounder::Choice MatrixRounder::fitAll(double share) const {
  Choice choice;
  for (int64_t channel = 0; channel < channels; ++channel)
    for (int64_t g = 0; g < groups; ++g)
      choice.push_back(fit(channel, g, share));
  return choice;
}

/// Per group the share of least loss where errors of columns do not interact.
MatrixRounder::Choice MatrixRounder::fitByDiagonal() const {
  Choice choice;
  for (int64_t channel = 0; channel < channels; ++channel)
    for (int64_t g = 0; g < groups; ++g) {
      int64_t first = g * group, last = std::min(columns, first + group);
      double least = std::numeric_limits<double>::infinity();
      Parameters best;
      for (double share : kShares) {
        Parameters parameters = fit(channel, g, share);
        double loss = 0;
        for (int64_t r = 0; r < p.rowsPerChannel; ++r) {
          int64_t row = channel * p.rowsPerChannel + r;
          for (int64_t c = first; c < last; ++c) {
            int32_t stored;
            double d = p.weights(row, c) -
                       quantize(p.weights(row, c), parameters, stored);
            loss += d * d * p.moment(c, c);
          }
        }
        if (loss < least) {
          least = loss;
          best = parameters;
        }
      }
      choice.push_back(best);
    }
  return choice;
}

/// U in the order of decreasing diagonals; the damping is doubled until the
/// factorization succeeds.
bool MatrixRounder::factor() {
  order.resize(columns);
  std::iota(order.begin(), order.end(), 0);
  llvm::stable_sort(order, [&](int64_t a, int64_t b) {
    return p.moment(a, a) > p.moment(b, b);
  });
  Eigen::MatrixXd h(columns, columns);
  for (int64_t i = 0; i < columns; ++i)
    for (int64_t j = 0; j < columns; ++j)
      h(i, j) = p.moment(order[i], order[j]);
  double mean = columns ? h.diagonal().mean() : 0;
  if (!(mean > 0) || !std::isfinite(mean))
    return false;
  for (int64_t i = 0; i < columns; ++i)
    if (h(i, i) <= 0)
      h(i, i) = mean;
  double damping = kDamping * mean;
  for (dampings = 0; dampings <= kMostDampings; ++dampings, damping *= 2) {
    Eigen::MatrixXd damped = h;
    damped.diagonal().array() += damping;
    Eigen::LLT<Eigen::MatrixXd> forward(damped);
    if (forward.info() != Eigen::Success)
      continue;
    Eigen::MatrixXd inverse =
        forward.solve(Eigen::MatrixXd::Identity(columns, columns));
    // The solve loses the last bits of symmetry.
    Eigen::MatrixXd symmetric = (inverse + inverse.transpose()) * 0.5;
    Eigen::LLT<Eigen::MatrixXd> backward(symmetric);
    if (backward.info() != Eigen::Success)
      continue;
    factor_ = backward.matrixU();
    if (factor_.allFinite() && (factor_.diagonal().array() > 0).all())
      return true;
  }
  return false;
}

void MatrixRounder::measure(Candidate &candidate) const {
  Matrix error = p.weights - candidate.values;
  Matrix weighted = error * p.moment;
  candidate.losses = weighted.cwiseProduct(error).rowwise().sum();
}

MatrixRounder::Candidate MatrixRounder::roundNearest(Choice parameters) const {
  Candidate result{std::move(parameters),
                   Matrix(rows, columns),
                   std::vector<int32_t>(rows * columns),
                   {}};
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c)
      result.values(r, c) =
          quantize(p.weights(r, c), at(result.parameters, r, c),
                   result.stored[r * columns + c]);
  measure(result);
  return result;
}

MatrixRounder::Candidate MatrixRounder::roundColumns(Choice parameters) const {
  Candidate result{std::move(parameters),
                   Matrix(rows, columns),
                   std::vector<int32_t>(rows * columns),
                   {}};
  // Columns of the permuted weights are contiguous.
  Eigen::MatrixXd rest(rows, columns);
  for (int64_t c = 0; c < columns; ++c)
    rest.col(c) = p.weights.col(order[c]);
  constexpr int64_t kBlock = 64;
  Eigen::MatrixXd errors(rows, kBlock);
  for (int64_t first = 0; first < columns; first += kBlock) {
    int64_t count = std::min(kBlock, columns - first);
    for (int64_t i = 0; i < count; ++i) {
      int64_t j = first + i, column = order[j];
      for (int64_t r = 0; r < rows; ++r) {
        double value = quantize(rest(r, j), at(result.parameters, r, column),
                                result.stored[r * columns + column]);
        result.values(r, column) = value;
        errors(r, i) = (rest(r, j) - value) / factor_(j, j);
      }
      for (int64_t k = i + 1; k < count; ++k)
        rest.col(first + k) -= errors.col(i) * factor_(j, first + k);
    }
    int64_t after = first + count;
    if (after < columns)
      rest.rightCols(columns - after).noalias() -=
          errors.leftCols(count) *
          factor_.block(first, after, count, columns - after);
  }
  measure(result);
  return result;
}

/// One element at a time to its best level, the others fixed.
void MatrixRounder::descend(Candidate &candidate) const {
  for (int64_t r = 0; r < rows; ++r) {
    Eigen::VectorXd gradient =
        p.moment * (p.weights.row(r) - candidate.values.row(r)).transpose();
    for (int pass = 0; pass < kDescents; ++pass) {
      bool hasMoved = false;
      for (int64_t c = 0; c < columns; ++c) {
        double curvature = p.moment(c, c);
        if (!(curvature > 0))
          continue;
        int32_t stored;
        double old = candidate.values(r, c);
        double value = quantize(old + gradient[c] / curvature,
                                at(candidate.parameters, r, c), stored);
        double step = value - old;
        // Loss changes by step^2 h - 2 step g.
        if (step == 0 || !(step * (step * curvature - 2 * gradient[c]) < 0))
          continue;
        candidate.values(r, c) = value;
        candidate.stored[r * columns + c] = stored;
        gradient -= step * p.moment.col(c);
        hasMoved = true;
      }
      if (!hasMoved)
        break;
    }
  }
  measure(candidate);
}

/// Channels are independent: each takes the better of two candidates.
void MatrixRounder::keepBetter(Candidate &best, const Candidate &other) const {
  for (int64_t channel = 0; channel < channels; ++channel) {
    int64_t first = channel * p.rowsPerChannel, count = p.rowsPerChannel;
    if (!(other.losses.segment(first, count).sum() <
          best.losses.segment(first, count).sum()))
      continue;
    best.losses.segment(first, count) = other.losses.segment(first, count);
    best.values.middleRows(first, count) =
        other.values.middleRows(first, count);
    std::copy_n(other.stored.begin() + first * columns, count * columns,
                best.stored.begin() + first * columns);
    std::copy_n(other.parameters.begin() + channel * groups, groups,
                best.parameters.begin() + channel * groups);
  }
}

RoundedMatrix MatrixRounder::run(Rounding rounding) {
  Candidate best = roundNearest(fitAll(1));
  for (double share : llvm::drop_begin(kShares))
    keepBetter(best, roundNearest(fitAll(share)));
  keepBetter(best, roundNearest(fitByDiagonal()));
  RoundedMatrix result;
  result.nearestLoss = best.losses.sum();
  result.signal = (p.weights * p.moment).cwiseProduct(p.weights).sum();
  if (rounding == Rounding::Gptq) {
    isFactored = factor();
    if (isFactored) {
      double work = double(rows) * columns * columns;
      keepBetter(best, roundColumns(best.parameters));
      keepBetter(best, roundColumns(fitByDiagonal()));
      if (work <= kFullSearchWork)
        for (double share : kShares)
          keepBetter(best, roundColumns(fitAll(share)));
      result.dampings = dampings;
    } else {
      result.dampings = std::nullopt;
    }
    Candidate refined = best;
    descend(refined);
    keepBetter(best, refined);
  }
  result.loss = best.losses.sum();
  result.stored = std::move(best.stored);
  for (const Parameters &parameters : best.parameters) {
    result.scales.push_back(float(parameters.scale));
    result.zeroPoints.push_back(parameters.zeroPoint);
  }
  return result;
}

RoundedMatrix qopt::roundMatrix(const RoundingProblem &problem,
                                Rounding rounding) {
  return MatrixRounder(problem).run(rounding);
}
