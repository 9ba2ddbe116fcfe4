//===- OutputErrors.cpp - Expected error of a layer's outputs -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// One second moment of a layer's inputs serves all candidates of its weight.
//===----------------------------------------------------------------------===//
#include "LayerInputs.h"
#include "qopt/Assignment/Sensitivity.h"
#include "qopt/Calibration/ObservedRun.h"

#include "llvm/Support/Parallel.h"
#include <cmath>

using namespace mlir;
using namespace qopt;

/// Inputs beyond this are taken to be uncorrelated.
static constexpr int64_t kMostColumns = 4096;
static constexpr int64_t kRowsPerColumn = 16, kLeastRows = 4096;

namespace {
struct Layer {
  LayerCandidates *candidates;
  LinearOpInterface op;
  LayerGeometry geometry;
  const InstrumentedModule::Point *point = nullptr;
  std::vector<Matrix> moments;
};
} // namespace

static Value skipReshapes(Value value) {
  while (auto reshape = value.getDefiningOp<qg::ReshapeOp>()) {
    auto from = cast<RankedTensorType>(reshape.getX().getType()).getShape();
    auto to = cast<RankedTensorType>(reshape.getType()).getShape();
    if (from.empty() || to.empty() || from.back() != to.back())
      break;
    value = reshape.getX();
  }
  return value;
}

/// trace(D H D^T) over all groups.
static double getError(const Layer &layer, const Tensor &exact,
                       const Tensor *other) {
  const LayerGeometry &geometry = layer.geometry;
  ArrayRef<float> from = exact.span<float>();
  ArrayRef<float> to = other ? other->span<float>() : ArrayRef<float>();
  double total = 0;
  for (int64_t g = 0; g < geometry.numGroups(); ++g) {
    Matrix difference(geometry.numRows(), geometry.numColumns());
    for (int64_t r = 0; r < geometry.numRows(); ++r)
      for (int64_t c = 0; c < geometry.numColumns(); ++c) {
        int64_t at = geometry.element(g, r, c);
        difference(r, c) = double(from[at]) - (other ? to[at] : 0.0f);
      }
    total += (difference * layer.moments[g]).cwiseProduct(difference).sum();
  }
  return total;
}

static void fillErrors(Layer &layer) {
  Tensor exact = *qg::matchConstant(layer.op.getWeight());
  double signal = getError(layer, exact, nullptr);
  for (Candidate &candidate : layer.candidates->candidates)
    if (candidate.weight.shape() == exact.shape() && signal > 0)
      candidate.outputError =
          getError(layer, exact, &candidate.weight) / signal;
}

static std::vector<Layer> findLayers(func::FuncOp main,
                                     std::vector<LayerCandidates> &layers) {
  std::map<std::pair<std::string, std::string>, LayerCandidates *> byName;
  for (LayerCandidates &layer : layers) {
    byName[{layer.layer, layer.op}] = &layer;
    for (Candidate &candidate : layer.candidates)
      candidate.outputError = candidate.weightError;
  }
  std::vector<Layer> result;
  for (auto op : main.getOps<LinearOpInterface>()) {
    auto it =
        byName.find({qg::getUserName(op), op->getName().getStringRef().str()});
    if (it == byName.end())
      continue;
    std::optional<LayerGeometry> geometry = LayerGeometry::get(op);
    if (geometry && geometry->numColumns() <= kMostColumns &&
        qg::matchConstant(op.getWeight()))
      result.push_back({it->second, op, *geometry, nullptr, {}});
  }
  return result;
}

absl::Status qopt::measureOutputErrors(ModuleOp observed,
                                       std::vector<LayerCandidates> &layers,
                                       const SampleSource &source,
                                       const OutputErrorOptions &options,
                                       const ExecutorFactory &factory) {
  auto main = observed.lookupSymbol<func::FuncOp>("main");
  if (!main)
    return absl::InvalidArgumentError("expects a function @main");
  std::vector<Layer> all = findLayers(main, layers);
  auto run = ObservedRun::create(observed, options.executor, factory);
  if (!run.ok())
    return run.status();
  std::vector<Layer *> usable;
  for (Layer &layer : all) {
    auto observer =
        skipReshapes(layer.op.getInput()).getDefiningOp<qg::ObserveOp>();
    if (observer)
      layer.point = run->find(observer.getName());
    if (layer.point)
      usable.push_back(&layer);
  }
  for (ArrayRef<Layer *> left(usable); !left.empty();) {
    ArrayRef<Layer *> batch = takeBatch(left, options.memoryLimit);
    left = left.drop_front(batch.size());
    std::vector<InputMoments> inputs;
    for (Layer *layer : batch)
      inputs.emplace_back(layer->geometry, qg::QuantizedType());
    std::vector<InputMoments *> moments;
    for (InputMoments &input : inputs)
      moments.push_back(&input);
    auto addSample = [&](int64_t index, ArrayRef<Tensor> arguments,
                         ArrayRef<Tensor> outputs) {
      llvm::parallelFor(0, batch.size(), [&](size_t k) {
        Layer &layer = *batch[k];
        const Tensor *x = ObservedRun::get(*layer.point, arguments, outputs);
        if (!x)
          return;
        int64_t wanted =
            std::max(kLeastRows, kRowsPerColumn * layer.geometry.numColumns());
        inputs[k].add(*x, std::max<int64_t>(1, wanted / options.samples),
                      index);
      });
      InputMoments::multiply(moments, /*all=*/false);
      return absl::OkStatus();
    };
    if (auto done = run->run(source, options.samples, addSample); !done.ok())
      return done.status();
    InputMoments::multiply(moments, /*all=*/true);
    llvm::parallelFor(0, batch.size(), [&](size_t k) {
      batch[k]->moments = inputs[k].take();
      if (!batch[k]->moments.empty())
        fillErrors(*batch[k]);
      batch[k]->moments.clear();
    });
    if (options.progress)
      options.progress(int64_t(usable.size() - left.size()),
                       int64_t(usable.size()));
  }
  return absl::OkStatus();
}
