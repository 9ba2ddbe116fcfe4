//===- Lock.h - What decided the bytes ------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// `qopt.lock/2`: the model, the data, the recipe, the target and every option
// that reaches the files. Equal locks, leaving out the hashes of results, mean
// equal bytes. Paths are no part of it: files are known by name and hash.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ARTIFACTS_LOCK_H
#define QOPT_ARTIFACTS_LOCK_H

#include "qopt/Artifacts/Artifacts.h"
#include "llvm/Support/JSON.h"

namespace qopt {

inline constexpr int kLockVersion = 2;

/// The text of a lock, which messages call `file`; older and newer schemas are
/// refused.
absl::StatusOr<llvm::json::Object> parseLock(llvm::StringRef text,
                                             llvm::StringRef file);
absl::StatusOr<llvm::json::Object> readLock(llvm::StringRef path);

/// The hash of a member of `data`, from the file or folder there.
absl::StatusOr<std::string> getDataSha256(llvm::StringRef path);
/// The hash of `model`, from the file or the bundle there.
absl::StatusOr<std::string> getModelSha256(llvm::StringRef path);

/// An error that names every member in which `made` is not what `expected`
/// says; members that only tell versions are left out.
absl::Status compareLocks(const llvm::json::Object &expected,
                          const llvm::json::Object &made);

/// The lock of what a request made: `files` by their suffixes, or by their
/// paths in a folder.
absl::StatusOr<llvm::json::Object>
makeLock(const ArtifactRequest &request, const FilesByName &files);

} // namespace qopt

#endif // QOPT_ARTIFACTS_LOCK_H
