//===- TensorProto.cpp - ONNX tensors in data folders ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Data lie below the frontend, so this reads the dozen fields of TensorProto
// off the wire itself; there is no schema to keep in step but these numbers,
// which ONNX never changes.
//===----------------------------------------------------------------------===//
#include "qopt/Data/DataSource.h"
#include "qopt/Support/Diagnostics.h"

#include "llvm/Support/Endian.h"
#include <cstring>

using namespace qopt;

namespace {
/// Field numbers of onnx.TensorProto.
enum Field {
  kDims = 1,
  kDataType = 2,
  kFloatData = 4,
  kInt32Data = 5,
  kInt64Data = 7,
  kRawData = 9,
  kDoubleData = 10,
  kUint64Data = 11,
  kExternalData = 13,
  kDataLocation = 14
};
enum Wire { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

/// Reads protobuf's wire format; every getter fails at the end of the bytes.
class WireReader {
public:
  explicit WireReader(llvm::StringRef bytes) : rest_(bytes) {}
  bool empty() const { return rest_.empty(); }
  bool readVarint(uint64_t &value) {
    value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty())
        return false;
      uint8_t byte = rest_.front();
      rest_ = rest_.drop_front();
      value |= uint64_t(byte & 0x7f) << shift;
      if (!(byte & 0x80))
        return true;
    }
    return false;
  }
  bool readBytes(uint64_t count, llvm::StringRef &bytes) {
    if (count > rest_.size())
      return false;
    bytes = rest_.take_front(count);
    rest_ = rest_.drop_front(count);
    return true;
  }

private:
  llvm::StringRef rest_;
};

/// Values of a repeated field, packed or one at a time.
struct Proto {
  llvm::SmallVector<int64_t, 6> dims;
  uint64_t dataType = 0, location = 0;
  llvm::StringRef raw;
  bool hasRaw = false, hasExternal = false;
  std::vector<uint64_t> integers;
  std::string floats, doubles; // little-endian bytes
};

std::optional<DType> getDType(uint64_t onnxType) {
  switch (onnxType) {
  case 1:
    return DType::f32;
  case 2:
    return DType::u8;
  case 3:
    return DType::i8;
  case 4:
    return DType::u16;
  case 5:
    return DType::i16;
  case 6:
    return DType::i32;
  case 7:
    return DType::i64;
  case 9:
    return DType::b1;
  case 10:
    return DType::f16;
  case 11:
    return DType::f64;
  case 12:
    return DType::u32;
  case 13:
    return DType::u64;
  case 16:
    return DType::bf16;
  default:
    return std::nullopt;
  }
}

bool addVarints(llvm::StringRef packed, std::vector<uint64_t> &into) {
  WireReader reader(packed);
  while (!reader.empty()) {
    uint64_t value;
    if (!reader.readVarint(value))
      return false;
    into.push_back(value);
  }
  return true;
}

bool readField(WireReader &reader, Proto &proto) {
  uint64_t tag, number = 0;
  llvm::StringRef bytes;
  if (!reader.readVarint(tag))
    return false;
  switch (tag & 7) {
  case kVarint:
    if (!reader.readVarint(number))
      return false;
    break;
  case kFixed64:
    if (!reader.readBytes(8, bytes))
      return false;
    break;
  case kFixed32:
    if (!reader.readBytes(4, bytes))
      return false;
    break;
  case kBytes:
    if (!reader.readVarint(number) || !reader.readBytes(number, bytes))
      return false;
    break;
  default:
    return false;
  }
  bool isVarint = (tag & 7) == kVarint;
  std::vector<uint64_t> values;
  switch (tag >> 3) {
  case kDims:
    if (isVarint)
      values.push_back(number);
    else if (!addVarints(bytes, values))
      return false;
    proto.dims.append(values.begin(), values.end());
    return true;
  case kDataType:
    proto.dataType = number;
    return isVarint;
  case kInt32Data:
  case kInt64Data:
  case kUint64Data:
    if (!isVarint)
      return addVarints(bytes, proto.integers);
    proto.integers.push_back(number);
    return true;
  case kFloatData:
    proto.floats += bytes;
    return !isVarint;
  case kDoubleData:
    proto.doubles += bytes;
    return !isVarint;
  case kRawData:
    proto.raw = bytes;
    proto.hasRaw = true;
    return !isVarint;
  case kExternalData:
    proto.hasExternal = true;
    return true;
  case kDataLocation:
    proto.location = number;
    return isVarint;
  default:
    return true;
  }
}
} // namespace

absl::StatusOr<Tensor> qopt::parseTensorProto(llvm::StringRef bytes,
                                              const llvm::Twine &name) {
  auto fail = [&](const llvm::Twine &why) -> absl::Status {
    return Error(Code::DataFile, "'" + name + "': " + why);
  };
  Proto proto;
  WireReader reader(bytes);
  while (!reader.empty())
    if (!readField(reader, proto))
      return fail("is not an ONNX tensor, or it is truncated");
  std::optional<DType> dtype = getDType(proto.dataType);
  if (!dtype)
    return fail("element type " + llvm::Twine(proto.dataType) +
                " of ONNX is not supported for data");
  if (proto.hasExternal || proto.location != 0)
    return fail("expected the values inside the file, they are external");
  uint64_t count = 1;
  for (int64_t extent : proto.dims) {
    if (extent < 0 || (extent > 0 && count > (uint64_t(1) << 48) / extent))
      return fail("expected extents that fit memory, got " +
                  formatShape(proto.dims));
    count *= extent;
  }
  llvm::StringRef data = proto.hasRaw           ? proto.raw
                         : *dtype == DType::f32 ? proto.floats
                         : *dtype == DType::f64 ? proto.doubles
                                                : llvm::StringRef();
  bool isInteger =
      !proto.hasRaw && *dtype != DType::f32 && *dtype != DType::f64;
  uint64_t width = getByteWidth(*dtype);
  uint64_t available = isInteger ? proto.integers.size() : data.size() / width;
  if (available != count || (!isInteger && data.size() != count * width))
    return fail("expected " + llvm::Twine(count) + " elements for " +
                formatShape(proto.dims) + ", got " + llvm::Twine(available));
  Tensor tensor(*dtype, proto.dims);
  char *to = tensor.mutableData();
  // Integers, bool and the bits of f16 and bf16 lie in int32_data.
  if (isInteger)
    for (uint64_t i = 0; i < count; ++i)
      std::memcpy(to + i * width, &proto.integers[i], width);
  else
    std::memcpy(to, data.data(), data.size());
  return tensor;
}
