//===- Exporter.cpp - qg back to standard ONNX ----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Walks @main once and decides for each op in which order it computes.
//===----------------------------------------------------------------------===//
#include "Exporter.h"
#include "qopt/Export/ONNX/Export.h"
#include "qopt/Frontend/ONNX/Proto/EscapeNames.h"

using namespace mlir;
using namespace qopt;

static Permutation getIdentity(Value value) {
  return identityPermutation(getTensorType(value).getRank());
}

Permutation qopt::getChannelsFirst(int64_t rank) {
  Permutation p = identityPermutation(rank);
  p.insert(p.begin() + 1, rank - 1);
  p.pop_back();
  return p;
}

void Exporter::set(Value value, std::string name, ArrayRef<int64_t> order) {
  stored[value] = {name, Permutation(order)};
  forms[value].push_back({std::move(name), Permutation(order)});
}

/// Constants and dequantized constants take any order for free.
std::optional<std::string> Exporter::getConstant(Value value,
                                                 ArrayRef<int64_t> order) {
  auto dequantize = value.getDefiningOp<qg::DequantizeOp>();
  Value source = dequantize ? dequantize.getX() : value;
  std::optional<Tensor> tensor = qg::matchConstant(source);
  if (!tensor)
    return std::nullopt;
  std::string hint = "constant";
  if (isa<NameLoc, FusedLoc>(source.getLoc()))
    hint = qg::getUserName(source.getDefiningOp());
  Tensor ordered = transpose(*tensor, order);
  if (!dequantize)
    return writer.addInitializer(ordered, hint + "_value");
  qg::QuantizedType type = qg::getQuantizedType(source.getType());
  int64_t axis = type.isPerAxis() ? positionOf(order, type.getAxis()) : 0;
  return writeStoredConstant(ordered, type, axis, hint);
}

std::string Exporter::get(Value value, ArrayRef<int64_t> order) {
  for (const Stored &form : forms[value])
    if (ArrayRef<int64_t>(form.order) == order)
      return form.name;
  if (std::optional<std::string> constant = getConstant(value, order)) {
    forms[value].push_back({*constant, Permutation(order)});
    return *constant;
  }
  const Stored source = stored[value];
  Permutation p = compose(invert(source.order), order);
  ArrayRef<int64_t> shape = getTensorType(value).getShape();
  std::string name;
  if (movesNothing(p, applyPermutation(source.order, shape)))
    name = writer
               .addNode("Reshape",
                        {source.name,
                         writer.addIndices(applyPermutation(order, shape),
                                           source.name + "_shape")},
                        source.name + "_reshaped")
               .output();
  else
    name =
        writer.addNode("Transpose", {source.name}, source.name + "_transposed")
            .ints("perm", p)
            .output();
  forms[value].push_back({name, Permutation(order)});
  return name;
}

std::string Exporter::get(Value value) {
  return get(value, getIdentity(value));
}

/// An operand of lower rank than the result, whose order is `order`.
std::string Exporter::getBroadcast(Value value, ArrayRef<int64_t> order) {
  RankedTensorType type = getTensorType(value);
  if (isIdentity(order) || type.getNumElements() == 1)
    return get(value);
  Permutation shape(order.size() - type.getRank(), 1);
  shape.append(type.getShape().begin(), type.getShape().end());
  if (std::optional<Tensor> constant = qg::matchConstant(value))
    return writer.addInitializer(transpose(constant->reshaped(shape), order),
                                 "constant");
  return writer
      .addNode("Reshape",
               {get(value),
                writer.addIndices(applyPermutation(order, shape), "shape")},
               "broadcast")
      .output();
}

/// Follows the largest operand that does not lie in its own order.
OpLayout Exporter::chooseLayout(Operation *op) {
  int64_t largest = 0;
  std::optional<OpLayout> best;
  for (OpOperand &operand : op->getOpOperands()) {
    auto found = stored.find(operand.get());
    int64_t size = getTensorType(operand.get()).getNumElements();
    if (found == stored.end() || isIdentity(found->second.order) ||
        size <= largest)
      continue;
    std::optional<OpLayout> layout = getLayoutForOperand(
        op, operand.getOperandNumber(), found->second.order);
    if (!layout)
      continue;
    best = std::move(layout);
    largest = size;
  }
  if (best)
    return *best;
  OpLayout identity;
  for (Value operand : op->getOperands())
    identity.operands.push_back(getIdentity(operand));
  identity.result = getIdentity(op->getResult(0));
  return identity;
}

LogicalResult Exporter::writeFollowing(Operation *op) {
  OpLayout layout = chooseLayout(op);
  bool broadcasts = isa<qg::BinaryOp, qg::CompareOp, qg::SelectOp>(op);
  Names inputs;
  for (auto [operand, order] :
       llvm::zip_equal(op->getOperands(), layout.operands))
    inputs.push_back(!order.empty() ? get(operand, order)
                     : broadcasts   ? getBroadcast(operand, layout.result)
                                    : get(operand));
  std::optional<std::string> name = writeMovement(op, layout, inputs);
  if (!name)
    return failure();
  set(op->getResult(0), *name, layout.result);
  return success();
}

LogicalResult Exporter::checkTypes(Operation *op) {
  if (isa<qg::DynamicMatmulOp>(op))
    return op->emitError("expects products that standard ONNX has, got one "
                         "whose rows are rounded at run time (--scheme "
                         "w8a8-dyn, w4a8-dyn); export --scheme w8a8");
  for (Type type :
       llvm::concat<Type>(SmallVector<Type>(op->getOperandTypes()),
                          SmallVector<Type>(op->getResultTypes()))) {
    qg::QuantizedType quantized = qg::getQuantizedType(type);
    if (!quantized)
      continue;
    if (quantized.isDynamic_() || quantized.getGroupSize() ||
        quantized.isTable())
      return op->emitError()
             << "expects encodings per tensor or per axis for ONNX, got "
             << quantized;
    has16Bits |= quantized.getIntegerFormat().storageBits() == 16;
  }
  // A maximum of stored integers is one of theirs in ONNX as well.
  auto pool = dyn_cast<qg::PoolOp>(op);
  bool isMaximum = pool && pool.getKind() == PoolKind::max;
  bool computes =
      !isMaximum &&
      !isa<qg::ConstantOp, qg::QuantizeOp, qg::DequantizeOp, qg::RequantizeOp,
           qg::ObserveOp, qg::ReshapeOp, qg::TransposeOp, qg::BroadcastOp,
           qg::SliceOp, qg::PadOp, qg::GatherOp, qg::ConcatOp>(op);
  auto isQuantized = [](Type type) { return !!qg::getQuantizedType(type); };
  if (isa<qg::ConcatOp>(op))
    computes = !llvm::all_equal(op->getOperandTypes()) &&
               llvm::any_of(op->getOperands(), [&](Value operand) {
                 return getTensorType(operand).getElementType() !=
                        getTensorType(op->getResult(0)).getElementType();
               });
  if (computes && (llvm::any_of(op->getOperandTypes(), isQuantized) ||
                   llvm::any_of(op->getResultTypes(), isQuantized)))
    return op->emitError() << "expects float arithmetic between quantize and "
                              "dequantize for ONNX, got '"
                           << op->getName()
                           << "' on quantized tensors; export an earlier stage";
  return success();
}

LogicalResult Exporter::writeOp(Operation *op) {
  if (failed(checkTypes(op)))
    return failure();
  if (isa<qg::ConstantOp>(op))
    return success(); // written where it is read, in the order it is read in
  if (auto dequantize = dyn_cast<qg::DequantizeOp>(op))
    if (dequantize.getX().getDefiningOp<qg::ConstantOp>())
      return success();
  if (auto transpose = dyn_cast<qg::TransposeOp>(op)) {
    Value x = transpose.getX();
    if (stored.count(x)) {
      const Stored source = stored[x];
      set(transpose.getResult(), source.name,
          compose(invert(transpose.getPermutation()), source.order));
      return success();
    }
    set(transpose.getResult(), get(x, transpose.getPermutation()),
        getIdentity(transpose.getResult()));
    return success();
  }
  if (auto conv = dyn_cast<qg::ConvOp>(op))
    return writeConv(conv);
  if (auto conv = dyn_cast<qg::ConvTransposeOp>(op))
    return writeConvTranspose(conv);
  if (auto pool = dyn_cast<qg::PoolOp>(op))
    return writePool(pool);
  if (auto matmul = dyn_cast<qg::MatmulOp>(op))
    return writeMatmul(matmul);
  if (op->getNumResults() == 1 && op->getName().getDialectNamespace() == "qg")
    return writeFollowing(op);
  return op->emitError() << "expects qg ops for ONNX, got '" << op->getName()
                         << "'";
}

static std::string getPortName(DictionaryAttr attributes,
                               const Twine &otherwise) {
  if (attributes)
    if (auto name = attributes.getAs<StringAttr>("qg.name"))
      return name.str();
  return otherwise.str();
}

LogicalResult Exporter::run(func::FuncOp function, ::onnx::GraphProto &graph) {
  graph.set_name(function.getSymName().str());
  auto addInfo = [&](::onnx::ValueInfoProto &info, Type type,
                     StringRef name) -> LogicalResult {
    auto tensor = dyn_cast<RankedTensorType>(type);
    std::optional<DType> dtype;
    if (tensor)
      dtype = qg::getDType(tensor.getElementType());
    if (!dtype)
      return function.emitError() << "expects tensors for ONNX, got " << type;
    writer.addValueInfo(info, name, *dtype, tensor.getShape());
    return success();
  };
  SmallVector<std::string> results;
  for (unsigned i = 0; i < function.getNumResults(); ++i) {
    results.push_back(
        getPortName(function.getResultAttrDict(i), "output_" + Twine(i)));
    writer.reserve(results.back());
    if (failed(addInfo(*graph.add_output(), function.getResultTypes()[i],
                       results.back())))
      return failure();
  }
  for (BlockArgument argument : function.getArguments()) {
    unsigned i = argument.getArgNumber();
    std::string name =
        getPortName(function.getArgAttrDict(i), "input_" + Twine(i));
    writer.reserve(name);
    if (failed(addInfo(*graph.add_input(), argument.getType(), name)))
      return failure();
    set(argument, name, getIdentity(argument));
  }
  Block &body = function.getBody().front();
  for (Operation &op : body.without_terminator())
    if (failed(writeOp(&op)))
      return failure();
  for (auto [value, name] :
       llvm::zip_equal(body.getTerminator()->getOperands(), results)) {
    std::string source = get(value); // may add a transpose
    ::onnx::NodeProto *node = graph.add_node();
    node->set_op_type("Identity");
    node->set_name(name);
    node->add_input(source);
    node->add_output(name);
  }
  return success();
}

/// Products that assignment, not the scheme, rounds by rows: standard ONNX has
/// their weights, and multiplies the rows as they are, which is said.
static void unroundRows(func::FuncOp function) {
  std::string names;
  for (auto op :
       llvm::make_early_inc_range(function.getOps<qg::DynamicMatmulOp>())) {
    if (!op->hasAttr("qg.by_rows"))
      continue;
    names += (names.empty() ? "'" : ", '") + qg::getUserName(op) + "'";
    OpBuilder builder(op);
    LinearOpInterface linear = op;
    auto stored = cast<RankedTensorType>(linear.getWeight().getType());
    Value weight = qg::DequantizeOp::create(
        builder, op.getLoc(),
        RankedTensorType::get(stored.getShape(), builder.getF32Type()),
        linear.getWeight());
    auto product = qg::MatmulOp::create(
        builder, op.getLoc(), op->getResult(0).getType(), linear.getInput(),
        weight, linear.getBias(),
        linear.getOutputAxis() == 0 ? builder.getUnitAttr() : UnitAttr(),
        DenseI64ArrayAttr());
    op->replaceAllUsesWith(product->getResults());
    op->erase();
  }
  if (!names.empty())
    function.emitWarning()
        << "ONNX has no products whose rows are rounded at run time: in the "
           "file, rows of "
        << names
        << " are floats, so that it gives other bits than what is compiled "
           "here";
}

FailureOr<std::string> qopt::exportOnnx(ModuleOp given) {
  OwningOpRef<ModuleOp> copy(given.clone());
  ModuleOp module = *copy;
  auto function = module.lookupSymbol<func::FuncOp>("main");
  if (!function || function.isExternal())
    return module.emitError("expects a function 'main' with a body for ONNX");
  unroundRows(function);
  ::onnx::ModelProto model;
  Exporter exporter(*model.mutable_graph());
  if (failed(exporter.run(function, *model.mutable_graph())))
    return failure();
  model.set_ir_version(exporter.needsNewOpset() ? 10 : 8);
  model.set_producer_name("qopt");
  auto *opset = model.add_opset_import();
  opset->set_domain("");
  opset->set_version(exporter.needsNewOpset() ? 21 : 18);
  frontend::unescapeNames(model);
  std::string bytes;
  if (!model.SerializeToString(&bytes))
    return module.emitError("expects a model below 2 GiB for ONNX");
  return bytes;
}
