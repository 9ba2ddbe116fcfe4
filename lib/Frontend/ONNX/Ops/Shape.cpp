//===- Shape.cpp - Reshaping and moving of elements -----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Ops that only rename positions. They keep encodings: reshaping a quantized
// tensor stays a reshape of a quantized tensor.
//===----------------------------------------------------------------------===//
#include "ComputedShapes.h"
#include "Counted.h"
#include "RunTimeExtents.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"
#include "qopt/Frontend/ONNX/Proto/ProtoReader.h"

#include <onnx-ml.pb.h>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

static LogicalResult importReshape(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.raw(0);
  auto asked = x ? readExtents(op, 1, "target shape") : std::nullopt;
  if (!asked)
    return failure();
  bool keepsZero = op.intAttr("allowzero", 0) != 0;
  Shape wanted = getBounds(*asked), shape = wanted;
  int64_t known = 1, unknown = -1, total = b.type(x).getNumElements();
  for (auto [i, extent] : llvm::enumerate(shape)) {
    if (extent == 0 && !keepsZero) {
      if (int64_t(i) >= b.rank(x))
        return op.badModel("expects 0 in the target shape only where x has a "
                           "dimension, got " +
                           formatShape(shape));
      extent = b.extent(x, i);
    }
    if (extent == -1 && unknown >= 0)
      return op.badModel("expects at most one -1 in the target shape");
    if (extent == -1)
      unknown = i;
    else if (extent < 0 || extent > kMaxElements ||
             (extent && known > kMaxElements / extent))
      return op.badModel("expects extents >= -1 in the target shape, got " +
                         formatShape(wanted));
    else
      known *= extent;
  }
  if (unknown >= 0)
    shape[unknown] = known == 0 ? 0 : total / known;
  if (getNumElements(shape) != total)
    return op.badModel("expects a shape of " + Twine(total) +
                       " elements for x " + formatShape(b.shape(x)) + ", got " +
                       formatShape(wanted));
  return op.result(markAsked(b, b.reshape(x, shape), *asked));
}

static LogicalResult importFlatten(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.raw(0);
  if (!x)
    return failure();
  int64_t axis = op.intAttr("axis", 1);
  if (axis != b.rank(x)) {
    auto normalized = op.normalizeAxis(axis, b.rank(x));
    if (!normalized)
      return failure();
    axis = *normalized;
  }
  return op.result(b.reshape(x, {getNumElements(b.shape(x).take_front(axis)),
                                 getNumElements(b.shape(x).drop_front(axis))}));
}

/// axes from input 1 or, before opset 13, from the attribute.
static std::optional<Shape> readAxes(OpBinder &op) {
  if (op.hasInput(1))
    return op.constantInts(1, "axes");
  return op.intsAttr("axes");
}

static LogicalResult importSqueeze(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.raw(0);
  auto given = readAxes(op);
  if (!x || !given)
    return failure();
  auto axes = op.normalizeAxes(*given, b.rank(x));
  if (!axes)
    return failure();
  bool takesAll = !op.hasInput(1) && !op.hasAttr("axes");
  Shape shape;
  for (auto [i, extent] : llvm::enumerate(b.shape(x))) {
    bool isTaken =
        takesAll ? extent == 1 : llvm::is_contained(*axes, int64_t(i));
    if (isTaken && extent != 1)
      return op.badModel("expects extent 1 in axis " + Twine(i) + " of x " +
                         formatShape(b.shape(x)));
    if (!isTaken)
      shape.push_back(extent);
  }
  return op.result(b.reshape(x, shape));
}

static LogicalResult importUnsqueeze(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.raw(0);
  auto given = readAxes(op);
  if (!x || !given)
    return failure();
  auto axes = op.normalizeAxes(*given, b.rank(x) + given->size());
  if (!axes)
    return failure();
  llvm::sort(*axes);
  Shape shape(b.shape(x));
  for (int64_t axis : *axes)
    shape.insert(shape.begin() + axis, 1);
  return op.result(b.reshape(x, shape));
}

static LogicalResult importTranspose(OpBinder &op) {
  Value x = op.raw(0);
  if (!x)
    return failure();
  Shape permutation(
      llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, op.b.rank(x)))));
  return op.result(op.b.transpose(x, op.intsAttr("perm", permutation)));
}

static LogicalResult importConcat(OpBinder &op) {
  GraphBuilder &b = op.b;
  SmallVector<Value> values;
  for (unsigned i = 0; i < op.numInputs(); ++i)
    values.push_back(op.raw(i));
  if (values.empty() || llvm::is_contained(values, Value()))
    return op.badModel("expects inputs");
  if (!op.hasAttr("axis"))
    return op.badModel("expects attribute 'axis'");
  auto axis = op.normalizeAxis(op.intAttr("axis", 0), b.rank(values[0]));
  if (!axis)
    return failure();
  // Unequal encodings are unequal integers: only equal ones stay.
  bool keeps = llvm::all_of(values, [&](Value v) {
    auto q = qg::getQuantizedType(v.getType());
    return b.element(v) == b.element(values[0]) && (!q || q.isPerTensor());
  });
  for (Value &value : values)
    value = keeps ? value : b.plain(value);
  bool isCounted = llvm::any_of(values, [&](Value value) {
    return countedAmong(b, value, {*axis}).has_value();
  });
  return op.result(isCounted ? concatCounted(op, values, *axis)
                             : b.concat(values, *axis));
}

/// Extents of the parts, from `split`, `num_outputs` or the number of outputs.
static std::optional<Shape> readSplit(OpBinder &op, int64_t extent) {
  if (op.hasInput(1))
    return op.constantInts(1, "split");
  if (op.hasAttr("split"))
    return op.intsAttr("split");
  int64_t count = op.intAttr("num_outputs", op.numOutputs());
  if (count < 1 || count > (1 << 20)) {
    (void)op.badModel("expects at least one output");
    return std::nullopt;
  }
  int64_t size = (extent + count - 1) / count;
  Shape parts;
  for (int64_t i = 0; i < count; ++i)
    parts.push_back(std::clamp<int64_t>(extent - i * size, 0, size));
  return parts;
}

static LogicalResult importSplit(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.raw(0);
  if (!x)
    return failure();
  auto axis = op.normalizeAxis(op.intAttr("axis", 0), b.rank(x));
  if (!axis)
    return failure();
  auto parts = readSplit(op, b.extent(x, *axis));
  if (!parts)
    return failure();
  int64_t begin = 0;
  for (auto [i, size] : llvm::enumerate(*parts)) {
    if (size < 0 || size > b.extent(x, *axis) - begin)
      return op.badModel("expects parts that add up to " +
                         Twine(b.extent(x, *axis)) + ", got " +
                         formatShape(*parts));
    if (i < op.numOutputs() &&
        failed(op.result(i, b.sliceAxis(x, *axis, begin, begin + size))))
      return failure();
    begin += size;
  }
  if (begin != b.extent(x, *axis))
    return op.badModel("expects parts that add up to " +
                       Twine(b.extent(x, *axis)) + ", got " +
                       formatShape(*parts));
  return success();
}

static LogicalResult importGather(OpBinder &op) {
  Value x = op.raw(0), indices = op.in(1);
  if (!x || !indices)
    return failure();
  auto axis = op.normalizeAxis(op.intAttr("axis", 0), op.b.rank(x));
  if (!axis || !op.areInside(indices, op.b.extent(x, *axis)))
    return failure();
  if (auto q = qg::getQuantizedType(x.getType()); q && q.isPerAxis())
    x = op.b.plain(x);
  if (countedAmong(op.b, x, {*axis})) {
    indices = normalizeInto(op, x, *axis, indices);
    if (!indices)
      return failure();
    Uncounted all(op.b, {x});
    return op.result(op.b.gather(x, indices, *axis));
  }
  Value y = op.b.gather(x, indices, *axis);
  return op.result(op.b.rank(x) == 1 ? foldKnownElements(op.b, y) : y);
}

static LogicalResult importExpand(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.raw(0);
  auto asked = x ? readExtents(op, 1, "shape") : std::nullopt;
  if (!asked)
    return failure();
  Shape wanted = getBounds(*asked);
  auto count = countElements(wanted);
  if (!count.ok())
    return op.badModel(std::string(count.status().message()));
  auto shape = qg::inferBroadcastShape({b.shape(x), wanted},
                                       [&] { return emitError(b.location()); });
  if (failed(shape))
    return failure();
  // Dimensions are counted from the last.
  for (size_t missing = shape->size() - asked->size(); missing > 0; --missing)
    asked->insert(asked->begin(), {(*shape)[missing - 1]});
  return op.result(markAsked(b, b.broadcast(x, *shape), *asked));
}

static LogicalResult importTile(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.raw(0);
  auto repeats = op.constantInts(1, "repeats");
  if (!x || !repeats)
    return failure();
  if (int64_t(repeats->size()) != b.rank(x))
    return op.badModel("expects " + Twine(b.rank(x)) + " repeats, got " +
                       Twine(repeats->size()));
  // [r0, d0, r1, d1, ...] -> [r0*d0, r1*d1, ...].
  Shape split, repeated, result;
  if (llvm::any_of(*repeats, [](int64_t repeat) { return repeat < 0; }))
    return op.badModel("expects repeats >= 0, got " + formatShape(*repeats));
  for (auto [extent, repeat] : llvm::zip(b.shape(x), *repeats)) {
    split.append({1, extent});
    repeated.append({repeat, extent});
  }
  // Products of extents are taken only after this.
  if (!countElements(repeated).ok())
    return op.badModel("expects a result of at most 2^33 elements, got " +
                       formatShape(*repeats) + " repeats of " +
                       formatShape(b.shape(x)));
  for (auto [extent, repeat] : llvm::zip(b.shape(x), *repeats))
    result.push_back(repeat * extent);
  return op.result(
      b.reshape(b.broadcast(b.reshape(x, split), repeated), result));
}

//===----------------------------------------------------------------------===//
// Constants and shapes
//===----------------------------------------------------------------------===//

static LogicalResult importConstant(OpBinder &op) {
  GraphBuilder &b = op.b;
  if (op.hasAttr("value")) {
    std::optional<Tensor> tensor = op.tensorAttr("value");
    if (!tensor)
      return failure();
    Value value = b.constant(*tensor);
    for (const auto &attribute : op.node().attribute())
      if (auto kind = getElementKind(attribute.t().data_type());
          attribute.name() == "value" && kind.ok())
        b.markPacked(value, *kind);
    return op.result(value);
  }
  if (op.hasAttr("value_int"))
    return op.result(b.constant(
        Tensor::from<int64_t>(DType::i64, {}, {op.intAttr("value_int", 0)})));
  if (op.hasAttr("value_ints"))
    return op.result(b.ints(op.intsAttr("value_ints")));
  if (op.hasAttr("value_float"))
    return op.result(b.scalar(op.floatAttr("value_float", 0), b.f32()));
  if (op.hasAttr("value_floats")) {
    SmallVector<double> values = op.floatsAttr("value_floats");
    return op.result(b.floats({int64_t(values.size())}, values, b.f32()));
  }
  return op.unsupported(
      "expects a dense tensor of numbers; strings and sparse tensors are not "
      "supported");
}

static LogicalResult importShape(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.raw(0);
  if (!x)
    return failure();
  int64_t rank = b.rank(x);
  auto clip = [&](int64_t v) {
    return std::clamp<int64_t>(v < 0 ? v + rank : v, 0, rank);
  };
  int64_t start = clip(op.intAttr("start", 0));
  int64_t end = std::max(clip(op.intAttr("end", rank)), start);
  const CountedDim *counted = b.countedDimOf(x);
  if (!counted || counted->axis < start || counted->axis >= end)
    return op.result(b.ints(b.shape(x).slice(start, end - start)));
  SmallVector<Value> extents;
  for (int64_t axis = start; axis < end; ++axis)
    extents.push_back(axis == counted->axis ? b.reshape(counted->length, {1})
                                            : b.ints({b.extent(x, axis)}));
  return op.result(b.concat(extents, 0));
}

static LogicalResult importSize(OpBinder &op) {
  Value x = op.raw(0);
  if (!x)
    return failure();
  int64_t count = op.b.type(x).getNumElements();
  if (const CountedDim *counted = op.b.countedDimOf(x))
    return op.result(op.b.mul(counted->length,
                              double(count / op.b.extent(x, counted->axis))));
  return op.result(
      op.b.constant(Tensor::from<int64_t>(DType::i64, {}, {count})));
}

static LogicalResult importConstantOfShape(OpBinder &op) {
  GraphBuilder &b = op.b;
  auto asked = readExtents(op, 0, "shape");
  if (!asked)
    return failure();
  Tensor value(DType::f32, {1});
  if (op.hasAttr("value")) {
    std::optional<Tensor> given = op.tensorAttr("value");
    if (!given)
      return failure();
    if (given->numElements() != 1)
      return op.badModel("expects one element in 'value'");
    value = *given;
  }
  Shape shape = getBounds(*asked);
  auto count = countElements(shape);
  if (!count.ok())
    return op.badModel(std::string(count.status().message()));
  Value y = b.broadcast(b.constant(value.reshaped({})), shape);
  return op.result(markAsked(b, y, *asked));
}

static LogicalResult importEyeLike(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.raw(0);
  if (!x)
    return failure();
  Type type = op.typeAttr("dtype", b.element(x));
  if (!type)
    return failure();
  if (b.rank(x) != 2)
    return op.badModel("expects a matrix, got " + formatShape(b.shape(x)));
  int64_t rows = b.extent(x, 0), columns = b.extent(x, 1);
  int64_t diagonal = op.intAttr("k", 0);
  Tensor tensor(qg::getDType(type).value_or(DType::f32), {rows, columns});
  for (int64_t i = 0; i < rows; ++i)
    if (int64_t j = i + diagonal; j >= 0 && j < columns)
      tensor.setInt(i * columns + j, 1);
  return op.result(b.constant(tensor));
}

static LogicalResult importDepthToSpace(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.raw(0);
  int64_t block = op.intAttr("blocksize", 0);
  if (!x)
    return failure();
  if (b.rank(x) != 4 || block < 1 || block > 4096 ||
      b.extent(x, 1) % (block * block))
    return op.badModel("expects x [N, C, H, W] with C a multiple of the "
                       "square of 'blocksize', got " +
                       formatShape(b.shape(x)) + " and " + Twine(block));
  int64_t n = b.extent(x, 0), c = b.extent(x, 1) / (block * block),
          h = b.extent(x, 2), w = b.extent(x, 3);
  std::string mode = op.stringAttr("mode", "DCR");
  bool isCRD = mode == "CRD";
  if (!isCRD && mode != "DCR")
    return op.badModel("attribute 'mode' = \"" + mode +
                       "\" is not one of DCR, CRD");
  // Channels last, as the ops around it will be: a pixel becomes a block of
  // pixels, and no element leaves its row of blocks.
  Value last = b.transpose(x, {0, 2, 3, 1});
  Value split = isCRD ? b.reshape(last, {n, h, w, c, block, block})
                      : b.reshape(last, {n, h, w, block, block, c});
  Value moved = isCRD ? b.transpose(split, {0, 1, 4, 2, 5, 3})
                      : b.transpose(split, {0, 1, 3, 2, 4, 5});
  Value image = b.reshape(moved, {n, h * block, w * block, c});
  return op.result(b.transpose(image, {0, 3, 1, 2}));
}

static LogicalResult importSpaceToDepth(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.raw(0);
  int64_t block = op.intAttr("blocksize", 0);
  if (!x)
    return failure();
  if (b.rank(x) != 4 || block < 1 || b.extent(x, 2) % block ||
      b.extent(x, 3) % block)
    return op.badModel("expects x [N, C, H, W] with H and W multiples of "
                       "'blocksize', got " +
                       formatShape(b.shape(x)) + " and " + Twine(block));
  std::string mode = op.stringAttr("mode", "DCR");
  if (mode != "DCR" && mode != "CRD")
    return op.badModel("attribute 'mode' = \"" + mode +
                       "\" is not one of DCR, CRD");
  int64_t n = b.extent(x, 0), c = b.extent(x, 1), h = b.extent(x, 2) / block,
          w = b.extent(x, 3) / block;
  Value split = b.reshape(x, {n, c, h, block, w, block});
  Value moved = mode == "CRD" ? b.transpose(split, {0, 1, 3, 5, 2, 4})
                              : b.transpose(split, {0, 3, 5, 1, 2, 4});
  return op.result(b.reshape(moved, {n, c * block * block, h, w}));
}

void frontend::registerShapeOps(OpRegistry &registry) {
  registry.add("Concat", 4, importConcat);
  registry.add("Constant", 1, importConstant);
  registry.add("ConstantOfShape", 9, importConstantOfShape);
  registry.add("DepthToSpace", 1, importDepthToSpace);
  registry.add("Expand", 8, importExpand);
  registry.add("EyeLike", 9, importEyeLike);
  registry.add("Flatten", 1, importFlatten);
  registry.add("Gather", 1, importGather);
  registry.add("Range", 11, importRange);
  registry.add("Reshape", 5, importReshape);
  registry.add("Shape", 1, importShape);
  registry.add("Size", 1, importSize);
  registry.add("SpaceToDepth", 1, importSpaceToDepth);
  registry.add("Split", 2, importSplit);
  registry.add("Squeeze", 1, importSqueeze);
  registry.add("Tile", 6, importTile);
  registry.add("Transpose", 1, importTranspose);
  registry.add("Unsqueeze", 1, importUnsqueeze);
}
