//===- ActivationKernelTest.cpp - Products of two activations -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Every dot product this machine can run against the interpreter, on shapes
// that leave rests in every dimension, with and without transposes around.
//===----------------------------------------------------------------------===//
#include "KernelJit.h"
#include "RunModule.h"

#include "mlir/Parser/Parser.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/TargetParser/Host.h"
#include <cstring>

using namespace mlir;
using namespace qopt;
using namespace qopt::test;

namespace {
struct Shape {
  int64_t b, h, m, k, n;
};

/// How the factors and the result lie.
struct Layout {
  bool transposedRhs = false; ///< [.., N, K]
  bool heads = false;         ///< behind, and in front of, [b, s, h, d]
};

class ActivationKernels : public ::testing::TestWithParam<std::string> {
protected:
  void SetUp() override {
    auto host = llvm::sys::getHostCPUFeatures();
    llvm::SmallVector<StringRef> parts;
    StringRef(GetParam()).split(parts, ',', -1, /*KeepEmpty=*/false);
    for (StringRef part : parts)
      if (!host.lookup(part.drop_front()))
        GTEST_SKIP() << "needs a machine with " << part.str();
  }

  void check(StringRef text, ArrayRef<Tensor> inputs) {
    SCOPED_TRACE(text.str());
    Tensor expected = run(text, inputs)[0];
    auto context = makeContext();
    OwningOpRef<ModuleOp> module =
        parseSourceString<ModuleOp>(text, context.get());
    ASSERT_TRUE(module);
    auto jit = KernelJit::compile(*module, GetParam());
    ASSERT_TRUE(jit);
    EXPECT_EQ(jit->numKernels, 1);
    Tensor result(expected.dtype(), expected.shape());
    jit->run(inputs, result);
    EXPECT_EQ(std::memcmp(result.data(), expected.data(), result.numBytes()),
              0);
  }
};

std::string print(ArrayRef<int64_t> shape, StringRef element) {
  std::string text = "tensor<";
  for (int64_t extent : shape)
    text += std::to_string(extent) + "x";
  return text + element.str() + ">";
}

/// A matrix factor or result, as an argument lies and as the product sees it.
struct Operand {
  SmallVector<int64_t> outside, inside;
};

Operand place(const Layout &layout, SmallVector<int64_t> inside) {
  Operand operand{inside, inside};
  if (layout.heads)
    std::swap(operand.outside[1], operand.outside[2]);
  return operand;
}

/// `op` is everything of the product but its operands; `tail` names %r and
/// makes %y of it, which has the element `result`.
std::string writeModule(const Shape &s, const Layout &layout, StringRef op,
                        std::array<StringRef, 3> elements,
                        StringRef tail = "") {
  Operand lhs = place(layout, {s.b, s.h, s.m, s.k});
  Operand rhs = place(layout, layout.transposedRhs
                                  ? SmallVector<int64_t>{s.b, s.h, s.n, s.k}
                                  : SmallVector<int64_t>{s.b, s.h, s.k, s.n});
  Operand y = place(layout, {s.b, s.h, s.m, s.n});
  auto [in, acc, out] = elements;
  auto move = [](const Operand &o, bool enters, StringRef element) {
    return llvm::formatv("qg.transpose {0} perm [0, 2, 1, 3] : {1} -> {2}",
                         enters ? "%{0}" : "%y",
                         print(enters ? o.outside : o.inside, element),
                         print(enters ? o.inside : o.outside, element))
        .str();
  };
  std::string text = llvm::formatv(
      "func.func @main(%a: {0}, %b: {1}) -> {2} {{\n", print(lhs.outside, in),
      print(rhs.outside, in), print(y.outside, out));
  std::string l = "%a", r = "%b", result = tail.empty() ? "%r" : "%y";
  if (layout.heads) {
    text += "%l = " + llvm::formatv(move(lhs, true, in).c_str(), "a").str() +
            "\n%s = " + llvm::formatv(move(rhs, true, in).c_str(), "b").str() +
            "\n";
    l = "%l";
    r = "%s";
  }
  bool isFloat = acc == "f32";
  if (!isFloat)
    text += llvm::formatv("%c = qg.constant dense<7> : {0} -> {0}\n",
                          print({s.n}, "i32"));
  text += llvm::formatv(
      op.str().c_str(), l, r, layout.transposedRhs ? " transpose_rhs" : "",
      llvm::formatv(isFloat ? "({0}, {1}) -> {2}" : "({0}, {1}, {3}) -> {2}",
                    print(lhs.inside, in), print(rhs.inside, in),
                    print(y.inside, acc), print({s.n}, "i32"))
          .str());
  text += "\n" + llvm::formatv(tail.str().c_str(), print(y.inside, acc),
                               print(y.inside, out))
                     .str();
  if (layout.heads) {
    text += llvm::formatv("\n%z = qg.transpose {0} perm [0, 2, 1, 3] : {1} -> "
                          "{2}",
                          result, print(y.inside, out), print(y.outside, out));
    result = "%z";
  }
  return text +
         llvm::formatv("\nreturn {0} : {1}\n}\n", result, print(y.outside, out))
             .str();
}

std::vector<Shape> shapes() {
  return {{1, 1, 8, 1, 1},    {1, 1, 9, 3, 7},     {2, 3, 11, 5, 17},
          {1, 2, 17, 4, 16},  {1, 12, 13, 32, 49}, {2, 1, 8, 67, 33},
          {1, 1, 101, 16, 5}, {3, 2, 8, 66, 97},   {1, 2, 31, 131, 48}};
}

/// Two of four for each shape.
std::vector<Layout> layouts(const Shape &shape) {
  bool odd = shape.k % 2;
  return {{odd, false}, {!odd, true}};
}

Tensor draw(DType dtype, const Layout &layout, SmallVector<int64_t> inside,
            double low, double high) {
  return makeRandom(dtype, place(layout, inside).outside, low, high,
                    /*seed=*/uint64_t(inside.back()) + 3);
}
} // namespace

TEST_P(ActivationKernels, Floats) {
  // The interpreter's sums are fused multiply-adds.
  if (!StringRef(GetParam()).contains("fma"))
    GTEST_SKIP() << "needs fused multiply-adds";
  for (const Shape &s : shapes())
    for (const Layout &layout : layouts(s)) {
      SmallVector<int64_t> rhs{s.b, s.h, s.k, s.n};
      if (layout.transposedRhs)
        std::swap(rhs[2], rhs[3]);
      check(writeModule(s, layout, "%r = qg.matmul {0}, {1}{2} : {3}",
                        {"f32", "f32", "f32"}),
            {draw(DType::f32, layout, {s.b, s.h, s.m, s.k}, -1, 1),
             draw(DType::f32, layout, rhs, -1, 1)});
    }
}

TEST_P(ActivationKernels, Bytes) {
  int64_t number = 0;
  for (const Shape &s : shapes())
    for (const Layout &layout : layouts(s)) {
      SmallVector<int64_t> rhs{s.b, s.h, s.k, s.n};
      if (layout.transposedRhs)
        std::swap(rhs[2], rhs[3]);
      // All signs; zero points at the middle, at 0 and elsewhere.
      bool left = number & 1, right = number & 2;
      int64_t lhsZp = number % 3 ? left * 128 : 5;
      int64_t rhsZp = number % 5 ? right * 128 : 11;
      ++number;
      std::string op =
          llvm::formatv("%r = fxp.matmul {{0}, {{1}, %c lhs_zp {0}{1} rhs_zp "
                        "{2}{3}{{2} : {{3}",
                        lhsZp, left ? " lhs_unsigned" : "", rhsZp,
                        right ? " rhs_unsigned" : "");
      std::string tail =
          "%y = fxp.requantize %r scales dense<0.011> : tensor<1xf32> x_zp 0 "
          "zp 3 clamp [-128, 127] mode <\"f32\"> : {0} -> {1}";
      check(writeModule(s, layout, op, {"i8", "i32", "i8"}, tail),
            {draw(DType::i8, layout, {s.b, s.h, s.m, s.k}, -128, 127),
             draw(DType::i8, layout, rhs, -128, 127)});
    }
}

/// Scores of an attention: the division is one of integers times a scale.
TEST_P(ActivationKernels, DividedScores) {
  std::string tail =
      "%d = fxp.dequantize %r scales dense<0.0123> : tensor<1xf32> zps [0] "
      "axis 3 : {0} -> {1}\n"
      "%k = qg.constant dense<5.65685415> : tensor<1xf32> -> tensor<1xf32>\n"
      "%y = qg.binary div %d, %k : ({1}, tensor<1xf32>) -> {1}";
  for (const Shape &s : {Shape{1, 2, 17, 32, 33}, Shape{2, 1, 5, 7, 3}})
    check(writeModule(s, {true, true},
                      "%r = fxp.matmul {0}, {1}, %c lhs_zp 0 rhs_zp 0{2} : {3}",
                      {"i8", "i32", "f32"}, tail),
          {draw(DType::i8, {true, true}, {s.b, s.h, s.m, s.k}, -128, 127),
           draw(DType::i8, {true, true}, {s.b, s.h, s.n, s.k}, -128, 127)});
}

INSTANTIATE_TEST_SUITE_P(
    Features, ActivationKernels,
    ::testing::Values("", "+avx2", "+avx2,+fma", "+avx2,+fma,+avxvnni",
                      "+avx2,+fma,+avx512f,+avx512bw,+avx512vl,+avx512vnni"));
