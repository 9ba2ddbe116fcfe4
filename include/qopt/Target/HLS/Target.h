//===- Target.h - The pipelines of the HLS target -------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A project for an FPGA from a quantized graph: --emit=hls.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TARGET_HLS_TARGET_H
#define QOPT_TARGET_HLS_TARGET_H

#include "qopt/Target/Target.h"

namespace qopt::hls {

/// Registers qopt-hls: the integer core to units, folded, with FIFOs.
void registerPipelines();

} // namespace qopt::hls

#endif // QOPT_TARGET_HLS_TARGET_H
