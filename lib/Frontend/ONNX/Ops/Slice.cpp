//===- Slice.cpp - Rectangles out of tensors ------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Extents are static. Where starts and ends are not, either their difference
// is, or the file declares the shape of the result; the data are then gathered
// from a start that is known at run time.
//===----------------------------------------------------------------------===//
#include "Positions.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"
#include "qopt/Frontend/ONNX/Proto/ProtoReader.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

//===----------------------------------------------------------------------===//
// Constant starts and ends
//===----------------------------------------------------------------------===//

namespace {
/// Starts, ends and steps, one for each of `axes`.
struct SliceSpec {
  Shape starts, ends, axes, steps;
};
} // namespace

/// NumPy's rules for starts and ends that lie outside.
static Value sliceConstant(OpBinder &op, Value x, const SliceSpec &spec) {
  GraphBuilder &b = op.b;
  auto axes = op.normalizeAxes(spec.axes, b.rank(x));
  if (!axes)
    return {};
  size_t count = spec.starts.size();
  if (spec.ends.size() != count || axes->size() != count ||
      spec.steps.size() != count)
    return b.fail("expects as many starts as ends, axes and steps");
  Shape offsets(b.rank(x), 0), strides(b.rank(x), 1), sizes(b.shape(x));
  for (size_t i = 0; i < count; ++i) {
    int64_t axis = (*axes)[i], extent = b.extent(x, axis);
    int64_t step = spec.steps[i];
    if (step == 0)
      return b.fail("expects steps that are not 0");
    // Beyond the extent every step is the same, and arithmetic stays small.
    step = std::clamp<int64_t>(step, -extent - 1, extent + 1);
    auto clip = [&](int64_t v, int64_t low, int64_t high) {
      v = std::clamp<int64_t>(v, -2 * kMaxElements, 2 * kMaxElements);
      return std::clamp<int64_t>(v < 0 ? v + extent : v, low, high);
    };
    int64_t start, end;
    if (step > 0) {
      start = clip(spec.starts[i], 0, extent);
      end = clip(spec.ends[i], 0, extent);
      sizes[axis] = std::max<int64_t>(0, (end - start + step - 1) / step);
    } else {
      start = clip(spec.starts[i], 0, extent - 1);
      end = clip(spec.ends[i], -1, extent - 1);
      sizes[axis] = std::max<int64_t>(0, (start - end - step - 1) / -step);
    }
    offsets[axis] = sizes[axis] == 0 ? 0 : start;
    strides[axis] = sizes[axis] == 0 ? 1 : step;
  }
  return b.slice(x, offsets, sizes, strides);
}

/// starts, ends and axes as attributes.
static LogicalResult importSlice1(OpBinder &op) {
  Value x = op.raw(0);
  if (!x)
    return failure();
  SliceSpec spec{op.intsAttr("starts"), op.intsAttr("ends"), {}, {}};
  Shape all(llvm::to_vector(llvm::seq<int64_t>(0, spec.starts.size())));
  spec.axes = op.intsAttr("axes", all);
  spec.steps.assign(spec.starts.size(), 1);
  return op.result(sliceConstant(op, x, spec));
}

//===----------------------------------------------------------------------===//
// Starts and ends that are computed
//===----------------------------------------------------------------------===//

namespace {
/// An element of a tensor of integers: that of another times a factor plus an
/// offset, or the offset alone.
struct Position {
  Value base;
  int64_t element = 0, offset = 0, factor = 1;
};
} // namespace

/// A sum, difference or product with a constant.
static bool stepBack(GraphBuilder &b, qg::BinaryOp op, Position &at) {
  Value lhs = op.getLhs(), rhs = op.getRhs();
  if (op.getKind() != BinaryKind::sub && b.isConstant(lhs))
    std::swap(lhs, rhs);
  std::optional<Tensor> constant = b.constantOf(rhs);
  int64_t count = b.type(at.base).getNumElements();
  auto fits = [&](int64_t n) { return n == 1 || n == count; };
  if (!constant || !fits(constant->numElements()) ||
      !fits(b.type(lhs).getNumElements()))
    return false;
  int64_t by = constant->getInt(constant->numElements() == 1 ? 0 : at.element);
  // Products stay far from 64 bits.
  constexpr int64_t kMost = int64_t(1) << 24;
  if (std::abs(at.factor) > kMost || by < -kMost || by > kMost)
    return false;
  if (op.getKind() == BinaryKind::add)
    at.offset += at.factor * by;
  else if (op.getKind() == BinaryKind::sub)
    at.offset -= at.factor * by;
  else if (op.getKind() == BinaryKind::mul)
    at.factor *= by;
  else
    return false;
  at.base = lhs;
  at.element = b.type(lhs).getNumElements() == 1 ? 0 : at.element;
  return true;
}

/// One step towards where an element comes from; false if there is none.
static bool stepBack(GraphBuilder &b, Position &at) {
  Operation *op = at.base.getDefiningOp();
  if (!op)
    return false;
  if (isa<qg::ReshapeOp>(op)) {
    at.base = op->getOperand(0);
    return true;
  }
  if (auto cast = dyn_cast<qg::CastOp>(op)) {
    bool keeps = b.element(cast.getX()).isInteger() &&
                 b.element(cast.getX()).getIntOrFloatBitWidth() <=
                     b.element(at.base).getIntOrFloatBitWidth();
    at.base = keeps ? Value(cast.getX()) : at.base;
    return keeps;
  }
  if (auto broadcast = dyn_cast<qg::BroadcastOp>(op)) {
    if (b.type(broadcast.getX()).getNumElements() != 1)
      return false;
    at.base = broadcast.getX();
    at.element = 0;
    return true;
  }
  if (auto slice = dyn_cast<qg::SliceOp>(op)) {
    if (b.rank(slice.getX()) != 1)
      return false;
    at.base = slice.getX();
    at.element = slice.getOffsets()[0] + at.element * slice.getStrides()[0];
    return true;
  }
  if (auto concat = dyn_cast<qg::ConcatOp>(op)) {
    if (b.rank(concat.getResult()) != 1)
      return false;
    for (Value input : concat.getInputs()) {
      if (at.element < b.extent(input, 0)) {
        at.base = input;
        return true;
      }
      at.element -= b.extent(input, 0);
    }
  }
  auto binary = dyn_cast<qg::BinaryOp>(op);
  return binary && stepBack(b, binary, at);
}

static Position trace(GraphBuilder &b, Value value, int64_t element) {
  Position at{value, element, 0};
  while (!b.isConstant(at.base) && stepBack(b, at)) {
  }
  if (std::optional<Tensor> constant = b.constantOf(at.base))
    return {{}, 0, at.offset + at.factor * constant->getInt(at.element)};
  return at;
}

/// Whether two values are one, or computed alike from the same.
static bool isSame(Value a, Value b, unsigned depth = 8) {
  if (a == b)
    return true;
  Operation *x = a.getDefiningOp(), *y = b.getDefiningOp();
  if (depth == 0 || !x || !y || isa<qg::ConstantOp>(x) ||
      x->getName() != y->getName() ||
      x->getNumOperands() != y->getNumOperands() ||
      a.getType() != b.getType() ||
      x->getAttrDictionary() != y->getAttrDictionary())
    return false;
  return llvm::all_of(
      llvm::zip(x->getOperands(), y->getOperands()), [&](auto pair) {
        return isSame(std::get<0>(pair), std::get<1>(pair), depth - 1);
      });
}

namespace {
/// One axis of a slice.
struct AxisSlice {
  int64_t axis, step;
  Position start, end;
};
} // namespace

/// How many elements the slice has along its axis; what the file declares where
/// starts and ends do not say it.
static std::optional<int64_t> countPositions(OpBinder &op, Value x,
                                             const AxisSlice &slice) {
  const Position &start = slice.start, &end = slice.end;
  if (start.base && end.base && start.element == end.element &&
      start.factor == end.factor && isSame(start.base, end.base)) {
    int64_t distance = end.offset - start.offset;
    int64_t step = slice.step;
    int64_t count =
        step > 0 ? (distance + step - 1) / step : (distance + step + 1) / step;
    return std::clamp<int64_t>(count, 0, op.b.extent(x, slice.axis));
  }
  std::optional<Shape> declared = op.declaredShape(0);
  if (!declared || int64_t(declared->size()) != op.b.rank(x) ||
      (*declared)[slice.axis] < 0)
    return std::nullopt;
  return (*declared)[slice.axis];
}

/// Element `i` of a tensor of starts, as a vector of one element.
static Value getStart(GraphBuilder &b, Value starts, int64_t i) {
  Value flat = b.reshape(starts, {b.type(starts).getNumElements()});
  return b.reshape(b.sliceAxis(flat, 0, i, i + 1), {1});
}

/// `count` elements along the axis from a start that is computed, which counts
/// from the end where negative and is clamped as the operator says.
static Value sliceFrom(OpBinder &op, Value x, const AxisSlice &slice,
                       Value start, int64_t count) {
  GraphBuilder &b = op.b;
  int64_t extent = b.extent(x, slice.axis);
  start = normalizeIndices(op, start, extent);
  start = b.clamp(start, 0, double(slice.step > 0 ? extent : extent - 1));
  Tensor steps(DType::i64, {count});
  for (int64_t j = 0; j < count; ++j)
    steps.setInt(j, j * slice.step);
  return b.gather(x, b.add(start, b.constant(steps)), slice.axis);
}

namespace {
/// What a Slice has been given, constant or not.
struct SliceInputs {
  Value x, starts, ends;
  Shape axes, steps;
};
} // namespace

static LogicalResult buildSliceAtRunTime(OpBinder &op,
                                         const SliceInputs &inputs) {
  GraphBuilder &b = op.b;
  SliceSpec known;
  SmallVector<std::pair<AxisSlice, int64_t>> computed;
  Value x = inputs.x;
  if (auto q = qg::getQuantizedType(x.getType()); q && q.isPerAxis())
    x = b.plain(x);
  auto axes = op.normalizeAxes(inputs.axes, b.rank(x));
  if (!axes)
    return failure();
  int64_t count = b.type(inputs.starts).getNumElements();
  if (b.type(inputs.ends).getNumElements() != count ||
      int64_t(axes->size()) != count || int64_t(inputs.steps.size()) != count)
    return op.badModel("expects as many starts as ends, axes and steps");
  for (int64_t i = 0; i < count; ++i) {
    AxisSlice slice{(*axes)[i], inputs.steps[i], trace(b, inputs.starts, i),
                    trace(b, inputs.ends, i)};
    if (slice.step == 0)
      return op.badModel("expects steps that are not 0");
    if (slice.start.base || slice.end.base) {
      computed.push_back({slice, i});
      continue;
    }
    known.starts.push_back(slice.start.offset);
    known.ends.push_back(slice.end.offset);
    known.axes.push_back(slice.axis);
    known.steps.push_back(slice.step);
  }
  x = sliceConstant(op, x, known);
  for (auto &[slice, i] : computed) {
    if (!x)
      return failure();
    std::optional<int64_t> extent = countPositions(op, x, slice);
    if (!extent)
      return op.unsupported(
          "expects starts and ends that differ by a constant, or a declared "
          "shape of the result, along axis " +
          Twine(slice.axis) + "; they are computed at run time");
    x = sliceFrom(op, x, slice, getStart(b, inputs.starts, i), *extent);
  }
  return op.result(x);
}

static LogicalResult importSlice(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.raw(0), starts = op.in(1), ends = op.in(2);
  if (!x || !starts || !ends)
    return failure();
  int64_t count = b.type(starts).getNumElements();
  Shape axes(llvm::to_vector(llvm::seq<int64_t>(0, count))), steps(count, 1);
  if (op.hasInput(3)) {
    auto given = op.constantInts(3, "axes");
    if (!given)
      return failure();
    axes = *given;
  }
  if (op.hasInput(4)) {
    auto given = op.constantInts(4, "steps");
    if (!given)
      return failure();
    steps = *given;
  }
  if (!b.isConstant(starts) || !b.isConstant(ends))
    return buildSliceAtRunTime(op, {x, starts, ends, axes, steps});
  auto first = op.constantInts(1, "starts"), last = op.constantInts(2, "ends");
  if (!first || !last)
    return failure();
  return op.result(sliceConstant(op, x, {*first, *last, axes, steps}));
}

void frontend::registerSliceOps(OpRegistry &registry) {
  registry.add("Slice", 1, importSlice1);
  registry.add("Slice", 10, importSlice,
               "starts and ends known at compile time, or their difference, or "
               "the declared shape of the result");
}
