//===- ApplyFormats.cpp - Decisions into quantize and dequantize ----------===//
// SPDX-License-Identifier: Apache-2.0
//
// The result is an ordinary float module with fake quantization: it runs on
// every executor, and qg-fold-qdq turns it into integers.
//===----------------------------------------------------------------------===//
#include "AssignWeights.h"
#include "TensorGraph.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace qopt {
#include "qopt/Assignment/ApplyFormats.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

static qg::FormatAttr getFormat(Operation *op, StringRef name = "qg.format") {
  return op->getAttrOfType<qg::FormatAttr>(name);
}

/// Does everything that reads the result read it as float?
static bool readsFloat(Operation *op) {
  if (isa<func::ReturnOp>(op))
    return true;
  if (keepsEncoding(op))
    return llvm::all_of(op->getUsers(), readsFloat);
  qg::FormatAttr format = getFormat(op);
  return format && isa<FloatType>(format.getType());
}

static void applyToTensor(qg::ObserveOp op) {
  qg::FormatAttr format = getFormat(op);
  auto type = format ? dyn_cast<qg::QuantizedType>(format.getType())
                     : qg::QuantizedType();
  if (type) {
    OpBuilder builder(op);
    auto quantized = qg::QuantizeOp::create(
        builder, op.getLoc(),
        RankedTensorType::get(op.getType().getShape(), type), op.getX());
    Value rounded =
        qg::DequantizeOp::create(builder, op.getLoc(), op.getType(), quantized);
    // A decision that only floats read is one about a result.
    bool isForAll = op->hasAttr(kRoundsResultsAttr) ||
                    llvm::all_of(op->getUsers(), readsFloat);
    op.getResult().replaceUsesWithIf(rounded, [&](OpOperand &use) {
      return isForAll || !readsFloat(use.getOwner());
    });
  }
  op.getResult().replaceAllUsesWith(op.getX());
  op.erase();
}

static LogicalResult applyToWeight(LinearOpInterface op) {
  qg::FormatAttr format = getFormat(op, "qg.weight_format");
  if (!format)
    return success();
  op->removeAttr("qg.weight_format");
  auto type = dyn_cast<qg::QuantizedType>(format.getType());
  Value weight = op.getWeight();
  std::optional<Tensor> values = qg::matchConstant(weight);
  if (!type || !values || values->dtype() != DType::f32)
    return op->emitOpError("expects an f32 constant weight for its format");
  OpBuilder builder(op);
  Value constant = createRoundedWeight(builder, weight, type);
  op.setWeight(qg::DequantizeOp::create(builder, weight.getLoc(),
                                        weight.getType(), constant));
  return success();
}

/// Rows that one scale does not serve.
static LogicalResult applyToRows(LinearOpInterface op) {
  auto text = op->getAttrOfType<StringAttr>(kRowsAttr);
  if (!text)
    return success();
  op->removeAttr(kRowsAttr);
  std::optional<WeightFormat> format = WeightFormat::parse(text);
  if (!format || !getReasonAgainstRows(op).empty())
    return op->emitOpError("expects a product whose rows can be rounded at "
                           "run time, with a weight format");
  FailureOr<Operation *> product = roundRows(op, *format);
  if (failed(product))
    return failure();
  // A choice of ours, not the scheme's: files may hold the product in f32.
  for (const char *mark : {"qg.by_rows", "qg.by_own_rows"})
    (*product)->setAttr(mark, UnitAttr::get(text.getContext()));
  return success();
}

namespace {
struct ApplyFormats : qopt::impl::ApplyFormatsBase<ApplyFormats> {
  void runOnOperation() override {
    SmallVector<qg::ObserveOp> observers;
    getOperation().walk([&](qg::ObserveOp op) { observers.push_back(op); });
    // From the end: a tensor's readers still carry their decisions, and the
    // values they read are not replaced twice.
    for (qg::ObserveOp op : llvm::reverse(observers))
      applyToTensor(op);
    SmallVector<LinearOpInterface> products;
    getOperation().walk([&](LinearOpInterface op) { products.push_back(op); });
    for (LinearOpInterface op : products)
      if (failed(applyToWeight(op)) || failed(applyToRows(op)))
        return signalPassFailure();
    getOperation().walk([](Operation *op) {
      qg::FormatAttr format = getFormat(op);
      if (!format)
        return;
      op->removeAttr("qg.format");
      if (format.getReason())
        op->setAttr("qg.float_reason", format.getReason());
    });
  }
};
} // namespace
