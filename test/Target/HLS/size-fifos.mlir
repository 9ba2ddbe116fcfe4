// RUN: qopt-opt %s --hls-size-fifos | FileCheck %s

// The window waits for two rows of an 8x8 image before its first tap of row 1
// is there, and the other branch has to hold what arrives meanwhile. It takes
// nothing of the next frame before it has written the last tap of this one: the
// stream in front of it holds that. The chain behind it needs no more than two.
// CHECK-LABEL: func.func @residual
// CHECK: %[[F:.*]]:2 = hls.fork
// CHECK-NEXT: %[[SKIP:.*]] = hls.fifo %[[F]]#1 depth 24
// CHECK-NEXT: %[[NEXT:.*]] = hls.fifo %[[F]]#0 depth 23
// CHECK-NEXT: hls.window %[[NEXT]]
// CHECK-NOT: hls.fifo
// CHECK: hls.add {{.*}}, %[[SKIP]]
func.func @residual(%x: !hls.stream<64 x 1 x si8>) -> !hls.stream<64 x 1 x si8> {
  %a, %b = hls.fork %x : !hls.stream<64 x 1 x si8> -> !hls.stream<64 x 1 x si8>, !hls.stream<64 x 1 x si8>
  %w = hls.window %a shape [8, 8, 1] kernel [3, 3] strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] fill 0 : !hls.stream<64 x 1 x si8> -> !hls.stream<576 x 1 x si8>
  %m = hls.mvu %w weights dense<3> : tensor<1x9xi8> bias dense<0> : tensor<1xi32> pe 1 simd 1 memory "lutram" : !hls.stream<576 x 1 x si8> -> !hls.stream<64 x 1 x si13>
  %r = hls.requantize %m channels 1 multipliers dense<65536> : tensor<1xi32> shifts dense<20> : tensor<1xi8> x_zp 0 zp 0 clamp [-128, 127] : !hls.stream<64 x 1 x si13> -> !hls.stream<64 x 1 x si8>
  %s = hls.add %r, %b multipliers [65536, 65536] shift 17 zps [0, 0] zp 0 clamp [-128, 127] : (!hls.stream<64 x 1 x si8>, !hls.stream<64 x 1 x si8>) -> !hls.stream<64 x 1 x si8>
  return %s : !hls.stream<64 x 1 x si8>
}
