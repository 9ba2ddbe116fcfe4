//===- ChooseEqualization.h - Factors between two layers ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Factors from weights and from calibration data, and what each does to noise.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_ASSIGNMENT_FOLDING_CHOOSEEQUALIZATION_H
#define QOPT_LIB_ASSIGNMENT_FOLDING_CHOOSEEQUALIZATION_H

#include "Vectors.h"
#include "qopt/Analysis/EqualizationSites.h"

namespace qopt {

struct EqualizationChoice {
  llvm::SmallVector<double> factors;
  std::string setting;
  /// Modelled SQNR in dB of the readers on vectors that did not choose.
  double before = 0, after = 0;
};

/// The best of: factors that give both layers the same ranges of weights, and
/// amax^alpha / wmax^(1 - alpha) with alpha in steps of 0.1.
EqualizationChoice chooseEqualization(const EqualizationSite &site,
                                      const Halves &x,
                                      const RoundingError &error);

} // namespace qopt

#endif // QOPT_LIB_ASSIGNMENT_FOLDING_CHOOSEEQUALIZATION_H
