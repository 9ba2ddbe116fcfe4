//===- Export.h - qg back to standard ONNX --------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A float or QDQ graph (float ops with qg.quantize and qg.dequantize) as an
// ONNX model that other runtimes execute.
//===----------------------------------------------------------------------===//
#ifndef QOPT_EXPORT_ONNX_EXPORT_H
#define QOPT_EXPORT_ONNX_EXPORT_H

#include "mlir/IR/BuiltinOps.h"
#include <string>

namespace qopt {

/// The bytes of a model (opset 18, opset 21 if it has 16-bit encodings) that
/// computes `@main`. Spatial ops become channels-first again; the transposes
/// that this needs cancel inside a network. Fails with a diagnostic on the op
/// that standard ONNX can not express.
mlir::FailureOr<std::string> exportOnnx(mlir::ModuleOp module);

} // namespace qopt

#endif // QOPT_EXPORT_ONNX_EXPORT_H
