// RUN: qopt-opt %s --qg-simplify-arithmetic --split-input-file | FileCheck %s

// CHECK-LABEL: func @neutral
// CHECK-SAME: (%[[X:.*]]: tensor<2xf32>)
// CHECK-NOT: qg.binary
// CHECK: return %[[X]]
func.func @neutral(%x: tensor<2xf32>) -> tensor<2xf32> {
  %one = qg.constant dense<1.0> : tensor<1xf32> -> tensor<1xf32>
  %zero = qg.constant dense<0.0> : tensor<f32> -> tensor<f32>
  %0 = qg.binary mul %one, %x : (tensor<1xf32>, tensor<2xf32>) -> tensor<2xf32>
  %1 = qg.binary sub %0, %zero : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  return %1 : tensor<2xf32>
}

// -----
// 0 - x is not x, and a neutral operand that enlarges the result is needed.
// CHECK-LABEL: func @neutral_refused
// CHECK: qg.binary sub
// CHECK: qg.binary add
func.func @neutral_refused(%x: tensor<1xf32>) -> tensor<2xf32> {
  %zero = qg.constant dense<0.0> : tensor<2xf32> -> tensor<2xf32>
  %one = qg.constant dense<0.0> : tensor<1xf32> -> tensor<1xf32>
  %0 = qg.binary sub %one, %x : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
  %1 = qg.binary add %0, %zero : (tensor<1xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %1 : tensor<2xf32>
}

// -----
// CHECK-LABEL: func @exact_reciprocal
// CHECK: %[[C:.*]] = qg.constant dense<[5.000000e-01, -4.000000e+00]>
// CHECK: qg.binary mul %{{.*}}, %[[C]]
func.func @exact_reciprocal(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c = qg.constant dense<[2.0, -0.25]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.binary div %x, %c : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----
// CHECK-LABEL: func @inexact_reciprocal
// CHECK: qg.binary div
func.func @inexact_reciprocal(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c = qg.constant dense<[2.0, 3.0]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.binary div %x, %c : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----
// CHECK-LABEL: func @square
// CHECK-SAME: (%[[X:.*]]: tensor<2xf32>)
// CHECK: qg.binary mul %[[X]], %[[X]]
func.func @square(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c = qg.constant dense<2.0> : tensor<f32> -> tensor<f32>
  %0 = qg.binary pow %x, %c : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----
// CHECK-LABEL: func @chain
// CHECK: %[[C:.*]] = qg.constant dense<[6.000000e+00, 9.000000e+00]>
// CHECK: qg.binary mul %{{.*}}, %[[C]]
// CHECK-NOT: qg.binary
func.func @chain(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c = qg.constant dense<[2.0, 3.0]> : tensor<2xf32> -> tensor<2xf32>
  %d = qg.constant dense<3.0> : tensor<f32> -> tensor<f32>
  %0 = qg.binary mul %x, %c : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %1 = qg.binary mul %d, %0 : (tensor<f32>, tensor<2xf32>) -> tensor<2xf32>
  return %1 : tensor<2xf32>
}

// -----
// CHECK-LABEL: func @chain_read_twice
// CHECK-COUNT-2: qg.binary mul
func.func @chain_read_twice(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %d = qg.constant dense<3.0> : tensor<f32> -> tensor<f32>
  %0 = qg.binary mul %x, %d : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %1 = qg.binary mul %0, %d : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  return %0, %1 : tensor<2xf32>, tensor<2xf32>
}

// -----
// CHECK-LABEL: func @needless_broadcast
// CHECK-SAME: (%[[X:.*]]: tensor<3x2xf32>, %[[Y:.*]]: tensor<1x2xf32>)
// CHECK: qg.binary add %[[X]], %[[Y]] : (tensor<3x2xf32>, tensor<1x2xf32>)
func.func @needless_broadcast(%x: tensor<3x2xf32>, %y: tensor<1x2xf32>) -> tensor<3x2xf32> {
  %0 = qg.broadcast %y : tensor<1x2xf32> -> tensor<3x2xf32>
  %1 = qg.binary add %x, %0 : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
  return %1 : tensor<3x2xf32>
}

// -----
// CHECK-LABEL: func @mean
// CHECK: %[[P:.*]] = qg.pool avg %{{.*}} kernel [2, 3] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x2x3x4xf32> -> tensor<1x1x1x4xf32>
// CHECK: qg.reshape %[[P]] : tensor<1x1x1x4xf32> -> tensor<1x4xf32>
func.func @mean(%x: tensor<1x2x3x4xf32>) -> tensor<1x4xf32> {
  %c = qg.constant dense<6.0> : tensor<f32> -> tensor<f32>
  %0 = qg.reduce sum %x axes [1, 2] : tensor<1x2x3x4xf32> -> tensor<1x4xf32>
  %1 = qg.binary div %0, %c : (tensor<1x4xf32>, tensor<f32>) -> tensor<1x4xf32>
  return %1 : tensor<1x4xf32>
}

// -----
// A mean over the channels is no pooling.
// CHECK-LABEL: func @mean_over_channels
// CHECK: qg.reduce sum
func.func @mean_over_channels(%x: tensor<1x2x3x4xf32>) -> tensor<1x2xf32> {
  %c = qg.constant dense<12.0> : tensor<f32> -> tensor<f32>
  %0 = qg.reduce sum %x axes [2, 3] : tensor<1x2x3x4xf32> -> tensor<1x2xf32>
  %1 = qg.binary div %0, %c : (tensor<1x2xf32>, tensor<f32>) -> tensor<1x2xf32>
  return %1 : tensor<1x2xf32>
}

// -----
// The mean of a layer normalization, imported as a pooling.
// CHECK-LABEL: func @mean_over_last
// CHECK-SAME: (%[[X:.*]]: tensor<1x4x6xf32>)
// CHECK: %[[S:.*]] = qg.reduce sum %[[X]] axes [2] : tensor<1x4x6xf32> -> tensor<1x4xf32>
// CHECK: %[[M:.*]] = qg.binary div %[[S]]
// CHECK: qg.reshape %[[M]] : tensor<1x4xf32> -> tensor<1x1x4xf32>
func.func @mean_over_last(%x: tensor<1x4x6xf32>) -> tensor<1x1x4xf32> {
  %0 = qg.transpose %x perm [0, 2, 1] : tensor<1x4x6xf32> -> tensor<1x6x4xf32>
  %1 = qg.pool avg %0 kernel [6] strides [1] pads [0, 0] dilations [1] : tensor<1x6x4xf32> -> tensor<1x1x4xf32>
  return %1 : tensor<1x1x4xf32>
}

// -----
// The image of a network that keeps its channels first only here: a pooling.
// CHECK-LABEL: func @pool_over_inner
// CHECK: qg.pool avg
func.func @pool_over_inner(%x: tensor<4x6x1xf32>) -> tensor<1x1x4xf32> {
  %0 = qg.transpose %x perm [2, 1, 0] : tensor<4x6x1xf32> -> tensor<1x6x4xf32>
  %1 = qg.pool avg %0 kernel [6] strides [1] pads [0, 0] dilations [1] : tensor<1x6x4xf32> -> tensor<1x1x4xf32>
  return %1 : tensor<1x1x4xf32>
}

// -----
// A clamp right behind a product is its saturation.
// CHECK-LABEL: func @clamp_before_maximum
// CHECK: %[[C:.*]] = qg.conv
// CHECK: %[[R:.*]] = qg.unary relu %[[C]]
// CHECK: %[[M:.*]] = qg.binary min %[[R]]
// CHECK: %[[P:.*]] = qg.pool max %[[M]]
// CHECK: return %[[P]]
func.func @clamp_before_maximum(%x: tensor<1x4x4x1xf32>, %w: tensor<2x1x1x1xf32>) -> tensor<1x2x2x2xf32> {
  %six = qg.constant dense<6.0> : tensor<f32> -> tensor<f32>
  %0 = qg.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x4x4x1xf32>, tensor<2x1x1x1xf32>) -> tensor<1x4x4x2xf32>
  %1 = qg.pool max %0 kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x4x4x2xf32> -> tensor<1x2x2x2xf32>
  %2 = qg.unary relu %1 : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %3 = qg.binary min %2, %six : (tensor<1x2x2x2xf32>, tensor<f32>) -> tensor<1x2x2x2xf32>
  return %3 : tensor<1x2x2x2xf32>
}
