//===- Bundle.h - STEM.qopt, the record beside the code -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Everything that verbs need after compilation lies in one folder: manifest,
// float and quantized IR, profile, lock. It holds no time, no absolute path
// and nothing that depends on the machine it was made on.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ARTIFACTS_BUNDLE_H
#define QOPT_ARTIFACTS_BUNDLE_H

#include "absl/status/statusor.h"
#include "qopt/Data/Preprocess.h"
#include "qopt/Support/FileContents.h"
#include "llvm/Support/JSON.h"

namespace qopt {

/// Files of a bundle by their names in it.
struct BundleFiles {
  FilesByName files;

  void addJson(llvm::StringRef name, const llvm::json::Value &value);
  /// Writes the folder at once (writeOutputFolder): a reader sees the old
  /// bundle or the whole new one, and files that others put there stay.
  absl::Status write(llvm::StringRef stem) const;
};

/// A bundle on disk.
struct Bundle {
  std::string stem;
  llvm::json::Object manifest;
  Preprocessing preprocessing;

  std::string getPath(llvm::StringRef file) const;
  std::string getString(llvm::StringRef key) const;
  int64_t getInteger(llvm::StringRef key) const;
  /// "inputs" or "outputs".
  absl::StatusOr<std::vector<TensorSpec>> getSpecs(llvm::StringRef key) const;
};

/// An error where STEM.qopt is there and no bundle: writing one would take the
/// place of somebody's file or folder.
absl::Status checkBundlePlace(llvm::StringRef stem);

/// STEM if `path` is `STEM.qopt`, or a file `STEM.qopt/manifest.json` exists.
std::optional<std::string> findBundle(llvm::StringRef path);
absl::StatusOr<Bundle> readBundle(llvm::StringRef stem);

llvm::json::Value toJson(llvm::ArrayRef<TensorSpec> specs);

/// Checks `"schema": "qopt.KIND/N"`: newer is refused, and so is older as long
/// as N is 1.
absl::Status checkSchema(const llvm::json::Object &object, llvm::StringRef kind,
                         int64_t version, llvm::StringRef file);

} // namespace qopt

#endif // QOPT_ARTIFACTS_BUNDLE_H
