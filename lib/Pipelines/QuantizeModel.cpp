//===- QuantizeModel.cpp - A recipe carried out on a model and data -------===//
// SPDX-License-Identifier: Apache-2.0
//
// Kinds of transforms that are named are kept where the layers gain. `auto`
// asks the whole network too, on samples that chose nothing.
//===----------------------------------------------------------------------===//
#include "qopt/Pipelines/QuantizeModel.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Pipelines/Model.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Pipelines/QuantizeInputs.h"
#include "qopt/Pipelines/Transforms.h"

#include <chrono>

using namespace qopt;

/// Of `auto`: at least as many samples, every fourth of them held back up to a
/// bound; more samples to calibrate trials say little more.
static constexpr int64_t kFewestSamples = 16;
static constexpr int64_t kMostHeldOut = 24;
static constexpr int64_t kMostCalibrating = 32;

/// Forms of the same functions for targets without floats. What is done to
/// bytes has to be said by their encoding; there is no other integer form of
/// arithmetic by channel and of reductions.
static constexpr const char *kForIntegers =
    "func.func(qg-fold-constants{decode},qg-fold-product-casts,"
    "qg-encode-integer-inputs,qg-channel-"
    "affine-to-conv,qg-write-for-integers,"
    "qg-reductions-to-pools,qg-propagate-transposes,canonicalize,cse,"
    "qg-encode-constants,qg-clone-for-roundings)";

SampleSet SampleSet::slice(int64_t first, int64_t count) const {
  SampleSet result;
  result.count = count;
  result.source = [source = source, first, count](int64_t index)
      -> absl::StatusOr<std::optional<llvm::SmallVector<Tensor>>> {
    if (index >= count)
      return std::nullopt;
    return source(first + index);
  };
  return result;
}

SampleSet qopt::makeSampleSet(DataSource &data) {
  return {makeSampleSource(data), data.size()};
}

/// Whether the tensor comes out of an encoding, moved or not.
static bool isDequantized(mlir::Value value) {
  while (llvm::isa_and_nonnull<qg::ReshapeOp, qg::TransposeOp, qg::PadOp,
                               qg::SliceOp, qg::PoolOp>(value.getDefiningOp()))
    value = value.getDefiningOp()->getOperand(0);
  return qg::getQuantizedType(value.getType()) ||
         value.getDefiningOp<qg::DequantizeOp>();
}

/// Most layers of a model with encodings may be float all the same: a rounding
/// in front of a float network is no quantized network.
static bool isMostlyFloat(mlir::ModuleOp module) {
  int64_t encoded = 0, floats = 0;
  module.walk([&](LinearOpInterface op) {
    bool isEncoded =
        isDequantized(op.getInput()) || isDequantized(op.getWeight());
    encoded += isEncoded;
    floats += !isEncoded && op.canRoundWeight();
  });
  return floats > encoded;
}

/// One sample of ones: ranges that only a trial needs.
static SampleSource getOnes(mlir::ModuleOp module) {
  llvm::SmallVector<Tensor> ones;
  if (auto main = module.lookupSymbol<mlir::func::FuncOp>("main"))
    for (mlir::Type type : main.getArgumentTypes()) {
      auto tensor = llvm::cast<mlir::RankedTensorType>(type);
      Tensor &one = ones.emplace_back(DType::f32, tensor.getShape());
      for (int64_t i = 0; i < one.numElements(); ++i)
        one.setFloat(i, 1);
    }
  return [ones](int64_t index)
             -> absl::StatusOr<std::optional<llvm::SmallVector<Tensor>>> {
    if (index > 0)
      return std::nullopt;
    return ones;
  };
}

/// Whether the encodings of a model leave ops of floats that a target without
/// floats would have to refuse, its inputs apart.
static bool leavesFloats(mlir::ModuleOp module, llvm::StringRef requantize) {
  mlir::OwningOpRef<mlir::ModuleOp> trial(module.clone());
  mlir::ScopedDiagnosticHandler silent(
      module.getContext(), [](mlir::Diagnostic &) { return mlir::success(); });
  if (!quantizeFloatInputs(*trial, getOnes(*trial)).ok() ||
      !runPipeline(*trial, "qopt-fold{wide}").ok() ||
      !lowerToIntegers(*trial, {requantize.str(), /*dropsHead=*/false}).ok())
    return true;
  auto isFloat = [](mlir::Type type) {
    auto tensor = llvm::dyn_cast<mlir::RankedTensorType>(type);
    return tensor && llvm::isa<mlir::FloatType>(tensor.getElementType());
  };
  return trial
      ->walk([&](mlir::Operation *op) {
        return !llvm::isa<qg::ConstantOp>(op) &&
                       llvm::any_of(op->getResultTypes(), isFloat)
                   ? mlir::WalkResult::interrupt()
                   : mlir::WalkResult::advance();
      })
      .wasInterrupted();
}

RecipeDefaults qopt::getRecipeDefaults(mlir::ModuleOp module, bool hasSamples,
                                       bool hasProfile,
                                       llvm::StringRef requantize) {
  RecipeDefaults defaults;
  bool hasData = hasSamples || hasProfile;
  // Encodings that the model brings stay what they are in w8a8 as well.
  bool keepsModel = hasEncodings(module) && !(hasData && isMostlyFloat(module));
  // Of the rest, samples tell the ranges.
  if (keepsModel && hasData && requantize != "f32")
    keepsModel = !leavesFloats(module, requantize);
  defaults.scheme = keepsModel ? "qdq" : hasData ? "w8a8" : "float";
  defaults.requantize = requantize.str();
  defaults.hasSamples = hasSamples && !hasProfile;
  return defaults;
}

bool qopt::readsSamples(const Recipe &recipe, bool integerInputs) {
  return recipe.needsProfile() || (recipe.keepsModel() && integerInputs);
}

absl::Status qopt::checkLayers(mlir::ModuleOp module, const Recipe &recipe) {
  if (!recipe.plan && recipe.layers.empty())
    return absl::OkStatus();
  mlir::OwningOpRef<mlir::ModuleOp> trial(module.clone());
  if (recipe.plan)
    QOPT_RETURN_IF_ERROR(applyPlan(*trial, *recipe.plan));
  return applyLayerRules(*trial, recipe.layers);
}

absl::Status qopt::checkLayersEarly(mlir::ModuleOp module,
                                    const Recipe &recipe) {
  if (recipe.plan && recipe.plan->transforms != "none")
    return absl::OkStatus();
  return checkLayers(module, recipe);
}

/// The recipe whose quantization tells whether a transform is worth it. A plan
/// is made for the transformed weights: w4a8 stands in for it.
static Recipe getGateRecipe(const Recipe &recipe) {
  Recipe gate = recipe;
  gate.transforms = "none";
  if (!recipe.plan)
    return gate;
  Recipe standIn = Recipe::ofScheme("w4a8");
  gate.plan = nullptr;
  gate.activations = standIn.activations;
  // A format that somebody named stays.
  if (recipe.weights == Recipe::ofScheme(recipe.scheme).weights) {
    gate.weights = standIn.weights;
    gate.averageBits = standIn.averageBits;
  }
  return gate;
}

absl::Status qopt::transformModel(mlir::ModuleOp module, const Recipe &recipe,
                                  const QuantizeInputs &inputs,
                                  std::vector<std::string> &lines) {
  QOPT_ASSIGN(ChooseTransformsOptions options,
              parseTransforms(recipe.transforms));
  if (!options.rotate && !options.smooth && !options.equalize)
    return absl::OkStatus();
  Recipe target = getGateRecipe(recipe);
  options.activationBits = target.getActivationBits();
  options.weightBits = unsigned(getFormatBits(target.weights));
  SampleSet choosing = inputs.samples;
  std::optional<TransformGate> gate;
  if (recipe.transforms == "auto") {
    int64_t count = choosing.count;
    int64_t heldOut = std::min(count / 4, kMostHeldOut);
    if (count < kFewestSamples) {
      lines.push_back("transforms: none, " + std::to_string(count) +
                      " samples are too few to choose and to hold some back");
      return absl::OkStatus();
    }
    int64_t rest = count - heldOut;
    choosing = choosing.slice(0, std::min(rest, kMostCalibrating));
    QuantizeOptions quantization;
    quantization.recipe = target;
    quantization.engine = inputs.engine;
    gate = TransformGate{quantization, choosing.source,
                         inputs.samples.slice(rest, heldOut).source};
  }
  QOPT_ASSIGN(std::vector<TransformChoice> choices,
              transform(module, choosing.source, options, inputs.engine,
                        gate ? &*gate : nullptr));
  for (const TransformChoice &choice : choices)
    lines.push_back(describe(choice));
  setTransforms(module, choices);
  return absl::OkStatus();
}

absl::StatusOr<Profile>
qopt::collectStatistics(mlir::ModuleOp module, const Recipe &recipe,
                        const QuantizeInputs &inputs,
                        std::shared_ptr<Executor> *executor) {
  if (inputs.profile)
    return *inputs.profile;
  CalibrateOptions options;
  options.perSample = recipe.method == "moving-average";
  options.perChannel = recipe.perChannelActs;
  options.resumeFile = inputs.resumeFile;
  options.executor = executor;
  options.engine = inputs.engine;
  options.progress = [&](int64_t done) {
    if (inputs.progress)
      inputs.progress("calibrate", done, inputs.samples.count);
  };
  return calibrate(module, inputs.samples.source, options);
}

namespace {
/// The stages in front of qopt::quantize.
class ModelQuantizer {
public:
  ModelQuantizer(mlir::OwningOpRef<mlir::ModuleOp> module, const Recipe &recipe,
                 const QuantizeInputs &inputs)
      : inputs(inputs) {
    model.recipe = recipe;
    model.floatModule = std::move(module);
  }

  absl::Status run();
  QuantizedModel model;

private:
  struct Stage {
    const char *name;
    absl::Status (ModelQuantizer::*run)();
  };

  absl::Status checkNames();
  absl::Status transform();
  absl::Status observe();
  absl::Status encodeInputs();
  absl::Status quantize();

  const QuantizeInputs &inputs;
  std::shared_ptr<Executor> calibrated;
  std::vector<std::string> lines;
};
} // namespace

/// Whether something is rounded to 16-bit floats.
static bool hasHalves(mlir::ModuleOp module) {
  return module
      .walk([](qg::CastOp cast) {
        return getTensorType(cast).getElementType().isFloat(16)
                   ? mlir::WalkResult::interrupt()
                   : mlir::WalkResult::advance();
      })
      .wasInterrupted();
}

absl::Status ModelQuantizer::checkNames() {
  return checkLayersEarly(*model.floatModule, model.recipe);
}

absl::Status ModelQuantizer::transform() {
  if (inputs.integerInputs && model.recipe.needsProfile() &&
      hasHalves(*model.floatModule)) {
    QOPT_RETURN_IF_ERROR(
        runPipeline(*model.floatModule, "func.func(qg-drop-half-roundings)"));
    // Normalizations and activations are beside their linear ops now.
    QOPT_RETURN_IF_ERROR(prepare(*model.floatModule));
  }
  QOPT_RETURN_IF_ERROR(
      transformModel(*model.floatModule, model.recipe, inputs, lines));
  QOPT_RETURN_IF_ERROR(checkLayers(*model.floatModule, model.recipe));
  if (!model.recipe.plan)
    return absl::OkStatus();
  QOPT_ASSIGN(std::string hash, getModelHash(*model.floatModule));
  if (hash != model.recipe.plan->model)
    lines.push_back("note: " + inputs.planName +
                    " was made for another version of this model; its layers "
                    "fit");
  return absl::OkStatus();
}

absl::Status ModelQuantizer::observe() {
  if (!model.recipe.needsProfile())
    return absl::OkStatus();
  if (inputs.integerInputs) {
    if (hasEncodings(*model.floatModule))
      lines.push_back("what the encodings of the model leave float is rounded "
                      "to 8 bits by the samples");
    QOPT_RETURN_IF_ERROR(runPipeline(*model.floatModule, kForIntegers));
  }
  if (!inputs.samples && !inputs.profile)
    return Error(Code::MissingArgument, "--scheme " + model.recipe.scheme +
                                            " expects --data or --profile");
  QOPT_ASSIGN(model.profile, collectStatistics(*model.floatModule, model.recipe,
                                               inputs, &calibrated));
  return absl::OkStatus();
}

/// A target without floats: inputs that the model leaves float get encodings.
absl::Status ModelQuantizer::encodeInputs() {
  model.quantized = model.floatModule->clone();
  if (!model.recipe.keepsModel() || !inputs.integerInputs)
    return absl::OkStatus();
  QOPT_RETURN_IF_ERROR(
      runPipeline(*model.quantized, "func.func(qg-write-for-integers)"));
  QOPT_ASSIGN(lines,
              quantizeFloatInputs(*model.quantized, inputs.samples.source));
  return absl::OkStatus();
}

absl::Status ModelQuantizer::quantize() {
  QuantizeOptions options;
  options.recipe = model.recipe;
  options.engine = inputs.engine;
  options.foldsWide = inputs.integerInputs;
  options.calibrated = calibrated;
  options.progress = inputs.progress;
  options.onStage = inputs.onStage;
  options.keep = inputs.keep;
  QOPT_ASSIGN(QuantizeResult result,
              qopt::quantize(*model.quantized,
                             model.profile ? &*model.profile : nullptr,
                             model.recipe.needsProfile() ? inputs.samples.source
                                                         : SampleSource(),
                             options));
  model.unfolded = std::move(result.unfolded);
  model.stages = std::move(result.stages);
  return absl::OkStatus();
}

absl::Status ModelQuantizer::run() {
  static constexpr Stage kStages[] = {
      {"names", &ModelQuantizer::checkNames},
      {"transform", &ModelQuantizer::transform},
      {"observe", &ModelQuantizer::observe},
      {"encode-inputs", &ModelQuantizer::encodeInputs},
      {"quantize", &ModelQuantizer::quantize}};
  for (const Stage &stage : kStages) {
    auto start = std::chrono::steady_clock::now();
    QOPT_RETURN_IF_ERROR((this->*stage.run)());
    StageResult done{stage.name, std::exchange(lines, {})};
    done.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
            .count();
    if (inputs.onStage)
      inputs.onStage(done);
  }
  return absl::OkStatus();
}

absl::StatusOr<QuantizedModel>
qopt::quantizeModel(mlir::OwningOpRef<mlir::ModuleOp> module,
                    const Recipe &recipe, const QuantizeInputs &inputs) {
  ModelQuantizer quantizer(std::move(module), recipe, inputs);
  QOPT_RETURN_IF_ERROR(quantizer.run());
  return std::move(quantizer.model);
}
