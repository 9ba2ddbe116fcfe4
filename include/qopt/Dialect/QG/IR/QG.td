//===- QG.td - Ops that are no composites ----------------------------------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_QG_TD
#define QOPT_QG_TD

include "qopt/Dialect/QG/IR/QGLinearOps.td"
include "qopt/Dialect/QG/IR/QGElementwiseOps.td"
include "qopt/Dialect/QG/IR/QGShapeOps.td"
include "qopt/Dialect/QG/IR/QGPositionOps.td"
include "qopt/Dialect/QG/IR/QGSelectionOps.td"
include "qopt/Dialect/QG/IR/QGQuantOps.td"

#endif // QOPT_QG_TD
