//===- QuantizeDynamic.cpp - Products whose rows are rounded at run time --===//
// SPDX-License-Identifier: Apache-2.0
//
// Activations of transformers differ from token to token by more than one
// range can hold, and their ranges need data. A scale per row, taken when the
// row is there, needs neither: only weights are rounded beforehand.
//===----------------------------------------------------------------------===//
#include "AssignWeights.h"
#include "TensorGraph.h"
#include "qopt/Assignment/Passes.h"

#include <limits>

namespace qopt {
#define GEN_PASS_DEF_QUANTIZEDYNAMIC
#include "qopt/Assignment/Passes.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// Why a linear op stays float; empty if it need not.
static StringRef getReason(Operation *op) {
  auto matmul = dyn_cast<qg::MatmulOp>(op);
  if (!matmul)
    return "only matrix products are rounded at run time";
  auto isF32 = [](Value value) {
    return !value ||
           cast<RankedTensorType>(value.getType()).getElementType().isF32();
  };
  if (!isF32(matmul.getLhs()) || !isF32(matmul.getRhs()) ||
      !isF32(matmul.getBias()) || !isF32(matmul.getResult()))
    return "only f32 products are rounded at run time";
  if (!qg::matchConstant(matmul.getRhs()))
    return "no operand is constant";
  if (cast<RankedTensorType>(matmul.getRhs().getType()).getRank() != 2)
    return "the constant is no single matrix";
  if (matmul.getBias() && !qg::matchConstant(matmul.getBias()))
    return "the bias is computed at run time";
  return "";
}

namespace {
struct QuantizeDynamic : qopt::impl::QuantizeDynamicBase<QuantizeDynamic> {
  using QuantizeDynamicBase::QuantizeDynamicBase;

  void runOnOperation() override {
    std::optional<WeightFormat> format = WeightFormat::parse(weightFormat);
    if (!format) {
      getOperation().emitError()
          << "weight-format: expected " << getWeightFormatNames() << ", got '"
          << weightFormat << "'";
      return signalPassFailure();
    }
    for (Operation &op : llvm::make_early_inc_range(
             getOperation().getBody().front().getOperations()))
      if (isLinear(&op) && failed(rewrite(&op, *format)))
        return signalPassFailure();
  }

  LogicalResult rewrite(Operation *op, const WeightFormat &format) {
    OpBuilder builder(op);
    if (StringRef reason = getReason(op); !reason.empty()) {
      op->setAttr("qg.float_reason", builder.getStringAttr(reason));
      return success();
    }
    auto matmul = cast<qg::MatmulOp>(op);
    // Biases stay f32: no input scale is too small for them.
    FailureOr<qg::QuantizedType> type =
        getWeightEncoding(op, format, std::numeric_limits<double>::infinity());
    if (failed(type))
      return failure();
    Value weight = createRoundedWeight(builder, matmul.getRhs(), *type);
    auto product = qg::DynamicMatmulOp::create(
        builder, op->getLoc(), matmul.getType(), matmul.getLhs(), weight,
        matmul.getBias(), matmul.getTransposeRhs());
    matmul.replaceAllUsesWith(product.getResult());
    op->erase();
    return success();
  }
};
} // namespace
