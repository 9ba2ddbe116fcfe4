//===- Source.h - Stored tables as streams --------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Units of two operands read streams; a constant becomes one.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_HLS_LAYERS_SOURCE_H
#define QOPT_LIB_TARGET_HLS_LAYERS_SOURCE_H

#include "qopt/Target/HLS/IR/HLS.h"

namespace qopt::hls {

/// `stream` again and again, `count` times a frame, where it is a table and
/// `block` elements are all of it; else null.
mlir::Value repeatSource(mlir::OpBuilder &builder, mlir::Value stream,
                         int64_t block, int64_t count);

} // namespace qopt::hls

#endif // QOPT_LIB_TARGET_HLS_LAYERS_SOURCE_H
