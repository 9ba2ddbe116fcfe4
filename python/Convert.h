//===- Convert.h - Values between Python and qopt -------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Arrays cross as (bytes, dtype name, shape), so that types NumPy does not
// have (bf16) need no special case here; qopt/__init__.py gives them their
// NumPy faces. Errors become the exceptions of qopt/errors.py.
//===----------------------------------------------------------------------===//
#ifndef QOPT_PYTHON_CONVERT_H
#define QOPT_PYTHON_CONVERT_H

#include "qopt/Artifacts/Artifacts.h"
#include "qopt/Pipelines/Model.h"
#include "qopt/Pipelines/QuantizeModel.h"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace qopt::python {

namespace nb = nanobind;

/// An array on its way: bytes, dtype name, shape.
struct Array {
  nb::object bytes;
  std::string dtype;
  std::vector<int64_t> shape;
};
Tensor toTensor(const Array &array);
Array fromTensor(const Tensor &tensor);

[[noreturn]] void raise(const absl::Status &status);
template <typename T> T unwrap(absl::StatusOr<T> value) {
  if (!value.ok())
    raise(value.status());
  return std::move(*value);
}
inline void check(const absl::Status &status) {
  if (!status.ok())
    raise(status);
}

/// A dict that was written as JSON.
llvm::json::Object parseObject(const std::string &text);

/// Where a model comes from, for locks.
struct Origin {
  std::string name, sha256, graphHash;
  ImportOptions import;
};

/// A module with the context that owns its types, and how it came about.
struct Model {
  std::shared_ptr<mlir::MLIRContext> context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::shared_ptr<const Origin> origin;
  /// Of a quantized model.
  std::shared_ptr<const QuantizedModel> quantized;
  std::vector<std::string> lines;

  Model clone() const {
    return {context, mlir::ModuleOp(module.get()).clone(), origin, quantized,
            lines};
  }
};

/// What `data=` gives: paths as --data takes them, or samples in memory.
struct Samples {
  std::vector<std::string> paths;
  std::vector<llvm::SmallVector<Tensor>> arrays;

  /// SHA-256 of the arrays; empty for paths.
  std::string getSha256() const;
};
/// The samples, restricted to what the recipe wants; `data` owns those of
/// paths.
SampleSet openSamples(const Samples &samples, mlir::ModuleOp module,
                      const Preprocessing &pre, const Recipe &recipe,
                      std::unique_ptr<DataSource> &data);

/// The functions of Quantize.cpp.
void registerQuantize(nb::module_ &m);

} // namespace qopt::python

#endif // QOPT_PYTHON_CONVERT_H
