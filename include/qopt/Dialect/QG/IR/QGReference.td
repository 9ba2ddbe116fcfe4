//===- QGReference.td - All ops of the dialect, for documentation ---------===//
// SPDX-License-Identifier: Apache-2.0
//
// Composite ops, loops and bits have headers of their own, so QG.td has not.
//===----------------------------------------------------------------------===//
#ifndef QOPT_QG_REFERENCE_TD
#define QOPT_QG_REFERENCE_TD

include "qopt/Dialect/QG/IR/QG.td"
include "qopt/Dialect/QG/IR/QGBitOps.td"
include "qopt/Dialect/QG/IR/QGCompositeOps.td"
include "qopt/Dialect/QG/IR/QGControlOps.td"
include "qopt/Dialect/QG/IR/QGDims.td"

#endif // QOPT_QG_REFERENCE_TD
