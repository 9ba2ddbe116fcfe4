//===- LayerReport.cpp - What a quantized graph consists of ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Asks types and format rules; knows no pass.
//===----------------------------------------------------------------------===//
#include "qopt/Pipelines/LayerReport.h"
#include "qopt/Analysis/PointwiseRegions.h"
#include "qopt/Pipelines/FloatLayers.h"

#include <set>

using namespace qopt;

static int64_t countElements(mlir::Value value) {
  return llvm::cast<mlir::ShapedType>(value.getType()).getNumElements();
}

llvm::StringRef qopt::shortenName(llvm::StringRef name) {
  llvm::StringRef last = name.rsplit(';').second;
  return last.empty() ? name : last;
}

std::string qopt::describeEncoding(qg::QuantizedType type) {
  std::string text = type.getFormat().str();
  if (type.getGroupSize())
    text += " in blocks of " + std::to_string(type.getGroupSize());
  else
    text += type.isPerAxis() ? " per channel" : " per tensor";
  return text + (type.getZeroPoints() ? " with zero points" : "");
}

/// Bits of an element in memory, by its format.
static unsigned getBits(mlir::Value value) {
  mlir::Type element =
      llvm::cast<mlir::ShapedType>(value.getType()).getElementType();
  if (qg::QuantizedType type = qg::getQuantizedType(element))
    return type.getIntegerFormat().storageBits();
  return element.isIntOrFloat() ? element.getIntOrFloatBitWidth() : 64;
}

static bool isFloatValue(mlir::Value value) {
  mlir::Type element =
      llvm::cast<mlir::ShapedType>(value.getType()).getElementType();
  return llvm::isa<mlir::FloatType>(element);
}

/// A neighbour as a user knows it.
static std::string quoteName(mlir::Operation *op) {
  return ("'" + shortenName(qg::getUserName(op)) + "'").str();
}

std::string qopt::getFloatReason(mlir::Operation *op) {
  if (auto reason = op->getAttrOfType<mlir::StringAttr>("qg.float_reason"))
    return reason.str();
  for (mlir::Value operand : op->getOperands()) {
    if (!isFloatValue(operand))
      continue;
    mlir::Operation *producer = operand.getDefiningOp();
    // A node that became several ops reads what it made itself.
    while (producer && producer->getNumOperands() &&
           !llvm::isa<qg::DequantizeOp>(producer) &&
           qg::getUserName(producer) == qg::getUserName(op))
      producer = producer->getOperand(0).getDefiningOp();
    if (!producer)
      return "it reads an input of the model, which is float";
    if (producer->hasTrait<mlir::OpTrait::ConstantLike>() ||
        llvm::isa<qg::DequantizeOp>(producer))
      continue;
    return "it reads what " + quoteName(producer) + " computes in float";
  }
  for (mlir::Operation *user : op->getUsers()) {
    if (user->hasTrait<mlir::OpTrait::IsTerminator>())
      return "its result is an output of the model, which is float";
    if (!llvm::isa<qg::QuantizeOp>(user))
      return quoteName(user) + " reads its result in float";
  }
  return "there is no integer form of " + op->getName().getStringRef().str();
}

/// What identifies a layer in both forms of a graph.
static std::pair<std::string, llvm::StringRef> getKey(mlir::Operation *op) {
  return {qg::getUserName(op), op->getName().getStringRef()};
}

/// Multiplications of a linear op and what it multiplies.
static void addProduct(LinearOpInterface op, LayerRow &row) {
  row.macs = op.countMacs();
  if (!row.macs)
    return;
  for (mlir::Value operand : {op.getInput(), op.getWeight()}) {
    // Rows that are rounded at run time are multiplied as bytes.
    unsigned bits = op.roundsInput() ? 8 : getBits(operand);
    int64_t bytes = countElements(operand) * bits / 8;
    row.bytesRead += bytes;
    row.bytesReadWide += bits > 8 ? bytes : 0;
  }
}

/// Ops of the report: those that compute, and tables that stay float.
static bool isReported(mlir::Operation *op) {
  auto rule = llvm::dyn_cast<FormatRuleOpInterface>(op);
  // What makes bytes of 16 bits and sums of their products.
  if (!rule || op->getNumResults() == 0 || op->hasAttr("qg.step"))
    return false;
  if (op->hasAttr(kStaysFloatAttr))
    return true;
  switch (rule.getFormatRule()) {
  case FormatRule::Constant:
  case FormatRule::PassThrough:
  case FormatRule::SameFormat:
  case FormatRule::Boundary:
    return false;
  default:
    return true;
  }
}

/// Of every op of a pointwise region, the name of its last one.
static llvm::DenseMap<mlir::Operation *, std::string>
nameFunctions(mlir::ModuleOp module) {
  llvm::DenseMap<mlir::Operation *, std::string> names;
  module.walk([&](mlir::func::FuncOp function) {
    PointwiseRegions regions(function);
    for (const PointwiseRegion &region : regions.regions())
      for (mlir::Operation *member : region.members)
        names[member] = qg::getUserName(region.root());
  });
  return names;
}

LayerReport qopt::reportLayers(mlir::ModuleOp module, mlir::ModuleOp lowered) {
  std::set<std::pair<std::string, llvm::StringRef>> remaining;
  lowered.walk([&](FormatRuleOpInterface op) { remaining.insert(getKey(op)); });
  llvm::DenseMap<mlir::Operation *, std::string> functions =
      nameFunctions(module);
  LayerReport report;
  module.walk([&](mlir::Operation *op) {
    if (!isReported(op))
      return;
    LayerRow row;
    row.name = qg::getUserName(op);
    row.op = op->getName().getStringRef().str();
    row.function = functions.lookup(op);
    row.isAsked = op->hasAttr(kStaysFloatAttr);
    row.isFloat = row.isAsked || (isFloatValue(op->getOperand(0)) &&
                                  remaining.count(getKey(op)));
    if (auto linear = llvm::dyn_cast<LinearOpInterface>(op)) {
      addProduct(linear, row);
      // Floats times stored weights are float, whatever they are lowered to.
      row.isFloat = isFloatValue(linear.getInput()) && !linear.roundsInput();
    }
    if (row.isFloat)
      row.reason = getFloatReason(op);
    report.macs += row.macs;
    report.wideMacs += row.bytesReadWide ? row.macs : 0;
    report.bytesRead += row.bytesRead;
    report.bytesReadWide += row.bytesReadWide;
    report.rows.push_back(std::move(row));
  });
  return report;
}

llvm::json::Value qopt::toJson(const LayerReport &report) {
  llvm::json::Array rows;
  for (const LayerRow &row : report.rows) {
    llvm::json::Object object{{"name", row.name}, {"op", row.op}};
    if (row.macs) {
      object["macs"] = row.macs;
      object["bytes_read"] = row.bytesRead;
      object["bytes_read_wide"] = row.bytesReadWide;
    }
    object["float"] = row.isFloat;
    if (row.isAsked)
      object["stays_float"] = true;
    if (!row.reason.empty())
      object["reason"] = row.reason;
    rows.push_back(std::move(object));
  }
  return llvm::json::Object{{"macs", report.macs},
                            {"macs_wide", report.wideMacs},
                            {"bytes_read", report.bytesRead},
                            {"bytes_read_wide", report.bytesReadWide},
                            {"layers", std::move(rows)}};
}
