//===- PlanModel.cpp - Settings, a model and data to a plan ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Everything that is wrong by itself is said before a model is read.
//===----------------------------------------------------------------------===//
#include "qopt/Planning/PlanModel.h"
#include "qopt/Support/Refusals.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <set>

using namespace qopt;
namespace json = llvm::json;

llvm::ArrayRef<PlanField> qopt::getPlanFields() {
  static constexpr PlanField kFields[] = {
#define QOPT_PLAN_FIELD(type, ...) {PlanField::Type::type, __VA_ARGS__},
#include "qopt/Planning/PlanSettings.def"
  };
  return kFields;
}

std::string PlanField::describe() const {
  static constexpr llvm::StringLiteral kRounders = "{rounders}";
  std::string text = help;
  if (size_t at = text.find(kRounders); at != std::string::npos)
    text.replace(at, kRounders.size(),
                 llvm::join(getRounderNames(), ", ") + " (" +
                     getRounders().front().name.str() + ")");
  return text;
}

namespace {
/// Reads members of one object; what has the wrong form is refused by name.
class SettingsReader {
public:
  SettingsReader(const json::Object &object, const SettingsOrigin &origin)
      : object(object), origin(origin) {}

  std::string text(llvm::StringRef key, llvm::StringRef otherwise);
  std::vector<std::string> list(llvm::StringRef key);
  std::vector<std::pair<std::string, std::string>> map(llvm::StringRef key);
  std::vector<std::vector<std::string>> groups(llvm::StringRef key);
  int64_t count(llvm::StringRef key, int64_t otherwise);
  double number(llvm::StringRef key, double otherwise);

  bool has(llvm::StringRef key) const { return object.get(key); }
  std::string describe(llvm::StringRef key) const {
    return origin.describe(key);
  }
  void refuse(llvm::StringRef key, const llvm::Twine &problem) {
    refusals.add(Error(Code::BadFlagValue, describe(key) + ": " + problem));
  }
  void add(absl::Status status) { refusals.add(std::move(status)); }
  absl::Status status() const { return refusals.status(); }

private:
  const json::Object &object;
  const SettingsOrigin &origin;
  Refusals refusals;
};
} // namespace

std::string SettingsReader::text(llvm::StringRef key,
                                 llvm::StringRef otherwise) {
  const json::Value *value = object.get(key);
  if (!value)
    return otherwise.str();
  if (std::optional<llvm::StringRef> text = value->getAsString())
    return text->str();
  refuse(key, "expected a text, got " + llvm::formatv("{0}", *value).str());
  return otherwise.str();
}

/// A list, or one text with commas.
static std::optional<std::vector<std::string>>
splitList(const json::Value &value) {
  std::vector<std::string> result;
  if (std::optional<llvm::StringRef> text = value.getAsString()) {
    llvm::SmallVector<llvm::StringRef> parts;
    text->split(parts, ',', -1, /*KeepEmpty=*/false);
    for (llvm::StringRef part : parts)
      result.push_back(part.trim().str());
    return result;
  }
  const json::Array *array = value.getAsArray();
  if (!array)
    return std::nullopt;
  for (const json::Value &element : *array) {
    if (!element.getAsString())
      return std::nullopt;
    result.push_back(element.getAsString()->str());
  }
  return result;
}

std::vector<std::string> SettingsReader::list(llvm::StringRef key) {
  const json::Value *value = object.get(key);
  if (!value)
    return {};
  if (std::optional<std::vector<std::string>> list = splitList(*value))
    return *list;
  refuse(key, "expected a list of texts");
  return {};
}

std::vector<std::pair<std::string, std::string>>
SettingsReader::map(llvm::StringRef key) {
  std::vector<std::pair<std::string, std::string>> result;
  const json::Value *value = object.get(key);
  if (!value)
    return result;
  // Pairs keep the order that was written, which an object has not.
  const json::Array *array = value->getAsArray();
  for (size_t i = 0; array && i < array->size(); ++i) {
    std::optional<std::vector<std::string>> pair = splitList((*array)[i]);
    if (!pair || pair->size() != 2)
      refuse(key, "expected pairs of a layer and a format");
    else
      result.emplace_back((*pair)[0], (*pair)[1]);
  }
  if (!array)
    refuse(key, "expected pairs of a layer and a format");
  return result;
}

std::vector<std::vector<std::string>>
SettingsReader::groups(llvm::StringRef key) {
  std::vector<std::vector<std::string>> result;
  const json::Value *value = object.get(key);
  if (!value)
    return result;
  const json::Array *array = value->getAsArray();
  if (!array)
    refuse(key, "expected a list of lists of layers");
  for (size_t i = 0; array && i < array->size(); ++i) {
    std::optional<std::vector<std::string>> names = splitList((*array)[i]);
    if (!names || names->empty())
      refuse(key, "expected LAYER,LAYER, got '" +
                      (*array)[i].getAsString().value_or("") + "'");
    else
      result.push_back(*names);
  }
  return result;
}

int64_t SettingsReader::count(llvm::StringRef key, int64_t otherwise) {
  const json::Value *value = object.get(key);
  if (!value)
    return otherwise;
  int64_t least = 0;
  for (const PlanField &field : getPlanFields())
    if (key == field.key)
      least = field.least;
  std::optional<int64_t> count = value->getAsInteger();
  if (count && *count >= least)
    return *count;
  refuse(key, "expected an integer >= " + llvm::Twine(least) + ", got '" +
                  llvm::formatv("{0}", *value).str() + "'");
  return otherwise;
}

double SettingsReader::number(llvm::StringRef key, double otherwise) {
  const json::Value *value = object.get(key);
  if (!value)
    return otherwise;
  if (std::optional<double> number = value->getAsNumber())
    return *number;
  refuse(key,
         "expected a number, got '" + llvm::formatv("{0}", *value).str() + "'");
  return otherwise;
}

static void readFormats(SettingsReader &reader, PlanRequest &request) {
  for (const std::string &format : reader.list("formats"))
    if (!llvm::is_contained(request.formats, format))
      request.formats.push_back(format);
  if (request.formats.empty() && reader.has("formats"))
    reader.refuse("formats", "expected formats to choose from, got none");
  if (request.formats.empty())
    request.formats = getDefaultPlanFormats();
  reader.add(checkFormats(request.formats, reader.describe("formats")));
  request.roundings = reader.list("rounding");
  if (request.roundings.empty() && reader.has("rounding"))
    reader.refuse("rounding", "expected some of " +
                                  llvm::join(getRounderNames(), ", ") +
                                  ", got none");
  if (request.roundings.empty())
    request.roundings = {getRounders().front().name.str()};
  for (const std::string &rounding : request.roundings)
    if (!lookupRounder(rounding) ||
        llvm::count(request.roundings, rounding) > 1)
      return reader.refuse(
          "rounding",
          "expected some of " + llvm::join(getRounderNames(), ", ") +
              ", each once, got '" + llvm::join(request.roundings, ",") + "'");
}

static void readLimits(SettingsReader &reader, PlanRequest &request) {
  request.worst = reader.number("worst", INFINITY);
  if (!(request.worst > 0))
    reader.refuse("worst", "expected a positive loss");
  request.solve.gap = reader.number("gap", 0);
  if (!(request.solve.gap >= 0 && request.solve.gap < 1))
    reader.refuse("gap", "expected a share from 0 to below 1, as in 0.01");
  request.solve.nodeLimit = reader.count("node_limit", 200000);
  request.solve.timeLimitSeconds = reader.number("time_limit", INFINITY);
  if (!(request.solve.timeLimitSeconds > 0))
    reader.refuse("time_limit", "expected seconds");
}

/// Whose object `size` counts.
static void readTarget(SettingsReader &reader, PlanRequest &request) {
  std::string name = reader.text("target", "native");
  if (name.empty())
    return reader.refuse("target", "expects a name, got ''");
  absl::StatusOr<MachineName> machine = parseMachineName(name);
  if (!machine.ok())
    return reader.add(machine.status());
  MachineProblems found = findMachineProblems(*machine);
  if (!found.problems.empty())
    return reader.refuse("target", found.problems.front());
  static_cast<MachineName &>(request.target) = *machine;
}

/// The keys that are a recipe's.
static RecipeSettings takeRecipeSettings(const json::Object &object) {
  RecipeSettings settings;
  for (const RecipeField &field : getRecipeFields())
    if (field.group != RecipeField::Group::Quantize)
      if (const json::Value *value = object.get(field.key))
        settings[field.key] = *value;
  return settings;
}

static void refuseUnknown(SettingsReader &reader, const json::Object &object,
                          const RecipeSettings &recipe) {
  std::set<std::string> unknown;
  for (const auto &[key, value] : object)
    unknown.insert(key.str());
  for (const PlanField &field : getPlanFields())
    unknown.erase(field.key);
  for (const std::string &key : unknown)
    if (!recipe.get(key))
      reader.refuse(key, "no such setting of a plan");
}

absl::StatusOr<PlanSettings>
qopt::parsePlanSettings(const json::Object &object,
                        const SettingsOrigin &origin) {
  PlanSettings settings;
  PlanRequest &request = settings.request;
  SettingsReader reader(object, origin);
  absl::StatusOr<std::vector<BudgetSpec>> budgets =
      parseBudgets(reader.list("budget"));
  reader.add(budgets.status());
  if (budgets.ok())
    request.budgets = std::move(*budgets);
  request.pareto = int(std::min<int64_t>(reader.count("pareto", 0), 1000));
  readTarget(reader, request);
  readFormats(reader, request);
  std::string kind = reader.text("sensitivity", "proxy");
  if (std::optional<SensitivityKind> parsed = parseSensitivity(kind))
    request.sensitivity = *parsed;
  else
    reader.refuse("sensitivity", "expected one of proxy, kl, weight-error, "
                                 "got '" +
                                     kind + "'");
  request.samples = reader.count("plan_samples", 32);
  request.rounds = int(std::min<int64_t>(reader.count("rounds", 4), 100));
  request.pins = reader.map("pin");
  request.ties = reader.groups("tie");
  readLimits(reader, request);
  settings.transforms = reader.text("transforms", "none");
  reader.add(withCode(withPrefix(parseTransforms(settings.transforms).status(),
                                 origin.describe("transforms") + ": "),
                      Code::BadFlagValue));
  settings.cost = reader.text("cost", "");
  bool isFile = !settings.cost.empty() && settings.cost != "measured" &&
                settings.cost != "model";
  RecipeSettings recipe = takeRecipeSettings(object);
  refuseUnknown(reader, object, recipe);
  reader.add(checkSettings(recipe, origin));
  // Nothing would be wrong with the widest format everywhere.
  if (budgets.ok() && request.budgets.empty() && !request.pareto)
    reader.add(Error(Code::MissingArgument,
                     "expected " + origin.describe("budget") +
                         ": without one, all weights have the widest format")
                   .help("as in size=0.3x or avg-bits=4"));
  QOPT_RETURN_IF_ERROR(reader.status());
  QOPT_ASSIGN(request.quantize.recipe, Recipe::make(recipe, {}, origin));
  if (isFile) {
    QOPT_ASSIGN(settings.costs, CostFile::read(settings.cost));
  }
  return settings;
}

/// Changes the model as compiling will, for the widths that plans are about.
static absl::Status transformForPlan(mlir::ModuleOp module,
                                     const PlanSettings &settings,
                                     const QuantizeInputs &inputs) {
  if (settings.transforms == "none")
    return absl::OkStatus();
  if (!inputs.samples || inputs.profile)
    return Error(Code::UnsupportedOption,
                 "--transforms are chosen on data: expected --data and a "
                 "scheme that uses it, without --profile");
  Recipe recipe = settings.request.quantize.recipe;
  Recipe standIn = Recipe::ofScheme("w4a8");
  recipe.weights = standIn.weights;
  recipe.averageBits = standIn.averageBits;
  recipe.transforms = settings.transforms;
  StageResult done{"transform", {}};
  QOPT_RETURN_IF_ERROR(transformModel(module, recipe, inputs, done.lines));
  if (inputs.onStage)
    inputs.onStage(done);
  return absl::OkStatus();
}

absl::StatusOr<PlannedModel> qopt::planModel(mlir::ModuleOp module,
                                             PlanSettings settings,
                                             const QuantizeInputs &inputs) {
  PlanRequest &request = settings.request;
  if (!inputs.samples)
    return Error(Code::MissingArgument,
                 "expected --data PATH: a plan is chosen on samples");
  std::optional<CostFile> &costs = settings.costs;
  QOPT_RETURN_IF_ERROR(transformForPlan(module, settings, inputs));
  request.quantize.engine = inputs.engine;
  QOPT_ASSIGN(Profile profile,
              collectStatistics(module, request.quantize.recipe, inputs,
                                &request.quantize.calibrated));
  request.progress = inputs.progress;
  const SampleSource &samples = inputs.samples.source;
  PlannedModel planned;
  if (settings.cost == "measured") {
    QOPT_ASSIGN(costs, measureCosts(module, profile, samples, request));
    planned.measured = costs;
  } else if (settings.cost == "model") {
    costs = modelCosts(module, request.formats);
  }
  request.costs = costs ? &*costs : nullptr;
  QOPT_ASSIGN(planned.plan, makePlan(module, profile, samples, request));
  planned.plan.transforms = settings.transforms;
  return planned;
}
