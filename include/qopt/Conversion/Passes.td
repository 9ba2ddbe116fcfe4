//===- Passes.td - From one dialect to another ----------------------------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_CONVERSION_PASSES_TD
#define QOPT_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertQGToFXP : Pass<"convert-qg-to-fxp", "::mlir::ModuleOp"> {
  let summary = "turn quantized qg ops into exact integer ops";
  let description = [{
    A quantized tensor becomes a tensor of its storage integer; what its type
    said becomes attributes of `fxp` ops. Zero points of inputs are folded into
    biases where no window leaves the input; a convolution or matmul into f32
    becomes the integer op and one `fxp.dequantize`. A pointwise region between
    an 8-bit dequantize and an 8-bit quantize becomes a table (`fxp.lut`),
    computed by the reference semantics of its ops. Transposed convolutions
    become convolutions (a matmul where kernel and stride are equal). A
    quantized op that has no integer form (softmax, an average pool whose
    windows count differently) is computed in float between `fxp.dequantize`
    and `fxp.quantize`. Float ops stay.

    Quantized arguments and results of functions become storage integers; the
    type they had is kept in the attribute `qg.encoding`.

    Example:
    ```mlir
    %q = qg.requantize %x : tensor<4x!qg.q<ui8, 0.5 : 128>> -> tensor<4x!qg.q<ui8, 0.25 : 0>>
    // becomes
    %q = fxp.requantize %x scales dense<2.0> : tensor<1xf32> x_zp 128 x_unsigned zp 0
         clamp [0, 255] unsigned mode <f32> : tensor<4xi8> -> tensor<4xi8>
    ```

    {{example test/Conversion/qg-to-fxp.mlir}}
  }];
  let options = [
    Option<"requantizeMode", "requantize-mode", "std::string", "\"f32\"",
           "rounding of accumulators: f32, fixed:BITS (2 to 31) or pow2; the "
           "module's attribute `qg.requantize` comes before it">,
    Option<"integerOnly", "integer-only", "bool", "false",
           "compute a softmax of bytes into steps of 1/256 as fxp.softmax">
  ];
  let dependentDialects = ["::qopt::fxp::FXPDialect", "::qopt::qg::QGDialect"];
}

def ConvertStepsToThresholds
    : Pass<"convert-steps-to-thresholds", "::mlir::ModuleOp"> {
  let summary = "turn signs of sums into thresholds by channel";
  let description = [{
    Between a product of encoded tensors and a quantize, a monotone function with
    one jump (a sign, a comparison that selects one of two numbers, with any bias
    and normalization in front of it) says for each channel whether the sum has
    reached an integer. The place of the jump is found by the reference semantics
    of the ops, and becomes the bias of a product into 32-bit sums, whose
    `fxp.requantize` saturates to one of the two levels. A sign that is 0 at one
    sum has three. A maximum over windows may lie in front of a function that
    grows.

    Declines: functions with more levels, and such that are not seen to be
    monotone; sums or values between that others read, unless `integer-only`,
    where the product is computed twice; decreasing functions behind a maximum.

    {{example test/Conversion/convert-steps-to-thresholds.mlir}}
  }];
  let options = [
    Option<"requantizeMode", "requantize-mode", "std::string", "\"f32\"",
           "as that of convert-qg-to-fxp">,
    Option<"integerOnly", "integer-only", "bool", "false",
           "compute a product twice rather than a step in float">
  ];
  let dependentDialects = ["::qopt::fxp::FXPDialect", "::qopt::qg::QGDialect"];
}

def ConvertLoopsToRecurrent : Pass<"convert-loops-to-recurrent", "::mlir::ModuleOp"> {
  let summary = "turn loops that are LSTM, GRU or RNN layers into fxp.recurrent";
  let description = [{
    A `qg.loop` whose body is the step of such a layer, with both products
    rounded to bytes, becomes one integer op between a dequantize and quantizes.
    What its readers round it to is its encoding, else that of the state that
    the body multiplies. An initial state that is given and the last state that
    is a result have one encoding, so that a caller hands bytes on as they are.

    A loop that is something else stays, with the reason in `qg.no_cell`.

    {{example test/Conversion/convert-loops-to-recurrent.mlir}}
  }];
  let options = [
    Option<"requantizeMode", "requantize-mode", "std::string", "\"fixed:31\"",
           "rounding of accumulators: fixed:BITS (2 to 31) or pow2; f32 is "
           "fixed:31, as the op has no other form">
  ];
  let dependentDialects = ["::qopt::fxp::FXPDialect", "::qopt::qg::QGDialect"];
}

def ConvertQGToLinalg : Pass<"convert-qg-to-linalg", "::mlir::ModuleOp"> {
  let summary = "Lower qg ops on plain element types to linalg on tensors";
  let description = [{
    Every op becomes `linalg.generic` and `tensor` ops on signless tensors with
    the bits of its reference semantics: convolutions and matrix products
    accumulate from the bias in index order with `math.fma`, reductions use 16
    lanes and a fixed tree, scalar functions are the polynomials of
    qopt/Numerics/Elementwise.h. Ops that compute on quantized tensors are
    refused; `convert-qg-to-fxp` comes first.

    Function signatures change to storage types (`ui8` and `!qg.q<ui8, ..>`
    become `i8`).

    {{example test/Conversion/convert-qg-to-linalg.mlir}}
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect",
    "::mlir::bufferization::BufferizationDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect",
    "::mlir::vector::VectorDialect"];
}

def ConvertFXPToLinalg : Pass<"convert-fxp-to-linalg", "::mlir::ModuleOp"> {
  let summary = "Lower fxp ops to linalg on tensors";
  let description = [{
    Every op becomes `linalg.generic` and `tensor` ops on signless tensors.
    Convolutions and pools pad with the zero point first, so that their loops
    have no conditions.

    {{example test/Conversion/convert-fxp-to-linalg.mlir}}
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect", "::mlir::vector::VectorDialect"];
}

def KeepIntegerCore : Pass<"fxp-keep-integer-core", "::mlir::ModuleOp"> {
  let summary = "Keep what lies between the last float in front and the first behind";
  let description = [{
    What quantizes the model's inputs and what makes floats of its results stays
    with the caller; `@main` becomes the integer ops between. `hls.element` of an
    argument is the integer type that holds all its values.

    Fails where a float op lies between integer ops, and where one lies behind
    them that is not a dequantize, unless `drop-head`; all are reported.

    {{example test/Conversion/keep-integer-core.mlir}}
  }];
  let options = [
    Option<"dropHead", "drop-head", "bool", "false",
           "leave float ops behind the last integers to the caller">
  ];
  let dependentDialects = ["::qopt::fxp::FXPDialect"];
}

def ConvertToLinalg : Pass<"convert-to-linalg", "::mlir::ModuleOp"> {
  let summary = "Lower qg and fxp ops to linalg on tensors at once";
  let description = [{
    `convert-qg-to-linalg` and `convert-fxp-to-linalg` in one walk over the
    module: a lowered model has float islands between its integers, and neither
    pass alone leaves types that the other takes.

    {{example test/Conversion/convert-to-linalg.mlir}}
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect",
    "::mlir::bufferization::BufferizationDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect",
    "::mlir::vector::VectorDialect"];
}

#endif // QOPT_CONVERSION_PASSES_TD
