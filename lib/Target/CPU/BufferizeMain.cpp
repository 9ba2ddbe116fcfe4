//===- BufferizeMain.cpp - From values to the caller's buffers ------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Arguments and results of @main are memory that the caller owns. Saying so
// before bufferization lets results be computed in place.
//===----------------------------------------------------------------------===//
#include "PlaceResults.h"
#include "qopt/Target/Memory/Steps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

namespace qopt {
#include "qopt/Target/BufferizeMain.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// Of buffers, in bytes.
static constexpr int64_t kAlignment = 64;

static MemRefType getMemRefType(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  return MemRefType::get(tensor.getShape(), tensor.getElementType());
}

/// Every argument and result becomes memory of the caller; what cannot is said
/// at once.
static LogicalResult verifyInterface(func::FuncOp main) {
  if (!main.getBody().hasOneBlock())
    return main.emitOpError("expects one block");
  SmallVector<std::string> problems;
  auto check = [&](Type type, const Twine &what) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (tensor && BaseMemRefType::isValidElementType(tensor.getElementType()))
      return;
    llvm::raw_string_ostream(problems.emplace_back())
        << what << " is " << type;
  };
  for (auto [i, type] : llvm::enumerate(main.getArgumentTypes()))
    check(type, "argument " + Twine(i));
  for (auto [i, type] : llvm::enumerate(main.getResultTypes()))
    check(type, "result " + Twine(i));
  if (problems.empty())
    return success();
  InFlightDiagnostic error = main.emitOpError(
      "expects ranked tensors of plain elements as arguments and results");
  for (const std::string &problem : problems)
    error.attachNote() << problem;
  return error;
}

/// Goes from a result to the value that it is another shape of, and to the view
/// of the caller's `buffer` that has that shape: the value is then computed
/// there, which a reshape in between would hide from the analysis.
static void lookThroughReshapes(OpBuilder &b, Value &value, Value &buffer) {
  while (true) {
    Location loc = value.getLoc();
    if (auto collapse = value.getDefiningOp<tensor::CollapseShapeOp>()) {
      value = collapse.getSrc();
      buffer = memref::ExpandShapeOp::create(
          b, loc, cast<RankedTensorType>(value.getType()).getShape(), buffer,
          collapse.getReassociationIndices());
      continue;
    }
    auto expand = value.getDefiningOp<tensor::ExpandShapeOp>();
    if (!expand)
      return;
    value = expand.getSrc();
    buffer = memref::CollapseShapeOp::create(b, loc, buffer,
                                             expand.getReassociationIndices());
  }
}

/// Tensor operands and results of @main become memref operands.
static void useCallerBuffers(func::FuncOp main) {
  OpBuilder b(main.getContext());
  Block &body = main.front();
  Operation *terminator = body.getTerminator();
  SmallVector<Type> types;
  SmallVector<Attribute> attributes;
  auto getAttributes = [&](DictionaryAttr attrs) -> Attribute {
    return attrs ? attrs : b.getDictionaryAttr({});
  };
  b.setInsertionPointToStart(&body);
  for (BlockArgument argument : body.getArguments()) {
    Type tensor = argument.getType();
    types.push_back(getMemRefType(tensor));
    attributes.push_back(
        getAttributes(main.getArgAttrDict(argument.getArgNumber())));
    argument.setType(types.back());
    auto value = bufferization::ToTensorOp::create(b, argument.getLoc(), tensor,
                                                   argument, /*restrict=*/true,
                                                   /*writable=*/false);
    argument.replaceAllUsesExcept(value, value);
  }
  b.setInsertionPoint(terminator);
  for (OpOperand &result : terminator->getOpOperands()) {
    Value value = result.get();
    types.push_back(getMemRefType(value.getType()));
    attributes.push_back(
        getAttributes(main.getResultAttrDict(result.getOperandNumber())));
    Value buffer = body.addArgument(types.back(), value.getLoc());
    {
      // Views are in front of whatever may be computed in them.
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(&body);
      lookThroughReshapes(b, value, buffer);
    }
    bufferization::MaterializeInDestinationOp::create(
        b, value.getLoc(), TypeRange(), value, buffer, /*restrict=*/true,
        /*writable=*/true);
  }
  func::ReturnOp::create(b, terminator->getLoc());
  terminator->erase();
  main.removeResAttrsAttr();
  main.setType(FunctionType::get(main.getContext(), types, {}));
  main.setAllArgAttrs(ArrayAttr::get(main.getContext(), attributes));
}

/// Bufferization makes a new scf.if without the mark of the old one. What stands
/// among steps is a choice of steps: no kernel is lowered yet.
static void markChoices(Block &block) {
  for (Operation &op : block) {
    if (isa<scf::IfOp>(op))
      op.setAttr(kStepsAttr, UnitAttr::get(op.getContext()));
    if (hasSteps(&op))
      for (Region &region : op.getRegions())
        if (!region.empty())
          markChoices(region.front());
  }
}

/// Scalars that a step gives go through buffers, as a step is a function that
/// returns nothing. (A loop around it would hold them; one of a single iteration
/// is folded away.)
static void holdScalars(Operation *step) {
  OpBuilder b(step);
  Location loc = step->getLoc();
  auto region = scf::ExecuteRegionOp::create(b, loc, TypeRange());
  OpBuilder in = OpBuilder::atBlockEnd(&region.getRegion().emplaceBlock());
  auto yield = scf::YieldOp::create(in, loc);
  for (Value result : step->getResults()) {
    if (result.use_empty())
      continue;
    // An index has no size in memory.
    bool isIndex = result.getType().isIndex();
    Type stored = isIndex ? b.getI64Type() : result.getType();
    b.setInsertionPoint(region);
    Value buffer = memref::AllocOp::create(b, loc, MemRefType::get({}, stored),
                                           b.getI64IntegerAttr(kAlignment));
    b.setInsertionPointAfter(region);
    Value held = memref::LoadOp::create(b, loc, buffer);
    if (isIndex)
      held = arith::IndexCastOp::create(b, loc, result.getType(), held);
    result.replaceAllUsesWith(held);
    in.setInsertionPoint(yield);
    Value value = result;
    if (isIndex)
      value = arith::IndexCastOp::create(in, loc, stored, value);
    memref::StoreOp::create(in, loc, value, buffer);
  }
  step->moveBefore(&region.getRegion().front(),
                   region.getRegion().front().begin());
}

/// Steps of a block, and of the loops and choices in it, that give scalars.
static void holdScalars(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(block)) {
    if (hasSteps(&op)) {
      for (Region &region : op.getRegions())
        if (!region.empty())
          holdScalars(region.front());
    } else if (isStep(&op) && !op.use_empty() &&
               llvm::all_of(op.getResultTypes(), [](Type type) {
                 return type.isIntOrIndexOrFloat();
               })) {
      holdScalars(&op);
    }
  }
}

namespace {
struct BufferizeMain : qopt::impl::BufferizeMainBase<BufferizeMain> {
  void runOnOperation() override {
    func::FuncOp main = getMain(getOperation());
    if (!main || main.isExternal())
      return;
    if (failed(verifyInterface(main)))
      return signalPassFailure();
    useCallerBuffers(main);
    bufferization::OneShotBufferizationOptions options;
    options.bufferAlignment = kAlignment;
    separateDestinations(main, options);
    separateConstants(main);
    if (failed(placeResults(main, options)))
      return signalPassFailure();
    bufferization::BufferizationState state;
    if (failed(
            bufferization::runOneShotBufferize(getOperation(), options, state)))
      return signalPassFailure();
    OpPassManager cleanup(ModuleOp::getOperationName());
    cleanup.addPass(createCanonicalizerPass());
    cleanup.addPass(createCSEPass());
    if (failed(runPipeline(cleanup, getOperation())))
      return signalPassFailure();
    markChoices(main.front());
    holdScalars(main.front());
  }
};
} // namespace
