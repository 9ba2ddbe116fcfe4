//===- Import.h - ONNX models as qg modules -------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The entry points of the ONNX reader.
//===----------------------------------------------------------------------===//
#ifndef QOPT_FRONTEND_ONNX_IMPORT_H
#define QOPT_FRONTEND_ONNX_IMPORT_H

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "qopt/Support/Tensor.h"
#include <map>
#include <string>
#include <vector>

namespace qopt {

/// What a user says about a model from outside.
struct ImportOptions {
  /// Extents of symbolic dimensions, by their names in the model (`--dim`).
  std::map<std::string, int64_t> dims;
  /// Whole shapes of inputs (`--shape`).
  std::map<std::string, std::vector<int64_t>> shapes;
  /// Inputs that become constants (`--const`).
  std::map<std::string, Tensor> consts;
  /// Key of random numbers (`--seed`).
  uint64_t seed = 0;
};

/// Reads an ONNX file (or, if its name ends in `.onnxtxt`, the protobuf text
/// form of one) into a module with one `@main`.
///
/// The status of a failure tells the kind: `kUnimplemented` is a valid model
/// that qopt does not support, `kNotFound` a file that is missing,
/// `kInvalidArgument` everything that is wrong with the model or the options.
/// Its message has one line per offender, all of them.
absl::StatusOr<mlir::OwningOpRef<mlir::ModuleOp>>
importModel(mlir::MLIRContext *context, llvm::StringRef path,
            const ImportOptions &options);

/// The same from the bytes of an ONNX file; messages call it `<bytes>`.
absl::StatusOr<mlir::OwningOpRef<mlir::ModuleOp>>
importModelBytes(mlir::MLIRContext *context, llvm::StringRef bytes,
                 const ImportOptions &options);

} // namespace qopt

#endif // QOPT_FRONTEND_ONNX_IMPORT_H
