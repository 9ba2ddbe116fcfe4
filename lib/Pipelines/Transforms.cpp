//===- Transforms.cpp - Exact changes of a float model before rounding ----===//
// SPDX-License-Identifier: Apache-2.0
//
// Rotations first: smoothing is chosen for the channels that are there then.
//===----------------------------------------------------------------------===//
#include "qopt/Pipelines/Transforms.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Support/Diagnostics.h"

using namespace qopt;

absl::StatusOr<std::vector<TransformChoice>>
qopt::transform(mlir::ModuleOp module, const SampleSource &samples,
                const ChooseTransformsOptions &options, Engine engine) {
  std::vector<TransformChoice> all;
  auto run = [&](bool rotate, llvm::StringRef pass) -> absl::Status {
    ChooseTransformsOptions one = options;
    one.rotate = rotate;
    one.smooth = !rotate;
    QOPT_ASSIGN(
        std::vector<TransformChoice> choices,
        chooseTransforms(module, samples, one,
                         getExecutorFactory(engine, /*optLevel=*/1)));
    bool changes = llvm::any_of(
        choices, [](const TransformChoice &choice) { return choice.accepted; });
    llvm::append_range(all, choices);
    if (!changes)
      return absl::OkStatus();
    return runPipeline(
        module, ("func.func(" + pass + ",canonicalize,cse)").str());
  };
  if (options.rotate)
    QOPT_RETURN_IF_ERROR(run(true, "qg-fold-rotations"));
  if (options.smooth)
    QOPT_RETURN_IF_ERROR(run(false, "qg-fold-smoothing"));
  return all;
}
