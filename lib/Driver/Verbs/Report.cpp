//===- Report.cpp - qopt report -------------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A compiled STEM in, one page or JSON out.
//===----------------------------------------------------------------------===//
#include "qopt/Driver/Session.h"
#include "qopt/Driver/VerbFlags.h"
#include "qopt/Report/ReportPage.h"
#include "qopt/Support/Files.h"

#include "llvm/Support/FormatVariadic.h"

using namespace qopt;
using namespace qopt::driver;

static llvm::ArrayRef<Flag> getReportFlags() {
  static constexpr Flag kFlags[] = {
      {"json", nullptr, "JSON on stdout, or into -o"},
      {"report-samples", "N", "of --data, to measure layers with (8)"},
  };
  return kFlags;
}

static absl::StatusOr<ExitCode> runReport(const Arguments &arguments,
                                          Session &session) {
  std::optional<std::string> output = arguments.get("output");
  bool isJson = arguments.has("json");
  if (!output && !isJson)
    return Error(Code::MissingArgument, "expected -o REPORT.html, or --json");
  llvm::StringRef suffix = isJson ? ".json" : ".html";
  if (output && *output != "-" && !llvm::StringRef(*output).ends_with(suffix))
    return Error(Code::BadFlagValue, "-o: expected a name that ends in " +
                                         suffix + ", got '" + *output + "'")
        .help(isJson ? "without --json a page is written"
                     : "--json writes the same data as JSON");
  const std::string &path = arguments.positional()[0];
  std::optional<std::string> stem = findBundle(path);
  if (!stem)
    return Error(Code::BundleInvalid,
                 "'" + path + "' is no compiled model: there is no '" + path +
                     ".qopt/manifest.json'")
        .help("qopt compile MODEL -o STEM makes one");
  QOPT_ASSIGN(Bundle bundle, readBundle(*stem));
  QOPT_ASSIGN(Preprocessing pre,
              getPreprocessing(arguments, bundle.preprocessing));
  QOPT_ASSIGN(int64_t count, arguments.getInt("report-samples", 8, 1));
  std::unique_ptr<DataSource> data;
  SampleSource samples;
  if (arguments.has("data")) {
    QOPT_ASSIGN(std::vector<TensorSpec> inputs, bundle.getSpecs("inputs"));
    QOPT_ASSIGN(data, openData(arguments, inputs, pre));
    samples = makeSampleSource(*data);
  }
  QOPT_ASSIGN(ReportData report,
              collectReport(session.context(), bundle, samples, count));
  std::string text =
      isJson ? llvm::formatv("{0:2}\n", toJson(report)).str() : toHtml(report);
  if (!output || *output == "-") {
    session.out() << text;
    return ExitCode::Ok;
  }
  QOPT_RETURN_IF_ERROR(writeFile(*output, text));
  session.say("wrote " + *output);
  return ExitCode::Ok;
}

namespace qopt::driver {
Verb getReportVerb() {
  return {"report",
          "one page: layers, decisions, reasons, plots",
          "STEM -o REPORT.html [--data PATH] [options]",
          1,
          1,
          {getOutputFlags(), getReportFlags(), getDataFlags()},
          runReport,
          /*place=*/130};
}
} // namespace qopt::driver
