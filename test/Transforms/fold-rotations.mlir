// RUN: qopt-opt %s --pass-pipeline='builtin.module(func.func(qg-fold-rotations{seed=0}))' --split-input-file | FileCheck %s
// RUN: qopt-opt %s --pass-pipeline='builtin.module(func.func(qg-fold-rotations{seed=0}))' --split-input-file 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK
// RUN: qopt-opt %s --pass-pipeline='builtin.module(func.func(qg-fold-rotations))' --split-input-file 2>&1 >/dev/null | FileCheck %s --check-prefix=NONE

// The writer gets W R, the reader R^T diag(gamma) W, with R = H4 / 2.
// NONE: rotated with seed 0: 0 writers, 0 constants, 1 readers, 1 rotations
// NONE-NOT: rotated with seed
// NONE: rotated with the matrix
// NONE-NOT: rotated with
// REMARK: remark: stream of 4 channels rotated with seed 0: 1 writers, 0 constants, 1 readers, 0 rotations at run time (0 MACs)
// CHECK-LABEL: func @folded
// CHECK: %[[W:.*]] = qg.constant dense<{{\[\[}}1.000000e+01, -2.000000e+00, -4.000000e+00, 0.000000e+00]]>
// CHECK: %[[S:.*]] = qg.matmul %{{.*}}, %[[W]]
// CHECK: %[[Y:.*]] = qg.binary div %[[S]]
// CHECK: %[[V:.*]] = qg.constant dense<{{\[\[}}1.000000e+01], [-2.000000e+00], [-4.000000e+00], [0.000000e+00]]>
// CHECK: qg.matmul %[[Y]], %[[V]]
func.func @folded(%x: tensor<1x2x1xf32>) -> tensor<1x2x1xf32> {
  %w = qg.constant dense<[[2.0, 4.0, 6.0, 8.0]]> : tensor<1x4xf32> -> tensor<1x4xf32>
  %gamma = qg.constant dense<[2.0, 2.0, 2.0, 2.0]> : tensor<4xf32> -> tensor<4xf32>
  %v = qg.constant dense<[[1.0], [2.0], [3.0], [4.0]]> : tensor<4x1xf32> -> tensor<4x1xf32>
  %four = qg.constant dense<4.0> : tensor<f32> -> tensor<f32>
  %eps = qg.constant dense<1.0e-5> : tensor<f32> -> tensor<f32>
  %0 = qg.matmul %x, %w : (tensor<1x2x1xf32>, tensor<1x4xf32>) -> tensor<1x2x4xf32>
  %1 = qg.binary mul %0, %0 : (tensor<1x2x4xf32>, tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  %2 = qg.reduce sum %1 axes [2] : tensor<1x2x4xf32> -> tensor<1x2xf32>
  %3 = qg.binary div %2, %four : (tensor<1x2xf32>, tensor<f32>) -> tensor<1x2xf32>
  %4 = qg.reshape %3 : tensor<1x2xf32> -> tensor<1x2x1xf32>
  %5 = qg.binary add %4, %eps : (tensor<1x2x1xf32>, tensor<f32>) -> tensor<1x2x1xf32>
  %6 = qg.unary sqrt %5 : tensor<1x2x1xf32> -> tensor<1x2x1xf32>
  %7 = qg.binary div %0, %6 : (tensor<1x2x4xf32>, tensor<1x2x1xf32>) -> tensor<1x2x4xf32>
  %8 = qg.binary mul %7, %gamma : (tensor<1x2x4xf32>, tensor<4xf32>) -> tensor<1x2x4xf32>
  %9 = qg.matmul %8, %v : (tensor<1x2x4xf32>, tensor<4x1xf32>) -> tensor<1x2x1xf32>
  return %9 : tensor<1x2x1xf32>
}

// -----
// The decision is an attribute; what no linear op makes is rotated at run
// time, for the readers of the stream only.
// REMARK: rotated with seed 0: 0 writers, 0 constants, 1 readers, 1 rotations at run time (32 MACs)
// CHECK-LABEL: func @explicit_rotation
// CHECK-SAME: (%[[X:.*]]: tensor
// CHECK: %[[R:.*]] = qg.matmul %[[X]], %{{.*}} {qg.weights = "si8"}
// CHECK: qg.binary mul %[[R]], %[[R]]
// CHECK-NOT: qg.rotation
// CHECK: return %{{.*}}, %[[X]]
func.func @explicit_rotation(%x: tensor<1x2x4xf32>) -> (tensor<1x2x1xf32>, tensor<1x2x4xf32>) {
  %v = qg.constant dense<[[1.0], [2.0], [3.0], [4.0]]> : tensor<4x1xf32> -> tensor<4x1xf32>
  %four = qg.constant dense<4.0> : tensor<f32> -> tensor<f32>
  %eps = qg.constant dense<1.0e-5> : tensor<f32> -> tensor<f32>
  %1 = qg.binary mul %x, %x : (tensor<1x2x4xf32>, tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  %2 = qg.reduce sum %1 axes [2] : tensor<1x2x4xf32> -> tensor<1x2xf32>
  %3 = qg.binary div %2, %four : (tensor<1x2xf32>, tensor<f32>) -> tensor<1x2xf32>
  %4 = qg.reshape %3 : tensor<1x2xf32> -> tensor<1x2x1xf32>
  %5 = qg.binary add %4, %eps : (tensor<1x2x1xf32>, tensor<f32>) -> tensor<1x2x1xf32>
  %6 = qg.unary sqrt %5 : tensor<1x2x1xf32> -> tensor<1x2x1xf32>
  %7 = qg.binary div %x, %6 {qg.rotation = 0 : i64} : (tensor<1x2x4xf32>, tensor<1x2x1xf32>) -> tensor<1x2x4xf32>
  %9 = qg.matmul %7, %v : (tensor<1x2x4xf32>, tensor<4x1xf32>) -> tensor<1x2x1xf32>
  return %9, %x : tensor<1x2x1xf32>, tensor<1x2x4xf32>
}

// -----
// A stream whose sum is a result of the function keeps its basis.
// REMARK: remark: stream of 4 channels is not rotated: 'func.return{{.*}}' reads the sum without a normalization
// CHECK-LABEL: func @sum_is_read
// CHECK-NOT: qg.matmul %{{.*}} : (tensor<1x2x4xf32>, tensor<4x4xf32>)
func.func @sum_is_read(%x: tensor<1x2x4xf32>) -> (tensor<1x2x1xf32>, tensor<1x2x4xf32>) {
  %v = qg.constant dense<[[1.0], [2.0], [3.0], [4.0]]> : tensor<4x1xf32> -> tensor<4x1xf32>
  %four = qg.constant dense<4.0> : tensor<f32> -> tensor<f32>
  %eps = qg.constant dense<1.0e-5> : tensor<f32> -> tensor<f32>
  %0 = qg.binary add %x, %x : (tensor<1x2x4xf32>, tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  %1 = qg.binary mul %0, %0 : (tensor<1x2x4xf32>, tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  %2 = qg.reduce sum %1 axes [2] : tensor<1x2x4xf32> -> tensor<1x2xf32>
  %3 = qg.binary div %2, %four : (tensor<1x2xf32>, tensor<f32>) -> tensor<1x2xf32>
  %4 = qg.reshape %3 : tensor<1x2xf32> -> tensor<1x2x1xf32>
  %5 = qg.binary add %4, %eps : (tensor<1x2x1xf32>, tensor<f32>) -> tensor<1x2x1xf32>
  %6 = qg.unary sqrt %5 : tensor<1x2x1xf32> -> tensor<1x2x1xf32>
  %7 = qg.binary div %0, %6 : (tensor<1x2x4xf32>, tensor<1x2x1xf32>) -> tensor<1x2x4xf32>
  %9 = qg.matmul %7, %v : (tensor<1x2x4xf32>, tensor<4x1xf32>) -> tensor<1x2x1xf32>
  return %9, %0 : tensor<1x2x1xf32>, tensor<1x2x4xf32>
}

// -----
// A matrix instead of a seed: a quarter turn.
// REMARK: rotated with the matrix that is given: 0 writers, 0 constants, 1 readers
// CHECK-LABEL: func @matrix
// CHECK: %[[R:.*]] = qg.constant dense<{{\[\[}}0.000000e+00, 1.000000e+00], [-1.000000e+00, 0.000000e+00]]>
// CHECK: qg.matmul %{{.*}}, %[[R]]
// CHECK: qg.constant dense<{{\[\[}}-2.000000e+00], [1.000000e+00]]>
func.func @matrix(%x: tensor<1x2x2xf32>) -> tensor<1x2x1xf32> {
  %v = qg.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32> -> tensor<2x1xf32>
  %two = qg.constant dense<2.0> : tensor<f32> -> tensor<f32>
  %eps = qg.constant dense<1.0e-5> : tensor<f32> -> tensor<f32>
  %1 = qg.binary mul %x, %x : (tensor<1x2x2xf32>, tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  %2 = qg.reduce sum %1 axes [2] : tensor<1x2x2xf32> -> tensor<1x2xf32>
  %3 = qg.binary div %2, %two : (tensor<1x2xf32>, tensor<f32>) -> tensor<1x2xf32>
  %4 = qg.reshape %3 : tensor<1x2xf32> -> tensor<1x2x1xf32>
  %5 = qg.binary add %4, %eps : (tensor<1x2x1xf32>, tensor<f32>) -> tensor<1x2x1xf32>
  %6 = qg.unary sqrt %5 : tensor<1x2x1xf32> -> tensor<1x2x1xf32>
  %7 = qg.binary div %x, %6 {qg.rotation = dense<[[0.0, 1.0], [-1.0, 0.0]]> : tensor<2x2xf64>} : (tensor<1x2x2xf32>, tensor<1x2x1xf32>) -> tensor<1x2x2xf32>
  %9 = qg.matmul %7, %v : (tensor<1x2x2xf32>, tensor<2x1xf32>) -> tensor<1x2x1xf32>
  return %9 : tensor<1x2x1xf32>
}
