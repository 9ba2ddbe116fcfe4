//===- QGComposite.h - Ops that are defined by their parts ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Apart from QG.h, so that a new composite op rebuilds what knows composites
// only. The functions below write the parts: the ops' decompositions call them,
// and so does the importer where a model asks for what lies inside.
//===----------------------------------------------------------------------===//
#ifndef QOPT_DIALECT_QG_IR_QGCOMPOSITE_H
#define QOPT_DIALECT_QG_IR_QGCOMPOSITE_H

#include "qopt/Dialect/QG/IR/ShapedBuilder.h"

#include "qopt/Dialect/QG/IR/QGCompositeInterface.h.inc"
#include "qopt/Dialect/QG/IR/QGCompositeKinds.h.inc"

namespace qopt::qg {

/// Reference semantics of a composite op: its parts, one after the other.
mlir::LogicalResult evaluateByParts(CompositeOpInterface op,
                                    llvm::ArrayRef<Tensor> operands,
                                    llvm::SmallVectorImpl<Tensor> &results);

} // namespace qopt::qg

#define GET_OP_CLASSES
#include "qopt/Dialect/QG/IR/QGCompositeOps.h.inc"

namespace qopt::qg {

/// What a normalization computes; null values where it failed.
struct NormalizeParts {
  mlir::Value result;
  /// Null without `centered`.
  mlir::Value mean;
  /// 1 / sqrt(v + epsilon); null unless the form is `reciprocal`.
  mlir::Value inverse;
};
struct NormalizeSpec {
  NormalizeForm form = NormalizeForm::reciprocal;
  llvm::ArrayRef<int64_t> axes;
  double epsilon = 0;
  bool centered = true;
};
NormalizeParts writeNormalize(ShapedBuilder &b, mlir::Value x,
                              const NormalizeSpec &spec);

/// What attention computes; null values where it failed.
struct AttentionParts {
  mlir::Value result;
  /// After the cap, with the bias added, and after softmax.
  mlir::Value products, scores, weights;
};
/// Operands and attributes of `qg.attention`.
struct AttentionSpec {
  mlir::Value q, k, v;
  /// Null if there is none.
  mlir::Value mask, lengths;
  double scale = 1, softcap = 0;
  bool causal = false;
  int64_t offset = 0, leftWindow = -1, rightWindow = -1;
  /// Null: the type of q.
  mlir::Type softmaxType;
};
/// The op; null, and reported, where its verifier refuses it.
mlir::Value createAttention(ShapedBuilder &b, const AttentionSpec &spec);
/// The parts of what its verifier accepts.
AttentionParts writeAttention(ShapedBuilder &b, const AttentionSpec &spec);

/// g * sigmoid(alpha * g).
mlir::Value writeSwish(ShapedBuilder &b, mlir::Value g, double alpha);
mlir::Value writeGelu(ShapedBuilder &b, mlir::Value g, bool withTanh);

} // namespace qopt::qg

#endif // QOPT_DIALECT_QG_IR_QGCOMPOSITE_H
