//===- Window.cpp - Sliding window with a line buffer ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Reading ahead and writing happen in one loop, so that the unit never waits
// for a whole image. The compiler runs the same counters: the number of
// iterations is a constant, and the simulation of FIFOs sees every token.
// A pixel is written to memory some stages behind its arrival; it counts as
// arrived kLag iterations later, so that the pipeline never reads too early.
//===----------------------------------------------------------------------===//
#include "Window.h"
#include "Convert.h"
#include "Unit.h"
#include "Verify.h"
#include "qopt/Dialect/FXP/IR/FXP.h"

#include <algorithm>
#include <array>

using namespace mlir;
using namespace qopt;
using namespace qopt::hls;

/// Iterations between a pixel's arrival and its first use.
static constexpr int kLag = 3;

namespace {
/// A window along one dimension.
struct WindowAxis {
  int64_t kernel, stride, padLow, padHigh, dilation;

  /// Its positions on that many pixels.
  int64_t getOutput(int64_t input) const;
};
} // namespace

int64_t WindowAxis::getOutput(int64_t input) const {
  int64_t span = (kernel - 1) * dilation + 1;
  int64_t room = input + padLow + padHigh - span;
  return room < 0 ? 0 : room / stride + 1;
}

int64_t WindowOp::getOutputHeight() {
  WindowAxis axis{getKernel()[0], getStrides()[0], getPads()[0], getPads()[2],
                  getDilations()[0]};
  return axis.getOutput(getShape()[0]);
}

int64_t WindowOp::getOutputWidth() {
  WindowAxis axis{getKernel()[1], getStrides()[1], getPads()[1], getPads()[3],
                  getDilations()[1]};
  return axis.getOutput(getShape()[1]);
}

LogicalResult WindowOp::verify() {
  if (getShape().size() != 3 || getKernel().size() != 2 ||
      getStrides().size() != 2 || getPads().size() != 4 ||
      getDilations().size() != 2) // C1
    return emitOpError("expects shape [H, W, C], two kernel extents, strides "
                       "and dilations, four pads");
  for (ArrayRef<int64_t> values :
       {getShape(), getKernel(), getStrides(), getDilations()})
    if (llvm::any_of(values, [](int64_t value) { return value < 1; })) // C2
      return emitOpError("expects positive extents, strides and dilations");
  if (llvm::any_of(getPads(), [](int64_t value) { return value < 0; })) // C2
    return emitOpError("expects pads that are not negative");
  int64_t height = getOutputHeight(), width = getOutputWidth();
  if (height < 1 || width < 1) // C2
    return emitOpError("expects a window that fits into the padded image");
  StreamType in = getInput().getType(), out = getResult().getType();
  int64_t channels = getShape()[2];
  if (in.getElement() != out.getElement()) // C3
    return emitOpError("expects equal elements on both sides");
  int64_t fill = getFill();
  if (fill < in.getLow() || fill > in.getHigh()) // C3
    return emitOpError() << "expects a fill inside the element's range, got "
                         << fill;
  return success(
      succeeded(checkReaders(*this)) &&
      succeeded(checkDivides(*this, in.getLanes(), channels, "lanes")) && // C4
      succeeded(checkElements(*this, in,
                              getShape()[0] * getShape()[1] * channels,
                              "an input")) &&                         // C4
      succeeded(checkLanes(*this, out, in.getLanes(), "a result")) && // C5
      succeeded(checkElements(*this, out, height * width * getTaps() * channels,
                              "a result"))); // C5
}

bool Geometry::isWhole() const {
  return kernel[0] == image[0] && kernel[1] == image[1] &&
         llvm::all_of(pads, [](int64_t pad) { return pad == 0; });
}

bool Geometry::isPointwise() const {
  return kernel[0] == 1 && kernel[1] == 1 && strides[0] == 1 &&
         strides[1] == 1 &&
         llvm::all_of(pads, [](int64_t pad) { return pad == 0; });
}

FailureOr<Geometry> hls::getGeometry(Operation *op, const qg::Window &window) {
  ArrayRef<int64_t> shape = getShape(op->getOperand(0));
  ArrayRef<int64_t> kernel = window.kernel, pads = window.pads;
  if (kernel.empty() || kernel.size() > 2 || shape.size() != kernel.size() + 2)
    return refuse(op) << "expects one or two spatial dimensions, got "
                      << kernel.size();
  if (shape[0] != 1)
    return refuse(op) << "expects a batch of 1, got " << shape[0];
  Geometry geometry;
  bool isFlat = kernel.size() == 1;
  auto widen = [&](ArrayRef<int64_t> values, int64_t missing) {
    SmallVector<int64_t> result;
    if (isFlat)
      result.push_back(missing);
    llvm::append_range(result, values);
    return result;
  };
  geometry.image = widen(shape.drop_front(), 1);
  geometry.kernel = widen(kernel, 1);
  geometry.strides = widen(window.strides, 1);
  geometry.dilations = widen(window.dilations, 1);
  if (isFlat)
    geometry.pads = {0, pads[0], 0, pads[1]};
  else
    geometry.pads.assign(pads.begin(), pads.end());
  return geometry;
}

FailureOr<Value> hls::makeWindow(Operation *op, Streams &streams, Value stream,
                                 const WindowRequest &request) {
  auto [geometry, fill, channelsOuter] = request;
  if (geometry.isPointwise())
    return stream;
  StreamType type = cast<StreamType>(stream.getType());
  bool isPadded =
      llvm::any_of(geometry.pads, [](int64_t pad) { return pad != 0; });
  if (!isPadded)
    fill = std::clamp(fill, type.getLow(), type.getHigh());
  if (fill < type.getLow() || fill > type.getHigh())
    return refuse(op) << "its padding value " << fill
                      << " is outside of its input's range [" << type.getLow()
                      << ", " << type.getHigh() << "]";
  int64_t positions = 1;
  for (unsigned dim : {0, 1}) {
    WindowAxis axis{geometry.kernel[dim], geometry.strides[dim],
                    geometry.pads[dim], geometry.pads[dim + 2],
                    geometry.dilations[dim]};
    positions *= axis.getOutput(geometry.image[dim]);
  }
  int64_t elements =
      positions * geometry.kernel[0] * geometry.kernel[1] * geometry.image[2];
  return WindowOp::create(streams.builder(), op->getLoc(),
                          getStream(elements, type.getElement()), stream,
                          geometry.image, geometry.kernel, geometry.strides,
                          geometry.pads, geometry.dilations, fill,
                          channelsOuter)
      .getResult();
}

namespace {
class WindowUnit : public Unit {
public:
  explicit WindowUnit(WindowOp op) : Unit(op), window_(op) {
    lanes_ = op.getInput().getType().getLanes();
  }

  void fold(int64_t cycles) override {
    int64_t reads = window_.getShape()[0] * window_.getShape()[1] * channels();
    int64_t writes = positions() * window_.getTaps() * channels();
    lanes_ = pickDivisor(channels(), [&](int64_t lanes) {
      return std::max(reads, writes) / lanes <= cycles;
    });
  }
  Lanes getLanes() const override { return Lanes::OfReader; }
  void setLanes(int64_t lanes) override { lanes_ = lanes; }
  int64_t inputLanes(unsigned) const override { return lanes_; }
  int64_t outputLanes() const override { return lanes_; }

  int64_t cycles() const override { return schedule().size(); }
  Action action(int64_t iteration) const override {
    return schedule()[iteration];
  }

  Resources resources(const Part &part) const override {
    Resources result{200, 0, 0};
    if (!isSubsample())
      result += getMemory(depth(), lanes_ * input().getBits());
    return result;
  }

  std::string describe() const override {
    WindowOp op = window_;
    return (Twine(op.getKernel()[0]) + "x" + Twine(op.getKernel()[1]) +
            " window, stride " + Twine(op.getStrides()[0]) + ", over " +
            Twine(op.getShape()[0]) + "x" + Twine(op.getShape()[1]) + "x" +
            Twine(channels()))
        .str();
  }

  void emit(Text &text, StringRef name) const override {
    openFunction(text, name, op_);
    isSubsample() ? emitSubsample(text) : emitLineBuffer(text);
    text.close();
  }

private:
  int64_t channels() const { return WindowOp(window_).getShape()[2]; }
  int64_t positions() const {
    WindowOp op = window_;
    return op.getOutputHeight() * op.getOutputWidth();
  }
  /// Pixels are left out, nothing is kept.
  bool isSubsample() const {
    WindowOp op = window_;
    return op.getTaps() == 1 &&
           llvm::all_of(op.getPads(), [](int64_t pad) { return pad == 0; });
  }
  /// Rows of the buffer: the window's, and as many as arrive meanwhile.
  int64_t rows() const {
    WindowOp op = window_;
    int64_t span = (op.getKernel()[0] - 1) * op.getDilations()[0] + 1;
    return span + std::min(op.getStrides()[0], op.getShape()[0]);
  }

  /// Words of it.
  int64_t depth() const {
    return rows() * WindowOp(window_).getShape()[1] * (channels() / lanes_);
  }
  /// Bits of every counter and coordinate of emitLineBuffer.
  unsigned getIndexBits() const {
    WindowOp op = window_;
    int64_t most = channels() / lanes_;
    for (unsigned dim : {0, 1})
      most = std::max(most, op.getShape()[dim] + op.getPads()[dim] +
                                op.getPads()[dim + 2] + 2 * rows() +
                                op.getKernel()[dim] * op.getDilations()[dim]);
    return getSignedBits(-most, most);
  }

  const std::vector<Action> &schedule() const {
    if (scheduledLanes_ != lanes_) {
      scheduledLanes_ = lanes_;
      schedule_ = isSubsample() ? scheduleSubsample() : scheduleLineBuffer();
    }
    return schedule_;
  }

  std::vector<Action> scheduleSubsample() const {
    WindowOp op = window_;
    std::vector<Action> result;
    for (int64_t y = 0; y < op.getShape()[0]; ++y)
      for (int64_t x = 0; x < op.getShape()[1]; ++x)
        for (int64_t c = 0; c < channels() / lanes_; ++c) {
          bool isKept =
              y % op.getStrides()[0] == 0 && x % op.getStrides()[1] == 0;
          result.push_back({1, uint8_t(isKept)});
        }
    return result;
  }

  /// The loop of emitLineBuffer.
  std::vector<Action> scheduleLineBuffer() const {
    WindowOp op = window_;
    int64_t height = op.getShape()[0], width = op.getShape()[1],
            groups = channels() / lanes_, outHeight = op.getOutputHeight(),
            outWidth = op.getOutputWidth(), kernelHeight = op.getKernel()[0],
            kernelWidth = op.getKernel()[1];
    bool outer = op.getChannelsOuter();
    int64_t inY = 0, inX = 0, inC = 0, y = 0, x = 0, c = 0, ky = 0, kx = 0;
    int64_t top = -op.getPads()[0], left = -op.getPads()[1];
    // The pixel to come, as it was in the last iterations.
    std::array<std::array<int64_t, 3>, kLag - 1> before = {};
    std::vector<Action> result;
    while (inY < height || y < outHeight) {
      int64_t row = top + ky * op.getDilations()[0];
      int64_t column = left + kx * op.getDilations()[1];
      bool isInside = row >= 0 && row < height && column >= 0 && column < width;
      auto [seenY, seenX, seenC] = before.back();
      bool hasArrived =
          row < seenY ||
          (row == seenY && (column < seenX || (column == seenX && c < seenC)));
      bool writes = y < outHeight && (!isInside || hasArrived);
      bool reads = inY < height && (y == outHeight || inY < top + rows());
      result.push_back({uint8_t(reads), uint8_t(writes)});
      std::move_backward(before.begin(), before.end() - 1, before.end());
      before.front() = {inY, inX, inC};
      if (reads && ++inC == groups) {
        inC = 0;
        if (++inX == width) {
          inX = 0;
          ++inY;
        }
      }
      if (!writes)
        continue;
      auto nextTap = [&] {
        if (++kx < kernelWidth)
          return false;
        kx = 0;
        if (++ky < kernelHeight)
          return false;
        ky = 0;
        return true;
      };
      auto nextGroup = [&] {
        if (++c < groups)
          return false;
        c = 0;
        return true;
      };
      bool isDone = outer ? nextTap() && nextGroup() : nextGroup() && nextTap();
      if (!isDone)
        continue;
      left += op.getStrides()[1];
      if (++x < outWidth)
        continue;
      x = 0;
      left = -op.getPads()[1];
      top += op.getStrides()[0];
      ++y;
    }
    return result;
  }

  void emitSubsample(Text &text) const {
    WindowOp op = window_;
    text.loop("y", op.getShape()[0]);
    text.loop("x", op.getShape()[1]);
    text.loop("c", channels() / lanes_);
    text.pragma("PIPELINE II=1 style=flp");
    text.line("const " + getWordName(input()) + " pixel = in.read();");
    text.line("if (y % " + Twine(op.getStrides()[0]) + " == 0 && x % " +
              Twine(op.getStrides()[1]) + " == 0)");
    text.line("  out.write(pixel);");
    for (int i = 0; i < 3; ++i)
      text.close();
  }

  void emitLineBuffer(Text &text) const {
    WindowOp op = window_;
    int64_t width = op.getShape()[1], groups = channels() / lanes_;
    emitMemory(text);
    emitIndices(text);
    text.loop("t", cycles());
    text.pragma("PIPELINE II=1 style=flp");
    emitConditions(text);
    text.open("if (writes)");
    emitFill(text);
    text.open("if (inside)");
    text.line("pixel = rows[slot][column][c];");
    text.close();
    text.line("out.write(pixel);");
    text.close();
    for (StringRef axis : {"y", "x", "c"}) {
      text.line("seen_" + axis + " = last_" + axis + ";");
      text.line("last_" + axis + " = in_" + axis + ";");
    }
    text.open("if (reads)");
    text.line("rows[in_slot][in_x][in_c] = in.read();");
    emitStep(text, {{"in_c", groups}, {"in_x", width}},
             {"++in_y;", "if (++in_slot == " + std::to_string(rows()) + ")",
              "  in_slot = 0;"});
    text.close();
    text.open("if (writes)");
    SmallVector<std::pair<StringRef, int64_t>> counters = {
        {"kx", op.getKernel()[1]}, {"ky", op.getKernel()[0]}};
    counters.insert(op.getChannelsOuter() ? counters.end() : counters.begin(),
                    {"c", groups});
    emitAdvance(text, counters);
    text.close();
    text.close();
  }

  void emitMemory(Text &text) const {
    WindowOp op = window_;
    int64_t width = op.getShape()[1], groups = channels() / lanes_;
    std::string word = getWordName(input());
    text.line("// The last " + Twine(rows()) + " rows of the image.");
    text.line("static " + word + " rows[" + Twine(rows()) + "][" +
              Twine(width) + "][" + Twine(groups) + "];");
    text.pragma(Twine("BIND_STORAGE variable=rows type=ram_s2p impl=") +
                pickMemory(depth()));
    text.pragma("DEPENDENCE variable=rows type=inter direction=RAW distance=" +
                Twine(kLag) + " dependent=true");
  }

  void emitIndices(Text &text) const {
    WindowOp op = window_;
    text.directive("#ifdef __SYNTHESIS__");
    text.line("typedef ap_int<" + Twine(getIndexBits()) +
              "> index_t; // holds every coordinate below");
    text.directive("#else");
    text.line("typedef int index_t;");
    text.directive("#endif");
    text.line("index_t in_y = 0, in_x = 0, in_c = 0;        // pixel to come");
    text.line(
        "index_t in_slot = 0;                         // its row in rows");
    text.line(
        "index_t last_y = 0, last_x = 0, last_c = 0;  // an iteration ago");
    text.line(
        "index_t seen_y = 0, seen_x = 0, seen_c = 0;  // two ago: in memory");
    text.line(
        "index_t y = 0, x = 0, ky = 0, kx = 0, c = 0; // position and tap");
    int64_t topSlot = (-op.getPads()[0] % rows() + rows()) % rows();
    text.line("index_t top = " + Twine(-op.getPads()[0]) + ", left = " +
              Twine(-op.getPads()[1]) + "; // corner of the window");
    text.line("index_t top_slot = " + Twine(topSlot) +
              "; // of the window's first row");
  }

  /// Where the tap is, and whether a pixel goes out or comes in.
  void emitConditions(Text &text) const {
    WindowOp op = window_;
    int64_t height = op.getShape()[0], width = op.getShape()[1];
    auto scaled = [](StringRef name, int64_t factor) {
      return factor == 1 ? name.str() : (name + " * " + Twine(factor)).str();
    };
    text.line("const index_t row = top + " +
              scaled("ky", op.getDilations()[0]) + ";");
    text.line("const index_t column = left + " +
              scaled("kx", op.getDilations()[1]) + ";");
    text.line("index_t slot = top_slot + " +
              scaled("ky", op.getDilations()[0]) + ";");
    text.line("if (slot >= " + Twine(rows()) + ")");
    text.line("  slot -= " + Twine(rows()) + ";");
    text.line("const bool inside = row >= 0 && row < " + Twine(height) +
              " && column >= 0 && column < " + Twine(width) + ";");
    text.line(
        "const bool arrived = row < seen_y || (row == seen_y && (column < "
        "seen_x || (column == seen_x && c < seen_c)));");
    text.line("const bool writes = y < " + Twine(op.getOutputHeight()) +
              " && (!inside || arrived);");
    text.line("const bool reads = in_y < " + Twine(height) +
              " && (y == " + Twine(op.getOutputHeight()) + " || in_y < top + " +
              Twine(rows()) + ");");
  }

  /// A word of padding.
  void emitFill(Text &text) const {
    WindowOp op = window_;
    text.line(getWordName(input()) + " pixel = 0;");
    if (op.getFill() == 0 ||
        llvm::all_of(op.getPads(), [](int64_t pad) { return pad == 0; }))
      return;
    text.line("const " + getElementName(input()) +
              " fill = " + Twine(int64_t(op.getFill())) + ";");
    text.unrolled("i", lanes_);
    emitSetLane(text, input(), "pixel", "i", "fill");
    text.close();
  }

  /// Nested counters, innermost first; `last` when all wrap.
  static void emitStep(Text &text,
                       ArrayRef<std::pair<StringRef, int64_t>> counters,
                       ArrayRef<std::string> last) {
    for (auto [name, count] : counters) {
      text.open("if (++" + name + " == " + Twine(count) + ")");
      text.line(name + " = 0;");
    }
    for (const std::string &line : last)
      text.line(line);
    for (size_t i = 0; i < counters.size(); ++i)
      text.close();
  }

  void emitAdvance(Text &text,
                   ArrayRef<std::pair<StringRef, int64_t>> counters) const {
    WindowOp op = window_;
    for (auto [name, count] : counters) {
      text.open("if (++" + name + " == " + Twine(count) + ")");
      text.line(name + " = 0;");
    }
    text.line("left += " + Twine(op.getStrides()[1]) + ";");
    text.open("if (++x == " + Twine(op.getOutputWidth()) + ")");
    text.line("x = 0;");
    text.line("++y;");
    text.line("left = " + Twine(-op.getPads()[1]) + ";");
    text.line("top += " + Twine(op.getStrides()[0]) + ";");
    text.line("top_slot += " + Twine(op.getStrides()[0] % rows()) + ";");
    text.line("if (top_slot >= " + Twine(rows()) + ")");
    text.line("  top_slot -= " + Twine(rows()) + ";");
    text.close();
    for (size_t i = 0; i < counters.size(); ++i)
      text.close();
  }

  mutable WindowOp window_;
  int64_t lanes_;
  mutable int64_t scheduledLanes_ = 0;
  mutable std::vector<Action> schedule_;
};
} // namespace

UnitPtr WindowOp::createUnit() { return makeUnit<WindowUnit>(*this); }
