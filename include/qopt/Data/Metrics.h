//===- Metrics.h - How good outputs are -----------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Task metrics against labels and error measures against a reference, added up
// one sample at a time.
//===----------------------------------------------------------------------===//
#ifndef QOPT_DATA_METRICS_H
#define QOPT_DATA_METRICS_H

#include "absl/status/statusor.h"
#include "qopt/Support/Tensor.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <memory>
#include <string>

namespace qopt {

/// Sums for one comparison of arrays: signal, error, dot products, extremes.
class ErrorSums {
public:
  /// Both arrays have as many elements.
  void add(const Tensor &reference, const Tensor &other);
  /// 10 log10(sum ref^2 / sum (ref - other)^2); infinite for equal arrays.
  double getSqnr() const;
  double getMse() const { return count_ ? error_ / count_ : 0; }
  double getCosine() const;
  double getMaxAbs() const { return maxAbs_; }
  int64_t getDiffering() const { return differing_; }
  int64_t getCount() const { return count_; }

private:
  double signal_ = 0, other_ = 0, error_ = 0, dot_ = 0, maxAbs_ = 0;
  int64_t count_ = 0, differing_ = 0;
};

/// A number over a data set.
class Metric {
public:
  virtual ~Metric() = default;
  virtual llvm::StringRef name() const = 0;
  /// Percent or dB or plain.
  virtual llvm::StringRef unit() const = 0;
  /// What the outputs are compared with.
  enum class Needs { Labels, Reference };
  virtual Needs needs() const = 0;
  virtual bool higherIsBetter() const { return true; }
  /// `truth`: the labels of the sample, or the reference output.
  virtual absl::Status add(const Tensor &output, const Tensor &truth) = 0;
  virtual double getValue() const = 0;
};

/// top1, top5 (or any topK) against labels; agreement (same class as the
/// reference), mse, sqnr, cosine against a reference.
absl::StatusOr<std::unique_ptr<Metric>> makeMetric(llvm::StringRef name);

} // namespace qopt

#endif // QOPT_DATA_METRICS_H
