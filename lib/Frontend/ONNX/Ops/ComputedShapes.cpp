//===- ComputedShapes.cpp - Integers that shapes are made of --------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Shape, Gather, Concat, arithmetic, and the choice that exporters make between
// an extent and -1: an element is followed back through them.
//===----------------------------------------------------------------------===//
#include "ComputedShapes.h"
#include "NumberRanges.h"

#include <onnx-ml.pb.h>

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

/// A sum, difference or product with a constant.
static bool stepBack(GraphBuilder &b, qg::BinaryOp op, Position &at) {
  Value lhs = op.getLhs(), rhs = op.getRhs();
  if (op.getKind() != BinaryKind::sub && b.isConstant(lhs))
    std::swap(lhs, rhs);
  std::optional<Tensor> constant = b.constantOf(rhs);
  int64_t count = b.type(at.base).getNumElements();
  auto fits = [&](int64_t n) { return n == 1 || n == count; };
  if (!constant || !fits(constant->numElements()) ||
      !fits(b.type(lhs).getNumElements()))
    return false;
  int64_t by = constant->getInt(constant->numElements() == 1 ? 0 : at.element);
  // Products stay far from 64 bits.
  constexpr int64_t kMost = int64_t(1) << 24;
  if (std::abs(at.factor) > kMost || by < -kMost || by > kMost)
    return false;
  if (op.getKind() == BinaryKind::add)
    at.offset += at.factor * by;
  else if (op.getKind() == BinaryKind::sub)
    at.offset -= at.factor * by;
  else if (op.getKind() == BinaryKind::mul)
    at.factor *= by;
  else
    return false;
  at.base = lhs;
  at.element = b.type(lhs).getNumElements() == 1 ? 0 : at.element;
  return true;
}

static bool stepBack(GraphBuilder &b, qg::GatherOp op, Position &at) {
  std::optional<Tensor> indices = b.constantOf(op.getIndices());
  if (!indices || b.rank(op.getX()) != 1)
    return false;
  int64_t index = indices->getInt(at.element), extent = b.extent(op.getX(), 0);
  index += index < 0 ? extent : 0;
  if (index < 0 || index >= extent)
    return false;
  at.base = op.getX();
  at.element = index;
  return true;
}

/// The element of an operand that is broadcast to `result`; none where that is
/// neither whole nor one.
static std::optional<int64_t> elementOf(GraphBuilder &b, Value operand,
                                        Value result, int64_t element) {
  int64_t count = b.type(operand).getNumElements();
  if (count == 1)
    return 0;
  return count == b.type(result).getNumElements() ? std::optional(element)
                                                  : std::nullopt;
}

/// Whether two elements are equal, as far as that is known: a length that data
/// decide is not negative.
static std::optional<bool> areEqual(GraphBuilder &b, const Position &x,
                                    const Position &y) {
  if (!x.base && !y.base)
    return x.offset == y.offset;
  const Position &length = x.base ? x : y, &number = x.base ? y : x;
  if (number.base || !length.isPlain() || !b.boundOf(length.base))
    return std::nullopt;
  if (number.offset < 0 || number.offset > *b.boundOf(length.base))
    return false;
  return std::nullopt;
}

/// The choice between an extent and another one where the extent is -1.
static bool stepBack(GraphBuilder &b, qg::SelectOp op, Position &at) {
  auto compare = op.getCondition().getDefiningOp<qg::CompareOp>();
  if (!compare || compare.getPredicate() != ComparePredicate::eq ||
      !isa<IntegerType>(b.element(compare.getLhs())))
    return false;
  auto condition = elementOf(b, compare, at.base, at.element);
  if (!condition)
    return false;
  auto lhs = elementOf(b, compare.getLhs(), compare, *condition);
  auto rhs = elementOf(b, compare.getRhs(), compare, *condition);
  if (!lhs || !rhs)
    return false;
  std::optional<bool> isEqual = areEqual(b, trace(b, compare.getLhs(), *lhs),
                                         trace(b, compare.getRhs(), *rhs));
  if (!isEqual)
    return false;
  Value chosen = *isEqual ? op.getOnTrue() : op.getOnFalse();
  auto element = elementOf(b, chosen, at.base, at.element);
  if (!element)
    return false;
  at.base = chosen;
  at.element = *element;
  return true;
}

/// One step towards where an element comes from; false if there is none.
static bool stepBack(GraphBuilder &b, Position &at) {
  Operation *op = at.base.getDefiningOp();
  if (!op)
    return false;
  if (isa<qg::ReshapeOp>(op)) {
    at.base = op->getOperand(0);
    return true;
  }
  if (auto cast = dyn_cast<qg::CastOp>(op)) {
    bool keeps = b.element(cast.getX()).isInteger() &&
                 b.element(cast.getX()).getIntOrFloatBitWidth() <=
                     b.element(at.base).getIntOrFloatBitWidth();
    at.base = keeps ? Value(cast.getX()) : at.base;
    return keeps;
  }
  if (auto broadcast = dyn_cast<qg::BroadcastOp>(op)) {
    if (b.type(broadcast.getX()).getNumElements() != 1)
      return false;
    at.base = broadcast.getX();
    at.element = 0;
    return true;
  }
  if (auto slice = dyn_cast<qg::SliceOp>(op)) {
    if (b.rank(slice.getX()) != 1)
      return false;
    at.base = slice.getX();
    at.element = slice.getOffsets()[0] + at.element * slice.getStrides()[0];
    return true;
  }
  if (auto gather = dyn_cast<qg::GatherOp>(op))
    return stepBack(b, gather, at);
  if (auto select = dyn_cast<qg::SelectOp>(op))
    return stepBack(b, select, at);
  if (auto concat = dyn_cast<qg::ConcatOp>(op)) {
    if (b.rank(concat.getResult()) != 1)
      return false;
    for (Value input : concat.getInputs()) {
      if (at.element < b.extent(input, 0)) {
        at.base = input;
        return true;
      }
      at.element -= b.extent(input, 0);
    }
  }
  auto binary = dyn_cast<qg::BinaryOp>(op);
  return binary && stepBack(b, binary, at);
}

Position frontend::trace(GraphBuilder &b, Value value, int64_t element) {
  Position at{value, element, 0};
  while (!b.isConstant(at.base) && !b.boundOf(at.base) && stepBack(b, at)) {
  }
  if (std::optional<Tensor> constant = b.constantOf(at.base))
    return {{}, 0, at.offset + at.factor * constant->getInt(at.element)};
  return at;
}

/// Calls `visit` with the elements of which the one at `at` is the least.
static void forEachOfMinimum(GraphBuilder &b, const Position &at,
                             llvm::function_ref<void(Value, int64_t)> visit) {
  Operation *op = at.base.getDefiningOp();
  if (auto binary = dyn_cast_or_null<qg::BinaryOp>(op);
      binary && binary.getKind() == BinaryKind::min)
    for (Value operand : {binary.getLhs(), binary.getRhs()})
      if (auto element = elementOf(b, operand, at.base, at.element))
        visit(operand, *element);
  auto reduce = dyn_cast_or_null<qg::ReduceOp>(op);
  if (reduce && reduce.getKind() == ReduceKind::min &&
      b.rank(reduce.getX()) == 1)
    for (int64_t i = 0; i < b.extent(reduce.getX(), 0); ++i)
      visit(reduce.getX(), i);
}

std::optional<int64_t> frontend::upperBound(GraphBuilder &b, Value value,
                                            int64_t element, unsigned depth) {
  Position at = trace(b, value, element);
  if (!at.base)
    return at.offset;
  if (depth == 0 || at.factor < 0)
    return std::nullopt;
  std::optional<int64_t> bound = b.boundOf(at.base);
  if (!bound)
    forEachOfMinimum(b, at, [&](Value operand, int64_t i) {
      std::optional<int64_t> own = upperBound(b, operand, i, depth - 1);
      if (own && (!bound || *own < *bound))
        bound = own;
    });
  int64_t result;
  if (!bound || llvm::MulOverflow(*bound, at.factor, result) ||
      llvm::AddOverflow(result, at.offset, result))
    return std::nullopt;
  return result;
}

bool frontend::isAtMost(GraphBuilder &b, Value value, int64_t element,
                        Value length, unsigned depth) {
  Position at = trace(b, value, element);
  if (at.base == length && at.isPlain())
    return true;
  bool isFound = false;
  if (at.isPlain() && depth > 0 && !b.boundOf(at.base))
    forEachOfMinimum(b, at, [&](Value operand, int64_t i) {
      isFound |= isAtMost(b, operand, i, length, depth - 1);
    });
  return isFound;
}

bool frontend::isSame(Value a, Value b, unsigned depth) {
  if (a == b)
    return true;
  Operation *x = a.getDefiningOp(), *y = b.getDefiningOp();
  if (depth == 0 || !x || !y || isa<qg::ConstantOp>(x) ||
      x->getName() != y->getName() ||
      x->getNumOperands() != y->getNumOperands() ||
      a.getType() != b.getType() ||
      x->getAttrDictionary() != y->getAttrDictionary())
    return false;
  return llvm::all_of(
      llvm::zip(x->getOperands(), y->getOperands()), [&](auto pair) {
        return isSame(std::get<0>(pair), std::get<1>(pair), depth - 1);
      });
}

Value frontend::foldKnownElements(GraphBuilder &b, Value value) {
  // Shapes are short; an index computed from data is none of them.
  constexpr int64_t kMost = 16;
  if (!value || b.rank(value) > 1 || b.isConstant(value) ||
      !b.element(value).isInteger(64) || b.type(value).getNumElements() > kMost)
    return value;
  Tensor known(DType::i64, b.shape(value));
  for (int64_t i = 0; i < known.numElements(); ++i) {
    Position at = trace(b, value, i);
    if (at.base)
      return value;
    known.setInt(i, at.offset);
  }
  return b.constant(known);
}

Value frontend::elementAt(GraphBuilder &b, Value integers, int64_t i) {
  Value flat = b.reshape(integers, {b.type(integers).getNumElements()});
  return b.convert(b.reshape(b.sliceAxis(flat, 0, i, i + 1), {}), b.i64());
}

Value frontend::unifyLength(GraphBuilder &b, Value length) {
  if (!length)
    return {};
  for (Value known : b.computedLengths)
    if (known.getParentBlock() == b.block() && isSame(known, length))
      return known;
  b.computedLengths.push_back(length);
  return length;
}

std::optional<AskedExtent>
frontend::askExtent(GraphBuilder &b, Value integers, int64_t i,
                    std::optional<int64_t> most) {
  Position at = trace(b, integers, i);
  if (!at.base)
    return AskedExtent{at.offset};
  std::optional<int64_t> bound = b.boundOf(at.base);
  if (bound && at.isPlain())
    return AskedExtent{most ? std::min(*most, *bound) : *bound, at.base};
  NumberRange range = rangeOf(b, integers, i);
  if (range.high <= double(kMostCounted) && (most || range.low >= 0))
    most = std::min<int64_t>(most.value_or(kMostCounted),
                             std::max<int64_t>(int64_t(range.high), 0));
  if (!most)
    return std::nullopt;
  return AskedExtent{*most, unifyLength(b, elementAt(b, integers, i))};
}

std::optional<SmallVector<AskedExtent>>
frontend::readExtents(OpBinder &op, unsigned index, StringRef what) {
  GraphBuilder &b = op.b;
  Value shape = op.in(index);
  bool isComputed = shape && !b.isConstant(shape) && b.rank(shape) < 2;
  int64_t count = isComputed ? b.type(shape).getNumElements() : 0;
  Shape most = isComputed && op.askMost ? op.askMost(0) : Shape();
  int64_t missing = std::max<int64_t>(int64_t(most.size()) - count, 0);
  SmallVector<AskedExtent> extents;
  int64_t lengths = 0;
  for (int64_t i = 0; i < count; ++i) {
    std::optional<int64_t> said;
    if (i + missing < int64_t(most.size()) && most[i + missing] >= 0)
      said = most[i + missing];
    std::optional<AskedExtent> extent = askExtent(b, shape, i, said);
    if (!extent) {
      (void)op.unsupported(
          what + " [" + Twine(i) +
          "] is computed at run time and has no bound; bind what it is "
          "computed of with --const or --shape, or give the most by --shape " +
          op.node().output(0) + "=<extents>");
      return std::nullopt;
    }
    lengths += extent->length ? 1 : 0;
    extents.push_back(*extent);
  }
  if (lengths > 1) {
    (void)op.unsupported("expects at most one extent that depends on data");
    return std::nullopt;
  }
  if (!extents.empty())
    return extents;
  std::optional<Shape> known = op.constantInts(index, what);
  if (!known)
    return std::nullopt;
  for (int64_t extent : *known)
    extents.push_back({extent});
  return extents;
}

Shape frontend::getBounds(ArrayRef<AskedExtent> extents) {
  return llvm::map_to_vector(
      extents, [](const AskedExtent &extent) { return extent.bound; });
}

Value frontend::markAsked(GraphBuilder &b, Value value,
                          ArrayRef<AskedExtent> extents) {
  const auto *asked = llvm::find_if(
      extents, [](const AskedExtent &extent) { return bool(extent.length); });
  if (!value || asked == extents.end())
    return value;
  int64_t axis = asked - extents.begin();
  const CountedDim *known = b.countedDimOf(value);
  if (known && known->axis == axis && known->length == asked->length)
    return value;
  if (known)
    return b.failMixed(known->axis);
  // Others may read the value with all of its positions.
  Value own = b.emit<qg::ReshapeOp>(b.shape(value), b.element(value), value);
  b.markCounted(own, {axis, asked->length});
  return own;
}
