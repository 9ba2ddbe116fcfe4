//===- StoredRows.cpp - Rows of a stored table ----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// row = scale * integers: integers of a row and its parameters are gathered by
// the same index, so decoding is one conversion and one product per element.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/QG/IR/StoredRows.h"
#include "qopt/Dialect/QG/IR/Encodings.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qg;

/// Codes of a byte, part by part: the first part of a row in the low bits.
static Value gatherCodes(ShapedBuilder &b, const StoredRows &rows,
                         Value indices) {
  int64_t count = rows.integers.shape()[0], columns = rows.integers.shape()[1];
  int64_t parts = 8 / rows.bits, part = llvm::divideCeil(columns, parts);
  Tensor packed(DType::u8, {count, part});
  for (int64_t r = 0; r < count; ++r)
    for (int64_t c = 0; c < part; ++c) {
      int64_t byte = 0;
      for (int64_t p = 0; p < parts; ++p) {
        int64_t column = c + p * part;
        int64_t value =
            column < columns ? rows.integers.getInt(r * columns + column) : 0;
        byte |= (value - rows.low) << (p * rows.bits);
      }
      packed.setInt(r * part + c, byte);
    }
  Value bytes = b.gather(b.constant(packed), indices, 0);
  Type u8 = b.element(bytes);
  SmallVector<Value> codes;
  for (int64_t p = 0; p < parts; ++p) {
    Value code = bytes;
    if (p > 0)
      code = b.binary(BinaryKind::shift_right, code,
                      b.scalar(double(p * rows.bits), u8));
    if (p + 1 < parts)
      code = b.binary(BinaryKind::bit_and, code,
                      b.scalar((1 << rows.bits) - 1, u8));
    codes.push_back(code);
  }
  int64_t last = b.rank(bytes) - 1;
  return b.sliceAxis(b.concat(codes, last), last, 0, columns);
}

Value qg::gatherRows(ShapedBuilder &b, const StoredRows &rows, Value indices,
                     int64_t zero) {
  Value codes = rows.bits < 8 ? gatherCodes(b, rows, indices)
                              : b.gather(b.constant(rows.integers), indices, 0);
  int64_t offset = zero - (rows.bits < 8 ? rows.low : 0);
  codes = b.convert(codes, b.f32());
  return offset ? b.sub(codes, double(offset)) : codes;
}

namespace {
/// How the parameters of a table lie beside its rows.
struct RowParameters {
  /// Columns that share a parameter; 0: one for every column, for all rows.
  int64_t block;
  /// Parameters of a row, or of all.
  SmallVector<int64_t> shape;
};
} // namespace

static std::optional<RowParameters> getRowParameters(RankedTensorType type) {
  QuantizedType encoding = getQuantizedType(type);
  int64_t rows = type.getDimSize(0), columns = type.getNumElements() / rows;
  if (encoding.isPerTensor())
    return RowParameters{columns, {}};
  int64_t group = encoding.getGroupSize();
  if (!group && encoding.getAxis() == 0)
    return RowParameters{columns, {rows, 1}};
  if (!group)
    return RowParameters{0, {columns}};
  if (encoding.getAxis() == 0 && columns % group == 0)
    return RowParameters{group, {rows, columns / group}};
  return std::nullopt;
}

/// Values of the parameters that `indices` pick, which broadcast against
/// [indices..., blocks, block].
static Value pickParameters(ShapedBuilder &b, const Tensor &values,
                            const RowParameters &parameters, Value indices) {
  Value result = b.constant(values.reshaped(parameters.shape));
  if (parameters.shape.size() == 2) {
    result = b.gather(result, indices, 0);
    result = b.expandDim(result, b.rank(result));
  }
  return b.convert(result, b.f32());
}

/// Of every column, where all rows have the same; else of every parameter.
static Tensor takeParameters(const RowParameters &parameters, DType dtype,
                             llvm::function_ref<double(int64_t)> get) {
  Tensor values(dtype, {getNumElements(parameters.shape)});
  for (int64_t i = 0, e = values.numElements(); i < e; ++i)
    values.setFloat(i, get(i));
  return values;
}

Value qg::gatherDecoded(ShapedBuilder &b, const Tensor &stored,
                        RankedTensorType type, Value indices) {
  QuantizedType encoding = getQuantizedType(type);
  std::optional<Decoder> decoder = Decoder::get(type);
  if (!decoder || encoding.isTable() || encoding.getBits() > 8 ||
      type.getRank() < 1 || type.getNumElements() == 0)
    return {};
  std::optional<RowParameters> parameters = getRowParameters(type);
  if (!parameters)
    return {};
  const IntegerFormat &format = encoding.getIntegerFormat();
  unsigned bits = encoding.getBits() <= 2 ? 2 : encoding.getBits() <= 4 ? 4 : 8;
  int64_t rows = type.getDimSize(0), columns = type.getNumElements() / rows;
  SmallVector<int64_t> zeros = encoding.getZeroPointVector();
  bool hasOneZero = llvm::all_equal(zeros);
  Value result =
      gatherRows(b, {stored.reshaped({rows, columns}), bits, format.min()},
                 indices, hasOneZero ? zeros.front() : 0);
  SmallVector<int64_t> picked(getShape(indices)), whole(picked);
  llvm::append_range(whole, type.getShape().drop_front());
  int64_t block = parameters->block ? parameters->block : columns;
  picked.append({columns / block, block});
  result = b.reshape(result, picked);
  auto index = [&](int64_t i) {
    return parameters->block ? i : int64_t(decoder->parameter(i));
  };
  if (!hasOneZero)
    result = b.sub(
        result, pickParameters(
                    b,
                    takeParameters(*parameters, *getDType(encoding),
                                   [&](int64_t i) { return zeros[index(i)]; }),
                    *parameters, indices));
  Tensor scales = takeParameters(*parameters, DType::f32, [&](int64_t i) {
    return decoder->scales()[index(i)];
  });
  result = b.mul(
      result, pickParameters(b, narrowToHalves(scales), *parameters, indices));
  return b.reshape(result, whole);
}
