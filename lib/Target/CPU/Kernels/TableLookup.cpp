//===- TableLookup.cpp - Codes to bytes through a table -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Shuffles find 16 entries at once; a longer table is pages of 16.
//===----------------------------------------------------------------------===//
#include "TableLookup.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include <numeric>

using namespace mlir;
using namespace qopt;
using namespace qopt::qcpu;

/// Entries of a page: what one shuffle finds.
static constexpr int64_t kPage = 16;

static Value call(Emitter &emit, StringRef intrinsic, Value lhs, Value rhs) {
  return LLVM::CallIntrinsicOp::create(emit.builder, emit.loc, lhs.getType(),
                                       emit.builder.getStringAttr(intrinsic),
                                       ValueRange{lhs, rhs})
      .getResult(0);
}

/// Page `number` in every 16 bytes of `lanes`. `isChained`: exclusive or with
/// the page in front.
static Value getPage(Emitter &emit, ArrayRef<int8_t> table, int64_t number,
                     int64_t lanes, bool isChained) {
  SmallVector<int8_t> entries;
  for (int64_t i = 0; i < lanes; ++i) {
    int64_t at = number * kPage + i % kPage, size = table.size();
    int8_t entry = table[at % size];
    if (isChained && number)
      entry ^= table[(at - kPage) % size];
    entries.push_back(entry);
  }
  auto type = emit.vec(lanes, emit.builder.getI8Type());
  return arith::ConstantOp::create(
      emit.builder, emit.loc,
      DenseElementsAttr::get(type, ArrayRef<int8_t>(entries)));
}

/// A vector of a register's width. An index minus 16 i is found in page i and
/// gives 0 where it is negative; what lies behind page i
///  * x86: is found there as well, by its low bits, but pages are chained, so
///    that the exclusive or of all pages up to the right one is the entry;
///  * AArch64: gives 0.
static Value shuffle(Emitter &emit, Value codes, const WeightCode &code) {
  OpBuilder &b = emit.builder;
  auto type = cast<VectorType>(codes.getType());
  int64_t lanes = type.getDimSize(0), size = code.table.size();
  bool isX86 = code.lookup == TableLookup::Pshufb;
  StringRef intrinsic = !isX86        ? "llvm.aarch64.neon.tbl1.v16i8"
                        : lanes == 32 ? "llvm.x86.avx2.pshuf.b"
                                      : "llvm.x86.ssse3.pshuf.b.128";
  Value result;
  for (int64_t page = 0; page * kPage < size; ++page) {
    Value index = codes;
    if (page)
      index = arith::SubIOp::create(
          b, emit.loc, codes,
          emit.splat(type, b.getI8IntegerAttr(int8_t(page * kPage))));
    Value found = call(emit, intrinsic,
                       getPage(emit, code.table, page, lanes, isX86), index);
    result = result ? arith::XOrIOp::create(b, emit.loc, result, found)
                          .getResult()
                    : found;
  }
  return result;
}

static Value slice(Emitter &emit, Value vector, int64_t start, int64_t lanes) {
  if (cast<VectorType>(vector.getType()).getDimSize(0) == lanes)
    return vector;
  return vector::ExtractStridedSliceOp::create(
      emit.builder, emit.loc, vector, ArrayRef<int64_t>{start},
      ArrayRef<int64_t>{lanes}, ArrayRef<int64_t>{1});
}

/// Whole registers; what is left over is moved into one.
static Value shuffleAll(Emitter &emit, Value codes, const WeightCode &code) {
  int64_t count = cast<VectorType>(codes.getType()).getDimSize(0);
  int64_t width = code.lookup == TableLookup::Pshufb && count >= 32 ? 32 : 16;
  SmallVector<Value> parts;
  int64_t start = 0;
  for (; start + width <= count; start += width)
    parts.push_back(shuffle(emit, slice(emit, codes, start, width), code));
  Value whole = parts.empty() ? Value() : emit.concat(parts);
  if (start == count)
    return whole;
  int64_t rest = count - start;
  SmallVector<int64_t> widen(width, -1);
  std::iota(widen.begin(), widen.begin() + rest, 0);
  Value last = slice(emit, codes, start, rest);
  last = vector::ShuffleOp::create(emit.builder, emit.loc, last, last, widen);
  last = slice(emit, shuffle(emit, last, code), 0, rest);
  if (!whole)
    return last;
  auto type = cast<VectorType>(codes.getType());
  Value result = emit.zero(type);
  for (auto [part, at] : {std::pair(whole, int64_t(0)), std::pair(last, start)})
    result = vector::InsertStridedSliceOp::create(
        emit.builder, emit.loc, part, result, ArrayRef<int64_t>{at},
        ArrayRef<int64_t>{1});
  return result;
}

/// Byte by byte.
static Value loadAll(Emitter &emit, const FlatView &weights, Value codes) {
  OpBuilder &b = emit.builder;
  auto type = cast<VectorType>(codes.getType());
  SmallVector<Value> found;
  for (int64_t i = 0; i < type.getDimSize(0); ++i) {
    Value code = vector::ExtractOp::create(b, emit.loc, codes, i);
    Value at =
        arith::IndexCastUIOp::create(b, emit.loc, b.getIndexType(), code);
    found.push_back(emit.loadScalar(weights, at));
  }
  return vector::FromElementsOp::create(b, emit.loc, type, found);
}

Value qopt::qcpu::lookUp(Emitter &emit, const FlatView &weights, Value codes,
                         const WeightCode &code) {
  return code.lookup == TableLookup::Memory ? loadAll(emit, weights, codes)
                                            : shuffleAll(emit, codes, code);
}
