//===- Design.h - A folded graph and its numbers --------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Token simulation and names, shared by passes, report and emission.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_HLS_DESIGN_H
#define QOPT_LIB_TARGET_HLS_DESIGN_H

#include "Unit.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <map>

namespace qopt::hls {

/// A value of the graph without its FIFO: what one unit writes and one reads.
struct Channel {
  mlir::Value value;            ///< as the writer sees it
  int writer = -1, reader = -1; ///< units; -1: the outside
  unsigned result = 0, operand = 0;
  int64_t depth = 2;
};

/// Says what is wrong with a function that is not made of units and streams.
mlir::LogicalResult checkGraph(mlir::func::FuncOp function);

/// Units and channels of a function of hls.
struct Graph {
  explicit Graph(mlir::func::FuncOp function);
  Units units;
  std::vector<Channel> channels;
  /// Channel of a value, seen through hls.fifo.
  int getChannel(mlir::Value value) const;

  /// Of every unit: what it does in a frame, and its channels.
  void prepareSimulation();
  std::vector<std::vector<Action>> schedules;
  std::vector<mlir::SmallVector<int>> inputs, outputs;

private:
  llvm::DenseMap<mlir::Value, int> byValue_;
};

struct SimulationResult {
  bool stops = false;         ///< nothing moves although frames are not done
  int64_t firstFrame = 0;     ///< cycles to the last token of the first frame
  int64_t interval = 0;       ///< cycles between the last two frames
  std::vector<int64_t> peaks; ///< most tokens in each channel
};

/// Runs `frames` frames of a graph that is prepared through channels of the
/// given depths (0: unbounded). Inputs arrive evenly, a frame in `interval`
/// cycles (0: as fast as taken). Gives up (`stops`) after `limit` cycles.
SimulationResult simulate(const Graph &graph, llvm::ArrayRef<int64_t> depths,
                          int64_t interval, int frames,
                          int64_t limit = INT64_MAX);

/// Cycles of the slowest unit.
int64_t getSlowest(const Graph &graph);

} // namespace qopt::hls

#endif // QOPT_LIB_TARGET_HLS_DESIGN_H
