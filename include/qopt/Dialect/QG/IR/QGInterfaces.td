//===- QGInterfaces.td - What passes ask ops instead of their names -------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_QG_INTERFACES_TD
#define QOPT_QG_INTERFACES_TD

include "mlir/IR/OpBase.td"

def ReferenceOpInterface : OpInterface<"ReferenceOpInterface"> {
  let cppNamespace = "::qopt";
  let description = [{
    Reference semantics of an op on host arrays. The interpreter calls nothing
    else, the importer and `qg-fold-constants` fold through it, and every
    backend is compared with it bit by bit.
  }];
  let methods = [
    InterfaceMethod<[{
      Computes the results from the operands. `operands` holds one array per
      SSA operand in order (quantized tensors hold their stored integers).
      Emits an error on the op and fails where the semantics are undefined.
    }],
    "::llvm::LogicalResult", "evaluate",
    (ins "::llvm::ArrayRef<::qopt::Tensor>":$operands,
         "::llvm::SmallVectorImpl<::qopt::Tensor> &":$results)>
  ];
}

def FormatRuleOpInterface : OpInterface<"FormatRuleOpInterface"> {
  let cppNamespace = "::qopt";
  let description = [{
    How an op treats the encoding of its tensors: what calibration,
    quantization and the QDQ folding ask instead of matching op names.
  }];
  let methods = [
    InterfaceMethod<"The rule, see qopt::FormatRule.",
      "::qopt::FormatRule", "getFormatRule">
  ];
}

#endif // QOPT_QG_INTERFACES_TD
