//===- Bench.cpp - qopt bench ---------------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Times calls with bound buffers; what is compared is interleaved call by call,
// so that a change of the machine's speed hits both.
//===----------------------------------------------------------------------===//
#include "qopt/Artifacts/Native.h"
#include "qopt/Driver/Session.h"
#include "qopt/Driver/VerbFlags.h"
#include "qopt/Pipelines/LayerReport.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include <algorithm>
#include <chrono>
#include <numeric>

using namespace qopt;
using namespace qopt::driver;
using Clock = std::chrono::steady_clock;

static llvm::ArrayRef<Flag> getBenchFlags() {
  static constexpr Flag kFlags[] = {
      {"vs", "float|STEM", "also time the float twin or another artifact"},
      {"threads", "LIST", "numbers of threads (default 1)"},
      {"iters", "N", "calls at least (default 10)"},
      {"duration", "SECONDS", "time at least per row (default 1)"},
      {"warmup", "N", "calls before timing (default 3)"},
      {"layers", nullptr, "time per layer (with --vs: which are slower)"},
      {"fail-if-slower", "X", "exit 8 if the speed-up over --vs is below X"},
      {"json", nullptr, "JSON on stdout"},
  };
  return kFlags;
}

namespace {
/// A program with buffers, its timings and the time in each layer.
struct Subject {
  std::string label;
  std::unique_ptr<JitProgram> program;
  llvm::SmallVector<Tensor> inputs, outputs;
  llvm::SmallVector<const void *> inputPointers;
  llvm::SmallVector<void *> outputPointers;
  std::vector<double> seconds;
  std::vector<double> layerSeconds;

  absl::StatusOr<double> call() {
    Clock::time_point start = Clock::now();
    absl::Status status = program->run(inputPointers, outputPointers);
    if (!status.ok())
      return status;
    return std::chrono::duration<double>(Clock::now() - start).count();
  }
};

struct Statistics {
  double mean, median, p90, p99, min;
};

Statistics getStatistics(std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  auto at = [&](double part) {
    return seconds[std::min(seconds.size() - 1, size_t(part * seconds.size()))];
  };
  double sum = std::accumulate(seconds.begin(), seconds.end(), 0.0);
  return {sum / seconds.size(), at(0.5), at(0.9), at(0.99), seconds.front()};
}

absl::StatusOr<Subject> openSubject(Session &session, llvm::StringRef path,
                                    llvm::StringRef label,
                                    const ProgramOptions &options) {
  Subject subject;
  subject.label = label.str();
  QOPT_ASSIGN(subject.program, openNative(session.context(), path, options));
  const qopt_info &info = subject.program->info();
  auto makeBuffer = [](const qopt_tensor &tensor, llvm::StringRef recipe) {
    TensorSpec spec{tensor.name, DType(tensor.dtype), {}};
    spec.shape.assign(tensor.dims, tensor.dims + tensor.rank);
    return *makeArray(recipe, spec);
  };
  for (unsigned i = 0; i < info.n_inputs; ++i)
    subject.inputs.push_back(
        makeBuffer(info.inputs[i], "random:uniform:seed=1"));
  for (unsigned i = 0; i < info.n_outputs; ++i)
    subject.outputs.push_back(makeBuffer(info.outputs[i], "zeros"));
  for (Tensor &tensor : subject.inputs)
    subject.inputPointers.push_back(tensor.data());
  for (Tensor &tensor : subject.outputs)
    subject.outputPointers.push_back(tensor.mutableData());
  return subject;
}

absl::Status timeCalls(std::vector<Subject> &subjects, int64_t threads,
                       int64_t warmup, int64_t iterations, double duration) {
  for (Subject &subject : subjects) {
    subject.program->setThreads(threads);
    subject.seconds.clear();
    for (int64_t i = 0; i < warmup; ++i)
      QOPT_RETURN_IF_ERROR(subject.call().status());
  }
  Clock::time_point start = Clock::now();
  auto getElapsed = [&] {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  for (int64_t i = 0;
       i < iterations || getElapsed() < duration * double(subjects.size()); ++i)
    for (Subject &subject : subjects) {
      QOPT_ASSIGN(double seconds, subject.call());
      subject.seconds.push_back(seconds);
    }
  return absl::OkStatus();
}

/// Mean seconds of every layer over a few calls.
absl::Status timeLayers(Subject &subject, int64_t calls) {
  subject.layerSeconds.assign(subject.program->info().n_layers, 0);
  Clock::time_point begin;
  subject.program->setThreads(1);
  subject.program->setLayerHook([&](unsigned layer, bool isEnd) {
    Clock::time_point now = Clock::now();
    if (!isEnd)
      begin = now;
    else if (layer < subject.layerSeconds.size())
      subject.layerSeconds[layer] +=
          std::chrono::duration<double>(now - begin).count();
  });
  for (int64_t i = 0; i < calls; ++i)
    QOPT_RETURN_IF_ERROR(subject.call().status());
  subject.program->setLayerHook({});
  for (double &seconds : subject.layerSeconds)
    seconds /= calls;
  return absl::OkStatus();
}

llvm::json::Object toJson(const Subject &subject, int64_t threads) {
  Statistics s = getStatistics(subject.seconds);
  return llvm::json::Object{{"name", subject.label},
                            {"threads", threads},
                            {"calls", int64_t(subject.seconds.size())},
                            {"mean_ms", s.mean * 1e3},
                            {"median_ms", s.median * 1e3},
                            {"p90_ms", s.p90 * 1e3},
                            {"p99_ms", s.p99 * 1e3},
                            {"min_ms", s.min * 1e3}};
}

/// Seconds by the name of the layer.
std::map<std::string, double> getLayerTimes(const Subject *subject) {
  std::map<std::string, double> times;
  if (subject)
    for (auto [i, seconds] : llvm::enumerate(subject->layerSeconds))
      times[subject->program->info().layers[i]] += seconds;
  return times;
}

llvm::json::Array layersToJson(llvm::ArrayRef<Subject> subjects) {
  std::map<std::string, double> theirs =
      getLayerTimes(subjects.size() > 1 ? &subjects[1] : nullptr);
  llvm::json::Array layers;
  for (auto [i, seconds] : llvm::enumerate(subjects[0].layerSeconds)) {
    const char *name = subjects[0].program->info().layers[i];
    llvm::json::Object row{{"name", name}, {"ms", seconds * 1e3}};
    auto it = theirs.find(name);
    if (it != theirs.end()) {
      row["vs_ms"] = it->second * 1e3;
      row["slower"] = seconds > it->second;
    }
    layers.push_back(std::move(row));
  }
  return layers;
}

void printLayers(llvm::raw_ostream &os, const Subject &subject,
                 const Subject *other) {
  std::map<std::string, double> theirs = getLayerTimes(other);
  double total = std::accumulate(subject.layerSeconds.begin(),
                                 subject.layerSeconds.end(), 0.0);
  llvm::StringRef theirName = other ? llvm::StringRef(other->label) : "";
  os << "\n  time ms      %  "
     << (other ? llvm::formatv("{0,9}  ", theirName.take_back(9)).str() : "")
     << "layer\n";
  unsigned slower = 0;
  for (unsigned i = 0; i < subject.layerSeconds.size(); ++i) {
    const char *name = subject.program->info().layers[i];
    double seconds = subject.layerSeconds[i];
    os << llvm::formatv("{0,9:f4} {1,6:f1}  ", seconds * 1e3,
                        total > 0 ? 100 * seconds / total : 0);
    auto it = theirs.find(name);
    bool isSlower = it != theirs.end() && seconds > it->second;
    slower += isSlower;
    if (it != theirs.end())
      os << llvm::formatv("{0,9:f4}  ", it->second * 1e3);
    else if (other)
      os << llvm::formatv("{0,9}  ", "-");
    os << shortenName(name) << (isSlower ? "  (slower here)" : "") << "\n";
  }
  if (other)
    os << slower << " of " << subject.layerSeconds.size()
       << " layers are slower than in " << other->label << "\n";
}

/// What the flags ask for.
struct BenchRequest {
  ProgramOptions options;
  int64_t iterations, warmup;
  double duration, gate; ///< seconds; least speed-up
  std::vector<int64_t> threadCounts;
};

absl::StatusOr<BenchRequest> readRequest(const Arguments &arguments) {
  BenchRequest request;
  QOPT_ASSIGN(request.options.import, getImportOptions(arguments));
  QOPT_ASSIGN(request.iterations, arguments.getInt("iters", 10, 1));
  QOPT_ASSIGN(request.warmup, arguments.getInt("warmup", 3, 0));
  QOPT_ASSIGN(request.duration, arguments.getDouble("duration", 1));
  if (request.duration < 0)
    return Error(Code::BadFlagValue,
                 "--duration: expected seconds, got " +
                     llvm::Twine(std::to_string(request.duration)));
  QOPT_ASSIGN(request.gate, arguments.getDouble("fail-if-slower", 0));
  for (const std::string &text : arguments.getList("threads")) {
    int64_t count;
    if (llvm::StringRef(text).getAsInteger(10, count) || count < 1 ||
        count > 256)
      return Error(Code::BadFlagValue,
                   "--threads: expected numbers from 1 to 256, got '" + text +
                       "'");
    request.threadCounts.push_back(count);
  }
  if (arguments.has("fail-if-slower") && !arguments.has("vs"))
    return Error(Code::MissingArgument, "--fail-if-slower expects --vs")
        .help("add --vs float");
  if (request.threadCounts.empty())
    request.threadCounts.push_back(1);
  return request;
}

/// The model, and behind it what it is compared with.
absl::StatusOr<std::vector<Subject>> openSubjects(Session &session,
                                                  const Arguments &arguments,
                                                  ProgramOptions options) {
  std::string path = arguments.positional()[0];
  std::vector<Subject> subjects;
  QOPT_ASSIGN(Subject own, openSubject(session, path, "this", options));
  subjects.push_back(std::move(own));
  std::optional<std::string> other = arguments.get("vs");
  if (!other)
    return subjects;
  std::string label = *other;
  if (*other == "float") {
    options.wantsFloatTwin = true;
    other = path;
  }
  QOPT_ASSIGN(Subject reference, openSubject(session, *other, label, options));
  subjects.push_back(std::move(reference));
  return subjects;
}

double getSpeedUp(llvm::ArrayRef<Subject> subjects) {
  return getStatistics(subjects[1].seconds).median /
         getStatistics(subjects[0].seconds).median;
}

/// A line for each subject, and the speed-up if there are two.
void printRows(llvm::raw_ostream &os, llvm::ArrayRef<Subject> subjects,
               int64_t threads) {
  for (const Subject &subject : subjects) {
    Statistics s = getStatistics(subject.seconds);
    os << llvm::formatv("{0,-10} {1,7} {2,9:f4} {3,9:f4} {4,9:f4} "
                        "{5,9:f4} {6,9:f4}\n",
                        subject.label, threads, s.mean * 1e3, s.median * 1e3,
                        s.p90 * 1e3, s.p99 * 1e3, s.min * 1e3);
  }
  if (subjects.size() > 1)
    os << llvm::formatv("speed-up over {0}: {1:f2}\n", subjects[1].label,
                        getSpeedUp(subjects));
}
} // namespace

static absl::StatusOr<ExitCode> runBench(const Arguments &arguments,
                                         Session &session) {
  QOPT_ASSIGN(BenchRequest request, readRequest(arguments));
  QOPT_ASSIGN(std::vector<Subject> subjects,
              openSubjects(session, arguments, request.options));
  bool isJson = arguments.has("json"), hasLayers = arguments.has("layers");
  llvm::raw_ostream &os = session.out();
  llvm::json::Array rows;
  double speedUp = 0;
  if (!isJson)
    os << llvm::formatv("{0,-10} {1,7} {2,9} {3,9} {4,9} {5,9} {6,9}  ms\n", "",
                        "threads", "mean", "median", "p90", "p99", "min");
  for (int64_t threads : request.threadCounts) {
    QOPT_RETURN_IF_ERROR(timeCalls(subjects, threads, request.warmup,
                                   request.iterations, request.duration));
    for (const Subject &subject : subjects)
      rows.push_back(toJson(subject, threads));
    if (subjects.size() > 1)
      speedUp = getSpeedUp(subjects);
    if (!isJson)
      printRows(os, subjects, threads);
  }
  for (Subject &subject : subjects)
    if (hasLayers)
      QOPT_RETURN_IF_ERROR(timeLayers(subject, request.iterations));
  if (hasLayers && !isJson)
    printLayers(os, subjects[0], subjects.size() > 1 ? &subjects[1] : nullptr);
  if (isJson) {
    llvm::json::Object result{{"rows", std::move(rows)}};
    if (subjects.size() > 1)
      result["speed_up"] = speedUp;
    if (hasLayers)
      result["layers"] = layersToJson(subjects);
    os << llvm::formatv("{0:2}\n", llvm::json::Value(std::move(result)));
  }
  if (arguments.has("fail-if-slower") && speedUp < request.gate)
    return Error(
        Code::SpeedGate,
        llvm::formatv("speed-up {0:f2} is below {1:f2}", speedUp, request.gate)
            .str());
  return ExitCode::Ok;
}

namespace qopt::driver {
Verb getBenchVerb() {
  return {"bench",
          "time it",
          "STEM|MODEL [options]",
          1,
          1,
          {getBenchFlags(), getImportFlags()},
          runBench,
          /*place=*/110};
}
} // namespace qopt::driver
