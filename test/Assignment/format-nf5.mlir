// RUN: qopt-opt %s --qg-quantize-dynamic=weight-format=nf5 | FileCheck %s

// Thirty-two quantiles of a normal distribution; the nearest one of 127 steps.
// CHECK-LABEL: func @weights
// CHECK: qg.constant dense<{{\[}}[31, 5, 21, 15], [31, 26, 15, 0]]> : tensor<2x4xi8>
// CHECK-SAME: !qg.q<lut5, axis = 0, {{.*}}table = [-127, -105, -90, -79, -69, -61, -53, -46, -40, -34, -28, -22, -16, -11, -5, 0, 5, 10, 15, 20, 26, 31, 37, 43, 49, 56, 63, 71, 81, 92, 106, 127]>
func.func @weights(%x: tensor<1x4xf32>) -> tensor<1x2xf32> {
  %w = qg.constant dense<[[1.0, -0.5, 0.25, 0.0], [2.0, 1.0, 0.0, -2.0]]> : tensor<2x4xf32> -> tensor<2x4xf32>
  %y = qg.matmul %x, %w transpose_rhs : (tensor<1x4xf32>, tensor<2x4xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
