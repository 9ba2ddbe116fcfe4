//===- OpRegistry.h - Which ONNX ops are imported, and by what ------------===//
// SPDX-License-Identifier: Apache-2.0
//
// One row per operator and version whose meaning differs. `qopt ops` prints
// this table; there is no second list.
//===----------------------------------------------------------------------===//
#ifndef QOPT_FRONTEND_ONNX_OPREGISTRY_H
#define QOPT_FRONTEND_ONNX_OPREGISTRY_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/LogicalResult.h"
#include <string>
#include <vector>

namespace qopt::frontend {

class OpBinder;
using OpHandler = llvm::LogicalResult (*)(OpBinder &);

/// Opsets of ai.onnx that the handlers know.
constexpr int64_t kMinOpset = 7, kMaxOpset = 28;

struct OpRow {
  std::string domain, name;
  /// First opset of the domain with this meaning.
  int64_t since;
  /// Null for an op that is refused; `note` then says why.
  OpHandler handler;
  std::string note;
};

class OpRegistry {
public:
  /// Stands for every domain that has no row of that name.
  static constexpr llvm::StringRef kAnyDomain = "*";

  /// All rows; built on first use.
  static const OpRegistry &get();

  /// An op of ai.onnx whose meaning is `handler` from opset `since` on.
  void add(llvm::StringRef name, int64_t since, OpHandler handler,
           llvm::StringRef note = "");
  void add(llvm::StringRef domain, llvm::StringRef name, int64_t since,
           OpHandler handler, llvm::StringRef note = "");
  /// An op that is known and refused.
  void refuse(llvm::StringRef domain, llvm::StringRef name,
              llvm::StringRef reason);

  /// Row with the largest `since` <= opset, or null.
  const OpRow *lookup(llvm::StringRef domain, llvm::StringRef name,
                      int64_t opset) const;
  /// Sorted by domain, name and version.
  llvm::ArrayRef<OpRow> rows() const { return rows_; }

private:
  OpRegistry();
  std::vector<OpRow> rows_;
};

// One function per file of lib/Frontend/ONNX/Ops.
void registerAttentionOps(OpRegistry &registry);
void registerControlFlowOps(OpRegistry &registry);
void registerColumnsOps(OpRegistry &registry);
void registerConvOps(OpRegistry &registry);
void registerDeterminantOps(OpRegistry &registry);
void registerEinsumOps(OpRegistry &registry);
void registerElementwiseOps(OpRegistry &registry);
void registerExpertOps(OpRegistry &registry);
void registerFusedOps(OpRegistry &registry);
void registerFusedProductOps(OpRegistry &registry);
void registerGroupQueryAttentionOps(OpRegistry &registry);
void registerIndexOps(OpRegistry &registry);
void registerIntegerProductOps(OpRegistry &registry);
void registerLinearAttentionOps(OpRegistry &registry);
void registerMLOps(OpRegistry &registry);
void registerMatMulOps(OpRegistry &registry);
void registerMultiHeadAttentionOps(OpRegistry &registry);
void registerNGramOps(OpRegistry &registry);
void registerNormOps(OpRegistry &registry);
void registerPackedWeightOps(OpRegistry &registry);
void registerPoolOps(OpRegistry &registry);
void registerQONNXOps(OpRegistry &registry);
void registerQuantizeOps(OpRegistry &registry);
void registerRandomOps(OpRegistry &registry);
void registerRecurrentOps(OpRegistry &registry);
void registerReduceOps(OpRegistry &registry);
void registerResizeOps(OpRegistry &registry);
void registerReverseSequenceOps(OpRegistry &registry);
void registerSamplingOps(OpRegistry &registry);
void registerScatterOps(OpRegistry &registry);
void registerSelectionOps(OpRegistry &registry);
void registerSequenceOps(OpRegistry &registry);
void registerShapeOps(OpRegistry &registry);
void registerSignalOps(OpRegistry &registry);
void registerSliceOps(OpRegistry &registry);
void registerSupportVectorOps(OpRegistry &registry);
void registerTrainingOps(OpRegistry &registry);
void registerTreeEnsembleOps(OpRegistry &registry);

} // namespace qopt::frontend

#endif // QOPT_FRONTEND_ONNX_OPREGISTRY_H
