//===- HLSFolder.cpp - --emit=hls -----------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Integers, units, C++; and what the interpreter says they compute. All
// refusals come before the first file.
//===----------------------------------------------------------------------===//
#include "qopt/Artifacts/HLSFolder.h"
#include "qopt/Conversion/FXPToHLS.h"
#include "qopt/Interpreter/Interpreter.h"
#include "qopt/Pipelines/Model.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Target/HLS/Emit.h"

#include "llvm/Support/Path.h"

using namespace qopt;

absl::StatusOr<double> qopt::parseClock(llvm::StringRef text) {
  llvm::StringRef number = text;
  double value = 0;
  bool isPeriod = number.consume_back("ns");
  bool isFrequency = !isPeriod && number.consume_back("MHz");
  if ((!isPeriod && !isFrequency) || number.trim().getAsDouble(value) ||
      !(value > 0) || !(value < 1e6))
    return Error(Code::BadFlagValue,
                 "--clock: expected a period such as 10ns or a frequency such "
                 "as 100MHz, got '" +
                     text + "'");
  return isPeriod ? value : 1000 / value;
}

/// Words that no top function can be called, of C++ and of the headers that the
/// sources include; the rest are as unlikely as these are near.
static bool isReserved(llvm::StringRef name) {
  for (llvm::StringRef word :
       {"main", "int", "float", "double", "char", "new", "class", "switch",
        "default", "auto", "this", "hls", "std", "ap_int", "ap_uint"})
    if (name == word)
      return true;
  return false;
}

absl::Status qopt::checkHLSFlags(const ArtifactRequest &request) {
  llvm::SmallVector<std::string> problems;
  std::string help;
  if (!hls::findPart(request.target)) {
    problems.push_back("--target: expected a part that is known, got '" +
                       request.target + "'");
    help = "known parts: ";
    for (const hls::Part &part : hls::getParts())
      help += (&part == hls::getParts().begin() ? "" : ", ") +
              std::string(part.name);
  }
  if (absl::StatusOr<double> clock = parseClock(request.hls.clock); !clock.ok())
    problems.push_back(std::string(clock.status().message()));
  if (isReserved(request.cpu.symbol))
    problems.push_back("--symbol-prefix: expected a name for the top function, "
                       "got the word '" +
                       request.cpu.symbol + "' of C++");
  if (problems.empty())
    return absl::OkStatus();
  Error error(Code::BadFlagValue, problems.front());
  for (const std::string &problem : llvm::drop_begin(problems))
    std::move(error).note(problem);
  if (!help.empty())
    std::move(error).help(help);
  return error;
}

static absl::StatusOr<hls::ProjectOptions>
getOptions(const ArtifactRequest &request) {
  QOPT_RETURN_IF_ERROR(checkHLSFlags(request));
  hls::ProjectOptions options;
  options.part = hls::findPart(request.target);
  QOPT_ASSIGN(options.clockNs, parseClock(request.hls.clock));
  options.cycles = request.hls.cycles;
  options.symbol = request.cpu.symbol;
  options.modelName = llvm::sys::path::filename(request.modelPath).str();
  return options;
}

/// Inputs of the device: samples through the host's part, or random integers.
static absl::StatusOr<std::vector<llvm::SmallVector<Tensor>>>
makeInputs(const ArtifactRequest &request, mlir::ModuleOp lowered,
           const IntegerCore &core) {
  std::vector<llvm::SmallVector<Tensor>> frames;
  if (!request.dataPaths.empty()) {
    QOPT_ASSIGN(ModelInterface interface, getInterface(lowered));
    QOPT_ASSIGN(auto data, DataSource::open(request.dataPaths, interface.inputs,
                                            *request.preprocessing));
    QOPT_ASSIGN(auto host, createInterpreter(mlir::ModuleOp(core.host.get())));
    for (int64_t i = 0; i < std::min(data->size(), request.hls.vectors); ++i) {
      QOPT_ASSIGN(llvm::SmallVector<Tensor> sample, data->read(i));
      QOPT_ASSIGN(llvm::SmallVector<Tensor> integers, host->run(sample));
      frames.push_back(std::move(integers));
    }
    return frames;
  }
  mlir::ModuleOp module = core.core.get();
  auto main = module.lookupSymbol<mlir::func::FuncOp>("main");
  uint64_t state = 1;
  auto random = [&] {
    // splitmix64
    uint64_t z = (state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  };
  for (int64_t i = 0; i < request.hls.vectors; ++i) {
    llvm::SmallVector<Tensor> frame;
    for (mlir::BlockArgument argument : main.getArguments()) {
      auto type = llvm::cast<mlir::RankedTensorType>(argument.getType());
      auto element = llvm::cast<mlir::IntegerType>(
          main.getArgAttrOfType<mlir::TypeAttr>(argument.getArgNumber(),
                                                kElementAttr)
              .getValue());
      unsigned bits = element.getWidth();
      DType dtype = type.getElementTypeBitWidth() <= 8    ? DType::i8
                    : type.getElementTypeBitWidth() <= 16 ? DType::i16
                                                          : DType::i32;
      Tensor tensor(dtype, type.getShape());
      for (int64_t k = 0; k < tensor.numElements(); ++k) {
        int64_t value = int64_t(random() >> (64 - bits));
        if (element.isSigned() && value >> (bits - 1))
          value -= int64_t(1) << bits;
        tensor.setInt(k, value);
      }
      frame.push_back(std::move(tensor));
    }
    frames.push_back(std::move(frame));
  }
  return frames;
}

/// Gives a core whose inputs are integers the host's part of the graph that
/// takes the model's own inputs.
static mlir::LogicalResult takeInputs(IntegerCore &core,
                                      mlir::ModuleOp lowered) {
  mlir::FailureOr<IntegerCore> whole =
      cutIntegerCore(lowered, /*dropsHead=*/true, hasUnit);
  if (mlir::failed(whole))
    return mlir::failure();
  auto getMain = [](mlir::ModuleOp module) {
    return module.lookupSymbol<mlir::func::FuncOp>("main");
  };
  mlir::func::FuncOp from = getMain(*whole->core), to = getMain(*core.core);
  if (from.getArgumentTypes() != to.getArgumentTypes())
    return to.emitError("expects the same inputs with and without its head");
  for (unsigned i = 0; i < from.getNumArguments(); ++i)
    to.setArgAttr(i, kElementAttr, from.getArgAttr(i, kElementAttr));
  core.host = std::move(whole->host);
  core.inputs = std::move(whole->inputs);
  return mlir::success();
}

absl::StatusOr<std::map<std::string, std::string>>
qopt::makeHLSFolder(const ArtifactRequest &request) {
  QOPT_ASSIGN(hls::ProjectOptions options, getOptions(request));
  mlir::OwningOpRef<mlir::ModuleOp> lowered(
      mlir::ModuleOp(request.quantized).clone());
  QOPT_RETURN_IF_ERROR(lower(*lowered, request.options.requantize));
  bool dropsHead = request.outputs == "quantized";
  // Heads in integers need integers at the interface; what makes them of the
  // model's inputs is in the graph as it was.
  mlir::OwningOpRef<mlir::ModuleOp> device;
  if (!dropsHead) {
    device = mlir::ModuleOp(request.quantized).clone();
    QOPT_RETURN_IF_ERROR(
        lowerToIntegers(*device, {request.options.requantize, dropsHead}));
  }
  mlir::MLIRContext *context = lowered->getContext();
  IntegerCore core;
  mlir::OwningOpRef<mlir::ModuleOp> design;
  QOPT_RETURN_IF_ERROR(
      runWithDiagnostics(context, Code::UnsupportedLowering, [&] {
        mlir::FailureOr<IntegerCore> cut =
            cutIntegerCore(dropsHead ? *lowered : *device, dropsHead, hasUnit);
        if (mlir::failed(cut))
          return mlir::failure();
        core = std::move(*cut);
        if (!dropsHead && mlir::failed(takeInputs(core, *lowered)))
          return mlir::failure();
        design = core.core->clone();
        return hls::buildDesign(*design, options);
      }));
  QOPT_ASSIGN(auto inputs, makeInputs(request, *lowered, core));
  QOPT_ASSIGN(auto reference,
              createInterpreter(mlir::ModuleOp(core.core.get())));
  std::vector<hls::TestVector> vectors;
  for (llvm::SmallVector<Tensor> &frame : inputs) {
    QOPT_ASSIGN(llvm::SmallVector<Tensor> outputs, reference->run(frame));
    vectors.push_back({std::move(frame), std::move(outputs)});
  }
  std::map<std::string, std::string> files;
  QOPT_RETURN_IF_ERROR(runWithDiagnostics(context, Code::Internal, [&] {
    auto project = hls::emitProject(*design, core, vectors, options);
    if (mlir::failed(project))
      return mlir::failure();
    files = std::move(*project);
    return mlir::success();
  }));
  return files;
}
