//===- Quantize.cpp - QuantizeLinear and DequantizeLinear -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Encodings below 8 bits are held in 8 bits and clipped: every runtime reads
// that, and the numbers are the same.
//===----------------------------------------------------------------------===//
#include "Exporter.h"

using namespace mlir;
using namespace qopt;

Exporter::Names Exporter::writeParameters(qg::QuantizedType type,
                                          StringRef name) {
  SmallVector<float> scales = type.getScaleVector();
  SmallVector<int64_t> zeroPoints = type.getZeroPointVector();
  SmallVector<int64_t> shape;
  if (type.isPerAxis())
    shape.push_back(scales.size());
  Tensor zeros(*qg::getDType(type), shape);
  for (auto [i, zeroPoint] : llvm::enumerate(zeroPoints))
    zeros.setInt(i, zeroPoint);
  Names names;
  names.push_back(writer.addInitializer(
      Tensor::from<float>(DType::f32, shape, scales), (name + "_scale").str()));
  // DequantizeLinear refuses zero points of 32-bit integers.
  if (type.getBits() <= 16)
    names.push_back(writer.addInitializer(zeros, (name + "_zero_point").str()));
  return names;
}

std::string Exporter::writeQuantize(std::string input, qg::QuantizedType type,
                                    int64_t axis, StringRef name) {
  Names inputs = writeParameters(type, name);
  inputs.insert(inputs.begin(), input);
  GraphWriter::Node node = writer.addNode("QuantizeLinear", inputs, name);
  if (type.isPerAxis())
    node.integer("axis", axis);
  const IntegerFormat &format = type.getIntegerFormat();
  if (format.bits == format.storageBits())
    return node.output();
  auto addLimit = [&](int64_t value, const char *suffix) {
    Tensor limit(*qg::getDType(type), {});
    limit.setInt(0, value);
    return writer.addInitializer(limit, (name + suffix).str());
  };
  std::string low = addLimit(format.min(), "_min");
  std::string high = addLimit(format.max(), "_max");
  return writer
      .addNode("Clip", {node.output(), low, high}, (name + "_clipped").str())
      .output();
}

std::string Exporter::writeDequantize(std::string input, qg::QuantizedType type,
                                      int64_t axis, StringRef name) {
  Names inputs = writeParameters(type, name);
  inputs.insert(inputs.begin(), input);
  GraphWriter::Node node =
      writer.addNode("DequantizeLinear", inputs, (name + "_dequantized").str());
  if (type.isPerAxis())
    node.integer("axis", axis);
  return node.output();
}
