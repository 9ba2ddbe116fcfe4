//===- Quantize.cpp - Recipes, plans and files from Python ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Keywords arrive as JSON, which is what flags and files become as well: the
// same code reads them. The interpreter lock is not held while qopt works.
//===----------------------------------------------------------------------===//
#include "Convert.h"
#include "qopt/Artifacts/EmitKinds.h"
#include "qopt/Artifacts/Lock.h"
#include "qopt/Artifacts/OutputFolder.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Planning/PlanModel.h"
#include "qopt/Support/Files.h"

#include "llvm/Support/Path.h"

using namespace qopt;
using namespace qopt::python;
namespace json = llvm::json;

namespace {
/// What a call brings beside the model.
struct Call {
  Samples samples;
  const Profile *profile;
  std::vector<std::string> pre;
  bool reference;
  std::string resumeFile;
  /// What must be made, or nothing is written; empty: anything.
  std::string lock;

  bool hasSamples() const {
    return !samples.paths.empty() || !samples.arrays.empty();
  }
};

/// A call with its data opened; lives as long as the inputs.
struct OpenedCall {
  Preprocessing pre;
  std::unique_ptr<DataSource> data;
  QuantizeInputs inputs;
  std::vector<std::string> lines;
};
} // namespace

static const SettingsOrigin &getKeywords() {
  static const SettingsOrigin origin = SettingsOrigin::ofJson("");
  return origin;
}

static Preprocessing readPreprocessing(const Call &call,
                                       mlir::ModuleOp module) {
  Preprocessing pre;
  if (call.pre.size() != 1 || call.pre.front() != "none")
    for (const std::string &declaration : call.pre)
      check(pre.add(declaration));
  check(pre.check(unwrap(getInterface(module)).inputs));
  return pre;
}

static Recipe readRecipe(const Call &call, mlir::ModuleOp module,
                         const std::string &text, llvm::StringRef requantize,
                         bool mayStayFloat) {
  RecipeSettings settings = parseObject(text);
  settings.erase("schema");
  check(checkSettings(settings, getKeywords()));
  RecipeDefaults defaults = getRecipeDefaults(
      module, call.hasSamples(), call.profile != nullptr, requantize);
  if (defaults.scheme == "float" && !mayStayFloat)
    defaults.scheme = "w8a8";
  return unwrap(Recipe::make(settings, defaults, getKeywords()));
}

static void open(const Call &call, mlir::ModuleOp module, const Recipe &recipe,
                 OpenedCall &opened) {
  opened.pre = readPreprocessing(call, module);
  if (call.hasSamples())
    opened.inputs.samples =
        openSamples(call.samples, module, opened.pre, recipe, opened.data);
  if (call.profile)
    opened.inputs.profile = *call.profile;
  opened.inputs.resumeFile = call.resumeFile;
  opened.inputs.engine = call.reference ? Engine::Reference : Engine::Compiled;
  opened.inputs.onStage = [&opened](const StageResult &result) {
    llvm::append_range(opened.lines, result.lines);
  };
}

static std::shared_ptr<const QuantizedModel>
carryOut(const Model &model, const Recipe &recipe, OpenedCall &opened) {
  absl::StatusOr<QuantizedModel> result = [&] {
    nb::gil_scoped_release release;
    return qopt::quantizeModel(mlir::ModuleOp(model.module.get()).clone(),
                               recipe, opened.inputs);
  }();
  return std::make_shared<QuantizedModel>(unwrap(std::move(result)));
}

static Model quantizeByRecipe(const Model &model, const std::string &settings,
                              const Call &call, const std::string &requantize) {
  RecipeSettings mode;
  mode["requantize"] = requantize;
  check(withPrefix(checkSettings(mode, getKeywords()), "target_"));
  Recipe recipe = readRecipe(call, *model.module, settings, requantize,
                             /*mayStayFloat=*/false);
  OpenedCall opened;
  open(call, *model.module, recipe, opened);
  opened.inputs.integerInputs = requantize != "f32";
  std::shared_ptr<const QuantizedModel> quantized =
      carryOut(model, recipe, opened);
  return {model.context, mlir::ModuleOp(quantized->quantized.get()).clone(),
          model.origin, quantized, opened.lines};
}

static std::pair<std::string, std::string>
planByBudget(const Model &model, const std::string &settings, const Call &call,
             const std::string &state) {
  PlanSettings parsed =
      unwrap(parsePlanSettings(parseObject(settings), getKeywords()));
  if (!state.empty()) {
    parsed.request.stateFile = state + ".sensitivity.json";
    parsed.request.candidatesFolder = state + ".candidates";
  }
  OpenedCall opened;
  open(call, *model.module, parsed.request.quantize.recipe, opened);
  Model own = model.clone();
  absl::StatusOr<PlannedModel> planned = [&] {
    nb::gil_scoped_release release;
    return planModel(*own.module, std::move(parsed), opened.inputs);
  }();
  PlannedModel result = unwrap(std::move(planned));
  return {result.plan.toJson(),
          result.measured ? result.measured->toJson() : std::string()};
}

/// A plan as a setting of a recipe.
static std::string makePlanSetting(const std::string &text) {
  Plan plan = unwrap(Plan::fromJson(text, "plan"));
  return llvm::formatv("{0}", toSetting(plan)).str();
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

namespace {
/// The options of `build` that are no settings of a recipe.
class RequestReader {
public:
  explicit RequestReader(const json::Object &object) : object(object) {}

  ArtifactRequest read(const std::string &output);

private:
  std::string text(llvm::StringRef key, llvm::StringRef otherwise);
  std::vector<std::string> list(llvm::StringRef key);
  FlagValues readFlags(const TargetRow &row);

  const json::Object &object;
};
} // namespace

static absl::Status refuse(llvm::StringRef key, const llvm::Twine &problem) {
  return Error(Code::BadFlagValue, key + ": " + problem);
}

std::string RequestReader::text(llvm::StringRef key,
                                llvm::StringRef otherwise) {
  const json::Value *value = object.get(key);
  if (value && !value->getAsString())
    raise(refuse(key, "expected a text"));
  return value ? value->getAsString()->str() : otherwise.str();
}

std::vector<std::string> RequestReader::list(llvm::StringRef key) {
  std::vector<std::string> result;
  const json::Array *array = object.getArray(key);
  if (object.get(key) && !array)
    raise(refuse(key, "expected a list of texts"));
  if (array)
    for (const json::Value &element : *array)
      result.push_back(element.getAsString().value_or("").str());
  return result;
}

/// Flags of targets by their names in Python: opt_level is --opt-level.
FlagValues RequestReader::readFlags(const TargetRow &row) {
  FlagValues flags;
  for (const auto &[key, value] : object) {
    std::string name = key.str();
    std::replace(name.begin(), name.end(), '_', '-');
    auto has = [&](const TargetRow &target) {
      return llvm::any_of(target.flags,
                          [&](const Flag &flag) { return flag.name == name; });
    };
    bool isOwn = has(row);
    if (!isOwn && (name == "target" || name == "mcpu"))
      raise(refuse(key, "expected none, the folder is the same for every CPU"));
    if (name == "integer-only" && !value.getAsBoolean())
      raise(refuse(key, "expected true or false"));
    bool isOther =
        !isOwn && name != "integer-only" &&
        llvm::any_of(getTargets(), [&](auto *target) { return has(*target); });
    if (isOther)
      raise(refuse(key, "expected none, what emit names does not read it"));
    if (!isOwn)
      continue;
    if (std::optional<llvm::StringRef> text = value.getAsString())
      flags[name] = text->str();
    else if (std::optional<int64_t> number = value.getAsInteger();
             number && *number >= 0)
      flags[name] = std::to_string(*number);
    else if (number)
      raise(refuse(key, "expected an integer >= 0"));
    else if (std::optional<bool> isOn = value.getAsBoolean())
      isOn.value() ? (void)(flags[name] = "") : (void)flags.erase(name);
    else
      raise(refuse(key, "expected a text or an integer"));
  }
  return flags;
}

ArtifactRequest RequestReader::read(const std::string &output) {
  ArtifactRequest request;
  request.stem = output;
  request.emit = unwrap(parseEmit(list("emit")));
  request.row = unwrap(findTarget(request.emit));
  request.outputs = text("outputs", "model");
  if (request.outputs != "model" && request.outputs != "quantized")
    raise(refuse("outputs",
                 "expected model or quantized, got '" + request.outputs + "'"));
  request.bundleWeights = text("bundle_weights", "auto");
  if (request.bundleWeights != "auto" && request.bundleWeights != "copy" &&
      request.bundleWeights != "refer")
    raise(refuse("bundle_weights", "expected auto, copy or refer, got '" +
                                       request.bundleWeights + "'"));
  request.symbol =
      text("symbol", makeSymbol(llvm::sys::path::filename(output)));
  check(readTarget(request, readFlags(*request.row)));
  if (findFolderKind(*request.row, request.emit))
    check(checkOutputFolder(output));
  return request;
}

static void describeOrigin(const Model &model, ArtifactRequest &request) {
  request.modelPath = "<module>";
  if (!model.origin)
    return;
  request.modelPath = model.origin->name;
  request.source.modelSha256 = model.origin->sha256;
  request.source.graphHash = model.origin->graphHash;
  request.source.import = model.origin->import;
}

/// What `qopt compile` does; the files that were written.
static std::vector<std::string> buildFiles(const Model &model,
                                           const std::string &output,
                                           const std::string &options,
                                           const std::string &settings,
                                           const Call &call) {
  json::Object object = parseObject(options), lock;
  if (!call.lock.empty())
    lock = unwrap(parseLock(call.lock, "lock"));
  ArtifactRequest request = RequestReader(object).read(output);
  Recipe recipe =
      readRecipe(call, *model.module, settings, request.target->getRequantize(),
                 /*mayStayFloat=*/true);
  OpenedCall opened;
  open(call, *model.module, recipe, opened);
  opened.inputs.integerInputs = request.target->getRequantize() != "f32";
  opened.inputs.keep = getQuantizeStages(request.emit);
  std::shared_ptr<const QuantizedModel> quantized =
      carryOut(model, recipe, opened);
  describeOrigin(model, request);
  request.dataPaths = call.samples.paths;
  request.source.samplesSha256 = call.samples.getSha256();
  request.source.isProfileGiven = call.profile != nullptr;
  request.preprocessing = &opened.pre;
  request.lock = call.lock.empty() ? nullptr : &lock;
  absl::StatusOr<ArtifactSummary> summary = [&] {
    nb::gil_scoped_release release;
    return writeArtifacts(std::move(request), *quantized);
  }();
  return unwrap(std::move(summary)).files;
}

/// As `qopt quantize -o` does.
static void saveModel(const Model &model, const std::string &path) {
  llvm::StringRef name = path;
  std::string bytes;
  if (name.ends_with(".mlir"))
    bytes = printModule(*model.module);
  else if (name.ends_with(".mlirbc"))
    bytes = unwrap(serializeModule(*model.module));
  else if (name.ends_with(".onnx"))
    bytes = unwrap(writeOnnx(model.quantized ? model.quantized->unfolded.get()
                                             : model.module.get()));
  else
    raise(Error(Code::BadFlagValue, "expected a name that ends in .mlir, "
                                    ".mlirbc or .onnx, got '" +
                                        path + "'"));
  check(writeFile(path, bytes));
}

void python::registerQuantize(nb::module_ &m) {
  nb::class_<Call>(m, "Call").def(
      "__init__",
      [](Call *self, std::vector<std::string> paths, nb::list samples,
         const Profile *profile, std::vector<std::string> pre, bool reference,
         std::string resumeFile, std::string lock) {
        Samples data{std::move(paths), {}};
        for (nb::handle sample : samples) {
          llvm::SmallVector<Tensor> &arrays = data.arrays.emplace_back();
          for (nb::handle array : sample)
            arrays.push_back(toTensor(nb::cast<Array>(array)));
        }
        new (self) Call{std::move(data),       profile,
                        std::move(pre),        reference,
                        std::move(resumeFile), std::move(lock)};
      },
      nb::arg("paths"), nb::arg("samples"), nb::arg("profile").none(),
      nb::arg("pre"), nb::arg("reference"), nb::arg("resume"), nb::arg("lock"),
      nb::keep_alive<1, 4>());
  m.def("quantize", &quantizeByRecipe);
  m.def("plan", &planByBudget);
  m.def("make_plan_setting", &makePlanSetting);
  m.def("build", &buildFiles);
  m.def("save", &saveModel);
}
