//===- Metrics.cpp - How good outputs are ---------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The last dimension of an output holds the classes.
//===----------------------------------------------------------------------===//
#include "qopt/Data/Metrics.h"
#include "qopt/Support/Diagnostics.h"

#include <cmath>
#include <limits>

using namespace qopt;

void ErrorSums::add(const Tensor &reference, const Tensor &other) {
  for (int64_t i = 0, e = reference.numElements(); i < e; ++i) {
    double a = reference.getFloat(i), b = other.getFloat(i);
    // Equal infinities and NaNs differ by nothing.
    bool isSame = a == b || (std::isnan(a) && std::isnan(b));
    double difference = isSame ? 0 : a - b;
    if (std::isfinite(a)) {
      signal_ += a * a;
      dot_ += std::isfinite(b) ? a * b : 0;
    }
    if (std::isfinite(b))
      other_ += b * b;
    if (std::isnan(difference))
      difference = std::numeric_limits<double>::infinity();
    error_ += difference * difference;
    maxAbs_ = std::max(maxAbs_, std::fabs(difference));
    differing_ += !isSame;
    ++count_;
  }
}

double ErrorSums::getSqnr() const {
  if (error_ == 0)
    return std::numeric_limits<double>::infinity();
  if (signal_ == 0)
    return -std::numeric_limits<double>::infinity();
  return 10 * std::log10(signal_ / error_);
}

double ErrorSums::getCosine() const {
  double norm = std::sqrt(signal_) * std::sqrt(other_);
  return norm > 0 ? dot_ / norm : (signal_ == other_ ? 1 : 0);
}

namespace {
/// Index of the largest element of each row; the first one wins.
llvm::SmallVector<int64_t> getClasses(const Tensor &output) {
  int64_t classes = output.rank() ? output.shape().back() : 1;
  int64_t rows = classes ? output.numElements() / classes : 0;
  llvm::SmallVector<int64_t> result;
  for (int64_t r = 0; r < rows; ++r) {
    int64_t best = 0;
    for (int64_t c = 1; c < classes; ++c)
      if (output.getFloat(r * classes + c) >
          output.getFloat(r * classes + best))
        best = c;
    result.push_back(best);
  }
  return result;
}

class TopK : public Metric {
public:
  explicit TopK(unsigned k) : k_(k), name_("top" + std::to_string(k)) {}
  llvm::StringRef name() const override { return name_; }
  llvm::StringRef unit() const override { return "%"; }
  Needs needs() const override { return Needs::Labels; }
  absl::Status add(const Tensor &output, const Tensor &labels) override {
    int64_t classes = output.rank() ? output.shape().back() : 1;
    int64_t rows = classes ? output.numElements() / classes : 0;
    if (rows != labels.numElements())
      return Error(Code::Labels, "expected " + llvm::Twine(rows) +
                                     " labels for an output of " +
                                     formatShape(output.shape()) + ", got " +
                                     llvm::Twine(labels.numElements()));
    for (int64_t r = 0; r < rows; ++r) {
      int64_t label = labels.getInt(r);
      if (label < 0 || label >= classes)
        return Error(Code::Labels, "expected a label below " +
                                       llvm::Twine(classes) + ", got " +
                                       llvm::Twine(label));
      // Rank of the label's score; among equal scores the first index wins.
      double score = output.getFloat(r * classes + label);
      unsigned better = std::isnan(score) ? classes : 0;
      for (int64_t c = 0; c < classes; ++c) {
        double other = output.getFloat(r * classes + c);
        better += other > score || (other == score && c < label);
      }
      hits_ += better < k_;
      ++count_;
    }
    return absl::OkStatus();
  }
  double getValue() const override {
    return count_ ? 100.0 * hits_ / count_ : 0;
  }

private:
  unsigned k_;
  std::string name_;
  int64_t hits_ = 0, count_ = 0;
};

absl::Status checkShapes(const Tensor &output, const Tensor &reference) {
  if (output.shape() == reference.shape())
    return absl::OkStatus();
  return Error(Code::DataShape, "expected an output of " +
                                    formatShape(reference.shape()) + ", got " +
                                    formatShape(output.shape()));
}

class Agreement : public Metric {
public:
  llvm::StringRef name() const override { return "agreement"; }
  llvm::StringRef unit() const override { return "%"; }
  Needs needs() const override { return Needs::Reference; }
  absl::Status add(const Tensor &output, const Tensor &reference) override {
    QOPT_RETURN_IF_ERROR(checkShapes(output, reference));
    auto ours = getClasses(output), theirs = getClasses(reference);
    for (auto [a, b] : llvm::zip_equal(ours, theirs))
      same_ += a == b;
    count_ += ours.size();
    return absl::OkStatus();
  }
  double getValue() const override {
    return count_ ? 100.0 * same_ / count_ : 0;
  }

private:
  int64_t same_ = 0, count_ = 0;
};

class ErrorMetric : public Metric {
public:
  using Getter = double (ErrorSums::*)() const;
  ErrorMetric(const char *name, const char *unit, Getter getter, bool higher)
      : name_(name), unit_(unit), getter_(getter), higher_(higher) {}
  llvm::StringRef name() const override { return name_; }
  llvm::StringRef unit() const override { return unit_; }
  Needs needs() const override { return Needs::Reference; }
  bool higherIsBetter() const override { return higher_; }
  absl::Status add(const Tensor &output, const Tensor &reference) override {
    QOPT_RETURN_IF_ERROR(checkShapes(output, reference));
    sums_.add(reference, output);
    return absl::OkStatus();
  }
  double getValue() const override { return (sums_.*getter_)(); }

private:
  const char *name_, *unit_;
  Getter getter_;
  bool higher_;
  ErrorSums sums_;
};
} // namespace

absl::StatusOr<std::unique_ptr<Metric>> qopt::makeMetric(llvm::StringRef name) {
  unsigned k;
  llvm::StringRef rest = name;
  if (rest.consume_front("top") && !rest.getAsInteger(10, k) && k > 0)
    return std::make_unique<TopK>(k);
  if (name == "agreement")
    return std::make_unique<Agreement>();
  if (name == "mse")
    return std::make_unique<ErrorMetric>("mse", "", &ErrorSums::getMse,
                                         /*higher=*/false);
  if (name == "sqnr")
    return std::make_unique<ErrorMetric>("sqnr", "dB", &ErrorSums::getSqnr,
                                         /*higher=*/true);
  if (name == "cosine")
    return std::make_unique<ErrorMetric>("cosine", "", &ErrorSums::getCosine,
                                         /*higher=*/true);
  return Error(Code::BadFlagValue, "--metric: '" + name +
                                       "' is none of top1, top5, agreement, "
                                       "mse, sqnr, cosine");
}
