//===- FusedOps.cpp - What ONNX Runtime's optimizer makes of several ops --===//
// SPDX-License-Identifier: Apache-2.0
//
// Operators of com.microsoft, taken apart into what they were made of.
//===----------------------------------------------------------------------===//
#include "Activations.h"
#include "qopt/Dialect/QG/IR/QGComposite.h"
#include "qopt/Frontend/ONNX/MatMul.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"
#include "qopt/Frontend/ONNX/Window.h"

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
  if (failed(op.result(b.add(b.mul(y, gamma), beta))))
    return failure();
  // How many of a row are no padding; 0 where nothing says so.
  if (op.hasOutput(1)) {
    Type i32 = IntegerType::get(b.context(), 32);
    Value counts = mask ? b.reduce(ReduceKind::sum, mask, {1}, false)
                        : b.full({b.extent(ids, 0)}, 0, i32);
    if (failed(op.result(1, b.convert(counts, i32))))
      return failure();
  }
  return op.hasOutput(2) ? op.result(2, sum) : success();
}

void frontend::registerFusedOps(OpRegistry &registry) {
  StringRef ms = "com.microsoft";
  registry.add(ms, "BiasGelu", 1, roundOnce<importBiasGelu<false>>);
  registry.add(ms, "EmbedLayerNormalization", 1,
               roundOnce<importEmbedLayerNormalization>);
  registry.add(ms, "FastGelu", 1, roundOnce<importBiasGelu<true>>);
  registry.add(ms, "FusedConv", 1, importFusedConv);
  registry.add(ms, "FusedGemm", 1, importFusedGemm);
  registry.add(ms, "FusedMatMul", 1, importFusedMatMul);
  registry.add(ms, "GemmFastGelu", 1, roundOnce<importGemmFastGelu>);
  registry.add(ms, "QuickGelu", 1, roundOnce<importQuickGelu>);
  registry.add(ms, "TransposeMatMul", 1, importFusedMatMul);
}
