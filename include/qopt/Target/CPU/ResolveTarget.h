//===- ResolveTarget.h - What the names of a target come to ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// For records that must mean the same on another machine.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TARGET_CPU_RESOLVETARGET_H
#define QOPT_TARGET_CPU_RESOLVETARGET_H

#include "qopt/Target/CPU/Emit.h"

namespace qopt {

/// The same options with `native`, an empty triple and spellings of one triple
/// resolved.
absl::StatusOr<CPUOptions> resolveTarget(const CPUOptions &options);

} // namespace qopt

#endif // QOPT_TARGET_CPU_RESOLVETARGET_H
