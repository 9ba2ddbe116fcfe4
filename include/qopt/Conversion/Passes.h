//===- Passes.h - From one dialect to another -----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Conversions make no choices; all of them are declared here.
//===----------------------------------------------------------------------===//
#ifndef QOPT_CONVERSION_PASSES_H
#define QOPT_CONVERSION_PASSES_H

#include "mlir/Pass/Pass.h"

namespace qopt {
#define GEN_PASS_DECL
#include "qopt/Conversion/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "qopt/Conversion/Passes.h.inc"
} // namespace qopt

#endif // QOPT_CONVERSION_PASSES_H
