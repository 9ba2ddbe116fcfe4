//===- RowRounding.cpp - Inputs that a file rounds at run time ------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The last product of the arithmetic is looked for, and integers on one side.
// Those that a table holds were rounded long before. Steps may be constants
// where nothing bounds the integers: no static encoding holds them all.
//===----------------------------------------------------------------------===//
#include "qopt/Analysis/RowRounding.h"
#include "qopt/Analysis/KeptEncoding.h"
#include "qopt/Dialect/QG/IR/QG.h"

#include <cmath>

using namespace mlir;
using namespace qopt;

/// Ops in a row that are looked at, far more than any exporter writes.
static constexpr unsigned kLongestChain = 16;

static bool isComputed(Value value) {
  return !value.getDefiningOp<qg::ConstantOp>();
}

/// Made of constants at places that are computed: rows of a table, decoded or
/// not.
static bool isStored(Value value, unsigned left = kLongestChain) {
  Operation *op = value.getDefiningOp();
  if (!op || !left)
    return false;
  if (isa<qg::ConstantOp>(op))
    return true;
  if (auto gather = dyn_cast<qg::GatherOp>(op))
    return isStored(gather.getX(), left - 1);
  return isa<FormatRuleOpInterface>(op) && op->getNumOperands() &&
         llvm::all_of(op->getOperands(), [&](Value operand) {
           return isStored(operand, left - 1);
         });
}

/// Integers, clipped, shifted by zero points and converted.
static bool isIntegers(Value value, unsigned left = kLongestChain) {
  Operation *op = value.getDefiningOp();
  if (!op || !left)
    return false;
  if (auto unary = dyn_cast<qg::UnaryOp>(op))
    return unary.getKind() == UnaryKind::round_even ||
           unary.getKind() == UnaryKind::floor;
  if (auto cast = dyn_cast<qg::CastOp>(op)) {
    Type from = getTensorType(cast.getX()).getElementType();
    Type to = getTensorType(value).getElementType();
    if (from.isInteger(8) || from.isInteger(16) || to.isInteger(8) ||
        to.isInteger(16))
      return !isStored(cast.getX());
    return isIntegers(cast.getX(), left - 1);
  }
  if (auto binary = dyn_cast<qg::BinaryOp>(op)) {
    switch (binary.getKind()) {
    case BinaryKind::add:
    case BinaryKind::sub:
    case BinaryKind::min:
    case BinaryKind::max:
      return isIntegers(binary.getLhs(), left - 1) ||
             (!isComputed(binary.getLhs()) &&
              isIntegers(binary.getRhs(), left - 1));
    default:
      return false;
    }
  }
  return isa<qg::ReshapeOp, qg::TransposeOp, qg::ObserveOp>(op) &&
         isIntegers(op->getOperand(0), left - 1);
}

static bool isPowerOfTwo(double value) {
  int exponent = 0;
  return value > 0 && std::isfinite(value) &&
         std::frexp(value, &exponent) == 0.5;
}

/// Steps of a grid: one number, or powers of two that differ by element.
static bool isSteps(Value value) {
  std::optional<Tensor> constant = qg::matchConstant(value);
  if (!constant || constant->dtype() != DType::f32 ||
      constant->numElements() == 0 || qg::getQuantizedType(value.getType()))
    return false;
  ArrayRef<float> steps = constant->span<float>();
  return llvm::all_equal(steps) || llvm::all_of(steps, isPowerOfTwo);
}

/// Whole numbers by Round, Floor or Ceil times steps, with nothing that bounds
/// them: those that are bounded have an encoding by now.
static bool isOnOpenGrid(Value value, unsigned left = kLongestChain) {
  Operation *op = value.getDefiningOp();
  if (!op || !left)
    return false;
  if (auto unary = dyn_cast<qg::UnaryOp>(op)) {
    switch (unary.getKind()) {
    case UnaryKind::round_even:
    case UnaryKind::floor:
    case UnaryKind::ceil:
      return !isStored(unary.getX());
    case UnaryKind::relu:
    case UnaryKind::neg:
      return isOnOpenGrid(unary.getX(), left - 1);
    default:
      return false;
    }
  }
  if (auto binary = dyn_cast<qg::BinaryOp>(op)) {
    bool divides = binary.getKind() == BinaryKind::div;
    if (!divides && binary.getKind() != BinaryKind::mul)
      return false;
    Value x = binary.getLhs(), steps = binary.getRhs();
    if (!divides && !isComputed(x))
      std::swap(x, steps);
    return isSteps(steps) && isOnOpenGrid(x, left - 1);
  }
  auto rule = dyn_cast<FormatRuleOpInterface>(op);
  return rule && rule.getFormatRule() == FormatRule::PassThrough &&
         op->getNumOperands() > 0 && isOnOpenGrid(op->getOperand(0), left - 1);
}

bool qopt::isIntegerValued(Value value) {
  return isIntegers(skipMovesBack(value));
}

bool qopt::isRoundedAtRunTime(Value value) {
  if (isOnOpenGrid(value))
    return true;
  while (isa_and_nonnull<qg::ReshapeOp, qg::TransposeOp, qg::ObserveOp,
                         qg::CastOp>(value.getDefiningOp()))
    value = value.getDefiningOp()->getOperand(0);
  auto op = value.getDefiningOp<qg::BinaryOp>();
  if (!op || !isComputed(op.getLhs()) || !isComputed(op.getRhs()))
    return false;
  if (op.getKind() == BinaryKind::div)
    return isIntegers(op.getLhs());
  return op.getKind() == BinaryKind::mul &&
         (isIntegers(op.getLhs()) || isIntegers(op.getRhs()));
}
