//===- RefineBiases.cpp - Biases that few bits would round coarsely -------===//
// SPDX-License-Identifier: Apache-2.0
//
// A file means its float biases as they are. Where sums become floats, the
// bias is added to those; where they become bytes, weights of few bits take
// the room that is left in a byte, which makes the steps of sums finer.
//===----------------------------------------------------------------------===//
#include "qopt/Analysis/BiasGrid.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

namespace qopt {
#include "qopt/Transforms/RefineBiases.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// x * w + b -> (x * w) + b, of floats.
static void splitBias(LinearOpInterface op) {
  OpBuilder builder(op);
  Value bias = op.getBias();
  OperationState state(op->getLoc(), op->getName().getStringRef(),
                       {op.getInput(), op.getWeight()}, op->getResultTypes(),
                       op->getAttrs());
  Value sums = builder.create(state)->getResult(0);
  Value sum = qg::BinaryOp::create(builder, op->getLoc(), sums.getType(),
                                   BinaryKind::add, sums, bias,
                                   /*clamp=*/DenseI64ArrayAttr());
  op->getResult(0).replaceAllUsesWith(sum);
  op->erase();
}

/// Levels low, low + 1, .. high times 2^bits, the last one repeated; empty
/// where no format of a table has as few.
static SmallVector<int8_t> getTable(int64_t low, int64_t high, unsigned bits) {
  constexpr int64_t kLeast = 4, kMost = 32;
  int64_t count = kLeast;
  while (count < high - low + 1)
    count *= 2;
  SmallVector<int8_t> table;
  for (int64_t i = 0; i < count && count <= kMost; ++i)
    table.push_back(int8_t(std::min(low + i, high) * (int64_t(1) << bits)));
  return table;
}

/// Scales by channel of the weight times 2^bits, each multiplied with its
/// factor.
static SmallVector<float> growScales(const BiasGrid &grid,
                                     ArrayRef<double> factors, unsigned bits) {
  SmallVector<float> scales = grid.weight.getScaleVector();
  scales.resize(factors.size(), scales.front());
  for (auto [scale, factor] : llvm::zip(scales, factors))
    scale = std::ldexp(float(double(scale) * factor), -static_cast<int>(bits));
  return scales;
}

/// The stored weight as it is, with other scales.
static Value rescaleWeight(const BiasGrid &grid, ArrayRef<float> scales) {
  LinearOpInterface op = grid.op;
  OpBuilder builder(op);
  SmallVector<int32_t> zeros;
  for (int64_t zero : grid.weight.getZeroPointVector())
    zeros.push_back(int32_t(zero));
  if (zeros.size() == 1)
    zeros.resize(scales.size(), zeros.front());
  auto element =
      qg::QuantizedType::getPerAxis(op.getContext(), grid.weight.getFormat(),
                                    op.getOutputAxis(), scales, zeros);
  return qg::createConstant(
      builder, op.getWeight().getLoc(), *qg::matchConstant(op.getWeight()),
      RankedTensorType::get(grid.bytes.shape(), element), "w");
}

/// The weight times 2^bits in steps of 2^-bits: the same numbers, as codes of a
/// table where one holds them.
static Value growWeight(const BiasGrid &grid, ArrayRef<float> scales,
                        unsigned bits) {
  LinearOpInterface op = grid.op;
  OpBuilder builder(op);
  ArrayRef<int8_t> bytes = grid.bytes.span<int8_t>();
  int64_t low = *llvm::min_element(bytes), high = *llvm::max_element(bytes);
  SmallVector<int8_t> table = getTable(low, high, bits);
  Tensor stored(DType::i8, grid.bytes.shape());
  for (auto [i, byte] : llvm::enumerate(bytes))
    stored.setInt(i, table.empty() ? int64_t(byte) * (int64_t(1) << bits)
                                   : byte - low);
  std::string format = table.empty()
                           ? "si8"
                           : ("lut" + Twine(llvm::Log2_64(table.size()))).str();
  auto element = qg::QuantizedType::getPerAxis(
      op.getContext(), format, op.getOutputAxis(), scales, {}, 0, table);
  return qg::createConstant(builder, op.getWeight().getLoc(), stored,
                            RankedTensorType::get(grid.bytes.shape(), element),
                            "w");
}

namespace {
/// What is lost of a bias, in steps of the result.
struct Refined {
  LinearOpInterface op;
  double loss;
};
} // namespace

/// As many bits more as it takes until all sums give what the float formula
/// gives, or until a rounding is negligible; and the biases on that grid.
static Refined growWeights(const BiasGrid &grid) {
  LinearOpInterface op = grid.op;
  unsigned room = grid.getRoom(), bits = 0;
  PlacedBiases placed = grid.place(bits);
  while (bits < room && !placed.isExact)
    placed = grid.place(++bits);
  if (!placed.isExact && grid.givesFewLevels())
    placed = grid.place(bits, /*fits=*/true);
  SmallVector<float> scales = growScales(grid, placed.factors, bits);
  if (bits)
    op.setWeight(growWeight(grid, scales, bits));
  else if (llvm::any_of(placed.factors, [](double f) { return f != 1; }))
    op.setWeight(rescaleWeight(grid, scales));
  Tensor bias(DType::f32, {int64_t(placed.whole.size())});
  for (auto [o, whole] : llvm::enumerate(placed.whole))
    bias.mutableSpan<float>()[o] =
        float(whole * double(grid.x.getScale()) * double(scales[o]));
  OpBuilder builder(op);
  op.setBias(qg::createConstant(
      builder, op.getBias().getLoc(), bias,
      RankedTensorType::get(bias.shape(), builder.getF32Type()), "bias"));
  return {op, placed.isExact ? 0 : grid.getLoss(bits)};
}

/// A loss that somebody should know of.
static void noteLoss(const Refined &refined) {
  constexpr double kWorthTelling = 1.0 / 32;
  Operation *op = refined.op;
  if (refined.loss > kWorthTelling &&
      qg::getQuantizedType(op->getResult(0).getType()))
    op->setAttr(kBiasRoundingAttr,
                Builder(op->getContext()).getF64FloatAttr(refined.loss));
}

namespace {
struct RefineBiases : qopt::impl::RefineBiasesBase<RefineBiases> {
  using RefineBiasesBase::RefineBiasesBase;
  void runOnOperation() override {
    SmallVector<LinearOpInterface> ops;
    getOperation().walk([&](LinearOpInterface op) { ops.push_back(op); });
    for (LinearOpInterface op : ops) {
      bool isModels = bool(op->removeAttr(kModelWeightAttr));
      if (marked && !isModels)
        continue;
      std::optional<BiasGrid> grid = BiasGrid::match(op);
      if (!grid || grid->getLoss() == 0)
        continue;
      bool isFloat = getTensorType(op->getResult(0)).getElementType().isF32();
      if (!grid->hasFewBits() && !grid->givesFewLevels())
        noteLoss({op, grid->getLoss()});
      else if (isFloat && split)
        splitBias(op);
      else
        noteLoss(growWeights(*grid));
    }
  }
};
} // namespace
