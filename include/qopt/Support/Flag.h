//===- Flag.h - A flag of the command line, as data -----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Verbs and targets list their flags; the driver parses and explains them.
//===----------------------------------------------------------------------===//
#ifndef QOPT_SUPPORT_FLAG_H
#define QOPT_SUPPORT_FLAG_H

#include <map>
#include <string>

namespace qopt {

/// A flag. `value` names its value in the help; null makes it a switch.
struct Flag {
  const char *name;
  const char *value;
  const char *help;
  /// One-letter form without the dash, or 0.
  char letter = 0;
};

/// Flags that were given, by name; the last value counts.
using FlagValues = std::map<std::string, std::string>;

} // namespace qopt

#endif // QOPT_SUPPORT_FLAG_H
