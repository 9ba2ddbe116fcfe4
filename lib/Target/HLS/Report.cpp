//===- Report.cpp - Estimates of a design ---------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Cycles are simulated token by token; resources are formulas, and say so.
//===----------------------------------------------------------------------===//
#include "Report.h"
#include "qopt/Dialect/QG/IR/QG.h"

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

static llvm::json::Array describe(ArrayRef<DevicePort> ports) {
  llvm::json::Array result;
  for (const DevicePort &port : ports) {
    llvm::json::Object object{{"name", port.name},
                              {"shape", llvm::json::Array(port.shape)},
                              {"signed", !port.isUnsigned}};
    if (port.scale != 0) {
      object["scale"] = port.scale;
      object["zero_point"] = port.zeroPoint;
    }
    result.push_back(std::move(object));
  }
  return result;
}

void hls::addReport(std::map<std::string, std::string> &files,
                    const Graph &graph, const Names &names,
                    const IntegerCore &core, const ProjectOptions &options) {
  std::vector<int64_t> depths;
  for (const Channel &channel : graph.channels)
    depths.push_back(channel.depth);
  SimulationResult simulation = simulate(graph, depths, 0, 3);
  Resources units, fifos;
  int64_t slowest = 0, macs = 0, weightBits = 0;
  size_t bottleneck = 0;
  llvm::json::Array rows, streams;
  std::string table = llvm::formatv("{0,-44} {1,9} {2,7} {3,5} {4,6}\n", "unit",
                                    "cycles", "LUT", "DSP", "BRAM18")
                          .str();
  for (auto [i, unit] : llvm::enumerate(graph.units)) {
    Resources cost = unit->resources(*options.part);
    units += cost;
    macs += unit->macs();
    weightBits += unit->weightBits();
    if (unit->cycles() > slowest) {
      slowest = unit->cycles();
      bottleneck = i;
    }
    table += llvm::formatv("{0,-44} {1,9} {2,7} {3,5} {4,6}\n", names.units[i],
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
    rows.push_back(std::move(row));
  }
  for (auto [i, channel] : llvm::enumerate(graph.channels)) {
    if (channel.writer < 0 || channel.reader < 0)
      continue;
    auto type = cast<StreamType>(channel.value.getType());
    fifos += getFifo(channel.depth, type.getWordBits());
    streams.push_back(llvm::json::Object{{"stream", names.channels[i]},
                                         {"bits", type.getWordBits()},
                                         {"tokens", type.getTokens()},
                                         {"depth", channel.depth}});
  }
  Resources total = units;
  total += fifos;
  Resources capacity = options.part->capacity;
  double megahertz = 1000 / options.clockNs;
  double fps = 1e9 / (options.clockNs * double(simulation.interval));
  double latency = options.clockNs * double(simulation.firstFrame) * 1e-3;
  llvm::json::Value json = llvm::json::Object{
      {"schema", "qopt.hls/1"},
      {"top", options.symbol},
      {"part", options.part->vendor},
      {"clock_ns", options.clockNs},
      {"estimate", "formulas before synthesis"},
      {"cycles_slowest_unit", slowest},
      {"slowest_unit", names.units.empty() ? "" : names.units[bottleneck]},
      {"cycles_between_frames", simulation.interval},
      {"cycles_first_frame", simulation.firstFrame},
      {"frames_per_second", fps},
      {"latency_us", latency},
      {"macs", macs},
      {"weight_bits", weightBits},
      {"resources", toJson(total)},
      {"resources_fifos", toJson(fifos)},
      {"capacity", toJson(capacity)},
      {"inputs", describe(core.inputs)},
      {"outputs", describe(core.outputs)},
      {"left_to_the_host", llvm::json::Array(core.head)},
      {"units", std::move(rows)},
      {"streams", std::move(streams)}};
  files["report.json"] = llvm::formatv("{0:2}\n", json).str();
  auto percent = [](int64_t part, int64_t whole) {
    return 100.0 * double(part) / double(whole);
  };
  std::string text =
      llvm::formatv("{0} on {1} at {2:f1} MHz (estimates before synthesis)\n",
                    options.symbol, options.part->vendor, megahertz)
          .str();
  text +=
      llvm::formatv("a frame every {0} cycles ({1:f0} a second), the first "
                    "after {2} ({3:f1} us); slowest: {4}\n",
                    simulation.interval, fps, simulation.firstFrame, latency,
                    names.units.empty() ? "" : names.units[bottleneck])
          .str();
  text += llvm::formatv(
              "LUT {0} ({1:f1} %), DSP {2} ({3:f1} %), BRAM18 {4} ({5:f1} "
              "%)\n\n",
              total.lut, percent(total.lut, capacity.lut), total.dsp,
              percent(total.dsp, capacity.dsp), total.bram18,
              percent(total.bram18, capacity.bram18))
              .str();
  files["report.txt"] = text + table;
}
