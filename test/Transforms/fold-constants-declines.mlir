// RUN: qopt-opt %s --qg-fold-constants --split-input-file | FileCheck %s

// One operand is known, the other is not.
// CHECK-LABEL: func @partly_known
// CHECK: qg.binary add
func.func @partly_known(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c = qg.constant dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.binary add %x, %c : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----
// Calibration wants to see it.
// CHECK-LABEL: func @observed
// CHECK: qg.observe "c"
func.func @observed() -> tensor<2xf32> {
  %c = qg.constant dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.observe "c" %c : tensor<2xf32> -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----
// Integers that are moved keep their encoding.
// CHECK-LABEL: func @moved_weight
// CHECK: %[[W:.*]] = qg.constant dense<{{\[\[}}1, 3], [2, 4]]> : tensor<2x2xi8> -> tensor<2x2x!qg.q<si8, 5.000000e-01 : 0>>
// CHECK-NOT: qg.transpose
// CHECK: qg.dequantize %[[W]]
func.func @moved_weight() -> tensor<2x2xf32> {
  %q = qg.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi8> -> tensor<2x2x!qg.q<si8, 0.5 : 0>>
  %t = qg.transpose %q perm [1, 0] : tensor<2x2x!qg.q<si8, 0.5 : 0>> -> tensor<2x2x!qg.q<si8, 0.5 : 0>>
  %w = qg.dequantize %t : tensor<2x2x!qg.q<si8, 0.5 : 0>> -> tensor<2x2xf32>
  return %w : tensor<2x2xf32>
}

// -----
// Special values are those of the interpreter.
// CHECK-LABEL: func @special_values
// CHECK: qg.constant dense<[0x7FC00000, 0x7F800000, 0.000000e+00, -0.000000e+00]>
func.func @special_values() -> tensor<4xf32> {
  %a = qg.constant dense<[0x7FC00000, 0x7F800000, 0xFF800000, -0.0]> : tensor<4xf32> -> tensor<4xf32>
  %b = qg.constant dense<[1.0, 2.0, 0.0, -0.0]> : tensor<4xf32> -> tensor<4xf32>
  %0 = qg.binary max %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----
// 0 / 0 of integers is 0 at compile time as it is at run time.
// CHECK-LABEL: func @division_by_zero
// CHECK: qg.constant dense<[0, 2]> : tensor<2xi32>
func.func @division_by_zero() -> tensor<2xi32> {
  %a = qg.constant dense<[7, 7]> : tensor<2xi32> -> tensor<2xi32>
  %b = qg.constant dense<[0, 3]> : tensor<2xi32> -> tensor<2xi32>
  %0 = qg.binary div %a, %b : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi32>
  return %0 : tensor<2xi32>
}

// -----
// An index that is out of range: whoever runs it hears of it.
// CHECK-LABEL: func @index_out_of_range
// CHECK: qg.gather
func.func @index_out_of_range() -> tensor<1x2xf32> {
  %c = qg.constant dense<1.0> : tensor<3x2xf32> -> tensor<3x2xf32>
  %i = qg.constant dense<7> : tensor<1xi64> -> tensor<1xi64>
  %0 = qg.gather %c, %i axis 0 : (tensor<3x2xf32>, tensor<1xi64>) -> tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}

// -----
// The edge of nothing.
// CHECK-LABEL: func @empty_edge
// CHECK: qg.pad
func.func @empty_edge() -> tensor<3xf32> {
  %c = qg.constant dense<> : tensor<0xf32> -> tensor<0xf32>
  %0 = qg.pad edge %c low [1] high [2] : (tensor<0xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----
// The bytes of the constant are gone.
// CHECK-LABEL: func @bytes_are_gone
// CHECK: qg.unary relu
func.func @bytes_are_gone() -> tensor<4xf32> {
  %c = qg.constant dense_resource<gone> : tensor<4xf32> -> tensor<4xf32>
  %0 = qg.unary relu %c : tensor<4xf32> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
