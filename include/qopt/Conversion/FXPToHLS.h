//===- FXPToHLS.h - Which integer ops become hardware ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What convert-fxp-to-hls takes, for those who cut a network for it.
//===----------------------------------------------------------------------===//
#ifndef QOPT_CONVERSION_FXPTOHLS_H
#define QOPT_CONVERSION_FXPTOHLS_H

#include "mlir/IR/Operation.h"

namespace qopt {

/// Whether some form of the op becomes a unit; what it lacks besides,
/// convert-fxp-to-hls says.
bool hasUnit(mlir::Operation *op);

} // namespace qopt

#endif // QOPT_CONVERSION_FXPTOHLS_H
