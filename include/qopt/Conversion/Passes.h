//===- Passes.h - One dialect to another ----------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// All conversions are declared together; none of them makes a choice.
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
