//===- Recipe.cpp - How a model is quantized, as one record ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Settings are checked one by one where they come from, then against each
// other when they become a recipe. JSON is the common form of all of them.
//===----------------------------------------------------------------------===//
#include "qopt/Pipelines/Recipe.h"
#include "qopt/Calibration/Observer.h"
#include "qopt/Support/Files.h"
#include "qopt/Support/Json.h"
#include "qopt/Support/Refusals.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <set>

using namespace qopt;
namespace json = llvm::json;

llvm::ArrayRef<SchemeRow> qopt::getSchemes() {
  static constexpr SchemeRow kRows[] = {
#define QOPT_SCHEME(...) {__VA_ARGS__},
#include "qopt/Pipelines/Recipe.def"
  };
  return kRows;
}

llvm::ArrayRef<RecipeField> qopt::getRecipeFields() {
  static constexpr RecipeField kFields[] = {
#define QOPT_RECIPE_FIELD(type, member, key, flag, group, value, help)         \
  {RecipeField::Type::type, RecipeField::Group::group, key, flag, value, help},
#include "qopt/Pipelines/Recipe.def"
  };
  return kFields;
}

std::string RecipeField::describe() const {
  static constexpr llvm::StringLiteral kRounders = "{rounders}";
  std::string text = help;
  if (size_t at = text.find(kRounders); at != std::string::npos)
    text.replace(at, kRounders.size(),
                 listRounders() + " (default " +
                     getRounders().front().name.str() + ")");
  return text;
}

static const SchemeRow *findScheme(llvm::StringRef name) {
  for (const SchemeRow &row : getSchemes())
    if (name == row.name)
      return &row;
  return nullptr;
}

static const RecipeField *findField(llvm::StringRef key) {
  for (const RecipeField &field : getRecipeFields())
    if (key == field.key)
      return &field;
  return nullptr;
}

std::string SettingsOrigin::describe(llvm::StringRef key) const {
  if (!isFlags_)
    return (name_.empty() ? "" : "'" + name_ + "': ") + key.str();
  if (key == "layers")
    return "--layer";
  if (const RecipeField *field = findField(key))
    return std::string("--") + field->flag;
  std::string flag = "--" + key.str();
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

absl::StatusOr<ChooseTransformsOptions>
qopt::parseTransforms(llvm::StringRef list) {
  ChooseTransformsOptions options;
  options.rotate = options.smooth = options.equalize = list == "auto";
  if (list == "auto" || list == "none")
    return options;
  llvm::SmallVector<llvm::StringRef> names;
  list.split(names, ',');
  for (llvm::StringRef name : names) {
    bool *kind = name == "rotation"       ? &options.rotate
                 : name == "smoothing"    ? &options.smooth
                 : name == "equalization" ? &options.equalize
                                          : nullptr;
    if (!kind)
      return absl::InvalidArgumentError(
          ("expected none, auto or a list of rotation, equalization and "
           "smoothing, got '" +
           list + "'")
              .str());
    *kind = true;
  }
  return options;
}

static bool isRequantizeMode(llvm::StringRef mode) {
  llvm::StringRef bits = mode;
  unsigned count = 0;
  bool isFixed = bits.consume_front("fixed:") &&
                 !bits.getAsInteger(10, count) && count >= 2 && count <= 31;
  return mode == "f32" || mode == "pow2" || isFixed;
}

static absl::Status refuse(const llvm::Twine &text) {
  return Error(Code::BadFlagValue, text);
}

static absl::Status checkWeights(llvm::StringRef name, llvm::StringRef format) {
  if (format == kFloatFormat)
    return absl::OkStatus();
  return checkFormats({format.str()}, name);
}

static absl::Status checkRounding(llvm::StringRef name,
                                  llvm::StringRef rounding) {
  if (lookupRounder(rounding))
    return absl::OkStatus();
  return refuse(name + ": expected one of " +
                llvm::join(getRounderNames(), ", ") + ", got '" + rounding +
                "'");
}

static absl::Status checkText(llvm::StringRef key, llvm::StringRef text,
                              llvm::StringRef name) {
  // Of what a model brings, and of nothing at all.
  if (key == "weights")
    return text == "model" ? absl::OkStatus() : checkWeights(name, text);
  if (key == "rounding")
    return checkRounding(name, text);
  if (key == "transforms")
    return withCode(withPrefix(parseTransforms(text).status(), name + ": "),
                    Code::BadFlagValue);
  if (key == "method")
    return withCode(withPrefix(RangeMethod::parse(text).status(), name + ": "),
                    Code::BadFlagValue);
  if (key == "requantize")
    return isRequantizeMode(text)
               ? absl::OkStatus()
               : refuse(name +
                        ": expected f32, pow2 or fixed:BITS with 2 to 31 "
                        "bits, got '" +
                        text + "'");
  if (text == kFloatFormat || text == "model" || text == "si8:row" ||
      parseActivationBits(text))
    return absl::OkStatus();
  return refuse(name +
                ": expected ui2 to ui8, or si8:row for rows that are "
                "rounded at run time, got '" +
                text + "'");
}

static absl::Status checkField(const RecipeField &field,
                               const json::Value &value, llvm::StringRef name) {
  std::string got = llvm::formatv("{0}", value).str();
  switch (field.type) {
  case RecipeField::Type::Text:
    if (std::optional<llvm::StringRef> text = value.getAsString())
      return checkText(field.key, *text, name);
    return refuse(name + ": expected a text, got " + got);
  case RecipeField::Type::Switch:
    return value.getAsBoolean()
               ? absl::OkStatus()
               : refuse(name + ": expected true or false, got " + got);
  case RecipeField::Type::Count:
    return value.getAsInteger().value_or(-1) >= 0
               ? absl::OkStatus()
               : refuse(name + ": expected an integer >= 0, got " + got);
  case RecipeField::Type::Number:
    break;
  }
  double number = value.getAsNumber().value_or(-1);
  if (number == 0 || (number >= 4 && number <= 8))
    return absl::OkStatus();
  return refuse(name + ": expected 0 or a number from 4 to 8, got " + got);
}

static std::string listSchemes() {
  std::string names;
  for (const SchemeRow &row : getSchemes())
    names += (names.empty()                  ? ""
              : &row == &getSchemes().back() ? " or "
                                             : ", ") +
             std::string(row.name);
  return names;
}

static absl::Status checkScheme(const json::Value &value,
                                llvm::StringRef name) {
  std::optional<llvm::StringRef> scheme = value.getAsString();
  if (scheme && findScheme(*scheme))
    return absl::OkStatus();
  return refuse(name + ": expected " + listSchemes() + ", got '" +
                scheme.value_or(llvm::formatv("{0}", value).str()) + "'");
}

static absl::Status checkLayerActivations(llvm::StringRef name,
                                          llvm::StringRef format) {
  if (format == kFloatFormat || parseActivationBits(format))
    return absl::OkStatus();
  return refuse(name +
                ": expected ui2 to ui8, or f32 for an op that stays "
                "float, got '" +
                format + "'");
}

/// A member of `layers`.
static absl::Status checkLayer(const json::Value &value, llvm::StringRef name) {
  const json::Object *row = value.getAsObject();
  std::optional<llvm::StringRef> layer =
      row ? row->getString("layer") : std::nullopt;
  if (!layer || layer->empty())
    return refuse(name +
                  ": expected objects with the name or glob of a "
                  "'layer', got " +
                  llvm::formatv("{0}", value).str());
  std::string where = (name + ": '" + *layer + "'").str();
  Refusals refusals;
  constexpr const char *kKeys = ": expected weights, rounding or activations";
  if (row->size() < 2)
    refusals.add(refuse(where + kKeys));
  for (const auto &[key, setting] : *row) {
    std::string text = setting.getAsString().value_or("").str();
    if (key == "weights")
      refusals.add(checkWeights(where + ": weights", text));
    else if (key == "rounding")
      refusals.add(checkRounding(where + ": rounding", text));
    else if (key == "activations")
      refusals.add(checkLayerActivations(where + ": activations", text));
    else if (key != "layer")
      refusals.add(
          refuse(where + kKeys + ", got '" + llvm::StringRef(key) + "'"));
  }
  bool isFloat = row->getString("activations") == kFloatFormat;
  if ((isFloat || row->getString("weights") == kFloatFormat) &&
      row->get("rounding"))
    refusals.add(refuse(where + ": expected no rounding of a layer that stays "
                                "float"));
  if (isFloat && row->getString("weights").value_or(kFloatFormat) !=
                     llvm::StringRef(kFloatFormat))
    refusals.add(refuse(where + ": expected no format of weights of a layer "
                                "that stays float"));
  return refusals.status();
}

//===----------------------------------------------------------------------===//
// Plans and layers as settings
//===----------------------------------------------------------------------===//

json::Value qopt::toSetting(const Plan &plan) {
  json::Array decisions;
  for (const PlanDecision &decision : plan.decisions)
    decisions.push_back(json::Object{{"layer", decision.layer},
                                     {"op", decision.op},
                                     {"format", decision.format},
                                     {"rounding", decision.rounding}});
  return json::Object{{"model_sha256", plan.model},
                      {"transforms", plan.transforms},
                      {"decisions", std::move(decisions)}};
}

/// What toSetting() makes, or nullptr.
static std::shared_ptr<const Plan> parsePlan(const json::Value &value) {
  const json::Object *object = value.getAsObject();
  const json::Array *rows = object ? object->getArray("decisions") : nullptr;
  if (!rows)
    return nullptr;
  auto plan = std::make_shared<Plan>();
  plan->model = object->getString("model_sha256").value_or("").str();
  plan->transforms = object->getString("transforms").value_or("none").str();
  if (!parseTransforms(plan->transforms).ok())
    return nullptr;
  for (const json::Value &row : *rows) {
    const json::Object *decision = row.getAsObject();
    if (!decision)
      return nullptr;
    auto layer = decision->getString("layer"), op = decision->getString("op"),
         format = decision->getString("format"),
         rounding = decision->getString("rounding");
    if (!layer || !op || !format || !rounding)
      return nullptr;
    PlanDecision &taken = plan->decisions.emplace_back();
    taken.layer = layer->str();
    taken.op = op->str();
    taken.format = format->str();
    taken.rounding = rounding->str();
  }
  return plan;
}

static json::Value toSetting(const LayerRule &rule) {
  json::Object row{{"layer", rule.layer}};
  if (!rule.weights.empty())
    row["weights"] = rule.weights;
  if (!rule.rounding.empty())
    row["rounding"] = rule.rounding;
  if (!rule.activations.empty())
    row["activations"] = rule.activations;
  return row;
}

static LayerRule parseLayer(const json::Value &value) {
  const json::Object &row = *value.getAsObject();
  auto get = [&](llvm::StringRef key) {
    return row.getString(key).value_or("").str();
  };
  return {get("layer"), get("weights"), get("rounding"), get("activations")};
}

absl::StatusOr<json::Value> qopt::parseLayerFlag(llvm::StringRef text) {
  auto [layer, rest] = text.split('=');
  llvm::SmallVector<llvm::StringRef> parts;
  rest.split(parts, ',', -1, /*KeepEmpty=*/false);
  // JSON keeps no copy of a StringRef, nor of one that is a key.
  json::Object row{{"layer", layer.str()}};
  for (llvm::StringRef part : parts) {
    auto [key, value] = part.split(':');
    if (row.get(key))
      return refuse("--layer: '" + layer + "': expected " + key +
                    " once, got '" + text + "'");
    row[key.str()] = value.str();
  }
  if (layer.empty())
    return refuse("--layer: expected GLOB=SETTINGS, got '" + text + "'");
  json::Value result(std::move(row));
  if (absl::Status status = checkLayer(result, "--layer"); !status.ok())
    return withCode(status, Code::BadFlagValue);
  return result;
}

//===----------------------------------------------------------------------===//
// Settings
//===----------------------------------------------------------------------===//

static absl::Status refuseKey(llvm::StringRef key,
                              const SettingsOrigin &origin) {
  llvm::StringRef best;
  unsigned distance = 4;
  for (const RecipeField &field : getRecipeFields())
    if (unsigned d = key.edit_distance(field.key, true, distance);
        d < distance) {
      distance = d;
      best = field.key;
    }
  Error error(Code::BadFlagValue,
              origin.describe(key) + " is no setting of a recipe");
  return best.empty() ? std::move(error).help("'qopt help recipe' lists them")
                      : std::move(error).help("did you mean " + best + "?");
}

absl::Status qopt::checkSettings(const RecipeSettings &settings,
                                 const SettingsOrigin &origin) {
  Refusals refusals;
  if (const json::Value *scheme = settings.get("scheme"))
    refusals.add(checkScheme(*scheme, origin.describe("scheme")));
  for (const RecipeField &field : getRecipeFields())
    if (const json::Value *value = settings.get(field.key))
      refusals.add(checkField(field, *value, origin.describe(field.key)));
  if (const json::Value *layers = settings.get("layers")) {
    std::string name = origin.describe("layers");
    const json::Array *rows = layers->getAsArray();
    if (!rows)
      refusals.add(refuse(name + ": expected a list"));
    for (size_t i = 0; rows && i < rows->size(); ++i)
      refusals.add(checkLayer((*rows)[i], name));
  }
  if (const json::Value *plan = settings.get("plan"); plan && !parsePlan(*plan))
    refusals.add(refuse(origin.describe("plan") +
                        ": expected decisions, each with layer, op, format and "
                        "rounding"));
  std::set<std::string> unknown;
  for (const auto &[key, value] : settings)
    if (!findField(key) && key != "scheme" && key != "layers" && key != "plan")
      unknown.insert(key.str());
  for (const std::string &key : unknown)
    refusals.add(refuseKey(key, origin));
  return refusals.status();
}

RecipeSettings qopt::mergeSettings(RecipeSettings settings,
                                   const RecipeSettings &overrides) {
  for (const auto &[key, value] : overrides) {
    json::Array *rows = settings.getArray("layers");
    if (key == "layers" && rows) {
      for (const json::Value &row : *value.getAsArray())
        rows->push_back(row);
      continue;
    }
    settings[key] = value;
  }
  return settings;
}

static absl::Status checkRecipeSchema(const json::Object &object,
                                      llvm::StringRef file) {
  llvm::StringRef schema = object.getString("schema").value_or("");
  llvm::StringRef rest = schema;
  int64_t version;
  if (!rest.consume_front("qopt.recipe/") || rest.getAsInteger(10, version) ||
      version < 1)
    return refuse("'" + file + "': expected schema qopt.recipe/1, got '" +
                  schema + "'");
  if (version <= Recipe::schemaVersion)
    return absl::OkStatus();
  return Error(Code::BadFlagValue,
               "'" + file + "' was written by a newer qopt (" + schema +
                   ", this one reads qopt.recipe/1)")
      .help("use that qopt");
}

absl::StatusOr<RecipeSettings> qopt::parseSettings(llvm::StringRef text,
                                                   llvm::StringRef file) {
  absl::StatusOr<json::Object> object = parseJsonObject(text, file);
  if (!object.ok())
    return withCode(object.status(), Code::BadFlagValue);
  QOPT_RETURN_IF_ERROR(checkRecipeSchema(*object, file));
  object->erase("schema");
  QOPT_RETURN_IF_ERROR(checkSettings(*object, SettingsOrigin::ofJson(file)));
  return std::move(*object);
}

absl::StatusOr<RecipeSettings> qopt::readSettings(llvm::StringRef path) {
  absl::StatusOr<std::string> text = readFile(path, /*limit=*/1 << 28);
  if (!text.ok())
    return refuse(std::string(text.status().message()));
  return parseSettings(*text, path);
}

//===----------------------------------------------------------------------===//
// Recipes
//===----------------------------------------------------------------------===//

static void read(const json::Value &value, std::string &into) {
  into = value.getAsString()->str();
}
static void read(const json::Value &value, double &into) {
  into = *value.getAsNumber();
}
static void read(const json::Value &value, int64_t &into) {
  into = *value.getAsInteger();
}
static void read(const json::Value &value, bool &into) {
  into = *value.getAsBoolean();
}

unsigned Recipe::getActivationBits() const {
  return parseActivationBits(activations).value_or(8);
}

/// Settings of statistics, of weights that are rounded here and of integers, in
/// a recipe that has none of these.
static absl::Status checkRounded(const Recipe &recipe,
                                 const RecipeDefaults &defaults,
                                 const SettingsOrigin &origin) {
  Refusals refusals;
  auto refuseIf = [&](bool isIdle, llvm::StringRef key, llvm::StringRef what) {
    if (isIdle)
      refusals.add(Error(Code::UnsupportedOption,
                         origin.describe(key) + " is for " + what +
                             ": it does not go with " +
                             origin.describe("scheme") + " " + recipe.scheme));
  };
  if (recipe.needsProfile())
    return absl::OkStatus();
  const Recipe plain;
  constexpr const char *kWeights = "weights that are rounded here";
  constexpr const char *kRanges = "ranges of activations that are taken here";
  refuseIf(recipe.rounding != plain.rounding, "rounding", kWeights);
  refuseIf(recipe.biasCorrection != plain.biasCorrection, "bias_correction",
           kWeights);
  refuseIf(recipe.method != plain.method, "method", kRanges);
  refuseIf(recipe.perChannelActs != plain.perChannelActs, "per_channel_acts",
           kRanges);
  // A target's own mode is nobody's wish.
  refuseIf(recipe.isFloat() && recipe.requantize != plain.requantize &&
               recipe.requantize != defaults.requantize,
           "requantize", "accumulators of integers");
  if (!recipe.roundsRows()) {
    const SchemeRow &row = *findScheme(recipe.scheme);
    refuseIf(recipe.weights != row.weights, "weights", kWeights);
    refuseIf(!recipe.layers.empty(), "layers", kWeights);
  }
  refuseIf(recipe.roundsRows() &&
               llvm::any_of(recipe.layers,
                            [](const LayerRule &rule) {
                              return !rule.rounding.empty() ||
                                     parseActivationBits(rule.activations);
                            }),
           "layers", kWeights);
  return refusals.status();
}

/// What contradicts each other.
static absl::Status checkRecipe(const Recipe &recipe,
                                const RecipeDefaults &defaults,
                                const SettingsOrigin &origin) {
  QOPT_RETURN_IF_ERROR(checkRounded(recipe, defaults, origin));
  std::string scheme = origin.describe("scheme") + " " + recipe.scheme;
  auto contradict = [](const llvm::Twine &text) {
    return Error(Code::UnsupportedOption, text);
  };
  for (llvm::StringRef whole :
       {llvm::StringRef("f32"), llvm::StringRef("model")})
    if ((recipe.weights == whole) != (recipe.activations == whole))
      return contradict(origin.describe("activations") + " " +
                        recipe.activations + " does not go with weights " +
                        recipe.weights + ": " + whole + " is for both")
          .help("a row of 'layers' keeps some layers float");
  if (recipe.plan && !recipe.needsProfile())
    return contradict(origin.describe("plan") +
                      " chooses formats for data: it does not go with " +
                      scheme);
  if (recipe.averageBits > 0 && recipe.plan)
    return contradict(origin.describe("average_bits") +
                      " does not go with a plan, which chooses the widths");
  if (recipe.averageBits > 0 &&
      (recipe.weights != "si4" || !recipe.needsProfile()))
    return contradict(origin.describe("average_bits") +
                      " widens weights of si4 on data: it does not go with "
                      "weights " +
                      recipe.weights + " and activations " +
                      recipe.activations);
  if (recipe.roundsRows() && recipe.requantize != "f32")
    return contradict(scheme +
                      " keeps floats between products: it goes neither with "
                      "--emit=c, --emit=hls and --integer-only nor with "
                      "--requant " +
                      recipe.requantize)
        .help("integer targets need ranges beforehand: --scheme w8a8 --data");
  if (recipe.transforms != "none" &&
      (!defaults.hasSamples || !recipe.needsProfile()))
    return contradict("--transforms are chosen on data: expected --data and a "
                      "scheme that uses it, without --profile");
  return absl::OkStatus();
}

Recipe Recipe::ofScheme(llvm::StringRef name) {
  const SchemeRow *row = findScheme(name);
  assert(row && "a scheme of Recipe.def");
  Recipe recipe;
  recipe.scheme = row->name;
  recipe.weights = row->weights;
  recipe.averageBits = row->averageBits;
  recipe.activations = row->activations;
  return recipe;
}

absl::StatusOr<Recipe> Recipe::make(const RecipeSettings &settings,
                                    const RecipeDefaults &defaults,
                                    const SettingsOrigin &origin) {
  llvm::StringRef scheme =
      settings.getString("scheme").value_or(defaults.scheme);
  const SchemeRow *row = findScheme(scheme);
  if (!row)
    return checkScheme(scheme, origin.describe("scheme"));
  Recipe recipe = ofScheme(scheme);
  recipe.requantize = defaults.requantize;
  if (const json::Value *plan = settings.get("plan"))
    recipe.plan = parsePlan(*plan);
  // Who names a format or brings a plan has chosen widths.
  if (recipe.plan || settings.get("weights"))
    recipe.averageBits = 0;
  if (recipe.plan)
    recipe.transforms = recipe.plan->transforms;
  else if (defaults.hasSamples)
    recipe.transforms = row->transforms;
  if (const json::Array *rows = settings.getArray("layers"))
    for (const json::Value &layer : *rows)
      recipe.layers.push_back(parseLayer(layer));
#define QOPT_RECIPE_FIELD(type, member, key, ...)                              \
  if (const json::Value *value = settings.get(key))                            \
    read(*value, recipe.member);
#include "qopt/Pipelines/Recipe.def"
  QOPT_RETURN_IF_ERROR(checkRecipe(recipe, defaults, origin));
  return recipe;
}

RecipeSettings Recipe::toSettings() const {
  RecipeSettings settings{{"scheme", scheme}};
#define QOPT_RECIPE_FIELD(type, member, key, ...) settings[key] = member;
#include "qopt/Pipelines/Recipe.def"
  json::Array rows;
  for (const LayerRule &rule : layers)
    rows.push_back(::toSetting(rule));
  settings["layers"] = std::move(rows);
  if (plan)
    settings["plan"] = qopt::toSetting(*plan);
  return settings;
}

std::string Recipe::toJson() const {
  RecipeSettings settings = toSettings();
  settings["schema"] = "qopt.recipe/1";
  return llvm::formatv("{0:2}\n", json::Value(std::move(settings))).str();
}

void qopt::printRecipeHelp(llvm::raw_ostream &os) {
  os << "A recipe (--recipe FILE) is JSON: {\"schema\": \"qopt.recipe/1\", "
        "...}. What it leaves\nout has the value of its scheme; flags come "
        "before it.\n\nscheme: a name for weights, activations and the rest\n";
  for (const SchemeRow &row : getSchemes())
    os << llvm::formatv("  {0,-10} {1,-8} {2,-8} {3}\n", row.name, row.weights,
                        row.activations, row.meaning);
  os << "\nsettings:\n";
  for (const RecipeField &field : getRecipeFields())
    os << llvm::formatv("  {0,-18} {1}\n", field.key, field.describe());
  os << llvm::formatv("  {0,-18} {1}\n", "layers",
                      "[{\"layer\": GLOB, \"weights\": FORMAT or f32, "
                      "\"rounding\": HOW}]: of some layers, the last one "
                      "counts; or \"activations\": FORMAT or f32, of any op")
     << llvm::formatv("  {0,-18} {1}\n", "plan",
                      "the decisions of 'qopt plan', as a lock has them");
}
