//===- CompositeTest.cpp - Composite ops are their parts ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Random composite ops, run whole and after qg-decompose-composites: the same
// bits. What the numbers are is compared with ONNX in test/python.
//===----------------------------------------------------------------------===//
#include "RunModule.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Pass/PassManager.h"
#include "qopt/Dialect/QG/IR/QGComposite.h"
#include "qopt/Transforms/Passes.h"

#include "llvm/ADT/StringExtras.h"
#include <random>
#include <set>

using namespace qopt;
using namespace qopt::test;
using Shape = llvm::SmallVector<int64_t>;

namespace {
struct Operand {
  std::string type; // element type as text
  Shape shape;
  double low = -2, high = 2;
};

/// One op with random shapes and attributes.
struct Case {
  std::string text; // op with operands %0, %1, ... and attributes
  std::vector<Operand> operands;
  Operand result;
};

class Generator {
public:
  explicit Generator(uint64_t seed) : engine(seed) {}

  int64_t pick(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(engine);
  }
  template <typename T> T any(std::initializer_list<T> values) {
    return values.begin()[pick(0, int64_t(values.size()) - 1)];
  }
  bool coin() { return pick(0, 1); }
  std::string floatType() {
    return any<const char *>({"f32", "f32", "f64", "f16", "bf16"});
  }

  Case normalize();
  Case attention();
  Case rotary();
  Case gate();
  Case cacheAppend();

private:
  std::mt19937_64 engine;
};
} // namespace

Case Generator::normalize() {
  Operand x{floatType(), {}};
  for (int64_t i = 0, rank = pick(1, 4); i < rank; ++i)
    x.shape.push_back(any<int64_t>({1, 2, 5, 17}));
  Shape axes;
  for (int64_t i = 0; i < int64_t(x.shape.size()); ++i)
    if (coin())
      axes.push_back(i);
  if (axes.empty())
    axes.push_back(int64_t(x.shape.size()) - 1);
  std::string text =
      std::string("qg.normalize ") +
      any<const char *>({"reciprocal", "quotient", "rsqrt"}) + " %0 axes [" +
      llvm::join(
          llvm::map_range(axes, [](int64_t a) { return std::to_string(a); }),
          ", ") +
      "] epsilon 1.0e-5" + (coin() ? " centered" : "");
  return {text, {x}, x};
}

Case Generator::attention() {
  int64_t batch = pick(1, 2), groups = pick(1, 2), heads = groups * pick(1, 3),
          queries = any<int64_t>({1, 2, 7}), keys = any<int64_t>({1, 3, 9}),
          depth = any<int64_t>({1, 4, 5}), width = any<int64_t>({1, 4, 6});
  std::string type = floatType();
  Case c;
  c.operands = {{type, {batch, heads, queries, depth}},
                {type, {batch, groups, keys, depth}},
                {type, {batch, groups, keys, width}}};
  c.result = {type, {batch, heads, queries, width}};
  c.text = "qg.attention %0, %1, %2";
  if (coin()) {
    Operand mask{coin() ? "i1" : type, {queries, keys}, 0, 1};
    if (coin())
      mask.shape = {batch, 1, 1, std::max<int64_t>(keys - 1, 1)};
    c.text += " mask %" + std::to_string(c.operands.size());
    c.operands.push_back(mask);
  }
  bool hasLengths = coin();
  if (hasLengths) {
    c.text += " lengths %" + std::to_string(c.operands.size());
    c.operands.push_back({"i64", {batch}, 0, double(keys)});
  }
  std::string sep = " scale 0.3 {";
  c.text += sep + "qg.test";
  if (coin())
    c.text += ", causal";
  if (coin())
    c.text += ", left_window = " + std::to_string(pick(0, 3)) + " : i64";
  if (coin())
    c.text += ", right_window = " + std::to_string(pick(0, 3)) + " : i64";
  if (!hasLengths && coin())
    c.text += ", offset = " + std::to_string(pick(0, 3)) + " : i64";
  if (coin())
    c.text += ", softcap = 1.5";
  if (coin())
    c.text += ", softmax_type = f32";
  c.text += "}";
  return c;
}

Case Generator::rotary() {
  std::string type = floatType();
  int64_t half = pick(1, 4), rest = any<int64_t>({0, 0, 3});
  Operand x{type, {pick(1, 2), pick(1, 3), pick(1, 5), 2 * half + rest}};
  Operand table{type, {x.shape[2], half}, -1, 1};
  if (coin())
    table.shape = {x.shape[0], 1, x.shape[2], half};
  return {std::string("qg.rotary %0, %1, %2") + (coin() ? " interleaved" : ""),
          {x, table, table},
          x};
}

Case Generator::gate() {
  std::string kind =
      any<const char *>({"sigmoid", "relu", "swish", "gelu", "gelu_tanh"});
  Operand x{floatType(), {pick(1, 3), any<int64_t>({1, 7, 16})}};
  std::string alpha = kind == "swish" && coin() ? " {alpha = 1.702}" : "";
  return {"qg.gate " + kind + " %0, %1" + alpha, {x, x}, x};
}

Case Generator::cacheAppend() {
  Operand cache{any<const char *>({"f32", "f16", "i8"}), {}, -100, 100};
  int64_t rank = pick(2, 4), axis = pick(1, rank - 1);
  for (int64_t i = 0; i < rank; ++i)
    cache.shape.push_back(pick(1, 5));
  Operand update = cache;
  update.shape[axis] = pick(1, cache.shape[axis]);
  Case c{"qg.cache_append %0, %1", {cache, update}, cache};
  bool circular = coin();
  if (coin()) {
    c.text += " start %2";
    // Positions that wrap, or fall out of the cache.
    c.operands.push_back({"i64", {cache.shape[0]}, -3, 9});
  }
  c.text += " axis " + std::to_string(axis) + (circular ? " circular" : "");
  return c;
}

static std::string getType(const Operand &operand) {
  std::string text = "tensor<";
  for (int64_t extent : operand.shape)
    text += std::to_string(extent) + "x";
  return text + operand.type + ">";
}

static std::string getModule(const Case &c) {
  std::string arguments, types;
  for (auto [i, operand] : llvm::enumerate(c.operands)) {
    std::string comma = i ? ", " : "", type = getType(operand);
    arguments += comma + "%a" + std::to_string(i) + ": " + type;
    types += comma + type;
  }
  std::string op = c.text;
  for (size_t i = 0; (i = op.find('%', i)) != std::string::npos; i += 2)
    op.insert(i + 1, "a");
  std::string result = getType(c.result);
  std::string signature = "(" + types + ") -> " + result;
  if (llvm::StringRef(op).starts_with("qg.normalize"))
    signature = types + " -> " + result;
  return "func.func @main(" + arguments + ") -> " + result +
         " {\n  %y = " + op + " : " + signature + "\n  return %y : " + result +
         "\n}\n";
}

static std::vector<Tensor> makeInputs(const Case &c, uint64_t seed) {
  std::vector<Tensor> inputs;
  for (const Operand &operand : c.operands) {
    mlir::Type type = mlir::parseType(operand.type, &getContext());
    inputs.push_back(makeRandom(*qg::getDType(type), operand.shape, operand.low,
                                operand.high, seed + inputs.size()));
  }
  return inputs;
}

static llvm::StringRef getBytes(const Tensor &tensor) {
  return {tensor.data(),
          size_t(tensor.numElements()) * getByteWidth(tensor.dtype())};
}

/// Compares the op with its parts in every bit.
static void compareWithParts(const Case &c, uint64_t seed) {
  std::string text = getModule(c);
  SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + text);
  std::vector<Tensor> inputs = makeInputs(c, seed);
  mlir::OwningOpRef<mlir::ModuleOp> parts = parse(text);
  ASSERT_TRUE(parts);
  auto whole = createInterpreter(*parts);
  ASSERT_TRUE(whole.ok());
  auto expected = (*whole)->run(inputs);
  ASSERT_TRUE(expected.ok()) << expected.status().ToString();
  mlir::PassManager manager(&getContext());
  manager.addNestedPass<mlir::func::FuncOp>(createDecomposeComposites());
  ASSERT_TRUE(mlir::succeeded(manager.run(*parts)));
  parts->walk([](CompositeOpInterface op) {
    ADD_FAILURE() << op->getName().getStringRef().str() << " is left";
  });
  auto apart = createInterpreter(*parts);
  ASSERT_TRUE(apart.ok());
  auto actual = (*apart)->run(inputs);
  ASSERT_TRUE(actual.ok()) << actual.status().ToString();
  ASSERT_EQ(expected->front().shape(), actual->front().shape());
  EXPECT_EQ(getBytes(expected->front()), getBytes(actual->front()));
}

using Make = Case (Generator::*)();

class Composites
    : public testing::TestWithParam<std::pair<const char *, Make>> {};

TEST_P(Composites, EqualTheirParts) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    Generator generator(seed);
    compareWithParts((generator.*GetParam().second)(), seed);
    if (HasFailure())
      return;
  }
}

static const std::pair<const char *, Make> kOps[] = {
    {"qg.normalize", &Generator::normalize},
    {"qg.attention", &Generator::attention},
    {"qg.rotary", &Generator::rotary},
    {"qg.gate", &Generator::gate},
    {"qg.cache_append", &Generator::cacheAppend}};

INSTANTIATE_TEST_SUITE_P(All, Composites, testing::ValuesIn(kOps),
                         [](const auto &info) {
                           return std::string(info.param.first).substr(3);
                         });

/// A composite op without a generator is a hole in the test above.
TEST(CompositesTest, EveryOpIsTried) {
  getContext().loadDialect<qg::QGDialect>();
  std::set<std::string> tried, registered;
  for (const auto &[name, make] : kOps)
    tried.insert(name);
  for (mlir::RegisteredOperationName op :
       getContext().getRegisteredOperations())
    if (op.hasInterface<CompositeOpInterface>())
      registered.insert(op.getStringRef().str());
  EXPECT_EQ(tried, registered);
}
