//===- Kinds.h - Names of scalar functions, reductions and modes ----------===//
// SPDX-License-Identifier: Apache-2.0
//
// The enumerations of Kinds.td.
//===----------------------------------------------------------------------===//
#ifndef QOPT_NUMERICS_KINDS_H
#define QOPT_NUMERICS_KINDS_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/DenseMapInfo.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"
#include <optional>

#include "qopt/Numerics/Kinds.h.inc"

#endif // QOPT_NUMERICS_KINDS_H
