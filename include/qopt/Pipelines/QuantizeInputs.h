//===- QuantizeInputs.h - Encodings of inputs that have none --------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Models that bring their encodings often leave their first input float. A
// target without floats needs integers there as well.
//===----------------------------------------------------------------------===//
#ifndef QOPT_PIPELINES_QUANTIZEINPUTS_H
#define QOPT_PIPELINES_QUANTIZEINPUTS_H

#include "mlir/IR/BuiltinOps.h"
#include "qopt/Data/DataSource.h"
#include "qopt/Pipelines/Quantize.h"

namespace qopt {

/// Encodes in 8 bits every float input of `@main` that a linear op multiplies
/// by stored integers; the range is that of the samples. Returns what was
/// chosen, a line an input. An error if there are such inputs and no samples.
absl::StatusOr<std::vector<std::string>>
quantizeFloatInputs(mlir::ModuleOp module, const SampleSource &samples);

} // namespace qopt

#endif // QOPT_PIPELINES_QUANTIZEINPUTS_H
