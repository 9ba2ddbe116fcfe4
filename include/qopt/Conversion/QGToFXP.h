//===- QGToFXP.h - How a model rounds its accumulators --------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Rounding is part of a model: it is stored with it, and no target changes it.
//===----------------------------------------------------------------------===//
#ifndef QOPT_CONVERSION_QGTOFXP_H
#define QOPT_CONVERSION_QGTOFXP_H

namespace qopt {

/// Attribute of a module: the mode, as convert-qg-to-fxp{requantize-mode} says
/// it; the attribute comes before the option.
inline constexpr const char *kRequantizeMode = "qg.requantize";

} // namespace qopt

#endif // QOPT_CONVERSION_QGTOFXP_H
