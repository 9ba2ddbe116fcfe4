//===- Transforms.cpp - Exact changes of a float model before rounding ----===//
// SPDX-License-Identifier: Apache-2.0
//
// Rotations first: the others are chosen for the channels that are there then.
// Smoothing last, because it measures what it does instead of modelling it.
//===----------------------------------------------------------------------===//
#include "qopt/Pipelines/Transforms.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Support/Diagnostics.h"

#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace qopt;

static constexpr unsigned kRunOptLevel = 1;
static constexpr const char *kAttribute = "qg.transforms";

namespace {
/// Runs float and quantized networks on samples that chose nothing.
class NetworkMeter {
public:
  NetworkMeter(const TransformGate &gate, Engine engine)
      : gate(gate), factory(getExecutorFactory(engine, kRunOptLevel)) {}

  /// Results of the float network, what everything is compared with.
  absl::Status start(mlir::ModuleOp module);
  struct Reading {
    /// Mean over the results of signal over noise in dB, after quantization.
    double sqnr = 0;
    /// The same of every sample.
    std::vector<double> samples;
  };
  absl::StatusOr<Reading> measure(mlir::ModuleOp module) const;

private:
  using Results = std::vector<llvm::SmallVector<Tensor>>;
  absl::StatusOr<Results> run(mlir::ModuleOp module) const;

  const TransformGate &gate;
  ExecutorFactory factory;
  Results reference;
};
} // namespace

absl::StatusOr<NetworkMeter::Results>
NetworkMeter::run(mlir::ModuleOp module) const {
  QOPT_ASSIGN(std::unique_ptr<Executor> executor, factory(module));
  Results results;
  for (int64_t index = 0;; ++index) {
    QOPT_ASSIGN(std::optional<llvm::SmallVector<Tensor>> inputs,
                gate.heldOut(index));
    if (!inputs)
      return results;
    QOPT_ASSIGN(llvm::SmallVector<Tensor> outputs, executor->run(*inputs));
    results.push_back(std::move(outputs));
  }
}

absl::Status NetworkMeter::start(mlir::ModuleOp module) {
  QOPT_ASSIGN(reference, run(module));
  return absl::OkStatus();
}

/// Floating-point numbers of both: what is compared.
static double getSqnr(llvm::ArrayRef<const Tensor *> want,
                      llvm::ArrayRef<const Tensor *> got) {
  double signal = 0, noise = 0;
  for (auto [w, g] : llvm::zip(want, got))
    for (int64_t i = 0; i < w->numElements(); ++i) {
      double value = w->getFloat(i), error = g->getFloat(i) - value;
      signal += value * value;
      noise += error * error;
    }
  if (signal == 0)
    return 0;
  return 10 * std::log10(signal / std::max(noise, 1e-20 * signal));
}

absl::StatusOr<NetworkMeter::Reading>
NetworkMeter::measure(mlir::ModuleOp module) const {
  mlir::OwningOpRef<mlir::ModuleOp> quantized(module.clone());
  CalibrateOptions calibration;
  calibration.engine = gate.options.engine;
  calibration.perSample = gate.options.recipe.method == "moving-average";
  calibration.perChannel = gate.options.recipe.perChannelActs;
  QuantizeOptions options = gate.options;
  calibration.executor = &options.calibrated;
  QOPT_ASSIGN(Profile profile,
              calibrate(*quantized, gate.calibration, calibration));
  QOPT_RETURN_IF_ERROR(
      quantize(*quantized, &profile, gate.calibration, options).status());
  QOPT_ASSIGN(Results results, run(*quantized));
  size_t outputs = reference.empty() ? 0 : reference.front().size();
  Reading reading;
  reading.samples.assign(results.size(), 0);
  for (size_t output = 0; output < outputs; ++output) {
    llvm::SmallVector<const Tensor *> want, got;
    for (auto [i, pair] : llvm::enumerate(llvm::zip(reference, results))) {
      want.push_back(&std::get<0>(pair)[output]);
      got.push_back(&std::get<1>(pair)[output]);
      reading.samples[i] += getSqnr(want.back(), got.back()) / double(outputs);
    }
    reading.sqnr += getSqnr(want, got) / double(outputs);
  }
  return reading;
}

namespace {
/// One kind of transform: how it is asked for and applied.
struct Kind {
  const char *name;
  bool ChooseTransformsOptions::*wanted;
  const char *pass;
};

class Transformer {
public:
  Transformer(mlir::ModuleOp module, const SampleSource &samples,
              const ChooseTransformsOptions &options, Engine engine,
              const TransformGate *gate)
      : module(module), samples(samples), options(options), engine(engine) {
    if (gate)
      meter.emplace(*gate, engine);
  }

  absl::Status run(const Kind &kind);

  std::vector<TransformChoice> choices;

private:
  /// Whether the network gains by becoming `changed`.
  absl::StatusOr<bool> passesGate(const Kind &kind, mlir::ModuleOp changed);

  mlir::ModuleOp module;
  const SampleSource &samples;
  const ChooseTransformsOptions &options;
  Engine engine;
  std::optional<NetworkMeter> meter;
  /// Of the network as it is now.
  std::optional<NetworkMeter::Reading> now;
};
} // namespace

absl::StatusOr<bool> Transformer::passesGate(const Kind &kind,
                                             mlir::ModuleOp changed) {
  if (!now) {
    QOPT_RETURN_IF_ERROR(meter->start(module));
    QOPT_ASSIGN(now, meter->measure(module));
  }
  QOPT_ASSIGN(NetworkMeter::Reading then, meter->measure(changed));
  int64_t better = 0, count = then.samples.size();
  for (auto [before, after] : llvm::zip(now->samples, then.samples))
    better += after > before;
  TransformChoice whole;
  whole.site = "network";
  whole.transform = kind.name;
  whole.setting = llvm::formatv("quantized, {0} of {1} held-out samples better",
                                better, count)
                      .str();
  whole.before = now->sqnr;
  whole.after = then.sqnr;
  // Less error in sum, and on so many samples that it is hardly chance.
  whole.accepted =
      3 * better >= 2 * count &&
      whole.after - whole.before >= -10 * std::log10(1 - options.minGain);
  choices.push_back(whole);
  if (whole.accepted)
    now = std::move(then);
  return whole.accepted;
}

absl::Status Transformer::run(const Kind &kind) {
  ChooseTransformsOptions one = options;
  one.rotate = one.smooth = one.equalize = false;
  one.*kind.wanted = true;
  mlir::OwningOpRef<mlir::ModuleOp> trial(module.clone());
  QOPT_ASSIGN(std::vector<TransformChoice> found,
              chooseTransforms(*trial, samples, one,
                               getExecutorFactory(engine, kRunOptLevel)));
  bool changes = llvm::any_of(
      found, [](const TransformChoice &choice) { return choice.accepted; });
  size_t first = choices.size();
  llvm::append_range(choices, found);
  if (!changes)
    return absl::OkStatus();
  QOPT_RETURN_IF_ERROR(runPipeline(
      *trial,
      ("func.func(" + llvm::Twine(kind.pass) + ",canonicalize,cse)").str()));
  if (meter) {
    QOPT_ASSIGN(bool gains, passesGate(kind, *trial));
    if (!gains) {
      for (size_t i = first; i < choices.size(); ++i)
        choices[i].accepted = false;
      return absl::OkStatus();
    }
  }
  module.getBodyRegion().takeBody(trial->getBodyRegion());
  return absl::OkStatus();
}

absl::StatusOr<std::vector<TransformChoice>>
qopt::transform(mlir::ModuleOp module, const SampleSource &samples,
                const ChooseTransformsOptions &options, Engine engine,
                const TransformGate *gate) {
  static constexpr Kind kKinds[] = {
      {"rotation", &ChooseTransformsOptions::rotate, "qg-fold-rotations"},
      {"equalization", &ChooseTransformsOptions::equalize,
       "qg-equalize-layers"},
      {"smoothing", &ChooseTransformsOptions::smooth, "qg-fold-smoothing"}};
  Transformer transformer(module, samples, options, engine, gate);
  for (const Kind &kind : kKinds)
    if (options.*kind.wanted)
      QOPT_RETURN_IF_ERROR(transformer.run(kind));
  return std::move(transformer.choices);
}

std::string qopt::describe(const TransformChoice &choice) {
  std::string place = choice.site == "network" ? " of the whole network: "
                                               : " at '" + choice.site + "': ";
  return choice.transform + place + choice.setting +
         llvm::formatv(", {0:F1} -> {1:F1} dB", choice.before, choice.after)
             .str() +
         (choice.accepted ? "" : ", not kept");
}

void qopt::setTransforms(mlir::ModuleOp module,
                         llvm::ArrayRef<TransformChoice> choices) {
  mlir::Builder builder(module.getContext());
  llvm::SmallVector<mlir::Attribute> lines;
  for (const TransformChoice &choice : choices)
    lines.push_back(builder.getStringAttr(describe(choice)));
  if (!lines.empty())
    module->setAttr(kAttribute, builder.getArrayAttr(lines));
}

std::vector<std::string> qopt::getTransforms(mlir::ModuleOp module) {
  std::vector<std::string> lines;
  if (auto array = module->getAttrOfType<mlir::ArrayAttr>(kAttribute))
    for (auto line : array.getAsRange<mlir::StringAttr>())
      lines.push_back(line.str());
  return lines;
}
