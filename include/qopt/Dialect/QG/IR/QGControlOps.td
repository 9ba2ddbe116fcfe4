//===- QGControlOps.td - Repetition ----------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_QG_CONTROL_OPS_TD
#define QOPT_QG_CONTROL_OPS_TD

include "mlir/Interfaces/ControlFlowInterfaces.td"
include "qopt/Dialect/QG/IR/QGOpBase.td"

def QG_LoopOp : QG_Op<"loop", "Float", [
    AttrSizedOperandSegments, IsolatedFromAbove,
    SingleBlock]> {
  let summary = "a body that is run a number of times on states";
  let description = [{
    The body's arguments are the number of the step (an i64 scalar, from 0), the
    states, a slice of each of `slices` (its element at that step along
    dimension 0, or that of the step counted from the end where `reversed`
    holds), and `captures` as they are. It yields the next states, then what is
    stacked along dimension 0 of the other results, in the order of steps or
    from the end. The first results are the last states, after `count` steps.

    With `condition` the number of steps is decided at run time: a step is run
    as long as the condition holds, `count` is their bound, and the body yields
    the next condition in front of the states. Then nothing is stacked, as its
    length would be a result of the data.

    ONNX Loop, Scan, LSTM, GRU and RNN are of this form, and so is If: two loops
    of at most one step. The body sees nothing but its arguments: what rewrites
    one block of ops rewrites a body like a function.

    * C1: `count` is at least 1; `condition` is a scalar of i1.
    * C2: each of `slices` has `count` as its first extent.
    * C3: the body's arguments are a scalar of i64, the states, slices without
      their first dimension, and the captures.
    * C4: it yields the condition, if there is one, and the states, with their
      types.
    * C5: results are the states and, without `condition`, `[count, ...]` of
      every other value that it yields.
    * C6: `reversed` has one truth value for each of `slices` and then for each
      stacked result.

    Example:
    ```mlir
    %last, %all = qg.loop 3 states(%h) slices(%x) captures() reversed [false, false] {
    ^bb0(%step: tensor<i64>, %state: tensor<4xf32>, %xt: tensor<4xf32>):
      %next = qg.binary add %state, %xt : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
      qg.yield %next, %next : tensor<4xf32>, tensor<4xf32>
    } : (tensor<4xf32>, tensor<3x4xf32>) -> (tensor<4xf32>, tensor<3x4xf32>)
    ```
  }];
  let arguments = (ins I64Attr:$count, Optional<QG_Tensor>:$condition,
    Variadic<QG_Tensor>:$states, Variadic<QG_Tensor>:$slices,
    Variadic<QG_Tensor>:$captures, DenseBoolArrayAttr:$reversed);
  let results = (outs Variadic<QG_Tensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $count (`while` $condition^)? `states` `(` $states `)`
    `slices` `(` $slices `)` `captures` `(` $captures `)` `reversed` $reversed
    $body attr-dict `:` functional-type(operands, results)
  }];
  let hasCanonicalizeMethod = 1;
  let extraDecl = [{
    /// Whether slice `index` is read, or stacked result `index` (counted behind
    /// the states) written, from the end.
    bool isSliceReversed(unsigned index) { return getReversed()[index]; }
    bool isResultReversed(unsigned index) {
      return getReversed()[getSlices().size() + index];
    }
    /// Results behind the states.
    ::mlir::ResultRange getStacked() {
      return getResults().drop_front(getStates().size());
    }
    ::mlir::Block &getBlock() { return getBody().front(); }
    /// Arguments of the body.
    ::mlir::BlockArgument getStep() { return getBlock().getArgument(0); }
    ::llvm::MutableArrayRef<::mlir::BlockArgument> getStateArguments();
    ::llvm::MutableArrayRef<::mlir::BlockArgument> getSliceArguments();
    ::llvm::MutableArrayRef<::mlir::BlockArgument> getCaptureArguments();
    /// What the body yields: the condition (null without), states, elements of
    /// stacked results.
    ::mlir::Value getNextCondition();
    ::mlir::OperandRange getNextStates();
    ::mlir::OperandRange getElements();
  }];
}

def QG_YieldOp : Op<QG_Dialect, "yield", [
    Pure, Terminator, ReturnLike, HasParent<"LoopOp">]> {
  let summary = "what one step of a loop gives";
  let description = [{
    See `qg.loop`.

    Example:
    ```mlir
    %last = qg.loop 3 states(%h) slices() captures() reversed [] {
    ^bb0(%step: tensor<i64>, %state: tensor<4xf32>):
      qg.yield %state : tensor<4xf32>
    } : (tensor<4xf32>) -> tensor<4xf32>
    ```
  }];
  let arguments = (ins Variadic<QG_Tensor>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

#endif // QOPT_QG_CONTROL_OPS_TD
