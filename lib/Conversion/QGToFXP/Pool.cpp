//===- Pool.cpp - Maxima and means of windows in integers -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A sum of a window has one multiplier, and windows at borders count fewer
// positions. So a mean becomes one mean for every region of the result whose
// windows count alike: three a dimension at most in usual networks.
//===----------------------------------------------------------------------===//
#include "Patterns.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qgtofxp;

namespace {
/// Neighbouring results along one dimension whose windows count `taps`
/// positions each.
struct Run {
  int64_t first, size, taps;
};

/// The windows along one dimension.
struct WindowLine {
  int64_t in, out, kernel, stride, dilation, pad;

  int64_t countTaps(int64_t p) const {
    int64_t taps = 0;
    for (int64_t k = 0; k < kernel; ++k) {
      int64_t at = p * stride + k * dilation - pad;
      taps += at >= 0 && at < in;
    }
    return taps;
  }
};

/// What a region of the result reads along one dimension.
struct ReadRange {
  int64_t first, size, padBefore, padAfter;
};
} // namespace

static WindowLine getLine(qg::PoolOp op, size_t d) {
  return {op.getX().getType().getShape()[d + 1],
          op.getType().getShape()[d + 1],
          op.getKernel()[d],
          op.getStrides()[d],
          op.getDilations()[d],
          op.getPads()[d]};
}

/// One run of all results where pads count.
static SmallVector<Run> getRuns(const WindowLine &line, bool countsPads) {
  SmallVector<Run> runs;
  for (int64_t p = 0; p < line.out; ++p) {
    int64_t taps = countsPads ? line.kernel : line.countTaps(p);
    if (runs.empty() || runs.back().taps != taps)
      runs.push_back({p, 0, taps});
    ++runs.back().size;
  }
  return runs;
}

static ReadRange getReadRange(const WindowLine &line, const Run &run) {
  int64_t begin = run.first * line.stride - line.pad;
  int64_t end = (run.first + run.size - 1) * line.stride +
                (line.kernel - 1) * line.dilation - line.pad + 1;
  int64_t low = std::clamp<int64_t>(begin, 0, line.in);
  int64_t high = std::clamp<int64_t>(end, low, line.in);
  return {low, high - low, low - begin, end - high};
}

static RankedTensorType getTensor(ArrayRef<int64_t> shape, Type element) {
  return RankedTensorType::get(shape, element);
}

namespace {
/// Builds the mean of every region and joins them, dimension by dimension.
class MeanBuilder {
public:
  MeanBuilder(OpBuilder &builder, qg::PoolOp op, Value stored,
              const Encoding &x, const RequantizeTarget &target)
      : builder(builder), op(op), stored(stored), x(x), target(target) {
    for (size_t d = 0; d < op.getKernel().size(); ++d) {
      lines.push_back(getLine(op, d));
      runs.push_back(getRuns(lines.back(), op.getCountIncludePad()));
    }
  }

  /// The most positions that a window counts; 0 where one counts none.
  int64_t countMost() const {
    int64_t most = 1;
    for (ArrayRef<Run> line : runs) {
      int64_t longest = 0;
      for (const Run &run : line) {
        if (run.taps == 0)
          return 0;
        longest = std::max(longest, run.taps);
      }
      most *= longest;
    }
    return most;
  }

  /// The results of `region` (a run of each dimension so far) and of all runs
  /// of the dimensions behind it.
  Value build(SmallVector<Run> region = {}) {
    size_t d = region.size();
    if (d == lines.size())
      return createMean(region);
    SmallVector<Value> parts;
    for (const Run &run : runs[d]) {
      region.push_back(run);
      parts.push_back(build(region));
      region.pop_back();
    }
    if (parts.size() == 1)
      return parts.front();
    auto type = cast<RankedTensorType>(parts.front().getType());
    SmallVector<int64_t> shape(type.getShape());
    shape[d + 1] = lines[d].out;
    return qg::ConcatOp::create(builder, op.getLoc(),
                                getTensor(shape, type.getElementType()), parts,
                                int64_t(d + 1));
  }

private:
  Value createMean(ArrayRef<Run> region) {
    ArrayRef<int64_t> whole = op.getX().getType().getShape();
    SmallVector<int64_t> in(whole), out(op.getType().getShape());
    SmallVector<int64_t> offsets(whole.size(), 0), ones(whole.size(), 1);
    SmallVector<int64_t> before, after;
    double count = 1;
    for (auto [d, run] : llvm::enumerate(region)) {
      ReadRange read = getReadRange(lines[d], run);
      offsets[d + 1] = read.first;
      in[d + 1] = read.size;
      out[d + 1] = run.size;
      before.push_back(read.padBefore);
      after.push_back(read.padAfter);
      count *= double(run.taps);
    }
    llvm::append_range(before, after);
    Location loc = op.getLoc();
    Value part = stored;
    if (ArrayRef<int64_t>(in) != whole)
      part = qg::SliceOp::create(
          builder, loc,
          getTensor(in,
                    cast<RankedTensorType>(stored.getType()).getElementType()),
          part, offsets, ones);
    Value acc = fxp::SumPoolOp::create(
        builder, loc, getTensor(out, builder.getI32Type()), part,
        op.getKernel(), op.getStrides(), before, op.getDilations(),
        x.zeroPoint(), x.isUnsigned);
    double scale = double(x.scale()) / (double(target.result.scale()) * count);
    return createRequantize(builder, loc, acc, float(scale), target);
  }

  OpBuilder &builder;
  qg::PoolOp op;
  Value stored;
  const Encoding &x;
  const RequantizeTarget &target;
  SmallVector<WindowLine> lines;
  SmallVector<SmallVector<Run>> runs;
};

struct ConvertPool : ToFXP<qg::PoolOp> {
  using ToFXP::ToFXP;
  LogicalResult
  matchAndRewrite(qg::PoolOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    std::optional<Encoding> x = getStored(op.getX().getType());
    if (!x)
      return rewriter.notifyMatchFailure(op, "not in integers per tensor");
    if (op.getKind() == PoolKind::max) {
      rewriter.replaceOpWithNewOp<fxp::MaxPoolOp>(
          op,
          getTensor(op.getType().getShape(),
                    rewriter.getIntegerType(x->storageBits)),
          adaptor.getX(), op.getKernel(), op.getStrides(), op.getPads(),
          op.getDilations(), x->isUnsigned);
      return success();
    }
    std::optional<Encoding> result = getStored(op.getType());
    if (!result)
      return rewriter.notifyMatchFailure(op, "not in integers per tensor");
    RequantizeTarget target{*result, mode};
    MeanBuilder mean(rewriter, op, adaptor.getX(), *x, target);
    int64_t most = mean.countMost();
    if (most == 0 || most > countSummands(*x))
      return rewriter.notifyMatchFailure(
          op, "a window counts nothing, or sums may leave 32 bits");
    rewriter.replaceOp(op, mean.build());
    return success();
  }
};
} // namespace

void qgtofxp::populatePoolPatterns(RewritePatternSet &patterns,
                                   const TypeConverter &converter,
                                   fxp::RequantizeModeAttr mode) {
  patterns.add<ConvertPool>(converter, patterns.getContext(), mode);
}
