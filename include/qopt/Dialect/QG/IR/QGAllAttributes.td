//===- QGAllAttributes.td - What the dialect parses and registers ---------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_QG_ALL_ATTRIBUTES_TD
#define QOPT_QG_ALL_ATTRIBUTES_TD

include "qopt/Dialect/QG/IR/QGAttributes.td"
include "qopt/Dialect/QG/IR/QGDims.td"

#endif // QOPT_QG_ALL_ATTRIBUTES_TD
