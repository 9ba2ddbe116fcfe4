//===- Hadamard.h - Orthogonal matrices that spread outliers --------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A Hadamard matrix has entries +-1 and orthogonal rows, so multiplying by it
// gives every coordinate an equal part of each outlier. Orders: 1, 2, and
// multiples of 4 that Sylvester's doubling and Paley's two constructions over
// finite fields reach, closed under Kronecker products.
//===----------------------------------------------------------------------===//
#ifndef QOPT_NUMERICS_HADAMARD_H
#define QOPT_NUMERICS_HADAMARD_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <optional>
#include <vector>

namespace qopt {

/// A square matrix of +-1, row by row.
struct SignMatrix {
  int64_t order = 0;
  std::vector<int8_t> entries;

  int8_t operator()(int64_t row, int64_t column) const {
    return entries[row * order + column];
  }
};

/// A Hadamard matrix of this order, H H^T = order * I; nullopt where none
/// exists or none of the constructions reaches it (92 is the first such
/// multiple of 4). The same matrix on every machine.
/// Sources: Sylvester (1867); Paley, "On Orthogonal Matrices" (1933), lemmas
/// 2 and 4, for prime powers q = 3 mod 4 (order q + 1) and q = 1 mod 4 (order
/// 2 (q + 1)).
std::optional<SignMatrix> getHadamardMatrix(int64_t order);

/// A square matrix of doubles, row by row.
struct RotationMatrix {
  int64_t order = 0;
  std::vector<double> entries;

  double operator()(int64_t row, int64_t column) const {
    return entries[row * order + column];
  }
};

/// An orthogonal matrix R = D M with R R^T = I (to 1e-12), D the diagonal of
/// signs that `seed` draws (seed 0: all +1), and M the normalized Hadamard
/// matrix of the order; for other orders the Kronecker product of the largest
/// Hadamard matrix whose order divides it and a discrete Hartley matrix
/// cas(2 pi i j / m) / sqrt(m), whose entries are at most sqrt(2 / m).
RotationMatrix getRotationMatrix(int64_t order, uint64_t seed);

} // namespace qopt

#endif // QOPT_NUMERICS_HADAMARD_H
