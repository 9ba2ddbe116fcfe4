//===- Eval.cpp - qopt eval -----------------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A metric over data, beside the float model's, with a gate.
//===----------------------------------------------------------------------===//
#include "qopt/Artifacts/Program.h"
#include "qopt/Data/Metrics.h"
#include "qopt/Driver/Session.h"
#include "qopt/Driver/VerbFlags.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include <cmath>

using namespace qopt;
using namespace qopt::driver;

static llvm::ArrayRef<Flag> getEvalFlags() {
  static constexpr Flag kFlags[] = {
      {"labels", "FILE.npy",
       "class numbers, one per sample (or FILE.npz:ARRAY)"},
      {"metric", "NAME", "top1, top5, agreement, mse, sqnr, cosine; a list"},
      {"vs", "float|MODEL", "also score the float twin or another model"},
      {"max-drop", "X", "exit 6 if the metric is worse than --vs by more"},
      {"min", "X", "exit 6 if the metric is below"},
      {"json", nullptr, "JSON on stdout"},
  };
  return kFlags;
}

namespace {
struct Setup {
  Program program;
  std::optional<Program> reference;
  std::unique_ptr<DataSource> data;
  std::optional<Tensor> labels;
  std::vector<std::unique_ptr<Metric>> metrics, referenceMetrics;
};

absl::Status openLabels(const Arguments &arguments, Setup &setup) {
  std::optional<std::string> path = arguments.get("labels");
  if (!path)
    return absl::OkStatus();
  QOPT_ASSIGN(Tensor labels, readArray(*path));
  QOPT_ASSIGN(int64_t skip, arguments.getInt("skip", 0, 0));
  const TensorSpec &first = setup.program.interface.inputs.front();
  int64_t batch = first.shape.empty() ? 1 : first.shape[0];
  int64_t wanted = (skip + setup.data->size()) * batch;
  if (isFloat(labels.dtype()) || labels.rank() < 1)
    return Error(Code::Labels, "'" + *path +
                                   "': expected a list of integers, got " +
                                   getName(labels.dtype()) + " " +
                                   formatShape(labels.shape()));
  if (labels.numElements() < wanted)
    return Error(Code::Labels,
                 "'" + *path + "' holds " + llvm::Twine(labels.numElements()) +
                     " labels for " + llvm::Twine(wanted) + " samples");
  setup.labels = std::move(labels);
  return absl::OkStatus();
}

absl::Status openMetrics(const Arguments &arguments, Setup &setup) {
  std::vector<std::string> names = arguments.getList("metric");
  if (names.empty())
    names.push_back(setup.labels ? "top1" : "sqnr");
  for (const std::string &name : names) {
    QOPT_ASSIGN(std::unique_ptr<Metric> metric, makeMetric(name));
    if (metric->needs() == Metric::Needs::Labels && !setup.labels)
      return Error(Code::MissingArgument,
                   "--metric " + name + " expects --labels");
    if (metric->needs() == Metric::Needs::Reference && !setup.reference)
      return Error(Code::MissingArgument, "--metric " + name +
                                              " expects --vs float or --vs "
                                              "MODEL");
    std::unique_ptr<Metric> other;
    if (setup.reference && metric->needs() == Metric::Needs::Labels) {
      QOPT_ASSIGN(other, makeMetric(name));
    }
    setup.metrics.push_back(std::move(metric));
    setup.referenceMetrics.push_back(std::move(other));
  }
  return absl::OkStatus();
}

absl::StatusOr<Setup> open(const Arguments &arguments, Session &session) {
  Setup setup;
  std::string path = arguments.positional()[0];
  ProgramOptions options;
  QOPT_ASSIGN(options.import, getImportOptions(arguments));
  if (arguments.has("reference"))
    options.engine = Engine::Reference;
  QOPT_ASSIGN(setup.program, openProgram(session.context(), path, options));
  if (setup.program.interface.outputs.empty())
    return Error(Code::UnsupportedOption, "the model has no output to score");
  if (std::optional<std::string> other = arguments.get("vs")) {
    if (*other == "float") {
      options.wantsFloatTwin = true;
      other = path;
    }
    QOPT_ASSIGN(setup.reference,
                openProgram(session.context(), *other, options));
  }
  QOPT_ASSIGN(Preprocessing pre,
              getPreprocessing(arguments, setup.program.preprocessing));
  QOPT_ASSIGN(setup.data,
              openData(arguments, setup.program.interface.inputs, pre));
  QOPT_RETURN_IF_ERROR(openLabels(arguments, setup));
  QOPT_RETURN_IF_ERROR(openMetrics(arguments, setup));
  return setup;
}

/// Its own outputs, with the elements that count.
absl::StatusOr<llvm::SmallVector<Tensor>>
runTrimmed(const Program &program, llvm::ArrayRef<Tensor> inputs) {
  QOPT_ASSIGN(llvm::SmallVector<Tensor> outputs, program.executor->run(inputs));
  return trimOutputs(program.interface, outputs);
}

absl::Status score(Setup &setup, Session &session, int64_t skip) {
  Progress progress = session.startProgress("evaluate", setup.data->size());
  int64_t batch = 1;
  const TensorSpec &first = setup.program.interface.inputs.front();
  if (!first.shape.empty())
    batch = first.shape[0];
  for (int64_t i = 0; i < setup.data->size(); ++i) {
    QOPT_ASSIGN(llvm::SmallVector<Tensor> inputs, setup.data->read(i));
    QOPT_ASSIGN(llvm::SmallVector<Tensor> outputs,
                runTrimmed(setup.program, inputs));
    llvm::SmallVector<Tensor> reference;
    if (setup.reference) {
      QOPT_ASSIGN(reference, runTrimmed(*setup.reference, inputs));
    }
    Tensor labels;
    if (setup.labels) {
      // One label per row of the batch.
      labels = Tensor(DType::i64, {batch});
      for (int64_t r = 0; r < batch; ++r)
        if ((skip + i) * batch + r < setup.labels->numElements())
          labels.setInt(r, setup.labels->getInt((skip + i) * batch + r));
    }
    for (auto [metric, other] :
         llvm::zip(setup.metrics, setup.referenceMetrics)) {
      bool needsLabels = metric->needs() == Metric::Needs::Labels;
      QOPT_RETURN_IF_ERROR(withPrefix(
          metric->add(outputs[0], needsLabels ? labels : reference[0]),
          "sample " + llvm::Twine(skip + i) + ": "));
      if (other)
        QOPT_RETURN_IF_ERROR(other->add(reference[0], labels));
    }
    progress.update(i + 1);
  }
  return absl::OkStatus();
}
} // namespace

/// JSON has no infinity: equal outputs have no finite SQNR.
static llvm::json::Value toNumber(double value) {
  if (std::isfinite(value))
    return value;
  return value > 0 ? "inf" : value < 0 ? "-inf" : "nan";
}

static absl::Status checkGates(const Arguments &arguments, const Setup &setup) {
  QOPT_ASSIGN(double maxDrop, arguments.getDouble("max-drop", 0));
  QOPT_ASSIGN(double minimum, arguments.getDouble("min", 0));
  const Metric &metric = *setup.metrics.front();
  double sign = metric.higherIsBetter() ? 1 : -1;
  auto show = [](double value) { return llvm::formatv("{0:f2}", value).str(); };
  if (arguments.has("max-drop")) {
    if (!setup.referenceMetrics.front())
      return Error(Code::MissingArgument,
                   "--max-drop expects --vs and a metric against labels");
    double other = setup.referenceMetrics.front()->getValue();
    double drop = sign * (other - metric.getValue());
    if (drop > maxDrop)
      return Error(Code::AccuracyGate, metric.name() + " dropped from " +
                                           show(other) + " to " +
                                           show(metric.getValue()) +
                                           ", more than " + show(maxDrop));
  }
  if (arguments.has("min") && sign * metric.getValue() < sign * minimum)
    return Error(Code::AccuracyGate,
                 metric.name() + " is " + show(metric.getValue()) +
                     ", expected at least " + show(minimum));
  return absl::OkStatus();
}

static absl::StatusOr<ExitCode> runEval(const Arguments &arguments,
                                        Session &session) {
  QOPT_ASSIGN(Setup setup, open(arguments, session));
  QOPT_ASSIGN(int64_t skip, arguments.getInt("skip", 0, 0));
  QOPT_RETURN_IF_ERROR(score(setup, session, skip));
  llvm::raw_ostream &os = session.out();
  llvm::json::Array rows;
  for (auto [metric, other] :
       llvm::zip(setup.metrics, setup.referenceMetrics)) {
    if (arguments.has("json")) {
      llvm::json::Object row{{"metric", metric->name()},
                             {"unit", metric->unit()},
                             {"value", toNumber(metric->getValue())}};
      if (other)
        row["vs"] = toNumber(other->getValue());
      rows.push_back(std::move(row));
      continue;
    }
    os << llvm::formatv("{0,-10} {1:f3} {2}", metric->name(),
                        metric->getValue(), metric->unit());
    if (other)
      os << llvm::formatv("   {0} {1:f3} {2}", arguments.get("vs", ""),
                          other->getValue(), other->unit());
    os << "\n";
  }
  if (arguments.has("json"))
    os << llvm::formatv("{0:2}\n", llvm::json::Value(llvm::json::Object{
                                       {"samples", setup.data->size()},
                                       {"metrics", std::move(rows)}}));
  else
    os << "samples    " << setup.data->size() << "\n";
  QOPT_RETURN_IF_ERROR(checkGates(arguments, setup));
  return ExitCode::Ok;
}

namespace qopt::driver {
Verb getEvalVerb() {
  return {"eval",
          "a metric over labelled data",
          "STEM|MODEL --data PATH [options]",
          1,
          1,
          {getEvalFlags(), getEngineFlags(), getDataFlags(), getImportFlags()},
          runEval,
          /*place=*/100};
}
} // namespace qopt::driver
