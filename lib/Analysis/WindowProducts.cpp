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
static bool isPointwise(qg::ConvOp op) {
  auto isOne = [](int64_t value) { return value == 1; };
  return llvm::all_of(getShape(op.getWeight()).drop_front().drop_back(),
                      isOne) &&
         llvm::all_of(op.getStrides(), isOne) &&
         llvm::all_of(op.getPads(), [](int64_t pad) { return pad == 0; });
}

bool qopt::isMatrixProduct(qg::ConvOp op) {
  if (op.getGroups() != 1 || op.getClamp())
    return false;
  int64_t positions = getNumElements(getShape(op.getResult()).drop_back());
  int64_t seen = getNumElements(getShape(op.getWeight()).drop_front());
  return isPointwise(op) || positions == 0 || seen <= kMostElements / positions;
}
