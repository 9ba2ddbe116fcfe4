//===- Lock.cpp - What decided the bytes ----------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Names of this machine are resolved: `native` would be another target on
// another one, and a path another place.
//===----------------------------------------------------------------------===//
#include "qopt/Artifacts/Lock.h"
#include "qopt/Artifacts/Bundle.h"
#include "qopt/Data/DataSource.h"
#include "qopt/Support/Diagnostics.h"
#include "qopt/Support/Escape.h"
#include "qopt/Support/Files.h"
#include "qopt/Support/Json.h"
#include "qopt/Support/Version.h"

#include "llvm/Config/llvm-config.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include <set>

using namespace qopt;
namespace json = llvm::json;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

/// Of a folder: names and contents of all files in it, at any depth.
static absl::StatusOr<std::string> getFolderSha256(llvm::StringRef folder) {
  std::map<std::string, std::string> hashes;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end;
       it != end && !error; it.increment(error)) {
    if (!fs::is_regular_file(it->path()))
      continue;
    QOPT_ASSIGN(std::string hash, getFileSha256(it->path()));
    hashes[llvm::StringRef(it->path()).drop_front(folder.size()).str()] = hash;
  }
  if (error)
    return Error(Code::DataFile,
                 "cannot read '" + folder + "': " + error.message());
  std::string text;
  for (const auto &[name, hash] : hashes)
    text += name + "\n" + hash + "\n";
  return getSha256(text);
}

/// `INPUT=PATH`, `FILE.npz:ARRAY`, a recipe of random numbers.
static absl::StatusOr<json::Value> describeData(llvm::StringRef argument) {
  json::Object row;
  llvm::StringRef file = argument;
  if (!fs::exists(file) && !isRandomData(file) && file.contains('=')) {
    row["input"] = toUtf8(file.split('=').first);
    file = file.split('=').second;
  }
  if (isRandomData(file)) {
    row["name"] = file.str();
    return row;
  }
  if (size_t at = file.find(".npz:"); at != llvm::StringRef::npos) {
    row["array"] = toUtf8(file.drop_front(at + 5));
    file = file.take_front(at + 4);
  }
  file = file.rtrim('/');
  row["name"] = toUtf8(path::filename(file));
  QOPT_ASSIGN(std::string hash, getDataSha256(file));
  row["sha256"] = hash;
  return row;
}

absl::StatusOr<std::string> qopt::getDataSha256(llvm::StringRef path) {
  if (fs::is_directory(path))
    return getFolderSha256(path.rtrim('/'));
  return getFileSha256(path);
}

absl::StatusOr<std::string> qopt::getModelSha256(llvm::StringRef path) {
  if (std::optional<std::string> stem = findBundle(path))
    return getFileSha256(*stem + ".qopt/quantized.mlirbc");
  return getFileSha256(path);
}

static absl::StatusOr<json::Value>
describeModel(const ArtifactRequest &request) {
  std::string hash = request.source.modelSha256;
  if (hash.empty()) {
    QOPT_ASSIGN(hash, getModelSha256(request.modelPath));
  }
  return json::Object{
      {"name",
       toUtf8(path::filename(llvm::StringRef(request.modelPath).rtrim('/')))},
      {"sha256", hash},
      // Of what was imported, external data and constants included.
      {"graph_sha256", request.source.graphHash}};
}

static json::Value describeImport(const ImportOptions &import) {
  json::Object dims, shapes, constants;
  for (const auto &[name, extent] : import.dims)
    dims[name] = extent;
  for (const auto &[name, shape] : import.shapes)
    shapes[name] = json::Array(shape);
  for (const auto &[name, value] : import.consts)
    constants[name] = json::Object{
        {"dtype", getName(value.dtype())},
        {"shape", json::Array(llvm::ArrayRef<int64_t>(value.shape()))},
        {"sha256", getSha256({value.data(), size_t(value.numBytes())})}};
  json::Object object{{"dims", std::move(dims)},
                      {"shapes", std::move(shapes)},
                      {"constants", std::move(constants)}};
  if (import.seed)
    object["seed"] = int64_t(import.seed);
  return object;
}

/// Extents and arrays of `import`, which are read without another look.
static absl::Status checkImport(const json::Object &import,
                                llvm::StringRef file) {
  auto isCount = [](const json::Value &value) {
    return value.getAsInteger().value_or(-1) >= 0;
  };
  auto isShape = [&](const json::Value &value) {
    const json::Array *extents = value.getAsArray();
    return extents && llvm::all_of(*extents, isCount);
  };
  auto isArray = [](const json::Value &value) {
    const json::Object *array = value.getAsObject();
    return array && array->getString("sha256");
  };
  auto check = [&](llvm::StringRef key, auto isGood,
                   llvm::StringRef expected) -> absl::Status {
    const json::Value *rows = import.get(key);
    const json::Object *object = rows ? rows->getAsObject() : nullptr;
    bool areGood = object && llvm::all_of(*object, [&](const auto &row) {
                     return isGood(row.second);
                   });
    if (!rows || areGood)
      return absl::OkStatus();
    return Error(Code::BundleInvalid, "'" + file + "': expects import." + key +
                                          " to be " + expected + " by name");
  };
  if (const json::Value *seed = import.get("seed"); seed && !isCount(*seed))
    return Error(Code::BundleInvalid,
                 "'" + file + "': expects import.seed to be a number >= 0");
  QOPT_RETURN_IF_ERROR(check("dims", isCount, "extents"));
  QOPT_RETURN_IF_ERROR(check("shapes", isShape, "lists of extents"));
  return check("constants", isArray, "hashes of arrays");
}

absl::StatusOr<json::Object> qopt::parseLock(llvm::StringRef text,
                                             llvm::StringRef file) {
  absl::StatusOr<json::Object> object = parseJsonObject(text, file);
  if (!object.ok())
    return withCode(object.status(), Code::BundleInvalid);
  QOPT_RETURN_IF_ERROR(checkSchema(*object, "lock", kLockVersion, file));
  for (const char *key : {"model", "import", "recipe", "target", "results"})
    if (!object->getObject(key))
      return Error(Code::BundleInvalid,
                   "'" + file + "': '" + key + "' is not an object");
  QOPT_RETURN_IF_ERROR(checkImport(*object->getObject("import"), file));
  return std::move(*object);
}

absl::StatusOr<json::Object> qopt::readLock(llvm::StringRef path) {
  absl::StatusOr<std::string> text = readFile(path, /*limit=*/1 << 28);
  if (!text.ok())
    return Error(Code::BundleInvalid, std::string(text.status().message()));
  return parseLock(*text, path);
}

/// What differs below a member, as `recipe.rounding`.
static void listDifferences(const json::Value *expected,
                            const json::Value *made, const std::string &name,
                            std::vector<std::string> &lines) {
  if (expected && made && *expected == *made)
    return;
  const json::Object *a = expected ? expected->getAsObject() : nullptr;
  const json::Object *b = made ? made->getAsObject() : nullptr;
  if (!a || !b) {
    auto print = [](const json::Value *value) {
      return value ? llvm::formatv("{0}", *value).str()
                   : std::string("nothing");
    };
    lines.push_back(name + ": " + print(expected) + " in the lock, " +
                    print(made) + " here");
    return;
  }
  std::set<std::string> keys;
  for (const json::Object *object : {a, b})
    for (const auto &[key, value] : *object)
      keys.insert(key.str());
  for (const std::string &key : keys)
    listDifferences(a->get(key), b->get(key),
                    name.empty() ? key : name + "." + key, lines);
}

/// Files with a hash may have another name by now.
static json::Value withoutNames(json::Value value) {
  if (json::Array *array = value.getAsArray()) {
    for (json::Value &element : *array)
      element = withoutNames(std::move(element));
  } else if (json::Object *object = value.getAsObject()) {
    if (object->get("sha256"))
      object->erase("name");
    for (auto &[key, member] : *object)
      member = withoutNames(std::move(member));
  }
  return value;
}

absl::Status qopt::compareLocks(const json::Object &expected,
                                const json::Object &made) {
  std::vector<std::string> lines;
  json::Object a = expected, b = made;
  // Another version may well make the same bytes.
  for (const char *key : {"qopt", "llvm"}) {
    a.erase(key);
    b.erase(key);
  }
  json::Value left = withoutNames(std::move(a)),
              right = withoutNames(std::move(b));
  listDifferences(&left, &right, "", lines);
  if (lines.empty())
    return absl::OkStatus();
  Error error(Code::OutputMismatch,
              "what was made is not what the lock says: " + lines.front());
  for (const std::string &line : llvm::drop_begin(lines))
    std::move(error).note(line);
  if (expected.getString("qopt") != made.getString("qopt") ||
      expected.getString("llvm") != made.getString("llvm"))
    std::move(error).help("the lock was written by qopt " +
                          expected.getString("qopt").value_or("") + " (LLVM " +
                          expected.getString("llvm").value_or("") + ")");
  return error;
}

absl::StatusOr<json::Object>
qopt::makeLock(const ArtifactRequest &request, const FilesByName &files) {
  QOPT_ASSIGN(json::Value model, describeModel(request));
  QOPT_ASSIGN(json::Object target, request.target->describe());
  json::Array data;
  for (const std::string &argument : request.dataPaths) {
    QOPT_ASSIGN(json::Value row, describeData(argument));
    data.push_back(std::move(row));
  }
  if (!request.source.samplesSha256.empty())
    data.push_back(json::Object{{"name", "<arrays>"},
                                {"sha256", request.source.samplesSha256}});
  json::Object results;
  for (const auto &[name, file] : files) {
    QOPT_ASSIGN(results[name], file.getSha256());
  }
  json::Object lock{
      {"schema", "qopt.lock/" + std::to_string(kLockVersion)},
      {"qopt", kVersion},
      {"llvm", LLVM_VERSION_STRING},
      {"model", std::move(model)},
      {"import", describeImport(request.source.import)},
      {"preprocessing", request.preprocessing->toJson()},
      {"data", std::move(data)},
      {"recipe", request.options.toSettings()},
      {"symbol", request.symbol},
      {"emit", json::Array(request.emit)},
      {"target", std::move(target)},
      {"integer_only", request.target->isIntegerOnly()},
      {"outputs", request.outputs},
      {"llvm_arguments", json::Array(request.source.llvmArguments)},
      {"results", std::move(results)}};
  if (request.profile)
    lock["profile"] =
        json::Object{{"sha256", getSha256(request.profile->toJSON())},
                     {"given", request.source.isProfileGiven}};
  return lock;
}
