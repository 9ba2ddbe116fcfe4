//===- MutateModel.h - Other ONNX models out of one -----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Random changes of a model that keep it a protobuf: bytes changed at random
// would mostly be refused by the parser.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TEST_FUZZ_MUTATEMODEL_H
#define QOPT_TEST_FUZZ_MUTATEMODEL_H

#include <cstdint>

namespace onnx {
class ModelProto;
} // namespace onnx

namespace qopt::fuzz {

/// One to four changes: a field dropped, repeated, or with an extreme value; a
/// part replaced by another one of its kind; other edges (cycles among them),
/// operators, shapes, opsets; data moved out; graphs inside graphs.
void mutateModel(onnx::ModelProto &model, uint32_t seed);

/// Adds nodes, constants and functions of another model.
void crossModels(onnx::ModelProto &model, const onnx::ModelProto &other,
                 uint32_t seed);

} // namespace qopt::fuzz

#endif // QOPT_TEST_FUZZ_MUTATEMODEL_H
