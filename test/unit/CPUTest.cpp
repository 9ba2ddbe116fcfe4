//===- CPUTest.cpp - Compiled code in this process ------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Values of compiled modules, the interface of the object, the arena planner.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/InitAll.h"
#include "qopt/Numerics/GroupMatmul.h"
#include "qopt/Target/CPU/Emit.h"
#include "qopt/Target/Memory/PlanMemory.h"

#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

#include <cmath>
#include <random>

using namespace qopt;

namespace {
class CPUTest : public testing::Test {
protected:
  CPUTest() {
    mlir::DialectRegistry registry;
    registerAllDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }
  mlir::OwningOpRef<mlir::ModuleOp> parse(llvm::StringRef text) {
    return mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  }
  llvm::SmallVector<Tensor> run(llvm::StringRef text,
                                llvm::ArrayRef<Tensor> inputs,
                                unsigned threads = 1) {
    auto module = parse(text);
    EXPECT_TRUE(module);
    if (!module)
      return {};
    auto executor = makeJitFactory({}, threads)(*module);
    EXPECT_TRUE(executor.ok()) << executor.status();
    if (!executor.ok())
      return {};
    auto results = (*executor)->run(inputs);
    EXPECT_TRUE(results.ok()) << results.status();
    return results.ok() ? *results : llvm::SmallVector<Tensor>();
  }
  mlir::MLIRContext context;
};

template <typename T> std::vector<T> getValues(const Tensor &tensor) {
  llvm::ArrayRef<T> span = tensor.span<T>();
  return std::vector<T>(span.begin(), span.end());
}
} // namespace

TEST_F(CPUTest, convolutionIsPaddedWithTheZeroPoint) {
  // One channel, 3x3 sum of x - 1 over a 2x2 image: all four pixels always.
  const char *text = R"(
    func.func @main(%x: tensor<1x2x2x1xi8> {qg.name = "x"}) -> (tensor<1x2x2x1xi8> {qg.name = "y"}) {
      %w = qg.constant dense<1> : tensor<1x3x3x1xi8> -> tensor<1x3x3x1xi8>
      %b = qg.constant dense<10> : tensor<1xi32> -> tensor<1xi32>
      %a = fxp.conv %x, %w, %b strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 x_zp 1 x_unsigned
        : (tensor<1x2x2x1xi8>, tensor<1x3x3x1xi8>, tensor<1xi32>) -> tensor<1x2x2x1xi32>
      %y = fxp.requantize %a scales dense<0.5> : tensor<1xf32> x_zp 0 zp 3 clamp [0, 255] unsigned mode <"f32">
        : tensor<1x2x2x1xi32> -> tensor<1x2x2x1xi8>
      return %y : tensor<1x2x2x1xi8>
    })";
  auto x = Tensor::from<int8_t>(DType::i8, {1, 2, 2, 1}, {1, 2, 3, -1});
  auto results = run(text, {x});
  ASSERT_EQ(results.size(), 1u);
  // 0 + 1 + 2 + 254 + 10 = 267; 133.5 rounds to 134, plus 3.
  EXPECT_EQ(getValues<uint8_t>(results[0].bitcast(DType::u8)),
            (std::vector<uint8_t>{137, 137, 137, 137}));
}

TEST_F(CPUTest, movementKeepsElements) {
  const char *text = R"(
    func.func @main(%x: tensor<2x3xf32>) -> tensor<4x3xf32> {
      %t = qg.transpose %x perm [1, 0] : tensor<2x3xf32> -> tensor<3x2xf32>
      %s = qg.slice %t offsets [2, 1] strides [-1, -1] : tensor<3x2xf32> -> tensor<3x2xf32>
      %c = qg.concat %t, %s axis 1 : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<3x4xf32>
      %y = qg.reshape %c : tensor<3x4xf32> -> tensor<4x3xf32>
      return %y : tensor<4x3xf32>
    })";
  auto x = Tensor::from<float>(DType::f32, {2, 3}, {1, 2, 3, 4, 5, 6});
  auto results = run(text, {x});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(getValues<float>(results[0]),
            (std::vector<float>{1, 4, 6, 3, 2, 5, 5, 2, 3, 6, 4, 1}));
}

TEST_F(CPUTest, resultsDoNotDependOnThreads) {
  const char *text = R"(
    func.func @main(%x: tensor<1x40x40x16xi8>, %w: tensor<24x3x3x16xi8>, %b: tensor<24xi32>) -> tensor<1x38x38x24xi32> {
      %a = fxp.conv %x, %w, %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 x_zp 7 x_unsigned
        : (tensor<1x40x40x16xi8>, tensor<24x3x3x16xi8>, tensor<24xi32>) -> tensor<1x38x38x24xi32>
      return %a : tensor<1x38x38x24xi32>
    })";
  std::mt19937 random(1);
  Tensor x(DType::i8, {1, 40, 40, 16}), w(DType::i8, {24, 3, 3, 16});
  Tensor b(DType::i32, {24});
  for (Tensor *tensor : {&x, &w, &b})
    for (int64_t i = 0; i < tensor->numElements(); ++i)
      tensor->setInt(i, int64_t(random() % 256) - 128);
  auto one = run(text, {x, w, b}), three = run(text, {x, w, b}, 3);
  ASSERT_EQ(one.size(), 1u);
  ASSERT_EQ(three.size(), 1u);
  EXPECT_EQ(getValues<int32_t>(one[0]), getValues<int32_t>(three[0]));
  int32_t expected = b.getInt(5);
  for (int64_t i = 0; i < 3; ++i)
    for (int64_t j = 0; j < 3 * 16; ++j)
      expected +=
          (int32_t(uint8_t(x.getInt(((2 + i) * 40 + 9) * 16 + j))) - 7) *
          int32_t(w.getInt((5 * 3 + i) * 48 + j));
  EXPECT_EQ(one[0].getInt((2 * 38 + 9) * 24 + 5), expected);
}

TEST_F(CPUTest, rowsRoundAlikeWhereverTheLargestIs) {
  const float nan = std::nanf(""), infinity = INFINITY;
  for (int64_t k : {1, 7, 16, 17, 61, 128, 211}) {
    std::string rows = "8x" + std::to_string(k);
    auto results = [&](const Tensor &x) {
      return run("func.func @main(%x: tensor<" + rows + "xf32>) -> (tensor<" +
                     rows + "xi8>, tensor<8xf32>) {\n%q, %s = " +
                     "fxp.quantize_rows %x : tensor<" + rows +
                     "xf32> -> tensor<" + rows + "xi8>, tensor<8xf32>\n" +
                     "return %q, %s : tensor<" + rows +
                     "xi8>, tensor<8xf32>\n}",
                 {x});
    };
    std::mt19937 random(k);
    Tensor x(DType::f32, {8, k});
    for (int64_t i = 0; i < 8 * k; ++i)
      x.setFloat(i, double(random() % 2001) / 1000 - 1);
    // Last of a row, first, everywhere, below the normal numbers.
    x.setFloat(1 * k + k - 1, -5);
    x.setFloat(2 * k, nan);
    x.setFloat(3 * k + k / 2, -infinity);
    for (int64_t i = 0; i < k; ++i) {
      x.setFloat(4 * k + i, nan);
      x.setFloat(5 * k + i, -0.0);
      x.setFloat(6 * k + i, i % 2 ? 1e-40 : -1e-41);
    }
    auto got = results(x);
    ASSERT_EQ(got.size(), 2u);
    for (int64_t row = 0; row < 8; ++row) {
      std::vector<int32_t> codes(k);
      float scale =
          quantizeRow(k, x.span<float>().data() + row * k, codes.data());
      EXPECT_EQ(got[1].getFloat(row), scale) << k << ", row " << row;
      for (int64_t i = 0; i < k; ++i)
        EXPECT_EQ(got[0].getInt(row * k + i), codes[i])
            << k << ", row " << row << ", " << i;
    }
  }
}

TEST_F(CPUTest, objectsDoNotDependOnThreads) {
  // Two layers of enough code for several parts.
  auto module = parse(R"(
    func.func @main(%x: tensor<1x40x40x16xi8>) -> tensor<1x36x36x24xi32> {
      %w = qg.constant dense<1> : tensor<16x3x3x16xi8> -> tensor<16x3x3x16xi8>
      %b = qg.constant dense<3> : tensor<16xi32> -> tensor<16xi32>
      %v = qg.constant dense<2> : tensor<24x3x3x16xi8> -> tensor<24x3x3x16xi8>
      %c = qg.constant dense<4> : tensor<24xi32> -> tensor<24xi32>
      %a = fxp.conv %x, %w, %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 x_zp 7 x_unsigned
        : (tensor<1x40x40x16xi8>, tensor<16x3x3x16xi8>, tensor<16xi32>) -> tensor<1x38x38x16xi32>
      %f = fxp.dequantize %a scales dense<0.1> : tensor<1xf32> zps [0] axis 0 : tensor<1x38x38x16xi32> -> tensor<1x38x38x16xf32>
      %e = qg.unary erf %f : tensor<1x38x38x16xf32> -> tensor<1x38x38x16xf32>
      %q = fxp.quantize %e scales dense<0.01> : tensor<1xf32> zps [100] axis 0 clamp [0, 255] unsigned
        : tensor<1x38x38x16xf32> -> tensor<1x38x38x16xi8>
      %y = fxp.conv %q, %v, %c strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 x_zp 7 x_unsigned
        : (tensor<1x38x38x16xi8>, tensor<24x3x3x16xi8>, tensor<24xi32>) -> tensor<1x36x36x24xi32>
      return %y : tensor<1x36x36x24xi32>
    })");
  ASSERT_TRUE(module);
  context.disableMultithreading();
  CPUOptions options;
  options.jobs = 1;
  auto one = compileForCPU(*module, options);
  options.jobs = 3;
  auto three = compileForCPU(*module, options);
  ASSERT_TRUE(one.ok()) << one.status();
  ASSERT_TRUE(three.ok()) << three.status();
  EXPECT_TRUE(one->object == three->object);
  auto loaded = loadObject(three->object, three->symbol);
  EXPECT_TRUE(loaded.ok()) << loaded.status();
}

TEST_F(CPUTest, wrongArraysAreRefusedByName) {
  auto module = parse(R"(
    func.func @main(%x: tensor<2xf32> {qg.name = "pixels"}) -> tensor<2xf32> {
      return %x : tensor<2xf32>
    })");
  auto executor = makeJitFactory()(*module);
  ASSERT_TRUE(executor.ok()) << executor.status();
  auto results = (*executor)->run({Tensor(DType::f32, {3})});
  ASSERT_FALSE(results.ok());
  EXPECT_EQ(results.status().message(),
            "input 'pixels' expects f32 2, got f32 3");
  auto x = Tensor::from<float>(DType::f32, {2}, {4, 5});
  results = (*executor)->run({x});
  ASSERT_TRUE(results.ok());
  EXPECT_EQ(getValues<float>((*results)[0]), (std::vector<float>{4, 5}));
}

TEST_F(CPUTest, unknownTargetsAreRefused) {
  auto module = parse("func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {"
                      " return %x : tensor<2xf32> }");
  CPUOptions options;
  options.triple = "nonsense-machine";
  EXPECT_EQ(compileForCPU(*module, options).status().code(),
            absl::StatusCode::kInvalidArgument);
  options = {};
  options.cpu = "not-a-cpu";
  EXPECT_EQ(compileForCPU(*module, options).status().code(),
            absl::StatusCode::kInvalidArgument);
  options = {};
  options.symbol = "9lives";
  EXPECT_EQ(compileForCPU(*module, options).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(CPUTest, otherMachinesGetObjects) {
  auto module = parse(R"(
    func.func @main(%x: tensor<1x8xi8>) -> tensor<1x4xi32> {
      %w = qg.constant dense<3> : tensor<8x4xi8> -> tensor<8x4xi8>
      %b = qg.constant dense<1> : tensor<4xi32> -> tensor<4xi32>
      %y = fxp.matmul %x, %w, %b lhs_zp 0 lhs_unsigned rhs_zp 0
        : (tensor<1x8xi8>, tensor<8x4xi8>, tensor<4xi32>) -> tensor<1x4xi32>
      return %y : tensor<1x4xi32>
    })");
  for (auto [triple, cpu, features] :
       {std::make_tuple("x86_64-linux-gnu", "x86-64-v3", ""),
        std::make_tuple("x86_64-linux-gnu", "x86-64", ""),
        std::make_tuple("aarch64-linux-gnu", "cortex-a76", ""),
        std::make_tuple("aarch64-linux-gnu", "generic", "+dotprod"),
        std::make_tuple("riscv64-linux-gnu", "generic-rv64", "+m,+f,+d")}) {
    CPUOptions options;
    options.triple = triple;
    options.cpu = cpu;
    options.features = features;
    auto model = compileForCPU(*module, options);
    ASSERT_TRUE(model.ok()) << triple << ": " << model.status();
    EXPECT_FALSE(model->object.empty());
  }
}

TEST(PlanMemoryTest, buffersAliveTogetherDoNotOverlap) {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    std::vector<BufferLifetime> buffers;
    for (int i = 0; i < 60; ++i) {
      int64_t first = random() % 40;
      buffers.push_back(
          {int64_t(random() % 5000) + 1, first, first + int64_t(random() % 6)});
    }
    MemoryPlan plan = planMemory(buffers);
    EXPECT_GE(plan.arenaBytes, plan.liveBytes);
    for (size_t i = 0; i < buffers.size(); ++i) {
      EXPECT_EQ(plan.offsets[i] % 64, 0);
      EXPECT_LE(plan.offsets[i] + buffers[i].bytes, plan.arenaBytes);
      for (size_t j = 0; j < i; ++j) {
        bool together = buffers[i].first <= buffers[j].last &&
                        buffers[j].first <= buffers[i].last;
        bool apart = plan.offsets[i] + buffers[i].bytes <= plan.offsets[j] ||
                     plan.offsets[j] + buffers[j].bytes <= plan.offsets[i];
        EXPECT_TRUE(!together || apart);
      }
    }
  }
}

TEST(PlanMemoryTest, whatMeetsAtTheFullestStepIsPlacedFirst) {
  // A chain. By size, by area and in time, the third ends up above the last
  // two, which fill the arena by themselves.
  std::vector<BufferLifetime> buffers = {{73728, 0, 1},
                                         {80000, 1, 2},
                                         {73728, 2, 3},
                                         {147456, 3, 4},
                                         {153664, 4, 5}};
  EXPECT_EQ(planMemory(buffers).arenaBytes, 147456 + 153664);
}

TEST(PlanMemoryTest, aChainNeedsTwoNeighbours) {
  // Sizes that alternate: 100 alive with 300, 300 with 100.
  std::vector<BufferLifetime> buffers;
  for (int i = 0; i < 10; ++i)
    buffers.push_back({i % 2 ? 19200 : 6400, i, i + 1});
  MemoryPlan plan = planMemory(buffers);
  EXPECT_EQ(plan.liveBytes, 25600);
  EXPECT_EQ(plan.arenaBytes, 25600);
}
