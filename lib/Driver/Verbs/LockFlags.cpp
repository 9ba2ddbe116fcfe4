//===- LockFlags.cpp - --lock: the same bytes again -----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A lock is the flags of another call, with the hashes of the files that they
// named. Files are looked for by name beside the lock and where the command
// stands; one that is another one is refused before any work.
//===----------------------------------------------------------------------===//
#include "qopt/Artifacts/Bundle.h"
#include "qopt/Artifacts/Lock.h"
#include "qopt/Driver/Calibration.h"
#include "qopt/Support/Files.h"
#include "qopt/Support/Refusals.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <set>

using namespace qopt;
using namespace qopt::driver;
namespace json = llvm::json;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

namespace {
/// A file that the lock names.
struct LockedFile {
  llvm::StringRef what, name, hash;
  absl::StatusOr<std::string> (*getSha256)(llvm::StringRef path);
};

class LockFlags {
public:
  LockFlags(const Arguments &given, const json::Object &lock)
      : given(given), result(given), lock(lock), file(given.get("lock", "")) {}

  absl::StatusOr<Arguments> run();

private:
  absl::Status checkGiven() const;
  absl::Status findModel();
  absl::Status findData();
  absl::Status findProfile();
  absl::Status checkConstants() const;
  void takeImport();
  absl::Status takeTarget();
  void takeOptions();

  /// The file of that name and hash: `path` if it is given, else near.
  absl::StatusOr<std::string> find(const LockedFile &wanted,
                                   std::optional<std::string> path) const;
  void set(llvm::StringRef flag, llvm::StringRef value) {
    result.set(flag, {value.str()});
  }

  const Arguments &given;
  Arguments result;
  const json::Object &lock;
  std::string file;
};
} // namespace

/// Flags that say where files are, and how much is said.
absl::Status LockFlags::checkGiven() const {
  static constexpr llvm::StringLiteral kAllowed[] = {
      "lock",  "output",  "data",     "profile", "const",
      "quiet", "verbose", "progress", "jobs"};
  std::string others;
  for (const std::string &flag : given.getFlags())
    if (!llvm::is_contained(kAllowed, flag))
      others += (others.empty() ? "--" : ", --") + flag;
  if (others.empty())
    return absl::OkStatus();
  return Error(Code::UnsupportedOption,
               "--lock says everything that decides bytes: it does not go "
               "with " +
                   others)
      .help("to change something, take its recipe: --recipe FILE");
}

absl::StatusOr<std::string>
LockFlags::find(const LockedFile &wanted,
                std::optional<std::string> given) const {
  auto [what, name, hash, getSha256] = wanted;
  std::vector<std::string> places;
  if (given) {
    places.push_back(*given);
  } else {
    llvm::SmallString<128> folder(file);
    path::remove_filename(folder);
    for (llvm::StringRef up : {".", ".."}) {
      llvm::SmallString<128> place(folder);
      path::append(place, up, name);
      path::remove_dots(place, /*remove_dot_dot=*/false);
      places.push_back(place.str().str());
    }
    places.push_back(name.str());
  }
  std::string other;
  for (const std::string &place : places) {
    if (!fs::exists(place) && !findBundle(place))
      continue;
    QOPT_ASSIGN(std::string found, getSha256(place));
    if (found == hash)
      return place;
    other = place;
  }
  if (other.empty())
    return Error(Code::MissingArgument, "'" + file + "': " + what + " '" +
                                            (given ? *given : name) +
                                            "' is neither beside it nor here")
        .help("say where it is");
  return Error(Code::OutputMismatch, what + " '" + other +
                                         "' is not the one of '" + file +
                                         "', whose SHA-256 is " + hash);
}

absl::Status LockFlags::findModel() {
  const json::Object &model = *lock.getObject("model");
  llvm::ArrayRef<std::string> names = given.positional();
  QOPT_ASSIGN(std::string place,
              find({"the model", model.getString("name").value_or(""),
                    model.getString("sha256").value_or(""), getModelSha256},
                   names.empty() ? std::nullopt
                                 : std::optional<std::string>(names.front())));
  result.setPositional({place});
  return absl::OkStatus();
}

/// Files that are given are those of the lock in its order; made-up numbers
/// need no file.
absl::Status LockFlags::findData() {
  std::vector<std::string> paths = given.getAll("data"), values;
  const json::Array *rows = lock.getArray("data");
  size_t files = 0;
  for (size_t i = 0; rows && i < rows->size(); ++i) {
    const json::Object *row = (*rows)[i].getAsObject();
    if (!row)
      return Error(Code::BundleInvalid, "'" + file + "': 'data' is damaged");
    std::string place = row->getString("name").value_or("").str();
    if (std::optional<llvm::StringRef> hash = row->getString("sha256")) {
      std::optional<std::string> path;
      if (files < paths.size())
        path = paths[files];
      ++files;
      QOPT_ASSIGN(place, find({"the data", place, *hash, getDataSha256}, path));
    }
    if (std::optional<llvm::StringRef> array = row->getString("array"))
      place += ":" + array->str();
    if (std::optional<llvm::StringRef> input = row->getString("input"))
      place = input->str() + "=" + place;
    values.push_back(place);
  }
  if (paths.size() > files)
    return Error(Code::UnsupportedOption,
                 "--data: '" + file + "' was made of " + llvm::Twine(files) +
                     " files, got " + llvm::Twine(paths.size()));
  result.set("data", std::move(values));
  return absl::OkStatus();
}

/// Statistics that were given then; those of the data are taken again.
absl::Status LockFlags::findProfile() {
  const json::Object *profile = lock.getObject("profile");
  bool isGiven = profile && profile->getBoolean("given").value_or(false);
  if (!isGiven && given.has("profile"))
    return Error(Code::UnsupportedOption,
                 "--profile: '" + file + "' takes statistics of its data");
  if (!isGiven)
    return absl::OkStatus();
  llvm::SmallString<128> place(file);
  path::remove_filename(place);
  path::append(place, "profile.json");
  if (!given.has("profile") && !fs::exists(place))
    return Error(Code::MissingArgument,
                 "'" + file +
                     "' needs --profile FILE, the statistics that it "
                     "was made of");
  set("profile", given.get("profile", place));
  QOPT_ASSIGN(std::optional<Profile> read, readProfile(result));
  if (getSha256(read->toJSON()) != profile->getString("sha256").value_or(""))
    return Error(Code::OutputMismatch,
                 "the profile '" + result.get("profile", "") +
                     "' is not the one of '" + file + "'");
  return absl::OkStatus();
}

/// Arrays that became constants are files again.
absl::Status LockFlags::checkConstants() const {
  const json::Object *constants =
      lock.getObject("import")->getObject("constants");
  QOPT_ASSIGN(ImportOptions import, getImportOptions(given));
  std::set<std::string> names;
  if (constants)
    for (const auto &[name, value] : *constants)
      names.insert(name.str());
  Refusals refusals;
  for (const std::string &name : names) {
    auto it = import.consts.find(name);
    if (it == import.consts.end()) {
      refusals.add(
          Error(Code::MissingArgument,
                "'" + file + "' needs --const " + name + "=@FILE.npy"));
      continue;
    }
    const Tensor &value = it->second;
    std::string hash = getSha256({value.data(), size_t(value.numBytes())});
    if (hash != constants->getObject(name)->getString("sha256").value_or(""))
      refusals.add(
          Error(Code::OutputMismatch,
                "--const: '" + name + "' is not the one of '" + file + "'"));
  }
  return refusals.status();
}

void LockFlags::takeImport() {
  const json::Object &import = *lock.getObject("import");
  std::vector<std::string> dims, shapes, steps;
  if (const json::Object *rows = import.getObject("dims"))
    for (const auto &[name, extent] : *rows)
      dims.push_back(name.str() + "=" +
                     std::to_string(extent.getAsInteger().value_or(0)));
  if (const json::Object *rows = import.getObject("shapes"))
    for (const auto &[name, value] : *rows) {
      std::string text;
      for (const json::Value &extent : *value.getAsArray())
        text += (text.empty() ? "" : "x") +
                std::to_string(extent.getAsInteger().value_or(0));
      shapes.push_back(name.str() + "=" + text);
    }
  if (const json::Array *rows = lock.getArray("preprocessing"))
    for (const json::Value &value : *rows)
      if (const json::Object *row = value.getAsObject()) {
        std::string input = row->getString("input").value_or("").str();
        steps.push_back((input.empty() ? "" : input + "=") +
                        row->getString("steps").value_or("").str());
      }
  llvm::sort(dims);
  llvm::sort(shapes);
  result.set("dim", std::move(dims));
  result.set("shape", std::move(shapes));
  if (std::optional<int64_t> seed = import.getInteger("seed"))
    result.set("seed", {std::to_string(*seed)});
  result.set("pre", std::move(steps));
}

absl::Status LockFlags::takeTarget() {
  QOPT_ASSIGN(std::set<std::string> emit, parseEmit(result.getAll("emit")));
  QOPT_ASSIGN(const TargetRow *row, findTarget(emit));
  for (const auto &[flag, value] : row->readFlags(*lock.getObject("target")))
    set(flag, value);
  return absl::OkStatus();
}

void LockFlags::takeOptions() {
  auto list = [&](llvm::StringRef key) {
    std::vector<std::string> values;
    if (const json::Array *rows = lock.getArray(key))
      for (const json::Value &value : *rows)
        values.push_back(value.getAsString().value_or("").str());
    return values;
  };
  result.set("emit", list("emit"));
  result.set("llvm-arg", list("llvm_arguments"));
  set("symbol-prefix", lock.getString("symbol").value_or("model"));
  set("outputs", lock.getString("outputs").value_or("model"));
  if (lock.getBoolean("integer_only").value_or(false))
    set("integer-only", "");
}

absl::StatusOr<Arguments> LockFlags::run() {
  QOPT_RETURN_IF_ERROR(checkGiven());
  Refusals refusals;
  refusals.add(findModel());
  refusals.add(findData());
  refusals.add(findProfile());
  refusals.add(checkConstants());
  QOPT_RETURN_IF_ERROR(refusals.status());
  takeImport();
  takeOptions();
  QOPT_RETURN_IF_ERROR(takeTarget());
  return result;
}

absl::StatusOr<Arguments> driver::getLockedArguments(const Arguments &arguments,
                                                     Session &session,
                                                     const json::Object &lock) {
  QOPT_ASSIGN(Arguments result, LockFlags(arguments, lock).run());
  QOPT_RETURN_IF_ERROR(session.setLLVMArguments(result.getAll("llvm-arg")));
  return result;
}
