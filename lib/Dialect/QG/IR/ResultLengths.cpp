//===- ResultLengths.cpp - Results of which data decide an extent ---------===//
// SPDX-License-Identifier: Apache-2.0
//
// An attribute that says too much would have a caller's array read past its
// end: it is checked against the types, and the number at run time by its
// users.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/QG/IR/ResultLengths.h"

#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;
using namespace qopt;

static bool isLength(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getRank() == 0 &&
         tensor.getElementType().isInteger(64);
}

size_t qg::countOwnResults(ArrayRef<ResultLength> lengths, size_t count) {
  for (const ResultLength &length : lengths)
    count = std::min(count, length.length);
  return count;
}

llvm::Expected<SmallVector<qg::ResultLength>>
qg::getResultLengths(func::FuncOp main) {
  SmallVector<ResultLength> lengths;
  ArrayRef<Type> types = main.getResultTypes();
  for (auto [i, type] : llvm::enumerate(types)) {
    auto attribute =
        main.getResultAttrOfType<DenseI64ArrayAttr>(i, kLengthAttr);
    if (!attribute)
      continue;
    auto tensor = dyn_cast<RankedTensorType>(type);
    ArrayRef<int64_t> values = attribute.asArrayRef();
    if (!tensor || values.size() != 2 || values[0] < 0 ||
        values[0] >= tensor.getRank() || values[1] <= int64_t(i) ||
        size_t(values[1]) >= types.size() || !isLength(types[values[1]]))
      return llvm::createStringError(
          "expected 'qg.length' of result " + Twine(i) +
          " to be a dimension of it and the index of a later i64 scalar among "
          "the results");
    lengths.push_back({i, size_t(values[0]), size_t(values[1])});
  }
  for (size_t i = countOwnResults(lengths, types.size()); i < types.size(); ++i)
    if (llvm::none_of(lengths, [&](const ResultLength &length) {
          return length.length == i;
        }))
      return llvm::createStringError(
          "expected lengths behind all other results, got result " + Twine(i) +
          ", which is the length of none");
  for (const ResultLength &length : lengths)
    if (length.result >= countOwnResults(lengths, types.size()))
      return llvm::createStringError("expected no 'qg.length' of result " +
                                     Twine(length.result) +
                                     ", which is a length itself");
  return lengths;
}
