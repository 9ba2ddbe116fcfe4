//===- ArrayKernels.cpp - Convolution and matrix product on arrays --------===//
// SPDX-License-Identifier: Apache-2.0
//
// Inner loops run over outputs that do not depend on each other (channels or
// columns), so that vectors change no result.
//===----------------------------------------------------------------------===//
#include "qopt/Numerics/ArrayKernels.h"

#include "qopt/Numerics/EvalBuilder.h"
#include <algorithm>
#include <vector>

using namespace qopt;

// With FMA in hardware the compiler inlines __builtin_fma; without, it calls
// the C library, which rounds the same way.
#if defined(__x86_64__) && defined(__clang__) && !defined(QOPT_NO_CLONES)
#define QOPT_CLONES __attribute__((target_clones("default", "arch=x86-64-v3")))
#else
#define QOPT_CLONES
#endif

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

WindowWalk::WindowWalk(llvm::ArrayRef<int64_t> input,
                       llvm::ArrayRef<int64_t> output, const WindowSteps &steps,
                       Direction direction)
    : input_(input), output_(output), kernel_(steps.kernel),
      strides_(steps.strides), pads_(steps.pads), dilations_(steps.dilations),
      direction_(direction) {
  for (int64_t extent : input)
    numInputs_ *= extent;
  for (int64_t extent : output)
    numOutputs_ *= extent;
  for (int64_t extent : steps.kernel)
    numTaps_ *= extent;
}

int64_t WindowWalk::locate(size_t dimension, int64_t output,
                           int64_t kernel) const {
  int64_t position, reach = kernel * dilations_[dimension];
  if (direction_ == Direction::Forward) {
    position = output * strides_[dimension] + reach - pads_[dimension];
  } else {
    int64_t scaled = output + pads_[dimension] - reach;
    if (scaled < 0 || scaled % strides_[dimension])
      return -1;
    position = scaled / strides_[dimension];
  }
  return position < input_[dimension] ? std::max<int64_t>(position, -1) : -1;
}

void WindowWalk::getTaps(int64_t output,
                         llvm::SmallVectorImpl<Tap> &taps) const {
  // Grown dimension by dimension, so padding is dropped early.
  llvm::SmallVector<Tap, 16> grown;
  taps.assign({{0, 0}});
  int64_t below = numOutputs_;
  for (size_t d = 0; d < output_.size(); ++d) {
    below /= output_[d];
    int64_t position = output / below % output_[d];
    grown.clear();
    for (Tap tap : taps)
      for (int64_t k = 0; k < kernel_[d]; ++k) {
        int64_t at = locate(d, position, k);
        if (at >= 0)
          grown.push_back(
              {tap.kernel * kernel_[d] + k, tap.input * input_[d] + at});
      }
    taps.assign(grown.begin(), grown.end());
  }
}

//===----------------------------------------------------------------------===//
// Inner loops
//===----------------------------------------------------------------------===//

QOPT_INLINE static float multiplyAdd(float a, float b, float c) {
  return __builtin_fmaf(a, b, c);
}
QOPT_INLINE static double multiplyAdd(double a, double b, double c) {
  return __builtin_fma(a, b, c);
}
QOPT_INLINE static int32_t multiplyAdd(int32_t a, int32_t b, int32_t c) {
  return int32_t(uint32_t(a) * uint32_t(b) + uint32_t(c));
}
QOPT_INLINE static int64_t multiplyAdd(int64_t a, int64_t b, int64_t c) {
  return int64_t(uint64_t(a) * uint64_t(b) + uint64_t(c));
}

/// acc[o] += x[c] * w[c, o], c in order.
template <typename T>
QOPT_INLINE static void
accumulateRowsBody(T *__restrict acc, const T *__restrict x,
                   const T *__restrict w, int64_t channels, int64_t outputs) {
  constexpr int64_t block = 32;
  int64_t o = 0;
  // A block of accumulators stays in registers over all channels.
  for (; o + block <= outputs; o += block) {
    T sums[block];
    for (int64_t i = 0; i < block; ++i)
      sums[i] = acc[o + i];
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t i = 0; i < block; ++i)
        sums[i] = multiplyAdd(x[c], w[c * outputs + o + i], sums[i]);
    for (int64_t i = 0; i < block; ++i)
      acc[o + i] = sums[i];
  }
  if (o == outputs)
    return;
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t i = o; i < outputs; ++i)
      acc[i] = multiplyAdd(x[c], w[c * outputs + i], acc[i]);
}

/// acc[c] += x[c] * w[c].
template <typename T>
QOPT_INLINE static void
accumulateChannelsBody(T *__restrict acc, const T *__restrict x,
                       const T *__restrict w, int64_t channels) {
  for (int64_t c = 0; c < channels; ++c)
    acc[c] = multiplyAdd(x[c], w[c], acc[c]);
}

#define QOPT_INNER_LOOPS(T)                                                    \
  QOPT_CLONES void accumulateRows(T *acc, const T *x, const T *w,              \
                                  int64_t channels, int64_t outputs) {         \
    accumulateRowsBody(acc, x, w, channels, outputs);                          \
  }                                                                            \
  QOPT_CLONES void accumulateChannels(T *acc, const T *x, const T *w,          \
                                      int64_t channels) {                      \
    accumulateChannelsBody(acc, x, w, channels);                               \
  }
namespace qopt::array_kernels {
QOPT_INNER_LOOPS(float)
QOPT_INNER_LOOPS(double)
QOPT_INNER_LOOPS(int32_t)
QOPT_INNER_LOOPS(int64_t)
} // namespace qopt::array_kernels
#undef QOPT_INNER_LOOPS
using namespace qopt::array_kernels;

//===----------------------------------------------------------------------===//
// Convolution and matrix product
//===----------------------------------------------------------------------===//

/// [g, o, t, c] to [g, t, c, o].
template <typename T>
static std::vector<T> putOutputsLast(const T *weight, int64_t groups,
                                     int64_t outputs, int64_t taps,
                                     int64_t channels) {
  std::vector<T> result(groups * outputs * taps * channels);
  int64_t inner = taps * channels;
  for (int64_t g = 0; g < groups; ++g)
    for (int64_t o = 0; o < outputs; ++o)
      for (int64_t i = 0; i < inner; ++i)
        result[(g * inner + i) * outputs + o] =
            weight[(g * outputs + o) * inner + i];
  return result;
}

template <typename T>
static void convolveImpl(const WindowWalk &walk, const ConvSizes &sizes,
                         const ConvArrays<T> &arrays, T *out) {
  auto [x, weight, bias] = arrays;
  int64_t groups = sizes.groups, taps = walk.numTaps();
  int64_t inGroup = sizes.inChannels / groups;
  int64_t outGroup = sizes.outChannels / groups;
  bool depthwise = inGroup == 1 && outGroup == 1;
  // A depthwise weight [C, t] becomes [t, C].
  std::vector<T> w =
      depthwise ? putOutputsLast(weight, 1, groups, taps, 1)
                : putOutputsLast(weight, groups, outGroup, taps, inGroup);
  llvm::SmallVector<WindowWalk::Tap> hits;
  for (int64_t p = 0; p < walk.numOutputs(); ++p) {
    walk.getTaps(p, hits);
    for (int64_t n = 0; n < sizes.batch; ++n) {
      const T *image = x + n * walk.numInputs() * sizes.inChannels;
      T *acc = out + (n * walk.numOutputs() + p) * sizes.outChannels;
      for (int64_t o = 0; o < sizes.outChannels; ++o)
        acc[o] = bias ? bias[o] : T(0);
      for (const WindowWalk::Tap &tap : hits) {
        const T *pixel = image + tap.input * sizes.inChannels;
        if (depthwise) {
          accumulateChannels(acc, pixel, &w[tap.kernel * groups], groups);
          continue;
        }
        for (int64_t g = 0; g < groups; ++g)
          accumulateRows(acc + g * outGroup, pixel + g * inGroup,
                         w.data() +
                             (g * taps + tap.kernel) * inGroup * outGroup,
                         inGroup, outGroup);
      }
    }
  }
}

template <typename T>
static void multiplyImpl(const MatmulSizes &sizes, const T *lhs, const T *rhs,
                         const T *bias, T *out) {
  std::vector<T> transposed;
  for (int64_t batch = 0; batch < sizes.batch; ++batch) {
    const T *matrix = sizes.sharedRhs ? rhs : rhs + batch * sizes.k * sizes.n;
    if (sizes.transposedRhs) {
      if (transposed.empty() || !sizes.sharedRhs)
        transposed = putOutputsLast(matrix, 1, sizes.n, 1, sizes.k);
      matrix = transposed.data();
    }
    for (int64_t row = 0; row < sizes.m; ++row) {
      int64_t at = batch * sizes.m + row;
      T *acc = out + at * sizes.n;
      for (int64_t i = 0; i < sizes.n; ++i)
        acc[i] = bias ? bias[i] : T(0);
      accumulateRows(acc, lhs + at * sizes.k, matrix, sizes.k, sizes.n);
    }
  }
}

#define QOPT_ARRAY_KERNELS(T)                                                  \
  void qopt::convolve(const WindowWalk &walk, const ConvSizes &sizes,          \
                      const ConvArrays<T> &arrays, T *out) {                   \
    convolveImpl(walk, sizes, arrays, out);                                    \
  }                                                                            \
  void qopt::multiply(const MatmulSizes &sizes, const T *lhs, const T *rhs,    \
                      const T *bias, T *out) {                                 \
    multiplyImpl(sizes, lhs, rhs, bias, out);                                  \
  }
QOPT_ARRAY_KERNELS(float)
QOPT_ARRAY_KERNELS(double)
QOPT_ARRAY_KERNELS(int32_t)
QOPT_ARRAY_KERNELS(int64_t)
