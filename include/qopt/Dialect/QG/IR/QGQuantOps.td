//===- QGQuantOps.td - Between real numbers and encodings -----------------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_QG_QUANT_OPS_TD
#define QOPT_QG_QUANT_OPS_TD

include "qopt/Dialect/QG/IR/QGOpBase.td"

def QG_QuantizeOp : QG_Op<"quantize", "Boundary"> {
  let summary = "real numbers rounded into an encoding";
  let description = [{
    `stored = saturate(round_half_even(x / scale) + zero_point)`, the division
    in f32. NaN gives the zero point.

    * C1: `x` is of floats.
    * C2: the result is quantized, with one scale for the tensor or for each
      channel, and no table: groups and tables are for constants.
    * C3: the result has the shape of `x`.

    Example:
    ```mlir
    %q = qg.quantize %x : tensor<4xf32> -> tensor<4x!qg.q<ui8, 0.5 : 128>>
    ```
  }];
  let arguments = (ins QG_Tensor:$x);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($result)";
}

def QG_DequantizeOp : QG_Op<"dequantize", "Boundary"> {
  let summary = "real numbers that an encoding stands for";
  let description = [{
    `x = f32(stored - zero_point) * scale`, one rounding.

    * C1: the result is of floats.
    * C2: `x` is quantized, with as many parameters as its dimensions need.
    * C3: the result has the shape of `x`.

    Example:
    ```mlir
    %x = qg.dequantize %q : tensor<4x!qg.q<ui8, 0.5 : 128>> -> tensor<4xf32>
    ```
  }];
  let arguments = (ins QG_Tensor:$x);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($result)";
}

def QG_RequantizeOp : QG_Op<"requantize", "Boundary"> {
  let summary = "one encoding rounded into another";
  let description = [{
    `stored = saturate(round_half_even(f32(stored_x - zp_x) * f32(scale_x / scale)) + zp)`,
    the quotient of the scales rounded to f32 once.

    * C1: both are quantized, with as many parameters as their dimensions
      need.
    * C2: the result has the shape of `x`.

    Example:
    ```mlir
    %r = qg.requantize %q : tensor<4x!qg.q<ui8, 0.5 : 128>> -> tensor<4x!qg.q<ui8, 0.25 : 0>>
    ```
  }];
  let arguments = (ins QG_Tensor:$x);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($result)";
}

def QG_ObserveOp : QG_Op<"observe", "PassThrough"> {
  let summary = "point where calibration looks at a tensor";
  let description = [{
    The identity. `qg-insert-observers` puts it behind every tensor that may be
    quantized; `name` is the key of its statistics in the profile.

    Example:
    ```mlir
    %y = qg.observe "conv1" %x : tensor<1x4xf32> -> tensor<1x4xf32>
    ```
  }];
  let arguments = (ins StrAttr:$name, QG_Tensor:$x);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = "$name $x attr-dict `:` type($x) `->` type($result)";
}

#endif // QOPT_QG_QUANT_OPS_TD
