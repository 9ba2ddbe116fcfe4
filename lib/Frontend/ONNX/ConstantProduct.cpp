//===- ConstantProduct.cpp - Products with constants of any shape ---------===//
// SPDX-License-Identifier: Apache-2.0
//
// A linear layer has one matrix of constants, on the right. Constants on the
// left are moved there by a transposed product, extents of 1 are dropped, and a
// stack of matrices becomes a layer for each: they are all rounded, packed and
// stored once, as any other weight. Sums keep their order, so float results
// keep their bits.
//===----------------------------------------------------------------------===//
#include "BlockedEncoding.h"
#include "qopt/Frontend/ONNX/MatMul.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

/// Larger stacks stay one product, which is not a layer.
static constexpr int64_t kMostMatrices = 1024;

/// Floats that are known, possibly in stored form.
static bool isStored(GraphBuilder &b, Value value) {
  return isa<FloatType>(b.element(value)) &&
         (b.isConstant(value) || b.isDequantizedConstant(value));
}

/// The encoding of matrix `index` of a stack of that shape.
static qg::QuantizedType getMatrixEncoding(qg::QuantizedType type,
                                           ArrayRef<int64_t> shape,
                                           int64_t index) {
  if (!type.isPerAxis())
    return type;
  int64_t batch = int64_t(shape.size()) - 2, axis = type.getAxis();
  if (axis >= batch)
    return type.withAxis(axis - batch);
  int64_t inner =
      getNumElements(shape.drop_front(axis + 1).take_front(batch - axis - 1));
  int64_t channel = index / inner % shape[axis];
  return qg::QuantizedType::getPerTensor(type.getContext(), type.getFormat(),
                                         type.getScaleVector()[channel],
                                         type.getZeroPointVector()[channel]);
}

namespace {
/// Matrices [K, N] behind dimensions that count them.
struct Stack {
  Value value;
  Shape counts; ///< as many as the product has batch dimensions
  Value flat;   ///< [count, K, N], the stored integers of an encoded one
  qg::QuantizedType type; ///< null for floats
  std::optional<BlockedEncoding> blocks; ///< of `flat`, if `type` has groups

  static std::optional<Stack> read(GraphBuilder &b, Value rhs, int64_t batch);
  Value getMatrix(GraphBuilder &b, int64_t index) const;
};
} // namespace

/// nullopt for one that does not come apart.
std::optional<Stack> Stack::read(GraphBuilder &b, Value rhs, int64_t batch) {
  Stack stack;
  stack.value = rhs;
  ArrayRef<int64_t> counts = b.shape(rhs).drop_back(2);
  stack.counts.assign(batch - counts.size(), 1);
  llvm::append_range(stack.counts, counts);
  int64_t count = getNumElements(counts);
  if (count < 1 || count > kMostMatrices)
    return std::nullopt;
  Value stored = rhs;
  if (b.isDequantizedConstant(rhs)) {
    Value encoded = rhs.getDefiningOp<qg::DequantizeOp>().getX();
    stack.type = qg::getQuantizedType(encoded.getType());
    if (stack.type.isDynamic_() || stack.type.isTable())
      return std::nullopt;
    if (stack.type.getGroupSize()) {
      auto blocks = BlockedEncoding::of(stack.type, b.shape(rhs));
      if (!blocks || blocks->axis < b.rank(rhs) - 2)
        return std::nullopt;
      stack.blocks = blocks->stacked();
    }
    stored = b.plain(encoded);
  }
  Shape flat{count};
  llvm::append_range(flat, b.shape(rhs).take_back(2));
  stack.flat = b.reshape(stored, flat);
  return stack.flat ? std::optional<Stack>(stack) : std::nullopt;
}

Value Stack::getMatrix(GraphBuilder &b, int64_t index) const {
  Value matrix = b.dropDim(b.sliceAxis(flat, 0, index, index + 1), 0);
  if (!matrix || !type)
    return matrix;
  std::optional<Tensor> integers = b.constantOf(matrix);
  if (!integers)
    return {};
  qg::QuantizedType encoding =
      blocks ? blocks->slice(index).getType(b.context(), b.shape(matrix))
             : getMatrixEncoding(type, b.shape(value), index);
  return b.dequantize(b.constant(
      *integers, RankedTensorType::get(b.shape(matrix), encoding)));
}

/// The products along batch dimensions from `dim` on, of the matrices from
/// `first` on.
static Value multiplyEach(GraphBuilder &b, Value lhs, const Stack &stack,
                          unsigned dim, int64_t first) {
  if (dim == stack.counts.size())
    return b.matmul(lhs, stack.getMatrix(b, first));
  int64_t count = stack.counts[dim];
  if (count == 1)
    return multiplyEach(b, lhs, stack, dim + 1, first);
  SmallVector<Value> parts;
  for (int64_t i = 0; i < count; ++i) {
    Value rows =
        b.extent(lhs, dim) == 1 ? lhs : b.sliceAxis(lhs, dim, i, i + 1);
    if (!rows)
      return {};
    parts.push_back(multiplyEach(b, rows, stack, dim + 1, first * count + i));
  }
  return b.concat(parts, dim);
}

/// The last two dimensions changed over.
static Value swapLast(GraphBuilder &b, Value x) {
  if (!x)
    return {};
  Shape order(llvm::to_vector(llvm::seq<int64_t>(0, b.rank(x))));
  std::swap(order[order.size() - 1], order[order.size() - 2]);
  return b.transpose(x, order);
}

static bool canBroadcast(ArrayRef<int64_t> x, ArrayRef<int64_t> y) {
  return llvm::all_of(llvm::zip(llvm::reverse(x), llvm::reverse(y)),
                      [](auto extents) {
                        auto [a, b] = extents;
                        return a == b || a == 1 || b == 1;
                      });
}

Value frontend::buildProduct(GraphBuilder &b, Value lhs, Value rhs) {
  if (!lhs || !rhs)
    return {};
  bool isLeftStored = isStored(b, lhs), isRightStored = isStored(b, rhs);
  if (isLeftStored && !isRightStored && isa<FloatType>(b.element(rhs)))
    return swapLast(b, buildProduct(b, swapLast(b, rhs), swapLast(b, lhs)));
  if (isLeftStored || !isRightStored || b.rank(rhs) == 2)
    return b.matmul(lhs, rhs);
  // Shapes that do not fit are refused where every product's are.
  ArrayRef<int64_t> rows = b.shape(lhs), matrices = b.shape(rhs);
  if (rows.back() != matrices[matrices.size() - 2] ||
      !canBroadcast(rows.drop_back(2), matrices.drop_back(2)))
    return b.matmul(lhs, rhs);
  int64_t rank = std::max(b.rank(lhs), b.rank(rhs));
  std::optional<Stack> stack = Stack::read(b, rhs, rank - 2);
  if (!stack)
    return b.matmul(lhs, rhs);
  Shape shape(rank - b.rank(lhs), 1);
  llvm::append_range(shape, b.shape(lhs));
  return multiplyEach(b, b.reshape(lhs, shape), *stack, 0, 0);
}
