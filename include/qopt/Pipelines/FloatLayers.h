//===- FloatLayers.h - Layers that a scheme asked for and that stay float -===//
// SPDX-License-Identifier: Apache-2.0
//
// Whoever asks for integers wants to know which products, convolutions and
// tables did not get them. They carry a mark, which the summary, the manifest,
// the report and `check --explain-float` read.
//===----------------------------------------------------------------------===//
#ifndef QOPT_PIPELINES_FLOATLAYERS_H
#define QOPT_PIPELINES_FLOATLAYERS_H

#include "mlir/IR/BuiltinOps.h"
#include <string>
#include <vector>

namespace qopt {

/// On an op that computes in floats though the scheme asks for integers; its
/// `qg.float_reason` says why, and what to do.
inline constexpr const char *kStaysFloatAttr = "qg.stays_float";

/// Who asks for integers.
enum class AskedBy {
  scheme, ///< for all products, convolutions and tables
  model   ///< its encodings: weights that it stores and multiplies with floats
          ///< are as it asks
};

/// Marks products and convolutions whose input is float, and tables of floats,
/// with a reason each. `roundsTables`: tables are rounded for this target.
void markFloatLayers(mlir::ModuleOp module, AskedBy asked, bool roundsTables);

/// One line for each reason and kind: "stays float: product 'a': why".
std::vector<std::string> describeFloatLayers(mlir::ModuleOp module);

/// Notes on the function which observers and layers a trial on samples keeps
/// float (`qg.keep_float`), for those who decide again without samples.
void noteKeptFloat(mlir::ModuleOp observed);
/// Marks the same ones of `observed` as are noted in `quantized`.
void restoreKeptFloat(mlir::ModuleOp quantized, mlir::ModuleOp observed);

/// What of a model is integers though no tensor has an encoding: products of
/// integers, tensors that it rounds by arithmetic, weights that were decoded.
std::vector<std::string> describeUnencodedIntegers(mlir::ModuleOp module);

} // namespace qopt

#endif // QOPT_PIPELINES_FLOATLAYERS_H
