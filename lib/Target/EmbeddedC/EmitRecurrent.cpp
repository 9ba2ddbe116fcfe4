//===- EmitRecurrent.cpp - The body of a recurrent layer ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A layer and its state as structs, and one call.
//===----------------------------------------------------------------------===//
#include "EmitSteps.h"
#include "FunctionWriter.h"
#include "qopt/Numerics/FixedPoint.h"

#include "absl/strings/str_cat.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::embedded;

/// Members of a qopt_gate_rows: those of x come first.
static std::string getGateRows(unsigned index, int64_t rows, int64_t weights,
                               int64_t row) {
  auto at = [&](StringRef what, int64_t offset) {
    std::string text = absl::StrCat("weights->", what.str(), index);
    return offset ? absl::StrCat(text, " + ", offset) : text;
  };
  return absl::StrCat("{.weights = ", at("weights", weights),
                      ", .bias = ", at("bias", rows),
                      ", .multiplier = ", at("multiplier", rows),
                      ", .shift = ", at("shift", rows), ", .row = ", row, "}");
}

/// A member of a qopt_layer.
static std::string getFactor(StringRef name, const FixedScale &factor,
                             int64_t zero) {
  return absl::StrCat(".", name.str(), " = {", factor.multiplier, ", ",
                      factor.shift, ", ", zero, "}");
}

void embedded::emitRecurrentBody(const Step &step,
                                 const StepConstants &constants, unsigned index,
                                 FunctionWriter &writer) {
  auto op = cast<fxp::RecurrentOp>(step.op);
  RecurrentScratch scratch(op);
  ArrayRef<int64_t> x = getShape(op.getX());
  StringRef kind = op.getKind();
  int64_t rows = step.n, zp = op.getZp();
  auto flag = [](bool holds) { return holds ? 1 : 0; };
  writer.line(absl::StrCat(
      "const qopt_layer layer = {.x = ", getGateRows(index, 0, 0, scratch.xRow),
      ", .state = ",
      getGateRows(index, rows, rows * scratch.xRow, scratch.stateRow),
      ", .sigmoid = ", absl::StrCat("weights->sigmoid", index),
      ", .steps = ", x[0], ", .batch = ", x[1], ", .inputs = ", x[2],
      ", .units = ", getShape(op.getR())[1], ", .kind = QOPT_", kind.upper(),
      ", .reversed = ", flag(op.getReversed()), ", .reset_first = ",
      flag(op.getResetFirst()), ", .last_only = ", flag(op.getLastOnly()),
      ", .with_cell = ", flag(op.getWithCell()), ", .hidden_bits = ",
      int64_t(op.getHiddenBits()), ", .cell_bits = ", int64_t(op.getCellBits()),
      ", ", getFactor("start", constants.factors[0], op.getHiddenZp()), ", ",
      getFactor("product", constants.factors[1], op.getStateZps()[0]), ", ",
      getFactor("reset", constants.factors[2], op.getStateZps()[1]), ", ",
      getFactor("result", constants.factors[3], zp), ", ",
      getFactor("cell_start", constants.factors[4], op.getCellZp()), ", ",
      getFactor("cell_result", constants.factors[5], zp),
      ", .low = ", op.getClamp()[0], ", .high = ", op.getClamp()[1], "};"));
  auto part = [](StringRef type, int64_t offset) {
    return absl::StrCat("(", type.str(), " *)(void *)(scratch + ", offset, ")");
  };
  writer.line(absl::StrCat(
      "const qopt_layer_state state = {.sums = ", part("int32_t", 0), ", .a = ",
      part("int16_t", scratch.a), ", .s = ", part("int16_t", scratch.s),
      ", .h = ", part("int16_t", scratch.h), ", .c = ",
      part("int16_t", scratch.c), ", .x_bytes = scratch + ", scratch.xBytes,
      ", .h_bytes = scratch + ", scratch.hBytes, ", .layer = &layer};"));
  FunctionWriter::Argument cell =
      op.getCell() ? FunctionWriter::Argument(writer.getParameter(2))
                   : FunctionWriter::Argument("NULL");
  writer.call("qopt_recurrent",
              {writer.getParameter(0), writer.getParameter(1), cell,
               writer.getParameter(step.inputs.size()), "&state"});
}
