//===- TextBuilderTest.cpp - C and C++ that Numerics prints ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What is printed for FPGAs is compiled and run by the tests of HLS, the C of
// embedded projects by those of the cores.
//===----------------------------------------------------------------------===//
#include "qopt/Numerics/TextBuilder.h"
#include "qopt/Numerics/Softmax.h"

#include "llvm/ADT/StringExtras.h"
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <sstream>

using namespace qopt;
using namespace qopt::numerics;

using V = TextBuilder::V;

static std::string joinLines(const std::vector<std::string> &lines) {
  return llvm::join(lines, "\n");
}

TEST(TextBuilder, RequantizesWithTheBitsThatItNeeds) {
  TextBuilder b(TextBuilder::ApInt);
  V product = b.variable("product", -100000, 100000);
  V value =
      emitShiftIntoRange(b, product, b.constant(8), StoredRange{-3, -128, 127});
  EXPECT_EQ(joinLines(b.define(value, "value")),
            "const ap_uint<1> odd = (product >> 8) & 1;\n"
            "const ap_int<10> rounded = (product + 127 + odd) >> 8;\n"
            "ap_int<10> value = rounded - 3;\n"
            "if (value < -128)\n"
            "  value = -128;\n"
            "if (value > 127)\n"
            "  value = 127;");
}

TEST(TextBuilder, LeavesOutWhatNothingReaches) {
  TextBuilder b(TextBuilder::ApInt);
  V product = b.variable("product", -10, 10);
  V value =
      emitShiftIntoRange(b, product, b.constant(0), StoredRange{2, -128, 127});
  EXPECT_EQ(joinLines(b.define(value, "value")),
            "const ap_int<5> value = product + 2;");
}

TEST(TextBuilder, ShiftsByVariables) {
  TextBuilder b(TextBuilder::ApInt);
  V product = b.variable("product", -1000, 1000);
  V rounded = emitRoundShift(b, product, b.variable("shift", 0, 9));
  EXPECT_EQ(
      joinLines(b.define(rounded, "rounded")),
      "ap_uint<4> chosen = 1;\n"
      "if (shift != 0)\n"
      "  chosen = shift;\n"
      "const ap_uint<8> almost_half = (ap_uint<9>(1) << (chosen - 1)) - 1;\n"
      "ap_uint<1> odd = 0;\n"
      "if (shift != 0)\n"
      "  odd = (product >> shift) & 1;\n"
      "const ap_int<12> rounded = (product + almost_half + odd) >> shift;");
}

/// Without white space, which clang-format decides.
static std::string squeeze(llvm::StringRef text) {
  std::string result;
  llvm::copy_if(text, std::back_inserter(result),
                [](char c) { return !llvm::isSpace(c); });
  return result;
}

static void expectInHeader(llvm::StringRef signature,
                           const std::vector<std::string> &lines) {
  std::ifstream file(QOPT_SOURCE_DIR "/include/qopt-rt/embedded/"
                                     "qopt_embedded.h");
  std::stringstream text;
  text << file.rdbuf();
  std::string function =
      signature.str() + " {\n  " + llvm::join(lines, "\n  ") + "\n}\n";
  EXPECT_NE(squeeze(text.str()).find(squeeze(function)), std::string::npos)
      << "qopt_embedded.h does not hold what Numerics prints:\n"
      << function;
}

TEST(TextBuilder, PrintsTheScalarsOfEmbeddedProjects) {
  constexpr int64_t kMostProduct = int64_t(1) << 62;
  TextBuilder b(TextBuilder::C99);
  auto word = [&](const char *name) {
    return b.variable(name, INT32_MIN, INT32_MAX);
  };
  V wide = b.variable("x", -kMostProduct, kMostProduct, TextBuilder::Int64);
  V shift = b.variable("shift", 0, 62, TextBuilder::UInt32);
  expectInHeader(
      "QOPT_INLINE int32_t qopt_clamp(int32_t x, int32_t low, int32_t high)",
      b.giveBack(b.name(emitClamp(b, word("x"), word("low"), word("high")),
                        "clamped")));
  expectInHeader(
      "QOPT_INLINE int64_t qopt_round_shift(int64_t x, uint32_t shift)",
      b.giveBack(emitRoundShift(b, wide, shift)));
  V upper = b.variable("shift", 33, 62, TextBuilder::UInt32);
  expectInHeader(
      "QOPT_INLINE int32_t qopt_scale(int32_t x, int32_t multiplier, "
      "uint32_t shift)",
      b.giveBack(emitScaleInWords(b, word("x"), word("multiplier"), upper)));
  V y = b.variable("y", -kMostProduct, kMostProduct, TextBuilder::Int64);
  V moved =
      emitSaturate(b, y, b.extendToI64(word("zero_point")),
                   b.extendToI64(word("low")), b.extendToI64(word("high")));
  expectInHeader("QOPT_INLINE int8_t qopt_saturate(int64_t y, int32_t "
                 "zero_point, int32_t low, int32_t high)",
                 b.giveBack(b.truncateToI8(b.name(moved, "moved"))));
  auto plain = [&](const char *name) {
    return b.variable(name, 0, UINT32_MAX / 2, TextBuilder::UInt32);
  };
  expectInHeader(
      "QOPT_INLINE uint32_t qopt_divide_softmax(uint32_t entry, "
      "uint32_t sum)",
      b.giveBack(emitDivideSoftmax(b, plain("entry"), plain("sum"))));
}

TEST(TextBuilder, WordsRoundAsProductsDo) {
  EvalBuilder b;
  std::mt19937_64 generator(5);
  for (int i = 0; i < 200000; ++i) {
    auto x = int32_t(generator()), multiplier = int32_t(generator() >> 33);
    if (i % 3 == 0) // ties
      x = int32_t(uint32_t(x) << (generator() % 32));
    int32_t shift = 33 + int32_t(generator() % 30);
    EXPECT_EQ(emitScaleInWords(b, x, multiplier, shift),
              shiftRightHalfEven(int64_t(x) * multiplier, unsigned(shift)));
  }
}
