//===- LowerGroups.cpp - qcpu.group_matmul to loops over groups -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// The loop over the steps of a group is the one of qcpu.conv; between groups
// integers become floats.
//===----------------------------------------------------------------------===//
#include "DotProduct.h"
#include "GroupKernel.h"
#include "WindowKernel.h"
#include "qopt/Target/CPU/IR/QCPU.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt::qcpu;

/// Steps of a group that are straight-line code in a loop, and groups that have
/// no loop. One row waits for weights: a branch that is guessed wrong at the
/// end of a group stops asking for those of the next.
static constexpr int64_t kUnroll = 4, kWhole = 8, kWholeOfRow = 32;

namespace {
/// Operands of the kernel besides those of a window.
struct GroupViews {
  FlatView scales, corrections, rowScales, zps, rowSums;
  int64_t group, zeroPoint, zeroBits;
  bool hasCorrections, hasRowScales, hasRowSums;
};

class GroupTile {
public:
  GroupTile(Emitter &emit, const WindowEmitter &window, const GroupViews &views)
      : emit(emit), k(window.kernel()), v(views), dot(emit, makeDot(k)) {
    depth = k.x.shape[3];
    groups = llvm::divideCeil(depth, v.group);
  }

  SmallVector<Value> emitTile(const WindowEmitter::Tile &tile) {
    rows = tile.rows;
    vectors = tile.panel.vectors;
    width = vectors * k.lanes;
    if (v.hasRowScales || v.hasRowSums)
      row = emit.divide(tile.x, k.x.strides[2], INT64_MAX).first;
    // Panels in front of this one are whole.
    Value panel =
        emit.divide(tile.panel.packed, k.vectors * k.lanes, INT64_MAX).first;
    Value weights =
        emit.mul(panel, llvm::divideCeil(depth, k.pack) * stepOf(k.vectors));
    Value parameters = emit.mul(tile.panel.packed, groups);
    SmallVector<Value> sums(
        rows * vectors,
        emit.zero(emit.vec(k.lanes, emit.builder.getF32Type())));
    int64_t whole = depth / v.group, rest = depth % v.group;
    int64_t steps = v.group / k.pack;
    if (whole)
      sums = emit.reduce(whole, sums, [&](Value g, ValueRange inner) {
        group = g;
        return emitGroup(emit.add(tile.x, emit.mul(g, v.group)),
                         emit.add(weights, emit.mul(g, steps * step())),
                         emit.add(parameters, emit.mul(g, width)), steps,
                         SmallVector<Value>(inner));
      });
    if (rest) {
      group = emit.index(whole);
      sums =
          emitGroup(emit.add(tile.x, whole * v.group),
                    emit.add(weights, whole * steps * step()),
                    emit.add(parameters, whole * width), rest / k.pack, sums);
    }
    return finish(tile, sums);
  }

private:
  /// Unsigned codes keep the offset for the sum of the row.
  static WindowKernel makeDot(WindowKernel kernel) {
    if (kernel.dot.ends_with("w"))
      kernel.code = kernel.code.withoutOffset();
    return kernel;
  }

  /// Elements of the packed weights in a step.
  int64_t stepOf(int64_t count) const {
    int64_t weights = count * k.lanes * k.pack;
    return k.code.isPacked() ? k.code.bytes(weights) : weights;
  }
  /// Vectors of a step of the panel, as SelectGroups.cpp packs them.
  int64_t stored() const { return k.lanes * k.pack % 8 ? k.vectors : vectors; }
  int64_t step() const { return stepOf(stored()); }

  SmallVector<Value> emitGroup(Value x, Value w, Value parameters,
                               int64_t steps, SmallVector<Value> sums) {
    bool isBytes = k.dot == "maddubs";
    return addGroup(parameters, std::move(sums),
                    isBytes ? sumBytes(x, w, parameters, steps)
                            : sumGroup(x, w, parameters, steps));
  }

  Value call(StringRef intrinsic, Type type, ValueRange operands) {
    return LLVM::CallIntrinsicOp::create(emit.builder, emit.loc, type,
                                         emit.builder.getStringAttr(intrinsic),
                                         operands)
        .getResult(0);
  }
  Value ones(int64_t lanes, Type element) {
    return emit.splat(emit.vec(lanes, element),
                      emit.builder.getIntegerAttr(element, 1));
  }
  /// Pairs of unsigned and signed bytes, and pairs of their 16-bit sums.
  Value multiplyBytes(Value codes, Value input) {
    return call("llvm.x86.avx2.pmadd.ub.sw",
                emit.vec(2 * k.lanes, emit.builder.getI16Type()),
                {codes, input});
  }
  Value addPairs(Value acc, Value sums) {
    Value wide = call("llvm.x86.avx2.pmadd.wd", acc.getType(),
                      {sums, ones(2 * k.lanes, emit.builder.getI16Type())});
    return arith::AddIOp::create(emit.builder, emit.loc, acc, wide);
  }

  Value loadParameters(const FlatView &view, Value parameters, int64_t j) {
    return emit.load(view, emit.add(parameters, j * k.lanes), k.lanes);
  }

  /// Zero points of the weights of a vector, in i32.
  Value loadZeroPoints(Value parameters, int64_t j) {
    OpBuilder &b = emit.builder;
    auto lanes = emit.vec(k.lanes, b.getI32Type());
    Value at = emit.add(parameters, j * k.lanes), zeros;
    if (v.zeroBits == 8) {
      zeros = arith::ExtUIOp::create(b, emit.loc, lanes,
                                     emit.load(v.zps, at, k.lanes));
    } else {
      // Vectors are whole bytes.
      Value byte =
          arith::DivUIOp::create(b, emit.loc, at, emit.index(8 / v.zeroBits));
      zeros = decodeWeights(emit, {v.zps, byte, k.lanes},
                            WeightCode{v.zeroBits, 0}, b.getI32Type());
    }
    if (!v.zeroPoint)
      return zeros;
    Value common = emit.splat(lanes, b.getI32IntegerAttr(int32_t(v.zeroPoint)));
    return arith::AddIOp::create(b, emit.loc, zeros, common);
  }

  /// What the sums of a group start with: corrections, less zero points times
  /// the sum of the row.
  SmallVector<Value> startSums(Value parameters) {
    OpBuilder &b = emit.builder;
    auto lanes = emit.vec(k.lanes, b.getI32Type());
    SmallVector<Value> acc(rows * vectors), rowSums;
    Type i32 = b.getI32Type();
    Value common = arith::ConstantOp::create(
        b, emit.loc, b.getI32IntegerAttr(int32_t(v.zeroPoint)));
    for (int64_t i = 0; v.hasRowSums && i < rows; ++i) {
      Value sum = emit.loadScalar(
          v.rowSums, emit.add(emit.mul(emit.add(row, i), groups), group));
      if (!v.zeroBits)
        sum = arith::MulIOp::create(b, emit.loc, i32, sum, common);
      rowSums.push_back(vector::BroadcastOp::create(b, emit.loc, lanes, sum));
    }
    for (int64_t j = 0; j < vectors; ++j) {
      Value start = v.hasCorrections
                        ? loadParameters(v.corrections, parameters, j)
                        : emit.zero(lanes);
      Value zeros = v.zeroBits ? loadZeroPoints(parameters, j) : Value();
      for (int64_t i = 0; i < rows; ++i) {
        acc[i * vectors + j] = start;
        if (!v.hasRowSums)
          continue;
        Value off = zeros
                        ? arith::MulIOp::create(b, emit.loc, zeros, rowSums[i])
                              .getResult()
                        : rowSums[i];
        acc[i * vectors + j] = arith::SubIOp::create(b, emit.loc, start, off);
      }
    }
    return acc;
  }

  /// Sums of a group by products of bytes: as many steps as 16 bits hold, then
  /// into 32.
  SmallVector<Value> sumBytes(Value x, Value w, Value parameters,
                              int64_t steps) {
    OpBuilder &b = emit.builder;
    SmallVector<Value> acc = startSums(parameters);
    // All weights may be one level.
    int64_t largest = 2 * std::max<int64_t>(k.code.range(), 1) * 128;
    int64_t chunk =
        std::min<int64_t>(32, llvm::bit_floor(uint64_t(32767 / largest)));
    while (steps % chunk)
      chunk /= 2;
    WeightCode codes = k.code.withoutOffset();
    int64_t count = vectors * k.lanes * k.pack;
    return emit.reduce(steps / chunk, acc, [&](Value s, ValueRange inner) {
      SmallVector<Value> current(inner), narrow(rows * vectors);
      Value xs = emit.add(x, emit.mul(s, chunk * k.pack));
      Value ws = emit.add(w, emit.mul(s, chunk * step()));
      for (int64_t u = 0; u < chunk; ++u) {
        Value all =
            decodeWeights(emit, {k.weight, emit.add(ws, u * step()), count},
                          codes, b.getI8Type());
        for (int64_t i = 0; i < rows; ++i) {
          Value input = dot.broadcastInput(
              k.x, emit.add(xs, u * k.pack + i * k.x.strides[2]));
          for (int64_t j = 0; j < vectors; ++j) {
            Value weights = all;
            if (vectors > 1)
              weights = vector::ExtractStridedSliceOp::create(
                  b, emit.loc, all, ArrayRef<int64_t>{j * k.lanes * k.pack},
                  ArrayRef<int64_t>{k.lanes * k.pack}, ArrayRef<int64_t>{1});
            Value &sum = narrow[i * vectors + j];
            Value pairs = multiplyBytes(weights, input);
            sum =
                sum ? arith::AddIOp::create(b, emit.loc, sum, pairs).getResult()
                    : pairs;
          }
        }
      }
      for (int64_t a = 0; a < rows * vectors; ++a)
        current[a] = addPairs(current[a], narrow[a]);
      return current;
    });
  }

  SmallVector<Value> sumGroup(Value x, Value w, Value parameters,
                              int64_t steps) {
    SmallVector<Value> acc = startSums(parameters);
    int64_t whole = rows == 1 ? kWholeOfRow : kWhole;
    int64_t unroll = steps <= whole ? steps : steps % kUnroll ? 1 : kUnroll;
    acc = emit.reduce(steps / unroll, acc, [&](Value s, ValueRange inner) {
      SmallVector<Value> current(inner);
      Value xs = emit.add(x, emit.mul(s, unroll * k.pack));
      Value ws = emit.add(w, emit.mul(s, unroll * step()));
      for (int64_t u = 0; u < unroll; ++u)
        emitStep(emit.add(xs, u * k.pack), emit.add(ws, u * step()), current);
      return current;
    });
    return acc;
  }

  SmallVector<Value> addGroup(Value parameters, SmallVector<Value> sums,
                              ArrayRef<Value> acc) {
    OpBuilder &b = emit.builder;
    auto real = emit.vec(k.lanes, b.getF32Type());
    for (int64_t j = 0; j < vectors; ++j) {
      Value scale =
          v.scales.shape.front() == 1
              ? vector::BroadcastOp::create(
                    b, emit.loc, real, emit.loadScalar(v.scales, emit.index(0)))
                    .getResult()
              : loadParameters(v.scales, parameters, j);
      if (!v.scales.element.isF32())
        scale = arith::ExtFOp::create(b, emit.loc, real, scale);
      for (int64_t i = 0; i < rows; ++i) {
        Value &sum = sums[i * vectors + j];
        Value exact =
            arith::SIToFPOp::create(b, emit.loc, real, acc[i * vectors + j]);
        sum = math::FmaOp::create(b, emit.loc, exact, scale, sum);
      }
    }
    return sums;
  }

  void emitStep(Value x, Value w, SmallVectorImpl<Value> &acc) {
    SmallVector<Value> weights = dot.loadStep(k.weight, w, stored(), vectors);
    for (int64_t i = 0; i < rows; ++i) {
      Value input = dot.broadcastInput(k.x, emit.add(x, i * k.x.strides[2]));
      for (int64_t j = 0; j < vectors; ++j)
        acc[i * vectors + j] =
            dot.accumulate(acc[i * vectors + j], input, weights[j]);
    }
  }

  /// Times the scale of the row, plus the bias.
  SmallVector<Value> finish(const WindowEmitter::Tile &tile,
                            SmallVector<Value> sums) {
    OpBuilder &b = emit.builder;
    auto real = emit.vec(k.lanes, b.getF32Type());
    bool hasBias = k.bias.shape.front() > 1;
    for (int64_t i = 0; i < rows; ++i) {
      Value scale = vector::BroadcastOp::create(
          b, emit.loc, real,
          emit.loadScalar(v.rowScales,
                          v.hasRowScales ? emit.add(row, i) : emit.index(0)));
      for (int64_t j = 0; j < vectors; ++j) {
        Value bias = hasBias ? loadParameters(k.bias, tile.panel.packed, j)
                             : emit.zero(real);
        Value &sum = sums[i * vectors + j];
        sum = math::FmaOp::create(b, emit.loc, sum, scale, bias);
      }
    }
    return sums;
  }

  Emitter &emit;
  const WindowKernel &k;
  const GroupViews &v;
  DotProduct dot;
  int64_t depth, groups, width = 0;
  int64_t rows = 0, vectors = 0;
  Value row, group; ///< the tile's first row, and the group at hand
};
} // namespace

LogicalResult qopt::qcpu::lowerGroupMatmul(Operation *operation,
                                           OpBuilder &builder,
                                           bool roundToInt) {
  auto op = cast<GroupMatmulOp>(operation);
  Emitter emit(builder, op.getLoc());
  WindowKernel kernel;
  GroupViews views;
  auto read = [&](Value value, FlatView &view) {
    return succeeded(emit.readRows(value, view));
  };
  if (!read(op.getX(), kernel.x) || !read(op.getWeight(), kernel.weight) ||
      !read(op.getScales(), views.scales) ||
      !read(op.getCorrections(), views.corrections) ||
      !read(op.getRowScales(), views.rowScales) ||
      !read(op.getZps(), views.zps) || !read(op.getRowSums(), views.rowSums) ||
      !read(op.getBias(), kernel.bias) || !read(op.getInit(), kernel.y))
    return failure();
  for (Value extra : op.getExtras())
    if (!read(extra, kernel.extras.emplace_back()))
      return failure();
  readAttributes(op, kernel);
  setPointwise(kernel);
  views.group = op.getGroup();
  views.hasCorrections = op.getCorrections().getType().getNumElements() != 1;
  views.hasRowScales = op.getRowScales().getType().getNumElements() != 1;
  views.zeroPoint = op.getZp();
  views.zeroBits = op.getZpBits();
  views.hasRowSums = views.zeroPoint || views.zeroBits;
  WindowEmitter window(emit, std::move(kernel));
  GroupTile group(emit, window, views);
  window.emitTasks([&](const WindowEmitter::Tile &tile) {
    window.emitEpilogue(tile, group.emitTile(tile), roundToInt);
  });
  return success();
}
