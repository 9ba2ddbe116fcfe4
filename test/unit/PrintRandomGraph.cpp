//===- PrintRandomGraph.cpp - qopt-random-graph ---------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// qopt-random-graph FIRST COUNT: the graphs with twins of these seeds as text,
// for tools that run them on more routes than the unit tests (fuzz.py).
//===----------------------------------------------------------------------===//
#include "RandomGraph.h"
#include "qopt/InitAll.h"

#include "mlir/Parser/Parser.h"
#include "llvm/Support/raw_ostream.h"

int main(int argc, char **argv) {
  uint64_t first, count;
  if (argc != 3 || llvm::StringRef(argv[1]).getAsInteger(10, first) ||
      llvm::StringRef(argv[2]).getAsInteger(10, count)) {
    llvm::errs() << "usage: qopt-random-graph FIRST COUNT\n";
    return 2;
  }
  mlir::DialectRegistry registry;
  qopt::registerAllDialects(registry);
  for (uint64_t seed = first; seed < first + count; ++seed) {
    // A context of its own: resources of equal names are renamed otherwise.
    mlir::MLIRContext context(registry);
    auto module = mlir::parseSourceString<mlir::ModuleOp>(
        qopt::test::makeRandomGraph(seed), &context);
    if (!module)
      return 1;
    qopt::test::addTwins(*module, seed);
    llvm::outs() << "// seed " << seed << "\n";
    module->print(llvm::outs()); // With resources, unlike `<<`.
    llvm::outs() << "\n";
  }
  return 0;
}
