//===- WindowProducts.h - Convolutions that are matrix products -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// What is stored in blocks is multiplied as a matrix: by what windows see.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ANALYSIS_WINDOWPRODUCTS_H
#define QOPT_ANALYSIS_WINDOWPRODUCTS_H

#include "qopt/Dialect/QG/IR/QG.h"

namespace qopt {

/// Whether an op is a convolution that is a product of one matrix with what its
/// windows see, which is no more than memory has room for.
bool isMatrixProduct(LinearOpInterface op);

} // namespace qopt

#endif // QOPT_ANALYSIS_WINDOWPRODUCTS_H
