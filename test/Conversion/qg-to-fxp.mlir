// RUN: qopt-opt %s --convert-qg-to-fxp | FileCheck %s
// RUN: qopt-opt %s --convert-qg-to-fxp=requantize-mode=fixed:31 | FileCheck %s --check-prefix=FIXED

// The types of arguments and results are kept as attributes, the scale is
// sx * sw / sy = 0.5 * 0.25 / 1, the bias 1 / (0.5 * 0.25), and without padding
// the zero point is a part of it: 8 - 3 * (1 + 2) = -1.
// CHECK-LABEL: func @conv
// CHECK-SAME:    (%[[X:.*]]: tensor<1x2x2x1xi8> {qg.encoding = !qg.q<ui8, 5.000000e-01 : 3>})
// FIXED-LABEL: func @conv
func.func @conv(%x: tensor<1x2x2x1x!qg.q<ui8, 0.5 : 3>>) -> tensor<1x1x2x1x!qg.q<ui8, 1.0 : 10>> {
  %w = qg.constant dense<[[[[1]], [[2]]]]> : tensor<1x2x1x1xi8> -> tensor<1x2x1x1x!qg.q<si8, 0.25 : 0>>
  %b = qg.constant dense<1.0> : tensor<1xf32> -> tensor<1xf32>
  // CHECK-DAG: %[[W:.*]] = qg.constant dense<{{.*}}1{{.*}}2{{.*}}> : tensor<1x2x1x1xi8> -> tensor<1x2x1x1xi8>
  // CHECK-DAG: %[[B:.*]] = qg.constant dense<-1> : tensor<1xi32>
  // CHECK: %[[A:.*]] = fxp.conv %[[X]], %[[W]], %[[B]] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 x_zp 0 x_unsigned
  // CHECK: fxp.requantize %[[A]] scales dense<1.250000e-01> : tensor<1xf32> x_zp 0 zp 10 clamp [10, 255] unsigned mode <f32>
  // FIXED: mode <{{"?}}fixed{{"?}}, 31>
  %y = qg.conv %x, %w bias %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 clamp [10, 255]
     : (tensor<1x2x2x1x!qg.q<ui8, 0.5 : 3>>, tensor<1x2x1x1x!qg.q<si8, 0.25 : 0>>, tensor<1xf32>) -> tensor<1x1x2x1x!qg.q<ui8, 1.0 : 10>>
  return %y : tensor<1x1x2x1x!qg.q<ui8, 1.0 : 10>>
}

// With padding the zero point stays an attribute; a float result is one
// multiplication; the zero point 128 of unsigned weights is taken off.
// CHECK-LABEL: func @padded_conv_to_float
func.func @padded_conv_to_float(%x: tensor<1x2x2x1x!qg.q<si8, 0.5 : 3>>) -> tensor<1x3x2x1xf32> {
  // CHECK-DAG: qg.constant dense<{{.*}}-128{{.*}}127{{.*}}> : tensor<1x2x1x1xi8> -> tensor<1x2x1x1xi8>
  %w = qg.constant dense<[[[[0]], [[-1]]]]> : tensor<1x2x1x1xi8> -> tensor<1x2x1x1x!qg.q<ui8, 0.25 : 128>>
  // CHECK: fxp.conv {{.*}} pads [1, 0, 1, 0] dilations [1, 1] groups 1 x_zp 3 :
  // CHECK: fxp.dequantize %{{.*}} scales dense<1.250000e-01> : tensor<1xf32> zps [0] axis 3 :
  %y = qg.conv %x, %w strides [1, 1] pads [1, 0, 1, 0] dilations [1, 1] groups 1
     : (tensor<1x2x2x1x!qg.q<si8, 0.5 : 3>>, tensor<1x2x1x1x!qg.q<ui8, 0.25 : 128>>) -> tensor<1x3x2x1xf32>
  return %y : tensor<1x3x2x1xf32>
}

// CHECK-LABEL: func @two_activations
func.func @two_activations(%a: tensor<2x4x!qg.q<ui8, 0.5 : 3>>, %b: tensor<4x2x!qg.q<si8, 0.5 : -4>>) -> tensor<2x2x!qg.q<ui8, 0.5 : 0>> {
  // CHECK: fxp.matmul {{.*}} lhs_zp 3 lhs_unsigned rhs_zp -4 :
  // CHECK: fxp.requantize %{{.*}} scales dense<5.000000e-01>
  %y = qg.matmul %a, %b : (tensor<2x4x!qg.q<ui8, 0.5 : 3>>, tensor<4x2x!qg.q<si8, 0.5 : -4>>) -> tensor<2x2x!qg.q<ui8, 0.5 : 0>>
  return %y : tensor<2x2x!qg.q<ui8, 0.5 : 0>>
}

// Kernel = stride: one matmul, then elements move.
// CHECK-LABEL: func @pixel_shuffle
func.func @pixel_shuffle(%x: tensor<1x2x3x1x!qg.q<ui8, 0.5 : 1>>) -> tensor<1x4x6x1x!qg.q<ui8, 0.5 : 1>> {
  %w = qg.constant dense<[[[[1], [2]], [[3], [4]]]]> : tensor<1x2x2x1xi8> -> tensor<1x2x2x1x!qg.q<si8, 1.0 : 0>>
  // CHECK-DAG: qg.constant dense<[-1, -2, -3, -4]> : tensor<4xi32>
  // CHECK-DAG: qg.reshape %{{.*}} : tensor<1x2x3x1xi8> -> tensor<6x1xi8>
  // CHECK: fxp.matmul {{.*}} transpose_rhs
  // CHECK: qg.reshape %{{.*}} : tensor<6x4xi8> -> tensor<1x2x3x2x2x1xi8>
  // CHECK: qg.transpose %{{.*}} perm [0, 1, 3, 2, 4, 5]
  // CHECK: qg.reshape %{{.*}} -> tensor<1x4x6x1xi8>
  %y = qg.conv_transpose %x, %w strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] output_padding [0, 0] groups 1
     : (tensor<1x2x3x1x!qg.q<ui8, 0.5 : 1>>, tensor<1x2x2x1x!qg.q<si8, 1.0 : 0>>) -> tensor<1x4x6x1x!qg.q<ui8, 0.5 : 1>>
  return %y : tensor<1x4x6x1x!qg.q<ui8, 0.5 : 1>>
}

// Otherwise zeros (the zero point) go between the elements, and the mirrored
// weights are a convolution of stride 1.
// CHECK-LABEL: func @overlapping_windows
func.func @overlapping_windows(%x: tensor<1x2x2x1x!qg.q<ui8, 0.5 : 7>>) -> tensor<1x3x3x1xf32> {
  %w = qg.constant dense<[[[[1], [2], [3]], [[4], [5], [6]], [[7], [8], [9]]]]> : tensor<1x3x3x1xi8> -> tensor<1x3x3x1x!qg.q<si8, 1.0 : 0>>
  // CHECK-DAG: %[[Z:.*]] = qg.constant dense<7> : tensor<i8>
  // CHECK: qg.pad constant %{{.*}} value %[[Z]] low [0, 0, 0, 0, 0, 0] high [0, 0, 1, 0, 1, 0]
  // CHECK: qg.slice %{{.*}} -> tensor<1x3x3x1xi8>
  // CHECK: qg.constant dense<{{.*}}9{{.*}}8{{.*}}1{{.*}}> : tensor<1x3x3x1xi8>
  // CHECK: fxp.conv {{.*}} strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 x_zp 7 x_unsigned
  %y = qg.conv_transpose %x, %w strides [2, 2] pads [1, 1, 1, 1] dilations [1, 1] output_padding [0, 0] groups 1
     : (tensor<1x2x2x1x!qg.q<ui8, 0.5 : 7>>, tensor<1x3x3x1x!qg.q<si8, 1.0 : 0>>) -> tensor<1x3x3x1xf32>
  return %y : tensor<1x3x3x1xf32>
}

// CHECK-LABEL: func @sums
func.func @sums(%a: tensor<4x!qg.q<ui8, 0.5 : 1>>, %b: tensor<4x!qg.q<si8, 0.25 : 2>>) -> (tensor<4x!qg.q<ui8, 1.0 : 3>>, tensor<4x!qg.q<ui8, 1.0 : 3>>, tensor<4x!qg.q<ui8, 1.0 : 3>>) {
  // CHECK: fxp.add %{{.*}} scales [5.000000e-01, 2.500000e-01] zps [1, 2] zp 3 clamp [0, 255] lhs_unsigned unsigned mode <f32>
  %0 = qg.binary add %a, %b : (tensor<4x!qg.q<ui8, 0.5 : 1>>, tensor<4x!qg.q<si8, 0.25 : 2>>) -> tensor<4x!qg.q<ui8, 1.0 : 3>>
  // CHECK: fxp.add %{{.*}} scales [5.000000e-01, -2.500000e-01] zps [1, 2] zp 3 clamp [3, 255]
  %1 = qg.binary sub %a, %b clamp [3, 255] : (tensor<4x!qg.q<ui8, 0.5 : 1>>, tensor<4x!qg.q<si8, 0.25 : 2>>) -> tensor<4x!qg.q<ui8, 1.0 : 3>>
  // CHECK: fxp.mul %{{.*}} zps [1, 2] lhs_unsigned
  // CHECK: fxp.requantize %{{.*}} scales dense<1.250000e-01>
  %2 = qg.binary mul %a, %b : (tensor<4x!qg.q<ui8, 0.5 : 1>>, tensor<4x!qg.q<si8, 0.25 : 2>>) -> tensor<4x!qg.q<ui8, 1.0 : 3>>
  return %0, %1, %2 : tensor<4x!qg.q<ui8, 1.0 : 3>>, tensor<4x!qg.q<ui8, 1.0 : 3>>, tensor<4x!qg.q<ui8, 1.0 : 3>>
}

// CHECK-LABEL: func @pools
func.func @pools(%x: tensor<1x4x4x2x!qg.q<ui8, 0.5 : 1>>) -> (tensor<1x2x2x2x!qg.q<ui8, 0.5 : 1>>, tensor<1x2x2x2x!qg.q<ui8, 0.25 : 0>>, tensor<1x4x4x2x!qg.q<ui8, 0.25 : 0>>) {
  // CHECK: fxp.max_pool %{{.*}} x_unsigned
  %0 = qg.pool max %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x4x4x2x!qg.q<ui8, 0.5 : 1>> -> tensor<1x2x2x2x!qg.q<ui8, 0.5 : 1>>
  // CHECK: fxp.sum_pool %{{.*}} x_zp 1 x_unsigned
  // CHECK: fxp.requantize %{{.*}} scales dense<5.000000e-01>
  %1 = qg.pool avg %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x4x4x2x!qg.q<ui8, 0.5 : 1>> -> tensor<1x2x2x2x!qg.q<ui8, 0.25 : 0>>
  // Windows at the edge count fewer positions: a mean of every region.
  // CHECK: %[[CORNER:.*]] = qg.slice %{{.*}} offsets [0, 0, 0, 0] strides [1, 1, 1, 1] : tensor<1x4x4x2xi8> -> tensor<1x2x2x2xi8>
  // CHECK: fxp.sum_pool %[[CORNER]] kernel [3, 3] strides [1, 1] pads [1, 1, 0, 0]
  // CHECK: fxp.requantize %{{.*}} scales dense<5.000000e-01>
  // CHECK: qg.concat {{.*}} axis 2 : (tensor<1x1x1x2xi8>, tensor<1x1x2x2xi8>, tensor<1x1x1x2xi8>) -> tensor<1x1x4x2xi8>
  // CHECK: qg.concat {{.*}} axis 1 : (tensor<1x1x4x2xi8>, tensor<1x2x4x2xi8>, tensor<1x1x4x2xi8>) -> tensor<1x4x4x2xi8>
  %2 = qg.pool avg %x kernel [3, 3] strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] : tensor<1x4x4x2x!qg.q<ui8, 0.5 : 1>> -> tensor<1x4x4x2x!qg.q<ui8, 0.25 : 0>>
  return %0, %1, %2 : tensor<1x2x2x2x!qg.q<ui8, 0.5 : 1>>, tensor<1x2x2x2x!qg.q<ui8, 0.25 : 0>>, tensor<1x4x4x2x!qg.q<ui8, 0.25 : 0>>
}

// Only the operand with another encoding is rescaled; moves move bytes; an
// absent padding value is the zero point.
// CHECK-LABEL: func @moves
func.func @moves(%a: tensor<1x4x!qg.q<ui8, 0.5 : 1>>, %b: tensor<1x4x!qg.q<ui8, 0.25 : 2>>) -> tensor<4x4x!qg.q<ui8, 0.5 : 1>> {
  // CHECK: %[[R:.*]] = fxp.requantize %arg1 scales dense<5.000000e-01> : tensor<1xf32> x_zp 2 x_unsigned zp 1
  // CHECK: qg.concat %arg0, %[[R]] axis 1 : (tensor<1x4xi8>, tensor<1x4xi8>) -> tensor<1x8xi8>
  %c = qg.concat %a, %b axis 1 : (tensor<1x4x!qg.q<ui8, 0.5 : 1>>, tensor<1x4x!qg.q<ui8, 0.25 : 2>>) -> tensor<1x8x!qg.q<ui8, 0.5 : 1>>
  // CHECK: qg.reshape %{{.*}} : tensor<1x8xi8> -> tensor<4x2xi8>
  %r = qg.reshape %c : tensor<1x8x!qg.q<ui8, 0.5 : 1>> -> tensor<4x2x!qg.q<ui8, 0.5 : 1>>
  // CHECK: %[[V:.*]] = qg.constant dense<1> : tensor<i8>
  // CHECK: qg.pad constant %{{.*}} value %[[V]]
  %p = qg.pad constant %r low [0, 1] high [0, 1] : (tensor<4x2x!qg.q<ui8, 0.5 : 1>>) -> tensor<4x4x!qg.q<ui8, 0.5 : 1>>
  return %p : tensor<4x4x!qg.q<ui8, 0.5 : 1>>
}

// CHECK-LABEL: func @boundaries
func.func @boundaries(%x: tensor<4xf32>, %i: tensor<4x!qg.q<ui8, 0.5 : 1>>) -> (tensor<4x!qg.q<ui8, 0.5 : 1>>, tensor<4xf32>, tensor<f32>) {
  // CHECK: fxp.quantize %{{.*}} scales dense<5.000000e-01> : tensor<1xf32> zps [1] axis 0 clamp [0, 255] unsigned
  %q = qg.quantize %x : tensor<4xf32> -> tensor<4x!qg.q<ui8, 0.5 : 1>>
  // CHECK: fxp.dequantize %{{.*}} scales dense<5.000000e-01> : tensor<1xf32> zps [1] axis 0 x_unsigned
  %d = qg.dequantize %i : tensor<4x!qg.q<ui8, 0.5 : 1>> -> tensor<4xf32>
  // CHECK: fxp.sum %{{.*}} axes [0] x_zp 1 x_unsigned
  // CHECK: fxp.dequantize %{{.*}} scales dense<5.000000e-01> : tensor<1xf32> zps [0] axis 0 :
  %s = qg.reduce sum %i axes [0] : tensor<4x!qg.q<ui8, 0.5 : 1>> -> tensor<f32>
  return %q, %d, %s : tensor<4x!qg.q<ui8, 0.5 : 1>>, tensor<4xf32>, tensor<f32>
}
