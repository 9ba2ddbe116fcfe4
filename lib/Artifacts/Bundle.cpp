//===- Bundle.cpp - STEM.qopt, the record beside the code -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Reading and writing of the folder; what goes into it is decided elsewhere.
//===----------------------------------------------------------------------===//
#include "qopt/Artifacts/Bundle.h"
#include "qopt/Artifacts/OutputFolder.h"
#include "qopt/Support/Diagnostics.h"
#include "qopt/Support/Files.h"
#include "qopt/Support/Json.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"

using namespace qopt;
namespace fs = llvm::sys::fs;

void BundleFiles::addJson(llvm::StringRef name,
                          const llvm::json::Value &value) {
  files[name.str()] = llvm::formatv("{0:2}\n", value).str();
}

absl::Status qopt::checkBundlePlace(llvm::StringRef stem) {
  std::string folder = (stem + ".qopt").str();
  if (checkOutputFolder(folder, FolderKind::Bundle).ok())
    return absl::OkStatus();
  return Error(Code::WriteFailed, "-o: expected '" + folder +
                                      "' to be a bundle that qopt wrote, but "
                                      "it is another file or folder")
      .help("name another stem");
}

absl::Status BundleFiles::write(llvm::StringRef stem) const {
  return writeOutputFolder((stem + ".qopt").str(), files, FolderKind::Bundle);
}

std::string Bundle::getPath(llvm::StringRef file) const {
  return stem + ".qopt/" + file.str();
}

std::string Bundle::getString(llvm::StringRef key) const {
  return manifest.getString(key).value_or("").str();
}

int64_t Bundle::getInteger(llvm::StringRef key) const {
  return manifest.getInteger(key).value_or(0);
}

llvm::json::Value qopt::toJson(llvm::ArrayRef<TensorSpec> specs) {
  llvm::json::Array array;
  for (const TensorSpec &spec : specs) {
    llvm::json::Array shape;
    for (int64_t extent : spec.shape)
      shape.push_back(extent);
    array.push_back(llvm::json::Object{{"name", spec.name},
                                       {"dtype", getName(spec.dtype)},
                                       {"shape", std::move(shape)}});
  }
  return array;
}

absl::StatusOr<std::vector<TensorSpec>>
Bundle::getSpecs(llvm::StringRef key) const {
  auto fail = [&]() -> absl::Status {
    return Error(Code::BundleInvalid, "'" + getPath("manifest.json") + "': '" +
                                          key + "' is not a list of arrays");
  };
  const llvm::json::Array *array = manifest.getArray(key);
  if (!array)
    return fail();
  std::vector<TensorSpec> specs;
  for (const llvm::json::Value &value : *array) {
    const llvm::json::Object *object = value.getAsObject();
    if (!object)
      return fail();
    auto name = object->getString("name"), dtype = object->getString("dtype");
    const llvm::json::Array *shape = object->getArray("shape");
    if (!name || !dtype || !shape || !parseDType(*dtype))
      return fail();
    TensorSpec spec{name->str(), *parseDType(*dtype), {}};
    double count = 1;
    for (const llvm::json::Value &extent : *shape) {
      std::optional<int64_t> number = extent.getAsInteger();
      count *= double(number.value_or(-1));
      if (!number || *number < 0 || count > 1e12)
        return fail();
      spec.shape.push_back(*number);
    }
    specs.push_back(std::move(spec));
  }
  return specs;
}

std::optional<std::string> qopt::findBundle(llvm::StringRef path) {
  llvm::StringRef stem = path.rtrim('/');
  stem.consume_back(".qopt");
  if (fs::exists(stem + ".qopt/manifest.json"))
    return stem.str();
  return std::nullopt;
}

absl::Status qopt::checkSchema(const llvm::json::Object &object,
                               llvm::StringRef kind, int64_t version,
                               llvm::StringRef file) {
  llvm::StringRef schema = object.getString("schema").value_or("");
  llvm::StringRef rest = schema;
  int64_t found;
  if (!rest.consume_front("qopt.") || !rest.consume_front(kind) ||
      !rest.consume_front("/") || rest.getAsInteger(10, found))
    return Error(Code::BundleInvalid, "'" + file + "': expected schema qopt." +
                                          kind + "/" + llvm::Twine(version) +
                                          ", got '" + schema + "'");
  if (found > version)
    return Error(Code::BundleInvalid,
                 "'" + file + "' was written by a newer qopt (schema " +
                     schema + ", this one reads up to " + llvm::Twine(version) +
                     ")")
        .help("use that qopt, or compile the model again");
  if (found < version)
    return Error(Code::BundleInvalid, "'" + file + "' is of schema " + schema +
                                          ", which is no longer read")
        .help("compile the model again");
  return absl::OkStatus();
}

absl::StatusOr<Bundle> qopt::readBundle(llvm::StringRef stem) {
  Bundle bundle;
  bundle.stem = stem.str();
  std::string path = bundle.getPath("manifest.json");
  absl::StatusOr<std::string> text = readFile(path, /*limit=*/1 << 28);
  if (!text.ok())
    return Error(Code::BundleInvalid, std::string(text.status().message()));
  absl::StatusOr<llvm::json::Object> object = parseJsonObject(*text, path);
  if (!object.ok())
    return withCode(object.status(), Code::BundleInvalid);
  QOPT_RETURN_IF_ERROR(checkSchema(*object, "manifest", 1, path));
  bundle.manifest = std::move(*object);
  if (const llvm::json::Value *steps = bundle.manifest.get("preprocessing")) {
    QOPT_ASSIGN(bundle.preprocessing, Preprocessing::fromJson(*steps));
  }
  return bundle;
}
