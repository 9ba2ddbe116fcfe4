//===- Resample.h - Where a resized dimension reads, and with what weight -===//
// SPDX-License-Identifier: Apache-2.0
//
// Coordinates and filters of ONNX's Resize, and the loops of the reference
// semantics. Everything about taps is written here once: the importer, the
// interpreter and all targets ask for the same tables.
//===----------------------------------------------------------------------===//
#ifndef QOPT_NUMERICS_RESAMPLE_H
#define QOPT_NUMERICS_RESAMPLE_H

#include "qopt/Numerics/Kinds.h"
#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <optional>
#include <vector>

namespace qopt {

/// What all dimensions of a resize share.
struct ResampleFilter {
  ResizeMode mode = ResizeMode::linear;
  ResizeCoordinates coordinates = ResizeCoordinates::half_pixel;
  double cubicA = -0.75;
  bool excludesOutside = false, antialias = false;
};

/// One dimension of a resize.
struct ResampleAxis {
  int64_t in, out;
  double scale;
  /// Of tf_crop_and_resize, in multiples of the extent.
  double roiStart = 0, roiEnd = 1;
};

/// Input coordinate of output position `i`.
double getResizeCoordinate(ResizeCoordinates coordinates,
                           const ResampleAxis &axis, int64_t i);

/// `taps` entries for each output position; all positions are inside, and no
/// coefficient is 0 (but where all are).
struct ResampleTable {
  int64_t taps = 0;
  std::vector<int64_t> positions;
  std::vector<double> coefficients;
};
ResampleTable getResampleTable(const ResampleFilter &filter,
                               const ResampleAxis &axis);

/// Coefficients as integers over `denominator`.
struct IntegerResample {
  int64_t denominator = 1;
  std::vector<int32_t> coefficients;
};
/// Integers for all dimensions of a resize of bytes, such that no sum of them
/// leaves 32 bits; nullopt if even the coarsest do. Of 9 to 16 `bits` only
/// integers that stand for the coefficients exactly.
std::optional<std::vector<IntegerResample>>
getIntegerResample(llvm::ArrayRef<ResampleTable> tables, unsigned bits = 8);

/// Arrays `[outer, in, inner]` to `[outer, out, inner]`.
struct ResampleSizes {
  int64_t outer, in, out, inner;
};
/// `fma(c[t], x[t], ..., c[0] * x[0])`, or exact in i32.
void resample(const ResampleSizes &sizes, llvm::ArrayRef<int64_t> positions,
              llvm::ArrayRef<float> coefficients, const float *x, float *out);
void resample(const ResampleSizes &sizes, llvm::ArrayRef<int64_t> positions,
              llvm::ArrayRef<double> coefficients, const double *x,
              double *out);
void resample(const ResampleSizes &sizes, llvm::ArrayRef<int64_t> positions,
              llvm::ArrayRef<int32_t> coefficients, const int32_t *x,
              int32_t *out);

} // namespace qopt

#endif // QOPT_NUMERICS_RESAMPLE_H
