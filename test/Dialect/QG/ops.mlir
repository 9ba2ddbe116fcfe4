// RUN: qopt-opt %s | qopt-opt | FileCheck %s

// CHECK-LABEL: func @convolution
func.func @convolution(%x: tensor<1x8x8x3xf32>, %w: tensor<16x3x3x3xf32>, %b: tensor<16xf32>) -> tensor<1x4x4x16xf32> {
  // CHECK: qg.conv %{{.*}}, %{{.*}} bias %{{.*}} strides [2, 2] pads [0, 0, 1, 1] dilations [1, 1] groups 1
  %y = qg.conv %x, %w bias %b strides [2, 2] pads [0, 0, 1, 1] dilations [1, 1] groups 1
     : (tensor<1x8x8x3xf32>, tensor<16x3x3x3xf32>, tensor<16xf32>) -> tensor<1x4x4x16xf32>
  return %y : tensor<1x4x4x16xf32>
}

// CHECK-LABEL: func @encodings
func.func @encodings(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  // CHECK: qg.quantize %{{.*}} : tensor<4x2xf32> -> tensor<4x2x!qg.q<ui8, 5.000000e-01 : 128>>
  %q = qg.quantize %x : tensor<4x2xf32> -> tensor<4x2x!qg.q<ui8, 0.5 : 128>>
  // CHECK: !qg.q<si8, axis = 0, dense_resource<scales> : tensor<4xf32>>
  %w = qg.quantize %x : tensor<4x2xf32> -> tensor<4x2x!qg.q<si8, axis = 0, dense_resource<scales> : tensor<4xf32>>>
  %d = qg.dequantize %q : tensor<4x2x!qg.q<ui8, 0.5 : 128>> -> tensor<4x2xf32>
  return %d : tensor<4x2xf32>
}

// CHECK-LABEL: func @elementwise
func.func @elementwise(%a: tensor<2x4xf32>, %b: tensor<4xf32>) -> tensor<2x4xf32> {
  // CHECK: qg.unary exp %{{.*}} : tensor<2x4xf32> -> tensor<2x4xf32>
  %e = qg.unary exp %a : tensor<2x4xf32> -> tensor<2x4xf32>
  // CHECK: qg.binary add
  %s = qg.binary add %e, %b : (tensor<2x4xf32>, tensor<4xf32>) -> tensor<2x4xf32>
  // CHECK: qg.compare lt
  %c = qg.compare lt %s, %b : (tensor<2x4xf32>, tensor<4xf32>) -> tensor<2x4xi1>
  // CHECK: qg.select
  %y = qg.select %c, %s, %e : (tensor<2x4xi1>, tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

{-#
  dialect_resources: {
    builtin: {
      scales: "0x040000000000803F0000003F0000803E0000003E"
    }
  }
#-}
