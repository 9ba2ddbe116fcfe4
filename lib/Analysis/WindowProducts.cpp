//===- WindowProducts.cpp - Convolutions that are matrix products ---------===//
// SPDX-License-Identifier: Apache-2.0
//
// Windows overlap: what they see is larger than the input.
//===----------------------------------------------------------------------===//
#include "qopt/Analysis/WindowProducts.h"

using namespace mlir;
using namespace qopt;

/// Elements of windows at most, in front of a product: 32 MB of floats.
static constexpr int64_t kMostElements = int64_t(1) << 23;

/// Whether windows are single elements, one after another.
static bool isPointwise(const qg::Window &window) {
  auto isOne = [](int64_t value) { return value == 1; };
  return llvm::all_of(window.kernel, isOne) &&
         llvm::all_of(window.strides, isOne) &&
         llvm::all_of(window.pads, [](int64_t pad) { return pad == 0; });
}

bool qopt::isMatrixProduct(LinearOpInterface op) {
  LinearGeometry geometry = op.getLinearGeometry();
  if (!geometry.isConvolution() || geometry.groups != 1 || op->getAttr("clamp"))
    return false;
  int64_t positions = getNumElements(getShape(op->getResult(0)).drop_back());
  int64_t seen = getNumElements(getShape(op.getWeight()).drop_front());
  return isPointwise(*geometry.window) || positions == 0 ||
         seen <= kMostElements / positions;
}
