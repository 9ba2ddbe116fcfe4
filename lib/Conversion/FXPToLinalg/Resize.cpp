//===- Resize.cpp - fxp.resize to linalg ----------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Between two dimensions sums are held in 16 bits where they fit: half the
// memory, twice the lanes.
//===----------------------------------------------------------------------===//
#include "qopt/Conversion/ResampleLoops.h"
#include "qopt/Conversion/ScalarBuilder.h"
#include "qopt/Conversion/ToLinalg.h"
#include "qopt/Dialect/FXP/IR/FXP.h"

using namespace mlir;
using namespace qopt;

/// The largest sum of magnitudes of an output position.
static int64_t getMagnitude(ArrayRef<int32_t> coefficients, int64_t taps) {
  int64_t most = 0;
  for (size_t i = 0; i < coefficients.size(); i += taps) {
    int64_t sum = 0;
    for (int32_t coefficient : coefficients.slice(i, taps))
      sum += std::abs(int64_t(coefficient));
    most = std::max(most, sum);
  }
  return most;
}

namespace {
struct LowerResize : OpConversionPattern<fxp::ResizeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(fxp::ResizeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder builder{rewriter, op.getLoc()};
    Value y = adaptor.getX();
    int64_t first = 0, bound = 255;
    for (auto [i, axis] : llvm::enumerate(op.getAxes())) {
      int64_t taps = op.getTaps()[i];
      int64_t count = taps * op.getType().getDimSize(axis);
      ArrayRef<int32_t> coefficients = op.getCoefficients().slice(first, count);
      bound *= getMagnitude(coefficients, taps);
      bool isLast = i + 1 == op.getAxes().size();
      Type stored =
          rewriter.getIntegerType(isLast || bound > INT16_MAX ? 32 : 16);
      y = resample(op, builder, y,
                   {axis, taps, op.getPositions().slice(first, count),
                    Tensor::from<int32_t>(DType::i32, {count / taps, taps},
                                          coefficients)},
                   {stored, i == 0});
      first += count;
    }
    rewriter.replaceOp(op, y);
    return success();
  }

  struct Step {
    Type stored;
    bool isFirst;
  };

  static Value resample(fxp::ResizeOp op, LinalgBuilder &builder, Value x,
                        const ResampleLoops &loops, const Step &step) {
    auto widen = [&](OpBuilder &b, Location loc, Value element) -> Value {
      Type i32 = b.getI32Type();
      bool isUnsigned = step.isFirst && op.getXUnsigned();
      if (element.getType() != i32)
        element = isUnsigned
                      ? arith::ExtUIOp::create(b, loc, i32, element).getResult()
                      : arith::ExtSIOp::create(b, loc, i32, element);
      IRScalarBuilder scalar(b, loc);
      if (step.isFirst && op.getXZp())
        element = scalar.subI(element, scalar.intLike(element, op.getXZp()));
      return element;
    };
    auto add = [&](OpBuilder &b, Location loc, Value sum, Value coefficient,
                   Value element) -> Value {
      IRScalarBuilder scalar(b, loc);
      Value product = scalar.mulI(coefficient, widen(b, loc, element));
      return sum ? scalar.addI(sum, product) : product;
    };
    auto store = [&](OpBuilder &b, Location loc, Value sum) -> Value {
      if (sum.getType() == step.stored)
        return sum;
      return arith::TruncIOp::create(b, loc, step.stored, sum);
    };
    return buildResample(builder, x, loops, {step.stored, add, store, 0});
  }
};
} // namespace

namespace qopt {
void populateFXPResizePatterns(const StorageTypeConverter &converter,
                               RewritePatternSet &patterns) {
  patterns.add<LowerResize>(converter, patterns.getContext());
}
} // namespace qopt
