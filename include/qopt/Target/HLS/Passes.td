//===- Passes.td - Folding and FIFOs of streaming graphs ------------------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_TARGET_HLS_PASSES_TD
#define QOPT_TARGET_HLS_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertFXPToHLS : Pass<"convert-fxp-to-hls", "::mlir::ModuleOp"> {
  let summary = "Turn exact integer ops into units connected by streams";
  let description = [{
    A convolution becomes a sliding window and a matrix-vector unit (or a
    depthwise unit), a matmul a matrix-vector unit, a pool a window and a pool
    unit. Zero points of inputs are folded into biases; windows are padded with
    them. Accumulators are as narrow as weights, bias and input allow. A
    requantization into up to 4 bits becomes thresholds, found by bisection in
    its reference semantics; a wider one keeps its multiplier. A value with
    several readers is forked. Everything has one lane: `hls-fold` unfolds.

    Every op without a unit is an error, and all are reported.

    {{example test/Target/HLS/fxp-to-hls.mlir}}
  }];
  let dependentDialects = ["::qopt::hls::HLSDialect"];
}

def FoldUnits : Pass<"hls-fold", "::mlir::func::FuncOp"> {
  let summary = "Choose how far every unit is unfolded";
  let description = [{
    With `cycles`, every unit becomes the smallest that handles a frame in so
    many cycles, or the largest there is. Without, the fastest design that fits
    `part` is taken. Streams get the lanes of their units, with `hls.width`
    where two units differ.

    {{example test/Target/HLS/fold.mlir}}
  }];
  let options = [
    Option<"cycles", "cycles", "int64_t", "0",
           "cycles a frame may take; 0: as few as fit the part">,
    Option<"part", "part", "std::string", "\"xc7z020\"",
           "FPGA whose resources are the limit">
  ];
}

def SizeFifos : Pass<"hls-size-fifos", "::mlir::func::FuncOp"> {
  let summary = "Give streams the depth that keeps every unit busy";
  let description = [{
    A simulation of tokens finds the least depths at which the slowest unit
    never waits for another: where branches of different length meet again, the
    shorter one has to hold what the longer one delays. All other streams hold
    two tokens. A graph that stops is an error.

    {{example test/Target/HLS/size-fifos.mlir}}
  }];
  let dependentDialects = ["::qopt::hls::HLSDialect"];
}

#endif // QOPT_TARGET_HLS_PASSES_TD
