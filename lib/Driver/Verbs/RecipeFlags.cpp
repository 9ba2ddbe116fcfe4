//===- RecipeFlags.cpp - Flags to a recipe, and its messages --------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The rows of Recipe.def are flags. What a recipe does is said elsewhere; here
// are only words of the command line and files that they name.
//===----------------------------------------------------------------------===//
#include "qopt/Artifacts/Lock.h"
#include "qopt/Artifacts/Program.h"
#include "qopt/Driver/Calibration.h"
#include "qopt/Driver/VerbFlags.h"
#include "qopt/Support/Refusals.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"

using namespace qopt;
using namespace qopt::driver;
namespace json = llvm::json;

/// Rows of a group between flags that are no rows.
static std::vector<Flag> makeFlags(llvm::ArrayRef<Flag> before,
                                   RecipeField::Group group,
                                   llvm::ArrayRef<Flag> behind) {
  std::vector<Flag> flags(before.begin(), before.end());
  // Flags point to texts that stay.
  static const std::vector<std::string> texts = [] {
    std::vector<std::string> result;
    for (const RecipeField &field : getRecipeFields())
      result.push_back(field.describe());
    return result;
  }();
  for (auto [field, text] : llvm::zip(getRecipeFields(), texts))
    if (field.group == group)
      flags.push_back({field.flag, field.value, text.c_str()});
  llvm::append_range(flags, behind);
  return flags;
}

llvm::ArrayRef<Flag> driver::getQuantizeFlags() {
  static const std::vector<Flag> flags = makeFlags(
      {{"scheme", "NAME",
        "w8a8, w4a8, w4a4, w8a8-dyn or w4a8-dyn (products by rows, no data), "
        "qdq (as the model says) or float"},
       {"recipe", "FILE",
        "settings as JSON, see 'qopt help recipe'; flags come before it"}},
      RecipeField::Group::Quantize,
      {{"layer", "GLOB=SETTINGS",
        "of some layers: weights:FORMAT (f32: they stay float) and "
        "rounding:HOW, as in 'fc*=weights:si4:g32'; of any op: "
        "activations:FORMAT (f32: it stays float), as in "
        "'Log*=activations:f32' (repeatable)"},
       {"plan", "FILE", "formats by layer, from 'qopt plan'"}});
  return flags;
}

llvm::ArrayRef<Flag> driver::getCalibrateFlags() {
  static const std::vector<Flag> flags = makeFlags(
      {}, RecipeField::Group::Calibrate,
      {{"profile", "FILE", "use these statistics instead of --data"},
       {"resume", "FILE", "keep the state here and go on where it ends"}});
  return flags;
}

/// The value of a flag as JSON.
static absl::StatusOr<json::Value> getValue(const Arguments &arguments,
                                            const RecipeField &field) {
  switch (field.type) {
  case RecipeField::Type::Text:
    return json::Value(arguments.get(field.flag, ""));
  case RecipeField::Type::Number: {
    QOPT_ASSIGN(double number, arguments.getDouble(field.flag, 0));
    return json::Value(number);
  }
  case RecipeField::Type::Count: {
    bool canBeNone = llvm::StringRef(field.flag) == "skip";
    QOPT_ASSIGN(int64_t count,
                arguments.getInt(field.flag, 0, canBeNone ? 0 : 1));
    return json::Value(count);
  }
  case RecipeField::Type::Switch:
    break;
  }
  if (!field.value)
    return json::Value(true);
  QOPT_ASSIGN(std::string value,
              arguments.getChoice(field.flag, {"on", "off"}, "on"));
  return json::Value(value == "on");
}

absl::StatusOr<RecipeSettings>
driver::getFieldSettings(const Arguments &arguments,
                         llvm::ArrayRef<RecipeField::Group> groups) {
  RecipeSettings settings;
  Refusals refusals;
  for (const RecipeField &field : getRecipeFields())
    if (arguments.has(field.flag) && llvm::is_contained(groups, field.group)) {
      absl::StatusOr<json::Value> given = getValue(arguments, field);
      refusals.add(given.status());
      if (given.ok())
        settings[field.key] = std::move(*given);
    }
  refusals.add(checkSettings(settings, SettingsOrigin::ofFlags()));
  QOPT_RETURN_IF_ERROR(refusals.status());
  return settings;
}

/// The recipe in a lock.
static absl::StatusOr<RecipeSettings> readLockedSettings(llvm::StringRef path) {
  QOPT_ASSIGN(json::Object lock, readLock(path));
  RecipeSettings settings = std::move(*lock.getObject("recipe"));
  QOPT_RETURN_IF_ERROR(checkSettings(
      settings, SettingsOrigin::ofJson((path + ": recipe").str())));
  return settings;
}

absl::StatusOr<RecipeSettings>
driver::getRecipeSettings(const Arguments &arguments) {
  RecipeSettings settings, flags, named;
  Refusals refusals;
  if (std::optional<std::string> path = arguments.get("recipe"))
    refusals.take(readSettings(*path), settings);
  if (std::optional<std::string> path = arguments.get("lock"))
    refusals.take(readLockedSettings(*path), settings);
  if (std::optional<std::string> scheme = arguments.get("scheme"))
    named["scheme"] = *scheme;
  refusals.add(checkSettings(named, SettingsOrigin::ofFlags()));
  refusals.take(getFieldSettings(arguments, {RecipeField::Group::Quantize,
                                             RecipeField::Group::Calibrate,
                                             RecipeField::Group::Data}),
                flags);
  json::Array layers;
  for (const std::string &layer : arguments.getAll("layer")) {
    absl::StatusOr<json::Value> row = parseLayerFlag(layer);
    refusals.add(row.status());
    if (row.ok())
      layers.push_back(std::move(*row));
  }
  QOPT_RETURN_IF_ERROR(refusals.status());
  if (!layers.empty())
    named["layers"] = std::move(layers);
  return mergeSettings(mergeSettings(std::move(settings), flags), named);
}

//===----------------------------------------------------------------------===//
// Progress
//===----------------------------------------------------------------------===//

void StageReporter::update(llvm::StringRef name, int64_t done, int64_t total) {
  if (phase != name || done <= last || !progress) {
    progress.reset();
    progress = std::make_unique<Progress>(session.startProgress(name, total));
    phase = name.str();
    start = Progress::Clock::now();
  }
  last = done;
  // Small layers take no time worth lines.
  if (name == "calibrate" || Progress::Clock::now() - start >= patience)
    progress->update(done);
}

void StageReporter::attach(QuantizeInputs &inputs) {
  inputs.progress = [this](llvm::StringRef name, int64_t done, int64_t total) {
    update(name, done, total);
  };
  inputs.onStage = [this](const StageResult &result) {
    finish();
    for (const std::string &line : result.lines)
      session.say(line);
    if (session.isVerbose() && result.seconds >= 0.1)
      session.say(
          llvm::formatv("stage {0}: {1:f1} s", result.stage, result.seconds)
              .str());
  };
}

//===----------------------------------------------------------------------===//
// Data and models
//===----------------------------------------------------------------------===//

/// `random..` or `INPUT=random..`.
static bool isMadeUp(llvm::StringRef data) {
  return isRandomData(data) || isRandomData(data.split('=').second);
}

absl::StatusOr<OpenedSamples> driver::openSamples(const Arguments &arguments,
                                                  Session &session,
                                                  mlir::ModuleOp module,
                                                  const Preprocessing &pre,
                                                  const Recipe &recipe) {
  std::vector<std::string> paths = arguments.getAll("data");
  if (paths.empty())
    return Error(Code::MissingArgument, "expected --data PATH");
  QOPT_ASSIGN(ModelInterface interface, getInterface(module));
  OpenedSamples opened;
  QOPT_ASSIGN(opened.data, DataSource::open(paths, interface.inputs, pre));
  QOPT_RETURN_IF_ERROR(opened.data->restrictTo(
      recipe.skip, recipe.samples ? recipe.samples : INT64_MAX));
  opened.set = makeSampleSet(*opened.data);
  if (llvm::any_of(paths, isMadeUp) && recipe.needsProfile() &&
      !arguments.has("profile"))
    session.say("note: these ranges are of random numbers: good for trying "
                "and timing, not for accuracy");
  return opened;
}

absl::StatusOr<std::optional<Profile>>
driver::readProfile(const Arguments &arguments) {
  std::optional<std::string> path = arguments.get("profile");
  if (!path)
    return std::nullopt;
  absl::StatusOr<Profile> profile = Profile::read(*path);
  if (!profile.ok())
    return withCode(profile.status(), Code::DataFile);
  return std::optional<Profile>(std::move(*profile));
}

/// --plan, whose file is read only where it can be used; `plan` gets it.
static absl::Status addPlan(const Arguments &arguments, const Recipe &recipe,
                            RecipeSettings &settings,
                            std::shared_ptr<const Plan> &plan) {
  std::optional<std::string> path = arguments.get("plan");
  if (!path)
    return absl::OkStatus();
  if (!recipe.needsProfile())
    return Error(Code::UnsupportedOption,
                 "--plan chooses formats for data: it does not go with "
                 "--scheme " +
                     recipe.scheme);
  QOPT_ASSIGN(Plan read, Plan::read(*path));
  settings["plan"] = toSetting(read);
  plan = std::make_shared<Plan>(std::move(read));
  return absl::OkStatus();
}

/// The plan that lies beside a lock, if its decisions are those of the lock:
/// with what they were chosen from.
static void findWholePlan(const Arguments &arguments, Recipe &recipe) {
  if (!recipe.plan || !arguments.has("lock"))
    return;
  llvm::SmallString<128> path(arguments.get("lock", ""));
  llvm::sys::path::remove_filename(path);
  llvm::sys::path::append(path, "plan.json");
  absl::StatusOr<Plan> plan = Plan::read(path);
  if (plan.ok() && toSetting(*plan) == toSetting(*recipe.plan))
    recipe.plan = std::make_shared<Plan>(std::move(*plan));
}

static absl::StatusOr<Recipe> makeRecipe(const Arguments &arguments,
                                         RecipeSettings settings,
                                         const RecipeDefaults &defaults) {
  SettingsOrigin origin = SettingsOrigin::ofFlags();
  QOPT_ASSIGN(Recipe recipe, Recipe::make(settings, defaults, origin));
  std::shared_ptr<const Plan> plan;
  QOPT_RETURN_IF_ERROR(addPlan(arguments, recipe, settings, plan));
  if (!plan) {
    findWholePlan(arguments, recipe);
    return recipe;
  }
  QOPT_ASSIGN(recipe, Recipe::make(settings, defaults, origin));
  // With what it was chosen from, for the report.
  recipe.plan = std::move(plan);
  return recipe;
}

absl::StatusOr<FlaggedModel> driver::quantizeModel(const Arguments &arguments,
                                                   Session &session,
                                                   llvm::StringRef requantize,
                                                   std::set<std::string> keep) {
  FlaggedModel model;
  QOPT_ASSIGN(RecipeSettings settings, getRecipeSettings(arguments));
  ProgramOptions options;
  QOPT_ASSIGN(options.import, getImportOptions(arguments));
  model.import = options.import;
  QOPT_ASSIGN(model.preprocessing, getPreprocessing(arguments, {}));
  QOPT_ASSIGN(auto module, openModule(session.context(),
                                      arguments.positional()[0], options));
  QOPT_ASSIGN(ModelInterface interface, getInterface(*module));
  QOPT_RETURN_IF_ERROR(model.preprocessing.check(interface.inputs));
  QOPT_ASSIGN(model.graphHash, getModelHash(*module));
  model.constants = listLargeConstants(*module);
  RecipeDefaults defaults = getRecipeDefaults(
      *module, arguments.has("data"), arguments.has("profile"), requantize);
  if (!settings.get("scheme"))
    session.say("scheme: " + defaults.scheme);
  QOPT_ASSIGN(Recipe recipe,
              makeRecipe(arguments, std::move(settings), defaults));
  for (const char *flag : {"data", "profile"})
    if (arguments.has(flag) && recipe.roundsRows())
      return Error(Code::UnsupportedOption,
                   "--" + llvm::Twine(flag) + " is not read by --scheme " +
                       recipe.scheme + ", which rounds rows at run time");
  for (const char *flag : {"samples", "skip", "resume"})
    if (arguments.has(flag) && !arguments.has("data"))
      return Error(Code::UnsupportedOption,
                   "--" + llvm::Twine(flag) +
                       " is of --data, which is missing");
  if (arguments.has("resume") && arguments.has("profile"))
    return Error(Code::UnsupportedOption,
                 "--resume keeps the state of calibration: it does not go with "
                 "--profile");
  // Before any data are looked for.
  QOPT_RETURN_IF_ERROR(checkLayersEarly(*module, recipe));
  QuantizeInputs inputs;
  inputs.engine =
      arguments.has("reference") ? Engine::Reference : Engine::Compiled;
  inputs.integerInputs = requantize != "f32";
  inputs.resumeFile = arguments.get("resume", "");
  inputs.planName = "'" + arguments.get("plan", "") + "'";
  inputs.keep = std::move(keep);
  QOPT_ASSIGN(inputs.profile, readProfile(arguments));
  OpenedSamples samples;
  if (arguments.has("data") && readsSamples(recipe, inputs.integerInputs)) {
    QOPT_ASSIGN(samples, openSamples(arguments, session, *module,
                                     model.preprocessing, recipe));
    inputs.samples = samples.set;
  }
  StageReporter reporter(session);
  reporter.attach(inputs);
  QOPT_ASSIGN(model.quantized,
              qopt::quantizeModel(std::move(module), recipe, inputs));
  return model;
}
