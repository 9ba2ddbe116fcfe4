//===- Executors.h - Who runs a module ------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The one place that decides which Executor calibration, transforms,
// sensitivity and the verbs get.
//===----------------------------------------------------------------------===//
#ifndef QOPT_PIPELINES_EXECUTORS_H
#define QOPT_PIPELINES_EXECUTORS_H

#include "qopt/Execution/Executor.h"

namespace qopt {

enum class Engine {
  Reference, ///< the interpreter: the oracle, slow
  Compiled   ///< machine code made in memory
};

/// `optLevel` (0 to 3) of machine code: results are the same.
ExecutorFactory getExecutorFactory(Engine engine, unsigned optLevel = 3);

} // namespace qopt

#endif // QOPT_PIPELINES_EXECUTORS_H
