//===- Window.h - Windows of ONNX convolutions and pools ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// strides, pads, dilations, auto_pad and ceil_mode as explicit numbers.
//===----------------------------------------------------------------------===//
#ifndef QOPT_FRONTEND_ONNX_WINDOW_H
#define QOPT_FRONTEND_ONNX_WINDOW_H

#include "qopt/Frontend/ONNX/OpBinder.h"

namespace qopt::frontend {

/// Window of a node over spatial extents `spatial`; nothing, and a report, if
/// the attributes do not fit. With `ceil_mode` the trailing pads grow.
std::optional<WindowSpec> readWindow(OpBinder &op, ArrayRef<int64_t> spatial,
                                     ArrayRef<int64_t> kernel);

/// Pads that keep or centre a result of `extent` (SAME_UPPER/SAME_LOWER).
std::pair<int64_t, int64_t> splitPadding(int64_t total, bool upper);

/// The window of a Conv-like node; reports operands that do not fit.
std::optional<WindowSpec> readConvWindow(OpBinder &op, Value x, Value weight);

/// Convolution of NCHW operands, all layouts changed inside.
Value buildConv(OpBinder &op, Value x, Value weight, Value bias);

} // namespace qopt::frontend

#endif // QOPT_FRONTEND_ONNX_WINDOW_H
