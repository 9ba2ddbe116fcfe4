//===- Npy.h - NumPy array files ------------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Reads .npy versions 1-3 (C and Fortran order, little-endian) whole or a row
// at a time, and members of .npz archives (stored, deflate, zip64). Lengths in
// the file are compared with the file's own length before anything is
// allocated.
//===----------------------------------------------------------------------===//
#ifndef QOPT_SUPPORT_NPY_H
#define QOPT_SUPPORT_NPY_H

#include "qopt/Support/Files.h"
#include "qopt/Support/Tensor.h"
#include <vector>

namespace qopt {

/// An array in a file. Rows are along the leading dimension.
class ArrayReader {
public:
  /// Parses the header; `name` is used in messages.
  static absl::StatusOr<ArrayReader> open(std::shared_ptr<ByteSource> source,
                                          const llvm::Twine &name);

  llvm::StringRef name() const { return name_; }
  DType dtype() const { return dtype_; }
  llvm::ArrayRef<int64_t> shape() const { return shape_; }

  /// The whole array, row-major.
  absl::StatusOr<Tensor> read() const;
  /// Rows [first, first + count) with the leading dimension kept. Not for
  /// several threads at once.
  absl::StatusOr<Tensor> readRows(int64_t first, int64_t count) const;

private:
  /// Rows in row-major order, of a file that has them column-major.
  struct Block {
    int64_t first = 0;
    Tensor rows;
  };
  absl::StatusOr<const Block *> readBlock(int64_t first, int64_t count) const;

  std::shared_ptr<ByteSource> source_;
  std::string name_;
  DType dtype_ = DType::f32;
  llvm::SmallVector<int64_t, 6> shape_;
  bool isFortranOrder_ = false;
  uint64_t offset_ = 0;
  /// The last that was read: rows are mostly wanted in order.
  mutable std::optional<Block> block_;
};

/// A member of an .npz archive, by its name without ".npy".
struct ArchiveMember {
  std::string name;
  std::shared_ptr<ByteSource> bytes;
};
/// The .npy members of a zip archive in file order.
absl::StatusOr<std::vector<ArchiveMember>>
openArchive(std::shared_ptr<ByteSource> source, const llvm::Twine &name);

/// One .npy file, or `FILE.npz:ARRAY`.
absl::StatusOr<ArrayReader> openArray(llvm::StringRef path);
absl::StatusOr<Tensor> readArray(llvm::StringRef path);

/// Version 1.0 bytes in C order. bf16 has no NumPy type: it is widened to f32,
/// which is exact.
std::string serializeNpy(const Tensor &tensor);
absl::Status writeNpy(const llvm::Twine &path, const Tensor &tensor);

} // namespace qopt

#endif // QOPT_SUPPORT_NPY_H
