// RUN: qopt-opt %s --qcpu-select-kernels=features=+avx2,+fma | FileCheck %s

// Planes are put in front and behind first, then each is bordered as an image;
// then the rows of all planes are those of one image.

// CHECK-LABEL: func @volume
// CHECK: %[[X:.*]] = qg.reshape %{{.*}} -> tensor<2x4x30x8xi8>
// CHECK: %[[D:.*]] = qcpu.stage pads [1, 0, 2, 0] subtract 0 fill 7 ins(%[[X]]
// CHECK-SAME: -> tensor<2x7x30x8xi8>
// CHECK: %[[I:.*]] = qg.reshape %[[D]] : tensor<2x7x30x8xi8> -> tensor<14x5x6x8xi8>
// CHECK: %[[S:.*]] = qcpu.stage pads [1, 1, 1, 1] subtract 7 fill 0 ins(%[[I]]
// CHECK-SAME: -> tensor<14x7x8x8xi16>
// CHECK: %[[R:.*]] = qg.reshape %[[S]] : tensor<14x7x8x8xi16> -> tensor<2x49x8x8xi16>
// CHECK: qcpu.conv {{.*}} kernel [9, 3] strides [1, 1] dilations [1, 1] planes [3, 7, 5, 14] groups 1
// CHECK-SAME: ins(%[[R]],
// CHECK: qg.reshape %{{.*}} : tensor<2x15x6x16xi8> -> tensor<2x3x5x6x16xi8>
func.func @volume(%x: tensor<2x4x5x6x8xi8>) -> tensor<2x3x5x6x16xi8> {
  %w = qg.constant dense<1> : tensor<16x3x3x3x8xi8> -> tensor<16x3x3x3x8xi8>
  %b = qg.constant dense<5> : tensor<16xi32> -> tensor<16xi32>
  %a = fxp.conv %x, %w, %b strides [2, 1, 1] pads [1, 1, 1, 2, 1, 1]
       dilations [1, 1, 1] groups 1 x_zp 7
       : (tensor<2x4x5x6x8xi8>, tensor<16x3x3x3x8xi8>, tensor<16xi32>) -> tensor<2x3x5x6x16xi32>
  %y = fxp.requantize %a scales dense<0.25> : tensor<1xf32> x_zp 0 zp 0
       clamp [-128, 127] mode <"f32"> : tensor<2x3x5x6x16xi32> -> tensor<2x3x5x6x16xi8>
  return %y : tensor<2x3x5x6x16xi8>
}

// Planes that are read by themselves are images.

// CHECK-LABEL: func @pointwise
// CHECK-NOT: qcpu.stage
// CHECK: qcpu.conv "fma" {{.*}} dilations [1, 1] groups 1
// CHECK-SAME: tensor<4x5x6x8xf32>
func.func @pointwise(%x: tensor<1x4x5x6x8xf32>) -> tensor<1x4x5x6x16xf32> {
  %w = qg.constant dense<0.5> : tensor<16x1x1x1x8xf32> -> tensor<16x1x1x1x8xf32>
  %y = qg.conv %x, %w strides [1, 1, 1] pads [0, 0, 0, 0, 0, 0]
       dilations [1, 1, 1] groups 1
       : (tensor<1x4x5x6x8xf32>, tensor<16x1x1x1x8xf32>) -> tensor<1x4x5x6x16xf32>
  return %y : tensor<1x4x5x6x16xf32>
}
