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
  LogicalResult convert(Operation *op);

  func::FuncOp function_;
  const Conversions &conversions_;
  OpBuilder builder_;
  Streams streams_;
};
} // namespace

LogicalResult Converter::convert(Operation *op) {
  const Conversions::Conversion *conversion = conversions_.find(op);
  // A constant is a parameter, and only some units have parameters.
  if (conversion && conversion->hasParameters) {
    if (!streams_.has(op->getOperand(0)))
      return refuse(op) << "expects a left operand that is not constant";
  } else {
    for (Value operand : op->getOperands())
      if (operand.getDefiningOp<qg::ConstantOp>())
        return refuse(op) << "expects no constant operand";
  }
  if (!conversion)
    return refuse(op) << "not supported by this target";
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
    returned.push_back(streams_.take(value));
    results.push_back(returned.back().getType());
  }
  terminator->setOperands(returned);
  for (Operation *op : llvm::reverse(old))
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
