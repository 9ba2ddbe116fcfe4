//===- FileContents.h - What a file is to hold ----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Bytes, or what writes them: weights of gigabytes are written from where they
// are, and hashed on the way.
//===----------------------------------------------------------------------===//
#ifndef QOPT_SUPPORT_FILECONTENTS_H
#define QOPT_SUPPORT_FILECONTENTS_H

#include "absl/status/statusor.h"
#include "qopt/Support/Sha256.h"
#include "llvm/Support/raw_ostream.h"
#include <functional>
#include <map>
#include <string>

namespace qopt {

/// Writes the same bytes each time.
using FileWriter = std::function<absl::Status(llvm::raw_ostream &)>;

struct FileContents {
  std::string bytes;
  /// Instead of bytes, if it is there.
  FileWriter writer;

  FileContents() = default;
  FileContents(std::string bytes) : bytes(std::move(bytes)) {}
  FileContents(const char *text) : bytes(text) {}
  FileContents(FileWriter writer) : writer(std::move(writer)) {}

  absl::Status write(llvm::raw_ostream &os) const;
  absl::StatusOr<std::string> getSha256() const;
};

using FilesByName = std::map<std::string, FileContents>;

/// A stream whose bytes are hashed and not kept.
class Sha256Stream : public llvm::raw_ostream {
public:
  ~Sha256Stream() override { flush(); }
  /// Lower-case hexadecimal.
  std::string finish();

private:
  void write_impl(const char *data, size_t size) override;
  uint64_t current_pos() const override { return position; }

  Sha256 hasher;
  uint64_t position = 0;
};

/// Hands bytes on piece by piece, and gives back the pages of files that they
/// came from.
class ReleasingStream : public llvm::raw_ostream {
public:
  explicit ReleasingStream(llvm::raw_ostream &to) : to(to) {}
  ~ReleasingStream() override { flush(); }

private:
  void write_impl(const char *data, size_t size) override;
  uint64_t current_pos() const override { return to.tell(); }

  llvm::raw_ostream &to;
};

} // namespace qopt

#endif // QOPT_SUPPORT_FILECONTENTS_H
