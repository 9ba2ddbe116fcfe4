//===- LayerTrace.h - What every layer computes ---------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A model whose layers are results too, so that any Executor shows them.
//===----------------------------------------------------------------------===//
#ifndef QOPT_PIPELINES_LAYERTRACE_H
#define QOPT_PIPELINES_LAYERTRACE_H

#include "qopt/Dialect/QG/IR/ResultLengths.h"
#include "qopt/Pipelines/Executors.h"

namespace qopt {

class LayerTrace {
public:
  /// Every named op of `@main` that computes (data movement is left out), in
  /// real numbers: quantized results are dequantized. Of ops with one name the
  /// last counts.
  static absl::StatusOr<LayerTrace> open(mlir::ModuleOp module, Engine engine);

  llvm::ArrayRef<std::string> names() const { return names_; }
  /// One array per name. Of an output whose extent data decide, what counts.
  absl::StatusOr<llvm::SmallVector<Tensor>> run(llvm::ArrayRef<Tensor> inputs);

private:
  std::vector<std::string> names_;
  unsigned ownResults_ = 0;
  /// Results among all that run gives: traced ones, and lengths.
  llvm::SmallVector<qg::ResultLength> counted_;
  std::unique_ptr<Executor> executor_;
};

} // namespace qopt

#endif // QOPT_PIPELINES_LAYERTRACE_H
