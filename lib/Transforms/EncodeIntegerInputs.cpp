//===- EncodeIntegerInputs.cpp - Bytes that the graph decodes itself ------===//
// SPDX-License-Identifier: Apache-2.0
//
// Cast, Sub and Mul behind an input of bytes say what the bytes stand for. As
// an encoding of the input the same is known to all that computes in integers.
//===----------------------------------------------------------------------===//
#include "MovedUses.h"
#include "qopt/Analysis/SplatConstant.h"
#include "qopt/Dialect/QG/IR/QG.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/Pass/Pass.h"
#include <cmath>

namespace qopt {
#include "qopt/Transforms/EncodeIntegerInputs.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

namespace {
/// What a byte x stands for: scale * (x - zero).
struct Affine {
  float scale = 1;
  int64_t zero = 0;

  /// Takes in an op on the value; false where that is no such number.
  bool append(qg::BinaryOp op, Value x, const IntegerFormat &format);
};
} // namespace

bool Affine::append(qg::BinaryOp op, Value x, const IntegerFormat &format) {
  bool isLeft = op.getLhs() == x;
  Value other = isLeft ? op.getRhs() : op.getLhs();
  std::optional<Tensor> constant =
      isSplatConstant(other) ? qg::matchConstant(other) : std::nullopt;
  if (!constant || constant->dtype() != DType::f32 ||
      op.getType() != x.getType())
    return false;
  auto number = float(constant->getFloat(0));
  Affine next = *this;
  switch (op.getKind()) {
  case BinaryKind::mul:
    next.scale *= number;
    break;
  case BinaryKind::div:
    if (!isLeft)
      return false;
    next.scale /= number;
    break;
  case BinaryKind::add:
  case BinaryKind::sub: {
    bool isSub = op.getKind() == BinaryKind::sub;
    double steps = double(number) / double(scale);
    if ((isSub && !isLeft) || steps != std::floor(steps) ||
        std::fabs(steps) > 255)
      return false;
    next.zero += isSub ? int64_t(steps) : -int64_t(steps);
    break;
  }
  default:
    return false;
  }
  if (!(next.scale > 0) || !std::isnormal(next.scale) ||
      next.zero < format.min() || next.zero > format.max())
    return false;
  *this = next;
  return true;
}

/// Takes in what is done to the decoded value, through data movement.
static void absorbArithmetic(qg::DequantizeOp decoded, Affine &affine,
                             const IntegerFormat &format) {
  Value value = decoded.getResult();
  while (value.hasOneUse()) {
    Operation *user = *value.user_begin();
    if (movesOneTensor(user)) {
      value = user->getResult(0);
      continue;
    }
    auto binary = dyn_cast<qg::BinaryOp>(user);
    if (!binary || !affine.append(binary, value, format))
      return;
    binary.getResult().replaceAllUsesWith(value);
    binary.erase();
  }
}

static void encode(BlockArgument argument) {
  Type element = getTensorType(argument).getElementType();
  SmallVector<Operation *> moves;
  SmallVector<qg::CastOp> casts;
  auto isCastToFloat = [&](Operation *user) {
    auto cast = dyn_cast<qg::CastOp>(user);
    if (!cast || !getTensorType(cast.getResult()).getElementType().isF32())
      return false;
    casts.push_back(cast);
    return true;
  };
  if (!element.isInteger(8) || !collectMoves(argument, moves, isCastToFloat) ||
      casts.empty())
    return;
  MLIRContext *context = argument.getContext();
  StringRef name = element.isUnsignedInteger() ? "ui8" : "si8";
  auto setEncoding = [&](const Affine &affine) {
    Type type = qg::QuantizedType::getPerTensor(context, name, affine.scale,
                                                affine.zero);
    setElementType(argument, moves, type);
  };
  Affine affine;
  setEncoding(affine);
  SmallVector<qg::DequantizeOp> decoded;
  for (qg::CastOp cast : casts) {
    OpBuilder builder(cast);
    decoded.push_back(qg::DequantizeOp::create(builder, cast.getLoc(),
                                               cast.getType(), cast.getX()));
    cast.getResult().replaceAllUsesWith(decoded.back().getResult());
    cast.erase();
  }
  // Several decodings may differ.
  if (decoded.size() != 1)
    return;
  absorbArithmetic(decoded.front(), affine, *lookupIntegerFormat(name));
  setEncoding(affine);
}

namespace {
struct EncodeIntegerInputs
    : qopt::impl::EncodeIntegerInputsBase<EncodeIntegerInputs> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal() || !function.getBody().hasOneBlock())
      return;
    for (BlockArgument argument : function.getArguments())
      if (isa<RankedTensorType>(argument.getType()))
        encode(argument);
    Block &body = function.front();
    function.setType(FunctionType::get(&getContext(), body.getArgumentTypes(),
                                       function.getResultTypes()));
  }
};
} // namespace
