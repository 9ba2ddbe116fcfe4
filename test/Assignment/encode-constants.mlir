// RUN: qopt-opt %s --qg-encode-constants --split-input-file | FileCheck %s

// CHECK-LABEL: func @grid
// CHECK: %[[C:.*]] = qg.constant dense<[0, 51, -1]> : tensor<3xi8> -> tensor<3x!qg.q<ui8, 5.000000e-01 : 0>>
// CHECK: %[[D:.*]] = qg.dequantize %[[C]]
// CHECK: qg.binary add %arg0, %[[D]]
func.func @grid(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %c = qg.constant dense<[0.0, 25.5, 127.5]> : tensor<3xf32> -> tensor<3xf32>
  %0 = qg.binary add %x, %c : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----
// Exact.
// CHECK-LABEL: func @mask
// CHECK: qg.constant dense<[0, 1, 1]> : tensor<3xi8> -> tensor<3x!qg.q<ui8, 1.000000e+00 : 0>>
func.func @mask(%x: tensor<3xf32>) -> tensor<3xf32> {
  %c = qg.constant dense<[0.0, 1.0, 1.0]> : tensor<3xf32> -> tensor<3xf32>
  %0 = qg.binary mul %c, %x : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----
// CHECK-LABEL: func @token
// CHECK: %[[D:.*]] = qg.dequantize
// CHECK: qg.concat %[[D]], %arg0
func.func @token(%x: tensor<2x3xf32>) -> tensor<3x3xf32> {
  %c = qg.constant dense<0.5> : tensor<1x3xf32> -> tensor<1x3xf32>
  %0 = qg.concat %c, %x axis 0 : (tensor<1x3xf32>, tensor<2x3xf32>) -> tensor<3x3xf32>
  return %0 : tensor<3x3xf32>
}
