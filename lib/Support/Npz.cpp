//===- Npz.cpp - Arrays in zip archives -----------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// numpy.savez writes plain zip, numpy.savez_compressed deflate; both may use
// zip64 records. Only what those write is read: no encryption, no spanning.
//===----------------------------------------------------------------------===//
#include "qopt/Support/Diagnostics.h"
#include "qopt/Support/Npy.h"

#include "llvm/Support/Endian.h"
#include <cstring>
#include <zlib.h>

using namespace qopt;
using llvm::support::endian::read16le;
using llvm::support::endian::read32le;
using llvm::support::endian::read64le;

namespace {
/// Inflates forward and remembers where it is, so that reading rows in order
/// costs one pass; going back starts over.
class InflatedSource : public ByteSource {
public:
  InflatedSource(std::shared_ptr<ByteSource> compressed, uint64_t size,
                 uint32_t checksum, std::string name)
      : compressed_(std::move(compressed)), size_(size), checksum_(checksum),
        name_(std::move(name)) {}
  ~InflatedSource() override { reset(); }
  uint64_t size() const override { return size_; }

  absl::Status read(uint64_t offset,
                    llvm::MutableArrayRef<char> into) override {
    if (offset > size_ || into.size() > size_ - offset)
      return fail("the data end after " + llvm::Twine(size_) + " bytes");
    if (!isOpen_ || offset < position_)
      if (absl::Status status = restart(); !status.ok())
        return status;
    char scratch[1 << 14];
    while (position_ < offset) {
      uint64_t count = std::min<uint64_t>(sizeof scratch, offset - position_);
      if (absl::Status status = inflateInto({scratch, count}); !status.ok())
        return status;
    }
    return inflateInto(into);
  }

private:
  absl::Status fail(const llvm::Twine &why) {
    return Error(Code::DataFile, "'" + llvm::Twine(name_) + "': " + why);
  }
  void reset() {
    if (isOpen_)
      inflateEnd(&stream_);
    isOpen_ = false;
  }
  absl::Status restart() {
    reset();
    stream_ = {};
    // Negative window bits: raw deflate, as zip stores it.
    if (inflateInit2(&stream_, -MAX_WBITS) != Z_OK)
      return fail("cannot start decompression");
    isOpen_ = true;
    position_ = consumed_ = 0;
    running_ = crc32(0, nullptr, 0);
    return absl::OkStatus();
  }
  absl::Status inflateInto(llvm::MutableArrayRef<char> into) {
    while (!into.empty()) {
      if (stream_.avail_in == 0) {
        uint64_t left = compressed_->size() - consumed_;
        uint64_t count = std::min<uint64_t>(sizeof input_, left);
        if (count == 0)
          return fail("the compressed data end too early");
        if (absl::Status status = compressed_->read(consumed_, {input_, count});
            !status.ok())
          return status;
        consumed_ += count;
        stream_.next_in = reinterpret_cast<Bytef *>(input_);
        stream_.avail_in = count;
      }
      uInt wanted = std::min<size_t>(into.size(), 1u << 30);
      stream_.next_out = reinterpret_cast<Bytef *>(into.data());
      stream_.avail_out = wanted;
      int result = inflate(&stream_, Z_NO_FLUSH);
      uInt made = wanted - stream_.avail_out;
      running_ = crc32(running_, reinterpret_cast<Bytef *>(into.data()), made);
      position_ += made;
      into = into.drop_front(made);
      if (result == Z_STREAM_END && !into.empty())
        return fail("the compressed data end too early");
      if (result != Z_OK && result != Z_STREAM_END)
        return fail("the compressed data are damaged");
    }
    if (position_ == size_ && running_ != checksum_)
      return fail("the checksum does not match: the file is damaged");
    return absl::OkStatus();
  }

  std::shared_ptr<ByteSource> compressed_;
  uint64_t size_;
  uint32_t checksum_;
  std::string name_;
  z_stream stream_ = {};
  bool isOpen_ = false;
  uint64_t position_ = 0, consumed_ = 0;
  uint32_t running_ = 0;
  char input_[1 << 14];
};

/// One record of the central directory.
struct Record {
  std::string name;
  uint16_t flags, method;
  uint32_t checksum;
  uint64_t compressed, size, offset;
};

class ArchiveParser {
public:
  ArchiveParser(std::shared_ptr<ByteSource> source, std::string name)
      : source_(std::move(source)), name_(std::move(name)) {}

  absl::StatusOr<std::vector<ArchiveMember>> parse() {
    if (absl::Status status = findDirectory(); !status.ok())
      return status;
    std::string bytes(directorySize_, '\0');
    if (absl::Status status =
            source_->read(directoryOffset_, {bytes.data(), bytes.size()});
        !status.ok())
      return status;
    std::vector<ArchiveMember> members;
    llvm::StringRef rest = bytes;
    for (uint64_t i = 0; i < count_; ++i) {
      absl::StatusOr<Record> record = parseRecord(rest);
      if (!record.ok())
        return record.status();
      if (!llvm::StringRef(record->name).ends_with(".npy"))
        continue;
      absl::StatusOr<std::shared_ptr<ByteSource>> data = openRecord(*record);
      if (!data.ok())
        return data.status();
      members.push_back(
          {record->name.substr(0, record->name.size() - 4), std::move(*data)});
    }
    return members;
  }

private:
  absl::Status fail(const llvm::Twine &why) {
    return Error(Code::DataFile, "'" + llvm::Twine(name_) + "': " + why);
  }

  absl::Status findDirectory() {
    // The end record is in the last 22 bytes plus a comment of up to 64 KiB.
    uint64_t total = source_->size();
    uint64_t tail = std::min<uint64_t>(total, 22 + 65535);
    std::string bytes(tail, '\0');
    if (absl::Status status =
            source_->read(total - tail, {bytes.data(), bytes.size()});
        !status.ok())
      return status;
    size_t at = llvm::StringRef(bytes).rfind("PK\x05\x06");
    if (at == llvm::StringRef::npos || bytes.size() - at < 22)
      return fail("is not a .npz file, or it is truncated");
    const char *end = bytes.data() + at;
    count_ = read16le(end + 10);
    directorySize_ = read32le(end + 12);
    directoryOffset_ = read32le(end + 16);
    bool needs64 = count_ == 0xffff || directorySize_ == 0xffffffff ||
                   directoryOffset_ == 0xffffffff;
    uint64_t endOffset = total - tail + at;
    if (needs64)
      if (absl::Status status = readZip64End(endOffset); !status.ok())
        return status;
    if (directoryOffset_ > endOffset ||
        directorySize_ > endOffset - directoryOffset_)
      return fail("the zip directory lies outside the file");
    return absl::OkStatus();
  }

  absl::Status readZip64End(uint64_t endOffset) {
    char locator[20], record[56];
    if (endOffset < sizeof locator)
      return fail("the zip64 locator is missing");
    if (absl::Status status =
            source_->read(endOffset - sizeof locator, locator);
        !status.ok())
      return status;
    if (std::memcmp(locator, "PK\x06\x07", 4) != 0)
      return fail("the zip64 locator is missing");
    if (absl::Status status = source_->read(read64le(locator + 8), record);
        !status.ok())
      return status;
    if (std::memcmp(record, "PK\x06\x06", 4) != 0)
      return fail("the zip64 end record is missing");
    count_ = read64le(record + 32);
    directorySize_ = read64le(record + 40);
    directoryOffset_ = read64le(record + 48);
    return absl::OkStatus();
  }

  absl::StatusOr<Record> parseRecord(llvm::StringRef &rest) {
    if (rest.size() < 46 || !rest.starts_with("PK\x01\x02"))
      return fail("the zip directory is damaged");
    const char *p = rest.data();
    Record record;
    record.flags = read16le(p + 8);
    record.method = read16le(p + 10);
    record.checksum = read32le(p + 16);
    record.compressed = read32le(p + 20);
    record.size = read32le(p + 24);
    record.offset = read32le(p + 42);
    size_t nameBytes = read16le(p + 28), extraBytes = read16le(p + 30),
           commentBytes = read16le(p + 32);
    if (rest.size() - 46 < nameBytes + extraBytes + commentBytes)
      return fail("the zip directory is damaged");
    record.name = rest.substr(46, nameBytes).str();
    if (!parseZip64Extra(rest.substr(46 + nameBytes, extraBytes), record))
      return fail("the zip64 sizes of '" + record.name + "' are damaged");
    rest = rest.drop_front(46 + nameBytes + extraBytes + commentBytes);
    return record;
  }

  /// Replaces the 32-bit fields that say "see zip64", in their fixed order.
  static bool parseZip64Extra(llvm::StringRef extra, Record &record) {
    while (extra.size() >= 4) {
      unsigned tag = read16le(extra.data());
      size_t length = read16le(extra.data() + 2);
      if (extra.size() - 4 < length)
        return false;
      llvm::StringRef body = extra.substr(4, length);
      extra = extra.drop_front(4 + length);
      if (tag != 1)
        continue;
      for (uint64_t *field :
           {&record.size, &record.compressed, &record.offset}) {
        if (*field != 0xffffffff)
          continue;
        if (body.size() < 8)
          return false;
        *field = read64le(body.data());
        body = body.drop_front(8);
      }
    }
    return true;
  }

  absl::StatusOr<std::shared_ptr<ByteSource>> openRecord(const Record &record) {
    std::string where = name_ + ":" + record.name;
    char local[30];
    if (absl::Status status = source_->read(record.offset, local); !status.ok())
      return withPrefix(status, "'" + name_ + "': ");
    if (std::memcmp(local, "PK\x03\x04", 4) != 0)
      return fail("the header of '" + record.name + "' is missing");
    if (record.flags & 1)
      return fail("'" + record.name + "' is encrypted");
    uint64_t start =
        record.offset + 30 + read16le(local + 26) + read16le(local + 28);
    if (start > source_->size() || record.compressed > source_->size() - start)
      return fail("'" + record.name + "' is truncated");
    std::shared_ptr<ByteSource> raw =
        makeWindow(source_, start, record.compressed);
    if (record.method == 0) {
      if (record.size != record.compressed)
        return fail("the sizes of '" + record.name + "' contradict each other");
      return raw;
    }
    if (record.method != 8)
      return fail("'" + record.name + "' uses compression method " +
                  llvm::Twine(record.method) + ", expected stored or deflate");
    // Deflate expands at most 1032-fold: a larger claim is a lie that would
    // make us allocate.
    if (record.size / 1032 > record.compressed)
      return fail("'" + record.name + "' claims an impossible size");
    return std::shared_ptr<ByteSource>(std::make_shared<InflatedSource>(
        raw, record.size, record.checksum, where));
  }

  std::shared_ptr<ByteSource> source_;
  std::string name_;
  uint64_t count_ = 0, directorySize_ = 0, directoryOffset_ = 0;
};
} // namespace

absl::StatusOr<std::vector<ArchiveMember>>
qopt::openArchive(std::shared_ptr<ByteSource> source, const llvm::Twine &name) {
  return ArchiveParser(std::move(source), name.str()).parse();
}
