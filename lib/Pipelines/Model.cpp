//===- Model.cpp - Models as files and their interfaces -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Readers of every kind of model file, and what their errors say.
//===----------------------------------------------------------------------===//
#include "qopt/Pipelines/Model.h"
#include "qopt/Dialect/QG/IR/HostTypes.h"
#include "qopt/Dialect/QG/IR/QGDims.h"
#include "qopt/Pipelines/ModelReference.h"
#include "qopt/Support/Escape.h"
#include "qopt/Support/FileContents.h"
#include "qopt/Support/FileMemory.h"
#include "qopt/Support/Files.h"
#include "qopt/Support/WriteModule.h"

#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/SourceMgr.h"
#include <cstring>

using namespace qopt;

/// Of a file of bytecode: above this it is mapped instead of read.
static constexpr uint64_t kLargeMapped = uint64_t(64) << 20;

static absl::StatusOr<TensorSpec> getSpec(mlir::Type type,
                                          mlir::DictionaryAttr attributes,
                                          const llvm::Twine &fallback) {
  auto tensor = llvm::dyn_cast<mlir::RankedTensorType>(type);
  std::optional<DType> dtype;
  if (qg::getDims(type)) {
    std::string text;
    llvm::raw_string_ostream(text) << type;
    return Error(Code::UnsupportedModel,
                 "expected extents that are known at compile time, got " +
                     text + ": lengths at run time are not supported");
  }
  if (tensor && tensor.hasStaticShape())
    dtype = qg::getHostType(tensor, attributes);
  if (!dtype) {
    std::string text;
    llvm::raw_string_ostream(text) << type;
    return Error(Code::ModelInvalid,
                 "expected '@main' to take and give arrays of static shape, "
                 "got " +
                     text);
  }
  TensorSpec spec{fallback.str(), *dtype, {}};
  spec.shape.assign(tensor.getShape().begin(), tensor.getShape().end());
  if (attributes)
    if (auto name = attributes.getAs<mlir::StringAttr>("qg.name"))
      spec.name = name.str();
  return spec;
}

absl::StatusOr<ModelInterface> qopt::getInterface(mlir::ModuleOp module) {
  auto main = module.lookupSymbol<mlir::func::FuncOp>("main");
  if (!main || main.isExternal())
    return Error(Code::ModelInvalid,
                 "expected a module with a function '@main'");
  ModelInterface interface;
  mlir::FunctionType type = main.getFunctionType();
  for (auto [i, input] : llvm::enumerate(type.getInputs())) {
    QOPT_ASSIGN(TensorSpec spec, getSpec(input, main.getArgAttrDict(i),
                                         "input" + llvm::Twine(i)));
    interface.inputs.push_back(std::move(spec));
  }
  for (auto [i, output] : llvm::enumerate(type.getResults())) {
    QOPT_ASSIGN(TensorSpec spec, getSpec(output, main.getResultAttrDict(i),
                                         "output" + llvm::Twine(i)));
    interface.outputs.push_back(std::move(spec));
  }
  auto counted = qg::getResultLengths(main);
  if (!counted)
    return Error(Code::ModelInvalid, llvm::toString(counted.takeError()));
  interface.counted = std::move(*counted);
  return interface;
}

int64_t ModelInterface::getBound(size_t length) const {
  int64_t bound = std::numeric_limits<int64_t>::max();
  for (const qg::ResultLength &dim : counted)
    if (dim.length == length)
      bound = std::min(bound, outputs[dim.result].shape[dim.axis]);
  return bound;
}

std::vector<std::string>
qopt::describeLengths(const ModelInterface &interface) {
  std::vector<std::string> lines;
  for (size_t i = interface.countOwnOutputs(); i < interface.outputs.size();
       ++i) {
    std::string counts;
    for (const qg::ResultLength &dim : interface.counted)
      if (dim.length == i)
        counts += (counts.empty() ? "dimension " : ", dimension ") +
                  std::to_string(dim.axis) + " of '" +
                  interface.outputs[dim.result].name + "'";
    lines.push_back(interface.outputs[i].name + ": 0 to " +
                    std::to_string(interface.getBound(i)) + ", counts " +
                    counts);
  }
  return lines;
}

Tensor qopt::takeFirst(const Tensor &x, size_t axis, int64_t count) {
  llvm::SmallVector<int64_t> shape(x.shape().begin(), x.shape().end());
  size_t inner =
      getByteWidth(x.dtype()) * getNumElements(x.shape().drop_front(axis + 1));
  size_t from = inner * shape[axis], to = inner * count;
  shape[axis] = count;
  Tensor result(x.dtype(), shape);
  for (int64_t i = 0, e = getNumElements(x.shape().take_front(axis)); i < e;
       ++i)
    std::memcpy(result.mutableData() + i * to, x.data() + i * from, to);
  return result;
}

absl::StatusOr<llvm::SmallVector<Tensor>>
qopt::trimOutputs(const ModelInterface &interface,
                  llvm::ArrayRef<Tensor> outputs) {
  llvm::SmallVector<Tensor> trimmed(outputs);
  for (const qg::ResultLength &dim : interface.counted) {
    Tensor &output = trimmed[dim.result];
    int64_t count = outputs[dim.length].getInt(0);
    if (count < 0 || count > output.shape()[dim.axis])
      return Error(Code::ModelInvalid,
                   "output '" + interface.outputs[dim.result].name +
                       "' has a length of " + llvm::Twine(count) +
                       ", expected at most " +
                       llvm::Twine(output.shape()[dim.axis]));
    output = takeFirst(output, dim.axis, count);
  }
  return trimmed;
}

/// The importer's status has one line per offender: the first becomes the
/// message, the others notes.
static absl::Status fromImporter(const absl::Status &status,
                                 llvm::StringRef path) {
  Code code =
      status.code() == absl::StatusCode::kUnimplemented ? Code::UnsupportedModel
      : status.code() == absl::StatusCode::kNotFound    ? Code::ModelFile
                                                        : Code::ModelInvalid;
  std::string message(status.message());
  llvm::SmallVector<llvm::StringRef> lines;
  llvm::StringRef(message).split(lines, '\n', -1, /*KeepEmpty=*/false);
  if (lines.empty())
    lines.push_back("the model cannot be read");
  Error error(code, lines.size() > 1
                        ? "'" + path + "': " + llvm::Twine(lines.size()) +
                              " problems, the first: " + lines[0]
                        : "'" + path + "': " + lines[0]);
  for (llvm::StringRef line : llvm::drop_begin(lines))
    (void)std::move(error).note(line);
  return error;
}

/// The importer's errors are in its status; its warnings pass.
static mlir::LogicalResult keepErrors(mlir::Diagnostic &diagnostic) {
  return mlir::success(diagnostic.getSeverity() !=
                       mlir::DiagnosticSeverity::Warning);
}

absl::StatusOr<mlir::OwningOpRef<mlir::ModuleOp>>
qopt::loadModelBytes(mlir::MLIRContext *context, llvm::StringRef bytes,
                     const ImportOptions &options) {
  mlir::ScopedDiagnosticHandler quiet(context, keepErrors);
  auto imported = importModelBytes(context, bytes, options);
  if (!imported.ok())
    return fromImporter(imported.status(), "<bytes>");
  return std::move(*imported);
}

/// As the importer makes them: JSON holds no other names.
static void makeNamesText(mlir::ModuleOp module) {
  mlir::AttrTypeReplacer replacer;
  replacer.addReplacement(
      [](mlir::StringAttr name) -> std::optional<mlir::Attribute> {
        if (llvm::json::isUTF8(name.getValue()))
          return std::nullopt;
        return mlir::StringAttr::get(name.getContext(), toUtf8(name));
      });
  replacer.recursivelyReplaceElementsIn(module, /*replaceAttrs=*/true,
                                        /*replaceLocs=*/true,
                                        /*replaceTypes=*/false);
}

namespace {
/// A buffer on a mapped file.
class MappedBuffer : public llvm::MemoryBuffer {
public:
  MappedBuffer(std::shared_ptr<const char> bytes, size_t size, std::string name)
      : bytes(std::move(bytes)), name(std::move(name)) {
    init(this->bytes.get(), this->bytes.get() + size,
         /*RequiresNullTerminator=*/false);
  }
  llvm::StringRef getBufferIdentifier() const override { return name; }
  BufferKind getBufferKind() const override { return MemoryBuffer_MMap; }

private:
  std::shared_ptr<const char> bytes;
  std::string name;
};
} // namespace

/// Adds a file to `sources`. Large bytecode is mapped and gives its memory;
/// anything else is copied.
static absl::StatusOr<std::shared_ptr<const char>>
openSource(llvm::StringRef path, llvm::SourceMgr &sources) {
  uint64_t size = 0;
  std::error_code error = llvm::sys::fs::file_size(path, size);
  if (!error && path.ends_with(".mlirbc") && size >= kLargeMapped) {
    absl::StatusOr<std::shared_ptr<const char>> mapped = mapFile(path, 0, size);
    if (mapped.ok()) {
      sources.AddNewSourceBuffer(
          std::make_unique<MappedBuffer>(*mapped, size, path.str()),
          llvm::SMLoc());
      return *mapped;
    }
  }
  absl::StatusOr<std::string> bytes = readFile(path);
  if (!bytes.ok())
    return Error(Code::ModelFile, std::string(bytes.status().message()));
  // Bytecode sections are aligned, and the reader wants them so in memory.
  auto buffer = llvm::WritableMemoryBuffer::getNewUninitMemBuffer(
      bytes->size(), path, llvm::Align(64));
  if (!buffer)
    return Error(Code::ModelFile, "'" + path + "' does not fit memory");
  std::memcpy(buffer->getBufferStart(), bytes->data(), bytes->size());
  sources.AddNewSourceBuffer(std::move(buffer), llvm::SMLoc());
  return std::shared_ptr<const char>();
}

absl::StatusOr<mlir::OwningOpRef<mlir::ModuleOp>>
qopt::loadModel(mlir::MLIRContext *context, llvm::StringRef path,
                const ImportOptions &options) {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  if (path.ends_with(".onnx") || path.ends_with(".onnxtxt")) {
    mlir::ScopedDiagnosticHandler quiet(context, keepErrors);
    auto imported = importModel(context, path, options);
    if (!imported.ok())
      return fromImporter(imported.status(), path);
    return std::move(*imported);
  }
  if (!path.ends_with(".mlir") && !path.ends_with(".mlirbc"))
    return Error(Code::ModelFile, "expected a .onnx, .mlir or .mlirbc file, "
                                  "or a compiled STEM, got '" +
                                      path + "'");
  auto sources = std::make_shared<llvm::SourceMgr>();
  QOPT_ASSIGN(std::shared_ptr<const char> owner, openSource(path, *sources));
  absl::Status status = runWithDiagnostics(context, Code::ModelInvalid, [&] {
    // Resources of a mapped file stay in it as long as the buffer is there.
    module = owner ? mlir::parseSourceFile<mlir::ModuleOp>(sources, context)
                   : mlir::parseSourceFile<mlir::ModuleOp>(*sources, context);
    return mlir::success(bool(module));
  });
  if (!status.ok())
    return status;
  QOPT_RETURN_IF_ERROR(fillConstants(*module, path));
  makeNamesText(*module);
  return std::move(module);
}

absl::StatusOr<std::string> qopt::getModelHash(mlir::ModuleOp module) {
  Sha256Stream stream;
  QOPT_RETURN_IF_ERROR(writeModule(module, stream));
  return stream.finish();
}
