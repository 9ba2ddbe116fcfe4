//===- Shapes.h - Shape rules of qg and fxp ops ---------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Result shapes, computed once: verifiers compare with them, builders and the
// importer call them. Every function fails through `emitError`.
//===----------------------------------------------------------------------===//
#ifndef QOPT_DIALECT_QG_IR_SHAPES_H
#define QOPT_DIALECT_QG_IR_SHAPES_H

#include "mlir/IR/Diagnostics.h"
#include "mlir/Support/LLVM.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace qopt::qg {

using Shape = llvm::SmallVector<int64_t>;
using EmitError = llvm::function_ref<mlir::InFlightDiagnostic()>;

/// Geometry of a window op; one entry per spatial dimension, `pads` two.
struct Window {
  llvm::ArrayRef<int64_t> kernel, strides, pads, dilations;
  llvm::ArrayRef<int64_t> outputPadding = {}; ///< of a transposed convolution
};

/// `[N, s..., C]` -> spatial result extents: floor((s + pads - d*(k-1) - 1) /
/// stride) + 1.
mlir::FailureOr<Shape> inferWindowShape(llvm::ArrayRef<int64_t> x,
                                        const Window &window, EmitError error);
mlir::FailureOr<Shape> inferConvShape(llvm::ArrayRef<int64_t> x,
                                      llvm::ArrayRef<int64_t> weight,
                                      const Window &window, int64_t groups,
                                      EmitError error);
mlir::FailureOr<Shape> inferConvTransposeShape(llvm::ArrayRef<int64_t> x,
                                               llvm::ArrayRef<int64_t> weight,
                                               const Window &window,
                                               int64_t groups, EmitError error);
mlir::FailureOr<Shape> inferMatmulShape(llvm::ArrayRef<int64_t> lhs,
                                        llvm::ArrayRef<int64_t> rhs,
                                        bool transposeRhs, EmitError error);
/// NumPy broadcasting of any number of shapes.
mlir::FailureOr<Shape>
inferBroadcastShape(llvm::ArrayRef<llvm::ArrayRef<int64_t>> shapes,
                    EmitError error);
mlir::FailureOr<Shape> inferReduceShape(llvm::ArrayRef<int64_t> x,
                                        llvm::ArrayRef<int64_t> axes,
                                        EmitError error);
mlir::FailureOr<Shape> inferTransposeShape(llvm::ArrayRef<int64_t> x,
                                           llvm::ArrayRef<int64_t> permutation,
                                           EmitError error);
mlir::FailureOr<Shape>
inferConcatShape(llvm::ArrayRef<llvm::ArrayRef<int64_t>> shapes, int64_t axis,
                 EmitError error);
mlir::FailureOr<Shape> inferGatherShape(llvm::ArrayRef<int64_t> x,
                                        llvm::ArrayRef<int64_t> indices,
                                        int64_t axis, EmitError error);
mlir::FailureOr<Shape> inferPadShape(llvm::ArrayRef<int64_t> x,
                                     llvm::ArrayRef<int64_t> low,
                                     llvm::ArrayRef<int64_t> high,
                                     EmitError error);

} // namespace qopt::qg

#endif // QOPT_DIALECT_QG_IR_SHAPES_H
