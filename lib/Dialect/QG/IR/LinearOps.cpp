//===- LinearOps.cpp - What passes ask linear ops -------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Geometry of every linear op of qg, and what follows from the geometry of any.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Dialect/QG/IR/QGControl.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qg;

//===----------------------------------------------------------------------===//
// Geometry
//===----------------------------------------------------------------------===//

int64_t LinearGeometry::countTaps() const {
  return window ? getNumElements(window->kernel) : 1;
}

bool LinearGeometry::isPadded() const {
  return window &&
         llvm::any_of(window->pads, [](int64_t pad) { return pad != 0; });
}

LinearGeometry LinearGeometry::ofConvolution(ArrayRef<int64_t> weight,
                                             Window window, int64_t groups) {
  window.kernel = weight.drop_front().drop_back();
  LinearGeometry geometry;
  geometry.outputAxis = 0;
  geometry.inputAxis = int64_t(weight.size()) - 1;
  geometry.groups = groups;
  geometry.window = window;
  return geometry;
}

LinearGeometry LinearGeometry::ofProduct(int64_t rank, bool isTransposed) {
  LinearGeometry geometry;
  geometry.outputAxis = rank - (isTransposed ? 2 : 1);
  geometry.inputAxis = rank - (isTransposed ? 1 : 2);
  return geometry;
}

LinearGeometry ConvOp::getLinearGeometry() {
  return LinearGeometry::ofConvolution(
      getShape(getWeight()), {{}, getStrides(), getPads(), getDilations()},
      getGroups());
}

LinearGeometry ConvTransposeOp::getLinearGeometry() {
  LinearGeometry geometry = LinearGeometry::ofConvolution(
      getShape(getWeight()), {{}, getStrides(), getPads(), getDilations()},
      getGroups());
  geometry.isTransposed = true;
  return geometry;
}

LinearGeometry MatmulOp::getLinearGeometry() {
  return LinearGeometry::ofProduct(getTensorType(getRhs()).getRank(),
                                   getTransposeRhs());
}

/// Keys and values of an attention are computed.
bool MatmulOp::canComputeWeight() { return true; }

LinearGeometry DynamicMatmulOp::getLinearGeometry() {
  return LinearGeometry::ofProduct(getTensorType(getRhs()).getRank(),
                                   getTransposeRhs());
}

bool DynamicMatmulOp::roundsInput() { return true; }

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

Value LinearOpInterface::getInput() { return getInputOperand().get(); }

Value LinearOpInterface::getWeight() { return getWeightOperand().get(); }

Value LinearOpInterface::getBias() {
  OpOperand *bias = getBiasOperand();
  return bias ? bias->get() : Value();
}

void LinearOpInterface::setWeight(Value weight) {
  getWeightOperand().set(weight);
}

static bool isFloatConstant(Value value) {
  return value.getDefiningOp<ConstantOp>() &&
         isa<FloatType>(getTensorType(value).getElementType());
}

bool LinearOpInterface::hasFloatConstants() {
  return isFloatConstant(getWeight()) &&
         (!getBias() || isFloatConstant(getBias()));
}

bool LinearOpInterface::canRoundWeight() {
  return isFloatConstant(getWeight()) &&
         getTensorType(getWeight()).getElementType().isF32() && isShared();
}

//===----------------------------------------------------------------------===//
// Facts from the geometry
//===----------------------------------------------------------------------===//

int64_t LinearOpInterface::getOutputAxis() {
  return getLinearGeometry().outputAxis;
}

int64_t LinearOpInterface::getInputAxis() {
  return getLinearGeometry().inputAxis;
}

int64_t LinearOpInterface::countOutputs() {
  return getShape(getOperation()->getResult(0)).back();
}

bool LinearOpInterface::isShared() {
  return getLinearGeometry().window ||
         getTensorType(getWeight()).getRank() == 2;
}

bool LinearOpInterface::isConvolution() {
  return getLinearGeometry().isConvolution();
}

bool LinearOpInterface::isDepthwise() {
  LinearGeometry geometry = getLinearGeometry();
  return geometry.isConvolution() &&
         geometry.groups == getShape(getInput()).back();
}

bool LinearOpInterface::isChannelMatrix() {
  LinearGeometry geometry = getLinearGeometry();
  return geometry.isPointwise() && geometry.groups == 1 && isShared();
}

bool LinearOpInterface::passesOffsets() {
  LinearGeometry geometry = getLinearGeometry();
  return geometry.window ? geometry.isConvolution() && !geometry.isPadded()
                         : isShared();
}

bool LinearOpInterface::canHaveGroups() {
  LinearGeometry geometry = getLinearGeometry();
  if (!geometry.window)
    return true;
  return geometry.isPointwise() && geometry.groups == 1 &&
         llvm::all_of(geometry.window->strides,
                      [](int64_t stride) { return stride == 1; });
}

/// More than a layer has; a sum over thousands of layers stays in 64 bits.
static constexpr int64_t kMostMacs = int64_t(1) << 50;

/// `macs` in each step of all loops around `op`, whose counts are bounds.
static int64_t countInLoops(Operation *op, int64_t macs) {
  for (auto loop = op->getParentOfType<LoopOp>(); loop;
       loop = loop->getParentOfType<LoopOp>()) {
    int64_t product;
    if (llvm::MulOverflow<int64_t>(macs, loop.getCount(), product))
      return kMostMacs;
    macs = product;
  }
  return std::min(macs, kMostMacs);
}

int64_t LinearOpInterface::countMacs() {
  LinearGeometry geometry = getLinearGeometry();
  ArrayRef<int64_t> weight = getShape(getWeight());
  // An element of the input meets every weight of its channel once.
  int64_t macs = geometry.isTransposed
                     ? getNumElements(getShape(getInput())) *
                           (weight[geometry.outputAxis] / geometry.groups)
                     : getNumElements(getShape(getOperation()->getResult(0))) *
                           weight[geometry.inputAxis];
  return countInLoops(getOperation(), macs * geometry.countTaps());
}

//===----------------------------------------------------------------------===//
// Channels of the elements of a weight
//===----------------------------------------------------------------------===//

WeightChannels::WeightChannels(LinearOpInterface op) {
  LinearGeometry geometry = op.getLinearGeometry();
  ArrayRef<int64_t> shape = getShape(op.getWeight());
  outputs = shape[geometry.outputAxis];
  inputs = shape[geometry.inputAxis];
  outputStep = getNumElements(shape.drop_front(geometry.outputAxis + 1));
  inputStep = getNumElements(shape.drop_front(geometry.inputAxis + 1));
  outputsPerGroup = outputs / geometry.groups;
}
