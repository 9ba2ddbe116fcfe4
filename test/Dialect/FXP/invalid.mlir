// RUN: qopt-opt %s -split-input-file -verify-diagnostics

func.func @conv_operands(%x: tensor<1x4x4x2xi32>, %w: tensor<3x1x1x2xi8>, %b: tensor<3xi32>) -> tensor<1x4x4x3xi32> {
  // C1: expected-error@+1 {{'fxp.conv' op expects i8 or i16 operands, got 'tensor<1x4x4x2xi32>'}}
  %0 = fxp.conv %x, %w, %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 x_zp 0 : (tensor<1x4x4x2xi32>, tensor<3x1x1x2xi8>, tensor<3xi32>) -> tensor<1x4x4x3xi32>
  return %0 : tensor<1x4x4x3xi32>
}

// -----
func.func @conv_result(%x: tensor<1x4x4x2xi8>, %w: tensor<3x1x1x2xi8>, %b: tensor<3xi32>) -> tensor<1x4x4x3xi8> {
  // C4: expected-error@+1 {{expects a result of type 'tensor<1x4x4x3xi32>', got 'tensor<1x4x4x3xi8>'}}
  %0 = fxp.conv %x, %w, %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 x_zp 0 : (tensor<1x4x4x2xi8>, tensor<3x1x1x2xi8>, tensor<3xi32>) -> tensor<1x4x4x3xi8>
  return %0 : tensor<1x4x4x3xi8>
}

// -----
func.func @conv_bias(%x: tensor<1x4x4x2xi8>, %w: tensor<3x1x1x2xi8>, %b: tensor<3xi16>) -> tensor<1x4x4x3xi32> {
  // C5: expected-error@+1 {{expects a bias of type 'tensor<3xi32>', got 'tensor<3xi16>'}}
  %0 = fxp.conv %x, %w, %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 x_zp 0 : (tensor<1x4x4x2xi8>, tensor<3x1x1x2xi8>, tensor<3xi16>) -> tensor<1x4x4x3xi32>
  return %0 : tensor<1x4x4x3xi32>
}

// -----
func.func @conv_groups(%x: tensor<1x4x4x3xi8>, %w: tensor<4x1x1x1xi8>, %b: tensor<4xi32>) -> tensor<1x4x4x4xi32> {
  // C2: expected-error@+1 {{expects channels that are multiples of groups = 3, got 3 in and 4 out}}
  %0 = fxp.conv %x, %w, %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 3 x_zp 0 : (tensor<1x4x4x3xi8>, tensor<4x1x1x1xi8>, tensor<4xi32>) -> tensor<1x4x4x4xi32>
  return %0 : tensor<1x4x4x4xi32>
}

// -----
func.func @conv_weight(%x: tensor<4x2xi8>, %w: tensor<3x2xi8>, %b: tensor<3xi32>) -> tensor<4x3xi32> {
  // C2: expected-error@+1 {{expects a weight of rank >= 3}}
  %0 = fxp.conv %x, %w, %b strides [] pads [] dilations [] groups 1 x_zp 0 : (tensor<4x2xi8>, tensor<3x2xi8>, tensor<3xi32>) -> tensor<4x3xi32>
  return %0 : tensor<4x3xi32>
}

// -----
func.func @matmul_inner(%x: tensor<4x2xi8>, %w: tensor<3x5xi8>, %b: tensor<5xi32>) -> tensor<4x5xi32> {
  // C2: expected-error@+1 {{'fxp.matmul' op expects equal inner dimensions, got 2 and 3}}
  %0 = fxp.matmul %x, %w, %b lhs_zp 0 rhs_zp 0 : (tensor<4x2xi8>, tensor<3x5xi8>, tensor<5xi32>) -> tensor<4x5xi32>
  return %0 : tensor<4x5xi32>
}

// -----
func.func @matmul_bias(%x: tensor<4x2xi8>, %w: tensor<2x5xi8>, %b: tensor<1xi32>) -> tensor<4x5xi32> {
  // C4: expected-error@+1 {{expects a bias of type 'tensor<5xi32>', got 'tensor<1xi32>'}}
  %0 = fxp.matmul %x, %w, %b lhs_zp 0 rhs_zp 0 : (tensor<4x2xi8>, tensor<2x5xi8>, tensor<1xi32>) -> tensor<4x5xi32>
  return %0 : tensor<4x5xi32>
}

// -----
func.func @requantize_scales(%x: tensor<4x2xi32>) -> tensor<4x2xi8> {
  // C2: expected-error@+1 {{'fxp.requantize' op expects 1 or 2 f32 scales, got 'tensor<4xf32>'}}
  %0 = fxp.requantize %x scales dense<0.5> : tensor<4xf32> x_zp 0 zp 0 clamp [-128, 127] mode <f32> : tensor<4x2xi32> -> tensor<4x2xi8>
  return %0 : tensor<4x2xi8>
}

// -----
func.func @requantize_double_scales(%x: tensor<4x2xi32>) -> tensor<4x2xi8> {
  // C2: expected-error@+1 {{expects 1 or 2 f32 scales, got 'tensor<2xf64>'}}
  %0 = fxp.requantize %x scales dense<0.5> : tensor<2xf64> x_zp 0 zp 0 clamp [-128, 127] mode <f32> : tensor<4x2xi32> -> tensor<4x2xi8>
  return %0 : tensor<4x2xi8>
}

// -----
func.func @requantize_clamp(%x: tensor<4x2xi32>) -> tensor<4x2xi8> {
  // C3: expected-error@+1 {{expects clamp [low, high] inside [-128, 127]}}
  %0 = fxp.requantize %x scales dense<0.5> : tensor<1xf32> x_zp 0 zp 0 clamp [0, 255] mode <f32> : tensor<4x2xi32> -> tensor<4x2xi8>
  return %0 : tensor<4x2xi8>
}

// -----
func.func @requantize_unsigned_clamp(%x: tensor<4x2xi32>) -> tensor<4x2xi8> {
  // C3: expected-error@+1 {{expects clamp [low, high] inside [0, 255]}}
  %0 = fxp.requantize %x scales dense<0.5> : tensor<1xf32> x_zp 0 zp 0 clamp [-1, 255] unsigned mode <f32> : tensor<4x2xi32> -> tensor<4x2xi8>
  return %0 : tensor<4x2xi8>
}

// -----
func.func @requantize_reversed_clamp(%x: tensor<4x2xi32>) -> tensor<4x2xi8> {
  // C3: expected-error@+1 {{expects clamp [low, high] inside [-128, 127]}}
  %0 = fxp.requantize %x scales dense<0.5> : tensor<1xf32> x_zp 0 zp 0 clamp [5, 4] mode <f32> : tensor<4x2xi32> -> tensor<4x2xi8>
  return %0 : tensor<4x2xi8>
}

// -----
func.func @requantize_to_floats(%x: tensor<4x2xi32>) -> tensor<4x2xf32> {
  // C3: expected-error@+1 {{expects an integer result}}
  %0 = fxp.requantize %x scales dense<0.5> : tensor<1xf32> x_zp 0 zp 0 clamp [0, 1] mode <f32> : tensor<4x2xi32> -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

// -----
func.func @mode(%x: tensor<4x2xi32>) -> tensor<4x2xi8> {
  // expected-error@+1 {{expects f32, pow2 or fixed with 2 to 31 bits, got fixed with 32}}
  %0 = fxp.requantize %x scales dense<0.5> : tensor<1xf32> x_zp 0 zp 0 clamp [0, 1] mode <fixed, 32> : tensor<4x2xi32> -> tensor<4x2xi8>
  return %0 : tensor<4x2xi8>
}

// -----
func.func @unknown_mode(%x: tensor<4x2xi32>) -> tensor<4x2xi8> {
  // expected-error@+1 {{expects f32, pow2 or fixed with 2 to 31 bits, got round with 0}}
  %0 = fxp.requantize %x scales dense<0.5> : tensor<1xf32> x_zp 0 zp 0 clamp [0, 1] mode <"round"> : tensor<4x2xi32> -> tensor<4x2xi8>
  return %0 : tensor<4x2xi8>
}

// -----
func.func @add_scales(%x: tensor<4xi8>) -> tensor<4xi8> {
  // C1: expected-error@+1 {{'fxp.add' op expects two scales and two zero points}}
  %0 = fxp.add %x, %x scales [0.5] zps [0, 0] zp 0 clamp [-128, 127] mode <f32> : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi8>
  return %0 : tensor<4xi8>
}

// -----
func.func @add_shapes(%x: tensor<4xi8>, %y: tensor<3xi8>) -> tensor<4xi8> {
  // C3: expected-error@+1 {{expects shapes that broadcast, got extents 4 and 3 in dimension 0}}
  %0 = fxp.add %x, %y scales [0.5, 0.5] zps [0, 0] zp 0 clamp [-128, 127] mode <f32> : (tensor<4xi8>, tensor<3xi8>) -> tensor<4xi8>
  return %0 : tensor<4xi8>
}

// -----
func.func @mul_result(%x: tensor<4xi8>) -> tensor<4xi8> {
  // C3: expected-error@+1 {{'fxp.mul' op expects a result of type 'tensor<4xi32>', got 'tensor<4xi8>'}}
  %0 = fxp.mul %x, %x zps [0, 0] : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi8>
  return %0 : tensor<4xi8>
}

// -----
func.func @mul_zero_points(%x: tensor<4xi8>) -> tensor<4xi32> {
  // C1: expected-error@+1 {{expects two zero points}}
  %0 = fxp.mul %x, %x zps [0] : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi32>
  return %0 : tensor<4xi32>
}

// -----
func.func @short_table(%x: tensor<4xi8>) -> tensor<4xi8> {
  // C1: expected-error@+1 {{'fxp.lut' op expects a table of 256 i8 or i16, got 'tensor<128xi8>'}}
  %0 = fxp.lut %x table dense<1> : tensor<128xi8> : tensor<4xi8> -> tensor<4xi8>
  return %0 : tensor<4xi8>
}

// -----
func.func @wide_table(%x: tensor<4xi8>) -> tensor<4xi8> {
  // C1: expected-error@+1 {{expects a table of 256 i8 or i16, got 'tensor<256xi32>'}}
  %0 = fxp.lut %x table dense<1> : tensor<256xi32> : tensor<4xi8> -> tensor<4xi8>
  return %0 : tensor<4xi8>
}

// -----
func.func @lut_shape(%x: tensor<4xi8>) -> tensor<2x2xi8> {
  // C3: expected-error@+1 {{expects a result of type 'tensor<4xi8>', got 'tensor<2x2xi8>'}}
  %0 = fxp.lut %x table dense<1> : tensor<256xi8> : tensor<4xi8> -> tensor<2x2xi8>
  return %0 : tensor<2x2xi8>
}

// -----
func.func @max_pool_window(%x: tensor<1x2x2x1xi8>) -> tensor<1x1x1x1xi8> {
  // C2: expected-error@+1 {{'fxp.max_pool' op expects a window no larger than the padded input, got 3 over 2 in spatial dimension 0}}
  %0 = fxp.max_pool %x kernel [3, 2] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x2x2x1xi8> -> tensor<1x1x1x1xi8>
  return %0 : tensor<1x1x1x1xi8>
}

// -----
func.func @sum_pool_result(%x: tensor<1x2x2x1xi8>) -> tensor<1x1x1x1xi8> {
  // C3: expected-error@+1 {{'fxp.sum_pool' op expects a result of type 'tensor<1x1x1x1xi32>', got 'tensor<1x1x1x1xi8>'}}
  %0 = fxp.sum_pool %x kernel [2, 2] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] x_zp 0 : tensor<1x2x2x1xi8> -> tensor<1x1x1x1xi8>
  return %0 : tensor<1x1x1x1xi8>
}

// -----
func.func @sum_axes(%x: tensor<4x3xi8>) -> tensor<4xi32> {
  // C2: expected-error@+1 {{'fxp.sum' op expects distinct axes in [0, 2), got 1}}
  %0 = fxp.sum %x axes [1, 1] x_zp 0 : tensor<4x3xi8> -> tensor<4xi32>
  return %0 : tensor<4xi32>
}

// -----
func.func @quantize_zero_points(%x: tensor<4x3xf32>) -> tensor<4x3xi8> {
  // C2: expected-error@+1 {{'fxp.quantize' op expects one zero point per scale, got 1 and 3}}
  %0 = fxp.quantize %x scales dense<0.5> : tensor<3xf32> zps [0] axis 1 clamp [-128, 127] : tensor<4x3xf32> -> tensor<4x3xi8>
  return %0 : tensor<4x3xi8>
}

// -----
func.func @quantize_axis(%x: tensor<4x3xf32>) -> tensor<4x3xi8> {
  // C3: expected-error@+1 {{expects 1 scale or one per element of dimension 0, got 3}}
  %0 = fxp.quantize %x scales dense<0.5> : tensor<3xf32> zps [0, 0, 0] axis 0 clamp [-128, 127] : tensor<4x3xf32> -> tensor<4x3xi8>
  return %0 : tensor<4x3xi8>
}

// -----
func.func @dequantize_axis(%x: tensor<4x3xi8>) -> tensor<4x3xf32> {
  // C3: expected-error@+1 {{'fxp.dequantize' op expects 1 scale or one per element of dimension 2, got 3}}
  %0 = fxp.dequantize %x scales dense<0.5> : tensor<3xf32> zps [0, 0, 0] axis 2 : tensor<4x3xi8> -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// -----
func.func @dequantize_shape(%x: tensor<4x3xi8>) -> tensor<12xf32> {
  // C1: expected-error@+1 {{expects a result of type 'tensor<4x3xf32>', got 'tensor<12xf32>'}}
  %0 = fxp.dequantize %x scales dense<0.5> : tensor<1xf32> zps [0] axis 0 : tensor<4x3xi8> -> tensor<12xf32>
  return %0 : tensor<12xf32>
}

// -----
func.func @softmax_table(%x: tensor<4xi8>) -> tensor<4xi8> {
  // C1: expected-error@+1 {{expects a table of 256 i32, got 'tensor<256xi8>'}}
  %0 = fxp.softmax %x table dense<1> : tensor<256xi8> zp 0 clamp [-128, 127] : tensor<4xi8> -> tensor<4xi8>
  return %0 : tensor<4xi8>
}

// -----
func.func @softmax_row(%x: tensor<100000xi8>) -> tensor<100000xi8> {
  // C2: expected-error@+1 {{expects 1 to 65536 elements in the last dimension}}
  %0 = fxp.softmax %x table dense<1> : tensor<256xi32> zp 0 clamp [-128, 127] : tensor<100000xi8> -> tensor<100000xi8>
  return %0 : tensor<100000xi8>
}

// -----
func.func @levels(%x: tensor<1x4xi8>, %w: tensor<2x4xi8>, %b: tensor<2xi32>) -> tensor<1x2xi32> {
  // C5: expected-error@+1 {{expects fxp.levels of 2^b signed bytes, b from 1 to 7, got array<i8: 1, 2, 3>}}
  %0 = fxp.matmul %x, %w, %b lhs_zp 0 rhs_zp 0 transpose_rhs {fxp.levels = array<i8: 1, 2, 3>} : (tensor<1x4xi8>, tensor<2x4xi8>, tensor<2xi32>) -> tensor<1x2xi32>
  return %0 : tensor<1x2xi32>
}
