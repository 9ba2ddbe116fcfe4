//===- Npy.cpp - NumPy array files ----------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The header is a Python dictionary literal with three known keys; this reads
// exactly that and refuses the rest.
//===----------------------------------------------------------------------===//
#include "qopt/Support/Npy.h"
#include "qopt/Support/Diagnostics.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include <cstring>

using namespace qopt;

static constexpr char kMagic[] = "\x93NUMPY";
// NumPy itself refuses longer headers of untrusted files.
static constexpr uint64_t kMaxHeader = 1 << 20;

namespace {
struct DescriptorRow {
  const char *text; // without the byte order mark
  DType dtype;
};
constexpr DescriptorRow kDescriptors[] = {
    {"f4", DType::f32}, {"f8", DType::f64}, {"f2", DType::f16},
    {"i1", DType::i8},  {"i2", DType::i16}, {"i4", DType::i32},
    {"i8", DType::i64}, {"u1", DType::u8},  {"u2", DType::u16},
    {"u4", DType::u32}, {"u8", DType::u64}, {"b1", DType::b1}};

/// What the dictionary says.
struct Header {
  std::string descriptor;
  std::optional<bool> isFortranOrder;
  std::optional<llvm::SmallVector<int64_t, 6>> shape;
};

/// A cursor over the dictionary literal.
class HeaderParser {
public:
  explicit HeaderParser(llvm::StringRef text) : rest_(text) {}

  /// Fails with what was expected.
  absl::StatusOr<Header> parse() {
    Header header;
    if (!consume('{'))
      return fail("a dictionary");
    while (!consume('}')) {
      std::string key;
      if (!parseString(key) || !consume(':'))
        return fail("a key and ':'");
      if (absl::Status status = parseValue(key, header); !status.ok())
        return status;
      if (!consume(',') && !peek('}'))
        return fail("',' or '}'");
    }
    if (header.descriptor.empty() || !header.isFortranOrder || !header.shape)
      return fail("the keys 'descr', 'fortran_order' and 'shape'");
    return header;
  }

private:
  absl::Status fail(llvm::StringRef expected) {
    return Error(Code::DataFile, "expected " + expected + " in the header");
  }
  void skipSpace() { rest_ = rest_.ltrim(" \t\r\n"); }
  bool peek(char c) {
    skipSpace();
    return !rest_.empty() && rest_.front() == c;
  }
  bool consume(char c) {
    if (!peek(c))
      return false;
    rest_ = rest_.drop_front();
    return true;
  }
  bool parseString(std::string &into) {
    char quote = peek('\'') ? '\'' : '"';
    if (!consume(quote))
      return false;
    size_t end = rest_.find(quote);
    if (end == llvm::StringRef::npos)
      return false;
    into = rest_.take_front(end).str();
    rest_ = rest_.drop_front(end + 1);
    return true;
  }
  bool parseShape(llvm::SmallVector<int64_t, 6> &shape) {
    if (!consume('('))
      return false;
    while (!consume(')')) {
      int64_t extent;
      skipSpace();
      if (rest_.consumeInteger(10, extent) || extent < 0)
        return false;
      (void)rest_.consume_front("L"); // Python 2 wrote long integers so
      shape.push_back(extent);
      if (!consume(',') && !peek(')'))
        return false;
    }
    return true;
  }
  absl::Status parseValue(llvm::StringRef key, Header &header) {
    if (key == "descr") {
      if (!parseString(header.descriptor))
        return Error(Code::DataFile,
                     "expected a plain element type, got a structured one");
      return absl::OkStatus();
    }
    if (key == "fortran_order") {
      skipSpace();
      if (rest_.consume_front("True"))
        header.isFortranOrder = true;
      else if (rest_.consume_front("False"))
        header.isFortranOrder = false;
      else
        return fail("True or False as 'fortran_order'");
      return absl::OkStatus();
    }
    llvm::SmallVector<int64_t, 6> shape;
    if (key != "shape" || !parseShape(shape))
      return fail("'shape' as a tuple of extents");
    header.shape = shape;
    return absl::OkStatus();
  }

  llvm::StringRef rest_;
};

/// Bytes of an array of that shape, or nullopt on overflow.
std::optional<uint64_t> getArrayBytes(llvm::ArrayRef<int64_t> shape,
                                      DType dtype) {
  // A zero extent anywhere makes the product 0, but the others must fit too:
  // readers compute products of parts of the shape.
  uint64_t bytes = getByteWidth(dtype);
  bool isEmpty = false;
  for (int64_t extent : shape) {
    isEmpty |= extent == 0;
    uint64_t factor = extent == 0 ? 1 : uint64_t(extent);
    if (bytes > (uint64_t(1) << 62) / factor)
      return std::nullopt;
    bytes *= factor;
  }
  return isEmpty ? 0 : bytes;
}

absl::StatusOr<DType> parseDescriptor(llvm::StringRef descriptor) {
  llvm::StringRef text = descriptor;
  bool isBig = text.starts_with(">");
  if (!text.empty() && llvm::StringRef("<>|=").contains(text.front()))
    text = text.drop_front();
  for (const DescriptorRow &row : kDescriptors) {
    if (text != row.text)
      continue;
    if (isBig && getByteWidth(row.dtype) > 1)
      return Error(Code::DataFile,
                   "expected little-endian elements, got '" + descriptor + "'")
          .help("save the array with x.astype(x.dtype.newbyteorder('<'))");
    return row.dtype;
  }
  return Error(Code::DataFile, "element type '" + descriptor +
                                   "' is none of f2, f4, f8, i1-i8, u1-u8, b1");
}

/// Bytes of an array in column-major order that are held at once.
constexpr uint64_t kBlockBytes = 64 << 20;

/// Truth values are 0 or 1 everywhere else in qopt.
void normalizeTruth(Tensor &tensor) {
  if (tensor.dtype() == DType::b1)
    for (uint8_t &value : tensor.mutableSpan<uint8_t>())
      value = value != 0;
}

/// Column-major bytes to row-major.
Tensor fromFortranOrder(const Tensor &stored) {
  Tensor result(stored.dtype(), stored.shape());
  unsigned width = getByteWidth(stored.dtype());
  int64_t rank = stored.rank();
  llvm::SmallVector<int64_t> index(rank, 0), stride(rank, 1);
  for (int64_t d = 1; d < rank; ++d)
    stride[d] = stride[d - 1] * stored.shape()[d - 1];
  char *to = result.mutableData();
  for (int64_t i = 0, e = stored.numElements(); i < e; ++i) {
    int64_t from = 0;
    for (int64_t d = 0; d < rank; ++d)
      from += index[d] * stride[d];
    std::memcpy(to + i * width, stored.data() + from * width, width);
    for (int64_t d = rank - 1; d >= 0 && ++index[d] == stored.shape()[d]; --d)
      index[d] = 0;
  }
  return result;
}
} // namespace

absl::StatusOr<ArrayReader>
ArrayReader::open(std::shared_ptr<ByteSource> source, const llvm::Twine &name) {
  ArrayReader reader;
  reader.name_ = name.str();
  std::string prefix = "'" + reader.name_ + "': ";
  char start[12];
  size_t startBytes = std::min<uint64_t>(sizeof start, source->size());
  if (absl::Status status = source->read(0, {start, startBytes}); !status.ok())
    return status;
  if (startBytes < 10 || std::memcmp(start, kMagic, 6) != 0)
    return Error(Code::DataFile, prefix + "is not a .npy file");
  unsigned major = uint8_t(start[6]);
  if (major < 1 || major > 3 || (major > 1 && startBytes < 12))
    return Error(Code::DataFile, prefix +
                                     "expected .npy version 1, 2 or 3, "
                                     "got " +
                                     llvm::Twine(major));
  unsigned lengthEnd = major == 1 ? 10 : 12;
  uint64_t length = major == 1 ? llvm::support::endian::read16le(start + 8)
                               : llvm::support::endian::read32le(start + 8);
  if (length > kMaxHeader || length > source->size() - lengthEnd)
    return Error(Code::DataFile, prefix + "expected a header of " +
                                     llvm::Twine(length) +
                                     " bytes, the file "
                                     "is shorter");
  std::string text(length, '\0');
  if (absl::Status status = source->read(lengthEnd, {text.data(), length});
      !status.ok())
    return withPrefix(status, prefix);
  absl::StatusOr<Header> header = HeaderParser(text).parse();
  if (!header.ok())
    return withPrefix(header.status(), prefix);
  absl::StatusOr<DType> dtype = parseDescriptor(header->descriptor);
  if (!dtype.ok())
    return withPrefix(dtype.status(), prefix);
  reader.dtype_ = *dtype;
  reader.shape_ = *header->shape;
  reader.isFortranOrder_ = *header->isFortranOrder && header->shape->size() > 1;
  reader.offset_ = lengthEnd + length;
  std::optional<uint64_t> bytes = getArrayBytes(reader.shape_, *dtype);
  uint64_t available = source->size() - reader.offset_;
  if (!bytes || *bytes > available)
    return Error(Code::DataFile,
                 prefix + "expected " + formatShape(reader.shape_) + " " +
                     getName(*dtype) + " elements, but only " +
                     llvm::Twine(available) + " bytes follow the header");
  reader.source_ = std::move(source);
  return reader;
}

absl::StatusOr<Tensor> ArrayReader::read() const {
  Tensor tensor(dtype_, shape_);
  size_t bytes = tensor.numBytes();
  if (absl::Status status =
          source_->read(offset_, {tensor.mutableData(), bytes});
      !status.ok())
    return withPrefix(status, "'" + name_ + "': ");
  normalizeTruth(tensor);
  return isFortranOrder_ ? fromFortranOrder(tensor) : tensor;
}

absl::StatusOr<const ArrayReader::Block *>
ArrayReader::readBlock(int64_t first, int64_t count) const {
  if (block_ && block_->first <= first &&
      first + count <= block_->first + block_->rows.shape()[0])
    return &*block_;
  // Rows are scattered over the file. A block is at least a sixteenth of it: a
  // compressed file is passed through once for every block.
  uint64_t total = *getArrayBytes(shape_, dtype_);
  uint64_t wanted = std::max(kBlockBytes, total / 16);
  uint64_t row = std::max<uint64_t>(1, total / std::max<int64_t>(1, shape_[0]));
  int64_t rows = std::clamp<int64_t>(wanted / row, std::max<int64_t>(count, 1),
                                     std::max<int64_t>(shape_[0] - first, 1));
  if (rows >= shape_[0] || shape_[0] == 0) {
    absl::StatusOr<Tensor> whole = read();
    if (!whole.ok())
      return whole.status();
    block_ = Block{0, std::move(*whole)};
    return &*block_;
  }
  block_.reset();
  llvm::SmallVector<int64_t, 6> shape(shape_);
  shape[0] = rows;
  Tensor stored(dtype_, shape);
  uint64_t width = getByteWidth(dtype_);
  uint64_t columns = stored.numElements() / rows;
  for (uint64_t column = 0; column < columns; ++column)
    if (absl::Status status = source_->read(
            offset_ + (column * shape_[0] + first) * width,
            {stored.mutableData() + column * rows * width, rows * width});
        !status.ok())
      return withPrefix(status, "'" + name_ + "': ");
  normalizeTruth(stored);
  block_ = Block{first, fromFortranOrder(stored)};
  return &*block_;
}

absl::StatusOr<Tensor> ArrayReader::readRows(int64_t first,
                                             int64_t count) const {
  assert(!shape_.empty() && first >= 0 && first + count <= shape_[0] &&
         "rows of the array");
  llvm::SmallVector<int64_t, 6> shape(shape_);
  shape[0] = count;
  Tensor tensor(dtype_, shape);
  size_t bytes = tensor.numBytes();
  if (isFortranOrder_) {
    absl::StatusOr<const Block *> block = readBlock(first, count);
    if (!block.ok())
      return block.status();
    std::memcpy(tensor.mutableData(),
                (*block)->rows.data() +
                    (count ? (first - (*block)->first) * (bytes / count) : 0),
                bytes);
    return tensor;
  }
  uint64_t offset = offset_ + (count ? uint64_t(first) * (bytes / count) : 0);
  if (absl::Status status =
          source_->read(offset, {tensor.mutableData(), bytes});
      !status.ok())
    return withPrefix(status, "'" + name_ + "': ");
  normalizeTruth(tensor);
  return tensor;
}

absl::StatusOr<ArrayReader> qopt::openArray(llvm::StringRef path) {
  size_t colon = path.rfind(".npz:");
  llvm::StringRef file = path, array;
  if (colon != llvm::StringRef::npos) {
    file = path.take_front(colon + 4);
    array = path.drop_front(colon + 5);
  }
  absl::StatusOr<std::shared_ptr<ByteSource>> source = openFile(file);
  if (!source.ok())
    return source.status();
  if (!file.ends_with(".npz"))
    return ArrayReader::open(*source, file);
  absl::StatusOr<std::vector<ArchiveMember>> members =
      openArchive(*source, file);
  if (!members.ok())
    return members.status();
  std::string names;
  for (ArchiveMember &member : *members) {
    if (member.name == array || (array.empty() && members->size() == 1))
      return ArrayReader::open(member.bytes, path);
    names += (names.empty() ? "" : ", ") + member.name;
  }
  return Error(Code::DataFile,
               "'" + file + "' has no array named '" + array + "'")
      .note("it holds: " + names)
      .help("name one as " + file + ":ARRAY");
}

absl::StatusOr<Tensor> qopt::readArray(llvm::StringRef path) {
  absl::StatusOr<ArrayReader> reader = openArray(path);
  if (!reader.ok())
    return reader.status();
  return reader->read();
}

std::string qopt::serializeNpy(const Tensor &tensor) {
  if (tensor.dtype() == DType::bf16) {
    Tensor wide(DType::f32, tensor.shape());
    auto to = wide.mutableSpan<float>();
    for (auto [i, bits] : llvm::enumerate(tensor.span<uint16_t>()))
      to[i] = bfloatToFloat(bits);
    return serializeNpy(wide);
  }
  std::string descriptor;
  for (const DescriptorRow &row : kDescriptors)
    if (row.dtype == tensor.dtype())
      descriptor =
          (getByteWidth(row.dtype) == 1 ? "|" : "<") + std::string(row.text);
  std::string text =
      "{'descr': '" + descriptor + "', 'fortran_order': False, 'shape': (";
  for (int64_t extent : tensor.shape())
    text += std::to_string(extent) + ", ";
  // (3, ) and (3, 4, ) are valid tuples; NumPy writes (3,) and (3, 4).
  if (tensor.rank() > 0)
    text.resize(text.size() - (tensor.rank() == 1 ? 1 : 2));
  text += "), }";
  // The data start at a multiple of 64.
  size_t total = (10 + text.size() + 1 + 63) / 64 * 64;
  text.append(total - 10 - text.size() - 1, ' ');
  text += '\n';
  std::string bytes(kMagic, 6);
  bytes += '\1';
  bytes += '\0';
  bytes += char(text.size() & 0xff);
  bytes += char(text.size() >> 8);
  bytes += text;
  bytes.append(tensor.data(), tensor.numBytes());
  return bytes;
}

absl::Status qopt::writeNpy(const llvm::Twine &path, const Tensor &tensor) {
  return writeFile(path, serializeNpy(tensor));
}
