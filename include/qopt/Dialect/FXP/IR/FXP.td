//===- FXP.td - The integer dialect every backend starts from -------------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_FXP_TD
#define QOPT_FXP_TD

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "qopt/Dialect/FXP/IR/FXPInterfaces.td"
include "qopt/Dialect/QG/IR/QGOpBase.td"

def FXP_Dialect : Dialect {
  let name = "fxp";
  let cppNamespace = "::qopt::fxp";
  let summary = "Exact integer tensor arithmetic";
  let description = [{
    `fxp` is what a quantized network *is* once encodings are gone: signless
    integer tensors, accumulations in i32, and explicit requantizations. Zero
    points are folded into biases where an operand is constant and are
    attributes elsewhere; signedness is an attribute. All backends (CPU, C99,
    HLS) start here, and every op is exact: two implementations agree in every
    bit or one is wrong.

    Data-movement ops of `qg` (`qg.reshape`, `qg.transpose`, ...) move stored
    integers in this dialect as well.

    Widths (the numbered constraints of an op say what its verifier checks):

    | op | takes | gives |
    |---|---|---|
    | `conv`, `matmul` | i8 or i16, and i8; bias i32 or i64 | that of the bias |
    | `mul` | i8 or i16 | i32, or i64 |
    | `sum`, `sum_pool`, `resize` | i8 or i16 | i32 |
    | `group_matmul` | i8 and i8; scales and bias f32 | f32 |
    | `decode_matmul` | f32 and i8; scales and bias f32 | f32 |
    | `quantize_rows` | f32 | i8, scales f32 |
    | `requantize` | i64, i32, i16 or i8 | integers that hold `clamp` |
    | `add` | i8 or i16 | integers that hold `clamp` |
    | `lut`, `max_pool` | i8 or i16 | the same |
    | `softmax` | i8, a table of i32 | i8 |
    | `recurrent` | i8, biases i32 | i8 |
    | `quantize` | f32 | integers that hold `clamp` |
    | `dequantize` | integers | f32 |

    That the sums of the first rows stay inside their bits is a fact of the
    whole network: `qg-verify-assignment` proves it for bytes, and products of
    i16 get sums of i64 where 32 bits are not proven.
  }];
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = ["::qopt::qg::QGDialect"];
}

def FXP_RequantizeModeAttr : AttrDef<FXP_Dialect, "RequantizeMode"> {
  let mnemonic = "mode";
  let summary = "how an accumulator becomes a stored integer";
  let description = [{
    Stored with the quantized model; a backend never changes it.
    * `#fxp.mode<f32>`: `rne(f32(acc) * f32(scale))`, i32 to f32 half to even.
    * `#fxp.mode<fixed, 31>`: a multiplier `m` in `[2^30, 2^31)` and one
      rounding of `acc * m / 2^r`, half to even.
    * `#fxp.mode<pow2>`: the same with `m = 1`.
    Then the zero point is added, then the result saturates.
  }];
  let parameters = (ins StringRefParameter<"f32, fixed or pow2">:$kind,
                        DefaultValuedParameter<"unsigned", "0">:$bits);
  let assemblyFormat = "`<` custom<ModeKind>($kind) (`,` $bits^)? `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The same as Numerics has it.
    ::qopt::RequantizeMode getRequantizeMode() const;
  }];
}

class FXP_Op<string mnemonic, list<Trait> traits = []>
    : Op<FXP_Dialect, mnemonic, !listconcat(traits, [
        Pure, DeclareOpInterfaceMethods<ReferenceOpInterface>])> {
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::RankedTensorType getResultType() {
      return ::llvm::cast<::mlir::RankedTensorType>((*this)->getResult(0).getType());
    }
  }];
}

/// An op that reads or writes stored integers.
class FXP_StoredOp<string mnemonic, list<FXP_Stored> stored,
                   list<Trait> traits = []>
    : FXP_Op<mnemonic, !listconcat(traits, [
        DeclareOpInterfaceMethods<StoredOperandsInterface>])> {
  let extraClassDefinition = [{
    ::llvm::SmallVector<::qopt::StoredValue> $cppClass::getStoredValues() {
      return {}] # !interleave(!foreach(s, stored, s.row), ", ") # [{};
    }
  }];
}

def FXP_ConvOp : FXP_StoredOp<"conv", [
    FXP_Stored<"X", "x_unsigned", "x_zp">,
    FXP_Stored<"Weight", "">], [
    DeclareOpInterfaceMethods<LinearOpInterface>]> {
  let summary = "channels-last integer convolution into i32 or i64";
  let description = [{
    `acc[n, p..., o] = bias[o] + sum (x - x_zp) * w` over the window of
    `qg.conv`, where positions outside the input are *skipped*. `x` is i8 or i16,
    read as unsigned with `x_unsigned`; `weight` is i8 signed. The importer of this
    form folds `x_zp` into `bias` when no window leaves the input, else the
    attribute stays and a backend pads with `x_zp`.

    * C1: `x` is i8 or i16, `weight` is i8.
    * C2: `weight` is `[O, k..., C/groups]` of rank 3 or more, `x` `[N,
      s..., C]`; C and O are multiples of `groups`.
    * C3: `strides`, `dilations` (positive) have one entry per spatial
      dimension, `pads` two, and the window fits into the padded input.
    * C4: the result is `[N, p..., O]` of i32, or of i64 where `x` is i16.
    * C5: `bias` is `[O]` of the result's integers.
    * C6: `fxp.levels`, where there is one, has 2^b signed bytes, b from 1 to 7:
      each weight is one of them, or 0.

    Example:
    ```mlir
    %a = fxp.conv %x, %w, %b strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1]
         groups 1 x_zp 128 x_unsigned
         : (tensor<1x8x8x3xi8>, tensor<16x3x3x3xi8>, tensor<16xi32>) -> tensor<1x8x8x16xi32>
    ```
  }];
  let arguments = (ins QG_Tensor:$x, QG_Tensor:$weight, QG_Tensor:$bias,
    DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$pads,
    DenseI64ArrayAttr:$dilations, I64Attr:$groups, I64Attr:$x_zp,
    UnitAttr:$x_unsigned);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $x `,` $weight `,` $bias `strides` $strides `pads` $pads
    `dilations` $dilations `groups` $groups `x_zp` $x_zp
    (`x_unsigned` $x_unsigned^)? attr-dict `:` functional-type(operands, results)
  }];
}

def FXP_MatmulOp : FXP_StoredOp<"matmul", [
    FXP_Stored<"Lhs", "lhs_unsigned", "lhs_zp">,
    FXP_Stored<"Rhs", "rhs_unsigned", "rhs_zp">], [
    DeclareOpInterfaceMethods<LinearOpInterface>]> {
  let summary = "batched integer matrix product into i32 or i64";
  let description = [{
    `acc[b..., m, n] = bias[n] + sum (lhs - lhs_zp) * (rhs - rhs_zp)`; shapes
    as in `qg.matmul` (`rhs` is `[.., N, K]` with `transpose_rhs`).

    * C1: `lhs` and `rhs` are i8 or i16.
    * C2: the inner dimensions are equal, and `rhs` has rank 2 or the batch
      dimensions of `lhs`.
    * C3: the result is `[b..., M, N]` of i32, or of i64 where an operand is
      i16.
    * C4: `bias` is `[N]` of the result's integers.
    * C5: `fxp.levels`, where there is one, has 2^b signed bytes, b from 1 to 7:
      each weight is one of them, or 0.

    Example:
    ```mlir
    %a = fxp.matmul %x, %w, %b lhs_zp 0 lhs_unsigned rhs_zp 0
         : (tensor<1x64xi8>, tensor<64x10xi8>, tensor<10xi32>) -> tensor<1x10xi32>
    ```
  }];
  let arguments = (ins QG_Tensor:$lhs, QG_Tensor:$rhs, QG_Tensor:$bias,
    I64Attr:$lhs_zp, UnitAttr:$lhs_unsigned, I64Attr:$rhs_zp,
    UnitAttr:$rhs_unsigned, UnitAttr:$transpose_rhs);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs `,` $bias `lhs_zp` $lhs_zp (`lhs_unsigned` $lhs_unsigned^)?
    `rhs_zp` $rhs_zp (`rhs_unsigned` $rhs_unsigned^)?
    (`transpose_rhs` $transpose_rhs^)? attr-dict
    `:` functional-type(operands, results)
  }];
}

def FXP_GroupMatmulOp : FXP_StoredOp<"group_matmul", [
    FXP_Stored<"Lhs", "lhs_unsigned", "lhs_zp">,
    FXP_Stored<"Rhs", "">], [AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<LinearOpInterface, ["getBiasOperand", "setBias"]>]> {
  let summary = "integer matrix product with scales per group, into f32";
  let description = [{
    `acc[g] = sum over k in group g of (lhs - lhs_zp) * (rhs - z)` is exact in
    i32; then `sum = fma(f32(acc[g]), scales[n, g], sum)` from +0 over the groups
    in order, and `y = fma(sum, s, bias[n])`, where `s` is `lhs_scale` or, where
    given, `lhs_scales[b..., m]`, and `z` is 0 or `rhs_zps[n, g]`. `rhs` is
    `[N, K]`, signed; group `g` is `[g * group, min((g + 1) * group, K))`.

    * C1: `lhs` and `rhs` are i8.
    * C2: `rhs` is a matrix `[N, K]` with the K of `lhs`, `group` is
      positive.
    * C3: the result is `[b..., M, N]`.
    * C4: `scales` is `[N, ceil(K / group)]` of f32.
    * C5: `bias` (`[N]`) and the result are f32.
    * C6: `lhs_scales` has one f32 for each row of `lhs`.
    * C7: `fxp.levels`, where there is one, has 2^b signed bytes, b from 1 to 7:
      each weight is one of them, or 0.
    * C8: `rhs_zps` has the shape of `scales`, in i8.

    Example:
    ```mlir
    %y = fxp.group_matmul %x, %w, %s, %b group 32 lhs_zp 0 lhs_scale 1.0
         : (tensor<1x64xi8>, tensor<10x64xi8>, tensor<10x2xf32>, tensor<10xf32>) -> tensor<1x10xf32>
    ```
  }];
  let arguments = (ins QG_Tensor:$lhs, QG_Tensor:$rhs, QG_Tensor:$scales,
    QG_Tensor:$bias, Optional<QG_Tensor>:$lhs_scales,
    Optional<QG_Tensor>:$rhs_zps, I64Attr:$group, I64Attr:$lhs_zp,
    UnitAttr:$lhs_unsigned, F32Attr:$lhs_scale);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs `,` $scales `,` $bias (`,` $lhs_scales^)?
    (`rhs_zps` $rhs_zps^)? `group` $group `lhs_zp` $lhs_zp
    (`lhs_unsigned` $lhs_unsigned^)? `lhs_scale` $lhs_scale attr-dict
    `:` functional-type(operands, results)
  }];
}

def FXP_DecodeMatmulOp : FXP_Op<"decode_matmul", [
    DeclareOpInterfaceMethods<LinearOpInterface, ["getBiasOperand", "setBias"]>]> {
  let summary = "matrix product of floats with stored weights";
  let description = [{
    `y[b..., m, n] = bias[n] + sum over k of lhs[b..., m, k] * w[n, k]`, added
    from the bias in index order by fused multiply-adds, where
    `w[n, k] = f32(rhs[n, k] - z) * s` is rounded once; `s` is
    `scales[n / r, k / c]` and `z` is 0 or `zps[n / r, k / c]` for a `block` of
    `[r, c]` weights. What `qg.matmul` of floats with the decoded matrix gives.

    * C1: `lhs`, `scales`, `bias` and the result are f32, `rhs` is i8.
    * C2: `rhs` is a matrix `[N, K]` with the K of `lhs`, `block` has two
      positive extents.
    * C3: the result is `[b..., M, N]`.
    * C4: `scales` is `[ceil(N / r), ceil(K / c)]`; `zps` has that shape in i8.
    * C5: `bias` is `[N]`.
    * C6: `fxp.levels`, where there is one, has 2^b signed bytes, b from 1 to 7:
      each weight is one of them, or 0.

    Example:
    ```mlir
    %y = fxp.decode_matmul %x, %w, %s, %b block [1, 32]
         : (tensor<1x64xf32>, tensor<10x64xi8>, tensor<10x2xf32>, tensor<10xf32>) -> tensor<1x10xf32>
    ```
  }];
  let arguments = (ins QG_Tensor:$lhs, QG_Tensor:$rhs, QG_Tensor:$scales,
    QG_Tensor:$bias, Optional<QG_Tensor>:$zps, DenseI64ArrayAttr:$block);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs `,` $scales `,` $bias (`zps` $zps^)? `block` $block attr-dict
    `:` functional-type(operands, results)
  }];
}

def FXP_QuantizeRowsOp : FXP_Op<"quantize_rows"> {
  let summary = "rows rounded to signed bytes, each with its own scale";
  let description = [{
    `scales = max |x| / 127` over the last dimension (NaN counts as 0; 1 where
    the quotient is below 2^-126), `y = min(max(rne(x / scale), -127), 127)`;
    NaN gives 0.

    * C1: `x` is f32 of rank 1 or more, `scales` has one f32 for each row.
    * C2: the result has the shape of `x` in i8.

    Example:
    ```mlir
    %q, %s = fxp.quantize_rows %x : tensor<4x64xf32> -> tensor<4x64xi8>, tensor<4xf32>
    ```
  }];
  let arguments = (ins QG_Tensor:$x);
  let results = (outs QG_Tensor:$result, QG_Tensor:$scales);
  let assemblyFormat = [{
    $x attr-dict `:` type($x) `->` type($result) `,` type($scales)
  }];
}

def FXP_RequantizeOp : FXP_StoredOp<"requantize", [
    FXP_Stored<"X", "x_unsigned", "x_zp">,
    FXP_Stored<"Result", "is_unsigned", "zp", "std::nullopt", "clamp">]> {
  let summary = "integers rescaled, shifted and saturated";
  let description = [{
    `y = min(max(round((x - x_zp) * scale) + zp, lo), hi)`, rounded by `mode`.
    `x` is i32 or i64, or i8 or i16 read as unsigned with `x_unsigned`. `scales` has one
    entry, or one per element of the last dimension. `clamp` is `[lo, hi]`, a
    part of the result's range (`unsigned` says which).

    * C1: the result has the shape of `x`.
    * C2: `scales` is a vector of f32 with 1 element or one per element of
      the last dimension.
    * C3: the result is of integers, `clamp` is `[lo, hi]` inside their
      range.
    * C4: sums of i64 are rounded in mode `fixed` or `pow2`.

    Example:
    ```mlir
    %y = fxp.requantize %a scales dense<0.25> : tensor<1xf32> x_zp 0 zp 128
         clamp [0, 255] unsigned mode <f32> : tensor<1x4xi32> -> tensor<1x4xi8>
    ```
  }];
  let arguments = (ins QG_Tensor:$x, ElementsAttr:$scales, I64Attr:$x_zp,
    UnitAttr:$x_unsigned, I64Attr:$zp, DenseI64ArrayAttr:$clamp,
    UnitAttr:$is_unsigned, FXP_RequantizeModeAttr:$mode);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $x `scales` $scales `x_zp` $x_zp (`x_unsigned` $x_unsigned^)? `zp` $zp
    `clamp` $clamp (`unsigned` $is_unsigned^)? `mode` $mode attr-dict
    `:` type($x) `->` type($result)
  }];
}

def FXP_AddOp : FXP_StoredOp<"add", [
    FXP_Stored<"Lhs", "lhs_unsigned", "zps", "0">,
    FXP_Stored<"Rhs", "rhs_unsigned", "zps", "1">,
    FXP_Stored<"Result", "is_unsigned", "zp", "std::nullopt", "clamp">]> {
  let summary = "sum of two encodings rounded into a third";
  let description = [{
    `y = saturate(round((lhs - lhs_zp) * lhs_scale + (rhs - rhs_zp) * rhs_scale) + zp)`
    where the scales are those of the operands divided by the result's. In mode
    `f32` the sum is `fma(f32(lhs - lhs_zp), lhs_scale, f32(rhs - rhs_zp) * rhs_scale)`;
    in mode `fixed<B>` both products are exact integers over a common power of
    two and are rounded once. A negative scale subtracts. NumPy broadcasting.

    * C1: there are two scales and two zero points.
    * C2: `lhs` and `rhs` are i8 or i16.
    * C3: the result has the shape that both broadcast to.
    * C4: the result is of integers, `clamp` is `[lo, hi]` inside their
      range.

    Example:
    ```mlir
    %y = fxp.add %a, %b scales [5.000000e-01, 2.500000e-01] zps [128, 0] zp 3
         clamp [0, 255] lhs_unsigned rhs_unsigned unsigned mode <f32>
         : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi8>
    ```
  }];
  let arguments = (ins QG_Tensor:$lhs, QG_Tensor:$rhs,
    DenseF32ArrayAttr:$scales, DenseI64ArrayAttr:$zps, I64Attr:$zp,
    DenseI64ArrayAttr:$clamp, UnitAttr:$lhs_unsigned, UnitAttr:$rhs_unsigned,
    UnitAttr:$is_unsigned, FXP_RequantizeModeAttr:$mode);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs `scales` $scales `zps` $zps `zp` $zp `clamp` $clamp
    (`lhs_unsigned` $lhs_unsigned^)? (`rhs_unsigned` $rhs_unsigned^)?
    (`unsigned` $is_unsigned^)? `mode` $mode attr-dict
    `:` functional-type(operands, results)
  }];
}

def FXP_MulOp : FXP_StoredOp<"mul", [
    FXP_Stored<"Lhs", "lhs_unsigned", "zps", "0">,
    FXP_Stored<"Rhs", "rhs_unsigned", "zps", "1">]> {
  let summary = "exact product of two encodings into i32 or i64";
  let description = [{
    `acc = (lhs - lhs_zp) * (rhs - rhs_zp)`, NumPy broadcasting.

    * C1: there are two zero points.
    * C2: `lhs` and `rhs` are i8 or i16.
    * C3: the result has the shape that both broadcast to, in i32, or in i64
      where both are i16.

    Example:
    ```mlir
    %a = fxp.mul %x, %g zps [128, 0] lhs_unsigned rhs_unsigned
         : (tensor<1x8x8x4xi8>, tensor<1x1x1x4xi8>) -> tensor<1x8x8x4xi32>
    ```
  }];
  let arguments = (ins QG_Tensor:$lhs, QG_Tensor:$rhs, DenseI64ArrayAttr:$zps,
    UnitAttr:$lhs_unsigned, UnitAttr:$rhs_unsigned);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs `zps` $zps (`lhs_unsigned` $lhs_unsigned^)?
    (`rhs_unsigned` $rhs_unsigned^)? attr-dict
    `:` functional-type(operands, results)
  }];
}

def FXP_LutOp : FXP_Op<"lut"> {
  let summary = "table of all stored integers applied to every element";
  let description = [{
    `y = table[x]`, the stored integer of `x` read as unsigned index.

    * C1: `table` has an entry for each integer of `x`: 256, or 65536 of i16.
    * C2: `x` is i8 or i16.
    * C3: the result has the shape of `x` in the table's integers, i8 or i16.

    Example:
    ```mlir
    %y = fxp.lut %x table dense<1> : tensor<256xi8> : tensor<4xi8> -> tensor<4xi8>
    ```
  }];
  let arguments = (ins QG_Tensor:$x, ElementsAttr:$table);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = "$x `table` $table attr-dict `:` type($x) `->` type($result)";
}

def FXP_SoftmaxOp : FXP_StoredOp<"softmax", [
    FXP_Stored<"X", "x_unsigned">,
    FXP_Stored<"Result", "is_unsigned", "zp", "std::nullopt", "clamp">]> {
  let summary = "softmax over the last dimension by a table and a division";
  let description = [{
    `d = max(x) - x`, `e = table[d]`, `y = min(max((512 * e + sum(e)) / (2 *
    sum(e)) + zp, lo), hi)` in unsigned 32 bits, the quotient cut off: a
    probability in steps of 1/256, rounded half up. The table is that of
    `getSoftmaxTable` (Numerics/Softmax.h).

    * C1: `table` has 256 i32.
    * C2: the last dimension has 1 to 65536 elements, so that no sum leaves
      32 bits.
    * C3: `x` is i8.
    * C4: the result has the shape of `x` in i8.
    * C5: `clamp` is `[lo, hi]` inside the range of the result.

    Example:
    ```mlir
    %y = fxp.softmax %x table dense<1> : tensor<256xi32> zp -128 clamp [-128, 127]
         : tensor<1x10xi8> -> tensor<1x10xi8>
    ```
  }];
  let arguments = (ins QG_Tensor:$x, ElementsAttr:$table, UnitAttr:$x_unsigned,
    I64Attr:$zp, DenseI64ArrayAttr:$clamp, UnitAttr:$is_unsigned);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $x `table` $table (`x_unsigned` $x_unsigned^)? `zp` $zp `clamp` $clamp
    (`unsigned` $is_unsigned^)? attr-dict `:` type($x) `->` type($result)
  }];
}

def FXP_MaxPoolOp : FXP_StoredOp<"max_pool", [
    FXP_Stored<"X", "x_unsigned">,
    FXP_Stored<"Result", "x_unsigned">]> {
  let summary = "maximum of stored integers over windows";
  let description = [{
    Positions outside the input are skipped. Attributes as in `qg.pool`.

    * C1: `x` is i8 or i16.
    * C2: the window fits into the padded input.
    * C3: the result is `[N, p..., C]` of the integers of `x`.

    Example:
    ```mlir
    %y = fxp.max_pool %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0]
         dilations [1, 1] x_unsigned : tensor<1x8x8x4xi8> -> tensor<1x4x4x4xi8>
    ```
  }];
  let arguments = (ins QG_Tensor:$x, DenseI64ArrayAttr:$kernel,
    DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$pads,
    DenseI64ArrayAttr:$dilations, UnitAttr:$x_unsigned);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $x `kernel` $kernel `strides` $strides `pads` $pads `dilations` $dilations
    (`x_unsigned` $x_unsigned^)? attr-dict `:` type($x) `->` type($result)
  }];
}

def FXP_SumPoolOp : FXP_StoredOp<"sum_pool", [
    FXP_Stored<"X", "x_unsigned", "x_zp">]> {
  let summary = "exact sum of `x - x_zp` over windows into i32";
  let description = [{
    The integer part of an average pool (positions outside are skipped); the
    division is in the scale of the requantization that follows. All windows
    count the same number of positions, or padding counts as zero.

    * C1: `x` is i8 or i16.
    * C2: the window fits into the padded input.
    * C3: the result is `[N, p..., C]` of i32.

    Example:
    ```mlir
    %a = fxp.sum_pool %x kernel [7, 7] strides [1, 1] pads [0, 0, 0, 0]
         dilations [1, 1] x_zp 0 x_unsigned : tensor<1x7x7x8xi8> -> tensor<1x1x1x8xi32>
    ```
  }];
  let arguments = (ins QG_Tensor:$x, DenseI64ArrayAttr:$kernel,
    DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$pads,
    DenseI64ArrayAttr:$dilations, I64Attr:$x_zp, UnitAttr:$x_unsigned);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $x `kernel` $kernel `strides` $strides `pads` $pads `dilations` $dilations
    `x_zp` $x_zp (`x_unsigned` $x_unsigned^)? attr-dict
    `:` type($x) `->` type($result)
  }];
}

def FXP_SumOp : FXP_StoredOp<"sum", [
    FXP_Stored<"X", "x_unsigned", "x_zp">]> {
  let summary = "exact sum of `x - x_zp` over some dimensions, which disappear";
  let description = [{
    * C1: `x` is i8 or i16.
    * C2: `axes` are distinct dimensions of `x`.
    * C3: the result has the other dimensions, in i32.

    Example:
    ```mlir
    %a = fxp.sum %x axes [1, 2] x_zp 0 x_unsigned : tensor<1x7x7x8xi8> -> tensor<1x8xi32>
    ```
  }];
  let arguments = (ins QG_Tensor:$x, DenseI64ArrayAttr:$axes, I64Attr:$x_zp,
                       UnitAttr:$x_unsigned);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $x `axes` $axes `x_zp` $x_zp (`x_unsigned` $x_unsigned^)? attr-dict
    `:` type($x) `->` type($result)
  }];
}

def FXP_ResizeOp : FXP_StoredOp<"resize", [
    FXP_Stored<"X", "x_unsigned", "x_zp">]> {
  let summary = "weighted sums of neighbours along some dimensions into i32";
  let description = [{
    Along each of `axes` an output position sums `taps` input positions times
    integer coefficients, of `x - x_zp` in the first, of sums in the others; all
    is exact. `positions` and `coefficients` have `taps` entries for each output
    position of the first axis, then those of the next. What the coefficients of
    an axis add up to is in the scale of the requantization that follows.

    * C1: `x` is i8 or i16.
    * C2: `axes` are distinct dimensions, at least one, with a positive number of
      `taps` each.
    * C3: the result has the other extents of `x`, in i32.
    * C4: there are `taps` positions and coefficients for each output position
      of each axis, inside the input.
    * C5: no sum leaves 32 bits: 255 (65535 of i16) times the product over the axes of the
      largest sum of magnitudes is below 2^31.

    Example:
    ```mlir
    %a = fxp.resize %x axes [1] taps [2] positions [0, 0, 0, 1, 0, 1, 1, 1]
         coefficients [2, 2, 3, 1, 1, 3, 2, 2] x_zp 0 x_unsigned
         : tensor<1x2x8xi8> -> tensor<1x4x8xi32>
    ```
  }];
  let arguments = (ins QG_Tensor:$x, DenseI64ArrayAttr:$axes,
    DenseI64ArrayAttr:$taps, DenseI64ArrayAttr:$positions,
    DenseI32ArrayAttr:$coefficients, I64Attr:$x_zp, UnitAttr:$x_unsigned);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $x `axes` $axes `taps` $taps `positions` $positions
    `coefficients` $coefficients `x_zp` $x_zp (`x_unsigned` $x_unsigned^)?
    attr-dict `:` type($x) `->` type($result)
  }];
}

def FXP_RecurrentOp : FXP_Op<"recurrent", [
    DeclareOpInterfaceMethods<StoredOperandsInterface>]> {
  let summary = "an LSTM, GRU or RNN layer over a sequence of bytes";
  let description = [{
    One direction of a layer on `x` `[T, B, I]`. Hidden state and cell state are
    16-bit integers in steps of `2^-hidden_bits` and `2^-cell_bits`. Each of T
    steps, in order or with `reversed` from the end:

    * `h8 = sat(round(h * scales[1]) + state_zps[0])` in signed bytes;
    * `a = sat(round((bias + w * (x - x_zp)) * x_scales))` and `b =
      sat(round((state_bias + r * h8) * state_scales))`, for each gate in 16 bits,
      steps of 2^-12. `state_bias` has the zero point of `h8` in it;
    * gates of steps 2^-15 through the table of `getSigmoidTable`
      (Numerics/Recurrent.h), which holds tanh as well;
    * `lstm` (rows i, f, g, o): `c = f * c + i * g`, `h = o * tanh(c)`;
      `gru` (rows z, r, n): `h = (1 - z) * n + z * h` with
      `n = tanh(a + r * b)`, or with `reset_first` the product of n is made of
      `sat(round(r * h * scales[2]) + state_zps[1])`; `rnn`: `h = tanh(a + b)`.

    The result has a row `[B, H]` of hidden states for each step, or with
    `last_only` that of the last step, `sat(round(h * scales[3]) + zp)`, and with
    `with_cell` one more: `sat(round(c * scales[5]) + zp)`. `scales[0]` and
    `scales[4]` make states of the bytes in `hidden` and `cell`. All roundings
    are of `mode`.

    * C1: `x`, `w`, `r`, `hidden` and `cell` are i8; `x` is `[T, B, I]`, with T
      positive, `hidden` `[B, H]`; `cell` of that type is there for `lstm` alone.
    * C2: `kind` is lstm, gru or rnn; `w` is `[G * H, I]` and `r` `[G * H, H]`
      for its 4, 3 or 1 gates; `reset_first` is for `gru`, `with_cell` for `lstm`.
    * C3: both biases are `[G * H]` of i32.
    * C4: `x_scales` and `state_scales` are `[G * H]` of f32; there are 6 `scales`
      and 2 `state_zps`, in signed bytes.
    * C5: `hidden_bits` and `cell_bits` are 4 to 15; `mode` is not f32.
    * C6: the result has the rows said above in i8, and `clamp` is in its range.

    Example:
    ```mlir
    %y = fxp.recurrent %x, %w, %r, %b, %c, %h {kind = "rnn", x_zp = 0,
           hidden_zp = 0, cell_zp = 0, zp = 0, clamp = array<i64: -128, 127>,
           x_scales = dense<1.0> : tensor<1xf32>,
           state_scales = dense<1.0> : tensor<1xf32>,
           scales = array<f32: 1.0, 1.0, 1.0, 1.0, 1.0, 1.0>,
           state_zps = array<i64: 0, 0>, hidden_bits = 15, cell_bits = 15,
           mode = #fxp.mode<fixed, 31>}
         : (tensor<2x1x3xi8>, tensor<1x3xi8>, tensor<1x1xi8>, tensor<1xi32>,
            tensor<1xi32>, tensor<1x1xi8>) -> tensor<2x1x1xi8>
    ```
  }];
  let arguments = (ins QG_Tensor:$x, QG_Tensor:$w, QG_Tensor:$r,
    QG_Tensor:$bias, QG_Tensor:$state_bias, QG_Tensor:$hidden,
    Optional<QG_Tensor>:$cell, StrAttr:$kind, UnitAttr:$reversed,
    UnitAttr:$reset_first, UnitAttr:$last_only, UnitAttr:$with_cell,
    I64Attr:$x_zp, UnitAttr:$x_unsigned, I64Attr:$hidden_zp,
    UnitAttr:$hidden_unsigned, I64Attr:$cell_zp, UnitAttr:$cell_unsigned,
    I64Attr:$zp, DenseI64ArrayAttr:$clamp, UnitAttr:$is_unsigned,
    ElementsAttr:$x_scales, ElementsAttr:$state_scales,
    DenseF32ArrayAttr:$scales, DenseI64ArrayAttr:$state_zps,
    I64Attr:$hidden_bits, I64Attr:$cell_bits, FXP_RequantizeModeAttr:$mode);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $x `,` $w `,` $r `,` $bias `,` $state_bias `,` $hidden (`,` $cell^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let extraClassDeclaration = [{
    ::mlir::RankedTensorType getResultType() {
      return ::llvm::cast<::mlir::RankedTensorType>((*this)->getResult(0).getType());
    }
    /// Rows of weights for each element of the hidden state: 4, 3 or 1.
    int64_t countGates();
    /// Of the whole sequence.
    int64_t countMacs();
  }];
}

def FXP_QuantizeOp : FXP_StoredOp<"quantize", [
    FXP_Stored<"Result", "is_unsigned", "zps", "std::nullopt", "clamp">]> {
  let summary = "floats rounded into stored integers";
  let description = [{
    `y = min(max(rne(x / scale) + zp, lo), hi)`, f32 division; NaN gives `zp`.
    `scales` has one entry, or one per element of dimension `axis`.

    * C1: the result has the shape of `x`.
    * C2: there is one zero point for each scale.
    * C3: there is 1 scale or one per element of dimension `axis`.
    * C4: the result is of integers, `clamp` is `[lo, hi]` inside their
      range.

    Example:
    ```mlir
    %y = fxp.quantize %x scales dense<0.5> : tensor<1xf32> zps [128] axis 0
         clamp [0, 255] unsigned : tensor<4xf32> -> tensor<4xi8>
    ```
  }];
  let arguments = (ins QG_Tensor:$x, ElementsAttr:$scales,
    DenseI64ArrayAttr:$zps, I64Attr:$axis, DenseI64ArrayAttr:$clamp,
    UnitAttr:$is_unsigned);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $x `scales` $scales `zps` $zps `axis` $axis `clamp` $clamp
    (`unsigned` $is_unsigned^)? attr-dict `:` type($x) `->` type($result)
  }];
}

def FXP_DequantizeOp : FXP_StoredOp<"dequantize", [
    FXP_Stored<"X", "x_unsigned", "zps">]> {
  let summary = "floats that stored integers stand for";
  let description = [{
    `y = f32(x - zp) * scale`, one rounding.

    * C1: the result has the shape of `x`.
    * C2: there is one zero point for each scale.
    * C3: there is 1 scale or one per element of dimension `axis`.

    Example:
    ```mlir
    %y = fxp.dequantize %x scales dense<0.5> : tensor<1xf32> zps [128] axis 0
         x_unsigned : tensor<4xi8> -> tensor<4xf32>
    ```
  }];
  let arguments = (ins QG_Tensor:$x, ElementsAttr:$scales,
    DenseI64ArrayAttr:$zps, I64Attr:$axis, UnitAttr:$x_unsigned);
  let results = (outs QG_Tensor:$result);
  let assemblyFormat = [{
    $x `scales` $scales `zps` $zps `axis` $axis (`x_unsigned` $x_unsigned^)?
    attr-dict `:` type($x) `->` type($result)
  }];
}

#endif // QOPT_FXP_TD
