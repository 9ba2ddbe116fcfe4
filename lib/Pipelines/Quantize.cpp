//===- Quantize.cpp - From a float graph to a quantized one ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Observe, decide, apply, correct, fold: in this order because every step
// reads what the one before it wrote on the graph.
//===----------------------------------------------------------------------===//
#include "qopt/Pipelines/Quantize.h"
#include "KeepLossesFloat.h"
#include "qopt/Analysis/BiasGrid.h"
#include "qopt/Analysis/RowRounding.h"
#include "qopt/Assignment/CorrectBias.h"
#include "qopt/Assignment/Plan.h"
#include "qopt/Assignment/RoundTables.h"
#include "qopt/Assignment/RoundWeights.h"
#include "qopt/Dialect/QG/IR/DecodedNotes.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Pipelines/FloatLayers.h"
#include "qopt/Pipelines/LayerReport.h"
#include "qopt/Pipelines/Model.h"
#include "qopt/Pipelines/Pipelines.h"

#include "llvm/Support/FormatVariadic.h"
#include <chrono>
#include <map>

using namespace qopt;

/// Code that runs a hundred samples: compiling it well costs more than it
/// saves.
static constexpr unsigned kRunOptLevel = 1;

/// What the data are, when the observer says only that they are unusable.
static absl::Status toDataError(const absl::Status &status) {
  if (status.GetPayload("qopt/code"))
    return status;
  switch (status.code()) {
  case absl::StatusCode::kInvalidArgument:
    return withCode(status, Code::DataValues);
  // A state to go on from that belongs to another model.
  case absl::StatusCode::kFailedPrecondition:
    return withCode(status, Code::DataFile);
  case absl::StatusCode::kUnimplemented:
    return withCode(status, Code::UnsupportedLowering);
  default:
    return status;
  }
}

SampleSource qopt::makeSampleSource(DataSource &data) {
  return [&data](int64_t index)
             -> absl::StatusOr<std::optional<llvm::SmallVector<Tensor>>> {
    if (index >= data.size())
      return std::nullopt;
    QOPT_ASSIGN(llvm::SmallVector<Tensor> arrays, data.read(index));
    return std::optional<llvm::SmallVector<Tensor>>(std::move(arrays));
  };
}

absl::StatusOr<Profile> qopt::calibrate(mlir::ModuleOp module,
                                        const SampleSource &samples,
                                        const CalibrateOptions &options) {
  mlir::OwningOpRef<mlir::ModuleOp> observed(module.clone());
  QOPT_RETURN_IF_ERROR(runPipeline(*observed, "qg-insert-observers"));
  CollectOptions collect;
  collect.perChannel = options.perChannel;
  collect.perSample = options.perSample;
  collect.resumeFile = options.resumeFile;
  collect.executor = options.executor;
  collect.progress = [&](int64_t done) {
    if (options.progress)
      options.progress(done);
    return true;
  };
  absl::StatusOr<Profile> profile =
      collectProfile(*observed, samples, collect,
                     getExecutorFactory(options.engine, kRunOptLevel));
  if (!profile.ok())
    return toDataError(profile.status());
  return profile;
}

/// Zeros in every input at every sample: a decoder that failed, not data.
static absl::Status checkInputs(mlir::ModuleOp module, const Profile &profile) {
  QOPT_ASSIGN(ModelInterface interface, getInterface(module));
  std::string names;
  for (const TensorSpec &spec : interface.inputs) {
    auto it = profile.tensors.find(spec.name);
    if (it == profile.tensors.end())
      continue;
    if (it->second.low != 0 || it->second.high != 0)
      return absl::OkStatus();
    names += (names.empty() ? "'" : ", '") + spec.name + "'";
  }
  if (names.empty())
    return absl::OkStatus();
  return Error(Code::DataValues, "input " + names + " is zero in all of the " +
                                     llvm::Twine(profile.samples) +
                                     " calibration samples")
      .help("ranges come from typical inputs: check --data and --pre");
}

namespace {
/// The stages share what they read and make. Each reads what the one before it
/// wrote on the graph.
class Quantizer {
public:
  Quantizer(mlir::ModuleOp module, const Profile *profile,
            const SampleSource &samples, const QuantizeOptions &options)
      : module(module), profile(profile), samples(samples), options(options),
        recipe(options.recipe) {}

  absl::Status run();
  QuantizeResult result;

private:
  struct Stage {
    const char *name;
    absl::Status (Quantizer::*run)();
  };
  llvm::ArrayRef<Stage> getStages() const;

  absl::Status checkStatistics();
  absl::Status applyRanges();
  absl::Status decideLayers();
  absl::Status keepLosses();
  absl::Status widen();
  absl::Status assign();
  absl::Status round();
  absl::Status correctBiases();
  absl::Status foldChannelScales();
  absl::Status fold();
  void nameBiases();
  absl::Status keepLastBits();
  absl::Status nameEncodings();
  absl::Status useStoredWeights();
  absl::Status quantizeRows();
  absl::Status roundTables();
  absl::Status checkEncodings();
  absl::Status keepUnfolded();
  absl::Status nameFloats();

  absl::StatusOr<RoundWeightsReport> roundWeights(mlir::ModuleOp rounded);
  std::string getAssignment() const;
  void say(std::string line) { lines.push_back(std::move(line)); }

  mlir::ModuleOp module;
  const Profile *profile;
  const SampleSource &samples;
  const QuantizeOptions &options;
  const Recipe &recipe;
  /// The module with its observers, before formats are applied.
  mlir::OwningOpRef<mlir::ModuleOp> reference;
  std::optional<WeightRounder> rounder;
  std::vector<std::string> lines;
};
} // namespace

absl::Status Quantizer::checkStatistics() {
  if (!profile)
    return Error(Code::MissingArgument,
                 "--scheme " + recipe.scheme + " expects data or a profile")
        .help("add --data PATH, or --profile FILE from 'qopt calibrate'");
  return checkInputs(module, *profile);
}

/// Tensors that no integers hold, with the number of values that are to blame.
static std::string listNotFinite(const Profile &profile) {
  constexpr size_t most = 5;
  std::string list;
  size_t found = 0;
  for (const auto &[name, statistics] : profile.tensors) {
    if (statistics.isFinite() || ++found > most)
      continue;
    uint64_t odd = statistics.nans + statistics.infinities;
    list += llvm::formatv("{0}'{1}' ({2} of {3} values{4})",
                          list.empty() ? "" : ", ", name, odd,
                          statistics.count + odd,
                          statistics.nans ? ", with NaN" : "")
                .str();
  }
  if (found > most)
    list += " and " + std::to_string(found - most) + " more";
  return list;
}

/// Constants that are stored before a scheme has rounded any.
static void markModelWeights(mlir::ModuleOp module) {
  module.walk([](LinearOpInterface op) {
    auto stored = op.getWeight().getDefiningOp<qg::DequantizeOp>();
    if (stored && qg::matchConstant(stored.getX()))
      op->setAttr(kModelWeightAttr, mlir::UnitAttr::get(op->getContext()));
  });
}

absl::Status Quantizer::applyRanges() {
  markModelWeights(module);
  QOPT_RETURN_IF_ERROR(runPipeline(module, "qg-insert-observers"));
  absl::StatusOr<RangeMethod> method = RangeMethod::parse(recipe.method);
  if (!method.ok())
    return withCode(withPrefix(method.status(), "--method: "),
                    Code::BadFlagValue);
  if (std::string odd = listNotFinite(*profile); !odd.empty())
    say("not finite in the samples, float: " + odd);
  return withCode(
      applyProfile(module, *profile, *method, recipe.getActivationBits()),
      Code::DataValues);
}

/// Plan and layers, the layers last: they are what somebody wrote by hand.
absl::Status Quantizer::decideLayers() {
  if (recipe.plan)
    QOPT_RETURN_IF_ERROR(applyPlan(module, *recipe.plan));
  QOPT_RETURN_IF_ERROR(applyLayerRules(module, recipe.layers));
  reference = module.clone();
  return absl::OkStatus();
}

/// Fixed-point and power-of-two rounding say that the target has no floats.
static std::string getPreActivation(const Recipe &recipe) {
  return recipe.requantize == "f32" ? "f32" : "int8";
}

/// Does the profile hold the inputs of all samples?
static absl::StatusOr<bool> coversSamples(mlir::ModuleOp module,
                                          const Profile &profile,
                                          const SampleSource &samples) {
  QOPT_ASSIGN(ModelInterface interface, getInterface(module));
  for (int64_t index = 0;; ++index) {
    QOPT_ASSIGN(std::optional<llvm::SmallVector<Tensor>> sample,
                samples(index));
    if (!sample)
      return true;
    for (auto [spec, tensor] : llvm::zip(interface.inputs, *sample)) {
      auto known = profile.tensors.find(spec.name);
      if (known == profile.tensors.end() || tensor.dtype() != DType::f32)
        continue;
      for (float value : tensor.span<float>())
        if (value < known->second.low || value > known->second.high)
          return false;
    }
  }
}

/// What the samples show to be lost. Narrow weights have errors of their own:
/// a trial has 8 bits. Who asks for less between layers has decided.
absl::Status Quantizer::keepLosses() {
  if (recipe.getActivationBits() != 8)
    return absl::OkStatus();
  if (!samples) {
    say("losses are not looked for: a profile has no samples to try (add "
        "--data PATH)");
    return absl::OkStatus();
  }
  // A profile may be of other samples: what it cuts off is no loss of ours.
  if (!options.calibrated) {
    QOPT_ASSIGN(bool covers, coversSamples(module, *profile, samples));
    if (!covers) {
      say("losses are not looked for: the data go beyond the ranges of the "
          "profile, which is of other samples");
      return absl::OkStatus();
    }
  }
  LossOptions losses;
  losses.samples = samples;
  losses.decide =
      "func.func(qg-assign-formats{pre-activation=" + getPreActivation(recipe) +
      "})";
  losses.mayWiden = recipe.requantize == "f32";
  losses.engine = options.engine;
  losses.exact = options.calibrated;
  QOPT_ASSIGN(lines, keepLossesFloat(module, losses));
  noteKeptFloat(module);
  return absl::OkStatus();
}

/// Decides (attributes) and applies (types).
std::string Quantizer::getAssignment() const {
  return "qopt-assign{pre-activation=" + getPreActivation(recipe) +
         " weight-format=" + recipe.weights + "}";
}

absl::StatusOr<RoundWeightsReport>
Quantizer::roundWeights(mlir::ModuleOp rounded) {
  if (!rounder) {
    RoundWeightsOptions rounding;
    rounding.rounding = recipe.rounding;
    rounding.samples = std::min(rounding.samples, profile->samples);
    rounding.executor = options.calibrated;
    rounding.progress = options.progress;
    QOPT_ASSIGN(rounder, WeightRounder::create(
                             *reference, samples, rounding,
                             getExecutorFactory(options.engine, kRunOptLevel)));
  }
  absl::StatusOr<RoundWeightsReport> report = rounder->round(rounded);
  if (!report.ok())
    return toDataError(report.status());
  return report;
}

/// A trial of the narrowest widths says where bits are worth most.
absl::Status Quantizer::widen() {
  if (!recipe.hasFreeWidths() || !samples)
    return absl::OkStatus();
  mlir::OwningOpRef<mlir::ModuleOp> trial(module.clone());
  QOPT_RETURN_IF_ERROR(runPipeline(*trial, getAssignment()));
  QOPT_ASSIGN(result.uniform, roundWeights(*trial));
  widenLayers(module, result.uniform, recipe.averageBits);
  return absl::OkStatus();
}

/// Names of the ops that carry a mark, which is taken off.
static std::string takeMarked(mlir::ModuleOp module, llvm::StringRef mark) {
  constexpr size_t most = 6;
  std::string names;
  size_t count = 0;
  module.walk([&](mlir::Operation *op) {
    if (op->removeAttr(mark) && ++count <= most)
      names += (names.empty() ? "'" : ", '") + qg::getUserName(op) + "'";
  });
  return count > most ? names + " and " + std::to_string(count - most) + " more"
                      : names;
}

absl::Status Quantizer::assign() {
  QOPT_RETURN_IF_ERROR(runPipeline(module, getAssignment()));
  if (std::string names = takeMarked(module, "qg.raised_scales");
      !names.empty())
    say("steps of weights widened, so that sums fit 32 bits: " + names);
  if (std::string names = takeMarked(module, "qg.by_own_rows"); !names.empty())
    say("rows rounded at run time, as they differ too much for one scale: " +
        names);
  return absl::OkStatus();
}

static std::string describe(const RoundWeightsReport &report) {
  std::string text = llvm::formatv("{0:F2}", report.getAverageBits()).str();
  text += " bits on average, scales and zero points included";
  if (std::optional<double> mean = report.getMeanSqnr())
    text += llvm::formatv("; outputs of layers {0:F1} dB, {1:F1} dB if "
                          "rounded to the nearest in whole ranges",
                          *mean, *report.getMeanSqnr(&RoundedLayer::plainSqnr))
                .str();
  return text;
}

absl::Status Quantizer::round() {
  if (!samples)
    return absl::OkStatus();
  QOPT_ASSIGN(result.rounded, roundWeights(module));
  const RoundWeightsReport &rounded = result.rounded;
  if (!(rounded.getAverageBits() > 0) || rounded.getAverageBits() >= 8)
    return absl::OkStatus();
  say("weights: " + describe(rounded));
  double all = double(rounded.floatWeights + rounded.getNumWeights());
  if (rounded.floatWeights)
    say("not counted: " +
        llvm::formatv("{0:P1}", double(rounded.floatWeights) / all).str() +
        " of all weights, in layers that stay float; 'qopt check STEM "
        "--explain-float' says why");
  if (!result.uniform.layers.empty())
    say("4 bits everywhere: " + describe(result.uniform));
  return absl::OkStatus();
}

/// While every layer still has its float form beside the rounded weights.
absl::Status Quantizer::correctBiases() {
  if (!recipe.biasCorrection || !samples)
    return absl::OkStatus();
  CorrectBiasOptions correction;
  correction.executor = options.calibrated;
  return toDataError(
      correctBias(*reference, module, samples, correction,
                  getExecutorFactory(options.engine, kRunOptLevel))
          .status());
}

/// Before the graph is kept for others: few of them know scales by channel for
/// activations.
absl::Status Quantizer::foldChannelScales() {
  if (options.keepChannelScales)
    return absl::OkStatus();
  return runPipeline(module, "func.func(qg-fold-channel-scales)");
}

absl::Status Quantizer::keepUnfolded() {
  result.unfolded = module.clone();
  return absl::OkStatus();
}

absl::Status Quantizer::fold() {
  // Encodings that a model brings are not ours to refuse. Its biases are what
  // it says beside weights that it has stored; beside those that a scheme
  // rounds a whole step is less than what that has cost.
  bool keeps = recipe.keepsModel();
  std::string fold = std::string("qopt-fold{verify=") +
                     (keeps ? "false" : "true") +
                     " wide=" + (options.foldsWide ? "true" : "false") + "}";
  QOPT_RETURN_IF_ERROR(runPipeline(
      module, fold + ",func.func(qg-refine-biases{split=true" +
                  (keeps ? "" : " marked=true") + "},canonicalize,cse)"));
  nameBiases();
  return absl::OkStatus();
}

/// What a format cannot hold of the biases of a model.
void Quantizer::nameBiases() {
  double most = 0;
  module.walk([&](mlir::Operation *op) {
    if (auto loss = op->getAttrOfType<mlir::FloatAttr>(kBiasRoundingAttr))
      most = std::max(most, loss.getValueAsDouble());
  });
  if (std::string names = takeMarked(module, kBiasRoundingAttr); !names.empty())
    say(llvm::formatv(
            "biases rounded to whole steps of sums, by at most {0:F2} "
            "steps of the results: {1}",
            most, names)
            .str());
}

/// "2 of si8 per channel, 1 of ui8 per tensor".
static std::string list(const std::map<std::string, int64_t> &counts) {
  std::string text;
  for (const auto &[name, count] : counts)
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " of " + name;
  return text;
}

namespace {
/// What a product with stored weights takes: floats, rows that the file rounds
/// by arithmetic, or rows that the product rounds.
enum class ProductInput { floats, ownRows, rows };
} // namespace

static ProductInput getInputKind(LinearOpInterface op) {
  if (op.roundsInput())
    return ProductInput::rows;
  return isRoundedAtRunTime(op.getInput()) ? ProductInput::ownRows
                                           : ProductInput::floats;
}

/// Products with stored weights, by what is done with their input.
static std::string countProducts(mlir::ModuleOp module, ProductInput kind) {
  std::map<std::string, int64_t> counts;
  module.walk([&](LinearOpInterface op) {
    auto isF32 = [](mlir::Value value) {
      return getTensorType(value).getElementType().isF32();
    };
    qg::QuantizedType type = qg::getQuantizedType(op.getWeight().getType());
    bool isEncoded = !!op.getInput().getDefiningOp<qg::DequantizeOp>();
    if (type && isF32(op.getInput()) && !isEncoded && getInputKind(op) == kind)
      ++counts[describeEncoding(type)];
  });
  return list(counts);
}

/// Whether rows can be rounded in front of all stored weights: no scale differs
/// along their sums.
static bool canRoundRows(mlir::ModuleOp module) {
  return !module
              .walk([](LinearOpInterface op) {
                qg::QuantizedType type =
                    qg::getQuantizedType(op.getWeight().getType());
                return type && type.isPerAxis() &&
                               type.getAxis() != op.getOutputAxis()
                           ? mlir::WalkResult::interrupt()
                           : mlir::WalkResult::advance();
              })
              .wasInterrupted();
}

/// Products whose input the model itself rounds by rows.
static int64_t countRoundedInputs(mlir::ModuleOp module) {
  int64_t count = 0;
  module.walk([&](LinearOpInterface op) {
    count += getInputKind(op) == ProductInput::ownRows;
  });
  return count;
}

/// In float, a model computes with the numbers that its own ops give: an
/// encoding that is right up to their last bit is none.
absl::Status Quantizer::keepLastBits() {
  llvm::SmallVector<qg::QuantizeOp> found;
  module.walk([&](qg::QuantizeOp op) {
    if (op->hasAttr(qg::kToLastBitAttr))
      found.push_back(op);
  });
  for (qg::QuantizeOp op : found)
    for (mlir::Operation *user : llvm::make_early_inc_range(op->getUsers()))
      if (auto real = llvm::dyn_cast<qg::DequantizeOp>(user))
        real.replaceAllUsesWith(op.getX());
  return found.empty() ? absl::OkStatus()
                       : runPipeline(module, "func.func(canonicalize,cse)");
}

/// Constants that a file stores are read as they are.
absl::Status Quantizer::useStoredWeights() {
  QOPT_RETURN_IF_ERROR(runPipeline(module,
                                   "func.func(qg-use-stored-weights,"
                                   "qg-fold-constants,canonicalize,cse)"));
  std::string floats = countProducts(module, ProductInput::floats);
  std::string ownRows = countProducts(module, ProductInput::ownRows);
  std::string rows = countProducts(module, ProductInput::rows);
  if (!floats.empty())
    say("stored weights times floats: " + floats + "; their inputs are floats" +
        (recipe.roundsRows() || !canRoundRows(module)
             ? ""
             : " (--scheme w8a8-dyn rounds their rows to 8 bits)"));
  if (!ownRows.empty())
    say("stored weights times rows that the model itself rounds: " + ownRows);
  if (!rows.empty())
    say("stored weights times rows rounded to 8 bits at run time: " + rows);
  if (int64_t own = countRoundedInputs(module))
    say("the model itself rounds the inputs of " + std::to_string(own) +
        (own == 1 ? " product" : " products") +
        " at run time: they are not rounded again");
  return absl::OkStatus();
}

/// Matrix products by rows; convolutions and attention stay float.
absl::Status Quantizer::quantizeRows() {
  QOPT_RETURN_IF_ERROR(applyLayerRules(module, recipe.layers));
  return runPipeline(module, "func.func(qg-quantize-dynamic{weight-format=" +
                                 recipe.weights + "},canonicalize,cse)");
}

/// Behind everything that looks at the graph in float.
absl::Status Quantizer::roundTables() {
  // Targets of integers have no use for rows that are decoded into floats.
  if (recipe.requantize != "f32")
    return absl::OkStatus();
  RoundedTables tables = qopt::roundTables(module);
  if (tables.count == 0)
    return absl::OkStatus();
  say(llvm::formatv("embedding tables: {0} in rows of few bits, {1} bytes "
                    "instead of {2} ('--layer NAME=weights:f32' keeps one "
                    "float)",
                    tables.count, tables.bytesAfter, tables.bytesBefore)
          .str());
  return runPipeline(module, "func.func(canonicalize,cse)");
}

/// The last word: what was asked for and is not there.
absl::Status Quantizer::nameFloats() {
  markFloatLayers(module,
                  recipe.keepsModel() ? AskedBy::model : AskedBy::scheme,
                  /*roundsTables=*/recipe.requantize == "f32");
  for (std::string &line : describeFloatLayers(module))
    say(std::move(line));
  return absl::OkStatus();
}

/// Tensors that the model rounds, by encoding.
static std::string countRounded(mlir::ModuleOp module) {
  std::map<std::string, int64_t> counts;
  module.walk([&](qg::QuantizeOp op) {
    ++counts[describeEncoding(qg::getQuantizedType(op.getType()))];
  });
  return list(counts);
}

absl::Status Quantizer::nameEncodings() {
  if (std::string rounded = countRounded(module); !rounded.empty())
    say("activations as the model stores them: " + rounded);
  return absl::OkStatus();
}

absl::Status Quantizer::checkEncodings() {
  lines = describeUnencodedIntegers(module);
  QOPT_RETURN_IF_ERROR(nameEncodings());
  if (hasEncodings(module) || !lines.empty())
    return absl::OkStatus();
  return Error(Code::UnsupportedOption,
               "--scheme qdq expects a model with encodings of its own "
               "(QuantizeLinear, DequantizeLinear, products of integers, or "
               "arithmetic that rounds), this "
               "one is float")
      .help("use --scheme w8a8 --data PATH");
}

llvm::ArrayRef<Quantizer::Stage> Quantizer::getStages() const {
  static constexpr Stage kFloat[] = {
      {"last-bits", &Quantizer::keepLastBits},
      {"unfolded", &Quantizer::keepUnfolded},
      {"stored-weights", &Quantizer::useStoredWeights}};
  static constexpr Stage kRows[] = {
      {"rows", &Quantizer::quantizeRows},
      {"unfolded", &Quantizer::keepUnfolded},
      {"tables", &Quantizer::roundTables},
      {"stored-weights", &Quantizer::useStoredWeights},
      {"float-layers", &Quantizer::nameFloats}};
  // Encodings that the model brings need no data: only fusion.
  static constexpr Stage kModel[] = {
      {"encodings", &Quantizer::checkEncodings},
      {"unfolded", &Quantizer::keepUnfolded},
      {"fold", &Quantizer::fold},
      {"stored-weights", &Quantizer::useStoredWeights},
      {"float-layers", &Quantizer::nameFloats}};
  static constexpr Stage kStatic[] = {
      {"statistics", &Quantizer::checkStatistics},
      {"encodings", &Quantizer::nameEncodings},
      {"ranges", &Quantizer::applyRanges},
      {"layers", &Quantizer::decideLayers},
      {"losses", &Quantizer::keepLosses},
      {"widen", &Quantizer::widen},
      {"assign", &Quantizer::assign},
      {"round", &Quantizer::round},
      {"correct-biases", &Quantizer::correctBiases},
      {"fold-channel-scales", &Quantizer::foldChannelScales},
      {"unfolded", &Quantizer::keepUnfolded},
      {"fold", &Quantizer::fold},
      {"tables", &Quantizer::roundTables},
      {"stored-weights", &Quantizer::useStoredWeights},
      {"float-layers", &Quantizer::nameFloats}};
  if (recipe.isFloat())
    return kFloat;
  if (recipe.roundsRows())
    return kRows;
  return recipe.keepsModel() ? llvm::ArrayRef<Stage>(kModel) : kStatic;
}

absl::Status Quantizer::run() {
  if (!recipe.isFloat() && !recipe.roundsRows() && recipe.requantize != "f32")
    setRequantizeMode(module, recipe.requantize);
  for (const Stage &stage : getStages()) {
    auto start = std::chrono::steady_clock::now();
    QOPT_RETURN_IF_ERROR((this->*stage.run)());
    StageResult done{stage.name, std::exchange(lines, {})};
    done.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
            .count();
    if (options.keep.count(stage.name))
      result.stages[stage.name] = printModule(module);
    if (options.onStage)
      options.onStage(done);
  }
  return absl::OkStatus();
}

llvm::ArrayRef<const char *> qopt::getKeptStages() {
  static constexpr const char *kNames[] = {
      "ranges", "layers",         "assign",
      "round",  "correct-biases", "fold-channel-scales"};
  return kNames;
}

absl::StatusOr<QuantizeResult> qopt::quantize(mlir::ModuleOp module,
                                              const Profile *profile,
                                              const SampleSource &samples,
                                              const QuantizeOptions &options) {
  Quantizer quantizer(module, profile, samples, options);
  QOPT_RETURN_IF_ERROR(quantizer.run());
  return std::move(quantizer.result);
}
