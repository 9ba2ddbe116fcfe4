// RUN: qopt-opt %s --qg-fold-batch-norm --split-input-file | FileCheck %s

// W * s by row, b * s + t.
// CHECK-LABEL: func @behind_a_convolution
// CHECK-SAME: (%[[X:.*]]: tensor
// CHECK-DAG: %[[W:.*]] = qg.constant dense<{{\[\[\[\[}}2.000000e+00, 4.000000e+00]]], {{\[\[\[}}3.000000e+01, 4.000000e+01]]]]>
// CHECK-DAG: %[[B:.*]] = qg.constant dense<[7.000000e+00, 6.000000e+01]>
// CHECK: %[[Y:.*]] = qg.conv %[[X]], %[[W]] bias %[[B]]
// CHECK: return %[[Y]]
func.func @behind_a_convolution(%x: tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32> {
  %w = qg.constant dense<[[[[1.0, 2.0]]], [[[3.0, 4.0]]]]> : tensor<2x1x1x2xf32> -> tensor<2x1x1x2xf32>
  %b = qg.constant dense<[1.0, 1.0]> : tensor<2xf32> -> tensor<2xf32>
  %s = qg.constant dense<[[[[2.0, 10.0]]]]> : tensor<1x1x1x2xf32> -> tensor<1x1x1x2xf32>
  %t = qg.constant dense<[5.0, 50.0]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.conv %x, %w bias %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x1x1x2xf32>, tensor<2x1x1x2xf32>, tensor<2xf32>) -> tensor<1x1x1x2xf32>
  %1 = qg.binary mul %0, %s : (tensor<1x1x1x2xf32>, tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32>
  %2 = qg.binary add %1, %t : (tensor<1x1x1x2xf32>, tensor<2xf32>) -> tensor<1x1x1x2xf32>
  return %2 : tensor<1x1x1x2xf32>
}

// -----
// In front: W' = W * s by column, b' = W t.
// CHECK-LABEL: func @before_a_matmul
// CHECK-SAME: (%[[X:.*]]: tensor
// CHECK-DAG: %[[W:.*]] = qg.constant dense<{{\[\[}}2.000000e+00, 4.000000e+00], [9.000000e+00, 1.200000e+01]]>
// CHECK-DAG: %[[B:.*]] = qg.constant dense<[3.100000e+01, 4.200000e+01]>
// CHECK: %[[Y:.*]] = qg.matmul %[[X]], %[[W]] bias %[[B]]
// CHECK: return %[[Y]]
func.func @before_a_matmul(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = qg.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %s = qg.constant dense<[2.0, 3.0]> : tensor<2xf32> -> tensor<2xf32>
  %t = qg.constant dense<[1.0, 10.0]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.binary mul %x, %s : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %1 = qg.binary add %0, %t : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %2 = qg.matmul %1, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %2 : tensor<1x2xf32>
}

// -----
// Groups: input channel 1 belongs to output channel 1 only.
// CHECK-LABEL: func @depthwise
// CHECK: qg.constant dense<{{\[\[\[\[}}2.000000e+00]]], {{\[\[\[}}6.000000e+00]]]]>
// CHECK-NOT: qg.binary
func.func @depthwise(%x: tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32> {
  %w = qg.constant dense<[[[[1.0]]], [[[2.0]]]]> : tensor<2x1x1x1xf32> -> tensor<2x1x1x1xf32>
  %s = qg.constant dense<[2.0, 3.0]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.binary mul %x, %s : (tensor<1x1x1x2xf32>, tensor<2xf32>) -> tensor<1x1x1x2xf32>
  %1 = qg.conv %0, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 2 : (tensor<1x1x1x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x1x1x2xf32>
  return %1 : tensor<1x1x1x2xf32>
}

// -----
// Zeros of the padding are not shifted: the offset stays, the factor would not.
// CHECK-LABEL: func @offset_before_padding
// CHECK: %[[A:.*]] = qg.binary add
// CHECK: qg.conv %[[A]]
func.func @offset_before_padding(%x: tensor<1x1x1x1xf32>) -> tensor<1x3x3x1xf32> {
  %w = qg.constant dense<1.0> : tensor<1x1x1x1xf32> -> tensor<1x1x1x1xf32>
  %t = qg.constant dense<1.0> : tensor<1xf32> -> tensor<1xf32>
  %0 = qg.binary add %x, %t : (tensor<1x1x1x1xf32>, tensor<1xf32>) -> tensor<1x1x1x1xf32>
  %1 = qg.conv %0, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x1x1x1xf32>, tensor<1x1x1x1xf32>) -> tensor<1x3x3x1xf32>
  return %1 : tensor<1x3x3x1xf32>
}

// -----
// A quantized weight keeps its integers: the factor goes into the scales.
// CHECK-LABEL: func @quantized_weight
// CHECK: qg.constant dense<{{\[\[}}1, 2], [3, 4]]> : tensor<2x2xi8> -> tensor<2x2x!qg.q<si8, axis = 1,
// CHECK: qg.matmul %{{.*}}, %{{.*}} bias
// CHECK-NOT: qg.binary
func.func @quantized_weight(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %q = qg.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi8> -> tensor<2x2x!qg.q<si8, 0.5 : 0>>
  %w = qg.dequantize %q : tensor<2x2x!qg.q<si8, 0.5 : 0>> -> tensor<2x2xf32>
  %t = qg.constant dense<[1.0, 10.0]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.matmul %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %1 = qg.binary add %0, %t : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %2 = qg.binary mul %1, %t : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return %2 : tensor<1x2xf32>
}
