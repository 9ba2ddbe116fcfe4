//===- Resize.cpp - Resampling along dimensions ---------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Sizes are static, so that every output position reads known inputs with
// known weights: nearest is a gather with constant indices, linear and cubic a
// product with a constant matrix, one dimension after another.
//===----------------------------------------------------------------------===//
#include "qopt/Frontend/ONNX/OpBinder.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"

#include <cmath>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

namespace {
/// One dimension of a resize.
struct Axis {
  int64_t in, out;
  double scale;
  double roiStart = 0, roiEnd = 1;
};

struct ResizeSpec {
  std::string mode = "nearest", transform = "half_pixel",
              nearest = "round_prefer_floor", policy = "stretch";
  double cubicA = -0.75, extrapolation = 0;
  bool excludesOutside = false, antialias = false;
};
} // namespace

/// Input coordinate of an output position.
static double getCoordinate(const ResizeSpec &spec, const Axis &axis,
                            int64_t i) {
  double in = double(axis.in), out = double(axis.out);
  if (spec.transform == "align_corners")
    return axis.out == 1 ? 0 : double(i) * (in - 1) / (out - 1);
  if (spec.transform == "asymmetric")
    return double(i) / axis.scale;
  if (spec.transform == "pytorch_half_pixel" && axis.out == 1)
    return 0;
  if (spec.transform == "half_pixel_symmetric") {
    double adjustment = out / (axis.scale * in);
    return in / 2 * (1 - adjustment) + (double(i) + 0.5) / axis.scale - 0.5;
  }
  if (spec.transform == "tf_crop_and_resize")
    return axis.out == 1 ? 0.5 * (axis.roiStart + axis.roiEnd) * (in - 1)
                         : axis.roiStart * (in - 1) +
                               double(i) * (axis.roiEnd - axis.roiStart) *
                                   (in - 1) / (out - 1);
  return (double(i) + 0.5) / axis.scale - 0.5;
}

static int64_t roundNearest(const std::string &mode, double x) {
  if (mode == "floor")
    return int64_t(std::floor(x));
  if (mode == "ceil")
    return int64_t(std::ceil(x));
  if (mode == "round_prefer_ceil")
    return int64_t(std::floor(x + 0.5));
  return int64_t(std::ceil(x - 0.5));
}

/// Weight of a tap at a distance, for linear (triangle) and cubic filters.
static double getWeight(const ResizeSpec &spec, double distance) {
  double d = std::abs(distance), a = spec.cubicA;
  if (spec.mode == "linear")
    return std::max(0.0, 1 - d);
  if (d <= 1)
    return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

/// [in, out] with the weights of every output position in its column.
static Tensor getMatrix(const ResizeSpec &spec, const Axis &axis) {
  Tensor matrix(DType::f32, {axis.in, axis.out});
  std::vector<double> column(axis.in);
  double shrink = spec.antialias ? std::min(axis.scale, 1.0) : 1.0;
  double reach = (spec.mode == "linear" ? 1 : 2) / shrink;
  for (int64_t i = 0; i < axis.out; ++i) {
    double x = getCoordinate(spec, axis, i), total = 0;
    std::fill(column.begin(), column.end(), 0.0);
    // Taps far outside all fall onto the edge.
    int64_t first = int64_t(std::floor(x - reach)),
            last = int64_t(std::ceil(x + reach));
    for (int64_t tap = first; tap <= last; ++tap) {
      bool isOutside = tap < 0 || tap >= axis.in;
      if (isOutside && spec.excludesOutside)
        continue;
      double weight = getWeight(spec, (double(tap) - x) * shrink);
      column[std::clamp<int64_t>(tap, 0, axis.in - 1)] += weight;
      total += weight;
    }
    bool normalizes = spec.excludesOutside || spec.antialias;
    for (int64_t j = 0; j < axis.in; ++j)
      matrix.setFloat(j * axis.out + i,
                      normalizes && total != 0 ? column[j] / total : column[j]);
  }
  return matrix;
}

static Value resizeAxis(OpBinder &op, Value x, int64_t dim,
                        const ResizeSpec &spec, const Axis &axis) {
  GraphBuilder &b = op.b;
  if (!x)
    return {};
  if (spec.mode == "nearest") {
    Shape indices;
    for (int64_t i = 0; i < axis.out; ++i)
      indices.push_back(std::clamp<int64_t>(
          roundNearest(spec.nearest, getCoordinate(spec, axis, i)), 0,
          axis.in - 1));
    return b.gather(x, b.ints(indices), dim);
  }
  Type type = b.element(x);
  Value last = b.swapWithLast(b.convert(x, b.f32()), dim);
  if (!last)
    return {};
  bool isVector = b.rank(last) == 1;
  if (isVector)
    last = b.expandDim(last, 0);
  Value y = b.matmul(last, b.constant(getMatrix(spec, axis)));
  if (isVector)
    y = b.dropDim(y, 0);
  y = b.swapWithLast(y, dim);
  if (y && !b.isFloat(x))
    y = b.unary(UnaryKind::floor, y);
  return b.convert(y, type);
}

/// Where tf_crop_and_resize reads outside, the given value stands.
static Value extrapolate(OpBinder &op, Value y, int64_t dim,
                         const ResizeSpec &spec, const Axis &axis) {
  GraphBuilder &b = op.b;
  if (!y || spec.transform != "tf_crop_and_resize")
    return y;
  Shape shape(b.rank(y) - dim, 1);
  shape[0] = axis.out;
  Tensor outside(DType::b1, shape);
  for (int64_t i = 0; i < axis.out; ++i) {
    double x = getCoordinate(spec, axis, i);
    outside.setInt(i, x < 0 || x > double(axis.in - 1));
  }
  return b.select(b.constant(outside),
                  b.scalar(spec.extrapolation, b.element(y)), y);
}

/// x along `dims`, each by its entry of `axes`.
static LogicalResult buildResize(OpBinder &op, Value x, ArrayRef<int64_t> dims,
                                 ArrayRef<Axis> axes, const ResizeSpec &spec) {
  for (auto [dim, axis] : llvm::zip(dims, axes)) {
    if (axis.in < 1 || axis.out < 1 || axis.out > (1 << 20) ||
        !(axis.scale > 0))
      return op.badModel("expects extents in [1, 2^20] and positive scales");
    bool isIdentity = axis.in == axis.out && axis.scale == 1 &&
                      spec.transform != "tf_crop_and_resize";
    if (!isIdentity)
      x = extrapolate(op, resizeAxis(op, x, dim, spec, axis), dim, spec, axis);
  }
  return op.result(x);
}

static bool isKnown(OpBinder &op, StringRef name, StringRef value,
                    ArrayRef<StringRef> known) {
  if (llvm::is_contained(known, value))
    return true;
  (void)op.badModel("attribute '" + name + "' = \"" + value +
                    "\" is not one of " + llvm::join(known, ", "));
  return false;
}

static bool readSpec(OpBinder &op, ResizeSpec &spec) {
  spec.mode = op.stringAttr("mode", "nearest");
  spec.transform =
      op.stringAttr("coordinate_transformation_mode", "half_pixel");
  spec.nearest = op.stringAttr("nearest_mode", "round_prefer_floor");
  spec.cubicA = op.floatAttr("cubic_coeff_a", -0.75);
  spec.extrapolation = op.floatAttr("extrapolation_value", 0);
  spec.excludesOutside = op.intAttr("exclude_outside", 0) != 0;
  spec.antialias = op.intAttr("antialias", 0) != 0;
  spec.policy = op.stringAttr("keep_aspect_ratio_policy", "stretch");
  return isKnown(op, "mode", spec.mode, {"nearest", "linear", "cubic"}) &&
         isKnown(op, "coordinate_transformation_mode", spec.transform,
                 {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel",
                  "align_corners", "asymmetric", "tf_crop_and_resize"}) &&
         isKnown(
             op, "nearest_mode", spec.nearest,
             {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"}) &&
         isKnown(op, "keep_aspect_ratio_policy", spec.policy,
                 {"stretch", "not_larger", "not_smaller"});
}

/// Sizes as given, or one scale for all axes by keep_aspect_ratio_policy.
static void bindSizes(StringRef policy, ArrayRef<int64_t> sizes,
                      SmallVectorImpl<Axis> &axes) {
  double common = 0;
  for (auto [size, axis] : llvm::zip(sizes, axes)) {
    axis.out = size;
    axis.scale = double(size) / double(std::max<int64_t>(axis.in, 1));
    if (common == 0)
      common = axis.scale;
    common = policy == "not_larger" ? std::min(common, axis.scale)
                                    : std::max(common, axis.scale);
  }
  if (policy == "stretch")
    return;
  for (Axis &axis : axes) {
    axis.scale = common;
    axis.out = int64_t(std::floor(common * double(axis.in) + 0.5));
  }
}

static bool bindScales(OpBinder &op, ArrayRef<double> scales,
                       SmallVectorImpl<Axis> &axes) {
  for (auto [scale, axis] : llvm::zip(scales, axes)) {
    if (!(scale > 0 && scale < (1 << 20))) {
      (void)op.badModel("expects scales in (0, 2^20), got " +
                        std::to_string(scale));
      return false;
    }
    axis.scale = scale;
    axis.out = int64_t(std::floor(double(axis.in) * scale));
  }
  return true;
}

static LogicalResult importResize(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  ResizeSpec spec;
  if (!x || !readSpec(op, spec))
    return failure();
  Shape all(llvm::to_vector(llvm::seq<int64_t>(0, b.rank(x))));
  auto dims = op.normalizeAxes(op.intsAttr("axes", all), b.rank(x));
  if (!dims)
    return failure();
  SmallVector<Axis> axes;
  for (int64_t dim : *dims)
    axes.push_back({b.extent(x, dim), b.extent(x, dim), 1});
  if (spec.transform == "tf_crop_and_resize") {
    auto roi = op.constantFloats(1, "roi");
    if (!roi)
      return failure();
    if (roi->size() != 2 * axes.size())
      return op.badModel("expects two numbers per axis in 'roi'");
    for (auto [i, axis] : llvm::enumerate(axes)) {
      axis.roiStart = (*roi)[i];
      axis.roiEnd = (*roi)[i + axes.size()];
    }
  }
  // Boxes matter to tf_crop_and_resize alone, which has read them.
  op.ignoreInput(1);
  // An empty tensor means absent.
  auto isGiven = [&](unsigned i) {
    return op.hasInput(i) && b.type(op.raw(i)).getNumElements() > 0;
  };
  if (isGiven(2) && isGiven(3))
    return op.badModel("expects either 'scales' or 'sizes', got both");
  if (isGiven(3)) {
    auto sizes = op.constantInts(3, "sizes");
    if (!sizes)
      return failure();
    if (sizes->size() != axes.size())
      return op.badModel("expects one size per axis");
    bindSizes(spec.policy, *sizes, axes);
  } else {
    auto scales = op.constantFloats(2, "scales");
    if (!scales)
      return failure();
    if (scales->size() != axes.size())
      return op.badModel("expects one scale per axis");
    if (!bindScales(op, *scales, axes))
      return failure();
    // Runtimes disagree whether the last element is aligned before or after
    // the extent is rounded.
    for (const Axis &axis : axes)
      if (spec.transform == "align_corners" &&
          double(axis.in) * axis.scale != double(axis.out))
        return op.unsupported("expects scales that give whole extents with "
                              "align_corners; give 'sizes' instead");
  }
  return buildResize(op, x, *dims, axes, spec);
}

/// Resize 10 and Upsample: scales only, asymmetric coordinates, floor.
static LogicalResult buildUpsample(OpBinder &op, ArrayRef<double> scales) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  if (!x)
    return failure();
  ResizeSpec spec;
  spec.mode = op.stringAttr("mode", "nearest");
  spec.transform = "asymmetric";
  spec.nearest = "floor";
  if (!isKnown(op, "mode", spec.mode, {"nearest", "linear"}))
    return failure();
  if (int64_t(scales.size()) != b.rank(x))
    return op.badModel("expects one scale per dimension");
  Shape dims(llvm::to_vector(llvm::seq<int64_t>(0, b.rank(x))));
  SmallVector<Axis> axes;
  for (int64_t dim : dims)
    axes.push_back({b.extent(x, dim), b.extent(x, dim), 1});
  if (!bindScales(op, scales, axes))
    return failure();
  return buildResize(op, x, dims, axes, spec);
}

static LogicalResult importResize10(OpBinder &op) {
  auto scales = op.constantFloats(1, "scales");
  return scales ? buildUpsample(op, *scales) : failure();
}

static LogicalResult importUpsample7(OpBinder &op) {
  return buildUpsample(op, op.floatsAttr("scales"));
}

void frontend::registerResizeOps(OpRegistry &registry) {
  registry.add("Resize", 10, importResize10, "sizes known at compile time");
  registry.add("Resize", 11, importResize, "sizes known at compile time");
  registry.add("Upsample", 7, importUpsample7);
  registry.add("Upsample", 9, importResize10, "sizes known at compile time");
  registry.refuse("", "AffineGrid", "grid sampling is not supported");
  registry.refuse("", "GridSample", "grid sampling is not supported");
}
