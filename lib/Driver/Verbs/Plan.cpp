//===- Plan.cpp - qopt plan -----------------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A model, data and budgets in; a format for every weight out.
//===----------------------------------------------------------------------===//
#include "qopt/Planning/Plan.h"
#include "qopt/Artifacts/Program.h"
#include "qopt/Calibration/Observer.h"
#include "qopt/Driver/Calibration.h"
#include "qopt/Driver/VerbFlags.h"
#include "qopt/Pipelines/LayerReport.h"
#include "qopt/Support/Files.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"

using namespace qopt;
using namespace qopt::driver;

static llvm::ArrayRef<Flag> getPlanFlags() {
  static const std::string rounding =
      "of weights below 8 bits, to choose from: some of " +
      llvm::join(getRounderNames(), ", ") + " (" +
      getRounderNames().front().str() + ")";
  static const Flag kFlags[] = {
      {"budget", "LIST",
       "size=0.3x|40kB, avg-bits=3.5, stored-bits=4.6, latency=0.8x|300us"},
      {"pareto", "N", "also N plans from the smallest to the best"},
      {"formats", "LIST",
       "to choose from (si2,si3,si4,si5,si6,si8); also ui4, nf4, si4:g64"},
      {"rounding", "LIST", rounding.c_str()},
      {"transforms", "LIST",
       "of rotation, equalization and smoothing, or auto: the plan is made for "
       "the changed model, and compiling changes it again (none)"},
      {"sensitivity", "NAME", "proxy (default), kl, or weight-error"},
      {"plan-samples", "N", "samples that measure; half are held back (32)"},
      {"rounds", "N", "most corrections by measured plans (4)"},
      {"pin", "LAYER=FORMAT", "a name or a glob (repeatable)"},
      {"tie", "LAYER,LAYER",
       "names or globs that take one format (repeatable)"},
      {"worst", "LOSS", "no layer may lose more"},
      {"cost", "FILE|measured|model", "times for a latency budget"},
      {"gap", "SHARE", "stop when the plan is this close to the bound (0)"},
      {"node-limit", "N", "of the solver's tree (200000)"},
      {"time-limit", "SECONDS", "of the solver"},
      {"json", nullptr, "the plan on stdout"},
  };
  return kFlags;
}

/// `costs` gets the file that --cost names.
static absl::StatusOr<PlanRequest> readRequest(const Arguments &arguments,
                                               const std::string &output,
                                               std::optional<CostFile> &costs) {
  PlanRequest request;
  QOPT_ASSIGN(request.budgets, parseBudgets(arguments.getList("budget")));
  QOPT_ASSIGN(int64_t pareto, arguments.getInt("pareto", 0, 0));
  request.pareto = int(std::min<int64_t>(pareto, 1000));
  for (const std::string &format : arguments.getList("formats"))
    if (!llvm::is_contained(request.formats, format))
      request.formats.push_back(format);
  if (request.formats.empty())
    request.formats = getDefaultPlanFormats();
  QOPT_RETURN_IF_ERROR(checkFormats(request.formats));
  request.roundings = arguments.getList("rounding");
  if (request.roundings.empty())
    request.roundings = {getRounderNames().front().str()};
  for (const std::string &rounding : request.roundings)
    if (!lookupRounder(rounding) ||
        llvm::count(request.roundings, rounding) > 1)
      return Error(Code::BadFlagValue, "--rounding: expected some of " +
                                           llvm::join(getRounderNames(), ", ") +
                                           ", each once, got '" +
                                           llvm::join(request.roundings, ",") +
                                           "'");
  QOPT_ASSIGN(std::string kind,
              arguments.getChoice("sensitivity",
                                  {"proxy", "kl", "weight-error"}, "proxy"));
  request.sensitivity = *parseSensitivity(kind);
  QOPT_ASSIGN(request.samples, arguments.getInt("plan-samples", 32, 2));
  QOPT_ASSIGN(int64_t rounds, arguments.getInt("rounds", 4, 0));
  request.rounds = int(std::min<int64_t>(rounds, 100));
  QOPT_ASSIGN(request.pins, arguments.getMap("pin"));
  for (const std::string &tie : arguments.getAll("tie")) {
    std::vector<std::string> &names = request.ties.emplace_back();
    llvm::SmallVector<llvm::StringRef> parts;
    llvm::StringRef(tie).split(parts, ',', -1, /*KeepEmpty=*/false);
    for (llvm::StringRef part : parts)
      names.push_back(part.trim().str());
    if (names.empty())
      return Error(Code::BadFlagValue,
                   "--tie: expected LAYER,LAYER, got '" + tie + "'");
  }
  QOPT_ASSIGN(request.worst, arguments.getDouble("worst", INFINITY));
  if (!(request.worst > 0))
    return Error(Code::BadFlagValue, "--worst: expected a positive loss");
  QOPT_ASSIGN(request.solve.gap, arguments.getDouble("gap", 0));
  if (!(request.solve.gap >= 0 && request.solve.gap < 1))
    return Error(Code::BadFlagValue,
                 "--gap: expected a share from 0 to below 1, as in 0.01");
  QOPT_ASSIGN(request.solve.nodeLimit,
              arguments.getInt("node-limit", 200000, 1));
  QOPT_ASSIGN(request.solve.timeLimitSeconds,
              arguments.getDouble("time-limit", INFINITY));
  if (!(request.solve.timeLimitSeconds > 0))
    return Error(Code::BadFlagValue, "--time-limit: expected seconds");
  request.quantize.method = arguments.get("method", "mse");
  if (absl::Status status =
          RangeMethod::parse(request.quantize.method).status();
      !status.ok())
    return withCode(withPrefix(status, "--method: "), Code::BadFlagValue);
  std::string cost = arguments.get("cost", "model");
  if (cost != "measured" && cost != "model") {
    QOPT_ASSIGN(costs, CostFile::read(cost));
  }
  llvm::SmallString<128> state(output);
  llvm::sys::path::replace_extension(state, ".sensitivity.json");
  request.stateFile = std::string(state);
  llvm::sys::path::replace_extension(state, "");
  llvm::sys::path::replace_extension(state, ".candidates");
  request.candidatesFolder = std::string(state);
  return request;
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
  std::optional<CostFile> costs;
  QOPT_ASSIGN(PlanRequest request, readRequest(arguments, *output, costs));
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
  if (arguments.has("transforms")) {
    QuantizedModel target;
    target.floatModule = std::move(module);
    target.preprocessing = pre;
    target.options = request.quantize;
    target.options.scheme = Scheme::W4A8;
    QOPT_RETURN_IF_ERROR(transformModel(arguments, session, target));
    module = std::move(target.floatModule);
  }
  QOPT_ASSIGN(Profile profile,
              collectStatistics(arguments, session, *module, pre,
                                &request.quantize.calibrated));
  QOPT_ASSIGN(std::unique_ptr<DataSource> data,
              openData(arguments, interface.inputs, pre));
  SampleSource samples = makeSampleSource(*data);
  std::unique_ptr<Progress> progress;
  std::string phase;
  request.progress = [&](llvm::StringRef name, int64_t done, int64_t total) {
    if (phase != name || done == 0) {
      progress.reset(new Progress(session.startProgress(name, total)));
      phase = name.str();
    }
    progress->update(done);
  };
  if (std::optional<std::string> path = arguments.get("cost")) {
    if (*path == "measured") {
      QOPT_ASSIGN(costs, measureCosts(*module, profile, samples, request));
      llvm::SmallString<128> file(*output);
      llvm::sys::path::replace_extension(file, ".cost.json");
      QOPT_RETURN_IF_ERROR(writeFile(file, costs->toJson()));
      session.say("wrote " + file.str());
    } else if (*path == "model") {
      costs = modelCosts(*module, request.formats);
    }
    request.costs = &*costs;
  }
  QOPT_ASSIGN(Plan plan, makePlan(*module, profile, samples, request));
  progress.reset();
  plan.transforms = arguments.get("transforms", "none");
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
