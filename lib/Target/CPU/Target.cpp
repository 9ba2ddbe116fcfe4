//===- Target.cpp - The row of the CPU target -----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// One compilation makes all files that were asked for; the bundle beside them
// says what they hold and which machine runs them.
//===----------------------------------------------------------------------===//
#include "qopt/Target/Target.h"
#include "qopt/Support/Diagnostics.h"
#include "qopt/Target/CPU/Emit.h"
#include "qopt/Target/CPU/ResolveTarget.h"
#include "qopt/Target/Integer/HostPart.h"
#include "qopt/Target/Integer/LowerToIntegers.h"

#include "absl/strings/str_cat.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/TargetParser/Triple.h"

using namespace qopt;

static constexpr Flag kFlags[] = {
    {"target", "NAME",
     "native (default), CPU[:+FEATURE,..] (a name that LLVM knows; it implies "
     "a triple, which is printed), or TRIPLE[:CPU[:+FEATURE,..]]"},
    {"mcpu", "NAME", "the CPU of a --target that names none"},
    {"integer-only", nullptr,
     "integers at the interface, softmax in integers (always so for bare "
     "32-bit targets)"},
    {"opt-level", "N", "0 to 3 (default 3)", 'O'},
    {"weights-file", nullptr,
     "weights into STEM.weights, which the host maps (default above 256 MB)"},
    {"embed-weights", nullptr, "weights into the object, up to 2 GB"},
};

static constexpr EmitKind kKinds[] = {
    {"object", ".o", /*isCode=*/true},
    {"header", ".h"},
    {"shared", ".so", /*isCode=*/true},
    {"static", ".a", /*isCode=*/true},
    {"exe", "", /*isCode=*/false, /*isExecutable=*/true},
    {"asm", ".s"},
    {"llvm-ir", ".ll"},
};

static constexpr TargetStage kStages[] = {
    {"lowered", "exact integer ops"},
    {"kernels", "products with constants as kernels"},
    {"linalg", "everything else as loop nests on tensors"},
    {"buffers", "the same on buffers"},
    {"steps", "a function per step, offsets in the arena"},
    {"llvm", "step functions in the LLVM dialect"},
};

/// Compiler errors: what a user can change, or a defect.
static absl::Status withCompilerCode(const absl::Status &status) {
  switch (status.code()) {
  case absl::StatusCode::kUnimplemented:
    return withCode(status, Code::UnsupportedLowering);
  case absl::StatusCode::kInvalidArgument:
    return withCode(status, Code::BadFlagValue);
  case absl::StatusCode::kFailedPrecondition:
    return withCode(status, Code::MissingTool);
  default:
    return status;
  }
}

/// A microcontroller: 32 bits and no system.
static bool isBareMetal(const MachineName &machine) {
  llvm::Triple triple(llvm::Triple::normalize(machine.triple));
  return !machine.triple.empty() && triple.isArch32Bit() &&
         triple.getOS() == llvm::Triple::UnknownOS;
}

/// Names that do not exist are refused before a model is read.
static absl::StatusOr<MachineName> readMachine(const FlagValues &flags) {
  auto get = [&](const char *name) {
    auto it = flags.find(name);
    return it == flags.end() ? std::string() : it->second;
  };
  for (const char *flag : {"target", "mcpu"})
    if (auto it = flags.find(flag); it != flags.end() && it->second.empty())
      return Error(Code::BadFlagValue,
                   "--" + std::string(flag) + ": expects a name, got ''");
  QOPT_ASSIGN(MachineName machine,
              parseMachineName(get("target"), get("mcpu")));
  MachineProblems found = findMachineProblems(machine);
  if (found.problems.empty())
    return machine;
  Error error(Code::BadFlagValue, "--target: " + found.problems.front());
  for (const std::string &problem : llvm::drop_begin(found.problems))
    std::move(error).note(problem);
  for (const std::string &known : found.known)
    std::move(error).note(known);
  return std::move(error).help("--target=TRIPLE[:CPU[:+FEATURE,..]], or "
                               "--mcpu for the CPU");
}

static absl::StatusOr<std::string> makeArchive(const CompiledModel &compiled) {
  std::string name = compiled.symbol + ".o";
  llvm::NewArchiveMember member(llvm::MemoryBufferRef(compiled.object, name));
  auto archive = llvm::writeArchiveToBuffer(
      member, llvm::SymtabWritingMode::NormalSymtab,
      llvm::object::Archive::K_GNU, /*Deterministic=*/true, /*Thin=*/false);
  if (!archive)
    return Error(Code::Internal, llvm::toString(archive.takeError()));
  return (*archive)->getBuffer().str();
}

/// Arrays of the C interface, with their encodings.
static llvm::json::Value describe(llvm::ArrayRef<TensorInfo> arrays) {
  llvm::json::Array result;
  for (const TensorInfo &array : arrays) {
    llvm::json::Object object{{"name", array.name},
                              {"dtype", getName(array.dtype)},
                              {"shape", llvm::json::Array(array.shape)}};
    addScales(object, array.stored);
    if (array.stored.hasRange()) {
      object["low"] = array.stored.low;
      object["high"] = array.stored.high;
    }
    if (array.countedAxis)
      object["length"] =
          llvm::json::Object{{"axis", int64_t(*array.countedAxis)},
                             {"index", int64_t(array.length)}};
    result.push_back(std::move(object));
  }
  return result;
}

static llvm::json::Value describe(llvm::ArrayRef<LengthInfo> lengths) {
  llvm::json::Array result;
  for (const LengthInfo &length : lengths)
    result.push_back(
        llvm::json::Object{{"name", length.name}, {"bound", length.bound}});
  return result;
}

/// What a reader asks before it runs the code.
static llvm::json::Value describe(const MachineRecord &machine) {
  return llvm::json::Object{{"triple", machine.triple},
                            {"cpu", machine.cpu},
                            {"features", llvm::json::Array(machine.features)}};
}

static llvm::json::Object describe(const CompiledModel &compiled) {
  const ModelInfo &info = compiled.info;
  llvm::json::Object object{{"symbol", compiled.symbol},
                            {"target", info.target},
                            {"machine", describe(info.machine)},
                            {"float", info.hasExactFloat ? "exact" : "inexact"},
                            {"inputs", describe(info.inputs)},
                            {"outputs", describe(info.outputs)},
                            {"arena_bytes", int64_t(info.arenaBytes)},
                            {"live_bytes", int64_t(info.liveBytes)},
                            {"weights_bytes", int64_t(info.weightsBytes)},
                            {"layer_names", llvm::json::Array(info.layers)}};
  if (!info.lengths.empty())
    object["lengths"] = describe(info.lengths);
  if (compiled.weights)
    object["weights"] =
        llvm::json::Object{{"file", ".weights"},
                           {"bytes", int64_t(info.weightsBytes)},
                           {"sha256", info.weightsId}};
  return object;
}

namespace {
class CPUTarget : public Target {
public:
  static absl::StatusOr<std::unique_ptr<Target>>
  create(const TargetRequest &request) {
    auto target = std::make_unique<CPUTarget>();
    QOPT_ASSIGN(static_cast<MachineName &>(target->options_),
                readMachine(request.flags));
    target->options_.symbol = request.symbol;
    bool isFile = request.flags.count("weights-file");
    if (isFile && request.flags.count("embed-weights"))
      return Error(Code::UnsupportedOption,
                   "--weights-file and --embed-weights exclude each other");
    if (isFile || request.flags.count("embed-weights"))
      target->options_.weights =
          isFile ? WeightsPlace::File : WeightsPlace::Object;
    target->isIntegerOnly_ =
        request.flags.count("integer-only") || isBareMetal(target->options_);
    target->dropsHead_ = request.dropsHead;
    if (auto it = request.flags.find("opt-level"); it != request.flags.end()) {
      int64_t level;
      if (llvm::StringRef(it->second).getAsInteger(10, level) || level < 0 ||
          level > 3)
        return Error(Code::BadFlagValue,
                     "--opt-level: expected an integer from 0 to 3, got '" +
                         it->second + "'");
      target->options_.optLevel = unsigned(level);
    }
    return target;
  }

  std::string getRequantize() const override {
    return isIntegerOnly_ ? "fixed:31" : "f32";
  }

  absl::StatusOr<llvm::json::Object> describe() const override {
    absl::StatusOr<CPUOptions> cpu = resolveTarget(options_);
    if (!cpu.ok())
      return withCompilerCode(cpu.status());
    llvm::json::Object described{{"triple", cpu->triple},
                                 {"cpu", cpu->cpu},
                                 {"features", cpu->features},
                                 {"opt_level", int64_t(cpu->optLevel)}};
    if (options_.weights != WeightsPlace::Auto)
      described["weights"] =
          options_.weights == WeightsPlace::File ? "file" : "object";
    return described;
  }

  bool isIntegerOnly() const override { return isIntegerOnly_; }

  std::string getPipeline(llvm::StringRef stage,
                          const TargetInput &input) const override {
    if (stage == "lowered" && !hasEncodings(input.quantized))
      return "func.func(qg-decompose-composites)";
    if (stage == "lowered")
      return absl::StrCat("qopt-lower{requantize-mode=", input.requantize,
                          " integer-only=", isIntegerOnly_ ? "true" : "false",
                          "}");
    std::string name = "qopt-cpu-" + stage.str();
    if (stage == "linalg" || stage == "buffers")
      return name;
    absl::StatusOr<CPUPipelineOptions> options = getPipelineOptions(options_);
    assert(options.ok() && "the machine was checked with the flags");
    return absl::StrCat(name, "{triple=", options->triple,
                        " features=", options->features, "}");
  }

  absl::StatusOr<Emission>
  emit(TargetInput &input, const std::set<std::string> &kinds) const override {
    if (isIntegerOnly_)
      QOPT_RETURN_IF_ERROR(
          setIntegerInterface(input.quantized, {input.requantize, dropsHead_}));
    Emission emission;
    emission.lowered = input.quantized.clone();
    QOPT_RETURN_IF_ERROR(
        lower(*emission.lowered, input.requantize, isIntegerOnly_));
    absl::StatusOr<CompiledModel> compiled =
        compileForCPU(*emission.lowered, options_);
    if (!compiled.ok())
      return withCompilerCode(compiled.status());
    for (const EmitKind &kind : kKinds)
      if (kinds.count(kind.name)) {
        absl::StatusOr<std::string> bytes =
            make(kind.name, *compiled, *emission.lowered);
        if (!bytes.ok())
          return withCompilerCode(bytes.status());
        emission.files[kind.suffix] =
            EmittedFile(FileContents(std::move(*bytes)), kind.isExecutable);
      }
    if (std::shared_ptr<const WeightsImage> weights = compiled->weights)
      emission.files[".weights"] =
          FileContents(FileWriter([weights, id = compiled->info.weightsId](
                                      llvm::raw_ostream &os) -> absl::Status {
            return weights->writeFile(os, id);
          }));
    emission.manifest = ::describe(*compiled);
    emission.target = compiled->info.target;
    emission.runsHere = findMissing(compiled->info.machine).empty();
    emission.arenaBytes = compiled->info.arenaBytes;
    emission.weightsBytes = compiled->info.weightsBytes;
    emission.object = std::move(compiled->object);
    return emission;
  }

private:
  absl::StatusOr<std::string> make(llvm::StringRef kind,
                                   const CompiledModel &compiled,
                                   mlir::ModuleOp lowered) const {
    if (kind == "object")
      return compiled.object;
    if (kind == "header")
      return compiled.header;
    if (kind == "shared")
      return linkSharedLibrary(compiled);
    if (kind == "static")
      return makeArchive(compiled);
    if (kind == "exe")
      return linkExecutable(compiled);
    return kind == "asm" ? emitAssembly(lowered, options_)
                         : emitLLVMIR(lowered, options_);
  }

  CPUOptions options_;
  bool isIntegerOnly_ = false, dropsHead_ = false;
};
} // namespace

static FlagValues readFlags(const llvm::json::Object &described) {
  auto get = [&](llvm::StringRef key) {
    return described.getString(key).value_or("").str();
  };
  FlagValues flags{
      {"target", get("triple") + ":" + get("cpu") + ":" + get("features")},
      {"opt-level",
       std::to_string(described.getInteger("opt_level").value_or(3))}};
  if (std::string place = get("weights"); !place.empty())
    flags[place == "file" ? "weights-file" : "embed-weights"] = "";
  return flags;
}

namespace qopt {
const TargetRow &getCPUTarget() {
  static const TargetRow kRow = {"cpu",
                                 kFlags,
                                 kKinds,
                                 kStages,
                                 /*hasBundle=*/true,
                                 CPUTarget::create,
                                 readFlags};
  return kRow;
}
} // namespace qopt
