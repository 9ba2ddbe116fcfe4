//===- QuantizeDynamic.cpp - Products whose rows are rounded at run time --===//
// SPDX-License-Identifier: Apache-2.0
//
// Activations of transformers differ from token to token by more than one
// range can hold, and their ranges need data. A scale per row, taken when the
// row is there, needs neither: only weights are rounded beforehand.
//===----------------------------------------------------------------------===//
#include "AssignWeights.h"
#include "qopt/Analysis/RowRounding.h"
#include "qopt/Assignment/LayerRules.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include <limits>

namespace qopt {
#include "qopt/Assignment/QuantizeDynamic.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// Nothing that a call brings reaches it.
static bool isMadeOfConstants(Value value) {
  SmallVector<Value> open{value};
  llvm::SmallPtrSet<Operation *, 8> seen;
  while (!open.empty()) {
    Operation *op = open.pop_back_val().getDefiningOp();
    if (!op || op->getNumRegions())
      return false;
    if (seen.insert(op).second)
      llvm::append_range(open, op->getOperands());
  }
  return true;
}

StringRef qopt::getReasonAgainstRows(LinearOpInterface op) {
  if (op->hasAttr(kComputeFloatAttr))
    return "kept float by the recipe";
  if (auto own = op->getAttrOfType<StringAttr>("qg.weights");
      own && own == kFloatFormat)
    return "kept float by the recipe";
  if (op.getLinearGeometry().window)
    return "only matrix products are rounded at run time; --scheme w8a8 --data "
           "PATH rounds convolutions";
  if (isRoundedAtRunTime(op.getInput()))
    return "the model itself rounds its input at run time, and it is not "
           "rounded again";
  auto isF32 = [](Value value) {
    return !value || getTensorType(value).getElementType().isF32();
  };
  if (!isF32(op.getInput()) || !isF32(op.getWeight()) || !isF32(op.getBias()) ||
      !isF32(op->getResult(0)))
    return "only f32 products are rounded at run time; convert the model to f32";
  if (op.getWeight().getDefiningOp<qg::DequantizeOp>() &&
      !matchStoredWeight(op))
    return "its weights are stored with scales that differ along its sums, or "
           "in more than 8 bits";
  if (!qg::matchConstant(op.getWeight()) && !matchStoredWeight(op))
    return isMadeOfConstants(op.getWeight())
               ? "ops between its stored weights and itself are computed at "
                 "every call; an exporter may fold them"
               : "both operands are computed at run time; --scheme w8a8 --data "
                 "PATH rounds such products";
  if (!op.isShared())
    return "its weights are no single matrix; --scheme w8a8 --data PATH may round "
           "it";
  if (op.getBias() && !qg::matchConstant(op.getBias()))
    return "its bias is computed at run time";
  return "";
}

FailureOr<Operation *> qopt::roundRows(LinearOpInterface op,
                                       const WeightFormat &format) {
  OpBuilder builder(op);
  Value weight = matchStoredWeight(op);
  if (!weight) {
    // Biases stay f32: no input scale is too small for them.
    FailureOr<qg::QuantizedType> type =
        getWeightEncoding(op, format, std::numeric_limits<double>::infinity());
    if (failed(type))
      return failure();
    weight = createRoundedWeight(builder, op.getWeight(), *type);
  }
  auto product = qg::DynamicMatmulOp::create(
      builder, op.getLoc(), op->getResult(0).getType(), op.getInput(), weight,
      op.getBias(), /*transposeRhs=*/op.getOutputAxis() == 0);
  op->replaceAllUsesWith(product->getResults());
  op->erase();
  return product.getOperation();
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
    SmallVector<LinearOpInterface> products;
    getOperation().walk([&](LinearOpInterface op) { products.push_back(op); });
    for (LinearOpInterface op : products)
      if (!op.roundsInput() && failed(rewrite(op, *format)))
        return signalPassFailure();
    getOperation().walk(
        [](Operation *op) { op->removeAttr(kComputeFloatAttr); });
  }

  LogicalResult rewrite(LinearOpInterface op, const WeightFormat &common) {
    OpBuilder builder(op);
    StringRef reason = getReasonAgainstRows(op);
    auto own = dyn_cast_or_null<StringAttr>(op->removeAttr("qg.weights"));
    if (!reason.empty()) {
      op->setAttr("qg.float_reason", builder.getStringAttr(reason));
      return success();
    }
    std::optional<WeightFormat> format = common;
    if (own && !(format = WeightFormat::parse(own)))
      return op->emitOpError() << "expects qg.weights "
                               << getWeightFormatNames() << ", got " << own;
    return success(succeeded(roundRows(op, *format)));
  }
};
} // namespace
