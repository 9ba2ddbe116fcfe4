//===- Verify.cpp - What verifiers of units ask ---------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Each check says what it expects and what it got.
//===----------------------------------------------------------------------===//
#include "Verify.h"

using namespace mlir;
using namespace qopt::hls;

LogicalResult qopt::hls::checkElements(Operation *op, StreamType type,
                                       int64_t expected, StringRef what) {
  if (type.getElements() == expected)
    return success();
  return op->emitOpError() << "expects " << what << " of " << expected
                           << " elements, got " << type.getElements();
}

LogicalResult qopt::hls::checkLanes(Operation *op, StreamType type,
                                    int64_t expected, StringRef what) {
  if (type.getLanes() == expected)
    return success();
  return op->emitOpError() << "expects " << what << " with " << expected
                           << " lanes, got " << type.getLanes();
}

LogicalResult qopt::hls::checkDivides(Operation *op, int64_t number,
                                      int64_t total, StringRef what) {
  if (number >= 1 && total % number == 0)
    return success();
  return op->emitOpError() << "expects " << what << " that divides " << total
                           << ", got " << number;
}

LogicalResult qopt::hls::checkReaders(Operation *op) {
  for (OpResult result : op->getResults())
    if (!result.use_empty() && !result.hasOneUse())
      return op->emitOpError()
             << "expects one reader of result #" << result.getResultNumber()
             << ", got several: copy it with hls.fork";
  return success();
}

LogicalResult qopt::hls::checkClamp(Operation *op, ArrayRef<int64_t> clamp,
                                    StreamType result) {
  if (clamp.size() == 2 && clamp[0] <= clamp[1] &&
      clamp[0] >= result.getLow() && clamp[1] <= result.getHigh())
    return success();
  return op->emitOpError() << "expects clamp [low, high] inside ["
                           << result.getLow() << ", " << result.getHigh()
                           << "]";
}

LogicalResult qopt::hls::checkMap(Operation *op, StreamType in,
                                  StreamType out) {
  return success(
      succeeded(checkReaders(op)) &&
      succeeded(checkLanes(op, out, in.getLanes(), "a result")) &&
      succeeded(checkElements(op, out, in.getElements(), "a result")));
}
