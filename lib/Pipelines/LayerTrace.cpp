//===- LayerTrace.cpp - What every layer computes -------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Adds results to a copy of the module; which executor runs it is not its
// business.
//===----------------------------------------------------------------------===//
#include "qopt/Pipelines/LayerTrace.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Pipelines/Model.h"
#include "qopt/Support/Diagnostics.h"

using namespace qopt;

/// The name of the layer whose result an op's is. Where several nodes became
/// one op, that is the last of them: its result is what the graph goes on with.
static std::string getLayerName(mlir::Operation *op) {
  if (auto fused = llvm::dyn_cast<mlir::FusedLoc>(op->getLoc()))
    if (!fused.getLocations().empty())
      if (auto name =
              llvm::dyn_cast<mlir::NameLoc>(fused.getLocations().back()))
        return name.getName().str();
  if (auto name = op->getLoc()->findInstanceOf<mlir::NameLoc>())
    return name.getName().str();
  return "";
}

static bool isLayer(mlir::Operation *op) {
  auto rule = llvm::dyn_cast<FormatRuleOpInterface>(op);
  if (!rule || op->getNumResults() != 1)
    return false;
  switch (rule.getFormatRule()) {
  case FormatRule::Constant:
  case FormatRule::PassThrough:
  case FormatRule::Boundary:
    return false;
  default:
    return true;
  }
}

/// An encoded value as real numbers.
static mlir::Value toReal(mlir::OpBuilder &builder, mlir::Value value) {
  auto type = llvm::cast<mlir::RankedTensorType>(value.getType());
  if (!qg::getQuantizedType(type.getElementType()))
    return value;
  return qg::DequantizeOp::create(
      builder, value.getLoc(),
      mlir::RankedTensorType::get(type.getShape(), builder.getF32Type()),
      value);
}

static bool isConstant(mlir::Value value) {
  return llvm::isa_and_nonnull<qg::ConstantOp>(value.getDefiningOp());
}

/// True for relu and for a minimum or maximum with a constant.
static bool isActivation(mlir::Operation *op) {
  if (auto unary = llvm::dyn_cast<qg::UnaryOp>(op))
    return unary.getKind() == UnaryKind::relu;
  auto binary = llvm::dyn_cast<qg::BinaryOp>(op);
  return binary &&
         (binary.getKind() == BinaryKind::min ||
          binary.getKind() == BinaryKind::max) &&
         (isConstant(op->getOperand(0)) || isConstant(op->getOperand(1)));
}

/// A quantized layer ends with its activation, a float one before it: what is
/// comparable is the value after the activations that follow a layer alone.
static mlir::Value followActivations(mlir::Value value) {
  for (mlir::Value next = value; next.hasOneUse();) {
    mlir::Operation *user = *next.getUsers().begin();
    if (isActivation(user))
      value = next = user->getResult(0);
    else if (llvm::isa<qg::QuantizeOp, qg::DequantizeOp>(user))
      next = user->getResult(0);
    else
      break;
  }
  return value;
}

absl::StatusOr<LayerTrace> LayerTrace::open(mlir::ModuleOp module,
                                            Engine engine) {
  mlir::OwningOpRef<mlir::ModuleOp> traced(module.clone());
  auto main = traced->lookupSymbol<mlir::func::FuncOp>("main");
  if (!main || main.isExternal())
    return Error(Code::ModelInvalid, "expected a function '@main'");
  std::vector<std::string> names;
  std::map<std::string, mlir::Value> values;
  for (mlir::Operation &op : main.front()) {
    std::string name = isLayer(&op) ? getLayerName(&op) : "";
    if (name.empty())
      continue;
    // A later op of the same name takes the place in the order.
    if (values.count(name))
      names.erase(std::find(names.begin(), names.end(), name));
    names.push_back(name);
    values[name] = followActivations(op.getResult(0));
  }
  mlir::Operation *end = main.front().getTerminator();
  mlir::OpBuilder builder(end);
  LayerTrace trace;
  trace.names_ = std::move(names);
  trace.ownResults_ = end->getNumOperands();
  auto lengths = qg::getResultLengths(main);
  if (!lengths)
    return Error(Code::ModelInvalid, llvm::toString(lengths.takeError()));
  llvm::SmallVector<mlir::Value> results(end->getOperands());
  for (const std::string &name : trace.names_) {
    for (const qg::ResultLength &dim : *lengths)
      if (results[dim.result] == values[name]) {
        trace.counted_.push_back({results.size(), dim.axis, dim.length});
        break;
      }
    results.push_back(toReal(builder, values[name]));
  }
  end->setOperands(results);
  llvm::SmallVector<mlir::DictionaryAttr> attributes;
  main.getAllResultAttrs(attributes);
  main.setType(builder.getFunctionType(
      main.getFunctionType().getInputs(),
      llvm::to_vector(mlir::ValueRange(results).getTypes())));
  attributes.resize(results.size(), builder.getDictionaryAttr({}));
  main.setAllResultAttrs(attributes);
  QOPT_ASSIGN(trace.executor_, getExecutorFactory(engine)(*traced));
  return trace;
}

absl::StatusOr<llvm::SmallVector<Tensor>>
LayerTrace::run(llvm::ArrayRef<Tensor> inputs) {
  QOPT_ASSIGN(llvm::SmallVector<Tensor> results, executor_->run(inputs));
  for (const qg::ResultLength &dim : counted_) {
    Tensor &array = results[dim.result];
    int64_t extent = array.shape()[dim.axis];
    array = takeFirst(
        array, dim.axis,
        std::clamp<int64_t>(results[dim.length].getInt(0), 0, extent));
  }
  results.erase(results.begin(), results.begin() + ownResults_);
  return results;
}
