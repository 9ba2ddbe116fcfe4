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
    for (Operation &op : main.front())
      if (isStep(&op) && !isa<func::CallOp>(op)) {
        op.emitError("expects @main to call its steps");
        return signalPassFailure();
      }
    dropMain(getOperation());
  }
};
} // namespace
