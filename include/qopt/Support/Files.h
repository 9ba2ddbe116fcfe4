//===- Files.h - Byte sources and atomic writing --------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Readers take a ByteSource, so that a large file is read piece by piece and
// every length is checked before memory is taken. Writers leave either the old
// file or the whole new one.
//===----------------------------------------------------------------------===//
#ifndef QOPT_SUPPORT_FILES_H
#define QOPT_SUPPORT_FILES_H

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"
#include <cstdint>
#include <memory>
#include <string>

namespace qopt {

/// Bytes of known length that can be read at any offset.
class ByteSource {
public:
  virtual ~ByteSource() = default;
  virtual uint64_t size() const = 0;
  /// Fills `into` from `offset`; fails when the source is shorter.
  virtual absl::Status read(uint64_t offset,
                            llvm::MutableArrayRef<char> into) = 0;
};

/// A regular file, read with pread: not mapped, so that resident memory does
/// not grow with the file.
absl::StatusOr<std::shared_ptr<ByteSource>> openFile(const llvm::Twine &path);
/// Bytes in memory (copied).
std::shared_ptr<ByteSource> makeMemorySource(llvm::StringRef bytes);
/// `length` bytes of another source from `offset`.
std::shared_ptr<ByteSource> makeWindow(std::shared_ptr<ByteSource> source,
                                       uint64_t offset, uint64_t length);

/// The whole file. Refuses files above `limit` bytes.
absl::StatusOr<std::string> readFile(const llvm::Twine &path,
                                     uint64_t limit = uint64_t(1) << 32);

/// Writes through a temporary file beside `path` and renames it. Missing
/// folders are made.
absl::Status writeFile(const llvm::Twine &path, llvm::StringRef bytes);

/// Lower-case hexadecimal SHA-256.
std::string getSha256(llvm::StringRef bytes);
absl::StatusOr<std::string> getFileSha256(const llvm::Twine &path);

} // namespace qopt

#endif // QOPT_SUPPORT_FILES_H
