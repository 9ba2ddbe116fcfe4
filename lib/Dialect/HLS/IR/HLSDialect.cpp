//===- HLSDialect.cpp - Registration and verifiers of hls -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A verifier counts tokens: what a unit reads and writes in one frame follows
// from its shape, and a stream that carries more or fewer would hang the
// hardware.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/HLS/IR/HLS.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qopt::hls;

#include "qopt/Dialect/HLS/IR/HLSDialect.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "qopt/Dialect/HLS/IR/HLSTypes.cpp.inc"
#define GET_OP_CLASSES
#include "qopt/Dialect/HLS/IR/HLSOps.cpp.inc"

void HLSDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "qopt/Dialect/HLS/IR/HLSTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "qopt/Dialect/HLS/IR/HLSOps.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

LogicalResult StreamType::verify(function_ref<InFlightDiagnostic()> emitError,
                                 int64_t tokens, int64_t lanes,
                                 IntegerType element) {
  if (tokens < 1 || lanes < 1)
    return emitError() << "expects at least one token and one lane, got "
                       << tokens << " and " << lanes;
  if (element.isSignless() || element.getWidth() < 1 || element.getWidth() > 48)
    return emitError() << "expects a signed or unsigned element of 1 to 48 "
                          "bits, got "
                       << element;
  return success();
}

int64_t StreamType::getLow() const {
  return isSigned() ? -(int64_t(1) << (getBits() - 1)) : 0;
}

int64_t StreamType::getHigh() const {
  return (int64_t(1) << (isSigned() ? getBits() - 1 : getBits())) - 1;
}

StreamType StreamType::withLanes(int64_t lanes) const {
  return get(getContext(), getElements() / lanes, lanes, getElement());
}

IntegerType qopt::hls::getNarrowestType(MLIRContext *context, int64_t low,
                                        int64_t high) {
  bool isSigned = low < 0;
  unsigned bits = 1;
  auto fits = [&] {
    return isSigned ? low >= -(int64_t(1) << (bits - 1)) &&
                          high < int64_t(1) << (bits - 1)
                    : high < int64_t(1) << bits;
  };
  while (bits < 62 && !fits())
    ++bits;
  return IntegerType::get(
      context, bits, isSigned ? IntegerType::Signed : IntegerType::Unsigned);
}

int64_t qopt::hls::WindowAxis::getOutput(int64_t input) const {
  int64_t span = (kernel - 1) * dilation + 1;
  int64_t room = input + padLow + padHigh - span;
  return room < 0 ? 0 : room / stride + 1;
}

//===----------------------------------------------------------------------===//
// Verifiers
//===----------------------------------------------------------------------===//

static LogicalResult checkElements(Operation *op, StreamType type,
                                   int64_t expected, StringRef what) {
  if (type.getElements() == expected)
    return success();
  return op->emitOpError() << "expects " << what << " of " << expected
                           << " elements, got " << type.getElements();
}

static LogicalResult checkLanes(Operation *op, StreamType type,
                                int64_t expected, StringRef what) {
  if (type.getLanes() == expected)
    return success();
  return op->emitOpError() << "expects " << what << " with " << expected
                           << " lanes, got " << type.getLanes();
}

static LogicalResult checkDivides(Operation *op, int64_t lanes, int64_t total,
                                  StringRef what) {
  if (lanes >= 1 && total % lanes == 0)
    return success();
  return op->emitOpError() << "expects " << what << " that divides " << total
                           << ", got " << lanes;
}

/// One reader per stream; a value that nobody reads yet is being built.
static LogicalResult checkReaders(Operation *op) {
  for (OpResult result : op->getResults())
    if (!result.use_empty() && !result.hasOneUse())
      return op->emitOpError()
             << "expects one reader of result #" << result.getResultNumber()
             << ", got several: copy it with hls.fork";
  return success();
}

static LogicalResult checkMemory(Operation *op, StringRef memory) {
  if (memory == "auto" || memory == "lutram" || memory == "bram")
    return success();
  return op->emitOpError() << "expects memory auto, lutram or bram, got "
                           << memory;
}

static LogicalResult checkClamp(Operation *op, ArrayRef<int64_t> clamp,
                                StreamType result) {
  if (clamp.size() == 2 && clamp[0] <= clamp[1] &&
      clamp[0] >= result.getLow() && clamp[1] <= result.getHigh())
    return success();
  return op->emitOpError() << "expects clamp [low, high] inside ["
                           << result.getLow() << ", " << result.getHigh()
                           << "]";
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

static int64_t getDim(ElementsAttr attr, unsigned dim) {
  return cast<ShapedType>(attr.getType()).getDimSize(dim);
}

static LogicalResult checkWeights(Operation *op, ElementsAttr weights,
                                  ElementsAttr bias) {
  auto type = cast<ShapedType>(weights.getType());
  auto biasType = cast<ShapedType>(bias.getType());
  if (type.getRank() != 2 || !type.getElementType().isSignlessInteger() ||
      type.getElementTypeBitWidth() > 16)
    return op->emitOpError()
           << "expects weights [rows, columns] of up to 16 bits, got " << type;
  if (biasType.getRank() == 1 && biasType.getElementType().isInteger(32) &&
      biasType.getDimSize(0) == type.getDimSize(0))
    return success();
  return op->emitOpError() << "expects a bias of " << type.getDimSize(0)
                           << " i32, got " << biasType;
}

int64_t MatVecOp::getRows() { return getDim(getWeights(), 0); }
int64_t MatVecOp::getColumns() { return getDim(getWeights(), 1); }
int64_t MatVecOp::getVectors() {
  return getInput().getType().getElements() / getColumns();
}

LogicalResult MatVecOp::verify() {
  StreamType in = getInput().getType(), out = getResult().getType();
  if (failed(checkWeights(*this, getWeights(), getBias()))) // C1
    return failure();
  int64_t groups = getGroupCount();
  if (groups < 1 || getRows() % groups) // C2
    return emitOpError() << "expects groups that divide " << getRows()
                         << " rows, got " << groups;
  int64_t columns = getColumns(), rows = getRows() / groups;
  return success(
      succeeded(checkReaders(*this)) &&
      succeeded(checkMemory(*this, getMemory())) &&          // C6
      succeeded(checkDivides(*this, getPe(), rows, "pe")) && // C3
      succeeded(checkDivides(*this, columns * groups, in.getElements(),
                             "a number of columns")) &&             // C2
      succeeded(checkDivides(*this, getSimd(), columns, "simd")) && // C4
      succeeded(checkLanes(*this, in, getSimd(), "an input")) &&    // C4
      succeeded(checkLanes(*this, out, getPe(), "a result")) &&     // C3
      succeeded(checkElements(*this, out, in.getElements() / columns * rows,
                              "a result"))); // C5
}

int64_t DepthwiseOp::getChannels() { return getDim(getWeights(), 0); }
int64_t DepthwiseOp::getTaps() { return getDim(getWeights(), 1); }

LogicalResult DepthwiseOp::verify() {
  StreamType in = getInput().getType(), out = getResult().getType();
  if (failed(checkWeights(*this, getWeights(), getBias()))) // C1
    return failure();
  return success(
      succeeded(checkReaders(*this)) &&
      succeeded(checkMemory(*this, getMemory())) &&                   // C4
      succeeded(checkDivides(*this, getPe(), getChannels(), "pe")) && // C2
      succeeded(checkLanes(*this, in, getPe(), "an input")) &&        // C2
      succeeded(checkLanes(*this, out, getPe(), "a result")) &&       // C2
      succeeded(checkElements(*this, in, out.getElements() * getTaps(),
                              "an input"))); // C3
}

/// One token in, one token out, in `channels` channels.
static LogicalResult checkMap(Operation *op, StreamType in, StreamType out) {
  return success(
      succeeded(checkReaders(op)) &&
      succeeded(checkLanes(op, out, in.getLanes(), "a result")) &&
      succeeded(checkElements(op, out, in.getElements(), "a result")));
}

static LogicalResult checkChannels(Operation *op, StreamType in,
                                   int64_t channels, int64_t parameters) {
  if (failed(checkDivides(op, in.getLanes(), channels, "lanes")) ||
      failed(checkDivides(op, channels, in.getElements(), "channels")))
    return failure();
  if (parameters == 1 || parameters == channels)
    return success();
  return op->emitOpError() << "expects parameters for 1 or " << channels
                           << " channels, got " << parameters;
}

LogicalResult RequantizeOp::verify() {
  StreamType in = getInput().getType(), out = getResult().getType();
  int64_t count = cast<ShapedType>(getMultipliers().getType()).getNumElements();
  if (cast<ShapedType>(getShifts().getType()).getNumElements() != count) // C1
    return emitOpError("expects as many shifts as multipliers");
  return success(
      succeeded(checkMap(*this, in, out)) &&                       // C3
      succeeded(checkChannels(*this, in, getChannels(), count)) && // C1, C2
      succeeded(checkClamp(*this, getClamp(), out)));              // C4
}

LogicalResult ThresholdOp::verify() {
  StreamType in = getInput().getType(), out = getResult().getType();
  auto type = cast<ShapedType>(getThresholds().getType());
  if (type.getRank() != 2 || !type.getElementType().isInteger(32)) // C1
    return emitOpError() << "expects thresholds [channels, levels] of i32, got "
                         << type;
  int64_t clamp[] = {int64_t(getLow()), int64_t(getLow()) + type.getDimSize(1)};
  return success(succeeded(checkMap(*this, in, out)) && // C3
                 succeeded(checkChannels(*this, in, getChannels(),
                                         type.getDimSize(0))) && // C1, C2
                 succeeded(checkClamp(*this, clamp, out)));      // C4
}

template <typename Op> static LogicalResult checkPair(Op op) {
  StreamType lhs = op.getLhs().getType(), rhs = op.getRhs().getType();
  if (op.getZps().size() != 2)
    return op.emitOpError("expects two zero points");
  if (lhs.getLanes() != rhs.getLanes() || lhs.getTokens() != rhs.getTokens())
    return op.emitOpError("expects operands of equal tokens and lanes");
  return checkMap(op, lhs, op.getResult().getType());
}

LogicalResult AddOp::verify() {
  if (getMultipliers().size() != 2) // C1
    return emitOpError("expects two multipliers");
  if (getShift() > 62) // C2
    return emitOpError() << "expects a shift of 0 to 62, got " << getShift();
  return success(
      succeeded(checkPair(*this)) && // C1, C3
      succeeded(checkClamp(*this, getClamp(), getResult().getType()))); // C4
}

LogicalResult MulOp::verify() {
  return checkPair(*this); // C1, C2
}

LogicalResult LutOp::verify() {
  auto table = cast<ShapedType>(getTable().getType());
  if (table.getNumElements() != 256 ||
      !table.getElementType().isSignlessInteger(8)) // C1
    return emitOpError() << "expects a table of 256 i8, got " << table;
  if (getInput().getType().getBits() > 8) // C2
    return emitOpError("expects an input of up to 8 bits");
  return checkMap(*this, getInput().getType(), getResult().getType()); // C3
}

LogicalResult SoftmaxOp::verify() {
  auto table = cast<ShapedType>(getTable().getType());
  if (table.getNumElements() != 256 ||
      !table.getElementType().isInteger(32)) // C1
    return emitOpError() << "expects a table of 256 i32, got " << table;
  StreamType in = getInput().getType(), out = getResult().getType();
  if (in.getBits() > 8) // C2
    return emitOpError("expects an input of up to 8 bits");
  return success(succeeded(checkMap(*this, in, out)) &&             // C4
                 succeeded(checkLanes(*this, in, 1, "an input")) && // C2
                 succeeded(checkDivides(*this, getChannels(), in.getElements(),
                                        "channels")) &&          // C3
                 succeeded(checkClamp(*this, getClamp(), out))); // C5
}

LogicalResult PoolOp::verify() {
  StreamType in = getInput().getType(), out = getResult().getType();
  if (getKind() != "max" && getKind() != "sum") // C1
    return emitOpError() << "expects kind max or sum, got " << getKind();
  if (getKind() == "max" && in.getElement() != out.getElement()) // C1
    return emitOpError("expects a maximum of the input's element type");
  if (int64_t(getTaps()) < 1) // C2
    return emitOpError("expects at least one tap");
  if (getIsGlobal() &&
      failed(checkElements(*this, out, getChannels(), "a result"))) // C4
    return failure();
  return success(
      succeeded(checkReaders(*this)) &&
      succeeded(
          checkDivides(*this, in.getLanes(), getChannels(), "lanes")) && // C3
      succeeded(checkLanes(*this, out, in.getLanes(), "a result")) &&    // C3
      succeeded(checkElements(*this, in, out.getElements() * getTaps(),
                              "an input"))); // C2
}

LogicalResult ForkOp::verify() {
  for (Value copy : getCopies())
    if (copy.getType() != getInput().getType()) // C1
      return emitOpError("expects results of the input's type");
  if (getCopies().size() < 2) // C2
    return emitOpError("expects at least two results");
  return checkReaders(*this);
}

LogicalResult JoinOp::verify() {
  StreamType out = getResult().getType();
  if (getInputs().size() != getChannels().size() || getInputs().empty()) // C1
    return emitOpError("expects a number of channels per operand");
  int64_t pixels = 0, total = 0;
  for (auto [value, channels] : llvm::zip(getInputs(), getChannels())) {
    auto type = cast<StreamType>(value.getType());
    if (channels < 1 ||
        failed(checkDivides(*this, type.getLanes(), channels, "lanes"))) // C1
      return failure();
    if (type.getLanes() != out.getLanes() ||
        type.getElement() != out.getElement()) // C2
      return emitOpError("expects operands of the result's element and lanes");
    if (pixels && pixels != type.getElements() / channels) // C3
      return emitOpError("expects operands of equal pixels");
    pixels = type.getElements() / channels;
    total += channels;
  }
  return success(
      succeeded(checkReaders(*this)) &&
      succeeded(checkElements(*this, out, pixels * total, "a result"))); // C3
}

unsigned PermuteOp::getOuterRank() {
  unsigned rank = 0;
  while (rank < getPermutation().size() && getPermutation()[rank] == rank)
    ++rank;
  return rank;
}

unsigned PermuteOp::getInnerRank() {
  unsigned all = getPermutation().size(), rank = 0;
  while (rank < all && getPermutation()[all - 1 - rank] == all - 1 - rank)
    ++rank;
  return rank;
}

static int64_t multiply(ArrayRef<int64_t> extents) {
  int64_t product = 1;
  for (int64_t extent : extents)
    product *= extent;
  return product;
}

int64_t PermuteOp::getRun() {
  return multiply(getShape().take_back(getInnerRank()));
}

int64_t PermuteOp::getBlock() {
  return multiply(getShape().drop_front(getOuterRank()));
}

LogicalResult PermuteOp::verify() {
  StreamType in = getInput().getType(), out = getResult().getType();
  SmallVector<bool> seen(getShape().size(), false);
  for (int64_t dim : getPermutation())
    if (dim >= 0 && dim < int64_t(seen.size()))
      seen[dim] = true;
  if (getPermutation().size() != getShape().size() ||
      !llvm::all_of(seen, [](bool isThere) { return isThere; })) // C1
    return emitOpError("expects a permutation of the dimensions of shape");
  if (llvm::any_of(getShape(), [](int64_t extent) { return extent < 1; })) // C1
    return emitOpError("expects positive extents");
  if (getOuterRank() == getShape().size()) // C1
    return emitOpError("expects an order that is another");
  if (in.getElement() != out.getElement()) // C2
    return emitOpError("expects equal elements on both sides");
  return success(
      succeeded(checkReaders(*this)) &&
      succeeded(
          checkElements(*this, in, multiply(getShape()), "an input")) && // C2
      succeeded(
          checkElements(*this, out, in.getElements(), "a result")) &&    // C2
      succeeded(checkLanes(*this, out, in.getLanes(), "a result")) &&    // C2
      succeeded(checkDivides(*this, in.getLanes(), getRun(), "lanes"))); // C3
}

LogicalResult WidthOp::verify() {
  StreamType in = getInput().getType(), out = getResult().getType();
  if (in.getElement() != out.getElement()) // C1
    return emitOpError("expects equal elements on both sides");
  if (in.getLanes() % out.getLanes() && out.getLanes() % in.getLanes()) // C2
    return emitOpError() << "expects lanes of which one divides the other, got "
                         << in.getLanes() << " and " << out.getLanes();
  return success(
      succeeded(checkReaders(*this)) &&
      succeeded(checkElements(*this, out, in.getElements(), "a result"))); // C1
}

LogicalResult FifoOp::verify() {
  if (int64_t(getDepth()) < 2) // C1
    return emitOpError() << "expects a depth of at least 2, got "
                         << int64_t(getDepth());
  return checkReaders(*this);
}
