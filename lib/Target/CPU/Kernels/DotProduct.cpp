//===- DotProduct.cpp - One reduction step on every machine ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// All forms are exact: vpmaddubsw, which saturates, is not among them.
//===----------------------------------------------------------------------===//
#include "DotProduct.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace qopt::qcpu;

bool DotProduct::isKnown(StringRef name) {
  return llvm::is_contained({"mul", "maddwd", "vpdpbusd256", "vpdpbusd512",
                             "sdot", "smlad", "vmladava", "fma", "muladd"},
                            name);
}

Value DotProduct::call(StringRef intrinsic, Type type, ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(emit.builder, emit.loc, type,
                                       emit.builder.getStringAttr(intrinsic),
                                       operands)
      .getResult(0);
}

Value DotProduct::getConstant(int64_t bits) {
  return arith::ConstantOp::create(
      emit.builder, emit.loc,
      emit.builder.getI32IntegerAttr(int32_t(uint32_t(bits))));
}

Value DotProduct::getScalar(Value vector, int64_t lane) {
  return vector::ExtractOp::create(emit.builder, emit.loc, vector, lane);
}

Value DotProduct::loadWord(const FlatView &bytes, Value index) {
  OpBuilder &b = emit.builder;
  Value word = vector::BitCastOp::create(
      b, emit.loc, emit.vec(1, b.getI32Type()), emit.load(bytes, index, 4));
  return getScalar(word, 0);
}

/// Bytes 0 and 2, then 1 and 3, as pairs of 16 bits: activations and weights
/// are split the same way, so that pairs meet.
Value DotProduct::splitWord(Value word) {
  OpBuilder &b = emit.builder;
  Type i32 = b.getI32Type();
  Value rotated = arith::OrIOp::create(
      b, emit.loc, arith::ShRUIOp::create(b, emit.loc, word, getConstant(8)),
      arith::ShLIOp::create(b, emit.loc, word, getConstant(24)));
  Value even = call("llvm.arm.sxtb16", i32, word);
  Value odd = call("llvm.arm.sxtb16", i32, rotated);
  return vector::FromElementsOp::create(b, emit.loc, emit.vec(2, i32),
                                        ValueRange{even, odd});
}

/// Four weights of a row from a word that holds those of two: from each byte
/// the 4 bits at `shift`.
Value DotProduct::splitCodes(Value word, int64_t shift) {
  OpBuilder &b = emit.builder;
  Type i32 = b.getI32Type();
  auto pairFrom = [&](int64_t first) -> Value {
    Value bits = word;
    if (first)
      bits = arith::ShRUIOp::create(b, emit.loc, word, getConstant(first));
    bits = arith::AndIOp::create(b, emit.loc, bits, getConstant(0x000F000F));
    if (!code.offset)
      return bits;
    int64_t half = code.offset & 0xFFFF;
    return call("llvm.arm.sadd16", i32,
                ValueRange{bits, getConstant(half << 16 | half)});
  };
  return vector::FromElementsOp::create(
      b, emit.loc, emit.vec(2, i32),
      ValueRange{pairFrom(shift), pairFrom(shift + 8)});
}

/// Bytes as they are, or widened so that a vector register is full.
Value DotProduct::widen(Value bytes) {
  OpBuilder &b = emit.builder;
  if (pack == 16)
    return bytes;
  return arith::ExtSIOp::create(
      b, emit.loc, emit.vec(pack, b.getIntegerType(128 / pack)), bytes);
}

/// f32 of 16-bit floats. A bf16 is the upper half of one: two instructions that
/// every machine has, where LLVM would expand the conversion by its own rules.
static Value widenFloats(Emitter &emit, Value vector) {
  OpBuilder &b = emit.builder;
  auto type = cast<VectorType>(vector.getType());
  int64_t count = type.getDimSize(0);
  VectorType f32 = emit.vec(count, b.getF32Type());
  if (type.getElementType().isF16())
    return arith::ExtFOp::create(b, emit.loc, f32, vector);
  VectorType i32 = emit.vec(count, b.getI32Type());
  Value bits = vector::BitCastOp::create(
      b, emit.loc, emit.vec(count, b.getI16Type()), vector);
  Value wide = arith::ExtUIOp::create(b, emit.loc, i32, bits);
  Value sixteen = arith::ConstantOp::create(
      b, emit.loc, DenseElementsAttr::get(i32, b.getI32IntegerAttr(16)));
  return vector::BitCastOp::create(
      b, emit.loc, f32, arith::ShLIOp::create(b, emit.loc, wide, sixteen));
}

Value DotProduct::loadWeights(const FlatView &weights, Value index) {
  OpBuilder &b = emit.builder;
  Value loaded = emit.load(weights, index, lanes * pack);
  if (weights.element.isF16() || weights.element.isBF16())
    return widenFloats(emit, loaded);
  if (name == "maddwd")
    return arith::ExtSIOp::create(
        b, emit.loc, emit.vec(lanes * pack, b.getI16Type()), loaded);
  if (name == "mul")
    return arith::ExtSIOp::create(b, emit.loc, emit.vec(lanes, b.getI32Type()),
                                  loaded);
  if (name == "vmladava")
    return widen(loaded);
  return loaded;
}

/// Weights of a row are four bytes of a step.
SmallVector<Value> DotProduct::loadTableWords(const FlatView &weights,
                                              Value index, int64_t vectors,
                                              int64_t used) {
  OpBuilder &b = emit.builder;
  Value all = decodeWeights(emit, {weights, index, vectors * lanes * pack},
                            code, b.getI8Type());
  Value words = vector::BitCastOp::create(
      b, emit.loc, emit.vec(vectors, b.getI32Type()), all);
  SmallVector<Value> result;
  for (int64_t j = 0; j < used; ++j)
    result.push_back(splitWord(getScalar(words, j)));
  return result;
}

SmallVector<Value> DotProduct::loadStep(const FlatView &weights, Value index,
                                        int64_t vectors, int64_t used) {
  SmallVector<Value> result;
  int64_t each = lanes * pack;
  if (!code.isPacked()) {
    for (int64_t j = 0; j < used; ++j) {
      Value at = emit.add(index, j * each);
      result.push_back(name == "smlad" ? splitWord(loadWord(weights, at))
                                       : loadWeights(weights, at));
    }
    return result;
  }
  if (name == "smlad" && code.isTable())
    return loadTableWords(weights, index, vectors, used);
  if (name == "smlad") {
    // Low halves of all bytes first, then their high halves (encodeWeights).
    int64_t words = vectors / 2;
    SmallVector<Value> loaded;
    for (int64_t i = 0; i < std::min(words, used); ++i)
      loaded.push_back(loadWord(weights, emit.add(index, 4 * i)));
    for (int64_t j = 0; j < used; ++j)
      result.push_back(splitCodes(loaded[j % words], j / words * 4));
    return result;
  }
  OpBuilder &b = emit.builder;
  Type element = b.getI8Type();
  if (name == "maddwd")
    element = b.getI16Type();
  if (name == "mul")
    element = b.getI32Type();
  if (name == "vmladava")
    element = b.getIntegerType(128 / pack);
  Value all =
      decodeWeights(emit, {weights, index, vectors * each}, code, element);
  for (int64_t j = 0; j < used; ++j)
    result.push_back(vectors == 1
                         ? all
                         : vector::ExtractStridedSliceOp::create(
                               b, emit.loc, all, ArrayRef<int64_t>{j * each},
                               ArrayRef<int64_t>{each}, ArrayRef<int64_t>{1})
                               .getResult());
  return result;
}

Value DotProduct::broadcastInput(const FlatView &input, Value index) {
  OpBuilder &b = emit.builder;
  if (pack == 1) {
    Value scalar = emit.loadScalar(input, index);
    if (input.element.isInteger()) {
      if (isUnsigned)
        scalar = arith::ExtUIOp::create(b, emit.loc, b.getI32Type(), scalar);
      else
        scalar = arith::ExtSIOp::create(b, emit.loc, b.getI32Type(), scalar);
    }
    return vector::BroadcastOp::create(
        b, emit.loc, emit.vec(lanes, scalar.getType()), scalar);
  }
  if (name == "smlad")
    return splitWord(loadWord(input, index));
  if (name == "vmladava")
    return widen(emit.load(input, index, pack));
  // One 32-bit load that the instruction selector merges with the broadcast.
  Value loaded = emit.load(input, index, pack);
  auto i32 = b.getI32Type();
  Value word = vector::BitCastOp::create(b, emit.loc, emit.vec(1, i32), loaded);
  Value all =
      vector::BroadcastOp::create(b, emit.loc, emit.vec(lanes, i32), word);
  return vector::BitCastOp::create(b, emit.loc,
                                   emit.vec(lanes * pack, input.element), all);
}

Value DotProduct::accumulate(Value acc, Value input, Value weights) {
  OpBuilder &b = emit.builder;
  Location loc = emit.loc;
  Type type = acc.getType();
  if (name == "fma")
    return math::FmaOp::create(b, loc, input, weights, acc);
  if (name == "muladd")
    return arith::AddFOp::create(b, loc, acc,
                                 arith::MulFOp::create(b, loc, input, weights));
  if (name == "mul")
    return arith::AddIOp::create(b, loc, acc,
                                 arith::MulIOp::create(b, loc, input, weights));
  if (name == "maddwd")
    return arith::AddIOp::create(
        b, loc, acc, call("llvm.x86.avx2.pmadd.wd", type, {input, weights}));
  if (name == "vpdpbusd256")
    return call("llvm.x86.avx512.vpdpbusd.256", type, {acc, input, weights});
  // Weights are the unsigned ones.
  if (name == "vpdpbusd256w")
    return call("llvm.x86.avx512.vpdpbusd.256", type, {acc, weights, input});
  if (name == "vpdpbusd512w")
    return call("llvm.x86.avx512.vpdpbusd.512", type, {acc, weights, input});
  if (name == "vpdpbusd512")
    return call("llvm.x86.avx512.vpdpbusd.512", type, {acc, input, weights});
  if (name == "smlad") {
    Type i32 = b.getI32Type();
    Value sum = getScalar(acc, 0);
    for (int64_t lane : {0, 1})
      sum = call("llvm.arm.smlad", i32,
                 {getScalar(input, lane), getScalar(weights, lane), sum});
    return vector::BroadcastOp::create(b, loc, type, sum);
  }
  if (name == "vmladava") {
    Value zero = getConstant(0);
    std::string suffix = pack == 16 ? "v16i8" : pack == 8 ? "v8i16" : "v4i32";
    Value sum = call("llvm.arm.mve.vmldava." + suffix, b.getI32Type(),
                     {zero, zero, zero, getScalar(acc, 0), weights, input});
    return vector::BroadcastOp::create(b, loc, type, sum);
  }
  // Weights first: the input, broadcast by element, is the indexed operand.
  return call("llvm.aarch64.neon.sdot.v4i32.v16i8", type,
              {acc, weights, input});
}
