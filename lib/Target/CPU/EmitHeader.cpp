//===- EmitHeader.cpp - The C header of a compiled model ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Everything a C programmer needs to call a model: names, types, shapes, sizes.
//===----------------------------------------------------------------------===//
#include "Program.h"
#include "qopt/Target/Integer/HostPart.h"

#include "absl/strings/str_cat.h"
#include "llvm/ADT/StringExtras.h"

using namespace qopt;

static const char *getCType(DType dtype) {
  switch (dtype) {
  case DType::f32:
    return "float";
  case DType::f64:
    return "double";
  case DType::i8:
    return "int8_t";
  case DType::i16:
    return "int16_t";
  case DType::i32:
    return "int32_t";
  case DType::i64:
    return "int64_t";
  case DType::u32:
    return "uint32_t";
  case DType::u64:
    return "uint64_t";
  case DType::f16:
  case DType::bf16:
  case DType::u16:
    return "uint16_t";
  case DType::u8:
  case DType::b1:
    return "uint8_t";
  }
  return "uint8_t";
}

/// Text that may stand in a C comment.
static std::string getComment(llvm::StringRef text) {
  std::string result;
  for (char c : text)
    result += llvm::isPrint(c) && c != '*' && c != '\\' ? c : '_';
  return result;
}

static void appendTensors(std::string &out, llvm::StringRef prefix,
                          llvm::StringRef kind,
                          const std::vector<TensorInfo> &tensors) {
  for (auto [i, tensor] : llvm::enumerate(tensors)) {
    int64_t count = getNumElements(tensor.shape);
    absl::StrAppend(&out, "/* ", kind.str(), " ", i, ": '",
                    getComment(tensor.name), "', ", getCType(tensor.dtype),
                    " [", formatShape(tensor.shape), "]");
    if (tensor.dtype == DType::f16 || tensor.dtype == DType::bf16)
      absl::StrAppend(&out, ", bits of ", getName(tensor.dtype).str());
    absl::StrAppend(&out, describeEncoding(tensor.stored));
    if (tensor.countedAxis)
      absl::StrAppend(&out, ",\n * densely the first lengths[", tensor.length,
                      "] of dimension ", *tensor.countedAxis);
    absl::StrAppend(&out, " */\n");
    std::string name =
        absl::StrCat(prefix.str(), "_", llvm::StringRef(kind).upper(), "_", i);
    absl::StrAppend(&out, "#define ", name, "_ELEMENTS ", count, "\n");
    absl::StrAppend(&out, "#define ", name, "_BYTES ",
                    count * getByteWidth(tensor.dtype), "\n");
  }
}

/// How a host gets weights that are in no object.
static void appendWeights(std::string &out, const ModelInfo &info,
                          llvm::StringRef symbol) {
  if (info.weightsId.empty())
    return;
  std::string upper = symbol.upper(), name = symbol.str();
  const char *call = info.lengths.empty() ? "call" : "call2.call";
  absl::StrAppend(
      &out,
      "/* The weights lie in a file; qopt-rt/qopt_weights.h maps it:\n"
      " *\n"
      " *   qopt_weights weights;\n"
      " *   int error = qopt_weights_open(&weights, \"",
      name, ".weights\",\n *                                 ", upper,
      "_WEIGHTS_BYTES, ", upper, "_WEIGHTS_ID);\n",
      " *   if (error == QOPT_WEIGHTS_OK)\n"
      " *     ",
      call,
      ".weights = weights.data;\n"
      " *\n"
      " * ",
      name, "_run gives QOPT_EWEIGHTS without them. */\n", "#define ", upper,
      "_WEIGHTS_ID \\\n  \"", info.weightsId, "\"\n\n");
}

/// What a call of version 2 has besides.
static void appendLengths(std::string &out, const ModelInfo &info,
                          llvm::StringRef symbol) {
  if (info.lengths.empty())
    return;
  std::string upper = symbol.upper(), name = symbol.str();
  absl::StrAppend(
      &out,
      "/* Data decide how many elements of an output count. An output has room "
      "for the\n"
      " * most; how many there are is written to call2.result_lengths, and ",
      name,
      "_run\n * gives QOPT_ELENGTH without it:\n"
      " *\n"
      " *   int64_t lengths[",
      upper,
      "_LENGTHS];\n"
      " *   qopt_call2 call2 = {0};\n"
      " *   call2.call.abi = QOPT_ABI2;\n"
      " *   call2.call.inputs = inputs;\n"
      " *   call2.call.outputs = outputs;\n"
      " *   call2.call.arena = arena;\n"
      " *   call2.result_lengths = lengths;\n"
      " *   int error = ",
      name, "_run(&call2.call);\n *\n");
  for (auto [i, length] : llvm::enumerate(info.lengths))
    absl::StrAppend(&out, " * lengths[", i, "]: '", getComment(length.name),
                    "', 0 to ", length.bound, "\n");
  absl::StrAppend(&out, " */\n#define ", upper, "_LENGTHS ",
                  info.lengths.size(), "\n\n");
}

std::string qopt::emitHeader(const ModelInfo &info, llvm::StringRef symbol) {
  std::string upper = symbol.upper(), name = symbol.str(), out;
  absl::StrAppend(&out, "/* ", name, ".h - a model compiled by qopt for ",
                  getComment(info.target), ".\n", " *\n * ", name,
                  "_run(&call) reads call.inputs[i] and writes "
                  "call.outputs[i]; see qopt_rt.h\n"
                  " * for the structure. Arrays are dense and row-major.\n"
                  " */\n");
  const char *version = info.lengths.empty() ? "" : "2";
  absl::StrAppend(&out, "#ifndef QOPT_MODEL_", upper, "_H\n#define QOPT_MODEL_",
                  upper, "_H\n\n#include \"qopt-rt/qopt_rt", version,
                  ".h\"\n\n", "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
  absl::StrAppend(&out, "#define ", upper, "_INPUTS ", info.inputs.size(),
                  "\n#define ", upper, "_OUTPUTS ", info.outputs.size(),
                  "\n#define ", upper, "_ARENA_BYTES ", info.arenaBytes,
                  "\n#define ", upper, "_WEIGHTS_BYTES ", info.weightsBytes,
                  "\n\n");
  appendWeights(out, info, symbol);
  appendLengths(out, info, symbol);
  appendTensors(out, upper, "input", info.inputs);
  appendTensors(out, upper, "output", info.outputs);
  absl::StrAppend(&out, "\nextern int ", name,
                  "_run(const qopt_call *call);\n"
                  "extern const qopt_info *",
                  name, "_info(void);\n\n",
                  "#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
  return out;
}
