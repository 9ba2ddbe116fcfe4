//===- Slice.cpp - Some elements of each dimension ------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Counters follow the coordinates of a token, which goes on or is dropped. A
// stream cannot run backwards, so that strides are positive.
//===----------------------------------------------------------------------===//
#include "Box.h"
#include "Convert.h"
#include "Verify.h"
#include "qopt/Dialect/QG/IR/QG.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::hls;

static Box getBox(SliceOp op) {
  Box box;
  for (auto [extent, offset, size, stride] : llvm::zip(
           op.getShape(), op.getOffsets(), op.getSizes(), op.getStrides()))
    box.push_back({extent, offset, size, stride});
  return box;
}

LogicalResult SliceOp::verify() {
  size_t rank = getShape().size();
  if (rank == 0 || getOffsets().size() != rank || getSizes().size() != rank ||
      getStrides().size() != rank) // C1
    return emitOpError("expects an extent, offset, size and stride for each "
                       "dimension");
  int64_t elements = 1, kept = 1;
  for (const BoxAxis &axis : getBox(*this)) {
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
                             getBox(*this).back().getRun(), "lanes"))); // C4
}

static FailureOr<Value> convertSlice(qg::SliceOp op, Streams &streams) {
  ArrayRef<int64_t> shape = getShape(op.getX()),
                    sizes = getShape(op.getResult());
  Box axes;
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
  if (llvm::all_of(axes, [](const BoxAxis &axis) { return axis.isWhole(); }))
    return x;
  SmallVector<int64_t> columns[4];
  for (const BoxAxis &axis : axes) {
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
class SliceUnit : public BoxUnit {
public:
  explicit SliceUnit(SliceOp op)
      : BoxUnit(op, getBox(op), op.getInput().getType()) {}

  Action action(int64_t iteration) const override {
    return {1, contains(iteration)};
  }
  std::string describe() const override { return describeBox("of"); }

  void emit(Text &text, StringRef name) const override {
    openFunction(text, name, op_);
    std::string isKept = openLoops(text);
    text.line("const " + getWordName(input()) + " word = in.read();");
    text.line("if (" + isKept + ")");
    text.line("  out.write(word);");
    closeLoops(text);
    text.close();
  }
};
} // namespace

UnitPtr SliceOp::createUnit() { return makeUnit<SliceUnit>(*this); }
