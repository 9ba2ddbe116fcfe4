//===- SumRange.cpp - Sums that products of bytes can have ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Every product at its own end: no data are looked at.
//===----------------------------------------------------------------------===//
#include "qopt/Analysis/SumRange.h"

using namespace mlir;
using namespace qopt;

SmallVector<SumRange> qopt::getSumRanges(LinearOpInterface product,
                                         const Tensor &weight) {
  qg::QuantizedType x = qg::getQuantizedType(product.getInput().getType());
  const IntegerFormat &format = x.getIntegerFormat();
  int64_t least = std::min<int64_t>(format.min() - x.getZeroPoint(), 0);
  int64_t most = std::max<int64_t>(format.max() - x.getZeroPoint(), 0);
  SmallVector<SumRange> ranges(product.countOutputs(), SumRange{0, 0});
  int64_t inner =
      getNumElements(weight.shape().drop_front(product.getOutputAxis() + 1));
  for (int64_t i = 0; i < weight.numElements(); ++i) {
    SumRange &range = ranges[i / inner % int64_t(ranges.size())];
    int64_t value = weight.getInt(i);
    range.low += std::min(value * least, value * most);
    range.high += std::max(value * least, value * most);
  }
  return ranges;
}
