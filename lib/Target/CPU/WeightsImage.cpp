//===- WeightsImage.cpp - The constants of a program ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Offsets are decided when an array is added; its bytes are read when they are
// written, and large ones are given back piece by piece.
//===----------------------------------------------------------------------===//
#include "qopt/Target/CPU/WeightsImage.h"
#include "qopt-rt/qopt_weights.h"

#include "absl/strings/str_cat.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/xxhash.h"

using namespace qopt;

static llvm::StringRef getBytes(const StoredArray &array) {
  return {array.bytes().data(), array.bytes().size()};
}

bool WeightsImage::isAt(const Piece &piece, llvm::StringRef bytes) const {
  llvm::StringRef there = getBytes(piece.array);
  bool isSame = there == bytes;
  releasePages({there.data(), there.size()});
  return isSame;
}

int64_t WeightsImage::add(const StoredArray &array) {
  llvm::StringRef bytes = getBytes(array);
  auto &candidates = known[llvm::xxh3_64bits(bytes)];
  for (size_t index : candidates)
    if (isAt(pieces[index], bytes))
      return pieces[index].offset;
  int64_t offset = llvm::alignTo(size_, QOPT_WEIGHTS_ALIGNMENT);
  candidates.push_back(pieces.size());
  size_ = offset + bytes.size();
  alignedBytes_ += llvm::alignTo(bytes.size(), QOPT_WEIGHTS_ALIGNMENT);
  releasePages({bytes.data(), bytes.size()});
  pieces.push_back({offset, array});
  return offset;
}

absl::Status WeightsImage::write(llvm::raw_ostream &os) const {
  uint64_t position = 0;
  for (const Piece &piece : pieces) {
    os.write_zeros(piece.offset - position);
    llvm::StringRef bytes = getBytes(piece.array);
    os << bytes;
    releasePages({bytes.data(), bytes.size()});
    position = piece.offset + bytes.size();
  }
  return absl::OkStatus();
}

std::string WeightsImage::str() const {
  std::string bytes;
  bytes.reserve(size_);
  llvm::raw_string_ostream os(bytes);
  (void)write(os);
  return bytes;
}

std::string WeightsImage::getId() const {
  Sha256Stream stream;
  (void)write(stream);
  return stream.finish();
}

absl::Status WeightsImage::writeFile(llvm::raw_ostream &os,
                                     llvm::StringRef id) const {
  using namespace llvm::support;
  llvm::SmallString<QOPT_WEIGHTS_OFFSET> header;
  header.append(llvm::StringRef("QOPTWTS\0", 8));
  auto append = [&](auto value) {
    char bytes[sizeof value];
    endian::write(bytes, value, llvm::endianness::little);
    header.append(llvm::StringRef(bytes, sizeof value));
  };
  append(uint32_t(QOPT_WEIGHTS_VERSION));
  append(uint32_t(QOPT_WEIGHTS_OFFSET));
  append(size_);
  append(uint32_t(QOPT_WEIGHTS_ALIGNMENT));
  append(uint32_t(0));
  header.append(llvm::fromHex(id));
  header.resize(QOPT_WEIGHTS_OFFSET);
  os << header;
  return write(os);
}

absl::StatusOr<std::shared_ptr<const char>>
qopt::placeWeights(const WeightsImage &image) {
  auto fail = [](const std::error_code &error) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no temporary file for weights: ", error.message()));
  };
  llvm::SmallString<128> path;
  llvm::sys::path::system_temp_directory(/*ErasedOnReboot=*/false, path);
  llvm::sys::path::append(path, "qopt-weights-%%%%%%%%");
  int descriptor;
  if (std::error_code error =
          llvm::sys::fs::createUniqueFile(path, descriptor, path))
    return fail(error);
  llvm::raw_fd_ostream os(descriptor, /*shouldClose=*/true);
  absl::Status status = image.write(os);
  os.close();
  std::error_code error = os.error();
  os.clear_error();
  absl::StatusOr<std::shared_ptr<const char>> mapped = status;
  if (!error && status.ok())
    mapped = mapFile(path, 0, image.size());
  (void)llvm::sys::fs::remove(path);
  if (error)
    return fail(error);
  return mapped;
}

/// What a host would see as a number.
static absl::Status describeError(int error, llvm::StringRef path) {
  std::string file = absl::StrCat("'", path.str(), "' ");
  switch (error) {
  case QOPT_WEIGHTS_EOPEN:
    return absl::NotFoundError(
        absl::StrCat("the weights' file ", file, "cannot be read"));
  case QOPT_WEIGHTS_EFORMAT:
    return absl::InvalidArgumentError(absl::StrCat(
        file, "is no file of weights of version ", QOPT_WEIGHTS_VERSION));
  case QOPT_WEIGHTS_ELENGTH:
    return absl::InvalidArgumentError(
        absl::StrCat(file, "is shorter or longer than its header says"));
  case QOPT_WEIGHTS_EMODEL:
    return absl::FailedPreconditionError(
        absl::StrCat(file, "holds the weights of another model"));
  default:
    return absl::InternalError(absl::StrCat(file, "cannot be mapped"));
  }
}

absl::StatusOr<std::shared_ptr<const char>>
qopt::openWeightsFile(llvm::StringRef path, uint64_t bytes,
                      llvm::StringRef id) {
  if (id.size() != 64)
    return absl::InvalidArgumentError(
        "expects 64 hexadecimal digits as name of the weights");
  auto *weights = new qopt_weights;
  int error =
      qopt_weights_open(weights, path.str().c_str(), bytes, id.str().c_str());
  std::shared_ptr<const char> owner(static_cast<const char *>(weights->data),
                                    [weights](const char *) {
                                      qopt_weights_close(weights);
                                      delete weights;
                                    });
  if (error != QOPT_WEIGHTS_OK)
    return describeError(error, path);
  return owner;
}
