// The constraints C1, C2, .. of linear ops and of those between encodings as
// their descriptions number them; invalid-linear.mlir and invalid-encodings.mlir
// have the others.
// RUN: qopt-opt %s -split-input-file -verify-diagnostics

func.func @transposed_clamp(%x: tensor<1x4x3xf32>, %w: tensor<2x2x3xf32>) {
  // C3: expected-error@+1 {{'qg.conv_transpose' op expects a quantized result where 'clamp' is set}}
  %y = qg.conv_transpose %x, %w strides [2] pads [0, 0] dilations [1] output_padding [0] groups 1 clamp [0, 1] : (tensor<1x4x3xf32>, tensor<2x2x3xf32>) -> tensor<1x8x2xf32>
  return
}

// -----
func.func @transposed_integers(%x: tensor<1x4x3xi8>, %w: tensor<2x2x3xi8>) {
  // C4: expected-error@+1 {{'qg.conv_transpose' op expects float or quantized tensors, got 'i8'}}
  %y = qg.conv_transpose %x, %w strides [2] pads [0, 0] dilations [1] output_padding [0] groups 1 : (tensor<1x4x3xi8>, tensor<2x2x3xi8>) -> tensor<1x8x2xi8>
  return
}

// -----
func.func @float_matrix(%x: tensor<3x8xf32>, %w: tensor<8x4xf32>) {
  // C1: expected-error@+1 {{'qg.dynamic_matmul' op expects f32 rows, a quantized matrix with static parameters and an f32 result}}
  %y = qg.dynamic_matmul %x, %w : (tensor<3x8xf32>, tensor<8x4xf32>) -> tensor<3x4xf32>
  return
}

// -----
func.func @parameters_along_k(%x: tensor<3x8xf32>, %w: tensor<8x4x!qg.q<si4, axis = 0, dense_resource<s> : tensor<8xf32>>>) {
  // C2: expected-error@+1 {{expects the parameters of rhs along its N dimension}}
  %y = qg.dynamic_matmul %x, %w : (tensor<3x8xf32>, tensor<8x4x!qg.q<si4, axis = 0, dense_resource<s> : tensor<8xf32>>>) -> tensor<3x4xf32>
  return
}

// -----
func.func @inner(%x: tensor<3x7xf32>, %w: tensor<8x4x!qg.q<si4, 0.5 : 0>>) {
  // C3: expected-error@+1 {{expects equal inner dimensions, got 7 and 8}}
  %y = qg.dynamic_matmul %x, %w : (tensor<3x7xf32>, tensor<8x4x!qg.q<si4, 0.5 : 0>>) -> tensor<3x4xf32>
  return
}

// -----
func.func @result(%x: tensor<3x8xf32>, %w: tensor<8x4x!qg.q<si4, 0.5 : 0>>) {
  // C3: expected-error@+1 {{expects a result of shape 3x4, got 4x3}}
  %y = qg.dynamic_matmul %x, %w : (tensor<3x8xf32>, tensor<8x4x!qg.q<si4, 0.5 : 0>>) -> tensor<4x3xf32>
  return
}

// -----
func.func @bias(%x: tensor<3x8xf32>, %w: tensor<8x4x!qg.q<si4, 0.5 : 0>>, %b: tensor<3xf32>) {
  // C4: expected-error@+1 {{expects an f32 bias of 4 elements, got 'tensor<3xf32>'}}
  %y = qg.dynamic_matmul %x, %w bias %b : (tensor<3x8xf32>, tensor<8x4x!qg.q<si4, 0.5 : 0>>, tensor<3xf32>) -> tensor<3x4xf32>
  return
}

// -----
func.func @quantize_groups(%x: tensor<4x3xf32>) {
  // C2: expected-error@+1 {{expects one scale per tensor or channel and no table}}
  %y = qg.quantize %x : tensor<4x3xf32> -> tensor<4x3x!qg.q<si4, axis = 1, group = 2, dense_resource<s> : tensor<6xf32>>>
  return
}

// -----
func.func @dequantize_shape(%x: tensor<4x!qg.q<ui8, 0.5 : 0>>) {
  // C3: expected-error@+1 {{'qg.dequantize' op expects a result of shape 4, got 2x2}}
  %y = qg.dequantize %x : tensor<4x!qg.q<ui8, 0.5 : 0>> -> tensor<2x2xf32>
  return
}

// -----
func.func @requantize_shape(%x: tensor<4x!qg.q<ui8, 0.5 : 0>>) {
  // C2: expected-error@+1 {{'qg.requantize' op expects a result of shape 4, got 2x2}}
  %y = qg.requantize %x : tensor<4x!qg.q<ui8, 0.5 : 0>> -> tensor<2x2x!qg.q<ui8, 0.5 : 0>>
  return
}
