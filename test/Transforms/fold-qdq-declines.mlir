// RUN: qopt-opt %s --qg-fold-qdq --split-input-file | FileCheck %s

// Products of 32 bits have no integer form: floats between the encodings.
// CHECK-LABEL: func @thirty_two_bits
// CHECK: qg.dequantize
// CHECK: qg.matmul {{.*}} : (tensor<1x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>
func.func @thirty_two_bits(%q: tensor<1x2x!qg.q<si32, 0.5 : 0>>) -> tensor<1x1xf32> {
  %x = qg.dequantize %q : tensor<1x2x!qg.q<si32, 0.5 : 0>> -> tensor<1x2xf32>
  %qw = qg.constant dense<1> : tensor<2x1xi8> -> tensor<2x1x!qg.q<si8, 0.5 : 0>>
  %w = qg.dequantize %qw : tensor<2x1x!qg.q<si8, 0.5 : 0>> -> tensor<2x1xf32>
  %y = qg.matmul %x, %w : (tensor<1x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----
// The bias is not known.
// CHECK-LABEL: func @computed_bias
// CHECK: qg.matmul {{.*}} : (tensor<1x2xf32>, tensor<2x1xf32>, tensor<1xf32>) -> tensor<1x1xf32>
func.func @computed_bias(%q: tensor<1x2x!qg.q<ui8, 0.5 : 128>>, %b: tensor<1xf32>) -> tensor<1x1xf32> {
  %x = qg.dequantize %q : tensor<1x2x!qg.q<ui8, 0.5 : 128>> -> tensor<1x2xf32>
  %qw = qg.constant dense<1> : tensor<2x1xi8> -> tensor<2x1x!qg.q<si8, 0.5 : 0>>
  %w = qg.dequantize %qw : tensor<2x1x!qg.q<si8, 0.5 : 0>> -> tensor<2x1xf32>
  %y = qg.matmul %x, %w bias %b : (tensor<1x2xf32>, tensor<2x1xf32>, tensor<1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----
// Scales along the contracted dimension cannot leave the sum.
// CHECK-LABEL: func @scales_along_k
// CHECK: qg.matmul {{.*}} : (tensor<1x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>
func.func @scales_along_k(%q: tensor<1x2x!qg.q<ui8, 0.5 : 128>>) -> tensor<1x1xf32> {
  %x = qg.dequantize %q : tensor<1x2x!qg.q<ui8, 0.5 : 128>> -> tensor<1x2xf32>
  %qw = qg.constant dense<1> : tensor<2x1xi8> -> tensor<2x1x!qg.q<si8, axis = 0, dense_resource<s> : tensor<2xf32>>>
  %w = qg.dequantize %qw : tensor<2x1x!qg.q<si8, axis = 0, dense_resource<s> : tensor<2xf32>>> -> tensor<2x1xf32>
  %y = qg.matmul %x, %w : (tensor<1x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}
{-# dialect_resources: { builtin: { s: "0x040000000000803F0000003F" } } #-}

// -----
// A second reader wants the exact sum: the op gives floats, which one reader
// rounds.
// CHECK-LABEL: func @result_read_twice
// CHECK: %[[Y:.*]] = qg.matmul %arg0, %{{.*}} -> tensor<1x1xf32>
// CHECK: qg.quantize %[[Y]]
// CHECK: return %{{.*}}, %[[Y]]
func.func @result_read_twice(%q: tensor<1x2x!qg.q<ui8, 0.5 : 128>>) -> (tensor<1x1x!qg.q<ui8, 0.5 : 0>>, tensor<1x1xf32>) {
  %x = qg.dequantize %q : tensor<1x2x!qg.q<ui8, 0.5 : 128>> -> tensor<1x2xf32>
  %qw = qg.constant dense<1> : tensor<2x1xi8> -> tensor<2x1x!qg.q<si8, 0.5 : 0>>
  %w = qg.dequantize %qw : tensor<2x1x!qg.q<si8, 0.5 : 0>> -> tensor<2x1xf32>
  %y = qg.matmul %x, %w : (tensor<1x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>
  %o = qg.quantize %y : tensor<1x1xf32> -> tensor<1x1x!qg.q<ui8, 0.5 : 0>>
  return %o, %y : tensor<1x1x!qg.q<ui8, 0.5 : 0>>, tensor<1x1xf32>
}

// -----
// x + x and x * constant are functions of one byte: tables, later.
// CHECK-LABEL: func @tables
// CHECK: qg.binary add {{.*}} -> tensor<4xf32>
// CHECK: qg.binary mul {{.*}} -> tensor<4xf32>
func.func @tables(%q: tensor<4x!qg.q<ui8, 0.5 : 128>>) -> (tensor<4x!qg.q<ui8, 1.0 : 0>>, tensor<4x!qg.q<ui8, 1.0 : 0>>) {
  %x = qg.dequantize %q : tensor<4x!qg.q<ui8, 0.5 : 128>> -> tensor<4xf32>
  %c = qg.constant dense<3> : tensor<i8> -> tensor<!qg.q<ui8, 0.5 : 0>>
  %f = qg.dequantize %c : tensor<!qg.q<ui8, 0.5 : 0>> -> tensor<f32>
  %0 = qg.binary add %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %1 = qg.quantize %0 : tensor<4xf32> -> tensor<4x!qg.q<ui8, 1.0 : 0>>
  %2 = qg.binary mul %x, %f : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %3 = qg.quantize %2 : tensor<4xf32> -> tensor<4x!qg.q<ui8, 1.0 : 0>>
  return %1, %3 : tensor<4x!qg.q<ui8, 1.0 : 0>>, tensor<4x!qg.q<ui8, 1.0 : 0>>
}

// -----
// Quotients have no integer form, and a sum that nobody rounds is a float.
// CHECK-LABEL: func @no_integer_form
// CHECK: qg.binary div {{.*}} -> tensor<4xf32>
// CHECK: qg.binary add {{.*}} -> tensor<4xf32>
func.func @no_integer_form(%q: tensor<4x!qg.q<ui8, 0.5 : 128>>, %p: tensor<4x!qg.q<ui8, 0.5 : 128>>) -> (tensor<4x!qg.q<ui8, 1.0 : 0>>, tensor<4xf32>) {
  %x = qg.dequantize %q : tensor<4x!qg.q<ui8, 0.5 : 128>> -> tensor<4xf32>
  %z = qg.dequantize %p : tensor<4x!qg.q<ui8, 0.5 : 128>> -> tensor<4xf32>
  %0 = qg.binary div %x, %z : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %1 = qg.quantize %0 : tensor<4xf32> -> tensor<4x!qg.q<ui8, 1.0 : 0>>
  %2 = qg.binary add %x, %z : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %1, %2 : tensor<4x!qg.q<ui8, 1.0 : 0>>, tensor<4xf32>
}

// -----
// One operand of the concatenation is float.
// CHECK-LABEL: func @concat_with_floats
// CHECK: qg.concat {{.*}} : (tensor<2xf32>, tensor<2xf32>) -> tensor<4xf32>
func.func @concat_with_floats(%q: tensor<2x!qg.q<ui8, 0.5 : 128>>, %f: tensor<2xf32>) -> tensor<4x!qg.q<ui8, 0.5 : 0>> {
  %x = qg.dequantize %q : tensor<2x!qg.q<ui8, 0.5 : 128>> -> tensor<2xf32>
  %0 = qg.concat %x, %f axis 0 : (tensor<2xf32>, tensor<2xf32>) -> tensor<4xf32>
  %1 = qg.quantize %0 : tensor<4xf32> -> tensor<4x!qg.q<ui8, 0.5 : 0>>
  return %1 : tensor<4x!qg.q<ui8, 0.5 : 0>>
}

// -----
// Encodings differ: no pair cancels.
// CHECK-LABEL: func @another_encoding
// CHECK: %[[D:.*]] = qg.dequantize %arg0
// CHECK: qg.quantize %[[D]]
func.func @another_encoding(%q: tensor<2x!qg.q<ui8, 0.5 : 128>>) -> tensor<2x!qg.q<ui8, 0.5 : 127>> {
  %x = qg.dequantize %q : tensor<2x!qg.q<ui8, 0.5 : 128>> -> tensor<2xf32>
  %y = qg.quantize %x : tensor<2xf32> -> tensor<2x!qg.q<ui8, 0.5 : 127>>
  return %y : tensor<2x!qg.q<ui8, 0.5 : 127>>
}

// -----
// A reshape of scales along an axis cannot be said.
// CHECK-LABEL: func @reshape_per_axis
// CHECK: %[[D:.*]] = qg.dequantize %arg0
// CHECK: qg.reshape %[[D]] : tensor<2x2xf32> -> tensor<4xf32>
func.func @reshape_per_axis(%q: tensor<2x2x!qg.q<si8, axis = 0, dense_resource<s> : tensor<2xf32>>>) -> tensor<4xf32> {
  %x = qg.dequantize %q : tensor<2x2x!qg.q<si8, axis = 0, dense_resource<s> : tensor<2xf32>>> -> tensor<2x2xf32>
  %y = qg.reshape %x : tensor<2x2xf32> -> tensor<4xf32>
  return %y : tensor<4xf32>
}
{-# dialect_resources: { builtin: { s: "0x040000000000803F0000003F" } } #-}

// -----
// A clamp by a vector is no clamp of the encoding.
// CHECK-LABEL: func @clamp_by_channel
// CHECK: %[[Y:.*]] = qg.matmul %arg0, %{{.*}} -> tensor<1x2xf32>
// CHECK: qg.binary max %[[Y]]
func.func @clamp_by_channel(%q: tensor<1x2x!qg.q<ui8, 0.5 : 128>>) -> tensor<1x2x!qg.q<ui8, 0.5 : 0>> {
  %x = qg.dequantize %q : tensor<1x2x!qg.q<ui8, 0.5 : 128>> -> tensor<1x2xf32>
  %qw = qg.constant dense<1> : tensor<2x2xi8> -> tensor<2x2x!qg.q<si8, 0.5 : 0>>
  %w = qg.dequantize %qw : tensor<2x2x!qg.q<si8, 0.5 : 0>> -> tensor<2x2xf32>
  %c = qg.constant dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  %y = qg.matmul %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %m = qg.binary max %y, %c : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %o = qg.quantize %m : tensor<1x2xf32> -> tensor<1x2x!qg.q<ui8, 0.5 : 0>>
  return %o : tensor<1x2x!qg.q<ui8, 0.5 : 0>>
}

// -----
// Sums of bytes that leave 32 bits: 255 * 127 * 70000.
// CHECK-LABEL: func @too_many_products_of_16_bits
// CHECK: qg.matmul {{.*}} : (tensor<1x70000xf32>, tensor<70000x1xf32>) -> tensor<1x1xf32>
func.func @too_many_products_of_16_bits(%q: tensor<1x70000x!qg.q<si16, 0.5 : 0>>) -> tensor<1x1xf32> {
  %x = qg.dequantize %q : tensor<1x70000x!qg.q<si16, 0.5 : 0>> -> tensor<1x70000xf32>
  %qw = qg.constant dense<127> : tensor<70000x1xi8> -> tensor<70000x1x!qg.q<si8, 0.5 : 0>>
  %w = qg.dequantize %qw : tensor<70000x1x!qg.q<si8, 0.5 : 0>> -> tensor<70000x1xf32>
  %y = qg.matmul %x, %w : (tensor<1x70000xf32>, tensor<70000x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}
