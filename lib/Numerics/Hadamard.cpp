//===- Hadamard.cpp - Sylvester, Paley and Kronecker ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Paley needs the squares of a finite field; fields of prime power order are
// polynomials over the integers modulo the prime.
//===----------------------------------------------------------------------===//
#include "qopt/Numerics/Hadamard.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include <cassert>
#include <cmath>

using namespace qopt;

namespace {
/// The field of p^k elements. An element is the number whose digits to base p
/// are the coefficients of a polynomial of degree < k.
class FiniteField {
public:
  /// nullopt unless `order` is a power of an odd prime.
  static std::optional<FiniteField> create(int64_t order);

  int64_t getOrder() const { return order; }
  int64_t subtract(int64_t a, int64_t b) const;
  int64_t multiply(int64_t a, int64_t b) const;
  /// The quadratic character of every element: 0 for zero, +1 for squares, -1
  /// for the others.
  std::vector<int8_t> getQuadraticCharacter() const;

private:
  using Polynomial = llvm::SmallVector<int64_t, 8>;
  Polynomial getDigits(int64_t element) const;
  int64_t getElement(llvm::ArrayRef<int64_t> digits) const;
  bool isField() const;

  int64_t order = 0, prime = 0, degree = 0;
  /// x^degree as a polynomial of smaller degree.
  Polynomial reduction;
};
} // namespace

FiniteField::Polynomial FiniteField::getDigits(int64_t element) const {
  Polynomial digits(degree, 0);
  for (int64_t &digit : digits) {
    digit = element % prime;
    element /= prime;
  }
  return digits;
}

int64_t FiniteField::getElement(llvm::ArrayRef<int64_t> digits) const {
  int64_t element = 0;
  for (int64_t digit : llvm::reverse(digits))
    element = element * prime + digit;
  return element;
}

int64_t FiniteField::subtract(int64_t a, int64_t b) const {
  Polynomial left = getDigits(a), right = getDigits(b);
  for (auto [x, y] : llvm::zip(left, right))
    x = (x + prime - y) % prime;
  return getElement(left);
}

int64_t FiniteField::multiply(int64_t a, int64_t b) const {
  Polynomial left = getDigits(a), right = getDigits(b);
  Polynomial product(2 * degree, 0);
  for (int64_t i = 0; i < degree; ++i)
    for (int64_t j = 0; j < degree; ++j)
      product[i + j] = (product[i + j] + left[i] * right[j]) % prime;
  for (int64_t i = 2 * degree - 1; i >= degree; --i)
    for (int64_t j = 0; j < degree; ++j)
      product[i - degree + j] =
          (product[i - degree + j] + product[i] * reduction[j]) % prime;
  return getElement(llvm::ArrayRef<int64_t>(product).take_front(degree));
}

/// Whether x generates all elements but zero, which proves that `reduction`
/// gives a field (and that x is a primitive element).
bool FiniteField::isField() const {
  int64_t x = degree == 1 ? reduction[0] : prime, power = x;
  for (int64_t exponent = 1; exponent < order - 1; ++exponent) {
    if (power <= 1)
      return false;
    power = multiply(power, x);
  }
  return power == 1;
}

std::optional<FiniteField> FiniteField::create(int64_t order) {
  FiniteField field;
  field.order = order;
  for (field.prime = 2; field.prime * field.prime <= order; ++field.prime)
    if (order % field.prime == 0)
      break;
  if (field.prime * field.prime > order)
    field.prime = order;
  int64_t rest = order;
  for (; rest % field.prime == 0; rest /= field.prime)
    ++field.degree;
  if (order < 3 || rest != 1 || field.prime == 2)
    return std::nullopt;
  // The first primitive polynomial; there always is one.
  for (int64_t element = 1; element < order; ++element) {
    field.reduction = field.getDigits(element);
    if (field.isField())
      return field;
  }
  return std::nullopt;
}

std::vector<int8_t> FiniteField::getQuadraticCharacter() const {
  std::vector<int8_t> character(order, -1);
  character[0] = 0;
  for (int64_t element = 1; element < order; ++element)
    character[multiply(element, element)] = 1;
  return character;
}

/// Q[i][j] = character(i - j) of the field's elements.
static SignMatrix getJacobsthalMatrix(const FiniteField &field) {
  SignMatrix q{field.getOrder(), {}};
  std::vector<int8_t> character = field.getQuadraticCharacter();
  for (int64_t i = 0; i < q.order; ++i)
    for (int64_t j = 0; j < q.order; ++j)
      q.entries.push_back(character[field.subtract(i, j)]);
  return q;
}

/// Q with a border of ones above and `left` at the left, zero in the corner.
static SignMatrix addBorder(const SignMatrix &q, int8_t left) {
  SignMatrix s{q.order + 1, {}};
  for (int64_t i = 0; i < s.order; ++i)
    for (int64_t j = 0; j < s.order; ++j)
      s.entries.push_back(i && j ? q(i - 1, j - 1) : i ? left : j ? 1 : 0);
  return s;
}

/// Order q + 1, q = 3 mod 4: the identity plus a skew-symmetric matrix.
static SignMatrix getPaleyFirst(const FiniteField &field) {
  SignMatrix h = addBorder(getJacobsthalMatrix(field), -1);
  for (int64_t i = 0; i < h.order; ++i)
    h.entries[i * h.order + i] = 1;
  return h;
}

/// Order 2 (q + 1), q = 1 mod 4: every entry of a symmetric conference matrix
/// becomes a block of two by two.
static SignMatrix getPaleySecond(const FiniteField &field) {
  SignMatrix c = addBorder(getJacobsthalMatrix(field), 1);
  SignMatrix h{2 * c.order, {}};
  for (int64_t i = 0; i < h.order; ++i)
    for (int64_t j = 0; j < h.order; ++j) {
      int8_t entry = c(i / 2, j / 2);
      int8_t sign = i % 2 && j % 2 ? -1 : 1;
      // Off the diagonal c * [1 1; 1 -1], on it [1 -1; -1 -1].
      h.entries.push_back(entry ? entry * sign : i % 2 || j % 2 ? -1 : 1);
    }
  return h;
}

static SignMatrix getKroneckerProduct(const SignMatrix &a,
                                      const SignMatrix &b) {
  SignMatrix h{a.order * b.order, {}};
  for (int64_t i = 0; i < h.order; ++i)
    for (int64_t j = 0; j < h.order; ++j)
      h.entries.push_back(a(i / b.order, j / b.order) *
                          b(i % b.order, j % b.order));
  return h;
}

std::optional<SignMatrix> qopt::getHadamardMatrix(int64_t order) {
  if (order == 1)
    return SignMatrix{1, {1}};
  if (order == 2)
    return SignMatrix{2, {1, 1, 1, -1}};
  if (order < 4 || order % 4 != 0)
    return std::nullopt;
  if (order % 8 == 0 || order == 4)
    if (std::optional<SignMatrix> half = getHadamardMatrix(order / 2))
      return getKroneckerProduct(*getHadamardMatrix(2), *half);
  if (std::optional<FiniteField> field = FiniteField::create(order - 1))
    return getPaleyFirst(*field);
  if ((order / 2 - 1) % 4 == 1)
    if (std::optional<FiniteField> field = FiniteField::create(order / 2 - 1))
      return getPaleySecond(*field);
  for (int64_t factor = 4; factor * factor <= order; factor += 4) {
    if (order % factor != 0)
      continue;
    std::optional<SignMatrix> a = getHadamardMatrix(factor);
    std::optional<SignMatrix> b = getHadamardMatrix(order / factor);
    if (a && b)
      return getKroneckerProduct(*a, *b);
  }
  return std::nullopt;
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same signs on every machine.
static uint64_t drawBits(uint64_t &state) {
  uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

RotationMatrix qopt::getRotationMatrix(int64_t order, uint64_t seed) {
  assert(order > 0 && "expects a matrix of at least one row");
  int64_t spread = order;
  std::optional<SignMatrix> hadamard = getHadamardMatrix(order);
  while (!hadamard) {
    do
      --spread;
    while (order % spread != 0);
    hadamard = getHadamardMatrix(spread);
  }
  int64_t rest = order / spread;
  double norm = 1 / std::sqrt(double(order));
  RotationMatrix rotation{order, std::vector<double>(order * order)};
  uint64_t state = seed;
  for (int64_t i = 0; i < order; ++i) {
    double sign = seed && drawBits(state) >> 63 ? -norm : norm;
    for (int64_t j = 0; j < order; ++j) {
      double angle =
          2 * M_PI * double((i % rest) * (j % rest) % rest) / double(rest);
      rotation.entries[i * order + j] = sign * (*hadamard)(i / rest, j / rest) *
                                        (std::cos(angle) + std::sin(angle));
    }
  }
  return rotation;
}
