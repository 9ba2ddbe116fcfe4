//===- ChooseTransforms.cpp - Transforms where they gain ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Even vectors choose a setting, odd ones say whether it is kept: a setting
// that fits the first half by chance is refused by the second. Settings:
// signs of the rotation as in RoSTE (Wei et al. 2025), strengths of smoothing
// as in OmniQuant's and deepcompressor's grids (methods 2.7, 2.8).
//===----------------------------------------------------------------------===//
#include "qopt/Assignment/ChooseTransforms.h"
#include "ChooseEqualization.h"
#include "LearnRotation.h"
#include "qopt/Analysis/ResidualStream.h"
#include "qopt/Analysis/SmoothingSites.h"

#include "absl/strings/str_format.h"
#include <cmath>

using namespace mlir;
using namespace qopt;

namespace {
/// Layers whose common input is to be transformed.
class ReaderGroup {
public:
  ReaderGroup(const Matrix &vectors, std::vector<Matrix> weights)
      : x(vectors), weights(std::move(weights)) {
    for (const Matrix &w : this->weights)
      for (auto [input, exact] :
           {std::pair(&x.choose, &toChoose), std::pair(&x.accept, &toAccept)})
        exact->push_back(*input * w);
  }

  /// Mean over the layers of their SQNR in dB: the signal is the product with
  /// the weights as they are, the mean of every output channel included, and
  /// all that a rounded product differs is noise. A transform replaces x by
  /// toInput(x), each weight by toWeight(w), and adds getOffset() * w.
  template <typename Transform>
  double getSqnr(const RoundingError &error, bool accept,
                 const Transform &transform) const {
    Matrix range = transform.toInput(x.all);
    Matrix input = transform.toInput(accept ? x.accept : x.choose);
    const std::vector<Matrix> &exact = accept ? toAccept : toChoose;
    double sum = 0;
    for (auto [w, product] : llvm::zip(weights, exact)) {
      Matrix noise =
          error.multiplyRounded(input, range, transform.toWeight(w)) - product;
      if (transform.getOffset().size()) {
        Eigen::RowVectorXf offset = transform.getOffset() * w;
        noise.rowwise() += offset;
      }
      double signal = product.cast<double>().squaredNorm();
      double ratio =
          signal > 0 ? noise.cast<double>().squaredNorm() / signal : 0;
      sum -= 10 * std::log10(std::max(ratio, 1e-20));
    }
    return sum / double(weights.size());
  }

  const Halves x;
  const std::vector<Matrix> weights;

private:
  std::vector<Matrix> toChoose, toAccept;
};

/// Transforms without an offset.
struct Linear {
  Eigen::RowVectorXf getOffset() const { return {}; }
};

struct Identity : Linear {
  Matrix toInput(const Matrix &x) const { return x; }
  Matrix toWeight(const Matrix &w) const { return w; }
};

struct Rotated : Linear {
  explicit Rotated(const RotationMatrix &from)
      : rotation(from.order, from.order) {
    for (int64_t i = 0; i < from.order; ++i)
      for (int64_t j = 0; j < from.order; ++j)
        rotation(i, j) = float(from(i, j));
  }
  Matrix toInput(const Matrix &x) const { return x * rotation; }
  Matrix toWeight(const Matrix &w) const { return rotation.transpose() * w; }

  Matrix rotation;
};

/// x -> (x - shift) / scales.
struct Smoothed {
  Eigen::RowVectorXf shift;
  Eigen::VectorXf scales;
  Matrix toInput(const Matrix &x) const {
    return (x.rowwise() - shift) * scales.cwiseInverse().asDiagonal();
  }
  Matrix toWeight(const Matrix &w) const { return scales.asDiagonal() * w; }
  Eigen::RowVectorXf getOffset() const { return shift; }
};

class TransformChooser {
public:
  TransformChooser(const ChooseTransformsOptions &options)
      : options(options), error{options.weightBits, options.activationBits} {}

  void chooseRotation(ResidualStream &stream, ArrayRef<Matrix> vectors);
  void chooseSmoothing(SmoothingSite &site, const Matrix &vectors);
  void chooseEqualization(EqualizationSite &site, const Matrix &vectors);

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

static std::vector<ReaderGroup> getGroups(const ResidualStream &stream,
                                          ArrayRef<Matrix> vectors) {
  std::vector<ReaderGroup> groups;
  for (auto [norm, y] : llvm::zip(stream.norms, vectors)) {
    std::vector<Matrix> weights;
    for (const StreamReader &reader : stream.readers) {
      if (reader.norm != norm.result)
        continue;
      // Preparation moves gains into the weights; those that are left move
      // with the rotation, and rounding is compared on the same tensor y.
      Matrix weight = getWeightMatrix(reader.linear);
      for (int64_t i = 0; i < weight.rows(); ++i)
        weight.row(i) *= float(reader.gamma[i]);
      weights.push_back(std::move(weight));
    }
    if (!weights.empty() && y.rows() >= kFewestVectors)
      groups.emplace_back(y, std::move(weights));
  }
  return groups;
}

/// What the learner minimizes: vectors that choose, weights side by side.
static std::vector<RotatedTensor>
getRotatedTensors(ArrayRef<ReaderGroup> groups) {
  std::vector<RotatedTensor> tensors;
  for (const ReaderGroup &group : groups) {
    RotatedTensor tensor{group.x.choose, Matrix(group.x.choose.cols(), 0)};
    for (const Matrix &w : group.weights) {
      int64_t start = tensor.w.cols();
      tensor.w.conservativeResize(w.rows(), start + w.cols());
      tensor.w.rightCols(w.cols()) = w;
    }
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

/// A seed, or the entries of a matrix that none gives.
static Attribute getDecision(MLIRContext *context, int64_t seed,
                             const RotationMatrix *learned) {
  Builder builder(context);
  if (!learned)
    return builder.getI64IntegerAttr(seed);
  auto type = RankedTensorType::get({learned->order, learned->order},
                                    builder.getF64Type());
  Tensor entries(DType::f64, type.getShape());
  for (auto [i, entry] : llvm::enumerate(learned->entries))
    entries.setFloat(i, entry);
  return qg::getElementsAttr(entries, type, "rotation");
}

void TransformChooser::chooseRotation(ResidualStream &stream,
                                      ArrayRef<Matrix> vectors) {
  std::vector<ReaderGroup> groups = getGroups(stream, vectors);
  if (groups.empty())
    return;
  auto measure = [&](bool accept, const auto &transform) {
    double sum = 0;
    for (const ReaderGroup &group : groups)
      sum += group.getSqnr(error, accept, transform);
    return sum / double(groups.size());
  };
  int64_t seed = 0;
  double best = -1e30;
  RotationMatrix rotation;
  for (int64_t candidate = 0; candidate < options.seeds; ++candidate) {
    RotationMatrix matrix = getRotationMatrix(stream.channels, candidate);
    double sqnr = measure(false, Rotated(matrix));
    if (sqnr <= best)
      continue;
    best = sqnr;
    seed = candidate;
    rotation = std::move(matrix);
  }
  Operation *first = stream.norms.front().result;
  TransformChoice choice;
  choice.site = qg::getUserName(first);
  choice.transform = "rotation";
  choice.setting = absl::StrFormat("seed %d", seed);
  choice.before = measure(true, Identity());
  bool learned = false;
  if (options.learningSteps > 0) {
    RotationMatrix better =
        learnRotation(rotation, getRotatedTensors(groups), error,
                      options.learningSteps, options.learningProducts);
    learned = measure(false, Rotated(better)) > best;
    if (learned) {
      choice.setting += absl::StrFormat(" (%.1f dB), learned from there",
                                        measure(true, Rotated(rotation)));
      rotation = std::move(better);
    }
  }
  choice.after = measure(true, Rotated(rotation));
  if (keep(choice))
    first->setAttr("qg.rotation", getDecision(first->getContext(), seed,
                                              learned ? &rotation : nullptr));
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

/// None, the middle of the range and the mean of every channel.
static std::vector<std::pair<const char *, Eigen::RowVectorXf>>
getShifts(const Matrix &x, bool canShift) {
  std::vector<std::pair<const char *, Eigen::RowVectorXf>> shifts = {
      {"", Eigen::RowVectorXf::Zero(x.cols())}};
  if (!canShift)
    return shifts;
  shifts.emplace_back(", middle shifted to 0",
                      0.5f * (x.colwise().maxCoeff() + x.colwise().minCoeff()));
  shifts.emplace_back(", mean shifted to 0", x.colwise().mean());
  return shifts;
}

static ElementsAttr getVectorAttr(MLIRContext *context,
                                  ArrayRef<float> numbers) {
  auto type = RankedTensorType::get({int64_t(numbers.size())},
                                    Float32Type::get(context));
  return qg::getElementsAttr(
      Tensor::from<float>(DType::f32, type.getShape(), numbers), type,
      "smoothing");
}

void TransformChooser::chooseSmoothing(SmoothingSite &site,
                                       const Matrix &vectors) {
  std::vector<Matrix> weights;
  Eigen::VectorXf largest = Eigen::VectorXf::Zero(site.getChannels());
  for (LinearOpInterface reader : site.readers) {
    weights.push_back(getWeightMatrix(reader));
    largest = largest.cwiseMax(weights.back().cwiseAbs().rowwise().maxCoeff());
  }
  ReaderGroup group(vectors, std::move(weights));
  TransformChoice choice;
  Smoothed best;
  double bestSqnr = -1e30;
  auto consider = [&](Smoothed smoothed, const std::string &setting) {
    double sqnr = group.getSqnr(error, false, smoothed);
    if (sqnr <= bestSqnr)
      return;
    bestSqnr = sqnr;
    best = std::move(smoothed);
    choice.setting = setting;
  };
  for (const auto &[shiftName, shift] :
       getShifts(group.x.choose, site.canShift)) {
    if (*shiftName)
      consider({shift, Eigen::VectorXf::Ones(site.getChannels())},
               std::string("no factor") + shiftName);
    Matrix shifted = group.x.choose.rowwise() - shift;
    for (const auto &[name, statistic] : getChannelStatistics(shifted))
      for (int step = 0; step <= 20; ++step)
        consider({shift, getScales(statistic, largest, step / 20.0)},
                 absl::StrFormat("alpha %.2f of %s%s", step / 20.0, name,
                                 shiftName));
  }
  Operation *op = site.x.getDefiningOp();
  choice.site = qg::getUserName(op);
  choice.transform = "smoothing";
  choice.before = group.getSqnr(error, true, Identity());
  choice.after = group.getSqnr(error, true, best);
  if (!keep(choice))
    return;
  auto toArray = [](const auto &vector) {
    return ArrayRef<float>(vector.data(), vector.size());
  };
  op->setAttr("qg.smoothing",
              getVectorAttr(op->getContext(), toArray(best.scales)));
  if (!best.shift.isZero(0))
    op->setAttr("qg.shift",
                getVectorAttr(op->getContext(), toArray(best.shift)));
}

void TransformChooser::chooseEqualization(EqualizationSite &site,
                                          const Matrix &vectors) {
  EqualizationChoice found =
      qopt::chooseEqualization(site, Halves(vectors), error);
  TransformChoice choice;
  Operation *op = site.getOperation();
  choice.site = qg::getUserName(op);
  choice.transform = "equalization";
  choice.setting = found.setting;
  choice.before = found.before;
  choice.after = found.after;
  if (keep(choice))
    op->setAttr("qg.equalization",
                getVectorAttr(op->getContext(),
                              SmallVector<float>(ArrayRef(found.factors))));
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
  std::vector<EqualizationSite> pairs;
  if (options.equalize)
    pairs = findEqualizationSites(main);
  SmallVector<Value> values;
  for (ResidualStream &stream : streams)
    for (Normalization &norm : stream.norms)
      values.push_back(norm.result.getResult());
  for (SmoothingSite &site : sites)
    values.push_back(site.x);
  for (EqualizationSite &pair : pairs)
    values.push_back(pair.x);
  if (values.empty())
    return std::vector<TransformChoice>();
  absl::StatusOr<std::vector<Matrix>> vectors =
      captureVectors(module, values, source, options, factory);
  if (!vectors.ok())
    return vectors.status();
  TransformChooser chooser(options);
  ArrayRef<Matrix> rest(*vectors);
  for (ResidualStream &stream : streams) {
    chooser.chooseRotation(stream, rest.take_front(stream.norms.size()));
    rest = rest.drop_front(stream.norms.size());
  }
  for (auto [site, matrix] : llvm::zip(sites, rest))
    if (matrix.rows() >= kFewestVectors)
      chooser.chooseSmoothing(site, matrix);
  rest = rest.drop_front(sites.size());
  for (auto [pair, matrix] : llvm::zip(pairs, rest))
    if (matrix.rows() >= kFewestVectors)
      chooser.chooseEqualization(pair, matrix);
  return std::move(chooser.choices);
}
