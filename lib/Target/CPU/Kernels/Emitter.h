//===- Emitter.h - Loops, flat views and vectors for kernel lowerings -----===//
// SPDX-License-Identifier: Apache-2.0
//
// Kernels address memory as flat arrays with explicit index arithmetic, so that
// what is loop-invariant is emitted outside the loop and nothing has to be
// hoisted afterwards.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_CPU_KERNELS_EMITTER_H
#define QOPT_LIB_TARGET_CPU_KERNELS_EMITTER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"

namespace qopt::qcpu {

/// A memref of static strides as a flat array; strides in elements.
struct FlatView {
  mlir::Value memref;
  mlir::Type element;
  llvm::SmallVector<int64_t> shape, strides;
};

/// The attribute of a loop whose iterations are independent and may run in any
/// order and on any thread: the unit of work the CPU target splits.
constexpr llvm::StringLiteral kParallelAttr = "qopt.parallel";
/// Least iterations worth a thread.
constexpr llvm::StringLiteral kGrainAttr = "qopt.grain";

class Emitter {
public:
  Emitter(mlir::OpBuilder &builder, mlir::Location loc)
      : builder(builder), loc(loc) {}

  using Body = llvm::function_ref<void(mlir::Value)>;
  using ReduceBody = llvm::function_ref<llvm::SmallVector<mlir::Value>(
      mlir::Value, mlir::ValueRange)>;

  mlir::Value index(int64_t value);
  mlir::Value add(mlir::Value lhs, mlir::Value rhs);
  mlir::Value add(mlir::Value lhs, int64_t rhs);
  mlir::Value mul(mlir::Value lhs, int64_t rhs);
  /// Quotient and remainder by a constant; no code for trivial ones.
  std::pair<mlir::Value, mlir::Value> divide(mlir::Value value, int64_t by,
                                             int64_t bound);

  /// `for (iv = 0; iv < count; iv += 1)`; no loop if count is 1.
  void loop(int64_t count, Body body);
  void loop(mlir::Value low, mlir::Value high, int64_t step, Body body);
  /// `work`: products (or moved elements) of one iteration.
  void parallelLoop(int64_t count, int64_t work, Body body);
  llvm::SmallVector<mlir::Value> reduce(int64_t count, mlir::ValueRange inits,
                                        ReduceBody body);

  /// Fails for memrefs whose strides are not static.
  mlir::FailureOr<FlatView> flatten(mlir::Value memref);
  /// Sets `view` to an operand whose last dimension is contiguous; an error for
  /// what is none.
  mlir::LogicalResult readRows(mlir::Value operand, FlatView &view);

  mlir::Value load(const FlatView &view, mlir::Value index, int64_t lanes);
  void store(mlir::Value vector, const FlatView &view, mlir::Value index);
  mlir::Value broadcast(mlir::Value scalar, int64_t lanes);
  mlir::Value loadScalar(const FlatView &view, mlir::Value index);
  /// The first `valid` of `lanes` lanes, the others zero; touches no other
  /// element. Pieces of 2^n lanes: masked byte accesses are slow without
  /// AVX-512.
  mlir::Value loadPieces(const FlatView &view, mlir::Value index, int64_t lanes,
                         int64_t valid);
  void storePieces(mlir::Value vector, const FlatView &view, mlir::Value index,
                   int64_t valid);
  /// One vector of all lanes, in order.
  mlir::Value concat(llvm::ArrayRef<mlir::Value> vectors);
  /// 1-D vector type.
  mlir::VectorType vec(int64_t lanes, mlir::Type element);
  mlir::Value splat(mlir::VectorType type, mlir::Attribute value);
  mlir::Value zero(mlir::VectorType type);

  /// Vector form of a scalar region (its first block's operations).
  /// `roundToInt`: fptosi(roundeven(x)) is one instruction of the target.
  mlir::Value vectorize(mlir::Block &body, mlir::ValueRange arguments,
                        bool roundToInt);

  mlir::OpBuilder &builder;
  mlir::Location loc;
};

} // namespace qopt::qcpu

#endif // QOPT_LIB_TARGET_CPU_KERNELS_EMITTER_H
