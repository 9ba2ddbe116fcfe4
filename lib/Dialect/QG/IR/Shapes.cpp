//===- Shapes.cpp - Shape rules of qg and fxp ops -------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// One function per family; verifiers and builders call the same ones.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/QG/IR/Shapes.h"

#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;
using namespace qopt::qg;

/// Checks that every list of a window has as many entries as there are
/// spatial dimensions, and that the numbers make sense.
static LogicalResult checkWindow(size_t spatialRank, const Window &window,
                                 EmitError error) {
  auto checkCount = [&](ArrayRef<int64_t> list, size_t count,
                        StringRef name) -> LogicalResult {
    if (list.size() == count)
      return success();
    return error() << "expects " << count << " " << name << ", got "
                   << list.size();
  };
  if (failed(checkCount(window.kernel, spatialRank, "kernel extents")) ||
      failed(checkCount(window.strides, spatialRank, "strides")) ||
      failed(checkCount(window.pads, 2 * spatialRank, "pads")) ||
      failed(checkCount(window.dilations, spatialRank, "dilations")))
    return failure();
  auto isPositive = [](int64_t v) { return v > 0; };
  if (!llvm::all_of(window.strides, isPositive) ||
      !llvm::all_of(window.dilations, isPositive) ||
      !llvm::all_of(window.kernel, isPositive))
    return error() << "expects positive kernel extents, strides and dilations";
  return success();
}

FailureOr<Shape> qopt::qg::inferWindowShape(ArrayRef<int64_t> x,
                                            const Window &window,
                                            EmitError error) {
  if (x.size() < 3)
    return error() << "expects x of rank >= 3 ([N, spatial..., C]), got rank "
                   << x.size();
  size_t spatialRank = x.size() - 2;
  if (failed(checkWindow(spatialRank, window, error)))
    return failure();
  Shape result{x.front()};
  for (size_t i = 0; i < spatialRank; ++i) {
    int64_t extent = x[i + 1] + window.pads[i] + window.pads[i + spatialRank];
    int64_t reach = window.dilations[i] * (window.kernel[i] - 1) + 1;
    if (extent < reach)
      return error() << "expects a window no larger than the padded input, got "
                     << reach << " over " << extent << " in spatial dimension "
                     << i;
    result.push_back((extent - reach) / window.strides[i] + 1);
  }
  result.push_back(x.back());
  return result;
}

FailureOr<Shape> qopt::qg::inferConvShape(ArrayRef<int64_t> x,
                                          ArrayRef<int64_t> weight,
                                          const Window &window, int64_t groups,
                                          EmitError error) {
  if (weight.size() != x.size())
    return error() << "expects a weight of x's rank " << x.size() << ", got "
                   << weight.size();
  FailureOr<Shape> result = inferWindowShape(x, window, error);
  if (failed(result))
    return failure();
  if (groups < 1 || x.back() % groups || weight.front() % groups)
    return error() << "expects channels that are multiples of groups = "
                   << groups << ", got " << x.back() << " in and "
                   << weight.front() << " out";
  if (weight.back() != x.back() / groups)
    return error() << "expects a weight of " << x.back() / groups
                   << " input channels per group, got " << weight.back();
  result->back() = weight.front();
  return result;
}

FailureOr<Shape> qopt::qg::inferConvTransposeShape(ArrayRef<int64_t> x,
                                                   ArrayRef<int64_t> weight,
                                                   const Window &window,
                                                   int64_t groups,
                                                   EmitError error) {
  if (x.size() < 3 || weight.size() != x.size())
    return error() << "expects x and weight of one rank >= 3";
  size_t spatialRank = x.size() - 2;
  if (failed(checkWindow(spatialRank, window, error)))
    return failure();
  if (window.outputPadding.size() != spatialRank)
    return error() << "expects " << spatialRank << " output paddings, got "
                   << window.outputPadding.size();
  if (groups < 1 || x.back() % groups || weight.front() % groups ||
      weight.back() != x.back() / groups)
    return error() << "expects a weight [O, k..., C/groups] for groups = "
                   << groups << " and " << x.back() << " channels";
  Shape result{x.front()};
  for (size_t i = 0; i < spatialRank; ++i) {
    int64_t extent = (x[i + 1] - 1) * window.strides[i] +
                     (window.kernel[i] - 1) * window.dilations[i] + 1 -
                     window.pads[i] - window.pads[i + spatialRank] +
                     window.outputPadding[i];
    if (extent < 1)
      return error() << "expects a non-empty result, got extent " << extent;
    result.push_back(extent);
  }
  result.push_back(weight.front());
  return result;
}

FailureOr<Shape> qopt::qg::inferMatmulShape(ArrayRef<int64_t> lhs,
                                            ArrayRef<int64_t> rhs,
                                            bool transposeRhs,
                                            EmitError error) {
  if (lhs.size() < 2 || rhs.size() < 2)
    return error() << "expects operands of rank >= 2, got " << lhs.size()
                   << " and " << rhs.size();
  if (rhs.size() != 2 && rhs.drop_back(2) != lhs.drop_back(2))
    return error() << "expects rhs of rank 2 or with the batch dimensions of "
                      "lhs";
  int64_t k = rhs[rhs.size() - (transposeRhs ? 1 : 2)];
  if (lhs.back() != k)
    return error() << "expects equal inner dimensions, got " << lhs.back()
                   << " and " << k;
  Shape result(lhs.begin(), lhs.end());
  result.back() = rhs[rhs.size() - (transposeRhs ? 2 : 1)];
  return result;
}

FailureOr<Shape>
qopt::qg::inferBroadcastShape(ArrayRef<ArrayRef<int64_t>> shapes,
                              EmitError error) {
  size_t rank = 0;
  for (ArrayRef<int64_t> shape : shapes)
    rank = std::max(rank, shape.size());
  Shape result(rank, 1);
  for (ArrayRef<int64_t> shape : shapes)
    for (size_t i = 0; i < shape.size(); ++i) {
      int64_t &extent = result[rank - shape.size() + i];
      if (shape[i] == extent || shape[i] == 1)
        continue;
      if (extent != 1)
        return error() << "expects shapes that broadcast, got extents "
                       << extent << " and " << shape[i] << " in dimension "
                       << rank - shape.size() + i;
      extent = shape[i];
    }
  return result;
}

FailureOr<Shape> qopt::qg::inferReduceShape(ArrayRef<int64_t> x,
                                            ArrayRef<int64_t> axes,
                                            EmitError error) {
  llvm::SmallBitVector reduced(x.size());
  for (int64_t axis : axes) {
    if (axis < 0 || axis >= int64_t(x.size()) || reduced.test(axis))
      return error() << "expects distinct axes in [0, " << x.size() << "), got "
                     << axis;
    reduced.set(axis);
  }
  Shape result;
  for (size_t i = 0; i < x.size(); ++i)
    if (!reduced.test(i))
      result.push_back(x[i]);
  return result;
}

FailureOr<Shape> qopt::qg::inferTransposeShape(ArrayRef<int64_t> x,
                                               ArrayRef<int64_t> permutation,
                                               EmitError error) {
  llvm::SmallBitVector seen(x.size());
  if (permutation.size() != x.size())
    return error() << "expects a permutation of " << x.size()
                   << " dimensions, got " << permutation.size();
  Shape result;
  for (int64_t source : permutation) {
    if (source < 0 || source >= int64_t(x.size()) || seen.test(source))
      return error() << "expects a permutation, got " << source
                     << " out of place";
    seen.set(source);
    result.push_back(x[source]);
  }
  return result;
}

FailureOr<Shape> qopt::qg::inferConcatShape(ArrayRef<ArrayRef<int64_t>> shapes,
                                            int64_t axis, EmitError error) {
  if (shapes.empty())
    return error() << "expects at least one operand";
  Shape result(shapes.front().begin(), shapes.front().end());
  if (axis < 0 || axis >= int64_t(result.size()))
    return error() << "expects an axis in [0, " << result.size() << "), got "
                   << axis;
  for (ArrayRef<int64_t> shape : shapes.drop_front()) {
    if (shape.size() != result.size())
      return error() << "expects operands of one rank, got " << result.size()
                     << " and " << shape.size();
    for (size_t i = 0; i < shape.size(); ++i)
      if (int64_t(i) != axis && shape[i] != result[i])
        return error() << "expects equal extents in dimension " << i << ", got "
                       << result[i] << " and " << shape[i];
    result[axis] += shape[axis];
  }
  return result;
}

FailureOr<Shape> qopt::qg::inferGatherShape(ArrayRef<int64_t> x,
                                            ArrayRef<int64_t> indices,
                                            int64_t axis, EmitError error) {
  if (axis < 0 || axis >= int64_t(x.size()))
    return error() << "expects an axis in [0, " << x.size() << "), got "
                   << axis;
  Shape result(x.begin(), x.begin() + axis);
  result.append(indices.begin(), indices.end());
  result.append(x.begin() + axis + 1, x.end());
  return result;
}

FailureOr<Shape> qopt::qg::inferPadShape(ArrayRef<int64_t> x,
                                         ArrayRef<int64_t> low,
                                         ArrayRef<int64_t> high,
                                         EmitError error) {
  if (low.size() != x.size() || high.size() != x.size())
    return error() << "expects " << x.size() << " amounts on each side";
  Shape result;
  for (size_t i = 0; i < x.size(); ++i) {
    int64_t extent = x[i] + low[i] + high[i];
    if (extent < 0)
      return error() << "expects a result of no negative extent, got " << extent
                     << " in dimension " << i;
    result.push_back(extent);
  }
  return result;
}
