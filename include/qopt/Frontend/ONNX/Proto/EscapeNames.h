//===- EscapeNames.h - Names of a model as text ---------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// ONNX wants names in UTF-8, older exporters wrote other encodings. Inside qopt
// names are text: the bytes are escaped where a model comes in and are bytes
// again where one goes out.
//===----------------------------------------------------------------------===//
#ifndef QOPT_FRONTEND_ONNX_PROTO_ESCAPENAMES_H
#define QOPT_FRONTEND_ONNX_PROTO_ESCAPENAMES_H

namespace onnx {
class ModelProto;
} // namespace onnx

namespace qopt::frontend {

/// escapeBytes() of everything that the schema calls a string; not of the files
/// of external data, whose names are the file system's.
void escapeNames(::onnx::ModelProto &model);

/// The way back.
void unescapeNames(::onnx::ModelProto &model);

} // namespace qopt::frontend

#endif // QOPT_FRONTEND_ONNX_PROTO_ESCAPENAMES_H
