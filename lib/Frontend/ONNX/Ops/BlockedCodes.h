//===- BlockedCodes.h - Weights packed in codes with scales for blocks ----===//
// SPDX-License-Identifier: Apache-2.0
//
// What MatMulNBits, QMoE and GatherBlockQuantized share.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_FRONTEND_ONNX_OPS_BLOCKEDCODES_H
#define QOPT_LIB_FRONTEND_ONNX_OPS_BLOCKEDCODES_H

#include "qopt/Frontend/ONNX/OpBinder.h"

#include "llvm/Support/MathExtras.h"

namespace qopt::frontend {

/// A weight: [N, K] codes in blocks along K.
struct BlockedCodes {
  int64_t n, k, bits, block;
  int64_t groups() const { return llvm::divideCeil(k, block); }
};

/// Code `index` of a row of packed bytes, low bits first.
int64_t unpack(ArrayRef<uint8_t> bytes, int64_t index, int64_t bits);

/// The matrix under an encoding in blocks; zero points between integers have
/// none: floats then, each product rounded. Without zero points the codes are
/// around their middle.
Value createBlockedWeight(GraphBuilder &b, const BlockedCodes &spec,
                          Tensor codes, ArrayRef<float> scales,
                          ArrayRef<float> zeros);

/// Notes on the function why the weights of a node became floats: it shows
/// nowhere else that they came in integers.
void noteDecoded(Value y, llvm::StringRef reason);

/// Rows times the transposed matrix, in floats.
Value multiplyBlocked(GraphBuilder &b, Value x, Value weight);

} // namespace qopt::frontend

#endif // QOPT_LIB_FRONTEND_ONNX_OPS_BLOCKEDCODES_H
