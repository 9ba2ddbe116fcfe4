//===- Movement.cpp - Ops that follow the order of their operands ---------===//
// SPDX-License-Identifier: Apache-2.0
//
// Attributes that name dimensions are permuted as the layout says.
//===----------------------------------------------------------------------===//
#include "Exporter.h"

#include "llvm/ADT/TypeSwitch.h"
#include <limits>

using namespace mlir;
using namespace qopt;

std::string Exporter::writeSlice(qg::SliceOp op, const OpLayout &layout,
                                 std::string input) {
  std::string name = qg::getUserName(op);
  Permutation starts = applyPermutation(layout.result, op.getOffsets());
  Permutation steps = applyPermutation(layout.result, op.getStrides());
  Permutation extents =
      applyPermutation(layout.result, op.getResultType().getShape());
  Permutation ends;
  for (size_t i = 0; i < starts.size(); ++i) {
    // One past the last element read; before element 0 there is only "-inf".
    int64_t end =
        starts[i] + (extents[i] - 1) * steps[i] + (steps[i] > 0 ? 1 : -1);
    if (extents[i] == 0)
      end = starts[i];
    ends.push_back(end < 0 ? std::numeric_limits<int64_t>::min() : end);
  }
  return writer
      .addNode("Slice",
               {input, writer.addIndices(starts, name + "_starts"),
                writer.addIndices(ends, name + "_ends"),
                writer.addIndices(identityPermutation(starts.size()),
                                  name + "_axes"),
                writer.addIndices(steps, name + "_steps")},
               name)
      .output();
}

std::optional<std::string> Exporter::writePad(qg::PadOp op,
                                              const OpLayout &layout,
                                              ArrayRef<std::string> inputs) {
  if (op.getMode() == PadMode::wrap) {
    op.emitError("has no ONNX form of mode 'wrap' before opset 19");
    return std::nullopt;
  }
  std::string name = qg::getUserName(op);
  Permutation pads = applyPermutation(layout.result, op.getLow());
  pads.append(applyPermutation(layout.result, op.getHigh()));
  Names all{inputs[0], writer.addIndices(pads, name + "_pads")};
  if (op.getValue())
    all.push_back(writer
                      .addNode("Reshape",
                               {inputs[1], writer.addIndices({}, "scalar")},
                               name + "_fill")
                      .output());
  return writer.addNode("Pad", all, name)
      .string("mode", stringifyEnum(op.getMode()))
      .output();
}

std::string Exporter::writeReduce(Operation *op, const OpLayout &layout,
                                  std::string input) {
  std::string name = qg::getUserName(op);
  ArrayRef<int64_t> order = layout.operands[0];
  if (auto reduce = dyn_cast<qg::ArgReduceOp>(op))
    return writer
        .addNode(reduce.getKind() == ReduceKind::max ? "ArgMax" : "ArgMin",
                 {input}, name)
        .integer("axis", positionOf(order, reduce.getAxis()))
        .integer("keepdims", 0)
        .integer("select_last_index", reduce.getSelectLast() ? 1 : 0)
        .output();
  auto reduce = cast<qg::ReduceOp>(op);
  static const char *const types[] = {"ReduceSum", "ReduceProd", "ReduceMax",
                                      "ReduceMin"};
  SmallVector<int64_t> axes;
  for (int64_t axis : reduce.getAxes())
    axes.push_back(positionOf(order, axis));
  return writer
      .addNode(types[unsigned(reduce.getKind())],
               {input, writer.addIndices(axes, name + "_axes")}, name)
      .integer("keepdims", 0)
      .integer("noop_with_empty_axes", 1)
      .output();
}

std::optional<std::string> Exporter::writeBoundary(Operation *op,
                                                   ArrayRef<int64_t> order,
                                                   const std::string &input) {
  std::string name = qg::getUserName(op);
  qg::QuantizedType from = qg::getQuantizedType(op->getOperand(0).getType());
  qg::QuantizedType to = qg::getQuantizedType(op->getResult(0).getType());
  auto getAxis = [&](qg::QuantizedType quantized) {
    return quantized.isPerAxis() ? positionOf(order, quantized.getAxis()) : 0;
  };
  if (isa<qg::QuantizeOp>(op) && to.getBits() > 16) {
    op->emitError() << "expects at most 16 bits for ONNX, got " << to;
    return std::nullopt;
  }
  std::string real =
      from ? writeDequantize(input, from, getAxis(from),
                             int64_t(order.size()) - getAxis(from) - 1, name)
           : input;
  return to ? writeQuantize(real, to, getAxis(to), name) : real;
}

std::optional<std::string>
Exporter::writeMovement(Operation *op, const OpLayout &layout,
                        ArrayRef<std::string> inputs) {
  using Name = std::optional<std::string>;
  std::string name = qg::getUserName(op);
  ArrayRef<int64_t> order = layout.result;
  RankedTensorType type = getTensorType(op->getResult(0));
  auto writeShaped = [&](StringRef onnxType) {
    return writer
        .addNode(onnxType,
                 {inputs[0],
                  writer.addIndices(applyPermutation(order, type.getShape()),
                                    name + "_shape")},
                 name)
        .output();
  };
  return TypeSwitch<Operation *, Name>(op)
      .Case([&](qg::UnaryOp unary) { return writeUnary(unary, inputs[0]); })
      .Case([&](qg::BinaryOp binary) {
        return writeBinary(binary, inputs[0], inputs[1]);
      })
      .Case([&](qg::CompareOp compare) -> Name {
        return writeCompare(compare, inputs[0], inputs[1]);
      })
      .Case([&](qg::SelectOp) -> Name {
        return writer.addNode("Where", inputs, name).output();
      })
      .Case([&](qg::CastOp) -> Name {
        return writer.addNode("Cast", inputs, name)
            .integer("to", getOnnxType(*qg::getDType(type.getElementType())))
            .output();
      })
      .Case<qg::QuantizeOp, qg::DequantizeOp, qg::RequantizeOp>(
          [&](Operation *) { return writeBoundary(op, order, inputs[0]); })
      .Case([&](qg::ObserveOp) -> Name { return inputs[0]; })
      .Case([&](qg::ReshapeOp) -> Name { return writeShaped("Reshape"); })
      .Case([&](qg::BroadcastOp) -> Name { return writeShaped("Expand"); })
      .Case([&](qg::SliceOp slice) -> Name {
        return writeSlice(slice, layout, inputs[0]);
      })
      .Case([&](qg::PadOp pad) { return writePad(pad, layout, inputs); })
      .Case([&](qg::ConcatOp concat) -> Name {
        return writer.addNode("Concat", inputs, name)
            .integer("axis", positionOf(order, concat.getAxis()))
            .output();
      })
      .Case([&](qg::GatherOp gather) -> Name {
        return writer.addNode("Gather", inputs, name)
            .integer("axis", positionOf(layout.operands[0], gather.getAxis()))
            .output();
      })
      .Case([&](qg::ResizeOp resize) {
        return writeResize(resize, layout, inputs[0]);
      })
      .Case([&](qg::ScatterOp scatter) -> Name {
        return writeScatter(scatter, inputs);
      })
      .Case([&](qg::SoftmaxOp) -> Name {
        return writer.addNode("Softmax", inputs, name)
            .integer("axis", -1)
            .output();
      })
      .Case<qg::ReduceOp, qg::ArgReduceOp>([&](Operation *) -> Name {
        return writeReduce(op, layout, inputs[0]);
      })
      .Default([&](Operation *) -> Name {
        op->emitError() << "has no ONNX form";
        return std::nullopt;
      });
}
