//===- StoredIntegers.h - Grid values as quantized tensors ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What a value on a grid is stored as, in the ops that were meant: the Clip
// behind a rounding is its saturation, a Pad of integers pads stored integers.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TRANSFORMS_RECOGNIZEGRIDS_STOREDINTEGERS_H
#define QOPT_LIB_TRANSFORMS_RECOGNIZEGRIDS_STOREDINTEGERS_H

#include "ValueGrid.h"

namespace qopt {

/// Makes quantized tensors of values on one grid. Each gives back the value it
/// is made from when it is dequantized, bit by bit.
class StoredIntegers {
public:
  StoredIntegers(mlir::OpBuilder &builder, GridAnalysis &analysis,
                 qg::QuantizedType type)
      : builder(builder), analysis(analysis), type(type) {}

  /// Of a real value on the grid of `type`.
  mlir::Value encode(mlir::Value value);

private:
  /// Integers m + `offset`, and the range that m was cut to behind them.
  struct Integers {
    mlir::Value value;
    double offset = 0;
    double low = -INFINITY, high = INFINITY;
    void raiseLow(double bound);
    void lowerHigh(double bound);
  };
  std::optional<Integers> matchDecoded(mlir::Value value);
  bool skipCast(Integers &integers);
  bool skipStep(Integers &integers);
  mlir::Value encodeIntegers(Integers integers);
  /// `round(x / scale)` as quantize; null if `rounded` is something else.
  mlir::Value encodeRounding(const Integers &integers);
  /// Ops that select among integers; null for others.
  mlir::Value encodeSelection(const Integers &integers);
  mlir::Value encodeMove(mlir::Operation *op, double offset);
  mlir::Value encodeArgument(const Integers &integers);
  /// f32(m * scale), rounded to where it lies already.
  mlir::Value snap(mlir::Value value);
  mlir::Value quantize(mlir::Value real, double low, double high);
  mlir::Value dequantize(mlir::Value stored);
  mlir::Value constant(const Tensor &integers, double offset);
  bool covers(double low, double high) const;

  mlir::OpBuilder &builder;
  GridAnalysis &analysis;
  qg::QuantizedType type;
  /// What is encoded, and arguments that become quantized if all goes well.
  mlir::Value root;
  llvm::SmallVector<mlir::BlockArgument> arguments;
};

} // namespace qopt

#endif // QOPT_LIB_TRANSFORMS_RECOGNIZEGRIDS_STOREDINTEGERS_H
