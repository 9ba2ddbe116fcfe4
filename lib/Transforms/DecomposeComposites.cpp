//===- DecomposeComposites.cpp - Composite ops as their parts -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// In program order, so that names and operands of the parts stand before what
// reads them; a part that is a composite itself is visited again.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/QG/IR/QGComposite.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "llvm/ADT/StringSet.h"

namespace qopt {
#include "qopt/Transforms/DecomposeComposites.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// Whether ops of that name are defined by their parts.
static bool isComposite(MLIRContext *context, StringRef name) {
  std::optional<RegisteredOperationName> info =
      RegisteredOperationName::lookup(name, context);
  return info && info->hasInterface<CompositeOpInterface>();
}

static LogicalResult decompose(CompositeOpInterface op) {
  qg::ShapedBuilder builder(OpBuilder(op), op->getLoc());
  FailureOr<SmallVector<Value>> parts = op.decompose(builder);
  if (failed(parts))
    return failure();
  op->replaceAllUsesWith(*parts);
  op->erase();
  return success();
}

namespace {
struct DecomposeComposites
    : qopt::impl::DecomposeCompositesBase<DecomposeComposites> {
  using DecomposeCompositesBase::DecomposeCompositesBase;

  void runOnOperation() override {
    llvm::StringSet<> kept;
    for (const std::string &name : keep) {
      if (!isComposite(&getContext(), name)) {
        getOperation().emitError()
            << "expects 'keep' to name composite ops, got '" << name << "'";
        return signalPassFailure();
      }
      kept.insert(name);
    }
    SmallVector<CompositeOpInterface> found;
    do {
      found.clear();
      getOperation().walk([&](CompositeOpInterface op) {
        if (!kept.contains(op->getName().getStringRef()))
          found.push_back(op);
      });
      for (CompositeOpInterface op : found)
        if (failed(decompose(op)))
          return signalPassFailure();
    } while (!found.empty());
  }
};
} // namespace
