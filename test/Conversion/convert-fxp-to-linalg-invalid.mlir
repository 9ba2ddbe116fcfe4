// RUN: qopt-opt %s --split-input-file --convert-fxp-to-linalg --verify-diagnostics

// The bytes of a table are gone: nothing to look up.
func.func @table(%x: tensor<4xi8>) -> tensor<4xi8> {
  // expected-error @+1 {{failed to legalize operation 'fxp.lut'}}
  %0 = fxp.lut %x table dense_resource<gone> : tensor<256xi8> : tensor<4xi8> -> tensor<4xi8>
  return %0 : tensor<4xi8>
}

// -----
func.func @softmax_table(%x: tensor<1x4xi8>) -> tensor<1x4xi8> {
  // expected-error @+1 {{failed to legalize operation 'fxp.softmax'}}
  %0 = fxp.softmax %x table dense_resource<gone> : tensor<256xi32> zp -128 clamp [-128, 127] : tensor<1x4xi8> -> tensor<1x4xi8>
  return %0 : tensor<1x4xi8>
}

// -----
func.func @scales(%x: tensor<4xi32>) -> tensor<4xi8> {
  // expected-error @+1 {{failed to legalize operation 'fxp.requantize'}}
  %0 = fxp.requantize %x scales dense_resource<gone> : tensor<1xf32> x_zp 0 zp 0 clamp [-128, 127] mode <"f32"> : tensor<4xi32> -> tensor<4xi8>
  return %0 : tensor<4xi8>
}

// -----
func.func @scales_of_floats(%x: tensor<4xi8>) -> tensor<4xf32> {
  // expected-error @+1 {{failed to legalize operation 'fxp.dequantize'}}
  %0 = fxp.dequantize %x scales dense_resource<gone> : tensor<1xf32> zps [0] axis 0 : tensor<4xi8> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
