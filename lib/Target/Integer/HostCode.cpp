//===- HostCode.cpp - The host's part as C --------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Every element of an array is a chain of scalars of one index, so that a
// function is one loop nest without temporaries. What is no such chain (a
// softmax, a reduction) has no form here and is told by name.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/FXP/IR/FXP.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Target/Integer/HostPart.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace qopt;

using Index = SmallVector<std::string>;

static RankedTensorType getType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// Floats of 16 bits, which C has none of: their functions take and give
/// floats.
static bool isHalf(Type type) {
  Type element = cast<RankedTensorType>(type).getElementType();
  return element.isF16() || element.isBF16();
}

/// The C type of an element; "" without one.
static std::string getElement(Type type, bool isUnsigned) {
  Type element = cast<RankedTensorType>(type).getElementType();
  if (element.isF32() || isHalf(type))
    return "float";
  unsigned bits = element.isInteger() ? element.getIntOrFloatBitWidth() : 0;
  if (bits != 8 && bits != 16 && bits != 32 && bits != 64)
    return "";
  return (isUnsigned || element.isUnsignedInteger() ? "uint" : "int") +
         std::to_string(bits) + "_t";
}

static std::string flatten(ArrayRef<std::string> index,
                           ArrayRef<int64_t> shape) {
  std::string text;
  for (auto [i, extent] : llvm::zip_equal(index, shape)) {
    if (extent == 1)
      continue;
    text = text.empty()
               ? i
               : "(" + text + ") * " + std::to_string(extent) + " + " + i;
  }
  return text.empty() ? "0" : text;
}

namespace {
/// One array as one function.
class ElementWriter {
public:
  /// `load` names the array of an argument and says its type.
  struct Array {
    std::string name, type;
  };
  using LoadFn = function_ref<Array(unsigned argument)>;
  ElementWriter(LoadFn load, StringRef symbol) : load_(load), symbol_(symbol) {}

  /// The C name of an element of `value`; "" if an op has no form.
  std::string write(Value value, const Index &index);

  std::string lines;  ///< of the loop's body
  std::string tables; ///< of the function's beginning

private:
  std::string assign(StringRef type, const llvm::Twine &expression) {
    std::string name = "v" + std::to_string(count_++);
    lines += "    const " + type.str() + " " + name + " = " + expression.str() +
             ";\n";
    return name;
  }
  std::string writeConstant(qg::ConstantOp op, const Index &index);
  std::string writeBinary(qg::BinaryOp op, const Index &index);
  std::string writeUnary(qg::UnaryOp op, const Index &index);
  std::string writeReshape(qg::ReshapeOp op, const Index &index);
  std::string writeCast(qg::CastOp op, const Index &index);
  std::string writeQuantize(fxp::QuantizeOp op, const Index &index);
  std::string writeDequantize(fxp::DequantizeOp op, const Index &index);
  /// A table of numbers, or the one number.
  std::string writeTable(StringRef type, ArrayRef<std::string> values,
                         StringRef index);

  LoadFn load_;
  StringRef symbol_;
  unsigned count_ = 0;
};
} // namespace

std::string ElementWriter::writeTable(StringRef type,
                                      ArrayRef<std::string> values,
                                      StringRef index) {
  if (llvm::all_equal(values))
    return values.front();
  std::string name = "t" + std::to_string(count_++);
  tables += "  static const " + type.str() + " " + name + "[] = {\n     ";
  for (auto [i, value] : llvm::enumerate(values))
    tables += " " + value + "," + (i % 5 == 4 ? "\n     " : "");
  tables += "};\n";
  return name + "[" + index.str() + "]";
}

std::string ElementWriter::writeConstant(qg::ConstantOp op,
                                         const Index &index) {
  auto type = getType(op.getResult());
  FailureOr<Tensor> tensor = qg::getTensor(op.getValue(), type);
  if (!type.getElementType().isF32() || failed(tensor) ||
      tensor->numElements() == 0)
    return "";
  SmallVector<std::string> values;
  for (int64_t i = 0; i < tensor->numElements(); ++i)
    values.push_back(formatFloat(float(tensor->getFloat(i))));
  return writeTable("float", values, flatten(index, type.getShape()));
}

std::string ElementWriter::writeBinary(qg::BinaryOp op, const Index &index) {
  StringRef sign =
      llvm::StringSwitch<StringRef>(stringifyBinaryKind(op.getKind()))
          .Case("add", "+")
          .Case("sub", "-")
          .Case("mul", "*")
          .Case("div", "/")
          .Default("");
  if (sign.empty() || !getType(op.getResult()).getElementType().isF32())
    return "";
  SmallVector<std::string, 2> names;
  for (Value operand : {op.getLhs(), op.getRhs()}) {
    ArrayRef<int64_t> shape = getType(operand).getShape();
    Index own(index.end() - shape.size(), index.end());
    for (auto [i, extent] : llvm::enumerate(shape))
      if (extent == 1)
        own[i] = "0";
    names.push_back(write(operand, own));
    if (names.back().empty())
      return "";
  }
  return assign("float", names[0] + " " + sign + " " + names[1]);
}

std::string ElementWriter::writeUnary(qg::UnaryOp op, const Index &index) {
  if (!getType(op.getResult()).getElementType().isF32())
    return "";
  std::string x = write(op.getX(), index);
  StringRef kind = stringifyUnaryKind(op.getKind());
  if (x.empty())
    return "";
  if (kind == "neg")
    return assign("float", "-" + x);
  StringRef function = llvm::StringSwitch<StringRef>(kind)
                           .Case("abs", "fabsf")
                           .Case("floor", "floorf")
                           .Case("ceil", "ceilf")
                           .Case("sqrt", "sqrtf")
                           .Case("round_even", "nearbyintf")
                           .Default("");
  return function.empty() ? "" : assign("float", function + "(" + x + ")");
}

std::string ElementWriter::writeReshape(qg::ReshapeOp op, const Index &index) {
  ArrayRef<int64_t> shape = getType(op.getX()).getShape();
  std::string at =
      assign("int64_t", flatten(index, getType(op.getResult()).getShape()));
  Index own(shape.size());
  int64_t stride = 1;
  for (int64_t i = shape.size() - 1; i >= 0; --i) {
    own[i] = "(" + at + " / " + std::to_string(stride) + " % " +
             std::to_string(shape[i]) + ")";
    stride *= shape[i];
  }
  return write(op.getX(), own);
}

std::string ElementWriter::writeCast(qg::CastOp op, const Index &index) {
  RankedTensorType from = getType(op.getX()), to = getType(op.getResult());
  bool isFloat = from.getElementType().isF32() || isHalf(from);
  std::string x = write(op.getX(), index);
  if (x.empty())
    return "";
  if (to.getElementType().isF32())
    return isFloat || from.getElementType().isInteger(8) ||
                   from.getElementType().isInteger(16)
               ? assign("float", "(float)" + x)
               : "";
  if (!isHalf(to) || !isFloat)
    return "";
  // Digits, exponent of the least normal number, and what rounds to infinity.
  StringRef format =
      to.getElementType().isF16() ? "11, -13, 65520.0f" : "8, -125, INFINITY";
  return assign("float", symbol_ + "_round(" + x + ", " + format + ")");
}

static SmallVector<std::string> getNumbers(ElementsAttr attr) {
  SmallVector<std::string> numbers;
  FailureOr<Tensor> tensor = qg::getTensor(attr, attr.getType());
  for (int64_t i = 0; succeeded(tensor) && i < tensor->numElements(); ++i)
    numbers.push_back(formatFloat(float(tensor->getFloat(i))));
  return numbers;
}

static SmallVector<std::string> getNumbers(ArrayRef<int64_t> values) {
  return llvm::map_to_vector(
      values, [](int64_t value) { return std::to_string(value); });
}

std::string ElementWriter::writeQuantize(fxp::QuantizeOp op,
                                         const Index &index) {
  SmallVector<std::string> scales = getNumbers(op.getScales());
  std::string x = write(op.getX(), index);
  if (x.empty() || scales.empty())
    return "";
  StringRef channel = scales.size() > 1 ? StringRef(index[op.getAxis()]) : "0";
  std::string scale = writeTable("float", scales, channel);
  std::string zero = writeTable("int64_t", getNumbers(op.getZps()), channel);
  return assign("int64_t", symbol_ + "_to_stored(" + x + " / " + scale + ", " +
                               zero + ", " + std::to_string(op.getClamp()[0]) +
                               ", " + std::to_string(op.getClamp()[1]) + ")");
}

std::string ElementWriter::writeDequantize(fxp::DequantizeOp op,
                                           const Index &index) {
  SmallVector<std::string> scales = getNumbers(op.getScales());
  std::string x = write(op.getX(), index);
  std::string type = getElement(op.getX().getType(), op.getXUnsigned());
  if (x.empty() || scales.empty() || type.empty())
    return "";
  StringRef channel = scales.size() > 1 ? StringRef(index[op.getAxis()]) : "0";
  std::string scale = writeTable("float", scales, channel);
  std::string zero = writeTable("int64_t", getNumbers(op.getZps()), channel);
  return assign("float", "(float)((int64_t)(" + type + ")" + x + " - " + zero +
                             ") * " + scale);
}

std::string ElementWriter::write(Value value, const Index &index) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    Array array = load_(argument.getArgNumber());
    if (array.type.empty())
      return "";
    return assign(array.type,
                  "((const " + array.type + " *)" + array.name + ")[" +
                      flatten(index, getType(value).getShape()) + "]");
  }
  Operation *op = value.getDefiningOp();
  if (auto constant = dyn_cast<qg::ConstantOp>(op))
    return writeConstant(constant, index);
  if (auto transpose = dyn_cast<qg::TransposeOp>(op)) {
    Index own(index.size());
    for (auto [i, dim] : llvm::enumerate(transpose.getPermutation()))
      own[dim] = index[i];
    return write(transpose.getX(), own);
  }
  if (auto reshape = dyn_cast<qg::ReshapeOp>(op))
    return writeReshape(reshape, index);
  if (auto binary = dyn_cast<qg::BinaryOp>(op))
    return writeBinary(binary, index);
  if (auto unary = dyn_cast<qg::UnaryOp>(op))
    return writeUnary(unary, index);
  if (auto cast = dyn_cast<qg::CastOp>(op))
    return writeCast(cast, index);
  if (auto quantize = dyn_cast<fxp::QuantizeOp>(op))
    return writeQuantize(quantize, index);
  if (auto dequantize = dyn_cast<fxp::DequantizeOp>(op))
    return writeDequantize(dequantize, index);
  return "";
}

/// The ops of one value, in order.
static llvm::json::Array listOps(Value value) {
  llvm::SetVector<Operation *> reached;
  if (Operation *op = value.getDefiningOp())
    reached.insert(op);
  for (size_t i = 0; i < reached.size(); ++i)
    for (Value operand : reached[i]->getOperands())
      if (Operation *op = operand.getDefiningOp())
        reached.insert(op);
  SmallVector<Operation *> order = reached.takeVector();
  llvm::sort(order,
             [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  llvm::json::Array ops;
  for (Operation *op : order) {
    if (isa<qg::ConstantOp>(op))
      continue;
    std::string name = op->getName().stripDialect().str();
    if (auto binary = dyn_cast<qg::BinaryOp>(op))
      name = stringifyBinaryKind(binary.getKind()).str();
    if (auto unary = dyn_cast<qg::UnaryOp>(op))
      name = stringifyUnaryKind(unary.getKind()).str();
    llvm::json::Object row{{"op", name}, {"layer", qg::getUserName(op)}};
    if (auto transpose = dyn_cast<qg::TransposeOp>(op))
      row["permutation"] = llvm::json::Array(transpose.getPermutation());
    if (auto reshape = dyn_cast<qg::ReshapeOp>(op))
      row["shape"] = llvm::json::Array(getType(reshape.getResult()).getShape());
    ops.push_back(std::move(row));
  }
  return ops;
}

namespace {
/// Text that may stand in a comment of C.
std::string makeComment(StringRef text) {
  std::string result;
  for (char c : text)
    result += llvm::isPrint(c) && c != '*' && c != '\\' ? c : '_';
  return result;
}

/// The header, a function at a time.
class HostWriter {
public:
  HostWriter(const IntegerCore &core, StringRef symbol)
      : core_(core), symbol_(symbol.str()) {}
  HostCode run();

private:
  func::FuncOp getMain(const OwningOpRef<ModuleOp> &module) const {
    return ModuleOp(module.get()).lookupSymbol<func::FuncOp>("main");
  }
  /// What the model takes or gives as it says it.
  static llvm::json::Object describe(Type type, DictionaryAttr attributes,
                                     const llvm::Twine &fallback);
  static std::string getGivenType(Type type, DictionaryAttr attributes) {
    return getElement(type, describePort(type, attributes, "").isUnsigned);
  }
  /// Adds a function for a value; null if it has no form in C.
  llvm::json::Value addFunction(StringRef name, StringRef parameters,
                                Value value, StringRef type,
                                ElementWriter::LoadFn load);

  const IntegerCore &core_;
  std::string symbol_, text_;
};
} // namespace

llvm::json::Object HostWriter::describe(Type type, DictionaryAttr attributes,
                                        const llvm::Twine &fallback) {
  DevicePort port = describePort(type, attributes, fallback);
  std::string element = getGivenType(type, attributes);
  if (element != "float" && !element.empty()) {
    port.isUnsigned = StringRef(element).starts_with("u");
    return toJson(port);
  }
  llvm::json::Object row{{"name", port.name},
                         {"shape", llvm::json::Array(port.shape)},
                         {"type", element.empty()
                                      ? llvm::json::Value(nullptr)
                                      : llvm::json::Value(element)}};
  if (isHalf(type))
    row["values"] = cast<RankedTensorType>(type).getElementType().isF16()
                        ? "float16"
                        : "bfloat16";
  return row;
}

llvm::json::Value HostWriter::addFunction(StringRef name, StringRef parameters,
                                          Value value, StringRef type,
                                          ElementWriter::LoadFn load) {
  ElementWriter writer(load, symbol_);
  ArrayRef<int64_t> shape = getType(value).getShape();
  std::string loops;
  Index index;
  for (auto [i, extent] : llvm::enumerate(shape)) {
    index.push_back("i" + std::to_string(i));
    loops += "  for (int64_t " + index.back() + " = 0; " + index.back() +
             " < " + std::to_string(extent) + "; ++" + index.back() + ")\n";
  }
  std::string element = type.empty() ? "" : writer.write(value, index);
  std::string ops;
  for (const llvm::json::Value &op : listOps(value)) {
    StringRef layer = op.getAsObject()->getString("layer").value_or("");
    ops += (ops.empty() ? "" : ", then ") +
           op.getAsObject()->getString("op").value_or("").str() + " ('" +
           makeComment(layer) + "')";
  }
  if (ops.empty())
    ops = "a copy";
  if (element.empty()) {
    text_ += "/* " + name.str() + " has no form in C: " + ops + " */\n\n";
    return nullptr;
  }
  // Parameters are the same for all functions of a kind.
  std::string unused;
  for (StringRef parameter : {"inputs", "outputs"})
    if (parameters.contains(parameter) &&
        !StringRef(writer.lines).contains((parameter + "[").str()))
      unused += "  (void)" + parameter.str() + ";\n";
  text_ += "/* " + ops + " */\nstatic inline void " + name.str() + "(" +
           parameters.str() + ") {\n" + unused + writer.tables + loops +
           "  {\n" + writer.lines + "    ((" + type.str() + " *)to)[" +
           flatten(index, shape) + "] = (" + type.str() + ")" + element +
           ";\n  }\n}\n\n";
  return name.str();
}

/// What casts to 16-bit floats call; nothing where none does.
static std::string writeRounding(StringRef text, const std::string &symbol) {
  if (!text.contains(symbol + "_round("))
    return "";
  return "/* Rounded to so many binary digits, ties to even; `least`: exponent "
         "of "
         "the\n * least number that has all; `infinite`: what is beyond the "
         "largest. */\nstatic inline float " +
         symbol +
         "_round(float x, int digits, int least, float infinite) {\n"
         "  int exponent;\n  if (!(fabsf(x) < infinite))\n"
         "    return x != x ? x : copysignf(INFINITY, x);\n"
         "  (void)frexpf(x, &exponent);\n"
         "  exponent = exponent < least ? least : exponent;\n"
         "  return ldexpf(nearbyintf(ldexpf(x, digits - exponent)),\n"
         "                exponent - digits);\n}\n\n";
}

HostCode HostWriter::run() {
  HostCode code;
  func::FuncOp before = getMain(core_.host), behind = getMain(core_.behind);
  auto loadInput = [&](unsigned i) -> ElementWriter::Array {
    return {
        "inputs[" + std::to_string(i) + "]",
        getGivenType(before.getArgumentTypes()[i], before.getArgAttrDict(i))};
  };
  for (unsigned i = 0; i < before.getNumArguments(); ++i)
    code.arguments.push_back(describe(before.getArgumentTypes()[i],
                                      before.getArgAttrDict(i),
                                      "input_" + llvm::Twine(i)));
  Operation *stores = before.getBody().front().getTerminator();
  for (auto [i, port] : llvm::enumerate(core_.inputs)) {
    llvm::json::Object row = toJson(port);
    llvm::json::Value function =
        addFunction(symbol_ + "_store_" + std::to_string(i),
                    "const void *const *inputs, void *to",
                    stores->getOperand(i), getCType(port), loadInput);
    row["host"] = llvm::json::Object{{"ops", listOps(stores->getOperand(i))},
                                     {"function", std::move(function)}};
    code.inputs.push_back(std::move(row));
  }
  for (const DevicePort &port : core_.outputs)
    code.outputs.push_back(toJson(port));
  auto loadPort = [&](unsigned i) -> ElementWriter::Array {
    if (i >= core_.outputs.size())
      return loadInput(i - core_.outputs.size());
    return {"outputs[" + std::to_string(i) + "]", getCType(core_.outputs[i])};
  };
  Operation *reads = behind.getBody().front().getTerminator();
  for (auto [i, type] : llvm::enumerate(behind.getResultTypes())) {
    DictionaryAttr attributes = behind.getResultAttrDict(i);
    llvm::json::Object row =
        describe(type, attributes, "output_" + llvm::Twine(i));
    llvm::json::Value function = addFunction(
        symbol_ + "_read_" + std::to_string(i),
        "const void *const *inputs,\n    const void *const *outputs, void *to",
        reads->getOperand(i), getGivenType(type, attributes), loadPort);
    row["host"] = llvm::json::Object{{"ops", listOps(reads->getOperand(i))},
                                     {"function", std::move(function)}};
    code.results.push_back(std::move(row));
  }
  std::string upper = StringRef(symbol_).upper();
  code.header =
      "/* " + symbol_ +
      "_host.h - what the caller does in front of the model and behind it\n"
      " * Written by qopt compile. Floats are rounded as the model's compiler "
      "rounds\n * them if products and sums are not contracted "
      "(-ffp-contract=off). */\n#ifndef QOPT_" +
      upper + "_HOST_H\n#define QOPT_" + upper +
      "_HOST_H\n\n#include <math.h>\n#include <stdint.h>\n\n"
      "/* Rounded to the nearest, ties to even, into [low, high]. */\n"
      "static inline int64_t " +
      symbol_ +
      "_to_stored(float x, int64_t zero_point, int64_t low,\n"
      "                                    int64_t high) {\n"
      "  const double y = (double)nearbyintf(x) + (double)zero_point;\n"
      "  if (x != x)\n    return zero_point;\n"
      "  return y < (double)low ? low : y > (double)high ? high : (int64_t)y;\n"
      "}\n\n" +
      writeRounding(text_, symbol_) +
      "/* inputs: the model's inputs; outputs: what the integers gave. "
      "*/\n\n" +
      text_ + "#endif\n";
  return code;
}

HostCode qopt::writeHostCode(const IntegerCore &core, llvm::StringRef symbol) {
  return HostWriter(core, symbol).run();
}
