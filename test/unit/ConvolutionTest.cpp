//===- ConvolutionTest.cpp - Reference convolutions and products ----------===//
// SPDX-License-Identifier: Apache-2.0
//
// Against loops written from the formula of the op description, bit by bit.
//===----------------------------------------------------------------------===//
#include "RunModule.h"

#include <cmath>

using namespace qopt;
using namespace qopt::test;

namespace {
struct Geometry {
  int64_t height, width, channels, outputs, kernel, stride, padBegin, padEnd,
      dilation, groups;

  int64_t extent(int64_t input) const {
    return (input + padBegin + padEnd - dilation * (kernel - 1) - 1) / stride +
           1;
  }
};
} // namespace

/// y[p, o] by the formula; `accumulate(acc, x, w)` is one step.
template <typename T, typename Step>
static std::vector<T> convolveNaively(const Geometry &g, const T *x, const T *w,
                                      const T *bias, Step step) {
  std::vector<T> out;
  int64_t inGroup = g.channels / g.groups, outGroup = g.outputs / g.groups;
  for (int64_t py = 0; py < g.extent(g.height); ++py)
    for (int64_t px = 0; px < g.extent(g.width); ++px)
      for (int64_t o = 0; o < g.outputs; ++o) {
        T acc = bias[o];
        for (int64_t ky = 0; ky < g.kernel; ++ky)
          for (int64_t kx = 0; kx < g.kernel; ++kx)
            for (int64_t c = 0; c < inGroup; ++c) {
              int64_t y = py * g.stride + ky * g.dilation - g.padBegin;
              int64_t z = px * g.stride + kx * g.dilation - g.padBegin;
              if (y < 0 || y >= g.height || z < 0 || z >= g.width)
                continue;
              int64_t channel = o / outGroup * inGroup + c;
              acc =
                  step(acc, x[(y * g.width + z) * g.channels + channel],
                       w[((o * g.kernel + ky) * g.kernel + kx) * inGroup + c]);
            }
        out.push_back(acc);
      }
  return out;
}

static std::string list(int64_t a, int64_t b) {
  return "[" + std::to_string(a) + ", " + std::to_string(b) + "]";
}

static std::string formatConv(const Geometry &g, const std::string &op,
                              const std::string &x, const std::string &w,
                              const std::string &b, const std::string &y,
                              const std::string &attributes) {
  auto shape = [](std::initializer_list<int64_t> extents) {
    std::string text = "tensor<";
    for (int64_t extent : extents)
      text += std::to_string(extent) + "x";
    return text;
  };
  std::string tx = shape({1, g.height, g.width, g.channels}) + x + ">";
  std::string tw =
      shape({g.outputs, g.kernel, g.kernel, g.channels / g.groups}) + w + ">";
  std::string tb = shape({g.outputs}) + b + ">";
  std::string ty =
      shape({1, g.extent(g.height), g.extent(g.width), g.outputs}) + y + ">";
  std::string pads =
      "[" + std::to_string(g.padBegin) + ", " + std::to_string(g.padBegin) +
      ", " + std::to_string(g.padEnd) + ", " + std::to_string(g.padEnd) + "]";
  return "func.func @main(%x: " + tx + ", %w: " + tw + ", %b: " + tb + ") -> " +
         ty + " {\n  %y = " + op + " strides " + list(g.stride, g.stride) +
         " pads " + pads + " dilations " + list(g.dilation, g.dilation) +
         " groups " + std::to_string(g.groups) + " " + attributes + " : (" +
         tx + ", " + tw + ", " + tb + ") -> " + ty + "\n  return %y : " + ty +
         "\n}";
}

// height width channels outputs kernel stride pads dilation groups
static const Geometry kGeometries[] = {
    {5, 7, 3, 17, 3, 1, 1, 1, 1, 1},  {8, 8, 4, 33, 3, 2, 0, 1, 1, 1},
    {7, 7, 6, 6, 3, 1, 1, 1, 1, 6},   {9, 6, 4, 8, 3, 2, 2, 2, 2, 2},
    {1, 1, 16, 40, 1, 1, 0, 0, 1, 1}, {6, 6, 8, 8, 5, 1, 2, 2, 1, 4}};

TEST(Convolution, FloatInIndexOrderWithFusedSteps) {
  for (const Geometry &g : kGeometries) {
    Tensor x =
        makeRandom(DType::f32, {1, g.height, g.width, g.channels}, -3, 3, 1);
    Tensor w = makeRandom(
        DType::f32, {g.outputs, g.kernel, g.kernel, g.channels / g.groups}, -1,
        1, 2);
    Tensor b = makeRandom(DType::f32, {g.outputs}, -1, 1, 3);
    auto results = run(
        formatConv(g, "qg.conv %x, %w bias %b", "f32", "f32", "f32", "f32", ""),
        {x, w, b});
    ASSERT_EQ(results.size(), 1u);
    auto expected = convolveNaively<float>(
        g, x.span<float>().data(), w.span<float>().data(),
        b.span<float>().data(),
        [](float acc, float a, float c) { return std::fma(a, c, acc); });
    EXPECT_EQ(results[0].span<float>(), llvm::ArrayRef<float>(expected));
  }
}

TEST(Convolution, IntegerSkipsPadding) {
  for (const Geometry &g : kGeometries) {
    Tensor x =
        makeRandom(DType::i8, {1, g.height, g.width, g.channels}, -128, 127, 4);
    Tensor w = makeRandom(
        DType::i8, {g.outputs, g.kernel, g.kernel, g.channels / g.groups}, -128,
        127, 5);
    Tensor b = makeRandom(DType::i32, {g.outputs}, -1e5, 1e5, 6);
    auto results = run(formatConv(g, "fxp.conv %x, %w, %b", "i8", "i8", "i32",
                                  "i32", "x_zp 131 x_unsigned"),
                       {x, w, b});
    ASSERT_EQ(results.size(), 1u);
    std::vector<int32_t> wideX, wideW;
    for (int8_t v : x.span<int8_t>())
      wideX.push_back(int32_t(uint8_t(v)) - 131);
    for (int8_t v : w.span<int8_t>())
      wideW.push_back(v);
    auto expected = convolveNaively<int32_t>(
        g, wideX.data(), wideW.data(), b.span<int32_t>().data(),
        [](int32_t acc, int32_t a, int32_t c) { return acc + a * c; });
    EXPECT_EQ(results[0].span<int32_t>(), llvm::ArrayRef<int32_t>(expected));
  }
}

TEST(Convolution, EncodingsThroughTheIntegers) {
  for (const Geometry &g : kGeometries) {
    Tensor x =
        makeRandom(DType::u8, {1, g.height, g.width, g.channels}, 0, 255, 7);
    Tensor w = makeRandom(
        DType::i8, {g.outputs, g.kernel, g.kernel, g.channels / g.groups}, -128,
        127, 8);
    Tensor b = makeRandom(DType::f32, {g.outputs}, -4, 4, 9);
    auto results =
        run(formatConv(g, "qg.conv %x, %w bias %b", "!qg.q<ui8, 0.02 : 131>",
                       "!qg.q<si8, 0.01 : 0>", "f32", "!qg.q<si8, 0.3 : -5>",
                       "clamp [-5, 100]"),
            {x, w, b});
    ASSERT_EQ(results.size(), 1u);
    std::vector<int32_t> wideX, wideW, wideB;
    for (uint8_t v : x.span<uint8_t>())
      wideX.push_back(int32_t(v) - 131);
    for (int8_t v : w.span<int8_t>())
      wideW.push_back(v);
    for (float v : b.span<float>())
      wideB.push_back(
          int32_t(std::nearbyint(double(v) / (double(0.02f) * double(0.01f)))));
    auto acc = convolveNaively<int32_t>(
        g, wideX.data(), wideW.data(), wideB.data(),
        [](int32_t sum, int32_t a, int32_t c) { return sum + a * c; });
    float scale = float(double(0.02f) * double(0.01f) / double(0.3f));
    for (size_t i = 0; i < acc.size(); ++i) {
      float rounded = std::nearbyint(float(acc[i]) * scale) - 5;
      int expected = int(std::min(std::max(rounded, -5.0f), 100.0f));
      EXPECT_EQ(results[0].getInt(i), expected);
    }
  }
}

/// The scatter form: input position i adds to i * stride + k - pad.
TEST(Convolution, TransposedIsTheGradient) {
  Tensor x = makeRandom(DType::i8, {1, 3, 4, 2}, -9, 9, 10);
  Tensor w = makeRandom(DType::i8, {4, 3, 3, 1}, -9, 9, 11);
  Tensor xf(DType::f32, x.shape()), wf(DType::f32, w.shape());
  for (int64_t i = 0; i < x.numElements(); ++i)
    xf.setFloat(i, x.getFloat(i));
  for (int64_t i = 0; i < w.numElements(); ++i)
    wf.setFloat(i, w.getFloat(i));
  auto results = run(R"mlir(
    func.func @main(%x: tensor<1x3x4x2xf32>, %w: tensor<4x3x3x1xf32>) -> tensor<1x6x8x4xf32> {
      %y = qg.conv_transpose %x, %w strides [2, 2] pads [1, 1, 0, 0]
           dilations [1, 1] output_padding [0, 0] groups 2
           : (tensor<1x3x4x2xf32>, tensor<4x3x3x1xf32>) -> tensor<1x6x8x4xf32>
      return %y : tensor<1x6x8x4xf32>
    })mlir",
                     {xf, wf});
  ASSERT_EQ(results.size(), 1u);
  std::vector<float> expected(6 * 8 * 4, 0);
  for (int64_t iy = 0; iy < 3; ++iy)
    for (int64_t ix = 0; ix < 4; ++ix)
      for (int64_t o = 0; o < 4; ++o)
        for (int64_t ky = 0; ky < 3; ++ky)
          for (int64_t kx = 0; kx < 3; ++kx) {
            int64_t py = iy * 2 + ky - 1, px = ix * 2 + kx - 1;
            if (py < 0 || py >= 6 || px < 0 || px >= 8)
              continue;
            expected[(py * 8 + px) * 4 + o] +=
                xf.getFloat((iy * 4 + ix) * 2 + o / 2) *
                wf.getFloat((o * 3 + ky) * 3 + kx);
          }
  EXPECT_EQ(results[0].span<float>(), llvm::ArrayRef<float>(expected));
}

TEST(Convolution, MatmulTransposedRhsIsTheSame) {
  Tensor a = makeRandom(DType::f32, {2, 3, 19}, -1, 1, 12);
  Tensor w = makeRandom(DType::f32, {19, 37}, -1, 1, 13);
  Tensor b = makeRandom(DType::f32, {37}, -1, 1, 14);
  Tensor wt(DType::f32, {37, 19});
  for (int64_t k = 0; k < 19; ++k)
    for (int64_t n = 0; n < 37; ++n)
      wt.setFloat(n * 19 + k, w.getFloat(k * 37 + n));
  auto plain = run(R"mlir(
    func.func @main(%a: tensor<2x3x19xf32>, %w: tensor<19x37xf32>, %b: tensor<37xf32>) -> tensor<2x3x37xf32> {
      %y = qg.matmul %a, %w bias %b : (tensor<2x3x19xf32>, tensor<19x37xf32>, tensor<37xf32>) -> tensor<2x3x37xf32>
      return %y : tensor<2x3x37xf32>
    })mlir",
                   {a, w, b});
  auto transposed = run(R"mlir(
    func.func @main(%a: tensor<2x3x19xf32>, %w: tensor<37x19xf32>, %b: tensor<37xf32>) -> tensor<2x3x37xf32> {
      %y = qg.matmul %a, %w bias %b transpose_rhs : (tensor<2x3x19xf32>, tensor<37x19xf32>, tensor<37xf32>) -> tensor<2x3x37xf32>
      return %y : tensor<2x3x37xf32>
    })mlir",
                        {a, wt, b});
  ASSERT_EQ(plain.size(), 1u);
  ASSERT_EQ(transposed.size(), 1u);
  EXPECT_EQ(plain[0].span<float>(), transposed[0].span<float>());
  for (int64_t m = 0; m < 6; ++m)
    for (int64_t n = 0; n < 37; ++n) {
      float acc = b.span<float>()[n];
      for (int64_t k = 0; k < 19; ++k)
        acc = std::fma(a.span<float>()[m * 19 + k], w.span<float>()[k * 37 + n],
                       acc);
      EXPECT_EQ(plain[0].span<float>()[m * 37 + n], acc);
    }
}
