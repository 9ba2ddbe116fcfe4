//===- Sampling.cpp - Images read at computed places ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Where the points of GridSample, AffineGrid and DeformConv lie.
//===----------------------------------------------------------------------===//
#include "Sampler.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"
#include "qopt/Frontend/ONNX/Proto/ProtoReader.h"
#include "qopt/Frontend/ONNX/Window.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

//===----------------------------------------------------------------------===//
// GridSample
//===----------------------------------------------------------------------===//

namespace {
enum class Outside { Zeros, Border, Reflection };

/// One dimension of GridSample.
struct GridAxis {
  int64_t extent;
  Outside outside;
  double low, high; ///< places at which it is reflected
};
} // namespace

/// Places beyond the ends folded back as often as it takes.
static Value reflect(GraphBuilder &b, Value x, const GridAxis &axis) {
  double range = axis.high - axis.low;
  if (!x || range <= 0)
    return x ? b.mul(x, 0.0) : x;
  Type type = b.element(x);
  Value low = b.scalar(axis.low, type), high = b.scalar(axis.high, type);
  Value isBelow = b.compare(ComparePredicate::lt, x, low);
  Value isAbove = b.compare(ComparePredicate::gt, x, high);
  Value distance = b.select(isBelow, b.sub(low, x), b.sub(x, high));
  Value turns = b.unary(UnaryKind::floor, b.div(distance, range));
  Value rest = b.sub(distance, b.mul(turns, range));
  Value half = b.mul(turns, 0.5);
  Value isEven =
      b.compare(ComparePredicate::eq, half, b.unary(UnaryKind::floor, half));
  Value isFromHigh = b.binary(BinaryKind::bit_xor, isBelow, isEven);
  Value folded = b.select(isFromHigh, b.sub(high, rest), b.add(low, rest));
  return b.select(b.binary(BinaryKind::bit_or, isBelow, isAbove), folded, x);
}

/// The element at place `x`, a whole number.
static Tap readGridElement(GraphBuilder &b, Value x, const GridAxis &axis) {
  if (!x)
    return {};
  Tap tap;
  if (axis.outside == Outside::Reflection)
    x = b.unary(UnaryKind::floor, reflect(b, x, axis));
  if (axis.outside == Outside::Zeros) {
    Type type = b.element(x);
    tap.isInside =
        b.binary(BinaryKind::bit_and,
                 b.compare(ComparePredicate::ge, x, b.scalar(0, type)),
                 b.compare(ComparePredicate::lt, x,
                           b.scalar(double(axis.extent), type)));
  }
  tap.position = b.convert(b.clamp(x, 0, double(axis.extent - 1)), b.i64());
  return tap;
}

/// Keys' coefficients (-0.75) of the four elements around a fraction `t`.
static SmallVector<Value> getCubicWeights(GraphBuilder &b, Value t) {
  const double a = -0.75;
  auto outer = [&](Value d) {
    Value sum = b.sub(b.mul(d, a), 5 * a);
    return b.sub(b.mul(b.add(b.mul(sum, d), 8 * a), d), 4 * a);
  };
  auto inner = [&](Value d) {
    return b.add(b.mul(b.mul(b.sub(b.mul(d, a + 2), a + 3), d), d), 1.0);
  };
  Value rest = b.sub(b.scalar(1, b.element(t)), t);
  return {outer(b.add(t, 1.0)), inner(t), inner(rest), outer(b.add(rest, 1.0))};
}

static Taps getGridTaps(GraphBuilder &b, Value x, const GridAxis &axis,
                        StringRef mode) {
  if (mode == "nearest")
    x = b.unary(UnaryKind::round_even, x);
  // Cubic weights are those of the place itself, as in PyTorch and ONNX
  // Runtime; only the elements around it are moved to the border.
  if (axis.outside == Outside::Border && mode != "cubic")
    x = b.clamp(x, 0, double(axis.extent - 1));
  if (axis.outside == Outside::Reflection)
    x = reflect(b, x, axis);
  if (!x)
    return {};
  if (mode == "nearest")
    return {readGridElement(b, x, axis)};
  Value low = b.unary(UnaryKind::floor, x), t = b.sub(x, low);
  SmallVector<Value> weights;
  if (mode == "linear")
    weights = {b.sub(b.scalar(1, b.element(t)), t), t};
  else
    weights = getCubicWeights(b, t);
  double first = mode == "linear" ? 0 : -1;
  Taps taps;
  for (auto [i, weight] : llvm::enumerate(weights)) {
    Value place = b.add(low, first + double(i));
    taps.push_back(readGridElement(b, place, axis));
    taps.back().weight = weight;
  }
  return taps;
}

/// Normalized coordinates (-1 to 1) as places of a dimension.
static Value denormalize(GraphBuilder &b, Value n, int64_t extent,
                         bool alignsCorners) {
  Value shifted = b.add(n, 1.0);
  if (alignsCorners)
    return b.mul(b.mul(shifted, 0.5), double(extent - 1));
  return b.mul(b.sub(b.mul(shifted, double(extent)), 1.0), 0.5);
}

/// The mode by the name that opset 20 gives it; empty, and reported, for none.
static std::string readGridMode(OpBinder &op) {
  std::string mode = op.stringAttr("mode", "linear");
  if (mode == "bilinear")
    mode = "linear";
  if (mode == "bicubic")
    mode = "cubic";
  if (mode == "linear" || mode == "nearest" || mode == "cubic")
    return mode;
  (void)op.badModel("attribute 'mode' = \"" + mode +
                    "\" is not one of linear, nearest, cubic");
  return "";
}

static std::optional<Outside> readOutside(OpBinder &op) {
  std::string name = op.stringAttr("padding_mode", "zeros");
  if (name == "zeros")
    return Outside::Zeros;
  if (name == "border")
    return Outside::Border;
  if (name == "reflection")
    return Outside::Reflection;
  (void)op.badModel("attribute 'padding_mode' = \"" + name +
                    "\" is not one of zeros, border, reflection");
  return std::nullopt;
}

/// [count * each]: each number below `count`, `each` times.
static Value getBatches(GraphBuilder &b, int64_t count, int64_t each) {
  Tensor batches(DType::i64, {count * each});
  for (int64_t i = 0; i < batches.numElements(); ++i)
    batches.setInt(i, i / each);
  return b.constant(batches);
}

static LogicalResult importGridSample(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0), grid = op.in(1);
  if (!x || !grid)
    return failure();
  int64_t rank = b.rank(x) - 2;
  if (rank < 1 || b.rank(grid) != rank + 2 || b.shape(grid).back() != rank ||
      b.extent(grid, 0) != b.extent(x, 0))
    return op.badModel("expects x [N, C, ...] and a grid [N, ..., " +
                       Twine(std::max<int64_t>(rank, 1)) + "], got " +
                       formatShape(b.shape(x)) + " and " +
                       formatShape(b.shape(grid)));
  std::string mode = readGridMode(op);
  std::optional<Outside> outside = readOutside(op);
  bool alignsCorners = op.intAttr("align_corners", 0) != 0;
  if (mode.empty() || !outside)
    return failure();
  Shape result(b.shape(grid).drop_back());
  int64_t points = getNumElements(result);
  result.push_back(b.extent(x, 1));
  if (points == 0 || b.type(x).getNumElements() == 0)
    return op.unsupported("expects x and a grid that are not empty");
  Value flat = b.reshape(grid, {points, rank});
  SmallVector<Taps> taps;
  for (int64_t d = 0; d < rank; ++d) {
    int64_t extent = b.extent(x, d + 2);
    Value n = b.reshape(b.sliceAxis(flat, 1, rank - 1 - d, rank - d), {points});
    GridAxis axis{extent, *outside, alignsCorners ? 0 : -0.5,
                  double(extent) - (alignsCorners ? 1 : 0.5)};
    taps.push_back(
        getGridTaps(b, denormalize(b, n, extent, alignsCorners), axis, mode));
  }
  Value batch = getBatches(b, b.extent(x, 0), points / b.extent(x, 0));
  Value y = Sampler(b, b.toChannelsLast(x), batch).sample(taps);
  return op.result(b.toChannelsFirst(b.reshape(y, result)));
}

//===----------------------------------------------------------------------===//
// AffineGrid
//===----------------------------------------------------------------------===//

/// Normalized coordinates of all positions [S, r + 1]: the last dimension's
/// first, and 1.
static Tensor getHomogeneousGrid(ArrayRef<int64_t> spatial,
                                 bool alignsCorners) {
  int64_t rank = spatial.size();
  Tensor grid(DType::f32, {getNumElements(spatial), rank + 1});
  for (int64_t i = 0; i < getNumElements(spatial); ++i) {
    int64_t rest = i;
    for (int64_t d = rank - 1; d >= 0; --d) {
      auto extent = double(spatial[d]), position = double(rest % spatial[d]);
      rest /= spatial[d];
      double place = alignsCorners && spatial[d] > 1
                         ? 2 * position / (extent - 1) - 1
                     : alignsCorners ? -1
                                     : (2 * position + 1) / extent - 1;
      grid.setFloat(i * (rank + 1) + rank - 1 - d, place);
    }
    grid.setFloat(i * (rank + 1) + rank, 1);
  }
  return grid;
}

static LogicalResult importAffineGrid(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value theta = op.in(0);
  auto size = op.constantInts(1, "size");
  if (!theta || !size)
    return failure();
  int64_t rank = int64_t(size->size()) - 2;
  if (rank < 2 || rank > 3 || b.rank(theta) != 3 ||
      b.extent(theta, 1) != rank || b.extent(theta, 2) != rank + 1 ||
      b.extent(theta, 0) != (*size)[0])
    return op.badModel("expects theta [N, r, r + 1] and a size of r + 2 = 4 or "
                       "5 numbers, got " +
                       formatShape(b.shape(theta)) + " and " +
                       formatShape(*size));
  if (!countElements(*size).ok() ||
      getNumElements(ArrayRef<int64_t>(*size).drop_front(2)) > (1 << 26))
    return op.badModel("expects a grid of at most 2^26 positions, got " +
                       formatShape(*size));
  ArrayRef<int64_t> spatial = ArrayRef<int64_t>(*size).drop_front(2);
  Value grid = b.constant(
      getHomogeneousGrid(spatial, op.intAttr("align_corners", 0) != 0));
  Value y = b.matmul(b.convert(grid, b.element(theta)),
                     b.transpose(theta, {0, 2, 1}));
  Shape result{(*size)[0]};
  result.append(spatial.begin(), spatial.end());
  result.push_back(rank);
  return op.result(b.reshape(y, result));
}

//===----------------------------------------------------------------------===//
// DeformConv
//===----------------------------------------------------------------------===//

namespace {
struct DeformedWindow {
  WindowSpec window;
  Shape outputs;
  int64_t groups, offsetGroups, taps; ///< taps: elements of the kernel
};
} // namespace

static std::optional<DeformedWindow>
readDeformedWindow(OpBinder &op, Value x, Value weight, Value offset) {
  GraphBuilder &b = op.b;
  auto window = readConvWindow(op, x, weight);
  if (!window)
    return std::nullopt;
  DeformedWindow spec{*window,
                      {},
                      op.intAttr("group", 1),
                      op.intAttr("offset_group", 1),
                      getNumElements(window->kernel)};
  int64_t rank = b.rank(x) - 2;
  for (int64_t d = 0; d < rank; ++d) {
    int64_t reach = (window->kernel[d] - 1) * window->dilations[d] + 1;
    int64_t padded =
        b.extent(x, d + 2) + window->pads[d] + window->pads[d + rank];
    spec.outputs.push_back((padded - reach) / window->strides[d] + 1);
  }
  Shape expected{b.extent(x, 0), spec.offsetGroups * spec.taps * rank};
  expected.append(spec.outputs);
  if (b.shape(offset) != ArrayRef<int64_t>(expected)) {
    (void)op.badModel("expects offsets " + formatShape(expected) + ", got " +
                      formatShape(b.shape(offset)));
    return std::nullopt;
  }
  int64_t channels = b.extent(x, 1);
  if (spec.groups < 1 || spec.offsetGroups < 1 || channels % spec.groups ||
      channels % spec.offsetGroups || b.extent(weight, 0) % spec.groups ||
      b.extent(weight, 1) != channels / spec.groups) {
    (void)op.badModel("expects groups that divide the channels of x " +
                      formatShape(b.shape(x)) + " and weight " +
                      formatShape(b.shape(weight)));
    return std::nullopt;
  }
  return spec;
}

/// Places without offsets along dimension `d`: [1, taps, outputs...].
static Value getRegularPlaces(GraphBuilder &b, const DeformedWindow &spec,
                              int64_t d, Type type) {
  int64_t rank = spec.outputs.size();
  int64_t perTap = getNumElements(spec.outputs);
  Shape shape{1, spec.taps};
  shape.append(spec.outputs);
  ArrayRef<int64_t> kernel = spec.window.kernel, outputs = spec.outputs;
  SmallVector<double> places;
  for (int64_t i = 0; i < spec.taps * perTap; ++i) {
    int64_t tap =
        i / perTap / getNumElements(kernel.drop_front(d + 1)) % kernel[d];
    int64_t output =
        i % perTap / getNumElements(outputs.drop_front(d + 1)) % outputs[d];
    places.push_back(double(output * spec.window.strides[d] -
                            spec.window.pads[d] +
                            tap * spec.window.dilations[d]));
  }
  assert(d < rank && "one of the spatial dimensions");
  return b.floats(shape, places, type);
}

/// What the kernel reads of the channels of an offset group: [N, taps,
/// outputs..., C / groups].
static Value readDeformed(OpBinder &op, Value image, Value offset, Value mask,
                          const DeformedWindow &spec, int64_t group) {
  GraphBuilder &b = op.b;
  int64_t rank = spec.outputs.size(), n = b.extent(image, 0);
  int64_t channels = b.shape(image).back() / spec.offsetGroups;
  Shape points{n, spec.taps};
  points.append(spec.outputs);
  int64_t total = getNumElements(points);
  SmallVector<Taps> taps;
  for (int64_t d = 0; d < rank; ++d) {
    Value own = b.stepAxis(b.sliceAxis(offset, 1, group * spec.taps * rank,
                                       (group + 1) * spec.taps * rank),
                           1, d, rank);
    if (!own)
      return {};
    Value places = b.add(own, getRegularPlaces(b, spec, d, b.element(own)));
    taps.push_back(
        getLinearTaps(b, b.reshape(places, {total}), b.extent(image, d + 1)));
  }
  Value part =
      b.sliceAxis(image, rank + 1, group * channels, (group + 1) * channels);
  Shape shape = points;
  shape.push_back(channels);
  Value y = b.reshape(
      Sampler(b, part, getBatches(b, n, total / n)).sample(taps), shape);
  if (!mask)
    return y;
  Value own = b.sliceAxis(mask, 1, group * spec.taps, (group + 1) * spec.taps);
  return b.mul(y, own ? b.expandDim(own, rank + 2) : own);
}

/// The products of what the kernels read [N, taps, outputs..., C] with the
/// weights [M, C / g, kernel...]: [N, outputs..., M].
static Value multiplyDeformed(OpBinder &op, Value read, Value weight,
                              const DeformedWindow &spec) {
  GraphBuilder &b = op.b;
  int64_t rank = spec.outputs.size(), n = b.extent(read, 0);
  int64_t inputs = b.extent(weight, 1),
          filters = b.extent(weight, 0) / spec.groups;
  Shape order{0};
  for (int64_t d = 0; d < rank; ++d)
    order.push_back(d + 2);
  order.append({1, rank + 2});
  Value rows = b.transpose(read, order);
  Value flat = b.transpose(
      b.reshape(weight, {b.extent(weight, 0), inputs, spec.taps}), {2, 1, 0});
  int64_t count = n * getNumElements(spec.outputs);
  SmallVector<Value> results;
  for (int64_t g = 0; g < spec.groups; ++g) {
    Value lhs =
        b.reshape(b.sliceAxis(rows, rank + 2, g * inputs, (g + 1) * inputs),
                  {count, spec.taps * inputs});
    Value rhs = b.reshape(b.sliceAxis(flat, 2, g * filters, (g + 1) * filters),
                          {spec.taps * inputs, filters});
    results.push_back(b.matmul(lhs, rhs));
  }
  Shape shape{n};
  shape.append(spec.outputs);
  shape.push_back(b.extent(weight, 0));
  return b.reshape(b.concat(results, 1), shape);
}

static LogicalResult importDeformConv(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0), weight = op.in(1), offset = op.in(2),
        bias = op.optional(3), mask = op.optional(4);
  if (!x || !weight || !offset)
    return failure();
  auto spec = readDeformedWindow(op, x, weight, offset);
  if (!spec)
    return failure();
  Shape maskShape(b.shape(offset));
  maskShape[1] = spec->offsetGroups * spec->taps;
  if (mask && b.shape(mask) != ArrayRef<int64_t>(maskShape))
    return op.badModel("expects a mask " + formatShape(maskShape) + ", got " +
                       formatShape(b.shape(mask)));
  if (getNumElements(b.shape(offset)) == 0)
    return op.unsupported("expects an output that is not empty");
  Value image = b.toChannelsLast(x);
  SmallVector<Value> parts;
  for (int64_t g = 0; g < spec->offsetGroups; ++g)
    parts.push_back(readDeformed(op, image, offset, mask, *spec, g));
  if (llvm::is_contained(parts, Value()))
    return failure();
  Value read = b.concat(parts, b.rank(parts[0]) - 1);
  Value y = multiplyDeformed(op, read, weight, *spec);
  if (bias)
    y = b.add(y, bias);
  return op.result(b.toChannelsFirst(y));
}

void frontend::registerSamplingOps(OpRegistry &registry) {
  registry.add("AffineGrid", 20, roundOnce<importAffineGrid>);
  registry.add("DeformConv", 19, roundOnce<importDeformConv>);
  registry.add("GridSample", 16, roundOnce<importGridSample>);
  registry.add("RoiAlign", 10, roundOnce<importRoiAlign>);
}
