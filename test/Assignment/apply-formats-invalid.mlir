// RUN: qopt-opt %s --split-input-file --qg-apply-formats --verify-diagnostics

// A decision about weights that are not known.
func.func @main(%x: tensor<1x2xf32>, %w: tensor<2x2xf32>) -> tensor<1x2xf32> {
  // expected-error @+1 {{'qg.matmul' op expects an f32 constant weight for its format}}
  %0 = qg.matmul %x, %w {qg.weight_format = #qg.format<!qg.q<si8, 0.25 : 0>>} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}

// -----
// Floats are no format that weights are rounded to.
func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = qg.constant dense<1.0> : tensor<2x2xf32> -> tensor<2x2xf32>
  // expected-error @+1 {{'qg.matmul' op expects an f32 constant weight for its format}}
  %0 = qg.matmul %x, %w {qg.weight_format = #qg.format<f32>} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}
