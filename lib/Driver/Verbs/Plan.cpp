//===- Plan.cpp - qopt plan -----------------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A model, data and budgets in; a format for every weight out.
//===----------------------------------------------------------------------===//
#include "qopt/Artifacts/Program.h"
#include "qopt/Driver/Calibration.h"
#include "qopt/Driver/VerbFlags.h"
#include "qopt/Pipelines/LayerReport.h"
#include "qopt/Planning/PlanModel.h"
#include "qopt/Support/Files.h"
#include "qopt/Support/Refusals.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"

using namespace qopt;
using namespace qopt::driver;
namespace json = llvm::json;

/// Keys have dashes as flags.
static std::string getFlagName(const PlanField &field) {
  std::string name = field.key;
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

static llvm::ArrayRef<Flag> getPlanFlags() {
  // Flags point to texts that stay.
  static const std::vector<std::pair<std::string, std::string>> texts = [] {
    std::vector<std::pair<std::string, std::string>> result;
    for (const PlanField &field : getPlanFields())
      result.emplace_back(getFlagName(field), field.describe());
    return result;
  }();
  static const std::vector<Flag> flags = [] {
    std::vector<Flag> result;
    for (auto [field, text] : llvm::zip(getPlanFields(), texts))
      result.push_back({text.first.c_str(), field.value, text.second.c_str()});
    result.push_back({"json", nullptr, "the plan on stdout"});
    return result;
  }();
  return flags;
}

/// The value of a flag as JSON.
static absl::StatusOr<json::Value> getValue(const Arguments &arguments,
                                            const PlanField &field) {
  std::string flag = getFlagName(field);
  switch (field.type) {
  case PlanField::Type::Text:
    return json::Value(arguments.get(flag, ""));
  case PlanField::Type::List:
    return json::Value(json::Array(arguments.getList(flag)));
  case PlanField::Type::Groups:
    return json::Value(json::Array(arguments.getAll(flag)));
  case PlanField::Type::Count: {
    QOPT_ASSIGN(int64_t count, arguments.getInt(flag, 0, field.least));
    return json::Value(count);
  }
  case PlanField::Type::Number: {
    QOPT_ASSIGN(double number, arguments.getDouble(flag, 0));
    // JSON has no infinity, which is what leaving it out means.
    return std::isinf(number) ? json::Value(1e300) : json::Value(number);
  }
  case PlanField::Type::Map:
    break;
  }
  json::Array rows;
  QOPT_ASSIGN(auto pairs, arguments.getMap(flag));
  for (auto &[layer, format] : pairs)
    rows.push_back(json::Array{layer, format});
  return json::Value(std::move(rows));
}

static absl::StatusOr<PlanSettings> readPlanSettings(const Arguments &arguments,
                                                     llvm::StringRef output) {
  Refusals refusals;
  RecipeSettings object;
  refusals.take(getFieldSettings(arguments, {RecipeField::Group::Calibrate,
                                             RecipeField::Group::Data}),
                object);
  for (const PlanField &field : getPlanFields())
    if (arguments.has(getFlagName(field))) {
      absl::StatusOr<json::Value> value = getValue(arguments, field);
      refusals.add(value.status());
      if (value.ok())
        object[field.key] = std::move(*value);
    }
  QOPT_RETURN_IF_ERROR(refusals.status());
  QOPT_ASSIGN(PlanSettings settings,
              parsePlanSettings(object, SettingsOrigin::ofFlags()));
  llvm::SmallString<128> state(output);
  llvm::sys::path::replace_extension(state, ".sensitivity.json");
  settings.request.stateFile = std::string(state);
  llvm::sys::path::replace_extension(state, "");
  llvm::sys::path::replace_extension(state, ".candidates");
  settings.request.candidatesFolder = std::string(state);
  return settings;
}

/// The uniform plan of least divergence among those that keep the budgets.
static const PlanPoint *findBestUniform(const Plan &plan) {
  const PlanPoint *best = nullptr;
  for (const PlanPoint &point : plan.uniform) {
    bool fits = true;
    for (auto [budget, used] : llvm::zip(plan.budgets, point.used))
      fits &= used <= budget.limit;
    if (fits && (!best || point.measured < best->measured))
      best = &point;
  }
  return best;
}

static void printPlan(llvm::raw_ostream &os, const Plan &plan) {
  os << llvm::formatv("{0,-10} {1,-8} {2,10} {3,11} {4}\n", "format",
                      "rounding", "weights", "loss", "layer");
  for (const PlanDecision &decision : plan.decisions)
    os << llvm::formatv("{0,-10} {1,-8} {2,10} {3,11} {4}\n", decision.format,
                        decision.rounding, decision.weights,
                        llvm::formatv("{0:e3}", decision.loss).str(),
                        shortenName(decision.layer));
  auto printPoint = [&](llvm::StringRef name, double measured,
                        llvm::ArrayRef<double> used) {
    os << llvm::formatv("{0,-14} {1,12}", name,
                        llvm::formatv("{0:e4}", measured).str());
    for (double value : used)
      os << llvm::formatv(" {0,12:f3}", value);
    os << "\n";
  };
  os << llvm::formatv("\n{0,-14} {1,12}", "plan", "divergence");
  for (const BudgetReport &budget : plan.budgets)
    os << llvm::formatv(" {0,12}", budget.name);
  os << "\n";
  std::vector<double> used;
  for (const BudgetReport &budget : plan.budgets)
    used.push_back(budget.used);
  printPoint("chosen", plan.measured, used);
  for (const PlanPoint &point : plan.uniform)
    printPoint("uniform " + point.name, point.measured, point.used);
  for (const PlanPoint &point : plan.front)
    printPoint(point.name, point.measured, point.used);
  os << "\n";
  if (const PlanPoint *best = findBestUniform(plan))
    os << llvm::formatv(
        "best uniform plan within the budgets: {0}; the chosen "
        "one has {1:f3}x of its divergence\n",
        best->name, best->measured > 0 ? plan.measured / best->measured : 1.0);
  else
    os << "no uniform plan keeps the budgets\n";
  if (plan.floatWeights)
    os << llvm::formatv("stay float: {0} weights of {1}, which only size and "
                        "latency count\n",
                        plan.floatWeights, llvm::join(plan.floatLayers, ", "));
  for (const BudgetReport &budget : plan.budgets)
    if (std::isfinite(budget.limit))
      os << llvm::formatv(
          "budget {0}: {1:f3} of {2:f3}{3}\n", budget.name, budget.used,
          budget.limit,
          budget.isBinding() ? llvm::formatv(", binding, one more saves {0:e3}",
                                             budget.shadowPrice)
                                   .str()
                             : ", not binding");
  os << llvm::formatv("bound {0:e4}, gap {1:f2} %\n", plan.bound,
                      plan.gap * 100);
  for (const std::string &round : plan.rounds)
    os << round << "\n";
}

static absl::StatusOr<ExitCode> runPlan(const Arguments &arguments,
                                         Session &session) {
  std::optional<std::string> output = arguments.get("output");
  if (!output || output->empty())
    return Error(Code::MissingArgument, "expected -o PLAN.json");
  QOPT_ASSIGN(PlanSettings settings, readPlanSettings(arguments, *output));
  if (!arguments.has("data"))
    return Error(Code::MissingArgument,
                 "expected --data PATH: a plan is chosen on samples");
  ProgramOptions options;
  QOPT_ASSIGN(options.import, getImportOptions(arguments));
  QOPT_ASSIGN(auto module, openModule(session.context(),
                                      arguments.positional()[0], options));
  QOPT_ASSIGN(Preprocessing pre, getPreprocessing(arguments, {}));
  QOPT_ASSIGN(ModelInterface interface, getInterface(*module));
  QOPT_RETURN_IF_ERROR(pre.check(interface.inputs));
  QuantizeInputs inputs;
  inputs.resumeFile = arguments.get("resume", "");
  QOPT_ASSIGN(inputs.profile, readProfile(arguments));
  QOPT_ASSIGN(OpenedSamples opened,
              openSamples(arguments, session, *module, pre,
                          settings.request.quantize.recipe));
  inputs.samples = opened.set;
  StageReporter reporter(session, std::chrono::seconds(0));
  reporter.attach(inputs);
  QOPT_ASSIGN(PlannedModel planned,
              planModel(*module, std::move(settings), inputs));
  reporter.finish();
  if (planned.measured) {
    llvm::SmallString<128> file(*output);
    llvm::sys::path::replace_extension(file, ".cost.json");
    QOPT_RETURN_IF_ERROR(writeFile(file, planned.measured->toJson()));
    session.say("wrote " + file.str());
  }
  const Plan &plan = planned.plan;
  QOPT_RETURN_IF_ERROR(writeFile(*output, plan.toJson()));
  if (arguments.has("json"))
    session.out() << plan.toJson();
  else
    printPlan(session.out(), plan);
  session.out().flush();
  session.say("wrote " + *output);
  if (!plan.isOptimal) {
    session.say("a limit ended the search: the plan is the best one found");
    return ExitCode::Resource;
  }
  return ExitCode::Ok;
}

namespace qopt::driver {
Verb getPlanVerb() {
  return {"plan",
          "bit widths under budgets, by an exact program",
          "MODEL --data PATH --budget size=0.3x -o PLAN.json [options]",
          1,
          1,
          {getOutputFlags(), getPlanFlags(), getCalibrateFlags(),
           getDataFlags(), getImportFlags()},
          runPlan,
          /*place=*/70};
}
} // namespace qopt::driver
