// RUN: qopt-opt %s --qg-use-stored-weights | FileCheck %s

!c = !qg.q<si8, axis = 0, dense_resource<cs> : tensor<2xf32>>

// Weights of more than 8 bits are floats, decoded once.
// CHECK-LABEL: func @wide
func.func @wide(%z: tensor<1x2xf32>) -> tensor<1x3xf32> {
  %v = qg.constant dense<300> : tensor<2x3xi16> -> tensor<2x3x!qg.q<si16, 0.5 : 0>>
  // CHECK: %[[V:.*]] = qg.constant {{.*}} -> tensor<2x3xf32>
  %f = qg.dequantize %v : tensor<2x3x!qg.q<si16, 0.5 : 0>> -> tensor<2x3xf32>
  // CHECK: qg.matmul %{{.*}}, %[[V]]
  %p = qg.matmul %z, %f : (tensor<1x2xf32>, tensor<2x3xf32>) -> tensor<1x3xf32>
  return %p : tensor<1x3xf32>
}

// Depthwise: no product of one matrix.
// CHECK-LABEL: func @depthwise
func.func @depthwise(%x: tensor<1x4x4x2xf32>) -> tensor<1x3x3x2xf32> {
  %q = qg.constant dense<2> : tensor<2x2x2x1xi8> -> tensor<2x2x2x1x!c>
  // CHECK: %[[W:.*]] = qg.constant {{.*}} -> tensor<2x2x2x1xf32>
  %w = qg.dequantize %q : tensor<2x2x2x1x!c> -> tensor<2x2x2x1xf32>
  // CHECK: qg.conv %arg0, %[[W]]
  %y = qg.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 2 : (tensor<1x4x4x2xf32>, tensor<2x2x2x1xf32>) -> tensor<1x3x3x2xf32>
  return %y : tensor<1x3x3x2xf32>
}

// Blocks of rows: what is picked shares scales with what is not.
// CHECK-LABEL: func @row_blocks
func.func @row_blocks(%i: tensor<1xi64>) -> tensor<1x2xf32> {
  %q = qg.constant dense<2> : tensor<3x2xi8> -> tensor<3x2x!qg.q<si8, axis = 1, group = 3, dense_resource<cs> : tensor<2xf32>>>
  %w = qg.dequantize %q : tensor<3x2x!qg.q<si8, axis = 1, group = 3, dense_resource<cs> : tensor<2xf32>>> -> tensor<3x2xf32>
  // CHECK: %[[T:.*]] = qg.constant {{.*}} -> tensor<3x2xf32>
  // CHECK: qg.gather %[[T]]
  %y = qg.gather %w, %i axis 0 : (tensor<3x2xf32>, tensor<1xi64>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
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
