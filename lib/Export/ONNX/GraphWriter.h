//===- GraphWriter.h - Nodes and initializers of an ONNX graph ------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The protobuf side of the exporter: unique names, attributes, raw tensors.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_EXPORT_ONNX_GRAPHWRITER_H
#define QOPT_LIB_EXPORT_ONNX_GRAPHWRITER_H

#include "mlir/IR/BuiltinTypes.h"
#include "qopt/Support/Tensor.h"
#include "llvm/ADT/StringMap.h"
#include <onnx-ml.pb.h>

namespace qopt {

/// ONNX's number of an element type.
int getOnnxType(DType dtype);

class GraphWriter {
public:
  explicit GraphWriter(::onnx::GraphProto &graph) : graph(graph) {}

  /// A node under construction.
  class Node {
  public:
    Node &ints(llvm::StringRef name, llvm::ArrayRef<int64_t> values);
    Node &integer(llvm::StringRef name, int64_t value);
    Node &real(llvm::StringRef name, float value);
    Node &string(llvm::StringRef name, llvm::StringRef value);
    /// Name of the only output.
    std::string output() const { return proto.output(0); }

  private:
    friend class GraphWriter;
    explicit Node(::onnx::NodeProto &proto) : proto(proto) {}
    ::onnx::AttributeProto &add(llvm::StringRef name);
    ::onnx::NodeProto &proto;
  };

  /// Adds a node with one output; an empty input is an absent one. `name` is
  /// the name of the op it comes from.
  Node addNode(llvm::StringRef type, llvm::ArrayRef<std::string> inputs,
               llvm::StringRef name);
  std::string addInitializer(const Tensor &tensor, llvm::StringRef hint);
  /// A 1-D i64 initializer.
  std::string addIndices(llvm::ArrayRef<int64_t> values, llvm::StringRef hint);
  /// Reserves a name that the user chose.
  void reserve(llvm::StringRef name);
  void addValueInfo(::onnx::ValueInfoProto &info, llvm::StringRef name,
                    DType dtype, llvm::ArrayRef<int64_t> shape);

private:
  std::string makeUnique(llvm::StringRef name);
  ::onnx::GraphProto &graph;
  llvm::StringMap<unsigned> names;
};

} // namespace qopt

#endif // QOPT_LIB_EXPORT_ONNX_GRAPHWRITER_H
