//===- QGBits.h - Bits seen as numbers of another kind --------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Apart from QG.h, so that the ops rebuild what knows them only.
//===----------------------------------------------------------------------===//
#ifndef QOPT_DIALECT_QG_IR_QGBITS_H
#define QOPT_DIALECT_QG_IR_QGBITS_H

#include "qopt/Dialect/QG/IR/QG.h"

#define GET_OP_CLASSES
#include "qopt/Dialect/QG/IR/QGBitOps.h.inc"

#endif // QOPT_DIALECT_QG_IR_QGBITS_H
