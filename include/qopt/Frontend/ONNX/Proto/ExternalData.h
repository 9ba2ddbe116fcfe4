//===- ExternalData.h - Tensor data beside the model's file ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Which files a model may read: a model comes from a stranger, and what it
// names must not lead elsewhere.
//===----------------------------------------------------------------------===//
#ifndef QOPT_FRONTEND_ONNX_PROTO_EXTERNALDATA_H
#define QOPT_FRONTEND_ONNX_PROTO_EXTERNALDATA_H

#include "absl/status/statusor.h"
#include "llvm/Support/MemoryBuffer.h"
#include <memory>
#include <string>

namespace onnx {
class TensorProto;
} // namespace onnx

namespace qopt::frontend {

/// Folders that hold a model's external data, all links resolved; both empty
/// for a model that came as bytes.
struct ModelFolders {
  /// That of the file as it was named.
  std::string own;
  /// That of the file itself; another one where the name is a link, as in the
  /// caches of model hubs.
  std::string linked;

  static ModelFolders of(llvm::StringRef modelPath);
};

absl::StatusOr<std::unique_ptr<llvm::MemoryBuffer>>
openFile(llvm::StringRef path);

/// Bytes beside the model, and what keeps them there.
struct ExternalData {
  llvm::StringRef bytes;
  std::shared_ptr<const char> owner;
};

/// What `external_data` names: mapped, not copied.
absl::StatusOr<ExternalData> openExternalData(const ::onnx::TensorProto &proto,
                                              const ModelFolders &folders);

} // namespace qopt::frontend

#endif // QOPT_FRONTEND_ONNX_PROTO_EXTERNALDATA_H
