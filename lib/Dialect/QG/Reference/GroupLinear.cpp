//===- GroupLinear.cpp - Products with parameters per group ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Brings weights into the one form that Numerics multiplies, [N, K] integers
// without zero points; the order of the sums is defined there.
//===----------------------------------------------------------------------===//
#include "GroupLinear.h"

#include "Arrays.h"
#include "qopt/Numerics/GroupMatmul.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qg;
using namespace qopt::qg::reference;

namespace {
/// A weight as Numerics reads it.
struct GroupWeight {
  std::vector<int32_t> values;
  std::vector<float> scales;
  int64_t n, k, group;
};
} // namespace

bool reference::hasGroups(Value weight) {
  QuantizedType type = getQuantizedType(weight.getType());
  return type && !type.isDynamic_() && type.getGroupSize();
}

static FailureOr<GroupWeight> readWeight(Operation *op, Value value,
                                         const Tensor &stored,
                                         bool isTransposed) {
  RankedTensorType type = getTensorType(value);
  FailureOr<Decoder> decoder = getDecoder(op, type);
  if (failed(decoder))
    return failure();
  QuantizedType encoding = getQuantizedType(type);
  ArrayRef<float> scales = decoder->scales();
  if (type.getRank() != 2 ||
      (scales.size() > 1 && encoding.getAxis() != (isTransposed ? 0 : 1)))
    return op->emitOpError() << "expects a matrix with parameters along its N "
                                "dimension, got "
                             << type;
  GroupWeight weight;
  weight.n = type.getDimSize(isTransposed ? 0 : 1);
  weight.k = type.getDimSize(isTransposed ? 1 : 0);
  weight.group = encoding.getGroupSize() ? encoding.getGroupSize()
                                         : std::max<int64_t>(weight.k, 1);
  weight.values.resize(weight.n * weight.k);
  std::vector<int32_t> integers = decoder->integers(stored);
  for (int64_t n = 0; n < weight.n; ++n)
    for (int64_t k = 0; k < weight.k; ++k) {
      int64_t from = isTransposed ? n * weight.k + k : k * weight.n + n;
      weight.values[n * weight.k + k] = integers[from];
    }
  weight.scales.assign(scales.begin(), scales.end());
  if (weight.scales.size() == 1)
    weight.scales.assign(weight.n, weight.scales.front());
  return weight;
}

static FailureOr<std::vector<float>>
readBias(Operation *op, Value bias, ArrayRef<Tensor> operands, int64_t n) {
  if (!bias)
    return std::vector<float>(n, 0.0f);
  return load<float>(op, bias, operands[2]);
}

LogicalResult reference::evaluateGroups(MatmulOp op, ArrayRef<Tensor> operands,
                                        SmallVectorImpl<Tensor> &results) {
  QuantizedType x = getQuantizedType(op.getLhs().getType());
  if (!x.isPerTensor())
    return op.emitOpError() << "expects an lhs encoded per tensor, got "
                            << op.getLhs().getType();
  FailureOr<GroupWeight> weight =
      readWeight(op, op.getRhs(), operands[1], op.getTransposeRhs());
  if (failed(weight))
    return failure();
  FailureOr<std::vector<float>> bias =
      readBias(op, op.getBias(), operands, weight->n);
  if (failed(bias))
    return failure();
  std::vector<int32_t> lhs = loadIntegers(operands[0], x.getZeroPoint());
  std::vector<float> out(op.getResultType().getNumElements());
  int64_t rows = weight->n ? int64_t(out.size()) / weight->n : 0;
  multiplyGroups({rows, weight->n, weight->k, weight->group}, lhs.data(),
                 {nullptr, x.getScale()},
                 {weight->values.data(), weight->scales.data(), bias->data()},
                 out.data());
  return store<float>(op, out, results, op.getClamp());
}

LogicalResult DynamicMatmulOp::evaluate(ArrayRef<Tensor> operands,
                                        SmallVectorImpl<Tensor> &results) {
  FailureOr<GroupWeight> weight =
      readWeight(*this, getRhs(), operands[1], getTransposeRhs());
  if (failed(weight))
    return failure();
  FailureOr<std::vector<float>> bias =
      readBias(*this, getBias(), operands, weight->n);
  if (failed(bias))
    return failure();
  std::vector<float> out(getResultType().getNumElements());
  int64_t rows = weight->n ? int64_t(out.size()) / weight->n : 0;
  std::vector<int32_t> lhs(rows * weight->k);
  std::vector<float> scales(rows);
  ArrayRef<float> x = operands[0].span<float>();
  for (int64_t m = 0; m < rows; ++m)
    scales[m] = quantizeRow(weight->k, x.data() + m * weight->k,
                            lhs.data() + m * weight->k);
  multiplyGroups({rows, weight->n, weight->k, weight->group}, lhs.data(),
                 {scales.data(), 1.0f},
                 {weight->values.data(), weight->scales.data(), bias->data()},
                 out.data());
  return store<float>(*this, out, results);
}
