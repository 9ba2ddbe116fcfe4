//===- QONNX.cpp - Quant, BipolarQuant, Trunc -----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// QONNX holds floats that lie on a grid: one op rounds onto it, and its inputs
// say which. A grid that qg has a type for becomes quantize and dequantize;
// weights become stored integers. Semantics: qonnx.custom_op.general.
//===----------------------------------------------------------------------===//
#include "SmallFloats.h"
#include "qopt/Frontend/ONNX/OpBinder.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"
#include "qopt/Numerics/Format.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

namespace {
/// The grid of one Quant. What differs by channel has one value an element of
/// dimension `axis`, and everything else repeats its value then.
struct Grid {
  /// Empty where no format has so many bits: the values stay floats.
  std::string format;
  SmallVector<float> scales;
  SmallVector<int64_t> zeroPoints;
  SmallVector<double> low, high;
  int64_t axis = -1;
  /// The format reaches further than the grid.
  bool isNarrow = false;
  /// One signed bit: -1 and 1.
  bool isBipolar = false;

  bool hasZeroPoints() const {
    return llvm::any_of(zeroPoints, [](int64_t zero) { return zero != 0; });
  }
};
} // namespace

/// A constant with one element.
static std::optional<double> readScalar(OpBinder &op, unsigned index,
                                        StringRef what) {
  std::optional<SmallVector<double>> values = op.constantFloats(index, what);
  if (!values)
    return std::nullopt;
  if (values->size() == 1)
    return values->front();
  (void)op.unsupported("expects one " + what + " for the tensor, got " +
                       Twine(values->size()));
  return std::nullopt;
}

/// One value, or one per element of a dimension of `x`, which becomes `axis`.
static std::optional<SmallVector<double>>
readParameter(OpBinder &op, unsigned index, StringRef what, int64_t &axis) {
  Value x = op.in(0);
  std::optional<Tensor> tensor = op.constant(index);
  if (!tensor || !x) {
    if (x)
      (void)op.unsupported("expects constant " + what + " (input " +
                           Twine(index) + ")");
    return std::nullopt;
  }
  SmallVector<double> values;
  for (int64_t i = 0; i < tensor->numElements(); ++i)
    values.push_back(tensor->getFloat(i));
  if (values.size() == 1)
    return values;
  // One dimension is that of x; the others are 1.
  int64_t missing = op.b.rank(x) - tensor->rank(), found = -1;
  for (int64_t dim = 0; dim < tensor->rank(); ++dim)
    if (tensor->shape()[dim] == int64_t(values.size()) && missing + dim >= 0 &&
        op.b.extent(x, missing + dim) == tensor->shape()[dim])
      found = missing + dim;
  if (found >= 0 && (axis < 0 || axis == found)) {
    axis = found;
    return values;
  }
  (void)op.unsupported("expects one " + what +
                       ", or one per element of one dimension, got " +
                       formatShape(tensor->shape()));
  return std::nullopt;
}

/// Ends of a grid of so many bits.
static std::pair<double, double> getRange(int64_t bits, bool isSigned,
                                          bool isNarrow) {
  if (isSigned)
    return {-std::exp2(bits - 1) + isNarrow, std::exp2(bits - 1) - 1};
  return {0, std::exp2(bits) - 1 - isNarrow};
}

/// Sets format and ends from the widths; false, and reported, where a width is
/// none.
static bool setRange(OpBinder &op, Grid &grid, ArrayRef<double> bits) {
  bool isSigned = op.intAttr("signed", 1) != 0;
  bool isNarrow = op.intAttr("narrow", 0) != 0;
  for (double width : bits)
    if (width != std::floor(width) || width < 1 || width > 32)
      return succeeded(
          op.unsupported("expects a whole bit width of 1 to 32, got " +
                         std::to_string(width)));
  auto most = int64_t(*llvm::max_element(bits));
  grid.isBipolar = isSigned && most == 1;
  if (isSigned && most > 1 && llvm::is_contained(bits, 1.0))
    return succeeded(op.unsupported(
        "expects signed grids of 1 bit in all channels or none"));
  const IntegerFormat *row = nullptr;
  if (most <= 16) {
    // No format of one bit: that of two holds it.
    grid.format =
        ((isSigned ? "si" : "ui") + Twine(std::max<int64_t>(most, 2))).str();
    row = lookupIntegerFormat(grid.format);
    if (!row)
      return succeeded(
          op.unsupported("expects a width that is known, got " + grid.format));
  }
  for (double width : bits) {
    auto [low, high] = grid.isBipolar
                           ? std::pair<double, double>(-1, 1)
                           : getRange(int64_t(width), isSigned, isNarrow);
    grid.low.push_back(low);
    grid.high.push_back(high);
    grid.isNarrow |= row && (low > row->min() || high < row->max());
  }
  return true;
}

static bool setZeroPoints(OpBinder &op, Grid &grid, ArrayRef<double> zeros) {
  const IntegerFormat *row = lookupIntegerFormat(grid.format);
  for (double zero : zeros) {
    if (zero != std::floor(zero) || std::abs(zero) > std::exp2(31))
      return succeeded(op.unsupported("expects a whole zero point, got " +
                                      std::to_string(zero)));
    if (row && (zero < row->min() || zero > row->max()))
      return succeeded(op.unsupported("expects a zero point that " +
                                      grid.format + " holds, got " +
                                      Twine(int64_t(zero))));
    grid.zeroPoints.push_back(int64_t(zero));
  }
  return true;
}

static bool setScales(OpBinder &op, Grid &grid, ArrayRef<double> scales) {
  for (double scale : scales) {
    auto value = float(scale);
    if (!(value > 0) || !std::isnormal(value))
      return succeeded(op.unsupported("expects positive scales, got " +
                                      std::to_string(value)));
    grid.scales.push_back(value);
  }
  return true;
}

/// Repeats what is given once for all channels.
template <typename T> static void repeat(SmallVector<T> &values, size_t count) {
  if (values.size() == 1)
    values.assign(count, values.front());
}

/// Width, sign, zero points and scales.
static std::optional<Grid> readGrid(OpBinder &op) {
  Grid grid;
  std::optional<SmallVector<double>> scales =
      readParameter(op, 1, "scale", grid.axis);
  std::optional<SmallVector<double>> zeros =
      readParameter(op, 2, "zero point", grid.axis);
  std::optional<SmallVector<double>> bits =
      readParameter(op, 3, "bit width", grid.axis);
  if (!scales || !zeros || !bits || scales->empty() || zeros->empty() ||
      bits->empty() || !setRange(op, grid, *bits) ||
      !setZeroPoints(op, grid, *zeros) || !setScales(op, grid, *scales))
    return std::nullopt;
  size_t count =
      std::max({grid.scales.size(), grid.zeroPoints.size(), grid.low.size()});
  repeat(grid.scales, count);
  repeat(grid.zeroPoints, count);
  repeat(grid.low, count);
  repeat(grid.high, count);
  return grid;
}

/// The float function of a rounding mode; null for an unknown name.
static Value roundBy(GraphBuilder &b, Value x, StringRef mode) {
  if (mode == "ROUND" || mode == "HALF_EVEN")
    return b.unary(UnaryKind::round_even, x);
  if (mode == "FLOOR")
    return b.unary(UnaryKind::floor, x);
  if (mode == "CEIL")
    return b.unary(UnaryKind::ceil, x);
  Value sign = b.unary(UnaryKind::sign, x), size = b.unary(UnaryKind::abs, x);
  if (mode == "UP")
    return b.mul(sign, b.unary(UnaryKind::ceil, size));
  if (mode == "DOWN" || mode == "ROUND_TO_ZERO")
    return b.mul(sign, b.unary(UnaryKind::floor, size));
  if (mode == "HALF_UP")
    return b.mul(sign, b.unary(UnaryKind::floor, b.add(size, 0.5)));
  if (mode == "HALF_DOWN")
    return b.mul(sign, b.unary(UnaryKind::ceil, b.sub(size, 0.5)));
  return {};
}

static bool isKnownMode(StringRef mode) {
  for (StringRef known : {"ROUND", "HALF_EVEN", "FLOOR", "CEIL", "UP", "DOWN",
                          "ROUND_TO_ZERO", "HALF_UP", "HALF_DOWN"})
    if (mode == known)
      return true;
  return false;
}

static std::optional<std::string> readMode(OpBinder &op, StringRef otherwise) {
  std::string mode =
      StringRef(op.stringAttr("rounding_mode", otherwise)).upper();
  if (isKnownMode(mode))
    return mode;
  (void)op.unsupported("expects a rounding mode of QONNX, got '" + mode + "'");
  return std::nullopt;
}

/// One number a channel, broadcast against x.
template <typename T>
static Value spread(GraphBuilder &b, const Grid &grid, Value x,
                    const SmallVector<T> &numbers) {
  SmallVector<double> values(numbers.begin(), numbers.end());
  if (llvm::all_equal(values))
    return b.scalar(values[0], b.f32());
  Shape shape(b.rank(x) - grid.axis, 1);
  shape[0] = values.size();
  return b.floats(shape, values, b.f32());
}

static qg::QuantizedType getType(GraphBuilder &b, const Grid &grid) {
  if (grid.axis < 0)
    return qg::QuantizedType::getPerTensor(b.context(), grid.format,
                                           grid.scales[0], grid.zeroPoints[0]);
  SmallVector<int32_t> zeros(grid.zeroPoints.begin(), grid.zeroPoints.end());
  return qg::QuantizedType::getPerAxis(b.context(), grid.format, grid.axis,
                                       grid.scales, zeros);
}

/// 1 where x >= 0, else -1.
static Value takeSign(GraphBuilder &b, Value x) {
  Value isPositive = b.compare(ComparePredicate::ge, x, b.scalar(0, b.f32()));
  return b.select(isPositive, b.scalar(1, b.f32()), b.scalar(-1, b.f32()));
}

/// The value on the grid, still float: (round(clamp(x / s + z)) - z) * s.
static Value snap(GraphBuilder &b, const Grid &grid, Value x, StringRef mode) {
  Value scale = spread(b, grid, x, grid.scales);
  Value steps = b.div(x, scale);
  Value zero =
      grid.hasZeroPoints() ? spread(b, grid, x, grid.zeroPoints) : Value();
  if (zero)
    steps = b.add(steps, zero);
  if (grid.isBipolar) {
    steps = takeSign(b, steps);
  } else {
    steps = b.max(b.min(steps, spread(b, grid, x, grid.high)),
                  spread(b, grid, x, grid.low));
    steps = roundBy(b, steps, mode);
  }
  if (zero)
    steps = b.sub(steps, zero);
  return b.mul(steps, scale);
}

static LogicalResult importQuant(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  std::optional<Grid> grid = readGrid(op);
  std::optional<std::string> mode = readMode(op, "ROUND");
  if (!grid || !mode || !x)
    return failure();
  if (b.element(x) != b.f32())
    return op.unsupported("expects FLOAT");
  // qg.quantize rounds half to even and then adds the zero point; QONNX adds it
  // first, which moves ties if it is odd. What differs is done before, and so
  // is a range that leaves out an end.
  bool isEven = *mode == "ROUND" || *mode == "HALF_EVEN";
  bool isPlain =
      isEven && !grid->isBipolar && !grid->format.empty() &&
      llvm::all_of(grid->zeroPoints, [](int64_t z) { return z % 2 == 0; });
  if (isPlain && grid->isNarrow && grid->axis < 0 && !b.isConstant(x)) {
    double zero = double(grid->zeroPoints[0]), scale = grid->scales[0];
    x = b.clamp(x, (grid->low[0] - zero) * scale,
                (grid->high[0] - zero) * scale);
  } else if (!isPlain || grid->isNarrow) {
    x = snap(b, *grid, x, *mode);
  }
  // More bits than a format has are a grid of floats, a bias as a rule.
  if (grid->format.empty())
    return op.result(x);
  return op.result(b.dequantize(b.quantize(x, getType(b, *grid))));
}

static LogicalResult importBipolarQuant(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  Grid grid;
  std::optional<SmallVector<double>> scales =
      readParameter(op, 1, "scale", grid.axis);
  if (!x || !scales || scales->empty() || !setScales(op, grid, *scales))
    return failure();
  if (b.element(x) != b.f32())
    return op.unsupported("expects FLOAT");
  // Two values of a two-bit format.
  grid.format = "si2";
  grid.zeroPoints.assign(grid.scales.size(), 0);
  Value y = b.mul(takeSign(b, x), spread(b, grid, x, grid.scales));
  return op.result(b.dequantize(b.quantize(y, getType(b, grid))));
}

/// Rounds onto floats of e exponent and m mantissa bits, none of them kept for
/// infinity or NaN; what is larger becomes the largest.
static LogicalResult importFloatQuant(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  int64_t axis = -1;
  std::optional<SmallVector<double>> scales =
      readParameter(op, 1, "scale", axis);
  std::optional<double> exponentBits = readScalar(op, 2, "exponent width");
  std::optional<double> mantissaBits = readScalar(op, 3, "mantissa width");
  std::optional<double> bias = readScalar(op, 4, "exponent bias");
  std::optional<double> most = readScalar(op, 5, "largest value");
  std::optional<std::string> mode = readMode(op, "ROUND");
  Grid grid;
  grid.axis = axis;
  if (!x || !scales || scales->empty() || !exponentBits || !mantissaBits ||
      !bias || !most || !mode || !setScales(op, grid, *scales))
    return failure();
  if (b.element(x) != b.f32() || op.intAttr("saturation", 1) == 0)
    return op.unsupported("expects FLOAT and values that saturate");
  op.ignoreAttrs({"signed", "has_inf", "has_nan", "has_subnormal"});
  FloatGrid floats;
  auto isWidth = [](double bits, double most) {
    return bits == std::floor(bits) && bits >= 0 && bits <= most;
  };
  if (!isWidth(*exponentBits, 8) || !isWidth(*mantissaBits, 23) ||
      *bias != std::floor(*bias) || !(*most > 0))
    return op.unsupported("expects at most 8 exponent and 23 mantissa bits, a "
                          "whole bias and a positive largest value");
  double exponent = std::exp2(*exponentBits) - 1 - *bias;
  floats.most =
      std::min(*most, std::ldexp(2 - std::exp2(-*mantissaBits), int(exponent)));
  floats.minExponent = int(1 - *bias);
  floats.mantissaBits = int(*mantissaBits);
  if (floats.minExponent < -126 + floats.mantissaBits ||
      floats.minExponent > 60 || !(floats.most < 0x1p120) ||
      floats.most < std::ldexp(1.0, floats.minExponent))
    return op.unsupported("expects floats inside the range of FLOAT");
  Value scale = spread(b, grid, x, grid.scales);
  Value y = roundToFloatGrid(b, b.div(x, scale), floats, [&](Value steps) {
    return roundBy(b, steps, *mode);
  });
  return op.result(b.mul(y, scale));
}

/// The number of thresholds that an element reaches, one list a channel.
static LogicalResult importMultiThreshold(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  std::optional<Tensor> thresholds = op.constant(1);
  double scale = op.floatAttr("out_scale", 1),
         bias = op.floatAttr("out_bias", 0);
  std::string layout = op.stringAttr("data_layout", "");
  op.ignoreAttrs({"out_dtype"});
  if (!x)
    return failure();
  if (!thresholds || thresholds->rank() != 2 || b.element(x) != b.f32())
    return op.unsupported("expects FLOAT and constant thresholds by channel");
  int64_t rank = b.rank(x), channel = 1;
  if (layout.empty() && rank < 5)
    layout = rank == 3 ? "NWC" : "";
  if (size_t found = layout.find('C'); found != std::string::npos)
    channel = int64_t(found);
  int64_t channels = thresholds->shape()[0], count = thresholds->shape()[1];
  if (channel >= rank || (channels != 1 && channels != b.extent(x, channel)))
    return op.badModel("expects thresholds of 1 channel or one a channel of " +
                       formatShape(b.shape(x)) + ", got " + Twine(channels));
  // Each list on a new last dimension.
  Shape wide(b.shape(x));
  wide.push_back(1);
  Shape lists(rank + 1 - channel, 1);
  lists.front() = channels;
  lists.back() = count;
  SmallVector<double> values;
  for (int64_t i = 0; i < thresholds->numElements(); ++i)
    values.push_back(thresholds->getFloat(i));
  Value isReached = b.compare(ComparePredicate::ge, b.reshape(x, wide),
                              b.floats(lists, values, b.f32()));
  Value y = b.reduce(ReduceKind::sum, b.convert(isReached, b.f32()), {rank},
                     /*keepDims=*/false);
  if (scale != 1)
    y = b.mul(y, scale);
  return op.result(bias != 0 ? b.add(y, bias) : y);
}

/// Trunc 2 says what comes out: a scale that is a power of two of the one that
/// goes in, and a range. (x / s + z, rounded, in steps of both) / 2^k, clamped
/// and then rounded by the mode.
static LogicalResult importTrunc2(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  unsigned last = op.numInputs() - 1;
  std::optional<double> scale = readScalar(op, 1, "scale");
  std::optional<double> zero = readScalar(op, 2, "zero point");
  std::optional<double> before = readScalar(op, 3, "bit width");
  std::optional<double> outScale = readScalar(op, 4, "scale");
  std::optional<double> outZero =
      last == 6 ? readScalar(op, 5, "zero point") : zero;
  std::optional<double> after = readScalar(op, last, "bit width");
  std::optional<std::string> mode = readMode(op, "FLOOR");
  if (!x || !scale || !zero || !before || !outScale || !outZero || !after ||
      !mode)
    return failure();
  auto isScale = [](double x) {
    return x >= std::numeric_limits<float>::min() &&
           x <= std::numeric_limits<float>::max();
  };
  if (!isScale(*scale) || !isScale(*outScale) || !std::isfinite(*zero) ||
      b.element(x) != b.f32())
    return op.unsupported("expects FLOAT, positive and finite scales, and a "
                          "finite zero point");
  if (!(*after >= 2 && *after <= 16) || *after != std::floor(*after))
    return op.unsupported("expects a whole bit width of 2 to 16, got " +
                          std::to_string(*after));
  double step = std::exp2(std::nearbyint(std::log2(*outScale / *scale)));
  double shifted = *zero / step;
  if (last == 6 && *outZero != shifted)
    return op.unsupported("expects an output zero point of " +
                          std::to_string(shifted) + ", got " +
                          std::to_string(*outZero));
  Grid grid;
  bool isSigned = op.intAttr("signed", 1) != 0;
  grid.format = ((isSigned ? "si" : "ui") + Twine(int64_t(*after))).str();
  const IntegerFormat *row = lookupIntegerFormat(grid.format);
  if (!row)
    return op.unsupported("expects a bit width of 2 to 16 with a format, got " +
                          std::to_string(*after));
  auto [low, high] =
      getRange(int64_t(*after), isSigned, op.intAttr("narrow", 0) != 0);
  grid.scales.push_back(float(*outScale));
  Value steps = b.add(b.div(x, b.scalar(*scale, b.f32())), *zero);
  steps = b.div(b.unary(UnaryKind::round_even, steps), step);
  steps = roundBy(b, b.clamp(steps, low, high), *mode);
  Value y = b.mul(b.sub(steps, shifted), b.scalar(*outScale, b.f32()));
  bool isStored = shifted == std::floor(shifted) && shifted >= row->min() &&
                  shifted <= row->max();
  // A grid between the integers is no encoding.
  if (!isStored)
    return op.result(y);
  grid.zeroPoints.push_back(int64_t(shifted));
  return op.result(b.dequantize(b.quantize(y, getType(b, grid))));
}

static LogicalResult importTrunc(OpBinder &op) {
  GraphBuilder &b = op.b;
  if (op.numInputs() == 6 || op.numInputs() == 7)
    return importTrunc2(op);
  if (op.numInputs() != 5)
    return op.unsupported("expects the five inputs of Trunc 1, or the six or "
                          "seven of Trunc 2, got " +
                          Twine(op.numInputs()));
  Value x = op.in(0);
  std::optional<double> scale = readScalar(op, 1, "scale");
  std::optional<double> zero = readScalar(op, 2, "zero point");
  std::optional<double> before = readScalar(op, 3, "bit width");
  std::optional<double> after = readScalar(op, 4, "bit width");
  std::optional<std::string> mode = readMode(op, "FLOOR");
  if (!x || !scale || !zero || !before || !after || !mode)
    return failure();
  if (!(*scale > 0) || *after > *before || b.element(x) != b.f32())
    return op.unsupported("expects FLOAT, a positive scale and fewer bits "
                          "behind than before");
  Value steps = b.add(b.div(x, b.scalar(*scale, b.f32())), *zero);
  steps = b.unary(UnaryKind::round_even, steps);
  steps = roundBy(b, b.div(steps, std::exp2(*before - *after)), *mode);
  return op.result(b.mul(b.sub(steps, *zero), b.scalar(*scale, b.f32())));
}

/// An op of qonnx's channels_last: the operator of its name between two
/// transpositions. Weights of a convolution have channels last as well.
static LogicalResult importChannelsLast(OpBinder &op) {
  for (unsigned i = 0; i < (op.opType() == "Conv" ? 2u : 1u); ++i) {
    Value x = op.in(i);
    if (!x)
      return failure();
    op.replaceInput(i, op.b.toChannelsFirst(x));
  }
  const OpRow *row = OpRegistry::get().lookup("", op.opType(), 13);
  if (failed(row->handler(op)) || op.results().empty())
    return failure();
  return op.result(op.b.toChannelsLast(op.results().front()));
}

void frontend::registerQONNXOps(OpRegistry &registry) {
  for (StringRef domain : {"", "onnx.brevitas", "qonnx.custom_op.general",
                           "finn.custom_op.general"}) {
    registry.add(domain, "BipolarQuant", 1, importBipolarQuant, "QONNX");
    registry.add(domain, "FloatQuant", 1, importFloatQuant,
                 "QONNX; constant parameters, values that saturate");
    for (StringRef name : {"IntQuant", "Quant"})
      registry.add(domain, name, 1, importQuant,
                   "QONNX; 1 to 32 bits, constant parameters");
    registry.add(domain, "MultiThreshold", 1, importMultiThreshold,
                 "QONNX; constant thresholds");
    registry.add(domain, "Trunc", 1, importTrunc, "QONNX, versions 1 and 2");
  }
  for (StringRef name : {"BatchNormalization", "Conv", "MaxPool"})
    registry.add("qonnx.custom_op.channels_last", name, 1, importChannelsLast,
                 "QONNX");
}
