//===- QGOpBase.td - Base classes of qg ops -------------------------------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_QG_OP_BASE_TD
#define QOPT_QG_OP_BASE_TD

include "mlir/Interfaces/SideEffectInterfaces.td"
include "qopt/Dialect/QG/IR/QGTypes.td"
include "qopt/Dialect/QG/IR/QGAttributes.td"
include "qopt/Dialect/QG/IR/QGInterfaces.td"

def QG_Tensor : Type<
    CPred<"::llvm::isa<::mlir::RankedTensorType>($_self) && "
          "::llvm::cast<::mlir::RankedTensorType>($_self).hasStaticShape() && "
          "!::llvm::cast<::mlir::RankedTensorType>($_self).getEncoding()">,
    "tensor with a static shape and without an encoding such as #qg.dims", "::mlir::RankedTensorType">;

/// Every qg op is pure, has reference semantics, a format rule and a verifier
/// that recomputes the result shape (Shapes.h).
class QG_Op<string mnemonic, string rule, list<Trait> traits = []>
    : Op<QG_Dialect, mnemonic, !listconcat(traits, [
        Pure, DeclareOpInterfaceMethods<ReferenceOpInterface>,
        DeclareOpInterfaceMethods<FormatRuleOpInterface>])> {
  let hasVerifier = 1;
  code extraDecl = "";
  let extraClassDeclaration = [{
    ::mlir::RankedTensorType getResultType() {
      return ::llvm::cast<::mlir::RankedTensorType>((*this)->getResult(0).getType());
    }
  }] # extraDecl;
  let extraClassDefinition = [{
    ::qopt::FormatRule $cppClass::getFormatRule() {
      return ::qopt::FormatRule::}] # rule # [{;
    }
  }];
}

#endif // QOPT_QG_OP_BASE_TD
