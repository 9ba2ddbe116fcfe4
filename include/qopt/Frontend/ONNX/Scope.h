//===- Scope.h - Names of one graph while it is imported ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What the importer knows about the names of a graph, branch or function
// body, and the order in which its nodes can be imported.
//===----------------------------------------------------------------------===//
#ifndef QOPT_FRONTEND_ONNX_SCOPE_H
#define QOPT_FRONTEND_ONNX_SCOPE_H

#include "mlir/IR/Value.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include <google/protobuf/repeated_field.h>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace onnx {
class FunctionProto;
class ModelProto;
class NodeProto;
class TensorProto;
} // namespace onnx

namespace qopt::frontend {

using NodeList = google::protobuf::RepeatedPtrField<::onnx::NodeProto>;

struct Scope {
  Scope *parent = nullptr;
  std::map<std::string, mlir::Value> values;
  std::map<std::string, const ::onnx::TensorProto *> initializers;
  /// Names whose producer was refused: their users are passed over silently.
  std::set<std::string> poisoned;
  /// Outputs that a handler did not give, with the complaint if they are used.
  std::map<std::string, std::string> missing;
  /// Names that its outputs need, directly or not.
  llvm::StringSet<> needed;
  /// Function inputs that the caller leaves out.
  std::set<std::string> absent;
  std::map<std::string, int64_t> opsets;
  /// Shapes that the file declares of results; -1 is an extent that it leaves
  /// open.
  std::map<std::string, llvm::SmallVector<int64_t>> declared;
  /// The most that they can be, where that is known.
  std::map<std::string, llvm::SmallVector<int64_t>> most;
  /// Nodes of this graph that read a name.
  llvm::StringMap<llvm::SmallVector<const ::onnx::NodeProto *, 2>> readers;
  /// "outer/" in front of the names of nodes.
  std::string prefix;
  /// "node 'x' (Op, opset 13, #4): " of the current node.
  std::string where;
  unsigned depth = 0;

  bool isPoisoned(const std::string &name) const;
  void addReaders(const NodeList &nodes, llvm::ArrayRef<int> order);
  /// 1 for a domain that is not imported.
  int64_t getOpset(const std::string &domain) const;
};

/// How many positions the nodes that index by a vector of distinct indices have
/// for it: of more, some would lie outside. `shapeOf` gives the shape of a
/// table, nothing if it is not known.
std::optional<int64_t> countIndexed(
    const std::string &name, const Scope &scope,
    llvm::function_ref<llvm::SmallVector<int64_t>(const std::string &)> shapeOf,
    unsigned depth = 4);

/// Name of a node, or its operator and index if it has none.
std::string getLabel(const ::onnx::NodeProto &node, int index,
                     const std::string &prefix);

/// Indices of the nodes that `outputs` need, in the file's order; `needed` are
/// all names on the way. The others are not looked at, whatever they are.
llvm::SmallVector<int> findLiveNodes(const NodeList &nodes,
                                     llvm::ArrayRef<std::string> outputs,
                                     llvm::StringSet<> &needed);

/// `live` in an order in which producers precede users, the file's own order
/// where it is one already. Nodes on cycles (and behind them) go to `cycle`.
llvm::SmallVector<int> sortNodes(const NodeList &nodes,
                                 llvm::ArrayRef<int> live,
                                 llvm::SmallVectorImpl<int> &cycle);

/// The model's own function of that name, or null.
const ::onnx::FunctionProto *findFunction(const ::onnx::ModelProto &model,
                                          const std::string &domain,
                                          const std::string &name,
                                          const std::string &overload);

/// Nodes of a function body with the call's attributes put in and absent
/// inputs emptied.
NodeList bindFunctionBody(const ::onnx::FunctionProto &function,
                          const ::onnx::NodeProto &call,
                          const std::set<std::string> &absent);

} // namespace qopt::frontend

#endif // QOPT_FRONTEND_ONNX_SCOPE_H
