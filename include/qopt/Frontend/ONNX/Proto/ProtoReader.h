//===- ProtoReader.h - ONNX files and tensors from bytes ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Everything that touches untrusted bytes: files, tensor data, external data.
//===----------------------------------------------------------------------===//
#ifndef QOPT_FRONTEND_ONNX_PROTO_PROTOREADER_H
#define QOPT_FRONTEND_ONNX_PROTO_PROTOREADER_H

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "qopt/Support/FileMemory.h"

namespace llvm {
struct fltSemantics;
} // namespace llvm

namespace onnx {
class ModelProto;
class TensorProto;
} // namespace onnx

namespace qopt::frontend {

struct ModelFolders;

/// Most elements that one tensor of a model may have; hostile shapes beyond
/// it are refused before anything is allocated or multiplied.
constexpr int64_t kMaxElements = int64_t(1) << 33;

/// How an ONNX element type is held on the host.
struct ElementKind {
  DType dtype;
  /// Width in the file of what is packed there: integers of 2 and 4 bits, held
  /// one per byte, and floats of 4, 6 and 8, held as f32; else 0.
  unsigned bits = 0;
  /// Of those floats; else null.
  const llvm::fltSemantics *semantics = nullptr;
};

/// "FLOAT", "INT8", ... for messages.
std::string getOnnxTypeName(int onnxType);
/// Kind of TensorProto.DataType, or kUnimplemented naming the type.
absl::StatusOr<ElementKind> getElementKind(int onnxType);

/// Number of elements, or kInvalidArgument for negative or hostile extents.
absl::StatusOr<int64_t> countElements(llvm::ArrayRef<int64_t> shape);

absl::Status readModel(llvm::StringRef path, ::onnx::ModelProto &model);
/// The same from bytes, which messages call `name`.
absl::Status parseModel(llvm::StringRef bytes, llvm::StringRef name,
                        ::onnx::ModelProto &model);

/// Values of a TensorProto; external data lies in `folders`, and is refused if
/// they are empty.
absl::StatusOr<Tensor> readTensor(const ::onnx::TensorProto &proto,
                                  const ModelFolders &folders);

/// The same; large external data stay where they are.
absl::StatusOr<StoredArray> readStoredTensor(const ::onnx::TensorProto &proto,
                                             const ModelFolders &folders);

/// A serialized TensorProto, as folders of test data hold it; its values are
/// inside.
absl::StatusOr<Tensor> parseTensor(llvm::StringRef bytes);

/// Writes the ONNX file that a protobuf text file describes.
absl::Status convertTextModel(llvm::StringRef textPath,
                              llvm::StringRef onnxPath);

} // namespace qopt::frontend

#endif // QOPT_FRONTEND_ONNX_PROTO_PROTOREADER_H
