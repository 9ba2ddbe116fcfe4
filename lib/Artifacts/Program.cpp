//===- Program.cpp - Something that can be run ----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Chooses between the code of a bundle and making it.
//===----------------------------------------------------------------------===//
#include "qopt/Artifacts/Program.h"
#include "qopt/Artifacts/Bundle.h"
#include "qopt/Artifacts/Native.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Target/Integer/LowerToIntegers.h"

#include "llvm/Support/FileSystem.h"

using namespace qopt;

absl::StatusOr<Preprocessing>
qopt::getRecordedPreprocessing(llvm::StringRef path) {
  std::optional<std::string> stem = findBundle(path);
  if (!stem)
    return Preprocessing();
  QOPT_ASSIGN(Bundle bundle, readBundle(*stem));
  return bundle.preprocessing;
}

absl::StatusOr<mlir::OwningOpRef<mlir::ModuleOp>>
qopt::openModule(mlir::MLIRContext *context, llvm::StringRef path,
                 const ProgramOptions &options) {
  if (std::optional<std::string> stem = findBundle(path)) {
    QOPT_ASSIGN(Bundle bundle, readBundle(*stem));
    const char *file =
        options.wantsFloatTwin ? "model.mlirbc" : "quantized.mlirbc";
    return loadModel(context, bundle.getPath(file));
  }
  QOPT_ASSIGN(mlir::OwningOpRef<mlir::ModuleOp> module,
              loadModel(context, path, options.import));
  if (path.ends_with(".onnx") || path.ends_with(".onnxtxt"))
    QOPT_RETURN_IF_ERROR(prepare(*module));
  return module;
}

static absl::Status refuseManifest(const Bundle &bundle,
                                   const llvm::Twine &what) {
  return Error(Code::BundleInvalid,
               "'" + bundle.getPath("manifest.json") + "': " + what);
}

/// Lengths and what they count, behind the outputs as in a module.
static absl::Status readLengths(const Bundle &bundle,
                                ModelInterface &interface) {
  const llvm::json::Array *lengths = bundle.manifest.getArray("lengths");
  if (!lengths)
    return absl::OkStatus();
  size_t own = interface.outputs.size();
  for (const llvm::json::Value &value : *lengths) {
    const llvm::json::Object *object = value.getAsObject();
    auto name = object ? object->getString("name") : std::nullopt;
    if (!name)
      return refuseManifest(bundle, "'lengths' is not a list of names");
    interface.outputs.push_back({name->str(), DType::i64, {}});
  }
  for (auto [i, value] :
       llvm::enumerate(*bundle.manifest.getArray("outputs"))) {
    const llvm::json::Object *length =
        value.getAsObject() ? value.getAsObject()->getObject("length")
                            : nullptr;
    if (!length)
      continue;
    int64_t axis = length->getInteger("axis").value_or(-1),
            index = length->getInteger("index").value_or(-1);
    if (axis < 0 || axis >= int64_t(interface.outputs[i].shape.size()) ||
        index < 0 || index >= int64_t(lengths->size()))
      return refuseManifest(bundle, "'length' of output " + llvm::Twine(i) +
                                        " is not a dimension of it and the "
                                        "index of a length");
    interface.counted.push_back({i, size_t(axis), own + size_t(index)});
  }
  return absl::OkStatus();
}

/// Code and record can be of two models only if somebody changed one of them.
static absl::Status checkOutputs(const ModelInterface &interface,
                                 const JitProgram &native) {
  const qopt_info &info = native.info();
  bool isSame =
      info.n_outputs + native.lengths().size() == interface.outputs.size();
  for (uint32_t i = 0; isSame && i < info.n_outputs; ++i)
    isSame = llvm::ArrayRef(info.outputs[i].dims, info.outputs[i].rank) ==
             llvm::ArrayRef<int64_t>(interface.outputs[i].shape);
  if (isSame)
    return absl::OkStatus();
  return Error(Code::BundleInvalid,
               "the code has other outputs than the model of its bundle")
      .help("compile the model again");
}

/// A bundle whose weights lie in a file: its module, which may be as large, is
/// not read where the manifest has the interface. False for others.
static absl::StatusOr<bool> openLargeProgram(mlir::MLIRContext *context,
                                             llvm::StringRef path,
                                             const ProgramOptions &options,
                                             Program &program) {
  std::optional<std::string> stem = findBundle(path);
  if (!stem)
    return false;
  QOPT_ASSIGN(Bundle bundle, readBundle(*stem));
  if (!bundle.manifest.getObject("weights"))
    return false;
  QOPT_ASSIGN(program.interface.inputs, bundle.getSpecs("inputs"));
  QOPT_ASSIGN(program.interface.outputs, bundle.getSpecs("outputs"));
  QOPT_RETURN_IF_ERROR(readLengths(bundle, program.interface));
  QOPT_ASSIGN(std::unique_ptr<JitProgram> native,
              openNative(context, path, options));
  QOPT_RETURN_IF_ERROR(checkOutputs(program.interface, *native));
  program.executor = makeExecutor(std::move(native));
  return true;
}

/// What the code of a bundle without floats computes: it has integer forms of
/// floats between encodings, such as softmax, that the graph does not show.
static absl::Status lowerAsCode(llvm::StringRef path, mlir::ModuleOp module) {
  QOPT_ASSIGN(Bundle bundle, readBundle(*findBundle(path)));
  if (!bundle.manifest.getBoolean("integer_only").value_or(false))
    return absl::OkStatus();
  return lower(module, bundle.getString("requantize"), /*integerOnly=*/true);
}

absl::StatusOr<Program> qopt::openProgram(mlir::MLIRContext *context,
                                          llvm::StringRef path,
                                          const ProgramOptions &options) {
  Program program;
  QOPT_ASSIGN(program.preprocessing, getRecordedPreprocessing(path));
  if (options.engine == Engine::Compiled && !options.wantsFloatTwin) {
    QOPT_ASSIGN(bool isOpen, openLargeProgram(context, path, options, program));
    if (isOpen)
      return program;
  }
  QOPT_ASSIGN(mlir::OwningOpRef<mlir::ModuleOp> module,
              openModule(context, path, options));
  QOPT_ASSIGN(program.interface, getInterface(*module));
  bool hasCode = findBundle(path) && !options.wantsFloatTwin;
  if (options.engine == Engine::Compiled && hasCode) {
    QOPT_ASSIGN(std::unique_ptr<JitProgram> native,
                openNative(context, path, options));
    QOPT_RETURN_IF_ERROR(checkOutputs(program.interface, *native));
    program.executor = makeExecutor(std::move(native));
    return program;
  }
  if (hasCode)
    QOPT_RETURN_IF_ERROR(lowerAsCode(path, *module));
  QOPT_ASSIGN(program.executor, getExecutorFactory(options.engine)(*module));
  return program;
}
