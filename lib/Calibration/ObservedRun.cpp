//===- ObservedRun.cpp - Samples through a model, its tensors beside ------===//
// SPDX-License-Identifier: Apache-2.0
//
// One sample is in memory at a time.
//===----------------------------------------------------------------------===//
#include "qopt/Calibration/ObservedRun.h"

using namespace mlir;
using namespace qopt;

absl::StatusOr<ObservedRun>
ObservedRun::create(ModuleOp observed, std::shared_ptr<Executor> ready,
                    const ExecutorFactory &factory) {
  absl::StatusOr<InstrumentedModule> instrumented = instrument(observed);
  if (!instrumented.ok())
    return instrumented.status();
  ObservedRun result;
  result.instrumented = std::move(*instrumented);
  result.executor = std::move(ready);
  if (!result.executor) {
    auto made = factory(*result.instrumented.module);
    if (!made.ok())
      return made.status();
    result.executor = std::move(*made);
  }
  return std::move(result);
}

const ObservedRun::Point *ObservedRun::find(llvm::StringRef name) const {
  // The last of a name, as every observer of it sees the same tensor.
  const Point *found = nullptr;
  for (const Point &point : instrumented.points)
    if (point.name == name)
      found = &point;
  return found;
}

const Tensor *ObservedRun::get(const Point &point, ArrayRef<Tensor> inputs,
                               ArrayRef<Tensor> outputs) {
  ArrayRef<Tensor> from = point.isArgument ? inputs : outputs;
  return point.index < from.size() ? &from[point.index] : nullptr;
}

absl::StatusOr<int64_t> ObservedRun::run(const SampleSource &source,
                                         int64_t limit, Body body) {
  int64_t done = 0;
  for (; done < limit; ++done) {
    auto sample = source(done);
    if (!sample.ok())
      return sample.status();
    if (!*sample)
      break;
    auto outputs = executor->run(**sample);
    if (!outputs.ok())
      return outputs.status();
    if (absl::Status status = body(done, **sample, *outputs); !status.ok())
      return status;
  }
  return done;
}
