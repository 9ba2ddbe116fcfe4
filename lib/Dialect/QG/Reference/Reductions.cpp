//===- Reductions.cpp - Reference semantics of pools and reductions -------===//
// SPDX-License-Identifier: Apache-2.0
//
// Orders of addition are part of the semantics: index order in a window, in a
// large one by rows, 16 lanes and a tree in a reduction.
//===----------------------------------------------------------------------===//
#include "Arrays.h"

#include "qopt/Numerics/Affine.h"
#include "qopt/Numerics/ArrayKernels.h"
#include "qopt/Numerics/WindowSums.h"
#include "llvm/ADT/SmallBitVector.h"
#include <limits>

using namespace mlir;
using namespace qopt;
using namespace qopt::qg;
using namespace qopt::qg::reference;

//===----------------------------------------------------------------------===//
// Pools
//===----------------------------------------------------------------------===//

static WindowWalk getWalk(PoolOp op) {
  ArrayRef<int64_t> x = getTensorType(op.getX()).getShape();
  ArrayRef<int64_t> result = op.getResultType().getShape();
  return WindowWalk(
      x.drop_front().drop_back(), result.drop_front().drop_back(),
      {op.getKernel(), op.getStrides(), op.getPads(), op.getDilations()});
}

/// Calls body(taps, n, p) for every window and batch element.
template <typename Body>
static void forEachWindow(const WindowWalk &walk, int64_t batch, Body body) {
  SmallVector<WindowWalk::Tap> taps;
  for (int64_t p = 0; p < walk.numOutputs(); ++p) {
    walk.getTaps(p, taps);
    for (int64_t n = 0; n < batch; ++n)
      body(ArrayRef<WindowWalk::Tap>(taps), n, p);
  }
}

namespace {
/// Images of an input and of what its windows become.
template <typename T> struct Images {
  int64_t batch, channels;
  ArrayRef<T> x;
  MutableArrayRef<T> out;
};
} // namespace

/// acc[c] = combine(acc[c], x[c]) over a window, from `identity`.
template <typename T, typename Combine>
static void combineWindows(const WindowWalk &walk, const Images<T> &images,
                           T identity, Combine combine) {
  int64_t channels = images.channels;
  forEachWindow(
      walk, images.batch,
      [&](ArrayRef<WindowWalk::Tap> taps, int64_t n, int64_t p) {
        T *acc = images.out.data() + (n * walk.numOutputs() + p) * channels;
        std::fill_n(acc, channels, identity);
        for (const WindowWalk::Tap &tap : taps) {
          const T *pixel =
              images.x.data() + (n * walk.numInputs() + tap.input) * channels;
          for (int64_t c = 0; c < channels; ++c)
            acc[c] = combine(acc[c], pixel[c]);
        }
      });
}

/// Sums of windows whose rows of `width` positions are added by themselves.
template <typename T>
static void sumRows(const WindowWalk &walk, const Images<T> &images,
                    int64_t width) {
  int64_t channels = images.channels;
  std::vector<T> row(channels);
  forEachWindow(
      walk, images.batch,
      [&](ArrayRef<WindowWalk::Tap> taps, int64_t n, int64_t p) {
        T *acc = images.out.data() + (n * walk.numOutputs() + p) * channels;
        std::fill_n(acc, channels, T(0));
        while (!taps.empty()) {
          int64_t current = taps.front().kernel / width;
          std::fill(row.begin(), row.end(), T(0));
          for (; !taps.empty() && taps.front().kernel / width == current;
               taps = taps.drop_front()) {
            const T *pixel =
                images.x.data() +
                (n * walk.numInputs() + taps.front().input) * channels;
            for (int64_t c = 0; c < channels; ++c)
              row[c] += pixel[c];
          }
          for (int64_t c = 0; c < channels; ++c)
            acc[c] += row[c];
        }
      });
}

template <typename T>
static LogicalResult evaluatePool(PoolOp op, const Tensor &x,
                                  SmallVectorImpl<Tensor> &results) {
  FailureOr<std::vector<T>> values = load<T>(op, op.getX(), x);
  if (failed(values))
    return failure();
  EvalBuilder b;
  WindowWalk walk = getWalk(op);
  int64_t batch = x.shape().front(), channels = x.shape().back();
  std::vector<T> out(op.getResultType().getNumElements());
  Images<T> images{batch, channels, *values, out};
  if (op.getKind() == PoolKind::max) {
    combineWindows<T>(walk, images, -std::numeric_limits<T>::infinity(),
                      [&](T a, T c) { return b.maximumF(a, c); });
    return store<T>(op, out, results);
  }
  if (numerics::isSummedByRows(op.getKernel()))
    sumRows<T>(walk, images, op.getKernel().back());
  else
    combineWindows<T>(walk, images, T(0), [](T a, T c) { return a + c; });
  forEachWindow(walk, batch,
                [&](ArrayRef<WindowWalk::Tap> taps, int64_t n, int64_t p) {
                  T count = op.getCountIncludePad() ? walk.numTaps()
                                                    : int64_t(taps.size());
                  T *acc = out.data() + (n * walk.numOutputs() + p) * channels;
                  for (int64_t c = 0; c < channels; ++c)
                    acc[c] /= count;
                });
  return store<T>(op, out, results);
}

/// How many positions each window of an average pool counts.
static std::vector<int64_t> getCounts(PoolOp op, const WindowWalk &walk) {
  std::vector<int64_t> counts(walk.numOutputs(), walk.numTaps());
  if (!op.getCountIncludePad())
    forEachWindow(walk, 1,
                  [&](ArrayRef<WindowWalk::Tap> taps, int64_t, int64_t p) {
                    counts[p] = int64_t(taps.size());
                  });
  return counts;
}

/// rne(f32(acc[i]) * getScale(i)) + zp into a per-tensor encoding.
static Tensor requantize(ArrayRef<int32_t> acc,
                         llvm::function_ref<float(size_t)> getScale,
                         RankedTensorType type) {
  QuantizedType quantized = getQuantizedType(type);
  const IntegerFormat &format = quantized.getIntegerFormat();
  numerics::StoredRange range{quantized.getZeroPoint(), format.min(),
                              format.max()};
  Tensor result(*getDType(type.getElementType()), type.getShape());
  EvalBuilder b;
  for (size_t i = 0; i < acc.size(); ++i)
    result.setInt(i,
                  numerics::emitRequantize(b, acc[i], 0, getScale(i), range));
  return result;
}

static bool isPerTensor(QuantizedType type) {
  return type && type.isPerTensor();
}

LogicalResult PoolOp::evaluate(ArrayRef<Tensor> operands,
                               SmallVectorImpl<Tensor> &results) {
  const Tensor &x = operands[0];
  QuantizedType from = getQuantizedType(getX().getType());
  QuantizedType to = getQuantizedType(getResultType());
  bool isMax = getKind() == PoolKind::max;
  if (isMax ? isFloat(x.dtype()) : !isPerTensor(from) || !isPerTensor(to)) {
    if (isDouble(getX()))
      return evaluatePool<double>(*this, x, results);
    return evaluatePool<float>(*this, x, results);
  }
  WindowWalk walk = getWalk(*this);
  int64_t batch = x.shape().front(), channels = x.shape().back();
  std::vector<int32_t> out(getResultType().getNumElements());
  if (isMax) {
    // The encoding is kept and monotonic: the stored integers compare alike.
    if (getByteWidth(x.dtype()) > 4 || x.dtype() == DType::u32)
      return emitOpError("has no reference semantics for this element type");
    std::vector<int32_t> values = loadIntegers(x);
    combineWindows<int32_t>(
        walk, {batch, channels, values, out}, INT32_MIN,
        [](int32_t a, int32_t c) { return std::max(a, c); });
    Tensor result(x.dtype(), getResultType().getShape());
    for (size_t i = 0; i < out.size(); ++i)
      result.setInt(i, out[i]);
    results.push_back(result);
    return success();
  }
  std::vector<int64_t> counts = getCounts(*this, walk);
  if (llvm::is_contained(counts, 0))
    return evaluatePool<float>(*this, x, results);
  std::vector<int32_t> values = loadIntegers(x, from.getZeroPoint());
  combineWindows<int32_t>(
      walk, {batch, channels, values, out}, 0,
      [](int32_t a, int32_t c) { return int32_t(uint32_t(a) + uint32_t(c)); });
  std::vector<float> scales;
  for (int64_t count : counts)
    scales.push_back(float(double(from.getScale()) /
                           (double(to.getScale()) * double(count))));
  results.push_back(requantize(
      out, [&](size_t i) { return scales[i / channels % counts.size()]; },
      getResultType()));
  return success();
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

namespace {
/// Where the elements of each result of a reduction lie.
struct ReductionLayout {
  std::vector<int64_t> kept, reduced;

  ReductionLayout(ArrayRef<int64_t> shape, ArrayRef<int64_t> axes) {
    SmallVector<int64_t> strides = reference::getStrides(shape);
    llvm::SmallBitVector isReduced(shape.size());
    for (int64_t axis : axes)
      isReduced.set(axis);
    SmallVector<int64_t> extents[2], steps[2];
    for (size_t i = 0; i < shape.size(); ++i) {
      extents[isReduced[i]].push_back(shape[i]);
      steps[isReduced[i]].push_back(strides[i]);
    }
    kept = getOffsets(extents[0], steps[0]);
    reduced = getOffsets(extents[1], steps[1]);
  }
};
} // namespace

template <typename T, typename Combine>
static std::vector<T> reduceAll(const ReductionLayout &layout, ArrayRef<T> x,
                                T identity, Combine combine) {
  std::vector<T> out;
  out.reserve(layout.kept.size());
  for (int64_t base : layout.kept)
    out.push_back(reduceInLanes(int64_t(layout.reduced.size()), identity,
                                x.data() + base, layout.reduced.data(),
                                combine));
  return out;
}

template <typename T>
static std::vector<T>
reduceFloats(ReduceKind kind, const ReductionLayout &layout, ArrayRef<T> x) {
  EvalBuilder b;
  constexpr T infinity = std::numeric_limits<T>::infinity();
  switch (kind) {
  case ReduceKind::sum:
    return reduceAll<T>(layout, x, T(0), [](T a, T c) { return a + c; });
  case ReduceKind::prod:
    return reduceAll<T>(layout, x, T(1), [](T a, T c) { return a * c; });
  case ReduceKind::max:
    return reduceAll<T>(layout, x, -infinity,
                        [&](T a, T c) { return b.maximumF(a, c); });
  case ReduceKind::min:
    return reduceAll<T>(layout, x, infinity,
                        [&](T a, T c) { return b.minimumF(a, c); });
  }
  return {};
}

/// Sums and products wrap in 64 bits and are cut to the width afterwards,
/// which is the same. `Compare` is int64_t, or uint64_t for u64.
template <typename Compare>
static std::vector<int64_t>
reduceIntegers(ReduceKind kind, const ReductionLayout &layout, const Tensor &x,
               int64_t low, int64_t high) {
  std::vector<int64_t> values(x.numElements());
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = x.getInt(i);
  ArrayRef<int64_t> source(values);
  switch (kind) {
  case ReduceKind::sum:
    return reduceAll<int64_t>(layout, source, 0, [](int64_t a, int64_t c) {
      return int64_t(uint64_t(a) + uint64_t(c));
    });
  case ReduceKind::prod:
    return reduceAll<int64_t>(layout, source, 1, [](int64_t a, int64_t c) {
      return int64_t(uint64_t(a) * uint64_t(c));
    });
  case ReduceKind::max:
    return reduceAll<int64_t>(layout, source, low, [](int64_t a, int64_t c) {
      return Compare(a) < Compare(c) ? c : a;
    });
  case ReduceKind::min:
    return reduceAll<int64_t>(layout, source, high, [](int64_t a, int64_t c) {
      return Compare(c) < Compare(a) ? c : a;
    });
  }
  return {};
}

static LogicalResult reduceIntegerTensor(ReduceOp op, const Tensor &x,
                                         const ReductionLayout &layout,
                                         SmallVectorImpl<Tensor> &results) {
  unsigned bits = x.dtype() == DType::b1 ? 1 : 8 * getByteWidth(x.dtype());
  bool isUnsignedType = isUnsigned(x.dtype());
  uint64_t all = uint64_t(-1) >> (64 - bits);
  int64_t low = isUnsignedType ? 0 : int64_t(~(all >> 1));
  int64_t high = isUnsignedType ? int64_t(all) : int64_t(all >> 1);
  std::vector<int64_t> out =
      x.dtype() == DType::u64
          ? reduceIntegers<uint64_t>(op.getKind(), layout, x, low, high)
          : reduceIntegers<int64_t>(op.getKind(), layout, x, low, high);
  RankedTensorType type = op.getResultType();
  std::optional<DType> dtype = getDType(type.getElementType());
  if (dtype != x.dtype())
    return op.emitOpError("expects equal element types of integers");
  Tensor result(*dtype, type.getShape());
  for (size_t i = 0; i < out.size(); ++i)
    result.setInt(i, out[i]);
  results.push_back(result);
  return success();
}

template <typename T>
static LogicalResult evaluateReduce(ReduceOp op, const Tensor &x,
                                    const ReductionLayout &layout,
                                    SmallVectorImpl<Tensor> &results) {
  FailureOr<std::vector<T>> values = load<T>(op, op.getX(), x);
  if (failed(values))
    return failure();
  return store<T>(op, reduceFloats<T>(op.getKind(), layout, *values), results);
}

LogicalResult ReduceOp::evaluate(ArrayRef<Tensor> operands,
                                 SmallVectorImpl<Tensor> &results) {
  const Tensor &x = operands[0];
  ReductionLayout layout(x.shape(), getAxes());
  QuantizedType from = getQuantizedType(getX().getType());
  QuantizedType to = getQuantizedType(getResultType());
  if (!from && !isFloat(x.dtype()))
    return reduceIntegerTensor(*this, x, layout, results);
  // The sum of stored integers is exact, also where the result is f32.
  bool givesFloat = getResultType().getElementType().isF32();
  if (isPerTensor(from) && (isPerTensor(to) || givesFloat) &&
      getKind() == ReduceKind::sum) {
    std::vector<int32_t> acc =
        reduceAll<int32_t>(layout, loadIntegers(x, from.getZeroPoint()), 0,
                           [](int32_t a, int32_t c) {
                             return int32_t(uint32_t(a) + uint32_t(c));
                           });
    if (givesFloat) {
      Tensor sums(DType::f32, getResultType().getShape());
      EvalBuilder b;
      for (size_t i = 0; i < acc.size(); ++i)
        sums.setFloat(i,
                      numerics::emitDequantize(b, acc[i], 0, from.getScale()));
      results.push_back(sums);
      return success();
    }
    float scale = getRequantizeScale(from.getScale(), 1, to.getScale());
    results.push_back(
        requantize(acc, [scale](size_t) { return scale; }, getResultType()));
    return success();
  }
  if (isDouble(getX()))
    return evaluateReduce<double>(*this, x, layout, results);
  return evaluateReduce<float>(*this, x, layout, results);
}

/// Index of the best of `extent` elements `stride` apart; NaN counts as better
/// than numbers, the first NaN wins.
template <typename T>
static int64_t findBest(ArgReduceOp op, const T *x, int64_t extent,
                        int64_t stride) {
  bool isMax = op.getKind() == ReduceKind::max;
  int64_t best = 0;
  for (int64_t i = 1; i < extent; ++i) {
    T old = x[best * stride], now = x[i * stride];
    if (old != old)
      return best;
    bool better = now != now || (isMax ? now > old : now < old);
    if (better || (op.getSelectLast() && now == old))
      best = i;
  }
  return best;
}

template <typename T>
static void findAll(ArgReduceOp op, ArrayRef<int64_t> shape, ArrayRef<T> x,
                    MutableArrayRef<int64_t> out) {
  int64_t axis = op.getAxis();
  int64_t stride = reference::getStrides(shape)[axis];
  ReductionLayout layout(shape, {axis});
  for (size_t i = 0; i < layout.kept.size(); ++i)
    out[i] = findBest<T>(op, x.data() + layout.kept[i], shape[axis], stride);
}

LogicalResult ArgReduceOp::evaluate(ArrayRef<Tensor> operands,
                                    SmallVectorImpl<Tensor> &results) {
  const Tensor &x = operands[0];
  if (x.shape()[getAxis()] == 0)
    return emitOpError("expects a dimension with elements");
  QuantizedType type = getQuantizedType(getX().getType());
  Tensor result(DType::i64, getResultType().getShape());
  MutableArrayRef<int64_t> out = result.mutableSpan<int64_t>();
  if (!isFloat(x.dtype()) && (!type || type.isPerTensor())) {
    std::vector<int64_t> values(x.numElements());
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = x.getInt(i);
    if (x.dtype() == DType::u64) // same order as signed numbers
      for (int64_t &value : values)
        value ^= INT64_MIN;
    findAll<int64_t>(*this, x.shape(), values, out);
  } else {
    FailureOr<std::vector<double>> values = load<double>(*this, getX(), x);
    if (failed(values))
      return failure();
    findAll<double>(*this, x.shape(), *values, out);
  }
  results.push_back(result);
  return success();
}

template <typename T>
static LogicalResult evaluateSoftmax(SoftmaxOp op, const Tensor &x,
                                     SmallVectorImpl<Tensor> &results) {
  FailureOr<std::vector<T>> values = load<T>(op, op.getX(), x);
  if (failed(values))
    return failure();
  EvalBuilder b;
  int64_t extent = x.shape().back();
  int64_t rows = extent ? x.numElements() / extent : 0;
  std::vector<T> &out = *values;
  for (int64_t row = 0; row < rows; ++row) {
    T *at = out.data() + row * extent;
    T top =
        reduceInLanes<T>(extent, -std::numeric_limits<T>::infinity(), at,
                         nullptr, [&](T a, T c) { return b.maximumF(a, c); });
    for (int64_t i = 0; i < extent; ++i)
      at[i] -= top;
    applyUnary(UnaryKind::exp, at, at, extent);
    T sum = reduceInLanes<T>(extent, T(0), at, nullptr,
                             [](T a, T c) { return a + c; });
    for (int64_t i = 0; i < extent; ++i)
      at[i] /= sum;
  }
  return store<T>(op, out, results);
}

LogicalResult SoftmaxOp::evaluate(ArrayRef<Tensor> operands,
                                  SmallVectorImpl<Tensor> &results) {
  if (isDouble(getX()))
    return evaluateSoftmax<double>(*this, operands[0], results);
  return evaluateSoftmax<float>(*this, operands[0], results);
}
