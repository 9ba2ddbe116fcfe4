//===- Recurrent.cpp - Constants and scratch of recurrent layers ----------===//
// SPDX-License-Identifier: Apache-2.0
//
// Rows of weights are padded to words, as the kernels of products want them;
// the zero point of the input goes into its bias.
//===----------------------------------------------------------------------===//
#include "qopt/Numerics/Recurrent.h"
#include "Steps.h"

#include "absl/strings/str_cat.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::embedded;

RecurrentScratch::RecurrentScratch(fxp::RecurrentOp op) {
  int64_t rows = getShape(op.getR())[0], units = getShape(op.getR())[1];
  xRow = llvm::alignTo(getShape(op.getX())[2], 4);
  stateRow = llvm::alignTo(units, 4);
  // Behind sums of 32 bits; words stay whole.
  a = 4 * rows;
  s = a + 2 * llvm::alignTo(rows, 2);
  h = s + 2 * llvm::alignTo(rows, 2);
  c = h + 2 * llvm::alignTo(units, 2);
  xBytes = c + (op.getCell() ? 2 * llvm::alignTo(units, 2) : 0);
  hBytes = xBytes + xRow;
  bytes = hBytes + stateRow;
}

namespace {
/// Weights, biases and scales of x or of the state.
struct Side {
  Value weights, bias;
  ElementsAttr scales;
  int64_t row, zeroPoint;
};
} // namespace

static absl::Status fillSide(const Step &step, const Side &side,
                             RequantizeMode mode, StepConstants &constants) {
  std::optional<Tensor> weights = qg::matchConstant(side.weights);
  std::optional<Tensor> bias = qg::matchConstant(side.bias);
  FailureOr<Tensor> scales = qg::getTensor(side.scales, side.scales.getType());
  if (!weights || !bias || failed(scales))
    return absl::InternalError("the numbers of a recurrent layer are missing");
  int64_t rows = weights->shape()[0], depth = weights->shape()[1];
  for (int64_t n = 0; n < rows; ++n) {
    int64_t sum = 0, magnitude = 0;
    for (int64_t k = 0; k < side.row; ++k) {
      int64_t value = k < depth ? weights->getInt(n * depth + k) : 0;
      constants.weights.push_back(int8_t(value));
      sum += value;
      magnitude += std::abs(value);
    }
    int64_t folded = bias->getInt(n) - side.zeroPoint * sum;
    FixedScale scale = getFixedScale(float(scales->getFloat(n)), mode);
    if (std::abs(folded) + magnitude * 128 > INT32_MAX ||
        scale.multiplier > INT32_MAX)
      return absl::UnimplementedError(absl::StrCat(
          "'", step.name, "': sums of row ", n, " can leave 32 bits"));
    constants.bias.push_back(int32_t(folded));
    constants.multiplier.push_back(int32_t(scale.multiplier));
    constants.shift.push_back(uint8_t(scale.shift));
  }
  return absl::OkStatus();
}

absl::Status embedded::fillRecurrent(const Step &step,
                                     StepConstants &constants) {
  auto op = cast<fxp::RecurrentOp>(step.op);
  RecurrentScratch scratch(op);
  RequantizeMode mode = op.getMode().getRequantizeMode();
  Side ofX{op.getW(), op.getBias(), op.getXScales(), scratch.xRow,
           int64_t(op.getXZp())};
  // The bias of the state holds its zero point.
  Side ofState{op.getR(), op.getStateBias(), op.getStateScales(),
               scratch.stateRow, 0};
  for (const Side &side : {ofX, ofState})
    if (absl::Status status = fillSide(step, side, mode, constants);
        !status.ok())
      return status;
  for (float factor : op.getScales()) {
    constants.factors.push_back(getFixedScale(factor, mode));
    if (constants.factors.back().multiplier > INT32_MAX)
      return absl::UnimplementedError(
          absl::StrCat("'", step.name, "': a scale is out of range"));
  }
  constants.sigmoid = getSigmoidTable();
  return absl::OkStatus();
}
