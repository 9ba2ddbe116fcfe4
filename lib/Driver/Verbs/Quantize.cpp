//===- Quantize.cpp - qopt quantize ---------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A model and data in, a quantized graph out.
//===----------------------------------------------------------------------===//
#include "qopt/Driver/Calibration.h"
#include "qopt/Driver/VerbFlags.h"
#include "qopt/Pipelines/Artifacts.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Pipelines/Program.h"
#include "qopt/Support/Files.h"

using namespace qopt;
using namespace qopt::driver;

llvm::ArrayRef<Flag> driver::getQuantizeFlags() {
  static constexpr Flag kFlags[] = {
      {"scheme", "NAME", "w8a8, w4a8, qdq (as the model says) or float"},
      {"weights", "FORMAT", "of all weights: si2..si8, ui2..ui8, nf4, si4:g128"},
      {"rounding", "HOW", "of weights below 8 bits: gptq (default) or nearest"},
      {"bias-correction", "on|off", "shift biases by the mean error (on)"},
      {"requant", "MODE", "rounding of accumulators: f32, fixed:BITS, pow2"},
  };
  return kFlags;
}

llvm::ArrayRef<Flag> driver::getOutputFlags() {
  static constexpr Flag kFlags[] = {{"output", "PATH", "what to write", 'o'}};
  return kFlags;
}

/// The scheme asked for, else what the model and the flags suggest.
static absl::StatusOr<Scheme> chooseScheme(const Arguments &arguments,
                                           Session &session,
                                           mlir::ModuleOp module) {
  if (std::optional<std::string> name = arguments.get("scheme"))
    return parseScheme(*name);
  Scheme scheme = hasEncodings(module) ? Scheme::QDQ
                  : arguments.has("data") || arguments.has("profile")
                      ? Scheme::W8A8
                      : Scheme::Float;
  session.say("scheme: " + getName(scheme));
  return scheme;
}

/// A typing error is said before minutes of calibration.
static absl::StatusOr<std::string>
getRequantizeMode(const Arguments &arguments, llvm::StringRef otherwise) {
  std::string mode = arguments.get("requant", otherwise);
  llvm::StringRef bits = mode;
  unsigned count = 0;
  bool isFixed = bits.consume_front("fixed:") &&
                 !bits.getAsInteger(10, count) && count >= 2 && count <= 31;
  if (mode != "f32" && mode != "pow2" && !isFixed)
    return Error(Code::BadFlagValue,
                 "--requant: expected f32, pow2 or fixed:BITS with 2 to 31 "
                 "bits, got '" +
                     mode + "'");
  return mode;
}

absl::StatusOr<QuantizedModel>
driver::quantizeModel(const Arguments &arguments, Session &session,
                      llvm::StringRef requantize) {
  QuantizedModel model;
  ProgramOptions options;
  QOPT_ASSIGN(options.import, getImportOptions(arguments));
  QOPT_ASSIGN(model.preprocessing, getPreprocessing(arguments, {}));
  QOPT_ASSIGN(
      model.floatModule,
      openModule(session.context(), arguments.positional()[0], options));
  QOPT_ASSIGN(ModelInterface interface, getInterface(*model.floatModule));
  QOPT_RETURN_IF_ERROR(model.preprocessing.check(interface.inputs));
  QOPT_ASSIGN(model.options.scheme,
              chooseScheme(arguments, session, *model.floatModule));
  model.options.method = arguments.get("method", "mse");
  QOPT_ASSIGN(model.options.requantize,
              getRequantizeMode(arguments, requantize));
  QOPT_ASSIGN(std::string correction,
              arguments.getChoice("bias-correction", {"on", "off"}, "on"));
  model.options.biasCorrection = correction == "on";
  QOPT_ASSIGN(model.options.rounding,
              arguments.getChoice("rounding", {"gptq", "nearest"}, "gptq"));
  model.options.weights = arguments.get("weights", "");
  if (model.options.scheme == Scheme::W8A8) {
    if (!arguments.has("data") && !arguments.has("profile"))
      return Error(Code::MissingArgument,
                   "--scheme w8a8 expects --data or --profile");
    QOPT_ASSIGN(model.profile,
                collectStatistics(arguments, session, *model.floatModule,
                                  model.preprocessing,
                                  &model.options.calibrated));
  }
  std::unique_ptr<DataSource> data;
  if (model.options.scheme == Scheme::W8A8 && arguments.has("data")) {
    QOPT_ASSIGN(data,
                openData(arguments, interface.inputs, model.preprocessing));
  }
  if (arguments.has("reference"))
    model.options.engine = Engine::Reference;
  model.quantized = model.floatModule->clone();
  QOPT_RETURN_IF_ERROR(quantize(*model.quantized,
                                model.profile ? &*model.profile : nullptr,
                                data ? makeSampleSource(*data) : SampleSource(),
                                model.options, &model.unfolded));
  return model;
}

absl::StatusOr<ExitCode> driver::runQuantize(const Arguments &arguments,
                                             Session &session) {
  std::string output = arguments.get("output", "-");
  llvm::StringRef name = output;
  if (output != "-" && !name.ends_with(".mlir") && !name.ends_with(".mlirbc") &&
      !name.ends_with(".onnx"))
    return Error(Code::BadFlagValue,
                 "-o: expected a name that ends in .mlir, .mlirbc or .onnx, "
                 "got '" +
                     output + "'");
  QOPT_ASSIGN(QuantizedModel model, quantizeModel(arguments, session));
  if (output == "-") {
    session.out() << printModule(*model.quantized);
    return ExitCode::Ok;
  }
  std::string bytes;
  if (name.ends_with(".mlir"))
    bytes = printModule(*model.quantized);
  else if (name.ends_with(".onnx")) {
    QOPT_ASSIGN(bytes, writeOnnx(*model.unfolded));
  } else {
    QOPT_ASSIGN(bytes, serializeModule(*model.quantized));
  }
  QOPT_RETURN_IF_ERROR(writeFile(output, bytes));
  session.say("wrote " + output);
  return ExitCode::Ok;
}
