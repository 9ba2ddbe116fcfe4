// RUN: qopt-opt %s --qg-fuse-bias --split-input-file | FileCheck %s

// CHECK-LABEL: func @creates_a_bias
// CHECK: %[[B:.*]] = qg.constant dense<[1.000000e+00, -2.000000e+00]>
// CHECK: %[[Y:.*]] = qg.conv %{{.*}}, %{{.*}} bias %[[B]]
// CHECK: return %[[Y]]
func.func @creates_a_bias(%x: tensor<1x1x1x1xf32>, %w: tensor<2x1x1x1xf32>) -> tensor<1x1x1x2xf32> {
  %c = qg.constant dense<[[[1.0, -2.0]]]> : tensor<1x1x2xf32> -> tensor<1x1x2xf32>
  %0 = qg.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x1x1x1xf32>, tensor<2x1x1x1xf32>) -> tensor<1x1x1x2xf32>
  %1 = qg.binary add %0, %c : (tensor<1x1x1x2xf32>, tensor<1x1x2xf32>) -> tensor<1x1x1x2xf32>
  return %1 : tensor<1x1x1x2xf32>
}

// -----
// Through a reshape, onto a bias that is there already, with a subtraction.
// CHECK-LABEL: func @through_a_reshape
// CHECK: %[[B:.*]] = qg.constant dense<[9.000000e+00, 1.800000e+01]>
// CHECK: %[[M:.*]] = qg.matmul %{{.*}}, %{{.*}} bias %[[B]]
// CHECK: %[[Y:.*]] = qg.reshape %[[M]]
// CHECK: return %[[Y]]
func.func @through_a_reshape(%x: tensor<6x3xf32>, %w: tensor<3x2xf32>) -> tensor<2x3x2xf32> {
  %b = qg.constant dense<[10.0, 20.0]> : tensor<2xf32> -> tensor<2xf32>
  %c = qg.constant dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.matmul %x, %w bias %b : (tensor<6x3xf32>, tensor<3x2xf32>, tensor<2xf32>) -> tensor<6x2xf32>
  %1 = qg.reshape %0 : tensor<6x2xf32> -> tensor<2x3x2xf32>
  %2 = qg.binary sub %1, %c : (tensor<2x3x2xf32>, tensor<2xf32>) -> tensor<2x3x2xf32>
  return %2 : tensor<2x3x2xf32>
}

// -----
// CHECK-LABEL: func @read_twice
// CHECK: qg.matmul %{{.*}}, %{{.*}} :
// CHECK: qg.binary add
func.func @read_twice(%x: tensor<6x3xf32>, %w: tensor<3x2xf32>) -> (tensor<6x2xf32>, tensor<6x2xf32>) {
  %c = qg.constant dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.matmul %x, %w : (tensor<6x3xf32>, tensor<3x2xf32>) -> tensor<6x2xf32>
  %1 = qg.binary add %0, %c : (tensor<6x2xf32>, tensor<2xf32>) -> tensor<6x2xf32>
  return %0, %1 : tensor<6x2xf32>, tensor<6x2xf32>
}

// -----
// A constant by row is no bias.
// CHECK-LABEL: func @not_by_channel
// CHECK: qg.binary add
func.func @not_by_channel(%x: tensor<2x3xf32>, %w: tensor<3x2xf32>) -> tensor<2x2xf32> {
  %c = qg.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32> -> tensor<2x1xf32>
  %0 = qg.matmul %x, %w : (tensor<2x3xf32>, tensor<3x2xf32>) -> tensor<2x2xf32>
  %1 = qg.binary add %0, %c : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x2xf32>
  return %1 : tensor<2x2xf32>
}
