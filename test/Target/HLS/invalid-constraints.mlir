// The constraints C1, C2, .. of the ops as their descriptions number them;
// invalid.mlir has the others.
// RUN: qopt-opt %s -split-input-file -verify-diagnostics

func.func @window_rank(%x: !hls.stream<16 x 4 x si8>) {
  // C1: expected-error@+1 {{expects shape [H, W, C], two kernel extents, strides and dilations, four pads}}
  %y = hls.window %x shape [4, 4, 4] kernel [3] strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] fill 0 : !hls.stream<16 x 4 x si8> -> !hls.stream<144 x 4 x si8>
  return
}

// -----
func.func @window_stride(%x: !hls.stream<16 x 4 x si8>) {
  // C2: expected-error@+1 {{expects positive extents, strides and dilations}}
  %y = hls.window %x shape [4, 4, 4] kernel [3, 3] strides [0, 1] pads [1, 1, 1, 1] dilations [1, 1] fill 0 : !hls.stream<16 x 4 x si8> -> !hls.stream<144 x 4 x si8>
  return
}

// -----
func.func @window_pads(%x: !hls.stream<16 x 4 x si8>) {
  // C2: expected-error@+1 {{expects pads that are not negative}}
  %y = hls.window %x shape [4, 4, 4] kernel [3, 3] strides [1, 1] pads [-1, 1, 1, 1] dilations [1, 1] fill 0 : !hls.stream<16 x 4 x si8> -> !hls.stream<144 x 4 x si8>
  return
}

// -----
func.func @window_fits(%x: !hls.stream<16 x 4 x si8>) {
  // C2: expected-error@+1 {{expects a window that fits into the padded image}}
  %y = hls.window %x shape [4, 4, 4] kernel [9, 3] strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] fill 0 : !hls.stream<16 x 4 x si8> -> !hls.stream<144 x 4 x si8>
  return
}

// -----
func.func @window_elements(%x: !hls.stream<16 x 4 x si8>) {
  // C3: expected-error@+1 {{expects equal elements on both sides}}
  %y = hls.window %x shape [4, 4, 4] kernel [3, 3] strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] fill 0 : !hls.stream<16 x 4 x si8> -> !hls.stream<144 x 4 x ui8>
  return
}

// -----
func.func @window_image(%x: !hls.stream<15 x 4 x si8>) {
  // C4: expected-error@+1 {{expects an input of 64 elements, got 60}}
  %y = hls.window %x shape [4, 4, 4] kernel [3, 3] strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] fill 0 : !hls.stream<15 x 4 x si8> -> !hls.stream<144 x 4 x si8>
  return
}

// -----
func.func @mvu_weights(%x: !hls.stream<2 x 4 x si8>) {
  // C1: expected-error@+1 {{expects weights [rows, columns] of up to 16 bits, got 'tensor<4x8xi32>'}}
  %y = hls.mvu %x weights dense<1> : tensor<4x8xi32> bias dense<0> : tensor<4xi32> pe 2 simd 4 memory "lutram" : !hls.stream<2 x 4 x si8> -> !hls.stream<2 x 2 x si14>
  return
}

// -----
func.func @mvu_bias(%x: !hls.stream<2 x 4 x si8>) {
  // C1: expected-error@+1 {{expects a bias of 4 i32, got 'tensor<3xi32>'}}
  %y = hls.mvu %x weights dense<1> : tensor<4x8xi8> bias dense<0> : tensor<3xi32> pe 2 simd 4 memory "lutram" : !hls.stream<2 x 4 x si8> -> !hls.stream<2 x 2 x si14>
  return
}

// -----
func.func @mvu_columns(%x: !hls.stream<3 x 4 x si8>) {
  // C2: expected-error@+1 {{expects a number of columns that divides 12, got 8}}
  %y = hls.mvu %x weights dense<1> : tensor<4x8xi8> bias dense<0> : tensor<4xi32> pe 2 simd 4 memory "lutram" : !hls.stream<3 x 4 x si8> -> !hls.stream<2 x 2 x si14>
  return
}

// -----
func.func @mvu_result(%x: !hls.stream<2 x 4 x si8>) {
  // C5: expected-error@+1 {{expects a result of 4 elements, got 6}}
  %y = hls.mvu %x weights dense<1> : tensor<4x8xi8> bias dense<0> : tensor<4xi32> pe 2 simd 4 memory "lutram" : !hls.stream<2 x 4 x si8> -> !hls.stream<3 x 2 x si14>
  return
}

// -----
func.func @depthwise_weights(%x: !hls.stream<36 x 2 x si8>) {
  // C1: expected-error@+1 {{'hls.depthwise' op expects weights [rows, columns] of up to 16 bits}}
  %y = hls.depthwise %x weights dense<1> : tensor<36xi8> bias dense<0> : tensor<4xi32> pe 2 memory "lutram" : !hls.stream<36 x 2 x si8> -> !hls.stream<4 x 2 x si14>
  return
}

// -----
func.func @depthwise_pe(%x: !hls.stream<36 x 2 x si8>) {
  // C2: expected-error@+1 {{expects pe that divides 4, got 3}}
  %y = hls.depthwise %x weights dense<1> : tensor<4x9xi8> bias dense<0> : tensor<4xi32> pe 3 memory "lutram" : !hls.stream<36 x 2 x si8> -> !hls.stream<4 x 2 x si14>
  return
}

// -----
func.func @depthwise_taps(%x: !hls.stream<35 x 2 x si8>) {
  // C3: expected-error@+1 {{expects an input of 72 elements, got 70}}
  %y = hls.depthwise %x weights dense<1> : tensor<4x9xi8> bias dense<0> : tensor<4xi32> pe 2 memory "lutram" : !hls.stream<35 x 2 x si8> -> !hls.stream<4 x 2 x si14>
  return
}

// -----
func.func @depthwise_memory(%x: !hls.stream<36 x 2 x si8>) {
  // C4: expected-error@+1 {{expects memory auto, lutram or bram, got uram}}
  %y = hls.depthwise %x weights dense<1> : tensor<4x9xi8> bias dense<0> : tensor<4xi32> pe 2 memory "uram" : !hls.stream<36 x 2 x si8> -> !hls.stream<4 x 2 x si14>
  return
}

// -----
func.func @requantize_shifts(%x: !hls.stream<8 x 4 x si20>) {
  // C1: expected-error@+1 {{expects as many shifts as multipliers}}
  %y = hls.requantize %x channels 4 multipliers dense<65536> : tensor<4xi32> shifts dense<20> : tensor<1xi8> x_zp 0 zp 0 clamp [-8, 7] : !hls.stream<8 x 4 x si20> -> !hls.stream<8 x 4 x si8>
  return
}

// -----
func.func @requantize_parameters(%x: !hls.stream<8 x 4 x si20>) {
  // C1: expected-error@+1 {{expects parameters for 1 or 4 channels, got 2}}
  %y = hls.requantize %x channels 4 multipliers dense<65536> : tensor<2xi32> shifts dense<20> : tensor<2xi8> x_zp 0 zp 0 clamp [-8, 7] : !hls.stream<8 x 4 x si20> -> !hls.stream<8 x 4 x si8>
  return
}

// -----
func.func @requantize_channels(%x: !hls.stream<8 x 4 x si20>) {
  // C2: expected-error@+1 {{expects lanes that divides 6, got 4}}
  %y = hls.requantize %x channels 6 multipliers dense<65536> : tensor<1xi32> shifts dense<20> : tensor<1xi8> x_zp 0 zp 0 clamp [-8, 7] : !hls.stream<8 x 4 x si20> -> !hls.stream<8 x 4 x si8>
  return
}

// -----
func.func @requantize_result(%x: !hls.stream<8 x 4 x si20>) {
  // C3: expected-error@+1 {{expects a result with 4 lanes, got 2}}
  %y = hls.requantize %x channels 4 multipliers dense<65536> : tensor<1xi32> shifts dense<20> : tensor<1xi8> x_zp 0 zp 0 clamp [-8, 7] : !hls.stream<8 x 4 x si20> -> !hls.stream<16 x 2 x si8>
  return
}

// -----
func.func @thresholds(%x: !hls.stream<8 x 4 x si20>) {
  // C1: expected-error@+1 {{expects thresholds [channels, levels] of i32, got 'tensor<1x3xi16>'}}
  %y = hls.threshold %x channels 4 thresholds dense<1> : tensor<1x3xi16> low -2 : !hls.stream<8 x 4 x si20> -> !hls.stream<8 x 4 x si2>
  return
}

// -----
func.func @threshold_channels(%x: !hls.stream<8 x 4 x si20>) {
  // C2: expected-error@+1 {{'hls.threshold' op expects channels that divides 32, got 12}}
  %y = hls.threshold %x channels 12 thresholds dense<1> : tensor<1x3xi32> low -2 : !hls.stream<8 x 4 x si20> -> !hls.stream<8 x 4 x si2>
  return
}

// -----
func.func @threshold_result(%x: !hls.stream<8 x 4 x si20>) {
  // C3: expected-error@+1 {{expects a result of 32 elements, got 28}}
  %y = hls.threshold %x channels 4 thresholds dense<1> : tensor<1x3xi32> low -2 : !hls.stream<8 x 4 x si20> -> !hls.stream<7 x 4 x si2>
  return
}

// -----
func.func @threshold_range(%x: !hls.stream<8 x 4 x si20>) {
  // C4: expected-error@+1 {{expects clamp [low, high] inside [-2, 1]}}
  %y = hls.threshold %x channels 4 thresholds dense<1> : tensor<1x3xi32> low 0 : !hls.stream<8 x 4 x si20> -> !hls.stream<8 x 4 x si2>
  return
}

// -----
func.func @add_multipliers(%x: !hls.stream<8 x 4 x si8>, %z: !hls.stream<8 x 4 x si8>) {
  // C1: expected-error@+1 {{expects two multipliers}}
  %y = hls.add %x, %z multipliers [1] shift 17 zps [0, 0] zp 0 clamp [-128, 127] : (!hls.stream<8 x 4 x si8>, !hls.stream<8 x 4 x si8>) -> !hls.stream<8 x 4 x si8>
  return
}

// -----
func.func @add_zero_points(%x: !hls.stream<8 x 4 x si8>, %z: !hls.stream<8 x 4 x si8>) {
  // C1: expected-error@+1 {{expects two zero points}}
  %y = hls.add %x, %z multipliers [1, 1] shift 17 zps [0] zp 0 clamp [-128, 127] : (!hls.stream<8 x 4 x si8>, !hls.stream<8 x 4 x si8>) -> !hls.stream<8 x 4 x si8>
  return
}

// -----
func.func @add_shift(%x: !hls.stream<8 x 4 x si8>, %z: !hls.stream<8 x 4 x si8>) {
  // C2: expected-error@+1 {{expects a shift of 0 to 62, got 63}}
  %y = hls.add %x, %z multipliers [1, 1] shift 63 zps [0, 0] zp 0 clamp [-128, 127] : (!hls.stream<8 x 4 x si8>, !hls.stream<8 x 4 x si8>) -> !hls.stream<8 x 4 x si8>
  return
}

// -----
func.func @add_operands(%x: !hls.stream<8 x 4 x si8>, %z: !hls.stream<16 x 2 x si8>) {
  // C3: expected-error@+1 {{expects operands of equal tokens and lanes}}
  %y = hls.add %x, %z multipliers [1, 1] shift 17 zps [0, 0] zp 0 clamp [-128, 127] : (!hls.stream<8 x 4 x si8>, !hls.stream<16 x 2 x si8>) -> !hls.stream<8 x 4 x si8>
  return
}

// -----
func.func @add_clamp(%x: !hls.stream<8 x 4 x si8>, %z: !hls.stream<8 x 4 x si8>) {
  // C4: expected-error@+1 {{'hls.add' op expects clamp [low, high] inside [-128, 127]}}
  %y = hls.add %x, %z multipliers [1, 1] shift 17 zps [0, 0] zp 0 clamp [0, 255] : (!hls.stream<8 x 4 x si8>, !hls.stream<8 x 4 x si8>) -> !hls.stream<8 x 4 x si8>
  return
}

// -----
func.func @mul_zero_points(%x: !hls.stream<8 x 4 x si8>, %z: !hls.stream<8 x 4 x si8>) {
  // C1: expected-error@+1 {{'hls.mul' op expects two zero points}}
  %y = hls.mul %x, %z zps [1] : (!hls.stream<8 x 4 x si8>, !hls.stream<8 x 4 x si8>) -> !hls.stream<8 x 4 x si17>
  return
}

// -----
func.func @mul_operands(%x: !hls.stream<8 x 4 x si8>, %z: !hls.stream<7 x 4 x si8>) {
  // C2: expected-error@+1 {{'hls.mul' op expects operands of equal tokens and lanes}}
  %y = hls.mul %x, %z zps [1, 1] : (!hls.stream<8 x 4 x si8>, !hls.stream<7 x 4 x si8>) -> !hls.stream<8 x 4 x si17>
  return
}

// -----
func.func @lut_table(%x: !hls.stream<8 x 4 x si8>) {
  // C1: expected-error@+1 {{'hls.lut' op expects a table of 256 or 65536 i8 or i16, got 'tensor<16xi8>'}}
  %y = hls.lut %x table dense<1> : tensor<16xi8> : !hls.stream<8 x 4 x si8> -> !hls.stream<8 x 4 x si8>
  return
}

// -----
func.func @lut_input(%x: !hls.stream<8 x 4 x si9>) {
  // C2: expected-error@+1 {{'hls.lut' op expects an input of up to 8 bits}}
  %y = hls.lut %x table dense<1> : tensor<256xi8> : !hls.stream<8 x 4 x si9> -> !hls.stream<8 x 4 x si8>
  return
}

// -----
func.func @lut_result(%x: !hls.stream<8 x 4 x si8>) {
  // C3: expected-error@+1 {{'hls.lut' op expects a result with 4 lanes, got 2}}
  %y = hls.lut %x table dense<1> : tensor<256xi8> : !hls.stream<8 x 4 x si8> -> !hls.stream<16 x 2 x si8>
  return
}

// -----
func.func @pool_kind(%x: !hls.stream<16 x 4 x si8>) {
  // C1: expected-error@+1 {{expects kind max or sum, got min}}
  %y = hls.pool %x kind "min" taps 4 channels 4 bias 0 : !hls.stream<16 x 4 x si8> -> !hls.stream<4 x 4 x si8>
  return
}

// -----
func.func @pool_maximum(%x: !hls.stream<16 x 4 x si8>) {
  // C1: expected-error@+1 {{expects a maximum of the input's element type}}
  %y = hls.pool %x kind "max" taps 4 channels 4 bias 0 : !hls.stream<16 x 4 x si8> -> !hls.stream<4 x 4 x si9>
  return
}

// -----
func.func @pool_no_taps(%x: !hls.stream<16 x 4 x si8>) {
  // C2: expected-error@+1 {{expects at least one tap}}
  %y = hls.pool %x kind "max" taps 0 channels 4 bias 0 : !hls.stream<16 x 4 x si8> -> !hls.stream<4 x 4 x si8>
  return
}

// -----
func.func @pool_taps(%x: !hls.stream<16 x 4 x si8>) {
  // C2: expected-error@+1 {{expects an input of 48 elements, got 64}}
  %y = hls.pool %x kind "max" taps 3 channels 4 bias 0 : !hls.stream<16 x 4 x si8> -> !hls.stream<4 x 4 x si8>
  return
}

// -----
func.func @pool_lanes(%x: !hls.stream<16 x 4 x si8>) {
  // C3: expected-error@+1 {{'hls.pool' op expects lanes that divides 6, got 4}}
  %y = hls.pool %x kind "max" taps 4 channels 6 bias 0 : !hls.stream<16 x 4 x si8> -> !hls.stream<4 x 4 x si8>
  return
}

// -----
func.func @pool_global(%x: !hls.stream<16 x 4 x si8>) {
  // C4: expected-error@+1 {{expects a result of 4 elements, got 16}}
  %y = hls.pool %x kind "max" taps 4 channels 4 bias 0 global : !hls.stream<16 x 4 x si8> -> !hls.stream<4 x 4 x si8>
  return
}

// -----
func.func @softmax_table(%x: !hls.stream<10 x 1 x si8>) {
  // C1: expected-error@+1 {{'hls.softmax' op expects a table of 256 i32, got 'tensor<256xi16>'}}
  %y = hls.softmax %x channels 10 table dense<1> : tensor<256xi16> zp 0 clamp [-128, 127] : !hls.stream<10 x 1 x si8> -> !hls.stream<10 x 1 x si8>
  return
}

// -----
func.func @softmax_input(%x: !hls.stream<10 x 1 x si9>) {
  // C2: expected-error@+1 {{'hls.softmax' op expects an input of up to 8 bits}}
  %y = hls.softmax %x channels 10 table dense<1> : tensor<256xi32> zp 0 clamp [-128, 127] : !hls.stream<10 x 1 x si9> -> !hls.stream<10 x 1 x si8>
  return
}

// -----
func.func @softmax_channels(%x: !hls.stream<10 x 1 x si8>) {
  // C3: expected-error@+1 {{expects channels that divides 10, got 4}}
  %y = hls.softmax %x channels 4 table dense<1> : tensor<256xi32> zp 0 clamp [-128, 127] : !hls.stream<10 x 1 x si8> -> !hls.stream<10 x 1 x si8>
  return
}

// -----
func.func @softmax_result(%x: !hls.stream<10 x 1 x si8>) {
  // C4: expected-error@+1 {{expects a result of 10 elements, got 9}}
  %y = hls.softmax %x channels 10 table dense<1> : tensor<256xi32> zp 0 clamp [-128, 127] : !hls.stream<10 x 1 x si8> -> !hls.stream<9 x 1 x si8>
  return
}

// -----
func.func @softmax_clamp(%x: !hls.stream<10 x 1 x si8>) {
  // C5: expected-error@+1 {{expects clamp [low, high] inside [0, 255]}}
  %y = hls.softmax %x channels 10 table dense<1> : tensor<256xi32> zp 0 clamp [-128, 127] : !hls.stream<10 x 1 x si8> -> !hls.stream<10 x 1 x ui8>
  return
}

// -----
func.func @fork_types(%x: !hls.stream<8 x 4 x si8>) {
  // C1: expected-error@+1 {{expects results of the input's type}}
  %a, %b = hls.fork %x : !hls.stream<8 x 4 x si8> -> !hls.stream<8 x 4 x si8>, !hls.stream<16 x 2 x si8>
  return
}

// -----
func.func @fork_once(%x: !hls.stream<8 x 4 x si8>) {
  // C2: expected-error@+1 {{expects 2 to 32 results}}
  %a = hls.fork %x : !hls.stream<8 x 4 x si8> -> !hls.stream<8 x 4 x si8>
  return
}

// -----
func.func @join_channels(%x: !hls.stream<8 x 4 x si8>, %z: !hls.stream<8 x 4 x si8>) {
  // C1: expected-error@+1 {{expects a number of channels per operand}}
  %y = hls.join %x, %z channels [4] : (!hls.stream<8 x 4 x si8>, !hls.stream<8 x 4 x si8>) -> !hls.stream<16 x 4 x si8>
  return
}

// -----
func.func @join_lanes(%x: !hls.stream<8 x 4 x si8>, %z: !hls.stream<16 x 2 x si8>) {
  // C2: expected-error@+1 {{expects operands of the result's lanes, whose elements it holds}}
  %y = hls.join %x, %z channels [4, 4] : (!hls.stream<8 x 4 x si8>, !hls.stream<16 x 2 x si8>) -> !hls.stream<16 x 4 x si8>
  return
}

// -----
func.func @permute_elements(%x: !hls.stream<12 x 1 x si8>) {
  // C2: expected-error@+1 {{'hls.permute' op expects an input of 6 elements, got 12}}
  %y = hls.permute %x shape [2, 3] permutation [1, 0] : !hls.stream<12 x 1 x si8> -> !hls.stream<12 x 1 x si8>
  return
}

// -----
func.func @permute_extents(%x: !hls.stream<12 x 1 x si8>) {
  // C1: expected-error@+1 {{expects positive extents}}
  %y = hls.permute %x shape [0, 3] permutation [1, 0] : !hls.stream<12 x 1 x si8> -> !hls.stream<12 x 1 x si8>
  return
}

// -----
func.func @width_elements(%x: !hls.stream<12 x 4 x si8>) {
  // C1: expected-error@+1 {{'hls.width' op expects a result of 48 elements, got 44}}
  %y = hls.width %x : !hls.stream<12 x 4 x si8> -> !hls.stream<11 x 4 x si8>
  return
}
