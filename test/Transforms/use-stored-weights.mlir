// RUN: qopt-opt %s --qg-use-stored-weights | FileCheck %s

!w = !qg.q<si4, axis = 1, group = 2, dense_resource<gs> : tensor<6xf32>>
!c = !qg.q<si8, axis = 0, dense_resource<cs> : tensor<2xf32>>

// A product of floats reads the matrix as it is stored, in blocks as well.
// CHECK-LABEL: func @blocks
func.func @blocks(%x: tensor<1x4xf32>) -> tensor<1x3xf32> {
  // CHECK: %[[W:.*]] = qg.constant dense<1> : tensor<4x3xi8>
  %q = qg.constant dense<1> : tensor<4x3xi8> -> tensor<4x3x!w>
  // CHECK-NOT: qg.dequantize
  %w = qg.dequantize %q : tensor<4x3x!w> -> tensor<4x3xf32>
  // CHECK: qg.matmul %arg0, %[[W]] : (tensor<1x4xf32>, tensor<4x3x!qg.q<si4, axis = 1, group = 2, {{.*}}>>) -> tensor<1x3xf32>
  %y = qg.matmul %x, %w : (tensor<1x4xf32>, tensor<4x3xf32>) -> tensor<1x3xf32>
  return %y : tensor<1x3xf32>
}

// A pointwise convolution is a product of every pixel.
// CHECK-LABEL: func @pointwise
func.func @pointwise(%x: tensor<1x2x2x3xf32>) -> tensor<1x2x2x2xf32> {
  %q = qg.constant dense<1> : tensor<2x1x1x3xi8> -> tensor<2x1x1x3x!c>
  %w = qg.dequantize %q : tensor<2x1x1x3x!c> -> tensor<2x1x1x3xf32>
  // CHECK: %[[X:.*]] = qg.reshape %arg0
  // CHECK: qg.matmul %[[X]], %{{.*}} transpose_rhs : (tensor<4x3xf32>, tensor<2x3x!qg.q<si8, axis = 0, {{.*}}>>) -> tensor<4x2xf32>
  // CHECK-NOT: qg.conv
  %y = qg.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x2x2x3xf32>, tensor<2x1x1x3xf32>) -> tensor<1x2x2x2xf32>
  return %y : tensor<1x2x2x2xf32>
}

// A convolution is a product of what its windows see.
// CHECK-LABEL: func @windows
func.func @windows(%x: tensor<1x4x4x3xf32>) -> tensor<1x2x2x2xf32> {
  %q = qg.constant dense<2> : tensor<2x2x1x3xi8> -> tensor<2x2x1x3x!c>
  %w = qg.dequantize %q : tensor<2x2x1x3x!c> -> tensor<2x2x1x3xf32>
  // CHECK: %[[P:.*]] = qg.pad constant %arg0 low [0, 1, 0, 0] high [0, 0, 0, 0]
  // CHECK: %[[A:.*]] = qg.slice %[[P]] {{.*}} -> tensor<1x2x2x3xf32>
  // CHECK: %[[B:.*]] = qg.slice %[[P]] {{.*}} -> tensor<1x2x2x3xf32>
  // CHECK: %[[X:.*]] = qg.concat %[[A]], %[[B]] axis 3
  // CHECK: qg.matmul {{.*}} transpose_rhs : (tensor<4x6xf32>, tensor<2x6x!qg.q<si8, axis = 0, {{.*}}>>) -> tensor<4x2xf32>
  %y = qg.conv %x, %w strides [2, 2] pads [1, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x4x4x3xf32>, tensor<2x2x1x3xf32>) -> tensor<1x2x2x2xf32>
  return %y : tensor<1x2x2x2xf32>
}

// Rows are decoded as they are picked, with their own scales.
// CHECK-LABEL: func @rows
func.func @rows(%i: tensor<1xi64>) -> tensor<1x3xf32> {
  // CHECK-DAG: %[[S:.*]] = qg.constant {{.*}} -> tensor<2x1xf16>
  // CHECK-DAG: %[[Q:.*]] = qg.constant {{.*}} -> tensor<2x3xi8>
  %q = qg.constant dense<2> : tensor<2x3xi8> -> tensor<2x3x!c>
  %w = qg.dequantize %q : tensor<2x3x!c> -> tensor<2x3xf32>
  // CHECK-DAG: qg.gather %[[Q]], %arg0 axis 0
  // CHECK-DAG: qg.gather %[[S]], %arg0 axis 0
  // CHECK: qg.binary mul
  %y = qg.gather %w, %i axis 0 : (tensor<2x3xf32>, tensor<1xi64>) -> tensor<1x3xf32>
  return %y : tensor<1x3xf32>
}

// Weights that were narrowed to halves are read as they are stored.
// CHECK-LABEL: func @halves
func.func @halves(%h: tensor<1x4xf16>) -> tensor<1x3xf16> {
  %q = qg.constant dense<1> : tensor<4x3xi8> -> tensor<4x3x!w>
  %d = qg.dequantize %q : tensor<4x3x!w> -> tensor<4x3xf32>
  %n = qg.cast %d : tensor<4x3xf32> -> tensor<4x3xf16>
  %w = qg.cast %n : tensor<4x3xf16> -> tensor<4x3xf32>
  // CHECK: %[[X:.*]] = qg.cast %arg0 : tensor<1x4xf16> -> tensor<1x4xf32>
  %x = qg.cast %h : tensor<1x4xf16> -> tensor<1x4xf32>
  // CHECK: %[[Y:.*]] = qg.matmul %[[X]], %{{.*}} : (tensor<1x4xf32>, tensor<4x3x!qg.q<{{.*}}>>) -> tensor<1x3xf32>
  // CHECK: qg.cast %[[Y]] : tensor<1x3xf32> -> tensor<1x3xf16>
  %y = qg.matmul %x, %w : (tensor<1x4xf32>, tensor<4x3xf32>) -> tensor<1x3xf32>
  %z = qg.cast %y : tensor<1x3xf32> -> tensor<1x3xf16>
  return %z : tensor<1x3xf16>
}

{-# dialect_resources: { builtin: {
  gs: "0x040000000000803F0000003F0000803E0000803F0000003F0000803E",
  cs: "0x040000000000003F0000803F" } } #-}
