//===- Project.cpp - The files of a folder of C ---------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// model.c, model.h, model_weights.h, and what is the same for every model.
//===----------------------------------------------------------------------===//
#include "Project.h"
#include "FunctionWriter.h"
#include "qopt/Target/Integer/HostPart.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::embedded;

static constexpr std::pair<const char *, const char *> kRuntimeFiles[] = {
#include "lib/Runtime/Embedded/EmbeddedSources.inc"
};

std::string embedded::fillTemplate(StringRef text, StringRef symbol) {
  return absl::StrReplaceAll(
      text.str(), {{"@SYMBOL@", symbol.str()}, {"@UPPER@", symbol.upper()}});
}

namespace {
/// An array of the interface, and its names in C.
struct Port : DevicePort {
  std::string dtype, ctype;
  int64_t elements = 0, bytes = 0;
};

class ProjectWriter {
public:
  ProjectWriter(func::FuncOp main, const StepList &list,
                ArrayRef<StepCode> codes, const EmbeddedCOptions &options)
      : main_(main), context_(main.getContext()), list_(list), codes_(codes),
        symbol_(options.symbol), upper_(StringRef(options.symbol).upper()) {}

  absl::StatusOr<EmbeddedCProject> run() {
    for (auto [i, type] : llvm::enumerate(main_.getArgumentTypes()))
      inputs_.push_back(
          describe(type, main_.getArgAttrDict(i), "input_" + llvm::Twine(i)));
    for (auto [i, type] : llvm::enumerate(main_.getResultTypes()))
      outputs_.push_back(describe(type, main_.getResultAttrDict(i),
                                  "output_" + llvm::Twine(i)));
    project_.arenaBytes = list_.arenaBytes;
    project_.liveBytes = list_.liveBytes;
    project_.files[symbol_ + "_weights.h"] = writeWeights();
    auto source = writeSource();
    if (!source.ok())
      return source.status();
    project_.files[symbol_ + ".c"] = std::move(*source);
    project_.files[symbol_ + ".h"] = writeHeader();
    for (auto [name, text] : kRuntimeFiles)
      project_.files[name] = fillTemplate(text, symbol_);
    project_.files["README.md"] += describeFigures();
    for (const Step &step : list_.steps)
      project_.layers.push_back(
          {step.name, getKindName(step.kind).str(), step.macs});
    return std::move(project_);
  }

private:
  static Port describe(Type type, DictionaryAttr attributes,
                       const llvm::Twine &fallback) {
    if (auto held =
            attributes ? attributes.getAs<TypeAttr>(kHeldType) : TypeAttr())
      type = held.getValue();
    Port port{describePort(type, attributes, fallback), "", "", 0, 0};
    port.ctype = getCType(port);
    port.dtype = (port.isFloat      ? "QOPT_F"
                  : port.isUnsigned ? "QOPT_U"
                                    : "QOPT_I") +
                 std::to_string(port.storageBits);
    port.elements = getNumElements(port.shape);
    port.bytes = port.elements * (port.storageBits / 8);
    return port;
  }

  std::string banner(StringRef file, StringRef what) const {
    return absl::StrCat("/* ", file.str(), " - ", what.str(), "\n",
                        " * Written by qopt compile --emit=c. */\n");
  }

  /// What the model needs, and its layers, for the README.
  std::string describeFigures() const {
    int64_t products = 0;
    for (const Step &step : list_.steps)
      products += step.macs;
    std::string out = absl::StrCat(
        "\n## What it needs\n\n* RAM: an arena of ", list_.arenaBytes,
        " bytes (at most ", list_.liveBytes,
        " are alive at once), inputs, outputs and a stack of about 1 KiB\n"
        "* flash: ",
        project_.weightsBytes, " bytes of constants, and the code (`size ",
        symbol_, ".o`)\n* ", products,
        " products a call\n\n| layer | kernel | products | "
        "result |\n|---|---|---|---|\n");
    for (auto [i, step] : llvm::enumerate(list_.steps)) {
      auto shape = cast<RankedTensorType>(step.output.getType()).getShape();
      absl::StrAppend(&out, "| ", i, " ", getComment(step.name), " | ",
                      getKindName(step.kind).str(),
                      step.isPacked         ? ", weights of 4 bits"
                      : !step.table.empty() ? ", weights out of a table"
                                            : "",
                      " | ", step.macs, " | ", formatShape(shape), " |\n");
    }
    return out;
  }

  /// Numbers, eighty columns a line.
  static void appendNumbers(std::string &out, ArrayRef<int64_t> values) {
    std::string row = "     ";
    for (int64_t value : values) {
      // The least int32 has no literal of its own.
      std::string text = value == INT32_MIN ? std::string(" -2147483647 - 1,")
                         : value < INT32_MIN || value > UINT32_MAX
                             ? absl::StrCat(" ", value, "LL,")
                             : absl::StrCat(" ", value, ",");
      if (row.size() + text.size() > 80) {
        absl::StrAppend(&out, row, "\n");
        row = "     ";
      }
      row += text;
    }
    if (row.size() > 5)
      absl::StrAppend(&out, row, "\n");
  }

  std::string writeWeights() {
    std::vector<const Member *> members;
    for (const StepCode &code : codes_)
      for (const Member &member : code.members)
        members.push_back(&member);
    // Words first: no padding between members.
    std::stable_sort(members.begin(), members.end(),
                     [](const Member *a, const Member *b) {
                       return a->elementBytes > b->elementBytes;
                     });
    std::string guard = "QOPT_" + upper_ + "_WEIGHTS_H";
    std::string out = banner(symbol_ + "_weights.h", "constants of the model");
    absl::StrAppend(&out, "#ifndef ", guard, "\n#define ", guard,
                    "\n\n#include <stdint.h>\n\ntypedef struct ", symbol_,
                    "_weights {\n");
    int64_t bytes = 0;
    for (const Member *member : members) {
      absl::StrAppend(&out, "  ", member->type, " ", member->name, "[",
                      member->values.size(), "];\n");
      bytes += member->values.size() * member->elementBytes;
    }
    if (members.empty())
      absl::StrAppend(&out, "  int8_t none[1];\n");
    project_.weightsBytes = llvm::alignTo(bytes, 4);
    absl::StrAppend(
        &out, "} ", symbol_, "_weights;\n\n",
        "/* Where the constants lie, as an attribute: -D'QOPT_CONSTANTS=\n"
        " * __attribute__((section(\".external\")))'. By default .rodata. */\n"
        "#ifndef QOPT_CONSTANTS\n#define QOPT_CONSTANTS\n#endif\n\n",
        "static const ", symbol_, "_weights ", symbol_,
        "_embedded_weights QOPT_CONSTANTS = {\n");
    for (const Member *member : members) {
      absl::StrAppend(&out, "    /* ", member->name, " */ {\n");
      appendNumbers(out, member->values);
      absl::StrAppend(&out, "    },\n");
    }
    if (members.empty())
      absl::StrAppend(&out, "    {0},\n");
    absl::StrAppend(&out, "};\n\n#endif\n");
    return out;
  }

  void appendPorts(std::string &out, StringRef kind,
                   const std::vector<Port> &ports) const {
    int64_t all = 0;
    for (auto [i, port] : llvm::enumerate(ports)) {
      absl::StrAppend(&out, "/* ", kind.str(), " ", i, ": '",
                      getComment(port.name), "', ", port.ctype, " [",
                      formatShape(port.shape), "]");
      absl::StrAppend(&out, describeEncoding(port));
      absl::StrAppend(&out, " */\n");
      std::string name = absl::StrCat(upper_, "_", kind.upper(), "_", i, "_");
      absl::StrAppend(&out, "#define ", name, "ELEMENTS ", port.elements,
                      "\n#define ", name, "BYTES ", port.bytes, "\n");
      if (port.scales.size() == 1)
        absl::StrAppend(&out, "#define ", name, "SCALE ",
                        formatFloat(port.scales[0]), "\n#define ", name,
                        "ZERO_POINT ", port.zeroPoints[0] < 0 ? "(" : "",
                        port.zeroPoints[0], port.zeroPoints[0] < 0 ? ")" : "",
                        "\n");
      if (port.hasRange())
        absl::StrAppend(&out, "#define ", name, "LOW (", port.low,
                        ")\n#define ", name, "HIGH ", port.high, "\n");
      all += port.bytes;
    }
    absl::StrAppend(&out, "#define ", upper_, "_", kind.upper(), "_BYTES ",
                    std::max<int64_t>(all, 1), "\n");
  }

  std::string writeHeader() const {
    std::string guard = "QOPT_MODEL_" + upper_ + "_H";
    std::string out =
        banner(symbol_ + ".h", "interface of the model; see qopt_rt.h");
    absl::StrAppend(&out, "#ifndef ", guard, "\n#define ", guard,
                    "\n\n#include \"qopt_rt.h\"\n\n#ifdef __cplusplus\n"
                    "extern \"C\" {\n#endif\n\n");
    absl::StrAppend(&out, "#define ", upper_, "_INPUTS ", inputs_.size(),
                    "\n#define ", upper_, "_OUTPUTS ", outputs_.size(),
                    "\n/* RAM that the caller lends for a call, 64-byte "
                    "aligned. */\n#define ",
                    upper_, "_ARENA_BYTES ", list_.arenaBytes,
                    "\n/* Constants, in flash. */\n#define ", upper_,
                    "_WEIGHTS_BYTES ", project_.weightsBytes, "\n\n");
    appendPorts(out, "input", inputs_);
    appendPorts(out, "output", outputs_);
    absl::StrAppend(&out,
                    "\n/* Computes all outputs; QOPT_OK, or QOPT_EABI or "
                    "QOPT_EARENA if nothing was\n * done. Reentrant: calls "
                    "with different arenas and outputs may overlap. */\n"
                    "extern int ",
                    symbol_,
                    "_run(const qopt_call *call);\n"
                    "/* Names, shapes, scales and zero points. */\n"
                    "extern const qopt_info *",
                    symbol_,
                    "_info(void);\n\n#ifdef __cplusplus\n}\n#endif\n\n"
                    "#endif\n");
    return out;
  }

  std::string getAddress(Value value, bool isConst) const {
    Type element = cast<RankedTensorType>(value.getType()).getElementType();
    Place place = list_.places.lookup(list_.getRoot(value));
    switch (place.base) {
    case Place::Arena:
      return place.offset ? absl::StrCat("arena + ", place.offset) : "arena";
    case Place::Input:
      return absl::StrCat("(const int8_t *)call->inputs[", place.offset, "]");
    case Place::Output:
      return absl::StrCat(element.isInteger(32)   ? "(int32_t *)"
                          : element.isInteger(64) ? "(int64_t *)"
                          : isConst               ? "(const int8_t *)"
                                                  : "(int8_t *)",
                          "call->outputs[", place.offset, "]");
    }
    return "";
  }

  absl::StatusOr<std::string> writeRun() const {
    FunctionWriter writer(context_, symbol_ + "_run",
                          {{"const qopt_call *const", "call"}},
                          /*specifier=*/"", "int");
    bool usesWeights = false, usesArena = list_.arenaBytes > 0;
    for (const StepCode &code : codes_)
      usesWeights |= code.usesWeights ||
                     llvm::any_of(code.constants, [](const std::string &name) {
                       return !name.empty();
                     });
    // Nothing of the call is read before it is known to be of this form.
    writer.line("if (call->abi != QOPT_ABI)\n  return QOPT_EABI;");
    if (usesArena)
      writer.line("int8_t *arena = (int8_t *)call->arena;\n"
                  "if (!arena || (uintptr_t)arena % 64)\n"
                  "  return QOPT_EARENA;");
    if (usesWeights)
      writer.line(
          absl::StrCat("const ", symbol_, "_weights *weights =\n    ",
                       "call->weights ? (const ", symbol_,
                       "_weights *)call->weights\n                  : &",
                       symbol_, "_embedded_weights;"));
    for (auto [i, step] : llvm::enumerate(list_.steps)) {
      const StepCode &code = codes_[i];
      std::vector<FunctionWriter::Argument> arguments;
      auto ofImage = [&, &step = step](std::string address, Value value) {
        int64_t bytes =
            getTensorType(value).getNumElements() *
            (getElementBytes(value) == 2 ? 2 : 1); // sums have their type
        return step.batch == 1
                   ? address
                   : absl::StrCat(address, " + image * ", bytes / step.batch);
      };
      for (auto [j, input] : llvm::enumerate(step.inputs))
        arguments.push_back(
            ofImage(code.constants[j].empty() ? getAddress(input, true)
                    : getElementBytes(input) == 2
                        ? "(const int8_t *)weights->" + code.constants[j]
                        : "weights->" + code.constants[j],
                    input));
      arguments.push_back(ofImage(getAddress(step.output, false), step.output));
      if (code.usesWeights)
        arguments.push_back("weights");
      if (code.usesScratch)
        arguments.push_back(absl::StrCat("arena + ", list_.scratch[i].offset));
      writer.call("qopt_begin", {"call", int64_t(i)});
      if (step.batch == 1)
        writer.call(code.name, arguments);
      else
        writer.loop(step.batch, 1, "image",
                    [&](Value) { writer.call(code.name, arguments); });
      writer.call("qopt_end", {"call", int64_t(i)});
    }
    FailureOr<std::string> text = writer.finish("QOPT_OK");
    if (failed(text))
      return absl::InternalError("the entry point could not be printed as C");
    return *text;
  }

  static std::string quote(StringRef text) {
    std::string out = "\"";
    for (char c : text) {
      char buffer[8];
      if (c == '"' || c == '\\') {
        out += '\\';
        out += c;
      } else if (llvm::isPrint(c) && c != '?') {
        out += c;
      } else {
        std::snprintf(buffer, sizeof buffer, "\\%03o", unsigned(uint8_t(c)));
        out += buffer;
      }
    }
    return out + "\"";
  }

  void appendTensors(std::string &out, StringRef kind,
                     const std::vector<Port> &ports) const {
    if (ports.empty())
      return;
    for (auto [i, port] : llvm::enumerate(ports)) {
      absl::StrAppend(&out, "static const int64_t ", kind.str(), "_", i,
                      "_dims[] = {");
      for (int64_t extent : port.shape)
        absl::StrAppend(&out, extent, ", ");
      absl::StrAppend(&out, port.shape.empty() ? "1" : "", "};\n");
    }
    absl::StrAppend(&out, "static const qopt_tensor ", kind.str(), "s[] = {\n");
    for (auto [i, port] : llvm::enumerate(ports)) {
      bool isPerTensor = port.scales.size() == 1;
      absl::StrAppend(&out, "    {", quote(port.name), ", ", kind.str(), "_", i,
                      "_dims, ", port.shape.size(), ", ", port.dtype, ", ",
                      port.bytes, ", ",
                      formatFloat(isPerTensor ? port.scales[0] : 0), ", ",
                      isPerTensor ? port.zeroPoints[0] : 0, "},\n");
    }
    absl::StrAppend(&out, "};\n");
  }

  std::string writeInfo() const {
    std::string out;
    appendTensors(out, "input", inputs_);
    appendTensors(out, "output", outputs_);
    if (!list_.steps.empty()) {
      absl::StrAppend(&out, "static const char *const layers[] = {\n");
      for (const Step &step : list_.steps)
        absl::StrAppend(&out, "    ", quote(step.name), ",\n");
      absl::StrAppend(&out, "};\n");
    }
    absl::StrAppend(
        &out, "static const qopt_info info = {\n    QOPT_ABI, ", inputs_.size(),
        ", ", outputs_.size(), ", ", list_.steps.size(), ",\n    ",
        inputs_.empty() ? "NULL" : "inputs", ", ",
        outputs_.empty() ? "NULL" : "outputs", ", ",
        list_.steps.empty() ? "NULL" : "layers", ",\n    ", list_.arenaBytes,
        ", sizeof(", symbol_, "_weights), \"c99\", ", quote(symbol_),
        "};\n\nconst qopt_info *", symbol_, "_info(void) { return &info; }\n");
    return out;
  }

  absl::StatusOr<std::string> writeSource() const {
    std::string out = banner(symbol_ + ".c", "the model");
    absl::StrAppend(&out, "#include \"", symbol_, ".h\"\n#include \"", symbol_,
                    "_weights.h\"\n#include \"qopt_embedded.h\"\n\n");
    for (const StepCode &code : codes_)
      absl::StrAppend(&out, code.text, "\n");
    absl::StrAppend(
        &out,
        "static void qopt_begin(const qopt_call *call, uint32_t layer) {\n"
        "  if (call->layer_hook)\n"
        "    call->layer_hook(call->hook_context, layer, 0);\n}\n\n"
        "static void qopt_end(const qopt_call *call, uint32_t layer) {\n"
        "  if (call->layer_hook)\n"
        "    call->layer_hook(call->hook_context, layer, 1);\n}\n\n");
    auto run = writeRun();
    if (!run.ok())
      return run.status();
    absl::StrAppend(&out, *run, "\n\n", writeInfo());
    return out;
  }

  func::FuncOp main_;
  MLIRContext *context_;
  const StepList &list_;
  ArrayRef<StepCode> codes_;
  std::string symbol_, upper_;
  std::vector<Port> inputs_, outputs_;
  EmbeddedCProject project_;
};
} // namespace

absl::StatusOr<EmbeddedCProject>
embedded::writeProject(func::FuncOp main, const StepList &list,
                       ArrayRef<StepCode> codes,
                       const EmbeddedCOptions &options) {
  return ProjectWriter(main, list, codes, options).run();
}
