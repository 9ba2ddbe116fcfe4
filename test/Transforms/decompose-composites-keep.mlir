// What a target knows stays; a name that is no composite op is refused.
// RUN: qopt-opt %s --qg-decompose-composites=keep=qg.normalize | FileCheck %s
// RUN: not qopt-opt %s --qg-decompose-composites=keep=qg.matmul 2>&1 | FileCheck %s --check-prefix=REFUSED

// CHECK-LABEL: func @two
// CHECK: qg.normalize
// CHECK-NOT: qg.gate
// REFUSED: expects 'keep' to name composite ops, got 'qg.matmul'
func.func @two(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %0 = qg.normalize reciprocal %x axes [1] epsilon 1.0e-5 centered : tensor<2x4xf32> -> tensor<2x4xf32>
  %1 = qg.gate relu %0, %x : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  return %1 : tensor<2x4xf32>
}
