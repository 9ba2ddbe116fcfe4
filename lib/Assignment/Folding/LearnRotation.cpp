//===- LearnRotation.cpp - An orthogonal matrix fitted to what is rounded -===//
// SPDX-License-Identifier: Apache-2.0
//
// Descent along the orthogonal matrices by Cayley transforms as in SpinQuant
// (Liu et al. 2024, section 3.2), but of a noise model whose gradient is known
// instead of a network's loss: uniform rounding noise of step 2 |v|_max / 2^b,
// with the maximum replaced by the 10-norm, and the logarithm of each tensor's
// noise, because readers count by their ratio of signal to noise.
//===----------------------------------------------------------------------===//
#include "LearnRotation.h"

#include <Eigen/LU>
#include <cmath>

using namespace llvm;
using namespace qopt;

static constexpr int kNorm = 10;
static constexpr double kStep = 0.2, kMomentum = 0.9;

/// Sum over the columns of |column|_p^2; `gradient` gets its derivative.
static double sumSquaredNorms(const Matrix &z, Matrix &gradient) {
  gradient.resize(z.rows(), z.cols());
  double total = 0;
  for (int64_t o = 0; o < z.cols(); ++o) {
    auto column = z.col(o).array();
    float largest = column.abs().maxCoeff();
    if (largest == 0) {
      gradient.col(o).setZero();
      continue;
    }
    // (v/m)^9 as ((v/m)^3)^3: odd, so that it has the sign of v.
    Eigen::ArrayXf unit = column / largest;
    Eigen::ArrayXf ninth = unit.cube().cube();
    float sum = (ninth * unit).sum();
    float square = largest * largest * std::pow(sum, 2.0f / float(kNorm));
    gradient.col(o) = (2 * square / (sum * largest)) * ninth;
    total += square;
  }
  return total;
}

namespace {
class RotationLearner {
public:
  RotationLearner(ArrayRef<RotatedTensor> tensors, const RoundingError &error)
      : tensors(tensors) {
    for (const RotatedTensor &tensor : tensors) {
      double weightSteps = double((1u << (error.weightBits - 1)) - 1);
      double activationSteps = double((1u << error.activationBits) - 1) / 2;
      double rows = double(std::max<int64_t>(tensor.x.rows(), 1));
      weightFactors.push_back(tensor.x.squaredNorm() / rows /
                              (weightSteps * weightSteps));
      activationFactors.push_back(tensor.w.squaredNorm() /
                                  (activationSteps * activationSteps));
    }
  }

  /// The derivative of the noise with respect to the rotation.
  Eigen::MatrixXd getGradient(const Eigen::MatrixXd &rotation) const;

private:
  ArrayRef<RotatedTensor> tensors;
  /// Noise of weights for each squared largest entry, and of activations.
  SmallVector<double> weightFactors, activationFactors;
};
} // namespace

Eigen::MatrixXd
RotationLearner::getGradient(const Eigen::MatrixXd &rotation) const {
  Matrix r = rotation.cast<float>(), weightGradient, inputGradient;
  Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(r.rows(), r.cols());
  for (auto [i, tensor] : llvm::enumerate(tensors)) {
    Matrix w = r.transpose() * tensor.w, x = tensor.x * r;
    double noise = weightFactors[i] * sumSquaredNorms(w, weightGradient);
    // One step for the whole tensor: its vectors count as one column.
    Matrix flat = Eigen::Map<Matrix>(x.data(), x.size(), 1);
    noise += activationFactors[i] * sumSquaredNorms(flat, inputGradient);
    if (noise <= 0)
      continue;
    Matrix product = tensor.w * weightGradient.transpose();
    sum += (weightFactors[i] / noise) * product.cast<double>();
    product = tensor.x.transpose() *
              Eigen::Map<Matrix>(inputGradient.data(), x.rows(), x.cols());
    sum += (activationFactors[i] / noise) * product.cast<double>();
  }
  return sum;
}

/// The largest singular value, from a fixed start.
static double getSpectralNorm(const Eigen::MatrixXd &m) {
  Eigen::VectorXd v = Eigen::VectorXd::LinSpaced(m.cols(), 1, 2).normalized();
  double norm = 0;
  for (int i = 0; i < 12; ++i) {
    v = m.transpose() * (m * v);
    norm = v.norm();
    if (norm == 0)
      return 0;
    v /= norm;
  }
  return std::sqrt(norm);
}

RotationMatrix qopt::learnRotation(const RotationMatrix &start,
                                   ArrayRef<RotatedTensor> tensors,
                                   const RoundingError &error, int64_t steps,
                                   int64_t maxProducts) {
  using Square =
      Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  int64_t n = start.order;
  int64_t vectors = 0;
  for (const RotatedTensor &tensor : tensors)
    vectors += tensor.x.rows() + tensor.w.cols();
  if (2 * n * n * vectors > maxProducts || n < 2)
    return start;
  RotationLearner learner(tensors, error);
  Eigen::MatrixXd r = Eigen::Map<const Square>(start.entries.data(), n, n);
  Eigen::MatrixXd direction = Eigen::MatrixXd::Zero(n, n);
  Eigen::MatrixXd identity = Eigen::MatrixXd::Identity(n, n);
  for (int64_t step = 0; step < steps; ++step) {
    Eigen::MatrixXd gradient = learner.getGradient(r);
    direction *= kMomentum;
    direction += gradient * r.transpose() - r * gradient.transpose();
    double norm = getSpectralNorm(direction);
    if (norm == 0)
      break;
    double length = kStep * (1 - double(step) / double(steps)) / norm;
    Eigen::MatrixXd half = 0.5 * length * direction;
    r = (identity + half).partialPivLu().solve((identity - half) * r).eval();
  }
  // Newton's iteration for the nearest orthogonal matrix.
  for (int i = 0; i < 2; ++i)
    r = (1.5 * r - 0.5 * r * (r.transpose() * r)).eval();
  RotationMatrix result{n, std::vector<double>(n * n)};
  Eigen::Map<Square>(result.entries.data(), n, n) = r;
  return result;
}
