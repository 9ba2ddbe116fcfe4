//===- Rounder.cpp - Methods of rounding weights --------------------------===//
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//
#include "qopt/Assignment/Rounder.h"

#include "llvm/ADT/STLExtras.h"

using namespace qopt;

static constexpr Rounder kRounders[] = {
#define QOPT_ROUNDER(FUNCTION, NAME, FACTOR, SUMMARY, SOURCE)                  \
  {NAME, SUMMARY, SOURCE, FACTOR, FUNCTION},
#include "qopt/Assignment/Rounders.def"
};

llvm::ArrayRef<Rounder> qopt::getRounders() { return kRounders; }

const Rounder *qopt::lookupRounder(llvm::StringRef name) {
  const Rounder *found = llvm::find_if(
      kRounders, [&](const Rounder &row) { return row.name == name; });
  return found == std::end(kRounders) ? nullptr : found;
}

std::vector<llvm::StringRef> qopt::getRounderNames() {
  std::vector<llvm::StringRef> names;
  for (const Rounder &row : kRounders)
    names.push_back(row.name);
  return names;
}

std::string qopt::listRounders() {
  std::string text;
  for (auto [i, row] : llvm::enumerate(kRounders)) {
    bool isLast = i + 1 == std::size(kRounders);
    text += i == 0 ? "" : isLast ? " or " : ", ";
    text += row.name;
  }
  return text;
}
