//===- Emit.h - C99 for microcontrollers ----------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The door of the C target: a module of fxp in, a folder of C sources with the
// interface of qopt-rt/qopt_rt.h out. Integers only, no allocation, nothing of
// the C library but memcpy and memset.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TARGET_EMBEDDEDC_EMIT_H
#define QOPT_TARGET_EMBEDDEDC_EMIT_H

#include "absl/status/statusor.h"
#include "mlir/IR/BuiltinOps.h"
#include <map>
#include <string>
#include <vector>

namespace qopt {

struct EmbeddedCOptions {
  std::string symbol = "model"; ///< prefix of _run and _info: a C identifier
  /// The first layers are computed in strips of rows where that takes less RAM.
  bool usesPatches = false;
};

struct EmbeddedCLayer {
  std::string name, kind;
  int64_t macs = 0;
};

struct EmbeddedCProject {
  /// Contents by name: model.c, model.h, ..., README.md.
  std::map<std::string, std::string> files;
  std::vector<EmbeddedCLayer> layers;
  uint64_t arenaBytes = 0, weightsBytes = 0;
  /// Bound of the arena: most bytes of live tensors, inputs, outputs and
  /// scratch not counted.
  uint64_t liveBytes = 0;
  /// Layers from the input on that are computed in strips, and how many.
  int64_t patchedLayers = 0, strips = 1;
};

/// The module is not changed. Unimplemented, with one line per op, where the
/// target has no form for ops; InvalidArgument for a bad symbol.
absl::StatusOr<EmbeddedCProject> emitEmbeddedC(mlir::ModuleOp module,
                                               const EmbeddedCOptions &options);

} // namespace qopt

#endif // QOPT_TARGET_EMBEDDEDC_EMIT_H
