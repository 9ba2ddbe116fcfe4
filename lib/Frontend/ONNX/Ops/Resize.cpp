//===- Resize.cpp - Resampling along dimensions ---------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Sizes are static, so that every output position reads known inputs with
// known weights: nearest is a gather with constant indices, linear and cubic
// are qg.resize.
//===----------------------------------------------------------------------===//
#include "qopt/Frontend/ONNX/OpBinder.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"
#include "qopt/Numerics/Resample.h"

#include <cmath>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

namespace {
using Axis = ResampleAxis;

struct ResizeSpec {
  /// Of what is not nearest.
  ResampleFilter filter;
  bool isNearest = true;
  std::string nearest = "round_prefer_floor", policy = "stretch";
  double extrapolation = 0;

  bool crops() const {
    return filter.coordinates == ResizeCoordinates::tf_crop_and_resize;
  }
};
} // namespace

/// As the operator's definition compares what is behind the comma.
static int64_t roundNearest(const std::string &mode, double x) {
  auto below = int64_t(std::floor(x));
  double rest = x - std::floor(x);
  if (mode == "floor" || rest == 0)
    return below;
  if (mode == "ceil")
    return below + 1;
  if (mode == "round_prefer_ceil")
    return rest < 0.5 ? below : below + 1;
  return rest <= 0.5 ? below : below + 1;
}

static Value pickNearest(OpBinder &op, Value x, int64_t dim,
                         const ResizeSpec &spec, const Axis &axis) {
  if (!x)
    return {};
  Shape indices;
  for (int64_t i = 0; i < axis.out; ++i)
    indices.push_back(std::clamp<int64_t>(
        roundNearest(spec.nearest,
                     getResizeCoordinate(spec.filter.coordinates, axis, i)),
        0, axis.in - 1));
  return op.b.gather(x, op.b.ints(indices), dim);
}

/// All dimensions by one op, the last one first: it is the cheapest while the
/// others are small.
static Value interpolate(OpBinder &op, Value x, ArrayRef<int64_t> dims,
                         ArrayRef<Axis> axes, const ResizeSpec &spec) {
  GraphBuilder &b = op.b;
  auto order = llvm::to_vector(llvm::seq<size_t>(0, dims.size()));
  llvm::sort(order, [&](size_t i, size_t j) { return dims[i] > dims[j]; });
  Shape sorted, shape(b.shape(x));
  SmallVector<double> scales, roi, ends;
  for (size_t i : order) {
    sorted.push_back(dims[i]);
    scales.push_back(axes[i].scale);
    roi.push_back(axes[i].roiStart);
    ends.push_back(axes[i].roiEnd);
    shape[dims[i]] = axes[i].out;
  }
  roi.append(ends);
  OpBuilder attrs(b.context());
  Type type = b.element(x), sums = type.isF64() ? type : b.f32();
  bool isCubic = spec.filter.mode == ResizeMode::cubic;
  Value y = b.emit<qg::ResizeOp>(
      shape, sums, spec.filter.mode, spec.filter.coordinates,
      b.convert(x, sums), sorted, scales,
      spec.crops() ? attrs.getDenseF64ArrayAttr(roi) : DenseF64ArrayAttr(),
      isCubic ? attrs.getF64FloatAttr(spec.filter.cubicA) : FloatAttr(),
      spec.filter.excludesOutside, spec.filter.antialias);
  if (y && !b.isFloat(x))
    y = b.unary(UnaryKind::floor, y);
  return b.convert(y, type);
}

/// Where tf_crop_and_resize reads outside, the given value stands.
static Value extrapolate(OpBinder &op, Value y, int64_t dim,
                         const ResizeSpec &spec, const Axis &axis) {
  GraphBuilder &b = op.b;
  if (!y || !spec.crops())
    return y;
  Shape shape(b.rank(y) - dim, 1);
  shape[0] = axis.out;
  Tensor outside(DType::b1, shape);
  for (int64_t i = 0; i < axis.out; ++i) {
    double x = getResizeCoordinate(spec.filter.coordinates, axis, i);
    outside.setInt(i, x < 0 || x > double(axis.in - 1));
  }
  return b.select(b.constant(outside),
                  b.scalar(spec.extrapolation, b.element(y)), y);
}

/// x along `dims`, each by its entry of `axes`.
static LogicalResult buildResize(OpBinder &op, Value x, ArrayRef<int64_t> dims,
                                 ArrayRef<Axis> axes, const ResizeSpec &spec) {
  Shape moved;
  SmallVector<Axis> resized;
  for (auto [dim, axis] : llvm::zip(dims, axes)) {
    if (axis.in < 1 || axis.out < 1 || axis.out > (1 << 20) ||
        !(axis.scale > 0))
      return op.badModel("expects extents in [1, 2^20] and positive scales");
    bool isIdentity = axis.in == axis.out && axis.scale == 1 && !spec.crops();
    if (isIdentity)
      continue;
    moved.push_back(dim);
    resized.push_back(axis);
  }
  if (!spec.isNearest && !moved.empty())
    x = interpolate(op, x, moved, resized, spec);
  for (auto [dim, axis] : llvm::zip(moved, resized)) {
    if (spec.isNearest)
      x = pickNearest(op, x, dim, spec, axis);
    x = extrapolate(op, x, dim, spec, axis);
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

static bool readMode(OpBinder &op, ResizeSpec &spec) {
  std::string mode = op.stringAttr("mode", "nearest");
  if (!isKnown(op, "mode", mode, {"nearest", "linear", "cubic"}))
    return false;
  spec.isNearest = mode == "nearest";
  if (!spec.isNearest)
    spec.filter.mode = *symbolizeResizeMode(mode);
  return true;
}

static bool readSpec(OpBinder &op, ResizeSpec &spec) {
  // The last one is of opsets 11 and 12, and exporters write it at all.
  SmallVector<StringRef> transforms;
  for (uint32_t i = 0; auto kind = symbolizeResizeCoordinates(i); ++i)
    transforms.push_back(stringifyResizeCoordinates(*kind));
  std::string transform =
      op.stringAttr("coordinate_transformation_mode", "half_pixel");
  spec.nearest = op.stringAttr("nearest_mode", "round_prefer_floor");
  spec.filter.cubicA = op.floatAttr("cubic_coeff_a", -0.75);
  spec.extrapolation = op.floatAttr("extrapolation_value", 0);
  spec.filter.excludesOutside = op.intAttr("exclude_outside", 0) != 0;
  spec.filter.antialias = op.intAttr("antialias", 0) != 0;
  spec.policy = op.stringAttr("keep_aspect_ratio_policy", "stretch");
  if (!readMode(op, spec) ||
      !isKnown(op, "coordinate_transformation_mode", transform, transforms))
    return false;
  spec.filter.coordinates = *symbolizeResizeCoordinates(transform);
  return isKnown(
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
  if (spec.crops()) {
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
  for (unsigned i = 2; i < op.numInputs(); ++i)
    if (op.hasInput(i) && !op.raw(i))
      return failure();
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
  spec.filter.coordinates = ResizeCoordinates::asymmetric;
  spec.nearest = "floor";
  if (!readMode(op, spec))
    return failure();
  if (spec.filter.mode == ResizeMode::cubic)
    return op.badModel("attribute 'mode' = \"cubic\" is not one of nearest, "
                       "linear");
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
}
