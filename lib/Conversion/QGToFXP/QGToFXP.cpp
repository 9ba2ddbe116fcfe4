//===- QGToFXP.cpp - Quantized types become integers ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The pass: tables first, then every op that touches a quantized type.
//===----------------------------------------------------------------------===//
#include "qopt/Conversion/QGToFXP.h"
#include "Patterns.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Func/Transforms/FuncConversions.h"
#include "mlir/Pass/Pass.h"

namespace qopt {
#include "qopt/Conversion/ConvertQGToFXP.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;
using namespace qopt::qgtofxp;

bool qgtofxp::isQuantized(Type type) {
  return bool(qg::getQuantizedType(type));
}

std::optional<Encoding> qgtofxp::getEncoding(Type type) {
  qg::QuantizedType quantized = qg::getQuantizedType(type);
  if (!quantized || quantized.isDynamic_() || quantized.getGroupSize() ||
      quantized.isTable())
    return std::nullopt;
  const IntegerFormat &format = quantized.getIntegerFormat();
  Encoding encoding;
  encoding.scales = quantized.getScaleVector();
  encoding.zeroPoints = quantized.getZeroPointVector();
  if (encoding.scales.empty() ||
      encoding.scales.size() != encoding.zeroPoints.size())
    return std::nullopt;
  encoding.axis = std::max<int64_t>(quantized.getAxis(), 0);
  encoding.low = format.min();
  encoding.high = format.max();
  encoding.storageBits = format.storageBits();
  encoding.isUnsigned = !format.isSigned;
  return encoding;
}

std::optional<Encoding> qgtofxp::getByteEncoding(Type type) {
  std::optional<Encoding> encoding = getEncoding(type);
  if (!encoding || encoding->storageBits != 8 ||
      !qg::getQuantizedType(type).isPerTensor())
    return std::nullopt;
  return encoding;
}

std::optional<Encoding>
qgtofxp::getStoredEncoding(Type type, fxp::RequantizeModeAttr mode) {
  unsigned most = mode.getKind() == "f32" ? 8 : 16;
  std::optional<Encoding> encoding = getEncoding(type);
  if (!encoding || encoding->storageBits > most ||
      !qg::getQuantizedType(type).isPerTensor())
    return std::nullopt;
  return encoding;
}

int64_t qgtofxp::getReach(const Encoding &encoding, int64_t zeroPoint) {
  return std::max(std::abs(encoding.low - zeroPoint),
                  std::abs(encoding.high - zeroPoint));
}

ElementsAttr qgtofxp::getScalesAttr(MLIRContext *context,
                                    ArrayRef<float> scales) {
  if (llvm::all_equal(scales))
    scales = scales.take_front();
  auto type = RankedTensorType::get({int64_t(scales.size())},
                                    Float32Type::get(context));
  return qg::getElementsAttr(
      Tensor::from<float>(DType::f32, type.getShape(), scales), type, "scales");
}

Value qgtofxp::createSumsConstant(OpBuilder &builder, Location loc,
                                  ArrayRef<int64_t> values, unsigned bits) {
  auto type = RankedTensorType::get({int64_t(values.size())},
                                    builder.getIntegerType(bits));
  Tensor tensor(bits == 64 ? DType::i64 : DType::i32, type.getShape());
  for (auto [i, value] : llvm::enumerate(values))
    tensor.setInt(i, value);
  return qg::createConstant(builder, loc, tensor, type, "bias");
}

static RankedTensorType getResultType(Value x, const Encoding &result) {
  return RankedTensorType::get(
      cast<RankedTensorType>(x.getType()).getShape(),
      IntegerType::get(x.getContext(), result.storageBits));
}

Value qgtofxp::createRequantize(OpBuilder &builder, Location loc, Value x,
                                ArrayRef<float> scales,
                                const RequantizeTarget &target) {
  const Encoding &result = target.result;
  int64_t range[] = {result.low, result.high};
  return fxp::RequantizeOp::create(
      builder, loc, getResultType(x, result), x,
      getScalesAttr(builder.getContext(), scales), target.xZeroPoint,
      target.xUnsigned, result.zeroPoint(), target.clamp.value_or(range),
      result.isUnsigned, target.mode);
}

Value qgtofxp::createQuantize(OpBuilder &builder, Location loc, Value x,
                              const Encoding &result,
                              std::optional<ArrayRef<int64_t>> clamp) {
  int64_t range[] = {result.low, result.high};
  return fxp::QuantizeOp::create(
      builder, loc, getResultType(x, result), x,
      qg::getElementsAttr(Tensor::from<float>(DType::f32,
                                              {int64_t(result.scales.size())},
                                              ArrayRef<float>(result.scales)),
                          RankedTensorType::get({int64_t(result.scales.size())},
                                                builder.getF32Type()),
                          "scales"),
      result.zeroPoints, result.axis, clamp.value_or(range), result.isUnsigned);
}

Value qgtofxp::createDequantize(OpBuilder &builder, Location loc, Value x,
                                const Encoding &encoding) {
  int64_t count = encoding.scales.size();
  auto scales = RankedTensorType::get({count}, builder.getF32Type());
  return fxp::DequantizeOp::create(
      builder, loc,
      RankedTensorType::get(cast<RankedTensorType>(x.getType()).getShape(),
                            builder.getF32Type()),
      x,
      qg::getElementsAttr(Tensor::from<float>(DType::f32, {count},
                                              ArrayRef<float>(encoding.scales)),
                          scales, "scales"),
      encoding.zeroPoints, encoding.axis, encoding.isUnsigned);
}

FailureOr<fxp::RequantizeModeAttr> qgtofxp::parseMode(ModuleOp module,
                                                      StringRef text) {
  auto [kind, bitsText] = text.split(':');
  unsigned bits = 0;
  bool isFixed = kind == "fixed";
  if ((isFixed && bitsText.getAsInteger(10, bits)) ||
      (!isFixed && !bitsText.empty()))
    return module.emitError() << "expects requantize-mode f32, fixed:BITS or "
                                 "pow2, got '"
                              << text << "'";
  auto mode = fxp::RequantizeModeAttr::getChecked(
      [&] { return module.emitError(); }, module.getContext(), kind, bits);
  if (!mode)
    return failure();
  return mode;
}

FailureOr<fxp::RequantizeModeAttr> qgtofxp::getMode(ModuleOp module,
                                                    StringRef option) {
  auto stored = module->getAttrOfType<StringAttr>(kRequantizeMode);
  return parseMode(module, stored ? stored.getValue() : option);
}

/// What the types of arguments and results said.
static void keepEncodings(func::FuncOp function) {
  for (unsigned i = 0; i < function.getNumArguments(); ++i)
    if (auto type = qg::getQuantizedType(function.getArgumentTypes()[i]))
      function.setArgAttr(i, "qg.encoding", TypeAttr::get(type));
  for (unsigned i = 0; i < function.getNumResults(); ++i)
    if (auto type = qg::getQuantizedType(function.getResultTypes()[i]))
      function.setResultAttr(i, "qg.encoding", TypeAttr::get(type));
}

/// Weights and biases that now exist in another form.
static void eraseDeadConstants(ModuleOp module) {
  SmallVector<qg::ConstantOp> dead;
  module.walk([&](qg::ConstantOp op) {
    if (op->use_empty())
      dead.push_back(op);
  });
  for (qg::ConstantOp op : dead)
    op.erase();
}

namespace {
struct ConvertQGToFXP : qopt::impl::ConvertQGToFXPBase<ConvertQGToFXP> {
  using ConvertQGToFXPBase::ConvertQGToFXPBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    FailureOr<fxp::RequantizeModeAttr> mode = getMode(module, requantizeMode);
    if (failed(mode) || failed(convertRegionsToTables(module, *mode)))
      return signalPassFailure();
    module.walk(keepEncodings);

    TypeConverter converter;
    converter.addConversion([](Type type) { return type; });
    converter.addConversion([](RankedTensorType type) -> Type {
      return isQuantized(type) ? qg::getStorageTensorType(type) : type;
    });
    ConversionTarget target(getContext());
    target.markUnknownOpDynamicallyLegal(
        [&](Operation *op) { return converter.isLegal(op); });
    target.addDynamicallyLegalOp<func::FuncOp>([&](func::FuncOp op) {
      return converter.isSignatureLegal(op.getFunctionType());
    });
    target.addIllegalOp<qg::ObserveOp>();
    RewritePatternSet patterns(&getContext());
    populateLinearPatterns(patterns, converter, *mode);
    populateGroupLinearPatterns(patterns, converter, *mode);
    populateElementwisePatterns(patterns, converter, *mode);
    populatePoolPatterns(patterns, converter, *mode);
    if (integerOnly)
      populateIntegerOnlyPatterns(patterns, converter, *mode);
    populateFunctionOpInterfaceTypeConversionPattern<func::FuncOp>(patterns,
                                                                   converter);
    populateReturnOpTypeConversionPattern(patterns, converter);
    if (failed(applyFullConversion(module, target, std::move(patterns))))
      return signalPassFailure();
    eraseDeadConstants(module);
  }
};
} // namespace
