// RUN: qopt-opt %s --qg-fold-smoothing --split-input-file | FileCheck %s

// The rows of the writer shrink, through the relu, and the columns of the
// readers grow.
// CHECK-LABEL: func @writer
// CHECK-SAME: (%[[X:.*]]: tensor
// CHECK-DAG: %[[W:.*]] = qg.constant dense<{{\[\[}}5.000000e-01, 4.000000e+00]]>
// CHECK-DAG: %[[B:.*]] = qg.constant dense<[1.500000e+00, 8.000000e+00]>
// CHECK: %[[Y:.*]] = qg.matmul %[[X]], %[[W]] bias %[[B]]
// CHECK: %[[Z:.*]] = qg.unary relu %[[Y]] :
// CHECK: %[[V:.*]] = qg.constant dense<{{\[\[}}1.000000e+01], [3.000000e+00]]>
// CHECK: qg.matmul %[[Z]], %[[V]]
func.func @writer(%x: tensor<2x1xf32>) -> tensor<2x1xf32> {
  %w = qg.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32> -> tensor<1x2xf32>
  %b = qg.constant dense<[3.0, 4.0]> : tensor<2xf32> -> tensor<2xf32>
  %v = qg.constant dense<[[5.0], [6.0]]> : tensor<2x1xf32> -> tensor<2x1xf32>
  %0 = qg.matmul %x, %w bias %b : (tensor<2x1xf32>, tensor<1x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  %1 = qg.unary relu %0 {qg.smoothing = dense<[2.0, 0.5]> : tensor<2xf64>} : tensor<2x2xf32> -> tensor<2x2xf32>
  %2 = qg.matmul %1, %v : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  return %2 : tensor<2x1xf32>
}

// -----
// Behind a normalization: one product by channel, and every reader scales.
// CHECK-LABEL: func @normalization
// CHECK: qg.unary sqrt
// CHECK: %[[Y:.*]] = qg.binary div
// CHECK: %[[S:.*]] = qg.constant dense<[5.000000e-01, 2.000000e+00]>
// CHECK: %[[Z:.*]] = qg.binary mul %[[Y]], %[[S]]
// CHECK: %[[V:.*]] = qg.constant dense<{{\[\[}}1.000000e+01], [3.000000e+00]]>
// CHECK: qg.matmul %[[Z]], %[[V]]
// CHECK: %[[U:.*]] = qg.constant dense<{{\[\[\[\[}}2.000000e+00, 5.000000e-01]]]]>
// CHECK: qg.conv %{{.*}}, %[[U]]
func.func @normalization(%x: tensor<1x1x2x2xf32>) -> (tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32>) {
  %v = qg.constant dense<[[5.0], [6.0]]> : tensor<2x1xf32> -> tensor<2x1xf32>
  %u = qg.constant dense<[[[[1.0, 1.0]]]]> : tensor<1x1x1x2xf32> -> tensor<1x1x1x2xf32>
  %two = qg.constant dense<2.0> : tensor<f32> -> tensor<f32>
  %eps = qg.constant dense<1.0e-5> : tensor<f32> -> tensor<f32>
  %0 = qg.binary mul %x, %x : (tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>) -> tensor<1x1x2x2xf32>
  %1 = qg.reduce sum %0 axes [3] : tensor<1x1x2x2xf32> -> tensor<1x1x2xf32>
  %2 = qg.binary div %1, %two : (tensor<1x1x2xf32>, tensor<f32>) -> tensor<1x1x2xf32>
  %3 = qg.reshape %2 : tensor<1x1x2xf32> -> tensor<1x1x2x1xf32>
  %4 = qg.binary add %3, %eps : (tensor<1x1x2x1xf32>, tensor<f32>) -> tensor<1x1x2x1xf32>
  %5 = qg.unary sqrt %4 : tensor<1x1x2x1xf32> -> tensor<1x1x2x1xf32>
  %6 = qg.binary div %x, %5 {qg.smoothing = dense<[2.0, 0.5]> : tensor<2xf64>} : (tensor<1x1x2x2xf32>, tensor<1x1x2x1xf32>) -> tensor<1x1x2x2xf32>
  %7 = qg.matmul %6, %v : (tensor<1x1x2x2xf32>, tensor<2x1xf32>) -> tensor<1x1x2x1xf32>
  %8 = qg.conv %6, %u strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x1x2x2xf32>, tensor<1x1x1x2xf32>) -> tensor<1x1x2x1xf32>
  return %7, %8 : tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32>
}

// -----
// A shift: (x - d) / s is made by the writer, and d W comes back as bias of
// the reader: 2 * 5 + 1 * 6.
// CHECK-LABEL: func @shift
// CHECK: %[[W:.*]] = qg.constant dense<{{\[\[}}5.000000e-01, 4.000000e+00]]>
// CHECK: %[[B:.*]] = qg.constant dense<[5.000000e-01, 6.000000e+00]>
// CHECK: %[[Y:.*]] = qg.matmul %{{.*}}, %[[W]] bias %[[B]] :
// CHECK: %[[C:.*]] = qg.constant dense<1.600000e+01> : tensor<1xf32>
// CHECK: %[[V:.*]] = qg.constant dense<{{\[\[}}1.000000e+01], [3.000000e+00]]>
// CHECK: qg.matmul %[[Y]], %[[V]] bias %[[C]]
func.func @shift(%x: tensor<2x1xf32>) -> tensor<2x1xf32> {
  %w = qg.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32> -> tensor<1x2xf32>
  %b = qg.constant dense<[3.0, 4.0]> : tensor<2xf32> -> tensor<2xf32>
  %v = qg.constant dense<[[5.0], [6.0]]> : tensor<2x1xf32> -> tensor<2x1xf32>
  %0 = qg.matmul %x, %w bias %b {qg.smoothing = dense<[2.0, 0.5]> : tensor<2xf64>, qg.shift = dense<[2.0, 1.0]> : tensor<2xf64>} : (tensor<2x1xf32>, tensor<1x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  %1 = qg.matmul %0, %v : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  return %1 : tensor<2x1xf32>
}

// -----
// Behind a normalization the product and the sum that are there take it in:
// gain 4 / 2, offset (6 - 2) / 2.
// CHECK-LABEL: func @gain_and_offset
// CHECK: qg.unary sqrt
// CHECK: %[[Y:.*]] = qg.binary div
// CHECK: %[[G:.*]] = qg.constant dense<2.000000e+00> : tensor<2xf32>
// CHECK: %[[P:.*]] = qg.binary mul %[[Y]], %[[G]]
// CHECK: %[[O:.*]] = qg.constant dense<2.000000e+00> : tensor<2xf32>
// CHECK: %[[Z:.*]] = qg.binary add %[[P]], %[[O]]
// CHECK: qg.matmul %[[Z]], %{{.*}} bias
func.func @gain_and_offset(%x: tensor<1x2x2xf32>) -> tensor<1x2x1xf32> {
  %v = qg.constant dense<[[5.0], [6.0]]> : tensor<2x1xf32> -> tensor<2x1xf32>
  %two = qg.constant dense<2.0> : tensor<f32> -> tensor<f32>
  %eps = qg.constant dense<1.0e-5> : tensor<f32> -> tensor<f32>
  %gain = qg.constant dense<[4.0, 4.0]> : tensor<2xf32> -> tensor<2xf32>
  %offset = qg.constant dense<[6.0, 6.0]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.binary mul %x, %x : (tensor<1x2x2xf32>, tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  %1 = qg.reduce sum %0 axes [2] : tensor<1x2x2xf32> -> tensor<1x2xf32>
  %2 = qg.binary div %1, %two : (tensor<1x2xf32>, tensor<f32>) -> tensor<1x2xf32>
  %3 = qg.reshape %2 : tensor<1x2xf32> -> tensor<1x2x1xf32>
  %4 = qg.binary add %3, %eps : (tensor<1x2x1xf32>, tensor<f32>) -> tensor<1x2x1xf32>
  %5 = qg.unary sqrt %4 : tensor<1x2x1xf32> -> tensor<1x2x1xf32>
  %6 = qg.binary div %x, %5 : (tensor<1x2x2xf32>, tensor<1x2x1xf32>) -> tensor<1x2x2xf32>
  %7 = qg.binary mul %6, %gain : (tensor<1x2x2xf32>, tensor<2xf32>) -> tensor<1x2x2xf32>
  %8 = qg.binary add %7, %offset {qg.smoothing = dense<[2.0, 2.0]> : tensor<2xf64>, qg.shift = dense<[2.0, 2.0]> : tensor<2xf64>} : (tensor<1x2x2xf32>, tensor<2xf32>) -> tensor<1x2x2xf32>
  %9 = qg.matmul %8, %v : (tensor<1x2x2xf32>, tensor<2x1xf32>) -> tensor<1x2x1xf32>
  return %9 : tensor<1x2x1xf32>
}
