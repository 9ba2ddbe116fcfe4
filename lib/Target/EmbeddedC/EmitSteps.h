//===- EmitSteps.h - A C function for every step --------------------------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_LIB_TARGET_EMBEDDEDC_EMITSTEPS_H
#define QOPT_LIB_TARGET_EMBEDDEDC_EMITSTEPS_H

#include "Steps.h"

namespace qopt::embedded {

/// A member of the structure of weights.
struct Member {
  std::string type, name, comment;
  std::vector<int64_t> values;
  int64_t elementBytes = 1;
};

/// A function and what its call needs.
struct StepCode {
  std::string name, text;
  std::vector<Member> members;
  bool usesWeights = false, usesScratch = false;
  /// Per input: the member that holds it, or empty for a buffer.
  std::vector<std::string> constants;
};

absl::StatusOr<StepCode> emitStep(mlir::MLIRContext *context, const Step &step,
                                  unsigned index, llvm::StringRef symbol);

/// The body of a wide step: `index` counts steps.
void emitWideBody(const Step &step, const StepConstants &constants,
                  unsigned index, class FunctionWriter &writer);

/// The body of a recurrent layer.
void emitRecurrentBody(const Step &step, const StepConstants &constants,
                       unsigned index, class FunctionWriter &writer);

llvm::StringRef getKindName(Step::Kind kind);
/// Text that may stand in a C comment.
std::string getComment(llvm::StringRef text);

} // namespace qopt::embedded

#endif // QOPT_LIB_TARGET_EMBEDDEDC_EMITSTEPS_H
