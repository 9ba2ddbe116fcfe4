//===- LowerDepthwise.cpp - qcpu.depthwise to loops over channels ---------===//
// SPDX-License-Identifier: Apache-2.0
//
// A vector holds neighbouring channels. Products of bytes are made in i32
// lanes, which every machine has; back ends use 16-bit products where they can.
//===----------------------------------------------------------------------===//
#include "WindowKernel.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace qopt::qcpu;

namespace {
class DepthwiseTile {
public:
  DepthwiseTile(Emitter &emit, WindowEmitter &window)
      : emit(emit), window(window), k(window.kernel()) {}

  SmallVector<Value> emitTile(const WindowEmitter::Tile &tile) {
    int64_t vectors = tile.panel.vectors, rows = tile.rows;
    SmallVector<Value> acc(rows * vectors);
    for (int64_t j = 0; j < vectors; ++j) {
      Value bias =
          emit.load(k.bias, emit.add(tile.panel.packed, j * k.lanes), k.lanes);
      for (int64_t i = 0; i < rows; ++i)
        acc[i * vectors + j] = bias;
    }
    int64_t width = k.vectors * k.lanes;
    // The input's channel is the output's: x starts at the group's channel 0.
    Value x = emit.add(tile.x, tile.panel.channel);
    int64_t taps = k.kernelH * k.kernelW;
    Value w =
        k.code.isPacked()
            ? emit.mul(emit.divide(tile.panel.packed, width, INT64_MAX).first,
                       taps * k.code.bytes(width))
            : emit.mul(tile.panel.packed, taps);
    return window.reduceRows(
        acc, [&](Value kh, Value offset, ValueRange inner) {
          SmallVector<Value> current(inner);
          Value xr = emit.add(x, offset);
          Value wr = emit.add(w, emit.mul(kh, k.kernelW * tapSize()));
          for (int64_t j = 0; j < vectors; ++j)
            emitKernelRow(tile, j, xr, wr, current);
          return current;
        });
  }

private:
  /// Each input pixel is read once and used by every output it belongs to.
  void emitKernelRow(const WindowEmitter::Tile &tile, int64_t j, Value x,
                     Value w, SmallVectorImpl<Value> &acc) {
    int64_t vectors = tile.panel.vectors;
    int64_t valid = std::min(k.lanes, tile.panel.valid - j * k.lanes);
    SmallVector<Value> weights;
    for (int64_t kw = 0; kw < k.kernelW; ++kw)
      weights.push_back(loadTap(emit.add(w, kw * tapSize()), j));
    int64_t pixels =
        (tile.rows - 1) * k.strideW + (k.kernelW - 1) * k.dilationW + 1;
    for (int64_t pixel = 0; pixel < pixels; ++pixel) {
      Value input;
      for (int64_t kw = 0; kw < k.kernelW; ++kw) {
        int64_t distance = pixel - kw * k.dilationW;
        if (distance < 0 || distance % k.strideW ||
            distance / k.strideW >= tile.rows)
          continue;
        if (!input) {
          Value at = emit.add(x, pixel * k.x.strides[2] + j * k.lanes);
          input = widen(emit.loadPieces(k.x, at, k.lanes, valid), k.isUnsigned);
        }
        Value &sum = acc[distance / k.strideW * vectors + j];
        sum = accumulate(sum, input, weights[kw]);
      }
    }
  }

  int64_t tapSize() const {
    int64_t width = k.vectors * k.lanes;
    return k.code.isPacked() ? k.code.bytes(width) : width;
  }

  /// Weights of one tap for the channels of vector `j`.
  Value loadTap(Value w, int64_t j) {
    if (!k.code.isPacked())
      return widen(emit.load(k.weight, emit.add(w, j * k.lanes), k.lanes),
                   /*isUnsigned=*/false);
    Value all = decodeWeights(emit, {k.weight, w, k.vectors * k.lanes}, k.code,
                              emit.builder.getI32Type());
    if (k.vectors == 1)
      return all;
    return vector::ExtractStridedSliceOp::create(
        emit.builder, emit.loc, all, ArrayRef<int64_t>{j * k.lanes},
        ArrayRef<int64_t>{k.lanes}, ArrayRef<int64_t>{1});
  }

  Value widen(Value vector, bool isUnsigned) {
    auto type = cast<VectorType>(vector.getType());
    auto wide = emit.vec(type.getDimSize(0), emit.builder.getI32Type());
    if (isa<FloatType>(type.getElementType()))
      return vector;
    if (isUnsigned)
      return arith::ExtUIOp::create(emit.builder, emit.loc, wide, vector);
    return arith::ExtSIOp::create(emit.builder, emit.loc, wide, vector);
  }

  Value accumulate(Value sum, Value input, Value weight) {
    OpBuilder &b = emit.builder;
    if (k.dot == "fma")
      return math::FmaOp::create(b, emit.loc, input, weight, sum);
    if (k.dot == "muladd")
      return arith::AddFOp::create(
          b, emit.loc, sum, arith::MulFOp::create(b, emit.loc, input, weight));
    return arith::AddIOp::create(
        b, emit.loc, sum, arith::MulIOp::create(b, emit.loc, input, weight));
  }

  Emitter &emit;
  WindowEmitter &window;
  const WindowKernel &k;
};
} // namespace

LogicalResult qopt::qcpu::lowerDepthwiseKernel(Operation *op,
                                               OpBuilder &builder,
                                               WindowKernel kernel,
                                               bool roundToInt) {
  Emitter emit(builder, op->getLoc());
  WindowEmitter window(emit, std::move(kernel));
  DepthwiseTile depthwise(emit, window);
  window.emitTasks([&](const WindowEmitter::Tile &tile) {
    window.emitEpilogue(tile, depthwise.emitTile(tile), roundToInt);
  });
  return success();
}
