//===- PackWeights.cpp - Constants in the order kernels read them ---------===//
// SPDX-License-Identifier: Apache-2.0
//
// A reduction step reads NR * L * KP weights in one go; panels follow one
// another, so that a kernel streams through its weights.
//===----------------------------------------------------------------------===//
#include "PackWeights.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace qopt;
using namespace qopt::qcpu;

namespace {
/// Walks the packed order of one convolution.
template <typename T> class ConvPacker {
public:
  ConvPacker(const Tensor &weight, const Packing &packing)
      : p(packing), source(weight.span<T>()) {
    auto shape = weight.shape();
    groupChannels = shape[0] / p.groups;
    kernelH = shape[1];
    kernelW = shape[2];
    inputs = shape[3];
    panels = llvm::divideCeil(groupChannels, p.vectors * p.lanes);
    segments = p.isRun ? 1 : kernelW;
    length = p.isRun ? kernelW * inputs : inputs;
    steps = llvm::divideCeil(length, p.pack);
  }

  int64_t size() const {
    int64_t width = p.vectors * p.lanes;
    int64_t channels = (panels - 1) * width + countLanes(panels - 1);
    return p.groups * channels * kernelH * segments * steps * p.pack;
  }

  void pack(T *out) {
    for (int64_t g = 0; g < p.groups; ++g)
      for (int64_t panel = 0; panel < panels; ++panel)
        for (int64_t kh = 0; kh < kernelH; ++kh)
          for (int64_t segment = 0; segment < segments; ++segment)
            for (int64_t step = 0; step < steps; ++step)
              out = packStep({g, panel, kh, segment}, step * p.pack, out);
  }

private:
  /// Where a run of weights is that lie side by side.
  struct Place {
    int64_t group, panel, row, segment;
  };
  /// Lanes of a panel that are stored.
  int64_t countLanes(int64_t panel) const {
    int64_t width = p.vectors * p.lanes, rest = groupChannels - panel * width;
    return p.endsEarly ? std::min<int64_t>(width, llvm::alignTo(rest, p.lanes))
                       : width;
  }

  /// The last step of a length that KP does not divide reads the last KP
  /// elements; those an earlier step has read get a zero weight.
  T *packStep(const Place &at, int64_t first, T *out) {
    int64_t start = std::min(first, length - p.pack);
    for (int64_t lane = 0, e = countLanes(at.panel); lane < e; ++lane) {
      int64_t channel = at.panel * p.vectors * p.lanes + lane;
      for (int64_t q = 0; q < p.pack; ++q) {
        int64_t element = start + q;
        if (channel >= groupChannels)
          *out++ = T(p.fill);
        else
          *out++ = element < first
                       ? T(0)
                       : read(at.group * groupChannels + channel, at.row,
                              at.segment * inputs + element);
      }
    }
    return out;
  }

  T read(int64_t channel, int64_t kh, int64_t element) const {
    return source[(channel * kernelH + kh) * kernelW * inputs + element];
  }

  const Packing &p;
  llvm::ArrayRef<T> source;
  int64_t groupChannels, kernelH, kernelW, inputs;
  int64_t panels, segments, length, steps;
};
} // namespace

int8_t qopt::qcpu::getFill(const Tensor &weight,
                           llvm::ArrayRef<int8_t> levels) {
  if (levels.empty())
    return 0;
  llvm::ArrayRef<int8_t> bytes = weight.span<int8_t>();
  return llvm::is_contained(bytes, 0) ? 0 : bytes.front();
}

template <typename T>
static Tensor packConv(const Tensor &weight, const Packing &packing) {
  ConvPacker<T> packer(weight, packing);
  Tensor packed(weight.dtype(), {packer.size()});
  packer.pack(packed.mutableSpan<T>().data());
  return packed;
}

Tensor qopt::qcpu::packConvWeights(const Tensor &weight,
                                   const Packing &packing) {
  return getByteWidth(weight.dtype()) == 1 ? packConv<int8_t>(weight, packing)
                                           : packConv<float>(weight, packing);
}

Tensor qopt::qcpu::packDepthwiseWeights(const Tensor &weight,
                                        const Packing &packing) {
  int64_t width = packing.vectors * packing.lanes;
  int64_t channels = weight.shape()[0];
  int64_t taps = weight.numElements() / channels;
  int64_t panels = llvm::divideCeil(channels, width);
  Tensor packed(weight.dtype(), {panels * taps * width});
  if (packing.fill)
    llvm::fill(packed.mutableSpan<int8_t>(), packing.fill);
  int64_t bytes = getByteWidth(weight.dtype());
  char *to = packed.mutableData();
  for (int64_t panel = 0; panel < panels; ++panel)
    for (int64_t tap = 0; tap < taps; ++tap)
      for (int64_t lane = 0; lane < width; ++lane, to += bytes) {
        int64_t channel = panel * width + lane;
        if (channel < channels)
          std::copy_n(weight.data() + (channel * taps + tap) * bytes, bytes,
                      to);
      }
  return packed;
}

/// Fewer weights are not worth a conversion of each at every use.
static constexpr int64_t kLeastNarrowed = 4096;

/// `from` in `dtype`; nothing if that would round one of them.
static std::optional<Tensor> narrowExactly(const Tensor &from, DType dtype) {
  Tensor narrow(dtype, from.shape());
  for (auto [i, value] : llvm::enumerate(from.span<float>())) {
    narrow.setFloat(i, value);
    double back = narrow.getFloat(i);
    if (!std::isfinite(value) || back != value ||
        std::signbit(back) != std::signbit(value))
      return std::nullopt;
  }
  return narrow;
}

Tensor qopt::qcpu::narrowFloats(const Tensor &packed, bool hasHalves) {
  if (packed.dtype() != DType::f32 || packed.numElements() < kLeastNarrowed)
    return packed;
  std::optional<Tensor> narrow = narrowExactly(packed, DType::bf16);
  if (!narrow && hasHalves)
    narrow = narrowExactly(packed, DType::f16);
  return narrow.value_or(packed);
}

Tensor qopt::qcpu::padChannels(const Tensor &values, const Packing &packing) {
  int64_t width = packing.endsEarly ? packing.lanes
                                    : packing.vectors * packing.lanes;
  int64_t channels = values.numElements() / packing.groups;
  int64_t padded = llvm::alignTo(channels, width);
  Tensor result(values.dtype(), {packing.groups * padded});
  int64_t bytes = getByteWidth(values.dtype());
  for (int64_t g = 0; g < packing.groups; ++g)
    std::copy_n(values.data() + g * channels * bytes, channels * bytes,
                result.mutableData() + g * padded * bytes);
  return result;
}
