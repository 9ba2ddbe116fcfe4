//===- HLSTest.cpp - Formulas, simulation and FIFOs of streaming graphs ---===//
// SPDX-License-Identifier: Apache-2.0
//
// The cycles that units claim are those of the notes' formulas and those that
// the simulation of tokens takes; a FIFO is as deep as it must be, not deeper.
//===----------------------------------------------------------------------===//
#include "RunModule.h"
#include "lib/Target/HLS/Design.h"
#include "qopt/Target/HLS/Passes.h"

#include "mlir/Pass/PassManager.h"

using namespace qopt;
using namespace qopt::hls;

static mlir::func::FuncOp getMain(mlir::ModuleOp module) {
  return *module.getOps<mlir::func::FuncOp>().begin();
}

// 8x8x4 through a 3x3 window, 6 rows of 36 weights by 2 and 4, 4x4 blocks of
// the result in another order, a sum over the picture.
static constexpr const char *kChain = R"(
func.func @main(%x: !hls.stream<64 x 4 x si8>) -> !hls.stream<1 x 6 x si20> {
  %w = hls.window %x shape [8, 8, 4] kernel [3, 3] strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] fill 0 : !hls.stream<64 x 4 x si8> -> !hls.stream<576 x 4 x si8>
  %m = hls.mvu %w weights dense<3> : tensor<6x36xi8> bias dense<0> : tensor<6xi32> pe 2 simd 4 memory "lutram" : !hls.stream<576 x 4 x si8> -> !hls.stream<192 x 2 x si15>
  %f = hls.width %m : !hls.stream<192 x 2 x si15> -> !hls.stream<64 x 6 x si15>
  %p = hls.permute %f shape [8, 8, 6] permutation [1, 0, 2] : !hls.stream<64 x 6 x si15> -> !hls.stream<64 x 6 x si15>
  %s = hls.pool %p kind "sum" taps 64 channels 6 bias 0 global : !hls.stream<64 x 6 x si15> -> !hls.stream<1 x 6 x si20>
  return %s : !hls.stream<1 x 6 x si20>
}
)";

TEST(HLS, CyclesAreThoseOfTheFormulasAndOfTheSimulation) {
  mlir::OwningOpRef<mlir::ModuleOp> module = test::parse(kChain);
  ASSERT_TRUE(module);
  Graph graph(getMain(*module));
  graph.prepareSimulation();
  ASSERT_EQ(graph.units.size(), 5u);
  // (MW / S) * (MH / P) * vectors.
  EXPECT_EQ(graph.units[1]->cycles(), (36 / 4) * (6 / 2) * 64);
  // As many tokens as the wider side has.
  EXPECT_EQ(graph.units[2]->cycles(), 192);
  // A block arrives, then leaves.
  EXPECT_EQ(graph.units[3]->cycles(), 2 * 64);
  // One token an iteration at most, and all of them.
  EXPECT_GE(graph.units[0]->cycles(), 576);
  EXPECT_LE(graph.units[0]->cycles(), 576 + 2 * 8 + 8);
  for (size_t i = 0; i < graph.units.size(); ++i) {
    const Unit &unit = *graph.units[i];
    int64_t reads = 0, writes = 0;
    for (int64_t t = 0; t < unit.cycles(); ++t) {
      reads += unit.action(t).reads & 1;
      writes += unit.action(t).writes & 1;
    }
    EXPECT_EQ(reads, unit.input().getTokens()) << i;
    EXPECT_EQ(writes, unit.output().getTokens()) << i;
  }
  // Frames follow each other at the pace of the slowest unit.
  EXPECT_EQ(getSlowest(graph), 27 * 64);
  std::vector<int64_t> unbounded(graph.channels.size(), 0);
  SimulationResult free = simulate(graph, unbounded, 0, 4);
  ASSERT_FALSE(free.stops);
  EXPECT_EQ(free.interval, 27 * 64);
  // The first leaves after the fills: the window's first taps, the whole
  // matrix product, and the blocks behind it.
  EXPECT_GT(free.firstFrame, 27 * 64 + 64);
  EXPECT_LT(free.firstFrame, 27 * 64 + 3 * 64 + 100);
}

// A branch that skips a convolution: what it holds is what the window delays.
static constexpr const char *kResidual = R"(
func.func @main(%x: !hls.stream<64 x 8 x si8>) -> !hls.stream<64 x 8 x si8> {
  %a, %b = hls.fork %x : !hls.stream<64 x 8 x si8> -> !hls.stream<64 x 8 x si8>, !hls.stream<64 x 8 x si8>
  %w = hls.window %a shape [8, 8, 8] kernel [3, 3] strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] fill 0 : !hls.stream<64 x 8 x si8> -> !hls.stream<576 x 8 x si8>
  %m = hls.mvu %w weights dense<3> : tensor<8x72xi8> bias dense<0> : tensor<8xi32> pe 8 simd 8 memory "lutram" : !hls.stream<576 x 8 x si8> -> !hls.stream<64 x 8 x si16>
  %r = hls.requantize %m channels 8 multipliers dense<65536> : tensor<1xi32> shifts dense<20> : tensor<1xi8> x_zp 0 zp 0 clamp [-128, 127] : !hls.stream<64 x 8 x si16> -> !hls.stream<64 x 8 x si8>
  %s = hls.add %r, %b multipliers [65536, 65536] shift 17 zps [0, 0] zp 0 clamp [-128, 127] : (!hls.stream<64 x 8 x si8>, !hls.stream<64 x 8 x si8>) -> !hls.stream<64 x 8 x si8>
  return %s : !hls.stream<64 x 8 x si8>
}
)";

TEST(HLS, FifosAreAsDeepAsTheyMustBe) {
  mlir::OwningOpRef<mlir::ModuleOp> module = test::parse(kResidual);
  ASSERT_TRUE(module);
  mlir::PassManager manager(&test::getContext());
  manager.addNestedPass<mlir::func::FuncOp>(createSizeFifos());
  ASSERT_TRUE(mlir::succeeded(manager.run(*module)));
  Graph graph(getMain(*module));
  graph.prepareSimulation();
  std::vector<int64_t> sized;
  for (const Channel &channel : graph.channels)
    sized.push_back(channel.depth);
  std::vector<int64_t> unbounded(sized.size(), 0);
  SimulationResult ideal = simulate(graph, unbounded, getSlowest(graph), 3);
  SimulationResult result = simulate(graph, sized, 0, 3);
  ASSERT_FALSE(result.stops);
  EXPECT_LE(result.interval, ideal.interval + ideal.interval / 100);
  int deep = 0;
  for (size_t i = 0; i < sized.size(); ++i) {
    if (sized[i] == 2)
      continue;
    ++deep;
    // One token less, and frames come later, or none.
    std::vector<int64_t> less = sized;
    --less[i];
    SimulationResult slower = simulate(graph, less, 0, 3, 1 << 20);
    EXPECT_TRUE(slower.stops ||
                slower.interval > ideal.interval + ideal.interval / 100)
        << "stream " << i << " of depth " << sized[i];
  }
  EXPECT_GE(deep, 1);
  // Two tokens on the branch that waits: the graph stops.
  std::vector<int64_t> shallow(sized.size(), 2);
  EXPECT_TRUE(simulate(graph, shallow, 0, 4, 1 << 20).stops);
}
