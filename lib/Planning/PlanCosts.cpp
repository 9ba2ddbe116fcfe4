//===- PlanCosts.cpp - Times of layers, measured or modelled --------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Each format is timed in the whole network, so that a layer has its real
// neighbours; the file makes plans repeatable on other machines.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Pipelines/LayerReport.h"
#include "qopt/Pipelines/Model.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Planning/Plan.h"
#include "qopt/Support/Diagnostics.h"
#include "qopt/Support/Files.h"
#include "qopt/Support/Json.h"
#include "qopt/Target/CPU/Emit.h"

#include "llvm/Support/FormatVariadic.h"
#include <chrono>
#include <map>
#include <set>

using namespace qopt;
namespace json = llvm::json;

/// Turns of every format, and timed calls in each.
static constexpr int kRounds = 15, kCalls = 5;

std::string CostFile::toJson() const {
  json::Object rows;
  for (const auto &[layer, times] : layers) {
    json::Object row;
    for (const auto &[format, time] : times)
      row[format] = time;
    rows[layer] = std::move(row);
  }
  return llvm::formatv("{0:2}\n",
                       json::Value(json::Object{{"schema", "qopt.cost/1"},
                                                {"target", target},
                                                {"unit", "us"},
                                                {"fixed", fixed},
                                                {"layers", std::move(rows)}}))
      .str();
}

absl::StatusOr<CostFile> CostFile::read(llvm::StringRef path) {
  auto fail = [&](const llvm::Twine &what) -> absl::Status {
    return Error(Code::BadFlagValue, "--cost: '" + path + "' " + what);
  };
  absl::StatusOr<std::string> text = readFile(path, /*limit=*/1 << 28);
  if (!text.ok())
    return fail(std::string(text.status().message()));
  absl::StatusOr<json::Value> value = parseJson(*text);
  if (!value.ok())
    return fail("cannot be read: " + std::string(value.status().message()));
  const json::Object *object = value->getAsObject();
  if (!object || object->getString("schema") != "qopt.cost/1")
    return fail("is not of schema qopt.cost/1");
  CostFile costs;
  costs.target = object->getString("target").value_or("").str();
  costs.fixed = object->getNumber("fixed").value_or(0);
  const json::Object *rows = object->getObject("layers");
  if (!rows || !(costs.fixed >= 0))
    return fail("lacks 'layers' or has a negative time");
  for (const auto &[layer, row] : *rows) {
    const json::Object *times = row.getAsObject();
    if (!times)
      return fail("has no times of '" + layer.str() + "'");
    for (const auto &[format, time] : *times) {
      std::optional<double> number = time.getAsNumber();
      if (!number || !(*number >= 0))
        return fail("expects microseconds of '" + layer.str() + "' in " +
                    format.str() + ", a number that is not negative");
      costs.layers[layer.str()][format.str()] = *number;
    }
  }
  return costs;
}

namespace {
/// One format's network with its buffers and what was timed so far.
class TimedProgram {
public:
  TimedProgram(std::unique_ptr<JitProgram> program,
               llvm::ArrayRef<Tensor> sample);
  /// A few calls; layers and whole calls by turns, because looking at the clock
  /// between layers takes time itself.
  absl::Status time();

  /// Microseconds by layer, and of a whole call.
  std::map<std::string, double> getLayers() const;
  double getWhole() const { return getTypical(whole); }

private:
  using Clock = std::chrono::steady_clock;
  static double getSince(Clock::time_point start) {
    return std::chrono::duration<double, std::micro>(Clock::now() - start)
        .count();
  }
  /// The lower quartile: what else runs on the machine only ever adds.
  static double getTypical(std::vector<double> values) {
    auto quartile = values.begin() + values.size() / 4;
    std::nth_element(values.begin(), quartile, values.end());
    return *quartile;
  }
  absl::Status timeLayers();

  std::unique_ptr<JitProgram> program;
  std::vector<const void *> inputs;
  std::vector<Tensor> results;
  std::vector<void *> outputs;
  std::vector<std::vector<double>> layers;
  std::vector<double> whole;
};
} // namespace

TimedProgram::TimedProgram(std::unique_ptr<JitProgram> owned,
                           llvm::ArrayRef<Tensor> sample)
    : program(std::move(owned)), layers(program->info().n_layers) {
  const qopt_info &info = program->info();
  for (const Tensor &tensor : sample)
    inputs.push_back(tensor.data());
  for (uint32_t i = 0; i < info.n_outputs; ++i) {
    int64_t bytes = 8; // no element is wider
    for (uint32_t d = 0; d < info.outputs[i].rank; ++d)
      bytes *= info.outputs[i].dims[d];
    results.emplace_back(DType::u8, llvm::ArrayRef<int64_t>{bytes});
  }
  for (Tensor &tensor : results)
    outputs.push_back(tensor.mutableData());
}

absl::Status TimedProgram::timeLayers() {
  std::vector<Clock::time_point> starts(layers.size());
  std::vector<double> current(layers.size());
  program->setLayerHook([&](unsigned layer, bool isEnd) {
    if (layer >= starts.size())
      return;
    if (isEnd)
      current[layer] += getSince(starts[layer]);
    else
      starts[layer] = Clock::now();
  });
  absl::Status status = program->run(inputs, outputs);
  program->setLayerHook({});
  for (auto [row, time] : llvm::zip(layers, current))
    row.push_back(time);
  return status;
}

absl::Status TimedProgram::time() {
  QOPT_RETURN_IF_ERROR(program->run(inputs, outputs)); // warms up
  for (int call = 0; call < kCalls; ++call) {
    Clock::time_point start = Clock::now();
    QOPT_RETURN_IF_ERROR(program->run(inputs, outputs));
    whole.push_back(getSince(start));
    QOPT_RETURN_IF_ERROR(timeLayers());
  }
  return absl::OkStatus();
}

std::map<std::string, double> TimedProgram::getLayers() const {
  std::map<std::string, double> result;
  for (auto [i, times] : llvm::enumerate(layers))
    result[program->info().layers[i]] += getTypical(times);
  return result;
}

namespace {
/// The network with one format everywhere, for this machine.
struct CompiledFormat {
  std::unique_ptr<JitProgram> program;
  std::set<std::string> linear; ///< names of its linear layers
  std::string target;
};
} // namespace

static absl::StatusOr<CompiledFormat> compileFormat(mlir::ModuleOp module,
                                                    const Profile &profile,
                                                    const PlanRequest &request,
                                                    const std::string &format) {
  CompiledFormat result;
  mlir::OwningOpRef<mlir::ModuleOp> work(module.clone());
  QuantizeOptions options = request.quantize;
  options.recipe.weights = format;
  // Times do not depend on the numbers.
  options.recipe.rounding = kNearestRounder.str();
  options.recipe.biasCorrection = false;
  QOPT_RETURN_IF_ERROR(quantize(*work, &profile, {}, options).status());
  work->walk(
      [&](LinearOpInterface op) { result.linear.insert(qg::getUserName(op)); });
  QOPT_RETURN_IF_ERROR(lower(*work, options.recipe.requantize));
  absl::StatusOr<CompiledModel> compiled = compileForCPU(*work, {});
  if (!compiled.ok())
    return withCode(compiled.status(), Code::UnsupportedLowering);
  result.target = compiled->info.target;
  QOPT_ASSIGN(result.program, loadCompiled(*compiled));
  return result;
}

absl::StatusOr<CostFile> qopt::measureCosts(mlir::ModuleOp module,
                                            const Profile &profile,
                                            const SampleSource &samples,
                                            const PlanRequest &request) {
  std::set<std::string> formats(request.formats.begin(), request.formats.end());
  formats.insert("si8");
  QOPT_ASSIGN(std::optional<llvm::SmallVector<Tensor>> sample, samples(0));
  if (!sample)
    return Error(Code::DataValues, "expects at least one sample");
  auto say = [&](llvm::StringRef phase, int64_t done, int64_t total) {
    if (request.progress)
      request.progress(phase, done, total);
  };
  CostFile costs;
  std::set<std::string> linear;
  std::map<std::string, TimedProgram> programs;
  int64_t total = int64_t(formats.size());
  say("code to time", 0, total);
  for (const std::string &format : formats) {
    QOPT_ASSIGN(CompiledFormat compiled,
                compileFormat(module, profile, request, format));
    linear.insert(compiled.linear.begin(), compiled.linear.end());
    costs.target = compiled.target;
    programs.try_emplace(format, std::move(compiled.program), *sample);
    say("code to time", int64_t(programs.size()), total);
  }
  // By turns: what else the machine does meets all formats alike.
  say("times", 0, kRounds);
  for (int round = 0; round < kRounds; ++round) {
    for (auto &[format, program] : programs)
      QOPT_RETURN_IF_ERROR(program.time());
    say("times", round + 1, kRounds);
  }
  for (const auto &[format, program] : programs) {
    double layers = 0;
    for (const auto &[layer, time] : program.getLayers())
      if (linear.count(layer)) {
        costs.layers[layer][format] = time;
        layers += time;
      }
    if (format == "si8")
      costs.fixed = std::max(0.0, program.getWhole() - layers);
  }
  return costs;
}

/// A nominal core: products of bytes and bytes of weights per microsecond.
static constexpr double kProducts = 30e3, kBytes = 20e3;

/// Time of a product whose weight has `bits`, in terms of one of bytes. Weights
/// of 2 and 4 bits come out of a byte by shifts, the others by bytes that
/// straddle; figures of VWW on a core with AVX2.
static double getDecodeFactor(int64_t bits) {
  return bits == 8 ? 1 : bits == 2 || bits == 4 ? 1.2 : 2;
}

CostFile qopt::modelCosts(mlir::ModuleOp module,
                          llvm::ArrayRef<std::string> formats) {
  CostFile costs;
  costs.target = "model";
  std::set<std::string> all(formats.begin(), formats.end());
  all.insert("si8");
  module.walk([&](LinearOpInterface op) {
    int64_t weights = getTensorType(op.getWeight()).getNumElements();
    for (const std::string &format : all) {
      int64_t bits = getFormatBits(format);
      double products =
          double(op.countMacs()) * getDecodeFactor(bits) / kProducts;
      double bytes = double(weights * bits) / 8 / kBytes;
      costs.layers[qg::getUserName(op)][format] += std::max(products, bytes);
    }
  });
  return costs;
}
