//===- RandomGraph.cpp - Small modules out of a seed ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Each step picks a value and an op that takes it, and writes the op as text
// with constants of its own. Results that nobody reads are returned.
//===----------------------------------------------------------------------===//
#include "RandomGraph.h"
#include "RunModule.h"
#include "qopt/Dialect/QG/IR/QG.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>
#include <random>

using namespace qopt;
using namespace qopt::test;

namespace {
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
    std::string encoding = print(scale) + " : 0";
    if (chance(75)) {
      std::vector<float> scales(shape[axis]);
      for (float &each : scales)
        each = scale * float(pick(20, 300)) / 100;
      std::string name = "s" + std::to_string(++counter);
      resources += (resources.empty() ? "" : ", ") + name + ": \"0x04000000" +
                   hex<float>(scales) + "\"";
      encoding = "axis = " + std::to_string(axis) + ", dense_resource<" + name +
                 "> : " + type({shape[axis]}, "f32");
      scale = 0;
    }
    std::string element = "!qg.q<si8, " + encoding + ">";
    Value weights =
        makeConstant<int8_t>(std::move(shape), "i8", element, -127, 127);
    weights.scale = scale;
    return weights;
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
  bool addConcat(const Value &x);
  Value addUnary(const Value &x);
  Value addCast(const Value &x, const char *element);
  Value addDequantize(const Value &x);

  std::mt19937_64 random;
  std::vector<Value> values;
  std::string body, resources;
  unsigned counter = 0;
};
} // namespace

Value &Generator::choose() {
  // Mostly the latest, so that chains become deep.
  size_t index = chance(70) ? values.size() - 1 : pick(0, values.size() - 1);
  return values[index];
}

/// Result of a linear op: encoded so that sums of `products` rarely saturate,
/// or f32.
Value Generator::makeLinearResult(const Value &x, Shape shape,
                                  int64_t products) {
  if (!x.scale || chance(15))
    return makeValue(std::move(shape), "f32");
  return makeEncoded(std::move(shape),
                     x.scale * 0.6f * std::sqrt(float(products)));
}

std::string Generator::clampOf(const Value &result) {
  if (!result.scale || chance(60))
    return "";
  bool isUnsigned = llvm::StringRef(result.element).contains("ui8");
  int64_t low = isUnsigned ? pick(0, 100) : pick(-128, 0);
  return " clamp " + print({low, pick(low, isUnsigned ? 255 : 127)});
}

bool Generator::addMovement(const Value &x) {
  int64_t rank = x.shape.size(), axis = rank ? pick(0, rank - 1) : 0;
  if (!rank)
    return false;
  Shape shape = x.shape, first, second;
  switch (pick(0, 5)) {
  case 0: {
    for (int64_t i = 0; i < rank; ++i)
      first.push_back(i);
    for (int64_t i = rank - 1; i > 0; --i)
      std::swap(first[i], first[pick(0, i)]);
    for (int64_t i = 0; i < rank; ++i)
      shape[i] = x.shape[first[i]];
    define(makeValue(shape, x.element, x.scale),
           "qg.transpose " + x.name + " perm " + print(first), {x}, false);
    return true;
  }
  case 1: {
    if (rank < 2)
      return false;
    axis = pick(0, rank - 2);
    shape[axis] *= shape[axis + 1];
    shape.erase(shape.begin() + axis + 1);
    define(makeValue(shape, x.element, x.scale), "qg.reshape " + x.name, {x},
           false);
    return true;
  }
  case 2: {
    for (int64_t extent : x.shape) {
      int64_t stride = pick(1, 2), count = pick(1, (extent - 1) / stride + 1);
      int64_t offset = pick(0, extent - 1 - (count - 1) * stride);
      bool isBackwards = chance(30);
      shape[first.size()] = count;
      first.push_back(isBackwards ? offset + (count - 1) * stride : offset);
      second.push_back(isBackwards ? -stride : stride);
    }
    define(makeValue(shape, x.element, x.scale),
           "qg.slice " + x.name + " offsets " + print(first) + " strides " +
               print(second),
           {x}, false);
    return true;
  }
  case 3: {
    static const char *const kModes[] = {"constant", "reflect", "edge", "wrap"};
    llvm::StringRef mode = pick(kModes);
    for (int64_t &extent : shape) {
      int64_t most = mode == "constant" ? 2 : std::min<int64_t>(2, extent - 1);
      first.push_back(pick(extent > 2 && mode == "constant" ? -1 : 0, most));
      second.push_back(pick(0, most));
      extent += first.back() + second.back();
    }
    define(makeValue(shape, x.element, x.scale),
           "qg.pad " + mode.str() + " " + x.name + " low " + print(first) +
               " high " + print(second),
           {x});
    return true;
  }
  case 4: {
    Shape indexShape{pick(1, 4)};
    if (chance(30))
      indexShape.push_back(2);
    Value indices = makeConstant<int64_t>(indexShape, "i64", "i64",
                                          -x.shape[axis], x.shape[axis] - 1);
    shape.erase(shape.begin() + axis);
    shape.insert(shape.begin() + axis, indexShape.begin(), indexShape.end());
    define(makeValue(shape, x.element, x.scale),
           "qg.gather " + x.name + ", " + indices.name + " axis " +
               std::to_string(axis),
           {x, indices});
    return true;
  }
  default:
    if (rank > 4)
      return false;
    shape.insert(shape.begin(), pick(1, 3));
    for (int64_t &extent : shape)
      extent = extent == 1 ? pick(1, 3) : extent;
    define(makeValue(shape, x.element, x.scale), "qg.broadcast " + x.name, {x},
           false);
    return true;
  }
}

bool Generator::addConv(const Value &x) {
  if (x.shape.size() != 4)
    return false;
  int64_t channels = x.shape[3], groups = 1, outputs = pick(1, 20);
  if (chance(35))
    groups = channels, outputs = channels * (chance(80) ? 1 : 2);
  else if (channels % 2 == 0 && chance(25))
    groups = 2, outputs = 2 * pick(1, 9);
  Shape kernel, strides, dilations, pads, shape{x.shape[0]};
  for (int64_t i = 1; i < 3; ++i) {
    kernel.push_back(pick(1, 3));
    strides.push_back(pick(1, 2));
    dilations.push_back(chance(80) ? 1 : 2);
    pads.push_back(chance(50) ? 0 : pick(0, kernel.back()));
  }
  for (int64_t i = 0; i < 2; ++i)
    pads.push_back(chance(60) ? pads[i] : pick(0, kernel[i]));
  for (int64_t i = 0; i < 2; ++i) {
    int64_t room = x.shape[i + 1] + pads[i] + pads[i + 2] -
                   (kernel[i] - 1) * dilations[i] - 1;
    if (room < 0)
      return false;
    shape.push_back(room / strides[i] + 1);
  }
  shape.push_back(outputs);
  Shape weightShape{outputs, kernel[0], kernel[1], channels / groups};
  Value weights =
      x.scale ? makeWeights(weightShape, 0) : makeFloats(weightShape);
  llvm::SmallVector<Value> operands{x, weights};
  std::string bias;
  if (chance(70)) {
    if (x.scale && weights.scale && chance(50))
      operands.push_back(makeConstant<int32_t>(
          {outputs}, "i32",
          "!qg.q<si32, " + print(x.scale * weights.scale) + " : 0>", -3000,
          3000));
    else
      operands.push_back(makeFloats({outputs}));
    bias = " bias " + operands[2].name;
  }
  Value result =
      makeLinearResult(x, shape, kernel[0] * kernel[1] * channels / groups);
  define(result,
         "qg.conv " + x.name + ", " + weights.name + bias + " strides " +
             print(strides) + " pads " + print(pads) + " dilations " +
             print(dilations) + " groups " + std::to_string(groups) +
             clampOf(result),
         operands);
  return true;
}

bool Generator::addConvTranspose(const Value &x) {
  if (x.shape.size() != 4 || getNumElements(x.shape) > 600)
    return false;
  Shape kernel, strides, pads, extra, shape{x.shape[0]};
  for (int64_t i = 0; i < 2; ++i) {
    strides.push_back(pick(1, 2));
    kernel.push_back(chance(50) ? strides[i] : pick(strides[i], 3));
    pads.push_back(kernel[i] > 1 && x.shape[i + 1] > 2 ? pick(0, 1) : 0);
    extra.push_back(strides[i] > 1 ? pick(0, 1) : 0);
    shape.push_back((x.shape[i + 1] - 1) * strides[i] + kernel[i] -
                    2 * pads[i] + extra[i]);
    if (shape.back() < 1)
      return false;
  }
  pads.append({pads[0], pads[1]});
  int64_t outputs = pick(1, 6);
  shape.push_back(outputs);
  Shape weightShape{outputs, kernel[0], kernel[1], x.shape[3]};
  Value weights =
      x.scale ? makeWeights(weightShape, 0) : makeFloats(weightShape);
  Value result = makeLinearResult(x, shape, 2 * x.shape[3]);
  define(result,
         "qg.conv_transpose " + x.name + ", " + weights.name + " strides " +
             print(strides) + " pads " + print(pads) +
             " dilations [1, 1] output_padding " + print(extra) + " groups 1" +
             clampOf(result),
         {x, weights});
  return true;
}

bool Generator::addMatmul(const Value &x) {
  if (x.shape.size() < 2)
    return false;
  int64_t depth = x.shape.back(), outputs = pick(1, 20);
  bool isTransposed = chance(50);
  Shape shape = x.shape, weightShape{depth, outputs};
  shape.back() = outputs;
  if (isTransposed)
    std::swap(weightShape[0], weightShape[1]);
  if (chance(25)) {
    // Times itself, transposed: [.., M, K] x [.., M, K].
    shape.back() = x.shape[x.shape.size() - 2];
    Value result = makeLinearResult(x, shape, 4 * depth);
    define(result, "qg.matmul " + x.name + ", " + x.name + " transpose_rhs",
           {x, x});
    return true;
  }
  Value weights = x.scale ? makeWeights(weightShape, isTransposed ? 0 : 1)
                          : makeFloats(weightShape);
  llvm::SmallVector<Value> operands{x, weights};
  std::string bias;
  if (chance(70)) {
    operands.push_back(makeFloats({outputs}));
    bias = " bias " + operands[2].name;
  }
  Value result = makeLinearResult(x, shape, depth);
  define(result,
         "qg.matmul " + x.name + ", " + weights.name + bias +
             (isTransposed ? " transpose_rhs" : "") + clampOf(result),
         operands);
  return true;
}

bool Generator::addPool(const Value &x) {
  if (x.shape.size() != 4)
    return false;
  bool isMax = chance(50), isWhole = chance(25);
  Shape kernel, strides, pads, shape{x.shape[0]};
  for (int64_t i = 0; i < 2; ++i) {
    kernel.push_back(isWhole ? x.shape[i + 1]
                             : pick(1, std::min<int64_t>(3, x.shape[i + 1])));
    strides.push_back(pick(1, 2));
    pads.push_back(isWhole || chance(50) ? 0 : kernel[i] / 2);
    shape.push_back((x.shape[i + 1] + 2 * pads[i] - kernel[i]) / strides[i] +
                    1);
  }
  pads.append({pads[0], pads[1]});
  shape.push_back(x.shape[3]);
  Value result = x.scale && !isMax ? makeEncoded(shape, x.scale)
                                   : makeValue(shape, x.element, x.scale);
  define(result,
         std::string("qg.pool ") + (isMax ? "max " : "avg ") + x.name +
             " kernel " + print(kernel) + " strides " + print(strides) +
             " pads " + print(pads) + " dilations [1, 1]" +
             (!isMax && chance(30) ? " count_include_pad" : ""),
         {x}, false);
  return true;
}

bool Generator::addReduce(const Value &x) {
  Shape axes, shape;
  int64_t count = 1;
  for (size_t i = 0; i < x.shape.size(); ++i)
    if (chance(50)) {
      axes.push_back(i);
      count *= x.shape[i];
    } else {
      shape.push_back(x.shape[i]);
    }
  if (axes.empty())
    return false;
  static const char *const kKinds[] = {"sum", "prod", "max", "min"};
  std::string kind = x.scale ? "sum" : pick(kKinds);
  if (!x.scale && chance(30)) {
    int64_t axis = axes[0];
    shape = x.shape;
    shape.erase(shape.begin() + axis);
    define(makeValue(shape, "i64"),
           std::string("qg.arg_reduce ") + (chance(50) ? "max " : "min ") +
               x.name + " axis " + std::to_string(axis) +
               (chance(30) ? " select_last" : ""),
           {x}, false);
    return true;
  }
  Value result = makeLinearResult(x, shape, 4 * count);
  define(result, "qg.reduce " + kind + " " + x.name + " axes " + print(axes),
         {x}, false);
  return true;
}

bool Generator::addBinary(const Value &x) {
  static const char *const kFloat[] = {"add", "sub", "mul", "div", "rem",
                                       "mod", "pow", "min", "max"};
  static const char *const kEncoded[] = {"add", "sub", "mul"};
  std::string kind = x.scale ? pick(kEncoded) : pick(kFloat);
  const Value *other = nullptr;
  for (const Value &value : values)
    if (value.shape == x.shape && (value.scale != 0) == (x.scale != 0) &&
        (x.scale || value.element == x.element) && chance(70))
      other = &value;
  Value rhs = other ? *other : x;
  if (!x.scale && (!other || chance(30))) {
    Shape shape = x.shape;
    for (int64_t &extent : shape)
      extent = chance(40) ? 1 : extent;
    if (!shape.empty() && chance(40))
      shape.erase(shape.begin());
    rhs = makeFloats(shape);
  }
  float like = kind == "mul" ? x.scale * rhs.scale * 60 : x.scale + rhs.scale;
  Value result =
      x.scale ? makeEncoded(x.shape, like) : makeValue(x.shape, x.element);
  if (!x.scale && chance(25)) {
    static const char *const kPredicates[] = {"eq", "ne", "lt",
                                              "le", "gt", "ge"};
    Value condition = makeValue(x.shape, "i1");
    body += "  " + condition.name + " = qg.compare " + pick(kPredicates) + " " +
            x.name + ", " + rhs.name + signature({x, rhs}, condition);
    define(result,
           "qg.select " + condition.name + ", " + x.name + ", " + rhs.name,
           {condition, x, rhs});
    return true;
  }
  define(result,
         "qg.binary " + kind + " " + x.name + ", " + rhs.name + clampOf(result),
         {x, rhs});
  return true;
}

Value Generator::addUnary(const Value &x) {
  static const char *const kKinds[] = {
      "abs",  "neg",   "sign",  "relu", "floor", "ceil",    "round_even",
      "sqrt", "rsqrt", "exp",   "log",  "erf",   "sigmoid", "sin",
      "cos",  "tan",   "asin",  "acos", "atan",  "sinh",    "cosh",
      "tanh", "asinh", "acosh", "atanh"};
  Value result = makeValue(x.shape, "f32");
  body += "  " + result.name + " = qg.unary " + pick(kKinds) + " " + x.name +
          " : " + type(x) + " -> " + type(result) + "\n";
  return result;
}

Value Generator::addCast(const Value &x, const char *element) {
  Value result = makeValue(x.shape, element);
  body += "  " + result.name + " = qg.cast " + x.name + " : " + type(x) +
          " -> " + type(result) + "\n";
  return result;
}

Value Generator::addDequantize(const Value &x) {
  Value result = makeValue(x.shape, "f32");
  body += "  " + result.name + " = qg.dequantize " + x.name + " : " + type(x) +
          " -> " + type(result) + "\n";
  return result;
}

/// Through integers of some width and back.
bool Generator::addIntegers(const Value &x) {
  static const char *const kElements[] = {"i8",  "i16", "i32", "i64",
                                          "ui8", "f16", "bf16"};
  static const char *const kInteger[] = {
      "add", "sub",     "mul",    "div",     "rem",        "mod",        "min",
      "max", "bit_and", "bit_or", "bit_xor", "shift_left", "shift_right"};
  std::string element = pick(kElements);
  bool isFloat = element == "f16" || element == "bf16";
  Value a = addCast(x, element.c_str());
  Value b = addCast(addUnary(x), element.c_str());
  Value c = makeValue(x.shape, element);
  body += "  " + c.name + " = qg.binary " + (isFloat ? "mul" : pick(kInteger)) +
          " " + a.name + ", " + b.name + signature({a, b}, c);
  Value result = addCast(c, "f32");
  values.push_back(result);
  if (!isFloat && chance(50))
    values.push_back(c);
  return true;
}

/// Between dequantize and quantize: a table, or floats between integers.
bool Generator::addEncodedRegion(const Value &x) {
  Value y = addDequantize(x);
  if (chance(25) && !x.shape.empty()) {
    Value soft = makeValue(y.shape, "f32");
    body += "  " + soft.name + " = qg.softmax " + y.name + " : " + type(y) +
            " -> " + type(soft) + "\n";
    y = soft;
  } else {
    Value z = addUnary(y);
    if (chance(50)) {
      Value product = makeValue(y.shape, "f32");
      body += "  " + product.name + " = qg.binary mul " + y.name + ", " +
              z.name + signature({y, z}, product);
      z = product;
    }
    y = z;
  }
  if (chance(20)) {
    values.push_back(y);
    return true;
  }
  Value result = makeEncoded(y.shape, 0.02f);
  define(result, "qg.quantize " + y.name, {y}, false);
  return true;
}

bool Generator::addConcat(const Value &x) {
  if (x.shape.empty())
    return false;
  int64_t axis = pick(0, x.shape.size() - 1);
  Value other = x;
  for (const Value &value : values)
    if (value.shape == x.shape && (value.scale != 0) == (x.scale != 0) &&
        (x.scale || value.element == x.element))
      other = value;
  Shape shape = x.shape;
  shape[axis] *= 2;
  Value result = makeValue(shape, x.element, x.scale);
  if (x.scale && chance(50))
    result = makeEncoded(shape, x.scale);
  define(result,
         "qg.concat " + x.name + ", " + other.name + " axis " +
             std::to_string(axis),
         {x, other});
  return true;
}

bool Generator::addFloat(const Value &x) {
  switch (pick(0, 3)) {
  case 0:
  case 1:
    values.push_back(addUnary(x));
    return true;
  case 2:
    if (x.shape.empty())
      return false;
    define(makeValue(x.shape, "f32"), "qg.softmax " + x.name, {x}, false);
    return true;
  default:
    define(makeEncoded(x.shape, 0.02f), "qg.quantize " + x.name, {x}, false);
    return true;
  }
}

bool Generator::addStep() {
  const Value x = choose(); // A copy: steps append to the list.
  if (getNumElements(x.shape) > 3000)
    return false;
  if (!x.scale && x.element != "f32")
    return addMovement(x);
  switch (pick(0, 13)) {
  case 0:
  case 1:
  case 2:
    return addConv(x);
  case 3:
    return addConvTranspose(x);
  case 4:
  case 5:
    return addMatmul(x);
  case 6:
    return addPool(x);
  case 7:
    return addReduce(x);
  case 8:
    return addBinary(x);
  case 9:
    return addConcat(x);
  case 10:
    return x.scale ? addEncodedRegion(x) : addIntegers(x);
  case 11:
    if (!x.scale)
      return addFloat(x);
    if (chance(70))
      return addEncodedRegion(x);
    define(makeEncoded(x.shape, x.scale), "qg.requantize " + x.name, {x},
           false);
    return true;
  default:
    return addMovement(x);
  }
}

std::string Generator::run() {
  static constexpr int64_t kChannels[] = {1, 2, 3, 4, 8, 16, 17};
  Shape shape{1, pick(1, 9), pick(1, 9), kChannels[pick(0, 6)]};
  Value argument =
      chance(75) ? makeEncoded(shape, 0.02f) : makeValue(shape, "f32");
  values.push_back(argument);
  for (int64_t left = pick(3, 8), tries = 100; left && tries; --tries)
    left -= addStep();
  llvm::SmallVector<std::string> names, types;
  for (const Value &value : llvm::drop_begin(values)) {
    if (llvm::StringRef(body).contains(value.name + ",") ||
        llvm::StringRef(body).contains(value.name + " :"))
      continue;
    names.push_back(value.name);
    types.push_back(type(value));
  }
  if (names.empty() || chance(20)) {
    names.push_back(values.back().name);
    types.push_back(type(values.back()));
  }
  std::string text = "func.func @main(" + argument.name + ": " +
                     type(argument) + ") -> (" + llvm::join(types, ", ") +
                     ") {\n" + body + "  return " + llvm::join(names, ", ") +
                     " : " + llvm::join(types, ", ") + "\n}\n";
  if (!resources.empty())
    text += "{-# dialect_resources: { builtin: { " + resources + " } } #-}\n";
  return text;
}

std::string test::makeRandomGraph(uint64_t seed) {
  return Generator(seed).run();
}
