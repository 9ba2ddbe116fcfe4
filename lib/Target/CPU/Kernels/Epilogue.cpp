//===- Epilogue.cpp - The elementwise ops that follow a product -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// One function per op says whether it can be fused, one writes it.
//===----------------------------------------------------------------------===//
#include "Epilogue.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "qopt/Dialect/FXP/IR/FXP.h"
#include "qopt/Target/CPU/IR/QCPU.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qcpu;

/// The limits within which adding 1.5 * 2^23 rounds an f32 to an integer.
static bool isNarrow(ArrayRef<int64_t> clamp, int64_t zeroPoint) {
  constexpr int64_t limit = int64_t(1) << 21;
  return clamp[0] - zeroPoint >= -limit && clamp[1] - zeroPoint <= limit;
}

static bool isFloatMode(fxp::RequantizeModeAttr mode) {
  return mode.getKind() == "f32";
}

static bool addRequantize(fxp::RequantizeOp op, Epilogue &epilogue) {
  if (!isFloatMode(op.getMode()) || !isNarrow(op.getClamp(), op.getZp()) ||
      !op.getResultType().getElementType().isInteger(8))
    return false;
  FailureOr<Tensor> scales =
      qg::getTensor(op.getScales(), op.getScales().getType());
  if (failed(scales))
    return false;
  int64_t channels = op.getResultType().getShape().back();
  if (scales->numElements() != channels) {
    Tensor all(DType::f32, {channels});
    for (float &scale : all.mutableSpan<float>())
      scale = scales->span<float>()[0];
    scales = all;
  }
  epilogue.operands.push_back(scales->reshaped({channels}));
  return true;
}

static bool addAdd(fxp::AddOp op, Value fused, Epilogue &epilogue) {
  if (!isFloatMode(op.getMode()) || !isNarrow(op.getClamp(), op.getZp()) ||
      !op.getResultType().getElementType().isInteger(8))
    return false;
  Value other = op.getLhs() == fused ? op.getRhs() : op.getLhs();
  if (other == fused || other.getType() != op.getResultType())
    return false;
  epilogue.operands.push_back(other);
  return true;
}

Epilogue qopt::qcpu::collectEpilogue(Operation *product) {
  Epilogue epilogue;
  Operation *last = product;
  while (last->getResult(0).hasOneUse()) {
    Operation *user = *last->getResult(0).user_begin();
    bool fused = false;
    if (auto requantize = dyn_cast<fxp::RequantizeOp>(user))
      fused = addRequantize(requantize, epilogue);
    else if (auto add = dyn_cast<fxp::AddOp>(user))
      fused = last != product && addAdd(add, last->getResult(0), epilogue);
    if (!fused || user->getBlock() != product->getBlock())
      break;
    epilogue.chain.push_back(user);
    last = user;
  }
  return epilogue;
}

namespace {
class EpilogueWriter {
public:
  EpilogueWriter(OpBuilder &builder, Location loc) : b(builder), loc(loc) {}

  Value requantize(fxp::RequantizeOp op, Value x, Value scale) {
    return roundIntoRange(scaled(x, op.getXZp(), scale), op.getClamp(),
                          op.getZp());
  }

  Value add(fxp::AddOp op, Value fused, bool fusedIsLhs, Value other) {
    Value lhs = fusedIsLhs ? fused : other, rhs = fusedIsLhs ? other : fused;
    Value right = scaled(rhs, op.getZps()[1], real(op.getScales()[1]));
    Value left = toReal(lhs, op.getZps()[0]);
    Value sum =
        math::FmaOp::create(b, loc, left, real(op.getScales()[0]), right);
    return roundIntoRange(sum, op.getClamp(), op.getZp());
  }

  Value extend(Value byte, bool isUnsigned) {
    if (isUnsigned)
      return arith::ExtUIOp::create(b, loc, b.getI32Type(), byte);
    return arith::ExtSIOp::create(b, loc, b.getI32Type(), byte);
  }

private:
  Value real(float value) {
    return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value));
  }
  Value integer(int64_t value) {
    return arith::ConstantOp::create(b, loc,
                                     b.getI32IntegerAttr(int32_t(value)));
  }
  Value toReal(Value x, int64_t zeroPoint) {
    if (zeroPoint)
      x = arith::SubIOp::create(b, loc, x, integer(zeroPoint));
    return arith::SIToFPOp::create(b, loc, b.getF32Type(), x);
  }
  Value scaled(Value x, int64_t zeroPoint, Value scale) {
    return arith::MulFOp::create(b, loc, toReal(x, zeroPoint), scale);
  }
  Value roundIntoRange(Value x, ArrayRef<int64_t> clamp, int64_t zeroPoint) {
    Value low = real(clamp[0] - zeroPoint), high = real(clamp[1] - zeroPoint);
    Value above =
        arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, x, low);
    x = arith::SelectOp::create(b, loc, above, x, low);
    Value below =
        arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, x, high);
    x = arith::SelectOp::create(b, loc, below, x, high);
    // Adding 1.5 * 2^23 rounds half to even; its bits are 0x4B400000.
    x = arith::AddFOp::create(b, loc, x, real(0x1.8p23f));
    Value bits = arith::BitcastOp::create(b, loc, b.getI32Type(), x);
    return arith::AddIOp::create(b, loc, bits, integer(zeroPoint - 0x4B400000));
  }

  OpBuilder &b;
  Location loc;
};
} // namespace

/// How the fused value, widened to i32, was to be read as a byte.
static bool storesUnsigned(Operation *op) {
  if (auto requantize = dyn_cast<fxp::RequantizeOp>(op))
    return requantize.getIsUnsigned();
  return cast<fxp::AddOp>(op).getIsUnsigned();
}

void qopt::qcpu::buildEpilogue(const Epilogue &epilogue, Block &body,
                               Location loc) {
  OpBuilder builder = OpBuilder::atBlockEnd(&body);
  EpilogueWriter write(builder, loc);
  Value value = body.getArgument(0);
  Operation *previous = nullptr;
  // A byte read with the other signedness than it was stored with.
  auto reread = [&](bool asUnsigned) {
    if (!previous || storesUnsigned(previous) == asUnsigned)
      return;
    value = arith::TruncIOp::create(builder, loc, builder.getI8Type(), value);
    value = write.extend(value, asUnsigned);
  };
  for (auto [number, op] : llvm::enumerate(epilogue.chain)) {
    Value operand = body.getArgument(1 + number);
    if (auto requantize = dyn_cast<fxp::RequantizeOp>(op)) {
      reread(requantize.getXUnsigned());
      value = write.requantize(requantize, value, operand);
    } else {
      auto add = cast<fxp::AddOp>(op);
      bool fusedIsLhs = add.getLhs() == previous->getResult(0);
      reread(fusedIsLhs ? add.getLhsUnsigned() : add.getRhsUnsigned());
      Value other = write.extend(operand, fusedIsLhs ? add.getRhsUnsigned()
                                                     : add.getLhsUnsigned());
      value = write.add(add, value, fusedIsLhs, other);
    }
    previous = op;
  }
  if (previous)
    value = arith::TruncIOp::create(builder, loc, builder.getI8Type(), value);
  YieldOp::create(builder, loc, value);
}
