//===- Pass.cpp - Every lowering of qg to linalg --------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The one list of the families of patterns.
//===----------------------------------------------------------------------===//
#include "qopt/Conversion/ToLinalg.h"

namespace qopt {
void populateQGControlPatterns(const StorageTypeConverter &converter,
                               mlir::RewritePatternSet &patterns);
void populateQGElementwisePatterns(const StorageTypeConverter &converter,
                                   mlir::RewritePatternSet &patterns);
void populateQGLinearPatterns(const StorageTypeConverter &converter,
                              mlir::RewritePatternSet &patterns);
void populateQGPositionPatterns(const StorageTypeConverter &converter,
                                mlir::RewritePatternSet &patterns);
void populateQGReducePatterns(const StorageTypeConverter &converter,
                              mlir::RewritePatternSet &patterns);
void populateQGSelectionPatterns(const StorageTypeConverter &converter,
                                 mlir::RewritePatternSet &patterns);
void populateQGShapePatterns(const StorageTypeConverter &converter,
                             mlir::RewritePatternSet &patterns);
} // namespace qopt

void qopt::populateQGToLinalgPatterns(const StorageTypeConverter &converter,
                                      mlir::RewritePatternSet &patterns) {
  populateQGControlPatterns(converter, patterns);
  populateQGElementwisePatterns(converter, patterns);
  populateQGLinearPatterns(converter, patterns);
  populateQGPositionPatterns(converter, patterns);
  populateQGReducePatterns(converter, patterns);
  populateQGSelectionPatterns(converter, patterns);
  populateQGShapePatterns(converter, patterns);
}
