//===- Linear.cpp - Convolution, matmul and pooling -----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// ONNX has spatial ops channels-first only.
//===----------------------------------------------------------------------===//
#include "Exporter.h"
#include "qopt/Dialect/QG/Reference/IntegerLinear.h"

using namespace mlir;
using namespace qopt;

/// The encoding behind a value, through ops that only move elements and maxima.
static qg::DequantizeOp findDequantize(Value value) {
  auto keeps = [](Operation *op) {
    auto pool = dyn_cast_or_null<qg::PoolOp>(op);
    return (pool && pool.getKind() == PoolKind::max) ||
           isa_and_nonnull<qg::ReshapeOp, qg::TransposeOp, qg::SliceOp,
                           qg::BroadcastOp>(op);
  };
  while (keeps(value.getDefiningOp()))
    value = value.getDefiningOp()->getOperand(0);
  return value.getDefiningOp<qg::DequantizeOp>();
}

/// A float bias between encoded operands is added to the accumulators as an
/// integer; so it is in the file, dequantized by the product of the scales.
std::string Exporter::getBias(Operation *op, Value x, Value weight, Value bias,
                              int64_t weightAxis) {
  qg::DequantizeOp from = findDequantize(x);
  auto encoded = weight.getDefiningOp<qg::DequantizeOp>();
  std::optional<Tensor> values = qg::matchConstant(bias);
  if (!from || !encoded || !values ||
      !getTensorType(bias).getElementType().isF32())
    return get(bias);
  qg::LinearTypes types{getTensorType(from.getX()),
                        getTensorType(encoded.getX()), getTensorType(bias),
                        cast<RankedTensorType>(op->getResult(0).getType()),
                        weightAxis};
  auto linear = qg::getIntegerLinear(types, &*values);
  if (!linear)
    return get(bias);
  Tensor integers(DType::i32, {int64_t(linear->bias.size())});
  for (auto [i, value] : llvm::enumerate(linear->bias)) {
    // Saturated: a channel without weights, which computes in another scale.
    if (value == INT32_MAX || value == INT32_MIN)
      return get(bias);
    integers.setInt(i, value);
  }
  SmallVector<int64_t> shape;
  if (linear->scales.size() > 1)
    shape.push_back(linear->scales.size());
  std::string name = qg::getUserName(op) + "_bias";
  Names inputs{writer.addInitializer(integers, name),
               writer.addInitializer(
                   Tensor::from<float>(DType::f32, shape, linear->scales),
                   name + "_scale")};
  GraphWriter::Node node =
      writer.addNode("DequantizeLinear", inputs, name + "_dequantized");
  if (!shape.empty())
    node.integer("axis", 0);
  return node.output();
}

LogicalResult Exporter::writeConv(qg::ConvOp op) {
  Permutation order = getChannelsFirst(op.getResultType().getRank());
  Names inputs{get(op.getX(), order), get(op.getWeight(), order)};
  if (op.getBias())
    inputs.push_back(getBias(op, op.getX(), op.getWeight(), op.getBias(), 0));
  ArrayRef<int64_t> kernel =
      getTensorType(op.getWeight()).getShape().drop_front().drop_back();
  set(op.getResult(),
      writer.addNode("Conv", inputs, qg::getUserName(op))
          .ints("kernel_shape", kernel)
          .ints("strides", op.getStrides())
          .ints("pads", op.getPads())
          .ints("dilations", op.getDilations())
          .integer("group", op.getGroups())
          .output(),
      order);
  return success();
}

/// Weights [O, k..., C/g] as ONNX has them: [C, O/g, k...].
static Tensor regroupWeight(const Tensor &weight, int64_t groups) {
  ArrayRef<int64_t> shape = weight.shape();
  Permutation grouped{groups, shape.front() / groups};
  grouped.append(shape.begin() + 1, shape.end());
  Permutation p{0, int64_t(grouped.size()) - 1};
  for (int64_t i = 1; i + 1 < int64_t(grouped.size()); ++i)
    p.push_back(i);
  Permutation result{groups * shape.back(), shape.front() / groups};
  result.append(shape.begin() + 1, shape.end() - 1);
  return transpose(weight.reshaped(grouped), p).reshaped(result);
}

LogicalResult Exporter::writeConvTranspose(qg::ConvTransposeOp op) {
  int64_t rank = op.getResultType().getRank();
  Permutation order = getChannelsFirst(rank);
  std::string name = qg::getUserName(op), weight;
  if (op.getGroups() == 1) {
    Permutation p{rank - 1};
    p.append(identityPermutation(rank - 1));
    weight = get(op.getWeight(), p);
  } else {
    std::optional<Tensor> values = qg::matchConstant(op.getWeight());
    if (!values)
      return op.emitError() << "expects a constant float weight for a grouped "
                               "ConvTranspose in ONNX";
    weight = writer.addInitializer(regroupWeight(*values, op.getGroups()),
                                   name + "_weight");
  }
  Names inputs{get(op.getX(), order), weight};
  if (op.getBias())
    inputs.push_back(getBias(op, op.getX(), op.getWeight(), op.getBias(), 0));
  set(op.getResult(),
      writer.addNode("ConvTranspose", inputs, name)
          .ints(
              "kernel_shape",
              getTensorType(op.getWeight()).getShape().drop_front().drop_back())
          .ints("strides", op.getStrides())
          .ints("pads", op.getPads())
          .ints("dilations", op.getDilations())
          .ints("output_padding", op.getOutputPadding())
          .integer("group", op.getGroups())
          .output(),
      order);
  return success();
}

LogicalResult Exporter::writePool(qg::PoolOp op) {
  bool isMax = op.getKind() == PoolKind::max;
  bool isDilated =
      llvm::any_of(op.getDilations(), [](int64_t d) { return d != 1; });
  if (!isMax && isDilated)
    return op.emitError(
        "expects dilations of 1 for an average pooling in ONNX");
  Permutation order = getChannelsFirst(op.getResultType().getRank());
  std::string name = qg::getUserName(op), x = get(op.getX(), order);
  // MaxPool takes bytes, but no wider integers.
  qg::QuantizedType type = qg::getQuantizedType(op.getX().getType());
  bool isWide = type && type.getIntegerFormat().storageBits() > 8;
  int64_t axis =
      type && type.isPerAxis() ? positionOf(order, type.getAxis()) : 0;
  int64_t trailing = int64_t(order.size()) - axis - 1;
  if (isWide)
    x = writeDequantize(x, type, axis, trailing, name);
  GraphWriter::Node node =
      writer.addNode(isMax ? "MaxPool" : "AveragePool", {x}, name)
          .ints("kernel_shape", op.getKernel())
          .ints("strides", op.getStrides())
          .ints("pads", op.getPads());
  if (isMax)
    node.ints("dilations", op.getDilations());
  else
    node.integer("count_include_pad", op.getCountIncludePad() ? 1 : 0);
  std::string result = node.output();
  if (isWide)
    result = writeQuantize(result, type, axis, name);
  set(op.getResult(), result, order);
  return success();
}

LogicalResult Exporter::writeMatmul(qg::MatmulOp op) {
  std::string name = qg::getUserName(op);
  Value rhs = op.getRhs();
  Permutation order = identityPermutation(getTensorType(rhs).getRank());
  if (op.getTransposeRhs())
    std::swap(order.back(), order[order.size() - 2]);
  Permutation identity = identityPermutation(op.getResultType().getRank());
  Names inputs{get(op.getLhs()), get(rhs, order)};
  if (!op.getBias()) {
    set(op.getResult(), writer.addNode("MatMul", inputs, name).output(),
        identity);
    return success();
  }
  int64_t columns =
      getTensorType(rhs).getRank() - (op.getTransposeRhs() ? 2 : 1);
  std::string bias = getBias(op, op.getLhs(), rhs, op.getBias(), columns);
  if (op.getResultType().getRank() == 2) {
    inputs.push_back(bias);
    set(op.getResult(), writer.addNode("Gemm", inputs, name).output(),
        identity);
    return success();
  }
  std::string product =
      writer.addNode("MatMul", inputs, name + "_product").output();
  set(op.getResult(), writer.addNode("Add", {product, bias}, name).output(),
      identity);
  return success();
}
