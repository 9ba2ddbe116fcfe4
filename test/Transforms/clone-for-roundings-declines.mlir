// RUN: qopt-opt %s --qg-clone-for-roundings | FileCheck %s

// The floats are a result as well.
// CHECK-LABEL: func @also_read
// CHECK: qg.matmul
// CHECK-NOT: qg.matmul
func.func @also_read(%x: tensor<1x4xf32>, %w: tensor<4x2xf32>) -> (tensor<1x2x!qg.q<si8, 0.5 : 0>>, tensor<1x2x!qg.q<si8, 0.25 : 0>>, tensor<1x2xf32>) {
  %0 = qg.matmul %x, %w : (tensor<1x4xf32>, tensor<4x2xf32>) -> tensor<1x2xf32>
  %1 = qg.quantize %0 : tensor<1x2xf32> -> tensor<1x2x!qg.q<si8, 0.5 : 0>>
  %2 = qg.quantize %0 : tensor<1x2xf32> -> tensor<1x2x!qg.q<si8, 0.25 : 0>>
  return %1, %2, %0 : tensor<1x2x!qg.q<si8, 0.5 : 0>>, tensor<1x2x!qg.q<si8, 0.25 : 0>>, tensor<1x2xf32>
}
