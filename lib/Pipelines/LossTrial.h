//===- LossTrial.h - Float and rounded network side by side ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// One trial of formats: what each observed tensor and each result lost, and
// which rounded tensors and layers stand in front of it.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_PIPELINES_LOSSTRIAL_H
#define QOPT_LIB_PIPELINES_LOSSTRIAL_H

#include "KeepLossesFloat.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/SetVector.h"

namespace qopt {

/// Sums over all samples of one tensor.
struct Loss {
  double signal = 0, noise = 0;
  /// Share of the energy of a row that is lost, summed over rows; at most 1 of
  /// each.
  double lostRows = 0;
  int64_t rows = 0;
  /// Elements that are finite on one side, or another infinity.
  int64_t odd = 0;

  void add(const Tensor &want, const Tensor &got);
  double sqnr() const;
  double rowSqnr() const;
};

/// A tensor that is compared: an observed one or a result.
struct Place {
  std::string name;
  bool isResult = false;
  /// An integer product is what made it last.
  bool isProduct = false;
  /// Ops of the observed module that round in front of it: observers and
  /// linear ops.
  llvm::SmallSetVector<mlir::Operation *, 4> suspects;
  /// The places nearest in front of it, by index, with the dB that rounding
  /// them costs there.
  std::vector<std::pair<size_t, double>> before;
  Loss loss;
};

/// Decides formats on a copy of `observed`, runs it and measures.
absl::StatusOr<std::vector<Place>>
runTrial(mlir::ModuleOp observed, const LossOptions &options, Executor &exact);

} // namespace qopt

#endif // QOPT_LIB_PIPELINES_LOSSTRIAL_H
