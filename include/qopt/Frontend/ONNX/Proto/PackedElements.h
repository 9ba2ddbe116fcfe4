//===- PackedElements.h - Elements of at most 8 bits ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// ONNX stores integers of 2 and 4 bits and floats of 4, 6 and 8 as one stream
// of bits, the first element in the lowest ones.
//===----------------------------------------------------------------------===//
#ifndef QOPT_FRONTEND_ONNX_PROTO_PACKEDELEMENTS_H
#define QOPT_FRONTEND_ONNX_PROTO_PACKEDELEMENTS_H

#include "qopt/Frontend/ONNX/Proto/ProtoReader.h"

namespace qopt::frontend {

/// Bytes that hold `count` elements of `bits`.
int64_t countPackedBytes(int64_t count, unsigned bits);

/// Fills `tensor` from a stream of countPackedBytes bytes: integers are
/// extended to a byte, floats decoded exactly.
void unpackElements(llvm::StringRef stream, const ElementKind &kind,
                    Tensor &tensor);

/// The values of all codes of a small float, 2^bits of them.
llvm::SmallVector<float, 0> decodeAllCodes(const llvm::fltSemantics &semantics,
                                           unsigned bits);

} // namespace qopt::frontend

#endif // QOPT_FRONTEND_ONNX_PROTO_PACKEDELEMENTS_H
