//===- QGElementwiseOps.td - Scalar functions over tensors ----------------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_QG_ELEMENTWISE_OPS_TD
#define QOPT_QG_ELEMENTWISE_OPS_TD

include "qopt/Dialect/QG/IR/QGOpBase.td"

def QG_UnaryOp : QG_Op<"unary", "Pointwise"> {
  let summary = "scalar function of one tensor";
  let description = [{
    `kind` is one of `UnaryKind` (qopt/Numerics/Kinds.td); its value on floats
    is defined by polynomials in qopt/Numerics/Elementwise.h, not by libm.
    `is_nan` and `is_inf` give i1, all others the operand's element type.

    Example:
    ```mlir
    %y = qg.unary exp %x : tensor<4xf32> -> tensor<4xf32>
    ```
  }];
  let arguments = (ins QG_UnaryKindAttr:$kind, QG_Tensor:$x);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = "$kind $x attr-dict `:` type($x) `->` type($result)";
}

def QG_BinaryOp : QG_Op<"binary", "Pointwise"> {
  let summary = "scalar function of two tensors, with NumPy broadcasting";
  let description = [{
    Both element types are equal (or both quantized). `div` on integers
    truncates, `rem` has the sign of the dividend (C `fmod`), `mod` that of the
    divisor (NumPy `mod`). `min`/`max` give NaN if either operand is NaN.
    Integers wrap. `clamp` (two stored integers) needs a quantized result.
    An integer divided by zero is 0, as are `rem` and `mod`; shifts by the
    width or more move everything out.

    `add`, `sub`, `mul` of per-tensor encodings of at most 8 bits into one are
    those of the integer dialect:
    `rne(fma(f32(a - za), f32(sa / sy), f32(b - zb) * f32(sb / sy))) + zy` with
    `-sb` for `sub`, and `rne(f32((a - za) * (b - zb)) * f32(sa * sb / sy)) + zy`.

    Example:
    ```mlir
    %y = qg.binary add %a, %b : (tensor<2x4xf32>, tensor<4xf32>) -> tensor<2x4xf32>
    ```
  }];
  let arguments = (ins QG_BinaryKindAttr:$kind, QG_Tensor:$lhs, QG_Tensor:$rhs,
                       OptionalAttr<DenseI64ArrayAttr>:$clamp);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $kind $lhs `,` $rhs (`clamp` $clamp^)? attr-dict
    `:` functional-type(operands, results)
  }];
}

def QG_CompareOp : QG_Op<"compare", "Pointwise"> {
  let summary = "comparison of two tensors, with NumPy broadcasting; gives i1";
  let description = [{
    A comparison with NaN is false, but for `ne`.

    Example:
    ```mlir
    %y = qg.compare lt %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xi1>
    ```
  }];
  let arguments = (ins QG_ComparePredicateAttr:$predicate, QG_Tensor:$lhs,
                       QG_Tensor:$rhs);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $predicate $lhs `,` $rhs attr-dict `:` functional-type(operands, results)
  }];
}

def QG_SelectOp : QG_Op<"select", "Pointwise"> {
  let summary = "element of `on_true` where the condition holds, else of `on_false`";
  let description = [{
    NumPy broadcasting over all three.

    Example:
    ```mlir
    %y = qg.select %c, %a, %b : (tensor<4xi1>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    ```
  }];
  let arguments = (ins QG_Tensor:$condition, QG_Tensor:$on_true,
                       QG_Tensor:$on_false);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $condition `,` $on_true `,` $on_false attr-dict
    `:` functional-type(operands, results)
  }];
}

def QG_CastOp : QG_Op<"cast", "Pointwise"> {
  let summary = "conversion of the element type";
  let description = [{
    Float to integer truncates towards zero and saturates (NaN gives 0),
    integer to narrower integer wraps, to float rounds half to even, to i1
    gives `x != 0`.

    Example:
    ```mlir
    %y = qg.cast %x : tensor<4xi64> -> tensor<4xf32>
    ```
  }];
  let arguments = (ins QG_Tensor:$x);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($result)";
}

#endif // QOPT_QG_ELEMENTWISE_OPS_TD
