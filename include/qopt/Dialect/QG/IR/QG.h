//===- QG.h - The quantization graph dialect ------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Types, attributes and ops of `qg`, and the host arrays that its reference
// semantics work on.
//===----------------------------------------------------------------------===//
#ifndef QOPT_DIALECT_QG_IR_QG_H
#define QOPT_DIALECT_QG_IR_QG_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "qopt/Dialect/QG/IR/LinearGeometry.h"
#include "qopt/Numerics/Format.h"
#include "qopt/Numerics/Kinds.h"
#include "qopt/Numerics/Resample.h"
#include "qopt/Support/Tensor.h"

#include "qopt/Dialect/QG/IR/QGDialect.h.inc"
#include "qopt/Dialect/QG/IR/QGInterfaces.h.inc"
#define GET_TYPEDEF_CLASSES
#include "qopt/Dialect/QG/IR/QGTypes.h.inc"
#define GET_ATTRDEF_CLASSES
#include "qopt/Dialect/QG/IR/QGAttributes.h.inc"
#define GET_OP_CLASSES
#include "qopt/Dialect/QG/IR/QGOps.h.inc"

namespace qopt {

/// Type and extents of a value that is known to be a tensor of static shape.
inline mlir::RankedTensorType getTensorType(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType());
}
inline llvm::ArrayRef<int64_t> getShape(mlir::Value value) {
  return getTensorType(value).getShape();
}

/// Which channels the elements of the weight of a linear op belong to, by their
/// position in row-major order.
class WeightChannels {
public:
  explicit WeightChannels(LinearOpInterface op);

  /// The result channel that an element adds to.
  int64_t getOutput(int64_t element) const {
    return element / outputStep % outputs;
  }
  /// The input channel that it is multiplied with, counted over all groups.
  int64_t getInput(int64_t element) const {
    int64_t group = getOutput(element) / outputsPerGroup;
    return group * inputs + element / inputStep % inputs;
  }

private:
  int64_t outputs, inputs, outputStep, inputStep, outputsPerGroup;
};

} // namespace qopt

namespace qopt::qg {

/// The element type as a quantized type, or null.
QuantizedType getQuantizedType(mlir::Type type);

/// Signless type of an element in memory: storage integer of a quantized
/// type, `i8` for `ui8`, the type itself otherwise.
mlir::Type getStorageElementType(mlir::Type elementType);
mlir::RankedTensorType getStorageTensorType(mlir::RankedTensorType type);

/// dtype of the host array that holds values of an element type; nullopt for
/// element types that have none.
std::optional<DType> getDType(mlir::Type elementType);
/// Element type (`ui8` for u8, `i1` for b1) of a host array.
mlir::Type getElementType(mlir::MLIRContext *context, DType dtype);

/// Host array of an ElementsAttr whose value has `type` (dense or resource).
/// Fails (without a diagnostic) for a resource whose bytes are missing.
mlir::FailureOr<Tensor> getTensor(mlir::ElementsAttr attr, mlir::Type type);
/// Attribute of a host array with `type` (quantized or not): splats and up to
/// 16 elements are dense, anything longer is a resource blob named by content
/// under the hint.
mlir::ElementsAttr getElementsAttr(const Tensor &tensor,
                                   mlir::RankedTensorType type,
                                   llvm::StringRef hint = "c");
/// A qg.constant of those values.
ConstantOp createConstant(mlir::OpBuilder &builder, mlir::Location loc,
                          const Tensor &tensor, mlir::RankedTensorType type,
                          llvm::StringRef hint = "c");
/// The constant value behind an SSA value, if it is one.
std::optional<Tensor> matchConstant(mlir::Value value);

/// The name a user knows an op by: the ONNX node name in its location, else
/// the op's name and position.
std::string getUserName(mlir::Operation *op);

} // namespace qopt::qg

#endif // QOPT_DIALECT_QG_IR_QG_H
