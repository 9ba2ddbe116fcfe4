// RUN: qopt-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(fxp-hold-signed))' | FileCheck %s

// The input is flipped once; zero points and clamps of what lies inside move by
// 128; the requantize before the result writes unsigned bytes by itself.
// CHECK-LABEL: func.func @inside
// CHECK: %[[X:.*]] = fxp.lut %arg0 table dense_resource<flip
// CHECK: %[[A:.*]] = fxp.conv %[[X]], {{.*}} x_zp 2 : (
// CHECK: %[[Y:.*]] = fxp.requantize %[[A]] scales {{.*}} x_zp 0 zp -128 clamp [-128, 127] mode
// CHECK: %[[P:.*]] = fxp.max_pool %[[Y]]
// CHECK-NOT: x_unsigned
// CHECK: %[[S:.*]] = fxp.sum_pool %[[P]] {{.*}} x_zp -128 :
// CHECK: %[[R:.*]] = fxp.requantize %[[S]] {{.*}} zp 7 clamp [0, 255] unsigned mode
// CHECK: return %[[R]]
func.func @inside(%x: tensor<1x4x4x4xi8> {qg.encoding = !qg.q<ui8, 0.5 : 130>})
    -> (tensor<1x1x1x4xi8> {qg.encoding = !qg.q<ui8, 0.5 : 7>}) {
  %w = qg.constant dense<1> : tensor<4x1x1x4xi8> -> tensor<4x1x1x4xi8>
  %b = qg.constant dense<0> : tensor<4xi32> -> tensor<4xi32>
  %0 = fxp.conv %x, %w, %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 x_zp 130 x_unsigned : (tensor<1x4x4x4xi8>, tensor<4x1x1x4xi8>, tensor<4xi32>) -> tensor<1x4x4x4xi32>
  %1 = fxp.requantize %0 scales dense<0.125> : tensor<1xf32> x_zp 0 zp 0 clamp [0, 255] unsigned mode <"fixed", 31> : tensor<1x4x4x4xi32> -> tensor<1x4x4x4xi8>
  %2 = fxp.max_pool %1 kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] x_unsigned : tensor<1x4x4x4xi8> -> tensor<1x2x2x4xi8>
  %3 = fxp.sum_pool %2 kernel [2, 2] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] x_zp 0 x_unsigned : tensor<1x2x2x4xi8> -> tensor<1x1x1x4xi32>
  %4 = fxp.requantize %3 scales dense<0.125> : tensor<1xf32> x_zp 0 zp 7 clamp [0, 255] unsigned mode <"fixed", 31> : tensor<1x1x1x4xi32> -> tensor<1x1x1x4xi8>
  return %4 : tensor<1x1x1x4xi8>
}

// -----

// A result that is read inside as well is held signed and flipped at the end.
// CHECK-LABEL: func.func @both
// CHECK: %[[Y:.*]] = fxp.requantize %arg0 {{.*}} x_zp 0 zp -128 clamp [-128, 127] mode
// CHECK: %[[Z:.*]] = fxp.requantize %[[Y]] {{.*}} x_zp -128 zp 0 clamp [-128, 127] mode
// CHECK: %[[F:.*]] = fxp.lut %[[Y]] table dense_resource<flip
// CHECK: return %[[F]], %[[Z]]
func.func @both(%x: tensor<4xi8> {qg.encoding = !qg.q<si8, 0.5 : 0>})
    -> (tensor<4xi8> {qg.encoding = !qg.q<ui8, 0.5 : 0>}, tensor<4xi8> {qg.encoding = !qg.q<si8, 0.5 : 0>}) {
  %0 = fxp.requantize %x scales dense<0.125> : tensor<1xf32> x_zp 0 zp 0 clamp [0, 255] unsigned mode <"fixed", 31> : tensor<4xi8> -> tensor<4xi8>
  %1 = fxp.requantize %0 scales dense<0.125> : tensor<1xf32> x_zp 0 x_unsigned zp 0 clamp [-128, 127] mode <"fixed", 31> : tensor<4xi8> -> tensor<4xi8>
  return %0, %1 : tensor<4xi8>, tensor<4xi8>
}

// -----

// Tables follow on both sides, constants as well.
// CHECK-LABEL: func.func @table
// CHECK: qg.constant dense<[-128, -127, 127, 0]> : tensor<4xi8>
// CHECK: fxp.add %{{.*}}, %{{.*}} scales [5.000000e-01, 5.000000e-01] zps [-128, -118] zp 0 clamp [-128, 127] mode
func.func @table(%x: tensor<4xi8> {qg.encoding = !qg.q<ui8, 0.5 : 0>})
    -> (tensor<4xi8> {qg.encoding = !qg.q<si8, 0.5 : 0>}) {
  %c = qg.constant dense<[0, 1, -1, -128]> : tensor<4xi8> -> tensor<4xi8>
  %0 = fxp.add %x, %c scales [0.5, 0.5] zps [0, 10] zp 0 clamp [-128, 127] lhs_unsigned rhs_unsigned mode <"fixed", 31> : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi8>
  return %0 : tensor<4xi8>
}

// -----

// Floats at both ends: what is quantized here is held signed as well, and what
// becomes floats is read so.
// CHECK-LABEL: func.func @floats
// CHECK: %[[Q:.*]] = fxp.quantize %arg0 {{.*}} zps [0] axis 0 clamp [-128, 127] :
// CHECK: %[[A:.*]] = fxp.conv %[[Q]], {{.*}} x_zp 0 : (
// CHECK: %[[Y:.*]] = fxp.requantize %[[A]] {{.*}} x_zp 0 zp -118 clamp [-128, 127] mode
// CHECK: %[[P:.*]] = qg.pad constant %[[Y]] value %[[V:.*]] low
// CHECK: fxp.dequantize %[[P]] {{.*}} zps [-118] axis 0 :
func.func @floats(%x: tensor<1x4x4x4xf32>) -> tensor<1x5x4x4xf32> {
  %w = qg.constant dense<1> : tensor<4x1x1x4xi8> -> tensor<4x1x1x4xi8>
  %b = qg.constant dense<0> : tensor<4xi32> -> tensor<4xi32>
  %v = qg.constant dense<10> : tensor<i8> -> tensor<i8>
  %q = fxp.quantize %x scales dense<0.5> : tensor<1xf32> zps [128] axis 0 clamp [0, 255] unsigned : tensor<1x4x4x4xf32> -> tensor<1x4x4x4xi8>
  %0 = fxp.conv %q, %w, %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 x_zp 128 x_unsigned : (tensor<1x4x4x4xi8>, tensor<4x1x1x4xi8>, tensor<4xi32>) -> tensor<1x4x4x4xi32>
  %1 = fxp.requantize %0 scales dense<0.125> : tensor<1xf32> x_zp 0 zp 10 clamp [0, 255] unsigned mode <"fixed", 31> : tensor<1x4x4x4xi32> -> tensor<1x4x4x4xi8>
  %2 = qg.pad constant %1 value %v low [0, 1, 0, 0] high [0, 0, 0, 0] : (tensor<1x4x4x4xi8>, tensor<i8>) -> tensor<1x5x4x4xi8>
  %3 = fxp.dequantize %2 scales dense<0.5> : tensor<1xf32> zps [10] axis 0 x_unsigned : tensor<1x5x4x4xi8> -> tensor<1x5x4x4xf32>
  return %3 : tensor<1x5x4x4xf32>
}

// -----

// The rows of a table, each element with its own zero point; products of
// groups; a result that is quantized for the caller alone stays as it is.
// CHECK-LABEL: func.func @groups
// CHECK: qg.constant dense<{{.*}}-118, -128], [127, 0]]> : tensor<2x2xi8>
// CHECK: fxp.dequantize {{.*}} zps [-128, -120] axis 1 :
// CHECK: %[[Q:.*]] = fxp.quantize %arg0 {{.*}} zps [2] axis 0 clamp [-128, 127] :
// CHECK: fxp.group_matmul %[[Q]], {{.*}} group 4 lhs_zp 2 lhs_scale
// CHECK: %[[R:.*]] = fxp.quantize {{.*}} zps [7] axis 0 clamp [0, 255] unsigned :
// CHECK: return %{{.*}}, %[[R]]
func.func @groups(%x: tensor<1x8xf32>, %i: tensor<3xi64>)
    -> (tensor<3x2xf32>, tensor<1x2xi8> {qg.encoding = !qg.q<ui8, 0.5 : 7>}) {
  %t = qg.constant dense<[[10, 0], [-1, -128]]> : tensor<2x2xi8> -> tensor<2x2xi8>
  %w = qg.constant dense<1> : tensor<2x8xi8> -> tensor<2x8xi8>
  %s = qg.constant dense<1.0> : tensor<2x2xf32> -> tensor<2x2xf32>
  %b = qg.constant dense<0.0> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.gather %t, %i axis 0 : (tensor<2x2xi8>, tensor<3xi64>) -> tensor<3x2xi8>
  %1 = fxp.dequantize %0 scales dense<0.5> : tensor<2xf32> zps [0, 8] axis 1 x_unsigned : tensor<3x2xi8> -> tensor<3x2xf32>
  %q = fxp.quantize %x scales dense<0.5> : tensor<1xf32> zps [130] axis 0 clamp [0, 255] unsigned : tensor<1x8xf32> -> tensor<1x8xi8>
  %2 = fxp.group_matmul %q, %w, %s, %b group 4 lhs_zp 130 lhs_unsigned lhs_scale 0.5 : (tensor<1x8xi8>, tensor<2x8xi8>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %3 = fxp.quantize %2 scales dense<0.5> : tensor<1xf32> zps [7] axis 0 clamp [0, 255] unsigned : tensor<1x2xf32> -> tensor<1x2xi8>
  return %1, %3 : tensor<3x2xf32>, tensor<1x2xi8>
}

// -----

// An op that reads bytes in a way not known to the pass: all stays unsigned.
// CHECK-LABEL: func.func @unknown
// CHECK: fxp.requantize {{.*}} zp 0 clamp [0, 255] unsigned mode
// CHECK: qg.unary
// CHECK: fxp.dequantize {{.*}} x_unsigned
func.func @unknown(%x: tensor<4xi32>) -> (tensor<4xi8>, tensor<4xf32>) {
  %0 = fxp.requantize %x scales dense<0.125> : tensor<1xf32> x_zp 0 zp 0 clamp [0, 255] unsigned mode <"fixed", 31> : tensor<4xi32> -> tensor<4xi8>
  %1 = qg.unary neg %0 : tensor<4xi8> -> tensor<4xi8>
  %2 = fxp.dequantize %0 scales dense<0.5> : tensor<1xf32> zps [0] axis 0 x_unsigned : tensor<4xi8> -> tensor<4xf32>
  return %1, %2 : tensor<4xi8>, tensor<4xf32>
}

// -----

// Zeros that no constant holds cannot be toggled: all stays unsigned.
// CHECK-LABEL: func.func @zeros
// CHECK-NEXT: qg.pad constant %arg0
// CHECK-NEXT: return
func.func @zeros(%x: tensor<4xi8> {qg.encoding = !qg.q<ui8, 0.5 : 0>}) -> (tensor<6xi8> {qg.encoding = !qg.q<ui8, 0.5 : 0>}) {
  %0 = qg.pad constant %x low [1] high [1] : (tensor<4xi8>) -> tensor<6xi8>
  return %0 : tensor<6xi8>
}
