//===- HostTypes.cpp - Element types that a caller sees -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Attributes of a file are not trusted: an encoding of another width would
// have a caller's array read past its end.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/QG/IR/HostTypes.h"

using namespace mlir;
using namespace qopt;

qg::QuantizedType qg::getHostEncoding(RankedTensorType tensor,
                                      DictionaryAttr attributes) {
  if (auto type = dyn_cast<QuantizedType>(tensor.getElementType()))
    return type;
  auto integer = dyn_cast<IntegerType>(tensor.getElementType());
  auto encoding =
      attributes ? attributes.getAs<TypeAttr>("qg.encoding") : nullptr;
  auto type =
      encoding ? dyn_cast<QuantizedType>(encoding.getValue()) : nullptr;
  if (!type || !integer || !integer.isSignless())
    return nullptr;
  std::optional<DType> dtype = getDType(type);
  if (!dtype || 8 * getByteWidth(*dtype) != integer.getWidth())
    return nullptr;
  return type;
}

std::optional<DType> qg::getHostType(RankedTensorType tensor,
                                     DictionaryAttr attributes) {
  if (QuantizedType encoding = getHostEncoding(tensor, attributes))
    return getDType(encoding);
  return getDType(tensor.getElementType());
}
