//===- Patterns.h - Pieces of convert-qg-to-fxp ---------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What the families of patterns share: encodings taken out of types, scales
// computed the one way that the reference semantics compute them.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_CONVERSION_QGTOFXP_PATTERNS_H
#define QOPT_LIB_CONVERSION_QGTOFXP_PATTERNS_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Transforms/DialectConversion.h"
#include "qopt/Dialect/FXP/IR/FXP.h"
#include "qopt/Dialect/QG/IR/QG.h"

namespace qopt::qgtofxp {

/// Numbers of a per-tensor or per-axis encoding.
struct Encoding {
  llvm::SmallVector<float> scales;
  llvm::SmallVector<int64_t> zeroPoints;
  int64_t axis = 0;
  int64_t low = 0, high = 0;
  unsigned storageBits = 8;
  bool isUnsigned = false;

  float scale() const { return scales.front(); }
  int64_t zeroPoint() const { return zeroPoints.front(); }
};

/// Encoding of a quantized tensor; nullopt for floats, dynamic and grouped
/// parameters, and scales whose bytes are missing.
std::optional<Encoding> getEncoding(mlir::Type type);
/// The same, if it is per tensor and in one byte.
std::optional<Encoding> getByteEncoding(mlir::Type type);
/// The same in at most 16 bits, where `mode` rounds sums as integers, else in
/// one byte.
std::optional<Encoding> getStoredEncoding(mlir::Type type,
                                          fxp::RequantizeModeAttr mode);
/// The largest distance of a stored integer from `zeroPoint`.
int64_t getReach(const Encoding &encoding, int64_t zeroPoint);

/// How many stored integers surely add up within 32 bits.
inline int64_t countSummands(const Encoding &encoding) {
  return INT32_MAX >> encoding.storageBits;
}

bool isQuantized(mlir::Type type);

/// "f32", "pow2" or "fixed:BITS"; else an error.
mlir::FailureOr<fxp::RequantizeModeAttr> parseMode(mlir::ModuleOp module,
                                                   llvm::StringRef text);

/// f32 vector attribute of scales; equal ones become one.
mlir::ElementsAttr getScalesAttr(mlir::MLIRContext *context,
                                 llvm::ArrayRef<float> scales);

/// qg.constant of integers of 32 or 64 bits.
mlir::Value createSumsConstant(mlir::OpBuilder &builder, mlir::Location loc,
                               llvm::ArrayRef<int64_t> values, unsigned bits);

/// What integers are rounded into, and how.
struct RequantizeTarget {
  const Encoding &result;
  fxp::RequantizeModeAttr mode;
  /// Stored integers, inclusive; none for the range of the encoding.
  std::optional<llvm::ArrayRef<int64_t>> clamp = std::nullopt;
  /// Of the input; sums have none and are signed.
  int64_t xZeroPoint = 0;
  bool xUnsigned = false;
};
/// `x` (sums, or stored integers) times `scales` in the encoding of `target`.
mlir::Value createRequantize(mlir::OpBuilder &builder, mlir::Location loc,
                             mlir::Value x, llvm::ArrayRef<float> scales,
                             const RequantizeTarget &target);
mlir::Value createQuantize(mlir::OpBuilder &builder, mlir::Location loc,
                           mlir::Value x, const Encoding &result,
                           std::optional<llvm::ArrayRef<int64_t>> clamp = {});
mlir::Value createDequantize(mlir::OpBuilder &builder, mlir::Location loc,
                             mlir::Value x, const Encoding &encoding);

/// How the module rounds sums; `option` where it does not say. A stored mode is
/// part of the model: no target changes its results.
mlir::FailureOr<fxp::RequantizeModeAttr> getMode(mlir::ModuleOp module,
                                                 llvm::StringRef option);

/// Base of the patterns: knows the requantization mode.
template <typename Op> struct ToFXP : mlir::OpConversionPattern<Op> {
  ToFXP(const mlir::TypeConverter &converter, mlir::MLIRContext *context,
        fxp::RequantizeModeAttr mode, mlir::PatternBenefit benefit = 1)
      : mlir::OpConversionPattern<Op>(converter, context, benefit), mode(mode) {
  }
  std::optional<Encoding> getStored(mlir::Type type) const {
    return getStoredEncoding(type, mode);
  }
  fxp::RequantizeModeAttr mode;
};

void populateLinearPatterns(mlir::RewritePatternSet &patterns,
                            const mlir::TypeConverter &converter,
                            fxp::RequantizeModeAttr mode);
/// Products with weights in groups or through tables, and rows rounded at run
/// time.
void populateGroupLinearPatterns(mlir::RewritePatternSet &patterns,
                                 const mlir::TypeConverter &converter,
                                 fxp::RequantizeModeAttr mode);
void populateElementwisePatterns(mlir::RewritePatternSet &patterns,
                                 const mlir::TypeConverter &converter,
                                 fxp::RequantizeModeAttr mode);
void populatePoolPatterns(mlir::RewritePatternSet &patterns,
                          const mlir::TypeConverter &converter,
                          fxp::RequantizeModeAttr mode);

/// Integer forms that are not what the float definition rounds to.
void populateIntegerOnlyPatterns(mlir::RewritePatternSet &patterns,
                                 const mlir::TypeConverter &converter,
                                 fxp::RequantizeModeAttr mode);

/// Rewrites every pointwise region between a dequantize and a quantize of
/// stored integers into fxp.lut on qg values (bridged by unrealized casts), or
/// into fxp.requantize where that gives all entries of a table of 16 bits.
mlir::LogicalResult convertRegionsToTables(mlir::ModuleOp module,
                                           fxp::RequantizeModeAttr mode);

} // namespace qopt::qgtofxp

#endif // QOPT_LIB_CONVERSION_QGTOFXP_PATTERNS_H
