//===- PlanProbe.cpp - One network, many weights --------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Marks are floats of a magnitude that no network has; where every one of them
// is found again, the places are known whatever the packing did.
//===----------------------------------------------------------------------===//
#include "qopt/Planning/PlanProbe.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Support/Diagnostics.h"
#include "qopt/Target/CPU/Emit.h"

#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/Parallel.h"
#include <map>

using namespace qopt;

/// 3.7e19 as bits: finite, and followed by five hundred million others.
static constexpr uint32_t kFirstMark = 0x60000000;

static Tensor makeMarks(const Tensor &like, uint32_t first) {
  Tensor marks(DType::f32, like.shape());
  for (auto [i, value] : llvm::enumerate(marks.mutableSpan<float>()))
    value = llvm::bit_cast<float>(kFirstMark + first + uint32_t(i));
  return marks;
}

absl::StatusOr<std::unique_ptr<PlanProbe>>
PlanProbe::open(mlir::ModuleOp module,
                llvm::ArrayRef<std::pair<std::string, std::string>> names) {
  std::unique_ptr<PlanProbe> probe(new PlanProbe);
  mlir::OwningOpRef<mlir::ModuleOp> marked(module.clone());
  std::map<std::pair<std::string, std::string>, LinearOpInterface> ops;
  marked->walk([&](LinearOpInterface op) {
    ops[{qg::getUserName(op), op->getName().getStringRef().str()}] = op;
  });
  for (const auto &name : names) {
    auto it = ops.find(name);
    std::optional<Tensor> weight =
        it == ops.end() ? std::nullopt
                        : qg::matchConstant(it->second.getWeight());
    if (!weight || weight->dtype() != DType::f32)
      return Error(Code::Internal, "'" + name.first + "' has no f32 weight");
    LinearOpInterface op = it->second;
    Layer layer;
    layer.weight = *weight;
    layer.bias = Tensor(DType::f32, {op.countOutputs()});
    if (op.getBias()) {
      std::optional<Tensor> bias = qg::matchConstant(op.getBias());
      if (!bias || bias->dtype() != DType::f32)
        return Error(Code::Internal, "'" + name.first + "' has no f32 bias");
      layer.bias = *bias;
    }
    layer.firstWeight = probe->count;
    probe->count += uint32_t(layer.weight.numElements());
    layer.firstBias = probe->count;
    probe->count += uint32_t(layer.bias.numElements());
    mlir::OpBuilder builder(op);
    auto createMarks = [&](const Tensor &like, uint32_t first) {
      return qg::createConstant(
          builder, op.getLoc(), makeMarks(like, first),
          mlir::RankedTensorType::get(like.shape(), builder.getF32Type()),
          "marks");
    };
    op.setWeight(createMarks(layer.weight, layer.firstWeight));
    op.setBias(createMarks(layer.bias, layer.firstBias));
    probe->layers.push_back(std::move(layer));
  }
  CPUOptions options;
  options.symbol = probe->symbol = "probe";
  options.optLevel = 1;
  // They are changed there.
  options.weights = WeightsPlace::Object;
  options.returnsLengths = true;
  absl::StatusOr<CompiledModel> compiled = compileForCPU(*marked, options);
  if (!compiled.ok())
    return withCode(compiled.status(), Code::UnsupportedLowering);
  probe->object = std::move(compiled->object);
  QOPT_RETURN_IF_ERROR(probe->findWords(compiled->info.weightsBytes));
  return probe;
}

absl::Status PlanProbe::findWords(uint64_t weightsBytes) {
  auto fail = [](const llvm::Twine &what) -> absl::Status {
    return Error(Code::Internal, "the probe's object " + what);
  };
  auto file = llvm::object::ObjectFile::createObjectFile(
      llvm::MemoryBufferRef(object, "probe"));
  if (!file)
    return fail("cannot be read: " + llvm::toString(file.takeError()));
  uint64_t begin = 0;
  for (const llvm::object::SymbolRef &entry : (*file)->symbols()) {
    auto name = entry.getName();
    auto section = entry.getSection();
    auto value = entry.getValue();
    if (!name || !section || !value)
      return fail("has a broken symbol");
    if (*name != "qopt_weights")
      continue;
    auto contents = (*section)->getContents();
    if (!contents || *value + weightsBytes > contents->size())
      return fail("has no weights");
    begin = uint64_t(contents->data() - object.data()) + *value;
  }
  if (!begin)
    return fail("has no symbol of its weights");
  std::vector<bool> isFound(count);
  for (uint64_t at = begin; at + 4 <= begin + weightsBytes; at += 4) {
    uint32_t index =
        llvm::support::endian::read32le(object.data() + at) - kFirstMark;
    if (index >= count)
      continue;
    words.push_back({at, index});
    isFound[index] = true;
  }
  if (llvm::is_contained(isFound, false))
    return fail("does not hold all weights as they are");
  return absl::OkStatus();
}

void PlanProbe::set(size_t index, const Tensor &weight, const Tensor &bias) {
  layers[index].newWeight = weight;
  layers[index].newBias = bias;
  executor.reset();
}

void PlanProbe::reset() {
  for (size_t i = 0; i < layers.size(); ++i)
    set(i, Tensor(), Tensor());
}

/// Numbers in the order of the marks.
void PlanProbe::collect(std::vector<float> &values) const {
  values.reserve(count);
  for (const Layer &layer : layers)
    for (auto [own, other] : {std::pair(&layer.weight, &layer.newWeight),
                              std::pair(&layer.bias, &layer.newBias)}) {
      const Tensor &taken =
          other->data() && other->shape() == own->shape() ? *other : *own;
      llvm::ArrayRef<float> span = taken.span<float>();
      values.insert(values.end(), span.begin(), span.end());
    }
}

absl::Status PlanProbe::load() {
  std::vector<float> values;
  collect(values);
  for (const Word &word : words)
    llvm::support::endian::write32le(
        object.data() + word.offset,
        llvm::bit_cast<uint32_t>(values[word.index]));
  // Results do not depend on the number of threads.
  unsigned threads = llvm::parallel::strategy.compute_thread_count();
  QOPT_ASSIGN(std::unique_ptr<JitProgram> program,
              loadObject(object, symbol, threads));
  executor = makeExecutor(std::move(program));
  return absl::OkStatus();
}

absl::StatusOr<llvm::SmallVector<Tensor>>
PlanProbe::run(llvm::ArrayRef<Tensor> inputs) {
  if (!executor)
    QOPT_RETURN_IF_ERROR(load());
  return executor->run(inputs);
}
