//===- PlanTarget.cpp - Fuzzing of plans ----------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What is read is written and read again, and carried out.
//===----------------------------------------------------------------------===//
#include "MutateText.h"
#include "SmallModel.h"

#include <cstdlib>

using namespace qopt;

QOPT_FUZZ_MUTATES_TEXT()

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  llvm::StringRef text(reinterpret_cast<const char *>(data), size);
  auto plan = Plan::fromJson(text, "plan.json");
  if (!plan.ok()) {
    fuzz::expectNoDefect(plan.status());
    return 0;
  }
  std::string written = plan->toJson();
  auto again = Plan::fromJson(written, "again.json");
  if (!again.ok() || again->toJson() != written)
    std::abort();
  RecipeSettings settings;
  settings["plan"] = toSetting(*plan);
  auto recipe = Recipe::make(settings, RecipeDefaults(),
                             SettingsOrigin::ofJson("plan.json"));
  if (!recipe.ok()) {
    fuzz::expectNoDefect(recipe.status());
    return 0;
  }
  fuzz::runRecipe(*recipe);
  return 0;
}
