//===- QGPositionOps.td - Elements between and at computed positions ------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_QG_POSITION_OPS_TD
#define QOPT_QG_POSITION_OPS_TD

include "qopt/Dialect/QG/IR/QGOpBase.td"

def QG_ResizeOp : QG_Op<"resize", "Pool"> {
  let summary = "interpolation along some dimensions";
  let description = [{
    The dimensions `axes` are resampled one after another in the order given,
    each with its entry of `scales`. An output position `i` of a dimension lies
    at the input coordinate that `coordinates` says (as ONNX's Resize defines
    it, computed in double) and is a weighted sum of the taps around it: two
    for `linear`, four for `cubic` (with coefficient `cubic_a`, -0.75 if
    absent), more with `antialias` where the scale is below 1. Outside counts as
    the edge, or not at all with `exclude_outside`. `roi` has the starts of the
    axes, then their ends, for `tf_crop_and_resize`.

    Taps of one input position are one tap, and taps of coefficient 0 are not
    read, so that an infinity or a NaN reaches no further than the operator
    says. Every output of a dimension then has the same number of taps: where
    there are fewer, the last is halved until there are enough
    (`qopt/Numerics/Resample.h`). In floats a sum is
    `fma(c[t], x[t], .. fma(c[1], x[1], c[0] * x[0]))`, the coefficients
    rounded to the element type.

    A per-tensor encoding of at most 8 bits into another is exact in i32: the
    coefficients of a dimension are integers over a common denominator D, the
    least one that expresses them (to 2^-12) if that leaves room for the sums,
    else the largest power of two that does; then
    `rne(f32(sum (x - zx) * c) * f32(sx / (sy * D))) + zy` with the product of
    all D, saturated.

    * C1: `axes` are distinct dimensions, at least one, with one scale each, a
      positive number.
    * C2: `roi` has two numbers for each axis where `coordinates` is
      `tf_crop_and_resize`, and is absent elsewhere.
    * C3: the extents along `axes` are from 1 to 2^20, the others are equal.
    * C4: `x` and the result are of f32, f64 or encodings.

    Example:
    ```mlir
    %y = qg.resize linear half_pixel %x axes [2, 1] scales [2.0, 2.0]
         : tensor<1x4x4x8xf32> -> tensor<1x8x8x8xf32>
    ```
  }];
  let arguments = (ins QG_ResizeModeAttr:$mode,
    QG_ResizeCoordinatesAttr:$coordinates, QG_Tensor:$x,
    DenseI64ArrayAttr:$axes, DenseF64ArrayAttr:$scales,
    OptionalAttr<DenseF64ArrayAttr>:$roi, OptionalAttr<F64Attr>:$cubic_a,
    UnitAttr:$exclude_outside, UnitAttr:$antialias);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $mode $coordinates $x `axes` $axes `scales` $scales (`roi` $roi^)?
    (`cubic_a` $cubic_a^)? (`exclude_outside` $exclude_outside^)?
    (`antialias` $antialias^)? attr-dict `:` type($x) `->` type($result)
  }];
  let extraDecl = [{
    /// The taps of each axis, in the order of `axes`.
    ::llvm::SmallVector<::qopt::ResampleTable> getTables();
    /// The same in integers, with a common denominator for each axis; nullopt
    /// where the encodings have no such form.
    std::optional<::llvm::SmallVector<::qopt::IntegerResample>> getIntegerTables();
  }];
}

def QG_ScatterOp : QG_Op<"scatter", "Float"> {
  let summary = "rows of a tensor replaced or updated at given positions";
  let description = [{
    The result is `x`, in which row `indices[i]` (of the first dimension) becomes
    row `i` of `updates` (`replace`), or its `add`, `mul`, `min` or `max` with
    that row, for `i` in order: of two updates of one row both count, and of two
    replacements the later. Negative indices count from the end; an index that
    is out of range is an error in the interpreter, and its update is left out
    in compiled code.

    * C1: `x`, `updates` and the result have one element type, `x` and the
      result one shape, of rank 1 or more.
    * C2: `indices` is a vector of integers.
    * C3: `updates` has a row of `x` for each index.
    * C4: the elements are floats or integers that `kind` is defined on.

    Example:
    ```mlir
    %y = qg.scatter add %x, %i, %u : (tensor<6x4xf32>, tensor<2xi64>, tensor<2x4xf32>) -> tensor<6x4xf32>
    ```
  }];
  let arguments = (ins QG_ScatterKindAttr:$kind, QG_Tensor:$x,
                       QG_Tensor:$indices, QG_Tensor:$updates);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $kind $x `,` $indices `,` $updates attr-dict
    `:` functional-type(operands, results)
  }];
}

#endif // QOPT_QG_POSITION_OPS_TD
