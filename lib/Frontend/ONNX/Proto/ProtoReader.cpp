//===- ProtoReader.cpp - ONNX files and tensors from bytes ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Bytes come from strangers: every count, offset and length is checked before
// it is used, and nothing here asserts.
//===----------------------------------------------------------------------===//
#include "qopt/Frontend/ONNX/Proto/EscapeNames.h"
#include "qopt/Frontend/ONNX/Proto/ExternalData.h"
#include "qopt/Frontend/ONNX/Proto/PackedElements.h"
#include "qopt/Support/FileMemory.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/text_format.h>
#include <limits>
#include <onnx-ml.pb.h>

using namespace qopt;
using namespace qopt::frontend;
using llvm::StringRef;
using llvm::Twine;

static absl::Status invalid(const Twine &message) {
  return absl::InvalidArgumentError(message.str());
}

//===----------------------------------------------------------------------===//
// Element types
//===----------------------------------------------------------------------===//

std::string frontend::getOnnxTypeName(int onnxType) {
  if (!::onnx::TensorProto::DataType_IsValid(onnxType))
    return "type " + std::to_string(onnxType);
  return ::onnx::TensorProto::DataType_Name(
      ::onnx::TensorProto::DataType(onnxType));
}

absl::StatusOr<ElementKind> frontend::getElementKind(int onnxType) {
  using T = ::onnx::TensorProto;
  using F = llvm::APFloat;
  switch (onnxType) {
  case T::FLOAT:
    return ElementKind{DType::f32};
  case T::DOUBLE:
    return ElementKind{DType::f64};
  case T::FLOAT16:
    return ElementKind{DType::f16};
  case T::BFLOAT16:
    return ElementKind{DType::bf16};
  case T::INT8:
    return ElementKind{DType::i8};
  case T::INT16:
    return ElementKind{DType::i16};
  case T::INT32:
    return ElementKind{DType::i32};
  case T::INT64:
    return ElementKind{DType::i64};
  case T::UINT8:
    return ElementKind{DType::u8};
  case T::UINT16:
    return ElementKind{DType::u16};
  case T::UINT32:
    return ElementKind{DType::u32};
  case T::UINT64:
    return ElementKind{DType::u64};
  case T::BOOL:
    return ElementKind{DType::b1};
  case T::INT4:
    return ElementKind{DType::i8, 4};
  case T::UINT4:
    return ElementKind{DType::u8, 4};
  case T::INT2:
    return ElementKind{DType::i8, 2};
  case T::UINT2:
    return ElementKind{DType::u8, 2};
  case T::FLOAT8E4M3FN:
    return ElementKind{DType::f32, 8, &F::Float8E4M3FN()};
  case T::FLOAT8E4M3FNUZ:
    return ElementKind{DType::f32, 8, &F::Float8E4M3FNUZ()};
  case T::FLOAT8E5M2:
    return ElementKind{DType::f32, 8, &F::Float8E5M2()};
  case T::FLOAT8E5M2FNUZ:
    return ElementKind{DType::f32, 8, &F::Float8E5M2FNUZ()};
  case T::FLOAT8E8M0:
    return ElementKind{DType::f32, 8, &F::Float8E8M0FNU()};
  case T::FLOAT6E2M3:
    return ElementKind{DType::f32, 6, &F::Float6E2M3FN()};
  case T::FLOAT6E3M2:
    return ElementKind{DType::f32, 6, &F::Float6E3M2FN()};
  case T::FLOAT4E2M1:
    return ElementKind{DType::f32, 4, &F::Float4E2M1FN()};
  default:
    return absl::UnimplementedError(
        "elements of type " + getOnnxTypeName(onnxType) + " are not supported");
  }
}

absl::StatusOr<int64_t> frontend::countElements(llvm::ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t extent : shape) {
    if (extent < 0)
      return invalid("expects extents >= 0, got shape " + formatShape(shape));
    if (extent != 0 && count > kMaxElements / extent)
      return invalid("expects at most 2^33 elements, got shape " +
                     formatShape(shape));
    count *= extent;
  }
  return count;
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

namespace {
/// Keeps the first error of protobuf's text parser.
class FirstError : public google::protobuf::io::ErrorCollector {
public:
  void AddError(int line, google::protobuf::io::ColumnNumber column,
                const std::string &text) override {
    if (message.empty())
      message = "line " + std::to_string(line + 1) + ", column " +
                std::to_string(column + 1) + ": " + text;
  }
  std::string message;
};
} // namespace

static absl::Status parseText(StringRef path, StringRef bytes,
                              ::onnx::ModelProto &model) {
  google::protobuf::io::ArrayInputStream stream(bytes.data(),
                                                int(bytes.size()));
  google::protobuf::TextFormat::Parser parser;
  FirstError errors;
  parser.RecordErrorsTo(&errors);
  if (!parser.Parse(&stream, &model))
    return invalid("'" + path + "' is not the text form of an ONNX model: " +
                   errors.message);
  return absl::OkStatus();
}

absl::Status frontend::readModel(StringRef path, ::onnx::ModelProto &model) {
  auto buffer = openFile(path);
  if (!buffer.ok())
    return buffer.status();
  return parseModel((*buffer)->getBuffer(), path, model);
}

absl::Status frontend::parseModel(StringRef bytes, StringRef name,
                                  ::onnx::ModelProto &model) {
  if (bytes.empty())
    return invalid("'" + name + "' is empty, expects an ONNX model");
  if (bytes.size() > size_t(std::numeric_limits<int>::max()))
    return invalid("'" + name +
                   "' is larger than 2 GiB, the limit of protobuf; save the "
                   "weights as external data");
  if (name.ends_with(".onnxtxt")) {
    if (absl::Status status = parseText(name, bytes, model); !status.ok())
      return status;
    escapeNames(model);
    return absl::OkStatus();
  }
  google::protobuf::io::CodedInputStream stream(
      reinterpret_cast<const uint8_t *>(bytes.data()), int(bytes.size()));
  stream.SetTotalBytesLimit(std::numeric_limits<int>::max());
  if (!model.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage())
    return invalid("'" + name +
                   "' is not an ONNX model (its protobuf does not parse; the "
                   "file may be truncated)");
  if (!model.has_graph())
    return invalid("'" + name + "' holds no graph, expects an ONNX model");
  escapeNames(model);
  return absl::OkStatus();
}

absl::Status frontend::convertTextModel(StringRef textPath,
                                        StringRef onnxPath) {
  auto buffer = openFile(textPath);
  if (!buffer.ok())
    return buffer.status();
  ::onnx::ModelProto model;
  if (absl::Status status = parseText(textPath, (*buffer)->getBuffer(), model);
      !status.ok())
    return status;
  std::string bytes;
  model.SerializeToString(&bytes);
  if (llvm::Error error = llvm::writeToOutput(
          onnxPath, [&](llvm::raw_ostream &os) -> llvm::Error {
            os << bytes;
            return llvm::Error::success();
          }))
    return absl::NotFoundError("cannot write '" + onnxPath.str() +
                               "': " + llvm::toString(std::move(error)));
  return absl::OkStatus();
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

template <typename Range>
static absl::Status copyTyped(const Range &values, Tensor &tensor) {
  if (int64_t(values.size()) != tensor.numElements())
    return invalid("expects " + Twine(tensor.numElements()) +
                   " elements, got " + Twine(values.size()));
  for (int64_t i = 0, e = tensor.numElements(); i < e; ++i) {
    if constexpr (std::is_floating_point_v<
                      std::decay_t<decltype(values.Get(0))>>)
      tensor.setFloat(i, values.Get(i));
    else
      tensor.setInt(i, int64_t(values.Get(i)));
  }
  return absl::OkStatus();
}

/// Floats of 16 bits travel as bit patterns in int32_data.
static absl::Status copyBits16(const ::onnx::TensorProto &proto,
                               Tensor &tensor) {
  Tensor bits(DType::u16, tensor.shape());
  if (absl::Status status = copyTyped(proto.int32_data(), bits); !status.ok())
    return status;
  tensor = bits.bitcast(tensor.dtype());
  return absl::OkStatus();
}

/// A byte of the stream an entry, but for six bits: an element an entry.
static absl::Status copyPackedEntries(const ::onnx::TensorProto &proto,
                                      const ElementKind &kind, Tensor &tensor) {
  unsigned bits = kind.bits == 6 ? 8 : kind.bits;
  int64_t expected = countPackedBytes(tensor.numElements(), bits);
  if (proto.int32_data_size() != expected)
    return invalid("expects " + Twine(expected) + " packed bytes, got " +
                   Twine(proto.int32_data_size()));
  if (kind.bits == 6) {
    llvm::SmallVector<float, 0> values = decodeAllCodes(*kind.semantics, 6);
    for (int64_t i = 0; i < expected; ++i)
      tensor.setFloat(i, values[proto.int32_data(i) & 63]);
    return absl::OkStatus();
  }
  std::string stream;
  for (int32_t value : proto.int32_data())
    stream.push_back(char(value));
  unpackElements(stream, kind, tensor);
  return absl::OkStatus();
}

static absl::Status copyTypedData(const ::onnx::TensorProto &proto,
                                  const ElementKind &kind, Tensor &tensor) {
  if (kind.bits)
    return copyPackedEntries(proto, kind, tensor);
  switch (tensor.dtype()) {
  case DType::f32:
    return copyTyped(proto.float_data(), tensor);
  case DType::f64:
    return copyTyped(proto.double_data(), tensor);
  case DType::f16:
  case DType::bf16:
    return copyBits16(proto, tensor);
  case DType::i64:
    return copyTyped(proto.int64_data(), tensor);
  case DType::u32:
  case DType::u64:
    return copyTyped(proto.uint64_data(), tensor);
  default:
    return copyTyped(proto.int32_data(), tensor);
  }
}

absl::StatusOr<Tensor> frontend::readTensor(const ::onnx::TensorProto &proto,
                                            const ModelFolders &folders) {
  auto array = readStoredTensor(proto, folders);
  if (!array.ok())
    return array.status();
  return array->load();
}

static absl::Status copyRaw(StringRef bytes, const ElementKind &kind,
                            Tensor &tensor) {
  int64_t expected = kind.bits
                         ? countPackedBytes(tensor.numElements(), kind.bits)
                         : tensor.numBytes();
  if (int64_t(bytes.size()) != expected)
    return invalid("expects " + Twine(expected) + " bytes for shape " +
                   formatShape(tensor.shape()) + ", got " +
                   Twine(bytes.size()));
  if (kind.bits) {
    unpackElements(bytes, kind, tensor);
    return absl::OkStatus();
  }
  if (!bytes.empty())
    std::memcpy(tensor.mutableData(), bytes.data(), bytes.size());
  if (tensor.dtype() == DType::b1)
    for (char &value : tensor.mutableSpan<char>())
      value = value != 0;
  return absl::OkStatus();
}

/// The bytes of the file are those of the array. Bytes of truth values may be
/// any number.
static bool canStayMapped(const ExternalData &external, const ElementKind &kind,
                          int64_t count) {
  return external.owner && !kind.bits && kind.dtype != DType::b1 &&
         external.bytes.size() >= kLargeBytes &&
         int64_t(external.bytes.size()) == count * getByteWidth(kind.dtype) &&
         uintptr_t(external.bytes.data()) % 64 == 0;
}

absl::StatusOr<StoredArray>
frontend::readStoredTensor(const ::onnx::TensorProto &proto,
                           const ModelFolders &folders) {
  auto kind = getElementKind(proto.data_type());
  if (!kind.ok())
    return kind.status();
  if (proto.has_segment())
    return absl::UnimplementedError("tensors in segments are not supported");
  llvm::SmallVector<int64_t> shape(proto.dims().begin(), proto.dims().end());
  auto count = countElements(shape);
  if (!count.ok())
    return count.status();
  // The bytes must be there before as many are allocated.
  StringRef raw;
  ExternalData external;
  // Some writers name the file and forget to say that it holds the data.
  bool isExternal =
      proto.data_location() == ::onnx::TensorProto::EXTERNAL ||
      (proto.external_data_size() > 0 && !proto.has_raw_data() &&
       proto.float_data_size() + proto.int32_data_size() +
               proto.int64_data_size() + proto.double_data_size() +
               proto.uint64_data_size() ==
           0);
  if (isExternal) {
    auto opened = openExternalData(proto, folders);
    if (!opened.ok())
      return opened.status();
    external = std::move(*opened);
    raw = external.bytes;
  } else if (proto.has_raw_data()) {
    raw = proto.raw_data();
  }
  bool isRaw = isExternal || proto.has_raw_data();
  // Four elements a byte at most.
  int64_t available =
      4 * (isRaw ? int64_t(raw.size()) : int64_t(proto.ByteSizeLong()));
  if (*count > available)
    return invalid("expects data for shape " + formatShape(shape) +
                   ", got too little");
  if (canStayMapped(external, *kind, *count))
    return StoredArray(kind->dtype, shape, external.owner);
  Tensor tensor(kind->dtype, shape);
  absl::Status status =
      isRaw ? copyRaw(raw, *kind, tensor) : copyTypedData(proto, *kind, tensor);
  if (!status.ok())
    return status;
  return StoredArray(tensor);
}

absl::StatusOr<Tensor> frontend::parseTensor(StringRef bytes) {
  if (bytes.size() > size_t(std::numeric_limits<int>::max()))
    return invalid("is larger than 2 GiB, the limit of protobuf");
  ::onnx::TensorProto proto;
  if (!proto.ParseFromArray(bytes.data(), int(bytes.size())))
    return invalid("is not an ONNX tensor, or it is truncated");
  if (proto.external_data_size() > 0 ||
      proto.data_location() != ::onnx::TensorProto::DEFAULT)
    return invalid("expects the values inside the file, they are external");
  return readTensor(proto, ModelFolders());
}
