//===- Compare.cpp - qopt compare -----------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Runs two models on the same data and prints, layer by layer, how far apart
// they are.
//===----------------------------------------------------------------------===//
#include "qopt/Artifacts/Program.h"
#include "qopt/Data/Metrics.h"
#include "qopt/Driver/Session.h"
#include "qopt/Driver/VerbFlags.h"
#include "qopt/Pipelines/LayerReport.h"
#include "qopt/Pipelines/LayerTrace.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include <algorithm>
#include <cmath>

using namespace qopt;
using namespace qopt::driver;

static llvm::ArrayRef<Flag> getCompareFlags() {
  static constexpr Flag kFlags[] = {
      {"top", "N", "only the N worst layers, worst first"},
      {"metric", "NAME", "what --top sorts by: sqnr (default), mse, maxabs"},
      {"json", nullptr, "JSON on stdout"},
  };
  return kFlags;
}

namespace {
struct Row {
  std::string name;
  ErrorSums sums;
  int64_t skipped = 0; ///< samples that have other lengths
};

absl::StatusOr<std::vector<Row>> measure(LayerTrace &a, LayerTrace &b,
                                         DataSource &data, Session &session) {
  // Layers of both, in the order of the first.
  std::vector<Row> rows;
  std::vector<std::pair<size_t, size_t>> pairs;
  for (auto [i, name] : llvm::enumerate(a.names())) {
    auto it = llvm::find(b.names(), name);
    if (it == b.names().end())
      continue;
    pairs.emplace_back(i, it - b.names().begin());
    rows.push_back({name, {}, 0});
  }
  Progress progress = session.startProgress("compare", data.size());
  for (int64_t i = 0; i < data.size(); ++i) {
    QOPT_ASSIGN(llvm::SmallVector<Tensor> inputs, data.read(i));
    QOPT_ASSIGN(llvm::SmallVector<Tensor> left, a.run(inputs));
    QOPT_ASSIGN(llvm::SmallVector<Tensor> right, b.run(inputs));
    for (auto [row, pair] : llvm::zip(rows, pairs))
      if (left[pair.first].numElements() == right[pair.second].numElements())
        row.sums.add(left[pair.first], right[pair.second]);
      else
        ++row.skipped;
    progress.update(i + 1);
  }
  for (const Row &row : rows)
    if (row.skipped && row.sums.getCount())
      session.say("layer '" + row.name + "' has other lengths in " +
                  std::to_string(row.skipped) + " of " +
                  std::to_string(data.size()) + " samples, left out");
  // A layer whose layouts differ was compared with nothing.
  llvm::erase_if(rows, [](const Row &row) { return !row.sums.getCount(); });
  return rows;
}

double getBadness(const Row &row, llvm::StringRef metric) {
  if (metric == "mse")
    return row.sums.getMse();
  if (metric == "maxabs")
    return row.sums.getMaxAbs();
  return -row.sums.getSqnr();
}
} // namespace

/// Both run on the same arrays.
static absl::Status checkSameInputs(const ModelInterface &a,
                                    const ModelInterface &b) {
  auto describe = [](const ModelInterface &interface) {
    std::string text;
    for (const TensorSpec &spec : interface.inputs)
      text += (text.empty() ? "" : ", ") + getName(spec.dtype).str() + " " +
              formatShape(spec.shape);
    return text;
  };
  std::string left = describe(a), right = describe(b);
  if (left == right)
    return absl::OkStatus();
  return Error(Code::DataShape, "expected two models with the same inputs, got "
                                "'" +
                                    left + "' and '" + right + "'")
      .help("integers at the interface come from --integer-only: compare what "
            "was compiled without");
}

static absl::StatusOr<ExitCode> runCompare(const Arguments &arguments,
                                           Session &session) {
  llvm::ArrayRef<std::string> paths = arguments.positional();
  ProgramOptions options;
  QOPT_ASSIGN(options.import, getImportOptions(arguments));
  if (arguments.has("reference"))
    options.engine = Engine::Reference;
  QOPT_ASSIGN(int64_t top, arguments.getInt("top", INT64_MAX, 1));
  QOPT_ASSIGN(std::string metric,
              arguments.getChoice("metric", {"sqnr", "mse", "maxabs"}, "sqnr"));
  // One STEM: its float twin against itself.
  ProgramOptions first = options;
  first.wantsFloatTwin = paths.size() == 1;
  QOPT_ASSIGN(auto leftModule,
              openModule(session.context(), paths.front(), first));
  QOPT_ASSIGN(auto rightModule,
              openModule(session.context(), paths.back(), options));
  QOPT_ASSIGN(ModelInterface interface, getInterface(*leftModule));
  QOPT_ASSIGN(ModelInterface other, getInterface(*rightModule));
  QOPT_RETURN_IF_ERROR(checkSameInputs(interface, other));
  QOPT_ASSIGN(Preprocessing recorded, getRecordedPreprocessing(paths.back()));
  QOPT_ASSIGN(Preprocessing pre, getPreprocessing(arguments, recorded));
  QOPT_ASSIGN(std::unique_ptr<DataSource> data,
              openData(arguments, interface.inputs, pre));
  QOPT_ASSIGN(LayerTrace left, LayerTrace::open(*leftModule, options.engine));
  QOPT_ASSIGN(LayerTrace right, LayerTrace::open(*rightModule, options.engine));
  QOPT_ASSIGN(std::vector<Row> rows, measure(left, right, *data, session));
  if (arguments.has("top"))
    llvm::sort(rows, [&](const Row &a, const Row &b) {
      double left = getBadness(a, metric), right = getBadness(b, metric);
      return left != right ? left > right : a.name < b.name;
    });
  if (int64_t(rows.size()) > top)
    rows.resize(top);
  llvm::raw_ostream &os = session.out();
  if (arguments.has("json")) {
    llvm::json::Array array;
    for (const Row &row : rows) {
      llvm::json::Object object{{"layer", row.name},
                                {"mse", row.sums.getMse()},
                                {"cosine", row.sums.getCosine()},
                                {"max_abs", row.sums.getMaxAbs()}};
      // JSON has no infinity: equal layers have no SQNR.
      if (std::isfinite(row.sums.getSqnr()))
        object["sqnr_db"] = row.sums.getSqnr();
      array.push_back(std::move(object));
    }
    os << llvm::formatv("{0:2}\n", llvm::json::Value(std::move(array)));
    return ExitCode::Ok;
  }
  os << llvm::formatv("{0,9} {1,12} {2,12} {3,9}  layer\n", "SQNR dB", "MSE",
                      "max abs", "cosine");
  for (const Row &row : rows)
    os << llvm::formatv("{0,9:f2} {1,12} {2,12} {3,9:f6}  {4}\n",
                        row.sums.getSqnr(),
                        llvm::formatv("{0:e4}", row.sums.getMse()).str(),
                        llvm::formatv("{0:e4}", row.sums.getMaxAbs()).str(),
                        row.sums.getCosine(), shortenName(row.name));
  return ExitCode::Ok;
}

namespace qopt::driver {
Verb getCompareVerb() {
  return {
      "compare",
      "which layer loses how much",
      "MODEL|STEM STEM|MODEL --data PATH [options]",
      1,
      2,
      {getCompareFlags(), getEngineFlags(), getDataFlags(), getImportFlags()},
      runCompare,
      /*place=*/120};
}
} // namespace qopt::driver
