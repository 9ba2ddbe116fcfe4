// RUN: qopt-opt %s --qg-fuse-bias --split-input-file | FileCheck %s

// Nobody knows the sum before run time.
// CHECK-LABEL: func @computed_bias
// CHECK: qg.matmul %{{.*}}, %{{.*}} bias %arg2
// CHECK: qg.binary add
func.func @computed_bias(%x: tensor<6x3xf32>, %w: tensor<3x2xf32>, %b: tensor<2xf32>) -> tensor<6x2xf32> {
  %c = qg.constant dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.matmul %x, %w bias %b : (tensor<6x3xf32>, tensor<3x2xf32>, tensor<2xf32>) -> tensor<6x2xf32>
  %1 = qg.binary add %0, %c : (tensor<6x2xf32>, tensor<2xf32>) -> tensor<6x2xf32>
  return %1 : tensor<6x2xf32>
}

// -----
// CHECK-LABEL: func @computed_addend
// CHECK: qg.binary add
func.func @computed_addend(%x: tensor<6x3xf32>, %w: tensor<3x2xf32>, %c: tensor<2xf32>) -> tensor<6x2xf32> {
  %0 = qg.matmul %x, %w : (tensor<6x3xf32>, tensor<3x2xf32>) -> tensor<6x2xf32>
  %1 = qg.binary add %0, %c : (tensor<6x2xf32>, tensor<2xf32>) -> tensor<6x2xf32>
  return %1 : tensor<6x2xf32>
}

// -----
// A product is no sum, and c - x is not x + c.
// CHECK-LABEL: func @other_arithmetic
// CHECK: qg.matmul %{{.*}}, %{{.*}} :
// CHECK: qg.binary mul
// CHECK: qg.matmul %{{.*}}, %{{.*}} :
// CHECK: qg.binary sub
func.func @other_arithmetic(%x: tensor<6x3xf32>, %w: tensor<3x2xf32>) -> (tensor<6x2xf32>, tensor<6x2xf32>) {
  %c = qg.constant dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.matmul %x, %w : (tensor<6x3xf32>, tensor<3x2xf32>) -> tensor<6x2xf32>
  %1 = qg.binary mul %0, %c : (tensor<6x2xf32>, tensor<2xf32>) -> tensor<6x2xf32>
  %2 = qg.matmul %x, %w : (tensor<6x3xf32>, tensor<3x2xf32>) -> tensor<6x2xf32>
  %3 = qg.binary sub %c, %2 : (tensor<2xf32>, tensor<6x2xf32>) -> tensor<6x2xf32>
  return %1, %3 : tensor<6x2xf32>, tensor<6x2xf32>
}

// -----
// The constant makes the result larger.
// CHECK-LABEL: func @broadcast_of_the_product
// CHECK: qg.binary add
func.func @broadcast_of_the_product(%x: tensor<1x3xf32>, %w: tensor<3x2xf32>) -> tensor<4x2xf32> {
  %c = qg.constant dense<1.0> : tensor<4x2xf32> -> tensor<4x2xf32>
  %0 = qg.matmul %x, %w : (tensor<1x3xf32>, tensor<3x2xf32>) -> tensor<1x2xf32>
  %1 = qg.binary add %0, %c : (tensor<1x2xf32>, tensor<4x2xf32>) -> tensor<4x2xf32>
  return %1 : tensor<4x2xf32>
}

// -----
// A reshape that splits the channels: the constant is by another dimension.
// CHECK-LABEL: func @through_a_split
// CHECK: qg.matmul %{{.*}}, %{{.*}} :
// CHECK: qg.binary add
func.func @through_a_split(%x: tensor<2x3xf32>, %w: tensor<3x4xf32>) -> tensor<2x2x2xf32> {
  %c = qg.constant dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.matmul %x, %w : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  %1 = qg.reshape %0 : tensor<2x4xf32> -> tensor<2x2x2xf32>
  %2 = qg.binary add %1, %c : (tensor<2x2x2xf32>, tensor<2xf32>) -> tensor<2x2x2xf32>
  return %2 : tensor<2x2x2xf32>
}

// -----
// An infinite constant would make every accumulator infinite or NaN.
// CHECK-LABEL: func @infinite
// CHECK: qg.binary add
func.func @infinite(%x: tensor<6x3xf32>, %w: tensor<3x2xf32>) -> tensor<6x2xf32> {
  %c = qg.constant dense<[1.0, 0x7F800000]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.matmul %x, %w : (tensor<6x3xf32>, tensor<3x2xf32>) -> tensor<6x2xf32>
  %1 = qg.binary add %0, %c : (tensor<6x2xf32>, tensor<2xf32>) -> tensor<6x2xf32>
  return %1 : tensor<6x2xf32>
}

// -----
// CHECK-LABEL: func @behind_no_linear_op
// CHECK: qg.binary add
func.func @behind_no_linear_op(%x: tensor<6x2xf32>) -> tensor<6x2xf32> {
  %c = qg.constant dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.unary relu %x : tensor<6x2xf32> -> tensor<6x2xf32>
  %1 = qg.binary add %0, %c : (tensor<6x2xf32>, tensor<2xf32>) -> tensor<6x2xf32>
  return %1 : tensor<6x2xf32>
}
