//===- Permutation.cpp - Orders of dimensions -----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Arithmetic on the permutations of transposes.
//===----------------------------------------------------------------------===//
#include "qopt/Support/Permutation.h"

#include "llvm/ADT/STLExtras.h"
#include <cstring>
#include <numeric>

using namespace qopt;
using llvm::ArrayRef;

Permutation qopt::identityPermutation(size_t rank) {
  Permutation p(rank);
  std::iota(p.begin(), p.end(), int64_t(0));
  return p;
}

bool qopt::isIdentity(ArrayRef<int64_t> p) {
  for (auto [i, source] : llvm::enumerate(p))
    if (int64_t(i) != source)
      return false;
  return true;
}

Permutation qopt::compose(ArrayRef<int64_t> p, ArrayRef<int64_t> q) {
  return applyPermutation(q, p);
}

Permutation qopt::invert(ArrayRef<int64_t> p) {
  Permutation inverse(p.size());
  for (auto [i, source] : llvm::enumerate(p))
    inverse[source] = i;
  return inverse;
}

int64_t qopt::positionOf(ArrayRef<int64_t> p, int64_t dimension) {
  return llvm::find(p, dimension) - p.begin();
}

Permutation qopt::applyPermutation(ArrayRef<int64_t> p,
                                   ArrayRef<int64_t> values) {
  Permutation result;
  for (int64_t source : p)
    result.push_back(values[source]);
  return result;
}

bool qopt::movesNothing(ArrayRef<int64_t> p, ArrayRef<int64_t> shape) {
  int64_t last = -1;
  for (int64_t source : p) {
    if (shape[source] == 1)
      continue;
    if (source < last)
      return false;
    last = source;
  }
  return true;
}

bool qopt::sameOrder(ArrayRef<int64_t> p, ArrayRef<int64_t> q,
                     ArrayRef<int64_t> shape) {
  auto isWide = [&](int64_t dimension) { return shape[dimension] != 1; };
  return llvm::equal(llvm::make_filter_range(p, isWide),
                     llvm::make_filter_range(q, isWide));
}

Tensor qopt::transpose(const Tensor &x, ArrayRef<int64_t> p) {
  Permutation shape = applyPermutation(p, x.shape());
  Tensor result(x.dtype(), shape);
  int64_t width = getByteWidth(x.dtype()), rank = x.rank();
  Permutation strides(rank, width);
  for (int64_t i = rank - 2; i >= 0; --i)
    strides[i] = strides[i + 1] * x.shape()[i + 1];
  Permutation steps = applyPermutation(p, strides), index(rank, 0);
  char *out = result.mutableData();
  const char *in = x.data();
  for (int64_t count = x.numElements(); count > 0; --count, out += width) {
    std::memcpy(out, in, width);
    for (int64_t i = rank - 1; i >= 0; --i) {
      in += steps[i];
      if (++index[i] < shape[i])
        break;
      in -= index[i] * steps[i];
      index[i] = 0;
    }
  }
  return result;
}

llvm::SmallVector<ReshapeGroup> qopt::groupReshape(ArrayRef<int64_t> from,
                                                   ArrayRef<int64_t> to) {
  if (llvm::is_contained(from, 0) || llvm::is_contained(to, 0))
    return {};
  llvm::SmallVector<ReshapeGroup> groups;
  size_t i = 0, j = 0;
  auto skipOnes = [](ArrayRef<int64_t> shape, size_t &position) {
    while (position < shape.size() && shape[position] == 1)
      ++position;
    return position < shape.size();
  };
  // Equal products: both shapes run out of wide dimensions together.
  while (skipOnes(from, i) && skipOnes(to, j)) {
    ReshapeGroup group;
    group.from.push_back(i);
    group.to.push_back(j);
    int64_t left = from[i++], right = to[j++];
    while (left != right) {
      bool growLeft = left < right;
      size_t &position = growLeft ? i : j;
      if (!skipOnes(growLeft ? from : to, position))
        return {};
      (growLeft ? group.from : group.to).push_back(position);
      (growLeft ? left : right) *= (growLeft ? from : to)[position++];
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

std::optional<Permutation> qopt::permuteReshape(ArrayRef<int64_t> from,
                                                ArrayRef<int64_t> to,
                                                ArrayRef<int64_t> p) {
  if (llvm::is_contained(from, 0) || llvm::is_contained(to, 0))
    return std::nullopt;
  llvm::SmallVector<ReshapeGroup> groups = groupReshape(from, to);
  // The wide dimensions in the order of p must be whole groups.
  Permutation wide;
  for (int64_t dimension : p)
    if (from[dimension] != 1)
      wide.push_back(dimension);
  Permutation order;
  for (ArrayRef<int64_t> rest = wide; !rest.empty();) {
    auto *group = llvm::find_if(groups, [&](const ReshapeGroup &candidate) {
      return candidate.from.front() == rest.front();
    });
    if (group == groups.end() ||
        rest.take_front(group->from.size()) != ArrayRef<int64_t>(group->from))
      return std::nullopt;
    rest = rest.drop_front(group->from.size());
    order.append(group->to.begin(), group->to.end());
  }
  Permutation q;
  int64_t next = 0, rank = to.size();
  auto takeOnes = [&](int64_t position) {
    while (position < rank && to[position] == 1)
      q.push_back(position++);
  };
  takeOnes(next);
  for (int64_t dimension : order) {
    q.push_back(dimension);
    takeOnes(dimension + 1);
  }
  return q;
}
