//===- Rounder.h - Methods of rounding weights ----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A method is a row of Rounders.def and a file of
// lib/Assignment/Rounding/Methods: options, plans, help and messages read the
// rows, and so do the tests (docs/contributing/add-a-rounding.md).
//===----------------------------------------------------------------------===//
#ifndef QOPT_ASSIGNMENT_ROUNDER_H
#define QOPT_ASSIGNMENT_ROUNDER_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <string>
#include <vector>

namespace qopt {

/// Output channels of one weight on their way to levels.
class ChannelBlock;

struct Rounder {
  llvm::StringLiteral name;    ///< as options and plans spell it
  llvm::StringLiteral summary; ///< one line, for help
  llvm::StringLiteral source;  ///< paper or section it follows
  /// Whether it reads ChannelBlock::getFactor(): the second moment of inputs as
  /// a triangle, the dearest part of the work. All may read the moment itself.
  bool needsFactor;
  /// Offers the block other levels than the nearest ones, which it begins with
  /// and keeps where they are better.
  void (*round)(ChannelBlock &block);
};

/// All rows, the default first.
llvm::ArrayRef<Rounder> getRounders();
/// The row of that name, or null.
const Rounder *lookupRounder(llvm::StringRef name);
/// The names, in order.
std::vector<llvm::StringRef> getRounderNames();
/// "a, b or c", for help and messages.
std::string listRounders();

/// What formats of 8 bits take: they need no search.
inline constexpr llvm::StringLiteral kNearestRounder = "nearest";

#define QOPT_ROUNDER(FUNCTION, NAME, FACTOR, SUMMARY, SOURCE)                  \
  void FUNCTION(ChannelBlock &block);
#include "qopt/Assignment/Rounders.def"

} // namespace qopt

#endif // QOPT_ASSIGNMENT_ROUNDER_H
