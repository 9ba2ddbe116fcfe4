//===- AssignWeights.h - Formats of weights -------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Names of weight formats as options and plans spell them, and the first
// parameters of a weight under one of them.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_ASSIGNMENT_ASSIGNWEIGHTS_H
#define QOPT_LIB_ASSIGNMENT_ASSIGNWEIGHTS_H

#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Numerics/Element.h"

namespace qopt {

/// An element; `:gN` behind it means parameters per N elements. Elements with
/// zero points are those whose stored integers are unsigned; tables are one per
/// tensor.
struct WeightFormat {
  const Element *element = nullptr;
  int64_t group = 0;

  static std::optional<WeightFormat> parse(llvm::StringRef text);
};

/// The spellings that parse() takes, for messages.
std::string getWeightFormatNames();

/// On an op whose table rounding on data may learn anew.
inline constexpr llvm::StringLiteral kLearnedAttr = "qg.learned_levels";

/// Encoding of the weight of `op` by the largest magnitudes; learned tables are
/// those of the weights alone. Scales are raised
/// where the bias would not fit 32 bits for an input of scale `xScale`. Groups
/// are for ops that can have them: others get one scale per channel. Fails with
/// an error on `op` where the bytes are missing.
mlir::FailureOr<qg::QuantizedType> getWeightEncoding(LinearOpInterface op,
                                                     const WeightFormat &format,
                                                     double xScale);

/// The stored weight that a file brings, if its parameters lie along results of
/// the op or groups of them; null if there is none.
mlir::Value matchStoredWeight(LinearOpInterface op);

/// Why a stored weight cannot be multiplied with bytes of scale `xScale`; empty
/// if it can.
llvm::StringRef getReasonAgainstStored(LinearOpInterface op, double xScale);

/// Why the rows of a product cannot be rounded at run time; empty if they can.
llvm::StringRef getReasonAgainstRows(LinearOpInterface op);

/// Replaces a product by one whose rows are rounded at run time, with a weight
/// of that format, or the stored one that a file brings.
mlir::FailureOr<mlir::Operation *> roundRows(LinearOpInterface op,
                                             const WeightFormat &format);

/// On an op: scales of its weight are larger than its weights need, so that
/// sums fit 32 bits.
inline constexpr llvm::StringLiteral kRaisedAttr = "qg.raised_scales";

/// On an observed tensor: what returns it, too, gets it rounded.
inline constexpr llvm::StringLiteral kRoundsResultsAttr = "qg.rounds_results";

/// On an op: its rows are to be rounded at run time, with that weight format.
inline constexpr llvm::StringLiteral kRowsAttr = "qg.rounds_rows";

/// The nearest levels of an f32 constant as a constant of type `type`.
mlir::Value createRoundedWeight(mlir::OpBuilder &builder, mlir::Value weight,
                                qg::QuantizedType type);

} // namespace qopt

#endif // QOPT_LIB_ASSIGNMENT_ASSIGNWEIGHTS_H
