//===- HLS.h - Streaming dataflow graphs ----------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Units of hardware connected by streams, between fxp and HLS C++.
//===----------------------------------------------------------------------===//
#ifndef QOPT_DIALECT_HLS_IR_HLS_H
#define QOPT_DIALECT_HLS_IR_HLS_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "qopt/Dialect/HLS/IR/HLSDialect.h.inc"
#define GET_TYPEDEF_CLASSES
#include "qopt/Dialect/HLS/IR/HLSTypes.h.inc"
#define GET_OP_CLASSES
#include "qopt/Dialect/HLS/IR/HLSOps.h.inc"

namespace qopt::hls {

/// The narrowest `si` or `ui` type that holds every integer of [low, high].
mlir::IntegerType getNarrowestType(mlir::MLIRContext *context, int64_t low,
                                   int64_t high);

/// A window along one dimension.
struct WindowAxis {
  int64_t kernel, stride, padLow, padHigh, dilation;

  /// Its positions on that many pixels.
  int64_t getOutput(int64_t input) const;
};

} // namespace qopt::hls

#endif // QOPT_DIALECT_HLS_IR_HLS_H
