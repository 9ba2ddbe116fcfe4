//===- Tensor.cpp - Host arrays -------------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Storage and element access of qopt::Tensor.
//===----------------------------------------------------------------------===//
#include "qopt/Support/Tensor.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <sys/mman.h>

using namespace qopt;

namespace {
struct DTypeRow {
  DType dtype;
  const char *name;
  unsigned width;
};
constexpr DTypeRow kDTypes[] = {
    {DType::f32, "f32", 4}, {DType::f64, "f64", 8},   {DType::f16, "f16", 2},
    {DType::bf16, "bf16", 2}, {DType::i8, "i8", 1},   {DType::i16, "i16", 2},
    {DType::i32, "i32", 4}, {DType::i64, "i64", 8},   {DType::u8, "u8", 1},
    {DType::u16, "u16", 2}, {DType::u32, "u32", 4},   {DType::u64, "u64", 8},
    {DType::b1, "b1", 1}};

constexpr size_t kAlignment = 64;
/// From here on arrays have pages of their own: they go when the array does. A
/// heap keeps what lies below anything small that was allocated since.
constexpr size_t kMappedBytes = size_t(1) << 20;

/// Zeroed; null if there is none.
std::shared_ptr<char> map(size_t bytes) {
  void *memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return nullptr;
  return std::shared_ptr<char>(static_cast<char *>(memory),
                               [bytes](char *p) { ::munmap(p, bytes); });
}

std::shared_ptr<char> allocate(int64_t bytes) {
  size_t rounded = (size_t(bytes) + kAlignment - 1) / kAlignment * kAlignment;
  rounded = std::max(rounded, kAlignment);
  if (rounded >= kMappedBytes)
    if (std::shared_ptr<char> mapped = map(rounded))
      return mapped;
  char *memory = static_cast<char *>(std::aligned_alloc(kAlignment, rounded));
  if (!memory)
    llvm::report_bad_alloc_error("host array");
  std::memset(memory, 0, rounded);
  return std::shared_ptr<char>(memory, [](char *p) { std::free(p); });
}

float convertHalf(uint16_t bits, const llvm::fltSemantics &semantics) {
  llvm::APFloat value(semantics, llvm::APInt(16, bits));
  bool losesInfo;
  value.convert(llvm::APFloat::IEEEsingle(),
                llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  return value.convertToFloat();
}

uint16_t narrow(float value, const llvm::fltSemantics &semantics) {
  llvm::APFloat result(value);
  bool losesInfo;
  result.convert(semantics, llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  return uint16_t(result.bitcastToAPInt().getZExtValue());
}
} // namespace

unsigned qopt::getByteWidth(DType dtype) {
  return kDTypes[unsigned(dtype)].width;
}
llvm::StringRef qopt::getName(DType dtype) {
  return kDTypes[unsigned(dtype)].name;
}
std::optional<DType> qopt::parseDType(llvm::StringRef name) {
  for (const DTypeRow &row : kDTypes)
    if (name == row.name)
      return row.dtype;
  return std::nullopt;
}
bool qopt::isFloat(DType dtype) { return dtype <= DType::bf16; }
bool qopt::isUnsigned(DType dtype) { return dtype >= DType::u8; }

int64_t qopt::getNumElements(llvm::ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  return count;
}

std::string qopt::formatShape(llvm::ArrayRef<int64_t> shape) {
  if (shape.empty())
    return "scalar";
  return llvm::join(llvm::map_range(shape, [](int64_t e) {
                      return std::to_string(e);
                    }),
                    "x");
}

float qopt::halfToFloat(uint16_t bits) {
  return convertHalf(bits, llvm::APFloat::IEEEhalf());
}
float qopt::bfloatToFloat(uint16_t bits) {
  return convertHalf(bits, llvm::APFloat::BFloat());
}
uint16_t qopt::floatToHalf(float value) {
  return narrow(value, llvm::APFloat::IEEEhalf());
}
uint16_t qopt::floatToBfloat(float value) {
  return narrow(value, llvm::APFloat::BFloat());
}

Tensor::Tensor(DType dtype, llvm::ArrayRef<int64_t> shape)
    : dtype_(dtype), shape_(shape.begin(), shape.end()),
      bytes_(allocate(numBytes())) {}

char *Tensor::mutableData() {
  if (bytes_.use_count() > 1) {
    std::shared_ptr<char> copy = allocate(numBytes());
    std::memcpy(copy.get(), bytes_.get(), numBytes());
    bytes_ = std::move(copy);
  }
  return bytes_.get();
}

double Tensor::getFloat(int64_t index) const {
  switch (dtype_) {
  case DType::f32:
    return span<float>()[index];
  case DType::f64:
    return span<double>()[index];
  case DType::f16:
    return halfToFloat(span<uint16_t>()[index]);
  case DType::bf16:
    return bfloatToFloat(span<uint16_t>()[index]);
  case DType::u64:
    return double(span<uint64_t>()[index]);
  default:
    return double(getInt(index));
  }
}

int64_t Tensor::getInt(int64_t index) const {
  switch (dtype_) {
  case DType::i8:
    return span<int8_t>()[index];
  case DType::i16:
    return span<int16_t>()[index];
  case DType::i32:
    return span<int32_t>()[index];
  case DType::i64:
    return span<int64_t>()[index];
  case DType::u8:
  case DType::b1:
    return span<uint8_t>()[index];
  case DType::u16:
    return span<uint16_t>()[index];
  case DType::u32:
    return span<uint32_t>()[index];
  case DType::u64:
    return int64_t(span<uint64_t>()[index]);
  default:
    break;
  }
  // A file may hold any float: the nearest integer there is, 0 for NaN.
  double value = getFloat(index);
  if (std::isnan(value))
    return 0;
  if (value >= 0x1p63)
    return std::numeric_limits<int64_t>::max();
  return value < -0x1p63 ? std::numeric_limits<int64_t>::min()
                         : int64_t(value);
}

void Tensor::setFloat(int64_t index, double value) {
  switch (dtype_) {
  case DType::f32:
    mutableSpan<float>()[index] = float(value);
    return;
  case DType::f64:
    mutableSpan<double>()[index] = value;
    return;
  case DType::f16:
    mutableSpan<uint16_t>()[index] = floatToHalf(float(value));
    return;
  case DType::bf16:
    mutableSpan<uint16_t>()[index] = floatToBfloat(float(value));
    return;
  default:
    setInt(index, int64_t(value));
  }
}

void Tensor::setInt(int64_t index, int64_t value) {
  char *element = mutableData() + index * getByteWidth(dtype_);
  if (isFloat(dtype_))
    return setFloat(index, double(value));
  if (dtype_ == DType::b1)
    value = value != 0;
  // Little-endian hosts only (x86-64, AArch64): the low bytes come first.
  std::memcpy(element, &value, getByteWidth(dtype_));
}

Tensor Tensor::reshaped(llvm::ArrayRef<int64_t> shape) const {
  assert(getNumElements(shape) == numElements() && "reshape keeps elements");
  Tensor result = *this;
  result.shape_.assign(shape.begin(), shape.end());
  return result;
}

Tensor Tensor::bitcast(DType dtype) const {
  assert(getByteWidth(dtype) == getByteWidth(dtype_) && "same width");
  Tensor result = *this;
  result.dtype_ = dtype;
  return result;
}

Tensor Tensor::slice(int64_t index) const {
  Tensor result(dtype_, llvm::ArrayRef<int64_t>(shape_).drop_front());
  std::memcpy(result.mutableData(), data() + index * result.numBytes(),
              result.numBytes());
  return result;
}
