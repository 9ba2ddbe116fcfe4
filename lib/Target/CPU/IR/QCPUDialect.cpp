//===- QCPUDialect.cpp - Registration, verifiers, bufferization of qcpu ---===//
// SPDX-License-Identifier: Apache-2.0
//
// Verifiers check what the kernel lowering relies on: shapes that agree and an
// epilogue that takes the accumulator and one element of each extra operand.
//===----------------------------------------------------------------------===//
#include "qopt/Target/CPU/IR/QCPU.h"

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"
#include "llvm/ADT/SmallVectorExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt::qcpu;

#include "qopt/Target/CPU/IR/QCPUDialect.cpp.inc"
#define GET_OP_CLASSES
#include "qopt/Target/CPU/IR/QCPUOps.cpp.inc"

void QCPUDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "qopt/Target/CPU/IR/QCPUOps.cpp.inc"
      >();
}

/// Memrefs are read and written; tensors have no effects.
static void
addEffects(Operation *op, OpOperand &init,
           SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (&operand == &init)
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
    else
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
  }
}

void StageOp::getEffects(
    SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  addEffects(*this, getInitMutable(), effects);
}
void ConvOp::getEffects(
    SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  addEffects(*this, getInitMutable(), effects);
}
void DepthwiseOp::getEffects(
    SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  addEffects(*this, getInitMutable(), effects);
}

void GroupMatmulOp::getEffects(
    SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  addEffects(*this, getInitMutable(), effects);
}

void DecodeMatmulOp::getEffects(
    SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  addEffects(*this, getInitMutable(), effects);
}

void PackOp::getEffects(
    SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  addEffects(*this, getInitMutable(), effects);
}

void LutOp::getEffects(
    SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  addEffects(*this, getInitMutable(), effects);
}

SmallVector<int64_t>
qopt::qcpu::inOrder(ArrayRef<int64_t> values,
                    std::optional<ArrayRef<int64_t>> order) {
  if (!order)
    return SmallVector<int64_t>(values);
  return llvm::map_to_vector(*order, [&](int64_t i) { return values[i]; });
}

/// A permutation of four dimensions.
static bool isOrder(ArrayRef<int64_t> order) {
  SmallVector<int64_t> sorted(order);
  llvm::sort(sorted);
  return sorted == SmallVector<int64_t>{0, 1, 2, 3};
}

LogicalResult PackOp::verify() {
  ArrayRef<int64_t> x = getX().getType().getShape();
  if (x.size() != 4 || !isOrder(getOrder()) || getTile().size() != 4)
    return emitOpError("expects an operand of rank 4, the order of its "
                       "dimensions and four tile sizes");
  if (getOrder()[2] != 3 && getOrder()[3] != 3)
    return emitOpError("expects the last dimension to be K or N");
  int64_t lanes = getTile()[2], pack = getTile()[3];
  SmallVector<int64_t> shape = inOrder(x, getOrder());
  int64_t size = shape[0] * shape[1] * llvm::divideCeil(shape[2], pack) * pack *
                 llvm::alignTo(shape[3], lanes);
  if (shape[2] < pack || getInit().getType().getShape() != ArrayRef(size))
    return emitOpError() << "expects at least " << pack
                         << " products and a result of " << size << " elements";
  return success();
}

LogicalResult LutOp::verify() {
  if (!getX().getType().getElementType().isInteger(8) ||
      !getTable().getType().getElementType().isInteger(8) ||
      !getInit().getType().getElementType().isInteger(8))
    return emitOpError("expects bytes");
  if (getX().getType().getShape() != getInit().getType().getShape())
    return emitOpError("expects a result of the shape of its input");
  if (getTable().getType().getShape() != ArrayRef<int64_t>{512})
    return emitOpError("expects a table of 512 bytes");
  return success();
}

LogicalResult StageOp::verify() {
  ArrayRef<int64_t> x = getX().getType().getShape();
  ArrayRef<int64_t> y = getInit().getType().getShape();
  ArrayRef<int64_t> pads = getPads();
  if (x.size() != 4 || y.size() != 4 || pads.size() != 4)
    return emitOpError("expects operands of rank 4 and four pads");
  if (y[0] != x[0] || y[1] != x[1] + pads[0] + pads[2] ||
      y[2] != x[2] + pads[1] + pads[3] || y[3] != x[3])
    return emitOpError() << "expects the bordered shape of " << getX().getType()
                         << ", got " << getInit().getType();
  return success();
}

/// The epilogue takes the accumulator and an element of each extra operand.
template <typename KernelOp> static LogicalResult verifyEpilogue(KernelOp op) {
  Block &body = op.getEpilogue().front();
  if (body.getNumArguments() != 1 + op.getExtras().size())
    return op.emitOpError("expects an epilogue of the accumulator and one "
                          "element of each extra operand");
  Type accumulator = op.getBias().getType().getElementType();
  if (body.getArgument(0).getType() != accumulator)
    return op.emitOpError("expects an accumulator of the bias's type");
  for (auto [extra, argument] :
       llvm::zip(op.getExtras(), body.getArguments().drop_front()))
    if (cast<ShapedType>(extra.getType()).getElementType() !=
        argument.getType())
      return op.emitOpError("expects epilogue arguments of the extras' types");
  auto yield = cast<YieldOp>(body.getTerminator());
  if (yield.getNumOperands() != 1 ||
      yield.getOperand(0).getType() != op.getInit().getType().getElementType())
    return op.emitOpError("expects to yield one element of the result");
  return success();
}

LogicalResult GroupMatmulOp::verify() {
  ArrayRef<int64_t> x = getX().getType().getShape();
  ArrayRef<int64_t> y = getInit().getType().getShape();
  if (x.size() != 4 || y.size() != 4 || getTile().size() != 4 || getGroup() < 1)
    return emitOpError("expects an input and a result of rank 4, four tile "
                       "sizes and a positive group");
  int64_t rows = getRowScales().getType().getNumElements();
  if (x[0] != 1 || x[1] != 1 || y[0] != 1 || y[1] != 1 || x[2] != y[2] ||
      (rows != 1 && rows != x[2]))
    return emitOpError("expects rows of pixels, and one row scale or one each");
  return verifyEpilogue(*this);
}

LogicalResult DecodeMatmulOp::verify() {
  ArrayRef<int64_t> x = getX().getType().getShape();
  ArrayRef<int64_t> y = getInit().getType().getShape();
  ArrayRef<int64_t> block = getBlock();
  if (x.size() != 4 || y.size() != 4 || getTile().size() != 4 ||
      x.drop_back() != y.drop_back() || x[0] != 1 || x[1] != 1)
    return emitOpError("expects rows of pixels and four tile sizes");
  if (block.size() != 2 || std::min(block[0], block[1]) != 1)
    return emitOpError("expects a block of one row or one column");
  if ((getBits() != 2 && getBits() != 4 && getBits() != 8) ||
      (!getLevels().empty() && int64_t(getLevels().size()) != int64_t(1)
                                                                  << getBits()))
    return emitOpError("expects codes of 2, 4 or 8 bits and a level for each");
  return verifyEpilogue(*this);
}

template <typename WindowOp> static LogicalResult verifyWindow(WindowOp op) {
  if (op.getX().getType().getRank() != 4 ||
      op.getInit().getType().getRank() != 4)
    return op.emitOpError("expects an input and a result of rank 4");
  for (auto order : {op.getXOrder(), op.getYOrder()})
    if (order && (!isOrder(*order) || order->back() != 3))
      return op.emitOpError("expects orders of four dimensions, channels last");
  SmallVector<int64_t> x =
      inOrder(op.getX().getType().getShape(), op.getXOrder());
  SmallVector<int64_t> y =
      inOrder(op.getInit().getType().getShape(), op.getYOrder());
  if (op.getTile().size() != 4 || op.getKernel().size() != 2 ||
      op.getStrides().size() != 2 || op.getDilations().size() != 2)
    return op.emitOpError("expects four tile sizes and two kernel extents, "
                          "strides and dilations");
  if (op.getOwnWeights() &&
      (op.getKernel() != ArrayRef<int64_t>{1, 1} || op.getGroups() != 1 ||
       op.getWeight().getType().getNumElements() % (y[0] * y[1]) != 0))
    return op.emitOpError("expects a 1x1 window and weights for every row");
  // Of a volume: its planes, then a plane.
  ArrayRef<int64_t> planes = op.getPlanes().value_or(ArrayRef<int64_t>{});
  if (!planes.empty() &&
      (planes.size() != 4 || planes[0] < 1 || planes[2] < 1 ||
       op.getKernel()[0] % planes[0] != 0 || y[1] % planes[2] != 0))
    return op.emitOpError("expects rows of the kernel and of the result that "
                          "are whole planes");
  for (int d = 0; d < 2; ++d) {
    int64_t extent = y[1 + d], kernel = op.getKernel()[d], first = 0;
    if (d == 0 && !planes.empty()) {
      first =
          (extent / planes[2] - 1) * planes[3] + (planes[0] - 1) * planes[1];
      extent = planes[2];
      kernel /= planes[0];
    }
    int64_t last = first + (extent - 1) * op.getStrides()[d] +
                   (kernel - 1) * op.getDilations()[d];
    if (last >= x[1 + d])
      return op.emitOpError("expects windows inside the input");
  }
  return verifyEpilogue(op);
}

LogicalResult ConvOp::verify() { return verifyWindow(*this); }
LogicalResult DepthwiseOp::verify() { return verifyWindow(*this); }

namespace {
/// The whole init is overwritten, never read.
template <typename KernelOp>
struct KernelBufferization
    : bufferization::DstBufferizableOpInterfaceExternalModel<
          KernelBufferization<KernelOp>, KernelOp> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const bufferization::AnalysisState &) const {
    return !cast<DestinationStyleOpInterface>(op).isDpsInit(&operand);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const bufferization::BufferizationOptions &options,
                          bufferization::BufferizationState &state) const {
    auto kernel = cast<DestinationStyleOpInterface>(op);
    if (kernel.hasPureBufferSemantics())
      return success();
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) {
      FailureOr<Value> buffer =
          bufferization::getBuffer(rewriter, operand, options, state);
      if (failed(buffer))
        return failure();
      operands.push_back(*buffer);
    }
    rewriter.setInsertionPoint(op);
    OperationState newState(op->getLoc(), op->getName(), operands, TypeRange(),
                            op->getAttrs());
    for (Region &region : op->getRegions())
      newState.addRegion()->takeBody(region);
    rewriter.create(newState);
    bufferization::replaceOpWithBufferizedValues(rewriter, op, operands.back());
    return success();
  }
};
} // namespace

void qopt::qcpu::registerBufferizableOpInterfaces(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, QCPUDialect *) {
    StageOp::attachInterface<KernelBufferization<StageOp>>(*context);
    PackOp::attachInterface<KernelBufferization<PackOp>>(*context);
    LutOp::attachInterface<KernelBufferization<LutOp>>(*context);
    ConvOp::attachInterface<KernelBufferization<ConvOp>>(*context);
    DepthwiseOp::attachInterface<KernelBufferization<DepthwiseOp>>(*context);
    GroupMatmulOp::attachInterface<KernelBufferization<GroupMatmulOp>>(
        *context);
    DecodeMatmulOp::attachInterface<KernelBufferization<DecodeMatmulOp>>(
        *context);
  });
}
