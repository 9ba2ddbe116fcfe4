//===- PropagateTransposes.cpp - Compute where no transpose is needed -----===//
// SPDX-License-Identifier: Apache-2.0
//
// Importers put transposes around every channels-last op. Tensors that are
// transposes of each other form a class; each op that can follow either of two
// orders (LayoutRules.h) is a node of a minimum cut whose edges cost the bytes
// that a transpose would move. Pushing transposes up or down one op at a time
// gets stuck at residual connections; a cut is optimal for all ops at once.
//===----------------------------------------------------------------------===//
#include "FlattenedMatmul.h"
#include "qopt/Analysis/LayoutRules.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Support/MinCut.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "llvm/ADT/MapVector.h"
#include <array>

namespace qopt {
#include "qopt/Transforms/PropagateTransposes.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

static int64_t countBytes(RankedTensorType type) {
  std::optional<DType> dtype = qg::getDType(type.getElementType());
  return type.getNumElements() * (dtype ? getByteWidth(*dtype) : 8);
}

/// Bytes that the transposes of a function move at run time.
static int64_t countMovedBytes(func::FuncOp function) {
  int64_t bytes = 0;
  function.walk([&](qg::TransposeOp op) {
    RankedTensorType type = getTensorType(op.getX());
    if (!op.getX().getDefiningOp<qg::ConstantOp>() &&
        !movesNothing(op.getPermutation(), type.getShape()))
      bytes += countBytes(type);
  });
  return bytes;
}

namespace {
/// The two orders that a class of tensors may be stored in, as permutations of
/// the dimensions of its root.
using Orders = std::array<Permutation, 2>;

/// A class: a tensor that no transpose made, and its transposes.
struct TensorClass {
  SmallVector<Value> members; // root first
  std::optional<Orders> orders;
};

/// Which op computes in which order, and the rewriting that follows from it.
class LayoutAssignment {
public:
  explicit LayoutAssignment(func::FuncOp function) : function(function) {}

  void run() {
    collectClasses();
    chooseOrders();
    collectFlexibleOps();
    assignStates();
    rewrite();
  }

private:
  void collectClasses();
  void addMember(Value root, Value member, Permutation order);
  void chooseOrders();
  void spread(Value root);
  void spreadThrough(Operation *op, std::optional<OpLayout> first,
                     std::optional<OpLayout> second);
  void setOrders(Value root, Orders orders);
  void collectFlexibleOps();
  std::optional<std::array<OpLayout, 2>> getConsistentLayouts(Operation *op);
  bool agrees(Value value, ArrayRef<int64_t> order, unsigned state);
  void assignStates();
  void addClassEdges(Value root, MinCut &cut);
  int getNode(Value root, ArrayRef<int64_t> order);
  void rewrite();
  void rewriteOp(Operation *op);
  Value get(OpBuilder &builder, Value value, ArrayRef<int64_t> order);

  /// Order `order` of `value` as an order of its root, and back.
  Permutation toRoot(Value value, ArrayRef<int64_t> order) {
    return compose(orderOf[value], order);
  }
  Permutation fromRoot(Value value, ArrayRef<int64_t> order) {
    return compose(invert(orderOf[value]), order);
  }
  bool isConstant(Value root) {
    return root.getDefiningOp<qg::ConstantOp>() != nullptr;
  }

  func::FuncOp function;
  llvm::MapVector<Value, TensorClass> classes; // by root
  DenseMap<Value, Value> rootOf;
  DenseMap<Value, Permutation> orderOf; // member = T_order(root)
  SmallVector<Value> worklist;
  llvm::MapVector<Operation *, std::array<OpLayout, 2>> flexible;
  DenseMap<Operation *, int> nodes;
  DenseMap<Operation *, unsigned> states;
  /// Where a class lies now: the value and its order.
  DenseMap<Value, std::pair<Value, Permutation>> stored;
  DenseMap<Value, SmallVector<std::pair<Permutation, Value>>> copies;
};
} // namespace

void LayoutAssignment::addMember(Value root, Value member, Permutation order) {
  classes[root].members.push_back(member);
  rootOf[member] = root;
  orderOf[member] = std::move(order);
}

void LayoutAssignment::collectClasses() {
  auto addRoot = [&](Value value) {
    if (auto type = dyn_cast<RankedTensorType>(value.getType()))
      addMember(value, value, identityPermutation(type.getRank()));
  };
  Block &body = function.getBody().front();
  llvm::for_each(body.getArguments(), addRoot);
  for (Operation &op : body) {
    auto transpose = dyn_cast<qg::TransposeOp>(op);
    if (!transpose) {
      llvm::for_each(op.getResults(), addRoot);
      continue;
    }
    addMember(rootOf[transpose.getX()], transpose.getResult(),
              toRoot(transpose.getX(), transpose.getPermutation()));
  }
}

/// Seeds the orders at the transposes; a class has the orders of the first
/// one that reaches it. Of a permutation and its inverse the smaller one leads
/// from the first order to the second, so that all seeds agree about which is
/// which.
void LayoutAssignment::chooseOrders() {
  for (auto transpose : function.getOps<qg::TransposeOp>()) {
    Value x = transpose.getX(), root = rootOf[x];
    if (isConstant(root) || classes[root].orders ||
        movesNothing(transpose.getPermutation(), getTensorType(x).getShape()))
      continue;
    Orders orders{orderOf[x], orderOf[transpose.getResult()]};
    Permutation inverse = invert(transpose.getPermutation());
    if (ArrayRef<int64_t>(inverse) < transpose.getPermutation())
      std::swap(orders[0], orders[1]);
    setOrders(root, orders);
    while (!worklist.empty())
      spread(worklist.pop_back_val());
  }
}

void LayoutAssignment::setOrders(Value root, Orders orders) {
  if (isConstant(root) || classes[root].orders)
    return;
  classes[root].orders = std::move(orders);
  worklist.push_back(root);
}

void LayoutAssignment::spread(Value root) {
  Orders orders = *classes[root].orders;
  if (Operation *producer = root.getDefiningOp())
    spreadThrough(producer, getLayoutForResult(producer, orders[0]),
                  getLayoutForResult(producer, orders[1]));
  SmallVector<Value> members = classes[root].members;
  for (Value member : members) {
    Permutation first = fromRoot(member, orders[0]);
    Permutation second = fromRoot(member, orders[1]);
    for (OpOperand &use : member.getUses())
      if (!isa<qg::TransposeOp>(use.getOwner()))
        spreadThrough(
            use.getOwner(),
            getLayoutForOperand(use.getOwner(), use.getOperandNumber(), first),
            getLayoutForOperand(use.getOwner(), use.getOperandNumber(),
                                second));
  }
}

void LayoutAssignment::spreadThrough(Operation *op,
                                     std::optional<OpLayout> first,
                                     std::optional<OpLayout> second) {
  if (!first || !second)
    return;
  Value result = op->getResult(0);
  setOrders(rootOf[result],
            {toRoot(result, first->result), toRoot(result, second->result)});
  for (auto [i, operand] : llvm::enumerate(op->getOperands()))
    if (!first->operands[i].empty() && !second->operands[i].empty())
      setOrders(rootOf[operand], {toRoot(operand, first->operands[i]),
                                  toRoot(operand, second->operands[i])});
}

bool LayoutAssignment::agrees(Value value, ArrayRef<int64_t> order,
                              unsigned state) {
  Value root = rootOf[value];
  if (isConstant(root))
    return true;
  const std::optional<Orders> &orders = classes[root].orders;
  return orders && sameOrder((*orders)[state], toRoot(value, order),
                             getTensorType(root).getShape());
}

/// The layouts of an op in both states if all tensors around it have them.
std::optional<std::array<OpLayout, 2>>
LayoutAssignment::getConsistentLayouts(Operation *op) {
  Value result = op->getResult(0);
  std::array<OpLayout, 2> layouts;
  for (unsigned state : {0, 1}) {
    std::optional<OpLayout> layout;
    if (const std::optional<Orders> &orders = classes[result].orders)
      layout = getLayoutForResult(op, (*orders)[state]);
    for (unsigned i = 0; !layout && i < op->getNumOperands(); ++i) {
      Value operand = op->getOperand(i);
      if (const std::optional<Orders> &orders = classes[rootOf[operand]].orders)
        layout =
            getLayoutForOperand(op, i, fromRoot(operand, (*orders)[state]));
    }
    if (!layout || !agrees(result, layout->result, state))
      return std::nullopt;
    for (auto [operand, order] :
         llvm::zip_equal(op->getOperands(), layout->operands))
      if (!order.empty() && !agrees(operand, order, state))
        return std::nullopt;
    layouts[state] = std::move(*layout);
  }
  for (unsigned i = 0; i < op->getNumOperands(); ++i)
    if (layouts[0].operands[i].empty() != layouts[1].operands[i].empty())
      return std::nullopt;
  return layouts;
}

void LayoutAssignment::collectFlexibleOps() {
  for (Operation &op : function.getBody().front()) {
    if (op.getNumResults() != 1 || isa<qg::TransposeOp, qg::ConstantOp>(op))
      continue;
    if (std::optional<std::array<OpLayout, 2>> layouts =
            getConsistentLayouts(&op))
      flexible[&op] = std::move(*layouts);
  }
}

/// The fixed node (source or sink) of an order of a class, or -1.
int LayoutAssignment::getNode(Value root, ArrayRef<int64_t> order) {
  const Orders &orders = *classes[root].orders;
  ArrayRef<int64_t> shape = getTensorType(root).getShape();
  for (int state : {0, 1})
    if (sameOrder(orders[state], order, shape))
      return state;
  return -1;
}

/// A class costs its bytes once if any reader wants it in another order than
/// its producer makes it in.
void LayoutAssignment::addClassEdges(Value root, MinCut &cut) {
  RankedTensorType type = getTensorType(root);
  const TensorClass &tensors = classes[root];
  if (!tensors.orders || isConstant(root) ||
      sameOrder((*tensors.orders)[0], (*tensors.orders)[1], type.getShape()))
    return;
  Operation *definition = root.getDefiningOp();
  int producer = definition && flexible.count(definition)
                     ? nodes[definition]
                     : getNode(root, orderOf[root]);
  if (producer < 0)
    return;
  int64_t price = countBytes(type);
  int anyIsSecond = cut.addNode(), anyIsFirst = cut.addNode();
  cut.addEdge(producer, anyIsSecond, price);
  cut.addEdge(anyIsFirst, producer, price);
  for (Value member : tensors.members)
    for (OpOperand &use : member.getUses()) {
      Operation *user = use.getOwner();
      if (isa<qg::TransposeOp>(user))
        continue;
      auto found = flexible.find(user);
      bool follows = found != flexible.end() &&
                     !found->second[0].operands[use.getOperandNumber()].empty();
      if (!follows &&
          FlattenedMatmul::match(user,
                                 fromRoot(member, (*tensors.orders)[0])) &&
          FlattenedMatmul::match(user, fromRoot(member, (*tensors.orders)[1])))
        continue; // its weight will be permuted instead
      int consumer = follows ? nodes[user] : getNode(root, orderOf[member]);
      if (consumer < 0)
        continue;
      cut.addEdge(anyIsSecond, consumer, MinCut::infinite);
      cut.addEdge(consumer, anyIsFirst, MinCut::infinite);
    }
}

void LayoutAssignment::assignStates() {
  MinCut cut;
  for (auto &[op, layouts] : flexible)
    nodes[op] = cut.addNode();
  for (auto &[root, tensors] : classes)
    addClassEdges(root, cut);
  std::vector<bool> solution = cut.solve();
  for (auto &[op, layouts] : flexible)
    states[op] = solution[nodes[op]];
}

/// `value` in `order`; made by a transpose at the builder's position if the
/// class does not lie so already.
Value LayoutAssignment::get(OpBuilder &builder, Value value,
                            ArrayRef<int64_t> order) {
  Value root = rootOf[value];
  Permutation wanted = toRoot(value, order);
  auto found = stored.find(root);
  if (found == stored.end())
    found = stored.try_emplace(root, root, orderOf[root]).first;
  auto [source, sourceOrder] = found->second;
  Permutation p = compose(invert(sourceOrder), wanted);
  if (isIdentity(p))
    return source;
  for (auto &[copyOrder, copy] : copies[root])
    if (copyOrder == wanted)
      return copy;
  RankedTensorType type = permuteType(getTensorType(source), p);
  Location loc = value.getLoc();
  Value moved;
  std::optional<Tensor> constant = qg::matchConstant(source);
  qg::QuantizedType quantized = qg::getQuantizedType(type);
  if (constant)
    moved = qg::createConstant(builder, loc, transpose(*constant, p), type);
  else if (movesNothing(p, getTensorType(source).getShape()) &&
           !(quantized && quantized.isPerAxis()))
    moved = qg::ReshapeOp::create(builder, loc, type, source);
  else
    moved = qg::TransposeOp::create(builder, loc, type, source, p);
  copies[root].push_back({wanted, moved});
  return moved;
}

void LayoutAssignment::rewriteOp(Operation *op) {
  OpBuilder builder(op);
  auto found = flexible.find(op);
  if (found == flexible.end()) {
    for (OpOperand &operand : op->getOpOperands())
      if (auto type = dyn_cast<RankedTensorType>(operand.get().getType()))
        operand.set(
            get(builder, operand.get(), identityPermutation(type.getRank())));
    return;
  }
  const OpLayout &layout = found->second[states[op]];
  SmallVector<Value> operands;
  for (auto [operand, order] :
       llvm::zip_equal(op->getOperands(), layout.operands))
    operands.push_back(get(
        builder, operand,
        order.empty() ? identityPermutation(getTensorType(operand).getRank())
                      : order));
  if (isIdentity(layout.result) && llvm::equal(operands, op->getOperands()))
    return;
  Operation *moved = rebuildWithLayout(builder, op, layout, operands);
  stored[op->getResult(0)] = {moved->getResult(0), layout.result};
}

void LayoutAssignment::rewrite() {
  SmallVector<Operation *> ops;
  for (Operation &op : function.getBody().front())
    ops.push_back(&op);
  for (Operation *op : ops)
    if (!isa<qg::TransposeOp, qg::ConstantOp>(op))
      rewriteOp(op);
  for (Operation *op : llvm::reverse(ops))
    if (op->use_empty() && isMemoryEffectFree(op) && op->getNumResults() > 0)
      op->erase();
}

/// One round; keeps its result only if fewer bytes move.
static bool relayout(func::FuncOp function) {
  func::FuncOp attempt = function.clone();
  LayoutAssignment(attempt).run();
  bool isBetter = countMovedBytes(attempt) < countMovedBytes(function);
  if (isBetter)
    function.getBody().takeBody(attempt.getBody());
  attempt->erase();
  return isBetter;
}

/// Permutes the weight rows of matmuls that read a flattened transpose.
static bool foldFlattenedTransposes(func::FuncOp function) {
  bool changed = false;
  SmallVector<qg::ReshapeOp> reshapes(function.getOps<qg::ReshapeOp>());
  for (qg::ReshapeOp reshape : reshapes) {
    auto transpose = reshape.getX().getDefiningOp<qg::TransposeOp>();
    if (!transpose)
      continue;
    std::optional<FlattenedMatmul> flattened =
        FlattenedMatmul::match(reshape, invert(transpose.getPermutation()));
    if (!flattened)
      continue;
    flattened->permuteWeights();
    reshape.getXMutable().assign(transpose.getX());
    if (transpose->use_empty())
      transpose->erase();
    changed = true;
  }
  return changed;
}

namespace {
struct PropagateTransposes
    : qopt::impl::PropagateTransposesBase<PropagateTransposes> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    // Every round moves strictly fewer bytes or removes a transpose. More
    // than one is needed only where transposes of different kinds meet.
    while (relayout(function) || foldFlattenedTransposes(function))
      ;
  }
};
} // namespace
