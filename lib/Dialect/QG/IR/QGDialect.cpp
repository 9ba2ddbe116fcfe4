//===- QGDialect.cpp - Types, attributes and constants of qg --------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Registration, the quantized type with its syntax, and the way between
// ElementsAttr and host arrays.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/QG/IR/QGBits.h"
#include "qopt/Dialect/QG/IR/QGComposite.h"
#include "qopt/Dialect/QG/IR/QGControl.h"
#include "qopt/Dialect/QG/IR/QGDims.h"
#include "qopt/Dialect/QG/IR/StoredConstants.h"

#include "mlir/Bytecode/BytecodeImplementation.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qg;

#include "qopt/Dialect/QG/IR/QGDialect.cpp.inc"
#include "qopt/Dialect/QG/IR/QGInterfaces.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "qopt/Dialect/QG/IR/QGTypes.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "qopt/Dialect/QG/IR/QGAttributes.cpp.inc"

namespace {
/// Without this, types lie in bytecode as text, whose reader does not know the
/// file's resources: the scales of a type would be lost.
struct QGBytecode : BytecodeDialectInterface {
  explicit QGBytecode(Dialect *dialect) : BytecodeDialectInterface(dialect) {}

  LogicalResult writeType(Type type,
                          DialectBytecodeWriter &writer) const override {
    auto quantized = dyn_cast<QuantizedType>(type);
    if (!quantized)
      return failure();
    writer.writeOwnedString(quantized.getFormat());
    writer.writeOptionalAttribute(quantized.getScaleAttr());
    writer.writeSignedVarInt(quantized.getZeroPoint());
    writer.writeSignedVarInt(quantized.getAxis());
    writer.writeSignedVarInt(quantized.getGroupSize());
    writer.writeOptionalAttribute(quantized.getScales());
    writer.writeOptionalAttribute(quantized.getZeroPoints());
    writer.writeOwnedBool(quantized.getIsDynamic());
    writer.writeOptionalAttribute(quantized.getTable());
    return success();
  }

  Type readType(DialectBytecodeReader &reader) const override {
    StringRef format;
    FloatAttr scale;
    DenseResourceElementsAttr scales, zeroPoints;
    int64_t zeroPoint, axis, groupSize;
    bool isDynamic;
    DenseI8ArrayAttr table;
    if (failed(reader.readString(format)) ||
        failed(reader.readOptionalAttribute(scale)) ||
        failed(reader.readSignedVarInt(zeroPoint)) ||
        failed(reader.readSignedVarInt(axis)) ||
        failed(reader.readSignedVarInt(groupSize)) ||
        failed(reader.readOptionalAttribute(scales)) ||
        failed(reader.readOptionalAttribute(zeroPoints)) ||
        failed(reader.readBool(isDynamic)) ||
        failed(reader.readOptionalAttribute(table)))
      return {};
    return QuantizedType::getChecked(
        [&] { return reader.emitError(); }, getContext(), format, scale,
        zeroPoint, axis, groupSize, scales, zeroPoints, isDynamic, table);
  }
};
} // namespace

void QGDialect::initialize() {
  addInterfaces<QGBytecode>();
  addTypes<
#define GET_TYPEDEF_LIST
#include "qopt/Dialect/QG/IR/QGTypes.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "qopt/Dialect/QG/IR/QGAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "qopt/Dialect/QG/IR/QGOps.cpp.inc"
      ,
#define GET_OP_LIST
#include "qopt/Dialect/QG/IR/QGCompositeOps.cpp.inc"
      ,
#define GET_OP_LIST
#include "qopt/Dialect/QG/IR/QGControlOps.cpp.inc"
      ,
#define GET_OP_LIST
#include "qopt/Dialect/QG/IR/QGBitOps.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Resource blobs
//===----------------------------------------------------------------------===//

/// Large bytes lie in files: where they are, or in one that is made now.
static AsmResourceBlob makeBlob(ArrayRef<char> bytes) {
  constexpr size_t kAlignment = 64;
  std::shared_ptr<const char> owner = findFileMemory(bytes);
  if (!owner && belongsToFile(bytes.size())) {
    owner = copyToFile(bytes);
    if (owner)
      bytes = {owner.get(), bytes.size()};
  }
  if (owner && uintptr_t(bytes.data()) % kAlignment == 0)
    return AsmResourceBlob(
        bytes, kAlignment,
        [owner = std::move(owner)](void *, size_t, size_t) {},
        /*dataIsMutable=*/false);
  AsmResourceBlob heap = HeapAsmResourceBlob::allocateAndCopyWithAlign(
      bytes, kAlignment, /*dataIsMutable=*/false);
  if (bytes.size() < kLargeBytes)
    return heap;
  countKept(bytes.size());
  auto memory = std::make_shared<AsmResourceBlob>(std::move(heap));
  return AsmResourceBlob(
      memory->getData(), kAlignment,
      [memory](void *, size_t size, size_t) { countKept(-int64_t(size)); },
      /*dataIsMutable=*/false);
}

/// A blob named by hint and content: equal contents give equal attributes.
static DenseResourceElementsAttr
getResource(ShapedType type, ArrayRef<char> bytes, StringRef hint) {
  MLIRContext *context = type.getContext();
  uint64_t hash = llvm::xxh3_64bits(ArrayRef<uint8_t>(
      reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()));
  std::string key;
  llvm::raw_string_ostream(key)
      << hint << "_" << llvm::format_hex_no_prefix(hash, 16);
  auto &manager = DenseResourceElementsHandle::getManagerInterface(context);
  auto &blobs = manager.getBlobManager();
  if (auto *entry = blobs.lookup(key)) {
    const AsmResourceBlob *blob = entry->getBlob();
    bool isKnown = blob && blob->getData() == bytes;
    if (blob)
      releasePages(blob->getData());
    // A name out of bytecode whose bytes lie elsewhere: here they are.
    if (!blob || (blob->getData().empty() && !bytes.empty())) {
      entry->setBlob(makeBlob(bytes));
      isKnown = true;
    }
    if (isKnown) {
      releasePages(bytes);
      return DenseResourceElementsAttr::get(
          type, DenseResourceElementsHandle(
                    entry, context->getLoadedDialect<BuiltinDialect>()));
    }
  }
  AsmResourceBlob blob = makeBlob(bytes);
  releasePages(bytes);
  return DenseResourceElementsAttr::get(type,
                                        manager.insert(key, std::move(blob)));
}

template <typename T>
static DenseResourceElementsAttr
getVectorResource(MLIRContext *context, ArrayRef<T> values, Type elementType,
                  StringRef hint) {
  auto type = RankedTensorType::get({int64_t(values.size())}, elementType);
  return getResource(
      type,
      ArrayRef<char>(reinterpret_cast<const char *>(values.data()),
                     values.size() * sizeof(T)),
      hint);
}

template <typename T>
static ArrayRef<T> getResourceSpan(DenseResourceElementsAttr attr) {
  if (!attr)
    return {};
  AsmResourceBlob *blob = attr.getRawHandle().getBlob();
  if (!blob || blob->getData().size() % sizeof(T))
    return {};
  return blob->getDataAs<T>();
}

//===----------------------------------------------------------------------===//
// QuantizedType
//===----------------------------------------------------------------------===//

QuantizedType QuantizedType::getPerTensor(MLIRContext *context,
                                          StringRef format, float scale,
                                          int64_t zeroPoint) {
  return get(context, format, FloatAttr::get(Float32Type::get(context), scale),
             zeroPoint,
             /*axis=*/-1, /*groupSize=*/0, {}, {}, /*isDynamic=*/false, {});
}

QuantizedType QuantizedType::getPerAxis(MLIRContext *context, StringRef format,
                                        int64_t axis, ArrayRef<float> scales,
                                        ArrayRef<int32_t> zeroPoints,
                                        int64_t groupSize,
                                        ArrayRef<int8_t> table) {
  bool allZero = llvm::all_of(zeroPoints, [](int32_t z) { return z == 0; });
  DenseResourceElementsAttr zeros;
  if (!allZero)
    zeros = getVectorResource(context, zeroPoints,
                              IntegerType::get(context, 32), "zeros");
  DenseI8ArrayAttr levels;
  if (!table.empty())
    levels = DenseI8ArrayAttr::get(context, table);
  return get(
      context, format, FloatAttr(), 0, axis, groupSize,
      getVectorResource(context, scales, Float32Type::get(context), "scales"),
      zeros, /*isDynamic=*/false, levels);
}

SmallVector<float> QuantizedType::getScaleVector() const {
  if (isPerTensor())
    return {getScale()};
  return llvm::to_vector(getResourceSpan<float>(getScales()));
}

SmallVector<int64_t> QuantizedType::getZeroPointVector() const {
  if (isPerTensor())
    return {getZeroPoint()};
  if (!getZeroPoints())
    return SmallVector<int64_t>(getResourceSpan<float>(getScales()).size(), 0);
  return llvm::map_to_vector(getResourceSpan<int32_t>(getZeroPoints()),
                             [](int32_t z) { return int64_t(z); });
}

const IntegerFormat &QuantizedType::getIntegerFormat() const {
  return *lookupIntegerFormat(getFormat());
}

IntegerType QuantizedType::getStorageType() const {
  return IntegerType::get(getContext(), getIntegerFormat().storageBits());
}

QuantizedType QuantizedType::withAxis(int64_t axis) const {
  return get(getContext(), getFormat(), getScaleAttr(), getZeroPoint(), axis,
             getGroupSize(), getScales(), getZeroPoints(), getIsDynamic(),
             getTable());
}

int64_t QuantizedType::getGroupCount(ArrayRef<int64_t> shape) const {
  if (getGroupSize() <= 0 || getAxis() < 0 ||
      getAxis() >= int64_t(shape.size()))
    return 1;
  int64_t depth = 1;
  for (auto [dimension, extent] : llvm::enumerate(shape))
    depth *= int64_t(dimension) == getAxis() ? 1 : extent;
  return std::max<int64_t>(1, (depth + getGroupSize() - 1) / getGroupSize());
}

LogicalResult QuantizedType::verify(
    function_ref<InFlightDiagnostic()> emitError, StringRef format,
    FloatAttr scale, int64_t zeroPoint, int64_t axis, int64_t groupSize,
    DenseResourceElementsAttr scales, DenseResourceElementsAttr zeroPoints,
    bool isDynamic, DenseI8ArrayAttr table) {
  const IntegerFormat *row = lookupIntegerFormat(format);
  if (!row)
    return emitError() << "expects a format of Formats.def, got '" << format
                       << "'";
  if (row->isTable != bool(table))
    return emitError() << "expects a table for formats of codes and for no "
                          "others, got format '"
                       << format << "'";
  if (table && table.size() != int64_t(1) << row->bits)
    return emitError() << "expects a table of " << (1 << row->bits)
                       << " signed bytes, got " << table.size();
  if (table && (isDynamic || axis < 0 || zeroPoints))
    return emitError()
           << "expects scales along an axis and no zero points for a table";
  if (groupSize < 0 || (groupSize && axis < 0))
    return emitError() << "expects a positive group size along an axis, got "
                       << groupSize;
  if (isDynamic)
    return success();
  if (axis < 0) {
    if (!scale || !scale.getType().isF32())
      return emitError() << "expects an f32 scale";
    float value = scale.getValue().convertToFloat();
    if (!(value > 0) || !scale.getValue().isFinite() ||
        scale.getValue().isDenormal())
      return emitError() << "expects a positive, normal scale, got " << value;
    if (zeroPoint < row->min() || zeroPoint > row->max())
      return emitError() << "expects a zero point in [" << row->min() << ", "
                         << row->max() << "], got " << zeroPoint;
    return success();
  }
  if (!scales || !scales.getElementType().isF32() ||
      scales.getType().getRank() != 1)
    return emitError() << "expects a 1-D f32 resource of scales";
  if (zeroPoints && (!zeroPoints.getElementType().isInteger(32) ||
                     zeroPoints.getType() !=
                         RankedTensorType::get(scales.getType().getShape(),
                                               zeroPoints.getElementType())))
    return emitError() << "expects one i32 zero point per scale";
  // Blobs of a textual file arrive after its types: numbers are checked by
  // the ops that use them.
  return success();
}

/// `@key : N`, the blob's key and its length.
static void printHandle(AsmPrinter &printer, DenseResourceElementsAttr attr) {
  printer << attr;
}

Type QuantizedType::parse(AsmParser &parser) {
  StringRef format;
  std::string formatStorage;
  if (parser.parseLess() || parser.parseKeyword(&format) || parser.parseComma())
    return {};
  formatStorage = format.str();
  SMLoc loc = parser.getCurrentLocation();
  MLIRContext *context = parser.getContext();
  auto make = [&](FloatAttr scale, int64_t zp, int64_t axis, int64_t group,
                  DenseResourceElementsAttr scales,
                  DenseResourceElementsAttr zeros, bool dynamic,
                  DenseI8ArrayAttr table = {}) {
    return parser.getChecked<QuantizedType>(loc, context, formatStorage, scale,
                                            zp, axis, group, scales, zeros,
                                            dynamic, table);
  };
  if (succeeded(parser.parseOptionalQuestion())) {
    if (parser.parseGreater())
      return {};
    return make({}, 0, -1, 0, {}, {}, true);
  }
  if (succeeded(parser.parseOptionalKeyword("axis"))) {
    int64_t axis = 0, group = 0;
    if (parser.parseEqual() || parser.parseInteger(axis) || parser.parseComma())
      return {};
    if (succeeded(parser.parseOptionalKeyword("group")))
      if (parser.parseEqual() || parser.parseInteger(group) ||
          parser.parseComma())
        return {};
    DenseResourceElementsAttr scales, zeros;
    DenseI8ArrayAttr table;
    if (parser.parseAttribute(scales))
      return {};
    while (succeeded(parser.parseOptionalComma())) {
      if (succeeded(parser.parseOptionalKeyword("table"))) {
        if (parser.parseEqual())
          return {};
        table = dyn_cast_or_null<DenseI8ArrayAttr>(
            DenseI8ArrayAttr::parse(parser, Type()));
        if (!table)
          return {};
      } else if (parser.parseAttribute(zeros)) {
        return {};
      }
    }
    if (parser.parseGreater())
      return {};
    return make({}, 0, axis, group, scales, zeros, false, table);
  }
  FloatAttr scale;
  int64_t zeroPoint = 0;
  if (parser.parseAttribute(scale, Float32Type::get(context)))
    return {};
  if (parser.parseColon() || parser.parseInteger(zeroPoint) ||
      parser.parseGreater())
    return {};
  return make(scale, zeroPoint, -1, 0, {}, {}, false);
}

void QuantizedType::print(AsmPrinter &printer) const {
  printer << "<" << getFormat() << ", ";
  if (getIsDynamic()) {
    printer << "?>";
    return;
  }
  if (getAxis() < 0) {
    printer.printAttributeWithoutType(getScaleAttr());
    printer << " : " << getZeroPoint() << ">";
    return;
  }
  printer << "axis = " << getAxis() << ", ";
  if (getGroupSize())
    printer << "group = " << getGroupSize() << ", ";
  printHandle(printer, getScales());
  if (getZeroPoints()) {
    printer << ", ";
    printHandle(printer, getZeroPoints());
  }
  if (getTable()) {
    printer << ", table = ";
    getTable().print(printer);
  }
  printer << ">";
}

//===----------------------------------------------------------------------===//
// Types, arrays and attributes
//===----------------------------------------------------------------------===//

QuantizedType qg::getQuantizedType(Type type) {
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    type = tensor.getElementType();
  return dyn_cast<QuantizedType>(type);
}

Type qg::getStorageElementType(Type elementType) {
  if (auto quantized = dyn_cast<QuantizedType>(elementType))
    return quantized.getStorageType();
  if (auto integer = dyn_cast<IntegerType>(elementType))
    return IntegerType::get(integer.getContext(), integer.getWidth());
  return elementType;
}

RankedTensorType qg::getStorageTensorType(RankedTensorType type) {
  return RankedTensorType::get(type.getShape(),
                               getStorageElementType(type.getElementType()));
}

std::optional<DType> qg::getDType(Type type) {
  if (auto quantized = dyn_cast<QuantizedType>(type)) {
    bool isSigned = quantized.isSigned();
    switch (quantized.getIntegerFormat().storageBits()) {
    case 8:
      return isSigned ? DType::i8 : DType::u8;
    case 16:
      return isSigned ? DType::i16 : DType::u16;
    default:
      return isSigned ? DType::i32 : DType::u32;
    }
  }
  if (type.isF32())
    return DType::f32;
  if (type.isF64())
    return DType::f64;
  if (type.isF16())
    return DType::f16;
  if (type.isBF16())
    return DType::bf16;
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer)
    return std::nullopt;
  bool isUnsigned = integer.isUnsigned();
  switch (integer.getWidth()) {
  case 1:
    return DType::b1;
  case 8:
    return isUnsigned ? DType::u8 : DType::i8;
  case 16:
    return isUnsigned ? DType::u16 : DType::i16;
  case 32:
    return isUnsigned ? DType::u32 : DType::i32;
  case 64:
    return isUnsigned ? DType::u64 : DType::i64;
  default:
    return std::nullopt;
  }
}

Type qg::getElementType(MLIRContext *context, DType dtype) {
  switch (dtype) {
  case DType::f32:
    return Float32Type::get(context);
  case DType::f64:
    return Float64Type::get(context);
  case DType::f16:
    return Float16Type::get(context);
  case DType::bf16:
    return BFloat16Type::get(context);
  case DType::b1:
    return IntegerType::get(context, 1);
  default:
    return IntegerType::get(context, 8 * getByteWidth(dtype),
                            isUnsigned(dtype) ? IntegerType::Unsigned
                                              : IntegerType::Signless);
  }
}

FailureOr<Tensor> qg::getTensor(ElementsAttr attr, Type type) {
  auto shaped = dyn_cast<ShapedType>(type);
  if (!shaped)
    return failure();
  std::optional<DType> dtype = getDType(shaped.getElementType());
  if (!dtype)
    return failure();
  int64_t width = getByteWidth(*dtype);
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob || int64_t(blob->getData().size()) !=
                     width * getNumElements(shaped.getShape()))
      return failure();
    Tensor tensor(*dtype, shaped.getShape());
    copyPieces(blob->getData(), tensor.mutableData());
    return tensor;
  }
  Tensor tensor(*dtype, shaped.getShape());
  auto dense = dyn_cast<DenseElementsAttr>(attr);
  if (!dense || dense.getNumElements() != tensor.numElements())
    return failure();
  if (*dtype == DType::b1) {
    int64_t index = 0;
    for (bool value : dense.getValues<bool>())
      tensor.setInt(index++, value);
    return tensor;
  }
  ArrayRef<char> raw = dense.getRawData();
  char *out = tensor.mutableData();
  if (!dense.isSplat() && int64_t(raw.size()) == tensor.numBytes()) {
    std::memcpy(out, raw.data(), raw.size());
    return tensor;
  }
  if (tensor.numElements() == 0)
    return tensor;
  if (int64_t(raw.size()) < width)
    return failure();
  for (int64_t i = 0, e = tensor.numElements(); i < e; ++i)
    std::memcpy(out + i * width, raw.data(), width);
  return tensor;
}

FailureOr<StoredArray> qg::getStoredArray(ElementsAttr attr, Type type) {
  auto resource = dyn_cast<DenseResourceElementsAttr>(attr);
  AsmResourceBlob *blob =
      resource ? resource.getRawHandle().getBlob() : nullptr;
  auto owner = blob ? findFileMemory(blob->getData()) : nullptr;
  auto shaped = dyn_cast<ShapedType>(type);
  std::optional<DType> dtype =
      shaped ? getDType(shaped.getElementType()) : std::nullopt;
  if (owner && dtype &&
      int64_t(blob->getData().size()) ==
          getByteWidth(*dtype) * getNumElements(shaped.getShape()))
    return StoredArray(
        *dtype, shaped.getShape(),
        std::shared_ptr<const char>(std::move(owner), blob->getData().data()));
  FailureOr<Tensor> tensor = getTensor(attr, type);
  if (failed(tensor))
    return failure();
  return StoredArray(*tensor);
}

static ElementsAttr getBytesAttr(ArrayRef<char> bytes, int64_t width,
                                 RankedTensorType storage, StringRef hint) {
  int64_t count = storage.getNumElements();
  bool isSplat = count > 0;
  for (int64_t i = 1; i < count && isSplat; ++i)
    isSplat = std::memcmp(bytes.data(), bytes.data() + i * width, width) == 0;
  if (isSplat)
    return DenseElementsAttr::getFromRawBuffer(storage,
                                               bytes.take_front(width));
  if (count <= 16)
    return DenseElementsAttr::getFromRawBuffer(storage, bytes);
  return getResource(storage, bytes, hint);
}

ElementsAttr qg::getElementsAttr(const Tensor &tensor, RankedTensorType type,
                                 StringRef hint) {
  RankedTensorType storage = getStorageTensorType(type);
  if (storage.getElementType().isInteger(1)) {
    SmallVector<bool> values;
    for (int64_t i = 0, e = tensor.numElements(); i < e; ++i)
      values.push_back(tensor.getInt(i) != 0);
    return DenseElementsAttr::get(storage, values);
  }
  ArrayRef<char> bytes(tensor.data(), tensor.numBytes());
  return getBytesAttr(bytes, getByteWidth(tensor.dtype()), storage, hint);
}

ElementsAttr qg::getElementsAttr(const StoredArray &array,
                                 RankedTensorType type, StringRef hint) {
  if (array.bytes().size() < kLargeBytes)
    return getElementsAttr(array.load(), type, hint);
  RankedTensorType storage = getStorageTensorType(type);
  // Truth values have a form of their own.
  if (storage.getElementType().isInteger(1))
    return getElementsAttr(array.load(), type, hint);
  return getBytesAttr(array.bytes(), getByteWidth(array.dtype()), storage,
                      hint);
}

ConstantOp qg::createConstant(OpBuilder &builder, Location loc,
                              const Tensor &tensor, RankedTensorType type,
                              StringRef hint) {
  return ConstantOp::create(builder, loc, type,
                            getElementsAttr(tensor, type, hint));
}

std::optional<Tensor> qg::matchConstant(Value value) {
  auto constant = value.getDefiningOp<ConstantOp>();
  if (!constant)
    return std::nullopt;
  FailureOr<Tensor> tensor = getTensor(constant.getValue(), value.getType());
  if (failed(tensor))
    return std::nullopt;
  return *tensor;
}

static void appendNames(Location loc, SmallVectorImpl<std::string> &names) {
  if (auto name = dyn_cast<NameLoc>(loc))
    names.push_back(name.getName().str());
  else if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location inner : fused.getLocations())
      appendNames(inner, names);
}

std::string qg::getUserName(Operation *op) {
  SmallVector<std::string> names;
  appendNames(op->getLoc(), names);
  if (!names.empty())
    return names.front();
  unsigned position = 0;
  if (op->getBlock())
    for (Operation &other : *op->getBlock()) {
      if (&other == op)
        break;
      ++position;
    }
  return op->getName().getStringRef().str() + "#" + std::to_string(position);
}
