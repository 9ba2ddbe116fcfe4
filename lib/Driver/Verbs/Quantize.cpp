//===- Quantize.cpp - qopt quantize ---------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A model and data in, a quantized graph out.
//===----------------------------------------------------------------------===//
#include "qopt/Artifacts/Artifacts.h"
#include "qopt/Artifacts/Program.h"
#include "qopt/Driver/Calibration.h"
#include "qopt/Driver/VerbFlags.h"
#include "qopt/Support/Files.h"

using namespace qopt;
using namespace qopt::driver;

llvm::ArrayRef<Flag> driver::getOutputFlags() {
  static constexpr Flag kFlags[] = {{"output", "PATH", "what to write", 'o'}};
  return kFlags;
}

static absl::StatusOr<ExitCode> runQuantize(const Arguments &arguments,
                                             Session &session) {
  std::string output = arguments.get("output", "-");
  llvm::StringRef name = output;
  if (output != "-" && !name.ends_with(".mlir") && !name.ends_with(".mlirbc") &&
      !name.ends_with(".onnx"))
    return Error(Code::BadFlagValue,
                 "-o: expected a name that ends in .mlir, .mlirbc or .onnx, "
                 "got '" +
                     output + "'");
  QOPT_ASSIGN(FlaggedModel flagged, quantizeModel(arguments, session));
  const QuantizedModel &model = flagged.quantized;
  if (output == "-") {
    session.out() << printModule(*model.quantized);
    return ExitCode::Ok;
  }
  std::string bytes;
  if (name.ends_with(".mlir"))
    bytes = printModule(*model.quantized);
  else if (name.ends_with(".onnx")) {
    QOPT_ASSIGN(bytes, writeOnnx(*model.unfolded));
  } else {
    QOPT_ASSIGN(bytes, serializeModule(*model.quantized));
  }
  QOPT_RETURN_IF_ERROR(writeFile(output, bytes));
  session.say("wrote " + output);
  return ExitCode::Ok;
}

namespace qopt::driver {
Verb getQuantizeVerb() {
  return {"quantize",
          "choose encodings and round",
          "MODEL -o OUT.mlirbc|OUT.onnx [options]",
          1,
          1,
          {getOutputFlags(), getQuantizeFlags(), getCalibrateFlags(),
           getEngineFlags(), getDataFlags(), getImportFlags()},
          runQuantize,
          /*place=*/60};
}
} // namespace qopt::driver
