//===- Linear.cpp - Reference semantics of conv, matmul -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Float operands in index order with fused multiply-adds; encodings in i32
// exactly as the integer dialect computes them (IntegerLinear.h).
//===----------------------------------------------------------------------===//
#include "Arrays.h"
#include "GroupLinear.h"

#include "qopt/Dialect/QG/Reference/IntegerLinear.h"
#include "qopt/Numerics/Affine.h"
#include "qopt/Numerics/ArrayKernels.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qg;
using namespace qopt::qg::reference;

namespace {
/// A linear op without its geometry.
struct LinearOperands {
  Operation *op;
  Value x, weight, bias;
  ArrayRef<Tensor> operands;
  int64_t weightAxis;
  std::optional<ArrayRef<int64_t>> clamp;
};
} // namespace

/// f32(acc) * scale, or that rounded into the result's encoding.
static void finish(const LinearOperands &linear, const IntegerLinear &integer,
                   ArrayRef<int32_t> acc, SmallVectorImpl<Tensor> &results) {
  RankedTensorType type = getTensorType(linear.op->getResult(0));
  Tensor result(*getDType(type.getElementType()), type.getShape());
  int64_t channels = integer.bias.size();
  auto scaleOf = [&](int64_t i) {
    return integer.scales[integer.scales.size() == 1 ? 0 : i % channels];
  };
  if (type.getElementType().isInteger(32)) {
    llvm::copy(acc, result.mutableSpan<int32_t>().begin());
    results.push_back(std::move(result));
    return;
  }
  EvalBuilder b;
  int64_t n = acc.size();
  QuantizedType quantized = getQuantizedType(type);
  if (!quantized) {
    MutableArrayRef<float> out = result.mutableSpan<float>();
    for (int64_t i = 0; i < n; ++i)
      out[i] = numerics::emitDequantize(b, acc[i], 0, scaleOf(i));
    results.push_back(std::move(result));
    return;
  }
  const IntegerFormat &format = quantized.getIntegerFormat();
  numerics::StoredRange range{quantized.getZeroPoint(), format.min(),
                              format.max()};
  if (linear.clamp) {
    range.low = (*linear.clamp)[0];
    range.high = (*linear.clamp)[1];
  }
  for (int64_t i = 0; i < n; ++i)
    result.setInt(i, numerics::emitRequantize(b, acc[i], 0, scaleOf(i), range));
  results.push_back(std::move(result));
}

template <typename T, typename Kernel>
static LogicalResult evaluateFloat(const LinearOperands &linear, Kernel kernel,
                                   SmallVectorImpl<Tensor> &results) {
  FailureOr<std::vector<T>> x =
      load<T>(linear.op, linear.x, linear.operands[0]);
  FailureOr<std::vector<T>> weight =
      load<T>(linear.op, linear.weight, linear.operands[1]);
  if (failed(x) || failed(weight))
    return failure();
  FailureOr<std::vector<T>> bias = std::vector<T>();
  if (linear.bias) {
    bias = load<T>(linear.op, linear.bias, linear.operands[2]);
    if (failed(bias))
      return failure();
  }
  std::vector<T> out(getTensorType(linear.op->getResult(0)).getNumElements());
  kernel(x->data(), weight->data(), linear.bias ? bias->data() : nullptr,
         out.data());
  return store<T>(linear.op, out, results, linear.clamp);
}

/// `kernel(x, weight, bias, out)` is called with float, double or int32_t.
template <typename Kernel>
static LogicalResult evaluateLinear(const LinearOperands &linear, Kernel kernel,
                                    SmallVectorImpl<Tensor> &results) {
  LinearTypes types{getTensorType(linear.x), getTensorType(linear.weight),
                    linear.bias ? getTensorType(linear.bias)
                                : RankedTensorType(),
                    getTensorType(linear.op->getResult(0)), linear.weightAxis};
  std::optional<IntegerLinear> integer =
      getIntegerLinear(types, linear.bias ? &linear.operands[2] : nullptr);
  if (integer) {
    std::vector<int32_t> x =
        loadIntegers(linear.operands[0], integer->xZeroPoint);
    std::vector<int32_t> weight =
        Decoder::get(types.weight)->integers(linear.operands[1]);
    std::vector<int32_t> acc(types.result.getNumElements());
    kernel(x.data(), weight.data(), integer->bias.data(), acc.data());
    finish(linear, *integer, acc, results);
    return success();
  }
  if (isDouble(linear.x) && isDouble(linear.weight))
    return evaluateFloat<double>(linear, kernel, results);
  return evaluateFloat<float>(linear, kernel, results);
}

template <typename Op>
static LogicalResult evaluateConv(Op op, WindowWalk::Direction direction,
                                  ArrayRef<Tensor> operands,
                                  SmallVectorImpl<Tensor> &results) {
  ArrayRef<int64_t> x = operands[0].shape(), weight = operands[1].shape();
  ArrayRef<int64_t> result = op.getResultType().getShape();
  WindowWalk walk(x.drop_front().drop_back(), result.drop_front().drop_back(),
                  {weight.drop_front().drop_back(), op.getStrides(),
                   op.getPads(), op.getDilations()},
                  direction);
  ConvSizes sizes{x.front(), x.back(), weight.front(), int64_t(op.getGroups())};
  LinearOperands linear{op,           op.getX(), op.getWeight(),
                        op.getBias(), operands,  /*weightAxis=*/0,
                        op.getClamp()};
  return evaluateLinear(
      linear,
      [&](const auto *x, const auto *w, const auto *bias, auto *out) {
        convolve(walk, sizes, {x, w, bias}, out);
      },
      results);
}

LogicalResult ConvOp::evaluate(ArrayRef<Tensor> operands,
                               SmallVectorImpl<Tensor> &results) {
  return evaluateConv(*this, WindowWalk::Direction::Forward, operands, results);
}

LogicalResult ConvTransposeOp::evaluate(ArrayRef<Tensor> operands,
                                        SmallVectorImpl<Tensor> &results) {
  return evaluateConv(*this, WindowWalk::Direction::Transposed, operands,
                      results);
}

LogicalResult MatmulOp::evaluate(ArrayRef<Tensor> operands,
                                 SmallVectorImpl<Tensor> &results) {
  ArrayRef<int64_t> lhs = operands[0].shape(), rhs = operands[1].shape();
  if (hasGroups(getRhs()) && getQuantizedType(getLhs().getType()))
    return evaluateGroups(*this, operands, results);
  bool transposed = getTransposeRhs(), shared = rhs.size() == 2;
  int64_t rows = lhs[lhs.size() - 2];
  MatmulSizes sizes{getNumElements(lhs.drop_back(2)),  rows,   lhs.back(),
                    getResultType().getShape().back(), shared, transposed};
  LinearOperands linear{*this,
                        getLhs(),
                        getRhs(),
                        getBias(),
                        operands,
                        /*weightAxis=*/int64_t(rhs.size()) -
                            (transposed ? 2 : 1),
                        getClamp()};
  return evaluateLinear(
      linear,
      [&](const auto *x, const auto *w, const auto *bias, auto *out) {
        multiply(sizes, x, w, bias, out);
      },
      results);
}
