//===- Slice.cpp - Some elements of each dimension ------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Counters follow the coordinates of a token, which goes on or is dropped. A
// stream cannot run backwards, so that strides are positive.
//===----------------------------------------------------------------------===//
#include "Convert.h"
#include "Unit.h"
#include "Verify.h"
#include "qopt/Dialect/QG/IR/QG.h"

#include <numeric>

using namespace mlir;
using namespace qopt;
using namespace qopt::hls;

namespace {
/// What is kept of one dimension.
struct Axis {
  int64_t extent, offset, size, stride;

  /// One behind the last element that is kept.
  int64_t end() const { return offset + (size - 1) * stride + 1; }
  bool isWhole() const { return size == extent && stride == 1; }
  bool keeps(int64_t i) const {
    return i >= offset && i < end() && (i - offset) % stride == 0;
  }
  /// Elements that stay together.
  int64_t getRun() const {
    return stride == 1 ? std::gcd(extent, std::gcd(offset, size)) : 1;
  }
};
} // namespace

static SmallVector<Axis> getAxes(SliceOp op) {
  SmallVector<Axis> axes;
  for (auto [extent, offset, size, stride] : llvm::zip(
           op.getShape(), op.getOffsets(), op.getSizes(), op.getStrides()))
    axes.push_back({extent, offset, size, stride});
  return axes;
}

LogicalResult SliceOp::verify() {
  size_t rank = getShape().size();
  if (rank == 0 || getOffsets().size() != rank || getSizes().size() != rank ||
      getStrides().size() != rank) // C1
    return emitOpError("expects an extent, offset, size and stride for each "
                       "dimension");
  int64_t elements = 1, kept = 1;
  for (const Axis &axis : getAxes(*this)) {
    if (axis.extent < 1 || axis.size < 1 || axis.stride < 1 ||
        axis.offset < 0 || axis.end() > axis.extent) // C2
      return emitOpError() << "expects elements inside of " << axis.extent
                           << ", got " << axis.size << " from " << axis.offset
                           << " by " << axis.stride;
    elements *= axis.extent;
    kept *= axis.size;
  }
  StreamType in = getInput().getType(), out = getResult().getType();
  if (in.getElement() != out.getElement()) // C3
    return emitOpError("expects equal elements on both sides");
  return success(
      succeeded(checkReaders(*this)) &&
      succeeded(checkElements(*this, in, elements, "an input")) &&    // C3
      succeeded(checkLanes(*this, out, in.getLanes(), "a result")) && // C3
      succeeded(checkElements(*this, out, kept, "a result")) &&       // C3
      succeeded(checkDivides(*this, in.getLanes(),
                             getAxes(*this).back().getRun(), "lanes"))); // C4
}

/// Dimensions of which all is kept are one with the dimension outside of them.
static SmallVector<Axis> fuse(ArrayRef<Axis> axes) {
  SmallVector<Axis> fused;
  for (const Axis &axis : axes) {
    if (axis.extent == 1)
      continue;
    if (!axis.isWhole() || fused.empty() || fused.back().stride != 1) {
      fused.push_back(axis);
      continue;
    }
    Axis &outer = fused.back();
    outer.extent *= axis.extent;
    outer.offset *= axis.extent;
    outer.size *= axis.extent;
  }
  return fused;
}

static FailureOr<Value> convertSlice(qg::SliceOp op, Streams &streams) {
  ArrayRef<int64_t> shape = getShape(op.getX()),
                    sizes = getShape(op.getResult());
  SmallVector<Axis> axes;
  for (auto [dim, extent] : llvm::enumerate(shape)) {
    int64_t stride = sizes[dim] == 1 ? 1 : op.getStrides()[dim];
    if (sizes[dim] == 0)
      return refuse(op) << "expects a result that is not empty";
    if (stride < 1)
      return refuse(op) << "expects positive strides, got " << stride
                        << " in dimension " << dim;
    axes.push_back({extent, op.getOffsets()[dim], sizes[dim], stride});
  }
  Value x = streams.take(op.getX());
  axes = fuse(axes);
  if (llvm::all_of(axes, [](const Axis &axis) { return axis.isWhole(); }))
    return x;
  SmallVector<int64_t> columns[4];
  for (const Axis &axis : axes) {
    columns[0].push_back(axis.extent);
    columns[1].push_back(axis.offset);
    columns[2].push_back(axis.size);
    columns[3].push_back(axis.stride);
  }
  StreamType result = getStream(op.getResult().getType().getNumElements(),
                                cast<StreamType>(x.getType()).getElement());
  return SliceOp::create(streams.builder(), op.getLoc(), result, x, columns[0],
                         columns[1], columns[2], columns[3])
      .getResult();
}

void SliceOp::addConversions(Conversions &conversions) {
  conversions.add(convertSlice);
}

namespace {
class SliceUnit : public Unit {
public:
  explicit SliceUnit(SliceOp op)
      : Unit(op), axes_(getAxes(op)), lanes_(input().getLanes()) {}

  void fold(int64_t cycles) override {
    int64_t elements = input().getElements();
    lanes_ = pickDivisor(axes_.back().getRun(),
                         [&](int64_t d) { return elements / d <= cycles; });
  }
  int64_t inputLanes(unsigned) const override { return lanes_; }
  int64_t outputLanes() const override { return lanes_; }
  int64_t cycles() const override { return input().getElements() / lanes_; }
  Action action(int64_t iteration) const override {
    SmallVector<Axis> axes = inTokens();
    bool isKept = true;
    for (const Axis &axis : llvm::reverse(axes)) {
      isKept &= axis.keeps(iteration % axis.extent);
      iteration /= axis.extent;
    }
    return {1, isKept};
  }
  Resources resources(const Part &) const override {
    // A counter and two comparisons for each dimension.
    int64_t bits = 0;
    for (const Axis &axis : axes_)
      bits += getSignedBits(0, axis.extent);
    return {20 + 3 * bits, 0, 0};
  }
  std::string describe() const override {
    std::string text;
    llvm::raw_string_ostream os(text);
    llvm::interleave(
        axes_, os, [&](const Axis &axis) { os << axis.size; }, "x");
    os << " of ";
    llvm::interleave(
        axes_, os, [&](const Axis &axis) { os << axis.extent; }, "x");
    os << ", " << lanes_ << " a cycle";
    return text;
  }

  void emit(Text &text, StringRef name) const override {
    openFunction(text, name, op_);
    std::string isKept;
    auto demand = [&](const Twine &condition) {
      isKept += (isKept.empty() ? "" : " && ") + condition.str();
    };
    SmallVector<Axis> axes = inTokens();
    for (auto [dim, axis] : llvm::enumerate(axes)) {
      std::string i = ("i" + Twine(dim)).str();
      text.loop(i, axis.extent);
      if (axis.offset)
        demand(i + " >= " + Twine(axis.offset));
      if (axis.end() < axis.extent)
        demand(i + " < " + Twine(axis.end()));
      if (axis.stride > 1)
        demand("(" + i + " - " + Twine(axis.offset) + ") % " +
               Twine(axis.stride) + " == 0");
    }
    text.pragma("PIPELINE II=1 style=flp");
    text.line("const " + getWordName(input()) + " word = in.read();");
    text.line("if (" + (isKept.empty() ? "true" : isKept) + ")");
    text.line("  out.write(word);");
    for (size_t i = 0; i < axes.size() + 1; ++i)
      text.close();
  }

private:
  /// The last dimension counted in tokens.
  SmallVector<Axis> inTokens() const {
    SmallVector<Axis> axes = axes_;
    axes.back().extent /= lanes_;
    axes.back().offset /= lanes_;
    axes.back().size /= lanes_;
    return axes;
  }

  SmallVector<Axis> axes_;
  int64_t lanes_;
};
} // namespace

UnitPtr SliceOp::createUnit() { return makeUnit<SliceUnit>(*this); }
