//===- InitAll.h - The one list of everything -----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What qopt-opt, the driver, Python and plugins register. A new dialect or
// pass group is added in lib/InitAll.cpp and nowhere else.
//===----------------------------------------------------------------------===//
#ifndef QOPT_INITALL_H
#define QOPT_INITALL_H

#include "mlir/IR/DialectRegistry.h"

namespace qopt {

/// qg, fxp and the upstream dialects that qopt's passes produce, with the
/// external models those need.
void registerAllDialects(mlir::DialectRegistry &registry);

/// Every pass and pipeline of qopt. Call once per process.
void registerAllPasses();

} // namespace qopt

#endif // QOPT_INITALL_H
