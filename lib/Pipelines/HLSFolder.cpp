//===- HLSFolder.cpp - --emit=hls -----------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Integers, units, C++; and what the interpreter says they compute. All
// refusals come before the first file.
//===----------------------------------------------------------------------===//
#include "qopt/Pipelines/HLSFolder.h"
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

static absl::StatusOr<hls::ProjectOptions>
getOptions(const ArtifactRequest &request) {
  hls::ProjectOptions options;
  options.part = hls::findPart(request.target);
  if (!options.part) {
    std::string known;
    for (const hls::Part &part : hls::getParts())
      known += (known.empty() ? "" : ", ") + std::string(part.name);
    return Error(Code::BadFlagValue, "--target: expected a part that is known, "
                                     "got '" +
                                         request.target + "'")
        .help("known parts: " + known);
  }
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

absl::StatusOr<std::map<std::string, std::string>>
qopt::makeHLSFolder(const ArtifactRequest &request) {
  QOPT_ASSIGN(hls::ProjectOptions options, getOptions(request));
  mlir::OwningOpRef<mlir::ModuleOp> lowered(
      mlir::ModuleOp(request.quantized).clone());
  QOPT_RETURN_IF_ERROR(lower(*lowered, request.options.requantize));
  mlir::MLIRContext *context = lowered->getContext();
  IntegerCore core;
  mlir::OwningOpRef<mlir::ModuleOp> design;
  QOPT_RETURN_IF_ERROR(
      runWithDiagnostics(context, Code::UnsupportedLowering, [&] {
        mlir::FailureOr<IntegerCore> cut =
            cutIntegerCore(*lowered, request.outputs == "quantized");
        if (mlir::failed(cut))
          return mlir::failure();
        core = std::move(*cut);
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
