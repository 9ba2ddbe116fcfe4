//===- Importer.cpp - From a ModelProto to a qg module --------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Walks the graph, binds names, inlines functions, and
// collects what every node has to say before it gives up.
//===----------------------------------------------------------------------===//
#include "Importer.h"
#include "qopt/Frontend/ONNX/Proto/ProtoReader.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

/// Functions and branches nest at most this deep.
static constexpr unsigned kMaxDepth = 64;
/// Nodes that functions and unrolled bodies may write beyond those of the file:
/// forty functions that call the next one twice are few bytes.
static constexpr int64_t kMostWritten = int64_t(1) << 17;

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
