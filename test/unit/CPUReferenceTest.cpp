//===- CPUReferenceTest.cpp - Compiled code against the interpreter -------===//
// SPDX-License-Identifier: Apache-2.0
//
// Every op, compiled with and without kernels, gives the bits of its reference
// semantics on random arrays.
//===----------------------------------------------------------------------===//
#include "RunModule.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Target/CPU/Emit.h"

using namespace qopt;
using namespace qopt::test;

namespace {
struct Case {
  const char *name, *text;
  double low = -3, high = 3;
};

class CPUReference : public testing::TestWithParam<Case> {};

/// Equal bits, or both NaN.
void expectEqual(const Tensor &a, const Tensor &b, llvm::StringRef what) {
  ASSERT_EQ(a.dtype(), b.dtype());
  ASSERT_EQ(a.shape(), b.shape());
  int64_t width = getByteWidth(a.dtype());
  for (int64_t i = 0; i < a.numElements(); ++i) {
    if (isFloat(a.dtype()) && a.getFloat(i) != a.getFloat(i) &&
        b.getFloat(i) != b.getFloat(i))
      continue;
    ASSERT_EQ(std::memcmp(a.data() + i * width, b.data() + i * width, width), 0)
        << what.str() << ": element " << i << " is " << b.getFloat(i)
        << ", the reference says " << a.getFloat(i);
  }
}
} // namespace

TEST_P(CPUReference, sameBits) {
  auto module = parse(GetParam().text);
  ASSERT_TRUE(module);
  auto main = module->lookupSymbol<mlir::func::FuncOp>("main");
  llvm::SmallVector<Tensor> inputs;
  for (mlir::Type type : main.getFunctionType().getInputs()) {
    auto tensor = mlir::cast<mlir::RankedTensorType>(type);
    DType dtype = *qg::getDType(tensor.getElementType());
    bool isByte = dtype == DType::i8 || dtype == DType::u8;
    inputs.push_back(
        makeRandom(dtype, tensor.getShape(),
                   isByte ? (dtype == DType::u8 ? 0 : -128) : GetParam().low,
                   isByte ? (dtype == DType::u8 ? 255 : 127) : GetParam().high,
                   inputs.size() + 1));
  }
  auto reference = run(GetParam().text, inputs);
  for (bool useKernels : {false, true}) {
    CPUOptions options;
    options.useKernels = useKernels;
    auto executor = makeJitFactory(options, 2)(*module);
    ASSERT_TRUE(executor.ok()) << executor.status().ToString();
    auto results = (*executor)->run(inputs);
    ASSERT_TRUE(results.ok()) << results.status().ToString();
    ASSERT_EQ(results->size(), reference.size());
    for (size_t i = 0; i < reference.size(); ++i)
      expectEqual(reference[i], (*results)[i],
                  useKernels ? "with kernels" : "without kernels");
  }
}

static const Case kCases[] = {
    {"Scalars", R"mlir(
func.func @main(%x: tensor<2x37xf32>, %y: tensor<37xf32>) -> (tensor<2x37xf32>, tensor<2x37xf32>, tensor<2x37xi1>) {
  %a = qg.unary exp %x : tensor<2x37xf32> -> tensor<2x37xf32>
  %b = qg.unary tanh %a : tensor<2x37xf32> -> tensor<2x37xf32>
  %c = qg.binary mul %b, %y : (tensor<2x37xf32>, tensor<37xf32>) -> tensor<2x37xf32>
  %d = qg.unary sigmoid %c : tensor<2x37xf32> -> tensor<2x37xf32>
  %e = qg.unary erf %x : tensor<2x37xf32> -> tensor<2x37xf32>
  %f = qg.binary pow %d, %y : (tensor<2x37xf32>, tensor<37xf32>) -> tensor<2x37xf32>
  %g = qg.compare lt %x, %y : (tensor<2x37xf32>, tensor<37xf32>) -> tensor<2x37xi1>
  %h = qg.select %g, %e, %f : (tensor<2x37xi1>, tensor<2x37xf32>, tensor<2x37xf32>) -> tensor<2x37xf32>
  return %h, %c, %g : tensor<2x37xf32>, tensor<2x37xf32>, tensor<2x37xi1>
})mlir"},
    {"Transcendental", R"mlir(
func.func @main(%x: tensor<101xf32>) -> (tensor<101xf32>, tensor<101xf32>, tensor<101xf32>, tensor<101xf32>) {
  %a = qg.unary sin %x : tensor<101xf32> -> tensor<101xf32>
  %b = qg.unary log %x : tensor<101xf32> -> tensor<101xf32>
  %c = qg.unary rsqrt %x : tensor<101xf32> -> tensor<101xf32>
  %d = qg.unary atan %x : tensor<101xf32> -> tensor<101xf32>
  return %a, %b, %c, %d : tensor<101xf32>, tensor<101xf32>, tensor<101xf32>, tensor<101xf32>
})mlir"},
    {"Casts", R"mlir(
func.func @main(%x: tensor<50xf32>) -> (tensor<50xi64>, tensor<50xui8>, tensor<50xf32>) {
  %a = qg.cast %x : tensor<50xf32> -> tensor<50xi64>
  %b = qg.cast %x : tensor<50xf32> -> tensor<50xui8>
  %c = qg.cast %b : tensor<50xui8> -> tensor<50xi32>
  %d = qg.binary rem %c, %c : (tensor<50xi32>, tensor<50xi32>) -> tensor<50xi32>
  %e = qg.cast %d : tensor<50xi32> -> tensor<50xf32>
  return %a, %b, %e : tensor<50xi64>, tensor<50xui8>, tensor<50xf32>
})mlir",
     -400, 400},
    {"Reductions", R"mlir(
func.func @main(%x: tensor<3x5x39xf32>) -> (tensor<3x39xf32>, tensor<3x5xf32>, tensor<39xf32>, tensor<3x5x39xf32>, tensor<3x39xi64>) {
  %a = qg.reduce sum %x axes [1] : tensor<3x5x39xf32> -> tensor<3x39xf32>
  %b = qg.reduce max %x axes [2] : tensor<3x5x39xf32> -> tensor<3x5xf32>
  %c = qg.reduce prod %x axes [0, 1] : tensor<3x5x39xf32> -> tensor<39xf32>
  %d = qg.softmax %x : tensor<3x5x39xf32> -> tensor<3x5x39xf32>
  %e = qg.arg_reduce max %x axis 1 : tensor<3x5x39xf32> -> tensor<3x39xi64>
  return %a, %b, %c, %d, %e : tensor<3x39xf32>, tensor<3x5xf32>, tensor<39xf32>, tensor<3x5x39xf32>, tensor<3x39xi64>
})mlir"},
    // 3 of 39 by searches, 30 of 39 and all by merging runs.
    {"Selections", R"mlir(
func.func @main(%x: tensor<3x39x2xf32>, %b: tensor<3x20x4xf32>, %o: tensor<f32>) -> (tensor<3x3x2xi64>, tensor<3x30x2xi64>, tensor<3x39x2xi64>, tensor<40xi64>, tensor<60xi64>, tensor<3x20xi1>) {
  %z = qg.constant dense<0.0> : tensor<f32> -> tensor<f32>
  %r = qg.unary round_even %x : tensor<3x39x2xf32> -> tensor<3x39x2xf32>
  %a = qg.top_k max %r axis 1 : tensor<3x39x2xf32> -> tensor<3x3x2xi64>
  %c = qg.top_k min %r axis 1 : tensor<3x39x2xf32> -> tensor<3x30x2xi64>
  %d = qg.top_k max %x axis 1 : tensor<3x39x2xf32> -> tensor<3x39x2xi64>
  %p = qg.compare gt %b, %z : (tensor<3x20x4xf32>, tensor<f32>) -> tensor<3x20x4xi1>
  %q = qg.slice %p offsets [0, 0, 0] strides [1, 1, 1] : tensor<3x20x4xi1> -> tensor<3x20x1xi1>
  %m = qg.reshape %q : tensor<3x20x1xi1> -> tensor<3x20xi1>
  %n = qg.reshape %q : tensor<3x20x1xi1> -> tensor<60xi1>
  %e = qg.compact %n : tensor<60xi1> -> tensor<40xi64>
  %f = qg.compact %n : tensor<60xi1> -> tensor<60xi64>
  %l = qg.constant dense<5> : tensor<i64> -> tensor<i64>
  %k = qg.suppress %b, %m, %o, %l : (tensor<3x20x4xf32>, tensor<3x20xi1>, tensor<f32>, tensor<i64>) -> tensor<3x20xi1>
  return %a, %c, %d, %e, %f, %k : tensor<3x3x2xi64>, tensor<3x30x2xi64>, tensor<3x39x2xi64>, tensor<40xi64>, tensor<60xi64>, tensor<3x20xi1>
})mlir"},
    {"Movement", R"mlir(
func.func @main(%x: tensor<4x6xf32>, %i: tensor<3xi64>) -> (tensor<8x9xf32>, tensor<4x3xf32>, tensor<6x6xf32>, tensor<2x4x6xf32>, tensor<2x3xf32>) {
  %a = qg.pad reflect %x low [2, 1] high [2, 2] : (tensor<4x6xf32>) -> tensor<8x9xf32>
  %b = qg.gather %x, %i axis 1 : (tensor<4x6xf32>, tensor<3xi64>) -> tensor<4x3xf32>
  %c = qg.pad constant %x low [1, 0] high [1, 0] : (tensor<4x6xf32>) -> tensor<6x6xf32>
  %d = qg.broadcast %x : tensor<4x6xf32> -> tensor<2x4x6xf32>
  %e = qg.slice %x offsets [3, 5] strides [-2, -2] : tensor<4x6xf32> -> tensor<2x3xf32>
  return %a, %b, %c, %d, %e : tensor<8x9xf32>, tensor<4x3xf32>, tensor<6x6xf32>, tensor<2x4x6xf32>, tensor<2x3xf32>
})mlir"},
    {"FloatConvolutions", R"mlir(
func.func @main(%x: tensor<1x7x9x4xf32>, %w: tensor<6x3x3x2xf32>, %b: tensor<6xf32>, %v: tensor<4x2x2x6xf32>) -> (tensor<1x4x5x6xf32>, tensor<1x8x10x4xf32>) {
  %a = qg.conv %x, %w bias %b strides [2, 2] pads [1, 1, 1, 1] dilations [1, 1] groups 2
    : (tensor<1x7x9x4xf32>, tensor<6x3x3x2xf32>, tensor<6xf32>) -> tensor<1x4x5x6xf32>
  %c = qg.conv_transpose %a, %v strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] output_padding [0, 0] groups 1
    : (tensor<1x4x5x6xf32>, tensor<4x2x2x6xf32>) -> tensor<1x8x10x4xf32>
  return %a, %c : tensor<1x4x5x6xf32>, tensor<1x8x10x4xf32>
})mlir"},
    {"MatmulAndPools", R"mlir(
func.func @main(%x: tensor<2x5x7xf32>, %w: tensor<3x7xf32>, %b: tensor<3xf32>, %p: tensor<1x7x7x5xf32>) -> (tensor<2x5x3xf32>, tensor<1x4x4x5xf32>, tensor<1x4x4x5xf32>) {
  %a = qg.matmul %x, %w bias %b transpose_rhs : (tensor<2x5x7xf32>, tensor<3x7xf32>, tensor<3xf32>) -> tensor<2x5x3xf32>
  %c = qg.pool max %p kernel [3, 3] strides [2, 2] pads [1, 1, 1, 1] dilations [1, 1] : tensor<1x7x7x5xf32> -> tensor<1x4x4x5xf32>
  %d = qg.pool avg %p kernel [3, 3] strides [2, 2] pads [1, 1, 1, 1] dilations [1, 1] : tensor<1x7x7x5xf32> -> tensor<1x4x4x5xf32>
  return %a, %c, %d : tensor<2x5x3xf32>, tensor<1x4x4x5xf32>, tensor<1x4x4x5xf32>
})mlir"},
    {"IntegerNetwork", R"mlir(
func.func @main(%x: tensor<1x9x9x8xi8>) -> (tensor<1x5x5x8xi8>, tensor<1x4xf32>) {
  %w = qg.constant dense<"0x0102FDFC050607F8"> : tensor<8x1x1x1xi8> -> tensor<8x1x1x1xi8>
  %wb = qg.broadcast %w : tensor<8x1x1x1xi8> -> tensor<8x3x3x8xi8>
  %b = qg.constant dense<7> : tensor<8xi32> -> tensor<8xi32>
  %a = fxp.conv %x, %wb, %b strides [2, 2] pads [1, 1, 1, 1] dilations [1, 1] groups 1 x_zp 128 x_unsigned
    : (tensor<1x9x9x8xi8>, tensor<8x3x3x8xi8>, tensor<8xi32>) -> tensor<1x5x5x8xi32>
  %q = fxp.requantize %a scales dense<[0.01, 0.02, 0.005, 0.1, 0.01, 0.02, 0.005, 0.1]> : tensor<8xf32> x_zp 0 zp 128 clamp [0, 255] unsigned mode <"f32"> : tensor<1x5x5x8xi32> -> tensor<1x5x5x8xi8>
  %d = qg.constant dense<-3> : tensor<8x3x3x1xi8> -> tensor<8x3x3x1xi8>
  %e = fxp.conv %q, %d, %b strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 8 x_zp 128 x_unsigned
    : (tensor<1x5x5x8xi8>, tensor<8x3x3x1xi8>, tensor<8xi32>) -> tensor<1x5x5x8xi32>
  %f = fxp.requantize %e scales dense<0.3> : tensor<1xf32> x_zp 0 zp 100 clamp [100, 255] unsigned mode <"fixed", 31> : tensor<1x5x5x8xi32> -> tensor<1x5x5x8xi8>
  %g = fxp.add %f, %q scales [0.5, -0.25] zps [100, 128] zp 3 clamp [0, 255] lhs_unsigned rhs_unsigned unsigned mode <"f32"> : (tensor<1x5x5x8xi8>, tensor<1x5x5x8xi8>) -> tensor<1x5x5x8xi8>
  %h = fxp.add %f, %g scales [0.5, 0.33] zps [100, 3] zp 3 clamp [0, 255] lhs_unsigned rhs_unsigned unsigned mode <"fixed", 17> : (tensor<1x5x5x8xi8>, tensor<1x5x5x8xi8>) -> tensor<1x5x5x8xi8>
  %s = fxp.sum_pool %h kernel [5, 5] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] x_zp 3 x_unsigned : tensor<1x5x5x8xi8> -> tensor<1x1x1x8xi32>
  %t = fxp.requantize %s scales dense<0.04> : tensor<1xf32> x_zp 0 zp 3 clamp [0, 255] unsigned mode <"pow2"> : tensor<1x1x1x8xi32> -> tensor<1x1x1x8xi8>
  %r = qg.reshape %t : tensor<1x1x1x8xi8> -> tensor<1x8xi8>
  %m = qg.constant dense<[[1, 2, 3, 4], [5, 6, 7, 8], [1, -2, 3, -4], [9, 9, 9, 9], [1, 2, 3, 4], [5, 6, 7, 8], [1, -2, 3, -4], [9, 9, 9, 9]]> : tensor<8x4xi8> -> tensor<8x4xi8>
  %n = qg.constant dense<[1, 2, 3, -4]> : tensor<4xi32> -> tensor<4xi32>
  %k = fxp.matmul %r, %m, %n lhs_zp 3 lhs_unsigned rhs_zp 0 : (tensor<1x8xi8>, tensor<8x4xi8>, tensor<4xi32>) -> tensor<1x4xi32>
  %y = fxp.dequantize %k scales dense<0.001> : tensor<1xf32> zps [0] axis 0 : tensor<1x4xi32> -> tensor<1x4xf32>
  return %h, %y : tensor<1x5x5x8xi8>, tensor<1x4xf32>
})mlir"},
    {"IntegerRest", R"mlir(
func.func @main(%x: tensor<1x6x6x5xi8>, %f: tensor<4x5xf32>) -> (tensor<1x3x3x5xi8>, tensor<1x5xi32>, tensor<4x5xi8>, tensor<4x5xi8>, tensor<1x6x6x5xi32>) {
  %a = fxp.max_pool %x kernel [3, 3] strides [2, 2] pads [1, 1, 1, 1] dilations [1, 1] x_unsigned : tensor<1x6x6x5xi8> -> tensor<1x3x3x5xi8>
  %b = fxp.sum %x axes [1, 2] x_zp 9 : tensor<1x6x6x5xi8> -> tensor<1x5xi32>
  %c = fxp.quantize %f scales dense<0.02> : tensor<1xf32> zps [-7] axis 0 clamp [-128, 127] : tensor<4x5xf32> -> tensor<4x5xi8>
  %d = fxp.quantize %f scales dense<[0.02, 0.1, 0.01, 0.5, 1.0]> : tensor<5xf32> zps [0, 1, 128, 255, 7] axis 1 clamp [0, 255] unsigned : tensor<4x5xf32> -> tensor<4x5xi8>
  %e = fxp.mul %x, %x zps [128, 100] lhs_unsigned rhs_unsigned : (tensor<1x6x6x5xi8>, tensor<1x6x6x5xi8>) -> tensor<1x6x6x5xi32>
  return %a, %b, %c, %d, %e : tensor<1x3x3x5xi8>, tensor<1x5xi32>, tensor<4x5xi8>, tensor<4x5xi8>, tensor<1x6x6x5xi32>
})mlir"},
    // Equal zeros below all of them, and an order that is not the results'.
    {"ResultsThatStartFromZeros", R"mlir(
func.func @main(%t: tensor<2x4xf32>, %u: tensor<2x4xf32>, %v: tensor<4x4xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<4x6xf32>, tensor<4x6xf32>, tensor<2xf32>, tensor<2xf32>) {
  %a = qg.matmul %t, %v : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32>
  %b = qg.matmul %u, %v : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32>
  %c = qg.matmul %b, %v : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32>
  %d = qg.pad constant %t low [1, 1] high [1, 1] : (tensor<2x4xf32>) -> tensor<4x6xf32>
  %e = qg.pad constant %u low [1, 1] high [1, 1] : (tensor<2x4xf32>) -> tensor<4x6xf32>
  %f = qg.reduce sum %c axes [1] : tensor<2x4xf32> -> tensor<2xf32>
  %g = qg.reduce sum %a axes [1] : tensor<2x4xf32> -> tensor<2xf32>
  return %c, %b, %a, %e, %d, %g, %f : tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<4x6xf32>, tensor<4x6xf32>, tensor<2xf32>, tensor<2xf32>
})mlir"},
    // One value several times, an operand, a constant, views, their concat.
    {"ResultsThatAreOneValue", R"mlir(
func.func @main(%x: tensor<2x4xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<4xf32>, tensor<8xf32>, tensor<1x2x4xf32>, tensor<4x4xf32>, tensor<2x4xf32>) {
  %a = qg.unary exp %x : tensor<2x4xf32> -> tensor<2x4xf32>
  %w = qg.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32> -> tensor<4xf32>
  %b = qg.reshape %a : tensor<2x4xf32> -> tensor<8xf32>
  %c = qg.reshape %x : tensor<2x4xf32> -> tensor<1x2x4xf32>
  %d = qg.concat %a, %x axis 0 : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<4x4xf32>
  %e = qg.slice %d offsets [1, 0] strides [1, 1] : tensor<4x4xf32> -> tensor<2x4xf32>
  return %a, %x, %a, %w, %b, %c, %d, %e : tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<4xf32>, tensor<8xf32>, tensor<1x2x4xf32>, tensor<4x4xf32>, tensor<2x4xf32>
})mlir"},
    // A table without order, blocks that overlap, blocks that do not.
    {"Lookups", R"mlir(
func.func @main(%x: tensor<7x13xi8>, %y: tensor<2x64xi8>, %z: tensor<5x300xi8>) -> (tensor<7x13xi8>, tensor<2x64xi8>, tensor<5x300xi8>) {
  %a = fxp.lut %x table dense<"0x1FC66D14BB6209B057FEA54CF39A41E88F36DD842BD27920C76E15BC630AB158FFA64DF49B42E99037DE852CD37A21C86F16BD640BB25900A74EF59C43EA9138DF862DD47B22C97017BE650CB35A01A84FF69D44EB9239E0872ED57C23CA7118BF660DB45B02A950F79E45EC933AE1882FD67D24CB7219C0670EB55C03AA51F89F46ED943BE28930D77E25CC731AC1680FB65D04AB52F9A047EE953CE38A31D87F26CD741BC26910B75E05AC53FAA148EF963DE48B32D98027CE751CC36A11B85F06AD54FBA249F0973EE58C33DA8128CF761DC46B12B96007AE55FCA34AF1983FE68D34DB8229D0771EC56C13BA6108AF56FDA44BF29940E78E35DC832AD178"> : tensor<256xi8> : tensor<7x13xi8> -> tensor<7x13xi8>
  %b = fxp.lut %y table dense<"0x1FC66D14BB6209B057FEA54CF39A41E88F36DD842BD27920C76E15BC630AB158FFA64DF49B42E99037DE852CD37A21C86F16BD640BB25900A74EF59C43EA9138DF862DD47B22C97017BE650CB35A01A84FF69D44EB9239E0872ED57C23CA7118BF660DB45B02A950F79E45EC933AE1882FD67D24CB7219C0670EB55C03AA51F89F46ED943BE28930D77E25CC731AC1680FB65D04AB52F9A047EE953CE38A31D87F26CD741BC26910B75E05AC53FAA148EF963DE48B32D98027CE751CC36A11B85F06AD54FBA249F0973EE58C33DA8128CF761DC46B12B96007AE55FCA34AF1983FE68D34DB8229D0771EC56C13BA6108AF56FDA44BF29940E78E35DC832AD178"> : tensor<256xi8> : tensor<2x64xi8> -> tensor<2x64xi8>
  %c = fxp.lut %z table dense<"0x1FC66D14BB6209B057FEA54CF39A41E88F36DD842BD27920C76E15BC630AB158FFA64DF49B42E99037DE852CD37A21C86F16BD640BB25900A74EF59C43EA9138DF862DD47B22C97017BE650CB35A01A84FF69D44EB9239E0872ED57C23CA7118BF660DB45B02A950F79E45EC933AE1882FD67D24CB7219C0670EB55C03AA51F89F46ED943BE28930D77E25CC731AC1680FB65D04AB52F9A047EE953CE38A31D87F26CD741BC26910B75E05AC53FAA148EF963DE48B32D98027CE751CC36A11B85F06AD54FBA249F0973EE58C33DA8128CF761DC46B12B96007AE55FCA34AF1983FE68D34DB8229D0771EC56C13BA6108AF56FDA44BF29940E78E35DC832AD178"> : tensor<256xi8> : tensor<5x300xi8> -> tensor<5x300xi8>
  return %a, %b, %c : tensor<7x13xi8>, tensor<2x64xi8>, tensor<5x300xi8>
})mlir"},
};

INSTANTIATE_TEST_SUITE_P(Ops, CPUReference, testing::ValuesIn(kCases),
                         [](const testing::TestParamInfo<Case> &info) {
                           return info.param.name;
                         });
