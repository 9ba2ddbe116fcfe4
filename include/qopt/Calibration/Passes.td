//===- Passes.td - Passes around a calibration run ------------------------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_CALIBRATION_PASSES_TD
#define QOPT_CALIBRATION_PASSES_TD

include "mlir/Pass/PassBase.td"

def InsertObservers : Pass<"qg-insert-observers", "::mlir::ModuleOp"> {
  let summary = "Mark every tensor that may be quantized";
  let description = [{
    Puts `qg.observe` behind the float inputs of `@main`, the results of linear
    ops (behind the relu or clip that will fold into their saturation), of
    average pools, sums, softmax and concat, of sums, products and quotients of two
    tensors, and behind pointwise regions. Tensors that are moved only keep the
    encoding of their source and are not marked. What only depthwise
    convolutions read gets `qg.per_channel`: calibration keeps the range of
    each of its channels. What matrix products read gets `qg.per_row`:
    calibration counts its rows by their energy. Names are those of the nodes,
    with `#2`, `#3` where they repeat.

    Declines: constants, tensors that are not f32, functions other than
    `@main`.

    {{example test/Calibration/insert-observers.mlir}}
  }];
  let dependentDialects = ["::qopt::qg::QGDialect"];
}

def ApplyProfile : Pass<"qg-apply-profile", "::mlir::ModuleOp"> {
  let summary = "Write the ranges of a profile onto the observed tensors";
  let description = [{
    Every `qg.observe` gets `qg.range` (the range to represent, read off the
    profile by `method`) and `qg.sqnr` (the signal-to-noise ratio in dB that
    8 bits will give, predicted from the histogram). Where ranges by channel are
    wanted (`qg.per_channel`) and known, they become `qg.channel_ranges`: lows,
    then highs. What a matrix product reads (`qg.per_row`) gets `qg.row_sqnr`,
    the same ratio as the mean over rows; what was infinite or NaN
    `qg.not_finite`, the number of such values.

    Declines with an error: a profile of a newer schema, of another model (the
    tensor is named), or without the values that the method needs.

    {{example test/Calibration/apply-profile.mlir}}
  }];
  let options = [
    Option<"profile", "profile", "std::string", "\"\"",
           "File of schema qopt.profile/1">,
    Option<"method", "method", "std::string", "\"mse\"",
           "min-max, moving-average, percentile:P, entropy or mse">
  ];
}

#endif // QOPT_CALIBRATION_PASSES_TD
