// RUN: qopt-opt %s -split-input-file -verify-diagnostics

func.func @conv_rank_of_weight(%x: tensor<1x8x8x3xf32>, %w: tensor<16x3xf32>) -> tensor<1x8x8x16xf32> {
  // C1: expected-error@+1 {{'qg.conv' op expects a weight of rank >= 3}}
  %y = qg.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1
     : (tensor<1x8x8x3xf32>, tensor<16x3xf32>) -> tensor<1x8x8x16xf32>
  return %y : tensor<1x8x8x16xf32>
}

// -----
func.func @conv_other_rank(%x: tensor<1x8x8x3xf32>, %w: tensor<16x3x3xf32>) -> tensor<1x8x8x16xf32> {
  // C1: expected-error@+1 {{expects a weight of x's rank 4, got 3}}
  %y = qg.conv %x, %w strides [1] pads [0, 0] dilations [1] groups 1
     : (tensor<1x8x8x3xf32>, tensor<16x3x3xf32>) -> tensor<1x8x8x16xf32>
  return %y : tensor<1x8x8x16xf32>
}

// -----
func.func @conv_strides(%x: tensor<1x8x8x3xf32>, %w: tensor<16x3x3x3xf32>) -> tensor<1x6x6x16xf32> {
  // C2: expected-error@+1 {{expects 2 strides, got 1}}
  %y = qg.conv %x, %w strides [1] pads [0, 0, 0, 0] dilations [1, 1] groups 1
     : (tensor<1x8x8x3xf32>, tensor<16x3x3x3xf32>) -> tensor<1x6x6x16xf32>
  return %y : tensor<1x6x6x16xf32>
}

// -----
func.func @conv_pads(%x: tensor<1x8x8x3xf32>, %w: tensor<16x3x3x3xf32>) -> tensor<1x6x6x16xf32> {
  // C2: expected-error@+1 {{expects 4 pads, got 2}}
  %y = qg.conv %x, %w strides [1, 1] pads [0, 0] dilations [1, 1] groups 1
     : (tensor<1x8x8x3xf32>, tensor<16x3x3x3xf32>) -> tensor<1x6x6x16xf32>
  return %y : tensor<1x6x6x16xf32>
}

// -----
func.func @conv_dilations(%x: tensor<1x8x8x3xf32>, %w: tensor<16x3x3x3xf32>) -> tensor<1x6x6x16xf32> {
  // C2: expected-error@+1 {{expects 2 dilations, got 3}}
  %y = qg.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1, 1] groups 1
     : (tensor<1x8x8x3xf32>, tensor<16x3x3x3xf32>) -> tensor<1x6x6x16xf32>
  return %y : tensor<1x6x6x16xf32>
}

// -----
func.func @conv_zero_stride(%x: tensor<1x8x8x3xf32>, %w: tensor<16x3x3x3xf32>) -> tensor<1x6x6x16xf32> {
  // C2: expected-error@+1 {{expects positive kernel extents, strides and dilations}}
  %y = qg.conv %x, %w strides [0, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1
     : (tensor<1x8x8x3xf32>, tensor<16x3x3x3xf32>) -> tensor<1x6x6x16xf32>
  return %y : tensor<1x6x6x16xf32>
}

// -----
func.func @conv_window(%x: tensor<1x2x8x3xf32>, %w: tensor<16x3x3x3xf32>) -> tensor<1x1x6x16xf32> {
  // C2: expected-error@+1 {{expects a window no larger than the padded input, got 3 over 2 in spatial dimension 0}}
  %y = qg.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1
     : (tensor<1x2x8x3xf32>, tensor<16x3x3x3xf32>) -> tensor<1x1x6x16xf32>
  return %y : tensor<1x1x6x16xf32>
}

// -----
func.func @conv_channels_per_group(%x: tensor<1x8x8x4xf32>, %w: tensor<16x3x3x4xf32>) -> tensor<1x6x6x16xf32> {
  // C3: expected-error@+1 {{expects a weight of 2 input channels per group, got 4}}
  %y = qg.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 2
     : (tensor<1x8x8x4xf32>, tensor<16x3x3x4xf32>) -> tensor<1x6x6x16xf32>
  return %y : tensor<1x6x6x16xf32>
}

// -----
func.func @conv_bias(%x: tensor<1x8x8x3xf32>, %w: tensor<16x3x3x3xf32>, %b: tensor<3xf32>) -> tensor<1x6x6x16xf32> {
  // C1: expected-error@+1 {{expects a bias of shape 16, got 3}}
  %y = qg.conv %x, %w bias %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1
     : (tensor<1x8x8x3xf32>, tensor<16x3x3x3xf32>, tensor<3xf32>) -> tensor<1x6x6x16xf32>
  return %y : tensor<1x6x6x16xf32>
}

// -----
func.func @conv_of_integers(%x: tensor<1x8x8x3xi8>, %w: tensor<16x3x3x3xi8>) -> tensor<1x6x6x16xi8> {
  // C5: expected-error@+1 {{expects float or quantized tensors, got 'i8'}}
  %y = qg.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1
     : (tensor<1x8x8x3xi8>, tensor<16x3x3x3xi8>) -> tensor<1x6x6x16xi8>
  return %y : tensor<1x6x6x16xi8>
}

// -----
func.func @clamp_of_floats(%x: tensor<1x8x8x3xf32>, %w: tensor<16x3x3x3xf32>) -> tensor<1x6x6x16xf32> {
  // C4: expected-error@+1 {{expects a quantized result where 'clamp' is set}}
  %y = qg.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 clamp [0, 255]
     : (tensor<1x8x8x3xf32>, tensor<16x3x3x3xf32>) -> tensor<1x6x6x16xf32>
  return %y : tensor<1x6x6x16xf32>
}

// -----
func.func @clamp_outside(%x: tensor<1x2xf32>, %w: tensor<2x2xf32>) -> tensor<1x2x!qg.q<si8, 0.5 : 0>> {
  // C4: expected-error@+1 {{expects 'clamp' = [low, high] inside [-128, 127]}}
  %y = qg.matmul %x, %w clamp [0, 255] : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2x!qg.q<si8, 0.5 : 0>>
  return %y : tensor<1x2x!qg.q<si8, 0.5 : 0>>
}

// -----
func.func @clamp_reversed(%x: tensor<1x2xf32>, %w: tensor<2x2xf32>) -> tensor<1x2x!qg.q<ui8, 0.5 : 0>> {
  // C4: expected-error@+1 {{expects 'clamp' = [low, high] inside [0, 255]}}
  %y = qg.matmul %x, %w clamp [9, 3] : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2x!qg.q<ui8, 0.5 : 0>>
  return %y : tensor<1x2x!qg.q<ui8, 0.5 : 0>>
}

// -----
func.func @transposed_rank(%x: tensor<1x4x3xf32>, %w: tensor<2x2x2x3xf32>) -> tensor<1x8x2xf32> {
  // C1: expected-error@+1 {{'qg.conv_transpose' op expects x and weight of one rank >= 3}}
  %y = qg.conv_transpose %x, %w strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] output_padding [0, 0] groups 1
     : (tensor<1x4x3xf32>, tensor<2x2x2x3xf32>) -> tensor<1x8x2xf32>
  return %y : tensor<1x8x2xf32>
}

// -----
func.func @transposed_result(%x: tensor<1x4x3xf32>, %w: tensor<2x2x3xf32>) -> tensor<1x7x2xf32> {
  // expected-error@+1 {{expects a result of shape 1x8x2, got 1x7x2}}
  %y = qg.conv_transpose %x, %w strides [2] pads [0, 0] dilations [1] output_padding [0] groups 1
     : (tensor<1x4x3xf32>, tensor<2x2x3xf32>) -> tensor<1x7x2xf32>
  return %y : tensor<1x7x2xf32>
}

// -----
func.func @transposed_output_padding(%x: tensor<1x4x3xf32>, %w: tensor<2x2x3xf32>) -> tensor<1x8x2xf32> {
  // C2: expected-error@+1 {{expects 1 output paddings, got 2}}
  %y = qg.conv_transpose %x, %w strides [2] pads [0, 0] dilations [1] output_padding [0, 0] groups 1
     : (tensor<1x4x3xf32>, tensor<2x2x3xf32>) -> tensor<1x8x2xf32>
  return %y : tensor<1x8x2xf32>
}

// -----
func.func @transposed_channels(%x: tensor<1x4x3xf32>, %w: tensor<2x2x4xf32>) -> tensor<1x8x2xf32> {
  // C1: expected-error@+1 {{expects a weight [O, k..., C/groups] for groups = 1 and 3 channels}}
  %y = qg.conv_transpose %x, %w strides [2] pads [0, 0] dilations [1] output_padding [0] groups 1
     : (tensor<1x4x3xf32>, tensor<2x2x4xf32>) -> tensor<1x8x2xf32>
  return %y : tensor<1x8x2xf32>
}

// -----
func.func @transposed_to_nothing(%x: tensor<1x1x3xf32>, %w: tensor<2x1x3xf32>) -> tensor<1x1x2xf32> {
  // C2: expected-error@+1 {{expects a non-empty result, got extent -1}}
  %y = qg.conv_transpose %x, %w strides [1] pads [1, 1] dilations [1] output_padding [0] groups 1
     : (tensor<1x1x3xf32>, tensor<2x1x3xf32>) -> tensor<1x1x2xf32>
  return %y : tensor<1x1x2xf32>
}

// -----
func.func @matmul_of_vectors(%x: tensor<2xf32>, %w: tensor<2x2xf32>) -> tensor<2xf32> {
  // C1: expected-error@+1 {{'qg.matmul' op expects operands of rank >= 2, got 1 and 2}}
  %y = qg.matmul %x, %w : (tensor<2xf32>, tensor<2x2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// -----
func.func @matmul_inner(%x: tensor<4x3xf32>, %w: tensor<2x4xf32>) -> tensor<4x4xf32> {
  // C2: expected-error@+1 {{expects equal inner dimensions, got 3 and 2}}
  %y = qg.matmul %x, %w : (tensor<4x3xf32>, tensor<2x4xf32>) -> tensor<4x4xf32>
  return %y : tensor<4x4xf32>
}

// -----
func.func @matmul_transposed_inner(%x: tensor<4x3xf32>, %w: tensor<3x4xf32>) -> tensor<4x3xf32> {
  // C2: expected-error@+1 {{expects equal inner dimensions, got 3 and 4}}
  %y = qg.matmul %x, %w transpose_rhs : (tensor<4x3xf32>, tensor<3x4xf32>) -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}

// -----
func.func @matmul_batches(%x: tensor<5x4x3xf32>, %w: tensor<1x3x4xf32>) -> tensor<5x4x4xf32> {
  // C1: expected-error@+1 {{expects rhs of rank 2 or with the batch dimensions of lhs}}
  %y = qg.matmul %x, %w : (tensor<5x4x3xf32>, tensor<1x3x4xf32>) -> tensor<5x4x4xf32>
  return %y : tensor<5x4x4xf32>
}

// -----
func.func @matmul_bias(%x: tensor<4x3xf32>, %w: tensor<3x2xf32>, %b: tensor<1x2xf32>) -> tensor<4x2xf32> {
  // C3: expected-error@+1 {{expects a bias of shape 2, got 1x2}}
  %y = qg.matmul %x, %w bias %b : (tensor<4x3xf32>, tensor<3x2xf32>, tensor<1x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// -----
func.func @pool_rank(%x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  // expected-error@+1 {{'qg.pool' op expects x of rank >= 3 ([N, spatial..., C]), got rank 2}}
  %y = qg.pool max %x kernel [1] strides [1] pads [0, 0] dilations [1] : tensor<8x8xf32> -> tensor<8x8xf32>
  return %y : tensor<8x8xf32>
}

// -----
func.func @pool_kernel(%x: tensor<1x8x8x1xf32>) -> tensor<1x8x8x1xf32> {
  // expected-error@+1 {{expects 2 kernel extents, got 1}}
  %y = qg.pool avg %x kernel [1] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x8x8x1xf32> -> tensor<1x8x8x1xf32>
  return %y : tensor<1x8x8x1xf32>
}

// -----
func.func @pool_encodings(%x: tensor<1x8x1x!qg.q<ui8, 0.5 : 0>>) -> tensor<1x4x1x!qg.q<ui8, 0.25 : 0>> {
  // expected-error@+1 {{expects equal element types}}
  %y = qg.pool max %x kernel [2] strides [2] pads [0, 0] dilations [1] : tensor<1x8x1x!qg.q<ui8, 0.5 : 0>> -> tensor<1x4x1x!qg.q<ui8, 0.25 : 0>>
  return %y : tensor<1x4x1x!qg.q<ui8, 0.25 : 0>>
}

// -----
func.func @reduce_axis(%x: tensor<4x3xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{'qg.reduce' op expects distinct axes in [0, 2), got 2}}
  %y = qg.reduce sum %x axes [2] : tensor<4x3xf32> -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----
func.func @reduce_twice(%x: tensor<4x3xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{expects distinct axes in [0, 2), got 1}}
  %y = qg.reduce sum %x axes [1, 1] : tensor<4x3xf32> -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----
func.func @reduce_keeps_nothing(%x: tensor<4x3xf32>) -> tensor<4x1xf32> {
  // expected-error@+1 {{expects a result of shape 4, got 4x1}}
  %y = qg.reduce sum %x axes [1] : tensor<4x3xf32> -> tensor<4x1xf32>
  return %y : tensor<4x1xf32>
}

// -----
func.func @arg_of_sum(%x: tensor<4x3xf32>) -> tensor<4xi64> {
  // expected-error@+1 {{'qg.arg_reduce' op expects kind max or min}}
  %y = qg.arg_reduce sum %x axis 1 : tensor<4x3xf32> -> tensor<4xi64>
  return %y : tensor<4xi64>
}

// -----
func.func @arg_type(%x: tensor<4x3xf32>) -> tensor<4xi32> {
  // expected-error@+1 {{expects an i64 result}}
  %y = qg.arg_reduce max %x axis 1 : tensor<4x3xf32> -> tensor<4xi32>
  return %y : tensor<4xi32>
}

// -----
func.func @softmax_of_a_scalar(%x: tensor<f32>) -> tensor<f32> {
  // expected-error@+1 {{'qg.softmax' op expects x of rank >= 1}}
  %y = qg.softmax %x : tensor<f32> -> tensor<f32>
  return %y : tensor<f32>
}

// -----
func.func @softmax_of_integers(%x: tensor<4xi32>) -> tensor<4xi32> {
  // expected-error@+1 {{expects float or quantized tensors, got 'i32'}}
  %y = qg.softmax %x : tensor<4xi32> -> tensor<4xi32>
  return %y : tensor<4xi32>
}

// -----
func.func @matmul_of_integers(%x: tensor<2x3xi8>, %w: tensor<3x4xi8>) -> tensor<2x4xi32> {
  // C5: expected-error@+1 {{'qg.matmul' op expects float or quantized tensors, got 'i8'}}
  %y = qg.matmul %x, %w : (tensor<2x3xi8>, tensor<3x4xi8>) -> tensor<2x4xi32>
  return %y : tensor<2x4xi32>
}

// -----
func.func @bias_of_integers(%x: tensor<2x3xf32>, %w: tensor<3x4xf32>, %b: tensor<4xi32>) -> tensor<2x4xf32> {
  // C5: expected-error@+1 {{expects float or quantized tensors, got 'i32'}}
  %y = qg.matmul %x, %w bias %b : (tensor<2x3xf32>, tensor<3x4xf32>, tensor<4xi32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----
func.func @average_of_integers(%x: tensor<1x4x4x2xi8>) -> tensor<1x2x2x2xi8> {
  // expected-error@+1 {{'qg.pool' op expects float or quantized tensors, got 'i8'}}
  %y = qg.pool avg %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1]
     : tensor<1x4x4x2xi8> -> tensor<1x2x2x2xi8>
  return %y : tensor<1x2x2x2xi8>
}

// -----
func.func @maximum_of_wide_integers(%x: tensor<1x4x4x2xui32>) -> tensor<1x2x2x2xui32> {
  // expected-error@+1 {{expects integers that fit i32, got 'ui32'}}
  %y = qg.pool max %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1]
     : tensor<1x4x4x2xui32> -> tensor<1x2x2x2xui32>
  return %y : tensor<1x2x2x2xui32>
}

// -----
func.func @sum_of_integers_into_floats(%x: tensor<4x2xi32>) -> tensor<2xf32> {
  // expected-error@+1 {{'qg.reduce' op expects equal element types, got 'i32' and 'f32'}}
  %y = qg.reduce sum %x axes [0] : tensor<4x2xi32> -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// -----
func.func @sum_of_floats_into_integers(%x: tensor<4x2xf32>) -> tensor<2xi32> {
  // expected-error@+1 {{expects float or quantized tensors, got 'i32'}}
  %y = qg.reduce sum %x axes [0] : tensor<4x2xf32> -> tensor<2xi32>
  return %y : tensor<2xi32>
}
