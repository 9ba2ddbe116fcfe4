//===- ReverseSequence.cpp - Sequences from their last element ------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A gather of rows whose positions are computed from the lengths.
//===----------------------------------------------------------------------===//
#include "qopt/Frontend/ONNX/OpBinder.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

/// 0, step, 2 * step, ... of that shape.
static Value count(GraphBuilder &b, ArrayRef<int64_t> shape, int64_t step) {
  Tensor tensor(DType::i64, shape);
  for (int64_t i = 0; i < tensor.numElements(); ++i)
    tensor.setInt(i, i * step);
  return b.constant(tensor);
}

/// x is [batch, steps, ...]: position t of a sequence is that of `length - 1 - t`
/// where there is one, behind the end it stays.
static Value reverse(GraphBuilder &b, Value x, Value lengths) {
  int64_t batch = b.extent(x, 0), steps = b.extent(x, 1);
  Shape shape(b.shape(x)), flat(b.shape(x).drop_front());
  flat[0] = batch * steps;
  Value position = count(b, {1, steps}, 1);
  Value mirrored = b.sub(b.sub(lengths, 1.0), position);
  Value isInside = b.compare(ComparePredicate::lt, position, lengths);
  Value row = b.add(b.select(isInside, mirrored, position),
                    count(b, {batch, 1}, steps));
  return b.reshape(
      b.gather(b.reshape(x, flat), b.reshape(row, {batch * steps}), 0), shape);
}

static LogicalResult importReverseSequence(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0), given = op.in(1);
  int64_t batchAxis = op.intAttr("batch_axis", 1),
          timeAxis = op.intAttr("time_axis", 0);
  if (!x || !given)
    return failure();
  if (b.rank(x) < 2)
    return op.badModel("expects a tensor of rank >= 2");
  if (batchAxis + timeAxis != 1 || batchAxis * timeAxis != 0)
    return op.badModel("expects 'batch_axis' and 'time_axis' to be 0 and 1");
  int64_t batch = b.extent(x, batchAxis), steps = b.extent(x, timeAxis);
  if (b.rank(given) != 1 || b.extent(given, 0) != batch)
    return op.badModel("expects a length for each of " + Twine(batch) +
                       " sequences, got " + formatShape(b.shape(given)));
  std::optional<Tensor> known = op.constant(1);
  for (int64_t i = 0; known && i < known->numElements(); ++i)
    if (known->getInt(i) < 0 || known->getInt(i) > steps)
      return op.badModel("expects lengths from 0 to " + Twine(steps) +
                         ", got " + Twine(known->getInt(i)));
  Shape exchange(llvm::to_vector(llvm::seq<int64_t>(0, b.rank(x))));
  if (timeAxis == 0)
    std::swap(exchange[0], exchange[1]);
  // Lengths that a call gets wrong must not read outside.
  Value lengths = b.clamp(b.convert(given, b.i64()), 0, double(steps));
  Value y = reverse(b, b.transpose(x, exchange), b.reshape(lengths, {batch, 1}));
  return op.result(b.transpose(y, exchange));
}

void frontend::registerReverseSequenceOps(OpRegistry &registry) {
  registry.add("ReverseSequence", 10, importReverseSequence);
}
