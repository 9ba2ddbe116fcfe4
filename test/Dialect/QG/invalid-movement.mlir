// RUN: qopt-opt %s -split-input-file -verify-diagnostics

func.func @constant_type() -> tensor<2x!qg.q<ui8, 0.5 : 0>> {
  // expected-error@+1 {{'qg.constant' op expects a value of type 'tensor<2xi8>', got 'tensor<2xf32>'}}
  %y = qg.constant dense<1.0> : tensor<2xf32> -> tensor<2x!qg.q<ui8, 0.5 : 0>>
  return %y : tensor<2x!qg.q<ui8, 0.5 : 0>>
}

// -----
func.func @constant_shape() -> tensor<3xf32> {
  // expected-error@+1 {{expects a value of type 'tensor<3xf32>', got 'tensor<2xf32>'}}
  %y = qg.constant dense<1.0> : tensor<2xf32> -> tensor<3xf32>
  return %y : tensor<3xf32>
}

// -----
func.func @reshape_elements(%x: tensor<2x3xf32>) -> tensor<5xf32> {
  // expected-error@+1 {{'qg.reshape' op expects as many elements, got 2x3 and 5}}
  %y = qg.reshape %x : tensor<2x3xf32> -> tensor<5xf32>
  return %y : tensor<5xf32>
}

// -----
func.func @reshape_encoding(%x: tensor<2x!qg.q<ui8, 0.5 : 0>>) -> tensor<1x2x!qg.q<ui8, 0.5 : 1>> {
  // expected-error@+1 {{expects equal element types}}
  %y = qg.reshape %x : tensor<2x!qg.q<ui8, 0.5 : 0>> -> tensor<1x2x!qg.q<ui8, 0.5 : 1>>
  return %y : tensor<1x2x!qg.q<ui8, 0.5 : 1>>
}

// -----
func.func @permutation_length(%x: tensor<2x3xf32>) -> tensor<3x2xf32> {
  // expected-error@+1 {{'qg.transpose' op expects a permutation of 2 dimensions, got 3}}
  %y = qg.transpose %x perm [1, 0, 2] : tensor<2x3xf32> -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----
func.func @permutation(%x: tensor<2x3xf32>) -> tensor<3x3xf32> {
  // expected-error@+1 {{expects a permutation, got 1 out of place}}
  %y = qg.transpose %x perm [1, 1] : tensor<2x3xf32> -> tensor<3x3xf32>
  return %y : tensor<3x3xf32>
}

// -----
// Axis 0 of two scales goes to dimension 1.
func.func @axis_stays(%x: tensor<2x3x!qg.q<si8, axis = 0, dense_resource<s> : tensor<2xf32>>>) -> tensor<3x2x!qg.q<si8, axis = 0, dense_resource<s> : tensor<2xf32>>> {
  // expected-error@+1 {{expects the encoding to follow its axis to 1}}
  %y = qg.transpose %x perm [1, 0] : tensor<2x3x!qg.q<si8, axis = 0, dense_resource<s> : tensor<2xf32>>> -> tensor<3x2x!qg.q<si8, axis = 0, dense_resource<s> : tensor<2xf32>>>
  return %y : tensor<3x2x!qg.q<si8, axis = 0, dense_resource<s> : tensor<2xf32>>>
}
{-# dialect_resources: { builtin: { s: "0x040000000000803F0000003F" } } #-}

// -----
func.func @broadcast(%x: tensor<2x3xf32>) -> tensor<4x3xf32> {
  // expected-error@+1 {{'qg.broadcast' op expects shapes that broadcast, got extents 2 and 4 in dimension 0}}
  %y = qg.broadcast %x : tensor<2x3xf32> -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}

// -----
// The result is not x's larger shape.
func.func @shrinking_broadcast(%x: tensor<2x3xf32>) -> tensor<1x3xf32> {
  // expected-error@+1 {{expects a result of shape 2x3, got 1x3}}
  %y = qg.broadcast %x : tensor<2x3xf32> -> tensor<1x3xf32>
  return %y : tensor<1x3xf32>
}

// -----
func.func @slice_lists(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // expected-error@+1 {{'qg.slice' op expects 2 offsets, strides and result dimensions}}
  %y = qg.slice %x offsets [0] strides [1, 1] : tensor<2x3xf32> -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// -----
func.func @slice_behind_the_end(%x: tensor<5xf32>) -> tensor<3xf32> {
  // expected-error@+1 {{expects elements inside dimension 0 of extent 5, got 1 to 5}}
  %y = qg.slice %x offsets [1] strides [2] : tensor<5xf32> -> tensor<3xf32>
  return %y : tensor<3xf32>
}

// -----
func.func @slice_before_the_start(%x: tensor<5xf32>) -> tensor<3xf32> {
  // expected-error@+1 {{got 1 to -1}}
  %y = qg.slice %x offsets [1] strides [-1] : tensor<5xf32> -> tensor<3xf32>
  return %y : tensor<3xf32>
}

// -----
func.func @slice_stride(%x: tensor<5xf32>) -> tensor<3xf32> {
  // expected-error@+1 {{expects elements inside dimension 0 of extent 5, got 1 to 1}}
  %y = qg.slice %x offsets [1] strides [0] : tensor<5xf32> -> tensor<3xf32>
  return %y : tensor<3xf32>
}

// -----
func.func @concat_types(%x: tensor<2xf32>, %i: tensor<2xi32>) -> tensor<4xf32> {
  // expected-error@+1 {{'qg.concat' op expects operands of element type 'f32', got 'i32'}}
  %y = qg.concat %x, %i axis 0 : (tensor<2xf32>, tensor<2xi32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----
func.func @concat_axis(%x: tensor<2xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{expects an axis in [0, 1), got 1}}
  %y = qg.concat %x, %x axis 1 : (tensor<2xf32>, tensor<2xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----
func.func @concat_ranks(%x: tensor<2xf32>, %z: tensor<1x2xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{expects operands of one rank, got 1 and 2}}
  %y = qg.concat %x, %z axis 0 : (tensor<2xf32>, tensor<1x2xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----
func.func @concat_extents(%x: tensor<2x3xf32>, %z: tensor<2x4xf32>) -> tensor<4x3xf32> {
  // expected-error@+1 {{expects equal extents in dimension 1, got 3 and 4}}
  %y = qg.concat %x, %z axis 0 : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}

// -----
func.func @concat_of_nothing() -> tensor<0xf32> {
  // expected-error@+1 {{expects at least one operand}}
  %y = qg.concat axis 0 : () -> tensor<0xf32>
  return %y : tensor<0xf32>
}

// -----
func.func @pad_amounts(%x: tensor<2x3xf32>) -> tensor<3x3xf32> {
  // expected-error@+1 {{'qg.pad' op expects 2 amounts on each side}}
  %y = qg.pad constant %x low [1] high [0, 0] : (tensor<2x3xf32>) -> tensor<3x3xf32>
  return %y : tensor<3x3xf32>
}

// -----
func.func @pad_value_type(%x: tensor<2xf32>, %v: tensor<i32>) -> tensor<3xf32> {
  // expected-error@+1 {{expects a scalar value of x's element type}}
  %y = qg.pad constant %x value %v low [1] high [0] : (tensor<2xf32>, tensor<i32>) -> tensor<3xf32>
  return %y : tensor<3xf32>
}

// -----
func.func @pad_value_shape(%x: tensor<2xf32>, %v: tensor<2xf32>) -> tensor<3xf32> {
  // expected-error@+1 {{expects a scalar value of x's element type}}
  %y = qg.pad constant %x value %v low [1] high [0] : (tensor<2xf32>, tensor<2xf32>) -> tensor<3xf32>
  return %y : tensor<3xf32>
}

// -----
func.func @crop_too_much(%x: tensor<2xf32>) -> tensor<0xf32> {
  // expected-error@+1 {{expects a result of no negative extent, got -1 in dimension 0}}
  %y = qg.pad constant %x low [-3] high [0] : (tensor<2xf32>) -> tensor<0xf32>
  return %y : tensor<0xf32>
}

// -----
func.func @gather_indices(%x: tensor<5xf32>, %i: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error@+1 {{'qg.gather' op expects integer indices}}
  %y = qg.gather %x, %i axis 0 : (tensor<5xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// -----
func.func @gather_axis(%x: tensor<5xf32>, %i: tensor<2xi64>) -> tensor<2xf32> {
  // expected-error@+1 {{expects an axis in [0, 1), got 1}}
  %y = qg.gather %x, %i axis 1 : (tensor<5xf32>, tensor<2xi64>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// -----
func.func @gather_shape(%x: tensor<5x3xf32>, %i: tensor<2xi64>) -> tensor<3x2xf32> {
  // expected-error@+1 {{expects a result of shape 2x3, got 3x2}}
  %y = qg.gather %x, %i axis 0 : (tensor<5x3xf32>, tensor<2xi64>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----
// Blocks follow the order of the other dimensions, which would change.
func.func @transposed_groups(%x: tensor<1x2x2x!qg.q<si8, axis = 0, group = 2, dense_resource<s> : tensor<2xf32>>>) -> tensor<1x2x2x!qg.q<si8, axis = 0, group = 2, dense_resource<s> : tensor<2xf32>>> {
  // expected-error@+1 {{expects groups in matrices only, as they follow the order of dimensions, got}}
  %y = qg.transpose %x perm [0, 2, 1] : tensor<1x2x2x!qg.q<si8, axis = 0, group = 2, dense_resource<s> : tensor<2xf32>>> -> tensor<1x2x2x!qg.q<si8, axis = 0, group = 2, dense_resource<s> : tensor<2xf32>>>
  return %y : tensor<1x2x2x!qg.q<si8, axis = 0, group = 2, dense_resource<s> : tensor<2xf32>>>
}
{-# dialect_resources: { builtin: { s: "0x040000000000803F0000003F" } } #-}
