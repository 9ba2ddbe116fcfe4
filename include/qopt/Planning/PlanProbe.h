//===- PlanProbe.h - One network, many weights ----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Measuring a candidate needs the network with other numbers in one layer.
// Kernels do not depend on the numbers, so the network is compiled once, with
// marks for weights, and the numbers are put into the object where the packing
// left the marks.
//===----------------------------------------------------------------------===//
#ifndef QOPT_PLANNING_PLANPROBE_H
#define QOPT_PLANNING_PLANPROBE_H

#include "mlir/IR/BuiltinOps.h"
#include "qopt/Execution/Executor.h"

namespace qopt {

class PlanProbe {
public:
  /// `layers`: name and op of linear ops of a prepared float module, each with
  /// a constant weight and no bias or a constant one.
  static absl::StatusOr<std::unique_ptr<PlanProbe>>
  open(mlir::ModuleOp module,
       llvm::ArrayRef<std::pair<std::string, std::string>> layers);

  /// Another weight and bias for layer `index`; empty tensors mean its own.
  void set(size_t index, const Tensor &weight, const Tensor &bias);
  /// All layers as they were.
  void reset();
  absl::StatusOr<llvm::SmallVector<Tensor>> run(llvm::ArrayRef<Tensor> inputs);

private:
  struct Layer {
    Tensor weight, bias; ///< its own
    uint32_t firstWeight = 0, firstBias = 0;
    Tensor newWeight, newBias;
  };
  /// A word of the object and the number that belongs there.
  struct Word {
    uint64_t offset;
    uint32_t index;
  };
  absl::Status findWords(uint64_t weightsBytes);
  absl::Status load();
  void collect(std::vector<float> &values) const;

  std::vector<Layer> layers;
  std::string object, symbol;
  std::vector<Word> words;
  uint32_t count = 0;
  std::unique_ptr<Executor> executor; ///< null: numbers have changed
};

} // namespace qopt

#endif // QOPT_PLANNING_PLANPROBE_H
