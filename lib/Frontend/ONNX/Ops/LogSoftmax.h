//===- LogSoftmax.h - Logarithms of softmax -------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Shared by the operator and the losses.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_FRONTEND_ONNX_OPS_LOGSOFTMAX_H
#define QOPT_LIB_FRONTEND_ONNX_OPS_LOGSOFTMAX_H

#include "qopt/Frontend/ONNX/OpBinder.h"

namespace qopt::frontend {

/// log(softmax(x)) along `axis`, no exponential of which overflows.
Value logSoftmax(OpBinder &op, Value x, int64_t axis);

} // namespace qopt::frontend

#endif // QOPT_LIB_FRONTEND_ONNX_OPS_LOGSOFTMAX_H
