//===- Volumes.h - Three dimensions as two ---------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TRANSFORMS_VOLUMES_H
#define QOPT_LIB_TRANSFORMS_VOLUMES_H

#include "mlir/IR/PatternMatch.h"

namespace qopt {

/// Convolutions and poolings over three dimensions as ones over two.
void populateVolumePatterns(mlir::RewritePatternSet &patterns);

} // namespace qopt

#endif // QOPT_LIB_TRANSFORMS_VOLUMES_H
