//===- Passes.td - Which tensors get which encodings ----------------------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_ASSIGNMENT_PASSES_TD
#define QOPT_ASSIGNMENT_PASSES_TD

include "mlir/Pass/PassBase.td"

def AssignFormats : Pass<"qg-assign-formats", "::mlir::func::FuncOp"> {
  let summary = "Decide what becomes 8 bits (scheme w8a8)";
  let description = [{
    Writes `#qg.format` decisions: on every `qg.observe` the encoding of its
    tensor (unsigned 8 bits, asymmetric, from `qg.range`), as
    `qg.weight_format` on every linear op that of its weight (signed 8 bits,
    symmetric, one scale per output channel), and `#qg.format<f32, "reason">`
    on every tensor and op that stays float.

    * Inputs of convolutions and of matmuls are 8 bits.
    * Sums, products, average pools, concatenations and pointwise regions are
      computed in integers where everything that reads their result is.
      A residual stream that a normalization also reads stays float: rounding
      it to 8 bits costs more accuracy than it saves time.
    * A tensor that one pointwise region alone reads is not rounded before it
      (`pre-activation=f32`): a linear op hands on its exact sum, and the
      region's result is rounded once. `int8` rounds both, so that the region
      is a table of 256 bytes: what targets without floats need.
    * Moves and maxima keep the encoding of their input; an operand that only a
      concatenation reads takes the encoding of its result.
    * A tensor whose predicted signal-to-noise ratio in 8 bits is below
      `min-sqnr` stays float, and so do the linear ops that read it; names in
      `keep-float` likewise.
    * A weight's scale is raised where the bias would not fit 32 bits.

    {{example test/Assignment/assign-formats.mlir}}
  }];
  let options = [
    Option<"minSqnr", "min-sqnr", "double", "10.0",
           "Least predicted signal-to-noise ratio in dB of an 8-bit tensor">,
    Option<"preActivation", "pre-activation", "std::string", "\"f32\"",
           "What a pointwise function reads that alone reads a tensor: f32, or "
           "int8 (a table)">,
    ListOption<"keepFloat", "keep-float", "std::string",
               "Names of linear ops that stay float">
  ];
}

def ApplyFormats : Pass<"qg-apply-formats", "::mlir::func::FuncOp"> {
  let summary = "Turn format decisions into quantize and dequantize";
  let description = [{
    A tensor with a decision is rounded by `qg.quantize` and `qg.dequantize`
    for the ops that compute in integers; ops that stay float read it unrounded.
    Weights become quantized constants behind `qg.dequantize`. Observers
    disappear; the reason of a float op is kept in `qg.float_reason`.

    {{example test/Assignment/apply-formats.mlir}}
  }];
}

#endif // QOPT_ASSIGNMENT_PASSES_TD
