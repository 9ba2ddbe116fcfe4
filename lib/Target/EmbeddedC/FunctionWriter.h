//===- FunctionWriter.h - One C function through EmitC --------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Builds an emitc.func and prints it. EmitC numbers values; the names given
// here replace the numbers, in the order in which values are made.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_EMBEDDEDC_FUNCTIONWRITER_H
#define QOPT_LIB_TARGET_EMBEDDEDC_FUNCTIONWRITER_H

#include "mlir/Dialect/EmitC/IR/EmitC.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace qopt::embedded {

class FunctionWriter {
public:
  struct Parameter {
    std::string type, name; ///< as in C, "int8_t *restrict", "y"
  };
  /// An argument of a call: a value, or text as it is.
  struct Argument {
    mlir::Value value;
    std::string text;
    Argument(mlir::Value value) : value(value) {}
    Argument(llvm::StringRef text) : text(text.str()) {}
    Argument(const char *text) : text(text) {}
    Argument(std::string text) : text(std::move(text)) {}
    Argument(int64_t number) : text(std::to_string(number)) {}
  };

  /// `specifier` stands before the type: QOPT_STEP, or nothing.
  FunctionWriter(mlir::MLIRContext *context, llvm::StringRef name,
                 llvm::ArrayRef<Parameter> parameters,
                 llvm::StringRef specifier, llvm::StringRef resultType = "");

  mlir::Value getParameter(unsigned index);
  /// A line of C.
  void line(const llvm::Twine &text);
  void call(llvm::StringRef callee, llvm::ArrayRef<Argument> arguments);
  /// for (size_t name = 0; name < end; name += step)
  void loop(int64_t end, int64_t step, llvm::StringRef name,
            llvm::function_ref<void(mlir::Value)> body);
  /// size_t name = value * factor + offset
  mlir::Value index(mlir::Value value, int64_t factor, int64_t offset,
                    llvm::StringRef name);
  /// int8_t *name = base + offset
  mlir::Value pointer(mlir::Value base, mlir::Value offset,
                      llvm::StringRef name, bool isConst);
  /// The text; `result` is what the function returns, if anything.
  mlir::FailureOr<std::string> finish(llvm::StringRef result = "");

private:
  mlir::Value literal(llvm::StringRef text);
  mlir::Type getOpaque(llvm::StringRef type);

  mlir::MLIRContext *context_;
  mlir::OwningOpRef<mlir::ModuleOp> module_;
  mlir::OpBuilder builder_;
  mlir::Location loc_;
  mlir::emitc::FuncOp function_;
  std::string resultType_;
  std::vector<std::string> names_;
};

} // namespace qopt::embedded

#endif // QOPT_LIB_TARGET_EMBEDDEDC_FUNCTIONWRITER_H
