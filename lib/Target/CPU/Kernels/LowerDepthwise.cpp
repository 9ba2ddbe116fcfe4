//===- LowerDepthwise.cpp - qcpu.depthwise to loops over channels ---------===//
// SPDX-License-Identifier: Apache-2.0
//
// A vector holds neighbouring channels; a weight vector is used for all pixels
// of the tile. Products of bytes fit i32 lanes, which every machine has.
//===----------------------------------------------------------------------===//
#include "WindowKernel.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace qopt::qcpu;

namespace {
class DepthwiseTile {
public:
  DepthwiseTile(Emitter &emit, const WindowEmitter &window)
      : emit(emit), k(window.kernel()) {}

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
    Value w = emit.mul(tile.panel.packed, k.kernelH * k.kernelW);
    return emit.reduce(k.kernelH, acc, [&](Value kh, ValueRange inner) {
      SmallVector<Value> current(inner);
      Value xr = emit.add(x, emit.mul(kh, k.dilationH * k.x.strides[1]));
      Value wr = emit.add(w, emit.mul(kh, k.kernelW * width));
      for (int64_t kw = 0; kw < k.kernelW; ++kw)
        emitTap(tile, emit.add(xr, kw * k.dilationW * k.x.strides[2]),
                emit.add(wr, kw * width), current);
      return current;
    });
  }

private:
  void emitTap(const WindowEmitter::Tile &tile, Value x, Value w,
               SmallVectorImpl<Value> &acc) {
    int64_t vectors = tile.panel.vectors;
    for (int64_t j = 0; j < vectors; ++j) {
      int64_t valid = std::min(k.lanes, tile.panel.valid - j * k.lanes);
      Value weight =
          widen(emit.load(k.weight, emit.add(w, j * k.lanes), k.lanes),
                /*isUnsigned=*/false);
      for (int64_t i = 0; i < tile.rows; ++i) {
        int64_t pixel = i * k.strideW * k.x.strides[2] + j * k.lanes;
        Value input =
            widen(emit.loadPieces(k.x, emit.add(x, pixel), k.lanes, valid),
                  k.isUnsigned);
        Value &sum = acc[i * vectors + j];
        sum = accumulate(sum, input, weight);
      }
    }
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
