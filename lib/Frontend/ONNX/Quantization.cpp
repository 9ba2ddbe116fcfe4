//===- Quantization.cpp - Encoded values and plain integers ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// ONNX has integers where qg has encodings. A quantized value stays encoded
// while it is moved around; an op that looks at the integers gets them by
// `plain`, and integers that turn out to be encoded by `reinterpret`.
//===----------------------------------------------------------------------===//
#include "qopt/Frontend/ONNX/GraphBuilder.h"

#include "mlir/IR/Verifier.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

Value GraphBuilder::quantize(Value x, qg::QuantizedType quantized) {
  if (!x)
    return {};
  x = convert(x, f32());
  auto resultType = RankedTensorType::get(shape(x), quantized);
  return finishOp(qg::QuantizeOp::create(builder, loc, resultType, x));
}

Value GraphBuilder::dequantize(Value q) {
  if (!q)
    return {};
  auto resultType = RankedTensorType::get(shape(q), f32());
  return finishOp(qg::DequantizeOp::create(builder, loc, resultType, q));
}

bool GraphBuilder::isDequantizedConstant(Value value) const {
  auto op = value.getDefiningOp<qg::DequantizeOp>();
  return op && isConstant(op.getX());
}

/// Scale or zero points of a type, shaped so that they broadcast against `x`.
template <typename T>
static Tensor asBroadcastable(ArrayRef<T> values, int64_t axis, int64_t rank) {
  SmallVector<int64_t> shape;
  if (axis >= 0) {
    shape.assign(rank - axis, 1);
    shape[0] = values.size();
  }
  Tensor tensor(DType::f32, shape);
  for (auto [i, value] : llvm::enumerate(values))
    tensor.setFloat(i, double(value));
  return tensor;
}

/// (dequantize(q) / scale) rounds back to the stored integer minus the zero
/// point: two roundings of relative 2^-24 on |integer| <= 2^16 stay far below
/// one half.
Value GraphBuilder::integersOf(Value value) {
  qg::QuantizedType quantized = qg::getQuantizedType(value.getType());
  std::optional<DType> dtype = qg::getDType(quantized);
  if (quantized.getIntegerFormat().bits > 16)
    return fail("expects at most 16 bits where the integers of a quantized "
                "tensor are used as numbers");
  int64_t axis = quantized.isPerAxis() ? quantized.getAxis() : -1;
  Value scale = constant(
      asBroadcastable<float>(quantized.getScaleVector(), axis, rank(value)));
  Value zero = constant(asBroadcastable<int64_t>(quantized.getZeroPointVector(),
                                                 axis, rank(value)));
  Value steps = unary(UnaryKind::round_even, div(dequantize(value), scale));
  return convert(add(steps, zero), qg::getElementType(context(), *dtype));
}

Value GraphBuilder::plain(Value value) {
  if (!value || !isQuantized(value))
    return value;
  if (std::optional<Tensor> tensor = constantOf(value))
    return constant(*tensor);
  return integersOf(value);
}

Value GraphBuilder::reinterpret(Value value, qg::QuantizedType quantized) {
  if (element(value) == quantized)
    return value;
  if (isQuantized(value))
    return {};
  if (qg::getDType(element(value)) != qg::getDType(quantized))
    return {};
  auto newType = RankedTensorType::get(shape(value), quantized);
  if (std::optional<Tensor> tensor = constantOf(value))
    return constant(*tensor, newType);
  // An argument keeps its bytes and gets the encoding as its type, if nobody
  // has used its integers so far; later users ask for `plain`.
  if (quantized.isPerAxis())
    return {};
  SmallVector<Value> chain;
  for (Value v = value;;) {
    chain.push_back(v);
    Operation *op = v.getDefiningOp();
    size_t uses = std::distance(v.use_begin(), v.use_end());
    if (uses > (chain.size() == 1 ? 0 : 1))
      return {};
    if (!op)
      break;
    if (!isa<qg::ReshapeOp, qg::TransposeOp, qg::SliceOp>(op))
      return {};
    v = op->getOperand(0);
  }
  for (Value v : chain)
    v.setType(RankedTensorType::get(shape(v), quantized));
  return value;
}
