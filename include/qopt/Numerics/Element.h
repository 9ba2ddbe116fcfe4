//===- Element.h - What one weight may be ---------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The rows of Formats.def as options and plans spell them, and the one
// definition of what a stored number stands for. How scales lie is a matter of
// the type, how codes lie in memory one of the target.
//===----------------------------------------------------------------------===//
#ifndef QOPT_NUMERICS_ELEMENT_H
#define QOPT_NUMERICS_ELEMENT_H

#include "qopt/Numerics/Format.h"

#include "llvm/ADT/SmallVector.h"
#include <string>

namespace qopt {

/// A format of weights: stored numbers of `stored`, each of which stands for
/// itself or for a level of a table.
struct Element {
  llvm::StringRef name;
  const IntegerFormat *stored;
  /// 2^bits signed bytes in growing order; empty: numbers stand for themselves.
  llvm::SmallVector<int8_t, 0> levels;
  /// `levels` is where learning starts: every tensor has its own.
  bool isLearned = false;
};

/// What a weight can be rounded to (2 to 8 bits): signed and unsigned integers,
/// then tables in the order of Formats.def.
llvm::ArrayRef<Element> getElements();
/// Of that name, or null.
const Element *lookupElement(llvm::StringRef name);
/// The names for messages: "si2 to si8, ..., lut2 to lut4".
const std::string &getElementNames();

/// The integer that a stored number stands for, before its scale: its level
/// (bits above the table's do not count), or itself without its zero point.
inline int64_t decodeStored(int64_t stored, llvm::ArrayRef<int8_t> levels,
                            int64_t zeroPoint) {
  return levels.empty() ? stored - zeroPoint
                        : levels[stored & int64_t(levels.size() - 1)];
}

} // namespace qopt

#endif // QOPT_NUMERICS_ELEMENT_H
