//===- OutputFolder.cpp - A folder that appears at once -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A list of our files lies in the folder; it is how a later call knows that the
// folder is ours, and which files in it.
//===----------------------------------------------------------------------===//
#include "qopt/Pipelines/OutputFolder.h"
#include "qopt/Support/Files.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <fcntl.h>
#include <set>
#include <stdio.h> // renameat2

using namespace qopt;
namespace fs = llvm::sys::fs;

static constexpr const char *kList = ".qopt-files";

static std::string inside(llvm::StringRef folder, llvm::StringRef name) {
  llvm::SmallString<128> path(folder);
  llvm::sys::path::append(path, name);
  return path.str().str();
}

/// Paths that an earlier call wrote; empty for a folder that is not ours.
static std::set<std::string> readList(llvm::StringRef folder) {
  std::set<std::string> files;
  absl::StatusOr<std::string> text = readFile(inside(folder, kList), 1 << 24);
  if (!text.ok())
    return files;
  llvm::SmallVector<llvm::StringRef> lines;
  llvm::StringRef(*text).split(lines, '\n', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef line : lines)
    files.insert(line.str());
  return files;
}

/// Projects of earlier versions have no list, but say what they are.
static bool isEarlierProject(llvm::StringRef folder) {
  for (const char *name : {"report.json", "manifest.json"}) {
    absl::StatusOr<std::string> text = readFile(inside(folder, name), 1 << 28);
    if (text.ok() && llvm::StringRef(*text).contains("\"schema\": \"qopt."))
      return true;
  }
  return false;
}

static bool isEmpty(llvm::StringRef folder) {
  std::error_code error;
  return fs::directory_iterator(folder, error) == fs::directory_iterator();
}

absl::Status qopt::checkOutputFolder(llvm::StringRef path) {
  if (!fs::exists(path))
    return absl::OkStatus();
  if (!fs::is_directory(path))
    return Error(Code::WriteFailed, "-o: expected a folder to write, but '" +
                                        path + "' is a file");
  if (isEmpty(path) || !readList(path).empty() || isEarlierProject(path))
    return absl::OkStatus();
  return Error(Code::WriteFailed,
               "-o: expected an empty folder, or one that qopt wrote, but '" +
                   path + "' holds other files")
      .help("name another folder");
}

static absl::Status fail(llvm::StringRef path, const std::error_code &error) {
  return Error(Code::WriteFailed,
               "cannot write folder '" + path + "': " + error.message());
}

/// Moves what is not in `ours` from one folder to the other, unless it has such
/// a file itself.
static std::error_code carry(llvm::StringRef from, llvm::StringRef to,
                             const std::string &prefix,
                             const std::set<std::string> &ours) {
  std::error_code error;
  std::vector<std::string> entries;
  for (fs::directory_iterator it(from, error, /*follow_symlinks=*/false), end;
       it != end && !error; it.increment(error))
    entries.push_back(it->path());
  for (const std::string &entry : entries) {
    std::string name = llvm::sys::path::filename(entry).str();
    std::string relative = prefix + name, target = inside(to, name);
    if (fs::is_directory(entry) && !fs::is_symlink_file(entry)) {
      auto first = ours.lower_bound(relative + "/");
      bool hasOurs = first != ours.end() &&
                     llvm::StringRef(*first).starts_with(relative + "/");
      if (hasOurs || fs::exists(target)) {
        if (!fs::exists(target) && isEmpty(entry))
          continue;
        if ((error = carry(entry, target, relative + "/", ours)))
          return error;
        continue;
      }
    } else if (ours.count(relative) || fs::exists(target)) {
      continue;
    }
    // Folders of ours that are no longer made.
    if ((error = fs::create_directories(to)) ||
        (error = fs::rename(entry, target)))
      return error;
  }
  return error;
}

/// Gives `fresh` the name `path`; what had it gets the name `fresh`.
static std::error_code swapFolders(const std::string &fresh,
                                   const std::string &path) {
#ifdef RENAME_EXCHANGE
  if (::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, path.c_str(),
                  RENAME_EXCHANGE) == 0)
    return {};
#endif
  // File systems without it: there is no folder for a moment.
  std::string old = fresh + ".old";
  if (std::error_code error = fs::rename(path, old))
    return error;
  if (std::error_code error = fs::rename(fresh, path)) {
    (void)fs::rename(old, path);
    return error;
  }
  return fs::rename(old, fresh);
}

absl::Status
qopt::writeOutputFolder(llvm::StringRef path,
                        const std::map<std::string, std::string> &files) {
  QOPT_RETURN_IF_ERROR(checkOutputFolder(path));
  std::string parent = llvm::sys::path::parent_path(path).str();
  if (!parent.empty())
    if (std::error_code error = fs::create_directories(parent))
      return fail(path, error);
  llvm::SmallString<128> fresh;
  fs::createUniquePath(path + ".%%%%%%%%.tmp", fresh, /*MakeAbsolute=*/false);
  if (std::error_code error =
          fs::create_directory(fresh, /*IgnoreExisting=*/false, fs::all_all))
    return fail(path, error);
  absl::Status status;
  std::string list = std::string(kList) + "\n";
  for (const auto &[name, bytes] : files) {
    list += name + "\n";
    if (status = writeFile(inside(fresh, name), bytes); !status.ok())
      break;
  }
  if (status.ok())
    status = writeFile(inside(fresh, kList), list);
  if (!status.ok()) {
    fs::remove_directories(fresh);
    return status;
  }
  std::string temporary = fresh.str().str();
  std::error_code error;
  if (!fs::exists(path)) {
    error = fs::rename(temporary, path);
  } else {
    error = swapFolders(temporary, path.str());
    // The old folder has the temporary name now.
    if (!error)
      error = carry(temporary, path, "", readList(temporary));
  }
  if (error)
    return fail(path, error);
  if (fs::exists(temporary))
    fs::remove_directories(temporary);
  return absl::OkStatus();
}
