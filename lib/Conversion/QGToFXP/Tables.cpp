//===- Tables.cpp - Pointwise regions into tables -------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A scalar function of one byte has 256 values, whatever it is made of, one of
// 16 bits 65536: too many where a requantization gives the same. They are
// computed by the reference semantics of the ops that the table replaces,
// so the table cannot differ from them.
//===----------------------------------------------------------------------===//
#include "Patterns.h"
#include "Pointwise.h"
#include "qopt/Analysis/PointwiseRegions.h"
#include "qopt/Analysis/SplatConstant.h"
#include "qopt/Numerics/Affine.h"
#include "qopt/Numerics/EvalBuilder.h"

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

/// A one-op region on a list of values: quantize or dequantize.
template <typename Op>
static FailureOr<Tensor> evaluateBoundary(Op op, Type from, Type to,
                                          const Tensor &values) {
  Block block;
  OpBuilder builder(op.getContext());
  builder.setInsertionPointToEnd(&block);
  int64_t count = values.numElements();
  Value argument =
      block.addArgument(RankedTensorType::get({count}, from), op.getLoc());
  auto clone = Op::create(builder, op.getLoc(),
                          RankedTensorType::get({count}, to), argument);
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
  // Index = the stored integer read as unsigned.
  bool isByte = from.getIntegerFormat().storageBits() == 8;
  Tensor stored(isByte ? DType::u8 : DType::u16, {isByte ? 256 : 65536});
  for (int64_t i = 0; i < stored.numElements(); ++i)
    stored.setInt(i, i);
  if (from.isSigned())
    stored = stored.bitcast(isByte ? DType::i8 : DType::i16);
  FailureOr<Tensor> reals = evaluateBoundary(source, from, f32, stored);
  if (failed(reals))
    return failure();
  FailureOr<Tensor> values =
      evaluatePointwise(region.ops, region.source, *reals);
  if (failed(values))
    return failure();
  FailureOr<Tensor> table = evaluateBoundary(op, f32, to, *values);
  if (failed(table))
    return failure();
  return table->bitcast(to.getIntegerFormat().storageBits() == 8 ? DType::i8
                                                                 : DType::i16);
}

/// Stored in one integer; entries that fewer bits cannot reach do no harm.
static bool isStored(Type type, fxp::RequantizeModeAttr mode) {
  return getStoredEncoding(type, mode) &&
         qg::getQuantizedType(type).getBits() <= 16;
}

namespace {
/// A table and the encodings on its sides.
struct Function {
  Encoding from, to;
  Tensor table;
};
} // namespace

/// The clamp of a requantization that gives every entry of a table of 16 bits:
/// rescaled integers, a relu, a clip. None where it would be another function.
static std::optional<SmallVector<int64_t, 2>>
matchRequantize(const Function &function, fxp::RequantizeModeAttr mode) {
  const auto &[from, to, table] = function;
  if (from.storageBits == 8)
    return std::nullopt;
  int64_t mask = to.isUnsigned ? (int64_t(1) << to.storageBits) - 1 : -1;
  int64_t low = INT64_MAX, high = INT64_MIN;
  for (int64_t stored = from.low; stored <= from.high; ++stored) {
    int64_t entry = table.getInt(stored & 0xFFFF) & mask;
    low = std::min(low, entry);
    high = std::max(high, entry);
  }
  FixedScale scale =
      getFixedScale(float(double(from.scale()) / double(to.scale())),
                    mode.getRequantizeMode());
  EvalBuilder b;
  numerics::StoredRange range{to.zeroPoint(), low, high};
  numerics::FixedFactor factor{scale.multiplier, int64_t(scale.shift)};
  for (int64_t stored = from.low; stored <= from.high; ++stored)
    if ((table.getInt(stored & 0xFFFF) & mask) !=
        numerics::emitRequantizeFixed(b, int32_t(stored), from.zeroPoint(),
                                      factor, range))
      return std::nullopt;
  return SmallVector<int64_t, 2>{low, high};
}

static Value createFunction(OpBuilder &builder, Location loc, Value x,
                            const Function &function,
                            fxp::RequantizeModeAttr mode) {
  const auto &[from, to, table] = function;
  if (auto clamp = matchRequantize(function, mode))
    return createRequantize(builder, loc, x,
                            float(double(from.scale()) / double(to.scale())),
                            {to, mode, ArrayRef<int64_t>(*clamp),
                             from.zeroPoint(), from.isUnsigned});
  Type element = builder.getIntegerType(to.storageBits);
  return fxp::LutOp::create(
      builder, loc, RankedTensorType::get(getShape(x), element), x,
      qg::getElementsAttr(table, RankedTensorType::get(table.shape(), element),
                          "table"));
}

static LogicalResult convertRegion(qg::QuantizeOp op,
                                   fxp::RequantizeModeAttr mode) {
  if (!isStored(op.getType(), mode))
    return success();
  ScalarFunction region = findScalarFunction(op.getX(), [](Value value) {
    return bool(value.getDefiningOp<qg::DequantizeOp>());
  });
  auto source = region.source.getDefiningOp<qg::DequantizeOp>();
  if (!source || !isStored(source.getX().getType(), mode) ||
      !source.getType().getElementType().isF32() ||
      !cast<RankedTensorType>(op.getX().getType()).getElementType().isF32())
    return success();
  FailureOr<Tensor> table = computeTable(op, source, region);
  if (failed(table))
    return failure();
  OpBuilder builder(op);
  Location loc = region.ops.empty() ? op.getLoc() : region.ops.back()->getLoc();
  Encoding from = *getStoredEncoding(source.getX().getType(), mode);
  auto storage = RankedTensorType::get(
      op.getType().getShape(), builder.getIntegerType(from.storageBits));
  Value x =
      UnrealizedConversionCastOp::create(builder, loc, storage, source.getX())
          .getResult(0);
  Value y = createFunction(
      builder, loc, x, {from, *getStoredEncoding(op.getType(), mode), *table},
      mode);
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

LogicalResult qgtofxp::convertRegionsToTables(ModuleOp module,
                                              fxp::RequantizeModeAttr mode) {
  SmallVector<qg::QuantizeOp> ops;
  module.walk([&](qg::QuantizeOp op) { ops.push_back(op); });
  for (qg::QuantizeOp op : ops)
    if (failed(convertRegion(op, mode)))
      return failure();
  return success();
}
