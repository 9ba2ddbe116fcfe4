// RUN: qopt-opt %s --qg-clone-for-roundings | FileCheck %s

// CHECK-LABEL: func @two_roundings
// CHECK: %[[A:.*]] = qg.matmul
// CHECK: %[[B:.*]] = qg.matmul
// CHECK-DAG: qg.quantize %[[A]]
// CHECK-DAG: qg.quantize %[[B]]
func.func @two_roundings(%x: tensor<1x4xf32>, %w: tensor<4x2xf32>) -> (tensor<1x2x!qg.q<si8, 0.5 : 0>>, tensor<1x2x!qg.q<si8, 0.25 : 0>>) {
  %0 = qg.matmul %x, %w : (tensor<1x4xf32>, tensor<4x2xf32>) -> tensor<1x2xf32>
  %1 = qg.quantize %0 : tensor<1x2xf32> -> tensor<1x2x!qg.q<si8, 0.5 : 0>>
  %2 = qg.quantize %0 : tensor<1x2xf32> -> tensor<1x2x!qg.q<si8, 0.25 : 0>>
  return %1, %2 : tensor<1x2x!qg.q<si8, 0.5 : 0>>, tensor<1x2x!qg.q<si8, 0.25 : 0>>
}
