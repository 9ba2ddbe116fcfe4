//===- OutlineSteps.cpp - One function per step ---------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Each buffer is an argument of its own: buffers alive at one step do not
// overlap, and `noalias` arguments are how LLVM learns that.
//===----------------------------------------------------------------------===//
#include "Program.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Target/Memory/Steps.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Pass/Pass.h"

namespace qopt {
#include "qopt/Target/OutlineSteps.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// Scalar operations per chunk: below this, waking a thread costs more than it
/// saves (about 10 us of work).
static constexpr int64_t kOpsPerChunk = 20000;

namespace {
/// How the iterations of a step may be distributed.
struct Distribution {
  unsigned loop = 0;  ///< position in the loop nest
  int64_t extent = 1; ///< 1: not at all
  int64_t grain = 1;  ///< least iterations per chunk
};
} // namespace

/// Grain and whether distributing pays, from the work of one iteration.
static void setGrain(Distribution &distribution, int64_t extent,
                     int64_t opsPerIteration) {
  int64_t grain =
      llvm::divideCeil(kOpsPerChunk, std::max<int64_t>(opsPerIteration, 1));
  if (extent < 2 * grain)
    return;
  distribution.extent = extent;
  distribution.grain = grain;
}

static Distribution getDistribution(linalg::LinalgOp op) {
  Distribution distribution;
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  auto iterators = op.getIteratorTypesArray();
  unsigned loop = 0;
  while (loop < ranges.size() && ranges[loop] == 1)
    ++loop;
  if (loop == ranges.size() || iterators[loop] != utils::IteratorType::parallel)
    return distribution;
  distribution.loop = loop;
  int64_t perIteration = op.getBlock()->getOperations().size();
  for (int64_t range : ArrayRef<int64_t>(ranges).drop_front(loop + 1))
    perIteration *= range;
  // Loops inside the body (reductions) count too.
  op->walk([&](scf::ForOp nested) {
    APInt trip = nested.getStaticTripCount().value_or(APInt(64, 1));
    perIteration *= std::max<int64_t>(trip.getSExtValue(), 1);
  });
  setGrain(distribution, ranges[loop], perIteration);
  return distribution;
}

static Distribution getDistribution(scf::ForOp op) {
  Distribution distribution;
  auto grain = op->getAttrOfType<IntegerAttr>("qopt.grain");
  std::optional<APInt> trip = op.getStaticTripCount();
  // The end of a range is past the upper bound where the step does not divide
  // it: narrower integers may not hold it.
  if (!op->hasAttr("qopt.parallel") || !trip || op.getNumResults() ||
      !op.getInductionVar().getType().isIndex())
    return distribution;
  int64_t extent = trip->getSExtValue();
  int64_t least = grain ? std::max<int64_t>(grain.getInt(), 1) : 1;
  if (extent >= 2 * least) {
    distribution.extent = extent;
    distribution.grain = least;
  }
  return distribution;
}

/// The loop gets the function's range, which counts iterations.
static void useRange(scf::ForOp loop, Value low, Value high) {
  OpBuilder b(loop);
  Value lower = loop.getLowerBound(), step = loop.getStep();
  auto place = [&](Value iteration) -> Value {
    if (!isOneInteger(step))
      iteration = arith::MulIOp::create(b, loop.getLoc(), iteration, step);
    if (!isZeroInteger(lower))
      iteration = arith::AddIOp::create(b, loop.getLoc(), lower, iteration);
    return iteration;
  };
  loop.setLowerBound(place(low));
  loop.setUpperBound(place(high));
}

/// The number of the iteration of the loop of steps around a step whose own
/// iterations are independent of each other; null if there is none.
static Value getRepetition(Operation *step) {
  auto loop = dyn_cast<scf::ForOp>(step);
  auto around = step->getParentOfType<scf::ForOp>();
  if (!loop || !loop->hasAttr("qopt.parallel") || !around ||
      !hasSteps(around) || !loop.getInductionVar().getType().isIndex())
    return {};
  auto lower = getConstantIntValue(loop.getLowerBound()),
       upper = getConstantIntValue(loop.getUpperBound()),
       stride = getConstantIntValue(loop.getStep());
  if (!lower || !upper || !stride || (*upper - *lower) % *stride ||
      *upper - *lower <= *stride)
    return {};
  return around.getInductionVar();
}

/// Every other repetition goes through the iterations from the end: what a
/// cache of the last of them holds is read first. (Weights of a state that are
/// larger than the cache would otherwise push each other out of it, and all of
/// them be loaded at every step.)
static void turnAround(scf::ForOp loop, Value repetition) {
  Location loc = loop.getLoc();
  OpBuilder b(loop);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  // Of the whole range: it is still that of the loop.
  Value last = arith::SubIOp::create(b, loc, loop.getUpperBound(),
                                     loop.getStep());
  Value ends = arith::AddIOp::create(b, loc, loop.getLowerBound(), last);
  Value isOdd = arith::CmpIOp::create(
      b, loc, arith::CmpIPredicate::ne,
      arith::AndIOp::create(b, loc, repetition, one),
      arith::ConstantIndexOp::create(b, loc, 0));
  b.setInsertionPointToStart(loop.getBody());
  Value iteration = loop.getInductionVar();
  auto mirrored = arith::SubIOp::create(b, loc, ends, iteration);
  auto chosen = arith::SelectOp::create(b, loc, isOdd, mirrored, iteration);
  llvm::SmallPtrSet<Operation *, 2> own{mirrored, chosen};
  iteration.replaceAllUsesExcept(chosen, own);
}

/// A copy is a loop nest like any other step (memref.copy of strided views
/// would call a runtime library).
static Operation *replaceCopy(memref::CopyOp copy) {
  OpBuilder b(copy);
  auto type = cast<MemRefType>(copy.getSource().getType());
  AffineMap identity = b.getMultiDimIdentityMap(type.getRank());
  SmallVector<AffineMap> maps{identity, identity};
  SmallVector<utils::IteratorType> iterators(type.getRank(),
                                             utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      b, copy.getLoc(), copy.getSource(), copy.getTarget(), maps, iterators,
      [](OpBuilder &nested, Location loc, ValueRange args) {
        linalg::YieldOp::create(nested, loc, args[0]);
      });
  copy.erase();
  return generic;
}

namespace {
struct Outliner {
  func::FuncOp main;
  SymbolTable symbols;
  /// Functions by a hash of their bodies.
  DenseMap<size_t, SmallVector<func::FuncOp>> known;
  unsigned count = 0;

  explicit Outliner(func::FuncOp main)
      : main(main), symbols(main->getParentOfType<ModuleOp>()) {}

  LogicalResult outline(Operation *step);
  func::FuncOp getOrKeep(func::FuncOp function);
  FailureOr<Distribution> buildBody(func::FuncOp function, Operation *step,
                                    const StepInputs &inputs);
};
} // namespace

/// Clones the step into `function` and gives it the range.
FailureOr<Distribution> Outliner::buildBody(func::FuncOp function,
                                            Operation *step,
                                            const StepInputs &inputs) {
  Block *body = function.addEntryBlock();
  OpBuilder b = OpBuilder::atBlockBegin(body);
  IRMapping mapping;
  for (auto [root, argument] : llvm::zip(inputs.roots, body->getArguments()))
    mapping.map(root, argument);
  for (Operation *op : inputs.slice)
    b.clone(*op, mapping);
  Operation *clone = b.clone(*step, mapping);
  func::ReturnOp::create(b, step->getLoc());
  Value high = body->getArguments().back();
  Value low = body->getArgument(body->getNumArguments() - 2);

  Distribution distribution;
  if (auto loop = dyn_cast<scf::ForOp>(clone)) {
    if (Value repetition = getRepetition(step))
      turnAround(loop, mapping.lookup(repetition));
    distribution = getDistribution(loop);
    if (distribution.extent > 1)
      useRange(loop, low, high);
    return distribution;
  }
  auto linalgOp = dyn_cast<linalg::LinalgOp>(clone);
  if (!linalgOp)
    return distribution;
  distribution = getDistribution(linalgOp);
  IRRewriter rewriter(clone);
  FailureOr<linalg::LinalgLoops> loops =
      linalg::linalgOpToLoops(rewriter, linalgOp);
  if (failed(loops))
    return step->emitOpError("expects a step that becomes loops");
  rewriter.eraseOp(clone);
  if (distribution.extent > 1)
    useRange(cast<scf::ForOp>((*loops)[distribution.loop]), low, high);
  return distribution;
}

func::FuncOp Outliner::getOrKeep(func::FuncOp function) {
  size_t hash = mlir::hash_value(function.getFunctionType());
  function.getBody().walk([&](Operation *op) {
    // With attributes: as many steps as a model has layers differ in them only.
    hash = llvm::hash_combine(hash, op->getName(), op->getNumOperands(),
                              op->getDiscardableAttrDictionary(),
                              op->hashProperties());
  });
  for (func::FuncOp other : known[hash])
    if (other.getFunctionType() == function.getFunctionType() &&
        OperationEquivalence::isRegionEquivalentTo(
            &other.getBody(), &function.getBody(),
            OperationEquivalence::IgnoreLocations)) {
      function.erase();
      return other;
    }
  known[hash].push_back(function);
  symbols.insert(function);
  return function;
}

LogicalResult Outliner::outline(Operation *step) {
  if (!step->use_empty())
    return step->emitOpError(
        "expects a step whose results no other op uses, as steps meet in "
        "buffers");
  if (auto copy = dyn_cast<memref::CopyOp>(step)) {
    if (copy.getSource() == copy.getTarget()) {
      copy.erase();
      return success();
    }
    if (!isa<MemRefType>(copy.getSource().getType()) ||
        !isa<MemRefType>(copy.getTarget().getType()))
      return copy.emitOpError("expects buffers of known rank");
    step = replaceCopy(copy);
  }
  std::string layer = qg::getUserName(step);
  StepInputs inputs = getStepInputs(step);
  if (Value repetition = getRepetition(step))
    inputs.roots.insert(repetition);
  OpBuilder b(step);
  SmallVector<Type> types;
  for (Value root : inputs.roots)
    types.push_back(root.getType());
  types.append(2, b.getIndexType());
  auto function =
      func::FuncOp::create(step->getLoc(), "step_" + std::to_string(count++),
                           b.getFunctionType(types, {}));
  function.setPrivate();
  if (step->hasAttr("qopt.parallel"))
    function->setAttr("passthrough", b.getStrArrayAttr({kKernelAttr}));
  for (auto [i, root] : llvm::enumerate(inputs.roots))
    if (isa<MemRefType>(root.getType()))
      function.setArgAttr(i, "llvm.noalias", b.getUnitAttr());
  FailureOr<Distribution> distribution = buildBody(function, step, inputs);
  if (failed(distribution))
    return failure();
  function = getOrKeep(function);

  SmallVector<Value> operands = inputs.roots.takeVector();
  Value zero = arith::ConstantIndexOp::create(b, step->getLoc(), 0);
  Value extent =
      arith::ConstantIndexOp::create(b, step->getLoc(), distribution->extent);
  operands.append({zero, extent});
  auto call = func::CallOp::create(b, step->getLoc(), function, operands);
  call->setAttr("qopt.extent", b.getI64IntegerAttr(distribution->extent));
  call->setAttr("qopt.grain", b.getI64IntegerAttr(distribution->grain));
  call->setAttr("qopt.layer", b.getStringAttr(layer));
  step->erase();
  return success();
}

/// Steps of a block and of the loops and choices in it, in program order.
static void collectSteps(Block &block, SmallVectorImpl<Operation *> &steps) {
  for (Operation &op : block) {
    if (!hasSteps(&op)) {
      if (isStep(&op))
        steps.push_back(&op);
      continue;
    }
    for (Region &region : op.getRegions())
      if (!region.empty())
        collectSteps(region.front(), steps);
  }
}

namespace {
struct OutlineSteps : qopt::impl::OutlineStepsBase<OutlineSteps> {
  void runOnOperation() override {
    func::FuncOp main = getMain(getOperation());
    if (!main || main.isExternal())
      return;
    SmallVector<Operation *> steps;
    collectSteps(main.front(), steps);
    Outliner outliner(main);
    for (Operation *step : steps)
      if (failed(outliner.outline(step)))
        return signalPassFailure();
  }
};
} // namespace
