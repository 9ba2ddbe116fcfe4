//===- Control.cpp - Loops of qg to scf -----------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// States are written over the old ones at the end of a step, and stacked
// results element by element, so that a loop needs the memory of one step.
//===----------------------------------------------------------------------===//
#include "qopt/Conversion/LinalgBuilder.h"
#include "qopt/Conversion/ToLinalg.h"
#include "qopt/Dialect/QG/IR/QGControl.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace qopt;

/// On the loop that a qg.loop becomes: its ops are steps.
static constexpr StringLiteral kStepsAttr = "qopt.steps";
/// On its terminator, until that is lowered: directions of stacked results.
static constexpr StringLiteral kReversedAttr = "qopt.reversed";

namespace {
/// One element along dimension 0 at a position that is known at run time.
struct Element {
  SmallVector<OpFoldResult> offsets, sizes, strides;

  Element(OpBuilder &b, RankedTensorType whole, Value position)
      : offsets(whole.getRank(), b.getIndexAttr(0)),
        strides(whole.getRank(), b.getIndexAttr(1)) {
    for (int64_t extent : whole.getShape())
      sizes.push_back(b.getIndexAttr(extent));
    offsets[0] = position;
    sizes[0] = b.getIndexAttr(1);
  }
};
} // namespace

static Value getPosition(LinalgBuilder &builder, Value step, int64_t count,
                         bool isReversed) {
  if (!isReversed)
    return step;
  return arith::SubIOp::create(builder.b, builder.loc,
                               builder.index(count - 1), step);
}

static Value readElement(LinalgBuilder &builder, Value whole, Value position) {
  RankedTensorType type = getTensorType(whole);
  Element element(builder.b, type, position);
  auto one = RankedTensorType::get(type.getShape().drop_front(),
                                   type.getElementType());
  return tensor::ExtractSliceOp::create(builder.b, builder.loc, one, whole,
                                        element.offsets, element.sizes,
                                        element.strides);
}

/// Whether a value may lie in memory that the body is given: it, or a view.
static bool isGiven(Value value) {
  Operation *op = value.getDefiningOp();
  return !op ||
         isa<tensor::ExtractSliceOp, tensor::ExpandShapeOp,
             tensor::CollapseShapeOp, tensor::CastOp, arith::ConstantOp,
             UnrealizedConversionCastOp>(op);
}

namespace {
struct LowerLoop : OpConversionPattern<qg::LoopOp> {
  using OpConversionPattern::OpConversionPattern;

  SmallVector<Value> getInits(qg::LoopOp op, OpAdaptor adaptor,
                              LinalgBuilder &builder) const {
    SmallVector<Value> inits;
    if (adaptor.getCondition())
      inits.push_back(adaptor.getCondition());
    llvm::append_range(inits, adaptor.getStates());
    // States are written over whatever they start from: a constant or the state
    // of a loop around this one, which bufferization would refuse to write.
    for (Value &init : inits)
      init = bufferization::AllocTensorOp::create(
          builder.b, builder.loc, getTensorType(init), ValueRange(), init);
    for (Value stacked : op.getStacked()) {
      RankedTensorType type =
          qg::getStorageTensorType(getTensorType(stacked));
      inits.push_back(builder.empty(type.getShape(), type.getElementType()));
    }
    return inits;
  }

  /// What stands for the arguments of the body.
  SmallVector<Value> getArguments(qg::LoopOp op, OpAdaptor adaptor,
                                  scf::ForOp loop,
                                  LinalgBuilder &builder) const {
    OpBuilder &b = builder.b;
    Value step = loop.getInductionVar();
    Value number =
        arith::IndexCastOp::create(b, builder.loc, b.getI64Type(), step);
    SmallVector<Value> arguments{
        tensor::FromElementsOp::create(
            b, builder.loc, RankedTensorType::get({}, b.getI64Type()), number)};
    ValueRange states = loop.getRegionIterArgs();
    if (op.getCondition())
      states = states.drop_front();
    llvm::append_range(arguments, states.take_front(op.getStates().size()));
    for (auto [i, slice] : llvm::enumerate(adaptor.getSlices()))
      arguments.push_back(
          readElement(builder, slice,
                      getPosition(builder, step, op.getCount(),
                                  op.isSliceReversed(i))));
    llvm::append_range(arguments, adaptor.getCaptures());
    return arguments;
  }

  /// The block that the body becomes, in front of whose end it is put.
  Block *openBody(qg::LoopOp op, scf::ForOp loop, OpBuilder &b) const {
    Block *block = loop.getBody();
    if (!op.getCondition())
      return block;
    b.setInsertionPointToStart(block);
    ValueRange carried = loop.getRegionIterArgs();
    Value flag =
        tensor::ExtractOp::create(b, op.getLoc(), carried.front(), ValueRange());
    auto choice = scf::IfOp::create(b, op.getLoc(), carried.getTypes(), flag,
                                    /*addThenBlock=*/true,
                                    /*addElseBlock=*/true);
    b.setInsertionPointToEnd(choice.elseBlock());
    scf::YieldOp::create(b, op.getLoc(), carried);
    b.setInsertionPointToEnd(block);
    scf::YieldOp::create(b, op.getLoc(), choice.getResults());
    return choice.thenBlock();
  }

  LogicalResult
  matchAndRewrite(qg::LoopOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder builder{rewriter, op.getLoc()};
    auto loop = scf::ForOp::create(
        rewriter, op.getLoc(), builder.index(0), builder.index(op.getCount()),
        builder.index(1), getInits(op, adaptor, builder));
    loop->setAttr(kStepsAttr, rewriter.getUnitAttr());
    Block *target = openBody(op, loop, rewriter);
    rewriter.setInsertionPointToStart(target);
    SmallVector<Value> arguments = getArguments(op, adaptor, loop, builder);
    Operation *end = op.getBlock().getTerminator();
    rewriter.modifyOpInPlace(end, [&] {
      end->setAttr(kReversedAttr,
                   rewriter.getDenseBoolArrayAttr(op.getReversed().drop_front(
                       op.getSlices().size())));
    });
    auto converted =
        rewriter.convertRegionTypes(&op.getBody(), *getTypeConverter());
    if (failed(converted))
      return rewriter.notifyMatchFailure(op, "its body has other types");
    rewriter.inlineBlockBefore(*converted, target, target->end(), arguments);
    rewriter.replaceOp(op, loop.getResults().drop_front(op.getCondition() ? 1
                                                                          : 0));
    return success();
  }
};

/// Behind everything that the step computes: old states may be read until here.
struct LowerYield : OpConversionPattern<qg::YieldOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(qg::YieldOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto loop = op->getParentOfType<scf::ForOp>();
    auto reversed = op->getAttrOfType<DenseBoolArrayAttr>(kReversedAttr);
    if (!loop || !reversed)
      return rewriter.notifyMatchFailure(op, "its loop is not lowered");
    LinalgBuilder builder{rewriter, op.getLoc()};
    ValueRange carried = loop.getRegionIterArgs(), values = adaptor.getValues();
    size_t states = carried.size() - reversed.size();
    SmallVector<Value> next;
    // All that is read of old states, before the first is written over.
    SmallVector<Value> sources;
    for (auto [value, old] : llvm::zip(values.take_front(states), carried))
      sources.push_back(value == old || !isGiven(value)
                            ? value
                            : bufferization::AllocTensorOp::create(
                                  rewriter, op.getLoc(), getTensorType(value),
                                  ValueRange(), value));
    for (auto [i, direction] : llvm::enumerate(reversed.asArrayRef())) {
      Value whole = carried[states + i];
      Value position =
          getPosition(builder, loop.getInductionVar(),
                      getTensorType(whole).getDimSize(0), direction);
      Element element(rewriter, getTensorType(whole), position);
      sources.push_back(tensor::InsertSliceOp::create(
          rewriter, op.getLoc(), values[states + i], whole, element.offsets,
          element.sizes, element.strides));
    }
    for (auto [source, old] : llvm::zip_equal(sources, carried)) {
      bool isStacked = next.size() >= states;
      next.push_back(
          source == old || isStacked
              ? source
              : bufferization::MaterializeInDestinationOp::create(
                    rewriter, op.getLoc(), source.getType(), source, old)
                    .getResult());
    }
    rewriter.replaceOpWithNewOp<scf::YieldOp>(op, next);
    return success();
  }
};
} // namespace

namespace qopt {
void populateQGControlPatterns(const StorageTypeConverter &converter,
                               RewritePatternSet &patterns) {
  patterns.add<LowerLoop, LowerYield>(converter, patterns.getContext());
}
} // namespace qopt
