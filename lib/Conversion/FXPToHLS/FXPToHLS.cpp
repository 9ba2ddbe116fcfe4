//===- FXPToHLS.cpp - Integer tensors to units and streams ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// One op becomes one unit, or a sliding window and a unit, with one lane
// everywhere; hls-fold unfolds them. Everything that has no unit is reported
// before anything is changed.
//===----------------------------------------------------------------------===//
#include "qopt/Conversion/FXPToHLS.h"
#include "Parameters.h"
#include "Resize.h"
#include "qopt/Conversion/IntegerCore.h"
#include "qopt/Dialect/FXP/IR/StoredConstant.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Numerics/FixedPoint.h"

#include "mlir/Pass/Pass.h"

namespace qopt {
#include "qopt/Conversion/ConvertFXPToHLS.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;
using namespace qopt::fxptohls;
using hls::StreamType;

/// Results of up to this many levels are found by comparisons.
static constexpr int64_t kMostThresholds = 15;

/// Images, windows and pools in two dimensions: `[N, H, W, C]`.
namespace {
struct Geometry {
  SmallVector<int64_t> image, kernel, strides, pads, dilations;

  bool isWhole() const {
    return kernel[0] == image[0] && kernel[1] == image[1] &&
           llvm::all_of(pads, [](int64_t pad) { return pad == 0; });
  }
  /// Every position is one pixel, and every pixel is one position.
  bool isPointwise() const {
    return kernel[0] == 1 && kernel[1] == 1 && strides[0] == 1 &&
           strides[1] == 1 &&
           llvm::all_of(pads, [](int64_t pad) { return pad == 0; });
  }
};

class Converter {
public:
  explicit Converter(func::FuncOp function)
      : function_(function), builder_(function.getContext()),
        context_(function.getContext()) {}

  LogicalResult run();

private:
  LogicalResult addStreams(SmallVectorImpl<Type> &arguments);
  LogicalResult convertReachable(Operation *op);
  LogicalResult convert(Operation *op);
  LogicalResult convertConv(fxp::ConvOp op);
  LogicalResult convertMatmul(fxp::MatmulOp op);
  LogicalResult convertRequantize(fxp::RequantizeOp op);
  LogicalResult convertAdd(fxp::AddOp op);
  LogicalResult convertMul(fxp::MulOp op);
  LogicalResult convertLut(fxp::LutOp op);
  LogicalResult convertSoftmax(fxp::SoftmaxOp op);
  LogicalResult convertSum(fxp::SumOp op);
  LogicalResult convertConcat(qg::ConcatOp op);
  LogicalResult convertTranspose(qg::TransposeOp op);
  LogicalResult convertResize(fxp::ResizeOp op);

  FailureOr<Geometry> getGeometry(Operation *op, const qg::Window &window);
  FailureOr<LinearParameters> getLinear(Operation *op, Value weights,
                                        Value bias);
  FailureOr<IntegerType> getAccumulator(Operation *op,
                                        std::pair<int64_t, int64_t> range);
  FailureOr<Value> makeWindow(Operation *op, Value stream,
                              const Geometry &geometry, int64_t fill,
                              bool channelsOuter);
  LogicalResult makePool(Operation *op, StringRef kind,
                         const Geometry &geometry, int64_t zeroPoint);

  /// The stream of a tensor for its next reader.
  Value take(Value tensor) {
    SmallVector<Value> &copies = streams_[tensor];
    return copies.pop_back_val();
  }
  /// A tensor's stream; copies for as many readers as there are.
  void define(Value tensor, Value stream, Location loc) {
    auto readers =
        llvm::count_if(tensor.getUses(), [](OpOperand &) { return true; });
    SmallVector<Value> &copies = streams_[tensor];
    if (readers == 1) {
      copies.push_back(stream);
      return;
    }
    if (readers == 0)
      return;
    SmallVector<Type> types(readers, stream.getType());
    auto fork = hls::ForkOp::create(builder_, loc, types, stream);
    // Readers take them from the back.
    for (Value copy : llvm::reverse(fork.getCopies()))
      copies.push_back(copy);
  }
  bool hasStream(Value tensor) const {
    auto it = streams_.find(tensor);
    return it != streams_.end() && !it->second.empty();
  }
  StreamType getStream(int64_t elements, IntegerType element) {
    return StreamType::get(context_, elements, 1, element);
  }
  static StreamType typeOf(Value stream) {
    return cast<StreamType>(stream.getType());
  }

  func::FuncOp function_;
  OpBuilder builder_;
  MLIRContext *context_;
  llvm::DenseMap<Value, SmallVector<Value>> streams_;
};
} // namespace

static InFlightDiagnostic refuse(Operation *op) {
  return op->emitError() << "'" << op->getName() << "' (" << qg::getUserName(op)
                         << ") has no unit: ";
}

/// Of the window that runs over the first operand.
FailureOr<Geometry> Converter::getGeometry(Operation *op,
                                           const qg::Window &window) {
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

FailureOr<LinearParameters> Converter::getLinear(Operation *op, Value weights,
                                                 Value bias) {
  auto w = fxp::StoredConstant::match(op, weights);
  std::optional<Tensor> b = qg::matchConstant(bias);
  if (!w)
    return refuse(op) << "expects constant weights";
  if (!b)
    return refuse(op) << "expects a constant bias";
  LinearParameters linear;
  std::vector<int32_t> integers = w->integers();
  linear.rows = w->stored.shape().front();
  linear.columns = integers.size() / std::max<int64_t>(linear.rows, 1);
  linear.weights.assign(integers.begin(), integers.end());
  for (int64_t i = 0; i < b->numElements(); ++i)
    linear.bias.push_back(b->getInt(i));
  return linear;
}

FailureOr<IntegerType>
Converter::getAccumulator(Operation *op, std::pair<int64_t, int64_t> range) {
  if (range.first < INT32_MIN || range.second > INT32_MAX)
    return refuse(op) << "its sums reach from " << range.first << " to "
                      << range.second << ", more than 32 bits hold";
  return hls::getNarrowestType(context_, range.first, range.second);
}

FailureOr<Value> Converter::makeWindow(Operation *op, Value stream,
                                       const Geometry &geometry, int64_t fill,
                                       bool channelsOuter) {
  if (geometry.isPointwise())
    return stream;
  StreamType type = typeOf(stream);
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
    hls::WindowAxis axis{geometry.kernel[dim], geometry.strides[dim],
                         geometry.pads[dim], geometry.pads[dim + 2],
                         geometry.dilations[dim]};
    positions *= axis.getOutput(geometry.image[dim]);
  }
  int64_t elements =
      positions * geometry.kernel[0] * geometry.kernel[1] * geometry.image[2];
  return hls::WindowOp::create(
             builder_, op->getLoc(), getStream(elements, type.getElement()),
             stream, geometry.image, geometry.kernel, geometry.strides,
             geometry.pads, geometry.dilations, fill, channelsOuter)
      .getResult();
}

LogicalResult Converter::convertConv(fxp::ConvOp op) {
  ArrayRef<int64_t> weight = getShape(op.getWeight());
  FailureOr<Geometry> geometry =
      getGeometry(op, *op.getLinearGeometry().window);
  FailureOr<LinearParameters> linear =
      getLinear(op, op.getWeight(), op.getBias());
  if (failed(geometry) || failed(linear))
    return failure();
  int64_t channels = geometry->image[2], groups = op.getGroups();
  bool isDepthwise = groups == channels && weight[0] == channels && groups > 1;
  StreamType type = typeOf(streams_[op.getX()].back());
  linear->foldZeroPoint(op.getXZp());
  FailureOr<IntegerType> element =
      getAccumulator(op, linear->getRange(type.getLow(), type.getHigh()));
  if (failed(element))
    return failure();
  FailureOr<Value> window =
      makeWindow(op, take(op.getX()), *geometry, op.getXZp(), groups > 1);
  if (failed(window))
    return failure();
  ElementsAttr weights = makeWeights(context_, *linear);
  ElementsAttr bias =
      makeIntegers(context_, linear->bias, {linear->rows}, 32, "bias");
  StreamType result = getStream(op.getResultType().getNumElements(), *element);
  Value stream =
      isDepthwise
          ? hls::DepthwiseOp::create(builder_, op.getLoc(), result, *window,
                                     weights, bias, 1, "auto")
                .getResult()
          : hls::MatVecOp::create(
                builder_, op.getLoc(), result, *window, weights, bias, 1, 1,
                "auto",
                groups > 1 ? builder_.getI64IntegerAttr(groups) : IntegerAttr())
                .getResult();
  define(op.getResult(), stream, op.getLoc());
  return success();
}

LogicalResult Converter::convertMatmul(fxp::MatmulOp op) {
  ArrayRef<int64_t> rhs = getShape(op.getRhs());
  if (!qg::matchConstant(op.getRhs()))
    return refuse(op) << "expects a constant right operand";
  if (rhs.size() != 2)
    return refuse(op) << "expects a matrix as right operand, got rank "
                      << rhs.size();
  FailureOr<LinearParameters> linear = getLinear(op, op.getRhs(), op.getBias());
  if (failed(linear))
    return failure();
  if (!op.getTransposeRhs()) {
    std::vector<int64_t> rows(linear->weights.size());
    for (int64_t k = 0; k < rhs[0]; ++k)
      for (int64_t n = 0; n < rhs[1]; ++n)
        rows[n * rhs[0] + k] = linear->weights[k * rhs[1] + n];
    linear->weights = std::move(rows);
    std::swap(linear->rows, linear->columns);
  }
  linear->foldZeroPoint(op.getLhsZp());
  StreamType type = typeOf(streams_[op.getLhs()].back());
  FailureOr<IntegerType> element =
      getAccumulator(op, linear->getRange(type.getLow(), type.getHigh()));
  if (failed(element))
    return failure();
  auto unit = hls::MatVecOp::create(
      builder_, op.getLoc(),
      getStream(op.getResultType().getNumElements(), *element),
      take(op.getLhs()), makeWeights(context_, *linear),
      makeIntegers(context_, linear->bias, {linear->rows}, 32, "bias"), 1, 1,
      "auto", IntegerAttr());
  define(op.getResult(), unit.getResult(), op.getLoc());
  return success();
}

LogicalResult Converter::convertRequantize(fxp::RequantizeOp op) {
  FailureOr<Requantizer> requantizer = Requantizer::get(op);
  if (failed(requantizer))
    return failure();
  ArrayRef<int64_t> shape = getShape(op.getX());
  int64_t channels = shape.empty() ? 1 : shape.back();
  int64_t count = requantizer->scales.size();
  int64_t levels = requantizer->high - requantizer->low;
  bool isMonotonic =
      llvm::all_of(requantizer->scales, [](float scale) { return scale >= 0; });
  bool isFixed = !requantizer->fixed.empty();
  if (!isMonotonic)
    return refuse(op) << "expects scales that are not negative";
  if (!isFixed && levels > kMostThresholds)
    return refuse(op) << "expects --requant=fixed:BITS or pow2, got f32 for a "
                         "result of "
                      << levels + 1 << " levels";
  IntegerType element =
      hls::getNarrowestType(context_, requantizer->low, requantizer->high);
  Value x = take(op.getX());
  StreamType type = typeOf(x);
  StreamType result = getStream(type.getElements(), element);
  Value stream;
  if (levels >= 1 && levels <= kMostThresholds) {
    std::vector<int64_t> thresholds =
        requantizer->getThresholds(type.getLow(), type.getHigh());
    stream = hls::ThresholdOp::create(
        builder_, op.getLoc(), result, x, channels,
        makeIntegers(context_, thresholds, {count, levels}, 32, "thresholds"),
        requantizer->low);
  } else {
    // The unit's product, and its rounding, have to fit 64 bits.
    int64_t most = std::max(std::abs(type.getLow() - requantizer->xZeroPoint),
                            std::abs(type.getHigh() - requantizer->xZeroPoint));
    for (const FixedScale &scale : requantizer->fixed)
      if (llvm::Log2_64_Ceil(most + 1) +
              llvm::Log2_64_Ceil(scale.multiplier + 1) >
          62)
        return refuse(op) << "its products have more than 62 bits; use fewer "
                             "in --requant=fixed:BITS";
    std::vector<int64_t> multipliers, shifts;
    for (const FixedScale &scale : requantizer->fixed) {
      multipliers.push_back(scale.multiplier);
      shifts.push_back(scale.shift);
    }
    stream = hls::RequantizeOp::create(
        builder_, op.getLoc(), result, x, channels,
        makeIntegers(context_, multipliers, {count}, 32, "multipliers"),
        makeIntegers(context_, shifts, {count}, 8, "shifts"),
        requantizer->xZeroPoint, requantizer->zeroPoint,
        ArrayRef<int64_t>{requantizer->low, requantizer->high});
  }
  define(op.getResult(), stream, op.getLoc());
  return success();
}

LogicalResult Converter::convertAdd(fxp::AddOp op) {
  if (getShape(op.getLhs()) != getShape(op.getRhs()))
    return refuse(op) << "expects operands of one shape";
  std::optional<RequantizeMode> mode =
      parseRequantizeMode(op.getMode().getKind(), op.getMode().getBits());
  if (!mode || mode->kind == RequantizeMode::F32)
    return refuse(op) << "expects --requant=fixed:BITS or pow2, got f32";
  auto [left, right] =
      getCommonFixedScales(op.getScales()[0], op.getScales()[1], *mode);
  Value lhs = take(op.getLhs()), rhs = take(op.getRhs());
  IntegerType element =
      hls::getNarrowestType(context_, op.getClamp()[0], op.getClamp()[1]);
  auto unit = hls::AddOp::create(
      builder_, op.getLoc(), getStream(typeOf(lhs).getElements(), element), lhs,
      rhs, ArrayRef<int64_t>{left.multiplier, right.multiplier}, left.shift,
      op.getZps(), op.getZp(), op.getClamp());
  define(op.getResult(), unit.getResult(), op.getLoc());
  return success();
}

LogicalResult Converter::convertMul(fxp::MulOp op) {
  if (getShape(op.getLhs()) != getShape(op.getRhs()))
    return refuse(op) << "expects operands of one shape";
  Value lhs = take(op.getLhs()), rhs = take(op.getRhs());
  int64_t least = INT64_MAX, most = INT64_MIN;
  for (int64_t a : {typeOf(lhs).getLow(), typeOf(lhs).getHigh()})
    for (int64_t b : {typeOf(rhs).getLow(), typeOf(rhs).getHigh()}) {
      int64_t product = (a - op.getZps()[0]) * (b - op.getZps()[1]);
      least = std::min(least, product);
      most = std::max(most, product);
    }
  auto unit = hls::MulOp::create(
      builder_, op.getLoc(),
      getStream(typeOf(lhs).getElements(),
                hls::getNarrowestType(context_, least, most)),
      lhs, rhs, op.getZps());
  define(op.getResult(), unit.getResult(), op.getLoc());
  return success();
}

/// Whether readers take the bytes of a table as unsigned.
static bool isReadUnsigned(Value value) {
  return llvm::any_of(value.getUses(), [](OpOperand &use) {
    Operation *user = use.getOwner();
    if (isa<qg::ReshapeOp, qg::TransposeOp, qg::ConcatOp, fxp::MaxPoolOp>(
            user) &&
        !user->hasAttr("x_unsigned"))
      return isReadUnsigned(user->getResult(0));
    return user->hasAttr("x_unsigned") ||
           user->hasAttr(use.getOperandNumber() ? "rhs_unsigned"
                                                : "lhs_unsigned");
  });
}

LogicalResult Converter::convertLut(fxp::LutOp op) {
  FailureOr<Tensor> table =
      qg::getTensor(op.getTable(), op.getTable().getType());
  if (failed(table))
    return refuse(op) << "expects a table whose bytes are present";
  bool isUnsigned = isReadUnsigned(op.getResult());
  Value x = take(op.getX());
  StreamType type = typeOf(x);
  // Only the entries that an input can reach.
  int64_t least = INT64_MAX, most = INT64_MIN;
  for (int64_t value = type.getLow(); value <= type.getHigh(); ++value) {
    int64_t entry = table->getInt(value & 0xFF);
    if (isUnsigned)
      entry &= 0xFF;
    least = std::min(least, entry);
    most = std::max(most, entry);
  }
  auto unit = hls::LutOp::create(
      builder_, op.getLoc(),
      getStream(type.getElements(),
                hls::getNarrowestType(context_, least, most)),
      x, op.getTable());
  define(op.getResult(), unit.getResult(), op.getLoc());
  return success();
}

LogicalResult Converter::convertSoftmax(fxp::SoftmaxOp op) {
  Value x = take(op.getX());
  StreamType type = typeOf(x);
  if (type.getBits() > 8)
    return refuse(op) << "expects an input of up to 8 bits, got "
                      << type.getBits();
  IntegerType element =
      hls::getNarrowestType(context_, op.getClamp()[0], op.getClamp()[1]);
  auto unit = hls::SoftmaxOp::create(
      builder_, op.getLoc(), getStream(type.getElements(), element), x,
      getShape(op.getX()).back(), op.getTable(), op.getZp(), op.getClamp());
  define(op.getResult(), unit.getResult(), op.getLoc());
  return success();
}

LogicalResult Converter::makePool(Operation *op, StringRef kind,
                                  const Geometry &geometry, int64_t zeroPoint) {
  int64_t taps = geometry.kernel[0] * geometry.kernel[1];
  Value x = op->getOperand(0);
  StreamType type = typeOf(streams_[x].back());
  bool isSum = kind == "sum";
  int64_t bias = isSum ? -taps * zeroPoint : 0;
  IntegerType element = type.getElement();
  if (isSum) {
    FailureOr<IntegerType> wide = getAccumulator(
        op, {taps * type.getLow() + bias, taps * type.getHigh() + bias});
    if (failed(wide))
      return failure();
    element = *wide;
  }
  bool isGlobal = geometry.isWhole();
  Value stream = take(x);
  if (!isGlobal) {
    FailureOr<Value> window =
        makeWindow(op, stream, geometry, isSum ? zeroPoint : type.getLow(),
                   /*channelsOuter=*/true);
    if (failed(window))
      return failure();
    stream = *window;
  }
  auto result = cast<RankedTensorType>(op->getResult(0).getType());
  auto unit = hls::PoolOp::create(
      builder_, op->getLoc(), getStream(result.getNumElements(), element),
      stream, kind, taps, geometry.image[2], bias, isGlobal);
  define(op->getResult(0), unit.getResult(), op->getLoc());
  return success();
}

LogicalResult Converter::convertSum(fxp::SumOp op) {
  // The sum over everything but the channels, as a pool.
  ArrayRef<int64_t> shape = getShape(op.getX());
  SmallVector<int64_t> outer;
  for (int64_t dim = 0; dim + 1 < int64_t(shape.size()); ++dim)
    if (shape[dim] != 1)
      outer.push_back(dim);
  bool sumsOuter = llvm::all_of(outer, [&](int64_t dim) {
    return llvm::is_contained(op.getAxes(), dim);
  });
  if (!sumsOuter || llvm::is_contained(op.getAxes(), int64_t(shape.size()) - 1))
    return refuse(op) << "expects a sum over all dimensions but the last";
  int64_t pixels = 1;
  for (int64_t dim : outer)
    pixels *= shape[dim];
  Geometry geometry;
  geometry.image = {1, pixels, shape.back()};
  geometry.kernel = {1, pixels};
  geometry.strides = {1, 1};
  geometry.dilations = {1, 1};
  geometry.pads = {0, 0, 0, 0};
  return makePool(op, "sum", geometry, op.getXZp());
}

LogicalResult Converter::convertConcat(qg::ConcatOp op) {
  ArrayRef<int64_t> shape = getShape(op.getResult());
  if (int64_t(op.getAxis()) != int64_t(shape.size()) - 1)
    return refuse(op) << "expects the last dimension, got dimension "
                      << op.getAxis();
  SmallVector<Value> inputs;
  SmallVector<int64_t> channels;
  int64_t least = 0, most = 0;
  for (Value input : op.getInputs()) {
    StreamType type = typeOf(streams_[input].back());
    least = std::min(least, type.getLow());
    most = std::max(most, type.getHigh());
  }
  IntegerType element = hls::getNarrowestType(context_, least, most);
  for (Value input : op.getInputs()) {
    if (typeOf(streams_[input].back()).getElement() != element)
      return refuse(op) << "expects operands of one width";
    inputs.push_back(take(input));
    channels.push_back(getShape(input).back());
  }
  auto unit = hls::JoinOp::create(
      builder_, op.getLoc(),
      getStream(op.getResult().getType().getNumElements(), element), inputs,
      channels);
  define(op.getResult(), unit.getResult(), op.getLoc());
  return success();
}

LogicalResult Converter::convertTranspose(qg::TransposeOp op) {
  Value stream = permute(builder_, op.getLoc(), take(op.getX()),
                         getShape(op.getX()), op.getPermutation());
  define(op.getResult(), stream, op.getLoc());
  return success();
}

LogicalResult Converter::convertResize(fxp::ResizeOp op) {
  FailureOr<Value> stream = buildResize(builder_, op, take(op.getX()));
  if (failed(stream))
    return refuse(op) << "expects coefficients of up to 16 bits";
  define(op.getResult(), *stream, op.getLoc());
  return success();
}

LogicalResult Converter::convert(Operation *op) {
  if (auto conv = dyn_cast<fxp::ConvOp>(op))
    return convertConv(conv);
  if (auto matmul = dyn_cast<fxp::MatmulOp>(op))
    return convertMatmul(matmul);
  if (auto requantize = dyn_cast<fxp::RequantizeOp>(op))
    return convertRequantize(requantize);
  if (auto add = dyn_cast<fxp::AddOp>(op))
    return convertAdd(add);
  if (auto mul = dyn_cast<fxp::MulOp>(op))
    return convertMul(mul);
  if (auto lut = dyn_cast<fxp::LutOp>(op))
    return convertLut(lut);
  if (auto softmax = dyn_cast<fxp::SoftmaxOp>(op))
    return convertSoftmax(softmax);
  if (auto sum = dyn_cast<fxp::SumOp>(op))
    return convertSum(sum);
  if (auto concat = dyn_cast<qg::ConcatOp>(op))
    return convertConcat(concat);
  if (auto transpose = dyn_cast<qg::TransposeOp>(op))
    return convertTranspose(transpose);
  if (auto resize = dyn_cast<fxp::ResizeOp>(op))
    return convertResize(resize);
  if (auto reshape = dyn_cast<qg::ReshapeOp>(op)) {
    define(reshape.getResult(), take(reshape.getX()), op->getLoc());
    return success();
  }
  auto pool = [&](auto typed, StringRef kind, int64_t zeroPoint) {
    FailureOr<Geometry> geometry =
        getGeometry(op, {typed.getKernel(), typed.getStrides(), typed.getPads(),
                         typed.getDilations()});
    if (failed(geometry))
      return LogicalResult(failure());
    return makePool(op, kind, *geometry, zeroPoint);
  };
  if (auto max = dyn_cast<fxp::MaxPoolOp>(op))
    return pool(max, "max", 0);
  if (auto sum = dyn_cast<fxp::SumPoolOp>(op))
    return pool(sum, "sum", sum.getXZp());
  return refuse(op) << "not supported by this target";
}

bool qopt::hasUnit(Operation *op) {
  return isa<fxp::ConvOp, fxp::MatmulOp, fxp::RequantizeOp, fxp::AddOp,
             fxp::MulOp, fxp::LutOp, fxp::SoftmaxOp, fxp::SumOp, fxp::MaxPoolOp,
             fxp::SumPoolOp, fxp::ResizeOp, qg::ConcatOp, qg::TransposeOp,
             qg::ReshapeOp>(op);
}

/// Streams beside the arguments, which are erased when all is converted.
LogicalResult Converter::addStreams(SmallVectorImpl<Type> &arguments) {
  Block &block = function_.getBody().front();
  for (BlockArgument argument : block.getArguments()) {
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    auto element = function_.getArgAttrOfType<TypeAttr>(argument.getArgNumber(),
                                                        kElementAttr);
    if (!type || !type.getElementType().isSignlessInteger() ||
        (element && !isa<IntegerType>(element.getValue())))
      return function_.emitError("expects integer tensors as arguments");
    IntegerType integer =
        element
            ? cast<IntegerType>(element.getValue())
            : IntegerType::get(context_,
                               type.getElementType().getIntOrFloatBitWidth(),
                               isReadUnsigned(argument) ? IntegerType::Unsigned
                                                        : IntegerType::Signed);
    arguments.push_back(getStream(type.getNumElements(), integer));
  }
  unsigned count = block.getNumArguments();
  for (unsigned i = 0; i < count; ++i) {
    Value stream = block.addArgument(arguments[i], function_.getLoc());
    define(block.getArgument(i), stream, function_.getLoc());
  }
  return success();
}

/// The op if its operands are streams, or parameters where it has any. Ops
/// behind a refused one have no streams: one error is enough.
LogicalResult Converter::convertReachable(Operation *op) {
  bool isReachable = llvm::all_of(op->getOperands(), [&](Value operand) {
    return operand.getDefiningOp<qg::ConstantOp>() || hasStream(operand);
  });
  if (!isReachable) {
    // Still say what this op itself lacks, where that needs no stream.
    if (!isa<fxp::FXPDialect, qg::QGDialect>(op->getDialect()))
      refuse(op) << "not supported by this target";
    return success();
  }
  if (isa<fxp::ConvOp, fxp::MatmulOp>(op)) {
    if (!hasStream(op->getOperand(0)))
      return refuse(op) << "expects a left operand that is not constant";
    return convert(op);
  }
  // A constant is a parameter, and only some ops have parameters.
  for (Value operand : op->getOperands())
    if (operand.getDefiningOp<qg::ConstantOp>())
      return refuse(op) << "expects no constant operand";
  return convert(op);
}

LogicalResult Converter::run() {
  Block &block = function_.getBody().front();
  Operation *terminator = block.getTerminator();
  builder_.setInsertionPoint(terminator);
  unsigned count = block.getNumArguments();
  SmallVector<Type> arguments, results;
  if (failed(addStreams(arguments)))
    return failure();
  SmallVector<Operation *> old;
  for (Operation &op : block) {
    if (&op == terminator)
      break;
    // Ops of this conversion are behind the old ones.
    if (op.getDialect() && op.getDialect()->getNamespace() == "hls")
      break;
    old.push_back(&op);
  }
  bool isValid = true;
  for (Operation *op : old)
    if (!isa<qg::ConstantOp>(op) && failed(convertReachable(op)))
      isValid = false;
  if (!isValid)
    return failure();
  SmallVector<Value> returned;
  for (Value value : terminator->getOperands()) {
    if (!hasStream(value))
      return function_.emitError(
          "expects results that are computed from the inputs");
    returned.push_back(take(value));
    results.push_back(returned.back().getType());
  }
  terminator->setOperands(returned);
  for (Operation *op : llvm::reverse(old))
    op->erase();
  block.eraseArguments(0, count);
  function_.setFunctionType(FunctionType::get(context_, arguments, results));
  return success();
}

namespace {
struct ConvertFXPToHLS : qopt::impl::ConvertFXPToHLSBase<ConvertFXPToHLS> {
  void runOnOperation() override {
    for (func::FuncOp function : getOperation().getOps<func::FuncOp>())
      if (function.isDeclaration() || !function.getBody().hasOneBlock() ||
          failed(Converter(function).run()))
        return signalPassFailure();
  }
};
} // namespace
