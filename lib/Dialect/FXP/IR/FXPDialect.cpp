//===- FXPDialect.cpp - Registration and verifiers of fxp -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A verifier recomputes the shape and checks widths; values are checked by
// the reference semantics.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/FXP/IR/FXP.h"
#include "qopt/Dialect/FXP/IR/Levels.h"
#include "qopt/Dialect/QG/IR/Shapes.h"
#include "qopt/Numerics/Softmax.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::fxp;
using qg::Shape;
using qg::Window;

/// A mode is written as a keyword; a string is read as well, as older files
/// have it.
static ParseResult parseModeKind(AsmParser &parser, std::string &kind) {
  return parser.parseKeywordOrString(&kind);
}

static void printModeKind(AsmPrinter &printer, StringRef kind) {
  printer.printKeywordOrString(kind);
}

#include "qopt/Dialect/FXP/IR/FXPDialect.cpp.inc"
#include "qopt/Dialect/FXP/IR/FXPInterfaces.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "qopt/Dialect/FXP/IR/FXPAttributes.cpp.inc"
#define GET_OP_CLASSES
#include "qopt/Dialect/FXP/IR/FXPOps.cpp.inc"

void FXPDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "qopt/Dialect/FXP/IR/FXPAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "qopt/Dialect/FXP/IR/FXPOps.cpp.inc"
      >();
}

LogicalResult
RequantizeModeAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                           StringRef kind, unsigned bits) {
  if (kind == "f32" || kind == "pow2")
    return success();
  if (kind == "fixed" && bits >= 2 && bits <= 31)
    return success();
  return emitError() << "expects f32, pow2 or fixed with 2 to 31 bits, got "
                     << kind << " with " << bits;
}

RequantizeMode RequantizeModeAttr::getRequantizeMode() const {
  // The verifier accepts nothing else.
  return *parseRequantizeMode(getKind(), getBits());
}

static Type getElement(Value value) {
  return cast<RankedTensorType>(value.getType()).getElementType();
}

static auto errorOn(Operation *op) {
  return [op] { return op->emitOpError(); };
}

static LogicalResult checkResult(Operation *op, FailureOr<Shape> inferred,
                                 unsigned bits) {
  if (failed(inferred))
    return failure();
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  auto expected = RankedTensorType::get(
      *inferred, bits ? Type(IntegerType::get(op->getContext(), bits))
                      : type.getElementType());
  if (type == expected)
    return success();
  return op->emitOpError() << "expects a result of type " << expected
                           << ", got " << type;
}

static LogicalResult checkBytes(Operation *op, ValueRange values) {
  for (Value value : values)
    if (!getElement(value).isSignlessInteger(8))
      return op->emitOpError()
             << "expects i8 operands, got " << value.getType();
  return success();
}

/// Of stored integers, all of the same width or not.
static LogicalResult checkStored(Operation *op, ValueRange values) {
  for (Value value : values)
    if (!getElement(value).isSignlessInteger(8) &&
        !getElement(value).isSignlessInteger(16))
      return op->emitOpError()
             << "expects i8 or i16 operands, got " << value.getType();
  return success();
}

/// Sums have 32 bits, or 64 where `mayBeWide` and the result says so.
static unsigned getSumBits(Operation *op, bool mayBeWide) {
  return mayBeWide && getElement(op->getResult(0)).isSignlessInteger(64) ? 64
                                                                         : 32;
}

static bool isWide(Value value) {
  return getElement(value).isSignlessInteger(16);
}

static LogicalResult checkBias(Operation *op, Value bias, int64_t channels,
                               Type element = {}) {
  if (!element)
    element = getElement(op->getResult(0));
  auto expected = RankedTensorType::get({channels}, element);
  if (bias.getType() == expected)
    return success();
  return op->emitOpError() << "expects a bias of type " << expected << ", got "
                           << bias.getType();
}

/// `[lo, hi]` inside the range of a result of `bits` bits.
static LogicalResult checkClamp(Operation *op, ArrayRef<int64_t> clamp,
                                bool isUnsigned) {
  Type element = getElement(op->getResult(0));
  if (!element.isSignlessInteger())
    return op->emitOpError("expects an integer result");
  unsigned bits = element.getIntOrFloatBitWidth();
  int64_t low = isUnsigned ? 0 : -(int64_t(1) << (bits - 1));
  int64_t high = (int64_t(1) << (isUnsigned ? bits : bits - 1)) - 1;
  if (clamp.size() == 2 && clamp[0] <= clamp[1] && clamp[0] >= low &&
      clamp[1] <= high)
    return success();
  return op->emitOpError() << "expects clamp [low, high] inside [" << low
                           << ", " << high << "]";
}

static LogicalResult checkScales(Operation *op, ElementsAttr scales,
                                 int64_t channels) {
  auto type = cast<ShapedType>(scales.getType());
  if (type.getElementType().isF32() && type.getRank() == 1 &&
      (type.getDimSize(0) == 1 || type.getDimSize(0) == channels))
    return success();
  return op->emitOpError() << "expects 1 or " << channels << " f32 scales, got "
                           << type;
}

/// Codes of 1 to 7 bits.
static LogicalResult checkLevels(Operation *op) {
  if (!op->hasAttr(kLevelsAttr))
    return success();
  size_t count = getLevels(op).size();
  if (llvm::isPowerOf2_64(count) && count >= 2 && count <= 128)
    return success();
  return op->emitOpError() << "expects " << kLevelsAttr
                           << " of 2^b signed bytes, b from 1 to 7, got "
                           << op->getAttr(kLevelsAttr);
}

LogicalResult ConvOp::verify() {
  ArrayRef<int64_t> weight = getShape(getWeight());
  if (weight.size() < 3) // C2
    return emitOpError("expects a weight of rank >= 3");
  Window window{weight.drop_front().drop_back(), getStrides(), getPads(),
                getDilations()};
  return success(
      succeeded(checkStored(*this, getX())) &&     // C1
      succeeded(checkBytes(*this, getWeight())) && // C1
      succeeded(checkResult(*this,
                            qg::inferConvShape(getShape(getX()), weight, window,
                                               getGroups(), errorOn(*this)),
                            getSumBits(*this, isWide(getX())))) && // C2, C3, C4
      succeeded(checkBias(*this, getBias(), weight.front())) &&    // C5
      succeeded(checkLevels(*this)));                              // C6
}

LogicalResult MatmulOp::verify() {
  FailureOr<Shape> shape =
      qg::inferMatmulShape(getShape(getLhs()), getShape(getRhs()),
                           getTransposeRhs(), errorOn(*this)); // C2
  bool mayBeWide = isWide(getLhs()) || isWide(getRhs());
  return success(succeeded(checkStored(*this, {getLhs(), getRhs()})) && // C1
                 succeeded(checkResult(*this, shape,
                                       getSumBits(*this, mayBeWide))) &&  // C3
                 succeeded(checkBias(*this, getBias(), shape->back())) && // C4
                 succeeded(checkLevels(*this)));                          // C5
}

/// A bias and a result of f32, scales of f32 in `shape` and, where there are
/// zero points, bytes in that shape.
static LogicalResult checkBlocks(Operation *op, ValueRange scalesAndZps,
                                 Value bias, ArrayRef<int64_t> shape) {
  Type f32 = Float32Type::get(op->getContext());
  Value scales = scalesAndZps.front(), zps = scalesAndZps.back();
  auto expected = RankedTensorType::get(shape, f32);
  if (scales.getType() != expected)
    return op->emitOpError() << "expects scales of type " << expected
                             << ", got " << scales.getType();
  int64_t n = getShape(op->getResult(0)).back();
  if (bias.getType() != RankedTensorType::get({n}, f32) ||
      !getElement(op->getResult(0)).isF32())
    return op->emitOpError("expects an f32 bias of one element per column and "
                           "an f32 result");
  Type i8 = IntegerType::get(op->getContext(), 8);
  if (zps && zps.getType() != RankedTensorType::get(shape, i8))
    return op->emitOpError()
           << "expects zero points of type " << RankedTensorType::get(shape, i8)
           << ", got " << zps.getType();
  return success();
}

LogicalResult GroupMatmulOp::verify() {
  FailureOr<Shape> shape =
      qg::inferMatmulShape(getShape(getLhs()), getShape(getRhs()),
                           /*transposed=*/true, errorOn(*this));          // C2
  if (failed(shape) || failed(checkBytes(*this, {getLhs(), getRhs()})) || // C1
      failed(checkResult(*this, shape, 0)) ||                             // C3
      failed(checkLevels(*this)))                                         // C7
    return failure();
  if (getShape(getRhs()).size() != 2 || getGroup() < 1) // C2
    return emitOpError("expects a matrix [N, K] and a positive group");
  int64_t n = shape->back(), k = getShape(getRhs()).back();
  int64_t groups = (k + int64_t(getGroup()) - 1) / int64_t(getGroup());
  if (failed(checkBlocks(*this, {getScales(), getRhsZps()}, getBias(),
                         {n, groups}))) // C4, C5, C8
    return failure();
  if (getLhsScales() &&
      getLhsScales().getType() !=
          RankedTensorType::get(getShape(getLhs()).drop_back(),
                                Float32Type::get(getContext()))) // C6
    return emitOpError() << "expects one f32 scale per row of lhs, got "
                         << getLhsScales().getType();
  return success();
}

LogicalResult DecodeMatmulOp::verify() {
  if (failed(checkBytes(*this, getRhs()))) // C1
    return failure();
  if (!getElement(getLhs()).isF32()) // C1
    return emitOpError() << "expects an f32 lhs, got " << getLhs().getType();
  FailureOr<Shape> shape =
      qg::inferMatmulShape(getShape(getLhs()), getShape(getRhs()),
                           /*transposed=*/true, errorOn(*this)); // C2
  if (failed(shape) || failed(checkResult(*this, shape, 0)) ||   // C3
      failed(checkLevels(*this)))                                // C6
    return failure();
  ArrayRef<int64_t> rhs = getShape(getRhs()), block = getBlock();
  if (rhs.size() != 2 || block.size() != 2 || block[0] < 1 ||
      block[1] < 1) // C2
    return emitOpError("expects a matrix [N, K] and a block of two positive "
                       "extents");
  return checkBlocks(*this, {getScales(), getZps()}, getBias(),
                     {(rhs[0] + block[0] - 1) / block[0],
                      (rhs[1] + block[1] - 1) / block[1]}); // C4, C5
}

LogicalResult QuantizeRowsOp::verify() {
  ArrayRef<int64_t> shape = getShape(getX());
  Type f32 = Float32Type::get(getContext());
  if (shape.empty() || !getElement(getX()).isF32() ||
      getScales().getType() !=
          RankedTensorType::get(shape.drop_back(), f32)) // C1
    return emitOpError("expects f32 rows and one f32 scale for each");
  return checkResult(*this, Shape(shape), 8); // C2
}

LogicalResult RequantizeOp::verify() {
  ArrayRef<int64_t> shape = getShape(getX());
  if (getElement(getX()).isSignlessInteger(64) &&
      getMode().getKind() == "f32") // C4
    return emitOpError("expects mode fixed or pow2 for sums of 64 bits");
  return success(
      succeeded(checkResult(*this, Shape(shape), 0)) && // C1
      succeeded(checkScales(*this, getScales(),
                            shape.empty() ? 1 : shape.back())) && // C2
      succeeded(checkClamp(*this, getClamp(), getIsUnsigned()))); // C3
}

LogicalResult AddOp::verify() {
  if (getScales().size() != 2 || getZps().size() != 2) // C1
    return emitOpError("expects two scales and two zero points");
  return success(
      succeeded(checkStored(*this, {getLhs(), getRhs()})) && // C2
      succeeded(checkResult(
          *this,
          qg::inferBroadcastShape({getShape(getLhs()), getShape(getRhs())},
                                  errorOn(*this)),
          0)) &&                                                  // C3
      succeeded(checkClamp(*this, getClamp(), getIsUnsigned()))); // C4
}

LogicalResult MulOp::verify() {
  if (getZps().size() != 2) // C1
    return emitOpError("expects two zero points");
  return success(
      succeeded(checkStored(*this, {getLhs(), getRhs()})) && // C2
      succeeded(checkResult(
          *this,
          qg::inferBroadcastShape({getShape(getLhs()), getShape(getRhs())},
                                  errorOn(*this)),
          getSumBits(*this, isWide(getLhs()) && isWide(getRhs()))))); // C3
}

LogicalResult LutOp::verify() {
  if (failed(checkStored(*this, {getX()}))) // C2
    return failure();
  auto table = cast<ShapedType>(getTable().getType());
  Type element = table.getElementType();
  int64_t count = isWide(getX()) ? 65536 : 256;
  if (table.getNumElements() != count || // C1
      !(element.isSignlessInteger(8) || element.isSignlessInteger(16)))
    return emitOpError() << "expects a table of " << count << " i8 or i16, got "
                         << table;
  return checkResult(*this, Shape(getShape(getX())),
                     element.getIntOrFloatBitWidth()); // C3
}

LogicalResult SoftmaxOp::verify() {
  auto table = cast<ShapedType>(getTable().getType());
  if (table.getNumElements() != 256 ||
      !table.getElementType().isSignlessInteger(32)) // C1
    return emitOpError() << "expects a table of 256 i32, got " << table;
  ArrayRef<int64_t> shape = getShape(getX());
  if (shape.empty() || shape.back() < 1 ||
      shape.back() > kMostSoftmaxElements) // C2
    return emitOpError() << "expects 1 to " << kMostSoftmaxElements
                         << " elements in the last dimension";
  return success(
      succeeded(checkBytes(*this, {getX()})) &&                   // C3
      succeeded(checkResult(*this, Shape(shape), 8)) &&           // C4
      succeeded(checkClamp(*this, getClamp(), getIsUnsigned()))); // C5
}

SmallVector<StoredValue> RecurrentOp::getStoredValues() {
  SmallVector<StoredValue> rows = {
      {getX(), "x_unsigned", "x_zp", std::nullopt, ""},
      {getHidden(), "hidden_unsigned", "hidden_zp", std::nullopt, ""}};
  if (getCell())
    rows.push_back({getCell(), "cell_unsigned", "cell_zp", std::nullopt, ""});
  rows.push_back({getResult(), "is_unsigned", "zp", std::nullopt, "clamp"});
  return rows;
}

int64_t RecurrentOp::countGates() {
  return getKind() == "lstm" ? 4 : getKind() == "gru" ? 3 : 1;
}

int64_t RecurrentOp::countMacs() {
  ArrayRef<int64_t> x = getShape(getX());
  return x[0] * x[1] *
         (getNumElements(getShape(getW())) + getNumElements(getShape(getR())));
}

static LogicalResult checkShape(Operation *op, Value value, StringRef name,
                                ArrayRef<int64_t> shape) {
  if (getShape(value) == shape)
    return success();
  return op->emitOpError() << "expects '" << name << "' of shape [" << shape
                           << "], got " << value.getType();
}

/// Scales and numbers of bits.
static LogicalResult checkNumbers(RecurrentOp op, int64_t rows) {
  for (ElementsAttr scales : {op.getXScales(), op.getStateScales()}) {
    auto type = cast<ShapedType>(scales.getType());
    if (!type.getElementType().isF32() || type.getNumElements() != rows) // C4
      return op.emitOpError()
             << "expects " << rows << " f32 scales of gates, got " << type;
  }
  auto isByte = [](int64_t zp) { return zp >= -128 && zp <= 127; };
  if (op.getScales().size() != 6 || op.getStateZps().size() != 2 ||
      !llvm::all_of(op.getStateZps(), isByte)) // C4
    return op.emitOpError("expects 6 scales and 2 zero points of signed bytes");
  auto fits = [](uint64_t bits) { return bits >= 4 && bits <= 15; };
  if (!fits(op.getHiddenBits()) || !fits(op.getCellBits())) // C5
    return op.emitOpError("expects states of 4 to 15 bits behind the point");
  if (op.getMode().getKind() == "f32") // C5
    return op.emitOpError("expects rounding by integers, got mode f32");
  return success();
}

LogicalResult RecurrentOp::verify() {
  bool isLSTM = getKind() == "lstm", isGRU = getKind() == "gru";
  if ((!isLSTM && !isGRU && getKind() != "rnn") ||
      (getResetFirst() && !isGRU) || (getWithCell() && !isLSTM)) // C2
    return emitOpError("expects kind lstm, gru or rnn with what belongs to "
                       "it, got ")
           << getKind();
  ArrayRef<int64_t> x = getShape(getX()), r = getShape(getR());
  if (failed(checkBytes(*this, {getX(), getW(), getR(), getHidden()})) ||
      (getCell() && failed(checkBytes(*this, {getCell()})))) // C1
    return failure();
  if (x.size() != 3 || x[0] < 1 || r.size() != 2 ||
      bool(getCell()) != isLSTM) // C1, C2
    return emitOpError("expects x [T, B, I], r [G * H, H], and a cell state "
                       "for lstm alone, got ")
           << getX().getType() << " and " << getR().getType();
  int64_t hidden = r[1], rows = countGates() * hidden;
  int64_t state[] = {x[1], hidden};
  Type sum = IntegerType::get(getContext(), 32);
  if (failed(checkShape(*this, getW(), "w", {rows, x[2]})) || // C2
      failed(checkShape(*this, getR(), "r", {rows, hidden})) ||
      failed(checkShape(*this, getHidden(), "hidden", state)) || // C1
      (getCell() && failed(checkShape(*this, getCell(), "cell", state))) ||
      failed(checkBias(*this, getBias(), rows, sum)) || // C3
      failed(checkBias(*this, getStateBias(), rows, sum)) ||
      failed(checkNumbers(*this, rows)))
    return failure();
  int64_t steps = (getLastOnly() ? 1 : x[0]) + (getWithCell() ? 1 : 0);
  return success(
      succeeded(checkResult(*this, Shape{steps, x[1], hidden}, 8)) && // C6
      succeeded(checkClamp(*this, getClamp(), getIsUnsigned())));
}

LogicalResult MaxPoolOp::verify() {
  Window window{getKernel(), getStrides(), getPads(), getDilations()};
  return success(
      succeeded(checkStored(*this, {getX()})) && // C1
      succeeded(checkResult(
          *this,
          qg::inferWindowShape(getShape(getX()), window, errorOn(*this)), // C2
          isWide(getX()) ? 16 : 8)));                                     // C3
}

LogicalResult SumPoolOp::verify() {
  Window window{getKernel(), getStrides(), getPads(), getDilations()};
  return success(
      succeeded(checkStored(*this, {getX()})) && // C1
      succeeded(checkResult(
          *this,
          qg::inferWindowShape(getShape(getX()), window, errorOn(*this)), // C2
          32)));                                                          // C3
}

LogicalResult SumOp::verify() {
  return success(
      succeeded(checkStored(*this, {getX()})) && // C1
      succeeded(checkResult(*this,
                            qg::inferReduceShape(getShape(getX()), getAxes(),
                                                 errorOn(*this)), // C2
                            32)));                                // C3
}

static LogicalResult checkAxisParameters(Operation *op, ElementsAttr scales,
                                         ArrayRef<int64_t> zps, int64_t axis,
                                         ArrayRef<int64_t> shape) {
  int64_t count = cast<ShapedType>(scales.getType()).getNumElements();
  if (int64_t(zps.size()) != count)
    return op->emitOpError() << "expects one zero point per scale, got "
                             << zps.size() << " and " << count;
  if (count == 1 ||
      (axis >= 0 && axis < int64_t(shape.size()) && shape[axis] == count))
    return success();
  return op->emitOpError() << "expects 1 scale or one per element of dimension "
                           << axis << ", got " << count;
}

LogicalResult fxp::QuantizeOp::verify() {
  return success(
      succeeded(checkResult(*this, Shape(getShape(getX())), 0)) && // C1
      succeeded(checkAxisParameters(*this, getScales(), getZps(), getAxis(),
                                    getShape(getX()))) &&         // C2, C3
      succeeded(checkClamp(*this, getClamp(), getIsUnsigned()))); // C4
}

LogicalResult fxp::DequantizeOp::verify() {
  return success(
      succeeded(checkResult(*this, Shape(getShape(getX())), 0)) && // C1
      succeeded(checkAxisParameters(*this, getScales(), getZps(), getAxis(),
                                    getShape(getX())))); // C2, C3
}

/// C4 and C5 of one axis, whose tables begin at `first`; gives the largest sum
/// of magnitudes.
static FailureOr<int64_t> checkTaps(ResizeOp op, int64_t first, int64_t taps,
                                    int64_t in, int64_t out) {
  int64_t most = 0;
  for (int64_t i = 0; i < out; ++i) {
    int64_t sum = 0;
    for (int64_t at = first + i * taps; at < first + (i + 1) * taps; ++at) {
      int64_t position = op.getPositions()[at];
      if (position < 0 || position >= in)
        return op.emitOpError()
               << "expects positions in [0, " << in << "), got " << position;
      sum += std::abs(int64_t(op.getCoefficients()[at]));
    }
    most = std::max(most, sum);
  }
  return most;
}

/// C2, and the entries that all axes need.
static FailureOr<int64_t> countTaps(ResizeOp op, ArrayRef<int64_t> result) {
  int64_t rank = result.size(), total = 0;
  ArrayRef<int64_t> axes = op.getAxes(), taps = op.getTaps();
  if (axes.empty())
    return op.emitOpError("expects at least one axis");
  if (taps.size() != axes.size())
    return op.emitOpError() << "expects " << axes.size()
                            << " numbers of taps, got " << taps.size();
  for (auto [i, axis] : llvm::enumerate(axes)) {
    if (axis < 0 || axis >= rank ||
        llvm::is_contained(axes.take_front(i), axis))
      return op.emitOpError()
             << "expects distinct axes below rank " << rank << ", got " << axis;
    if (taps[i] < 1)
      return op.emitOpError("expects a positive number of taps");
    total += taps[i] * result[axis];
  }
  return total;
}

LogicalResult ResizeOp::verify() {
  Shape shape(getShape(getX()));
  ArrayRef<int64_t> result = getShape(getResult());
  if (failed(checkStored(*this, {getX()}))) // C1
    return failure();
  for (int64_t axis : getAxes())
    if (result.size() == shape.size() && axis >= 0 &&
        axis < int64_t(shape.size()))
      shape[axis] = result[axis];
  if (failed(checkResult(*this, shape, 32))) // C3
    return failure();
  FailureOr<int64_t> total = countTaps(*this, result); // C2
  if (failed(total))
    return failure();
  if (int64_t(getPositions().size()) != *total ||
      int64_t(getCoefficients().size()) != *total) // C4
    return emitOpError() << "expects " << *total
                         << " positions and coefficients, got "
                         << getPositions().size() << " and "
                         << getCoefficients().size();
  int64_t first = 0, product = isWide(getX()) ? 65535 : 255;
  for (auto [axis, taps] : llvm::zip(getAxes(), getTaps())) {
    FailureOr<int64_t> most = checkTaps(
        *this, first, taps, getShape(getX())[axis], result[axis]); // C4
    if (failed(most))
      return failure();
    if (*most > 0 && product > INT32_MAX / *most) // C5
      return emitOpError("expects coefficients whose sums stay in 32 bits");
    product *= std::max<int64_t>(*most, 1);
    first += taps * result[axis];
  }
  return success();
}
