//===- _qopt.cpp - The C++ side of the Python package ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Arrays cross as (bytes, dtype name, shape), so that types NumPy does not
// have (bf16) need no special case here; qopt/__init__.py gives them their
// NumPy faces. Errors become the exceptions of qopt/errors.py.
//===----------------------------------------------------------------------===//
#include "mlir/IR/MLIRContext.h"
#include "qopt/Calibration/Profile.h"
#include "qopt/Driver/Session.h"
#include "qopt/InitAll.h"
#include "qopt/Pipelines/Executors.h"
#include "qopt/Pipelines/Model.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Pipelines/Quantize.h"
#include "qopt/Target/CPU/Emit.h"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace nb = nanobind;
using namespace qopt;

namespace {

using Bytes = nb::ndarray<uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

/// An array on its way: bytes, dtype name, shape.
struct Array {
  nb::object bytes;
  std::string dtype;
  std::vector<int64_t> shape;
};

[[noreturn]] void raise(const absl::Status &status) {
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

template <typename T> T unwrap(absl::StatusOr<T> value) {
  if (!value.ok())
    raise(value.status());
  return std::move(*value);
}

void check(const absl::Status &status) {
  if (!status.ok())
    raise(status);
}

Tensor toTensor(const Array &array) {
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

Array fromTensor(const Tensor &tensor) {
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

using Spec = std::tuple<std::string, std::string, std::vector<int64_t>>;

nb::list toSpecs(const std::vector<TensorSpec> &specs) {
  nb::list result;
  for (const TensorSpec &spec : specs)
    result.append(nb::make_tuple(
        spec.name, getName(spec.dtype).str(),
        std::vector<int64_t>(spec.shape.begin(), spec.shape.end())));
  return result;
}

/// A module with the context that owns its types.
struct Model {
  std::shared_ptr<mlir::MLIRContext> context;
  mlir::OwningOpRef<mlir::ModuleOp> module;

  Model clone() const {
    return {context, mlir::ModuleOp(module.get()).clone()};
  }
};

std::shared_ptr<mlir::MLIRContext> makeContext() {
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  auto context = std::make_shared<mlir::MLIRContext>(
      registry, mlir::MLIRContext::Threading::DISABLED);
  context->loadAllAvailableDialects();
  return context;
}

using Shapes = std::map<std::string, std::vector<int64_t>>;
using Dims = std::map<std::string, int64_t>;
using Constants = std::map<std::string, Array>;

ImportOptions makeImportOptions(const Shapes &shapes, const Dims &dims,
                                const Constants &constants) {
  ImportOptions options;
  options.shapes = shapes;
  options.dims = dims;
  for (const auto &[name, array] : constants)
    options.consts[name] = toTensor(array);
  return options;
}

Model load(const std::string &path, const Shapes &shapes, const Dims &dims,
           const Constants &constants) {
  Model model{makeContext(), nullptr};
  model.module = unwrap(loadModel(model.context.get(), path,
                                  makeImportOptions(shapes, dims, constants)));
  return model;
}

Model loadBytes(nb::bytes bytes, const Shapes &shapes, const Dims &dims,
                const Constants &constants) {
  Model model{makeContext(), nullptr};
  model.module =
      unwrap(loadModelBytes(model.context.get(), {bytes.c_str(), bytes.size()},
                            makeImportOptions(shapes, dims, constants)));
  return model;
}

/// The `qopt` command with these words; returns its exit code.
int runCommand(const std::vector<std::string> &words) {
  std::vector<llvm::StringRef> views(words.begin(), words.end());
  nb::gil_scoped_release release;
  return driver::runMain(views);
}

/// A compiled function, or a model under the interpreter.
struct Program {
  Model model; ///< what the interpreter runs; empty for machine code
  ModelInterface interface;
  std::unique_ptr<Executor> executor;
  std::string object, header;

  std::vector<Array> run(const std::vector<Array> &arrays) {
    llvm::SmallVector<Tensor> inputs;
    for (const Array &array : arrays)
      inputs.push_back(toTensor(array));
    absl::StatusOr<llvm::SmallVector<Tensor>> results = [&] {
      nb::gil_scoped_release release;
      return executor->run(inputs);
    }();
    std::vector<Array> outputs;
    for (const Tensor &tensor : unwrap(std::move(results)))
      outputs.push_back(fromTensor(tensor));
    return outputs;
  }
};

Program makeReference(const Model &model) {
  Model own = model.clone();
  auto executor = unwrap(getExecutorFactory(Engine::Reference)(*own.module));
  auto interface = unwrap(getInterface(*own.module));
  return {std::move(own), std::move(interface), std::move(executor), "", ""};
}

Program compile(const Model &model, const std::string &symbol,
                unsigned threads) {
  Model lowered = model.clone();
  check(lower(*lowered.module));
  CPUOptions options;
  options.symbol = symbol;
  auto compiled = compileForCPU(*lowered.module, options);
  if (!compiled.ok())
    raise(withCode(compiled.status(), Code::UnsupportedLowering));
  CompiledModel code = std::move(*compiled);
  std::unique_ptr<JitProgram> program =
      unwrap(loadObject(code.object, code.symbol, threads));
  return {Model(), unwrap(getInterface(*model.module)),
          makeExecutor(std::move(program)), code.object, code.header};
}

/// Samples from a Python iterator of lists of arrays.
SampleSource makeSource(nb::iterator iterator) {
  return [iterator](int64_t) mutable
             -> absl::StatusOr<std::optional<llvm::SmallVector<Tensor>>> {
    if (iterator == nb::iterator::sentinel())
      return std::nullopt;
    llvm::SmallVector<Tensor> sample;
    for (nb::handle array : *iterator)
      sample.push_back(toTensor(nb::cast<Array>(array)));
    ++iterator;
    return sample;
  };
}

Profile calibrateModel(const Model &model, nb::iterator samples) {
  return unwrap(calibrate(*model.module, makeSource(samples), {}));
}

Model quantizeModel(const Model &model, const Profile *profile,
                    const std::string &scheme, const std::string &method,
                    nb::object samples) {
  Model result = model.clone();
  QuantizeOptions options;
  options.scheme = unwrap(parseScheme(scheme));
  options.method = method;
  SampleSource source;
  if (!samples.is_none())
    source = makeSource(nb::iter(samples));
  check(quantize(*result.module, profile, source, options));
  return result;
}

} // namespace

NB_MODULE(_qopt, m) {
  registerAllPasses();
  nb::class_<Array>(m, "Array")
      .def("__init__",
           [](Array *self, nb::object bytes, std::string dtype,
              std::vector<int64_t> shape) {
             new (self) Array{bytes, std::move(dtype), std::move(shape)};
           })
      .def_ro("bytes", &Array::bytes)
      .def_ro("dtype", &Array::dtype)
      .def_ro("shape", &Array::shape);
  nb::class_<Profile>(m, "Profile")
      .def_ro("samples", &Profile::samples)
      .def("merge", [](Profile &a, const Profile &b) { check(a.merge(b)); })
      .def("to_json", &Profile::toJSON)
      .def_static("from_json", [](const std::string &text) {
        return unwrap(Profile::fromJSON(text));
      });
  nb::class_<Model>(m, "Model")
      .def_prop_ro("inputs",
                   [](const Model &model) {
                     return toSpecs(unwrap(getInterface(*model.module)).inputs);
                   })
      .def_prop_ro("outputs",
                   [](const Model &model) {
                     return toSpecs(
                         unwrap(getInterface(*model.module)).outputs);
                   })
      .def("to_mlir",
           [](const Model &model) { return printModule(*model.module); })
      .def("prepare", [](const Model &model) {
        Model result = model.clone();
        check(prepare(*result.module));
        return result;
      });
  nb::class_<Program>(m, "Program")
      .def("run", &Program::run)
      .def_prop_ro("inputs",
                   [](const Program &p) { return toSpecs(p.interface.inputs); })
      .def_prop_ro(
          "outputs",
          [](const Program &p) { return toSpecs(p.interface.outputs); })
      .def_prop_ro("object",
                   [](const Program &p) {
                     return nb::bytes(p.object.data(), p.object.size());
                   })
      .def_ro("header", &Program::header);
  m.def("load", &load);
  m.def("load_bytes", &loadBytes);
  m.def("run_command", &runCommand);
  m.def("make_reference", &makeReference);
  m.def("compile", &compile);
  m.def("calibrate", &calibrateModel);
  m.def("quantize", &quantizeModel, nb::arg("model"), nb::arg("profile").none(),
        nb::arg("scheme"), nb::arg("method"), nb::arg("samples").none());
}
