// RUN: qopt-opt %s --convert-qg-to-fxp --split-input-file | FileCheck %s

// A function of one byte is a table; of two bytes it is computed in floats
// between the encodings.
!a = !qg.q<ui8, 0.5 : 3>
// CHECK-LABEL: func @one_and_two_bytes
// CHECK:       fxp.lut %arg0
// CHECK:       qg.binary div %{{.*}} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
// CHECK:       fxp.quantize
func.func @one_and_two_bytes(%x: tensor<4x!a>, %y: tensor<4x!a>) -> (tensor<4x!a>, tensor<4x!a>) {
  %f = qg.dequantize %x : tensor<4x!a> -> tensor<4xf32>
  %g = qg.dequantize %y : tensor<4x!a> -> tensor<4xf32>
  %0 = qg.unary sigmoid %f : tensor<4xf32> -> tensor<4xf32>
  %1 = qg.quantize %0 : tensor<4xf32> -> tensor<4x!a>
  %2 = qg.binary div %f, %g : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %3 = qg.quantize %2 : tensor<4xf32> -> tensor<4x!a>
  return %1, %3 : tensor<4x!a>, tensor<4x!a>
}

// -----
// Sixteen bits index no table of 256.
!w = !qg.q<ui16, 0.5 : 3>
// CHECK-LABEL: func @sixteen_bits
// CHECK-NOT:   fxp.lut
// CHECK:       fxp.dequantize
// CHECK:       qg.unary sigmoid
// CHECK:       fxp.quantize {{.*}} clamp [0, 65535] unsigned : tensor<4xf32> -> tensor<4xi16>
func.func @sixteen_bits(%x: tensor<4x!w>) -> tensor<4x!w> {
  %f = qg.dequantize %x : tensor<4x!w> -> tensor<4xf32>
  %0 = qg.unary sigmoid %f : tensor<4xf32> -> tensor<4xf32>
  %1 = qg.quantize %0 : tensor<4xf32> -> tensor<4x!w>
  return %1 : tensor<4x!w>
}

// -----
// A softmax looks at whole rows: no table.
!a = !qg.q<ui8, 0.5 : 3>
// CHECK-LABEL: func @softmax
// CHECK:       qg.softmax %{{.*}} : tensor<4xf32>
func.func @softmax(%x: tensor<4x!a>) -> tensor<4x!a> {
  %f = qg.dequantize %x : tensor<4x!a> -> tensor<4xf32>
  %0 = qg.softmax %f : tensor<4xf32> -> tensor<4xf32>
  %1 = qg.quantize %0 : tensor<4xf32> -> tensor<4x!a>
  return %1 : tensor<4x!a>
}

// -----
// Another shape enters the function: it is not of one byte alone.
!a = !qg.q<ui8, 0.5 : 3>
// CHECK-LABEL: func @by_channel
// CHECK-NOT:   fxp.lut
// CHECK:       qg.binary mul
func.func @by_channel(%x: tensor<2x2x!a>) -> tensor<2x2x!a> {
  %c = qg.constant dense<[1.5, 2.5]> : tensor<2xf32> -> tensor<2xf32>
  %f = qg.dequantize %x : tensor<2x2x!a> -> tensor<2x2xf32>
  %0 = qg.binary mul %f, %c : (tensor<2x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  %1 = qg.quantize %0 : tensor<2x2xf32> -> tensor<2x2x!a>
  return %1 : tensor<2x2x!a>
}

// -----
// A float graph stays as it is.
// CHECK-LABEL: func @floats
// CHECK-NEXT:  %[[Y:.*]] = qg.unary exp %arg0 : tensor<4xf32>
// CHECK-NEXT:  return %[[Y]]
func.func @floats(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = qg.unary exp %x : tensor<4xf32> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
