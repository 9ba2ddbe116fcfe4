//===- Encodings.h - Constants under an encoding --------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Which scale belongs to which element, for code that reads quantized
// constants: the one place that knows groups and tables.
//===----------------------------------------------------------------------===//
#ifndef QOPT_DIALECT_QG_IR_ENCODINGS_H
#define QOPT_DIALECT_QG_IR_ENCODINGS_H

#include "qopt/Dialect/QG/IR/QG.h"

namespace qopt::qg {

/// Index of an element's scale and zero point among those of its type.
class ParameterIndex {
public:
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

/// The real numbers of a constant, one rounding each; nullopt for dynamic
/// types and missing or mismatched parameters.
std::optional<Tensor> dequantize(const Tensor &stored,
                                 mlir::RankedTensorType type);

/// Bits that a constant of that type needs: elements, scales (32 bits each),
/// zero points (as wide as an element) and the table.
int64_t getStoredBits(mlir::RankedTensorType type);

} // namespace qopt::qg

#endif // QOPT_DIALECT_QG_IR_ENCODINGS_H
