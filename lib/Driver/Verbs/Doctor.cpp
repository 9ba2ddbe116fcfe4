//===- Doctor.cpp - qopt doctor -------------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What this machine offers, and whether qopt computes right on it.
//===----------------------------------------------------------------------===//
#include "qopt/Driver/Session.h"
#include "qopt/Driver/VerbFlags.h"
#include "qopt/Pipelines/Executors.h"

#include "mlir/Parser/Parser.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Program.h"
#include "llvm/TargetParser/Host.h"
#include <thread>

using namespace qopt;
using namespace qopt::driver;

/// y = relu(x + 1) on four numbers.
static constexpr const char *kSelfTest = R"mlir(
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %one = qg.constant dense<1.0> : tensor<4xf32> -> tensor<4xf32>
  %s = qg.binary add %x, %one : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %y = qg.unary relu %s : tensor<4xf32> -> tensor<4xf32>
  return %y : tensor<4xf32>
}
)mlir";

/// "ok", or what went wrong.
static std::string runSelfTest(Session &session, Engine engine) {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  absl::Status status =
      runWithDiagnostics(session.context(), Code::Internal, [&] {
        module = mlir::parseSourceString<mlir::ModuleOp>(kSelfTest,
                                                         session.context());
        return mlir::success(bool(module));
      });
  if (!status.ok())
    return std::string(status.message());
  auto executor = getExecutorFactory(engine)(*module);
  if (!executor.ok())
    return std::string(executor.status().message());
  auto results = (*executor)->run(
      Tensor::from<float>(DType::f32, {4}, {-3.f, -1.f, 0.f, 2.5f}));
  if (!results.ok())
    return std::string(results.status().message());
  const float expected[] = {0.f, 0.f, 1.f, 3.5f};
  if (results->size() != 1 ||
      results->front().span<float>() != llvm::ArrayRef<float>(expected))
    return "wrong numbers";
  return "ok";
}

static absl::StatusOr<ExitCode> runDoctor(const Arguments &arguments,
                                          Session &session) {
  std::string features;
  auto host = llvm::sys::getHostCPUFeatures();
  for (const char *name : {"sse4.2", "avx", "fma", "avx2", "avxvnni", "avx512f",
                           "avx512vnni", "amx-int8", "neon", "dotprod", "i8mm"})
    if (host.lookup(name))
      features += (features.empty() ? "" : " ") + std::string(name);
  auto find = [](llvm::StringRef program) {
    return llvm::sys::findProgramByName(program) ? "found" : "not found";
  };
  std::pair<const char *, std::string> rows[] = {
      {"llvm", LLVM_VERSION_STRING},
      {"host", llvm::sys::getDefaultTargetTriple()},
      {"cpu", llvm::sys::getHostCPUName().str()},
      {"features", features},
      {"threads", std::to_string(std::thread::hardware_concurrency())},
      {"ld.lld-22", find("ld.lld-22")},
      {"cc", find("cc")},
      {"interpreter", runSelfTest(session, Engine::Reference)},
      {"compiler", runSelfTest(session, Engine::Compiled)},
  };
  if (arguments.has("json")) {
    llvm::json::Object object;
    for (auto &[name, value] : rows)
      object[name] = value;
    session.out() << llvm::formatv("{0:2}\n",
                                   llvm::json::Value(std::move(object)));
  } else
    for (auto &[name, value] : rows)
      session.out() << llvm::formatv("{0,-12} {1}\n", name, value);
  bool isWell = rows[std::size(rows) - 1].second == "ok" &&
                rows[std::size(rows) - 2].second == "ok";
  return isWell ? ExitCode::Ok : ExitCode::Internal;
}

namespace qopt::driver {
Verb getDoctorVerb() {
  return {"doctor",
          "versions, processor, tools, a self test",
          "[options]",
          0,
          0,
          {getJsonFlags()},
          runDoctor,
          /*place=*/150};
}
} // namespace qopt::driver
