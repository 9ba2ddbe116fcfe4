//===- Target.cpp - The row of the HLS target -----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Integers, units, C++; and what the interpreter says they compute. All
// refusals come before the first file.
//===----------------------------------------------------------------------===//
#include "qopt/Target/HLS/Target.h"
#include "Convert.h"
#include "qopt/Interpreter/Interpreter.h"
#include "qopt/Support/Module.h"
#include "qopt/Target/HLS/Emit.h"
#include "qopt/Target/Integer/HostPart.h"
#include "qopt/Target/Integer/LowerToIntegers.h"
#include "qopt/Target/SymbolNames.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace qopt;

static constexpr Flag kFlags[] = {
    {"target", "PART", "of --emit=hls: an FPGA such as xc7z020"},
    {"clock", "TIME", "of --emit=hls: 10ns (default), 100MHz"},
    {"cycles", "N", "of --emit=hls: cycles a frame may take (as few as fit)"},
    {"vectors", "N", "of --emit=hls: frames of the test bench (20)"},
};

static constexpr EmitKind kKinds[] = {{"hls", /*suffix=*/nullptr}};

static constexpr TargetStage kStages[] = {
    {"hls-lowered", "exact integer ops"},
    {"hls-core", "those between the floats"},
    {"hls-units", "units connected by streams"},
    {"hls-folded", "units as far unfolded as fits"},
    {"hls-fifos", "streams with their depths"},
};

/// Periods of a clock in nanoseconds: no fabric is faster, and a slower one is
/// a typing error.
static constexpr double kShortestClock = 1, kLongestClock = 1e6;

/// "10ns" or "100MHz" to nanoseconds.
static absl::StatusOr<double> parseClock(llvm::StringRef text) {
  llvm::StringRef number = text;
  double value = 0;
  bool isPeriod = number.consume_back("ns");
  bool isFrequency = !isPeriod && number.consume_back("MHz");
  if ((!isPeriod && !isFrequency) || number.trim().getAsDouble(value) ||
      !(value > 0) || !std::isfinite(value))
    return Error(Code::BadFlagValue,
                 "--clock: expected a period such as 10ns or a frequency such "
                 "as 100MHz, got '" +
                     text + "'");
  double period = isPeriod ? value : 1000 / value;
  if (period < kShortestClock || period > kLongestClock)
    return Error(Code::BadFlagValue,
                 "--clock: expected a period from 1ns to 1000000ns (1000MHz to "
                 "0.001MHz), got '" +
                     text + "'");
  return period;
}

/// Inputs of the device: samples through the host's part.
static absl::StatusOr<std::vector<llvm::SmallVector<Tensor>>>
readInputs(const FrameSource &source, const IntegerCore &core, int64_t count) {
  std::vector<llvm::SmallVector<Tensor>> frames;
  QOPT_ASSIGN(auto host, createInterpreter(mlir::ModuleOp(core.host.get())));
  for (int64_t i = 0; i < count; ++i) {
    QOPT_ASSIGN(std::optional<llvm::SmallVector<Tensor>> sample, source(i));
    if (!sample)
      break;
    QOPT_ASSIGN(llvm::SmallVector<Tensor> integers, host->run(*sample));
    frames.push_back(std::move(integers));
  }
  return frames;
}

/// The same where no samples were given: random integers.
static std::vector<llvm::SmallVector<Tensor>>
inventInputs(const IntegerCore &core, int64_t count) {
  std::vector<llvm::SmallVector<Tensor>> frames;
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
  for (int64_t i = 0; i < count; ++i) {
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

/// A word of the flags, or what it is without one.
static std::string getFlag(const TargetRequest &request, const char *name,
                           const char *otherwise) {
  auto it = request.flags.find(name);
  return it == request.flags.end() ? otherwise : it->second;
}

namespace {
class HLSTarget : public Target {
public:
  static absl::StatusOr<std::unique_ptr<Target>>
  create(const TargetRequest &request) {
    auto target = std::make_unique<HLSTarget>();
    target->dropsHead_ = request.dropsHead;
    target->options_.symbol = request.symbol;
    QOPT_RETURN_IF_ERROR(target->readFlags(request));
    return target;
  }

  std::string getRequantize() const override { return "fixed:17"; }

  absl::StatusOr<llvm::json::Object> describe() const override {
    return llvm::json::Object{{"part", options_.part->name},
                              {"clock", clock_},
                              {"cycles", options_.cycles},
                              {"vectors", vectors_}};
  }

  bool isIntegerOnly() const override { return true; }

  std::string getPipeline(llvm::StringRef stage,
                          const TargetInput &input) const override {
    if (stage == "hls-lowered")
      return (dropsHead_ ? "qopt-lower{integer-only=true requantize-mode="
                         : "qopt-lower-to-integers{keep-inputs=true "
                           "requantize-mode=") +
             input.requantize + "}";
    if (stage == "hls-core")
      return llvm::formatv("fxp-keep-integer-core{{drop-head={0}}",
                           dropsHead_ ? "true" : "false");
    if (stage == "hls-units")
      return "convert-fxp-to-hls";
    if (stage == "hls-folded")
      return llvm::formatv("func.func(hls-fold{{cycles={0} part={1}})",
                           options_.cycles, options_.part->name);
    return "func.func(hls-size-fifos)";
  }

  absl::StatusOr<Emission> emit(TargetInput &input,
                                const std::set<std::string> &) const override {
    hls::ProjectOptions options = options_;
    mlir::OwningOpRef<mlir::ModuleOp> lowered(input.quantized.clone());
    QOPT_RETURN_IF_ERROR(lowerModule(*lowered, input));
    mlir::MLIRContext *context = lowered->getContext();
    IntegerCore core;
    mlir::OwningOpRef<mlir::ModuleOp> design;
    hls::Conversions conversions(context);
    auto hasUnit = [&](mlir::Operation *op) {
      return conversions.find(op) != nullptr;
    };
    QOPT_RETURN_IF_ERROR(
        runWithDiagnostics(context, Code::UnsupportedLowering, [&] {
          mlir::FailureOr<IntegerCore> cut =
              cutIntegerCore(*lowered, dropsHead_, hasUnit);
          if (mlir::failed(cut))
            return mlir::failure();
          core = std::move(*cut);
          giveFloats(core,
                     input.quantized.lookupSymbol<mlir::func::FuncOp>("main"));
          design = core.core->clone();
          return hls::buildDesign(*design, options);
        }));
    QOPT_ASSIGN(std::vector<hls::TestVector> vectors,
                makeVectors(input, *lowered, core));
    Emission emission;
    QOPT_RETURN_IF_ERROR(runWithDiagnostics(context, Code::Internal, [&] {
      auto project = hls::emitProject(*design, core, vectors, options);
      if (mlir::failed(project))
        return mlir::failure();
      for (auto &[name, bytes] : *project)
        emission.files[name].bytes = std::move(bytes);
      return mlir::success();
    }));
    emission.target = options.part->name;
    emission.text = llvm::StringRef(emission.files["report.txt"].bytes)
                        .split("\n\n")
                        .first.str();
    return emission;
  }

private:
  /// Heads in integers need integers at their end.
  absl::Status lowerModule(mlir::ModuleOp module,
                           const TargetInput &input) const {
    if (dropsHead_)
      return lower(module, input.requantize, /*integerOnly=*/true);
    return lowerToIntegers(module, {input.requantize, /*dropsHead=*/false,
                                    /*keepsInputs=*/true});
  }

  /// The part, the clock, counts and the name of the top, all that is wrong at
  /// once.
  absl::Status readFlags(const TargetRequest &request) {
    llvm::SmallVector<std::string> problems;
    std::string help;
    std::string part = getFlag(request, "target", "native");
    options_.part = hls::findPart(part);
    if (!options_.part) {
      problems.push_back("--target: expected a part that is known, got '" +
                         part + "'");
      help = "known parts: ";
      for (const hls::Part &known : hls::getParts())
        help += (&known == hls::getParts().begin() ? "" : ", ") +
                std::string(known.name);
    }
    clock_ = getFlag(request, "clock", "10ns");
    absl::StatusOr<double> clock = parseClock(clock_);
    if (clock.ok())
      options_.clockNs = *clock;
    else
      problems.push_back(std::string(clock.status().message()));
    if (isReservedSymbol(options_.symbol))
      problems.push_back("--symbol-prefix: expected a name for the top "
                         "function, got the word '" +
                         options_.symbol + "' of C++");
    auto count = [&](const char *name, const char *otherwise, int64_t least,
                     int64_t &value) {
      std::string text = getFlag(request, name, otherwise);
      if (llvm::StringRef(text).getAsInteger(10, value) || value < least)
        problems.push_back("--" + std::string(name) +
                           ": expected an integer >= " + std::to_string(least) +
                           ", got '" + text + "'");
    };
    count("cycles", "0", 0, options_.cycles);
    count("vectors", "20", 1, vectors_);
    if (problems.empty())
      return absl::OkStatus();
    Error error(Code::BadFlagValue, problems.front());
    for (const std::string &problem : llvm::drop_begin(problems))
      std::move(error).note(problem);
    if (!help.empty())
      std::move(error).help(help);
    return error;
  }

  absl::StatusOr<std::vector<hls::TestVector>>
  makeVectors(const TargetInput &input, mlir::ModuleOp lowered,
              const IntegerCore &core) const {
    std::vector<llvm::SmallVector<Tensor>> inputs;
    if (input.openFrames) {
      QOPT_ASSIGN(FrameSource frames, input.openFrames(lowered));
      QOPT_ASSIGN(inputs, readInputs(frames, core, vectors_));
    } else {
      inputs = inventInputs(core, vectors_);
    }
    QOPT_ASSIGN(auto reference,
                createInterpreter(mlir::ModuleOp(core.core.get())));
    std::vector<hls::TestVector> vectors;
    for (llvm::SmallVector<Tensor> &frame : inputs) {
      QOPT_ASSIGN(llvm::SmallVector<Tensor> outputs, reference->run(frame));
      vectors.push_back({std::move(frame), std::move(outputs)});
    }
    return vectors;
  }

  hls::ProjectOptions options_;
  std::string clock_; ///< as it was given
  int64_t vectors_ = 20;
  bool dropsHead_ = false;
};
} // namespace

static FlagValues readFlags(const llvm::json::Object &described) {
  auto count = [&](llvm::StringRef key) {
    return std::to_string(described.getInteger(key).value_or(0));
  };
  return {{"target", described.getString("part").value_or("").str()},
          {"clock", described.getString("clock").value_or("").str()},
          {"cycles", count("cycles")},
          {"vectors", count("vectors")}};
}

namespace qopt {
const TargetRow &getHLSTarget() {
  static const TargetRow kRow = {"hls",
                                 kFlags,
                                 kKinds,
                                 kStages,
                                 /*hasBundle=*/false,
                                 HLSTarget::create,
                                 readFlags};
  return kRow;
}
} // namespace qopt
