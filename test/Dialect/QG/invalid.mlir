// RUN: qopt-opt %s -split-input-file -verify-diagnostics

func.func @shape(%x: tensor<1x8x8x3xf32>, %w: tensor<16x3x3x3xf32>) -> tensor<1x8x8x16xf32> {
  // expected-error@+1 {{'qg.conv' op expects a result of shape 1x6x6x16, got 1x8x8x16}}
  %y = qg.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1
     : (tensor<1x8x8x3xf32>, tensor<16x3x3x3xf32>) -> tensor<1x8x8x16xf32>
  return %y : tensor<1x8x8x16xf32>
}

// -----

func.func @groups(%x: tensor<1x8x8x3xf32>, %w: tensor<16x3x3x3xf32>) -> tensor<1x6x6x16xf32> {
  // expected-error@+1 {{expects channels that are multiples of groups = 2, got 3 in and 16 out}}
  %y = qg.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 2
     : (tensor<1x8x8x3xf32>, tensor<16x3x3x3xf32>) -> tensor<1x6x6x16xf32>
  return %y : tensor<1x6x6x16xf32>
}

// -----

// expected-error@+1 {{expects a positive, normal scale, got 0}}
func.func @scale(%x: tensor<4x!qg.q<ui8, 0.0 : 0>>) { return }

// -----

// expected-error@+1 {{expects a zero point in [0, 255], got 300}}
func.func @zero_point(%x: tensor<4x!qg.q<ui8, 0.5 : 300>>) { return }

// -----

// expected-error@+1 {{expects a format of Formats.def, got 'ui17'}}
func.func @format(%x: tensor<4x!qg.q<ui17, 0.5 : 3>>) { return }

// -----

func.func @broadcast(%a: tensor<2x3xf32>, %b: tensor<4xf32>) -> tensor<2x4xf32> {
  // expected-error@+1 {{expects shapes that broadcast, got extents 3 and 4 in dimension 1}}
  %y = qg.binary add %a, %b : (tensor<2x3xf32>, tensor<4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}
