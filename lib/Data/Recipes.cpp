//===- Recipes.cpp - Made-up inputs ---------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// `random:normal:seed=1` and the like, the same numbers on every machine.
//===----------------------------------------------------------------------===//
#include "qopt/Data/DataSource.h"
#include "qopt/Support/Diagnostics.h"

using namespace qopt;

namespace {
/// splitmix64: std::mt19937 is fixed by the standard, its distributions are
/// not.
struct Generator {
  uint64_t state;
  uint64_t next() {
    uint64_t z = (state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// In [0, 1), a multiple of 2^-53.
  double uniform() { return double(next() >> 11) * 0x1p-53; }
  /// Sum of 12 uniform numbers less 6: variance 1, no library function.
  double normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i)
      sum += uniform();
    return sum;
  }
};
} // namespace

absl::StatusOr<Tensor> qopt::makeArray(llvm::StringRef recipe,
                                       const TensorSpec &spec) {
  llvm::SmallVector<llvm::StringRef> parts;
  recipe.split(parts, ':');
  auto fail = [&]() -> absl::Status {
    return Error(Code::BadFlagValue,
                 "expected zeros, random:normal or random:uniform, each with "
                 "an optional :seed=N, got '" +
                     recipe + "'");
  };
  Generator generator{0};
  if (!parts.empty() && parts.back().starts_with("seed=")) {
    if (parts.pop_back_val().drop_front(5).getAsInteger(10, generator.state))
      return fail();
  }
  bool isZero = parts.size() == 1 && parts[0] == "zeros";
  bool isRandom = parts.size() == 2 && parts[0] == "random" &&
                  (parts[1] == "normal" || parts[1] == "uniform");
  if (!isZero && !isRandom)
    return fail();
  Tensor tensor(spec.dtype, spec.shape);
  if (isZero)
    return tensor;
  for (int64_t i = 0, e = tensor.numElements(); i < e; ++i) {
    double value =
        parts[1] == "normal" ? generator.normal() : generator.uniform();
    if (isFloat(spec.dtype))
      tensor.setFloat(i, value);
    else if (spec.dtype == DType::b1)
      tensor.setInt(i, generator.next() >> 63);
    else
      tensor.setInt(i, int64_t(generator.next() % 255) -
                           (isUnsigned(spec.dtype) ? 0 : 127));
  }
  return tensor;
}
