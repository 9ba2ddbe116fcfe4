//===- qopt-translate.cpp - ONNX to textual IR and back -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Importer and exporter alone, for tests and for looking at models.
//===----------------------------------------------------------------------===//
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "qopt/Export/ONNX/Export.h"
#include "qopt/Frontend/ONNX/Import.h"
#include "qopt/Frontend/ONNX/Proto/ProtoReader.h"
#include "qopt/InitAll.h"
#include "qopt/Interpreter/Interpreter.h"
#include "qopt/Support/Npy.h"
#include "qopt/Target/EmbeddedC/Emit.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/ToolOutputFile.h"
#include "llvm/Support/WithColor.h"

namespace cl = llvm::cl;

static cl::opt<std::string> importPath("import-onnx",
                                       cl::desc("model to import"),
                                       cl::value_desc("file"));
static cl::opt<std::string> textPath("text-to-onnx",
                                     cl::desc("protobuf text to write as ONNX"),
                                     cl::value_desc("file"));
static cl::opt<std::string> exportPath("export-onnx",
                                       cl::desc("module to write as ONNX"),
                                       cl::value_desc("file"));
static cl::opt<std::string> fxpPath("fxp-to-c",
                                    cl::desc("module of fxp to write as C"),
                                    cl::value_desc("file"));
static cl::opt<std::string>
    cFile("file", cl::desc("which file of the folder of C to print"),
          cl::init("model.c"));
static cl::opt<std::string> outputPath("o", cl::desc("output file"),
                                       cl::init("-"));
static cl::list<std::string> shapes("shape", cl::desc("shape of an input"),
                                    cl::value_desc("name=1x3x8x8"));
static cl::list<std::string> dims("dim",
                                  cl::desc("extent of a symbolic dimension"),
                                  cl::value_desc("name=extent"));

/// 3 for unsupported, 4 for a bad model, as the driver has it.
static int fail(const absl::Status &status) {
  llvm::WithColor::error(llvm::errs(), "qopt-translate")
      << std::string(status.message()) << "\n";
  return status.code() == absl::StatusCode::kUnimplemented ? 3 : 4;
}

/// --input of --run-reference, and --const.
static cl::list<std::string> inputs("input", cl::desc("array of an input"),
                                    cl::value_desc("name=file.npy"));
static cl::list<std::string> consts("const",
                                    cl::desc("input that becomes a constant"),
                                    cl::value_desc("name=file.npy"));
static cl::opt<std::string>
    runPrefix("run-reference",
              cl::desc("interpret the model and write PREFIX<i>.npy"),
              cl::value_desc("prefix"));

static bool parseExtents(llvm::StringRef text, std::vector<int64_t> &extents) {
  llvm::SmallVector<llvm::StringRef> parts;
  text.split(parts, 'x');
  for (llvm::StringRef part : parts) {
    int64_t extent;
    if (part.getAsInteger(10, extent) || extent < 0)
      return false;
    extents.push_back(extent);
  }
  return true;
}

static int usage(const llvm::Twine &message) {
  llvm::WithColor::error(llvm::errs(), "qopt-translate") << message << "\n";
  return 2;
}

/// Runs @main on the arrays of --input, in the order of its arguments.
static int runReference(mlir::ModuleOp module) {
  auto function = module.lookupSymbol<mlir::func::FuncOp>("main");
  llvm::SmallVector<qopt::Tensor> arrays;
  for (unsigned i = 0; i < function.getNumArguments(); ++i) {
    auto name = function.getArgAttrOfType<mlir::StringAttr>(i, "qg.name");
    for (llvm::StringRef entry : inputs) {
      auto [key, file] = entry.rsplit('=');
      if (key != name.getValue())
        continue;
      auto array = qopt::readArray(file);
      if (!array.ok())
        return fail(array.status());
      arrays.push_back(*array);
    }
  }
  auto results = qopt::interpret(function, arrays);
  if (!results.ok())
    return fail(results.status());
  for (auto [i, result] : llvm::enumerate(*results)) {
    std::string path = runPrefix + std::to_string(i) + ".npy";
    if (absl::Status status = qopt::writeNpy(path, result); !status.ok())
      return fail(status);
  }
  return 0;
}

static int importOnnx() {
  qopt::ImportOptions options;
  for (llvm::StringRef entry : shapes) {
    auto [name, value] = entry.rsplit('=');
    if (!parseExtents(value, options.shapes[name.str()]))
      return usage("expects --shape name=1x3x8x8, got " + entry);
  }
  for (llvm::StringRef entry : dims) {
    auto [name, value] = entry.rsplit('=');
    if (value.getAsInteger(10, options.dims[name.str()]))
      return usage("expects --dim name=extent, got " + entry);
  }
  for (llvm::StringRef entry : consts) {
    auto [name, file] = entry.rsplit('=');
    auto array = qopt::readArray(file);
    if (!array.ok())
      return fail(array.status());
    options.consts[name.str()] = *array;
  }
  mlir::DialectRegistry registry;
  qopt::registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  context.getDiagEngine().registerHandler([](mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() != mlir::DiagnosticSeverity::Warning)
      return mlir::failure();
    llvm::errs() << "warning: " << diagnostic << "\n";
    return mlir::success();
  });
  auto module = qopt::importModel(&context, importPath, options);
  if (!module.ok())
    return fail(module.status());
  if (!runPrefix.empty())
    return runReference(**module);
  std::error_code code;
  llvm::ToolOutputFile output(outputPath, code,
                              llvm::sys::fs::OpenFlags::OF_None);
  if (code)
    return usage("cannot write '" + outputPath + "': " + code.message());
  mlir::OpPrintingFlags flags;
  flags.elideLargeResourceString(1 << 30);
  (*module)->print(output.os(), flags);
  output.keep();
  return 0;
}

static int exportModule() {
  mlir::DialectRegistry registry;
  qopt::registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(exportPath, &context);
  if (!module)
    return 4;
  if (!runPrefix.empty())
    return runReference(*module);
  mlir::FailureOr<std::string> bytes = qopt::exportOnnx(*module);
  if (failed(bytes))
    return 3;
  std::error_code code;
  llvm::ToolOutputFile output(outputPath, code,
                              llvm::sys::fs::OpenFlags::OF_None);
  if (code)
    return usage("cannot write '" + outputPath + "': " + code.message());
  output.os() << *bytes;
  output.keep();
  return 0;
}

/// Prints one file of the folder that --emit=c writes.
static int printC() {
  mlir::DialectRegistry registry;
  qopt::registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(fxpPath, &context);
  if (!module)
    return 4;
  auto project = qopt::emitEmbeddedC(*module, {});
  if (!project.ok())
    return fail(project.status());
  auto file = project->files.find(cFile);
  if (file == project->files.end())
    return usage("expects --file to be a file of the folder, got " + cFile);
  llvm::outs() << file->second;
  return 0;
}

int main(int argc, char **argv) {
  cl::ParseCommandLineOptions(argc, argv, "qopt model translator\n");
  if (!importPath.empty())
    return importOnnx();
  if (!exportPath.empty())
    return exportModule();
  if (!fxpPath.empty())
    return printC();
  if (textPath.empty())
    return usage("expects --import-onnx, --export-onnx, --fxp-to-c or "
                 "--text-to-onnx");
  absl::Status status = qopt::frontend::convertTextModel(textPath, outputPath);
  return status.ok() ? 0 : fail(status);
}
