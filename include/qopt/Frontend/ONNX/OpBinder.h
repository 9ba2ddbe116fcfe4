//===- OpBinder.h - One ONNX node, ready to be imported -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What an operator handler sees of its node: typed attributes with defaults,
// inputs as values or constants, and a place for the results.
//===----------------------------------------------------------------------===//
#ifndef QOPT_FRONTEND_ONNX_OPBINDER_H
#define QOPT_FRONTEND_ONNX_OPBINDER_H

#include "qopt/Frontend/ONNX/GraphBuilder.h"
#include "llvm/ADT/StringSet.h"
#include <functional>
#include <map>

namespace onnx {
class AttributeProto;
class GraphProto;
class NodeProto;
} // namespace onnx

namespace qopt::frontend {

/// Whose fault a failure is; decides the exit code.
enum class Fault { Unsupported, BadModel };

/// A graph of a node, to be imported where the builder stands.
struct BodyCall {
  const ::onnx::GraphProto &graph;
  /// Behind the node's label in front of the names of its nodes: "" or "3/".
  std::string part;
  ArrayRef<Value> arguments;
  /// Which outputs are asked for.
  llvm::SmallVector<bool> isNeeded;
};

class OpBinder {
public:
  OpBinder(GraphBuilder &builder, const ::onnx::NodeProto &node, int64_t opset,
           const ModelFolders &folders, ArrayRef<Value> inputs);

  /// Writes the qg ops.
  GraphBuilder &b;

  llvm::StringRef opType() const;
  /// Version of the op's domain that the model imports.
  int64_t opset() const { return opset_; }
  const ::onnx::NodeProto &node() const { return node_; }

  // Inputs. A missing required input is reported once; the value is null. Each
  // one that is given is read or named by ignoreInput: checkAllRead.
  unsigned numInputs() const { return inputs.size(); }
  bool hasInput(unsigned index) const {
    return index < inputs.size() && inputs[index];
  }
  /// As it is, possibly encoded.
  Value raw(unsigned index);
  /// The same of a tensor or a sequence.
  Value any(unsigned index);
  /// Elements of a sequence; nullopt, and reported, if it is none.
  std::optional<llvm::SmallVector<Value>> sequence(unsigned index);
  /// Floats or plain integers.
  Value in(unsigned index);
  /// `in`, or null without a report if the input is absent.
  Value optional(unsigned index);
  std::optional<Tensor> constant(unsigned index);
  /// Numbers of a constant input; reports if it is not constant.
  std::optional<Shape> constantInts(unsigned index, llvm::StringRef what);
  std::optional<llvm::SmallVector<double>> constantFloats(unsigned index,
                                                          llvm::StringRef what);

  /// What a handler gets to see in the place of an input, for one that writes
  /// another layout around it.
  void replaceInput(unsigned index, Value value) { inputs[index] = value; }

  /// From here on `in` and `optional` give 16-bit floats as f32, and result 0
  /// is rounded to the type of input 0.
  void computeInF32();

  /// An input that does not change what is computed here.
  void ignoreInput(unsigned index) { readInputs.insert(index); }

  // Attributes. One of another type than asked for is reported. Each one that
  // is given is read or named by ignoreAttrs: checkAllRead.
  bool hasAttr(llvm::StringRef name) const;
  int64_t intAttr(llvm::StringRef name, int64_t defaultValue);
  double floatAttr(llvm::StringRef name, double defaultValue);
  std::string stringAttr(llvm::StringRef name, llvm::StringRef defaultValue);
  Shape intsAttr(llvm::StringRef name, ArrayRef<int64_t> defaultValue = {});
  llvm::SmallVector<double> floatsAttr(llvm::StringRef name,
                                       ArrayRef<double> defaultValue = {});
  /// Length of a list of strings; 0 if absent.
  int64_t countStrings(llvm::StringRef name);
  llvm::SmallVector<std::string> stringsAttr(llvm::StringRef name);
  std::optional<Tensor> tensorAttr(llvm::StringRef name);
  /// A graph; reported, and null, if there is none.
  const ::onnx::GraphProto *graphAttr(llvm::StringRef name);
  /// Imports a graph: one value per output, null for those not needed; nothing,
  /// and reported, where it cannot be.
  std::function<std::optional<llvm::SmallVector<Value>>(const BodyCall &)>
      importBody;
  /// Element type from a TensorProto.DataType attribute.
  Type typeAttr(llvm::StringRef name, Type defaultType);

  /// The same with packed integers; reports where there is none.
  std::optional<ElementKind> kindAttr(llvm::StringRef name);

  /// Attributes that do not change what is computed here.
  void ignoreAttrs(ArrayRef<llvm::StringRef> names);
  /// Refuses what the node has and its handler did not ask for: an attribute
  /// that is misspelled, of another opset or newer than this importer, an
  /// input too many. Ignoring one would give wrong numbers.
  llvm::LogicalResult checkAllRead();

  /// Refuses constant indices outside [-extent, extent); true if there are
  /// none.
  bool areInside(Value indices, int64_t extent);

  /// `axis` counted from the front; reports and gives nothing if out of range.
  std::optional<int64_t> normalizeAxis(int64_t axis, int64_t rank);
  std::optional<Shape> normalizeAxes(ArrayRef<int64_t> axes, int64_t rank);

  /// What the file declares of an output, -1 for an extent that it leaves open;
  /// none if it declares nothing.
  std::optional<Shape> declaredShape(unsigned index) const;
  /// Where that is written.
  const std::map<std::string, Shape> *declared = nullptr;
  /// The most that extents of an output can be, by the file, the user or what
  /// reads it; -1 where nobody says.
  std::function<Shape(unsigned output)> askMost;
  /// One of them.
  std::optional<int64_t> mostOf(unsigned output, int64_t axis, int64_t rank);

  // Results.
  unsigned numOutputs() const;
  /// It has a name, and somebody needs it.
  bool hasOutput(unsigned index) const;
  /// Nobody needs this output, named or not.
  void ignoreOutput(unsigned index) { unneeded.insert(index); }
  /// Fails if `value` is null.
  llvm::LogicalResult result(Value value) { return result(0, value); }
  llvm::LogicalResult result(unsigned index, Value value);
  ArrayRef<Value> results() const { return results_; }

  /// Fails with a message; the importer adds name, type and index of the node.
  llvm::LogicalResult unsupported(const llvm::Twine &message);
  llvm::LogicalResult badModel(const llvm::Twine &message);
  /// Something that the file gets wrong and that can mean only one thing.
  void warn(const llvm::Twine &message) { warnings.push_back(message.str()); }
  llvm::SmallVector<std::string> warnings;
  /// Something was reported.
  bool hasFailed() const { return fault.has_value(); }
  std::optional<Fault> fault;

private:
  const ::onnx::AttributeProto *find(llvm::StringRef name, int type);
  Value widen(Value value);

  const ::onnx::NodeProto &node_;
  int64_t opset_;
  const ModelFolders &folders_;
  llvm::SmallVector<Value> inputs, results_;
  /// What the handler asked for so far, present or not.
  mutable llvm::StringSet<> readAttrs;
  llvm::DenseSet<unsigned> readInputs, unneeded;
  bool widens = false;
  Type roundedTo; ///< of result 0; null for what it is
};

/// The handler of an op of several steps, of which 16-bit floats see one
/// rounding (docs/rationale/numbers.md).
template <llvm::LogicalResult (*handler)(OpBinder &)>
llvm::LogicalResult roundOnce(OpBinder &op) {
  op.computeInF32();
  return handler(op);
}

} // namespace qopt::frontend

#endif // QOPT_FRONTEND_ONNX_OPBINDER_H
