//===- SymbolicExtent.h - Extents written as expressions ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// `dim_param` is free text; exporters write "past + seq", "2*n", "n//2" or
// "floor(n/2)" into it, in the syntax of Python and SymPy.
//===----------------------------------------------------------------------===//
#ifndef QOPT_FRONTEND_ONNX_SYMBOLICEXTENT_H
#define QOPT_FRONTEND_ONNX_SYMBOLICEXTENT_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <optional>

namespace qopt::frontend {

/// What the text of an extent means where some symbols have values.
struct SymbolicExtent {
  /// The text has the syntax of an expression; a lone name has it, too.
  bool isExpression = false;
  /// All its symbols in their order, and those of them without a value.
  llvm::SmallVector<llvm::StringRef> symbols, unbound;
  /// Its value is `numerator / denominator`; none while a symbol has none, and
  /// where the numbers have more than 63 bits or something is divided by 0.
  std::optional<int64_t> numerator;
  int64_t denominator = 1;

  bool isInteger() const { return numerator && denominator == 1; }
};

/// Reads sums, products, `/`, `//`, `%`, `**`, parentheses and the functions
/// floor, ceiling, max, min, mod, abs and their names in exporters.
SymbolicExtent readSymbolicExtent(
    llvm::StringRef text,
    llvm::function_ref<std::optional<int64_t>(llvm::StringRef)> valueOf);

} // namespace qopt::frontend

#endif // QOPT_FRONTEND_ONNX_SYMBOLICEXTENT_H
