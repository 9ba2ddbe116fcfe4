//===- EncodeConstants.cpp - Constant operands in bytes -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What a target without floats adds or multiplies is stored as activations are.
//===----------------------------------------------------------------------===//
#include "AssignWeights.h"
#include "qopt/Analysis/SplatConstant.h"
#include "qopt/Calibration/Observer.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include <cmath>

namespace qopt {
#include "qopt/Assignment/EncodeConstants.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// Bytes that hold the numbers; null where one is not finite.
static qg::QuantizedType chooseEncoding(MLIRContext *context,
                                        ArrayRef<float> numbers) {
  if (!llvm::all_of(numbers,
                    [](float number) { return std::isfinite(number); }))
    return {};
  if (llvm::all_of(numbers,
                   [](float number) { return number == 0 || number == 1; }))
    return qg::QuantizedType::getPerTensor(context, "ui8", 1.0f, 0);
  auto [low, high] = std::minmax_element(numbers.begin(), numbers.end());
  AffineParameters parameters = getAsymmetricParameters({*low, *high});
  return qg::QuantizedType::getPerTensor(context, "ui8", parameters.scale,
                                         parameters.zeroPoint);
}

/// Whether the op has an integer form for operands of encodings of their own.
static bool readsEncodings(Operation *op) {
  if (isa<qg::ConcatOp>(op))
    return true;
  auto binary = dyn_cast<qg::BinaryOp>(op);
  return binary && (binary.getKind() == BinaryKind::add ||
                    binary.getKind() == BinaryKind::sub ||
                    binary.getKind() == BinaryKind::mul);
}

static void encodeOperand(OpOperand &operand) {
  Operation *op = operand.getOwner();
  Value value = operand.get();
  std::optional<Tensor> constant = qg::matchConstant(value);
  RankedTensorType type = getTensorType(value);
  if (!constant || !type.getElementType().isF32() ||
      constant->numElements() == 0 ||
      (!isa<qg::ConcatOp>(op) && isSplatConstant(value)))
    return;
  qg::QuantizedType encoding =
      chooseEncoding(op->getContext(), constant->span<float>());
  if (!encoding)
    return;
  OpBuilder builder(op);
  operand.set(
      qg::DequantizeOp::create(builder, value.getLoc(), type,
                               createRoundedWeight(builder, value, encoding)));
}

namespace {
struct EncodeConstants : qopt::impl::EncodeConstantsBase<EncodeConstants> {
  void runOnOperation() override {
    getOperation().walk([](Operation *op) {
      // What is known altogether is folded, not computed.
      if (readsEncodings(op) &&
          !llvm::all_of(op->getOperands(), [](Value operand) {
            return bool(qg::matchConstant(operand));
          }))
        for (OpOperand &operand : op->getOpOperands())
          encodeOperand(operand);
    });
  }
};
} // namespace
