//===- ArrayKernels.h - Loops behind the reference semantics --------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Convolution, matrix product and element loops on plain arrays, in the order
// that the op descriptions fix. qg and fxp ops share them. Fast enough to
// calibrate with: inner loops run over independent outputs and are compiled
// for FMA as well; the order within one output never changes.
//===----------------------------------------------------------------------===//
#ifndef QOPT_NUMERICS_ARRAYKERNELS_H
#define QOPT_NUMERICS_ARRAYKERNELS_H

#include "qopt/Numerics/Kinds.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>

namespace qopt {

/// Kernel extents and steps of a window op; `pads` needs only the begins.
struct WindowSteps {
  llvm::ArrayRef<int64_t> kernel, strides, pads, dilations;
};

/// Which input positions each output position of a window op reads.
class WindowWalk {
public:
  enum class Direction { Forward, Transposed };
  /// One kernel tap that hits the input.
  struct Tap {
    int64_t kernel; ///< row-major index of the kernel position
    int64_t input;  ///< row-major index of the spatial input position
  };

  /// Extents are spatial only.
  WindowWalk(llvm::ArrayRef<int64_t> input, llvm::ArrayRef<int64_t> output,
             const WindowSteps &steps,
             Direction direction = Direction::Forward);

  int64_t numInputs() const { return numInputs_; }
  int64_t numOutputs() const { return numOutputs_; }
  int64_t numTaps() const { return numTaps_; }
  /// Taps of a row-major output position in index order; taps in the padding
  /// are left out.
  void getTaps(int64_t output, llvm::SmallVectorImpl<Tap> &taps) const;

private:
  /// Input position of an output position and a kernel position in one
  /// dimension, or -1.
  int64_t locate(size_t dimension, int64_t output, int64_t kernel) const;

  llvm::SmallVector<int64_t> input_, output_, kernel_, strides_, pads_,
      dilations_;
  Direction direction_;
  int64_t numInputs_ = 1, numOutputs_ = 1, numTaps_ = 1;
};

/// Sizes of a convolution beside its walk.
struct ConvSizes {
  int64_t batch, inChannels, outChannels, groups;
};

/// `out[n, p, o] = bias[o] + sum x * weight`, accumulated from the bias in the
/// order of (kernel position, channel) by fused multiply-adds, or in wrapping
/// integers. x is [N, s, C], weight [O, k, C/groups]; bias may be null (zero).
template <typename T> struct ConvArrays {
  const T *x, *weight, *bias;
};
void convolve(const WindowWalk &walk, const ConvSizes &sizes,
              const ConvArrays<float> &arrays, float *out);
void convolve(const WindowWalk &walk, const ConvSizes &sizes,
              const ConvArrays<double> &arrays, double *out);
void convolve(const WindowWalk &walk, const ConvSizes &sizes,
              const ConvArrays<int32_t> &arrays, int32_t *out);
void convolve(const WindowWalk &walk, const ConvSizes &sizes,
              const ConvArrays<int64_t> &arrays, int64_t *out);

/// Sizes of a matrix product; `rhs` is [K, N] or, transposed, [N, K].
struct MatmulSizes {
  int64_t batch, m, k, n;
  bool sharedRhs, transposedRhs;
};

void multiply(const MatmulSizes &sizes, const float *lhs, const float *rhs,
              const float *bias, float *out);
void multiply(const MatmulSizes &sizes, const double *lhs, const double *rhs,
              const double *bias, double *out);
void multiply(const MatmulSizes &sizes, const int32_t *lhs, const int32_t *rhs,
              const int32_t *bias, int32_t *out);
void multiply(const MatmulSizes &sizes, const int64_t *lhs, const int64_t *rhs,
              const int64_t *bias, int64_t *out);

/// Number functions of Elementwise.h over arrays of one length. The kind is
/// defined on floats and no predicate.
void applyUnary(UnaryKind kind, const float *x, float *out, int64_t n);
void applyUnary(UnaryKind kind, const double *x, double *out, int64_t n);
void applyBinary(BinaryKind kind, const float *x, const float *y, float *out,
                 int64_t n);
void applyBinary(BinaryKind kind, const double *x, const double *y, double *out,
                 int64_t n);

/// One reduction in 16 logical lanes (qg.reduce): element i goes to lane
/// i mod 16, each lane combines in order from the identity, then
/// l[i] = l[i] op l[i+8], i+4, i+2, i+1.
template <typename T, typename Combine>
T reduceInLanes(int64_t count, T identity, const T *x, const int64_t *offsets,
                Combine combine) {
  T lanes[16];
  for (T &lane : lanes)
    lane = identity;
  for (int64_t i = 0; i < count; ++i)
    lanes[i % 16] = combine(lanes[i % 16], x[offsets ? offsets[i] : i]);
  for (int width = 8; width >= 1; width /= 2)
    for (int i = 0; i < width; ++i)
      lanes[i] = combine(lanes[i], lanes[i + width]);
  return lanes[0];
}

} // namespace qopt

#endif // QOPT_NUMERICS_ARRAYKERNELS_H
