//===- QGDims.td - Extents that vary from call to call --------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Apart from QGAttributes.td as QGComposite.h is from QG.h.
//===----------------------------------------------------------------------===//
#ifndef QOPT_QG_DIMS_TD
#define QOPT_QG_DIMS_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/TensorEncoding.td"
include "qopt/Dialect/QG/IR/QGBase.td"

def QG_DimsAttr : AttrDef<QG_Dialect, "Dims", [
    DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let mnemonic = "dims";
  let summary = "names of the dimensions whose extent varies";
  let description = [{
    The encoding of a tensor type whose extents are upper bounds:
    `tensor<1x512x384xf32, #qg.dims<[_, seq, _]>>` has at most 512 positions in
    dimension 1, as many as the length `seq` of the call. `_` is a dimension
    that is always whole. docs/rationale/states-and-lengths.md says what it is
    for; no op takes such a tensor yet.

    * C1: there is a name.
    * C2: a name is a C identifier other than `_`.
    * C3: there is one entry per dimension of the tensor.
    * C4: dimensions of one name have one bound.
  }];
  let parameters = (ins
    ArrayRefParameter<"::mlir::StringAttr", "empty where the extent is fixed">
      :$names);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

#endif // QOPT_QG_DIMS_TD
