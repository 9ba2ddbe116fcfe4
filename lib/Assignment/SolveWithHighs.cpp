//===- SolveWithHighs.cpp - The exact answer to a PlanProblem -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Writes the program as rows and columns. Coefficients are scaled for the
// solver's tolerances, so its answer is checked against the unscaled program;
// an answer that only a tolerance allows is excluded and the rest solved again.
//===----------------------------------------------------------------------===//
#include "SolveWithHighs.h"
#include "qopt/Support/Diagnostics.h"

#include "interfaces/highs_c_api.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <map>
#include <memory>
#include <set>

using namespace qopt;

namespace {
struct Term {
  HighsInt column;
  double value;
};

/// Columns are all binary.
struct Program {
  std::vector<double> costs;
  std::vector<double> lower, upper; ///< of rows
  std::vector<HighsInt> starts{0}, columns;
  std::vector<double> values;

  HighsInt addColumn() {
    costs.push_back(0);
    return HighsInt(costs.size() - 1);
  }
  HighsInt addRow(double low, const std::vector<Term> &terms, double high) {
    for (const Term &term : terms) {
      columns.push_back(term.column);
      values.push_back(term.value);
    }
    starts.push_back(HighsInt(columns.size()));
    lower.push_back(low);
    upper.push_back(high);
    return HighsInt(lower.size() - 1);
  }
};

/// A sum of terms with its constant part and the factor that scales it.
struct Sum {
  std::vector<Term> terms;
  double constant = 0, factor = 1;
};

using Solver = std::unique_ptr<void, void (*)(void *)>;

/// Wide enough for any cost to be seen beside the solver's 1e-9.
constexpr double kScale = 1000;

class Encoder {
public:
  Encoder(const PlanProblem &problem, const SolveOptions &options)
      : p(problem), options(options) {}

  /// What is minimized: the loss, or the use of one resource.
  absl::StatusOr<SolveResult> run(int leastResource);

private:
  // Which options are left.
  void findAllowed();
  void findConflicts(std::vector<std::string> &conflicts);
  void dropDominated();
  bool isDominated(const PlanNode &node, const PlanOption &by,
                   const PlanOption &option) const;

  // Columns and rows.
  void addNodes();
  void addEdges();
  void addReads(size_t n, size_t port);
  void addFormatRows();
  void addTies();
  void addBudgets(int leastResource);
  void addMemory();
  void addKernels();
  Sum sumResource(size_t r) const;
  Sum sumLoss() const;
  static void scale(Sum &sum);

  // Solving.
  void build(int leastResource);
  bool keepsBudgets(const PlanTotals &totals, int leastResource) const;
  void describe(SolveResult &result, void *highs, int leastResource) const;
  Solver make(bool isInteger) const;
  void setStart(void *highs) const;
  PlanChoice decode(const std::vector<double> &values) const;
  void exclude(const PlanChoice &choice);
  void takeBetterIncumbent(SolveResult &result) const;
  void findShadowPrices(SolveResult &result) const;

  const PlanProblem &p;
  const SolveOptions &options;
  Program program;
  double objectiveConstant = 0, objectiveFactor = 1;
  std::vector<std::vector<bool>> allowed;
  std::set<int> tiedNodes;
  /// Columns: per node and option, per edge and format, kernels; -1: none.
  std::vector<std::vector<HighsInt>> x, y;
  std::vector<HighsInt> u;
  /// Per node, input: (stored, read) -> column, and the conversion's costs.
  struct Read {
    int from, to;
    HighsInt column;
    const std::vector<double> *costs;
  };
  std::vector<std::vector<std::vector<Read>>> reads;
  /// Rows of the budgets with the factors of their scaling; -1: no limit.
  std::vector<HighsInt> budgetRows;
  std::vector<double> budgetFactors;
};
} // namespace

void Encoder::findAllowed() {
  for (const PlanNode &node : p.nodes) {
    std::vector<bool> &row = allowed.emplace_back();
    for (const PlanOption &option : node.options)
      row.push_back(option.loss <= p.lossCap && std::isfinite(option.loss));
  }
  for (const PlanPin &pin : p.pins)
    for (auto [c, option] : llvm::enumerate(p.nodes[pin.node].options))
      if (option.name != pin.option)
        allowed[pin.node][c] = false;
  for (const std::vector<int> &tie : p.ties)
    for (int node : tie)
      tiedNodes.insert(node);
}

void Encoder::findConflicts(std::vector<std::string> &conflicts) {
  for (auto [n, node] : llvm::enumerate(p.nodes)) {
    if (llvm::is_contained(allowed[n], true))
      continue;
    std::string pins;
    for (const PlanPin &pin : p.pins)
      if (pin.node == int(n))
        pins += (pins.empty() ? ", pinned to " : " and to ") + pin.option;
    const PlanOption *least = nullptr;
    for (const PlanOption &option : node.options)
      if ((pins.empty() || pins.find(option.name) != std::string::npos) &&
          (!least || option.loss < least->loss))
        least = &option;
    std::string text = "'" + node.name + "'" + pins;
    if (!least || least->loss <= p.lossCap)
      text += ": no option is left";
    else
      text += ": loses at least " + llvm::formatv("{0:e2}", least->loss).str() +
              " (" + least->name + "), the cap is " +
              llvm::formatv("{0:e2}", p.lossCap).str();
    conflicts.push_back(std::move(text));
  }
  for (const std::vector<int> &tie : p.ties) {
    std::map<std::string, std::set<int>> names;
    std::string members;
    std::set<int> distinct(tie.begin(), tie.end());
    for (int n : distinct) {
      members += (members.empty() ? "'" : ", '") + p.nodes[n].name + "'";
      for (auto [c, option] : llvm::enumerate(p.nodes[n].options))
        if (allowed[n][c])
          names[option.name].insert(n);
    }
    bool agrees = llvm::any_of(names, [&](const auto &entry) {
      return entry.second.size() == distinct.size();
    });
    if (!agrees)
      conflicts.push_back(members +
                          ": are tied, but no option is left to all of them");
  }
}

bool Encoder::isDominated(const PlanNode &node, const PlanOption &by,
                          const PlanOption &option) const {
  if (by.loss > option.loss || by.scratchBytes > option.scratchBytes ||
      (by.kernel >= 0 && by.kernel != option.kernel) ||
      (by.emits >= 0 && by.emits != option.emits))
    return false;
  for (size_t r = 0; r < p.resources.size(); ++r)
    if (by.costs[r] > option.costs[r])
      return false;
  for (auto [port, formats] : llvm::enumerate(by.accepts)) {
    if (formats.empty())
      continue;
    if (port >= option.accepts.size() || option.accepts[port].empty())
      return false;
    for (int format : option.accepts[port])
      if (!llvm::is_contained(formats, format))
        return false;
  }
  return true;
}

/// An option that is nowhere better than another is never needed. In a tie only
/// one of the same name replaces it.
void Encoder::dropDominated() {
  for (auto [n, node] : llvm::enumerate(p.nodes)) {
    bool isTied = tiedNodes.count(int(n));
    for (auto [d, option] : llvm::enumerate(node.options))
      for (size_t c = 0; c < node.options.size() && allowed[n][d]; ++c) {
        if (c == d || !allowed[n][c] ||
            (isTied && node.options[c].name != option.name) ||
            !isDominated(node, node.options[c], option))
          continue;
        // Of two equal ones the first stays.
        if (c < d || !isDominated(node, option, node.options[c]))
          allowed[n][d] = false;
      }
  }
}

void Encoder::addNodes() {
  for (auto [n, node] : llvm::enumerate(p.nodes)) {
    std::vector<HighsInt> &columns = x.emplace_back();
    std::vector<Term> one;
    for (size_t c = 0; c < node.options.size(); ++c) {
      columns.push_back(allowed[n][c] ? program.addColumn() : -1);
      if (columns.back() >= 0)
        one.push_back({columns.back(), 1});
    }
    program.addRow(1, one, 1);
  }
}

void Encoder::addEdges() {
  for (const PlanEdge &edge : p.edges) {
    std::vector<HighsInt> &columns = y.emplace_back();
    std::vector<Term> one;
    for (size_t a = 0; a < edge.formats.size(); ++a) {
      columns.push_back(program.addColumn());
      one.push_back({columns.back(), 1});
    }
    program.addRow(1, one, 1);
  }
}

/// One column per way from a stored format to the one that is read.
void Encoder::addReads(size_t n, size_t port) {
  std::vector<Read> &list = reads[n].emplace_back();
  const PlanEdge &edge = p.edges[p.nodes[n].inputs[port]];
  const std::vector<HighsInt> &stored = y[p.nodes[n].inputs[port]];
  for (size_t a = 0; a < edge.formats.size(); ++a) {
    int from = edge.formats[a].format;
    std::vector<Term> same{{stored[a], -1}};
    auto add = [&](int to, const std::vector<double> *costs) {
      HighsInt column = program.addColumn();
      list.push_back({from, to, column, costs});
      same.push_back({column, 1});
    };
    add(from, nullptr);
    for (const PlanEdge::Conversion &conversion : edge.conversions)
      if (conversion.from == from && conversion.to != from)
        add(conversion.to, &conversion.costs);
    program.addRow(0, same, 0);
  }
}

void Encoder::addFormatRows() {
  reads.resize(p.nodes.size());
  for (auto [n, node] : llvm::enumerate(p.nodes)) {
    for (size_t port = 0; port < node.inputs.size(); ++port)
      addReads(n, port);
    for (auto [c, option] : llvm::enumerate(node.options)) {
      if (x[n][c] < 0)
        continue;
      for (auto [port, formats] : llvm::enumerate(option.accepts)) {
        if (formats.empty())
          continue;
        std::vector<Term> terms{{x[n][c], 1}};
        for (const Read &read : reads[n][port])
          if (llvm::is_contained(formats, read.to))
            terms.push_back({read.column, -1});
        program.addRow(-INFINITY, terms, 0);
      }
      if (node.output < 0 || option.emits < 0)
        continue;
      std::vector<Term> terms{{x[n][c], 1}};
      const PlanEdge &edge = p.edges[node.output];
      for (auto [a, format] : llvm::enumerate(edge.formats))
        if (format.format == option.emits)
          terms.push_back({y[node.output][a], -1});
      program.addRow(-INFINITY, terms, 0);
    }
  }
}

void Encoder::addTies() {
  for (const std::vector<int> &tie : p.ties) {
    std::set<std::string> names;
    for (int n : tie)
      for (auto [c, option] : llvm::enumerate(p.nodes[n].options))
        if (x[n][c] >= 0)
          names.insert(option.name);
    for (int n : llvm::drop_begin(tie))
      for (const std::string &name : names) {
        if (n == tie.front())
          continue;
        std::vector<Term> terms;
        for (auto [node, sign] : {std::pair(tie.front(), 1.0), {n, -1.0}})
          for (auto [c, option] : llvm::enumerate(p.nodes[node].options))
            if (x[node][c] >= 0 && option.name == name)
              terms.push_back({x[node][c], sign});
        program.addRow(0, terms, 0);
      }
  }
}

/// The least of a list belongs to the constant: what is left is what a choice
/// changes, and scaling shows it to the solver.
static double addShifted(Sum &sum, const std::vector<HighsInt> &columns,
                         llvm::function_ref<double(size_t)> get) {
  double least = INFINITY;
  for (size_t c = 0; c < columns.size(); ++c)
    if (columns[c] >= 0)
      least = std::min(least, get(c));
  for (size_t c = 0; c < columns.size(); ++c)
    if (columns[c] >= 0 && get(c) != least)
      sum.terms.push_back({columns[c], get(c) - least});
  sum.constant += least;
  return least;
}

Sum Encoder::sumResource(size_t r) const {
  Sum sum;
  sum.constant = p.resources[r].fixed;
  for (auto [n, node] : llvm::enumerate(p.nodes))
    addShifted(sum, x[n], [&, &node = node](size_t c) {
      return node.options[c].costs[r];
    });
  for (auto [e, edge] : llvm::enumerate(p.edges))
    addShifted(sum, y[e], [&, &edge = edge](size_t a) {
      return edge.formats[a].costs[r];
    });
  for (const auto &node : reads)
    for (const std::vector<Read> &port : node)
      for (const Read &read : port)
        if (read.costs && (*read.costs)[r] != 0)
          sum.terms.push_back({read.column, (*read.costs)[r]});
  scale(sum);
  return sum;
}

Sum Encoder::sumLoss() const {
  Sum sum;
  for (auto [n, node] : llvm::enumerate(p.nodes))
    addShifted(sum, x[n],
               [&, &node = node](size_t c) { return node.options[c].loss; });
  for (auto [e, edge] : llvm::enumerate(p.edges))
    addShifted(sum, y[e],
               [&, &edge = edge](size_t a) { return edge.formats[a].loss; });
  scale(sum);
  return sum;
}

void Encoder::scale(Sum &sum) {
  double largest = 0;
  for (const Term &term : sum.terms)
    largest = std::max(largest, std::fabs(term.value));
  sum.factor = largest > 0 ? kScale / largest : 1;
  for (Term &term : sum.terms)
    term.value *= sum.factor;
}

void Encoder::addBudgets(int leastResource) {
  for (size_t r = 0; r < p.resources.size(); ++r) {
    double limit = p.resources[r].limit;
    budgetRows.push_back(-1);
    budgetFactors.push_back(1);
    if (int(r) == leastResource || !std::isfinite(limit))
      continue;
    Sum sum = sumResource(r);
    budgetFactors.back() = sum.factor;
    budgetRows.back() = program.addRow(-INFINITY, sum.terms,
                                       (limit - sum.constant) * sum.factor);
  }
}

void Encoder::addMemory() {
  if (!std::isfinite(p.memoryLimit))
    return;
  for (const ProgramPoint &point : p.points) {
    Sum sum;
    for (int e : point.edges)
      addShifted(sum, y[e],
                 [&](size_t a) { return p.edges[e].formats[a].bytes; });
    if (point.node >= 0)
      addShifted(sum, x[point.node], [&](size_t c) {
        return p.nodes[point.node].options[c].scratchBytes;
      });
    scale(sum);
    program.addRow(-INFINITY, sum.terms,
                   (p.memoryLimit - sum.constant) * sum.factor);
  }
}

void Encoder::addKernels() {
  if (!std::isfinite(p.codeLimit))
    return;
  Sum sum;
  for (const PlanProblem::Kernel &kernel : p.kernels) {
    u.push_back(program.addColumn());
    sum.terms.push_back({u.back(), kernel.bytes});
  }
  for (auto [n, node] : llvm::enumerate(p.nodes))
    for (auto [c, option] : llvm::enumerate(node.options))
      if (x[n][c] >= 0 && option.kernel >= 0)
        program.addRow(-INFINITY, {{x[n][c], 1}, {u[option.kernel], -1}}, 0);
  scale(sum);
  program.addRow(-INFINITY, sum.terms, p.codeLimit * sum.factor);
}

Solver Encoder::make(bool isInteger) const {
  Solver highs(Highs_create(), Highs_destroy);
  void *h = highs.get();
  Highs_setBoolOptionValue(h, "output_flag", 0);
  Highs_setIntOptionValue(h, "threads", 1);
  Highs_setStringOptionValue(h, "parallel", "off");
  Highs_setIntOptionValue(h, "random_seed", options.seed);
  Highs_setIntOptionValue(
      h, "mip_max_nodes",
      HighsInt(std::min<int64_t>(options.nodeLimit, INT32_MAX)));
  if (std::isfinite(options.timeLimitSeconds))
    Highs_setDoubleOptionValue(h, "time_limit", options.timeLimitSeconds);
  Highs_setDoubleOptionValue(h, "mip_rel_gap", options.gap);
  Highs_setDoubleOptionValue(h, "mip_abs_gap", 0);
  Highs_setDoubleOptionValue(h, "mip_feasibility_tolerance", 1e-9);
  Highs_setDoubleOptionValue(h, "primal_feasibility_tolerance", 1e-9);
  Highs_setDoubleOptionValue(h, "dual_feasibility_tolerance", 1e-9);
  size_t count = program.costs.size();
  std::vector<double> zeros(count, 0), ones(count, 1);
  std::vector<HighsInt> kinds(count, kHighsVarTypeInteger);
  auto pass = [&](const HighsInt *integrality) {
    return Highs_passMip(h, HighsInt(count), HighsInt(program.lower.size()),
                         HighsInt(program.values.size()),
                         kHighsMatrixFormatRowwise, kHighsObjSenseMinimize, 0,
                         program.costs.data(), zeros.data(), ones.data(),
                         program.lower.data(), program.upper.data(),
                         program.starts.data(), program.columns.data(),
                         program.values.data(), integrality);
  };
  if (!isInteger)
    kinds.assign(count, kHighsVarTypeContinuous);
  if (pass(kinds.data()) == kHighsStatusError)
    return Solver(nullptr, Highs_destroy);
  return highs;
}

/// The first incumbent whose options exist; the solver completes the rest.
void Encoder::setStart(void *highs) const {
  for (const std::vector<int> &incumbent : options.incumbents) {
    std::vector<HighsInt> columns;
    std::vector<double> values;
    bool exists = incumbent.size() == p.nodes.size();
    for (size_t n = 0; exists && n < incumbent.size(); ++n)
      for (auto [c, column] : llvm::enumerate(x[n])) {
        bool isChosen = int(c) == incumbent[n];
        exists &= !isChosen || column >= 0;
        if (column < 0)
          continue;
        columns.push_back(column);
        values.push_back(isChosen);
      }
    if (!exists)
      continue;
    Highs_setSparseSolution(highs, HighsInt(columns.size()), columns.data(),
                            values.data());
    return;
  }
}

static int findChosen(const std::vector<HighsInt> &columns,
                      const std::vector<double> &values) {
  for (auto [c, column] : llvm::enumerate(columns))
    if (column >= 0 && values[column] > 0.5)
      return int(c);
  return 0;
}

PlanChoice Encoder::decode(const std::vector<double> &values) const {
  PlanChoice choice;
  for (const std::vector<HighsInt> &columns : x)
    choice.options.push_back(findChosen(columns, values));
  for (const std::vector<HighsInt> &columns : y)
    choice.formats.push_back(findChosen(columns, values));
  for (const auto &node : reads) {
    std::vector<int> &row = choice.reads.emplace_back();
    for (const std::vector<Read> &port : node)
      for (const Read &read : port)
        if (values[read.column] > 0.5)
          row.push_back(read.to);
  }
  return choice;
}

/// At least one column that is set must not be.
void Encoder::exclude(const PlanChoice &choice) {
  std::vector<Term> terms;
  for (auto [columns, c] : llvm::zip(x, choice.options))
    terms.push_back({columns[c], 1});
  for (auto [columns, a] : llvm::zip(y, choice.formats))
    terms.push_back({columns[a], 1});
  for (auto [n, node] : llvm::enumerate(reads))
    for (auto [port, list] : llvm::enumerate(node))
      for (const Read &read : list)
        if (read.to == choice.reads[n][port])
          for (auto [a, format] :
               llvm::enumerate(p.edges[p.nodes[n].inputs[port]].formats))
            if (format.format == read.from &&
                int(a) == choice.formats[p.nodes[n].inputs[port]])
              terms.push_back({read.column, 1});
  double count = double(terms.size());
  program.addRow(-INFINITY, terms, count - 1);
}

/// For plans without tensor formats, which are complete by their options.
void Encoder::takeBetterIncumbent(SolveResult &result) const {
  if (!p.edges.empty())
    return;
  for (const std::vector<int> &incumbent : options.incumbents) {
    if (incumbent.size() != p.nodes.size())
      continue;
    PlanChoice choice{incumbent, {}, {}};
    choice.reads.resize(p.nodes.size());
    PlanTotals totals = evaluate(p, choice);
    if (fits(p, totals) && totals.loss < result.totals.loss) {
      result.choice = std::move(choice);
      result.totals = std::move(totals);
    }
  }
}

void Encoder::findShadowPrices(SolveResult &result) const {
  for (auto [r, resource] : llvm::enumerate(p.resources))
    result.budgets.push_back(
        {resource.name, result.totals.used[r], resource.limit, 0});
  Solver highs = make(/*isInteger=*/false);
  if (!highs || Highs_run(highs.get()) == kHighsStatusError ||
      Highs_getModelStatus(highs.get()) != kHighsModelStatusOptimal)
    return;
  std::vector<double> columns(program.costs.size()), columnDuals(columns),
      rows(program.lower.size()), duals(rows);
  Highs_getSolution(highs.get(), columns.data(), columnDuals.data(),
                    rows.data(), duals.data());
  for (size_t r = 0; r < p.resources.size(); ++r) {
    if (budgetRows[r] < 0)
      continue;
    double price = -duals[budgetRows[r]] * budgetFactors[r] / objectiveFactor;
    result.budgets[r].shadowPrice = price > 0 ? price : 0;
  }
}

static absl::Status failedSolve(HighsInt status) {
  return Error(Code::Internal,
               "HiGHS ended with model status " + llvm::Twine(status));
}

void Encoder::build(int leastResource) {
  dropDominated();
  addNodes();
  addEdges();
  addFormatRows();
  addTies();
  addBudgets(leastResource);
  addMemory();
  addKernels();
  Sum objective = leastResource < 0 ? sumLoss() : sumResource(leastResource);
  for (const Term &term : objective.terms)
    program.costs[term.column] += term.value;
  objectiveConstant = objective.constant;
  objectiveFactor = objective.factor;
}

bool Encoder::keepsBudgets(const PlanTotals &totals, int leastResource) const {
  bool keeps = totals.isConsistent;
  for (size_t r = 0; r < p.resources.size(); ++r)
    keeps &=
        int(r) == leastResource || fits(totals.used[r], p.resources[r].limit);
  return keeps && fits(totals.peakBytes, p.memoryLimit) &&
         fits(totals.codeBytes, p.codeLimit);
}

/// Bounds, prices and what else belongs to a choice that keeps the budgets.
void Encoder::describe(SolveResult &result, void *highs,
                       int leastResource) const {
  double bound = 0;
  Highs_getDoubleInfoValue(highs, "mip_dual_bound", &bound);
  result.bound = bound / objectiveFactor + objectiveConstant;
  Highs_getInt64InfoValue(highs, "mip_node_count", &result.nodes);
  bool isOptimal = result.status == SolveResult::Status::Optimal;
  if (isOptimal && options.gap == 0)
    result.bound = leastResource < 0 ? result.totals.loss
                                     : result.totals.used[leastResource];
  if (!isOptimal && leastResource < 0)
    takeBetterIncumbent(result);
  findShadowPrices(result);
}

absl::StatusOr<SolveResult> Encoder::run(int leastResource) {
  SolveResult result;
  findAllowed();
  findConflicts(result.conflicts);
  if (!result.conflicts.empty())
    return result;
  build(leastResource);
  // What only a tolerance allows is excluded; so few that the limit is never
  // met in practice.
  for (int attempt = 0; attempt < 100; ++attempt) {
    Solver highs = make(/*isInteger=*/true);
    if (!highs)
      return Error(Code::Internal, "HiGHS refuses the program");
    setStart(highs.get());
    HighsInt status = Highs_run(highs.get());
    HighsInt model = Highs_getModelStatus(highs.get());
    HighsInt primal = 0;
    Highs_getIntInfoValue(highs.get(), "primal_solution_status", &primal);
    if (model == kHighsModelStatusInfeasible ||
        model == kHighsModelStatusUnboundedOrInfeasible)
      return result;
    bool isLimit = model == kHighsModelStatusTimeLimit ||
                   model == kHighsModelStatusIterationLimit ||
                   model == kHighsModelStatusSolutionLimit;
    bool isOptimal = model == kHighsModelStatusOptimal ||
                     model == kHighsModelStatusModelEmpty;
    if (status == kHighsStatusError || (!isOptimal && !isLimit))
      return failedSolve(model);
    if (isLimit && primal != kHighsSolutionStatusFeasible)
      return Error(Code::LimitReached,
                   "no plan was found within the limits of nodes and time");
    std::vector<double> values(program.costs.size()),
        rows(program.lower.size());
    Highs_getSolution(highs.get(), values.data(), nullptr, rows.data(),
                      nullptr);
    PlanChoice choice = decode(values);
    PlanTotals totals = evaluate(p, choice);
    if (!keepsBudgets(totals, leastResource)) {
      exclude(choice);
      continue;
    }
    result.status =
        isOptimal ? SolveResult::Status::Optimal : SolveResult::Status::Limit;
    result.choice = std::move(choice);
    result.totals = std::move(totals);
    describe(result, highs.get(), leastResource);
    return result;
  }
  return Error(Code::LimitReached,
               "no plan keeps the budgets outside of the solver's tolerance");
}

absl::StatusOr<SolveResult> qopt::solveWithHighs(const PlanProblem &problem,
                                                 int leastResource,
                                                 const SolveOptions &options) {
  QOPT_RETURN_IF_ERROR(problem.check());
  return Encoder(problem, options).run(leastResource);
}
