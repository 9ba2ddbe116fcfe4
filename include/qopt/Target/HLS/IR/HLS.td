//===- HLS.td - Streaming dataflow graphs ---------------------------------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_HLS_TD
#define QOPT_HLS_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "qopt/Target/HLS/IR/HLSInterfaces.td"

def HLS_Dialect : Dialect {
  let name = "hls";
  let cppNamespace = "::qopt::hls";
  let summary = "Units of hardware connected by streams";
  let description = [{
    A network as it lies on an FPGA: every op is a unit that runs all the time,
    every value is a FIFO between two units. A stream carries the elements of a
    tensor in row-major order (channels last), `lanes` of them in one token.
    How far a unit is unfolded is in its attributes `pe` (outputs at a time) and
    `simd` (inputs at a time); its streams have as many lanes.

    * A stream has one reader. `hls.fork` copies it for several.
    * Widths are exact: an accumulator is as wide as its weights, its bias and
      the range of its input demand, and `convert-fxp-to-hls` proves it.
    * Reshapes are nothing: the order of elements does not change.
  }];
  let useDefaultTypePrinterParser = 1;
}

def HLS_StreamType : TypeDef<HLS_Dialect, "Stream"> {
  let mnemonic = "stream";
  let summary = "tokens of one frame, each of some integers";
  let description = [{
    `!hls.stream<1024 x 16 x si8>` carries 1024 tokens of 16 signed bytes for
    every frame.
  }];
  let parameters = (ins "int64_t":$tokens, "int64_t":$lanes,
                        "::mlir::IntegerType":$element);
  let assemblyFormat = "`<` $tokens `x` $lanes `x` $element `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    unsigned getBits() const { return getElement().getWidth(); }
    bool isSigned() const { return getElement().isSigned(); }
    /// Bits of a token.
    int64_t getWordBits() const { return getLanes() * getBits(); }
    /// Integers of a frame.
    int64_t getElements() const { return getLanes() * getTokens(); }
    int64_t getLow() const;
    int64_t getHigh() const;
    /// The same elements with another number of lanes, which divides them.
    StreamType withLanes(int64_t lanes) const;
  }];
}

class HLS_Op<string mnemonic, list<Trait> traits = []>
    : Op<HLS_Dialect, mnemonic, !listconcat([Pure], traits)> {
  let hasVerifier = 1;
}

/// A unit; its verifier and its hardware are in a file of Target/HLS/Layers.
class HLS_Unit<string mnemonic>
    : HLS_Op<mnemonic, [DeclareOpInterfaceMethods<UnitOpInterface>]>;

/// A unit that integer ops become: that file says which.
class HLS_Layer<string mnemonic>
    : HLS_Op<mnemonic, [DeclareOpInterfaceMethods<UnitOpInterface,
                                                  ["addConversions"]>]>;

def HLS_WindowOp : HLS_Unit<"window"> {
  let summary = "sliding window over an image";
  let description = [{
    Reads the pixels of an image of `shape` (`[H, W, C]`) once and writes, for
    every position of the window, its pixels: positions row by row, taps row by
    row, channels innermost. With `channels_outer` every group of `lanes`
    channels of a position is complete before the next begins, as units without
    a sum over channels want it. Outside the image lies `fill`.

    * C1: `shape` has three entries, `kernel`, `strides` and `dilations`
      two, `pads` four.
    * C2: extents, strides and dilations are positive, pads not negative,
      and the window fits into the padded image.
    * C3: both streams have one element type, in whose range `fill` lies.
    * C4: the input carries the image, `lanes` divides C.
    * C5: the result has the lanes of the input and the elements of all
      windows.

    Example:
    ```mlir
    %w = hls.window %x shape [8, 8, 4] kernel [3, 3] strides [1, 1] pads [1, 1, 1, 1]
         dilations [1, 1] fill -128
         : !hls.stream<64 x 4 x si8> -> !hls.stream<576 x 4 x si8>
    ```
  }];
  let arguments = (ins HLS_StreamType:$input, DenseI64ArrayAttr:$shape,
    DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$strides,
    DenseI64ArrayAttr:$pads, DenseI64ArrayAttr:$dilations, I64Attr:$fill,
    UnitAttr:$channels_outer);
  let results = (outs HLS_StreamType:$result);
  let assemblyFormat = [{
    $input `shape` $shape `kernel` $kernel `strides` $strides `pads` $pads
    `dilations` $dilations `fill` $fill (`channels_outer` $channels_outer^)?
    attr-dict `:` type($input) `->` type($result)
  }];
  let extraClassDeclaration = [{
    /// Rows and columns of positions.
    int64_t getOutputHeight();
    int64_t getOutputWidth();
    int64_t getTaps() { return getKernel()[0] * getKernel()[1]; }
  }];
}

def HLS_MatVecOp : HLS_Layer<"mvu"> {
  let summary = "matrix-vector unit";
  let description = [{
    `y[o] = bias[o] + sum_i weights[o, i] * x[i]` for every vector of the
    stream. `pe` rows are computed at a time from `simd` elements; the weights
    lie in `memory`: `lutram`, `bram`, or `auto` before folding.

    With `groups`, vectors take turns: vector v of a frame meets the rows of
    group v % groups. Its window has `channels_outer`, so that a group of
    channels is one vector.

    * C1: `weights` are `[rows, columns]` of up to 16 bits, `bias` has one
      i32 per row.
    * C2: `groups` divides the rows, and the columns of all groups the
      elements of the input.
    * C3: `pe` divides the rows of a group and is the number of lanes of the
      result.
    * C4: `simd` divides the columns and is the number of lanes of the
      input.
    * C5: the result has a row of a group for each vector.
    * C6: `memory` is auto, lutram or bram.

    Example:
    ```mlir
    %y = hls.mvu %x weights dense<1> : tensor<4x8xi8> bias dense<0> : tensor<4xi32>
         pe 2 simd 8 memory "lutram" : !hls.stream<1 x 8 x si8> -> !hls.stream<2 x 2 x si12>
    ```
  }];
  let arguments = (ins HLS_StreamType:$input, ElementsAttr:$weights,
    ElementsAttr:$bias, I64Attr:$pe, I64Attr:$simd, StrAttr:$memory,
    OptionalAttr<I64Attr>:$groups);
  let results = (outs HLS_StreamType:$result);
  let assemblyFormat = [{
    $input `weights` $weights `bias` $bias `pe` $pe `simd` $simd
    `memory` $memory (`groups` $groups^)? attr-dict
    `:` type($input) `->` type($result)
  }];
  let extraClassDeclaration = [{
    int64_t getGroupCount() { return getGroups().value_or(1); }
    /// Rows of all groups.
    int64_t getRows();
    int64_t getColumns();
    /// Vectors of a frame, those of every group counted.
    int64_t getVectors();
  }];
}

def HLS_DepthwiseOp : HLS_Unit<"depthwise"> {
  let summary = "one window of weights per channel";
  let description = [{
    `y[c] = bias[c] + sum_k weights[c, k] * x[k, c]` for every position of a
    window with `channels_outer`, `pe` channels at a time.

    * C1: `weights` are `[channels, taps]` of up to 16 bits, `bias` has one
      i32 per channel.
    * C2: `pe` divides the channels and is the number of lanes of both
      streams.
    * C3: the input has `taps` elements for each of the result.
    * C4: `memory` is auto, lutram or bram.

    Example:
    ```mlir
    %y = hls.depthwise %w weights dense<1> : tensor<4x9xi8> bias dense<0> : tensor<4xi32>
         pe 2 memory "lutram" : !hls.stream<1152 x 2 x si8> -> !hls.stream<128 x 2 x si12>
    ```
  }];
  let arguments = (ins HLS_StreamType:$input, ElementsAttr:$weights,
    ElementsAttr:$bias, I64Attr:$pe, StrAttr:$memory);
  let results = (outs HLS_StreamType:$result);
  let assemblyFormat = [{
    $input `weights` $weights `bias` $bias `pe` $pe `memory` $memory
    attr-dict `:` type($input) `->` type($result)
  }];
  let extraClassDeclaration = [{
    int64_t getChannels();
    int64_t getTaps();
  }];
}

def HLS_RequantizeOp : HLS_Layer<"requantize"> {
  let summary = "accumulators rounded into stored integers";
  let description = [{
    `y = min(max(((x - x_zp) * multiplier >> shift, half to even) + zp, lo), hi)`
    with one multiplier and shift, or one per channel; `clamp` is `[lo, hi]`.

    * C1: there are as many shifts as multipliers, 1 or one per channel.
    * C2: `lanes` divides `channels`, and `channels` the elements of the
      input.
    * C3: the result has the lanes and elements of the input.
    * C4: `clamp` is `[lo, hi]` inside the range of the result.

    Example:
    ```mlir
    %y = hls.requantize %x channels 4 multipliers dense<65536> : tensor<1xi32>
         shifts dense<20> : tensor<1xi8> x_zp 0 zp -128 clamp [-128, 127]
         : !hls.stream<64 x 4 x si20> -> !hls.stream<64 x 4 x si8>
    ```
  }];
  let arguments = (ins HLS_StreamType:$input, I64Attr:$channels,
    ElementsAttr:$multipliers, ElementsAttr:$shifts, I64Attr:$x_zp,
    I64Attr:$zp, DenseI64ArrayAttr:$clamp);
  let results = (outs HLS_StreamType:$result);
  let assemblyFormat = [{
    $input `channels` $channels `multipliers` $multipliers `shifts` $shifts
    `x_zp` $x_zp `zp` $zp `clamp` $clamp attr-dict
    `:` type($input) `->` type($result)
  }];
}

def HLS_ThresholdOp : HLS_Unit<"threshold"> {
  let summary = "accumulators compared with levels";
  let description = [{
    `y = low + number of thresholds t with x >= t`: a requantization into few
    bits without a multiplier. `thresholds` has a row per channel, or one.

    * C1: `thresholds` are `[1 or channels, levels]` of i32.
    * C2: `lanes` divides `channels`, and `channels` the elements of the
      input.
    * C3: the result has the lanes and elements of the input.
    * C4: its range holds `low` to `low` + levels.

    Example:
    ```mlir
    %y = hls.threshold %x channels 4 thresholds dense<[[-4, 0, 9]]> : tensor<1x3xi32> low -2
         : !hls.stream<64 x 4 x si20> -> !hls.stream<64 x 4 x si2>
    ```
  }];
  let arguments = (ins HLS_StreamType:$input, I64Attr:$channels,
    ElementsAttr:$thresholds, I64Attr:$low);
  let results = (outs HLS_StreamType:$result);
  let assemblyFormat = [{
    $input `channels` $channels `thresholds` $thresholds `low` $low attr-dict
    `:` type($input) `->` type($result)
  }];
}

def HLS_AddOp : HLS_Layer<"add"> {
  let summary = "sum of two encodings rounded into a third";
  let description = [{
    `y = sat(((lhs - zps[0]) * multipliers[0] + (rhs - zps[1]) * multipliers[1]
    >> shift, half to even) + zp)`.

    * C1: there are two multipliers and two zero points.
    * C2: `shift` is 0 to 62.
    * C3: both operands and the result have equal tokens and lanes.
    * C4: `clamp` is `[lo, hi]` inside the range of the result.

    Example:
    ```mlir
    %y = hls.add %a, %b multipliers [65536, 131071] shift 17 zps [-128, 3] zp 0 clamp [-128, 127]
         : (!hls.stream<64 x 4 x si8>, !hls.stream<64 x 4 x si8>) -> !hls.stream<64 x 4 x si8>
    ```
  }];
  let arguments = (ins HLS_StreamType:$lhs, HLS_StreamType:$rhs,
    DenseI64ArrayAttr:$multipliers, I64Attr:$shift, DenseI64ArrayAttr:$zps,
    I64Attr:$zp, DenseI64ArrayAttr:$clamp);
  let results = (outs HLS_StreamType:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs `multipliers` $multipliers `shift` $shift `zps` $zps `zp` $zp
    `clamp` $clamp attr-dict `:` functional-type(operands, results)
  }];
}

def HLS_MulOp : HLS_Layer<"mul"> {
  let summary = "exact product of two encodings";
  let description = [{
    * C1: there are two zero points.
    * C2: both operands and the result have equal tokens and lanes.

    Example:
    ```mlir
    %y = hls.mul %a, %b zps [-128, 0]
         : (!hls.stream<64 x 4 x si8>, !hls.stream<64 x 4 x si8>) -> !hls.stream<64 x 4 x si17>
    ```
  }];
  let arguments = (ins HLS_StreamType:$lhs, HLS_StreamType:$rhs,
                       DenseI64ArrayAttr:$zps);
  let results = (outs HLS_StreamType:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs `zps` $zps attr-dict `:` functional-type(operands, results)
  }];
}

def HLS_LutOp : HLS_Layer<"lut"> {
  let summary = "table of all stored integers, one copy per lane";
  let description = [{
    * C1: `table` has 256 or 65536 entries, of i8 or i16.
    * C2: the input has up to 8 bits, or 16 of the larger table.
    * C3: the result has the lanes and elements of the input.

    Example:
    ```mlir
    %y = hls.lut %x table dense<1> : tensor<256xi8> : !hls.stream<64 x 4 x si8> -> !hls.stream<64 x 4 x ui8>
    ```
  }];
  let arguments = (ins HLS_StreamType:$input, ElementsAttr:$table);
  let results = (outs HLS_StreamType:$result);
  let assemblyFormat = "$input `table` $table attr-dict `:` type($input) `->` type($result)";
}

def HLS_PoolOp : HLS_Layer<"pool"> {
  let summary = "maximum or sum over windows";
  let description = [{
    `kind` is `max` or `sum`. Reduces every run of `taps` tokens of a window
    with `channels_outer`; a sum starts at `bias`. With `global` the stream is
    an image of `channels` channels and is reduced altogether.

    * C1: `kind` is max or sum; a maximum has the element type of the input.
    * C2: `taps` is 1 or more, and the input has as many elements for each
      of the result.
    * C3: `lanes` divides `channels`, and the result has as many lanes.
    * C4: with `global` the result has `channels` elements.

    Example:
    ```mlir
    %y = hls.pool %x kind "sum" taps 64 channels 4 bias 8192 global
         : !hls.stream<64 x 4 x si8> -> !hls.stream<1 x 4 x si15>
    ```
  }];
  let arguments = (ins HLS_StreamType:$input, StrAttr:$kind, I64Attr:$taps,
    I64Attr:$channels, I64Attr:$bias, UnitAttr:$is_global);
  let results = (outs HLS_StreamType:$result);
  let assemblyFormat = [{
    $input `kind` $kind `taps` $taps `channels` $channels `bias` $bias
    (`global` $is_global^)? attr-dict `:` type($input) `->` type($result)
  }];
}

def HLS_SoftmaxOp : HLS_Layer<"softmax"> {
  let summary = "softmax of a vector by a table and a division";
  let description = [{
    `fxp.softmax` over every `channels` elements of the stream, one lane.

    * C1: `table` has 256 i32.
    * C2: the input has up to 8 bits and one lane.
    * C3: `channels` divides the elements of the input.
    * C4: the result has the lanes and elements of the input.
    * C5: `clamp` is `[lo, hi]` inside the range of the result.

    Example:
    ```mlir
    %y = hls.softmax %x channels 10 table dense<1> : tensor<256xi32> zp -128 clamp [-128, 127]
         : !hls.stream<10 x 1 x si8> -> !hls.stream<10 x 1 x si8>
    ```
  }];
  let arguments = (ins HLS_StreamType:$input, I64Attr:$channels,
    ElementsAttr:$table, I64Attr:$zp, DenseI64ArrayAttr:$clamp);
  let results = (outs HLS_StreamType:$result);
  let assemblyFormat = [{
    $input `channels` $channels `table` $table `zp` $zp `clamp` $clamp
    attr-dict `:` type($input) `->` type($result)
  }];
}

def HLS_ForkOp : HLS_Unit<"fork"> {
  let summary = "a stream for several readers";
  let description = [{
    * C1: results have the type of the input.
    * C2: there are two or more.

    Example:
    ```mlir
    %a, %b = hls.fork %x : !hls.stream<64 x 4 x si8> -> !hls.stream<64 x 4 x si8>, !hls.stream<64 x 4 x si8>
    ```
  }];
  let arguments = (ins HLS_StreamType:$input);
  let results = (outs Variadic<HLS_StreamType>:$copies);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($copies)";
}

def HLS_JoinOp : HLS_Layer<"join"> {
  let summary = "channels of several streams side by side";
  let description = [{
    A pixel of the result is a pixel of every operand, in order.

    * C1: there is a number of channels for each operand, which its lanes
      divide.
    * C2: operands have the lanes of the result, and elements that its type
      holds.
    * C3: they have equally many pixels, and the result all their elements.

    Example:
    ```mlir
    %y = hls.join %a, %b channels [4, 8]
         : (!hls.stream<64 x 4 x si8>, !hls.stream<128 x 4 x si8>) -> !hls.stream<192 x 4 x si8>
    ```
  }];
  let arguments = (ins Variadic<HLS_StreamType>:$inputs,
                       DenseI64ArrayAttr:$channels);
  let results = (outs HLS_StreamType:$result);
  let assemblyFormat = [{
    $inputs `channels` $channels attr-dict `:` functional-type(operands, results)
  }];
}

def HLS_PermuteOp : HLS_Layer<"permute"> {
  let summary = "elements in another order";
  let description = [{
    Reads a tensor of `shape` in row-major order and writes it with its
    dimensions in the order of `permutation`. Leading dimensions that stay are
    done one after the other: only what is behind them is kept, twice, one copy
    being written while the next arrives. Trailing dimensions that stay may
    share a token.

    Depth to space is this op: a row of pixels `[W, b, b, C]` becomes b rows
    `[b, W, b, C]`.

    * C1: `permutation` holds every dimension of `shape` (positive extents)
      once, and is not the identity.
    * C2: both streams have one element type, the same lanes, and the
      elements of `shape`.
    * C3: `lanes` divides the elements that keep together (trailing
      dimensions that stay).

    Example:
    ```mlir
    %y = hls.permute %x shape [8, 8, 2, 2, 3] permutation [0, 2, 1, 3, 4]
         : !hls.stream<256 x 3 x ui8> -> !hls.stream<256 x 3 x ui8>
    ```
  }];
  let arguments = (ins HLS_StreamType:$input, DenseI64ArrayAttr:$shape,
                       DenseI64ArrayAttr:$permutation);
  let results = (outs HLS_StreamType:$result);
  let assemblyFormat = [{
    $input `shape` $shape `permutation` $permutation attr-dict
    `:` type($input) `->` type($result)
  }];
  let extraClassDeclaration = [{
    /// Leading dimensions that stay.
    unsigned getOuterRank();
    /// Trailing dimensions that stay.
    unsigned getInnerRank();
    /// Elements that may share a token.
    int64_t getRun();
    /// Elements that change their order together.
    int64_t getBlock();
  }];
}

def HLS_WidthOp : HLS_Unit<"width"> {
  let summary = "the same elements in wider or narrower tokens";
  let description = [{
    One number of lanes divides the other.

    * C1: both streams have one element type and equally many elements.
    * C2: one number of lanes divides the other.

    Example:
    ```mlir
    %y = hls.width %x : !hls.stream<64 x 4 x si8> -> !hls.stream<256 x 1 x si8>
    ```
  }];
  let arguments = (ins HLS_StreamType:$input);
  let results = (outs HLS_StreamType:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
}

def HLS_FifoOp : HLS_Op<"fifo", [AllTypesMatch<["input", "result"]>]> {
  let summary = "a stream that holds more tokens than two";
  let description = [{
    Streams without this op hold two tokens.

    * C1: `depth` is 2 or more.

    Example:
    ```mlir
    %y = hls.fifo %x depth 67 : !hls.stream<64 x 4 x si8>
    ```
  }];
  let arguments = (ins HLS_StreamType:$input, I64Attr:$depth);
  let results = (outs HLS_StreamType:$result);
  let assemblyFormat = "$input `depth` $depth attr-dict `:` type($input)";
}

def HLS_SliceOp : HLS_Layer<"slice"> {
  let summary = "some elements of each dimension";
  let description = [{
    Reads a tensor of `shape` in row-major order and writes, in that order, the
    elements whose coordinate in every dimension `d` is `offsets[d] + i *
    strides[d]` for an `i` below `sizes[d]`. Nothing is kept.

    * C1: `shape`, `offsets`, `sizes` and `strides` have one entry for each
      dimension, at least one.
    * C2: extents, sizes and strides are positive, offsets not negative, and
      the last element of each dimension lies inside of it.
    * C3: both streams have one element type and the same lanes, the input
      carries `shape` and the result `sizes`.
    * C4: `lanes` is 1 where the last stride is more, and else divides extent,
      offset and size of the last dimension: a token is written or it is not.

    Example:
    ```mlir
    %y = hls.slice %x shape [8, 8, 4] offsets [0, 1, 0] sizes [8, 3, 4] strides [1, 2, 1]
         : !hls.stream<64 x 4 x si8> -> !hls.stream<24 x 4 x si8>
    ```
  }];
  let arguments = (ins HLS_StreamType:$input, DenseI64ArrayAttr:$shape,
    DenseI64ArrayAttr:$offsets, DenseI64ArrayAttr:$sizes,
    DenseI64ArrayAttr:$strides);
  let results = (outs HLS_StreamType:$result);
  let assemblyFormat = [{
    $input `shape` $shape `offsets` $offsets `sizes` $sizes `strides` $strides
    attr-dict `:` type($input) `->` type($result)
  }];
}

def HLS_RepeatOp : HLS_Layer<"repeat"> {
  let summary = "blocks of elements several times";
  let description = [{
    Reads `block` elements and writes them `count` times, then the next block:
    a broadcast along one dimension. The first copy leaves while the block
    arrives.

    * C1: `block` and `count` are positive, and `block` divides the elements
      of the input.
    * C2: both streams have one element type and the same lanes, and the
      result `count` times the elements of the input.
    * C3: `lanes` divides `block`.

    Example:
    ```mlir
    %y = hls.repeat %x block 4 count 64
         : !hls.stream<1 x 4 x si8> -> !hls.stream<64 x 4 x si8>
    ```
  }];
  let arguments = (ins HLS_StreamType:$input, I64Attr:$block, I64Attr:$count);
  let results = (outs HLS_StreamType:$result);
  let assemblyFormat = [{
    $input `block` $block `count` $count attr-dict
    `:` type($input) `->` type($result)
  }];
}

def HLS_PickOp : HLS_Layer<"pick"> {
  let summary = "runs of elements in another order, some of them again";
  let description = [{
    Reads blocks of `count` runs of `run` elements, keeps one, and writes its
    runs by their numbers in `positions`: a gather by constant indices. A block
    leaves when all of it has come.

    * C1: `run` and `count` are positive, and a block divides the elements of
      the input.
    * C2: `positions` are below `count`, and there is at least one.
    * C3: both streams have one element type and the same lanes, and the result
      carries a run for each position of each block.
    * C4: `lanes` divides `run`.

    Example:
    ```mlir
    %y = hls.pick %x run 4 count 3 positions [2, 0]
         : !hls.stream<6 x 4 x si8> -> !hls.stream<4 x 4 x si8>
    ```
  }];
  let arguments = (ins HLS_StreamType:$input, I64Attr:$run, I64Attr:$count,
    DenseI64ArrayAttr:$positions);
  let results = (outs HLS_StreamType:$result);
  let assemblyFormat = [{
    $input `run` $run `count` $count `positions` $positions attr-dict
    `:` type($input) `->` type($result)
  }];
}

def HLS_PadOp : HLS_Layer<"pad"> {
  let summary = "one number before and after each dimension";
  let description = [{
    Writes a tensor of `shape`, `low` and `high` larger, in row-major order:
    `value` where an element lies outside of `shape`, the next one of the input
    inside. Nothing is kept.

    * C1: `shape`, `low` and `high` have one entry for each dimension, at least
      one; extents are positive, and no border is negative.
    * C2: both streams have one element type and the same lanes, the input
      carries `shape` and the result all.
    * C3: `lanes` divides extent and borders of the last dimension: a token lies
      inside or outside.
    * C4: the element type holds `value`.

    Example:
    ```mlir
    %y = hls.pad %x shape [3, 4] low [1, 0] high [1, 0] value 7
         : !hls.stream<3 x 4 x si8> -> !hls.stream<5 x 4 x si8>
    ```
  }];
  let arguments = (ins HLS_StreamType:$input, DenseI64ArrayAttr:$shape,
    DenseI64ArrayAttr:$low, DenseI64ArrayAttr:$high, I64Attr:$value);
  let results = (outs HLS_StreamType:$result);
  let assemblyFormat = [{
    $input `shape` $shape `low` $low `high` $high `value` $value attr-dict
    `:` type($input) `->` type($result)
  }];
}

def HLS_SourceOp : HLS_Unit<"source"> {
  let summary = "a stored table, written in every frame";
  let description = [{
    Writes `values` in row-major order, `count` times a frame: a constant
    operand of a unit that reads streams.

    * C1: `values` are integers of up to 32 bits, at least one, and the element
      type holds each of them.
    * C2: `count` is positive, and the result carries all values as often.
    * C3: `lanes` divides the number of values.

    Example:
    ```mlir
    %c = hls.source values dense<[1, 2, 3, 4]> : tensor<4xi8> count 16
         : !hls.stream<16 x 4 x ui3>
    ```
  }];
  let arguments = (ins ElementsAttr:$values, I64Attr:$count);
  let results = (outs HLS_StreamType:$result);
  let assemblyFormat = "`values` $values `count` $count attr-dict `:` type($result)";
}

def HLS_RankOp : HLS_Layer<"rank"> {
  let summary = "where the largest or smallest elements of each row lie";
  let description = [{
    Reads rows of `extent` elements, one lane, and writes for each the indices
    of its `count` first elements: in descending order where `kind` is `max`, in
    ascending order where it is `min`. Of equal elements the one of lower index
    comes first; with `last`, the one of higher index.

    * C1: `kind` is max or min.
    * C2: `count` is 1 to `extent`, which divides the elements of the input.
    * C3: both streams have one lane, and the result `count` elements for each
      row.
    * C4: the element type of the result holds `extent - 1`.

    Example:
    ```mlir
    %i = hls.rank %x kind "max" extent 10 count 3
         : !hls.stream<20 x 1 x si8> -> !hls.stream<6 x 1 x ui4>
    ```
  }];
  let arguments = (ins HLS_StreamType:$input, StrAttr:$kind, I64Attr:$extent,
    I64Attr:$count, UnitAttr:$last);
  let results = (outs HLS_StreamType:$result);
  let assemblyFormat = [{
    $input `kind` $kind `extent` $extent `count` $count (`last` $last^)?
    attr-dict `:` type($input) `->` type($result)
  }];
}

def HLS_FetchOp : HLS_Unit<"fetch"> {
  let summary = "elements of each row by numbers that a stream carries";
  let description = [{
    Reads a row of `extent` elements and keeps it, then `count` numbers, and
    writes the element of each.

    * C1: `extent` and `count` are positive and divide the elements of `input`
      and `indices`, which have equally many rows.
    * C2: all streams have one lane.
    * C3: the result has the elements of `indices` and the element type of
      `input`.
    * C4: indices are unsigned; one that is not below `extent` is never sent.

    Example:
    ```mlir
    %y = hls.fetch %x, %i extent 10 count 3
         : (!hls.stream<20 x 1 x si8>, !hls.stream<6 x 1 x ui4>) -> !hls.stream<6 x 1 x si8>
    ```
  }];
  let arguments = (ins HLS_StreamType:$input, HLS_StreamType:$indices,
    I64Attr:$extent, I64Attr:$count);
  let results = (outs HLS_StreamType:$result);
  let assemblyFormat = [{
    $input `,` $indices `extent` $extent `count` $count attr-dict
    `:` functional-type(operands, results)
  }];
}

#endif // QOPT_HLS_TD
