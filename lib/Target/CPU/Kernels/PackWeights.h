//===- PackWeights.h - Constants in the order kernels read them -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// Packing happens once, at compile time.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_CPU_KERNELS_PACKWEIGHTS_H
#define QOPT_LIB_TARGET_CPU_KERNELS_PACKWEIGHTS_H

#include "qopt/Support/Tensor.h"

namespace qopt::qcpu {

/// Where the elements of a `[O, KH, KW, C/groups]` weight go.
struct Packing {
  int64_t groups = 1;
  int64_t vectors, lanes, pack; ///< NR, L, KP of the tile
  /// The taps of a kernel row are one run of the input (see qcpu.conv).
  bool isRun = false;
  /// Byte of channels that do not exist, whose results nobody reads.
  int8_t fill = 0;
  /// The last panel ends with the vectors in use: of one group alone.
  bool endsEarly = false;
};

/// The fill for weights that are levels of a table: one of the weights, so that
/// their code holds no more than they need.
int8_t getFill(const Tensor &weight, llvm::ArrayRef<int8_t> levels);

/// `[groups][panels][kh][segments][steps][NR][L][KP]`, flat; i8 or f32. NR of
/// the last panel may be less.
Tensor packConvWeights(const Tensor &weight, const Packing &packing);
/// `[panels][kh][kw][NR * L]`, flat, of a `[C, KH, KW, 1]` weight.
Tensor packDepthwiseWeights(const Tensor &weight, const Packing &packing);
/// Floats in 16 bits where each of them is one, which is what files of 16-bit
/// weights bring; others, and few, as they are. bf16 goes first, it is the
/// cheaper to widen; f16 needs `hasHalves`.
Tensor narrowFloats(const Tensor &packed, bool hasHalves);
/// `[groups][panels * NR * L]`, flat, of one value per channel, or up to the end
/// of the last vector.
Tensor padChannels(const Tensor &values, const Packing &packing);

} // namespace qopt::qcpu

#endif // QOPT_LIB_TARGET_CPU_KERNELS_PACKWEIGHTS_H
