//===- WindowKernel.cpp - What convolution kernels have in common ---------===//
// SPDX-License-Identifier: Apache-2.0
//
// Panels of channels outside, pixels inside: a panel's weights stay in the
// first cache while the input streams past them.
//===----------------------------------------------------------------------===//
#include "WindowKernel.h"

#include "llvm/Support/MathExtras.h"
#include <tuple>

using namespace mlir;
using namespace qopt::qcpu;

/// Tasks a kernel is split into if it has few panels: enough for a dozen
/// threads, few enough that reading the weights again does not matter.
static constexpr int64_t kTasks = 16;

WindowEmitter::WindowEmitter(Emitter &emit, WindowKernel kernel)
    : emit(emit), k(std::move(kernel)) {
  groupChannels = k.channels / k.groups;
  panelWidth = k.vectors * k.lanes;
  panels = llvm::divideCeil(groupChannels, panelWidth);
  flattenPixels();
  int64_t total = k.batch * k.height;
  int64_t blocks =
      k.rowsOutside ? kTasks : llvm::divideCeil(kTasks, panels * k.groups);
  blockRows = llvm::divideCeil(total, std::min(total, blocks));
  rowBlocks = llvm::divideCeil(total, blockRows);
}

/// Constants of channels, padded to panels.
static bool isPacked(const FlatView &extra) { return extra.shape.size() == 1; }

/// The same for all channels.
static bool isOfPixels(const FlatView &extra) {
  return !isPacked(extra) && extra.strides[3] == 0;
}

/// Pixels (n, h, w) at one distance.
static bool areContiguous(const FlatView &view) {
  return view.strides[1] == view.strides[2] * view.shape[2] &&
         view.strides[0] == view.strides[1] * view.shape[1];
}

/// A 1x1 window over contiguous pixels has no rows: one long row leaves fewer
/// partial tiles. It is cut again where tasks need it.
void WindowEmitter::flattenPixels() {
  bool pointwise = k.kernelH == 1 && k.kernelW == 1 && k.strideH == 1 &&
                   k.strideW == 1 && k.planes.height == 0;
  if (!pointwise || k.ownWeights || k.batch * k.height == 1 ||
      k.width >= 4 * k.rows)
    return;
  if (!areContiguous(k.x) || !areContiguous(k.y))
    return;
  for (const FlatView &extra : k.extras)
    if (extra.shape.size() == 4 && !areContiguous(extra))
      return;
  int64_t pixels = k.batch * k.height * k.width;
  int64_t rows = 1;
  for (int64_t candidate = 2; candidate <= kTasks; ++candidate)
    if (pixels % candidate == 0 && pixels / candidate >= 4 * k.rows)
      rows = candidate;
  k.batch = 1;
  k.height = rows;
  k.width = pixels / rows;
  k.flattened = true;
}

void WindowEmitter::emitTasks(TileBody body) {
  int64_t full = groupChannels / panelWidth;
  int64_t rest = groupChannels % panelWidth;
  emitPanels(0, full, k.vectors, panelWidth, body);
  if (rest)
    emitPanels(full, 1, llvm::divideCeil(rest, k.lanes), rest, body);
}

Panel WindowEmitter::makePanel(Value group, Value number, int64_t vectors,
                               int64_t valid) {
  Value padded = emit.add(emit.mul(group, panels), number);
  return {
      group,
      number,
      vectors,
      valid,
      emit.mul(padded, panelWidth),
      emit.add(emit.mul(group, groupChannels), emit.mul(number, panelWidth))};
}

void WindowEmitter::emitRowBlock(Value block,
                                 llvm::function_ref<void(Value)> body) {
  int64_t total = k.batch * k.height;
  Value low = emit.mul(block, blockRows);
  if (blockRows == 1)
    return body(low);
  Value high = emit.add(low, blockRows);
  if (total % blockRows)
    high =
        arith::MinUIOp::create(emit.builder, emit.loc, high, emit.index(total));
  emit.loop(low, high, 1, body);
}

void WindowEmitter::emitPanels(int64_t first, int64_t count, int64_t vectors,
                               int64_t valid, TileBody body) {
  if (count == 0)
    return;
  int64_t outer = k.groups * count;
  int64_t products =
      blockRows * k.width * valid * k.kernelH * k.kernelW * k.reducedChannels;
  auto emitPanel = [&](Value task, llvm::function_ref<void(Panel)> inner) {
    auto [group, number] = emit.divide(task, count, outer);
    inner(makePanel(group, emit.add(number, first), vectors, valid));
  };
  if (k.rowsOutside) {
    emit.parallelLoop(rowBlocks, products * outer, [&](Value block) {
      emitRowBlock(block, [&](Value row) {
        emit.loop(outer, [&](Value task) {
          emitPanel(task, [&](Panel panel) { emitRow(panel, row, body); });
        });
      });
    });
    return;
  }
  emit.parallelLoop(outer * rowBlocks, products, [&](Value task) {
    Value block = emit.index(0);
    if (rowBlocks > 1)
      std::tie(task, block) = emit.divide(task, rowBlocks, outer * rowBlocks);
    emitPanel(task, [&](Panel panel) {
      emitRowBlock(block, [&](Value row) { emitRow(panel, row, body); });
    });
  });
}

SmallVector<Value> WindowEmitter::reduceRows(ValueRange inits, RowBody body) {
  int64_t rowStep = k.x.strides[1];
  if (k.planes.kernel == 1)
    return emit.reduce(k.kernelH, inits, [&](Value kh, ValueRange sums) {
      return body(kh, emit.mul(kh, k.dilationH * rowStep), sums);
    });
  int64_t rows = k.kernelH / k.planes.kernel;
  return emit.reduce(k.planes.kernel, inits, [&](Value kd, ValueRange outer) {
    Value plane = emit.mul(kd, k.planes.dilation * rowStep);
    return emit.reduce(rows, outer, [&](Value kh, ValueRange sums) {
      return body(emit.add(emit.mul(kd, rows), kh),
                  emit.add(plane, emit.mul(kh, k.dilationH * rowStep)), sums);
    });
  });
}

/// The first element of what a row of the result reads.
Value WindowEmitter::findInputRow(Value image, Value row) {
  Value start = emit.mul(image, k.x.strides[0]);
  if (k.planes.height > 0) {
    auto [plane, inner] = emit.divide(row, k.planes.height, k.height);
    start = emit.add(start, emit.mul(plane, k.planes.stride * k.x.strides[1]));
    row = inner;
  }
  int64_t step =
      k.flattened ? k.width * k.x.strides[2] : k.x.strides[1] * k.strideH;
  return emit.add(start, emit.mul(row, step));
}

void WindowEmitter::emitRow(const Panel &panel, Value row, TileBody body) {
  auto [n, h] = emit.divide(row, k.height, k.batch * k.height);
  // A flattened row of `width` pixels may cover several rows of the memref.
  auto rowStart = [&, n = n, h = h](const FlatView &view) -> Value {
    int64_t distance =
        k.flattened ? k.width * view.strides[2] : view.strides[1];
    return emit.add(emit.mul(n, view.strides[0]), emit.mul(h, distance));
  };
  int64_t inputGroup = k.x.shape[3] / k.groups;
  Value xRow = emit.add(findInputRow(n, h), emit.mul(panel.group, inputGroup));
  SmallVector<Value> rows{emit.add(rowStart(k.y), panel.channel)};
  for (const FlatView &extra : k.extras)
    rows.push_back(isPacked(extra) ? panel.packed
                   : isOfPixels(extra)
                       ? rowStart(extra)
                       : emit.add(rowStart(extra), panel.channel));

  auto emitTile = [&](Value ox, int64_t tileRows) {
    Tile tile{panel,
              emit.add(xRow, emit.mul(ox, k.strideW * k.x.strides[2])),
              {},
              tileRows,
              row};
    tile.pixel.push_back(emit.add(rows[0], emit.mul(ox, k.y.strides[2])));
    for (auto [extra, start] : llvm::zip(k.extras, ArrayRef(rows).drop_front()))
      tile.pixel.push_back(
          isPacked(extra) ? start
                          : emit.add(start, emit.mul(ox, extra.strides[2])));
    body(tile);
  };
  // Two tile sizes that differ by one cover a row without a small rest.
  int64_t tiles = llvm::divideCeil(k.width, k.rows);
  int64_t size = k.width / tiles, larger = k.width % tiles;
  int64_t start = 0;
  for (auto [rows, count] :
       {std::pair(size + 1, larger), std::pair(size, tiles - larger)}) {
    int64_t end = start + rows * count;
    if (count == 1)
      emitTile(emit.index(start), rows);
    else if (count > 1)
      emit.loop(emit.index(start), emit.index(end), rows,
                [&, rows = rows](Value ox) { emitTile(ox, rows); });
    start = end;
  }
}

Value WindowEmitter::loadExtra(const Tile &tile, size_t number, int64_t pixel) {
  const FlatView &extra = k.extras[number];
  int64_t lanes = tile.panel.vectors * k.lanes;
  Value base = tile.pixel[1 + number];
  if (isPacked(extra))
    return emit.load(extra, base, lanes);
  if (isOfPixels(extra))
    return emit.broadcast(
        emit.loadScalar(extra, emit.add(base, pixel * extra.strides[2])),
        lanes);
  return emit.loadPieces(extra, emit.add(base, pixel * extra.strides[2]), lanes,
                         tile.panel.valid);
}

/// A channel at a time: vectors of two are no better than scalars.
void WindowEmitter::emitScalarEpilogue(const Tile &tile, ArrayRef<Value> acc) {
  int64_t channels = tile.panel.vectors;
  for (int64_t j = 0; j < channels; ++j) {
    SmallVector<Value> values(k.extras.size());
    for (int64_t i = 0; i < tile.rows; ++i) {
      SmallVector<Value> arguments{acc[i * channels + j]};
      for (auto [e, extra] : llvm::enumerate(k.extras)) {
        bool isSame = isPacked(extra) || extra.strides[2] == 0;
        Value at = emit.add(tile.pixel[1 + e],
                            (isOfPixels(extra) ? 0 : j) +
                                (isSame ? 0 : i * extra.strides[2]));
        if (!isSame || i == 0)
          values[e] = emit.load(extra, at, 1);
        arguments.push_back(values[e]);
      }
      Value result =
          emit.vectorize(*k.epilogue, arguments, /*roundToInt=*/false);
      emit.store(result, k.y, emit.add(tile.pixel[0], i * k.y.strides[2] + j));
    }
  }
}

void WindowEmitter::emitEpilogue(const Tile &tile, ArrayRef<Value> acc,
                                 bool roundToInt) {
  if (k.lanes == 1)
    return emitScalarEpilogue(tile, acc);
  int64_t vectors = tile.panel.vectors;
  SmallVector<Value> extras(k.extras.size());
  for (int64_t i = 0; i < tile.rows; ++i) {
    SmallVector<Value> arguments{emit.concat(acc.slice(i * vectors, vectors))};
    for (size_t e = 0; e < extras.size(); ++e) {
      if (i == 0 || !(isPacked(k.extras[e]) || k.extras[e].strides[2] == 0))
        extras[e] = loadExtra(tile, e, i);
      arguments.push_back(extras[e]);
    }
    Value result = emit.vectorize(*k.epilogue, arguments, roundToInt);
    emit.storePieces(result, k.y, emit.add(tile.pixel[0], i * k.y.strides[2]),
                     tile.panel.valid);
  }
}
