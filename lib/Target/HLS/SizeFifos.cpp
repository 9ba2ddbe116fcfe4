//===- SizeFifos.cpp - Depths of streams ----------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// When a unit reads and writes does not depend on data, so a simulation of a
// few frames shows everything that can happen. Whether a graph stops does not
// depend on timing at all; how fast it runs does.
//===----------------------------------------------------------------------===//
#include "Design.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include <numeric>

namespace qopt::hls {
#include "qopt/Target/HLS/SizeFifos.h.inc"
} // namespace qopt::hls

using namespace mlir;
using namespace qopt::hls;

LogicalResult qopt::hls::checkGraph(func::FuncOp function) {
  if (!function.getBody().hasOneBlock())
    return function.emitError("expects one block of units");
  auto isStream = [](Type type) { return isa<StreamType>(type); };
  Block &block = function.getBody().front();
  if (!llvm::all_of(block.getArgumentTypes(), isStream))
    return function.emitError("expects streams as arguments");
  for (Operation &op : block)
    if (!op.hasTrait<OpTrait::IsTerminator>() &&
        !isa<HLSDialect>(op.getDialect()))
      return op.emitError("expects units of hls, got '") << op.getName() << "'";
  return success();
}

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

void Graph::prepareSimulation() {
  for (auto &unit : units) {
    std::vector<Action> schedule;
    schedule.reserve(unit->cycles());
    for (int64_t i = 0, count = unit->cycles(); i < count; ++i)
      schedule.push_back(unit->action(i));
    schedules.push_back(std::move(schedule));
    SmallVector<int> reads, writes;
    for (Value operand : unit->op()->getOperands())
      reads.push_back(getChannel(operand));
    for (Value result : unit->op()->getResults())
      writes.push_back(getChannel(result));
    inputs.push_back(std::move(reads));
    outputs.push_back(std::move(writes));
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
/// Units and ports that may have something to do in a cycle: one that had to
/// wait sleeps until a neighbour has moved.
class Simulation {
public:
  Simulation(const Graph &graph, ArrayRef<int64_t> depths, int64_t interval,
             int frames)
      : graph_(graph), depths_(depths), interval_(interval), frames_(frames),
        held_(graph.channels.size(), 0), taken_(held_), arriving_(held_),
        isAwake_(graph.units.size(), true) {
    result_.peaks.assign(held_.size(), 0);
    for (size_t i = 0; i < graph.units.size(); ++i) {
      processes_.push_back(
          {&graph.schedules[i], &graph.inputs[i], &graph.outputs[i], 0, 0});
      next_.push_back(i);
    }
    for (auto [i, channel] : llvm::enumerate(graph.channels)) {
      int64_t tokens = cast<StreamType>(channel.value.getType()).getTokens();
      if (channel.writer < 0)
        sources_.push_back({int(i), tokens, 0});
      if (channel.reader < 0)
        sinks_.push_back({int(i), tokens, 0});
    }
  }

  SimulationResult run(int64_t limit) {
    std::vector<int64_t> ends;
    for (int64_t cycle = 0; int64_t(ends.size()) < frames_; ++cycle) {
      bool hasMoved = feed(cycle);
      current_.swap(next_);
      next_.clear();
      for (int unit : current_)
        isAwake_[unit] = false;
      for (int unit : current_)
        if (step(processes_[unit])) {
          hasMoved = true;
          wake(unit);
        }
      for (Port &sink : sinks_) {
        if (!held_[sink.channel])
          continue;
        touch(sink.channel);
        ++taken_[sink.channel];
        hasMoved = true;
        ++sink.done;
      }
      // A frame ends with the slowest of its outputs.
      if (llvm::all_of(sinks_, [&](const Port &sink) {
            return sink.done / sink.tokens > int64_t(ends.size());
          }))
        ends.push_back(cycle + 1);
      settle();
      if (!hasMoved || cycle >= limit) {
        result_.stops = true;
        return result_;
      }
    }
    result_.firstFrame = ends.front();
    result_.interval =
        ends.size() > 1 ? ends.back() - ends[ends.size() - 2] : ends.front();
    return result_;
  }

private:
  struct Process {
    const std::vector<Action> *schedule;
    const SmallVector<int> *inputs, *outputs;
    size_t iteration;
    int frame;
  };
  struct Port {
    int channel;
    int64_t tokens, done;
  };

  bool hasRoom(int channel) const {
    return !depths_[channel] ||
           held_[channel] + arriving_[channel] < depths_[channel];
  }
  void wake(int unit) {
    if (unit < 0 || isAwake_[unit])
      return;
    isAwake_[unit] = true;
    next_.push_back(unit);
  }
  void touch(int channel) {
    if (!taken_[channel] && !arriving_[channel])
      touched_.push_back(channel);
  }

  /// Tokens of the inputs. Waiting for the clock is progress.
  bool feed(int64_t cycle) {
    bool hasMoved = false;
    for (Port &source : sources_) {
      if (source.done == source.tokens * frames_)
        continue;
      bool isDue =
          !interval_ || source.done * interval_ <= cycle * source.tokens;
      hasMoved |= !isDue;
      if (!isDue || !hasRoom(source.channel))
        continue;
      touch(source.channel);
      ++arriving_[source.channel];
      ++source.done;
      hasMoved = true;
    }
    return hasMoved;
  }

  bool step(Process &process) {
    if (process.frame == frames_)
      return false;
    Action action = (*process.schedule)[process.iteration];
    for (size_t i = 0; i < process.inputs->size(); ++i)
      if (action.reads >> i & 1 && !held_[(*process.inputs)[i]])
        return false;
    for (size_t i = 0; i < process.outputs->size(); ++i)
      if (action.writes >> i & 1 && !hasRoom((*process.outputs)[i]))
        return false;
    for (size_t i = 0; i < process.inputs->size(); ++i)
      if (action.reads >> i & 1) {
        touch((*process.inputs)[i]);
        ++taken_[(*process.inputs)[i]];
      }
    for (size_t i = 0; i < process.outputs->size(); ++i)
      if (action.writes >> i & 1) {
        touch((*process.outputs)[i]);
        ++arriving_[(*process.outputs)[i]];
      }
    if (++process.iteration == process.schedule->size()) {
      process.iteration = 0;
      ++process.frame;
    }
    return true;
  }

  /// The end of a cycle: tokens and room become visible.
  void settle() {
    for (int channel : touched_) {
      held_[channel] += arriving_[channel] - taken_[channel];
      if (arriving_[channel])
        wake(graph_.channels[channel].reader);
      if (taken_[channel])
        wake(graph_.channels[channel].writer);
      arriving_[channel] = taken_[channel] = 0;
      result_.peaks[channel] = std::max(result_.peaks[channel], held_[channel]);
    }
    touched_.clear();
  }

  const Graph &graph_;
  ArrayRef<int64_t> depths_;
  int64_t interval_;
  int frames_;
  std::vector<int64_t> held_, taken_, arriving_;
  std::vector<char> isAwake_;
  std::vector<int> current_, next_, touched_;
  std::vector<Process> processes_;
  std::vector<Port> sources_, sinks_;
  SimulationResult result_;
};
} // namespace

SimulationResult qopt::hls::simulate(const Graph &graph,
                                     ArrayRef<int64_t> depths, int64_t interval,
                                     int frames, int64_t limit) {
  return Simulation(graph, depths, interval, frames).run(limit);
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
    // The most expensive first, as long as there is time.
    std::vector<size_t> order(depths_.size());
    std::iota(order.begin(), order.end(), 0);
    auto getCost = [&](size_t i) {
      return depths_[i] *
             cast<StreamType>(graph_.channels[i].value.getType()).getWordBits();
    };
    llvm::sort(order, [&](size_t a, size_t b) {
      return std::pair(-getCost(a), a) < std::pair(-getCost(b), b);
    });
    for (size_t i : order)
      if (getCost(i) > kSmall && spent_ < kBudget)
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

  bool isGood() {
    spent_ += kFrames * ideal_.interval * int64_t(graph_.units.size());
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
    // To a sixteenth, where finer steps save no memory.
    auto slack = [&] { return high < 64 ? 0 : high / 16; };
    for (low = 3; high - low > slack();) {
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
  /// Bits of a stream that fit a few LUTs: not worth a search.
  static constexpr int64_t kSmall = 512;
  /// Cycles of units that a search may simulate: a second or two.
  static constexpr int64_t kBudget = 400'000'000;
  const Graph &graph_;
  std::vector<int64_t> depths_;
  SimulationResult ideal_;
  int64_t limit_ = INT64_MAX, spent_ = 0;
};
} // namespace

namespace {
struct SizeFifos : qopt::hls::impl::SizeFifosBase<SizeFifos> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (failed(checkGraph(function)))
      return signalPassFailure();
    Graph graph(function);
    graph.prepareSimulation();
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
