//===- LowerPack.cpp - qcpu.pack to loops ---------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Matrices whose rows are contiguous are interleaved, KP rows at a time; those
// whose columns are contiguous are transposed in blocks of L x L words of KP
// elements, by shuffles.
//===----------------------------------------------------------------------===//
#include "WindowKernel.h"
#include "qopt/Target/CPU/IR/QCPU.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt::qcpu;

namespace {
class PackRows {
public:
  PackRows(Emitter &emit, PackOp op, FlatView from, FlatView to)
      : emit(emit), x(std::move(from)), y(std::move(to)),
        isByColumns(op.getOrder()[2] == 3), shift(op.getSubtract()) {
    x.shape = inOrder(x.shape, op.getOrder());
    x.strides = inOrder(x.strides, op.getOrder());
    vectors = op.getTile()[1];
    lanes = op.getTile()[2];
    pack = op.getTile()[3];
    depth = x.shape[2];
    columns = x.shape[3];
    steps = llvm::divideCeil(depth, pack);
  }

  void emitMatrices() {
    int64_t width = vectors * lanes, panels = llvm::divideCeil(columns, width);
    int64_t batch = x.shape[0] * x.shape[1];
    emit.parallelLoop(batch, depth * columns, [&](Value matrix) {
      auto [n, h] = emit.divide(matrix, x.shape[1], batch);
      Value from =
          emit.add(emit.mul(n, x.strides[0]), emit.mul(h, x.strides[1]));
      int64_t stored = llvm::alignTo(columns, lanes) * steps * pack;
      Value to = emit.mul(matrix, stored);
      int64_t full = columns / width, rest = columns % width;
      emit.loop(full, [&](Value panel) {
        emitPanel(emit.add(from, emit.mul(panel, width * x.strides[3])),
                  emit.add(to, emit.mul(panel, width * steps * pack)), width);
      });
      if (full < panels)
        emitPanel(emit.add(from, full * width * x.strides[3]),
                  emit.add(to, full * width * steps * pack), rest);
    });
  }

private:
  void emitPanel(Value from, Value to, int64_t valid) {
    int64_t used = llvm::divideCeil(valid, lanes);
    stepSize = used * lanes * pack;
    for (int64_t j = 0; j < used; ++j) {
      Value first = emit.add(from, j * lanes * x.strides[3]);
      Value target = emit.add(to, j * lanes * pack);
      int64_t inUse = std::min(lanes, valid - j * lanes);
      if (isByColumns)
        emitColumns(first, target, inUse);
      else
        emitRows(first, target, inUse);
      if (depth % pack)
        emitLast(first, emit.add(target, (steps - 1) * stepSize), inUse);
    }
  }

  /// Whole steps of a vector of columns, a step at a time.
  void emitRows(Value from, Value to, int64_t valid) {
    emit.loop(depth / pack, [&](Value step) {
      SmallVector<Value> rows;
      for (int64_t q = 0; q < pack; ++q)
        rows.push_back(emit.loadPieces(
            x,
            emit.add(from, emit.add(emit.mul(step, pack * x.strides[2]),
                                    q * x.strides[2])),
            lanes, valid));
      emit.store(subtract(interleave(rows)), y,
                 emit.add(to, emit.mul(step, stepSize)));
    });
  }

  /// Whole steps of a vector of columns, L steps at a time.
  void emitColumns(Value from, Value to, int64_t valid) {
    int64_t whole = depth / pack, blocks = whole / lanes;
    emit.loop(blocks, [&](Value block) {
      emitBlock(emit.add(from, emit.mul(block, lanes * pack)),
                emit.add(to, emit.mul(block, lanes * stepSize)),
                {valid, lanes});
    });
    if (int64_t rest = whole % lanes)
      emitBlock(emit.add(from, blocks * lanes * pack),
                emit.add(to, blocks * lanes * stepSize), {valid, rest});
  }

  struct Extent {
    int64_t columns, steps;
  };

  void emitBlock(Value from, Value to, Extent extent) {
    OpBuilder &b = emit.builder;
    Type word = b.getIntegerType(pack * x.element.getIntOrFloatBitWidth());
    VectorType words = emit.vec(lanes, word);
    SmallVector<Value> rows(lanes, emit.zero(words));
    for (int64_t lane = 0; lane < extent.columns; ++lane) {
      Value elements = emit.loadPieces(x, emit.add(from, lane * x.strides[3]),
                                       lanes * pack, extent.steps * pack);
      rows[lane] = vector::BitCastOp::create(b, emit.loc, words, elements);
    }
    rows = transposeSquare(std::move(rows));
    VectorType elements = emit.vec(lanes * pack, x.element);
    for (int64_t step = 0; step < extent.steps; ++step)
      emit.store(subtract(vector::BitCastOp::create(b, emit.loc, elements,
                                                    rows[step])),
                 y, emit.add(to, step * stepSize));
  }

  /// Of 2^n vectors of as many lanes: n times, each is interleaved with that
  /// half of all further on.
  SmallVector<Value> transposeSquare(SmallVector<Value> rows) {
    int64_t count = rows.size();
    for (int64_t done = 1; done < count; done *= 2) {
      SmallVector<Value> next;
      for (int64_t i = 0; i < count / 2; ++i) {
        Value a = rows[i], b = rows[i + count / 2];
        next.push_back(zip(a, b, 0, count / 2));
        next.push_back(zip(a, b, count / 2, count));
      }
      rows = std::move(next);
    }
    return rows;
  }

  /// a[first], b[first], a[first + 1], ..
  Value zip(Value a, Value b, int64_t first, int64_t last) {
    int64_t size = cast<VectorType>(a.getType()).getDimSize(0);
    SmallVector<int64_t> mask;
    for (int64_t i = first; i < last; ++i)
      mask.append({i, size + i});
    return vector::ShuffleOp::create(emit.builder, emit.loc, a, b, mask);
  }

  /// The elements of a lane side by side.
  Value interleave(SmallVector<Value> rows) {
    while (rows.size() > 1) {
      int64_t half = rows.size() / 2;
      int64_t size = cast<VectorType>(rows[0].getType()).getDimSize(0);
      SmallVector<Value> next;
      for (int64_t i = 0; i < half; ++i)
        next.push_back(zip(rows[i], rows[i + half], 0, size));
      rows = std::move(next);
    }
    return rows.front();
  }

  /// The step that reads the last KP elements of K again: zeros where an
  /// earlier one has read them.
  void emitLast(Value from, Value to, int64_t valid) {
    int64_t first = depth - pack, again = pack - depth % pack;
    SmallVector<Value> rows;
    for (int64_t q = 0; q < pack; ++q) {
      Value row = emit.zero(emit.vec(lanes, x.element));
      Value at = emit.add(from, (first + q) * x.strides[2]);
      if (q >= again)
        row = subtract(isByColumns ? gather(at, valid)
                                   : emit.loadPieces(x, at, lanes, valid));
      rows.push_back(row);
    }
    emit.store(interleave(std::move(rows)), y, to);
  }

  /// An element of each column.
  Value gather(Value from, int64_t valid) {
    Value row = emit.zero(emit.vec(lanes, x.element));
    for (int64_t lane = 0; lane < valid; ++lane)
      row = vector::InsertOp::create(
          emit.builder, emit.loc,
          emit.loadScalar(x, emit.add(from, lane * x.strides[3])), row,
          ArrayRef<int64_t>{lane});
    return row;
  }

  Value subtract(Value vector) {
    if (shift == 0)
      return vector;
    Value by =
        emit.splat(cast<VectorType>(vector.getType()),
                   emit.builder.getIntegerAttr(x.element, int8_t(shift)));
    return arith::SubIOp::create(emit.builder, emit.loc, vector, by);
  }

  Emitter &emit;
  FlatView x, y; ///< x in order
  bool isByColumns;
  int64_t shift, vectors, lanes, pack, depth, columns, steps;
  int64_t stepSize = 0; ///< of the panel in work
};
} // namespace

LogicalResult qopt::qcpu::lowerPack(Operation *operation, OpBuilder &builder) {
  auto op = cast<PackOp>(operation);
  Emitter emit(builder, op.getLoc());
  FlatView x, y;
  if (failed(emit.readRows(op.getX(), x)) ||
      failed(emit.readRows(op.getInit(), y)))
    return failure();
  PackRows(emit, op, std::move(x), std::move(y)).emitMatrices();
  return success();
}
