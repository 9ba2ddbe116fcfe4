//===- Slice.cpp - Rectangles out of tensors ------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Extents are static. Where starts and ends are not, either their difference
// is, or the file declares the shape of the result; the data are then gathered
// from a start that is known at run time. Where only the end is not, it is a
// length (GraphBuilder::markCounted).
//===----------------------------------------------------------------------===//
#include "ComputedShapes.h"
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

/// `[start, end)` of an axis of which data count the positions, or whose end is
/// computed; a negative end counts from the last that counts.
static Value sliceCounted(OpBinder &op, Value x, int64_t axis, int64_t start,
                          Value end) {
  GraphBuilder &b = op.b;
  const CountedDim *known = b.countedDimOf(x);
  if (known && known->axis != axis)
    return b.failMixed(known->axis);
  int64_t extent = b.extent(x, axis);
  Value whole = known ? known->length : b.scalar(double(extent), b.i64());
  start = std::min(start, extent);
  Value first = b.scalar(double(start), b.i64());
  Value last = b.min(countFromEnd(b, b.reshape(end, {}), whole), whole);
  Value length = b.sub(b.max(last, first), first);
  std::optional<Tensor> stop = b.constantOf(end);
  if (stop && stop->getInt(0) >= 0)
    extent = std::clamp(stop->getInt(0), start, extent);
  Uncounted all(b, {x});
  Value y = b.sliceAxis(x, axis, start, extent);
  if (y == x) // others read x as it is
    y = b.emit<qg::ReshapeOp>(b.shape(x), b.element(x), x);
  b.markCounted(y, {axis, length});
  return y;
}

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

/// The same where data count the positions of one of the axes: its end, if it
/// is near enough to be one, is an end among those that count.
static Value sliceKnown(OpBinder &op, Value x, SliceSpec spec) {
  GraphBuilder &b = op.b;
  const CountedDim *known = x ? b.countedDimOf(x) : nullptr;
  auto axes = known ? op.normalizeAxes(spec.axes, b.rank(x)) : std::nullopt;
  const int64_t *found = axes ? llvm::find(*axes, known->axis) : nullptr;
  if (!axes || found == axes->end())
    return sliceConstant(op, x, spec);
  size_t i = found - axes->begin(), count = axes->size();
  if (spec.starts.size() != count || spec.ends.size() != count ||
      spec.steps.size() != count)
    return sliceConstant(op, x, spec);
  if (spec.starts[i] < 0 || spec.steps[i] != 1)
    return b.failMixed(known->axis);
  // All of them keep the length that they have.
  if (spec.starts[i] != 0 || spec.ends[i] < b.extent(x, known->axis))
    x = sliceCounted(op, x, known->axis, spec.starts[i],
                     b.scalar(double(std::clamp<int64_t>(
                                  spec.ends[i], -kMaxElements, kMaxElements)),
                              b.i64()));
  for (auto *list : {&spec.starts, &spec.ends, &spec.axes, &spec.steps})
    list->erase(list->begin() + i);
  return x ? sliceConstant(op, x, spec) : Value();
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
  return op.result(sliceKnown(op, x, spec));
}

//===----------------------------------------------------------------------===//
// Starts and ends that are computed
//===----------------------------------------------------------------------===//

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
  x = sliceKnown(op, x, known);
  for (auto &[slice, i] : computed) {
    if (!x)
      return failure();
    std::optional<int64_t> extent = countPositions(op, x, slice);
    bool hasKnownStart = !slice.start.base && slice.start.offset >= 0;
    if (!extent && hasKnownStart && slice.step == 1) {
      x = sliceCounted(op, x, slice.axis, slice.start.offset,
                       getStart(b, inputs.ends, i));
      continue;
    }
    if (!extent)
      return op.unsupported(
          "expects starts and ends that differ by a constant, a start that is "
          "known, or a declared shape of the result, along axis " +
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
  Value y = sliceKnown(op, x, {*first, *last, axes, steps});
  return op.result(b.rank(x) == 1 ? foldKnownElements(b, y) : y);
}

void frontend::registerSliceOps(OpRegistry &registry) {
  registry.add("Slice", 1, importSlice1);
  registry.add("Slice", 10, importSlice,
               "starts known at compile time, or the difference of starts and "
               "ends, or the declared shape of the result");
}
