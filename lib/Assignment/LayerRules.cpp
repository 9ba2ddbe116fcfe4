//===- LayerRules.cpp - Settings for some of the layers -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// All rules are matched before the first one is written: a rule that changes
// nothing is a misspelled name, and says so.
//===----------------------------------------------------------------------===//
#include "qopt/Assignment/LayerRules.h"
#include "TensorGraph.h"
#include "qopt/Assignment/RoundTables.h"
#include "qopt/Support/Diagnostics.h"

#include "llvm/Support/GlobPattern.h"

using namespace qopt;

/// Layers that an error lists.
static constexpr size_t kMostNamed = 20;

namespace {
/// An op and its name.
struct Named {
  std::string name;
  mlir::Operation *op;
};

class Matcher {
public:
  explicit Matcher(mlir::ModuleOp module);

  /// Layers with products of that name, else those that the glob matches; for
  /// a rule of activations alone, ops of any kind.
  std::vector<mlir::Operation *> find(const LayerRule &rule);
  absl::Status status() const;

private:
  void refuse(const llvm::Twine &problem) { problems.push_back(problem.str()); }
  std::vector<mlir::Operation *> match(llvm::ArrayRef<Named> among,
                                       llvm::StringRef what,
                                       const LayerRule &rule);

  std::vector<Named> layers, ops;
  std::vector<std::string> problems;
  bool isObserved = false;
  /// What an error lists.
  bool listsOps = false;
};
} // namespace

std::optional<unsigned> qopt::parseActivationBits(llvm::StringRef format) {
  unsigned bits;
  if (!format.consume_front("ui") || format.getAsInteger(10, bits) ||
      bits < 2 || bits > 8)
    return std::nullopt;
  return bits;
}

/// Does the op compute what it makes? Constants, observers and moves do not.
static bool computes(mlir::Operation *op) {
  auto rule = llvm::dyn_cast<FormatRuleOpInterface>(op);
  return rule && rule.getFormatRule() != FormatRule::Constant &&
         !llvm::isa<qg::ObserveOp>(op) && !keepsEncoding(op);
}

Matcher::Matcher(mlir::ModuleOp module) {
  module.walk([&](mlir::Operation *op) {
    isObserved |= llvm::isa<qg::ObserveOp>(op);
    auto linear = llvm::dyn_cast<LinearOpInterface>(op);
    if (linear ? !linear.roundsInput() : readsTable(op))
      layers.push_back({qg::getUserName(op), op});
    if (linear || computes(op))
      ops.push_back({qg::getUserName(op), op});
  });
}

/// The observers of what an op makes, behind its clamps as well.
static llvm::SmallVector<mlir::Operation *> getObservers(mlir::Operation *op) {
  llvm::SmallVector<mlir::Operation *> observers;
  for (mlir::Value result : op->getResults())
    for (mlir::Operation *user : skipClamps(result).getUsers())
      if (llvm::isa<qg::ObserveOp>(user))
        observers.push_back(user);
  return observers;
}

/// The name that is nearest, if one is near.
static std::string suggest(llvm::ArrayRef<Named> among,
                           llvm::StringRef pattern) {
  const Named *best = nullptr;
  unsigned distance = 2 + unsigned(pattern.size()) / 3;
  for (const Named &named : among) {
    unsigned d = pattern.edit_distance(named.name, true, distance);
    if (d < distance) {
      distance = d;
      best = &named;
    }
  }
  return best ? "; did you mean '" + best->name + "'?" : std::string();
}

std::vector<mlir::Operation *> Matcher::match(llvm::ArrayRef<Named> among,
                                              llvm::StringRef what,
                                              const LayerRule &rule) {
  std::vector<mlir::Operation *> found;
  for (const Named &named : among)
    if (named.name == rule.layer)
      found.push_back(named.op);
  if (!found.empty())
    return found;
  llvm::Expected<llvm::GlobPattern> glob =
      llvm::GlobPattern::create(rule.layer);
  if (!glob) {
    refuse("'" + rule.layer +
           "' is no glob: " + llvm::toString(glob.takeError()));
    return {};
  }
  for (const Named &named : among)
    if (glob->match(named.name))
      found.push_back(named.op);
  if (found.empty())
    refuse("no " + what + " is called '" + rule.layer + "'" +
           suggest(among, rule.layer));
  return found;
}

std::vector<mlir::Operation *> Matcher::find(const LayerRule &rule) {
  if (rule.weights.empty() && rule.rounding.empty()) {
    std::vector<mlir::Operation *> found = match(ops, "op that computes", rule);
    listsOps |= found.empty();
    if (!found.empty() && isObserved && parseActivationBits(rule.activations) &&
        llvm::all_of(found, [](mlir::Operation *op) {
          return getObservers(op).empty();
        }))
      refuse("'" + rule.layer +
             "': what it makes is not rounded: the op that "
             "reads it computes the same function");
    return found;
  }
  std::vector<mlir::Operation *> found =
      match(layers, "layer with products", rule);
  // What stays float need not have stored weights, what is rounded must.
  if (rule.weights == kFloatFormat || found.empty())
    return found;
  llvm::erase_if(found, [](mlir::Operation *op) {
    auto linear = llvm::dyn_cast<LinearOpInterface>(op);
    return linear && !linear.canRoundWeight();
  });
  if (found.empty())
    refuse("'" + rule.layer + "': no such layer has a constant weight");
  return found;
}

absl::Status Matcher::status() const {
  if (problems.empty())
    return absl::OkStatus();
  Error error(Code::PlanInvalid,
              "the recipe does not fit the model: " + problems.front());
  for (const std::string &problem : llvm::drop_begin(problems))
    std::move(error).note(problem);
  std::string names;
  llvm::ArrayRef<Named> known = listsOps ? ops : layers;
  for (const Named &layer : known.take_front(kMostNamed))
    names += (names.empty() ? "'" : ", '") + layer.name + "'";
  if (known.size() > kMostNamed)
    names += " and " + std::to_string(known.size() - kMostNamed) + " more";
  return std::move(error).help(std::string(listsOps
                                               ? "its ops that compute: "
                                               : "its layers with products: ") +
                               (names.empty() ? "none" : names));
}

static void setActivations(mlir::Operation *op, llvm::StringRef format) {
  mlir::Builder builder(op->getContext());
  op->removeAttr(kComputeFloatAttr);
  if (format == kFloatFormat)
    op->setAttr(kComputeFloatAttr, builder.getUnitAttr());
  if (std::optional<unsigned> bits = parseActivationBits(format))
    for (mlir::Operation *observer : getObservers(op)) {
      observer->setAttr("qg.bits", builder.getI64IntegerAttr(*bits));
      observer->setAttr(kRoundAttr, builder.getUnitAttr());
    }
}

static void apply(mlir::Operation *op, const LayerRule &rule) {
  mlir::Builder builder(op->getContext());
  if (!rule.weights.empty())
    op->setAttr("qg.weights", builder.getStringAttr(rule.weights));
  if (!rule.rounding.empty())
    op->setAttr("qg.rounding", builder.getStringAttr(rule.rounding));
  if (rule.weights == kFloatFormat)
    op->removeAttr("qg.rounding");
  if (!rule.activations.empty())
    setActivations(op, rule.activations);
}

absl::Status qopt::applyLayerRules(mlir::ModuleOp module,
                                   llvm::ArrayRef<LayerRule> rules) {
  Matcher matcher(module);
  std::vector<std::vector<mlir::Operation *>> found;
  for (const LayerRule &rule : rules)
    found.push_back(matcher.find(rule));
  QOPT_RETURN_IF_ERROR(matcher.status());
  for (auto [rule, ops] : llvm::zip(rules, found))
    for (mlir::Operation *op : ops)
      apply(op, rule);
  return absl::OkStatus();
}
