//===- LayerRules.h - Settings for some of the layers ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What a recipe says of layers by their names. Like a plan, it becomes
// attributes on ops, which formats and rounding read.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ASSIGNMENT_LAYERRULES_H
#define QOPT_ASSIGNMENT_LAYERRULES_H

#include "absl/status/status.h"
#include "mlir/IR/BuiltinOps.h"
#include <string>

namespace qopt {

/// Settings that are empty are left as they are.
struct LayerRule {
  std::string layer;    ///< a name as the model has it, else a glob
  std::string weights;  ///< a format; f32: the layer stays float
  std::string rounding; ///< by its name
};

/// A weight format of a layer that stays float.
inline constexpr const char *kFloatFormat = "f32";

/// Writes `qg.weights` and `qg.rounding` on the linear ops that rules match;
/// of several the last one counts. A rule that matches no layer it could
/// change, and a glob that is none, are errors that list all of them.
absl::Status applyLayerRules(mlir::ModuleOp module,
                             llvm::ArrayRef<LayerRule> rules);

} // namespace qopt

#endif // QOPT_ASSIGNMENT_LAYERRULES_H
