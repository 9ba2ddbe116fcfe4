//===- QGShapeOps.td - Data movement, blind to the element type -----------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_QG_SHAPE_OPS_TD
#define QOPT_QG_SHAPE_OPS_TD

include "qopt/Dialect/QG/IR/QGOpBase.td"

def QG_ConstantOp : QG_Op<"constant", "Constant", [ConstantLike]> {
  let summary = "tensor known at compile time";
  let description = [{
    `value` holds the stored numbers: its type has the result's shape, and its
    element type is the result's, or the storage integer of a quantized result,
    or the signless twin of an unsigned result.

    Example:
    ```mlir
    %w = qg.constant dense<[1, -2]> : tensor<2xi8> -> tensor<2x!qg.q<si8, 0.5 : 0>>
    ```
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = "$value attr-dict `->` type($result)";
  let hasFolder = 1;
}

def QG_ReshapeOp : QG_Op<"reshape", "PassThrough"> {
  let summary = "same elements in row-major order under another shape";
  let description = [{
    Example:
    ```mlir
    %y = qg.reshape %x : tensor<1x2x2x4xf32> -> tensor<1x16xf32>
    ```
  }];
  let arguments = (ins QG_Tensor:$x);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($result)";
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def QG_TransposeOp : QG_Op<"transpose", "PassThrough"> {
  let summary = "permutation of the dimensions";
  let description = [{
    Result dimension `i` is operand dimension `permutation[i]`. A per-axis
    encoding follows its axis.

    Example:
    ```mlir
    %y = qg.transpose %x perm [0, 2, 3, 1] : tensor<1x3x8x8xf32> -> tensor<1x8x8x3xf32>
    ```
  }];
  let arguments = (ins QG_Tensor:$x, DenseI64ArrayAttr:$permutation);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $x `perm` $permutation attr-dict `:` type($x) `->` type($result)
  }];
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def QG_BroadcastOp : QG_Op<"broadcast", "PassThrough"> {
  let summary = "NumPy broadcast to the result's shape";
  let description = [{
    Example:
    ```mlir
    %y = qg.broadcast %x : tensor<1x4xf32> -> tensor<2x3x4xf32>
    ```
  }];
  let arguments = (ins QG_Tensor:$x);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($result)";
  let hasFolder = 1;
}

def QG_SliceOp : QG_Op<"slice", "PassThrough"> {
  let summary = "rectangular selection with static offsets and strides";
  let description = [{
    Result dimension `i` has the extent that the result type says and reads
    `offset + j * stride`; strides may be negative (the offset is then the last
    element read first), never 0.

    Example:
    ```mlir
    %y = qg.slice %x offsets [0, 1] strides [1, 2] : tensor<2x6xf32> -> tensor<2x3xf32>
    ```
  }];
  let arguments = (ins QG_Tensor:$x, DenseI64ArrayAttr:$offsets,
                       DenseI64ArrayAttr:$strides);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $x `offsets` $offsets `strides` $strides attr-dict
    `:` type($x) `->` type($result)
  }];
  let hasFolder = 1;
}

def QG_ConcatOp : QG_Op<"concat", "SameFormat"> {
  let summary = "tensors one after another along one dimension";
  let description = [{
    Operands may have encodings of their own: each is rounded into the result's.

    Example:
    ```mlir
    %y = qg.concat %a, %b axis 1 : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<2x7xf32>
    ```
  }];
  let arguments = (ins Variadic<QG_Tensor>:$inputs, I64Attr:$axis);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $inputs `axis` $axis attr-dict `:` functional-type(operands, results)
  }];
}

def QG_PadOp : QG_Op<"pad", "PassThrough"> {
  let summary = "elements added before and after each dimension";
  let description = [{
    `mode` says what they are: `constant` the scalar `value` (of the operand's
    type; zero if absent), `reflect` without repeating the edge, `edge`,
    `wrap`. Negative amounts crop.

    Example:
    ```mlir
    %y = qg.pad constant %x low [0, 1] high [0, 1] : (tensor<2x4xf32>) -> tensor<2x6xf32>
    ```
  }];
  let arguments = (ins QG_PadModeAttr:$mode, QG_Tensor:$x,
    Optional<QG_Tensor>:$value, DenseI64ArrayAttr:$low,
    DenseI64ArrayAttr:$high);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $mode $x (`value` $value^)? `low` $low `high` $high attr-dict
    `:` functional-type(operands, results)
  }];
}

def QG_GatherOp : QG_Op<"gather", "PassThrough"> {
  let summary = "slices of one dimension picked by an index tensor";
  let description = [{
    `result[a..., i..., b...] = x[a..., indices[i...], b...]` with `a...` the
    dimensions before `axis`. Negative indices count from the end; an index
    that is out of range is an error in the interpreter and is clamped in
    compiled code.

    Example:
    ```mlir
    %y = qg.gather %x, %i axis 1 : (tensor<2x5xf32>, tensor<3xi64>) -> tensor<2x3xf32>
    ```
  }];
  let arguments = (ins QG_Tensor:$x, QG_Tensor:$indices, I64Attr:$axis);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $x `,` $indices `axis` $axis attr-dict
    `:` functional-type(operands, results)
  }];
}

#endif // QOPT_QG_SHAPE_OPS_TD
