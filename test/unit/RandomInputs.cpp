//===- RandomInputs.cpp - Arrays for random modules, and their results ----===//
// SPDX-License-Identifier: Apache-2.0
//
// What goes into a random module, and where what comes out differs.
//===----------------------------------------------------------------------===//
#include "RandomGraph.h"
#include "RunModule.h"
#include "qopt/Dialect/QG/IR/QG.h"

#include <cmath>
#include <cstring>
#include <limits>

using namespace qopt;

llvm::SmallVector<Tensor> test::makeRandomInputs(mlir::ModuleOp module,
                                                 uint64_t seed) {
  static constexpr float kSpecial[] = {0.0f,
                                       -0.0f,
                                       1e30f,
                                       -1e-40f,
                                       std::numeric_limits<float>::infinity(),
                                       -std::numeric_limits<float>::infinity(),
                                       std::numeric_limits<float>::quiet_NaN()};
  auto main = module.lookupSymbol<mlir::func::FuncOp>("main");
  llvm::SmallVector<Tensor> inputs;
  for (mlir::Type type : main.getFunctionType().getInputs()) {
    auto tensor = mlir::cast<mlir::RankedTensorType>(type);
    DType dtype = *qg::getDType(tensor.getElementType());
    double low = dtype == DType::u8 ? 0 : dtype == DType::i8 ? -128 : -3;
    double high = dtype == DType::u8 ? 255 : dtype == DType::i8 ? 127 : 3;
    Tensor input = makeRandom(dtype, tensor.getShape(), low, high, seed);
    if (isFloat(dtype) && seed % 4 == 0)
      for (int64_t i = 0; i < input.numElements(); i += 5)
        input.setFloat(i, kSpecial[(i / 5) % 7]);
    inputs.push_back(input);
  }
  return inputs;
}

std::string test::describeDifference(llvm::ArrayRef<Tensor> expected,
                                     llvm::ArrayRef<Tensor> got) {
  if (expected.size() != got.size())
    return "another number of results";
  for (size_t r = 0; r < expected.size(); ++r) {
    const Tensor &a = expected[r], &b = got[r];
    if (a.numBytes() != b.numBytes())
      return "another size of result " + std::to_string(r);
    int64_t width = getByteWidth(a.dtype());
    for (int64_t i = 0; i < a.numElements(); ++i) {
      if (isFloat(a.dtype()) && std::isnan(a.getFloat(i)) &&
          std::isnan(b.getFloat(i)))
        continue;
      if (std::memcmp(a.data() + i * width, b.data() + i * width, width))
        return "element " + std::to_string(i) + " of result " +
               std::to_string(r) + " is " + std::to_string(b.getFloat(i)) +
               ", the reference says " + std::to_string(a.getFloat(i));
    }
  }
  return "";
}
