//===- RecipeTarget.cpp - Fuzzing of recipes ------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What is read is written and read again, and carried out.
//===----------------------------------------------------------------------===//
#include "MutateText.h"
#include "SmallModel.h"
#include "qopt/Support/Escape.h"

#include <cstdlib>

using namespace qopt;

QOPT_FUZZ_MUTATES_TEXT()

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  llvm::StringRef text(reinterpret_cast<const char *>(data), size);
  // Flags are text when they arrive: bytes that are none are escaped.
  std::string flag = toUtf8(text);
  fuzz::expectNoDefect(parseLayerFlag(flag).status());
  fuzz::expectNoDefect(parseTransforms(flag).status());
  SettingsOrigin origin = SettingsOrigin::ofJson("recipe.json");
  auto settings = parseSettings(text, "recipe.json");
  if (!settings.ok()) {
    fuzz::expectNoDefect(settings.status());
    return 0;
  }
  if (absl::Status status = checkSettings(*settings, origin); !status.ok()) {
    fuzz::expectNoDefect(status);
    return 0;
  }
  auto recipe = Recipe::make(*settings, RecipeDefaults(), origin);
  if (!recipe.ok()) {
    fuzz::expectNoDefect(recipe.status());
    return 0;
  }
  auto again = parseSettings(recipe->toJson(), "again.json");
  if (!again.ok())
    std::abort();
  fuzz::runRecipe(*recipe);
  return 0;
}
