//===- WeightsImage.h - The constants of a program ------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Arrays one behind the other. They stay where they are until somebody writes
// them: into an object, or into a file that the host maps.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TARGET_CPU_WEIGHTSIMAGE_H
#define QOPT_TARGET_CPU_WEIGHTSIMAGE_H

#include "qopt/Support/FileContents.h"
#include "qopt/Support/FileMemory.h"

#include "llvm/ADT/DenseMap.h"
#include <vector>

namespace qopt {

/// Where weights lie. `Auto`: in the object up to kMostEmbeddedBytes.
enum class WeightsPlace { Auto, Object, File };

/// More in one object is slow to make, to link and to load, and 2 GiB is more
/// than relative addresses reach.
constexpr uint64_t kMostEmbeddedBytes = uint64_t(256) << 20;

class WeightsImage {
public:
  /// The offset of an array; equal contents have one place.
  int64_t add(const StoredArray &array);

  uint64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  /// Of all arrays up to now, each with its alignment.
  uint64_t alignedBytes() const { return alignedBytes_; }

  /// All of it.
  absl::Status write(llvm::raw_ostream &os) const;
  std::string str() const;
  /// SHA-256, by which a file of weights is known.
  std::string getId() const;

  /// The file of qopt-rt/qopt_weights.h.
  absl::Status writeFile(llvm::raw_ostream &os, llvm::StringRef id) const;

private:
  struct Piece {
    int64_t offset;
    StoredArray array;
  };
  bool isAt(const Piece &piece, llvm::StringRef bytes) const;

  std::vector<Piece> pieces;
  llvm::DenseMap<uint64_t, llvm::SmallVector<size_t, 1>> known;
  uint64_t size_ = 0, alignedBytes_ = 0;
};

/// The weights of `image` in memory, behind a file that has no name.
absl::StatusOr<std::shared_ptr<const char>>
placeWeights(const WeightsImage &image);

/// The data of a file of weights, mapped. NotFound, InvalidArgument (no such
/// file, or cut) or FailedPrecondition (of another model) say what is wrong.
absl::StatusOr<std::shared_ptr<const char>>
openWeightsFile(llvm::StringRef path, uint64_t bytes, llvm::StringRef id);

} // namespace qopt

#endif // QOPT_TARGET_CPU_WEIGHTSIMAGE_H
