//===- QCPU.td - Kernels of the CPU target as ops -------------------------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_QCPU_TD
#define QOPT_QCPU_TD

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def QCPU_Dialect : Dialect {
  let name = "qcpu";
  let cppNamespace = "::qopt::qcpu";
  let summary = "Kernels of the CPU target, private to it";
  let description = [{
    What the CPU target computes by hand-scheduled loops instead of `linalg`:
    products whose constant operand is packed at compile time for one machine.
    Ops are in destination style, on tensors before bufferization and on memrefs
    after it, where `qcpu-lower-kernels` turns them into scf, vector and
    intrinsics. A kernel never sees padding, zero points or signs: the staging
    op in front of it, the packed bias and the weights have absorbed them.
  }];
}

class QCPU_Op<string mnemonic, list<Trait> traits = []>
    : Op<QCPU_Dialect, mnemonic, traits>;

/// A destination-style op with one init and results only on tensors.
class QCPU_KernelOp<string mnemonic, list<Trait> traits = []>
    : QCPU_Op<mnemonic, !listconcat(traits, [
        DestinationStyleOpInterface,
        DeclareOpInterfaceMethods<MemoryEffectsOpInterface>])> {
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
  }];
}

def QCPU_Buffer : Type<
    CPred<"::llvm::isa<::mlir::RankedTensorType, ::mlir::MemRefType>($_self) && "
          "::llvm::cast<::mlir::ShapedType>($_self).hasStaticShape()">,
    "tensor or memref with a static shape", "::mlir::ShapedType">;

def QCPU_StageOp : QCPU_KernelOp<"stage"> {
  let summary = "the input of a kernel: bordered, shifted and widened";
  let description = [{
    `y[n, h + top, w + left, c] = x[n, h, w, c] - subtract`, borders are `fill`.
    `pads` is `[top, left, bottom, right]`. An i8 `x` is read as unsigned with
    `x_unsigned`; the result is i8 (wrapping) or i16; f32 is copied.

    Example:
    ```mlir
    %y = qcpu.stage pads [1, 1, 1, 1] subtract 128 fill 0 x_unsigned
         ins(%x) outs(%e) : (tensor<1x4x4x8xi8>, tensor<1x6x6x8xi16>) -> tensor<1x6x6x8xi16>
    ```
  }];
  let arguments = (ins DenseI64ArrayAttr:$pads, I64Attr:$subtract,
    I64Attr:$fill, UnitAttr:$x_unsigned, QCPU_Buffer:$x, QCPU_Buffer:$init);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    `pads` $pads `subtract` $subtract `fill` $fill (`x_unsigned` $x_unsigned^)?
    `ins` `(` $x `)` `outs` `(` $init `)` attr-dict
    `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def QCPU_PackOp : QCPU_KernelOp<"pack"> {
  let summary = "right-hand factors known at run time, in the order of kernels";
  let description = [{
    `x` with its dimensions in `order` is `[B, H, K, N]`; its last dimension is
    K or N. The result holds the matrices `(b, h)` one behind the other, each as
    the weights of a `qcpu.conv` with this `tile` and a 1x1 window; the last
    panel ends with the last vector in use. `subtract` (0 or 128) is taken off
    bytes, which wrap.

    Example: see `qcpu-select-kernels`.
  }];
  let arguments = (ins DenseI64ArrayAttr:$order, DenseI64ArrayAttr:$tile,
    I64Attr:$subtract, QCPU_Buffer:$x, QCPU_Buffer:$init);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    `order` $order `tile` $tile `subtract` $subtract
    `ins` `(` $x `)` `outs` `(` $init `)` attr-dict
    `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def QCPU_LutOp : QCPU_KernelOp<"lut"> {
  let summary = "table of 256 bytes applied to every byte, by shuffles";
  let description = [{
    `table` is 16 pieces of 16 entries, each twice (32 bytes). Pieces 0 and 8
    are entries, the others the exclusive or with the entries before them.

    Example: see `qcpu-select-kernels`.
  }];
  let arguments = (ins QCPU_Buffer:$x, QCPU_Buffer:$table, QCPU_Buffer:$init);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    `ins` `(` $x `,` $table `)` `outs` `(` $init `)` attr-dict
    `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

/// Convolution kernels differ in the order of the packed weights and in loops.
class QCPU_WindowOp<string mnemonic> : QCPU_KernelOp<mnemonic, [
    SingleBlockImplicitTerminator<"YieldOp">, IsolatedFromAbove]> {
  let arguments = (ins StrAttr:$dot, DenseI64ArrayAttr:$tile,
    DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$strides,
    DenseI64ArrayAttr:$dilations, OptionalAttr<DenseI64ArrayAttr>:$planes,
    I64Attr:$groups, UnitAttr:$x_unsigned, UnitAttr:$own_weights,
    OptionalAttr<DenseI64ArrayAttr>:$x_order,
    OptionalAttr<DenseI64ArrayAttr>:$y_order,
    QCPU_Buffer:$x, QCPU_Buffer:$weight, QCPU_Buffer:$bias,
    Variadic<QCPU_Buffer>:$extras, QCPU_Buffer:$init);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$epilogue);
  let assemblyFormat = [{
    $dot `tile` $tile `kernel` $kernel `strides` $strides
    `dilations` $dilations (`planes` $planes^)? `groups` $groups
    (`x_unsigned` $x_unsigned^)? (`own_weights` $own_weights^)?
    (`x_order` $x_order^)? (`y_order` $y_order^)?
    `ins` `(` $x `,` $weight `,` $bias `)` `extras` `(` $extras `)`
    `outs` `(` $init `)` attr-dict `:` functional-type(operands, results)
    $epilogue
  }];
  let hasVerifier = 1;
}

def QCPU_ConvOp : QCPU_WindowOp<"conv"> {
  let summary = "products of windows with packed weights, then an epilogue";
  let description = [{
    `acc[n, h, w, o] = bias[o] + sum x[n, h * sh + kh * dh, w * sw + kw * dw, c] * w[o, kh, kw, c]`,
    without padding, `y = epilogue(acc, extras...)`. Matrix products are 1x1
    windows. `tile` is `[MR, NR, L, KP]`: MR pixels by NR vectors of L channels
    are accumulated in registers, KP reduction steps by one instruction `dot`.
    `weight` is `[groups][panels][kh][steps][NR][L][KP]`, padded with zeros;
    `bias` and rank-1 extras are padded to whole panels. Other extras have the
    shape of the result, or its extents of channels or of pixels and 1 elsewhere,
    where they are repeated. A run of input that KP does not divide ends with a
    step that reads its last KP elements again, against zeros.

    A window over volumes sees planes as rows: with `planes` `[K, d, H, s]` the
    `kh` rows of the kernel are K planes, `d` rows of `x` apart, and the rows of
    the result are planes of H, for which `x` is entered `s` rows apart.

    With `own_weights` every row `(n, h)` of a 1x1 window has weights of its own
    (`qcpu.pack`), and a bias of its own if `bias` is `[rows, O]`. `x` and the
    result are those above with their dimensions in `x_order` and `y_order`: heads
    of an attention are rows without moving them.

    Example: see `qcpu-select-kernels`.
  }];
}

def QCPU_DepthwiseOp : QCPU_WindowOp<"depthwise"> {
  let summary = "one window of weights per channel, then an epilogue";
  let description = [{
    `acc[n, h, w, c] = bias[c] + sum x[n, h * sh + kh * dh, w * sw + kw * dw, c] * w[c, kh, kw]`;
    `weight` is `[panels][kh][kw][NR * L]`, `tile` is `[MR, NR, L, 1]`.

    Example: see `qcpu-select-kernels`.
  }];
}

def QCPU_GroupMatmulOp : QCPU_KernelOp<"group_matmul", [
    SingleBlockImplicitTerminator<"YieldOp">, IsolatedFromAbove]> {
  let summary = "matrix product with scales per group, then an epilogue";
  let description = [{
    `x` is `[1, 1, M, K]`. Integer sums of `group` elements start at
    `corrections` (zero if that has one element) less
    `(zps + zp) * row_sums[m, g]` (`row_sums` has one element where there is
    nothing to take off) and go into `sum = fma(f32(acc), scales, sum)` group by group; the
    epilogue gets `fma(sum, row_scales[m], bias[n])` (`row_scales` has one
    element or M). `bias` has one element where it is zero. `weight` is that of
    `qcpu.conv`; `scales` (f32 or f16) and
    `corrections` are `[panels][groups][NR * L]`, and so is `zps`, unsigned, in
    `zp_bits` bits each (none if it has one element).

    Example: see `qcpu-select-kernels`.
  }];
  let arguments = (ins StrAttr:$dot, DenseI64ArrayAttr:$tile, I64Attr:$group,
    UnitAttr:$x_unsigned, I64Attr:$zp, I64Attr:$zp_bits, QCPU_Buffer:$x,
    QCPU_Buffer:$weight, QCPU_Buffer:$scales, QCPU_Buffer:$corrections,
    QCPU_Buffer:$row_scales, QCPU_Buffer:$zps, QCPU_Buffer:$row_sums,
    QCPU_Buffer:$bias, Variadic<QCPU_Buffer>:$extras, QCPU_Buffer:$init);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$epilogue);
  let assemblyFormat = [{
    $dot `tile` $tile `group` $group (`x_unsigned` $x_unsigned^)? `zp` $zp
    $zp_bits `ins` `(` $x `,` $weight `,` $scales `,` $corrections `,`
    $row_scales `,` $zps `,` $row_sums `,` $bias `)` `extras` `(` $extras `)`
    `outs` `(` $init `)` attr-dict `:` functional-type(operands, results)
    $epilogue
  }];
  let hasVerifier = 1;
}

def QCPU_DecodeMatmulOp : QCPU_KernelOp<"decode_matmul", [
    SingleBlockImplicitTerminator<"YieldOp">, IsolatedFromAbove]> {
  let summary = "matrix product of floats with weights in codes, then an epilogue";
  let description = [{
    `x` is `[1, 1, M, K]`. `acc[m, n] = bias[n] + sum x[m, k] * w[n, k]` in the
    order of `k`, where `w = f32(level(code) - zp) * scale`, `y =
    epilogue(acc, extras...)`; `zp` is the attribute, or of `zps` if that has
    more than one element. Codes have `bits` bits; `levels` says what each
    stands for (none: bytes stand for themselves). Those of a lane that follow
    one another share a word of 32 bits, low bits first, whole words in a group:
    `weight` is `[panels][groups][words][NR * L]`, bytes `[panels][K][NR * L]`.
    A scale (f32 or f16; one for all if there is one element) belongs to `block`
    = `[1, c]` weights: `scales` is `[panels][groups][NR * L]`, and so is `zps`,
    in `bits` bits each; or to `[r, 1]`: `scales` is `[N / r][K]`, `zps`
    `[N / r][words]`. The last panel ends with the vectors in use.

    Example: see `qcpu-select-kernels`.
  }];
  let arguments = (ins StrAttr:$dot, DenseI64ArrayAttr:$tile,
    DenseI64ArrayAttr:$block, I64Attr:$bits, DenseI8ArrayAttr:$levels,
    I64Attr:$zp, QCPU_Buffer:$x, QCPU_Buffer:$weight, QCPU_Buffer:$scales, QCPU_Buffer:$zps,
    QCPU_Buffer:$bias, Variadic<QCPU_Buffer>:$extras, QCPU_Buffer:$init);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$epilogue);
  let assemblyFormat = [{
    $dot `tile` $tile `block` $block `bits` $bits `levels` $levels `zp` $zp
    `ins` `(` $x `,` $weight `,` $scales `,` $zps `,` $bias `)` `extras` `(` $extras `)`
    `outs` `(` $init `)` attr-dict `:` functional-type(operands, results)
    $epilogue
  }];
  let hasVerifier = 1;
}

def QCPU_YieldOp : QCPU_Op<"yield", [Pure, Terminator, ReturnLike,
    ParentOneOf<["ConvOp", "DepthwiseOp", "GroupMatmulOp",
                 "DecodeMatmulOp"]>]> {
  let summary = "the value an epilogue stores";
  let description = "Ends the region of a kernel op.";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
  let builders = [OpBuilder<(ins), [{ }]>];
}

#endif // QOPT_QCPU_TD
