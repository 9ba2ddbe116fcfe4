//===- Target.h - The row of the CPU target -------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Objects, libraries and text for a CPU, as --emit names them.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TARGET_CPU_TARGET_H
#define QOPT_TARGET_CPU_TARGET_H

#include "qopt/Target/CPU/Emit.h"
#include "qopt/Target/Target.h"

namespace qopt {

const TargetRow &getCPUTarget();

} // namespace qopt

#endif // QOPT_TARGET_CPU_TARGET_H
