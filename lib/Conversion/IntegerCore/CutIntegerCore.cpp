//===- CutIntegerCore.cpp - Where the host ends and the device begins -----===//
// SPDX-License-Identifier: Apache-2.0
//
// Quantization and layout of the inputs stay on the host, as does what follows
// the last integer; the rest must be integer arithmetic.
//===----------------------------------------------------------------------===//
#include "qopt/Conversion/IntegerCore.h"
#include "qopt/Dialect/FXP/IR/FXP.h"
#include "qopt/Dialect/QG/IR/QG.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace qopt;

static bool movesElements(Operation *op) {
  return isa<qg::ReshapeOp, qg::TransposeOp>(op);
}

/// Channels last to channels first: the host's layout. Other orders are part
/// of the network (depth to space) and stay on the device.
static bool isLayout(Operation *op) {
  auto transpose = dyn_cast<qg::TransposeOp>(op);
  if (!transpose)
    return true;
  auto type = cast<RankedTensorType>(transpose.getX().getType());
  SmallVector<int64_t> order;
  for (int64_t dim : transpose.getPermutation())
    if (type.getDimSize(dim) != 1)
      order.push_back(dim);
  // The channels may come first; all others keep their order.
  if (!order.empty() && order.front() == type.getRank() - 1)
    order.erase(order.begin());
  return llvm::is_sorted(order);
}

static bool isConstant(Value value) {
  return value.getDefiningOp<qg::ConstantOp>() != nullptr;
}

static bool isInteger(Value value) {
  return cast<RankedTensorType>(value.getType())
      .getElementType()
      .isSignlessInteger();
}

/// Whether elements of `value` are elements of what `user` gives.
static bool passesElements(Operation *user, Value value) {
  // Indices are no elements of what they pick.
  if (isa<qg::GatherOp>(user))
    return user->getOperand(0) == value;
  return movesElements(user) ||
         isa<qg::SliceOp, qg::BroadcastOp, qg::ConcatOp, qg::PadOp>(user) ||
         (isa<fxp::MaxPoolOp>(user) && !user->hasAttr("x_unsigned"));
}

/// Whether readers of a stored integer take it as unsigned.
static bool isReadUnsigned(Value value) {
  for (Operation *user : value.getUsers()) {
    if (passesElements(user, value)) {
      if (isReadUnsigned(user->getResult(0)))
        return true;
      continue;
    }
    bool isRhs = user->getNumOperands() > 1 && user->getOperand(1) == value;
    for (StringRef name : {"x_unsigned", "lhs_unsigned", "rhs_unsigned"})
      if (user->hasAttr(name) && (name != "rhs_unsigned" || isRhs) &&
          (name != "lhs_unsigned" || user->getOperand(0) == value))
        return true;
  }
  return false;
}

/// The op that decides what a stored integer means, through data movement.
static Operation *getOrigin(Value value) {
  Operation *op = value.getDefiningOp();
  while (op && movesElements(op))
    op = op->getOperand(0).getDefiningOp();
  return op;
}

/// Floats are read or written: an index of the largest float is one, too.
static bool computesInFloat(Operation &op) {
  return !llvm::all_of(op.getResults(), isInteger) ||
         !llvm::all_of(op.getOperands(), isInteger);
}

namespace {
class Cutter {
public:
  Cutter(ModuleOp module, bool dropsHead, HasFormFn hasForm)
      : function_(module.lookupSymbol<func::FuncOp>("main")),
        dropsHead_(dropsHead), hasForm_(hasForm) {}

  FailureOr<IntegerCore> run() {
    if (!function_ || !function_.getBody().hasOneBlock())
      return failure();
    for (Operation &op : function_.getBody().front())
      if (isOnHost(op))
        host_.insert(&op);
    for (Operation &op : llvm::reverse(function_.getBody().front()))
      if (isBehind(op))
        behind_.insert(&op);
    // A change of shape costs nothing on the device, whose outputs then have
    // the shapes of the model.
    for (Operation &op : function_.getBody().front())
      if (isa<qg::ReshapeOp>(op) && behind_.contains(&op) &&
          isInteger(op.getResult(0)) && !isFromHost(op.getOperand(0)) &&
          !behind_.contains(op.getOperand(0).getDefiningOp()))
        behind_.erase(&op);
    if (failed(check()))
      return failure();
    collectPorts();
    IntegerCore result;
    result.host = buildHost();
    result.core = buildCore();
    result.behind = buildBehind();
    result.inputs = std::move(inputPorts_);
    result.outputs = std::move(outputPorts_);
    result.head = std::move(head_);
    result.hostResults = std::move(hostResults_);
    return result;
  }

private:
  /// Exact casts to f32, of 16-bit floats and narrow integers.
  static bool isWidening(Operation &op) {
    auto cast = dyn_cast<qg::CastOp>(op);
    if (!cast || !getTensorType(cast).getElementType().isF32())
      return false;
    Type from = getTensorType(cast.getX()).getElementType();
    return from.isF16() || from.isBF16() || from.isInteger(8) ||
           from.isInteger(16);
  }

  /// Ops on the way from the inputs to their integers.
  bool isOnHost(Operation &op) {
    // Normalizing a sample by constants is preprocessing.
    return (isa<fxp::QuantizeOp, qg::BinaryOp, qg::UnaryOp>(op) ||
            isWidening(op) || movesElements(&op)) &&
           llvm::all_of(op.getOperands(), [&](Value operand) {
             return isa<BlockArgument>(operand) || isConstant(operand) ||
                    host_.contains(operand.getDefiningOp());
           });
  }

  /// Ops that compute in float, or lay out, and only reach the outputs.
  bool isBehind(Operation &op) {
    if (op.hasTrait<OpTrait::IsTerminator>() || host_.contains(&op) ||
        isa<qg::ConstantOp>(op))
      return false;
    if (!computesInFloat(op) && !(movesElements(&op) && isLayout(&op)))
      return false;
    return llvm::all_of(op.getUsers(), [&](Operation *user) {
      return user->hasTrait<OpTrait::IsTerminator>() || behind_.contains(user);
    });
  }

  LogicalResult check() {
    bool isValid = true;
    for (Operation &op : function_.getBody().front()) {
      if (op.hasTrait<OpTrait::IsTerminator>() || host_.contains(&op) ||
          isa<qg::ConstantOp>(op))
        continue;
      if (!computesInFloat(op)) {
        // In one round with what is float.
        if (!behind_.contains(&op) && hasForm_ && !hasForm_(&op)) {
          op.emitError() << "'" << op.getName() << "' (" << qg::getUserName(&op)
                         << ") has no unit: not supported by this target";
          isValid = false;
        }
        continue;
      }
      if (!behind_.contains(&op)) {
        op.emitError() << "'" << op.getName() << "' (" << qg::getUserName(&op)
                       << ") computes in float between integer layers";
        isValid = false;
      } else if (!isa<fxp::DequantizeOp>(op) && !movesElements(&op)) {
        if (dropsHead_) {
          head_.push_back(qg::getUserName(&op));
          continue;
        }
        op.emitError() << "'" << op.getName() << "' (" << qg::getUserName(&op)
                       << ") computes in float; --outputs=quantized stops "
                          "before it";
        isValid = false;
      }
    }
    return success(isValid);
  }

  void collectPorts() {
    Operation *terminator = function_.getBody().front().getTerminator();
    for (Operation &op : function_.getBody().front()) {
      if (host_.contains(&op) || behind_.contains(&op) || &op == terminator)
        continue;
      for (Value operand : op.getOperands())
        if (isFromHost(operand))
          inputs_.insert(operand);
    }
    for (OpOperand &result : terminator->getOpOperands())
      addOutputs(result);
    for (Value value : inputs_)
      inputPorts_.push_back(
          describe(value, getOwnName(inputPorts_, getInputName(value), value)));
  }

  /// `name`, or that of the op which makes `value` where an array has it.
  static std::string getOwnName(ArrayRef<DevicePort> ports, std::string name,
                                Value value) {
    auto isTaken = [&](StringRef text) {
      return llvm::any_of(
          ports, [&](const DevicePort &port) { return port.name == text; });
    };
    if (Operation *op = value.getDefiningOp(); op && isTaken(name))
      name = qg::getUserName(op);
    std::string own = name;
    for (int i = 2; isTaken(own); ++i)
      own = name + "_" + std::to_string(i);
    return own;
  }

  /// Ports of one result of the model. It has an array of its own, but where
  /// floats behind the device make it of what others read, too.
  void addOutputs(OpOperand &result) {
    bool isOwn = true, isFound = false;
    SmallVector<Value> reached = {result.get()};
    for (size_t i = 0; i < reached.size(); ++i) {
      Value value = reached[i];
      if (Operation *op = value.getDefiningOp(); behind_.contains(op)) {
        isOwn &= movesElements(op) || isa<fxp::DequantizeOp>(op);
        for (Value operand : op->getOperands())
          if (!llvm::is_contained(reached, operand))
            reached.push_back(operand);
        continue;
      }
      if (isConstant(value) || isFromHost(value))
        continue;
      isFound = true;
      if (!isOwn && llvm::is_contained(outputs_, value))
        continue;
      outputs_.push_back(value);
      outputPorts_.push_back(
          describe(value, getOwnName(outputPorts_, getName(result), value),
                   isOwn ? &result : nullptr));
    }
    if (!isFound)
      hostResults_.push_back(getName(result));
  }

  std::string getName(OpOperand &result) {
    auto name = function_.getResultAttrOfType<StringAttr>(
        result.getOperandNumber(), "qg.name");
    return name ? name.str() : "output";
  }

  /// Computed by the host, from what the model is given.
  bool isFromHost(Value value) {
    return isa<BlockArgument>(value) || host_.contains(value.getDefiningOp());
  }

  std::string getInputName(Value value) {
    while (Operation *op = value.getDefiningOp()) {
      auto operands = op->getOperands();
      auto it = llvm::find_if_not(operands, isConstant);
      if (it == operands.end())
        return "input";
      value = *it;
    }
    auto name = function_.getArgAttrOfType<StringAttr>(
        cast<BlockArgument>(value).getArgNumber(), "qg.name");
    return name ? name.str() : "input";
  }

  /// What an array stands for as the op that makes or reads it has it.
  static void setScales(DevicePort &port, ElementsAttr scales,
                        ArrayRef<int64_t> zps, int64_t axis) {
    FailureOr<Tensor> tensor = qg::getTensor(scales, scales.getType());
    if (failed(tensor))
      return;
    port.scales.clear();
    for (int64_t i = 0; i < tensor->numElements(); ++i)
      port.scales.push_back(float(tensor->getFloat(i)));
    port.zeroPoints.assign(zps.begin(), zps.end());
    port.axis = axis;
  }

  /// `result`: the model's own, whose type says what it stands for.
  DevicePort describe(Value value, std::string name,
                      OpOperand *result = nullptr) {
    DevicePort port;
    port.name = std::move(name);
    auto type = cast<RankedTensorType>(value.getType());
    port.shape.assign(type.getShape().begin(), type.getShape().end());
    port.storageBits = std::max(8u, type.getElementTypeBitWidth());
    port.isUnsigned = isReadUnsigned(value);
    if (auto op = dyn_cast_or_null<fxp::QuantizeOp>(getOrigin(value))) {
      port.isUnsigned = op.getIsUnsigned();
      port.low = op.getClamp()[0];
      port.high = op.getClamp()[1];
      // Per channel: a dimension of an array that is moved afterwards.
      if (op.getZps().size() == 1 || value.getDefiningOp() == op)
        setScales(port, op.getScales(), op.getZps(), op.getAxis());
    }
    if (isa_and_nonnull<qg::ArgReduceOp, qg::TopKOp>(getOrigin(value)))
      port.isUnsigned = true; // an index
    auto attr = result ? function_.getResultAttrOfType<TypeAttr>(
                             result->getOperandNumber(), "qg.encoding")
                       : TypeAttr();
    if (auto encoding = attr ? qg::getQuantizedType(attr.getValue()) : nullptr;
        encoding) {
      const IntegerFormat &format = encoding.getIntegerFormat();
      port.isUnsigned = !format.isSigned;
      if (format.bits < format.storageBits()) {
        port.low = format.min();
        port.high = format.max();
      }
      if (encoding.isPerTensor()) {
        port.scales = {encoding.getScale()};
        port.zeroPoints = {encoding.getZeroPoint()};
      }
    }
    SmallVector<Value> reached = {value};
    for (size_t i = 0; i < reached.size(); ++i)
      for (Operation *user : reached[i].getUsers())
        if (auto op = dyn_cast<fxp::DequantizeOp>(user)) {
          port.isUnsigned = op.getXUnsigned();
          if (op.getZps().size() == 1 || reached[i] == value)
            setScales(port, op.getScales(), op.getZps(), op.getAxis());
        } else if (movesElements(user)) {
          reached.push_back(user->getResult(0));
        }
    return port;
  }

  OwningOpRef<ModuleOp> buildHost() {
    OwningOpRef<ModuleOp> module =
        build(function_.getArguments(), inputs_.getArrayRef(),
              [&](Operation *op) { return host_.contains(op); });
    // Names, and the signs of what a caller gives.
    auto main = module->lookupSymbol<func::FuncOp>("main");
    for (unsigned i = 0, e = function_.getNumArguments(); i < e; ++i)
      main.setArgAttrs(i, function_.getArgAttrDict(i));
    return module;
  }

  OwningOpRef<ModuleOp> buildCore() {
    OwningOpRef<ModuleOp> module =
        build(inputs_.getArrayRef(), outputs_, [&](Operation *op) {
          return !host_.contains(op) && !behind_.contains(op);
        });
    auto main = module->lookupSymbol<func::FuncOp>("main");
    MLIRContext *context = main.getContext();
    for (auto [i, port] : llvm::enumerate(inputPorts_)) {
      main.setArgAttr(i, "qg.name", StringAttr::get(context, port.name));
      main.setArgAttr(i, kElementAttr, TypeAttr::get(getElement(inputs_[i])));
    }
    for (auto [i, port] : llvm::enumerate(outputPorts_)) {
      main.setResultAttr(i, "qg.name", StringAttr::get(context, port.name));
      // What writes them need not say their sign: a table does not.
      auto type = cast<RankedTensorType>(outputs_[i].getType());
      if (port.isUnsigned && type.getElementType().isSignlessInteger(8))
        main.setResultAttr(
            i, kElementAttr,
            TypeAttr::get(IntegerType::get(context, 8, IntegerType::Unsigned)));
    }
    return module;
  }

  /// From what leaves the device, and what the model is given, to the model's
  /// results.
  OwningOpRef<ModuleOp> buildBehind() {
    SmallVector<Value> arguments(outputs_.begin(), outputs_.end());
    llvm::append_range(arguments, function_.getArguments());
    Operation *terminator = function_.getBody().front().getTerminator();
    OwningOpRef<ModuleOp> module =
        build(arguments, terminator->getOperands(), [&](Operation *op) {
          return host_.contains(op) || behind_.contains(op);
        });
    auto main = module->lookupSymbol<func::FuncOp>("main");
    for (unsigned i = 0, e = function_.getNumResults(); i < e; ++i)
      main.setResultAttrs(i, function_.getResultAttrDict(i));
    return module;
  }

  /// What an input can hold: what its quantization clamps to.
  IntegerType getElement(Value value) {
    MLIRContext *context = value.getContext();
    if (auto op = dyn_cast_or_null<fxp::QuantizeOp>(getOrigin(value)))
      return getNarrowestType(context, op.getClamp()[0], op.getClamp()[1]);
    unsigned bits = cast<RankedTensorType>(value.getType())
                        .getElementType()
                        .getIntOrFloatBitWidth();
    return IntegerType::get(context, bits,
                            isReadUnsigned(value) ? IntegerType::Unsigned
                                                  : IntegerType::Signed);
  }

  /// A module whose `@main` computes `results` from `arguments` by the ops of
  /// the old one that `keeps` names, and constants.
  OwningOpRef<ModuleOp> build(ValueRange arguments, ValueRange results,
                              function_ref<bool(Operation *)> keeps) {
    OwningOpRef<ModuleOp> module = ModuleOp::create(function_.getLoc());
    OpBuilder builder(module->getBodyRegion());
    auto main = func::FuncOp::create(
        builder, function_.getLoc(), "main",
        builder.getFunctionType(arguments.getTypes(), results.getTypes()));
    Block *block = main.addEntryBlock();
    builder.setInsertionPointToEnd(block);
    IRMapping mapping;
    mapping.map(arguments, block->getArguments());
    for (Operation &op : function_.getBody().front())
      if (!op.hasTrait<OpTrait::IsTerminator>() &&
          (isa<qg::ConstantOp>(op) ? !op.use_empty() : keeps(&op)))
        builder.clone(op, mapping);
    SmallVector<Value> mapped;
    for (Value result : results)
      mapped.push_back(mapping.lookup(result));
    func::ReturnOp::create(builder, function_.getLoc(), mapped);
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(*block)))
      if (isa<qg::ConstantOp>(op) && op.use_empty())
        op.erase();
    return module;
  }

  func::FuncOp function_;
  bool dropsHead_;
  HasFormFn hasForm_;
  llvm::DenseSet<Operation *> host_, behind_;
  llvm::SetVector<Value> inputs_;
  SmallVector<Value> outputs_; ///< one that is several results, each time
  std::vector<DevicePort> inputPorts_, outputPorts_;
  std::vector<std::string> head_, hostResults_;
};
} // namespace

IntegerType qopt::getNarrowestType(MLIRContext *context, int64_t low,
                                   int64_t high) {
  bool isSigned = low < 0;
  unsigned bits = 1;
  auto fits = [&] {
    return isSigned ? low >= -(int64_t(1) << (bits - 1)) &&
                          high < int64_t(1) << (bits - 1)
                    : high < int64_t(1) << bits;
  };
  while (bits < 62 && !fits())
    ++bits;
  return IntegerType::get(
      context, bits, isSigned ? IntegerType::Signed : IntegerType::Unsigned);
}

FailureOr<IntegerCore> qopt::cutIntegerCore(ModuleOp lowered, bool dropsHead,
                                            HasFormFn hasForm) {
  FailureOr<IntegerCore> cut = Cutter(lowered, dropsHead, hasForm).run();
  if (failed(cut) || !cut->outputs.empty())
    return cut;
  auto main = lowered.lookupSymbol<func::FuncOp>("main");
  return main.emitError("expects a result that is computed in integers, got "
                        "none: all ops are float and left to the caller, so "
                        "there is nothing to emit");
}
