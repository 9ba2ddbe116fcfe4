//===- Tables.cpp - Pointwise regions into 256-entry tables ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A scalar function of one byte has 256 values, whatever it is made of. They
// are computed by the reference semantics of the ops that the table replaces,
// so the table cannot differ from them.
//===----------------------------------------------------------------------===//
#include "Patterns.h"
#include "Pointwise.h"
#include "qopt/Analysis/PointwiseRegions.h"
#include "qopt/Analysis/SplatConstant.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qgtofxp;

namespace {
/// Elementwise ops that together compute `result` from `source` alone; unlike
/// a PointwiseRegion its inner values may have other users, because a table
/// copies the computation and does not take it away.
struct ScalarFunction {
  Value source, result;
  /// In topological order.
  SmallVector<Operation *> ops;
};
} // namespace

static bool isPointwise(Operation *op) {
  auto rule = dyn_cast_or_null<FormatRuleOpInterface>(op);
  return rule && rule.getFormatRule() == FormatRule::Pointwise &&
         op->getNumResults() == 1;
}

namespace {
/// Grows a region backwards. The frontier holds the values that the ops taken
/// so far read; a region has a frontier of one value.
struct Growth {
  llvm::SmallSetVector<Value, 4> frontier;
  llvm::SmallSetVector<Operation *, 8> ops;
};
} // namespace

/// Replaces the frontier value that is defined last by what its op reads.
static bool expand(Growth &growth, ArrayRef<int64_t> shape,
                   function_ref<bool(Value)> stop) {
  Operation *last = nullptr;
  for (Value value : growth.frontier) {
    Operation *op = value.getDefiningOp();
    if (op && (!last || last->isBeforeInBlock(op)))
      last = op;
  }
  if (!last || !isPointwise(last))
    return false;
  Value value = last->getResult(0);
  if (stop && stop(value))
    return false;
  for (Value operand : last->getOperands())
    if (isQuantized(operand.getType()) ||
        (!isSplatConstant(operand) && getShape(operand) != shape))
      return false;
  growth.frontier.remove(value);
  growth.ops.insert(last);
  for (Value operand : last->getOperands())
    if (!isSplatConstant(operand))
      growth.frontier.insert(operand);
  return !growth.frontier.empty();
}

static ScalarFunction findScalarFunction(Value result,
                                         function_ref<bool(Value)> stop) {
  // A branch can close again (x * sigmoid(x)), so go on while it is open and
  // remember the last place with one source.
  constexpr size_t maxOps = 64, maxFrontier = 4;
  ScalarFunction region{result, result, {}};
  Growth growth;
  growth.frontier.insert(result);
  ArrayRef<int64_t> shape = getShape(result);
  while (growth.ops.size() < maxOps && expand(growth, shape, stop) &&
         growth.frontier.size() <= maxFrontier) {
    if (growth.frontier.size() != 1)
      continue;
    region.source = growth.frontier[0];
    region.ops.assign(growth.ops.begin(), growth.ops.end());
  }
  // The walk takes the latest op first.
  std::reverse(region.ops.begin(), region.ops.end());
  return region;
}

/// A one-op region on a list of values: quantize or dequantize of 256 elements.
template <typename Op>
static FailureOr<Tensor> evaluateBoundary(Op op, Type from, Type to,
                                          const Tensor &values) {
  Block block;
  OpBuilder builder(op.getContext());
  builder.setInsertionPointToEnd(&block);
  Value argument =
      block.addArgument(RankedTensorType::get({256}, from), op.getLoc());
  auto clone = Op::create(builder, op.getLoc(),
                          RankedTensorType::get({256}, to), argument);
  SmallVector<Tensor> results;
  if (failed(clone.evaluate({values}, results)) || results.size() != 1)
    return failure();
  return results.front();
}

static FailureOr<Tensor> computeTable(qg::QuantizeOp op,
                                      qg::DequantizeOp source,
                                      const ScalarFunction &region) {
  qg::QuantizedType from = qg::getQuantizedType(source.getX().getType());
  qg::QuantizedType to = qg::getQuantizedType(op.getType());
  Type f32 = Float32Type::get(op.getContext());
  // Index = the stored byte read as unsigned.
  Tensor bytes(DType::u8, {256});
  for (int64_t i = 0; i < 256; ++i)
    bytes.setInt(i, i);
  FailureOr<Tensor> reals = evaluateBoundary(
      source, from, f32, from.isSigned() ? bytes.bitcast(DType::i8) : bytes);
  if (failed(reals))
    return failure();
  FailureOr<Tensor> values =
      evaluatePointwise(region.ops, region.source, *reals);
  if (failed(values))
    return failure();
  FailureOr<Tensor> stored = evaluateBoundary(op, f32, to, *values);
  if (failed(stored))
    return failure();
  return stored->bitcast(DType::i8);
}

/// Stored in a byte; entries that fewer bits cannot reach do no harm.
static bool isByte(Type type) {
  return getByteEncoding(type) && qg::getQuantizedType(type).getBits() <= 8;
}

static LogicalResult convertRegion(qg::QuantizeOp op) {
  if (!isByte(op.getType()))
    return success();
  ScalarFunction region = findScalarFunction(op.getX(), [](Value value) {
    return bool(value.getDefiningOp<qg::DequantizeOp>());
  });
  auto source = region.source.getDefiningOp<qg::DequantizeOp>();
  if (!source || !isByte(source.getX().getType()) ||
      !source.getType().getElementType().isF32() ||
      !cast<RankedTensorType>(op.getX().getType()).getElementType().isF32())
    return success();
  FailureOr<Tensor> table = computeTable(op, source, region);
  if (failed(table))
    return failure();
  OpBuilder builder(op);
  Location loc = region.ops.empty() ? op.getLoc() : region.ops.back()->getLoc();
  auto byteType =
      RankedTensorType::get(op.getType().getShape(), builder.getI8Type());
  Value x =
      UnrealizedConversionCastOp::create(builder, loc, byteType, source.getX())
          .getResult(0);
  Value y = fxp::LutOp::create(
      builder, loc, byteType, x,
      qg::getElementsAttr(
          *table, RankedTensorType::get({256}, builder.getI8Type()), "table"));
  Value result =
      UnrealizedConversionCastOp::create(builder, loc, op.getType(), y)
          .getResult(0);
  op.replaceAllUsesWith(result);
  op.erase();
  // What nothing reads any more would be converted for nothing.
  for (Operation *dead : llvm::reverse(region.ops))
    if (dead->use_empty())
      dead->erase();
  if (source.use_empty())
    source.erase();
  return success();
}

LogicalResult qgtofxp::convertRegionsToTables(ModuleOp module) {
  SmallVector<qg::QuantizeOp> ops;
  module.walk([&](qg::QuantizeOp op) { ops.push_back(op); });
  for (qg::QuantizeOp op : ops)
    if (failed(convertRegion(op)))
      return failure();
  return success();
}
