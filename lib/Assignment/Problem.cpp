//===- Problem.cpp - Which choice for which layer, as a program -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// Adds up a choice, term by term as the program is written; the solver's answer
// is checked against it.
//===----------------------------------------------------------------------===//
#include "qopt/Assignment/Problem.h"
#include "qopt/Support/Diagnostics.h"

#include "llvm/ADT/STLExtras.h"

using namespace qopt;

namespace {
/// Collects everything that is wrong.
class Checker {
public:
  explicit Checker(const PlanProblem &problem) : p(problem) {}

  absl::Status run() {
    for (const PlanNode &node : p.nodes)
      checkNode(node);
    for (const PlanEdge &edge : p.edges)
      checkEdge(edge);
    for (const std::vector<int> &tie : p.ties)
      for (int node : tie)
        expect(isIndex(node, p.nodes.size()), "a tie names no node");
    for (const PlanPin &pin : p.pins)
      expect(isIndex(pin.node, p.nodes.size()), "a pin names no node");
    for (const ProgramPoint &point : p.points) {
      expect(point.node < int(p.nodes.size()), "a program point has no node");
      for (int edge : point.edges)
        expect(isIndex(edge, p.edges.size()), "a program point has no tensor");
    }
    if (problems.empty())
      return absl::OkStatus();
    Error error(Code::Internal, "the program is malformed: " + problems[0]);
    for (const std::string &problem : llvm::drop_begin(problems))
      std::move(error).note(problem);
    return error;
  }

private:
  static bool isIndex(int index, size_t count) {
    return index >= 0 && size_t(index) < count;
  }
  void expect(bool condition, const llvm::Twine &message) {
    if (!condition)
      problems.push_back(message.str());
  }
  void checkCosts(const std::vector<double> &costs, const std::string &name) {
    expect(costs.size() == p.resources.size(),
           name + ": one cost per resource is expected");
    expect(llvm::all_of(costs, [](double c) { return std::isfinite(c); }),
           name + ": a cost is not finite");
  }
  void checkNode(const PlanNode &node) {
    expect(!node.options.empty(), node.name + ": has no option");
    for (int edge : node.inputs)
      expect(isIndex(edge, p.edges.size()), node.name + ": input is no tensor");
    expect(node.output < int(p.edges.size()),
           node.name + ": output is no tensor");
    for (const PlanOption &option : node.options) {
      std::string name = node.name + ", " + option.name;
      checkCosts(option.costs, name);
      expect(!std::isnan(option.loss), name + ": loss is not a number");
      expect(option.kernel < int(p.kernels.size()), name + ": no such kernel");
      expect(option.accepts.size() <= node.inputs.size(),
             name + ": accepts more inputs than there are");
    }
  }
  void checkEdge(const PlanEdge &edge) {
    expect(!edge.formats.empty(), edge.name + ": has no format");
    for (const PlanEdge::Format &format : edge.formats) {
      checkCosts(format.costs, edge.name);
      expect(std::isfinite(format.loss), edge.name + ": loss is not finite");
    }
    for (const PlanEdge::Conversion &conversion : edge.conversions)
      checkCosts(conversion.costs, edge.name);
  }

  const PlanProblem &p;
  std::vector<std::string> problems;
};
} // namespace

absl::Status PlanProblem::check() const { return Checker(*this).run(); }

static void add(std::vector<double> &used, const std::vector<double> &costs) {
  for (size_t r = 0; r < used.size(); ++r)
    used[r] += costs[r];
}

/// Adds the cost of reading `edge` as `to`; false if nothing makes it.
static bool addRead(const PlanEdge &edge, int from, int to,
                    std::vector<double> &used) {
  if (from == to)
    return true;
  for (const PlanEdge::Conversion &conversion : edge.conversions)
    if (conversion.from == from && conversion.to == to) {
      add(used, conversion.costs);
      return true;
    }
  return false;
}

static bool areTiesKept(const PlanProblem &problem, const PlanChoice &choice) {
  auto getName = [&](int node) -> const std::string & {
    return problem.nodes[node].options[choice.options[node]].name;
  };
  for (const std::vector<int> &tie : problem.ties)
    for (int node : tie)
      if (getName(node) != getName(tie.front()))
        return false;
  return llvm::all_of(problem.pins, [&](const PlanPin &pin) {
    return getName(pin.node) == pin.option;
  });
}

PlanTotals qopt::evaluate(const PlanProblem &problem,
                          const PlanChoice &choice) {
  PlanTotals totals;
  for (const PlanResource &resource : problem.resources)
    totals.used.push_back(resource.fixed);
  std::vector<int> format;
  for (auto [edge, index] : llvm::zip(problem.edges, choice.formats)) {
    const PlanEdge::Format &chosen = edge.formats[index];
    totals.loss += chosen.loss;
    add(totals.used, chosen.costs);
    format.push_back(chosen.format);
  }
  std::vector<bool> usesKernel(problem.kernels.size());
  for (auto [n, node] : llvm::enumerate(problem.nodes)) {
    const PlanOption &option = node.options[choice.options[n]];
    totals.loss += option.loss;
    add(totals.used, option.costs);
    if (option.kernel >= 0)
      usesKernel[option.kernel] = true;
    totals.isConsistent &=
        option.loss <= problem.lossCap && std::isfinite(option.loss);
    if (node.output >= 0 && option.emits >= 0)
      totals.isConsistent &= option.emits == format[node.output];
    for (auto [port, edge] : llvm::enumerate(node.inputs)) {
      int read = choice.reads[n][port];
      totals.isConsistent &=
          addRead(problem.edges[edge], format[edge], read, totals.used);
      if (port < option.accepts.size() && !option.accepts[port].empty())
        totals.isConsistent &= llvm::is_contained(option.accepts[port], read);
    }
  }
  for (auto [kernel, isUsed] : llvm::zip(problem.kernels, usesKernel))
    totals.codeBytes += isUsed ? kernel.bytes : 0;
  for (const ProgramPoint &point : problem.points) {
    double bytes = 0;
    for (int edge : point.edges)
      bytes += problem.edges[edge].formats[choice.formats[edge]].bytes;
    if (point.node >= 0)
      bytes += problem.nodes[point.node]
                   .options[choice.options[point.node]]
                   .scratchBytes;
    totals.peakBytes = std::max(totals.peakBytes, bytes);
  }
  totals.isConsistent &= areTiesKept(problem, choice);
  return totals;
}

bool qopt::fits(double used, double limit) {
  return used <= limit + 1e-12 * std::max(std::fabs(limit), std::fabs(used));
}

bool qopt::fits(const PlanProblem &problem, const PlanTotals &totals) {
  for (auto [resource, used] : llvm::zip(problem.resources, totals.used))
    if (!fits(used, resource.limit))
      return false;
  return totals.isConsistent && fits(totals.peakBytes, problem.memoryLimit) &&
         fits(totals.codeBytes, problem.codeLimit);
}
