//===- Targets.cpp - The table of targets ---------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// One row per target, each from its own folder.
//===----------------------------------------------------------------------===//
#include "qopt/Target/CPU/Target.h"
#include "qopt/Target/EmbeddedC/Target.h"
#include "qopt/Target/HLS/Target.h"
#include "qopt/Target/Integer/LowerToIntegers.h"

using namespace qopt;

llvm::ArrayRef<const TargetRow *> qopt::getTargets() {
  static const TargetRow *const kTargets[] = {
      &getCPUTarget(),
      &getEmbeddedCTarget(),
      &hls::getTarget(),
  };
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
