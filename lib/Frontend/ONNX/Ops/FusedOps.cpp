//===- FusedOps.cpp - What ONNX Runtime's optimizer makes of several ops --===//
// SPDX-License-Identifier: Apache-2.0
//
// Operators of com.microsoft, taken apart into what they were made of.
//===----------------------------------------------------------------------===//
#include "Activations.h"
#include "Heads.h"
#include "qopt/Dialect/QG/IR/QGComposite.h"
#include "qopt/Frontend/ONNX/MatMul.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"
#include "qopt/Frontend/ONNX/Window.h"

#include <cmath>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

/// x plus input 1, if it is there.
static Value addBias(OpBinder &op, Value x) {
  return op.hasInput(1) ? op.b.add(x, op.in(1)) : x;
}

template <bool withTanh> static LogicalResult importBiasGelu(OpBinder &op) {
  return op.result(qg::writeGelu(op.b, addBias(op, op.in(0)), withTanh));
}

static LogicalResult importQuickGelu(OpBinder &op) {
  return op.result(
      qg::writeSwish(op.b, op.in(0), op.floatAttr("alpha", 1.702f)));
}

static LogicalResult importGemmFastGelu(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0), w = op.in(1);
  if (!x || !w)
    return failure();
  Value y = buildMatMul(b, x, w);
  if (Value bias = op.optional(2))
    y = b.add(y, bias);
  return op.result(qg::writeGelu(b, y, /*withTanh=*/true));
}

/// The last two dimensions exchanged where the attribute says so.
static Value transposeIf(OpBinder &op, StringRef name, Value x) {
  if (op.intAttr(name, 0) == 0 || !x || op.b.rank(x) < 2)
    return x;
  Shape permutation(llvm::to_vector(llvm::seq<int64_t>(0, op.b.rank(x))));
  std::swap(permutation[permutation.size() - 2], permutation.back());
  return op.b.transpose(x, permutation);
}

static LogicalResult importFusedMatMul(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value lhs = transposeIf(op, "transA", op.in(0)),
        rhs = transposeIf(op, "transB", op.in(1));
  if (!lhs || !rhs)
    return failure();
  if (op.intAttr("transBatchA", 0) || op.intAttr("transBatchB", 0))
    return op.unsupported("expects 'transBatchA' and 'transBatchB' 0");
  Value y = buildMatMul(b, lhs, rhs);
  double alpha = op.floatAttr("alpha", 1);
  return op.result(alpha == 1 ? y : b.mul(y, alpha));
}

static LogicalResult importFusedGemm(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value lhs = op.in(0), rhs = op.in(1), c = op.optional(2);
  SmallVector<double> parameters;
  for (StringRef name : {"activation_alpha", "activation_beta"})
    if (op.hasAttr(name))
      parameters.push_back(op.floatAttr(name, 0));
  if (!lhs || !rhs)
    return failure();
  if (b.rank(lhs) != 2 || b.rank(rhs) != 2)
    return op.badModel("expects matrices, got " + formatShape(b.shape(lhs)) +
                       " and " + formatShape(b.shape(rhs)));
  auto activation =
      makeActivation(op, op.stringAttr("activation", ""), parameters);
  if (!activation)
    return failure();
  double alpha = op.floatAttr("alpha", 1), beta = op.floatAttr("beta", 1);
  Value y = buildProduct(b, transposeIf(op, "transA", lhs),
                         transposeIf(op, "transB", rhs));
  if (alpha != 1)
    y = b.mul(y, alpha);
  if (c)
    y = b.add(y, beta == 1 ? c : b.mul(c, beta));
  return op.result(buildActivation(b, *activation, y));
}

/// A convolution, what is added to it, and a function of the sum.
static LogicalResult importFusedConv(OpBinder &op) {
  GraphBuilder &b = op.b;
  std::string name = op.stringAttr("activation", "");
  SmallVector<double> parameters = op.floatsAttr("activation_params");
  Value y = buildConv(op, op.in(0), op.in(1), op.optional(2));
  if (Value added = op.optional(3))
    y = b.add(y, added);
  if (name.empty() || !y)
    return op.result(y);
  if (name == "Clip") {
    if (parameters.size() != 2)
      return op.badModel("expects two 'activation_params' of Clip");
    return op.result(b.clamp(y, parameters[0], parameters[1]));
  }
  if (name == "HardSwish")
    return op.result(b.mul(y, b.clamp(b.add(b.mul(y, 1.0 / 6), 0.5), 0, 1)));
  auto activation = makeActivation(op, name, parameters);
  if (!activation)
    return failure();
  return op.result(buildActivation(b, *activation, y));
}

/// A convolution with channels last, of the weights too: [M, kH, kW, C / group]
/// is what the optimizer writes and kernels read, whatever the schema says.
static LogicalResult importNhwcConv(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0), w = op.in(1);
  if (!x || !w)
    return failure();
  if (b.rank(x) < 3 || b.rank(w) != b.rank(x))
    return op.badModel("expects x and weights of one rank >= 3, got " +
                       formatShape(b.shape(x)) + " and " +
                       formatShape(b.shape(w)));
  return op.result(b.toChannelsLast(buildConv(
      op, b.toChannelsFirst(x), b.toChannelsFirst(w), op.optional(2))));
}

/// The left half of a sum times gelu of its right half.
static LogicalResult importBiasSplitGelu(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = b.add(op.in(0), op.in(1));
  if (!x)
    return failure();
  int64_t axis = b.rank(x) - 1, width = axis < 0 ? 1 : b.extent(x, axis);
  if (width % 2)
    return op.badModel("expects x of an even number of channels, got " +
                       formatShape(b.shape(x)));
  Value right = b.sliceAxis(x, axis, width / 2, width);
  return op.result(b.mul(b.sliceAxis(x, axis, 0, width / 2),
                         qg::writeGelu(b, right, /*withTanh=*/false)));
}

static LogicalResult importBiasAdd(OpBinder &op) {
  return op.result(op.b.add(op.b.add(op.in(0), op.in(1)), op.in(2)));
}

/// Of T5 (its `_relative_position_bucket`, in f32 as there).
static int64_t getDistanceBucket(int64_t distance, int64_t buckets,
                                 int64_t farthest, bool isBidirectional) {
  int64_t first = 0;
  if (isBidirectional) {
    buckets /= 2;
    first = distance > 0 ? buckets : 0;
    distance = std::abs(distance);
  } else {
    distance = std::max<int64_t>(-distance, 0);
  }
  int64_t exact = buckets / 2;
  if (distance < exact)
    return first + distance;
  float place = std::log(float(distance) / float(exact)) /
                float(std::log(double(farthest) / double(exact))) *
                float(buckets - exact);
  return first + std::min(exact + int64_t(place), buckets - 1);
}

/// A table's entries by distance. It is declared [buckets, heads] and stored
/// the other way round.
static LogicalResult importRelativePositionBias(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value table = op.in(0);
  auto queries = op.constantInts(1, "query_length"),
       keys = op.constantInts(2, "key_length");
  if (!table || !queries || !keys)
    return failure();
  int64_t farthest = op.intAttr("max_distance", 0);
  bool isBidirectional = op.intAttr("is_bidirectional", 0) != 0;
  if (b.rank(table) != 2 || queries->size() != 1 || keys->size() != 1)
    return op.badModel("expects a table [buckets, heads] and two lengths");
  int64_t buckets = b.extent(table, 0), heads = b.extent(table, 1),
          rows = queries->front(), columns = keys->front(),
          exact = buckets / (isBidirectional ? 4 : 2);
  if (exact < 1 || farthest <= exact || rows < 1 || columns < 1 ||
      rows > (1 << 15) || columns > (1 << 15))
    return op.badModel("expects 'max_distance' beyond " + Twine(exact) +
                       " and lengths in [1, 2^15]");
  Tensor positions(DType::i64, {rows, columns});
  for (int64_t q = 0; q < rows; ++q)
    for (int64_t k = 0; k < columns; ++k)
      positions.setInt(
          q * columns + k,
          getDistanceBucket(k - q, buckets, farthest, isBidirectional));
  Value byHead = b.reshape(table, {heads, buckets});
  return op.result(b.expandDim(b.gather(byHead, b.constant(positions), 1), 0));
}

/// Positions' bias, scaled by a gate of the query.
static LogicalResult importGatedRelativePositionBias(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value query = op.in(0), queryBias = op.in(1), bias = op.in(2),
        weight = op.in(3), weightBias = op.in(4), scale = op.in(5);
  if (!query || !queryBias || !bias || !weight || !weightBias || !scale)
    return failure();
  if (op.hasInput(6))
    return op.unsupported("expects no 'token_offset' (packed tokens)");
  Value q = toHeads(b, b.add(query, queryBias), op.intAttr("num_heads", 0));
  if (!q)
    return failure();
  if (b.rank(weight) != 2 || b.extent(weight, 1) % 2 ||
      b.extent(weight, 0) != b.extent(q, 3))
    return op.badModel("expects a weight [" + Twine(b.extent(q, 3)) +
                       ", 2 * n], got " + formatShape(b.shape(weight)));
  Value gates = b.add(buildMatMul(b, q, weight), weightBias);
  Shape halves(b.shape(q));
  halves.back() = 2;
  halves.push_back(b.extent(weight, 1) / 2);
  gates = b.unary(UnaryKind::sigmoid,
                  b.reduce(ReduceKind::sum, b.reshape(gates, halves), {4},
                           /*keepDims=*/false));
  Value u = b.sliceAxis(gates, 3, 0, 1), r = b.sliceAxis(gates, 3, 1, 2);
  Value gate = b.add(b.mul(u, b.sub(b.mul(r, scale), 1.0)), 2.0);
  return op.result(b.mul(gate, bias));
}

/// Rows of tables by word, position and segment, added and normalized.
static LogicalResult importEmbedLayerNormalization(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value ids = op.in(0), segments = op.optional(1), words = op.in(2),
        positions = op.in(3), segmentTable = op.optional(4), gamma = op.in(5),
        beta = op.in(6), mask = op.optional(7), given = op.optional(8);
  if (!ids || !words || !positions || !gamma || !beta)
    return failure();
  if (op.intAttr("mask_index_type", 0) != 0)
    return op.unsupported("expects 'mask_index_type' 0");
  if (b.rank(ids) != 2 || b.rank(words) != 2 || b.rank(positions) != 2)
    return op.badModel("expects ids [B, S] and tables of rank 2");
  Value sum = b.gather(words, ids, 0);
  int64_t length = b.extent(ids, 1);
  if (!given && b.extent(positions, 0) < length)
    return op.badModel("expects positions for " + Twine(length) + " ids");
  sum = b.add(sum, given ? b.gather(positions, given, 0)
                         : b.sliceAxis(positions, 0, 0, length));
  if (segments && segmentTable)
    sum = b.add(sum, b.gather(segmentTable, segments, 0));
  if (!sum)
    return failure();
  const int64_t last = 2;
  qg::NormalizeSpec spec;
  spec.axes = last;
  spec.epsilon = op.floatAttr("epsilon", 1e-12f);
  Value y = b.emit<qg::NormalizeOp>(b.shape(sum), b.element(sum), spec.form,
                                    sum, spec.axes, llvm::APFloat(spec.epsilon),
                                    spec.centered);
  // Input 0 are integers: the tables say in what is computed.
  Type type = b.element(op.raw(2));
  if (failed(op.result(b.convert(b.add(b.mul(y, gamma), beta), type))))
    return failure();
  // How many of a row are no padding; 0 where nothing says so.
  if (op.hasOutput(1)) {
    Type i32 = IntegerType::get(b.context(), 32);
    Value counts = mask ? b.reduce(ReduceKind::sum, mask, {1}, false)
                        : b.full({b.extent(ids, 0)}, 0, i32);
    if (failed(op.result(1, b.convert(counts, i32))))
      return failure();
  }
  return op.hasOutput(2) ? op.result(2, b.convert(sum, type)) : success();
}

void frontend::registerFusedOps(OpRegistry &registry) {
  StringRef ms = "com.microsoft";
  registry.add(ms, "BiasAdd", 1, roundOnce<importBiasAdd>);
  registry.add(ms, "BiasGelu", 1, roundOnce<importBiasGelu<false>>);
  registry.add(ms, "BiasSplitGelu", 1, roundOnce<importBiasSplitGelu>);
  registry.add(ms, "EmbedLayerNormalization", 1,
               roundOnce<importEmbedLayerNormalization>);
  registry.add(ms, "FastGelu", 1, roundOnce<importBiasGelu<true>>);
  registry.add(ms, "FusedConv", 1, importFusedConv);
  registry.add(ms, "FusedGemm", 1, importFusedGemm);
  registry.add(ms, "FusedMatMul", 1, importFusedMatMul);
  registry.add(ms, "GatedRelativePositionBias", 1,
               roundOnce<importGatedRelativePositionBias>);
  registry.add(ms, "GemmFastGelu", 1, roundOnce<importGemmFastGelu>);
  registry.add(ms, "NhwcConv", 1, importNhwcConv);
  registry.add(ms, "QuickGelu", 1, roundOnce<importQuickGelu>);
  registry.add(ms, "RelativePositionBias", 1, importRelativePositionBias,
               "lengths known when compiling");
  registry.add(ms, "TransposeMatMul", 1, importFusedMatMul);
}
