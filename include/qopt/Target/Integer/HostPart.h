//===- HostPart.h - What the caller of integers does ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The arrays of a target without floats, and the way between them and what the
// model is given and gives. Described once: headers, manifests and reports of
// all targets print this.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TARGET_INTEGER_HOSTPART_H
#define QOPT_TARGET_INTEGER_HOSTPART_H

#include "qopt/Conversion/IntegerCore.h"
#include "qopt/Dialect/QG/IR/QG.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/JSON.h"

namespace qopt {

/// Port of an argument or a result of a function on integers, by its
/// attributes (`qg.name`, `qg.encoding`); `fallback` where it has no name.
DevicePort describePort(mlir::Type type, mlir::DictionaryAttr attributes,
                        const llvm::Twine &fallback);

/// Scales, zero points and range of an encoding.
void setEncoding(DevicePort &port, qg::QuantizedType encoding);

/// `int8_t`, `uint8_t`, `int32_t`, ...
std::string getCType(const DevicePort &port);

/// "0.5f" for C.
std::string formatFloat(float value);

/// ", stands for 0.5f * (x - 3), x from 0 to 15": nothing where nothing is
/// known.
std::string describeEncoding(const DevicePort &port);

/// Name, type, bits, range, scale and zero point.
llvm::json::Object toJson(const DevicePort &port);
/// Scale and zero point alone, as toJson has them.
void addScales(llvm::json::Object &object, const DevicePort &port);

/// The host's part of a function on integers whose arguments and results are
/// the model's, in order, in the model's layout: quantization of what the model
/// takes and gives as floats (`model`: as it was before it had integers at its
/// interface).
IntegerCore describeInterface(mlir::func::FuncOp integers,
                              mlir::func::FuncOp model);

/// Lets the host turn stored results into floats where `model` gives floats.
void giveFloats(IntegerCore &core, mlir::func::FuncOp model);

/// The host's part as C, and what it does as data.
struct HostCode {
  /// A header: a function from the model's inputs to each array of the device,
  /// and one to each output of the model.
  std::string header;
  /// Rows for `arguments` and `results` of the model, `inputs` and `outputs` of
  /// the device: what toJson says, and `host`: ops in order and the function
  /// that does them (null: it has no form in C).
  llvm::json::Array arguments, results, inputs, outputs;
};

HostCode writeHostCode(const IntegerCore &core, llvm::StringRef symbol);

} // namespace qopt

#endif // QOPT_TARGET_INTEGER_HOSTPART_H
