//===- SensitivityTest.cpp - Losses from measurements ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The arithmetic between what is measured and what is minimized, and the plan
// file.
//===----------------------------------------------------------------------===//
#include "qopt/Assignment/Plan.h"

#include <gtest/gtest.h>

using namespace qopt;

static Candidate makeCandidate(unsigned width, double error,
                               double divergence = NAN) {
  Candidate candidate;
  candidate.format = "si" + std::to_string(width);
  candidate.rounding = "gptq";
  candidate.width = width;
  candidate.storedBits = 10 * width;
  candidate.outputError = candidate.weightError = error;
  candidate.divergence = divergence;
  return candidate;
}

TEST(Sensitivity, NonIncreasing) {
  std::vector<double> values = {5, 3, 4, 1, 2, 2, 0};
  makeNonIncreasing(values);
  std::vector<double> expected = {5, 3.5, 3.5, 5. / 3, 5. / 3, 5. / 3, 0};
  for (size_t i = 0; i < values.size(); ++i)
    EXPECT_DOUBLE_EQ(values[i], expected[i]);
}

// At the probes the loss is what was measured; between them the factor is the
// geometric mean, beyond the second it stays.
TEST(Sensitivity, TwoProbes) {
  LayerCandidates layer;
  layer.candidates = {makeCandidate(2, 0.1, 1.0 - 1e-7),
                      makeCandidate(3, 0.03),
                      makeCandidate(4, 0.01, 0.4 - 1e-7),
                      makeCandidate(8, 0.0001)};
  auto probes = getProbes(layer, SensitivityKind::Proxy);
  ASSERT_EQ(probes.size(), 2u);
  EXPECT_EQ(probes[0], 0u);
  EXPECT_EQ(probes[1], 2u);
  fillLosses(layer, SensitivityKind::Proxy);
  EXPECT_NEAR(layer.candidates[0].loss, 1.0, 1e-12);
  EXPECT_NEAR(layer.candidates[1].loss, 0.03 * std::sqrt(10 * 40.0), 1e-9);
  EXPECT_NEAR(layer.candidates[2].loss, 0.4, 1e-12);
  EXPECT_NEAR(layer.candidates[3].loss, 0.0001 * 40, 1e-9);
}

TEST(Sensitivity, ProbesOfWideFormats) {
  LayerCandidates layer;
  layer.candidates = {makeCandidate(4, 0.1), makeCandidate(8, 0.01)};
  EXPECT_EQ(getProbes(layer, SensitivityKind::Proxy).size(), 1u);
  EXPECT_EQ(getProbes(layer, SensitivityKind::KL).size(), 2u);
  EXPECT_TRUE(getProbes(layer, SensitivityKind::WeightError).empty());
}

TEST(Sensitivity, Divergence) {
  Tensor p(DType::f32, {1, 2}), q(DType::f32, {1, 2});
  p.setFloat(0, 0.5), p.setFloat(1, 0.5);
  q.setFloat(0, 0.25), q.setFloat(1, 0.75);
  EXPECT_NEAR(getDivergence(p, q),
              0.5 * std::log(2.0) + 0.5 * std::log(0.5 / 0.75), 1e-7);
  EXPECT_EQ(getDivergence(p, p), 0);
  // No probabilities: noise over signal.
  p.setFloat(0, 3), p.setFloat(1, 4);
  q.setFloat(0, 3), q.setFloat(1, 3);
  EXPECT_DOUBLE_EQ(getDivergence(p, q), 1.0 / 25);
}

TEST(Sensitivity, PlanFile) {
  Plan plan;
  plan.model = "00";
  plan.sensitivity = "proxy";
  plan.metric = "divergence";
  plan.decisions.push_back(
      {"a", "qg.conv", "si4:g32", "gptq", 64, 300, 0.5, "why"});
  plan.budgets.push_back({"size", 12, 40, 0.25});
  plan.budgets.push_back({"avg-bits", 4});
  plan.front.push_back({"front 0", {"si4:g32"}, 0.5, 0.25, {12, 4}});
  plan.layers.push_back(
      {"a", "qg.conv", 64, 128, {makeCandidate(4, 0.1, 0.2)}});
  plan.rounds = {"taken: solved 0"};
  std::string text = plan.toJson();
  absl::StatusOr<Plan> read = Plan::fromJson(text, "plan.json");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->toJson(), text);
  EXPECT_TRUE(std::isinf(read->budgets[1].limit));
  EXPECT_EQ(read->front[0].used[1], 4);
  // Every field that is missing is an error that names it.
  std::string broken = text;
  broken.replace(broken.find("\"format\""), 8, "\"farmot\"");
  EXPECT_FALSE(Plan::fromJson(broken, "plan.json").ok());
  EXPECT_FALSE(Plan::fromJson("[]", "plan.json").ok());
  // A plan of the front that says nothing of a budget is written as it is.
  std::string silent = text;
  silent.replace(silent.rfind("\"used\": {"), 9, "\"unused\": {");
  read = Plan::fromJson(silent, "plan.json");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(Plan::fromJson(read->toJson(), "plan.json").ok());
  EXPECT_FALSE(Plan::fromJson("{", "plan.json").ok());
}
