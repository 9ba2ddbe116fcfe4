//===- QGSelectionOps.td - Which elements come first, or are taken --------===//
// SPDX-License-Identifier: Apache-2.0
//
// Ops whose results are indices or marks. How many there are is known, or has a
// bound (docs/rationale/states-and-lengths.md); what they are, data decide.
//===----------------------------------------------------------------------===//
#ifndef QOPT_QG_SELECTION_OPS_TD
#define QOPT_QG_SELECTION_OPS_TD

include "qopt/Dialect/QG/IR/QGOpBase.td"

def QG_TopKOp : QG_Op<"top_k", "Float"> {
  let summary = "indices of the largest or smallest elements, in order";
  let description = [{
    Along `axis`, the indices of as many elements as the result has positions:
    those that `max` puts in front in descending, `min` in ascending order. Of
    equal elements (-0 and 0 are equal) the one of lower index comes first. NaN is
    greater than every number. With all positions it is a stable sort.

    * C1: `kind` is `max` or `min`, the result i64.
    * C2: `x` consists of floats or integers.
    * C3: the result has the shape of `x`, but for `axis`, where it has no more
      positions.

    Example:
    ```mlir
    %i = qg.top_k max %x axis 1 : tensor<2x10xf32> -> tensor<2x3xi64>
    ```
  }];
  let arguments = (ins QG_ReduceKindAttr:$kind, QG_Tensor:$x,
                       ConfinedAttr<I64Attr, [IntNonNegative]>:$axis);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $kind $x `axis` $axis attr-dict `:` type($x) `->` type($result)
  }];
}

def QG_CompactOp : QG_Op<"compact", "Float"> {
  let summary = "positions of the marked elements, in order";
  let description = [{
    The positions of the elements of `mask` that hold, in ascending order; behind
    the last of them zeros. Marked elements that find no position are left out.

    * C1: `mask` is a vector of i1, the result one of i64.

    Example:
    ```mlir
    %p = qg.compact %mask : tensor<10xi1> -> tensor<10xi64>
    ```
  }];
  let arguments = (ins QG_Tensor:$mask);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = "$mask attr-dict `:` type($mask) `->` type($result)";
}

def QG_SuppressOp : QG_Op<"suppress", "Float"> {
  let summary = "greedy suppression of boxes that overlap";
  let description = [{
    For each list of boxes, in order of position: a box is kept if it `isValid`,
    fewer than `limit` have been kept before it, and its overlap with none of them
    is greater than `overlap`. The overlap of two boxes is the area of their
    intersection divided by that of their union, each operation in f32, and 0
    where the intersection or one of the three areas is not positive. A box has
    two opposite corners, in any order.

    Source: NonMaxSuppression of the ONNX operator set 11, whose sorting by score
    is `qg.top_k`.

    * C1: `boxes` is `[..., n, 4]` of f32; `isValid` and the result are `[..., n]`
      of i1.
    * C2: `overlap` is a scalar of f32, `limit` one of i64.

    Example:
    ```mlir
    %k = qg.suppress %boxes, %valid, %overlap, %limit : (tensor<3x10x4xf32>, tensor<3x10xi1>, tensor<f32>, tensor<i64>) -> tensor<3x10xi1>
    ```
  }];
  let arguments = (ins QG_Tensor:$boxes, QG_Tensor:$isValid, QG_Tensor:$overlap,
                       QG_Tensor:$limit);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $boxes `,` $isValid `,` $overlap `,` $limit attr-dict
    `:` functional-type(operands, results)
  }];
}

#endif // QOPT_QG_SELECTION_OPS_TD
