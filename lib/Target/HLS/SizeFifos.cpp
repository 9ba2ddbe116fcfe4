//===- SizeFifos.cpp - Depths of streams ----------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// When a unit reads and writes does not depend on data, so a simulation of a
// few frames shows everything that can happen. Whether a graph stops does not
// depend on timing at all; how fast it runs does.
//===----------------------------------------------------------------------===//
#include "Design.h"
#include "qopt/Target/HLS/Passes.h"

namespace qopt::hls {
#define GEN_PASS_DEF_SIZEFIFOS
#include "qopt/Target/HLS/Passes.h.inc"
} // namespace qopt::hls

using namespace mlir;
using namespace qopt::hls;

Graph::Graph(func::FuncOp function)
    : units(createUnits(function.getBody().front())) {
  Block &block = function.getBody().front();
  auto add = [&](Value value, int writer, unsigned result) {
    byValue_[value] = channels.size();
    channels.push_back({value, writer, -1, result, 0, 2});
  };
  for (BlockArgument argument : block.getArguments())
    add(argument, -1, argument.getArgNumber());
  llvm::DenseMap<Operation *, int> index;
  for (auto [i, unit] : llvm::enumerate(units))
    index[unit->op()] = i;
  for (Operation &op : block) {
    if (auto fifo = dyn_cast<FifoOp>(op)) {
      int channel = getChannel(fifo.getInput());
      byValue_[fifo.getResult()] = channel;
      channels[channel].depth = fifo.getDepth();
      continue;
    }
    auto it = index.find(&op);
    for (OpOperand &operand : op.getOpOperands()) {
      Channel &channel = channels[getChannel(operand.get())];
      channel.reader = it == index.end() ? -1 : it->second;
      channel.operand = operand.getOperandNumber();
    }
    if (it != index.end())
      for (OpResult result : op.getResults())
        add(result, it->second, result.getResultNumber());
  }
}

int Graph::getChannel(Value value) const { return byValue_.lookup(value); }

int64_t qopt::hls::getSlowest(const Graph &graph) {
  int64_t slowest = 1;
  for (auto &unit : graph.units)
    slowest = std::max(slowest, unit->cycles());
  return slowest;
}

namespace {
/// A unit in the simulation.
struct Process {
  const Unit *unit;
  int64_t iterations, frame = 0, iteration = 0;
  Action next;
  SmallVector<int> inputs, outputs;
};
} // namespace

SimulationResult qopt::hls::simulate(const Graph &graph,
                                     ArrayRef<int64_t> depths, int64_t interval,
                                     int frames, int64_t limit) {
  size_t count = graph.channels.size();
  std::vector<int64_t> held(count, 0), arriving(count, 0);
  SimulationResult result;
  result.peaks.assign(count, 0);
  std::vector<Process> processes;
  for (auto &unit : graph.units) {
    Process process{unit.get(), unit->cycles(), 0, 0, {}, {}, {}};
    process.next = unit->action(0);
    for (Value operand : unit->op()->getOperands())
      process.inputs.push_back(graph.getChannel(operand));
    for (Value value : unit->op()->getResults())
      process.outputs.push_back(graph.getChannel(value));
    processes.push_back(std::move(process));
  }
  struct Port {
    int channel;
    int64_t tokens, done = 0;
  };
  std::vector<Port> sources, sinks;
  for (auto [i, channel] : llvm::enumerate(graph.channels)) {
    int64_t tokens = cast<StreamType>(channel.value.getType()).getTokens();
    if (channel.writer < 0)
      sources.push_back({int(i), tokens});
    if (channel.reader < 0)
      sinks.push_back({int(i), tokens});
  }
  auto hasRoom = [&](int channel) {
    return !depths[channel] ||
           held[channel] + arriving[channel] < depths[channel];
  };
  std::vector<int64_t> ends;
  int64_t pendingSinks = sinks.size();
  for (int64_t cycle = 0; int64_t(ends.size()) < frames; ++cycle) {
    bool hasMoved = false;
    for (Port &source : sources) {
      if (source.done == source.tokens * frames)
        continue;
      bool isDue = !interval || source.done * interval <= cycle * source.tokens;
      // Waiting for the clock is progress.
      hasMoved |= !isDue;
      if (isDue && hasRoom(source.channel)) {
        ++arriving[source.channel];
        ++source.done;
        hasMoved = true;
      }
    }
    for (Process &process : processes) {
      if (process.frame == frames)
        continue;
      bool isReady = true;
      for (auto [i, channel] : llvm::enumerate(process.inputs))
        isReady &= !(process.next.reads >> i & 1) || held[channel] > 0;
      for (auto [i, channel] : llvm::enumerate(process.outputs))
        isReady &= !(process.next.writes >> i & 1) || hasRoom(channel);
      if (!isReady)
        continue;
      hasMoved = true;
      for (auto [i, channel] : llvm::enumerate(process.inputs))
        held[channel] -= process.next.reads >> i & 1;
      for (auto [i, channel] : llvm::enumerate(process.outputs))
        arriving[channel] += process.next.writes >> i & 1;
      if (++process.iteration == process.iterations) {
        process.iteration = 0;
        ++process.frame;
      }
      process.next = process.unit->action(process.iteration);
    }
    for (Port &sink : sinks) {
      if (!held[sink.channel])
        continue;
      --held[sink.channel];
      hasMoved = true;
      if (++sink.done % sink.tokens == 0 && --pendingSinks == 0) {
        pendingSinks = sinks.size();
        ends.push_back(cycle + 1);
      }
    }
    for (size_t i = 0; i < count; ++i) {
      held[i] += arriving[i];
      arriving[i] = 0;
      result.peaks[i] = std::max(result.peaks[i], held[i]);
    }
    if (!hasMoved || cycle >= limit) {
      result.stops = true;
      return result;
    }
  }
  result.firstFrame = ends.front();
  result.interval =
      ends.size() > 1 ? ends.back() - ends[ends.size() - 2] : ends.front();
  return result;
}

namespace {
/// Depths at which frames follow each other as fast as with unbounded streams.
class DepthSearch {
public:
  explicit DepthSearch(const Graph &graph)
      : graph_(graph), depths_(graph.channels.size(), 2) {}

  FailureOr<std::vector<int64_t>> run() {
    std::vector<int64_t> unbounded(depths_.size(), 0);
    ideal_ = simulate(graph_, unbounded, getSlowest(graph_), kFrames);
    if (ideal_.stops)
      return failure();
    limit_ = 2 * (ideal_.firstFrame + kFrames * ideal_.interval);
    if (isGood())
      return depths_;
    // What a steady flow needs, then less as long as nothing gets slower.
    for (size_t i = 0; i < depths_.size(); ++i)
      depths_[i] = std::max<int64_t>(2, ideal_.peaks[i]);
    for (int attempt = 0; !isGood(); ++attempt) {
      if (attempt == 8)
        return failure();
      for (int64_t &depth : depths_)
        depth *= 2;
    }
    // Nearly always only streams that leave a fork or meet another one matter.
    std::vector<int64_t> all = depths_;
    for (auto [i, channel] : llvm::enumerate(graph_.channels))
      if (!isAtBranch(channel))
        depths_[i] = 2;
    if (!isGood())
      depths_ = all;
    for (size_t i = 0; i < depths_.size(); ++i)
      shrink(i);
    return depths_;
  }

private:
  bool isAtBranch(const Channel &channel) const {
    return (channel.writer >= 0 &&
            graph_.units[channel.writer]->op()->getNumResults() > 1) ||
           (channel.reader >= 0 &&
            graph_.units[channel.reader]->op()->getNumOperands() > 1);
  }

  bool isGood() const {
    SimulationResult result = simulate(graph_, depths_, 0, kFrames, limit_);
    return !result.stops &&
           result.interval <= ideal_.interval + ideal_.interval / 100;
  }

  void shrink(size_t i) {
    int64_t low = 2, high = depths_[i];
    if (high == 2)
      return;
    depths_[i] = 2;
    if (isGood())
      return;
    // To a sixteenth: finer steps save no memory.
    for (low = 3; high - low > high / 16;) {
      int64_t middle = low + (high - low) / 2;
      depths_[i] = middle;
      if (isGood())
        high = middle;
      else
        low = middle + 1;
    }
    depths_[i] = high;
  }

  static constexpr int kFrames = 3;
  const Graph &graph_;
  std::vector<int64_t> depths_;
  SimulationResult ideal_;
  int64_t limit_ = INT64_MAX;
};
} // namespace

namespace {
struct SizeFifos : qopt::hls::impl::SizeFifosBase<SizeFifos> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    Graph graph(function);
    FailureOr<std::vector<int64_t>> depths = DepthSearch(graph).run();
    if (failed(depths)) {
      function.emitError("stops: a unit waits for tokens that never come");
      return signalPassFailure();
    }
    OpBuilder builder(function.getContext());
    for (auto [channel, depth] : llvm::zip(graph.channels, *depths)) {
      if (depth <= 2)
        continue;
      builder.setInsertionPointAfterValue(channel.value);
      auto fifo = FifoOp::create(builder, channel.value.getLoc(),
                                 channel.value.getType(), channel.value, depth);
      channel.value.replaceAllUsesExcept(fifo.getResult(), fifo);
    }
  }
};
} // namespace
