//===- Passes.td - Passes over the quantization graph ---------------------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_TRANSFORMS_PASSES_TD
#define QOPT_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

//===----------------------------------------------------------------------===//
// Graph cleaning: the float function stays the same
//===----------------------------------------------------------------------===//

def FoldConstants : Pass<"qg-fold-constants", "::mlir::func::FuncOp"> {
  let summary = "Compute at compile time what depends on constants only";
  let description = [{
    An op whose operands are all constants is replaced by the constant that its
    reference semantics give, so folding and running can not differ. Shape
    arithmetic, re-laid-out weights and masks disappear this way.

    Declines: `qg.dequantize`, because a quantized weight must reach the linear
    op that reads it with its encoding (with `decode`, those that one reads
    alone); results larger than `max-elements`
    unless they are no larger than the operands that die with the op; ops that
    have no reference semantics.

    {{example test/Transforms/fold-constants.mlir}}
  }];
  let dependentDialects = ["::qopt::qg::QGDialect"];
  let options = [
    Option<"maxElements", "max-elements", "int64_t", "1048576",
           "Largest result in elements that may grow the module (1 Mi: 4 MiB "
           "of f32, more than any table or mask a network needs)">,
    Option<"decode", "decode", "bool", "false",
           "Also decode stored constants that no product reads: arithmetic with "
           "numbers has forms on targets without floats that arithmetic with "
           "encodings has not (off: the model said how it stores them)">
  ];
}

def DecomposeComposites
    : Pass<"qg-decompose-composites", "::mlir::func::FuncOp"> {
  let summary = "Replace ops that are defined by their parts by these parts";
  let description = [{
    `qg.normalize`, `qg.attention`, `qg.rotary`, `qg.gate`, `qg.cache_append`:
    what implements `CompositeOpInterface` becomes the ops that define it,
    with the same bits (the reference semantics of a composite op are the run of
    its parts). It stands before passes and targets that know the parts only.

    Declines: the ops that `keep` names. Fails where it names anything else.

    {{example test/Transforms/decompose-composites.mlir}}
  }];
  let dependentDialects = ["::qopt::qg::QGDialect"];
  let options = [
    ListOption<"keep", "keep", "std::string",
               "Composite ops to leave alone, by name (qg.attention)">
  ];
}

def RecognizeGrids : Pass<"qg-recognize-grids", "::mlir::func::FuncOp"> {
  let summary = "Say quantization that a file writes as arithmetic in types";
  let description = [{
    Networks that were trained with rounding arrive as floats and plain
    integers: `Round`, `Clip` and a factor (QKeras, HGQ, NEMO), a `Clip` of
    stored integers between QuantizeLinear and DequantizeLinear (Brevitas),
    weights behind `Cast`, `Sub`, `Mul`, `Reshape` (torchao). Which numbers a
    value can have follows from the ops that make it. Where they are integers
    times one scale, the value becomes `qg.quantize` and `qg.dequantize` with
    just these numbers, and a weight a quantized constant: no bit of a value
    changes, and nothing is rounded a second time later.

    * Half to even, with a quotient by the scale (or a product with its
      inverse, for powers of two), is `qg.quantize` itself; a `Clip` behind it
      is a narrower format, or a clamp in front. Any other rounding (`Floor` of
      `x + 0.5`) stays as it is and is encoded behind it.
    * Ops that move or select stored integers do so encoded.
    * `x + (q(x) - x)` is `q(x)`, up to the rounding of that sum; a selection
      by a comparison is a minimum or maximum.
    * Steps that differ by element are encoded with the finest, if all are
      powers of two.
    * Overflow by a remainder (HGQ2: `x - floor(x / n) * n`) bounds whole numbers
      of a power of two. A factor that is an inverse of one up to its last bit
      gives such numbers up to theirs: `qg.to_last_bit`, and float schemes keep
      the arithmetic.
    * f32 weights that meet such values and are whole numbers of a power of two
      by channel are stored so, if the bias is a whole number of the products.

    Declines: scales and zero points that are computed at run time; more than
    16 bits; what no rounding of the file put on its grid (a relu between
    encodings, truth values); encodings that only other ops than products read,
    unless they are bytes with a scale.

    {{example test/Transforms/recognize-grids.mlir}}
  }];
  let dependentDialects = ["::qopt::qg::QGDialect"];
}

def PropagateTransposes
    : Pass<"qg-propagate-transposes", "::mlir::func::FuncOp"> {
  let summary = "Choose dimension orders so that the fewest bytes are moved";
  let description = [{
    Tensors that are transposes of each other are one tensor stored in one of
    two orders. Every op that can compute in either order (elementwise ops,
    reshapes that keep dimensions together, concat, pad, slice, reductions)
    chooses one, such that the transposes left move the fewest bytes: a minimum
    cut, exact across residual connections. Constants follow for free. A
    transpose before a flatten that feeds a matmul becomes a permutation of the
    matmul's constant weight rows. A network imported from NCHW keeps the
    transpose of its input and nothing inside.

    Declines: an order that would change the order in which a reduction adds; a
    softmax whose dimension would not be last; anything after which not fewer
    bytes move.

    {{example test/Transforms/propagate-transposes.mlir}}
  }];
  let dependentDialects = ["::qopt::qg::QGDialect"];
}

def FoldChannelScales
    : Pass<"qg-fold-channel-scales", "::mlir::func::FuncOp"> {
  let summary = "Fold scales by channel into depthwise weights";
  let description = [{
    A quantize with a scale for each channel (of the last dimension, under one
    zero point) becomes one with a single scale, where depthwise convolutions
    with rounded weights alone read it: the same integers, whose scales go into
    the weights of the channel. What is rounded is multiplied by the inverse: in
    the rounded weights and the bias of the convolution that makes it, also
    through a relu, or by one product in f32.

    `qg-fold-qdq` does the same first.

    {{example test/Transforms/fold-channel-scales.mlir}}
  }];
  let dependentDialects = ["::qopt::qg::QGDialect"];
}

def EqualizeLayers : Pass<"qg-equalize-layers", "::mlir::func::FuncOp"> {
  let summary = "Move decided channel factors from layer to layer";
  let description = [{
    Cross-layer equalization (Nagel et al. 2019, section 4.1). A tensor that one
    conv (of any kernel and groups) or matmul makes, directly or through a relu,
    and that only such layers read, may have its channels divided by positive
    factors s: the writer's rows and bias are divided, the readers' input
    channels multiplied. The decision is the attribute `qg.equalization` (the
    factors) on the op that gives the tensor; `from-weights` takes
    `sqrt(max |w| written / max |w| read)` where nothing is decided.

    Declines: a clip (its bound would differ by channel), a tensor that
    something else reads. Fails, instead of dropping a decision, where the
    attribute is on such a tensor or holds a factor that is not positive. Every
    change is a remark.

    {{example test/Transforms/equalize-layers.mlir}}
  }];
  let dependentDialects = ["::qopt::qg::QGDialect"];
  let options = [Option<"fromWeights", "from-weights", "bool", "false",
                        "Equalize the ranges of weights without a decision">];
}

def FoldRotations : Pass<"qg-fold-rotations", "::mlir::func::FuncOp"> {
  let summary = "Rotate the channels of residual streams, folded into weights";
  let description = [{
    A residual stream is what additions join and normalizations read. Its
    channels may be rotated by any orthogonal R, so that outliers spread over
    all of them: linear ops that write the stream get `W (I - 11^T/n) R`, linear
    ops that read it `R^T diag(gamma) W`; the subtraction of the mean and the
    gains disappear. A tensor that no linear op makes enters through one matmul
    at run time. R is a randomized Hadamard matrix, of any order that has one
    (QuaRot, Ashkboos et al. 2024, section 4; the mean as in SliceGPT, section
    3.2), or a matrix that was fitted to the weights; the decision is the
    attribute `qg.rotation` (a seed for the signs, or the entries of an
    orthogonal matrix) on a normalization of the stream.

    Declines: a stream one of whose tensors is read without a normalization, or
    whose normalization feeds something that is no linear op over the channels.
    Fails where the attribute is neither a seed nor orthogonal. Every decision
    is a remark with its numbers.

    {{example test/Transforms/fold-rotations.mlir}}
  }];
  let dependentDialects = ["::qopt::qg::QGDialect"];
  let options = [
    Option<"seed", "seed", "int64_t", "-1",
           "Seed for streams without a decision; -1 leaves them alone">,
    Option<"explicitRotations", "explicit", "bool", "true",
           "Insert a matmul where a tensor enters that no linear op makes">
  ];
}

def FoldSmoothing : Pass<"qg-fold-smoothing", "::mlir::func::FuncOp"> {
  let summary = "Move decided channel factors and offsets into weights";
  let description = [{
    An op with the attribute `qg.smoothing` (positive factors s, one for each
    channel of its result) gives `x / s`, and the weights that read it become
    `s * W`: channels with outliers are rounded with the same step as the
    others (SmoothQuant, Xiao et al. 2023, equation 3). The division folds into
    the weights of the linear op that makes the tensor, also through a relu;
    behind a normalization it is one product in the loop that is there. With
    `qg.shift` (numbers d) the op gives `(x - d) / s`, and the biases of what
    reads it grow by `d W` (Outlier Suppression+, Wei et al. 2023, section
    4.1); d does not pass a relu.

    Fails, instead of dropping a decision, where an attribute is on anything
    else or holds a factor that is not positive.

    {{example test/Transforms/fold-smoothing.mlir}}
  }];
  let dependentDialects = ["::qopt::qg::QGDialect"];
  let options = [Option<"fromWeights", "from-weights", "bool", "false",
                        "Where nothing is decided: 1 / max |w| by channel">];
}

def RefineBiases : Pass<"qg-refine-biases", "::mlir::func::FuncOp"> {
  let summary = "Keep float biases exact among sums of few bits";
  let description = [{
    The bias of a product of encoded tensors is rounded to whole steps of its
    sums. Weights of few bits make such a step large: with weights of one bit and
    scales of 1, a bias of 0.4 vanishes.

    Where the result is f32 and `split` is set, the bias is added to it in
    floats, as the model says. In front of bytes the bias becomes a whole step with
    which every sum that the weights can give is rounded as the float formula
    rounds it. Where there is none, and in front of floats without `split`, the
    weights become as many times 2^k, in steps of 2^-k, as a byte and 32-bit sums
    hold and as it takes: the same numbers on a finer grid. What still differs in
    front of at most 16 levels gets another line: thresholds lie between whole
    sums, so that a bias nearby and a step a little larger or smaller meet all of
    them, or as many as a line can.

    Declines: operands of 8 bits in front of more levels (there is no room, and
    their steps are fine);
    biases that are whole steps; weights in groups, through tables or computed at
    run time.

    {{example test/Transforms/refine-biases.mlir}}
  }];
  let options = [Option<"split", "split", "bool", "false",
                        "add the biases of f32 results in floats">,
                 Option<"marked", "marked", "bool", "false",
                        "of products marked `qg.model_weight` alone">];
  let dependentDialects = ["::qopt::qg::QGDialect"];
}

def FuseBias : Pass<"qg-fuse-bias", "::mlir::func::FuncOp"> {
  let summary = "Turn additions of channel constants into biases";
  let description = [{
    `conv`, `conv_transpose` and `matmul` accumulate from their bias, so a
    constant added behind them is free. A reshape that keeps the last dimension
    may lie between.

    Declines: a linear op whose result is read twice, whose bias is not
    constant, or whose result is quantized; constants that differ in any
    dimension but the last.

    {{example test/Transforms/fuse-bias.mlir}}
  }];
  let dependentDialects = ["::qopt::qg::QGDialect"];
}

def FoldBatchNorm : Pass<"qg-fold-batch-norm", "::mlir::func::FuncOp"> {
  let summary = "Fold channel factors and offsets into constant weights";
  let description = [{
    Any chain of `add`, `sub`, `mul`, `div` by channel constants, before or
    behind a linear op, moves into its weight and bias: batch normalization in
    whatever form an exporter wrote it. Includes `qg-fuse-bias`.

    Declines: weights that are not float constants (a quantized weight keeps
    its encoding); results that are read twice; an offset before a convolution
    that pads, where zeros would have to be shifted too.

    {{example test/Transforms/fold-batch-norm.mlir}}
  }];
  let dependentDialects = ["::qopt::qg::QGDialect"];
}

def ChannelAffineToConv
    : Pass<"qg-channel-affine-to-conv", "::mlir::func::FuncOp"> {
  let summary = "Write products and sums by channel as depthwise convolutions";
  let description = [{
    What `qg-fold-batch-norm` could not fold (a normalization behind an
    activation, in front of a pooling or a padded convolution) has no table: its
    numbers differ by channel. As a depthwise convolution of one position it is
    integer arithmetic wherever convolutions are. Slopes by channel (PRelu)
    become `relu(x) + depthwise(min(x, 0))`. For targets without floats;
    elsewhere such arithmetic is fused into its neighbours.

    Declines: numbers that are equal in all channels.

    {{example test/Transforms/channel-affine-to-conv.mlir}}
  }];
  let dependentDialects = ["::qopt::qg::QGDialect"];
}

def EncodeIntegerInputs
    : Pass<"qg-encode-integer-inputs", "::mlir::func::FuncOp"> {
  let summary = "Make what a graph does to input bytes an encoding of the input";
  let description = [{
    An input of bytes that is cast to floats gets the encoding of these numbers:
    products, quotients and whole differences with one number become scale and
    zero point. The caller hands over the same bytes. A quotient becomes a
    product with its reciprocal, which may differ in the last bit of f32.

    Declines: inputs that are read as integers too; numbers whose zero is no
    byte, and what is done by channel (`qg-channel-affine-to-conv`): they stay
    behind the decoded bytes.

    {{example test/Transforms/encode-integer-inputs.mlir}}
  }];
  let dependentDialects = ["::qopt::qg::QGDialect"];
}

def ReductionsToPools
    : Pass<"qg-reductions-to-pools", "::mlir::func::FuncOp"> {
  let summary = "Write means, sums and maxima of neighbours as poolings";
  let description = [{
    A sum, mean or maximum over neighbouring dimensions is a pooling of rows
    between two reshapes, and the larger of two tensors one of both beside each
    other: forms that have a kernel and a unit on targets without floats.

    Declines: dimensions that are no neighbours; other reductions.

    {{example test/Transforms/reductions-to-pools.mlir}}
  }];
  let dependentDialects = ["::qopt::qg::QGDialect"];
}

def WriteForIntegers : Pass<"qg-write-for-integers", "::mlir::func::FuncOp"> {
  let summary = "Write ops that integer targets lack as ones that they have";
  let description = [{
    A pad that reflects, repeats or wraps is a gather by constant indices in each
    padded dimension; a quotient of two tensors a product with the reciprocal,
    which is a function of one; the smaller of two the negated larger of both
    negated; a choice by a constant mask a sum of products with 0 and 1. A
    convolution over three dimensions is one over two: the planes that a plane of
    the result reads become channels, and all planes lie below each other in one
    image, whose rows between planes are dropped. A pooling over three is one
    along each.

    Declines: convolutions over three dimensions in groups or of a weight that is
    not constant; means over three dimensions with pads; choices whose constant is
    not finite; batches of volumes.

    {{example test/Transforms/write-for-integers.mlir}}
  }];
  let dependentDialects = ["::qopt::qg::QGDialect"];
}

def CloneForRoundings
    : Pass<"qg-clone-for-roundings", "::mlir::func::FuncOp"> {
  let summary = "Compute a product once for each encoding that rounds it";
  let description = [{
    A product or convolution whose result only `qg.quantize` ops read, two or
    more of them, is cloned: each rounding then has sums of its own, as kernels
    of targets without floats write them.

    Declines: results that something else reads too.

    {{example test/Transforms/clone-for-roundings.mlir}}
  }];
  let dependentDialects = ["::qopt::qg::QGDialect"];
}

def SimplifyArithmetic
    : Pass<"qg-simplify-arithmetic", "::mlir::func::FuncOp"> {
  let summary = "Replace elementwise arithmetic by cheaper forms";
  let description = [{
    Removes neutral operands (`x * 1`, `x + 0`), second relus and broadcasts
    that a binary op does itself; merges `(x + c) + d` and `(x * c) * d`;
    writes `x ^ 2` as a product and `x / 2^k` as the exact product; turns a sum
    over all spatial dimensions divided by their size into an average pooling,
    and the pooling of a transpose, which is a mean over the last dimension,
    into a sum. A relu or a clamp behind the maximum of a product goes in front
    of it: `relu(pool max(conv))` becomes `pool max(relu(conv))`.

    Declines: division by a constant whose reciprocal is not exact; chains
    whose first result is read elsewhere; reductions over other dimensions.

    {{example test/Transforms/simplify-arithmetic.mlir}}
  }];
  let dependentDialects = ["::qopt::qg::QGDialect"];
}

def FuseMatmulTranspose
    : Pass<"qg-fuse-matmul-transpose", "::mlir::func::FuncOp"> {
  let summary = "Let a matmul read a transposed right operand as it lies";
  let description = [{
    `matmul(a, transpose(b))` becomes `matmul(a, b)` with `transpose_rhs`
    toggled, if the transpose swaps the last two dimensions and nothing else.

    Declines: any other permutation.

    {{example test/Transforms/fuse-matmul-transpose.mlir}}
  }];
  let dependentDialects = ["::qopt::qg::QGDialect"];
}

//===----------------------------------------------------------------------===//
// Looking at the graph
//===----------------------------------------------------------------------===//

def PrintPointwiseRegions
    : Pass<"qg-print-pointwise-regions", "::mlir::func::FuncOp"> {
  let summary = "Report the regions that compute one scalar function";
  let description = [{
    Emits a remark on every member of a pointwise region (see
    qopt/Analysis/PointwiseRegions.h). In 8 bits a region is one table of 256
    entries, so this shows which ops cost nothing of their own.

    Declines nothing and changes nothing.

    {{example test/Analysis/pointwise-regions.mlir}}
  }];
}

//===----------------------------------------------------------------------===//
// Quantization
//===----------------------------------------------------------------------===//

def DropHalfRoundings : Pass<"qg-drop-half-roundings", "::mlir::func::FuncOp"> {
  let summary = "Compute networks of 16-bit floats in f32";
  let description = [{
    A network in f16 or bf16 arrives as f32 ops between casts, which round every
    result. For networks that get encodings of 8 bits on targets without floats
    this pass takes the roundings away and leaves casts at the interface alone:

    * a cast to f32 of a cast from f32 is what was there before;
    * a cast to f32 behind ops that move elements goes in front of them.

    Results change, within the roundings of 16-bit floats. Declines: ops that
    compute in 16 bits without casts.

    {{example test/Transforms/drop-half-roundings.mlir}}
  }];
  let dependentDialects = ["::qopt::qg::QGDialect"];
}

def FoldQDQ : Pass<"qg-fold-qdq", "::mlir::func::FuncOp"> {
  let summary = "Turn float ops between dequantize and quantize into quantized ops";
  let description = [{
    Models that were quantized elsewhere arrive as float ops between
    `qg.dequantize` and `qg.quantize`; `qg-apply-formats` writes the same form.
    This pass says it in types:

    * conv, conv_transpose and matmul with an 8-bit input and an 8-bit constant
      weight (or two 8-bit activations) become quantized; a bias in 32-bit
      integers is kept exactly; relu, min and max with constants become `clamp`;
      without a quantize behind it the op gives f32;
    * add, sub, mul, average pool, concat and sums likewise;
    * dequantize sinks below ops that move elements and below maxima, quantize
      rises above them, equal pairs cancel.

    A convolution whose weights leave signed bytes around their zero points reads
    the input channels in question again, by what is left of them: integers add
    up to the same sums. So does a constant matrix with zero points of its
    channels; one with a single zero point, which a product takes, and weights of
    16-bit activations do with `wide`.

    Declines: average pools whose windows count differently, encodings that are
    not one byte per tensor. Pointwise ops stay float: `convert-qg-to-fxp` tabulates
    them.

    With `wide`, 32-bit sums of a product that are cast to f32 (ConvInteger,
    MatMulInteger), less those of its zero points, are that product with an f32
    result, and a constant factor behind it is in the scales of its weights.

    Activations of 9 to 16 bits: their products are taken apart into products of
    bytes, whose sums become floats; with `wide`, for targets that round sums as
    integers, they are quantized ops like those of bytes.

    {{example test/Transforms/fold-qdq.mlir}}
  }];
  let options = [
    Option<"wide", "wide", "bool", "false",
           "whether ops on 9 to 16 bits become quantized; off, because sums "
           "are rounded as floats where no mode is given">
  ];
  let dependentDialects = ["::qopt::qg::QGDialect"];
}

def FoldProductCasts
    : Pass<"qg-fold-product-casts", "::mlir::func::FuncOp"> {
  let summary = "Read 32-bit sums that become floats as products of reals";
  let description = [{
    ConvInteger and MatMulInteger give sums of 32 bits, which files cast to f32
    and multiply by a scale. The cast of the sums, less those with ones times a
    zero point by output, is the product of the dequantized factors; the scale
    goes into that of the weights. What follows (a bias, a clamp, a function, a
    quantize) is then that of any product.

    Declines: encodings in other steps than 1, whose sums are no real numbers;
    zero points that are computed; weights that are not signed bytes.

    {{example test/Transforms/fold-product-casts.mlir}}
  }];
  let dependentDialects = ["::qopt::qg::QGDialect"];
}

def UseStoredWeights : Pass<"qg-use-stored-weights", "::mlir::func::FuncOp"> {
  let summary = "Multiply floats with constant weights as they are stored";
  let description = [{
    Files store weights as integers and leave activations float: a dequantize of
    a constant in front of a product, which would become floats at every call.
    This pass lets products read the stored integers:

    * a matrix product of f32 with a dequantized constant matrix of at most 8
      bits, per tensor, channel or block of either dimension, reads the matrix;
      a convolution without groups becomes one, of what its windows see;
    * rows that a gather picks are decoded behind it, 2 or 4 bits share bytes;
    * a weight that was narrowed to 16-bit floats is read as it is stored;
    * weights of other float products, biases, and constants whose parameters lie
      in groups are decoded here, once.

    Declines: windows of more than 2^23 elements, constants of more than 8 bits,
    computed biases, parameters that rows of a table share in part.

    {{example test/Transforms/use-stored-weights.mlir}}
  }];
  let dependentDialects = ["::qopt::qg::QGDialect"];
}

def QuantizeInterface
    : Pass<"qg-quantize-interface", "::mlir::func::FuncOp"> {
  let summary = "Take and give stored integers at the interface";
  let description = [{
    An argument that is only quantized becomes quantized itself, and a result
    that is only dequantized is returned as it is stored: what a target without
    floats wants. Ops that move elements may lie between.

    With `integer-heads`, a softmax of dequantized bytes gets bytes in steps of
    1/256 as result, for `convert-qg-to-fxp{integer-only}`, and the largest of
    dequantized bytes is searched among the bytes.
    With `drop-head`, the float ops between the last dequantize and a result
    (a softmax, say) are left to the caller as well. With `keep-inputs`,
    arguments stay as they are: who cuts the graph behind them says himself what
    its caller quantizes.

    Declines: an argument that is read as floats or in two encodings; a result
    that depends on several dequantized tensors; encodings per axis.

    {{example test/Transforms/quantize-interface.mlir}}
  }];
  let dependentDialects = ["::qopt::qg::QGDialect"];
  let options = [
    Option<"integerHeads", "integer-heads", "bool", "false",
           "Give a softmax the encoding in which it has an integer form">,
    Option<"dropHead", "drop-head", "bool", "false",
           "Return what the last dequantize reads instead of a float result">,
    Option<"keepInputs", "keep-inputs", "bool", "false",
           "Leave arguments as the model has them">
  ];
}

#endif // QOPT_TRANSFORMS_PASSES_TD
