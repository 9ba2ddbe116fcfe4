//===- FXP.h - The integer dialect ----------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Exact integer tensor ops; the form every backend starts from.
//===----------------------------------------------------------------------===//
#ifndef QOPT_DIALECT_FXP_IR_FXP_H
#define QOPT_DIALECT_FXP_IR_FXP_H

#include "qopt/Dialect/FXP/IR/StoredValue.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Numerics/FixedPoint.h"

#include "qopt/Dialect/FXP/IR/FXPDialect.h.inc"
#include "qopt/Dialect/FXP/IR/FXPInterfaces.h.inc"
#define GET_ATTRDEF_CLASSES
#include "qopt/Dialect/FXP/IR/FXPAttributes.h.inc"
#define GET_OP_CLASSES
#include "qopt/Dialect/FXP/IR/FXPOps.h.inc"

#endif // QOPT_DIALECT_FXP_IR_FXP_H
