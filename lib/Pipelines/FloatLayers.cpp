//===- FloatLayers.cpp - Layers that a scheme asked for, and stay float ---===//
// SPDX-License-Identifier: Apache-2.0
//
// Looks at the graph that all stages leave: whatever made a layer float, and
// whether or not it said so, it is found.
//===----------------------------------------------------------------------===//
#include "qopt/Pipelines/FloatLayers.h"
#include "qopt/Analysis/RowRounding.h"
#include "qopt/Assignment/RoundTables.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Pipelines/LayerReport.h"

#include "llvm/ADT/MapVector.h"

using namespace qopt;

static bool isFloatTensor(mlir::Value value) {
  return llvm::isa<mlir::FloatType>(getTensorType(value).getElementType());
}

/// A weight that the model stores in integers, read as it is or decoded.
static bool isStored(mlir::Value weight) {
  auto decoded = weight.getDefiningOp<qg::DequantizeOp>();
  return !isFloatTensor(weight) ||
         (decoded && qg::matchConstant(decoded.getX()));
}

/// Why a product is float whose way through the stages left no words.
static std::string findReason(LinearOpInterface op, AskedBy asked) {
  if (isRoundedAtRunTime(op.getInput()))
    return "the model itself rounds its input at run time, and it is not "
           "rounded again";
  if (getTensorType(op->getResult(0)).getElementType().isF64())
    return "it computes in f64, which is not rounded; convert the model to f32";
  bool hasInput = !!op.getInput().getDefiningOp<qg::DequantizeOp>();
  bool hasWeight = isStored(op.getWeight());
  if (hasInput && hasWeight)
    return "there is no integer product of the encodings that the model gives "
           "it";
  if (asked == AskedBy::scheme)
    return getFloatReason(op);
  if (hasInput)
    return "the model encodes its input and not its weights; --scheme w8a8 "
           "--data PATH rounds them";
  return hasWeight ? "the model encodes its weights and not its input, and "
                     "they are decoded to floats at every call"
                   : "the model gives it no encoding; --scheme w8a8 --data "
                     "PATH rounds it";
}

static void mark(mlir::Operation *op, llvm::StringRef reason) {
  mlir::Builder builder(op->getContext());
  op->setAttr(kStaysFloatAttr, builder.getUnitAttr());
  if (!op->hasAttr("qg.float_reason"))
    op->setAttr("qg.float_reason", builder.getStringAttr(reason));
}

void qopt::markFloatLayers(mlir::ModuleOp module, AskedBy asked,
                           bool roundsTables) {
  module.walk([&](mlir::Operation *op) {
    if (auto linear = llvm::dyn_cast<LinearOpInterface>(op)) {
      bool isAsModelAsks =
          asked == AskedBy::model && !isFloatTensor(linear.getWeight());
      if (!linear.roundsInput() && isFloatTensor(linear.getInput()) &&
          !isAsModelAsks)
        mark(op, findReason(linear, asked));
      return;
    }
    std::string reason = getReasonAgainstTable(op, roundsTables);
    if (!reason.empty() && asked == AskedBy::scheme)
      mark(op, reason);
  });
}

static llvm::StringRef getKind(mlir::Operation *op) {
  auto linear = llvm::dyn_cast<LinearOpInterface>(op);
  if (!linear)
    return "table";
  return linear.getLinearGeometry().window ? "convolution" : "product";
}

/// A few names in quotes.
static std::string listNames(llvm::ArrayRef<std::string> names) {
  constexpr size_t most = 8;
  std::string text;
  for (const std::string &name : names.take_front(most))
    text += (text.empty() ? "'" : ", '") + name + "'";
  if (names.size() > most)
    text += " and " + std::to_string(names.size() - most) +
            " more ('qopt check STEM --explain-float' lists them)";
  return text;
}

std::vector<std::string> qopt::describeFloatLayers(mlir::ModuleOp module) {
  using Key = std::pair<llvm::StringRef, llvm::StringRef>;
  llvm::MapVector<Key, std::vector<std::string>> found;
  module.walk([&](mlir::Operation *op) {
    if (!op->hasAttr(kStaysFloatAttr))
      return;
    auto reason = op->getAttrOfType<mlir::StringAttr>("qg.float_reason");
    std::vector<std::string> &names =
        found[{getKind(op), reason ? reason.getValue() : ""}];
    std::string name = shortenName(qg::getUserName(op)).str();
    if (!llvm::is_contained(names, name))
      names.push_back(name);
  });
  std::vector<std::string> lines;
  for (const auto &[key, names] : found) {
    bool isOne = names.size() == 1;
    lines.push_back((isOne ? "stays float: " : "stay float: ") +
                    key.first.str() + (isOne ? " " : "s ") +
                    listNames(names) + ": " + key.second.str());
  }
  return lines;
}
