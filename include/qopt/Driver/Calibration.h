//===- Calibration.h - Recipes as the flags ask for them ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// `calibrate`, `quantize`, `plan` and `compile` read the same flags: they make
// settings of a recipe, and what it is carried out with.
//===----------------------------------------------------------------------===//
#ifndef QOPT_DRIVER_CALIBRATION_H
#define QOPT_DRIVER_CALIBRATION_H

#include "qopt/Driver/Session.h"
#include "qopt/Pipelines/ModelReference.h"
#include "qopt/Pipelines/QuantizeModel.h"

namespace qopt::driver {

/// What --recipe and the flags say, before anything is read: typing errors are
/// listed all at once. --plan, which is a file, comes later.
absl::StatusOr<RecipeSettings> getRecipeSettings(const Arguments &arguments);
/// The same of some groups of flags only.
absl::StatusOr<RecipeSettings>
getFieldSettings(const Arguments &arguments,
                 llvm::ArrayRef<RecipeField::Group> groups);

/// Lines of progress, and what the stages say.
class StageReporter {
public:
  /// Phases that last less than `patience` are no lines, but for calibration.
  explicit StageReporter(Session &session, Progress::Clock::duration patience =
                                               std::chrono::seconds(1))
      : session(session), patience(patience) {}
  /// Sets the callbacks, which live as long as this object.
  void attach(QuantizeInputs &inputs);
  void update(llvm::StringRef phase, int64_t done, int64_t total);
  void finish() { progress.reset(); }

private:
  Session &session;
  Progress::Clock::duration patience;
  std::unique_ptr<Progress> progress;
  std::string phase;
  int64_t last = 0;
  Progress::Clock::time_point start;
};

/// The samples of --data as a recipe wants them, with the source they come
/// from.
struct OpenedSamples {
  std::unique_ptr<DataSource> data;
  SampleSet set;
};
absl::StatusOr<OpenedSamples>
openSamples(const Arguments &arguments, Session &session, mlir::ModuleOp module,
            const Preprocessing &pre, const Recipe &recipe);
/// --profile, if it is given.
absl::StatusOr<std::optional<Profile>> readProfile(const Arguments &arguments);

/// The flags of the call that wrote a lock, with model, data and statistics
/// where they are now; all that is missing or different is listed.
absl::StatusOr<Arguments> getLockedArguments(const Arguments &arguments,
                                             Session &session,
                                             const llvm::json::Object &lock);

/// A quantized module and what was read for it.
struct FlaggedModel {
  QuantizedModel quantized;
  Preprocessing preprocessing;
  ImportOptions import;
  /// SHA-256 of the float graph before it was transformed.
  std::string graphHash;
  /// Its large constants: what importing the model again gives.
  ConstantNames constants;
};
/// Import to quantization, as the flags say. `requantize` is the mode where
/// --requant names none: that of the target. `keep`: see QuantizeInputs.
absl::StatusOr<FlaggedModel> quantizeModel(const Arguments &arguments,
                                           Session &session,
                                           llvm::StringRef requantize = "f32",
                                           std::set<std::string> keep = {});

} // namespace qopt::driver

#endif // QOPT_DRIVER_CALIBRATION_H
