//===- qopt.cpp - The command ---------------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Hands the words of the command line to the driver.
//===----------------------------------------------------------------------===//
#include "qopt/Driver/Session.h"
#include "qopt/InitAll.h"

#include "llvm/Support/InitLLVM.h"

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  qopt::registerAllPasses();
  llvm::SmallVector<llvm::StringRef> words(argv + 1, argv + argc);
  return qopt::driver::runMain(words);
}
