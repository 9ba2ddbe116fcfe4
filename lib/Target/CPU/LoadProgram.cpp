//===- LoadProgram.cpp - Compiled models in this process ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The same object that is written to a file is loaded by ORC's LLJIT, so what
// is tested in process is what is shipped.
//===----------------------------------------------------------------------===//
#include "qopt-rt/qopt_pool.h"
#include "qopt/Target/CPU/Emit.h"

#include "absl/strings/str_cat.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/MemAlloc.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"

#include <cstring>
#include <dlfcn.h>

using namespace qopt;
using RunFunction = int (*)(const qopt_call *);
using InfoFunction = const qopt_info *(*)();

namespace {
/// A program whose code is somewhere; owners of the code derive from it.
class LoadedProgram : public JitProgram {
public:
  ~LoadedProgram() override {
    qopt_pool_destroy(pool);
    if (arena)
      llvm::deallocate_buffer(arena, arenaBytes, 64);
  }

  const qopt_info &info() const override { return *description; }

  llvm::ArrayRef<int64_t> lengths() const override { return numbers; }

  absl::Status run(llvm::ArrayRef<const void *> inputs,
                   llvm::ArrayRef<void *> outputs) override {
    qopt_call2 call2 = {};
    qopt_call &call = call2.call;
    call.abi = description->abi;
    call2.result_lengths = numbers.data();
    call.inputs = inputs.data();
    call.outputs = outputs.data();
    call.arena = arena;
    call.weights = weights.get();
    if (pool) {
      call.threads = qopt_pool_threads(pool);
      call.parallel_for = qopt_pool_parallel_for;
      call.pool = pool;
    }
    if (hook) {
      call.layer_hook = [](void *self, uint32_t layer, uint32_t phase) {
        static_cast<LoadedProgram *>(self)->hook(layer, phase == 1);
      };
      call.hook_context = this;
    }
    if (int code = runFunction(&call))
      return absl::InternalError(
          absl::StrCat("the compiled model refused the call with code ", code));
    return absl::OkStatus();
  }

  void setLayerHook(LayerHook newHook) override { hook = std::move(newHook); }

  void setThreads(unsigned threads) override {
    qopt_pool_destroy(pool);
    pool = threads > 1 ? qopt_pool_create(threads) : nullptr;
  }

protected:
  absl::Status start(RunFunction run, InfoFunction info, unsigned threads,
                     LoadedWeights loaded) {
    runFunction = run;
    weights = std::move(loaded);
    description = info();
    if (description->abi != QOPT_ABI && description->abi != QOPT_ABI2)
      return absl::FailedPreconditionError(
          absl::StrCat("expects a model of ABI ", QOPT_ABI, " or ", QOPT_ABI2,
                       ", got ", description->abi, "; compile it again"));
    if (description->abi == QOPT_ABI2) {
      const auto &info2 = *reinterpret_cast<const qopt_info2 *>(description);
      llvm::ArrayRef<qopt_dim> dims(info2.dims, info2.n_dims);
      if (info2.state_bytes || info2.n_entries != 1 ||
          llvm::any_of(dims, [](auto &dim) { return dim.is_result != 1; }))
        return absl::UnimplementedError(
            "expects a model of one entry, without state or lengths that the "
            "caller gives");
      numbers.resize(info2.n_dims);
    }
    arenaBytes = description->arena_bytes;
    if (arenaBytes)
      arena = llvm::allocate_buffer(arenaBytes, 64);
    setThreads(threads);
    return absl::OkStatus();
  }

private:
  RunFunction runFunction = nullptr;
  const qopt_info *description = nullptr;
  std::vector<int64_t> numbers;
  LoadedWeights weights;
  void *arena = nullptr;
  size_t arenaBytes = 0;
  qopt_pool *pool = nullptr;
  LayerHook hook;
};

class JitLoadedProgram : public LoadedProgram {
public:
  static absl::StatusOr<std::unique_ptr<JitProgram>>
  create(llvm::StringRef object, llvm::StringRef symbol, unsigned threads,
         LoadedWeights weights) {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    auto program = std::make_unique<JitLoadedProgram>();
    auto fail = [](llvm::Error error) {
      return absl::InternalError(absl::StrCat(
          "loading the object failed: ", llvm::toString(std::move(error))));
    };
    auto jit = llvm::orc::LLJITBuilder().create();
    if (!jit)
      return fail(jit.takeError());
    program->jit = std::move(*jit);
    // memcpy and its like come from this process.
    auto generator =
        llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
            program->jit->getDataLayout().getGlobalPrefix());
    if (!generator)
      return fail(generator.takeError());
    program->jit->getMainJITDylib().addGenerator(std::move(*generator));
    if (llvm::Error error = program->jit->addObjectFile(
            llvm::MemoryBuffer::getMemBufferCopy(object, "model")))
      return fail(std::move(error));
    auto run = program->jit->lookup((symbol + "_run").str());
    if (!run)
      return fail(run.takeError());
    auto info = program->jit->lookup((symbol + "_info").str());
    if (!info)
      return fail(info.takeError());
    if (absl::Status status = program->start(run->toPtr<RunFunction>(),
                                             info->toPtr<InfoFunction>(),
                                             threads, std::move(weights));
        !status.ok())
      return status;
    return program;
  }

private:
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

class LibraryProgram : public LoadedProgram {
public:
  ~LibraryProgram() override {
    if (handle)
      dlclose(handle);
  }
  static absl::StatusOr<std::unique_ptr<JitProgram>>
  create(llvm::StringRef path, llvm::StringRef symbol, unsigned threads,
         LoadedWeights weights) {
    auto program = std::make_unique<LibraryProgram>();
    // A name without a slash would be searched for in system folders.
    std::string file = path.contains('/') ? path.str() : "./" + path.str();
    program->handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!program->handle)
      return absl::NotFoundError(
          absl::StrCat("expects a shared library: ", dlerror()));
    void *run = dlsym(program->handle, (symbol + "_run").str().c_str());
    void *info = dlsym(program->handle, (symbol + "_info").str().c_str());
    if (!run || !info)
      return absl::InvalidArgumentError(
          absl::StrCat("expects '", path.str(), "' to define ", symbol.str(),
                       "_run and ", symbol.str(), "_info"));
    if (absl::Status status = program->start(
            reinterpret_cast<RunFunction>(run),
            reinterpret_cast<InfoFunction>(info), threads, std::move(weights));
        !status.ok())
      return status;
    return program;
  }

private:
  void *handle = nullptr;
};

/// The dimension of an output that has a length, if one has.
struct CountedAxis {
  size_t axis, length;
};

/// Behind all outputs of version 2 come lengths, as results of @main do.
class ProgramExecutor : public Executor {
public:
  explicit ProgramExecutor(std::unique_ptr<JitProgram> program)
      : program(std::move(program)) {}

  absl::StatusOr<llvm::SmallVector<Tensor>>
  run(llvm::ArrayRef<Tensor> inputs) override {
    const qopt_info &info = program->info();
    if (inputs.size() != info.n_inputs)
      return absl::InvalidArgumentError(absl::StrCat(
          "expects ", info.n_inputs, " inputs, got ", inputs.size()));
    llvm::SmallVector<const void *> sources;
    for (unsigned i = 0; i < info.n_inputs; ++i) {
      if (absl::Status status = check(info.inputs[i], inputs[i]); !status.ok())
        return status;
      sources.push_back(inputs[i].data());
    }
    llvm::SmallVector<Tensor> results;
    llvm::SmallVector<void *> targets;
    for (unsigned i = 0; i < info.n_outputs; ++i) {
      const qopt_tensor &output = info.outputs[i];
      results.push_back(Tensor(DType(output.dtype), getShape(output)));
      targets.push_back(results.back().mutableData());
    }
    if (absl::Status status = program->run(sources, targets); !status.ok())
      return status;
    for (auto [i, result] : llvm::enumerate(results))
      if (std::optional<CountedAxis> counted = getCounted(i))
        spread(result, counted->axis, program->lengths()[counted->length]);
    for (int64_t length : program->lengths()) {
      results.push_back(Tensor(DType::i64, {}));
      results.back().setInt(0, length);
    }
    return results;
  }

private:
  std::optional<CountedAxis> getCounted(size_t output) const {
    const qopt_info &info = program->info();
    if (info.abi != QOPT_ABI2)
      return std::nullopt;
    const auto &info2 = reinterpret_cast<const qopt_info2 &>(info);
    for (size_t axis = 0; axis < info.outputs[output].rank; ++axis)
      if (int32_t dim = info2.output_symbols[output].dims[axis]; dim >= 0)
        return CountedAxis{axis, size_t(dim)};
    return std::nullopt;
  }
  /// Rows that lie behind each other to where the bound has them, with zeros
  /// behind the `count` elements of each.
  static void spread(Tensor &x, size_t axis, int64_t count) {
    llvm::ArrayRef<int64_t> shape = x.shape();
    size_t inner =
        getByteWidth(x.dtype()) * getNumElements(shape.drop_front(axis + 1));
    size_t from = inner * count, to = inner * shape[axis];
    for (int64_t row = getNumElements(shape.take_front(axis)); row-- > 0;) {
      std::memmove(x.mutableData() + row * to, x.data() + row * from, from);
      std::memset(x.mutableData() + row * to + from, 0, to - from);
    }
  }
  static llvm::ArrayRef<int64_t> getShape(const qopt_tensor &tensor) {
    return {tensor.dims, tensor.rank};
  }
  static absl::Status check(const qopt_tensor &expected, const Tensor &got) {
    if (DType(expected.dtype) == got.dtype() &&
        getShape(expected) == got.shape())
      return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(
        "input '", expected.name, "' expects ",
        getName(DType(expected.dtype)).str(), " ",
        formatShape(getShape(expected)), ", got ", getName(got.dtype()).str(),
        " ", formatShape(got.shape())));
  }
  std::unique_ptr<JitProgram> program;
};
} // namespace

absl::StatusOr<std::unique_ptr<JitProgram>>
qopt::loadObject(llvm::StringRef object, llvm::StringRef symbol,
                 unsigned threads, LoadedWeights weights) {
  return JitLoadedProgram::create(object, symbol, threads, std::move(weights));
}

absl::StatusOr<std::unique_ptr<JitProgram>>
qopt::loadCompiled(const CompiledModel &model, unsigned threads) {
  LoadedWeights weights;
  if (model.weights && !model.weights->empty()) {
    auto placed = placeWeights(*model.weights);
    if (!placed.ok())
      return placed.status();
    weights = std::move(*placed);
  }
  return loadObject(model.object, model.symbol, threads, std::move(weights));
}

absl::StatusOr<std::unique_ptr<JitProgram>>
qopt::loadSharedLibrary(llvm::StringRef path, llvm::StringRef symbol,
                        unsigned threads, LoadedWeights weights) {
  return LibraryProgram::create(path, symbol, threads, std::move(weights));
}

std::unique_ptr<Executor>
qopt::makeExecutor(std::unique_ptr<JitProgram> program) {
  return std::make_unique<ProgramExecutor>(std::move(program));
}

ExecutorFactory qopt::makeJitFactory(CPUOptions options, unsigned threads) {
  // A module that is observed has more results, behind its lengths.
  options.returnsLengths = true;
  return
      [options, threads](
          mlir::ModuleOp module) -> absl::StatusOr<std::unique_ptr<Executor>> {
        auto model = compileForCPU(module, options);
        if (!model.ok())
          return model.status();
        auto program = loadCompiled(*model, threads);
        if (!program.ok())
          return program.status();
        return makeExecutor(std::move(*program));
      };
}
