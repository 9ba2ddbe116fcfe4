//===- Importer.h - From a ModelProto to a qg module ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_FRONTEND_ONNX_IMPORTER_H
#define QOPT_LIB_FRONTEND_ONNX_IMPORTER_H

#include "qopt/Frontend/ONNX/Extents.h"
#include "qopt/Frontend/ONNX/GraphBuilder.h"
#include "qopt/Frontend/ONNX/Import.h"
#include "qopt/Frontend/ONNX/OpBinder.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"
#include "qopt/Frontend/ONNX/Proto/ExternalData.h"
#include "qopt/Frontend/ONNX/Scope.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <onnx-ml.pb.h>

namespace qopt::frontend {

/// One import of one model: its graph's names, what is reported, and the
/// function that is written.
class Importer {
public:
  Importer(mlir::MLIRContext *context, const ::onnx::ModelProto &model,
           ModelFolders folders, const ImportOptions &options)
      : context(context), model(model), folders(std::move(folders)),
        options(options), extents(model.graph(), options,
                                  [this](const llvm::Twine &message) {
                                    report(Fault::BadModel, message);
                                  }),
        module(mlir::ModuleOp::create(mlir::UnknownLoc::get(context))) {}

  absl::StatusOr<mlir::OwningOpRef<mlir::ModuleOp>> run();

private:
  /// Each text once: a body may be imported twice, a handler may ask the same
  /// of three operands. They name their node.
  void report(Fault fault, const llvm::Twine &message) {
    std::string text = message.str();
    ++reports;
    if (reported.insert(text).second)
      errors.push_back({fault, std::move(text)});
  }
  /// Each text once.
  void warn(const llvm::Twine &message) {
    if (!llvm::is_contained(warnings, message.str()))
      warnings.push_back(message.str());
  }
  absl::Status status() const;

  void bindInputs(Scope &scope);
  void declareInitializer(const ::onnx::TensorProto &tensor, Scope &scope);
  void compareWithDeclared(const ::onnx::ValueInfoProto &output,
                           mlir::Value value);
  void bindInput(const ::onnx::ValueInfoProto &input, Scope &scope);
  void readDeclaredShapes(const ::onnx::GraphProto &graph, Scope &scope);
  Shape findMost(const std::string &name, Scope &scope);
  struct NamedResult {
    std::string name;
    mlir::DenseI64ArrayAttr length; ///< null where every extent is known
  };
  void returnLengths(llvm::SmallVectorImpl<mlir::Value> &results,
                     llvm::SmallVectorImpl<NamedResult> &named);
  void returnOutputs(Scope &scope);

  /// Imports what the names in `outputs` need.
  void importNodes(const NodeList &nodes, llvm::ArrayRef<std::string> outputs,
                   Scope &scope);
  void importNode(const ::onnx::NodeProto &node, int index, Scope &scope);
  bool checkCall(const ::onnx::FunctionProto &function,
                 const ::onnx::NodeProto &node, const Scope &scope);
  void importFunction(const ::onnx::FunctionProto &function,
                      const ::onnx::NodeProto &node,
                      llvm::ArrayRef<mlir::Value> inputs,
                      const std::string &label, Scope &scope);
  std::optional<llvm::SmallVector<mlir::Value>>
  importBody(const BodyCall &call, const std::string &label, Scope &scope);
  /// A node and what reads it.
  struct Handled {
    const ::onnx::NodeProto &node;
    const OpRow &row;
    int64_t opset;
    const std::string &label;
  };
  void runHandler(const Handled &handled, llvm::ArrayRef<mlir::Value> inputs,
                  Scope &scope);
  /// False behind the last node that may be written; reports it once.
  bool mayWrite();
  /// mlir::Value behind a name; null if there is none. Reads initializers.
  mlir::Value resolve(const std::string &name, Scope &scope);
  void poisonOutputs(const ::onnx::NodeProto &node, Scope &scope);

  mlir::MLIRContext *context;
  const ::onnx::ModelProto &model;
  ModelFolders folders;
  const ImportOptions &options;
  Extents extents;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::func::FuncOp function;
  mlir::Block *body = nullptr;
  std::unique_ptr<GraphBuilder> builder;
  /// That are being written, each called by the one before.
  llvm::SmallVector<const ::onnx::FunctionProto *> calls;
  int64_t written = 0;
  llvm::SmallVector<std::string> inputNames;
  llvm::SmallVector<std::pair<Fault, std::string>> errors;
  llvm::StringSet<> reported;
  size_t reports = 0; ///< those that were repeated too
  llvm::SmallVector<std::string> warnings;
};

} // namespace qopt::frontend

#endif // QOPT_LIB_FRONTEND_ONNX_IMPORTER_H
