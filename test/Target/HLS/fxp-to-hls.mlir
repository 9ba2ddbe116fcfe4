// RUN: qopt-opt %s --convert-fxp-to-hls --split-input-file | FileCheck %s

// The zero point goes into the bias (5 - 2 * (1 + 2 + 3 + 4)); the sum of four
// products with bytes needs 12 bits; weights are transposed into rows.
// CHECK-LABEL: func.func @matmul
// CHECK-SAME:    (%[[X:.*]]: !hls.stream<4 x 1 x si8>) -> !hls.stream<1 x 1 x si8>
func.func @matmul(%x: tensor<1x4xi8>) -> tensor<1x1xi8> {
  %w = qg.constant dense<[[1], [2], [3], [4]]> : tensor<4x1xi8> -> tensor<4x1xi8>
  %b = qg.constant dense<5> : tensor<1xi32> -> tensor<1xi32>
  // CHECK: %[[A:.*]] = hls.mvu %[[X]] weights dense<{{\[\[}}1, 2, 3, 4]]> : tensor<1x4xi8> bias dense<-15> : tensor<1xi32> pe 1 simd 1 memory "auto" : <4 x 1 x si8> -> <1 x 1 x si12>
  %a = fxp.matmul %x, %w, %b lhs_zp 2 rhs_zp 0 : (tensor<1x4xi8>, tensor<4x1xi8>, tensor<1xi32>) -> tensor<1x1xi32>
  // 0.25 is 2^16 / 2^18.
  // CHECK: hls.requantize %[[A]] channels 1 multipliers dense<65536> : tensor<1xi32> shifts dense<18> : tensor<1xi8> x_zp 0 zp -128 clamp [-128, 127]
  %y = fxp.requantize %a scales dense<0.25> : tensor<1xf32> x_zp 0 zp -128 clamp [-128, 127] mode <"fixed", 17> : tensor<1x1xi32> -> tensor<1x1xi8>
  return %y : tensor<1x1xi8>
}

// -----
// Few levels: thresholds, also in mode f32. 0.25 * x rounds half to even, so
// that 2 / 4 and -2 / 4 are 0, and -6 / 4 is -2.
// CHECK-LABEL: func.func @threshold
func.func @threshold(%x: tensor<1x2xi8>) -> tensor<1x2xi8> {
  // CHECK: hls.threshold {{.*}} channels 2 thresholds dense<{{\[\[}}-5, -2, 3]]> : tensor<1x3xi32> low -2 : <2 x 1 x si8> -> <2 x 1 x si2>
  %y = fxp.requantize %x scales dense<0.25> : tensor<1xf32> x_zp 0 zp 0 clamp [-2, 1] mode <"f32"> : tensor<1x2xi8> -> tensor<1x2xi8>
  return %y : tensor<1x2xi8>
}

// -----
// Borders are the zero point; two readers get a fork; one group per channel is
// a depthwise unit, which wants its window with the channels outside.
// CHECK-LABEL: func.func @convolutions
// CHECK-SAME:    (%[[X:.*]]: !hls.stream<32 x 1 x ui8>)
func.func @convolutions(%x: tensor<1x4x4x2xi8>) -> (tensor<1x4x4x1xi32>, tensor<1x4x4x2xi32>) {
  // CHECK: %[[F:.*]]:2 = hls.fork %[[X]]
  %w = qg.constant dense<1> : tensor<1x3x3x2xi8> -> tensor<1x3x3x2xi8>
  %b = qg.constant dense<0> : tensor<1xi32> -> tensor<1xi32>
  // CHECK: %[[W:.*]] = hls.window %[[F]]#0 shape [4, 4, 2] kernel [3, 3] strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] fill 128 : <32 x 1 x ui8> -> <288 x 1 x ui8>
  // CHECK: hls.mvu %[[W]] {{.*}} bias dense<-2304>
  %y = fxp.conv %x, %w, %b strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 x_zp 128 x_unsigned : (tensor<1x4x4x2xi8>, tensor<1x3x3x2xi8>, tensor<1xi32>) -> tensor<1x4x4x1xi32>
  %v = qg.constant dense<1> : tensor<2x3x3x1xi8> -> tensor<2x3x3x1xi8>
  %c = qg.constant dense<0> : tensor<2xi32> -> tensor<2xi32>
  // CHECK: hls.window %[[F]]#1 {{.*}} fill 128 channels_outer
  // CHECK: hls.depthwise {{.*}} bias dense<-1152>
  %z = fxp.conv %x, %v, %c strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 2 x_zp 128 x_unsigned : (tensor<1x4x4x2xi8>, tensor<2x3x3x1xi8>, tensor<2xi32>) -> tensor<1x4x4x2xi32>
  return %y, %z : tensor<1x4x4x1xi32>, tensor<1x4x4x2xi32>
}

// -----
// A pool over the whole image needs no window; reshapes are nothing.
// CHECK-LABEL: func.func @global_pool
func.func @global_pool(%x: tensor<1x4x4x2xi8>) -> tensor<1x2xi32> {
  // CHECK-NEXT: hls.pool {{.*}} kind "sum" taps 16 channels 2 bias 2048 global : <32 x 1 x si8> -> <2 x 1 x ui12>
  // CHECK-NEXT: return
  %a = fxp.sum_pool %x kernel [4, 4] strides [4, 4] pads [0, 0, 0, 0] dilations [1, 1] x_zp -128 : tensor<1x4x4x2xi8> -> tensor<1x1x1x2xi32>
  %y = qg.reshape %a : tensor<1x1x1x2xi32> -> tensor<1x2xi32>
  return %y : tensor<1x2xi32>
}

// -----
// A classifier's head stays integer.
// CHECK-LABEL: func.func @softmax
func.func @softmax(%x: tensor<1x10xi8>) -> tensor<1x10xi8> {
  // CHECK: hls.softmax %{{.*}} channels 10 table dense<7> : tensor<256xi32> zp -128 clamp [-128, 127] : <10 x 1 x si8> -> <10 x 1 x si8>
  %y = fxp.softmax %x table dense<7> : tensor<256xi32> zp -128 clamp [-128, 127] : tensor<1x10xi8> -> tensor<1x10xi8>
  return %y : tensor<1x10xi8>
}

// -----
// Groups are complete one after the other, and each is a vector.
// CHECK-LABEL: func.func @grouped
func.func @grouped(%x: tensor<1x4x4x4xi8>) -> tensor<1x4x4x6xi32> {
  %w = qg.constant dense<1> : tensor<6x3x3x2xi8> -> tensor<6x3x3x2xi8>
  %b = qg.constant dense<0> : tensor<6xi32> -> tensor<6xi32>
  // CHECK: hls.window {{.*}} channels_outer : <64 x 1 x si8> -> <576 x 1 x si8>
  // CHECK: hls.mvu {{.*}} groups 2 : <576 x 1 x si8> -> <96 x 1 x si13>
  %y = fxp.conv %x, %w, %b strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 2 x_zp 0 : (tensor<1x4x4x4xi8>, tensor<6x3x3x2xi8>, tensor<6xi32>) -> tensor<1x4x4x6xi32>
  return %y : tensor<1x4x4x6xi32>
}

// -----
// Depth to space; dimensions of one element do not count.
// CHECK-LABEL: func.func @depth_to_space
func.func @depth_to_space(%x: tensor<1x4x5x12xi8>) -> tensor<1x8x10x3xi8> {
  %s = qg.reshape %x : tensor<1x4x5x12xi8> -> tensor<1x4x5x3x2x2xi8>
  // CHECK-NEXT: hls.permute %{{.*}} shape [4, 5, 3, 2, 2] permutation [0, 3, 1, 4, 2] : <240 x 1 x si8> -> <240 x 1 x si8>
  %t = qg.transpose %s perm [0, 1, 4, 2, 5, 3] : tensor<1x4x5x3x2x2xi8> -> tensor<1x4x2x5x2x3xi8>
  %y = qg.reshape %t : tensor<1x4x2x5x2x3xi8> -> tensor<1x8x10x3xi8>
  return %y : tensor<1x8x10x3xi8>
}
