//===- ElementLoops.cpp - Scalar functions over arrays --------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// One loop per kind, so that each vectorizes; compiled for FMA as well, with
// the same results.
//===----------------------------------------------------------------------===//
#include "qopt/Numerics/ArrayKernels.h"
#include "qopt/Numerics/Elementwise.h"

using namespace qopt;
using namespace qopt::numerics;

// `flatten` inlines the whole function, without which nothing would take the
// features of the clone.
#if defined(__x86_64__) && defined(__clang__) && !defined(QOPT_NO_CLONES)
#define QOPT_CLONES                                                            \
  __attribute__((target_clones("default", "arch=x86-64-v3"), flatten))
#else
#define QOPT_CLONES
#endif

template <UnaryKind kind, typename T>
QOPT_INLINE static void loop(const T *x, T *out, int64_t n) {
  EvalBuilder b;
  for (int64_t i = 0; i < n; ++i)
    out[i] = emitUnaryFloat(b, kind, x[i]);
}

template <typename T>
QOPT_INLINE static void unaryBody(UnaryKind kind, const T *x, T *out,
                                  int64_t n) {
  switch (kind) {
#define QOPT_CASE(name)                                                        \
  case UnaryKind::name:                                                        \
    return loop<UnaryKind::name>(x, out, n);
    QOPT_CASE(abs)
    QOPT_CASE(neg)
    QOPT_CASE(sign)
    QOPT_CASE(relu)
    QOPT_CASE(floor)
    QOPT_CASE(ceil)
    QOPT_CASE(round_even)
    QOPT_CASE(sqrt)
    QOPT_CASE(rsqrt)
    QOPT_CASE(exp)
    QOPT_CASE(log)
    QOPT_CASE(erf)
    QOPT_CASE(sigmoid)
    QOPT_CASE(tanh)
#undef QOPT_CASE
  default: {
    // Kinds that are rare in networks share a loop.
    EvalBuilder b;
    for (int64_t i = 0; i < n; ++i)
      out[i] = emitUnaryFloat(b, kind, x[i]);
  }
  }
}

template <BinaryKind kind, typename T>
QOPT_INLINE static void loop(const T *x, const T *y, T *out, int64_t n) {
  EvalBuilder b;
  for (int64_t i = 0; i < n; ++i)
    out[i] = emitBinaryFloat(b, kind, x[i], y[i]);
}

template <typename T>
QOPT_INLINE static void binaryBody(BinaryKind kind, const T *x, const T *y,
                                   T *out, int64_t n) {
  switch (kind) {
#define QOPT_CASE(name)                                                        \
  case BinaryKind::name:                                                       \
    return loop<BinaryKind::name>(x, y, out, n);
    QOPT_CASE(add)
    QOPT_CASE(sub)
    QOPT_CASE(mul)
    QOPT_CASE(div)
    QOPT_CASE(min)
    QOPT_CASE(max)
    QOPT_CASE(rem)
    QOPT_CASE(mod)
    QOPT_CASE(pow)
#undef QOPT_CASE
  default:
    llvm_unreachable("isDefinedOn was not asked");
  }
}

namespace qopt {
QOPT_CLONES void applyUnary(UnaryKind kind, const float *x, float *out,
                            int64_t n) {
  unaryBody(kind, x, out, n);
}
QOPT_CLONES void applyUnary(UnaryKind kind, const double *x, double *out,
                            int64_t n) {
  unaryBody(kind, x, out, n);
}
QOPT_CLONES void applyBinary(BinaryKind kind, const float *x, const float *y,
                             float *out, int64_t n) {
  binaryBody(kind, x, y, out, n);
}
QOPT_CLONES void applyBinary(BinaryKind kind, const double *x, const double *y,
                             double *out, int64_t n) {
  binaryBody(kind, x, y, out, n);
}
} // namespace qopt
