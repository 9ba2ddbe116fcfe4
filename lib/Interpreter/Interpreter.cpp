//===- Interpreter.cpp - Runs a module by its reference semantics ---------===//
// SPDX-License-Identifier: Apache-2.0
//
// One walk over @main, and over the body of a loop at every step; constants are
// decoded once for all runs.
//===----------------------------------------------------------------------===//
#include "qopt/Interpreter/Interpreter.h"

#include "absl/strings/str_cat.h"
#include "qopt/Dialect/QG/IR/HostTypes.h"
#include "qopt/Dialect/QG/IR/QGControl.h"
#include "llvm/ADT/DenseMap.h"

using namespace mlir;
using namespace qopt;

namespace {
using Values = llvm::DenseMap<Value, Tensor>;

/// Collects what ops report, so that it can become a status.
class ErrorCollector {
public:
  explicit ErrorCollector(MLIRContext *context)
      : handler_(context, [this](Diagnostic &diagnostic) {
          if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
            message_ += (message_.empty() ? "" : "; ") + diagnostic.str();
          return success();
        }) {}
  const std::string &message() const { return message_; }

private:
  std::string message_;
  ScopedDiagnosticHandler handler_;
};

class Interpreter : public Executor {
public:
  Interpreter(OwningOpRef<ModuleOp> module, func::FuncOp function,
              OpCallback callback)
      : module_(std::move(module)), function_(function),
        callback_(std::move(callback)) {}

  absl::StatusOr<llvm::SmallVector<Tensor>>
  run(llvm::ArrayRef<Tensor> inputs) override;

private:
  OwningOpRef<ModuleOp> module_;
  func::FuncOp function_;
  OpCallback callback_;
  /// Values of qg.constant ops, kept from one run to the next.
  Values constants_;
};
} // namespace

static std::string describe(DType dtype, ArrayRef<int64_t> shape) {
  return absl::StrCat(getName(dtype).str(), " ", formatShape(shape));
}

absl::Status qopt::checkInputs(func::FuncOp function, ArrayRef<Tensor> inputs) {
  if (inputs.size() != function.getNumArguments())
    return absl::InvalidArgumentError(
        absl::StrCat("expects ", function.getNumArguments(), " inputs, got ",
                     inputs.size()));
  for (unsigned i = 0; i < inputs.size(); ++i) {
    auto nameAttr = function.getArgAttrOfType<StringAttr>(i, "qg.name");
    std::string name = nameAttr ? nameAttr.str() : absl::StrCat("#", i);
    auto type = dyn_cast<RankedTensorType>(function.getArgument(i).getType());
    std::optional<DType> dtype;
    if (type)
      dtype = qg::getDType(type.getElementType());
    if (!dtype)
      return absl::InvalidArgumentError(
          absl::StrCat("input '", name, "' has a type without a host form"));
    if (inputs[i].dtype() != *dtype || inputs[i].shape() != type.getShape())
      return absl::InvalidArgumentError(absl::StrCat(
          "input '", name, "' expects ", describe(*dtype, type.getShape()),
          ", got ", describe(inputs[i].dtype(), inputs[i].shape())));
  }
  return absl::OkStatus();
}

/// Last op of the block that uses each value.
static llvm::DenseMap<Operation *, SmallVector<Value>>
getLastUses(Block &block) {
  llvm::DenseMap<Value, Operation *> last;
  for (Operation &op : block)
    for (Value operand : op.getOperands())
      last[operand] = &op;
  llvm::DenseMap<Operation *, SmallVector<Value>> result;
  for (auto [value, op] : last)
    result[op].push_back(value);
  return result;
}

namespace {
/// What runs of all blocks share.
struct Run {
  const Values &constants;
  const OpCallback &callback;
};
} // namespace

static absl::StatusOr<SmallVector<Tensor>>
runBlock(Block &block, ArrayRef<Tensor> arguments, const Run &run);

/// A loop whose ops are seen by the callback, step by step.
static absl::Status runLoop(qg::LoopOp loop, ArrayRef<Tensor> operands,
                            SmallVectorImpl<Tensor> &results, const Run &run) {
  absl::Status status;
  LogicalResult done = qg::runLoop(
      loop, operands, results,
      [&](ArrayRef<Tensor> arguments, SmallVectorImpl<Tensor> &yielded) {
        auto values = runBlock(loop.getBlock(), arguments, run);
        if (!values.ok()) {
          status = values.status();
          return failure();
        }
        yielded = std::move(*values);
        return success();
      });
  if (succeeded(done))
    return absl::OkStatus();
  return status.ok() ? absl::InvalidArgumentError("a loop cannot be run")
                     : status;
}

static absl::Status runOp(Operation &op, Values &values, const Run &run) {
  SmallVector<Tensor> results;
  if (op.getNumResults() == 1) {
    auto known = run.constants.find(op.getResult(0));
    if (known != run.constants.end())
      results.push_back(known->second);
  }
  if (results.empty()) {
    auto reference = dyn_cast<ReferenceOpInterface>(&op);
    if (!reference)
      return absl::InvalidArgumentError(
          absl::StrCat("expects ops with reference semantics, got '",
                       op.getName().getStringRef().str(), "'"));
    SmallVector<Tensor> operands;
    for (Value operand : op.getOperands())
      operands.push_back(values.lookup(operand));
    ErrorCollector errors(op.getContext());
    if (auto loop = dyn_cast<qg::LoopOp>(op)) {
      if (absl::Status status = runLoop(loop, operands, results, run);
          !status.ok())
        return status;
    } else if (failed(reference.evaluate(operands, results)))
      return absl::InvalidArgumentError(
          absl::StrCat(qg::getUserName(&op), ": ", errors.message()));
  }
  if (run.callback)
    run.callback(&op, results);
  for (auto [value, tensor] : llvm::zip_equal(op.getResults(), results))
    if (!value.use_empty())
      values[value] = tensor;
  return absl::OkStatus();
}

static absl::StatusOr<SmallVector<Tensor>>
runBlock(Block &block, ArrayRef<Tensor> arguments, const Run &run) {
  Values values;
  for (auto [argument, tensor] :
       llvm::zip_equal(block.getArguments(), arguments))
    values[argument] = tensor;
  auto lastUses = getLastUses(block);
  for (Operation &op : block.without_terminator()) {
    if (absl::Status status = runOp(op, values, run); !status.ok())
      return status;
    for (Value value : lastUses.lookup(&op))
      values.erase(value);
  }
  SmallVector<Tensor> results;
  for (Value value : block.getTerminator()->getOperands())
    results.push_back(values.lookup(value));
  return results;
}

static absl::StatusOr<llvm::SmallVector<Tensor>>
interpretWith(func::FuncOp function, ArrayRef<Tensor> inputs,
              const Values &constants, const OpCallback &callback) {
  if (absl::Status status = checkInputs(function, inputs); !status.ok())
    return status;
  if (!llvm::hasSingleElement(function.getBody()))
    return absl::InvalidArgumentError(absl::StrCat(
        "expects function '", function.getName().str(), "' to have one block"));
  return runBlock(function.getBody().front(), inputs, {constants, callback});
}

absl::StatusOr<llvm::SmallVector<Tensor>>
qopt::interpret(func::FuncOp function, ArrayRef<Tensor> inputs,
                const OpCallback &callback) {
  return interpretWith(function, inputs, Values(), callback);
}

absl::StatusOr<llvm::SmallVector<Tensor>>
Interpreter::run(ArrayRef<Tensor> given) {
  if (constants_.empty())
    function_.walk([&](qg::ConstantOp constant) {
      if (std::optional<Tensor> value = qg::matchConstant(constant))
        constants_[constant.getResult()] = *value;
    });
  // Callers see the signs of encodings, as in compiled code.
  auto getEncoded = [](Type type, DictionaryAttr attributes) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    qg::QuantizedType encoding =
        tensor ? qg::getHostEncoding(tensor, attributes) : nullptr;
    return encoding ? qg::getDType(encoding) : std::nullopt;
  };
  SmallVector<Tensor> inputs(given.begin(), given.end());
  for (auto [i, type] : llvm::enumerate(function_.getArgumentTypes())) {
    auto encoded = getEncoded(type, function_.getArgAttrDict(i));
    if (i < inputs.size() && encoded == inputs[i].dtype())
      inputs[i] = inputs[i].bitcast(
          *qg::getDType(cast<RankedTensorType>(type).getElementType()));
  }
  auto results = interpretWith(function_, inputs, constants_, callback_);
  if (!results.ok())
    return results;
  for (auto [i, result] : llvm::enumerate(*results))
    if (auto encoded = getEncoded(function_.getResultTypes()[i],
                                  function_.getResultAttrDict(i)))
      result = result.bitcast(*encoded);
  return results;
}

absl::StatusOr<std::unique_ptr<Executor>>
qopt::createInterpreter(ModuleOp module, OpCallback callback) {
  OwningOpRef<ModuleOp> copy(module.clone());
  auto function = copy->lookupSymbol<func::FuncOp>("main");
  if (!function || function.isExternal())
    return absl::InvalidArgumentError("expects a module with a function @main");
  return std::make_unique<Interpreter>(std::move(copy), function,
                                       std::move(callback));
}

ExecutorFactory qopt::makeInterpreterFactory() {
  return [](ModuleOp module) { return createInterpreter(module); };
}
