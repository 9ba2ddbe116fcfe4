// RUN: qopt-opt %s --qg-reductions-to-pools | FileCheck %s

// Dimensions that are no neighbours, other reductions, clamps.
// CHECK-LABEL: func @kept
// CHECK-NOT: qg.pool
func.func @kept(%x: tensor<2x3x4xf32>) -> (tensor<3xf32>, tensor<2x3xf32>, tensor<2x3x4xf32>) {
  %c = qg.constant dense<3.0> : tensor<f32> -> tensor<f32>
  %0 = qg.reduce sum %x axes [0, 2] : tensor<2x3x4xf32> -> tensor<3xf32>
  %1 = qg.reduce prod %x axes [2] : tensor<2x3x4xf32> -> tensor<2x3xf32>
  %2 = qg.binary max %x, %c : (tensor<2x3x4xf32>, tensor<f32>) -> tensor<2x3x4xf32>
  return %0, %1, %2 : tensor<3xf32>, tensor<2x3xf32>, tensor<2x3x4xf32>
}
