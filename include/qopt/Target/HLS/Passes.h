//===- Passes.h - Folding and FIFOs of streaming graphs -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The passes between integers and C++.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TARGET_HLS_PASSES_H
#define QOPT_TARGET_HLS_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace qopt::hls {

#define GEN_PASS_DECL
#include "qopt/Target/HLS/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "qopt/Target/HLS/Passes.h.inc"

} // namespace qopt::hls

#endif // QOPT_TARGET_HLS_PASSES_H
