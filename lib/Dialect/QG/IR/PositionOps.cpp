//===- PositionOps.cpp - Verifiers and tables of resize and scatter -------===//
// SPDX-License-Identifier: Apache-2.0
//
// The extents of a resize are in its types, so its tables are computed when
// they are asked for.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Dialect/QG/IR/Shapes.h"
#include "qopt/Numerics/Elementwise.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qg;

static Type getElement(Value value) {
  return cast<RankedTensorType>(value.getType()).getElementType();
}

//===----------------------------------------------------------------------===//
// Resize
//===----------------------------------------------------------------------===//

SmallVector<ResampleTable> ResizeOp::getTables() {
  ResampleFilter filter;
  filter.mode = getMode();
  filter.coordinates = getCoordinates();
  if (getCubicA())
    filter.cubicA = getCubicA()->convertToDouble();
  filter.excludesOutside = getExcludeOutside();
  filter.antialias = getAntialias();
  SmallVector<ResampleTable> tables;
  for (auto [i, dim] : llvm::enumerate(getAxes())) {
    ResampleAxis axis{getShape(getX())[dim], getShape(getResult())[dim],
                      getScales()[i]};
    if (std::optional<ArrayRef<double>> roi = getRoi()) {
      axis.roiStart = (*roi)[i];
      axis.roiEnd = (*roi)[i + getAxes().size()];
    }
    tables.push_back(getResampleTable(filter, axis));
  }
  return tables;
}

static bool isStoredPerTensor(Type type) {
  QuantizedType quantized = getQuantizedType(type);
  return quantized && quantized.isPerTensor() && !quantized.isTable() &&
         quantized.getBits() <= 16;
}

std::optional<SmallVector<IntegerResample>> ResizeOp::getIntegerTables() {
  if (!isStoredPerTensor(getX().getType()) ||
      !isStoredPerTensor(getResultType()))
    return std::nullopt;
  auto integers = getIntegerResample(
      getTables(), getQuantizedType(getX().getType()).getBits());
  if (!integers)
    return std::nullopt;
  return SmallVector<IntegerResample>(integers->begin(), integers->end());
}

/// C1, C2.
static LogicalResult checkAxes(ResizeOp op) {
  size_t count = op.getAxes().size();
  int64_t rank = getShape(op.getX()).size();
  if (count == 0)
    return op.emitOpError("expects at least one axis");
  llvm::SmallDenseSet<int64_t> seen;
  for (int64_t dim : op.getAxes())
    if (dim < 0 || dim >= rank || !seen.insert(dim).second)
      return op.emitOpError()
             << "expects distinct axes below rank " << rank << ", got " << dim;
  if (op.getScales().size() != count)
    return op.emitOpError()
           << "expects " << count << " scales, got " << op.getScales().size();
  for (double scale : op.getScales())
    if (!(scale > 0 && std::isfinite(scale)))
      return op.emitOpError("expects positive finite scales");
  bool crops = op.getCoordinates() == ResizeCoordinates::tf_crop_and_resize;
  size_t numbers = op.getRoi() ? op.getRoi()->size() : 0;
  if (numbers != (crops ? 2 * count : 0))
    return op.emitOpError() << "expects " << (crops ? 2 * count : 0)
                            << " numbers in 'roi', got " << numbers;
  return success();
}

LogicalResult ResizeOp::verify() {
  if (failed(checkAxes(*this))) // C1, C2
    return failure();
  ArrayRef<int64_t> x = getShape(getX()), result = getShape(getResult());
  if (x.size() != result.size()) // C3
    return emitOpError() << "expects a result of rank " << x.size() << ", got "
                         << result.size();
  constexpr int64_t kMost = int64_t(1) << 20;
  for (size_t i = 0; i < x.size(); ++i) { // C3
    bool isResized = llvm::is_contained(getAxes(), int64_t(i));
    if (!isResized && x[i] != result[i])
      return emitOpError() << "expects extent " << x[i] << " in dimension " << i
                           << ", got " << result[i];
    if (isResized &&
        (x[i] < 1 || x[i] > kMost || result[i] < 1 || result[i] > kMost))
      return emitOpError() << "expects extents from 1 to 2^20 in dimension "
                           << i << ", got " << x[i] << " and " << result[i];
  }
  for (Value value : {getX(), getResult()}) { // C4
    Type type = getElement(value);
    if (!type.isF32() && !type.isF64() && !isa<QuantizedType>(type))
      return emitOpError() << "expects f32, f64 or quantized tensors, got "
                           << type;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Scatter
//===----------------------------------------------------------------------===//

static BinaryKind getBinaryKind(ScatterKind kind) {
  return *symbolizeBinaryKind(stringifyScatterKind(kind));
}

/// C4.
static LogicalResult checkElements(ScatterOp op) {
  Type element = getElement(op.getX());
  if (!element.isIntOrFloat())
    return op.emitOpError()
           << "expects float or integer tensors, got " << element;
  if (op.getKind() == ScatterKind::replace)
    return success();
  numerics::ElementClass elements =
      isa<FloatType>(element) ? numerics::ElementClass::Float
      : element.isInteger(1)  ? numerics::ElementClass::Truth
                              : numerics::ElementClass::Integer;
  if (numerics::isDefinedOn(getBinaryKind(op.getKind()), elements))
    return success();
  return op.emitOpError() << "expects elements that '"
                          << stringifyScatterKind(op.getKind())
                          << "' is defined on, got " << element;
}

LogicalResult ScatterOp::verify() {
  ArrayRef<int64_t> x = getShape(getX()), updates = getShape(getUpdates());
  if (getX().getType() != getResultType() || x.empty() ||
      getElement(getUpdates()) != getElement(getX())) // C1
    return emitOpError() << "expects x of rank 1 or more, updates of its "
                            "element type and a result of its type, got "
                         << getX().getType() << ", " << getUpdates().getType()
                         << " and " << getResultType();
  ArrayRef<int64_t> indices = getShape(getIndices());
  if (indices.size() != 1 || !isa<IntegerType>(getElement(getIndices()))) // C2
    return emitOpError() << "expects a vector of integers as indices, got "
                         << getIndices().getType();
  Shape expected(x);
  expected.front() = indices.front();
  if (updates != ArrayRef<int64_t>(expected)) // C3
    return emitOpError() << "expects updates of shape " << formatShape(expected)
                         << ", got " << formatShape(updates);
  return checkElements(*this); // C4
}
