// RUN: qopt-opt %s --qg-use-stored-weights | FileCheck %s

!c = !qg.q<si8, axis = 0, dense_resource<cs> : tensor<2xf32>>

// Windows, tables of rows and weights of more than 8 bits are read as floats.
// CHECK-LABEL: func @others
func.func @others(%x: tensor<1x4x4x3xf32>, %i: tensor<1xi64>, %z: tensor<1x2xf32>) -> (tensor<1x3x3x2xf32>, tensor<1x3xf32>, tensor<1x3xf32>) {
  %q = qg.constant dense<2> : tensor<2x2x2x3xi8> -> tensor<2x2x2x3x!c>
  // CHECK: %[[W:.*]] = qg.dequantize
  %w = qg.dequantize %q : tensor<2x2x2x3x!c> -> tensor<2x2x2x3xf32>
  // CHECK: qg.conv %arg0, %[[W]]
  %y = qg.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x4x4x3xf32>, tensor<2x2x2x3xf32>) -> tensor<1x3x3x2xf32>
  %t = qg.constant dense<2> : tensor<2x3xi8> -> tensor<2x3x!c>
  // CHECK: %[[T:.*]] = qg.dequantize
  %d = qg.dequantize %t : tensor<2x3x!c> -> tensor<2x3xf32>
  // CHECK: qg.gather %[[T]]
  %g = qg.gather %d, %i axis 0 : (tensor<2x3xf32>, tensor<1xi64>) -> tensor<1x3xf32>
  %v = qg.constant dense<300> : tensor<2x3xi16> -> tensor<2x3x!qg.q<si16, 0.5 : 0>>
  // CHECK: %[[V:.*]] = qg.dequantize
  %f = qg.dequantize %v : tensor<2x3x!qg.q<si16, 0.5 : 0>> -> tensor<2x3xf32>
  // CHECK: qg.matmul %{{.*}}, %[[V]]
  %p = qg.matmul %z, %f : (tensor<1x2xf32>, tensor<2x3xf32>) -> tensor<1x3xf32>
  return %y, %g, %p : tensor<1x3x3x2xf32>, tensor<1x3xf32>, tensor<1x3xf32>
}

// A computed bias, and an input that is not f32: floats times floats.
// CHECK-LABEL: func @bias
func.func @bias(%x: tensor<1x2xf32>, %b: tensor<3xf32>) -> tensor<1x3xf32> {
  %q = qg.constant dense<2> : tensor<2x3xi8> -> tensor<2x3x!c>
  %w = qg.dequantize %q : tensor<2x3x!c> -> tensor<2x3xf32>
  // CHECK: qg.matmul {{.*}} : (tensor<1x2xf32>, tensor<2x3xf32>, tensor<3xf32>) -> tensor<1x3xf32>
  %y = qg.matmul %x, %w bias %b : (tensor<1x2xf32>, tensor<2x3xf32>, tensor<3xf32>) -> tensor<1x3xf32>
  return %y : tensor<1x3xf32>
}

{-# dialect_resources: { builtin: {
  cs: "0x040000000000003F0000803F" } } #-}
