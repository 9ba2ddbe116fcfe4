//===- MovedUses.cpp - What reads a tensor behind data movement -----------===//
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//
#include "MovedUses.h"
#include "qopt/Dialect/QG/IR/QG.h"

using namespace mlir;
using namespace qopt;

bool qopt::movesOneTensor(Operation *op) {
  return isa_and_nonnull<qg::ReshapeOp, qg::TransposeOp, qg::SliceOp>(op);
}

bool qopt::collectMoves(Value value, SmallVectorImpl<Operation *> &moves,
                        llvm::function_ref<bool(Operation *)> accept) {
  return llvm::all_of(value.getUsers(), [&](Operation *user) {
    if (!movesOneTensor(user))
      return accept(user);
    moves.push_back(user);
    return collectMoves(user->getResult(0), moves, accept);
  });
}

void qopt::setElementType(Value value, ArrayRef<Operation *> moves,
                          Type element) {
  value.setType(RankedTensorType::get(getShape(value), element));
  for (Operation *move : moves)
    setElementType(move->getResult(0), {}, element);
}
