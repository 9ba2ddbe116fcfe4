// RUN: qopt-opt %s --qg-reductions-to-pools --split-input-file | FileCheck %s

// CHECK-LABEL: func @mean
// CHECK: %[[R:.*]] = qg.reshape %arg0 : tensor<2x3x4x5xf32> -> tensor<1x2x12x5xf32>
// CHECK: %[[P:.*]] = qg.pool avg %[[R]] kernel [1, 12] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1]
// CHECK: %[[Y:.*]] = qg.reshape %[[P]] : tensor<1x2x1x5xf32> -> tensor<2x5xf32>
// CHECK: return %[[Y]]
func.func @mean(%x: tensor<2x3x4x5xf32>) -> tensor<2x5xf32> {
  %n = qg.constant dense<12.0> : tensor<f32> -> tensor<f32>
  %0 = qg.reduce sum %x axes [1, 2] : tensor<2x3x4x5xf32> -> tensor<2x5xf32>
  %1 = qg.binary div %0, %n : (tensor<2x5xf32>, tensor<f32>) -> tensor<2x5xf32>
  return %1 : tensor<2x5xf32>
}

// -----
// CHECK-LABEL: func @maximum
// CHECK: qg.reshape %arg0 : tensor<2x3x4xf32> -> tensor<1x6x4x1xf32>
// CHECK: qg.pool max %{{.*}} kernel [1, 4]
func.func @maximum(%x: tensor<2x3x4xf32>) -> tensor<2x3xf32> {
  %0 = qg.reduce max %x axes [2] : tensor<2x3x4xf32> -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----
// A sum is a mean times its count.
// CHECK-LABEL: func @total
// CHECK: %[[N:.*]] = qg.constant dense<3.000000e+00>
// CHECK: qg.pool avg
// CHECK: qg.binary mul %{{.*}}, %[[N]]
func.func @total(%x: tensor<2x3x4xf32>) -> tensor<2x4xf32> {
  %0 = qg.reduce sum %x axes [1] : tensor<2x3x4xf32> -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----
// CHECK-LABEL: func @larger_of_two
// CHECK: %[[C:.*]] = qg.concat %{{.*}}, %{{.*}} axis 1 : (tensor<1x1x6xf32>, tensor<1x1x6xf32>) -> tensor<1x2x6xf32>
// CHECK: qg.pool max %[[C]] kernel [2]
func.func @larger_of_two(%x: tensor<2x3xf32>, %y: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = qg.binary max %x, %y : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}
