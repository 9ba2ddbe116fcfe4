//===- OnnxTarget.cpp - Fuzzing of ONNX models ----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A model, its import and what follows. Beside the model lies a file of
// external data, and a link out of its folder.
//===----------------------------------------------------------------------===//
#include "Harness.h"
#include "MutateModel.h"
#include "qopt/Frontend/ONNX/Import.h"

#include "mlir/IR/Verifier.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <cstdlib>
#include <onnx-ml.pb.h>

using namespace qopt;

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

static void writeExternalData() {
  std::string bytes(4096, '\1');
  std::string file = fuzz::writeScratch("data.bin", bytes);
  llvm::SmallString<128> link(llvm::sys::path::parent_path(file));
  llvm::sys::path::append(link, "link.bin");
  if (llvm::sys::fs::create_link("/etc/passwd", link))
    std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static bool isReady = (writeExternalData(), true);
  (void)isReady;
  llvm::StringRef bytes(reinterpret_cast<const char *>(data), size);
  mlir::MLIRContext &context = fuzz::getContext();
  ImportOptions options;
  for (const char *name : {"N", "batch", "n", "seq"})
    options.dims[name] = 2;
  // A model in memory has no external data.
  bool hasExternal = bytes.contains("data.bin") || bytes.contains("link.bin");
  auto module =
      hasExternal
          ? importModel(&context, fuzz::writeScratch("model.onnx", bytes),
                        options)
          : importModelBytes(&context, bytes, options);
  if (!module.ok()) {
    fuzz::expectNoDefect(module.status());
    return 0;
  }
  if (mlir::failed(mlir::verify(**module)))
    std::abort();
  fuzz::runGraph(std::move(*module), fuzz::hashInput(bytes));
  return 0;
}

/// Serialized into `data`, if it fits.
static size_t write(const onnx::ModelProto &model, uint8_t *data, size_t most) {
  size_t size = model.ByteSizeLong();
  return size <= most && model.SerializeToArray(data, int(size)) ? size : 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,
                                          size_t most, unsigned seed) {
  onnx::ModelProto model;
  // Now and then the file itself is damaged.
  if (seed % 32 == 0 || !model.ParseFromArray(data, int(size)))
    return LLVMFuzzerMutate(data, size, most);
  fuzz::mutateModel(model, seed);
  size_t written = write(model, data, most);
  return written ? written : size;
}

extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t *first,
                                            size_t firstSize,
                                            const uint8_t *second,
                                            size_t secondSize, uint8_t *out,
                                            size_t most, unsigned seed) {
  onnx::ModelProto model, other;
  if (!model.ParseFromArray(first, int(firstSize)) ||
      !other.ParseFromArray(second, int(secondSize)))
    return 0;
  fuzz::crossModels(model, other, seed);
  return write(model, out, most);
}
