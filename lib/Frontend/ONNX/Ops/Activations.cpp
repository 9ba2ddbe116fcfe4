//===- Activations.cpp - Scalar functions that have names -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The list of the schema of RNN, LSTM and GRU, and the defaults that it names.
//===----------------------------------------------------------------------===//
#include "Activations.h"

#include "llvm/ADT/StringExtras.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

namespace {
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

struct ActivationRow {
  StringLiteral name;
  /// Defaults; NaN for a parameter that the function does not have.
  double alpha, beta;
  Value (*build)(GraphBuilder &b, const Activation &a, Value x);
};
} // namespace

static Value isNegative(GraphBuilder &b, Value x) {
  return x ? b.compare(ComparePredicate::lt, x, b.scalar(0, b.element(x)))
           : Value();
}

template <UnaryKind kind>
static Value buildUnary(GraphBuilder &b, const Activation &, Value x) {
  return b.unary(kind, x);
}

static const ActivationRow kActivations[] = {
    {"Affine", 1, 0,
     [](GraphBuilder &b, const Activation &a, Value x) {
       return b.add(b.mul(x, a.alpha), a.beta);
     }},
    {"Elu", 1, kNone,
     [](GraphBuilder &b, const Activation &a, Value x) {
       Value low = b.sub(b.unary(UnaryKind::exp, b.min(x, 0.0)), 1.0);
       return b.select(isNegative(b, x), b.mul(low, a.alpha), x);
     }},
    {"HardSigmoid", 0.2f, 0.5,
     [](GraphBuilder &b, const Activation &a, Value x) {
       return b.clamp(b.add(b.mul(x, a.alpha), a.beta), 0, 1);
     }},
    {"LeakyRelu", 0.01f, kNone,
     [](GraphBuilder &b, const Activation &a, Value x) {
       return b.select(isNegative(b, x), b.mul(x, a.alpha), x);
     }},
    {"Relu", kNone, kNone, buildUnary<UnaryKind::relu>},
    {"ScaledTanh", 1, 1,
     [](GraphBuilder &b, const Activation &a, Value x) {
       return b.mul(b.unary(UnaryKind::tanh, b.mul(x, a.beta)), a.alpha);
     }},
    {"Sigmoid", kNone, kNone, buildUnary<UnaryKind::sigmoid>},
    {"Softplus", kNone, kNone,
     // log(1 + exp(x)) without overflow.
     [](GraphBuilder &b, const Activation &, Value x) {
       Value size = b.unary(UnaryKind::neg, b.unary(UnaryKind::abs, x));
       Value tail = b.add(b.unary(UnaryKind::exp, size), 1.0);
       return b.add(b.max(x, 0.0), b.unary(UnaryKind::log, tail));
     }},
    {"Softsign", kNone, kNone,
     [](GraphBuilder &b, const Activation &, Value x) {
       return b.div(x, b.add(b.unary(UnaryKind::abs, x), 1.0));
     }},
    {"Tanh", kNone, kNone, buildUnary<UnaryKind::tanh>},
    {"ThresholdedRelu", 1, kNone,
     [](GraphBuilder &b, const Activation &a, Value x) {
       if (!x)
         return x;
       Value isAbove =
           b.compare(ComparePredicate::ge, x, b.scalar(a.alpha, b.element(x)));
       return b.select(isAbove, x, b.scalar(0, b.element(x)));
     }},
};

static const ActivationRow *findActivation(StringRef name) {
  for (const ActivationRow &row : kActivations)
    if (name.equals_insensitive(row.name))
      return &row;
  return nullptr;
}

std::optional<SmallVector<Activation>>
frontend::readActivations(OpBinder &op, ArrayRef<StringRef> defaults,
                          unsigned directions) {
  SmallVector<std::string> names = op.stringsAttr("activations");
  SmallVector<double> alphas = op.floatsAttr("activation_alpha"),
                      betas = op.floatsAttr("activation_beta");
  if (names.empty())
    for (unsigned d = 0; d < directions; ++d)
      for (StringRef name : defaults)
        names.push_back(name.str());
  if (names.size() != defaults.size() * directions) {
    (void)op.badModel("expects " + Twine(defaults.size() * directions) +
                      " activations, got " + Twine(names.size()));
    return std::nullopt;
  }
  // Parameters go to the functions that have them, in order.
  size_t alpha = 0, beta = 0;
  SmallVector<Activation> activations;
  for (const std::string &name : names) {
    const ActivationRow *row = findActivation(name);
    if (!row) {
      (void)op.unsupported("activation '" + name + "' is not supported");
      return std::nullopt;
    }
    Activation activation{row->name.str(), row->alpha, row->beta};
    if (!std::isnan(row->alpha) && alpha < alphas.size())
      activation.alpha = alphas[alpha++];
    if (!std::isnan(row->beta) && beta < betas.size())
      activation.beta = betas[beta++];
    activations.push_back(std::move(activation));
  }
  return activations;
}

std::optional<Activation>
frontend::makeActivation(OpBinder &op, StringRef name,
                         ArrayRef<double> parameters) {
  const ActivationRow *row = findActivation(name);
  if (!row) {
    (void)op.unsupported("activation '" + name + "' is not supported");
    return std::nullopt;
  }
  Activation activation{row->name.str(), row->alpha, row->beta};
  if (parameters.size() > 0)
    activation.alpha = parameters[0];
  if (parameters.size() > 1)
    activation.beta = parameters[1];
  return activation;
}

Value frontend::buildActivation(GraphBuilder &b, const Activation &activation,
                                Value x) {
  return findActivation(activation.name)->build(b, activation, x);
}
