//===- MLTransforms.h - What classifiers of ai.onnx.ml share --------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Scores to probabilities and labels.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_FRONTEND_ONNX_OPS_MLTRANSFORMS_H
#define QOPT_LIB_FRONTEND_ONNX_OPS_MLTRANSFORMS_H

#include "qopt/Frontend/ONNX/OpBinder.h"

namespace qopt::frontend {

/// What attribute `post_transform` says, along the rows of `scores`.
Value applyPostTransform(OpBinder &op, Value scores);

/// Labels of a classifier: integers, or only their number where they are
/// strings.
struct ClassLabels {
  Shape integers;
  int64_t count = 0;
  bool areStrings = false;
};
ClassLabels readClassLabels(OpBinder &op);

/// Results of a classifier: the label of the largest score of a row, or of one
/// score by `threshold`; then the scores in f32. Labels that are strings are
/// left out.
llvm::LogicalResult writeClasses(OpBinder &op, Value scores,
                                 const ClassLabels &labels, double threshold);

} // namespace qopt::frontend

#endif // QOPT_LIB_FRONTEND_ONNX_OPS_MLTRANSFORMS_H
