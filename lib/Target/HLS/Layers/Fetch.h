//===- Fetch.h - Elements by numbers that are computed --------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A gather whose indices are no constants.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_HLS_LAYERS_FETCH_H
#define QOPT_LIB_TARGET_HLS_LAYERS_FETCH_H

#include "Convert.h"
#include "qopt/Dialect/QG/IR/QG.h"

namespace qopt::hls {

/// Elements of one row by what a search has found in a row that is no longer:
/// such indices are never out of range.
mlir::FailureOr<mlir::Value> convertFetch(qg::GatherOp op, Streams &streams);

} // namespace qopt::hls

#endif // QOPT_LIB_TARGET_HLS_LAYERS_FETCH_H
