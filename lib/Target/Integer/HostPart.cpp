//===- HostPart.cpp - The arrays of a target without floats ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What each array holds, and quantization of those that the model has as
// floats.
//===----------------------------------------------------------------------===//
#include "qopt/Target/Integer/HostPart.h"
#include "qopt/Dialect/FXP/IR/FXP.h"

#include "llvm/ADT/STLExtras.h"
#include <limits>

using namespace mlir;
using namespace qopt;

DevicePort qopt::describePort(Type type, DictionaryAttr attributes,
                              const llvm::Twine &fallback) {
  DevicePort port;
  auto tensor = cast<RankedTensorType>(type);
  port.name = fallback.str();
  port.shape = tensor.getShape().vec();
  port.storageBits = std::max(8u, tensor.getElementTypeBitWidth());
  port.isFloat = tensor.getElementType().isF32();
  if (!attributes)
    return port;
  if (auto name = attributes.getAs<StringAttr>("qg.name"))
    port.name = name.str();
  auto attr = attributes.getAs<TypeAttr>("qg.encoding");
  auto encoding = attr ? dyn_cast<qg::QuantizedType>(attr.getValue()) : nullptr;
  if (!encoding)
    return port;
  port.isUnsigned =
      !encoding.getIntegerFormat().isSigned && port.storageBits <= 16;
  setEncoding(port, encoding);
  return port;
}

void qopt::setEncoding(DevicePort &port, qg::QuantizedType encoding) {
  const IntegerFormat &format = encoding.getIntegerFormat();
  if (encoding.isPerTensor()) {
    port.scales = {encoding.getScale()};
    port.zeroPoints = {encoding.getZeroPoint()};
  }
  if (format.bits < format.storageBits()) {
    port.low = format.min();
    port.high = format.max();
  }
}

std::string qopt::getCType(const DevicePort &port) {
  if (port.isFloat)
    return "float";
  return (port.isUnsigned ? "uint" : "int") + std::to_string(port.storageBits) +
         "_t";
}

std::string qopt::formatFloat(float value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.9g", double(value));
  // `1f` is no constant of C.
  std::string result = text;
  if (result.find_first_of(".en") == std::string::npos)
    result += ".0";
  return result + "f";
}

std::string qopt::describeEncoding(const DevicePort &port) {
  std::string text;
  if (port.scales.size() == 1)
    text += ", stands for " + formatFloat(port.scales[0]) + " * (x - " +
            std::to_string(port.zeroPoints[0]) + ")";
  else if (!port.scales.empty())
    text +=
        ", stands for scales[c] * (x - zero_points[c]), c along dimension " +
        std::to_string(port.axis);
  if (port.hasRange())
    text += ", x from " + std::to_string(port.low) + " to " +
            std::to_string(port.high);
  return text;
}

/// Of the narrowest integers that hold all of [low, high].
static unsigned countBits(int64_t low, int64_t high) {
  unsigned bits = 1;
  while (bits < 63 && (low < 0 ? low < -(int64_t(1) << (bits - 1)) ||
                                     high >= int64_t(1) << (bits - 1)
                               : high >= int64_t(1) << bits))
    ++bits;
  return bits;
}

llvm::json::Object qopt::toJson(const DevicePort &port) {
  if (port.isFloat)
    return llvm::json::Object{{"name", port.name},
                              {"shape", llvm::json::Array(port.shape)},
                              {"type", "float"}};
  unsigned bits = port.storageBits;
  int64_t low = port.low, high = port.high;
  if (port.hasRange()) {
    bits = countBits(low, high);
  } else if (bits < 64) {
    low = port.isUnsigned ? 0 : -(int64_t(1) << (bits - 1));
    high = (int64_t(1) << (port.isUnsigned ? bits : bits - 1)) - 1;
  } else {
    low = std::numeric_limits<int64_t>::min();
    high = std::numeric_limits<int64_t>::max();
  }
  llvm::json::Object object{{"name", port.name},
                            {"shape", llvm::json::Array(port.shape)},
                            {"type", getCType(port)},
                            {"signed", !port.isUnsigned},
                            {"bits", int64_t(bits)},
                            {"low", low},
                            {"high", high}};
  addScales(object, port);
  return object;
}

void qopt::addScales(llvm::json::Object &object, const DevicePort &port) {
  if (port.scales.size() == 1) {
    object["scale"] = port.scales[0];
    object["zero_point"] = port.zeroPoints[0];
  } else if (!port.scales.empty()) {
    object["scales"] = llvm::json::Array(port.scales);
    object["zero_points"] = llvm::json::Array(port.zeroPoints);
    object["axis"] = port.axis;
  }
}

/// Floats of the model, which are floats of C.
static bool isFloatTensor(Type type) {
  Type element = cast<RankedTensorType>(type).getElementType();
  return element.isF32() || element.isF16() || element.isBF16();
}

static Value quantize(OpBuilder &builder, Location loc, Value x, Type type,
                      const DevicePort &port) {
  auto scale = DenseElementsAttr::get(
      RankedTensorType::get({1}, builder.getF32Type()), port.scales[0]);
  int64_t low = port.isUnsigned ? 0 : -128, high = port.isUnsigned ? 255 : 127;
  if (port.storageBits == 16) {
    low = port.isUnsigned ? 0 : -32768;
    high = port.isUnsigned ? 65535 : 32767;
  }
  if (port.hasRange()) {
    low = port.low;
    high = port.high;
  }
  return fxp::QuantizeOp::create(
      builder, loc, type, x, scale,
      builder.getDenseI64ArrayAttr(port.zeroPoints),
      builder.getI64IntegerAttr(0), builder.getDenseI64ArrayAttr({low, high}),
      port.isUnsigned ? builder.getUnitAttr() : nullptr);
}

static Value dequantize(OpBuilder &builder, Location loc, Value x,
                        const DevicePort &port) {
  auto scale = DenseElementsAttr::get(
      RankedTensorType::get({1}, builder.getF32Type()), port.scales[0]);
  auto type = cast<RankedTensorType>(x.getType());
  return fxp::DequantizeOp::create(
      builder, loc, type.clone(builder.getF32Type()), x, scale,
      builder.getDenseI64ArrayAttr(port.zeroPoints),
      builder.getI64IntegerAttr(0),
      port.isUnsigned ? builder.getUnitAttr() : nullptr);
}

/// A module whose `@main` gives each argument, moved into a result by `move`.
static OwningOpRef<ModuleOp>
buildMoves(Location loc, ArrayRef<Type> from, ArrayRef<Type> to,
           function_ref<Value(OpBuilder &, Value, unsigned)> move) {
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  OpBuilder builder(module->getBodyRegion());
  auto main = func::FuncOp::create(builder, loc, "main",
                                   builder.getFunctionType(from, to));
  Block *block = main.addEntryBlock();
  builder.setInsertionPointToEnd(block);
  SmallVector<Value> results;
  for (unsigned i = 0; i < to.size(); ++i)
    results.push_back(move(builder, block->getArgument(i), i));
  func::ReturnOp::create(builder, loc, results);
  return module;
}

void qopt::giveFloats(IntegerCore &core, func::FuncOp model) {
  auto behind = core.behind->lookupSymbol<func::FuncOp>("main");
  Operation *end = behind.getBody().front().getTerminator();
  OpBuilder builder(end);
  for (auto [i, type] : llvm::enumerate(model.getResultTypes())) {
    Value value = end->getOperand(i);
    DevicePort port =
        describePort(value.getType(), behind.getResultAttrDict(i), "");
    if (!isFloatTensor(type) || isFloatTensor(value.getType()) ||
        port.scales.size() != 1)
      continue;
    Value real = dequantize(builder, end->getLoc(), value, port);
    // The model gives what its own floats hold.
    if (real.getType() != type)
      real = qg::CastOp::create(builder, end->getLoc(), type, real);
    end->setOperand(i, real);
    behind.removeResultAttr(i, builder.getStringAttr("qg.encoding"));
  }
  behind.setType(builder.getFunctionType(behind.getArgumentTypes(),
                                         end->getOperandTypes()));
}

IntegerCore qopt::describeInterface(func::FuncOp integers, func::FuncOp model) {
  IntegerCore core;
  Location loc = integers.getLoc();
  for (auto [i, type] : llvm::enumerate(integers.getArgumentTypes()))
    core.inputs.push_back(describePort(type, integers.getArgAttrDict(i),
                                       "input_" + llvm::Twine(i)));
  for (auto [i, type] : llvm::enumerate(integers.getResultTypes()))
    core.outputs.push_back(describePort(type, integers.getResultAttrDict(i),
                                        "output_" + llvm::Twine(i)));
  ArrayRef<Type> inner = integers.getArgumentTypes();
  auto quantizes = [&](unsigned i, Type outer, const DevicePort &port) {
    return isFloatTensor(outer) && !isFloatTensor(inner[i]) &&
           port.scales.size() == 1;
  };
  SmallVector<Type> outer(inner);
  for (auto [i, port] : llvm::enumerate(core.inputs))
    if (quantizes(i, model.getArgumentTypes()[i], port))
      outer[i] = cast<RankedTensorType>(inner[i]).clone(
          Float32Type::get(integers.getContext()));
  core.host = buildMoves(
      loc, outer, inner, [&](OpBuilder &builder, Value value, unsigned i) {
        return outer[i] == inner[i]
                   ? value
                   : quantize(builder, loc, value, inner[i], core.inputs[i]);
      });
  ArrayRef<Type> stored = integers.getResultTypes();
  core.behind =
      buildMoves(loc, stored, stored,
                 [](OpBuilder &, Value value, unsigned) { return value; });
  auto name = [&](OwningOpRef<ModuleOp> &module, bool isBefore) {
    auto main = module->lookupSymbol<func::FuncOp>("main");
    for (unsigned i = 0; i < (isBefore ? inner : stored).size(); ++i)
      if (isBefore)
        main.setArgAttrs(i, integers.getArgAttrDict(i));
      else
        main.setResultAttrs(i, integers.getResultAttrDict(i));
  };
  name(core.host, /*isBefore=*/true);
  name(core.behind, /*isBefore=*/false);
  giveFloats(core, model);
  return core;
}
