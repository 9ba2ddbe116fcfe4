//===- WindowPositions.h - Which elements a window reads ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Windows as tables of positions, for what does not sum over them.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_FRONTEND_ONNX_OPS_WINDOWPOSITIONS_H
#define QOPT_LIB_FRONTEND_ONNX_OPS_WINDOWPOSITIONS_H

#include "qopt/Frontend/ONNX/GraphBuilder.h"

namespace qopt::frontend {

struct WindowPositions {
  int64_t taps; ///< elements of the kernel
  /// [outputs * taps]: row-major positions in the image, -1 for those outside.
  llvm::SmallVector<int64_t, 0> positions;
};

/// The elements of an image of extents `spatial` that each of `outputs`
/// windows reads.
WindowPositions getWindowPositions(ArrayRef<int64_t> spatial,
                                   const WindowSpec &window,
                                   ArrayRef<int64_t> outputs);

/// A row-major position counted with the first dimension innermost.
int64_t getColumnMajor(int64_t position, ArrayRef<int64_t> shape);

} // namespace qopt::frontend

#endif // QOPT_LIB_FRONTEND_ONNX_OPS_WINDOWPOSITIONS_H
