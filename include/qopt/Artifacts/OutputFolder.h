//===- OutputFolder.h - A folder that appears at once ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Half a project is worse than none: files are written beside the folder and
// take its name when all are there.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ARTIFACTS_OUTPUTFOLDER_H
#define QOPT_ARTIFACTS_OUTPUTFOLDER_H

#include "qopt/Support/Diagnostics.h"
#include "qopt/Support/FileContents.h"

namespace qopt {

/// What a folder of before its files were listed is recognized by.
enum class FolderKind { Project, Bundle };

/// An error unless nothing, an empty folder or one of `writeOutputFolder` has
/// that name.
absl::Status checkOutputFolder(llvm::StringRef path,
                               FolderKind kind = FolderKind::Project);

/// Writes files, named by their paths in the folder. Of a folder that was there
/// the old files go; what others put into it stays, and an error if a file to
/// write has the name of one of those. Folders that cannot be swapped (where
/// the process stands, mount points) are written file by file.
absl::Status writeOutputFolder(llvm::StringRef path, const FilesByName &files,
                               FolderKind kind = FolderKind::Project);

} // namespace qopt

#endif // QOPT_ARTIFACTS_OUTPUTFOLDER_H
