//===- EmitSteps.cpp - A C function for every step ------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Loops over pixels are written out with their numbers; what happens in one
// pixel is a kernel of qopt_embedded.h.
//===----------------------------------------------------------------------===//
#include "EmitSteps.h"
#include "FunctionWriter.h"
#include "qopt/Numerics/UpperWord.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::embedded;

using Argument = FunctionWriter::Argument;

std::string embedded::getComment(StringRef text) {
  std::string result;
  for (char c : text)
    result += llvm::isPrint(c) && c != '*' && c != '\\' ? c : '_';
  return result;
}

static int64_t countElements(Value value) {
  return getNumElements(getShape(value));
}

static int64_t countBytes(Value value) {
  return countElements(value) * getElementBytes(value);
}

static std::string formatShape(Value value) {
  return absl::StrJoin(getShape(value), "x");
}

namespace {
class StepEmitter {
public:
  StepEmitter(MLIRContext *context, const Step &step, unsigned index,
              StringRef symbol)
      : context_(context), step_(step), index_(index), symbol_(symbol) {
    code_.name = absl::StrCat(symbol.str(), "_", index, "_",
                              getKindName(step.kind).str());
  }

  absl::StatusOr<StepCode> run() {
    auto constants = computeConstants(step_);
    if (!constants.ok())
      return constants.status();
    constants_ = std::move(*constants);
    addMembers();
    begin();
    bool isMove = step_.kind == Step::Move || step_.kind == Step::Pick ||
                  step_.kind == Step::Pad || step_.kind == Step::Concat;
    if (isWide(step_) && !isMove)
      emitWideBody(step_, constants_, index_, *writer_);
    else
      emitBody();
    FailureOr<std::string> text = writer_->finish();
    if (failed(text))
      return absl::InternalError(
          absl::StrCat("'", step_.name, "' could not be printed as C"));
    code_.text = absl::StrCat(describe(), *text, "\n");
    return std::move(code_);
  }

private:
  std::string member(StringRef what) const {
    return absl::StrCat(what.str(), index_);
  }
  template <typename T>
  void addMember(StringRef type, StringRef what, const std::vector<T> &values,
                 StringRef comment = "") {
    if (values.empty())
      return;
    Member result{type.str(), member(what), comment.str(), {}, sizeof(T)};
    result.values.assign(values.begin(), values.end());
    code_.members.push_back(std::move(result));
    code_.usesWeights = true;
  }
  void addMembers() {
    if (isTable())
      addMember("uint8_t", "codes",
                std::vector<uint8_t>(constants_.weights.begin(),
                                     constants_.weights.end()));
    else
      addMember("int8_t", "weights", constants_.weights);
    addMember("uint32_t", "weights", constants_.words);
    addMember("int8_t", "levels", constants_.levels);
    addMember("int64_t", "bias", constants_.wideBias);
    addMember("int32_t", "bias", constants_.bias);
    addMember("int32_t", "multiplier", constants_.multiplier);
    addMember("uint8_t", "shift", constants_.shift);
    addMember("int8_t", "table", constants_.table);
    addMember("int16_t", "table", constants_.wideTable);
    addMember("int32_t", "exponentials", constants_.exponentials);
    addMember("int16_t", "sigmoid", constants_.sigmoid);
    addMember("int32_t", "offsets", constants_.offsets);
    addMember("int32_t", "coefficients", constants_.coefficients);
    for (auto [i, input] : llvm::enumerate(step_.inputs)) {
      std::string name;
      if (std::optional<Tensor> constant = qg::matchConstant(input)) {
        name = absl::StrCat("constant", index_, "_", i);
        bool isByte = getElementBytes(input) == 1;
        Member result{
            isByte ? "int8_t" : "int16_t", name, "", {}, isByte ? 1 : 2};
        for (int64_t at = 0; at < constant->numElements(); ++at)
          result.values.push_back(constant->getInt(at));
        code_.members.push_back(std::move(result));
      }
      code_.constants.push_back(name);
    }
  }

  /// "3x3 stride 2 ", where there is a window.
  std::string describeWindow() const {
    const Window &w = step_.window;
    if (w.taps() <= 1 && w.strides[0] <= 1 && w.strides[1] <= 1)
      return "";
    auto pair = [](const int64_t (&yx)[2]) {
      return absl::StrCat(yx[0], "x", yx[1], " ");
    };
    std::string text = pair(w.kernel);
    if (w.strides[0] != 1 || w.strides[1] != 1)
      absl::StrAppend(&text, "stride ", pair(w.strides));
    if (w.dilations[0] != 1 || w.dilations[1] != 1)
      absl::StrAppend(&text, "dilation ", pair(w.dilations));
    return text;
  }

  /// What the function computes, as a comment.
  std::string describe() const {
    std::string from;
    for (Value input : step_.inputs)
      absl::StrAppend(&from, from.empty() ? "" : ", ", formatShape(input));
    std::string text =
        absl::StrCat("/* ", getComment(step_.name), ": ", describeWindow(),
                     getKindName(step_.kind).str(), " ", from, " -> ",
                     formatShape(step_.output));
    if (step_.macs)
      absl::StrAppend(&text, ", ", step_.macs, " products");
    if (step_.isPacked)
      absl::StrAppend(&text, ", weights of 4 bits");
    if (step_.grid.bits)
      absl::StrAppend(&text, ", weights of ", step_.grid.bits, " bits");
    if (isTable())
      absl::StrAppend(&text, ", weights out of a table of ",
                      step_.table.size());
    if (step_.batch > 1)
      absl::StrAppend(&text, ", one of ", step_.batch, " images a call");
    return absl::StrCat(text, " */\n");
  }

  void begin() {
    std::vector<FunctionWriter::Parameter> parameters;
    bool isOne = step_.inputs.size() == 1;
    for (size_t i = 0; i < step_.inputs.size(); ++i)
      parameters.push_back(
          {"const int8_t *restrict", isOne ? "x" : absl::StrCat("x", i)});
    // Both operands may be the same tensor.
    if (!isOne)
      for (auto &parameter : parameters)
        parameter.type = "const int8_t *const";
    parameters.push_back({getElementBytes(step_.output) == 8
                              ? "int64_t *restrict"
                          : step_.isSums ? "int32_t *restrict"
                                         : "int8_t *restrict",
                          "y"});
    if (code_.usesWeights)
      parameters.push_back(
          {"const " + symbol_.str() + "_weights *restrict", "weights"});
    code_.usesScratch = step_.scratch > 0;
    if (code_.usesScratch)
      parameters.push_back({"int8_t *restrict", "scratch"});
    writer_ = std::make_unique<FunctionWriter>(context_, code_.name, parameters,
                                               "QOPT_STEP");
    x_ = writer_->getParameter(0);
    y_ = writer_->getParameter(step_.inputs.size());
  }

  std::string weight(StringRef what) const {
    return absl::StrCat("weights->", what.str(), index_);
  }
  void declareScales() {
    writer_->line(absl::StrCat(
        "const qopt_scales scales = {.bias = ", weight("bias"),
        ", .multiplier = ", weight("multiplier"),
        ", .shift = ", weight("shift"),
        ", .zero_point = ", constants_.zeroPoint, ", .low = ", constants_.low,
        ", .high = ", constants_.high, ", .wide = ", constants_.isWide ? 1 : 0,
        constants_.isUntied ? ", .untied = 1" : "", "};"));
  }
  bool isTable() const { return !step_.table.empty(); }
  /// Weights as `n` rows of `k`.
  void declareRows(int64_t n, int64_t k) {
    if (isTable())
      writer_->line(
          absl::StrCat("const qopt_codes codes = {.rows = ", weight("codes"),
                       ", .levels = ", weight("levels"),
                       ", .bits = ", llvm::Log2_64(step_.table.size()), "};"));
    if (hasGrid())
      declareGrid();
    declareShape(n, k);
  }
  void declareShape(int64_t n, int64_t k) {
    writer_->line(absl::StrCat("static const qopt_shape shape = {.n = ", n,
                               ", .k = ", k, "};"));
  }
  std::string getWeights() const {
    return isTable() ? "&codes" : hasGrid() ? "&grid" : weight("weights");
  }
  bool hasGrid() const { return step_.grid.bits != 0; }
  void declareGrid() {
    writer_->line(absl::StrCat(
        "const qopt_grid_weights grid = {.words = ", weight("weights"),
        ", .least = ", step_.grid.least, ", .step = ", step_.grid.step, "};"));
  }
  /// The kernel for weights of the width of the step.
  std::string getGridKernel(StringRef what) const {
    return absl::StrCat("qopt_", what.str(), "_", step_.grid.bits, "bit");
  }
  /// Bytes of weights that take turns in the scratch.
  std::string unpackWeights() {
    declareGrid();
    writer_->call(
        getGridKernel("unpack"),
        {"scratch", "&grid", int64_t(llvm::alignTo(step_.n * step_.k, 4))});
    return "scratch";
  }
  /// A pixel outside of the image, in flash. Any pointer where there is none.
  std::string declareBorder() {
    const Window &window = step_.window;
    if (!window.leavesImage())
      return "x";
    std::vector<int64_t> pixel(window.border ? window.channels : 1,
                               window.border);
    writer_->line(absl::StrCat("static const int8_t border[", window.channels,
                               "] = {", absl::StrJoin(pixel, ", "), "};"));
    return "border";
  }
  void declareWindow() {
    const Window &w = step_.window;
    auto both = [](StringRef name, const int64_t (&yx)[2]) {
      return absl::StrCat(", .", name.str(), "_y = ", yx[0], ", .", name.str(),
                          "_x = ", yx[1]);
    };
    writer_->line(absl::StrCat(
        "static const qopt_window window = {.height = ", w.height,
        ", .width = ", w.width, ", .channels = ", w.channels,
        ", .out_width = ", w.outWidth, both("kernel", w.kernel),
        both("stride", w.strides), both("pad", w.pads),
        both("dilation", w.dilations), ", .border = ", w.border, "};"));
  }

  void emitBody() {
    switch (step_.kind) {
    case Step::Gather:
      return step_.isSums ? emitSums() : emitGather();
    case Step::Direct:
      return step_.isSums ? emitSums() : emitDirect();
    case Step::Depthwise:
    case Step::Grouped:
    case Step::SumPool:
    case Step::MaxPool:
      return emitTaps();
    case Step::Resize:
      return emitResize();
    case Step::Add:
      return emitAdd();
    case Step::Multiply:
      return emitMultiply();
    case Step::Rescale:
      declareScales();
      return writer_->call("qopt_rescale",
                           {x_, y_, countElements(step_.output),
                            int64_t(constants_.bias.size()), "&scales"});
    case Step::LookUp:
      return writer_->call("qopt_look_up", {x_, y_, countElements(step_.output),
                                            weight("table")});
    case Step::Softmax:
      return emitSoftmax();
    case Step::ArgReduce:
      return emitArgReduce();
    case Step::Move:
      return emitMove();
    case Step::Pick:
      return emitPick();
    case Step::Pad:
      return emitPad();
    case Step::Concat:
      return emitConcat();
    case Step::Recurrent:
      return emitRecurrentBody(step_, constants_, index_, *writer_);
    }
  }

  /// A loop over pairs of pixels, and the pixel left.
  void forPairs(llvm::function_ref<void(Value pixel)> pair,
                llvm::function_ref<void(int64_t pixel)> single) {
    int64_t pixels = step_.window.pixels(), even = pixels / 2 * 2;
    if (even)
      writer_->loop(even, 2, "pixel", pair);
    if (pixels % 2)
      single(pixels - 1);
  }
  std::string at(StringRef base, int64_t offset) const {
    return offset ? absl::StrCat(base.str(), " + ", offset) : base.str();
  }

  std::string getLinear(int pixels) const {
    if (hasGrid())
      return absl::StrCat(getGridKernel("linear"), "_", pixels);
    return absl::StrCat(isTable()        ? "qopt_linear_table_"
                        : step_.isPacked ? "qopt_linear4_"
                                         : "qopt_linear_",
                        pixels);
  }

  /// Pixel by pixel: networks that give sums have few.
  void emitSums() {
    bool isGathered = step_.kind == Step::Gather;
    int64_t n = step_.n, row = step_.getRow();
    declareRows(n, row);
    if (isGathered)
      declareWindow();
    writer_->loop(step_.window.pixels(), 1, "pixel", [&](Value pixel) {
      if (isGathered)
        writer_->call("qopt_gather", {"scratch", x_, pixel, "&window"});
      writer_->call(hasGrid()        ? getGridKernel("sums")
                    : isTable()      ? "qopt_sums_table"
                    : step_.isPacked ? "qopt_sums4"
                                     : "qopt_sums",
                    {isGathered ? std::string("scratch")
                                : absl::StrCat("x + pixel * ", row),
                     absl::StrCat("y + pixel * ", n), getWeights(), "&shape",
                     weight("bias")});
    });
  }

  void emitGather() {
    int64_t n = step_.n, row = step_.getRow();
    std::string second = at("scratch", row);
    declareScales();
    declareRows(n, row);
    declareWindow();
    forPairs(
        [&](Value pixel) {
          Value next = writer_->index(pixel, 1, 1, "next");
          writer_->call("qopt_gather", {"scratch", x_, pixel, "&window"});
          writer_->call("qopt_gather", {second, x_, next, "&window"});
          Value out = writer_->pointer(y_, writer_->index(pixel, n, 0, "at"),
                                       "out", false);
          writer_->call(getLinear(2),
                        {"scratch", out, getWeights(), "&shape", "&scales"});
        },
        [&](int64_t pixel) {
          writer_->call("qopt_gather", {"scratch", x_, pixel, "&window"});
          writer_->call(getLinear(1), {"scratch", at("y", pixel * n),
                                       getWeights(), "&shape", "&scales"});
        });
  }

  void emitDirect() {
    int64_t n = step_.n, k = step_.k;
    declareScales();
    declareRows(n, k);
    forPairs(
        [&](Value pixel) {
          Value first = writer_->pointer(
              x_, writer_->index(pixel, k, 0, "from"), "first", true);
          Value out = writer_->pointer(y_, writer_->index(pixel, n, 0, "at"),
                                       "out", false);
          writer_->call(getLinear(2),
                        {first, out, getWeights(), "&shape", "&scales"});
        },
        [&](int64_t pixel) {
          writer_->call(getLinear(1), {at("x", pixel * k), at("y", pixel * n),
                                       getWeights(), "&shape", "&scales"});
        });
  }

  void declareGroups() {
    int64_t taps = step_.window.taps(), inputs = step_.k / taps;
    int64_t groups = step_.window.channels / inputs;
    writer_->line(absl::StrCat(
        "static const qopt_groups groups = {.n = ", step_.n, ", .taps = ", taps,
        ", .inputs = ", inputs, ", .outputs = ", step_.n / groups, "};"));
  }

  void emitTaps() {
    int64_t taps = step_.window.taps(), channels = step_.window.channels;
    if (step_.kind != Step::MaxPool)
      declareScales();
    if (step_.kind == Step::Depthwise)
      declareShape(taps, channels);
    if (step_.kind == Step::Grouped)
      declareGroups();
    declareWindow();
    writer_->line(absl::StrCat("const int8_t *taps[", taps, "];"));
    std::string border = declareBorder();
    std::string weights = hasGrid() ? unpackWeights() : weight("weights");
    writer_->loop(step_.window.pixels(), 1, "pixel", [&](Value pixel) {
      writer_->call("qopt_find_taps",
                    {"taps", x_, border, pixel, "&window"});
      Value out = writer_->pointer(y_, writer_->index(pixel, step_.n, 0, "at"),
                                   "out", false);
      if (step_.kind == Step::Depthwise) {
        writer_->call("qopt_depthwise",
                      {"taps", out, weights, "&shape", "&scales"});
      } else if (step_.kind == Step::Grouped) {
        writer_->call("qopt_grouped",
                      {"taps", out, weights, "&groups", "&scales"});
      } else if (step_.kind == Step::SumPool) {
        writer_->call("qopt_sum_taps",
                      {"taps", taps, out, channels, "&scales"});
      } else {
        writer_->call("qopt_max_taps", {"taps", taps, out, channels});
      }
    });
  }

  void emitResize() {
    declareScales();
    std::vector<std::string> rows;
    int64_t first = 0;
    for (const GridAxis &axis : constants_.axes) {
      rows.push_back(absl::StrCat(
          "    {.extent = ", axis.extent, ", .taps = ", axis.taps,
          ", .offsets = ", at(weight("offsets"), first),
          ", .coefficients = ", at(weight("coefficients"), first), "}"));
      first += axis.extent * axis.taps;
    }
    writer_->line(absl::StrCat("const qopt_grid_axis axes[] = {\n",
                               absl::StrJoin(rows, ",\n"), "};"));
    writer_->line(absl::StrCat(
        "const qopt_grid grid = {.axes = axes, .rank = ", rows.size(),
        ", .run = ", step_.n, ", .zero_point = ",
        int64_t(cast<fxp::ResizeOp>(step_.op).getXZp()), "};"));
    writer_->call("qopt_resize", {x_, y_, "&grid", "&scales"});
  }

  /// `zeroPoints` as the op has them; the step may have swapped operands.
  void declareOperands(ArrayRef<int64_t> zeroPoints) {
    int first = step_.k ? 1 : 0;
    writer_->line(absl::StrCat(
        "static const qopt_operands operands = {.count = ",
        countElements(step_.output),
        ", .b_count = ", countElements(step_.inputs[1]), ", .zero_points = {",
        zeroPoints[first], ", ", zeroPoints[1 - first], "}};"));
  }

  void emitAdd() {
    auto add = cast<fxp::AddOp>(step_.op);
    RequantizeMode mode =
        *parseRequantizeMode(add.getMode().getKind(), add.getMode().getBits());
    auto [left, right] =
        getCommonFixedScales(add.getScales()[0], add.getScales()[1], mode);
    int first = step_.k ? 1 : 0; // operands may be swapped
    FixedScale scales[] = {left, right};
    declareOperands(add.getZps());
    ByteSum bytes{{scales[first], scales[1 - first]},
                  {add.getZps()[first], add.getZps()[1 - first]},
                  int64_t(add.getZp())};
    if (std::optional<int64_t> base = findUntiedBase(bytes)) {
      writer_->line(absl::StrCat(
          "static const qopt_untied_sum sum = {.base = INT64_C(", *base,
          "), .multipliers = {", scales[first].multiplier, ", ",
          scales[1 - first].multiplier, "}, .shift = ", left.shift, ", .low = ",
          add.getClamp()[0], ", .high = ", add.getClamp()[1], "};"));
      return writer_->call("qopt_add_untied", {x_, writer_->getParameter(1), y_,
                                               "&operands", "&sum"});
    }
    writer_->line(absl::StrCat(
        "static const qopt_sum sum = {.multipliers = {",
        scales[first].multiplier, ", ", scales[1 - first].multiplier,
        "}, .shift = ", left.shift, ", .zero_point = ", int64_t(add.getZp()),
        ", .low = ", add.getClamp()[0], ", .high = ", add.getClamp()[1], "};"));
    writer_->call("qopt_add",
                  {x_, writer_->getParameter(1), y_, "&operands", "&sum"});
  }

  void emitMultiply() {
    declareOperands(cast<fxp::MulOp>(step_.op).getZps());
    declareScales();
    writer_->call("qopt_multiply",
                  {x_, writer_->getParameter(1), y_, "&operands", "&scales"});
  }

  void emitSoftmax() {
    auto softmax = cast<fxp::SoftmaxOp>(step_.op);
    int64_t columns = getShape(step_.output).back();
    writer_->line(absl::StrCat(
        "const qopt_scores scores = {.rows = ",
        columns ? countElements(step_.output) / columns : 0,
        ", .columns = ", columns, ", .exponentials = ", weight("exponentials"),
        ", .zero_point = ", int64_t(softmax.getZp()), ", .low = ",
        softmax.getClamp()[0], ", .high = ", softmax.getClamp()[1], "};"));
    writer_->call("qopt_softmax", {x_, y_, "&scores"});
  }

  /// Steps in x of each dimension of the result, and where it begins.
  void emitMove() {
    ArrayRef<int64_t> x = getShape(step_.inputs[0]), y = getShape(step_.output);
    SmallVector<int64_t> dense(x.size(), 1), strides;
    for (size_t d = x.size(); d-- > 1;)
      dense[d - 1] = dense[d] * x[d];
    int64_t start = 0;
    if (auto transpose = dyn_cast<qg::TransposeOp>(step_.op)) {
      for (int64_t from : transpose.getPermutation())
        strides.push_back(dense[from]);
    } else if (auto slice = dyn_cast<qg::SliceOp>(step_.op)) {
      for (size_t d = 0; d < x.size(); ++d) {
        strides.push_back(dense[d] * slice.getStrides()[d]);
        start += dense[d] * slice.getOffsets()[d];
      }
    } else { // broadcast
      for (size_t d = 0; d < y.size(); ++d) {
        size_t missing = y.size() - x.size();
        bool repeats = d < missing || x[d - missing] == 1;
        strides.push_back(repeats ? 0 : dense[d - missing]);
      }
    }
    if (y.empty()) {
      writer_->call("memcpy", {y_, x_, getElementBytes(step_.output)});
      return;
    }
    SmallVector<int64_t> extents(y);
    if (int64_t bytes = getElementBytes(step_.output); bytes > 1) {
      for (int64_t &stride : strides)
        stride *= bytes;
      start *= bytes;
      extents.push_back(bytes);
      strides.push_back(1);
    }
    writer_->line(absl::StrCat("static const int32_t extents[] = {",
                               absl::StrJoin(extents, ", "), "};"));
    writer_->line(absl::StrCat("static const int32_t strides[] = {",
                               absl::StrJoin(strides, ", "), "};"));
    writer_->call("qopt_move", {at("x", start), y_, "extents", "strides",
                                int64_t(extents.size())});
  }

  void emitArgReduce() {
    auto op = cast<qg::ArgReduceOp>(step_.op);
    ArrayRef<int64_t> x = getShape(op.getX());
    size_t axis = op.getAxis();
    writer_->line(
        absl::StrCat("static const qopt_search search = {.rows = ",
                     getNumElements(x.take_front(axis)), ", .count = ", x[axis],
                     ", .stride = ", getNumElements(x.drop_front(axis + 1)),
                     ", .sign = ", op.getKind() == ReduceKind::max ? 1 : -1,
                     ", .last = ", op.getSelectLast() ? 1 : 0, "};"));
    writer_->call("qopt_arg_reduce", {x_, y_, "&search"});
  }

  void emitPick() {
    ArrayRef<int64_t> x = getShape(step_.inputs[0]);
    size_t axis = cast<qg::GatherOp>(step_.op).getAxis();
    int64_t bytes =
        getNumElements(x.drop_front(axis + 1)) * getElementBytes(step_.output);
    writer_->line(absl::StrCat(
        "static const qopt_pieces pieces = {.rows = ",
        getNumElements(x.take_front(axis)), ", .row = ", x[axis] * bytes,
        ", .count = ", constants_.offsets.size(), ", .bytes = ", bytes, "};"));
    writer_->call("qopt_pick", {x_, y_, weight("offsets"), "&pieces"});
  }

  /// Bytes that two arrays share lie at strides of their own in both.
  void emitPad() {
    auto pad = cast<qg::PadOp>(step_.op);
    ArrayRef<int64_t> x = getShape(step_.inputs[0]), y = getShape(step_.output);
    int64_t width = getElementBytes(step_.output);
    SmallVector<int64_t> extents, from(x.size(), width), to(x.size(), width);
    int64_t xStart = 0, yStart = 0;
    for (size_t d = x.size(); d-- > 1;) {
      from[d - 1] = from[d] * x[d];
      to[d - 1] = to[d] * y[d];
    }
    for (size_t d = 0; d < x.size(); ++d) {
      int64_t low = pad.getLow()[d], high = pad.getHigh()[d];
      int64_t cropped = std::max<int64_t>(-low, 0);
      extents.push_back(x[d] - cropped - std::max<int64_t>(-high, 0));
      xStart += cropped * from[d];
      yStart += std::max<int64_t>(low, 0) * to[d];
    }
    std::optional<Tensor> value =
        pad.getValue() ? qg::matchConstant(pad.getValue()) : std::nullopt;
    int64_t stored = value ? value->getInt(0) : 0;
    if (width == 1)
      writer_->call("memset", {y_, stored, countBytes(step_.output)});
    else
      writer_->call("qopt_wide_fill",
                    {y_, stored, countElements(step_.output)});
    if (llvm::any_of(extents, [](int64_t extent) { return extent <= 0; }))
      return writer_->line("(void)x;"); // all of it is cropped
    extents.back() *= width;
    auto declare = [&](StringRef name, ArrayRef<int64_t> numbers) {
      writer_->line(absl::StrCat("static const int32_t ", name.str(), "[] = {",
                                 absl::StrJoin(numbers, ", "), "};"));
    };
    declare("extents", extents);
    declare("from", from);
    declare("to", to);
    writer_->line(absl::StrCat(
        "static const qopt_box box = {.extents = extents, .from = from, "
        ".to = to, .rank = ",
        x.size(), "};"));
    writer_->call("qopt_pad", {at("x", xStart), at("y", yStart), "&box"});
  }

  void emitConcat() {
    auto concat = cast<qg::ConcatOp>(step_.op);
    ArrayRef<int64_t> y = getShape(step_.output);
    size_t axis = concat.getAxis();
    int64_t rows = getNumElements(y.take_front(axis));
    int64_t width = getElementBytes(step_.output);
    int64_t stride = getNumElements(y.drop_front(axis)) * width, offset = 0;
    for (auto [i, input] : llvm::enumerate(step_.inputs)) {
      int64_t bytes = getNumElements(getShape(input).drop_front(axis)) * width;
      writer_->call("qopt_place", {writer_->getParameter(i), at("y", offset),
                                   rows, bytes, stride});
      offset += bytes;
    }
  }

  MLIRContext *context_;
  const Step &step_;
  unsigned index_;
  StringRef symbol_;
  StepConstants constants_;
  StepCode code_;
  std::unique_ptr<FunctionWriter> writer_;
  Value x_, y_;
};
} // namespace

absl::StatusOr<StepCode> embedded::emitStep(MLIRContext *context,
                                            const Step &step, unsigned index,
                                            StringRef symbol) {
  return StepEmitter(context, step, index, symbol).run();
}
