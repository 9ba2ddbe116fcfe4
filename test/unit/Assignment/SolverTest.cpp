//===- SolverTest.cpp - Published programs and brute force ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The solver against the 18 programs of HAWQ-V3, against every plan of small
// random programs, and in words where there is no plan.
//===----------------------------------------------------------------------===//
#include "qopt/Assignment/Solver.h"

#include "llvm/ADT/STLExtras.h"
#include <chrono>
#include <gtest/gtest.h>

using namespace qopt;

namespace {
#include "HawqPrograms.inc"

struct Net {
  const std::vector<double> &trace, &delta8, &delta4, &parameters, &bops,
      &latency4, &latency8;
  double parameterUnit, bopsUnit;
  std::vector<std::vector<int>> ties;
};

const Net &getNet(const std::string &name) {
  static const Net kResNet18 = {kResNet18Trace,
                                kResNet18Delta8,
                                kResNet18Delta4,
                                kResNet18Parameters,
                                kResNet18Bops,
                                kResNet18Latency4,
                                kResNet18Latency8,
                                1.0 / (1 << 20),
                                1e-6,
                                {{4, 6}, {9, 11}, {14, 16}}};
  static const Net kResNet50 = {kResNet50Trace,
                                kResNet50Delta8,
                                kResNet50Delta4,
                                kResNet50Parameters,
                                kResNet50Bops,
                                kResNet50Latency4,
                                kResNet50Latency8,
                                1,
                                1,
                                {{0, 3}, {10, 13}, {23, 26}, {42, 45}}};
  return name == "resnet18" ? kResNet18 : kResNet50;
}

/// Options 0: 4 bits, 1: 8 bits; resources size, bops, lat without limits.
PlanProblem makeProgram(const Net &net) {
  PlanProblem problem;
  problem.resources = {{"size"}, {"bops"}, {"lat"}};
  for (size_t l = 0; l < net.trace.size(); ++l) {
    double size = net.parameters[l] * net.parameterUnit;
    double bops = net.bops[l] * net.bopsUnit;
    PlanNode node{"layer" + std::to_string(l), {}, {}, -1};
    PlanOption narrow, wide;
    narrow.name = "4";
    narrow.loss = net.trace[l] * net.delta4[l];
    narrow.costs = {size / 2, bops / 64, net.latency4[l]};
    wide.name = "8";
    wide.loss = net.trace[l] * net.delta8[l];
    wide.costs = {size, bops / 16, net.latency8[l]};
    node.options = {narrow, wide};
    problem.nodes.push_back(std::move(node));
  }
  problem.ties = net.ties;
  return problem;
}

double getAll(const PlanProblem &problem, int option, int resource) {
  double sum = 0;
  for (const PlanNode &node : problem.nodes)
    sum += resource < 0 ? node.options[option].loss
                        : node.options[option].costs[resource];
  return sum;
}

void setLimit(PlanProblem &problem, int resource, double share) {
  double low = getAll(problem, 0, resource),
         high = getAll(problem, 1, resource);
  problem.resources[resource].limit = low + share * (high - low);
}

std::string print(const SolveResult &result) {
  std::string plan;
  for (int option : result.choice.options)
    plan += option == 1 ? '8' : '4';
  return plan;
}

SolveResult solveOrFail(const PlanProblem &problem,
                        const SolveOptions &options = {}) {
  absl::StatusOr<SolveResult> result = solve(problem, options);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *result : SolveResult();
}
} // namespace

TEST(Solver, HawqPrograms) {
  auto start = std::chrono::steady_clock::now();
  for (const auto &answer : kAnswers) {
    PlanProblem problem = makeProgram(getNet(answer.net));
    std::string budget = answer.budget;
    setLimit(problem,
             budget == "size"   ? 0
             : budget == "bops" ? 1
                                : 2,
             answer.share);
    SolveResult result = solveOrFail(problem);
    EXPECT_EQ(result.status, SolveResult::Status::Optimal);
    EXPECT_EQ(print(result), answer.plan)
        << answer.net << " " << answer.budget << " " << answer.share;
    EXPECT_NEAR(result.totals.loss - getAll(problem, 0, -1), answer.objective,
                2e-6);
    EXPECT_EQ(result.getGap(), 0);
  }
  double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
  std::printf("18 programs: %.2f s\n", seconds);
  EXPECT_LT(seconds, 2);
}

// All three budgets at a half: the answer is that of the tightest.
TEST(Solver, HawqThreeBudgets) {
  for (auto [name, objective] :
       {std::pair("resnet18", -1.092024), std::pair("resnet50", -0.849897)}) {
    PlanProblem problem = makeProgram(getNet(name));
    for (int r = 0; r < 3; ++r)
      setLimit(problem, r, 0.5);
    SolveResult result = solveOrFail(problem);
    EXPECT_NEAR(result.totals.loss - getAll(problem, 0, -1), objective, 2e-6);
    EXPECT_TRUE(result.budgets[1].isBinding());
    EXPECT_FALSE(result.budgets[0].isBinding());
  }
}

// More budget never costs; another constraint never gains; a copy of an option
// changes nothing.
TEST(Solver, Monotone) {
  PlanProblem problem = makeProgram(getNet("resnet18"));
  double last = INFINITY;
  for (double share : {0.1, 0.3, 0.5, 0.7, 0.9, 1.0}) {
    setLimit(problem, 0, share);
    double loss = solveOrFail(problem).totals.loss;
    EXPECT_LE(loss, last);
    last = loss;
    PlanProblem tighter = problem;
    setLimit(tighter, 1, 0.5);
    EXPECT_GE(solveOrFail(tighter).totals.loss, loss);
    PlanProblem twice = problem;
    for (PlanNode &node : twice.nodes)
      node.options.push_back(node.options[0]);
    EXPECT_EQ(print(solveOrFail(twice)), print(solveOrFail(problem)));
  }
}

TEST(Solver, Front) {
  PlanProblem problem = makeProgram(getNet("resnet18"));
  absl::StatusOr<std::vector<SolveResult>> front = solveFront(problem, 0, 8);
  ASSERT_TRUE(front.ok());
  ASSERT_EQ(front->size(), 8u);
  EXPECT_EQ(print(front->front()), std::string(19, '4'));
  EXPECT_EQ(print(front->back()), std::string(19, '8'));
  for (size_t i = 1; i < front->size(); ++i) {
    EXPECT_LT((*front)[i].totals.loss, (*front)[i - 1].totals.loss);
    EXPECT_GT((*front)[i].totals.used[0], (*front)[i - 1].totals.used[0]);
  }
}

TEST(Solver, InfeasibleBudgetsNameTheSmallest) {
  PlanProblem problem = makeProgram(getNet("resnet18"));
  problem.resources[0].limit = 1;
  problem.resources[2].limit = 100;
  SolveResult result = solveOrFail(problem);
  EXPECT_EQ(result.status, SolveResult::Status::Infeasible);
  EXPECT_TRUE(result.conflicts.empty());
  ASSERT_EQ(result.smallest.size(), 2u);
  EXPECT_EQ(result.smallest[0].name, "size");
  EXPECT_NEAR(result.smallest[0].alone, getAll(problem, 0, 0), 1e-12);
  EXPECT_NEAR(result.smallest[0].withOthers, getAll(problem, 0, 0), 1e-12);
  // With the size as it is no latency helps.
  EXPECT_TRUE(std::isnan(result.smallest[1].withOthers));
  // The smallest named is feasible.
  problem.resources[0].limit = result.smallest[0].withOthers;
  EXPECT_EQ(solveOrFail(problem).status, SolveResult::Status::Optimal);
}

TEST(Solver, ConflictsAreAllNamed) {
  PlanProblem problem = makeProgram(getNet("resnet18"));
  problem.pins = {{4, "4"}, {6, "8"}, {9, "4"}, {11, "8"}, {0, "3"}};
  SolveResult result = solveOrFail(problem);
  EXPECT_EQ(result.status, SolveResult::Status::Infeasible);
  ASSERT_EQ(result.conflicts.size(), 3u);
  EXPECT_NE(result.conflicts[0].find("layer0"), std::string::npos);
  EXPECT_NE(result.conflicts[1].find("'layer4', 'layer6'"), std::string::npos);
  EXPECT_NE(result.conflicts[2].find("'layer9', 'layer11'"), std::string::npos);
}

TEST(Solver, CapAndPins) {
  PlanProblem problem = makeProgram(getNet("resnet18"));
  setLimit(problem, 0, 0.5);
  problem.lossCap = 0.05;
  problem.pins = {{17, "8"}};
  SolveResult result = solveOrFail(problem);
  EXPECT_EQ(result.choice.options[17], 1);
  for (auto [n, option] : llvm::enumerate(result.choice.options))
    EXPECT_LE(problem.nodes[n].options[option].loss, 0.05);
}

TEST(Solver, MalformedProgramsAreRefused) {
  PlanProblem problem = makeProgram(getNet("resnet18"));
  problem.nodes[3].options[0].costs.pop_back();
  problem.ties.push_back({99});
  EXPECT_FALSE(solve(problem).ok());
}

// A known plan is a start, and what is returned is never worse.
TEST(Solver, Incumbents) {
  PlanProblem problem = makeProgram(getNet("resnet50"));
  setLimit(problem, 0, 0.25);
  SolveOptions options;
  options.incumbents = {std::vector<int>(52, 1), std::vector<int>(52, 0)};
  options.nodeLimit = 1;
  SolveResult result = solveOrFail(problem, options);
  EXPECT_LE(result.totals.loss, getAll(problem, 0, -1));
  EXPECT_TRUE(fits(problem, result.totals));
  EXPECT_LE(result.bound, result.totals.loss);
}
