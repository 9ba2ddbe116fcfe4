//===- ChannelEncoding.h - A step of its own for every channel ------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A depthwise convolution keeps channels apart: what its input is multiplied by
// in a channel can be taken back in the weights of that channel.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_ASSIGNMENT_CHANNELENCODING_H
#define QOPT_LIB_ASSIGNMENT_CHANNELENCODING_H

#include "qopt/Dialect/QG/IR/QG.h"

namespace qopt {

/// An encoding in unsigned bytes with a scale for each channel and one zero
/// point for all, from `qg.channel_ranges`: every range fits, and the sum of
/// the logarithms of the scales is the least over all zero points. Null without
/// ranges, and where the channels are alike.
qg::QuantizedType getChannelEncoding(qg::ObserveOp op);

/// The least scale of an encoding.
double getLeastScale(qg::QuantizedType type);

} // namespace qopt

#endif // QOPT_LIB_ASSIGNMENT_CHANNELENCODING_H
