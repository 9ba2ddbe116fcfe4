//===- _qopt.cpp - The C++ side of the Python package ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Models, programs, profiles; what a recipe does with them is in Quantize.cpp.
//===----------------------------------------------------------------------===//
#include "Convert.h"
#include "mlir/IR/MLIRContext.h"
#include "qopt/Calibration/Profile.h"
#include "qopt/Driver/Session.h"
#include "qopt/InitAll.h"
#include "qopt/Pipelines/Executors.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Support/Files.h"
#include "qopt/Target/CPU/Emit.h"

#include "llvm/Support/Path.h"

using namespace qopt;
using namespace qopt::python;

namespace {

using Spec = std::tuple<std::string, std::string, std::vector<int64_t>>;

nb::list toSpecs(llvm::ArrayRef<TensorSpec> specs) {
  nb::list result;
  for (const TensorSpec &spec : specs)
    result.append(nb::make_tuple(
        spec.name, getName(spec.dtype).str(),
        std::vector<int64_t>(spec.shape.begin(), spec.shape.end())));
  return result;
}

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
                                const Constants &constants, int64_t seed) {
  ImportOptions options;
  options.seed = uint64_t(seed);
  options.shapes = shapes;
  options.dims = dims;
  for (const auto &[name, array] : constants)
    options.consts[name] = toTensor(array);
  return options;
}

/// A model as it was read; its graph is hashed when it is prepared.
Model makeModel(std::shared_ptr<mlir::MLIRContext> context,
                mlir::OwningOpRef<mlir::ModuleOp> module, Origin origin) {
  return {std::move(context),
          std::move(module),
          std::make_shared<Origin>(std::move(origin)),
          nullptr,
          {}};
}

Model load(const std::string &path, const Shapes &shapes, const Dims &dims,
           const Constants &constants, int64_t seed) {
  std::shared_ptr<mlir::MLIRContext> context = makeContext();
  Origin origin{llvm::sys::path::filename(path).str(), "", "",
                makeImportOptions(shapes, dims, constants, seed)};
  mlir::OwningOpRef<mlir::ModuleOp> module =
      unwrap(loadModel(context.get(), path, origin.import));
  origin.sha256 = unwrap(getFileSha256(path));
  return makeModel(std::move(context), std::move(module), std::move(origin));
}

Model loadBytes(nb::bytes bytes, const Shapes &shapes, const Dims &dims,
                const Constants &constants, int64_t seed) {
  std::shared_ptr<mlir::MLIRContext> context = makeContext();
  llvm::StringRef view(bytes.c_str(), bytes.size());
  Origin origin{"<bytes>", getSha256(view), "",
                makeImportOptions(shapes, dims, constants, seed)};
  mlir::OwningOpRef<mlir::ModuleOp> module =
      unwrap(loadModelBytes(context.get(), view, origin.import));
  return makeModel(std::move(context), std::move(module), std::move(origin));
}

/// ONNX graphs in the form that quantization wants; `isOnnx`: not yet.
Model prepareModel(const Model &model, bool isOnnx) {
  Model result = model.clone();
  if (isOnnx)
    check(prepare(*result.module));
  Origin origin = *model.origin;
  origin.graphHash = unwrap(getModelHash(*result.module));
  result.origin = std::make_shared<Origin>(std::move(origin));
  return result;
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
    llvm::SmallVector<Tensor> trimmed =
        unwrap(trimOutputs(interface, unwrap(std::move(results))));
    trimmed.truncate(interface.countOwnOutputs());
    for (const Tensor &tensor : trimmed)
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

/// As `qopt bench --threads`.
constexpr unsigned kMostThreads = 256;

/// Machine code for this machine.
Program compile(const Model &model, const std::string &symbol, unsigned threads,
                unsigned optLevel, const std::string &requantize) {
  if (threads < 1 || threads > kMostThreads)
    raise(Error(Code::BadFlagValue, "threads: expected 1 to " +
                                        llvm::Twine(kMostThreads) + ", got " +
                                        llvm::Twine(threads)));
  if (optLevel > 3)
    raise(Error(Code::BadFlagValue,
                "opt_level: expected 0 to 3, got " + llvm::Twine(optLevel)));
  Model lowered = model.clone();
  check(lower(*lowered.module, requantize));
  CPUOptions options;
  options.symbol = symbol;
  options.optLevel = optLevel;
  // What Python gets is one object.
  options.weights = WeightsPlace::Object;
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

Profile calibrateModel(const Model &model, nb::iterator samples, bool perSample,
                       bool perChannel, bool reference) {
  CalibrateOptions options;
  options.perSample = perSample;
  options.perChannel = perChannel;
  options.engine = reference ? Engine::Reference : Engine::Compiled;
  return unwrap(calibrate(*model.module, makeSource(samples), options));
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
                     ModelInterface interface =
                         unwrap(getInterface(*model.module));
                     return toSpecs(interface.ownOutputs());
                   })
      .def("to_mlir",
           [](const Model &model) { return printModule(*model.module); })
      .def("prepare", &prepareModel)
      .def_prop_ro("recipe",
                   [](const Model &model) -> std::optional<std::string> {
                     if (!model.quantized)
                       return std::nullopt;
                     return model.quantized->recipe.toJson();
                   })
      .def_prop_ro("profile",
                   [](const Model &model) -> std::optional<Profile> {
                     return model.quantized ? model.quantized->profile
                                            : std::nullopt;
                   })
      .def_ro("lines", &Model::lines);
  nb::class_<Program>(m, "Program")
      .def("run", &Program::run)
      .def_prop_ro("inputs",
                   [](const Program &p) { return toSpecs(p.interface.inputs); })
      .def_prop_ro(
          "outputs",
          [](const Program &p) { return toSpecs(p.interface.ownOutputs()); })
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
  registerQuantize(m);
}
