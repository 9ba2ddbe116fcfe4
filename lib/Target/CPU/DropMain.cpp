//===- DropMain.cpp - The module without its caller -----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Once its steps are read, @main and the constants that it passes are data of
// the program; what stays is what becomes machine code.
//===----------------------------------------------------------------------===//
#include "Program.h"
#include "qopt/Target/Memory/Steps.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Pass/Pass.h"

namespace qopt {
#include "qopt/Target/DropMain.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

void qopt::dropMain(ModuleOp module) {
  getMain(module).erase();
  for (auto global :
       llvm::make_early_inc_range(module.getOps<memref::GlobalOp>()))
    global.erase();
}

namespace {
struct DropMain : qopt::impl::DropMainBase<DropMain> {
  void runOnOperation() override {
    func::FuncOp main = getMain(getOperation());
    if (!main || main.isExternal())
      return;
    WalkResult walked = main.walk<WalkOrder::PreOrder>([](Operation *op) {
      if (isa<func::FuncOp>(op) || hasSteps(op) || !isStep(op) ||
          isa<func::CallOp>(op))
        return WalkResult::advance();
      op->emitError("expects @main to call its steps");
      return WalkResult::interrupt();
    });
    if (walked.wasInterrupted())
      return signalPassFailure();
    dropMain(getOperation());
  }
};
} // namespace
