//===- Permutation.h - Orders of dimensions -------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Arithmetic on the permutations of transposes. `T_p(x)` is x transposed by p:
// its dimension i is dimension p[i] of x.
//===----------------------------------------------------------------------===//
#ifndef QOPT_SUPPORT_PERMUTATION_H
#define QOPT_SUPPORT_PERMUTATION_H

#include "qopt/Support/Tensor.h"

namespace qopt {

using Permutation = llvm::SmallVector<int64_t, 6>;

Permutation identityPermutation(size_t rank);
bool isIdentity(llvm::ArrayRef<int64_t> p);
/// The r with T_r(x) = T_q(T_p(x)).
Permutation compose(llvm::ArrayRef<int64_t> p, llvm::ArrayRef<int64_t> q);
Permutation invert(llvm::ArrayRef<int64_t> p);
/// Where dimension `dimension` of x lies in T_p(x).
int64_t positionOf(llvm::ArrayRef<int64_t> p, int64_t dimension);
/// values[p[0]], values[p[1]], ...
Permutation applyPermutation(llvm::ArrayRef<int64_t> p,
                             llvm::ArrayRef<int64_t> values);
/// Whether T_p moves no element of a tensor of `shape`: only extents of 1
/// change places.
bool movesNothing(llvm::ArrayRef<int64_t> p, llvm::ArrayRef<int64_t> shape);
/// Whether T_p(x) and T_q(x) have equal bytes.
bool sameOrder(llvm::ArrayRef<int64_t> p, llvm::ArrayRef<int64_t> q,
               llvm::ArrayRef<int64_t> shape);
/// T_p of a host array.
Tensor transpose(const Tensor &x, llvm::ArrayRef<int64_t> p);

/// The order q of `to` for which T_p(x : from) and T_q(reshape(x) : to) have
/// equal bytes; nullopt if p tears dimensions apart that the reshape merges or
/// splits together. Extents of 1 stay beside their left neighbour.
std::optional<Permutation> permuteReshape(llvm::ArrayRef<int64_t> from,
                                          llvm::ArrayRef<int64_t> to,
                                          llvm::ArrayRef<int64_t> p);

/// Runs of dimensions (extents other than 1) that a reshape maps onto each
/// other; empty if it has an extent of 0.
struct ReshapeGroup {
  llvm::SmallVector<int64_t, 4> from, to;
};
llvm::SmallVector<ReshapeGroup> groupReshape(llvm::ArrayRef<int64_t> from,
                                             llvm::ArrayRef<int64_t> to);

} // namespace qopt

#endif // QOPT_SUPPORT_PERMUTATION_H
