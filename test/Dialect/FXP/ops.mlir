// RUN: qopt-opt %s | qopt-opt | FileCheck %s
// RUN: qopt-opt %s --emit-bytecode | qopt-opt | FileCheck %s

// Every op in text and in bytecode; absent flags mean signed.

// CHECK-LABEL: func @linear
func.func @linear(%x: tensor<1x4x4x2xi8>, %w: tensor<3x1x1x2xi8>, %v: tensor<3x5xi8>, %b: tensor<3xi32>, %c: tensor<5xi32>) -> tensor<1x4x4x5xi32> {
  // CHECK: fxp.conv %{{.*}}, %{{.*}}, %{{.*}} strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 x_zp 128 x_unsigned : (tensor<1x4x4x2xi8>, tensor<3x1x1x2xi8>, tensor<3xi32>) -> tensor<1x4x4x3xi32>
  %0 = fxp.conv %x, %w, %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 x_zp 128 x_unsigned : (tensor<1x4x4x2xi8>, tensor<3x1x1x2xi8>, tensor<3xi32>) -> tensor<1x4x4x3xi32>
  // CHECK: fxp.requantize %{{.*}} scales dense<[1.000000e+00, 5.000000e-01, 2.500000e-01]> : tensor<3xf32> x_zp 0 zp -3 clamp [-128, 100] mode <fixed, 31> : tensor<1x4x4x3xi32> -> tensor<1x4x4x3xi8>
  %1 = fxp.requantize %0 scales dense<[1.0, 0.5, 0.25]> : tensor<3xf32> x_zp 0 zp -3 clamp [-128, 100] mode <fixed, 31> : tensor<1x4x4x3xi32> -> tensor<1x4x4x3xi8>
  %2 = qg.reshape %1 : tensor<1x4x4x3xi8> -> tensor<1x4x4x3xi8>
  // CHECK: fxp.matmul %{{.*}}, %{{.*}}, %{{.*}} lhs_zp -3 rhs_zp 1 rhs_unsigned : (tensor<1x4x4x3xi8>, tensor<3x5xi8>, tensor<5xi32>) -> tensor<1x4x4x5xi32>
  %3 = fxp.matmul %2, %v, %c lhs_zp -3 rhs_zp 1 rhs_unsigned : (tensor<1x4x4x3xi8>, tensor<3x5xi8>, tensor<5xi32>) -> tensor<1x4x4x5xi32>
  return %3 : tensor<1x4x4x5xi32>
}

// CHECK-LABEL: func @stored_weights
func.func @stored_weights(%x: tensor<2x6xf32>, %q: tensor<2x6xi8>, %r: tensor<2xf32>, %w: tensor<3x6xi8>, %s: tensor<3x2xf32>, %z: tensor<3x2xi8>, %b: tensor<3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) {
  // CHECK: fxp.decode_matmul %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} block [1, 4] : (tensor<2x6xf32>, tensor<3x6xi8>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %0 = fxp.decode_matmul %x, %w, %s, %b block [1, 4] : (tensor<2x6xf32>, tensor<3x6xi8>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: fxp.decode_matmul %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} zps %{{.*}} block [1, 4] :
  %1 = fxp.decode_matmul %x, %w, %s, %b zps %z block [1, 4] : (tensor<2x6xf32>, tensor<3x6xi8>, tensor<3x2xf32>, tensor<3xf32>, tensor<3x2xi8>) -> tensor<2x3xf32>
  // CHECK: fxp.group_matmul %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} rhs_zps %{{.*}} group 4 lhs_zp 0 lhs_scale 1.000000e+00 :
  %2 = fxp.group_matmul %q, %w, %s, %b, %r rhs_zps %z group 4 lhs_zp 0 lhs_scale 1.0 : (tensor<2x6xi8>, tensor<3x6xi8>, tensor<3x2xf32>, tensor<3xf32>, tensor<2xf32>, tensor<3x2xi8>) -> tensor<2x3xf32>
  return %0, %1, %2 : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>
}

// CHECK-LABEL: func @elementwise
func.func @elementwise(%x: tensor<2x4xi8>, %y: tensor<4xi8>) -> (tensor<2x4xi8>, tensor<2x4xi32>) {
  // CHECK: fxp.add %{{.*}}, %{{.*}} scales [5.000000e-01, -2.500000e-01] zps [128, 0] zp 3 clamp [3, 255] lhs_unsigned unsigned mode <pow2> : (tensor<2x4xi8>, tensor<4xi8>) -> tensor<2x4xi8>
  %0 = fxp.add %x, %y scales [0.5, -0.25] zps [128, 0] zp 3 clamp [3, 255] lhs_unsigned unsigned mode <pow2> : (tensor<2x4xi8>, tensor<4xi8>) -> tensor<2x4xi8>
  // CHECK: fxp.mul %{{.*}}, %{{.*}} zps [3, 0] lhs_unsigned rhs_unsigned : (tensor<2x4xi8>, tensor<4xi8>) -> tensor<2x4xi32>
  %1 = fxp.mul %0, %y zps [3, 0] lhs_unsigned rhs_unsigned : (tensor<2x4xi8>, tensor<4xi8>) -> tensor<2x4xi32>
  // CHECK: fxp.lut %{{.*}} table dense<7> : tensor<256xi8> : tensor<2x4xi8> -> tensor<2x4xi8>
  %2 = fxp.lut %0 table dense<7> : tensor<256xi8> : tensor<2x4xi8> -> tensor<2x4xi8>
  return %2, %1 : tensor<2x4xi8>, tensor<2x4xi32>
}

// CHECK-LABEL: func @softmax
func.func @softmax(%x: tensor<2x4xi8>) -> tensor<2x4xi8> {
  // CHECK: fxp.softmax %{{.*}} table dense<1> : tensor<256xi32> x_unsigned zp -128 clamp [-128, 127] : tensor<2x4xi8> -> tensor<2x4xi8>
  %0 = fxp.softmax %x table dense<1> : tensor<256xi32> x_unsigned zp -128 clamp [-128, 127] : tensor<2x4xi8> -> tensor<2x4xi8>
  // CHECK: fxp.softmax %{{.*}} table dense<1> : tensor<256xi32> zp 0 clamp [0, 255] unsigned : tensor<2x4xi8> -> tensor<2x4xi8>
  %1 = fxp.softmax %0 table dense<1> : tensor<256xi32> zp 0 clamp [0, 255] unsigned : tensor<2x4xi8> -> tensor<2x4xi8>
  return %1 : tensor<2x4xi8>
}

// CHECK-LABEL: func @windows
func.func @windows(%x: tensor<1x4x4x2xi8>) -> (tensor<1x2x2x2xi8>, tensor<1x2x2x2xi32>, tensor<1x2xi32>) {
  // CHECK: fxp.max_pool %{{.*}} kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] x_unsigned : tensor<1x4x4x2xi8> -> tensor<1x2x2x2xi8>
  %0 = fxp.max_pool %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] x_unsigned : tensor<1x4x4x2xi8> -> tensor<1x2x2x2xi8>
  // CHECK: fxp.sum_pool %{{.*}} kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] x_zp 7 : tensor<1x4x4x2xi8> -> tensor<1x2x2x2xi32>
  %1 = fxp.sum_pool %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] x_zp 7 : tensor<1x4x4x2xi8> -> tensor<1x2x2x2xi32>
  // CHECK: fxp.sum %{{.*}} axes [1, 2] x_zp 7 x_unsigned : tensor<1x4x4x2xi8> -> tensor<1x2xi32>
  %2 = fxp.sum %x axes [1, 2] x_zp 7 x_unsigned : tensor<1x4x4x2xi8> -> tensor<1x2xi32>
  return %0, %1, %2 : tensor<1x2x2x2xi8>, tensor<1x2x2x2xi32>, tensor<1x2xi32>
}

// CHECK-LABEL: func @resize
func.func @resize(%x: tensor<1x2x8xi8>) -> tensor<1x4x8xi32> {
  // CHECK: fxp.resize %{{.*}} axes [1] taps [2] positions [0, 0, 0, 1, 0, 1, 1, 1] coefficients [2, 2, 3, 1, 1, 3, 2, 2] x_zp 3 x_unsigned : tensor<1x2x8xi8> -> tensor<1x4x8xi32>
  %a = fxp.resize %x axes [1] taps [2] positions [0, 0, 0, 1, 0, 1, 1, 1] coefficients [2, 2, 3, 1, 1, 3, 2, 2] x_zp 3 x_unsigned : tensor<1x2x8xi8> -> tensor<1x4x8xi32>
  return %a : tensor<1x4x8xi32>
}

// CHECK-LABEL: func @boundaries
func.func @boundaries(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  // CHECK: fxp.quantize %{{.*}} scales dense<[5.000000e-01, 2.500000e-01]> : tensor<2xf32> zps [1, 2] axis 0 clamp [0, 255] unsigned : tensor<2x4xf32> -> tensor<2x4xi8>
  %0 = fxp.quantize %x scales dense<[0.5, 0.25]> : tensor<2xf32> zps [1, 2] axis 0 clamp [0, 255] unsigned : tensor<2x4xf32> -> tensor<2x4xi8>
  // CHECK: fxp.dequantize %{{.*}} scales dense<5.000000e-01> : tensor<1xf32> zps [1] axis 0 x_unsigned : tensor<2x4xi8> -> tensor<2x4xf32>
  %1 = fxp.dequantize %0 scales dense<0.5> : tensor<1xf32> zps [1] axis 0 x_unsigned : tensor<2x4xi8> -> tensor<2x4xf32>
  return %1 : tensor<2x4xf32>
}

// Older files have the mode as a string.
// CHECK-LABEL: func @mode_as_a_string
func.func @mode_as_a_string(%x: tensor<4xi32>) -> tensor<4xi8> {
  // CHECK: clamp [-128, 127] mode <f32> : tensor<4xi32> -> tensor<4xi8>
  %0 = fxp.requantize %x scales dense<0.5> : tensor<1xf32> x_zp 0 zp 0 clamp [-128, 127] mode <"f32"> : tensor<4xi32> -> tensor<4xi8>
  return %0 : tensor<4xi8>
}
