//===- BruteForceTest.cpp - Every plan of small random programs -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// An independent check of the solver: tries every choice and keeps the best.
//===----------------------------------------------------------------------===//
#include "qopt/Assignment/Solver.h"

#include <gtest/gtest.h>
#include <random>

using namespace qopt;

namespace {
using Random = std::mt19937_64;

int draw(Random &random, int low, int high) {
  return low + int(random() % uint64_t(high - low + 1));
}
double drawReal(Random &random, double scale) {
  return scale * double(random() % 1000000) / 1e6;
}
std::vector<double> drawCosts(Random &random) {
  return {double(draw(random, 1, 40)), drawReal(random, 5),
          double(draw(random, 0, 9)) * 1e5};
}

/// Up to `maxNodes` nodes with up to four options and three budgets, ties and
/// pins; with `hasEdges` also formats, conversions, memory and code size.
PlanProblem makeRandom(Random &random, int maxNodes, bool hasEdges) {
  PlanProblem problem;
  problem.resources = {
      {"size", INFINITY, 3}, {"latency", INFINITY, 0.5}, {"macs"}};
  int nodes = draw(random, 2, maxNodes);
  int edges = hasEdges ? draw(random, 1, 3) : 0;
  for (int e = 0; e < edges; ++e) {
    PlanEdge edge{"t" + std::to_string(e), {}, {}};
    for (int a = 0, count = draw(random, 1, 2); a < count; ++a)
      edge.formats.push_back({a, drawReal(random, 0.2), drawCosts(random),
                              double(draw(random, 10, 90))});
    if (edge.formats.size() == 2 && draw(random, 0, 1))
      edge.conversions.push_back({draw(random, 0, 1), 0, drawCosts(random)});
    problem.edges.push_back(std::move(edge));
  }
  if (hasEdges)
    problem.kernels = {{"a", 100}, {"b", 60}};
  for (int n = 0; n < nodes; ++n) {
    PlanNode node{"n" + std::to_string(n), {}, {}, -1};
    if (edges && draw(random, 0, 1))
      node.inputs.push_back(draw(random, 0, edges - 1));
    if (edges && draw(random, 0, 1))
      node.output = draw(random, 0, edges - 1);
    for (int c = 0, count = draw(random, 1, 4); c < count; ++c) {
      PlanOption option;
      option.name = "w" + std::to_string(c);
      option.loss = drawReal(random, 1);
      option.costs = drawCosts(random);
      if (hasEdges) {
        option.kernel = draw(random, -1, 1);
        option.scratchBytes = draw(random, 0, 50);
        option.emits = draw(random, -1, 1);
        if (!node.inputs.empty() && draw(random, 0, 1))
          option.accepts = {{draw(random, 0, 1)}};
      }
      node.options.push_back(std::move(option));
    }
    problem.nodes.push_back(std::move(node));
  }
  for (int i = 0; i < 2 && nodes >= 4; ++i)
    if (draw(random, 0, 1))
      problem.ties.push_back({2 * i, 2 * i + 1});
  if (draw(random, 0, 4) == 0)
    problem.pins.push_back({0, "w0"});
  if (draw(random, 0, 4) == 0)
    problem.lossCap = 0.9;
  if (hasEdges) {
    for (int n = 0; n < nodes; ++n)
      problem.points.push_back({"", {draw(random, 0, edges - 1)}, n});
    if (draw(random, 0, 2) == 0)
      problem.memoryLimit = draw(random, 40, 130);
    if (draw(random, 0, 2) == 0)
      problem.codeLimit = draw(random, 50, 160);
  }
  return problem;
}

/// Calls `visit` with every choice.
template <typename Visit>
void forEachChoice(const PlanProblem &problem, Visit visit) {
  std::vector<int> sizes, digits;
  for (const PlanNode &node : problem.nodes)
    sizes.push_back(int(node.options.size()));
  for (const PlanEdge &edge : problem.edges)
    sizes.push_back(int(edge.formats.size()));
  for (const PlanNode &node : problem.nodes)
    sizes.insert(sizes.end(), node.inputs.size(), 2); // formats 0 and 1
  digits.assign(sizes.size(), 0);
  while (true) {
    PlanChoice choice;
    size_t at = problem.nodes.size();
    choice.options.assign(digits.begin(), digits.begin() + at);
    for (size_t e = 0; e < problem.edges.size(); ++e)
      choice.formats.push_back(digits[at++]);
    for (const PlanNode &node : problem.nodes) {
      choice.reads.emplace_back();
      for (size_t i = 0; i < node.inputs.size(); ++i)
        choice.reads.back().push_back(digits[at++]);
    }
    visit(choice);
    size_t i = 0;
    while (i < digits.size() && ++digits[i] == sizes[i])
      digits[i++] = 0;
    if (i == digits.size())
      return;
  }
}

bool isSame(double a, double b) {
  return std::fabs(a - b) <= 1e-9 * std::max(1.0, std::fabs(a));
}

/// Whether a choice keeps the rules, written out once more.
bool keepsRules(const PlanProblem &p, const PlanChoice &choice) {
  for (size_t n = 0; n < p.nodes.size(); ++n) {
    const PlanNode &node = p.nodes[n];
    const PlanOption &option = node.options[choice.options[n]];
    if (option.loss > p.lossCap)
      return false;
    if (node.output >= 0 && option.emits >= 0 &&
        p.edges[node.output].formats[choice.formats[node.output]].format !=
            option.emits)
      return false;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const PlanEdge &edge = p.edges[node.inputs[i]];
      int stored = edge.formats[choice.formats[node.inputs[i]]].format;
      int read = choice.reads[n][i];
      bool exists = stored == read;
      for (const PlanEdge::Conversion &conversion : edge.conversions)
        exists |= conversion.from == stored && conversion.to == read;
      if (!exists)
        return false;
      if (i < option.accepts.size() && !option.accepts[i].empty() &&
          std::count(option.accepts[i].begin(), option.accepts[i].end(),
                     read) == 0)
        return false;
    }
  }
  auto name = [&](int n) { return p.nodes[n].options[choice.options[n]].name; };
  for (const std::vector<int> &tie : p.ties)
    if (name(tie[0]) != name(tie[1]))
      return false;
  for (const PlanPin &pin : p.pins)
    if (name(pin.node) != pin.option)
      return false;
  return true;
}

/// Sums of a choice, written out once more.
void addUp(const PlanProblem &p, const PlanChoice &choice, double &loss,
           std::vector<double> &used, double &memory, double &code) {
  loss = memory = code = 0;
  used.clear();
  for (size_t r = 0; r < p.resources.size(); ++r) {
    double sum = p.resources[r].fixed;
    for (size_t n = 0; n < p.nodes.size(); ++n) {
      sum += p.nodes[n].options[choice.options[n]].costs[r];
      for (size_t i = 0; i < p.nodes[n].inputs.size(); ++i) {
        const PlanEdge &edge = p.edges[p.nodes[n].inputs[i]];
        int stored = edge.formats[choice.formats[p.nodes[n].inputs[i]]].format;
        if (stored != choice.reads[n][i])
          for (const PlanEdge::Conversion &conversion : edge.conversions)
            sum += conversion.costs[r];
      }
    }
    for (size_t e = 0; e < p.edges.size(); ++e)
      sum += p.edges[e].formats[choice.formats[e]].costs[r];
    used.push_back(sum);
  }
  std::vector<bool> kernels(p.kernels.size());
  for (size_t n = 0; n < p.nodes.size(); ++n) {
    const PlanOption &option = p.nodes[n].options[choice.options[n]];
    loss += option.loss;
    if (option.kernel >= 0)
      kernels[option.kernel] = true;
  }
  for (size_t e = 0; e < p.edges.size(); ++e)
    loss += p.edges[e].formats[choice.formats[e]].loss;
  for (size_t k = 0; k < kernels.size(); ++k)
    code += kernels[k] ? p.kernels[k].bytes : 0;
  for (const ProgramPoint &point : p.points) {
    double bytes =
        p.nodes[point.node].options[choice.options[point.node]].scratchBytes;
    for (int e : point.edges)
      bytes += p.edges[e].formats[choice.formats[e]].bytes;
    memory = std::max(memory, bytes);
  }
}

/// Budgets that are met by some plans and not by others.
void drawLimits(Random &random, PlanProblem &problem) {
  std::vector<double> low(3, INFINITY), high(3, 0);
  forEachChoice(problem, [&](const PlanChoice &choice) {
    double loss, memory, code;
    std::vector<double> used;
    addUp(problem, choice, loss, used, memory, code);
    for (int r = 0; r < 3; ++r) {
      low[r] = std::min(low[r], used[r]);
      high[r] = std::max(high[r], used[r]);
    }
  });
  for (int r = 0; r < 3; ++r)
    problem.resources[r].limit =
        low[r] + (0.2 + drawReal(random, 0.7)) * (high[r] - low[r]);
}

void compare(const PlanProblem &problem, int seed, int &feasible) {
  double best = INFINITY;
  std::vector<double> least(3, INFINITY);
  forEachChoice(problem, [&](const PlanChoice &choice) {
    if (!keepsRules(problem, choice))
      return;
    double loss, memory, code;
    std::vector<double> used;
    addUp(problem, choice, loss, used, memory, code);
    if (memory > problem.memoryLimit || code > problem.codeLimit)
      return;
    int kept = 0, broken = -1;
    for (int r = 0; r < 3; ++r) {
      bool keeps = used[r] <= problem.resources[r].limit * (1 + 1e-12);
      kept += keeps;
      broken = keeps ? broken : r;
    }
    if (kept == 3)
      best = std::min(best, loss);
    for (int r = 0; r < 3; ++r)
      if (kept == 3 || (kept == 2 && broken == r))
        least[r] = std::min(least[r], used[r]);
  });
  absl::StatusOr<SolveResult> result = solve(problem);
  ASSERT_TRUE(result.ok()) << "seed " << seed << ": " << result.status();
  if (std::isinf(best)) {
    EXPECT_EQ(result->status, SolveResult::Status::Infeasible)
        << "seed " << seed;
    for (size_t i = 0; i < result->smallest.size(); ++i) {
      double value = result->smallest[i].withOthers;
      EXPECT_TRUE(std::isinf(least[i]) ? std::isnan(value)
                                       : isSame(least[i], value))
          << "seed " << seed << ": " << least[i] << " " << value;
    }
    return;
  }
  ++feasible;
  ASSERT_EQ(result->status, SolveResult::Status::Optimal) << "seed " << seed;
  EXPECT_TRUE(isSame(result->totals.loss, best))
      << "seed " << seed << ": " << result->totals.loss << " for " << best;
  EXPECT_TRUE(keepsRules(problem, result->choice)) << "seed " << seed;
  double loss, memory, code;
  std::vector<double> used;
  addUp(problem, result->choice, loss, used, memory, code);
  EXPECT_TRUE(isSame(loss, best)) << "seed " << seed;
  for (int r = 0; r < 3; ++r)
    EXPECT_LE(used[r], problem.resources[r].limit * (1 + 1e-12));
}
} // namespace

TEST(BruteForce, Widths) {
  int feasible = 0;
  for (int seed = 0; seed < 500; ++seed) {
    Random random(seed);
    PlanProblem problem = makeRandom(random, 7, /*hasEdges=*/false);
    drawLimits(random, problem);
    compare(problem, seed, feasible);
  }
  std::printf("500 programs, %d feasible\n", feasible);
  EXPECT_GT(feasible, 250);
}

TEST(BruteForce, FormatsMemoryAndCode) {
  int feasible = 0;
  for (int seed = 0; seed < 300; ++seed) {
    Random random(1000 + seed);
    PlanProblem problem = makeRandom(random, 4, /*hasEdges=*/true);
    drawLimits(random, problem);
    compare(problem, seed, feasible);
  }
  std::printf("300 programs, %d feasible\n", feasible);
  EXPECT_GT(feasible, 60);
}
