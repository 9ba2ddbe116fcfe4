// RUN: qopt-opt %s -split-input-file -verify-diagnostics

func.func @unary_type(%x: tensor<4xf32>) -> tensor<4xf16> {
  // expected-error@+1 {{'qg.unary' op expects equal element types, got 'f32' and 'f16'}}
  %y = qg.unary exp %x : tensor<4xf32> -> tensor<4xf16>
  return %y : tensor<4xf16>
}

// -----
func.func @unary_shape(%x: tensor<4xf32>) -> tensor<5xf32> {
  // expected-error@+1 {{expects a result of shape 4, got 5}}
  %y = qg.unary exp %x : tensor<4xf32> -> tensor<5xf32>
  return %y : tensor<5xf32>
}

// -----
func.func @predicate(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{expects an i1 result}}
  %y = qg.unary is_nan %x : tensor<4xf32> -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----
func.func @kind(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+2 {{expected ::qopt::UnaryKind to be one of}}
  // expected-error@+1 {{failed to parse QG_UnaryKindAttr}}
  %y = qg.unary gamma %x : tensor<4xf32> -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----
func.func @operands(%x: tensor<4xf32>, %i: tensor<4xi32>) -> tensor<4xf32> {
  // expected-error@+1 {{'qg.binary' op expects operands of one element type, got 'f32' and 'i32'}}
  %y = qg.binary add %x, %i : (tensor<4xf32>, tensor<4xi32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----
func.func @quantized_and_float(%x: tensor<4xf32>, %q: tensor<4x!qg.q<ui8, 0.5 : 0>>) -> tensor<4xf32> {
  // expected-error@+1 {{expects operands of one element type}}
  %y = qg.binary add %x, %q : (tensor<4xf32>, tensor<4x!qg.q<ui8, 0.5 : 0>>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----
func.func @binary_result(%x: tensor<4xf32>) -> tensor<4xf64> {
  // expected-error@+1 {{expects equal element types, got 'f32' and 'f64'}}
  %y = qg.binary add %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf64>
  return %y : tensor<4xf64>
}

// -----
func.func @binary_shape(%x: tensor<4x1xf32>, %z: tensor<3xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{expects a result of shape 4x3, got 4}}
  %y = qg.binary add %x, %z : (tensor<4x1xf32>, tensor<3xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----
func.func @binary_clamp(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{expects a quantized result where 'clamp' is set}}
  %y = qg.binary add %x, %x clamp [0, 1] : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----
func.func @compare_types(%x: tensor<4xf32>, %i: tensor<4xi32>) -> tensor<4xi1> {
  // expected-error@+1 {{'qg.compare' op expects operands of one element type}}
  %y = qg.compare lt %x, %i : (tensor<4xf32>, tensor<4xi32>) -> tensor<4xi1>
  return %y : tensor<4xi1>
}

// -----
func.func @compare_result(%x: tensor<4xf32>) -> tensor<4xi8> {
  // expected-error@+1 {{expects an i1 result}}
  %y = qg.compare lt %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----
func.func @condition(%c: tensor<4xi8>, %x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{'qg.select' op expects an i1 condition}}
  %y = qg.select %c, %x, %x : (tensor<4xi8>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----
func.func @branches(%c: tensor<4xi1>, %x: tensor<4xf32>, %i: tensor<4xi32>) -> tensor<4xf32> {
  // expected-error@+1 {{expects equal element types, got 'i32' and 'f32'}}
  %y = qg.select %c, %x, %i : (tensor<4xi1>, tensor<4xf32>, tensor<4xi32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----
func.func @select_shape(%c: tensor<4xi1>, %x: tensor<3xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{expects shapes that broadcast, got extents 4 and 3 in dimension 0}}
  %y = qg.select %c, %x, %x : (tensor<4xi1>, tensor<3xf32>, tensor<3xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----
func.func @cast_of_an_encoding(%x: tensor<4x!qg.q<ui8, 0.5 : 0>>) -> tensor<4xf32> {
  // expected-error@+1 {{'qg.cast' op expects plain element types; use qg.quantize or qg.dequantize}}
  %y = qg.cast %x : tensor<4x!qg.q<ui8, 0.5 : 0>> -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----
func.func @cast_shape(%x: tensor<4xi8>) -> tensor<2x2xf32> {
  // expected-error@+1 {{expects a result of shape 4, got 2x2}}
  %y = qg.cast %x : tensor<4xi8> -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// -----
func.func @dynamic_shape(%x: tensor<?xf32>) -> tensor<?xf32> {
  // expected-error@+1 {{operand #0 must be}}
  %y = qg.unary exp %x : tensor<?xf32> -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----
func.func @exp_of_integers(%x: tensor<4xi32>) -> tensor<4xi32> {
  // expected-error@+1 {{'qg.unary' op expects elements that 'exp' is defined on, got 'i32'}}
  %y = qg.unary exp %x : tensor<4xi32> -> tensor<4xi32>
  return %y : tensor<4xi32>
}

// -----
func.func @bit_not_of_floats(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{expects elements that 'bit_not' is defined on, got 'f32'}}
  %y = qg.unary bit_not %x : tensor<4xf32> -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----
func.func @relu_of_truth_values(%x: tensor<4xi1>) -> tensor<4xi1> {
  // expected-error@+1 {{expects elements that 'relu' is defined on, got 'i1'}}
  %y = qg.unary relu %x : tensor<4xi1> -> tensor<4xi1>
  return %y : tensor<4xi1>
}

// -----
func.func @nan_among_integers(%x: tensor<4xi8>) -> tensor<4xi1> {
  // expected-error@+1 {{expects elements that 'is_nan' is defined on, got 'i8'}}
  %y = qg.unary is_nan %x : tensor<4xi8> -> tensor<4xi1>
  return %y : tensor<4xi1>
}

// -----
// An encoding stands for real numbers: its bits are none of the op's business.
func.func @bit_not_of_an_encoding(%x: tensor<4x!qg.q<ui8, 0.5 : 0>>) -> tensor<4x!qg.q<ui8, 0.5 : 0>> {
  // expected-error@+1 {{expects elements that 'bit_not' is defined on, got '!qg.q<ui8, 5.000000e-01 : 0>'}}
  %y = qg.unary bit_not %x : tensor<4x!qg.q<ui8, 0.5 : 0>> -> tensor<4x!qg.q<ui8, 0.5 : 0>>
  return %y : tensor<4x!qg.q<ui8, 0.5 : 0>>
}

// -----
func.func @encoding_into_integers(%x: tensor<4x!qg.q<ui8, 0.5 : 0>>) -> tensor<4xi8> {
  // expected-error@+1 {{expects float or quantized tensors, got 'i8'}}
  %y = qg.unary relu %x : tensor<4x!qg.q<ui8, 0.5 : 0>> -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----
func.func @unary_of_indices(%x: tensor<4xindex>) -> tensor<4xindex> {
  // expected-error@+1 {{expects float, integer or quantized tensors, got 'index'}}
  %y = qg.unary abs %x : tensor<4xindex> -> tensor<4xindex>
  return %y : tensor<4xindex>
}

// -----
func.func @sum_of_truth_values(%x: tensor<4xi1>) -> tensor<4xi1> {
  // expected-error@+1 {{'qg.binary' op expects elements that 'add' is defined on, got 'i1'}}
  %y = qg.binary add %x, %x : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  return %y : tensor<4xi1>
}

// -----
func.func @shift_of_floats(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{expects elements that 'shift_left' is defined on, got 'f32'}}
  %y = qg.binary shift_left %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----
func.func @sum_of_encodings_into_integers(%x: tensor<4x!qg.q<ui8, 0.5 : 0>>) -> tensor<4xi32> {
  // expected-error@+1 {{expects float or quantized tensors, got 'i32'}}
  %y = qg.binary add %x, %x : (tensor<4x!qg.q<ui8, 0.5 : 0>>, tensor<4x!qg.q<ui8, 0.5 : 0>>) -> tensor<4xi32>
  return %y : tensor<4xi32>
}

// -----
func.func @bits_of_another_width(%x: tensor<4xf32>) -> tensor<4xi64> {
  // C1: expected-error@+1 {{'qg.bitcast' op expects floats or integers of one width of 8 to 64 bits, got 'tensor<4xf32>' and 'tensor<4xi64>'}}
  %y = qg.bitcast %x : tensor<4xf32> -> tensor<4xi64>
  return %y : tensor<4xi64>
}

// -----
func.func @bits_of_another_shape(%x: tensor<4xf32>) -> tensor<2xi32> {
  // C2: expected-error@+1 {{'qg.bitcast' op expects a result of shape 4, got 2}}
  %y = qg.bitcast %x : tensor<4xf32> -> tensor<2xi32>
  return %y : tensor<2xi32>
}
