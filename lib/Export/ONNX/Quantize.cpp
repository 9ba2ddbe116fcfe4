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
                                      int64_t axis, int64_t trailing,
                                      StringRef name) {
  if (type.getBits() > 16 &&
      llvm::any_of(type.getZeroPointVector(), [](int64_t z) { return z != 0; }))
    return writeWideDequantize(input, type, trailing, name);
  Names inputs = writeParameters(type, name);
  inputs.insert(inputs.begin(), input);
  GraphWriter::Node node =
      writer.addNode("DequantizeLinear", inputs, (name + "_dequantized").str());
  if (type.isPerAxis())
    node.integer("axis", axis);
  return node.output();
}

/// In 64 bits no difference of 32-bit integers wraps, and its conversion to
/// f32 is the one rounding that qg.dequantize has before it multiplies.
std::string Exporter::writeWideDequantize(std::string input,
                                          qg::QuantizedType type,
                                          int64_t trailing, StringRef name) {
  SmallVector<float> scales = type.getScaleVector();
  SmallVector<int64_t> zeros = type.getZeroPointVector(), shape;
  if (type.isPerAxis()) {
    shape.assign(trailing + 1, 1);
    shape[0] = scales.size();
  }
  std::string zero =
      writer.addInitializer(Tensor::from<int64_t>(DType::i64, shape, zeros),
                            (name + "_zero_point").str());
  std::string scale = writer.addInitializer(
      Tensor::from<float>(DType::f32, shape, scales), (name + "_scale").str());
  std::string wide = writer.addNode("Cast", {input}, (name + "_wide").str())
                         .integer("to", getOnnxType(DType::i64))
                         .output();
  std::string steps =
      writer.addNode("Sub", {wide, zero}, (name + "_centred").str()).output();
  std::string real = writer.addNode("Cast", {steps}, (name + "_steps").str())
                         .integer("to", getOnnxType(DType::f32))
                         .output();
  return writer.addNode("Mul", {real, scale}, (name + "_dequantized").str())
      .output();
}

/// Signed bytes are written as unsigned ones around 128: the same numbers, and
/// ONNX Runtime's products of them are exact everywhere. Its kernel of unsigned
/// activations and signed weights adds pairs of products in 16 bits where the
/// processor has AVX2 but no VNNI, and saturates. Fewer bits do not reach that.
std::string Exporter::writeStoredConstant(const Tensor &stored,
                                          qg::QuantizedType type, int64_t axis,
                                          StringRef name) {
  static constexpr int64_t kMiddle = 128;
  int64_t trailing = stored.rank() - axis - 1;
  if (type.getFormat() != "si8")
    return writeDequantize(
        writer.addInitializer(stored, (name + "_value").str()), type, axis,
        trailing, name);
  Tensor bytes(DType::u8, stored.shape());
  for (int64_t i = 0, e = stored.numElements(); i < e; ++i)
    bytes.setInt(i, stored.getInt(i) + kMiddle);
  SmallVector<int32_t> zeros;
  for (int64_t zero : type.getZeroPointVector())
    zeros.push_back(int32_t(zero + kMiddle));
  qg::QuantizedType moved =
      type.isPerAxis()
          ? qg::QuantizedType::getPerAxis(type.getContext(), "ui8",
                                          type.getAxis(), type.getScaleVector(),
                                          zeros)
          : qg::QuantizedType::getPerTensor(type.getContext(), "ui8",
                                            type.getScale(), zeros.front());
  return writeDequantize(writer.addInitializer(bytes, (name + "_value").str()),
                         moved, axis, trailing, name);
}
