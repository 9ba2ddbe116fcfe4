//===- Calibrate.cpp - qopt calibrate -------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Data through the model, statistics into a profile.
//===----------------------------------------------------------------------===//
#include "qopt/Artifacts/Program.h"
#include "qopt/Driver/Calibration.h"
#include "qopt/Driver/VerbFlags.h"

using namespace qopt;
using namespace qopt::driver;

llvm::ArrayRef<Flag> driver::getCalibrateFlags() {
  static constexpr Flag kFlags[] = {
      {"method", "NAME",
       "min-max, moving-average, percentile:P, entropy, mse (default)"},
      {"profile", "FILE", "use these statistics instead of --data"},
      {"resume", "FILE", "keep the state here and go on where it ends"},
      {"per-channel-acts", nullptr, "also statistics per channel"},
  };
  return kFlags;
}

/// `random..` or `INPUT=random..`.
static bool isMadeUp(llvm::StringRef data) {
  return isRandomData(data) || isRandomData(data.split('=').second);
}

absl::StatusOr<Profile>
driver::collectStatistics(const Arguments &arguments, Session &session,
                          mlir::ModuleOp module, const Preprocessing &pre,
                          std::shared_ptr<Executor> *executor) {
  if (std::optional<std::string> path = arguments.get("profile")) {
    absl::StatusOr<Profile> profile = Profile::read(*path);
    if (!profile.ok())
      return withCode(profile.status(), Code::DataFile);
    return profile;
  }
  QOPT_ASSIGN(ModelInterface interface, getInterface(module));
  QOPT_ASSIGN(std::unique_ptr<DataSource> data,
              openData(arguments, interface.inputs, pre));
  if (llvm::any_of(arguments.getAll("data"), isMadeUp))
    session.say("note: these ranges are of random numbers: good for trying "
                "and timing, not for accuracy");
  std::string method = arguments.get("method", "mse");
  if (absl::Status status = RangeMethod::parse(method).status(); !status.ok())
    return withCode(withPrefix(status, "--method: "), Code::BadFlagValue);
  CalibrateOptions options;
  options.perSample = method == "moving-average";
  options.perChannel = arguments.has("per-channel-acts");
  options.resumeFile = arguments.get("resume", "");
  options.executor = executor;
  if (arguments.has("reference"))
    options.engine = Engine::Reference;
  Progress progress = session.startProgress("calibrate", data->size());
  options.progress = [&](int64_t done) { progress.update(done); };
  return calibrate(module, makeSampleSource(*data), options);
}

static absl::StatusOr<ExitCode> runCalibrate(const Arguments &arguments,
                                             Session &session) {
  std::optional<std::string> output = arguments.get("output");
  if (!output)
    return Error(Code::MissingArgument, "expected -o PROFILE.json");
  ProgramOptions options;
  QOPT_ASSIGN(options.import, getImportOptions(arguments));
  QOPT_ASSIGN(auto module, openModule(session.context(),
                                      arguments.positional()[0], options));
  QOPT_ASSIGN(Preprocessing pre, getPreprocessing(arguments, {}));
  QOPT_ASSIGN(Profile profile,
              collectStatistics(arguments, session, *module, pre));
  QOPT_RETURN_IF_ERROR(withCode(profile.write(*output), Code::WriteFailed));
  session.say("wrote " + *output + ": " +
              llvm::Twine(int64_t(profile.tensors.size())) + " tensors, " +
              llvm::Twine(profile.samples) + " samples");
  return ExitCode::Ok;
}

namespace qopt::driver {
Verb getCalibrateVerb() {
  return {"calibrate",
          "run data and collect statistics",
          "MODEL --data PATH -o OUT.json [options]",
          1,
          1,
          {getOutputFlags(), getCalibrateFlags(), getEngineFlags(),
           getDataFlags(), getImportFlags()},
          runCalibrate,
          /*place=*/50};
}
} // namespace qopt::driver
