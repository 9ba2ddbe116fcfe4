//===- Recipe.h - How a model is quantized, as one record -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Everything that decides the numbers of a quantized model beside model and
// data: `qopt.recipe/1`. Flags, JSON and Python make the same settings; a
// scheme is a name for a recipe that the settings change.
//===----------------------------------------------------------------------===//
#ifndef QOPT_PIPELINES_RECIPE_H
#define QOPT_PIPELINES_RECIPE_H

#include "qopt/Assignment/ChooseTransforms.h"
#include "qopt/Assignment/LayerRules.h"
#include "qopt/Assignment/Plan.h"
#include "qopt/Assignment/Rounder.h"
#include "llvm/Support/JSON.h"
#include <memory>

namespace qopt {

/// A row of QOPT_SCHEME.
struct SchemeRow {
  const char *name;
  const char *weights, *activations;
  double averageBits;
  const char *transforms;
  const char *meaning;
};
llvm::ArrayRef<SchemeRow> getSchemes();

/// A row of QOPT_RECIPE_FIELD.
struct RecipeField {
  enum class Type { Text, Number, Count, Switch } type;
  /// Where the flag is listed.
  enum class Group { Quantize, Calibrate, Data } group;
  const char *key, *flag, *value, *help;

  /// `help` with lists of names filled in.
  std::string describe() const;
};
llvm::ArrayRef<RecipeField> getRecipeFields();

/// Settings as JSON, before they are a recipe: any of the fields' keys,
/// `scheme`, `layers` and `plan`.
using RecipeSettings = llvm::json::Object;

/// Where settings come from, for messages.
class SettingsOrigin {
public:
  static SettingsOrigin ofFlags() { return SettingsOrigin("", true); }
  /// A file; empty: keywords.
  static SettingsOrigin ofJson(llvm::StringRef name) {
    return SettingsOrigin(name.str(), false);
  }
  /// `--rounding`, `'FILE': rounding`, or `rounding`.
  std::string describe(llvm::StringRef key) const;
  bool isFlags() const { return isFlags_; }

private:
  SettingsOrigin(std::string name, bool isFlags)
      : name_(std::move(name)), isFlags_(isFlags) {}
  std::string name_;
  bool isFlags_;
};

/// What decides a recipe where its settings say nothing.
struct RecipeDefaults {
  std::string scheme = "w8a8";
  /// The mode of the target.
  std::string requantize = "f32";
  /// Samples are there, and no statistics instead of them.
  bool hasSamples = false;
};

struct Recipe {
  static constexpr int schemaVersion = 1;
  /// The row it began with: a name for people.
  std::string scheme = "w8a8";
  std::string weights = "si8";
  double averageBits = 0;
  std::string activations = "ui8";
  std::string rounding = getRounders().front().name.str();
  /// none, auto, or a list of kinds.
  std::string transforms = "none";
  bool biasCorrection = true;
  std::string requantize = "f32";
  /// See RangeMethod::parse.
  std::string method = "mse";
  bool perChannelActs = false;
  int64_t samples = 0; ///< at most so many; 0: all
  int64_t skip = 0;
  std::vector<LayerRule> layers;
  /// Formats by layer, before `layers` says otherwise.
  std::shared_ptr<const Plan> plan;

  /// A scheme as it is, without transforms.
  static Recipe ofScheme(llvm::StringRef name);
  /// A recipe of settings that checkSettings() accepts. Errors are of settings
  /// that contradict each other.
  static absl::StatusOr<Recipe> make(const RecipeSettings &settings,
                                     const RecipeDefaults &defaults,
                                     const SettingsOrigin &origin);
  /// Every field: settings that make this recipe again under any defaults.
  RecipeSettings toSettings() const;
  /// The same with its schema; one text for one recipe.
  std::string toJson() const;

  bool isFloat() const { return activations == "f32"; }
  /// As the encodings that the model brings say.
  bool keepsModel() const { return activations == "model"; }
  /// Activations are rounded at run time, by rows.
  bool roundsRows() const { return activations == "si8:row"; }
  /// Statistics of activations are wanted.
  bool needsProfile() const {
    return !isFloat() && !keepsModel() && !roundsRows();
  }
  /// Bits of tensors between layers.
  unsigned getActivationBits() const;
  /// Widths of weights below 8 bits are chosen on data.
  bool hasFreeWidths() const { return averageBits > 0 && !plan; }
};

/// What of the settings is wrong by itself, all at once: typing errors cost no
/// import and no calibration.
absl::Status checkSettings(const RecipeSettings &settings,
                           const SettingsOrigin &origin);
/// `overrides` over `settings`; layers of both, in this order.
RecipeSettings mergeSettings(RecipeSettings settings,
                             const RecipeSettings &overrides);
/// The settings in a `qopt.recipe/1` text; a newer schema is refused.
absl::StatusOr<RecipeSettings> parseSettings(llvm::StringRef text,
                                             llvm::StringRef file);
absl::StatusOr<RecipeSettings> readSettings(llvm::StringRef path);
/// `GLOB=weights:si8,rounding:nearest` as a member of `layers`.
absl::StatusOr<llvm::json::Value> parseLayerFlag(llvm::StringRef text);
/// A plan as a setting: what of it decides bytes.
llvm::json::Value toSetting(const Plan &plan);

/// Of `transforms`; `auto` wants all of them.
absl::StatusOr<ChooseTransformsOptions> parseTransforms(llvm::StringRef list);

/// Schemes and fields as text, for the help.
void printRecipeHelp(llvm::raw_ostream &os);

} // namespace qopt

#endif // QOPT_PIPELINES_RECIPE_H
