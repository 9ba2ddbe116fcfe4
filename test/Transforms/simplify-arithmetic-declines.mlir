// RUN: qopt-opt %s --qg-simplify-arithmetic --split-input-file | FileCheck %s

// Almost neutral.
// CHECK-LABEL: func @not_neutral
// CHECK: qg.binary max
// CHECK: qg.binary div %{{.*}}, %arg0
// CHECK: qg.binary pow
// CHECK: qg.binary mul
func.func @not_neutral(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  %zero = qg.constant dense<0.0> : tensor<f32> -> tensor<f32>
  %one = qg.constant dense<1.0> : tensor<f32> -> tensor<f32>
  %mixed = qg.constant dense<[1.0, 1.5]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.binary max %x, %zero : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %1 = qg.binary div %one, %x : (tensor<f32>, tensor<2xf32>) -> tensor<2xf32>
  %2 = qg.binary pow %one, %x : (tensor<f32>, tensor<2xf32>) -> tensor<2xf32>
  %3 = qg.binary mul %x, %mixed : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %0, %1, %2, %3 : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}

// -----
// Infinite bounds bound nothing.
// CHECK-LABEL: func @infinite_bounds
// CHECK-NOT: qg.binary
// CHECK: return %arg0
func.func @infinite_bounds(%x: tensor<2xf32>) -> tensor<2xf32> {
  %low = qg.constant dense<0xFF800000> : tensor<f32> -> tensor<f32>
  %high = qg.constant dense<0x7F800000> : tensor<f32> -> tensor<f32>
  %0 = qg.binary max %low, %x : (tensor<f32>, tensor<2xf32>) -> tensor<2xf32>
  %1 = qg.binary min %0, %high : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  return %1 : tensor<2xf32>
}

// -----
// CHECK-LABEL: func @cube
// CHECK: qg.binary pow
func.func @cube(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c = qg.constant dense<[2.0, 3.0]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.binary pow %x, %c : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----
// Integers divide by truncation; their products wrap.
// CHECK-LABEL: func @integers
// CHECK: qg.binary div
// CHECK: qg.binary add
// CHECK: qg.binary add
func.func @integers(%x: tensor<2xi32>) -> tensor<2xi32> {
  %two = qg.constant dense<2> : tensor<i32> -> tensor<i32>
  %0 = qg.binary div %x, %two : (tensor<2xi32>, tensor<i32>) -> tensor<2xi32>
  %1 = qg.binary add %0, %two : (tensor<2xi32>, tensor<i32>) -> tensor<2xi32>
  %2 = qg.binary add %1, %two : (tensor<2xi32>, tensor<i32>) -> tensor<2xi32>
  return %2 : tensor<2xi32>
}

// -----
// The reciprocal of 2^127 is subnormal.
// CHECK-LABEL: func @subnormal_reciprocal
// CHECK: qg.binary div
func.func @subnormal_reciprocal(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c = qg.constant dense<1.70141183E+38> : tensor<f32> -> tensor<f32>
  %0 = qg.binary div %x, %c : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----
// 1e30 * 1e30 overflows, x * 1e30 * 1e30 need not.
// CHECK-LABEL: func @overflowing_chain
// CHECK-COUNT-2: qg.binary mul
func.func @overflowing_chain(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c = qg.constant dense<1.0e30> : tensor<f32> -> tensor<f32>
  %0 = qg.binary mul %x, %c : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %1 = qg.binary mul %0, %c : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  return %1 : tensor<2xf32>
}

// -----
// A sum of a product is no chain.
// CHECK-LABEL: func @mixed_chain
// CHECK: qg.binary mul
// CHECK: qg.binary add
func.func @mixed_chain(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c = qg.constant dense<3.0> : tensor<f32> -> tensor<f32>
  %0 = qg.binary mul %x, %c : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %1 = qg.binary add %0, %c : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  return %1 : tensor<2xf32>
}

// -----
// Rows and columns are constants of two shapes.
// CHECK-LABEL: func @crossing_constants
// CHECK-COUNT-2: qg.binary add
func.func @crossing_constants(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %c = qg.constant dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  %d = qg.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32> -> tensor<2x1xf32>
  %0 = qg.binary add %x, %c : (tensor<2x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  %1 = qg.binary add %0, %d : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x2xf32>
  return %1 : tensor<2x2xf32>
}

// -----
// Without the broadcast the result would be smaller.
// CHECK-LABEL: func @needed_broadcast
// CHECK: qg.broadcast
func.func @needed_broadcast(%x: tensor<1x2xf32>, %y: tensor<1x2xf32>) -> tensor<3x2xf32> {
  %0 = qg.broadcast %y : tensor<1x2xf32> -> tensor<3x2xf32>
  %1 = qg.binary add %x, %0 : (tensor<1x2xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
  return %1 : tensor<3x2xf32>
}

// -----
// Other functions than relu are not idempotent here.
// CHECK-LABEL: func @two_functions
// CHECK: qg.unary relu
// CHECK: qg.unary exp
// CHECK: qg.unary relu
func.func @two_functions(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = qg.unary relu %x : tensor<2xf32> -> tensor<2xf32>
  %1 = qg.unary exp %0 : tensor<2xf32> -> tensor<2xf32>
  %2 = qg.unary relu %1 : tensor<2xf32> -> tensor<2xf32>
  return %2 : tensor<2xf32>
}

// -----
// Six elements, but divided by five.
// CHECK-LABEL: func @no_mean
// CHECK: qg.reduce sum
// CHECK: qg.binary div
// CHECK-NOT: qg.pool
func.func @no_mean(%x: tensor<1x2x3x4xf32>) -> tensor<1x4xf32> {
  %c = qg.constant dense<5.0> : tensor<f32> -> tensor<f32>
  %0 = qg.reduce sum %x axes [1, 2] : tensor<1x2x3x4xf32> -> tensor<1x4xf32>
  %1 = qg.binary div %0, %c : (tensor<1x4xf32>, tensor<f32>) -> tensor<1x4xf32>
  return %1 : tensor<1x4xf32>
}

// -----
// The sum itself is wanted too.
// CHECK-LABEL: func @sum_read_twice
// CHECK: qg.reduce sum
// CHECK-NOT: qg.pool
func.func @sum_read_twice(%x: tensor<1x2x3x4xf32>) -> (tensor<1x4xf32>, tensor<1x4xf32>) {
  %c = qg.constant dense<6.0> : tensor<f32> -> tensor<f32>
  %0 = qg.reduce sum %x axes [1, 2] : tensor<1x2x3x4xf32> -> tensor<1x4xf32>
  %1 = qg.binary div %0, %c : (tensor<1x4xf32>, tensor<f32>) -> tensor<1x4xf32>
  return %0, %1 : tensor<1x4xf32>, tensor<1x4xf32>
}

// -----
// A window that is not the whole is no mean over the last dimension.
// CHECK-LABEL: func @pool_of_a_part
// CHECK: qg.pool avg
func.func @pool_of_a_part(%x: tensor<1x4x6xf32>) -> tensor<1x2x4xf32> {
  %0 = qg.transpose %x perm [0, 2, 1] : tensor<1x4x6xf32> -> tensor<1x6x4xf32>
  %1 = qg.pool avg %0 kernel [3] strides [3] pads [0, 0] dilations [1] : tensor<1x6x4xf32> -> tensor<1x2x4xf32>
  return %1 : tensor<1x2x4xf32>
}

// -----
// x may be NaN or infinite: x * 0 and x - x are no zeros.
// CHECK-LABEL: func @absorbing
// CHECK: qg.binary mul
// CHECK: qg.binary sub
func.func @absorbing(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %zero = qg.constant dense<0.0> : tensor<f32> -> tensor<f32>
  %0 = qg.binary mul %x, %zero : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %1 = qg.binary sub %x, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %0, %1 : tensor<2xf32>, tensor<2xf32>
}

// -----
// 1e-30 * 1e-30 vanishes, 1e38 * 1e-30 * 1e-30 does not.
// CHECK-LABEL: func @vanishing_chain
// CHECK-COUNT-2: qg.binary mul
func.func @vanishing_chain(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c = qg.constant dense<1.0e-30> : tensor<f32> -> tensor<f32>
  %0 = qg.binary mul %x, %c : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %1 = qg.binary mul %0, %c : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  return %1 : tensor<2xf32>
}

// -----
// The mean of nothing is no pool.
// CHECK-LABEL: func @empty_mean
// CHECK: qg.reduce sum
// CHECK-NOT: qg.pool
func.func @empty_mean(%x: tensor<1x0x2x4xf32>) -> tensor<1x4xf32> {
  %c = qg.constant dense<0.0> : tensor<f32> -> tensor<f32>
  %0 = qg.reduce sum %x axes [1, 2] : tensor<1x0x2x4xf32> -> tensor<1x4xf32>
  %1 = qg.binary div %0, %c : (tensor<1x4xf32>, tensor<f32>) -> tensor<1x4xf32>
  return %1 : tensor<1x4xf32>
}

// -----
// Of an input, or where the maximum is read twice.
// CHECK-LABEL: func @clamp_behind_maximum
// CHECK: qg.pool max %arg0
// CHECK: qg.unary relu
// CHECK: %[[C:.*]] = qg.conv
// CHECK: qg.pool max %[[C]]
// CHECK: qg.unary relu
func.func @clamp_behind_maximum(%x: tensor<1x4x4x1xf32>, %w: tensor<2x1x1x1xf32>) -> (tensor<1x2x2x1xf32>, tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) {
  %0 = qg.pool max %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x4x4x1xf32> -> tensor<1x2x2x1xf32>
  %1 = qg.unary relu %0 : tensor<1x2x2x1xf32> -> tensor<1x2x2x1xf32>
  %2 = qg.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x4x4x1xf32>, tensor<2x1x1x1xf32>) -> tensor<1x4x4x2xf32>
  %3 = qg.pool max %2 kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x4x4x2xf32> -> tensor<1x2x2x2xf32>
  %4 = qg.unary relu %3 : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  return %1, %3, %4 : tensor<1x2x2x1xf32>, tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
}
