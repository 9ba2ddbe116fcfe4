//===- QGCompositeOps.td - Ops that are defined by their parts ------------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_QG_COMPOSITE_OPS_TD
#define QOPT_QG_COMPOSITE_OPS_TD

include "qopt/Dialect/QG/IR/QGOpBase.td"
include "qopt/Dialect/QG/IR/QGCompositeKinds.td"

def CompositeOpInterface : OpInterface<"CompositeOpInterface"> {
  let cppNamespace = "::qopt";
  let description = [{
    An op that is defined by other qg ops. Passes and targets that know it use
    it as it is; for the others `qg-decompose-composites` puts its parts there.
    Its reference semantics are the run of these parts, so that both have the
    same bits.
  }];
  let methods = [
    InterfaceMethod<[{
      Writes the parts with `builder` (which stands before the op, at its
      location) and gives one value per result. The op itself stays.
    }],
    "::mlir::FailureOr<::llvm::SmallVector<::mlir::Value>>", "decompose",
    (ins "::qopt::qg::ShapedBuilder &":$builder)>
  ];
}

class QG_CompositeOp<string mnemonic, list<Trait> traits = []>
    : QG_Op<mnemonic, "Float", !listconcat(traits, [
        DeclareOpInterfaceMethods<CompositeOpInterface>])> {
  let results = (outs QG_Tensor:$result);
  let extraClassDefinition = [{
    ::qopt::FormatRule $cppClass::getFormatRule() {
      return ::qopt::FormatRule::Float;
    }
    ::llvm::LogicalResult $cppClass::evaluate(
        ::llvm::ArrayRef<::qopt::Tensor> operands,
        ::llvm::SmallVectorImpl<::qopt::Tensor> &results) {
      return ::qopt::qg::evaluateByParts(*this, operands, results);
    }
  }];
}

def QG_NormalizeOp : QG_CompositeOp<"normalize"> {
  let summary = "distance from the mean, in units of the root of the variance";
  let description = [{
    Over the elements that differ in `axes` only:
    `d = x - mean(x)`, or `d = x` without `centered`; `v = mean(d * d)`;
    `y = d * (1 / sqrt(v + epsilon))` (`reciprocal`),
    `d / sqrt(v + epsilon)` (`quotient`) or `d * rsqrt(v + epsilon)` (`rsqrt`):
    the three are written by exporters and differ in their last bits. A mean is
    the sum of `qg.reduce` divided by the count. Gains and offsets stand behind
    it as `qg.binary`, where they fold into the weights that read them.

    LayerNormalization and InstanceNormalization are `centered`,
    RMSNormalization is not; GroupNormalization is one of a reshaped tensor.

    * C1: `x` is a float tensor, the result has its type.
    * C2: `axes` are dimensions of `x`, at least one, in ascending order.
    * C3: `epsilon` is finite and not negative.

    Example:
    ```mlir
    %y = qg.normalize reciprocal %x axes [1] epsilon 1.0e-5 centered : tensor<4x8xf32> -> tensor<4x8xf32>
    ```
  }];
  let arguments = (ins NormalizeForm:$form, QG_Tensor:$x,
                       DenseI64ArrayAttr:$axes, F64Attr:$epsilon,
                       UnitAttr:$centered);
  let assemblyFormat = [{
    $form $x `axes` $axes `epsilon` $epsilon (`centered` $centered^)? attr-dict
    `:` type($x) `->` type($result)
  }];
}

def QG_AttentionOp : QG_CompositeOp<"attention", [AttrSizedOperandSegments]> {
  let summary = "scaled dot-product attention, with grouped queries";
  let description = [{
    With `q` `[B, H, M, D]`, `k` `[B, G, N, D]`, `v` `[B, G, N, E]` and head `h`
    reading keys and values of `h / (H/G)`:
    `s = (q * sqrt(scale)) (k * sqrt(scale))^T`; with `softcap` > 0
    `s = softcap * tanh(s / softcap)`; then `s + bias`, `softmax` over the keys
    and the product with `v`. The bias is the sum of
    `mask` (floats, or 0 where an i1 holds and -inf elsewhere; one shorter than
    N in its last dimension, but not 1, goes on with -inf) and -inf wherever the
    distance `d = m + offset - n` of query `m` and key `n` has `d < 0` under
    `causal`, `d > left_window` or `-d > right_window` (-1: no window). With
    `lengths` (by batch) keys from `lengths[b]` on are masked and `offset` is
    `lengths[b] - M`. A query all of whose keys have a bias of -inf gives zeros.
    With `softmax_type` scores are converted to it, and the weights back.

    * C1: `q`, `k`, `v` are floats of one type and rank 4, and so is the result
      `[B, H, M, E]`.
    * C2: B agrees, D of `q` and `k`, G and N of `k` and `v`; H is a multiple
      of G.
    * C3: `mask` is i1 or float and broadcasts to `[B, H, M, N]`, apart from a
      shorter last dimension.
    * C4: `lengths` is `[B]` of i64; `offset` is 0 then.
    * C5: `scale` and `softcap` are finite and not negative, `offset` is not
      negative, windows are at least -1.
    * C6: `softmax_type` is a float type.

    Example:
    ```mlir
    %y = qg.attention %q, %k, %v scale 0.5 {causal}
         : (tensor<1x4x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x8xf32>) -> tensor<1x4x3x8xf32>
    ```
  }];
  let arguments = (ins QG_Tensor:$q, QG_Tensor:$k, QG_Tensor:$v,
    Optional<QG_Tensor>:$mask, Optional<QG_Tensor>:$lengths, F64Attr:$scale,
    DefaultValuedAttr<F64Attr, "0.0">:$softcap, UnitAttr:$causal,
    DefaultValuedAttr<I64Attr, "0">:$offset,
    DefaultValuedAttr<I64Attr, "-1">:$left_window,
    DefaultValuedAttr<I64Attr, "-1">:$right_window,
    OptionalAttr<TypeAttr>:$softmax_type);
  let assemblyFormat = [{
    $q `,` $k `,` $v (`mask` $mask^)? (`lengths` $lengths^)? `scale` $scale
    attr-dict `:` functional-type(operands, results)
  }];
}

def QG_RotaryOp : QG_CompositeOp<"rotary"> {
  let summary = "pairs of channels rotated by the angle of their position";
  let description = [{
    The first R = 2 * (last extent of `cos`) channels of `x` are pairs `(a, b)`:
    channel `i` and `i + R/2`, or `2i` and `2i + 1` with `interleaved`. They
    become `(cos * a - sin * b, sin * a + cos * b)`; the other channels stay.

    * C1: `x`, `cos`, `sin` are floats of one type, the result has the type of
      `x`.
    * C2: `cos` and `sin` have one shape; with R/2 as its last extent, the
      shape of `x` is what both broadcast to.
    * C3: R is at least 2 and at most the last extent of `x`.

    Example:
    ```mlir
    %y = qg.rotary %x, %cos, %sin
         : (tensor<1x2x5x8xf32>, tensor<5x4xf32>, tensor<5x4xf32>) -> tensor<1x2x5x8xf32>
    ```
  }];
  let arguments = (ins QG_Tensor:$x, QG_Tensor:$cos, QG_Tensor:$sin,
                       UnitAttr:$interleaved);
  let assemblyFormat = [{
    $x `,` $cos `,` $sin (`interleaved` $interleaved^)? attr-dict
    `:` functional-type(operands, results)
  }];
}

def QG_GateOp : QG_CompositeOp<"gate"> {
  let summary = "product of a tensor and a function of its gate";
  let description = [{
    `f(gate) * value` (gated linear units: GLU, ReGLU, SwiGLU, GeGLU). `f` is
    `sigmoid`, `relu`, `swish`: `g * sigmoid(alpha * g)`, `gelu`:
    `(g * 0.5) * (erf(g * sqrt(1/2)) + 1)`, or `gelu_tanh`:
    `(g * 0.5) * (tanh(sqrt(2/pi) * (g + 0.044715 * g^3)) + 1)`.

    * C1: `gate`, `value` and the result have one float type.
    * C2: `alpha` is finite, and 1 unless the kind is `swish`.

    Example:
    ```mlir
    %y = qg.gate swish %g, %x : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
    ```
  }];
  let arguments = (ins GateKind:$kind, QG_Tensor:$gate, QG_Tensor:$value,
                       DefaultValuedAttr<F64Attr, "1.0">:$alpha);
  let assemblyFormat = [{
    $kind $gate `,` $value attr-dict `:` functional-type(operands, results)
  }];
}

def QG_CacheAppendOp : QG_CompositeOp<"cache_append"> {
  let summary = "positions of a cache replaced by new ones";
  let description = [{
    `cache` but for the positions `start[b] + i` of dimension `axis`, which are
    position `i` of `update`; without `start` they begin at 0. With `circular`
    a position is taken modulo the extent of the cache; otherwise those outside
    of it are not written. In place where the cache is a state of its caller.

    * C1: `cache` and `update` have one element type (floats, integers or an
      encoding per tensor), the result has the type of `cache`.
    * C2: `axis` is a dimension of `cache` other than the first.
    * C3: their shapes agree but in `axis`, where `update` has at least one
      position and no more than `cache`.
    * C4: `start` is i64 and has one number for each position of the first
      dimension.

    Example:
    ```mlir
    %y = qg.cache_append %cache, %update start %at axis 2
         : (tensor<2x4x16x8xf32>, tensor<2x4x1x8xf32>, tensor<2xi64>) -> tensor<2x4x16x8xf32>
    ```
  }];
  let arguments = (ins QG_Tensor:$cache, QG_Tensor:$update,
                       Optional<QG_Tensor>:$start, I64Attr:$axis,
                       UnitAttr:$circular);
  let assemblyFormat = [{
    $cache `,` $update (`start` $start^)? `axis` $axis
    (`circular` $circular^)? attr-dict `:` functional-type(operands, results)
  }];
}

#endif // QOPT_QG_COMPOSITE_OPS_TD
