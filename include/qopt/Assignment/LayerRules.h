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
#include <optional>
#include <string>

namespace qopt {

/// Settings that are empty are left as they are.
struct LayerRule {
  std::string layer;    ///< a name as the model has it, else a glob
  std::string weights;  ///< a format; f32: the layer stays float
  std::string rounding; ///< by its name
  /// Of the tensors that it makes, a format; f32: it computes in floats, and
  /// only layers with products round what they read of it. Of any op.
  std::string activations;
};

/// A weight format of a layer that stays float.
inline constexpr const char *kFloatFormat = "f32";

/// On an op that computes in floats because somebody said so.
inline constexpr const char *kComputeFloatAttr = "qg.compute_float";
/// On the observer of a tensor that is rounded for whoever reads it, because
/// somebody named its format.
inline constexpr const char *kRoundAttr = "qg.round";

/// `ui2` to `ui8` of tensors between layers; nullopt: something else.
std::optional<unsigned> parseActivationBits(llvm::StringRef format);

/// Writes `qg.weights` and `qg.rounding` on the linear ops that rules match,
/// `qg.compute_float` on ops, and `qg.bits` on their observers; of several the
/// last one counts. A rule that matches nothing it could change, and a glob
/// that is none, are errors that list all of them.
absl::Status applyLayerRules(mlir::ModuleOp module,
                             llvm::ArrayRef<LayerRule> rules);

} // namespace qopt

#endif // QOPT_ASSIGNMENT_LAYERRULES_H
