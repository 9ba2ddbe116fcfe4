//===- EmitProject.cpp - The files of a project ---------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// C++ leaves through EmitC: a file op per file, with its includes and the text
// of its units. EmitC numbers parameters and loop variables; hardware is
// reviewed by name, so that functions are verbatim text.
//===----------------------------------------------------------------------===//
#include "Names.h"
#include "Report.h"
#include "TestBench.h"
#include "qopt/Target/HLS/Emit.h"
#include "qopt/Target/HLS/Passes.h"
#include "qopt/Target/HLS/Target.h"
#include "qopt/Target/Integer/HostPart.h"

#include "mlir/Dialect/EmitC/IR/EmitC.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/Cpp/CppEmitter.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::hls;

static void buildPasses(OpPassManager &pm, const FoldUnitsOptions &fold) {
  pm.addPass(createConvertFXPToHLS());
  pm.addNestedPass<func::FuncOp>(createFoldUnits(fold));
  pm.addNestedPass<func::FuncOp>(createSizeFifos());
}

LogicalResult hls::buildDesign(ModuleOp core, const ProjectOptions &options) {
  PassManager pm(core.getContext(), ModuleOp::getOperationName());
  FoldUnitsOptions fold;
  fold.cycles = options.cycles;
  fold.part = options.part->name;
  buildPasses(pm, fold);
  return pm.run(core);
}

namespace {
struct TextOptions : PassPipelineOptions<TextOptions> {
  Option<int64_t> cycles{*this, "cycles",
                         llvm::cl::desc("cycles a frame may take"),
                         llvm::cl::init(0)};
  Option<std::string> part{*this, "part", llvm::cl::desc("FPGA"),
                           llvm::cl::init("xc7z020")};
};
} // namespace

void hls::registerPipelines() {
  PassPipelineRegistration<TextOptions>(
      "qopt-hls", "Integer core to folded units and sized streams",
      [](OpPassManager &pm, const TextOptions &options) {
        FoldUnitsOptions fold;
        fold.cycles = options.cycles;
        fold.part = options.part;
        buildPasses(pm, fold);
      });
}

/// A name of the model in a comment.
static std::string makePrintable(StringRef text) {
  std::string result;
  for (char c : text)
    result += llvm::isPrint(c) && c != '\\' ? c : '_';
  return result;
}

namespace {
/// Files as emitc.file ops of one module.
class Files {
public:
  explicit Files(MLIRContext *context)
      : module_(ModuleOp::create(UnknownLoc::get(context))), builder_(context) {
    context->loadDialect<emitc::EmitCDialect>();
  }

  void add(StringRef path, StringRef title, ArrayRef<std::string> includes,
           StringRef body) {
    Location loc = builder_.getUnknownLoc();
    builder_.setInsertionPointToEnd(module_->getBody());
    auto file = emitc::FileOp::create(builder_, loc, path);
    if (file.getBodyRegion().empty())
      file.getBodyRegion().emplaceBlock();
    builder_.setInsertionPointToEnd(&file.getBodyRegion().front());
    auto verbatim = [&](const Twine &text) {
      emitc::VerbatimOp::create(builder_, loc, StringRef(text.str()));
    };
    verbatim("// " + title);
    bool isHeader = path.ends_with(".h");
    if (isHeader)
      verbatim("#pragma once");
    for (StringRef include : includes) {
      bool isStandard = include.consume_front("<");
      emitc::IncludeOp::create(builder_, loc, include, isStandard);
    }
    verbatim("\n" + body.rtrim());
    paths_.push_back(path.str());
  }

  LogicalResult print(std::map<std::string, std::string> &files) {
    for (const std::string &path : paths_) {
      std::string text;
      llvm::raw_string_ostream os(text);
      if (failed(emitc::translateToCpp(*module_, os,
                                       /*declareVariablesAtTop=*/false, path)))
        return failure();
      // The other files of the module leave empty lines.
      files[path] = StringRef(text).trim('\n').str() + "\n";
    }
    return success();
  }

private:
  OwningOpRef<ModuleOp> module_;
  OpBuilder builder_;
  std::vector<std::string> paths_;
};

class Project {
public:
  Project(ModuleOp design, const IntegerCore &core,
          const ProjectOptions &options)
      : function_(*design.getOps<func::FuncOp>().begin()), core_(core),
        options_(options), graph_(function_), names_(graph_, function_),
        files_(design.getContext()) {
    graph_.prepareSimulation();
  }

  FailureOr<std::map<std::string, std::string>>
  run(ArrayRef<TestVector> vectors) {
    emitLayers();
    emitTop();
    BenchPorts ports = describePorts();
    files_.add(
        "tb/tb.cpp",
        "Test bench: what the hardware computes against "
        "the interpreter of the compiler.",
        {"../src/" + options_.symbol + ".h", "<cstdint", "<cstdio", "<cstdlib"},
        emitTestBench(ports, options_.symbol, vectors.size()));
    std::map<std::string, std::string> files;
    if (failed(files_.print(files)))
      return failure();
    files["tb/vectors.bin"] = packVectors(ports, vectors);
    addBuildFiles(files, options_, sources_);
    addReport(files, graph_, names_, core_, options_);
    llvm::raw_string_ostream os(files["design.mlir"]);
    OpPrintingFlags flags;
    flags.elideLargeElementsAttrs(16);
    flags.elideLargeResourceString(16);
    function_->getParentOp()->print(os, flags);
    return files;
  }

private:
  /// A file per layer, and its tables in a header.
  void emitLayers() {
    llvm::MapVector<StringRef, SmallVector<size_t>> layers;
    for (size_t i = 0; i < graph_.units.size(); ++i)
      layers[names_.layers[i]].push_back(i);
    Text prototypes;
    for (auto &[layer, units] : layers) {
      Text tables, functions;
      for (size_t i : units) {
        const Unit &unit = *graph_.units[i];
        std::string title = names_.units[i] + ": " + unit.describe();
        unit.emitTables(tables, names_.units[i]);
        functions.line("// " + title);
        unit.emit(functions, names_.units[i]);
        functions.blank();
        prototypes.line("// " + title);
        prototypes.line(getSignature(names_.units[i], unit.op()) + ";");
      }
      std::vector<std::string> includes = {"layers.h"};
      if (!tables.empty()) {
        files_.add(("weights/" + layer + ".h").str(),
                   ("Parameters of layer " + layer).str(),
                   {"<ap_int.h", "<cstdint"}, tables.take());
        includes.push_back(("../weights/" + layer + ".h").str());
      }
      std::string path = ("src/" + layer + ".cpp").str();
      files_.add(path, ("Layer " + layer).str(), includes, functions.take());
      sources_.push_back(path);
    }
    files_.add("src/layers.h", "The units of " + options_.symbol,
               {"<ap_int.h", "<hls_stream.h"}, prototypes.take());
  }

  /// Channels to the outside: inputs and results in the order of the model.
  SmallVector<size_t> getPorts() const {
    SmallVector<size_t> ports;
    for (auto [i, channel] : llvm::enumerate(graph_.channels))
      if (channel.writer < 0 || channel.reader < 0)
        ports.push_back(i);
    auto getRank = [&](size_t i) {
      const Channel &channel = graph_.channels[i];
      return channel.writer < 0 ? std::pair(0u, channel.result)
                                : std::pair(1u, channel.operand);
    };
    llvm::stable_sort(
        ports, [&](size_t a, size_t b) { return getRank(a) < getRank(b); });
    return ports;
  }

  std::string getTopSignature() {
    std::string text = "void " + options_.symbol + "(";
    bool isFirst = true;
    for (size_t i : getPorts()) {
      const Channel &channel = graph_.channels[i];
      text += std::string(isFirst ? "" : ",") + "\n    hls::stream<" +
              getWordName(cast<StreamType>(channel.value.getType())) + " > &" +
              names_.channels[i];
      isFirst = false;
    }
    return text + ")";
  }

  void emitTop() {
    Text header, top;
    for (size_t i : getPorts()) {
      auto type = cast<StreamType>(graph_.channels[i].value.getType());
      header.line("// " + names_.channels[i] + ": " + Twine(type.getTokens()) +
                  " tokens of " + Twine(type.getLanes()) + " " +
                  (type.isSigned() ? "signed " : "unsigned ") +
                  Twine(type.getBits()) +
                  "-bit integers a frame, first element in the low bits");
      const Channel &channel = graph_.channels[i];
      bool isInput = channel.writer < 0;
      const DevicePort &port = isInput ? core_.inputs[channel.result]
                                       : core_.outputs[channel.operand];
      header.line("//   '" + Twine(makePrintable(port.name)) + "' [" +
                  formatShape(port.shape) + "]" + describeEncoding(port));
    }
    header.line("// " + options_.symbol +
                "_host.h has what lies between them and the model's arrays.");
    header.line(getTopSignature() + ";");
    files_.add("src/" + options_.symbol + ".h",
               "the interface of " + options_.symbol,
               {"<ap_int.h", "<hls_stream.h"}, header.take());

    top.open(getTopSignature());
    for (size_t i : getPorts())
      top.pragma("INTERFACE mode=axis port=" + names_.channels[i]);
    top.pragma("INTERFACE mode=ap_ctrl_chain port=return");
    top.pragma("DATAFLOW");
    for (auto [i, channel] : llvm::enumerate(graph_.channels)) {
      if (channel.writer < 0 || channel.reader < 0)
        continue;
      auto type = cast<StreamType>(channel.value.getType());
      top.line("hls::stream<" + getWordName(type) + " > " + names_.channels[i] +
               "(\"" + names_.channels[i] + "\");");
      top.pragma("STREAM variable=" + names_.channels[i] +
                 " depth=" + Twine(channel.depth));
      // As it was counted.
      if (channel.depth > 2)
        top.pragma("BIND_STORAGE variable=" + names_.channels[i] +
                   " type=fifo impl=" +
                   (getFifo(channel.depth, type.getWordBits()).bram18 ? "bram"
                                                                      : "srl"));
    }
    top.blank();
    for (auto [i, unit] : llvm::enumerate(graph_.units)) {
      std::string call = names_.units[i] + "(";
      bool isFirst = true;
      auto argue = [&](Value value) {
        call +=
            (isFirst ? "" : ", ") + names_.channels[graph_.getChannel(value)];
        isFirst = false;
      };
      llvm::for_each(unit->op()->getOperands(), argue);
      llvm::for_each(unit->op()->getResults(), argue);
      top.line(call + ");");
    }
    top.close();
    std::string path = "src/" + options_.symbol + ".cpp";
    // A layer may have the model's name.
    if (llvm::is_contained(sources_, path))
      path = "src/" + options_.symbol + "_top.cpp";
    files_.add(path, options_.symbol + ": every layer at once",
               {options_.symbol + ".h", "layers.h"}, top.take());
    sources_.push_back(path);
  }

  BenchPorts describePorts() {
    BenchPorts ports;
    for (size_t i : getPorts()) {
      const Channel &channel = graph_.channels[i];
      auto type = cast<StreamType>(channel.value.getType());
      if (channel.writer < 0)
        ports.inputs.push_back({names_.channels[i], type, channel.result});
      if (channel.reader < 0)
        ports.outputs.push_back({names_.channels[i], type, channel.operand});
    }
    return ports;
  }

  func::FuncOp function_;
  const IntegerCore &core_;
  const ProjectOptions &options_;
  Graph graph_;
  Names names_;
  Files files_;
  std::vector<std::string> sources_;
};
} // namespace

FailureOr<std::map<std::string, std::string>>
hls::emitProject(ModuleOp design, const IntegerCore &core,
                 ArrayRef<TestVector> vectors, const ProjectOptions &options) {
  return Project(design, core, options).run(vectors);
}
