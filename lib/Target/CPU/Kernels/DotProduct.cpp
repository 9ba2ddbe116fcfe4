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
  return llvm::is_contained(
      {"mul", "maddwd", "vpdpbusd256", "vpdpbusd512", "sdot", "fma", "muladd"},
      name);
}

Value DotProduct::call(StringRef intrinsic, Type type, ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(emit.builder, emit.loc, type,
                                       emit.builder.getStringAttr(intrinsic),
                                       operands)
      .getResult(0);
}

Value DotProduct::loadWeights(const FlatView &weights, Value index) {
  OpBuilder &b = emit.builder;
  Value loaded = emit.load(weights, index, lanes * pack);
  if (name == "maddwd")
    return arith::ExtSIOp::create(
        b, emit.loc, emit.vec(lanes * pack, b.getI16Type()), loaded);
  if (name == "mul")
    return arith::ExtSIOp::create(b, emit.loc, emit.vec(lanes, b.getI32Type()),
                                  loaded);
  return loaded;
}

SmallVector<Value> DotProduct::loadStep(const FlatView &weights, Value index,
                                        int64_t vectors, int64_t used) {
  SmallVector<Value> result;
  int64_t each = lanes * pack;
  if (!code.isPacked()) {
    for (int64_t j = 0; j < used; ++j)
      result.push_back(loadWeights(weights, emit.add(index, j * each)));
    return result;
  }
  OpBuilder &b = emit.builder;
  Type element = b.getI8Type();
  if (name == "maddwd")
    element = b.getI16Type();
  if (name == "mul")
    element = b.getI32Type();
  Value all =
      decodeWeights(emit, weights, index, vectors * each, code, element);
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
  if (name == "vpdpbusd512")
    return call("llvm.x86.avx512.vpdpbusd.512", type, {acc, input, weights});
  // Weights first: the input, broadcast by element, is the indexed operand.
  return call("llvm.aarch64.neon.sdot.v4i32.v16i8", type,
              {acc, weights, input});
}
