//===- Parts.cpp - FPGAs and what units cost on them ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// One row per part. Capacities: data sheets DS190, DS180, DS891, DS925, DS890.
//===----------------------------------------------------------------------===//
#include "qopt/Target/HLS/Parts.h"

#include "llvm/Support/MathExtras.h"

using namespace qopt::hls;

static constexpr Part kParts[] = {
    {"xc7z020", "xc7z020clg400-1", {53200, 220, 280}, 25},
    {"xc7a100t", "xc7a100tcsg324-1", {63400, 240, 270}, 25},
    {"xczu3eg", "xczu3eg-sbva484-1-e", {70560, 360, 432}, 27},
    {"xck26", "xck26-sfvc784-2LV-c", {117120, 1248, 288}, 27},
    {"xczu7ev", "xczu7ev-ffvc1156-2-e", {230400, 1728, 624}, 27},
    {"xczu9eg", "xczu9eg-ffvb1156-2-e", {274080, 2520, 1824}, 27},
    {"xcvu9p", "xcvu9p-flga2104-2-i", {1182240, 6840, 4320}, 27},
    {"xcu250", "xcu250-figd2104-2L-e", {1728000, 12288, 5376}, 27},
};

llvm::ArrayRef<Part> qopt::hls::getParts() { return kParts; }

const Part *qopt::hls::findPart(llvm::StringRef name) {
  for (const Part &part : kParts)
    if (name == part.name || name == part.vendor)
      return &part;
  return nullptr;
}

Resources qopt::hls::getLimit(const Part &part) {
  return {part.capacity.lut * 7 / 10, part.capacity.dsp * 9 / 10,
          part.capacity.bram18 * 9 / 10};
}

bool qopt::hls::fits(const Resources &resources, const Part &part) {
  Resources limit = getLimit(part);
  return resources.lut <= limit.lut && resources.dsp <= limit.dsp &&
         resources.bram18 <= limit.bram18;
}

int64_t qopt::hls::getBram18(int64_t depth, int64_t width) {
  using llvm::divideCeil;
  if (width == 1)
    return divideCeil(depth, 16384);
  if (width == 2)
    return divideCeil(depth, 8192);
  if (width <= 4)
    return divideCeil(depth, 4096) * divideCeil(width, 4);
  if (width <= 9)
    return divideCeil(depth, 2048);
  if (width <= 18 || depth > 512)
    return divideCeil(depth, 1024) * divideCeil(width, 18);
  return divideCeil(depth, 512) * divideCeil(width, 36);
}

int64_t qopt::hls::getLutRam(int64_t depth, int64_t width) {
  return width * llvm::divideCeil(depth, 64);
}

static bool isSmall(int64_t depth) { return depth <= 128; }

llvm::StringRef qopt::hls::pickMemory(int64_t depth) {
  return isSmall(depth) ? "lutram" : "bram";
}

Resources qopt::hls::getMemory(int64_t depth, int64_t width) {
  return isSmall(depth) ? Resources{getLutRam(depth, width), 0, 0}
                        : Resources{0, 0, getBram18(depth, width)};
}

Resources qopt::hls::getFifo(int64_t depth, int64_t width) {
  if (depth > 256)
    return {2 * llvm::Log2_64_Ceil(depth), 0, getBram18(depth, width)};
  return {2 * int64_t(llvm::Log2_64_Ceil(depth)) +
              int64_t(llvm::divideCeil(depth, 32) * llvm::divideCeil(width, 2)),
          0, 0};
}

bool qopt::hls::usesDsp(unsigned bits, unsigned otherBits) {
  return bits > 1 && otherBits > 1 && bits + otherBits > 10;
}

Resources qopt::hls::getMultiplier(unsigned bits, unsigned otherBits,
                                   const Part &part) {
  unsigned wide = std::max(bits, otherBits), narrow = std::min(bits, otherBits);
  if (!usesDsp(bits, otherBits))
    return {int64_t(2 * llvm::divideCeil(wide + narrow, 6) - 1) *
                int64_t(wide + narrow),
            0, 0};
  return {0,
          int64_t(llvm::divideCeil(wide, part.dspBits) *
                  llvm::divideCeil(narrow, 18)),
          0};
}
