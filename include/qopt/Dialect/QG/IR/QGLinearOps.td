//===- QGLinearOps.td - Convolution, matmul, pooling, normalization -------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_QG_LINEAR_OPS_TD
#define QOPT_QG_LINEAR_OPS_TD

include "qopt/Dialect/QG/IR/QGOpBase.td"

/// A linear op says its geometry (QGInterfaces.td); `overrides` are methods of
/// the interface that it does not take as they are.
class QG_LinearOp<string mnemonic, list<string> overrides = []>
    : QG_Op<mnemonic, "Linear",
            [DeclareOpInterfaceMethods<LinearOpInterface, overrides>]>;

def QG_ConvOp : QG_LinearOp<"conv"> {
  let summary = "channels-last convolution of any spatial rank, with groups";
  let description = [{
    `y[n, p..., o] = bias[o] + sum over (k..., c) of
       x[n, p * stride + k * dilation - pad_begin, c'] * w[o, k..., c]`
    with `c' = (o / (O/groups)) * C/groups + c`; positions outside read zero.
    Float accumulation starts at the bias and goes in index order `(k..., c)`
    with fused multiply-adds; padding taps are skipped.

    Encodings of at most 8 bits (`x` per tensor, `weight` per tensor or along
    dimension 0, result per tensor or f32) are computed as the integer dialect
    does: `acc = rne(bias / (sx * sw)) + sum (x - zx) * (w - zw)` in i32, the
    bias quotient in double; an si32 bias of scale `f32(sx * sw)` is taken as
    stored. A quantized result is `rne(f32(acc) * f32(sx * sw / sy)) + zy`,
    saturated; an f32 one is `f32(acc) * f32(sx * sw)`, an i32 one `acc` itself.
    Other encodings go through f32. `qg.conv_transpose` and `qg.matmul` (weight scales along the
    N dimension) do the same.

    * C1: `x` is `[N, s..., C]`, `weight` `[O, k..., C/groups]`, `bias` `[O]`.
    * C2: `strides`, `dilations` have one entry per spatial dimension, `pads`
      two: all begins, then all ends (as ONNX has them).
    * C3: C and O are multiples of `groups`.
    * C4: `clamp` (two stored integers, inclusive) needs a quantized result.
    * C5: all are floats or quantized; the result may be i32 if `x` and `weight`
      are quantized.

    Example:
    ```mlir
    %y = qg.conv %x, %w bias %b strides [2, 2] pads [0, 0, 1, 1]
         dilations [1, 1] groups 1
         : (tensor<1x8x8x3xf32>, tensor<16x3x3x3xf32>, tensor<16xf32>) -> tensor<1x4x4x16xf32>
    ```
  }];
  let arguments = (ins QG_Tensor:$x, QG_Tensor:$weight,
    Optional<QG_Tensor>:$bias, DenseI64ArrayAttr:$strides,
    DenseI64ArrayAttr:$pads, DenseI64ArrayAttr:$dilations, I64Attr:$groups,
    OptionalAttr<DenseI64ArrayAttr>:$clamp);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $x `,` $weight (`bias` $bias^)? `strides` $strides `pads` $pads
    `dilations` $dilations `groups` $groups (`clamp` $clamp^)? attr-dict
    `:` functional-type(operands, results)
  }];
}

def QG_ConvTransposeOp : QG_LinearOp<"conv_transpose"> {
  let summary = "channels-last transposed convolution";
  let description = [{
    The gradient of `qg.conv`: input position `i` adds `x * w[o, k]` to output
    position `i * stride + k * dilation - pad_begin`. The extent of a spatial
    result dimension is
    `(s - 1) * stride + (k - 1) * dilation + 1 - pad_begin - pad_end + output_padding`.
    `weight` is `[O, k..., C/groups]` as in `qg.conv`. Accumulation starts at
    the bias and goes in index order of `(k..., c)` with fused multiply-adds.

    * C1: `x` is `[N, s..., C]`, `weight` `[O, k..., C/groups]` with C and O
      multiples of `groups`, `bias` `[O]`.
    * C2: `strides`, `dilations` and `output_padding` have one entry per
      spatial dimension, `pads` two, and no extent of the result is empty.
    * C3: `clamp` needs a quantized result.
    * C4: all are floats or quantized.

    Example:
    ```mlir
    %y = qg.conv_transpose %x, %w bias %b strides [2, 2] pads [0, 0, 0, 0]
         dilations [1, 1] output_padding [0, 0] groups 1
         : (tensor<1x4x4x8xf32>, tensor<4x2x2x8xf32>, tensor<4xf32>) -> tensor<1x8x8x4xf32>
    ```
  }];
  let arguments = (ins QG_Tensor:$x, QG_Tensor:$weight,
    Optional<QG_Tensor>:$bias, DenseI64ArrayAttr:$strides,
    DenseI64ArrayAttr:$pads, DenseI64ArrayAttr:$dilations,
    DenseI64ArrayAttr:$output_padding, I64Attr:$groups,
    OptionalAttr<DenseI64ArrayAttr>:$clamp);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $x `,` $weight (`bias` $bias^)? `strides` $strides `pads` $pads
    `dilations` $dilations `output_padding` $output_padding
    `groups` $groups (`clamp` $clamp^)? attr-dict
    `:` functional-type(operands, results)
  }];
}

def QG_MatmulOp : QG_LinearOp<"matmul", ["canComputeWeight"]> {
  let summary = "batched matrix product with an optional bias";
  let description = [{
    `y[b..., m, n] = bias[n] + sum over k of lhs[b..., m, k] * rhs[(b...,) k, n]`,
    accumulated from the bias in index order with fused multiply-adds.

    * C1: both have rank >= 2; `rhs` has rank 2 (shared by all batches) or the
      batch dimensions of `lhs`; the result is `[b..., M, N]`.
    * C2: with `transpose_rhs` the last two dimensions of `rhs` are `[N, K]`,
      without `[K, N]`, and K is that of `lhs`.
    * C3: `bias` is `[N]`.
    * C4: `clamp` needs a quantized result.
    * C5: all are floats or quantized; the result may be i32 if `lhs` and `rhs`
      are quantized.

    A `rhs` with groups, or with a table, is computed as `fxp.group_matmul`
    says; a quantized result is that rounded. A quantized `rhs` beside a float
    `lhs` is decoded, one rounding each, and multiplied as floats are.

    Example:
    ```mlir
    %y = qg.matmul %a, %w bias %b : (tensor<1x64xf32>, tensor<64x10xf32>, tensor<10xf32>) -> tensor<1x10xf32>
    ```
  }];
  let arguments = (ins QG_Tensor:$lhs, QG_Tensor:$rhs,
    Optional<QG_Tensor>:$bias, UnitAttr:$transpose_rhs,
    OptionalAttr<DenseI64ArrayAttr>:$clamp);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs (`bias` $bias^)? (`transpose_rhs` $transpose_rhs^)?
    (`clamp` $clamp^)? attr-dict `:` functional-type(operands, results)
  }];
}

def QG_DynamicMatmulOp : QG_LinearOp<"dynamic_matmul", ["roundsInput"]> {
  let summary = "matrix product whose left rows are rounded at run time";
  let description = [{
    Every row of `lhs` (f32) is rounded to signed bytes with its own scale,
    `s = max |x| / 127` (1 where that is no normal number) and
    `q = rne(x / s)`; then
    `y[b..., m, n] = fma(sum over groups, s[b..., m], bias[n])` as
    `fxp.group_matmul` computes it. `rhs` is constant, of at most 8 bits, with
    parameters along its N dimension or per group.

    * C1: `lhs` and the result are f32, `rhs` is a quantized matrix with
      static parameters.
    * C2: these lie along N, or per group.
    * C3: the inner dimensions are equal, and the result is `[b..., M, N]`.
    * C4: `bias` is `[N]` of f32.

    Example:
    ```mlir
    %y = qg.dynamic_matmul %a, %w : (tensor<1x64xf32>, tensor<64x10x!w>) -> tensor<1x10xf32>
    ```
  }];
  let arguments = (ins QG_Tensor:$lhs, QG_Tensor:$rhs,
    Optional<QG_Tensor>:$bias, UnitAttr:$transpose_rhs);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs (`bias` $bias^)? (`transpose_rhs` $transpose_rhs^)?
    attr-dict `:` functional-type(operands, results)
  }];
}

def QG_PoolOp : QG_Op<"pool", "Pool"> {
  let summary = "channels-last max or average pooling";
  let description = [{
    Maximum or mean over a window of `[N, s..., C]`. Positions outside the
    input are ignored by `max`, by `avg` unless `count_include_pad` makes them
    zeros. `avg` adds in index order, 1,024 positions or more row by row, and
    divides by the count. A NaN in a `max` window gives NaN.

    `avg` of a per-tensor encoding into another, where all windows count the
    same `n`, is `rne(f32(sum (x - zx)) * f32(sx / (sy * n))) + zy`, saturated.

    Example:
    ```mlir
    %y = qg.pool max %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1]
         : tensor<1x8x8x4xf32> -> tensor<1x4x4x4xf32>
    ```
  }];
  let arguments = (ins QG_PoolKindAttr:$kind, QG_Tensor:$x,
    DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$strides,
    DenseI64ArrayAttr:$pads, DenseI64ArrayAttr:$dilations,
    UnitAttr:$count_include_pad);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $kind $x `kernel` $kernel `strides` $strides `pads` $pads
    `dilations` $dilations (`count_include_pad` $count_include_pad^)?
    attr-dict `:` type($x) `->` type($result)
  }];
}

def QG_ReduceOp : QG_Op<"reduce", "Reduce"> {
  let summary = "reduction over some dimensions, which disappear";
  let description = [{
    The reduced elements of one result, in row-major index order of the reduced
    dimensions, are dealt to 16 logical lanes (element `i` to lane `i mod 16`),
    each lane combines its elements in order (starting from the identity:
    0, 1, -inf, +inf), and the lanes are combined by the fixed tree
    `l[i] = l[i] op l[i+8]`, then `i+4`, `i+2`, `i+1`. Float `max`/`min` give
    NaN if any element is NaN. Integers wrap.
    `sum` of a per-tensor encoding into another is exact in i32:
    `rne(f32(sum (x - zx)) * f32(sx / sy)) + zy`, saturated.

    Example:
    ```mlir
    %y = qg.reduce sum %x axes [1, 2] : tensor<1x7x7x64xf32> -> tensor<1x64xf32>
    ```
  }];
  let arguments = (ins QG_ReduceKindAttr:$kind, QG_Tensor:$x,
                       DenseI64ArrayAttr:$axes);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $kind $x `axes` $axes attr-dict `:` type($x) `->` type($result)
  }];
}

def QG_ArgReduceOp : QG_Op<"arg_reduce", "Float"> {
  let summary = "index of the largest or smallest element of one dimension";
  let description = [{
    `kind` is `max` or `min`. Of equal elements the first wins, or the last
    with `select_last`. The first NaN wins over all numbers. The reduced dimension disappears; the result is i64.

    Example:
    ```mlir
    %y = qg.arg_reduce max %x axis 1 : tensor<2x10xf32> -> tensor<2xi64>
    ```
  }];
  let arguments = (ins QG_ReduceKindAttr:$kind, QG_Tensor:$x, I64Attr:$axis,
                       UnitAttr:$select_last);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $kind $x `axis` $axis (`select_last` $select_last^)? attr-dict
    `:` type($x) `->` type($result)
  }];
}

def QG_SoftmaxOp : QG_Op<"softmax", "Float"> {
  let summary = "softmax over the last dimension";
  let description = [{
    `e = exp(x - max(x))`, `y = e / sum(e)`, with the reductions of
    `qg.reduce` and the `exp` of Numerics.

    Example:
    ```mlir
    %y = qg.softmax %x : tensor<1x10xf32> -> tensor<1x10xf32>
    ```
  }];
  let arguments = (ins QG_Tensor:$x);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($result)";
}

#endif // QOPT_QG_LINEAR_OPS_TD
