//===- RandomGraph.h - Small modules out of a seed ------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What exactness tests compile: nobody chose these shapes and orders of ops.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TEST_UNIT_RANDOMGRAPH_H
#define QOPT_TEST_UNIT_RANDOMGRAPH_H

#include "mlir/IR/BuiltinOps.h"
#include "qopt/Support/Tensor.h"
#include <string>

namespace qopt::test {

/// A module of 3 to 8 ops as text, the same for the same seed on every machine.
/// Three of four start quantized.
std::string makeRandomGraph(uint64_t seed);

/// Repeats the ops of a random graph on other values, and returns two to five
/// values, most of them in pairs of one type.
void addTwins(mlir::ModuleOp module, uint64_t seed);

/// Arrays for `@main`: bytes of the whole range; floats in [-3, 3], in every
/// fourth graph with zeros of both signs, infinities, NaN and huge numbers.
llvm::SmallVector<Tensor> makeRandomInputs(mlir::ModuleOp module,
                                           uint64_t seed);

/// Where two lists of arrays differ first, NaN payloads aside; or "".
std::string describeDifference(llvm::ArrayRef<Tensor> expected,
                               llvm::ArrayRef<Tensor> got);

} // namespace qopt::test

#endif // QOPT_TEST_UNIT_RANDOMGRAPH_H
