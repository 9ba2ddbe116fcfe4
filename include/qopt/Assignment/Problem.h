//===- Problem.h - Which choice for which layer, as a program -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A plain model without IR: nodes with options, tensors between them with
// formats, budgets, ties and pins. Everything that chooses bit widths is
// brought into this form, solved by Solver.h and written back.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ASSIGNMENT_PROBLEM_H
#define QOPT_ASSIGNMENT_PROBLEM_H

#include "absl/status/status.h"
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace qopt {

/// One way to compute a node: format, group and rounding of its weight.
struct PlanOption {
  /// What pins name and ties compare.
  std::string name;
  double loss = 0;
  /// One per resource of the problem.
  std::vector<double> costs;
  /// Of working memory at the node's program points.
  double scratchBytes = 0;
  /// Index into PlanProblem::kernels; -1: needs none of them.
  int kernel = -1;
  /// Per input of the node, the formats it reads; empty: any.
  std::vector<std::vector<int>> accepts;
  /// Format of the output; -1: any.
  int emits = -1;
};

struct PlanNode {
  std::string name;
  std::vector<PlanOption> options;
  /// Indices into PlanProblem::edges.
  std::vector<int> inputs;
  int output = -1;
};

/// A tensor between nodes, held in exactly one of its formats.
struct PlanEdge {
  struct Format {
    int format = 0; ///< an identifier shared by all edges
    double loss = 0;
    std::vector<double> costs;
    double bytes = 0; ///< in the arena
  };
  /// A reader may take the tensor in another format at this cost.
  struct Conversion {
    int from = 0, to = 0;
    std::vector<double> costs;
  };
  std::string name;
  std::vector<Format> formats;
  std::vector<Conversion> conversions;
};

/// Something a plan uses up: bytes, bits, microseconds.
struct PlanResource {
  std::string name;
  double limit = INFINITY;
  /// Used whatever is chosen.
  double fixed = 0;
};

/// Tensors that are alive at once.
struct ProgramPoint {
  std::string name;
  std::vector<int> edges;
  int node = -1; ///< whose scratch memory counts; -1: none
};

struct PlanPin {
  int node = 0;
  std::string option;
};

struct PlanProblem {
  std::vector<PlanResource> resources;
  std::vector<PlanNode> nodes;
  std::vector<PlanEdge> edges;
  /// Nodes that take options of one name.
  std::vector<std::vector<int>> ties;
  std::vector<PlanPin> pins;
  /// No option with a larger loss is taken: the worst layer's cap.
  double lossCap = INFINITY;
  std::vector<ProgramPoint> points;
  double memoryLimit = INFINITY;
  struct Kernel {
    std::string name;
    double bytes = 0;
  };
  std::vector<Kernel> kernels;
  double codeLimit = INFINITY;

  /// Numbers that are not finite, indices out of range, lists of the wrong
  /// length: every one is listed.
  absl::Status check() const;
};

/// A choice for everything.
struct PlanChoice {
  std::vector<int> options; ///< per node
  std::vector<int> formats; ///< per edge: index into its formats
  /// Per node and input: the format it is read in.
  std::vector<std::vector<int>> reads;
};

/// What a choice amounts to.
struct PlanTotals {
  double loss = 0;
  std::vector<double> used; ///< per resource
  double peakBytes = 0;
  double codeBytes = 0;
  /// Conversions exist, options accept what they read and emit what is stored,
  /// ties, pins and the cap hold; budgets are not looked at.
  bool isConsistent = true;
};
PlanTotals evaluate(const PlanProblem &problem, const PlanChoice &choice);

/// Whether `used` is within `limit`, up to rounding of the sum.
bool fits(double used, double limit);
/// Whether totals keep all budgets.
bool fits(const PlanProblem &problem, const PlanTotals &totals);

} // namespace qopt

#endif // QOPT_ASSIGNMENT_PROBLEM_H
