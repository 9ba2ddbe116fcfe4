// RUN: qopt-opt %s --qg-channel-affine-to-conv --split-input-file | FileCheck %s

// A normalization behind an activation.
// CHECK-LABEL: func @normalization
// CHECK-DAG: %[[W:.*]] = qg.constant dense<{{.*}}2.000000e+00{{.*}}-3.000000e+00{{.*}} : tensor<2x1x1x1xf32>
// CHECK-DAG: %[[B:.*]] = qg.constant dense<[1.000000e+00, 5.000000e-01]>
// CHECK: %[[R:.*]] = qg.unary relu
// CHECK: %[[Y:.*]] = qg.conv %[[R]], %[[W]] bias %[[B]] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 2
// CHECK: return %[[Y]]
func.func @normalization(%x: tensor<1x3x3x2xf32>) -> tensor<1x3x3x2xf32> {
  %s = qg.constant dense<[2.0, -3.0]> : tensor<2xf32> -> tensor<2xf32>
  %o = qg.constant dense<[1.0, 0.5]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.unary relu %x : tensor<1x3x3x2xf32> -> tensor<1x3x3x2xf32>
  %1 = qg.binary mul %0, %s : (tensor<1x3x3x2xf32>, tensor<2xf32>) -> tensor<1x3x3x2xf32>
  %2 = qg.binary add %1, %o : (tensor<1x3x3x2xf32>, tensor<2xf32>) -> tensor<1x3x3x2xf32>
  return %2 : tensor<1x3x3x2xf32>
}

// -----
// (x - o) / s of rows: a dimension between batch and channels is put in.
// CHECK-LABEL: func @rows
// CHECK: qg.conv %{{.*}} groups 2 : (tensor<1x4x2xf32>, tensor<2x1x1xf32>, tensor<2xf32>) -> tensor<1x4x2xf32>
// CHECK: qg.reshape %{{.*}} : tensor<1x4x2xf32> -> tensor<4x2xf32>
func.func @rows(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %s = qg.constant dense<[2.0, 4.0]> : tensor<2xf32> -> tensor<2xf32>
  %o = qg.constant dense<[1.0, 8.0]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.unary tanh %x : tensor<4x2xf32> -> tensor<4x2xf32>
  %1 = qg.binary sub %0, %o : (tensor<4x2xf32>, tensor<2xf32>) -> tensor<4x2xf32>
  %2 = qg.binary div %1, %s : (tensor<4x2xf32>, tensor<2xf32>) -> tensor<4x2xf32>
  return %2 : tensor<4x2xf32>
}

// -----
// CHECK-LABEL: func @slopes
// CHECK: %[[P:.*]] = qg.unary relu %[[X:.*]] :
// CHECK: %[[N:.*]] = qg.binary min %[[X]]
// CHECK: %[[Z:.*]] = qg.conv %[[N]], %{{.*}} groups 2
// CHECK: qg.binary add %[[P]], %[[Z]]
func.func @slopes(%a: tensor<1x3x2xf32>) -> tensor<1x3x2xf32> {
  %x = qg.unary tanh %a : tensor<1x3x2xf32> -> tensor<1x3x2xf32>
  %zero = qg.constant dense<0.0> : tensor<f32> -> tensor<f32>
  %slope = qg.constant dense<[0.25, 0.5]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.compare lt %x, %zero : (tensor<1x3x2xf32>, tensor<f32>) -> tensor<1x3x2xi1>
  %1 = qg.binary mul %x, %slope : (tensor<1x3x2xf32>, tensor<2xf32>) -> tensor<1x3x2xf32>
  %2 = qg.select %0, %1, %x : (tensor<1x3x2xi1>, tensor<1x3x2xf32>, tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  return %2 : tensor<1x3x2xf32>
}

// -----
// Channels in front, as files have them.
// CHECK-LABEL: func @channels_first
// CHECK: %[[T:.*]] = qg.transpose %arg0 perm [0, 2, 3, 1]
// CHECK: %[[C:.*]] = qg.conv %[[T]], %{{.*}} bias %{{.*}} groups 2
// CHECK: qg.transpose %[[C]] perm [0, 3, 1, 2]
func.func @channels_first(%x: tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32> {
  %s = qg.constant dense<[[[2.0]], [[-3.0]]]> : tensor<2x1x1xf32> -> tensor<2x1x1xf32>
  %o = qg.constant dense<[[[[1.0]], [[0.5]]]]> : tensor<1x2x1x1xf32> -> tensor<1x2x1x1xf32>
  %1 = qg.binary sub %x, %o : (tensor<1x2x3x3xf32>, tensor<1x2x1x1xf32>) -> tensor<1x2x3x3xf32>
  %2 = qg.binary div %1, %s : (tensor<1x2x3x3xf32>, tensor<2x1x1xf32>) -> tensor<1x2x3x3xf32>
  return %2 : tensor<1x2x3x3xf32>
}
