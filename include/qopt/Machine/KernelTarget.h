//===- KernelTarget.h - Which dot product a machine has -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The one table from a target to the instruction, the packing and the register
// tile of its matrix kernels.
//===----------------------------------------------------------------------===//
#ifndef QOPT_MACHINE_KERNELTARGET_H
#define QOPT_MACHINE_KERNELTARGET_H

#include "llvm/ADT/StringRef.h"
#include <cstdint>

namespace qopt {

/// How one instruction family reads its operands.
enum class DotInput {
  u8,  ///< unsigned bytes times signed bytes
  s8,  ///< signed bytes times signed bytes
  s16, ///< the input widened to s16 with its zero point subtracted
  any, ///< either signedness of bytes, widened by the kernel
  f32
};

/// How bytes are looked up in a table.
enum class TableLookup {
  Memory, ///< by loads
  Pshufb, ///< vpshufb: 16 bytes in every half of 32
  Tbl     ///< AArch64's tbl: 16 bytes
};

/// A register tile: `rows` x `vectors` accumulators of `lanes` channels, each
/// step reducing `pack` products per lane.
struct DotChoice {
  llvm::StringRef name;
  DotInput input;
  int64_t rows, vectors, lanes, pack;
};

struct KernelTarget {
  DotChoice integer;
  DotChoice real;
  /// Vector of i32 or f32 lanes for depthwise kernels.
  int64_t lanes;
  /// f32 -> i32 conversion that rounds half to even in one instruction.
  bool isX86;
  TableLookup tables = TableLookup::Memory;
  /// Registers of 32 bits: accumulators are scalars, and products of a
  /// requantization stay in two words. Integers only.
  bool hasWords = false;
  /// Pixels that a depthwise tile keeps in registers.
  int64_t depthwiseRows = 6;
  /// Halves become floats in one instruction.
  bool hasHalves = false;
};

/// The choice for a triple and LLVM target features ("+avx2,+fma", in order, a
/// later "-x" removes). Always has an answer: plain vector arithmetic.
KernelTarget getKernelTarget(llvm::StringRef triple, llvm::StringRef features);

/// The plain integer choice.
DotChoice getGenericIntegerDot(const KernelTarget &target);

/// The integer choice for reductions of `length`: a shorter pack, or plain.
DotChoice fitIntegerDot(const KernelTarget &target, int64_t length);

} // namespace qopt

#endif // QOPT_MACHINE_KERNELTARGET_H
