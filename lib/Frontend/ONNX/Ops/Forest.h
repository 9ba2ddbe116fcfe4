//===- Forest.h - Decision trees as tables --------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What the three operators of tree ensembles share: nodes in tables, and the
// walk through all trees at once.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_FRONTEND_ONNX_OPS_FOREST_H
#define QOPT_LIB_FRONTEND_ONNX_OPS_FOREST_H

#include "qopt/Frontend/ONNX/OpBinder.h"

namespace qopt::frontend {

enum class Branch : uint8_t {
  LessEqual,
  Less,
  GreaterEqual,
  Greater,
  Equal,
  NotEqual,
  Leaf
};

struct TreeNode {
  Branch branch = Branch::Leaf;
  bool followsMissing = false; ///< NaN goes where the branch holds
  int64_t feature = 0;
  double split = 0;
  int64_t onTrue = 0, onFalse = 0; ///< nodes of the same table
  llvm::SmallVector<std::pair<int64_t, double>, 1> votes = {}; ///< of a leaf
};

struct Forest {
  std::vector<TreeNode> nodes;
  Shape roots;
  int64_t targets = 0;

  /// Features and targets in their ranges and no node its own descendant; the
  /// longest way to a leaf. None, and reported, otherwise.
  std::optional<int64_t> measureDepth(OpBinder &op, int64_t features) const;
};

enum class Aggregate { Sum, Average, Min, Max };

/// What the leaves say of rows x [N, F]: [N, targets].
Value walkForest(OpBinder &op, const Forest &forest, Value x,
                 Aggregate aggregate);

} // namespace qopt::frontend

#endif // QOPT_LIB_FRONTEND_ONNX_OPS_FOREST_H
