//===- VerifyResults.cpp - No result is written over another value --------===//
// SPDX-License-Identifier: Apache-2.0
//
// Bufferization ends with a copy into the caller's buffer for every result that
// was not computed there. Such a buffer may hold nothing else: whatever lived
// in it would be lost. A wrong placement is an error here, not a wrong number.
//===----------------------------------------------------------------------===//
#include "qopt/Target/Memory/Steps.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Pass/Pass.h"

namespace qopt {
#include "qopt/Target/VerifyResults.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// The copy that fills all of a caller's buffer, or null.
static memref::CopyOp getWholeCopy(BlockArgument buffer) {
  for (Operation *user : buffer.getUsers())
    if (auto copy = dyn_cast<memref::CopyOp>(user))
      if (copy.getTarget() == buffer)
        return copy;
  return nullptr;
}

/// Whether `op`, in a loop or not, stands behind `copy`.
static bool isBehind(Operation *op, memref::CopyOp copy) {
  Operation *ancestor = copy->getBlock()->findAncestorOpInBlock(*op);
  return ancestor && copy->isBeforeInBlock(ancestor);
}

namespace {
struct VerifyResults : qopt::impl::VerifyResultsBase<VerifyResults> {
  void runOnOperation() override {
    func::FuncOp main = getMain(getOperation());
    if (!main || main.isExternal())
      return;
    for (BlockArgument buffer : main.getArguments()) {
      memref::CopyOp copy = getWholeCopy(buffer);
      if (!copy)
        continue;
      for (Operation *user : buffer.getUsers()) {
        // Reading the result once it is complete changes nothing.
        if (user == copy)
          continue;
        auto reader = dyn_cast<memref::CopyOp>(user);
        if (reader && reader.getTarget() != buffer &&
            isBehind(reader, copy))
          continue;
        auto error = copy.emitOpError()
                     << "expects the buffer of argument "
                     << buffer.getArgNumber()
                     << " to hold one result, got another value in it";
        error.attachNote(user->getLoc()) << "this op uses the buffer as well";
        return signalPassFailure();
      }
    }
  }
};
} // namespace
