//===- Columns.cpp - Windows as columns, images out of them ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Col2Im and MaxUnpool put elements where windows say; CenterCropPad is a pad.
//===----------------------------------------------------------------------===//
#include "WindowPositions.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"
#include "qopt/Frontend/ONNX/Proto/ProtoReader.h"
#include "qopt/Frontend/ONNX/Window.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

WindowPositions frontend::getWindowPositions(ArrayRef<int64_t> spatial,
                                             const WindowSpec &window,
                                             ArrayRef<int64_t> outputs) {
  WindowPositions result{getNumElements(window.kernel), {}};
  int64_t rank = spatial.size(), count = getNumElements(outputs);
  for (int64_t i = 0; i < count * result.taps; ++i) {
    int64_t output = i / result.taps, tap = i % result.taps;
    int64_t position = 0, stride = 1;
    for (int64_t d = rank - 1; d >= 0; --d) {
      int64_t place = output % outputs[d] * window.strides[d] - window.pads[d] +
                      tap % window.kernel[d] * window.dilations[d];
      output /= outputs[d];
      tap /= window.kernel[d];
      bool isInside = place >= 0 && place < spatial[d];
      position = isInside && position >= 0 ? position + place * stride : -1;
      stride *= spatial[d];
    }
    result.positions.push_back(position);
  }
  return result;
}

int64_t frontend::getColumnMajor(int64_t position, ArrayRef<int64_t> shape) {
  int64_t result = 0;
  // Digits from the last dimension on, each with the extents in front of it.
  for (int64_t d = int64_t(shape.size()) - 1; d >= 0; --d) {
    result += position % shape[d] * getNumElements(shape.take_front(d));
    position /= shape[d];
  }
  return result;
}

/// How often the window of Col2Im fits along each dimension; reports x's whose
/// columns are others.
static std::optional<Shape> countBlocks(OpBinder &op, Value x,
                                        ArrayRef<int64_t> image,
                                        const WindowSpec &window) {
  Shape blocks;
  size_t rank = image.size();
  for (size_t d = 0; d < rank; ++d) {
    int64_t reach = (window.kernel[d] - 1) * window.dilations[d] + 1;
    int64_t padded = image[d] + window.pads[d] + window.pads[d + rank];
    blocks.push_back(padded < reach ? 0
                                    : (padded - reach) / window.strides[d] + 1);
  }
  int64_t taps = getNumElements(window.kernel);
  if (op.b.rank(x) == 3 && getNumElements(blocks) == op.b.extent(x, 2) &&
      op.b.extent(x, 1) % taps == 0 && getNumElements(blocks) > 0)
    return blocks;
  (void)op.badModel("expects x [N, C * " + Twine(taps) + ", " +
                    Twine(getNumElements(blocks)) + "], got " +
                    formatShape(op.b.shape(x)));
  return std::nullopt;
}

/// Columns are rows of updates, their positions known: those that overlap are
/// added in the order of the kernel.
static LogicalResult importCol2Im(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  auto image = op.constantInts(1, "image_shape"),
       kernel = op.constantInts(2, "block_shape");
  if (!x || !image || !kernel)
    return failure();
  for (int64_t extent : *image)
    if (extent < 1 || extent > (1 << 24))
      return op.badModel("expects extents in [1, 2^24], got " +
                         formatShape(*image));
  auto window = readWindow(op, *image, *kernel);
  if (!window)
    return failure();
  auto blocks = countBlocks(op, x, *image, *window);
  if (!blocks || !countElements(*image).ok())
    return failure();
  int64_t n = b.extent(x, 0), taps = getNumElements(*kernel),
          channels = b.extent(x, 1) / taps, count = getNumElements(*blocks);
  WindowPositions read = getWindowPositions(*image, *window, *blocks);
  // Rows of [taps, blocks]: all of a tap before the next one.
  Shape sources, targets;
  for (int64_t tap = 0; tap < taps; ++tap)
    for (int64_t block = 0; block < count; ++block)
      if (int64_t at = read.positions[block * taps + tap]; at >= 0) {
        sources.push_back(tap * count + block);
        targets.push_back(at);
      }
  Value rows = b.reshape(
      b.transpose(b.reshape(x, {n, channels, taps * count}), {2, 0, 1}),
      {taps * count, n * channels});
  Value updates = b.gather(rows, b.ints(sources), 0);
  Shape table{getNumElements(*image), n * channels};
  Value empty = b.full(table, 0, b.element(x));
  if (!updates || !empty)
    return failure();
  Value y = b.emit<qg::ScatterOp>(table, b.element(x), ScatterKind::add, empty,
                                  b.ints(targets), updates);
  Shape result{n, channels};
  result.append(*image);
  return op.result(b.reshape(
      b.transpose(b.reshape(y, {table[0], n, channels}), {1, 2, 0}), result));
}

static LogicalResult importMaxUnpool(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0), indices = op.in(1);
  if (!x || !indices)
    return failure();
  int64_t rank = b.rank(x) - 2;
  Shape kernel = op.intsAttr("kernel_shape");
  if (rank < 1 || int64_t(kernel.size()) != rank ||
      b.shape(indices) != b.shape(x))
    return op.badModel("expects x [N, C, ...], indices of its shape and a "
                       "'kernel_shape'");
  auto window = readWindow(op, b.shape(x).drop_front(2), kernel);
  if (!window)
    return failure();
  // Indices count in the shape without `output_shape`, which only enlarges it.
  Shape natural(b.shape(x).take_front(2));
  for (int64_t d = 0; d < rank; ++d)
    natural.push_back((b.extent(x, d + 2) - 1) * window->strides[d] -
                      window->pads[d] - window->pads[d + rank] + kernel[d]);
  if (!countElements(natural).ok())
    return op.badModel("expects pads smaller than the image");
  int64_t count = b.type(x).getNumElements();
  Shape flat{getNumElements(natural)};
  Value y = b.emit<qg::ScatterOp>(
      flat, b.element(x), ScatterKind::replace, b.full(flat, 0, b.element(x)),
      b.reshape(b.convert(indices, b.i64()), {count}), b.reshape(x, {count}));
  y = b.reshape(y, natural);
  if (!op.hasInput(2))
    return op.result(y);
  auto wanted = op.constantInts(2, "output_shape");
  if (!wanted)
    return failure();
  if (wanted->size() != natural.size())
    return op.badModel("expects an output_shape of x's rank");
  Shape low(natural.size(), 0), high;
  for (auto [have, want] : llvm::zip(natural, *wanted)) {
    if (want < have || want > (1 << 24))
      return op.badModel("expects an output_shape of at least " +
                         formatShape(natural) + ", got " +
                         formatShape(*wanted));
    high.push_back(want - have);
  }
  return op.result(b.pad(PadMode::constant, y, {}, low, high));
}

static LogicalResult importCenterCropPad(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.raw(0);
  auto wanted = op.constantInts(1, "shape");
  if (!x || !wanted)
    return failure();
  if (auto q = qg::getQuantizedType(x.getType()); q)
    x = b.plain(x);
  Shape all(llvm::to_vector(llvm::seq<int64_t>(0, b.rank(x))));
  auto axes = op.normalizeAxes(op.intsAttr("axes", all), b.rank(x));
  if (!axes)
    return failure();
  if (axes->size() != wanted->size())
    return op.badModel("expects an extent for each of " + Twine(axes->size()) +
                       " axes, got " + Twine(wanted->size()));
  Shape low(b.rank(x), 0), high(b.rank(x), 0);
  for (auto [axis, extent] : llvm::zip(*axes, *wanted)) {
    if (extent < 0 || extent > (int64_t(1) << 32))
      return op.badModel("expects extents in [0, 2^32], got " + Twine(extent));
    // What is odd goes to the end, of crops and of pads.
    int64_t more = extent - b.extent(x, axis);
    low[axis] = more / 2;
    high[axis] = more - low[axis];
  }
  return op.result(b.pad(PadMode::constant, x, {}, low, high));
}

void frontend::registerColumnsOps(OpRegistry &registry) {
  registry.add("CenterCropPad", 18, importCenterCropPad);
  registry.add("Col2Im", 18, roundOnce<importCol2Im>);
  registry.add("MaxUnpool", 9, importMaxUnpool);
}
