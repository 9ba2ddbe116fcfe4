//===- LowerStage.cpp - qcpu.stage to row copies --------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A row of the result is left border, one run of input, right border.
//===----------------------------------------------------------------------===//
#include "WindowKernel.h"
#include "qopt/Target/CPU/IR/QCPU.h"

using namespace mlir;
using namespace qopt::qcpu;

/// Elements a copy or fill moves at a time.
static constexpr int64_t kLanes = 32;

namespace {
class StageRows {
public:
  StageRows(Emitter &emit, StageOp op, FlatView x, FlatView y)
      : emit(emit), op(op), x(std::move(x)), y(std::move(y)) {}

  void emitRows() {
    int64_t rows = y.shape[0] * y.shape[1];
    // An element moved takes about as long as ten products.
    int64_t work = 10 * y.shape[2] * y.shape[3];
    emit.parallelLoop(rows, work, [&](Value row) {
      auto [n, h] = emit.divide(row, y.shape[1], rows);
      Value to = emit.add(emit.mul(n, y.strides[0]), emit.mul(h, y.strides[1]));
      int64_t top = op.getPads()[0], bottom = op.getPads()[2];
      if (top + bottom == 0)
        return emitInner(n, h, to);
      OpBuilder &b = emit.builder;
      // Wraps below the first row, so that one comparison decides.
      Value source = arith::SubIOp::create(b, emit.loc, h, emit.index(top));
      Value inside =
          arith::CmpIOp::create(b, emit.loc, arith::CmpIPredicate::ult, source,
                                emit.index(x.shape[1]));
      auto branch = scf::IfOp::create(b, emit.loc, inside,
                                      /*withElseRegion=*/true);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(branch.thenBlock());
      emitInner(n, source, to);
      b.setInsertionPointToStart(branch.elseBlock());
      fillPixels(to, y.shape[2]);
    });
  }

private:
  void emitInner(Value n, Value h, Value to) {
    Value from = emit.add(emit.mul(n, x.strides[0]), emit.mul(h, x.strides[1]));
    int64_t left = op.getPads()[1], right = op.getPads()[3];
    fillPixels(to, left);
    copyPixels(from, emit.add(to, left * y.strides[2]));
    fillPixels(emit.add(to, (left + x.shape[2]) * y.strides[2]), right);
  }

  void copyPixels(Value from, Value to) {
    int64_t channels = x.shape[3], pixels = x.shape[2];
    if (x.strides[2] == channels && y.strides[2] == channels)
      return copyRun(from, to, pixels * channels);
    emit.loop(pixels, [&](Value w) {
      copyRun(emit.add(from, emit.mul(w, x.strides[2])),
              emit.add(to, emit.mul(w, y.strides[2])), channels);
    });
  }

  void fillPixels(Value to, int64_t pixels) {
    int64_t channels = y.shape[3];
    if (y.strides[2] == channels)
      return fillRun(to, pixels * channels);
    emit.loop(pixels, [&](Value w) {
      fillRun(emit.add(to, emit.mul(w, y.strides[2])), channels);
    });
  }

  void copyRun(Value from, Value to, int64_t length) {
    emit.loop(length / kLanes, [&](Value i) {
      Value at = emit.mul(i, kLanes);
      emit.store(convert(emit.load(x, emit.add(from, at), kLanes)), y,
                 emit.add(to, at));
    });
    int64_t done = length / kLanes * kLanes;
    if (done == length)
      return;
    Value rest =
        emit.loadPieces(x, emit.add(from, done), kLanes, length - done);
    emit.storePieces(convert(rest), y, emit.add(to, done), length - done);
  }

  void fillRun(Value to, int64_t length) {
    if (length == 0)
      return;
    Type element = y.element;
    Attribute fill = emit.builder.getZeroAttr(element);
    if (element.isInteger(8))
      fill = emit.builder.getIntegerAttr(element, int8_t(op.getFill()));
    else if (element.isInteger())
      fill = emit.builder.getIntegerAttr(element, op.getFill());
    Value vector = emit.splat(emit.vec(kLanes, element), fill);
    emit.loop(length / kLanes, [&](Value i) {
      emit.store(vector, y, emit.add(to, emit.mul(i, kLanes)));
    });
    int64_t done = length / kLanes * kLanes;
    if (done != length)
      emit.storePieces(vector, y, emit.add(to, done), length - done);
  }

  Value convert(Value vector) {
    OpBuilder &b = emit.builder;
    int64_t lanes = cast<VectorType>(vector.getType()).getDimSize(0);
    VectorType type = emit.vec(lanes, y.element);
    if (x.element != y.element) {
      if (op.getXUnsigned())
        vector = arith::ExtUIOp::create(b, emit.loc, type, vector);
      else
        vector = arith::ExtSIOp::create(b, emit.loc, type, vector);
    }
    if (op.getSubtract() == 0)
      return vector;
    int64_t shift = op.getSubtract();
    // Bytes wrap: 128 is the same distance in both directions.
    if (y.element.isInteger(8))
      shift = int8_t(shift);
    Value by = emit.splat(type, b.getIntegerAttr(y.element, shift));
    return arith::SubIOp::create(b, emit.loc, vector, by);
  }

  Emitter &emit;
  StageOp op;
  FlatView x, y;
};
} // namespace

LogicalResult qopt::qcpu::lowerStage(Operation *operation, OpBuilder &builder) {
  auto op = cast<StageOp>(operation);
  Emitter emit(builder, op.getLoc());
  FailureOr<FlatView> x = emit.flatten(op.getX());
  FailureOr<FlatView> y = emit.flatten(op.getInit());
  if (failed(x) || failed(y) || x->strides[3] != 1 || y->strides[3] != 1)
    return op.emitError("expects memrefs with static strides and contiguous "
                        "channels");
  StageRows(emit, op, std::move(*x), std::move(*y)).emitRows();
  return success();
}
