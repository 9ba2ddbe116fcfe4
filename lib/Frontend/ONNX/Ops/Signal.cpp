//===- Signal.cpp - Fourier transforms, windows, mel filters --------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A transform of a known length is a product with a constant matrix, real and
// imaginary parts beside each other in its rows and columns.
//===----------------------------------------------------------------------===//
#include "qopt/Frontend/ONNX/OpBinder.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"

#include <cmath>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

static constexpr double kPi = 3.14159265358979323846;
/// Numbers of a matrix of a transform: 128 MiB of f32.
static constexpr int64_t kMostFactors = int64_t(1) << 25;

//===----------------------------------------------------------------------===//
// DFT and STFT
//===----------------------------------------------------------------------===//

namespace {
struct Transform {
  int64_t length; ///< of the whole spectrum and signal
  bool isInverse, isOneSided;
  /// Numbers per element of the input: 1 or 2 (real, imaginary).
  int64_t parts;

  bool givesReal() const { return isInverse && isOneSided; }
  int64_t countInputs() const { return givesReal() ? length / 2 + 1 : length; }
  int64_t countOutputs() const {
    return isOneSided && !isInverse ? length / 2 + 1 : length;
  }
  int64_t outputParts() const { return givesReal() ? 1 : 2; }
};
} // namespace

/// cos and sin of 2 pi k / n, of the reduced fraction.
static std::pair<double, double> getRoot(int64_t k, int64_t n) {
  double angle = 2 * kPi * double(k % n) / double(n);
  return {std::cos(angle), std::sin(angle)};
}

/// [inputs * parts, outputs * parts of them].
static Tensor getMatrix(const Transform &t, DType dtype) {
  int64_t rows = t.countInputs(), columns = t.countOutputs(),
          parts = t.outputParts(), n = t.length;
  Tensor matrix(dtype, {rows * t.parts, columns * parts});
  for (int64_t j = 0; j < rows; ++j)
    for (int64_t k = 0; k < columns; ++k) {
      auto [c, s] = getRoot(j * k, n);
      double sign = t.isInverse ? 1 : -1, weight = t.isInverse ? 1.0 / n : 1;
      // What a one-sided spectrum leaves out is its mirror image.
      bool isMirrored = t.givesReal() && j != 0 && 2 * j != n;
      weight *= isMirrored ? 2 : 1;
      auto set = [&](int64_t from, int64_t to, double value) {
        matrix.setFloat((j * t.parts + from) * columns * parts + k * parts + to,
                        value * weight);
      };
      bool isOwnMirror = t.givesReal() && !isMirrored;
      set(0, 0, c);
      if (parts == 2)
        set(0, 1, sign * s);
      if (t.parts == 2)
        set(1, 0, isOwnMirror ? 0 : -sign * s);
      if (t.parts == 2 && parts == 2)
        set(1, 1, c);
    }
  return matrix;
}

/// The transform along dimension rank - 2 of x [..., n, parts].
static Value transformLast(OpBinder &op, Value x, const Transform &t) {
  GraphBuilder &b = op.b;
  if (!x)
    return {};
  if (t.countInputs() * t.parts > kMostFactors / (2 * t.countOutputs()))
    return b.fail("expects a transform of at most 2^25 factors, got length " +
                  Twine(t.length));
  int64_t axis = b.rank(x) - 2, given = b.extent(x, axis);
  Shape low(b.rank(x), 0), high(b.rank(x), 0);
  high[axis] = t.countInputs() - given;
  if (high[axis] != 0)
    x = b.pad(PadMode::constant, x, {}, low, high);
  if (!x)
    return {};
  Shape leading(b.shape(x).drop_back(2));
  DType dtype = b.element(x).isF64() ? DType::f64 : DType::f32;
  int64_t batch = getNumElements(leading);
  Value rows = b.reshape(x, {batch, t.countInputs() * t.parts});
  Shape result = leading;
  result.append({t.countOutputs(), t.outputParts()});
  return b.reshape(b.matmul(rows, b.constant(getMatrix(t, dtype))), result);
}

/// A constant scalar input, or `fallback` if it is absent; none, and reported,
/// where it is not known or outside [least, most].
static std::optional<int64_t> readCount(OpBinder &op, unsigned index,
                                        StringRef what, int64_t fallback) {
  int64_t value = fallback;
  if (op.hasInput(index)) {
    auto given = op.constantInts(index, what);
    if (!given)
      return std::nullopt;
    if (given->size() != 1) {
      (void)op.badModel("expects a scalar " + what);
      return std::nullopt;
    }
    value = (*given)[0];
  }
  if (value >= 1 && value <= (1 << 24))
    return value;
  (void)op.badModel("expects a " + what + " in [1, 2^24], got " + Twine(value));
  return std::nullopt;
}

static LogicalResult importDFT(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  if (!x)
    return failure();
  int64_t rank = b.rank(x),
          given = op.opset() < 20 ? op.intAttr("axis", 1) : -2;
  if (op.opset() >= 20 && op.hasInput(2)) {
    auto axis = op.constantInts(2, "axis");
    if (!axis)
      return failure();
    if (axis->size() != 1)
      return op.badModel("expects a scalar axis");
    given = (*axis)[0];
  }
  auto axis = op.normalizeAxis(given, rank);
  if (!axis)
    return failure();
  if (rank < 2 || *axis == rank - 1 || b.shape(x).back() < 1 ||
      b.shape(x).back() > 2 || !b.isFloat(x))
    return op.badModel("expects floats [..., n, 1 or 2] and an axis in front "
                       "of the last, got " +
                       formatShape(b.shape(x)));
  Transform t{0, op.intAttr("inverse", 0) != 0, op.intAttr("onesided", 0) != 0,
              b.shape(x).back()};
  int64_t extent = b.extent(x, *axis);
  auto length =
      readCount(op, 1, "length", t.givesReal() ? 2 * (extent - 1) : extent);
  if (!length)
    return failure();
  t.length = *length;
  // Exchanged with the dimension in front of the parts.
  Shape permutation(llvm::to_vector(llvm::seq<int64_t>(0, rank)));
  std::swap(permutation[*axis], permutation[rank - 2]);
  Value y = transformLast(op, b.transpose(x, permutation), t);
  return op.result(b.transpose(y, permutation));
}

static LogicalResult importSTFT(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0), window = op.optional(2);
  auto step = readCount(op, 1, "frame step", 0);
  if (!x || !step)
    return failure();
  if (b.rank(x) == 2)
    x = b.expandDim(x, 2);
  if (b.rank(x) != 3 || b.extent(x, 2) < 1 || b.extent(x, 2) > 2)
    return op.badModel("expects a signal [N, n, 1 or 2], got " +
                       formatShape(b.shape(x)));
  if (window && b.rank(window) != 1)
    return op.badModel("expects a window of rank 1");
  int64_t extent = b.extent(x, 1);
  auto length =
      readCount(op, 3, "frame length", window ? b.extent(window, 0) : extent);
  if (!length)
    return failure();
  if (*length > extent || (window && b.extent(window, 0) > *length))
    return op.badModel("expects a frame no longer than the signal and no "
                       "shorter than the window, got length " +
                       Twine(*length));
  int64_t width = window ? b.extent(window, 0) : *length;
  int64_t frames = (extent - *length) / *step + 1;
  Tensor positions(DType::i64, {frames, width});
  for (int64_t i = 0; i < frames * width; ++i)
    positions.setInt(i, i / width * *step + i % width);
  Value framed = b.gather(x, b.constant(positions), 1);
  if (window)
    framed =
        b.mul(framed, b.reshape(b.convert(window, b.element(x)), {width, 1}));
  Transform t{*length, false, op.intAttr("onesided", 1) != 0, b.extent(x, 2)};
  return op.result(transformLast(op, framed, t));
}

//===----------------------------------------------------------------------===//
// Windows and filters
//===----------------------------------------------------------------------===//

/// The sum of cosines whose factors are given: c0 - c1 cos + c2 cos 2.
struct CosineWindow {
  double c0, c1, c2;
};
static constexpr CosineWindow kHann{0.5, 0.5, 0},
    kHamming{25.0 / 46, 1 - 25.0 / 46, 0}, kBlackman{0.42, 0.5, 0.08};

template <const CosineWindow *window>
static LogicalResult importWindow(OpBinder &op) {
  GraphBuilder &b = op.b;
  auto size = readCount(op, 0, "size", 0);
  Type type = op.typeAttr("output_datatype", b.f32());
  if (!size || !type)
    return failure();
  int64_t period = op.intAttr("periodic", 1) ? *size : *size - 1;
  Tensor values(qg::getDType(type).value_or(DType::f32), {*size});
  for (int64_t i = 0; i < *size; ++i) {
    // One value has no period.
    auto n = double(std::max<int64_t>(period, 1));
    double angle = 2 * kPi * double(i) / n;
    values.setFloat(i, window->c0 - window->c1 * std::cos(angle) +
                           window->c2 * std::cos(2 * angle));
  }
  return op.result(b.constant(values));
}

/// Bins at which the triangles begin, peak and end; the mel scale of HTK.
static SmallVector<int64_t> getMelBins(int64_t bands, int64_t length,
                                       int64_t rate, double low, double high) {
  auto toMel = [](double hertz) { return 2595 * std::log10(1 + hertz / 700); };
  double first = toMel(low), step = (toMel(high) - first) / double(bands + 2);
  SmallVector<int64_t> bins;
  for (int64_t i = 0; i < bands + 2; ++i) {
    double hertz =
        700 * (std::pow(10.0, (double(i) * step + first) / 2595) - 1);
    bins.push_back(
        int64_t(std::floor(double(length + 1) * hertz / double(rate))));
  }
  return bins;
}

static LogicalResult importMelWeightMatrix(OpBinder &op) {
  GraphBuilder &b = op.b;
  auto bands = readCount(op, 0, "number of bands", 0),
       length = readCount(op, 1, "length", 0),
       rate = readCount(op, 2, "sample rate", 0);
  auto low = op.constantFloats(3, "lower edge"),
       high = op.constantFloats(4, "upper edge");
  Type type = op.typeAttr("output_datatype", b.f32());
  if (!bands || !length || !rate || !low || !high || !type)
    return failure();
  if (low->size() != 1 || high->size() != 1 || !((*low)[0] >= 0) ||
      !((*high)[0] > (*low)[0]) || !((*high)[0] <= double(*rate) / 2))
    return op.badModel("expects edges 0 <= lower < upper <= half of the "
                       "sample rate");
  int64_t spectrum = *length / 2 + 1;
  if (spectrum > kMostFactors / *bands)
    return op.unsupported("expects at most 2^25 factors");
  SmallVector<int64_t> bins =
      getMelBins(*bands, *length, *rate, (*low)[0], (*high)[0]);
  Tensor matrix(qg::getDType(type).value_or(DType::f32), {spectrum, *bands});
  auto set = [&](int64_t bin, int64_t band, double value) {
    if (bin < spectrum)
      matrix.setFloat(bin * *bands + band, value);
  };
  for (int64_t i = 0; i < *bands; ++i) {
    int64_t begin = bins[i], peak = bins[i + 1], end = bins[i + 2];
    if (begin == peak)
      set(peak, i, 1);
    for (int64_t j = begin; begin < peak && j <= peak; ++j)
      set(j, i, double(j - begin) / double(peak - begin));
    for (int64_t j = peak; j < end; ++j)
      set(j, i, double(end - j) / double(end - peak));
  }
  return op.result(b.constant(matrix));
}

void frontend::registerSignalOps(OpRegistry &registry) {
  registry.add("BlackmanWindow", 17, importWindow<&kBlackman>);
  registry.add("DFT", 17, roundOnce<importDFT>);
  registry.add("HammingWindow", 17, importWindow<&kHamming>);
  registry.add("HannWindow", 17, importWindow<&kHann>);
  registry.add("MelWeightMatrix", 17, importMelWeightMatrix);
  registry.add("STFT", 17, roundOnce<importSTFT>);
}
