// RUN: qopt-opt %s "--qg-apply-plan=file=%S/Inputs/plan.json" | FileCheck %s

// Each layer gets its format and rounding as the plan says; what it does not
// name is left alone.
// CHECK-LABEL: func @main
func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = qg.constant dense<1.0> : tensor<2x2xf32> -> tensor<2x2xf32>
  // CHECK: qg.matmul {{.*}} {qg.rounding = "gptq", qg.weights = "si4"}
  %0 = qg.matmul %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("first")
  // CHECK: qg.matmul {{.*}} {qg.rounding = "nearest", qg.weights = "ui6:g2"}
  %1 = qg.matmul %0, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("second")
  // CHECK: qg.matmul
  // CHECK-NOT: qg.weights
  %2 = qg.matmul %1, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("third")
  return %2 : tensor<1x2xf32>
}
