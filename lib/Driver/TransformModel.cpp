//===- TransformModel.cpp - --transforms ----------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Kinds that are named are kept where the layers gain. `auto` asks the whole
// network too, on samples that chose nothing.
//===----------------------------------------------------------------------===//
#include "qopt/Assignment/Plan.h"
#include "qopt/Driver/Calibration.h"
#include "qopt/Numerics/Format.h"
#include "qopt/Pipelines/Transforms.h"

using namespace qopt;
using namespace qopt::driver;

/// Of `auto`: at least as many samples, every fourth of them held back up to a
/// bound; more samples to calibrate trials say little more.
static constexpr int64_t kFewestSamples = 16;
static constexpr int64_t kMostHeldOut = 24;
static constexpr int64_t kMostCalibrating = 32;

static absl::StatusOr<ChooseTransformsOptions>
parseKinds(llvm::StringRef list) {
  ChooseTransformsOptions options;
  options.rotate = options.smooth = options.equalize = list == "auto";
  if (list == "auto" || list == "none")
    return options;
  llvm::SmallVector<llvm::StringRef> names;
  list.split(names, ',');
  for (llvm::StringRef name : names) {
    if (name == "rotation")
      options.rotate = true;
    else if (name == "smoothing")
      options.smooth = true;
    else if (name == "equalization")
      options.equalize = true;
    else
      return Error(Code::BadFlagValue,
                   "--transforms: expected none, auto or a list of rotation, "
                   "equalization and smoothing, got '" +
                       list + "'");
  }
  return options;
}

static SampleSource getSlice(const SampleSource &source, int64_t first,
                             int64_t count) {
  return [source, first, count](int64_t index)
             -> absl::StatusOr<std::optional<llvm::SmallVector<Tensor>>> {
    if (index >= count)
      return std::nullopt;
    return source(first + index);
  };
}

absl::Status driver::transformModel(const Arguments &arguments,
                                    Session &session, QuantizedModel &model) {
  bool hasData = needsProfile(model.options.scheme) && arguments.has("data") &&
                 !arguments.has("profile");
  // A plan was made for the weights as they were then.
  const Plan *plan = model.options.plan.get();
  bool isDefault = model.options.scheme == Scheme::W4A8 && hasData;
  std::string list = arguments.get("transforms", plan        ? plan->transforms
                                                 : isDefault ? "auto"
                                                             : "none");
  QuantizeOptions target = model.options;
  if (plan) {
    target.scheme = Scheme::W4A8;
    target.plan = nullptr;
  }
  QOPT_ASSIGN(ChooseTransformsOptions options, parseKinds(list));
  if (!options.rotate && !options.smooth && !options.equalize)
    return absl::OkStatus();
  if (!hasData)
    return Error(Code::UnsupportedOption,
                 "--transforms are chosen on data: expected --data and a "
                 "scheme that uses it, without --profile");
  options.activationBits = getActivationBits(target.scheme);
  if (target.scheme != Scheme::W8A8)
    options.weightBits = 4;
  if (const IntegerFormat *format =
          lookupIntegerFormat(llvm::StringRef(target.weights).split(':').first))
    options.weightBits = format->bits;
  QOPT_ASSIGN(ModelInterface interface, getInterface(*model.floatModule));
  QOPT_ASSIGN(std::unique_ptr<DataSource> data,
              openData(arguments, interface.inputs, model.preprocessing));
  SampleSource samples = makeSampleSource(*data);
  std::optional<TransformGate> gate;
  if (list == "auto") {
    int64_t heldOut = std::min(data->size() / 4, kMostHeldOut);
    if (data->size() < kFewestSamples) {
      session.say("transforms: none, " + llvm::Twine(data->size()) +
                  " samples are too few to choose and to hold some back");
      return absl::OkStatus();
    }
    int64_t rest = data->size() - heldOut;
    gate = TransformGate{target,
                         getSlice(samples, 0, std::min(rest, kMostCalibrating)),
                         getSlice(samples, rest, heldOut),
                         arguments.has("per-channel-acts")};
  }
  QOPT_ASSIGN(std::vector<TransformChoice> choices,
              transform(*model.floatModule, gate ? gate->calibration : samples,
                        options, model.options.engine,
                        gate ? &*gate : nullptr));
  for (const TransformChoice &choice : choices)
    session.say(describe(choice));
  setTransforms(*model.floatModule, choices);
  return absl::OkStatus();
}
