//===- Lengths.cpp - Extents that data decide, through qg ops -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What NonZero and its like give has a bound for an extent, and a number of
// positions that count (docs/rationale/states-and-lengths.md). An op that
// treats positions alone computes those behind the last as well, which nobody
// reads. One that mixes them would give a wrong number, and is refused.
//===----------------------------------------------------------------------===//
#include "LengthArithmetic.h"
#include "qopt/Dialect/QG/IR/QGBits.h"
#include "qopt/Support/Permutation.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

/// Dimensions counted from the last, as broadcasting does.
static int64_t alignRight(Value from, Value to, int64_t axis) {
  return axis + int64_t(getShape(to).size()) - int64_t(getShape(from).size());
}

/// The dimension of the result that a dimension has become together with some
/// behind it: the first so many times as many positions count.
static std::optional<int64_t> passMerged(ArrayRef<int64_t> from,
                                         ArrayRef<int64_t> to, int64_t axis) {
  int64_t before = getNumElements(from.take_front(axis)), count = 1;
  for (auto [i, extent] : llvm::enumerate(to)) {
    if (count == before && extent > from[axis])
      return from[axis] > 0 && extent % from[axis] == 0
                 ? std::optional<int64_t>(i)
                 : std::nullopt;
    count *= extent;
  }
  return std::nullopt;
}

/// The dimension of the result that has as many elements before it and the same
/// extent; of several (their extent is 1) none.
static std::optional<int64_t> passReshape(qg::ReshapeOp op, int64_t axis) {
  ArrayRef<int64_t> from = getShape(op.getX()), to = getShape(op.getResult());
  int64_t before = getNumElements(from.take_front(axis)), count = 1;
  std::optional<int64_t> found;
  for (auto [i, extent] : llvm::enumerate(to)) {
    if (count == before && extent == from[axis]) {
      if (found)
        return std::nullopt;
      found = i;
    }
    count *= extent;
  }
  return found ? found : passMerged(from, to, axis);
}

Value frontend::combineLengths(GraphBuilder &b, BinaryKind kind, Value x,
                               Value y) {
  std::optional<Tensor> number = b.constantOf(y);
  for (Operation *user : x.getUsers()) {
    auto known = dyn_cast<qg::BinaryOp>(user);
    // What stands in the block of `x` was written before.
    if (!known || known.getKind() != kind || known.getLhs() != x ||
        known->getBlock() != x.getParentBlock())
      continue;
    std::optional<Tensor> other =
        number ? b.constantOf(known.getRhs()) : std::nullopt;
    if (known.getRhs() == y || (other && other->getInt(0) == number->getInt(0)))
      return known;
  }
  return b.binary(kind, x, y);
}

static std::optional<int64_t> passGather(qg::GatherOp op, unsigned operand,
                                         int64_t axis) {
  int64_t gathered = op.getAxis();
  if (operand == 1)
    return gathered + axis;
  if (axis == gathered)
    return std::nullopt;
  int64_t more = int64_t(getShape(op.getIndices()).size()) - 1;
  return axis < gathered ? axis : axis + more;
}

static std::optional<int64_t> passMatmul(qg::MatmulOp op, unsigned operand,
                                         int64_t axis) {
  Value x = op->getOperand(operand);
  int64_t last = int64_t(getShape(x).size()) - 1;
  if (operand > 1)
    return std::nullopt;
  bool isWeight = operand == 1, isTransposed = isWeight && op.getTransposeRhs();
  int64_t contracted = isWeight && !isTransposed ? last - 1 : last;
  if (axis == contracted)
    return std::nullopt;
  if (isTransposed && axis == last - 1)
    axis = last;
  return alignRight(x, op.getResult(), axis);
}

static std::optional<int64_t> passReduced(ArrayRef<int64_t> axes,
                                          int64_t axis) {
  if (llvm::is_contained(axes, axis))
    return std::nullopt;
  return axis - llvm::count_if(axes, [&](int64_t a) { return a < axis; });
}

static std::optional<int64_t> keepIf(bool condition, int64_t axis) {
  return condition ? std::optional<int64_t>(axis) : std::nullopt;
}

/// Which dimension of the result an operand's `axis` becomes; none where the op
/// mixes its positions or is not known to leave them alone.
static std::optional<int64_t> passAxis(Operation *op, unsigned operand,
                                       int64_t axis) {
  Value x = op->getOperand(operand), y = op->getResult(0);
  using Axis = std::optional<int64_t>;
  return llvm::TypeSwitch<Operation *, Axis>(op)
      .Case<qg::UnaryOp, qg::BinaryOp, qg::CompareOp, qg::SelectOp, qg::CastOp,
            qg::BitcastOp, qg::QuantizeOp, qg::DequantizeOp, qg::BroadcastOp>(
          [&](Operation *) { return alignRight(x, y, axis); })
      .Case([&](qg::ReshapeOp reshape) { return passReshape(reshape, axis); })
      .Case([&](qg::TransposeOp transpose) -> Axis {
        return positionOf(transpose.getPermutation(), axis);
      })
      .Case([&](qg::SliceOp slice) {
        return keepIf(slice.getOffsets()[axis] == 0 &&
                          slice.getStrides()[axis] == 1,
                      axis);
      })
      .Case([&](qg::PadOp pad) {
        return keepIf(pad.getLow()[axis] == 0 && pad.getHigh()[axis] == 0,
                      axis);
      })
      .Case([&](qg::ConcatOp concat) {
        return keepIf(int64_t(concat.getAxis()) != axis, axis);
      })
      .Case([&](qg::GatherOp gather) {
        return passGather(gather, operand, axis);
      })
      .Case([&](qg::MatmulOp matmul) {
        return passMatmul(matmul, operand, axis);
      })
      .Case([&](qg::ReduceOp reduce) {
        return passReduced(reduce.getAxes(), axis);
      })
      .Case([&](qg::ArgReduceOp reduce) {
        return passReduced({int64_t(reduce.getAxis())}, axis);
      })
      .Case([&](qg::TopKOp top) {
        return keepIf(int64_t(top.getAxis()) != axis, axis);
      })
      .Case([&](qg::SoftmaxOp) {
        return keepIf(axis + 1 != int64_t(getShape(x).size()), axis);
      })
      // Images of a batch.
      .Case<qg::ConvOp, qg::ConvTransposeOp, qg::PoolOp>(
          [&](Operation *) { return keepIf(operand == 0 && axis == 0, axis); })
      .Default([](Operation *) { return std::nullopt; });
}

/// Another operand of the same extent varies with it, or is a constant that
/// handlers make of positions.
bool GraphBuilder::fitsLength(Operation *op, int64_t axis, Value length) const {
  if (!isa<qg::BinaryOp, qg::CompareOp, qg::SelectOp, qg::ConcatOp>(op))
    return true;
  Value y = op->getResult(0);
  return llvm::all_of(op->getOperands(), [&](Value x) {
    int64_t own = alignRight(y, x, axis);
    if (own < 0 || getShape(x)[own] == 1 || isConstant(x))
      return true;
    const CountedDim *known = countedDimOf(x);
    return known && known->axis == own && known->length == length;
  });
}

Value GraphBuilder::failMixed(int64_t axis) {
  hasRefusedTypes = true;
  return fail("mixes the positions of dimension " + Twine(axis) +
              ", whose extent depends on data");
}

void GraphBuilder::markCounted(Value value, CountedDim dim) {
  if (!value || !dim.length)
    return;
  counted.insert_or_assign(value, dim);
  auto [it, isNew] = bounds.insert({dim.length, extent(value, dim.axis)});
  if (!isNew)
    it->second = std::min(it->second, extent(value, dim.axis));
}

Uncounted::Uncounted(GraphBuilder &b, ArrayRef<Value> values) : b(b) {
  for (Value value : values)
    if (const CountedDim *dim = b.countedDimOf(value)) {
      dims.push_back({value, *dim});
      b.counted.erase(value);
    }
}

Uncounted::~Uncounted() {
  for (auto &[value, dim] : dims)
    b.counted.insert_or_assign(value, dim);
}

bool GraphBuilder::inheritLength(Operation *op, Value result) {
  std::optional<CountedDim> dim;
  for (OpOperand &operand : op->getOpOperands()) {
    const CountedDim *known = countedDimOf(operand.get());
    if (!known)
      continue;
    std::optional<int64_t> axis =
        passAxis(op, operand.getOperandNumber(), known->axis);
    CountedDim passed{axis.value_or(0), known->length};
    bool isSame =
        !dim || (dim->axis == passed.axis && dim->length == passed.length);
    if (!axis || !isSame || !fitsLength(op, *axis, passed.length)) {
      failMixed(known->axis);
      return false;
    }
    dim = passed;
  }
  if (!dim)
    return true;
  int64_t extent = shape(result)[dim->axis];
  if (auto reshape = dyn_cast<qg::ReshapeOp>(op))
    if (int64_t merged =
            shape(reshape.getX())[countedDimOf(reshape.getX())->axis];
        merged != extent)
      dim->length = combineLengths(*this, BinaryKind::mul, dim->length,
                                   scalar(double(extent / merged), i64()));
  // The first so many of them.
  if (auto slice = dyn_cast<qg::SliceOp>(op);
      slice && extent < shape(slice.getX())[dim->axis])
    dim->length = min(dim->length, double(extent));
  markCounted(result, *dim);
  return bool(dim->length);
}

bool GraphBuilder::hasCounted(ValueRange values) {
  for (Value value : values) {
    const CountedDim *known = countedDimOf(value);
    if (!known)
      continue;
    hasRefusedTypes = true;
    fail("takes a tensor into or out of a loop whose dimension " +
         Twine(known->axis) + " has an extent that depends on data");
    return true;
  }
  return false;
}
