//===- InterpreterTest.cpp - Running modules ------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Inputs are checked, ops are called in order, callbacks see every result.
//===----------------------------------------------------------------------===//
#include "RunModule.h"

using namespace qopt;
using namespace qopt::test;

static const char *const kAdd = R"mlir(
  func.func @main(%a: tensor<2x2xf32> {qg.name = "left"}, %b: tensor<2xf32>)
      -> (tensor<2x2xf32>, tensor<2x2xf32>) {
    %c = qg.binary add %a, %b : (tensor<2x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
    %d = qg.unary neg %c : tensor<2x2xf32> -> tensor<2x2xf32>
    return %d, %a : tensor<2x2xf32>, tensor<2x2xf32>
  })mlir";

TEST(Interpreter, RunsInOrder) {
  Tensor a = makeTensor<float>(DType::f32, {2, 2}, {1, 2, 3, 4});
  Tensor b = makeTensor<float>(DType::f32, {2}, {10, 20});
  auto results = run(kAdd, {a, b});
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].span<float>(),
            (llvm::ArrayRef<float>{-11, -22, -13, -24}));
  EXPECT_EQ(results[1].span<float>(), (llvm::ArrayRef<float>{1, 2, 3, 4}));
}

TEST(Interpreter, NamesAnInputOfTheWrongShape) {
  Tensor wrong(DType::f32, {2, 3}), b(DType::f32, {2});
  EXPECT_EQ(runToError(kAdd, {wrong, b}),
            "input 'left' expects f32 2x2, got f32 2x3");
}

TEST(Interpreter, NumbersAnInputWithoutName) {
  Tensor a(DType::f32, {2, 2}), wrong(DType::f64, {2});
  EXPECT_EQ(runToError(kAdd, {a, wrong}),
            "input '#1' expects f32 2, got f64 2");
}

TEST(Interpreter, CountsInputs) {
  EXPECT_EQ(runToError(kAdd, {}), "expects 2 inputs, got 0");
}

TEST(Interpreter, RefusesOpsWithoutReferenceSemantics) {
  EXPECT_EQ(runToError(R"mlir(
    func.func @main(%a: tensor<2xf32>) -> tensor<2xf32> {
      %b = arith.negf %a : tensor<2xf32>
      return %b : tensor<2xf32>
    })mlir",
                       {Tensor(DType::f32, {2})}),
            "expects ops with reference semantics, got 'arith.negf'");
}

TEST(Interpreter, PassesOnTheErrorOfAnOp) {
  std::string error = runToError(R"mlir(
    func.func @main(%a: tensor<2xf32>) -> tensor<2xf32> {
      %i = qg.constant dense<[0, 7]> : tensor<2xi64> -> tensor<2xi64>
      %b = qg.gather %a, %i axis 0 : (tensor<2xf32>, tensor<2xi64>) -> tensor<2xf32>
      return %b : tensor<2xf32>
    })mlir",
                                 {Tensor(DType::f32, {2})});
  EXPECT_NE(error.find("expects indices in [-2, 2), got 7"), std::string::npos)
      << error;
}

TEST(Interpreter, CallsBackAfterEveryOp) {
  auto module = parse(kAdd);
  std::string seen;
  auto executor = createInterpreter(
      *module, [&](mlir::Operation *op, llvm::ArrayRef<Tensor> results) {
        seen += op->getName().stripDialect().str() + ":" +
                std::to_string(results[0].getFloat(0)) + " ";
      });
  ASSERT_TRUE(executor.ok());
  Tensor a = makeTensor<float>(DType::f32, {2, 2}, {1, 2, 3, 4});
  Tensor b = makeTensor<float>(DType::f32, {2}, {10, 20});
  ASSERT_TRUE((*executor)->run({a, b}).ok());
  EXPECT_EQ(seen, "binary:11.000000 unary:-11.000000 ");
}

TEST(Interpreter, NeedsMain) {
  auto module = parse("func.func @other() { return }");
  auto executor = makeInterpreterFactory()(*module);
  EXPECT_EQ(executor.status().message(),
            "expects a module with a function @main");
}

/// The integer form is signless; who calls it has bytes of its encodings.
TEST(Interpreter, UnsignedEncodingsOfTheIntegerForm) {
  const char *text = R"mlir(
  func.func @main(%x: tensor<2xi8> {qg.name = "x", qg.encoding = !qg.q<ui8, 0.5 : 3>})
      -> (tensor<2xi8> {qg.name = "y", qg.encoding = !qg.q<ui8, 0.5 : 3>}) {
    %y = fxp.requantize %x scales dense<2.0> : tensor<1xf32> x_zp 3 x_unsigned
         zp 3 clamp [0, 255] unsigned mode <"f32"> : tensor<2xi8> -> tensor<2xi8>
    return %y : tensor<2xi8>
  })mlir";
  Tensor x = makeTensor<uint8_t>(DType::u8, {2}, {100, 200});
  Tensor y = run(text, {x})[0];
  ASSERT_EQ(y.dtype(), DType::u8);
  EXPECT_EQ(y.getInt(0), 197);
  EXPECT_EQ(y.getInt(1), 255);
  EXPECT_EQ(runToError(text, {Tensor(DType::u16, {2})}),
            "input 'x' expects i8 2, got u16 2");
}
