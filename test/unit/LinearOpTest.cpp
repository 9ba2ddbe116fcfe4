//===- LinearOpTest.cpp - What linear ops say of themselves ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The methods of LinearOpInterface against the reference semantics: one element
// of the input and one of the weight are set at a time, and where the result is
// not zero tells which channels they belong to and how many products there are.
// A registered linear op without an example here fails the test.
//===----------------------------------------------------------------------===//
#include "RunModule.h"
#include "qopt/Dialect/FXP/IR/FXP.h"

#include "mlir/IR/Verifier.h"
#include <set>

using namespace mlir;
using namespace qopt;
using namespace qopt::test;

static const char *const kExamples = R"mlir(
func.func @conv(%x: tensor<2x4x3x4xf32>, %w: tensor<6x2x1x2xf32>, %b: tensor<6xf32>) -> tensor<2x2x3x6xf32> {
  %y = qg.conv %x, %w bias %b strides [2, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 2 : (tensor<2x4x3x4xf32>, tensor<6x2x1x2xf32>, tensor<6xf32>) -> tensor<2x2x3x6xf32>
  return %y : tensor<2x2x3x6xf32>
}
func.func @padded(%x: tensor<1x4x3xf32>, %w: tensor<2x3x3xf32>) -> tensor<1x4x2xf32> {
  %y = qg.conv %x, %w strides [1] pads [1, 1] dilations [1] groups 1 : (tensor<1x4x3xf32>, tensor<2x3x3xf32>) -> tensor<1x4x2xf32>
  return %y : tensor<1x4x2xf32>
}
func.func @pointwise(%x: tensor<1x5x3xf32>, %w: tensor<2x1x3xf32>) -> tensor<1x5x2xf32> {
  %y = qg.conv %x, %w strides [1] pads [0, 0] dilations [1] groups 1 : (tensor<1x5x3xf32>, tensor<2x1x3xf32>) -> tensor<1x5x2xf32>
  return %y : tensor<1x5x2xf32>
}
func.func @strided(%x: tensor<1x5x3xf32>, %w: tensor<2x1x3xf32>) -> tensor<1x3x2xf32> {
  %y = qg.conv %x, %w strides [2] pads [0, 0] dilations [1] groups 1 : (tensor<1x5x3xf32>, tensor<2x1x3xf32>) -> tensor<1x3x2xf32>
  return %y : tensor<1x3x2xf32>
}
func.func @depthwise(%x: tensor<1x5x3xf32>, %w: tensor<6x2x1xf32>) -> tensor<1x4x6xf32> {
  %y = qg.conv %x, %w strides [1] pads [0, 0] dilations [1] groups 3 : (tensor<1x5x3xf32>, tensor<6x2x1xf32>) -> tensor<1x4x6xf32>
  return %y : tensor<1x4x6xf32>
}
func.func @transposed(%x: tensor<1x3x2x4xf32>, %w: tensor<6x2x3x2xf32>, %b: tensor<6xf32>) -> tensor<1x6x6x6xf32> {
  %y = qg.conv_transpose %x, %w bias %b strides [2, 3] pads [0, 0, 0, 0] dilations [1, 1] output_padding [0, 0] groups 2 : (tensor<1x3x2x4xf32>, tensor<6x2x3x2xf32>, tensor<6xf32>) -> tensor<1x6x6x6xf32>
  return %y : tensor<1x6x6x6xf32>
}
func.func @matmul(%x: tensor<2x3x4xf32>, %w: tensor<4x5xf32>, %b: tensor<5xf32>) -> tensor<2x3x5xf32> {
  %y = qg.matmul %x, %w bias %b : (tensor<2x3x4xf32>, tensor<4x5xf32>, tensor<5xf32>) -> tensor<2x3x5xf32>
  return %y : tensor<2x3x5xf32>
}
func.func @rows(%x: tensor<3x4xf32>, %w: tensor<5x4xf32>) -> tensor<3x5xf32> {
  %y = qg.matmul %x, %w transpose_rhs : (tensor<3x4xf32>, tensor<5x4xf32>) -> tensor<3x5xf32>
  return %y : tensor<3x5xf32>
}
func.func @batches(%x: tensor<2x3x4xf32>, %w: tensor<2x4x5xf32>) -> tensor<2x3x5xf32> {
  %y = qg.matmul %x, %w : (tensor<2x3x4xf32>, tensor<2x4x5xf32>) -> tensor<2x3x5xf32>
  return %y : tensor<2x3x5xf32>
}
func.func @batched_rows(%x: tensor<2x3x4xf32>, %w: tensor<2x5x4xf32>) -> tensor<2x3x5xf32> {
  %y = qg.matmul %x, %w transpose_rhs : (tensor<2x3x4xf32>, tensor<2x5x4xf32>) -> tensor<2x3x5xf32>
  return %y : tensor<2x3x5xf32>
}
func.func @dynamic(%x: tensor<3x4xf32>, %w: tensor<4x5x!qg.q<si8, 0.5 : 0>>, %b: tensor<5xf32>) -> tensor<3x5xf32> {
  %y = qg.dynamic_matmul %x, %w bias %b : (tensor<3x4xf32>, tensor<4x5x!qg.q<si8, 0.5 : 0>>, tensor<5xf32>) -> tensor<3x5xf32>
  return %y : tensor<3x5xf32>
}
func.func @integers(%x: tensor<1x4x4xi8>, %w: tensor<6x3x2xi8>, %b: tensor<6xi32>) -> tensor<1x2x6xi32> {
  %y = fxp.conv %x, %w, %b strides [1] pads [0, 0] dilations [1] groups 2 x_zp 0 x_unsigned : (tensor<1x4x4xi8>, tensor<6x3x2xi8>, tensor<6xi32>) -> tensor<1x2x6xi32>
  return %y : tensor<1x2x6xi32>
}
func.func @product(%x: tensor<3x4xi8>, %w: tensor<5x4xi8>, %b: tensor<5xi32>) -> tensor<3x5xi32> {
  %y = fxp.matmul %x, %w, %b lhs_zp 0 rhs_zp 0 rhs_unsigned transpose_rhs : (tensor<3x4xi8>, tensor<5x4xi8>, tensor<5xi32>) -> tensor<3x5xi32>
  return %y : tensor<3x5xi32>
}
func.func @groups(%x: tensor<3x4xi8>, %w: tensor<5x4xi8>, %s: tensor<5x2xf32>, %b: tensor<5xf32>) -> tensor<3x5xf32> {
  %y = fxp.group_matmul %x, %w, %s, %b group 2 lhs_zp 0 lhs_scale 1.0 : (tensor<3x4xi8>, tensor<5x4xi8>, tensor<5x2xf32>, tensor<5xf32>) -> tensor<3x5xf32>
  return %y : tensor<3x5xf32>
}
func.func @decoded(%x: tensor<3x4xf32>, %w: tensor<5x4xi8>, %s: tensor<5x2xf32>, %b: tensor<5xf32>) -> tensor<3x5xf32> {
  %y = fxp.decode_matmul %x, %w, %s, %b block [1, 2] : (tensor<3x4xf32>, tensor<5x4xi8>, tensor<5x2xf32>, tensor<5xf32>) -> tensor<3x5xf32>
  return %y : tensor<3x5xf32>
})mlir";

namespace {
/// A linear op whose operands are set by role.
class Example {
public:
  explicit Example(LinearOpInterface op) : op(op) {
    for (Value operand : op->getOperands()) {
      RankedTensorType type = getTensorType(operand);
      operands.emplace_back(*qg::getDType(type.getElementType()),
                            type.getShape());
      // What is neither input nor weight nor bias scales the result.
      if (operand != op.getInput() && operand != op.getWeight() &&
          operand != op.getBias())
        fill(operands.back(), 1);
    }
  }

  static void fill(Tensor &tensor, int64_t value) {
    for (int64_t i = 0; i < tensor.numElements(); ++i)
      set(tensor, i, value);
  }
  static void set(Tensor &tensor, int64_t at, int64_t value) {
    if (isFloat(tensor.dtype()))
      tensor.setFloat(at, double(value));
    else
      tensor.setInt(at, value);
  }

  Tensor &at(OpOperand &operand) {
    return operands[operand.getOperandNumber()];
  }
  Tensor &input() { return at(op.getInputOperand()); }
  Tensor &weight() { return at(op.getWeightOperand()); }

  Tensor run() {
    llvm::SmallVector<Tensor> results;
    auto reference = cast<ReferenceOpInterface>(op.getOperation());
    EXPECT_TRUE(succeeded(reference.evaluate(operands, results)));
    return results.front();
  }
  /// Positions where the result is not zero.
  std::vector<int64_t> getNonzero() {
    Tensor result = run();
    std::vector<int64_t> positions;
    for (int64_t i = 0; i < result.numElements(); ++i)
      if (isFloat(result.dtype()) ? result.getFloat(i) != 0
                                  : result.getInt(i) != 0)
        positions.push_back(i);
    return positions;
  }

  LinearOpInterface op;

private:
  llvm::SmallVector<Tensor> operands;
};
} // namespace

/// Calls `check` with the example of every function.
static void forEachExample(llvm::function_ref<void(Example &)> check) {
  auto module = parse(kExamples);
  ASSERT_TRUE(module);
  module->walk([&](LinearOpInterface op) {
    SCOPED_TRACE(op->getParentOfType<func::FuncOp>().getName().str());
    Example example(op);
    check(example);
  });
}

TEST(LinearOp, EveryOpHasAnExample) {
  std::set<std::string> seen;
  forEachExample([&](Example &example) {
    seen.insert(example.op->getName().getStringRef().str());
  });
  for (RegisteredOperationName name : getContext().getRegisteredOperations())
    if (name.hasInterface<LinearOpInterface>())
      EXPECT_TRUE(seen.count(name.getStringRef().str()))
          << name.getStringRef().str() << " has no example in this test";
}

TEST(LinearOp, ChannelsAndProductsAreThoseOfTheSemantics) {
  forEachExample([](Example &example) {
    LinearOpInterface op = example.op;
    Tensor &x = example.input(), &w = example.weight();
    int64_t channels = x.shape().back(), outputs = op.countOutputs();
    ASSERT_EQ(getShape(op->getResult(0)).back(), outputs);
    LinearGeometry geometry = op.getLinearGeometry();
    EXPECT_EQ(w.shape()[geometry.outputAxis], outputs);
    EXPECT_EQ(w.shape()[geometry.inputAxis] * geometry.groups, channels);
    WeightChannels position(op);
    int64_t products = 0;
    for (int64_t i = 0; i < w.numElements(); ++i) {
      Example::set(w, i, 1);
      for (int64_t k = 0; k < x.numElements(); ++k) {
        Example::set(x, k, 1);
        for (int64_t at : example.getNonzero()) {
          EXPECT_EQ(position.getOutput(i), at % outputs);
          EXPECT_EQ(position.getInput(i), k % channels);
          ++products;
        }
        Example::set(x, k, 0);
      }
      Example::set(w, i, 0);
    }
    // Taps outside the input are counted, but give no product.
    if (geometry.isPadded())
      EXPECT_LT(products, op.countMacs());
    else
      EXPECT_EQ(products, op.countMacs());
  });
}

TEST(LinearOp, BiasesAreByResultChannel) {
  forEachExample([](Example &example) {
    OpOperand *bias = example.op.getBiasOperand();
    if (!bias)
      return;
    int64_t outputs = example.op.countOutputs();
    for (int64_t o = 0; o < outputs; ++o) {
      Example::set(example.at(*bias), o, 1);
      std::vector<int64_t> nonzero = example.getNonzero();
      EXPECT_FALSE(nonzero.empty());
      for (int64_t at : nonzero)
        EXPECT_EQ(at % outputs, o);
      Example::set(example.at(*bias), o, 0);
    }
  });
}

/// Whether the same constant reaches every position of a result channel.
static bool isConstantByChannel(const Tensor &result) {
  int64_t channels = result.shape().back();
  for (int64_t i = channels; i < result.numElements(); ++i)
    if (result.getFloat(i) != result.getFloat(i % channels))
      return false;
  return true;
}

TEST(LinearOp, OffsetsPassUnlessPadded) {
  forEachExample([](Example &example) {
    Tensor &w = example.weight();
    for (int64_t i = 0; i < w.numElements(); ++i)
      Example::set(w, i, 1 + i % 7 + 3 * (i % 2));
    Example::fill(example.input(), 1);
    EXPECT_EQ(isConstantByChannel(example.run()), example.op.passesOffsets());
  });
}

TEST(LinearOp, KindsFollowFromTheGeometry) {
  auto check = [](llvm::StringRef name, llvm::StringRef facts) {
    auto module = parse(kExamples);
    auto function = module->lookupSymbol<func::FuncOp>(name);
    LinearOpInterface op = *function.getOps<LinearOpInterface>().begin();
    std::string has;
    if (op.isConvolution())
      has += "convolution ";
    if (op.isDepthwise())
      has += "depthwise ";
    if (op.isChannelMatrix())
      has += "matrix ";
    if (op.canHaveGroups())
      has += "groups ";
    if (op.isShared())
      has += "shared ";
    if (op.roundsInput())
      has += "rounds ";
    if (op.canComputeWeight())
      has += "computed ";
    EXPECT_EQ(llvm::StringRef(has).rtrim().str(), facts.str()) << name.str();
  };
  check("conv", "convolution shared");
  check("padded", "convolution shared");
  check("pointwise", "convolution matrix groups shared");
  check("strided", "convolution matrix shared");
  check("depthwise", "convolution depthwise shared");
  check("transposed", "shared");
  check("matmul", "matrix groups shared computed");
  check("batches", "groups computed");
  check("dynamic", "matrix groups shared rounds");
  check("integers", "convolution shared");
  check("groups", "matrix groups shared");
}

TEST(LinearOp, OperandsAreSetByRole) {
  forEachExample([](Example &example) {
    LinearOpInterface op = example.op;
    auto function = op->getParentOfType<func::FuncOp>();
    // A weight that computes the same from another place.
    OpBuilder builder(op);
    Value weight = op.getWeight();
    Value copy =
        qg::ReshapeOp::create(builder, op.getLoc(), weight.getType(), weight);
    op.setWeight(copy);
    EXPECT_EQ(op.getWeight(), copy);
    if (Value bias = op.getBias()) {
      op.setBias(bias);
      EXPECT_EQ(op.getBias(), bias);
    } else {
      auto type =
          RankedTensorType::get({op.countOutputs()}, builder.getF32Type());
      Value added = qg::createConstant(
          builder, op.getLoc(), Tensor(DType::f32, type.getShape()), type);
      op.setBias(added);
      EXPECT_EQ(op.getBias(), added);
    }
    EXPECT_TRUE(succeeded(mlir::verify(function)));
  });
}

TEST(StoredOperands, NameAttributesThatExist) {
  // Values of every op that computes with stored integers, signed and unsigned.
  auto module = parse(R"mlir(
    func.func @main(%x: tensor<3x4xi8>, %w: tensor<5x4xi8>, %b: tensor<5xi32>) -> tensor<3x4xi8> {
      %0 = fxp.matmul %x, %w, %b lhs_zp 7 lhs_unsigned rhs_zp 3 transpose_rhs : (tensor<3x4xi8>, tensor<5x4xi8>, tensor<5xi32>) -> tensor<3x5xi32>
      %1 = fxp.add %x, %x scales [5.000000e-01, 2.500000e-01] zps [128, 11] zp 3 clamp [0, 255] lhs_unsigned unsigned mode <f32> : (tensor<3x4xi8>, tensor<3x4xi8>) -> tensor<3x4xi8>
      return %1 : tensor<3x4xi8>
    })mlir");
  ASSERT_TRUE(module);
  module->walk([](StoredOperandsInterface op) {
    auto rows = op.getStoredValues();
    if (isa<fxp::MatmulOp>(op)) {
      ASSERT_EQ(rows.size(), 2u);
      EXPECT_EQ(op.getZeroPoint(rows[0]), 7);
      EXPECT_EQ(op.getZeroPoint(rows[1]), 3);
      EXPECT_TRUE(op.isUnsigned(rows[0]));
      EXPECT_FALSE(op.isUnsigned(rows[1]));
      return;
    }
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_EQ(op.getZeroPoint(rows[0]), 128);
    EXPECT_EQ(op.getZeroPoint(rows[1]), 11);
    EXPECT_EQ(op.getZeroPoint(rows[2]), 3);
    EXPECT_EQ(rows[2].clamp, "clamp");
    EXPECT_TRUE(op.isUnsigned(rows[2]));
  });
}
