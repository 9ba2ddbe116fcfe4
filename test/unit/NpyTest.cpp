//===- NpyTest.cpp - .npy and .npz readers --------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Values of every order and version, and files that lie about themselves.
//===----------------------------------------------------------------------===//
#include "qopt/Support/Npy.h"
#include "qopt/Support/Diagnostics.h"

#include "llvm/ADT/Twine.h"
#include <cstring>
#include <gtest/gtest.h>
#include <zlib.h>

using namespace qopt;

namespace {
std::string makeNpy(std::string dictionary, std::string data,
                    unsigned version = 1) {
  std::string bytes = "\x93NUMPY";
  bytes += char(version);
  bytes += '\0';
  uint32_t length = dictionary.size();
  bytes.append(reinterpret_cast<char *>(&length), version == 1 ? 2 : 4);
  return bytes + dictionary + data;
}

absl::StatusOr<Tensor> parse(const std::string &bytes) {
  absl::StatusOr<ArrayReader> reader =
      ArrayReader::open(makeMemorySource(bytes), "x.npy");
  if (!reader.ok())
    return reader.status();
  return reader->read();
}

std::string getMessage(const std::string &bytes) {
  absl::StatusOr<Tensor> tensor = parse(bytes);
  return tensor.ok() ? "ok" : std::string(tensor.status().message());
}

/// A zip archive of one member, as numpy.savez writes it.
std::string makeZip(const std::string &name, const std::string &data,
                    bool isDeflated, bool isZip64, uint32_t claimed = 0) {
  std::string body = data;
  if (isDeflated) {
    z_stream stream = {};
    deflateInit2(&stream, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    body.resize(compressBound(data.size()) + 64);
    stream.next_in = (Bytef *)data.data();
    stream.avail_in = data.size();
    stream.next_out = (Bytef *)body.data();
    stream.avail_out = body.size();
    deflate(&stream, Z_FINISH);
    body.resize(stream.total_out);
    deflateEnd(&stream);
  }
  auto number = [](uint64_t value, unsigned width) {
    return std::string(reinterpret_cast<char *>(&value), width);
  };
  uint32_t checksum = crc32(0, (const Bytef *)data.data(), data.size());
  uint64_t size = claimed ? claimed : data.size();
  std::string extra;
  if (isZip64)
    extra =
        number(1, 2) + number(16, 2) + number(size, 8) + number(body.size(), 8);
  uint64_t size32 = isZip64 ? 0xffffffff : size;
  uint64_t body32 = isZip64 ? 0xffffffff : body.size();
  std::string fields =
      number(45, 2) + number(0, 2) + number(isDeflated ? 8 : 0, 2) +
      number(0, 4) + number(checksum, 4) + number(body32, 4) +
      number(size32, 4) + number(name.size(), 2) + number(extra.size(), 2);
  std::string zip = "PK\x03\x04" + fields + name + extra + body;
  std::string directory = "PK\x01\x02" + number(45, 2) + fields + number(0, 2) +
                          number(0, 4) + number(0, 4) + number(0, 4) + name +
                          extra;
  return zip + directory + "PK\x05\x06" + number(0, 4) + number(1, 2) +
         number(1, 2) + number(directory.size(), 4) + number(zip.size(), 4) +
         number(0, 2);
}

absl::StatusOr<Tensor> parseZip(const std::string &bytes) {
  auto members = openArchive(makeMemorySource(bytes), "x.npz");
  if (!members.ok())
    return members.status();
  if (members->size() != 1 || members->front().name != "x")
    return Error(Code::DataFile, "no member");
  auto reader = ArrayReader::open(members->front().bytes, "x.npz:x");
  if (!reader.ok())
    return reader.status();
  return reader->read();
}
} // namespace

TEST(Npy, RoundTripsEveryType) {
  for (DType dtype :
       {DType::f32, DType::f64, DType::f16, DType::i8, DType::i16, DType::i32,
        DType::i64, DType::u8, DType::u16, DType::u32, DType::u64, DType::b1}) {
    for (llvm::SmallVector<int64_t> shape :
         {llvm::SmallVector<int64_t>{}, {3}, {2, 3}, {0, 4}}) {
      Tensor tensor(dtype, shape);
      for (int64_t i = 0; i < tensor.numElements(); ++i)
        tensor.setInt(i, i + 1);
      std::string bytes = serializeNpy(tensor);
      absl::StatusOr<Tensor> read = parse(bytes);
      ASSERT_TRUE(read.ok()) << std::string(read.status().message());
      EXPECT_EQ(read->dtype(), dtype);
      EXPECT_EQ(read->shape(), llvm::ArrayRef<int64_t>(shape));
      EXPECT_EQ(0, std::memcmp(read->data(), tensor.data(), tensor.numBytes()));
      // The data are aligned, as NumPy maps them.
      EXPECT_EQ(0u, (bytes.size() - tensor.numBytes()) % 64);
    }
  }
}

TEST(Npy, ReadsFortranOrder) {
  std::string dictionary =
      "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }\n";
  absl::StatusOr<Tensor> x =
      parse(makeNpy(dictionary, std::string("\1\4\2\5\3\6", 6)));
  ASSERT_TRUE(x.ok());
  for (int64_t i = 0; i < 6; ++i)
    EXPECT_EQ(x->getInt(i), i + 1);
}

TEST(Npy, ReadsVersionsTwoAndThree) {
  for (unsigned version : {2u, 3u}) {
    absl::StatusOr<Tensor> x =
        parse(makeNpy("{'descr':'<i2','fortran_order':False,'shape':(1,)}",
                      std::string("\x07\x00", 2), version));
    ASSERT_TRUE(x.ok());
    EXPECT_EQ(x->getInt(0), 7);
  }
}

TEST(Npy, ReadsRows) {
  Tensor tensor(DType::i32, {4, 2});
  for (int64_t i = 0; i < 8; ++i)
    tensor.setInt(i, i);
  auto reader =
      ArrayReader::open(makeMemorySource(serializeNpy(tensor)), "x.npy");
  ASSERT_TRUE(reader.ok());
  absl::StatusOr<Tensor> rows = reader->readRows(2, 1);
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->getInt(0), 4);
  EXPECT_EQ(rows->getInt(1), 5);
}

TEST(Npy, RefusesWhatItCannotHold) {
  auto withType = [](std::string type) {
    return getMessage(makeNpy("{'descr': '" + type +
                                  "', 'fortran_order': False, 'shape': (1,), }",
                              std::string(16, '\0')));
  };
  EXPECT_NE(withType(">f4").find("expected little-endian"), std::string::npos);
  EXPECT_NE(withType("<c8").find("element type '<c8'"), std::string::npos);
  EXPECT_NE(withType("|O").find("element type '|O'"), std::string::npos);
  EXPECT_NE(withType("<U25").find("element type '<U25'"), std::string::npos);
}

TEST(Npy, RefusesLyingFiles) {
  EXPECT_NE(getMessage("").find("is not a .npy file"), std::string::npos);
  EXPECT_NE(getMessage("\x93NUMPY").find("is not a .npy file"),
            std::string::npos);
  // A header longer than the file.
  EXPECT_NE(getMessage(std::string("\x93NUMPY\x01\x00\xff\xff{", 11))
                .find("the file is shorter"),
            std::string::npos);
  // 2^62 elements in four bytes; a product that overflows.
  for (const char *shape : {"(4611686018427387904,)", "(4294967296,4294967296)",
                            "(9223372036854775807,2)", "(5,)"})
    EXPECT_NE(getMessage(makeNpy("{'descr': '<f4', 'fortran_order': False, "
                                 "'shape': " +
                                     std::string(shape) + ", }",
                                 "abcd"))
                  .find("bytes follow the header"),
              std::string::npos);
  for (const char *dictionary :
       {"", "{", "{'descr': '<f4'}", "{'descr': [('a','<f4')]}",
        "{'descr': '<f4', 'fortran_order': 1, 'shape': ()}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': "
        "(99999999999999999999,)}",
        "{'descr"})
    EXPECT_NE(getMessage(makeNpy(dictionary, "abcd")).find("expected"),
              std::string::npos)
        << dictionary;
}

TEST(Npy, EveryTruncationIsRefused) {
  Tensor tensor(DType::f32, {2, 2});
  std::string bytes = serializeNpy(tensor);
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_NE(getMessage(bytes.substr(0, size)), "ok") << size;
}

TEST(Npz, ReadsStoredAndDeflated) {
  Tensor tensor(DType::i32, {100, 3});
  for (int64_t i = 0; i < 300; ++i)
    tensor.setInt(i, i * 7);
  std::string npy = serializeNpy(tensor);
  for (bool isDeflated : {false, true})
    for (bool isZip64 : {false, true}) {
      absl::StatusOr<Tensor> read =
          parseZip(makeZip("x.npy", npy, isDeflated, isZip64));
      ASSERT_TRUE(read.ok()) << std::string(read.status().message());
      EXPECT_EQ(0, std::memcmp(read->data(), tensor.data(), tensor.numBytes()));
    }
}

TEST(Npz, ReadsRowsInAnyOrder) {
  Tensor tensor(DType::i32, {1000, 10});
  for (int64_t i = 0; i < 10000; ++i)
    tensor.setInt(i, i);
  auto members = openArchive(
      makeMemorySource(makeZip("x.npy", serializeNpy(tensor), true, false)),
      "x.npz");
  ASSERT_TRUE(members.ok());
  auto reader = ArrayReader::open(members->front().bytes, "x");
  ASSERT_TRUE(reader.ok());
  for (int64_t row : {5, 900, 3, 999, 0}) {
    absl::StatusOr<Tensor> read = reader->readRows(row, 1);
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->getInt(0), row * 10);
  }
}

TEST(Npz, RefusesDamage) {
  std::string npy = serializeNpy(Tensor(DType::i32, {64}));
  for (bool isDeflated : {false, true}) {
    std::string zip = makeZip("x.npy", npy, isDeflated, false);
    for (size_t size = 0; size < zip.size(); ++size)
      EXPECT_FALSE(parseZip(zip.substr(0, size)).ok()) << size;
  }
  // One flipped bit in the compressed data: stream error or checksum.
  std::string zip = makeZip("x.npy", npy, true, false);
  zip[40] ^= 4;
  EXPECT_FALSE(parseZip(zip).ok());
  // 4 GB claimed for a few compressed bytes.
  absl::StatusOr<Tensor> bomb =
      parseZip(makeZip("x.npy", npy, true, false, 0xfffffff0));
  ASSERT_FALSE(bomb.ok());
  EXPECT_NE(std::string(bomb.status().message()).find("impossible size"),
            std::string::npos);
}

namespace {
/// Counts what is read.
class CountingSource : public ByteSource {
public:
  explicit CountingSource(const std::string &bytes)
      : bytes(makeMemorySource(bytes)) {}
  uint64_t size() const override { return bytes->size(); }
  absl::Status read(uint64_t offset,
                    llvm::MutableArrayRef<char> into) override {
    count += into.size();
    return bytes->read(offset, into);
  }
  std::shared_ptr<ByteSource> bytes;
  uint64_t count = 0;
};
} // namespace

// Rows of a column-major file, in order: each byte is read once.
TEST(Npy, RowsInFortranOrderAreReadInLinearTime) {
  auto write = [](llvm::ArrayRef<int64_t> shape) {
    // Element i of row r is r + i / 4096.
    int64_t rows = shape[0], width = shape[1];
    std::vector<double> data(rows * width);
    for (int64_t c = 0; c < width; ++c)
      for (int64_t r = 0; r < rows; ++r)
        data[c * rows + r] = double(r) + double(c) / 4096;
    return makeNpy("{'descr': '<f8', 'fortran_order': True, 'shape': (" +
                       std::to_string(rows) + ", " + std::to_string(width) +
                       "), }\n",
                   std::string(reinterpret_cast<char *>(data.data()),
                               data.size() * sizeof(double)));
  };
  // Below and above the 64 MiB that are held at once.
  for (const std::string &bytes : {write({5, 7}), write({3000, 3001})}) {
    auto source = std::make_shared<CountingSource>(bytes);
    absl::StatusOr<ArrayReader> reader = ArrayReader::open(source, "x.npy");
    ASSERT_TRUE(reader.ok());
    int64_t count = reader->shape()[0], width = reader->shape()[1];
    auto check = [&](int64_t first, int64_t rows) {
      absl::StatusOr<Tensor> tensor = reader->readRows(first, rows);
      ASSERT_TRUE(tensor.ok());
      for (int64_t k = 0; k < rows * width; k += width - 1)
        ASSERT_EQ(tensor->span<double>()[k],
                  double(first + k / width) + double(k % width) / 4096);
    };
    for (int64_t i = 0; i < count; ++i)
      check(i, 1);
    EXPECT_LE(source->count, bytes.size() + 1024);
    // Rows of two blocks, and back.
    check(count - 2, 2);
    check(0, count - 1);
    check(count / 2, 2);
  }
}
