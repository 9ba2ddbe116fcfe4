// The constraints C1, C2, .. of the ops as their descriptions number them;
// invalid.mlir has the others.
// RUN: qopt-opt %s -split-input-file -verify-diagnostics

func.func @conv_strides(%x: tensor<1x4x4x2xi8>, %w: tensor<3x1x1x2xi8>, %b: tensor<3xi32>) {
  // C3: expected-error@+1 {{'fxp.conv' op expects 2 strides, got 1}}
  %0 = fxp.conv %x, %w, %b strides [1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 x_zp 0 : (tensor<1x4x4x2xi8>, tensor<3x1x1x2xi8>, tensor<3xi32>) -> tensor<1x4x4x3xi32>
  return
}

// -----
func.func @matmul_operands(%x: tensor<4x2xi8>, %w: tensor<2x5xi4>, %b: tensor<5xi32>) {
  // C1: expected-error@+1 {{'fxp.matmul' op expects i8 or i16 operands, got 'tensor<2x5xi4>'}}
  %0 = fxp.matmul %x, %w, %b lhs_zp 0 rhs_zp 0 : (tensor<4x2xi8>, tensor<2x5xi4>, tensor<5xi32>) -> tensor<4x5xi32>
  return
}

// -----
func.func @matmul_result(%x: tensor<4x2xi8>, %w: tensor<2x5xi8>, %b: tensor<5xi32>) {
  // C3: expected-error@+1 {{expects a result of type 'tensor<4x5xi32>', got 'tensor<4x5xi16>'}}
  %0 = fxp.matmul %x, %w, %b lhs_zp 0 rhs_zp 0 : (tensor<4x2xi8>, tensor<2x5xi8>, tensor<5xi32>) -> tensor<4x5xi16>
  return
}

// -----
func.func @group_operands(%x: tensor<2x6xi16>, %w: tensor<3x6xi8>, %s: tensor<3x2xf32>, %b: tensor<3xf32>) {
  // C1: expected-error@+1 {{'fxp.group_matmul' op expects i8 operands, got 'tensor<2x6xi16>'}}
  %0 = fxp.group_matmul %x, %w, %s, %b group 4 lhs_zp 0 lhs_scale 1.0 : (tensor<2x6xi16>, tensor<3x6xi8>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----
func.func @group_size(%x: tensor<2x6xi8>, %w: tensor<3x6xi8>, %s: tensor<3x2xf32>, %b: tensor<3xf32>) {
  // C2: expected-error@+1 {{expects a matrix [N, K] and a positive group}}
  %0 = fxp.group_matmul %x, %w, %s, %b group 0 lhs_zp 0 lhs_scale 1.0 : (tensor<2x6xi8>, tensor<3x6xi8>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----
func.func @group_inner(%x: tensor<2x5xi8>, %w: tensor<3x6xi8>, %s: tensor<3x2xf32>, %b: tensor<3xf32>) {
  // C2: expected-error@+1 {{expects equal inner dimensions, got 5 and 6}}
  %0 = fxp.group_matmul %x, %w, %s, %b group 4 lhs_zp 0 lhs_scale 1.0 : (tensor<2x5xi8>, tensor<3x6xi8>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----
func.func @group_result(%x: tensor<2x6xi8>, %w: tensor<3x6xi8>, %s: tensor<3x2xf32>, %b: tensor<3xf32>) {
  // C3: expected-error@+1 {{expects a result of type 'tensor<2x3xf32>', got 'tensor<3x2xf32>'}}
  %0 = fxp.group_matmul %x, %w, %s, %b group 4 lhs_zp 0 lhs_scale 1.0 : (tensor<2x6xi8>, tensor<3x6xi8>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<3x2xf32>
  return
}

// -----
func.func @group_scales(%x: tensor<2x6xi8>, %w: tensor<3x6xi8>, %s: tensor<3x1xf32>, %b: tensor<3xf32>) {
  // C4: expected-error@+1 {{expects scales of type 'tensor<3x2xf32>', got 'tensor<3x1xf32>'}}
  %0 = fxp.group_matmul %x, %w, %s, %b group 4 lhs_zp 0 lhs_scale 1.0 : (tensor<2x6xi8>, tensor<3x6xi8>, tensor<3x1xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----
func.func @group_bias(%x: tensor<2x6xi8>, %w: tensor<3x6xi8>, %s: tensor<3x2xf32>, %b: tensor<2xf32>) {
  // C5: expected-error@+1 {{expects an f32 bias of one element per column and an f32 result}}
  %0 = fxp.group_matmul %x, %w, %s, %b group 4 lhs_zp 0 lhs_scale 1.0 : (tensor<2x6xi8>, tensor<3x6xi8>, tensor<3x2xf32>, tensor<2xf32>) -> tensor<2x3xf32>
  return
}

// -----
func.func @group_rows(%x: tensor<2x6xi8>, %w: tensor<3x6xi8>, %s: tensor<3x2xf32>, %b: tensor<3xf32>, %r: tensor<3xf32>) {
  // C6: expected-error@+1 {{expects one f32 scale per row of lhs, got 'tensor<3xf32>'}}
  %0 = fxp.group_matmul %x, %w, %s, %b, %r group 4 lhs_zp 0 lhs_scale 1.0 : (tensor<2x6xi8>, tensor<3x6xi8>, tensor<3x2xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----
func.func @rows_of_integers(%x: tensor<4x2xi32>) {
  // C1: expected-error@+1 {{'fxp.quantize_rows' op expects f32 rows and one f32 scale for each}}
  %0, %1 = fxp.quantize_rows %x : tensor<4x2xi32> -> tensor<4x2xi8>, tensor<4xf32>
  return
}

// -----
func.func @rows_result(%x: tensor<4x2xf32>) {
  // C2: expected-error@+1 {{expects a result of type 'tensor<4x2xi8>', got 'tensor<4x2xi4>'}}
  %0, %1 = fxp.quantize_rows %x : tensor<4x2xf32> -> tensor<4x2xi4>, tensor<4xf32>
  return
}

// -----
func.func @requantize_shape(%x: tensor<4x2xi32>) {
  // C1: expected-error@+1 {{'fxp.requantize' op expects a result of type 'tensor<4x2xi8>', got 'tensor<8xi8>'}}
  %0 = fxp.requantize %x scales dense<0.5> : tensor<1xf32> x_zp 0 zp 0 clamp [-128, 127] mode <f32> : tensor<4x2xi32> -> tensor<8xi8>
  return
}

// -----
func.func @add_operands(%x: tensor<4xi32>) {
  // C2: expected-error@+1 {{'fxp.add' op expects i8 or i16 operands, got 'tensor<4xi32>'}}
  %0 = fxp.add %x, %x scales [0.5, 0.5] zps [0, 0] zp 0 clamp [-128, 127] mode <f32> : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi8>
  return
}

// -----
func.func @add_clamp(%x: tensor<4xi8>) {
  // C4: expected-error@+1 {{expects clamp [low, high] inside [-128, 127]}}
  %0 = fxp.add %x, %x scales [0.5, 0.5] zps [0, 0] zp 0 clamp [0, 128] mode <f32> : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi8>
  return
}

// -----
func.func @mul_operands(%x: tensor<4xi4>) {
  // C2: expected-error@+1 {{'fxp.mul' op expects i8 or i16 operands, got 'tensor<4xi4>'}}
  %0 = fxp.mul %x, %x zps [0, 0] : (tensor<4xi4>, tensor<4xi4>) -> tensor<4xi32>
  return
}

// -----
func.func @lut_operand(%x: tensor<4xi32>) {
  // C2: expected-error@+1 {{'fxp.lut' op expects i8 or i16 operands, got 'tensor<4xi32>'}}
  %0 = fxp.lut %x table dense<1> : tensor<256xi8> : tensor<4xi32> -> tensor<4xi8>
  return
}

// -----
func.func @softmax_operand(%x: tensor<4xi32>) {
  // C3: expected-error@+1 {{'fxp.softmax' op expects i8 operands, got 'tensor<4xi32>'}}
  %0 = fxp.softmax %x table dense<1> : tensor<256xi32> zp 0 clamp [-128, 127] : tensor<4xi32> -> tensor<4xi8>
  return
}

// -----
func.func @softmax_result(%x: tensor<4xi8>) {
  // C4: expected-error@+1 {{expects a result of type 'tensor<4xi8>', got 'tensor<4xi32>'}}
  %0 = fxp.softmax %x table dense<1> : tensor<256xi32> zp 0 clamp [-128, 127] : tensor<4xi8> -> tensor<4xi32>
  return
}

// -----
func.func @softmax_clamp(%x: tensor<4xi8>) {
  // C5: expected-error@+1 {{expects clamp [low, high] inside [0, 255]}}
  %0 = fxp.softmax %x table dense<1> : tensor<256xi32> zp 0 clamp [0, 256] unsigned : tensor<4xi8> -> tensor<4xi8>
  return
}

// -----
func.func @max_pool_operand(%x: tensor<1x2x2x1xi32>) {
  // C1: expected-error@+1 {{'fxp.max_pool' op expects i8 or i16 operands, got 'tensor<1x2x2x1xi32>'}}
  %0 = fxp.max_pool %x kernel [2, 2] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x2x2x1xi32> -> tensor<1x1x1x1xi8>
  return
}

// -----
func.func @max_pool_result(%x: tensor<1x2x2x1xi8>) {
  // C3: expected-error@+1 {{expects a result of type 'tensor<1x1x1x1xi8>', got 'tensor<1x2x2x1xi8>'}}
  %0 = fxp.max_pool %x kernel [2, 2] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x2x2x1xi8> -> tensor<1x2x2x1xi8>
  return
}

// -----
func.func @sum_pool_operand(%x: tensor<1x2x2x1xi4>) {
  // C1: expected-error@+1 {{'fxp.sum_pool' op expects i8 or i16 operands, got 'tensor<1x2x2x1xi4>'}}
  %0 = fxp.sum_pool %x kernel [2, 2] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] x_zp 0 : tensor<1x2x2x1xi4> -> tensor<1x1x1x1xi32>
  return
}

// -----
func.func @sum_pool_window(%x: tensor<1x2x2x1xi8>) {
  // C2: expected-error@+1 {{'fxp.sum_pool' op expects 2 kernel extents, got 1}}
  %0 = fxp.sum_pool %x kernel [2] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] x_zp 0 : tensor<1x2x2x1xi8> -> tensor<1x1x1x1xi32>
  return
}

// -----
func.func @sum_operand(%x: tensor<4x3xi32>) {
  // C1: expected-error@+1 {{'fxp.sum' op expects i8 or i16 operands, got 'tensor<4x3xi32>'}}
  %0 = fxp.sum %x axes [1] x_zp 0 : tensor<4x3xi32> -> tensor<4xi32>
  return
}

// -----
func.func @sum_result(%x: tensor<4x3xi8>) {
  // C3: expected-error@+1 {{expects a result of type 'tensor<4xi32>', got 'tensor<4x1xi32>'}}
  %0 = fxp.sum %x axes [1] x_zp 0 : tensor<4x3xi8> -> tensor<4x1xi32>
  return
}

// -----
func.func @quantize_shape(%x: tensor<4x3xf32>) {
  // C1: expected-error@+1 {{'fxp.quantize' op expects a result of type 'tensor<4x3xi8>', got 'tensor<12xi8>'}}
  %0 = fxp.quantize %x scales dense<0.5> : tensor<1xf32> zps [0] axis 0 clamp [-128, 127] : tensor<4x3xf32> -> tensor<12xi8>
  return
}

// -----
func.func @quantize_clamp(%x: tensor<4x3xf32>) {
  // C4: expected-error@+1 {{expects clamp [low, high] inside [-8, 7]}}
  %0 = fxp.quantize %x scales dense<0.5> : tensor<1xf32> zps [0] axis 0 clamp [-128, 127] : tensor<4x3xf32> -> tensor<4x3xi4>
  return
}

// -----
func.func @dequantize_zero_points(%x: tensor<4x3xi8>) {
  // C2: expected-error@+1 {{'fxp.dequantize' op expects one zero point per scale, got 2 and 1}}
  %0 = fxp.dequantize %x scales dense<0.5> : tensor<1xf32> zps [0, 0] axis 0 : tensor<4x3xi8> -> tensor<4x3xf32>
  return
}

// -----
func.func @conv_levels(%x: tensor<1x4x4x2xi8>, %w: tensor<3x1x1x2xi8>, %b: tensor<3xi32>) {
  // C6: expected-error@+1 {{'fxp.conv' op expects fxp.levels of 2^b signed bytes, b from 1 to 7, got array<i8: 1, 2, 3>}}
  %0 = fxp.conv %x, %w, %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 x_zp 0 {fxp.levels = array<i8: 1, 2, 3>} : (tensor<1x4x4x2xi8>, tensor<3x1x1x2xi8>, tensor<3xi32>) -> tensor<1x4x4x3xi32>
  return
}

// -----
func.func @group_levels(%x: tensor<2x6xi8>, %w: tensor<3x6xi8>, %s: tensor<3x2xf32>, %b: tensor<3xf32>) {
  // C7: expected-error@+1 {{'fxp.group_matmul' op expects fxp.levels of 2^b signed bytes, b from 1 to 7, got array<i8: 1, 2, 3>}}
  %0 = fxp.group_matmul %x, %w, %s, %b group 4 lhs_zp 0 lhs_scale 1.0 {fxp.levels = array<i8: 1, 2, 3>} : (tensor<2x6xi8>, tensor<3x6xi8>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----
func.func @group_zero_points(%x: tensor<2x6xi8>, %w: tensor<3x6xi8>, %s: tensor<3x2xf32>, %b: tensor<3xf32>, %z: tensor<3x1xi8>) {
  // C8: expected-error@+1 {{expects zero points of type 'tensor<3x2xi8>', got 'tensor<3x1xi8>'}}
  %0 = fxp.group_matmul %x, %w, %s, %b rhs_zps %z group 4 lhs_zp 0 lhs_scale 1.0 : (tensor<2x6xi8>, tensor<3x6xi8>, tensor<3x2xf32>, tensor<3xf32>, tensor<3x1xi8>) -> tensor<2x3xf32>
  return
}

// -----
func.func @decode_floats(%x: tensor<2x6xf64>, %w: tensor<3x6xi8>, %s: tensor<3x2xf32>, %b: tensor<3xf32>) {
  // C1: expected-error@+1 {{'fxp.decode_matmul' op expects an f32 lhs, got 'tensor<2x6xf64>'}}
  %0 = fxp.decode_matmul %x, %w, %s, %b block [1, 4] : (tensor<2x6xf64>, tensor<3x6xi8>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----
func.func @decode_bytes(%x: tensor<2x6xf32>, %w: tensor<3x6xi16>, %s: tensor<3x2xf32>, %b: tensor<3xf32>) {
  // C1: expected-error@+1 {{'fxp.decode_matmul' op expects i8 operands, got 'tensor<3x6xi16>'}}
  %0 = fxp.decode_matmul %x, %w, %s, %b block [1, 4] : (tensor<2x6xf32>, tensor<3x6xi16>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----
func.func @decode_block(%x: tensor<2x6xf32>, %w: tensor<3x6xi8>, %s: tensor<3x2xf32>, %b: tensor<3xf32>) {
  // C2: expected-error@+1 {{expects a matrix [N, K] and a block of two positive extents}}
  %0 = fxp.decode_matmul %x, %w, %s, %b block [1, 0] : (tensor<2x6xf32>, tensor<3x6xi8>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----
func.func @decode_inner(%x: tensor<2x5xf32>, %w: tensor<3x6xi8>, %s: tensor<3x2xf32>, %b: tensor<3xf32>) {
  // C2: expected-error@+1 {{expects equal inner dimensions, got 5 and 6}}
  %0 = fxp.decode_matmul %x, %w, %s, %b block [1, 4] : (tensor<2x5xf32>, tensor<3x6xi8>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----
func.func @decode_result(%x: tensor<2x6xf32>, %w: tensor<3x6xi8>, %s: tensor<3x2xf32>, %b: tensor<3xf32>) {
  // C3: expected-error@+1 {{expects a result of type 'tensor<2x3xf32>', got 'tensor<3x2xf32>'}}
  %0 = fxp.decode_matmul %x, %w, %s, %b block [1, 4] : (tensor<2x6xf32>, tensor<3x6xi8>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<3x2xf32>
  return
}

// -----
func.func @decode_scales(%x: tensor<2x6xf32>, %w: tensor<3x6xi8>, %s: tensor<3x2xf32>, %b: tensor<3xf32>) {
  // C4: expected-error@+1 {{expects scales of type 'tensor<3x3xf32>', got 'tensor<3x2xf32>'}}
  %0 = fxp.decode_matmul %x, %w, %s, %b block [1, 2] : (tensor<2x6xf32>, tensor<3x6xi8>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----
func.func @decode_zero_points(%x: tensor<2x6xf32>, %w: tensor<3x6xi8>, %s: tensor<3x2xf32>, %b: tensor<3xf32>, %z: tensor<3xi8>) {
  // C4: expected-error@+1 {{expects zero points of type 'tensor<3x2xi8>', got 'tensor<3xi8>'}}
  %0 = fxp.decode_matmul %x, %w, %s, %b zps %z block [1, 4] : (tensor<2x6xf32>, tensor<3x6xi8>, tensor<3x2xf32>, tensor<3xf32>, tensor<3xi8>) -> tensor<2x3xf32>
  return
}

// -----
func.func @decode_bias(%x: tensor<2x6xf32>, %w: tensor<3x6xi8>, %s: tensor<3x2xf32>, %b: tensor<2xf32>) {
  // C5: expected-error@+1 {{expects an f32 bias of one element per column and an f32 result}}
  %0 = fxp.decode_matmul %x, %w, %s, %b block [1, 4] : (tensor<2x6xf32>, tensor<3x6xi8>, tensor<3x2xf32>, tensor<2xf32>) -> tensor<2x3xf32>
  return
}

// -----
func.func @decode_levels(%x: tensor<2x6xf32>, %w: tensor<3x6xi8>, %s: tensor<3x2xf32>, %b: tensor<3xf32>) {
  // C6: expected-error@+1 {{'fxp.decode_matmul' op expects fxp.levels of 2^b signed bytes, b from 1 to 7, got array<i8: 1, 2, 3>}}
  %0 = fxp.decode_matmul %x, %w, %s, %b block [1, 4] {fxp.levels = array<i8: 1, 2, 3>} : (tensor<2x6xf32>, tensor<3x6xi8>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----
func.func @resize_operand(%x: tensor<2xi4>) {
  // C1: expected-error@+1 {{'fxp.resize' op expects i8 or i16 operands, got 'tensor<2xi4>'}}
  %a = fxp.resize %x axes [0] taps [1] positions [0] coefficients [1] x_zp 0 : tensor<2xi4> -> tensor<1xi32>
  return
}

// -----
func.func @resize_axis(%x: tensor<2xi8>) {
  // C2: expected-error@+1 {{expects distinct axes below rank 1, got 1}}
  %a = fxp.resize %x axes [1] taps [1] positions [0, 0] coefficients [1, 1] x_zp 0 : tensor<2xi8> -> tensor<2xi32>
  return
}

// -----
func.func @resize_taps(%x: tensor<2xi8>) {
  // C2: expected-error@+1 {{expects 1 numbers of taps, got 2}}
  %a = fxp.resize %x axes [0] taps [1, 1] positions [0] coefficients [1] x_zp 0 : tensor<2xi8> -> tensor<1xi32>
  return
}

// -----
func.func @resize_no_taps(%x: tensor<2xi8>) {
  // C2: expected-error@+1 {{expects a positive number of taps}}
  %a = fxp.resize %x axes [0] taps [0] positions [] coefficients [] x_zp 0 : tensor<2xi8> -> tensor<1xi32>
  return
}

// -----
func.func @resize_result(%x: tensor<2xi8>) {
  // C3: expected-error@+1 {{expects a result of type 'tensor<1xi32>', got 'tensor<1xi16>'}}
  %a = fxp.resize %x axes [0] taps [1] positions [0] coefficients [1] x_zp 0 : tensor<2xi8> -> tensor<1xi16>
  return
}

// -----
func.func @resize_entries(%x: tensor<2xi8>) {
  // C4: expected-error@+1 {{expects 2 positions and coefficients, got 2 and 1}}
  %a = fxp.resize %x axes [0] taps [2] positions [0, 1] coefficients [1] x_zp 0 : tensor<2xi8> -> tensor<1xi32>
  return
}

// -----
func.func @resize_position(%x: tensor<2xi8>) {
  // C4: expected-error@+1 {{expects positions in [0, 2), got 2}}
  %a = fxp.resize %x axes [0] taps [1] positions [2] coefficients [1] x_zp 0 : tensor<2xi8> -> tensor<1xi32>
  return
}

// -----
func.func @resize_sums(%x: tensor<2x2xi8>) {
  // C5: expected-error@+1 {{expects coefficients whose sums stay in 32 bits}}
  %a = fxp.resize %x axes [0, 1] taps [1, 1] positions [0, 0] coefficients [4096, 4096] x_zp 0 : tensor<2x2xi8> -> tensor<1x1xi32>
  return
}

// -----
func.func @resize_no_axis(%x: tensor<2xi8>) {
  // C2: expected-error@+1 {{expects at least one axis}}
  %a = fxp.resize %x axes [] taps [] positions [] coefficients [] x_zp 0 : tensor<2xi8> -> tensor<2xi32>
  return
}

// -----
func.func @lut_of_16_bits(%x: tensor<4xi16>) {
  // C1: expected-error@+1 {{'fxp.lut' op expects a table of 65536 i8 or i16, got 'tensor<256xi16>'}}
  %0 = fxp.lut %x table dense<1> : tensor<256xi16> : tensor<4xi16> -> tensor<4xi16>
  return
}

// -----
func.func @requantize_wide_sums(%x: tensor<4xi64>) {
  // C4: expected-error@+1 {{'fxp.requantize' op expects mode fixed or pow2 for sums of 64 bits}}
  %0 = fxp.requantize %x scales dense<0.5> : tensor<1xf32> x_zp 0 zp 0 clamp [0, 1] mode <f32> : tensor<4xi64> -> tensor<4xi16>
  return
}

// -----
func.func @matmul_wide_sums_of_bytes(%x: tensor<1x2xi8>, %w: tensor<2x3xi8>, %b: tensor<3xi64>) {
  // C3: expected-error@+1 {{expects a result of type 'tensor<1x3xi32>', got 'tensor<1x3xi64>'}}
  %0 = fxp.matmul %x, %w, %b lhs_zp 0 rhs_zp 0 : (tensor<1x2xi8>, tensor<2x3xi8>, tensor<3xi64>) -> tensor<1x3xi64>
  return
}

// -----
func.func @conv_bias_of_wide_sums(%x: tensor<1x2x1xi16>, %w: tensor<3x1x1xi8>, %b: tensor<3xi32>) {
  // C5: expected-error@+1 {{expects a bias of type 'tensor<3xi64>', got 'tensor<3xi32>'}}
  %0 = fxp.conv %x, %w, %b strides [1] pads [0, 0] dilations [1] groups 1 x_zp 0 : (tensor<1x2x1xi16>, tensor<3x1x1xi8>, tensor<3xi32>) -> tensor<1x2x3xi64>
  return
}
