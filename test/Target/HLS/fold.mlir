// RUN: qopt-opt %s --hls-fold=cycles=200 | FileCheck %s
// RUN: qopt-opt %s --hls-fold=part=xc7z020 | FileCheck %s --check-prefix=FIT
// RUN: not qopt-opt %s --hls-fold=part=xc1 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// UNKNOWN: unknown part 'xc1'

// 16 vectors times 8x36 weights in 200 cycles: 36 / 4 column folds allow one
// row fold (144 cycles), with 8 times 4 multipliers. The requantizer has 128
// elements and stays at one lane; a converter narrows the stream.
// CHECK-LABEL: func.func @conv
// CHECK-SAME:    (%{{.*}}: !hls.stream<16 x 4 x si8>) -> !hls.stream<128 x 1 x si8>
// CHECK: hls.window {{.*}} <16 x 4 x si8> -> <144 x 4 x si8>
// CHECK: hls.mvu {{.*}} pe 8 simd 4 memory "lutram"
// CHECK: hls.width {{.*}} <16 x 8 x si15> -> <128 x 1 x si15>
// CHECK: hls.requantize {{.*}} <128 x 1 x si15> -> <128 x 1 x si8>

// Nothing is in the way of the fastest: 144 cycles.
// FIT: hls.mvu {{.*}} pe 8 simd 4
func.func @conv(%x: !hls.stream<64 x 1 x si8>) -> !hls.stream<128 x 1 x si8> {
  %w = hls.window %x shape [4, 4, 4] kernel [3, 3] strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] fill 0 : !hls.stream<64 x 1 x si8> -> !hls.stream<576 x 1 x si8>
  %m = hls.mvu %w weights dense<3> : tensor<8x36xi8> bias dense<0> : tensor<8xi32> pe 1 simd 1 memory "auto" : !hls.stream<576 x 1 x si8> -> !hls.stream<128 x 1 x si15>
  %r = hls.requantize %m channels 8 multipliers dense<65536> : tensor<1xi32> shifts dense<20> : tensor<1xi8> x_zp 0 zp 0 clamp [-128, 127] : !hls.stream<128 x 1 x si15> -> !hls.stream<128 x 1 x si8>
  return %r : !hls.stream<128 x 1 x si8>
}
