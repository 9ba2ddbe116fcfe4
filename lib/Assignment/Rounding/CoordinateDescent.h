//===- CoordinateDescent.h - Levels that suit each other ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Improves levels that another method found, or the nearest ones. Needs no
// factor of the moment, and no step makes the loss larger.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_ASSIGNMENT_ROUNDING_COORDINATEDESCENT_H
#define QOPT_LIB_ASSIGNMENT_ROUNDING_COORDINATEDESCENT_H

#include "ChannelBlock.h"

namespace qopt {

/// One element at a time to its best level, the others fixed, at most `sweeps`
/// times over all.
void descend(const ChannelBlock &block, Trial &trial, int sweeps);

/// Scales that suit the levels, and the values under them; the losses are left
/// to descend(). False where no scale changed, as with groups.
bool refitScales(const ChannelBlock &block, Trial &trial);

/// Descends and refits in turns, and offers what comes of it.
void offerDescended(ChannelBlock &block, Trial trial, int sweeps);

} // namespace qopt

#endif // QOPT_LIB_ASSIGNMENT_ROUNDING_COORDINATEDESCENT_H
