// RUN: qopt-opt %s --qg-encode-integer-inputs --split-input-file | FileCheck %s

// (x - 128) / 64, moved between.
// CHECK-LABEL: func @centred(%arg0: tensor<1x3x2x!qg.q<ui8, 1.562500e-02 : 128>>
// CHECK: %[[D:.*]] = qg.dequantize %arg0
// CHECK: %[[T:.*]] = qg.transpose %[[D]]
// CHECK: return %[[T]]
func.func @centred(%x: tensor<1x3x2xui8>) -> tensor<1x2x3xf32> {
  %c = qg.constant dense<128.0> : tensor<f32> -> tensor<f32>
  %d = qg.constant dense<64.0> : tensor<f32> -> tensor<f32>
  %0 = qg.cast %x : tensor<1x3x2xui8> -> tensor<1x3x2xf32>
  %1 = qg.binary sub %0, %c : (tensor<1x3x2xf32>, tensor<f32>) -> tensor<1x3x2xf32>
  %2 = qg.transpose %1 perm [0, 2, 1] : tensor<1x3x2xf32> -> tensor<1x2x3xf32>
  %3 = qg.binary div %2, %d : (tensor<1x2x3xf32>, tensor<f32>) -> tensor<1x2x3xf32>
  return %3 : tensor<1x2x3xf32>
}

// -----
// A zero between two bytes stays an addition.
// CHECK-LABEL: func @between(%arg0: tensor<4x!qg.q<si8, 5.000000e-01 : 0>>
// CHECK: qg.dequantize
// CHECK: qg.binary add
func.func @between(%x: tensor<4xi8>) -> tensor<4xf32> {
  %c = qg.constant dense<0.25> : tensor<f32> -> tensor<f32>
  %h = qg.constant dense<0.5> : tensor<f32> -> tensor<f32>
  %0 = qg.cast %x : tensor<4xi8> -> tensor<4xf32>
  %1 = qg.binary mul %0, %h : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %2 = qg.binary add %1, %c : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %2 : tensor<4xf32>
}
