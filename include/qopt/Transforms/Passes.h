//===- Passes.h - Passes over the quantization graph ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Constructors, options and registration of the passes that Passes.td
// declares, for those who build pipelines; the source of a pass includes its
// own NAME.h.inc instead.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TRANSFORMS_PASSES_H
#define QOPT_TRANSFORMS_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "qopt/Dialect/QG/IR/QG.h"

namespace qopt {

#define GEN_PASS_DECL
#include "qopt/Transforms/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "qopt/Transforms/Passes.h.inc"

} // namespace qopt

#endif // QOPT_TRANSFORMS_PASSES_H
