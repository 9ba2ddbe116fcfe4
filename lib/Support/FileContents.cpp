//===- FileContents.cpp - What a file is to hold --------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Pieces of a size that stays in the caches.
//===----------------------------------------------------------------------===//
#include "qopt/Support/FileContents.h"
#include "qopt/Support/FileMemory.h"

using namespace qopt;

static constexpr size_t kPiece = 1 << 20;

/// `use` sees every byte once; pages of files go as it does.
template <typename Use>
static void forEachPiece(const char *data, size_t size, Use use) {
  llvm::ArrayRef<char> bytes(data, size);
  while (!bytes.empty()) {
    llvm::ArrayRef<char> piece = bytes.take_front(kPiece);
    bytes = bytes.drop_front(piece.size());
    use(llvm::StringRef(piece.data(), piece.size()));
    // A small rest goes with what is before it.
    if (size >= kLargeBytes)
      releasePages(piece);
  }
}

absl::Status FileContents::write(llvm::raw_ostream &os) const {
  if (writer)
    return writer(os);
  os << bytes;
  return absl::OkStatus();
}

absl::StatusOr<std::string> FileContents::getSha256() const {
  Sha256Stream stream;
  if (absl::Status status = write(stream); !status.ok())
    return status;
  return stream.finish();
}

std::string Sha256Stream::finish() {
  flush();
  return hasher.finish();
}

void Sha256Stream::write_impl(const char *data, size_t size) {
  position += size;
  forEachPiece(data, size,
               [&](llvm::StringRef piece) { hasher.update(piece); });
}

void ReleasingStream::write_impl(const char *data, size_t size) {
  forEachPiece(data, size, [&](llvm::StringRef piece) { to << piece; });
}
