//===- ToLinalg.h - What the conversions to linalg share ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The CPU target runs both sets of patterns at once.
//===----------------------------------------------------------------------===//
#ifndef QOPT_CONVERSION_TOLINALG_H
#define QOPT_CONVERSION_TOLINALG_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Transforms/DialectConversion.h"

namespace qopt {

/// qg and builtin tensor types to tensors of signless storage elements.
class StorageTypeConverter : public mlir::TypeConverter {
public:
  StorageTypeConverter();
};

/// Patterns of convert-qg-to-linalg.
void populateQGToLinalgPatterns(const StorageTypeConverter &converter,
                                mlir::RewritePatternSet &patterns);
/// Patterns of convert-fxp-to-linalg.
void populateFXPToLinalgPatterns(const StorageTypeConverter &converter,
                                 mlir::RewritePatternSet &patterns);
/// Runs both sets at once over a module and changes function signatures.
/// `illegal` names the dialects that must be gone afterwards.
mlir::LogicalResult convertToLinalg(mlir::ModuleOp module,
                                    const StorageTypeConverter &converter,
                                    mlir::RewritePatternSet patterns,
                                    llvm::ArrayRef<llvm::StringRef> illegal);

} // namespace qopt

#endif // QOPT_CONVERSION_TOLINALG_H
