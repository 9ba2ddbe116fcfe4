//===- Sha256.h - SHA-256 by the instructions of the CPU ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Weights of gigabytes are hashed several times: LLVM's portable loop takes
// seconds a gigabyte.
//===----------------------------------------------------------------------===//
#ifndef QOPT_SUPPORT_SHA256_H
#define QOPT_SUPPORT_SHA256_H

#include "llvm/ADT/StringRef.h"
#include <array>
#include <cstdint>
#include <string>

namespace qopt {

class Sha256 {
public:
  void update(llvm::StringRef bytes);
  /// Lower-case hexadecimal; ends the hash.
  std::string finish();

private:
  std::array<uint32_t, 8> state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372,
                                   0xa54ff53a, 0x510e527f, 0x9b05688c,
                                   0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, 64> block; ///< what is no whole block yet
  uint64_t length = 0;           ///< bytes so far
};

} // namespace qopt

#endif // QOPT_SUPPORT_SHA256_H
