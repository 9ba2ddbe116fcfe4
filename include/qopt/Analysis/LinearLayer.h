//===- LinearLayer.h - A linear op and its constants ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Reads and replaces the constant weight and bias of a linear op of any kind.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ANALYSIS_LINEARLAYER_H
#define QOPT_ANALYSIS_LINEARLAYER_H

#include "mlir/IR/PatternMatch.h"
#include "qopt/Dialect/QG/IR/QG.h"

namespace qopt {

/// The linear op that made `value`, directly or through a reshape that keeps
/// the last dimension; null unless both are read once.
LinearOpInterface matchLinearProducer(mlir::Value value);

bool hasFloatResult(LinearOpInterface linear); ///< f32
/// Numbers of the bias, zeros if there is none; nullopt if not constant.
std::optional<llvm::SmallVector<float>> getBiasValues(LinearOpInterface linear);
/// The f32 weight, if it is constant.
std::optional<Tensor> getWeightValues(LinearOpInterface linear);
void setBiasValues(mlir::PatternRewriter &rewriter, LinearOpInterface linear,
                   llvm::ArrayRef<float> values);
void setWeightValues(mlir::PatternRewriter &rewriter, LinearOpInterface linear,
                     const Tensor &values);

} // namespace qopt

#endif // QOPT_ANALYSIS_LINEARLAYER_H
