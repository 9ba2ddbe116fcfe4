//===- RoundingTest.cpp - Weights rounded against their inputs ------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Small matrices against plain loops and exhaustive search; parts of a matrix
// against the whole, so that threads cannot show in the result.
//===----------------------------------------------------------------------===//
#include "RoundingProblems.h"
#include "lib/Assignment/LevelTable.h"
#include "lib/Assignment/Rounding/Factor.h"
#include "lib/Assignment/Rounding/LearnLevels.h"
#include "lib/Assignment/Rounding/MatrixKernels.h"

#include <gtest/gtest.h>

using namespace qopt;

namespace {
const Rounder &kNearest = *lookupRounder("nearest");
const Rounder &kGptq = *lookupRounder("gptq");

TEST(MatrixKernels, ProductsAreSums) {
  // Tiles, their rests, and more depth than one panel holds.
  for (auto [rows, columns, depth] :
       {std::tuple(1, 1, 1), {5, 9, 300}, {130, 170, 33}, {8, 16, 512}}) {
    Matrix a = makeRandom(rows, depth, 1), b = makeRandom(depth, columns, 2);
    Matrix c = makeRandom(rows, columns, 3), expected = c + a * b, got = c;
    Block to{got.data(), columns};
    Extents extents{rows, columns, depth};
    addProduct(to, {a.data(), depth}, {b.data(), columns}, extents);
    EXPECT_LT((got - expected).cwiseAbs().maxCoeff(), 1e-12 * depth);
    Matrix transposed = b.transpose();
    subtractProductTransposed(to, {a.data(), depth}, {transposed.data(), depth},
                              extents);
    EXPECT_LT((got - c).cwiseAbs().maxCoeff(), 1e-12 * depth);
  }
}

TEST(MatrixKernels, RowsDoNotDependOnTiles) {
  int64_t rows = 37, columns = 45, depth = 300;
  Matrix a = makeRandom(rows, depth, 1), b = makeRandom(depth, columns, 2);
  Matrix whole = Matrix::Zero(rows, columns), parts = whole;
  addProduct({whole.data(), columns}, {a.data(), depth}, {b.data(), columns},
             {rows, columns, depth});
  for (int64_t r = 0; r < rows; ++r)
    addProduct({parts.data() + r * columns, columns},
               {a.data() + r * depth, depth}, {b.data(), columns},
               {1, columns, depth});
  EXPECT_EQ(whole, parts);
}

TEST(MatrixKernels, OuterProductsReadThroughOffsets) {
  std::vector<float> x;
  for (int i = 0; i < 50 * 12; ++i)
    x.push_back(float(i * 37 % 101) - 50);
  std::vector<int64_t> offsets = {1, 4, 6, 11, 0};
  Matrix got = Matrix::Zero(5, 5);
  addOuterProducts({got.data(), 5}, {x.data(), 12, offsets.data()}, 0,
                   {5, 5, 50});
  for (int i = 0; i < 5; ++i)
    for (int j = 0; j <= i; ++j) {
      double sum = 0;
      for (int k = 0; k < 50; ++k)
        sum += double(x[k * 12 + offsets[i]]) * x[k * 12 + offsets[j]];
      EXPECT_EQ(got(i, j), sum) << i << ' ' << j;
    }
}

TEST(Factor, GivesTheDampedMomentBack) {
  Matrix moment = makeMoment(150, 3); // more than one block
  Factor factor = factorMoment(moment);
  ASSERT_EQ(factor.dampings, 0);
  Matrix product = factor.lower * factor.lower.transpose();
  double damping = 0.01 * moment.diagonal().mean();
  for (int64_t i = 0; i < 150; ++i)
    for (int64_t j = 0; j < 150; ++j)
      EXPECT_NEAR(product(i, j),
                  moment(factor.order[i], factor.order[j]) +
                      (i == j ? damping : 0),
                  1e-11);
  for (int64_t i = 1; i < 150; ++i)
    EXPECT_LE(moment(factor.order[i - 1], factor.order[i - 1]),
              moment(factor.order[i], factor.order[i]));
}

TEST(Factor, CannotFail) {
  // One sample seen 40 times, and inputs that are always zero.
  Matrix x = makeRandom(1, 40, 1);
  x.rightCols(10).setZero();
  Matrix rankOne = x.transpose() * x;
  EXPECT_EQ(factorMoment(rankOne).dampings, 0);
  // Not a moment at all: damped until it is one.
  Matrix indefinite = Matrix::Identity(4, 4);
  indefinite(0, 1) = indefinite(1, 0) = 100;
  Factor factor = factorMoment(indefinite);
  ASSERT_TRUE(factor.dampings);
  EXPECT_GT(*factor.dampings, 5);
  EXPECT_FALSE(factorMoment(Matrix::Zero(3, 3)).dampings);
}

TEST(Gptq, LossesAreThoseOfTheResult) {
  Matrix moment = makeMoment(70, 5);
  for (int bits : {2, 3, 4, 8})
    for (bool hasZeros : {false, true})
      for (int64_t group : {0, 32}) {
        RoundingProblem problem = makeProblem(6, moment, bits);
        problem.group = group;
        problem.rowsPerChannel = 2;
        if (hasZeros) {
          problem.grid = {0, (1 << bits) - 1, true, {}};
          problem.weights.array() += 0.3;
        }
        RoundedMatrix nearest = roundMatrix(problem, kNearest);
        RoundedMatrix result = roundMatrix(problem, kGptq);
        EXPECT_NEAR(getLoss(problem, result), result.loss,
                    1e-6 * result.signal);
        EXPECT_NEAR(getLoss(problem, nearest), nearest.loss,
                    1e-6 * result.signal);
        EXPECT_LT(result.loss, 0.7 * nearest.loss);
        EXPECT_LE(nearest.loss, nearest.plainLoss);
        for (int32_t q : result.stored)
          EXPECT_TRUE(q >= problem.grid.low && q <= problem.grid.high);
      }
}

TEST(Gptq, IsCloseToTheBestOfAll) {
  // 4^6 choices of levels under the scale that was chosen.
  Matrix moment = makeMoment(6, 9);
  RoundingProblem problem = makeProblem(8, moment, 2);
  RoundedMatrix result = roundMatrix(problem, kGptq);
  double best = 0;
  for (int64_t r = 0; r < 8; ++r) {
    double least = INFINITY;
    for (int code = 0; code < 4096; ++code) {
      Eigen::RowVectorXd error = problem.weights.row(r);
      for (int c = 0; c < 6; ++c)
        error[c] -= double(result.scales[r]) * ((code >> 2 * c & 3) - 2);
      least = std::min(least, (error * moment).dot(error));
    }
    best += least;
  }
  EXPECT_GE(result.loss, best * (1 - 1e-9));
  EXPECT_LE(result.loss, best * 1.1);
}

TEST(Gptq, ChannelsDoNotDependOnTheirNeighbours) {
  Matrix moment = makeMoment(100, 4);
  RoundingProblem problem = makeProblem(300, moment, 4);
  RoundedMatrix whole = roundMatrix(problem, kGptq);
  MatrixRounder rounder(problem, kGptq);
  rounder.prepare();
  // Last ones first, one or seven at a time.
  for (int64_t last = 300; last > 0;) {
    int64_t first = last % 2 ? last - 1 : std::max<int64_t>(0, last - 7);
    rounder.round(first, last);
    last = first;
  }
  RoundedMatrix parts = rounder.take();
  EXPECT_EQ(whole.stored, parts.stored);
  EXPECT_EQ(whole.scales, parts.scales);
  EXPECT_EQ(whole.loss, parts.loss);
}

/// Sums over all tables are out of reach; those of two levels are not.
TEST(LevelTable, IsTheBest) {
  Matrix values = makeRandom(1, 60, 3) * 40;
  LevelHistogram histogram;
  std::vector<std::pair<double, double>> points;
  for (int i = 0; i < 60; ++i) {
    // Where the histogram has its steps, so that both see the same numbers.
    double value = std::nearbyint(values(0, i) * 16) / 16;
    points.emplace_back(std::clamp(value, -127.0, 127.0), 1 + i % 5);
    histogram.add(value, 1 + i % 5);
  }
  auto getCost = [&](auto... levels) {
    double sum = 0;
    for (auto [value, weight] : points)
      sum += weight * std::pow(std::min({std::fabs(value - levels)...}), 2);
    return sum;
  };
  double least = INFINITY;
  for (int a = -127; a < 127; ++a)
    for (int b = a + 1; b <= 127; ++b)
      least = std::min(least, getCost(a, b));
  std::vector<int8_t> table = histogram.learn(1);
  ASSERT_EQ(table.size(), 2u);
  EXPECT_NEAR(getCost(table[0], table[1]), least, 1e-9 * least);
  // No byte next to one of eight levels is better.
  std::vector<int8_t> t = histogram.learn(3);
  double eight = getCost(t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7]);
  EXPECT_LT(eight, least / 4);
  for (int k = 0; k < 8; ++k)
    for (int step : {-1, 1}) {
      std::vector<int> u(t.begin(), t.end());
      u[k] += step;
      EXPECT_GE(getCost(u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7]),
                eight * (1 - 1e-12));
    }
}

TEST(LevelTable, HasItsLevelsEvenForOneNumber) {
  LevelHistogram histogram;
  histogram.add(3, 1);
  std::vector<int8_t> table = histogram.learn(4);
  ASSERT_EQ(table.size(), 16u);
  EXPECT_TRUE(std::is_sorted(table.begin(), table.end(), std::less_equal<>()));
  EXPECT_TRUE(std::find(table.begin(), table.end(), 3) != table.end());
}

TEST(LevelTable, HasZeroWhereItIsNeeded) {
  LevelHistogram histogram;
  for (double value : {-120, -5, 37, 90})
    histogram.add(value, 1);
  EXPECT_EQ(histogram.learn(2), (std::vector<int8_t>{-120, -5, 37, 90}));
  histogram.needZero();
  EXPECT_EQ(histogram.learn(2), (std::vector<int8_t>{-120, 0, 37, 90}));
}

/// Weights as networks have them: heavier tails than a normal distribution,
/// columns of different size, and inputs that matter differently.
RoundingProblem makeHeavyTails(const Matrix &moment, int64_t rows) {
  RoundingProblem problem;
  problem.weights = makeRandom(rows, moment.rows(), 21);
  for (double &value : problem.weights.reshaped())
    value *= std::fabs(value);
  problem.moment = &moment;
  return problem;
}

/// A dead channel has no scale that could make another level small.
TEST(LearnLevels, KeepDeadChannelsAtZero) {
  Matrix moment = Matrix::Identity(4, 4);
  RoundingProblem problem;
  problem.weights = Matrix::Zero(2, 4);
  problem.weights.row(0) << -1200, -500, 370, 1270;
  problem.moment = &moment;
  problem.grid.table = {-127, 0, 30, 127};
  std::vector<int8_t> table = learnLevels({problem});
  EXPECT_NE(std::find(table.begin(), table.end(), 0), table.end());
}

TEST(LearnLevels, BeatFixedTablesAndUniformLevels) {
  struct Case {
    int bits;
    std::vector<int8_t> fixed;
  } cases[] = {{2, {-127, 0, 43, 127}},
               {3, {-127, -61, -28, 0, 20, 43, 71, 127}},
               {4,
                {-127, -88, -67, -50, -36, -23, -12, 0, 10, 20, 31, 43, 56, 71,
                 92, 127}}};
  Matrix moment = makeMoment(64, 17);
  for (int64_t group : {0, 32})
    for (const Case &c : cases) {
      RoundingProblem uniform = makeHeavyTails(moment, 48);
      uniform.group = group;
      uniform.grid.low = -(1 << (c.bits - 1));
      uniform.grid.high = (1 << (c.bits - 1)) - 1;
      RoundingProblem fixed = uniform, learned = uniform;
      fixed.grid.table = learned.grid.table = c.fixed;
      learned.grid.table = learnLevels(learned);
      for (const Rounder *rounding : {&kNearest, &kGptq}) {
        double own = roundMatrix(learned, *rounding).loss;
        EXPECT_LT(own, 0.96 * roundMatrix(fixed, *rounding).loss)
            << c.bits << " bits, groups of " << group;
        EXPECT_LT(own, 0.92 * roundMatrix(uniform, *rounding).loss)
            << c.bits << " bits, groups of " << group;
      }
    }
}

TEST(Gptq, RangesAreClippedByWhatInputsWeigh) {
  // One large weight whose input hardly moves: its error does not count.
  Matrix moment = makeMoment(40, 2);
  moment.row(7) *= 1e-4;
  moment.col(7) *= 1e-4;
  RoundingProblem problem = makeProblem(4, moment, 3);
  problem.weights.col(7).setConstant(6);
  RoundedMatrix symmetric = roundMatrix(problem, kNearest);
  EXPECT_LT(symmetric.nearestLoss, 0.5 * symmetric.plainLoss);
  // With zero points only its own end gives way.
  problem.grid = {0, 7, true, {}};
  RoundedMatrix ends = roundMatrix(problem, kNearest);
  EXPECT_LT(ends.nearestLoss, 0.5 * ends.plainLoss);
  for (int r = 0; r < 4; ++r) {
    double high = ends.scales[r] * (7 - ends.zeroPoints[r]);
    EXPECT_LT(high, 5);
    EXPECT_LT(ends.scales[r] * -ends.zeroPoints[r],
              0.6 * problem.weights.row(r).minCoeff());
  }
}

TEST(Gptq, TakesWhatCannotBeFactored) {
  Matrix zero = Matrix::Zero(5, 5);
  RoundingProblem problem = makeProblem(2, zero, 4);
  RoundedMatrix result = roundMatrix(problem, kGptq);
  EXPECT_FALSE(result.dampings);
  for (int64_t i = 0; i < 10; ++i)
    EXPECT_LE(std::fabs(problem.weights.data()[i] -
                        result.scales[i / 5] * result.stored[i]),
              0.51 * result.scales[i / 5]);
}
} // namespace
