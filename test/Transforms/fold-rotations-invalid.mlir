// RUN: qopt-opt %s --pass-pipeline='builtin.module(func.func(qg-fold-rotations))' --split-input-file --verify-diagnostics

// Rows of length two: no rotation.
func.func @not_orthogonal(%x: tensor<1x2x2xf32>) -> tensor<1x2x1xf32> {
  %v = qg.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32> -> tensor<2x1xf32>
  %two = qg.constant dense<2.0> : tensor<f32> -> tensor<f32>
  %eps = qg.constant dense<1.0e-5> : tensor<f32> -> tensor<f32>
  %1 = qg.binary mul %x, %x : (tensor<1x2x2xf32>, tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  %2 = qg.reduce sum %1 axes [2] : tensor<1x2x2xf32> -> tensor<1x2xf32>
  %3 = qg.binary div %2, %two : (tensor<1x2xf32>, tensor<f32>) -> tensor<1x2xf32>
  %4 = qg.reshape %3 : tensor<1x2xf32> -> tensor<1x2x1xf32>
  %5 = qg.binary add %4, %eps : (tensor<1x2x1xf32>, tensor<f32>) -> tensor<1x2x1xf32>
  %6 = qg.unary sqrt %5 : tensor<1x2x1xf32> -> tensor<1x2x1xf32>
  // expected-error @+1 {{expects 'qg.rotation' to be a seed or an orthogonal matrix of 2 rows}}
  %7 = qg.binary div %x, %6 {qg.rotation = dense<[[2.0, 0.0], [0.0, 2.0]]> : tensor<2x2xf64>} : (tensor<1x2x2xf32>, tensor<1x2x1xf32>) -> tensor<1x2x2xf32>
  %9 = qg.matmul %7, %v : (tensor<1x2x2xf32>, tensor<2x1xf32>) -> tensor<1x2x1xf32>
  return %9 : tensor<1x2x1xf32>
}
