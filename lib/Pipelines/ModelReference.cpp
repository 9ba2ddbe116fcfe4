//===- ModelReference.cpp - Modules without the model's own weights -------===//
// SPDX-License-Identifier: Apache-2.0
//
// MLIR's bytecode holds all resources of a module or none: bytes that are left
// out are taken from their blobs while it is written.
//===----------------------------------------------------------------------===//
#include "qopt/Pipelines/ModelReference.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Pipelines/Model.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Support/Diagnostics.h"
#include "qopt/Support/Escape.h"
#include "qopt/Support/FileMemory.h"
#include "qopt/Support/Files.h"
#include "qopt/Support/Json.h"
#include "qopt/Support/WriteModule.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <filesystem>

using namespace qopt;
namespace json = llvm::json;
using mlir::DenseResourceElementsAttr;

static DenseResourceElementsAttr getResource(qg::ConstantOp op) {
  return llvm::dyn_cast<DenseResourceElementsAttr>(op.getValue());
}

/// Calls `visit` with constants whose bytes lie in resources.
template <typename Visit>
static void forEachResource(mlir::ModuleOp module, Visit visit) {
  module.walk([&](qg::ConstantOp op) {
    if (DenseResourceElementsAttr attr = getResource(op))
      visit(op, attr);
  });
}

ConstantNames qopt::listLargeConstants(mlir::ModuleOp module) {
  ConstantNames result;
  forEachResource(module, [&](qg::ConstantOp, DenseResourceElementsAttr attr) {
    const mlir::AsmResourceBlob *blob = attr.getRawHandle().getBlob();
    if (!blob || blob->getData().size() < kLargeBytes)
      return;
    if (result.names.insert(attr.getRawHandle().getKey().str()).second)
      result.bytes += blob->getData().size();
  });
  return result;
}

namespace {
/// Blobs without their bytes, until this goes.
class BlobsAside {
public:
  BlobsAside(mlir::MLIRContext *context, const std::set<std::string> &names) {
    auto &manager =
        mlir::DenseResourceElementsHandle::getManagerInterface(context)
            .getBlobManager();
    for (const std::string &name : names) {
      auto *entry = manager.lookup(name);
      if (!entry || !entry->getBlob())
        continue;
      kept.emplace_back(entry, std::move(*entry->getBlob()));
      entry->setBlob(mlir::AsmResourceBlob({}, /*dataAlignment=*/64, {},
                                           /*dataIsMutable=*/false));
    }
  }
  ~BlobsAside() {
    for (auto &[entry, blob] : kept)
      entry->setBlob(std::move(blob));
  }
  BlobsAside(const BlobsAside &) = delete;
  BlobsAside &operator=(const BlobsAside &) = delete;

private:
  using Entry = mlir::DialectResourceBlobManager::BlobEntry;
  std::vector<std::pair<Entry *, mlir::AsmResourceBlob>> kept;
};
} // namespace

absl::Status qopt::writeModuleWithout(mlir::ModuleOp module,
                                      const std::set<std::string> &names,
                                      llvm::raw_ostream &os) {
  BlobsAside aside(module.getContext(), names);
  return writeModule(module, os);
}

absl::StatusOr<json::Object>
qopt::makeModelReference(llvm::StringRef modelPath, llvm::StringRef folder,
                         const ImportOptions &options) {
  uint64_t bytes;
  if (std::error_code error = llvm::sys::fs::file_size(modelPath, bytes))
    return Error(Code::ModelFile,
                 "cannot read '" + modelPath + "': " + error.message());
  QOPT_ASSIGN(std::string hash, getFileSha256(modelPath));
  namespace stdfs = std::filesystem;
  std::error_code error;
  // The model's own name: links of caches have no extension behind them.
  stdfs::path model = stdfs::absolute(modelPath.str(), error);
  model =
      stdfs::weakly_canonical(model.parent_path(), error) / model.filename();
  stdfs::path base =
      stdfs::weakly_canonical(stdfs::absolute(folder.str(), error), error);
  stdfs::path relative = model.lexically_proximate(base);
  json::Object dims, shapes;
  for (const auto &[name, extent] : options.dims)
    dims[name] = extent;
  for (const auto &[name, shape] : options.shapes)
    shapes[name] = json::Array(shape);
  return json::Object{{"schema", "qopt.source/1"},
                      // Bytes of a path that are no text are escaped.
                      {"model", escapeBytes(relative.string())},
                      {"bytes", int64_t(bytes)},
                      {"sha256", hash},
                      {"dims", std::move(dims)},
                      {"shapes", std::move(shapes)},
                      {"seed", int64_t(options.seed)}};
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

static bool isMissing(DenseResourceElementsAttr attr) {
  const mlir::AsmResourceBlob *blob = attr.getRawHandle().getBlob();
  return attr.getNumElements() > 0 && (!blob || blob->getData().empty());
}

/// The name by contents: MLIR appends a number where a context has the name.
static llvm::StringRef getContentName(DenseResourceElementsAttr attr) {
  llvm::StringRef key = attr.getRawHandle().getKey();
  auto [front, back] = key.rsplit('_');
  bool isHash = back.size() == 16 && llvm::all_of(back, llvm::isHexDigit);
  bool isNumber = !back.empty() && llvm::all_of(back, llvm::isDigit);
  return isHash || !isNumber ? key : front;
}

static absl::StatusOr<ImportOptions> readImport(const json::Object &source,
                                                llvm::StringRef file) {
  ImportOptions options;
  const json::Object *dims = source.getObject("dims");
  const json::Object *shapes = source.getObject("shapes");
  bool isValid = dims && shapes && source.getInteger("seed") &&
                 source.getString("model") && source.getString("sha256") &&
                 source.getInteger("bytes");
  for (auto it = isValid ? dims->begin() : json::Object::const_iterator();
       isValid && it != dims->end(); ++it) {
    int64_t extent = it->second.getAsInteger().value_or(-1);
    isValid = extent >= 0;
    options.dims[it->first.str()] = extent;
  }
  for (auto it = isValid ? shapes->begin() : json::Object::const_iterator();
       isValid && it != shapes->end(); ++it) {
    const json::Array *extents = it->second.getAsArray();
    isValid = extents != nullptr;
    for (size_t i = 0; isValid && i < extents->size(); ++i) {
      int64_t extent = (*extents)[i].getAsInteger().value_or(-1);
      isValid = extent >= 0;
      options.shapes[it->first.str()].push_back(extent);
    }
  }
  if (!isValid)
    return Error(Code::BundleInvalid,
                 "'" + file +
                     "': expects model, bytes, sha256, dims, shapes "
                     "and seed of a model");
  options.seed = uint64_t(*source.getInteger("seed"));
  return options;
}

/// The model as it was when the module was written.
static absl::StatusOr<mlir::OwningOpRef<mlir::ModuleOp>>
importReference(mlir::MLIRContext *context, llvm::StringRef folder) {
  std::string file = (folder + "/" + kReferenceFile).str();
  QOPT_ASSIGN(std::string text, readFile(file, /*limit=*/1 << 24));
  absl::StatusOr<json::Object> source = parseJsonObject(text, file);
  if (!source.ok())
    return withCode(source.status(), Code::BundleInvalid);
  llvm::StringRef schema = source->getString("schema").value_or("");
  if (schema != "qopt.source/1")
    return Error(Code::BundleInvalid,
                 schema.starts_with("qopt.source/")
                     ? "'" + file + "' was written by a newer qopt (schema " +
                           schema + ")"
                     : "'" + file + "': expected schema qopt.source/1, got '" +
                           schema + "'");
  QOPT_ASSIGN(ImportOptions options, readImport(*source, file));
  std::string name = unescapeBytes(*source->getString("model"));
  llvm::SmallString<128> path(name);
  if (!llvm::sys::path::is_absolute(path)) {
    path = folder;
    llvm::sys::path::append(path, name);
  }
  uint64_t bytes;
  if (std::error_code error = llvm::sys::fs::file_size(path, bytes))
    return Error(Code::BundleInvalid,
                 "'" + folder + "' refers to the model '" + path +
                     "', which cannot be read: " + error.message())
        .help("put it back, or compile again with --bundle-weights=copy");
  absl::StatusOr<std::string> hash = std::string();
  if (int64_t(bytes) == *source->getInteger("bytes"))
    hash = getFileSha256(path);
  if (!hash.ok() || *hash != *source->getString("sha256"))
    return Error(Code::BundleInvalid, "'" + folder + "' refers to the model '" +
                                          path + "', which has changed since")
        .help("compile it again");
  QOPT_ASSIGN(mlir::OwningOpRef<mlir::ModuleOp> module,
              loadModel(context, path, options));
  QOPT_RETURN_IF_ERROR(prepare(*module));
  return module;
}

absl::Status qopt::fillConstants(mlir::ModuleOp module, llvm::StringRef path) {
  std::vector<qg::ConstantOp> missing;
  forEachResource(module,
                  [&](qg::ConstantOp op, DenseResourceElementsAttr attr) {
                    if (isMissing(attr))
                      missing.push_back(op);
                  });
  if (missing.empty())
    return absl::OkStatus();
  llvm::StringRef folder = llvm::sys::path::parent_path(path);
  if (folder.empty())
    folder = ".";
  if (!llvm::sys::fs::exists(folder + "/" + kReferenceFile))
    return Error(Code::BundleInvalid,
                 "'" + path + "' leaves out constants, and there is no '" +
                     folder + "/" + kReferenceFile +
                     "' that says which model has them");
  QOPT_ASSIGN(mlir::OwningOpRef<mlir::ModuleOp> source,
              importReference(module.getContext(), folder));
  llvm::StringMap<DenseResourceElementsAttr> known;
  forEachResource(*source, [&](qg::ConstantOp, DenseResourceElementsAttr attr) {
    known[getContentName(attr)] = attr;
  });
  for (qg::ConstantOp op : missing) {
    DenseResourceElementsAttr attr = getResource(op);
    DenseResourceElementsAttr found = known.lookup(getContentName(attr));
    if (!found || isMissing(found) ||
        found.getNumElements() != attr.getNumElements() ||
        found.getElementType() != attr.getElementType())
      return Error(Code::BundleInvalid,
                   "'" + folder +
                       "' refers to a model whose weights have "
                       "changed since: there is no '" +
                       getContentName(attr) + "' any more")
          .help("compile it again");
    op.setValueAttr(DenseResourceElementsAttr::get(
        llvm::cast<mlir::ShapedType>(attr.getType()), found.getRawHandle()));
  }
  return absl::OkStatus();
}
