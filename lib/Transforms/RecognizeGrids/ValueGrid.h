//===- ValueGrid.h - Values that can only be some integers ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A network that was trained with rounding says so in arithmetic: Round, Floor
// or integer types, Clip, and a factor. Which numbers a value can have follows
// from the ops that make it; nothing is measured.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TRANSFORMS_RECOGNIZEGRIDS_VALUEGRID_H
#define QOPT_LIB_TRANSFORMS_RECOGNIZEGRIDS_VALUEGRID_H

#include "qopt/Dialect/QG/IR/QG.h"
#include "llvm/ADT/DenseMap.h"

namespace qopt {

struct Remainder;

/// Least and greatest value of the elements, as far as ops say; shaped so that
/// they broadcast to the value. Infinite where nothing is known.
struct Bounds {
  Tensor low, high;
  /// Of all elements.
  std::pair<double, double> getEnds() const;
  bool isFinite() const;
  /// Whether the type holds all values.
  bool isWithin(mlir::IntegerType type) const;
};

/// `value = f32(m * scale)` for integers m in [low, high].
struct ValueGrid {
  float scale = 1;
  int64_t low = 0, high = 0;
  /// Zero point that the file subtracts from what it stores.
  int64_t zeroPoint = 0;
  /// False where the last bit of some values differs.
  bool isExact = true;

  /// The format with the fewest bits that stores `m + zeroPoint`, or `m` where
  /// that needs fewer; null if 16 bits are too few.
  qg::QuantizedType getType(mlir::MLIRContext *context) const;
};

/// The values are whole numbers of a power of two, without bounds.
struct ValueStep {
  double size = 1;
  /// False where the last bit of some differs.
  bool isExact = true;
  /// Such a bit may have kept the modulus from becoming 0.
  bool isOpen = false;
};

/// The one number of a constant with equal elements.
std::optional<double> matchSplatNumber(mlir::Value value);
/// Whether the op moves elements, or takes a maximum of a window: it commutes
/// with an encoding of the tensor that it reads first.
bool keepsGrid(mlir::Operation *op);
/// Facts about values. They hold until ops in front of a value change.
class GridAnalysis {
public:
  /// `readsBytes`: integers that the model is given count as stored ones.
  explicit GridAnalysis(bool readsBytes) : readsBytes(readsBytes) {}

  /// Every element is an integer by the rounding of the file: Round, Floor,
  /// Ceil, conversion to integers. Constants and truth values do not count.
  bool isRounded(mlir::Value value);
  const Bounds &getBounds(mlir::Value value);
  /// The grid of an f32 value; nullopt for one that no rounding of the file
  /// put there.
  std::optional<ValueGrid> getGrid(mlir::Value value);

private:
  bool computeRounded(mlir::Value value);
  Bounds computeBounds(mlir::Value value);
  Bounds computeBinaryBounds(qg::BinaryOp op);
  Bounds getRemainderBounds(const Remainder &remainder);
  std::optional<ValueGrid> computeGrid(mlir::Value value);
  std::optional<ValueGrid> getScaledGrid(qg::BinaryOp op);
  std::optional<ValueStep> getStep(mlir::Value value);
  /// What arithmetic with constants makes of a remainder.
  std::optional<ValueGrid> getWrappedGrid(qg::BinaryOp op);
  std::optional<ValueGrid> getIntegerGrid(mlir::Value value);
  std::optional<ValueGrid> getMeanGrid(qg::PoolOp op);
  std::optional<ValueGrid> getMergedGrid(llvm::ArrayRef<mlir::Value> values);

  bool readsBytes;
  llvm::DenseMap<mlir::Value, bool> rounded;
  llvm::DenseMap<mlir::Value, Bounds> bounds;
  llvm::DenseMap<mlir::Value, std::optional<ValueGrid>> grids;
};

} // namespace qopt

#endif // QOPT_LIB_TRANSFORMS_RECOGNIZEGRIDS_VALUEGRID_H
