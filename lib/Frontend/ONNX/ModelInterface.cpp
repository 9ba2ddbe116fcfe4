//===- ModelInterface.cpp - Inputs and outputs of an imported model -------===//
// SPDX-License-Identifier: Apache-2.0
//
// What the file declares of them: extents, types and initial values, and the
// lengths that results have at run time.
//===----------------------------------------------------------------------===//
#include "Importer.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

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
