//===- Arrays.h - Operands as plain arrays --------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What the reference semantics share: encodings applied to whole arrays, and
// broadcasting as index lists.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_DIALECT_QG_REFERENCE_ARRAYS_H
#define QOPT_LIB_DIALECT_QG_REFERENCE_ARRAYS_H

#include "qopt/Dialect/QG/IR/Encodings.h"
#include <vector>

namespace qopt::qg::reference {

/// A tensor's encoding: parameters of element i are those of `channel(i)`.
struct Encoding {
  llvm::SmallVector<float> scales;
  llvm::SmallVector<int64_t> zeroPoints;
  int64_t low = 0, high = 0;
  /// Index of the parameters of an element.
  ParameterIndex channel;
};

/// The encoding of a quantized tensor type; an error on `op` for run-time
/// parameters and missing blobs.
mlir::FailureOr<Encoding> getEncoding(mlir::Operation *op,
                                      mlir::RankedTensorType type);

/// What stored numbers of a quantized tensor type stand for; errors as above.
mlir::FailureOr<Decoder> getDecoder(mlir::Operation *op,
                                    mlir::RankedTensorType type);

/// `clamp` of an op, narrowing the range of its result's encoding.
void narrow(Encoding &encoding, std::optional<llvm::ArrayRef<int64_t>> clamp);

/// The real numbers of a float or quantized tensor; f64 as double, all others
/// as float.
template <typename T>
mlir::FailureOr<std::vector<T>> load(mlir::Operation *op, mlir::Value value,
                                     const Tensor &tensor);

/// Real numbers as the result of `op`: rounded to its float type or into its
/// encoding.
template <typename T>
llvm::LogicalResult
store(mlir::Operation *op, llvm::ArrayRef<T> values,
      llvm::SmallVectorImpl<Tensor> &results,
      std::optional<llvm::ArrayRef<int64_t>> clamp = std::nullopt);

/// Stored integers (signed or unsigned), minus a zero point.
std::vector<int32_t> loadIntegers(const Tensor &tensor, int64_t zeroPoint = 0);

/// Row-major index into an operand of `shape` for every element of `result`
/// under NumPy broadcasting. Empty if they are the same.
std::vector<int64_t> getBroadcastIndices(llvm::ArrayRef<int64_t> shape,
                                         llvm::ArrayRef<int64_t> result);

/// Calls f with a signed integer of the width of a dtype.
template <typename F> void dispatchInteger(DType dtype, F f) {
  switch (getByteWidth(dtype)) {
  case 1:
    return f(int8_t());
  case 2:
    return f(int16_t());
  case 4:
    return f(int32_t());
  default:
    return f(int64_t());
  }
}

/// Element type is f64.
bool isDouble(mlir::Value value);

/// Row-major strides of a shape.
llvm::SmallVector<int64_t> getStrides(llvm::ArrayRef<int64_t> shape);
/// `base + sum coordinate[d] * strides[d]` for all coordinates in row-major
/// order of `extents`.
std::vector<int64_t> getOffsets(llvm::ArrayRef<int64_t> extents,
                                llvm::ArrayRef<int64_t> strides,
                                int64_t base = 0);

} // namespace qopt::qg::reference

#endif // QOPT_LIB_DIALECT_QG_REFERENCE_ARRAYS_H
