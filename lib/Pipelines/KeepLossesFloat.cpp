//===- KeepLossesFloat.cpp - What 8 bits lose on the samples stays float --===//
// SPDX-License-Identifier: Apache-2.0
//
// A loss is sudden where a tensor is far worse than those it is made of. What
// is rounded in front of it becomes float, step by step towards the inputs,
// and stays so where the tensor gains.
//===----------------------------------------------------------------------===//
#include "KeepLossesFloat.h"
#include "LossTrial.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Support/Diagnostics.h"

#include "llvm/Support/FormatVariadic.h"
#include <cmath>
#include <map>

using namespace qopt;

static constexpr const char *kAttribute = "qg.keep_float";
/// Trials of one network, the first included.
static constexpr int kMostTrials = 6;
/// Steps towards the inputs for one loss: 1, 2, 4 and 8 tensors far.
static constexpr int kMostSteps = 4;
/// A tensor with as many dB is good enough whatever it lost.
static constexpr double kGood = 25;
/// A loss in dB that counts, behind a function.
static constexpr double kSudden = 6;
/// The same for sums of products, where an error adds up as the signal does:
/// float products cost time.
static constexpr double kGoodProduct = 10, kSuddenProduct = 15;
/// The gain in dB that is worth it.
static constexpr double kGain = 3;
/// Where all results have as many dB, no layer with a larger share of the
/// products becomes float: the time that it costs buys too little.
static constexpr double kFairResult = 19, kLargeShare = 0.02;
/// Results below are told.
static constexpr double kBadResult = 10;

namespace {
/// A loss that is being worked on.
struct Repair {
  double last = 0; ///< dB without any of the marks
  int64_t odd = 0;
  int steps = 0;
  llvm::SmallSetVector<mlir::Operation *, 8> marks;
};

class Repairer {
public:
  Repairer(mlir::ModuleOp observed, const LossOptions &options)
      : observed(observed), options(options) {}

  absl::StatusOr<std::vector<std::string>> run();

private:
  bool judge(const std::vector<Place> &places, const Place &place);
  bool beginAll(const std::vector<Place> &places);
  bool begin(const std::vector<Place> &places, const Place &place);
  bool step(Repair &repair, const std::vector<Place> &places,
            const Place &place);
  void undo(Repair &repair);
  bool isTooDear(mlir::Operation *op) const;
  void judgeResults(const std::vector<Place> &places);
  std::vector<std::string> getLines(const std::vector<Place> &places) const;

  mlir::ModuleOp observed;
  const LossOptions &options;
  std::map<std::string, Repair> open;
  /// Places that gained, from and to; those that did not.
  std::map<std::string, std::pair<double, double>> mended;
  std::set<std::string> givenUp;
  llvm::SmallSetVector<mlir::Operation *, 8> kept;
  /// Products of the network; whether its results are fair without repairs.
  double macs = 0;
  bool isFair = false;
};
} // namespace

static std::string getKey(const Place &place) {
  return (place.isResult ? "result " : "tensor ") + place.name;
}

static double addNoise(double a, double b) {
  return -10 * std::log10(std::pow(10, -a / 10) + std::pow(10, -b / 10));
}

/// Is the place far worse than all that it is made of?
static bool isSudden(const std::vector<Place> &places, const Place &place) {
  if (place.suspects.empty())
    return false;
  double before = 200;
  int64_t odd = 0;
  for (auto [index, own] : place.before) {
    before = std::min(before, addNoise(places[index].loss.sqnr(), own));
    odd += places[index].loss.odd;
  }
  if (place.loss.odd)
    return odd == 0;
  double now = place.loss.sqnr();
  return place.isProduct ? now < kGoodProduct && before - now > kSuddenProduct
                         : now < kGood && before - now > kSudden;
}

/// What is rounded in front of a place, and in front of that, `depth` times.
static llvm::SmallSetVector<mlir::Operation *, 8>
collect(const std::vector<Place> &places, const Place &place, int depth) {
  llvm::SmallSetVector<mlir::Operation *, 8> found;
  llvm::SmallSetVector<const Place *, 8> level, next;
  level.insert(&place);
  for (; depth > 0 && !level.empty(); --depth) {
    next.clear();
    for (const Place *here : level) {
      found.insert(here->suspects.begin(), here->suspects.end());
      for (auto [index, own] : here->before)
        next.insert(&places[index]);
    }
    std::swap(level, next);
  }
  return found;
}

void Repairer::judgeResults(const std::vector<Place> &places) {
  observed.walk([&](LinearOpInterface op) { macs += double(op.countMacs()); });
  isFair = llvm::all_of(places, [](const Place &place) {
    return !place.isResult || place.loss.sqnr() >= kFairResult;
  });
}

bool Repairer::isTooDear(mlir::Operation *op) const {
  auto linear = llvm::dyn_cast<LinearOpInterface>(op);
  return linear && isFair && double(linear.countMacs()) > kLargeShare * macs;
}

/// How a tensor is rounded all the same: by the name of what makes it.
static std::string getWayBack(mlir::Operation *op) {
  auto linear = llvm::dyn_cast<LinearOpInterface>(op);
  auto observer = llvm::dyn_cast_or_null<qg::ObserveOp>(
      linear ? linear.getInput().getDefiningOp() : op);
  mlir::Operation *made = observer ? observer.getX().getDefiningOp() : nullptr;
  return made ? "; --layer '" + qg::getUserName(made) +
                    "=activations:ui8' rounds it all the same"
              : "";
}

/// Marks what is rounded in front of the place now, twice as far with every
/// step; false if nothing is.
bool Repairer::step(Repair &repair, const std::vector<Place> &places,
                    const Place &place) {
  bool found = false;
  for (mlir::Operation *op : collect(places, place, 1 << repair.steps++)) {
    if (op->hasAttr(kAttribute) || (!place.loss.odd && isTooDear(op)))
      continue;
    op->setAttr(kAttribute,
                mlir::StringAttr::get(op->getContext(),
                                      "8 bits here lose too much behind it" +
                                          getWayBack(op)));
    repair.marks.insert(op);
    found = true;
  }
  return found;
}

void Repairer::undo(Repair &repair) {
  for (mlir::Operation *op : repair.marks) {
    bool needed = kept.contains(op);
    for (auto &[name, other] : open)
      needed |= &other != &repair && other.marks.contains(op);
    if (!needed)
      op->removeAttr(kAttribute);
  }
}

/// Looks at a place that is being worked on; true if there is a new trial to
/// make for it.
bool Repairer::judge(const std::vector<Place> &places, const Place &place) {
  auto found = open.find(getKey(place));
  if (found == open.end())
    return false;
  Repair &repair = found->second;
  double now = place.loss.sqnr();
  if (place.loss.odd < repair.odd ||
      (place.loss.odd == repair.odd && now >= repair.last + kGain)) {
    kept.insert(repair.marks.begin(), repair.marks.end());
    repair.marks.clear();
    auto entry = mended.try_emplace(place.name, repair.last, now);
    entry.first->second.second = now;
    repair.last = now;
    repair.odd = place.loss.odd;
    if (!isSudden(places, place)) {
      open.erase(found);
      return false;
    }
  }
  if (repair.steps < kMostSteps && step(repair, places, place))
    return true;
  // What is undone is measured again.
  bool undoes = !repair.marks.empty();
  undo(repair);
  givenUp.insert(getKey(place));
  open.erase(found);
  return undoes;
}

bool Repairer::begin(const std::vector<Place> &places, const Place &place) {
  Repair repair;
  repair.last = place.loss.sqnr();
  repair.odd = place.loss.odd;
  if (!step(repair, places, place))
    return false;
  open.emplace(getKey(place), std::move(repair));
  return true;
}

/// Losses that no other one stands in front of: what is behind may be well when
/// they are mended. Places come in the order of the graph.
bool Repairer::beginAll(const std::vector<Place> &places) {
  bool begins = false;
  std::vector<bool> hasLoss;
  for (const Place &place : places) {
    bool isBehind = llvm::any_of(
        place.before, [&](const auto &near) { return hasLoss[near.first]; });
    bool isOpen = open.count(getKey(place));
    bool isNew = !isBehind && !isOpen && !givenUp.count(getKey(place)) &&
                 isSudden(places, place) && begin(places, place);
    begins |= isNew;
    hasLoss.push_back(isBehind || isOpen || isNew);
  }
  return begins;
}

absl::StatusOr<std::vector<std::string>> Repairer::run() {
  std::shared_ptr<Executor> exact = options.exact;
  if (!exact) {
    QOPT_ASSIGN(InstrumentedModule instrumented, instrument(observed));
    QOPT_ASSIGN(exact,
                getExecutorFactory(options.engine,
                                   /*optLevel=*/1)(*instrumented.module));
  }
  std::vector<Place> places;
  for (int trial = 0; trial < kMostTrials; ++trial) {
    QOPT_ASSIGN(places, runTrial(observed, options, *exact));
    if (!options.mayWiden)
      break;
    if (trial == 0)
      judgeResults(places);
    bool again = false, isLast = trial + 1 == kMostTrials;
    for (const Place &place : places)
      again |= judge(places, place);
    again |= !isLast && beginAll(places);
    if (!again)
      break;
  }
  for (auto &[name, repair] : open)
    undo(repair);
  return getLines(places);
}

/// Names of ops, a few.
static std::string list(llvm::ArrayRef<mlir::Operation *> ops) {
  constexpr size_t most = 6;
  std::string text;
  for (mlir::Operation *op : ops.take_front(most)) {
    auto observer = llvm::dyn_cast<qg::ObserveOp>(op);
    text += text.empty() ? "'" : ", '";
    text += (observer ? observer.getName().str() : qg::getUserName(op)) + "'";
  }
  if (ops.size() > most)
    text += " and " + std::to_string(ops.size() - most) + " more";
  return text;
}

std::vector<std::string>
Repairer::getLines(const std::vector<Place> &places) const {
  std::vector<std::string> lines;
  if (!kept.empty()) {
    auto worst = llvm::min_element(mended, [](const auto &a, const auto &b) {
      return a.second.first < b.second.first;
    });
    lines.push_back("kept float: " + list(kept.getArrayRef()) +
                    llvm::formatv("; in 8 bits '{0}' behind has {1:F1} dB, so "
                                  "{2:F1}",
                                  worst->first, worst->second.first,
                                  worst->second.second)
                        .str());
  }
  for (const Place &place : places) {
    if (!place.isResult)
      continue;
    const Loss &loss = place.loss;
    if (loss.odd)
      lines.push_back(llvm::formatv("warning: result '{0}': {1} values are "
                                    "finite in float only, or rounded only",
                                    place.name, loss.odd)
                          .str());
    else if (loss.sqnr() < kBadResult)
      lines.push_back(llvm::formatv("warning: result '{0}' has {1:F1} dB on "
                                    "the samples",
                                    place.name, loss.sqnr())
                          .str());
    else if (loss.rowSqnr() < kBadResult)
      lines.push_back(llvm::formatv("warning: result '{0}' has {1:F1} dB on "
                                    "the samples, but {2:F1} by rows",
                                    place.name, loss.sqnr(), loss.rowSqnr())
                          .str());
  }
  return lines;
}

absl::StatusOr<std::vector<std::string>>
qopt::keepLossesFloat(mlir::ModuleOp observed, const LossOptions &options) {
  return Repairer(observed, options).run();
}
