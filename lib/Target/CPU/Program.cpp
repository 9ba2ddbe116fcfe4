//===- Program.cpp - Read the steps of @main ------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Buffers become places: arena offsets, offsets in the weights blob, inputs,
// outputs. Equal constants are stored once.
//===----------------------------------------------------------------------===//
#include "Program.h"
#include "qopt/Dialect/QG/IR/HostTypes.h"
#include "qopt/Dialect/QG/IR/ResultLengths.h"
#include "qopt/Dialect/QG/IR/StoredConstants.h"
#include "qopt/Target/Integer/HostPart.h"
#include "qopt/Target/Memory/Steps.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace qopt;

static absl::StatusOr<TensorInfo>
describeTensor(Type type, DictionaryAttr attributes, StringRef fallback) {
  TensorInfo info;
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape())
    return absl::InvalidArgumentError(
        "expects tensors of static shape at the interface of @main");
  info.name = fallback.str();
  if (attributes)
    if (auto name = attributes.getAs<StringAttr>("qg.name"))
      info.name = name.getValue().str();
  std::optional<DType> dtype = qg::getHostType(tensor, attributes);
  if (!dtype)
    return absl::UnimplementedError("tensor '" + info.name +
                                    "' has an element type that no array has");
  info.dtype = *dtype;
  info.shape.assign(tensor.getShape().begin(), tensor.getShape().end());
  if (qg::QuantizedType encoding = qg::getHostEncoding(tensor, attributes))
    setEncoding(info.stored, encoding);
  return info;
}

/// Outputs that are lengths become such, with the least bound of what they
/// count.
static absl::Status separateLengths(func::FuncOp main, ModelInfo &info) {
  auto lengths = qg::getResultLengths(main);
  if (!lengths)
    return absl::InvalidArgumentError(llvm::toString(lengths.takeError()));
  size_t own = qg::countOwnResults(*lengths, info.outputs.size());
  for (const TensorInfo &length : llvm::drop_begin(info.outputs, own))
    info.lengths.push_back({length.name, std::numeric_limits<int64_t>::max()});
  info.outputs.resize(own);
  for (const qg::ResultLength &dim : *lengths) {
    TensorInfo &output = info.outputs[dim.result];
    output.countedAxis = dim.axis;
    output.length = dim.length - own;
    int64_t &bound = info.lengths[output.length].bound;
    bound = std::min(bound, output.shape[dim.axis]);
  }
  return absl::OkStatus();
}

absl::StatusOr<ModelInfo> qopt::describeInterface(ModuleOp module,
                                                  bool returnsLengths) {
  func::FuncOp main = getMain(module);
  if (!main || main.isExternal() || !llvm::hasSingleElement(main.getBody()))
    return absl::InvalidArgumentError(
        "expects a module with a function @main of one block");
  ModelInfo info;
  FunctionType type = main.getFunctionType();
  for (auto [i, input] : llvm::enumerate(type.getInputs())) {
    auto tensor = describeTensor(input, main.getArgAttrDict(i),
                                 "input_" + std::to_string(i));
    if (!tensor.ok())
      return tensor.status();
    info.inputs.push_back(*tensor);
  }
  for (auto [i, output] : llvm::enumerate(type.getResults())) {
    auto tensor = describeTensor(output, main.getResultAttrDict(i),
                                 "output_" + std::to_string(i));
    if (!tensor.ok())
      return tensor.status();
    info.outputs.push_back(*tensor);
  }
  if (!returnsLengths)
    if (absl::Status status = separateLengths(main, info); !status.ok())
      return status;
  return info;
}

namespace {
/// Places of constants by their names.
class WeightsCollector {
public:
  explicit WeightsCollector(WeightsImage &image) : image(image) {}

  /// Offset of the bytes of a global.
  FailureOr<int64_t> add(memref::GlobalOp global) {
    auto known = offsets.find(global.getSymName());
    if (known != offsets.end())
      return known->second;
    auto type = cast<MemRefType>(global.getType());
    auto value = dyn_cast_or_null<ElementsAttr>(global.getInitialValueAttr());
    if (!value)
      return failure();
    FailureOr<StoredArray> array = qg::getStoredArray(
        value, RankedTensorType::get(type.getShape(), type.getElementType()));
    if (failed(array))
      return failure();
    int64_t offset = image.add(*array);
    offsets[global.getSymName()] = offset;
    return offset;
  }

private:
  WeightsImage &image;
  llvm::StringMap<int64_t> offsets;
};
} // namespace

namespace {
/// Reads the tree of steps.
class ProgramReader {
public:
  ProgramReader(ModuleOp module, StepProgram &program)
      : symbols(module), program(program), weights(*program.weights) {}

  absl::StatusOr<SequenceStep> readBlock(Block &block);

private:
  absl::StatusOr<CallStep> readCall(func::CallOp call);
  absl::StatusOr<LoopStep> readLoop(scf::ForOp loop);
  absl::StatusOr<ChoiceStep> readChoice(scf::IfOp choice);
  absl::StatusOr<BufferPlace> getPlace(Value buffer);

  SymbolTable symbols;
  StepProgram &program;
  WeightsCollector weights;
};
} // namespace

absl::StatusOr<BufferPlace> ProgramReader::getPlace(Value buffer) {
  if (auto argument = dyn_cast<BlockArgument>(buffer)) {
    Operation *parent = argument.getOwner()->getParentOp();
    if (auto loop = dyn_cast<scf::ForOp>(parent);
        loop && argument == loop.getInductionVar())
      if (auto offset = loop->getAttrOfType<IntegerAttr>("qopt.offset"))
        return BufferPlace{BufferPlace::Counter, offset.getInt()};
    if (!isa<func::FuncOp>(parent))
      return absl::InternalError("a step uses a buffer that a loop carries");
    int64_t inputs = program.info.inputs.size(),
            index = argument.getArgNumber();
    if (index < inputs)
      return BufferPlace{BufferPlace::Input, index};
    return BufferPlace{BufferPlace::Output, index - inputs};
  }
  Operation *op = buffer.getDefiningOp();
  if (auto alloc = dyn_cast<memref::AllocOp>(op))
    if (auto offset = alloc->getAttrOfType<IntegerAttr>("qopt.offset"))
      return BufferPlace{BufferPlace::Arena, offset.getInt()};
  if (auto get = dyn_cast<memref::GetGlobalOp>(op)) {
    auto global = symbols.lookup<memref::GlobalOp>(get.getName());
    FailureOr<int64_t> offset = weights.add(global);
    if (succeeded(offset))
      return BufferPlace{BufferPlace::Weights, *offset};
  }
  return absl::InternalError("a step uses a buffer without a place: " +
                             op->getName().getStringRef().str());
}

void qopt::forEachCall(const SequenceStep &sequence,
                       llvm::function_ref<void(const CallStep &)> visit) {
  for (const ProgramStep &step : sequence.steps)
    std::visit(
        llvm::makeVisitor(
            [&](const CallStep &call) { visit(call); },
            [&](const SequenceStep &inner) { forEachCall(inner, visit); },
            [&](const LoopStep &loop) { forEachCall(loop.body, visit); },
            [&](const ChoiceStep &choice) { forEachCall(choice.body, visit); }),
        step.node);
}

absl::StatusOr<CallStep> ProgramReader::readCall(func::CallOp call) {
  CallStep step;
  step.function = call.getCallee().str();
  step.extent = call->getAttrOfType<IntegerAttr>("qopt.extent").getInt();
  step.grain = call->getAttrOfType<IntegerAttr>("qopt.grain").getInt();
  std::string layer =
      call->getAttrOfType<StringAttr>("qopt.layer").getValue().str();
  if (program.info.layers.empty() || program.info.layers.back() != layer) {
    program.info.layers.push_back(layer);
    program.layerBytes.push_back(0);
  }
  step.layer = program.info.layers.size() - 1;
  uint64_t before = program.weights->alignedBytes();
  for (Value operand : call.getOperands().drop_back(2)) {
    auto place = getPlace(operand);
    if (!place.ok())
      return place.status();
    if (isa<MemRefType>(operand.getType()) ==
        (place->base == BufferPlace::Counter))
      return absl::InternalError("a step takes a scalar of @main");
    step.buffers.push_back(*place);
  }
  program.layerBytes[step.layer] += program.weights->alignedBytes() - before;
  return step;
}

absl::StatusOr<LoopStep> ProgramReader::readLoop(scf::ForOp loop) {
  std::optional<APInt> count = loop.getStaticTripCount();
  auto offset = loop->getAttrOfType<IntegerAttr>("qopt.offset");
  if (!count || !offset || !isZeroInteger(loop.getLowerBound()) ||
      !isOneInteger(loop.getStep()) || loop.getNumResults())
    return absl::InternalError("a loop of steps has no constant count");
  LoopStep step;
  step.count = count->getSExtValue();
  step.counter = offset.getInt();
  auto body = readBlock(*loop.getBody());
  if (!body.ok())
    return body.status();
  step.body = std::move(*body);
  return step;
}

absl::StatusOr<ChoiceStep> ProgramReader::readChoice(scf::IfOp choice) {
  Value buffer = getConditionBuffer(choice);
  if (!buffer || choice.getNumResults() ||
      (choice.elseBlock() && !choice.elseBlock()->without_terminator().empty()))
    return absl::InternalError("a choice of steps has no condition in memory");
  auto place = getPlace(buffer);
  if (!place.ok())
    return place.status();
  auto body = readBlock(*choice.thenBlock());
  if (!body.ok())
    return body.status();
  return ChoiceStep{*place, std::move(*body)};
}

absl::StatusOr<SequenceStep> ProgramReader::readBlock(Block &block) {
  SequenceStep sequence;
  auto add = [&](auto step) -> absl::Status {
    if (!step.ok())
      return step.status();
    sequence.steps.push_back({std::move(*step)});
    return absl::OkStatus();
  };
  for (Operation &op : block) {
    absl::Status status;
    if (auto call = dyn_cast<func::CallOp>(op))
      status = add(readCall(call));
    else if (hasSteps(&op) && isa<scf::ForOp>(op))
      status = add(readLoop(cast<scf::ForOp>(op)));
    else if (hasSteps(&op))
      status = add(readChoice(cast<scf::IfOp>(op)));
    else if (isStep(&op))
      status = absl::InternalError("a step was not outlined: " +
                                   op.getName().getStringRef().str());
    if (!status.ok())
      return status;
  }
  return sequence;
}

absl::StatusOr<StepProgram> qopt::takeProgram(ModuleOp module, ModelInfo info) {
  StepProgram program;
  program.info = std::move(info);
  func::FuncOp main = getMain(module);
  program.weights = std::make_shared<WeightsImage>();
  ProgramReader reader(module, program);
  auto steps = reader.readBlock(main.front());
  if (!steps.ok())
    return steps.status();
  program.main = std::move(*steps);
  auto getBytes = [&](StringRef name) -> uint64_t {
    auto attr = main->getAttrOfType<IntegerAttr>(name);
    return attr ? attr.getInt() : 0;
  };
  program.info.arenaBytes = getBytes("qopt.arena_bytes");
  program.info.liveBytes = getBytes("qopt.live_bytes");
  program.info.weightsBytes = program.weights->size();
  dropMain(module);
  return program;
}
