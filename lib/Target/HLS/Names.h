//===- Names.h - Names of layers, units and streams -----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Readable identifiers from the names of the model, each used once.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_HLS_NAMES_H
#define QOPT_LIB_TARGET_HLS_NAMES_H

#include "Design.h"

namespace qopt::hls {

struct Names {
  explicit Names(const Graph &graph, mlir::func::FuncOp function);
  std::vector<std::string> layers;   ///< of every unit: its file
  std::vector<std::string> units;    ///< of every unit: its function
  std::vector<std::string> channels; ///< of every channel
};

} // namespace qopt::hls

#endif // QOPT_LIB_TARGET_HLS_NAMES_H
