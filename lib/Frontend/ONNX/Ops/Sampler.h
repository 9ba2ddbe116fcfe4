//===- Sampler.h - Values between elements, at computed places ------------===//
// SPDX-License-Identifier: Apache-2.0
//
// GridSample, RoiAlign and DeformConv differ in where their points lie; what is
// read there is a weighted sum of the elements around, and is written once.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_FRONTEND_ONNX_OPS_SAMPLER_H
#define QOPT_LIB_FRONTEND_ONNX_OPS_SAMPLER_H

#include "qopt/Frontend/ONNX/OpBinder.h"

namespace qopt::frontend {

/// One neighbour of every point along one dimension; values of one shape.
struct Tap {
  Value position;      ///< i64, inside the dimension
  Value weight = {};   ///< null for 1
  Value isInside = {}; ///< i1, false where nothing counts; null where all do
};
/// The neighbours along one dimension; sums go in their order.
using Taps = llvm::SmallVector<Tap, 4>;

/// f(position), f(weight), f(isInside) of each.
Taps mapTaps(llvm::ArrayRef<Tap> taps, llvm::function_ref<Value(Value)> f);

/// Two neighbours of the places `x` along a dimension of `extent`, of which
/// those outside do not count.
Taps getLinearTaps(GraphBuilder &b, Value x, int64_t extent);

class Sampler {
public:
  /// Reads `image` [N, s..., C] at points whose batches are `batch` [P].
  Sampler(GraphBuilder &builder, Value image, Value batch);

  /// [P, C]: for every point the sum over the taps of the first dimension, each
  /// of the sum over those of the next. Taps are of [P].
  Value sample(llvm::ArrayRef<Taps> dimensions);
  /// The same products of all weights with elements, not added.
  llvm::SmallVector<Value> sampleEach(llvm::ArrayRef<Taps> dimensions);

private:
  /// Where the walk over the dimensions is, with what it collected.
  struct Place {
    Value position, isInside, weight;
  };
  Place step(const Place &from, const Tap &tap, int64_t extent);
  Value read(const Place &place);
  Value sumFrom(llvm::ArrayRef<Taps> dimensions, size_t next,
                const Place &from);
  void collect(llvm::ArrayRef<Taps> dimensions, size_t next, const Place &from,
               llvm::SmallVectorImpl<Value> &products);
  /// rows [P, C], each times its number of [P].
  Value scaleRows(Value rows, Value factor);

  GraphBuilder &b;
  Value table; ///< [N * s..., C]
  Value batch;
  Shape extents;
};

/// RoiAlign.
llvm::LogicalResult importRoiAlign(OpBinder &op);

} // namespace qopt::frontend

#endif // QOPT_LIB_FRONTEND_ONNX_OPS_SAMPLER_H
