//===- CollectProfile.cpp - Run the model over samples --------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Observed tensors become extra results of @main, so that every executor can
// calibrate without knowing of it. One sample is in memory at a time.
//===----------------------------------------------------------------------===//
#include "qopt/Calibration/Profile.h"
#include "qopt/Dialect/QG/IR/QGControl.h"

#include "absl/strings/str_cat.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Parallel.h"

using namespace mlir;
using namespace qopt;

void qopt::returnAlso(func::FuncOp main, ArrayRef<Value> values,
                      ArrayRef<std::string> names) {
  SmallVector<DictionaryAttr> attributes;
  main.getAllResultAttrs(attributes);
  attributes.resize(main.getNumResults());
  auto exit = cast<func::ReturnOp>(main.getBody().front().getTerminator());
  exit.getOperandsMutable().append(values);
  Builder builder(main.getContext());
  for (const std::string &name : names)
    attributes.push_back(builder.getDictionaryAttr(
        builder.getNamedAttr("qg.name", builder.getStringAttr(name))));
  for (DictionaryAttr &attribute : attributes)
    if (!attribute)
      attribute = builder.getDictionaryAttr({});
  SmallVector<Type> types(exit.getOperandTypes());
  main.setFunctionType(
      FunctionType::get(main.getContext(), main.getArgumentTypes(), types));
  main.setAllResultAttrs(attributes);
}

/// Observers in the order of the graph. One in the body of a loop moves out of
/// it, to the values of all steps. To stack values replaces the loop, so that no
/// result of one is held across it but by the observers themselves.
static SmallVector<qg::ObserveOp> stackObservers(func::FuncOp main) {
  SmallVector<qg::ObserveOp> observers;
  main.walk([&](qg::ObserveOp op) { observers.push_back(op); });
  IRRewriter rewriter(main.getContext());
  for (qg::ObserveOp &observer : observers)
    while (auto loop = dyn_cast<qg::LoopOp>(observer->getParentOp())) {
      Value x = observer.getX();
      loop = qg::stackAlso(rewriter, loop, x);
      Value steps = loop.getResults().back();
      rewriter.setInsertionPointAfter(loop);
      auto outer = qg::ObserveOp::create(rewriter, observer.getLoc(),
                                         steps.getType(),
                                         observer.getNameAttr(), steps);
      outer->setDiscardableAttrs(observer->getDiscardableAttrDictionary());
      rewriter.replaceOp(observer, x);
      observer = outer;
    }
  return observers;
}

absl::StatusOr<InstrumentedModule> qopt::instrument(ModuleOp module) {
  InstrumentedModule result;
  result.module = module.clone();
  auto main = result.module->lookupSymbol<func::FuncOp>("main");
  if (!main || main.isExternal() || !main.getBody().hasOneBlock())
    return absl::InvalidArgumentError(
        "expects a function @main of one block to observe");
  SmallVector<qg::ObserveOp> observers = stackObservers(main);
  auto exit = cast<func::ReturnOp>(main.getBody().front().getTerminator());
  SmallVector<Value> returned(exit.getOperands());
  for (Value &value : returned)
    while (auto observer = value.getDefiningOp<qg::ObserveOp>())
      value = observer.getX();
  result.ownResults = returned.size();
  SmallVector<std::string> names;
  for (qg::ObserveOp op : observers) {
    Value x = op.getX();
    // The value behind other observers of the same tensor.
    while (auto inner = x.getDefiningOp<qg::ObserveOp>())
      x = inner.getX();
    bool perChannel = op->hasAttr("qg.per_channel");
    bool perRow = op->hasAttr("qg.per_row");
    if (auto argument = dyn_cast<BlockArgument>(x)) {
      result.points.push_back({op.getName().str(), true,
                               argument.getArgNumber(), perChannel, perRow});
      continue;
    }
    auto it = llvm::find(returned, x);
    result.points.push_back({op.getName().str(), false,
                             unsigned(it - returned.begin()), perChannel,
                             perRow});
    if (it == returned.end()) {
      returned.push_back(x);
      names.push_back(op.getName().str());
    }
  }
  returnAlso(main, ArrayRef<Value>(returned).drop_front(result.ownResults),
             names);
  for (qg::ObserveOp op : observers) {
    op.replaceAllUsesWith(op.getX());
    op.erase();
  }
  return result;
}

namespace {
/// What one run read and gave.
struct ObservedSample {
  int64_t index;
  llvm::ArrayRef<Tensor> inputs, outputs;
};
} // namespace

static absl::Status observeSample(Profile &profile,
                                  const InstrumentedModule &instrumented,
                                  const ObservedSample &sample,
                                  const CollectOptions &options) {
  // Tensors have statistics of their own, so they are observed side by side;
  // points of one name go one after another, in the order of the graph.
  struct Row {
    TensorStatistics *statistics;
    ObserveOptions options;
    llvm::SmallVector<const Tensor *, 1> values;
    absl::Status status;
  };
  llvm::MapVector<llvm::StringRef, Row> rows;
  for (const InstrumentedModule::Point &point : instrumented.points) {
    llvm::ArrayRef<Tensor> from =
        point.isArgument ? sample.inputs : sample.outputs;
    if (point.index >= from.size())
      return absl::InternalError("expects a value for every observed tensor");
    Row &row = rows[point.name];
    row.statistics = &profile.tensors[point.name];
    row.options = {options.perChannel || point.perChannel, options.perSample,
                   point.perRow, point.isArgument};
    row.values.push_back(&from[point.index]);
  }
  llvm::parallelFor(0, rows.size(), [&](size_t i) {
    Row &row = (rows.begin() + i)->second;
    for (const Tensor *value : row.values)
      if (row.status.ok())
        row.status = row.statistics->observe(sample.index, *value, row.options);
  });
  for (const auto &[name, row] : rows)
    if (!row.status.ok())
      return absl::InvalidArgumentError(
          absl::StrCat("tensor '", std::string(name), "', sample ",
                       sample.index, ": ", row.status.message()));
  ++profile.samples;
  return absl::OkStatus();
}

/// The profile to go on from: that of the resume file, if it fits the module.
static absl::StatusOr<Profile> getStart(const InstrumentedModule &instrumented,
                                        const CollectOptions &options) {
  Profile profile;
  for (const InstrumentedModule::Point &point : instrumented.points)
    profile.tensors[point.name];
  if (options.resumeFile.empty() || !llvm::sys::fs::exists(options.resumeFile))
    return profile;
  absl::StatusOr<Profile> earlier = Profile::read(options.resumeFile);
  if (!earlier.ok())
    return earlier.status();
  bool fits = earlier->tensors.size() == profile.tensors.size();
  for (const auto &[name, statistics] : profile.tensors)
    fits = fits && earlier->tensors.count(name);
  if (!fits)
    return absl::FailedPreconditionError(
        absl::StrCat("expects '", options.resumeFile,
                     "' to be a profile of this model; remove it to start "
                     "again"));
  return earlier;
}

absl::StatusOr<Profile> qopt::collectProfile(ModuleOp module,
                                             const SampleSource &source,
                                             const CollectOptions &options,
                                             const ExecutorFactory &factory) {
  absl::StatusOr<InstrumentedModule> instrumented = instrument(module);
  if (!instrumented.ok())
    return instrumented.status();
  absl::StatusOr<Profile> profile = getStart(*instrumented, options);
  if (!profile.ok())
    return profile.status();
  auto made = factory(*instrumented->module);
  if (!made.ok())
    return made.status();
  std::shared_ptr<Executor> executor = std::move(*made);
  if (options.executor)
    *options.executor = executor;
  bool writes = !options.resumeFile.empty();
  while (options.maxSamples < 0 || profile->samples < options.maxSamples) {
    int64_t index = profile->samples;
    auto sample = source(index);
    if (!sample.ok())
      return sample.status();
    if (!*sample)
      break;
    auto outputs = executor->run(**sample);
    if (!outputs.ok())
      return absl::Status(
          outputs.status().code(),
          absl::StrCat("sample ", index, ": ", outputs.status().message()));
    absl::Status status = observeSample(*profile, *instrumented,
                                        {index, **sample, *outputs}, options);
    if (!status.ok())
      return status;
    bool goesOn = !options.progress || options.progress(profile->samples);
    if (writes && (!goesOn || profile->samples % options.resumeInterval == 0))
      if (absl::Status written = profile->write(options.resumeFile);
          !written.ok())
        return written;
    if (!goesOn)
      return absl::CancelledError(
          absl::StrCat("stopped after ", profile->samples, " samples"));
  }
  if (profile->samples == 0)
    return absl::InvalidArgumentError("expects at least one sample");
  return profile;
}
