//===- RoiAlign.cpp - Bins of regions of an image -------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Samples of every bin, as many as the node says or as the region is large.
//===----------------------------------------------------------------------===//
#include "Counted.h"
#include "Sampler.h"

#include <limits>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

namespace {
struct RoiSpec {
  int64_t outputs[2]; ///< bins along height and width
  int64_t samples;    ///< of a bin along either; 0: as many as it has elements
  double scale;
  bool isHalfPixel;
  bool isMax = false; ///< the largest sample of a bin, not the mean
};
} // namespace

/// Where regions start along one dimension, and the length of a bin: [R, 1] as
/// their ends `low` and `high`.
static std::pair<Value, Value> getRoiBins(GraphBuilder &b, Value low,
                                          Value high, const RoiSpec &spec,
                                          int64_t bins) {
  double offset = spec.isHalfPixel ? 0.5 : 0;
  Value start = b.sub(b.mul(low, spec.scale), offset);
  Value length = b.sub(b.sub(b.mul(high, spec.scale), offset), start);
  if (!spec.isHalfPixel)
    length = b.max(length, 1.0);
  return {start, b.div(length, double(bins))};
}

/// Places of all samples along one dimension [R, bins * samples].
static Value getRoiPlaces(GraphBuilder &b, Value low, Value high,
                          const RoiSpec &spec, int64_t bins) {
  auto [start, bin] = getRoiBins(b, low, high, spec, bins);
  if (!bin)
    return {};
  SmallVector<double> fractions;
  for (int64_t i = 0; i < bins * spec.samples; ++i)
    fractions.push_back(double(i / spec.samples) +
                        (double(i % spec.samples) + 0.5) /
                            double(spec.samples));
  return b.add(start, b.mul(bin, b.floats({1, bins * spec.samples}, fractions,
                                          b.element(bin))));
}

/// Inside from -1 to the extent, clamped to the elements there are.
static Taps getRoiTaps(GraphBuilder &b, Value x, int64_t extent) {
  if (!x)
    return {};
  Type type = b.element(x);
  Value isInside = b.binary(
      BinaryKind::bit_and,
      b.compare(ComparePredicate::ge, x, b.scalar(-1, type)),
      b.compare(ComparePredicate::le, x, b.scalar(double(extent), type)));
  Value place = b.clamp(x, 0, double(extent - 1));
  Value low = b.unary(UnaryKind::floor, place), second = b.sub(place, low);
  Value first = b.sub(b.scalar(1, type), second);
  Value next = b.min(b.add(low, 1.0), double(extent - 1));
  return {{b.convert(low, b.i64()), first, isInside},
          {b.convert(next, b.i64()), second, isInside}};
}

static std::optional<RoiSpec> readRoiSpec(OpBinder &op) {
  std::string coordinates =
      op.stringAttr("coordinate_transformation_mode",
                    op.opset() < 16 ? "output_half_pixel" : "half_pixel");
  if (coordinates != "half_pixel" && coordinates != "output_half_pixel") {
    (void)op.badModel("attribute 'coordinate_transformation_mode' = \"" +
                      coordinates +
                      "\" is not one of half_pixel, output_half_pixel");
    return std::nullopt;
  }
  RoiSpec spec{{op.intAttr("output_height", 1), op.intAttr("output_width", 1)},
               op.intAttr("sampling_ratio", 0),
               op.floatAttr("spatial_scale", 1),
               coordinates == "half_pixel"};
  for (int64_t extent : spec.outputs)
    if (extent < 1 || extent > 4096) {
      (void)op.badModel("expects outputs in [1, 4096], got " + Twine(extent));
      return std::nullopt;
    }
  if (spec.samples >= 0 && spec.samples <= 64)
    return spec;
  (void)op.unsupported("expects 'sampling_ratio' in [0, 64], got " +
                       Twine(spec.samples));
  return std::nullopt;
}

/// The value of each bin of samples [R, h, s, w, s, C].
static Value poolSamples(GraphBuilder &b, ArrayRef<Value> products,
                         ArrayRef<int64_t> shape, bool isMax) {
  Value samples;
  for (Value product : products)
    samples = samples ? b.max(samples, product) : product;
  samples = b.reshape(samples, shape);
  return isMax ? b.reduce(ReduceKind::max, samples, {2, 4}, false)
               : b.reduceMean(samples, {2, 4}, false);
}

namespace {
/// RoiAlign where the samples of a bin follow from the size of its region.
/// Those that lie outside of the map are 0: a loop walks over the others, of
/// which a bin has at most two for each element, as they are more than half an
/// element apart.
class AdaptiveRoiAlign {
public:
  AdaptiveRoiAlign(GraphBuilder &builder, const RoiSpec &spec)
      : b(builder), spec(spec), isMax(spec.isMax) {}

  /// [R, h, w, C] of x [N, H, W, C], regions [R, 4] and batches [R] of i64.
  Value build(Value x, Value rois, Value batches);

private:
  /// Samples along one dimension.
  struct Grid {
    Value count;         ///< i64 [R, 1], of a bin
    Value first;         ///< i64 [R, bins], the first that may lie inside
    Value visits;        ///< i64 scalar, the most from there on
    Value origin, pitch; ///< number i lies at origin + (i + 0.5) * pitch
    int64_t extent, bound;
  };
  Grid getGrid(Value low, Value high, int64_t bins, int64_t extent);
  /// [R, bins] for every bin of both dimensions, flat.
  Value spread(Value v, int64_t dim);
  Value toColumn(Value v) { return b.reshape(v, {total, 1}); }
  Value visit(Sampler &sampler, Value step, Value sum);
  Value finish(Value sum);

  GraphBuilder &b;
  const RoiSpec &spec;
  bool isMax;
  Grid grids[2];
  Shape points;
  int64_t total = 0;
};
} // namespace

AdaptiveRoiAlign::Grid AdaptiveRoiAlign::getGrid(Value low, Value high,
                                                 int64_t bins, int64_t extent) {
  auto [start, bin] = getRoiBins(b, low, high, spec, bins);
  Grid grid;
  grid.extent = extent;
  grid.bound = 2 * (extent + 1) + 8;
  if (!bin)
    return grid;
  Type type = b.element(bin);
  constexpr double kMost = 1 << 24; // beyond it floats are no counts
  Value counted = b.clamp(b.unary(UnaryKind::ceil, bin), 0, kMost);
  grid.count = b.convert(counted, b.i64());
  grid.pitch = b.div(bin, b.max(counted, 1.0));
  SmallVector<double> numbers;
  for (int64_t i = 0; i < bins; ++i)
    numbers.push_back(double(i));
  grid.origin = b.add(start, b.mul(bin, b.floats({1, bins}, numbers, type)));
  // One more on either side: rounding decides nothing, places are compared.
  auto numberAt = [&](double place) {
    return b.div(b.sub(b.scalar(place, type), grid.origin), grid.pitch);
  };
  Value before = b.sub(b.unary(UnaryKind::floor, numberAt(-1)), 1.0);
  Value behind = b.add(b.unary(UnaryKind::ceil, numberAt(double(extent))), 2.0);
  auto asNumber = [&](Value v) {
    return b.min(b.convert(b.clamp(v, 0, kMost), b.i64()), grid.count);
  };
  grid.first = asNumber(before);
  Value length = b.sub(asNumber(behind), grid.first);
  grid.visits = b.max(b.reduce(ReduceKind::max, length, {0, 1}, false),
                      b.scalar(0, b.i64()));
  return grid;
}

Value AdaptiveRoiAlign::spread(Value v, int64_t dim) {
  return b.reshape(b.broadcast(b.expandDim(v, 2 - dim), points), {total});
}

/// `sum` with the samples of one step.
Value AdaptiveRoiAlign::visit(Sampler &sampler, Value step, Value sum) {
  Value row = b.div(step, grids[1].visits);
  Value steps[2] = {row, b.sub(step, b.mul(row, grids[1].visits))};
  SmallVector<Taps> taps;
  Value isReal;
  for (int64_t d = 0; d < 2; ++d) {
    const Grid &grid = grids[d];
    Value number = b.add(grid.first, steps[d]);
    Value isSample = b.compare(ComparePredicate::lt, number, grid.count);
    Value place = b.add(
        grid.origin, b.mul(b.add(b.convert(number, b.element(grid.pitch)), 0.5),
                           grid.pitch));
    Taps found = getRoiTaps(b, place, grid.extent);
    for (Tap &tap : found)
      tap.isInside = b.binary(BinaryKind::bit_and, tap.isInside, isSample);
    taps.push_back(mapTaps(found, [&](Value v) { return spread(v, d); }));
    Value real = spread(isSample, d);
    isReal = isReal ? b.binary(BinaryKind::bit_and, isReal, real) : real;
  }
  if (!isMax)
    return b.add(sum, sampler.sample(taps));
  Value most;
  for (Value product : sampler.sampleEach(taps))
    most = most ? b.max(most, product) : product;
  return b.select(toColumn(isReal), b.max(sum, most), sum);
}

/// The mean, or the largest with the zeros of what lies outside.
Value AdaptiveRoiAlign::finish(Value sum) {
  Value count =
      b.mul(spread(b.broadcast(grids[0].count, b.shape(grids[0].first)), 0),
            spread(b.broadcast(grids[1].count, b.shape(grids[1].first)), 1));
  if (!isMax)
    return b.div(sum, toColumn(b.convert(b.max(count, b.scalar(1, b.i64())),
                                         b.element(sum))));
  Value zero = b.scalar(0, b.i64()), isWhole;
  for (int64_t d = 0; d < 2; ++d) {
    const Grid &grid = grids[d];
    Value all = b.binary(
        BinaryKind::bit_and, b.compare(ComparePredicate::eq, grid.first, zero),
        b.compare(ComparePredicate::ge, grid.visits, grid.count));
    all = spread(all, d);
    isWhole = isWhole ? b.binary(BinaryKind::bit_and, isWhole, all) : all;
  }
  Value largest = b.select(toColumn(isWhole), sum, b.max(sum, 0.0));
  Value isEmpty = b.compare(ComparePredicate::eq, count, zero);
  return b.select(toColumn(isEmpty), b.scalar(0, b.element(sum)), largest);
}

Value AdaptiveRoiAlign::build(Value x, Value rois, Value batches) {
  auto column = [&](int64_t i) { return b.sliceAxis(rois, 1, i, i + 1); };
  for (int64_t d = 0; d < 2; ++d) {
    grids[d] = getGrid(column(1 - d), column(3 - d), spec.outputs[d],
                       b.extent(x, d + 1));
    if (!grids[d].visits)
      return {};
  }
  int64_t regions = b.extent(rois, 0), channels = b.extent(x, 3);
  points = {regions, spec.outputs[0], spec.outputs[1]};
  total = getNumElements(points);
  Value batch = b.reshape(
      b.broadcast(b.reshape(batches, {regions, 1, 1}), points), {total});
  Sampler sampler(b, x, batch);
  Value length = b.mul(grids[0].visits, grids[1].visits);
  double first = isMax ? -std::numeric_limits<double>::infinity() : 0;
  LoopSpec loop;
  loop.count = grids[0].bound * grids[1].bound;
  loop.condition =
      b.compare(ComparePredicate::gt, length, b.scalar(0, b.i64()));
  loop.states = {b.full({total, channels}, first, b.element(x))};
  if (!loop.condition || !loop.states[0])
    return {};
  SmallVector<Value> results =
      b.loop(loop, [&](ValueRange arguments) -> std::optional<LoopYield> {
        Value next = b.add(arguments[0], b.scalar(1, b.i64()));
        LoopYield yield;
        yield.condition = b.compare(ComparePredicate::lt, next, length);
        yield.states = {visit(sampler, arguments[0], arguments[1])};
        if (!yield.condition || !yield.states[0])
          return std::nullopt;
        return yield;
      });
  if (results.empty())
    return {};
  return b.reshape(finish(results[0]),
                   {regions, spec.outputs[0], spec.outputs[1], channels});
}

/// As many samples of a bin as the file says.
static Value sampleRegions(GraphBuilder &b, const RoiSpec &spec, Value x,
                           Value rois, Value batches) {
  int64_t count = b.extent(rois, 0), s = spec.samples;
  Shape points{count, spec.outputs[0] * s, spec.outputs[1] * s};
  int64_t total = getNumElements(points);
  SmallVector<Taps> taps;
  for (int64_t d = 0; d < 2; ++d) {
    auto column = [&](int64_t i) { return b.sliceAxis(rois, 1, i, i + 1); };
    Value places =
        getRoiPlaces(b, column(1 - d), column(3 - d), spec, spec.outputs[d]);
    taps.push_back(
        mapTaps(getRoiTaps(b, places, b.extent(x, d + 2)), [&](Value v) {
          return b.reshape(b.broadcast(b.expandDim(v, 2 - d), points), {total});
        }));
  }
  Value batch = b.reshape(
      b.broadcast(b.reshape(b.convert(batches, b.i64()), {count, 1, 1}),
                  points),
      {total});
  Sampler sampler(b, b.toChannelsLast(x), batch);
  SmallVector<Value> products;
  if (spec.isMax)
    products = sampler.sampleEach(taps);
  else
    products = {sampler.sample(taps)};
  Value y = poolSamples(
      b, products,
      {count, spec.outputs[0], s, spec.outputs[1], s, b.extent(x, 1)},
      spec.isMax);
  return b.toChannelsFirst(y);
}

LogicalResult frontend::importRoiAlign(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0), rois = op.in(1), batches = op.in(2);
  if (!x || !rois || !batches)
    return failure();
  std::optional<RoiSpec> spec = readRoiSpec(op);
  std::string mode = op.stringAttr("mode", "avg");
  if (!spec)
    return failure();
  if (mode != "avg" && mode != "max")
    return op.badModel("attribute 'mode' = \"" + mode +
                       "\" is not one of avg, max");
  if (b.rank(x) != 4 || b.rank(rois) != 2 || b.extent(rois, 1) != 4 ||
      b.shape(batches) != b.shape(rois).take_front())
    return op.badModel("expects x [N, C, H, W], regions [R, 4] and R batches, "
                       "got " +
                       formatShape(b.shape(x)) + ", " +
                       formatShape(b.shape(rois)) + " and " +
                       formatShape(b.shape(batches)));
  // Regions do not know of each other.
  std::optional<CountedDim> regions = countedAmong(b, rois, {0});
  if (const CountedDim *dim = b.countedDimOf(batches);
      dim && (!regions || dim->length != regions->length))
    return success(bool(b.failMixed(dim->axis)));
  SmallVector<Value> counted;
  if (regions)
    counted = {rois, batches};
  Uncounted whole(b, counted);
  spec->isMax = mode == "max";
  Value y = spec->samples == 0
                ? b.toChannelsFirst(AdaptiveRoiAlign(b, *spec).build(
                      b.toChannelsLast(x), rois, b.convert(batches, b.i64())))
                : sampleRegions(b, *spec, x, rois, batches);
  if (regions)
    b.markCounted(y, *regions);
  return op.result(y);
}
