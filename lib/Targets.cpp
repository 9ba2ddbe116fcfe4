//===- Targets.cpp - The table of targets ---------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// One row per target, each from its own folder: CMake lists those with a
// Target.cpp.
//===----------------------------------------------------------------------===//
#include "qopt/Target/CPU/Emit.h"
#include "qopt/Target/HLS/Target.h"
#include "qopt/Target/Integer/LowerToIntegers.h"
#include "qopt/Target/Target.h"

#include <algorithm>

using namespace qopt;

namespace qopt {
#define QOPT_TARGET(Name) const TargetRow &get##Name##Target();
#include "qopt/Target/Targets.inc"
#undef QOPT_TARGET
} // namespace qopt

llvm::ArrayRef<const TargetRow *> qopt::getTargets() {
  static const std::vector<const TargetRow *> kTargets = [] {
    std::vector<const TargetRow *> rows = {
#define QOPT_TARGET(Name) &get##Name##Target(),
#include "qopt/Target/Targets.inc"
#undef QOPT_TARGET
    };
    // What the command can load again is meant where nothing is said.
    std::stable_partition(rows.begin(), rows.end(),
                          [](const TargetRow *row) { return row->hasBundle; });
    return rows;
  }();
  return kTargets;
}

const TargetStage *qopt::findStage(const TargetRow &row, llvm::StringRef name) {
  for (const TargetStage &stage : row.stages)
    if (name == stage.name)
      return &stage;
  return nullptr;
}

void qopt::registerTargetPipelines() {
  registerIntegerPipelines();
  registerCPUPipelines();
  hls::registerPipelines();
}
