//===- QuantizeModel.h - A recipe carried out on a model and data ---------===//
// SPDX-License-Identifier: Apache-2.0
//
// All stages from a float graph to a quantized one, for the verbs and for
// Python: transforms, statistics, inputs, quantization.
//===----------------------------------------------------------------------===//
#ifndef QOPT_PIPELINES_QUANTIZEMODEL_H
#define QOPT_PIPELINES_QUANTIZEMODEL_H

#include "qopt/Pipelines/Quantize.h"

namespace qopt {

/// Samples that are read again and again; none: `source` is empty.
struct SampleSet {
  SampleSource source;
  int64_t count = 0;

  explicit operator bool() const { return bool(source); }
  /// Samples [first, first + count) of this set.
  SampleSet slice(int64_t first, int64_t count) const;
};
/// Those of a data source, which must outlive the result.
SampleSet makeSampleSet(DataSource &data);

/// What a recipe is carried out with.
struct QuantizeInputs {
  SampleSet samples;
  /// Statistics instead of those of the samples.
  std::optional<Profile> profile;
  Engine engine = Engine::Compiled;
  /// The target has no floats: inputs that a quantized model leaves float get
  /// encodings, by the samples.
  bool integerInputs = false;
  /// What messages call the plan of the recipe.
  std::string planName = "the plan";
  /// See CalibrateOptions.
  std::string resumeFile;
  /// See QuantizeOptions.
  std::set<std::string> keep;
  /// Called after every stage, and while one is at work.
  std::function<void(const StageResult &)> onStage;
  std::function<void(llvm::StringRef phase, int64_t done, int64_t total)>
      progress;
};

/// A quantized module and how it came about.
struct QuantizedModel {
  Recipe recipe;
  /// The float graph as transforms left it; `unfolded` has float ops between
  /// quantize and dequantize.
  mlir::OwningOpRef<mlir::ModuleOp> floatModule, unfolded, quantized;
  std::optional<Profile> profile;
  /// Of QuantizeInputs::keep: the graph after a stage, as text.
  std::map<std::string, std::string> stages;
};

/// The defaults of a recipe for a model: its own encodings, else 8 bits where
/// there are samples or statistics, else float.
RecipeDefaults getRecipeDefaults(mlir::ModuleOp module, bool hasSamples,
                                 bool hasProfile,
                                 llvm::StringRef requantize = "f32");
/// Whether samples are read at all.
bool readsSamples(const Recipe &recipe, bool integerInputs);

/// Whether plan and layers of a recipe fit a float module; nothing is changed.
absl::Status checkLayers(mlir::ModuleOp module, const Recipe &recipe);
/// The same before transforms, as far as it can be told: a plan for a
/// transformed model may have names that are not there yet.
absl::Status checkLayersEarly(mlir::ModuleOp module, const Recipe &recipe);

/// Chooses and folds what `recipe.transforms` wants on the samples, in place;
/// the lines say what.
absl::Status transformModel(mlir::ModuleOp module, const Recipe &recipe,
                            const QuantizeInputs &inputs,
                            std::vector<std::string> &lines);

/// Statistics of a float module as a recipe wants them; `executor` gets what
/// ran the samples.
absl::StatusOr<Profile>
collectStatistics(mlir::ModuleOp module, const Recipe &recipe,
                  const QuantizeInputs &inputs,
                  std::shared_ptr<Executor> *executor = nullptr);

/// Import is done, machine code is not yet thought of: what lies between.
absl::StatusOr<QuantizedModel>
quantizeModel(mlir::OwningOpRef<mlir::ModuleOp> module, const Recipe &recipe,
              const QuantizeInputs &inputs);

} // namespace qopt

#endif // QOPT_PIPELINES_QUANTIZEMODEL_H
