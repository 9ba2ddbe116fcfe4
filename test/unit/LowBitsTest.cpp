//===- LowBitsTest.cpp - Weights below 8 bits, value by value -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Every pair of an input byte and a weight of every width through the kernels
// of every machine, against plain integers.
//===----------------------------------------------------------------------===//
#include "KernelJit.h"
#include "RunModule.h"
#include "qopt/Dialect/FXP/IR/FXP.h"
#include "qopt/Dialect/FXP/IR/Levels.h"
#include "qopt/Numerics/Element.h"

#include "llvm/TargetParser/Host.h"
#include <random>

using namespace mlir;
using namespace qopt;
using namespace qopt::test;

namespace {
class LowBits : public ::testing::TestWithParam<std::string> {
protected:
  void SetUp() override {
    auto host = llvm::sys::getHostCPUFeatures();
    llvm::SmallVector<llvm::StringRef> parts;
    llvm::StringRef(GetParam()).split(parts, ',', -1, /*KeepEmpty=*/false);
    for (llvm::StringRef part : parts)
      if (!host.lookup(part.drop_front()))
        GTEST_SKIP() << "needs a machine with " << part.str();
    context = makeContext();
  }

  /// Result and packed weight bytes of a product, by kernels.
  Tensor multiply(const Tensor &x, const Tensor &weight, bool isUnsigned,
                  int64_t groups, int64_t &weightBytes,
                  ArrayRef<int8_t> levels = {});
  /// Random products of one shape with weights out of `levels`, by a table or
  /// without one.
  void checkShape(ArrayRef<int64_t> x, ArrayRef<int64_t> weight, int64_t groups,
                  ArrayRef<int8_t> levels, bool isTable);

  std::unique_ptr<MLIRContext> context;
  std::mt19937 random{7};
};

RankedTensorType typeOf(OpBuilder &b, const Tensor &tensor) {
  return RankedTensorType::get(
      tensor.shape(), qg::getStorageElementType(
                          qg::getElementType(b.getContext(), tensor.dtype())));
}

Tensor LowBits::multiply(const Tensor &x, const Tensor &weight, bool isUnsigned,
                         int64_t groups, int64_t &weightBytes,
                         ArrayRef<int8_t> levels) {
  OpBuilder b(context.get());
  Location loc = b.getUnknownLoc();
  SmallVector<int64_t> shape(x.shape());
  int64_t reach = weight.shape()[1] - 1;
  shape[1] -= reach;
  shape[2] -= reach;
  shape[3] = weight.shape()[0];
  auto type = RankedTensorType::get(shape, b.getI32Type());
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  b.setInsertionPointToEnd(module->getBody());
  auto main = func::FuncOp::create(b, loc, "main",
                                   b.getFunctionType({typeOf(b, x)}, {type}));
  b.setInsertionPointToEnd(main.addEntryBlock());
  Tensor bias(DType::i32, {shape[3]});
  Value y = fxp::ConvOp::create(
      b, loc, type, main.getArgument(0),
      qg::createConstant(b, loc, weight, typeOf(b, weight)),
      qg::createConstant(b, loc, bias, typeOf(b, bias)),
      ArrayRef<int64_t>{1, 1}, ArrayRef<int64_t>{0, 0, 0, 0},
      ArrayRef<int64_t>{1, 1}, groups, /*x_zp=*/0, isUnsigned);
  fxp::setLevels(y.getDefiningOp(), levels);
  func::ReturnOp::create(b, loc, y);
  auto jit = KernelJit::compile(*module, GetParam());
  EXPECT_TRUE(jit);
  Tensor result(DType::i32, shape);
  if (jit) {
    EXPECT_EQ(jit->numKernels, 1);
    weightBytes = jit->weightBytes;
    jit->run({x}, result);
  }
  return result;
}

int64_t getNumDifferences(const Tensor &a, const Tensor &b) {
  int64_t count = 0;
  for (auto [x, y] : llvm::zip_equal(a.span<int32_t>(), b.span<int32_t>()))
    count += x != y;
  return count;
}

TEST_P(LowBits, EveryPairOfInputAndWeight) {
  for (int64_t bits = 1; bits <= 8; ++bits) {
    SCOPED_TRACE(bits);
    // Channel i has weight i - offset at one place, which depends on i.
    int64_t channels = std::max<int64_t>(16, int64_t(1) << bits), depth = 16;
    int64_t offset = bits == 1 ? 1 : int64_t(1) << (bits - 1);
    Tensor x(DType::i8, {1, 1, 256, depth});
    for (int64_t i = 0; i < 256 * depth; ++i)
      x.setInt(i, int8_t(i / depth - 128));
    Tensor weight(DType::i8, {channels, 1, 1, depth});
    for (int64_t o = 0; o < channels; ++o)
      weight.setInt(o * depth + (o * 7) % depth,
                    o % (int64_t(1) << bits) - offset);
    for (bool isUnsigned : {false, true}) {
      Tensor expected(DType::i32, {1, 1, 256, channels});
      for (int64_t p = 0; p < 256; ++p)
        for (int64_t o = 0; o < channels; ++o) {
          int64_t value = x.getInt(p * depth);
          expected.setInt(p * channels + o,
                          (isUnsigned ? value & 255 : value) *
                              (o % (int64_t(1) << bits) - offset));
        }
      int64_t bytes = 0;
      Tensor got = multiply(x, weight, isUnsigned, 1, bytes);
      EXPECT_EQ(getNumDifferences(got, expected), 0);
      // Panels of AVX-512 have rests.
      if (GetParam().find("512") == std::string::npos)
        EXPECT_EQ(bytes, channels * depth * bits / 8);
    }
  }
}

Tensor convolve(const Tensor &x, const Tensor &weight, int64_t groups) {
  ArrayRef<int64_t> shape = x.shape(), kernel = weight.shape();
  int64_t reach = kernel[1] - 1, inputs = kernel[3], channels = kernel[0];
  int64_t height = shape[1] - reach, width = shape[2] - reach;
  Tensor result(DType::i32, {shape[0], height, width, channels});
  for (int64_t i = 0, e = result.numElements(); i < e; ++i) {
    int64_t o = i % channels, w = i / channels % width;
    int64_t h = i / (channels * width) % height;
    int64_t n = i / (channels * width * height), sum = 0;
    int64_t first = o / (channels / groups) * inputs;
    for (int64_t kh = 0; kh <= reach; ++kh)
      for (int64_t kw = 0; kw <= reach; ++kw)
        for (int64_t k = 0; k < inputs; ++k)
          sum += x.getInt(((n * shape[1] + h + kh) * shape[2] + w + kw) *
                              shape[3] +
                          first + k) *
                 weight.getInt(((o * kernel[1] + kh) * kernel[2] + kw) *
                                   inputs +
                               k);
    result.setInt(i, sum);
  }
  return result;
}

void LowBits::checkShape(ArrayRef<int64_t> x, ArrayRef<int64_t> weight,
                         int64_t groups, ArrayRef<int8_t> levels,
                         bool isTable) {
  SCOPED_TRACE(formatShape(weight));
  std::uniform_int_distribution<int> byte(-128, 127);
  std::uniform_int_distribution<size_t> code(0, levels.size() - 1);
  Tensor bytes(DType::i8, x), weights(DType::i8, weight);
  for (int8_t &value : bytes.mutableSpan<int8_t>())
    value = byte(random);
  for (int8_t &value : weights.mutableSpan<int8_t>())
    value = levels[code(random)];
  int64_t size = 0;
  Tensor got = multiply(bytes, weights, /*isUnsigned=*/false, groups, size,
                        isTable ? levels : ArrayRef<int8_t>());
  EXPECT_EQ(getNumDifferences(got, convolve(bytes, weights, groups)), 0);
}

struct OddShape {
  std::vector<int64_t> x, weight;
  int64_t groups;
};
/// Rests of panels and packs, windows, groups and depthwise windows.
const OddShape kOddShapes[] = {{{1, 1, 1, 100}, {200, 1, 1, 100}, 1},
                               {{1, 3, 7, 17}, {33, 1, 1, 17}, 1},
                               {{2, 6, 7, 3}, {9, 3, 3, 3}, 1},
                               {{1, 5, 9, 12}, {18, 3, 3, 4}, 3},
                               {{1, 7, 9, 17}, {17, 3, 3, 1}, 17}};

TEST_P(LowBits, OddShapes) {
  for (const OddShape &shape : kOddShapes)
    for (int64_t bits : {2, 3, 4, 5, 6, 7}) {
      SCOPED_TRACE(bits);
      std::vector<int8_t> levels;
      for (int64_t i = 0; i < int64_t(1) << bits; ++i)
        levels.push_back(int8_t(i - (1 << (bits - 1))));
      checkShape(shape.x, shape.weight, shape.groups, levels,
                 /*isTable=*/false);
    }
}

/// Every row with a table, and tables of every width as learning may leave
/// them: no zero, no order that kernels could rely on, both ends.
TEST_P(LowBits, Tables) {
  std::vector<std::vector<int8_t>> tables;
  for (const Element &element : getElements())
    if (!element.levels.empty())
      tables.emplace_back(element.levels.begin(), element.levels.end());
  for (int64_t bits = 1; bits <= 7; ++bits) {
    std::vector<int8_t> &table = tables.emplace_back();
    for (int64_t i = 0; i < int64_t(1) << bits; ++i)
      table.push_back(int8_t(127 - 2 * i));
    table.back() = -128;
  }
  for (const std::vector<int8_t> &table : tables) {
    SCOPED_TRACE(table.size());
    for (const OddShape &shape : kOddShapes)
      checkShape(shape.x, shape.weight, shape.groups, table, /*isTable=*/true);
  }
}

/// Bytes of the codes, and of the table where a machine reads it from memory.
TEST_P(LowBits, TablesArePacked) {
  for (const Element &element : getElements()) {
    if (element.levels.empty())
      continue;
    SCOPED_TRACE(element.name.str());
    int64_t channels = 48, depth = 64, bytes = 0;
    Tensor x(DType::i8, {1, 1, 8, depth}), weight(DType::i8, {channels, 1, 1,
                                                              depth});
    for (int64_t i = 0; i < channels * depth; ++i)
      weight.setInt(i, element.levels[i % element.levels.size()]);
    (void)multiply(x, weight, false, 1, bytes, element.levels);
    int64_t codes = channels * depth * element.stored->bits / 8;
    EXPECT_GE(bytes, codes);
    EXPECT_LE(bytes, codes + std::max<int64_t>(8, element.levels.size()));
  }
}

std::string nameOf(const ::testing::TestParamInfo<std::string> &info) {
  std::string name;
  for (char c : info.param)
    if (std::isalnum(static_cast<unsigned char>(c)))
      name += c;
  return name.empty() ? "baseline" : name;
}

INSTANTIATE_TEST_SUITE_P(
    Machines, LowBits,
    ::testing::Values("", "+avx2,+fma", "+avx2,+fma,+avxvnni",
                      "+avx2,+fma,+avx512f,+avx512vnni,+avx512vl,+avx512bw"),
    nameOf);
} // namespace
