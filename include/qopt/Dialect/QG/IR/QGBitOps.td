//===- QGBitOps.td - Bits seen as numbers of another kind ------------------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_QG_BIT_OPS_TD
#define QOPT_QG_BIT_OPS_TD

include "qopt/Dialect/QG/IR/QGOpBase.td"

def QG_BitcastOp : QG_Op<"bitcast", "Float"> {
  let summary = "the same bits under another element type";
  let description = [{
    No number is converted: an f32 of 1.0 becomes the i32 0x3F800000.

    * C1: both element types are floats or integers of one width, 8 to 64 bits.
    * C2: the result has the shape of `x`.

    Example:
    ```mlir
    %y = qg.bitcast %x : tensor<4xf32> -> tensor<4xi32>
    ```
  }];
  let arguments = (ins QG_Tensor:$x);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($result)";
}

#endif // QOPT_QG_BIT_OPS_TD
