//===- LinkProgram.cpp - Libraries and executables of an object -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// What needs a linker or a C compiler, which a machine may lack. Everything
// happens in a temporary folder; the caller gets bytes.
//===----------------------------------------------------------------------===//
#include "qopt/Target/CPU/Emit.h"

#include "absl/strings/str_cat.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

#include <cstdlib>

using namespace qopt;
namespace fs = llvm::sys::fs;

namespace {
struct RuntimeSource {
  const char *name, *text;
};
/// The C files that an executable consists of, beside the model.
constexpr RuntimeSource kRuntimeSources[] = {
#include "RuntimeSources.inc"
};

/// A folder that goes with this object.
class Workshop {
public:
  ~Workshop() {
    if (!path_.empty())
      fs::remove_directories(path_);
  }
  absl::Status open() {
    if (std::error_code error = fs::createUniqueDirectory("qopt-link", path_))
      return absl::InternalError(
          absl::StrCat("no temporary folder: ", error.message()));
    return absl::OkStatus();
  }
  std::string operator/(llvm::StringRef name) const {
    return (path_ + "/" + name).str();
  }
  absl::Status write(llvm::StringRef name, llvm::StringRef bytes) const {
    std::string path = *this / name;
    fs::create_directories(llvm::sys::path::parent_path(path));
    std::error_code error;
    llvm::raw_fd_ostream os(path, error);
    if (!error) {
      os << bytes;
      os.close();
      error = os.error();
      os.clear_error();
    }
    if (error)
      return absl::InternalError(
          absl::StrCat("cannot write '", path, "': ", error.message()));
    return absl::OkStatus();
  }
  absl::StatusOr<std::string> read(llvm::StringRef name) const {
    auto buffer = llvm::MemoryBuffer::getFile(*this / name);
    if (!buffer)
      return absl::InternalError(absl::StrCat(
          "cannot read '", *this / name, "': ", buffer.getError().message()));
    return (*buffer)->getBuffer().str();
  }

private:
  llvm::SmallString<128> path_;
};

/// A program and the arguments that come before ours.
struct Tool {
  std::string name;
  std::vector<std::string> arguments;
};
} // namespace

/// The first tool that is there and succeeds.
static absl::Status runOneOf(llvm::ArrayRef<Tool> tools,
                             llvm::ArrayRef<std::string> arguments,
                             llvm::StringRef what) {
  std::string problem, names;
  for (const Tool &tool : tools) {
    absl::StrAppend(&names, names.empty() ? "" : ", ", tool.name);
    auto program = llvm::sys::findProgramByName(tool.name);
    if (!program)
      continue;
    llvm::SmallVector<llvm::StringRef> words{*program};
    words.append(tool.arguments.begin(), tool.arguments.end());
    words.append(arguments.begin(), arguments.end());
    std::string message;
    int code = llvm::sys::ExecuteAndWait(*program, words, std::nullopt, {}, 120,
                                         0, &message);
    if (code == 0)
      return absl::OkStatus();
    problem = absl::StrCat(tool.name, " failed with code ", code,
                           message.empty() ? "" : ": ", message);
  }
  if (problem.empty())
    problem = absl::StrCat("none of ", names, " was found");
  return absl::FailedPreconditionError(
      absl::StrCat("expects ", what.str(), ": ", problem));
}

absl::StatusOr<std::string>
qopt::linkSharedLibrary(const CompiledModel &model) {
  Workshop workshop;
  if (absl::Status status = workshop.open(); !status.ok())
    return status;
  if (absl::Status status = workshop.write("model.o", model.object);
      !status.ok())
    return status;
  // ld.lld can link a shared object of any architecture by itself.
  std::vector<Tool> tools = {{"ld.lld-22", {}}, {"ld.lld", {}}};
  for (const char *compiler : {"clang-22", "clang", "cc", "gcc"})
    tools.push_back({compiler, {"-nostdlib"}});
  if (absl::Status status = runOneOf(
          tools, {"-shared", "-o", workshop / "model.so", workshop / "model.o"},
          "a linker for a shared library (install lld or a C "
          "compiler, or ask for an object file only)");
      !status.ok())
    return status;
  return workshop.read("model.so");
}

/// C compilers that may make code for `triple`, the likeliest first.
static std::vector<Tool> getCCompilers(const llvm::Triple &triple) {
  std::vector<Tool> tools;
  llvm::Triple host(llvm::sys::getDefaultTargetTriple());
  bool isNative =
      host.getArch() == triple.getArch() && host.getOS() == triple.getOS();
  if (const char *chosen = std::getenv("CC"))
    tools.push_back({chosen, {}});
  std::string target = "--target=" + triple.str();
  if (isNative)
    for (const char *name : {"cc", "gcc", "clang-22", "clang"})
      tools.push_back({name, {}});
  else {
    // Debian's name of a cross compiler has no vendor in it.
    tools.push_back(
        {absl::StrCat(triple.getArchName().str(), "-", triple.getOSName().str(),
                      "-", triple.getEnvironmentName().str(), "-gcc"),
         {}});
    for (const char *name : {"clang-22", "clang"})
      tools.push_back({name, {target}});
  }
  return tools;
}

absl::StatusOr<std::string> qopt::linkExecutable(const CompiledModel &model) {
  llvm::Triple triple(llvm::StringRef(model.info.target).split(' ').first);
  if (triple.getOS() != llvm::Triple::Linux)
    return absl::UnimplementedError(
        absl::StrCat("--emit=exe expects a target with Linux, got '",
                     triple.str(), "'; ask for an object file"));
  Workshop workshop;
  if (absl::Status status = workshop.open(); !status.ok())
    return status;
  if (absl::Status status = workshop.write("model.o", model.object);
      !status.ok())
    return status;
  for (const RuntimeSource &source : kRuntimeSources)
    if (absl::Status status = workshop.write(source.name, source.text);
        !status.ok())
      return status;
  std::vector<std::string> words = {"-std=c11",
                                    "-O2",
                                    "-D_POSIX_C_SOURCE=200809L",
                                    "-I" + (workshop / "."),
                                    "-DQOPT_RUN=" + model.symbol + "_run",
                                    "-DQOPT_INFO=" + model.symbol + "_info",
                                    workshop / "qopt_main.c",
                                    workshop / "qopt_pool.c",
                                    workshop / "model.o",
                                    "-pthread",
                                    "-o",
                                    workshop / "program"};
  if (model.weights) {
    words.push_back("-DQOPT_MODEL_WEIGHTS_ID=\"" + model.info.weightsId + "\"");
    words.push_back(absl::StrCat(
        "-DQOPT_MODEL_WEIGHTS_BYTES=", model.info.weightsBytes, "ull"));
  }
  if (absl::Status status =
          runOneOf(getCCompilers(triple), words,
                   "a C compiler for '" + triple.str() +
                       "' (install one, or ask for an object file only)");
      !status.ok())
    return status;
  return workshop.read("program");
}
