//===- EmitEntry.cpp - M_run and M_info in LLVM IR ------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// M_run calls the steps in order, directly or through the caller's
// parallel_for. A body gets the call itself as context, so that no closure
// needs memory. Where data decide how long outputs are, both are of version 2.
//===----------------------------------------------------------------------===//
#include "Program.h"
#include "qopt/Support/Escape.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/TargetParser/Triple.h"

#include <cstddef>

using namespace llvm;
using namespace qopt;

/// Calls of one function: more become several.
static constexpr size_t kCallsOfAPart = 256;

namespace {
struct EntryEmitter {
  Module &module;
  const StepProgram &program;
  LLVMContext &context;
  IRBuilder<> b;
  PointerType *ptr;
  IntegerType *i32, *i64;
  GlobalVariable *weights = nullptr;
  /// The function that a call's range is handed to.
  DenseMap<const CallStep *, Function *> bodies;
  /// The layer whose hook has been told of its begin only.
  std::optional<unsigned> openLayer;

  EntryEmitter(Module &module, const StepProgram &program)
      : module(module), program(program), context(module.getContext()),
        b(context), ptr(PointerType::getUnqual(context)),
        i32(Type::getInt32Ty(context)), i64(Type::getInt64Ty(context)) {}

  /// Fields of qopt_call in order; the target's pointers decide where they lie.
  enum Field {
    Abi,
    Threads,
    Inputs,
    Outputs,
    Arena,
    Weights,
    ParallelFor,
    Pool,
    LayerHook,
    HookContext
  };
  StructType *getCallType() {
    return StructType::get(context,
                           {i32, i32, ptr, ptr, ptr, ptr, ptr, ptr, ptr, ptr});
  }
  Value *loadField(Value *call, Field field, Type *type) {
    return b.CreateLoad(type, b.CreateStructGEP(getCallType(), call, field));
  }
  /// What qopt_call2 has behind the qopt_call.
  enum Field2 { Entry = 1, Reserved, Lengths, ResultLengths, State };
  Value *loadField(Value *call, Field2 field, Type *type) {
    auto *layout =
        StructType::get(context, {getCallType(), i32, i32, ptr, ptr, ptr});
    return b.CreateLoad(type, b.CreateStructGEP(layout, call, field));
  }
  bool hasLengths() const { return !program.info.lengths.empty(); }
  void addWeights();
  Value *loadWeights(Value *call);
  Value *getBuffer(Value *call, const BufferPlace &place,
                   SmallVectorImpl<Value *> &bases);
  Value *getCounter(Value *call, int64_t offset);
  Function *emitBody(const CallStep &step, unsigned index);
  void emitHook(Value *call, Function *run, unsigned layer, unsigned phase);
  void emitDispatch(Value *call, Function *run, Function *body,
                    const CallStep &step);
  void openLayerOf(Value *call, Function *run, unsigned layer);
  void closeLayer(Value *call, Function *run);
  void emitSteps(Value *call, Function *run, ArrayRef<ProgramStep> steps);
  void emitCondition(Value *call, const BufferPlace &place, BasicBlock *taken,
                     BasicBlock *other);
  void emitLoop(Value *call, Function *run, const LoopStep &loop);
  void emitChoice(Value *call, Function *run, const ChoiceStep &choice);
  Function *emitPart(ArrayRef<ProgramStep> steps, bool isLast);
  Value *isMissing(Value *pointer);
  void returnIf(Value *condition, Function *run, int code);
  void emitChecks(Value *call, Function *run);
  Value *getLength(Value *call, size_t index);
  Function *emitPack();
  void packOutputs(Value *call, Function *run, Function *pack);
  void emitRun(StringRef symbol);

  Constant *getString(StringRef text);
  Constant *getArray(ArrayRef<Constant *> elements, Type *type);
  Constant *getTensors(ArrayRef<TensorInfo> tensors);
  Constant *getSymbols(ArrayRef<TensorInfo> tensors);
  Constant *getEntry();
  Constant *getInfo2(Constant *info);
  void emitInfo(StringRef symbol);
};
} // namespace

void EntryEmitter::addWeights() {
  if (program.weights->empty() || !program.embedsWeights)
    return;
  Constant *bytes =
      ConstantDataArray::getRaw(program.weights->str(), program.weights->size(),
                                Type::getInt8Ty(context));
  weights =
      new GlobalVariable(module, bytes->getType(), /*isConstant=*/true,
                         GlobalValue::InternalLinkage, bytes, "qopt_weights");
  weights->setAlignment(Align(64));
}

Value *EntryEmitter::loadWeights(Value *call) {
  Value *given = loadField(call, Weights, ptr);
  if (!weights)
    return given;
  return b.CreateSelect(b.CreateIsNull(given), weights, given);
}

/// `bases` caches the base pointers of one function.
Value *EntryEmitter::getBuffer(Value *call, const BufferPlace &place,
                               SmallVectorImpl<Value *> &bases) {
  size_t outputs = program.info.outputs.size();
  if (place.base == BufferPlace::Output && size_t(place.offset) >= outputs)
    return getLength(call, size_t(place.offset) - outputs);
  Value *&base = bases[place.base];
  if (!base) {
    switch (place.base) {
    case BufferPlace::Arena:
      base = loadField(call, Arena, ptr);
      break;
    case BufferPlace::Weights:
      base = loadWeights(call);
      break;
    case BufferPlace::Input:
      base = loadField(call, Inputs, ptr);
      break;
    case BufferPlace::Output:
      base = loadField(call, Outputs, ptr);
      break;
    case BufferPlace::Counter:
      llvm_unreachable("a counter is no buffer");
    }
  }
  if (place.base == BufferPlace::Input || place.base == BufferPlace::Output)
    return b.CreateLoad(ptr,
                        b.CreateConstInBoundsGEP1_64(ptr, base, place.offset));
  return b.CreateConstInBoundsGEP1_64(Type::getInt8Ty(context), base,
                                      place.offset);
}

/// Address of the number of an iteration.
Value *EntryEmitter::getCounter(Value *call, int64_t offset) {
  return b.CreateConstInBoundsGEP1_64(Type::getInt8Ty(context),
                                      loadField(call, Arena, ptr), offset);
}

/// void body(ctx = call, lo, hi)
Function *EntryEmitter::emitBody(const CallStep &step, unsigned index) {
  Function *target = module.getFunction(step.function);
  auto *type = FunctionType::get(Type::getVoidTy(context), {ptr, i64, i64},
                                 /*isVarArg=*/false);
  Function *body = Function::Create(type, GlobalValue::InternalLinkage,
                                    "body_" + Twine(index), module);
  b.SetInsertPoint(BasicBlock::Create(context, "entry", body));
  SmallVector<Value *, 4> bases(4, nullptr);
  SmallVector<Value *> operands;
  for (const BufferPlace &place : step.buffers) {
    if (place.base != BufferPlace::Counter) {
      operands.push_back(getBuffer(body->getArg(0), place, bases));
      continue;
    }
    Value *number =
        b.CreateLoad(i64, getCounter(body->getArg(0), place.offset));
    operands.push_back(b.CreateTrunc(
        number, target->getFunctionType()->getParamType(operands.size())));
  }
  // An index of a step is as wide as the target's pointers.
  for (unsigned bound : {1, 2})
    operands.push_back(b.CreateTrunc(
        body->getArg(bound),
        target->getFunctionType()->getParamType(operands.size())));
  b.CreateCall(target, operands);
  b.CreateRetVoid();
  return body;
}

void EntryEmitter::emitHook(Value *call, Function *run, unsigned layer,
                            unsigned phase) {
  Value *hook = loadField(call, LayerHook, ptr);
  BasicBlock *then = BasicBlock::Create(context, "hook", run);
  BasicBlock *next = BasicBlock::Create(context, "next", run);
  b.CreateCondBr(b.CreateIsNull(hook), next, then);
  b.SetInsertPoint(then);
  Value *hookContext = loadField(call, HookContext, ptr);
  auto *type = FunctionType::get(Type::getVoidTy(context), {ptr, i32, i32},
                                 /*isVarArg=*/false);
  b.CreateCall(type, hook, {hookContext, b.getInt32(layer), b.getInt32(phase)});
  b.CreateBr(next);
  b.SetInsertPoint(next);
}

void EntryEmitter::emitDispatch(Value *call, Function *run, Function *body,
                                const CallStep &step) {
  Value *extent = b.getInt64(step.extent);
  if (step.extent <= 1) {
    b.CreateCall(body, {call, b.getInt64(0), extent});
    return;
  }
  Value *parallelFor = loadField(call, ParallelFor, ptr);
  Value *threads = loadField(call, Threads, i32);
  Value *isParallel = b.CreateAnd(b.CreateIsNotNull(parallelFor),
                                  b.CreateICmpUGT(threads, b.getInt32(1)));
  BasicBlock *many = BasicBlock::Create(context, "many", run);
  BasicBlock *one = BasicBlock::Create(context, "one", run);
  BasicBlock *next = BasicBlock::Create(context, "next", run);
  b.CreateCondBr(isParallel, many, one);
  b.SetInsertPoint(many);
  auto *type = FunctionType::get(Type::getVoidTy(context),
                                 {ptr, ptr, ptr, i64, i64}, /*isVarArg=*/false);
  Value *pool = loadField(call, Pool, ptr);
  b.CreateCall(type, parallelFor,
               {pool, body, call, extent, b.getInt64(step.grain)});
  b.CreateBr(next);
  b.SetInsertPoint(one);
  b.CreateCall(body, {call, b.getInt64(0), extent});
  b.CreateBr(next);
  b.SetInsertPoint(next);
}

/// Hooks where a layer is another than the last.
void EntryEmitter::openLayerOf(Value *call, Function *run, unsigned layer) {
  if (openLayer == layer)
    return;
  closeLayer(call, run);
  emitHook(call, run, layer, 0);
  openLayer = layer;
}

void EntryEmitter::closeLayer(Value *call, Function *run) {
  if (openLayer)
    emitHook(call, run, *openLayer, 1);
  openLayer.reset();
}

/// The layer of all calls of a sequence, if it is one.
static std::optional<unsigned> getOnlyLayer(const SequenceStep &sequence) {
  std::optional<unsigned> layer;
  bool isOne = true;
  forEachCall(sequence, [&](const CallStep &call) {
    isOne &= !layer || *layer == call.layer;
    layer = call.layer;
  });
  return isOne ? layer : std::nullopt;
}

void EntryEmitter::emitCondition(Value *call, const BufferPlace &place,
                                 BasicBlock *taken, BasicBlock *other) {
  SmallVector<Value *, 4> bases(4, nullptr);
  Value *byte = b.CreateLoad(b.getInt8Ty(), getBuffer(call, place, bases));
  b.CreateCondBr(b.CreateICmpNE(byte, b.getInt8(0)), taken, other);
}

/// The hooks of a loop of one layer stand around it; in any other loop, each
/// iteration opens and closes its layers.
void EntryEmitter::emitLoop(Value *call, Function *run, const LoopStep &loop) {
  std::optional<unsigned> layer = getOnlyLayer(loop.body);
  if (layer)
    openLayerOf(call, run, *layer);
  else
    closeLayer(call, run);
  BasicBlock *head = BasicBlock::Create(context, "loop", run);
  BasicBlock *next = BasicBlock::Create(context, "next", run);
  b.CreateStore(b.getInt64(0), getCounter(call, loop.counter));
  b.CreateBr(head);
  b.SetInsertPoint(head);
  const std::vector<ProgramStep> *steps = &loop.body.steps;
  const ChoiceStep *choice = steps->size() == 1
                                 ? std::get_if<ChoiceStep>(&steps->front().node)
                                 : nullptr;
  if (choice) {
    BasicBlock *body = BasicBlock::Create(context, "body", run);
    emitCondition(call, choice->condition, body, next);
    b.SetInsertPoint(body);
    steps = &choice->body.steps;
  }
  emitSteps(call, run, *steps);
  if (!layer)
    closeLayer(call, run);
  Value *counter = getCounter(call, loop.counter);
  Value *number = b.CreateAdd(b.CreateLoad(i64, counter), b.getInt64(1));
  b.CreateStore(number, counter);
  b.CreateCondBr(b.CreateICmpSLT(number, b.getInt64(loop.count)), head, next);
  b.SetInsertPoint(next);
}

void EntryEmitter::emitChoice(Value *call, Function *run,
                              const ChoiceStep &choice) {
  closeLayer(call, run);
  BasicBlock *body = BasicBlock::Create(context, "taken", run);
  BasicBlock *next = BasicBlock::Create(context, "next", run);
  emitCondition(call, choice.condition, body, next);
  b.SetInsertPoint(body);
  emitSteps(call, run, choice.body.steps);
  closeLayer(call, run);
  b.CreateBr(next);
  b.SetInsertPoint(next);
}

void EntryEmitter::emitSteps(Value *call, Function *run,
                             ArrayRef<ProgramStep> steps) {
  for (const ProgramStep &step : steps)
    std::visit(
        makeVisitor(
            [&](const CallStep &node) {
              openLayerOf(call, run, node.layer);
              emitDispatch(call, run, bodies.lookup(&node), node);
            },
            [&](const SequenceStep &node) { emitSteps(call, run, node.steps); },
            [&](const LoopStep &node) { emitLoop(call, run, node); },
            [&](const ChoiceStep &node) { emitChoice(call, run, node); }),
        step.node);
}

/// Steps as a function of the call. LLVM's passes take the square of a
/// function's basic blocks, of which every step has some.
Function *EntryEmitter::emitPart(ArrayRef<ProgramStep> steps, bool isLast) {
  auto *type = FunctionType::get(Type::getVoidTy(context), {ptr},
                                 /*isVarArg=*/false);
  Function *part =
      Function::Create(type, GlobalValue::InternalLinkage, "part", module);
  b.SetInsertPoint(BasicBlock::Create(context, "entry", part));
  emitSteps(part->getArg(0), part, steps);
  if (isLast)
    closeLayer(part->getArg(0), part);
  b.CreateRetVoid();
  return part;
}

/// NULL, or not 64-byte aligned.
Value *EntryEmitter::isMissing(Value *pointer) {
  Value *address = b.CreatePtrToInt(pointer, i64);
  Value *isNull = b.CreateICmpEQ(address, b.getInt64(0));
  Value *low = b.CreateAnd(address, b.getInt64(63));
  return b.CreateOr(isNull, b.CreateICmpNE(low, b.getInt64(0)));
}

void EntryEmitter::returnIf(Value *condition, Function *run, int code) {
  BasicBlock *fail = BasicBlock::Create(context, "fail", run);
  BasicBlock *next = BasicBlock::Create(context, "next", run);
  b.CreateCondBr(condition, fail, next);
  b.SetInsertPoint(fail);
  b.CreateRet(b.getInt32(code));
  b.SetInsertPoint(next);
}

/// Of a call of another version nothing but that is read.
void EntryEmitter::emitChecks(Value *call, Function *run) {
  Value *abi = loadField(call, Abi, i32);
  uint32_t version = hasLengths() ? QOPT_ABI2 : QOPT_ABI;
  returnIf(b.CreateICmpNE(abi, b.getInt32(version)), run, QOPT_EABI);
  if (hasLengths()) {
    Value *entry = loadField(call, Entry, i32);
    returnIf(b.CreateICmpNE(entry, b.getInt32(0)), run, QOPT_EENTRY);
    returnIf(b.CreateIsNull(loadField(call, ResultLengths, ptr)), run,
             QOPT_ELENGTH);
  }
  if (program.info.arenaBytes)
    returnIf(isMissing(loadField(call, Arena, ptr)), run, QOPT_EARENA);
  if (!program.embedsWeights && !program.weights->empty())
    returnIf(isMissing(loadField(call, Weights, ptr)), run, QOPT_EWEIGHTS);
}

/// Address of a number that the caller gets.
Value *EntryEmitter::getLength(Value *call, size_t index) {
  return b.CreateConstInBoundsGEP1_64(i64, loadField(call, ResultLengths, ptr),
                                      index);
}

/// void pack(array, rows, from, to): moves rows of which `to` bytes count and
/// that lie `from` bytes apart behind each other. The first is where it was.
Function *EntryEmitter::emitPack() {
  auto *type = FunctionType::get(Type::getVoidTy(context), {ptr, i64, i64, i64},
                                 /*isVarArg=*/false);
  Function *pack =
      Function::Create(type, GlobalValue::InternalLinkage, "pack", module);
  BasicBlock *entry = BasicBlock::Create(context, "entry", pack);
  BasicBlock *body = BasicBlock::Create(context, "body", pack);
  BasicBlock *done = BasicBlock::Create(context, "done", pack);
  Value *array = pack->getArg(0), *rows = pack->getArg(1);
  b.SetInsertPoint(entry);
  b.CreateCondBr(b.CreateICmpSGT(rows, b.getInt64(1)), body, done);
  b.SetInsertPoint(body);
  PHINode *row = b.CreatePHI(i64, 2);
  row->addIncoming(b.getInt64(1), entry);
  auto getRow = [&](unsigned pitch) {
    return b.CreateInBoundsGEP(b.getInt8Ty(), array,
                               b.CreateMul(row, pack->getArg(pitch)));
  };
  b.CreateMemMove(getRow(3), MaybeAlign(1), getRow(2), MaybeAlign(1),
                  pack->getArg(3));
  Value *next = b.CreateAdd(row, b.getInt64(1));
  row->addIncoming(next, body);
  b.CreateCondBr(b.CreateICmpSLT(next, rows), body, done);
  b.SetInsertPoint(done);
  b.CreateRetVoid();
  return pack;
}

/// Outputs have only their elements that count, densely.
void EntryEmitter::packOutputs(Value *call, Function *run, Function *pack) {
  const ModelInfo &info = program.info;
  SmallVector<Value *> numbers;
  for (auto [i, length] : enumerate(info.lengths)) {
    numbers.push_back(b.CreateLoad(i64, getLength(call, i)));
    // A module that somebody wrote by hand can count more than there is.
    returnIf(b.CreateICmpUGT(numbers.back(), b.getInt64(length.bound)), run,
             QOPT_ELENGTH);
  }
  SmallVector<Value *, 4> bases(4, nullptr);
  for (auto [i, output] : enumerate(info.outputs)) {
    if (!output.countedAxis)
      continue;
    ArrayRef<int64_t> shape = output.shape;
    size_t axis = *output.countedAxis;
    int64_t rows = getNumElements(shape.take_front(axis)),
            inner = getByteWidth(output.dtype) *
                    getNumElements(shape.drop_front(axis + 1));
    if (rows <= 1)
      continue;
    Value *array = getBuffer(call, {BufferPlace::Output, int64_t(i)}, bases);
    b.CreateCall(pack,
                 {array, b.getInt64(rows), b.getInt64(inner * shape[axis]),
                  b.CreateMul(numbers[output.length], b.getInt64(inner))});
  }
}

void EntryEmitter::emitRun(StringRef symbol) {
  forEachCall(program.main, [&](const CallStep &step) {
    bodies[&step] = emitBody(step, bodies.size());
  });
  ArrayRef<ProgramStep> steps = program.main.steps;
  SmallVector<Function *> parts;
  if (bodies.size() > kCallsOfAPart)
    for (size_t at = 0; at < steps.size(); at += kCallsOfAPart)
      parts.push_back(emitPart(steps.slice(at).take_front(kCallsOfAPart),
                               at + kCallsOfAPart >= steps.size()));
  Function *pack = hasLengths() ? emitPack() : nullptr;
  auto *type = FunctionType::get(i32, {ptr}, /*isVarArg=*/false);
  Function *run = Function::Create(type, GlobalValue::ExternalLinkage,
                                   symbol + "_run", module);
  Value *call = run->getArg(0);
  b.SetInsertPoint(BasicBlock::Create(context, "entry", run));
  emitChecks(call, run);
  for (Function *part : parts)
    b.CreateCall(part, {call});
  if (parts.empty()) {
    emitSteps(call, run, steps);
    closeLayer(call, run);
  }
  if (pack)
    packOutputs(call, run, pack);
  b.CreateRet(b.getInt32(QOPT_OK));
}

Constant *EntryEmitter::getString(StringRef text) {
  Constant *value = ConstantDataArray::getString(context, text);
  auto *global =
      new GlobalVariable(module, value->getType(), /*isConstant=*/true,
                         GlobalValue::PrivateLinkage, value, "qopt_text");
  global->setUnnamedAddr(GlobalValue::UnnamedAddr::Global);
  return global;
}

Constant *EntryEmitter::getArray(ArrayRef<Constant *> elements, Type *type) {
  auto *array = ArrayType::get(type, elements.size());
  return new GlobalVariable(module, array, /*isConstant=*/true,
                            GlobalValue::PrivateLinkage,
                            ConstantArray::get(array, elements), "qopt_table");
}

/// The layout of qopt_tensor.
Constant *EntryEmitter::getTensors(ArrayRef<TensorInfo> tensors) {
  Type *f32 = Type::getFloatTy(context);
  auto *type = StructType::get(context, {ptr, ptr, i32, i32, i64, f32, i32});
  SmallVector<Constant *> values;
  for (const TensorInfo &tensor : tensors) {
    SmallVector<Constant *> dims;
    int64_t bytes = getByteWidth(tensor.dtype);
    bool isPerTensor = tensor.stored.scales.size() == 1;
    for (int64_t extent : tensor.shape) {
      dims.push_back(b.getInt64(extent));
      bytes *= extent;
    }
    values.push_back(ConstantStruct::get(
        type,
        // Of the model's own bytes: C has no other names.
        {getString(unescapeBytes(tensor.name)), getArray(dims, i64),
         b.getInt32(tensor.shape.size()), b.getInt32(unsigned(tensor.dtype)),
         b.getInt64(bytes),
         ConstantFP::get(context,
                         APFloat(isPerTensor ? tensor.stored.scales[0] : 0)),
         b.getInt32(isPerTensor ? tensor.stored.zeroPoints[0] : 0)}));
  }
  return getArray(values, type);
}

/// The layout of qopt_symbols, for every tensor.
Constant *EntryEmitter::getSymbols(ArrayRef<TensorInfo> tensors) {
  auto *type = StructType::get(context, ArrayRef<Type *>(ptr));
  SmallVector<Constant *> values;
  for (const TensorInfo &tensor : tensors) {
    SmallVector<Constant *> dims(tensor.shape.size(), b.getInt32(-1));
    if (tensor.countedAxis)
      dims[*tensor.countedAxis] = b.getInt32(tensor.length);
    values.push_back(ConstantStruct::get(type, {getArray(dims, i32)}));
  }
  return getArray(values, type);
}

/// The layout of qopt_entry: all inputs and all outputs.
Constant *EntryEmitter::getEntry() {
  auto getIndices = [&](size_t count) {
    SmallVector<Constant *> indices;
    for (size_t i = 0; i < count; ++i)
      indices.push_back(b.getInt32(i));
    return getArray(indices, i32);
  };
  size_t inputs = program.info.inputs.size(),
         outputs = program.info.outputs.size();
  auto *type = StructType::get(context, {ptr, ptr, ptr, i32, i32});
  return getArray(
      {ConstantStruct::get(type, {getString("main"), getIndices(inputs),
                                  getIndices(outputs), b.getInt32(inputs),
                                  b.getInt32(outputs)})},
      type);
}

/// The layout of qopt_info2 around that of qopt_info.
Constant *EntryEmitter::getInfo2(Constant *info) {
  auto *dimType = StructType::get(context, {ptr, i64, i64, i32, i32});
  SmallVector<Constant *> dims;
  for (const LengthInfo &length : program.info.lengths)
    dims.push_back(ConstantStruct::get(
        dimType, {getString(unescapeBytes(length.name)), b.getInt64(0),
                  b.getInt64(length.bound), b.getInt32(/*is_result=*/1),
                  b.getInt32(0)}));
  auto *type = StructType::get(context, {info->getType(), i32, i32, i32, i32,
                                         ptr, ptr, ptr, ptr, ptr, i64});
  return ConstantStruct::get(
      type, {info, b.getInt32(dims.size()), b.getInt32(/*n_states=*/0),
             b.getInt32(/*n_entries=*/1), b.getInt32(0),
             getArray(dims, dimType), getSymbols(program.info.inputs),
             getSymbols(program.info.outputs), ConstantPointerNull::get(ptr),
             getEntry(), b.getInt64(/*state_bytes=*/0)});
}

void EntryEmitter::emitInfo(StringRef symbol) {
  const ModelInfo &info = program.info;
  SmallVector<Constant *> layers;
  for (const std::string &layer : info.layers)
    layers.push_back(getString(layer));
  auto *type = StructType::get(
      context, {i32, i32, i32, i32, ptr, ptr, ptr, i64, i64, ptr, ptr});
  Constant *value = ConstantStruct::get(
      type, {b.getInt32(hasLengths() ? QOPT_ABI2 : QOPT_ABI),
             b.getInt32(info.inputs.size()), b.getInt32(info.outputs.size()),
             b.getInt32(layers.size()), getTensors(info.inputs),
             getTensors(info.outputs), getArray(layers, ptr),
             b.getInt64(info.arenaBytes), b.getInt64(info.weightsBytes),
             getString(info.target), getString(symbol)});
  if (hasLengths())
    value = getInfo2(value);
  auto *global =
      new GlobalVariable(module, value->getType(),
                         /*isConstant=*/true, GlobalValue::InternalLinkage,
                         value, "qopt_model_info");
  auto *functionType = FunctionType::get(ptr, {}, /*isVarArg=*/false);
  Function *function = Function::Create(
      functionType, GlobalValue::ExternalLinkage, symbol + "_info", module);
  b.SetInsertPoint(BasicBlock::Create(context, "entry", function));
  b.CreateRet(global);
}

void qopt::emitEntryPoints(Module &module, const StepProgram &program,
                           StringRef symbol) {
  EntryEmitter emitter(module, program);
  emitter.addWeights();
  emitter.emitRun(symbol);
  emitter.emitInfo(symbol);
}
