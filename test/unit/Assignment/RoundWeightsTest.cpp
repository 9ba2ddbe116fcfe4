//===- RoundWeightsTest.cpp - Rounding a model on its data ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What memory, threads and earlier calls must not show in: the weights.
//===----------------------------------------------------------------------===//
#include "qopt/Assignment/RoundWeights.h"
#include "../RunModule.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/InitAll.h"
#include "qopt/Pipelines/Model.h"
#include "qopt/Pipelines/Pipelines.h"

#include <cmath>

using namespace mlir;
using namespace qopt;
using namespace qopt::test;

namespace {
/// A convolution, a depthwise one and a product, with numbers in them.
std::string getNetwork() {
  auto constant = [](int count, double step) {
    std::string text = "dense<[";
    for (int i = 0; i < count; ++i)
      text += (i ? ", " : "") + std::to_string(std::sin(i * step + i * i));
    return text + "]> : tensor<" + std::to_string(count) + "xf32> -> tensor<" +
           std::to_string(count) + "xf32>";
  };
  return R"mlir(
func.func @main(%x: tensor<1x6x6x3xf32> {qg.name = "x"}) -> (tensor<1x5xf32> {qg.name = "y"}) {
  %a0 = qg.constant )mlir" +
         constant(216, 0.7) + R"mlir(
  %a = qg.reshape %a0 : tensor<216xf32> -> tensor<8x3x3x3xf32>
  %b0 = qg.constant )mlir" +
         constant(72, 1.3) + R"mlir(
  %b = qg.reshape %b0 : tensor<72xf32> -> tensor<8x3x3x1xf32>
  %c0 = qg.constant )mlir" +
         constant(1440, 0.37) + R"mlir(
  %c = qg.reshape %c0 : tensor<1440xf32> -> tensor<288x5xf32>
  %0 = qg.conv %x, %a strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x6x6x3xf32>, tensor<8x3x3x3xf32>) -> tensor<1x6x6x8xf32>
  %1 = qg.unary relu %0 : tensor<1x6x6x8xf32> -> tensor<1x6x6x8xf32>
  %2 = qg.conv %1, %b strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 8 : (tensor<1x6x6x8xf32>, tensor<8x3x3x1xf32>) -> tensor<1x6x6x8xf32>
  %3 = qg.unary relu %2 : tensor<1x6x6x8xf32> -> tensor<1x6x6x8xf32>
  %4 = qg.reshape %3 : tensor<1x6x6x8xf32> -> tensor<1x288xf32>
  %5 = qg.matmul %4, %c : (tensor<1x288xf32>, tensor<288x5xf32>) -> tensor<1x5xf32>
  return %5 : tensor<1x5xf32>
})mlir";
}

class RoundWeights : public testing::Test {
protected:
  static void SetUpTestSuite() {
    // Pipelines are text here. Once: names are global.
    registerAllPasses();
  }

  void SetUp() override {
    reference = parse(getNetwork());
    ASSERT_TRUE(reference);
    ASSERT_TRUE(runPipeline(*reference,
                            "func.func(qg-fold-constants,canonicalize),"
                            "qg-insert-observers")
                    .ok());
    CollectOptions collect;
    auto profile = collectProfile(*reference, source, collect, factory);
    ASSERT_TRUE(profile.ok()) << profile.status().ToString();
    ASSERT_TRUE(
        applyProfile(*reference, *profile, *RangeMethod::parse("min-max"))
            .ok());
  }

  OwningOpRef<ModuleOp> assign(StringRef format, StringRef last = "") {
    OwningOpRef<ModuleOp> module(reference->clone());
    if (!last.empty())
      module->walk([&](qg::MatmulOp op) {
        op->setAttr("qg.weights", StringAttr::get(op.getContext(), last));
      });
    EXPECT_TRUE(
        runPipeline(*module, "func.func(qg-assign-formats{weight-format=" +
                                 format.str() + "},qg-apply-formats)")
            .ok());
    return module;
  }

  WeightRounder create(RoundWeightsOptions options) {
    options.samples = 6;
    auto rounder = WeightRounder::create(*reference, source, options, factory);
    EXPECT_TRUE(rounder.ok());
    return std::move(*rounder);
  }

  std::string round(WeightRounder &rounder, OwningOpRef<ModuleOp> module) {
    auto done = rounder.round(*module);
    EXPECT_TRUE(done.ok()) << done.status().ToString();
    report = std::move(*done);
    EXPECT_EQ(report.layers.size(), 3u);
    for (const RoundedLayer &layer : report.layers)
      EXPECT_EQ(layer.reason, "");
    return printModule(*module);
  }

  ExecutorFactory factory = makeInterpreterFactory();
  SampleSource source = [this](int64_t index)
      -> absl::StatusOr<std::optional<llvm::SmallVector<Tensor>>> {
    if (index >= 6)
      return std::nullopt;
    ++numReads;
    return std::optional<llvm::SmallVector<Tensor>>(
        {makeRandom(DType::f32, {1, 6, 6, 3}, -1, 2, index)});
  };
  int numReads = 0;
  OwningOpRef<ModuleOp> reference;
  RoundWeightsReport report;
};

TEST_F(RoundWeights, MemoryDoesNotShow) {
  RoundWeightsOptions options;
  WeightRounder large = create(options);
  numReads = 0;
  std::string expected = round(large, assign("si3"));
  EXPECT_EQ(numReads, 6);
  options.memoryLimit = 1; // a run for each layer
  WeightRounder small = create(options);
  numReads = 0;
  EXPECT_EQ(round(small, assign("si3")), expected);
  EXPECT_EQ(numReads, 18);
}

TEST_F(RoundWeights, LearnsNothingFromEarlierCalls) {
  RoundWeightsOptions options;
  WeightRounder rounder = create(options);
  std::string four = round(rounder, assign("si4"));
  numReads = 0;
  std::string mixed = round(rounder, assign("si4", "si5"));
  EXPECT_EQ(numReads, 0); // moments are still there
  EXPECT_EQ(round(rounder, assign("si4")), four);
  EXPECT_NE(four, mixed);
  WeightRounder fresh = create(options);
  EXPECT_EQ(round(fresh, assign("si4", "si5")), mixed);
}

TEST_F(RoundWeights, RefusesAMethodThatIsNone) {
  RoundWeightsOptions options;
  options.rounding = "up";
  WeightRounder rounder = create(options);
  mlir::OwningOpRef<mlir::ModuleOp> module = assign("si3");
  absl::Status status = rounder.round(*module).status();
  EXPECT_NE(std::string(status.message()).find("expects a rounding of gptq, "),
            std::string::npos);
}

TEST_F(RoundWeights, ReportsErrorsOfItsChoices) {
  RoundWeightsOptions options;
  WeightRounder gptq = create(options);
  round(gptq, assign("si3"));
  RoundWeightsReport by = report;
  options.rounding = "nearest";
  WeightRounder nearest = create(options);
  round(nearest, assign("si3"));
  for (auto [a, b] : llvm::zip(by.layers, report.layers)) {
    EXPECT_GT(a.sqnr, b.sqnr);
    EXPECT_GE(b.sqnr, b.plainSqnr);
    EXPECT_EQ(b.sqnr, b.nearestSqnr);
    EXPECT_EQ(a.plainSqnr, b.plainSqnr);
    EXPECT_EQ(a.format, "si3");
  }
  EXPECT_NEAR(*by.getMeanSqnr(),
              (by.layers[0].sqnr + by.layers[1].sqnr + by.layers[2].sqnr) / 3,
              1e-9);
}

TEST_F(RoundWeights, WidensOnlyLayersWithoutFormat) {
  RoundWeightsReport trial;
  for (auto [weights, bits] : {std::pair(216, 4), {72, 4}, {1440, 8}}) {
    RoundedLayer layer;
    layer.position = unsigned(trial.layers.size());
    layer.weights = weights;
    layer.storedBits = weights * bits;
    layer.sqnr = 10;
    trial.layers.push_back(layer);
  }
  OwningOpRef<ModuleOp> module(reference->clone());
  module->walk([](qg::MatmulOp op) {
    op->setAttr("qg.weights", StringAttr::get(op.getContext(), "si8"));
  });
  // What is left pays for one bit of the small layer and no more.
  double bits = double(216 * 4 + 72 * 5 + 1440 * 8) / 1728;
  widenLayers(*module, trial, bits + 1e-9);
  std::vector<std::string> formats;
  module->walk([&](Operation *op) {
    if (!isa<qg::ConvOp, qg::MatmulOp>(op))
      return;
    auto own = op->getAttrOfType<StringAttr>("qg.weights");
    formats.push_back(own ? own.str() : "");
  });
  EXPECT_EQ(formats, (std::vector<std::string>{"", "si5", "si8"}));
  // Not even with bits for all.
  module->walk([](qg::MatmulOp op) {
    op->setAttr("qg.weights", StringAttr::get(op.getContext(), "si6"));
  });
  widenLayers(*module, trial, 100);
  module->walk([](qg::MatmulOp op) {
    EXPECT_EQ(op->getAttrOfType<StringAttr>("qg.weights"), "si6");
  });
}

TEST_F(RoundWeights, CallsBackForSamplesAndLayers) {
  RoundWeightsOptions options;
  std::vector<std::string> seen;
  options.progress = [&](StringRef phase, int64_t done, int64_t total) {
    seen.push_back((phase + " " + Twine(done) + "/" + Twine(total)).str());
  };
  WeightRounder rounder = create(options);
  round(rounder, assign("si4"));
  EXPECT_EQ(seen,
            (std::vector<std::string>{"inputs 1/6", "inputs 2/6", "inputs 3/6",
                                      "inputs 4/6", "inputs 5/6", "inputs 6/6",
                                      "round 1/3", "round 2/3", "round 3/3"}));
}
} // namespace
