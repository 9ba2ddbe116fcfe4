//===- Index.cpp - Padding, masks and indexed access ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Everything that is a gather from a flattened tensor.
//===----------------------------------------------------------------------===//
#include "Counted.h"
#include "Positions.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

//===----------------------------------------------------------------------===//
// Pad
//===----------------------------------------------------------------------===//

static LogicalResult buildPad(OpBinder &op, Value x, Value value,
                              ArrayRef<int64_t> pads, ArrayRef<int64_t> axes) {
  GraphBuilder &b = op.b;
  std::string name = op.stringAttr("mode", "constant");
  std::optional<PadMode> mode = symbolizePadMode(name);
  if (!mode)
    return op.badModel("attribute 'mode' = \"" + name +
                       "\" is not one of constant, reflect, edge, wrap");
  auto normalized = op.normalizeAxes(axes, b.rank(x));
  if (!normalized)
    return failure();
  if (pads.size() != 2 * normalized->size())
    return op.badModel("expects two pads per axis, got " + Twine(pads.size()));
  Shape low(b.rank(x), 0), high(b.rank(x), 0);
  for (auto [i, axis] : llvm::enumerate(*normalized)) {
    low[axis] = pads[i];
    high[axis] = pads[i + normalized->size()];
    for (int64_t pad : {low[axis], high[axis]})
      if (pad < -(int64_t(1) << 32) || pad > (int64_t(1) << 32))
        return op.badModel("expects pads within 2^32, got " + Twine(pad));
  }
  if (value)
    value = b.reshape(value, {});
  return op.result(
      b.pad(*mode, x, *mode == PadMode::constant ? value : Value(), low, high));
}

static LogicalResult importPad2(OpBinder &op) {
  Value x = op.in(0);
  if (!x)
    return failure();
  Shape all(llvm::to_vector(llvm::seq<int64_t>(0, op.b.rank(x))));
  Value value = op.b.scalar(op.floatAttr("value", 0), op.b.element(x));
  return buildPad(op, x, value, op.intsAttr("pads"), all);
}

static LogicalResult importPad(OpBinder &op) {
  Value x = op.in(0);
  auto pads = op.constantInts(1, "pads");
  if (!x || !pads)
    return failure();
  Shape axes(llvm::to_vector(llvm::seq<int64_t>(0, op.b.rank(x))));
  if (op.hasInput(3)) {
    auto given = op.constantInts(3, "axes");
    if (!given)
      return failure();
    axes = *given;
  }
  Value value = op.optional(2);
  if (value && op.b.type(value).getNumElements() != 1)
    return op.badModel("expects a scalar padding value");
  return buildPad(op, x, value, *pads, axes);
}

//===----------------------------------------------------------------------===//
// Gathers
//===----------------------------------------------------------------------===//

Value frontend::countFromEnd(GraphBuilder &b, Value indices, Value extent) {
  Value wide = b.convert(indices, b.i64());
  if (!wide)
    return {};
  Value isNegative =
      b.compare(ComparePredicate::lt, wide, b.scalar(0, b.i64()));
  return b.select(isNegative, b.add(wide, extent), wide);
}

Value frontend::normalizeIndices(OpBinder &op, Value indices, int64_t extent) {
  return countFromEnd(op.b, indices, op.b.scalar(double(extent), op.b.i64()));
}

int64_t frontend::getStride(ArrayRef<int64_t> shape, int64_t axis) {
  return getNumElements(shape.drop_front(axis + 1));
}

Tensor frontend::getRowPositions(ArrayRef<int64_t> shape,
                                 ArrayRef<int64_t> within, int64_t axis) {
  Tensor base(DType::i64, shape);
  for (int64_t flat = 0; flat < base.numElements(); ++flat) {
    int64_t rest = flat, position = 0;
    for (int64_t d = int64_t(shape.size()) - 1; d >= 0; --d) {
      if (d != axis)
        position += rest % shape[d] * getStride(within, d);
      rest /= shape[d];
    }
    base.setInt(flat, position);
  }
  return base;
}

Value frontend::gatherElements(OpBinder &op, Value x, Value indices,
                               int64_t axis) {
  GraphBuilder &b = op.b;
  if (!x || !indices)
    return {};
  // Elements of other coordinates than `axis` stay where they are.
  const CountedDim *rows = b.countedDimOf(x), *dim = b.countedDimOf(indices);
  if (rows && (rows->axis == axis || !dim || dim->axis != rows->axis ||
               dim->length != rows->length))
    return b.failMixed(rows->axis);
  std::optional<CountedDim> counted = dim ? std::optional(*dim) : std::nullopt;
  Uncounted whole(b, {x, indices});
  Value along = b.mul(normalizeIndices(op, indices, b.extent(x, axis)),
                      double(getStride(b.shape(x), axis)));
  Tensor base = getRowPositions(b.shape(indices), b.shape(x), axis);
  Value y = b.gather(b.reshape(x, {b.type(x).getNumElements()}),
                     b.add(along, b.constant(base)), 0);
  if (counted)
    b.markCounted(y, *counted);
  return y;
}

static LogicalResult importGatherElements(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0), indices = op.in(1);
  if (!x || !indices)
    return failure();
  auto axis = op.normalizeAxis(op.intAttr("axis", 0), b.rank(x));
  if (!axis)
    return failure();
  if (b.rank(indices) != b.rank(x))
    return op.badModel("expects indices of x's rank");
  if (!op.areInside(indices, b.extent(x, *axis)))
    return failure();
  for (int64_t i = 0; i < b.rank(x); ++i)
    if (i != *axis && b.extent(indices, i) > b.extent(x, i))
      return op.badModel("expects indices no larger than x in axis " +
                         Twine(i));
  return op.result(gatherElements(op, x, indices, *axis));
}

static LogicalResult importGatherND(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0), indices = op.in(1);
  if (!x || !indices)
    return failure();
  int64_t batch = op.intAttr("batch_dims", 0);
  if (b.rank(indices) < 1 || batch < 0 || batch >= b.rank(indices))
    return op.badModel("expects indices of rank > batch_dims");
  int64_t depth = b.shape(indices).back(), picked = batch + depth;
  if (picked > b.rank(x) ||
      b.shape(x).take_front(batch) != b.shape(indices).take_front(batch))
    return op.badModel("expects indices into x " + formatShape(b.shape(x)) +
                       ", got " + formatShape(b.shape(indices)));
  Shape rows(b.shape(indices).drop_back());
  // Index of a row among [batch..., indexed...].
  ArrayRef<int64_t> leading = b.shape(x).take_front(picked);
  Tensor base(DType::i64, rows);
  int64_t perBatch = getNumElements(ArrayRef<int64_t>(rows).drop_front(batch));
  for (int64_t i = 0; i < base.numElements(); ++i)
    base.setInt(i,
                perBatch == 0
                    ? 0
                    : i / perBatch * getNumElements(leading.drop_front(batch)));
  Value flat = b.constant(base);
  for (int64_t d = 0; d < depth; ++d) {
    Value component =
        b.reshape(b.sliceAxis(indices, b.rank(indices) - 1, d, d + 1), rows);
    component =
        component ? normalizeInto(op, x, batch + d, component) : Value();
    if (!component)
      return failure();
    flat = b.add(flat, b.mul(component, double(getStride(leading, batch + d))));
  }
  // All positions that indices choose from are there.
  SmallVector<Value> chosen;
  if (const CountedDim *dim = b.countedDimOf(x);
      dim && dim->axis >= batch && dim->axis < picked)
    chosen.push_back(x);
  Uncounted all(b, chosen);
  Shape table{getNumElements(leading)};
  table.append(b.shape(x).begin() + picked, b.shape(x).end());
  return op.result(b.gather(b.reshape(x, table), flat, 0));
}

//===----------------------------------------------------------------------===//
// Masks and scans
//===----------------------------------------------------------------------===//

static LogicalResult importOneHot(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value indices = op.in(0), values = op.in(2);
  auto depth = op.constantInts(1, "depth");
  if (!indices || !values || !depth)
    return failure();
  if (depth->size() != 1 || (*depth)[0] < 1 || (*depth)[0] > (1 << 24) ||
      b.type(values).getNumElements() != 2)
    return op.badModel("expects a depth in [1, 2^24] and two values");
  auto axis = op.normalizeAxis(op.intAttr("axis", -1), b.rank(indices) + 1);
  if (!axis)
    return failure();
  Value index = b.expandDim(normalizeIndices(op, indices, (*depth)[0]), *axis);
  Shape shape(b.rank(indices) + 1, 1);
  shape[*axis] = (*depth)[0];
  Tensor positions(DType::i64, shape);
  for (int64_t i = 0; i < (*depth)[0]; ++i)
    positions.setInt(i, i);
  Value isHit = b.compare(ComparePredicate::eq, b.constant(positions), index);
  Value flat = b.reshape(values, {2});
  return op.result(b.select(isHit, b.reshape(b.sliceAxis(flat, 0, 1, 2), {}),
                            b.reshape(b.sliceAxis(flat, 0, 0, 1), {})));
}

static LogicalResult importTrilu(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  if (!x)
    return failure();
  int64_t diagonal = 0;
  if (op.hasInput(1)) {
    auto k = op.constantInts(1, "k");
    if (!k)
      return failure();
    diagonal = k->empty() ? 0 : (*k)[0];
  }
  if (b.rank(x) < 2)
    return op.badModel("expects x of rank >= 2");
  bool upper = op.intAttr("upper", 1) != 0;
  int64_t rows = b.extent(x, b.rank(x) - 2), columns = b.shape(x).back();
  diagonal = std::clamp<int64_t>(diagonal, -rows - 1, columns + 1);
  Tensor keeps(DType::b1, {rows, columns});
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      keeps.setInt(i * columns + j,
                   upper ? j - i >= diagonal : j - i <= diagonal);
  return op.result(b.select(b.constant(keeps), x, b.scalar(0, b.element(x))));
}

Value frontend::shiftAxis(GraphBuilder &b, Value x, int64_t axis, int64_t by,
                          double fill) {
  Shape low(b.rank(x), 0), high(b.rank(x), 0);
  low[axis] = by;
  high[axis] = -by;
  return b.pad(PadMode::constant, x, b.scalar(fill, b.element(x)), low, high);
}

/// Sums or products of 1, 2, 4, ... neighbours: log2(n) operations for any
/// element type.
Value frontend::accumulate(GraphBuilder &b, BinaryKind kind, Value x,
                           int64_t axis, bool isReverse) {
  double neutral = kind == BinaryKind::mul ? 1 : 0;
  for (int64_t by = 1; x && by < b.extent(x, axis); by *= 2)
    x = b.binary(kind, x, shiftAxis(b, x, axis, isReverse ? -by : by, neutral));
  return x;
}

template <BinaryKind kind> static LogicalResult importCumulative(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  auto given = op.constantInts(1, "axis");
  if (!x || !given)
    return failure();
  if (given->size() != 1)
    return op.badModel("expects one axis");
  auto axis = op.normalizeAxis((*given)[0], b.rank(x));
  if (!axis)
    return failure();
  bool isReverse = op.intAttr("reverse", 0) != 0;
  if (op.intAttr("exclusive", 0) && b.extent(x, *axis) > 0)
    x = shiftAxis(b, x, *axis, isReverse ? -1 : 1,
                  kind == BinaryKind::mul ? 1 : 0);
  return op.result(accumulate(b, kind, x, *axis, isReverse));
}

void frontend::registerIndexOps(OpRegistry &registry) {
  registry.add("CumProd", 26, roundOnce<importCumulative<BinaryKind::mul>>);
  registry.add("CumSum", 11, roundOnce<importCumulative<BinaryKind::add>>);
  registry.add("GatherElements", 11, importGatherElements);
  registry.add("GatherND", 11, importGatherND);
  registry.add("OneHot", 9, importOneHot);
  registry.add("Pad", 2, importPad2);
  registry.add("Pad", 11, importPad);
  registry.add("Trilu", 14, importTrilu);
  registry.add("com.microsoft", "Trilu", 1, importTrilu);
}
