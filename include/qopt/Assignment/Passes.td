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
      is a table of 256 bytes: what targets without floats need. They also get
      bytes as results, and before the softmax of a result.
    * A tensor that depthwise convolutions alone read has a scale for each
      channel (from `qg.channel_ranges`) under one zero point: its channels may
      be multiplied in the weights of the convolution that makes it, or in f32
      before it is rounded. `qg-fold-qdq` makes one scale of them.
    * Moves and maxima keep the encoding of their input; an operand that only a
      concatenation reads takes the encoding of its result.
    * A tensor whose predicted signal-to-noise ratio in 8 bits is below
      `min-sqnr` stays float, and so do the linear ops that read it; names in
      `keep-float` likewise.
    * A matrix product whose rows differ so much that one scale leaves them less
      than `row-sqnr` (`qg.row_sqnr`, the mean over rows) gets `qg.rounds_rows`:
      its rows are rounded at run time (`qg.dynamic_matmul`). Where that cannot
      be, or with weights below 8 bits, it needs less than `min-sqnr`; a product
      of two computed tensors then stays float. Not with `pre-activation=int8`,
      and not where fewer than 8 bits were asked for.
    * Weights have `weight-format`; an op that carries `qg.weights` (a string of
      the same form, from a plan or a recipe) has its own, and with `f32` it
      stays float. Groups are for matmuls and pointwise convolutions; other ops
      get one scale per output channel.
    * A weight's scale is raised where the bias would not fit 32 bits.

    {{example test/Assignment/assign-formats.mlir}}
  }];
  let options = [
    Option<"minSqnr", "min-sqnr", "double", "10.0",
           "Least predicted signal-to-noise ratio in dB of an 8-bit tensor">,
    Option<"rowSqnr", "row-sqnr", "double", "20.0",
           "Least predicted signal-to-noise ratio in dB of the rows of a matrix "
           "product under one scale">,
    Option<"preActivation", "pre-activation", "std::string", "\"f32\"",
           "What a pointwise function reads that alone reads a tensor: f32, or "
           "int8 (a table)">,
    Option<"weightFormat", "weight-format", "std::string", "\"si8\"",
           "Format of weights, a row of docs/reference/formats.md, with :gN for "
           "groups of N elements">,
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

def QuantizeDynamic : Pass<"qg-quantize-dynamic", "::mlir::func::FuncOp"> {
  let summary = "Round the rows of matrix products at run time";
  let description = [{
    `qg.matmul` of f32 rows and a constant matrix becomes `qg.dynamic_matmul`:
    the matrix is rounded now (`weight-format` or the op's own `qg.weights`, as
    `qg-assign-formats` has it),
    every row of the other operand when it is there, to signed bytes with a
    scale of its own. No data are needed. Everything else stays float, linear
    ops with a `qg.float_reason`: convolutions, products of two computed
    tensors (attention), stacks of matrices.

    {{example test/Assignment/quantize-dynamic.mlir}}
  }];
  let options = [
    Option<"weightFormat", "weight-format", "std::string", "\"si8\"",
           "Format of weights, a row of docs/reference/formats.md, with :gN for "
           "groups of N elements">
  ];
}

def EncodeConstants : Pass<"qg-encode-constants", "::mlir::func::FuncOp"> {
  let summary = "Encode the constant tensors that sums, products and "
                "concatenations read";
  let description = [{
    On a target without floats an f32 constant of several numbers beside a
    computed tensor (a grid, a position embedding, a class token, a mask) becomes
    unsigned bytes of one scale, which cover its range, or hold it exactly where
    it consists of 0 and 1.

    Declines: equal numbers, which fold into tables; numbers that are not finite.

    {{example test/Assignment/encode-constants.mlir}}
  }];
  let dependentDialects = ["::qopt::qg::QGDialect"];
}

def ApplyPlan : Pass<"qg-apply-plan", "::mlir::ModuleOp"> {
  let summary = "Write a plan's decisions on the layers";
  let description = [{
    Reads a plan (`qopt plan -o FILE`) and writes `qg.weights` (the format of
    the weight, as `qg-assign-formats` reads it) and `qg.rounding` on every op
    that the plan names. Layers that the module lacks, weights that are not
    constant and formats that do not exist are all listed, and nothing is
    written.

    {{example test/Assignment/apply-plan.mlir}}
  }];
  let options = [
    Option<"file", "file", "std::string", "\"\"", "The plan: qopt.plan/1 JSON">
  ];
}

def VerifyAssignment : Pass<"qg-verify-assignment", "::mlir::func::FuncOp"> {
  let summary = "Prove that accumulators cannot overflow";
  let description = [{
    For every quantized convolution and matmul with constant weights: the sum
    over a channel's products for the worst input that its encoding can hold,
    and its bias, must fit a signed accumulator of `bits` bits. The weights
    themselves are read, so the bound is reached by some input. Every op and
    channel count that does not fit is an error; with `annotate` an op gets
    `qg.accumulator_bits`, the bits that it needs.

    {{example test/Assignment/verify-assignment.mlir}}
  }];
  let options = [
    Option<"bits", "bits", "unsigned", "32", "Bits of an accumulator">,
    Option<"annotate", "annotate", "bool", "false",
           "Write the bits that each op needs">
  ];
}

#endif // QOPT_ASSIGNMENT_PASSES_TD
