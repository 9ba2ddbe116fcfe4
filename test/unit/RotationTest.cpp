//===- RotationTest.cpp - Rotations keep the function ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A pre-norm transformer block, run before and after its residual stream is
// rotated. In f64 only the rounding of the folded weights is left.
//===----------------------------------------------------------------------===//
#include "RunModule.h"
#include "mlir/Pass/PassManager.h"
#include "qopt/Assignment/ChooseTransforms.h"
#include "qopt/Transforms/Passes.h"
#include <cmath>

using namespace qopt;
using namespace qopt::test;

namespace {
struct Block {
  std::string type; ///< f32 or f64
  int64_t channels;
  bool centered;
  uint64_t seed;
};

/// Writes a block line by line; values are named by number.
class BlockWriter {
public:
  explicit BlockWriter(const Block &block) : block(block) {}
  std::string write();

private:
  std::string tensor(llvm::ArrayRef<int64_t> shape) const {
    std::string text = "tensor<";
    for (int64_t extent : shape)
      text += std::to_string(extent) + "x";
    return text + block.type + ">";
  }
  std::string add(const std::string &op, const std::string &type) {
    std::string name = "%v" + std::to_string(++values);
    body += "  " + name + " = qg." + op + " : " + type + "\n";
    return name;
  }
  std::string constant(llvm::ArrayRef<int64_t> shape) {
    std::string numbers;
    for (int64_t i = 0, n = getNumElements(shape); i < n; ++i)
      numbers += (i ? ", " : "") + std::to_string(std::sin(++draws * 1.7));
    std::string flat = tensor({getNumElements(shape)});
    std::string value =
        add("constant dense<[" + numbers + "]>", flat + " -> " + flat);
    ;
    return add("reshape " + value, flat + " -> " + tensor(shape));
  }
  std::string scalar(double number) {
    return add("constant dense<" + std::to_string(number) + ">",
               tensor({}) + " -> " + tensor({}));
  }
  std::string binary(const std::string &kind, const std::string &a,
                     llvm::ArrayRef<int64_t> aShape, const std::string &b,
                     llvm::ArrayRef<int64_t> bShape) {
    return add("binary " + kind + " " + a + ", " + b,
               "(" + tensor(aShape) + ", " + tensor(bShape) + ") -> " +
                   tensor(aShape));
  }
  std::string mean(const std::string &x) {
    std::string sum = add("reduce sum " + x + " axes [2]",
                          tensor(stream()) + " -> " + tensor({1, kTokens}));
    std::string mean =
        binary("div", sum, {1, kTokens}, scalar(block.channels), {});
    return add("reshape " + mean,
               tensor({1, kTokens}) + " -> " + tensor({1, kTokens, 1}));
  }
  std::string linear(const std::string &x, int64_t inputs, int64_t outputs) {
    std::string weight = constant({inputs, outputs}),
                bias = constant({outputs});
    return add("matmul " + x + ", " + weight + " bias " + bias,
               "(" + tensor({1, kTokens, inputs}) + ", " +
                   tensor({inputs, outputs}) + ", " + tensor({outputs}) +
                   ") -> " + tensor({1, kTokens, outputs}));
  }
  std::string normalize(const std::string &x);
  std::string attend(const std::string &x);
  llvm::SmallVector<int64_t> stream() const {
    return {1, kTokens, block.channels};
  }

  static constexpr int64_t kTokens = 6;
  const Block &block;
  std::string body;
  int values = 0;
  int64_t draws = 0;
};
} // namespace

std::string BlockWriter::normalize(const std::string &x) {
  std::string difference =
      block.centered ? binary("sub", x, stream(), mean(x), {1, kTokens, 1}) : x;
  std::string square =
      binary("mul", difference, stream(), difference, stream());
  llvm::SmallVector<int64_t> column{1, kTokens, 1};
  std::string sum = binary("add", mean(square), column, scalar(0.001), {});
  std::string root =
      add("unary sqrt " + sum, tensor(column) + " -> " + tensor(column));
  std::string y = binary("div", difference, stream(), root, column);
  std::string gain = constant({block.channels});
  std::string scaled = binary("mul", y, stream(), gain, {block.channels});
  return binary("add", scaled, stream(), constant({block.channels}),
                {block.channels});
}

std::string BlockWriter::attend(const std::string &x) {
  int64_t n = block.channels;
  std::string q = linear(x, n, n), k = linear(x, n, n), v = linear(x, n, n);
  std::string tokens = tensor({1, kTokens, kTokens}), type = tensor(stream());
  std::string scores = add("matmul " + q + ", " + k + " transpose_rhs",
                           "(" + type + ", " + type + ") -> " + tokens);
  std::string weights = add("softmax " + scores, tokens + " -> " + tokens);
  std::string mixed = add("matmul " + weights + ", " + v,
                          "(" + tokens + ", " + type + ") -> " + type);
  return linear(mixed, n, n);
}

std::string BlockWriter::write() {
  int64_t n = block.channels;
  std::string x = linear("%x", 5, n);
  x = binary("add", x, stream(), constant(stream()), stream());
  x = binary("add", x, stream(), attend(normalize(x)), stream());
  std::string wide = linear(normalize(x), n, 2 * n);
  llvm::SmallVector<int64_t> wideShape{1, kTokens, 2 * n};
  std::string gate = add("unary sigmoid " + wide,
                         tensor(wideShape) + " -> " + tensor(wideShape));
  wide = binary("mul", wide, wideShape, gate, wideShape);
  x = binary("add", x, stream(), linear(wide, 2 * n, n), stream());
  std::string y = linear(normalize(x), n, 3);
  return "func.func @main(%x: " + tensor({1, kTokens, 5}) + ") -> " +
         tensor({1, kTokens, 3}) + " {\n" + body + "  return " + y + " : " +
         tensor({1, kTokens, 3}) + "\n}\n";
}

static double getLargestError(const Tensor &want, const Tensor &got) {
  double largest = 0, error = 0;
  for (int64_t i = 0; i < want.numElements(); ++i) {
    largest = std::max(largest, std::fabs(want.getFloat(i)));
    error = std::max(error, std::fabs(want.getFloat(i) - got.getFloat(i)));
  }
  return error / largest;
}

static int64_t countOps(mlir::ModuleOp module) {
  int64_t count = 0;
  module.walk([&](mlir::Operation *op) {
    count += !mlir::isa<qg::ConstantOp, mlir::ModuleOp>(op);
  });
  return count;
}

class Rotation : public testing::TestWithParam<Block> {};

TEST_P(Rotation, KeepsTheFunctionAndAddsNoOp) {
  const Block &block = GetParam();
  bool wide = block.type == "f64";
  mlir::OwningOpRef<mlir::ModuleOp> module = parse(BlockWriter(block).write());
  ASSERT_TRUE(module);
  mlir::PassManager fold(module->getContext());
  fold.addNestedPass<mlir::func::FuncOp>(createFoldConstants());
  ASSERT_TRUE(succeeded(fold.run(*module)));
  Tensor x = makeRandom(wide ? DType::f64 : DType::f32, {1, 6, 5}, -2, 2, 3);
  auto runIt = [&] {
    auto executor = makeInterpreterFactory()(*module);
    EXPECT_TRUE(executor.ok()) << executor.status().message();
    return (*executor)->run({x});
  };
  auto before = runIt();
  int64_t opsBefore = countOps(*module);
  std::string textBefore, textAfter;
  llvm::raw_string_ostream(textBefore) << *module;

  FoldRotationsOptions options;
  options.seed = block.seed;
  options.explicitRotations = false;
  mlir::PassManager rotate(module->getContext());
  rotate.addNestedPass<mlir::func::FuncOp>(createFoldRotations(options));
  ASSERT_TRUE(succeeded(rotate.run(*module)));
  llvm::raw_string_ostream(textAfter) << *module;
  EXPECT_NE(textBefore, textAfter);
  auto after = runIt();
  ASSERT_TRUE(before.ok() && after.ok());
  // Three gains and three offsets are in the readers; the means are gone.
  EXPECT_LE(countOps(*module), opsBefore - 6 - (block.centered ? 3 : 0));

  EXPECT_LE(getLargestError((*before)[0], (*after)[0]), wide ? 1e-9 : 1e-4);
}

INSTANTIATE_TEST_SUITE_P(
    Blocks, Rotation,
    testing::Values(Block{"f64", 16, true, 0}, Block{"f64", 12, true, 7},
                    Block{"f64", 28, false, 3}, Block{"f64", 10, true, 1},
                    Block{"f32", 16, true, 1}, Block{"f32", 20, false, 0},
                    Block{"f32", 15, true, 2}),
    [](const testing::TestParamInfo<Block> &info) {
      return info.param.type + (info.param.centered ? "Layer" : "Rms") +
             std::to_string(info.param.channels);
    });

/// The block through a pass, before and after.
static double getErrorOf(const Block &block, std::unique_ptr<mlir::Pass> pass) {
  mlir::OwningOpRef<mlir::ModuleOp> module = parse(BlockWriter(block).write());
  EXPECT_TRUE(module);
  mlir::PassManager fold(module->getContext());
  fold.addNestedPass<mlir::func::FuncOp>(createFoldConstants());
  EXPECT_TRUE(succeeded(fold.run(*module)));
  Tensor x = makeRandom(block.type == "f64" ? DType::f64 : DType::f32,
                        {1, 6, 5}, -2, 2, 3);
  auto before = (*makeInterpreterFactory()(*module))->run({x});
  std::string textBefore, textAfter;
  llvm::raw_string_ostream(textBefore) << *module;
  mlir::PassManager change(module->getContext());
  change.addNestedPass<mlir::func::FuncOp>(std::move(pass));
  EXPECT_TRUE(succeeded(change.run(*module)));
  llvm::raw_string_ostream(textAfter) << *module;
  EXPECT_NE(textBefore, textAfter);
  auto after = (*makeInterpreterFactory()(*module))->run({x});
  EXPECT_TRUE(before.ok() && after.ok());
  return getLargestError((*before)[0], (*after)[0]);
}

TEST(Smoothing, KeepsTheFunctionInBothWidths) {
  FoldSmoothingOptions options;
  options.fromWeights = true;
  EXPECT_LE(getErrorOf({"f64", 16, true, 0}, createFoldSmoothing(options)),
            1e-9);
  EXPECT_LE(getErrorOf({"f64", 15, false, 0}, createFoldSmoothing(options)),
            1e-9);
  EXPECT_LE(getErrorOf({"f32", 16, true, 0}, createFoldSmoothing(options)),
            1e-4);
}

/// conv, relu, depthwise conv with padding, relu, conv, matmul.
static std::string writeConvs(const std::string &type) {
  std::string body;
  auto constant = [&](const std::string &name, const std::string &shape,
                      int64_t count) {
    std::string numbers;
    for (int64_t i = 0; i < count; ++i)
      numbers +=
          (i ? ", " : "") + std::to_string(std::sin(double(i * i) + 1.3) *
                                           std::exp(std::cos(double(i) * 0.7)));
    std::string flat = "tensor<" + std::to_string(count) + "x" + type + ">";
    body += "  %f" + name + " = qg.constant dense<[" + numbers +
            "]> : " + flat + " -> " + flat + "\n  %" + name +
            " = qg.reshape %f" + name + " : " + flat + " -> tensor<" + shape +
            "x" + type + ">\n";
  };
  constant("w", "6x3x3x2", 108);
  constant("b", "6", 6);
  constant("d", "6x3x3x1", 54);
  constant("v", "4x1x1x6", 24);
  constant("u", "4x3", 12);
  auto conv = [&](const std::string &result, const std::string &x,
                  const std::string &w, const std::string &bias,
                  const std::string &groups, const std::string &types) {
    std::string pad = w == "%v" ? "0" : "1";
    body += "  " + result + " = qg.conv " + x + ", " + w + bias +
            " strides [1, 1] pads [" + pad + ", " + pad + ", " + pad + ", " +
            pad + "] dilations [1, 1] groups " + groups + " : " + types + "\n";
  };
  std::string x6 = "tensor<1x5x4x6x" + type + ">";
  conv("%0", "%x", "%w", " bias %b", "1",
       "(tensor<1x5x4x2x" + type + ">, tensor<6x3x3x2x" + type +
           ">, tensor<6x" + type + ">) -> " + x6);
  body += "  %1 = qg.unary relu %0 : " + x6 + " -> " + x6 + "\n";
  conv("%2", "%1", "%d", "", "6",
       "(" + x6 + ", tensor<6x3x3x1x" + type + ">) -> " + x6);
  body += "  %3 = qg.unary relu %2 : " + x6 + " -> " + x6 + "\n";
  std::string x4 = "tensor<1x5x4x4x" + type + ">";
  conv("%4", "%3", "%v", "", "1",
       "(" + x6 + ", tensor<4x1x1x6x" + type + ">) -> " + x4);
  std::string x3 = "tensor<1x5x4x3x" + type + ">";
  body += "  %5 = qg.matmul %4, %u : (" + x4 + ", tensor<4x3x" + type +
          ">) -> " + x3 + "\n";
  return "func.func @main(%x: tensor<1x5x4x2x" + type + ">) -> " + x3 + " {\n" +
         body + "  return %5 : " + x3 + "\n}\n";
}

TEST(Equalization, KeepsTheFunctionThroughEveryKindOfLayer) {
  for (const char *type : {"f64", "f32"}) {
    mlir::OwningOpRef<mlir::ModuleOp> module = parse(writeConvs(type));
    ASSERT_TRUE(module);
    mlir::PassManager fold(module->getContext());
    fold.addNestedPass<mlir::func::FuncOp>(createFoldConstants());
    ASSERT_TRUE(succeeded(fold.run(*module)));
    bool wide = std::string(type) == "f64";
    Tensor x =
        makeRandom(wide ? DType::f64 : DType::f32, {1, 5, 4, 2}, -2, 2, 5);
    auto before = (*makeInterpreterFactory()(*module))->run({x});
    int64_t remarks = 0;
    mlir::ScopedDiagnosticHandler handler(module->getContext(),
                                          [&](mlir::Diagnostic &) {
                                            ++remarks;
                                            return mlir::success();
                                          });
    EqualizeLayersOptions options;
    options.fromWeights = true;
    mlir::PassManager manager(module->getContext());
    manager.addNestedPass<mlir::func::FuncOp>(createEqualizeLayers(options));
    ASSERT_TRUE(succeeded(manager.run(*module)));
    EXPECT_EQ(remarks, 3);
    auto after = (*makeInterpreterFactory()(*module))->run({x});
    ASSERT_TRUE(before.ok() && after.ok());
    EXPECT_LE(getLargestError((*before)[0], (*after)[0]), wide ? 1e-9 : 1e-4);
  }
}

TEST(ChooseTransforms, LearnsARotationThatGainsMoreThanSigns) {
  Block block{"f32", 32, true, 0};
  SampleSource source = [](int64_t index)
      -> absl::StatusOr<std::optional<llvm::SmallVector<Tensor>>> {
    return std::optional(llvm::SmallVector<Tensor>{
        makeRandom(DType::f32, {1, 6, 5}, -1, 1, 100 + index)});
  };
  double sqnr[2];
  for (int64_t steps : {0, 60}) {
    mlir::OwningOpRef<mlir::ModuleOp> module =
        parse(BlockWriter(block).write());
    ASSERT_TRUE(module);
    mlir::PassManager manager(module->getContext());
    manager.addNestedPass<mlir::func::FuncOp>(createFoldConstants());
    manager.addNestedPass<mlir::func::FuncOp>(createFoldBatchNorm());
    ASSERT_TRUE(succeeded(manager.run(*module)));
    ChooseTransformsOptions options;
    options.smooth = false;
    options.weightBits = 4;
    options.learningSteps = steps;
    auto choices =
        chooseTransforms(*module, source, options, makeInterpreterFactory());
    ASSERT_TRUE(choices.ok()) << choices.status().message();
    ASSERT_EQ(choices->size(), 1u);
    sqnr[steps != 0] = choices->front().after;
    EXPECT_EQ(choices->front().setting.find("learned") != std::string::npos,
              steps != 0);
    if (!steps)
      continue;
    // The matrix travels as an attribute and keeps the function.
    Tensor x = makeRandom(DType::f32, {1, 6, 5}, -2, 2, 3);
    auto before = (*makeInterpreterFactory()(*module))->run({x});
    mlir::PassManager fold(module->getContext());
    fold.addNestedPass<mlir::func::FuncOp>(createFoldRotations());
    ASSERT_TRUE(succeeded(fold.run(*module)));
    auto after = (*makeInterpreterFactory()(*module))->run({x});
    ASSERT_TRUE(before.ok() && after.ok());
    EXPECT_LE(getLargestError((*before)[0], (*after)[0]), 1e-4);
  }
  EXPECT_GT(sqnr[1], sqnr[0] + 1);
}

TEST(ChooseTransforms, KeepsWhatGainsOnVectorsThatDidNotChoose) {
  Block block{"f32", 16, true, 0};
  mlir::OwningOpRef<mlir::ModuleOp> module = parse(BlockWriter(block).write());
  ASSERT_TRUE(module);
  auto runPasses = [&](std::vector<std::unique_ptr<mlir::Pass>> passes) {
    mlir::PassManager manager(module->getContext());
    for (auto &pass : passes)
      manager.addNestedPass<mlir::func::FuncOp>(std::move(pass));
    return succeeded(manager.run(*module));
  };
  std::vector<std::unique_ptr<mlir::Pass>> prepare, fold;
  prepare.push_back(createFoldConstants());
  prepare.push_back(createFoldBatchNorm());
  ASSERT_TRUE(runPasses(std::move(prepare)));
  // One feature is an outlier, so that channels differ.
  SampleSource source = [](int64_t index)
      -> absl::StatusOr<std::optional<llvm::SmallVector<Tensor>>> {
    if (index == 40)
      return std::nullopt;
    Tensor x = makeRandom(DType::f32, {1, 6, 5}, -1, 1, 100 + index);
    for (int64_t token = 0; token < 6; ++token)
      x.setFloat(token * 5, 20 * x.getFloat(token * 5));
    return std::optional(llvm::SmallVector<Tensor>{x});
  };
  ChooseTransformsOptions options;
  options.samples = 40;
  auto choices =
      chooseTransforms(*module, source, options, makeInterpreterFactory());
  ASSERT_TRUE(choices.ok()) << choices.status().message();
  // One stream with three normalizations; what a softmax or a gate reads is
  // no site.
  int64_t rotations = 0, smoothings = 0, decided = 0;
  for (const TransformChoice &choice : *choices) {
    EXPECT_EQ(choice.accepted, choice.after - choice.before >= 0.0436)
        << choice.site << " " << choice.setting;
    (choice.transform == "rotation" ? rotations : smoothings)++;
    decided += choice.accepted;
  }
  EXPECT_EQ(rotations, 1);
  EXPECT_EQ(smoothings, 3);
  EXPECT_GT(decided, 0);
  int64_t attributes = 0;
  module->walk([&](mlir::Operation *op) {
    attributes += op->hasAttr("qg.rotation") + op->hasAttr("qg.smoothing");
  });
  EXPECT_EQ(attributes, decided);

  Tensor x = makeRandom(DType::f32, {1, 6, 5}, -2, 2, 3);
  auto before = (*makeInterpreterFactory()(*module))->run({x});
  fold.push_back(createFoldSmoothing());
  fold.push_back(createFoldRotations());
  ASSERT_TRUE(runPasses(std::move(fold)));
  auto after = (*makeInterpreterFactory()(*module))->run({x});
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_LE(getLargestError((*before)[0], (*after)[0]), 1e-4);
}
