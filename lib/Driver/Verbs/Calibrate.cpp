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

static absl::StatusOr<ExitCode> runCalibrate(const Arguments &arguments,
                                              Session &session) {
  std::optional<std::string> output = arguments.get("output");
  if (!output)
    return Error(Code::MissingArgument, "expected -o PROFILE.json");
  QOPT_ASSIGN(RecipeSettings settings, getRecipeSettings(arguments));
  ProgramOptions options;
  QOPT_ASSIGN(options.import, getImportOptions(arguments));
  QOPT_ASSIGN(auto module, openModule(session.context(),
                                      arguments.positional()[0], options));
  QOPT_ASSIGN(Preprocessing pre, getPreprocessing(arguments, {}));
  QOPT_ASSIGN(Recipe recipe,
              Recipe::make(settings, {}, SettingsOrigin::ofFlags()));
  QuantizeInputs inputs;
  QOPT_ASSIGN(inputs.profile, readProfile(arguments));
  inputs.engine =
      arguments.has("reference") ? Engine::Reference : Engine::Compiled;
  inputs.resumeFile = arguments.get("resume", "");
  OpenedSamples samples;
  if (!inputs.profile) {
    QOPT_ASSIGN(samples, openSamples(arguments, session, *module, pre, recipe));
    inputs.samples = samples.set;
  }
  StageReporter reporter(session);
  reporter.attach(inputs);
  QOPT_ASSIGN(Profile profile, collectStatistics(*module, recipe, inputs));
  reporter.finish();
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
