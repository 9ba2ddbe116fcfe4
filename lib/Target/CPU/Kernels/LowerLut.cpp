//===- LowerLut.cpp - qcpu.lut to byte shuffles ---------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A shuffle looks up 16 entries and gives 0 where the index is negative. Index
// minus 16 i is not negative for the first i tables, whose exclusive or is the
// entry: see packLutTable.
//===----------------------------------------------------------------------===//
#include "WindowKernel.h"
#include "qopt/Target/CPU/IR/QCPU.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace qopt::qcpu;

/// Bytes of a shuffle, and shuffles that share a loaded table.
static constexpr int64_t kLanes = 32, kVectors = 2, kBlock = kLanes * kVectors;

namespace {
class LutRun {
public:
  LutRun(Emitter &emit, FlatView x, FlatView table, FlatView y)
      : emit(emit), x(std::move(x)), table(std::move(table)), y(std::move(y)) {}

  void emitAll() {
    int64_t total = llvm::product_of(x.shape);
    if (isFlat(x) && isFlat(y) && total >= kBlock) {
      // The last block begins early instead of ending late.
      emit.parallelLoop(
          llvm::divideCeil(total, kBlock), 4 * kBlock, [&](Value block) {
            Value at = emit.mul(block, kBlock);
            if (total % kBlock)
              at = arith::MinUIOp::create(emit.builder, emit.loc, at,
                                          emit.index(total - kBlock));
            emitBlock(at, at, kBlock);
          });
      return;
    }
    int64_t length = x.shape.empty() ? 1 : x.shape.back();
    emit.parallelLoop(total / length, 4 * length, [&](Value row) {
      Value from = emit.index(0), to = emit.index(0);
      int64_t rows = total / length;
      for (int64_t d = int64_t(x.shape.size()) - 2; d >= 0; --d) {
        auto [rest, at] = emit.divide(row, x.shape[d], rows);
        from = emit.add(from, emit.mul(at, x.strides[d]));
        to = emit.add(to, emit.mul(at, y.strides[d]));
        row = rest;
        rows /= x.shape[d];
      }
      emit.loop(length / kBlock, [&](Value block) {
        Value at = emit.mul(block, kBlock);
        emitBlock(emit.add(from, at), emit.add(to, at), kBlock);
      });
      int64_t done = length / kBlock * kBlock;
      if (done != length)
        emitBlock(emit.add(from, done), emit.add(to, done), length - done);
    });
  }

private:
  static bool isFlat(const FlatView &view) {
    int64_t stride = 1;
    for (int64_t d = int64_t(view.shape.size()) - 1; d >= 0; --d) {
      if (view.shape[d] != 1 && view.strides[d] != stride)
        return false;
      stride *= view.shape[d];
    }
    return true;
  }

  Value call(StringRef name, Value lhs, Value rhs) {
    return LLVM::CallIntrinsicOp::create(emit.builder, emit.loc, lhs.getType(),
                                         emit.builder.getStringAttr(name),
                                         ValueRange{lhs, rhs})
        .getResult(0);
  }

  Value bytes(int64_t value) {
    return emit.splat(emit.vec(kLanes, emit.builder.getI8Type()),
                      emit.builder.getI8IntegerAttr(int8_t(value)));
  }

  void emitBlock(Value from, Value to, int64_t valid) {
    OpBuilder &b = emit.builder;
    SmallVector<Value> low, high, sums;
    for (int64_t start = 0; start < valid; start += kLanes) {
      low.push_back(emit.loadPieces(x, emit.add(from, start), kLanes,
                                    std::min(kLanes, valid - start)));
      high.push_back(
          arith::XOrIOp::create(b, emit.loc, low.back(), bytes(-128)));
    }
    sums.resize(low.size());
    for (int64_t i = 0; i < 16; ++i) {
      Value entries = emit.load(table, emit.index(i * kLanes), kLanes);
      for (size_t v = 0; v < sums.size(); ++v) {
        Value &index = i < 8 ? low[v] : high[v];
        // Saturates: what was negative stays so.
        if (i % 8)
          index = call("llvm.ssub.sat.v32i8", index, bytes(16));
        Value found = call("llvm.x86.avx2.pshuf.b", entries, index);
        sums[v] =
            i ? arith::XOrIOp::create(b, emit.loc, sums[v], found).getResult()
              : found;
      }
    }
    for (auto [v, sum] : llvm::enumerate(sums)) {
      int64_t start = v * kLanes;
      emit.storePieces(sum, y, emit.add(to, start),
                       std::min(kLanes, valid - start));
    }
  }

  Emitter &emit;
  FlatView x, table, y;
};
} // namespace

LogicalResult qopt::qcpu::lowerLut(Operation *operation, OpBuilder &builder) {
  auto op = cast<LutOp>(operation);
  Emitter emit(builder, op.getLoc());
  FailureOr<FlatView> x = emit.flatten(op.getX());
  FailureOr<FlatView> table = emit.flatten(op.getTable());
  FailureOr<FlatView> y = emit.flatten(op.getInit());
  auto isBad = [](const FailureOr<FlatView> &view) {
    return failed(view) || (!view->shape.empty() && view->shape.back() != 1 &&
                            view->strides.back() != 1);
  };
  if (isBad(x) || isBad(table) || isBad(y))
    return op.emitError("expects memrefs with static strides and contiguous "
                        "channels");
  LutRun(emit, std::move(*x), std::move(*table), std::move(*y)).emitAll();
  return success();
}
