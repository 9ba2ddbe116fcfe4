//===- Kinds.cpp - Names of scalar functions, reductions and modes --------===//
// SPDX-License-Identifier: Apache-2.0
//
// Spelling of the enumerations and the rows of Formats.def.
//===----------------------------------------------------------------------===//
#include "qopt/Numerics/Kinds.h"
#include "qopt/Numerics/Format.h"

#include "llvm/ADT/StringSwitch.h"

#include "qopt/Numerics/Kinds.cpp.inc"

using namespace qopt;

static constexpr IntegerFormat kIntegerFormats[] = {
#define QOPT_INTEGER_FORMAT(name, bits, isSigned) {#name, bits, isSigned},
#define QOPT_TABLE_FORMAT(name, bits, start) {#name, bits, false, true},
#include "qopt/Numerics/Formats.def"
};

llvm::ArrayRef<IntegerFormat> qopt::getIntegerFormats() {
  return kIntegerFormats;
}

const IntegerFormat *qopt::lookupIntegerFormat(llvm::StringRef name) {
  for (const IntegerFormat &format : kIntegerFormats)
    if (name == format.name)
      return &format;
  return nullptr;
}
