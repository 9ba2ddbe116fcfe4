//===- Activations.h - Scalar functions that have names -------------------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_LIB_FRONTEND_ONNX_OPS_ACTIVATIONS_H
#define QOPT_LIB_FRONTEND_ONNX_OPS_ACTIVATIONS_H

#include "qopt/Frontend/ONNX/OpBinder.h"

namespace qopt::frontend {

/// A function of 'activations', with its parameters.
struct Activation {
  std::string name;
  double alpha = 0, beta = 0;
};

/// Those of a recurrent node, direction by direction; `defaults` are those of
/// one direction. nullopt, and reported, where they do not fit.
std::optional<llvm::SmallVector<Activation>>
readActivations(OpBinder &op, llvm::ArrayRef<llvm::StringRef> defaults,
                unsigned directions);

/// The function of a fused operator, with what it gives of parameters; nullopt,
/// and reported, for one that is none of these.
std::optional<Activation> makeActivation(OpBinder &op, llvm::StringRef name,
                                         llvm::ArrayRef<double> parameters);

Value buildActivation(GraphBuilder &b, const Activation &activation, Value x);

} // namespace qopt::frontend

#endif // QOPT_LIB_FRONTEND_ONNX_OPS_ACTIVATIONS_H
