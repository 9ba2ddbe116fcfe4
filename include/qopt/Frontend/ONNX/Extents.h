//===- Extents.h - Static shapes of a model's inputs ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What the file declares and what the user says about it, brought together.
//===----------------------------------------------------------------------===//
#ifndef QOPT_FRONTEND_ONNX_EXTENTS_H
#define QOPT_FRONTEND_ONNX_EXTENTS_H

#include "qopt/Dialect/QG/IR/Shapes.h"
#include "qopt/Frontend/ONNX/Import.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/Twine.h"
#include <functional>

namespace onnx {
class GraphProto;
class ValueInfoProto;
} // namespace onnx

namespace qopt::frontend {

class Extents {
public:
  /// What is wrong with the model or the options.
  using Report = std::function<void(const llvm::Twine &)>;

  Extents(const ::onnx::GraphProto &graph, const ImportOptions &options,
          Report report);

  /// Reports options that name nothing of the model.
  void checkOptions();
  /// The shape of an input; nothing if that was reported. Each symbol that has
  /// no extent is reported at its first place.
  std::optional<qg::Shape> bind(const ::onnx::ValueInfoProto &input);
  /// What is declared of any value, -1 for an extent that is not known.
  qg::Shape lookUp(const ::onnx::ValueInfoProto &info) const;
  /// The most that its extents are: those, and bounds that the user gives for
  /// symbols that no input has; -1 where nobody says.
  qg::Shape lookUpMost(const ::onnx::ValueInfoProto &info) const;

private:
  struct Answer;
  void readResults(const ::onnx::GraphProto &graph);
  bool isOfInputs(llvm::StringRef text) const;
  Answer evaluate(llvm::StringRef symbol) const;
  llvm::SmallVector<std::string>
  nameWhatToBind(llvm::StringRef symbol,
                 llvm::ArrayRef<llvm::StringRef> unbound) const;
  void bindSymbolsOfShapes();
  std::optional<int64_t> bindDimension(const ::onnx::ValueInfoProto &input,
                                       int index, int64_t given);
  void reportUnbound(const ::onnx::ValueInfoProto &input, int index,
                     llvm::ArrayRef<llvm::StringRef> unbound);

  const ::onnx::GraphProto &graph;
  const ImportOptions &options;
  Report report;
  /// Extents of symbols, from --dim and from the shapes of --shape.
  std::map<std::string, int64_t> values;
  /// Whole texts of dimensions, and the symbols inside them.
  llvm::StringSet<> texts, symbols;
  /// Names of results, and texts of their dimensions.
  llvm::StringSet<> results, textsOfResults;
  llvm::StringSet<> reported;
};

} // namespace qopt::frontend

#endif // QOPT_FRONTEND_ONNX_EXTENTS_H
