//===- Files.cpp - Byte sources and atomic writing ------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// POSIX files behind ByteSource; write to a temporary, then rename.
//===----------------------------------------------------------------------===//
#include "qopt/Support/Files.h"
#include "qopt/Support/Diagnostics.h"
#include "qopt/Support/Sha256.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace qopt;

namespace {
class FileSource : public ByteSource {
public:
  FileSource(std::string path, int descriptor, uint64_t size)
      : path_(std::move(path)), descriptor_(descriptor), size_(size) {}
  ~FileSource() override { ::close(descriptor_); }
  uint64_t size() const override { return size_; }
  absl::Status read(uint64_t offset,
                    llvm::MutableArrayRef<char> into) override {
    while (!into.empty()) {
      ssize_t count = ::pread(descriptor_, into.data(), into.size(), offset);
      if (count < 0 && errno == EINTR)
        continue;
      if (count < 0)
        return Error(Code::DataFile,
                     "cannot read '" + path_ + "': " + std::strerror(errno));
      if (count == 0)
        return Error(Code::DataFile, "'" + path_ + "' ends after " +
                                         llvm::Twine(offset) + " bytes");
      offset += count;
      into = into.drop_front(count);
    }
    return absl::OkStatus();
  }

private:
  std::string path_;
  int descriptor_;
  uint64_t size_;
};

class MemorySource : public ByteSource {
public:
  explicit MemorySource(llvm::StringRef bytes) : bytes_(bytes.str()) {}
  uint64_t size() const override { return bytes_.size(); }
  absl::Status read(uint64_t offset,
                    llvm::MutableArrayRef<char> into) override {
    if (offset > bytes_.size() || into.size() > bytes_.size() - offset)
      return Error(Code::DataFile, "the data end after " +
                                       llvm::Twine(bytes_.size()) + " bytes");
    std::memcpy(into.data(), bytes_.data() + offset, into.size());
    return absl::OkStatus();
  }

private:
  std::string bytes_;
};

class WindowSource : public ByteSource {
public:
  WindowSource(std::shared_ptr<ByteSource> source, uint64_t offset,
               uint64_t length)
      : source_(std::move(source)), offset_(offset), length_(length) {}
  uint64_t size() const override { return length_; }
  absl::Status read(uint64_t offset,
                    llvm::MutableArrayRef<char> into) override {
    if (offset > length_ || into.size() > length_ - offset)
      return Error(Code::DataFile,
                   "the data end after " + llvm::Twine(length_) + " bytes");
    return source_->read(offset_ + offset, into);
  }

private:
  std::shared_ptr<ByteSource> source_;
  uint64_t offset_, length_;
};
} // namespace

absl::StatusOr<std::shared_ptr<ByteSource>>
qopt::openFile(const llvm::Twine &path) {
  std::string name = path.str();
  int descriptor = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    return Error(Code::DataFile,
                 "cannot open '" + name + "': " + std::strerror(errno));
  struct stat status;
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor);
    return Error(Code::DataFile, "expected a file, but '" + name + "' is none");
  }
  return std::shared_ptr<ByteSource>(
      std::make_shared<FileSource>(name, descriptor, status.st_size));
}

std::shared_ptr<ByteSource> qopt::makeMemorySource(llvm::StringRef bytes) {
  return std::make_shared<MemorySource>(bytes);
}

std::shared_ptr<ByteSource> qopt::makeWindow(std::shared_ptr<ByteSource> source,
                                             uint64_t offset, uint64_t length) {
  return std::make_shared<WindowSource>(std::move(source), offset, length);
}

absl::StatusOr<std::string> qopt::readFile(const llvm::Twine &path,
                                           uint64_t limit) {
  QOPT_ASSIGN(std::shared_ptr<ByteSource> source, openFile(path));
  if (source->size() > limit)
    return Error(Code::DataFile,
                 "'" + path + "' has " + llvm::Twine(source->size()) +
                     " bytes, more than the limit of " + llvm::Twine(limit));
  std::string bytes(source->size(), '\0');
  QOPT_RETURN_IF_ERROR(source->read(0, {bytes.data(), bytes.size()}));
  return bytes;
}

absl::Status qopt::writeFile(const llvm::Twine &path, llvm::StringRef bytes) {
  std::string name = path.str();
  auto fail = [&](const llvm::Twine &why) -> absl::Status {
    return Error(Code::WriteFailed, "cannot write '" + name + "': " + why);
  };
  llvm::StringRef folder = llvm::sys::path::parent_path(name);
  if (!folder.empty())
    if (std::error_code error = llvm::sys::fs::create_directories(
            folder, /*IgnoreExisting=*/true, llvm::sys::fs::all_all))
      return fail(error.message());
  llvm::SmallString<128> temporary;
  int descriptor;
  // 0666 less the umask, as a plain open() would give.
  if (std::error_code error = llvm::sys::fs::createUniqueFile(
          name + ".%%%%%%%%.tmp", descriptor, temporary, llvm::sys::fs::OF_None,
          0666))
    return fail(error.message());
  {
    llvm::raw_fd_ostream os(descriptor, /*shouldClose=*/true);
    os << bytes;
    os.flush();
    if (std::error_code error = os.error()) {
      os.clear_error();
      llvm::sys::fs::remove(temporary);
      return fail(error.message());
    }
  }
  if (std::error_code error = llvm::sys::fs::rename(temporary, name)) {
    llvm::sys::fs::remove(temporary);
    return fail(error.message());
  }
  return absl::OkStatus();
}

std::string qopt::getSha256(llvm::StringRef bytes) {
  Sha256 hasher;
  hasher.update(bytes);
  return hasher.finish();
}

absl::StatusOr<std::string> qopt::getFileSha256(const llvm::Twine &path) {
  QOPT_ASSIGN(std::shared_ptr<ByteSource> source, openFile(path));
  Sha256 hasher;
  std::string piece(1 << 20, '\0');
  for (uint64_t offset = 0; offset < source->size();) {
    uint64_t count = std::min<uint64_t>(piece.size(), source->size() - offset);
    QOPT_RETURN_IF_ERROR(source->read(offset, {piece.data(), count}));
    hasher.update(llvm::StringRef(piece.data(), count));
    offset += count;
  }
  return hasher.finish();
}
