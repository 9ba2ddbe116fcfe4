//===- Normalize.cpp - Normalization as its parts -------------------------===//
// SPDX-License-Identifier: Apache-2.0
#include "CompositeChecks.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qg;

LogicalResult NormalizeOp::verify() {
  // C1
  if (failed(checkOneFloatType(*this, getX())) ||
      failed(checkResultShape(*this, getShape(getX()))))
    return failure();
  // C2
  int64_t rank = getShape(getX()).size();
  bool isAscending =
      llvm::is_sorted(getAxes(), std::less_equal<int64_t>()) &&
      llvm::all_of(getAxes(), [&](int64_t a) { return a >= 0 && a < rank; });
  if (getAxes().empty() || !isAscending)
    return emitOpError() << "expects 'axes' to be ascending dimensions of a "
                            "tensor of rank "
                         << rank << ", got [" << getAxes() << "]";
  // C3
  double epsilon = getEpsilon().convertToDouble();
  if (!std::isfinite(epsilon) || epsilon < 0)
    return emitOpError() << "expects 'epsilon' >= 0, got " << epsilon;
  return success();
}

NormalizeParts qg::writeNormalize(ShapedBuilder &b, Value x,
                                  const NormalizeSpec &spec) {
  NormalizeParts parts;
  Value difference = x;
  if (spec.centered) {
    parts.mean = b.reduceMean(x, spec.axes, /*keepDims=*/true);
    difference = b.sub(x, parts.mean);
  }
  Value variance = b.reduceMean(b.mul(difference, difference), spec.axes,
                                /*keepDims=*/true);
  if (!variance)
    return {};
  Value one = spec.form == NormalizeForm::reciprocal
                  ? b.scalar(1, b.element(variance))
                  : Value();
  Value shifted = b.add(variance, spec.epsilon);
  if (spec.form == NormalizeForm::rsqrt) {
    parts.result = b.mul(difference, b.unary(UnaryKind::rsqrt, shifted));
    return parts;
  }
  if (spec.form == NormalizeForm::quotient) {
    parts.result = b.div(difference, b.unary(UnaryKind::sqrt, shifted));
    return parts;
  }
  parts.inverse = b.div(one, b.unary(UnaryKind::sqrt, shifted));
  parts.result = b.mul(difference, parts.inverse);
  return parts;
}

FailureOr<SmallVector<Value>> NormalizeOp::decompose(ShapedBuilder &b) {
  NormalizeSpec spec{getForm(), getAxes(), getEpsilon().convertToDouble(),
                     getCentered()};
  return asParts(writeNormalize(b, getX(), spec).result);
}
