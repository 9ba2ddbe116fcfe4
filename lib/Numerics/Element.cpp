//===- Element.cpp - What one weight may be -------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Rows that name rows of the other kind are resolved here, once.
//===----------------------------------------------------------------------===//
#include "qopt/Numerics/Element.h"

#include "llvm/ADT/StringExtras.h"
#include <cmath>
#include <vector>

using namespace qopt;

namespace {
/// A row of Formats.def with a table: its own levels, or the row to start from.
struct TableRow {
  llvm::StringRef name, stored, start;
  float steps;
  std::vector<float> levels;
};
} // namespace

static llvm::SmallVector<int8_t, 0> roundLevels(const TableRow &row) {
  llvm::SmallVector<int8_t, 0> levels;
  for (float level : row.levels)
    levels.push_back(int8_t(std::nearbyint(level * row.steps)));
  return levels;
}

static std::vector<Element> makeElements() {
  const TableRow tables[] = {
#define QOPT_TABLE_FORMAT(name, bits, start) {#name, #name, #start, 0, {}},
#define QOPT_LEVELS(name, stored, steps, ...)                                  \
  {#name, #stored, #name, steps, {__VA_ARGS__}},
#include "qopt/Numerics/Formats.def"
  };
  std::vector<Element> elements;
  for (bool isSigned : {true, false})
    for (const IntegerFormat &format : getIntegerFormats())
      if (!format.isTable && format.isSigned == isSigned && format.bits >= 2 &&
          format.bits <= 8)
        elements.push_back({format.name, &format, {}, false});
  for (const TableRow &row : tables)
    for (const TableRow &levels : tables)
      if (levels.name == row.start)
        elements.push_back({row.name, lookupIntegerFormat(row.stored),
                            roundLevels(levels), row.levels.empty()});
  return elements;
}

llvm::ArrayRef<Element> qopt::getElements() {
  static const std::vector<Element> elements = makeElements();
  return elements;
}

const Element *qopt::lookupElement(llvm::StringRef name) {
  for (const Element &element : getElements())
    if (element.name == name)
      return &element;
  return nullptr;
}

/// "si4" as "si" and 4.
static std::pair<llvm::StringRef, unsigned> splitName(llvm::StringRef name) {
  llvm::StringRef kind = name.rtrim("0123456789");
  unsigned number = 0;
  (void)name.drop_front(kind.size()).getAsInteger(10, number);
  return {kind, number};
}

/// Rows of one kind are named by the first and the last.
static std::string makeNames() {
  std::vector<std::pair<llvm::StringRef, llvm::StringRef>> runs;
  for (const Element &element : getElements()) {
    auto run = llvm::find_if(runs, [&](const auto &run) {
      auto [kind, number] = splitName(run.second);
      return std::pair(kind, number + 1) == splitName(element.name);
    });
    if (run == runs.end())
      runs.emplace_back(element.name, element.name);
    else
      run->second = element.name;
  }
  std::string names;
  for (auto [first, last] : runs) {
    if (!names.empty())
      names += ", ";
    names += first;
    if (first != last)
      names += (" to " + last).str();
  }
  return names;
}

const std::string &qopt::getElementNames() {
  static const std::string names = makeNames();
  return names;
}
