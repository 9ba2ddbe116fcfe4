//===- Rotary.cpp - Rotary embedding as its parts -------------------------===//
// SPDX-License-Identifier: Apache-2.0
#include "CompositeChecks.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qg;

LogicalResult RotaryOp::verify() {
  ArrayRef<int64_t> x = getShape(getX()), cos = getShape(getCos());
  // C1
  if (failed(checkOneFloatType(*this, getOperands())) ||
      failed(checkResultShape(*this, x)))
    return failure();
  // C2
  if (cos != getShape(getSin()))
    return emitOpError() << "expects 'cos' and 'sin' of one shape, got "
                         << formatShape(cos) << " and "
                         << formatShape(getShape(getSin()));
  // C3
  if (x.empty() || cos.empty() || cos.back() < 1 || 2 * cos.back() > x.back())
    return emitOpError() << "expects 'cos' to have at least 1 and at most half "
                            "as many channels as x, got "
                         << formatShape(cos) << " for " << formatShape(x);
  // C2
  Shape pairs(x);
  pairs.back() = cos.back();
  auto broadcast =
      inferBroadcastShape({pairs, cos}, [&] { return emitOpError(); });
  if (failed(broadcast))
    return failure();
  if (*broadcast != pairs)
    return emitOpError() << "expects 'cos' to broadcast to the pairs of x "
                         << formatShape(pairs) << ", got " << formatShape(cos);
  return success();
}

FailureOr<SmallVector<Value>> RotaryOp::decompose(ShapedBuilder &b) {
  Value x = getX(), cos = getCos(), sin = getSin();
  int64_t axis = b.rank(x) - 1, half = b.shape(cos).back();
  Value rotated = b.sliceAxis(x, axis, 0, 2 * half), first, second;
  if (getInterleaved()) {
    first = b.stepAxis(rotated, axis, 0, 2);
    second = b.stepAxis(rotated, axis, 1, 2);
  } else {
    first = b.sliceAxis(rotated, axis, 0, half);
    second = b.sliceAxis(rotated, axis, half, 2 * half);
  }
  Value real = b.sub(b.mul(cos, first), b.mul(sin, second));
  Value imaginary = b.add(b.mul(sin, first), b.mul(cos, second));
  if (getInterleaved())
    rotated = b.reshape(b.concat({b.expandDim(real, axis + 1),
                                  b.expandDim(imaginary, axis + 1)},
                                 axis + 1),
                        b.shape(rotated));
  else
    rotated = b.concat({real, imaginary}, axis);
  if (2 * half == b.extent(x, axis))
    return asParts(rotated);
  Value rest = b.sliceAxis(x, axis, 2 * half, b.extent(x, axis));
  return asParts(b.concat({rotated, rest}, axis));
}
