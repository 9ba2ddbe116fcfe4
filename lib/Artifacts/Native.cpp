//===- Native.cpp - Machine code behind a path ----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A manifest says which files are its code: an older library beside a newer
// bundle is not run by mistake.
//===----------------------------------------------------------------------===//
#include "qopt/Artifacts/Native.h"
#include "qopt/Artifacts/Bundle.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Support/Files.h"

#include "absl/strings/str_join.h"

#include "llvm/Support/FileSystem.h"

using namespace qopt;

static bool listsCode(const Bundle &bundle, llvm::StringRef suffix) {
  const llvm::json::Array *code = bundle.manifest.getArray("code");
  return code && llvm::any_of(*code, [&](const llvm::json::Value &value) {
           return value.getAsString() == suffix;
         });
}

/// What the code of a bundle was made for. Older manifests have no record of
/// instructions: their CPU's count.
static absl::StatusOr<MachineRecord> getMachine(const Bundle &bundle) {
  const llvm::json::Object *object = bundle.manifest.getObject("machine");
  std::string target = bundle.getString("target");
  if (!object && !target.empty()) {
    auto [triple, cpu] = llvm::StringRef(target).split(' ');
    return recordMachine(triple, cpu);
  }
  MachineRecord machine;
  const llvm::json::Array *features =
      object ? object->getArray("features") : nullptr;
  bool isValid =
      features && object->getString("triple") && object->getString("cpu");
  if (isValid) {
    machine.triple = object->getString("triple")->str();
    machine.cpu = object->getString("cpu")->str();
  }
  for (size_t i = 0; isValid && i < features->size(); ++i) {
    std::optional<llvm::StringRef> name = (*features)[i].getAsString();
    isValid = name.has_value();
    machine.features.push_back(name.value_or("").str());
  }
  if (!isValid)
    return Error(Code::BundleInvalid,
                 "'" + bundle.getPath("manifest.json") +
                     "': 'machine' is not a triple, a CPU and features");
  return machine;
}

/// Code for another machine is not run.
static absl::Status checkMachine(const Bundle &bundle) {
  QOPT_ASSIGN(MachineRecord machine, getMachine(bundle));
  std::vector<std::string> missing = findMissing(machine);
  if (missing.empty())
    return absl::OkStatus();
  MachineRecord host = getHostMachine();
  return Error(Code::BundleInvalid, "'" + bundle.stem +
                                        ".qopt' was compiled for another "
                                        "machine: " +
                                        machine.triple + " " + machine.cpu)
      .note("this machine is " + host.triple + " " + host.cpu)
      .note("it lacks " + absl::StrJoin(missing, ", "))
      .help("compile the model again with --target native, or use --reference "
            "of run and eval (the interpreter)");
}

/// The weights that the code of a bundle does not hold; null if it holds them.
static absl::StatusOr<LoadedWeights> openWeights(const Bundle &bundle) {
  const llvm::json::Object *record = bundle.manifest.getObject("weights");
  if (!record)
    return LoadedWeights();
  auto suffix = record->getString("file"), id = record->getString("sha256");
  std::optional<int64_t> bytes = record->getInteger("bytes");
  if (!suffix || !id || !bytes || suffix->contains('/'))
    return Error(Code::BundleInvalid,
                 "'" + bundle.getPath("manifest.json") +
                     "': 'weights' is not a file, its bytes and their sha256");
  absl::StatusOr<LoadedWeights> weights =
      openWeightsFile(bundle.stem + suffix->str(), uint64_t(*bytes), *id);
  if (!weights.ok())
    return Error(Code::BundleInvalid, std::string(weights.status().message()))
        .help("it was written beside the code; compile the model again if it "
              "is lost");
  return weights;
}

static absl::StatusOr<std::unique_ptr<JitProgram>>
openBundle(const Bundle &bundle) {
  std::string symbol = bundle.getString("symbol");
  std::string library = bundle.stem + ".so", object = bundle.stem + ".o";
  bool hasLibrary = listsCode(bundle, ".so") && llvm::sys::fs::exists(library);
  bool hasObject = listsCode(bundle, ".o") && llvm::sys::fs::exists(object);
  if (!hasLibrary && !hasObject)
    return Error(Code::BundleInvalid, "'" + bundle.stem +
                                          ".qopt' has neither " + bundle.stem +
                                          ".so nor " + bundle.stem + ".o")
        .help("compile with --emit=object or --emit=shared, or use "
              "--reference");
  QOPT_RETURN_IF_ERROR(checkMachine(bundle));
  QOPT_ASSIGN(LoadedWeights weights, openWeights(bundle));
  absl::StatusOr<std::unique_ptr<JitProgram>> program;
  if (hasLibrary) {
    program = loadSharedLibrary(library, symbol, /*threads=*/1, weights);
  } else {
    QOPT_ASSIGN(std::string bytes, readFile(object));
    program = loadObject(bytes, symbol, /*threads=*/1, weights);
  }
  if (!program.ok())
    return withCode(program.status(), Code::BundleInvalid);
  return program;
}

absl::StatusOr<std::unique_ptr<JitProgram>>
qopt::openNative(mlir::MLIRContext *context, llvm::StringRef path,
                 const ProgramOptions &options) {
  std::optional<std::string> stem = findBundle(path);
  if (stem && !options.wantsFloatTwin) {
    QOPT_ASSIGN(Bundle bundle, readBundle(*stem));
    return openBundle(bundle);
  }
  QOPT_ASSIGN(mlir::OwningOpRef<mlir::ModuleOp> module,
              openModule(context, path, options));
  QOPT_RETURN_IF_ERROR(lower(*module));
  CPUOptions cpu;
  absl::StatusOr<CompiledModel> compiled = compileForCPU(*module, cpu);
  if (!compiled.ok())
    return withCode(compiled.status(), Code::UnsupportedLowering);
  return loadCompiled(*compiled);
}
