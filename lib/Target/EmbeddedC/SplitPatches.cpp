//===- SplitPatches.cpp - First layers in strips of rows ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The first images of a network are the largest, and a row of a later one needs
// few of their rows (MCUNetV2, arXiv 2110.15352). Strips of whole rows in the
// place of tiles: what two neighbours share is computed twice, and columns are
// not. It is the graph that changes, so that every kernel stays as it is.
//===----------------------------------------------------------------------===//
#include "Steps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::embedded;

/// [begin, end) of the rows of an image.
struct Rows {
  int64_t begin, end;
};

static constexpr unsigned kRowDim = 1; // [N, H, W, C]

static bool isImage(Value value) {
  return getShape(value).size() == 4 && getShape(value).front() == 1;
}

namespace {
/// Ops from the input on, each read by the next alone.
struct Chain {
  Value input;
  /// Dimension of the input that the rows come from.
  unsigned inputDim = kRowDim;
  std::vector<Operation *> ops;
  /// How many ops end with layer i.
  std::vector<size_t> layerEnds;
};
} // namespace

static Operation *getOnlyReader(Value value) {
  return value.hasOneUse() ? *value.getUsers().begin() : nullptr;
}

static bool isConvolution(Operation *op) {
  auto conv = dyn_cast<fxp::ConvOp>(op);
  return conv && isImage(conv.getX()) && isImage(conv.getResult()) &&
         conv.getWeight().getDefiningOp<qg::ConstantOp>();
}

static Chain findChain(func::FuncOp main) {
  Chain chain;
  if (main.getNumArguments() != 1)
    return chain;
  chain.input = main.getArgument(0);
  Operation *next = getOnlyReader(chain.input);
  if (auto transpose = dyn_cast_or_null<qg::TransposeOp>(next)) {
    chain.inputDim = unsigned(transpose.getPermutation()[kRowDim]);
    chain.ops.push_back(next);
    next = getOnlyReader(transpose.getResult());
  }
  while (next && isConvolution(next)) {
    auto requantize =
        dyn_cast_or_null<fxp::RequantizeOp>(getOnlyReader(next->getResult(0)));
    if (!requantize)
      break;
    chain.ops.push_back(next);
    chain.ops.push_back(requantize);
    chain.layerEnds.push_back(chain.ops.size());
    next = getOnlyReader(requantize.getResult());
  }
  if (!isImage(chain.input))
    chain.layerEnds.clear();
  return chain;
}

int64_t embedded::countPatchable(func::FuncOp main) {
  return int64_t(findChain(main).layerEnds.size());
}

/// The rows that a convolution reads for `rows` of its result; the paddings
/// become those of the rows alone.
static Rows getInputRows(fxp::ConvOp conv, Rows rows,
                         SmallVectorImpl<int64_t> &pads) {
  int64_t stride = conv.getStrides()[0];
  int64_t span = (getShape(conv.getWeight())[1] - 1) * conv.getDilations()[0];
  int64_t begin = rows.begin * stride - conv.getPads()[0];
  int64_t end = (rows.end - 1) * stride - conv.getPads()[0] + span + 1;
  Rows inside{std::max<int64_t>(begin, 0),
              std::min(end, getShape(conv.getX())[kRowDim])};
  pads.assign(conv.getPads().begin(), conv.getPads().end());
  pads[0] = inside.begin - begin;
  pads[2] = end - inside.end;
  return inside;
}

static Type withRows(Value value, Rows rows) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape[kRowDim] = rows.end - rows.begin;
  return type.clone(shape);
}

static Value sliceRows(OpBuilder &builder, Value value, unsigned dim,
                       Rows rows) {
  SmallVector<int64_t> shape(getShape(value)), offsets(shape.size(), 0),
      strides(shape.size(), 1);
  if (shape[dim] == rows.end - rows.begin)
    return value;
  offsets[dim] = rows.begin;
  shape[dim] = rows.end - rows.begin;
  Type type = getTensorType(value).clone(shape);
  return qg::SliceOp::create(builder, value.getLoc(), type, value, offsets,
                             strides);
}

/// `rows` of the result of the last of `ops`; null where a strip reads nothing
/// but the border.
static Value emitStrip(OpBuilder &builder, const Chain &chain,
                       ArrayRef<Operation *> ops, Rows rows) {
  std::vector<Rows> results(ops.size());
  std::vector<SmallVector<int64_t>> pads(ops.size());
  for (size_t i = ops.size(); i-- > 0;) {
    results[i] = rows;
    if (auto conv = dyn_cast<fxp::ConvOp>(ops[i]))
      rows = getInputRows(conv, rows, pads[i]);
    if (rows.begin >= rows.end)
      return {};
  }
  IRMapping mapping;
  mapping.map(chain.input,
              sliceRows(builder, chain.input, chain.inputDim, rows));
  for (auto [i, op] : llvm::enumerate(ops)) {
    Operation *copy = builder.clone(*op, mapping);
    copy->getResult(0).setType(cast<RankedTensorType>(
        withRows(op->getResult(0), results[i])));
    if (auto conv = dyn_cast<fxp::ConvOp>(copy))
      conv.setPads(pads[i]);
  }
  return mapping.lookup(ops.back()->getResult(0));
}

bool embedded::splitIntoPatches(func::FuncOp main, const Patches &patches) {
  Chain chain = findChain(main);
  if (size_t(patches.layers) > chain.layerEnds.size())
    return false;
  ArrayRef<Operation *> ops(chain.ops);
  ops = ops.take_front(chain.layerEnds[patches.layers - 1]);
  Value result = ops.back()->getResult(0);
  int64_t height = getShape(result)[kRowDim];
  if (height < 2 * patches.strips)
    return false;
  OpBuilder builder(ops.back());
  SmallVector<Value> strips;
  for (int64_t i = 0; i < patches.strips; ++i) {
    Rows rows{height * i / patches.strips, height * (i + 1) / patches.strips};
    Value strip = emitStrip(builder, chain, ops, rows);
    if (!strip)
      return false;
    strips.push_back(strip);
  }
  Value whole = qg::ConcatOp::create(builder, result.getLoc(), result.getType(),
                                     strips, int64_t(kRowDim));
  result.replaceAllUsesWith(whole);
  for (Operation *op : llvm::reverse(ops))
    op->erase();
  return true;
}
