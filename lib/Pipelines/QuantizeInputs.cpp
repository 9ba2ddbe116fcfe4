//===- QuantizeInputs.cpp - Encodings of inputs that have none ------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The whole range of the samples, and not a clipped one: nothing behind it has
// seen anything but the numbers as they are.
//===----------------------------------------------------------------------===//
#include "qopt/Pipelines/QuantizeInputs.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Numerics/Grid.h"
#include "qopt/Pipelines/Model.h"
#include "qopt/Support/Diagnostics.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace qopt;

static bool movesElements(mlir::Operation *op) {
  return llvm::isa<qg::ReshapeOp, qg::TransposeOp>(op);
}

/// The linear op behind a float value, through data movement, whose weights
/// are stored integers; null if there is none.
static LinearOpInterface findLinearReader(mlir::Value value) {
  for (mlir::OpOperand &use : value.getUses()) {
    mlir::Operation *user = use.getOwner();
    if (movesElements(user))
      if (LinearOpInterface reader = findLinearReader(user->getResult(0)))
        return reader;
    auto linear = llvm::dyn_cast<LinearOpInterface>(user);
    if (!linear || &linear.getInputOperand() != &use)
      continue;
    auto weight = linear.getWeight().getDefiningOp<qg::DequantizeOp>();
    if (weight && weight.getX().getDefiningOp<qg::ConstantOp>())
      return linear;
  }
  return {};
}

/// Zero is in the range: padding has to be exact.
static absl::StatusOr<std::pair<float, float>>
getRange(llvm::StringRef name, unsigned index, const SampleSource &samples) {
  float low = 0, high = 0;
  for (int64_t i = 0;; ++i) {
    QOPT_ASSIGN(auto sample, samples(i));
    if (!sample)
      break;
    const Tensor &tensor = (*sample)[index];
    for (int64_t k = 0; k < tensor.numElements(); ++k) {
      float value = float(tensor.getFloat(k));
      if (!std::isfinite(value))
        return Error(Code::DataValues, "input '" + name + "' has " +
                                           llvm::Twine(std::to_string(value)) +
                                           " in sample " + llvm::Twine(i));
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  if (high - low > 0 && std::isnormal((high - low) / 255))
    return std::pair(low, high);
  return Error(Code::DataValues, "input '" + name +
                                     "' is zero in all samples: its range "
                                     "cannot be told");
}

absl::StatusOr<std::vector<std::string>>
qopt::quantizeFloatInputs(mlir::ModuleOp module, const SampleSource &samples) {
  std::vector<std::string> chosen;
  auto main = module.lookupSymbol<mlir::func::FuncOp>("main");
  if (!main || !main.getBody().hasOneBlock())
    return chosen;
  for (mlir::BlockArgument argument : main.getArguments()) {
    auto type = llvm::dyn_cast<mlir::RankedTensorType>(argument.getType());
    if (!type || !type.getElementType().isF32())
      continue;
    LinearOpInterface reader = findLinearReader(argument);
    if (!reader)
      continue;
    auto attr = main.getArgAttrOfType<mlir::StringAttr>(argument.getArgNumber(),
                                                        "qg.name");
    std::string name = attr ? attr.str() : "input";
    if (!samples)
      return Error(Code::MissingArgument,
                   "input '" + name + "' has no encoding, and '" +
                       qg::getUserName(reader) +
                       "' multiplies it by stored integers")
          .help("give --data, so that its range is known");
    QOPT_ASSIGN(auto range, getRange(name, argument.getArgNumber(), samples));
    auto [low, high] = range;
    float scale = float((double(high) - double(low)) / 255);
    auto zeroPoint = int64_t(chooseZeroPoint(low, scale, Grid<float>{0, 255}));
    auto encoding = qg::QuantizedType::getPerTensor(module.getContext(), "ui8",
                                                    scale, zeroPoint);
    mlir::OpBuilder builder(&main.getBody().front(),
                            main.getBody().front().begin());
    auto quantize = qg::QuantizeOp::create(
        builder, argument.getLoc(),
        mlir::RankedTensorType::get(type.getShape(), encoding), argument);
    auto dequantize = qg::DequantizeOp::create(builder, argument.getLoc(), type,
                                               quantize.getResult());
    argument.replaceAllUsesExcept(dequantize.getResult(), quantize);
    chosen.push_back(llvm::formatv("input '{0}': 8 bits of {1} to {2}, the "
                                   "range of the samples",
                                   name, low, high)
                         .str());
  }
  return chosen;
}
