//===- PlanCosts.cpp - Measured times of layers ---------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Each format is timed in the whole network, so that a layer has its real
// neighbours; the file makes plans repeatable on other machines.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Pipelines/Model.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Pipelines/Plan.h"
#include "qopt/Support/Diagnostics.h"
#include "qopt/Support/Files.h"
#include "qopt/Target/CPU/Emit.h"

#include "llvm/Support/FormatVariadic.h"
#include <chrono>
#include <map>
#include <set>

using namespace qopt;
namespace json = llvm::json;

/// Calls that warm up, and that count.
static constexpr int kWarmUp = 3, kCalls = 21;

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
  llvm::Expected<json::Value> value = json::parse(*text);
  if (!value)
    return fail("is no JSON: " + llvm::toString(value.takeError()));
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
        return fail("has a time of '" + layer.str() + "' that is no number");
      costs.layers[layer.str()][format.str()] = *number;
    }
  }
  return costs;
}

/// Median microseconds by layer.
static absl::StatusOr<std::map<std::string, double>>
timeLayers(JitProgram &program, llvm::ArrayRef<Tensor> sample) {
  const qopt_info &info = program.info();
  std::vector<const void *> inputs;
  for (const Tensor &tensor : sample)
    inputs.push_back(tensor.data());
  std::vector<Tensor> results;
  std::vector<void *> outputs;
  for (uint32_t i = 0; i < info.n_outputs; ++i) {
    int64_t bytes = 8; // no element is wider
    for (uint32_t d = 0; d < info.outputs[i].rank; ++d)
      bytes *= info.outputs[i].dims[d];
    results.emplace_back(DType::u8, llvm::ArrayRef<int64_t>{bytes});
  }
  for (Tensor &tensor : results)
    outputs.push_back(tensor.mutableData());
  using Clock = std::chrono::steady_clock;
  std::vector<std::vector<double>> times(info.n_layers);
  std::vector<Clock::time_point> starts(info.n_layers);
  std::vector<double> current(info.n_layers);
  program.setLayerHook([&](unsigned layer, bool isEnd) {
    if (layer >= starts.size())
      return;
    if (!isEnd)
      starts[layer] = Clock::now();
    else
      current[layer] += std::chrono::duration<double, std::micro>(Clock::now() -
                                                                  starts[layer])
                            .count();
  });
  for (int call = 0; call < kWarmUp + kCalls; ++call) {
    std::fill(current.begin(), current.end(), 0);
    QOPT_RETURN_IF_ERROR(program.run(inputs, outputs));
    for (size_t i = 0; call >= kWarmUp && i < current.size(); ++i)
      times[i].push_back(current[i]);
  }
  program.setLayerHook({});
  std::map<std::string, double> medians;
  for (size_t i = 0; i < times.size(); ++i) {
    std::nth_element(times[i].begin(), times[i].begin() + kCalls / 2,
                     times[i].end());
    medians[info.layers[i]] += times[i][kCalls / 2];
  }
  return medians;
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
  CostFile costs;
  int64_t done = 0;
  for (const std::string &format : formats) {
    mlir::OwningOpRef<mlir::ModuleOp> work(module.clone());
    QuantizeOptions options = request.quantize;
    options.scheme = Scheme::W8A8;
    options.weights = format;
    // Times do not depend on the numbers.
    options.rounding = "nearest";
    options.biasCorrection = false;
    QOPT_RETURN_IF_ERROR(quantize(*work, &profile, {}, options));
    std::set<std::string> names;
    work->walk([&](mlir::Operation *op) {
      if (llvm::isa<qg::ConvOp, qg::ConvTransposeOp, qg::MatmulOp>(op))
        names.insert(qg::getUserName(op));
    });
    QOPT_RETURN_IF_ERROR(lower(*work, options.requantize));
    absl::StatusOr<CompiledModel> compiled = compileForCPU(*work, {});
    if (!compiled.ok())
      return withCode(compiled.status(), Code::UnsupportedLowering);
    QOPT_ASSIGN(std::unique_ptr<JitProgram> program,
                loadObject(compiled->object, compiled->symbol));
    QOPT_ASSIGN(auto times, timeLayers(*program, *sample));
    costs.target = compiled->info.target;
    double fixed = 0;
    for (const auto &[layer, time] : times)
      if (names.count(layer))
        costs.layers[layer][format] = time;
      else
        fixed += time;
    if (format == "si8")
      costs.fixed = fixed;
    if (request.progress)
      request.progress("costs", ++done, int64_t(formats.size()));
  }
  return costs;
}
