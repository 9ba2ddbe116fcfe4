//===- Nearest.cpp - Nearest levels under the best scales -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A block begins with the ranges that lose least if columns do not interact;
// here all shares of the whole range are measured with the interaction.
//===----------------------------------------------------------------------===//
#include "../ChannelBlock.h"

#include "llvm/ADT/STLExtras.h"

using namespace qopt;

void qopt::roundNearest(ChannelBlock &block) {
  for (double share : llvm::drop_begin(kShares))
    block.offerNearest(block.roundNearest(block.fitAll(share)));
}
