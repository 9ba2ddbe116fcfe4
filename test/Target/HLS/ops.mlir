// RUN: qopt-opt %s | qopt-opt | FileCheck %s

// A residual block: every op, parsed, verified and printed.
// CHECK-LABEL: func.func @every_op
func.func @every_op(%x: !hls.stream<16 x 4 x si8>) -> !hls.stream<8 x 1 x ui8> {
  // CHECK: %[[F:.*]]:2 = hls.fork
  %a, %b = hls.fork %x : !hls.stream<16 x 4 x si8> -> !hls.stream<16 x 4 x si8>, !hls.stream<16 x 4 x si8>
  // CHECK: hls.window {{.*}} kernel [3, 3]{{.*}} fill -128 : <16 x 4 x si8> -> <144 x 4 x si8>
  %w = hls.window %a shape [4, 4, 4] kernel [3, 3] strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] fill -128 : !hls.stream<16 x 4 x si8> -> !hls.stream<144 x 4 x si8>
  // CHECK: hls.mvu {{.*}} pe 2 simd 4 memory "lutram"
  %m = hls.mvu %w weights dense<1> : tensor<4x36xi8> bias dense<0> : tensor<4xi32> pe 2 simd 4 memory "lutram" : !hls.stream<144 x 4 x si8> -> !hls.stream<32 x 2 x si14>
  // CHECK: hls.requantize
  %r = hls.requantize %m channels 4 multipliers dense<65536> : tensor<1xi32> shifts dense<20> : tensor<1xi8> x_zp 0 zp 0 clamp [-128, 127] : !hls.stream<32 x 2 x si14> -> !hls.stream<32 x 2 x si8>
  // CHECK: hls.width
  %c = hls.width %r : !hls.stream<32 x 2 x si8> -> !hls.stream<16 x 4 x si8>
  // CHECK: hls.fifo {{.*}} depth 67 : <16 x 4 x si8>
  %d = hls.fifo %b depth 67 : !hls.stream<16 x 4 x si8>
  // CHECK: hls.add
  %s = hls.add %c, %d multipliers [65536, 131071] shift 17 zps [-128, 3] zp 0 clamp [-128, 127] : (!hls.stream<16 x 4 x si8>, !hls.stream<16 x 4 x si8>) -> !hls.stream<16 x 4 x si8>
  // CHECK: hls.window {{.*}} channels_outer
  %v = hls.window %s shape [4, 4, 4] kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] fill 0 channels_outer : !hls.stream<16 x 4 x si8> -> !hls.stream<16 x 4 x si8>
  // CHECK: hls.depthwise {{.*}} pe 4
  %e = hls.depthwise %v weights dense<1> : tensor<4x4xi8> bias dense<0> : tensor<4xi32> pe 4 memory "lutram" : !hls.stream<16 x 4 x si8> -> !hls.stream<4 x 4 x si10>
  // CHECK: hls.threshold {{.*}} low -2
  %t = hls.threshold %e channels 4 thresholds dense<[[-4, 0, 9]]> : tensor<1x3xi32> low -2 : !hls.stream<4 x 4 x si10> -> !hls.stream<4 x 4 x si2>
  %p, %q = hls.fork %t : !hls.stream<4 x 4 x si2> -> !hls.stream<4 x 4 x si2>, !hls.stream<4 x 4 x si2>
  // CHECK: hls.pool {{.*}} kind "max" taps 4 channels 4 bias 0 global
  %g = hls.pool %p kind "max" taps 4 channels 4 bias 0 global : !hls.stream<4 x 4 x si2> -> !hls.stream<1 x 4 x si2>
  %h = hls.pool %q kind "max" taps 4 channels 4 bias 0 global : !hls.stream<4 x 4 x si2> -> !hls.stream<1 x 4 x si2>
  // CHECK: hls.join {{.*}} channels [4, 4]
  %j = hls.join %g, %h channels [4, 4] : (!hls.stream<1 x 4 x si2>, !hls.stream<1 x 4 x si2>) -> !hls.stream<2 x 4 x si2>
  %k, %l = hls.fork %j : !hls.stream<2 x 4 x si2> -> !hls.stream<2 x 4 x si2>, !hls.stream<2 x 4 x si2>
  // CHECK: hls.mul {{.*}} zps [0, 1]
  %n = hls.mul %k, %l zps [0, 1] : (!hls.stream<2 x 4 x si2>, !hls.stream<2 x 4 x si2>) -> !hls.stream<2 x 4 x si5>
  %o = hls.width %n : !hls.stream<2 x 4 x si5> -> !hls.stream<8 x 1 x si5>
  // CHECK: hls.lut
  %y = hls.lut %o table dense<1> : tensor<256xi8> : !hls.stream<8 x 1 x si5> -> !hls.stream<8 x 1 x ui8>
  return %y : !hls.stream<8 x 1 x ui8>
}

// Groups take turns; a row of 4 pixels of 2x2 blocks becomes two rows of 8.
// CHECK-LABEL: func.func @groups_and_orders
func.func @groups_and_orders(%x: !hls.stream<32 x 2 x si8>) -> !hls.stream<32 x 3 x si12> {
  // CHECK: hls.mvu {{.*}} pe 3 simd 2 memory "lutram" groups 4
  %m = hls.mvu %x weights dense<1> : tensor<12x2xi8> bias dense<0> : tensor<12xi32> pe 3 simd 2 memory "lutram" groups 4 : !hls.stream<32 x 2 x si8> -> !hls.stream<32 x 3 x si12>
  // CHECK: hls.permute {{.*}} shape [2, 4, 2, 2, 3] permutation [0, 2, 1, 3, 4]
  %y = hls.permute %m shape [2, 4, 2, 2, 3] permutation [0, 2, 1, 3, 4] : !hls.stream<32 x 3 x si12> -> !hls.stream<32 x 3 x si12>
  return %y : !hls.stream<32 x 3 x si12>
}
