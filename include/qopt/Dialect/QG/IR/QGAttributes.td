//===- QGAttributes.td - Enumerations as attributes -----------------------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_QG_ATTRIBUTES_TD
#define QOPT_QG_ATTRIBUTES_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "qopt/Dialect/QG/IR/QGBase.td"
include "qopt/Numerics/Kinds.td"

class QG_EnumAttr<EnumInfo info, string mnemonic>
    : EnumAttr<QG_Dialect, info, mnemonic> {
  let assemblyFormat = "$value";
  // The enumeration belongs to Numerics, its attribute to this dialect.
  let cppNamespace = "::qopt::qg";
}
def QG_UnaryKindAttr : QG_EnumAttr<UnaryKind, "unary_kind">;
def QG_BinaryKindAttr : QG_EnumAttr<BinaryKind, "binary_kind">;
def QG_ComparePredicateAttr : QG_EnumAttr<ComparePredicate, "predicate">;
def QG_ReduceKindAttr : QG_EnumAttr<ReduceKind, "reduce_kind">;
def QG_PoolKindAttr : QG_EnumAttr<PoolKind, "pool_kind">;
def QG_PadModeAttr : QG_EnumAttr<PadMode, "pad_mode">;
def QG_ResizeModeAttr : QG_EnumAttr<ResizeMode, "resize_mode">;
def QG_ResizeCoordinatesAttr
    : QG_EnumAttr<ResizeCoordinates, "resize_coordinates">;
def QG_ScatterKindAttr : QG_EnumAttr<ScatterKind, "scatter_kind">;

def QG_FormatAttr : AttrDef<QG_Dialect, "Format"> {
  let mnemonic = "format";
  let summary = "a decision about an encoding that is not applied yet";
  let description = [{
    `#qg.format<!qg.q<ui8, 0.5 : 128>>` on an op says into which encoding its
    result is to be rounded; `#qg.format<f32, "reason">` says that it stays
    float and why. `qg-apply-formats` turns decisions into types.
  }];
  let parameters = (ins "::mlir::Type":$type,
                        OptionalParameter<"::mlir::StringAttr">:$reason);
  let assemblyFormat = "`<` $type (`,` $reason^)? `>`";
}

#endif // QOPT_QG_ATTRIBUTES_TD
