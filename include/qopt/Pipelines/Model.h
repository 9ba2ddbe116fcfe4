//===- Model.h - Models as files and their interfaces ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Opens .onnx, .mlir and .mlirbc files and says what a module takes and gives.
//===----------------------------------------------------------------------===//
#ifndef QOPT_PIPELINES_MODEL_H
#define QOPT_PIPELINES_MODEL_H

#include "absl/status/statusor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "qopt/Data/Preprocess.h"
#include "qopt/Dialect/QG/IR/ResultLengths.h"
#include "qopt/Frontend/ONNX/Import.h"
#include "qopt/Support/Module.h"

namespace qopt {

/// Arrays of `@main`, by their names in the model.
struct ModelInterface {
  std::vector<TensorSpec> inputs, outputs;
  llvm::SmallVector<qg::ResultLength> counted;

  /// How many of the outputs, the first ones, the model itself names; the
  /// others are lengths of these.
  size_t countOwnOutputs() const {
    return qg::countOwnResults(counted, outputs.size());
  }
  llvm::ArrayRef<TensorSpec> ownOutputs() const {
    return llvm::ArrayRef(outputs).take_front(countOwnOutputs());
  }
  /// The most that a length, an index of an output, can be.
  int64_t getBound(size_t length) const;
};

/// A line for every length: its name, its bound, and what it counts.
std::vector<std::string> describeLengths(const ModelInterface &interface);

/// The model's own outputs with the positions that count, and the lengths as
/// they are. ModelInvalid for a length that is outside of its bounds.
absl::StatusOr<llvm::SmallVector<Tensor>>
trimOutputs(const ModelInterface &interface, llvm::ArrayRef<Tensor> outputs);

/// The first `count` positions of dimension `axis`.
Tensor takeFirst(const Tensor &x, size_t axis, int64_t count);

/// Fails for a module that has not the form of qopt's modules: one `@main`
/// with static tensors.
absl::StatusOr<ModelInterface> getInterface(mlir::ModuleOp module);

/// Reads any kind of model file. Errors carry BadModel or Unsupported codes;
/// every diagnostic of the reader is a note.
absl::StatusOr<mlir::OwningOpRef<mlir::ModuleOp>>
loadModel(mlir::MLIRContext *context, llvm::StringRef path,
          const ImportOptions &options = {});
/// An ONNX model in memory; errors call it `<bytes>`.
absl::StatusOr<mlir::OwningOpRef<mlir::ModuleOp>>
loadModelBytes(mlir::MLIRContext *context, llvm::StringRef bytes,
               const ImportOptions &options = {});

/// SHA-256 of the bytecode: identifies a graph with its constants.
absl::StatusOr<std::string> getModelHash(mlir::ModuleOp module);

} // namespace qopt

#endif // QOPT_PIPELINES_MODEL_H
