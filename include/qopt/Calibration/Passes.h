//===- Passes.h - Where calibration looks, and what it found --------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The passes around a calibration run; the run itself is in Profile.h.
//===----------------------------------------------------------------------===//
#ifndef QOPT_CALIBRATION_PASSES_H
#define QOPT_CALIBRATION_PASSES_H

#include "mlir/Pass/Pass.h"

namespace qopt {
#define GEN_PASS_DECL
#include "qopt/Calibration/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "qopt/Calibration/Passes.h.inc"
} // namespace qopt

#endif // QOPT_CALIBRATION_PASSES_H
