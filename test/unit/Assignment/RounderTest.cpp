//===- RounderTest.cpp - What every method of rounding promises -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// Iterates the rows of Rounders.def: a new method is tested by being there.
//===----------------------------------------------------------------------===//
#include "RoundingProblems.h"

#include <gtest/gtest.h>
#include <set>
#include <thread>

using namespace qopt;

namespace {
class EveryRounder : public testing::TestWithParam<Rounder> {};

/// Signed, unsigned with zero points, and tables; with and without groups and
/// shared rows; 7 rows and 37 columns fill no block.
std::vector<RoundingProblem> makeProblems(const Matrix &moment, unsigned seed) {
  std::vector<RoundingProblem> problems;
  for (int bits : {2, 3, 4, 7})
    for (int64_t group : {0, 16})
      for (int64_t perChannel : {1, 3}) {
        RoundingProblem problem = makeProblem(9, moment, bits);
        problem.weights += 0.5 * makeRandom(9, moment.rows(), seed);
        problem.group = group;
        problem.rowsPerChannel = perChannel;
        problems.push_back(problem);
        problem.weights.array() += 0.4;
        problem.grid = {0, (1 << bits) - 1, true, {}};
        problems.push_back(problem);
        problem.grid = {0, 3, false, {-127, -20, 31, 127}};
        problem.leastScales.assign(9 / perChannel, 0.001);
        problems.push_back(problem);
      }
  return problems;
}

TEST_P(EveryRounder, StaysOnTheGridAndIsNotWorseThanNearest) {
  for (unsigned seed : {1, 2, 3}) {
    Matrix moment = makeMoment(37, 10 * seed);
    for (const RoundingProblem &problem : makeProblems(moment, seed)) {
      RoundedMatrix result = roundMatrix(problem, GetParam());
      for (int32_t q : result.stored)
        EXPECT_TRUE(q >= problem.grid.low && q <= problem.grid.high);
      for (int32_t zero : result.zeroPoints)
        EXPECT_TRUE(problem.grid.hasZeroPoints
                        ? zero >= problem.grid.low && zero <= problem.grid.high
                        : zero == 0);
      for (float scale : result.scales)
        EXPECT_TRUE(scale > 0 && std::isfinite(scale));
      EXPECT_NEAR(getLoss(problem, result), result.loss, 1e-6 * result.signal);
      EXPECT_LE(result.loss, result.nearestLoss);
      EXPECT_LE(result.nearestLoss, result.plainLoss);
    }
  }
}

TEST_P(EveryRounder, DoesNotDependOnThreads) {
  Matrix moment = makeMoment(37, 4);
  for (const RoundingProblem &problem : makeProblems(moment, 5)) {
    RoundedMatrix whole = roundMatrix(problem, GetParam());
    MatrixRounder rounder(problem, GetParam());
    rounder.prepare();
    std::vector<std::thread> threads;
    for (int64_t i = rounder.numChannels(); i-- > 0;)
      threads.emplace_back([&, i] { rounder.round(i, i + 1); });
    for (std::thread &thread : threads)
      thread.join();
    RoundedMatrix parts = rounder.take();
    EXPECT_EQ(whole.stored, parts.stored);
    EXPECT_EQ(whole.scales, parts.scales);
    EXPECT_EQ(whole.zeroPoints, parts.zeroPoints);
    EXPECT_EQ(whole.loss, parts.loss);
  }
}

TEST_P(EveryRounder, KeepsWhatIsOnTheGrid) {
  Matrix moment = makeMoment(20, 6);
  RoundingProblem problem = makeProblem(4, moment, 4);
  for (int64_t i = 0; i < problem.weights.size(); ++i)
    problem.weights.data()[i] = 0.25 * double(i * 5 % 15 - 7);
  RoundedMatrix result = roundMatrix(problem, GetParam());
  EXPECT_EQ(result.loss, 0);
  for (int64_t i = 0; i < problem.weights.size(); ++i)
    EXPECT_EQ(result.scales[i / 20] * float(result.stored[i]),
              float(problem.weights.data()[i]));
}

TEST_P(EveryRounder, TakesInputsThatAreZeroAndMatricesOfOneElement) {
  for (int64_t columns : {1, 5}) {
    Matrix zero = Matrix::Zero(columns, columns);
    RoundingProblem problem = makeProblem(2, zero, 4);
    RoundedMatrix result = roundMatrix(problem, GetParam());
    EXPECT_EQ(result.loss, 0);
    for (int64_t i = 0; i < problem.weights.size(); ++i)
      EXPECT_LE(std::fabs(problem.weights.data()[i] -
                          result.scales[i / columns] * result.stored[i]),
                0.51 * result.scales[i / columns]);
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, EveryRounder, testing::ValuesIn(getRounders()),
                         [](const auto &row) { return row.param.name.str(); });

TEST(Rounders, HaveNamesThatOptionsCanSpell) {
  std::set<std::string> names;
  for (const Rounder &row : getRounders()) {
    EXPECT_TRUE(names.insert(row.name.str()).second) << row.name.str();
    for (char c : row.name)
      EXPECT_TRUE(std::islower(c) || std::isdigit(c) || c == '-')
          << row.name.str();
    EXPECT_FALSE(row.summary.empty());
    EXPECT_FALSE(row.source.empty());
    EXPECT_EQ(lookupRounder(row.name), &row);
  }
  EXPECT_EQ(lookupRounder("up"), nullptr);
  EXPECT_TRUE(lookupRounder(kNearestRounder));
}
} // namespace
