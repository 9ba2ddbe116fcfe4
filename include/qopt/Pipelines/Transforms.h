//===- Transforms.h - Exact changes of a float model before rounding ------===//
// SPDX-License-Identifier: Apache-2.0
//
// Which of the folding passes run, and what they gained.
//===----------------------------------------------------------------------===//
#ifndef QOPT_PIPELINES_TRANSFORMS_H
#define QOPT_PIPELINES_TRANSFORMS_H

#include "qopt/Assignment/ChooseTransforms.h"
#include "qopt/Pipelines/Executors.h"

namespace qopt {

/// Chooses and folds rotations (if `options.rotate`), then smoothing (if
/// `options.smooth`) of a prepared float module. The choices are in the order
/// of the graph, rotations first.
absl::StatusOr<std::vector<TransformChoice>>
transform(mlir::ModuleOp module, const SampleSource &samples,
          const ChooseTransformsOptions &options, Engine engine);

} // namespace qopt

#endif // QOPT_PIPELINES_TRANSFORMS_H
