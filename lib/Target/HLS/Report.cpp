//===- Report.cpp - Estimates of a design ---------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Cycles are simulated token by token; resources are formulas, and say so.
//===----------------------------------------------------------------------===//
#include "Report.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Target/Integer/HostPart.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::hls;

static llvm::json::Object toJson(const Resources &resources) {
  return llvm::json::Object{{"lut", resources.lut},
                            {"dsp", resources.dsp},
                            {"bram18", resources.bram18}};
}

/// Adds to rows of the host's part how the arrays lie in their streams.
static void addStreams(llvm::json::Array &rows, const Graph &graph,
                       const Names &names, bool isInput) {
  for (auto [i, channel] : llvm::enumerate(graph.channels)) {
    int outside = isInput ? channel.writer : channel.reader;
    unsigned index = isInput ? channel.result : channel.operand;
    if (outside >= 0 || index >= rows.size())
      continue;
    auto type = cast<StreamType>(channel.value.getType());
    llvm::json::Object &row = *rows[index].getAsObject();
    // Elements may be fewer than what their encoding holds.
    row["signed"] = type.isSigned();
    row["bits"] = type.getBits();
    row["stream"] = llvm::json::Object{{"port", names.channels[i]},
                                       {"tokens", type.getTokens()},
                                       {"lanes", type.getLanes()},
                                       {"bits", type.getBits()},
                                       {"signed", type.isSigned()}};
  }
}

namespace {
/// What all units and streams come to, and a row for each.
struct Sums {
  Resources units, fifos;
  int64_t slowest = 0, macs = 0, weightBits = 0;
  std::string bottleneck; ///< unit of most cycles
  llvm::json::Array rows, streams;
  std::string table;

  Resources getTotal() const {
    Resources total = units;
    total += fifos;
    return total;
  }
};

/// What a design does in a second.
struct Speed {
  int64_t interval, firstFrame;
  double framesPerSecond, latencyUs;
};
} // namespace

static void addUnits(Sums &sums, const Graph &graph, const Names &names,
                     const Part &part) {
  sums.table = llvm::formatv("{0,-44} {1,9} {2,7} {3,5} {4,6}\n", "unit",
                             "cycles", "LUT", "DSP", "BRAM18")
                   .str();
  for (auto [i, unit] : llvm::enumerate(graph.units)) {
    Resources cost = unit->resources(part);
    sums.units += cost;
    sums.macs += unit->macs();
    sums.weightBits += unit->weightBits();
    if (i == 0 || unit->cycles() > sums.slowest) {
      sums.slowest = unit->cycles();
      sums.bottleneck = names.units[i];
    }
    sums.table +=
        llvm::formatv("{0,-44} {1,9} {2,7} {3,5} {4,6}\n", names.units[i],
                      unit->cycles(), cost.lut, cost.dsp, cost.bram18)
            .str();
    llvm::json::Object row = toJson(cost);
    row["unit"] = names.units[i];
    row["layer"] = qg::getUserName(unit->op());
    row["kind"] = unit->kind();
    row["what"] = unit->describe();
    row["cycles"] = unit->cycles();
    if (unit->macs())
      row["macs"] = unit->macs();
    sums.rows.push_back(std::move(row));
  }
}

static void addStreams(Sums &sums, const Graph &graph, const Names &names) {
  for (auto [i, channel] : llvm::enumerate(graph.channels)) {
    if (channel.writer < 0 || channel.reader < 0)
      continue;
    auto type = cast<StreamType>(channel.value.getType());
    sums.fifos += getFifo(channel.depth, type.getWordBits());
    sums.streams.push_back(llvm::json::Object{{"stream", names.channels[i]},
                                              {"bits", type.getWordBits()},
                                              {"tokens", type.getTokens()},
                                              {"depth", channel.depth}});
  }
}

static Speed getSpeed(const Graph &graph, double clockNs) {
  std::vector<int64_t> depths;
  for (const Channel &channel : graph.channels)
    depths.push_back(channel.depth);
  SimulationResult simulation = simulate(graph, depths, 0, 3);
  return {simulation.interval, simulation.firstFrame,
          1e9 / (clockNs * double(simulation.interval)),
          clockNs * double(simulation.firstFrame) * 1e-3};
}

/// The rows of `sums` move into the result.
static llvm::json::Object describeDesign(Sums &sums, const Speed &speed,
                                         const IntegerCore &core,
                                         const ProjectOptions &options) {
  return llvm::json::Object{
      {"schema", "qopt.hls/1"},
      {"top", options.symbol},
      {"part", options.part->vendor},
      {"clock_ns", options.clockNs},
      {"estimate", "formulas before synthesis"},
      {"cycles_slowest_unit", sums.slowest},
      {"slowest_unit", sums.bottleneck},
      {"cycles_between_frames", speed.interval},
      {"cycles_first_frame", speed.firstFrame},
      {"frames_per_second", speed.framesPerSecond},
      {"latency_us", speed.latencyUs},
      {"macs", sums.macs},
      {"weight_bits", sums.weightBits},
      {"resources", toJson(sums.getTotal())},
      {"resources_fifos", toJson(sums.fifos)},
      {"capacity", toJson(options.part->capacity)},
      {"left_to_the_host", llvm::json::Array(core.head)},
      {"results_of_the_host", llvm::json::Array(core.hostResults)},
      {"units", std::move(sums.rows)},
      {"streams", std::move(sums.streams)}};
}

static std::string toText(const Sums &sums, const Speed &speed,
                          const IntegerCore &core,
                          const ProjectOptions &options) {
  Resources total = sums.getTotal(), capacity = options.part->capacity;
  auto percent = [](int64_t part, int64_t whole) {
    return 100.0 * double(part) / double(whole);
  };
  std::string text =
      llvm::formatv("{0} on {1} at {2:f1} MHz (estimates before synthesis)\n",
                    options.symbol, options.part->vendor,
                    1000 / options.clockNs)
          .str();
  text += llvm::formatv("a frame every {0} cycles ({1:f0} a second), the first "
                        "after {2} ({3:f1} us); slowest: {4}\n",
                        speed.interval, speed.framesPerSecond, speed.firstFrame,
                        speed.latencyUs, sums.bottleneck)
              .str();
  text += llvm::formatv(
              "LUT {0} ({1:f1} %), DSP {2} ({3:f1} %), BRAM18 {4} ({5:f1} "
              "%)\n",
              total.lut, percent(total.lut, capacity.lut), total.dsp,
              percent(total.dsp, capacity.dsp), total.bram18,
              percent(total.bram18, capacity.bram18))
              .str();
  if (!core.hostResults.empty())
    text += "no ports, for the host has them without the device: " +
            llvm::join(core.hostResults, ", ") + "\n";
  return text + "\n" + sums.table;
}

void hls::addReport(std::map<std::string, std::string> &files,
                    const Graph &graph, const Names &names,
                    const IntegerCore &core, const ProjectOptions &options) {
  Sums sums;
  HostCode host = writeHostCode(core, options.symbol);
  addStreams(host.inputs, graph, names, /*isInput=*/true);
  addStreams(host.outputs, graph, names, /*isInput=*/false);
  files["src/" + options.symbol + "_host.h"] = std::move(host.header);
  addUnits(sums, graph, names, *options.part);
  addStreams(sums, graph, names);
  Speed speed = getSpeed(graph, options.clockNs);
  files["report.txt"] = toText(sums, speed, core, options);
  llvm::json::Object report = describeDesign(sums, speed, core, options);
  report["arguments"] = std::move(host.arguments);
  report["inputs"] = std::move(host.inputs);
  report["outputs"] = std::move(host.outputs);
  report["results"] = std::move(host.results);
  files["report.json"] =
      llvm::formatv("{0:2}\n", llvm::json::Value(std::move(report))).str();
}
