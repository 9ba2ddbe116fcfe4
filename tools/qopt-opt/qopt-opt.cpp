//===- qopt-opt.cpp - Run passes on textual IR ----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// mlir-opt with qopt's dialects and passes; accepts pass plugins.
//===----------------------------------------------------------------------===//
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "qopt/InitAll.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  qopt::registerAllDialects(registry);
  qopt::registerAllPasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "qopt optimizer driver\n", registry));
}
