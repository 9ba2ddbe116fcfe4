// RUN: qopt-opt %s --canonicalize --split-input-file | FileCheck %s

// CHECK-LABEL: func @merge_reshapes
// CHECK: %[[Y:.*]] = qg.reshape %arg0 : tensor<2x6xf32> -> tensor<12xf32>
// CHECK-NEXT: return %[[Y]]
func.func @merge_reshapes(%x: tensor<2x6xf32>) -> tensor<12xf32> {
  %0 = qg.reshape %x : tensor<2x6xf32> -> tensor<3x4xf32>
  %1 = qg.reshape %0 : tensor<3x4xf32> -> tensor<12xf32>
  return %1 : tensor<12xf32>
}

// -----
// CHECK-LABEL: func @there_and_back
// CHECK-NEXT: return %arg0
func.func @there_and_back(%x: tensor<2x6xf32>) -> tensor<2x6xf32> {
  %0 = qg.reshape %x : tensor<2x6xf32> -> tensor<3x4xf32>
  %1 = qg.reshape %0 : tensor<3x4xf32> -> tensor<2x6xf32>
  return %1 : tensor<2x6xf32>
}

// -----
// x[i][j][k] -> [j][k][i] -> [k][i][j]: the second permutes the first's.
// CHECK-LABEL: func @merge_transposes
// CHECK: qg.transpose %arg0 perm [2, 0, 1] : tensor<2x3x4xf32> -> tensor<4x2x3xf32>
// CHECK-NOT: qg.transpose
func.func @merge_transposes(%x: tensor<2x3x4xf32>) -> tensor<4x2x3xf32> {
  %0 = qg.transpose %x perm [1, 2, 0] : tensor<2x3x4xf32> -> tensor<3x4x2xf32>
  %1 = qg.transpose %0 perm [1, 2, 0] : tensor<3x4x2xf32> -> tensor<4x2x3xf32>
  return %1 : tensor<4x2x3xf32>
}

// -----
// CHECK-LABEL: func @inverse_transposes
// CHECK-NEXT: return %arg0
func.func @inverse_transposes(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  %0 = qg.transpose %x perm [1, 2, 0] : tensor<2x3x4xf32> -> tensor<3x4x2xf32>
  %1 = qg.transpose %0 perm [2, 0, 1] : tensor<3x4x2xf32> -> tensor<2x3x4xf32>
  return %1 : tensor<2x3x4xf32>
}

// -----
// No element moves where all but one extent are 1.
// CHECK-LABEL: func @transpose_of_ones
// CHECK-NOT: qg.transpose
// CHECK: qg.reshape %arg0 : tensor<1x7x1x1xf32> -> tensor<1x1x1x7xf32>
func.func @transpose_of_ones(%x: tensor<1x7x1x1xf32>) -> tensor<1x1x1x7xf32> {
  %0 = qg.transpose %x perm [0, 2, 3, 1] : tensor<1x7x1x1xf32> -> tensor<1x1x1x7xf32>
  return %0 : tensor<1x1x1x7xf32>
}

// -----
// Elements move: left alone.
// CHECK-LABEL: func @transpose_of_twos
// CHECK: qg.transpose
func.func @transpose_of_twos(%x: tensor<1x2x2x1xf32>) -> tensor<1x2x2x1xf32> {
  %0 = qg.transpose %x perm [0, 2, 1, 3] : tensor<1x2x2x1xf32> -> tensor<1x2x2x1xf32>
  return %0 : tensor<1x2x2x1xf32>
}

// -----
// A reshape has no axis that scales could follow.
// CHECK-LABEL: func @transpose_with_an_axis
// CHECK: qg.transpose
func.func @transpose_with_an_axis(%x: tensor<1x2x!qg.q<si8, axis = 1, dense_resource<s> : tensor<2xf32>>>) -> tensor<2x1x!qg.q<si8, axis = 0, dense_resource<s> : tensor<2xf32>>> {
  %0 = qg.transpose %x perm [1, 0] : tensor<1x2x!qg.q<si8, axis = 1, dense_resource<s> : tensor<2xf32>>> -> tensor<2x1x!qg.q<si8, axis = 0, dense_resource<s> : tensor<2xf32>>>
  return %0 : tensor<2x1x!qg.q<si8, axis = 0, dense_resource<s> : tensor<2xf32>>>
}
{-# dialect_resources: { builtin: { s: "0x040000000000803F0000003F" } } #-}

// -----
// CHECK-LABEL: func @identities
// CHECK-NEXT: return %arg0, %arg0, %arg0
func.func @identities(%x: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) {
  %0 = qg.broadcast %x : tensor<2x3xf32> -> tensor<2x3xf32>
  %1 = qg.slice %x offsets [0, 0] strides [1, 1] : tensor<2x3xf32> -> tensor<2x3xf32>
  %2 = qg.transpose %x perm [0, 1] : tensor<2x3xf32> -> tensor<2x3xf32>
  return %0, %1, %2 : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>
}

// -----
// The same shape, but other elements.
// CHECK-LABEL: func @reversed
// CHECK: qg.slice
func.func @reversed(%x: tensor<3xf32>) -> tensor<3xf32> {
  %0 = qg.slice %x offsets [2] strides [-1] : tensor<3xf32> -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----
// Equal constants are one; encodings keep those of equal integers apart.
// CHECK-LABEL: func @constants
// CHECK: qg.constant dense<1> : tensor<2xi8> -> tensor<2x!qg.q<si8, 5.000000e-01 : 0>>
// CHECK: qg.constant dense<1> : tensor<2xi8> -> tensor<2x!qg.q<si8, 2.500000e-01 : 0>>
// CHECK-NOT: qg.constant
func.func @constants() -> (tensor<2x!qg.q<si8, 0.5 : 0>>, tensor<2x!qg.q<si8, 0.5 : 0>>, tensor<2x!qg.q<si8, 0.25 : 0>>) {
  %0 = qg.constant dense<1> : tensor<2xi8> -> tensor<2x!qg.q<si8, 0.5 : 0>>
  %1 = qg.constant dense<1> : tensor<2xi8> -> tensor<2x!qg.q<si8, 0.5 : 0>>
  %2 = qg.constant dense<1> : tensor<2xi8> -> tensor<2x!qg.q<si8, 0.25 : 0>>
  return %0, %1, %2 : tensor<2x!qg.q<si8, 0.5 : 0>>, tensor<2x!qg.q<si8, 0.5 : 0>>, tensor<2x!qg.q<si8, 0.25 : 0>>
}
