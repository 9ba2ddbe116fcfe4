//===- RecurrentCell.h - The step of a recurrent layer in a loop's body ---===//
// SPDX-License-Identifier: Apache-2.0
//
// Recognized by what the ops compute, not by who wrote them: importers of LSTM,
// GRU and RNN, and of the loops that frameworks unfold them into.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_CONVERSION_QGTOFXP_RECURRENTCELL_H
#define QOPT_LIB_CONVERSION_QGTOFXP_RECURRENTCELL_H

#include "qopt/Dialect/QG/IR/QGControl.h"

namespace qopt::qgtofxp {

/// Where the sum in front of a gate comes from: columns of the slice that the
/// body reads, and of a product of the state.
struct GateSum {
  int64_t inputColumn = -1, stateColumn = -1;
  qg::MatmulOp product;
  bool isWhole() const { return inputColumn >= 0 && product; }
};

/// The step of an LSTM (gates i, f, g, o), GRU (z, r, n) or RNN.
struct RecurrentCell {
  llvm::StringRef kind;
  llvm::SmallVector<GateSum> gates;
  /// A GRU whose reset gate scales the state, not the product.
  bool resetFirst = false;
};

/// The cell that a loop repeats, or why it is none.
struct CellMatch {
  std::optional<RecurrentCell> cell;
  std::string reason;
};
CellMatch matchCell(qg::LoopOp loop);

} // namespace qopt::qgtofxp

#endif // QOPT_LIB_CONVERSION_QGTOFXP_RECURRENTCELL_H
