//===- BlockedCodes.cpp - Weights packed in codes with scales for blocks --===//
// SPDX-License-Identifier: Apache-2.0
#include "BlockedCodes.h"
#include "qopt/Dialect/QG/IR/DecodedNotes.h"

#include <cmath>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

int64_t frontend::unpack(ArrayRef<uint8_t> bytes, int64_t index, int64_t bits) {
  int64_t at = index * bits;
  return bytes[at / 8] >> (at % 8) & ((1 << bits) - 1);
}

Value frontend::createBlockedWeight(GraphBuilder &b, const BlockedCodes &spec,
                                    Tensor codes, ArrayRef<float> scales,
                                    ArrayRef<float> zeros) {
  int64_t most = (int64_t(1) << spec.bits) - 1;
  std::string format = std::to_string(spec.bits);
  SmallVector<int32_t> points;
  for (float zero : zeros) {
    if (!(zero >= 0 && zero <= most) || zero != std::floor(zero)) {
      Tensor reals(DType::f32, codes.shape());
      for (int64_t i = 0, e = codes.numElements(); i < e; ++i) {
        int64_t at = i / spec.k * spec.groups() + i % spec.k / spec.block;
        float product = float(codes.getInt(i)) * scales[at];
        float shift = zeros[at] * scales[at];
        reals.setFloat(i, product - shift);
      }
      return b.constant(reals);
    }
    points.push_back(int32_t(zero));
  }
  if (zeros.empty()) {
    // Codes around the middle: signed numbers.
    for (int64_t i = 0, e = codes.numElements(); i < e; ++i)
      codes.setInt(i, codes.getInt(i) - (most + 1) / 2);
    codes = codes.bitcast(DType::i8);
  }
  auto type = qg::QuantizedType::getPerAxis(
      b.context(), (zeros.empty() ? "si" : "ui") + format, 0, scales, points,
      spec.block);
  return b.constant(codes, RankedTensorType::get(codes.shape(), type));
}

void frontend::noteDecoded(Value y, StringRef reason) {
  Operation *op = y.getDefiningOp();
  Operation *function = op ? op->getParentOp() : nullptr;
  if (!function)
    return;
  auto known = function->getAttrOfType<DictionaryAttr>(qg::kDecodedAttr);
  NamedAttrList notes(known ? known : DictionaryAttr::get(y.getContext()));
  notes.set(qg::getUserName(op), StringAttr::get(y.getContext(), reason));
  function->setAttr(qg::kDecodedAttr, notes.getDictionary(y.getContext()));
}

Value frontend::multiplyBlocked(GraphBuilder &b, Value x, Value weight) {
  if (!x || !weight)
    return {};
  bool isStored = b.isQuantized(weight);
  if (isStored)
    weight = b.dequantize(weight);
  Value y = b.matmul(x, b.transpose(weight, {1, 0}));
  if (!isStored && y)
    noteDecoded(y, "its weights come in integers with zero points between "
                   "them, which only floats hold");
  return y;
}
