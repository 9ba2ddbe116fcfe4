//===- Quantize.cpp - From a float graph to a quantized one ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Observe, decide, apply, correct, fold: in this order because every step
// reads what the one before it wrote on the graph.
//===----------------------------------------------------------------------===//
#include "qopt/Pipelines/Quantize.h"
#include "qopt/Assignment/CorrectBias.h"
#include "qopt/Assignment/Plan.h"
#include "qopt/Assignment/RoundWeights.h"
#include "qopt/Pipelines/Model.h"
#include "qopt/Pipelines/Pipelines.h"

#include "llvm/ADT/StringSwitch.h"

using namespace qopt;

/// Bits a weight under w4a8 where widths are free, with all parameters.
static constexpr double kFreeBits = 4.6;

/// Code that runs a hundred samples: compiling it well costs more than it
/// saves.
static constexpr unsigned kRunOptLevel = 1;

absl::StatusOr<Scheme> qopt::parseScheme(llvm::StringRef name) {
  std::optional<Scheme> scheme = llvm::StringSwitch<std::optional<Scheme>>(name)
                                     .Case("float", Scheme::Float)
                                     .Case("w8a8", Scheme::W8A8)
                                     .Case("w4a8", Scheme::W4A8)
                                     .Case("w4a4", Scheme::W4A4)
                                     .Case("w8a8-dyn", Scheme::W8A8Dynamic)
                                     .Case("w4a8-dyn", Scheme::W4A8Dynamic)
                                     .Case("qdq", Scheme::QDQ)
                                     .Default(std::nullopt);
  if (!scheme)
    return Error(Code::BadFlagValue,
                 "--scheme: expected float, w8a8, w4a8, w4a4, w8a8-dyn, "
                 "w4a8-dyn or qdq, got '" +
                     name + "'");
  return *scheme;
}

llvm::StringRef qopt::getName(Scheme scheme) {
  switch (scheme) {
  case Scheme::Float:
    return "float";
  case Scheme::W8A8:
    return "w8a8";
  case Scheme::W4A8:
    return "w4a8";
  case Scheme::W4A4:
    return "w4a4";
  case Scheme::W8A8Dynamic:
    return "w8a8-dyn";
  case Scheme::W4A8Dynamic:
    return "w4a8-dyn";
  case Scheme::QDQ:
    return "qdq";
  }
  return "";
}

bool qopt::needsProfile(Scheme scheme) {
  return scheme == Scheme::W8A8 || scheme == Scheme::W4A8 ||
         scheme == Scheme::W4A4;
}

bool qopt::isDynamic(Scheme scheme) {
  return scheme == Scheme::W8A8Dynamic || scheme == Scheme::W4A8Dynamic;
}

/// Matrix products by rows; convolutions and attention stay float.
static absl::Status quantizeDynamic(mlir::ModuleOp module,
                                    const QuantizeOptions &options) {
  if (options.requantize != "f32")
    return Error(Code::UnsupportedOption,
                 "--scheme " + getName(options.scheme) +
                     " keeps floats between products: it goes neither with "
                     "--emit=c, --emit=hls and --integer-only nor with "
                     "--requant " +
                     options.requantize)
        .help("integer targets need ranges beforehand: --scheme w8a8 --data");
  std::string weights = options.weights;
  if (weights.empty())
    weights = options.scheme == Scheme::W4A8Dynamic ? "si4:g32" : "si8";
  return runPipeline(module, "func.func(qg-quantize-dynamic{weight-format=" +
                                 weights + "},canonicalize,cse)");
}

unsigned qopt::getActivationBits(Scheme scheme) {
  return scheme == Scheme::W4A4 ? 4 : 8;
}

/// What the data are, when the observer says only that they are unusable.
static absl::Status toDataError(const absl::Status &status) {
  if (status.GetPayload("qopt/code"))
    return status;
  switch (status.code()) {
  case absl::StatusCode::kInvalidArgument:
    return withCode(status, Code::DataValues);
  // A state to go on from that belongs to another model.
  case absl::StatusCode::kFailedPrecondition:
    return withCode(status, Code::DataFile);
  case absl::StatusCode::kUnimplemented:
    return withCode(status, Code::UnsupportedLowering);
  default:
    return status;
  }
}

SampleSource qopt::makeSampleSource(DataSource &data) {
  return [&data](int64_t index)
             -> absl::StatusOr<std::optional<llvm::SmallVector<Tensor>>> {
    if (index >= data.size())
      return std::nullopt;
    QOPT_ASSIGN(llvm::SmallVector<Tensor> arrays, data.read(index));
    return std::optional<llvm::SmallVector<Tensor>>(std::move(arrays));
  };
}

absl::StatusOr<Profile> qopt::calibrate(mlir::ModuleOp module,
                                        const SampleSource &samples,
                                        const CalibrateOptions &options) {
  mlir::OwningOpRef<mlir::ModuleOp> observed(module.clone());
  QOPT_RETURN_IF_ERROR(runPipeline(*observed, "qg-insert-observers"));
  CollectOptions collect;
  collect.perChannel = options.perChannel;
  collect.perSample = options.perSample;
  collect.resumeFile = options.resumeFile;
  collect.executor = options.executor;
  collect.progress = [&](int64_t done) {
    if (options.progress)
      options.progress(done);
    return true;
  };
  absl::StatusOr<Profile> profile =
      collectProfile(*observed, samples, collect,
                     getExecutorFactory(options.engine, kRunOptLevel));
  if (!profile.ok())
    return toDataError(profile.status());
  return profile;
}

/// Zeros in every input at every sample: a decoder that failed, not data.
static absl::Status checkInputs(mlir::ModuleOp module, const Profile &profile) {
  QOPT_ASSIGN(ModelInterface interface, getInterface(module));
  std::string names;
  for (const TensorSpec &spec : interface.inputs) {
    auto it = profile.tensors.find(spec.name);
    if (it == profile.tensors.end())
      continue;
    if (it->second.low != 0 || it->second.high != 0)
      return absl::OkStatus();
    names += (names.empty() ? "'" : ", '") + spec.name + "'";
  }
  if (names.empty())
    return absl::OkStatus();
  return Error(Code::DataValues, "input " + names + " is zero in all of the " +
                                     llvm::Twine(profile.samples) +
                                     " calibration samples")
      .help("ranges come from typical inputs: check --data and --pre");
}

absl::Status qopt::quantize(mlir::ModuleOp module, const Profile *profile,
                            const SampleSource &samples,
                            const QuantizeOptions &options,
                            mlir::OwningOpRef<mlir::ModuleOp> *unfolded) {
  auto keepUnfolded = [&] {
    if (unfolded)
      *unfolded = module.clone();
  };
  if (options.scheme == Scheme::Float) {
    keepUnfolded();
    return absl::OkStatus();
  }
  if (isDynamic(options.scheme)) {
    QOPT_RETURN_IF_ERROR(quantizeDynamic(module, options));
    keepUnfolded();
    return absl::OkStatus();
  }
  if (options.requantize != "f32")
    setRequantizeMode(module, options.requantize);
  // Encodings that the model brings need no data: only fusion.
  if (options.scheme == Scheme::QDQ) {
    if (!hasEncodings(module))
      return Error(Code::UnsupportedOption,
                   "--scheme qdq expects a model with QuantizeLinear nodes, "
                   "this one is float")
          .help("use --scheme w8a8 --data PATH");
    keepUnfolded();
    return runPipeline(module, "func.func(qg-fold-qdq,canonicalize,cse)");
  }
  if (!profile)
    return Error(Code::MissingArgument, "--scheme " + getName(options.scheme) +
                                            " expects data or a profile")
        .help("add --data PATH, or --profile FILE from 'qopt calibrate'");
  QOPT_RETURN_IF_ERROR(checkInputs(module, *profile));
  QOPT_RETURN_IF_ERROR(runPipeline(module, "qg-insert-observers"));
  absl::StatusOr<RangeMethod> method = RangeMethod::parse(options.method);
  if (!method.ok())
    return withCode(withPrefix(method.status(), "--method: "),
                    Code::BadFlagValue);
  if (absl::Status status = applyProfile(module, *profile, *method,
                                         getActivationBits(options.scheme));
      !status.ok())
    return withCode(status, Code::DataValues);
  // Decide (attributes), apply (types), then correct the biases while every
  // layer still has its float form beside the rounded weights, then fold.
  if (options.plan)
    QOPT_RETURN_IF_ERROR(applyPlan(module, *options.plan));
  mlir::OwningOpRef<mlir::ModuleOp> reference(module.clone());
  // Fixed-point and power-of-two rounding say that the target has no floats.
  const char *preActivation = options.requantize == "f32" ? "f32" : "int8";
  std::string weights = options.scheme == Scheme::W8A8 ? "si8" : "si4";
  bool isFree = options.scheme == Scheme::W4A8 && options.weights.empty() &&
                !options.plan;
  if (!options.weights.empty())
    weights = options.weights;
  std::string assign = "func.func(qg-assign-formats{pre-activation=" +
                       std::string(preActivation) +
                       " weight-format=" + weights + "},qg-apply-formats)";
  std::optional<WeightRounder> rounder;
  auto round =
      [&](mlir::ModuleOp rounded) -> absl::StatusOr<RoundWeightsReport> {
    if (!rounder) {
      RoundWeightsOptions rounding;
      rounding.rounding = options.rounding;
      rounding.samples = std::min(rounding.samples, profile->samples);
      rounding.executor = options.calibrated;
      rounding.progress = options.progress;
      QOPT_ASSIGN(rounder,
                  WeightRounder::create(
                      *reference, samples, rounding,
                      getExecutorFactory(options.engine, kRunOptLevel)));
    }
    return rounder->round(rounded);
  };
  if (isFree && samples) {
    mlir::OwningOpRef<mlir::ModuleOp> trial(module.clone());
    QOPT_RETURN_IF_ERROR(runPipeline(*trial, assign));
    absl::StatusOr<RoundWeightsReport> report = round(*trial);
    if (!report.ok())
      return toDataError(report.status());
    widenLayers(module, *report, kFreeBits);
    if (options.uniform)
      *options.uniform = std::move(*report);
  }
  QOPT_RETURN_IF_ERROR(runPipeline(module, assign));
  if (samples) {
    absl::StatusOr<RoundWeightsReport> report = round(module);
    if (!report.ok())
      return toDataError(report.status());
    if (options.rounded)
      *options.rounded = std::move(*report);
  }
  if (options.biasCorrection && samples) {
    CorrectBiasOptions correction;
    correction.executor = options.calibrated;
    absl::StatusOr<CorrectBiasReport> report =
        correctBias(*reference, module, samples, correction,
                    getExecutorFactory(options.engine, kRunOptLevel));
    if (!report.ok())
      return toDataError(report.status());
  }
  // Before the graph is kept for others: few of them know scales by channel
  // for activations.
  if (!options.keepChannelScales)
    QOPT_RETURN_IF_ERROR(
        runPipeline(module, "func.func(qg-fold-channel-scales)"));
  keepUnfolded();
  return runPipeline(
      module, "func.func(qg-fold-qdq,canonicalize,cse,qg-verify-assignment)");
}
