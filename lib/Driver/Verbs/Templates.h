//===- Templates.h - What `qopt new` writes -------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Texts with @WORDS@ in them. Every test among them fails until somebody does
// the work.
//===----------------------------------------------------------------------===//
#ifndef QOPT_DRIVER_VERBS_TEMPLATES_H
#define QOPT_DRIVER_VERBS_TEMPLATES_H

namespace qopt::driver {

constexpr const char *kPassSource = R"__(@BANNER@
// SPDX-License-Identifier: Apache-2.0
//
// Why one wants it, in one to four lines.
//===----------------------------------------------------------------------===//
#include "qopt/@STAGE@/Passes.h"

#include "qopt/Dialect/QG/IR/QG.h"

namespace qopt {
#define GEN_PASS_DEF_@UPPER@
#include "qopt/@STAGE@/Passes.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

namespace {
struct @NAME@ : qopt::impl::@NAME@Base<@NAME@> {
  void runOnOperation() override {}
};
} // namespace
)__";

constexpr const char *kPassDefinition =
    R"__(def @NAME@ : Pass<"@FLAG@", "::mlir::ModuleOp"> {
  let summary = "TODO: one sentence";
  let description = [{
    TODO: what it does, why one wants it, when it declines.

    {{example test/@STAGE@/@KEBAB@.mlir}}
  }];
}

)__";

constexpr const char *kPassTest =
    R"__(// RUN: qopt-opt %s --@FLAG@ | FileCheck %s

// CHECK-LABEL: func @idea_in_the_name
// CHECK: this fails until @NAME@ does something
func.func @idea_in_the_name(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = qg.unary relu %x : tensor<4xf32> -> tensor<4xf32>
  return %y : tensor<4xf32>
}
)__";

constexpr const char *kPluginCMake = R"__(cmake_minimum_required(VERSION 3.25)
project(@NAME@ LANGUAGES C CXX)
set(CMAKE_CXX_STANDARD 17)
find_package(Qopt CONFIG REQUIRED)
add_library(@NAME@ MODULE @NAME@.cpp)
target_link_libraries(@NAME@ PRIVATE Qopt::Qopt)
target_compile_options(@NAME@ PRIVATE -fno-exceptions)
)__";

constexpr const char *kPluginSource = R"__(@BANNER@
//
// qopt-opt --load-pass-plugin=lib@NAME@.so
//   --pass-pipeline="builtin.module(@KEBAB@)" x.mlir
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/QG/IR/QG.h"

#include "mlir/Pass/Pass.h"
#include "mlir/Tools/Plugins/PassPlugin.h"

using namespace mlir;

namespace {
struct @NAME@ : PassWrapper<@NAME@, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(@NAME@)
  StringRef getArgument() const final { return "@KEBAB@"; }
  StringRef getDescription() const final { return "counts linear ops"; }
  void runOnOperation() override {
    unsigned count = 0;
    getOperation().walk([&](Operation *op) {
      if (auto rule = dyn_cast<qopt::FormatRuleOpInterface>(op))
        count += rule.getFormatRule() == qopt::FormatRule::Linear;
    });
    getOperation()->setAttr(
        "qg.linear_ops", Builder(&getContext()).getI64IntegerAttr(count));
  }
};
} // namespace

extern "C" ::mlir::PassPluginLibraryInfo LLVM_ATTRIBUTE_WEAK
mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "@NAME@", "0.1",
          []() { PassRegistration<@NAME@>(); }};
}
)__";

constexpr const char *kOpHandler =
    R"__(static LogicalResult import@NAME@(OpBinder &op) {
  Value x = op.in(0);
  // A null value means that something was reported, and passes through.
  if (!x)
    return failure();
  return op.unsupported("@NAME@ is not written");
}

)__";

constexpr const char *kOpRow =
    R"__(  registry.add("@NAME@", /*since=*/@SINCE@, import@NAME@);
)__";

constexpr const char *kOpTest = R"__(# TODO: what it becomes, in one sentence.
# RUN: %python %S/Inputs/import_each.py %s | FileCheck %s

# CHECK-LABEL: === idea_in_the_name
# CHECK: this fails until @NAME@ is imported
#--- idea_in_the_name opset=@SINCE@
(float[2,3] x) => (y)
{ y = @NAME@ (x) }
)__";

constexpr const char *kFormatTest =
    R"__(// RUN: qopt-opt %s --split-input-file --verify-diagnostics | FileCheck %s

// CHECK-LABEL: func @type
// CHECK-SAME: tensor<4x!qg.q<@NAME@
func.func @type(%x: tensor<4x!qg.q<@NAME@, 0.5>>) -> tensor<4x!qg.q<@NAME@, 0.5>> {
  // CHECK: this fails until an op shows what @NAME@ is for
  return %x : tensor<4x!qg.q<@NAME@, 0.5>>
}
)__";

} // namespace qopt::driver

#endif // QOPT_DRIVER_VERBS_TEMPLATES_H
