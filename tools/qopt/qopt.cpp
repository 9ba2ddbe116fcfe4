//===- qopt.cpp - The command ---------------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Hands the words of the command line to the driver.
//===----------------------------------------------------------------------===//
#include "qopt/Driver/Session.h"
#include "qopt/InitAll.h"

#include "llvm/Support/InitLLVM.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

/// Calibration allocates the same arrays for every sample: pages that went back
/// to the system in between would be cleared and mapped again each time.
static void keepFreedPages() {
#ifdef __GLIBC__
  constexpr int kBytes = 256 << 20;
  mallopt(M_MMAP_THRESHOLD, kBytes);
  mallopt(M_TRIM_THRESHOLD, kBytes);
#endif
}

int main(int argc, char **argv) {
  keepFreedPages();
  llvm::InitLLVM init(argc, argv);
  qopt::registerAllPasses();
  llvm::SmallVector<llvm::StringRef> words(argv + 1, argv + argc);
  return qopt::driver::runMain(words);
}
