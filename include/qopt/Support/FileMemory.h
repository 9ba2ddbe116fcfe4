//===- FileMemory.h - Memory behind which a file lies ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Weights of gigabytes stay in files: in that of the model, or in one without a
// name. They are mapped, so that everybody reads them as memory, and their
// pages are given back to the system when a reader is done.
//===----------------------------------------------------------------------===//
#ifndef QOPT_SUPPORT_FILEMEMORY_H
#define QOPT_SUPPORT_FILEMEMORY_H

#include "qopt/Support/Tensor.h"

#include "absl/status/statusor.h"

namespace qopt {

/// Below this, memory is cheaper than a page of a file.
constexpr uint64_t kLargeBytes = uint64_t(1) << 20;

/// `length` bytes of a file from `offset`; not copied. The file may not shrink
/// while they are used.
absl::StatusOr<std::shared_ptr<const char>>
mapFile(llvm::StringRef path, uint64_t offset, uint64_t length);

/// A copy of large bytes in the file without a name ($TMPDIR, else /var/tmp);
/// pages of zeros take no space in it. Null if it cannot be written.
std::shared_ptr<const char> copyToFile(llvm::ArrayRef<char> bytes);

/// Whether bytes that are kept for long belong into a file: they are large, and
/// those kept in memory are many already.
bool belongsToFile(uint64_t bytes);
/// Counts bytes that are kept in memory, or no longer.
void countKept(int64_t bytes);
/// How many are kept in memory before the next go to a file: for tests.
void setMostKept(uint64_t bytes);

/// The owner of the file memory in which all of `bytes` lie; null for others.
std::shared_ptr<const char> findFileMemory(llvm::ArrayRef<char> bytes);

/// Gives pages of file memory back; they are read again when they are needed.
/// Of other memory: nothing.
void releasePages(llvm::ArrayRef<char> bytes);

/// memcpy of what may lie in a file, whose pages are given back on the way.
void copyPieces(llvm::ArrayRef<char> bytes, char *to);

/// An array that is kept for long: in memory if it is small, else in a file.
class StoredArray {
public:
  StoredArray() = default;
  /// Large ones are copied to a file once many are kept (belongsToFile).
  StoredArray(const Tensor &tensor);
  /// On memory that lies in a file.
  StoredArray(DType dtype, llvm::ArrayRef<int64_t> shape,
              std::shared_ptr<const char> bytes);

  DType dtype() const { return dtype_; }
  llvm::ArrayRef<int64_t> shape() const { return shape_; }
  /// Where they are: to be read once and given back by releasePages.
  llvm::ArrayRef<char> bytes() const;
  /// As an array in memory: a copy, if it lies in a file.
  Tensor load() const;

private:
  DType dtype_ = DType::f32;
  llvm::SmallVector<int64_t, 4> shape_;
  std::optional<Tensor> tensor_;
  std::shared_ptr<const char> file_;
  /// Counts a large array in memory.
  std::shared_ptr<void> count_;
};

} // namespace qopt

#endif // QOPT_SUPPORT_FILEMEMORY_H
