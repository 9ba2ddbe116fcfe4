//===- KernelTest.cpp - Kernels against the formulas of fxp ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Every dot product this machine can run, on shapes that leave rests in every
// dimension, compared bit by bit.
//===----------------------------------------------------------------------===//
#include "KernelJit.h"
#include "RunModule.h"
#include "qopt/Dialect/FXP/IR/FXP.h"

#include "mlir/Parser/Parser.h"
#include "llvm/TargetParser/Host.h"
#include <cmath>
#include <cstring>
#include <random>

using namespace mlir;
using namespace qopt;
using namespace qopt::test;

namespace {
struct ConvCase {
  std::vector<int64_t> x, weight; ///< [N, s..., C], [O, k..., C/groups]
  std::vector<int64_t> strides, pads, dilations;
  int64_t groups = 1;
  int64_t zeroPoint = 128;
  bool isUnsigned = true;
  bool residual = false;
};

int64_t productOf(ArrayRef<int64_t> shape) { return getNumElements(shape); }

template <typename T>
int64_t countDifferences(const Tensor &a, const Tensor &b) {
  int64_t count = 0;
  for (auto [x, y] : llvm::zip_equal(a.span<T>(), b.span<T>()))
    count += std::memcmp(&x, &y, sizeof(T)) != 0;
  return count;
}

template <typename T, typename Draw>
Tensor fill(DType dtype, ArrayRef<int64_t> shape, Draw draw) {
  Tensor tensor(dtype, shape);
  for (T &value : tensor.mutableSpan<T>())
    value = draw();
  return tensor;
}

std::vector<int64_t> resultShape(const ConvCase &c) {
  std::vector<int64_t> shape{c.x[0]};
  size_t spatial = c.x.size() - 2;
  for (size_t d = 0; d < spatial; ++d)
    shape.push_back((c.x[1 + d] + c.pads[d] + c.pads[spatial + d] -
                     c.dilations[d] * (c.weight[1 + d] - 1) - 1) /
                        c.strides[d] +
                    1);
  shape.push_back(c.weight[0]);
  return shape;
}

/// The window formula over 2-D positions (1-D ones have height 1); calls
/// `product(out, x or -1, weight)` in index order of (kh, kw, c).
template <typename Start, typename Step>
void forEachProduct(const ConvCase &given, Start start, Step step) {
  ConvCase c = given;
  if (c.x.size() == 3) {
    c.x.insert(c.x.begin() + 1, 1);
    c.weight.insert(c.weight.begin() + 1, 1);
    c.strides.insert(c.strides.begin(), 1);
    c.dilations.insert(c.dilations.begin(), 1);
    c.pads = {0, c.pads[0], 0, c.pads[1]};
  }
  std::vector<int64_t> y = resultShape(c);
  int64_t inputs = c.weight[3], perGroup = c.weight[0] / c.groups;
  int64_t out = 0;
  for (int64_t n = 0; n < y[0]; ++n)
    for (int64_t h = 0; h < y[1]; ++h)
      for (int64_t w = 0; w < y[2]; ++w)
        for (int64_t o = 0; o < y[3]; ++o, ++out) {
          start(out, o);
          for (int64_t kh = 0; kh < c.weight[1]; ++kh)
            for (int64_t kw = 0; kw < c.weight[2]; ++kw) {
              int64_t ih = h * c.strides[0] + kh * c.dilations[0] - c.pads[0];
              int64_t iw = w * c.strides[1] + kw * c.dilations[1] - c.pads[1];
              if (ih < 0 || ih >= c.x[1] || iw < 0 || iw >= c.x[2])
                continue;
              for (int64_t i = 0; i < inputs; ++i)
                step(out,
                     ((n * c.x[1] + ih) * c.x[2] + iw) * c.x[3] +
                         o / perGroup * inputs + i,
                     ((o * c.weight[1] + kh) * c.weight[2] + kw) * inputs + i);
            }
        }
}

RankedTensorType typeOf(OpBuilder &b, const Tensor &tensor) {
  return RankedTensorType::get(
      tensor.shape(), qg::getStorageElementType(
                          qg::getElementType(b.getContext(), tensor.dtype())));
}

Value constant(OpBuilder &b, const Tensor &tensor) {
  return qg::createConstant(b, b.getUnknownLoc(), tensor, typeOf(b, tensor));
}

/// A module with an empty @main; the builder is left inside.
OwningOpRef<ModuleOp> makeMain(OpBuilder &b, TypeRange inputs, Type result) {
  auto module = ModuleOp::create(b.getUnknownLoc());
  b.setInsertionPointToEnd(module.getBody());
  auto main = func::FuncOp::create(b, b.getUnknownLoc(), "main",
                                   b.getFunctionType(inputs, result));
  b.setInsertionPointToEnd(main.addEntryBlock());
  return module;
}

class KernelFixture : public ::testing::Test {
protected:
  void start(const std::string &given) {
    features = given;
    context = makeContext();
  }

  void checkBytes(const ConvCase &c);
  void checkFloats(const ConvCase &c);

  std::string features;
  std::unique_ptr<MLIRContext> context;
  std::mt19937 random{42};
};

/// What this machine lacks of a list of features.
std::string findMissing(const std::string &features) {
  auto host = llvm::sys::getHostCPUFeatures();
  llvm::SmallVector<llvm::StringRef> parts;
  llvm::StringRef(features).split(parts, ',', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef part : parts)
    if (!host.lookup(part.drop_front()))
      return part.str();
  return "";
}

/// One test per set of features, also of other machines.
class Kernels : public KernelFixture,
                public ::testing::WithParamInterface<std::string> {
protected:
  void SetUp() override {
    std::string missing = findMissing(GetParam());
    if (!missing.empty())
      GTEST_SKIP() << "needs a machine with " << missing;
    start(GetParam());
  }
};

/// One test per shape and set of features that this machine has.
class KernelShapes
    : public KernelFixture,
      public ::testing::WithParamInterface<std::tuple<std::string, unsigned>> {
protected:
  void SetUp() override { start(std::get<0>(GetParam())); }
};
class FloatKernelShapes : public KernelShapes {};

int64_t roundIntoRange(float x, int64_t zeroPoint) {
  double rounded = std::nearbyint(double(x)) + double(zeroPoint);
  return int64_t(std::min(std::max(rounded, 0.0), 255.0));
}
} // namespace

void KernelFixture::checkBytes(const ConvCase &c) {
  std::uniform_int_distribution<int> byte(-128, 127), wide(-5000, 5000);
  std::uniform_real_distribution<float> real(0.5f, 1.5f);
  auto draw = [&] { return byte(random); };
  std::vector<int64_t> shape = resultShape(c);
  int64_t channels = c.weight[0];
  Tensor x = fill<int8_t>(DType::i8, c.x, draw);
  Tensor weight = fill<int8_t>(DType::i8, c.weight, draw);
  Tensor residual = fill<int8_t>(DType::i8, shape, draw);
  Tensor bias =
      fill<int32_t>(DType::i32, {channels}, [&] { return wide(random); });
  float size = 100.0f / (73.0f * 73.0f *
                         std::sqrt(float(productOf(c.weight) / channels)));
  Tensor scales =
      fill<float>(DType::f32, {channels}, [&] { return size * real(random); });

  Tensor expected(DType::i8, shape);
  std::vector<int32_t> acc(productOf(shape));
  forEachProduct(
      c, [&](int64_t out, int64_t o) { acc[out] = bias.span<int32_t>()[o]; },
      [&](int64_t out, int64_t xi, int64_t wi) {
        int8_t value = x.span<int8_t>()[xi];
        int32_t read = c.isUnsigned ? int32_t(uint8_t(value)) : value;
        acc[out] += (read - int32_t(c.zeroPoint)) * weight.span<int8_t>()[wi];
      });
  float addScales[2] = {0.75f, 0.3f};
  for (int64_t i = 0; i < int64_t(acc.size()); ++i) {
    int64_t y =
        roundIntoRange(float(acc[i]) * scales.span<float>()[i % channels], 100);
    if (c.residual) {
      float right =
          float(int32_t(residual.span<int8_t>()[i]) + 3) * addScales[1];
      y = roundIntoRange(std::fma(float(y - 100), addScales[0], right), 9);
    }
    expected.mutableSpan<int8_t>()[i] = int8_t(y);
  }

  OpBuilder b(context.get());
  Location loc = b.getUnknownLoc();
  auto i8Result = RankedTensorType::get(shape, b.getI8Type());
  auto i32Result = RankedTensorType::get(shape, b.getI32Type());
  OwningOpRef<ModuleOp> module =
      makeMain(b, {typeOf(b, x), i8Result}, i8Result);
  Block *body = b.getInsertionBlock();
  Value product = fxp::ConvOp::create(b, loc, i32Result, body->getArgument(0),
                                      constant(b, weight), constant(b, bias),
                                      c.strides, c.pads, c.dilations, c.groups,
                                      c.zeroPoint, c.isUnsigned);
  auto mode = fxp::RequantizeModeAttr::get(context.get(), "f32", 0);
  ElementsAttr scalesAttr = qg::getElementsAttr(scales, typeOf(b, scales));
  Value y = fxp::RequantizeOp::create(
      b, loc, i8Result, product, scalesAttr, /*x_zp=*/0, /*x_unsigned=*/false,
      /*zp=*/100, ArrayRef<int64_t>{0, 255}, /*is_unsigned=*/true, mode);
  if (c.residual)
    y = fxp::AddOp::create(b, loc, i8Result, y, body->getArgument(1),
                           ArrayRef<float>(addScales),
                           ArrayRef<int64_t>{100, -3}, /*zp=*/9,
                           ArrayRef<int64_t>{0, 255}, /*lhs_unsigned=*/true,
                           /*rhs_unsigned=*/false, /*is_unsigned=*/true, mode);
  func::ReturnOp::create(b, loc, y);
  ASSERT_TRUE(succeeded(module->verify()));
  auto jit = KernelJit::compile(*module, features);
  ASSERT_TRUE(jit);
  EXPECT_EQ(jit->numKernels, 1);
  Tensor result(DType::i8, shape);
  jit->run({x, residual}, result);
  EXPECT_EQ(countDifferences<int8_t>(result, expected), 0);
}

void KernelFixture::checkFloats(const ConvCase &c) {
  std::normal_distribution<float> normal;
  auto draw = [&] { return normal(random); };
  std::vector<int64_t> shape = resultShape(c);
  Tensor x = fill<float>(DType::f32, c.x, draw);
  Tensor weight = fill<float>(DType::f32, c.weight, draw);
  Tensor bias = fill<float>(DType::f32, {c.weight[0]}, draw);
  Tensor expected(DType::f32, shape);
  auto sums = expected.mutableSpan<float>();
  forEachProduct(
      c, [&](int64_t out, int64_t o) { sums[out] = bias.span<float>()[o]; },
      [&](int64_t out, int64_t xi, int64_t wi) {
        sums[out] =
            std::fma(x.span<float>()[xi], weight.span<float>()[wi], sums[out]);
      });

  OpBuilder b(context.get());
  auto type = RankedTensorType::get(shape, b.getF32Type());
  OwningOpRef<ModuleOp> module = makeMain(b, typeOf(b, x), type);
  Value y = qg::ConvOp::create(
      b, b.getUnknownLoc(), type, b.getInsertionBlock()->getArgument(0),
      constant(b, weight), constant(b, bias), c.strides, c.pads, c.dilations,
      c.groups, DenseI64ArrayAttr());
  func::ReturnOp::create(b, b.getUnknownLoc(), y);
  ASSERT_TRUE(succeeded(module->verify()));
  auto jit = KernelJit::compile(*module, features);
  ASSERT_TRUE(jit);
  EXPECT_EQ(jit->numKernels, 1);
  Tensor result(DType::f32, shape);
  jit->run({x}, result);
  EXPECT_EQ(countDifferences<float>(result, expected), 0);
}

static std::vector<ConvCase> oddCases() {
  return {
      // Channels that leave rests; runs that packs do not divide.
      {{1, 7, 17, 3}, {5, 3, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}},
      {{1, 9, 9, 3}, {16, 3, 3, 3}, {2, 2}, {0, 0, 1, 1}, {1, 1}},
      {{2, 7, 7, 17}, {33, 3, 3, 17}, {1, 1}, {1, 1, 1, 1}, {1, 1}},
      {{2, 5, 7, 16}, {24, 1, 1, 16}, {1, 1}, {0, 0, 0, 0}, {1, 1}},
      {{2, 5, 7, 17}, {1, 1, 1, 17}, {1, 1}, {0, 0, 0, 0}, {1, 1}},
      {{1, 8, 8, 16}, {7, 1, 1, 16}, {2, 2}, {0, 0, 0, 0}, {1, 1}},
      // Dilations, one-sided pads, tall and flat windows, one channel.
      {{1, 11, 13, 4}, {8, 3, 3, 4}, {1, 2}, {2, 0, 2, 3}, {2, 2}},
      {{1, 9, 12, 5}, {9, 5, 1, 5}, {1, 1}, {2, 0, 2, 0}, {1, 1}},
      {{1, 49, 10, 1}, {64, 10, 4, 1}, {2, 2}, {4, 1, 5, 1}, {1, 1}},
      {{1, 6, 6, 1}, {3, 1, 1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}},
      {{1, 1, 1, 64}, {10, 1, 1, 64}, {1, 1}, {0, 0, 0, 0}, {1, 1}},
      {{1, 1, 1, 100}, {200, 1, 1, 100}, {1, 1}, {0, 0, 0, 0}, {1, 1}},
      // Groups: few channels each, depthwise, multiplied depthwise.
      {{1, 7, 7, 12}, {18, 3, 3, 4}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 3},
      {{1, 7, 7, 6}, {8, 3, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 2},
      {{2, 7, 9, 17}, {17, 3, 3, 1}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 17},
      {{1, 8, 9, 40}, {40, 3, 3, 1}, {2, 2}, {0, 0, 1, 1}, {1, 1}, 40},
      {{1, 8, 9, 8}, {8, 5, 3, 1}, {1, 1}, {2, 1, 2, 1}, {1, 1}, 8},
      {{1, 5, 5, 3}, {6, 3, 3, 1}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 3},
      // One spatial dimension.
      {{2, 17, 6}, {7, 3, 6}, {2}, {1, 1}, {1}},
      {{1, 17, 7}, {7, 5, 1}, {1}, {2, 2}, {1}, 7},
      // Many pixels, many channels: full tiles and several panels.
      {{1, 24, 24, 32}, {48, 3, 3, 32}, {1, 1}, {1, 1, 1, 1}, {1, 1}},
      // Products around the widths of registers and of dot products.
      {{1, 1, 3, 1}, {1, 1, 1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}},
      {{1, 1, 5, 3}, {7, 1, 1, 3}, {1, 1}, {0, 0, 0, 0}, {1, 1}},
      {{1, 1, 7, 5}, {8, 1, 1, 5}, {1, 1}, {0, 0, 0, 0}, {1, 1}},
      {{1, 1, 9, 31}, {15, 1, 1, 31}, {1, 1}, {0, 0, 0, 0}, {1, 1}},
      {{1, 1, 6, 33}, {17, 1, 1, 33}, {1, 1}, {0, 0, 0, 0}, {1, 1}},
      {{1, 3, 3, 65}, {31, 1, 1, 65}, {1, 1}, {0, 0, 0, 0}, {1, 1}},
      {{1, 4, 4, 7}, {65, 2, 2, 7}, {1, 1}, {0, 0, 0, 0}, {1, 1}},
  };
}

/// "x1_7_17_3_w5_3_3_3": the shapes in the names of tests.
static std::string nameShapes(const ConvCase &c) {
  std::string name = "x";
  for (int64_t extent : c.x)
    name += std::to_string(extent) + "_";
  name += "w";
  for (int64_t extent : c.weight)
    name += std::to_string(extent) + "_";
  return name + "g" + std::to_string(c.groups);
}

TEST_P(KernelShapes, Bytes) { checkBytes(oddCases()[std::get<1>(GetParam())]); }

/// Signed inputs, zero points that vanish, and a sum behind every other
/// product.
TEST_P(KernelShapes, SignsZeroPointsAndResiduals) {
  unsigned number = std::get<1>(GetParam());
  ConvCase c = oddCases()[number];
  c.isUnsigned = number % 3 == 0;
  c.zeroPoint = number % 2 ? 0 : -7 + 50 * c.isUnsigned;
  c.residual = number % 4 < 3;
  checkBytes(c);
}

/// Float sums are defined by fused multiply-adds.
TEST_P(FloatKernelShapes, Floats) {
  checkFloats(oddCases()[std::get<1>(GetParam())]);
}

/// The kernel of a module given as text against the interpreter.
static void compareWithInterpreter(StringRef text, ArrayRef<Tensor> inputs,
                                   const std::string &features) {
  Tensor expected = run(text, inputs)[0];
  auto context = makeContext();
  OwningOpRef<ModuleOp> module =
      parseSourceString<ModuleOp>(text, context.get());
  ASSERT_TRUE(module);
  auto jit = KernelJit::compile(*module, features);
  ASSERT_TRUE(jit);
  EXPECT_EQ(jit->numKernels, 1);
  Tensor result(expected.dtype(), expected.shape());
  jit->run(inputs, result);
  EXPECT_EQ(std::memcmp(result.data(), expected.data(), result.numBytes()), 0);
}

TEST_P(Kernels, FixedPointModesInTheEpilogue) {
  compareWithInterpreter(
      R"(func.func @main(%x: tensor<5x19xi8> {qg.name = "x"},
           %r: tensor<5x11xi8> {qg.name = "r"}) -> (tensor<5x11xi8> {qg.name = "y"}) {
        %w = qg.constant dense<3> : tensor<19x11xi8> -> tensor<19x11xi8>
        %b = qg.constant dense<-77> : tensor<11xi32> -> tensor<11xi32>
        %a = fxp.matmul %x, %w, %b lhs_zp 5 lhs_unsigned rhs_zp 1
             : (tensor<5x19xi8>, tensor<19x11xi8>, tensor<11xi32>) -> tensor<5x11xi32>
        %q = fxp.requantize %a scales dense<[1.0e-2, 2.0e-2, 3.0e-2, 4.0e-2,
               5.0e-2, 6.0e-2, 7.0e-2, 8.0e-2, 9.0e-2, 1.0e-1, 1.1e-1]> : tensor<11xf32>
             x_zp 0 zp -3 clamp [-128, 127] mode <"fixed", 31> : tensor<5x11xi32> -> tensor<5x11xi8>
        %y = fxp.add %r, %q scales [0.3, 0.7] zps [1, -3] zp 3
             clamp [0, 200] lhs_unsigned unsigned mode <"fixed", 17>
             : (tensor<5x11xi8>, tensor<5x11xi8>) -> tensor<5x11xi8>
        return %y : tensor<5x11xi8>
      })",
      {makeRandom(DType::i8, {5, 19}, -128, 127, 1),
       makeRandom(DType::i8, {5, 11}, -128, 127, 2)},
      GetParam());
}

TEST_P(Kernels, FloatFunctionsInTheEpilogue) {
  if (GetParam().find("fma") == std::string::npos)
    GTEST_SKIP() << "float sums are defined by fused multiply-adds";
  compareWithInterpreter(
      R"(func.func @main(%x: tensor<5x19xf32> {qg.name = "x"},
           %r: tensor<5x11xf32> {qg.name = "r"}) -> (tensor<5x11xf32> {qg.name = "y"}) {
        %w = qg.constant dense<0.3> : tensor<19x11xf32> -> tensor<19x11xf32>
        %c = qg.constant dense<[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 1.0, 1.1]> : tensor<11xf32> -> tensor<11xf32>
        %six = qg.constant dense<6.0> : tensor<f32> -> tensor<f32>
        %a = qg.matmul %x, %w : (tensor<5x19xf32>, tensor<19x11xf32>) -> tensor<5x11xf32>
        %d = qg.binary div %c, %a : (tensor<11xf32>, tensor<5x11xf32>) -> tensor<5x11xf32>
        %e = qg.binary add %d, %r : (tensor<5x11xf32>, tensor<5x11xf32>) -> tensor<5x11xf32>
        %f = qg.unary relu %e : tensor<5x11xf32> -> tensor<5x11xf32>
        %g = qg.binary min %f, %six : (tensor<5x11xf32>, tensor<f32>) -> tensor<5x11xf32>
        %y = qg.unary exp %g : tensor<5x11xf32> -> tensor<5x11xf32>
        return %y : tensor<5x11xf32>
      })",
      {makeRandom(DType::f32, {5, 19}, -2, 2, 1),
       makeRandom(DType::f32, {5, 11}, -2, 2, 2)},
      GetParam());
}

namespace {
/// A product of bytes, as text around its operands.
struct ProductCase {
  const char *op, *attributes;
  llvm::SmallVector<int64_t> x;
  const char *weight;
  llvm::SmallVector<int64_t> result;
};
} // namespace

static std::string replaceAll(std::string text, StringRef name,
                              const std::string &value) {
  for (size_t at; (at = text.find(name)) != std::string::npos;)
    text.replace(at, name.size(), value);
  return text;
}

/// x * clip(x + 3, 0, 6) / 6 plus a residual, from accumulators to bytes.
static std::string makeRegion(const ProductCase &c) {
  int64_t channels = c.result.back();
  std::string scales, zps;
  for (int64_t i = 0; i < channels; ++i)
    scales += (i ? ", " : "") + std::to_string(0.0007 + 0.0001 * double(i));
  for (int64_t i = 0; i < channels; ++i)
    zps += i ? ", 0" : "0";
  auto join = [](ArrayRef<int64_t> shape) {
    std::string text;
    for (int64_t extent : shape)
      text += std::to_string(extent) + "x";
    return text;
  };
  std::string text = R"(
    func.func @main(%x: tensor<$Xi8> {qg.name = "x"}, %r: tensor<$Yi8> {qg.name = "r"})
        -> (tensor<$Yi8> {qg.name = "y"}) {
      %three = qg.constant dense<3.0> : tensor<f32> -> tensor<f32>
      %six = qg.constant dense<6.0> : tensor<f32> -> tensor<f32>
      %zero = qg.constant dense<0.0> : tensor<f32> -> tensor<f32>
      %w = qg.constant dense<-3> : tensor<$Wxi8> -> tensor<$Wxi8>
      %b = qg.constant dense<500> : tensor<$Cxi32> -> tensor<$Cxi32>
      %a = $OP %x, %w, %b $ATTRIBUTES : (tensor<$Xi8>, tensor<$Wxi8>, tensor<$Cxi32>) -> tensor<$Yi32>
      %f = fxp.dequantize %a scales dense<[$SCALES]> : tensor<$Cxf32> zps [$ZPS] axis $AXIS
           : tensor<$Yi32> -> tensor<$Yf32>
      %p = qg.binary add %f, %three : (tensor<$Yf32>, tensor<f32>) -> tensor<$Yf32>
      %q = qg.binary max %p, %zero : (tensor<$Yf32>, tensor<f32>) -> tensor<$Yf32>
      %s = qg.binary min %q, %six : (tensor<$Yf32>, tensor<f32>) -> tensor<$Yf32>
      %t = qg.binary mul %f, %s : (tensor<$Yf32>, tensor<$Yf32>) -> tensor<$Yf32>
      %u = qg.binary div %t, %six : (tensor<$Yf32>, tensor<f32>) -> tensor<$Yf32>
      %d = fxp.dequantize %r scales dense<0.05> : tensor<1xf32> zps [9] axis 0 x_unsigned
           : tensor<$Yi8> -> tensor<$Yf32>
      %v = qg.binary add %u, %d : (tensor<$Yf32>, tensor<$Yf32>) -> tensor<$Yf32>
      %y = fxp.quantize %v scales dense<0.03> : tensor<1xf32> zps [31] axis 0
           clamp [0, 255] unsigned : tensor<$Yf32> -> tensor<$Yi8>
      return %y : tensor<$Yi8>
    })";
  text = replaceAll(text, "$ATTRIBUTES", c.attributes);
  text = replaceAll(text, "$AXIS", std::to_string(c.result.size() - 1));
  text = replaceAll(text, "$SCALES", scales);
  text = replaceAll(text, "$ZPS", zps);
  text = replaceAll(text, "$OP", c.op);
  text = replaceAll(text, "$X", join(c.x));
  text = replaceAll(text, "$Y", join(c.result));
  text = replaceAll(text, "$W", c.weight);
  return replaceAll(text, "$C", std::to_string(channels));
}

/// Float functions and residuals behind bytes, in every family of kernels.
TEST_P(Kernels, FloatRegionsBehindBytes) {
  const char *padded = "strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] "
                       "groups 1 x_zp 100 x_unsigned";
  const char *plain = "strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] "
                      "groups 1 x_zp 100 x_unsigned";
  const char *depthwise = "strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] "
                          "groups 19 x_zp 100 x_unsigned";
  const ProductCase cases[] = {
      {"fxp.conv", padded, {1, 7, 9, 3}, "21x3x3x3", {1, 7, 9, 21}},
      {"fxp.conv", padded, {1, 5, 6, 16}, "24x3x3x16", {1, 5, 6, 24}},
      {"fxp.conv", plain, {1, 7, 7, 20}, "33x1x1x20", {1, 7, 7, 33}},
      {"fxp.conv", depthwise, {1, 6, 7, 19}, "19x3x3x1", {1, 6, 7, 19}},
      {"fxp.conv",
       "strides [2, 1, 1] pads [1, 1, 1, 1, 1, 1] dilations [1, 1, 1] "
       "groups 1 x_zp 100 x_unsigned",
       {1, 5, 6, 7, 5},
       "21x3x3x3x5",
       {1, 3, 6, 7, 21}},
      {"fxp.conv",
       "strides [1, 1, 1] pads [0, 0, 1, 2, 1, 0] dilations [2, 1, 1] "
       "groups 19 x_zp 100 x_unsigned",
       {2, 4, 4, 6, 19},
       "19x2x2x2x1",
       {2, 4, 4, 6, 19}},
      {"fxp.matmul",
       "lhs_zp 100 lhs_unsigned rhs_zp 0",
       {5, 40},
       "40x11",
       {5, 11}},
  };
  for (const ProductCase &c : cases) {
    SCOPED_TRACE(std::string(c.op) + " " + c.weight);
    compareWithInterpreter(makeRegion(c),
                           {makeRandom(DType::i8, c.x, -128, 127, 1),
                            makeRandom(DType::i8, c.result, -128, 127, 2)},
                           GetParam());
  }
}

static std::vector<std::string> getFeatures() {
  return {"", "+avx2", "+avx2,+fma", "+avx2,+fma,+avxvnni",
          "+avx2,+fma,+avx512f,+avx512bw,+avx512vl,+avx512vnni"};
}

/// The sets that this machine has; for floats those with fused multiply-adds.
static std::vector<std::string> getRunnable(bool withFMA) {
  std::vector<std::string> sets;
  for (const std::string &features : getFeatures())
    if (findMissing(features).empty() &&
        (!withFMA || features.find("fma") != std::string::npos))
      sets.push_back(features);
  return sets;
}

static std::string nameFeatures(const std::string &features) {
  std::string name = features.empty() ? "plain" : features;
  for (char &c : name)
    c = isalnum(c) ? c : '_';
  return name;
}

static std::string
nameShapeTest(const ::testing::TestParamInfo<KernelShapes::ParamType> &info) {
  return nameFeatures(std::get<0>(info.param)) + "_" +
         nameShapes(oddCases()[std::get<1>(info.param)]) + "_" +
         std::to_string(std::get<1>(info.param));
}

INSTANTIATE_TEST_SUITE_P(Features, Kernels, ::testing::ValuesIn(getFeatures()),
                         [](const auto &info) {
                           return nameFeatures(info.param);
                         });
INSTANTIATE_TEST_SUITE_P(
    OddShapes, KernelShapes,
    ::testing::Combine(::testing::ValuesIn(getRunnable(/*withFMA=*/false)),
                       ::testing::Range(0u, unsigned(oddCases().size()))),
    nameShapeTest);
INSTANTIATE_TEST_SUITE_P(
    OddShapes, FloatKernelShapes,
    ::testing::Combine(::testing::ValuesIn(getRunnable(/*withFMA=*/true)),
                       ::testing::Range(0u, unsigned(oddCases().size()))),
    nameShapeTest);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(FloatKernelShapes);
