//===- HLS.h - Streaming dataflow graphs ----------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Units of hardware connected by streams, between fxp and HLS C++.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TARGET_HLS_IR_HLS_H
#define QOPT_TARGET_HLS_IR_HLS_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include <memory>

namespace qopt::hls {

class Conversions;
class Unit;

/// Ends a unit whose class only Target/HLS knows.
struct DeleteUnit {
  void operator()(Unit *unit) const;
};
/// The hardware of an op.
using UnitPtr = std::unique_ptr<Unit, DeleteUnit>;

} // namespace qopt::hls

#include "qopt/Target/HLS/IR/HLSDialect.h.inc"
#include "qopt/Target/HLS/IR/HLSInterfaces.h.inc"
#define GET_TYPEDEF_CLASSES
#include "qopt/Target/HLS/IR/HLSTypes.h.inc"
#define GET_OP_CLASSES
#include "qopt/Target/HLS/IR/HLSOps.h.inc"

#endif // QOPT_TARGET_HLS_IR_HLS_H
