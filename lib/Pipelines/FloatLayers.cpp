//===- FloatLayers.cpp - Layers that a scheme asked for, and stay float ---===//
// SPDX-License-Identifier: Apache-2.0
//
// Looks at the graph that all stages leave: whatever made a layer float, and
// whether or not it said so, it is found.
//===----------------------------------------------------------------------===//
#include "qopt/Pipelines/FloatLayers.h"
#include "qopt/Analysis/KeptEncoding.h"
#include "qopt/Analysis/RowRounding.h"
#include "qopt/Assignment/RoundTables.h"
#include "qopt/Dialect/QG/IR/DecodedNotes.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Pipelines/LayerReport.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/MapVector.h"
#include <cmath>

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

/// What the importer notes of a product whose weights it made floats of.
static std::string findNote(mlir::Operation *op) {
  auto notes = op->getParentOp()
                   ? op->getParentOp()->getAttrOfType<mlir::DictionaryAttr>(
                         qg::kDecodedAttr)
                   : mlir::DictionaryAttr();
  auto note = notes ? notes.getAs<mlir::StringAttr>(qg::getUserName(op))
                    : mlir::StringAttr();
  return note ? note.str() : "";
}

/// Constants that are integers.
static bool holdsIntegers(mlir::Value value) {
  std::optional<Tensor> values = qg::matchConstant(value);
  if (!values)
    return false;
  for (int64_t i = 0, e = values->numElements(); i < e; ++i)
    if (values->getFloat(i) != std::floor(values->getFloat(i)))
      return false;
  return true;
}

/// Integers times steps: what the model rounds without an encoding.
static bool isRoundedByArithmetic(mlir::Value value) {
  auto op = skipMovesBack(value).getDefiningOp<qg::BinaryOp>();
  return op &&
         (op.getKind() == BinaryKind::mul || op.getKind() == BinaryKind::div) &&
         (isIntegerValued(op.getLhs()) || isIntegerValued(op.getRhs()));
}

/// A product of integers, which the model has as such, in floats.
static bool multipliesIntegers(LinearOpInterface op) {
  return isFloatTensor(op.getInput()) && isIntegerValued(op.getInput()) &&
         (isIntegerValued(op.getWeight()) || holdsIntegers(op.getWeight()));
}

/// Why a product is float whose way through the stages left no words.
static std::string findReason(LinearOpInterface op, AskedBy asked) {
  if (isRoundedAtRunTime(op.getInput()))
    return "the model itself rounds its input at run time, and it is not "
           "rounded again";
  if (getTensorType(op->getResult(0)).getElementType().isF64())
    return "it computes in f64, which is not rounded; convert the model to f32";
  if (multipliesIntegers(op))
    return "the model multiplies integers, which floats hold exactly here";
  if (std::string note = findNote(op); !note.empty())
    return note;
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
  if (isRoundedByArithmetic(op.getInput()))
    return "the model rounds its input by arithmetic of its own, in blocks or "
           "steps that no integer product takes";
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
          asked == AskedBy::model && !isFloatTensor(linear.getWeight()) &&
          !linear.getInput().getDefiningOp<qg::DequantizeOp>();
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

static void addName(std::vector<std::string> &names, mlir::Operation *op) {
  std::string name = shortenName(qg::getUserName(op)).str();
  if (!llvm::is_contained(names, name))
    names.push_back(name);
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
    addName(names, op);
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

/// Ops that round in floats: what they make has no encoding.
static bool roundsInFloats(mlir::Operation *op) {
  if (auto unary = llvm::dyn_cast<qg::UnaryOp>(op))
    return unary.getKind() == UnaryKind::round_even ||
           unary.getKind() == UnaryKind::floor;
  auto cast = llvm::dyn_cast<qg::CastOp>(op);
  return cast && isFloatTensor(cast.getX()) &&
         (getTensorType(cast.getResult()).getElementType().isInteger(8) ||
          getTensorType(cast.getResult()).getElementType().isInteger(16));
}

std::vector<std::string>
qopt::describeUnencodedIntegers(mlir::ModuleOp module) {
  std::vector<std::string> products, roundings, lines;
  module.walk([&](mlir::Operation *op) {
    auto linear = llvm::dyn_cast<LinearOpInterface>(op);
    if (linear && multipliesIntegers(linear))
      addName(products, op);
    if (std::string note = linear ? findNote(op) : ""; !note.empty())
      lines.push_back("product '" + shortenName(qg::getUserName(op)).str() +
                      "': " + note);
    if (roundsInFloats(op))
      addName(roundings, op);
  });
  if (!products.empty())
    lines.push_back("products of integers as the model has them, in floats "
                    "that are exact: " +
                    listNames(products));
  if (!roundings.empty())
    lines.push_back("rounded by the model's own arithmetic, which is kept: " +
                    listNames(roundings));
  return lines;
}

//===----------------------------------------------------------------------===//
// What a trial keeps float
//===----------------------------------------------------------------------===//

static constexpr const char *kKeptAttr = "qg.kept_float";
static constexpr const char *kKeepAttr = "qg.keep_float";

/// Observers and layers may share a name.
static std::string getKeptName(mlir::Operation *op) {
  if (auto observer = llvm::dyn_cast<qg::ObserveOp>(op))
    return "tensor " + observer.getName().str();
  return llvm::isa<LinearOpInterface>(op) ? "layer " + qg::getUserName(op)
                                          : std::string();
}

void qopt::noteKeptFloat(mlir::ModuleOp observed) {
  auto main = observed.lookupSymbol<mlir::func::FuncOp>("main");
  mlir::NamedAttrList kept;
  observed.walk([&](mlir::Operation *op) {
    std::string name = getKeptName(op);
    if (mlir::Attribute reason = op->getAttr(kKeepAttr);
        reason && !name.empty())
      kept.set(name, reason);
  });
  if (main && !kept.empty())
    main->setAttr(kKeptAttr, kept.getDictionary(observed.getContext()));
}

void qopt::restoreKeptFloat(mlir::ModuleOp quantized,
                            mlir::ModuleOp observed) {
  auto main = quantized.lookupSymbol<mlir::func::FuncOp>("main");
  auto kept = main ? main->getAttrOfType<mlir::DictionaryAttr>(kKeptAttr)
                   : mlir::DictionaryAttr();
  if (!kept)
    return;
  observed.walk([&](mlir::Operation *op) {
    std::string name = getKeptName(op);
    if (mlir::Attribute reason = name.empty() ? nullptr : kept.get(name))
      op->setAttr(kKeepAttr, reason);
  });
}
