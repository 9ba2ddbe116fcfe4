//===- ModelReference.h - Modules without the model's own weights ---------===//
// SPDX-License-Identifier: Apache-2.0
//
// A bundle of a large model leaves out constants that the model's file has: it
// says where that file is and how it was imported. A constant is named by its
// contents, so what is imported again is known to be what was left out.
//===----------------------------------------------------------------------===//
#ifndef QOPT_PIPELINES_MODELREFERENCE_H
#define QOPT_PIPELINES_MODELREFERENCE_H

#include "qopt/Frontend/ONNX/Import.h"

#include "llvm/Support/JSON.h"
#include <set>

namespace qopt {

/// Of the file that says where the model is, beside modules that need it.
inline constexpr const char *kReferenceFile = "source.json";

/// Large constants: their names, and how many bytes they are.
struct ConstantNames {
  std::set<std::string> names;
  uint64_t bytes = 0;
};
ConstantNames listLargeConstants(mlir::ModuleOp module);

/// Bytecode of a module without the bytes of some constants.
absl::Status writeModuleWithout(mlir::ModuleOp module,
                                const std::set<std::string> &names,
                                llvm::raw_ostream &os);

/// What `source.json` in `folder` says of a model and its import; constants of
/// the import are not recorded.
absl::StatusOr<llvm::json::Object>
makeModelReference(llvm::StringRef modelPath, llvm::StringRef folder,
                   const ImportOptions &options);

/// Gives a module that was read from `path` the constants that were left out.
/// Does nothing for a module that has all of its own.
absl::Status fillConstants(mlir::ModuleOp module, llvm::StringRef path);

} // namespace qopt

#endif // QOPT_PIPELINES_MODELREFERENCE_H
