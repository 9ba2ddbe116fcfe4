//===- IntegerProducts.cpp - Products of stored integers ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// MatMulInteger and ConvInteger give sums of integers; MatMulNBits multiplies
// floats with packed codes. With constant weights they are the products of
// encodings that qg has, in 32 bits, whatever the number of terms.
//===----------------------------------------------------------------------===//
#include "BlockedCodes.h"
#include "qopt/Frontend/ONNX/MatMul.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"
#include "qopt/Frontend/ONNX/Window.h"

#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

//===----------------------------------------------------------------------===//
// MatMulInteger and ConvInteger
//===----------------------------------------------------------------------===//

namespace {
/// Constant weights minus their zero points: `bytes - rest[o]`, o along `axis`.
/// Without a rest the bytes are centred.
struct CentredWeight {
  Tensor bytes;
  SmallVector<int32_t> rest;
};
} // namespace

static Type getI32(GraphBuilder &b) {
  return qg::getElementType(b.context(), DType::i32);
}

/// Input 1, with zero points (input 3) for all or along `axis`; nullopt, and
/// nothing reported, where one is computed or has another shape.
static std::optional<CentredWeight> centreWeight(OpBinder &op, int64_t axis) {
  GraphBuilder &b = op.b;
  std::optional<Tensor> stored = b.constantOf(op.raw(1)), zeros;
  if (op.hasInput(3))
    zeros = b.constantOf(op.raw(3));
  if (!stored || getByteWidth(stored->dtype()) != 1 ||
      (op.hasInput(3) && !zeros))
    return std::nullopt;
  int64_t outputs = stored->shape()[axis], inner = 1;
  for (int64_t extent : stored->shape().drop_front(axis + 1))
    inner *= extent;
  int64_t count = zeros ? zeros->numElements() : 0;
  if (count > 1 && (count != outputs || zeros->rank() != 1))
    return std::nullopt;
  auto zeroOf = [&](int64_t i) -> int64_t {
    return count ? zeros->getInt(count == 1 ? 0 : i / inner % outputs) : 0;
  };
  CentredWeight weight{Tensor(DType::i8, stored->shape()), {}};
  bool fits = true;
  for (int64_t i = 0, e = stored->numElements(); i < e; ++i) {
    int64_t value = stored->getInt(i) - zeroOf(i);
    fits &= value >= -128 && value <= 127;
    weight.bytes.setInt(i, value);
  }
  if (fits)
    return weight;
  int64_t shift = stored->dtype() == DType::u8 ? 128 : 0;
  for (int64_t i = 0, e = stored->numElements(); i < e; ++i)
    weight.bytes.setInt(i, stored->getInt(i) - shift);
  for (int64_t o = 0; o < outputs; ++o)
    weight.rest.push_back(int32_t(zeroOf(o * inner) - shift));
  return weight;
}

/// Integers under an encoding that stands for themselves minus `zero`.
static Value encodeIntegers(OpBinder &op, Value raw, int64_t zero) {
  GraphBuilder &b = op.b;
  std::optional<DType> dtype =
      raw ? qg::getDType(b.element(raw)) : std::nullopt;
  if (!dtype || (*dtype != DType::u8 && *dtype != DType::i8))
    return b.fail("expects 8-bit integers");
  auto type = qg::QuantizedType::getPerTensor(
      b.context(), *dtype == DType::u8 ? "ui8" : "si8", 1, zero);
  if (Value encoded = b.reinterpret(raw, type))
    return encoded;
  Value steps = b.sub(b.convert(b.plain(raw), b.f32()), double(zero));
  return b.quantize(steps, type);
}

/// Sums of the bytes of every output.
static Value sumOutputs(GraphBuilder &b, const Tensor &bytes, int64_t axis) {
  int64_t inner = 1, outputs = bytes.shape()[axis];
  for (int64_t extent : bytes.shape().drop_front(axis + 1))
    inner *= extent;
  Tensor sums(DType::i32, {outputs});
  for (int64_t i = 0, e = bytes.numElements(); i < e; ++i) {
    int64_t o = i / inner % outputs;
    sums.setInt(o, sums.getInt(o) + bytes.getInt(i));
  }
  return b.constant(sums);
}

namespace {
/// A product of integers with a constant weight, in i32. The zero point of the
/// input (input 2) is part of its encoding if it is one constant.
class IntegerProduct {
public:
  /// Sums over a weight of signed bytes, outputs last.
  using Multiply = llvm::function_ref<Value(Value x, Value weight)>;

  IntegerProduct(OpBinder &op, const CentredWeight &weight, int64_t axis)
      : op(op), b(op.b), weight(weight), axis(axis) {}

  bool readInput(Value raw);
  Value build(Multiply multiply);
  /// The zero point as it is computed; null if the encoding has it.
  Value getZeroPoint() const { return zero; }
  Value x;

private:
  Value multiplyBytes(const Tensor &bytes, Multiply multiply);

  OpBinder &op;
  GraphBuilder &b;
  const CentredWeight &weight;
  int64_t axis;
  Value zero;
};
} // namespace

bool IntegerProduct::readInput(Value raw) {
  int64_t fixed = 0;
  if (op.hasInput(2)) {
    std::optional<Tensor> constant = b.constantOf(op.raw(2));
    if (constant && constant->numElements() == 1)
      fixed = constant->getInt(0);
    else
      zero = b.convert(op.in(2), getI32(b)); // as numbers, from here on
  }
  x = encodeIntegers(op, raw, fixed);
  return bool(x);
}

Value IntegerProduct::multiplyBytes(const Tensor &bytes, Multiply multiply) {
  auto type = qg::QuantizedType::getPerTensor(b.context(), "si8", 1, 0);
  Value sum = multiply(
      x, b.constant(bytes, RankedTensorType::get(bytes.shape(), type)));
  if (!zero)
    return sum;
  // One for all, or one for each row.
  Value point = zero;
  if (b.rank(point) == 1)
    point =
        b.extent(point, 0) == 1 ? b.reshape(point, {}) : b.expandDim(point, 1);
  return b.sub(sum, b.mul(point, sumOutputs(b, bytes, axis)));
}

Value IntegerProduct::build(Multiply multiply) {
  Value sum = multiplyBytes(weight.bytes, multiply);
  if (weight.rest.empty())
    return sum;
  Tensor ones(DType::i8, weight.bytes.shape());
  for (int64_t i = 0, e = ones.numElements(); i < e; ++i)
    ones.setInt(i, 1);
  int64_t outputs = weight.rest.size();
  Value rest =
      b.constant(Tensor::from<int32_t>(DType::i32, {outputs}, weight.rest));
  return b.sub(sum, b.mul(multiplyBytes(ones, multiply), rest));
}

/// Integers minus their zero point, as floats. Their magnitude is at most 255.
static Value centre(OpBinder &op, unsigned x, unsigned zero, int64_t axis) {
  GraphBuilder &b = op.b;
  Value value = op.in(x);
  if (!value)
    return {};
  Value steps = b.convert(value, b.f32());
  if (!op.hasInput(zero))
    return steps;
  Value point = op.in(zero);
  if (!point)
    return {};
  // Vectors per row or column; anything of higher rank broadcasts as it is.
  if (b.rank(point) == 1 && b.extent(point, 0) == 1)
    point = b.reshape(point, {});
  if (b.rank(point) == 1) {
    if (axis >= b.rank(value) || b.extent(point, 0) != b.extent(value, axis))
      return b.fail("expects zero points that are scalars or vectors of the "
                    "extent along axis " +
                    Twine(axis) + ", got " + formatShape(b.shape(point)));
    Shape aligned(b.rank(value) - axis, 1);
    aligned[0] = b.extent(point, 0);
    point = b.reshape(point, aligned);
  }
  return b.sub(steps, b.convert(point, b.f32()));
}

/// Products of two 9-bit integers are below 2^16, so floats add up 256 of
/// them exactly; longer sums are cut into such pieces and added as integers.
static constexpr int64_t kExactTerms = 256;

/// Two computed matrices.
static LogicalResult multiplyComputed(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value lhs = centre(op, 0, 2, std::max<int64_t>(b.rank(op.raw(0)) - 2, 0));
  Value rhs = centre(op, 1, 3, b.rank(op.raw(1)) - 1);
  if (!lhs || !rhs)
    return failure();
  int64_t lhsAxis = b.rank(lhs) - 1;
  int64_t rhsAxis = std::max<int64_t>(b.rank(rhs) - 2, 0);
  int64_t terms = b.extent(lhs, lhsAxis);
  if (b.extent(rhs, rhsAxis) != terms)
    return op.badModel("expects equal inner extents, got " +
                       formatShape(b.shape(lhs)) + " and " +
                       formatShape(b.shape(rhs)));
  Value sum;
  for (int64_t k = 0; k < terms || k == 0; k += kExactTerms) {
    int64_t end = std::min(terms, k + kExactTerms);
    Value part = b.convert(buildMatMul(b, b.sliceAxis(lhs, lhsAxis, k, end),
                                       b.sliceAxis(rhs, rhsAxis, k, end)),
                           getI32(b));
    sum = sum ? b.add(sum, part) : part;
  }
  return op.result(sum);
}

static LogicalResult importMatMulInteger(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value a = op.raw(0), w = op.raw(1);
  if (!a || !w)
    return failure();
  if (b.rank(a) == 0 || b.rank(w) == 0)
    return op.badModel("expects operands of rank >= 1");
  std::optional<CentredWeight> weight;
  bool isMatrix = b.rank(w) == 2 && !b.isConstant(a) &&
                  b.extent(a, b.rank(a) - 1) == b.extent(w, 0) &&
                  (!op.hasInput(2) || b.rank(op.raw(2)) <= 1);
  if (isMatrix)
    weight = centreWeight(op, 1);
  if (!weight)
    return multiplyComputed(op);
  IntegerProduct product(op, *weight, 1);
  if (!product.readInput(a))
    return failure();
  // A vector is one row.
  bool isRow = b.rank(a) == 1;
  Value sum = product.build([&](Value x, Value bytes) {
    return b.matmul(isRow ? b.expandDim(x, 0) : x, bytes);
  });
  return op.result(isRow && sum ? b.dropDim(sum, 0) : sum);
}

/// A window of computed weights, or with zero points by channel of the input.
static LogicalResult convolveComputed(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value weight = op.raw(1);
  int64_t terms = b.type(weight).getNumElements() /
                  std::max<int64_t>(b.extent(weight, 0), 1);
  if (terms > kExactTerms)
    return op.unsupported("expects a constant weight, or at most " +
                          Twine(kExactTerms) + " products per result, got " +
                          Twine(terms));
  Value x = centre(op, 0, 2, 1), w = centre(op, 1, 3, 0);
  return op.result(b.convert(buildConv(op, x, w, {}), getI32(b)));
}

static LogicalResult importConvInteger(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.raw(0), w = op.raw(1);
  if (!x || !w)
    return failure();
  if (b.rank(x) < 3 || b.rank(w) < 3)
    return op.badModel("expects x and weights of rank >= 3, got " +
                       formatShape(b.shape(x)) + " and " +
                       formatShape(b.shape(w)));
  std::optional<CentredWeight> weight;
  if (!b.isConstant(x) &&
      (!op.hasInput(2) || b.type(op.raw(2)).getNumElements() == 1))
    weight = b.rank(w) > 2 ? centreWeight(op, 0) : std::nullopt;
  if (!weight)
    return convolveComputed(op);
  std::optional<WindowSpec> window = readConvWindow(op, x, w);
  if (!window)
    return failure();
  int64_t groups = op.intAttr("group", 1);
  IntegerProduct product(op, *weight, 0);
  if (!product.readInput(x))
    return failure();
  product.x = b.toChannelsLast(product.x);
  // What lies outside is the zero point, which is in no encoding here.
  if (product.getZeroPoint() &&
      llvm::any_of(window->pads, [](int64_t pad) { return pad != 0; })) {
    int64_t spatial = window->kernel.size();
    Shape low(spatial + 2, 0), high(spatial + 2, 0);
    for (int64_t i = 0; i < spatial; ++i) {
      low[1 + i] = window->pads[i];
      high[1 + i] = window->pads[spatial + i];
    }
    Value fill = b.reshape(encodeIntegers(op, op.raw(2), 0), {});
    product.x = b.pad(PadMode::constant, product.x, fill, low, high);
    window->pads.assign(2 * spatial, 0);
  }
  Value sum = product.build([&](Value input, Value bytes) {
    return b.conv(input, b.toChannelsLast(bytes), {}, *window, groups);
  });
  return op.result(b.toChannelsFirst(sum));
}

//===----------------------------------------------------------------------===//
// MatMulNBits
//===----------------------------------------------------------------------===//

/// Constant input `index` with that many elements.
static std::optional<Tensor> getConstant(OpBinder &op, unsigned index,
                                         int64_t count) {
  std::optional<Tensor> tensor = op.constant(index);
  if (tensor && tensor->numElements() == count)
    return tensor;
  if (tensor)
    (void)op.badModel("expects " + Twine(count) + " elements in input " +
                      Twine(index) + ", got " + formatShape(tensor->shape()));
  else if (!op.hasFailed())
    (void)op.unsupported("expects a constant input " + Twine(index));
  return std::nullopt;
}

static std::optional<Tensor> readCodes(OpBinder &op, const BlockedCodes &spec) {
  int64_t row = spec.groups() * spec.block * spec.bits / 8;
  std::optional<Tensor> packed = getConstant(op, 1, spec.n * row);
  if (!packed)
    return std::nullopt;
  Tensor codes(DType::u8, {spec.n, spec.k});
  ArrayRef<uint8_t> bytes = packed->span<uint8_t>();
  for (int64_t n = 0; n < spec.n; ++n)
    for (int64_t k = 0; k < spec.k; ++k)
      codes.setInt(n * spec.k + k,
                   unpack(bytes.slice(n * row, row), k, spec.bits));
  return codes;
}

/// Zero points as numbers: packed ones, or those of the type of A.
static std::optional<SmallVector<float>>
readZeroPoints(OpBinder &op, const BlockedCodes &spec) {
  int64_t groups = spec.groups(), count = spec.n * groups;
  SmallVector<float> zeros;
  std::optional<Tensor> given = op.constant(3);
  if (given && isFloat(given->dtype())) {
    given = getConstant(op, 3, count);
    for (int64_t i = 0; given && i < count; ++i)
      zeros.push_back(float(given->getFloat(i)));
  } else {
    int64_t row = llvm::divideCeil(groups * spec.bits, 8);
    given = getConstant(op, 3, spec.n * row);
    for (int64_t i = 0; given && i < count; ++i)
      zeros.push_back(
          unpack(given->span<uint8_t>().slice(i / groups * row, row),
                 i % groups, spec.bits));
  }
  if (!given)
    return std::nullopt;
  return zeros;
}

static std::optional<BlockedCodes> readSpec(OpBinder &op) {
  BlockedCodes spec{op.intAttr("N", 0), op.intAttr("K", 0),
                    op.intAttr("bits", 4), op.intAttr("block_size", 0)};
  if (spec.bits != 2 && spec.bits != 4 && spec.bits != 8) {
    (void)op.unsupported("expects 'bits' 2, 4 or 8, got " + Twine(spec.bits));
    return std::nullopt;
  }
  auto isExtent = [](int64_t value) {
    return value > 0 && value <= (int64_t(1) << 31);
  };
  if (!isExtent(spec.n) || !isExtent(spec.k) || !isExtent(spec.block) ||
      spec.block * spec.bits % 8) {
    (void)op.badModel("expects positive 'N' and 'K' and a 'block_size' of "
                      "whole bytes");
    return std::nullopt;
  }
  return spec;
}

/// Inputs: A, B, scales, zero points, group indices, bias.
static LogicalResult importMatMulNBits(OpBinder &op) {
  GraphBuilder &b = op.b;
  std::optional<BlockedCodes> spec = readSpec(op);
  if (!spec)
    return failure();
  if (op.intAttr("weight_prepacked", 0) != 0)
    return op.unsupported("expects weights as they come ('weight_prepacked' "
                          "0), not packed for a machine");
  if (op.hasInput(4))
    return op.unsupported("input 'g_idx' (groups in an order of their own) is "
                          "not supported");
  // Levels below 4 compute in floats; so does 0, which leaves it open.
  bool roundsRows = op.intAttr("accuracy_level", 0) == 4;
  Value x = op.in(0), bias = op.optional(5);
  std::optional<Tensor> codes = readCodes(op, *spec);
  std::optional<Tensor> scale = getConstant(op, 2, spec->n * spec->groups());
  std::optional<SmallVector<float>> zeros = SmallVector<float>();
  if (op.hasInput(3))
    zeros = readZeroPoints(op, *spec);
  if (!x || !codes || !scale || !zeros)
    return failure();
  if (b.rank(x) == 0 || b.extent(x, b.rank(x) - 1) != spec->k)
    return op.badModel("expects rows of " + Twine(spec->k) +
                       " elements in A, got " + formatShape(b.shape(x)));
  SmallVector<float> scales;
  for (int64_t i = 0, e = scale->numElements(); i < e; ++i)
    scales.push_back(float(scale->getFloat(i)));
  if (!llvm::all_of(scales, [](float s) { return std::isfinite(s); }))
    return op.badModel("expects finite scales");
  Value weight = createBlockedWeight(b, *spec, *codes, scales, *zeros);
  bool isRow = b.rank(x) == 1;
  if (isRow)
    x = b.expandDim(x, 0);
  Value y;
  if (weight && roundsRows && b.isQuantized(weight)) {
    Shape shape(b.shape(x));
    shape.back() = spec->n;
    y = b.emit<qg::DynamicMatmulOp>(shape, b.f32(), x, weight, Value(),
                                    UnitAttr::get(b.context()));
  } else {
    y = multiplyBlocked(b, x, weight);
  }
  if (y && bias)
    y = b.add(y, bias);
  return op.result(isRow && y ? b.dropDim(y, 0) : y);
}

void frontend::registerIntegerProductOps(OpRegistry &registry) {
  registry.add("ConvInteger", 10, importConvInteger,
               "computed weights: at most 256 products per result");
  registry.add("MatMulInteger", 10, importMatMulInteger);
  registry.add("com.microsoft", "MatMulNBits", 1, roundOnce<importMatMulNBits>,
               "2, 4 and 8 bits; without 'g_idx'");
}
