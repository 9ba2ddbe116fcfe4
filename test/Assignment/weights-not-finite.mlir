// RUN: qopt-opt %s --split-input-file --qg-quantize-dynamic=weight-format=lut4 --verify-diagnostics
// RUN: qopt-opt %s --split-input-file --qg-quantize-dynamic=weight-format=si8 --verify-diagnostics

func.func @nan(%x: tensor<3x4xf32>) -> tensor<3x2xf32> {
  %w = qg.constant dense<0x7FC00000> : tensor<4x2xf32> -> tensor<4x2xf32>
  // expected-error @+1 {{expects finite weights, got nan}}
  %y = qg.matmul %x, %w : (tensor<3x4xf32>, tensor<4x2xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----

func.func @infinity(%x: tensor<3x4xf32>) -> tensor<3x2xf32> {
  %w = qg.constant dense<0x7F800000> : tensor<4x2xf32> -> tensor<4x2xf32>
  // expected-error @+1 {{expects finite weights, got INF}}
  %y = qg.matmul %x, %w : (tensor<3x4xf32>, tensor<4x2xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}
