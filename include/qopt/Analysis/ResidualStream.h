//===- ResidualStream.h - Normalized sums and who reads and writes them ---===//
// SPDX-License-Identifier: Apache-2.0
//
// A transformer keeps one tensor to which every block adds and which every
// block reads through a normalization. The basis of its channels is free: what
// writes it may rotate, if what reads it rotates back.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ANALYSIS_RESIDUALSTREAM_H
#define QOPT_ANALYSIS_RESIDUALSTREAM_H

#include "qopt/Dialect/QG/IR/QG.h"

namespace qopt {

/// y = (x - mean(x)) / sqrt(mean((x - mean(x))^2) + eps) over the last
/// dimension, or the same without the mean (RMS normalization).
struct Normalization {
  mlir::Value x;
  /// The op that subtracts the mean; null for RMS normalization.
  qg::BinaryOp center;
  /// The op that gives y.
  qg::BinaryOp result;
  /// Everything from x to y.
  llvm::SmallPtrSet<mlir::Operation *, 12> ops;

  static std::optional<Normalization> match(qg::BinaryOp result);
};

/// A linear op that reads gamma * y + beta, by channel.
struct StreamReader {
  LinearOpInterface linear;
  /// The op that gives y.
  mlir::Operation *norm;
  llvm::SmallVector<double> gamma, beta;
};

/// A maximal set of tensors of one channel count that are joined by additions
/// and read by normalizations.
struct ResidualStream {
  int64_t channels = 0;
  llvm::SmallVector<Normalization> norms;
  /// Additions and reshapes inside.
  llvm::SetVector<mlir::Operation *> inside;
  /// Linear ops whose result is read only here: rotations fold into them.
  llvm::SmallVector<LinearOpInterface> writers;
  /// Constants that are added: rotations fold into them.
  llvm::SmallVector<qg::ConstantOp> constants;
  /// Other tensors that enter: each needs a rotation at run time.
  llvm::SetVector<mlir::Value> entries;
  llvm::SmallVector<StreamReader> readers;
  /// Scalings between a normalization and its readers; they fold into these.
  llvm::SetVector<mlir::Operation *> scalings;
  /// The op that needs the stream in its own basis, and why; null if none.
  mlir::Operation *obstacle = nullptr;
  std::string reason;

  bool isCentered() const { return norms.front().center != nullptr; }
  /// Whether this op's operand is a tensor of the stream.
  bool reads(mlir::Operation *op) const;
};

/// Numbers by channel of a float constant that differs at most in its last
/// dimension; `rank` is the rank it is broadcast to.
std::optional<llvm::SmallVector<double>>
matchChannelVector(mlir::Value value, int64_t channels, int64_t rank);

/// All streams of a function, in the order of their first normalization.
std::vector<ResidualStream> findResidualStreams(mlir::func::FuncOp func);

} // namespace qopt

#endif // QOPT_ANALYSIS_RESIDUALSTREAM_H
