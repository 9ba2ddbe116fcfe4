//===- Map.cpp - Units of one token in, one token out ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Rounding and saturation of one lane.
//===----------------------------------------------------------------------===//
#include "Map.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::hls;

int64_t hls::getFrame(Operation *op) {
  return cast<StreamType>(op->getOperand(0).getType()).getElements();
}

void hls::emitShiftIntoRange(Text &text, TextBuilder &b, TextBuilder::V product,
                             TextBuilder::V shift,
                             const numerics::StoredRange &range) {
  text.line("// One rounding, half to even.");
  text.lines(b.define(numerics::emitShiftIntoRange(b, product, shift, range),
                      "value"));
}
