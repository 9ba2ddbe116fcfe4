// RUN: qopt-opt %s --qg-encode-integer-inputs | FileCheck %s

// Two decodings share the bytes; integers that are read as such stay.
// CHECK-LABEL: func @kept(%arg0: tensor<4x!qg.q<ui8, 1.000000e+00 : 0>>, %arg1: tensor<4xui8>)
// CHECK: qg.binary mul
// CHECK: qg.cast %arg1
func.func @kept(%x: tensor<4xui8>, %y: tensor<4xui8>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xi32>, tensor<4xf32>) {
  %h = qg.constant dense<0.5> : tensor<f32> -> tensor<f32>
  %0 = qg.cast %x : tensor<4xui8> -> tensor<4xf32>
  %1 = qg.binary mul %0, %h : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %2 = qg.cast %x : tensor<4xui8> -> tensor<4xf32>
  %3 = qg.cast %y : tensor<4xui8> -> tensor<4xi32>
  %4 = qg.cast %y : tensor<4xui8> -> tensor<4xf32>
  return %1, %2, %3, %4 : tensor<4xf32>, tensor<4xf32>, tensor<4xi32>, tensor<4xf32>
}
