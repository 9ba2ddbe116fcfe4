//===- Plan.cpp - From a model and budgets to a plan ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Losses of layers do not add up to the loss of the network, so the answer is
// measured, the losses are corrected by what was measured, and the best plan
// by measurement on other samples is returned.
//===----------------------------------------------------------------------===//
#include "qopt/Planning/Plan.h"
#include "PlanCandidates.h"
#include "qopt/Pipelines/LayerReport.h"
#include "qopt/Pipelines/Model.h"
#include "qopt/Support/Diagnostics.h"
#include "qopt/Support/Files.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/GlobPattern.h"
#include <map>
#include <set>

using namespace qopt;

std::vector<std::string> qopt::getDefaultPlanFormats() {
  return {"si2", "si3", "si4", "si5", "si6", "si8"};
}

static const char *const kBudgetNames[] = {"size", "avg-bits", "stored-bits",
                                           "latency"};

static absl::StatusOr<BudgetSpec> parseBudget(llvm::StringRef text) {
  auto [name, value] = text.split('=');
  Error error(Code::BadFlagValue,
              "--budget: expected size, avg-bits, stored-bits or latency and a "
              "positive value as in size=0.3x, size=40kB, avg-bits=3.5, "
              "latency=300us, got '" +
                  text + "'");
  if (!llvm::is_contained(kBudgetNames, name))
    return error;
  BudgetSpec budget{name.str(), 0, false};
  double factor = 1;
  llvm::StringRef number = value;
  if (number.consume_back("x"))
    budget.isRelative = true;
  else if (name == "size") {
    for (auto [unit, bytes] : {std::pair("kB", 1e3),
                               {"MB", 1e6},
                               {"KiB", 1024.0},
                               {"MiB", 1048576.0},
                               {"B", 1.0}})
      if (number.consume_back(unit)) {
        factor = bytes;
        break;
      }
  } else if (name == "latency") {
    for (auto [unit, us] : {std::pair("us", 1.0), {"ms", 1e3}, {"s", 1e6}})
      if (number.consume_back(unit)) {
        factor = us;
        break;
      }
  }
  if (number.getAsDouble(budget.value) || !(budget.value > 0) ||
      !std::isfinite(budget.value))
    return error;
  budget.value *= factor;
  return budget;
}

absl::StatusOr<std::vector<BudgetSpec>>
qopt::parseBudgets(llvm::ArrayRef<std::string> texts) {
  std::vector<BudgetSpec> result;
  for (const std::string &text : texts) {
    QOPT_ASSIGN(BudgetSpec budget, parseBudget(text));
    for (const BudgetSpec &other : result)
      if (other.name == budget.name)
        return Error(Code::BadFlagValue,
                     "--budget: '" + budget.name + "' is given twice");
    result.push_back(budget);
  }
  return result;
}

namespace {
enum Resource : size_t { Size, AverageBits, StoredBits, Latency };

class Planner {
public:
  Planner(mlir::ModuleOp module, const Profile &profile,
          const SampleSource &samples, const PlanRequest &request)
      : module(module), request(request),
        measured(module, profile, samples, request) {}

  /// Whether pins, ties and budgets leave a plan: seconds, not minutes.
  absl::Status check();
  absl::StatusOr<Plan> run();

private:
  absl::Status prepare();
  absl::Status build();
  double getFixedTime() const;
  absl::Status addLimits();
  absl::Status addPinsAndTies();
  std::vector<int> findLayers(llvm::StringRef name) const;
  double getTime(size_t layer, llvm::StringRef format, bool isWide) const;
  absl::Status reportInfeasible(const SolveResult &result) const;
  using UniformChoices = std::vector<std::pair<std::string, std::vector<int>>>;
  UniformChoices getUniform() const;

  struct Visited {
    std::vector<int> choice;
    std::string name;
    double predicted, measured;
  };
  absl::StatusOr<double> measure(const std::vector<int> &choice);
  absl::StatusOr<double> accept(const std::vector<int> &choice);
  absl::StatusOr<bool> correctLosses(const SolveResult &result);
  absl::Status visit(const std::vector<int> &choice, const std::string &name);
  double getPredicted(const std::vector<int> &choice) const;
  /// No plan may choose what loses more than the request allows.
  void refuseCapped();
  /// Measures all layers in one format each; those that fit compete.
  absl::Status visitUniform(const UniformChoices &uniform, Plan &plan);
  /// Measures an answer of the solver, corrects losses by it, solves again.
  absl::Status visitSolved(SolveResult result, const SolveOptions &options);
  const Visited &takeBest();
  void report(Plan &plan, const SolveResult &first, const Visited &best) const;
  absl::Status addFront(const PlanProblem &original,
                        const SolveOptions &options, Plan &plan);
  void say(llvm::StringRef phase, int64_t done, int64_t total) const {
    if (request.progress)
      request.progress(phase, done, total);
  }

  void describe(Plan &plan, const std::vector<int> &choice) const;
  PlanPoint makePoint(const std::string &name, const std::vector<int> &choice,
                      double divergence) const;
  PlanTotals getTotals(const std::vector<int> &choice) const;

  mlir::ModuleOp module;
  const PlanRequest &request;
  PlanMeasurements measured;
  PlanProblem problem;
  /// That are decided.
  double weights = 0;
  /// The losses as they were before the loop corrected them.
  std::vector<std::vector<double>> firstLosses;
  std::vector<Visited> visited;
  std::map<std::vector<int>, double> divergences, accepted;
  std::vector<std::string> rounds;
};
} // namespace

double Planner::getTime(size_t layer, llvm::StringRef format,
                        bool isWide) const {
  if (!request.costs)
    return 0;
  const auto &times = request.costs->layers;
  auto it = times.find(measured.layers[layer].layer);
  if (it == times.end())
    return NAN;
  auto exact = it->second.find(isWide ? "si8" : format.str());
  return exact == it->second.end() ? NAN : exact->second;
}

/// Of what is between layers, and of layers that no plan changes.
double Planner::getFixedTime() const {
  std::set<llvm::StringRef> decided;
  for (const LayerCandidates &layer : measured.layers)
    decided.insert(layer.layer);
  double sum = request.costs->fixed;
  for (const auto &[layer, times] : request.costs->layers)
    if (auto it = times.find("si8"); !decided.count(layer) && it != times.end())
      sum += it->second;
  return sum;
}

/// What pins and reports call a candidate: how it is rounded is said where
/// there is a choice.
static std::string getOptionName(const Candidate &candidate,
                                 const PlanRequest &request) {
  bool isOther =
      candidate.width < 8 && candidate.rounding != request.roundings.front();
  return candidate.format + (isOther ? "/" + candidate.rounding : "");
}

/// Nodes, options and what they use; resources in the order of `Resource`.
/// Bits are averages over the weights that are decided here; `size` and times
/// count everything that the object holds and does.
absl::Status Planner::build() {
  problem.resources = {{"size"}, {"avg-bits"}, {"stored-bits"}};
  if (request.costs)
    problem.resources.push_back({"latency"});
  for (const LayerCandidates &layer : measured.layers)
    weights += double(layer.weights);
  if (request.costs)
    problem.resources[Latency].fixed = getFixedTime();
  std::vector<std::string> unknown;
  for (auto [i, layer] : llvm::enumerate(measured.layers)) {
    PlanNode node;
    node.name = layer.layer;
    for (const Candidate &candidate : layer.candidates) {
      PlanOption option;
      option.name = getOptionName(candidate, request);
      option.loss = candidate.loss;
      double bits = double(candidate.storedBits);
      option.costs = {candidate.objectBytes,
                      double(candidate.width) * double(layer.weights) / weights,
                      bits / weights};
      if (request.costs) {
        double time = getTime(i, candidate.format, false);
        if (std::isnan(time))
          unknown.push_back("'" + layer.layer + "' in " + candidate.format);
        option.costs.push_back(std::isnan(time) ? 0 : time);
      }
      node.options.push_back(std::move(option));
    }
    problem.nodes.push_back(std::move(node));
  }
  if (unknown.empty())
    return absl::OkStatus();
  Error error(Code::BadFlagValue,
              "--cost: the file has no time of " + unknown.front());
  for (const std::string &name : llvm::drop_begin(unknown))
    std::move(error).note("nor of " + name);
  return std::move(error).help(
      "--cost measured makes a file for these formats");
}

absl::Status Planner::addLimits() {
  std::vector<double> wide;
  for (const PlanResource &resource : problem.resources)
    wide.push_back(resource.fixed);
  for (auto [i, layer] : llvm::enumerate(measured.layers)) {
    double bits = double(measured.wideBits[i]);
    wide[Size] += measured.wideBytes[i];
    wide[AverageBits] += 8 * double(layer.weights) / weights;
    wide[StoredBits] += bits / weights;
    if (request.costs)
      wide[Latency] += getTime(i, "", true);
  }
  for (const BudgetSpec &budget : request.budgets) {
    size_t r = 0;
    while (r < problem.resources.size() &&
           problem.resources[r].name != budget.name)
      ++r;
    if (r == problem.resources.size())
      return Error(Code::MissingArgument,
                   "--budget latency expects times: add --cost measured, "
                   "--cost model, or --cost FILE");
    if (budget.isRelative && std::isnan(wide[r]))
      return Error(
          Code::BadFlagValue,
          "--budget latency=" + llvm::formatv("{0:f1}", budget.value).str() +
              "x refers to 8-bit weights, of which the cost file "
              "lacks times (si8)");
    problem.resources[r].limit =
        budget.isRelative ? budget.value * wide[r] : budget.value;
  }
  return absl::OkStatus();
}

/// Layers of that name, as models or as reports write it, else those that a
/// glob matches.
std::vector<int> Planner::findLayers(llvm::StringRef name) const {
  std::vector<int> result;
  for (auto [i, layer] : llvm::enumerate(measured.layers))
    if (name == layer.layer)
      result.push_back(int(i));
  for (auto [i, layer] : llvm::enumerate(measured.layers))
    if (result.empty() && name == shortenName(layer.layer))
      result.push_back(int(i));
  if (!result.empty())
    return result;
  llvm::Expected<llvm::GlobPattern> glob = llvm::GlobPattern::create(name);
  if (!glob) {
    llvm::consumeError(glob.takeError());
    return result;
  }
  for (auto [i, layer] : llvm::enumerate(measured.layers))
    if (glob->match(layer.layer))
      result.push_back(int(i));
  return result;
}

absl::Status Planner::addPinsAndTies() {
  std::vector<std::string> problems;
  std::map<int, std::string> pinned;
  for (const auto &pin : request.pins) {
    const std::string &name = pin.first, &format = pin.second;
    std::vector<int> nodes = findLayers(name);
    if (nodes.empty())
      problems.push_back("--pin: the model has no layer '" + name + "'");
    for (int n : nodes) {
      const PlanNode &node = problem.nodes[n];
      bool exists = llvm::any_of(node.options, [&](const PlanOption &option) {
        return option.name == format;
      });
      if (!exists)
        problems.push_back("--pin: '" + node.name + "' cannot be '" + format +
                           "', which is none of its formats");
      auto [earlier, isNew] = pinned.try_emplace(n, format);
      if (!isNew && earlier->second != format)
        problems.push_back("--pin: '" + node.name + "' is pinned to " +
                           earlier->second + " and to " + format);
      problem.pins.push_back({n, format});
    }
  }
  for (const std::vector<std::string> &tie : request.ties) {
    std::vector<int> &nodes = problem.ties.emplace_back();
    for (const std::string &name : tie) {
      std::vector<int> found = findLayers(name);
      if (found.empty())
        problems.push_back("--tie: the model has no layer '" + name + "'");
      nodes.insert(nodes.end(), found.begin(), found.end());
    }
    if (std::set<int>(nodes.begin(), nodes.end()).size() == 1)
      problems.push_back("--tie: '" + llvm::join(tie, ",") +
                         "' is one layer, a tie expects several");
  }
  if (problems.empty())
    return absl::OkStatus();
  Error error(Code::PlanInvalid, problems.front());
  for (const std::string &text : llvm::drop_begin(problems))
    std::move(error).note(text);
  std::string names;
  for (const PlanNode &node : problem.nodes)
    names += (names.empty() ? "" : ", ") + shortenName(node.name).str();
  return std::move(error).help("the layers are: " + names);
}

absl::Status Planner::reportInfeasible(const SolveResult &result) const {
  if (!result.conflicts.empty()) {
    Error error(Code::PlanInvalid,
                "no plan is possible: " + result.conflicts.front());
    for (const std::string &text : llvm::drop_begin(result.conflicts))
      std::move(error).note(text);
    return error;
  }
  Error error(Code::BudgetInfeasible, "no plan meets the budgets");
  for (const SmallestBudget &row : result.smallest) {
    std::string text =
        llvm::formatv("{0}: {1:f3} is asked for; the smallest is {2:f3}",
                      row.name, row.limit, row.alone)
            .str();
    if (result.smallest.size() > 1)
      text += std::isnan(row.withOthers)
                  ? ", and none with the other budgets as they are"
                  : llvm::formatv(", {0:f3} with the other budgets as they are",
                                  row.withOthers)
                        .str();
    std::move(error).note(text);
  }
  bool isBound = !problem.pins.empty() || !problem.ties.empty() ||
                 std::isfinite(problem.lossCap);
  return std::move(error).help(
      isBound ? "allow more, narrower --formats, or fewer pins, ties and caps"
              : "allow more, or narrower --formats");
}

/// Plans of one format for all layers; one that cannot have its groups takes it
/// without.
Planner::UniformChoices Planner::getUniform() const {
  std::vector<std::pair<std::string, std::vector<int>>> result;
  for (const std::string &format : request.formats) {
    std::string plain = llvm::StringRef(format).split(':').first.str();
    std::vector<int> choice;
    for (const PlanNode &node : problem.nodes) {
      auto find = [&](const std::string &name) {
        return llvm::find_if(node.options, [&](const PlanOption &option) {
          return option.name == name;
        });
      };
      auto it = find(format);
      if (it == node.options.end())
        it = find(plain);
      if (it != node.options.end())
        choice.push_back(int(it - node.options.begin()));
    }
    if (choice.size() == problem.nodes.size())
      result.emplace_back(format, std::move(choice));
  }
  return result;
}

PlanTotals Planner::getTotals(const std::vector<int> &choice) const {
  PlanChoice full;
  full.options = choice;
  full.reads.resize(choice.size());
  return evaluate(problem, full);
}

double Planner::getPredicted(const std::vector<int> &choice) const {
  double sum = 0;
  for (auto [row, c] : llvm::zip(firstLosses, choice))
    sum += row[c];
  return sum;
}

absl::StatusOr<double> Planner::measure(const std::vector<int> &choice) {
  auto [it, isNew] = divergences.try_emplace(choice, NAN);
  if (isNew) {
    QOPT_ASSIGN(it->second, measured.measure(choice, /*heldBack=*/false));
  }
  return it->second;
}

absl::StatusOr<double> Planner::accept(const std::vector<int> &choice) {
  auto [it, isNew] = accepted.try_emplace(choice, NAN);
  if (isNew) {
    QOPT_ASSIGN(it->second, measured.measure(choice, /*heldBack=*/true));
  }
  return it->second;
}

absl::Status Planner::visit(const std::vector<int> &choice,
                            const std::string &name) {
  for (const Visited &other : visited)
    if (other.choice == choice)
      return absl::OkStatus();
  QOPT_ASSIGN(double divergence, accept(choice));
  visited.push_back({choice, name, getPredicted(choice), divergence});
  return absl::OkStatus();
}

/// Measures the plan, and it with each of the five nodes that count most moved
/// one step; rows of losses take the ratio of what that changed to what it
/// should have. False if there was nothing to correct.
absl::StatusOr<bool> Planner::correctLosses(const SolveResult &result) {
  const std::vector<int> &choice = result.choice.options;
  QOPT_ASSIGN(double whole, measure(choice));
  std::vector<std::pair<double, int>> order;
  for (size_t n = 0; n < choice.size(); ++n)
    order.emplace_back(-problem.nodes[n].options[choice[n]].loss, int(n));
  llvm::sort(order);
  bool hasChanged = false;
  say("re-measure", 0, 5);
  for (auto [i, entry] : llvm::enumerate(llvm::ArrayRef(order).take_front(5))) {
    int n = entry.second;
    std::vector<PlanOption> &options = problem.nodes[n].options;
    int step = choice[n] + 1 < int(options.size()) ? 1 : -1;
    if (options.size() < 2)
      continue;
    std::vector<int> moved = choice;
    moved[n] += step;
    if (!std::isfinite(options[moved[n]].loss))
      continue;
    double predicted = options[choice[n]].loss - options[moved[n]].loss;
    QOPT_ASSIGN(double other, measure(moved));
    double actual = whole - other;
    if (std::fabs(predicted) < 1e-12)
      continue;
    double ratio = std::clamp(actual / predicted, 0.25, 4.0);
    for (PlanOption &option : options)
      option.loss *= ratio;
    hasChanged |= ratio != 1;
    say("re-measure", int64_t(i) + 1, 5);
  }
  return hasChanged;
}

PlanPoint Planner::makePoint(const std::string &name,
                             const std::vector<int> &choice,
                             double divergence) const {
  PlanPoint point{
      name, {}, getPredicted(choice), divergence, getTotals(choice).used};
  for (auto [node, c] : llvm::zip(problem.nodes, choice))
    point.formats.push_back(node.options[c].name);
  return point;
}

void Planner::describe(Plan &plan, const std::vector<int> &choice) const {
  std::set<int> pinned, tied;
  for (const PlanPin &pin : problem.pins)
    pinned.insert(pin.node);
  for (const std::vector<int> &tie : problem.ties)
    tied.insert(tie.begin(), tie.end());
  for (auto [i, layer] : llvm::enumerate(measured.layers)) {
    const Candidate &candidate = layer.candidates[choice[i]];
    PlanDecision decision;
    decision.layer = layer.layer;
    decision.op = layer.op;
    decision.format = candidate.format;
    decision.rounding = candidate.rounding;
    decision.weights = layer.weights;
    decision.storedBits = candidate.storedBits;
    decision.loss = firstLosses[i][choice[i]];
    if (pinned.count(int(i)))
      decision.reason = "pinned";
    else if (tied.count(int(i)))
      decision.reason = "tied";
    else if (choice[i] > 0)
      decision.reason =
          llvm::formatv("{0} would lose {1:e2} instead of {2:e2}",
                        getOptionName(layer.candidates[choice[i] - 1], request),
                        firstLosses[i][choice[i] - 1], decision.loss)
              .str();
    else
      decision.reason = "the narrowest format is enough";
    plan.decisions.push_back(std::move(decision));
  }
}

absl::Status Planner::prepare() {
  QOPT_RETURN_IF_ERROR(build());
  QOPT_RETURN_IF_ERROR(addLimits());
  return addPinsAndTies();
}

absl::Status Planner::check() {
  QOPT_RETURN_IF_ERROR(measured.sketch());
  QOPT_RETURN_IF_ERROR(prepare());
  QOPT_ASSIGN(SolveResult result, solve(problem, request.solve));
  return result.status == SolveResult::Status::Infeasible
             ? reportInfeasible(result)
             : absl::OkStatus();
}

// The cap is on losses as they were measured, not as they are corrected.
void Planner::refuseCapped() {
  problem.lossCap = INFINITY;
  for (PlanNode &node : problem.nodes)
    for (PlanOption &option : node.options)
      if (!(option.loss <= request.worst))
        option.loss = INFINITY;
}

absl::Status Planner::visitUniform(const UniformChoices &uniform, Plan &plan) {
  say("uniform plans", 0, int64_t(uniform.size()));
  for (auto [i, entry] : llvm::enumerate(uniform)) {
    const auto &[name, choice] = entry;
    QOPT_ASSIGN(double divergence, accept(choice));
    plan.uniform.push_back(makePoint(name, choice, divergence));
    if (fits(problem, getTotals(choice)))
      QOPT_RETURN_IF_ERROR(visit(choice, "uniform " + name));
    say("uniform plans", int64_t(i) + 1, int64_t(uniform.size()));
  }
  return absl::OkStatus();
}

absl::Status Planner::visitSolved(SolveResult result,
                                  const SolveOptions &options) {
  for (int round = 0;; ++round) {
    bool isNew = llvm::none_of(visited, [&](const Visited &other) {
      return other.choice == result.choice.options;
    });
    QOPT_RETURN_IF_ERROR(
        visit(result.choice.options, "solved " + std::to_string(round)));
    QOPT_ASSIGN(double divergence, measure(result.choice.options));
    rounds.push_back(
        llvm::formatv("round {0}: predicted {1:e3}, measured {2:e3}{3}", round,
                      getPredicted(result.choice.options), divergence,
                      isNew ? "" : " (seen before)")
            .str());
    if (round >= request.rounds || (!isNew && round > 0))
      return absl::OkStatus();
    QOPT_ASSIGN(bool hasChanged, correctLosses(result));
    if (!hasChanged)
      return absl::OkStatus();
    QOPT_ASSIGN(result, solve(problem, options));
    if (result.status == SolveResult::Status::Infeasible)
      return Error(Code::Internal, "corrected losses leave no plan");
  }
}

// Measured, never predicted; of equal ones the first.
const Planner::Visited &Planner::takeBest() {
  const Visited *best = &visited.front();
  for (const Visited &other : visited)
    if (other.measured < best->measured)
      best = &other;
  rounds.push_back("taken: " + best->name);
  return *best;
}

void Planner::report(Plan &plan, const SolveResult &first,
                     const Visited &best) const {
  plan.sensitivity = getName(request.sensitivity);
  plan.metric = "divergence";
  plan.samples = measured.probeCount;
  plan.heldBack = measured.heldBackCount;
  plan.isOptimal = first.status == SolveResult::Status::Optimal;
  plan.predicted = best.predicted;
  plan.bound = first.bound;
  plan.gap = first.getGap();
  plan.measured = best.measured;
  plan.rounds = rounds;
  plan.layers = measured.layers;
  plan.budgets = first.budgets;
  PlanTotals totals = getTotals(best.choice);
  for (auto [budget, used] : llvm::zip(plan.budgets, totals.used))
    budget.used = used;
  describe(plan, best.choice);
  plan.floatLayers = measured.floatLayers;
  plan.floatWeights = measured.floatWeights;
}

absl::Status Planner::addFront(const PlanProblem &original,
                               const SolveOptions &options, Plan &plan) {
  size_t r = Size;
  for (size_t k = 0; k < original.resources.size(); ++k)
    if (!request.budgets.empty() &&
        original.resources[k].name == request.budgets.front().name)
      r = k;
  QOPT_ASSIGN(std::vector<SolveResult> front,
              solveFront(original, r, request.pareto, options));
  say("front", 0, int64_t(front.size()));
  for (auto [i, point] : llvm::enumerate(front)) {
    QOPT_ASSIGN(double divergence, accept(point.choice.options));
    plan.front.push_back(makePoint("front " + std::to_string(i),
                                   point.choice.options, divergence));
    say("front", int64_t(i) + 1, int64_t(front.size()));
  }
  return absl::OkStatus();
}

absl::StatusOr<Plan> Planner::run() {
  QOPT_RETURN_IF_ERROR(measured.run());
  QOPT_RETURN_IF_ERROR(prepare());
  for (const PlanNode &node : problem.nodes) {
    std::vector<double> &row = firstLosses.emplace_back();
    for (const PlanOption &option : node.options)
      row.push_back(option.loss);
  }
  problem.lossCap = request.worst;
  PlanProblem original = problem;
  SolveOptions options = request.solve;
  UniformChoices uniform = getUniform();
  for (const auto &[name, choice] : uniform)
    if (fits(problem, getTotals(choice)))
      options.incumbents.push_back(choice);
  QOPT_ASSIGN(SolveResult first, solve(problem, options));
  if (first.status == SolveResult::Status::Infeasible)
    return reportInfeasible(first);
  refuseCapped();
  Plan plan;
  QOPT_RETURN_IF_ERROR(visitUniform(uniform, plan));
  QOPT_RETURN_IF_ERROR(visitSolved(first, options));
  QOPT_ASSIGN(plan.model, getModelHash(module));
  report(plan, first, takeBest());
  if (request.pareto > 0)
    QOPT_RETURN_IF_ERROR(addFront(original, options, plan));
  return plan;
}

absl::StatusOr<Plan> qopt::makePlan(mlir::ModuleOp module,
                                    const Profile &profile,
                                    const SampleSource &samples,
                                    const PlanRequest &request) {
  QOPT_RETURN_IF_ERROR(Planner(module, profile, samples, request).check());
  return Planner(module, profile, samples, request).run();
}
