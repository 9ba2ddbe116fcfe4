//===- ExternalData.cpp - Tensor data beside the model's file -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Links are followed and what they lead to is judged: a name that looks
// harmless may be a link, and a link may be harmless.
//===----------------------------------------------------------------------===//
#include "qopt/Frontend/ONNX/Proto/ExternalData.h"
#include "qopt/Support/FileMemory.h"

#include "llvm/ADT/Twine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <onnx-ml.pb.h>
#include <optional>

using namespace qopt;
using namespace qopt::frontend;
using llvm::StringRef;
using llvm::Twine;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

static absl::Status invalid(const Twine &message) {
  return absl::InvalidArgumentError(("external data: " + message).str());
}

absl::StatusOr<std::unique_ptr<llvm::MemoryBuffer>>
frontend::openFile(StringRef path) {
  if (fs::is_directory(path))
    return absl::InvalidArgumentError(
        ("'" + path + "' is a folder, expects a file").str());
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer)
    return absl::NotFoundError(
        ("cannot read '" + path + "': " + buffer.getError().message()).str());
  return std::move(*buffer);
}

/// `file` with all links resolved; empty if there is none.
static std::string resolveLinks(const Twine &file) {
  llvm::SmallString<256> real;
  return fs::real_path(file, real) ? std::string() : real.str().str();
}

ModelFolders ModelFolders::of(StringRef modelPath) {
  StringRef folder = path::parent_path(modelPath);
  return {resolveLinks(folder.empty() ? StringRef(".") : folder),
          path::parent_path(resolveLinks(modelPath)).str()};
}

/// `file` lies in `folder` or below it; both are resolved.
static bool isInside(StringRef file, StringRef folder) {
  return !folder.empty() && file.consume_front(folder) &&
         (folder.ends_with("/") || file.starts_with("/"));
}

namespace {
/// The entries of `external_data`.
struct Place {
  std::string location;
  uint64_t offset = 0;
  std::optional<uint64_t> length;
};
} // namespace

static absl::StatusOr<Place> readPlace(const ::onnx::TensorProto &proto) {
  Place place;
  for (const auto &entry : proto.external_data()) {
    StringRef value = entry.value();
    if (entry.key() == "location") {
      place.location = entry.value();
      continue;
    }
    if (entry.key() != "offset" && entry.key() != "length")
      continue;
    uint64_t number;
    if (value.getAsInteger(10, number))
      return invalid("expects a number as '" + entry.key() + "', got '" +
                     value + "'");
    if (entry.key() == "offset")
      place.offset = number;
    else
      place.length = number;
  }
  if (place.location.empty())
    return invalid("expects a 'location'");
  bool escapes = path::is_absolute(place.location);
  for (StringRef part :
       llvm::make_range(path::begin(place.location), path::end(place.location)))
    escapes |= part == "..";
  if (escapes)
    return invalid("expects a path inside the model's folder, got '" +
                   Twine(place.location) + "'");
  return place;
}

/// The file behind a location: it is looked for beside the model's name, then
/// beside the model's file, and may lie in either folder.
static absl::StatusOr<std::string> findFile(StringRef location,
                                            const ModelFolders &folders) {
  if (folders.own.empty())
    return invalid("expects a model in a file beside '" + location +
                   "', got bytes in memory");
  std::string file;
  for (const std::string &folder : {folders.own, folders.linked})
    if (file.empty() && !folder.empty())
      file = resolveLinks(folder + "/" + location);
  if (file.empty())
    return absl::NotFoundError(("external data: cannot read '" + folders.own +
                                "/" + location + "': no such file")
                                   .str());
  if (!isInside(file, folders.own) && !isInside(file, folders.linked))
    return invalid("expects a file in the model's folder, '" + location +
                   "' is a link to '" + file + "'; copy it beside the model");
  if (!fs::is_regular_file(file))
    return invalid("expects a regular file, got '" + location + "'");
  return file;
}

absl::StatusOr<ExternalData>
frontend::openExternalData(const ::onnx::TensorProto &proto,
                           const ModelFolders &folders) {
  auto place = readPlace(proto);
  if (!place.ok())
    return place.status();
  auto file = findFile(place->location, folders);
  if (!file.ok())
    return file.status();
  uint64_t size, offset = place->offset;
  if (std::error_code error = fs::file_size(*file, size))
    return absl::NotFoundError("external data: cannot read '" + *file +
                               "': " + error.message());
  uint64_t length =
      place->length.value_or(offset <= size ? size - offset : uint64_t(0));
  if (offset > size || length > size - offset)
    return invalid("expects bytes inside '" + Twine(place->location) + "' (" +
                   Twine(size) + " bytes), got offset " + Twine(offset) +
                   " and length " + Twine(length));
  if (length == 0)
    return ExternalData();
  auto mapped = mapFile(*file, offset, length);
  if (mapped.ok())
    return ExternalData{StringRef(mapped->get(), length), *mapped};
  // Not every file system maps.
  auto opened = llvm::MemoryBuffer::getFileSlice(*file, length, offset);
  if (!opened)
    return absl::NotFoundError("external data: cannot read '" + *file +
                               "': " + opened.getError().message());
  std::shared_ptr<llvm::MemoryBuffer> buffer = std::move(*opened);
  StringRef bytes = buffer->getBuffer();
  return ExternalData{bytes, std::shared_ptr<const char>(buffer, bytes.data())};
}
