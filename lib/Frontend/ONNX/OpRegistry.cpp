//===- OpRegistry.cpp - Which ONNX ops are imported, and by what ----------===//
// SPDX-License-Identifier: Apache-2.0
//
// Look-up of handlers by domain, name and version.
//===----------------------------------------------------------------------===//
#include "qopt/Frontend/ONNX/OpRegistry.h"

#include "llvm/ADT/STLExtras.h"
#include <tuple>

using namespace qopt::frontend;

OpRegistry::OpRegistry() {
  registerAttentionOps(*this);
  registerControlFlowOps(*this);
  registerColumnsOps(*this);
  registerConvOps(*this);
  registerDeterminantOps(*this);
  registerEinsumOps(*this);
  registerElementwiseOps(*this);
  registerExpertOps(*this);
  registerFusedOps(*this);
  registerFusedProductOps(*this);
  registerGroupQueryAttentionOps(*this);
  registerIndexOps(*this);
  registerIntegerProductOps(*this);
  registerLinearAttentionOps(*this);
  registerMLOps(*this);
  registerMatMulOps(*this);
  registerMultiHeadAttentionOps(*this);
  registerNGramOps(*this);
  registerNormOps(*this);
  registerPackedWeightOps(*this);
  registerPoolOps(*this);
  registerQONNXOps(*this);
  registerQuantizeOps(*this);
  registerRandomOps(*this);
  registerRecurrentOps(*this);
  registerReduceOps(*this);
  registerResizeOps(*this);
  registerReverseSequenceOps(*this);
  registerSamplingOps(*this);
  registerScatterOps(*this);
  registerSelectionOps(*this);
  registerSequenceOps(*this);
  registerShapeOps(*this);
  registerSignalOps(*this);
  registerSliceOps(*this);
  registerSupportVectorOps(*this);
  registerTrainingOps(*this);
  registerTreeEnsembleOps(*this);
  llvm::sort(rows_, [](const OpRow &a, const OpRow &b) {
    return std::tie(a.domain, a.name, a.since) <
           std::tie(b.domain, b.name, b.since);
  });
}

const OpRegistry &OpRegistry::get() {
  static const OpRegistry registry;
  return registry;
}

void OpRegistry::add(llvm::StringRef name, int64_t since, OpHandler handler,
                     llvm::StringRef note) {
  add("", name, since, handler, note);
}

void OpRegistry::add(llvm::StringRef domain, llvm::StringRef name,
                     int64_t since, OpHandler handler, llvm::StringRef note) {
  rows_.push_back({domain.str(), name.str(), since, handler, note.str()});
}

void OpRegistry::refuse(llvm::StringRef domain, llvm::StringRef name,
                        llvm::StringRef reason) {
  rows_.push_back({domain.str(), name.str(), 1, nullptr, reason.str()});
}

const OpRow *OpRegistry::lookup(llvm::StringRef domain, llvm::StringRef name,
                                int64_t opset) const {
  const OpRow *best = nullptr;
  for (const OpRow &row : rows_)
    if (domain == row.domain && name == row.name && row.since <= opset)
      best = &row;
  if (!best && domain != kAnyDomain && !domain.empty())
    return lookup(kAnyDomain, name, opset);
  return best;
}
