//===- MinCut.cpp - Minimum cut of a directed graph -----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Maximum flow by blocking flows (Dinic 1970).
//===----------------------------------------------------------------------===//
#include "qopt/Support/MinCut.h"

#include <algorithm>

using namespace qopt;

int MinCut::addNode() {
  heads_.emplace_back();
  return int(heads_.size()) - 1;
}

void MinCut::addEdge(int from, int to, int64_t price) {
  if (from == to || price == 0)
    return;
  heads_[from].push_back(int(edges_.size()));
  edges_.push_back({to, price});
  heads_[to].push_back(int(edges_.size()));
  edges_.push_back({from, 0});
}

bool MinCut::assignLevels() {
  level_.assign(heads_.size(), -1);
  level_[0] = 0;
  std::vector<int> queue{0};
  for (size_t i = 0; i < queue.size(); ++i)
    for (int index : heads_[queue[i]]) {
      const Edge &edge = edges_[index];
      if (edge.room == 0 || level_[edge.to] >= 0)
        continue;
      level_[edge.to] = level_[queue[i]] + 1;
      queue.push_back(edge.to);
    }
  return level_[1] >= 0;
}

int64_t MinCut::push(int node, int64_t limit) {
  if (node == 1)
    return limit;
  for (size_t &i = next_[node]; i < heads_[node].size(); ++i) {
    int index = heads_[node][i];
    Edge edge = edges_[index];
    if (edge.room == 0 || level_[edge.to] != level_[node] + 1)
      continue;
    if (int64_t flow = push(edge.to, std::min(limit, edge.room))) {
      edges_[index].room -= flow;
      edges_[index ^ 1].room += flow;
      return flow;
    }
  }
  return 0;
}

std::vector<bool> MinCut::solve() {
  while (assignLevels()) {
    next_.assign(heads_.size(), 0);
    while (push(0, infinite) != 0)
      ;
  }
  // What the source still reaches is in state 0.
  std::vector<bool> states(heads_.size());
  for (size_t node = 0; node < states.size(); ++node)
    states[node] = level_[node] < 0;
  return states;
}
