//===- Importer.cpp - From a ModelProto to a qg module --------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Walks the graph, binds names, inlines functions, and
// collects what every node has to say before it gives up.
//===----------------------------------------------------------------------===//
#include "qopt/Frontend/ONNX/Extents.h"
#include "qopt/Frontend/ONNX/GraphBuilder.h"
#include "qopt/Frontend/ONNX/Import.h"
#include "qopt/Frontend/ONNX/OpBinder.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"
#include "qopt/Frontend/ONNX/Proto/ExternalData.h"
#include "qopt/Frontend/ONNX/Proto/ProtoReader.h"
#include "qopt/Frontend/ONNX/Scope.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include <onnx-ml.pb.h>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

/// Functions and branches nest at most this deep.
static constexpr unsigned kMaxDepth = 64;
/// Nodes that functions and unrolled bodies may write beyond those of the file:
/// forty functions that call the next one twice are few bytes.
static constexpr int64_t kMostWritten = int64_t(1) << 17;

namespace {

class Importer {
public:
  Importer(MLIRContext *context, const ::onnx::ModelProto &model,
           ModelFolders folders, const ImportOptions &options)
      : context(context), model(model), folders(std::move(folders)),
        options(options), extents(model.graph(), options,
                                  [this](const Twine &message) {
                                    report(Fault::BadModel, message);
                                  }),
        module(ModuleOp::create(UnknownLoc::get(context))) {}

  absl::StatusOr<OwningOpRef<ModuleOp>> run();

private:
  /// Each text once: a body may be imported twice, a handler may ask the same
  /// of three operands. They name their node.
  void report(Fault fault, const Twine &message) {
    std::string text = message.str();
    ++reports;
    if (reported.insert(text).second)
      errors.push_back({fault, std::move(text)});
  }
  /// Each text once.
  void warn(const Twine &message) {
    if (!llvm::is_contained(warnings, message.str()))
      warnings.push_back(message.str());
  }
  absl::Status status() const;

  void bindInputs(Scope &scope);
  void declareInitializer(const ::onnx::TensorProto &tensor, Scope &scope);
  void compareWithDeclared(const ::onnx::ValueInfoProto &output, Value value);
  void bindInput(const ::onnx::ValueInfoProto &input, Scope &scope);
  void readDeclaredShapes(const ::onnx::GraphProto &graph, Scope &scope);
  Shape findMost(const std::string &name, Scope &scope);
  struct NamedResult {
    std::string name;
    DenseI64ArrayAttr length; ///< null where every extent is known
  };
  void returnLengths(SmallVectorImpl<Value> &results,
                     SmallVectorImpl<NamedResult> &named);
  void returnOutputs(Scope &scope);

  /// Imports what the names in `outputs` need.
  void importNodes(const NodeList &nodes, ArrayRef<std::string> outputs,
                   Scope &scope);
  void importNode(const ::onnx::NodeProto &node, int index, Scope &scope);
  bool checkCall(const ::onnx::FunctionProto &function,
                 const ::onnx::NodeProto &node, const Scope &scope);
  void importFunction(const ::onnx::FunctionProto &function,
                      const ::onnx::NodeProto &node, ArrayRef<Value> inputs,
                      const std::string &label, Scope &scope);
  std::optional<SmallVector<Value>>
  importBody(const BodyCall &call, const std::string &label, Scope &scope);
  /// A node and what reads it.
  struct Handled {
    const ::onnx::NodeProto &node;
    const OpRow &row;
    int64_t opset;
    const std::string &label;
  };
  void runHandler(const Handled &handled, ArrayRef<Value> inputs, Scope &scope);
  /// False behind the last node that may be written; reports it once.
  bool mayWrite();
  /// Value behind a name; null if there is none. Reads initializers.
  Value resolve(const std::string &name, Scope &scope);
  void poisonOutputs(const ::onnx::NodeProto &node, Scope &scope);

  MLIRContext *context;
  const ::onnx::ModelProto &model;
  ModelFolders folders;
  const ImportOptions &options;
  Extents extents;
  OwningOpRef<ModuleOp> module;
  func::FuncOp function;
  Block *body = nullptr;
  std::unique_ptr<GraphBuilder> builder;
  /// That are being written, each called by the one before.
  SmallVector<const ::onnx::FunctionProto *> calls;
  int64_t written = 0;
  SmallVector<std::string> inputNames;
  SmallVector<std::pair<Fault, std::string>> errors;
  llvm::StringSet<> reported;
  size_t reports = 0; ///< those that were repeated too
  SmallVector<std::string> warnings;
};

} // namespace

absl::Status Importer::status() const {
  if (errors.empty())
    return absl::OkStatus();
  std::string text;
  bool isBadModel = false;
  for (const auto &[fault, message] : errors) {
    text += (text.empty() ? "" : "\n") + message;
    isBadModel |= fault == Fault::BadModel;
  }
  return isBadModel ? absl::InvalidArgumentError(text)
                    : absl::UnimplementedError(text);
}

//===----------------------------------------------------------------------===//
// Inputs and outputs
//===----------------------------------------------------------------------===//

void Importer::bindInput(const ::onnx::ValueInfoProto &input, Scope &scope) {
  const std::string &name = input.name();
  int onnxType = input.type().tensor_type().elem_type();
  auto kind = getElementKind(onnxType);
  if (auto it = options.consts.find(name); it != options.consts.end()) {
    Value value = builder->constant(it->second);
    if (kind.ok() && kind->dtype == it->second.dtype())
      builder->markPacked(value, *kind);
    scope.values[name] = value;
    return;
  }
  // IR version 3 lists initializers among the inputs.
  if (scope.initializers.count(name))
    return;
  auto poison = [&] { scope.poisoned.insert(name); };
  if (!input.type().has_tensor_type()) {
    report(Fault::Unsupported,
           "input '" + name +
               "': expects a tensor; sequences, maps, optionals and sparse "
               "tensors are not supported");
    return poison();
  }
  if (!kind.ok()) {
    report(Fault::Unsupported,
           "input '" + name + "': " + std::string(kind.status().message()));
    return poison();
  }
  std::optional<Shape> shape = extents.bind(input);
  if (!shape)
    return poison();
  auto count = countElements(*shape);
  if (!count.ok()) {
    report(Fault::BadModel,
           "input '" + name + "': " + std::string(count.status().message()));
    return poison();
  }
  auto type =
      RankedTensorType::get(*shape, qg::getElementType(context, kind->dtype));
  Value argument =
      body->addArgument(type, NameLoc::get(StringAttr::get(context, name)));
  builder->markPacked(argument, *kind);
  scope.values[name] = argument;
  inputNames.push_back(name);
}

void Importer::declareInitializer(const ::onnx::TensorProto &tensor,
                                  Scope &scope) {
  auto [it, isNew] = scope.initializers.insert({tensor.name(), &tensor});
  if (isNew)
    return;
  std::string first, second;
  if (it->second->SerializeToString(&first) &&
      tensor.SerializeToString(&second) && first == second)
    warn("initializer '" + tensor.name() + "' is given twice, alike");
  else
    report(Fault::BadModel, "initializer '" + tensor.name() +
                                "' is given twice, with different values");
}

void Importer::bindInputs(Scope &scope) {
  extents.checkOptions();
  for (const auto &tensor : model.graph().initializer())
    declareInitializer(tensor, scope);
  for (const auto &tensor : model.graph().sparse_initializer())
    report(Fault::Unsupported, "initializer '" + tensor.values().name() +
                                   "': sparse tensors are not supported");
  for (const auto &input : model.graph().input()) {
    if (scope.values.count(input.name())) {
      report(Fault::BadModel, "input '" + input.name() + "' is declared twice");
      continue;
    }
    bindInput(input, scope);
  }
}

void Importer::readDeclaredShapes(const ::onnx::GraphProto &graph,
                                  Scope &scope) {
  auto read = [&](const ::onnx::ValueInfoProto &info) {
    if (!info.type().tensor_type().has_shape())
      return;
    scope.declared[info.name()] = extents.lookUp(info);
    scope.most[info.name()] = extents.lookUpMost(info);
  };
  llvm::for_each(graph.value_info(), read);
  llvm::for_each(graph.output(), read);
}

/// What options say, else what the file does, else what reads it.
Shape Importer::findMost(const std::string &name, Scope &scope) {
  if (auto given = options.shapes.find(name); given != options.shapes.end())
    return Shape(given->second.begin(), given->second.end());
  Shape most;
  if (auto it = scope.most.find(name); it != scope.most.end())
    most = it->second;
  bool isOpen = llvm::none_of(most, [](int64_t n) { return n >= 0; });
  if (most.size() > 1 || !isOpen)
    return most;
  auto count = countIndexed(name, scope, [&](const std::string &table) {
    Value value = scope.isPoisoned(table) ? Value() : resolve(table, scope);
    return value && GraphBuilder::isTensor(value)
               ? Shape(GraphBuilder::shape(value))
               : Shape();
  });
  return count ? Shape{*count} : most;
}

/// What a model declares of its results is not believed; where it has other
/// numbers, and no shape was bound from outside, it says so.
void Importer::compareWithDeclared(const ::onnx::ValueInfoProto &output,
                                   Value value) {
  const auto &type = output.type().tensor_type();
  if (!options.shapes.empty() || !type.has_shape())
    return;
  ArrayRef<int64_t> shape = GraphBuilder::shape(value);
  bool isSame = type.shape().dim_size() == int(shape.size());
  for (int i = 0; isSame && i < type.shape().dim_size(); ++i)
    isSame = !type.shape().dim(i).has_dim_value() ||
             type.shape().dim(i).dim_value() < 0 ||
             type.shape().dim(i).dim_value() == shape[i];
  if (!isSame)
    warn("output '" + output.name() + "' is declared of another shape than " +
         formatShape(shape) + ", which it has");
}

/// Lengths that data decide are results of their own behind the model's, which
/// refer to them: `qg.length` has the dimension and the index of the length.
void Importer::returnLengths(SmallVectorImpl<Value> &results,
                             SmallVectorImpl<NamedResult> &named) {
  llvm::MapVector<Value, int64_t> indices;
  size_t count = results.size();
  for (size_t i = 0; i < count; ++i) {
    const CountedDim *dim = builder->countedDimOf(results[i]);
    if (!dim)
      continue;
    auto [it, isNew] = indices.insert({dim->length, int64_t(results.size())});
    if (isNew) {
      results.push_back(dim->length);
      named.push_back({named[i].name + "_length", {}});
    }
    named[i].length = DenseI64ArrayAttr::get(context, {dim->axis, it->second});
  }
}

void Importer::returnOutputs(Scope &scope) {
  SmallVector<Value> results;
  SmallVector<NamedResult> named;
  if (model.graph().output_size() == 0)
    report(Fault::BadModel, "the graph has no outputs, expects at least one");
  for (const auto &output : model.graph().output()) {
    if (scope.isPoisoned(output.name()))
      continue;
    Value value = resolve(output.name(), scope);
    if (!value) {
      if (!scope.isPoisoned(output.name()))
        report(Fault::BadModel,
               "output '" + output.name() + "' is produced by no node");
      continue;
    }
    if (!GraphBuilder::isTensor(value)) {
      report(Fault::Unsupported,
             "output '" + output.name() +
                 "': expects a tensor; sequences and optionals are not "
                 "supported as outputs");
      continue;
    }
    results.push_back(value);
    named.push_back({output.name(), {}});
    compareWithDeclared(output, value);
  }
  if (!errors.empty())
    return;
  returnLengths(results, named);
  OpBuilder end = OpBuilder::atBlockEnd(body);
  func::ReturnOp::create(end, UnknownLoc::get(context), results);
  SmallVector<Operation *> ops;
  for (Operation &op : body->without_terminator())
    ops.push_back(&op);
  for (Operation *op : llvm::reverse(ops))
    if (!isa<qg::ConstantOp>(op) && isOpTriviallyDead(op)) {
      builder->forget(op);
      op->erase();
    }
  builder->finish();
  function.setType(FunctionType::get(context, body->getArgumentTypes(),
                                     ValueRange(results).getTypes()));
  for (auto [i, name] : llvm::enumerate(inputNames))
    function.setArgAttr(i, "qg.name", StringAttr::get(context, name));
  for (auto [i, result] : llvm::enumerate(named)) {
    function.setResultAttr(i, "qg.name", StringAttr::get(context, result.name));
    if (result.length)
      function.setResultAttr(i, "qg.length", result.length);
  }
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

Value Importer::resolve(const std::string &name, Scope &scope) {
  for (Scope *s = &scope; s; s = s->parent) {
    if (auto it = s->values.find(name); it != s->values.end())
      return it->second;
    auto initializer = s->initializers.find(name);
    if (initializer == s->initializers.end())
      continue;
    auto tensor = readStoredTensor(*initializer->second, folders);
    if (!tensor.ok()) {
      report(absl::IsUnimplemented(tensor.status()) ? Fault::Unsupported
                                                    : Fault::BadModel,
             "initializer '" + name +
                 "': " + std::string(tensor.status().message()));
      s->poisoned.insert(name);
      s->initializers.erase(initializer);
      return {};
    }
    mlir::Location location = builder->location();
    builder->setLocation(NameLoc::get(StringAttr::get(context, name)));
    Value value;
    builder->outsideOfLoops([&] { value = builder->constant(*tensor); });
    builder->setLocation(location);
    auto kind = getElementKind(initializer->second->data_type());
    if (kind.ok())
      builder->markPacked(value, *kind);
    s->values[name] = value;
    return value;
  }
  return {};
}

void Importer::poisonOutputs(const ::onnx::NodeProto &node, Scope &scope) {
  for (const std::string &name : node.output())
    scope.poisoned.insert(name);
}

void Importer::importNodes(const NodeList &nodes, ArrayRef<std::string> outputs,
                           Scope &scope) {
  SmallVector<int> live = findLiveNodes(nodes, outputs, scope.needed), cycle;
  SmallVector<int> order = sortNodes(nodes, live, cycle);
  scope.addReaders(nodes, order);
  if (!llvm::is_sorted(order))
    warn("the nodes are not in an order in which producers precede users");
  for (int index : order)
    importNode(nodes[index], index, scope);
  if (cycle.empty())
    return;
  std::string names;
  for (int index : cycle)
    names += (names.empty() ? "" : ", ") + getLabel(nodes[index], index, "");
  report(Fault::BadModel,
         "expects a graph without cycles, these nodes wait for each other: " +
             names);
  for (int index : cycle)
    poisonOutputs(nodes[index], scope);
}

bool Importer::mayWrite() {
  int64_t most = kMostWritten + model.graph().node_size();
  if (++written == most)
    report(Fault::Unsupported,
           "expects functions and unrolled loops that write at most " +
               Twine(kMostWritten) + " nodes");
  return written < most;
}

void Importer::importNode(const ::onnx::NodeProto &node, int index,
                          Scope &scope) {
  if (!mayWrite())
    return poisonOutputs(node, scope);
  std::string domain = node.domain() == "ai.onnx" ? "" : node.domain();
  std::string label = getLabel(node, index, scope.prefix);
  int64_t opset = scope.getOpset(domain);
  std::string where = "node '" + label + "' (" +
                      (domain.empty() ? "" : domain + ".") + node.op_type() +
                      ", opset " + std::to_string(opset) + ", #" +
                      std::to_string(index) + "): ";
  const ::onnx::FunctionProto *local =
      findFunction(model, node.domain(), node.op_type(), node.overload());
  const OpRow *row = OpRegistry::get().lookup(domain, node.op_type(), opset);
  if (!local && !scope.opsets.count(domain)) {
    // The version decides what operators of ONNX mean; others have one.
    if (domain.empty()) {
      report(Fault::BadModel, where + "expects an opset_import of ai.onnx");
      return poisonOutputs(node, scope);
    }
    warn("domain '" + domain +
         "' is used and not imported, its version 1 is "
         "taken");
  }
  if (!local && (!row || !row->handler)) {
    report(Fault::Unsupported,
           where + (row ? row->note
                        : "the operator is not supported; 'qopt ops' lists "
                          "what is"));
    return poisonOutputs(node, scope);
  }
  SmallVector<Value> inputs;
  bool isPoisoned = false;
  for (const std::string &name : node.input()) {
    if (name.empty()) {
      inputs.push_back({});
      continue;
    }
    Value value = scope.isPoisoned(name) ? Value() : resolve(name, scope);
    auto missing = scope.missing.find(name);
    if (!value && missing != scope.missing.end())
      report(Fault::Unsupported, missing->second);
    else if (!value && !scope.isPoisoned(name))
      report(
          Fault::BadModel,
          where + "expects input '" + name +
              "', which neither an input nor an initializer nor a node gives");
    isPoisoned |= !value;
    inputs.push_back(value);
  }
  if (isPoisoned)
    return poisonOutputs(node, scope);
  for (const std::string &name : node.output())
    if (!name.empty() && scope.values.count(name)) {
      report(Fault::BadModel, where + "expects new names for its outputs, '" +
                                  name + "' exists already");
      return poisonOutputs(node, scope);
    }
  builder->setLocation(NameLoc::get(StringAttr::get(context, label)));
  builder->hasRefusedTypes = false;
  scope.where = where;
  if (local)
    return importFunction(*local, node, inputs, label, scope);
  runHandler({node, *row, opset, label}, inputs, scope);
}

void Importer::runHandler(const Handled &handled, ArrayRef<Value> inputs,
                          Scope &scope) {
  const ::onnx::NodeProto &node = handled.node;
  OpBinder binder(*builder, node, handled.opset, folders, inputs);
  binder.declared = &scope.declared;
  bool bodyFailed = false;
  binder.askMost = [&](unsigned output) {
    return findMost(node.output(output), scope);
  };
  binder.importBody = [&](const BodyCall &call) {
    auto values = importBody(call, handled.label, scope);
    bodyFailed |= !values;
    return values;
  };
  for (int i = 0; i < node.output_size(); ++i)
    if (!scope.needed.contains(node.output(i)))
      binder.ignoreOutput(i);
  SmallVector<std::string> messages;
  LogicalResult imported = success();
  {
    ScopedDiagnosticHandler collect(context, [&](Diagnostic &diagnostic) {
      std::string text = diagnostic.str();
      // Messages speak of ONNX: the name of the qg op is dropped.
      size_t prefix = text.find("' op ");
      if (StringRef(text).starts_with("'qg.") && prefix != std::string::npos)
        text = text.substr(prefix + 5);
      messages.push_back(text);
      return success();
    });
    imported = handled.row.handler(binder);
    // A handler that failed has not read everything.
    if (succeeded(imported))
      imported = binder.checkAllRead();
  }
  Fault fault = binder.fault.value_or(
      builder->hasRefusedTypes ? Fault::Unsupported : Fault::BadModel);
  for (const std::string &warning : binder.warnings)
    warn(scope.where + warning);
  bool hasFailed = failed(imported) || binder.hasFailed();
  if (!hasFailed)
    for (int i = 0; i < node.output_size(); ++i) {
      if (node.output(i).empty())
        continue;
      if (Value value = binder.results()[i]) {
        scope.values[node.output(i)] = value;
        continue;
      }
      // Reported by whoever uses it; training outputs are often left over.
      scope.missing[node.output(i)] =
          scope.where + "output " + std::to_string(i) + " is not supported";
    }
  if (!hasFailed)
    return;
  // What a body could not import is said already, of its nodes or of what they
  // read.
  if (messages.empty() && bodyFailed)
    return poisonOutputs(node, scope);
  if (messages.empty()) {
    messages.push_back("the operator is not supported in this form");
    fault = Fault::Unsupported;
  }
  for (const std::string &message : messages)
    report(fault, scope.where + message);
  poisonOutputs(node, scope);
}

/// Values of the outputs that the call asks for, null for the others.
std::optional<SmallVector<Value>> Importer::importBody(const BodyCall &call,
                                                       const std::string &label,
                                                       Scope &scope) {
  const ::onnx::GraphProto &graph = call.graph;
  if (scope.depth > kMaxDepth) {
    report(Fault::BadModel, scope.where + "expects graphs nested at most " +
                                Twine(kMaxDepth) + " deep");
    return std::nullopt;
  }
  Scope inner;
  inner.parent = &scope;
  inner.opsets = scope.opsets;
  inner.prefix = label + "/" + call.part;
  inner.depth = scope.depth + 1;
  for (const auto &tensor : graph.initializer())
    inner.initializers[tensor.name()] = &tensor;
  readDeclaredShapes(graph, inner);
  for (auto [input, value] : llvm::zip(graph.input(), call.arguments))
    inner.values[input.name()] = value;
  SmallVector<std::string> outputs;
  for (auto [output, isNeeded] : llvm::zip(graph.output(), call.isNeeded))
    if (isNeeded)
      outputs.push_back(output.name());
  importNodes(graph.node(), outputs, inner);
  SmallVector<Value> values;
  bool hasFailed = false;
  for (auto [output, isNeeded] : llvm::zip(graph.output(), call.isNeeded)) {
    if (!isNeeded) {
      values.push_back({});
      continue;
    }
    const std::string &name = output.name();
    values.push_back(inner.isPoisoned(name) ? Value() : resolve(name, inner));
    auto missing = inner.missing.find(name);
    if (missing != inner.missing.end())
      report(Fault::Unsupported, missing->second);
    else if (!values.back() && !inner.isPoisoned(name))
      report(Fault::BadModel, scope.where + "expects output '" + name +
                                  "' of its graph to be produced by a node");
    hasFailed |= !values.back();
  }
  if (hasFailed)
    return std::nullopt;
  return values;
}

/// A call gives the function nothing that it does not take.
bool Importer::checkCall(const ::onnx::FunctionProto &function,
                         const ::onnx::NodeProto &node, const Scope &scope) {
  size_t before = reports;
  std::set<std::string> known(function.attribute().begin(),
                              function.attribute().end());
  for (const auto &attribute : function.attribute_proto())
    known.insert(attribute.name());
  for (const auto &attribute : node.attribute())
    if (!known.count(attribute.name()))
      report(Fault::BadModel, scope.where + "attribute '" + attribute.name() +
                                  "' is none of function '" + function.name() +
                                  "'");
  if (node.input_size() > function.input_size())
    report(Fault::BadModel, scope.where + "expects at most " +
                                Twine(function.input_size()) +
                                " inputs of function '" + function.name() +
                                "', got " + Twine(node.input_size()));
  return reports == before;
}

void Importer::importFunction(const ::onnx::FunctionProto &function,
                              const ::onnx::NodeProto &node,
                              ArrayRef<Value> inputs, const std::string &label,
                              Scope &scope) {
  if (llvm::is_contained(calls, &function) || scope.depth > kMaxDepth) {
    report(Fault::BadModel,
           scope.where + "expects functions that do not call themselves");
    return poisonOutputs(node, scope);
  }
  Scope inner;
  inner.prefix = label + "/";
  inner.depth = scope.depth + 1;
  for (const auto &opset : function.opset_import())
    inner.opsets[opset.domain() == "ai.onnx" ? "" : opset.domain()] =
        opset.version();
  if (inner.opsets.empty())
    inner.opsets = scope.opsets;
  for (int i = 0; i < function.input_size(); ++i)
    if (i < int(inputs.size()) && inputs[i])
      inner.values[function.input(i)] = inputs[i];
    else
      inner.absent.insert(function.input(i));
  if (!checkCall(function, node, scope))
    return poisonOutputs(node, scope);
  NodeList nodes = bindFunctionBody(function, node, inner.absent);
  int count = std::min(node.output_size(), function.output_size());
  SmallVector<std::string> outputs;
  for (int i = 0; i < count; ++i)
    if (scope.needed.contains(node.output(i)))
      outputs.push_back(function.output(i));
  calls.push_back(&function);
  importNodes(nodes, outputs, inner);
  calls.pop_back();
  for (int i = 0; i < count; ++i) {
    if (!scope.needed.contains(node.output(i)))
      continue;
    if (Value value = resolve(function.output(i), inner))
      scope.values[node.output(i)] = value;
    else
      scope.poisoned.insert(node.output(i));
  }
}

//===----------------------------------------------------------------------===//
// The model
//===----------------------------------------------------------------------===//

absl::StatusOr<OwningOpRef<ModuleOp>> Importer::run() {
  auto loc = UnknownLoc::get(context);
  OpBuilder top = OpBuilder::atBlockEnd(module->getBody());
  function = func::FuncOp::create(top, loc, "main",
                                  FunctionType::get(context, {}, {}));
  body = function.addEntryBlock();
  builder = std::make_unique<GraphBuilder>(context, body);
  builder->seed = options.seed;
  Scope scope;
  for (const auto &opset : model.opset_import())
    scope.opsets[opset.domain() == "ai.onnx" ? "" : opset.domain()] =
        opset.version();
  // Files of IR version <= 2 name no opsets; later ones must.
  int64_t opset = scope.getOpset("");
  if (model.opset_import_size() > 0 && scope.opsets.count("") &&
      (opset < kMinOpset || opset > kMaxOpset))
    report(Fault::Unsupported,
           "expects opset " + Twine(kMinOpset) + " to " + Twine(kMaxOpset) +
               " of ai.onnx, got " + Twine(opset) +
               "; convert the model with onnx.version_converter");
  else if (model.opset_import_size() == 0)
    report(Fault::BadModel, "expects an opset_import, the model has none");
  if (!errors.empty())
    return status();
  if (!model.has_ir_version())
    warn("the model has no ir_version");
  bindInputs(scope);
  readDeclaredShapes(model.graph(), scope);
  SmallVector<std::string> outputs;
  for (const auto &output : model.graph().output())
    outputs.push_back(output.name());
  importNodes(model.graph().node(), outputs, scope);
  for (const auto &output : model.graph().output())
    if (auto it = scope.missing.find(output.name());
        it != scope.missing.end()) {
      report(Fault::Unsupported, it->second);
      scope.poisoned.insert(output.name());
    }
  returnOutputs(scope);
  if (absl::Status bad = status(); !bad.ok())
    return bad;
  for (const std::string &warning : warnings)
    emitWarning(loc) << warning;
  return std::move(module);
}

absl::StatusOr<OwningOpRef<ModuleOp>>
qopt::importModel(MLIRContext *context, StringRef path,
                  const ImportOptions &options) {
  context->loadDialect<qg::QGDialect, func::FuncDialect>();
  ::onnx::ModelProto model;
  if (absl::Status status = readModel(path, model); !status.ok())
    return status;
  return Importer(context, model, ModelFolders::of(path), options).run();
}

absl::StatusOr<OwningOpRef<ModuleOp>>
qopt::importModelBytes(MLIRContext *context, StringRef bytes,
                       const ImportOptions &options) {
  context->loadDialect<qg::QGDialect, func::FuncDialect>();
  ::onnx::ModelProto model;
  if (absl::Status status = parseModel(bytes, "<bytes>", model); !status.ok())
    return status;
  return Importer(context, model, ModelFolders(), options).run();
}
