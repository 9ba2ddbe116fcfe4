//===- MinCut.h - Minimum cut of a directed graph -------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Choosing one of two states for every node so that the price of the edges
// between different states is least. Deterministic: edges are used in the
// order in which they were added.
//===----------------------------------------------------------------------===//
#ifndef QOPT_SUPPORT_MINCUT_H
#define QOPT_SUPPORT_MINCUT_H

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace qopt {

class MinCut {
public:
  static constexpr int64_t infinite = std::numeric_limits<int64_t>::max() / 4;

  /// Node 0 is the source (state 0), node 1 the sink (state 1).
  MinCut() : heads_(2) {}
  int addNode();
  /// Price to pay if `from` is in state 0 and `to` in state 1.
  void addEdge(int from, int to, int64_t price);
  /// State of every node in the cheapest choice; of several, the one with most
  /// nodes in state 1.
  std::vector<bool> solve();

private:
  struct Edge {
    int to;
    int64_t room;
  };
  bool assignLevels();
  int64_t push(int node, int64_t limit);

  std::vector<std::vector<int>> heads_; ///< edges leaving each node
  std::vector<Edge> edges_;             ///< edge i and its reverse i ^ 1
  std::vector<int> level_;
  std::vector<size_t> next_;
};

} // namespace qopt

#endif // QOPT_SUPPORT_MINCUT_H
