//===- BiasGrid.h - How finely a bias lies among the sums of bytes --------===//
// SPDX-License-Identifier: Apache-2.0
//
// A float bias of a product of integers is rounded to whole steps of its sums.
// Weights of few bits make these steps coarse, and leave room in their bytes.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ANALYSIS_BIASGRID_H
#define QOPT_ANALYSIS_BIASGRID_H

#include "qopt/Dialect/QG/IR/QG.h"

namespace qopt {

/// On products, while a model is quantized: the model itself stores the weight,
/// which no scheme has rounded.
inline constexpr llvm::StringLiteral kModelWeightAttr = "qg.model_weight";

/// On products whose bias is rounded: by at most as many steps of the result.
inline constexpr llvm::StringLiteral kBiasRoundingAttr = "qg.bias_rounding";

/// Biases in steps of sums, and what the steps are multiplied with: 1, or a
/// little more or less.
struct PlacedBiases {
  llvm::SmallVector<double> whole, factors;
  bool isExact = true; ///< every sum gives what the float formula gives
};

/// The float bias of a product of encoded tensors.
struct BiasGrid {
  LinearOpInterface op;
  qg::QuantizedType x, weight;
  /// What the stored weights stand for, before their scales.
  Tensor bytes;
  /// The bias of a channel in steps of its sums, and such a step as a number.
  llvm::SmallVector<double> quotients, steps;

  /// Matches encodings of at most 8 bits per tensor (of weights, also per
  /// result channel), a constant weight and a constant f32 bias.
  static std::optional<BiasGrid> match(LinearOpInterface op);

  /// Whether an operand has fewer bits than a byte.
  bool hasFewBits() const;
  /// Whether the result has at most 16 levels of one encoding.
  bool givesFewLevels() const;
  /// The largest rounding of the bias with weights times 2^bits, in steps of
  /// the result, or of the sums where those are the result.
  double getLoss(unsigned bits = 0) const;
  /// Biases in steps of sums of weights times 2^bits, whole numbers. In front
  /// of bytes, those with which every sum gives what the float formula gives,
  /// where there are any; else, and for channels without, the nearest. With
  /// `fits` the step of a channel may change for it: thresholds lie between
  /// whole sums, and so there are lines besides the model's that meet them all.
  PlacedBiases place(unsigned bits, bool fits = false) const;
  /// By how many bits the weights can grow: their format has fewer than 8, and
  /// neither a byte nor 32-bit sums overflow.
  unsigned getRoom() const;
};

} // namespace qopt

#endif // QOPT_ANALYSIS_BIASGRID_H
