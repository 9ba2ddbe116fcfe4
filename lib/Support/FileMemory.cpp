//===- FileMemory.cpp - Memory behind which a file lies -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The file without a name is written with pwrite and mapped read-only: a full
// disk is an error of a call, where a store into a mapping would be a signal.
//===----------------------------------------------------------------------===//
#include "qopt/Support/FileMemory.h"
#include "qopt/Support/Diagnostics.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <map>
#include <mutex>
#include <sys/mman.h>
#include <unistd.h>

using namespace qopt;

/// Of blobs in memory: what a small model has, so that it never meets a file.
static std::atomic<uint64_t> mostKept = uint64_t(64) << 20;
static std::atomic<int64_t> kept = 0;

static uint64_t getPageSize() {
  static const uint64_t size = ::sysconf(_SC_PAGESIZE);
  return size;
}

namespace {
/// All mappings by address.
class Mappings {
public:
  static Mappings &get() {
    // Never destroyed: owners may outlive everything static.
    static auto *mappings = new Mappings;
    return *mappings;
  }

  std::shared_ptr<const char> add(const char *data, uint64_t bytes,
                                  std::function<void()> unmap) {
    std::shared_ptr<const char> owner(
        data, [this, unmap = std::move(unmap)](const char *address) {
          {
            std::lock_guard<std::mutex> guard(lock);
            byAddress.erase(address);
          }
          unmap();
        });
    std::lock_guard<std::mutex> guard(lock);
    byAddress[data] = {bytes, owner};
    return owner;
  }

  std::shared_ptr<const char> find(llvm::ArrayRef<char> bytes) {
    std::lock_guard<std::mutex> guard(lock);
    auto it = byAddress.upper_bound(bytes.data());
    if (it == byAddress.begin())
      return nullptr;
    --it;
    bool isInside = bytes.end() <= it->first + it->second.bytes;
    return isInside ? it->second.owner.lock() : nullptr;
  }

private:
  struct Mapping {
    uint64_t bytes;
    std::weak_ptr<const char> owner;
  };
  std::mutex lock;
  std::map<const char *, Mapping> byAddress;
};

/// The file without a name.
class ScratchFile {
public:
  /// Null if there can be none.
  static ScratchFile *get() {
    static auto *file = new ScratchFile;
    return file->descriptor < 0 ? nullptr : file;
  }

  std::shared_ptr<const char> add(llvm::ArrayRef<char> bytes) {
    uint64_t length = llvm::alignTo(bytes.size(), getPageSize());
    uint64_t offset = end.fetch_add(length);
    if (!write(bytes, offset) || !grow(offset + length))
      return nullptr;
    void *data =
        ::mmap(nullptr, length, PROT_READ, MAP_SHARED, descriptor, offset);
    if (data == MAP_FAILED)
      return nullptr;
    return Mappings::get().add(
        static_cast<const char *>(data), length, [this, data, length, offset] {
          ::munmap(data, length);
          // Space of a file that nobody else sees; where holes are not
          // supported it stays until the end.
          (void)::fallocate(descriptor,
                            FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset,
                            length);
        });
  }

private:
  ScratchFile() {
    llvm::SmallString<128> folder;
    llvm::sys::path::system_temp_directory(/*ErasedOnReboot=*/false, folder);
    descriptor = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (descriptor >= 0)
      return;
    // File systems without O_TMPFILE.
    llvm::SmallString<128> path(folder);
    llvm::sys::path::append(path, "qopt-XXXXXX");
    descriptor = ::mkostemp(path.data(), O_CLOEXEC);
    if (descriptor >= 0)
      ::unlink(path.c_str());
  }

  /// Writes what is not a page of zeros.
  bool write(llvm::ArrayRef<char> bytes, uint64_t offset) {
    const uint64_t piece = 1 << 16;
    while (!bytes.empty()) {
      llvm::ArrayRef<char> now = bytes.take_front(piece);
      bytes = bytes.drop_front(now.size());
      bool isZero = now[0] == 0 && std::memcmp(now.data(), now.data() + 1,
                                               now.size() - 1) == 0;
      uint64_t at = offset;
      offset += now.size();
      while (!isZero && !now.empty()) {
        ssize_t count = ::pwrite(descriptor, now.data(), now.size(), at);
        if (count < 0 && errno == EINTR)
          continue;
        if (count <= 0)
          return false;
        at += count;
        now = now.drop_front(count);
      }
    }
    return true;
  }

  /// A mapping beyond the end of its file is no memory.
  bool grow(uint64_t size) {
    std::lock_guard<std::mutex> guard(lock);
    if (size <= length_)
      return true;
    if (::ftruncate(descriptor, size) != 0)
      return false;
    length_ = size;
    return true;
  }

  int descriptor = -1;
  std::atomic<uint64_t> end = 0;
  std::mutex lock;
  uint64_t length_ = 0;
};
} // namespace

absl::StatusOr<std::shared_ptr<const char>>
qopt::mapFile(llvm::StringRef path, uint64_t offset, uint64_t length) {
  std::string name = path.str();
  auto fail = [&]() -> absl::Status {
    return Error(Code::DataFile,
                 "cannot map '" + name + "': " + std::strerror(errno));
  };
  int descriptor = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    return fail();
  uint64_t begin = offset / getPageSize() * getPageSize();
  uint64_t bytes = offset - begin + length;
  void *data =
      ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, descriptor, begin);
  int error = errno;
  ::close(descriptor);
  errno = error;
  if (data == MAP_FAILED)
    return fail();
  const char *start = static_cast<const char *>(data);
  std::shared_ptr<const char> owner = Mappings::get().add(
      start, bytes, [data, bytes] { ::munmap(data, bytes); });
  return std::shared_ptr<const char>(std::move(owner),
                                     start + (offset - begin));
}

std::shared_ptr<const char> qopt::copyToFile(llvm::ArrayRef<char> bytes) {
  ScratchFile *file = bytes.empty() ? nullptr : ScratchFile::get();
  return file ? file->add(bytes) : nullptr;
}

bool qopt::belongsToFile(uint64_t bytes) {
  return bytes >= kLargeBytes && uint64_t(kept.load()) + bytes > mostKept;
}

void qopt::countKept(int64_t bytes) { kept += bytes; }

void qopt::setMostKept(uint64_t bytes) { mostKept = bytes; }

std::shared_ptr<const char> qopt::findFileMemory(llvm::ArrayRef<char> bytes) {
  return bytes.size() < kLargeBytes ? nullptr : Mappings::get().find(bytes);
}

void qopt::releasePages(llvm::ArrayRef<char> bytes) {
  std::shared_ptr<const char> owner = Mappings::get().find(bytes);
  if (!owner)
    return;
  // Whole pages; neighbours that go with them are read again.
  uint64_t begin = uint64_t(bytes.data()) / getPageSize() * getPageSize();
  (void)::madvise(reinterpret_cast<void *>(begin),
                  uint64_t(bytes.end()) - begin, MADV_DONTNEED);
}

void qopt::copyPieces(llvm::ArrayRef<char> bytes, char *to) {
  const uint64_t piece = kLargeBytes;
  while (!bytes.empty()) {
    llvm::ArrayRef<char> now = bytes.take_front(piece);
    std::memcpy(to, now.data(), now.size());
    if (now.size() == piece)
      releasePages(now);
    bytes = bytes.drop_front(now.size());
    to += now.size();
  }
}

StoredArray::StoredArray(const Tensor &tensor)
    : dtype_(tensor.dtype()), shape_(tensor.shape()) {
  uint64_t size = tensor.numBytes();
  if (belongsToFile(size))
    file_ = copyToFile({tensor.data(), size});
  if (file_)
    return;
  tensor_ = tensor;
  if (size < kLargeBytes)
    return;
  countKept(size);
  count_ = std::shared_ptr<void>(nullptr,
                                 [size](void *) { countKept(-int64_t(size)); });
}

StoredArray::StoredArray(DType dtype, llvm::ArrayRef<int64_t> shape,
                         std::shared_ptr<const char> bytes)
    : dtype_(dtype), shape_(shape), file_(std::move(bytes)) {}

llvm::ArrayRef<char> StoredArray::bytes() const {
  uint64_t size = getNumElements(shape_) * getByteWidth(dtype_);
  return {file_ ? file_.get() : tensor_->data(), size};
}

Tensor StoredArray::load() const {
  if (tensor_)
    return *tensor_;
  Tensor tensor(dtype_, shape_);
  copyPieces(bytes(), tensor.mutableData());
  return tensor;
}
