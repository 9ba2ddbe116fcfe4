//===- Quantize.cpp - Quantization operators ------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Constant scales become qg types; scales that are computed become float
// arithmetic with the same rounding. QLinear* ops become dequantize, float op,
// quantize: the form in which QDQ models arrive.
//===----------------------------------------------------------------------===//
#include "../BlockedEncoding.h"
#include "SmallFloats.h"
#include "qopt/Frontend/ONNX/MatMul.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"
#include "qopt/Frontend/ONNX/Proto/ProtoReader.h"
#include "qopt/Frontend/ONNX/Window.h"
#include "qopt/Support/Permutation.h"

#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

namespace {
/// scale and zero point of one quantized tensor, as the node names them.
struct Encoding {
  Value scale, zeroPoint;
  int64_t axis = 1;
  int64_t blockSize = 0;
};
} // namespace

/// Row of Formats.def for stored integers; `packedBits` is 2 or 4 for those
/// that are held wider than the file has them.
static StringRef getFormatName(DType dtype, unsigned packedBits) {
  switch (dtype) {
  case DType::i8:
    return packedBits == 2 ? "si2" : packedBits == 4 ? "si4" : "si8";
  case DType::u8:
    return packedBits == 2 ? "ui2" : packedBits == 4 ? "ui4" : "ui8";
  case DType::i16:
    return "si16";
  case DType::u16:
    return "ui16";
  case DType::i32:
    return "si32";
  default:
    return "";
  }
}

/// Numbers of an encoding, in the order of the file.
struct Parameters {
  SmallVector<float> scales;
  SmallVector<int32_t> zeros;
};

/// Constant parameters that qg types hold; those of blocks, which only
/// constants have, may be zero or negative.
static std::optional<Parameters> getParameters(GraphBuilder &b,
                                               const Encoding &encoding,
                                               const IntegerFormat &row) {
  std::optional<Tensor> scale = b.constantOf(encoding.scale), zero;
  if (!scale || !b.isFloat(encoding.scale) || scale->dtype() == DType::f64)
    return std::nullopt;
  if (encoding.zeroPoint) {
    zero = b.constantOf(encoding.zeroPoint);
    if (!zero || zero->numElements() != scale->numElements())
      return std::nullopt;
  }
  Parameters result;
  for (int64_t i = 0, e = scale->numElements(); i < e; ++i) {
    float value = float(scale->getFloat(i));
    if (encoding.blockSize > 0 ? !std::isfinite(value)
                               : !(value > 0) || !std::isnormal(value))
      return std::nullopt;
    result.scales.push_back(value);
    result.zeros.push_back(zero ? int32_t(zero->getInt(i)) : 0);
    if (result.zeros.back() < row.min() || result.zeros.back() > row.max())
      return std::nullopt;
  }
  return result;
}

/// Blocks along one dimension, if the parameters have them; their shape is the
/// constant's.
static std::optional<BlockedEncoding> getBlocks(OpBinder &op,
                                                const Encoding &encoding,
                                                ArrayRef<int64_t> shape,
                                                StringRef format) {
  const IntegerFormat *row = lookupIntegerFormat(format);
  std::optional<Parameters> parameters;
  if (row)
    parameters = getParameters(op.b, encoding, *row);
  if (!parameters || shape.empty())
    return std::nullopt;
  Shape blocks(shape);
  blocks[encoding.axis] =
      llvm::divideCeil(shape[encoding.axis], encoding.blockSize);
  if (op.b.shape(encoding.scale) != ArrayRef<int64_t>(blocks))
    return std::nullopt;
  return BlockedEncoding{
      format.str(), encoding.axis, encoding.blockSize,
      Tensor::from<float>(DType::f32, blocks,
                          ArrayRef<float>(parameters->scales)),
      Tensor::from<int32_t>(DType::i32, blocks,
                            ArrayRef<int32_t>(parameters->zeros))};
}

/// A constant with blocks; null where arithmetic has to do. Blocks that no type
/// holds where they are lie along the last dimension of a transposed constant.
static Value dequantizeBlocks(OpBinder &op, Value x, const Encoding &encoding,
                              StringRef format) {
  GraphBuilder &b = op.b;
  ArrayRef<int64_t> shape = b.shape(x);
  std::optional<BlockedEncoding> blocks =
      getBlocks(op, encoding, shape, format);
  std::optional<Tensor> stored = b.constantOf(x);
  if (!blocks || !stored)
    return {};
  if (auto type = blocks->getType(b.context(), shape)) {
    Value q = b.reinterpret(x, type);
    return q ? b.dequantize(q) : q;
  }
  if (b.isQuantized(x))
    return {};
  Permutation order;
  for (int64_t i = 0, e = shape.size(); i < e; ++i)
    if (i != encoding.axis)
      order.push_back(i);
  order.push_back(encoding.axis);
  Tensor moved = transpose(*stored, order);
  auto type = blocks->transposed(order).getType(b.context(), moved.shape());
  if (!type)
    return {};
  Value q = b.constant(moved, RankedTensorType::get(moved.shape(), type));
  return b.ShapedBuilder::transpose(b.dequantize(q), invert(order));
}

/// qg type of an encoding with constant parameters; null, and nothing
/// reported, where qg has no such type and arithmetic has to do.
static qg::QuantizedType getType(OpBinder &op, const Encoding &encoding,
                                 ArrayRef<int64_t> shape, StringRef format) {
  GraphBuilder &b = op.b;
  const IntegerFormat *row = lookupIntegerFormat(format);
  std::optional<Parameters> parameters;
  if (row)
    parameters = getParameters(b, encoding, *row);
  if (!parameters)
    return {};
  int64_t count = parameters->scales.size();
  if (count == 1 && b.rank(encoding.scale) <= 1)
    return qg::QuantizedType::getPerTensor(
        b.context(), format, parameters->scales[0], parameters->zeros[0]);
  if (b.rank(encoding.scale) != 1 || encoding.axis >= int64_t(shape.size()) ||
      shape[encoding.axis] != count)
    return {};
  return qg::QuantizedType::getPerAxis(b.context(), format, encoding.axis,
                                       parameters->scales, parameters->zeros);
}

/// Parameters shaped to broadcast against `shape`: scalars, vectors along the
/// axis, or blocks repeated along it.
static Value spread(OpBinder &op, Value parameter, const Encoding &encoding,
                    ArrayRef<int64_t> shape) {
  GraphBuilder &b = op.b;
  if (!parameter)
    return {};
  int64_t rank = shape.size();
  if (b.rank(parameter) == 0 ||
      (b.rank(parameter) == 1 && b.extent(parameter, 0) == 1))
    return b.reshape(parameter, {});
  if (encoding.blockSize > 0) {
    int64_t axis = encoding.axis;
    if (b.rank(parameter) != rank)
      return b.fail("expects blocked parameters of x's rank " + Twine(rank) +
                    ", got " + Twine(b.rank(parameter)));
    Shape repeated(b.shape(parameter));
    repeated.insert(repeated.begin() + axis + 1, encoding.blockSize);
    Shape flat(b.shape(parameter));
    flat[axis] *= encoding.blockSize;
    Value full = b.reshape(
        b.broadcast(b.expandDim(parameter, axis + 1), repeated), flat);
    if (!full || flat[axis] < shape[axis])
      return b.fail("expects a block for every element of x");
    return b.sliceAxis(full, axis, 0, shape[axis]);
  }
  if (b.rank(parameter) != 1 || encoding.axis >= rank ||
      b.extent(parameter, 0) != shape[encoding.axis])
    return b.fail("expects parameters that are scalars or vectors of x's "
                  "extent along axis " +
                  Twine(encoding.axis) + ", got " +
                  formatShape(b.shape(parameter)));
  Shape aligned(rank - encoding.axis, 1);
  aligned[0] = b.extent(parameter, 0);
  return b.reshape(parameter, aligned);
}

static std::optional<Encoding> readEncoding(OpBinder &op, Value x,
                                            unsigned first) {
  Encoding encoding{op.in(first), op.optional(first + 1)};
  if (!x || !encoding.scale)
    return std::nullopt;
  encoding.blockSize = op.intAttr("block_size", 0);
  if (encoding.blockSize < 0 || encoding.blockSize > (1 << 24)) {
    (void)op.badModel("expects 'block_size' in [0, 2^24]");
    return std::nullopt;
  }
  int64_t axis = op.intAttr("axis", 1);
  bool isVector = op.b.type(encoding.scale).getNumElements() != 1;
  if (isVector || encoding.blockSize > 0) {
    auto normalized = op.normalizeAxis(axis, op.b.rank(x));
    if (!normalized)
      return std::nullopt;
    encoding.axis = *normalized;
  }
  return encoding;
}

/// Float arithmetic for parameters that qg types do not hold.
static Value dequantizeByArithmetic(OpBinder &op, Value x,
                                    const Encoding &encoding) {
  GraphBuilder &b = op.b;
  if (!x)
    return {};
  Value steps = b.convert(x, b.f32());
  if (encoding.zeroPoint)
    steps = b.sub(
        steps, b.convert(spread(op, encoding.zeroPoint, encoding, b.shape(x)),
                         b.f32()));
  return b.mul(
      steps,
      b.convert(spread(op, encoding.scale, encoding, b.shape(x)), b.f32()));
}

static Value quantizeByArithmetic(OpBinder &op, Value x,
                                  const Encoding &encoding, DType dtype,
                                  StringRef format) {
  GraphBuilder &b = op.b;
  const IntegerFormat *row = lookupIntegerFormat(format);
  if (!x || !row)
    return {};
  Value scale =
      b.convert(spread(op, encoding.scale, encoding, b.shape(x)), b.f32());
  Value steps =
      b.unary(UnaryKind::round_even, b.div(b.convert(x, b.f32()), scale));
  if (encoding.zeroPoint)
    steps = b.add(
        steps, b.convert(spread(op, encoding.zeroPoint, encoding, b.shape(x)),
                         b.f32()));
  return b.convert(b.clamp(steps, double(row->min()), double(row->max())),
                   qg::getElementType(b.context(), dtype));
}

/// Biases of 16x8 networks come as int64, which DequantizeLinear does not have
/// by the letter: those that fit 32 bits are held as such, others are scaled as
/// they are.
static Value holdIn32Bits(OpBinder &op, Value x) {
  GraphBuilder &b = op.b;
  std::optional<Tensor> tensor = b.constantOf(x);
  if (!tensor || tensor->dtype() != DType::i64)
    return x;
  op.warn("DequantizeLinear of int64 is none of ONNX; the integers are taken "
          "as they are");
  Tensor narrow(DType::i32, tensor->shape());
  for (int64_t i = 0, e = tensor->numElements(); i < e; ++i) {
    int64_t value = tensor->getInt(i);
    if (value != int32_t(value))
      return x;
    narrow.setInt(i, value);
  }
  return b.constant(narrow);
}

/// The real numbers behind stored integers.
static Value dequantize(OpBinder &op, Value x, const Encoding &encoding) {
  GraphBuilder &b = op.b;
  if (!x || !encoding.scale)
    return {};
  x = holdIn32Bits(op, x);
  std::optional<DType> dtype = qg::getDType(b.element(x));
  if (dtype == DType::i64 && b.isConstant(x))
    return dequantizeByArithmetic(op, x, encoding);
  // Small floats are decoded already; they have scales, but no zero points.
  if (const ElementKind *kind = b.packedKindOf(x); kind && kind->semantics)
    return dequantizeByArithmetic(op, x, encoding);
  unsigned packedBits = b.packedIntegerBits(x);
  if (auto q = qg::getQuantizedType(x.getType()))
    packedBits = q.getBits() < 8 ? q.getBits() : 0;
  StringRef format = dtype ? getFormatName(*dtype, packedBits) : "";
  if (format.empty())
    return b.fail("expects stored integers of 2, 4, 8, 16 or 32 bits or floats "
                  "of at most 8");
  if (encoding.blockSize > 0) {
    if (Value blocked = dequantizeBlocks(op, x, encoding, format))
      return blocked;
  } else if (auto type = getType(op, encoding, b.shape(x), format)) {
    if (Value q = b.reinterpret(x, type))
      return b.dequantize(q);
  }
  return dequantizeByArithmetic(op, b.plain(x), encoding);
}

/// Stored integers of real numbers, in the format of `dtype`.
static Value quantize(OpBinder &op, Value x, const Encoding &encoding,
                      const ElementKind &kind) {
  if (!x || !encoding.scale)
    return {};
  StringRef format = getFormatName(kind.dtype, kind.bits);
  if (format.empty())
    return op.b.fail("expects to quantize to 2, 4, 8 or 16 bits");
  if (encoding.blockSize == 0)
    if (auto type = getType(op, encoding, op.b.shape(x), format))
      return op.b.quantize(x, type);
  Value y = quantizeByArithmetic(op, x, encoding, kind.dtype, format);
  op.b.markPacked(y, kind);
  return y;
}

/// Small floats of real numbers. Their zero points are 0, which those of four
/// and six bits need not be.
static Value quantizeToFloats(OpBinder &op, Value x, const Encoding &encoding,
                              const ElementKind &kind) {
  GraphBuilder &b = op.b;
  if (!x || !encoding.scale)
    return {};
  Value scale =
      b.convert(spread(op, encoding.scale, encoding, b.shape(x)), b.f32());
  Value y = b.div(b.convert(x, b.f32()), scale);
  if (encoding.zeroPoint)
    y = b.add(y, spread(op, encoding.zeroPoint, encoding, b.shape(x)));
  return roundToSmallFloat(op, y, kind);
}

//===----------------------------------------------------------------------===//
// QuantizeLinear and DequantizeLinear
//===----------------------------------------------------------------------===//

static LogicalResult importQuantizeLinear(OpBinder &op) {
  Value x = op.in(0);
  auto encoding = readEncoding(op, x, 1);
  if (!encoding)
    return failure();
  if (int64_t precision = op.intAttr("precision", 0);
      precision != 0 && precision != 1)
    return op.unsupported("expects the division in FLOAT ('precision')");
  // Of small floats only.
  op.ignoreAttrs({"saturate"});
  int64_t declared = op.intAttr("output_dtype", 0);
  ElementKind kind{DType::u8};
  if (encoding->zeroPoint) {
    std::optional<DType> given =
        qg::getDType(op.b.element(encoding->zeroPoint));
    if (!given)
      return failure();
    const ElementKind *packed = op.b.packedKindOf(op.raw(2));
    kind = packed ? *packed : ElementKind{*given};
  } else if (declared) {
    std::optional<ElementKind> named = op.kindAttr("output_dtype");
    if (!named)
      return failure();
    kind = *named;
  }
  if (kind.semantics)
    return op.result(quantizeToFloats(op, x, *encoding, kind));
  if (getFormatName(kind.dtype, kind.bits).empty() || kind.dtype == DType::i32)
    return op.unsupported("expects to quantize to 2, 4, 8 or 16 bits, got " +
                          getName(kind.dtype));
  return op.result(quantize(op, x, *encoding, kind));
}

static LogicalResult importDequantizeLinear(OpBinder &op) {
  Value x = op.raw(0);
  auto encoding = readEncoding(op, x, 1);
  if (!encoding)
    return failure();
  Type type = op.typeAttr("output_dtype", op.b.element(encoding->scale));
  if (op.intAttr("output_dtype", 0) == 0)
    type = op.b.element(encoding->scale);
  return op.result(op.b.convert(dequantize(op, x, *encoding), type));
}

static LogicalResult importDynamicQuantizeLinear(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  if (!x)
    return failure();
  Shape all(llvm::to_vector(llvm::seq<int64_t>(0, b.rank(x))));
  Value low = b.min(b.reduce(ReduceKind::min, x, all, false), 0.0);
  Value high = b.max(b.reduce(ReduceKind::max, x, all, false), 0.0);
  Value scale = b.div(b.sub(high, low), 255.0);
  // All zeros have no range, and by the letter a scale of 0 and a zero point of
  // 0 / 0; as in ONNX Runtime their scale is 1.
  Value safe =
      b.select(b.compare(ComparePredicate::eq, scale, b.scalar(0, b.f32())),
               b.scalar(1, b.f32()), scale);
  Value zero =
      b.unary(UnaryKind::round_even,
              b.clamp(b.div(b.sub(b.scalar(0, b.f32()), low), safe), 0, 255));
  Value steps = b.add(b.unary(UnaryKind::round_even, b.div(x, safe)), zero);
  // Stored integers, as products read them.
  auto u8 = qg::QuantizedType::getPerTensor(b.context(), "ui8", 1, 0);
  if (failed(op.result(0, b.quantize(steps, u8))) || failed(op.result(1, safe)))
    return failure();
  return op.result(2, b.quantize(zero, u8));
}

//===----------------------------------------------------------------------===//
// QLinear*
//===----------------------------------------------------------------------===//

/// Inputs first, first + 1, first + 2: integers, scale, zero point.
static Value dequantizeInput(OpBinder &op, unsigned first, int64_t axis = 0) {
  Value x = op.raw(first);
  Encoding encoding{op.in(first + 1), op.optional(first + 2), axis};
  return dequantize(op, x, encoding);
}

/// Rounds `y` into the encoding of inputs first (scale) and first + 1 (zero
/// point), whose type is that of the result.
static LogicalResult quantizeResult(OpBinder &op, Value y, unsigned first,
                                    DType fallback) {
  Encoding encoding{op.in(first), op.optional(first + 1), 1};
  if (!y || !encoding.scale)
    return failure();
  std::optional<DType> dtype = fallback;
  if (encoding.zeroPoint)
    dtype = qg::getDType(op.b.element(encoding.zeroPoint));
  if (!dtype)
    return failure();
  return op.result(quantize(op, y, encoding, {*dtype}));
}

/// The integer bias has the product of the scales.
static Value dequantizeBias(OpBinder &op, unsigned index) {
  GraphBuilder &b = op.b;
  if (!op.hasInput(index))
    return {};
  Value xScale = op.in(1), wScale = op.in(4);
  if (!xScale || !wScale)
    return {};
  Encoding encoding{b.mul(b.reshape(xScale, {}), wScale), {}, 0};
  Value bias = op.raw(index);
  // A row that broadcasts is a vector of channels.
  if (bias && b.rank(bias) == 2 && b.extent(bias, 0) == 1)
    bias = b.reshape(bias, {b.extent(bias, 1)});
  return dequantize(op, bias, encoding);
}

static LogicalResult importQLinearConv(OpBinder &op) {
  if (op.hasInput(8) && !dequantizeBias(op, 8))
    return failure();
  Value y = buildConv(op, dequantizeInput(op, 0, 1), dequantizeInput(op, 3, 0),
                      dequantizeBias(op, 8));
  return quantizeResult(op, y, 6, DType::u8);
}

static LogicalResult importQLinearMatMul(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value lhs = op.raw(0), rhs = op.raw(3);
  if (!lhs || !rhs)
    return failure();
  Value y = buildMatMul(
      b, dequantizeInput(op, 0, std::max<int64_t>(b.rank(lhs) - 2, 0)),
      dequantizeInput(op, 3, b.rank(rhs) - 1));
  return quantizeResult(op, y, 6, DType::u8);
}

/// The same where activations, not weights, may have their channels last.
static LogicalResult importMicrosoftQLinearConv(OpBinder &op) {
  if (op.intAttr("channels_last", 0) == 0)
    return importQLinearConv(op);
  Value x = op.raw(0);
  if (!x)
    return failure();
  if (op.b.rank(x) < 3)
    return op.badModel("expects x of rank >= 3");
  op.replaceInput(0, op.b.toChannelsFirst(x));
  if (failed(importQLinearConv(op)))
    return failure();
  return op.result(op.b.toChannelsLast(op.results().front()));
}

static DType getStorageDType(OpBinder &op, unsigned index = 0) {
  Value x = op.raw(index);
  return x ? qg::getDType(op.b.element(x)).value_or(DType::u8) : DType::u8;
}

template <BinaryKind kind>
static LogicalResult importQLinearBinary(OpBinder &op) {
  DType dtype = getStorageDType(op);
  Value y = op.b.binary(kind, dequantizeInput(op, 0), dequantizeInput(op, 3));
  return quantizeResult(op, y, 6, dtype);
}

template <UnaryKind kind>
static LogicalResult importQLinearUnary(OpBinder &op) {
  DType dtype = getStorageDType(op);
  return quantizeResult(op, op.b.unary(kind, dequantizeInput(op, 0)), 3, dtype);
}

static LogicalResult importQLinearLeakyRelu(OpBinder &op) {
  DType dtype = getStorageDType(op);
  Value x = dequantizeInput(op, 0);
  double alpha = op.floatAttr("alpha", 0.01f);
  if (!x)
    return failure();
  Value isNegative =
      op.b.compare(ComparePredicate::lt, x, op.b.scalar(0, op.b.element(x)));
  return quantizeResult(op, op.b.select(isNegative, op.b.mul(x, alpha), x), 3,
                        dtype);
}

/// Inputs: x, x scale, x zero point, y scale, y zero point.
static LogicalResult importQLinearPool(OpBinder &op) {
  GraphBuilder &b = op.b;
  DType dtype = getStorageDType(op);
  bool isGlobal = op.opType() == "QLinearGlobalAveragePool";
  bool isLast = op.intAttr("channels_last", 0) != 0;
  Value x = dequantizeInput(op, 0);
  if (!x)
    return failure();
  if (b.rank(x) < 3)
    return op.badModel("expects x of rank >= 3");
  ArrayRef<int64_t> spatial =
      isLast ? b.shape(x).drop_front().drop_back() : b.shape(x).drop_front(2);
  size_t rank = spatial.size();
  std::optional<WindowSpec> window = WindowSpec{
      Shape(spatial), Shape(rank, 1), Shape(2 * rank, 0), Shape(rank, 1)};
  if (!isGlobal)
    window = readWindow(op, spatial, op.intsAttr("kernel_shape"));
  if (!window)
    return failure();
  bool countsPads = op.intAttr("count_include_pad", 0) != 0;
  Value y = b.pool(PoolKind::avg, isLast ? x : b.toChannelsLast(x), *window,
                   countsPads);
  return quantizeResult(op, isLast ? y : b.toChannelsFirst(y), 3, dtype);
}

/// Inputs: condition, then x and y with their encodings, then the result's.
static LogicalResult importQLinearWhere(OpBinder &op) {
  DType dtype = getStorageDType(op, 1);
  Value y =
      op.b.select(op.in(0), dequantizeInput(op, 1), dequantizeInput(op, 4));
  return quantizeResult(op, y, 7, dtype);
}

static LogicalResult importQLinearReduceMean(OpBinder &op) {
  DType dtype = getStorageDType(op);
  Value x = dequantizeInput(op, 0);
  if (!x)
    return failure();
  int64_t rank = op.b.rank(x);
  Shape all(llvm::to_vector(llvm::seq<int64_t>(0, rank)));
  auto axes = op.normalizeAxes(op.intsAttr("axes", all), rank);
  if (!axes)
    return failure();
  return quantizeResult(
      op, op.b.reduceMean(x, *axes, op.intAttr("keepdims", 1) != 0), 3, dtype);
}

/// Inputs: y scale, y zero point, then (x, scale, zero point) per operand.
static LogicalResult importQLinearConcat(OpBinder &op) {
  SmallVector<Value> parts;
  for (unsigned i = 2; i + 1 < op.numInputs(); i += 3)
    parts.push_back(dequantizeInput(op, i));
  if (parts.empty() || !parts[0])
    return failure();
  auto axis = op.normalizeAxis(op.intAttr("axis", 1), op.b.rank(parts[0]));
  if (!axis)
    return failure();
  return quantizeResult(op, op.b.concat(parts, *axis), 0, DType::u8);
}

static LogicalResult importQLinearSoftmax(OpBinder &op) {
  DType dtype = getStorageDType(op);
  Value x = dequantizeInput(op, 0);
  if (!x)
    return failure();
  auto axis = op.normalizeAxis(op.intAttr("axis", -1), op.b.rank(x));
  if (!axis)
    return failure();
  if (op.intAttr("opset", 13) < 13 && *axis != op.b.rank(x) - 1)
    return op.unsupported("expects 'opset' >= 13 or the last axis");
  return quantizeResult(op, op.b.softmax(x, *axis), 3, dtype);
}

/// Inputs: A, scale, zero point, B, scale, zero point, C, y scale, y zero
/// point. Without the last two the result is float.
static LogicalResult importQGemm(OpBinder &op) {
  GraphBuilder &b = op.b;
  bool transposesRhs = op.intAttr("transB", 0) != 0;
  Value lhs = dequantizeInput(op, 0, 1);
  Value rhs = dequantizeInput(op, 3, transposesRhs ? 0 : 1);
  if (!lhs || !rhs)
    return failure();
  if (b.rank(lhs) != 2 || b.rank(rhs) != 2)
    return op.badModel("expects matrices, got " + formatShape(b.shape(lhs)) +
                       " and " + formatShape(b.shape(rhs)));
  if (op.intAttr("transA", 0))
    lhs = b.transpose(lhs, {1, 0});
  if (transposesRhs)
    rhs = b.transpose(rhs, {1, 0});
  double alpha = op.floatAttr("alpha", 1);
  Value y = b.matmul(lhs, rhs);
  if (op.hasInput(6)) {
    Value c = dequantizeBias(op, 6);
    y = b.add(y, c);
  }
  if (alpha != 1)
    y = b.mul(y, alpha);
  return op.hasInput(7) ? quantizeResult(op, y, 7, DType::u8) : op.result(y);
}

void frontend::registerQuantizeOps(OpRegistry &registry) {
  registry.add("DequantizeLinear", 10, importDequantizeLinear);
  registry.add("DynamicQuantizeLinear", 11, importDynamicQuantizeLinear);
  registry.add("QLinearConv", 10, importQLinearConv);
  registry.add("QLinearMatMul", 10, importQLinearMatMul);
  registry.add("QuantizeLinear", 10, importQuantizeLinear);
  StringRef ms = "com.microsoft";
  registry.add(ms, "DequantizeLinear", 1, importDequantizeLinear);
  registry.add(ms, "QGemm", 1, importQGemm);
  registry.add(ms, "QLinearAdd", 1, importQLinearBinary<BinaryKind::add>);
  registry.add(ms, "QLinearAveragePool", 1, importQLinearPool);
  registry.add(ms, "QLinearConcat", 1, importQLinearConcat);
  registry.add(ms, "QLinearConv", 1, importMicrosoftQLinearConv);
  registry.add(ms, "QLinearGlobalAveragePool", 1, importQLinearPool);
  registry.add(ms, "QLinearLeakyRelu", 1, importQLinearLeakyRelu);
  registry.add(ms, "QLinearMul", 1, importQLinearBinary<BinaryKind::mul>);
  registry.add(ms, "QLinearReduceMean", 1, importQLinearReduceMean);
  registry.add(ms, "QLinearSigmoid", 1, importQLinearUnary<UnaryKind::sigmoid>);
  registry.add(ms, "QLinearSoftmax", 1, importQLinearSoftmax);
  registry.add(ms, "QLinearWhere", 1, importQLinearWhere);
  registry.add(ms, "QuantizeLinear", 1, importQuantizeLinear);
}
