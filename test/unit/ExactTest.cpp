//===- ExactTest.cpp - One program, the same bits everywhere --------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Random graphs through the interpreter and through code for several targets:
// no element may differ. QOPT_RANDOM_FIRST and QOPT_RANDOM_COUNT choose other
// seeds than 0 to 199; a failure prints its seed and its module.
//===----------------------------------------------------------------------===//
#include "RandomGraph.h"
#include "RunModule.h"
#include "qopt/Conversion/Passes.h"
#include "qopt/Target/CPU/Emit.h"

#include "mlir/IR/TypeUtilities.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdlib>
#include <map>

using namespace qopt;
using namespace qopt::test;

namespace {
struct Program {
  std::string text;
  mlir::OwningOpRef<mlir::ModuleOp> module; ///< the integer form
  /// `inputs` have the signedness that callers see, `expected` is storage.
  llvm::SmallVector<Tensor> inputs, expected;
};

uint64_t getNumber(const char *variable, uint64_t otherwise) {
  const char *text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// Inputs or results as the integer form has them.
llvm::SmallVector<Tensor> toStorage(llvm::ArrayRef<Tensor> tensors,
                                    mlir::TypeRange types) {
  llvm::SmallVector<Tensor> result(tensors.begin(), tensors.end());
  for (auto [tensor, type] : llvm::zip(result, types))
    if (auto ranked = llvm::cast<mlir::RankedTensorType>(type);
        ranked.getElementType().isSignlessInteger(8) &&
        tensor.dtype() == DType::u8)
      tensor = tensor.bitcast(DType::i8);
  return result;
}

/// What a random graph returns: what no op of it reads, or several values of
/// equal types.
enum class Results { Unread, Twins };

/// Makes the graph of a seed and its integer form; the interpreter must give
/// the same bits for both where requantization is f32, as qg defines it.
void prepare(uint64_t seed, Program &program,
             Results results = Results::Unread) {
  program.text = makeRandomGraph(seed);
  program.module = parse(program.text);
  ASSERT_TRUE(program.module) << program.text;
  if (results == Results::Twins) {
    addTwins(*program.module, seed);
    ASSERT_TRUE(mlir::succeeded(mlir::verify(*program.module)));
    program.text.clear();
    llvm::raw_string_ostream text(program.text);
    program.module->print(text);
  }
  SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + program.text);
  auto inputs = makeRandomInputs(*program.module, seed);
  auto main = program.module->lookupSymbol<mlir::func::FuncOp>("main");
  auto before = interpret(main, inputs);
  ASSERT_TRUE(before.ok()) << before.status().ToString();
  mlir::PassManager manager(&getContext());
  ConvertQGToFXPOptions options;
  options.requantizeMode = seed % 4 == 1   ? "fixed:31"
                           : seed % 8 == 2 ? "fixed:15"
                           : seed % 8 == 6 ? "pow2"
                                           : "f32";
  manager.addPass(createConvertQGToFXP(options));
  manager.addPass(mlir::createCanonicalizerPass());
  manager.addPass(mlir::createCSEPass());
  ASSERT_TRUE(mlir::succeeded(manager.run(*program.module)));
  main = program.module->lookupSymbol<mlir::func::FuncOp>("main");
  program.inputs = inputs;
  auto after = interpret(main, toStorage(inputs, main.getArgumentTypes()));
  ASSERT_TRUE(after.ok()) << after.status().ToString();
  program.expected = *after;
  if (options.requantizeMode == "f32")
    EXPECT_EQ(describeDifference(
                  toStorage(*before, main.getFunctionType().getResults()),
                  program.expected),
              "");
}

/// Which inner values a program returns beside its results. An accumulator that
/// is returned keeps its convolution apart from the rounding that follows.
enum class Inner { ButAccumulators, All };

/// Makes inner values results, and the interpreter's values expected ones.
void returnInnerValues(Program &program, Inner inner) {
  auto main = program.module->lookupSymbol<mlir::func::FuncOp>("main");
  mlir::Operation *end = main.front().getTerminator();
  llvm::SmallVector<mlir::Value> values(end->getOperands());
  for (mlir::Operation &op : main.front().without_terminator()) {
    bool isAccumulator =
        getElementTypeOrSelf(op.getResult(0)).isSignlessInteger(32);
    if (op.getNumOperands() > 0 && (inner == Inner::All || !isAccumulator) &&
        !llvm::is_contained(values, op.getResult(0)))
      values.push_back(op.getResult(0));
  }
  end->setOperands(values);
  main.setType(mlir::FunctionType::get(&getContext(), main.getArgumentTypes(),
                                       mlir::ValueRange(values).getTypes()));
  auto results =
      interpret(main, toStorage(program.inputs, main.getArgumentTypes()));
  ASSERT_TRUE(results.ok()) << results.status().ToString();
  program.expected = *results;
}

void compare(const Program &program, const CPUOptions &options,
             llvm::StringRef what) {
  auto compiled = compileForCPU(*program.module, options);
  ASSERT_TRUE(compiled.ok())
      << what.str() << ": " << compiled.status().ToString();
  for (unsigned threads : {1, 2}) {
    auto loaded = loadObject(compiled->object, compiled->symbol, threads);
    ASSERT_TRUE(loaded.ok()) << loaded.status().ToString();
    auto results = makeExecutor(std::move(*loaded))->run(program.inputs);
    ASSERT_TRUE(results.ok()) << results.status().ToString();
    EXPECT_EQ(describeDifference(program.expected, *results), "")
        << what.str() << ", " << threads << " threads";
  }
}

void writeFile(const std::string &path, llvm::ArrayRef<llvm::StringRef> parts) {
  std::error_code error;
  llvm::raw_fd_ostream file(path, error);
  ASSERT_FALSE(error) << path;
  for (llvm::StringRef part : parts)
    file << part;
}

/// The results that an executable wrote, of the shapes that are expected.
llvm::SmallVector<Tensor> readResults(const std::string &path,
                                      llvm::ArrayRef<Tensor> expected) {
  llvm::SmallVector<Tensor> results;
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer)
    return results;
  llvm::StringRef bytes = (*buffer)->getBuffer();
  for (const Tensor &like : expected) {
    Tensor tensor(like.dtype(), like.shape());
    if (bytes.size() < size_t(tensor.numBytes()))
      return {};
    std::memcpy(tensor.mutableData(), bytes.data(), tensor.numBytes());
    bytes = bytes.drop_front(tensor.numBytes());
    results.push_back(tensor);
  }
  return results;
}

int execute(const std::vector<std::string> &command) {
  std::vector<llvm::StringRef> arguments(command.begin(), command.end());
  auto program = llvm::sys::findProgramByName(command[0]);
  std::string message;
  int code = program
                 ? llvm::sys::ExecuteAndWait(*program, arguments, std::nullopt,
                                             {}, 120, 0, &message)
                 : -1;
  EXPECT_EQ(code, 0) << command[0] << ": " << message;
  return code;
}
} // namespace

TEST(Exact, RandomGraphsOnAArch64) {
  const char *source = std::getenv("QOPT_SOURCE");
  if (!source || !llvm::sys::findProgramByName("qemu-aarch64") ||
      !llvm::sys::findProgramByName("aarch64-linux-gnu-gcc"))
    GTEST_SKIP() << "needs QOPT_SOURCE, aarch64-linux-gnu-gcc and qemu-aarch64";
  llvm::SmallString<128> folder;
  ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("qopt-exact", folder));
  std::string root = folder.str().str() + "/", models = "-DMODELS=";
  std::vector<std::string> link = {
      "aarch64-linux-gnu-gcc",
      "-O1",
      "-static",
      "-I",
      std::string(source) + "/include",
      std::string(source) + "/test/Integration/Inputs/run_objects.c"};
  uint64_t first = getNumber("QOPT_RANDOM_FIRST", 0);
  uint64_t count = getNumber("QOPT_RANDOM_COUNT", 24);
  std::map<std::string, Program> programs;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    CPUOptions options;
    options.symbol = "g" + std::to_string(seed);
    Program &program = programs[options.symbol];
    prepare(seed, program);
    ASSERT_FALSE(HasFatalFailure());
    options.triple = "aarch64-linux-gnu";
    options.cpu = "generic";
    options.features = seed % 3 == 2 ? "" : "+dotprod";
    options.optLevel = seed % 6 == 0 ? 3 : 1;
    auto compiled = compileForCPU(*program.module, options);
    ASSERT_TRUE(compiled.ok()) << program.text << compiled.status().ToString();
    link.push_back(root + options.symbol + ".o");
    writeFile(link.back(), {compiled->object});
    llvm::SmallVector<llvm::StringRef> inputs;
    for (const Tensor &input : program.inputs)
      inputs.push_back({input.data(), size_t(input.numBytes())});
    writeFile(root + options.symbol + ".in", inputs);
    models += "X(" + options.symbol + ") ";
  }
  link.insert(link.end(), {models, "-o", root + "run"});
  ASSERT_EQ(execute(link), 0);
  ASSERT_EQ(execute({"qemu-aarch64", root + "run", folder.str().str()}), 0);
  for (auto &[name, program] : programs)
    EXPECT_EQ(
        describeDifference(program.expected,
                           readResults(root + name + ".out", program.expected)),
        "")
        << name << "\n"
        << program.text;
  llvm::sys::fs::remove_directories(folder);
}

/// Calls body(seed, program) for the graphs of QOPT_RANDOM_FIRST and
/// QOPT_RANDOM_COUNT, or of the seeds given here.
static void forEachGraph(uint64_t defaultFirst, uint64_t defaultCount,
                         llvm::function_ref<void(uint64_t, Program &)> body,
                         Results results = Results::Unread) {
  uint64_t first = getNumber("QOPT_RANDOM_FIRST", defaultFirst);
  uint64_t count = getNumber("QOPT_RANDOM_COUNT", defaultCount);
  for (uint64_t seed = first; seed < first + count; ++seed) {
    Program program;
    prepare(seed, program, results);
    if (!program.module || program.expected.empty())
      continue;
    SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + program.text);
    body(seed, program);
  }
}

TEST(Exact, RandomGraphsOnThisMachine) {
  forEachGraph(0, 200, [](uint64_t seed, Program &program) {
    CPUOptions options;
    options.optLevel = seed % 10 == 0 ? 3 : 1;
    compare(program, options, "native");
#if defined(__x86_64__)
    // With the dot product of AVX2, and with vectors of four lanes.
    if (seed % 3 < 2) {
      options.cpu = seed % 3 ? "x86-64" : "x86-64-v3";
      options.features = seed % 3 ? "+fma,+f16c" : "";
      compare(program, options, options.cpu);
    }
#endif
    if (seed % 3 == 2) {
      options.useKernels = false;
      compare(program, options, "loops only");
    }
  });
}

/// Every tensor between the ops, not only what a graph returns: two errors that
/// cancel, or that saturation hides, show here.
TEST(Exact, InnerValuesOfRandomGraphs) {
  forEachGraph(1000, 60, [](uint64_t seed, Program &program) {
    returnInnerValues(program, seed % 3 ? Inner::ButAccumulators : Inner::All);
    CPUOptions options;
    options.optLevel = 1;
    compare(program, options, "native");
  });
}

/// Results of equal shapes out of every kind of op; a third of the graphs
/// return everything.
TEST(Exact, SeveralResultsOfRandomGraphs) {
  forEachGraph(
      2000, 100,
      [](uint64_t seed, Program &program) {
        if (seed % 3 == 0)
          returnInnerValues(program,
                            seed % 2 ? Inner::ButAccumulators : Inner::All);
        CPUOptions options;
        options.optLevel = 1;
        options.useKernels = seed % 4 != 3;
        compare(program, options, "native");
      },
      Results::Twins);
}
