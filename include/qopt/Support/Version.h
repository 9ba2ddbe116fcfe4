//===- Version.h - The version of qopt ------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Locks hold it: another version may make other bytes of the same options.
//===----------------------------------------------------------------------===//
#ifndef QOPT_SUPPORT_VERSION_H
#define QOPT_SUPPORT_VERSION_H

namespace qopt {

inline constexpr const char *kVersion = "0.1.0";

} // namespace qopt

#endif // QOPT_SUPPORT_VERSION_H
