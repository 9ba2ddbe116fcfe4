//===- FileTransaction.h - Several files or none --------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A full disk at the third file must not cost the first two that were there:
// everything is written beside its place, then takes its names, and goes back
// if one of them cannot.
//===----------------------------------------------------------------------===//
#ifndef QOPT_SUPPORT_FILETRANSACTION_H
#define QOPT_SUPPORT_FILETRANSACTION_H

#include "absl/status/status.h"
#include "qopt/Support/FileContents.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"
#include <string>
#include <vector>

namespace qopt {

/// Until keep(), going out of scope undoes everything.
class FileTransaction {
public:
  FileTransaction() = default;
  FileTransaction(const FileTransaction &) = delete;
  FileTransaction &operator=(const FileTransaction &) = delete;
  ~FileTransaction();

  /// Writes the contents beside `path`; missing folders are made.
  absl::Status add(const llvm::Twine &path, const FileContents &contents,
                   bool isExecutable = false);
  /// Gives all files their names. What had them is kept aside.
  absl::Status commit();
  /// Lets go of what was kept aside: there is no way back.
  void keep();

private:
  struct File {
    std::string path, temporary;
    std::string backup; ///< what had the name; empty: nothing
    bool isInPlace = false;
  };
  absl::Status place(File &file);

  std::vector<File> files;
};

} // namespace qopt

#endif // QOPT_SUPPORT_FILETRANSACTION_H
