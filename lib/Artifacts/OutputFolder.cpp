//===- OutputFolder.cpp - A folder that appears at once -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A list of our files lies in the folder; it is how a later call knows that the
// folder is ours, and which files in it.
//===----------------------------------------------------------------------===//
#include "qopt/Artifacts/OutputFolder.h"
#include "qopt/Support/FileTransaction.h"
#include "qopt/Support/Files.h"
#include "qopt/Support/Json.h"

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

/// Paths that an earlier call wrote; empty for a folder without a list. Paths
/// that leave the folder are none of ours, whatever the list says.
static std::set<std::string> readList(llvm::StringRef folder) {
  std::set<std::string> files;
  absl::StatusOr<std::string> text = readFile(inside(folder, kList), 1 << 24);
  if (!text.ok())
    return files;
  llvm::SmallVector<llvm::StringRef> lines;
  llvm::StringRef(*text).split(lines, '\n', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef line : lines)
    if (!line.starts_with("/") &&
        !llvm::is_contained(llvm::split(line, '/'), ".."))
      files.insert(line.str());
  if (!files.count(kList))
    files.clear();
  return files;
}

/// Folders of earlier versions have no list: the file that says what they are.
/// Reports and bundles have files of the names of projects too, but other
/// schemas.
static llvm::StringRef findEarlier(llvm::StringRef folder, FolderKind kind) {
  static constexpr std::pair<const char *, const char *> kProjects[] = {
      {"manifest.json", "qopt.c/1"}, {"report.json", "qopt.hls/1"}};
  static constexpr std::pair<const char *, const char *> kBundles[] = {
      {"manifest.json", "qopt.manifest/1"}};
  for (auto [name, schema] :
       kind == FolderKind::Bundle
           ? llvm::ArrayRef<std::pair<const char *, const char *>>(kBundles)
           : kProjects) {
    absl::StatusOr<std::string> text = readFile(inside(folder, name), 1 << 28);
    if (!text.ok())
      continue;
    absl::StatusOr<llvm::json::Object> object = parseJsonObject(*text, name);
    if (object.ok() && object->getString("schema") == schema)
      return name;
  }
  return {};
}

static bool isEmpty(llvm::StringRef folder) {
  std::error_code error;
  bool none = fs::directory_iterator(folder, error) == fs::directory_iterator();
  return none && !error;
}

absl::Status qopt::checkOutputFolder(llvm::StringRef path, FolderKind kind) {
  if (!fs::exists(path))
    return absl::OkStatus();
  if (!fs::is_directory(path))
    return Error(Code::WriteFailed, "-o: expected a folder to write, but '" +
                                        path + "' is a file");
  if (isEmpty(path) || !readList(path).empty() ||
      !findEarlier(path, kind).empty())
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

/// What a folder has of ours. A project without a list has what the same kind
/// of project gets now, a bundle without one what any bundle had.
static std::set<std::string>
getOurs(llvm::StringRef folder, const FilesByName &files, FolderKind kind) {
  std::set<std::string> ours = readList(folder);
  llvm::StringRef earlier =
      ours.empty() ? findEarlier(folder, kind) : llvm::StringRef();
  if (earlier.empty() || !files.count(earlier.str()))
    return ours;
  if (kind == FolderKind::Bundle)
    return {"lock.json", "manifest.json", "model.mlirbc",
            "plan.json", "profile.json",  "quantized.mlirbc"};
  for (const auto &[name, bytes] : files)
    ours.insert(name);
  return ours;
}

/// An error if a file to write would take the place of one that is not ours.
static absl::Status checkNames(llvm::StringRef path, llvm::StringRef folder,
                               const FilesByName &files,
                               const std::set<std::string> &ours) {
  std::set<std::string> others;
  for (const auto &[name, bytes] : files) {
    llvm::StringRef part = name;
    for (; !part.empty(); part = llvm::sys::path::parent_path(part)) {
      fs::file_status status;
      if (fs::status(inside(folder, part), status, /*follow=*/false))
        continue;
      // Folders around a file may be anybody's.
      bool isFolder = status.type() == fs::file_type::directory_file;
      if (part == name ? isFolder || !ours.count(name)
                       : !isFolder && !ours.count(part.str()))
        others.insert(part.str());
    }
  }
  if (others.empty())
    return absl::OkStatus();
  return Error(
             Code::WriteFailed,
             "-o: expected an empty folder, or one that qopt wrote, but in '" +
                 path +
                 "' these are others' files: " + llvm::join(others, ", "))
      .help("name another folder, or move them");
}

/// Moves what is not in `ours` from one folder to the other, which has no such
/// files (checkNames).
static std::error_code carry(llvm::StringRef from, llvm::StringRef to,
                             const std::string &prefix,
                             const std::set<std::string> &ours) {
  std::error_code error;
  std::vector<std::string> entries;
  for (fs::directory_iterator it(from, error, /*follow_symlinks=*/false), end;
       it != end && !error; it.increment(error))
    entries.push_back(it->path());
  if (error)
    return error;
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
    } else if (ours.count(relative)) {
      continue;
    } else if (fs::exists(target)) {
      return std::make_error_code(std::errc::file_exists);
    }
    // Folders of ours that are no longer made.
    if ((error = fs::create_directories(to)) ||
        (error = fs::rename(entry, target)))
      return error;
  }
  return error;
}

/// Gives `fresh` the name `path`; `old` is the name of what had it, empty if it
/// has it still.
static std::error_code swapFolders(const std::string &fresh,
                                   const std::string &path, std::string &old) {
#ifdef RENAME_EXCHANGE
  old = fresh;
  if (::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, path.c_str(),
                  RENAME_EXCHANGE) == 0)
    return {};
#endif
  // File systems without it: there is no folder for a moment.
  old = fresh + ".old";
  std::error_code error = fs::rename(path, old);
  if (error)
    old.clear();
  else if ((error = fs::rename(fresh, path)) && !fs::rename(old, path))
    old.clear();
  return error;
}

/// The folder is where this process stands, or around it: whoever started it
/// stands there too, and would be left in a folder without a name.
static bool holdsWorkingFolder(llvm::StringRef folder) {
  llvm::SmallString<128> here, real;
  if (fs::current_path(here) || fs::real_path(here, real))
    return true;
  llvm::StringRef rest = real;
  return rest.consume_front(folder) && (rest.empty() || rest[0] == '/');
}

static std::string makeList(const std::set<std::string> &names) {
  return std::string(kList) + "\n" + llvm::join(names, "\n") + "\n";
}

/// Removes files of ours that are no longer made, and folders that this
/// empties.
static void removeStale(llvm::StringRef folder,
                        const std::set<std::string> &stale) {
  for (llvm::StringRef name : stale) {
    std::string path = inside(folder, name);
    llvm::StringRef parent = llvm::sys::path::parent_path(path);
    llvm::SmallString<128> real;
    // Not through links to other places.
    if (fs::real_path(parent, real) || real != parent ||
        (fs::is_directory(path) && !fs::is_symlink_file(path)))
      continue;
    (void)fs::remove(path);
    for (; parent.size() > folder.size() && isEmpty(parent);
         parent = llvm::sys::path::parent_path(parent))
      (void)fs::remove(parent);
  }
}

/// Where a folder cannot be swapped: one file after the other, all or none.
static absl::Status writeInPlace(llvm::StringRef folder,
                                 const FilesByName &files,
                                 std::set<std::string> ours) {
  std::set<std::string> names;
  for (const auto &[name, bytes] : files)
    names.insert(name);
  ours.erase(kList);
  // Cut anywhere, the folder is ours and knows all that may be.
  std::set<std::string> all = ours;
  all.insert(names.begin(), names.end());
  QOPT_RETURN_IF_ERROR(writeFile(inside(folder, kList), makeList(all)));
  FileTransaction transaction;
  for (const auto &[name, bytes] : files)
    QOPT_RETURN_IF_ERROR(transaction.add(inside(folder, name), bytes));
  QOPT_RETURN_IF_ERROR(transaction.commit());
  transaction.keep();
  for (const std::string &name : names)
    ours.erase(name);
  removeStale(folder, ours);
  return writeFile(inside(folder, kList), makeList(names));
}

/// Makes the folder beside the place where it will be.
static absl::Status writeFresh(llvm::StringRef folder,
                               const FilesByName &files) {
  std::set<std::string> names;
  FileTransaction transaction;
  for (const auto &[name, bytes] : files) {
    names.insert(name);
    QOPT_RETURN_IF_ERROR(transaction.add(inside(folder, name), bytes));
  }
  QOPT_RETURN_IF_ERROR(transaction.commit());
  transaction.keep();
  return writeFile(inside(folder, kList), makeList(names));
}

absl::Status qopt::writeOutputFolder(llvm::StringRef path,
                                     const FilesByName &files,
                                     FolderKind kind) {
  QOPT_RETURN_IF_ERROR(checkOutputFolder(path, kind));
  llvm::StringRef parent = llvm::sys::path::parent_path(path);
  if (!parent.empty())
    if (std::error_code error = fs::create_directories(parent))
      return fail(path, error);
  // Links and '.' have no name of their own to give away.
  std::string folder = path.str();
  std::set<std::string> ours;
  bool exists = fs::exists(path);
  if (exists) {
    llvm::SmallString<128> real;
    if (std::error_code error = fs::real_path(path, real))
      return fail(path, error);
    folder = real.str().str();
    ours = getOurs(folder, files, kind);
    QOPT_RETURN_IF_ERROR(checkNames(path, folder, files, ours));
    if (holdsWorkingFolder(folder))
      return writeInPlace(folder, files, std::move(ours));
  }
  llvm::SmallString<128> unique;
  fs::createUniquePath(folder + ".%%%%%%%%.tmp", unique,
                       /*MakeAbsolute=*/false);
  std::string fresh = unique.str().str();
  if (std::error_code error =
          fs::create_directory(fresh, /*IgnoreExisting=*/false, fs::all_all))
    return exists ? writeInPlace(folder, files, std::move(ours))
                  : fail(path, error);
  if (absl::Status status = writeFresh(fresh, files); !status.ok()) {
    fs::remove_directories(fresh);
    return status;
  }
  if (!exists) {
    std::error_code error = fs::rename(fresh, folder);
    if (!error)
      return absl::OkStatus();
    fs::remove_directories(fresh);
    return fail(path, error);
  }
  std::string old;
  std::error_code error = swapFolders(fresh, folder, old);
  if (error)
    fs::remove_directories(fresh);
  if (error && old.empty())
    return writeInPlace(folder, files, std::move(ours));
  if (!error)
    error = carry(old, folder, "", ours);
  if (!error)
    error = fs::remove_directories(old, /*IgnoreErrors=*/false);
  if (!error)
    return absl::OkStatus();
  return Error(Code::WriteFailed,
               "cannot write folder '" + path + "': " + error.message())
      .note("what it held lies in '" + old + "'");
}
