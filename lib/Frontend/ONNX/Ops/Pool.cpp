//===- Pool.cpp - Pooling -------------------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Max, average and L_p pooling, windowed and global.
//===----------------------------------------------------------------------===//
#include "WindowPositions.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"
#include "qopt/Frontend/ONNX/Window.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

/// x is [N, C, s...] with at least one spatial dimension.
static bool checkSpatial(OpBinder &op, Value x) {
  if (!x)
    return false;
  if (op.b.rank(x) >= 3)
    return true;
  (void)op.badModel("expects x of rank >= 3 ([N, C, spatial...]), got shape " +
                    formatShape(op.b.shape(x)));
  return false;
}

static std::optional<WindowSpec> readPoolWindow(OpBinder &op, Value x) {
  if (!op.hasAttr("kernel_shape")) {
    (void)op.badModel("expects attribute 'kernel_shape'");
    return std::nullopt;
  }
  return readWindow(op, op.b.shape(x).drop_front(2),
                    op.intsAttr("kernel_shape"));
}

/// A window over the whole of every spatial dimension.
static WindowSpec getGlobalWindow(OpBinder &op, Value x) {
  ArrayRef<int64_t> spatial = op.b.shape(x).drop_front(2);
  size_t rank = spatial.size();
  return {Shape(spatial), Shape(rank, 1), Shape(2 * rank, 0), Shape(rank, 1)};
}

/// Positions of the first maximum of each window of x [N, C, s...], counted in
/// the whole of x: windows as rows, of which the index says which element.
static Value findMaxima(OpBinder &op, Value x, const WindowSpec &window,
                        ArrayRef<int64_t> outputs) {
  GraphBuilder &b = op.b;
  Shape spatial(b.shape(x).drop_front(2));
  int64_t images = b.extent(x, 0) * b.extent(x, 1),
          elements = getNumElements(spatial);
  bool isColumnMajor = op.intAttr("storage_order", 0) != 0;
  WindowPositions read = getWindowPositions(spatial, window, outputs);
  int64_t count = getNumElements(outputs), taps = read.taps;
  if (count * taps * images > (int64_t(1) << 27) || count == 0)
    return b.fail("expects windows of at most 2^27 elements for 'Indices'");
  Tensor isInside(DType::b1, {count, taps}), source(DType::i64, {count, taps}),
      counted(DType::i64, {count * taps});
  for (int64_t i = 0; i < count * taps; ++i) {
    int64_t position = read.positions[i];
    isInside.setInt(i, position >= 0);
    source.setInt(i, std::max<int64_t>(position, 0));
    counted.setInt(i, position < 0    ? 0
                      : isColumnMajor ? getColumnMajor(position, spatial)
                                      : position);
  }
  Type type = b.element(x);
  double least = b.isFloat(x) ? -std::numeric_limits<double>::infinity()
                 : type.isUnsignedInteger()
                     ? 0
                     : -std::ldexp(1, int(type.getIntOrFloatBitWidth()) - 1);
  Value rows =
      b.gather(b.reshape(x, {images, elements}), b.constant(source), 1);
  rows = b.select(b.constant(isInside), rows, b.scalar(least, type));
  Value tap = b.argReduce(ReduceKind::max, rows, 2, false);
  Tensor starts(DType::i64, {count}), bases(DType::i64, {images, 1});
  for (int64_t i = 0; i < count; ++i)
    starts.setInt(i, i * taps);
  for (int64_t i = 0; i < images; ++i)
    bases.setInt(i, i * elements);
  Value index =
      b.gather(b.constant(counted), b.add(tap, b.constant(starts)), 0);
  Shape result(b.shape(x).take_front(2));
  result.append(outputs.begin(), outputs.end());
  return b.reshape(b.add(index, b.constant(bases)), result);
}

static LogicalResult importMaxPool(OpBinder &op) {
  // How the indices count.
  op.ignoreAttrs({"storage_order"});
  // The maximum of encoded numbers is that of their integers.
  Value x = op.raw(0);
  if (!checkSpatial(op, x))
    return failure();
  if (auto q = qg::getQuantizedType(x.getType()); q && q.isPerAxis())
    x = op.b.plain(x);
  auto window = readPoolWindow(op, x);
  if (!window)
    return failure();
  Value y = op.b.toChannelsFirst(
      op.b.pool(PoolKind::max, op.b.toChannelsLast(x), *window));
  if (failed(op.result(y)) || !op.hasOutput(1))
    return success(y != Value());
  return op.result(1, findMaxima(op, op.b.plain(x), *window,
                                 Shape(op.b.shape(y).drop_front(2))));
}

static LogicalResult importNhwcMaxPool(OpBinder &op) {
  Value x = op.raw(0);
  if (!x)
    return failure();
  if (op.b.rank(x) < 3)
    return op.badModel("expects x of rank >= 3, got " +
                       formatShape(op.b.shape(x)));
  op.replaceInput(0, op.b.toChannelsFirst(x));
  if (failed(importMaxPool(op)))
    return failure();
  return op.result(op.b.toChannelsLast(op.results().front()));
}

/// With ceil_mode the padding that was added at the end never counts, unlike
/// the model's own: a sum pool by counts that are known here.
static Value buildCeilAverage(OpBinder &op, Value x, const WindowSpec &window,
                              ArrayRef<int64_t> declaredPads) {
  size_t rank = window.kernel.size();
  Shape low(rank + 2, 0), high(rank + 2, 0);
  WindowSpec rest = window;
  for (size_t i = 0; i < rank; ++i) {
    low[i + 1] = declaredPads[i];
    high[i + 1] = declaredPads[i + rank];
    rest.pads[i] -= low[i + 1];
    rest.pads[i + rank] -= high[i + 1];
  }
  Value padded = op.b.pad(PadMode::constant, x, {}, low, high);
  return op.b.pool(PoolKind::avg, padded, rest);
}

static LogicalResult importAveragePool(OpBinder &op) {
  Value x = op.in(0);
  if (!checkSpatial(op, x))
    return failure();
  auto window = readPoolWindow(op, x);
  if (!window)
    return failure();
  bool countsPads = op.intAttr("count_include_pad", 0) != 0;
  Value last = op.b.toChannelsLast(x);
  Shape declared = op.intsAttr("pads", Shape(window->pads.size(), 0));
  bool grew = op.intAttr("ceil_mode", 0) && window->pads != declared &&
              op.stringAttr("auto_pad", "NOTSET") == "NOTSET";
  Value y = countsPads && grew
                ? buildCeilAverage(op, last, *window, declared)
                : op.b.pool(PoolKind::avg, last, *window, countsPads);
  return op.result(op.b.toChannelsFirst(y));
}

/// (average(|x|^p) * count)^(1/p), zeros outside.
static LogicalResult buildLpPool(OpBinder &op, Value x,
                                 const WindowSpec &window) {
  double p = double(op.intAttr("p", 2));
  double count = 1;
  for (int64_t extent : window.kernel)
    count *= double(extent);
  Value power = op.b.toChannelsLast(op.b.unary(UnaryKind::abs, x));
  if (p == 2)
    power = op.b.mul(power, power);
  else if (p != 1)
    power =
        op.b.binary(BinaryKind::pow, power, op.b.scalar(p, op.b.element(x)));
  Value sum = op.b.mul(op.b.pool(PoolKind::avg, power, window,
                                 /*countIncludePad=*/true),
                       count);
  if (p == 2)
    sum = op.b.unary(UnaryKind::sqrt, sum);
  else if (p != 1)
    sum =
        op.b.binary(BinaryKind::pow, sum, op.b.scalar(1 / p, op.b.element(x)));
  return op.result(op.b.toChannelsFirst(sum));
}

static LogicalResult importLpPool(OpBinder &op) {
  Value x = op.in(0);
  if (!checkSpatial(op, x))
    return failure();
  auto window = readPoolWindow(op, x);
  if (!window)
    return failure();
  if (llvm::any_of(window->dilations, [](int64_t d) { return d != 1; }) &&
      op.opset() < 18)
    return op.badModel("expects no dilations before opset 18");
  return buildLpPool(op, x, *window);
}

template <PoolKind kind> static LogicalResult importGlobalPool(OpBinder &op) {
  Value x = op.in(0);
  if (!checkSpatial(op, x))
    return failure();
  return op.result(op.b.toChannelsFirst(
      op.b.pool(kind, op.b.toChannelsLast(x), getGlobalWindow(op, x))));
}

static LogicalResult importGlobalLpPool(OpBinder &op) {
  Value x = op.in(0);
  if (!checkSpatial(op, x))
    return failure();
  return buildLpPool(op, x, getGlobalWindow(op, x));
}

void frontend::registerPoolOps(OpRegistry &registry) {
  registry.add("AveragePool", 1, importAveragePool);
  registry.add("GlobalAveragePool", 1, importGlobalPool<PoolKind::avg>);
  registry.add("GlobalLpPool", 1, roundOnce<importGlobalLpPool>);
  registry.add("GlobalMaxPool", 1, importGlobalPool<PoolKind::max>);
  registry.add("LpPool", 1, roundOnce<importLpPool>);
  registry.add("MaxPool", 1, importMaxPool);
  registry.refuse("", "MaxRoiPool", "region pooling is not supported");
  registry.add("com.microsoft", "NhwcMaxPool", 1, importNhwcMaxPool);
}
