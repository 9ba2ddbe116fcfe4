//===- Box.cpp - A box of a tensor, walked by counters --------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A counter and two comparisons for each dimension; nothing is kept.
//===----------------------------------------------------------------------===//
#include "Box.h"

#include <numeric>

using namespace mlir;
using namespace qopt;
using namespace qopt::hls;

int64_t BoxAxis::getRun() const {
  return stride == 1 ? std::gcd(extent, std::gcd(offset, size)) : 1;
}

Box hls::fuse(ArrayRef<BoxAxis> axes) {
  Box fused;
  for (const BoxAxis &axis : axes) {
    if (axis.extent == 1)
      continue;
    if (!axis.isWhole() || fused.empty() || fused.back().stride != 1) {
      fused.push_back(axis);
      continue;
    }
    BoxAxis &outer = fused.back();
    outer.extent *= axis.extent;
    outer.offset *= axis.extent;
    outer.size *= axis.extent;
  }
  return fused;
}

void BoxUnit::fold(int64_t cycles) {
  lanes_ = pickDivisor(box_.back().getRun(),
                       [&](int64_t d) { return walked_ / d <= cycles; });
}

Resources BoxUnit::resources(const Part &) const {
  int64_t bits = 0;
  for (const BoxAxis &axis : box_)
    bits += getSignedBits(0, axis.extent);
  return {20 + 3 * bits, 0, 0};
}

Box BoxUnit::inTokens() const {
  Box box = box_;
  box.back().extent /= lanes_;
  box.back().offset /= lanes_;
  box.back().size /= lanes_;
  return box;
}

bool BoxUnit::contains(int64_t iteration) const {
  bool isInside = true;
  Box box = inTokens();
  for (const BoxAxis &axis : llvm::reverse(box)) {
    isInside &= axis.contains(iteration % axis.extent);
    iteration /= axis.extent;
  }
  return isInside;
}

std::string BoxUnit::describeBox(StringRef word) const {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::interleave(
      box_, os, [&](const BoxAxis &axis) { os << axis.size; }, "x");
  os << " " << word << " ";
  llvm::interleave(
      box_, os, [&](const BoxAxis &axis) { os << axis.extent; }, "x");
  os << ", " << lanes_ << " a cycle";
  return text;
}

std::string BoxUnit::openLoops(Text &text) const {
  std::string isInside;
  auto demand = [&](const Twine &condition) {
    isInside += (isInside.empty() ? "" : " && ") + condition.str();
  };
  for (auto [dim, axis] : llvm::enumerate(inTokens())) {
    std::string i = ("i" + Twine(dim)).str();
    text.loop(i, axis.extent);
    if (axis.offset)
      demand(i + " >= " + Twine(axis.offset));
    if (axis.end() < axis.extent)
      demand(i + " < " + Twine(axis.end()));
    if (axis.stride > 1)
      demand("(" + i + " - " + Twine(axis.offset) + ") % " +
             Twine(axis.stride) + " == 0");
  }
  text.pragma("PIPELINE II=1 style=flp");
  return isInside.empty() ? "true" : isInside;
}

void BoxUnit::closeLoops(Text &text) const {
  for (size_t i = 0; i < box_.size(); ++i)
    text.close();
}
