//===- Encodings.h - Constants under an encoding --------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Which scale belongs to which element and which integer a stored number
// stands for: the one place that knows groups and tables.
//===----------------------------------------------------------------------===//
#ifndef QOPT_DIALECT_QG_IR_ENCODINGS_H
#define QOPT_DIALECT_QG_IR_ENCODINGS_H

#include "qopt/Dialect/QG/IR/QG.h"

namespace qopt::qg {

/// Index of an element's scale and zero point among those of its type.
class ParameterIndex {
public:
  ParameterIndex() = default;
  ParameterIndex(QuantizedType type, llvm::ArrayRef<int64_t> shape);
  size_t operator()(int64_t element) const {
    if (extent == 1 && !groupSize)
      return 0;
    int64_t channel = element / inner % extent;
    if (!groupSize)
      return channel;
    int64_t reduced = element / (inner * extent) * inner + element % inner;
    return channel * groups + reduced / groupSize;
  }
  /// Parameters that a tensor of that shape has.
  size_t count() const { return extent * groups; }

private:
  int64_t inner = 1, extent = 1, groupSize = 0, groups = 1;
};

/// What the stored numbers of a tensor stand for, whatever its format.
class Decoder {
public:
  /// Of stored numbers with one zero point and no scale: integers alone.
  explicit Decoder(int64_t zeroPoint) : scales_{1.0f}, zeros{zeroPoint} {}
  /// nullopt for dynamic types and missing or mismatched parameters.
  static std::optional<Decoder> get(mlir::RankedTensorType type);

  /// Parameters of an element: an index into `scales`.
  size_t parameter(int64_t element) const { return index(element); }
  size_t numParameters() const { return index.count(); }
  llvm::ArrayRef<float> scales() const { return scales_; }
  float scale(int64_t element) const { return scales_[index(element)]; }
  /// Levels of a table; empty: stored numbers stand for themselves.
  llvm::ArrayRef<int8_t> levels() const { return levels_; }
  /// Of an element with the stored number `stored`, before its scale.
  int64_t integer(int64_t element, int64_t stored) const;
  /// The same times its scale, rounded once.
  float real(int64_t element, int64_t stored) const {
    return float(integer(element, stored)) * scales_[index(element)];
  }
  /// All integers of a tensor.
  std::vector<int32_t> integers(const Tensor &stored) const;
  /// The same as bytes, or the first that leaves them, with `bytes` empty.
  struct Bytes {
    std::optional<Tensor> bytes;
    int64_t outside = 0;
  };
  Bytes bytes(const Tensor &stored) const;

private:
  Decoder() = default;

  ParameterIndex index;
  llvm::SmallVector<float> scales_;
  llvm::SmallVector<int64_t> zeros;
  llvm::ArrayRef<int8_t> levels_;
};

/// The real numbers of a constant, one rounding each; nullopt where it has no
/// Decoder.
std::optional<Tensor> dequantize(const Tensor &stored,
                                 mlir::RankedTensorType type);

/// f32 values as f16, if no bit is lost; else as they are.
Tensor narrowToHalves(const Tensor &values);

/// Bits that a constant of that type needs: elements, scales (32 bits each),
/// zero points (as wide as an element) and the table. What a target holds is
/// asked of it.
int64_t getStoredBits(mlir::RankedTensorType type);

} // namespace qopt::qg

#endif // QOPT_DIALECT_QG_IR_ENCODINGS_H
