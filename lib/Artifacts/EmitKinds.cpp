//===- EmitKinds.cpp - The values of --emit -------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// One row per kind of result. A new one is a row here, or of a target.
//===----------------------------------------------------------------------===//
#include "qopt/Artifacts/EmitKinds.h"
#include "qopt/Artifacts/Bundle.h"
#include "qopt/Artifacts/Program.h"
#include "qopt/Pipelines/Model.h"

#include "llvm/ADT/StringExtras.h"

using namespace qopt;

static absl::StatusOr<std::string> makeOnnx(const ArtifactRequest &request) {
  return writeOnnx(request.unfolded);
}

static absl::StatusOr<std::string>
printPrepared(const ArtifactRequest &request) {
  ProgramOptions options;
  options.import = request.source.import;
  QOPT_ASSIGN(auto module,
              openModule(mlir::ModuleOp(request.floatModule).getContext(),
                         request.modelPath, options));
  return printModule(*module);
}

/// As the file has it; a bundle has no file.
static absl::StatusOr<std::string>
printImported(const ArtifactRequest &request) {
  if (findBundle(request.modelPath))
    return printPrepared(request);
  QOPT_ASSIGN(auto module,
              loadModel(mlir::ModuleOp(request.floatModule).getContext(),
                        request.modelPath, request.source.import));
  return printModule(*module);
}

static absl::StatusOr<std::string>
printTransformed(const ArtifactRequest &request) {
  return printModule(request.floatModule);
}

static absl::StatusOr<std::string>
printUnfolded(const ArtifactRequest &request) {
  return printModule(request.unfolded);
}

static absl::StatusOr<std::string>
printQuantized(const ArtifactRequest &request) {
  return printModule(request.quantized);
}

llvm::ArrayRef<ModelKind> qopt::getModelKinds() {
  static constexpr ModelKind kKinds[] = {
      {"onnx", ".onnx", makeOnnx},
      {"ir:imported", ".imported.mlir", printImported},
      {"ir:prepared", ".prepared.mlir", printPrepared},
      {"ir:transformed", ".transformed.mlir", printTransformed},
      {"ir:unfolded", ".unfolded.mlir", printUnfolded},
      {"ir:quantized", ".quantized.mlir", printQuantized},
  };
  return kKinds;
}

std::vector<std::string> qopt::listEmitNames() {
  std::vector<std::string> names;
  for (const TargetRow *row : getTargets())
    for (const EmitKind &kind : row->kinds)
      names.push_back(kind.name);
  for (const ModelKind &kind : getModelKinds())
    names.push_back(kind.name);
  for (const char *stage : getKeptStages())
    names.push_back("ir:" + std::string(stage));
  for (const TargetRow *row : getTargets())
    for (const TargetStage &stage : row->stages)
      names.push_back("ir:" + std::string(stage.name));
  return names;
}

std::set<std::string>
qopt::getQuantizeStages(const std::set<std::string> &emit) {
  std::set<std::string> stages;
  for (const char *stage : getKeptStages())
    if (emit.count("ir:" + std::string(stage)))
      stages.insert(stage);
  return stages;
}

/// Whether a value of --emit is one of the target's.
static bool makes(const TargetRow &row, llvm::StringRef name) {
  for (const EmitKind &kind : row.kinds)
    if (name == kind.name)
      return true;
  return name.consume_front("ir:") && findStage(row, name);
}

const EmitKind *qopt::findFolderKind(const TargetRow &row,
                                     const std::set<std::string> &emit) {
  for (const EmitKind &kind : row.kinds)
    if (!kind.suffix && emit.count(kind.name))
      return &kind;
  return nullptr;
}

std::string qopt::getStageSuffix(const TargetStage &stage) {
  return "." + std::string(stage.name) + ".mlir";
}

absl::StatusOr<std::set<std::string>>
qopt::parseEmit(llvm::ArrayRef<std::string> values) {
  std::vector<std::string> known = listEmitNames();
  std::set<std::string> result;
  for (llvm::StringRef value : values) {
    if (value == "ir")
      value = "ir:lowered";
    if (!llvm::is_contained(known, value)) {
      std::string names;
      for (const std::string &name : known)
        names += (names.empty() ? "" : ", ") + name;
      return Error(Code::BadFlagValue, "--emit: expected some of " + names +
                                           ", got '" + value + "'");
    }
    result.insert(value.str());
  }
  if (result.empty())
    result.insert("object");
  return result;
}

absl::StatusOr<const TargetRow *>
qopt::findTarget(const std::set<std::string> &emit) {
  const TargetRow *target = nullptr;
  std::string first;
  for (const std::string &name : emit)
    for (const TargetRow *row : getTargets()) {
      if (!makes(*row, name))
        continue;
      if (target && target != row)
        return Error(Code::UnsupportedOption, "--emit: expected kinds of one "
                                              "target, got " +
                                                  first + " and " + name);
      target = row;
      first = name;
    }
  if (!target)
    return getTargets().front();
  if (const EmitKind *folder = findFolderKind(*target, emit);
      folder && emit.size() > 1)
    return Error(Code::UnsupportedOption,
                 "--emit=" + llvm::Twine(folder->name) +
                     " writes a folder of its own")
        .help("ask for the other kinds in another call");
  return target;
}

/// What a target says of its flags; of a machine that another target is made
/// for, which one.
static absl::Status explainRefusal(const absl::Status &refused,
                                   const ArtifactRequest &request,
                                   const TargetRequest &target) {
  auto machine = target.flags.find("target");
  if (machine == target.flags.end())
    return refused;
  TargetRequest alone;
  alone.symbol = target.symbol;
  alone.flags.insert(*machine);
  absl::Status own = request.row->create(alone).status();
  if (own.ok())
    return refused;
  for (const TargetRow *row : getTargets()) {
    bool readsMachine = llvm::any_of(row->flags, [](const Flag &flag) {
      return llvm::StringRef(flag.name) == "target";
    });
    if (row == request.row || !readsMachine || !row->create(alone).ok())
      continue;
    llvm::StringRef kind = row->kinds.front().name;
    std::string known = getHelp(own);
    return Error(Code::BadFlagValue,
                 "--target: expected a machine of --emit=" +
                     llvm::join(request.emit, ",") + ", got '" +
                     machine->second + "', which is one of --emit=" + kind)
        .help("write --emit=" + kind + (known.empty() ? "" : "; " + known));
  }
  return refused;
}

absl::Status qopt::readTarget(ArtifactRequest &request, FlagValues flags) {
  TargetRequest target;
  target.symbol = request.symbol;
  target.dropsHead = request.outputs == "quantized";
  for (const Flag &flag : request.row->flags)
    if (auto it = flags.find(flag.name); it != flags.end()) {
      target.flags.insert(*it);
      flags.erase(it);
    }
  // A machine that nothing is made for would be ignored.
  std::string ignored;
  for (const char *flag : {"target", "mcpu"})
    if (flags.count(flag))
      ignored += (ignored.empty() ? "--" : " and --") + std::string(flag);
  if (!ignored.empty())
    return Error(Code::BadFlagValue,
                 "--emit=" + llvm::Twine(request.row->name) + ": expected no " +
                     ignored + ", the folder is the same for every CPU")
        .help("the compiler that builds the folder is told the CPU");
  auto made = request.row->create(target);
  if (!made.ok())
    return explainRefusal(made.status(), request, target);
  request.target = std::move(*made);
  if (request.target->isIntegerOnly())
    flags.erase("integer-only");
  for (const auto &[flag, value] : flags)
    ignored += (ignored.empty() ? "--" : ", --") + flag;
  if (!ignored.empty())
    return Error(Code::UnsupportedOption,
                 "expected no " + ignored + ", which --emit=" +
                     llvm::join(request.emit, ",") + " does not read");
  if (target.dropsHead && !request.target->isIntegerOnly())
    return Error(Code::UnsupportedOption,
                 "--outputs=quantized is of integer-only code: expected "
                 "--integer-only, --emit=c or --emit=hls");
  return absl::OkStatus();
}
