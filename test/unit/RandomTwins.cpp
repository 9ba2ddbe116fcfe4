//===- RandomTwins.cpp - Random graphs with equal results -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Repeats the ops of a random graph on other values of the same types, so that
// results of equal shapes come out of every kind of op: what starts from equal
// zeros, constants or empty tensors is merged, and must be told apart again.
//===----------------------------------------------------------------------===//
#include "RandomGraph.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include <random>

using namespace qopt;
using namespace qopt::test;

namespace {
class TwinBuilder {
public:
  TwinBuilder(mlir::func::FuncOp main, uint64_t seed)
      : main(main), random(seed * 104729 + 5) {}

  void repeatOps();
  void chooseResults();

private:
  int64_t pick(int64_t low, int64_t high) {
    return low + int64_t(random() % uint64_t(high - low + 1));
  }
  bool chance(int percent) { return pick(1, 100) <= percent; }
  mlir::Value pickTwin(mlir::Value value);
  mlir::Operation *getPlace(mlir::Operation *op);

  mlir::func::FuncOp main;
  std::mt19937_64 random;
  mlir::IRMapping twins;
};
} // namespace

/// An operand of the second graph; now and then it is the first graph's.
mlir::Value TwinBuilder::pickTwin(mlir::Value value) {
  return chance(15) ? value : twins.lookupOrDefault(value);
}

/// Where the repeated `op` goes: close behind its original or at the end.
mlir::Operation *TwinBuilder::getPlace(mlir::Operation *op) {
  if (chance(40))
    return main.front().getTerminator();
  mlir::Operation *place = op;
  for (mlir::Value operand : op->getOperands())
    for (mlir::Value value : {operand, twins.lookupOrDefault(operand)})
      if (mlir::Operation *producer = value.getDefiningOp())
        if (place->isBeforeInBlock(producer))
          place = producer;
  return place->getNextNode();
}

void TwinBuilder::repeatOps() {
  mlir::Block &body = main.front();
  for (unsigned i = 0, count = body.getNumArguments(); i < count; ++i) {
    mlir::BlockArgument argument = body.getArgument(i);
    if (i == 0 || chance(60))
      twins.map(argument,
                body.addArgument(argument.getType(), argument.getLoc()));
  }
  llvm::SmallVector<mlir::Operation *> ops;
  for (mlir::Operation &op : body.without_terminator())
    if (op.getNumOperands() > 0 || chance(25))
      ops.push_back(&op);
  for (mlir::Operation *op : ops) {
    mlir::OpBuilder builder(getPlace(op));
    mlir::IRMapping operands;
    for (mlir::Value operand : op->getOperands())
      operands.map(operand, pickTwin(operand));
    mlir::Operation *twin = builder.clone(*op, operands);
    twins.map(op->getResults(), twin->getResults());
  }
}

/// Two to five values and their twins' places in a random order; sometimes one
/// value twice, an argument or a constant.
void TwinBuilder::chooseResults() {
  mlir::Block &body = main.front();
  llvm::SmallVector<mlir::Value> all, results;
  for (mlir::Operation &op : body.without_terminator())
    if (op.getNumOperands() > 0)
      all.push_back(op.getResult(0));
  for (int64_t left = pick(2, 5); left > 0;) {
    mlir::Value value = all[pick(0, all.size() - 1)];
    results.push_back(value);
    left -= 1;
    if (mlir::Value twin = twins.lookupOrNull(value); twin && left > 0) {
      results.push_back(twin);
      left -= 1;
    }
  }
  mlir::Value &last = results.back();
  if (chance(10))
    last = results.front();
  else if (chance(5))
    last = body.getArgument(pick(0, body.getNumArguments() - 1));
  else if (mlir::Value first = body.front().getResult(0); chance(5))
    last = first; // Often a constant.
  for (size_t i = results.size() - 1; i > 0; --i)
    std::swap(results[i], results[pick(0, i)]);
  body.getTerminator()->setOperands(results);
}

void test::addTwins(mlir::ModuleOp module, uint64_t seed) {
  auto main = module.lookupSymbol<mlir::func::FuncOp>("main");
  TwinBuilder builder(main, seed);
  builder.repeatOps();
  builder.chooseResults();
  mlir::Block &body = main.front();
  main.setType(mlir::FunctionType::get(
      module.getContext(), body.getArgumentTypes(),
      body.getTerminator()->getOperandTypes()));
  // Ops that nobody reads would go at the first clean-up.
  for (mlir::Operation &op : llvm::make_early_inc_range(llvm::reverse(body)))
    if (!op.hasTrait<mlir::OpTrait::IsTerminator>() && op.use_empty())
      op.erase();
}
