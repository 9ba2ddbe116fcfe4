//===- EmitWide.cpp - Bodies of steps on integers of 16 bits --------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Loops over pixels, and the calls of qopt_embedded_16bit.h in them. Columns
// are read where they lie, tap by tap; borders point to one pixel of zero
// points.
//===----------------------------------------------------------------------===//
#include "EmitSteps.h"
#include "FunctionWriter.h"
#include "qopt/Numerics/FixedPoint.h"
#include "qopt/Numerics/UpperWord.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::embedded;

namespace {
class WideEmitter {
public:
  WideEmitter(const Step &step, const StepConstants &constants, unsigned index,
              FunctionWriter &writer)
      : step_(step), constants_(constants), index_(index), writer_(writer),
        x_(writer.getParameter(0)),
        y_(writer.getParameter(step.inputs.size())) {}

  void run() {
    switch (step_.kind) {
    case Step::Gather:
    case Step::Direct:
    case Step::Depthwise:
    case Step::Grouped:
    case Step::SumPool:
    case Step::MaxPool:
      return emitPixels();
    case Step::Resize:
      return emitResize();
    case Step::Add:
      return emitAdd();
    case Step::Multiply:
      declareOperands(cast<fxp::MulOp>(step_.op).getZps());
      declareScales();
      return writer_.call("qopt_wide_multiply", {x_, writer_.getParameter(1),
                                                 y_, "&operands", "&scales"});
    case Step::Rescale:
      return emitRescale();
    case Step::LookUp:
      declareWidths();
      return writer_.call("qopt_wide_look_up",
                          {x_, y_, count(step_.output),
                           "(const int8_t *)" + weight("table"), "&widths"});
    case Step::ArgReduce:
      return emitArgReduce();
    default:
      return; // moves, which the emitter of bytes writes
    }
  }

private:
  static int64_t count(Value value) { return getNumElements(getShape(value)); }
  std::string weight(StringRef what) const {
    return absl::StrCat("weights->", what.str(), index_);
  }

  void declareScales() {
    bool isLong = !constants_.wideBias.empty();
    bool isFast = !isLong && !constants_.multiplier.empty();
    for (uint8_t shift : constants_.shift)
      isFast &= shift >= kLeastUpperShift;
    auto pointer = [&](bool exists, StringRef what) {
      return exists ? weight(what) : "NULL";
    };
    writer_.line(absl::StrCat(
        "const qopt_wide scales = {.bias = ",
        pointer(!constants_.bias.empty(), "bias"),
        ", .bias64 = ", pointer(isLong, "bias"), ", .multiplier = ",
        pointer(!constants_.multiplier.empty(), "multiplier"),
        ", .shift = ", pointer(!constants_.shift.empty(), "shift"),
        ", .zero_point = ", constants_.zeroPoint, ", .low = ", constants_.low,
        ", .high = ", constants_.high, ", .fast = ", isFast ? 1 : 0,
        ", .x_bytes = ", getElementBytes(step_.inputs[0]),
        ", .b_bytes = ", getElementBytes(step_.inputs.back()),
        ", .y_bytes = ", getElementBytes(step_.output), "};"));
  }

  std::string getWidths() const {
    return absl::StrCat("{.a = ", getElementBytes(step_.inputs[0]),
                        ", .b = ", getElementBytes(step_.inputs.back()),
                        ", .y = ", getElementBytes(step_.output), "}");
  }
  void declareWidths() {
    writer_.line("static const qopt_widths widths = " + getWidths() + ";");
  }

  void declareWindow() {
    const Window &w = step_.window;
    auto both = [](StringRef name, const int64_t (&yx)[2]) {
      return absl::StrCat(", .", name.str(), "_y = ", yx[0], ", .", name.str(),
                          "_x = ", yx[1]);
    };
    writer_.line(absl::StrCat(
        "static const qopt_window window = {.height = ", w.height,
        ", .width = ", w.width,
        ", .channels = ", w.channels * getElementBytes(step_.inputs[0]),
        ", .out_width = ", w.outWidth, both("kernel", w.kernel),
        both("stride", w.strides), both("pad", w.pads),
        both("dilation", w.dilations), ", .border = 0};"));
  }

  void declareGroups() {
    int64_t taps = step_.window.taps(), inputs = step_.k / taps;
    int64_t groups = step_.window.channels / inputs;
    writer_.line(absl::StrCat(
        "static const qopt_groups groups = {.n = ", step_.n, ", .taps = ", taps,
        ", .inputs = ", inputs, ", .outputs = ", step_.n / groups, "};"));
  }

  /// A pixel of zero points, which taps outside of the image point to.
  void fillBorder() {
    if (getElementBytes(step_.inputs[0]) == 1)
      writer_.call("memset",
                   {"scratch", step_.window.border, step_.window.channels});
    else
      writer_.call("qopt_wide_fill",
                   {"scratch", step_.window.border, step_.window.channels});
  }

  void emitPixels() {
    int64_t taps = step_.window.taps(), channels = step_.window.channels;
    if (step_.kind != Step::MaxPool)
      declareScales();
    if (step_.kind == Step::Depthwise)
      writer_.line(absl::StrCat("static const qopt_shape shape = {.n = ", taps,
                                ", .k = ", channels, "};"));
    else if (step_.kind != Step::MaxPool && step_.kind != Step::SumPool)
      declareGroups();
    bool isDirect = step_.kind == Step::Direct;
    if (!isDirect) {
      declareWindow();
      fillBorder();
    }
    writer_.line(absl::StrCat("const int8_t *taps[", taps, "];"));
    writer_.loop(step_.window.pixels(), 1, "pixel", [&](Value pixel) {
      if (isDirect)
        writer_.line(absl::StrCat("taps[0] = x + pixel * ",
                                  step_.k * getElementBytes(step_.inputs[0]),
                                  ";"));
      else
        writer_.call("qopt_find_taps",
                     {"taps", x_, "scratch", pixel, "&window"});
      writer_.line(absl::StrCat("int8_t *out = (int8_t *)y + pixel * ",
                                step_.n * getElementBytes(step_.output), ";"));
      emitPixel();
    });
  }

  void emitPixel() {
    int64_t taps = step_.window.taps(), channels = step_.window.channels;
    if (step_.kind == Step::MaxPool)
      writer_.call("qopt_wide_max_taps", {"taps", taps, "out", channels});
    else if (step_.kind == Step::SumPool)
      writer_.call("qopt_wide_sum_taps",
                   {"taps", taps, "out", channels, "&scales"});
    else if (step_.kind == Step::Depthwise)
      writer_.call("qopt_wide_depthwise",
                   {"taps", "out", weight("weights"), "&shape", "&scales"});
    else
      writer_.call("qopt_wide_products",
                   {"taps", "out", weight("weights"), "&groups", "&scales"});
  }

  void emitResize() {
    declareScales();
    std::vector<std::string> rows;
    int64_t first = 0;
    auto from = [&](StringRef what) {
      return first ? absl::StrCat(weight(what), " + ", first) : weight(what);
    };
    for (const GridAxis &axis : constants_.axes) {
      rows.push_back(
          absl::StrCat("    {.extent = ", axis.extent, ", .taps = ", axis.taps,
                       ", .offsets = ", from("offsets"),
                       ", .coefficients = ", from("coefficients"), "}"));
      first += axis.extent * axis.taps;
    }
    writer_.line(absl::StrCat("const qopt_grid_axis axes[] = {\n",
                              absl::StrJoin(rows, ",\n"), "};"));
    writer_.line(absl::StrCat(
        "const qopt_grid grid = {.axes = axes, .rank = ", rows.size(),
        ", .run = ", step_.n, ", .zero_point = ",
        int64_t(cast<fxp::ResizeOp>(step_.op).getXZp()), "};"));
    writer_.call("qopt_wide_resize", {x_, y_, "&grid", "&scales"});
  }

  /// `zeroPoints` as the op has them; the step may have swapped operands.
  void declareOperands(ArrayRef<int64_t> zeroPoints) {
    int first = step_.k ? 1 : 0;
    writer_.line(absl::StrCat(
        "static const qopt_operands operands = {.count = ", count(step_.output),
        ", .b_count = ", count(step_.inputs[1]), ", .zero_points = {",
        zeroPoints[first], ", ", zeroPoints[1 - first], "}};"));
  }

  void emitAdd() {
    auto add = cast<fxp::AddOp>(step_.op);
    auto [left, right] =
        getCommonFixedScales(add.getScales()[0], add.getScales()[1],
                             add.getMode().getRequantizeMode());
    int first = step_.k ? 1 : 0; // operands may be swapped
    FixedScale scales[] = {left, right};
    declareOperands(add.getZps());
    writer_.line(absl::StrCat(
        "static const qopt_wide_sum sum = {.sum = {.multipliers = {",
        scales[first].multiplier, ", ", scales[1 - first].multiplier,
        "}, .shift = ", left.shift, ", .zero_point = ", int64_t(add.getZp()),
        ", .low = ", add.getClamp()[0], ", .high = ", add.getClamp()[1],
        "}, .widths = ", getWidths(), "};"));
    writer_.call("qopt_wide_add",
                 {x_, writer_.getParameter(1), y_, "&operands", "&sum"});
  }

  void emitRescale() {
    // Unsigned integers are read where the caller's become signed ones only.
    if (cast<fxp::RequantizeOp>(step_.op).getXUnsigned())
      return writer_.call("qopt_wide_flip", {x_, y_, count(step_.output)});
    declareScales();
    writer_.call("qopt_wide_rescale",
                 {x_, y_, count(step_.output), int64_t(constants_.bias.size()),
                  "&scales"});
  }

  void emitArgReduce() {
    auto op = cast<qg::ArgReduceOp>(step_.op);
    ArrayRef<int64_t> x = getShape(op.getX());
    size_t axis = op.getAxis();
    writer_.line(
        absl::StrCat("static const qopt_search search = {.rows = ",
                     getNumElements(x.take_front(axis)), ", .count = ", x[axis],
                     ", .stride = ", getNumElements(x.drop_front(axis + 1)),
                     ", .sign = ", op.getKind() == ReduceKind::max ? 1 : -1,
                     ", .last = ", op.getSelectLast() ? 1 : 0, "};"));
    writer_.call("qopt_wide_arg_reduce", {x_, y_, "&search"});
  }

  const Step &step_;
  const StepConstants &constants_;
  unsigned index_;
  FunctionWriter &writer_;
  Value x_, y_;
};
} // namespace

void embedded::emitWideBody(const Step &step, const StepConstants &constants,
                            unsigned index, FunctionWriter &writer) {
  WideEmitter(step, constants, index, writer).run();
}
