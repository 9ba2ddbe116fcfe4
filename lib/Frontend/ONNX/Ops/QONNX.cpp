//===- QONNX.cpp - Quant, BipolarQuant, Trunc -----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// QONNX holds floats that lie on a grid: one op rounds onto it, and its inputs
// say which. A grid that qg has a type for becomes quantize and dequantize;
// weights become stored integers. Semantics: qonnx.custom_op.general.
//===----------------------------------------------------------------------===//
#include "qopt/Frontend/ONNX/OpBinder.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"
#include "qopt/Numerics/Format.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

namespace {
/// The grid of one Quant.
struct Grid {
  std::string format;
  SmallVector<float> scales;
  int64_t zeroPoint = 0;
  int64_t axis = -1; ///< of scales that differ
  int64_t low = 0, high = 0;
  bool isNarrow = false;
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

/// Width, sign, zero point and scales.
static std::optional<Grid> readGrid(OpBinder &op, Value x) {
  std::optional<double> zero = readScalar(op, 2, "zero point");
  std::optional<double> bits = readScalar(op, 3, "bit width");
  std::optional<Tensor> scale = op.constant(1);
  if (!zero || !bits || !x)
    return std::nullopt;
  auto refuse = [&](const Twine &message) -> std::optional<Grid> {
    (void)op.unsupported(message);
    return std::nullopt;
  };
  if (!scale)
    return refuse("expects a constant scale");
  if (*bits != std::floor(*bits) || *bits < 2 || *bits > 16)
    return refuse("expects a whole bit width of 2 to 16, got " +
                  std::to_string(*bits));
  if (*zero != std::floor(*zero))
    return refuse("expects a whole zero point, got " + std::to_string(*zero));
  Grid grid;
  bool isSigned = op.intAttr("signed", 1) != 0;
  grid.isNarrow = op.intAttr("narrow", 0) != 0;
  grid.format = ((isSigned ? "si" : "ui") + Twine(int64_t(*bits))).str();
  const IntegerFormat *row = lookupIntegerFormat(grid.format);
  if (!row)
    return refuse("expects a width that is known, got " + grid.format);
  grid.low = row->min();
  grid.high = row->max();
  if (grid.isNarrow && isSigned)
    ++grid.low;
  else if (grid.isNarrow)
    --grid.high;
  grid.zeroPoint = int64_t(*zero);
  if (grid.zeroPoint < row->min() || grid.zeroPoint > row->max())
    return refuse("expects a zero point that " + grid.format + " holds, got " +
                  Twine(grid.zeroPoint));
  for (int64_t i = 0; i < scale->numElements(); ++i) {
    float value = float(scale->getFloat(i));
    if (!(value > 0) || !std::isnormal(value))
      return refuse("expects positive scales, got " + std::to_string(value));
    grid.scales.push_back(value);
  }
  if (grid.scales.size() == 1)
    return grid;
  // One dimension of the scale is that of x; the others are 1.
  int64_t missing = op.b.rank(x) - scale->rank();
  for (int64_t dim = 0; dim < scale->rank(); ++dim)
    if (scale->shape()[dim] == int64_t(grid.scales.size()) &&
        missing + dim >= 0 &&
        op.b.extent(x, missing + dim) == scale->shape()[dim])
      grid.axis = missing + dim;
  if (grid.axis < 0)
    return refuse("expects one scale, or one per element of a dimension, got " +
                  formatShape(scale->shape()));
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

/// Scales and zero points broadcast against x.
static Value spreadScales(GraphBuilder &b, const Grid &grid, Value x) {
  if (grid.axis < 0)
    return b.scalar(grid.scales[0], b.f32());
  Shape shape(b.rank(x) - grid.axis, 1);
  shape[0] = grid.scales.size();
  SmallVector<double> values(grid.scales.begin(), grid.scales.end());
  return b.floats(shape, values, b.f32());
}

static qg::QuantizedType getType(GraphBuilder &b, const Grid &grid) {
  if (grid.axis < 0)
    return qg::QuantizedType::getPerTensor(b.context(), grid.format,
                                           grid.scales[0], grid.zeroPoint);
  SmallVector<int32_t> zeros(grid.scales.size(), int32_t(grid.zeroPoint));
  return qg::QuantizedType::getPerAxis(b.context(), grid.format, grid.axis,
                                       grid.scales, zeros);
}

/// The value on the grid, still float: (round(clamp(x / s + z)) - z) * s.
static Value snap(GraphBuilder &b, const Grid &grid, Value x, StringRef mode) {
  Value scale = spreadScales(b, grid, x);
  double zero = double(grid.zeroPoint);
  Value steps = b.add(b.div(x, scale), zero);
  steps = roundBy(b, b.clamp(steps, double(grid.low), double(grid.high)), mode);
  return b.mul(b.sub(steps, zero), scale);
}

static LogicalResult importQuant(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  std::optional<Grid> grid = readGrid(op, x);
  std::optional<std::string> mode = readMode(op, "ROUND");
  if (!grid || !mode)
    return failure();
  if (b.element(x) != b.f32())
    return op.unsupported("expects FLOAT");
  // qg.quantize rounds half to even and then adds the zero point; QONNX adds it
  // first, which moves ties if it is odd. What differs is done before, and so
  // is a range that leaves out an end.
  bool isEven = *mode == "ROUND" || *mode == "HALF_EVEN";
  bool isPlain = isEven && grid->zeroPoint % 2 == 0;
  if (isPlain && grid->isNarrow && grid->axis < 0 && !b.isConstant(x))
    x = b.clamp(x, double(grid->low - grid->zeroPoint) * grid->scales[0],
                double(grid->high - grid->zeroPoint) * grid->scales[0]);
  else if (!isPlain || grid->isNarrow)
    x = snap(b, *grid, x, *mode);
  qg::QuantizedType type = getType(b, *grid);
  return op.result(b.dequantize(b.quantize(x, type)));
}

static LogicalResult importBipolarQuant(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  std::optional<double> scale = readScalar(op, 1, "scale");
  if (!x || !scale)
    return failure();
  if (!(*scale > 0) || b.element(x) != b.f32())
    return op.unsupported("expects FLOAT and a positive scale");
  Value isPositive = b.compare(ComparePredicate::ge, x, b.scalar(0, b.f32()));
  Value y = b.select(isPositive, b.scalar(*scale, b.f32()),
                     b.scalar(-*scale, b.f32()));
  // Two values of a two-bit format.
  auto type =
      qg::QuantizedType::getPerTensor(b.context(), "si2", float(*scale), 0);
  return op.result(b.dequantize(b.quantize(y, type)));
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
  grid.isNarrow = op.intAttr("narrow", 0) != 0;
  grid.format = ((isSigned ? "si" : "ui") + Twine(int64_t(*after))).str();
  const IntegerFormat *row = lookupIntegerFormat(grid.format);
  if (!row)
    return op.unsupported("expects a bit width of 2 to 16 with a format, got " +
                          std::to_string(*after));
  grid.low = row->min() + (grid.isNarrow && isSigned);
  grid.high = row->max() - (grid.isNarrow && !isSigned);
  grid.scales.push_back(float(*outScale));
  Value steps = b.add(b.div(x, b.scalar(*scale, b.f32())), *zero);
  steps = b.div(b.unary(UnaryKind::round_even, steps), step);
  steps =
      roundBy(b, b.clamp(steps, double(grid.low), double(grid.high)), *mode);
  Value y = b.mul(b.sub(steps, shifted), b.scalar(*outScale, b.f32()));
  bool isStored = shifted == std::floor(shifted) && shifted >= row->min() &&
                  shifted <= row->max();
  // A grid between the integers is no encoding.
  if (!isStored)
    return op.result(y);
  grid.zeroPoint = int64_t(shifted);
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

void frontend::registerQONNXOps(OpRegistry &registry) {
  for (StringRef domain : {"", "onnx.brevitas", "qonnx.custom_op.general",
                           "finn.custom_op.general"}) {
    registry.add(domain, "BipolarQuant", 1, importBipolarQuant, "QONNX");
    registry.add(domain, "Quant", 1, importQuant,
                 "QONNX; 2 to 16 bits, constant parameters");
    registry.add(domain, "Trunc", 1, importTrunc, "QONNX, versions 1 and 2");
  }
}
