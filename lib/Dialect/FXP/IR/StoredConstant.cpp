//===- StoredConstant.cpp - Constant operands as integers -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The decoder of qg with the attributes of an fxp op.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/FXP/IR/StoredConstant.h"
#include "qopt/Dialect/FXP/IR/FXP.h"

using namespace mlir;
using namespace qopt;

/// The same bytes, read as unsigned.
static Tensor readUnsigned(const Tensor &tensor) {
  switch (tensor.dtype()) {
  case DType::i8:
    return tensor.bitcast(DType::u8);
  case DType::i16:
    return tensor.bitcast(DType::u16);
  case DType::i32:
    return tensor.bitcast(DType::u32);
  default:
    return tensor;
  }
}

std::optional<fxp::StoredConstant> fxp::StoredConstant::match(Operation *op,
                                                              Value operand) {
  std::optional<Tensor> constant = qg::matchConstant(operand);
  auto reader = cast<StoredOperandsInterface>(op);
  std::optional<StoredValue> row = reader.findStored(operand);
  if (!constant || !row)
    return std::nullopt;
  if (reader.isUnsigned(*row))
    constant = readUnsigned(*constant);
  return StoredConstant{*constant, qg::Decoder(reader.getZeroPoint(*row))};
}
