//===- Convert.cpp - Values between Python and qopt -----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// One copy each way: Python may change its arrays while qopt holds ours.
//===----------------------------------------------------------------------===//
#include "Convert.h"
#include "qopt/Support/Files.h"
#include "qopt/Support/Json.h"

using namespace qopt;
using namespace qopt::python;

namespace {
/// Arrays that must not be written are read, too.
using Bytes =
    nb::ndarray<const uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
} // namespace

void python::raise(const absl::Status &status) {
  nb::list notes;
  for (const std::string &note : getNotes(status))
    notes.append(note);
  nb::object error =
      nb::module_::import_("qopt.errors")
          .attr("make")(int(getExitCode(status)), int(getCode(status)),
                        std::string(status.message()), notes, getHelp(status));
  PyErr_SetObject(reinterpret_cast<PyObject *>(Py_TYPE(error.ptr())),
                  error.ptr());
  throw nb::python_error();
}

Tensor python::toTensor(const Array &array) {
  std::optional<DType> dtype = parseDType(array.dtype);
  if (!dtype)
    raise(Error(Code::DataShape,
                "expects a dtype that qopt has, got " + array.dtype));
  Tensor tensor(*dtype, array.shape);
  Bytes bytes = nb::cast<Bytes>(array.bytes);
  if (int64_t(bytes.size()) != tensor.numBytes())
    raise(Error(Code::DataShape, "expects as many bytes as the shape says"));
  std::memcpy(tensor.mutableData(), bytes.data(), bytes.size());
  return tensor;
}

Array python::fromTensor(const Tensor &tensor) {
  auto *owner = new Tensor(tensor);
  nb::capsule capsule(
      owner, [](void *p) noexcept { delete static_cast<Tensor *>(p); });
  size_t count = size_t(tensor.numBytes());
  nb::ndarray<nb::numpy, uint8_t> bytes(const_cast<char *>(owner->data()),
                                        {count}, capsule);
  return {nb::cast(bytes),
          getName(tensor.dtype()).str(),
          {tensor.shape().begin(), tensor.shape().end()}};
}

llvm::json::Object python::parseObject(const std::string &text) {
  absl::StatusOr<llvm::json::Value> value = parseJson(text);
  if (!value.ok())
    raise(withCode(value.status(), Code::BadFlagValue));
  llvm::json::Object *object = value->getAsObject();
  if (!object)
    raise(Error(Code::BadFlagValue, "expects a dict of settings"));
  return std::move(*object);
}

std::string Samples::getSha256() const {
  std::string text;
  for (const llvm::SmallVector<Tensor> &sample : arrays)
    for (const Tensor &tensor : sample)
      text += qopt::getSha256({tensor.data(), size_t(tensor.numBytes())});
  return arrays.empty() ? "" : qopt::getSha256(text);
}

SampleSet python::openSamples(const Samples &samples, mlir::ModuleOp module,
                              const Preprocessing &pre, const Recipe &recipe,
                              std::unique_ptr<DataSource> &data) {
  int64_t most = recipe.samples ? recipe.samples : INT64_MAX;
  if (!samples.paths.empty()) {
    ModelInterface interface = unwrap(getInterface(module));
    data = unwrap(DataSource::open(samples.paths, interface.inputs, pre));
    check(data->restrictTo(recipe.skip, most));
    return makeSampleSet(*data);
  }
  SampleSet whole;
  whole.count = samples.arrays.size();
  whole.source = [&samples](int64_t index)
      -> absl::StatusOr<std::optional<llvm::SmallVector<Tensor>>> {
    if (index >= int64_t(samples.arrays.size()))
      return std::nullopt;
    return std::optional(samples.arrays[index]);
  };
  return whole.slice(
      recipe.skip,
      std::max<int64_t>(0, std::min(whole.count - recipe.skip, most)));
}
