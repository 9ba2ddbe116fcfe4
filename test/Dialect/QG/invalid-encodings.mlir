// RUN: qopt-opt %s -split-input-file -verify-diagnostics

func.func @quantize_integers(%x: tensor<4xi32>) -> tensor<4x!qg.q<ui8, 0.5 : 0>> {
  // C1: expected-error@+1 {{'qg.quantize' op expects a float tensor, got 'tensor<4xi32>'}}
  %y = qg.quantize %x : tensor<4xi32> -> tensor<4x!qg.q<ui8, 0.5 : 0>>
  return %y : tensor<4x!qg.q<ui8, 0.5 : 0>>
}

// -----
func.func @quantize_to_integers(%x: tensor<4xf32>) -> tensor<4xi8> {
  // C2: expected-error@+1 {{expects a quantized tensor, got 'tensor<4xi8>'}}
  %y = qg.quantize %x : tensor<4xf32> -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----
func.func @quantize_shape(%x: tensor<4xf32>) -> tensor<2x2x!qg.q<ui8, 0.5 : 0>> {
  // C3: expected-error@+1 {{expects a result of shape 4, got 2x2}}
  %y = qg.quantize %x : tensor<4xf32> -> tensor<2x2x!qg.q<ui8, 0.5 : 0>>
  return %y : tensor<2x2x!qg.q<ui8, 0.5 : 0>>
}

// -----
func.func @dequantize_to_integers(%x: tensor<4x!qg.q<ui8, 0.5 : 0>>) -> tensor<4xi8> {
  // C1: expected-error@+1 {{'qg.dequantize' op expects a float tensor, got 'tensor<4xi8>'}}
  %y = qg.dequantize %x : tensor<4x!qg.q<ui8, 0.5 : 0>> -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----
func.func @dequantize_floats(%x: tensor<4xf32>) -> tensor<4xf32> {
  // C2: expected-error@+1 {{expects a quantized tensor, got 'tensor<4xf32>'}}
  %y = qg.dequantize %x : tensor<4xf32> -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----
func.func @scales_of_another_extent(%x: tensor<4x3xf32>) -> tensor<4x3x!qg.q<si8, axis = 1, dense_resource<s> : tensor<2xf32>>> {
  // C2: expected-error@+1 {{expects one scale per element of dimension 1, got 2}}
  %y = qg.quantize %x : tensor<4x3xf32> -> tensor<4x3x!qg.q<si8, axis = 1, dense_resource<s> : tensor<2xf32>>>
  return %y : tensor<4x3x!qg.q<si8, axis = 1, dense_resource<s> : tensor<2xf32>>>
}
{-# dialect_resources: { builtin: { s: "0x040000000000803F0000003F" } } #-}

// -----
func.func @axis_behind_the_last(%x: tensor<2xf32>) -> tensor<2x!qg.q<si8, axis = 1, dense_resource<s> : tensor<2xf32>>> {
  // C2: expected-error@+1 {{expects one scale per element of dimension 1, got 2}}
  %y = qg.quantize %x : tensor<2xf32> -> tensor<2x!qg.q<si8, axis = 1, dense_resource<s> : tensor<2xf32>>>
  return %y : tensor<2x!qg.q<si8, axis = 1, dense_resource<s> : tensor<2xf32>>>
}
{-# dialect_resources: { builtin: { s: "0x040000000000803F0000003F" } } #-}

// -----
func.func @requantize_floats(%x: tensor<4xf32>) -> tensor<4x!qg.q<ui8, 0.5 : 0>> {
  // C1: expected-error@+1 {{'qg.requantize' op expects a quantized tensor, got 'tensor<4xf32>'}}
  %y = qg.requantize %x : tensor<4xf32> -> tensor<4x!qg.q<ui8, 0.5 : 0>>
  return %y : tensor<4x!qg.q<ui8, 0.5 : 0>>
}

// -----
func.func @observe(%x: tensor<4xf32>) -> tensor<4xf16> {
  // expected-error@+1 {{'qg.observe' op expects equal types}}
  %y = qg.observe "x" %x : tensor<4xf32> -> tensor<4xf16>
  return %y : tensor<4xf16>
}

// -----
// expected-error@+1 {{expects a positive, normal scale, got -5.000000e-01}}
func.func @negative_scale(%x: tensor<4x!qg.q<ui8, -0.5 : 0>>) { return }

// -----
// expected-error@+1 {{expects a positive, normal scale}}
func.func @subnormal_scale(%x: tensor<4x!qg.q<ui8, 1.0e-40 : 0>>) { return }

// -----
// expected-error@+1 {{expects a positive, normal scale, got INF}}
func.func @infinite_scale(%x: tensor<4x!qg.q<ui8, 0x7F800000 : 0>>) { return }

// -----
// expected-error@+1 {{expects a zero point in [-128, 127], got 128}}
func.func @signed_zero_point(%x: tensor<4x!qg.q<si8, 0.5 : 128>>) { return }

// -----
// expected-error@+1 {{expects a zero point in [-8, 7], got 8}}
func.func @four_bit_zero_point(%x: tensor<4x!qg.q<si4, 0.5 : 8>>) { return }

// -----
// expected-error@+1 {{expects a 1-D f32 resource of scales}}
func.func @double_scales(%x: tensor<2x!qg.q<si8, axis = 0, dense_resource<s> : tensor<2xf64>>>) { return }

// -----
// expected-error@+1 {{expects one i32 zero point per scale}}
func.func @too_few_zero_points(%x: tensor<2x!qg.q<si8, axis = 0, dense_resource<s> : tensor<2xf32>, dense_resource<z> : tensor<1xi32>>>) { return }
