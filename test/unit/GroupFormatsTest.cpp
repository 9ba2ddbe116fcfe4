//===- GroupFormatsTest.cpp - Formats with parameters per group -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// Every low-bit format of weights, by channel and by group, from its type to
// machine code: three forms of one product give the same bits.
//===----------------------------------------------------------------------===//
#include "RunModule.h"
#include "qopt/Conversion/Passes.h"
#include "qopt/Dialect/QG/IR/Encodings.h"
#include "qopt/Numerics/Element.h"
#include "qopt/Target/CPU/Emit.h"

#include "mlir/Pass/PassManager.h"
#include <cstring>
#include <random>

using namespace mlir;
using namespace qopt;
using namespace qopt::test;

namespace {
struct FormatCase {
  std::string name, format;
  int64_t group;
  std::vector<int8_t> table;
  int64_t unused = 0; ///< codes, from the first on, that no weight has
};

struct Shape {
  int64_t m, k, n;
};

class GroupFormats : public testing::TestWithParam<FormatCase> {
protected:
  qg::QuantizedType makeType(int64_t axis, int64_t n, int64_t k);
  OwningOpRef<ModuleOp> makeModule(const Shape &shape, bool isDynamic,
                                   bool isTransposed, bool isRounded);
  void SetUp() override { getContext().loadAllAvailableDialects(); }
  std::mt19937 random{11};
};

using FewLevels = GroupFormats;

qg::QuantizedType GroupFormats::makeType(int64_t axis, int64_t n, int64_t k) {
  const FormatCase &c = GetParam();
  const IntegerFormat &row = *lookupIntegerFormat(c.format);
  int64_t groups = c.group ? (k + c.group - 1) / c.group : 1;
  std::uniform_real_distribution<float> scale(0.01f, 0.02f);
  std::uniform_int_distribution<int> zero(0, row.isTable ? 0 : int(row.max()));
  std::vector<float> scales(n * groups);
  std::vector<int32_t> zeros(n * groups, 0);
  for (float &value : scales)
    value = scale(random);
  // Bytes minus their zero point stay bytes.
  for (int32_t &value : zeros)
    if (!row.isSigned && !row.isTable)
      value = row.bits == 8 ? 128 : zero(random);
  return qg::QuantizedType::getPerAxis(&getContext(), c.format, axis, scales,
                                       zeros, c.group, c.table);
}

/// A product of `x` with a constant that has every code of the format but those
/// that are unused.
OwningOpRef<ModuleOp> GroupFormats::makeModule(const Shape &shape,
                                               bool isDynamic,
                                               bool isTransposed,
                                               bool isRounded) {
  MLIRContext &context = getContext();
  OpBuilder b(&context);
  Location loc = b.getUnknownLoc();
  Type f32 = b.getF32Type();
  const IntegerFormat &row = *lookupIntegerFormat(GetParam().format);
  auto weightType =
      RankedTensorType::get(isTransposed ? ArrayRef<int64_t>{shape.n, shape.k}
                                         : ArrayRef<int64_t>{shape.k, shape.n},
                            makeType(isTransposed ? 0 : 1, shape.n, shape.k));
  Tensor weight(*qg::getDType(weightType.getElementType()),
                weightType.getShape());
  int64_t lowest = row.min() + GetParam().unused;
  for (int64_t i = 0, e = weight.numElements(); i < e; ++i)
    weight.setInt(i, lowest + (i * 7 + i / 5) % (row.max() - lowest + 1));
  Tensor bias = makeRandom(DType::f32, {shape.n}, -1, 1, 5);
  Type x8 = qg::QuantizedType::getPerTensor(&context, "ui8", 0.02f, 117);
  Type y8 = qg::QuantizedType::getPerTensor(&context, "ui8", 0.05f, 131);
  auto xType = RankedTensorType::get({shape.m, shape.k}, isDynamic ? f32 : x8);
  auto yType = RankedTensorType::get({shape.m, shape.n}, isRounded ? y8 : f32);
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  b.setInsertionPointToEnd(module->getBody());
  auto main =
      func::FuncOp::create(b, loc, "main", b.getFunctionType({xType}, {yType}));
  main.setArgAttr(0, "qg.name", b.getStringAttr("x"));
  main.setResultAttr(0, "qg.name", b.getStringAttr("y"));
  b.setInsertionPointToEnd(main.addEntryBlock());
  Value w = qg::createConstant(b, loc, weight, weightType);
  Value v =
      qg::createConstant(b, loc, bias, RankedTensorType::get({shape.n}, f32));
  UnitAttr transposed = isTransposed ? b.getUnitAttr() : UnitAttr();
  Value y;
  if (isDynamic)
    y = qg::DynamicMatmulOp::create(b, loc, yType, main.getArgument(0), w, v,
                                    transposed);
  else
    y = qg::MatmulOp::create(b, loc, yType, main.getArgument(0), w, v,
                             transposed, DenseI64ArrayAttr());
  func::ReturnOp::create(b, loc, y);
  EXPECT_TRUE(succeeded(module->verify()));
  return module;
}

void expectEqual(const Tensor &expected, const Tensor &got, StringRef what) {
  ASSERT_EQ(expected.numBytes(), got.numBytes());
  EXPECT_EQ(std::memcmp(expected.data(), got.data(), got.numBytes()), 0)
      << what.str();
}

TEST_P(GroupFormats, InterpreterAndCodeAgree) {
  // Groups that end with the row, and a rest.
  for (int kind = 0; kind < 3; ++kind) {
    Shape shape{5, kind == 2 ? 100 : 96, kind == 0 ? 40 : 19};
    bool isDynamic = kind == 0, isRounded = kind == 1;
    SCOPED_TRACE(testing::Message() << shape.k << " kind " << kind);
    OwningOpRef<ModuleOp> module =
        makeModule(shape, isDynamic, kind == 2, isRounded);
    Tensor x =
        makeRandom(isDynamic ? DType::f32 : DType::u8, {shape.m, shape.k},
                   isDynamic ? -3 : 0, isDynamic ? 3 : 255, 3);
    auto reference = createInterpreter(*module);
    ASSERT_TRUE(reference.ok());
    auto expected = (*reference)->run({x});
    ASSERT_TRUE(expected.ok()) << expected.status().ToString();
    PassManager manager(&getContext());
    manager.addPass(createConvertQGToFXP());
    ASSERT_TRUE(succeeded(manager.run(*module)));
    // Stored integers are signless behind the conversion.
    Tensor bytes = isDynamic ? x : x.bitcast(DType::i8);
    auto integers = createInterpreter(*module);
    ASSERT_TRUE(integers.ok());
    auto exact = (*integers)->run({bytes});
    ASSERT_TRUE(exact.ok()) << exact.status().ToString();
    expectEqual((*expected)[0], (*exact)[0], "the integer dialect");
    // Formats differ in kernels; the plain loops see bytes.
    for (bool useKernels : {true, false}) {
      if (!useKernels && GetParam().name != "si4" && GetParam().name != "nf4")
        continue;
      CPUOptions options;
      options.useKernels = useKernels;
      auto executor = makeJitFactory(options, 1)(*module);
      ASSERT_TRUE(executor.ok()) << executor.status().ToString();
      auto got = (*executor)->run({x});
      ASSERT_TRUE(got.ok()) << got.status().ToString();
      expectEqual((*expected)[0], (*got)[0],
                  useKernels ? "kernels" : "no kernels");
    }
  }
}

/// Few levels: kernels that multiply bytes sum in 16 bits what lies between the
/// lowest level and the highest that weights have.
TEST_P(FewLevels, ProductsOfBytes) {
#if defined(__x86_64__)
  OwningOpRef<ModuleOp> module = makeModule({3, 64, 9}, false, true, false);
  Tensor x = makeRandom(DType::u8, {3, 64}, 0, 255, 3);
  auto reference = createInterpreter(*module);
  ASSERT_TRUE(reference.ok());
  auto expected = (*reference)->run({x});
  ASSERT_TRUE(expected.ok()) << expected.status().ToString();
  PassManager manager(&getContext());
  manager.addPass(createConvertQGToFXP());
  ASSERT_TRUE(succeeded(manager.run(*module)));
  CPUOptions options;
  options.cpu = "x86-64-v3";
  auto executor = makeJitFactory(options, 1)(*module);
  ASSERT_TRUE(executor.ok()) << executor.status().ToString();
  auto got = (*executor)->run({x});
  ASSERT_TRUE(got.ok()) << got.status().ToString();
  expectEqual((*expected)[0], (*got)[0], "x86-64-v3");
#endif
}

INSTANTIATE_TEST_SUITE_P(
    All, FewLevels,
    testing::Values(
        FormatCase{"top", "lut2", 32, {-127, -126, -125, 127}, 3},
        FormatCase{"high", "lut2", 32, {-127, 40, 90, 127}, 1},
        FormatCase{"bottom", "lut2", 32, {-127, -127, -127, -127}, 0},
        FormatCase{"negative", "lut2", 32, {0, -1, -60, -128}, 1},
        FormatCase{"zero", "lut2", 32, {0, 0, 0, 0}, 0}),
    [](const auto &info) { return info.param.name; });

/// Every row of Formats.def that weights can have, by channel and by group.
std::vector<FormatCase> allFormats() {
  std::vector<FormatCase> cases;
  for (const Element &element : getElements())
    for (int64_t group : {0, 32, 48, 7}) {
      bool isTable = !element.levels.empty();
      if ((group == 7 && element.stored->bits != 4) ||
          (group == 48 && !isTable))
        continue;
      std::string stored = element.stored->name;
      cases.push_back({element.name.str(), stored, group,
                       {element.levels.begin(), element.levels.end()}});
      if (!element.isLearned)
        continue;
      // As learned: no zero, no order that kernels could rely on, both ends.
      std::vector<int8_t> table;
      for (size_t i = 0; i < element.levels.size(); ++i)
        table.push_back(int8_t(127 - 7 * i));
      table.back() = -128;
      cases.push_back({element.name.str() + "learned", stored, group, table});
    }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(All, GroupFormats, testing::ValuesIn(allFormats()),
                         [](const auto &info) {
                           return info.param.name + "g" +
                                  std::to_string(info.param.group);
                         });
} // namespace
