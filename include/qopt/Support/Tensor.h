//===- Tensor.h - Host arrays ---------------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The one array type that readers, interpreter, calibration, driver and Python
// pass around: a dtype, a shape, and row-major bytes.
//===----------------------------------------------------------------------===//
#ifndef QOPT_SUPPORT_TENSOR_H
#define QOPT_SUPPORT_TENSOR_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace qopt {

/// Element types of host arrays. `b1` is one byte per truth value (0 or 1).
enum class DType : uint8_t {
  f32,
  f64,
  f16,
  bf16,
  i8,
  i16,
  i32,
  i64,
  u8,
  u16,
  u32,
  u64,
  b1
};

/// Bytes of one element.
unsigned getByteWidth(DType dtype);
/// "f32", "i8", "u8", "b1", ...
llvm::StringRef getName(DType dtype);
std::optional<DType> parseDType(llvm::StringRef name);
bool isFloat(DType dtype);
bool isUnsigned(DType dtype);

/// Product of the extents; 1 for a scalar.
int64_t getNumElements(llvm::ArrayRef<int64_t> shape);

/// "1x3x8x8" (or "scalar") for messages.
std::string formatShape(llvm::ArrayRef<int64_t> shape);

/// A row-major array on the host. Copies share the bytes; `mutableData()`
/// and the typed `mutableSpan()` detach first (copy on write), so a Tensor
/// behaves like a value. 64-byte aligned.
class Tensor {
public:
  Tensor() = default;
  /// Zero-initialized.
  Tensor(DType dtype, llvm::ArrayRef<int64_t> shape);

  template <typename T>
  static Tensor from(DType dtype, llvm::ArrayRef<int64_t> shape,
                     llvm::ArrayRef<T> values) {
    Tensor tensor(dtype, shape);
    std::copy(values.begin(), values.end(), tensor.mutableSpan<T>().begin());
    return tensor;
  }

  DType dtype() const { return dtype_; }
  llvm::ArrayRef<int64_t> shape() const { return shape_; }
  int64_t rank() const { return shape_.size(); }
  int64_t numElements() const { return getNumElements(shape_); }
  int64_t numBytes() const { return numElements() * getByteWidth(dtype_); }

  const char *data() const { return bytes_.get(); }
  char *mutableData();

  /// The elements; sizeof(T) must be the element width.
  template <typename T> llvm::ArrayRef<T> span() const {
    return {reinterpret_cast<const T *>(data()), size_t(numElements())};
  }
  template <typename T> llvm::MutableArrayRef<T> mutableSpan() {
    return {reinterpret_cast<T *>(mutableData()), size_t(numElements())};
  }

  /// Element `index` (row-major) as a number, whatever the dtype. Integers
  /// beyond 2^53 lose bits in getFloat.
  double getFloat(int64_t index) const;
  int64_t getInt(int64_t index) const;
  /// Stores a number into element `index`; rounds to the dtype (floats half to
  /// even, integers truncate and wrap).
  void setFloat(int64_t index, double value);
  void setInt(int64_t index, int64_t value);

  /// Same bytes under another shape with as many elements.
  Tensor reshaped(llvm::ArrayRef<int64_t> shape) const;
  /// Same bytes under a dtype of the same width.
  Tensor bitcast(DType dtype) const;
  /// Element `index` of the leading dimension, without that dimension.
  Tensor slice(int64_t index) const;

private:
  DType dtype_ = DType::f32;
  llvm::SmallVector<int64_t, 6> shape_;
  std::shared_ptr<char> bytes_;
};

/// f16/bf16 bit patterns from and to f32, half to even.
float halfToFloat(uint16_t bits);
uint16_t floatToHalf(float value);
float bfloatToFloat(uint16_t bits);
uint16_t floatToBfloat(float value);

} // namespace qopt

#endif // QOPT_SUPPORT_TENSOR_H
