//===- ReportPage.h - One page about a compiled model ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What was decided, why, and what it costs, read off a bundle: collected once
// as data, printed as JSON or as a page that needs nothing else.
//===----------------------------------------------------------------------===//
#ifndef QOPT_REPORT_REPORTPAGE_H
#define QOPT_REPORT_REPORTPAGE_H

#include "qopt/Artifacts/Bundle.h"
#include "qopt/Assignment/Plan.h"
#include "qopt/Pipelines/Quantize.h"
#include <cmath>

namespace qopt {

struct ReportLayer {
  std::string name, op;
  std::string weightFormat; ///< "f32", "si4", "si4:g64"; empty: no weight
  int64_t weights = 0, storedBits = 0, macs = 0;
  bool isFloat = false;
  std::string reason;      ///< of the format, or of staying float
  double weightSqnr = NAN; ///< of the rounded weight
  double inputSqnr = NAN;  ///< predicted for the input's encoding
  double sqnr = NAN;       ///< of the output, measured from the start
};

struct ReportTensor {
  std::string name;
  std::string format;               ///< ui8, or f32
  std::string reason;               ///< why it stayed wide
  double low = 0, high = 0;         ///< of all values seen
  double clipLow = 0, clipHigh = 0; ///< what the encoding holds
  double sqnr = NAN;                ///< predicted
  /// Counts of equal bins from `low` to `high`.
  std::vector<uint64_t> bins;
};

struct ReportData {
  std::string name, scheme, target, requantize;
  int64_t arenaBytes = 0, objectWeightBytes = 0;
  int64_t weights = 0, storedBits = 0, elementBits = 0;
  int64_t macs = 0, wideMacs = 0, calibrationSamples = 0, measuredSamples = 0;
  double outputSqnr = NAN; ///< worst output, measured
  std::vector<ReportLayer> layers;
  std::vector<ReportTensor> tensors;
  std::optional<Plan> plan;
};

/// Reads a bundle; with samples it also runs the model beside its float twin.
absl::StatusOr<ReportData> collectReport(mlir::MLIRContext *context,
                                         const Bundle &bundle,
                                         const SampleSource &samples,
                                         int64_t maxSamples);

/// Schema qopt.report/1.
llvm::json::Value toJson(const ReportData &report);
/// One HTML file with inline style, pictures and script.
std::string toHtml(const ReportData &report);

} // namespace qopt

#endif // QOPT_REPORT_REPORTPAGE_H
