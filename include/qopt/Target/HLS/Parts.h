//===- Parts.h - FPGAs and what units cost on them ------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Capacities from data sheets and the analytical formulas of FINN-R: estimates
// before synthesis, not results of it.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TARGET_HLS_PARTS_H
#define QOPT_TARGET_HLS_PARTS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <string>

namespace qopt::hls {

struct Resources {
  int64_t lut = 0, dsp = 0, bram18 = 0;

  Resources &operator+=(const Resources &other) {
    lut += other.lut;
    dsp += other.dsp;
    bram18 += other.bram18;
    return *this;
  }
};

struct Part {
  const char *name;   ///< "xc7z020"
  const char *vendor; ///< what tools take: "xc7z020clg400-1"
  Resources capacity;
  /// Wider operand of a DSP's multiplier; the other has 18 bits.
  unsigned dspBits;
};

llvm::ArrayRef<Part> getParts();
/// By name, or by a longer name that begins with it; null if unknown.
const Part *findPart(llvm::StringRef name);

/// Whether a design may fill so much of a part: 70 % of its LUTs and 90 % of
/// its DSPs and memories, which leaves room for routing.
bool fits(const Resources &resources, const Part &part);
Resources getLimit(const Part &part);

/// Block memories of `depth` words of `width` bits.
int64_t getBram18(int64_t depth, int64_t width);
/// The same memory in LUTs.
int64_t getLutRam(int64_t depth, int64_t width);
/// Where `depth` words lie, as Vitis names it: LUTs hold few of them.
llvm::StringRef pickMemory(int64_t depth);
/// What they take there.
Resources getMemory(int64_t depth, int64_t width);
/// A FIFO of that depth.
Resources getFifo(int64_t depth, int64_t width);
/// Whether a product is worth a DSP.
bool usesDsp(unsigned bits, unsigned otherBits);
/// One multiplier of variable operands.
Resources getMultiplier(unsigned bits, unsigned otherBits, const Part &part);

} // namespace qopt::hls

#endif // QOPT_TARGET_HLS_PARTS_H
