//===- Passes.h - Which tensors get which encodings -----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A decision (qg-assign-formats) and its execution (qg-apply-formats).
//===----------------------------------------------------------------------===//
#ifndef QOPT_ASSIGNMENT_PASSES_H
#define QOPT_ASSIGNMENT_PASSES_H

#include "mlir/Pass/Pass.h"

namespace qopt {
#define GEN_PASS_DECL
#include "qopt/Assignment/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "qopt/Assignment/Passes.h.inc"
} // namespace qopt

#endif // QOPT_ASSIGNMENT_PASSES_H
