//===- LowerConv.cpp - qcpu.conv to loops over register tiles -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The innermost loop reads NR weight vectors and MR broadcast inputs and makes
// MR * NR products; accumulators are loop-carried vectors.
//===----------------------------------------------------------------------===//
#include "DotProduct.h"
#include "WindowKernel.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt::qcpu;

/// A reduction of at most this many steps is straight-line code.
static constexpr int64_t kUnrolledSteps = 4;

namespace {
/// Emits the reduction of one register tile.
class ConvTile {
public:
  ConvTile(Emitter &emit, WindowEmitter &window)
      : emit(emit), window(window), k(window.kernel()), dot(emit, k) {
    inputChannels = k.x.shape[3] / k.groups;
    // Taps of a row that lie one behind the other are one run. Where packs do
    // not span taps, weights are in the same order with and without runs.
    packedAsRun = k.kernelW > 1 && k.dilationW == 1 && k.groups == 1;
    isContiguous = k.x.strides[2] == inputChannels;
    bool isRun = packedAsRun && isContiguous;
    segments = isRun ? 1 : k.kernelW;
    length = isRun ? k.kernelW * inputChannels : inputChannels;
    segmentSteps = llvm::divideCeil(length, k.pack);
    int64_t width = k.vectors * k.lanes;
    int64_t padded = llvm::alignTo(k.channels / k.groups, width) * k.groups;
    endsEarly = !k.code.isPacked() &&
                k.weight.shape.front() < countRows() * padded * k.kernelH *
                                             segments * segmentSteps * k.pack;
  }

  bool isSupported() const {
    if (length < k.pack)
      return false;
    return isContiguous || !packedAsRun || inputChannels % k.pack == 0;
  }

  SmallVector<Value> emitTile(const WindowEmitter::Tile &tile) {
    rows = tile.rows;
    vectors = tile.panel.vectors;
    SmallVector<Value> acc(rows * vectors);
    for (int64_t j = 0; j < vectors; ++j) {
      Value bias = loadBias(tile, j * k.lanes);
      for (int64_t i = 0; i < rows; ++i)
        acc[i * vectors + j] = bias;
    }
    // packed = panel * NR * L, so the panel's weights start at packed * rest;
    // steps of packed weights are whole bytes.
    int64_t steps = k.kernelH * segments * segmentSteps;
    Value weights = k.code.isPacked()
                        ? emit.mul(emit.divide(tile.panel.packed,
                                               k.vectors * k.lanes, INT64_MAX)
                                       .first,
                                   steps * stepSize())
                        : emit.mul(tile.panel.packed, steps * k.pack);
    if (k.ownWeights)
      weights = emit.add(
          weights, emit.mul(tile.row, k.weight.shape.front() / countRows()));
    int64_t rowSize = segments * segmentSteps * stepSize();
    return window.reduceRows(
        acc, [&](Value kh, Value offset, ValueRange inner) {
          Value x = emit.add(tile.x, offset);
          Value w = emit.add(weights, emit.mul(kh, rowSize));
          return emitKernelRow(x, w, inner);
        });
  }

private:
  /// Of a vector of channels: zeros where one number stands for all.
  Value loadBias(const WindowEmitter::Tile &tile, int64_t first) {
    if (k.bias.shape.size() == 2) {
      Value at = emit.add(emit.mul(tile.row, k.bias.strides[0]),
                          emit.add(tile.panel.packed, first));
      return emit.loadPieces(k.bias, at, k.lanes,
                             std::min(k.lanes, tile.panel.valid - first));
    }
    if (k.bias.shape.front() == 1 && k.lanes > 1)
      return emit.zero(emit.vec(k.lanes, k.bias.element));
    return emit.load(k.bias, emit.add(tile.panel.packed, first), k.lanes);
  }

  /// Rows of the result with weights of their own.
  int64_t countRows() const { return k.ownWeights ? k.batch * k.height : 1; }

  /// Weights (bytes of their code) of a step of the tile's panel.
  int64_t stepSize() const {
    int64_t weights = (endsEarly ? vectors : k.vectors) * k.lanes * k.pack;
    return k.code.isPacked() ? k.code.bytes(weights) : weights;
  }

  SmallVector<Value> emitKernelRow(Value x, Value w, ValueRange inits) {
    SmallVector<Value> acc(inits);
    for (int64_t s = 0; s < segments; ++s) {
      Value xs = emit.add(x, s * k.dilationW * k.x.strides[2]);
      Value ws = emit.add(w, s * segmentSteps * stepSize());
      acc = emitSegment(xs, ws, acc);
    }
    return acc;
  }

  SmallVector<Value> emitSegment(Value x, Value w, SmallVector<Value> acc) {
    int64_t full = length / k.pack;
    if (full <= kUnrolledSteps) {
      for (int64_t step = 0; step < full; ++step)
        acc = emitStep(emit.add(x, step * k.pack),
                       emit.add(w, step * stepSize()), acc);
    } else {
      acc = emit.reduce(full, acc, [&](Value step, ValueRange inner) {
        return emitStep(emit.add(x, emit.mul(step, k.pack)),
                        emit.add(w, emit.mul(step, stepSize())),
                        SmallVector<Value>(inner));
      });
    }
    // The rest reads the last `pack` elements again: their weights are zero.
    if (length % k.pack)
      acc = emitStep(emit.add(x, length - k.pack),
                     emit.add(w, full * stepSize()), acc);
    return acc;
  }

  SmallVector<Value> emitStep(Value x, Value w, SmallVector<Value> acc) {
    SmallVector<Value> weights = dot.loadStep(k.weight, w, k.vectors, vectors);
    for (int64_t i = 0; i < rows; ++i) {
      Value input =
          dot.broadcastInput(k.x, emit.add(x, i * k.strideW * k.x.strides[2]));
      for (int64_t j = 0; j < vectors; ++j)
        acc[i * vectors + j] =
            dot.accumulate(acc[i * vectors + j], input, weights[j]);
    }
    return acc;
  }

  Emitter &emit;
  WindowEmitter &window;
  const WindowKernel &k;
  DotProduct dot;
  int64_t inputChannels, segments, length, segmentSteps;
  bool packedAsRun, isContiguous;
  bool endsEarly; ///< the last panel holds the vectors in use alone
  int64_t rows = 0, vectors = 0;
};
} // namespace

LogicalResult qopt::qcpu::lowerConvKernel(Operation *op, OpBuilder &builder,
                                          WindowKernel kernel,
                                          bool roundToInt) {
  Emitter emit(builder, op->getLoc());
  WindowEmitter window(emit, std::move(kernel));
  ConvTile conv(emit, window);
  if (!conv.isSupported())
    return op->emitError("expects weights packed for the layout of the input");
  window.emitTasks([&](const WindowEmitter::Tile &tile) {
    window.emitEpilogue(tile, conv.emitTile(tile), roundToInt);
  });
  return success();
}
