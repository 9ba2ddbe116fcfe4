//===- Exporter.h - Values, orders and the ops that read them -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Every value is held under some order of its dimensions and transposed only
// when a node needs another one: qg.transpose costs nothing by itself, spatial
// ops leave their results channels-first, and what can follow does.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_EXPORT_ONNX_EXPORTER_H
#define QOPT_LIB_EXPORT_ONNX_EXPORTER_H

#include "GraphWriter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Analysis/LayoutRules.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "llvm/ADT/DenseMap.h"

namespace qopt {

class Exporter {
public:
  explicit Exporter(::onnx::GraphProto &graph) : writer(graph) {}

  llvm::LogicalResult run(mlir::func::FuncOp function,
                          ::onnx::GraphProto &graph);
  /// Whether an encoding was met that needs opset 21.
  bool needsNewOpset() const { return has16Bits; }

private:
  using Names = llvm::SmallVector<std::string, 3>;

  /// A tensor of the graph and the order it lies in.
  struct Stored {
    std::string name;
    Permutation order;
  };

  // Exporter.cpp: layouts.
  llvm::LogicalResult writeOp(mlir::Operation *op);
  llvm::LogicalResult writeFollowing(mlir::Operation *op);
  OpLayout chooseLayout(mlir::Operation *op);
  /// Name of `value` in `order`, transposed if it lies otherwise.
  std::string get(mlir::Value value, llvm::ArrayRef<int64_t> order);
  std::string get(mlir::Value value);
  std::string getBroadcast(mlir::Value value, llvm::ArrayRef<int64_t> order);
  std::optional<std::string> getConstant(mlir::Value value,
                                         llvm::ArrayRef<int64_t> order);
  void set(mlir::Value value, std::string name, llvm::ArrayRef<int64_t> order);
  llvm::LogicalResult checkTypes(mlir::Operation *op);

  // Quantize.cpp
  std::string writeQuantize(std::string input, qg::QuantizedType type,
                            int64_t axis, llvm::StringRef name);
  /// `trailing`: dimensions behind `axis`.
  std::string writeDequantize(std::string input, qg::QuantizedType type,
                              int64_t axis, int64_t trailing,
                              llvm::StringRef name);
  Names writeParameters(qg::QuantizedType type, llvm::StringRef name);
  /// DequantizeLinear of a constant, whose integers it chooses the type of.
  std::string writeStoredConstant(const Tensor &stored, qg::QuantizedType type,
                                  int64_t axis, llvm::StringRef name);
  /// What DequantizeLinear does not do: integers of 32 bits with zero points.
  std::string writeWideDequantize(std::string input, qg::QuantizedType type,
                                  int64_t trailing, llvm::StringRef name);

  // Movement.cpp
  std::optional<std::string> writeBoundary(mlir::Operation *op,
                                           llvm::ArrayRef<int64_t> order,
                                           const std::string &input);

  // Elementwise.cpp: null names mean that a diagnostic was emitted.
  std::optional<std::string> writeUnary(qg::UnaryOp op, std::string x);
  std::optional<std::string> writeBinary(qg::BinaryOp op, std::string lhs,
                                         std::string rhs);
  std::string writeCompare(qg::CompareOp op, std::string lhs, std::string rhs);

  // Movement.cpp: ops that follow an order.
  std::optional<std::string> writeMovement(mlir::Operation *op,
                                           const OpLayout &layout,
                                           llvm::ArrayRef<std::string> inputs);
  std::optional<std::string> writePad(qg::PadOp op, const OpLayout &layout,
                                      llvm::ArrayRef<std::string> inputs);
  std::string writeSlice(qg::SliceOp op, const OpLayout &layout,
                         std::string input);
  std::string writeReduce(mlir::Operation *op, const OpLayout &layout,
                          std::string input);

  // Positions.cpp
  std::optional<std::string> writeResize(qg::ResizeOp op,
                                         const OpLayout &layout,
                                         const std::string &input);
  std::string writeScatter(qg::ScatterOp op,
                           llvm::ArrayRef<std::string> inputs);

  // Linear.cpp: ops with an order of their own.
  std::string getBias(mlir::Operation *op, mlir::Value x, mlir::Value weight,
                      mlir::Value bias, int64_t weightAxis);
  llvm::LogicalResult writeConv(qg::ConvOp op);
  llvm::LogicalResult writeConvTranspose(qg::ConvTransposeOp op);
  llvm::LogicalResult writePool(qg::PoolOp op);
  llvm::LogicalResult writeMatmul(qg::MatmulOp op);

  GraphWriter writer;
  llvm::DenseMap<mlir::Value, Stored> stored;
  /// Every form in which a value is already there.
  llvm::DenseMap<mlir::Value, llvm::SmallVector<Stored, 2>> forms;
  bool has16Bits = false;
};

/// [N, s..., C] -> [N, C, s...] and for weights [O, k..., C] -> [O, C, k...].
Permutation getChannelsFirst(int64_t rank);

} // namespace qopt

#endif // QOPT_LIB_EXPORT_ONNX_EXPORTER_H
