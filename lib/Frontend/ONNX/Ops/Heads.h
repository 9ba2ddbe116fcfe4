//===- Heads.h - Rows of all heads, and one matrix for each head ----------===//
// SPDX-License-Identifier: Apache-2.0
//
// What ONNX Runtime's forms of attention share.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_FRONTEND_ONNX_OPS_HEADS_H
#define QOPT_LIB_FRONTEND_ONNX_OPS_HEADS_H

#include "qopt/Frontend/ONNX/OpBinder.h"

namespace qopt::frontend {

/// [B, S, heads * D] -> [B, heads, S, D]; any other form is reported.
Value toHeads(GraphBuilder &b, Value x, int64_t heads);

/// [B, heads, S, D] -> [B, S, heads * D].
Value fromHeads(GraphBuilder &b, Value x);

} // namespace qopt::frontend

#endif // QOPT_LIB_FRONTEND_ONNX_OPS_HEADS_H
