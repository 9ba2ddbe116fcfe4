//===- LinalgBuilder.h - Short spellings of linalg.generic ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What the lowerings of qg and fxp to linalg share: elementwise and window
// loops, constants, padding, 1-d views.
//===----------------------------------------------------------------------===//
#ifndef QOPT_CONVERSION_LINALGBUILDER_H
#define QOPT_CONVERSION_LINALGBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "qopt/Support/Tensor.h"

namespace qopt {

/// Elements of the operands (inputs, then the accumulator if there is one) to
/// the element of the result.
using ScalarBody = llvm::function_ref<mlir::Value(
    mlir::OpBuilder &, mlir::Location, mlir::ValueRange)>;

/// Builder plus location: one object to pass around.
struct LinalgBuilder {
  mlir::OpBuilder &b;
  mlir::Location loc;

  mlir::Value index(int64_t value);
  /// Integer or float scalar constant of a type.
  mlir::Value integer(mlir::Type type, int64_t value);
  mlir::Value real(mlir::Type type, double value);
  /// arith.constant of a host array (signless storage type of its dtype).
  mlir::Value constant(const Tensor &tensor, llvm::StringRef hint = "c");

  mlir::Value empty(llvm::ArrayRef<int64_t> shape, mlir::Type element);
  mlir::Value fill(llvm::ArrayRef<int64_t> shape, mlir::Value scalar);

  /// All-parallel loops over `shape`; operands broadcast as NumPy does.
  mlir::Value pointwise(llvm::ArrayRef<int64_t> shape, mlir::Type element,
                        mlir::ValueRange operands, ScalarBody body);
  /// All-parallel loops over `shape`, operands read through `maps`.
  mlir::Value gather(llvm::ArrayRef<int64_t> shape, mlir::Type element,
                     mlir::ValueRange operands,
                     llvm::ArrayRef<mlir::AffineMap> maps, ScalarBody body);
  /// Loops that update `init` (read through the last map).
  mlir::Value reduce(mlir::ValueRange operands, mlir::Value init,
                     llvm::ArrayRef<mlir::AffineMap> maps,
                     llvm::ArrayRef<mlir::utils::IteratorType> iterators,
                     ScalarBody body);

  /// Same elements in row-major order under another shape.
  mlir::Value reshape(mlir::Value x, llvm::ArrayRef<int64_t> shape);
  /// Permutation at compile time for constants, loops otherwise.
  mlir::Value transpose(mlir::Value x, llvm::ArrayRef<int64_t> permutation);
  /// Elements of value `scalar` added around `x`; negative amounts crop.
  mlir::Value pad(mlir::Value x, llvm::ArrayRef<int64_t> low,
                  llvm::ArrayRef<int64_t> high, mlir::Value scalar);
};

/// The array behind an arith.constant or qg.constant.
std::optional<Tensor> matchHostConstant(mlir::Value value);

/// Map of an operand of `shape` that is broadcast to `rank` dimensions.
mlir::AffineMap getBroadcastMap(mlir::MLIRContext *context,
                                llvm::ArrayRef<int64_t> shape,
                                llvm::ArrayRef<int64_t> result);

/// Window loops `(n, p..., k..., tail...)`: `x` is `[N, s..., xTail...]`.
struct WindowLoops {
  llvm::SmallVector<int64_t> kernel, strides, pads, dilations;
  /// Position `p` and tap `k` read `(p + pad - k * dilation) / stride` where
  /// that is an integer, instead of `p * stride + k * dilation - pad`.
  bool transposed = false;
  llvm::SmallVector<mlir::utils::IteratorType> tail;
  /// Dimensions of x behind the spatial ones, as indices into `tail`.
  llvm::SmallVector<unsigned> xTail;

  unsigned getSpatialRank() const { return kernel.size(); }
  unsigned getRank() const { return 1 + 2 * getSpatialRank() + tail.size(); }
  bool hasPadding() const;
  /// Dimension numbers of the loops.
  unsigned getPosition(unsigned i) const { return 1 + i; }
  unsigned getTap(unsigned i) const { return 1 + getSpatialRank() + i; }
  unsigned getTail(unsigned i) const { return 1 + 2 * getSpatialRank() + i; }
};

/// What window loops read and update, with the loop dimensions of each.
struct WindowOperands {
  mlir::Value x;
  mlir::Value init;
  llvm::ArrayRef<unsigned> initDims;
  mlir::Value weight = {}; ///< may be null
  llvm::ArrayRef<unsigned> weightDims = {};
};

/// Updates `init` with the window of `x` and the weight. Taps outside `x` are
/// skipped. The body's arguments are the element of x, that of the weight, and
/// the accumulator.
mlir::Value buildWindow(LinalgBuilder &builder, const WindowLoops &loops,
                        const WindowOperands &operands, ScalarBody body);

} // namespace qopt

#endif // QOPT_CONVERSION_LINALGBUILDER_H
