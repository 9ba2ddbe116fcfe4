//===- Report.h - Estimates of a design -----------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// report.json and report.txt: cycles, resources, FIFOs, before synthesis.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_HLS_REPORT_H
#define QOPT_LIB_TARGET_HLS_REPORT_H

#include "Names.h"
#include "qopt/Target/HLS/Emit.h"

namespace qopt::hls {

void addReport(std::map<std::string, std::string> &files, const Graph &graph,
               const Names &names, const IntegerCore &core,
               const ProjectOptions &options);

} // namespace qopt::hls

#endif // QOPT_LIB_TARGET_HLS_REPORT_H
