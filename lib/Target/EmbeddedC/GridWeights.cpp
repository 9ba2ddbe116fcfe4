//===- GridWeights.cpp - Weights of few bits as codes ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The smallest grid that holds all weights of a product, whatever format they
// came in, and the order in which qopt_embedded_bits.h reads their codes.
//===----------------------------------------------------------------------===//
#include "Steps.h"
#include "qopt/Dialect/FXP/IR/Levels.h"

#include <numeric>

using namespace mlir;
using namespace qopt;
using namespace qopt::embedded;

/// Savings below this many bytes are not worth a kernel.
static constexpr int64_t kLeastSaving = 128;

/// Bits of a half of a word.
static constexpr int64_t kHalf = 16;

static bool hasRows(const Step &step) {
  return step.kind == Step::Gather || step.kind == Step::Direct;
}

GridWeights embedded::findGrid(const Step &step, ArrayRef<int8_t> weights) {
  if (weights.empty())
    return {};
  bool isPadded = hasRows(step) && step.k % 4;
  auto [least, most] = std::minmax_element(weights.begin(), weights.end());
  GridWeights grid;
  grid.least = isPadded ? std::min<int64_t>(*least, 0) : *least;
  int64_t reach = (isPadded ? std::max<int64_t>(*most, 0) : *most) - grid.least;
  for (int8_t weight : weights)
    grid.step = std::gcd(grid.step, weight - grid.least);
  if (isPadded)
    grid.step = std::gcd(grid.step, -grid.least);
  grid.step = std::max<int64_t>(grid.step, 1);
  unsigned bits = std::max(1u, llvm::Log2_64_Ceil(reach / grid.step + 1));
  // Seven bits by accident save little, and cost what vectors would do.
  unsigned mostBits = fxp::getWeightBits(step.op) == 7 ? 7 : 6;
  if (bits > mostBits ||
      int64_t(weights.size()) * (8 - bits) / 8 < kLeastSaving)
    return {};
  grid.bits = bits;
  return grid;
}

int64_t embedded::getLargestGridSum(const Step &step) {
  int64_t codes = (int64_t(1) << step.grid.bits) - 1;
  return llvm::alignTo(step.k, 4) * 128 *
         (std::abs(step.grid.least) + codes * step.grid.step);
}

/// Appends a row of codes, `stride` words apart from `at` on.
static void packRow(ArrayRef<int64_t> codes, unsigned bits, size_t at,
                    size_t stride, std::vector<uint32_t> &words) {
  for (auto [i, code] : llvm::enumerate(codes)) {
    // Of four neighbours: the first pair's lower and the second one's, then
    // the upper ones.
    int64_t pair = i / 4 * 2 + i % 2, half = i % 4 / 2;
    for (unsigned b = 0; b < bits; ++b) {
      int64_t bit = pair * bits + b;
      words[at + bit / kHalf * stride] |= uint32_t(code >> b & 1)
                                          << (bit % kHalf + half * kHalf);
    }
  }
}

std::vector<uint32_t> embedded::packGrid(const Step &step,
                                         ArrayRef<int8_t> weights) {
  // Depthwise and grouped weights are one long row, which is unpacked.
  int64_t n = hasRows(step) ? step.n : 1;
  int64_t k = llvm::alignTo(weights.size() / n, 4);
  const GridWeights &grid = step.grid;
  int64_t rowWords = (k / 2 * grid.bits + kHalf - 1) / kHalf;
  std::vector<uint32_t> words(n * rowWords);
  SmallVector<int64_t> codes;
  for (int64_t row = 0; row < n; ++row) {
    codes.clear();
    for (int8_t weight :
         weights.slice(row * (weights.size() / n), weights.size() / n))
      codes.push_back((weight - grid.least) / grid.step);
    bool isAlone = n % 2 && row == n - 1;
    packRow(codes, grid.bits,
            isAlone ? row * rowWords : row / 2 * 2 * rowWords + row % 2,
            isAlone ? 1 : 2, words);
  }
  return words;
}
