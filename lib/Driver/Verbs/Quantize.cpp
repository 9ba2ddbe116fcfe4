//===- Quantize.cpp - qopt quantize ---------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A model and data in, a quantized graph out.
//===----------------------------------------------------------------------===//
#include "qopt/Artifacts/Artifacts.h"
#include "qopt/Artifacts/Program.h"
#include "qopt/Calibration/Observer.h"
#include "qopt/Driver/Calibration.h"
#include "qopt/Driver/Refusals.h"
#include "qopt/Driver/VerbFlags.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Pipelines/QuantizeInputs.h"
#include "qopt/Planning/Plan.h"
#include "qopt/Support/Files.h"

#include "llvm/Support/FormatVariadic.h"

using namespace qopt;
using namespace qopt::driver;

llvm::ArrayRef<Flag> driver::getQuantizeFlags() {
  static const std::string rounding =
      "of weights below 8 bits: " + listRounders() + " (default " +
      getRounderNames().front().str() + ")";
  static const Flag kFlags[] = {
      {"scheme", "NAME",
       "w8a8, w4a8, w4a4, w8a8-dyn or w4a8-dyn (products by rows, no data), "
       "qdq (as the model says) or float"},
      {"weights", "FORMAT",
       "of all weights: si2..si8, ui2..ui8, nf2..nf4, fp4, lut2..lut4 (levels "
       "learned); :gN for scales per group, as in si4:g128"},
      {"plan", "FILE", "formats by layer, from 'qopt plan'"},
      {"rounding", "NAME", rounding.c_str()},
      {"transforms", "LIST",
       "of rotation, equalization and smoothing: exact changes that ease "
       "rounding; none, or auto (default of w4a8): what the network gains by"},
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

/// Every layer of the plan must be in the model.
static absl::Status checkPlan(const Arguments &arguments, Session &session,
                              QuantizedModel &model) {
  const Plan &plan = *model.options.plan;
  mlir::OwningOpRef<mlir::ModuleOp> trial(model.floatModule->clone());
  QOPT_RETURN_IF_ERROR(applyPlan(*trial, plan));
  QOPT_ASSIGN(std::string hash, getModelHash(*model.floatModule));
  if (hash != plan.model)
    session.say("note: '" + *arguments.get("plan") +
                "' was made for another version of this "
                "model; its layers fit");
  return absl::OkStatus();
}

/// --plan, checked before any data are read where it is for the model as it is.
static absl::Status readPlan(const Arguments &arguments, Session &session,
                             QuantizedModel &model) {
  std::optional<std::string> path = arguments.get("plan");
  if (!path)
    return absl::OkStatus();
  if (!needsProfile(model.options.scheme))
    return Error(Code::UnsupportedOption,
                 "--plan chooses formats for data: it does not go with "
                 "--scheme " +
                     getName(model.options.scheme));
  QOPT_ASSIGN(Plan plan, Plan::read(*path));
  bool isAsItIs = plan.transforms == "none";
  model.options.plan = std::make_shared<Plan>(std::move(plan));
  return isAsItIs ? checkPlan(arguments, session, model) : absl::OkStatus();
}

/// A target without floats: inputs that the model leaves float get encodings.
static absl::Status quantizeInputs(const Arguments &arguments, Session &session,
                                   QuantizedModel &model) {
  SampleSource samples;
  std::unique_ptr<DataSource> data;
  if (arguments.has("data")) {
    QOPT_ASSIGN(ModelInterface interface, getInterface(*model.floatModule));
    QOPT_ASSIGN(data,
                openData(arguments, interface.inputs, model.preprocessing));
    samples = makeSampleSource(*data);
  }
  QOPT_ASSIGN(std::vector<std::string> chosen,
              quantizeFloatInputs(*model.quantized, samples));
  for (const std::string &line : chosen)
    session.say(line);
  return absl::OkStatus();
}

/// What the flags say by themselves: typing errors cost no import and no
/// calibration.
static absl::Status readFlags(const Arguments &arguments,
                              llvm::StringRef requantize,
                              QuantizeOptions &options) {
  Refusals refusals;
  if (std::optional<std::string> name = arguments.get("scheme"))
    refusals.add(parseScheme(*name).status());
  options.weights = arguments.get("weights", "");
  if (arguments.has("weights"))
    refusals.add(checkFormats({options.weights}, "weights"));
  refusals.take(arguments.getChoice("rounding", getRounderNames(),
                                    getRounderNames().front()),
                options.rounding);
  std::string correction;
  refusals.take(arguments.getChoice("bias-correction", {"on", "off"}, "on"),
                correction);
  options.biasCorrection = correction == "on";
  refusals.take(getRequantizeMode(arguments, requantize), options.requantize);
  options.method = arguments.get("method", "mse");
  refusals.add(withCode(
      withPrefix(RangeMethod::parse(options.method).status(), "--method: "),
      Code::BadFlagValue));
  return refusals.status();
}

absl::Status driver::checkQuantizeFlags(const Arguments &arguments,
                                        llvm::StringRef requantize) {
  QuantizeOptions options;
  return readFlags(arguments, requantize, options);
}

/// What rounding came to; where widths are free, beside 4 bits everywhere.
static void sayRounded(Session &session, const RoundWeightsReport &rounded,
                       const RoundWeightsReport &uniform) {
  if (!(rounded.getAverageBits() > 0) || rounded.getAverageBits() >= 8)
    return;
  auto describe = [](const RoundWeightsReport &report) {
    std::string text = llvm::formatv("{0:F2}", report.getAverageBits()).str();
    text += " bits on average, scales and zero points included";
    if (std::optional<double> mean = report.getMeanSqnr())
      text +=
          llvm::formatv("; outputs of layers {0:F1} dB, {1:F1} dB if "
                        "rounded to the nearest in whole ranges",
                        *mean, *report.getMeanSqnr(&RoundedLayer::plainSqnr))
              .str();
    return text;
  };
  session.say("weights: " + describe(rounded));
  if (double all = double(rounded.floatWeights + rounded.getNumWeights());
      rounded.floatWeights)
    session.say(
        "not counted: " +
        llvm::formatv("{0:P1}", double(rounded.floatWeights) / all).str() +
        " of all weights, in layers that stay float; 'qopt check STEM "
        "--explain-float' says why");
  if (!uniform.layers.empty())
    session.say("4 bits everywhere: " + describe(uniform));
}

absl::StatusOr<QuantizedModel>
driver::quantizeModel(const Arguments &arguments, Session &session,
                      llvm::StringRef requantize) {
  QuantizedModel model;
  ProgramOptions options;
  QOPT_RETURN_IF_ERROR(readFlags(arguments, requantize, model.options));
  QOPT_ASSIGN(options.import, getImportOptions(arguments));
  QOPT_ASSIGN(model.preprocessing, getPreprocessing(arguments, {}));
  QOPT_ASSIGN(
      model.floatModule,
      openModule(session.context(), arguments.positional()[0], options));
  QOPT_ASSIGN(ModelInterface interface, getInterface(*model.floatModule));
  QOPT_RETURN_IF_ERROR(model.preprocessing.check(interface.inputs));
  QOPT_ASSIGN(model.options.scheme,
              chooseScheme(arguments, session, *model.floatModule));
  for (const char *flag : {"weights", "rounding"})
    if (arguments.has(flag) && !needsProfile(model.options.scheme) &&
        !(isDynamic(model.options.scheme) &&
          llvm::StringRef(flag) == "weights"))
      return Error(Code::UnsupportedOption,
                   "--" + llvm::Twine(flag) +
                       " is for weights that are rounded here: it does not go "
                       "with --scheme " +
                       getName(model.options.scheme));
  for (const char *flag : {"data", "profile"})
    if (arguments.has(flag) && isDynamic(model.options.scheme))
      return Error(Code::UnsupportedOption,
                   "--" + llvm::Twine(flag) + " is not read by --scheme " +
                       getName(model.options.scheme) +
                       ", which rounds rows at run time");
  QOPT_RETURN_IF_ERROR(readPlan(arguments, session, model));
  if (arguments.has("reference"))
    model.options.engine = Engine::Reference;
  QOPT_RETURN_IF_ERROR(transformModel(arguments, session, model));
  if (model.options.plan && model.options.plan->transforms != "none")
    QOPT_RETURN_IF_ERROR(checkPlan(arguments, session, model));
  if (needsProfile(model.options.scheme)) {
    if (!arguments.has("data") && !arguments.has("profile"))
      return Error(Code::MissingArgument, "--scheme " +
                                              getName(model.options.scheme) +
                                              " expects --data or --profile");
    QOPT_ASSIGN(model.profile,
                collectStatistics(arguments, session, *model.floatModule,
                                  model.preprocessing,
                                  &model.options.calibrated));
  }
  std::unique_ptr<DataSource> data;
  if (needsProfile(model.options.scheme) && arguments.has("data")) {
    QOPT_ASSIGN(data,
                openData(arguments, interface.inputs, model.preprocessing));
  }
  model.quantized = model.floatModule->clone();
  if (model.options.scheme == Scheme::QDQ && requantize != "f32")
    QOPT_RETURN_IF_ERROR(quantizeInputs(arguments, session, model));
  RoundWeightsReport rounded, uniform;
  model.options.rounded = &rounded;
  model.options.uniform = &uniform;
  // Small layers take no time worth lines.
  std::unique_ptr<Progress> progress;
  std::string phase;
  Progress::Clock::time_point start;
  model.options.progress = [&](llvm::StringRef name, int64_t done,
                               int64_t total) {
    if (phase != name || done == 1) {
      progress.reset();
      progress = std::make_unique<Progress>(session.startProgress(name, total));
      phase = name.str();
      start = Progress::Clock::now();
    }
    if (Progress::Clock::now() - start > std::chrono::seconds(1))
      progress->update(done);
  };
  QOPT_RETURN_IF_ERROR(quantize(*model.quantized,
                                model.profile ? &*model.profile : nullptr,
                                data ? makeSampleSource(*data) : SampleSource(),
                                model.options, &model.unfolded));
  progress.reset();
  model.options.progress = nullptr;
  model.options.rounded = model.options.uniform = nullptr;
  sayRounded(session, rounded, uniform);
  return model;
}

static absl::StatusOr<ExitCode> runQuantize(const Arguments &arguments,
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

namespace qopt::driver {
Verb getQuantizeVerb() {
  return {"quantize",
          "choose encodings and round",
          "MODEL -o OUT.mlirbc|OUT.onnx [options]",
          1,
          1,
          {getOutputFlags(), getQuantizeFlags(), getCalibrateFlags(),
           getEngineFlags(), getDataFlags(), getImportFlags()},
          runQuantize,
          /*place=*/60};
}
} // namespace qopt::driver
