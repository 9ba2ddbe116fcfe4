// What a unit can not do, one op each; fxp-to-hls-invalid.mlir reports several.
// RUN: qopt-opt %s --convert-fxp-to-hls --split-input-file -verify-diagnostics

func.func @batch(%x: tensor<2x4x4x1xi8>) -> tensor<2x2x2x1xi8> {
  // expected-error@+1 {{has no unit: expects a batch of 1, got 2}}
  %y = fxp.max_pool %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] : tensor<2x4x4x1xi8> -> tensor<2x2x2x1xi8>
  return %y : tensor<2x2x2x1xi8>
}

// -----
func.func @three_dimensions(%x: tensor<1x2x2x2x1xi8>) -> tensor<1x1x1x1x1xi8> {
  // expected-error@+1 {{has no unit: expects one or two spatial dimensions, got 3}}
  %y = fxp.max_pool %x kernel [2, 2, 2] strides [2, 2, 2] pads [0, 0, 0, 0, 0, 0] dilations [1, 1, 1] : tensor<1x2x2x2x1xi8> -> tensor<1x1x1x1x1xi8>
  return %y : tensor<1x1x1x1x1xi8>
}

// -----
func.func @computed_weights(%x: tensor<1x4x4x2xi8>, %w: tensor<3x1x1x2xi8>) -> tensor<1x4x4x3xi32> {
  %b = qg.constant dense<1> : tensor<3xi32> -> tensor<3xi32>
  // expected-error@+1 {{has no unit: expects constant weights}}
  %y = fxp.conv %x, %w, %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 x_zp 0 : (tensor<1x4x4x2xi8>, tensor<3x1x1x2xi8>, tensor<3xi32>) -> tensor<1x4x4x3xi32>
  return %y : tensor<1x4x4x3xi32>
}

// -----
func.func @computed_bias(%x: tensor<1x2xi8>, %b: tensor<3xi32>) -> tensor<1x3xi32> {
  %w = qg.constant dense<1> : tensor<2x3xi8> -> tensor<2x3xi8>
  // expected-error@+1 {{has no unit: expects a constant bias}}
  %y = fxp.matmul %x, %w, %b lhs_zp 0 rhs_zp 0 : (tensor<1x2xi8>, tensor<2x3xi8>, tensor<3xi32>) -> tensor<1x3xi32>
  return %y : tensor<1x3xi32>
}

// -----
func.func @batched_weights(%x: tensor<2x1x2xi8>) -> tensor<2x1x3xi32> {
  %w = qg.constant dense<1> : tensor<2x2x3xi8> -> tensor<2x2x3xi8>
  %b = qg.constant dense<1> : tensor<3xi32> -> tensor<3xi32>
  // expected-error@+1 {{has no unit: expects a matrix as right operand, got rank 3}}
  %y = fxp.matmul %x, %w, %b lhs_zp 0 rhs_zp 0 : (tensor<2x1x2xi8>, tensor<2x2x3xi8>, tensor<3xi32>) -> tensor<2x1x3xi32>
  return %y : tensor<2x1x3xi32>
}

// -----
func.func @negative_scale(%x: tensor<1x4xi8>) -> tensor<1x4xi8> {
  // expected-error@+1 {{has no unit: expects scales that are not negative}}
  %y = fxp.requantize %x scales dense<-0.5> : tensor<1xf32> x_zp 0 zp 0 clamp [-8, 7] mode <fixed, 17> : tensor<1x4xi8> -> tensor<1x4xi8>
  return %y : tensor<1x4xi8>
}

// -----
func.func @add_in_floats(%x: tensor<1x4xi8>) -> tensor<1x4xi8> {
  // expected-error@+1 {{has no unit: expects --requant=fixed:BITS or pow2, got f32}}
  %y = fxp.add %x, %x scales [0.5, 0.5] zps [0, 0] zp 0 clamp [-128, 127] mode <f32> : (tensor<1x4xi8>, tensor<1x4xi8>) -> tensor<1x4xi8>
  return %y : tensor<1x4xi8>
}

// -----
func.func @wide_constant(%x: tensor<1x4xi8>) -> tensor<2x4xi64> {
  %i = qg.arg_reduce max %x axis 0 : tensor<1x4xi8> -> tensor<4xi64>
  %y = qg.reshape %i : tensor<4xi64> -> tensor<1x4xi64>
  %c = qg.constant dense<1> : tensor<1x4xi64> -> tensor<1x4xi64>
  // expected-error@+1 {{has no unit: expects constants of up to 32 bits, at least one}}
  %z = qg.concat %y, %c axis 0 : (tensor<1x4xi64>, tensor<1x4xi64>) -> tensor<2x4xi64>
  return %z : tensor<2x4xi64>
}

// -----
// expected-error@+1 {{expects integer tensors as arguments}}
func.func @floats(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  return %x : tensor<1x4xf32>
}

// -----
// expected-error@+1 {{expects results that are computed from the inputs}}
func.func @constant_result(%x: tensor<1x4xi8>) -> tensor<1x4xi8> {
  %y = qg.constant dense<1> : tensor<1x4xi8> -> tensor<1x4xi8>
  return %y : tensor<1x4xi8>
}

// -----
func.func @large_coefficients(%x: tensor<2xi8>) -> tensor<1xi32> {
  // expected-error@+1 {{has no unit: expects coefficients of up to 16 bits}}
  %y = fxp.resize %x axes [0] taps [1] positions [1] coefficients [40000] x_zp 0 : tensor<2xi8> -> tensor<1xi32>
  return %y : tensor<1xi32>
}
