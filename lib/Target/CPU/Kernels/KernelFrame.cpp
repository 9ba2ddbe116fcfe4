//===- KernelFrame.cpp - A kernel in the place of a product ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
#include "KernelFrame.h"

#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Target/CPU/IR/QCPU.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qcpu;

Value qopt::qcpu::createPacked(OpBuilder &builder, Location loc,
                               const Tensor &tensor) {
  auto type = RankedTensorType::get(
      tensor.shape(), qg::getStorageElementType(qg::getElementType(
                          builder.getContext(), tensor.dtype())));
  return qg::createConstant(builder, loc, tensor, type, "packed");
}

Value qopt::qcpu::castShape(OpBuilder &builder, Location loc, Value value,
                            ArrayRef<int64_t> shape) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getShape() == shape)
    return value;
  return qg::ReshapeOp::create(
      builder, loc, RankedTensorType::get(shape, type.getElementType()), value);
}

/// Most accumulators of one row of output, where there are few rows.
static constexpr int64_t kMaxVectors = 8;
static constexpr int64_t kMaxRows = 12;

void qopt::qcpu::fitTile(DotChoice &dot, int64_t channels, int64_t pixels) {
  int64_t vectors = llvm::divideCeil(channels, dot.lanes);
  int64_t accumulators = dot.rows * dot.vectors;
  if (vectors < dot.vectors) {
    dot.vectors = vectors;
    dot.rows = std::min(kMaxRows, accumulators / vectors);
  }
  if (pixels < dot.rows) {
    dot.rows = pixels;
    dot.vectors = std::min({vectors, kMaxVectors, accumulators / pixels});
  }
}

int64_t KernelInput::getShift(const DotChoice &dot) const {
  if (dot.input == DotInput::s16)
    return zeroPoint;
  if (dot.input == DotInput::u8 && !isUnsigned)
    return -128;
  return dot.input == DotInput::s8 && isUnsigned ? 128 : 0;
}

Value qopt::qcpu::stageInput(OpBuilder &builder, const DotChoice &dot,
                             KernelInput &input, bool always) {
  int64_t shift = input.getShift(dot);
  bool hasPads = llvm::any_of(input.pads, [](int64_t pad) { return pad != 0; });
  if (!hasPads && dot.input != DotInput::s16 && shift == 0 && !always)
    return input.x;
  auto type = cast<RankedTensorType>(input.x.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape[1] += input.pads[0] + input.pads[2];
  shape[2] += input.pads[1] + input.pads[3];
  Type element = type.getElementType();
  if (dot.input == DotInput::s16)
    element = builder.getI16Type();
  input.zeroPoint -= shift;
  Value init = tensor::EmptyOp::create(builder, input.loc, shape, element);
  return StageOp::create(builder, input.loc, TypeRange{init.getType()},
                         input.pads, shift, input.zeroPoint, input.isUnsigned,
                         input.x, init)
      .getResult(0);
}

KernelFrame::KernelFrame(OpBuilder &builder, Operation *product,
                         EpilogueLimits limits)
    : builder(builder), product(product), last(product),
      epilogue(collectEpilogue(product, limits)) {
  if (!epilogue.ops.empty())
    last = epilogue.ops.back();
  builder.setInsertionPoint(last);
}

RankedTensorType KernelFrame::getType() const {
  return cast<RankedTensorType>(last->getResult(0).getType());
}

SmallVector<Value>
KernelFrame::createExtras(ArrayRef<int64_t> shape,
                          function_ref<Tensor(const Tensor &)> pad) {
  SmallVector<Value> extras;
  for (const EpilogueOperand &operand : epilogue.operands)
    if (auto *tensor = std::get_if<Tensor>(&operand))
      extras.push_back(createPacked(builder, product->getLoc(), pad(*tensor)));
    else
      extras.push_back(
          castShape(builder, product->getLoc(), std::get<Value>(operand),
                    *getOperandShape(std::get<Value>(operand), shape)));
  return extras;
}

void KernelFrame::fill(Operation *kernel, Type accumulator, ValueRange extras,
                       EpilogueStyle style) {
  Location loc = product->getLoc();
  Block *body = builder.createBlock(&kernel->getRegion(0));
  body->addArgument(accumulator, loc);
  for (Value extra : extras)
    body->addArgument(cast<RankedTensorType>(extra.getType()).getElementType(),
                      loc);
  buildEpilogue(epilogue, *body, product, style);
  builder.setInsertionPointAfter(kernel);
}

void KernelFrame::replaceBy(Value result) {
  last->getResult(0).replaceAllUsesWith(
      castShape(builder, product->getLoc(), result, getType().getShape()));
  erase();
}

void KernelFrame::erase() {
  // What was read in passing (a residual's dequantization) may have more users.
  for (Operation *op : llvm::reverse(epilogue.ops))
    if (op->use_empty())
      op->erase();
  product->erase();
}
