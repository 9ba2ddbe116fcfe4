// RUN: qopt-opt %s --qg-fold-batch-norm --split-input-file | FileCheck %s

// CHECK-LABEL: func @computed_weight
// CHECK: qg.matmul
// CHECK: qg.binary mul
func.func @computed_weight(%x: tensor<1x2xf32>, %w: tensor<2x2xf32>) -> tensor<1x2xf32> {
  %s = qg.constant dense<[2.0, 3.0]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.matmul %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %1 = qg.binary mul %0, %s : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return %1 : tensor<1x2xf32>
}

// -----
// The unscaled product is read as well.
// CHECK-LABEL: func @product_read_twice
// CHECK: qg.matmul
// CHECK: qg.binary mul
func.func @product_read_twice(%x: tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %w = qg.constant dense<1.0> : tensor<2x2xf32> -> tensor<2x2xf32>
  %s = qg.constant dense<[2.0, 3.0]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.matmul %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %1 = qg.binary mul %0, %s : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return %0, %1 : tensor<1x2xf32>, tensor<1x2xf32>
}

// -----
// So is the normalized input, by somebody who has no weights.
// CHECK-LABEL: func @input_read_twice
// CHECK: %[[S:.*]] = qg.binary mul
// CHECK: qg.matmul %[[S]]
// CHECK: qg.unary relu %[[S]]
func.func @input_read_twice(%x: tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %w = qg.constant dense<1.0> : tensor<2x2xf32> -> tensor<2x2xf32>
  %s = qg.constant dense<[2.0, 3.0]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.binary mul %x, %s : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %1 = qg.matmul %0, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %2 = qg.unary relu %0 : tensor<1x2xf32> -> tensor<1x2xf32>
  return %1, %2 : tensor<1x2xf32>, tensor<1x2xf32>
}

// -----
// A factor per row is none per channel.
// CHECK-LABEL: func @factor_by_row
// CHECK: qg.binary mul
func.func @factor_by_row(%x: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %w = qg.constant dense<1.0> : tensor<2x2xf32> -> tensor<2x2xf32>
  %s = qg.constant dense<[[2.0], [3.0], [4.0]]> : tensor<3x1xf32> -> tensor<3x1xf32>
  %0 = qg.matmul %x, %w : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  %1 = qg.binary mul %0, %s : (tensor<3x2xf32>, tensor<3x1xf32>) -> tensor<3x2xf32>
  return %1 : tensor<3x2xf32>
}

// -----
// 1 / y is not linear, and x / 0 has no factor.
// CHECK-LABEL: func @divisions
// CHECK: qg.binary div
// CHECK: qg.binary div
func.func @divisions(%x: tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %w = qg.constant dense<1.0> : tensor<2x2xf32> -> tensor<2x2xf32>
  %one = qg.constant dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  %zero = qg.constant dense<[1.0, 0.0]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.matmul %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %1 = qg.binary div %one, %0 : (tensor<2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  %2 = qg.matmul %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %3 = qg.binary div %2, %zero : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return %1, %3 : tensor<1x2xf32>, tensor<1x2xf32>
}

// -----
// Something lies between that is not linear.
// CHECK-LABEL: func @behind_relu
// CHECK: qg.unary relu
// CHECK: qg.binary mul
func.func @behind_relu(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = qg.constant dense<1.0> : tensor<2x2xf32> -> tensor<2x2xf32>
  %s = qg.constant dense<[2.0, 3.0]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.matmul %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %1 = qg.unary relu %0 : tensor<1x2xf32> -> tensor<1x2xf32>
  %2 = qg.binary mul %1, %s : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return %2 : tensor<1x2xf32>
}

// -----
// But a factor before padding is no offset: zeros stay zeros.
// CHECK-LABEL: func @factor_before_padding
// CHECK: qg.constant dense<6.000000e+00> : tensor<1x1x1x1xf32>
// CHECK-NOT: qg.binary
func.func @factor_before_padding(%x: tensor<1x1x1x1xf32>) -> tensor<1x3x3x1xf32> {
  %w = qg.constant dense<[[[[3.0]]]]> : tensor<1x1x1x1xf32> -> tensor<1x1x1x1xf32>
  %s = qg.constant dense<[2.0]> : tensor<1xf32> -> tensor<1xf32>
  %0 = qg.binary mul %x, %s : (tensor<1x1x1x1xf32>, tensor<1xf32>) -> tensor<1x1x1x1xf32>
  %1 = qg.conv %0, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x1x1x1xf32>, tensor<1x1x1x1xf32>) -> tensor<1x3x3x1xf32>
  return %1 : tensor<1x3x3x1xf32>
}

// -----
// 5 - y: the weight changes its sign, the bias 2 becomes 5 - 2.
// CHECK-LABEL: func @reversed_difference
// CHECK-DAG: qg.constant dense<-1.000000e+00> : tensor<2x1xf32>
// CHECK-DAG: qg.constant dense<3.000000e+00> : tensor<1xf32>
// CHECK-NOT: qg.binary
func.func @reversed_difference(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
  %w = qg.constant dense<1.0> : tensor<2x1xf32> -> tensor<2x1xf32>
  %b = qg.constant dense<2.0> : tensor<1xf32> -> tensor<1xf32>
  %c = qg.constant dense<5.0> : tensor<1xf32> -> tensor<1xf32>
  %0 = qg.matmul %x, %w bias %b : (tensor<1x2xf32>, tensor<2x1xf32>, tensor<1xf32>) -> tensor<1x1xf32>
  %1 = qg.binary sub %c, %0 : (tensor<1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
  return %1 : tensor<1x1xf32>
}

// -----
// The shared right operand of a batched product that has no rank 2 may be
// scaled by output channel, but offsets of its input do not pass.
// CHECK-LABEL: func @batched
// CHECK: qg.binary add
// CHECK: qg.matmul
func.func @batched(%x: tensor<2x1x2xf32>) -> tensor<2x1x2xf32> {
  %w = qg.constant dense<1.0> : tensor<2x2x2xf32> -> tensor<2x2x2xf32>
  %t = qg.constant dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.binary add %x, %t : (tensor<2x1x2xf32>, tensor<2xf32>) -> tensor<2x1x2xf32>
  %1 = qg.matmul %0, %w : (tensor<2x1x2xf32>, tensor<2x2x2xf32>) -> tensor<2x1x2xf32>
  return %1 : tensor<2x1x2xf32>
}

// -----
// 0 * inf in a weight is NaN where the sum times inf is not; 1 / 1e-40 is inf.
// CHECK-LABEL: func @factors_not_finite
// CHECK: qg.binary mul
// CHECK: qg.binary mul
// CHECK: qg.binary div
func.func @factors_not_finite(%x: tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>) {
  %w = qg.constant dense<[[0.0, 1.0], [1.0, 1.0]]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %inf = qg.constant dense<[0x7F800000, 3.0]> : tensor<2xf32> -> tensor<2xf32>
  %nan = qg.constant dense<[0x7FC00000, 3.0]> : tensor<2xf32> -> tensor<2xf32>
  %tiny = qg.constant dense<[1.0e-40, 3.0]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.matmul %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %1 = qg.binary mul %0, %inf : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %2 = qg.matmul %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %3 = qg.binary mul %2, %nan : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %4 = qg.matmul %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %5 = qg.binary div %4, %tiny : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return %1, %3, %5 : tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>
}

// -----
// An infinite offset in front: 0 * inf again.
// CHECK-LABEL: func @offset_not_finite
// CHECK: %[[S:.*]] = qg.binary add
// CHECK: qg.matmul %[[S]]
func.func @offset_not_finite(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = qg.constant dense<[[0.0, 1.0], [1.0, 1.0]]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %inf = qg.constant dense<[0x7F800000, 3.0]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.binary add %x, %inf : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %1 = qg.matmul %0, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %1 : tensor<1x2xf32>
}

// -----
// (1e-30 * 1e30) * 1e30 is a number, 1e-30 * (1e30 * 1e30) is none.
// CHECK-LABEL: func @weight_overflows
// CHECK: qg.matmul
// CHECK: qg.binary mul
func.func @weight_overflows(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = qg.constant dense<1.0e30> : tensor<2x2xf32> -> tensor<2x2xf32>
  %s = qg.constant dense<[1.0e30, 3.0]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.matmul %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %1 = qg.binary mul %0, %s : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return %1 : tensor<1x2xf32>
}

// -----
// The same in front.
// CHECK-LABEL: func @weight_overflows_behind
// CHECK: qg.binary mul
// CHECK: qg.matmul
func.func @weight_overflows_behind(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = qg.constant dense<1.0e30> : tensor<2x2xf32> -> tensor<2x2xf32>
  %s = qg.constant dense<[1.0e30, 3.0]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.binary mul %x, %s : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %1 = qg.matmul %0, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %1 : tensor<1x2xf32>
}
