//===- RecipeTest.cpp - Recipes are what they print -----------------------===//
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//
#include "qopt/Pipelines/Recipe.h"

#include <gtest/gtest.h>

using namespace qopt;

static SettingsOrigin getOrigin() { return SettingsOrigin::ofJson(""); }

/// Defaults that nothing of a whole recipe depends on.
static RecipeDefaults getOtherDefaults() {
  RecipeDefaults defaults;
  defaults.scheme = "qdq";
  defaults.requantize = "pow2";
  defaults.hasSamples = true;
  return defaults;
}

TEST(Recipe, EverySchemeMakesItselfAgain) {
  for (const SchemeRow &row : getSchemes()) {
    Recipe recipe = Recipe::ofScheme(row.name);
    RecipeSettings settings = recipe.toSettings();
    ASSERT_TRUE(checkSettings(settings, getOrigin()).ok()) << row.name;
    absl::StatusOr<Recipe> again =
        Recipe::make(settings, getOtherDefaults(), getOrigin());
    ASSERT_TRUE(again.ok()) << row.name << ": " << again.status().message();
    EXPECT_EQ(again->toJson(), recipe.toJson());
    EXPECT_EQ(recipe.isFloat() + recipe.keepsModel() + recipe.roundsRows() +
                  recipe.needsProfile(),
              1)
        << row.name;
  }
}

TEST(Recipe, EveryFieldReachesTheText) {
  // Another value than that of w8a8 for every row.
  RecipeSettings changed{{"weights", "si4"},
                         {"average_bits", 5.5},
                         {"activations", "ui6"},
                         {"rounding", "nearest"},
                         {"transforms", "auto"},
                         {"bias_correction", false},
                         {"requantize", "pow2"},
                         {"method", "entropy"},
                         {"samples", 7},
                         {"skip", 2},
                         {"per_channel_acts", true}};
  ASSERT_EQ(changed.size(), getRecipeFields().size());
  RecipeDefaults defaults;
  defaults.hasSamples = true;
  std::string plain = Recipe().toJson();
  for (const RecipeField &field : getRecipeFields()) {
    const llvm::json::Value *value = changed.get(field.key);
    ASSERT_TRUE(value) << field.key;
    RecipeSettings settings{{field.key, *value}};
    if (llvm::StringRef(field.key) == "average_bits")
      settings["weights"] = "si4";
    ASSERT_TRUE(checkSettings(settings, getOrigin()).ok()) << field.key;
    absl::StatusOr<Recipe> recipe =
        Recipe::make(settings, defaults, getOrigin());
    ASSERT_TRUE(recipe.ok()) << field.key;
    EXPECT_EQ(*recipe->toSettings().get(field.key), *value);
    EXPECT_NE(recipe->toJson(), plain) << field.key;
    absl::StatusOr<RecipeSettings> read =
        parseSettings(recipe->toJson(), "text");
    ASSERT_TRUE(read.ok()) << field.key;
    EXPECT_EQ(llvm::json::Value(std::move(*read)),
              llvm::json::Value(recipe->toSettings()));
  }
}

TEST(Recipe, WhatACallDecidesIsSpelledOut) {
  RecipeDefaults defaults;
  defaults.scheme = "w4a8";
  defaults.requantize = "fixed:17";
  auto make = [&](RecipeSettings settings) {
    absl::StatusOr<Recipe> recipe =
        Recipe::make(settings, defaults, getOrigin());
    EXPECT_TRUE(recipe.ok());
    return recipe.ok() ? *recipe : Recipe();
  };
  EXPECT_EQ(make({}).transforms, "none");
  EXPECT_EQ(make({}).requantize, "fixed:17");
  EXPECT_EQ(make({}).averageBits, 4.6);
  // Who names a format has chosen widths.
  EXPECT_EQ(make(RecipeSettings{{"weights", "si4"}}).averageBits, 0);
  defaults.hasSamples = true;
  EXPECT_EQ(make({}).transforms, "auto");
  EXPECT_EQ(make(RecipeSettings{{"transforms", "none"}}).transforms, "none");
}

TEST(Recipe, LayersOfFileAndFlagsCountInThisOrder) {
  absl::StatusOr<llvm::json::Value> flag =
      parseLayerFlag("a=b*=weights:si4:g32,rounding:nearest");
  EXPECT_FALSE(flag.ok());
  flag = parseLayerFlag("fc*=weights:si4:g32,rounding:nearest");
  ASSERT_TRUE(flag.ok());
  RecipeSettings file{{"layers", llvm::json::Array{llvm::json::Object{
                                     {"layer", "*"}, {"weights", "f32"}}}}};
  RecipeSettings merged = mergeSettings(
      std::move(file),
      RecipeSettings{{"layers", llvm::json::Array{std::move(*flag)}}});
  absl::StatusOr<Recipe> recipe = Recipe::make(merged, {}, getOrigin());
  ASSERT_TRUE(recipe.ok());
  ASSERT_EQ(recipe->layers.size(), 2u);
  EXPECT_EQ(recipe->layers[1].layer, "fc*");
  EXPECT_EQ(recipe->layers[1].weights, "si4:g32");
  EXPECT_EQ(recipe->layers[1].rounding, "nearest");
}
