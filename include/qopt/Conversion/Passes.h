//===- Passes.h - One dialect to another ----------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// All conversions are declared together; none of them makes a choice.
//===----------------------------------------------------------------------===//
#ifndef QOPT_CONVERSION_PASSES_H
#define QOPT_CONVERSION_PASSES_H

#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/DialectConversion.h"

namespace qopt {

#define GEN_PASS_DECL
#include "qopt/Conversion/Passes.h.inc"

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

#define GEN_PASS_REGISTRATION
#include "qopt/Conversion/Passes.h.inc"

} // namespace qopt

#endif // QOPT_CONVERSION_PASSES_H
