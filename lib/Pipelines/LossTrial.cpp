//===- LossTrial.cpp - Float and rounded network side by side -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Weights are rounded to the nearest: a trial is about tensors between layers.
//===----------------------------------------------------------------------===//
#include "LossTrial.h"
#include "qopt/Assignment/LayerRules.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Support/Diagnostics.h"

#include "llvm/ADT/MapVector.h"
#include <cmath>

using namespace qopt;

/// Samples that a trial reads: fewer of large networks.
static constexpr int64_t kMostSamples = 32, kFewestSamples = 4;
static constexpr int64_t kMostMacs = int64_t(1) << 31;
/// Of what is exact.
static constexpr double kExact = 200;

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

static double toDecibels(double signal, double noise) {
  if (!(noise > 0))
    return kExact;
  return signal > 0 ? std::min(kExact, 10 * std::log10(signal / noise)) : 0;
}

double Loss::sqnr() const { return toDecibels(signal, noise); }
double Loss::rowSqnr() const { return toDecibels(double(rows), lostRows); }

/// Both NaN, or the same infinity.
static bool isSameOddity(float a, float b) {
  return std::isnan(a) ? std::isnan(b) : a == b;
}

void Loss::add(const Tensor &want, const Tensor &got) {
  llvm::ArrayRef<float> exact = want.span<float>(), rounded = got.span<float>();
  size_t width = want.rank() ? size_t(want.shape().back()) : 1;
  for (size_t row = 0; width && row < exact.size(); row += width) {
    double energy = 0, error = 0;
    for (size_t i = row; i < row + width; ++i) {
      if (!std::isfinite(exact[i]) || !std::isfinite(rounded[i])) {
        odd += !isSameOddity(exact[i], rounded[i]);
        continue;
      }
      double value = exact[i], difference = double(rounded[i]) - value;
      energy += value * value;
      error += difference * difference;
    }
    signal += energy;
    noise += error;
    // A row of zeros is lost where it is no longer one, but cannot be scored.
    if (!(energy > 0))
      continue;
    ++rows;
    lostRows += std::min(1.0, error / energy);
  }
}

//===----------------------------------------------------------------------===//
// The graph in front of a place
//===----------------------------------------------------------------------===//

/// Decided to compute in float. Moves have no decision.
static bool isFloatOp(mlir::Operation *op) {
  auto format = op->getAttrOfType<qg::FormatAttr>("qg.format");
  return format && llvm::isa<mlir::FloatType>(format.getType());
}

static bool isRounded(qg::ObserveOp op) {
  auto format = op->getAttrOfType<qg::FormatAttr>("qg.format");
  return format && llvm::isa<qg::QuantizedType>(format.getType());
}

namespace {
/// Walks from a value back to what is rounded; formats are decided, but not
/// applied.
class Walk {
public:
  using Origins = llvm::DenseMap<mlir::Operation *, mlir::Operation *>;
  using Indices = llvm::DenseMap<mlir::Operation *, size_t>;
  Walk(const Origins &origins, const Indices &indices, Place &place)
      : origins(origins), indices(indices), place(place) {}

  void start(mlir::Value value) {
    visit(value, /*readerRounds=*/false, /*isNear=*/true);
  }

private:
  void visit(mlir::Value value, bool readerRounds, bool isNear);
  void visitObserver(qg::ObserveOp op, bool readerRounds, bool isNear);

  const Origins &origins;
  const Indices &indices;
  Place &place;
  llvm::DenseSet<std::pair<mlir::Operation *, int>> seen;
};
} // namespace

void Walk::visitObserver(qg::ObserveOp op, bool readerRounds, bool isNear) {
  bool rounds = readerRounds && isRounded(op);
  if (isNear) {
    auto sqnr = op->getAttrOfType<mlir::FloatAttr>("qg.sqnr");
    double own = rounds && sqnr ? sqnr.getValueAsDouble() : kExact;
    place.before.push_back({indices.lookup(op), own});
  }
  if (rounds)
    place.suspects.insert(origins.lookup(op));
  else
    visit(op.getX(), /*readerRounds=*/false, /*isNear=*/false);
}

void Walk::visit(mlir::Value value, bool readerRounds, bool isNear) {
  mlir::Operation *op = value.getDefiningOp();
  if (!op || !seen.insert({op, 2 * readerRounds + isNear}).second)
    return;
  if (auto observer = llvm::dyn_cast<qg::ObserveOp>(op))
    return visitObserver(observer, readerRounds, isNear);
  auto linear = llvm::dyn_cast<LinearOpInterface>(op);
  if (linear && !isFloatOp(op)) {
    place.suspects.insert(origins.lookup(op));
    if (isNear)
      visit(linear.getInput(), /*readerRounds=*/true, isNear);
    return;
  }
  // Any product in the body of a loop may be what loses.
  for (mlir::Region &body : op->getRegions())
    body.walk([&](LinearOpInterface inner) {
      if (!isFloatOp(inner))
        place.suspects.insert(origins.lookup(inner));
    });
  auto rule = llvm::dyn_cast<FormatRuleOpInterface>(op);
  bool moves = rule && rule.getFormatRule() == FormatRule::PassThrough;
  bool rounds = moves ? readerRounds : rule && !isFloatOp(op);
  for (mlir::Value operand : op->getOperands())
    visit(operand, rounds, isNear);
}

/// Behind relus and clamps, which fold into a product.
static bool isProductBehindClamps(mlir::Value value) {
  while (mlir::Operation *op = value.getDefiningOp()) {
    if (auto linear = llvm::dyn_cast<LinearOpInterface>(op))
      return !isFloatOp(op);
    auto unary = llvm::dyn_cast<qg::UnaryOp>(op);
    auto binary = llvm::dyn_cast<qg::BinaryOp>(op);
    bool clamps = (unary && unary.getKind() == UnaryKind::relu) ||
                  (binary && (binary.getKind() == BinaryKind::min ||
                              binary.getKind() == BinaryKind::max));
    if (!clamps)
      return false;
    value = op->getOperand(0);
  }
  return false;
}

//===----------------------------------------------------------------------===//
// The trial
//===----------------------------------------------------------------------===//

namespace {
class Trial {
public:
  Trial(mlir::ModuleOp observed, const LossOptions &options)
      : observed(observed), options(options) {}

  absl::Status prepare();
  absl::Status measure(Executor &exact);
  std::vector<Place> places;

private:
  void findPlaces();
  absl::Status addSample(llvm::ArrayRef<Tensor> inputs, Executor &exact,
                         Executor &rounded);

  mlir::ModuleOp observed;
  const LossOptions &options;
  mlir::OwningOpRef<mlir::ModuleOp> trial;
  mlir::func::FuncOp main;
  /// Of each place, where its value is among what the float network and the
  /// trial give; nullopt: among the arguments, and so exact.
  std::vector<std::optional<std::pair<unsigned, unsigned>>> sources;
};
} // namespace

absl::Status Trial::prepare() {
  trial = observed.clone();
  Walk::Origins origins;
  std::vector<mlir::Operation *> before, after;
  observed.walk([&](mlir::Operation *op) { before.push_back(op); });
  trial->walk([&](mlir::Operation *op) { after.push_back(op); });
  for (auto [from, to] : llvm::zip_equal(before, after))
    origins[to] = from;
  // Narrow weights have errors of their own, and tables no float form.
  trial->walk([](LinearOpInterface op) {
    auto own = op->getAttrOfType<mlir::StringAttr>("qg.weights");
    if (own && own != kFloatFormat)
      op->removeAttr("qg.weights");
  });
  QOPT_RETURN_IF_ERROR(runPipeline(*trial, options.decide));
  main = trial->lookupSymbol<mlir::func::FuncOp>("main");
  QOPT_ASSIGN(InstrumentedModule exact, instrument(observed));
  llvm::SmallVector<qg::ObserveOp> observers;
  main.walk([&](qg::ObserveOp op) { observers.push_back(op); });
  auto exit =
      llvm::cast<mlir::func::ReturnOp>(main.getBody().front().getTerminator());
  Walk::Indices indices;
  llvm::SmallVector<mlir::Value> returned;
  std::vector<std::string> names;
  unsigned own = exit.getNumOperands();
  for (auto [op, point] : llvm::zip_equal(observers, exact.points)) {
    // The steps of a loop are judged by what it gives.
    if (op->getParentOp() != main)
      continue;
    indices[op] = places.size();
    Place &place = places.emplace_back();
    place.name = point.name;
    place.isProduct = isProductBehindClamps(op.getX());
    sources.emplace_back();
    if (point.isArgument)
      continue;
    sources.back() = {point.index, own + unsigned(returned.size())};
    returned.push_back(op.getX());
    names.push_back(point.name);
    Walk(origins, indices, place).start(op.getX());
  }
  for (auto [i, value] : llvm::enumerate(exit.getOperands())) {
    Place &place = places.emplace_back();
    auto name = main.getResultAttrOfType<mlir::StringAttr>(i, "qg.name");
    place.name = name ? name.str() : "result " + std::to_string(i);
    place.isResult = true;
    place.isProduct = isProductBehindClamps(value);
    sources.push_back(std::pair(unsigned(i), unsigned(i)));
    Walk(origins, indices, place).start(value);
  }
  returnAlso(main, returned, names);
  return runPipeline(*trial, "func.func(qg-apply-formats)");
}

absl::Status Trial::addSample(llvm::ArrayRef<Tensor> inputs, Executor &exact,
                              Executor &rounded) {
  QOPT_ASSIGN(llvm::SmallVector<Tensor> want, exact.run(inputs));
  QOPT_ASSIGN(llvm::SmallVector<Tensor> got, rounded.run(inputs));
  for (auto [place, source] : llvm::zip_equal(places, sources)) {
    if (!source || source->first >= want.size() || source->second >= got.size())
      continue;
    const Tensor &a = want[source->first], &b = got[source->second];
    if (a.dtype() == DType::f32 && b.dtype() == DType::f32 &&
        a.numElements() == b.numElements())
      place.loss.add(a, b);
  }
  return absl::OkStatus();
}

/// How many samples are worth their time.
static int64_t getSampleLimit(mlir::ModuleOp module) {
  int64_t macs = 1;
  module.walk([&](LinearOpInterface op) { macs += op.countMacs(); });
  return std::clamp(kMostMacs / macs, kFewestSamples, kMostSamples);
}

absl::Status Trial::measure(Executor &exact) {
  QOPT_ASSIGN(std::unique_ptr<Executor> rounded,
              getExecutorFactory(options.engine, /*optLevel=*/1)(*trial));
  int64_t limit = getSampleLimit(*trial);
  for (int64_t index = 0; index < limit; ++index) {
    QOPT_ASSIGN(std::optional<llvm::SmallVector<Tensor>> inputs,
                options.samples(index));
    if (!inputs)
      break;
    QOPT_RETURN_IF_ERROR(addSample(*inputs, exact, *rounded));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Place>> qopt::runTrial(mlir::ModuleOp observed,
                                                  const LossOptions &options,
                                                  Executor &exact) {
  Trial trial(observed, options);
  QOPT_RETURN_IF_ERROR(trial.prepare());
  QOPT_RETURN_IF_ERROR(trial.measure(exact));
  return std::move(trial.places);
}
