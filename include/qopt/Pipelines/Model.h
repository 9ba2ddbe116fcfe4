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
#include "qopt/Frontend/ONNX/Import.h"
#include "qopt/Support/Module.h"

namespace qopt {

/// An output with a dimension of which data decide how many positions count
/// (result attribute `qg.length`).
struct CountedOutput {
  size_t output; ///< index of the output
  size_t axis;
  size_t length; ///< index of the output that has their number
};

/// Arrays of `@main`, by their names in the model.
struct ModelInterface {
  std::vector<TensorSpec> inputs, outputs;
  std::vector<CountedOutput> counted;

  /// How many of the outputs, the first ones, the model itself names; the
  /// others are lengths of these.
  size_t countOwnOutputs() const;
};

/// The model's own outputs, with the positions that count.
llvm::SmallVector<Tensor> trimOutputs(const ModelInterface &interface,
                                      llvm::ArrayRef<Tensor> outputs);

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
