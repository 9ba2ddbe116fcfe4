//===- QGToFXPTest.cpp - The integer form computes the same bits ----------===//
// SPDX-License-Identifier: Apache-2.0
//
// A module is run before and after convert-qg-to-fxp on random bytes; every
// result must agree in every bit.
//===----------------------------------------------------------------------===//
#include "RunModule.h"
#include "qopt/Conversion/Passes.h"
#include "qopt/Dialect/QG/IR/QG.h"

#include "mlir/Pass/PassManager.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::test;

/// Bytes of a tensor as i8, whatever their signedness.
static Tensor toSigned(const Tensor &tensor) {
  return tensor.dtype() == DType::u8 ? tensor.bitcast(DType::i8) : tensor;
}

static void expectSameBits(StringRef text) {
  OwningOpRef<ModuleOp> module = parse(text);
  ASSERT_TRUE(module);
  auto main = module->lookupSymbol<func::FuncOp>("main");
  SmallVector<Tensor> inputs, signedInputs;
  for (Type type : main.getArgumentTypes()) {
    auto tensor = cast<RankedTensorType>(type);
    DType dtype = *qg::getDType(tensor.getElementType());
    double low = dtype == DType::u8 ? 0 : dtype == DType::i8 ? -128 : -3;
    double high = dtype == DType::u8 ? 255 : dtype == DType::i8 ? 127 : 3;
    inputs.push_back(makeRandom(dtype, tensor.getShape(), low, high, 7));
    signedInputs.push_back(toSigned(inputs.back()));
  }
  auto before = interpret(main, inputs);
  ASSERT_TRUE(before.ok()) << before.status().message();
  PassManager manager(&getContext());
  manager.addPass(createConvertQGToFXP());
  ASSERT_TRUE(succeeded(manager.run(*module)));
  module->walk([](Operation *op) {
    for (Value result : op->getResults())
      EXPECT_FALSE(qg::getQuantizedType(result.getType()));
  });
  auto after =
      interpret(module->lookupSymbol<func::FuncOp>("main"), signedInputs);
  ASSERT_TRUE(after.ok()) << after.status().message();
  ASSERT_EQ(before->size(), after->size());
  for (auto [a, b] : llvm::zip(*before, *after)) {
    ASSERT_EQ(a.numBytes(), b.numBytes());
    EXPECT_EQ(0, std::memcmp(a.data(), b.data(), a.numBytes()));
  }
}

TEST(QGToFXP, Convolution) {
  for (StringRef pads : {"0, 0, 0, 0", "1, 1, 1, 1"}) {
    std::string extent = pads.starts_with("0") ? "2x2" : "4x4";
    expectSameBits((R"mlir(
  func.func @main(%x: tensor<1x4x4x2x!qg.q<ui8, 0.037 : 121>>) -> (tensor<1x)mlir" +
                    extent + R"mlir(x3x!qg.q<ui8, 0.11 : 17>>, tensor<1x)mlir" +
                    extent + R"mlir(x3xf32>) {
    %w = qg.constant dense<[[[[1, -2], [3, 4], [5, 6]], [[7, -8], [9, 10], [11, -12]], [[13, 14], [15, 16], [17, 18]]],
                            [[[-1, -2], [3, 4], [5, 6]], [[7, -8], [9, 10], [11, -12]], [[13, 14], [-127, 16], [17, 18]]],
                            [[[1, 2], [3, 4], [-5, -6]], [[7, -8], [9, 10], [11, -12]], [[13, 14], [15, 16], [17, 127]]]]>
      : tensor<3x3x3x2xi8> -> tensor<3x3x3x2x!qg.q<si8, axis = 0, dense_resource<ws> : tensor<3xf32>>>
    %b = qg.constant dense<[0.3, -0.7, 1.1]> : tensor<3xf32> -> tensor<3xf32>
    %y = qg.conv %x, %w bias %b strides [1, 1] pads [)mlir" +
                    pads + R"mlir(] dilations [1, 1] groups 1 clamp [17, 200]
      : (tensor<1x4x4x2x!qg.q<ui8, 0.037 : 121>>, tensor<3x3x3x2x!qg.q<si8, axis = 0, dense_resource<ws> : tensor<3xf32>>>, tensor<3xf32>) -> tensor<1x)mlir" +
                    extent + R"mlir(x3x!qg.q<ui8, 0.11 : 17>>
    %z = qg.conv %x, %w bias %b strides [1, 1] pads [)mlir" +
                    pads + R"mlir(] dilations [1, 1] groups 1
      : (tensor<1x4x4x2x!qg.q<ui8, 0.037 : 121>>, tensor<3x3x3x2x!qg.q<si8, axis = 0, dense_resource<ws> : tensor<3xf32>>>, tensor<3xf32>) -> tensor<1x)mlir" +
                    extent + R"mlir(x3xf32>
    return %y, %z : tensor<1x)mlir" +
                    extent + R"mlir(x3x!qg.q<ui8, 0.11 : 17>>, tensor<1x)mlir" +
                    extent + R"mlir(x3xf32>
  }
  {-# dialect_resources: { builtin: { ws: "0x04000000CDCCCC3DCDCC4C3E8FC2F53C" } } #-})mlir")
                       .str());
  }
}

TEST(QGToFXP, TransposedConvolution) {
  // Kernel = stride, overlapping windows, and cropping with output padding.
  struct Case {
    const char *kernel, *attributes, *extent;
  };
  for (Case c : {Case{"2x2",
                      "strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] "
                      "output_padding [0, 0]",
                      "6x8"},
                 Case{"3x3",
                      "strides [2, 2] pads [1, 1, 1, 1] dilations [1, 1] "
                      "output_padding [1, 1]",
                      "6x8"},
                 Case{"2x2",
                      "strides [1, 2] pads [1, 1, 1, 1] dilations [1, 1] "
                      "output_padding [0, 0]",
                      "2x6"}}) {
    std::string row = std::string("[[5, -6], [7, 8]");
    if (StringRef(c.kernel) == "3x3")
      row = "[[5, -6], [7, 8], [9, -10]";
    std::string kernel = "[" + row + "], " + row + "]";
    if (StringRef(c.kernel) == "3x3")
      kernel += ", " + row + "]";
    kernel += "]";
    std::string weight = std::string("tensor<1x") + c.kernel + "x2x";
    expectSameBits(
        "func.func @main(%x: tensor<1x3x4x2x!qg.q<ui8, 0.037 : 121>>) -> "
        "(tensor<1x" +
        std::string(c.extent) +
        "x1x!qg.q<si8, 0.2 : -3>>, "
        "tensor<1x" +
        c.extent +
        "x1xf32>) {\n"
        "%w = qg.constant dense<[" +
        kernel + "]> : " + weight + "i8> -> " + weight +
        "!qg.q<si8, 0.05 : 0>>\n"
        "%b = qg.constant dense<0.7> : tensor<1xf32> -> tensor<1xf32>\n"
        "%y = qg.conv_transpose %x, %w bias %b " +
        c.attributes +
        " groups 1 : (tensor<1x3x4x2x!qg.q<ui8, 0.037 : 121>>, " + weight +
        "!qg.q<si8, 0.05 : 0>>, tensor<1xf32>) -> tensor<1x" + c.extent +
        "x1x!qg.q<si8, 0.2 : -3>>\n"
        "%z = qg.conv_transpose %x, %w " +
        c.attributes +
        " groups 1 : (tensor<1x3x4x2x!qg.q<ui8, 0.037 : 121>>, " + weight +
        "!qg.q<si8, 0.05 : 0>>) -> tensor<1x" + c.extent +
        "x1xf32>\n"
        "return %y, %z : tensor<1x" +
        c.extent + "x1x!qg.q<si8, 0.2 : -3>>, tensor<1x" + c.extent +
        "x1xf32>\n}");
  }
}

TEST(QGToFXP, Matmul) {
  expectSameBits(R"mlir(
  func.func @main(%x: tensor<2x3x!qg.q<ui8, 0.037 : 121>>, %a: tensor<3x2x!qg.q<si8, 0.05 : 9>>)
      -> (tensor<2x2x!qg.q<ui8, 0.11 : 17>>, tensor<2x2xf32>, tensor<2x2x!qg.q<ui8, 0.2 : 100>>) {
    %w = qg.constant dense<[[1, -2], [3, 4], [-127, 6]]> : tensor<3x2xi8> -> tensor<3x2x!qg.q<si8, axis = 1, dense_resource<ws> : tensor<2xf32>>>
    %b = qg.constant dense<[12, -7]> : tensor<2xi32> -> tensor<2x!qg.q<si32, 0.001 : 0>>
    %y = qg.matmul %x, %w bias %b : (tensor<2x3x!qg.q<ui8, 0.037 : 121>>, tensor<3x2x!qg.q<si8, axis = 1, dense_resource<ws> : tensor<2xf32>>>, tensor<2x!qg.q<si32, 0.001 : 0>>) -> tensor<2x2x!qg.q<ui8, 0.11 : 17>>
    %z = qg.matmul %x, %w : (tensor<2x3x!qg.q<ui8, 0.037 : 121>>, tensor<3x2x!qg.q<si8, axis = 1, dense_resource<ws> : tensor<2xf32>>>) -> tensor<2x2xf32>
    %v = qg.matmul %x, %a : (tensor<2x3x!qg.q<ui8, 0.037 : 121>>, tensor<3x2x!qg.q<si8, 0.05 : 9>>) -> tensor<2x2x!qg.q<ui8, 0.2 : 100>>
    return %y, %z, %v : tensor<2x2x!qg.q<ui8, 0.11 : 17>>, tensor<2x2xf32>, tensor<2x2x!qg.q<ui8, 0.2 : 100>>
  }
  {-# dialect_resources: { builtin: { ws: "0x04000000CDCCCC3DCDCC4C3E" } } #-})mlir");
}

TEST(QGToFXP, ElementwiseAndTables) {
  expectSameBits(R"mlir(
  func.func @main(%a: tensor<64x!qg.q<ui8, 0.037 : 121>>, %b: tensor<64x!qg.q<si8, 0.05 : 9>>, %f: tensor<64xf32>)
      -> (tensor<64x!qg.q<ui8, 0.11 : 17>>, tensor<64x!qg.q<ui8, 0.11 : 17>>, tensor<64x!qg.q<ui8, 0.11 : 17>>,
          tensor<64x!qg.q<si8, 0.11 : 17>>, tensor<64x!qg.q<ui8, 0.02 : 90>>, tensor<64xf32>, tensor<f32>, tensor<128x!qg.q<ui8, 0.11 : 17>>) {
    %0 = qg.binary add %a, %b clamp [17, 250] : (tensor<64x!qg.q<ui8, 0.037 : 121>>, tensor<64x!qg.q<si8, 0.05 : 9>>) -> tensor<64x!qg.q<ui8, 0.11 : 17>>
    %1 = qg.binary sub %a, %b : (tensor<64x!qg.q<ui8, 0.037 : 121>>, tensor<64x!qg.q<si8, 0.05 : 9>>) -> tensor<64x!qg.q<ui8, 0.11 : 17>>
    %2 = qg.binary mul %a, %b : (tensor<64x!qg.q<ui8, 0.037 : 121>>, tensor<64x!qg.q<si8, 0.05 : 9>>) -> tensor<64x!qg.q<ui8, 0.11 : 17>>
    %3 = qg.requantize %a : tensor<64x!qg.q<ui8, 0.037 : 121>> -> tensor<64x!qg.q<si8, 0.11 : 17>>
    %x = qg.dequantize %b : tensor<64x!qg.q<si8, 0.05 : 9>> -> tensor<64xf32>
    %s = qg.unary sigmoid %x : tensor<64xf32> -> tensor<64xf32>
    %m = qg.binary mul %x, %s : (tensor<64xf32>, tensor<64xf32>) -> tensor<64xf32>
    %4 = qg.quantize %m : tensor<64xf32> -> tensor<64x!qg.q<ui8, 0.02 : 90>>
    %q = qg.quantize %f : tensor<64xf32> -> tensor<64x!qg.q<ui8, 0.02 : 90>>
    %5 = qg.dequantize %q : tensor<64x!qg.q<ui8, 0.02 : 90>> -> tensor<64xf32>
    %6 = qg.reduce sum %a axes [0] : tensor<64x!qg.q<ui8, 0.037 : 121>> -> tensor<f32>
    %7 = qg.concat %0, %a axis 0 : (tensor<64x!qg.q<ui8, 0.11 : 17>>, tensor<64x!qg.q<ui8, 0.037 : 121>>) -> tensor<128x!qg.q<ui8, 0.11 : 17>>
    return %0, %1, %2, %3, %4, %5, %6, %7 : tensor<64x!qg.q<ui8, 0.11 : 17>>, tensor<64x!qg.q<ui8, 0.11 : 17>>, tensor<64x!qg.q<ui8, 0.11 : 17>>,
      tensor<64x!qg.q<si8, 0.11 : 17>>, tensor<64x!qg.q<ui8, 0.02 : 90>>, tensor<64xf32>, tensor<f32>, tensor<128x!qg.q<ui8, 0.11 : 17>>
  })mlir");
}

TEST(QGToFXP, Pools) {
  expectSameBits(R"mlir(
  func.func @main(%x: tensor<1x4x4x3x!qg.q<ui8, 0.037 : 121>>)
      -> (tensor<1x2x2x3x!qg.q<ui8, 0.037 : 121>>, tensor<1x2x2x3x!qg.q<ui8, 0.03 : 100>>, tensor<1x4x4x3x!qg.q<ui8, 0.03 : 100>>, tensor<1x4x4x3x!qg.q<ui8, 0.03 : 100>>) {
    %0 = qg.pool max %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x4x4x3x!qg.q<ui8, 0.037 : 121>> -> tensor<1x2x2x3x!qg.q<ui8, 0.037 : 121>>
    %1 = qg.pool avg %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x4x4x3x!qg.q<ui8, 0.037 : 121>> -> tensor<1x2x2x3x!qg.q<ui8, 0.03 : 100>>
    %2 = qg.pool avg %x kernel [3, 3] strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] : tensor<1x4x4x3x!qg.q<ui8, 0.037 : 121>> -> tensor<1x4x4x3x!qg.q<ui8, 0.03 : 100>>
    %3 = qg.pool avg %x kernel [3, 3] strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] count_include_pad : tensor<1x4x4x3x!qg.q<ui8, 0.037 : 121>> -> tensor<1x4x4x3x!qg.q<ui8, 0.03 : 100>>
    return %0, %1, %2, %3 : tensor<1x2x2x3x!qg.q<ui8, 0.037 : 121>>, tensor<1x2x2x3x!qg.q<ui8, 0.03 : 100>>, tensor<1x4x4x3x!qg.q<ui8, 0.03 : 100>>, tensor<1x4x4x3x!qg.q<ui8, 0.03 : 100>>
  })mlir");
}
