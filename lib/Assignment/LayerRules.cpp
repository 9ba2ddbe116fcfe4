//===- LayerRules.cpp - Settings for some of the layers -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// All rules are matched before the first one is written: a rule that changes
// nothing is a misspelled name, and says so.
//===----------------------------------------------------------------------===//
#include "qopt/Assignment/LayerRules.h"
#include "qopt/Assignment/RoundTables.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Support/Diagnostics.h"

#include "llvm/Support/GlobPattern.h"

using namespace qopt;

/// Layers that an error lists.
static constexpr size_t kMostNamed = 20;

namespace {
/// A linear op, or what reads a table, and its name.
struct Layer {
  std::string name;
  mlir::Operation *op;
};

class Matcher {
public:
  explicit Matcher(mlir::ModuleOp module) {
    module.walk([&](mlir::Operation *op) {
      auto linear = llvm::dyn_cast<LinearOpInterface>(op);
      if (linear ? !linear.roundsInput() : readsTable(op))
        layers.push_back({qg::getUserName(op), op});
    });
  }

  /// Layers of that name, else those that the glob matches.
  std::vector<mlir::Operation *> find(const LayerRule &rule);
  absl::Status status() const;

private:
  void refuse(const llvm::Twine &problem) { problems.push_back(problem.str()); }
  std::string suggest(llvm::StringRef pattern) const;

  std::vector<Layer> layers;
  std::vector<std::string> problems;
};
} // namespace

/// The layer whose name is nearest, if one is near.
std::string Matcher::suggest(llvm::StringRef pattern) const {
  const Layer *best = nullptr;
  unsigned distance = 2 + unsigned(pattern.size()) / 3;
  for (const Layer &layer : layers) {
    unsigned d = pattern.edit_distance(layer.name, true, distance);
    if (d < distance) {
      distance = d;
      best = &layer;
    }
  }
  return best ? "; did you mean '" + best->name + "'?" : std::string();
}

std::vector<mlir::Operation *> Matcher::find(const LayerRule &rule) {
  std::vector<mlir::Operation *> found;
  for (const Layer &layer : layers)
    if (layer.name == rule.layer)
      found.push_back(layer.op);
  if (found.empty()) {
    llvm::Expected<llvm::GlobPattern> glob =
        llvm::GlobPattern::create(rule.layer);
    if (!glob) {
      refuse("'" + rule.layer +
             "' is no glob: " + llvm::toString(glob.takeError()));
      return {};
    }
    for (const Layer &layer : layers)
      if (glob->match(layer.name))
        found.push_back(layer.op);
  }
  if (found.empty()) {
    refuse("no layer with products is called '" + rule.layer + "'" +
           suggest(rule.layer));
    return {};
  }
  // What stays float need not have stored weights, what is rounded must.
  if (rule.weights == kFloatFormat)
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
  for (const Layer &layer : llvm::ArrayRef(layers).take_front(kMostNamed))
    names += (names.empty() ? "'" : ", '") + layer.name + "'";
  if (layers.size() > kMostNamed)
    names += " and " + std::to_string(layers.size() - kMostNamed) + " more";
  return std::move(error).help("its layers with products: " +
                               (names.empty() ? "none" : names));
}

absl::Status qopt::applyLayerRules(mlir::ModuleOp module,
                                   llvm::ArrayRef<LayerRule> rules) {
  Matcher matcher(module);
  std::vector<std::vector<mlir::Operation *>> found;
  for (const LayerRule &rule : rules)
    found.push_back(matcher.find(rule));
  QOPT_RETURN_IF_ERROR(matcher.status());
  for (auto [rule, ops] : llvm::zip(rules, found))
    for (mlir::Operation *op : ops) {
      mlir::Builder builder(op->getContext());
      if (!rule.weights.empty())
        op->setAttr("qg.weights", builder.getStringAttr(rule.weights));
      if (!rule.rounding.empty())
        op->setAttr("qg.rounding", builder.getStringAttr(rule.rounding));
      if (rule.weights == kFloatFormat)
        op->removeAttr("qg.rounding");
    }
  return absl::OkStatus();
}
