//===- Expansion.h - A node as a graph of simpler nodes -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// For operators that an optimizer made of several: their parts are imported as
// if they stood in the file, and mean what they mean there.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_FRONTEND_ONNX_OPS_EXPANSION_H
#define QOPT_LIB_FRONTEND_ONNX_OPS_EXPANSION_H

#include "qopt/Frontend/ONNX/OpBinder.h"
#include <memory>

namespace qopt::frontend {

class Expansion {
public:
  explicit Expansion(OpBinder &op);
  ~Expansion();

  /// The name of a value in the graph; that of no input for null.
  std::string use(Value value);
  /// Adds a node; the names of its outputs.
  llvm::SmallVector<std::string> add(llvm::StringRef opType,
                                     ArrayRef<std::string> inputs,
                                     unsigned outputs = 1);
  /// Adds a conversion to f32.
  std::string addCastToFloat(const std::string &input);
  /// Imports the graph; null, and reported, where that fails.
  Value build(const std::string &output);

private:
  struct Graph;
  OpBinder &op;
  std::unique_ptr<Graph> graph;
  llvm::SmallVector<Value> arguments;
};

} // namespace qopt::frontend

#endif // QOPT_LIB_FRONTEND_ONNX_OPS_EXPANSION_H
