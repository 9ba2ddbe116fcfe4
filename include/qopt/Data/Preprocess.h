//===- Preprocess.h - Declared steps from raw arrays to model inputs ------===//
// SPDX-License-Identifier: Apache-2.0
//
// `--pre x=scale:1/255,layout:nhwc->nchw` parsed, applied and recorded. Nothing
// is guessed: an input without a declaration is taken as it is.
//===----------------------------------------------------------------------===//
#ifndef QOPT_DATA_PREPROCESS_H
#define QOPT_DATA_PREPROCESS_H

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "qopt/Support/Tensor.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/JSON.h"
#include <map>
#include <string>
#include <vector>

namespace qopt {

/// A dtype, a shape and a name: what a model wants or gives.
struct TensorSpec {
  std::string name;
  DType dtype = DType::f32;
  llvm::SmallVector<int64_t, 6> shape;
};

/// A number as the user wrote it: `0.25` or `1/255`.
struct Ratio {
  double numerator = 1, denominator = 1;
  std::string text;
};

/// The steps for one input. The data movements come first, in the order
/// written; then, on every element in f32 and in this order,
///   v = f32(raw)
///   v = v * numerator, v = v / denominator   (a factor of 1 is skipped)
///   v = v - mean[channel]
///   v = v / std[channel]
/// and the conversion to the wanted dtype (integers: half to even, saturated).
/// Each step rounds to f32, as the same line in NumPy does.
struct InputPreprocessing {
  struct Movement {
    enum Kind { Permute, Reshape, ReverseChannels } kind;
    /// Permutation, or new shape.
    llvm::SmallVector<int64_t, 6> values;
    /// What the user wrote, for messages and the record.
    std::string text;
  };
  std::vector<Movement> movements;
  Ratio scale;
  std::vector<float> mean, std;
  /// Dimension that `mean`, `std` and `channels` refer to, after the
  /// movements; -1: the only one of that extent.
  int64_t channelAxis = -1;
  std::optional<DType> dtype;
  /// The declaration as written after `name=`.
  std::string text;

  bool hasArithmetic() const {
    return !scale.text.empty() || !mean.empty() || !std.empty();
  }
};

/// Declarations by input name; the name "" stands for the only input.
class Preprocessing {
public:
  /// Adds `NAME=STEPS` (or `STEPS` for the only input).
  absl::Status add(llvm::StringRef declaration);
  bool empty() const { return inputs_.empty(); }
  const InputPreprocessing *lookup(llvm::StringRef input,
                                   bool isOnlyInput) const;
  /// Fails for a declaration that names no input.
  absl::Status check(llvm::ArrayRef<TensorSpec> inputs) const;

  /// The record in bundles: [{"input": .., "steps": ".."}].
  llvm::json::Value toJson() const;
  static absl::StatusOr<Preprocessing> fromJson(const llvm::json::Value &value);

private:
  std::map<std::string, InputPreprocessing> inputs_;
};

/// The shape after the movements, or why they do not apply.
absl::StatusOr<llvm::SmallVector<int64_t, 6>>
inferShape(const InputPreprocessing &steps, llvm::ArrayRef<int64_t> raw);
/// The array a model is fed, of exactly `spec`. `steps` may be null.
absl::StatusOr<Tensor> preprocess(const InputPreprocessing *steps,
                                  const Tensor &raw, const TensorSpec &spec);

} // namespace qopt

#endif // QOPT_DATA_PREPROCESS_H
