//===- FileTransaction.cpp - Several files or none ------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Temporaries, hard links as the way back, and renames, which replace at once.
//===----------------------------------------------------------------------===//
#include "qopt/Support/FileTransaction.h"
#include "qopt/Support/Diagnostics.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <unistd.h>

using namespace qopt;
namespace fs = llvm::sys::fs;

static absl::Status fail(llvm::StringRef path, const std::error_code &error) {
  return Error(Code::WriteFailed,
               "cannot write '" + path + "': " + error.message());
}

static bool isThere(llvm::StringRef path) {
  fs::file_status status;
  // A link to nowhere has a name too.
  return !fs::status(path, status, /*follow=*/false);
}

absl::Status FileTransaction::add(const llvm::Twine &path,
                                  const FileContents &contents,
                                  bool isExecutable) {
  std::string name = path.str();
  llvm::StringRef folder = llvm::sys::path::parent_path(name);
  if (!folder.empty())
    if (std::error_code error = fs::create_directories(
            folder, /*IgnoreExisting=*/true, fs::all_all))
      return fail(name, error);
  llvm::SmallString<128> temporary;
  int descriptor;
  // 0666 less the umask, as a plain open() would give.
  if (std::error_code error =
          fs::createUniqueFile(name + ".%%%%%%%%.tmp", descriptor, temporary,
                               fs::OF_None, isExecutable ? 0777 : 0666))
    return fail(name, error);
  files.push_back({name, temporary.str().str(), "", false});
  llvm::raw_fd_ostream os(descriptor, /*shouldClose=*/true);
  absl::Status status;
  {
    ReleasingStream stream(os);
    status = contents.write(stream);
  }
  os.close();
  std::error_code error = os.error();
  os.clear_error();
  return error ? fail(name, error) : status;
}

absl::Status FileTransaction::place(File &file) {
  if (isThere(file.path)) {
    if (fs::is_directory(file.path) && !fs::is_symlink_file(file.path))
      return fail(file.path, std::make_error_code(std::errc::is_a_directory));
    std::string backup = file.temporary + ".old";
    // A link leaves no moment without a file; not every file system has them.
    std::error_code error;
    if (::link(file.path.c_str(), backup.c_str()) != 0)
      error = fs::rename(file.path, backup);
    if (error)
      return fail(file.path, error);
    file.backup = std::move(backup);
  }
  if (std::error_code error = fs::rename(file.temporary, file.path))
    return fail(file.path, error);
  file.isInPlace = true;
  return absl::OkStatus();
}

absl::Status FileTransaction::commit() {
  for (File &file : files)
    QOPT_RETURN_IF_ERROR(place(file));
  return absl::OkStatus();
}

void FileTransaction::keep() {
  for (const File &file : files)
    if (!file.backup.empty())
      (void)fs::remove(file.backup);
  files.clear();
}

FileTransaction::~FileTransaction() {
  for (const File &file : llvm::reverse(files)) {
    if (!file.isInPlace)
      (void)fs::remove(file.temporary);
    if (!file.backup.empty()) {
      // Of two names of one file, rename() leaves both.
      (void)fs::rename(file.backup, file.path);
      (void)fs::remove(file.backup);
    } else if (file.isInPlace) {
      (void)fs::remove(file.path);
    }
  }
}
