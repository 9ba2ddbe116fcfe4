//===- Ops.cpp - qopt ops -------------------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Prints the importer's registry; there is no second list.
//===----------------------------------------------------------------------===//
#include "qopt/Driver/Session.h"
#include "qopt/Driver/VerbFlags.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace qopt;
using namespace qopt::driver;

static llvm::ArrayRef<Flag> getOpsFlags() {
  static constexpr Flag kFlags[] = {
      {"format", "FORM", "table, md or json"},
      {"domain", "NAME", "only this operator domain"},
  };
  return kFlags;
}

static absl::StatusOr<ExitCode> runOps(const Arguments &arguments,
                                       Session &session) {
  QOPT_ASSIGN(std::string format,
              arguments.getChoice("format", {"table", "md", "json"}, "table"));
  llvm::raw_ostream &os = session.out();
  llvm::json::Array array;
  unsigned supported = 0, refused = 0;
  if (format == "md")
    os << "| domain | op | since | |\n|---|---|---|---|\n";
  for (const frontend::OpRow &row : frontend::OpRegistry::get().rows()) {
    std::string domain = row.domain.empty() ? "ai.onnx" : row.domain;
    if (arguments.has("domain") && arguments.get("domain") != domain)
      continue;
    (row.handler ? supported : refused) += 1;
    std::string note = row.handler ? row.note : "refused: " + row.note;
    if (format == "json")
      array.push_back(llvm::json::Object{{"domain", domain},
                                         {"op", row.name},
                                         {"since", row.since},
                                         {"supported", row.handler != nullptr},
                                         {"note", row.note}});
    else if (format == "md")
      os << "| " << domain << " | " << row.name << " | " << row.since << " | "
         << note << " |\n";
    else
      os << llvm::formatv("{0,-12} {1,-28} {2,3}  {3}\n", domain, row.name,
                          row.since, note);
  }
  if (format == "json")
    os << llvm::formatv("{0:2}\n", llvm::json::Value(std::move(array)));
  else
    os << "\n"
       << supported << " supported, " << refused << " refused by name\n";
  return ExitCode::Ok;
}

namespace qopt::driver {
Verb getOpsVerb() {
  return {"ops",       "the ONNX operators that are supported",
          "[options]", 0,
          0,           {getOpsFlags()},
          runOps,
          /*place=*/30};
}
} // namespace qopt::driver
