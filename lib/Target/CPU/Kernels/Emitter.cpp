//===- Emitter.cpp - Loops, flat views and vectors for kernel lowerings ---===//
// SPDX-License-Identifier: Apache-2.0
//
// Small builders that fold what is known, so that lowered kernels stay
// readable without a canonicalizer.
//===----------------------------------------------------------------------===//
#include "Emitter.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt::qcpu;

Value Emitter::index(int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

Value Emitter::add(Value lhs, Value rhs) {
  if (matchPattern(lhs, m_Zero()))
    return rhs;
  if (matchPattern(rhs, m_Zero()))
    return lhs;
  return arith::AddIOp::create(builder, loc, lhs, rhs);
}

Value Emitter::add(Value lhs, int64_t rhs) {
  return rhs == 0 ? lhs : add(lhs, index(rhs));
}

Value Emitter::mul(Value lhs, int64_t rhs) {
  APInt constant;
  if (matchPattern(lhs, m_ConstantInt(&constant)))
    return index(constant.getSExtValue() * rhs);
  if (rhs == 1)
    return lhs;
  return arith::MulIOp::create(builder, loc, lhs, index(rhs));
}

std::pair<Value, Value> Emitter::divide(Value value, int64_t by,
                                        int64_t bound) {
  if (by >= bound)
    return {index(0), value};
  if (by == 1)
    return {value, index(0)};
  Value divisor = index(by);
  return {arith::DivUIOp::create(builder, loc, value, divisor),
          arith::RemUIOp::create(builder, loc, value, divisor)};
}

void Emitter::loop(int64_t count, Body body) {
  if (count == 1)
    return body(index(0));
  if (count > 0)
    loop(index(0), index(count), 1, body);
}

void Emitter::loop(Value low, Value high, int64_t step, Body body) {
  auto loop = scf::ForOp::create(builder, loc, low, high, index(step));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

/// Products in about 10 us, below which a thread is not worth waking.
static constexpr int64_t kWorkPerChunk = 400000;

void Emitter::parallelLoop(int64_t count, int64_t work, Body body) {
  if (count <= 0)
    return;
  auto loop =
      scf::ForOp::create(builder, loc, index(0), index(count), index(1));
  loop->setAttr(kParallelAttr, builder.getUnitAttr());
  int64_t grain = llvm::divideCeil(kWorkPerChunk, std::max<int64_t>(work, 1));
  loop->setAttr(kGrainAttr, builder.getI64IntegerAttr(grain));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

SmallVector<Value> Emitter::reduce(int64_t count, ValueRange inits,
                                   ReduceBody body) {
  if (count == 1)
    return body(index(0), inits);
  auto loop =
      scf::ForOp::create(builder, loc, index(0), index(count), index(1), inits);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> results =
      body(loop.getInductionVar(), loop.getRegionIterArgs());
  scf::YieldOp::create(builder, loc, results);
  return SmallVector<Value>(loop.getResults());
}

FailureOr<FlatView> Emitter::flatten(Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  FlatView view;
  view.element = type.getElementType();
  view.shape.assign(type.getShape().begin(), type.getShape().end());
  int64_t offset = 0;
  if (failed(type.getStridesAndOffset(view.strides, offset)) ||
      llvm::is_contained(view.strides, ShapedType::kDynamic))
    return failure();
  // A view that cuts one element out of rows keeps their stride, which moves
  // nothing.
  if (!view.shape.empty() && view.shape.back() == 1)
    view.strides.back() = 1;
  int64_t span = 1;
  for (auto [extent, stride] : llvm::zip(view.shape, view.strides))
    span += (extent - 1) * stride;
  OpFoldResult start = builder.getIndexAttr(offset);
  Value source = memref;
  if (ShapedType::isDynamic(offset)) {
    auto metadata =
        memref::ExtractStridedMetadataOp::create(builder, loc, memref);
    source = metadata.getBaseBuffer();
    start = metadata.getOffset();
  }
  MemRefLayoutAttrInterface layout;
  if (offset != 0)
    layout = StridedLayoutAttr::get(builder.getContext(), offset, {1});
  auto flat =
      MemRefType::get({span}, view.element, layout, type.getMemorySpace());
  view.memref = memref::ReinterpretCastOp::create(
      builder, loc, flat, source, start,
      ArrayRef<OpFoldResult>{builder.getIndexAttr(span)},
      ArrayRef<OpFoldResult>{builder.getIndexAttr(1)});
  return view;
}

LogicalResult Emitter::readRows(Value operand, FlatView &view) {
  FailureOr<FlatView> flat = failure();
  if (isa<MemRefType>(operand.getType()))
    flat = flatten(operand);
  if (failed(flat) || flat->strides.back() != 1)
    return emitError(loc, "expects memrefs with static strides and contiguous "
                          "channels");
  view = std::move(*flat);
  return success();
}

VectorType Emitter::vec(int64_t lanes, Type element) {
  return VectorType::get({lanes}, element);
}

Value Emitter::splat(VectorType type, Attribute value) {
  return arith::ConstantOp::create(builder, loc,
                                   DenseElementsAttr::get(type, value));
}

Value Emitter::zero(VectorType type) {
  return splat(type, builder.getZeroAttr(type.getElementType()));
}

Value Emitter::load(const FlatView &view, Value index, int64_t lanes) {
  return vector::LoadOp::create(builder, loc, vec(lanes, view.element),
                                view.memref, index);
}

void Emitter::store(Value vector, const FlatView &view, Value index) {
  vector::StoreOp::create(builder, loc, vector, view.memref, index);
}

Value Emitter::broadcast(Value scalar, int64_t lanes) {
  return vector::BroadcastOp::create(builder, loc, vec(lanes, scalar.getType()),
                                     scalar);
}

Value Emitter::loadScalar(const FlatView &view, Value index) {
  return memref::LoadOp::create(builder, loc, view.memref, index);
}

/// Calls back with (start, lanes) for descending powers of two.
static void forPieces(int64_t valid,
                      llvm::function_ref<void(int64_t, int64_t)> piece) {
  for (int64_t start = 0; start < valid;) {
    int64_t lanes = llvm::bit_floor(uint64_t(valid - start));
    piece(start, lanes);
    start += lanes;
  }
}

Value Emitter::loadPieces(const FlatView &view, Value index, int64_t lanes,
                          int64_t valid) {
  if (valid == lanes)
    return load(view, index, lanes);
  Value result = zero(vec(lanes, view.element));
  forPieces(valid, [&](int64_t start, int64_t count) {
    Value piece = load(view, add(index, start), count);
    result = vector::InsertStridedSliceOp::create(builder, loc, piece, result,
                                                  ArrayRef<int64_t>{start},
                                                  ArrayRef<int64_t>{1});
  });
  return result;
}

void Emitter::storePieces(Value vector, const FlatView &view, Value index,
                          int64_t valid) {
  if (cast<VectorType>(vector.getType()).getDimSize(0) == valid)
    return store(vector, view, index);
  forPieces(valid, [&](int64_t start, int64_t count) {
    Value piece = vector::ExtractStridedSliceOp::create(
        builder, loc, vector, ArrayRef<int64_t>{start},
        ArrayRef<int64_t>{count}, ArrayRef<int64_t>{1});
    store(piece, view, add(index, start));
  });
}

Value Emitter::concat(ArrayRef<Value> vectors) {
  Value result = vectors.front();
  int64_t lanes = cast<VectorType>(result.getType()).getDimSize(0);
  int64_t width = lanes;
  for (Value next : vectors.drop_front()) {
    // Both operands of a shuffle have one type, else it is done by element.
    if (width != lanes) {
      SmallVector<int64_t> widen(width, -1);
      std::iota(widen.begin(), widen.begin() + lanes, 0);
      next = vector::ShuffleOp::create(builder, loc, next, next, widen);
    }
    SmallVector<int64_t> mask(width + lanes);
    std::iota(mask.begin(), mask.end(), 0);
    result = vector::ShuffleOp::create(builder, loc, result, next, mask);
    width += lanes;
  }
  return result;
}

/// The operand of math.roundeven if `op` converts its result to i32.
static Value matchRoundToInt(Operation &op) {
  auto convert = dyn_cast<arith::FPToSIOp>(op);
  if (!convert || !convert.getType().isInteger(32))
    return nullptr;
  auto round = convert.getIn().getDefiningOp<math::RoundEvenOp>();
  return round && round.getType().isF32() ? round.getOperand() : nullptr;
}

Value Emitter::vectorize(Block &body, ValueRange arguments, bool roundToInt) {
  IRMapping mapping;
  mapping.map(body.getArguments(), arguments);
  int64_t lanes = cast<VectorType>(arguments[0].getType()).getDimSize(0);
  for (Operation &op : body.without_terminator()) {
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      mapping.map(constant.getResult(),
                  splat(vec(lanes, constant.getType()), constant.getValue()));
      continue;
    }
    if (Value rounded = roundToInt ? matchRoundToInt(op) : Value()) {
      auto type = vec(lanes, builder.getI32Type());
      mapping.map(
          op.getResult(0),
          LLVM::LrintOp::create(builder, loc, type, mapping.lookup(rounded))
              .getResult());
      continue;
    }
    OperationState state(loc, op.getName());
    for (Value operand : op.getOperands())
      state.operands.push_back(mapping.lookup(operand));
    for (Type type : op.getResultTypes())
      state.types.push_back(vec(lanes, type));
    state.attributes = llvm::to_vector<4>(op.getAttrs());
    mapping.map(op.getResults(), builder.create(state)->getResults());
  }
  return mapping.lookup(body.getTerminator()->getOperand(0));
}
