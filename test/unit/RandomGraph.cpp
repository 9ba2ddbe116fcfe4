//===- RandomGraph.cpp - Small modules out of a seed ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Each step picks a value and an op that takes it, and writes the op as text
// with constants of its own. Results that nobody reads are returned.
//===----------------------------------------------------------------------===//
#include "RandomGraph.h"
#include "RandomGraphGenerator.h"

using namespace qopt;
using namespace qopt::test;
using namespace qopt::test::randomgraph;

Value &Generator::choose() {
  // Mostly the latest, so that chains become deep.
  size_t index = chance(70) ? values.size() - 1 : pick(0, values.size() - 1);
  return values[index];
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

/// One float op on `x`: with a constant, with `first`, with another tensor or
/// alone.
Value Generator::addScalarFunction(const Value &x, const Value &first) {
  static const char *const kBinary[] = {"add", "sub", "mul", "min", "max"};
  if (chance(30))
    return addUnary(x);
  Value other = first;
  if (chance(50)) {
    other = makeFloats(chance(70) || x.shape.empty() ? Shape{}
                                                     : Shape{x.shape.back()});
  } else if (chance(60)) {
    arguments.push_back(makeEncoded(x.shape, 0.05f));
    other = addDequantize(arguments.back());
  }
  Value result = makeValue(x.shape, "f32");
  llvm::SmallVector<Value> operands{x, other};
  if (chance(30))
    std::swap(operands[0], operands[1]);
  body += "  " + result.name + " = qg.binary " + pick(kBinary) + " " +
          operands[0].name + ", " + operands[1].name +
          signature(operands, result);
  return result;
}

/// Float ops and a quantization behind a product of bytes that is a float.
void Generator::addRegionBehind(Value y, float scale) {
  if (!scale || y.scale || chance(20))
    return;
  Value z = y;
  for (int64_t i = pick(1, 4); i > 0; --i) {
    z = addScalarFunction(z, y);
    if (chance(8))
      values.push_back(z);
  }
  Value result = makeEncoded(z.shape, chance(50) ? 0.02f : scale);
  define(result, "qg.quantize " + z.name, {z}, false);
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
  arguments.push_back(chance(75) ? makeEncoded(shape, 0.02f)
                                 : makeValue(shape, "f32"));
  values.push_back(arguments.front());
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
  llvm::SmallVector<std::string> inputs;
  for (const Value &argument : arguments)
    inputs.push_back(argument.name + ": " + type(argument));
  std::string text = "func.func @main(" + llvm::join(inputs, ", ") + ") -> (" +
                     llvm::join(types, ", ") + ") {\n" + body + "  return " +
                     llvm::join(names, ", ") + " : " + llvm::join(types, ", ") +
                     "\n}\n";
  if (!resources.empty())
    text += "{-# dialect_resources: { builtin: { " + resources + " } } #-}\n";
  return text;
}

std::string test::makeRandomGraph(uint64_t seed) {
  return Generator(seed).run();
}
