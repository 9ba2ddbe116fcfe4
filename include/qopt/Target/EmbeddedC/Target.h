//===- Target.h - The row of the C target ---------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A quantized graph as a folder of C: --emit=c.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TARGET_EMBEDDEDC_TARGET_H
#define QOPT_TARGET_EMBEDDEDC_TARGET_H

#include "qopt/Target/Target.h"

namespace qopt {

const TargetRow &getEmbeddedCTarget();

} // namespace qopt

#endif // QOPT_TARGET_EMBEDDEDC_TARGET_H
