//===- Inspect.cpp - qopt inspect -----------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What is in a model: arrays in and out, ops, multiply-accumulates, parameters,
// encodings.
//===----------------------------------------------------------------------===//
#include "qopt/Artifacts/Bundle.h"
#include "qopt/Artifacts/Program.h"
#include "qopt/Dialect/QG/IR/Encodings.h"
#include "qopt/Driver/Session.h"
#include "qopt/Driver/VerbFlags.h"
#include "qopt/Pipelines/LayerReport.h"
#include "qopt/Pipelines/Model.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace qopt;
using namespace qopt::driver;

llvm::ArrayRef<Flag> driver::getJsonFlags() {
  static constexpr Flag kFlags[] = {{"json", nullptr, "JSON on stdout"}};
  return kFlags;
}

namespace {
struct Facts {
  std::map<std::string, int64_t> ops;
  /// Constants that are stored in an encoding: how many in which.
  std::map<std::string, int64_t> stored;
  int64_t macs = 0, parameters = 0, parameterBytes = 0, quantizedTensors = 0;
};

int64_t countElements(mlir::Value value) {
  return llvm::cast<mlir::ShapedType>(value.getType()).getNumElements();
}

Facts collect(mlir::ModuleOp module) {
  Facts facts;
  module.walk([&](mlir::Operation *op) {
    if (op->getName().getDialectNamespace() == "builtin" ||
        op->getName().getDialectNamespace() == "func")
      return;
    if (llvm::isa<qg::ConstantOp>(op)) {
      facts.parameters += countElements(op->getResult(0));
      auto type =
          llvm::cast<mlir::RankedTensorType>(op->getResult(0).getType());
      if (qg::QuantizedType encoding = qg::getQuantizedType(type)) {
        facts.parameterBytes += (qg::getStoredBits(type) + 7) / 8;
        ++facts.stored[describeEncoding(encoding)];
        return;
      }
      if (std::optional<DType> dtype = qg::getDType(type.getElementType()))
        facts.parameterBytes += type.getNumElements() * getByteWidth(*dtype);
      return;
    }
    std::string name = op->getName().getStringRef().str();
    if (auto unary = llvm::dyn_cast<qg::UnaryOp>(op))
      name += " " + stringifyUnaryKind(unary.getKind()).str();
    if (auto binary = llvm::dyn_cast<qg::BinaryOp>(op))
      name += " " + stringifyBinaryKind(binary.getKind()).str();
    ++facts.ops[name];
    if (auto linear = llvm::dyn_cast<LinearOpInterface>(op))
      facts.macs += linear.countMacs();
    for (mlir::Value result : op->getResults())
      if (auto type = llvm::dyn_cast<mlir::ShapedType>(result.getType()))
        facts.quantizedTensors +=
            bool(qg::getQuantizedType(type.getElementType()));
  });
  return facts;
}

/// As in a bundle's manifest.
llvm::json::Value describeOutputs(const ModelInterface &interface) {
  llvm::json::Value outputs = toJson(interface.ownOutputs());
  for (const qg::ResultLength &dim : interface.counted)
    (*(*outputs.getAsArray())[dim.result].getAsObject())["length"] =
        llvm::json::Object{
            {"axis", int64_t(dim.axis)},
            {"index", int64_t(dim.length - interface.countOwnOutputs())}};
  return outputs;
}

llvm::json::Value describeBounds(const ModelInterface &interface) {
  llvm::json::Array lengths;
  for (size_t i = interface.countOwnOutputs(); i < interface.outputs.size();
       ++i)
    lengths.push_back(llvm::json::Object{{"name", interface.outputs[i].name},
                                         {"bound", interface.getBound(i)}});
  return lengths;
}

void printSpecs(llvm::raw_ostream &os, llvm::StringRef title,
                llvm::ArrayRef<TensorSpec> specs) {
  for (const TensorSpec &spec : specs)
    os << llvm::formatv("{0,-8} {1}: {2} {3}\n", title, spec.name,
                        getName(spec.dtype), formatShape(spec.shape));
}
} // namespace

static absl::StatusOr<ExitCode> runInspect(const Arguments &arguments,
                                           Session &session) {
  const std::string &path = arguments.positional()[0];
  ProgramOptions options;
  QOPT_ASSIGN(options.import, getImportOptions(arguments));
  // A model as its file has it: what opens models for running prepares them.
  QOPT_ASSIGN(auto module,
              findBundle(path)
                  ? openModule(session.context(), path, options)
                  : loadModel(session.context(), path, options.import));
  QOPT_ASSIGN(ModelInterface interface, getInterface(*module));
  Facts facts = collect(*module);
  llvm::raw_ostream &os = session.out();
  if (arguments.has("json")) {
    llvm::json::Object ops;
    for (auto &[name, count] : facts.ops)
      ops[name] = count;
    llvm::json::Object stored;
    for (auto &[name, count] : facts.stored)
      stored[name] = count;
    llvm::json::Object object{{"inputs", toJson(interface.inputs)},
                              {"outputs", describeOutputs(interface)},
                              {"ops", std::move(ops)},
                              {"macs", facts.macs},
                              {"parameters", facts.parameters},
                              {"parameter_bytes", facts.parameterBytes},
                              {"stored", std::move(stored)},
                              {"quantized_tensors", facts.quantizedTensors}};
    if (!interface.counted.empty())
      object["lengths"] = describeBounds(interface);
    os << llvm::formatv("{0:2}\n", llvm::json::Value(std::move(object)));
    return ExitCode::Ok;
  }
  printSpecs(os, "input", interface.inputs);
  printSpecs(os, "output", interface.ownOutputs());
  for (const std::string &line : describeLengths(interface))
    os << "length   " << line << "\n";
  os << "macs     " << facts.macs << "\n"
     << "params   " << facts.parameters << " (" << facts.parameterBytes
     << " bytes)\n"
     << "encoded  "
     << (facts.quantizedTensors
             ? std::to_string(facts.quantizedTensors) + " quantized tensors"
         : facts.stored.empty() ? "nothing, the model is float"
                                : "no activations")
     << "\n";
  for (auto &[name, count] : facts.stored)
    os << "stored   " << count << " constants of " << name << "\n";
  for (auto &[name, count] : facts.ops)
    os << llvm::formatv("{0,6}  {1}\n", count, name);
  return ExitCode::Ok;
}

namespace qopt::driver {
Verb getInspectVerb() {
  return {"inspect",
          "what is in a model",
          "STEM|MODEL [options]",
          1,
          1,
          {getJsonFlags(), getImportFlags()},
          runInspect,
          /*place=*/10};
}
} // namespace qopt::driver
