// RUN: qopt-opt %s --qg-equalize-layers --split-input-file | FileCheck %s
// RUN: qopt-opt %s --pass-pipeline='builtin.module(func.func(qg-equalize-layers{from-weights}))' --split-input-file 2>&1 >/dev/null | FileCheck %s --check-prefix=WEIGHTS

// Rows and bias of the writer are divided, through the relu, and the channels
// of both readers multiplied: one is depthwise, one padded.
// WEIGHTS: remark: moved factors of 0.25 to 2 into 2 readers
// CHECK-LABEL: func @convs
// CHECK: %[[W:.*]] = qg.constant dense<{{\[\[\[\[}}2.000000e+00]]], {{\[\[\[}}1.600000e+01]]]]>
// CHECK: %[[B:.*]] = qg.constant dense<[5.000000e-01, -8.000000e+00]>
// CHECK: %[[Y:.*]] = qg.conv %{{.*}}, %[[W]] bias %[[B]]
// CHECK: %[[Z:.*]] = qg.unary relu %[[Y]] :
// CHECK: %[[D:.*]] = qg.constant dense<{{\[\[\[\[}}6.000000e+00]]], {{\[\[\[}}1.250000e+00]]]]>
// CHECK: qg.conv %[[Z]], %[[D]]
// CHECK: %[[V:.*]] = qg.constant dense<{{\[\[\[\[}}2.000000e+00, 2.500000e-01], [4.000000e+00, 5.000000e-01], [6.000000e+00, 7.500000e-01]]]]>
// CHECK: qg.conv %[[Z]], %[[V]]
func.func @convs(%x: tensor<1x1x3x1xf32>) -> (tensor<1x1x3x2xf32>, tensor<1x1x3x1xf32>) {
  %w = qg.constant dense<[[[[4.0]]], [[[4.0]]]]> : tensor<2x1x1x1xf32> -> tensor<2x1x1x1xf32>
  %b = qg.constant dense<[1.0, -2.0]> : tensor<2xf32> -> tensor<2xf32>
  %d = qg.constant dense<[[[[3.0]]], [[[5.0]]]]> : tensor<2x1x1x1xf32> -> tensor<2x1x1x1xf32>
  %v = qg.constant dense<[[[[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]]]> : tensor<1x1x3x2xf32> -> tensor<1x1x3x2xf32>
  %0 = qg.conv %x, %w bias %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x1x3x1xf32>, tensor<2x1x1x1xf32>, tensor<2xf32>) -> tensor<1x1x3x2xf32>
  %1 = qg.unary relu %0 {qg.equalization = dense<[2.0, 0.25]> : tensor<2xf64>} : tensor<1x1x3x2xf32> -> tensor<1x1x3x2xf32>
  %2 = qg.conv %1, %d strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 2 : (tensor<1x1x3x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x1x3x2xf32>
  %3 = qg.conv %1, %v strides [1, 1] pads [0, 1, 0, 1] dilations [1, 1] groups 1 : (tensor<1x1x3x2xf32>, tensor<1x1x3x2xf32>) -> tensor<1x1x3x1xf32>
  return %2, %3 : tensor<1x1x3x2xf32>, tensor<1x1x3x1xf32>
}

// -----
// From the weights: sqrt(2 / 8) and sqrt(8 / 2).
// WEIGHTS: remark: moved factors of 0.5 to 2 into 1 readers
// CHECK-LABEL: func @not_decided
// CHECK: qg.constant dense<{{\[\[}}2.000000e+00, 8.000000e+00]]>
func.func @not_decided(%x: tensor<2x1xf32>) -> tensor<2x1xf32> {
  %w = qg.constant dense<[[2.0, 8.0]]> : tensor<1x2xf32> -> tensor<1x2xf32>
  %v = qg.constant dense<[[8.0], [2.0]]> : tensor<2x1xf32> -> tensor<2x1xf32>
  %0 = qg.matmul %x, %w : (tensor<2x1xf32>, tensor<1x2xf32>) -> tensor<2x2xf32>
  %1 = qg.matmul %0, %v : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  return %1 : tensor<2x1xf32>
}

// -----
// A clip, and a tensor that something else reads, are no sites.
// WEIGHTS-NOT: remark
// CHECK-LABEL: func @declined
// CHECK: qg.constant dense<{{\[\[}}2.000000e+00, 8.000000e+00]]>
func.func @declined(%x: tensor<2x1xf32>) -> (tensor<2x1xf32>, tensor<2x2xf32>) {
  %w = qg.constant dense<[[2.0, 8.0]]> : tensor<1x2xf32> -> tensor<1x2xf32>
  %u = qg.constant dense<[[1.0, 3.0], [1.0, 3.0]]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %v = qg.constant dense<[[8.0], [2.0]]> : tensor<2x1xf32> -> tensor<2x1xf32>
  %six = qg.constant dense<6.0> : tensor<f32> -> tensor<f32>
  %0 = qg.matmul %x, %w : (tensor<2x1xf32>, tensor<1x2xf32>) -> tensor<2x2xf32>
  %1 = qg.binary min %0, %six : (tensor<2x2xf32>, tensor<f32>) -> tensor<2x2xf32>
  %2 = qg.matmul %1, %u : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %3 = qg.matmul %2, %v : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  return %3, %2 : tensor<2x1xf32>, tensor<2x2xf32>
}
