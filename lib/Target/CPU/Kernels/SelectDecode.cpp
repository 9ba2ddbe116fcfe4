//===- SelectDecode.cpp - fxp.decode_matmul to its kernel -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Codes of a lane share words, so that one load serves several steps and a
// shift brings each code to where it is looked up.
//===----------------------------------------------------------------------===//
#include "DecodeKernel.h"
#include "KernelFrame.h"
#include "WeightCode.h"
#include "qopt/Dialect/FXP/IR/Levels.h"
#include "qopt/Dialect/QG/IR/Encodings.h"
#include "qopt/Numerics/GroupMatmul.h"
#include "qopt/Target/CPU/IR/QCPU.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qcpu;

/// Vectors of a panel where there are few rows.
static constexpr int64_t kMaxVectors = 8;
/// Groups longer than this are cut into blocks of this many steps at most; a
/// block of weights as floats stays in the first cache.
static constexpr int64_t kMostGroup = 512;

namespace {
class DecodeBuilder {
public:
  DecodeBuilder(fxp::DecodeMatmulOp op, const KernelTarget &target)
      : op(op), loc(op.getLoc()), target(target), block(op.getBlock()) {}

  /// Operands are constants, and there is something to compute.
  bool read();
  void chooseCode();
  bool chooseTile();
  void build(OpBuilder &builder);
  /// The same product with weights as floats.
  void decode(OpBuilder &builder);

private:
  /// A scale belongs to weights of one k.
  bool hasColumns() const { return block[0] > 1; }
  int64_t width() const { return dot.vectors * dot.lanes; }
  int64_t perWord() const { return bits < 8 ? 32 / bits : 1; }
  /// Codes of a weight, and of the zero point of a block.
  int64_t encode(int64_t byte) const { return bits < 8 ? byte - low : byte; }
  Tensor packWeights() const;
  Tensor packScales() const;
  Tensor packZeroPoints() const;
  Tensor packColumnZeroPoints() const;
  SmallVector<int8_t> getLevels() const;
  Value constant(OpBuilder &builder, const Tensor &tensor) const {
    return createPacked(builder, loc, tensor);
  }
  /// Lanes of a panel: those of the last one end with the channels in use.
  int64_t pitch(int64_t panel) const {
    return std::min<int64_t>(width(),
                             llvm::alignTo(n - panel * width(), dot.lanes));
  }

  fxp::DecodeMatmulOp op;
  Location loc;
  const KernelTarget &target;
  SmallVector<int64_t> block;
  int64_t m = 0, n = 0, k = 0, groups = 0;
  Tensor weight, scales, bias;
  std::optional<Tensor> zps;
  DotChoice dot;
  int64_t bits = 8, low = 0, zeroPoint = 0;
  SmallVector<int8_t> table;
};
} // namespace

bool DecodeBuilder::read() {
  std::optional<Tensor> w = qg::matchConstant(op.getRhs());
  std::optional<Tensor> s = qg::matchConstant(op.getScales());
  std::optional<Tensor> b = qg::matchConstant(op.getBias());
  if (!w || !s || !b || w->numElements() == 0)
    return false;
  if (op.getZps()) {
    zps = qg::matchConstant(op.getZps());
    if (!zps)
      return false;
    zps = zps->bitcast(DType::i8);
  }
  weight = w->bitcast(DType::i8);
  scales = *s;
  bias = *b;
  n = weight.shape()[0];
  k = weight.shape()[1];
  m = op.getType().getNumElements() / n;
  if (zps && llvm::all_equal(zps->span<int8_t>())) {
    zeroPoint = zps->getInt(0);
    zps.reset();
  }
  block[0] = scales.numElements() == 1 ? 1 : std::min(block[0], n);
  block[1] = scales.numElements() == 1 ? k : std::min(block[1], k);
  groups = llvm::divideCeil(k, block[1]);
  return m > 0;
}

/// Codes of 2 or 4 bits where they hold all weights, bytes elsewhere.
void DecodeBuilder::chooseCode() {
  auto [least, most] = std::minmax_element(weight.span<int8_t>().begin(),
                                           weight.span<int8_t>().end());
  low = *least;
  int64_t high = *most;
  if (zps)
    for (int8_t zero : zps->span<int8_t>()) {
      low = std::min<int64_t>(low, zero);
      high = std::max<int64_t>(high, zero);
    }
  bits = high - low < 4 ? 2 : high - low < 16 ? 4 : 8;
  SmallVector<int8_t> levels =
      fxp::makeTable(weight.span<int8_t>(), fxp::getLevels(op));
  // Only vpermps looks up floats.
  bool looksUp = target.isX86 && target.real.lanes == 16;
  if (bits < 8 || levels.empty() || levels.size() > 16 || !looksUp)
    return;
  bits = levels.size() > 4 ? 4 : 2;
  table = std::move(levels);
  table.resize(int64_t(1) << bits);
}

bool DecodeBuilder::chooseTile() {
  dot = target.real;
  int64_t vectors = llvm::divideCeil(n, dot.lanes);
  int64_t accumulators = dot.rows * dot.vectors;
  dot.rows = std::min(dot.rows, m);
  if (m < target.real.rows)
    dot.vectors = std::min(kMaxVectors, accumulators / m);
  // Zero points and scales are in registers as well.
  if (m == 1)
    dot.vectors = std::max<int64_t>(accumulators / (zps ? 4 : 3), 1);
  dot.vectors = std::min(vectors, dot.vectors);
  if (!hasColumns())
    return groups == 1 || block[1] <= kMostGroup || block[1] % 128 == 0;
  if (block[1] != 1)
    return false;
  if (block[0] == n)
    return true;
  // Blocks of columns begin and end with vectors, and divide panels.
  int64_t perBlock = block[0] / dot.lanes;
  while (perBlock && dot.vectors % perBlock && perBlock % dot.vectors)
    --dot.vectors;
  return block[0] % dot.lanes == 0;
}

/// [panels][groups][words][lanes], or [panels][K][lanes] of bytes.
Tensor DecodeBuilder::packWeights() const {
  ArrayRef<int8_t> from = weight.span<int8_t>();
  int64_t total = llvm::alignTo(n, dot.lanes), per = perWord();
  int64_t length = hasColumns() ? k : block[1]; // words do not span groups
  int64_t words = llvm::divideCeil(length, per);
  int64_t full =
      k / length * words + llvm::divideCeil(k % length, per); // words of a lane
  Tensor packed(bits < 8 ? DType::i32 : DType::i8, {full * total});
  char *to = packed.mutableData();
  for (int64_t channel = 0; channel < n; ++channel) {
    int64_t panel = channel / width(), lanes = pitch(panel);
    int64_t base = panel * width() * full + channel % width();
    for (int64_t j = 0; j < k; ++j) {
      int64_t value = encode(from[channel * k + j]);
      if (!table.empty())
        value = fxp::getCode(table, from[channel * k + j]);
      int64_t word = j / length * words + j % length / per;
      int64_t at = base + word * lanes;
      if (bits == 8)
        to[at] = char(value);
      else
        reinterpret_cast<uint32_t *>(to)[at] |= uint32_t(value)
                                                << (j % length % per * bits);
    }
  }
  return packed;
}

/// One number for all; [N / r][K]; or [panels][groups][lanes].
Tensor DecodeBuilder::packScales() const {
  Tensor packed = scales;
  if (scales.numElements() == 1)
    return scales.reshaped({1});
  if (!hasColumns()) {
    packed =
        Tensor(DType::f32, {groups * int64_t(llvm::alignTo(n, dot.lanes))});
    ArrayRef<float> from = scales.span<float>();
    MutableArrayRef<float> to = packed.mutableSpan<float>();
    for (int64_t channel = 0; channel < n; ++channel) {
      int64_t panel = channel / width();
      for (int64_t g = 0; g < groups; ++g)
        to[panel * width() * groups + g * pitch(panel) + channel % width()] =
            from[channel * groups + g];
    }
  }
  packed = packed.reshaped({packed.numElements()});
  return target.hasHalves ? qg::narrowToHalves(packed) : packed;
}

/// Those of a vector of lanes in planes, as weights in planes are.
Tensor DecodeBuilder::packZeroPoints() const {
  if (!zps)
    return Tensor(DType::i8, {1});
  if (hasColumns())
    return packColumnZeroPoints();
  Tensor codes(DType::i8, {groups * int64_t(llvm::alignTo(n, dot.lanes))});
  MutableArrayRef<int8_t> to = codes.mutableSpan<int8_t>();
  for (int64_t channel = 0; channel < n; ++channel) {
    int64_t panel = channel / width();
    for (int64_t g = 0; g < groups; ++g)
      to[panel * width() * groups + g * pitch(panel) + channel % width()] =
          int8_t(encode(zps->getInt(channel * groups + g)));
  }
  return bits == 8 ? codes
                   : encodeWeights(codes, dot.lanes, WeightCode{bits, 0});
}

/// [N / r][words], as the weights of a lane.
Tensor DecodeBuilder::packColumnZeroPoints() const {
  int64_t rows = llvm::divideCeil(n, block[0]), columns = k;
  if (bits == 8)
    return zps->reshaped({zps->numElements()});
  int64_t words = llvm::divideCeil(columns, perWord());
  Tensor packed(DType::i32, {rows * words});
  MutableArrayRef<int32_t> to = packed.mutableSpan<int32_t>();
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      to[i * words + j / perWord()] |=
          int32_t(uint32_t(encode(zps->getInt(i * columns + j)))
                  << (j % perWord() * bits));
  return packed;
}

/// What codes stand for. With zero points only differences count.
SmallVector<int8_t> DecodeBuilder::getLevels() const {
  if (!table.empty() || bits == 8)
    return table;
  SmallVector<int8_t> levels;
  for (int64_t code = 0; code < int64_t(1) << bits; ++code)
    levels.push_back(int8_t(code + (zps ? 0 : low)));
  return levels;
}

void DecodeBuilder::build(OpBuilder &builder) {
  KernelFrame frame(builder, op);
  Value x = castShape(builder, loc, op.getLhs(), {1, 1, m, k});
  SmallVector<int64_t> shape{1, 1, m, n};
  auto pad = [&](const Tensor &values) {
    Tensor padded(values.dtype(), {int64_t(llvm::alignTo(n, width()))});
    std::copy_n(values.data(), values.numBytes(), padded.mutableData());
    return padded;
  };
  SmallVector<Value> extras = frame.createExtras(shape, pad);
  bool hasBias = llvm::any_of(bias.span<int32_t>(), [](int32_t value) {
    return value != 0; // -0 is one
  });
  Value init = tensor::EmptyOp::create(builder, loc, shape,
                                       frame.getType().getElementType());
  auto kernel = DecodeMatmulOp::create(
      builder, loc, TypeRange{init.getType()}, builder.getStringAttr(dot.name),
      builder.getDenseI64ArrayAttr(
          {dot.rows, dot.vectors, dot.lanes, perWord()}),
      builder.getDenseI64ArrayAttr(block), builder.getI64IntegerAttr(bits),
      builder.getDenseI8ArrayAttr(getLevels()),
      builder.getI64IntegerAttr(zeroPoint), x, constant(builder, packWeights()),
      constant(builder, packScales()), constant(builder, packZeroPoints()),
      constant(builder, hasBias ? pad(bias) : Tensor(DType::f32, {1})), extras,
      init);
  frame.fill(kernel, builder.getF32Type(), extras);
  frame.replaceBy(kernel.getResult(0));
}

void DecodeBuilder::decode(OpBuilder &builder) {
  std::vector<int32_t> values(weight.span<int8_t>().begin(),
                              weight.span<int8_t>().end());
  for (int64_t i = 0; i < n * k; ++i)
    values[i] -= zps ? zps->getInt(i / k / block[0] * groups + i % k / block[1])
                     : zeroPoint;
  WeightBlocks blocks{scales.numElements() == 1 ? n : block[0], block[1],
                      scales.span<float>().data()};
  std::vector<float> floats = decodeBlocks(n, k, values.data(), blocks);
  Value rhs = qg::createConstant(
      builder, loc, Tensor::from<float>(DType::f32, {n, k}, floats),
      RankedTensorType::get({n, k}, builder.getF32Type()), "w");
  auto product = qg::MatmulOp::create(builder, loc, op.getType(), op.getLhs(),
                                      rhs, op.getBias(), builder.getUnitAttr(),
                                      DenseI64ArrayAttr());
  op.getResult().replaceAllUsesWith(product.getResult());
  op.erase();
}

void qopt::qcpu::selectDecodeMatmul(fxp::DecodeMatmulOp op,
                                    const KernelTarget &target) {
  DecodeBuilder product(op, target);
  OpBuilder builder(op);
  if (!product.read())
    return;
  product.chooseCode();
  if (!target.hasWords && product.chooseTile())
    product.build(builder);
  else
    product.decode(builder);
}
