//===- Positions.cpp - Resize and scatter as ONNX has them ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Scales are floats there: where one of them gives another extent, extents are
// written, if those give the scale.
//===----------------------------------------------------------------------===//
#include "Exporter.h"

#include <cmath>

using namespace mlir;
using namespace qopt;

namespace {
/// What says how large the result is: scales, or extents.
struct Sizes {
  SmallVector<float> scales;
  SmallVector<int64_t> extents;
  bool scalesDo = true, extentsDo = true;
};
} // namespace

static Sizes getSizes(qg::ResizeOp op) {
  Sizes sizes;
  for (auto [axis, scale] : llvm::zip(op.getAxes(), op.getScales())) {
    double in = double(getShape(op.getX())[axis]);
    int64_t out = op.getResultType().getDimSize(axis);
    sizes.scales.push_back(float(scale));
    sizes.extents.push_back(out);
    sizes.scalesDo &=
        double(float(scale)) == scale && int64_t(std::floor(in * scale)) == out;
    sizes.extentsDo &= double(out) / in == scale;
  }
  return sizes;
}

std::optional<std::string> Exporter::writeResize(qg::ResizeOp op,
                                                 const OpLayout &layout,
                                                 const std::string &input) {
  Sizes sizes = getSizes(op);
  if (!sizes.scalesDo && !sizes.extentsDo) {
    op.emitError("has no ONNX form: neither its scales in float nor its "
                 "extents give the other");
    return std::nullopt;
  }
  std::string name = qg::getUserName(op);
  auto addFloats = [&](ArrayRef<float> values, StringRef hint) {
    return writer.addInitializer(
        Tensor::from<float>(DType::f32, {int64_t(values.size())}, values),
        name + hint.str());
  };
  SmallVector<float> roi;
  if (op.getRoi())
    roi.append(op.getRoi()->begin(), op.getRoi()->end());
  Names inputs{input, roi.empty() ? "" : addFloats(roi, "_roi")};
  if (sizes.scalesDo)
    inputs.push_back(addFloats(sizes.scales, "_scales"));
  else
    inputs.append({"", writer.addIndices(sizes.extents, name + "_sizes")});
  SmallVector<int64_t> axes;
  for (int64_t axis : op.getAxes())
    axes.push_back(positionOf(layout.result, axis));
  GraphWriter::Node node = writer.addNode("Resize", inputs, name)
                               .string("mode", stringifyEnum(op.getMode()))
                               .string("coordinate_transformation_mode",
                                       stringifyEnum(op.getCoordinates()))
                               .ints("axes", axes);
  if (op.getCubicA())
    node.real("cubic_coeff_a", float(op.getCubicA()->convertToDouble()));
  if (op.getExcludeOutside())
    node.integer("exclude_outside", 1);
  if (op.getAntialias())
    node.integer("antialias", 1);
  return node.output();
}

std::string Exporter::writeScatter(qg::ScatterOp op,
                                   ArrayRef<std::string> inputs) {
  std::string name = qg::getUserName(op);
  int64_t count = getTensorType(op.getIndices()).getNumElements();
  std::string wide = writer.addNode("Cast", {inputs[1]}, name + "_wide")
                         .integer("to", getOnnxType(DType::i64))
                         .output();
  std::string rows =
      writer
          .addNode("Reshape",
                   {wide, writer.addIndices({count, 1}, name + "_shape")},
                   name + "_rows")
          .output();
  GraphWriter::Node node =
      writer.addNode("ScatterND", {inputs[0], rows, inputs[2]}, name);
  if (op.getKind() != ScatterKind::replace)
    node.string("reduction", stringifyEnum(op.getKind()));
  return node.output();
}
