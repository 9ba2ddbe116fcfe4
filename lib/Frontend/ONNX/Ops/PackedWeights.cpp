//===- PackedWeights.cpp - Tables and products of packed codes ------------===//
// SPDX-License-Identifier: Apache-2.0
//
// GatherBlockQuantized and MatMulBnb4 of com.microsoft.
//===----------------------------------------------------------------------===//
#include "BlockedCodes.h"
#include "Positions.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

//===----------------------------------------------------------------------===//
// GatherBlockQuantized
//===----------------------------------------------------------------------===//

namespace {
/// A table of codes: rows by position, blocks along the last dimension.
struct CodedTable {
  BlockedCodes spec;
  Tensor codes;
  SmallVector<float> scales, zeros;
  Shape shape; ///< with whole codes
};
} // namespace

/// Bytes of packed codes, or codes that the reader holds wider already, as
/// `rows` rows of `columns`.
static std::optional<Tensor> unpackRows(OpBinder &op, unsigned index,
                                        const BlockedCodes &spec,
                                        int64_t columns) {
  std::optional<Tensor> stored = op.constant(index);
  bool isHeldWider = op.b.packedIntegerBits(op.raw(index)) != 0;
  int64_t bits = isHeldWider ? 8 : spec.bits,
          row = llvm::divideCeil(columns * bits, 8);
  if (!stored || stored->numElements() != spec.n * row ||
      getByteWidth(stored->dtype()) != 1)
    return std::nullopt;
  if (isHeldWider)
    return stored;
  Tensor codes(DType::u8, {spec.n, columns});
  ArrayRef<uint8_t> bytes = stored->span<uint8_t>();
  for (int64_t n = 0; n < spec.n; ++n)
    for (int64_t k = 0; k < columns; ++k)
      codes.setInt(n * columns + k, unpack(bytes.slice(n * row, row), k, bits));
  return codes;
}

static std::optional<CodedTable> readTable(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value data = op.raw(0);
  if (!data)
    return std::nullopt;
  auto fail = [&](const Twine &message) {
    (void)op.unsupported(message);
    return std::nullopt;
  };
  unsigned held = b.packedIntegerBits(data);
  int64_t bits = held ? held : op.intAttr("bits", 4),
          block = op.intAttr("block_size", 128), rank = b.rank(data);
  op.ignoreAttrs({"bits"});
  if ((bits != 2 && bits != 4 && bits != 8) || b.isFloat(data))
    return fail("expects codes of 2, 4 or 8 bits");
  auto gathered = op.normalizeAxis(op.intAttr("gather_axis", 0), rank),
       blocked = op.normalizeAxis(op.intAttr("quantize_axis", 1), rank);
  if (!gathered || !blocked)
    return std::nullopt;
  if (*gathered != 0 || *blocked != rank - 1 || rank < 2)
    return fail("expects 'gather_axis' 0 and the last dimension as "
                "'quantize_axis'");
  CodedTable table;
  table.shape = Shape(b.shape(data));
  if (!held)
    table.shape.back() *= 8 / bits;
  int64_t columns = table.shape.back(),
          rows = getNumElements(table.shape) / std::max<int64_t>(columns, 1);
  table.spec = {rows, columns, bits, block};
  if (block < 1 || columns < 1)
    return fail("expects a positive 'block_size'");
  std::optional<Tensor> codes = unpackRows(op, 0, table.spec, columns),
                        scale = op.constant(2);
  int64_t groups = table.spec.groups();
  if (!codes || !scale || scale->numElements() != rows * groups)
    return fail("expects constant data and a constant scale for each block");
  for (int64_t i = 0; i < rows * groups; ++i)
    table.scales.push_back(float(scale->getFloat(i)));
  // Codes with a type of their own count from 0, bytes from their middle.
  double middle = held ? 0 : double(int64_t(1) << (bits - 1));
  table.zeros.assign(rows * groups, float(middle));
  if (op.hasInput(3)) {
    std::optional<Tensor> zeros = unpackRows(op, 3, table.spec, groups);
    if (!zeros)
      return fail("expects a constant zero point for each block");
    for (int64_t i = 0; i < rows * groups; ++i)
      table.zeros[i] = float(zeros->getInt(i));
  }
  if (codes->dtype() == DType::i8) {
    // Signed codes move to unsigned ones.
    int64_t half = int64_t(1) << (bits - 1);
    Tensor moved(DType::u8, codes->shape());
    for (int64_t i = 0, e = moved.numElements(); i < e; ++i)
      moved.setInt(i, codes->getInt(i) + half);
    for (float &zero : table.zeros)
      zero += float(half);
    codes = moved;
  }
  table.codes = *codes;
  return table;
}

/// Rows of the table; an index outside of it gives zeros.
static LogicalResult importGatherBlockQuantized(OpBinder &op) {
  GraphBuilder &b = op.b;
  std::optional<CodedTable> table = readTable(op);
  Value indices = op.in(1), scales = op.in(2);
  if (!table || !indices || !scales)
    return failure();
  int64_t rows = table->shape.front();
  Tensor codes = table->codes.reshaped({table->spec.n, table->spec.k});
  Value weight =
      createBlockedWeight(b, table->spec, codes, table->scales, table->zeros);
  if (weight && b.isQuantized(weight))
    weight = b.dequantize(weight);
  weight = b.reshape(weight, table->shape);
  Value positions = normalizeIndices(op, indices, rows);
  Value inside = b.clamp(positions, 0, double(rows - 1));
  Value y = b.gather(weight, inside, 0);
  if (!y)
    return failure();
  Shape marks(b.shape(positions));
  marks.resize(b.rank(y), 1);
  Value isInside = b.compare(ComparePredicate::eq, positions, inside);
  y = b.select(b.reshape(isInside, marks), y, b.scalar(0, b.element(y)));
  return op.result(b.convert(y, b.element(scales)));
}

//===----------------------------------------------------------------------===//
// MatMulBnb4
//===----------------------------------------------------------------------===//

/// The codes of bitsandbytes: FP4 and NF4.
static constexpr float kLevels[2][16] = {
    {0.f, 5.208333333e-03f, 0.66666667f, 1.f, 0.33333333f, 0.5f, 0.16666667f,
     0.25f, -0.f, -5.208333333e-03f, -0.66666667f, -1.f, -0.33333333f, -0.5f,
     -0.16666667f, -0.25f},
    {-1.f, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f,
     -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f, 0.f,
     0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f,
     0.33791524171829224f, 0.44070982933044434f, 0.5626170039176941f,
     0.7229568362236023f, 1.f}};

/// Inputs: A, codes of [N, K] in one row, high nibbles first, and the largest
/// magnitude of each block.
static LogicalResult importMatMulBnb4(OpBinder &op) {
  GraphBuilder &b = op.b;
  int64_t n = op.intAttr("N", 0), k = op.intAttr("K", 0),
          block = op.intAttr("block_size", 0),
          kind = op.intAttr("quant_type", 0);
  bool transposes = op.intAttr("transB", 1) != 0;
  op.ignoreAttrs({"training_mode"});
  Value x = op.in(0);
  if (!x)
    return failure();
  constexpr int64_t kMost = int64_t(1) << 31;
  if (n < 1 || k < 1 || n > kMost || k > kMost || block < 1 || kind < 0 ||
      kind > 1)
    return op.badModel("expects positive 'N', 'K' and 'block_size' and "
                       "'quant_type' 0 or 1");
  std::optional<Tensor> codes = op.constant(1), largest = op.constant(2);
  if (!codes || !largest)
    return op.unsupported("expects constant codes and scales");
  if (codes->dtype() != DType::u8 || codes->numElements() != (n * k + 1) / 2 ||
      largest->numElements() != llvm::divideCeil(n * k, block))
    return op.badModel("expects " + Twine((n * k + 1) / 2) +
                       " bytes of codes and a scale for each block, got " +
                       formatShape(codes->shape()) + " and " +
                       formatShape(largest->shape()));
  if (b.rank(x) < 2 || b.shape(x).back() != (transposes ? k : n))
    return op.badModel("expects rows of " + Twine(transposes ? k : n) +
                       " elements in A, got " + formatShape(b.shape(x)));
  Tensor reals(DType::f32, {n, k});
  ArrayRef<uint8_t> bytes = codes->span<uint8_t>();
  for (int64_t i = 0; i < n * k; ++i) {
    unsigned code = i % 2 ? bytes[i / 2] & 15 : bytes[i / 2] >> 4;
    reals.setFloat(i,
                   kLevels[kind][code] * float(largest->getFloat(i / block)));
  }
  Value weight = b.constant(reals);
  Value y = b.matmul(x, transposes ? b.transpose(weight, {1, 0}) : weight);
  if (y)
    noteDecoded(y, "its weights come in codes of bitsandbytes, whose blocks "
                   "run across rows");
  return op.result(y);
}

void frontend::registerPackedWeightOps(OpRegistry &registry) {
  StringRef ms = "com.microsoft";
  registry.add(ms, "GatherBlockQuantized", 1, importGatherBlockQuantized,
               "integers of 2, 4 and 8 bits, gathered along dimension 0");
  registry.add(ms, "MatMulBnb4", 1, roundOnce<importMatMulBnb4>);
}
