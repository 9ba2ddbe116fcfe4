//===- Resample.cpp - Where a resized dimension reads, and with what weight
//===//
// SPDX-License-Identifier: Apache-2.0
//
// Coordinates and coefficients are computed in double and rounded once, by who
// uses them.
//===----------------------------------------------------------------------===//
#include "qopt/Numerics/Resample.h"

#include "qopt/Numerics/EvalBuilder.h"
#include <algorithm>
#include <cmath>

using namespace qopt;

double qopt::getResizeCoordinate(ResizeCoordinates coordinates,
                                 const ResampleAxis &axis, int64_t i) {
  double in = double(axis.in), out = double(axis.out), at = double(i);
  switch (coordinates) {
  case ResizeCoordinates::half_pixel:
    break;
  case ResizeCoordinates::half_pixel_symmetric: {
    double adjustment = out / (axis.scale * in);
    double offset = in / 2 * (1 - adjustment);
    return offset + (at + 0.5) / axis.scale - 0.5;
  }
  case ResizeCoordinates::pytorch_half_pixel:
    if (axis.out == 1)
      return 0;
    break;
  case ResizeCoordinates::align_corners:
    return axis.out == 1 ? 0 : at * (in - 1) / (out - 1);
  case ResizeCoordinates::asymmetric:
    return at / axis.scale;
  case ResizeCoordinates::tf_crop_and_resize: {
    double extent = axis.roiEnd - axis.roiStart;
    if (axis.out == 1)
      return 0.5 * (axis.roiStart + axis.roiEnd) * (in - 1);
    return axis.roiStart * (in - 1) + at * extent * (in - 1) / (out - 1);
  }
  case ResizeCoordinates::tf_half_pixel_for_nn:
    return (at + 0.5) / axis.scale;
  }
  return (at + 0.5) / axis.scale - 0.5;
}

/// Weight of a tap at a distance, for linear (triangle) and cubic filters.
static double getWeight(const ResampleFilter &filter, double distance) {
  double d = std::abs(distance), a = filter.cubicA;
  if (filter.mode == ResizeMode::linear)
    return std::max(0.0, 1 - d);
  if (d <= 1)
    return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

namespace {
struct Tap {
  int64_t position;
  double coefficient;
};
} // namespace

/// Taps of the coordinate `x` in the order of positions, none of weight 0.
static std::vector<Tap> getTaps(const ResampleFilter &filter,
                                const ResampleAxis &axis, double x) {
  double shrink = filter.antialias ? std::min(axis.scale, 1.0) : 1.0;
  double reach = (filter.mode == ResizeMode::linear ? 1 : 2) / shrink;
  double total = 0;
  std::vector<Tap> taps;
  // Coordinates far outside lie on the edge as a whole.
  double least = -reach - 1, most = double(axis.in) + reach + 1;
  x = std::clamp(x, least, most);
  for (auto at = int64_t(std::floor(x - reach)),
            last = int64_t(std::ceil(x + reach));
       at <= last; ++at) {
    bool isOutside = at < 0 || at >= axis.in;
    double weight = getWeight(filter, (double(at) - x) * shrink);
    if (weight == 0 || (isOutside && filter.excludesOutside))
      continue;
    total += weight;
    int64_t position = std::clamp<int64_t>(at, 0, axis.in - 1);
    if (!taps.empty() && taps.back().position == position)
      taps.back().coefficient += weight;
    else
      taps.push_back({position, weight});
  }
  bool normalizes = filter.excludesOutside || filter.antialias;
  for (Tap &tap : taps)
    if (normalizes && total != 0)
      tap.coefficient /= total;
  llvm::erase_if(taps, [](const Tap &tap) { return tap.coefficient == 0; });
  // Nothing is left of a filter that lies outside altogether.
  if (taps.empty())
    taps.push_back({std::clamp<int64_t>(int64_t(x), 0, axis.in - 1), 0});
  return taps;
}

ResampleTable qopt::getResampleTable(const ResampleFilter &filter,
                                     const ResampleAxis &axis) {
  std::vector<std::vector<Tap>> rows;
  ResampleTable table;
  for (int64_t i = 0; i < axis.out; ++i) {
    rows.push_back(getTaps(filter, axis,
                           getResizeCoordinate(filter.coordinates, axis, i)));
    table.taps = std::max(table.taps, int64_t(rows.back().size()));
  }
  for (std::vector<Tap> &row : rows) {
    while (int64_t(row.size()) < table.taps) {
      row.back().coefficient /= 2;
      row.push_back(row.back());
    }
    for (const Tap &tap : row) {
      table.positions.push_back(tap.position);
      table.coefficients.push_back(tap.coefficient);
    }
  }
  return table;
}

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

/// Integers of one output position that add up to what the coefficients do: the
/// largest takes what rounding left over.
static void roundTaps(llvm::ArrayRef<double> coefficients, double denominator,
                      std::vector<int32_t> &integers) {
  double total = 0;
  int64_t sum = 0;
  size_t first = integers.size(), largest = first;
  for (double coefficient : coefficients) {
    total += coefficient;
    integers.push_back(int32_t(std::nearbyint(coefficient * denominator)));
    sum += integers.back();
    if (std::abs(integers.back()) > std::abs(integers[largest]))
      largest = integers.size() - 1;
  }
  integers[largest] += int32_t(std::nearbyint(total * denominator) - sum);
}

static IntegerResample roundTable(const ResampleTable &table,
                                  int64_t denominator) {
  IntegerResample result{denominator, {}};
  for (size_t i = 0; i < table.coefficients.size(); i += table.taps)
    roundTaps(llvm::ArrayRef(table.coefficients).slice(i, table.taps),
              double(denominator), result.coefficients);
  return result;
}

/// Largest sum of magnitudes of an output position.
static int64_t getMagnitude(const IntegerResample &integers, int64_t taps) {
  int64_t most = 0;
  for (size_t i = 0; i < integers.coefficients.size(); i += taps) {
    int64_t sum = 0;
    for (int64_t t = 0; t < taps; ++t)
      sum += std::abs(int64_t(integers.coefficients[i + t]));
    most = std::max(most, sum);
  }
  return most;
}

/// Whether the coefficients are integers over `denominator`: to 2^-12, so that
/// what is lost of a byte stays below a tenth of its step.
static bool isExpressible(const ResampleTable &table, int64_t denominator) {
  return llvm::all_of(table.coefficients, [&](double coefficient) {
    double scaled = coefficient * double(denominator);
    return std::abs(scaled - std::nearbyint(scaled)) < 0x1p-12;
  });
}

std::optional<std::vector<IntegerResample>>
qopt::getIntegerResample(llvm::ArrayRef<ResampleTable> tables, unsigned bits) {
  bool isWide = bits > 8;
  const int64_t mostSum = INT32_MAX / (isWide ? 65535 : 255);
  // Every dimension gets its share of the bits.
  int64_t share = int64_t(
      std::floor(std::pow(double(mostSum), 1.0 / double(tables.size()))));
  std::vector<IntegerResample> result;
  int64_t product = 1;
  for (const ResampleTable &table : tables) {
    // Coefficients of less than 6 bits are no interpolation of bytes, more than
    // 14 change nothing.
    constexpr int64_t kCoarsest = 1 << 6, kFinest = 1 << 14;
    int64_t coarse = 1;
    while (coarse * 2 <= std::min(share, kFinest) &&
           getMagnitude(roundTable(table, coarse * 2), table.taps) <= share)
      coarse *= 2;
    int64_t exact = 1;
    while (exact <= coarse && !isExpressible(table, exact))
      ++exact;
    if (exact > coarse && (isWide || coarse < kCoarsest))
      return std::nullopt;
    result.push_back(roundTable(table, std::min(exact, coarse)));
    product *= getMagnitude(result.back(), table.taps);
  }
  if (product > mostSum)
    return std::nullopt;
  return result;
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

#if defined(__x86_64__) && defined(__clang__) && !defined(QOPT_NO_CLONES)
#define QOPT_CLONES __attribute__((target_clones("default", "arch=x86-64-v3")))
#else
#define QOPT_CLONES
#endif

QOPT_INLINE static float multiplyAdd(float a, float b, float c) {
  return __builtin_fmaf(a, b, c);
}
QOPT_INLINE static double multiplyAdd(double a, double b, double c) {
  return __builtin_fma(a, b, c);
}
QOPT_INLINE static int32_t multiplyAdd(int32_t a, int32_t b, int32_t c) {
  return a * b + c;
}

/// `taps` positions and their coefficients for each result.
template <typename T> struct ResampleTaps {
  const int64_t *positions;
  const T *coefficients;
  int64_t taps;
};

template <typename T>
QOPT_INLINE static void resampleBody(const ResampleSizes &sizes,
                                     const ResampleTaps<T> &table, const T *x,
                                     T *out) {
  const int64_t taps = table.taps;
  for (int64_t o = 0; o < sizes.outer; ++o)
    for (int64_t i = 0; i < sizes.out; ++i) {
      T *row = out + (o * sizes.out + i) * sizes.inner;
      for (int64_t t = 0; t < taps; ++t) {
        const T *from =
            x + (o * sizes.in + table.positions[i * taps + t]) * sizes.inner;
        T c = table.coefficients[i * taps + t];
        if (t == 0)
          for (int64_t k = 0; k < sizes.inner; ++k)
            row[k] = c * from[k];
        else
          for (int64_t k = 0; k < sizes.inner; ++k)
            row[k] = multiplyAdd(c, from[k], row[k]);
      }
    }
}

#define QOPT_RESAMPLE(T)                                                       \
  namespace qopt::array_kernels {                                              \
  QOPT_CLONES void resampleRows(const ResampleSizes &sizes,                    \
                                const int64_t *positions,                      \
                                const T *coefficients, int64_t taps,           \
                                const T *x, T *out) {                          \
    resampleBody<T>(sizes, {positions, coefficients, taps}, x, out);           \
  }                                                                            \
  }                                                                            \
  void qopt::resample(const ResampleSizes &sizes,                              \
                      llvm::ArrayRef<int64_t> positions,                       \
                      llvm::ArrayRef<T> coefficients, const T *x, T *out) {    \
    if (sizes.out > 0)                                                         \
      array_kernels::resampleRows(                                             \
          sizes, positions.data(), coefficients.data(),                        \
          int64_t(positions.size()) / sizes.out, x, out);                      \
  }
QOPT_RESAMPLE(float)
QOPT_RESAMPLE(double)
QOPT_RESAMPLE(int32_t)
#undef QOPT_RESAMPLE
