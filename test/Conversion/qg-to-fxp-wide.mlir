// RUN: qopt-opt %s --convert-qg-to-fxp=requantize-mode=fixed:31 | FileCheck %s

!x = !qg.q<si16, 0.001 : 0>
!u = !qg.q<ui16, 0.001 : 30000>
!v = !qg.q<ui16, 0.001 : 0>
!b = !qg.q<si8, 0.25 : 1>
!w = !qg.q<si8, 0.25 : 0>

// Sums of 16 by 8 bits have 32 bits where their weights prove it.
// CHECK-LABEL: func @products
// CHECK: fxp.matmul {{.*}} : (tensor<1x4xi16>, tensor<4x2xi8>, tensor<2xi32>) -> tensor<1x2xi32>
// CHECK: fxp.requantize {{.*}} clamp [0, 32767] mode <fixed, 31> : tensor<1x2xi32> -> tensor<1x2xi16>
func.func @products(%x: tensor<1x4x!x>) -> tensor<1x2x!x> {
  %w = qg.constant dense<127> : tensor<4x2xi8> -> tensor<4x2x!w>
  %0 = qg.matmul %x, %w clamp [0, 32767] : (tensor<1x4x!x>, tensor<4x2x!w>) -> tensor<1x2x!x>
  return %0 : tensor<1x2x!x>
}

// 600 weights of 127 may add up to more.
// CHECK-LABEL: func @wide_products
// CHECK: fxp.matmul {{.*}} lhs_unsigned {{.*}} : (tensor<1x600xi16>, tensor<600x2xi8>, tensor<2xi64>) -> tensor<1x2xi64>
// CHECK: fxp.requantize {{.*}} : tensor<1x2xi64> -> tensor<1x2xi16>
func.func @wide_products(%x: tensor<1x600x!u>) -> tensor<1x2x!u> {
  %w = qg.constant dense<127> : tensor<600x2xi8> -> tensor<600x2x!w>
  %0 = qg.matmul %x, %w : (tensor<1x600x!u>, tensor<600x2x!w>) -> tensor<1x2x!u>
  return %0 : tensor<1x2x!u>
}

// CHECK-LABEL: func @elements
// CHECK: fxp.add {{.*}} : (tensor<1x4xi16>, tensor<1x4xi8>) -> tensor<1x4xi16>
// CHECK: fxp.mul {{.*}} : (tensor<1x4xi16>, tensor<1x4xi16>) -> tensor<1x4xi32>
// CHECK: fxp.mul {{.*}} : (tensor<1x4xi16>, tensor<1x4xi16>) -> tensor<1x4xi64>
// CHECK: fxp.requantize {{.*}} : tensor<1x4xi64> -> tensor<1x4xi8>
func.func @elements(%x: tensor<1x4x!x>, %u: tensor<1x4x!v>, %y: tensor<1x4x!b>) -> (tensor<1x4x!x>, tensor<1x4x!x>, tensor<1x4x!b>) {
  %0 = qg.binary add %x, %y : (tensor<1x4x!x>, tensor<1x4x!b>) -> tensor<1x4x!x>
  %1 = qg.binary mul %x, %x : (tensor<1x4x!x>, tensor<1x4x!x>) -> tensor<1x4x!x>
  %2 = qg.binary mul %u, %u : (tensor<1x4x!v>, tensor<1x4x!v>) -> tensor<1x4x!b>
  return %0, %1, %2 : tensor<1x4x!x>, tensor<1x4x!x>, tensor<1x4x!b>
}

// A relu of 16 bits is a requantization; what is none takes a table.
// CHECK-LABEL: func @functions
// CHECK: fxp.requantize {{.*}} clamp [0, 32767] mode <fixed, 31> : tensor<4xi16> -> tensor<4xi16>
// CHECK: fxp.lut {{.*}} : tensor<65536xi16> : tensor<4xi16> -> tensor<4xi16>
// CHECK: fxp.lut {{.*}} : tensor<256xi16> : tensor<4xi8> -> tensor<4xi16>
func.func @functions(%x: tensor<4x!x>, %y: tensor<4x!b>) -> (tensor<4x!x>, tensor<4x!x>, tensor<4x!x>) {
  %r = qg.dequantize %x : tensor<4x!x> -> tensor<4xf32>
  %0 = qg.unary relu %r : tensor<4xf32> -> tensor<4xf32>
  %1 = qg.quantize %0 : tensor<4xf32> -> tensor<4x!x>
  %2 = qg.unary tanh %r : tensor<4xf32> -> tensor<4xf32>
  %3 = qg.quantize %2 : tensor<4xf32> -> tensor<4x!x>
  %s = qg.dequantize %y : tensor<4x!b> -> tensor<4xf32>
  %4 = qg.unary tanh %s : tensor<4xf32> -> tensor<4xf32>
  %5 = qg.quantize %4 : tensor<4xf32> -> tensor<4x!x>
  return %1, %3, %5 : tensor<4x!x>, tensor<4x!x>, tensor<4x!x>
}
