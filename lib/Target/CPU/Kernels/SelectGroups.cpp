//===- SelectGroups.cpp - fxp.group_matmul to its kernel ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The dot product is that of one scale per channel; what its form of the input
// leaves of the zero point is folded into the start of every group's sum. Rows
// that are signed bytes meet weights as unsigned codes: what the codes begin
// with, and their zero points, are taken off by the sum of the row.
//===----------------------------------------------------------------------===//
#include "DecodeKernel.h"
#include "GroupKernel.h"
#include "KernelFrame.h"
#include "PackWeights.h"
#include "WeightCode.h"
#include "qopt/Dialect/FXP/IR/Levels.h"
#include "qopt/Dialect/QG/IR/Encodings.h"
#include "qopt/Target/CPU/IR/QCPU.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qcpu;

/// As for products with one scale per channel.
static constexpr int64_t kMaxVectors = 8, kMaxRows = 12;

namespace {
class GroupBuilder {
public:
  GroupBuilder(fxp::GroupMatmulOp op, const KernelTarget &target)
      : op(op), loc(op.getLoc()), target(target), zeroPoint(op.getLhsZp()),
        isUnsigned(op.getLhsUnsigned()), group(op.getGroup()) {}

  bool read();
  void build(OpBuilder &builder);

private:
  bool canMultiplyBytes() const;
  bool hasUnsignedWeights() const {
    return dot.name == "maddubs" || dot.name.ends_with("w");
  }
  void chooseDot();
  void chooseTile();
  Tensor packRows(const Tensor &rows, int64_t vectors,
                  const WeightCode &code) const;
  Tensor packWeights(WeightCode &code);
  Tensor packZeroPoints();
  Value sumRows(OpBuilder &builder, Value x) const;
  Value stageInput(OpBuilder &builder);
  Tensor packPerGroup(const Tensor &values) const;
  Tensor getCorrections() const;
  Value constant(OpBuilder &builder, const Tensor &tensor) const {
    return createPacked(builder, loc, tensor);
  }

  fxp::GroupMatmulOp op;
  Location loc;
  const KernelTarget &target;
  int64_t zeroPoint;
  bool isUnsigned;
  int64_t group;
  int64_t m = 0, n = 0, k = 0, groups = 0;
  Tensor weight, scales, bias;
  std::optional<Tensor> zps;
  DotChoice dot;
  /// Of the weights' zero points: what is common to all, and bits of the rest.
  int64_t commonZero = 0, zeroBits = 0;
};
} // namespace

bool GroupBuilder::read() {
  std::optional<Tensor> w = qg::matchConstant(op.getRhs());
  std::optional<Tensor> s = qg::matchConstant(op.getScales());
  std::optional<Tensor> b = qg::matchConstant(op.getBias());
  if (!w || !s || !b || w->numElements() == 0)
    return false;
  weight = w->bitcast(DType::i8);
  scales = *s;
  bias = *b;
  n = weight.shape()[0];
  k = weight.shape()[1];
  m = op.getType().getNumElements() / n;
  groups = (k + group - 1) / group;
  if (op.getRhsZps()) {
    // Sums of rows are those of signed bytes.
    if (isUnsigned || zeroPoint)
      return false;
    zps = qg::matchConstant(op.getRhsZps());
    if (!zps)
      return false;
    zps = zps->bitcast(DType::i8);
  }
  return m > 0;
}

/// Products of codes of up to 7 bits with bytes fit 16 bits in pairs.
bool GroupBuilder::canMultiplyBytes() const {
  return target.integer.name == "maddwd" && k % 32 == 0 && group % 32 == 0 &&
         chooseWeightCode(weight, 8, fxp::getLevels(op), target.tables)
                 .range() <= 127;
}

void GroupBuilder::chooseDot() {
  dot = target.hasWords ? getGenericIntegerDot(target) : target.integer;
  if (canMultiplyBytes()) {
    dot = {"maddubs",
           DotInput::s8,
           std::min<int64_t>(m, 2),
           std::min<int64_t>(llvm::divideCeil(n, 8), 4),
           8,
           4};
    return;
  }
  // Steps do not cross groups.
  if (k % dot.pack != 0 || (groups > 1 && group % dot.pack != 0))
    dot = getGenericIntegerDot(target);
  if (isUnsigned || zeroPoint)
    return;
  if (dot.name == "vpdpbusd256")
    dot.name = "vpdpbusd256w";
  else if (dot.name == "vpdpbusd512")
    dot.name = "vpdpbusd512w";
  if (dot.name.ends_with("w"))
    dot.input = DotInput::s8;
}

void GroupBuilder::chooseTile() {
  if (dot.name == "maddubs")
    return;
  int64_t vectors = llvm::divideCeil(n, dot.lanes);
  int64_t accumulators = dot.rows * dot.vectors;
  if (vectors < dot.vectors) {
    dot.vectors = vectors;
    dot.rows = std::min(kMaxRows, accumulators / vectors);
  }
  if (m < dot.rows) {
    dot.rows = m;
    dot.vectors = std::min({vectors, kMaxVectors, accumulators / m});
  }
}

/// The input as the dot product reads it; zeroPoint is what is still in it.
Value GroupBuilder::stageInput(OpBuilder &builder) {
  Value x = castShape(builder, loc, op.getLhs(), {1, 1, m, k});
  Type element = builder.getI8Type();
  int64_t subtract = 0;
  if (dot.input == DotInput::s16) {
    element = builder.getI16Type();
    subtract = zeroPoint;
    zeroPoint = 0;
  } else if (dot.input == DotInput::u8 && !isUnsigned) {
    subtract = -128;
    zeroPoint += 128;
  } else if (dot.input == DotInput::s8 && isUnsigned) {
    subtract = 128;
    zeroPoint -= 128;
  } else {
    return x;
  }
  SmallVector<int64_t> shape{1, 1, m, k};
  Value init = tensor::EmptyOp::create(builder, loc, shape, element);
  return StageOp::create(builder, loc, TypeRange{init.getType()},
                         ArrayRef<int64_t>{0, 0, 0, 0}, subtract, /*fill=*/0,
                         isUnsigned, x, init)
      .getResult(0);
}

/// [N, groups] as [panels][groups][lanes], zeros behind; the last panel ends
/// with the vectors in use.
Tensor GroupBuilder::packPerGroup(const Tensor &values) const {
  int64_t width = dot.vectors * dot.lanes;
  int64_t padded = llvm::alignTo(n, dot.lanes);
  Tensor packed(values.dtype(), {padded * groups});
  ArrayRef<int32_t> from = values.span<int32_t>(); // f32 bits, or i32
  MutableArrayRef<int32_t> to = packed.mutableSpan<int32_t>();
  for (int64_t channel = 0; channel < n; ++channel) {
    int64_t first = channel / width * width;
    int64_t pitch = std::min(width, padded - first);
    for (int64_t g = 0; g < groups; ++g)
      to[first * groups + g * pitch + channel - first] =
          from[channel * groups + g];
  }
  return packed;
}

/// -zp * sum of the weights of each group, as far as the input has one.
Tensor GroupBuilder::getCorrections() const {
  if (zeroPoint == 0)
    return Tensor(DType::i32, {1});
  Tensor sums(DType::i32, {n, groups});
  MutableArrayRef<int32_t> to = sums.mutableSpan<int32_t>();
  ArrayRef<int8_t> values = weight.span<int8_t>();
  for (int64_t i = 0; i < n * k; ++i) {
    int32_t &sum = to[i / k * groups + i % k / group];
    sum = int32_t(uint32_t(sum) -
                  uint32_t(zeroPoint) * uint32_t(int32_t(values[i])));
  }
  return packPerGroup(sums);
}

/// Panels of `vectors` as codes, or bytes; unsigned ones begin with 0.
Tensor GroupBuilder::packRows(const Tensor &rows, int64_t vectors,
                              const WeightCode &code) const {
  Packing packing{
      1,        vectors,         dot.lanes,
      dot.pack, /*isRun=*/false, getFill(weight, fxp::getLevels(op))};
  Tensor packed =
      packConvWeights(rows.reshaped({rows.shape()[0], 1, 1, k}), packing);
  if (code.isPacked())
    return encodeWeights(packed, vectors * dot.lanes * dot.pack, code);
  if (hasUnsignedWeights())
    for (int8_t &value : packed.mutableSpan<int8_t>())
      value = int8_t(uint8_t(value) ^ 0x80);
  return packed;
}

/// Whole panels, and one that ends with the vectors in use.
Tensor GroupBuilder::packWeights(WeightCode &code) {
  int64_t width = dot.vectors * dot.lanes, whole = n / width * width;
  int64_t vectors = llvm::divideCeil(n - whole, dot.lanes);
  int64_t one = dot.lanes * dot.pack;
  // Planes of codes are whole bytes for any number of vectors, or for all.
  if (one % 8) {
    one *= dot.vectors;
    vectors = whole == n ? 0 : dot.vectors;
  }
  code = chooseWeightCode(weight, one, fxp::getLevels(op), target.tables);
  if (hasUnsignedWeights())
    commonZero = code.isPacked() ? -code.offset : 128;
  auto rows = [&](int64_t first, int64_t count) {
    Tensor part(DType::i8, {count, k});
    std::copy_n(weight.data() + first * k, count * k, part.mutableData());
    return part;
  };
  if (!vectors)
    return packRows(weight, dot.vectors, code);
  if (!whole)
    return packRows(weight, vectors, code);
  Tensor panels = packRows(rows(0, whole), dot.vectors, code);
  Tensor last = packRows(rows(whole, n - whole), vectors, code);
  int64_t header = code.header(), size = panels.numBytes();
  Tensor all(DType::i8, {size + last.numBytes() - header});
  std::copy_n(panels.data(), size, all.mutableData());
  std::copy_n(last.data() + header, last.numBytes() - header,
              all.mutableData() + size);
  return all;
}

/// What zero points have above the least of them, in planes.
Tensor GroupBuilder::packZeroPoints() {
  if (!zps)
    return Tensor(DType::i8, {1});
  ArrayRef<int8_t> given = zps->span<int8_t>();
  auto [least, most] = std::minmax_element(given.begin(), given.end());
  int64_t low = *least, range = *most - low;
  commonZero += low;
  if (range == 0)
    return Tensor(DType::i8, {1});
  zeroBits = range < 4 ? 2 : range < 16 ? 4 : 8;
  if (dot.lanes * zeroBits % 8)
    zeroBits = 8;
  Tensor wide(DType::i32, {n, groups});
  for (int64_t i = 0, e = wide.numElements(); i < e; ++i)
    wide.setInt(i, given[i] - low);
  wide = packPerGroup(wide);
  Tensor codes(DType::i8, wide.shape());
  for (int64_t i = 0, e = wide.numElements(); i < e; ++i)
    codes.setInt(i, wide.getInt(i));
  return zeroBits == 8
             ? codes
             : encodeWeights(codes, dot.lanes, WeightCode{zeroBits, 0});
}

/// [M, groups] sums of the signed bytes `x`.
Value GroupBuilder::sumRows(OpBuilder &builder, Value x) const {
  Type i32 = builder.getI32Type();
  auto sum = [&](int64_t first, int64_t count, int64_t length) -> Value {
    Value part = castShape(builder, loc, x, {m, k});
    if (first || count * length != k)
      part = qg::SliceOp::create(
          builder, loc,
          RankedTensorType::get({m, count * length}, builder.getI8Type()), part,
          SmallVector<int64_t>{0, first}, SmallVector<int64_t>{1, 1});
    part = castShape(builder, loc, part, {m, count, length});
    return fxp::SumOp::create(builder, loc,
                              RankedTensorType::get({m, count}, i32), part,
                              ArrayRef<int64_t>{2}, /*x_zp=*/0,
                              /*x_unsigned=*/false);
  };
  int64_t whole = k / group, rest = k % group;
  if (!rest)
    return sum(0, whole, group);
  if (!whole)
    return sum(0, 1, rest);
  Value parts[] = {sum(0, whole, group), sum(whole * group, 1, rest)};
  return qg::ConcatOp::create(builder, loc,
                              RankedTensorType::get({m, groups}, i32), parts,
                              /*axis=*/1);
}

void GroupBuilder::build(OpBuilder &builder) {
  KernelFrame frame(builder, op);
  chooseDot();
  chooseTile();
  Value x = stageInput(builder);
  Packing packing{1, dot.vectors, dot.lanes, dot.pack, /*isRun=*/false, 0};
  WeightCode code;
  Tensor packed = packWeights(code);
  Tensor zeros = packZeroPoints();
  // A widened input has no zero point: its bytes are those before.
  Value rows = dot.input == DotInput::s16 ? op.getLhs() : x;
  Value rowSums = commonZero || zeroBits
                      ? sumRows(builder, rows)
                      : constant(builder, Tensor(DType::i32, {1}));
  Tensor groupScales =
      llvm::all_equal(scales.span<int32_t>())
          ? Tensor::from<float>(DType::f32, {1}, scales.span<float>().front())
          : packPerGroup(scales);
  if (target.hasHalves && groupScales.numElements() > 1)
    groupScales = qg::narrowToHalves(groupScales);
  bool hasBias = llvm::any_of(bias.span<int32_t>(),
                              [](int32_t value) { return value != 0; });
  Value rowScales =
      op.getLhsScales()
          ? castShape(builder, loc, op.getLhsScales(), {m})
          : constant(builder,
                     Tensor::from<float>(DType::f32, {1},
                                         op.getLhsScale().convertToFloat()));
  SmallVector<int64_t> shape{1, 1, m, n};
  auto pad = [&](const Tensor &values) { return padChannels(values, packing); };
  SmallVector<Value> extras = frame.createExtras(shape, pad);
  Value init = tensor::EmptyOp::create(builder, loc, shape,
                                       frame.getType().getElementType());
  auto kernel = GroupMatmulOp::create(
      builder, loc, TypeRange{init.getType()}, builder.getStringAttr(dot.name),
      builder.getDenseI64ArrayAttr(
          {dot.rows, dot.vectors, dot.lanes, dot.pack}),
      builder.getI64IntegerAttr(group),
      isUnsigned && dot.input == DotInput::any ? builder.getUnitAttr()
                                               : UnitAttr(),
      builder.getI64IntegerAttr(commonZero),
      builder.getI64IntegerAttr(zeroBits), x, constant(builder, packed),
      constant(builder, groupScales), constant(builder, getCorrections()),
      rowScales, constant(builder, zeros), rowSums,
      constant(builder, hasBias ? pad(bias) : Tensor(DType::f32, {1})), extras,
      init);
  setWeightCode(kernel, code);
  frame.fill(kernel, builder.getF32Type(), extras);
  frame.replaceBy(kernel.getResult(0));
}

void qopt::qcpu::selectGroupMatmul(fxp::GroupMatmulOp op,
                                   const KernelTarget &target) {
  GroupBuilder group(op, target);
  OpBuilder builder(op);
  if (group.read())
    group.build(builder);
}
