//===- ReferenceTest.cpp - Reference semantics against plain code ---------===//
// SPDX-License-Identifier: Apache-2.0
//
// Ops that every engine is compared with through the interpreter must be right
// themselves: values worked out by hand or by loops that share no code.
//===----------------------------------------------------------------------===//
#include "RunModule.h"

#include <cmath>
#include <limits>

using namespace qopt;
using namespace qopt::test;

template <typename T>
static void expectValues(const Tensor &tensor, std::vector<T> expected) {
  llvm::ArrayRef<T> span = tensor.span<T>();
  EXPECT_EQ(std::vector<T>(span.begin(), span.end()), expected);
}

static Tensor makeRange(int64_t n) {
  Tensor tensor(DType::f32, {n});
  for (int64_t i = 0; i < n; ++i)
    tensor.setFloat(i, i);
  return tensor;
}

TEST(Reference, SumHasSixteenLanesAndATree) {
  Tensor x = makeRandom(DType::f32, {53}, -1e4, 1e4, 3);
  x.setFloat(7, 1e9); // The order shows.
  float lanes[16] = {};
  for (int64_t i = 0; i < 53; ++i)
    lanes[i % 16] += x.span<float>()[i];
  for (int64_t half : {8, 4, 2, 1})
    for (int64_t i = 0; i < half; ++i)
      lanes[i] += lanes[i + half];
  auto y = run(R"mlir(func.func @main(%x: tensor<53xf32>) -> tensor<f32> {
    %y = qg.reduce sum %x axes [0] : tensor<53xf32> -> tensor<f32>
    return %y : tensor<f32>
  })mlir",
               {x});
  expectValues<float>(y[0], {lanes[0]});
}

TEST(Reference, SoftmaxIsCloseToTheDefinition) {
  Tensor x = makeRandom(DType::f32, {3, 21}, -9, 9, 5);
  auto y =
      run(R"mlir(func.func @main(%x: tensor<3x21xf32>) -> tensor<3x21xf32> {
    %y = qg.softmax %x : tensor<3x21xf32> -> tensor<3x21xf32>
    return %y : tensor<3x21xf32>
  })mlir",
          {x});
  for (int64_t row = 0; row < 3; ++row) {
    double sum = 0;
    for (int64_t i = 0; i < 21; ++i)
      sum += std::exp(x.getFloat(row * 21 + i));
    for (int64_t i = 0; i < 21; ++i) {
      double expected = std::exp(x.getFloat(row * 21 + i)) / sum;
      EXPECT_NEAR(y[0].getFloat(row * 21 + i), expected, 1e-6 * expected);
    }
  }
}

TEST(Reference, PoolsIgnoreWhatIsOutside) {
  auto x = makeTensor<float>(DType::f32, {1, 2, 2, 1}, {-1, -2, -3, -6});
  auto y = run(
      R"mlir(func.func @main(%x: tensor<1x2x2x1xf32>) -> (tensor<1x2x2x1xf32>, tensor<1x2x2x1xf32>, tensor<1x2x2x1xf32>) {
    %a = qg.pool max %x kernel [2, 2] strides [1, 1] pads [1, 1, 0, 0] dilations [1, 1] : tensor<1x2x2x1xf32> -> tensor<1x2x2x1xf32>
    %b = qg.pool avg %x kernel [2, 2] strides [1, 1] pads [1, 1, 0, 0] dilations [1, 1] : tensor<1x2x2x1xf32> -> tensor<1x2x2x1xf32>
    %c = qg.pool avg %x kernel [2, 2] strides [1, 1] pads [1, 1, 0, 0] dilations [1, 1] count_include_pad : tensor<1x2x2x1xf32> -> tensor<1x2x2x1xf32>
    return %a, %b, %c : tensor<1x2x2x1xf32>, tensor<1x2x2x1xf32>, tensor<1x2x2x1xf32>
  })mlir",
      {x});
  expectValues<float>(y[0], {-1, -1, -1, -1});
  expectValues<float>(y[1], {-1, -1.5, -2, -3});
  expectValues<float>(y[2], {-0.25, -0.75, -1, -3});
}

TEST(Reference, MovesElements) {
  auto y = run(
      R"mlir(func.func @main(%x: tensor<4xf32>) -> (tensor<7xf32>, tensor<7xf32>, tensor<7xf32>, tensor<4xf32>, tensor<2xf32>, tensor<3xf32>, tensor<8xf32>) {
    %a = qg.pad reflect %x low [2] high [1] : (tensor<4xf32>) -> tensor<7xf32>
    %b = qg.pad edge %x low [2] high [1] : (tensor<4xf32>) -> tensor<7xf32>
    %c = qg.pad wrap %x low [2] high [1] : (tensor<4xf32>) -> tensor<7xf32>
    %d = qg.pad constant %x low [-1] high [1] : (tensor<4xf32>) -> tensor<4xf32>
    %e = qg.slice %x offsets [3] strides [-2] : tensor<4xf32> -> tensor<2xf32>
    %i = qg.constant dense<[-1, 0, 2]> : tensor<3xi64> -> tensor<3xi64>
    %f = qg.gather %x, %i axis 0 : (tensor<4xf32>, tensor<3xi64>) -> tensor<3xf32>
    %g = qg.concat %x, %d axis 0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
    return %a, %b, %c, %d, %e, %f, %g : tensor<7xf32>, tensor<7xf32>, tensor<7xf32>, tensor<4xf32>, tensor<2xf32>, tensor<3xf32>, tensor<8xf32>
  })mlir",
      {makeRange(4)});
  expectValues<float>(y[0], {2, 1, 0, 1, 2, 3, 2});
  expectValues<float>(y[1], {0, 0, 0, 1, 2, 3, 3});
  expectValues<float>(y[2], {2, 3, 0, 1, 2, 3, 0});
  expectValues<float>(y[3], {1, 2, 3, 0});
  expectValues<float>(y[4], {3, 1});
  expectValues<float>(y[5], {3, 0, 2});
  expectValues<float>(y[6], {0, 1, 2, 3, 1, 2, 3, 0});
}

TEST(Reference, ArgReduceTakesTheFirstOrTheLastOrNan) {
  float nan = std::numeric_limits<float>::quiet_NaN();
  auto x = makeTensor<float>(DType::f32, {2, 4}, {1, 5, 5, 1, 9, nan, 2, nan});
  auto y = run(
      R"mlir(func.func @main(%x: tensor<2x4xf32>) -> (tensor<2xi64>, tensor<4xi64>) {
    %a = qg.arg_reduce max %x axis 1 : tensor<2x4xf32> -> tensor<2xi64>
    %b = qg.arg_reduce min %x axis 0 : tensor<2x4xf32> -> tensor<4xi64>
    return %a, %b : tensor<2xi64>, tensor<4xi64>
  })mlir",
      {x});
  expectValues<int64_t>(y[0], {1, 1});
  expectValues<int64_t>(y[1], {0, 1, 1, 1});
  auto z = run(R"mlir(func.func @main(%x: tensor<4xf32>) -> tensor<i64> {
    %a = qg.arg_reduce max %x axis 0 select_last : tensor<4xf32> -> tensor<i64>
    return %a : tensor<i64>
  })mlir",
               {makeTensor<float>(DType::f32, {4}, {1, 5, 5, 1})});
  expectValues<int64_t>(z[0], {2});
}

TEST(Reference, TopKTakesTheFirstOfEqualsAndNanAsTheGreatest) {
  float nan = std::numeric_limits<float>::quiet_NaN();
  auto x = makeTensor<float>(DType::f32, {6}, {1, nan, -0.0f, 5, 0, 5});
  auto y = run(
      R"mlir(func.func @main(%x: tensor<6xf32>) -> (tensor<4xi64>, tensor<6xi64>, tensor<0xi64>) {
    %a = qg.top_k max %x axis 0 : tensor<6xf32> -> tensor<4xi64>
    %b = qg.top_k min %x axis 0 : tensor<6xf32> -> tensor<6xi64>
    %c = qg.top_k min %x axis 0 : tensor<6xf32> -> tensor<0xi64>
    return %a, %b, %c : tensor<4xi64>, tensor<6xi64>, tensor<0xi64>
  })mlir",
      {x});
  expectValues<int64_t>(y[0], {1, 3, 5, 0});
  expectValues<int64_t>(y[1], {2, 4, 0, 3, 5, 1});
}

TEST(Reference, SuppressKeepsTheFirstOfBoxesThatOverlap) {
  // Boxes 0 and 1 share 0.8 of 1.2; box 2 is invalid; box 3 has no area; box 4
  // is box 0 with its corners exchanged; box 5 touches box 0.
  auto boxes = makeTensor<float>(
      DType::f32, {6, 4},
      {0, 0, 1, 1, 0, 0.2f, 1, 1.2f, 9, 9, 8, 8, 0, 0, 0, 1,
       1, 1, 0, 0, 1, 0, 2, 1});
  auto valid = makeTensor<uint8_t>(DType::b1, {6}, {1, 1, 0, 1, 1, 1});
  auto overlap = makeTensor<float>(DType::f32, {}, {0.5f});
  auto keep = [&](int64_t limit) {
    return run(
        R"mlir(func.func @main(%b: tensor<6x4xf32>, %v: tensor<6xi1>, %o: tensor<f32>, %l: tensor<i64>) -> tensor<6xi1> {
    %k = qg.suppress %b, %v, %o, %l : (tensor<6x4xf32>, tensor<6xi1>, tensor<f32>, tensor<i64>) -> tensor<6xi1>
    return %k : tensor<6xi1>
  })mlir",
        {boxes, valid, overlap,
         makeTensor<int64_t>(DType::i64, {}, {limit})})[0];
  };
  expectValues<uint8_t>(keep(6), {1, 0, 0, 1, 0, 1});
  expectValues<uint8_t>(keep(2), {1, 0, 0, 1, 0, 0});
  expectValues<uint8_t>(keep(0), {0, 0, 0, 0, 0, 0});
}

TEST(Reference, CastsTruncateSaturateAndWrap) {
  float inf = std::numeric_limits<float>::infinity();
  auto x =
      makeTensor<float>(DType::f32, {5}, {-1.9f, 300, -inf, inf - inf, 2.5});
  auto y = run(
      R"mlir(func.func @main(%x: tensor<5xf32>, %i: tensor<3xi32>) -> (tensor<5xi8>, tensor<5xui8>, tensor<3xi8>, tensor<3xi1>) {
    %a = qg.cast %x : tensor<5xf32> -> tensor<5xi8>
    %b = qg.cast %x : tensor<5xf32> -> tensor<5xui8>
    %c = qg.cast %i : tensor<3xi32> -> tensor<3xi8>
    %d = qg.cast %i : tensor<3xi32> -> tensor<3xi1>
    return %a, %b, %c, %d : tensor<5xi8>, tensor<5xui8>, tensor<3xi8>, tensor<3xi1>
  })mlir",
      {x, makeTensor<int32_t>(DType::i32, {3}, {0, 256, 200})});
  expectValues<int8_t>(y[0], {-1, 127, -128, 0, 2});
  expectValues<uint8_t>(y[1], {0, 255, 0, 0, 2});
  expectValues<int8_t>(y[2], {0, 0, -56});
  expectValues<uint8_t>(y[3], {0, 1, 1});
}

TEST(Reference, IntegerPoolsAndSumsAreExact) {
  // Stored bytes 1, 255, 3, 128 as unsigned numbers; the zero point is 2.
  auto x = makeTensor<int8_t>(DType::i8, {1, 2, 2, 1}, {1, -1, 3, -128});
  auto y = run(
      R"mlir(func.func @main(%x: tensor<1x2x2x1xi8>) -> (tensor<1x1x1x1xi8>, tensor<1x1x1x1xi8>, tensor<1x1x1x1xi32>, tensor<1x2x1xi32>) {
    %a = fxp.max_pool %x kernel [2, 2] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] x_unsigned : tensor<1x2x2x1xi8> -> tensor<1x1x1x1xi8>
    %b = fxp.max_pool %x kernel [2, 2] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x2x2x1xi8> -> tensor<1x1x1x1xi8>
    %c = fxp.sum_pool %x kernel [2, 2] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] x_zp 2 x_unsigned : tensor<1x2x2x1xi8> -> tensor<1x1x1x1xi32>
    %d = fxp.sum %x axes [1] x_zp 2 : tensor<1x2x2x1xi8> -> tensor<1x2x1xi32>
    return %a, %b, %c, %d : tensor<1x1x1x1xi8>, tensor<1x1x1x1xi8>, tensor<1x1x1x1xi32>, tensor<1x2x1xi32>
  })mlir",
      {x});
  expectValues<int8_t>(y[0], {-1});
  expectValues<int8_t>(y[1], {3});
  expectValues<int32_t>(y[2], {1 + 255 + 3 + 128 - 4 * 2});
  expectValues<int32_t>(y[3], {1 + 3 - 4, -1 - 128 - 4});
}

TEST(Reference, TablesReadTheByteAsUnsigned) {
  std::string table;
  for (int i = 0; i < 256; ++i)
    table += (i ? ", " : "") + std::to_string((i * 7 + 3) % 256 - 128);
  auto y = run("func.func @main(%x: tensor<4xi8>) -> tensor<4xi8> {\n"
               "  %y = fxp.lut %x table dense<[" +
                   table +
                   "]> : tensor<256xi8> : tensor<4xi8> -> tensor<4xi8>\n"
                   "  return %y : tensor<4xi8>\n}",
               {makeTensor<int8_t>(DType::i8, {4}, {0, 1, -1, -128})});
  auto get = [](int i) { return int8_t((i * 7 + 3) % 256 - 128); };
  expectValues<int8_t>(y[0], {get(0), get(1), get(255), get(128)});
}

TEST(Reference, SoftmaxOfBytesRoundsHalfUp) {
  // Entries 4, 2, 1, then nothing: rows sum up to 4 + 4, 4 + 1 + 2, 4 + 0 + 0.
  std::string table = "4, 2, 1";
  for (int i = 3; i < 256; ++i)
    table += ", 0";
  auto y = run("func.func @main(%x: tensor<3x3xi8>) -> (tensor<3x3xi8>, "
               "tensor<3x3xi8>) {\n"
               "  %y = fxp.softmax %x table dense<[" +
                   table +
                   "]> : tensor<256xi32> zp -128 clamp [-128, 127] : "
                   "tensor<3x3xi8> -> tensor<3x3xi8>\n"
                   "  %z = fxp.softmax %x table dense<[" +
                   table +
                   "]> : tensor<256xi32> x_unsigned zp 0 clamp [0, 255] "
                   "unsigned : tensor<3x3xi8> -> tensor<3x3xi8>\n"
                   "  return %y, %z : tensor<3x3xi8>, tensor<3x3xi8>\n}",
               {makeTensor<int8_t>(DType::i8, {3, 3},
                                   {5, 5, -128, 2, 0, 1, 127, -128, 0})});
  // 256 * 4/7 = 146.3, 36.6, 73.1; a certain one saturates. Read as unsigned,
  // -128 is one more than 127 and the largest of the first row.
  expectValues<int8_t>(y[0], {0, 0, -128, 18, -91, -55, 127, -128, -128});
  expectValues<int8_t>(y[1], {0, 0, -1, -110, 37, 73, 85, -85, 0});
}

TEST(Reference, ConcatRoundsIntoTheEncodingOfTheResult) {
  auto a = makeTensor<uint8_t>(DType::u8, {3}, {0, 3, 255});
  auto b = makeTensor<uint8_t>(DType::u8, {3}, {0, 129, 131});
  auto y = run(
      R"mlir(func.func @main(%a: tensor<3x!qg.q<ui8, 0.5 : 0>>, %b: tensor<3x!qg.q<ui8, 0.25 : 128>>) -> tensor<6x!qg.q<ui8, 0.5 : 10>> {
    %c = qg.concat %a, %b axis 0 : (tensor<3x!qg.q<ui8, 0.5 : 0>>, tensor<3x!qg.q<ui8, 0.25 : 128>>) -> tensor<6x!qg.q<ui8, 0.5 : 10>>
    return %c : tensor<6x!qg.q<ui8, 0.5 : 10>>
  })mlir",
      {a, b});
  // -128 / 2 + 10 < 0; 0.5 rounds to 0 and 1.5 to 2.
  expectValues<uint8_t>(y[0], {10, 13, 255, 0, 10, 12});
}
