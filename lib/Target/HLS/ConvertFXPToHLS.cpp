//===- ConvertFXPToHLS.cpp - Integer tensors to units and streams ---------===//
// SPDX-License-Identifier: Apache-2.0
//
// One op becomes one unit, or a sliding window and a unit, with one lane
// everywhere; hls-fold unfolds them. Everything that has no unit is reported
// before anything is changed.
//===----------------------------------------------------------------------===//
#include "Convert.h"
#include "qopt/Dialect/FXP/IR/FXP.h"
#include "qopt/Dialect/QG/IR/QG.h"

#include "mlir/Pass/Pass.h"

namespace qopt::hls {
#include "qopt/Target/HLS/ConvertFXPToHLS.h.inc"
} // namespace qopt::hls

using namespace mlir;
using namespace qopt;
using namespace qopt::hls;

namespace {
class Converter {
public:
  Converter(func::FuncOp function, const Conversions &conversions)
      : function_(function), conversions_(conversions),
        builder_(function.getContext()), streams_(builder_) {}

  LogicalResult run();

private:
  LogicalResult addStreams(SmallVectorImpl<Type> &arguments);
  LogicalResult convertReachable(Operation *op);
  void addSources(MutableArrayRef<OpOperand> operands);
  LogicalResult convert(Operation *op);

  func::FuncOp function_;
  const Conversions &conversions_;
  OpBuilder builder_;
  Streams streams_;
  SmallVector<Operation *> tables_; ///< constants that are streams
};
} // namespace

/// Constants that a unit reads as streams. Each reader gets one of its own: it
/// alone says the sign of the bytes.
void Converter::addSources(MutableArrayRef<OpOperand> operands) {
  for (OpOperand &operand : operands) {
    auto constant = operand.get().getDefiningOp<qg::ConstantOp>();
    if (!constant)
      continue;
    tables_.push_back(OpBuilder(constant).clone(*constant));
    operand.set(tables_.back()->getResult(0));
    streams_.addSource(operand.get());
  }
}

LogicalResult Converter::convert(Operation *op) {
  const Conversions::Conversion *conversion = conversions_.find(op);
  if (!conversion)
    return refuse(op) << "not supported by this target";
  // A constant is a parameter where the unit has any.
  addSources(conversion->hasParameters ? op->getOpOperands().take_front()
                                       : op->getOpOperands());
  for (OpOperand &operand : op->getOpOperands())
    if (!streams_.has(operand.get()) &&
        !(conversion->hasParameters && operand.getOperandNumber() > 0))
      return refuse(op) << "expects constants of up to 32 bits, at least one";
  FailureOr<Value> stream = conversion->convert(op, streams_);
  if (failed(stream))
    return failure();
  streams_.define(op->getResult(0), *stream, op->getLoc());
  return success();
}

/// Streams beside the arguments, which are erased when all is converted.
LogicalResult Converter::addStreams(SmallVectorImpl<Type> &arguments) {
  Block &block = function_.getBody().front();
  for (BlockArgument argument : block.getArguments()) {
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    auto element = function_.getArgAttrOfType<TypeAttr>(argument.getArgNumber(),
                                                        kElementAttr);
    if (!type || !type.getElementType().isSignlessInteger() ||
        (element && !isa<IntegerType>(element.getValue())))
      return function_.emitError("expects integer tensors as arguments");
    if (type.getNumElements() == 0)
      return function_.emitError("expects arguments that are not empty");
    IntegerType integer =
        element
            ? cast<IntegerType>(element.getValue())
            : IntegerType::get(function_.getContext(),
                               type.getElementType().getIntOrFloatBitWidth(),
                               isReadUnsigned(argument) ? IntegerType::Unsigned
                                                        : IntegerType::Signed);
    arguments.push_back(getStream(type.getNumElements(), integer));
  }
  unsigned count = block.getNumArguments();
  for (unsigned i = 0; i < count; ++i) {
    Value stream = block.addArgument(arguments[i], function_.getLoc());
    streams_.define(block.getArgument(i), stream, function_.getLoc());
  }
  return success();
}

/// The op if its operands are streams, or parameters where it has any. Ops
/// behind a refused one have no streams: one error is enough.
LogicalResult Converter::convertReachable(Operation *op) {
  bool isReachable = llvm::all_of(op->getOperands(), [&](Value operand) {
    return operand.getDefiningOp<qg::ConstantOp>() || streams_.has(operand);
  });
  if (!isReachable) {
    // Still say what this op itself lacks, where that needs no stream.
    if (!isa<fxp::FXPDialect, qg::QGDialect>(op->getDialect()))
      refuse(op) << "not supported by this target";
    return success();
  }
  return convert(op);
}

LogicalResult Converter::run() {
  Block &block = function_.getBody().front();
  Operation *terminator = block.getTerminator();
  builder_.setInsertionPoint(terminator);
  unsigned count = block.getNumArguments();
  SmallVector<Type> arguments, results;
  if (failed(addStreams(arguments)))
    return failure();
  SmallVector<Operation *> old;
  for (Operation &op : block) {
    if (&op == terminator)
      break;
    // Ops of this conversion are behind the old ones.
    if (op.getDialect() && op.getDialect()->getNamespace() == "hls")
      break;
    old.push_back(&op);
  }
  bool isValid = true;
  for (Operation *op : old)
    if (!isa<qg::ConstantOp>(op) && failed(convertReachable(op)))
      isValid = false;
  if (!isValid)
    return failure();
  SmallVector<Value> returned;
  for (Value value : terminator->getOperands()) {
    if (!streams_.has(value))
      return function_.emitError(
          "expects results that are computed from the inputs");
    Value stream = streams_.take(value);
    // Between two ports a unit moves the tokens.
    if (isa<BlockArgument>(stream))
      stream = WidthOp::create(builder_, function_.getLoc(), stream.getType(),
                               stream);
    returned.push_back(stream);
    results.push_back(stream.getType());
  }
  terminator->setOperands(returned);
  for (Operation *op : llvm::reverse(old))
    op->erase();
  for (Operation *op : tables_)
    op->erase();
  block.eraseArguments(0, count);
  function_.setFunctionType(
      FunctionType::get(function_.getContext(), arguments, results));
  return success();
}

namespace {
struct ConvertFXPToHLS : qopt::hls::impl::ConvertFXPToHLSBase<ConvertFXPToHLS> {
  void runOnOperation() override {
    Conversions conversions(&getContext());
    for (func::FuncOp function : getOperation().getOps<func::FuncOp>())
      if (function.isDeclaration() || !function.getBody().hasOneBlock() ||
          failed(Converter(function, conversions).run()))
        return signalPassFailure();
  }
};
} // namespace
