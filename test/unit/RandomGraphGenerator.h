//===- RandomGraphGenerator.h - Writes a module op by op ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The state of one random graph; RandomGraph.cpp adds what works on elements,
// RandomGraphLinear.cpp what adds up windows, rows and dimensions.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TEST_UNIT_RANDOMGRAPHGENERATOR_H
#define QOPT_TEST_UNIT_RANDOMGRAPHGENERATOR_H

#include "qopt/Support/Tensor.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <random>
#include <string>
#include <vector>

namespace qopt::test::randomgraph {
using Shape = llvm::SmallVector<int64_t, 4>;

struct Value {
  std::string name, element;
  Shape shape;
  float scale = 0; ///< 0: not quantized
  unsigned uses = 0;
};

class Generator {
public:
  explicit Generator(uint64_t seed) : random(seed * 7919 + 1) {}
  std::string run();

private:
  int64_t pick(int64_t low, int64_t high) {
    return low + int64_t(random() % uint64_t(high - low + 1));
  }
  bool chance(int percent) { return pick(1, 100) <= percent; }
  template <size_t N> const char *pick(const char *const (&names)[N]) {
    return names[pick(0, N - 1)];
  }

  static std::string print(llvm::ArrayRef<int64_t> list) {
    return "[" +
           llvm::join(llvm::map_range(
                          list, [](int64_t i) { return std::to_string(i); }),
                      ", ") +
           "]";
  }
  static std::string type(llvm::ArrayRef<int64_t> shape,
                          const std::string &element) {
    std::string text = "tensor<";
    for (int64_t extent : shape)
      text += std::to_string(extent) + "x";
    return text + element + ">";
  }
  static std::string type(const Value &value) {
    return type(value.shape, value.element);
  }
  static std::string signature(llvm::ArrayRef<Value> operands,
                               const Value &result) {
    std::string text = " : (";
    for (size_t i = 0; i < operands.size(); ++i)
      text += (i ? ", " : "") + type(operands[i]);
    return text + ") -> " + type(result) + "\n";
  }

  Value makeValue(Shape shape, std::string element, float scale = 0) {
    return {"%v" + std::to_string(++counter), std::move(element),
            std::move(shape), scale};
  }
  /// A per-tensor encoding of 8 bits; `like` bounds how far the scale is off.
  Value makeEncoded(Shape shape, float like) {
    float scale = like * float(pick(50, 250)) / 100;
    bool isUnsigned = chance(60);
    int64_t zero = chance(30) ? 0 : isUnsigned ? pick(0, 255) : pick(-128, 127);
    Value value = makeValue(std::move(shape), "", scale);
    value.element = "!qg.q<" + std::string(isUnsigned ? "ui8" : "si8") + ", " +
                    print(scale) + " : " + std::to_string(zero) + ">";
    return value;
  }
  static std::string print(float scale) {
    std::string text;
    llvm::raw_string_ostream(text) << llvm::format("%.9e", double(scale));
    return text;
  }

  template <typename T> static std::string hex(llvm::ArrayRef<T> values) {
    return llvm::toHex(
        llvm::StringRef(reinterpret_cast<const char *>(values.data()),
                        values.size() * sizeof(T)));
  }
  template <typename T>
  Value makeConstant(Shape shape, const char *storage, std::string element,
                     int64_t low, int64_t high, float factor = 1) {
    std::vector<T> values(getNumElements(shape));
    for (T &value : values)
      value = T(float(pick(low, high)) * factor);
    Value constant = makeValue(std::move(shape), std::move(element));
    body += "  " + constant.name + " = qg.constant dense<\"0x" +
            hex<T>(values) + "\"> : " + type(constant.shape, storage) + " -> " +
            type(constant) + "\n";
    return constant;
  }
  Value makeFloats(Shape shape) {
    return makeConstant<float>(std::move(shape), "f32", "f32", -999, 999,
                               0.002f);
  }
  /// Weights of a quantized op: per channel along `axis`, or per tensor.
  Value makeWeights(Shape shape, unsigned axis) {
    float scale = float(pick(5, 50)) / 1000;
    if (chance(25)) {
      Value weights = makeConstant<int8_t>(
          std::move(shape), "i8", "!qg.q<ui8, " + print(scale) + " : 128>", 0,
          127);
      weights.scale = scale;
      return weights;
    }
    if (chance(75))
      return makeChannelWeights(std::move(shape), axis, scale);
    std::string element = "!qg.q<si8, " + print(scale) + " : 0>";
    Value weights =
        makeConstant<int8_t>(std::move(shape), "i8", element, -127, 127);
    weights.scale = scale;
    return weights;
  }
  /// Weights with a scale for each element of dimension `axis`, around `scale`.
  Value makeChannelWeights(Shape shape, unsigned axis, float scale) {
    std::vector<float> scales(shape[axis]);
    for (float &each : scales)
      each = scale * float(pick(20, 300)) / 100;
    std::string name = "s" + std::to_string(++counter);
    resources += (resources.empty() ? "" : ", ") + name + ": \"0x04000000" +
                 hex<float>(scales) + "\"";
    std::string element = "!qg.q<si8, axis = " + std::to_string(axis) +
                          ", dense_resource<" + name +
                          "> : " + type({shape[axis]}, "f32") + ">";
    return makeConstant<int8_t>(std::move(shape), "i8", element, -127, 127);
  }

  void define(const Value &result, const std::string &text,
              llvm::ArrayRef<Value> operands, bool isFunctional = true) {
    body += "  " + result.name + " = " + text;
    if (isFunctional)
      body += signature(operands, result);
    else
      body += " : " + type(operands[0]) + " -> " + type(result) + "\n";
    values.push_back(result);
  }
  Value &choose();
  Value makeLinearResult(const Value &x, Shape shape, int64_t products);
  std::string clampOf(const Value &result);

  bool addStep();
  bool addMovement(const Value &x);
  bool addConv(const Value &x);
  bool addConvTranspose(const Value &x);
  bool addMatmul(const Value &x);
  bool addPool(const Value &x);
  bool addReduce(const Value &x);
  bool addBinary(const Value &x);
  bool addFloat(const Value &x);
  bool addIntegers(const Value &x);
  bool addEncodedRegion(const Value &x);
  void addRegionBehind(Value y, float scale);
  Value addScalarFunction(const Value &x, const Value &first);
  bool addConcat(const Value &x);
  Value addUnary(const Value &x);
  Value addCast(const Value &x, const char *element);
  Value addDequantize(const Value &x);

  std::mt19937_64 random;
  std::vector<Value> values, arguments;
  std::string body, resources;
  unsigned counter = 0;
};

} // namespace qopt::test::randomgraph

#endif // QOPT_TEST_UNIT_RANDOMGRAPHGENERATOR_H
