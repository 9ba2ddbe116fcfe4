//===- ChooseTransforms.cpp - Rotations and smoothing where they gain -----===//
// SPDX-License-Identifier: Apache-2.0
//
// Even vectors choose a setting, odd ones say whether it is kept: a setting
// that fits the first half by chance is refused by the second. Settings:
// signs of the rotation as in RoSTE (Wei et al. 2025), strengths of smoothing
// as in OmniQuant's and deepcompressor's grids (methods 2.7, 2.8).
//===----------------------------------------------------------------------===//
#include "qopt/Assignment/ChooseTransforms.h"
#include "Vectors.h"
#include "qopt/Analysis/ResidualStream.h"
#include "qopt/Analysis/SmoothingSites.h"
#include "qopt/Numerics/Hadamard.h"

#include "absl/strings/str_format.h"
#include <cmath>

using namespace mlir;
using namespace qopt;

namespace {
/// Vectors of a tensor: every other one chooses, the rest accepts. Ranges come
/// from all, as those of the model will.
struct Halves {
  Matrix all, choose, accept;

  explicit Halves(const Matrix &all)
      : all(all), choose((all.rows() + 1) / 2, all.cols()),
        accept(all.rows() / 2, all.cols()) {
    for (int64_t i = 0; i < all.rows(); ++i)
      (i % 2 ? accept : choose).row(i / 2) = all.row(i);
  }
};

/// Layers whose common input is to be transformed.
struct ReaderGroup {
  Halves x;
  std::vector<Matrix> weights;

  /// Mean over the layers of their SQNR in dB. A transform replaces x by
  /// x * left and each weight by right * w.
  template <typename Transform>
  double getSqnr(const RoundingError &error, bool accept,
                 const Transform &transform) const {
    Matrix range = transform.toInput(x.all);
    Matrix input = transform.toInput(accept ? x.accept : x.choose);
    double sum = 0;
    for (const Matrix &w : weights)
      sum -=
          10 * std::log10(std::max(
                   error.measure(input, range, transform.toWeight(w)), 1e-20));
    return sum / double(weights.size());
  }
};

struct Identity {
  Matrix toInput(const Matrix &x) const { return x; }
  Matrix toWeight(const Matrix &w) const { return w; }
};

struct Rotated {
  Matrix rotation;
  Matrix toInput(const Matrix &x) const { return x * rotation; }
  Matrix toWeight(const Matrix &w) const { return rotation.transpose() * w; }
};

struct Smoothed {
  Eigen::VectorXf scales;
  Matrix toInput(const Matrix &x) const {
    return x * scales.cwiseInverse().asDiagonal();
  }
  Matrix toWeight(const Matrix &w) const { return scales.asDiagonal() * w; }
};

class TransformChooser {
public:
  TransformChooser(const ChooseTransformsOptions &options)
      : options(options), error{options.weightBits, options.activationBits} {}

  void chooseRotation(ResidualStream &stream, ArrayRef<Matrix> vectors);
  void chooseSmoothing(SmoothingSite &site, const Matrix &vectors);

  std::vector<TransformChoice> choices;

private:
  bool keep(TransformChoice choice);

  const ChooseTransformsOptions &options;
  RoundingError error;
};
} // namespace

/// Notes a choice; true if it gains enough.
bool TransformChooser::keep(TransformChoice choice) {
  choice.accepted =
      choice.after - choice.before >= -10 * std::log10(1 - options.minGain);
  choices.push_back(choice);
  return choice.accepted;
}

static Matrix toMatrix(const RotationMatrix &rotation) {
  Matrix matrix(rotation.order, rotation.order);
  for (int64_t i = 0; i < rotation.order; ++i)
    for (int64_t j = 0; j < rotation.order; ++j)
      matrix(i, j) = float(rotation(i, j));
  return matrix;
}

void TransformChooser::chooseRotation(ResidualStream &stream,
                                      ArrayRef<Matrix> vectors) {
  // Gains move into the weights either way; offsets only with the rotation,
  // but rounding is compared on the same tensor y.
  std::vector<ReaderGroup> groups;
  for (auto [norm, y] : llvm::zip(stream.norms, vectors)) {
    ReaderGroup group{Halves(y), {}};
    for (const StreamReader &reader : stream.readers) {
      if (reader.norm != norm.result)
        continue;
      Matrix weight = getWeightMatrix(reader.linear);
      for (int64_t i = 0; i < weight.rows(); ++i)
        weight.row(i) *= float(reader.gamma[i]);
      group.weights.push_back(std::move(weight));
    }
    if (!group.weights.empty())
      groups.push_back(std::move(group));
  }
  if (groups.empty())
    return;
  auto measure = [&](bool accept, const auto &transform) {
    double sum = 0;
    for (const ReaderGroup &group : groups)
      sum += group.getSqnr(error, accept, transform);
    return sum / double(groups.size());
  };
  int64_t best = 0;
  double bestSqnr = -1e30;
  for (int64_t seed = 0; seed < options.seeds; ++seed) {
    double sqnr = measure(
        false, Rotated{toMatrix(getRotationMatrix(stream.channels, seed))});
    if (sqnr > bestSqnr) {
      bestSqnr = sqnr;
      best = seed;
    }
  }
  Operation *first = stream.norms.front().result;
  TransformChoice choice;
  choice.site = qg::getUserName(first);
  choice.transform = "rotation";
  choice.setting = absl::StrFormat("seed %d", best);
  choice.before = measure(true, Identity());
  choice.after = measure(
      true, Rotated{toMatrix(getRotationMatrix(stream.channels, best))});
  if (keep(choice))
    first->setAttr("qg.rotation",
                   Builder(first->getContext()).getI64IntegerAttr(best));
}

/// amax, the 99.9th percentile and the root mean square of |x| by channel.
static std::vector<std::pair<const char *, Eigen::VectorXf>>
getChannelStatistics(const Matrix &x) {
  Eigen::VectorXf largest = x.cwiseAbs().colwise().maxCoeff();
  Eigen::VectorXf rms =
      (x.cwiseAbs2().colwise().mean()).cwiseSqrt().transpose();
  Eigen::VectorXf percentile(x.cols());
  std::vector<float> column(x.rows());
  for (int64_t c = 0; c < x.cols(); ++c) {
    for (int64_t i = 0; i < x.rows(); ++i)
      column[i] = std::fabs(x(i, c));
    auto nth = column.begin() + int64_t(0.999 * double(column.size() - 1));
    std::nth_element(column.begin(), nth, column.end());
    percentile[c] = *nth;
  }
  return {{"amax", largest}, {"p99.9", percentile}, {"rms", rms}};
}

/// statistic^alpha / wmax^(1 - alpha), with geometric mean 1.
static Eigen::VectorXf getScales(const Eigen::VectorXf &statistic,
                                 const Eigen::VectorXf &weights, double alpha) {
  Eigen::VectorXd logs(statistic.size());
  for (int64_t c = 0; c < logs.size(); ++c)
    logs[c] = alpha * std::log(std::max(statistic[c], 1e-5f)) -
              (1 - alpha) * std::log(std::max(weights[c], 1e-5f));
  double mean = logs.mean();
  Eigen::VectorXf scales(logs.size());
  for (int64_t c = 0; c < logs.size(); ++c)
    scales[c] = float(std::clamp(std::exp(logs[c] - mean), 1e-4, 1e4));
  return scales;
}

void TransformChooser::chooseSmoothing(SmoothingSite &site,
                                       const Matrix &vectors) {
  ReaderGroup group{Halves(vectors), {}};
  Eigen::VectorXf largest = Eigen::VectorXf::Zero(site.getChannels());
  for (const LinearOp &reader : site.readers) {
    group.weights.push_back(getWeightMatrix(reader));
    largest =
        largest.cwiseMax(group.weights.back().cwiseAbs().rowwise().maxCoeff());
  }
  TransformChoice choice;
  Eigen::VectorXf best;
  double bestSqnr = -1e30;
  for (const auto &[name, statistic] : getChannelStatistics(group.x.choose))
    for (int step = 0; step <= 20; ++step) {
      Smoothed smoothed{getScales(statistic, largest, step / 20.0)};
      double sqnr = group.getSqnr(error, false, smoothed);
      if (sqnr <= bestSqnr)
        continue;
      bestSqnr = sqnr;
      best = smoothed.scales;
      choice.setting = absl::StrFormat("alpha %.2f of %s", step / 20.0, name);
    }
  choice.site = qg::getUserName(site.x.getDefiningOp());
  choice.transform = "smoothing";
  choice.before = group.getSqnr(error, true, Identity());
  choice.after = group.getSqnr(error, true, Smoothed{best});
  if (!keep(choice))
    return;
  Builder builder(site.x.getContext());
  auto type = RankedTensorType::get({site.getChannels()}, builder.getF32Type());
  site.x.getDefiningOp()->setAttr(
      "qg.smoothing",
      qg::getElementsAttr(
          Tensor::from<float>(DType::f32, type.getShape(),
                              ArrayRef<float>(best.data(), best.size())),
          type, "smoothing"));
}

absl::StatusOr<std::vector<TransformChoice>>
qopt::chooseTransforms(ModuleOp module, const SampleSource &source,
                       const ChooseTransformsOptions &options,
                       const ExecutorFactory &factory) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  std::vector<ResidualStream> streams;
  if (options.rotate)
    streams = findResidualStreams(main);
  llvm::erase_if(streams, [](const ResidualStream &s) { return s.obstacle; });
  std::vector<SmoothingSite> sites;
  if (options.smooth)
    sites = findSmoothingSites(main);
  SmallVector<Value> values;
  for (ResidualStream &stream : streams)
    for (Normalization &norm : stream.norms)
      values.push_back(norm.result.getResult());
  for (SmoothingSite &site : sites)
    values.push_back(site.x);
  if (values.empty())
    return std::vector<TransformChoice>();
  absl::StatusOr<std::vector<Matrix>> vectors = captureVectors(
      module, values, source, options.samples, options.vectors, factory);
  if (!vectors.ok())
    return vectors.status();
  TransformChooser chooser(options);
  ArrayRef<Matrix> rest(*vectors);
  for (ResidualStream &stream : streams) {
    chooser.chooseRotation(stream, rest.take_front(stream.norms.size()));
    rest = rest.drop_front(stream.norms.size());
  }
  for (auto [site, matrix] : llvm::zip(sites, rest))
    if (matrix.rows() >= 8)
      chooser.chooseSmoothing(site, matrix);
  return std::move(chooser.choices);
}
