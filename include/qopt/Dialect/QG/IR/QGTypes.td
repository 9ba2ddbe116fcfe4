//===- QGTypes.td - The quantized element type ----------------------------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_QG_TYPES_TD
#define QOPT_QG_TYPES_TD

include "mlir/IR/AttrTypeBase.td"
include "qopt/Dialect/QG/IR/QGBase.td"

def QG_QuantizedType : TypeDef<QG_Dialect, "Quantized"> {
  let mnemonic = "q";
  let summary = "element type of a quantized tensor";
  let description = [{
    An element stands for the real number `scale * (stored - zero_point)`.

    ```
    !qg.q<ui8, 0.5 : 128>                        per tensor, static
    !qg.q<si8, axis = 0, @w_scales>              per axis, symmetric
    !qg.q<si8, axis = 0, @w_scales, @w_zeros>    per axis with zero points
    !qg.q<si4, axis = 0, group = 32, @s>         per group of 32 in each channel
    !qg.q<lut4, axis = 0, @s, table = [..]>      codes of 16 signed bytes
    !qg.q<si8, ?>                                parameters known at run time
    ```
    Groups divide what an element of `axis` (an output channel) reduces over:
    all other dimensions in row-major order, cut into pieces of `group`
    elements, the last of which may be shorter. Parameters are ordered by
    channel, then by group. With a table of `2^b` signed bytes an element
    stands for `scale * table[stored]`; there are no zero points.

    The format name (`ui8`, `si8`, `si32`, ...) is a row of
    `qopt/Numerics/Formats.def`. Per-tensor scales are f32 in the type, so that
    equal types mean equal encodings; per-axis ones are `dense_resource` blobs
    (f32 scales, i32 zero points) named by the type, never inline numbers.
  }];
  let parameters = (ins
    StringRefParameter<"row of Formats.def">:$format,
    "::mlir::FloatAttr":$scaleAttr,
    "int64_t":$zeroPoint,
    "int64_t":$axis,
    "int64_t":$groupSize,
    "::mlir::DenseResourceElementsAttr":$scales,
    "::mlir::DenseResourceElementsAttr":$zeroPoints,
    "bool":$isDynamic,
    "::mlir::DenseI8ArrayAttr":$table);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Per-tensor, static: `scale` > 0 and finite, zero point in the storage
    /// range.
    static QuantizedType getPerTensor(::mlir::MLIRContext *context,
                                      ::llvm::StringRef format, float scale,
                                      int64_t zeroPoint);
    /// Per axis; the vectors have the extent of that axis, times the number of
    /// groups of a channel if `groupSize` is not 0. Equal numbers give the
    /// equal type (the blob is named by its content). Empty zeroPoints mean all
    /// zero. `table` is for table formats only.
    static QuantizedType getPerAxis(::mlir::MLIRContext *context,
                                    ::llvm::StringRef format, int64_t axis,
                                    ::llvm::ArrayRef<float> scales,
                                    ::llvm::ArrayRef<int32_t> zeroPoints = {},
                                    int64_t groupSize = 0,
                                    ::llvm::ArrayRef<int8_t> table = {});
    bool isPerTensor() const { return !isDynamic_() && getAxis() < 0; }
    bool isPerAxis() const { return !isDynamic_() && getAxis() >= 0; }
    bool isDynamic_() const { return getIsDynamic(); }
    bool isTable() const { return bool(getTable()); }
    /// Groups in each channel of a tensor of that shape; 1 without groups.
    int64_t getGroupCount(::llvm::ArrayRef<int64_t> shape) const;
    float getScale() const { return getScaleAttr().getValue().convertToFloat(); }
    /// One entry for per-tensor types, else one per channel (group).
    ::llvm::SmallVector<float> getScaleVector() const;
    ::llvm::SmallVector<int64_t> getZeroPointVector() const;
    /// The row of Formats.def.
    const ::qopt::IntegerFormat &getIntegerFormat() const;
    bool isSigned() const { return getIntegerFormat().isSigned; }
    unsigned getBits() const { return getIntegerFormat().bits; }
    /// Signless integer that holds an element in memory (8, 16 or 32 bits).
    ::mlir::IntegerType getStorageType() const;
    /// The same encoding with the axis moved, as a transpose does.
    QuantizedType withAxis(int64_t axis) const;
  }];
}

#endif // QOPT_QG_TYPES_TD
