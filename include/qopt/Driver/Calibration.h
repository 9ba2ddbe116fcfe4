//===- Calibration.h - Statistics as the flags ask for them ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// `calibrate`, `quantize` and `compile` read the same flags.
//===----------------------------------------------------------------------===//
#ifndef QOPT_DRIVER_CALIBRATION_H
#define QOPT_DRIVER_CALIBRATION_H

#include "qopt/Driver/Session.h"
#include "qopt/Pipelines/Quantize.h"

namespace qopt::driver {

/// From --profile, or by running --data (`executor` gets what ran it).
absl::StatusOr<Profile>
collectStatistics(const Arguments &arguments, Session &session,
                  mlir::ModuleOp module, const Preprocessing &pre,
                  std::shared_ptr<Executor> *executor = nullptr);

/// A quantized module and how it came about.
struct QuantizedModel {
  /// `unfolded` has float ops between quantize and dequantize.
  mlir::OwningOpRef<mlir::ModuleOp> floatModule, unfolded, quantized;
  std::optional<Profile> profile;
  Preprocessing preprocessing;
  QuantizeOptions options;
};
/// What --scheme and its companions say wrong by themselves, all at once.
absl::Status checkQuantizeFlags(const Arguments &arguments,
                                llvm::StringRef requantize);
/// Import to quantization, as --scheme and its companions say. `requantize`
/// is the mode where --requant names none.
absl::StatusOr<QuantizedModel>
quantizeModel(const Arguments &arguments, Session &session,
              llvm::StringRef requantize = "f32");

/// --transforms, on the float model before its statistics are collected;
/// `model.options` says what the target is.
absl::Status transformModel(const Arguments &arguments, Session &session,
                            QuantizedModel &model);

} // namespace qopt::driver

#endif // QOPT_DRIVER_CALIBRATION_H
